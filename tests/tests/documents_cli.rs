//! Every real document that `assay publish` takes goes the whole way through the program and a real
//! node: published, its receipt fetched, and verified offline. What it does not take it refuses as
//! a program should.

use anyhow::{Context, ensure};
use assay_intake::documents;
use assay_proto::v1::{GetRequest, attachment_service_client::AttachmentServiceClient};
use assay_tests::{
    data,
    process::{Node, Ready, assay, assay_command, new_key, poll},
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
        new_key(person.folder.path(), "key.pem")?;
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

/// What of the documents is in the log, each with the file that it is from.
#[derive(Default)]
struct Published {
    /// By claim id.
    claims: BTreeMap<String, PathBuf>,
    /// By SHA-256 in hex.
    attachments: BTreeMap<String, PathBuf>,
    /// How many documents were refused.
    refused: usize,
}

impl Published {
    /// Publishes every document of a folder. At least one of them must be taken.
    fn publish_folder(&mut self, person: &Person, folder: &Path, kind: &str) -> anyhow::Result<()> {
        let before = self.claims.len();
        for path in data::files(folder) {
            let published = publish(person, kind, &path)?;
            self.refused += usize::from(published.is_empty());
            for claim in published {
                let id = claim["claim_id"]
                    .as_str()
                    .context("no claim id")?
                    .to_owned();
                if let Some(sha256) = claim["attachment"]["sha256"].as_str() {
                    self.attachments.insert(sha256.to_owned(), path.clone());
                }
                self.claims.insert(id, path.clone());
            }
        }
        assert!(
            self.claims.len() > before,
            "no document of {} was published",
            folder.display()
        );
        Ok(())
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
    let mut published = Published::default();
    for (folder, kind) in &folders {
        published.publish_folder(&person, folder, kind)?;
    }
    println!(
        "{} claims, {} attachments, {} documents refused",
        published.claims.len(),
        published.attachments.len(),
        published.refused
    );
    check_attachments(node.ready(), &published.attachments).await?;

    let ids: Vec<&str> = published.claims.keys().map(String::as_str).collect();
    for some in ids.chunks(200) {
        person.online(&[&["receipt", "--out", "receipts"], some].concat())?;
    }
    person.online(&["audit"])?;
    node.stop()?;

    let (code, view, said) = person.verify(&node.ready().vkey, "receipts")?;
    assert_eq!(code, Some(0), "{said}");
    let text = view.to_string();
    for (id, path) in &published.claims {
        assert!(
            text.contains(id.as_str()),
            "{}: its receipt was not looked at",
            path.display()
        );
        assert!(person.path(&format!("receipts/{id}.tlog-proof")).exists());
    }
    refuses_what_was_tampered_with(&person, ids[0], ids[1])
}

/// Attachments are the documents, to the byte.
async fn check_attachments(
    ready: &Ready,
    attachments: &BTreeMap<String, PathBuf>,
) -> anyhow::Result<()> {
    let mut service = AttachmentServiceClient::connect(ready.url.clone()).await?;
    for (sha256, path) in attachments {
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
    Ok(())
}

/// The two files of a receipt.
struct Receipt {
    envelope: String,
    proof: String,
}

impl Receipt {
    fn read(person: &Person, id: &str) -> anyhow::Result<Self> {
        Ok(Receipt {
            envelope: fs::read_to_string(person.path(&format!("receipts/{id}.intoto.jsonl")))?,
            proof: fs::read_to_string(person.path(&format!("receipts/{id}.tlog-proof")))?,
        })
    }

    fn with_envelope(&self, envelope: String) -> Self {
        Receipt {
            envelope,
            proof: self.proof.clone(),
        }
    }

    fn with_proof(&self, proof: String) -> Self {
        Receipt {
            envelope: self.envelope.clone(),
            proof,
        }
    }
}

/// A receipt that was changed.
struct Forgery {
    /// What was changed.
    what: &'static str,
    /// The checks that may find it out.
    checks: &'static [&'static str],
    receipt: Receipt,
}

/// What each change to a receipt is found out by. All exit with 4: a check failed.
fn refuses_what_was_tampered_with(person: &Person, id: &str, other: &str) -> anyhow::Result<()> {
    let receipt = Receipt::read(person, id)?;
    let other = Receipt::read(person, other)?;
    let mut forgeries = forged_envelopes(&receipt)?;
    forgeries.extend(forged_proofs(&receipt)?);
    forgeries.extend(exchanged(&receipt, &other));
    assert_eq!(forgeries.len(), 8);
    for (number, forgery) in forgeries.iter().enumerate() {
        check_refused(person, id, &format!("forged-{number}"), forgery)?;
    }
    let stranger = Node::start()?;
    let (code, _, said) = person.verify(&stranger.ready().vkey, "receipts")?;
    assert_eq!(code, Some(4), "another log's key: {said}");
    Ok(())
}

/// Another letter in a text of Base64.
fn flipped(text: &str, at: usize) -> anyhow::Result<String> {
    let mut bytes = text.as_bytes().to_vec();
    bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    Ok(String::from_utf8(bytes)?)
}

fn forged_envelopes(receipt: &Receipt) -> anyhow::Result<Vec<Forgery>> {
    let envelope = &receipt.envelope;
    let payload = envelope.find("\"payload\"").context("payload")?;
    Ok(vec![
        Forgery {
            what: "the payload",
            checks: &["inclusion"],
            receipt: receipt.with_envelope(flipped(envelope, payload + 40)?),
        },
        Forgery {
            what: "the envelope's end",
            checks: &["envelope"],
            receipt: receipt.with_envelope(envelope[..envelope.len() - 3].to_owned()),
        },
    ])
}

fn forged_proofs(receipt: &Receipt) -> anyhow::Result<Vec<Forgery>> {
    let proof = &receipt.proof;
    let line = proof.lines().nth(3).context("the proof has no hash")?;
    Ok(vec![
        Forgery {
            what: "a proof that is too short",
            checks: &["inclusion"],
            receipt: receipt.with_proof(proof.replacen(&format!("{line}\n"), "", 1)),
        },
        Forgery {
            what: "a proof that is too long",
            checks: &["inclusion"],
            receipt: receipt.with_proof(proof.replacen(line, &format!("{line}\n{line}"), 1)),
        },
        Forgery {
            what: "a hash",
            checks: &["inclusion"],
            receipt: receipt.with_proof(proof.replacen(line, &flipped(line, 5)?, 1)),
        },
        Forgery {
            what: "the checkpoint's signature",
            checks: &["checkpoint"],
            receipt: receipt.with_proof(flipped(proof, proof.len() - 20)?),
        },
    ])
}

/// Each half of a receipt with the other half of another claim's.
fn exchanged(receipt: &Receipt, other: &Receipt) -> [Forgery; 2] {
    [
        Forgery {
            what: "another claim's proof",
            checks: &["entry", "match", "inclusion"],
            receipt: receipt.with_proof(other.proof.clone()),
        },
        Forgery {
            what: "another claim's envelope",
            checks: &["entry", "match", "inclusion"],
            receipt: receipt.with_envelope(other.envelope.clone()),
        },
    ]
}

/// Writes a forgery of the receipt of claim `id` into `folder`, which it makes, and verifies it.
fn check_refused(person: &Person, id: &str, folder: &str, forgery: &Forgery) -> anyhow::Result<()> {
    let Forgery {
        what,
        checks,
        receipt,
    } = forgery;
    fs::create_dir(person.path(folder))?;
    fs::write(
        person.path(&format!("{folder}/{id}.intoto.jsonl")),
        &receipt.envelope,
    )?;
    fs::write(
        person.path(&format!("{folder}/{id}.tlog-proof")),
        &receipt.proof,
    )?;
    let (code, view, said) = person.verify(&person.ready.vkey, folder)?;
    assert_eq!(code, Some(4), "{what}: {said}");
    let found = view.to_string();
    assert!(
        checks
            .iter()
            .any(|check| found.contains(&format!("\"check\":\"{check}\""))),
        "{what}: {said}"
    );
    assert!(!said.contains("panicked"), "{what}: {said}");
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
