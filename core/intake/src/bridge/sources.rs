//! The sources that there are bridges of, and how their documents are read.

use super::RECORD_BYTES;
use super::record::{Record, Says};
use super::registry;
use super::verifier::Verifier;
use crate::documents::{self, Document, DocumentError, Prepared, front_matter, is_withdrawn};
use crate::limits::DOCUMENT_BYTES;
use assay_claims::json::Value;
use assay_claims::kind::node::Node;
use assay_claims::statement::Subject;
use assay_tlog::Hash;

/// A source of public data.
#[derive(Debug)]
pub struct Bridge {
    /// The name of its bridge.
    pub name: &'static str,
    /// What it is, in a line of help.
    pub help: &'static str,
    /// What claims call it.
    pub source: &'static str,
    /// The license of its data, as claims state it.
    pub license: &'static str,
    /// How the names of its files end.
    pub extensions: &'static [&'static str],
    /// Folders that are looked into though their names begin with a dot.
    pub hidden: &'static [&'static str],
    /// Largest document, in bytes.
    pub most_bytes: usize,
    /// Whether its documents may be attestations, which somebody has to verify. They are stored
    /// beside the log, so that everybody can verify them again.
    pub is_attested: bool,
    read: fn(&Input<'_>) -> Result<Vec<Record>, DocumentError>,
}

/// A document of a source.
pub(super) struct Input<'d> {
    pub place: &'d str,
    pub document: &'d Document,
    pub now: &'d str,
    pub verifier: &'d dyn Verifier,
}

/// All bridges.
pub const BRIDGES: &[Bridge] = &[
    Bridge {
        name: "rustsec",
        help: "RustSec's advisory-db: its Markdown, or its records in OSV",
        source: "RustSec advisory-db",
        license: "CC0-1.0 (records that name a GitHub advisory: CC-BY-4.0)",
        extensions: &[".md", ".json"],
        hidden: &[],
        most_bytes: RECORD_BYTES,
        is_attested: false,
        read: rustsec,
    },
    Bridge {
        name: "osv",
        help: "A folder of OSV records in JSON or YAML, one a file: PyPI, npm, Go, Debian, GitHub \
               advisories, …",
        source: "OSV",
        license: "that of the record's database",
        extensions: &[".json", ".yaml", ".yml"],
        hidden: &[],
        most_bytes: RECORD_BYTES,
        is_attested: false,
        read: osv,
    },
    Bridge {
        name: "debian",
        help: "A folder of Debian's records in OSV, one a file: DSA, DLA, DTSA, DEBIAN-CVE",
        source: "Debian security tracker",
        license: "that of the Debian security tracker",
        extensions: &[".json"],
        hidden: &[],
        most_bytes: RECORD_BYTES,
        is_attested: false,
        read: osv,
    },
    Bridge {
        name: "endoflife",
        help: "Answers of endoflife.date's API v1, one product a file, or all in one",
        source: "endoflife.date",
        license: "MIT",
        extensions: &[".json"],
        hidden: &[],
        most_bytes: RECORD_BYTES,
        is_attested: false,
        read: endoflife,
    },
    Bridge {
        name: "cle",
        help: "Documents of CLE (ECMA-428), one component a file",
        source: "CLE documents",
        license: "that of the document's publisher",
        extensions: &[".json"],
        hidden: &[],
        most_bytes: DOCUMENT_BYTES,
        is_attested: false,
        read: cle,
    },
    Bridge {
        name: "cargo-vet",
        help: "Files audits.toml of cargo-vet, one for each who reviews",
        source: "cargo-vet audits",
        license: "that of the file's project",
        extensions: &["audits.toml"],
        hidden: &[],
        most_bytes: DOCUMENT_BYTES,
        is_attested: false,
        read: cargo_vet,
    },
    Bridge {
        name: "scorecard",
        help: "Results of OpenSSF Scorecard in JSON, one repository a file",
        source: "OpenSSF Scorecard",
        license: "CDLA-Permissive-2.0, where it is the project's own data set",
        extensions: &[".json"],
        hidden: &[],
        most_bytes: RECORD_BYTES,
        is_attested: false,
        read: scorecard,
    },
    Bridge {
        name: "security-insights",
        help: "Files of SECURITY-INSIGHTS, one project a file",
        source: "SECURITY-INSIGHTS",
        license: "that of the file's project",
        extensions: &[".yml", ".yaml"],
        // Where its specification looks for the file, besides the root.
        hidden: &[".github", ".gitlab"],
        most_bytes: RECORD_BYTES,
        is_attested: false,
        read: security_insights,
    },
    Bridge {
        name: "npm",
        help: "What npm's registry answers, one package or release a file: its attestations, \
               verified with --trusted-root, and packuments, of which the deprecated releases",
        source: "npm registry",
        license: "that of the package",
        extensions: &[".json"],
        hidden: &[],
        most_bytes: RECORD_BYTES,
        is_attested: true,
        read: registry::npm,
    },
    Bridge {
        name: "pypi",
        help: "What PyPI answers, one project or file a file: attestations of its integrity API, \
               verified with --trusted-root, and its JSON API or simple index, of which what is \
               yanked, archived, deprecated or quarantined",
        source: "PyPI",
        license: "that of the project",
        extensions: &[".json", ".provenance", ".attestation"],
        hidden: &[],
        most_bytes: RECORD_BYTES,
        is_attested: true,
        read: registry::pypi,
    },
];

/// The bridge of this name.
pub fn bridge(name: &str) -> Option<&'static Bridge> {
    BRIDGES.iter().find(|bridge| bridge.name == name)
}

impl Bridge {
    /// Whether a file of this name is one of the source's.
    pub fn takes(&self, file_name: &str) -> bool {
        let mut endings = self.extensions.iter();
        endings.any(|ending| file_name.ends_with(ending))
    }

    /// The records of a document that is at `place`, a path below the source's folder; `now` is an
    /// RFC 3339 time that stands where the document gives none and a claim needs one, and
    /// `verifier` judges attestations. A document that is none of the source's, such as a page that
    /// explains it, has none.
    ///
    /// # Errors
    ///
    /// Where the document is malformed, or not what the source's documents are.
    pub fn read(
        &self,
        place: &str,
        bytes: &[u8],
        now: &str,
        verifier: &dyn Verifier,
    ) -> Result<Vec<Record>, DocumentError> {
        let document = &Document::new(place, bytes)?;
        (self.read)(&Input {
            place,
            document,
            now,
            verifier,
        })
    }
}

/// What is refused because there is nothing to claim says nothing; other errors are errors.
pub(super) fn says(claims: Result<Vec<Prepared>, DocumentError>) -> Result<Says, DocumentError> {
    match claims {
        Ok(claims) if claims.iter().any(|claim| claim.subjects.is_empty()) => {
            Ok(Says::Nothing("it names no package".to_owned()))
        }
        // Where what it says does not fit a claim, nobody would be told without the document.
        Ok(claims) if claims.iter().any(is_reference) => {
            Ok(Says::Nothing("it is too large for a claim".to_owned()))
        }
        Ok(claims) => Ok(Says::Claims(claims)),
        Err(DocumentError::NotTaken(reason)) => Ok(Says::Nothing(reason)),
        Err(error) => Err(error),
    }
}

fn is_reference(claim: &Prepared) -> bool {
    assay_claims::kind::Kind::Reference.uri() == Some(claim.predicate_type.as_str())
}

fn osv(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    let is_json = input.place.ends_with(".json");
    if !is_json && !documents::is_osv_yaml(input.document.body()) {
        return Ok(Vec::new());
    }
    let value = documents::osv_value(input.document)?;
    let root = Node::root("$", &value);
    if is_of_tracker(&value) {
        let advice = "is what Debian's security tracker answers of all packages, and is not read: \
                      bridge its records in OSV, \
                      https://storage.googleapis.com/osv-vulnerabilities/Debian/all.zip";
        return Err(root.fault(advice).into());
    }
    let key = root.need("id")?.text()?.to_owned();
    root.need("modified")?.instant()?;
    let says = if root.get("withdrawn").is_some() {
        Says::Withdrawn
    } else if root.get("affected").is_none() {
        Says::Nothing("it names no package".to_owned())
    } else {
        let claims = documents::prepare_value("vex", input.document, &value, input.now);
        says(claims)?
    };
    Ok(vec![Record { key, says }])
}

/// Whether a value has what is known of packages below their names, and there below names of
/// vulnerabilities.
fn is_of_tracker(value: &Value) -> bool {
    let first = value.as_object().and_then(<[(String, Value)]>::first);
    let first = first.and_then(|(_, package)| package.as_object()?.first());
    first.is_some_and(|(name, _)| ["CVE-", "TEMP-"].iter().any(|it| name.starts_with(it)))
}

fn rustsec(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    if input.place.ends_with(".json") {
        return osv(input);
    }
    let name = input.place.rsplit('/').next().unwrap_or_default();
    if !name.starts_with("RUSTSEC-") {
        return Ok(Vec::new());
    }
    let matter = front_matter(input.document)?;
    let root = Node::root("$", &matter);
    let key = root.need("advisory")?.need("id")?.text()?.to_owned();
    let says = if is_withdrawn(&matter) {
        Says::Withdrawn
    } else if input.place.split('/').any(|folder| folder == "rust") {
        Says::Nothing("it is about Rust itself, which is no crate".to_owned())
    } else {
        let bytes = input.document.bytes();
        says(documents::prepare("vex", name, bytes, input.now))?
    };
    Ok(vec![Record { key, says }])
}

/// The records of a product, or of all of them (`/api/v1/products/full`).
fn endoflife(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    let value = input.document.json()?;
    if value.as_array().is_some() {
        let advice = "is an answer of version 0 of the API, which does not say of which packages \
                      it is: bridge what version 1 answers, \
                      https://endoflife.date/api/v1/products/<product>/ or …/products/full";
        return Err(Node::root("$", &value).fault(advice).into());
    }
    let Some(products) = value.get("result").and_then(Value::as_array) else {
        return cycles(input, &value);
    };
    // What else the answer says is copied once a product.
    let members = ["schema_version", "last_modified"].into_iter();
    let members: Vec<_> = members
        .filter_map(|key| Some((key.to_owned(), short(value.get(key)?)?)))
        .collect();
    let mut records = Vec::new();
    for product in products {
        let mut answer = members.clone();
        answer.push(("result".to_owned(), product.clone()));
        records.extend(cycles(input, &Value::Object(answer))?);
    }
    Ok(records)
}

/// A value that is no longer than a version or a time.
fn short(value: &Value) -> Option<Value> {
    let is_long = value.as_str().is_none_or(|text| text.len() > 64);
    (!is_long).then(|| value.clone())
}

/// A record for each cycle of the product: a date that is put off changes no other.
fn cycles(input: &Input<'_>, value: &Value) -> Result<Vec<Record>, DocumentError> {
    let root = Node::root("$", value);
    let result = root.need("result")?;
    let product = result.need("name")?.text()?;
    let claims = documents::prepare_value("lifecycle", input.document, value, input.now)?;
    let mut records = Vec::new();
    for claim in claims {
        let cycle = claim.predicate.pointer("/versions/cycle");
        let cycle = cycle.and_then(Value::as_str).unwrap_or_default();
        let key = format!("{product}/{cycle}");
        let says = says(Ok(vec![claim]))?;
        records.push(Record { key, says });
    }
    Ok(records)
}

/// A record for each set of versions of the component. A document that says of nothing that it ends
/// has none.
fn cle(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    let value = input.document.json()?;
    if value.get("events").is_none() {
        return Ok(Vec::new());
    }
    let claims = match documents::prepare_value("lifecycle", input.document, &value, input.now) {
        Err(DocumentError::NotTaken(_)) => return Ok(Vec::new()),
        claims => claims?,
    };
    let mut records = Vec::new();
    for claim in claims {
        let about = claim.subjects.first().and_then(Subject::uri);
        let about = about.unwrap_or(input.place);
        let versions = claim.predicate.get("versions").map(Value::to_json);
        let key = format!("{about} {}", versions.as_deref().unwrap_or("all"));
        let says = says(Ok(vec![claim]))?;
        records.push(Record { key, says });
    }
    Ok(records)
}

/// A record for each review. It has no name but what it says.
fn cargo_vet(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    let bytes = input.document.bytes();
    let claims = documents::prepare("audit", input.place, bytes, input.now)?;
    let mut records = Vec::new();
    for claim in claims {
        let about = claim.subjects.first().and_then(Subject::uri);
        let about = about.unwrap_or_default().to_owned();
        let says = says(Ok(vec![claim]))?;
        let mut record = Record {
            key: String::new(),
            says,
        };
        let print = record.print().unwrap_or_else(|| Hash::of(b""));
        let short: String = print.to_hex().chars().take(16).collect();
        record.key = format!("{} {about} {short}", input.place);
        records.push(record);
    }
    Ok(records)
}

fn scorecard(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    let value = input.document.json()?;
    let root = Node::root("$", &value);
    let repository = root.need("repo")?;
    let key = repository.need("name")?.text()?.to_owned();
    let claims = documents::prepare_value("scorecard", input.document, &value, input.now)?;
    let says = says(Ok(claims))?;
    Ok(vec![Record { key, says }])
}

/// A file has no name but its place. One that is called otherwise, and has nothing of it, is some
/// other of the project.
fn security_insights(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    let bytes = input.document.bytes();
    let name = input.place.rsplit('/').next().unwrap_or_default();
    let is_called_so = name.to_ascii_lowercase().starts_with("security-insights");
    let mut lines = input.document.body().split(|byte| *byte == b'\n');
    let parts = [&b"header:"[..], b"baseline:", b"data:"];
    if !is_called_so && !lines.any(|line| parts.iter().any(|part| line.starts_with(part))) {
        return Ok(Vec::new());
    }
    let claims = documents::prepare("practice", input.place, bytes, input.now)?;
    let key = input.place.to_owned();
    let says = says(Ok(claims))?;
    Ok(vec![Record { key, says }])
}
