//! Products as documents name them.

use super::super::subjects::Subjects;
use assay_claims::json::{Value, object};
use assay_claims::kind::vex::UNNAMED;
use assay_claims::purl::{Components, Purl};
use assay_claims::statement::Subject;
use assay_claims::vers::QUALIFIER;

/// Something that a document names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in super::super) struct Named {
    /// What the document calls it, if it has no better name.
    pub id: Option<String>,
    /// Its name, for people.
    pub name: Option<String>,
    /// Its purls, any of which names it.
    pub purls: Vec<Purl>,
    /// Its CPE.
    pub cpe: Option<String>,
    /// Its digests, under in-toto's names.
    pub digests: Vec<(String, String)>,
}

impl Named {
    /// What has this purl, if it is one; else what is called so.
    pub fn of_text(text: &str) -> Self {
        match Purl::canonicalize(text) {
            Ok(purl) => Named {
                purls: vec![purl],
                ..Named::default()
            },
            Err(_) => Named {
                id: Some(text.to_owned()),
                ..Named::default()
            },
        }
    }

    /// Whether it can be told from others.
    pub fn is_identified(&self) -> bool {
        !self.purls.is_empty() || !self.digests.is_empty()
    }

    /// Whether it is surely the same.
    pub fn is_same(&self, other: &Named) -> bool {
        let mut purls = self.purls.iter();
        let same_purl = purls.any(|purl| other.purls.contains(purl));
        same_purl || (self.purls.is_empty() && self == other)
    }

    /// Whether one of its purls is of a package that one of the other's is of; or, without a purl,
    /// whether they have a digest in common.
    pub fn is_of_package(&self, other: &Named) -> bool {
        let mut purls = self.purls.iter();
        let mut digests = self.digests.iter();
        purls.any(|purl| other.purls.iter().any(|one| one.is_same_package(purl)))
            || (self.purls.is_empty() && digests.any(|one| other.digests.contains(one)))
    }

    /// The same in this version. Of a version that it does not name, it is not known what digest it
    /// has there. What has no purl keeps its name and is not known to be anything.
    pub fn in_version(&self, version: &str) -> Self {
        self.each_purl(version, |parts| parts.version = Some(version.to_owned()))
    }

    /// The same in these versions, which are a `vers:` range; in others nobody can tell.
    pub fn in_range(&self, range: &str) -> Self {
        self.each_purl(range, |parts| {
            parts.version = None;
            parts.qualifiers.retain(|(key, _)| key != QUALIFIER);
            parts
                .qualifiers
                .push((QUALIFIER.to_owned(), range.to_owned()));
        })
    }

    fn each_purl(&self, what: &str, change: impl Fn(&mut Components)) -> Self {
        let changed = self.purls.iter().filter_map(|purl| {
            let mut parts = purl.components().clone();
            change(&mut parts);
            Purl::build(parts).ok()
        });
        let purls: Vec<Purl> = changed.collect();
        let id = purls.is_empty().then(|| {
            let id = self
                .id
                .as_ref()
                .or(self.cpe.as_ref())
                .or(self.name.as_ref());
            format!("{} {what}", id.map(String::as_str).unwrap_or_default())
        });
        let mut versions = self.purls.iter().filter_map(Purl::version);
        let is_this = !purls.is_empty() && versions.all(|version| version == what);
        Named {
            id,
            name: self.name.clone(),
            purls,
            cpe: self.cpe.clone().filter(|_| is_this),
            digests: if is_this {
                self.digests.clone()
            } else {
                Vec::new()
            },
        }
    }

    /// The products of OpenVEX that it is, with the part that a statement is about. `alone` says
    /// that what has no purl is nothing that has a name elsewhere.
    pub fn products(&self, part: Option<&Named>, alone: bool) -> Vec<Value> {
        let parts = part.map(|part| Value::Array(part.components(None, alone)));
        self.components(parts, alone)
    }

    fn components(&self, parts: Option<Value>, alone: bool) -> Vec<Value> {
        let one = |purl: Option<&Purl>| {
            let identifiers = object([
                ("purl", purl.map(|purl| purl.as_str().into())),
                ("cpe23", self.cpe.as_deref().map(Value::from)),
            ]);
            let identified = purl.is_some() || self.cpe.is_some();
            let name = self.id.as_deref().or(self.name.as_deref());
            let id = match (purl, name.unwrap_or("unnamed")) {
                (Some(purl), _) => purl.as_str().to_owned(),
                (None, name) if alone => format!("{UNNAMED}{name}"),
                (None, name) => name.to_owned(),
            };
            let hashes = self.digests.iter();
            let hashes = hashes.map(|(name, value)| (name.clone(), value.as_str().into()));
            object([
                ("@id", Some(id.into())),
                ("identifiers", identified.then_some(identifiers)),
                (
                    "hashes",
                    (!self.digests.is_empty()).then(|| Value::Object(hashes.collect())),
                ),
                ("subcomponents", parts.clone()),
            ])
        };
        if self.purls.is_empty() {
            return vec![one(None)];
        }
        self.purls.iter().map(|purl| one(Some(purl))).collect()
    }

    /// Suggests it as what a claim is about. Of a range of versions that is the package.
    pub fn suggest(&self, subjects: &mut Subjects) {
        let name = self.name.as_deref();
        let mut digests = self.digests.clone();
        digests.retain(|(name, value)| Subject::takes_digest(name, value));
        for purl in &self.purls {
            let mut parts = purl.components().clone();
            parts.qualifiers.retain(|(key, _)| key != QUALIFIER);
            let purl = Purl::build(parts).unwrap_or_else(|_| purl.clone());
            subjects.suggest(name, Some(purl.as_str()), digests.clone());
        }
        if self.purls.is_empty() {
            subjects.suggest(name, None, digests);
        }
    }
}
