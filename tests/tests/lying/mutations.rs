//! A real answer, changed at random on its way to the client library, thousands of times: it is
//! refused, or the client believes what it would have believed anyway. Core's `tests/answers` lies
//! more cleverly; here are the bytes on the wire, their reading, and the checkpoint.
//!
//! `ASSAY_MUTATIONS` sets how many times.

use crate::cut;
use crate::world::{ASKED, World, package};
use anyhow::Context;
use assay_claims::index::{Prefix, Query, VerifiedAnswer};
use assay_client::{Client, ClientError, Looked};
use assay_proto::v1::Answer;
use proptest::{
    prelude::*,
    sample::Index,
    test_runner::{FileFailurePersistence, TestCaseError, TestRunner},
};
use prost::Message;
use std::{cell::Cell, mem};
use tokio::runtime::Handle;

/// Changed answers, if nothing else is asked for.
const CASES: u32 = 3_000;

/// What is done to an answer.
#[derive(Debug, Clone)]
enum Change {
    /// A bit of its bytes.
    Flip(Index, u8),
    /// Some of its bytes are left out.
    Cut(Index, usize),
    /// One of its fields is that of another answer.
    Exchange(u8, Index),
    /// A list, a leaf of a list, or an entry with its leaf, is removed.
    Remove(u8, Index),
    /// The same stands there twice.
    Repeat(u8, Index),
    /// Two of them are exchanged.
    Swap(u8, Index, Index),
    /// A leaf of a list is another one.
    Renumber(Index, u64),
    /// Some labels below one stub of the proof are counted below another one.
    Recount(Index, Index, u64),
    /// A list is longer in the proof than it is.
    Lengthen(Index, u64),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    prop_oneof![
        (at(), 0..8_u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (at(), 1..40_usize).prop_map(|(at, count)| Change::Cut(at, count)),
        (0..8_u8, at()).prop_map(|(field, other)| Change::Exchange(field, other)),
        (0..3_u8, at()).prop_map(|(what, at)| Change::Remove(what, at)),
        (0..3_u8, at()).prop_map(|(what, at)| Change::Repeat(what, at)),
        (0..3_u8, at(), at()).prop_map(|(what, at, to)| Change::Swap(what, at, to)),
        (at(), 0..30_u64).prop_map(|(at, leaf)| Change::Renumber(at, leaf)),
        (at(), at(), 1..3_u64).prop_map(|(at, to, count)| Change::Recount(at, to, count)),
        (at(), 1..20_000_u64).prop_map(|(at, more)| Change::Lengthen(at, more)),
    ]
}

/// Removes, repeats or swaps items, where there are any.
fn rearrange<T: Clone>(items: &mut Vec<T>, change: &Change) {
    let length = items.len();
    match change {
        _ if length == 0 => {}
        Change::Remove(_, at) => drop(items.remove(at.index(length))),
        Change::Repeat(_, at) => items.insert(at.index(length), items[at.index(length)].clone()),
        Change::Swap(_, at, to) => items.swap(at.index(length), to.index(length)),
        _ => {}
    }
}

impl Change {
    /// Changes the answer; what cannot be read any more stays as it was.
    fn apply(&self, answer: &mut Answer, others: &[Answer]) {
        match self {
            Change::Flip(at, bit) => {
                let mut bytes = answer.encode_to_vec();
                let at = at.index(bytes.len());
                bytes[at] ^= 1 << bit;
                read_again(answer, &bytes);
            }
            Change::Cut(at, count) => {
                let mut bytes = answer.encode_to_vec();
                let at = at.index(bytes.len());
                bytes.drain(at..bytes.len().min(at + count));
                read_again(answer, &bytes);
            }
            Change::Exchange(field, other) => exchange(answer, other.get(others).clone(), *field),
            Change::Renumber(at, leaf) => {
                let lists = answer.lists.iter_mut();
                let mut leaves: Vec<&mut u64> = lists.flat_map(|list| &mut list.leaves).collect();
                let at = at.index(leaves.len().max(1));
                if let Some(there) = leaves.get_mut(at) {
                    **there = *leaf;
                }
            }
            Change::Recount(at, to, count) => recount(answer, at, to, *count),
            Change::Lengthen(at, more) => lengthen(answer, at, *more),
            Change::Remove(what, at) | Change::Repeat(what, at) | Change::Swap(what, at, _) => {
                match what {
                    0 => rearrange(&mut answer.lists, self),
                    1 if !answer.lists.is_empty() => {
                        let list = at.index(answer.lists.len());
                        rearrange(&mut answer.lists[list].leaves, self);
                    }
                    _ => {
                        rearrange(&mut answer.leaves, self);
                        rearrange(&mut answer.entries, self);
                    }
                }
            }
        }
    }
}

/// Counts labels below another stub, if the proof can be read.
fn recount(answer: &mut Answer, at: &Index, to: &Index, count: u64) {
    let stubs = match cut::numbers(&answer.cut) {
        Some(numbers) if !numbers.stubs.is_empty() => numbers.stubs,
        _ => return,
    };
    let (from, to) = (at.get(&stubs), to.get(&stubs));
    let mut changed = answer.cut.to_vec();
    let less = cut::number(&changed, *from).saturating_sub(count);
    cut::put(&mut changed, *from, less);
    let more = cut::number(&changed, *to).saturating_add(count);
    cut::put(&mut changed, *to, more);
    answer.cut = changed.into();
}

/// Makes a list longer in the proof, if that can be read.
fn lengthen(answer: &mut Answer, at: &Index, more: u64) {
    let leaves = match cut::numbers(&answer.cut) {
        Some(numbers) if !numbers.leaves.is_empty() => numbers.leaves,
        _ => return,
    };
    let at = at.get(&leaves);
    let mut changed = answer.cut.to_vec();
    let length = cut::number(&changed, *at).saturating_add(more);
    cut::put(&mut changed, *at, length);
    answer.cut = changed.into();
}

fn read_again(answer: &mut Answer, bytes: &[u8]) {
    if let Ok(read) = Answer::decode(bytes) {
        *answer = read;
    }
}

fn exchange(answer: &mut Answer, mut other: Answer, field: u8) {
    match field {
        0 => mem::swap(&mut answer.checkpoint, &mut other.checkpoint),
        1 => mem::swap(&mut answer.commitment, &mut other.commitment),
        2 => mem::swap(&mut answer.cut, &mut other.cut),
        3 => mem::swap(&mut answer.lists, &mut other.lists),
        4 => mem::swap(&mut answer.inclusion, &mut other.inclusion),
        // No answer but a page has such a proof.
        5 => answer.range = other.inclusion,
        6 => {
            mem::swap(&mut answer.leaves, &mut other.leaves);
            mem::swap(&mut answer.entries, &mut other.entries);
        }
        _ => *answer = other,
    }
}

/// One question of every kind.
fn questions(world: &World) -> [Query; 4] {
    let both = [package(ASKED), package("beta")];
    [
        world.query(ASKED),
        Query::names(both, world.by()),
        Query::crowd(Prefix::of(&world.label(ASKED), 1), world.by()),
        Query::Census(package(ASKED).prefix()),
    ]
}

/// Other genuine answers: to other questions, and to the same as of earlier.
async fn others(world: &World, client: &Client) -> anyhow::Result<Vec<Answer>> {
    let mut others = Vec::new();
    for size in world.liar.sizes().into_iter().rev().take(3) {
        for query in questions(world) {
            others.push(world.liar.answer(&query, size, "")?);
        }
    }
    for _ in 0..2 {
        for query in questions(world) {
            others.push(client.lookup(&query).await?.bytes);
        }
        for query in [
            world.query("beta"),
            world.query("nobody"),
            Query::crowd(Prefix::EMPTY, world.by()),
            Query::Census(Prefix::EMPTY),
        ] {
            others.push(client.lookup(&query).await?.bytes);
        }
        world.publish_more().await?;
    }
    Ok(others)
}

/// What was believed is the truth. Entries may be missing, which is said, and is asked for.
fn is_true(
    query: &Query,
    believed: &VerifiedAnswer,
    truth: &VerifiedAnswer,
) -> Result<(), TestCaseError> {
    if let Query::Census(_) = query {
        prop_assert_eq!(believed.census(), truth.census());
    }
    if let Query::Crowd { prefix, .. } = query {
        prop_assert_eq!(believed.crowd_names(prefix), truth.crowd_names(prefix));
    }
    for name in [ASKED, "beta"].map(package) {
        // Who was asked about something else may be told more.
        if let (Ok(told), Ok(spoke)) = (believed.speakers(&name), truth.speakers(&name)) {
            prop_assert_eq!(told, spoke);
        }
    }
    prop_assert_eq!(believed.overlong(), truth.overlong());
    prop_assert_eq!(believed.checkpoint().note(), truth.checkpoint().note());
    prop_assert_eq!(believed.commitment(), truth.commitment());
    prop_assert_eq!(believed.made_at_ms(), truth.made_at_ms());
    prop_assert_eq!(believed.lists(), truth.lists());
    for (leaf, entry) in believed.entries() {
        prop_assert_eq!(entry.bytes(), truth.entries()[leaf].bytes());
    }
    let missing = truth
        .entries()
        .keys()
        .filter(|leaf| !believed.entries().contains_key(leaf));
    prop_assert_eq!(believed.missing(), missing.copied().collect::<Vec<_>>());
    Ok(())
}

/// How changed answers fared.
#[derive(Default)]
struct Count {
    refused: Cell<u32>,
    believed: Cell<u32>,
    older: Cell<u32>,
}

impl Count {
    /// Counts what became of a changed answer, and fails if it was believed and is not true.
    fn judge(
        &self,
        query: &Query,
        got: Result<Looked, ClientError>,
        truth: &Looked,
    ) -> Result<(), TestCaseError> {
        match got {
            Ok(looked) => {
                one_more(&self.believed);
                is_true(query, &looked.answer, &truth.answer)
            }
            Err(ClientError::Unverified { .. }) => {
                one_more(&self.refused);
                Ok(())
            }
            Err(ClientError::Unavailable { what, .. }) if what.contains("an older head") => {
                one_more(&self.older);
                Ok(())
            }
            Err(other) => Err(TestCaseError::fail(format!("{other:?}"))),
        }
    }
}

fn one_more(count: &Cell<u32>) {
    count.set(count.get() + 1);
}

/// How many changed answers are told.
fn cases() -> anyhow::Result<u32> {
    match std::env::var("ASSAY_MUTATIONS") {
        Ok(number) => number.parse().context("ASSAY_MUTATIONS is a number"),
        Err(_) => Ok(CASES),
    }
}

/// What is told in place of an answer. What is listed is proven again, where it can be, if `prove`
/// says so: who lies that well has the log.
fn changed(
    world: &World,
    truth: &Answer,
    changes: &[Change],
    others: &[Answer],
    prove: bool,
) -> Answer {
    let mut answer = truth.clone();
    for change in changes {
        change.apply(&mut answer, others);
    }
    let size = world.size();
    let mut listed = answer.lists.iter().flat_map(|list| &list.leaves);
    if prove && listed.all(|leaf| *leaf < size) {
        answer = world.liar.filled(answer, size).unwrap();
    }
    answer
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_answer_is_refused_or_says_the_same() -> anyhow::Result<()> {
    let mut world = World::start().await?;
    let client = world.client().await?;
    let others = others(&world, &client).await?;
    world.liar = world.whole().await?;
    let mut truths: Vec<(Query, Looked)> = Vec::new();
    for query in questions(&world) {
        let looked = client.lookup(&query).await?;
        truths.push((query, looked));
    }
    let told = cases()?;
    let mut runner = TestRunner::new(ProptestConfig {
        cases: told,
        source_file: Some(file!()),
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource(
            "proptest-regressions",
        ))),
        ..ProptestConfig::default()
    });
    let count = Count::default();
    let cases = (
        any::<Index>(),
        prop::collection::vec(change(), 1..4),
        any::<bool>(),
    );
    let ran = tokio::task::block_in_place(|| {
        runner.run(&cases, |(question, changes, prove)| {
            let (query, truth) = question.get(&truths);
            let answer = changed(&world, &truth.bytes, &changes, &others, prove);
            if answer == truth.bytes {
                return Ok(());
            }
            world.proxy.lies().heard.clear();
            world.proxy.rewrite(move |_, _| answer.clone());
            let looked = Handle::current().block_on(client.lookup(query));
            count.judge(query, looked, truth)
        })
    });
    ran.unwrap_or_else(|error| panic!("{error}"));
    let (refused, believed, older) = (count.refused.get(), count.believed.get(), count.older.get());
    println!("{refused} refused, {believed} harmless, {older} of an older head");
    assert!(
        refused > told / 2 && older > 0,
        "{refused} refused, {believed} harmless, {older} of an older head"
    );
    Ok(())
}
