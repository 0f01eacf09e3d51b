//! A log that asks witnesses: real processes, and lines between them that are cut.

use super::ORIGIN;
use anyhow::{Context, ensure};
use assay_proto::v1::{GetCheckpointRequest, PublishResponse, Wait};
use assay_tests::{
    issuer::Actor,
    log::Log,
    ports::free_address,
    process::{self, Node, copy_folder},
    relay::{Line, Relay},
    witness::{History, Witness},
};
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::{TlogPolicy, VerifiedQuorum};
use std::{fs, time::Duration};

/// A log and its witnesses, each behind a line of its own.
pub(super) struct Federation {
    pub(super) node: Node,
    witnesses: Vec<Witness>,
    lines: Vec<Relay>,
    policy: TlogPolicy,
}

impl Federation {
    /// A log with so many witnesses, of whom `quorum` must cosign. The log does not run yet.
    async fn new(quorum: usize, witnesses: usize, line: Line) -> anyhow::Result<Self> {
        Federation::beside(quorum, witnesses, line, &[]).await
    }

    /// The same, with further witnesses in the policy: the verifier key and the URL of each. The
    /// policy calls them by the names of their keys.
    pub(super) async fn beside(
        quorum: usize,
        witnesses: usize,
        line: Line,
        others: &[(VerifierKey, String)],
    ) -> anyhow::Result<Self> {
        let node = Node::init()?;
        let log = VerifierKey::parse(&node.vkey()?)?;
        let mut federation = Federation {
            node,
            witnesses: Vec::new(),
            lines: Vec::new(),
            policy: TlogPolicy::parse("quorum none")?,
        };
        let (mut text, mut members) = (String::new(), String::new());
        for i in 0..witnesses {
            let name = format!("witness{i}.example");
            let mut witness = Witness::named(&name)?;
            witness.add_log(process::ORIGIN, &log.to_string())?;
            witness.run()?;
            let address = witness.ready()?.url.replace("http://", "");
            let relay = Relay::start(address.parse()?, line).await?;
            let url = format!("http://{}", relay.address);
            for (key, kind) in witness.ready()?.vkeys.iter().zip(["ed25519", "ml-dsa"]) {
                text += &format!("witness {i}-{kind} {key} {url}\n");
            }
            text += &format!("group {i} any {i}-ed25519 {i}-ml-dsa\n");
            members += &format!(" {i}");
            federation.witnesses.push(witness);
            federation.lines.push(relay);
        }
        for (key, url) in others {
            let name = key.name();
            text += &format!("witness {name} {key} {url}\n");
            members += &format!(" {name}");
        }
        text += &format!("group all-of-them {quorum}{members}\nquorum all-of-them\n");
        federation.policy = TlogPolicy::parse(&text)?.with_log(&log);
        fs::write(federation.node.folder().join("quorum.policy"), &text)?;
        let table = "[quorum]\npolicy = \"quorum.policy\"\nrefresh_ms = 1000";
        federation.node.append_configuration(table)?;
        Ok(federation)
    }

    pub(super) fn set(&self, line: Line) {
        self.lines.iter().for_each(|relay| relay.set(line));
    }

    pub(super) fn set_one(&self, witness: usize, line: Line) {
        self.lines[witness].set(line);
    }

    /// What the node serves as its checkpoint; none if it serves none.
    pub(super) async fn served(&self) -> anyhow::Result<Option<(String, VerifiedQuorum)>> {
        let answer = reqwest::get(format!("{}/checkpoint", self.node.ready().url)).await?;
        if answer.status() == 503 {
            return Ok(None);
        }
        let note = answer.error_for_status()?.text().await?;
        // Never anything without a quorum.
        let quorum = self.policy.verify(&note)?;
        Ok(Some((note, quorum)))
    }

    /// Waits until what is served is as wanted.
    pub(super) async fn until(
        &self,
        wanted: impl Fn(&VerifiedQuorum) -> bool,
    ) -> anyhow::Result<VerifiedQuorum> {
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            if let Some((_, quorum)) = self.served().await?.filter(|(_, quorum)| wanted(quorum)) {
                return Ok(quorum);
            }
            ensure!(
                tokio::time::Instant::now() < deadline,
                "{:?}; {}",
                self.served().await?,
                self.node.stderr()
            );
            tokio::task::yield_now().await;
        }
    }

    /// Waits until what is served covers a claim.
    pub(super) async fn covering(&self, claim: &PublishResponse) -> anyhow::Result<VerifiedQuorum> {
        self.until(|quorum| quorum.checkpoint().size.get() > claim.leaf_index)
            .await
    }

    /// Waits until the log signs nothing more, and returns why.
    async fn stopped(&self) -> anyhow::Result<String> {
        let url = format!("{}/readyz", self.node.ready().admin);
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            let answer = reqwest::get(&url).await?;
            if answer.status() == 503 {
                return Ok(answer.text().await?);
            }
            ensure!(tokio::time::Instant::now() < deadline, "it goes on");
        }
    }

    /// The size that a witness holds.
    async fn held(&self, witness: usize) -> anyhow::Result<u64> {
        let note = self.witnesses[witness].monitored(process::ORIGIN).await?;
        Ok(note.body.lines().nth(1).context("no size")?.parse()?)
    }
}

/// Four witnesses, three must cosign, and one cannot be reached.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_shown_that_no_quorum_cosigned() -> anyhow::Result<()> {
    let mut all = Federation::new(3, 4, Line::Up).await?;
    all.lines[1].set(Line::Down);
    all.node.run()?;
    let log = Log::connect(all.node.ready()).await?;
    let issuer = Actor::new(&[1], 1);
    let answer = log.publish(issuer.registration()?, Wait::Witnessed).await?;
    assert_eq!(answer.reached(), Wait::Witnessed);
    // A log that shows only what a quorum cosigned means the same by both.
    let answer = log.publish(issuer.claim(1), Wait::Integrated).await?;
    assert_eq!(answer.reached(), Wait::Witnessed);

    let quorum = all.covering(&answer).await?;
    let names = [
        "0-ed25519",
        "0-ml-dsa",
        "2-ed25519",
        "2-ml-dsa",
        "3-ed25519",
        "3-ml-dsa",
    ];
    assert_eq!(quorum.witnesses(), names);
    // All of it is what a consumer derives again.
    log.rederive().await?;

    // The fourth comes back, is asked again, and is merged into the same checkpoint.
    all.lines[1].set(Line::Up);
    let size = quorum.checkpoint().size;
    let merged = all.until(|quorum| quorum.witnesses().len() == 8).await?;
    assert_eq!(merged.checkpoint().size, size);
    // An idle log is cosigned again: the time of its quorum goes on.
    let before = merged.cosigned_at();
    all.until(|quorum| quorum.cosigned_at() > before).await?;

    let metrics = reqwest::get(format!("{}/metrics", all.node.ready().admin)).await?;
    let metrics = metrics.text().await?;
    let size = size.get();
    for line in [
        format!("assay_witness_size{{witness=\"witness0.example\"}} {size}"),
        "assay_witness_lag{witness=\"witness1.example\"} 0".to_owned(),
    ] {
        assert!(metrics.contains(&line), "{line} is not in {metrics}");
    }
    assert!(metrics.contains("assay_witness_failures_total{witness=\"witness1.example\"}"));
    Ok(())
}

/// A witness that does not answer holds nobody up, and its late lines are merged.
#[tokio::test(flavor = "multi_thread")]
async fn a_slow_witness_is_not_waited_for() -> anyhow::Result<()> {
    let mut all = Federation::new(2, 3, Line::Up).await?;
    all.lines[0].set(Line::Held);
    all.node.run()?;
    let first = all.until(|_| true).await?;
    assert_eq!(first.witnesses().len(), 4, "{:?}", first.witnesses());
    all.lines[0].set(Line::Up);
    let merged = all.until(|quorum| quorum.witnesses().len() == 6).await?;
    assert_eq!(merged.checkpoint(), first.checkpoint());
    Ok(())
}

/// No line is up: claims are durable and get their leaf, callers are told how far they are, and
/// nothing unpublished is shown. It recovers by itself, also after it was killed.
#[tokio::test(flavor = "multi_thread")]
async fn without_a_quorum_claims_are_kept_and_nothing_is_shown() -> anyhow::Result<()> {
    let mut all = Federation::new(2, 2, Line::Down).await?;
    let signed = fs::read(all.node.folder().join("checkpoints"))?;
    all.node.run()?;
    let log = Log::connect(all.node.ready()).await?;
    assert!(all.served().await?.is_none());
    let mut service = log.service.clone();
    let status = service
        .get_checkpoint(GetCheckpointRequest {})
        .await
        .unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert!(status.message().contains("quorum"), "{status}");

    let issuer = Actor::new(&[1], 1);
    let answer = log.publish(issuer.registration()?, Wait::Sequenced).await?;
    assert_eq!(answer.reached(), Wait::Sequenced);
    let answer = log.publish(issuer.claim(1), Wait::Witnessed).await?;
    assert_eq!(answer.reached(), Wait::Sequenced);
    assert!(all.served().await?.is_none());
    // Until a quorum has cosigned what was signed before this start, nothing new is.
    assert!(fs::read(all.node.folder().join("checkpoints"))? == signed);
    // What is signed may be read, so that a lack of witnesses does not look like withholding.
    let tile = log.get("/tile/0/000.p/1").await?;
    assert_eq!(tile.status(), 200);

    all.set(Line::Up);
    let shown = all.covering(&answer).await?;
    // Again, and killed meanwhile: what a quorum cosigned is shown from the start.
    all.set(Line::Down);
    let answer = log.publish(issuer.claim(2), Wait::Sequenced).await?;
    all.node.kill()?;
    all.node.run()?;
    let (_, again) = all
        .served()
        .await?
        .context("nothing is shown after a restart")?;
    assert!(again.checkpoint().size >= shown.checkpoint().size);
    assert!(again.checkpoint().size.get() <= answer.leaf_index);
    all.set(Line::Up);
    all.covering(&answer).await?;
    let log = Log::connect(all.node.ready()).await?;
    log.rederive().await?;
    Ok(())
}

/// The whole disk is put back as it was: nothing on it can say so, and the witnesses do. The log
/// signs nothing, and goes on with the newer disk.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_of_the_whole_disk_signs_nothing() -> anyhow::Result<()> {
    let mut all = Federation::new(2, 2, Line::Up).await?;
    all.node.run()?;
    let issuer = Actor::new(&[1], 1);
    let log = Log::connect(all.node.ready()).await?;
    log.publish(issuer.registration()?, Wait::Witnessed).await?;
    all.node.stop()?;
    let parts = ["data", "checkpoints", "checkpoints.cosigned"];
    let copies = tempfile::tempdir()?;
    let (old, new) = (copies.path().join("old"), copies.path().join("new"));
    move_parts(&parts, all.node.folder(), &old, false)?;
    all.node.run()?;
    let log = Log::connect(all.node.ready()).await?;
    log.publish(issuer.claim(1), Wait::Witnessed).await?;
    all.node.stop()?;
    let held = all.held(0).await?;

    move_parts(&parts, all.node.folder(), &new, true)?;
    move_parts(&parts, &old, all.node.folder(), false)?;
    let checkpoints = fs::read(all.node.folder().join("checkpoints"))?;
    all.node.run()?;
    let said = all.stopped().await?;
    let expected = format!("has this log with {held} entries");
    assert!(
        said.contains(&expected) && said.contains("backup"),
        "{said}"
    );
    let log = Log::connect(all.node.ready()).await?;
    let refused = log
        .publish(issuer.claim(2), Wait::Sequenced)
        .await
        .unwrap_err();
    assert!(refused.message().contains("witness"), "{refused}");
    all.node.stop()?;
    let after = fs::read(all.node.folder().join("checkpoints"))?;
    assert!(after == checkpoints, "something was signed");
    assert_eq!(all.held(0).await?, held);

    // The file with what a quorum cosigned is the newer one: then it does not even start.
    let cosigned = "checkpoints.cosigned";
    fs::copy(new.join(cosigned), all.node.folder().join(cosigned))?;
    let (_, stderr) = all.node.run_refused()?;
    assert!(stderr.contains("older than what was published"), "{stderr}");

    for part in &parts {
        let path = all.node.folder().join(part);
        if path.is_dir() {
            fs::remove_dir_all(path)?
        } else {
            fs::remove_file(path)?
        }
    }
    move_parts(&parts, &new, all.node.folder(), false)?;
    all.node.run()?;
    let log = Log::connect(all.node.ready()).await?;
    log.publish(issuer.claim(2), Wait::Witnessed).await?;
    Ok(())
}

fn move_parts(
    parts: &[&str],
    from: &std::path::Path,
    to: &std::path::Path,
    remove: bool,
) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for part in parts {
        let (from, to) = (from.join(part), to.join(part));
        if from.is_dir() {
            copy_folder(&from, &to)?;
            if remove {
                fs::remove_dir_all(from)?;
            }
        } else {
            fs::copy(&from, to)?;
            if remove {
                fs::remove_file(from)?;
            }
        }
    }
    Ok(())
}

/// Waits until a node serves a checkpoint.
async fn until_served(node: &Node) -> anyhow::Result<()> {
    let url = format!("{}/checkpoint", node.ready().url);
    let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
    while reqwest::get(&url).await?.status() != 200 {
        ensure!(tokio::time::Instant::now() < deadline, "{}", node.stderr());
    }
    Ok(())
}

/// Two nodes, each the witness of the other, on one port each. None waits for the other to start,
/// and what each shows was cosigned by the other.
#[tokio::test(flavor = "multi_thread")]
async fn nodes_witness_each_other() -> anyhow::Result<()> {
    let names = ["a.example/witness", "b.example/witness"];
    let origins = ["a.example/log", "b.example/log"];
    let (mut nodes, mut witnesses, mut urls) = (Vec::new(), Vec::new(), Vec::new());
    for (name, origin) in names.into_iter().zip(origins) {
        let address = free_address()?;
        let node = Node::init_as(origin)?;
        let witness = Witness::named(name)?;
        let table = format!(
            "[witness]\nconfig = {:?}",
            witness.folder().join("witness.toml")
        );
        node.append_configuration(&table)?;
        node.configure(&format!("server.listen = \"{address}\""))?;
        urls.push(format!("http://{address}"));
        nodes.push(node);
        witnesses.push(witness);
    }
    let mut policies = Vec::new();
    for (this, other) in [(0, 1), (1, 0)] {
        witnesses[this].add_log(origins[other], &nodes[other].vkey()?)?;
        let [ed25519, ml_dsa] = &witnesses[other].vkeys[..] else {
            anyhow::bail!("not two keys");
        };
        let url = &urls[other];
        let text = format!(
            "witness a {ed25519} {url}\nwitness b {ml_dsa} {url}\ngroup w any a b\nquorum w\n"
        );
        fs::write(nodes[this].folder().join("quorum.policy"), &text)?;
        nodes[this].append_configuration("[quorum]\npolicy = \"quorum.policy\"")?;
        let key = VerifierKey::parse(&nodes[this].vkey()?)?;
        policies.push(TlogPolicy::parse(&text)?.with_log(&key));
    }
    for node in &mut nodes {
        node.run()?;
    }
    let issuer = Actor::new(&[1], 1);
    for (node, policy) in nodes.iter().zip(&policies) {
        until_served(node).await?;
        let log = Log::connect(node.ready()).await?;
        let answer = log.publish(issuer.registration()?, Wait::Witnessed).await?;
        assert_eq!(answer.reached(), Wait::Witnessed, "{}", node.stderr());
        let quorum = policy.verify(&log.get("/checkpoint").await?.text().await?)?;
        assert!(quorum.checkpoint().size.get() > answer.leaf_index);
    }
    for node in &mut nodes {
        node.stop()?;
    }
    Ok(())
}

/// What cannot be used is said at the start, with what to do.
#[test]
fn a_quorum_that_cannot_be_asked_is_refused_at_the_start() -> anyhow::Result<()> {
    let key = History::new(ORIGIN, 1)?.vkey();
    let witness = Witness::start(&[])?;
    let vkey = &witness.ready()?.vkeys[0];
    for (policy, said) in [
        (None, "quorum.policy in the configuration names"),
        (Some("quorum none\n".to_owned()), "the policy has no quorum"),
        (Some("witness w\n".to_owned()), "is not a C2SP tlog-policy"),
        (
            Some(format!("witness w {key}\nquorum w\n")),
            "is not a C2SP tlog-policy",
        ),
        (Some(format!("witness w {vkey}\nquorum w\n")), "has no URL"),
    ] {
        let mut node = Node::init()?;
        node.append_configuration("[quorum]\npolicy = \"quorum.policy\"")?;
        if let Some(policy) = policy {
            fs::write(node.folder().join("quorum.policy"), policy)?;
        }
        let (status, stderr) = node.run_refused()?;
        assert!(!status.success());
        assert!(stderr.contains(said), "{stderr}");
    }
    Ok(())
}
