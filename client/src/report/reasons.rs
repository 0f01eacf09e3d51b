//! The reasons of components. Of many thousands of components the same may be to be said, such as
//! that nobody speaks of them; they share it.

use super::component::Reason;
use serde::{Serialize, Serializer};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Reasons, which other components may have, too. Whoever changes them changes their own.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reasons(Arc<Vec<Reason>>);

impl FromIterator<Reason> for Reasons {
    fn from_iter<I: IntoIterator<Item = Reason>>(reasons: I) -> Self {
        Reasons(Arc::new(reasons.into_iter().collect()))
    }
}

impl Deref for Reasons {
    type Target = Vec<Reason>;

    fn deref(&self) -> &Vec<Reason> {
        &self.0
    }
}

impl DerefMut for Reasons {
    fn deref_mut(&mut self) -> &mut Vec<Reason> {
        Arc::make_mut(&mut self.0)
    }
}

impl<'r> IntoIterator for &'r Reasons {
    type Item = &'r Reason;
    type IntoIter = std::slice::Iter<'r, Reason>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

impl<'r> IntoIterator for &'r mut Reasons {
    type Item = &'r mut Reason;
    type IntoIter = std::slice::IterMut<'r, Reason>;

    fn into_iter(self) -> Self::IntoIter {
        self.deref_mut().iter_mut()
    }
}

impl Serialize for Reasons {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(to)
    }
}

/// Most different reasons that are looked through for each component.
const ALIKE: usize = 8;

/// Reasons without claims that some component has.
#[derive(Debug, Default)]
pub(super) struct Alike(Mutex<Vec<Reasons>>);

impl Alike {
    /// The same reasons, shared with the components that have them already.
    pub fn share(&self, reasons: Reasons) -> Reasons {
        if reasons.iter().any(|reason| !reason.claims.is_empty()) {
            return reasons;
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(same) = known.iter().find(|known| **known == reasons) {
            return same.clone();
        }
        if known.len() < ALIKE {
            known.push(reasons.clone());
        }
        reasons
    }
}

#[cfg(test)]
mod tests {
    use super::super::example;
    use super::*;

    #[test]
    fn the_same_reasons_are_held_once_and_changed_apart() {
        let alike = Alike::default();
        let of = |at: usize| example::report().components.remove(at).reasons;
        let silent = |rule: &str| {
            let mut reasons = of(2);
            reasons[0].rule = rule.to_owned();
            reasons
        };
        let one = alike.share(silent("a"));
        let mut other = alike.share(silent("a"));
        assert!(Arc::ptr_eq(&one.0, &other.0));
        other[0].text.push('x');
        assert_ne!(one, other);
        let by_somebody = of(1);
        assert!(by_somebody.iter().any(|reason| !reason.claims.is_empty()));
        let (one, other) = (alike.share(by_somebody.clone()), alike.share(of(1)));
        assert!(one == other && !Arc::ptr_eq(&one.0, &other.0));
        for number in 0..2 * ALIKE {
            alike.share(silent(&number.to_string()));
        }
        let known = alike.0.lock().unwrap_or_else(PoisonError::into_inner);
        assert_eq!(known.len(), ALIKE);
    }
}
