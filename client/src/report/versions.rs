//! What is said of a package's versions, when it is the package as a whole that was asked about.
//!
//! A log lists what is said of a version under its package, too, so that the answer holds it. It is
//! not shown, because it is not of the package; but neither is it passed over.

use crate::ask::About;
use assay_claims::claim::ClaimId;
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// The versions that claims are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Versions {
    /// How many claims are about any of them.
    pub claims: usize,
    /// Each, the one that was last spoken of first.
    pub of: Vec<Version>,
}

/// A version.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Version {
    /// It alone.
    pub version: String,
    /// Its purl: what to ask for.
    pub purl: String,
    /// How many claims are about it.
    pub claims: usize,
}

impl Versions {
    /// Of a package without a version, the versions that some of the claims are about; `None` if
    /// there is none.
    pub(super) fn of(about: &About, claims: &[LoggedClaim]) -> Option<Self> {
        let About::Package(package) = about else {
            return None;
        };
        if package.version().is_some() {
            return None;
        }
        let (mut all, mut versions) = (BTreeSet::new(), BTreeMap::new());
        for logged in claims {
            let id = logged.claim().id();
            let subjects = logged.claim().statement().subjects().iter();
            for purl in subjects.filter_map(Subject::purl) {
                if !purl.is_same_package(package) || purl.version().is_none() {
                    continue;
                }
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
        if all.is_empty() {
            return None;
        }
        let mut of = Vec::with_capacity(versions.len());
        for (purl, spoken) in versions {
            of.push(Version {
                version: spoken.version,
                purl: purl.to_owned(),
                claims: spoken.claims.len(),
            });
        }
        Some(Versions {
            claims: all.len(),
            of,
        })
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
