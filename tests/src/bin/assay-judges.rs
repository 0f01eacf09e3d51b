//! `make judges`: what scanners of other projects make of the same packages, and of what is written
//! for them, as a table.

use anyhow::bail;
use assay_tests::judges::{HEADING, Row, osv, repository, scanners::Kind, vex};
use std::time::Instant;

/// Most differences of a row that are printed.
const SHOWN: usize = 40;

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    let is_wanted = |name: &str| wanted.is_empty() || wanted.iter().any(|one| one == name);
    let mut rows = Vec::new();
    if is_wanted("osv-scanner") {
        let started = Instant::now();
        let scanner = osv::build()?;
        eprintln!("osv-scanner was built in {:.0?}", started.elapsed());
        rows.extend(osv::rows(&scanner)?);
    }
    for kind in Kind::ALL {
        if is_wanted(kind.name()) {
            rows.extend(vex::rows(kind)?);
        }
    }
    if is_wanted(Kind::Trivy.name()) {
        rows.extend(repository::rows()?);
    }
    println!("{HEADING}");
    rows.iter().for_each(|row| println!("{row}"));
    rows.iter().for_each(show);
    let differ: usize = rows.iter().map(|row| row.differ.len()).sum();
    if rows.is_empty() || differ > 0 {
        bail!("{} rows, {differ} differences", rows.len());
    }
    Ok(())
}

/// Says where the two differ.
fn show(row: &Row) {
    for (how, list) in [("as known", &row.known), ("and should not", &row.differ)] {
        if !list.is_empty() {
            println!("\n{} of {}: differ {how}", row.judge, row.input);
        }
        list.iter()
            .take(SHOWN)
            .for_each(|one| println!("    {one}"));
        if let more @ 1.. = list.len().saturating_sub(SHOWN) {
            println!("    and {more} more");
        }
    }
}
