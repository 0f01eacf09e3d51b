//! A list that comes in pages: what an issuer signed. Each page proves its place in the list, and
//! all of them are compared with it in the end.

use crate::world::{World, exits, is_unverified, issuer};
use assay_claims::index::{AnswerPage, By, Label, Query};
use assay_client::ClientError;
use assay_proto::v1::Answer;
use bytes::Bytes;

/// Leaves of the list: enough for a second page.
const LENGTH: u64 = 1_200;

/// Where the second page begins.
const SECOND: u64 = 1_000;

/// Where its newest leaves begin, as many as a look-up of the issuer shows.
const NEWEST: u64 = LENGTH - 20;

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

/// Changes the page of a list that begins at a position, and proves what it then says: that its
/// entries are in the log, and that so many leaves of the list stand there.
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
            let answer = liar.filled(answer, size).unwrap();
            return liar.placed(answer, from, size).unwrap();
        }
        answer
    });
}

/// Changes the page of a list that begins at a position, and proves nothing anew.
fn change_proof(
    world: &World,
    label: Label,
    from: u64,
    change: impl Fn(&mut Answer) + Send + 'static,
) {
    world.proxy.rewrite(move |query, mut answer| {
        if *query == (Query::Page { label, from }) {
            change(&mut answer);
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
    Ok(())
}

/// Looks the issuer up, which asks for the end of the list.
fn looks_up(world: &World, code: i32, says: &str) -> anyhow::Result<()> {
    let lookup = ["lookup", &format!("issuer:{}", world.first.id)];
    exits(&world.program(&lookup)?, code, says);
    Ok(())
}

/// What is said of a list that is not the one in the index.
const OTHER: &str = "is not the one in the index";

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
    looks_up(&world, 0, "1204 claims")?;

    for position in [0, SECOND] {
        change_page(&world, label, position, |answer| {
            drop(answer.lists[0].leaves.drain(7..8))
        });
        refused(&world, &label, OTHER).await?;
    }
    let first = truth[..(LENGTH - SECOND) as usize].to_vec();
    change_page(&world, label, SECOND, move |answer| {
        answer.lists[0].leaves.clone_from(&first)
    });
    refused(&world, &label, OTHER).await?;
    change_page(&world, label, SECOND, |answer| {
        answer.lists[0].leaves.clear()
    });
    refused(&world, &label, "stops in the middle").await?;
    change_page(&world, label, SECOND, |answer| answer.lists.clear());
    refused(
        &world,
        &label,
        "the lists are not those of the labels that were asked for",
    )
    .await?;

    // The end of it, which is asked for by itself.
    change_page(&world, label, NEWEST, |answer| {
        drop(answer.lists[0].leaves.drain(7..8))
    });
    looks_up(&world, 4, OTHER)?;
    let first = truth[..(LENGTH - NEWEST) as usize].to_vec();
    change_page(&world, label, NEWEST, move |answer| {
        answer.lists[0].leaves.clone_from(&first)
    });
    looks_up(&world, 4, OTHER)?;
    change_page(&world, label, NEWEST, |answer| answer.lists.clear());
    let others = "the lists are not those of the labels that were asked for";
    looks_up(&world, 4, others)?;

    // A page may end early: it is asked on from there.
    change_page(&world, label, SECOND, |answer| {
        answer.lists[0].leaves.truncate(5)
    });
    assert_eq!(listed(&world, &label).await?, truth);
    Ok(())
}

/// Where the page begins that is lied about, and how many leaves it has.
const FROM: u64 = 500;
const MOST: u32 = 100;

/// One page is asked for by itself.
async fn page(world: &World, label: &Label) -> Result<AnswerPage, ClientError> {
    let client = world.client().await.unwrap();
    client.lookup_page(label, FROM, MOST).await
}

/// Every lie about one page, by itself: it is refused without the rest of the list.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_refused_at_any_place_but_its_own() -> anyhow::Result<()> {
    let (world, label) = world().await?;
    let truth = listed(&world, &label).await?;
    let leaves = page(&world, &label).await?;
    let leaves: Vec<u64> = leaves.leaves().iter().map(|leaf| leaf.get()).collect();
    assert_eq!(leaves, truth[500..600]);
    let (_, honest) = world.proxy.lies().heard.last().unwrap().clone();
    assert!(!honest.range.is_empty() && honest.range.len().is_multiple_of(32));
    other_leaves_are_refused(&world, label, &truth).await?;
    another_list_is_refused(&world, label, &honest).await?;
    other_proofs_are_refused(&world, label, &honest).await
}

/// Leaves of another place, one left out, one too many: with all that can be proven of them.
async fn other_leaves_are_refused(
    world: &World,
    label: Label,
    truth: &[u64],
) -> anyhow::Result<()> {
    for shifted in [0, 499, 501] {
        let there = truth[shifted..shifted + MOST as usize].to_vec();
        change_page(world, label, FROM, move |answer| {
            answer.lists[0].leaves.clone_from(&there)
        });
        is_unverified(page(world, &label).await, OTHER);
    }
    for at in [0, 50, 99] {
        change_page(world, label, FROM, move |answer| {
            answer.lists[0].leaves.remove(at);
        });
        if at == 99 {
            let page = page(world, &label).await?;
            assert_eq!(page.leaves().len(), 99, "it may end early");
        } else {
            is_unverified(page(world, &label).await, OTHER);
        }
    }
    let before = truth[499];
    change_page(world, label, FROM, move |answer| {
        answer.lists[0].leaves.insert(0, before);
    });
    is_unverified(page(world, &label).await, OTHER);
    Ok(())
}

/// Another list with its own proof, in the place of this one and under its own name.
async fn another_list_is_refused(
    world: &World,
    label: Label,
    honest: &Answer,
) -> anyhow::Result<()> {
    let records = By::predicate_type("urn:assay:issuer:v1");
    let records = Label::of(issuer(&world.first.id), records);
    let query = Query::Page {
        label: records,
        from: 0,
    };
    let other = world
        .liar
        .answer(&query, world.size(), &honest.checkpoint)?;
    for name in [label, records] {
        let other = other.clone();
        change_proof(world, label, FROM, move |answer| {
            let cut = answer.cut.clone();
            answer.clone_from(&other);
            answer.cut = cut;
            answer.lists[0].label = name.as_bytes().to_vec().into();
        });
        is_unverified(page(world, &label).await, "list");
    }
    Ok(())
}

/// The proof: none, of another place, of another size, and with hashes cut off, added or exchanged.
async fn other_proofs_are_refused(
    world: &World,
    label: Label,
    honest: &Answer,
) -> anyhow::Result<()> {
    let (liar, size, range) = (&world.liar, world.size(), &honest.range);
    let others = [
        Bytes::new(),
        liar.placed(honest.clone(), FROM + 1, size)?.range,
        liar.placed(honest.clone(), FROM, size - 100)?.range,
        range.slice(..range.len() - 32),
        [&range[..], &[7; 32]].concat().into(),
        [&range[32..64], &range[..32], &range[64..]].concat().into(),
    ];
    let unreadable = [range.slice(..range.len() - 1), vec![7; 32 * 129].into()];
    let others = others.map(|range| (range, OTHER));
    let unreadable = unreadable.map(|range| (range, "the proof of the place of a page"));
    for (range, check) in others.into_iter().chain(unreadable) {
        change_proof(world, label, FROM, move |answer| {
            answer.range.clone_from(&range)
        });
        is_unverified(page(world, &label).await, check);
    }
    Ok(())
}
