//! What gossip costs when nothing happens.

use super::world::until;
use anyhow::ensure;
use assay_tests::witness::{History, Witness};
use std::fs;

/// Logs that both know.
const LOGS: usize = 1000;

/// Most bytes that a node says and hears in a round, on average.
const BYTES: f64 = 16.0 * 1024.0;

async fn metric(witness: &Witness, name: &str) -> anyhow::Result<f64> {
    let text = witness.admin("/metrics").await?.body;
    let lines = text.lines().filter(|line| line.starts_with(name));
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    Ok(values.sum())
}

/// Two witnesses that know a thousand logs, of which one has seen every head, and the other
/// nothing: it hears of all of them, and then there is little to say.
#[tokio::test]
async fn a_round_without_news_takes_few_bytes_however_many_logs_there_are() -> anyhow::Result<()> {
    let mut witnesses = [
        Witness::named("v.example/w")?,
        Witness::named("w.example/w")?,
    ];
    let mut logs = Vec::new();
    for number in 0..LOGS {
        logs.push(History::new(&format!("log.example/{number}"), 3)?);
    }
    for witness in &witnesses {
        let mut tables = String::new();
        for log in &logs {
            let (origin, vkey) = (&log.origin, log.vkey());
            tables += &format!("\n[[log]]\norigin = {origin:?}\nkeys = [{vkey:?}]\n");
        }
        let config = witness.folder().join("witness.toml");
        let text = fs::read_to_string(&config)? + &tables;
        fs::write(&config, text)?;
        witness.configure("gossip_interval_ms = 1000", "gossip_interval_ms = 100")?;
    }
    witnesses[0].run()?;
    for log in &logs {
        ensure!(witnesses[0].add(log.request(0, 3)?).await?.status == 200);
    }
    let url = witnesses[0].ready()?.url.clone();
    let card = format!("[[peer]]\nname = \"v.example\"\nurl = {url:?}\n");
    fs::write(witnesses[1].folder().join("peers.toml"), card)?;
    witnesses[1].run()?;
    until("all heads", async || {
        let heads = witnesses[1].get("/heads").await?.body;
        let all = heads
            .lines()
            .filter(|line| line.starts_with("log.example/"))
            .count();
        Ok((all == LOGS).then_some(()))
    })
    .await?;

    // News are told for twelve rounds. Afterwards it is quiet.
    let begun = metric(&witnesses[1], "assay_gossip_rounds_total").await?;
    let after = async |rounds: f64| {
        until("rounds", async || {
            let now = metric(&witnesses[1], "assay_gossip_rounds_total").await?;
            Ok((now >= begun + rounds).then_some(now))
        })
        .await
    };
    let start = after(14.0).await?;
    let bytes = metric(&witnesses[1], "assay_gossip_bytes_total").await?;
    let end = after(34.0).await?;
    let bytes = metric(&witnesses[1], "assay_gossip_bytes_total").await? - bytes;
    // One peer of three is met: six times as many are said and heard, by both sides of each.
    let a_round = 6.0 * bytes / (end - start);
    ensure!(a_round <= BYTES, "{a_round} bytes a round");
    Ok(())
}
