//! Which proofs of misbehavior are known. The texts are the caller's.

use super::digest::first_word;
use crate::hash::Hash;
use crate::limits;
use std::collections::BTreeMap;

/// Who misbehaved: the first 8 bytes of the SHA-256 of `log <origin>`, `witness <name>` or
/// `mirror <name>`, as the text of misbehavior has it. Texts that do not convict have names of
/// their own: the same behind `breach `.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct CulpritId(pub u64);

impl CulpritId {
    /// The culprit that a text of misbehavior names in this way.
    pub fn of(culprit: &str) -> Self {
        CulpritId(first_word(&Hash::of(culprit.as_bytes())))
    }

    /// The log with this origin.
    pub fn of_log(origin: &str) -> Self {
        Self::of(&format!("log {origin}"))
    }
}

/// Evidence, by its id: the SHA-256 of its text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct EvidenceLine {
    /// Of whose misbehavior. The text decides; this says who has any use for it.
    pub culprit: CulpritId,
    /// Which text.
    pub id: Hash,
}

#[derive(Debug, Clone, Copy)]
struct Held {
    id: Hash,
    /// The round in which it came.
    round: u64,
}

/// The ids of what is known, by culprit. Culprits are those whose keys the caller knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    held: BTreeMap<CulpritId, Vec<Held>>,
    /// Where the next old ones are taken from.
    cursor: Option<EvidenceLine>,
}

impl Evidence {
    /// Evidence of this culprit is wanted from now on. Returns whether there is room.
    pub fn add_culprit(&mut self, culprit: CulpritId) -> bool {
        if self.held.len() >= limits::GOSSIP_CULPRITS && !self.held.contains_key(&culprit) {
            return false;
        }
        self.held.entry(culprit).or_default();
        true
    }

    pub fn remove_culprit(&mut self, culprit: CulpritId) {
        self.held.remove(&culprit);
    }

    pub fn is_convicted(&self, culprit: CulpritId) -> bool {
        self.held.get(&culprit).is_some_and(|held| !held.is_empty())
    }

    /// Whether it would convict somebody who is known, and not convicted yet.
    pub fn is_wanted(&self, line: EvidenceLine) -> bool {
        self.held.get(&line.culprit).is_some_and(Vec::is_empty)
    }

    /// What there is against this culprit first of all.
    pub fn first(&self, culprit: CulpritId) -> Option<EvidenceLine> {
        let held = self.held.get(&culprit)?.first()?;
        Some(EvidenceLine {
            culprit,
            id: held.id,
        })
    }

    pub fn holds(&self, id: Hash) -> bool {
        self.held.values().flatten().any(|held| held.id == id)
    }

    /// Takes evidence that was verified. Beyond [`limits::GOSSIP_EVIDENCE`] of one culprit it is
    /// not named to anybody.
    pub fn add(&mut self, line: EvidenceLine, round: u64) {
        let Some(held) = self.held.get_mut(&line.culprit) else {
            return;
        };
        let is_known = held.iter().any(|known| known.id == line.id);
        if !is_known && held.len() < limits::GOSSIP_EVIDENCE {
            held.push(Held { id: line.id, round });
        }
    }

    pub fn forget(&mut self, id: Hash) {
        for held in self.held.values_mut() {
            held.retain(|held| held.id != id);
        }
    }

    /// What to name to a peer: what came in the last rounds, at most `most`.
    pub fn fresh(&self, round: u64, most: usize) -> Vec<EvidenceLine> {
        let all = self.held.iter().flat_map(|(culprit, held)| {
            let fresh = held
                .iter()
                .filter(move |held| round - held.round <= limits::GOSSIP_FRESH_ROUNDS);
            fresh.map(|held| EvidenceLine {
                culprit: *culprit,
                id: held.id,
            })
        });
        all.take(most).collect()
    }

    /// The next few of all, by turns.
    pub fn by_turns(&mut self, most: usize) -> Vec<EvidenceLine> {
        let all = self.held.iter().flat_map(|(culprit, held)| {
            held.iter().map(|held| EvidenceLine {
                culprit: *culprit,
                id: held.id,
            })
        });
        let mut all: Vec<EvidenceLine> = all.collect();
        all.sort_unstable();
        let start = all.partition_point(|line| Some(*line) <= self.cursor);
        let count = most.min(all.len());
        all.rotate_left(start);
        all.truncate(count);
        self.cursor = all.last().copied();
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(culprit: u64, id: u8) -> EvidenceLine {
        EvidenceLine {
            culprit: CulpritId(culprit),
            id: Hash::new([id; 32]),
        }
    }

    #[test]
    fn a_culprit_is_named_as_in_the_text() {
        let expected = CulpritId::of("log log.example/a");
        assert_eq!(CulpritId::of_log("log.example/a"), expected);
        assert_ne!(CulpritId::of("witness log.example/a"), expected);
    }

    #[test]
    fn evidence_is_wanted_of_who_is_known_and_not_convicted() {
        let mut evidence = Evidence::default();
        assert!(!evidence.is_wanted(line(1, 1)));
        // Of strangers nothing is kept.
        evidence.add(line(1, 1), 0);
        assert!(!evidence.is_convicted(CulpritId(1)) && !evidence.holds(line(1, 1).id));
        assert!(evidence.add_culprit(CulpritId(1)));
        assert!(evidence.is_wanted(line(1, 1)));
        evidence.add(line(1, 1), 0);
        assert!(evidence.is_convicted(CulpritId(1)) && evidence.holds(line(1, 1).id));
        assert!(!evidence.is_wanted(line(1, 2)));
        // Adding a culprit again forgets nothing.
        assert!(evidence.add_culprit(CulpritId(1)));
        assert!(evidence.is_convicted(CulpritId(1)));
        for id in 0..9 {
            evidence.add(line(1, id), 0);
        }
        assert_eq!(evidence.fresh(0, 99).len(), limits::GOSSIP_EVIDENCE);
        for id in 0..9 {
            assert!(!evidence.is_wanted(line(1, 1)), "{id}");
            evidence.forget(line(1, id).id);
            evidence.forget(line(1, id).id);
            assert!(!evidence.holds(line(1, id).id));
            if id == 3 {
                break;
            }
        }
        assert!(evidence.is_wanted(line(1, 1)));
    }

    #[test]
    fn new_evidence_is_named_for_some_rounds_and_all_by_turns() {
        let mut evidence = Evidence::default();
        for culprit in 0..5 {
            assert!(evidence.add_culprit(CulpritId(culprit)));
            evidence.add(line(culprit, culprit as u8), culprit);
        }
        let named = |lines: Vec<EvidenceLine>| -> Vec<u64> {
            lines.iter().map(|line| line.culprit.0).collect()
        };
        let last = limits::GOSSIP_FRESH_ROUNDS;
        assert_eq!(named(evidence.fresh(last + 3, 99)), [3, 4]);
        assert_eq!(named(evidence.fresh(last, 2)), [0, 1]);
        assert_eq!(named(evidence.by_turns(2)), [0, 1]);
        assert_eq!(named(evidence.by_turns(2)), [2, 3]);
        assert_eq!(named(evidence.by_turns(2)), [4, 0]);
        assert_eq!(named(evidence.by_turns(9)), [1, 2, 3, 4, 0]);
        assert_eq!(named(Evidence::default().by_turns(9)), Vec::<u64>::new());
    }
}
