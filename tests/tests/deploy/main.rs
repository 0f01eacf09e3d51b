//! What is in deploy/ starts as it is: the federation of the compose file, as processes with the
//! same commands; the samples; the units.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod advisories;
mod monitoring;
mod packages;
mod schemas;

use anyhow::{Context, ensure};
use assay_tests::ports::free_address;
use assay_tests::process::{assay, binaries, poll};
use assay_tests::skip::skip;
use assay_tlog::tlog_policy::TlogPolicy;
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

fn deploy() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy")
}

/// Processes, which end with the test.
#[derive(Default)]
struct Running(Vec<Child>);

impl Drop for Running {
    fn drop(&mut self) {
        for process in &mut self.0 {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// `assay-node` with these arguments, with no settings of whoever runs the test.
fn node(arguments: &[String]) -> Command {
    let mut command = Command::new(binaries().join("assay-node"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ASSAY_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).stdin(Stdio::null());
    command
}

fn done(command: &mut Command) -> anyhow::Result<Output> {
    let output = command.output()?;
    let said = [&output.stdout[..], &output.stderr[..]].concat();
    let said = String::from_utf8_lossy(&said);
    ensure!(output.status.success(), "{command:?}: {said}");
    Ok(output)
}

/// The value of a flow sequence of texts: `["a", "b"]`.
fn texts(value: &str) -> anyhow::Result<Vec<String>> {
    serde_json::from_str(value.trim()).with_context(|| value.to_owned())
}

/// The command of each service of a compose file. It reads what ours is written in: a service is
/// two columns in, its keys four, and a command is a flow sequence.
fn commands(compose: &str) -> anyhow::Result<BTreeMap<String, Vec<String>>> {
    let (_, services) = compose.split_once("\nservices:\n").context("no services")?;
    let mut all = BTreeMap::new();
    let mut service = "";
    for line in services
        .lines()
        .take_while(|line| !line.starts_with("volumes:"))
    {
        if let Some(value) = line.strip_prefix("    command: ") {
            all.insert(service.to_owned(), texts(value)?);
        } else if let Some(name) = line.strip_prefix("  ")
            && !name.starts_with(' ')
        {
            service = name.trim_end_matches(':');
        }
    }
    Ok(all)
}

#[test]
fn the_compose_file_starts_a_federation() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let compose = fs::read_to_string(deploy().join("compose.yaml"))?;
    let mut services = commands(&compose)?;
    assert_eq!(services.remove("init").unwrap(), ["/var/lib/assay"]);
    assert_eq!(services.len(), 5);
    let addresses = services
        .keys()
        .map(|name| Ok((name.clone(), free_address()?)))
        .collect::<anyhow::Result<BTreeMap<String, SocketAddr>>>()?;

    // Twice: what is there stays as it is.
    let mut keys = Vec::new();
    for _ in 0..2 {
        let mut init = Command::new(deploy().join("federation-init"));
        init.arg(folder.path()).stdin(Stdio::null());
        let path = std::env::var("PATH").unwrap_or_default();
        init.env("PATH", format!("{}:{path}", binaries().display()));
        for (name, address) in &addresses {
            init.env(format!("ADDRESS_{name}"), address.to_string());
            init.env(format!("LISTEN_{name}"), address.to_string());
            init.env(format!("ADMIN_{name}"), "127.0.0.1:0");
        }
        keys.push(done(&mut init)?.stdout);
    }
    assert_eq!(keys[0], keys[1]);
    let keys = String::from_utf8(keys.remove(0))?;

    let mut running = Running::default();
    for command in services.values() {
        let here = folder.path().display().to_string();
        let command: Vec<String> = command
            .iter()
            .map(|argument| argument.replace("/var/lib/assay", &here))
            .collect();
        let process = node(&command)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        running.0.push(process);
    }
    for (name, key) in ["a", "b", "c"].iter().zip(keys.lines()) {
        let key = assay_tlog::note::VerifierKey::parse(key)?;
        let policy = fs::read_to_string(folder.path().join(name).join("quorum.policy"))?;
        let policy = TlogPolicy::parse(&policy)?;
        let size = policy.quorum_size().unwrap();
        assert_eq!((size.least, size.operators), (3, 4));
        let url = format!("http://{}/checkpoint", addresses[*name]);
        let note = poll(|| {
            let shown = Command::new("curl").args(["-fsS", &url]).output()?;
            Ok(shown.status.success().then_some(shown.stdout))
        })?;
        policy.with_log(&key).verify(&String::from_utf8(note)?)?;
    }
    Ok(())
}

/// Runs a sample in the folder that its `init` made, until it answers. Only the ports are others:
/// those that it names may be taken on this machine.
fn starts(sample: &str, init: &[&str], run: &[&str]) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let here = folder.path().display().to_string();
    let mut make: Vec<String> = init.iter().map(|it| (*it).to_owned()).collect();
    make.extend(["--dir".to_owned(), here.clone()]);
    done(&mut node(&make))?;
    let text = fs::read_to_string(deploy().join("samples").join(sample))?;
    let text = text.replace("0.0.0.0:7480", "127.0.0.1:0");
    fs::write(
        folder.path().join(sample),
        text.replace("127.0.0.1:7481", "127.0.0.1:0"),
    )?;
    let ready = folder.path().join("ready");
    let mut command: Vec<String> = run.iter().map(|it| (*it).to_owned()).collect();
    command.extend(["--config".to_owned(), format!("{here}/{sample}")]);
    command.extend(["--ready-file".to_owned(), ready.display().to_string()]);
    let journal = folder.path().join("journal");
    let mut running = Running::default();
    let process = node(&command).stderr(fs::File::create(&journal)?).spawn()?;
    running.0.push(process);
    poll(|| {
        let ended = running.0[0].try_wait()?;
        ensure!(ended.is_none(), "{}", fs::read_to_string(&journal)?);
        Ok(ready.exists().then_some(()))
    })
}

#[test]
fn each_sample_starts() -> anyhow::Result<()> {
    let samples = fs::read_dir(deploy().join("samples"))?.count();
    assert_eq!(samples, 2, "a sample that no test starts");
    starts(
        "node.toml",
        &[
            "init",
            "--origin",
            "a.example.org/log",
            "--witness",
            "a.example.org/witness",
            "--mirror",
            "a.example.org/mirror",
        ],
        &["run"],
    )?;
    starts(
        "witness.toml",
        &["witness", "init", "--name", "witness.example.org/w"],
        &["witness", "run"],
    )
}

/// The commands of the units are commands of the program, and the units are as closed as they say.
#[test]
fn the_units_are_well_formed() -> anyhow::Result<()> {
    for unit in [
        "assay-node.service",
        "assay-witness.service",
        "assay-bridge@.service",
    ] {
        let path = deploy().join(unit);
        let text = fs::read_to_string(&path)?;
        let start = text
            .lines()
            .find_map(|line| line.strip_prefix("ExecStart="));
        let start = start.unwrap().replace("%i", "osv");
        let start: Vec<String> = start.split(' ').map(str::to_owned).collect();
        let refused = match start[0].as_str() {
            "/usr/local/bin/assay" => {
                let arguments: Vec<&str> = start[1..].iter().map(String::as_str).collect();
                assay(Path::new("/"), &arguments)?
            }
            _ => node(&start[1..]).output()?,
        };
        let said = String::from_utf8(refused.stderr)?;
        ensure!(
            said.contains("cannot read /var/lib/assay")
                || said.contains("cannot read the configuration file /var/lib/assay"),
            "{unit}: {said}"
        );

        let analyzed = Command::new("systemd-analyze")
            .args(["security", "--offline=true", "--threshold=20"])
            .arg(&path)
            .output();
        match analyzed {
            Ok(output) => ensure!(
                output.status.success(),
                "{}",
                String::from_utf8_lossy(&output.stdout)
            ),
            Err(error) => skip(&format!(
                "the hardening of {unit}: systemd-analyze: {error}"
            )),
        }
    }
    Ok(())
}
