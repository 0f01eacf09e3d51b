//! What a run is about: who is dishonest in which way, what is broken on purpose, and what must
//! hold all the same.

use super::cast::WITNESSES;
use crate::words::Words;

/// What must hold after every step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Invariant {
    /// No honest log serves a head without a quorum of cosignatures.
    Quorum,
    /// Whoever knows that a log is convicted does not cosign it any more.
    Conviction,
    /// Two verified answers of one log are of one history, unless an honest node holds evidence, 15
    /// seconds after the network has healed at the latest.
    Evidence,
    /// What a node keeps of the heads of a log takes at most 64 KiB.
    Pool,
    /// Nobody honest is convicted.
    Innocence,
    /// With as many witnesses dead or dishonest as the quorum leaves over, a log publishes, 65
    /// seconds after the network has healed at the latest.
    Liveness,
    /// An honest witness never states what cannot be true together: two histories, or that a tree
    /// is the largest after it stated a larger one.
    OneHistory,
}

/// A guard of a host that is taken out, to see that the simulation notices.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mutant {
    /// A log shows what it signed before anybody cosigned it.
    ShowsCandidate,
    /// A log shows nothing before all of its witnesses cosigned it.
    WaitsForAll,
    /// A log asks witnesses about a head whose entries are not synced yet.
    SignsUnsynced,
    /// A witness answers before what it signed is synced.
    AnswersUnsynced,
    /// A witness believes its clock, whatever it stated before.
    BelievesClock,
    /// A witness does not look at evidence.
    IgnoresConviction,
    /// A node neither gossips nor takes what others tell it.
    KeepsToItself,
    /// A node keeps every head that anybody sends it.
    KeepsAll,
}

impl Mutant {
    /// Each, with what it breaks.
    pub const ALL: [(Mutant, Invariant); 8] = [
        (Mutant::ShowsCandidate, Invariant::Quorum),
        (Mutant::WaitsForAll, Invariant::Liveness),
        (Mutant::SignsUnsynced, Invariant::Innocence),
        (Mutant::AnswersUnsynced, Invariant::OneHistory),
        (Mutant::BelievesClock, Invariant::OneHistory),
        (Mutant::IgnoresConviction, Invariant::Conviction),
        (Mutant::KeepsToItself, Invariant::Evidence),
        (Mutant::KeepsAll, Invariant::Pool),
    ];
}

/// What the second log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Second {
    Honest,
    /// It shows two histories, and tries both on every witness.
    Splits,
    /// It signs trees that nobody can look into, as many as it likes.
    Floods,
    /// Its operator puts an old backup back.
    Restores,
}

/// What a witness is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Witness {
    Honest,
    /// It cosigns whatever a log signed.
    SignsAll,
    /// Its operator puts an old backup back.
    RollsBack,
    /// It dies, and nobody starts it again.
    Dies,
    /// Its clock jumps, and may jump back.
    ClockJumps,
}

/// What follows from a seed before the first step.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) second: Second,
    pub(super) witnesses: [Witness; WITNESSES],
    /// The witness that hears nobody but the liar for a while.
    pub(super) eclipsed: Option<usize>,
    pub(super) mutant: Option<Mutant>,
}

impl Plan {
    pub(super) fn new(words: &mut Words, mutant: Option<Mutant>) -> Self {
        let second = match words.below(8) {
            0 => Second::Honest,
            1..=4 => Second::Splits,
            5 => Second::Floods,
            _ => Second::Restores,
        };
        let mut witnesses = [Witness::Honest; WITNESSES];
        // Two that sign everything are more than a quorum stands: then there is a split view.
        let bad = match (second, words.below(3)) {
            (Second::Splits, 0 | 1) => vec![Witness::SignsAll; 2],
            _ => vec![
                [
                    Witness::Honest,
                    Witness::SignsAll,
                    Witness::RollsBack,
                    Witness::Dies,
                    Witness::ClockJumps,
                ][words.below(5)],
            ],
        };
        let mut places: Vec<usize> = (0..WITNESSES).collect();
        words.shuffle(&mut places);
        for (at, witness) in places.iter().zip(bad) {
            witnesses[*at] = witness;
        }
        let honest: Vec<usize> = places
            .into_iter()
            .filter(|at| witnesses[*at] == Witness::Honest)
            .collect();
        let eclipsed = words.percent(30).then(|| honest[words.below(honest.len())]);
        Plan {
            second,
            witnesses,
            eclipsed,
            mutant,
        }
    }

    /// Whether a host is a witness that signs everything.
    pub(super) fn signs_all(&self, host: &str) -> bool {
        let at = super::cast::WITNESS_HOSTS.iter().position(|it| *it == host);
        at.is_some_and(|at| self.witnesses[at] == Witness::SignsAll)
    }

    pub(super) fn has(&self, mutant: Mutant) -> bool {
        self.mutant == Some(mutant)
    }

    /// Whether a quorum stands without those that may not cosign.
    pub(super) fn has_quorum(&self) -> bool {
        let honest = self.witnesses.iter().filter(|it| **it == Witness::Honest);
        honest.count() >= super::cast::QUORUM
    }

    /// The honest witnesses that the second log shows one of its histories to.
    pub(super) fn side(&self, host: &str) -> usize {
        let honest: Vec<usize> = (0..WITNESSES)
            .filter(|at| self.witnesses[*at] != Witness::SignsAll)
            .collect();
        let at = honest
            .iter()
            .position(|at| super::cast::WITNESS_HOSTS[*at] == host);
        match at {
            Some(at) => at % 2,
            None => usize::from(host == super::cast::CLIENTS[1]),
        }
    }
}
