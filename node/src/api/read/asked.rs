//! What a request asks for: names and speakers, as its query has them.

use crate::api::status::invalid;
use assay_claims::claim::ClaimId;
use assay_claims::index::{By, DIGESTS, Kind, Label, Name, PackageNames, Query};
use assay_claims::issuer::IssuerId;
use assay_claims::kind;
use assay_claims::limits;
use assay_claims::purl::Purl;
use assay_proto::v1::LookupRequest;
use assay_tlog::Hash;
use bytes::Bytes;
use std::str::FromStr;
use tonic::Status;

/// The parameters that name what is spoken of.
pub const NAMES: [&str; 7] = ["name", "purl", "digest", "vuln", "cve", "issuer", "claim"];

/// The parameters that name who speaks.
pub const SPEAKERS: [&str; 2] = ["by", "type"];

/// The parameters of a query.
pub struct Asked(Vec<(String, String)>);

/// What `lookup` asks.
pub enum LookUp {
    /// A page of a label's list.
    Page(LookupRequest),
    /// Who speaks of a name.
    Who(Query),
}

impl Asked {
    /// Reads a query, whose parameters have to be among these.
    pub fn read(query: &str, known: &[&[&str]]) -> Result<Self, Status> {
        let pairs = form_urlencoded::parse(query.as_bytes()).into_owned();
        let pairs: Vec<(String, String)> = pairs.collect();
        // What is no UTF-8 was replaced. It must not be answered as if that had been asked.
        let lost = |text: &String| text.contains(char::REPLACEMENT_CHARACTER);
        if pairs.iter().any(|(name, value)| lost(name) || lost(value)) {
            return Err(invalid("query", "a query is in UTF-8".into()));
        }
        let is_known = |name: &str| known.iter().any(|some| some.contains(&name));
        match pairs.iter().find(|(name, _)| !is_known(name)) {
            None => Ok(Asked(pairs)),
            Some((name, _)) => Err(invalid(
                "query",
                format!("this route has no parameter {:?}", shortened(name)),
            )),
        }
    }

    /// What `lookup` asks.
    pub fn look_up(&self) -> Result<LookUp, Status> {
        let page = |label: Label| {
            Ok(LookUp::Page(LookupRequest {
                label: Bytes::copy_from_slice(label.as_bytes()),
                from: self.number("from")?.unwrap_or_default(),
                limit: self.number("limit")?.unwrap_or_default(),
            }))
        };
        let (names, by) = (self.names()?, self.speakers()?);
        if let Some(text) = self.one("label")? {
            if !(names.is_empty() && by.is_empty()) {
                let message = "a label has its name and its speaker already".to_owned();
                return Err(invalid("label", message));
            }
            return page(Label::from_bytes(hex("label", text)?));
        }
        match (&names[..], &by[..]) {
            ([name], [by]) => page(Label::of(*name, *by)),
            ([name], []) if self.one("from")?.or(self.one("limit")?).is_none() => {
                Ok(LookUp::Who(Query::Census(name.prefix())))
            }
            ([_], []) => {
                let message = "a page is of what one speaker said: name it".to_owned();
                Err(invalid("by", message))
            }
            ([_], _) => {
                let message = "one speaker is asked for at once; batch asks for several".to_owned();
                Err(invalid("by", message))
            }
            _ => Err(invalid(
                "query",
                format!("ask about one of {}", NAMES.join(", ")),
            )),
        }
    }

    /// What `batch` asks.
    pub fn batch(&self) -> Result<Query, Status> {
        let (names, by) = (self.names()?, self.speakers()?);
        if names.is_empty() || by.is_empty() {
            let message = "a batch has at least one name and one speaker";
            return Err(invalid("query", message.into()));
        }
        Ok(Query::names(names, by))
    }

    /// What `prefix` asks.
    pub fn prefix(&self) -> Result<Query, Status> {
        let by = self.speakers()?;
        let text = self.one("prefix")?.unwrap_or_default();
        let bytes = ::hex::decode(text);
        let bytes = bytes.map_err(|_| invalid("prefix", "a prefix is written in hex".into()))?;
        // Who forgets them does not mean the whole index.
        let bits = self.number("bits")?;
        let bits =
            bits.ok_or_else(|| invalid("bits", "say how many bits the prefix has".into()))?;
        crate::api::index::by_prefix(&bytes, bits, by)
    }

    /// The leaf that is meant, if one is named.
    pub fn leaf(&self) -> Result<Option<u64>, Status> {
        self.number("leaf")
    }

    fn all<'a>(&'a self, names: &'a [&str]) -> impl Iterator<Item = (&'a str, &'a str)> {
        let pairs = self
            .0
            .iter()
            .filter(move |(name, _)| names.contains(&name.as_str()));
        pairs.map(|(name, value)| (name.as_str(), value.as_str()))
    }

    fn one(&self, name: &'static str) -> Result<Option<&str>, Status> {
        let mut values = self.0.iter().filter(|(it, _)| it == name);
        let first = values.next().map(|(_, value)| value.as_str());
        match values.next() {
            None => Ok(first),
            Some(_) => Err(invalid(name, format!("{name} is given once"))),
        }
    }

    fn number<T: FromStr>(&self, name: &'static str) -> Result<Option<T>, Status> {
        let text = self.one(name)?;
        let number = text.map(|text| text.parse().map_err(|_| not_a_number(name)));
        number.transpose()
    }

    fn names(&self) -> Result<Vec<Name>, Status> {
        self.all(&NAMES)
            .map(|(kind, text)| name(kind, text))
            .collect()
    }

    fn speakers(&self) -> Result<Vec<By>, Status> {
        let speakers = self.all(&SPEAKERS);
        let speakers = speakers.map(|(kind, text)| match kind {
            "type" => Ok(By::predicate_type(text)),
            _ => speaker(text),
        });
        speakers.collect()
    }
}

fn not_a_number(name: &str) -> Status {
    invalid(name, format!("{name} is a number, from 0 on"))
}

/// A text of a stranger, short enough to be said again.
fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

fn hex<const N: usize>(field: &str, text: &str) -> Result<[u8; N], Status> {
    let mut bytes = [0; N];
    match ::hex::decode_to_slice(text, &mut bytes) {
        Ok(()) => Ok(bytes),
        Err(_) => Err(invalid(field, format!("{field} has {} hex digits", 2 * N))),
    }
}

/// The speaker with this id, or half an id.
fn speaker(text: &str) -> Result<By, Status> {
    if text.len() == 2 * Hash::LEN {
        return Ok(By::issuer(&issuer(text, "by")?));
    }
    let half: [u8; 16] = hex("by", text).map_err(|_| {
        let message = "a speaker is an issuer's id, 64 hex digits, or half a label, 32".to_owned();
        invalid("by", message)
    })?;
    By::from_slice(&half).ok_or_else(|| invalid("by", "half a label has 16 bytes".into()))
}

/// Reads the id of an issuer, in hex.
pub fn issuer(text: &str, field: &str) -> Result<IssuerId, Status> {
    IssuerId::from_hex(text).ok_or_else(|| {
        invalid(
            field,
            "the id of an issuer has 64 lower-case hex digits".into(),
        )
    })
}

/// Reads the id of a claim, in hex.
pub fn claim(text: &str) -> Result<ClaimId, Status> {
    ClaimId::from_hex(text).ok_or_else(|| {
        invalid(
            "claim",
            "the id of a claim has 64 lower-case hex digits".into(),
        )
    })
}

fn name(kind: &str, text: &str) -> Result<Name, Status> {
    match kind {
        "purl" => package(text),
        "digest" => digest(text),
        "vuln" => vulnerability(kind, text),
        "cve" => cve(text),
        "claim" => Ok(Name::new(Kind::Claim, &claim(text)?.to_string())),
        "name" => {
            let half: [u8; 16] = hex("name", text)?;
            Name::from_slice(&half)
                .ok_or_else(|| invalid("name", "half a label has 16 bytes".into()))
        }
        _ => Ok(Name::new(Kind::Issuer, &issuer(text, kind)?.to_hex())),
    }
}

/// The name of a vulnerability. What cannot be one is refused: that nothing is known of it would be
/// proven, and true of every mistake.
fn vulnerability(field: &str, text: &str) -> Result<Name, Status> {
    if kind::is_vulnerability_id(text) {
        return Ok(Name::new(Kind::Vuln, text));
    }
    let message = format!(
        "the identifier of a vulnerability has 1 to {} characters, all of them visible ASCII",
        limits::VULNERABILITY_BYTES
    );
    Err(invalid(field, message))
}

fn cve(text: &str) -> Result<Name, Status> {
    let text = text.to_ascii_uppercase();
    if text.starts_with("CVE-") {
        return vulnerability("cve", &text);
    }
    // Other lists write small letters, too.
    Err(invalid(
        "cve",
        "this is no CVE: vuln is for others, as they are spelled".into(),
    ))
}

/// The name of a version, or of a package if the purl names no version (docs/index.md 3.2).
fn package(text: &str) -> Result<Name, Status> {
    // Versions often have a plus sign, which a query turns into a space. No purl has one.
    if text.contains(|it: char| it.is_whitespace() || it.is_control()) {
        let message = "a purl has no spaces: write a + in it as %2B, and a space as %2520";
        return Err(invalid("purl", message.into()));
    }
    let purl = Purl::canonicalize(text).map_err(|error| invalid("purl", error.to_string()))?;
    let names = PackageNames::of(purl.as_str());
    let names = names.ok_or_else(|| invalid("purl", "this purl names no package".into()))?;
    Ok(match &names.version {
        Some(version) => Name::new(Kind::Version, version),
        None => Name::new(Kind::Package, &names.package),
    })
}

fn digest(text: &str) -> Result<Name, Status> {
    let known = text.split_once(':').filter(|(algorithm, hex)| {
        let mut of = DIGESTS.iter().filter(|(name, _)| name == algorithm);
        of.any(|(_, lengths)| lengths.contains(&hex.len()))
            && hex.bytes().all(|it| it.is_ascii_hexdigit())
    });
    match known {
        Some((algorithm, hex)) => {
            let value = format!("{algorithm}:{}", hex.to_ascii_lowercase());
            Ok(Name::new(Kind::Digest, &value))
        }
        None => {
            let names = DIGESTS.map(|(name, _)| name).join(", ");
            let message = format!("a digest is an algorithm ({names}), a colon, and its hex");
            Err(invalid("digest", message))
        }
    }
}

/// What an issuer's page asks: all its records and compromises.
pub fn records(id: &IssuerId) -> Query {
    let kinds = [kind::Kind::Issuer, kind::Kind::KeyCompromise];
    let uris = kinds.into_iter().flat_map(kind::Kind::uris);
    let name = Name::new(Kind::Issuer, &id.to_hex());
    Query::names([name], uris.map(By::predicate_type))
}
