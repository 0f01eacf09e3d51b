//! What is said of a package's versions, when it is the package as a whole that was asked about.
//!
//! A log lists what is said of a version under its package, too, so that the answer holds it. It is
//! not shown, because it is not of the package; but neither is it passed over.

use crate::about::About;
use assay_claims::claim::ClaimId;
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Most versions that a sentence names.
const NAMED: usize = 5;

/// The versions that claims are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionsView {
    /// How many claims are about any of them.
    pub claims: usize,
    /// Each, the one that was last spoken of first.
    pub of: Vec<VersionView>,
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VersionView {
    /// It alone.
    pub version: String,
    /// Its purl: what to ask for.
    pub purl: String,
    /// How many claims are about it.
    pub claims: usize,
}

impl VersionsView {
    /// Of a package without a version, the versions that some of the claims are about; `None` if
    /// there is none.
    pub fn of(about: &About, claims: &[LoggedClaim]) -> Option<Self> {
        let About::Package(package) = about else {
            return None;
        };
        if package.version().is_some() {
            return None;
        }
        let (mut all, mut versions) = (BTreeSet::new(), BTreeMap::new());
        let same = |other: &&Purl| {
            other.without_version() == package.without_version() && other.version().is_some()
        };
        for logged in claims {
            let id = logged.claim().id();
            for purl in logged
                .claim()
                .statement()
                .subjects()
                .iter()
                .filter_map(Subject::purl)
                .filter(same)
            {
                let version = versions
                    .entry(purl.without_qualifiers())
                    .or_insert_with(|| Spoken::of(purl));
                version.newest_ms = version.newest_ms.max(logged.logged_at_ms());
                version.claims.insert(id);
                all.insert(id);
            }
        }
        let mut versions: Vec<_> = versions.into_iter().collect();
        versions.sort_by_key(|(_, spoken)| std::cmp::Reverse(spoken.newest_ms));

        (!all.is_empty()).then(|| VersionsView {
            claims: all.len(),
            of: versions
                .into_iter()
                .map(|(purl, spoken): (&str, Spoken)| VersionView {
                    version: spoken.version,
                    purl: purl.to_owned(),
                    claims: spoken.claims.len(),
                })
                .collect(),
        })
    }

    /// How much that is, and how to ask for it, in sentences.
    pub fn words(&self) -> String {
        let named: Vec<&str> = self
            .of
            .iter()
            .take(NAMED)
            .map(|version| version.version.as_str())
            .collect();
        let more = match self.of.len().saturating_sub(NAMED) {
            0 => String::new(),
            n => format!(" and {n} more"),
        };
        let (claims, them) = match self.claims {
            1 => ("1 claim is".to_owned(), "it"),
            n => (format!("{n} claims are"), "them"),
        };
        let ask = self
            .of
            .first()
            .map(|newest| newest.purl.as_str())
            .unwrap_or_default();
        let ask = if self.of.len() == 1 {
            format!("`assay lookup {ask}` shows {them}.")
        } else {
            format!("Ask for one, such as `assay lookup {ask}`.")
        };
        format!(
            "{claims} about {} of its versions, and not shown here: {}{more}. {ask}",
            self.of.len(),
            named.join(", ")
        )
    }
}

/// What is said of a version.
struct Spoken {
    version: String,
    newest_ms: u64,
    claims: BTreeSet<ClaimId>,
}

impl Spoken {
    fn of(purl: &Purl) -> Self {
        Spoken {
            version: purl.version().unwrap_or_default().to_owned(),
            newest_ms: 0,
            claims: BTreeSet::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_counted_and_named() {
        let version = |n: usize| VersionView {
            version: format!("1.{n}"),
            purl: format!("pkg:cargo/a@1.{n}"),
            claims: 1,
        };
        let words = |claims, versions| {
            VersionsView {
                claims,
                of: (0..versions).map(version).collect(),
            }
            .words()
        };
        assert_eq!(
            words(1, 1),
            "1 claim is about 1 of its versions, and not shown here: 1.0. `assay lookup \
             pkg:cargo/a@1.0` shows it."
        );
        assert_eq!(
            words(9, 7),
            "9 claims are about 7 of its versions, and not shown here: 1.0, 1.1, 1.2, 1.3, 1.4 \
             and 2 more. Ask for one, such as `assay lookup pkg:cargo/a@1.0`."
        );
    }
}
