//! Every real lock file and SBOM is checked, against a log in which something is said of some of
//! their packages.
//!
//! What comes of it is a snapshot, which is compared only where the collection is the one that it
//! was taken of.

use super::world::World;
use anyhow::Context;
use assay_intake::components::{self, Format};
use assay_tests::data;
use assay_tlog::Hash;
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
    io::Write as _,
    path::PathBuf,
};

/// The folders that are read.
const KINDS: [&str; 3] = ["lockfiles", "sbom-cyclonedx", "sbom-spdx"];

/// SHA-256 over the names and contents of the documents that the snapshot is of. Who changes the
/// collection takes it from the test's message, and reviews the new snapshot.
const COLLECTION: &str = "9f253aca9d82877974df08fdcf2ff6aad0433fbfa64d41dedda780f277aeb9e3";

/// Reasons of one component that the snapshot shows.
const SHOWN: usize = 12;

fn documents() -> Option<Vec<PathBuf>> {
    let mut documents = Vec::new();
    for kind in KINDS {
        documents.extend(data::files(&data::require(kind)?));
    }
    Some(documents)
}

/// What is said: of the first packages of one document of each format, that support has ended, that
/// a vulnerability can be exploited, that a review failed, and that support has ended, which is
/// taken back; of the next, how it was built.
fn speak(world: &mut World, documents: &[PathBuf]) -> anyhow::Result<()> {
    let mut formats: BTreeSet<Format> = BTreeSet::new();
    for path in documents {
        let Ok(read) = components::read(path.to_str().context("no UTF-8")?, &data::read(path))
        else {
            continue;
        };
        let components = read.list.iter().filter(|component| !component.own);
        let purls: Vec<String> = components
            .filter_map(|component| component.purl.as_ref())
            .map(|purl| purl.without_qualifiers().to_owned())
            .take(5)
            .collect();
        let [ended, affected, failed, mended, built] = &purls[..] else {
            continue;
        };
        if !formats.insert(read.format) {
            continue;
        }
        world.ended("makers", ended)?;
        world.affected("makers", affected)?;
        world.reviewed("auditors", failed, "fail")?;
        let wrong = world.ended("makers", mended)?;
        world.withdraw("makers", &wrong)?;
        world.built("makers", built)?;
    }
    Ok(())
}

#[test]
fn every_lock_file_and_sbom_is_checked() -> anyhow::Result<()> {
    let Some(documents) = documents() else {
        return Ok(());
    };
    let mut world = World::new()?;
    speak(&mut world, &documents)?;
    let root = data::root();
    let mut text = String::new();
    let mut all = Vec::new();
    for path in &documents {
        let name = path.strip_prefix(&root)?.to_str().context("no UTF-8")?;
        let file = path.to_str().context("no UTF-8")?;
        let checked = world.check(&[file, "--output", "json"])?;
        _ = writeln!(
            text,
            "{}",
            block(name, file, checked.code, &checked.stdout, &checked.stderr)?
        );
        all.extend(
            [Hash::of(name.as_bytes()), Hash::of(&data::read(path))]
                .iter()
                .flat_map(|hash| *hash.as_bytes()),
        );
    }
    let collection = Hash::of(&all).to_hex();
    if collection == COLLECTION {
        insta::assert_snapshot!("documents", text);
    } else {
        // Not eprintln!, which the test harness swallows when a test passes; scripts/test counts
        // these lines.
        writeln!(
            std::io::stderr(),
            "skipped: the snapshot is of other documents than these ({collection})"
        )?;
    }
    Ok(())
}

/// What the snapshot says of a document.
fn block(
    name: &str,
    file: &str,
    code: Option<i32>,
    stdout: &str,
    stderr: &str,
) -> anyhow::Result<String> {
    let code = code.context("it was killed")?;
    if stdout.is_empty() {
        let first = stderr.lines().next().unwrap_or_default();
        return Ok(format!(
            "{name}: exit {code}\n  {}\n",
            first.replace(file, "FILE")
        ));
    }
    let report: Value = serde_json::from_str(stdout)?;
    let mut text = format!(
        "{name}: exit {code}, {}\n",
        report["outcome"].as_str().unwrap_or_default()
    );
    let sentences = report["summary"].as_array().context("no summary")?;
    for sentence in sentences.iter().filter_map(Value::as_str) {
        // These have times in them, and are tested elsewhere.
        if !sentence.starts_with("Complete as of ") && !sentence.starts_with("Next: ") {
            _ = writeln!(text, "  {}", sentence.replace(file, "FILE"));
        }
    }
    let mut said: BTreeMap<String, usize> = BTreeMap::new();
    for component in report["components"].as_array().context("no components")? {
        let reasons = component["reasons"].as_array().context("no reasons")?;
        for reason in reasons.iter().filter(|reason| {
            reason["claims"]
                .as_array()
                .is_some_and(|claims| !claims.is_empty())
        }) {
            let line = component["places"][0]["line"]
                .as_u64()
                .map(|line| format!(" (:{line})"))
                .unwrap_or_default();
            let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let who = word(&reason["claims"][0]["issuer"]);
            let (outcome, purl, rule) = (
                word(&reason["outcome"]),
                word(&component["purl"]),
                word(&reason["rule"]),
            );
            *said
                .entry(format!("{outcome}: {purl}{line}: {rule}, says {who}"))
                .or_default() += 1;
        }
    }
    for line in said.keys().take(SHOWN) {
        _ = writeln!(text, "  {line}");
    }
    if said.len() > SHOWN {
        _ = writeln!(text, "  and {} more", said.len() - SHOWN);
    }
    Ok(text)
}
