//! The forms that attestations come in.

use super::evidence::Publisher;
use super::named::{of_pypi, with_uri};
use super::{ATTESTATIONS, Attestation, Attestations, Says};
use crate::documents::document::{Document, parse};
use crate::documents::error::DocumentError;
use crate::documents::in_toto;
use assay_claims::dsse::Envelope;
use assay_claims::json::{Value, object};
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use assay_tlog::Hash;
use base64::Engine;

/// The media type of what is no bundle, but holds some.
const JSON: &str = "application/json";
const BUNDLE: &str = "application/vnd.dev.sigstore.bundle";
const BUNDLE_V0_3: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

impl Attestations {
    /// The attestations of a document; `None` if it is of another form.
    ///
    /// # Errors
    ///
    /// Where it is of one of the forms, and malformed.
    pub(in crate::documents) fn read(document: Document) -> Result<Option<Self>, DocumentError> {
        let (list, media_type) = match document.json() {
            Ok(whole) => match read_whole(&whole)? {
                Some(read) => read,
                None => return Ok(None),
            },
            Err(_) => match read_lines(&document)? {
                Some(list) => (list, "application/jsonl".to_owned()),
                None => return Ok(None),
            },
        };
        if list.is_empty() {
            let reason = "the document has no attestation";
            return Err(DocumentError::NotTaken(reason.into()));
        }
        Ok(Some(Attestations {
            is_bundle: media_type != JSON,
            document,
            media_type,
            list,
        }))
    }
}

type Read = (Vec<Attestation>, String);

fn read_whole(whole: &Value) -> Result<Option<Read>, DocumentError> {
    let root = Node::root("$", whole);
    if is_bundle(whole) {
        let media_type = root.shown("mediaType").unwrap_or(BUNDLE).to_owned();
        return Ok(Some((vec![bundle(&root)?], media_type)));
    }
    let json = JSON.to_owned();
    if is_pypi(whole) {
        return Ok(Some((vec![pypi(&root, None)?], json)));
    }
    if let Some(bundles) = root.get("attestation_bundles") {
        let mut list = Vec::new();
        for of_one in bundles.items()? {
            let publisher = of_one.need("publisher")?;
            for attestation in of_one.need("attestations")?.items()? {
                list.push(pypi(&attestation, Some(Publisher::read(&publisher)?))?);
                check_count(list.len())?;
            }
        }
        return Ok(Some((list, json)));
    }
    if whole.at(0).is_some_and(is_listed) {
        let mut list = Vec::new();
        for one in root.items()? {
            list.push(of_list(&one)?);
            check_count(list.len())?;
        }
        return Ok(Some((list, json)));
    }
    let Some(attestations) = root.get("attestations").filter(holds_bundles) else {
        return Ok(None);
    };
    let mut list = Vec::new();
    for attestation in attestations.items()? {
        list.push(of_npm(&attestation)?);
        check_count(list.len())?;
    }
    Ok(Some((list, json)))
}

fn holds_bundles(attestations: &Node<'_, '_>) -> bool {
    let first = attestations.value().at(0);
    first.is_some_and(|first| first.get("bundle").is_some())
}

fn check_count(count: usize) -> Result<(), DocumentError> {
    if count <= ATTESTATIONS {
        return Ok(());
    }
    Err(DocumentError::NotTaken(format!(
        "the document has more than {ATTESTATIONS} attestations; publish it in parts"
    )))
}

/// JSON Lines: a bundle a line.
fn read_lines(document: &Document) -> Result<Option<Vec<Attestation>>, DocumentError> {
    let lines = document.body().split(|byte| *byte == b'\n').enumerate();
    let mut list = Vec::new();
    for (at, line) in lines.filter(|(_, line)| !line.trim_ascii().is_empty()) {
        let in_line = |reason: String| DocumentError::Line {
            line: at + 1,
            reason,
        };
        let value = match parse(line) {
            Ok(value) if is_bundle(&value) => value,
            // Of another form, or none: whoever reads those says what is wrong.
            _ if list.is_empty() => return Ok(None),
            Ok(_) => {
                return Err(in_line(
                    "is no Sigstore bundle, as the first line is".into(),
                ));
            }
            Err(e) => return Err(in_line(e.to_string())),
        };
        let mut read = bundle(&Node::root("$", &value)).map_err(|e| in_line(e.to_string()))?;
        read.place = format!("line {}", at + 1);
        list.push(read);
        check_count(list.len())?;
    }
    Ok(Some(list))
}

/// Bare envelopes have no material to verify them with.
fn is_bundle(value: &Value) -> bool {
    let media_type = value.get("mediaType").and_then(Value::as_str);
    let is_content = ["dsseEnvelope", "messageSignature", "verificationMaterial"];
    media_type.is_some_and(|text| text.starts_with(BUNDLE))
        || value.get("verificationMaterial").is_some()
            && is_content.iter().any(|key| value.get(key).is_some())
}

fn is_pypi(value: &Value) -> bool {
    value.get("envelope").is_some() && value.get("verification_material").is_some()
}

/// As npm answers, and GitHub.
fn of_npm(node: &Node<'_, '_>) -> Result<Attestation, DocumentError> {
    let read = bundle(&node.need("bundle")?)?;
    if let Some(given) = node.get("predicateType")
        && let Says::Statement { value, .. } = &read.says
        && value.get("predicateType") != Some(given.value())
    {
        let reason = "is not what the statement within says";
        return Err(given.fault(reason).into());
    }
    Ok(read)
}

/// Whether it is one of a list of bundles, by itself or as `gh attestation verify` writes it.
fn is_listed(value: &Value) -> bool {
    is_bundle(value) || value.pointer("/attestation/bundle").is_some()
}

fn of_list(node: &Node<'_, '_>) -> Result<Attestation, DocumentError> {
    match node.get("attestation") {
        Some(attestation) => bundle(&attestation.need("bundle")?),
        None => bundle(node),
    }
}

fn bundle(node: &Node<'_, '_>) -> Result<Attestation, DocumentError> {
    let place = node.path();
    let bundle = node.value().to_json();
    if let Some(envelope) = node.get("dsseEnvelope") {
        let signed = in_toto::signed(&envelope)?;
        return statement(place, bundle, &signed, false);
    }
    let Some(message) = node.get("messageSignature") else {
        let reason = "has neither `dsseEnvelope` nor `messageSignature`";
        return Err(node.fault(reason).into());
    };
    let mut subjects = Vec::new();
    if let Some(digest) = message.get("messageDigest") {
        subjects.push(of_message(&digest)?);
    }
    Ok(Attestation {
        place,
        bundle,
        says: Says::File,
        subjects,
        publisher: None,
    })
}

fn of_message(digest: &Node<'_, '_>) -> Result<Subject, PredicateError> {
    let algorithm = digest.need("algorithm")?;
    let name = match algorithm.text()? {
        "SHA2_256" => "sha256",
        "SHA2_384" => "sha384",
        "SHA2_512" => "sha512",
        other => return Err(algorithm.fault(format!("is {}, which is not taken", quoted(other)))),
    };
    let value = digest.need("digest")?;
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(value.text()?)
        .map_err(|_| value.fault("is not base64"))?;
    let hex = hex::encode(bytes);
    if !Subject::takes_digest(name, &hex) {
        return Err(value.fault(format!("is no digest by {name}")));
    }
    Ok(Subject::of_parts(None, None, vec![(name.to_owned(), hex)]))
}

fn statement(
    place: String,
    bundle: String,
    signed: &Envelope,
    is_of_pypi: bool,
) -> Result<Attestation, DocumentError> {
    let at = |reason: String| DocumentError::Content {
        path: format!("{place} (the statement within)"),
        reason,
    };
    let value = parse(&signed.payload).map_err(|e| at(format!("holds no JSON: {e}")))?;
    let subjects = about(&value, is_of_pypi).map_err(|e| at(e.to_string()))?;
    Ok(Attestation {
        place: place.clone(),
        bundle,
        says: Says::Statement {
            sha256: Hash::of(&signed.payload),
            value,
        },
        subjects,
        publisher: None,
    })
}

/// What a statement is about.
fn about(statement: &Value, is_of_pypi: bool) -> Result<Vec<Subject>, PredicateError> {
    let root = Node::root("$", statement);
    root.need("_type")?
        .one_of(&[in_toto::STATEMENT_V1, in_toto::STATEMENT_V0_1])?;
    root.need("predicateType")?.text()?;
    let subjects = in_toto::subjects(&root)?.list.into_iter();
    Ok(subjects.map(|one| packaged(one, is_of_pypi)).collect())
}

/// npm names packages by their URL, and PyPI by the name of the file.
fn packaged(subject: Subject, is_of_pypi: bool) -> Subject {
    let Some(name) = subject.name().filter(|_| subject.uri().is_none()) else {
        return subject;
    };
    let purl = if name.starts_with("pkg:") {
        Purl::canonicalize(name).ok()
    } else {
        of_pypi(name).filter(|_| is_of_pypi)
    };
    match purl {
        Some(purl) => with_uri(&subject, purl.as_str().to_owned()),
        None => subject,
    }
}

/// PEP 740: the parts of a bundle by other names.
fn pypi(node: &Node<'_, '_>, publisher: Option<Publisher>) -> Result<Attestation, DocumentError> {
    let version = node.need("version")?;
    if version.value().as_u64() != Some(1) {
        return Err(version.fault("is not 1").into());
    }
    let envelope = node.need("envelope")?;
    let material = node.need("verification_material")?;
    let text = |value: &str| Some(value.into());
    let dsse = object([
        ("payload", text(envelope.need("statement")?.text()?)),
        ("payloadType", text(in_toto::PAYLOAD_TYPE)),
        (
            "signatures",
            Some(Value::Array(vec![object([(
                "sig",
                text(envelope.need("signature")?.text()?),
            )])])),
        ),
    ]);
    let certificate = material.need("certificate")?.text()?;
    let entries = material.need("transparency_entries")?;
    let bundle = object([
        ("mediaType", text(BUNDLE_V0_3)),
        (
            "verificationMaterial",
            Some(object([
                (
                    "certificate",
                    Some(object([("rawBytes", text(certificate))])),
                ),
                ("tlogEntries", Some(entries.value().clone())),
            ])),
        ),
        ("dsseEnvelope", Some(dsse)),
    ]);
    let whole = Node::root("$", &bundle);
    let signed = in_toto::signed(&whole.need("dsseEnvelope")?)?;
    let mut read = statement(node.path(), bundle.to_json(), &signed, true)?;
    read.publisher = publisher;
    Ok(read)
}
