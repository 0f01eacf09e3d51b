//! A person at a terminal: a folder, keys, and a log that is running.

use anyhow::{Context, ensure};
use assay_tests::process::{Ready, assay, assay_command, new_key};
use serde_json::{Value, json};
use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

pub struct Person {
    folder: tempfile::TempDir,
    ready: Ready,
}

impl Person {
    pub fn at(ready: &Ready) -> anyhow::Result<Self> {
        Ok(Person {
            folder: tempfile::tempdir()?,
            ready: ready.clone(),
        })
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        Ok(fs::write(self.folder.path().join(name), text)?)
    }

    /// The arguments with the log's address and key.
    fn with_log<'a>(&'a self, arguments: &[&'a str]) -> Vec<&'a str> {
        [
            arguments,
            &["--log", &self.ready.url, "--log-key", &self.ready.vkey],
        ]
        .concat()
    }

    /// Runs the program, however it ends.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        assay(self.folder.path(), &self.with_log(arguments))
    }

    /// Verifies the receipts in a folder, with the log's key and without the log.
    pub fn verify(&self, folder: &str) -> anyhow::Result<Output> {
        let key = &self.ready.vkey;
        assay(self.folder.path(), &["verify", folder, "--log-key", key])
    }

    /// The program, not run yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        assay_command(self.folder.path(), &self.with_log(arguments))
    }

    /// Runs it for JSON. Returns how it ended and what it printed.
    pub fn ask(&self, arguments: &[&str]) -> anyhow::Result<(Option<i32>, Value)> {
        let output = self.run(&[arguments, &["--output", "json"]].concat())?;
        let value = serde_json::from_slice(&output.stdout).with_context(|| {
            format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr))
        })?;
        Ok((output.status.code(), value))
    }

    /// The same, where it must succeed.
    pub fn get(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.run(&[arguments, &["--output", "json"]].concat())?;
        ensure!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        if output.stdout.is_empty() {
            Ok(Value::Null)
        } else {
            Ok(serde_json::from_slice(&output.stdout)?)
        }
    }

    /// Registers an issuer with a key of its own, `NAME.pem`. Returns its id.
    pub fn register(&self, name: &str) -> anyhow::Result<String> {
        let key = format!("{name}.pem");
        new_key(self.folder.path(), &key)?;
        let record = self.get(&["issuer", "register", "--name", name, "--key", &key])?;
        Ok(record["issuer_id"]
            .as_str()
            .context("no issuer id")?
            .to_owned())
    }

    /// Publishes a statement about a subject, signed by `NAME.pem`. Returns the claim's id.
    pub fn say(
        &self,
        name: &str,
        subject: Value,
        predicate_type: &str,
        predicate: Value,
    ) -> anyhow::Result<String> {
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [subject],
            "predicateType": predicate_type,
            "predicate": predicate,
        });
        self.write("statement.json", &statement.to_string())?;
        let published = self.get(&[
            "publish",
            "statement",
            "statement.json",
            "--key",
            &format!("{name}.pem"),
        ])?;
        Ok(published[0]["claim_id"]
            .as_str()
            .context("no claim id")?
            .to_owned())
    }

    /// Publishes that a package passed a review.
    pub fn audit(&self, name: &str, purl: &str, criterion: &str) -> anyhow::Result<String> {
        let predicate = json!({"criteria": [criterion], "verdict": "pass", "scope": "version"});
        self.say(name, package(purl), "urn:assay:audit:v1", predicate)
    }
}

/// A package as a subject.
pub fn package(purl: &str) -> Value {
    let digest = assay_tlog::Hash::of(purl.as_bytes()).to_hex();
    json!({"uri": purl, "digest": {"purl": digest}})
}

/// The lines of an answer to one question.
pub fn lines<'a>(answer: &'a Value, question: &str) -> anyhow::Result<&'a Vec<Value>> {
    let questions = answer["questions"].as_array().context("no questions")?;
    let found = questions.iter().find(|one| one["question"] == question);
    found
        .and_then(|one| one["lines"].as_array())
        .with_context(|| format!("no question {question}"))
}
