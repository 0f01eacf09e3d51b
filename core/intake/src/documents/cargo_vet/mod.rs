//! `audits.toml` of cargo-vet (mozilla/cargo-vet, `book/src/config.md` and `src/format.rs`).
//!
//! Each entry under `[[audits.CRATE]]` becomes a claim: of the version, or of the newer version of
//! a delta. Its criteria are those that the entry names and, as the document defines them, those
//! that these imply. `violation` says of the versions that it names that criteria are not met:
//! those that it names, and those that imply them. Only where one of cargo-vet's own is among these
//! has the review failed: no `ub-risk-1` is not unsafe to deploy. A review for criteria of which
//! one is violated in its version vouches for none of them, as for cargo-vet, and becomes no claim.
//! What is no review becomes no claim, either: wildcard audits and trusted publishers vouch in
//! advance for whatever somebody publishes within a time. A note counts both. Entries that are
//! marked `importable = false` are nobody else's business. Of reviewers the names are kept and the
//! e-mail addresses are not: a log forgets nothing.

mod criteria;
pub(super) mod range;
mod violations;

use super::advice::not_taken;
use super::draft::{Draft, Prepared};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use crate::toml;
use assay_claims::json::Value;
use assay_claims::kind::audit::{Audit, Method, Scope, Verdict};
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::{Kind, PredicateError};
use assay_claims::purl::{Components, Purl};
use criteria::{Criteria, one_or_more};
use range::Versions;
use semver::{Version, VersionReq};
use violations::Violations;

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Bytes(|_| true),
    prepare,
};

/// Most audits of a document: each becomes a claim. The largest that are known hold some thousands.
const AUDITS: usize = 10_000;

/// Refuses `imports.lock`, in which the audits of others stand below who made them.
fn refuse_imports(audits: &Node<'_, '_>) -> Result<(), PredicateError> {
    for (_, entries) in audits.members()? {
        if entries.get("audits").is_some() {
            let advice = "has the audits of somebody else, as `imports.lock` of cargo-vet has: \
                publish their own `audits.toml`, or bridge it";
            return Err(entries.fault(advice));
        }
    }
    Ok(())
}

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let document = source.document;
    if document.body().trim_ascii_start().first() == Some(&b'{') {
        return Err(not_taken(
            "audit",
            "`audits.toml` of cargo-vet",
            &document.json()?,
        ));
    }
    let store = toml::parse(document)?;
    let root = Node::root("$", &store);
    let Some(audits) = root.get("audits") else {
        let advice =
            "is missing: audit takes `audits.toml` of cargo-vet, and of its store no other file";
        return Err(Node::root("$.audits", &store).fault(advice).into());
    };
    refuse_imports(&audits)?;
    let defined = Criteria::read(&root)?;
    let mut claims = Vec::new();
    let (mut local, mut denied) = (0, 0);
    for (name, entries) in audits.members()? {
        let violations = Violations::read(name, &entries, &defined)?;
        for entry in entries.items()? {
            if claims.len() == AUDITS {
                return Err(audits
                    .fault(format!(
                        "holds more than {AUDITS} audits; publish it in parts"
                    ))
                    .into());
            }
            match entry.value().get("importable").and_then(Value::as_bool) {
                Some(false) => local += 1,
                _ if violations.deny(&entry)? => denied += 1,
                _ => claims.push(read(name, &entry, &defined)?),
            }
        }
    }
    let notes = left_out(&root, local, denied);
    let Some(first) = claims.first_mut() else {
        let all = if notes.is_empty() {
            String::new()
        } else {
            format!(": {}", notes.join("; "))
        };
        return Err(audits
            .fault(format!("holds no audit that could become a claim{all}"))
            .into());
    };
    first
        .summary
        .extend(notes.into_iter().map(|note| ("note".to_owned(), note)));
    claims
        .into_iter()
        .map(|draft| document.inline_or_referenced(draft, "application/toml"))
        .collect()
}

/// What becomes no claim, for people.
fn left_out(root: &Node<'_, '_>, local: usize, denied: usize) -> Vec<String> {
    let entries = |key| {
        let crates = root
            .value()
            .get(key)
            .and_then(Value::as_object)
            .unwrap_or_default();
        crates
            .iter()
            .map(|(_, entries)| entries.as_array().map_or(0, <[Value]>::len))
            .sum()
    };

    [
        (
            entries("wildcard-audits"),
            "wildcard audit vouches for what will be published",
            "wildcard audits vouch for what will be published",
        ),
        (
            entries("trusted"),
            "entry trusts a publisher and reviews nothing",
            "entries trust a publisher and review nothing",
        ),
        (
            local,
            "audit is marked as not importable",
            "audits are marked as not importable",
        ),
        (
            denied,
            "audit is for criteria of which a violation denies one",
            "audits are for criteria of which violations deny some",
        ),
    ]
    .into_iter()
    .filter_map(|(count, one, many): (usize, &str, &str)| match count {
        0 => None,
        1 => Some(format!("1 {one}, which becomes no claim")),
        n => Some(format!("{n} {many}, which become no claims")),
    })
    .collect()
}

fn read(name: &str, entry: &Node<'_, '_>, defined: &Criteria<'_>) -> Result<Draft, PredicateError> {
    let mut subjects = Subjects::default();
    let reviewed = reviewed(name, entry, &mut subjects)?;
    let criteria = one_or_more(&entry.need("criteria")?)?;
    defined.check(&entry.need("criteria")?, &criteria)?;
    let reviewers = entry
        .get("who")
        .map_or(Ok(Vec::new()), |who| one_or_more(&who))?;
    let notes = entry
        .optional_text("notes")?
        .filter(|notes| !notes.trim().is_empty());
    let fits = notes.filter(|_| {
        entry
            .get("notes")
            .is_some_and(|notes| notes.prose().is_ok())
    });
    if notes.is_some() && fits.is_none() {
        subjects
            .notes
            .push("the audit's own notes do not fit a claim and are left out".into());
    }
    let stated = criteria.join(", ");
    let definitions = defined.definitions(&criteria);
    let (verdict, all) = if reviewed.violates {
        defined.violated(&criteria)
    } else {
        (Verdict::Pass, defined.met(&criteria))
    };
    let audit = Audit {
        verdict,
        scope: reviewed.scope,
        versions: reviewed.versions,
        method: Some(Method::Human),
        reviewers: reviewers.into_iter().map(without_address).collect(),
        reviewed_at: None,
        notes: fits.map(|notes| notes.trim().to_owned()),
        definitions,
        criteria: all,
    };
    let mut summary = vec![("audit".to_owned(), format!("{name} {}", reviewed.label))];
    summary.push(("criteria".to_owned(), stated));
    if let Some(more) = audit
        .criteria
        .get(criteria.len()..)
        .filter(|more| !more.is_empty())
    {
        let label = if reviewed.violates {
            "and what implies them"
        } else {
            "and what they imply"
        };
        summary.push((label.to_owned(), more.join(", ")));
    }
    summary.push(("verdict".to_owned(), audit.verdict.as_str().to_owned()));
    Ok(Draft::new(Kind::Audit, audit.to_value(), subjects, summary))
}

/// What an entry is of.
struct Reviewed {
    /// Whether it says that the criteria are not met.
    violates: bool,
    scope: Scope,
    versions: Option<String>,
    label: String,
}

/// Reads `version`, `delta` or `violation`, of which an entry has one, and makes the subject of it.
fn reviewed(
    name: &str,
    entry: &Node<'_, '_>,
    subjects: &mut Subjects,
) -> Result<Reviewed, PredicateError> {
    let pass = |scope, label: &str| Reviewed {
        violates: false,
        scope,
        versions: None,
        label: label.to_owned(),
    };
    match (
        entry.get("version"),
        entry.get("delta"),
        entry.get("violation"),
    ) {
        (Some(version), None, None) => {
            VetVersion::read(&version, version.text()?)?.suggest(name, entry, subjects)?;
            Ok(pass(Scope::Version, version.text()?))
        }
        (None, Some(delta), None) => {
            let text = delta.text()?;
            let (from, to) = text
                .split_once("->")
                .ok_or_else(|| delta.fault("is no delta such as 1.0.0 -> 1.0.1"))?;
            VetVersion::read(&delta, to.trim())?.suggest(name, entry, subjects)?;
            Ok(pass(
                Scope::Delta(VetVersion::read(&delta, from.trim())?.base(name, entry)?),
                text,
            ))
        }
        (None, None, Some(violation)) => violated(name, entry, &violation, subjects),
        _ => Err(entry.fault("has to have one of version, delta and violation")),
    }
}

/// Reads the requirement in `violation`, which names versions that failed.
fn violated(
    name: &str,
    entry: &Node<'_, '_>,
    violation: &Node<'_, '_>,
    subjects: &mut Subjects,
) -> Result<Reviewed, PredicateError> {
    let text = violation.text()?;
    let versions = match required(violation)? {
        Versions::One(version) => {
            let purl = purl(name, Some(&version), entry)?;
            subjects.suggest(None, Some(purl.as_str()), vec![]);
            None
        }
        Versions::Range(range) => {
            let purl = purl(name, None, entry)?;
            subjects.suggest(None, Some(purl.as_str()), vec![]);
            Some(range)
        }
    };
    Ok(Reviewed {
        violates: true,
        scope: Scope::Version,
        versions,
        label: format!("violation {text}"),
    })
}

/// The versions of a requirement.
fn required(violation: &Node<'_, '_>) -> Result<Versions, PredicateError> {
    let text = violation.text()?;
    let wrong = |reason: &str| {
        let requirement = quoted(text);
        violation.fault(format!("{requirement} is no version requirement: {reason}"))
    };
    let requirement = VersionReq::parse(text).map_err(|e| wrong(&e.to_string()))?;
    range::of(&requirement).ok_or_else(|| wrong("no version meets it"))
}

/// A version as cargo-vet writes it: that of a release, or a commit after it.
struct VetVersion<'v> {
    version: Version,
    commit: Option<&'v str>,
}

impl<'v> VetVersion<'v> {
    fn read(node: &Node<'_, '_>, text: &'v str) -> Result<Self, PredicateError> {
        let (version, commit) = match text.split_once("@git:") {
            Some((version, commit)) => (version, Some(commit)),
            None => (text, None),
        };
        let whole = |commit: &&str| {
            commit.len() == 40
                && commit
                    .bytes()
                    .all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
        };
        if commit.as_ref().is_some_and(|commit| !whole(commit)) {
            return Err(node.fault(format!("{} has no whole commit after @git:", quoted(text))));
        }
        let version = Version::parse(version)
            .map_err(|e| node.fault(format!("{} is no version: {e}", quoted(text))))?;
        Ok(VetVersion { version, commit })
    }

    /// A commit is not the release that its version names, so it is no package: its subject is the
    /// commit.
    fn suggest(
        &self,
        name: &str,
        entry: &Node<'_, '_>,
        subjects: &mut Subjects,
    ) -> Result<(), PredicateError> {
        match self.commit {
            None => subjects.suggest(
                None,
                Some(purl(name, Some(&self.version), entry)?.as_str()),
                vec![],
            ),
            Some(commit) => subjects.suggest(
                Some(name),
                None,
                vec![("gitCommit".to_owned(), commit.to_owned())],
            ),
        }
        Ok(())
    }

    fn base(&self, name: &str, entry: &Node<'_, '_>) -> Result<String, PredicateError> {
        match self.commit {
            None => Ok(purl(name, Some(&self.version), entry)?.as_str().to_owned()),
            Some(commit) => Ok(format!("{}@git:{commit}", self.version)),
        }
    }
}

fn purl(
    name: &str,
    version: Option<&Version>,
    entry: &Node<'_, '_>,
) -> Result<Purl, PredicateError> {
    let (ty, version) = ("cargo".to_owned(), version.map(Version::to_string));
    let purl = Purl::build(Components {
        ty,
        name: name.to_owned(),
        version,
        ..Components::default()
    });
    purl.map_err(|e| {
        entry.fault(format!(
            "is of a crate {} that has no package URL: {e}",
            quoted(name)
        ))
    })
}

/// `Some Name <mail@example.org>` without the address; what has nothing else stays.
fn without_address(who: &str) -> String {
    let name = who.split('<').next().unwrap_or_default().trim();
    if name.is_empty() {
        who.to_owned()
    } else {
        name.to_owned()
    }
}

#[cfg(test)]
mod tests;
