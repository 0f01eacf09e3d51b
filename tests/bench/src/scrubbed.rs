//! What it costs a node that publishes to examine what it stores meanwhile.

use crate::{
    index::settings,
    load::publish_stream,
    material::{Material, take},
    observed::median,
    report::Report,
};
use assay_tests::process::Node;

/// Claims of one timed run, of which there are five on each node.
const PUBLISHED: u64 = 60_000;

/// How long a round of examining takes at most, in hours: a node's own setting, and none.
const HOURS: [u64; 2] = [24, 0];

/// Publishes by turns on a node that examines its store and on one that does not, of a quarter of
/// `claims` each.
pub fn bench(material: &Material, claims: u64, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("publishing while the store is examined…");
    let mut nodes = Vec::new();
    for hours in HOURS {
        let mut node = Node::init()?;
        node.configure(&format!("{}\nstorage.scrub_hours = {hours}", settings()))?;
        node.run()?;
        let url = node.ready().url.clone();
        tokio::runtime::Runtime::new()?.block_on(material.register(&url))?;
        publish_stream(&url, material, 0..claims / 4)?;
        nodes.push((node, Vec::new()));
    }
    let mut next = claims / 4;
    for _ in 0..5 {
        let published = take(&mut next, PUBLISHED.min(claims / 16));
        for (node, rates) in &mut nodes {
            rates.push(publish_stream(
                &node.ready().url,
                material,
                published.clone(),
            )?);
        }
    }
    let rates: Vec<f64> = nodes.into_iter().map(|(_, rates)| median(rates)).collect();
    if let [with, without] = rates[..] {
        let detail = format!("{with:.0} claims/s with it; {without:.0} without");
        report.ratio("scrub", with / without, 0.97, detail);
    }
    Ok(())
}
