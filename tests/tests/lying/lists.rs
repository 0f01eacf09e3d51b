//! A list that comes in pages: what an issuer signed. Each page may be right by itself; the whole
//! is compared in the end.

use crate::world::{World, exits, is_unverified, issuer};
use assay_claims::index::{By, Label, Query};
use assay_proto::v1::Answer;

/// Leaves of the list: enough for a second page.
const LENGTH: u64 = 1_200;

/// Where the second page begins.
const SECOND: u64 = 1_000;

/// An issuer with a long list. The liar knows all of it.
async fn world() -> anyhow::Result<(World, Label)> {
    let mut world = World::start().await?;
    world.log.publish_many(&world.first, 0..LENGTH).await?;
    world.log.published(world.size() + LENGTH + 1).await?;
    world.liar = world.whole().await?;
    let tests = By::predicate_type("https://in-toto.io/attestation/test-result/v0.1");
    let label = Label::of(issuer(&world.first.id), tests);
    Ok((world, label))
}

/// Changes the page of a list that begins at a position, and proves what it then says.
fn change_page(
    world: &World,
    label: Label,
    from: u64,
    change: impl Fn(&mut Answer) + Send + 'static,
) {
    let (liar, size) = (world.liar.clone(), world.size());
    world.proxy.rewrite(move |query, mut answer| {
        if *query == (Query::Page { label, from }) {
            change(&mut answer);
            return liar.filled(answer, size).unwrap();
        }
        answer
    });
}

async fn listed(world: &World, label: &Label) -> anyhow::Result<Vec<u64>> {
    let pages = world.client().await?.list(label).await?;
    Ok(pages.leaves().map(|leaf| leaf.get()).collect())
}

async fn refused(world: &World, label: &Label, check: &str) -> anyhow::Result<()> {
    is_unverified(world.client().await?.list(label).await, check);
    exits(
        &world.program(&["lookup", &format!("issuer:{}", world.first.id)])?,
        4,
        check,
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_in_pages_is_compared_as_a_whole() -> anyhow::Result<()> {
    let (world, label) = world().await?;
    let truth = listed(&world, &label).await?;
    assert_eq!(truth.len() as u64, LENGTH);
    assert!(truth.is_sorted());
    let mut pages = Vec::new();
    for (query, _) in &world.proxy.lies().heard {
        if let Query::Page { from, .. } = query {
            pages.push(*from);
        }
    }
    assert_eq!(pages, [0, SECOND]);
    exits(
        &world.program(&["lookup", &format!("issuer:{}", world.first.id)])?,
        0,
        "1204 claims",
    );

    let other = "the list is not the one in the index";
    for position in [0, SECOND] {
        change_page(&world, label, position, |answer| {
            drop(answer.lists[0].leaves.drain(7..8))
        });
        refused(&world, &label, other).await?;
    }
    let first = truth[..(LENGTH - SECOND) as usize].to_vec();
    change_page(&world, label, SECOND, move |answer| {
        answer.lists[0].leaves.clone_from(&first)
    });
    refused(&world, &label, other).await?;
    change_page(&world, label, SECOND, |answer| {
        answer.lists[0].leaves.clear()
    });
    refused(&world, &label, "the node stopped in the middle of a list").await?;
    change_page(&world, label, SECOND, |answer| answer.lists.clear());
    refused(
        &world,
        &label,
        "the lists are not those of the labels that were asked for",
    )
    .await?;

    // A page may end early: it is asked on from there.
    change_page(&world, label, SECOND, |answer| {
        answer.lists[0].leaves.truncate(5)
    });
    assert_eq!(listed(&world, &label).await?, truth);
    Ok(())
}
