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

/// What can be run alone.
const PARTS: [&str; 5] = ["kill", "files", "witness", "calls", "unsynced"];

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let cycles = match arguments.next() {
        Some(cycles) => cycles
            .parse()
            .with_context(|| format!("the arguments are how many cycles, and one of {PARTS:?}"))?,
        None => CYCLES,
    };
    let part = arguments.next();
    if let Some(part) = part.as_deref().filter(|part| !PARTS.contains(part)) {
        bail!("{part}: there are {PARTS:?}");
    }
    let seed = std::env::var("ASSAY_KILL_SEED").map_or(Ok(1), |seed| seed.parse())?;
    let runtime = tokio::runtime::Runtime::new()?;
    println!("{HEADING}");
    let mut failures = 0;
    for name in PARTS {
        if part.as_deref().is_none_or(|part| part == name) {
            failures += runtime.block_on(torture(name, cycles, seed))?;
        }
    }
    if failures > 0 {
        bail!("{failures} failures");
    }
    Ok(())
}

/// Runs the rows of a part, and returns how many failures there were.
async fn torture(part: &str, cycles: usize, seed: u64) -> anyhow::Result<usize> {
    let mut failures = 0;
    let mut tell = |row: Row| {
        println!("{row}");
        row.failures.iter().for_each(|it| println!("    {it}"));
        failures += row.failures.len();
    };
    match part {
        "kill" => tell(kill::run(cycles, seed).await?),
        "files" => {
            let files = Files::new().await?;
            for damage in [Damage::Flip, Damage::Cut] {
                tell(files.each(damage, cycles, seed).await?);
            }
        }
        "witness" => {
            let database = Database::new().await?;
            for damage in [Damage::Flip, Damage::Cut] {
                tell(database.each(damage, cycles, seed).await?);
            }
        }
        "calls" => {
            let calls = Calls::new().await?;
            for fault in ALL {
                tell(calls.each(fault, cycles).await?);
            }
        }
        _ => {
            let calls = Calls::new().await?;
            for what in [Forgotten::WriteAheadLog, Forgotten::Checkpoints] {
                tell(calls.forgetful(what, cycles).await?);
            }
        }
    }
    Ok(failures)
}
