//! Every real lock file and SBOM is read or refused, and what comes of it holds; changed ones make
//! no panic.
//!
//! The files lie in the folder that `ASSAY_TEST_DATA` names, or else in `../shared/data` beside the
//! workspace. Any folder of the same layout can be tried. What is expected of each document is a
//! snapshot, which is compared only where the collection is the one that it was taken of
//! ([`COLLECTION`]).

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a document that cannot be read must stop the test"
)]

use assay_intake::components::{self, Component, ComponentError, Components, Format};
use assay_intake::limits;
use assay_tlog::Hash;
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// The folders that are read.
const KINDS: &[&str] = &["lockfiles", "sbom-cyclonedx", "sbom-spdx"];

/// SHA-256 over the names and contents of the documents that the snapshot is of. Who changes the
/// collection takes it from the test's message, and reviews the new snapshot.
const COLLECTION: &str = "9f253aca9d82877974df08fdcf2ff6aad0433fbfa64d41dedda780f277aeb9e3";

/// Most components at either end of a list that the snapshot shows.
const SHOWN: usize = 2;

struct Document {
    /// The path below the folder of all data.
    path: String,
    bytes: Vec<u8>,
}

/// All documents, sorted by path; none, saying that the test is skipped, if a folder is missing. In
/// CI that fails.
fn documents() -> Vec<Document> {
    let root = std::env::var_os("ASSAY_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let mut documents = Vec::new();
    for kind in KINDS {
        let folder = root.join(kind);
        if !folder.is_dir() {
            let missing = format!(
                "no test data in {}; set ASSAY_TEST_DATA to its folder",
                folder.display()
            );
            assert!(std::env::var_os("CI").is_none(), "{missing}");
            skipped(&missing);
            return Vec::new();
        }
        let mut files = files(&folder);
        files.sort();
        documents.extend(files.into_iter().map(|file| {
            Document {
                path: file
                    .strip_prefix(&root)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
                bytes: std::fs::read(&file).unwrap(),
            }
        }));
    }
    documents
}

/// Not eprintln!, which the test harness swallows when a test passes; scripts/test counts these
/// lines.
fn skipped(why: &str) {
    let _ = writeln!(std::io::stderr(), "skipped: {why}");
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .filter(|path| path.file_name().is_some_and(|name| name != "SOURCES.md"))
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn plain(text: &str) -> bool {
    !text.contains(char::is_control)
}

/// What holds of every component that is read.
fn assert_component_sound(path: &str, component: &Component) {
    let Component {
        purl,
        name,
        version,
        digests,
        ..
    } = component;
    assert!(
        plain(name) && version.as_deref().is_none_or(plain),
        "{path}: {component:?}"
    );
    assert!(
        purl.is_some() || !digests.is_empty() || component.own,
        "{path}: {component:?} cannot be looked up"
    );
    assert!(
        purl.as_ref().is_none_or(|purl| purl.version().is_some()),
        "{path}: {component:?}"
    );
    for (algorithm, hex) in digests {
        let lower = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        assert!(
            lower && hex.len() >= 40 && !algorithm.is_empty(),
            "{path}: {component:?}"
        );
    }
}

/// What holds of everything that is read.
fn assert_sound(path: &str, found: &Components) {
    assert!(
        found.list.len() + found.unidentified.len() <= limits::COMPONENTS,
        "{path}"
    );
    for (i, component) in found.list.iter().enumerate() {
        assert_component_sound(path, component);
        let twin = |other: &Component| {
            (&other.purl, &other.name, &other.version, &other.digests)
                == (
                    &component.purl,
                    &component.name,
                    &component.version,
                    &component.digests,
                )
        };
        assert!(
            i > 2000 || !found.list[..i].iter().any(twin),
            "{path}: {component:?} twice"
        );
    }
    assert!(
        found
            .notes
            .iter()
            .all(|note| plain(&note.text) && note.text.len() > 4),
        "{path}: {:?}",
        found.notes
    );
    assert!(
        found
            .unidentified
            .iter()
            .all(|one| plain(&one.what) && plain(&one.reason) && !one.what.is_empty()),
        "{path}: {:?}",
        found.unidentified
    );
    assert!(
        !found.list.is_empty() || !found.unidentified.is_empty() || !found.notes.is_empty(),
        "{path}: says nothing"
    );
}

/// What holds of every refusal: it fits a terminal, names the file, and says what to do.
fn assert_tells(error: &ComponentError) {
    let text = error.to_string();
    assert!(
        text.starts_with(&error.file) && error.reason.contains("; "),
        "{text}"
    );
    assert!(
        text.len() < 1000 && text.chars().all(|c| !c.is_control()),
        "{text:?}"
    );
}

fn shown(component: &Component) -> String {
    let name = component
        .purl
        .as_ref()
        .map_or(format!("({})", component.name), |purl| purl.to_string());
    let digests: Vec<_> = component
        .digests
        .iter()
        .map(|(name, hex)| format!("{name}:{}…", &hex[..8]))
        .collect();
    let mut line = format!(
        "{name} {}",
        digests
            .iter()
            .take(3)
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    );
    for (flag, word) in [
        (component.own, "own"),
        (component.dev, "dev"),
        (component.optional, "optional"),
    ] {
        line.push_str(if flag { " " } else { "" });
        line.push_str(if flag { word } else { "" });
    }
    line.push_str(
        &component
            .line
            .map(|line| format!(" :{line}"))
            .unwrap_or_default(),
    );
    line
}

fn block(path: &str, outcome: &Result<Components, ComponentError>) -> String {
    let mut text = format!("{path}\n");
    let Components {
        format,
        list,
        notes,
        unidentified,
        ..
    } = match outcome {
        Ok(found) => found,
        Err(error) => {
            let at = error
                .line
                .map(|line| format!(":{line}"))
                .unwrap_or_default();
            return format!("{path}\n  refused{at}: {}\n", error.reason);
        }
    };
    let count = |has: fn(&&Component) -> bool| list.iter().filter(has).count();
    _ = writeln!(
        text,
        "  {format}: {} components ({} own, {} dev, {} optional, {} with digest, {} without \
         purl), {} unidentified",
        list.len(),
        count(|c| c.own),
        count(|c| c.dev),
        count(|c| c.optional),
        count(|c| !c.digests.is_empty()),
        count(|c| c.purl.is_none()),
        unidentified.len()
    );
    for (i, component) in list.iter().enumerate() {
        match i {
            _ if i < SHOWN || i + SHOWN >= list.len() => {
                _ = writeln!(text, "  {}", shown(component).trim_end())
            }
            SHOWN => text.push_str("  …\n"),
            _ => {}
        }
    }
    let at = |line: Option<u32>| line.map(|line| format!(" (:{line})")).unwrap_or_default();
    for note in notes {
        _ = writeln!(text, "  note: {}{}", note.text, at(note.line));
    }
    for one in unidentified.iter().take(SHOWN) {
        _ = writeln!(
            text,
            "  unidentified: {} {}{}",
            one.what,
            one.reason,
            at(one.line)
        );
    }
    text
}

#[test]
fn every_document_is_read_or_refused() {
    let documents = documents();
    let mut text = String::new();
    let mut all = Vec::new();
    for Document { path, bytes } in &documents {
        let outcome = components::read(path, bytes);
        match &outcome {
            Ok(found) => assert_sound(path, found),
            Err(error) => assert_tells(error),
        }
        _ = writeln!(text, "{}", block(path, &outcome));
        all.extend(
            [Hash::of(path.as_bytes()), Hash::of(bytes)]
                .iter()
                .flat_map(|hash| *hash.as_bytes()),
        );
    }
    if documents.is_empty() {
        return;
    }
    let collection = Hash::of(&all).to_hex();
    if collection == COLLECTION {
        insta::assert_snapshot!("documents", text)
    } else {
        skipped(&format!(
            "the snapshot is of other documents than these ({collection})"
        ))
    }
}

/// What is broken at one end, in one byte, or read as what it is not.
fn try_out(path: &str, bytes: &[u8]) {
    match components::read(path, bytes) {
        Ok(found) => assert_sound(path, &found),
        Err(error) => assert_tells(&error),
    }
}

/// Largest document that is changed over and over, and how often.
const LARGEST: usize = 48 * 1024;
const CHANGES: usize = 24;

#[test]
fn a_cut_document_is_read_or_refused() {
    for Document { path, bytes } in documents()
        .iter()
        .filter(|document| document.bytes.len() <= LARGEST)
    {
        for cut in (0..CHANGES)
            .map(|i| bytes.len() * i / CHANGES)
            .chain(bytes.len().saturating_sub(4)..bytes.len())
        {
            try_out(path, &bytes[..cut]);
        }
        // Nothing is whole JSON that has lost its last brace.
        let end = bytes.trim_ascii_end();
        if end.last() == Some(&b'}') && end.first().is_some_and(|first| b"{\xef".contains(first)) {
            assert!(
                components::read(path, &end[..end.len() - 1]).is_err(),
                "{path} was taken though cut"
            );
        }
    }
}

#[test]
fn a_changed_byte_makes_no_panic() {
    for Document { path, bytes } in documents()
        .iter()
        .filter(|document| document.bytes.len() <= LARGEST)
    {
        for i in 0..CHANGES {
            let mut changed = bytes.clone();
            let at = (i * 7919 + bytes.len() / 3) % bytes.len();
            changed[at] ^= 1 << (i % 8);
            try_out(path, &changed);
        }
    }
}

#[test]
fn a_document_read_as_another_format_makes_no_panic() {
    for Document { path, bytes } in documents()
        .iter()
        .filter(|document| document.bytes.len() <= LARGEST)
    {
        for format in Format::ALL {
            match components::read_as(*format, path, bytes, None) {
                Ok(found) => assert_sound(path, &found),
                Err(error) => assert_tells(&error),
            }
        }
    }
}

proptest! {
    // The default looks for a lib.rs beside the tests.
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn noise_makes_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[ \
        -~\n]{0,80}") {
        for format in Format::ALL {
            for bytes in [bytes.as_slice(), text.as_bytes()] {
                if let Ok(found) = components::read_as(*format, "noise", bytes, None) {
                    assert_sound("noise", &found);
                }
            }
        }
    }
}
