//! Every real document of the kinds that `publish` takes becomes a claim, or is refused with a
//! place and a reason.
//!
//! What is expected comes from the collection itself: SOURCES.md marks what is bad, and
//! [`expected`] says for each rule why. So any folder of the same layout can be tried.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a document that cannot be read must stop the test"
)]

mod mutations;

use assay_claims::json::{self, Value};
use assay_claims::kind;
use assay_claims::limits;
use assay_claims::purl::Purl;
use assay_claims::statement::{Statement, StatementError, Subject};
use assay_intake::documents::{self, DocumentError, Prepared};
use assay_tests::data;
use std::collections::HashMap;
use std::path::Path;

const NOW: &str = "2026-11-22T18:41:48Z";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Expected {
    Taken,
    Refused,
    /// Either, but never a panic and never an error without a place.
    Either,
}

/// What should become of a document, given what SOURCES.md says that it exercises.
fn expected(kind: &str, path: &str, says: &str, bytes: &[u8]) -> Expected {
    let extension = path.rsplit('.').next().unwrap_or_default();
    if ["gz", "bz2", "xz", "zst", "zip"].contains(&extension) {
        return Expected::Refused; // Nothing compressed is expanded (docs/design.md 8).
    }
    if path.contains("schema") {
        return Expected::Refused; // A schema of documents is no document.
    }
    if kind == "lifecycle" && extension == "md" {
        return Expected::Refused; // Product pages of endoflife.date; its API's answer is taken.
    }
    if kind == "provenance" && says.contains("BAD") {
        // Bad to whoever verifies the builder's signature, which publishing does not.
        return Expected::Either;
    }
    if kind == "statement" {
        return if is_whole_statement(bytes) {
            Expected::Taken
        } else {
            Expected::Refused
        };
    }
    if kind == "audit" {
        return if has_audits(bytes) {
            Expected::Taken
        } else {
            Expected::Refused
        };
    }
    if says.contains("BAD") || says.contains("malformed") || says.contains("must be refused") {
        return Expected::Refused;
    }
    if says.contains("bad or poor") {
        return Expected::Either; // Breaks a rule of a linter, which need not make it unreadable.
    }
    Expected::Taken
}

/// An in-toto Statement v1 whose subjects have whole digests, or package URLs.
fn is_whole_statement(bytes: &[u8]) -> bool {
    let Ok(statement) = serde_json::from_slice::<serde_json::Value>(bytes) else {
        return false;
    };

    statement["_type"] == "https://in-toto.io/Statement/v1"
        && statement["subject"].as_array().is_some_and(|s| {
            s.iter().all(
                |subject: &serde_json::Value| match subject["digest"].as_object() {
                    Some(digests) => digests.iter().all(|(algorithm, hex)| {
                        algorithm != "sha256" || hex.as_str().is_some_and(|h| h.len() == 64)
                    }),
                    None => subject["uri"]
                        .as_str()
                        .is_some_and(|uri| uri.starts_with("pkg:")),
                },
            )
        })
}

/// A cargo-vet `audits.toml` with at least one audit, of criteria that every store has or that this
/// one defines.
fn has_audits(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return false;
    };
    let Ok(store) = text.parse::<toml::Table>() else {
        return false;
    };
    let defined = store
        .get("criteria")
        .and_then(|criteria| criteria.as_table());
    let known = |criterion: &toml::Value| {
        criterion.as_str().is_some_and(|name| {
            ["safe-to-run", "safe-to-deploy"].contains(&name)
                || defined.is_some_and(|criteria| criteria.contains_key(name))
        })
    };

    let Some(toml::Value::Table(audits)) = store.get("audits") else {
        return false;
    };
    let crates: Option<Vec<_>> = audits.values().map(toml::Value::as_array).collect();
    let audits = crates.into_iter().flatten().flatten().collect::<Vec<_>>();
    !audits.is_empty()
        && audits
            .into_iter()
            .all(|audit: &toml::Value| match audit.get("criteria") {
                Some(toml::Value::Array(criteria)) => criteria.iter().all(known),
                Some(criterion) => known(criterion),
                None => false,
            })
}

/// What SOURCES.md says of each file: path to the last column.
fn sources(folder: &Path) -> HashMap<String, String> {
    let text = data::read_text(&folder.join("SOURCES.md"));
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<_> = line
            .trim()
            .trim_matches('|')
            .split('|')
            .map(str::trim)
            .collect();
        let path = cells.first()?.strip_prefix('`')?.strip_suffix('`')?;
        Some((path.to_owned(), (*cells.last()?).to_owned()))
    });
    rows.collect()
}

#[test]
fn every_document_is_taken_or_refused_as_its_source_says() {
    for (name, kind) in data::DOCUMENTS {
        let Some(folder) = data::require(name) else {
            return;
        };
        let sources = sources(&folder);
        let (mut taken, mut refused) = (0, 0);
        for path in data::files(&folder) {
            let bytes = data::read(&path);
            let relative = path.strip_prefix(&folder).unwrap().to_str().unwrap();
            let says = sources
                .get(relative)
                .unwrap_or_else(|| panic!("{name}/SOURCES.md does not say what {relative} is"));
            let outcome = documents::prepare(kind, relative, &bytes, NOW);
            let expected = expected(kind, relative, says, &bytes);
            match &outcome {
                Ok(claims) => {
                    assert_ne!(
                        expected,
                        Expected::Refused,
                        "{name}/{relative} ({says}) was taken"
                    );
                    assert_sound(kind, relative, &bytes, claims);
                    taken += 1;
                }
                Err(error) => {
                    assert_ne!(
                        expected,
                        Expected::Taken,
                        "{name}/{relative} ({says}): {error}"
                    );
                    assert_tells(error);
                    refused += 1;
                }
            }
            if std::env::var_os("DOCUMENTS_SHOW").is_some() {
                show(name, relative, &outcome);
            }
        }
        println!("{name}: {taken} taken, {refused} refused");
        assert!(taken > 0, "no document of {name} was taken");
    }
}

/// Whatever is in the collection, published as whatever kind: a claim that holds, or an error that
/// tells.
#[test]
fn no_document_is_too_strange_for_any_kind() {
    if data::require("sarif").is_none() {
        return;
    }
    for path in data::files(&data::root()) {
        let bytes = data::read(&path);
        let name = path.to_string_lossy();
        for kind in documents::KINDS {
            match documents::prepare(kind, &name, &bytes, NOW) {
                Ok(claims) => assert_sound(kind, &name, &bytes, &claims),
                Err(error) => assert_tells(&error),
            }
        }
    }
}

/// One line a document, for a person who sets `DOCUMENTS_SHOW`.
fn show(name: &str, path: &str, outcome: &Result<Vec<Prepared>, DocumentError>) {
    match outcome {
        Ok(claims) => {
            for claim in claims {
                let subjects: Vec<_> = claim
                    .subjects
                    .iter()
                    .map(|s| s.to_value().to_json())
                    .collect();
                let bytes = claim.predicate.to_json().len();
                println!(
                    "{name}/{path}: {} {bytes} B {:?} {subjects:?}",
                    claim.predicate_type, claim.summary
                );
            }
        }
        Err(error) => println!("{name}/{path}: REFUSED {error}"),
    }
}

/// What holds of every claim that a document becomes.
fn assert_sound(kind: &str, path: &str, document: &[u8], claims: &[Prepared]) {
    assert!(!claims.is_empty(), "{path}");
    for claim in claims {
        let text = claim.predicate.to_json();
        assert_eq!(
            json::parse(text.as_bytes()).as_ref(),
            Ok(&claim.predicate),
            "{path}: the predicate does not read back"
        );
        kind::check(&claim.predicate_type, &claim.predicate)
            .unwrap_or_else(|e| panic!("{path}: {e}"));
        assert!(
            kind == "statement" || kind::by_uri(&claim.predicate_type).is_some(),
            "{path}"
        );
        let subjects: usize = claim
            .subjects
            .iter()
            .map(|s| s.to_value().to_json().len() + 1)
            .sum();
        assert!(
            text.len() + subjects <= 28 * 1024,
            "{path}: {} and {subjects} bytes",
            text.len()
        );
        for subject in &claim.subjects {
            assert!(
                !subject.digests().is_empty(),
                "{path}: a subject without digest"
            );
        }
        let statement = statement(claim).unwrap_or_else(|e| panic!("{path}: {e}"));
        assert!(statement.to_json().len() <= limits::PAYLOAD_BYTES, "{path}");
        assert!(
            claim
                .summary
                .iter()
                .all(|(label, value)| !(label.clone() + value).contains(char::is_control)),
            "{path}"
        );
        match &claim.attachment {
            Some(attachment) => {
                assert_eq!(
                    attachment.bytes, document,
                    "{path}: the attachment is not the document"
                );
                assert_names(&statement, document, path);
            }
            None => assert_whole(kind, document, &claim.predicate, path),
        }
        assert!(
            kind != "scan" || claim.attachment.is_some(),
            "{path}: a scan without its document"
        );
    }
}

/// The claim names its attachment by its digest.
fn assert_names(statement: &Statement, document: &[u8], path: &str) {
    let digest = assay_tlog::Hash::of(document);
    assert!(
        kind::attachments(statement)
            .iter()
            .any(|named| named.sha256 == digest),
        "{path}: the claim does not name its attachment"
    );
}

/// The statement that the claim would be, of a package that the publisher names where the document
/// names none.
fn statement(claim: &Prepared) -> Result<Statement, StatementError> {
    let mut subjects = claim.subjects.clone();
    if subjects.is_empty() {
        subjects.push(Subject::package(
            Purl::parse_canonical("pkg:generic/named-by-the-publisher@1").unwrap(),
        ));
    }
    Statement::new(subjects, &claim.predicate_type, claim.predicate.clone())
}

/// Documents that are predicates are so unchanged: the same members in the same order, numbers as
/// they were written. Of what GitHub wraps, the predicate is what is inside.
fn assert_whole(kind: &str, document: &[u8], predicate: &Value, path: &str) {
    if ["sbom", "vex"].contains(&kind) {
        let body = document.strip_prefix(b"\xef\xbb\xbf").unwrap_or(document);
        let whole = json::parse(body).unwrap();
        let wrapped = whole.get("sbom").filter(|_| kind == "sbom");
        assert_eq!(
            wrapped.unwrap_or(&whole),
            predicate,
            "{path}: the predicate is not the document"
        );
    }
}

/// What holds of every refusal: it fits a terminal, and says where and why.
fn assert_tells(error: &DocumentError) {
    let text = error.to_string();
    assert!(
        !error.place().is_empty() && text.len() > 10 && text.len() < 1000,
        "{text:?}"
    );
    assert!(text.chars().all(|c| !c.is_control()), "{text:?}");
}
