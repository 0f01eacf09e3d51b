use super::Attestations;
use crate::documents::{DocumentError, attestations};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

const BUNDLE: &str = include_str!("../../../../../tests/fuzz/corpus/attestations/bundle");
const FILE: &str = include_str!("../../../../../tests/fuzz/corpus/attestations/file");
const PYPI: &str = include_str!("../../../../../tests/fuzz/corpus/attestations/pypi");

fn read(text: &str) -> Result<Option<Attestations>, DocumentError> {
    attestations("provenance", "a.json", text.as_bytes())
}

fn refusal(text: &str) -> String {
    match read(text) {
        Ok(read) => panic!("taken: {}", read.map_or(0, |read| read.list().len())),
        Err(error) => error.to_string(),
    }
}

#[test]
fn documents_of_other_kinds_are_not_verified() {
    assert!(read(BUNDLE).unwrap().is_some());
    let other = attestations("statement", "a.json", BUNDLE.as_bytes());
    assert!(other.unwrap().is_none());
}

#[test]
fn a_list_without_attestations_is_refused() {
    for empty in [
        r#"{"attestation_bundles":[]}"#,
        r#"{"attestation_bundles":[{"publisher":{},"attestations":[]}]}"#,
    ] {
        assert_eq!(refusal(empty), "the document has no attestation", "{empty}");
    }
}

#[test]
fn lines_are_bundles_if_the_first_is_one() {
    let line = BUNDLE.trim();
    assert_eq!(
        read(&format!("{line}\n\n{line}\n"))
            .unwrap()
            .unwrap()
            .list()
            .len(),
        2
    );
    // Whoever reads other lines says what is wrong with them.
    for other in ["{}\n{}\n", "{\n\"a\": }\n"] {
        assert!(read(other).unwrap().is_none(), "{other}");
    }
    for second in ["{}", "{"] {
        let refusal = refusal(&format!("{line}\n{second}\n"));
        assert!(refusal.starts_with("line 2: "), "{refusal}");
    }
}

#[test]
fn a_list_has_bundles_as_they_are_or_as_github_writes_them() {
    let verified = format!(r#"{{"attestation":{{"bundle":{BUNDLE}}},"verificationResult":{{}}}}"#);
    for one in [BUNDLE, &verified] {
        let list = read(&format!("[{one},{one}]")).unwrap().unwrap();
        assert_eq!(list.list().len(), 2, "{one}");
    }
    assert!(read("[]").unwrap().is_none() && read("[{}]").unwrap().is_none());
    let refusal = refusal(&format!(r#"[{verified},{{"attestation":{{}}}}]"#));
    assert!(refusal.starts_with("$[1].attestation.bundle"), "{refusal}");
}

#[test]
fn what_npm_says_of_a_statement_is_what_the_statement_says() {
    let of =
        |ty: &str| format!(r#"{{"attestations":[{{"predicateType":"{ty}","bundle":{BUNDLE}}}]}}"#);
    let same = read(&of("https://slsa.dev/provenance/v1"));
    assert_eq!(same.unwrap().unwrap().list().len(), 1);
    assert_eq!(
        refusal(&of("https://slsa.dev/provenance/v0.2")),
        "$.attestations[0].predicateType: is not what the statement within says"
    );
}

#[test]
fn the_digest_of_a_file_is_as_long_as_its_algorithm_says() {
    let digest = |bytes: usize| {
        let old = STANDARD.encode([0xab; 32]);
        assert!(FILE.contains(&old));
        FILE.replace(&old, &STANDARD.encode(vec![0xab; bytes]))
    };
    let whole = read(&digest(32)).unwrap().unwrap();
    let subject = &whole.list()[0].subjects()[0];
    assert_eq!(subject.digest("sha256"), Some("ab".repeat(32).as_str()));
    for bytes in [31, 33, 64] {
        assert_eq!(
            refusal(&digest(bytes)),
            "$.messageSignature.messageDigest.digest: is no digest by sha256"
        );
    }
}

#[test]
fn attestations_of_pypi_have_version_1() {
    assert!(read(PYPI).unwrap().is_some());
    for other in ["2", "1.5", "\"1\""] {
        let text = PYPI.replace(r#""version": 1"#, &format!(r#""version": {other}"#));
        assert_eq!(refusal(&text), "$.version: is not 1", "{other}");
    }
}
