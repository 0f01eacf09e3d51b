//! Older truths: genuine once, and signed, and not the answer to who asks now.

use crate::world::{ASKED, World, package, words};
use assay_client::{ClientError, HeadStore};
use assay_core::tree::TreeSize;
use assay_proto::v1::{self, Wait};

/// What the node answers now, to be told again when it has more to say.
async fn recorded(world: &World) -> anyhow::Result<Vec<v1::Answer>> {
    let stranger = tempfile::tempdir()?;
    let (key, tls) = (world.log.key.clone(), assay_client::Tls::default());
    let state_dir = stranger.path().to_owned();
    let config = assay_client::Config { url: world.proxy.url.clone(), log_key: key, state_dir, tls };
    assay_client::Client::connect(config).await?.lookup(&[package("alpha")]).await?;
    Ok(world.proxy.lies().heard.drain(..).map(|(_, answer)| answer).collect())
}

async fn publish_more(world: &World) -> anyhow::Result<u64> {
    world.log.publish(world.first.claim(1), Wait::Integrated).await?;
    world.log.size().await
}

/// It may hide what was logged since, so it is no answer to who knows that there is more; but mirrors lag, and nobody lied.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_head_than_was_seen_before_is_no_answer() -> anyhow::Result<()> {
    let world = World::start().await?;
    let answer = recorded(&world).await?.remove(0);
    let size = publish_more(&world).await?;
    let client = world.client().await?;
    assert_eq!(client.checkpoint().await?.size(), TreeSize::new(size));

    let told = format!("an older head, of size {}, than was seen before, of size {size}", world.size());
    world.proxy.rewrite(move |_, _| answer.clone());
    for error in [
        client.lookup(&[package("alpha")]).await.unwrap_err(),
        world.client().await?.lookup(&[package("alpha")]).await.unwrap_err(),
        world.gather(&[package("alpha")]).await?.unwrap_err(),
    ] {
        assert!(matches!(&error, ClientError::Unavailable { what, .. } if what.contains(&told)), "{error:?}");
    }
    let key = &world.node.ready().vkey;
    let state = world.state().to_str().unwrap();
    let output = world.program_at(&world.proxy.url, key, &["lookup", ASKED, "--state-dir", state])?;
    world.exits(&output, 3, &told);
    Ok(())
}

/// Who saw nothing newer cannot know better, and is told as of when it is.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_head_says_how_old_it_is() -> anyhow::Result<()> {
    let world = World::start().await?;
    let answer = recorded(&world).await?.remove(0);
    publish_more(&world).await?;
    let size = world.size();
    world.proxy.rewrite(move |_, _| answer.clone());
    let looked = world.client().await?.lookup(&[package("alpha")]).await?;
    assert_eq!(looked.answer.checkpoint().size(), TreeSize::new(size));
    let seen = HeadStore::new(world.state(), &world.log.key).load()?.unwrap();
    assert_eq!(seen.size(), TreeSize::new(size));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_index_under_a_fresh_checkpoint_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (asked, before) = ([package("alpha")], world.size());
    publish_more(&world).await?;
    let fresh = assay_tests::liar::Liar::new(world.log.entries(0, 0).await?, &[])?;
    let size = fresh.entries.len() as u64;
    // Lists, entries and cut as they were, with the commitment and the inclusion as they are.
    world.proxy.rewrite(move |query, answer| {
        let (checkpoint, commitment) = (answer.checkpoint.clone(), answer.commitment.clone());
        let stale = fresh.answer(query, before, &checkpoint).unwrap();
        let inclusion = fresh.inclusion(&stale.leaves, size).unwrap();
        v1::Answer { commitment, inclusion, ..stale }
    });
    world.refused(&asked, ASKED, "the proof of the index leads to the root").await
}

/// The last answer but for its checkpoint: nothing in it is under the new one.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_answer_under_a_fresh_checkpoint_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (old, before) = (world.liar.clone(), world.size());
    publish_more(&world).await?;
    world.proxy.rewrite(move |query, answer| old.answer(query, before, &answer.checkpoint).unwrap());
    world.refused(&[package("alpha")], ASKED, "the entries or the commitment are not in the log").await
}

/// Another history under the log's own name, by another key.
#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_of_another_key_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let thief = assay_core::note::SignerKey::from_seed(world.log.key.name(), &[9; 32])?;
    let silent = world.hiding(&[world.leaves.withdrawal])?;
    let size = world.size();
    let forged = silent.checkpoint(size, &thief)?;
    world.proxy.rewrite(move |query, _| silent.answer(query, size, &forged).unwrap());
    world.refused(&[package("alpha")], ASKED, "the checkpoint is not one of this log").await?;
    let _ = words;
    Ok(())
}
