//! Products as documents name them.

use super::super::subjects::Subjects;
use super::words;
use assay_claims::bom_link::BomLink;
use assay_claims::json::{Value, object};
use assay_claims::kind::node::quoted;
use assay_claims::kind::vex::UNNAMED;
use assay_claims::purl::{Components, Purl};
use assay_claims::statement::Subject;
use assay_claims::vers::{self, Applies, QUALIFIER};

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
    /// The BOM, or what is listed in one, that it is.
    pub link: Option<BomLink>,
}

/// Whether a text can be one version: it begins as versions do, and is neither a range nor words.
pub(super) fn is_version(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let mut prefixes = PREFIXES.into_iter();
    let bare = prefixes.find_map(|prefix| lower.strip_prefix(prefix));
    let begins = bare
        .unwrap_or(&lower)
        .starts_with(|c: char| c.is_ascii_digit());
    let digest = lower.strip_prefix("sha256:").unwrap_or(&lower);
    let is_branch = lower.starts_with("dev-");
    let words = |c: char| c.is_whitespace() || "<>=|,*/".contains(c);
    let is_open = lower.ends_with('+') || words::is_open(&lower);
    (begins || is_digest(digest) || is_branch) && !lower.contains(words) && !is_open
}

/// Whether a text is a digest or a commit, in hex.
fn is_digest(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// Whether a text is a range as likely as it is one version, as in `1.0-2.0`. What distributions
/// build has a revision there.
fn may_be_range(ty: &str, text: &str) -> bool {
    const WITH_REVISIONS: [&str; 4] = ["alpm", "apk", "deb", "rpm"];
    let numbers = |part: &str| {
        let parts = part.split('.').map(|one| one.parse::<u64>().ok());
        let parts = parts.collect::<Option<Vec<u64>>>()?;
        (parts.len() > 1).then_some(parts)
    };
    let ends = text.split_once('-');
    let ends = ends.and_then(|(from, to)| numbers(from).zip(numbers(to)));
    !WITH_REVISIONS.contains(&ty) && ends.is_some_and(|(from, to)| from < to)
}

/// Whether the version of a purl is surely not what a document states beside it: where one version
/// has to stand, or a range.
pub(crate) fn contradicts(purl: &Purl, stated: &str, is_range: bool) -> bool {
    let Some(version) = purl.version() else {
        return false;
    };
    if is_range || !is_version(stated) || purl.name().eq_ignore_ascii_case(stated) {
        let range = words::range(purl.ty(), stated);
        let range = range.as_deref().unwrap_or(stated);
        return vers::contains_that_of(range, purl) == Applies::No;
    }
    // A digest is compared with no version.
    let is_comparable = !version.starts_with("sha256:") && !is_digest(version);
    let stated = bare(purl, stated);
    let equal = format!("vers:{}/={stated}", purl.ty());
    is_comparable
        && !stands_in(version, &stated)
        && vers::contains_that_of(&equal, purl) != Applies::Yes
}

/// What people are told of two versions of one product.
pub(super) fn contradiction(purl: &Purl, stated: &str) -> String {
    format!(
        "{} is not the version that the document states beside it, {}: what clears it clears \
         neither",
        purl.as_str(),
        quoted(stated)
    )
}

/// Tells people something, once.
pub(super) fn push_note(notes: &mut Vec<String>, note: String) {
    if !notes.contains(&note) {
        notes.push(note);
    }
}

/// The version in what a document states: without what a release is called before its number, and
/// without the name, the epoch and the architecture of a package.
fn bare(purl: &Purl, stated: &str) -> String {
    let lower = stated.to_ascii_lowercase();
    let name = purl.name().to_ascii_lowercase();
    let after_name = lower.strip_prefix(&name);
    let mut bare = after_name
        .and_then(|rest| rest.strip_prefix('-'))
        .unwrap_or(&lower);
    let mut prefixes = PREFIXES.into_iter();
    bare = prefixes
        .find_map(|prefix| bare.strip_prefix(prefix))
        .unwrap_or(bare);
    if let Some((epoch, rest)) = bare.split_once(':')
        && epoch.bytes().all(|b| b.is_ascii_digit())
    {
        bare = rest;
    }
    let built_for = purl
        .qualifier(ARCH)
        .and_then(|arch| bare.strip_suffix(arch));
    bare = built_for
        .and_then(|rest| rest.strip_suffix('.'))
        .unwrap_or(bare);
    bare.trim_end_matches(".0").to_owned()
}

/// Whether a version has the numbers of another one in it, and perhaps says more: `1.5` stands in
/// `v1.5.0` and `1.5-rc1`, and not in `1.50` or `2.1.5`.
fn stands_in(version: &str, stated: &str) -> bool {
    let version = version.to_ascii_lowercase();
    let version = version.trim_end_matches(".0");
    let mut places = version.match_indices(stated);
    places.any(|(at, _)| {
        let before = version.get(..at).and_then(|text| text.chars().next_back());
        let after = version.get(at + stated.len()..).unwrap_or_default();
        let goes_on = after.strip_prefix('.').unwrap_or(after);
        before.is_none_or(|c| !c.is_ascii_digit() && c != '.')
            && !goes_on.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// What releases are called before their numbers.
const PREFIXES: [&str; 5] = ["go", "release-", "release_", "r", "v"];

/// What stands for a range that is too long for a purl: one that is none.
const LONG: &str = "long";

/// The qualifier for what a package is built for.
const ARCH: &str = "arch";

/// What tells some units of a product from others, which all have one version.
pub(super) const OF_UNITS: [&str; 3] = ["model_numbers", "serial_numbers", "skus"];

/// Whether the version or a qualifier of a purl has a name in it, as a word of its own. A bare
/// number says a patch level only where the version ends with it: `1` is of every `1.0`.
fn says(purl: &Purl, category: &str, name: &str) -> bool {
    let is_bare = !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit());
    let name = name.to_ascii_lowercase();
    let has = |text: &str| {
        let text = text.to_ascii_lowercase();
        text.match_indices(&name).any(|(at, _)| {
            let before = text.get(..at).and_then(|text| text.chars().next_back());
            let after = text.get(at + name.len()..);
            let after = after.and_then(|text| text.chars().next());
            // A patch level can stand right behind a version: 1.0p7.
            let begins = before.is_none_or(|c| !c.is_ascii_alphabetic());
            begins && after.is_none_or(|c| !c.is_ascii_alphanumeric())
        })
    };
    let mut stated = purl.qualifiers().filter(|(key, _)| *key != QUALIFIER);
    let version = purl.version().filter(|version| {
        let ends = version.len() > name.len() && version.ends_with(&*name);
        !OF_UNITS.contains(&category) && (!is_bare || ends)
    });
    version.is_some_and(has) || stated.any(|(_, value)| has(value))
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

    /// The same, which this link leads to.
    pub fn linked(self, link: Option<BomLink>) -> Self {
        Named { link, ..self }
    }

    /// Whether it can be told from others.
    pub fn is_identified(&self) -> bool {
        !self.purls.is_empty() || !self.digests.is_empty() || self.link.is_some()
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

    /// The same in what a document states where a version has to stand. What is none, such as the
    /// name of the package or "all versions", speaks against every version, or against those of
    /// the range that it is; it clears none, as nobody can tell which are meant. Nor does what may
    /// be one version and may be a range, which speaks against both.
    pub fn in_stated_version(&self, stated: &str, clears: bool) -> Self {
        let mut purls = self.purls.iter();
        let is_name = purls.any(|purl| purl.name().eq_ignore_ascii_case(stated));
        let mut purls = self.purls.iter();
        let may_be_range = purls.any(|purl| may_be_range(purl.ty(), stated));
        let is_one = is_version(stated) && !is_name;
        if is_one && !may_be_range {
            return self.in_version(stated);
        }
        if clears {
            return self.in_range(stated);
        }
        if is_one {
            return self.in_version(stated).and(&self.in_range(stated));
        }
        match self.range(stated) {
            Some(range) => self.in_range(&range),
            None => self.each_purl(stated, |parts| parts.version = None),
        }
    }

    /// The same, or what has the other's purls.
    pub fn and(mut self, other: &Named) -> Self {
        for purl in &other.purls {
            if !self.purls.contains(purl) {
                self.purls.push(purl.clone());
            }
        }
        self
    }

    /// The same in a range of versions as a document states it: a `vers:` range, the constraints of
    /// one alone, or all versions in words.
    pub fn in_stated_range(&self, stated: &str) -> Self {
        self.in_range(self.range(stated).as_deref().unwrap_or(stated))
    }

    /// The same in the version that a document has beside its purls, if none of them has one.
    pub fn with_version(self, version: Option<&str>) -> Self {
        let mut purls = self.purls.iter();
        let is_open = purls.all(|purl| purl.version().is_none() && purl.ty() != "oci");
        match version.filter(|version| is_open && is_version(version)) {
            Some(version) if !self.purls.is_empty() => self.in_version(version),
            _ => self,
        }
    }

    /// What is meant where a document states a version beside its purls, and another one than they
    /// have: both by what speaks against it, and neither by what clears it. People are told.
    fn disputed(self, stated: Option<&str>, clears: bool, notes: &mut Vec<String>) -> Self {
        let Some(stated) = stated.filter(|stated| !stated.is_empty()) else {
            return self;
        };
        let mut purls = self.purls.iter();
        let Some(purl) = purls.find(|purl| contradicts(purl, stated, false)) else {
            return self;
        };
        push_note(notes, contradiction(purl, stated));
        if clears {
            let version = purl.version().unwrap_or_default();
            return self.in_range(&format!("{version} {stated}"));
        }
        let other = self.in_stated_version(stated, false);
        self.and(&other)
    }

    /// The same of a product and a part of it, of which `stated` finds the versions by their ids.
    pub fn both_disputed<'d>(
        (product, part): (Self, Option<Self>),
        stated: impl Fn(&str) -> Option<&'d str>,
        clears: bool,
        notes: &mut Vec<String>,
    ) -> (Self, Option<Self>) {
        let mut meant = |named: Self| {
            let stated = named.id.as_deref().and_then(&stated);
            named.disputed(stated, clears, notes)
        };
        (meant(product), part.map(meant))
    }

    /// A range of versions without a scheme, as one of the type.
    fn range(&self, stated: &str) -> Option<String> {
        words::range(self.purls.first()?.ty(), stated)
    }

    /// The same in these versions, which are a `vers:` range; in others nobody can tell. Nor can
    /// anybody of a range for which a purl has no room.
    pub fn in_range(&self, range: &str) -> Self {
        self.each_purl(range, |parts| {
            parts.version = None;
            parts.qualifiers.retain(|(key, _)| key != QUALIFIER);
            let bare = parts.clone();
            let stated = |range: &str| (QUALIFIER.to_owned(), range.to_owned());
            parts.qualifiers.push(stated(range));
            if Purl::build(parts.clone()).is_err() {
                *parts = bare;
                parts.qualifiers.push(stated(LONG));
            }
        })
    }

    /// Only what is called so below its version, such as an architecture or a patch level: as far
    /// as its purls say it themselves, or can. Otherwise digests alone tell what is meant.
    pub fn narrowed(&self, category: &str, name: &str) -> Self {
        let mut narrowed = self.clone();
        let mut told = true;
        for purl in &mut narrowed.purls {
            let is_arch = category == "architecture";
            if is_arch && purl.qualifier(ARCH).is_none() {
                let mut parts = purl.components();
                parts.qualifiers.push((ARCH.to_owned(), name.to_owned()));
                match Purl::build(parts) {
                    Ok(built) => *purl = built,
                    Err(_) => told = false,
                }
            } else if !is_arch {
                told &= says(purl, category, name);
            }
        }
        if told {
            return narrowed;
        }
        let stated = self.purls.iter().filter_map(Purl::version).next();
        let stated = format!("{} {name}", stated.unwrap_or_default());
        Named {
            digests: self.digests.clone(),
            ..self.in_range(stated.trim_start())
        }
    }

    fn each_purl(&self, what: &str, change: impl Fn(&mut Components)) -> Self {
        let changed = self.purls.iter().filter_map(|purl| {
            let mut parts = purl.components();
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
            let id = id.map(String::as_str).unwrap_or_default();
            match &self.link {
                // What begins as a link would be one to something else.
                Some(_) => format!("{what} of {id}"),
                None => format!("{id} {what}"),
            }
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
            // What a BOM lists is of one version, which the link does not tell.
            link: self.link.clone().filter(|_| is_this),
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
            let id = match (&self.link, purl, name.unwrap_or("unnamed")) {
                (Some(link), _, _) => link.to_string(),
                (None, Some(purl), _) => purl.as_str().to_owned(),
                (None, None, name) if alone => format!("{UNNAMED}{name}"),
                (None, None, name) => name.to_owned(),
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
            let mut parts = purl.components();
            parts.qualifiers.retain(|(key, _)| key != QUALIFIER);
            let purl = Purl::build(parts).unwrap_or_else(|_| purl.clone());
            subjects.suggest(name, Some(purl.as_str()), digests.clone());
        }
        if self.purls.is_empty() {
            subjects.suggest(name, None, digests);
        }
        if let Some(link) = &self.link {
            subjects.suggest_bom(link);
        }
    }
}
