//! `make siege`: what strangers do to a node, for as long as is asked for, as a table.

use anyhow::{Context, bail};
use assay_tests::siege::{HEADING, ROWS, Siege, times};
use std::time::Duration;

/// Claims in the log: so many that the answer about all labels takes some megabytes.
const CLAIMS: u64 = 30_000;

/// Claims of each of five others after the start, of which the store's buffers for what is written
/// are full: ten seconds' worth.
const FILLED: u64 = 10_000;

/// Seconds of a row where nobody says how many.
const SECONDS: u64 = 20;

/// Most that the p99 of honest callers may be, beside all strangers together, by that without them.
const SIEGE_P99: f64 = 3.0;

fn main() -> anyhow::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let seconds = match arguments.next() {
        Some(seconds) => seconds
            .parse()
            .context("the arguments are the seconds of a row, and what rows' names begin with")?,
        None => SECONDS,
    };
    let wanted = arguments.next().unwrap_or_default();
    let runtime = tokio::runtime::Runtime::new()?;
    let misses = runtime.block_on(siege(Duration::from_secs(seconds), &wanted))?;
    if misses > 0 {
        bail!("{misses} misses");
    }
    Ok(())
}

/// Runs the rows whose names begin so, and returns how many figures miss what must hold.
async fn siege(lasting: Duration, wanted: &str) -> anyhow::Result<usize> {
    let mut siege = Siege::new(CLAIMS).await?.filled(FILLED).await?;
    // Once, so that it is not measured cold.
    siege.idle(lasting / 4).await?;
    let idle = siege.idle(lasting).await?;
    println!("{HEADING}");
    println!("| nobody | | | 100.0 |{} |", times(&idle));
    let (mut misses, mut last) = (0, None);
    for row in ROWS.iter().filter(|(name, _)| name.starts_with(wanted)) {
        let row = siege.row(*row, lasting).await?;
        println!("{row}");
        let missed = row.misses_beside(&idle);
        missed.iter().for_each(|it| println!("    {it}"));
        misses += missed.len();
        last = Some(row);
    }
    let last = last.context("no row begins so")?;
    siege.end().await?;
    let (before, now) = (idle.percentile(99), last.seen.percentile(99));
    let ratio = now.as_secs_f64() / before.as_secs_f64();
    println!();
    println!(
        "siege_p99 {ratio:.2} (≤ {SIEGE_P99}): {now:.1?} beside {}, {before:.1?} alone",
        last.traffic
    );
    Ok(misses + usize::from(ratio > SIEGE_P99))
}
