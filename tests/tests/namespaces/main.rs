//! Three nodes and two witnesses on a network of their own: each has a network namespace, and a
//! line to a switch, on which packets are lost and which is cut.
//!
//! Where the system allows no namespaces, the test says so and is skipped; with
//! `ASSAY_REQUIRE_NAMESPACES` in the environment it fails instead.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod network;

use anyhow::{Context, ensure};
use assay_tests::{
    federation::{Host, World},
    process::{binaries, poll},
};
use assay_tlog::note::SignerKey;
use assay_tlog::tlog_policy::TlogPolicy;
use network::Network;
use std::{fs, io::Write as _, net::SocketAddr, thread, time::Duration};

/// Set for the process that is in the namespaces.
const INSIDE: &str = "ASSAY_TEST_INSIDE";

#[test]
fn a_federation_outlives_loss_partition_and_kills() {
    if std::env::var_os(INSIDE).is_some() {
        inside().unwrap();
        return;
    }
    if let Err(why) = network::is_allowed() {
        let required = std::env::var_os("ASSAY_REQUIRE_NAMESPACES").is_some();
        assert!(!required, "namespaces are required here: {why}");
        let said = format!("skipped: the system allows no network namespaces: {why}\n");
        // Not eprintln!, which the test harness swallows when a test passes.
        let _ = std::io::stderr().write_all(said.as_bytes());
        return;
    }
    // What it takes to build needs no namespace.
    binaries();
    let mut again = network::enter();
    let status = again
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "--nocapture"])
        .arg("a_federation_outlives_loss_partition_and_kills")
        .env(INSIDE, "1")
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
}

/// A federation, each of whose hosts is on a machine of its own.
struct Federation {
    world: World,
    network: Network,
}

const NODES: [&str; 3] = ["a", "b", "c"];
const WITNESSES: [&str; 2] = ["w1", "w2"];

fn inside() -> anyhow::Result<()> {
    let all = Federation::start()?;
    let said = all.network.lose(5)?;
    let _ = std::io::stderr().write_all(format!("{said}\n").as_bytes());
    let sizes = all.sizes()?;
    for (name, size) in NODES.iter().zip(sizes) {
        all.grown(name, size + 2)?;
    }

    // One is alone. It takes claims, shows nothing, and the others go on.
    all.network.cut("a")?;
    thread::sleep(Duration::from_secs(3));
    let alone = all.size("a")?;
    let said = all.register("a", "cut off")?;
    ensure!(
        said.contains("sequenced") || said.contains("logged"),
        "{said}"
    );
    for name in ["b", "c"] {
        let size = all.size(name)?;
        all.grown(name, size + 2)?;
    }
    assert_eq!(all.size("a")?, alone, "it showed what nobody cosigned");

    // Killed while the line is cut, and while it is not, a witness and a node.
    all.kill("a")?;
    all.kill("w2")?;
    all.start_again("a")?;
    all.network.mend("a")?;
    all.grown("a", alone + 1)?;
    all.start_again("w2")?;
    all.kill("b")?;
    for name in ["a", "c"] {
        let size = all.size(name)?;
        all.grown(name, size + 2)?;
    }
    all.start_again("b")?;
    let size = all.grown("b", 1)?;
    let size = all.grown("b", size + 2)?;
    all.copied("c", "b", size)?;
    all.nobody_is_convicted()
}

impl Federation {
    fn start() -> anyhow::Result<Self> {
        let network = Network::new(&[&NODES[..], &WITNESSES].concat())?;
        let mut world = World::at(&NODES, &WITNESSES, |i| {
            let ip = network::address(i);
            let at = |port| SocketAddr::from((ip, port));
            Ok((at(7480), at(7481)))
        })?;
        for host in &mut world.hosts {
            let inside = format!("ip netns exec {}", host.name);
            host.environment.push(("HOST_WRAPPER".into(), inside));
        }
        for host in world.hosts.iter().rev() {
            world.systemctl(host, "start")?;
        }
        let all = Federation { world, network };
        for name in NODES {
            all.grown(name, 1)?;
        }
        Ok(all)
    }

    fn host(&self, name: &str) -> anyhow::Result<&Host> {
        self.world.of(name)
    }

    fn kill(&self, name: &str) -> anyhow::Result<()> {
        self.world.systemctl(self.host(name)?, "kill")
    }

    fn start_again(&self, name: &str) -> anyhow::Result<()> {
        self.world.systemctl(self.host(name)?, "start")
    }

    /// What a node shows, as its own machine sees it. Never anything without a quorum.
    fn shown(&self, name: &str) -> anyhow::Result<Option<u64>> {
        let host = self.host(name)?;
        let note = self
            .world
            .run(host, "$HOST_WRAPPER curl -fsS $URL/checkpoint")?;
        if !note.status.success() {
            return Ok(None);
        }
        let note = String::from_utf8(note.stdout)?;
        let policy = fs::read_to_string(host.dir.join("quorum.policy"))?;
        let key = fs::read_to_string(host.dir.join("log.key"))?;
        let key = SignerKey::parse(key.trim())?.verifier();
        let policy = TlogPolicy::parse(&policy)?.with_log(&key);
        let quorum = policy.verify(&note).context("shown without a quorum")?;
        Ok(Some(quorum.checkpoint().size.get()))
    }

    fn size(&self, name: &str) -> anyhow::Result<u64> {
        self.grown(name, 1)
    }

    fn sizes(&self) -> anyhow::Result<Vec<u64>> {
        NODES.iter().map(|name| self.size(name)).collect()
    }

    /// Waits until a node shows at least so many entries, and returns how many.
    fn grown(&self, name: &str, least: u64) -> anyhow::Result<u64> {
        poll(|| Ok(self.shown(name)?.filter(|size| *size >= least)))
            .with_context(|| self.world.journal(self.host(name).unwrap()))
    }

    /// Registers an issuer at a node, from its own machine. Returns what was said.
    fn register(&self, name: &str, issuer: &str) -> anyhow::Result<String> {
        let host = self.host(name)?;
        let key = fs::read_to_string(host.dir.join("log.key"))?;
        let key = SignerKey::parse(key.trim())?.verifier();
        fs::write(
            self.world.cards().join(format!("{name}.vkey")),
            key.to_string(),
        )?;
        let script = format!(
            "assay key new {name}.pem; $HOST_WRAPPER assay issuer register --log $URL \
             --log-key {name}.vkey --name '{issuer}' --key {name}.pem 2>&1"
        );
        let output = self.world.run(host, &script)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// Waits until a node has a copy of at least so many entries of another one's log.
    fn copied(&self, at: &str, of: &str, least: u64) -> anyhow::Result<()> {
        let host = self.host(at)?;
        let copy = format!(
            "$HOST_WRAPPER curl -fsS $URL/mirror/$(printf {of}/log | sha256sum | cut -c -64)/\
             checkpoint | sed -n 2p"
        );
        poll(|| {
            let copied = self.world.run(host, &copy)?;
            let size = String::from_utf8_lossy(&copied.stdout).trim().parse().ok();
            Ok(size.filter(|size: &u64| *size >= least).map(drop))
        })
    }

    fn nobody_is_convicted(&self) -> anyhow::Result<()> {
        for host in &self.world.hosts {
            let list = "$HOST_WRAPPER curl -fsS $URL/misbehavior";
            let list = self.world.done(host, list)?;
            ensure!(!list.contains("culprit"), "{}: {list}", host.name);
            ensure!(!self.world.journal(host).contains("convicted of"));
        }
        Ok(())
    }
}
