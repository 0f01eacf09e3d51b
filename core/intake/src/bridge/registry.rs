//! What registries of packages answer: attestations of releases, and what releases and projects are
//! marked as.

use super::record::{Record, Says};
use super::sources::{Input, says};
use crate::documents::{self, Attestations, DocumentError};
use assay_claims::json::Value;
use assay_claims::statement::Subject;

/// The kind of documents that say what is marked.
const MARKS: &str = "registry-status";

pub(super) fn npm(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    answers(input, "pkg:npm/")
}

pub(super) fn pypi(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    answers(input, "pkg:pypi/")
}

/// `packages` is how the package URLs of the registry begin.
fn answers(input: &Input<'_>, packages: &str) -> Result<Vec<Record>, DocumentError> {
    let value = input.document.json()?;
    if documents::takes(MARKS, &value) {
        return marks(input, &value, packages);
    }
    let bytes = input.document.bytes();
    match documents::attestations("provenance", input.place, bytes)? {
        Some(attestations) => attested(input, &attestations, packages),
        None => Ok(Vec::new()),
    }
}

/// A record for each release and project that is marked.
fn marks(input: &Input<'_>, value: &Value, packages: &str) -> Result<Vec<Record>, DocumentError> {
    let claims = match documents::prepare_value(MARKS, input.document, value, input.now) {
        Err(DocumentError::NotTaken(_)) => return Ok(Vec::new()),
        claims => claims?,
    };
    let mut records = Vec::new();
    for claim in claims {
        // An answer of the other registry is none of this source's.
        let Some(about) = about(&claim.subjects, packages) else {
            continue;
        };
        // One release may have several files that are marked.
        let file = claim.subjects.first();
        let file = file.filter(|subject| subject.digest("sha256").is_some());
        let key = match file.and_then(Subject::name) {
            Some(name) => format!("{about} {name}"),
            None => about.to_owned(),
        };
        let says = says(Ok(vec![claim]))?;
        records.push(Record { key, says });
    }
    Ok(records)
}

/// A record for each attestation.
fn attested(
    input: &Input<'_>,
    attestations: &Attestations,
    packages: &str,
) -> Result<Vec<Record>, DocumentError> {
    let mut records = Vec::new();
    for (at, attestation) in attestations.list().iter().enumerate() {
        let subjects = attestation.subjects();
        let print: String = attestation.print().to_hex().chars().take(16).collect();
        let (key, says) = match about(subjects, packages) {
            Some(about) => {
                let says = match input.verifier.verify(attestation) {
                    Ok(evidence) => {
                        let claim = attestations.claim(at, subjects.to_vec(), &evidence)?;
                        Says::Claims(vec![claim])
                    }
                    Err(reason) => Says::NotVerified(reason),
                };
                (format!("{about} {print}"), says)
            }
            None => {
                let place = format!("{} {print}", input.place);
                let reason = "it is about no package of the registry";
                (place, Says::Nothing(reason.to_owned()))
            }
        };
        records.push(Record { key, says });
    }
    Ok(records)
}

/// The first package that something is about, if everything that it is about is a package of the
/// registry.
fn about<'s>(subjects: &'s [Subject], packages: &str) -> Option<&'s str> {
    let mut uris = subjects
        .iter()
        .map(|subject| subject.uri().unwrap_or_default());
    let is_ours = uris.clone().all(|uri| uri.starts_with(packages));
    uris.next().filter(|_| is_ours)
}

#[cfg(test)]
mod tests {
    use super::super::{NoTrust, NotVerified, Verifier, bridge};
    use super::*;
    use crate::documents::{Attestation, Evidence, LogEntry, Prepared, Signer};
    use assay_tlog::Hash;

    const NPM: &[u8] = include_bytes!("../../../../tests/fuzz/corpus/attestations/npm");
    const PYPI: &[u8] = include_bytes!("../../../../tests/fuzz/corpus/attestations/pypi");
    const PROVENANCE: &[u8] =
        include_bytes!("../../../../tests/fuzz/corpus/attestations/pypi-provenance");

    /// Finds that everything was signed by `who`, with some trusted root.
    struct Finds {
        who: &'static str,
        root: &'static str,
    }

    const ALICE: Finds = Finds {
        who: "alice",
        root: "one",
    };

    impl Verifier for Finds {
        fn verify(&self, _: &Attestation) -> Result<Evidence, NotVerified> {
            Ok(Evidence {
                signer: Signer::Certificate {
                    identity: self.who.to_owned(),
                    issuer: "https://issuer.example".to_owned(),
                    repository: None,
                    workflow: None,
                },
                instance: "production".to_owned(),
                trusted_root: Hash::of(self.root.as_bytes()),
                entry: LogEntry {
                    log: "https://log.example".to_owned(),
                    index: 7,
                    time: None,
                },
                times: Vec::new(),
            })
        }
    }

    fn read(name: &str, bytes: &[u8], verifier: &dyn Verifier) -> Vec<Record> {
        let read = bridge(name).unwrap().read("a.json", bytes, "", verifier);
        read.unwrap()
    }

    fn republished(name: &str, record: &Record, document: &[u8]) -> Prepared {
        let bridge = bridge(name).unwrap();
        let mut claims = record.clone().republished(bridge, &Hash::of(document), 1);
        assert_eq!(claims.len(), 1);
        claims.remove(0).check().unwrap()
    }

    #[test]
    fn each_attestation_is_a_record_and_goes_beside_its_claim() {
        let records = read("npm", NPM, &ALICE);
        assert_eq!(records.len(), 2);
        assert_ne!(records[0].key, records[1].key);
        for record in &records {
            assert!(
                record.key.starts_with("pkg:npm/%40e/a@1.0.0 "),
                "{}",
                record.key
            );
            let claim = republished("npm", record, NPM);
            assert_eq!(claim.attachment.as_ref().unwrap().bytes, NPM);
            let text = |pointer: &str| {
                let value = claim.predicate.pointer(pointer).and_then(Value::as_str);
                value.map(str::to_owned)
            };
            let digest = Hash::of(NPM).to_hex();
            assert_eq!(text("/attachments/0/digest/sha256"), Some(digest.clone()));
            assert_eq!(text("/republished/sha256"), Some(digest));
            assert_eq!(text("/republished/from").as_deref(), Some("npm registry"));
            assert_eq!(text("/sigstore/identity").as_deref(), Some("alice"));
        }
        // What was signed stays as it was signed.
        let published = republished("npm", &records[0], NPM);
        let version = published.predicate.get("version").and_then(Value::as_str);
        assert_eq!(version, Some("1.0.0"));
    }

    #[test]
    fn an_attestation_is_the_same_whoever_hands_it_out_and_whichever_root_verifies_it() {
        let (one, other) = (read("pypi", PYPI, &ALICE), read("pypi", PROVENANCE, &ALICE));
        assert_eq!((one.len(), other.len()), (1, 1));
        assert!(
            one[0].key.starts_with("pkg:pypi/some-thing@1.0 "),
            "{}",
            one[0].key
        );
        assert_eq!(one[0].key, other[0].key);
        assert_eq!(one[0].print(), other[0].print());
        let later = Finds {
            root: "two",
            ..ALICE
        };
        assert_eq!(read("pypi", PYPI, &later)[0].print(), one[0].print());
        let mallory = Finds {
            who: "mallory",
            ..ALICE
        };
        assert_ne!(read("pypi", PYPI, &mallory)[0].print(), one[0].print());
        // The same statement at another place of the log is another attestation.
        let text = String::from_utf8(PYPI.to_vec()).unwrap();
        let moved = text.replace(r#""logIndex": "7""#, r#""logIndex": "8""#);
        assert_ne!(moved, text);
        assert_ne!(read("pypi", moved.as_bytes(), &ALICE)[0].key, one[0].key);
    }

    #[test]
    fn nothing_is_claimed_of_what_nobody_verified_or_of_another_registry() {
        for record in read("npm", NPM, &NoTrust) {
            assert_eq!(record.says, Says::NotVerified(NotVerified::NoTrust));
        }
        for (name, bytes) in [("npm", PYPI), ("pypi", NPM)] {
            for record in read(name, bytes, &ALICE) {
                assert!(matches!(record.says, Says::Nothing(_)), "{name}");
            }
        }
    }

    #[test]
    fn each_mark_is_a_record_and_other_documents_are_none() {
        let packument = br#"{"name":"a","versions":{"1.0.0":{"deprecated":"Use b."},"2.0.0":{}}}"#;
        let records = read("npm", packument, &NoTrust);
        let keys: Vec<&str> = records.iter().map(|record| record.key.as_str()).collect();
        assert_eq!(keys, ["pkg:npm/a@1.0.0"]);
        let claim = republished("npm", &records[0], packument);
        let said = |key: &str| claim.predicate.get(key).and_then(Value::as_str);
        assert_eq!(
            (said("status"), said("reason")),
            (Some("deprecated"), Some("Use b."))
        );
        assert_eq!(claim.attachment, None);
        assert!(claim.predicate.pointer("/republished/sha256").is_some());
        assert!(read("pypi", packument, &NoTrust).is_empty());
        for other in ["{}", "[]", "7", r#"{"name":"a","versions":{"1.0.0":{}}}"#] {
            assert!(
                read("npm", other.as_bytes(), &NoTrust).is_empty(),
                "{other}"
            );
        }
        // Two files of a release that has others are two records.
        let file = |name: &str, yanked: bool| {
            format!(
                r#"{{"filename":"{name}","digests":{{"sha256":"{}"}},"yanked":{yanked}}}"#,
                "ab".repeat(32)
            )
        };
        let files = [
            file("a.whl", true),
            file("b.whl", true),
            file("c.whl", false),
        ];
        let release = format!(
            r#"{{"info":{{"name":"a","version":"1"}},"urls":[{}]}}"#,
            files.join(",")
        );
        let keys = read("pypi", release.as_bytes(), &NoTrust).into_iter();
        let keys: Vec<String> = keys.map(|record| record.key).collect();
        assert_eq!(keys, ["pkg:pypi/a@1 a.whl", "pkg:pypi/a@1 b.whl"]);
        // What is too much is an error, so that nothing is withdrawn for it.
        let versions: Vec<String> = (0..10_001)
            .map(|n| format!(r#""1.0.{n}":{{"deprecated":"x"}}"#))
            .collect();
        let many = format!(r#"{{"name":"a","versions":{{{}}}}}"#, versions.join(","));
        for wrong in [
            "",
            "{",
            r#"{"name":"a","versions":{"1":{"deprecated":7}}}"#,
            &many,
        ] {
            let refused = bridge("npm")
                .unwrap()
                .read("a", wrong.as_bytes(), "", &NoTrust);
            assert!(refused.is_err(), "{wrong}");
        }
    }
}
