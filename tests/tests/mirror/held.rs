//! A node whose every Ed25519 key is in one PKCS#11 token: those of its log, its witness, its
//! mirror and its auditor. The token goes and comes back.

use super::publish;
use anyhow::{Context as _, ensure};
use assay_proto::v1::Wait;
use assay_tests::{
    issuer::Actor,
    log::Log,
    process::{self, Node, binaries, poll_async},
    token::{KEY, Token, require_softhsm},
    witness::{self, History},
};
use assay_tlog::Hash;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::note::VerifierKey;
use std::{fs, process::Command};

const ORIGIN: &str = "held.example/log";

/// The parts, and the ids and seeds of their keys.
const PARTS: [(&str, &str, u8); 3] = [
    ("witness", "0b", 8),
    ("mirror", "0c", 9),
    ("audit", "0d", 10),
];

/// A node with every part, which does not run, and what verifies the parts' cosignatures.
struct Held {
    node: Node,
    verifiers: Vec<CosignerVerifier>,
}

impl Held {
    fn new(token: &Token, log: &Node, cosigned: &History) -> anyhow::Result<Self> {
        let uri = token.uri_that_fails();
        let node = Node::init_within(ORIGIN, &["--token-key", &uri], token.environment())?;
        let mut verifiers = Vec::new();
        for (part, id, seed) in PARTS {
            token.add(part, id, &[seed; 32])?;
            let uri = uri.replace(&format!("object={KEY}"), &format!("object={part}"));
            let uri = uri.replace("id=%0a", &format!("id=%{id}"));
            let (vkeys, table) = init(&node, part, &uri)?;
            verifiers.push(CosignerVerifier::new(vkeys)?);
            node.append_configuration(&table)?;
        }
        let (own, vkey) = (node.folder().join("witness/witness.toml"), cosigned.vkey());
        let table = format!(
            "\n[[log]]\norigin = {:?}\nkeys = [{vkey:?}]\n",
            cosigned.origin
        );
        fs::write(&own, fs::read_to_string(&own)? + &table)?;
        node.append_configuration(&format!(
            "[[mirror.log]]\norigin = {:?}\nkeys = [{:?}]\nurl = {:?}",
            process::ORIGIN,
            log.vkey()?,
            log.ready().url
        ))?;
        for file in ["log.key", "witness/witness.key", "mirror.key", "audit.key"] {
            ensure!(!node.folder().join(file).exists(), "{file}");
        }
        Ok(Held { node, verifiers })
    }

    async fn get(&self, path: &str) -> anyhow::Result<Option<String>> {
        let answer = reqwest::get(format!("{}{path}", self.node.ready().url)).await?;
        if !answer.status().is_success() {
            return Ok(None);
        }
        Ok(Some(answer.text().await?))
    }

    /// Waits until mirror and auditor show a head of this size, cosigned by both keys of each.
    async fn until_copied(&self, size: u64) -> anyhow::Result<()> {
        let digest = Hash::of(process::ORIGIN.as_bytes());
        for (verifier, path) in self.verifiers[1..]
            .iter()
            .zip(["checkpoint", "audit/checkpoint"])
        {
            let shown = poll_async(async || {
                let note = self.get(&format!("/mirror/{digest}/{path}")).await?;
                let head = note.map(|note| verifier.verify(&note)).transpose()?;
                let head = head.filter(|head| head.checkpoint().size.get() == size);
                Ok(head.map(|head| head.statements().len()))
            });
            let lines = shown.await.with_context(|| self.node.stderr())?;
            ensure!(lines == 2, "{path}: {lines}");
        }
        Ok(())
    }

    /// Has the witness cosign a head. Returns the status.
    async fn cosign(&self, log: &History, old: usize, new: usize) -> anyhow::Result<u16> {
        let http = reqwest::Client::new();
        let said = witness::add(&http, &self.node.ready().url, log.request(old, new)?).await?;
        if said.status == 200 {
            let note = log.note(new) + &said.body;
            let lines = self.verifiers[0].verify(&note)?.statements().len();
            ensure!(lines == 2, "{note}");
        }
        Ok(said.status)
    }

    /// Waits until readiness has this status and these words.
    async fn until_ready_is(&self, status: u16, words: &[&str]) -> anyhow::Result<()> {
        let ready = poll_async(async || {
            let answer = reqwest::get(format!("{}/readyz", self.node.ready().admin)).await?;
            let is_it = answer.status().as_u16() == status;
            let said = answer.text().await?;
            Ok((is_it && words.iter().all(|word| said.contains(word))).then_some(()))
        });
        ready
            .await
            .with_context(|| format!("{words:?}: {}", self.node.stderr()))
    }
}

/// Makes a part of a node whose key is in the token. Returns its keys, and the tables that name it.
fn init(node: &Node, part: &str, uri: &str) -> anyhow::Result<(Vec<VerifierKey>, String)> {
    let is_witness = part == "witness";
    let folder = node.folder().join(if is_witness { "witness" } else { "" });
    let name = format!("held.example/{part}");
    let output = Command::new(binaries().join("assay-node"))
        .args([part, "init", "--name", &name, "--token-key", uri, "--dir"])
        .arg(folder)
        .envs(node.environment.iter().map(|(k, v)| (k, v)))
        .output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "{part} init: {said}");
    let vkeys = String::from_utf8(output.stdout)?;
    let vkeys: Result<Vec<_>, _> = vkeys.lines().map(VerifierKey::parse).collect();
    let table = if is_witness {
        "[witness]\nconfig = \"witness/witness.toml\"\n"
    } else {
        let start = said
            .find(&format!("[{part}]"))
            .context("no table is said")?;
        &said[start..]
    };
    Ok((vkeys?, table.to_owned()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_part_of_a_node_signs_by_one_token_and_again_when_it_is_back() -> anyhow::Result<()> {
    let softhsm = require_softhsm("a node with its keys in a token");
    let Some(token) = softhsm.map(|it| Token::new(&it, &[7; 32])).transpose()? else {
        return Ok(());
    };
    let source = Node::start()?;
    let cosigned = History::new("log.example/a", 20)?;
    let mut held = Held::new(&token, &source, &cosigned)?;
    held.node.run()?;
    let log = Log::connect(source.ready()).await?;
    let issuer = Actor::new(&[1], 1);
    log.publish(issuer.registration()?, Wait::Sequenced).await?;
    let size = publish(&log, &issuer, 0..20).await?;
    held.until_copied(size).await?;
    assert_eq!(held.cosign(&cosigned, 0, 5).await?, 200);
    held.until_ready_is(200, &[]).await?;

    token.fail("gone")?;
    let grown = publish(&log, &issuer, 21..40).await?;
    assert_eq!(held.cosign(&cosigned, 5, 9).await?, 503);
    let cosigners = [
        "held.example/witness",
        "held.example/mirror",
        "is not there",
    ];
    held.until_ready_is(503, &cosigners).await?;
    // What was cosigned is shown on.
    held.until_copied(size).await?;
    held.node.stop()?;
    held.node.run()?;
    let all = [
        "held.example/audit",
        "nothing is cosigned",
        "nothing is published",
    ];
    held.until_ready_is(503, &[&cosigners[..], &all].concat())
        .await?;

    token.fail("")?;
    held.until_copied(grown).await?;
    assert_eq!(held.cosign(&cosigned, 5, 9).await?, 409);
    assert_eq!(held.cosign(&cosigned, 9, 12).await?, 200);
    held.until_ready_is(200, &[]).await?;
    held.node.stop()
}
