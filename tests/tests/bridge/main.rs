//! `assay bridge`, as its operator runs it: again and again, over a source that changes, is
//! damaged, shrinks, and is hostile; and stopped in the middle.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod broken;
mod operator;
mod registries;

use anyhow::{Context, ensure};
use assay_tests::{
    data,
    process::{assay_command, new_key},
};
use operator::{Operator, said};
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::Path,
};

#[test]
fn a_source_is_followed_and_nothing_is_published_twice() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    for (file, id) in [
        ("a.json", "X-1"),
        ("b/b.json", "X-2"),
        ("c.json", "X-3"),
        ("d.json", "X-4"),
    ] {
        operator.record(file, id, "left", "1.0.0")?;
    }
    fs::write(operator.source("README.md"), "Not a record.")?;
    let (code, counts, said) = operator.bridge(&["--dry-run"])?;
    ensure!((code, counts) == (Some(0), [4, 0, 0, 0]), "{said}");
    let before = operator.size()?;
    let (code, counts, said) = operator.bridge(&[])?;
    ensure!((code, counts) == (Some(0), [4, 0, 0, 0]), "{said}");
    ensure!(
        operator.size()? == before + 4,
        "a dry run publishes nothing"
    );

    // Again, and when nothing that it says has changed.
    ensure!(operator.bridge(&[])?.1 == [0; 4]);
    let text = fs::read_to_string(operator.source("a.json"))?;
    fs::write(
        operator.source("a.json"),
        text.replace("2026-01-01", "2026-01-02"),
    )?;
    ensure!(operator.bridge(&[])?.1 == [0; 4]);
    ensure!(operator.size()? == before + 4);

    // One record changes, one is withdrawn, one vanishes, one moves.
    operator.record("a.json", "X-1", "left", "1.0.1")?;
    let text = fs::read_to_string(operator.source("b/b.json"))?;
    let withdrawn = text.replacen('{', r#"{"withdrawn":"2026-02-01T00:00:00Z","#, 1);
    fs::write(operator.source("b/b.json"), withdrawn)?;
    fs::rename(operator.source("d.json"), operator.source("e.json"))?;
    operator.record("f.json", "X-5", "left", "2.0.0")?;
    fs::remove_file(operator.source("c.json"))?;
    let (code, counts, said) = operator.bridge(&[])?;
    ensure!((code, counts) == (Some(0), [1, 1, 2, 0]), "{said}");
    // Two new claims, and three withdrawals.
    ensure!(operator.size()? == before + 4 + 5);
    ensure!(operator.bridge(&[])?.1 == [0; 4]);

    // What comes back says what it said, in a claim that stands.
    operator.record("c.json", "X-3", "left", "1.0.0")?;
    operator.record("a.json", "X-1", "left", "1.0.0")?;
    let (code, counts, said) = operator.bridge(&[])?;
    ensure!((code, counts) == (Some(0), [1, 1, 0, 0]), "{said}");
    ensure!(operator.size()? == before + 4 + 5 + 3);

    let standing = operator.standing("left")?.join("\n");
    for words in ["not the author's own words", "X-1", "X-3", "X-4", "X-5"] {
        ensure!(standing.contains(words), "{words}: {standing}");
    }
    Ok(())
}

#[test]
fn a_run_that_was_stopped_is_finished_by_the_next() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    operator.records(40, "1.0.0")?;
    let before = operator.size()?;
    let (code, counts, said) = operator.bridge(&[])?;
    ensure!((code, counts) == (Some(0), [40, 0, 0, 0]), "{said}");
    let path = operator.state()?;
    let whole = fs::read_to_string(&path)?;

    // Stopped after everything was sent and before any answer was written down; the line that was
    // being written is torn.
    let unsettled = whole.replace("\"settled\":true", "\"settled\":false");
    ensure!(unsettled != whole);
    fs::write(&path, format!("{unsettled}{{\"record\":\"X-"))?;
    let (code, counts, said) = operator.bridge(&[])?;
    ensure!((code, counts) == (Some(0), [40, 0, 0, 0]), "{said}");
    ensure!(said.contains("\"already_logged\": 40"), "{said}");
    ensure!(
        operator.size()? == before + 40,
        "something was published twice"
    );

    // Stopped after what replaces a record was logged, and before the old claim was withdrawn.
    operator.record("7.json", "X-7", "left", "1.0.1")?;
    ensure!(operator.bridge(&[])?.1 == [0, 1, 0, 0]);
    ensure!(operator.size()? == before + 42);
    let old = whole.lines().find(|line| line.contains("\"X-7\"")).unwrap();
    let claims = old.split("\"claims\":").nth(1).unwrap();
    let claims = &claims[..=claims.find(']').unwrap()];
    let text = fs::read_to_string(&path)?;
    let new = text.lines().find(|line| line.contains("\"X-7\"")).unwrap();
    let stale = new.replace("\"stale\":[]", &format!("\"stale\":{claims}"));
    ensure!(stale != new, "{new}");
    fs::write(&path, text.replace(new, &stale))?;
    let (code, _, said) = operator.bridge(&[])?;
    ensure!(
        code == Some(0) && said.contains("\"already_logged\": 1"),
        "{said}"
    );
    ensure!(operator.size()? == before + 42);

    // Without the state file everything is in the log already, and stays so.
    fs::remove_file(&path)?;
    let (code, _, said) = operator.bridge(&[])?;
    ensure!(code == Some(0), "{said}");
    ensure!(said.contains("were in the log already"), "{said}");
    Ok(())
}

#[test]
fn a_state_file_that_is_not_this_sources_is_refused() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    operator.record("1.json", "X-1", "left", "1.0.0")?;
    ensure!(operator.bridge(&[])?.0 == Some(0));
    let path = operator.state()?;
    let state = path.to_str().unwrap();
    let words = [
        "bridge", "rustsec", "source", "--key", "key.pem", "--state", state,
    ];
    let refused = operator.try_run(&words)?;
    ensure!(refused.status.code() == Some(2));
    // Nor is what is no text, and the next run does not mend it.
    fs::write(&path, [0xff, b'\n'])?;
    let (code, _, said) = operator.bridge(&[])?;
    ensure!(code == Some(2) && said.contains("UTF-8"), "{code:?} {said}");
    Ok(())
}

#[test]
fn what_cannot_be_read_harms_nothing_else() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    operator.records(6, "1.0.0")?;
    ensure!(operator.bridge(&[])?.1 == [6, 0, 0, 0]);
    let size = operator.size()?;

    // Records that cannot be read stay as they are; so do those of which there are two.
    fs::write(operator.source("0.json"), "[".repeat(100_000))?;
    fs::write(
        operator.source("1.json"),
        b"{\"id\":\"X-1\",\"modified\":\"\xff\"}",
    )?;
    fs::remove_file(operator.source("2.json"))?;
    symlink("/etc/passwd", operator.source("2.json"))?;
    operator.record("3-again.json", "X-3", "left", "6.6.6")?;
    operator.record("4-again.json", "X-4", "left", "1.0.0")?;
    operator.record("new.json", "X-9", "left", "1.0.0")?;
    let large = fs::File::create(operator.source("large.json"))?;
    large.set_len(64 * 1024 * 1024)?;
    symlink(operator.folder.path(), operator.source("out"))?;
    symlink("new.json", operator.source("within.json"))?;
    let name = std::ffi::OsStr::from_bytes(b"\xffname.json");
    fs::write(operator.source("").join(name), "{}")?;
    let (code, counts, said) = operator.bridge(&[])?;
    ensure!(code == Some(1) && counts == [1, 0, 0, 7], "{code:?} {said}");
    for (place, reason) in [
        ("0.json", "deep"),
        ("1.json", "UTF-8"),
        ("2.json", "out of the folder"),
        ("X-3", "different things"),
        ("large.json", "more than"),
        ("out", "out of the folder"),
        ("name.json", "UTF-8"),
    ] {
        let mut lines = said.lines();
        let is_said = lines.any(|line| line.contains(place) && line.contains(reason));
        ensure!(is_said, "{place}: {said}");
    }
    ensure!(operator.size()? == size + 1);
    Ok(())
}

#[test]
fn a_source_that_shrank_is_asked_about() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    operator.records(6, "1.0.0")?;
    ensure!(operator.bridge(&[])?.1 == [6, 0, 0, 0]);
    let size = operator.size()?;
    fs::remove_dir_all(operator.source(""))?;
    fs::create_dir(operator.source(""))?;
    operator.record("5.json", "X-5", "left", "1.0.1")?;
    let (code, _, said) = operator.bridge(&[])?;
    ensure!(code == Some(1) && said.contains("--allow-shrink"), "{said}");
    ensure!(
        operator.size()? == size,
        "nothing is done before somebody says so"
    );
    let (code, counts, said) = operator.bridge(&["--allow-shrink"])?;
    ensure!((code, counts) == (Some(0), [0, 1, 5, 0]), "{said}");
    let (code, _, said) = operator.bridge(&[])?;
    ensure!(code == Some(0), "{said}");

    // A folder that is not there is not an empty source.
    fs::remove_dir_all(operator.source(""))?;
    let (code, _, said) = operator.bridge(&["--allow-shrink"])?;
    ensure!(code == Some(2) && said.contains("cannot read"), "{said}");
    let mut unset = assay_command(operator.folder.path(), &["bridge", "debian", "."]);
    ensure!(
        unset.output()?.status.code() == Some(2),
        "what is not built is not offered"
    );
    Ok(())
}

/// How many components a check knows nothing of.
fn unknown(operator: &Operator, lock: &Path) -> anyhow::Result<Option<(usize, usize)>> {
    let file = lock.to_str().context("no UTF-8")?;
    let output = operator.try_run(&["check", file, "--policy", "policy.toml"])?;
    let Ok(report) = serde_json::from_slice::<Value>(&output.stdout) else {
        return Ok(None);
    };
    let components = report["components"].as_array().context("no components")?;
    let unknown = components.iter().filter(|component| {
        let reasons = component["reasons"].as_array();
        reasons.is_some_and(|all| all.iter().any(|reason| reason["rule"] == "unknown"))
    });
    Ok(Some((unknown.count(), components.len())))
}

/// After public data is bridged, a check of lock files knows more than before.
#[test]
fn what_is_bridged_is_known() -> anyhow::Result<()> {
    let folders = ["osv", "cargo-vet", "lockfiles"].map(data::require);
    let [Some(osv), Some(audits), Some(locks)] = folders else {
        return Ok(());
    };
    let operator = Operator::new()?;
    let policy = format!(
        "{}\n[[anchor]]\nname = \"our bridge\"\nissuer = \"{}\"\nroles = [\"coordinator\", \
         \"auditor\"]\nscopes = [\"pkg:*\"]\nmay_delegate = 0\n",
        assay_policy::rules::STARTING,
        operator.issuer
    );
    fs::write(operator.folder.path().join("policy.toml"), policy)?;
    let locks = data::files(&locks);
    let count = || -> anyhow::Result<Vec<_>> {
        locks.iter().map(|lock| unknown(&operator, lock)).collect()
    };
    let before = count()?;
    for (source, folder) in [("osv", osv), ("cargo-vet", audits.join("cargo-vet"))] {
        let folder = folder.to_str().context("no UTF-8")?;
        let output = operator.try_run(&["bridge", source, folder, "--key", "key.pem"])?;
        ensure!(
            output.status.code() == Some(0),
            "{source}: {}",
            said(&output)
        );
    }
    let after = count()?;
    let mut table = String::new();
    let (mut less, mut all_less) = (0, true);
    for ((lock, before), after) in locks.iter().zip(before).zip(after) {
        let name = lock.file_name().and_then(|name| name.to_str());
        if let Some(((unknown, all), (now, _))) = before.zip(after) {
            _ = writeln!(table, "{}: {unknown} → {now} of {all}", name.unwrap_or(""));
            less += usize::from(now < unknown);
            all_less &= now <= unknown;
        }
    }
    println!("{table}");
    ensure!(less > 0 && all_less, "{table}");
    Ok(())
}

/// What the node refused is nowhere: when its issuer is registered, nothing of it is withdrawn.
#[test]
fn what_the_node_refused_is_forgotten() -> anyhow::Result<()> {
    let mut operator = Operator::new()?;
    new_key(operator.folder.path(), "late.pem")?;
    operator.records(12, "1.0.0")?;
    let bridge = |operator: &Operator| {
        let words = ["bridge", "osv", "source", "--key", "late.pem"];
        operator.try_run(&words)
    };
    let refused = bridge(&operator)?;
    ensure!(refused.status.code() == Some(2), "{}", said(&refused));
    operator.ok(&["issuer", "register", "--name", "Late", "--key", "late.pem"])?;
    let before = operator.size()?;
    // Meanwhile the source says something else.
    operator.records(12, "2.0.0")?;
    let taken = bridge(&operator)?;
    ensure!(taken.status.success(), "{}", said(&taken));
    let view: Value = serde_json::from_slice(&taken.stdout)?;
    ensure!(view["published"] == 12 && view["replaced"] == 0, "{view}");
    ensure!(operator.size()? == before + 12, "{view}");
    operator.node.stop()?;
    Ok(())
}
