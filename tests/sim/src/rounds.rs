//! How many rounds of gossip it takes until every node has evidence of a split view.

use crate::log::Log;
use crate::node::{Known, Node, meet};
use crate::words::Words;
use assay_claims::misbehavior::KnownKeys;
use assay_tlog::gossip::{FAN_OUT, Pool, Sampler, Settings, Standing};
use std::collections::BTreeMap;
use std::rc::Rc;

/// Seeds that once broke an invariant, with what was simulated: the number of nodes, and the place
/// in [`Scenario::ALL`]. They are run again with every test.
pub const ONCE_FAILED: &[(u64, usize, usize)] = &[];

/// Of a hundred exchanges so many do not take place.
const LOST: usize = 30;

/// After so many rounds a run has failed, whatever its luck was.
const MOST_ROUNDS: usize = 25;

/// Who is shown the other history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// Every other node.
    Half,
    /// One node alone.
    One,
}

/// When nodes meet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// All at the same moment: what came in this round is passed on in the next. Nothing is
    /// slower.
    AtOnce,
    /// One node after the other, in a random order: each node has its own second.
    OneByOne,
}

/// What is simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scenario {
    /// Who is shown the other history.
    pub shown: Shown,
    /// The size that most are shown, and that of the other history.
    pub sizes: (usize, usize),
    /// When nodes meet.
    pub timing: Timing,
}

impl Scenario {
    /// Both ways to divide the nodes, heads of one size and of two (one of them a power of two),
    /// and both timings.
    pub const ALL: [Scenario; 10] = {
        use Shown::{Half, One};
        use Timing::{AtOnce, OneByOne};
        [
            Self::of(Half, (40, 40), AtOnce),
            Self::of(One, (40, 40), AtOnce),
            Self::of(Half, (40, 33), AtOnce),
            Self::of(One, (40, 33), AtOnce),
            Self::of(Half, (40, 55), AtOnce),
            Self::of(One, (40, 55), AtOnce),
            Self::of(Half, (40, 32), AtOnce),
            Self::of(One, (32, 55), AtOnce),
            Self::of(Half, (40, 40), OneByOne),
            Self::of(One, (40, 40), OneByOne),
        ]
    };

    const fn of(shown: Shown, sizes: (usize, usize), timing: Timing) -> Self {
        Scenario {
            shown,
            sizes,
            timing,
        }
    }
}

/// The logs of all runs: one that forks, and one that is honest and grows.
pub struct Logs {
    forked: Log,
    honest: Log,
}

impl Default for Logs {
    fn default() -> Self {
        let sizes: Vec<usize> = (1..=Log::SIZE).collect();
        Logs {
            forked: Log::new("log.example/forked", &sizes),
            honest: Log::new("log.example/honest", &sizes),
        }
    }
}

impl Logs {
    fn known(&self) -> Known {
        Known::new(KnownKeys {
            logs: [&self.forked, &self.honest]
                .map(|log| log.verifier.clone())
                .into(),
            ..KnownKeys::default()
        })
    }
}

/// A federation in the course of its rounds.
struct Run<'a> {
    logs: &'a Logs,
    known: Known,
    words: Words,
    nodes: Vec<Node<'a>>,
    samplers: Vec<Sampler>,
}

/// Returns after how many rounds every one of `count` nodes has evidence.
///
/// # Panics
///
/// If the honest log is blamed or suspect, evidence does not verify, an honest peer is refused, or
/// a node has no evidence after 25 rounds.
pub fn rounds(logs: &Logs, count: usize, scenario: Scenario, seed: u64) -> usize {
    let mut run = Run::new(logs, count, scenario, seed);
    let mut rounds = 0;
    while !run.is_done() {
        assert!(
            rounds < MOST_ROUNDS,
            "a node has no evidence after {rounds} rounds"
        );
        rounds += 1;
        run.grow(rounds);
        match scenario.timing {
            Timing::AtOnce => run.all_at_once(),
            Timing::OneByOne => run.one_by_one(),
        }
        for node in &mut run.nodes {
            node.pool.next_round();
        }
        run.check();
    }
    rounds
}

impl<'a> Run<'a> {
    fn new(logs: &'a Logs, count: usize, scenario: Scenario, seed: u64) -> Self {
        let mut run = Run {
            logs,
            known: logs.known(),
            words: Words::new(seed),
            nodes: Vec::new(),
            samplers: vec![Sampler::default(); count],
        };
        let mut pool = Pool::new(Settings {
            alarm_after_ms: 60_000,
        });
        for log in [&logs.forked, &logs.honest] {
            pool.add_log(log.verifier.clone()).unwrap();
        }
        for at in 0..count {
            let forked = match scenario.shown {
                Shown::Half => at % 2 == 1,
                Shown::One => at == 0,
            };
            let log = &logs.forked;
            let (tiles, size) = if forked {
                (&log.fork, scenario.sizes.1)
            } else {
                (&log.tree, scenario.sizes.0)
            };
            let mut node = Node {
                pool: pool.clone(),
                texts: BTreeMap::new(),
                tiles: vec![tiles, &logs.honest.tree],
            };
            node.take(log.head(forked, size), &mut run.known, &mut run.words);
            run.nodes.push(node);
        }
        run
    }

    fn is_done(&self) -> bool {
        self.nodes.iter().all(|node| !node.texts.is_empty())
    }

    /// The honest log grows, and shows its new head to some node.
    fn grow(&mut self, rounds: usize) {
        let at = self.words.below(self.nodes.len());
        let size = 1 + 2 * rounds;
        let head = self.logs.honest.head(false, size);
        self.nodes[at].take(head, &mut self.known, &mut self.words);
    }

    /// Whom each node meets in this round.
    fn draw(&mut self) -> Vec<(usize, usize)> {
        let count = self.nodes.len();
        let mut meetings = Vec::new();
        for at in 0..count {
            let random = [(); FAN_OUT].map(|()| self.words.word());
            for peer in self.samplers[at].draw(count - 1, random) {
                let peer = if peer < at { peer } else { peer + 1 };
                meetings.push((at, peer));
            }
        }
        meetings
    }

    /// Every meeting begins with what both had when the round began.
    fn all_at_once(&mut self) {
        let before = self.nodes.clone();
        for (one, other) in self.draw() {
            if self.words.percent(LOST) {
                continue;
            }
            let mut met = [one, other].map(|at| before[at].clone());
            let [here, there] = &mut met;
            meet(here, there, &mut self.known, &mut self.words);
            for (at, met) in [one, other].into_iter().zip(met) {
                self.merge(at, &met);
            }
        }
    }

    /// Gives a node what it got in a meeting.
    fn merge(&mut self, at: usize, met: &Node) {
        let node = &mut self.nodes[at];
        let logs = [&self.logs.forked, &self.logs.honest];
        for origin in logs.map(|log| log.verifier.origin()) {
            for head in met.pool.heads(origin) {
                node.take(head, &mut self.known, &mut self.words);
            }
        }
        for text in met.texts.values() {
            node.hold(Rc::clone(text), &mut self.known);
        }
    }

    fn one_by_one(&mut self) {
        let mut meetings = self.draw();
        self.words.shuffle(&mut meetings);
        for (one, other) in meetings {
            if self.words.percent(LOST) {
                continue;
            }
            let [here, there] = self
                .nodes
                .get_disjoint_mut([one, other])
                .expect("nobody meets itself");
            meet(here, there, &mut self.known, &mut self.words);
        }
    }

    /// What must hold after every round.
    fn check(&self) {
        let (forked, honest) = (&self.logs.forked, &self.logs.honest);
        for node in &self.nodes {
            let standing = node.pool.standing(honest.verifier.origin(), u64::MAX);
            assert_eq!(standing, Standing::Clear, "the honest log is blamed");
            let standing = node.pool.standing(forked.verifier.origin(), 0);
            let is_convicted = standing == Standing::Convicted;
            assert_eq!(
                is_convicted,
                !node.texts.is_empty(),
                "a log is convicted by texts"
            );
        }
    }
}
