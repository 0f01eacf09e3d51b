//! Questions by prefixes. Whoever answers them does not know what is meant, so that it can only
//! hide something of all that begins with the prefix.

use crate::world::{ASKED, World, labels, package, without, words};
use assay_claims::index::{Label, Prefix, Query};
use assay_proto::v1;

/// A leaf of the prefix is missing from the lists.
fn unlisted(world: &World) -> impl FnMut(&Query, v1::Answer) -> v1::Answer + Send + 'static {
    let (liar, size) = (world.liar.clone(), world.size());
    move |_, mut answer| {
        without(&mut answer, &package(ASKED));
        liar.filled(answer, size).unwrap()
    }
}

/// A leaf of the prefix is missing from the proof, too: in its place is a stub.
fn unproven(world: &World) -> impl FnMut(&Query, v1::Answer) -> v1::Answer + Send + 'static {
    let (liar, size) = (world.liar.clone(), world.size());
    let mut unlisted = unlisted(world);
    move |query, answer| {
        let mut answer = unlisted(query, answer);
        let others = answer
            .lists
            .iter()
            .map(|list| Label::from_slice(&list.label).unwrap())
            .collect();
        answer.cut = liar.cut(&Query::Labels(others), size).unwrap();
        answer
    }
}

const UNLISTED: &str = "the lists are not those of the labels";
const UNPROVEN: &str = "the proof of the index leaves out what was asked for";

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_with_a_leaf_missing_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let client = world.client().await?;
    for bits in [0, 1, 2, 256] {
        let prefix = Prefix::of(&package(ASKED), bits);
        world.proxy.lies().answer = None;
        assert!(
            client
                .lookup_prefix(&prefix)
                .await?
                .answer
                .list(&package(ASKED))
                .is_some()
        );
        world.proxy.rewrite(unlisted(&world));
        let error = words(&client.lookup_prefix(&prefix).await.unwrap_err());
        assert!(error.contains(UNLISTED), "{error}");
        // With all bits, the proof of no label at all is an empty cut, which is another lie.
        if bits < 256 {
            world.proxy.rewrite(unproven(&world));
            let error = words(&client.lookup_prefix(&prefix).await.unwrap_err());
            assert!(error.contains(UNPROVEN), "{error}");
        }
    }
    world.proxy.rewrite(unlisted(&world));
    world.refused_privately(ASKED, UNLISTED).await?;
    world.proxy.rewrite(unproven(&world));
    world.refused_privately(ASKED, UNPROVEN).await
}

/// A private question begins with the size of the index, which says how long a prefix may be: who
/// made it small would be told nothing, who made it large would be told everything.
#[tokio::test(flavor = "multi_thread")]
async fn a_size_of_the_index_that_the_log_did_not_commit_to_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let size = world.size();
    let older = *world.liar.sizes().iter().rev().nth(1).unwrap();
    let checkpoint = world.client().await?.checkpoint().await?;
    for leaf in [older - 1, world.leaves.claim] {
        let entry = world.liar.entries[leaf as usize].clone();
        let last = world.liar.last_entry(size, checkpoint.note())?;
        world.proxy.lies().entry = Some(v1::GetEntryAndProofResponse { entry, ..last });
        world
            .refused_privately(ASKED, "the index commitment: the proof leads to the root")
            .await?;
    }
    Ok(())
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
    let error = world.gather_privately(&labels(ASKED)).await?.unwrap_err();
    assert!(
        matches!(error, assay_client::ClientError::Unavailable { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("an older head"), "{error}");
    Ok(())
}
