//! Every real document that `assay publish` takes goes the whole way through the program and a real
//! node: published, its receipt fetched, and verified offline. What it does not take it refuses as
//! a program should.

use anyhow::{Context, ensure};
use assay_intake::documents;
use assay_proto::v1::{GetRequest, attachment_service_client::AttachmentServiceClient};
use assay_tests::{
    data,
    process::{Node, Ready, assay, assay_command, poll},
};
use assay_tlog::Hash;
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

/// Decides nothing here but whether a document is taken at all.
const NOW: &str = "2026-11-22T18:41:48Z";

/// What the publisher says a document is about that does not say it itself.
const SUBJECT: &str = "pkg:generic/named-by-the-publisher";

/// A person at a terminal: a folder, a key, and a log that is running.
struct Person {
    folder: tempfile::TempDir,
    ready: Ready,
}

impl Person {
    fn register(ready: &Ready) -> anyhow::Result<Self> {
        let person = Person {
            folder: tempfile::tempdir()?,
            ready: ready.clone(),
        };
        person.online(&["key", "new", "key.pem"])?;
        person.online(&[
            "issuer",
            "register",
            "--name",
            "Documents",
            "--key",
            "key.pem",
        ])?;
        Ok(person)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs the program with the log's address and key.
    fn try_online(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let log = [
            "--log",
            &self.ready.url,
            "--log-key",
            &self.ready.vkey,
            "--output",
            "json",
        ];
        assay(self.folder.path(), &[arguments, &log].concat())
    }

    /// The same, where it must succeed. Returns what it printed.
    fn online(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.try_online(arguments)?;
        ensure!(output.status.success(), "{arguments:?}: {}", said(&output));
        if output.stdout.is_empty() {
            Ok(Value::Null)
        } else {
            Ok(serde_json::from_slice(&output.stdout)?)
        }
    }

    /// Runs `assay verify` with the log's key alone: there is no address to ask at.
    fn verify(&self, key: &str, what: &str) -> anyhow::Result<(Option<i32>, Value, String)> {
        let output = assay(
            self.folder.path(),
            &["verify", what, "--log-key", key, "--output", "json"],
        )?;
        let view = serde_json::from_slice(&output.stdout).unwrap_or_default();
        Ok((output.status.code(), view, said(&output)))
    }
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// Publishes one document and returns the claims, or checks that it is refused as core refuses it.
fn publish(person: &Person, kind: &str, path: &Path) -> anyhow::Result<Vec<Value>> {
    let file = path.to_str().context("a path that is not UTF-8")?;
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .context("no name")?;
    let mut arguments = vec!["publish", kind, file, "--key", "key.pem"];
    match documents::prepare(kind, name, &data::read(path), NOW) {
        Ok(claims) => {
            if claims.iter().any(|claim| claim.subjects.is_empty()) {
                // Nothing is made up: first it asks.
                let asked = person.try_online(&arguments)?;
                ensure!(asked.status.code() == Some(2), "{file}: {}", said(&asked));
                ensure!(
                    said(&asked).contains("--subject"),
                    "{file}: {}",
                    said(&asked)
                );
                arguments.extend(["--subject", SUBJECT]);
            }
            let published = person.online(&arguments)?;
            let published = published
                .as_array()
                .with_context(|| format!("{file}: no list"))?
                .clone();
            ensure!(
                published.len() == claims.len(),
                "{file}: {} claims of {}",
                published.len(),
                claims.len()
            );
            Ok(published)
        }
        Err(error) => {
            let output = person.try_online(&arguments)?;
            ensure!(output.status.code() == Some(2), "{file}: {}", said(&output));
            let text = String::from_utf8_lossy(&output.stderr);
            ensure!(
                text.contains(name),
                "{file}: it does not name the file: {text}"
            );
            ensure!(!text.contains("panicked"), "{file}: {text}");
            ensure!(
                text.contains(&error.to_string()),
                "{file}: {text} does not say {error}"
            );
            Ok(Vec::new())
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_document_goes_through_publish_receipt_and_offline_verify() -> anyhow::Result<()> {
    let mut folders = Vec::new();
    for (name, kind) in data::DOCUMENTS {
        let Some(folder) = data::require(name) else {
            return Ok(());
        };
        folders.push((folder, *kind));
    }
    let mut node = Node::start_with("log.publish_interval_ms = 1")?;
    let person = Person::register(node.ready())?;
    let mut claims = BTreeMap::new();
    let mut attachments = BTreeMap::new();
    let mut refused = 0;
    for (folder, kind) in &folders {
        let before = claims.len();
        for path in data::files(folder) {
            let published = publish(&person, kind, &path)?;
            refused += usize::from(published.is_empty());
            for claim in published {
                let id = claim["claim_id"]
                    .as_str()
                    .context("no claim id")?
                    .to_owned();
                if let Some(sha256) = claim["attachment"]["sha256"].as_str() {
                    attachments.insert(sha256.to_owned(), path.clone());
                }
                claims.insert(id, path.clone());
            }
        }
        assert!(
            claims.len() > before,
            "no document of {} was published",
            folder.display()
        );
    }
    println!(
        "{} claims, {} attachments, {refused} documents refused",
        claims.len(),
        attachments.len()
    );

    // Attachments are the documents, to the byte.
    let mut service = AttachmentServiceClient::connect(node.ready().url.clone()).await?;
    for (sha256, path) in &attachments {
        let request = GetRequest {
            sha256: hex::decode(sha256)?.into(),
        };
        let mut chunks = service.get(request).await?.into_inner();
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.message().await? {
            bytes.extend_from_slice(&chunk.chunk);
        }
        assert_eq!(bytes, data::read(path), "{}", path.display());
        assert_eq!(Hash::of(&bytes).to_hex(), *sha256);
    }

    let ids: Vec<&str> = claims.keys().map(String::as_str).collect();
    for some in ids.chunks(200) {
        person.online(&[&["receipt", "--out", "receipts"], some].concat())?;
    }
    person.online(&["audit", &node.ready().url.clone()])?;
    node.stop()?;

    let (code, view, said) = person.verify(&node.ready().vkey, "receipts")?;
    assert_eq!(code, Some(0), "{said}");
    let text = view.to_string();
    for (id, path) in &claims {
        assert!(
            text.contains(id.as_str()),
            "{}: its receipt was not looked at",
            path.display()
        );
        assert!(person.path(&format!("receipts/{id}.tlog-proof")).exists());
    }
    refuses_what_was_tampered_with(&person, ids[0], ids[1])
}

/// What each change to a receipt is found out by. All exit with 4: a check failed.
fn refuses_what_was_tampered_with(person: &Person, id: &str, other: &str) -> anyhow::Result<()> {
    let key = &person.ready.vkey;
    let read =
        |id: &str, end: &str| fs::read_to_string(person.path(&format!("receipts/{id}.{end}")));
    let (envelope, proof) = (read(id, "intoto.jsonl")?, read(id, "tlog-proof")?);
    let (other_envelope, other_proof) = (read(other, "intoto.jsonl")?, read(other, "tlog-proof")?);
    let hash_line = |proof: &str| {
        proof
            .lines()
            .nth(3)
            .map(str::to_owned)
            .context("the proof has no hash")
    };
    let line = hash_line(&proof)?;
    let flipped = |text: &str, at: usize| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes)
    };
    let forgeries = [
        (
            "the payload",
            &["inclusion"][..],
            flipped(
                &envelope,
                envelope.find("\"payload\"").context("payload")? + 40,
            )?,
            proof.clone(),
        ),
        (
            "the envelope's end",
            &["envelope"],
            envelope[..envelope.len() - 3].to_owned(),
            proof.clone(),
        ),
        (
            "a proof that is too short",
            &["inclusion"],
            envelope.clone(),
            proof.replacen(&format!("{line}\n"), "", 1),
        ),
        (
            "a proof that is too long",
            &["inclusion"],
            envelope.clone(),
            proof.replacen(&line, &format!("{line}\n{line}"), 1),
        ),
        (
            "a hash",
            &["inclusion"],
            envelope.clone(),
            proof.replacen(&line, &flipped(&line, 5)?, 1),
        ),
        (
            "the checkpoint's signature",
            &["checkpoint"],
            envelope.clone(),
            flipped(&proof, proof.len() - 20)?,
        ),
        (
            "another claim's proof",
            &["entry", "match", "inclusion"],
            envelope.clone(),
            other_proof.clone(),
        ),
        (
            "another claim's envelope",
            &["entry", "match", "inclusion"],
            other_envelope,
            proof.clone(),
        ),
    ];
    for (number, (what, checks, envelope, proof)) in forgeries.into_iter().enumerate() {
        let folder = format!("forged-{number}");
        fs::create_dir(person.path(&folder))?;
        fs::write(
            person.path(&format!("{folder}/{id}.intoto.jsonl")),
            envelope,
        )?;
        fs::write(person.path(&format!("{folder}/{id}.tlog-proof")), proof)?;
        let (code, view, said) = person.verify(key, &folder)?;
        assert_eq!(code, Some(4), "{what}: {said}");
        let found = view.to_string();
        assert!(
            checks
                .iter()
                .any(|check| found.contains(&format!("\"check\":\"{check}\""))),
            "{what}: {said}"
        );
        assert!(!said.contains("panicked"), "{what}: {said}");
    }
    let stranger = Node::start()?;
    let (code, _, said) = person.verify(&stranger.ready().vkey, "receipts")?;
    assert_eq!(code, Some(4), "another log's key: {said}");
    Ok(())
}

/// `count` reviews of as many packages, as cargo-vet writes them.
fn audits(count: usize) -> String {
    (0..count)
        .map(|n| {
            format!(
                "[[audits.a{n}]]\nwho = \"A\"\ncriteria = \
        \"safe-to-deploy\"\nversion = \"1.0.{n}\"\n\n"
            )
        })
        .collect()
}

#[test]
fn many_claims_go_as_fast_as_the_node_takes_them_and_what_was_published_is_said()
-> anyhow::Result<()> {
    let mut node =
        Node::start_with("log.publish_interval_ms = 20\nadmission.issuer_claims_per_second = 1")?;
    let person = Person::register(node.ready())?;
    // Ten at once are a burst; the rest is refused at first.
    fs::write(person.path("some.toml"), audits(12))?;
    let some = person.online(&["publish", "audit", "some.toml", "--key", "key.pem"])?;
    assert_eq!(some.as_array().map(Vec::len), Some(12));

    let size = || {
        person.online(&["log"])?["tree_size"]
            .as_u64()
            .context("no size")
    };
    let before = size()?;
    fs::write(person.path("many.toml"), audits(60))?;
    let log = [
        "--log",
        &person.ready.url,
        "--log-key",
        &person.ready.vkey,
        "--output",
        "json",
    ];
    let many = ["publish", "audit", "many.toml", "--key", "key.pem"];
    let publishing = assay_command(person.folder.path(), &[&many[..], &log[..]].concat())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    poll(|| Ok((size()? > before).then_some(())))?;
    node.kill()?;
    let output = publishing.wait_with_output()?;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let published: Vec<Value> = serde_json::from_slice(&output.stdout)?;
    assert!((1..60).contains(&published.len()), "{}", said(&output));
    assert!(
        said(&output).contains(&format!("{} of 60 claims are published", published.len())),
        "{}",
        said(&output)
    );
    Ok(())
}
