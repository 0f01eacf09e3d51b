//! Whether claims of a document can be about subjects that the caller gives. About others than the
//! document is of they would be false, for ever and signed.

use super::document::Document;
use super::draft::Prepared;
use super::error::DocumentError;
use crate::image::image_digest;
use assay_claims::statement::Subject;

/// The rule of a kind of documents. The subjects are at least one.
pub(super) type Rule = fn(&Document, &[Prepared], &[Subject]) -> Result<(), DocumentError>;

/// A document that leaves it to the caller.
pub(super) fn any(_: &Document, _: &[Prepared], _: &[Subject]) -> Result<(), DocumentError> {
    Ok(())
}

/// A document of several claims, each of which it says the subject of.
pub(super) fn what_it_names(
    _: &Document,
    prepared: &[Prepared],
    _: &[Subject],
) -> Result<(), DocumentError> {
    if prepared.iter().all(|one| one.subjects.is_empty()) {
        return Ok(());
    }
    let reason = "it says itself which version of which package each claim is of; leave --subject \
                  out";
    Err(DocumentError::NotTaken(reason.into()))
}

/// A document of several release cycles, which are of no one version.
pub(super) fn every_version(
    _: &Document,
    prepared: &[Prepared],
    subjects: &[Subject],
) -> Result<(), DocumentError> {
    let cycles = prepared.len();
    if cycles < 2 || subjects.iter().all(has_no_version) {
        return Ok(());
    }
    Err(DocumentError::NotTaken(format!(
        "it has dates of {cycles} release cycles, but --subject names one version; name the \
         package without a version"
    )))
}

fn has_no_version(subject: &Subject) -> bool {
    let versioned = subject.purl().is_some_and(|purl| purl.version().is_some());
    subject.uri().is_some() && !versioned
}

/// A statement, which names its subjects itself. What is named besides has to be one of them, as
/// far as that can be told: of a file that is of no package, only its publisher knows of which it
/// is.
pub(super) fn what_it_states(
    _: &Document,
    prepared: &[Prepared],
    subjects: &[Subject],
) -> Result<(), DocumentError> {
    for claim in prepared {
        let own = || claim.subjects.iter();
        let strange = subjects
            .iter()
            .find(|named| !own().any(|one| may_be(one, named)));
        if let Some(named) = strange {
            let (named, about) = (shown(named), own().take(SHOWN).map(shown));
            let about: Vec<&str> = about.collect();
            return Err(DocumentError::NotTaken(format!(
                "it says nothing of {named}: it is about {}. Leave --subject out",
                about.join(", ")
            )));
        }
    }
    Ok(())
}

/// Most subjects that an error names.
const SHOWN: usize = 3;

fn shown(subject: &Subject) -> &str {
    let digest = subject.digests().first().map(|(_, hex)| &**hex);
    let name = subject.uri().or(subject.name());
    name.or(digest).unwrap_or_default()
}

/// Whether nothing that both subjects have tells them apart: one artifact has many names, and of
/// one package there may be several.
fn may_be(own: &Subject, named: &Subject) -> bool {
    let image = named.purl().and_then(image_digest);
    // Of a package without a digest, the digest is that of its URL.
    let digests = named.digests().iter().filter(|(name, _)| name != "purl");
    let digests = digests.chain(&image);
    let common = digests.filter_map(|(name, hex)| Some(own.digest(name)? == hex));
    let common: Vec<bool> = common.collect();
    if !common.is_empty() {
        return common.iter().all(|is_same| *is_same);
    }
    match (own.uri(), named.uri()) {
        (Some(own), Some(named)) => own == named,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare_about;
    use assay_claims::purl::Purl;
    use assay_claims::statement::Subject;

    fn package(purl: &str) -> Subject {
        let purl = Purl::parse_canonical(purl).unwrap();
        Subject::package(purl)
    }

    fn file(algorithm: &str, digit: &str) -> Subject {
        let length = if algorithm == "sha256" { 64 } else { 128 };
        Subject::of_parts(None, None, vec![(algorithm.into(), digit.repeat(length))])
    }

    /// Whoever signs it says it, and it would be false for ever.
    #[test]
    fn a_statement_is_not_published_about_something_else() {
        let zeros = "0".repeat(64);
        let of = |subject: &str| {
            format!(
                r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{{{subject}
                "digest":{{"sha256":"{zeros}"}}}}],"predicateType":"https://slsa.dev/provenance/v0.2",
                "predicate":{{"builder":{{"id":"b"}},"buildType":"t"}}}}"#
            )
        };
        let docker = r#""name":"pkg:docker/e.org/a@latest?platform=linux%2Famd64","#;
        let oci = |digit: &str| {
            format!(
                "pkg:oci/a@sha256:{}?repository_url=e.org%2Fa",
                digit.repeat(64)
            )
        };
        let (by_name, by_uri) = (
            r#""name":"pkg:npm/a@1.0.0","#,
            r#""uri":"pkg:npm/a@1.0.0","#,
        );
        for (statement, subject, is_taken) in [
            (by_name, package("pkg:npm/a@1.0.0"), true),
            (by_uri, package("pkg:npm/a@1.0.0"), true),
            (by_name, package("pkg:npm/b@1.0.0"), false),
            (by_uri, package("pkg:npm/a@2.0.0"), false),
            // Of all versions it says nothing.
            (by_name, package("pkg:npm/a"), false),
            (by_name, file("sha256", "0"), true),
            (by_name, file("sha256", "1"), false),
            // Which file that is cannot be told.
            (by_name, file("sha512", "1"), true),
            (r#""name":"a.tgz","#, package("pkg:npm/b@1.0.0"), true),
            (r#""name":"a.tgz","#, file("sha256", "1"), false),
            // One image, by its tag in a registry and by its digest.
            (docker, package(&oci("0")), true),
            (docker, package(&oci("1")), false),
        ] {
            let text = of(statement);
            for kind in ["provenance", "statement"] {
                let subjects = [subject.clone()];
                let made = prepare_about(kind, "s.json", text.as_bytes(), &subjects, "");
                assert_eq!(made.is_ok(), is_taken, "{kind} {statement} {subject:?}");
                if let Err(error) = made {
                    assert!(error.to_string().contains("Leave --subject out"), "{error}");
                }
            }
        }
    }
}
