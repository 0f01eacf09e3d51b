//! Both SDKs at a live node over HTTP, and behind a proxy that lies about what it says. Programs
//! of `tests/interop/sdk` look things up and verify them; here is only what they ask.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

use anyhow::{Context, ensure};
use assay_tests::{
    aics::{require_python, run},
    data,
    js::{require_browser, require_node},
    npm::require_npm,
    process::{Node, assay, new_key},
};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What is claimed, with a byte that canonical purls encode in its name.
const PURL: &str = "pkg:npm/%40scope/name@1.0.0";

/// A date of the claim, and what the proxy makes of it.
const DATES: [&str; 2] = ["2027-06-30", "2099-06-30"];

const LIFECYCLE: &str = r#"{
  "$schema": "https://docs.oasis-open.org/openeox/eox-core/v1.0/schema/core.json",
  "general_availability": "tba",
  "end_of_security_support": "2027-06-30T00:00:00Z",
  "end_of_life": "tba",
  "last_updated": "2026-11-28T00:00:00Z"
}"#;

/// A log with one claim.
struct Live {
    node: Node,
    folder: tempfile::TempDir,
    issuer: String,
    claim: String,
}

impl Live {
    fn start() -> anyhow::Result<Self> {
        let mut live = Live {
            node: Node::start()?,
            folder: tempfile::tempdir()?,
            issuer: String::new(),
            claim: String::new(),
        };
        let folder = live.folder.path();
        fs::write(folder.join("lifecycle.json"), LIFECYCLE)?;
        new_key(folder, "key.pem")?;
        let register = ["issuer", "register", "--name", "Makers", "--key", "key.pem"];
        let registered = live.online(&register)?;
        let publish = ["publish", "lifecycle", "lifecycle.json", "--subject", PURL];
        let published = live.online(&[&publish[..], &["--key", "key.pem"]].concat())?;
        live.issuer = text(&registered, "issuer_id")?;
        live.claim = text(&published[0], "claim_id")?;
        Ok(live)
    }

    /// What `assay` says in JSON, with the log's address and key.
    fn online(&self, arguments: &[&str]) -> anyhow::Result<Value> {
        self.online_with(&self.node.ready().vkey, arguments)
    }

    /// The same of a log that signs with this key.
    fn online_with(&self, key: &str, arguments: &[&str]) -> anyhow::Result<Value> {
        let log = ["--log", &self.node.ready().url, "--log-key", key];
        let all = [arguments, &log, &["--output", "json"]].concat();
        let output = assay(self.folder.path(), &all)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}: {said}");
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// Tells a program of `tests/interop/sdk` what there is to ask.
    fn tell<'c>(&self, command: &'c mut Command) -> &'c mut Command {
        let ready = self.node.ready();
        let own = [&ready.url, &ready.vkey, &self.issuer, &self.claim];
        command.args(own).arg(PURL)
    }
}

fn text(json: &Value, key: &str) -> anyhow::Result<String> {
    let found = json[key].as_str();
    Ok(found
        .with_context(|| format!("no {key} in {json}"))?
        .to_owned())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A program of `tests/interop/sdk`.
fn program(name: &str) -> PathBuf {
    root().join("tests/interop/sdk").join(name)
}

#[test]
fn in_javascript_the_truth_is_verified_and_the_lie_refused() {
    let Some(node) = require_node("the JavaScript SDK at a live node") else {
        return;
    };
    let live = Live::start().unwrap();
    let mut command = Command::new(node);
    live.tell(command.arg(program("live.mjs"))).args(DATES);
    run(&mut command).unwrap();
}

#[test]
fn in_python_the_truth_is_verified_and_the_lie_refused() {
    let Some(programs) = require_python("the Python SDK at a live node") else {
        return;
    };
    let live = Live::start().unwrap();
    let mut python = Command::new(programs.join("python"));
    python
        .args(["-W", "error"])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("PYTHONPATH", root().join("sdk/python/src"));
    live.tell(python.arg(program("live.py"))).args(DATES);
    run(&mut python).unwrap();
}

/// Runs a program that drives a browser, told of a live log and given `more`.
fn browse(what: &str, name: &str, more: impl FnOnce(&mut Command)) {
    let (Some(node), Some(packages)) = (require_node(what), require_npm(what)) else {
        return;
    };
    let Some(browser) = require_browser(what) else {
        return;
    };
    let live = Live::start().unwrap();
    let mut command = Command::new(node);
    command.arg(program(name)).arg(browser);
    more(live.tell(&mut command).current_dir(packages));
    run(&mut command).unwrap();
}

#[test]
fn verify_html_does_it_in_a_browser_by_keyboard_and_for_everybody() {
    browse("verify.html in a browser", "browser.mjs", |command| {
        if let Some(folder) = data::require("ed25519") {
            command.arg(folder.join("ed25519vectors.json"));
        }
    });
}

#[test]
fn a_page_checks_itself_in_a_browser_and_behind_a_proxy_that_lies_says_so() {
    let what = "a page that checks itself in a browser";
    browse(what, "page.mjs", |command| _ = command.args(DATES));
}

/// What a page says of itself to a browser that keeps what it knows in this folder.
fn returns(live: &Live, profile: &Path) -> Option<Value> {
    let what = "a page in a browser that was there before";
    let (node, packages) = (require_node(what)?, require_npm(what)?);
    let mut command = Command::new(node);
    command
        .arg(program("returns.mjs"))
        .arg(require_browser("a page in a browser")?);
    command.args([&live.node.ready().url, PURL]).arg(profile);
    let said = run(command.current_dir(packages)).unwrap();
    Some(serde_json::from_str(&said).unwrap())
}

#[test]
fn a_reader_follows_a_log_from_key_to_key_and_no_further() {
    let live = Live::start().unwrap();
    let (all, none) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let visit = |profile: &tempfile::TempDir| returns(&live, profile.path());
    let (Some(first), Some(_)) = (visit(&all), visit(&none)) else {
        return;
    };
    assert_eq!(first["outcome"], "checked", "{first}");

    let rotate = |more: &[&str]| {
        let words = [&["key", "rotate", "log"], more].concat();
        let output = live.node.assay_node(&words, &[]).unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    // A new checkpoint, with the signatures of now, for which pages are made anew.
    let publish = |key: &str, purl| {
        let publish = ["publish", "lifecycle", "lifecycle.json", "--key", "key.pem"];
        let about = ["--subject", purl];
        live.online_with(key, &[&publish[..], &about].concat())
            .unwrap();
    };
    let next = rotate(&[]);
    publish(&live.node.ready().vkey, "pkg:npm/other@1.0.0");
    let between = visit(&all).unwrap();
    assert_eq!(between["outcome"], "checked", "{between}");

    rotate(&["--finish"]);
    publish(next.trim(), "pkg:npm/other@2.0.0");
    let after = visit(&all).unwrap();
    assert_eq!(after["outcome"], "checked", "{after}");
    assert_ne!(after["key"], between["key"]);
    // Nobody vouched for the new key to whoever was not there in between.
    let away = visit(&none).unwrap();
    assert_eq!(away["outcome"], "refused", "{away}");
    let words = away["words"].as_str().unwrap();
    assert!(words.contains("another key of the record"), "{words}");
}
