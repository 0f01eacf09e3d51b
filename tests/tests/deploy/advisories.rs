//! Whether an advisory speaks against what Assay is made of: `scripts/advisories`, with a database
//! of one.

use super::{deploy, done};
use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// A copy of a database with one advisory, on this package up to a version, committed at a time.
/// Returns where it is.
pub fn copy(folder: &Path, package: &str, patched: &str, time: &str) -> anyhow::Result<String> {
    let copy = folder.join("advisory-db");
    let its = copy.join("crates").join(package);
    fs::create_dir_all(&its)?;
    let text = format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-2026-9999\"\npackage = \"{package}\"\n\
         date = \"2026-01-01\"\n\n[versions]\npatched = [\"{patched}\"]\n```\n\n\
         # Made up\n\nFor a test.\n"
    );
    fs::write(its.join("RUSTSEC-2026-9999.md"), text)?;
    // Whatever the branch is called.
    git(
        &copy,
        &["init", "--quiet", "--initial-branch", "kept"],
        time,
    )?;
    git(&copy, &["add", "--all"], time)?;
    git(&copy, &["commit", "--quiet", "--message", "made up"], time)?;
    Ok(copy.display().to_string())
}

fn git(folder: &Path, words: &[&str], time: &str) -> anyhow::Result<()> {
    let who = ["-c", "user.name=Me", "-c", "user.email=me@example.org"];
    let mut command = Command::new("git");
    command.current_dir(folder).args(who).args(words);
    if time != "now" {
        command.env("GIT_COMMITTER_DATE", time);
    }
    done(&mut command).map(drop)
}

fn look(copy: &str) -> anyhow::Result<Output> {
    let script = deploy().join("../scripts/advisories");
    Ok(Command::new(script).arg(copy).output()?)
}

/// What the program ended with, and all that it said.
fn said(output: &Output) -> (Option<i32>, String) {
    let text = [&output.stdout[..], &output.stderr[..]].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    (output.status.code(), text)
}

#[test]
fn an_advisory_on_what_is_linked_is_found() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let copy = copy(folder.path(), "serde", ">= 99.0.0", "now")?;
    let (code, text) = said(&look(&copy)?);
    assert_eq!(code, Some(1), "{text}");
    for words in [
        "1 advisories of RustSec",
        "some of them speak",
        "RUSTSEC-2026-9999",
    ] {
        assert!(text.contains(words), "{text}");
    }
    Ok(())
}

#[test]
fn an_advisory_on_versions_that_are_not_linked_is_none() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let copy = copy(folder.path(), "serde", ">= 0.1.0", "now")?;
    let (code, text) = said(&look(&copy)?);
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("none of them speaks"), "{text}");
    Ok(())
}

#[test]
fn a_copy_that_is_old_or_has_no_date_or_nothing_in_it_is_no_answer() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let old = copy(folder.path(), "serde", ">= 0.1.0", "2026-01-01T00:00:00Z")?;
    let bare = folder.path().join("bare");
    fs::create_dir_all(bare.join("crates/serde"))?;
    let empty = folder.path().join("empty");
    fs::create_dir(&empty)?;
    git(&empty, &["init", "--quiet"], "now")?;
    let nothing = ["commit", "--quiet", "--allow-empty", "--message", "nothing"];
    git(&empty, &nothing, "now")?;
    let shown = |path: &Path| path.display().to_string();
    let missing = shown(&folder.path().join("missing"));
    for (copy, words) in [
        (old, "2026-01-01, over 30 days ago"),
        (shown(&bare), "nothing says how old it is"),
        (shown(&empty), "no advisories"),
        (missing, "git clone https://"),
    ] {
        let (code, text) = said(&look(&copy)?);
        assert_eq!(code, Some(2), "{text}");
        assert!(text.contains(words), "{text}");
    }
    Ok(())
}
