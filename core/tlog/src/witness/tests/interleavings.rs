//! Two and three requests at once, step by step in every order, with a crash at each step.
//!
//! The store is a model: one record, compared and written in one transaction. What is in memory is
//! lost in a crash, and the clients ask again.

use super::*;
use std::collections::{BTreeSet, HashSet};

/// Where a request is.
#[derive(Clone)]
enum Step {
    Asked,
    Decided(Pending),
    Stored(LogState),
    Answered,
}

/// What the model store does with a state that was decided on.
#[derive(Clone, Copy, PartialEq)]
enum Store {
    /// Writes it if the stored one is that which was decided on.
    Compares,
    /// Writes it: the race of C2SP tlog-witness.
    Overwrites,
}

#[derive(Clone)]
struct World {
    store: Store,
    state: LogState,
    floor: ClockFloor,
    steps: Vec<Step>,
    /// What was cosigned, in the order of signing.
    signed: Vec<LogState>,
    moves: usize,
    crashes: usize,
}

/// A log that forks after three leaves, and what it asks for.
struct Scenario {
    tree: Branch,
    fork: Branch,
    requests: Vec<SignedRequest>,
}

const FORK_AT: usize = 3;

impl Scenario {
    fn new() -> Self {
        let tree = Branch::new(8);
        let fork = tree.fork(FORK_AT);
        let bodies = [
            tree.request(0, 3),
            tree.request(3, 5),
            fork.request(3, 6),
            tree.request(0, 5),
            tree.request(5, 5),
            fork.request(0, 5),
            tree.request(5, 8),
        ];
        let requests = bodies.iter().map(|body| signed(body)).collect();
        Scenario {
            tree,
            fork,
            requests,
        }
    }

    fn is_of(&self, branch: &Branch, state: &LogState) -> bool {
        let size = usize::try_from(state.size().get()).unwrap();
        branch.root(size) == state.root()
    }

    /// Whether one history has both heads.
    fn agree(&self, a: &LogState, b: &LogState) -> bool {
        [&self.tree, &self.fork]
            .iter()
            .any(|branch| self.is_of(branch, a) && self.is_of(branch, b))
    }
}

/// Every statement is consistent with all before it, and none is of a smaller tree at a later
/// time.
fn statements_agree(scenario: &Scenario, world: &World) -> Result<(), &'static str> {
    for (i, a) in world.signed.iter().enumerate() {
        for b in &world.signed[i + 1..] {
            if !scenario.agree(a, b) {
                return Err("two histories are cosigned");
            }
            if (a.at() < b.at() && a.size() > b.size()) || (b.at() < a.at() && b.size() > a.size())
            {
                return Err("a smaller tree is the largest at a later time");
            }
        }
    }
    Ok(())
}

/// What is stored covers what was signed.
fn signed_is_stored(scenario: &Scenario, world: &World) -> Result<(), &'static str> {
    for signed in &world.signed {
        if signed.size() > world.state.size() || signed.at() > world.state.at() {
            return Err("what was signed is not stored");
        }
        if !scenario.agree(signed, &world.state) {
            return Err("what was signed and what is stored are two histories");
        }
    }
    Ok(())
}

fn never_rolls_back(before: &World, after: &World) -> Result<(), &'static str> {
    if after.state.size() < before.state.size() {
        return Err("the size fell");
    }
    if after.state.at() < before.state.at() || after.floor < before.floor {
        return Err("the time fell");
    }
    Ok(())
}

impl World {
    /// The clock goes forth and back.
    fn now(&self) -> u64 {
        NOW + [0, 7, 3, 9, 1][self.moves % 5]
    }

    /// One step of one request.
    fn step(mut self, request: &SignedRequest, i: usize) -> Self {
        self.steps[i] = match self.steps[i].clone() {
            Step::Asked => match request.decide(&self.state, self.floor, self.now()) {
                Decision::Cosign(pending) => Step::Decided(pending),
                Decision::Refuse(_) => Step::Answered,
            },
            Step::Decided(pending) => {
                if self.store == Store::Compares && *pending.before() != self.state {
                    Step::Asked
                } else {
                    self.state = pending.after();
                    self.floor = self.floor.max(pending.floor());
                    Step::Stored(self.state)
                }
            }
            Step::Stored(after) => {
                self.signed.push(after);
                Step::Answered
            }
            Step::Answered => Step::Answered,
        };
        self.moves += 1;
        self
    }

    /// The witness stops and starts: it reads its record, and cosigns what it holds again, for a
    /// monitor.
    fn crash(mut self) -> Self {
        let record = self.state.record(ORIGIN);
        self.state = record.map_or(LogState::Never, |record| {
            LogState::from_record(ORIGIN, &record).unwrap()
        });
        if self.state != LogState::Never {
            self.signed.push(self.state);
        }
        for step in &mut self.steps {
            if !matches!(step, Step::Answered) {
                *step = Step::Asked;
            }
        }
        self.crashes -= 1;
        self
    }

    /// All that decides what can follow.
    fn key(&self) -> Vec<u64> {
        let mut key = vec![self.floor.seconds(), self.moves as u64 % 5];
        key.push(self.crashes as u64);
        let mut push = |kind: u64, state: &LogState| {
            let root = state.root();
            let root = root.as_bytes().first_chunk().copied();
            let root = root.map_or(0, u64::from_be_bytes);
            key.extend([kind, state.size().get(), root, state.at()]);
        };
        push(0, &self.state);
        for step in &self.steps {
            match step {
                Step::Asked => push(1, &LogState::Never),
                Step::Decided(pending) => {
                    push(2, pending.before());
                    push(2, &pending.after());
                }
                Step::Stored(after) => push(3, after),
                Step::Answered => push(4, &LogState::Never),
            }
        }
        for signed in &self.signed {
            push(5, signed);
        }
        key
    }

    /// Takes every next step there is, and all after it, from each state once.
    fn explore(&self, search: &mut Search<'_>) -> Result<(), &'static str> {
        if !search.seen.insert(self.key()) {
            return Ok(());
        }
        let asked = search.asked.iter().enumerate();
        let steps = asked.filter(|(i, _)| !matches!(self.steps[*i], Step::Answered));
        let mut next: Vec<World> = steps
            .map(|(i, asked)| self.clone().step(&search.scenario.requests[*asked], i))
            .collect();
        if self.crashes > 0 {
            next.push(self.clone().crash());
        }
        for next in next {
            never_rolls_back(self, &next)?;
            signed_is_stored(search.scenario, &next)?;
            statements_agree(search.scenario, &next)?;
            next.explore(search)?;
        }
        Ok(())
    }
}

/// A search through everything that can happen.
struct Search<'a> {
    scenario: &'a Scenario,
    /// Which requests of the scenario are under way.
    asked: &'a [usize],
    seen: HashSet<Vec<u64>>,
}

/// Explores all orders of these requests, from each of three states. Returns how many states there
/// are on the way.
fn explore(
    scenario: &Scenario,
    asked: &[usize],
    store: Store,
    crashes: usize,
) -> Result<usize, &'static str> {
    let mut search = Search {
        scenario,
        asked,
        seen: HashSet::new(),
    };
    for size in [0, 3, 5] {
        let state = match size {
            0 => LogState::Never,
            size => scenario.tree.held(size, NOW),
        };
        let world = World {
            store,
            state,
            floor: FLOOR,
            steps: vec![Step::Asked; asked.len()],
            signed: Vec::new(),
            moves: 0,
            crashes,
        };
        world.explore(&mut search)?;
    }
    Ok(search.seen.len())
}

#[test]
fn two_requests_never_make_a_witness_contradict_itself() {
    let scenario = Scenario::new();
    let all = 0..scenario.requests.len();
    let mut states = 0;
    for a in all.clone() {
        for b in all.clone() {
            states += explore(&scenario, &[a, b], Store::Compares, 2).unwrap();
        }
    }
    assert!(states > 5_000, "{states}");
}

#[test]
fn three_requests_never_make_a_witness_contradict_itself() {
    let scenario = Scenario::new();
    let all = scenario.requests.len();
    let mut states = 0;
    for a in 0..all {
        for b in a..all {
            for c in b..all {
                states += explore(&scenario, &[a, b, c], Store::Compares, 2).unwrap();
            }
        }
    }
    assert!(states > 50_000, "{states}");
}

/// The canary: with a store that does not compare, the same search finds what is wrong.
#[test]
fn a_store_that_does_not_compare_is_found_out() {
    let scenario = Scenario::new();
    let mut found = BTreeSet::new();
    for (a, b) in [(0, 3), (1, 2), (3, 5)] {
        found.extend(explore(&scenario, &[a, b], Store::Overwrites, 0).err());
    }
    assert!(found.contains("the size fell"), "{found:?}");
    assert!(found.len() > 1, "{found:?}");
}
