//! Logs, an issuer that speaks in them, and a consumer's folder.

use anyhow::{Context, ensure};
use assay_claims::purl::Purl;
use assay_tests::process::{Node, Ready, assay, assay_command, binaries, new_key};
use serde_json::{Value, json};
use std::{fs, process::Command};

pub struct World {
    pub nodes: Vec<Node>,
    folder: tempfile::TempDir,
    pub issuer: String,
}

/// How a command ended.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Ended {
    pub fn json(&self) -> anyhow::Result<Value> {
        serde_json::from_str(&self.stdout).with_context(|| self.stderr.clone())
    }
}

impl World {
    /// A consumer of these logs, in each of which one issuer is registered.
    pub fn new(nodes: Vec<Node>) -> anyhow::Result<Self> {
        let mut world = World {
            nodes,
            folder: tempfile::tempdir()?,
            issuer: String::new(),
        };
        new_key(world.folder.path(), "makers.pem")?;
        for place in 0..world.nodes.len() {
            let register = [
                "issuer",
                "register",
                "--name",
                "makers",
                "--key",
                "makers.pem",
            ];
            let registered = world.at(place, &register)?;
            let id = registered["issuer_id"].as_str().context("no issuer id")?;
            world.issuer = id.to_owned();
        }
        Ok(world)
    }

    pub fn ready(&self, place: usize) -> &Ready {
        self.nodes[place].ready()
    }

    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        Ok(fs::write(self.folder.path().join(name), text)?)
    }

    /// Writes a policy that trusts the issuer and names all logs, with `head` at its beginning and
    /// `tail` at its end.
    pub fn policy(&self, name: &str, head: &str, tail: &str) -> anyhow::Result<()> {
        let mut text = format!("version = 1\nunknown = \"allow\"\n{head}\n");
        for place in 0..self.nodes.len() {
            text += &self.log(place, &[]);
        }
        self.trusting(name, &text, tail)
    }

    /// The table of a log in a policy, with the nodes that mirror it.
    pub fn log(&self, place: usize, mirrors: &[&str]) -> String {
        let Ready { vkey, url, .. } = self.ready(place);
        format!("[[log]]\nkey = {vkey:?}\nurl = {url:?}\nmirrors = {mirrors:?}\n")
    }

    /// Writes a policy that trusts the issuer.
    pub fn trusting(&self, name: &str, logs: &str, tail: &str) -> anyhow::Result<()> {
        let mut text = logs.to_owned();
        let issuer = &self.issuer;
        text += &format!(
            "[[anchor]]\nname = \"our makers\"\nissuer = {issuer:?}\nroles = [\"maintainer\"]\n\
             scopes = [\"pkg:*\"]\n[[deny]]\nname = \"exploitable\"\nscopes = [\"pkg:*\"]\n\
             if = \"affected\"\nfrom = [\"maintainer\"]\noutcome = \"deny\"\nreason = \"Update.\"\n"
        );
        self.write(name, &(text + tail))
    }

    /// The program, not run yet.
    pub fn command(&self, arguments: &[&str]) -> Command {
        assay_command(self.folder.path(), arguments)
    }

    /// Runs the program.
    pub fn run(&self, arguments: &[&str]) -> anyhow::Result<Ended> {
        let output = assay(self.folder.path(), arguments)?;
        Ok(Ended {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout)?,
            stderr: String::from_utf8(output.stderr)?,
        })
    }

    /// Runs the program with one log's address and key, where it must succeed.
    pub fn at(&self, place: usize, arguments: &[&str]) -> anyhow::Result<Value> {
        let Ready { vkey, url, .. } = self.ready(place);
        let log = ["--log", url, "--log-key", vkey, "--output", "json"];
        let ended = self.run(&[arguments, &log].concat())?;
        ensure!(ended.code == Some(0), "{arguments:?}: {}", ended.stderr);
        ended.json()
    }

    /// The issuer says in a log that a vulnerability can be exploited. Returns the claim's id.
    pub fn affected(&self, place: usize, purl: &str) -> anyhow::Result<String> {
        self.says_affected(purl)?;
        let publish = [
            "publish",
            "statement",
            "statement.json",
            "--key",
            "makers.pem",
        ];
        let published = self.at(place, &publish)?;
        let id = published[0]["claim_id"].as_str();
        Ok(id.context("no claim id")?.to_owned())
    }

    /// Writes that a vulnerability can be exploited into statement.json.
    pub fn says_affected(&self, purl: &str) -> anyhow::Result<()> {
        let purl = Purl::canonicalize(purl)?;
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"uri": purl.as_str(), "digest": {"purl": purl.digest().to_hex()}}],
            "predicateType": "https://openvex.dev/ns/v0.2.0",
            "predicate": {
                "@context": "https://openvex.dev/ns/v0.2.0",
                "@id": "https://example.org/vex",
                "author": "makers",
                "version": 1,
                "timestamp": "2026-01-01T00:00:00Z",
                "statements": [{
                    "vulnerability": {"name": "CVE-2026-0001"},
                    "status": "affected",
                    "action_statement": "Update.",
                }],
            },
        });
        self.write("statement.json", &statement.to_string())
    }
}

/// Makes a log a peer of a node that runs, for which the node does this.
pub fn introduce(peer: &Node, node: &Node, role: &str) -> anyhow::Result<()> {
    let (url, vkey) = (&peer.ready().url, peer.vkey()?);
    let card =
        format!("[[peer]]\nname = \"peer\"\nurl = {url:?}\nlog = [{vkey:?}]\nroles = [{role:?}]\n");
    let path = node.folder().join("peer.card");
    fs::write(&path, card)?;
    let added = Command::new(binaries().join("assay-node"))
        .args(["peer", "add", "--config"])
        .arg(node.folder().join("node.toml"))
        .arg(&path)
        .output()?;
    let said = String::from_utf8_lossy(&added.stderr);
    ensure!(added.status.success(), "{said}");
    Ok(())
}

/// A `Cargo.lock` of some crates of crates.io, all of version 1.0.0.
pub fn cargo_lock(crates: &[&str]) -> String {
    let mut text = "version = 4\n".to_owned();
    for name in crates {
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        text +=
            &format!("\n[[package]]\nname = {name:?}\nversion = \"1.0.0\"\nsource = {source:?}\n");
    }
    text
}
