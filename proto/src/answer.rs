//! Complete answers between the wire and core.

use crate::v1;
use assay_core::{
    Hash,
    index::{
        Answer, Label, Query,
        answer::AnsweredList,
    },
    tree::LeafIndex,
};
use bytes::BytesMut;

/// Why an answer cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AnswerFault {
    /// A label does not have 32 bytes.
    #[error("a label in the answer has {0} bytes; it must have 32")]
    Label(usize),
    /// A list that comes in pieces does not come in one go.
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
    /// The proof is no multiple of 32 bytes.
    #[error("the proof of inclusion in the answer has {0} bytes, no whole number of hashes")]
    Inclusion(usize),
    /// The answer holds nothing.
    #[error("the answer is empty")]
    Empty,
}

/// Puts the messages of a stream together: bytes and lists are appended, the checkpoint and the commitment are those of the
/// first message.
#[derive(Debug, Default)]
pub struct Joined {
    answer: v1::Answer,
    cut: BytesMut,
    inclusion: BytesMut,
    any: bool,
}

impl Joined {
    /// Adds the next message.
    pub fn push(&mut self, message: v1::Answer) {
        let v1::Answer { checkpoint, commitment, cut, lists, leaves, entries, inclusion } = message;
        if !self.any {
            self.answer.checkpoint = checkpoint;
            self.answer.commitment = commitment;
            self.any = true;
        }
        self.cut.extend_from_slice(&cut);
        self.inclusion.extend_from_slice(&inclusion);
        self.answer.lists.extend(lists);
        self.answer.leaves.extend(leaves);
        self.answer.entries.extend(entries);
    }

    /// How many bytes have come, about.
    pub fn len(&self) -> usize {
        self.cut.len() + self.inclusion.len() + self.answer.entries.iter().map(|entry| entry.len()).sum::<usize>()
    }

    /// Whether nothing has come.
    pub fn is_empty(&self) -> bool {
        !self.any
    }

    /// The whole answer.
    pub fn finish(self) -> Result<v1::Answer, AnswerFault> {
        match self.any {
            true => Ok(v1::Answer { cut: self.cut.freeze(), inclusion: self.inclusion.freeze(), ..self.answer }),
            false => Err(AnswerFault::Empty),
        }
    }
}

/// Reads a whole answer to `query` as core has it. Nothing in it is verified.
pub fn to_core(answer: &v1::Answer, query: &Query) -> Result<Answer, AnswerFault> {
    let from = match query {
        Query::Page { from, .. } => *from,
        Query::Labels(_) | Query::Prefix(_) => 0,
    };
    if answer.leaves.len() != answer.entries.len() {
        return Err(AnswerFault::Entries { entries: answer.entries.len(), leaves: answer.leaves.len() });
    }
    let (hashes, rest) = answer.inclusion.as_chunks::<{ Hash::LEN }>();
    if !rest.is_empty() {
        return Err(AnswerFault::Inclusion(answer.inclusion.len()));
    }
    let mut lists: Vec<AnsweredList> = Vec::with_capacity(answer.lists.len());
    for list in &answer.lists {
        let label = Label::from_slice(&list.label).ok_or(AnswerFault::Label(list.label.len()))?;
        match lists.last_mut() {
            Some(last) if last.label == label => last.leaves.extend(&list.leaves),
            Some(last) if last.label > label => return Err(AnswerFault::Order),
            _ => lists.push(AnsweredList { label, from, leaves: list.leaves.clone() }),
        }
    }
    Ok(Answer {
        commitment: answer.commitment.clone(),
        cut: answer.cut.clone(),
        lists,
        entries: answer.leaves.iter().copied().map(LeafIndex::new).zip(answer.entries.iter().cloned()).collect(),
        inclusion: hashes.iter().copied().map(Hash::new).collect(),
    })
}
