//! A log, the issuers of the cases' policy, and a folder with a case's inputs.

use anyhow::{Context, ensure};
use assay_tests::process::{Node, assay, new_key};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Nobody has to wait for checkpoints.
const AT_ONCE: &str = "log.publish_interval_ms = 1";

/// What stands in the inputs in place of the hosts of public registries.
const HOSTS: [(&str, &str); 5] = [
    ("NPM-REGISTRY-HOST", "registry.npmjs.org"),
    ("NPM-REGISTRY-COM-HOST", "registry.npmjs.com"),
    ("YARN-REGISTRY-HOST", "registry.yarnpkg.com"),
    ("PYPI-FILES-HOST", "files.pythonhosted.org"),
    ("PYPI-HOST", "pypi.org"),
];

const ISSUERS: [&str; 4] = ["maintainer", "auditor", "scanner", "supplier"];

/// What stands in the cases' policy in place of an issuer's id.
const UNKNOWN_ISSUER: &str = "issuer = \"…\"";

/// A demand that reviews meet, for cases about reviews.
const REVIEW: &str = "
[[require]]
name = \"reviewed\"
scopes = [\"pkg:*\"]
claims = [\"audit\"]
criteria = [\"safe-to-deploy\"]
from = [\"auditor\"]
outcome = \"deny\"
reason = \"Nobody whom you trust has reviewed it.\"
";

/// What a command did.
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

pub struct Shop {
    node: Node,
    folder: tempfile::TempDir,
    policy: String,
}

impl Shop {
    /// A log with four issuers, and the files of a case with real hosts in them.
    pub fn open(case: &Path, policy: &Path) -> anyhow::Result<Self> {
        let mut shop = Shop {
            node: Node::start_with(AT_ONCE)?,
            folder: tempfile::tempdir()?,
            policy: fs::read_to_string(policy)?,
        };
        copy(case, &shop.inputs())?;
        for name in ISSUERS {
            let key = format!("../{name}.pem");
            new_key(&shop.inputs(), &key)?;
            let said = shop.online(&["issuer", "register", "--name", name, "--key", &key])?;
            ensure!(said.code == Some(0), "register {name}: {}", said.stderr);
            let said: Value = serde_json::from_str(&said.stdout)?;
            let id = said["issuer_id"].as_str().context("no issuer id")?;
            shop.policy = shop
                .policy
                .replacen(UNKNOWN_ISSUER, &format!("issuer = \"{id}\""), 1);
        }
        Ok(shop)
    }

    /// The folder in which commands run.
    fn inputs(&self) -> PathBuf {
        self.folder.path().join("inputs")
    }

    pub fn write(&self, name: &str, content: &Value) -> anyhow::Result<()> {
        let text = match content {
            Value::String(text) => text.clone(),
            other => serde_json::to_string_pretty(other)?,
        };
        let path = self.inputs().join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(path, real(&text))?)
    }

    /// Publishes a document as who says such things in these cases.
    pub fn publish(&self, kind: &str, file: &str, subject: Option<&str>) -> anyhow::Result<Ran> {
        let who = match kind {
            "scan" => "scanner",
            "audit" | "lifecycle" => "auditor",
            _ => "maintainer",
        };
        let key = format!("../{who}.pem");
        let mut arguments = vec!["publish", kind, file, "--key", &key];
        if let Some(subject) = subject {
            arguments.extend(["--subject", subject]);
        }
        self.online(&arguments)
    }

    /// Asks under one of the cases' policies. `None` if there is no policy of this name here.
    pub fn ask(&self, arguments: &[&str], policy: &str) -> anyhow::Result<Option<Ran>> {
        let text = match policy.split_once(' ') {
            None if policy == "plain" => self.policy.clone(),
            None if policy == "review" => format!("{}{REVIEW}", self.policy),
            Some(("mirror", address)) => format!("{}{}", self.policy, mirror(address)),
            _ => return Ok(None),
        };
        fs::write(self.folder.path().join("policy.toml"), text)?;
        let arguments = [arguments, &["--policy", "../policy.toml"]].concat();
        self.online(&arguments).map(Some)
    }

    fn online(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        let ready = self.node.ready();
        let log = ["--log", &ready.url, "--log-key", &ready.vkey];
        let format: &[&str] = match arguments {
            ["issuer", ..] => &["--output", "json"],
            _ => &[],
        };
        self.run(&[arguments, &log, format].concat())
    }

    /// Runs a command that asks no log.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Ran> {
        let output = assay(&self.inputs(), arguments)?;
        let stderr = String::from_utf8(output.stderr)?;
        ensure!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
        Ok(Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout)?,
            stderr,
        })
    }
}

/// A policy's word that an address has what npm's registry has.
fn mirror(address: &str) -> String {
    format!("\n[[registry]]\ntype = \"npm\"\nmirrors = [\"{address}\"]\n")
}

/// A text of a case, with the real hosts in it.
pub fn real(text: &str) -> String {
    let hosts = HOSTS.iter();
    hosts.fold(text.to_owned(), |text, (placeholder, host)| {
        text.replace(placeholder, host)
    })
}

/// Copies a folder; what is UTF-8 gets the real hosts.
fn copy(from: &Path, to: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let (path, target) = (
            entry.as_ref().map(|e| e.path()),
            entry.as_ref().map(|e| e.file_name()),
        );
        let (Ok(path), Ok(name)) = (path, target) else {
            continue;
        };
        if path.is_dir() {
            copy(&path, &to.join(name))?;
            continue;
        }
        let bytes = fs::read(&path)?;
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => real(&text).into_bytes(),
            Err(error) => error.into_bytes(),
        };
        fs::write(to.join(name), bytes)?;
    }
    Ok(())
}
