//! Node.js and Chromium, for the tests of the JavaScript SDK and of pages.

use crate::skip;
use anyhow::{Context, ensure};
use std::{env, path::PathBuf, process::Command, sync::OnceLock};

/// The first version that the SDK is for.
const WANTED: u32 = 20;

/// The program, or `None`, saying that the test of `what` is skipped, if there is none of Node.js
/// 20 or later. Panics instead if `CI` is set, which leaves no test out.
pub fn require_node(what: &str) -> Option<PathBuf> {
    static FOUND: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let found = FOUND.get_or_init(|| find().map_err(|error| format!("{error:#}")));
    skip::unless_found(what, found).cloned()
}

fn find() -> anyhow::Result<PathBuf> {
    let program = PathBuf::from("node");
    let output = Command::new(&program).arg("--version").output();
    let missing = || format!("Node.js {WANTED} or later is missing: https://nodejs.org");
    let printed = String::from_utf8(output.with_context(missing)?.stdout)?;
    let major = printed.trim().trim_start_matches('v').split('.').next();
    let major: u32 = major.unwrap_or_default().parse().with_context(missing)?;
    ensure!(
        major >= WANTED,
        "Node.js is {}; {}",
        printed.trim(),
        missing()
    );
    Ok(program)
}

/// What Chromium is called, and what is made of it.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// A browser, or `None`, saying that the test of `what` is skipped. Panics instead if `CI` is set.
pub fn require_browser(what: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&path)
        .flat_map(|folder| BROWSERS.map(|name| folder.join(name)))
        .find(|program| program.is_file());
    if found.is_none() {
        skip::skip(&format!("{what}: Chromium is missing"));
    }
    found
}
