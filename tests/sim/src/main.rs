//! `make sim SEEDS=10000`: many runs, as a table. Exits with 1 if one of them broke an invariant,
//! or a goal was missed.

use assay_sim::busy::busy;
use assay_sim::idle::{fresh, idle};
use assay_sim::log::Log;
use assay_sim::p99;
use assay_sim::rounds::{Logs, Scenario, rounds};
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

/// Nodes, and the rounds within which all of them are to have evidence in 99 of 100 runs.
const GOALS: [(usize, usize); 3] = [(5, 3), (25, 5), (100, 6)];

fn main() -> ExitCode {
    let seeds = std::env::args().nth(1);
    let Some(seeds) = seeds.map_or(NonZeroU64::new(1_000), |seeds| {
        seeds.parse::<NonZeroU64>().ok()
    }) else {
        eprintln!("usage: assay-sim [SEEDS]");
        return ExitCode::from(2);
    };
    let logs = Logs::default();
    let mut is_good = true;
    #[cfg(feature = "network")]
    {
        is_good &= networks(seeds.get());
    }
    println!("nodes  scenario  shown  sizes     timing    p50  p99  most  goal");
    for (count, goal) in GOALS {
        for (place, scenario) in Scenario::ALL.into_iter().enumerate() {
            let mut taken = Vec::new();
            for seed in 0..seeds.get() {
                match catch_unwind(AssertUnwindSafe(|| rounds(&logs, count, scenario, seed))) {
                    Ok(rounds) => taken.push(rounds),
                    Err(_) => {
                        is_good = false;
                        println!("failed, for ONCE_FAILED: ({seed}, {count}, {place}),");
                    }
                }
            }
            if taken.is_empty() {
                continue;
            }
            taken.sort_unstable();
            let (half, most) = (taken[taken.len() / 2], taken[taken.len() - 1]);
            let p99 = p99(&taken);
            is_good &= p99 <= goal;
            let Scenario {
                shown,
                sizes,
                timing,
            } = scenario;
            let (shown, timing) = (format!("{shown:?}"), format!("{timing:?}"));
            println!(
                "{count:5}  {place:8}  {shown:5}  {:2} and {:2} {timing:9} {half:3}  {p99:3}  \
                 {most:4}  {goal:4}",
                sizes.0, sizes.1
            );
        }
    }
    crowd(seeds);
    let idle = idle(25, 1_000, 50);
    println!(
        "idle, 1000 logs: {} bytes a round in what a node opens, {} with what it answers, up to {}",
        idle.opened, idle.average, idle.most
    );
    is_good &= idle.average <= 16 * 1024;
    if is_good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// One fork among many logs that all changed, which digests have no room for at once.
fn crowd(seeds: NonZeroU64) {
    let (log, others) = (Log::new("log.example/forked", &[40]), fresh(1_000));
    let taken: Vec<usize> = (0..seeds.get().min(200))
        .map(|seed| busy(&log, &others, 25, seed))
        .collect();
    println!(
        "25 nodes, one among 1000 logs that all changed: p99 {}",
        p99(&taken)
    );
}

/// Federations on a simulated network, on all cores. Returns whether every invariant held.
#[cfg(feature = "network")]
fn networks(seeds: u64) -> bool {
    use assay_sim::network::{ONCE_FAILED, run};
    use std::sync::atomic::{AtomicUsize, Ordering};
    let all: Vec<u64> = ONCE_FAILED.iter().copied().chain(0..seeds).collect();
    let (next, failed) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let work = || {
        while let Some(seed) = all.get(next.fetch_add(1, Ordering::Relaxed)) {
            let found = catch_unwind(|| run(*seed, None));
            if !matches!(found, Ok(Ok(_))) {
                failed.fetch_add(1, Ordering::Relaxed);
                println!("failed, for network::ONCE_FAILED: {seed}: {found:?}");
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let failed = failed.into_inner();
    println!(
        "networks: {} runs, {failed} of them broke an invariant",
        all.len()
    );
    failed == 0
}
