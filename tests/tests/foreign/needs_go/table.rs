//! The table of C2SP tlog-witness, asked of other projects' witnesses: it shows what they answer
//! differently, and that the table itself is not only what ours happens to do.

use super::Witnesses;
use assay_tests::add_checkpoint::{Row, accepted, rows};
use assay_tests::witness::{History, add};
use std::{fs, path::Path};

/// How a witness's answers deviate from what is specified, row by row.
async fn deviations(url: &str, rows: &[(History, Row)]) -> anyhow::Result<Vec<Option<String>>> {
    let http = reqwest::Client::new();
    let mut deviations = Vec::new();
    for (log, row) in rows {
        if row.held > 0 {
            let first = add(&http, url, log.request(0, row.held)?).await?;
            assert_eq!(first.status, 200, "{url}: {}", first.body);
        }
        let said = add(&http, url, row.body.clone()).await?;
        deviations.push(row.deviation(&said));
    }
    // The last row changes nothing at any witness: its log can go on.
    let (log, _) = rows.last().unwrap();
    for (case, body) in accepted(log)? {
        let said = add(&http, url, body).await?;
        assert_eq!(said.status, 200, "{url}: {case}: {}", said.body);
    }
    Ok(deviations)
}

/// Each row is answered as specified, or otherwise as `tests/interop/README.md` says.
#[tokio::test(flavor = "multi_thread")]
async fn the_table_holds_for_others_as_it_is_written_down() -> anyhow::Result<()> {
    let rows = rows()?;
    let logs = rows.iter().map(|(log, _)| (log.origin.clone(), log.vkey()));
    let logs: Vec<_> = logs.collect();
    let Some(all) = Witnesses::start("the table of other witnesses", &logs)? else {
        return Ok(());
    };
    let lite = deviations(&all.lite.url, &rows).await?;
    let omni = deviations(&all.omni.url, &rows).await?;
    let aics = deviations(&all.aics.url, &rows).await?;
    let mut found = Vec::new();
    for (((row, lite), omni), aics) in rows.iter().zip(lite).zip(omni).zip(aics) {
        let Row { case, status, .. } = &row.1;
        let cells = [lite, omni, aics];
        if cells.iter().any(Option::is_some) {
            let cells = cells.map(Option::unwrap_or_default).join(" | ");
            found.push(format!("| {case} | {status} | {cells} |"));
        }
    }
    let readme = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/README.md");
    let readme = fs::read_to_string(readme)?;
    let below = readme.split_once("| ---: |").unwrap().1.lines().skip(1);
    let written: Vec<&str> = below.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(found, written, "{}", found.join("\n"));
    // Ours answers all of it as specified.
    let ours = deviations(&all.ours.ready()?.url, &rows).await?;
    assert_eq!(ours, vec![None; rows.len()]);
    Ok(())
}
