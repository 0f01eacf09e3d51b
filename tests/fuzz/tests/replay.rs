//! Every target on its seeds, and on thousands of changed ones.
//!
//! `ASSAY_FUZZ_RUNS=100000` tries so many changes of each seed.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on panics.

use assay_fuzz::mutate::{Numbers, mutate};
use assay_fuzz::{Target, canary, corpus, targets};
use std::panic::{self, AssertUnwindSafe};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Changes that are tried of all seeds of a target together.
const RUNS: u64 = 6000;

fn runs() -> u64 {
    let asked = std::env::var("ASSAY_FUZZ_RUNS").ok();
    asked.map_or(RUNS, |runs| {
        runs.parse().expect("ASSAY_FUZZ_RUNS is a number")
    })
}

/// Runs a target; a failure names the bytes.
fn run(target: &Target, what: &str, bytes: &[u8]) -> Result<bool, String> {
    let outcome = panic::catch_unwind(AssertUnwindSafe(|| target.run(bytes)));
    outcome.map_err(|_| {
        let (name, shown) = (&target.name, bytes.escape_ascii());
        format!("{name} does not hold of {what}:\n\"{shown}\"")
    })
}

fn replay(target: &Target, runs: u64) -> Result<(), String> {
    let seeds = target.seeds();
    if seeds.is_empty() {
        return Err(format!("{} has no seed", target.name));
    }
    for seed in &seeds {
        let accepted = run(target, &seed.name, &seed.bytes)?;
        if !accepted && !seed.was_found() {
            return Err(format!("{} refuses {}", target.name, seed.name));
        }
    }
    // Long seeds are changed less often: they take longer.
    let bytes: usize = seeds.iter().map(|seed| seed.bytes.len()).sum();
    let runs = runs / (1 + bytes as u64 / seeds.len() as u64 / 4096);
    let mut numbers = Numbers::new(1);
    for i in 0..runs {
        let [one, other] = [(); 2].map(|()| &seeds[numbers.below(seeds.len())]);
        let changed = mutate(&one.bytes, &other.bytes, &mut numbers);
        run(target, &format!("change {i} of {}", one.name), &changed)?;
    }
    Ok(())
}

/// Each target that does not hold, once.
#[test]
fn what_readers_promise_holds_of_all_seeds_and_of_changed_ones() {
    let (all, next) = (targets(), AtomicUsize::new(0));
    let failed = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(target) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = replay(target, runs()) {
                        failed.lock().unwrap().push(why);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(failed.is_empty(), "{}", failed.join("\n\n"));
}

/// Else the test above could not fail, either.
#[test]
fn a_property_that_does_not_hold_is_noticed() {
    let why = replay(&canary(), 100_000).unwrap_err();
    assert!(why.starts_with("canary does not hold of change"), "{why}");
}

#[test]
fn targets_have_names_of_their_own_and_all_seeds_have_a_target() {
    let mut names: Vec<_> = targets().into_iter().map(|target| target.name).collect();
    names.sort();
    assert!(names.windows(2).all(|two| two[0] != two[1]), "{names:?}");
    for folder in std::fs::read_dir(corpus()).unwrap() {
        let name = folder.unwrap().file_name().into_string().unwrap();
        assert!(names.contains(&name), "corpus/{name} is of no target");
    }
}
