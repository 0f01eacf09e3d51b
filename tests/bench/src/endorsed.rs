//! What it costs to publish in a log that takes the claims of those whom it endorses.

use crate::{
    load::{publish_claims, publish_unary},
    material::{Material, take},
    observed::{UNLIMITED, median},
    report::Report,
};
use assay_claims::issuer::IssuerId;
use assay_tests::{issuer::key, process::Node};

/// Claims of one timed run, of which there are three in each log.
const PUBLISHED: u64 = 15_000;

/// The number of the key of whoever endorses.
const ANCHOR: u8 = 254;

/// Publishes the same claims by single calls in a log that takes any valid signature and in one
/// that asks for endorsements, by turns.
pub fn bench(material: &Material, claims: u64, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("publishing in a log that asks for endorsements…");
    let anchor = key(ANCHOR);
    let id = IssuerId::derive(1, &[anchor.verifying_key().to_bytes()]);
    let runtime = tokio::runtime::Runtime::new()?;
    let modes = [
        "admission.mode = \"open\"".to_owned(),
        format!("admission.mode = \"endorsed\"\nadmission.anchors = [\"{id}\"]"),
    ];
    let endorsements = material.endorsements(id, &anchor)?;
    let mut nodes = Vec::new();
    for mode in modes {
        let node = Node::start_with(&format!("{UNLIMITED}\n{mode}"))?;
        let url = &node.ready().url;
        runtime.block_on(async {
            material.register(url).await?;
            // Who endorses is registered before it does.
            publish_claims(url, &endorsements[..1]).await?;
            publish_claims(url, &endorsements[1..]).await
        })?;
        nodes.push((node, Vec::new()));
    }
    let mut next = 0;
    for _ in 0..3 {
        let claims = take(&mut next, PUBLISHED.min(claims / 3));
        for (node, rates) in &mut nodes {
            rates.push(publish_unary(&node.ready().url, material, claims.clone())?);
        }
    }
    let rates: Vec<f64> = nodes.into_iter().map(|(_, rates)| median(rates)).collect();
    if let [open, endorsed] = rates[..] {
        let detail = format!("{endorsed:.0} claims/s by single calls; {open:.0} in an open log");
        report.ratio("endorsed", endorsed / open, 0.9, detail);
    }
    Ok(())
}
