//! Who may speak for a component and against it, found once for all components that are in the same
//! scopes.

use crate::facts::Sides;
use crate::trust::{Anchor, Trust, covers};
use assay_claims::purl::{Pattern, Purl};
use std::collections::{BTreeMap, BTreeSet};
use std::slice;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most that are kept. Whoever endorses chooses scopes, and could make one for each package.
const KEPT: usize = 64;

/// Roles depend on a package by the scopes that it is in, of anchors and of endorsements, and by
/// nothing else. A policy has few, and an inventory thousands of packages.
#[derive(Debug)]
pub(super) struct SidesOf {
    scopes: Vec<Pattern>,
    found: Mutex<BTreeMap<Vec<bool>, Arc<Sides>>>,
}

impl SidesOf {
    /// For what these anchors and the endorsements that are known give.
    pub(super) fn new(anchors: &[Anchor], trust: &Trust<'_>) -> Self {
        let of_anchors = anchors.iter().flat_map(|anchor| &anchor.scopes);
        let scopes: BTreeSet<&Pattern> = of_anchors.chain(trust.endorsed_scopes()).collect();
        SidesOf {
            scopes: scopes.into_iter().cloned().collect(),
            found: Mutex::default(),
        }
    }

    /// The sides of a package, or of what is none.
    pub(super) fn of(
        &self,
        (anchors, trust): (&[Anchor], &Trust<'_>),
        purl: Option<&Purl>,
        now_ms: u64,
    ) -> Arc<Sides> {
        let within = |scope| covers(slice::from_ref(scope), purl);
        let within: Vec<bool> = self.scopes.iter().map(within).collect();
        if let Some(sides) = self.lock().get(&within) {
            return sides.clone();
        }
        let sides = Arc::new(Sides {
            pro: trust.roles(anchors, purl, now_ms),
            contra: trust.roles_against(anchors, purl, now_ms),
        });
        let mut found = self.lock();
        if found.len() < KEPT {
            found.insert(within, sides.clone());
        }
        sides
    }

    /// Forgets what was found: what is known of endorsements changed.
    pub(super) fn forget(&mut self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<Vec<bool>, Arc<Sides>>> {
        // Each change is one insertion, or all that is there is gone: a panic leaves it whole.
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
