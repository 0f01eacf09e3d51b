//! Questions by prefixes. Whoever answers them does not know what is meant, so that it can only
//! hide something of all that begins with the prefix.

use crate::cut;
use crate::world::{ASKED, World, package, without, words};
use anyhow::ensure;
use assay_claims::index::{Label, Name, Prefix, Query};
use assay_proto::v1;

/// What one of the speakers said is missing from the lists.
fn unlisted(world: &World) -> impl FnMut(&Query, v1::Answer) -> v1::Answer + Send + 'static {
    let (liar, size, label) = (world.liar.clone(), world.size(), world.label(ASKED));
    move |_, mut answer| {
        without(&mut answer, &label);
        liar.filled(answer, size).unwrap()
    }
}

/// It is missing from the proof, too: in its place is a stub.
fn unproven(world: &World) -> impl FnMut(&Query, v1::Answer) -> v1::Answer + Send + 'static {
    let (liar, size, label) = (world.liar.clone(), world.size(), world.label(ASKED));
    let mut unlisted = unlisted(world);
    move |query, answer| {
        let mut answer = unlisted(query, answer);
        if let Query::Crowd { prefix, by } = query {
            let others = by.iter().filter(|by| **by != label.by()).copied();
            let query = Query::crowd(*prefix, others);
            answer.cut = liar.cut(&query, size).unwrap();
        }
        answer
    }
}

/// A name that nobody who is listened to spoke of is missing from the proof: then the others hide
/// among fewer.
fn unnamed(world: &World) -> impl FnMut(&Query, v1::Answer) -> v1::Answer + Send + 'static {
    let (liar, size) = (world.liar.clone(), world.size());
    move |query, mut answer| {
        if let Query::Crowd { by, .. } = query {
            let lists = answer.lists.iter();
            let names = lists.map(|list| Label::from_slice(&list.label).unwrap().name());
            let query = Query::names(names, by.clone());
            answer.cut = liar.cut(&query, size).unwrap();
        }
        answer
    }
}

const UNLISTED: &str = "the lists are not those of the labels";
const UNPROVEN: &str = "the proof of the index leaves out what was asked for";

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_with_a_leaf_missing_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let client = world.client().await?;
    let label = world.label(ASKED);
    for bits in [0, 1, 2, Name::BITS] {
        let crowd = Query::crowd(Prefix::of(&label, bits), world.by());
        world.proxy.lies().answer = None;
        assert!(client.lookup(&crowd).await?.answer.list(&label).is_some());
        world.proxy.rewrite(unlisted(&world));
        let error = words(&client.lookup(&crowd).await.unwrap_err());
        assert!(error.contains(UNLISTED), "{error}");
        world.proxy.rewrite(unproven(&world));
        let error = words(&client.lookup(&crowd).await.unwrap_err());
        assert!(error.contains(UNPROVEN), "{error}");
    }
    world.proxy.rewrite(unlisted(&world));
    world.refused_privately(ASKED, UNLISTED).await?;
    world.proxy.rewrite(unproven(&world));
    world.refused_privately(ASKED, UNPROVEN).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_with_a_name_missing_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let client = world.client().await?;
    let crowd = Query::crowd(Prefix::EMPTY, world.by());
    world.proxy.rewrite(unnamed(&world));
    let error = words(&client.lookup(&crowd).await.unwrap_err());
    assert!(error.contains(UNPROVEN), "{error}");
    world.refused_privately(ASKED, UNPROVEN).await
}

/// However large a log says that it is, it is told no more than a constant number of bits, and no
/// more than leave as large a crowd as it proves.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_counts_wrongly_is_told_nothing() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.gather_privately(&[package(ASKED)]).await??;
    let mut asked = Vec::new();
    for (query, _) in &world.proxy.lies().heard {
        if let Query::Crowd { prefix, .. } = query {
            asked.push(prefix.bits());
        }
    }
    ensure!(asked.iter().all(|bits| *bits <= 12), "{asked:?}");
    assert_eq!(asked.last(), Some(&0), "so small a log is asked for all");

    // As if every stub in the proof hid a million more.
    world.proxy.rewrite(|query, mut answer| {
        if matches!(query, Query::Crowd { .. }) {
            answer.cut = cut::recounted(&answer.cut, |count| count + 1_000_000);
        }
        answer
    });
    world
        .refused_privately(ASKED, "the proof of the index leads to the root")
        .await
}

/// The node's whole history, told as it was: who saw more is told nothing by it.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_head_is_no_private_answer() -> anyhow::Result<()> {
    let world = World::start().await?;
    let client = world.client().await?;
    let older = client.checkpoint().await?.note().to_owned();
    let (liar, before) = (world.liar.clone(), world.size());
    world.publish_more().await?;
    client.checkpoint().await?;

    let last = liar.last_entry(before, &older)?;
    world.proxy.lies().checkpoint = Some(older.clone());
    world.proxy.lies().entry = Some(last);
    world
        .proxy
        .rewrite(move |query, _| liar.answer(query, before, &older).unwrap());
    let error = world
        .gather_privately(&[package(ASKED)])
        .await?
        .unwrap_err();
    assert!(
        matches!(error, assay_client::ClientError::Unavailable { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("an older head"), "{error}");
    Ok(())
}
