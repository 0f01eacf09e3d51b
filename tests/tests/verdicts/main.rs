//! What three implementations make of every shared vector: Rust, and the SDKs for JavaScript and
//! Python. Each prints a line a vector; the lines are the same.
//!
//! Rust says what it makes of complete answers, lies, receipts and Ed25519. What it makes of the
//! other tables of the index, `tests/vectors/index` asserts.

#![allow(clippy::unwrap_used, reason = "what the test sets up itself must work")]

mod answers;
mod receipts;

use assay_tests::{
    aics::{require_python, run},
    data, js,
};
use ed25519_dalek::{Signature, VerifyingKey};
use serde::{Deserialize, de::DeserializeOwned};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::Command,
};

/// What an implementation makes of a vector.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Line {
    set: String,
    table: String,
    name: String,
    #[serde(flatten)]
    verdict: Verdict,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Verdict {
    /// `ok`, `unproven` or `refused`.
    verdict: String,
    /// Which check failed.
    kind: Option<String>,
    /// Who is to blame.
    culprit: Option<String>,
}

impl Verdict {
    fn ok() -> Self {
        Verdict {
            verdict: "ok".into(),
            kind: None,
            culprit: None,
        }
    }

    fn new(verdict: &str, kind: &str, culprit: &str) -> Self {
        Verdict {
            verdict: verdict.into(),
            kind: Some(kind.into()),
            culprit: Some(culprit.into()),
        }
    }

    fn refused(kind: &str, culprit: &str) -> Self {
        Verdict::new("refused", kind, culprit)
    }
}

/// Where a vector stands: set, table, name.
type Place = (String, String, String);
type Lines = BTreeMap<Place, Verdict>;

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors")
}

/// The lines that a program prints of the vectors.
fn lines(command: &mut Command, ed25519: &Path) -> anyhow::Result<Lines> {
    let printed = run(command.arg(vectors()).arg(ed25519))?;
    let mut lines = Lines::new();
    for line in printed.lines() {
        let line: Line = serde_json::from_str(line)?;
        let place = (line.set, line.table, line.name);
        let twin = lines.insert(place.clone(), line.verdict);
        anyhow::ensure!(twin.is_none(), "{place:?} stands twice");
    }
    Ok(lines)
}

#[derive(Deserialize)]
struct Table<C> {
    cases: Vec<C>,
    bad: Vec<C>,
}

/// Adds what Rust makes of each case of a set, by its name.
fn judged<C: DeserializeOwned>(
    set: &str,
    lines: &mut Lines,
    judge: impl Fn(&C) -> (String, Verdict),
) {
    let table: Table<C> = data::read_json(&vectors().join(format!("{set}.json")));
    for (name, cases) in [("cases", table.cases), ("bad", table.bad)] {
        for (case, verdict) in cases.iter().map(&judge) {
            lines.insert((set.to_owned(), name.to_owned(), case), verdict);
        }
    }
}

#[derive(Deserialize)]
struct Ed25519 {
    number: u64,
    key: String,
    sig: String,
    msg: String,
}

fn ed25519(path: &Path, lines: &mut Lines) {
    for vector in data::read_json::<Vec<Ed25519>>(path) {
        let bytes = |text: &str| hex::decode(text).unwrap();
        let key = <[u8; 32]>::try_from(bytes(&vector.key)).unwrap();
        let signature = <[u8; 64]>::try_from(bytes(&vector.sig)).unwrap();
        let is_good = VerifyingKey::from_bytes(&key).is_ok_and(|key| {
            let signature = Signature::from_bytes(&signature);
            key.verify_strict(vector.msg.as_bytes(), &signature).is_ok()
        });
        let verdict = Verdict {
            verdict: if is_good { "ok" } else { "refused" }.into(),
            kind: (!is_good).then(|| "signature".into()),
            culprit: None,
        };
        let place = ("ed25519".into(), "cases".into(), vector.number.to_string());
        lines.insert(place, verdict);
    }
}

/// The places at which two differ. Rust alone looks for the spelling that a tool changed, and names
/// that instead of the check that failed.
fn difference<'l>(one: &'l Lines, other: &'l Lines) -> Vec<(&'l Place, &'l Verdict, &'l Verdict)> {
    let both = one.iter().filter_map(|(place, verdict)| {
        let other = other.get(place)?;
        let is_spelling = verdict.kind.as_deref() == Some("spelling");
        let kind = if is_spelling {
            &other.kind
        } else {
            &verdict.kind
        };
        let same = kind == &other.kind
            && (&verdict.verdict, &verdict.culprit) == (&other.verdict, &other.culprit);
        (!same).then_some((place, verdict, other))
    });
    both.collect()
}

#[test]
fn three_implementations_agree_on_every_vector() -> anyhow::Result<()> {
    let (Some(python), Some(folder)) = (require_python("the SDKs"), data::require("ed25519"))
    else {
        return Ok(());
    };
    let Some(node) = js::require_node("the SDKs") else {
        return Ok(());
    };
    let files = data::files(&folder);
    let [vectors] = files.as_slice() else {
        anyhow::bail!("{} has other files than one of vectors", folder.display());
    };
    let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
    let mut command = Command::new(python.join("python"));
    command
        .args(["-m", "assay_log.verdicts"])
        .env("PYTHONPATH", sdk.join("python/src"))
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let of_python = lines(&mut command, vectors)?;
    let mut command = Command::new(node);
    command.arg(sdk.join("js/bin/verdicts.mjs"));
    let of_js = lines(&mut command, vectors)?;
    let mut of_rust = Lines::new();
    ed25519(vectors, &mut of_rust);
    answers::lies(&mut of_rust);
    receipts::receipts(&mut of_rust);

    assert!(of_python.keys().eq(of_js.keys()), "they read other vectors");
    let counted = |set: &str| of_js.keys().filter(|place| place.0 == set).count();
    let sets = ["ed25519", "lies/lies", "receipts/receipts", "index/answers"];
    assert!(
        sets.iter().all(|set| counted(set) > 10),
        "{:?}",
        sets.map(counted)
    );
    let missing: Vec<_> = of_rust
        .keys()
        .filter(|at| !of_js.contains_key(*at))
        .collect();
    assert!(missing.is_empty(), "nobody else read {missing:?}");
    let others = of_js.keys().filter(|at| !of_rust.contains_key(*at));
    let others: Vec<_> = others.filter(|at| !at.0.starts_with("index/")).collect();
    assert!(others.is_empty(), "Rust did not read {others:?}");
    for (names, found) in [
        ("JavaScript and Python", difference(&of_js, &of_python)),
        ("Rust and JavaScript", difference(&of_rust, &of_js)),
    ] {
        assert!(found.is_empty(), "{names} differ: {found:#?}");
    }
    // What holds is taken, and what is bad is not.
    for (place, verdict) in &of_js {
        let is_taken = verdict.verdict == "ok";
        let should = place.0 == "ed25519" || (place.1 == "cases") == is_taken;
        assert!(should, "{place:?}: {verdict:?}");
    }
    Ok(())
}
