//! A server that lies, between a real node and those who ask: the client library and the program. Every lie is refused, and
//! the check that failed is named.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test reports by panicking")]

mod hidden;
mod older;
mod silent;
mod world;

use assay_client::ClientError;
use assay_core::{
    index::{Label, Prefix, Query},
    note::SignerKey,
};
use assay_proto::v1;
use world::{ASKED, World, about, asks_for, package, version, without, words};

/// What the client asks first, about a package.
fn labels() -> Vec<Label> {
    vec![package("alpha"), version(ASKED)]
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_lie_is_believed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let leaves = world.leaves;
    let gathered = world.gather(&[package("alpha"), package("beta")]).await?.unwrap();
    let found: Vec<u64> = gathered.claims.iter().map(|claim| claim.leaf().get()).collect();
    let told = [leaves.claim, leaves.withdrawn, leaves.withdrawal, leaves.beta, leaves.rotation, leaves.compromise];
    assert!(told.iter().all(|leaf| found.contains(leaf)), "{found:?}");
    assert_eq!(gathered.missing, None);
    // The program has no policy that trusts anybody, so it may say that nothing is demanded; but nothing failed.
    let output = world.program(ASKED)?;
    assert!(matches!(output.status.code(), Some(0 | 1)), "{}", String::from_utf8_lossy(&output.stderr));
    // What the liar knows is what the node says.
    for (query, answer) in &world.proxy.lies().heard {
        assert_eq!(&world.liar.answer(query, world.size(), &answer.checkpoint)?, answer);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_entry_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (liar, size, hidden) = (world.liar.clone(), world.size(), world.leaves.withdrawn);
    world.proxy.rewrite(move |_, mut answer| {
        answer.lists.iter_mut().for_each(|list| list.leaves.retain(|leaf| *leaf != hidden));
        liar.filled(answer, size).unwrap()
    });
    world.refused(&labels(), ASKED, "is not the one in the index: entries were hidden, added or exchanged").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_label_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (liar, size) = (world.liar.clone(), world.size());
    world.proxy.rewrite(move |_, mut answer| {
        without(&mut answer, &version(ASKED));
        liar.filled(answer, size).unwrap()
    });
    world.refused(&labels(), ASKED, "the lists are not those of the labels that were asked for").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_answer_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (liar, size) = (world.liar.clone(), world.size());
    world.proxy.rewrite(move |_, answer| liar.filled(v1::Answer { lists: vec![], ..answer }, size).unwrap());
    world.refused(&labels(), ASKED, "the lists are not those of the labels that were asked for").await?;
    world.proxy.rewrite(|_, _| v1::Answer::default());
    world.refused(&labels(), ASKED, "the answer is empty").await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_labels_list_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (liar, size, beta) = (world.liar.clone(), world.size(), world.leaves.beta);
    world.proxy.rewrite(move |_, mut answer| {
        answer.lists.iter_mut().for_each(|list| list.leaves = vec![beta]);
        liar.filled(answer, size).unwrap()
    });
    world.refused(&labels(), ASKED, "is not the one in the index").await?;

    // All that is said of another package, as if it had been asked for.
    let liar = world.liar.clone();
    world.proxy.rewrite(move |_, answer| {
        let other = Query::Labels(vec![package("beta")]);
        liar.answer(&other, size, &answer.checkpoint).unwrap()
    });
    world.refused(&labels(), ASKED, "").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commitment_that_is_not_the_last_leaf_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let size = world.size();
    let older = *world.liar.sizes().iter().rev().nth(1).unwrap();
    // Everything of an older answer but its checkpoint, proven to be in the log.
    let liar = world.liar.clone();
    world.proxy.rewrite(move |query, answer| {
        let older = liar.answer(query, older, &answer.checkpoint).unwrap();
        let inclusion = liar.inclusion(&older.leaves, size).unwrap();
        v1::Answer { inclusion, ..older }
    });
    world.refused(&labels(), ASKED, "the entries or the commitment are not in the log").await?;
    let claim = world.liar.entries[world.leaves.claim as usize].clone();
    world.proxy.rewrite(move |_, answer| v1::Answer { commitment: claim.clone(), ..answer });
    world.refused(&labels(), ASKED, "the last leaf of the checkpoint does not commit to the index").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_absence_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let size = world.size();
    // The proof of an index in which nobody spoke of the package.
    let silent = world.hiding(&[world.leaves.claim, world.leaves.withdrawn])?;
    world.proxy.rewrite(move |query, answer| {
        let (honest, commitment) = (answer.checkpoint.clone(), answer.commitment.clone());
        v1::Answer { commitment, ..silent.answer(query, size, &honest).unwrap() }
    });
    world.refused(&labels(), ASKED, "the proof of the index leads to the root").await?;
    // The true proof that something else is absent.
    let liar = world.liar.clone();
    world.proxy.rewrite(move |_, answer| {
        let cut = liar.cut(&Query::Labels(vec![package("nobody")]), size).unwrap();
        liar.filled(v1::Answer { cut, lists: vec![], ..answer }, size).unwrap()
    });
    world.refused(&[version(ASKED)], ASKED, "the proof of the index leaves out what was asked for").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_prefix_with_a_leaf_missing_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (client, size) = (world.client().await?, world.size());
    for bits in [0, 1, 2] {
        let prefix = Prefix::of(&package("alpha"), bits);
        let (liar, honest) = (world.liar.clone(), world.liar.clone());
        world.proxy.lies().answer = None;
        assert!(client.lookup_prefix(&prefix).await?.answer.list(&package("alpha")).is_some());
        world.proxy.rewrite(move |_, mut answer| {
            without(&mut answer, &package("alpha"));
            honest.filled(answer, size).unwrap()
        });
        let error = words(&client.lookup_prefix(&prefix).await.unwrap_err());
        assert!(error.contains("the lists are not those of the labels"), "{error}");
        world.proxy.rewrite(move |query, mut answer| {
            without(&mut answer, &package("alpha"));
            let others = answer.lists.iter().map(|list| Label::from_slice(&list.label).unwrap()).collect();
            assert!(asks_for(query, &package("alpha")));
            answer.cut = liar.cut(&Query::Labels(others), size).unwrap();
            liar.filled(answer, size).unwrap()
        });
        let error = words(&client.lookup_prefix(&prefix).await.unwrap_err());
        assert!(error.contains("leaves out what was asked for"), "{error}");
    }
    let private = &["lookup", ASKED, "--private"];
    world.exits(&world.program_at(&world.proxy.url, &world.node.ready().vkey, private)?, 4, "leaves out what was asked for");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsupported_mapping_fails_closed_and_says_which_is_supported() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let key = SignerKey::from_seed("other.example/log", &[9; 32])?;
    let size = world.liar.commit_as(2)?;
    let checkpoint = world.liar.checkpoint(size, &key)?;
    let liar = world.liar.clone();
    world.proxy.rewrite(move |query, _| liar.answer(query, size, &checkpoint).unwrap());
    let told = "unsupported mapping version 2; version 1 is supported";
    let client = world.client_at(&world.proxy.url, key.verifier()).await?;
    let error = client.lookup(&labels()).await.unwrap_err();
    assert!(matches!(&error, ClientError::Unsupported(what) if what.contains(told)), "{error:?}");
    let output = world.program_at(&world.proxy.url, &key.verifier().to_string(), &["lookup", ASKED])?;
    world.exits(&output, 4, told);
    assert!(!String::from_utf8_lossy(&output.stderr).contains("fails a check"), "it is nobody's fault");
    let _ = about;
    Ok(())
}
