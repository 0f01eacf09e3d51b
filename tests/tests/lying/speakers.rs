//! Who spoke: a list, a speaker, a name or a count that is not the index's.

use crate::cut;
use crate::world::{ASKED, World, exits, is_unverified, package, purl, without};
use assay_claims::index::{By, Label, Query};
use assay_claims::limits;
use assay_proto::v1::Answer;

const UNLISTED: &str = "the lists are not those of the labels";
const UNPROVEN: &str = "the proof of the index leaves out what was asked for";
const WRONG: &str = "the proof of the index leads to the root";

/// What the second issuer said of what is asked for.
fn second(world: &World) -> Label {
    Label::of(package(ASKED), world.by()[1])
}

/// Of two who spoke one is hidden: from the lists, and then from the proof, too.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_of_one_speaker_that_is_hidden_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let hidden = second(&world);
    let (liar, size) = (world.liar.clone(), world.size());
    world.proxy.rewrite(move |_, mut answer| {
        without(&mut answer, &hidden);
        liar.filled(answer, size).unwrap()
    });
    world.refused(ASKED, UNLISTED).await?;

    let (liar, first) = (world.liar.clone(), world.by()[0]);
    world.proxy.rewrite(move |query, answer| {
        if !query.asks_for(&hidden) {
            return answer;
        }
        let only_first = Query::names([hidden.name()], [first]);
        liar.answer(&only_first, size, &answer.checkpoint).unwrap()
    });
    world.refused(ASKED, UNPROVEN).await
}

/// Who asks for everyone is told of all who spoke.
#[tokio::test(flavor = "multi_thread")]
async fn a_census_that_is_shortened_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let prefix = package(ASKED).prefix();
    let census = Query::Census(prefix);
    let client = world.client().await?;
    let looked = client.lookup(&census).await?;
    assert_eq!(looked.answer.census().len(), 3);
    assert_eq!(looked.answer.speakers(&package(ASKED))?, 3);
    let everyone = ["lookup", &purl(ASKED), "--everyone"];
    exits(&world.program(&everyone)?, 0, "");

    // The stranger is left out of the proof.
    let (liar, size, by) = (world.liar.clone(), world.size(), world.by());
    world.proxy.rewrite(move |query, mut answer| {
        if matches!(query, Query::Census(_)) {
            let others = Query::names([package(ASKED)], by);
            answer.cut = liar.cut(&others, size).unwrap();
        }
        answer
    });
    is_unverified(client.lookup(&census).await, UNPROVEN);
    exits(&world.program(&everyone)?, 4, UNPROVEN);

    // An index that never heard of the second issuer's claim.
    let silent = world.hiding(&[world.leaves.seconded])?;
    world.proxy.rewrite(move |query, mut answer| {
        if matches!(query, Query::Census(_)) {
            answer.cut = silent.cut(query, size).unwrap();
        }
        answer
    });
    is_unverified(client.lookup(&census).await, WRONG);
    exits(&world.program(&everyone)?, 4, WRONG);
    Ok(())
}

/// How many have spoken is what the log committed to: a count cannot be moved from one stub to
/// another, nor be made larger or smaller.
#[tokio::test(flavor = "multi_thread")]
async fn counts_that_are_moved_are_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let client = world.client().await?;
    let honest = client.lookup(&world.query(ASKED)).await?.bytes;
    let stubs = cut::numbers(&honest.cut).unwrap().stubs;
    assert!(stubs.len() > 2, "{stubs:?}");
    let mut lies = 0;
    for from in &stubs {
        for to in stubs.iter().filter(|to| *to != from) {
            let mut moved = honest.cut.to_vec();
            let (less, more) = (cut::number(&moved, *from), cut::number(&moved, *to));
            // A stub without labels is malformed.
            if less < 2 {
                continue;
            }
            cut::put(&mut moved, *from, less - 1);
            cut::put(&mut moved, *to, more + 1);
            tell(&world, &honest, moved);
            is_unverified(client.lookup(&world.query(ASKED)).await, WRONG);
            lies += 1;
        }
    }
    assert!(lies > 2, "{lies} counts were moved");
    for wrong in [0, u64::MAX] {
        let mut cut = honest.cut.to_vec();
        cut::put(&mut cut, stubs[0], wrong);
        tell(&world, &honest, cut);
        let counts = "the proof of the index counts labels wrongly";
        is_unverified(client.lookup(&world.query(ASKED)).await, counts);
    }
    Ok(())
}

/// A list may be left out if it is longer than anybody is listened to. How long it is is proven.
#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_withheld_as_too_long_and_is_not_is_missed() -> anyhow::Result<()> {
    let world = World::start().await?;
    let label = world.label(ASKED);
    let client = world.client().await?;
    let honest = client.lookup(&world.query(ASKED)).await?.bytes;
    let mut withheld = honest.clone();
    without(&mut withheld, &label);
    let withheld = world.liar.filled(withheld, world.size())?;
    tell(&world, &withheld, honest.cut.to_vec());
    is_unverified(client.lookup(&world.query(ASKED)).await, UNLISTED);

    let mut longer = honest.cut.to_vec();
    for at in cut::numbers(&honest.cut).unwrap().leaves {
        cut::put(&mut longer, at, limits::WHOLE_LIST + 1);
    }
    tell(&world, &withheld, longer);
    is_unverified(client.lookup(&world.query(ASKED)).await, WRONG);
    Ok(())
}

/// An older cut beside what is true now.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_cut_is_refused() -> anyhow::Result<()> {
    let world = World::start().await?;
    let older = world.liar.sizes();
    let older = older[..older.len() - 1].to_vec();
    let client = world.client().await?;
    let prefix = package(ASKED).prefix();
    let nobody = Query::names([package(ASKED)], [By::predicate_type("nobody")]);
    for query in [world.query(ASKED), Query::Census(prefix), nobody] {
        let honest = client.lookup(&query).await?.bytes;
        for size in &older {
            tell(&world, &honest, world.liar.cut(&query, *size)?.to_vec());
            is_unverified(client.lookup(&query).await, WRONG);
        }
        world.proxy.lies().answer = None;
    }
    Ok(())
}

/// Every answer is this one, with this cut.
fn tell(world: &World, answer: &Answer, cut: Vec<u8>) {
    let answer = Answer {
        cut: cut.into(),
        ..answer.clone()
    };
    world.proxy.rewrite(move |_, _| answer.clone());
}
