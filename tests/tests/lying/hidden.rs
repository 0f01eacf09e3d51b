//! What takes back: a withdrawal, a rotation or a compromise that is hidden would leave a claim standing.

use crate::world::{ASKED, World, about, asks_for, package, version, without};
use assay_client::{
    AnswerCache, ClientError,
    gather::{Source, gather},
};
use assay_core::{claim, entry::Entry, index::{Kind, Label, Query}};
use assay_proto::v1::{self, LabelList};
use prost::Message;
use std::fs;

/// The label of what is said of the claim at a leaf.
fn of_claim(world: &World, leaf: u64) -> Label {
    let entry = Entry::parse(world.liar.entries[leaf as usize].clone()).unwrap();
    Label::new(Kind::Claim, &claim::verify(entry.claim().unwrap(), &()).unwrap().id().to_hex())
}

/// Answers about `label` leave it out, honestly as far as the proofs go; all others are the node's.
fn hide(world: &World, label: Label) {
    let (liar, size) = (world.liar.clone(), world.size());
    world.proxy.rewrite(move |query, mut answer| {
        if asks_for(query, &label) {
            without(&mut answer, &label);
            return liar.filled(answer, size).unwrap();
        }
        answer
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_withdrawal_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let label = of_claim(&world, world.leaves.withdrawn);
    hide(&world, label);
    world.gathering_is_refused(&[package("alpha")], ASKED, "the lists are not those of the labels").await?;

    // Absent, by the proof of an index that never heard of it.
    let (silent, size) = (world.hiding(&[world.leaves.withdrawal])?, world.size());
    world.proxy.rewrite(move |query, answer| match asks_for(query, &label) {
        true => {
            let commitment = answer.commitment.clone();
            v1::Answer { commitment, ..silent.answer(query, size, &answer.checkpoint).unwrap() }
        }
        false => answer,
    });
    world.gathering_is_refused(&[package("alpha")], ASKED, "the proof of the index leads to the root").await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_record_of_an_issuer_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (beta, label) = (package("beta"), about(&world.second.id));
    hide(&world, label);
    world.gathering_is_refused(&[beta], "pkg:cargo/beta@1.0.0", "the lists are not those of the labels").await?;
    for hidden in [world.leaves.rotation, world.leaves.compromise] {
        let (liar, size) = (world.liar.clone(), world.size());
        world.proxy.rewrite(move |query, mut answer| {
            if asks_for(query, &label) {
                answer.lists.iter_mut().for_each(|list| list.leaves.retain(|leaf| *leaf != hidden));
                return liar.filled(answer, size).unwrap();
            }
            answer
        });
        world.gathering_is_refused(&[beta], "pkg:cargo/beta@1.0.0", "is not the one in the index").await?;
    }
    Ok(())
}

/// A long list's entries may be left out of an answer about many labels. They are asked for, and then they have to come.
#[tokio::test(flavor = "multi_thread")]
async fn a_withdrawal_that_is_listed_and_withheld_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (liar, size, hidden) = (world.liar.clone(), world.size(), world.leaves.withdrawal);
    world.proxy.rewrite(move |_, mut answer| {
        if let Some(at) = answer.leaves.iter().position(|leaf| *leaf == hidden) {
            answer.leaves.remove(at);
            answer.entries.remove(at);
            answer.inclusion = liar.inclusion(&answer.leaves, size).unwrap();
        }
        answer
    });
    world.gathering_is_refused(&[package("alpha")], ASKED, "and withholds its entry").await
}

/// What an issuer signed is a list of many pages.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_in_pages_is_compared_as_a_whole() -> anyhow::Result<()> {
    let world = World::start().await?;
    world.log.publish_many(&world.first, 0..1_200).await?;
    world.log.published(world.size() + 1_200).await?;
    let label = Label::new(Kind::Issuer, &world.first.id.to_hex());
    let client = world.client().await?;
    let leaves: usize = client.list(&label).await?.iter().map(|page| page.list(&label).unwrap().leaves.len()).sum();
    assert_eq!(leaves, 1_204);
    let pages: Vec<(Query, v1::Answer)> = std::mem::take(&mut world.proxy.lies().heard);
    assert!(pages.len() > 1, "more than one page");

    let liar = assay_tests::liar::Liar::new(world.log.entries(0, 0).await?, &[])?;
    let (size, second) = (liar.entries.len() as u64, pages.len() as u64 - 1);
    type Change = fn(&mut LabelList);
    let changes: [(&str, Change); 3] = [
        ("is not the one in the index", |list| drop(list.leaves.remove(7))),
        ("the node stopped in the middle of a list", |list| list.leaves.clear()),
        ("is not the one in the index", |list| list.leaves.truncate(5)),
    ];
    for (check, change) in changes {
        let liar = liar.clone();
        world.proxy.rewrite(move |query, mut answer| {
            // In the last page, or at the end of the first.
            if matches!(query, Query::Page { from, .. } if *from > 0 || second == 0) {
                answer.lists.iter_mut().for_each(change);
                return liar.filled(answer, size).unwrap();
            }
            answer
        });
        let error = client.list(&label).await.unwrap_err();
        // A page that is short is asked on from where it ends, so that only the last is wrong.
        if !(check.contains("index") && matches!(error, ClientError::Unverified { .. })) {
            assert!(crate::words(&error).contains(check), "{error:?}");
        }
    }
    Ok(())
}

/// What was kept is believed no more than a node.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_answer_that_was_changed_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let asked = [package("alpha")];
    let online = world.gather(&asked).await?.unwrap();
    let kept = || Source::Kept(AnswerCache::new(world.state(), &world.log.key));
    assert_eq!(gather(&kept(), asked).await?.claims.len(), online.claims.len());

    let answers = world.state().join("answers");
    let folders = fs::read_dir(answers)?.map(|folder| folder.unwrap().path());
    let files: Vec<_> = folders.flat_map(|folder| fs::read_dir(folder).unwrap()).map(|file| file.unwrap().path()).collect();
    for file in files {
        let bytes = fs::read(&file)?;
        let mut answer = v1::Answer::decode(&bytes[..])?;
        let Some(list) = answer.lists.first_mut() else { continue };
        list.leaves.pop();
        let fewer = world.liar.filled(answer, world.size())?;
        fs::write(&file, fewer.encode_to_vec())?;
        let error = gather(&kept(), asked).await.unwrap_err();
        assert!(crate::words(&error).contains("is not the one in the index"), "{error:?}");
        fs::write(&file, bytes)?;
    }
    let _ = version;
    Ok(())
}
