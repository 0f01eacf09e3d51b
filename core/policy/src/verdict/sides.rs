//! Who may speak for a component and against it, found once for all components that are in the same
//! scopes.

use crate::facts::Sides;
use crate::trust::{Anchor, Trust, covers};
use assay_claims::purl::{Pattern, Purl};
use std::array;
use std::collections::BTreeSet;
use std::slice;
use std::sync::{Arc, OnceLock};

/// Most that are kept. Whoever endorses chooses scopes, and could make one for each package.
const KEPT: usize = 64;

/// Which of the scopes something is in, and who may speak of it.
type Found = (Vec<bool>, Arc<Sides>);

/// Roles depend on a package by the scopes that it is in, of anchors and of endorsements, and by
/// nothing else. A policy has few, and an inventory thousands of packages.
#[derive(Debug)]
pub(super) struct SidesOf {
    scopes: Vec<Pattern>,
    /// Filled from the beginning on.
    found: [OnceLock<Found>; KEPT],
}

impl SidesOf {
    /// For what these anchors and the endorsements that are known give.
    pub(super) fn new(anchors: &[Anchor], trust: &Trust<'_>) -> Self {
        let of_anchors = anchors.iter().flat_map(|anchor| &anchor.scopes);
        let scopes: BTreeSet<&Pattern> = of_anchors.chain(trust.endorsed_scopes()).collect();
        SidesOf {
            scopes: scopes.into_iter().cloned().collect(),
            found: nothing(),
        }
    }

    /// The sides of a package, or of what is none.
    pub(super) fn of(
        &self,
        (anchors, trust): (&[Anchor], &Trust<'_>),
        purl: Option<&Purl>,
        now_ms: u64,
    ) -> Arc<Sides> {
        let scopes = self.scopes.iter();
        let within: Vec<bool> = scopes
            .map(|scope| covers(slice::from_ref(scope), purl))
            .collect();
        let mut found = self.found.iter().map_while(OnceLock::get);
        if let Some((_, sides)) = found.find(|(of, _)| *of == within) {
            return sides.clone();
        }
        let sides = Arc::new(Sides {
            pro: trust.roles(anchors, purl, now_ms),
            contra: trust.roles_against(anchors, purl, now_ms),
        });
        let mut one = (within, sides.clone());
        for place in &self.found {
            match place.set(one) {
                Ok(()) => break,
                Err(taken) => one = taken,
            }
        }
        sides
    }

    /// Forgets what was found: what is known of endorsements changed.
    pub(super) fn forget(&mut self) {
        self.found = nothing();
    }
}

fn nothing() -> [OnceLock<Found>; KEPT] {
    array::from_fn(|_| OnceLock::new())
}
