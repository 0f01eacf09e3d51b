//! Older truths: genuine once, and signed, and not the answer to who asks now.

use crate::world::{ASKED, World, connect, exits, package, purl};
use anyhow::Context;
use assay_client::{ClientError, HeadStore};
use assay_proto::v1;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::TreeSize;

/// What the node answers now, to be told again when it has more to say.
async fn recorded(world: &World) -> anyhow::Result<v1::Answer> {
    let stranger = tempfile::tempdir()?;
    connect(&world.proxy.url, world.log.key.clone(), stranger.path())
        .await?
        .lookup(&world.query(ASKED))
        .await?;
    let (_, answer) = world
        .proxy
        .lies()
        .heard
        .pop()
        .context("nothing was asked")?;
    Ok(answer)
}

/// It may hide what was logged since, so it is no answer to who knows that there is more; but
/// mirrors lag, and nobody lied.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_head_than_was_seen_before_is_no_answer() -> anyhow::Result<()> {
    let world = World::start().await?;
    let answer = recorded(&world).await?;
    let size = world.publish_more().await?;
    let client = world.client().await?;
    assert_eq!(client.checkpoint().await?.size(), TreeSize::new(size));

    let told = format!(
        "an older head, of size {}, than was seen before, of size {size}",
        world.size()
    );
    world.proxy.rewrite(move |_, _| answer.clone());
    for error in [
        client.lookup(&world.query(ASKED)).await.unwrap_err(),
        world
            .client()
            .await?
            .lookup(&world.query(ASKED))
            .await
            .unwrap_err(),
        world.gather(&[package(ASKED)]).await?.unwrap_err(),
    ] {
        assert!(
            matches!(&error, ClientError::Unavailable { what, .. } if what.contains(&told)),
            "{error:?}"
        );
    }
    let (state, file) = (world.state().to_str().unwrap(), world.lock_file(ASKED)?);
    for asked in [["lookup", &purl(ASKED)], ["check", &file]] {
        exits(
            &world.program(&[&asked[..], &["--state-dir", state]].concat())?,
            3,
            &told,
        );
    }
    Ok(())
}

/// Who saw nothing newer cannot know better, and is told as of when it is.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_head_says_how_old_it_is() -> anyhow::Result<()> {
    let world = World::start().await?;
    let answer = recorded(&world).await?;
    world.publish_more().await?;
    let size = TreeSize::new(world.size());
    world.proxy.rewrite(move |_, _| answer.clone());
    let looked = world.client().await?.lookup(&world.query(ASKED)).await?;
    assert_eq!(looked.answer.checkpoint().size(), size);
    let seen = HeadStore::new(world.state(), &world.log.key)
        .load()?
        .unwrap();
    assert_eq!(seen.size(), size);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_index_under_a_fresh_checkpoint_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let before = world.size();
    world.publish_more().await?;
    let fresh = world.whole().await?;
    let size = fresh.entries.len() as u64;
    // Lists, entries and cut as they were, with the commitment and the inclusion as they are.
    world.proxy.rewrite(move |query, answer| {
        let (checkpoint, commitment) = (answer.checkpoint.clone(), answer.commitment.clone());
        let stale = fresh.answer(query, before, &checkpoint).unwrap();
        let inclusion = fresh.inclusion(&stale.leaves, size).unwrap();
        v1::Answer {
            commitment,
            inclusion,
            ..stale
        }
    });
    world
        .refused(ASKED, "the proof of the index leads to the root")
        .await
}

/// The last answer but for its checkpoint: nothing in it is under the new one.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_answer_under_a_fresh_checkpoint_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (old, before) = (world.liar.clone(), world.size());
    world.publish_more().await?;
    world
        .proxy
        .rewrite(move |query, answer| old.answer(query, before, &answer.checkpoint).unwrap());
    world
        .refused(ASKED, "the entries or the commitment are not in the log")
        .await
}

/// Another history under the log's own name, by another key.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_key_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let thief = SignerKey::from_seed(world.log.key.name(), &[9; 32])?;
    let silent = world.hiding(&[world.leaves.withdrawal])?;
    let size = world.size();
    let forged = silent.checkpoint(size, &thief)?;
    world
        .proxy
        .rewrite(move |query, _| silent.answer(query, size, &forged).unwrap());
    world
        .refused(ASKED, "the checkpoint is not one of this log")
        .await
}

/// The log itself lies: it signs two trees of one size. Who saw the one does not believe the other,
/// and keeps what proves it, by which the log is refused from then on.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_signs_two_histories_is_caught_by_who_saw_one() -> anyhow::Result<()> {
    let world = World::start().await?;
    let key = assay_node::keyfile::load(&world.node.folder().join("log.key"))?;
    let client = world.client().await?;
    let seen = client.checkpoint().await?;
    let other = Checkpoint {
        origin: seen.origin().to_owned(),
        size: seen.size(),
        root: Hash::of(b"another history"),
    };
    let other = other.sign(&key);
    world.proxy.rewrite(move |_, answer| v1::Answer {
        checkpoint: other.clone(),
        ..answer
    });

    let error = client.lookup(&world.query(ASKED)).await.unwrap_err();
    assert!(matches!(error, ClientError::Misbehavior(_)), "{error:?}");
    let (state, file) = (world.state().to_str().unwrap(), world.lock_file(ASKED)?);
    for asked in [["lookup", &purl(ASKED)], ["check", &file]] {
        let output = world.program(&[&asked[..], &["--state-dir", state]].concat())?;
        exits(&output, 4, "it is proven that it signed two histories");
    }
    Ok(())
}
