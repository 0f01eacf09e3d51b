//! A log of another project, copied by a mirror of ours and watched by our monitor. It holds no
//! Assay entries.

use super::tessera::{ORIGIN, entries};
use anyhow::{Context, ensure};
use assay_tests::{
    interop::require_go,
    mirror::{Mirror, published},
    ports::free_address,
    process::{assay, copy_folder},
    tessera::{TesseraLog, build_posix},
};
use assay_tlog::head::LogVerifier;
use assay_tlog::note::SignerKey;
use serde_json::Value;
use std::{fs, net::SocketAddr, path::PathBuf};
use tempfile::TempDir;

fn key() -> anyhow::Result<SignerKey> {
    Ok(SignerKey::from_seed(ORIGIN, &[5; 32])?)
}

/// A log at one address, which a test takes away and brings back, older or another; a mirror of
/// it; and a folder with a policy that names both.
struct World {
    program: PathBuf,
    address: SocketAddr,
    log: Option<TesseraLog>,
    verifier: LogVerifier,
    mirror: Mirror,
    folder: TempDir,
}

impl World {
    fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let address = free_address()?;
        let (vkey, url) = (key()?.verifier(), format!("http://{address}"));
        let mut mirror = Mirror::init("mirror.example/m", "poll_ms = 100")?;
        mirror.add_log(ORIGIN, &vkey.to_string(), &url)?;
        mirror.node.run()?;
        let at = &mirror.node.ready().url;
        let policy =
            format!("version = 1\n[[log]]\nkey = \"{vkey}\"\nurl = {url:?}\nmirrors = [{at:?}]\n");
        fs::write(folder.path().join("policy.toml"), policy)?;
        let mut world = World {
            program: build_posix(folder.path())?,
            address,
            log: None,
            verifier: LogVerifier::new(ORIGIN, vec![vkey])?,
            mirror,
            folder,
        };
        world.run("log")?;
        Ok(world)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the log that is in a folder.
    fn run(&mut self, name: &str) -> anyhow::Result<()> {
        let (folder, address) = (self.path(name), self.address);
        // The address is free before it is taken again.
        self.log = None;
        let log = TesseraLog::start_at(&self.program, &folder, key()?, address)?;
        self.log = Some(log);
        Ok(())
    }

    fn log(&self) -> anyhow::Result<&TesseraLog> {
        self.log.as_ref().context("the log does not run")
    }

    /// Adds entries; the mirror follows, and what it has is what the log has, byte by byte.
    async fn grows(&self, from: u32, to: u32) -> anyhow::Result<()> {
        let log = self.log()?;
        let head = log.grow(&entries(from..to, "entry")).await?;
        assert_eq!(head.size().get(), u64::from(to));
        let shown = self.mirror.until_shown(&self.verifier, to.into()).await?;
        assert_eq!(shown.root(), head.root());
        let theirs = published(&log.url, head.size()).await?;
        let ours = published(&self.mirror.copy_of(ORIGIN), head.size()).await?;
        assert_eq!(ours, theirs);
        assert_eq!(self.monitor(&[])?, (Some(0), vec![]));
        Ok(())
    }

    /// A round of the monitor: the exit code, and the alerts.
    fn monitor(&self, more: &[&str]) -> anyhow::Result<(Option<i32>, Vec<Value>)> {
        let fixed = ["monitor", "policy.toml", "--foreign", ORIGIN, "--once"];
        let often = ["--replay-every", "0", "--output", "json"];
        let output = assay(self.folder.path(), &[&fixed[..], &often, more].concat())?;
        let lines = str::from_utf8(&output.stdout)?.lines();
        let alerts = lines.map(serde_json::from_str).collect::<Result<_, _>>()?;
        Ok((output.status.code(), alerts))
    }

    /// That the mirror shows what it showed, and nothing else.
    async fn is_still(&self, size: u64) -> anyhow::Result<()> {
        let shown = self.mirror.shown(&self.verifier).await?;
        let shown = shown.context("it shows nothing")?;
        assert_eq!(shown.size().get(), size);
        Ok(())
    }
}

fn only<'a>(alerts: &'a [Value], kind: &str) -> anyhow::Result<&'a str> {
    let [alert] = alerts else {
        anyhow::bail!("not one alert: {alerts:?}");
    };
    ensure!(alert["kind"] == kind, "{alert}");
    alert["words"].as_str().context("no words")
}

/// It is copied and watched as it grows; then it goes back, and then another way.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_tessera_log_is_mirrored_and_monitored() -> anyhow::Result<()> {
    if !require_go("a log of another project, copied and watched") {
        return Ok(());
    }
    let mut world = World::new()?;
    // Sizes within one tile, beyond it, and of several full ones.
    for (from, to) in [(0, 1), (1, 7), (7, 300)] {
        world.grows(from, to).await?;
    }
    world.log = None;
    copy_folder(&world.path("log"), &world.path("older"))?;
    world.run("log")?;
    world.grows(300, 600).await?;

    // It is gone, and then it is what it was before.
    world.log = None;
    let (code, alerts) = world.monitor(&["--silence", "0"])?;
    only(&alerts, "unreachable")?;
    assert_eq!(code, Some(3));
    world.run("older")?;
    world.mirror.until_failed(ORIGIN, "old_head", 1).await?;
    world.is_still(600).await?;
    // By the mirror's tiles it is of the same history.
    let (code, alerts) = world.monitor(&["--silence", "0"])?;
    let [alert, over] = &alerts[..] else {
        anyhow::bail!("not two alerts: {alerts:?}");
    };
    assert_eq!(
        (&over["kind"], &over["phase"]),
        (&"unreachable".into(), &"ended".into())
    );
    assert_eq!(alert["kind"], "frozen");
    let words = alert["words"].as_str().context("no words")?;
    assert!(words.contains("300") && words.contains("600"), "{words}");
    assert_eq!(code, Some(1));

    // From there on it is another log. The mirror has what shows it.
    let head = world.log()?.grow(&entries(300..310, "fork")).await?;
    ensure!(head.size().get() == 310);
    world.mirror.until_failed(ORIGIN, "fork", 1).await?;
    world.is_still(600).await?;
    let kept = reqwest::get(format!("{}/misbehavior", world.mirror.node.ready().url)).await?;
    let kept = kept.error_for_status()?.text().await?;
    assert!(kept.contains(&format!("rewrite log {ORIGIN}")), "{kept}");
    let (code, alerts) = world.monitor(&[])?;
    only(&alerts, "two-histories")?;
    assert_eq!(code, Some(4));
    let here = ["misbehavior", "list", "--here", "--policy", "policy.toml"];
    let here = assay(world.folder.path(), &here)?;
    let said = String::from_utf8(here.stdout)?;
    assert!(said.contains("rewrite") && said.contains(ORIGIN), "{said}");
    // What is wrong goes on, and is told once.
    assert_eq!(world.monitor(&[])?, (Some(4), vec![]));
    Ok(())
}
