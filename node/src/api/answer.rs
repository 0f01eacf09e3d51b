//! A complete answer on its way: computed once, then sent message by message, each made when the
//! caller has read the ones before.
//!
//! What it is sent from stays in memory until then: the proofs and the lists, but not the entries,
//! which are read as they are sent, and not the index, of which there is another one at each
//! checkpoint. [`Prepared::bytes`] says how much that is. The room for it is given back as the cut
//! is sent, and the rest with the last message.

use super::metered::{Pieces, encoded};
use crate::{
    api::status,
    held::{Account, Hold, Kind},
    records,
    storage::Tables,
    view::View,
};
use assay_claims::index::{CUT_PIECE_BYTES, Label};
use assay_proto::v1::{Answer, LabelList};
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use std::{collections::VecDeque, mem, sync::Arc};
use tonic::Status;

/// Bytes of one message of an answer, about. Small, so that a caller who does not read holds
/// little; large enough that a message costs nothing beside its bytes.
const MESSAGE_BYTES: usize = 128 << 10;
const _: () = assert!(
    CUT_PIECE_BYTES <= MESSAGE_BYTES,
    "a piece of a cut is a message"
);

/// The longest message: one that an entry of 64 KiB ends.
pub const MESSAGE_BYTES_MAX: usize = MESSAGE_BYTES + (64 << 10);

/// A leaf index takes at most ten bytes, and the label of a list, with framing, forty.
const LEAF_BYTES: usize = 10;
const LABEL_BYTES: usize = 40;

/// An answer without its entries.
pub struct Prepared {
    /// What it is complete as of: the signed note.
    pub checkpoint: String,
    /// The entry that commits to the index.
    pub commitment: Bytes,
    /// The proof of what the index has and does not have, in pieces that are messages each.
    pub cut: VecDeque<Bytes>,
    /// The labels that are there, with their lists.
    pub lists: Vec<(Label, Vec<LeafIndex>)>,
    /// The leaves whose entries are sent, ascending.
    pub entries: Vec<LeafIndex>,
    /// The proof of the entries.
    pub inclusion: Bytes,
}

impl Prepared {
    /// About the memory that it takes.
    pub fn bytes(&self) -> usize {
        let list = |(_, leaves): &(Label, Vec<LeafIndex>)| {
            mem::size_of::<(Label, Vec<LeafIndex>)>() + leaves.capacity() * 8
        };
        let lists: usize = self.lists.iter().map(list).sum();
        let cut: usize = self.cut.iter().map(Bytes::len).sum();
        cut + lists + self.entries.capacity() * 8 + self.inclusion.len()
    }
}

/// Returns how the messages of answers on a connection are paid for.
pub fn pieces(account: Arc<Account>) -> Pieces {
    Pieces {
        account,
        kind: Kind::Long,
        bytes: encoded(MESSAGE_BYTES_MAX),
        idle: false,
    }
}

/// What is to be sent next.
enum Next {
    /// What it is complete as of, and the first piece of the cut.
    Beginning,
    /// The other pieces.
    Cut,
    /// The lists, from this one on, and of it from this leaf on.
    Lists(usize, usize),
    /// The entries, from this one on.
    Entries(usize),
    /// The proof of the entries, from this byte on.
    Inclusion(usize),
}

/// An answer that is being sent.
pub struct Sending {
    prepared: Prepared,
    next: Next,
    hold: Hold,
}

impl Sending {
    /// Begins to send. `hold` is the room that the prepared answer takes.
    pub fn new(prepared: Prepared, hold: Hold) -> Self {
        Sending {
            prepared,
            next: Next::Beginning,
            hold,
        }
    }

    /// Takes room for so many bytes at least, in all, beside what this is sent from. Returns false,
    /// and changes nothing, if there is none at once.
    pub fn make_room(&mut self, bytes: usize) -> bool {
        self.hold.cover(self.prepared.bytes() + bytes)
    }

    /// Ends. Returns the room that was taken, now for so many bytes.
    pub fn into_room(self, bytes: usize) -> Hold {
        let mut hold = self.hold;
        hold.resize(bytes);
        hold
    }

    /// The next message to a caller who is sent each as it is made, or `None` after the last one.
    /// The room of the pieces of the cut that were sent is given back.
    pub fn next<S: Tables>(&mut self, view: &View<S>) -> Result<Option<Answer>, Status> {
        let message = self.message(view)?;
        if matches!(self.next, Next::Cut) {
            self.hold.resize(self.prepared.bytes());
        }
        Ok(message)
    }

    /// Returns the next message, or `None` after the last one.
    pub fn message<S: Tables>(&mut self, view: &View<S>) -> Result<Option<Answer>, Status> {
        loop {
            match self.next {
                Next::Beginning => return Ok(Some(self.beginning())),
                Next::Cut => match self.prepared.cut.pop_front() {
                    None => self.next = Next::Lists(0, 0),
                    Some(cut) => {
                        return Ok(Some(Answer {
                            cut,
                            ..Answer::default()
                        }));
                    }
                },
                Next::Lists(list, _) if list == self.prepared.lists.len() => {
                    self.next = Next::Entries(0);
                }
                Next::Lists(list, from) => return Ok(Some(self.lists(list, from))),
                Next::Entries(from) if from == self.prepared.entries.len() => {
                    self.next = Next::Inclusion(0);
                }
                Next::Entries(from) => return self.entries(view, from).map(Some),
                Next::Inclusion(from) if from == self.prepared.inclusion.len() => return Ok(None),
                Next::Inclusion(from) => return Ok(Some(self.inclusion(from))),
            }
        }
    }

    fn beginning(&mut self) -> Answer {
        self.next = Next::Cut;
        Answer {
            checkpoint: self.prepared.checkpoint.clone(),
            commitment: self.prepared.commitment.clone(),
            cut: self.prepared.cut.pop_front().unwrap_or_default(),
            ..Answer::default()
        }
    }

    fn lists(&mut self, mut list: usize, mut from: usize) -> Answer {
        let mut answer = Answer::default();
        let mut room = MESSAGE_BYTES;
        while let Some((label, leaves)) = self.prepared.lists.get(list)
            && room > LABEL_BYTES + LEAF_BYTES
        {
            let most = (room - LABEL_BYTES) / LEAF_BYTES;
            let to = leaves.len().min(from + most);
            let some = &leaves[from..to];
            room -= LABEL_BYTES + LEAF_BYTES * some.len();
            answer.lists.push(LabelList {
                label: Bytes::copy_from_slice(label.as_bytes()),
                leaves: some.iter().map(|leaf| leaf.get()).collect(),
            });
            (list, from) = if to == leaves.len() {
                (list + 1, 0)
            } else {
                (list, to)
            };
        }
        self.next = Next::Lists(list, from);
        answer
    }

    fn entries<S: Tables>(&mut self, view: &View<S>, from: usize) -> Result<Answer, Status> {
        let mut answer = Answer::default();
        let mut bytes = 0;
        for leaf in &self.prepared.entries[from..] {
            let entry = records::read_entry(view.store(), *leaf).map_err(|e| status::store(&e))?;
            bytes += entry.len();
            answer.leaves.push(leaf.get());
            answer.entries.push(entry);
            if bytes > MESSAGE_BYTES {
                break;
            }
        }
        self.next = Next::Entries(from + answer.entries.len());
        Ok(answer)
    }

    fn inclusion(&mut self, from: usize) -> Answer {
        let inclusion = piece(&self.prepared.inclusion, from);
        self.next = Next::Inclusion(from + inclusion.len());
        Answer {
            inclusion,
            ..Answer::default()
        }
    }
}

fn piece(bytes: &Bytes, from: usize) -> Bytes {
    bytes.slice(from..bytes.len().min(from + MESSAGE_BYTES))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::{Held, Limits};
    use crate::storage::memory::Memory;
    use std::time::Duration;

    #[test]
    fn what_was_sent_of_a_cut_is_held_no_longer() {
        let view = View::new(Arc::new(Memory::new()), 1);
        let held = Held::new(Limits {
            bytes: 64 << 20,
            connections: 1,
            stall: Duration::from_secs(20),
            shared: Vec::new(),
        });
        let piece = Bytes::from(vec![0; MESSAGE_BYTES]);
        let prepared = Prepared {
            checkpoint: "a".into(),
            commitment: Bytes::new(),
            cut: vec![piece.clone(); 3].into(),
            lists: Vec::new(),
            entries: Vec::new(),
            inclusion: piece.clone(),
        };
        let account = held.connection([192, 0, 2, 1].into());
        let hold = account.try_hold(Kind::Prepared, prepared.bytes()).unwrap();
        let mut sending = Sending::new(prepared, hold);
        for left in [3, 2, 1] {
            let message = sending.next(&view).unwrap().unwrap();
            assert_eq!(message.checkpoint.is_empty(), left < 3);
            assert_eq!(message.cut, piece);
            assert_eq!(held.bytes(), left * MESSAGE_BYTES as u64);
        }
        let last = sending.next(&view).unwrap().unwrap();
        assert_eq!(last.inclusion, piece);
        assert!(sending.next(&view).unwrap().is_none());
        drop(sending);
        assert_eq!(held.bytes(), 0);
    }
}
