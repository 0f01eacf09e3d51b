//! Which proofs of misbehavior are known. The texts are the caller's.

use super::digest::first_word;
use crate::hash::Hash;
use crate::limits;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

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

/// The ids of what is known, by culprit. Culprits are those whose keys the caller knows.
#[derive(Debug, Clone, Default)]
pub(super) struct Evidence {
    held: BTreeMap<CulpritId, Vec<Hash>>,
    /// The same by id, and with the rounds in which they came: whoever asks does not make anybody
    /// look at all culprits.
    ids: BTreeSet<Hash>,
    lines: BTreeMap<EvidenceLine, u64>,
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
        for id in self.held.remove(&culprit).unwrap_or_default() {
            self.ids.remove(&id);
            self.lines.remove(&EvidenceLine { culprit, id });
        }
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
        let id = *self.held.get(&culprit)?.first()?;
        Some(EvidenceLine { culprit, id })
    }

    pub fn holds(&self, id: Hash) -> bool {
        self.ids.contains(&id)
    }

    /// Takes evidence that was verified. Beyond [`limits::GOSSIP_EVIDENCE`] of one culprit it is
    /// not named to anybody.
    pub fn add(&mut self, line: EvidenceLine, round: u64) {
        let Some(held) = self.held.get_mut(&line.culprit) else {
            return;
        };
        if held.len() < limits::GOSSIP_EVIDENCE && self.ids.insert(line.id) {
            held.push(line.id);
            self.lines.insert(line, round);
        }
    }

    pub fn forget(&mut self, id: Hash) {
        self.ids.remove(&id);
        self.lines.retain(|line, _| line.id != id);
        for held in self.held.values_mut() {
            held.retain(|held| *held != id);
        }
    }

    /// What to name to a peer: what came in the last rounds, at most `most`.
    pub fn fresh(&self, round: u64, most: usize) -> Vec<EvidenceLine> {
        let fresh = self
            .lines
            .iter()
            .filter(|(_, came)| round - **came <= limits::GOSSIP_FRESH_ROUNDS);
        fresh.map(|(line, _)| *line).take(most).collect()
    }

    /// The next few of all, by turns.
    pub fn by_turns(&mut self, most: usize) -> Vec<EvidenceLine> {
        let from = self.cursor.map_or(Bound::Unbounded, Bound::Excluded);
        let rest = self.lines.range((from, Bound::Unbounded));
        let all = rest.chain(&self.lines).map(|(line, _)| *line);
        let next: Vec<EvidenceLine> = all.take(most.min(self.lines.len())).collect();
        self.cursor = next.last().copied();
        next
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
        evidence.add(line(1, 1), 0);
        evidence.remove_culprit(CulpritId(1));
        assert!(!evidence.holds(line(1, 1).id));
        assert_eq!(
            (evidence.fresh(0, 99), evidence.by_turns(9)),
            (vec![], vec![])
        );
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
