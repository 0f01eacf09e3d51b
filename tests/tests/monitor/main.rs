//! `assay monitor` against a node that runs, as cron and as a service run it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

use anyhow::{Context, ensure};
use assay_tests::process::{Node, Ready, assay, assay_command, new_key, poll};
use assay_tests::receiver::Receiver;
use serde_json::{Value, json};
use std::{
    fs,
    process::{Output, Stdio},
};
use tempfile::TempDir;

const PACKAGE: &str = "pkg:cargo/fine";

/// A node, and a folder with the keys of two issuers that are registered there.
struct World {
    node: Node,
    folder: TempDir,
    /// The id and the public key of ours.
    issuer: String,
    key: String,
}

impl World {
    fn new() -> anyhow::Result<Self> {
        let mut node = Node::init_as("a.example/log")?;
        node.configure("log.publish_interval_ms = 1")?;
        node.run()?;
        let mut world = World {
            node,
            folder: tempfile::tempdir()?,
            issuer: String::new(),
            key: String::new(),
        };
        for name in ["ours", "others"] {
            let key = format!("{name}.pem");
            new_key(world.folder.path(), &key)?;
            let register = ["issuer", "register", "--name", name, "--key", &key];
            let registered = world.at(&register)?;
            if name == "ours" {
                let id = registered["issuer_id"].as_str().context("no issuer id")?;
                world.issuer = id.to_owned();
            }
        }
        let shown = world.run(&["key", "show", "ours.pem", "--output", "json"])?;
        let shown: Value = serde_json::from_slice(&shown.stdout)?;
        let key = shown[0]["public_key"].as_str().context("no public key")?;
        world.key = key.to_owned();
        let Ready { vkey, url, .. } = world.node.ready();
        let policy = format!("version = 1\n[[log]]\nkey = {vkey:?}\nurl = {url:?}\n");
        fs::write(world.folder.path().join("policy.toml"), policy)?;
        Ok(world)
    }

    fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        assay(self.folder.path(), arguments)
    }

    /// Runs the program with the log's address and key, where it must succeed.
    fn at(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let Ready { vkey, url, .. } = self.node.ready();
        let log = ["--log", url, "--log-key", vkey, "--output", "json"];
        let output = self.run(&[arguments, &log].concat())?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}: {said}");
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Says with a key when the support of the package ends.
    fn support_ends(&self, key: &str, year: u32) -> anyhow::Result<()> {
        let digest = assay_claims::purl::Purl::parse_canonical(PACKAGE)?.digest();
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"uri": PACKAGE, "digest": {"purl": digest.to_hex()}}],
            "predicateType": "urn:assay:lifecycle:v1",
            "predicate": {
                "end_of_security_support": format!("{year}-01-01"),
                "end_of_life": "tba",
                "last_updated": "2026-01-01T00:00:00Z",
            },
        });
        let path = self.folder.path().join("statement.json");
        fs::write(path, statement.to_string())?;
        self.at(&["publish", "statement", "statement.json", "--key", key])?;
        Ok(())
    }

    fn monitor(&self) -> Vec<&str> {
        let names = ["--package", PACKAGE, "--issuer", &self.issuer];
        let key = ["--public-key", &self.key, "--output", "json"];
        [&["monitor", "policy.toml"], &names[..], &key].concat()
    }

    /// One round: the exit code, and the alerts.
    fn once(&self, more: &[&str]) -> anyhow::Result<(Option<i32>, Vec<Value>)> {
        let output = self.run(&[&self.monitor()[..], &["--once"], more].concat())?;
        let lines = str::from_utf8(&output.stdout)?.lines();
        let alerts = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok((output.status.code(), alerts))
    }
}

#[test]
fn cron_hears_of_a_name_that_others_use_once() -> anyhow::Result<()> {
    let world = World::new()?;
    assert_eq!(world.once(&[])?, (Some(0), vec![]));
    world.support_ends("ours.pem", 2030)?;
    assert_eq!(world.once(&[])?, (Some(0), vec![]));
    world.support_ends("others.pem", 2027)?;
    let (code, alerts) = world.once(&["--metrics", "numbers.prom"])?;
    assert_eq!((code, alerts.len()), (Some(1), 1));
    assert_eq!(alerts[0]["kind"], "name-used");
    assert_eq!(alerts[0]["log"], "a.example/log");
    let numbers = fs::read_to_string(world.folder.path().join("numbers.prom"))?;
    assert!(
        numbers.contains("assay_monitor_up{log=\"a.example/log\"} 1"),
        "{numbers}"
    );
    assert_eq!(world.once(&[])?, (Some(0), vec![]));
    Ok(())
}

#[test]
fn cron_hears_of_a_log_that_is_gone() -> anyhow::Result<()> {
    let mut world = World::new()?;
    assert_eq!(world.once(&[])?, (Some(0), vec![]));
    world.node.stop()?;
    assert_eq!(world.once(&[])?, (Some(3), vec![]));
    let (code, alerts) = world.once(&["--silence", "0"])?;
    assert_eq!((code, alerts.len()), (Some(3), 1));
    assert_eq!(alerts[0]["kind"], "unreachable");
    Ok(())
}

/// Cron, whose mail program died, is not told that all is well.
#[test]
fn alerts_that_nobody_reads_are_no_success() -> anyhow::Result<()> {
    let world = World::new()?;
    new_key(world.folder.path(), "webhook.pem")?;
    let unread = |more: &[&str]| {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        let round = [&world.monitor()[..], &["--once"], more].concat();
        let round = assay_command(world.folder.path(), &round)
            .stdout(writer)
            .output()?;
        let said = String::from_utf8(round.stderr)?;
        anyhow::Ok((round.status.code(), said))
    };
    assert_eq!(world.once(&[])?, (Some(0), vec![]));
    world.support_ends("others.pem", 2027)?;
    let (code, said) = unread(&[])?;
    assert!(
        code == Some(3) && said.contains("nobody reads"),
        "{code:?} {said}"
    );
    // Nothing is lost by it, and who has a webhook reads there.
    let receiver = Receiver::bind()?;
    let url = receiver.url();
    let (code, said) = unread(&["--webhook", &url, "--webhook-key", "webhook.pem"])?;
    assert_eq!(code, Some(1), "{said}");
    let event = receiver.taken().context("nothing arrived")?;
    assert_eq!(event["type"], "assay.monitor.name-used");
    Ok(())
}

/// Whatever is killed, an alert whose line was written arrives at the webhook, with the same id.
#[test]
fn an_alert_survives_a_kill_and_a_webhook_that_is_not_there() -> anyhow::Result<()> {
    let world = World::new()?;
    new_key(world.folder.path(), "webhook.pem")?;
    let receiver = Receiver::bind()?;
    let url = receiver.url();
    let webhook = ["--webhook", &url, "--webhook-key", "webhook.pem"];
    assert_eq!(world.once(&[])?, (Some(0), vec![]));
    receiver.refuse(true);
    let service = [&world.monitor()[..], &["--interval", "1"], &webhook].concat();
    let lines = world.folder.path().join("lines");
    let mut service = assay_command(world.folder.path(), &service)
        .stdout(fs::File::create(&lines)?)
        .stderr(Stdio::null())
        .spawn()?;
    world.support_ends("others.pem", 2027)?;
    let told: Value = poll(|| {
        let line = fs::read_to_string(&lines)?;
        Ok(line
            .strip_suffix('\n')
            .map(serde_json::from_str)
            .transpose()?)
    })?;
    service.kill()?;
    service.wait()?;
    receiver.refuse(false);
    let (code, alerts) = world.once(&webhook)?;
    assert!(
        alerts.is_empty() || alerts[0]["id"] == told["id"],
        "{alerts:?}"
    );
    assert!(matches!(code, Some(0 | 1)), "{code:?}");
    let event = receiver.taken().context("nothing arrived")?;
    assert_eq!(event["id"], told["id"]);
    assert_eq!(event["type"], "assay.monitor.name-used");

    // One that is gone for good ends it, rather than that nobody is told any more.
    receiver.go();
    world.support_ends("others.pem", 2028)?;
    let service = [&world.monitor()[..], &["--interval", "1"], &webhook].concat();
    let ended = world.run(&service)?;
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(3), "{said}");
    assert!(said.contains("the webhook is gone"), "{said}");
    Ok(())
}

/// Prometheus reads the numbers of a service where it says that they are.
#[test]
fn numbers_are_served_while_it_runs() -> anyhow::Result<()> {
    let world = World::new()?;
    let once = world.run(&[
        "monitor",
        "policy.toml",
        "--once",
        "--metrics",
        "127.0.0.1:0",
    ])?;
    assert_eq!(once.status.code(), Some(2));
    let service = ["monitor", "policy.toml", "--metrics", "127.0.0.1:0"];
    let said = world.folder.path().join("said");
    let mut service = assay_command(world.folder.path(), &service)
        .stdout(Stdio::null())
        .stderr(fs::File::create(&said)?)
        .spawn()?;
    let url: String = poll(|| {
        let said = fs::read_to_string(&said)?;
        let line = said
            .lines()
            .find_map(|line| line.split_once("numbers are at "));
        Ok(line.map(|(_, url)| url.to_owned()))
    })?;
    let runtime = tokio::runtime::Runtime::new()?;
    let get = || runtime.block_on(async { anyhow::Ok(reqwest::get(&url).await?.text().await?) });
    let up = "assay_monitor_up{log=\"a.example/log\"} 1";
    poll(|| Ok(get()?.contains(up).then_some(())))?;
    service.kill()?;
    service.wait()?;
    Ok(())
}
