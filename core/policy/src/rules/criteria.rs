//! Which criteria of reviews imply which others.

use std::collections::{BTreeMap, BTreeSet};

/// What is implied wherever cargo-vet's criteria are used.
const BUILT_IN: (&str, &str) = ("safe-to-deploy", "safe-to-run");

/// What criteria a policy knows of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Criteria {
    /// By a criterion, those that it implies.
    pub(super) implied: BTreeMap<String, Vec<String>>,
}

impl Criteria {
    /// The criteria that a review can have met for `criterion` to hold: itself, and all that imply
    /// it, over any number of steps.
    pub(crate) fn that_mean<'c>(&'c self, criterion: &'c str) -> BTreeSet<&'c str> {
        let mut meaning = BTreeSet::from([criterion]);
        loop {
            let before = meaning.len();
            if meaning.contains(BUILT_IN.1) {
                meaning.insert(BUILT_IN.0);
            }
            for (stronger, implied) in &self.implied {
                if implied
                    .iter()
                    .any(|weaker| meaning.contains(weaker.as_str()))
                {
                    meaning.insert(stronger);
                }
            }
            if meaning.len() == before {
                return meaning;
            }
        }
    }

    /// The criteria that have to hold for `criterion` to: itself, and all that it implies, over any
    /// number of steps.
    pub(crate) fn that_follow<'c>(&'c self, criterion: &'c str) -> BTreeSet<&'c str> {
        let mut following = BTreeSet::from([criterion]);
        loop {
            let before = following.len();
            if following.contains(BUILT_IN.0) {
                following.insert(BUILT_IN.1);
            }
            for (stronger, implied) in &self.implied {
                if following.contains(stronger.as_str()) {
                    following.extend(implied.iter().map(String::as_str));
                }
            }
            if following.len() == before {
                return following;
            }
        }
    }
}
