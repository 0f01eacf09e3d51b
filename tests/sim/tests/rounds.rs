//! Split views among 5, 25 and 100 nodes, with three of ten exchanges lost.

use assay_sim::idle::idle;
use assay_sim::p99;
use assay_sim::rounds::{Logs, ONCE_FAILED, Scenario, rounds};

const SEEDS: u64 = 300;

/// Runs every scenario with its share of the seeds. `make sim` runs as many as one likes.
fn all_know_within(count: usize, goal: usize) {
    let logs = Logs::default();
    let scenarios = Scenario::ALL.into_iter().enumerate();
    for (place, scenario) in scenarios {
        let share = SEEDS / Scenario::ALL.len() as u64;
        let seeds = place as u64 * share..(place as u64 + 1) * share;
        let taken = seeds.map(|seed| {
            println!("seed {seed}, {count} nodes, scenario {place}");
            rounds(&logs, count, scenario, seed)
        });
        let taken: Vec<usize> = taken.collect();
        assert!(p99(&taken) <= goal, "{scenario:?}: {taken:?}");
    }
}

#[test]
fn five_nodes_know_of_a_split_view_in_three_rounds() {
    all_know_within(5, 3);
}

#[test]
fn twenty_five_nodes_know_of_a_split_view_in_five_rounds() {
    all_know_within(25, 5);
}

#[test]
fn a_hundred_nodes_know_of_a_split_view_in_six_rounds() {
    all_know_within(100, 6);
}

#[test]
fn seeds_that_once_failed_do_not() {
    let logs = Logs::default();
    for (seed, count, place) in ONCE_FAILED {
        rounds(&logs, *count, Scenario::ALL[*place], *seed);
    }
}

#[test]
fn gossip_about_a_thousand_idle_logs_takes_16_kib_a_round() {
    let idle = idle(10, 1_000, 20);
    assert!(idle.opened <= 16 * 1024, "{idle:?}");
    assert!(idle.average <= 16 * 1024, "{idle:?}");
}
