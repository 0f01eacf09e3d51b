//! What takes back: a withdrawal, a rotation or a compromise that is hidden would leave a claim
//! standing.

use crate::world::{ASKED, World, exits, issuer, package, purl, without, words};
use assay_claims::claim;
use assay_claims::entry::Entry;
use assay_claims::index::{By, Kind, Label, Name};
use assay_claims::kind;
use assay_client::{
    AnswerCache,
    gather::{Source, gather},
};
use assay_proto::v1;
use assay_tlog::Hash;
use prost::Message;
use std::{fs, path::PathBuf};

/// The label of what the first issuer said of the claim at a leaf.
fn of_claim(world: &World, leaf: u64) -> Label {
    let entry = Entry::parse(world.liar.entries[leaf as usize].clone()).unwrap();
    let id = claim::verify(entry.claim().unwrap(), &()).unwrap().id();
    let name = Name::new(Kind::Claim, &id.to_hex());
    Label::of(name, world.by()[0])
}

/// Answers about `label` leave it out, honestly as far as the proofs go; all others are the node's.
fn hide(world: &World, label: Label) {
    let (liar, size) = (world.liar.clone(), world.size());
    world.proxy.rewrite(move |query, mut answer| {
        if query.asks_for(&label) {
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
    world
        .gathering_is_refused(ASKED, "the lists are not those of the labels")
        .await?;

    // Absent, by the proof of an index that never heard of it.
    let (silent, size) = (world.hiding(&[world.leaves.withdrawal])?, world.size());
    world.proxy.rewrite(move |query, answer| {
        if !query.asks_for(&label) {
            return answer;
        }
        let commitment = answer.commitment.clone();
        v1::Answer {
            commitment,
            ..silent.answer(query, size, &answer.checkpoint).unwrap()
        }
    });
    world
        .gathering_is_refused(ASKED, "the proof of the index leads to the root")
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hidden_record_of_an_issuer_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let of = |kind: kind::Kind| {
        let uri = kind.uris().next().unwrap();
        Label::of(issuer(&world.second.id), By::predicate_type(uri))
    };
    for (label, hidden) in [
        (of(kind::Kind::Issuer), world.leaves.rotation),
        (of(kind::Kind::KeyCompromise), world.leaves.compromise),
    ] {
        hide(&world, label);
        the_program_refuses(&world, "the lists are not those of the labels")?;
        let (liar, size) = (world.liar.clone(), world.size());
        world.proxy.rewrite(move |query, mut answer| {
            if query.asks_for(&label) {
                for list in &mut answer.lists {
                    list.leaves.retain(|leaf| *leaf != hidden);
                }
                return liar.filled(answer, size).unwrap();
            }
            answer
        });
        the_program_refuses(&world, "is not the one in the index")?;
    }
    Ok(())
}

/// The program asks for the records of whom it listens to.
fn the_program_refuses(world: &World, check: &str) -> anyhow::Result<()> {
    exits(&world.program(&["lookup", &purl("beta")])?, 4, check);
    exits(
        &world.program(&["check", &world.lock_file("beta")?])?,
        4,
        check,
    );
    Ok(())
}

/// Answers list this leaf and lack its entry, honestly as far as the proofs go.
fn withhold(world: &World, hidden: u64) {
    let (liar, size) = (world.liar.clone(), world.size());
    world.proxy.rewrite(move |_, mut answer| {
        if let Some(at) = answer.leaves.iter().position(|leaf| *leaf == hidden) {
            answer.leaves.remove(at);
            answer.entries.remove(at);
            answer.inclusion = liar.inclusion(&answer.leaves, size).unwrap();
        }
        answer
    });
}

/// Only after the first thousand entries of a list any may be left out. Who asked for a crowd and
/// had to ask for one of them again would say which it meant.
#[tokio::test(flavor = "multi_thread")]
async fn an_entry_that_is_listed_and_withheld_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let check = "and its entry is withheld";
    withhold(&world, world.leaves.withdrawal);
    world.gathering_is_refused(ASKED, check).await?;
    world.refused_privately(ASKED, check).await?;
    // Of the crowd, something that nobody asked about.
    withhold(&world, world.leaves.beta);
    world.refused_privately(ASKED, check).await
}

/// The files of the answers that the client library kept.
fn kept(world: &World) -> anyhow::Result<Vec<PathBuf>> {
    let folders: Vec<_> = fs::read_dir(world.state().join("answers"))?.collect::<Result<_, _>>()?;
    let files = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder.path()).unwrap());
    let answers = files.map(|file| file.unwrap().path());
    Ok(answers.filter(|path| !path.ends_with("lock")).collect())
}

/// What was kept is believed no more than a node.
#[tokio::test(flavor = "multi_thread")]
async fn a_kept_answer_that_was_changed_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let online = world.gather(&[package(ASKED)]).await??;
    let source = || Source::Kept(AnswerCache::new(world.state(), &world.log.key));
    assert_eq!(
        gather(&source(), &[package(ASKED)], &world.by())
            .await?
            .claims
            .len(),
        online.claims.len()
    );
    let (state, file) = (
        world.state().to_str().unwrap().to_owned(),
        world.lock_file(ASKED)?,
    );
    let asked = purl(ASKED);
    let asking = |asked: [&str; 2], how: &[&str]| {
        world.program(&[&asked[..], &["--state-dir", &state], how].concat())
    };
    let offline = |asked| asking(asked, &["--offline"]);
    // The program asks for the issuers' records, too.
    exits(&asking(["check", &file], &[])?, 0, "Policy met");
    exits(&offline(["lookup", &asked])?, 0, "1 claim about");
    exits(&offline(["check", &file])?, 0, "Policy met");

    let (mut told, mut gathered) = (0, 0);
    for path in kept(&world)? {
        let bytes = fs::read(&path)?;
        // Behind the hash by which a reader tells whether it is whole.
        let mut answer = v1::Answer::decode(&bytes[Hash::LEN..])?;
        let Some(list) = answer.lists.first_mut() else {
            continue;
        };
        list.leaves.pop();
        let changed = world.liar.filled(answer, world.size())?.encode_to_vec();
        fs::write(
            &path,
            [Hash::of(&changed).as_bytes(), &changed[..]].concat(),
        )?;
        let check = "is not the one in the index";
        let mut is_of_library = false;
        if let Err(error) = gather(&source(), &[package(ASKED)], &world.by()).await {
            assert!(words(&error).contains(check), "{error:?}");
            is_of_library = true;
            gathered += 1;
        }
        let lookup = offline(["lookup", &asked])?;
        // The program asks about records, too: not every question of the library is its own.
        if !is_of_library || !lookup.status.success() {
            exits(&lookup, 4, check);
            exits(&offline(["check", &file])?, 4, check);
            told += 1;
        }
        fs::write(&path, bytes)?;
    }
    assert!(told > 2 && gathered > 1, "{told}, {gathered}");
    Ok(())
}
