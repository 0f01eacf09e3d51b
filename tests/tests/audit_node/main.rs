//! A node that mirrors logs and replays them: real processes, with logs that are served from
//! folders, honest ones and others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod breaches;
mod site;

use anyhow::{Context, ensure};
use assay_claims::claim::{self, ClaimId};
use assay_claims::kind::withdrawal::Withdrawal;
use assay_claims::misbehavior::breach::{AssayKeys, VerifiedBreach};
use assay_tests::{
    issuer::{Actor, signed},
    process::{Node, binaries},
};
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use serde_json::Value;
use site::Made;
use std::{
    process::Command,
    time::{Duration, Instant},
};

/// Longest time that an auditor may take for what a test waits for.
const PATIENCE: Duration = Duration::from_secs(120);

/// A node with a mirror and an auditor.
struct Auditor {
    node: Node,
    mirror: CosignerVerifier,
    audit: CosignerVerifier,
}

impl Auditor {
    /// A node that mirrors these logs; it does not run yet.
    fn new(logs: &[&Made]) -> anyhow::Result<Self> {
        let node = Node::init_as("auditor.example/log")?;
        let mirror = Self::init(&node, "mirror", "auditor.example/mirror")?;
        let audit = Self::init(&node, "audit", "auditor.example/audit")?;
        let tables: String = logs.iter().map(|log| log.table()).collect();
        node.append_configuration(&format!(
            "[mirror]\nname = \"auditor.example/mirror\"\nml_dsa_44_key = \
             \"mirror-ml-dsa-44.key\"\npoll_ms = 100\n{tables}[audit]\nname = \
             \"auditor.example/audit\"\nml_dsa_44_key = \"audit-ml-dsa-44.key\""
        ))?;
        Ok(Auditor {
            node,
            mirror,
            audit,
        })
    }

    fn init(node: &Node, what: &str, name: &str) -> anyhow::Result<CosignerVerifier> {
        let output = Command::new(binaries().join("assay-node"))
            .args([what, "init", "--name", name, "--dir"])
            .arg(node.folder())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{what} init: {said}");
        let vkeys = String::from_utf8(output.stdout)?;
        let vkeys: Result<Vec<_>, _> = vkeys.lines().map(VerifierKey::parse).collect();
        Ok(CosignerVerifier::new(vkeys?)?)
    }

    async fn get(&self, path: &str) -> anyhow::Result<Option<String>> {
        let answer = reqwest::get(format!("{}{path}", self.node.ready().url)).await?;
        if answer.status() == 404 {
            return Ok(None);
        }
        Ok(Some(answer.error_for_status()?.text().await?))
    }

    /// Waits until some of a log is replayed. Returns how much.
    async fn until_replaying(&self, log: &Made) -> anyhow::Result<u64> {
        let started = Instant::now();
        loop {
            let status = self.status(log).await?;
            let replayed = status["replayed"].as_u64().context("a number")?;
            if replayed > 0 {
                return Ok(replayed);
            }
            ensure!(started.elapsed() < PATIENCE, "{}", self.node.stderr());
        }
    }

    /// Waits until the node shows these heads of a log.
    async fn until_heads(
        &self,
        log: &Made,
        expected: [Option<(u64, bool, bool)>; 2],
    ) -> anyhow::Result<()> {
        let started = Instant::now();
        loop {
            let heads = self.heads(log).await?;
            if heads == expected {
                return Ok(());
            }
            ensure!(started.elapsed() < PATIENCE, "{}: {heads:?}", log.path());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until there is something at a path.
    async fn until_there(&self, path: &str) -> anyhow::Result<String> {
        let started = Instant::now();
        loop {
            if let Some(text) = self.get(path).await? {
                return Ok(text);
            }
            ensure!(started.elapsed() < PATIENCE, "{}", self.node.stderr());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The leaf at which a log broke a rule, as anybody can check with the log's key alone.
    async fn shown(&self, log: &Made) -> anyhow::Result<u64> {
        let path = format!("{}/audit/breach", log.path());
        let shown = self.until_there(&path).await?;
        let keys = AssayKeys {
            logs: vec![LogVerifier::new(log.key.name(), vec![log.key.verifier()])?],
            ..AssayKeys::default()
        };
        let breach = VerifiedBreach::verify(shown.as_bytes(), &keys)?;
        Ok(breach.broken().leaf().get())
    }

    /// How a log is, as the node says it.
    async fn status(&self, log: &Made) -> anyhow::Result<Value> {
        let text = self.get(&format!("{}/audit", log.path())).await?;
        Ok(serde_json::from_str(
            &text.context("the log is not audited")?,
        )?)
    }

    /// Waits until the node says that a log is in this state, all of it.
    async fn until(&self, log: &Made, state: &str) -> anyhow::Result<Value> {
        let started = Instant::now();
        loop {
            let status = self.status(log).await?;
            let is_all = state != "audited" || status["audited"] == log.size();
            if status["state"] == state && is_all {
                return Ok(status);
            }
            let late = started.elapsed() > PATIENCE;
            ensure!(!late, "{status}, not {state}: {}", self.node.stderr());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// The size of the tree in a note, and who of mirror and auditor cosigned it.
    fn verified(&self, log: &Made, note: &str) -> anyhow::Result<(u64, bool, bool)> {
        let verifier = LogVerifier::new(log.key.name(), vec![log.key.verifier()])?;
        let head = verifier.verify(note)?;
        let cosigned = [&self.mirror, &self.audit]
            .map(|it| it.verify(note).is_ok_and(|it| it.statements().len() == 2));
        Ok((head.size().get(), cosigned[0], cosigned[1]))
    }

    /// What is served of a log: the mirrored head, and the one that was audited.
    async fn heads(&self, log: &Made) -> anyhow::Result<[Option<(u64, bool, bool)>; 2]> {
        let mut heads = [None; 2];
        for (head, path) in heads.iter_mut().zip(["", "/audit"]) {
            let note = self
                .get(&format!("{}{path}/checkpoint", log.path()))
                .await?;
            *head = note.map(|note| self.verified(log, &note)).transpose()?;
        }
        Ok(heads)
    }
}

/// A withdrawal of a claim by its issuer.
fn withdrawal(issuer: &Actor, number: u64) -> anyhow::Result<claim::wire::Claim> {
    let target = ClaimId::of_payload(&issuer.claim(number).payload);
    let withdrawal = Withdrawal {
        target,
        reason: "it was wrong".into(),
        superseded_by: None,
    };
    Ok(issuer.sign(withdrawal.statement()?.to_json().as_bytes()))
}

/// The record that follows an issuer's, signed as it must be, and the issuer with it.
fn rotation(issuer: &Actor, key: u8) -> anyhow::Result<(Actor, claim::wire::Claim)> {
    let next = issuer.next(&[key], 1)?;
    let keys: Vec<_> = issuer.keys.iter().chain(&next.keys).collect();
    let record = signed(&next.id, &next.record, &keys)?;
    Ok((next, record))
}

/// An honest log of some thousand claims, by issuers who rotate their keys and withdraw claims.
fn honest(log: &mut Made, claims: u64) -> anyhow::Result<()> {
    let mut issuers: Vec<Actor> = (1..=4).map(|key| Actor::new(&[key], 1)).collect();
    for issuer in &issuers {
        log.push(issuer.registration()?)?;
    }
    for number in 0..claims {
        let which = (number % 4) as usize;
        log.push(issuers[which].claim(number))?;
        if number % 97 == 0 {
            log.push(withdrawal(&issuers[which], number)?)?;
        }
        if number % 499 == 0 {
            log.commit()?;
        }
        if number % 2_501 == 2_500 {
            let key = 10 + (number / 2_501) as u8;
            let (next, record) = rotation(&issuers[which], key)?;
            log.push(record)?;
            issuers[which] = next;
        }
    }
    log.commit()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_log_is_replayed_through_kill_9_and_cosigned() -> anyhow::Result<()> {
    let mut log = Made::new("honest.example/log")?;
    honest(&mut log, 10_000)?;
    log.publish()?;
    let mut auditor = Auditor::new(&[&log])?;
    auditor.node.run()?;
    // Killed in the middle, if it is not faster than whoever asks.
    let before = auditor.until_replaying(&log).await?;
    auditor.node.kill()?;
    auditor.node.run()?;
    let after = auditor.until_replaying(&log).await?;
    assert!(after >= before, "{after} after {before}");
    auditor.until(&log, "audited").await?;
    let whole = [
        Some((log.size(), true, true)),
        Some((log.size(), false, true)),
    ];
    assert_eq!(auditor.heads(&log).await?, whole);

    // It grows, and is killed when it is idle.
    let issuer = Actor::new(&[50], 1);
    log.push(issuer.registration()?)?;
    for number in 20_000..20_300 {
        log.push(issuer.claim(number))?;
    }
    log.commit()?;
    log.publish()?;
    auditor.until(&log, "audited").await?;
    auditor.node.kill()?;
    auditor.node.run()?;
    auditor.until(&log, "audited").await?;
    let whole = [
        Some((log.size(), true, true)),
        Some((log.size(), false, true)),
    ];
    assert_eq!(auditor.heads(&log).await?, whole);

    // The log is gone, the node was stopped: what was audited is still there.
    auditor.node.stop()?;
    let url = log.table();
    drop(log);
    ensure!(url.contains("honest.example/log"));
    auditor.node.run()?;
    let copy = format!("/mirror/{}", assay_tlog::Hash::of(b"honest.example/log"));
    auditor
        .until_there(&format!("{copy}/audit/checkpoint"))
        .await?;
    assert_answers(&auditor, &copy, "honest.example/log").await?;
    let metrics = reqwest::get(format!("{}/metrics", auditor.node.ready().admin)).await?;
    let metrics = metrics.text().await?;
    for name in [
        "assay_audit_entries",
        "assay_audit_size",
        "assay_audit_state",
    ] {
        assert!(metrics.contains(name), "{name}: {metrics}");
    }
    auditor.node.stop()
}

/// The copy answers over plain HTTP, too, as that log and not as the node's own.
async fn assert_answers(auditor: &Auditor, copy: &str, origin: &str) -> anyhow::Result<()> {
    let note = format!("{copy}/api/v1/checkpoint");
    let note: Value = serde_json::from_str(&auditor.until_there(&note).await?)?;
    let note = note["checkpoint"].as_str().context("a note")?;
    assert!(note.starts_with(&format!("{origin}\n")), "{note}");
    let document = format!("{copy}/openapi.json");
    assert!(
        auditor
            .until_there(&document)
            .await?
            .contains("/api/v1/lookup")
    );
    Ok(())
}

/// What a log does wrong after an honest beginning.
type Breaks = fn(&mut Made, &Actor) -> anyhow::Result<()>;

const BREAKS: [(&str, &str, Breaks); 6] = [
    ("disputed", "index", |log, _| log.lie()),
    ("broken", "repeated", |log, issuer| {
        log.push(issuer.claim(3))?;
        log.commit()
    }),
    ("broken", "signers", |log, issuer| {
        // The new key did not sign.
        let next = issuer.next(&[2], 1)?;
        let old: Vec<_> = issuer.keys.iter().collect();
        log.push(signed(&next.id, &next.record, &old)?)?;
        log.commit()
    }),
    ("broken", "time", |log, issuer| {
        log.at -= 1_000;
        log.push(issuer.claim(1_000))?;
        log.commit()
    }),
    ("broken", "claim", |log, issuer| {
        let mut wrong = issuer.claim(1_000);
        wrong.payload = issuer.claim(1_001).payload;
        log.push(wrong)?;
        log.commit()
    }),
    ("broken", "uncommitted", |log, issuer| {
        log.push(issuer.claim(1_000))
    }),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn logs_that_break_a_rule_are_mirrored_and_not_audited_any_more() -> anyhow::Result<()> {
    let issuer = Actor::new(&[1], 1);
    let mut logs = Vec::new();
    for (_, rule, _) in BREAKS {
        let mut log = Made::new(&format!("{rule}.example/log"))?;
        log.push(issuer.registration()?)?;
        for number in 0..300 {
            log.push(issuer.claim(number))?;
        }
        log.commit()?;
        log.publish()?;
        logs.push(log);
    }
    let mut auditor = Auditor::new(&logs.iter().collect::<Vec<_>>())?;
    auditor.node.run()?;
    for log in &logs {
        auditor.until(log, "audited").await?;
    }
    let good = logs[0].size();
    for (log, (_, _, breaks)) in logs.iter_mut().zip(BREAKS) {
        breaks(log, &issuer)?;
        log.publish()?;
    }
    for restarted in [false, true] {
        if restarted {
            auditor.node.kill()?;
            auditor.node.run()?;
        }
        for (log, (state, rule, _)) in logs.iter().zip(BREAKS) {
            let status = auditor.until(log, state).await?;
            assert_eq!(status["finding"]["rule"], rule, "{status}");
            let leaf = status["finding"]["leaf"].as_u64();
            assert_eq!(leaf, Some(good), "{status}");
            assert_eq!(status["audited"], good, "{status}");
            // The mirror cosigns what it stored. The auditor stays at the last good head.
            let expected = [Some((log.size(), true, false)), Some((good, false, true))];
            auditor.until_heads(log, expected).await?;
            let dispute = auditor
                .get(&format!("{}/audit/dispute", log.path()))
                .await?;
            assert_eq!(dispute.is_some(), state == "disputed", "{rule}");
            if let Some(note) = dispute {
                let said = auditor.audit.verify(&note)?.checkpoint().clone();
                let named = format!("assay.disputed-index/v1 {}", log.key.name());
                assert_eq!((said.origin, said.size.get()), (named, good + 1));
                continue;
            }
            assert_eq!(auditor.shown(log).await?, good, "{rule}");
        }
    }
    let said = auditor.node.stderr();
    assert!(!said.contains("cannot be audited for now"), "{said}");
    auditor.node.stop()
}
