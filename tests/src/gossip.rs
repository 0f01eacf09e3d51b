//! What gossip costs when nothing happens, between two witnesses that are real processes.

use crate::process::poll_async;
use crate::witness::{History, Witness};
use anyhow::ensure;
use std::fs;

/// Rounds in which news are told: twelve, and some more.
const NEWS: f64 = 14.0;

/// Rounds that are measured.
const MEASURED: f64 = 20.0;

/// Exchanges of a round in which a node says and hears something, with enough peers: three that it
/// opens, and as many that others open, on average.
const EXCHANGES: f64 = 6.0;

/// Returns how many bytes of messages a node says and hears in a round without news, if it knows so
/// many logs and has enough peers.
///
/// One of two witnesses has seen every head, and the other one nothing. It hears of all of them,
/// and then there is little to say.
pub async fn quiet(logs: usize) -> anyhow::Result<f64> {
    let mut knows = Witness::named("v.example/w")?;
    let mut hears = Witness::named("w.example/w")?;
    let mut histories = Vec::new();
    for number in 0..logs {
        histories.push(History::new(&format!("log.example/{number}"), 3)?);
    }
    for witness in [&knows, &hears] {
        let mut text = fs::read_to_string(witness.folder().join("witness.toml"))?;
        for log in &histories {
            let (origin, vkey) = (&log.origin, log.vkey());
            text += &format!("\n[[log]]\norigin = {origin:?}\nkeys = [{vkey:?}]\n");
        }
        fs::write(witness.folder().join("witness.toml"), text)?;
        witness.configure("gossip_interval_ms = 1000", "gossip_interval_ms = 100")?;
    }
    knows.run()?;
    for log in &histories {
        ensure!(knows.add(log.request(0, 3)?).await?.status == 200);
    }
    let url = knows.ready()?.url.clone();
    let card = format!("[[peer]]\nname = \"v.example\"\nurl = {url:?}\n");
    fs::write(hears.folder().join("peers.toml"), card)?;
    hears.run()?;
    poll_async(async || {
        let heads = hears.get("/heads").await?.body;
        let lines = heads.lines();
        let heard = lines.filter(|line| line.starts_with("log.example/"));
        Ok((heard.count() == logs).then_some(()))
    })
    .await?;

    let begun = metric(&hears, ROUNDS).await?;
    let start = after(&hears, begun + NEWS).await?;
    let bytes = metric(&hears, BYTES).await?;
    let end = after(&hears, begun + NEWS + MEASURED).await?;
    let bytes = metric(&hears, BYTES).await? - bytes;
    Ok(EXCHANGES * bytes / (end - start))
}

const ROUNDS: &str = "assay_gossip_rounds_total";
const BYTES: &str = "assay_gossip_bytes_total";

/// Waits for a number of rounds.
async fn after(witness: &Witness, rounds: f64) -> anyhow::Result<f64> {
    poll_async(async || {
        let now = metric(witness, ROUNDS).await?;
        Ok((now >= rounds).then_some(now))
    })
    .await
}

async fn metric(witness: &Witness, name: &str) -> anyhow::Result<f64> {
    let text = witness.admin("/metrics").await?.body;
    let lines = text.lines().filter(|line| line.starts_with(name));
    let values = lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    Ok(values.sum())
}
