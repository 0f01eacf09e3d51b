//! Answers that nobody reads.

use super::{Stranger, alone, assert_undisturbed, grpc_status, honest, metric};
use crate::{Fixture, bad_input::attachments};
use assay_proto::v1::{GetRequest, LookupRequest, StreamEntriesRequest, Wait};
use assay_tests::{
    log::{everything, longest_list},
    stranger::begin,
};
use std::time::Duration;

/// Claims in the log: so many that the answer about all labels takes some megabytes.
const CLAIMS: u64 = 30_000;

/// How much memory all of a stranger's unread answers may cost.
const MOST_MIB: f64 = 64.0;

/// No quotas: what is measured here are the answers.
const UNLIMITED: &str = "log.publish_interval_ms = 100\nadmission.issuer_claims_per_second = 0";

async fn filled(edits: &str) -> anyhow::Result<Fixture> {
    let fixture = Fixture::start(&format!("{UNLIMITED}\n{edits}")).await?;
    fixture.log.publish_many(&fixture.issuer, 1..CLAIMS).await?;
    fixture.log.published(CLAIMS).await?;
    // Caches fill before anything is measured.
    fixture.log.rederive().await?;
    let stranger = Stranger::new(&fixture.node, 1, 1 << 20)?;
    let all = stranger
        .call("IndexService/LookupPrefix", everything())
        .await?;
    assert!(all.bytes().await?.len() > 1 << 20);
    Ok(fixture)
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_hold_little_memory_and_up_nobody() -> anyhow::Result<()> {
    let fixture = filled("").await?;
    let document = attachments::stored(&fixture, 4 << 20).await?;
    let node = &fixture.node;
    let idle = alone(&fixture, 1_000_000..1_000_150).await?;

    let prefix = begin(node, 1, async |stranger: &Stranger| {
        stranger
            .call("IndexService/LookupPrefix", everything())
            .await
    });
    let (busy, prefix) = honest(&fixture, 2_000_000.., prefix).await?;
    assert_costs(&idle, &busy, "prefix questions");
    drop(prefix?);

    let entries = begin(node, 5, async |stranger: &Stranger| {
        let all = StreamEntriesRequest::default();
        stranger.call("LogService/StreamEntries", all).await
    });
    let (busy, entries) = honest(&fixture, 3_000_000.., entries).await?;
    assert_costs(&idle, &busy, "streams of entries");
    drop(entries?);

    let bundles = begin(node, 5, async |stranger: &Stranger| {
        stranger.get("/tile/entries/000").await
    });
    let (busy, bundles) = honest(&fixture, 4_000_000.., bundles).await?;
    assert_costs(&idle, &busy, "bundles");
    drop(bundles?);

    let label = longest_list(&fixture.log).await?;
    let lookups = begin(node, 5, async |stranger: &Stranger| {
        let request = LookupRequest {
            label: label.clone(),
            ..LookupRequest::default()
        };
        stranger.call("IndexService/Lookup", request).await
    });
    let (busy, lookups) = honest(&fixture, 5_000_000.., lookups).await?;
    assert_costs(&idle, &busy, "look-ups");
    drop(lookups?);

    let downloads = begin(node, 5, async |stranger: &Stranger| {
        let sha256 = document.as_bytes().to_vec().into();
        stranger
            .call("AttachmentService/Get", GetRequest { sha256 })
            .await
    });
    let (busy, downloads) = honest(&fixture, 6_000_000.., downloads).await?;
    assert_costs(&idle, &busy, "attachments");
    drop(downloads?);
    Ok(())
}

fn assert_costs(idle: &super::Seen, busy: &super::Seen, what: &str) {
    assert!(
        busy.most_mib <= idle.most_mib + MOST_MIB,
        "{what} took the node from {:.0} to {:.0} MiB",
        idle.most_mib,
        busy.most_mib
    );
    assert_undisturbed(idle, busy, what);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_does_not_read_is_closed_and_what_it_held_is_free() -> anyhow::Result<()>
{
    let fixture = filled("server.stall_s = 1").await?;
    let unread = begin(&fixture.node, 2, async |stranger: &Stranger| {
        let all = StreamEntriesRequest::default();
        stranger.call("LogService/StreamEntries", all).await
    })
    .await?;
    assert!(metric(&fixture, "assay_held_bytes").await? > 0.0);
    for (_, answers) in unread {
        for answer in answers {
            // Two connections want more calls than one address has.
            if answer.as_ref().is_ok_and(|it| grpc_status(it).is_some()) {
                continue;
            }
            let ended = match answer {
                Ok(answer) => tokio::time::timeout(Duration::from_secs(60), answer.bytes()).await?,
                Err(error) => Err(error),
            };
            assert!(ended.is_err(), "it was sent whole");
        }
    }
    assert_eq!(
        metric(&fixture, "assay_stalled_connections_total").await?,
        2.0
    );
    let mut held = f64::MAX;
    for _ in 0..1000 {
        held = metric(&fixture, "assay_held_bytes").await?;
        if held == 0.0 {
            break;
        }
    }
    assert_eq!(held, 0.0);
    // Whoever reads, however slowly, is not closed.
    fixture
        .log
        .publish(fixture.issuer.claim(9_000_000), Wait::Integrated)
        .await?;
    Ok(())
}
