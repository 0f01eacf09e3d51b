//! Who runs a bridge: a folder with a key and a source, and a node.

use anyhow::{Context, ensure};
use assay_tests::{
    data,
    process::{Node, assay_command, new_key},
};
use serde_json::{Value, json};
use std::{
    fs,
    path::PathBuf,
    process::{Command, Output},
};

/// The bridge of OSV records.
pub const BRIDGE: [&str; 5] = ["bridge", "osv", "source", "--key", "key.pem"];

/// Who bridges, and the source that is bridged.
pub struct Operator {
    pub folder: tempfile::TempDir,
    pub node: Node,
    pub issuer: String,
}

impl Operator {
    pub fn new() -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        new_key(folder.path(), "key.pem")?;
        fs::create_dir(folder.path().join("source"))?;
        let mut operator = Operator {
            folder,
            node: Node::start_with("log.publish_interval_ms = 1")?,
            issuer: String::new(),
        };
        let registered = operator.ok(&[
            "issuer", "register", "--name", "A bridge", "--key", "key.pem",
        ])?;
        let id = registered["issuer_id"].as_str().context("no issuer id")?;
        operator.issuer = id.to_owned();
        Ok(operator)
    }

    pub fn source(&self, name: &str) -> PathBuf {
        self.folder.path().join("source").join(name)
    }

    /// Writes a record of the source: of this package, from its first version to before this one.
    pub fn record(&self, file: &str, id: &str, package: &str, fixed: &str) -> anyhow::Result<()> {
        let record = json!({
            "id": id,
            "modified": "2026-01-01T00:00:00Z",
            "summary": format!("Something is wrong in {package}"),
            "affected": [{
                "package": {"ecosystem": "npm", "name": package},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": fixed}]}],
            }],
        });
        let path = self.source(file);
        fs::create_dir_all(path.parent().context("no folder")?)?;
        Ok(fs::write(path, record.to_string())?)
    }

    /// Writes so many records of one package, each a file, which say what was fixed in this
    /// version.
    pub fn records(&self, count: usize, fixed: &str) -> anyhow::Result<()> {
        for number in 0..count {
            let (file, id) = (format!("{number}.json"), format!("X-{number}"));
            self.record(&file, &id, "left", fixed)?;
        }
        Ok(())
    }

    pub fn try_run(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        Ok(self.command(&self.node.ready().url, arguments).output()?)
    }

    /// The program with these arguments, at this address of the log, not run yet.
    pub fn command(&self, url: &str, arguments: &[&str]) -> Command {
        let key = &self.node.ready().vkey;
        let log = ["--log", url, "--log-key", key, "--output", "json"];
        assay_command(self.folder.path(), &[arguments, &log].concat())
    }

    pub fn ok(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let output = self.try_run(arguments)?;
        ensure!(output.status.success(), "{arguments:?}: {}", said(&output));
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// Runs the bridge of OSV records with these arguments. Returns its exit code, and how many
    /// records it published, replaced and withdrew, and how many problems it had.
    pub fn bridge(&self, more: &[&str]) -> anyhow::Result<(Option<i32>, [u64; 4], String)> {
        let output = self.try_run(&[&BRIDGE, more].concat())?;
        bridged(&output)
    }

    /// What stands in the log of a package, by the records that its claims are of.
    pub fn standing(&self, package: &str) -> anyhow::Result<Vec<String>> {
        let purl = format!("pkg:npm/{package}");
        let found = self.ok(&["lookup", &purl])?;
        let mut records = Vec::new();
        collect(&found, &mut records);
        records.sort();
        Ok(records)
    }

    /// How many claims the log has.
    pub fn size(&self) -> anyhow::Result<usize> {
        let list = self.ok(&["log", "--from", "0", "--limit", "1000"])?;
        let entries = list["entries"].as_array().context("no entries")?;
        let claims = entries.iter().filter(|entry| entry["claim_id"].is_string());
        Ok(claims.count())
    }

    /// The file that remembers what was published.
    pub fn state(&self) -> anyhow::Result<PathBuf> {
        let folder = self.folder.path().join("state/assay/bridges");
        let files: Vec<PathBuf> = data::files(&folder);
        let mut states = files.into_iter();
        let state = states.find(|path| path.extension().is_none());
        state.context("no state file")
    }
}

/// How a bridge ended: its exit code, how many records it published, replaced and withdrew, how
/// many problems it had, and what it said.
pub fn bridged(output: &Output) -> anyhow::Result<(Option<i32>, [u64; 4], String)> {
    let view: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let counts = ["published", "replaced", "withdrawn", "problems"]
        .map(|key| view[key].as_u64().unwrap_or_default());
    Ok((output.status.code(), counts, said(output)))
}

pub fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The texts of statements that say which version mends it.
fn collect(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| collect(item, found)),
        Value::Object(members) => members.values().for_each(|item| collect(item, found)),
        _ => found.push(value.to_string()),
    }
}
