//! Complete answers between the wire and core.

use crate::v1;
use assay_claims::index::answer::AnsweredList;
use assay_claims::index::{Answer, Label, Query};
use assay_claims::limits::LISTED_LEAVES;
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use assay_tlog::tree::range::RANGE_HASHES;
use bytes::BytesMut;

/// Why an answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// A label does not have 32 bytes.
    #[error("a label in the answer has {0} bytes; it must have 32")]
    Label(usize),
    /// The pieces of a list do not follow each other, or lists are out of order.
    #[error("the lists of the answer are not in order")]
    Order,
    /// There are not as many entries as leaf indices.
    #[error("the answer has {entries} entries for {leaves} leaves")]
    Entries {
        /// Entries.
        entries: usize,
        /// Leaf indices.
        leaves: usize,
    },
    /// The lists have more leaves together than an answer may have.
    #[error(
        "the lists of the answer have {0} leaves together; at most {LISTED_LEAVES} come at once"
    )]
    Leaves(u64),
    /// The length of the proof is not a multiple of 32 bytes.
    #[error("the proof of inclusion in the answer has {0} bytes, which is not a multiple of 32")]
    Inclusion(usize),
    /// The proof of a page's place is not a list of hashes, or has more than any needs.
    #[error(
        "the proof of the place of a page in the answer has {0} bytes, which are not at most \
         {RANGE_HASHES} hashes of 32 bytes"
    )]
    Range(usize),
    /// The answer, or a message of it, holds nothing.
    #[error("the answer is empty")]
    Empty,
}

/// Puts the messages of a stream together: bytes and lists are appended, the checkpoint and the
/// commitment are those of the first message.
#[derive(Debug, Default)]
pub struct Joined {
    answer: v1::Answer,
    cut: BytesMut,
    inclusion: BytesMut,
    range: BytesMut,
    any: bool,
    taken: usize,
}

/// About what a list or an entry takes in memory beside its bytes.
const ITEM_BYTES: usize = 64;

/// About how much memory a message takes. Each of its parts counts, so that a stream of empty parts
/// meets a limit too.
fn weight(message: &v1::Answer) -> usize {
    let v1::Answer {
        checkpoint,
        commitment,
        cut,
        lists,
        leaves,
        entries,
        inclusion,
        range,
    } = message;

    let proofs = cut.len() + inclusion.len() + range.len();
    let whole = checkpoint.len() + commitment.len() + proofs + 8 * leaves.len();
    let entries: usize = entries.iter().map(|entry| ITEM_BYTES + entry.len()).sum();
    whole
        + entries
        + lists
            .iter()
            .map(|list: &v1::LabelList| ITEM_BYTES + list.label.len() + 8 * list.leaves.len())
            .sum::<usize>()
}

impl Joined {
    /// Adds the next message. Fails with [`AnswerFault::Empty`] if it holds nothing: a stream of
    /// such messages need never end.
    pub fn push(&mut self, message: v1::Answer) -> Result<(), AnswerFault> {
        let weight = weight(&message);
        if weight == 0 {
            return Err(AnswerFault::Empty);
        }
        self.taken += weight;
        let v1::Answer {
            checkpoint,
            commitment,
            cut,
            lists,
            leaves,
            entries,
            inclusion,
            range,
        } = message;
        if !self.any {
            self.answer.checkpoint = checkpoint;
            self.answer.commitment = commitment;
            self.any = true;
        }
        self.cut.extend_from_slice(&cut);
        self.inclusion.extend_from_slice(&inclusion);
        self.range.extend_from_slice(&range);
        self.answer.lists.extend(lists);
        self.answer.leaves.extend(leaves);
        self.answer.entries.extend(entries);
        Ok(())
    }

    /// About how many bytes of memory everything that has come takes.
    pub fn taken(&self) -> usize {
        self.taken
    }

    /// The whole answer.
    pub fn finish(self) -> Result<v1::Answer, AnswerFault> {
        if self.any {
            Ok(v1::Answer {
                cut: self.cut.freeze(),
                inclusion: self.inclusion.freeze(),
                range: self.range.freeze(),
                ..self.answer
            })
        } else {
            Err(AnswerFault::Empty)
        }
    }
}

/// Reads a whole answer to `query` as core has it. Nothing in it is verified. Lists that are too
/// long together are refused before they are copied.
pub fn to_core(answer: &v1::Answer, query: &Query) -> Result<Answer, AnswerFault> {
    let from = match query {
        Query::Page { from, .. } => *from,
        Query::Names { .. } | Query::Crowd { .. } | Query::Census(_) => 0,
    };
    if answer.leaves.len() != answer.entries.len() {
        return Err(AnswerFault::Entries {
            entries: answer.entries.len(),
            leaves: answer.leaves.len(),
        });
    }
    let (hashes, rest) = answer.inclusion.as_chunks::<{ Hash::LEN }>();
    if !rest.is_empty() {
        return Err(AnswerFault::Inclusion(answer.inclusion.len()));
    }
    let (range, rest) = answer.range.as_chunks::<{ Hash::LEN }>();
    if !rest.is_empty() || range.len() > RANGE_HASHES {
        return Err(AnswerFault::Range(answer.range.len()));
    }
    let leaves = answer.lists.iter().map(|list| list.leaves.len() as u64);
    let leaves: u64 = leaves.sum();
    if leaves > LISTED_LEAVES {
        return Err(AnswerFault::Leaves(leaves));
    }
    let mut lists: Vec<AnsweredList> = Vec::with_capacity(answer.lists.len());
    for list in &answer.lists {
        let label = Label::from_slice(&list.label).ok_or(AnswerFault::Label(list.label.len()))?;
        match lists.last_mut() {
            Some(last) if last.label == label => {
                last.leaves
                    .extend(list.leaves.iter().copied().map(LeafIndex::new));
            }
            Some(last) if last.label > label => return Err(AnswerFault::Order),
            _ => lists.push(AnsweredList {
                label,
                from,
                leaves: list.leaves.iter().copied().map(LeafIndex::new).collect(),
            }),
        }
    }
    Ok(Answer {
        commitment: answer.commitment.clone(),
        cut: answer.cut.clone(),
        lists,
        entries: answer
            .leaves
            .iter()
            .copied()
            .map(LeafIndex::new)
            .zip(answer.entries.iter().cloned())
            .collect(),
        inclusion: hashes.iter().copied().map(Hash::new).collect(),
        range: range.iter().copied().map(Hash::new).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    #[test]
    fn lists_that_are_too_long_together_are_not_copied() {
        let query = Query::names([], []);
        let list = |leaves: u64| v1::LabelList {
            label: Bytes::from_static(&[7; 32]),
            leaves: (0..leaves).collect(),
        };
        let mut answer = v1::Answer {
            lists: vec![list(LISTED_LEAVES - 1), list(1)],
            ..v1::Answer::default()
        };
        let read = to_core(&answer, &query).unwrap();
        assert_eq!(read.lists[0].leaves.len() as u64, LISTED_LEAVES);
        answer.lists.push(list(1));
        let beyond = AnswerFault::Leaves(LISTED_LEAVES + 1);
        assert_eq!(to_core(&answer, &query), Err(beyond));
    }

    #[test]
    fn the_proof_of_a_place_is_no_longer_than_any_needs_to_be() {
        let query = Query::names([], []);
        let read = |bytes: usize| {
            let answer = v1::Answer {
                range: vec![7; bytes].into(),
                ..v1::Answer::default()
            };
            to_core(&answer, &query).map(|answer| answer.range.len())
        };
        let most = RANGE_HASHES * Hash::LEN;
        assert_eq!(read(most), Ok(RANGE_HASHES));
        for bytes in [1, Hash::LEN - 1, most - 1, most + Hash::LEN] {
            assert_eq!(read(bytes), Err(AnswerFault::Range(bytes)));
        }
    }

    /// Whatever a node repeats forever takes memory, so each part must count toward the limit.
    #[test]
    fn every_part_of_an_answer_counts_and_an_empty_message_is_refused() {
        let empty = v1::Answer::default();
        let parts = [
            v1::Answer {
                lists: vec![v1::LabelList::default()],
                ..empty.clone()
            },
            v1::Answer {
                entries: vec![Bytes::new()],
                ..empty.clone()
            },
            v1::Answer {
                leaves: vec![0],
                ..empty.clone()
            },
            v1::Answer {
                cut: Bytes::from_static(b"x"),
                ..empty.clone()
            },
            v1::Answer {
                inclusion: Bytes::from_static(b"x"),
                ..empty.clone()
            },
            v1::Answer {
                range: Bytes::from_static(b"x"),
                ..empty.clone()
            },
            v1::Answer {
                checkpoint: "x".into(),
                ..empty.clone()
            },
            v1::Answer {
                commitment: Bytes::from_static(b"x"),
                ..empty.clone()
            },
        ];
        let mut joined = Joined::default();
        for part in parts {
            let before = joined.taken();
            joined.push(part).unwrap();
            assert!(joined.taken() > before);
        }
        assert_eq!(joined.push(empty), Err(AnswerFault::Empty));
        assert_eq!(Joined::default().finish(), Err(AnswerFault::Empty));
    }
}
