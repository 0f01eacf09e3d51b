//! The sources that there are bridges of, and how their documents are read.

use super::RECORD_BYTES;
use super::record::{Record, Says};
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
    /// Largest document, in bytes.
    pub most_bytes: usize,
    read: fn(&Input<'_>) -> Result<Vec<Record>, DocumentError>,
}

/// A document of a source.
struct Input<'d> {
    place: &'d str,
    document: &'d Document,
    now: &'d str,
}

/// All bridges.
pub const BRIDGES: &[Bridge] = &[
    Bridge {
        name: "rustsec",
        help: "RustSec's advisory-db: its Markdown, or its records in OSV",
        source: "RustSec advisory-db",
        license: "CC0-1.0 (records that name a GitHub advisory: CC-BY-4.0)",
        extensions: &[".md", ".json"],
        most_bytes: RECORD_BYTES,
        read: rustsec,
    },
    Bridge {
        name: "osv",
        help: "A folder of OSV records, one a file: PyPI, npm, Go, Debian, GitHub advisories, …",
        source: "OSV",
        license: "that of the record's database",
        extensions: &[".json"],
        most_bytes: RECORD_BYTES,
        read: osv,
    },
    Bridge {
        name: "debian",
        help: "A folder of Debian's records in OSV, one a file: DSA, DLA, DTSA, DEBIAN-CVE",
        source: "Debian security tracker",
        license: "that of the Debian security tracker",
        extensions: &[".json"],
        most_bytes: RECORD_BYTES,
        read: osv,
    },
    Bridge {
        name: "endoflife",
        help: "Answers of endoflife.date's API v1, one product a file",
        source: "endoflife.date",
        license: "MIT",
        extensions: &[".json"],
        most_bytes: RECORD_BYTES,
        read: endoflife,
    },
    Bridge {
        name: "cle",
        help: "Documents of CLE (ECMA-428), one component a file",
        source: "CLE documents",
        license: "that of the document's publisher",
        extensions: &[".json"],
        most_bytes: DOCUMENT_BYTES,
        read: cle,
    },
    Bridge {
        name: "cargo-vet",
        help: "Files audits.toml of cargo-vet, one for each who reviews",
        source: "cargo-vet audits",
        license: "that of the file's project",
        extensions: &["audits.toml"],
        most_bytes: DOCUMENT_BYTES,
        read: cargo_vet,
    },
    Bridge {
        name: "scorecard",
        help: "Results of OpenSSF Scorecard in JSON, one repository a file",
        source: "OpenSSF Scorecard",
        license: "CDLA-Permissive-2.0, where it is the project's own data set",
        extensions: &[".json"],
        most_bytes: RECORD_BYTES,
        read: scorecard,
    },
    Bridge {
        name: "security-insights",
        help: "Files of SECURITY-INSIGHTS, one project a file",
        source: "SECURITY-INSIGHTS",
        license: "that of the file's project",
        extensions: &[".yml", ".yaml"],
        most_bytes: RECORD_BYTES,
        read: security_insights,
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
    /// RFC 3339 time that stands where the document gives none and a claim needs one. A document
    /// that is none of the source's, such as a page that explains it, has none.
    ///
    /// # Errors
    ///
    /// Where the document is malformed, or not what the source's documents are.
    pub fn read(&self, place: &str, bytes: &[u8], now: &str) -> Result<Vec<Record>, DocumentError> {
        let document = &Document::new(place, bytes)?;
        (self.read)(&Input {
            place,
            document,
            now,
        })
    }
}

/// What is refused because there is nothing to claim says nothing; other errors are errors.
fn says(claims: Result<Vec<Prepared>, DocumentError>) -> Result<Says, DocumentError> {
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
    let value = input.document.json()?;
    let root = Node::root("$", &value);
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

/// A record for each cycle of the product: a date that is put off changes no other.
fn endoflife(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    let value = input.document.json()?;
    let root = Node::root("$", &value);
    let result = root.need("result")?;
    let product = result.need("name")?.text()?;
    let claims = documents::prepare_value("lifecycle", input.document, &value, input.now)?;
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

/// A file has no name but its place.
fn security_insights(input: &Input<'_>) -> Result<Vec<Record>, DocumentError> {
    let bytes = input.document.bytes();
    let claims = documents::prepare("practice", input.place, bytes, input.now)?;
    let key = input.place.to_owned();
    let says = says(Ok(claims))?;
    Ok(vec![Record { key, says }])
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-11-22T18:41:48Z";

    fn read(name: &str, place: &str, text: &str) -> Vec<Record> {
        let bridge = bridge(name).unwrap();
        bridge.read(place, text.as_bytes(), NOW).unwrap()
    }

    fn osv_record(more: &str) -> String {
        format!(r#"{{"id":"X-1","modified":"2026-01-01T00:00:00Z"{more}}}"#)
    }

    const AFFECTED: &str = r#","affected":[{"package":{"ecosystem":"npm","name":"a"}}]"#;

    #[test]
    fn a_record_stands_was_withdrawn_or_says_nothing() {
        let outcome = |more: &str| read("osv", "a.json", &osv_record(more)).remove(0).says;
        assert!(matches!(outcome(AFFECTED), Says::Claims(claims) if claims.len() == 1));
        let withdrawn = format!(r#"{AFFECTED},"withdrawn":"2026-02-01T00:00:00Z""#);
        assert_eq!(outcome(&withdrawn), Says::Withdrawn);
        for nothing in [
            "",
            r#","affected":[]"#,
            r#","affected":[{"package":{"ecosystem":"Nowhere","name":"a"}}]"#,
        ] {
            assert!(matches!(outcome(nothing), Says::Nothing(_)), "{nothing}");
        }
        let bridge = bridge("osv").unwrap();
        for wrong in ["{", "[]", "{}", r#"{"id":"X-1"}"#] {
            assert!(
                bridge.read("a.json", wrong.as_bytes(), NOW).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_is_said_is_told_from_when_it_was_looked_at() {
        let print = |text: &str| read("osv", "a.json", text)[0].print().unwrap();
        let first = osv_record(AFFECTED);
        assert_eq!(
            print(&first),
            print(&first.replace("2026-01-01", "2026-01-02"))
        );
        assert_ne!(print(&first), print(&first.replace(r#""a""#, r#""b""#)));
        let aliases = first.replace(r#""affected""#, r#""aliases":["CVE-1"],"affected""#);
        assert_ne!(print(&first), print(&aliases));
    }

    #[test]
    fn a_claim_of_a_bridge_says_that_it_is_one() {
        let document = Hash::of(b"document");
        let record = read("osv", "a.json", &osv_record(AFFECTED)).remove(0);
        let bridge = bridge("osv").unwrap();
        let claim = record.republished(bridge, &document, 3).remove(0);
        assert_eq!(claim.attachment, None);
        let text = |pointer: &str| {
            let value = claim.predicate.pointer(pointer).cloned();
            value.map(|value| value.to_json())
        };
        for (pointer, expected) in [
            ("/republished/from", Some("\"OSV\"".to_owned())),
            ("/republished/record", Some("\"X-1\"".to_owned())),
            (
                "/republished/sha256",
                Some(format!("\"{}\"", document.to_hex())),
            ),
            (
                "/republished/license",
                Some("\"that of the record's database\"".to_owned()),
            ),
            ("/republished/revision", Some("3".to_owned())),
            ("/version", Some("3".to_owned())),
            (
                "/author",
                Some("\"a bridge of OSV, not its own words\"".to_owned()),
            ),
            ("/attachments", None),
        ] {
            assert_eq!(text(pointer), expected, "{pointer}");
        }
        assert!(
            text("/republished/note")
                .unwrap()
                .contains("not the author's own words")
        );
        claim.check().unwrap();
    }

    #[test]
    fn each_cycle_of_a_product_is_a_record() {
        let product = r#"{"schema_version":"1.2.0","last_modified":"2026-01-01T00:00:00+00:00",
            "result":{"name":"p","identifiers":[{"type":"purl","id":"pkg:generic/p"}],
            "releases":[{"name":"1","isEol":false,"eolFrom":"2030-01-01"},
            {"name":"2","isEol":false,"eolFrom":"2031-01-01"}]}}"#;
        let records = read("endoflife", "p.json", product);
        let keys: Vec<&str> = records.iter().map(|record| record.key.as_str()).collect();
        assert_eq!(keys, ["p/1", "p/2"]);
        let later = read("endoflife", "p.json", &product.replace("2031", "2032"));
        assert_eq!(records[0].print(), later[0].print());
        assert_ne!(records[1].print(), later[1].print());
        let claim = records[0].clone();
        let bridge = bridge("endoflife").unwrap();
        let claim = claim.republished(bridge, &Hash::of(b""), 1).remove(0);
        let role = claim.predicate.pointer("/role").and_then(Value::as_str);
        assert!(
            role.unwrap().contains("bridge of endoflife.date"),
            "{role:?}"
        );
        claim.check().unwrap();
        // Without a package URL nobody would find it.
        let unnamed = product.replace("purl\"", "cpe\"");
        let records = read("endoflife", "p.json", &unnamed);
        assert!(matches!(records[0].says, Says::Nothing(_)));
    }

    #[test]
    fn each_set_of_versions_of_a_component_is_a_record() {
        let component = r#"{"identifier":"pkg:npm/a","updatedAt":"2026-01-01T00:00:00Z","events":[
            {"id":2,"type":"endOfLife","effective":"2030-01-01T00:00:00Z","versions":["2"],
            "published":"2026-01-01T00:00:00Z"},
            {"id":1,"type":"endOfLife","effective":"2029-01-01T00:00:00Z","versions":["1"],
            "published":"2026-01-01T00:00:00Z"}]}"#;
        let records = read("cle", "a.json", component);
        let keys: Vec<&str> = records.iter().map(|record| record.key.as_str()).collect();
        let expected = ["2", "1"].map(|one| format!("pkg:npm/a {{\"version\":\"{one}\"}}"));
        assert_eq!(keys, expected);
        let later = read("cle", "a.json", &component.replace("2030", "2031"));
        assert_eq!(records[1].print(), later[1].print());
        assert_ne!(records[0].print(), later[0].print());
        // Without a package URL nobody would find it; and another document is none of the source's.
        let unnamed = component.replace("pkg:npm/a", "a");
        assert!(matches!(
            read("cle", "a.json", &unnamed)[0].says,
            Says::Nothing(_)
        ));
        assert_eq!(read("cle", "a.json", r#"{"pages":[]}"#), []);
        // A page of several may be without a withdrawal: it is an error, so nothing is withdrawn.
        let page = component.replace(r#""events""#, r#""next":"b","events""#);
        let bridge = bridge("cle").unwrap();
        assert!(bridge.read("a.json", page.as_bytes(), NOW).is_err());
    }

    #[test]
    fn each_review_is_a_record_that_is_named_by_what_it_says() {
        let audit = |notes: &str| {
            format!(
                "[[audits.a]]\nwho = \"A\"\ncriteria = \"safe-to-deploy\"\n\
                 version = \"1.0.0\"\nnotes = \"{notes}\"\n"
            )
        };
        let first = read("cargo-vet", "x/audits.toml", &audit("one"));
        let both = read(
            "cargo-vet",
            "x/audits.toml",
            &(audit("one") + &audit("two")),
        );
        assert_eq!((first.len(), both.len()), (1, 2));
        assert_eq!(first[0].key, both[0].key);
        assert_ne!(both[0].key, both[1].key);
    }

    #[test]
    fn a_score_is_the_record_of_its_repository() {
        let score = |date: &str, score: &str, name: &str| {
            format!(
                r#"{{"date":"{date}","repo":{{"name":"{name}",
                "commit":"68bc59901773ab4c051dfcea0cc4201a1567ab32"}},
                "scorecard":{{"version":"v5.0.0","commit":"x"}},"score":{score},
                "checks":[{{"name":"SAST","score":10,"reason":"r","details":null}}],
                "metadata":null}}"#
            )
        };
        let read = |text: String| read("scorecard", "a.json", &text).remove(0);
        let first = read(score("2026-01-01", "8.9", "github.com/o/r"));
        assert_eq!(first.key, "github.com/o/r");
        let later = read(score("2026-01-08", "8.9", "github.com/o/r"));
        assert_eq!(first.print(), later.print());
        let worse = read(score("2026-01-08", "7.9", "github.com/o/r"));
        assert_ne!(first.print(), worse.print());
    }

    #[test]
    fn advisories_of_rust_itself_and_other_pages_are_passed_over() {
        let advisory = "```toml\n[advisory]\nid = \"RUSTSEC-2099-0001\"\npackage = \"a\"\n\
            date = \"2099-01-02\"\n[versions]\npatched = []\n```\n# A\n";
        let outcome = |place: &str, text: &str| {
            let mut records = read("rustsec", place, text);
            records.pop().map(|record| (record.key, record.says))
        };
        let key = "RUSTSEC-2099-0001";
        let crates = outcome(&format!("crates/a/{key}.md"), advisory).unwrap();
        assert!(crates.0 == key && matches!(crates.1, Says::Claims(_)));
        let rust = outcome(&format!("rust/std/{key}.md"), advisory).unwrap();
        assert!(matches!(rust.1, Says::Nothing(_)));
        let withdrawn = advisory.replace("[versions]", "withdrawn = \"2099-02-01\"\n[versions]");
        let withdrawn = outcome(&format!("crates/a/{key}.md"), &withdrawn).unwrap();
        assert_eq!(withdrawn.1, Says::Withdrawn);
        assert_eq!(outcome("README.md", "# Read me"), None);
    }
}
