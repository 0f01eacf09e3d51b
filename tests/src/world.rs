//! A log with issuers who have said something, and a consumer with a policy.

use crate::process::{Node, assay, new_key};
use anyhow::{Context, ensure};
use assay_claims::purl::Purl;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

/// Nobody has to wait for checkpoints.
const AT_ONCE: &str = "log.publish_interval_ms = 1";

/// A consumer's folder, and a log.
#[derive(Debug)]
pub struct World {
    /// The log's node.
    pub node: Node,
    /// The consumer's folder.
    pub folder: tempfile::TempDir,
    /// Names of keys, with the ids of their issuers.
    issuers: Vec<(String, String)>,
    /// Statements published so far.
    statements: u32,
}

/// How a check ended.
#[derive(Debug)]
pub struct Checked {
    /// The exit code.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it said on standard error.
    pub stderr: String,
}

impl World {
    /// A log, with a maintainer, an auditor and a stranger.
    pub fn new() -> anyhow::Result<Self> {
        World::with("")
    }

    /// The same, of a node with more settings.
    pub fn with(settings: &str) -> anyhow::Result<Self> {
        let mut world = World {
            node: Node::start_with(&format!("{AT_ONCE}\n{settings}"))?,
            folder: tempfile::tempdir()?,
            issuers: Vec::new(),
            statements: 0,
        };
        for name in ["makers", "auditors", "stranger"] {
            let key = format!("{name}.pem");
            new_key(world.folder.path(), &key)?;
            let registered =
                world.online(&["issuer", "register", "--name", name, "--key", &key])?;
            let id = registered["issuer_id"]
                .as_str()
                .context("no issuer id")?
                .to_owned();
            world.issuers.push((name.to_owned(), id));
        }
        world.policy("policy.toml", "warn", "")?;
        Ok(world)
    }

    /// Where a file of the folder is.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder.
    pub fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        Ok(fs::write(self.path(name), text)?)
    }

    /// The id of an issuer, by its name here; empty if there is none.
    pub fn issuer(&self, name: &str) -> &str {
        self.issuers
            .iter()
            .find(|(known, _)| known == name)
            .map_or("", |(_, id)| id)
    }

    /// Writes a policy that trusts the makers and the auditors: the starting one, with another
    /// `unknown` and with `head` at its beginning.
    pub fn policy(&self, name: &str, unknown: &str, head: &str) -> anyhow::Result<()> {
        let anchor = |name: &str, roles: &str| {
            let id = self.issuer(name);
            format!(
                "\n[[anchor]]\nname = \"our {name}\"\nissuer = \"{id}\"\nroles = \
                 [{roles}]\nscopes = [\"pkg:*\"]\nmay_delegate = 0\n"
            )
        };
        let starting = assay_policy::rules::STARTING;
        ensure!(
            starting.contains("\nunknown = \"warn\"\n"),
            "the starting policy was changed"
        );
        let text = starting.replace(
            "\nunknown = \"warn\"\n",
            &format!("\nunknown = \"{unknown}\"\n"),
        );
        let (makers, auditors) = (
            anchor("makers", "\"maintainer\""),
            anchor("auditors", "\"auditor\""),
        );
        self.write(name, &format!("{text}{makers}{auditors}{head}"))
    }

    /// Runs the program with the log's address and key, where it must succeed. Returns what it
    /// printed.
    pub fn online(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        let ready = self.node.ready();
        let log = [
            "--log",
            &ready.url,
            "--log-key",
            &ready.vkey,
            "--output",
            "json",
        ];
        let output = assay(self.folder.path(), &[arguments, &log].concat())?;
        ensure!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(serde_json::from_slice(&output.stdout).unwrap_or_default())
    }

    /// Publishes what an issuer says of a package. Returns the claim's id.
    pub fn say(
        &mut self,
        who: &str,
        purl: &str,
        predicate_type: &str,
        predicate: &Value,
    ) -> anyhow::Result<String> {
        let purl = Purl::canonicalize(purl)?;
        let statement = json!({
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"uri": purl.as_str(), "digest": {"purl": purl.digest().to_hex()}}],
            "predicateType": predicate_type,
            "predicate": predicate,
        });
        self.statements += 1;
        let name = format!("statement-{}.json", self.statements);
        self.write(&name, &statement.to_string())?;
        let published = self.online(&[
            "publish",
            "statement",
            &name,
            "--key",
            &format!("{who}.pem"),
        ])?;
        Ok(published[0]["claim_id"]
            .as_str()
            .context("no claim id")?
            .to_owned())
    }

    /// Somebody says that support has ended.
    pub fn ended(&mut self, who: &str, purl: &str) -> anyhow::Result<String> {
        let dates = json!({
            "end_of_security_support": "2020-01-01",
            "end_of_life": "2021-01-01",
            "last_updated": "2019-01-01T00:00:00Z",
        });
        self.say(who, purl, "urn:assay:lifecycle:v1", &dates)
    }

    /// Somebody says that a vulnerability can be exploited.
    pub fn affected(&mut self, who: &str, purl: &str) -> anyhow::Result<String> {
        let vex = json!({
            "@context": "https://openvex.dev/ns/v0.2.0",
            "@id": "https://example.org/vex",
            "author": who,
            "version": 1,
            "timestamp": "2026-01-01T00:00:00Z",
            "statements": [{
                "vulnerability": {"name": "CVE-2026-0001"},
                "status": "affected",
                "action_statement": "Update.",
            }],
        });
        self.say(who, purl, "https://openvex.dev/ns/v0.2.0", &vex)
    }

    /// Somebody reviewed it.
    pub fn reviewed(&mut self, who: &str, purl: &str, verdict: &str) -> anyhow::Result<String> {
        let audit = json!({"criteria": ["safe-to-deploy"], "verdict": verdict, "scope": "version"});
        self.say(who, purl, "urn:assay:audit:v1", &audit)
    }

    /// Somebody says how it was built, which the starting policy demands, and reviewed it, for how
    /// it was built says nothing of whether it can be used.
    pub fn built(&mut self, who: &str, purl: &str) -> anyhow::Result<String> {
        self.reviewed(who, purl, "pass")?;
        let provenance = json!({
            "buildDefinition": {
                "buildType": "https://example.org/build",
                "externalParameters": {"tag": "v1"},
            },
            "runDetails": {"builder": {"id": "https://example.org/builder"}},
        });
        self.say(who, purl, "https://slsa.dev/provenance/v1", &provenance)
    }

    /// Somebody takes a claim back.
    pub fn withdraw(&self, who: &str, claim: &str) -> anyhow::Result<()> {
        self.online(&[
            "withdraw",
            claim,
            "--reason",
            "it was wrong",
            "--key",
            &format!("{who}.pem"),
        ])
        .map(drop)
    }

    /// Runs `assay check` with the log and `policy.toml`, which later arguments override.
    pub fn check(&self, arguments: &[&str]) -> anyhow::Result<Checked> {
        let command = [&["check"], arguments].concat();
        self.ask_at(&self.node.ready().url, &command)
    }

    /// Runs a command that asks the log, at some address, with `policy.toml`, which arguments
    /// override.
    pub fn ask_at(&self, url: &str, arguments: &[&str]) -> anyhow::Result<Checked> {
        let key = &self.node.ready().vkey;
        let (command, arguments) = arguments.split_first().context("no command")?;
        let mut all = vec![*command, "--log", url, "--log-key", key];
        if !arguments.contains(&"--policy") {
            all.extend(["--policy", "policy.toml"]);
        }
        all.extend(arguments);
        run(self.folder.path(), &all)
    }

    /// Runs `assay check` with nothing but what is given: under a policy that names other logs.
    pub fn check_elsewhere(&self, arguments: &[&str]) -> anyhow::Result<Checked> {
        run(self.folder.path(), &[&["check"], arguments].concat())
    }

    /// The same as [`World::check`], as JSON.
    pub fn report(&self, arguments: &[&str]) -> anyhow::Result<(Option<i32>, Value)> {
        let checked = self.check(&[arguments, &["--output", "json"]].concat())?;
        let value = serde_json::from_str(&checked.stdout)
            .with_context(|| format!("{arguments:?}: {}", checked.stderr))?;
        Ok((checked.code, value))
    }
}

/// Runs the program.
pub fn run(folder: &Path, arguments: &[&str]) -> anyhow::Result<Checked> {
    let Output {
        status,
        stdout,
        stderr,
    } = assay(folder, arguments)?;
    let stderr = String::from_utf8(stderr)?;
    ensure!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    Ok(Checked {
        code: status.code(),
        stdout: String::from_utf8(stdout)?,
        stderr,
    })
}

/// What a policy says that ignores, until a day, the vulnerability that [`World::affected`] tells
/// of, in `bad`.
pub fn ignoring_until(day: &str) -> String {
    format!(
        "\n[[ignore]]\nvulnerability = \"CVE-2026-0001\"\nscopes = [\"pkg:cargo/bad\"]\n\
         reason = \"We do not call it.\"\nuntil = \"{day}\"\n"
    )
}

/// A `Cargo.lock` of some crates of crates.io, all of version 1.0.0, and of the project itself.
pub fn cargo_lock(crates: &[&str]) -> String {
    let mut text = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n".to_owned();
    for name in crates {
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        text.push_str(&format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \"{source}\"\n"
        ));
    }
    text
}

/// The outcome of every component, by purl, without the reasons.
pub fn outcomes(report: &Value) -> Vec<(String, String)> {
    let components = report["components"].as_array().cloned().unwrap_or_default();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    components
        .iter()
        .map(|component| (text(&component["purl"]), text(&component["outcome"])))
        .collect()
}
