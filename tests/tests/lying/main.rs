//! A server that lies, between a real node and those who ask: the client library, `assay lookup`
//! and `assay check`. Every lie is refused, and the check that failed is named. Whoever lies here
//! is good at it: all that can be proven is proven.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod between;
mod cut;
mod hidden;
mod learned;
mod lists;
mod memory;
mod mutations;
mod older;
mod private;
mod silent;
mod speakers;
mod world;

use assay_claims::index::Query;
use assay_client::ClientError;
use assay_proto::v1;
use assay_tlog::note::SignerKey;
use world::{ASKED, World, exits, package, purl, without};

/// What these tests rest on: the proxy by itself changes nothing, so that what is refused is the
/// lie.
#[tokio::test(flavor = "multi_thread")]
async fn who_does_not_lie_is_believed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let leaves = world.leaves;
    let looked = world.client().await?.lookup(&world.query(ASKED)).await?;
    let listed = looked.answer.list(&world.label(ASKED)).unwrap().leaves();
    assert_eq!(
        listed.iter().map(|leaf| leaf.get()).collect::<Vec<_>>(),
        [leaves.claim, leaves.withdrawn]
    );

    let asked = [package(ASKED), package("beta")];
    for gathered in [
        world.gather(&asked).await??,
        world.gather_privately(&asked).await??,
    ] {
        let found: Vec<u64> = gathered
            .claims
            .iter()
            .map(|claim| claim.leaf().get())
            .collect();
        let told = [
            leaves.claim,
            leaves.seconded,
            leaves.withdrawn,
            leaves.withdrawal,
            leaves.beta,
        ];
        assert!(told.iter().all(|leaf| found.contains(leaf)), "{found:?}");
        assert_eq!(gathered.missing, None);
    }
    for how in [&[][..], &["--private"]] {
        for name in [ASKED, "beta"] {
            exits(
                &world.program(&[&["lookup", &purl(name)], how].concat())?,
                0,
                "1 claim about",
            );
            exits(
                &world.program(&[&["check", &world.lock_file(name)?], how].concat())?,
                0,
                "Policy met",
            );
        }
    }
    // What the liar knows is what the node says.
    for (query, answer) in &world.proxy.lies().heard {
        assert_eq!(
            &world.liar.answer(query, world.size(), &answer.checkpoint)?,
            answer
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_entry_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (liar, size, hidden) = (world.liar.clone(), world.size(), world.leaves.withdrawn);
    world.proxy.rewrite(move |_, mut answer| {
        answer
            .lists
            .iter_mut()
            .for_each(|list| list.leaves.retain(|leaf| *leaf != hidden));
        liar.filled(answer, size).unwrap()
    });
    world
        .refused(
            ASKED,
            "is not the one in the index: entries were hidden, added or exchanged",
        )
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_label_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (liar, size, label) = (world.liar.clone(), world.size(), world.label(ASKED));
    world.proxy.rewrite(move |_, mut answer| {
        without(&mut answer, &label);
        liar.filled(answer, size).unwrap()
    });
    world
        .refused(
            ASKED,
            "the lists are not those of the labels that were asked for",
        )
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_answer_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (liar, size) = (world.liar.clone(), world.size());
    world.proxy.rewrite(move |_, answer| {
        liar.filled(
            v1::Answer {
                lists: vec![],
                ..answer
            },
            size,
        )
        .unwrap()
    });
    world
        .refused(
            ASKED,
            "the lists are not those of the labels that were asked for",
        )
        .await?;
    world.proxy.rewrite(|_, _| v1::Answer::default());
    world.refused(ASKED, "the answer is empty").await?;
    world.proxy.lies().silent = true;
    world.refused(ASKED, "the answer is empty").await
}

#[tokio::test(flavor = "multi_thread")]
async fn another_labels_list_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (liar, size, beta) = (world.liar.clone(), world.size(), world.leaves.beta);
    world.proxy.rewrite(move |_, mut answer| {
        answer
            .lists
            .iter_mut()
            .for_each(|list| list.leaves = vec![beta]);
        liar.filled(answer, size).unwrap()
    });
    world.refused(ASKED, "is not the one in the index").await?;

    // All that is said of another package, as if it had been asked for.
    let by = world.by();
    let liar = world.liar.clone();
    world.proxy.rewrite(move |_, answer| {
        let other = Query::names([package("beta")], by);
        liar.answer(&other, size, &answer.checkpoint).unwrap()
    });
    world
        .refused(
            ASKED,
            "the proof of the index leaves out what was asked for",
        )
        .await?;

    // The same with the proof of what was asked.
    let liar = world.liar.clone();
    world.proxy.rewrite(move |_, answer| {
        let other = Query::names([package("beta")], by);
        v1::Answer {
            cut: answer.cut,
            ..liar.answer(&other, size, &answer.checkpoint).unwrap()
        }
    });
    world
        .refused(
            ASKED,
            "the lists are not those of the labels that were asked for",
        )
        .await
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
    world
        .refused(ASKED, "the entries or the commitment are not in the log")
        .await?;
    let claim = world.liar.entries[world.leaves.claim as usize].clone();
    world.proxy.rewrite(move |_, answer| v1::Answer {
        commitment: claim.clone(),
        ..answer
    });
    world
        .refused(ASKED, "the entries or the commitment are not in the log")
        .await?;

    // Nor is anybody sent for a newer program by a commitment that the log never made.
    let mut other = world.liar.clone();
    let newer = other.commit_as(3)? - 1;
    let newer = other.entries[newer as usize].clone();
    world.proxy.rewrite(move |_, answer| v1::Answer {
        commitment: newer.clone(),
        ..answer
    });
    world
        .refused(ASKED, "the entries or the commitment are not in the log")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forged_absence_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let size = world.size();
    // The proof of an index in which nobody spoke of the package.
    let silent = world.hiding(&[world.leaves.claim, world.leaves.withdrawn])?;
    world.proxy.rewrite(move |query, answer| {
        let (honest, commitment) = (answer.checkpoint.clone(), answer.commitment.clone());
        v1::Answer {
            commitment,
            ..silent.answer(query, size, &honest).unwrap()
        }
    });
    world
        .refused(ASKED, "the proof of the index leads to the root")
        .await?;
    // The true proof that something else is absent.
    let (liar, by) = (world.liar.clone(), world.by());
    world.proxy.rewrite(move |_, answer| {
        let nobody = Query::names([package("nobody")], by);
        let cut = liar.cut(&nobody, size).unwrap();
        liar.filled(
            v1::Answer {
                cut,
                lists: vec![],
                ..answer
            },
            size,
        )
        .unwrap()
    });
    world
        .refused(
            ASKED,
            "the proof of the index leaves out what was asked for",
        )
        .await
}

/// Entries may have labels that this program does not know, so that nothing is complete for it.
/// That is nobody's fault.
#[tokio::test(flavor = "multi_thread")]
async fn an_unsupported_mapping_fails_closed_and_says_which_is_supported() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let key = SignerKey::from_seed("other.example/log", &[9; 32])?;
    let size = world.liar.commit_as(3)?;
    let checkpoint = world.liar.checkpoint(size, &key)?;
    let last = world.liar.last_entry(size, &checkpoint)?;
    let liar = world.liar.clone();
    world.proxy.lies().checkpoint = Some(checkpoint.clone());
    world.proxy.lies().entry = Some(last);
    world
        .proxy
        .rewrite(move |query, _| liar.answer(query, size, &checkpoint).unwrap());

    let told = "unsupported mapping version 3; version 2 is supported";
    let client = world.client_at(&world.proxy.url, key.verifier()).await?;
    let error = client.lookup(&world.query(ASKED)).await.unwrap_err();
    assert!(
        matches!(&error, ClientError::Unsupported(what) if what.contains(told)),
        "{error:?}"
    );
    let file = world.lock_file(ASKED)?;
    for asked in [
        &["lookup", &purl(ASKED)][..],
        &["lookup", &purl(ASKED), "--private"],
        &["check", &file],
    ] {
        let output = world.program_at(&world.proxy.url, &key.verifier().to_string(), asked)?;
        exits(&output, 4, told);
        assert!(
            !String::from_utf8_lossy(&output.stderr).contains("fails a check"),
            "it is nobody's fault"
        );
    }
    Ok(())
}
