//! Look-ups in a node's index, as a consumer makes them who trusts nobody: what is returned was
//! verified by core.

use crate::log::Log;
use anyhow::{Context, ensure};
use assay_claims::index::answer::AnsweredList;
use assay_claims::index::{Answer, By, Label, Name, Query, VerifiedAnswer};
use assay_proto::v1::{self, BatchLookupRequest};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use futures::stream;

/// Names of one message: a quarter of a mebibyte.
const NAMES: usize = 16_384;

impl Log {
    /// Looks up what each of some speakers said about each of some names, by one call.
    pub async fn look_up(&self, names: &[Name], by: &[By]) -> anyhow::Result<VerifiedAnswer> {
        let mut messages = Vec::new();
        for names in names.chunks(NAMES) {
            messages.push(BatchLookupRequest {
                names: names.iter().map(|name| half(name.as_bytes())).collect(),
                by: Vec::new(),
            });
        }
        if let Some(first) = messages.first_mut() {
            first.by = by.iter().map(|by| half(by.as_bytes())).collect();
        }
        let mut pieces = self
            .index
            .clone()
            .batch_lookup(stream::iter(messages))
            .await?
            .into_inner();
        let mut whole = v1::Answer::default();
        while let Some(piece) = pieces.message().await? {
            join(
                &mut whole,
                piece.answer.context("an empty piece of an answer")?,
            );
        }
        let checkpoint = VerifiedCheckpoint::verify(&whole.checkpoint, &self.key)?;
        let query = Query::names(names.iter().copied(), by.iter().copied());
        Ok(VerifiedAnswer::verify(checkpoint, &query, read(whole)?)?)
    }
}

fn half(bytes: &[u8; 16]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

/// Puts the fields of a stream's messages together in their order (`assay/v1/index.proto`).
fn join(whole: &mut v1::Answer, piece: v1::Answer) {
    if whole.checkpoint.is_empty() {
        (whole.checkpoint, whole.commitment) = (piece.checkpoint, piece.commitment);
    }
    whole.cut = [&whole.cut[..], &piece.cut].concat().into();
    whole.inclusion = [&whole.inclusion[..], &piece.inclusion].concat().into();
    whole.leaves.extend(piece.leaves);
    whole.entries.extend(piece.entries);
    for list in piece.lists {
        match whole
            .lists
            .last_mut()
            .filter(|last| last.label == list.label)
        {
            Some(last) => last.leaves.extend(list.leaves),
            None => whole.lists.push(list),
        }
    }
}

fn read(answer: v1::Answer) -> anyhow::Result<Answer> {
    ensure!(
        answer.leaves.len() == answer.entries.len(),
        "leaves and entries are not as many"
    );
    // As many as there are: a proof of many leaves is longer than a path.
    let (hashes, rest) = answer.inclusion.as_chunks::<{ Hash::LEN }>();
    ensure!(rest.is_empty(), "the proof ends within a hash");
    let lists = answer.lists.into_iter().map(|list| {
        let label = Label::from_slice(&list.label).context("a label has 32 bytes")?;
        Ok(AnsweredList {
            label,
            from: 0,
            leaves: list.leaves.into_iter().map(LeafIndex::new).collect(),
        })
    });
    Ok(Answer {
        commitment: answer.commitment,
        cut: answer.cut,
        lists: lists.collect::<anyhow::Result<_>>()?,
        entries: answer
            .leaves
            .into_iter()
            .map(LeafIndex::new)
            .zip(answer.entries)
            .collect(),
        inclusion: hashes.iter().copied().map(Hash::new).collect(),
        range: Vec::new(),
    })
}
