//! `make torture`: what a node and a witness are put through, as often as is asked for, as a table.

use anyhow::{Context, bail};
use assay_tests::{
    faults::Forgotten,
    torture::{
        HEADING, Row,
        bits::{Damage, Files},
        calls::{ALL, Calls},
        kill,
        witness::Database,
    },
};

/// Cycles of a row where nobody says how many.
const CYCLES: usize = 1000;

fn main() -> anyhow::Result<()> {
    let cycles = match std::env::args().nth(1) {
        Some(cycles) => cycles.parse().context("the argument is how many cycles")?,
        None => CYCLES,
    };
    let seed = std::env::var("ASSAY_KILL_SEED").map_or(Ok(1), |seed| seed.parse())?;
    let runtime = tokio::runtime::Runtime::new()?;
    let failures = runtime.block_on(torture(cycles, seed))?;
    if failures > 0 {
        bail!("{failures} failures");
    }
    Ok(())
}

/// Runs all rows, and returns how many failures there were.
async fn torture(cycles: usize, seed: u64) -> anyhow::Result<usize> {
    println!("{HEADING}");
    let mut failures = 0;
    let mut tell = |row: Row| {
        println!("{row}");
        row.failures.iter().for_each(|it| println!("    {it}"));
        failures += row.failures.len();
    };
    tell(kill::run(cycles, seed).await?);
    let files = Files::new().await?;
    let database = Database::new().await?;
    for damage in [Damage::Flip, Damage::Cut] {
        tell(files.each(damage, cycles, seed).await?);
        tell(database.each(damage, cycles, seed).await?);
    }
    let calls = Calls::new().await?;
    for fault in ALL {
        tell(calls.each(fault, cycles).await?);
    }
    for what in [Forgotten::WriteAheadLog, Forgotten::Checkpoints] {
        let (found, all) = calls.forgetful(what, cycles).await?;
        let mut row = Row::new(format!("mutant: {what:?} is not synced"));
        for number in 0..all {
            let outcome = if number < found { "found" } else { "harmless" };
            row.note("", Ok(outcome));
        }
        if found == 0 {
            row.failures.push("it is not found".to_owned());
        }
        tell(row);
    }
    Ok(failures)
}
