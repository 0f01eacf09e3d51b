//! Every way in which an answer is made false. Those who lie know the log and prove whatever can be
//! proven.

use crate::log::{Log, Steps};
use assay_claims::entry;
use assay_claims::index::answer::AnsweredList;
use assay_claims::index::range::prove_page;
use assay_claims::index::{Answer, Label, Prefix, Query};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use proptest::prelude::*;
use std::collections::BTreeSet;

macro_rules! lies {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        /// What is done to an answer.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Kind {
            $($(#[$doc])* $name,)*
        }

        impl Kind {
            pub const ALL: &[Kind] = &[$(Kind::$name,)*];
        }
    };
}

lies! {
    HideEntry,
    HideLeaf,
    HideList,
    /// With the proof of something else that was asked for.
    HideListAndItsProof,
    AddLeaf,
    ChangeLeaf,
    DuplicateLeaf,
    SwapLeaves,
    SwapLists,
    RelabelList,
    DuplicateList,
    ReorderLists,
    MoveList,
    /// The list as it was, honestly, before.
    OlderList,
    ListNobodyAskedFor,
    EmptyListOfAnAbsentLabel,
    ReplaceEntry,
    MoveEntry,
    FlipEntry,
    DuplicateEntry,
    ReorderEntries,
    UnlistedEntry,
    CommitmentAmongTheEntries,
    FlipCut,
    CutOffCut,
    ExtendCut,
    EmptyCut,
    StubCut,
    /// All labels: more than was asked for, and true.
    WholeCut,
    CutOfAnotherQuery,
    OlderCut,
    OlderCutAndLists,
    /// Cut and lists of an index that leaves one leaf out.
    HidingCut,
    /// And the commitment to it, which the log never made.
    HidingCommitment,
    OlderCommitment,
    /// With all that it commits to, and the proof that it stands where it stands.
    OlderCommitmentWithAll,
    FlipCommitment,
    ClaimForCommitment,
    OtherMapping,
    DropHash,
    SwapHashes,
    FlipHash,
    ExtraHash,
    InclusionInOlderTree,
    DropRangeHash,
    FlipRangeHash,
    ExtraRangeHash,
    /// The proof of the place of another page, or of a page of the list as it was.
    RangeOfAnother,
    /// The leaves of another position, with their entries and the proof of their place.
    ShiftedPage,
    AnswerToAnotherQuery,
    OlderAnswer,
}

/// A lie, where in the answer it is told, and whether the entries' inclusion is proven again
/// afterward, where it can be.
#[derive(Debug, Clone, Copy)]
pub struct Lie {
    pub kind: Kind,
    at: prop::sample::Index,
    to: prop::sample::Index,
    pub prove: bool,
}

pub fn lie() -> impl Strategy<Value = Lie> {
    let kind = prop::sample::select(Kind::ALL);
    (
        kind,
        any::<prop::sample::Index>(),
        any::<prop::sample::Index>(),
        any::<bool>(),
    )
        .prop_map(|(kind, at, to, prove)| Lie {
            kind,
            at,
            to,
            prove,
        })
}

/// What a liar knows.
pub struct Known<'a> {
    pub steps: &'a Steps,
    pub log: &'a Log,
    pub query: &'a Query,
    pub size: u64,
    /// Leaves of a page, and entries of a list.
    pub most: usize,
}

impl Lie {
    /// The place in something of this length.
    fn in_(&self, length: usize) -> Option<usize> {
        (length > 0).then(|| self.at.index(length))
    }

    fn flip(&self, bytes: &Bytes) -> Bytes {
        let mut bytes = bytes.to_vec();
        if let Some(at) = self.in_(bytes.len()) {
            bytes[at] ^= 1 << self.to.index(8);
        }
        bytes.into()
    }

    /// Tells the lie. Where there is nothing to lie about the answer stays as it is.
    pub fn tell(&self, known: &Known<'_>, answer: &mut Answer) {
        let _ = self.about_lists(known, answer);
        let _ = self.about_leaves(known, answer);
        let _ = self.about_entries(known, answer);
        let _ = self.about_proofs(known, answer);
        let _ = self.about_the_place(known, answer);
        let _ = self.about_commitment(known, answer);
        if self.prove {
            let size = known.size;
            let shown = answer
                .entries
                .iter()
                .map(|(leaf, _)| leaf.get())
                .filter(|leaf| *leaf < size);
            answer.inclusion = known
                .log
                .inclusion(&shown.chain([size - 1]).collect(), size);
            if let (Query::Page { .. }, [list]) = (known.query, &answer.lists[..]) {
                let truth = known.log.truth(&list.label, size);
                let end = list.from.saturating_add(list.leaves.len() as u64);
                answer.range = prove_page(truth, list.from..end);
            }
        }
    }

    fn about_lists(&self, known: &Known<'_>, answer: &mut Answer) -> Option<()> {
        let lists = &mut answer.lists;
        let at = self.in_(lists.len());
        let to = self.to.index(lists.len().max(1));
        match self.kind {
            Kind::HideList => drop(lists.remove(at?)),
            Kind::HideListAndItsProof => {
                lists.remove(at?);
                let others: Vec<Label> = lists.iter().map(|list| list.label).collect();
                answer.cut = known.log.cut(&Query::labels(&others), known.size);
            }
            Kind::RelabelList => lists[at?].label = self.label(known),
            Kind::DuplicateList => lists.insert(to, lists[at?].clone()),
            Kind::ReorderLists => lists.swap(at?, to),
            Kind::MoveList => {
                let step = self.to.index(3) as u64;
                lists[at?].from = lists[at?].from.wrapping_add(step).wrapping_sub(1)
            }
            Kind::OlderList => {
                let list = &mut lists[at?];
                let truth = known.log.truth(&list.label, self.older(known));
                list.leaves
                    .truncate(truth.len().saturating_sub(list.from as usize));
            }
            Kind::ListNobodyAskedFor => {
                let label = self.label(known);
                let leaves = known.log.truth(&label, known.size).to_vec();
                lists.insert(
                    lists.partition_point(|list| list.label < label),
                    AnsweredList {
                        label,
                        from: 0,
                        leaves,
                    },
                );
                answer.cut = whole(known);
            }
            Kind::EmptyListOfAnAbsentLabel => {
                let labels = known.log.labels();
                let absent = labels
                    .iter()
                    .filter(|label| known.query.asks_for(label))
                    .find(|label| known.log.truth(label, known.size).is_empty())?;
                let place = lists.partition_point(|list| list.label < *absent);
                lists.insert(
                    place,
                    AnsweredList {
                        label: *absent,
                        from: 0,
                        leaves: vec![],
                    },
                );
            }
            _ => return None,
        }
        Some(())
    }

    /// Lies about the leaves of a list.
    fn about_leaves(&self, known: &Known<'_>, answer: &mut Answer) -> Option<()> {
        let lists = &mut answer.lists;
        let at = self.in_(lists.len());
        let to = self.to.index(lists.len().max(1));
        let any = |limit: u64| LeafIndex::new(self.to.index(limit as usize) as u64);
        match self.kind {
            Kind::HideLeaf => {
                let leaves = &mut lists[at?].leaves;
                let last = leaves.len().checked_sub(1)?;
                let hidden = leaves.remove(self.to.index(last + 1));
                answer.entries.retain(|(leaf, _)| *leaf != hidden);
            }
            Kind::AddLeaf => {
                let leaf = any(known.size);
                let leaves = &mut lists[at?].leaves;
                leaves.insert(leaves.partition_point(|other| *other < leaf), leaf);
                let entry = (leaf, known.log.entries[leaf.get() as usize].clone());
                let place = answer
                    .entries
                    .partition_point(|(other, _)| *other < entry.0);
                if answer
                    .entries
                    .get(place)
                    .is_none_or(|(other, _)| *other != entry.0)
                {
                    answer.entries.insert(place, entry);
                }
            }
            Kind::ChangeLeaf => {
                *lists[at?].leaves.last_mut()? = any(2 * known.size);
            }
            Kind::DuplicateLeaf => {
                let leaves = &mut lists[at?].leaves;
                leaves.push(*leaves.last()?);
            }
            Kind::SwapLeaves => lists[at?].leaves.reverse(),
            Kind::SwapLists => {
                let (one, other) = (lists[at?].leaves.clone(), lists[to].leaves.clone());
                (lists[at?].leaves, lists[to].leaves) = (other, one);
            }
            _ => return None,
        }
        Some(())
    }

    fn about_entries(&self, known: &Known<'_>, answer: &mut Answer) -> Option<()> {
        let entries = &mut answer.entries;
        let at = self.in_(entries.len());
        let to = self.to.index(entries.len().max(1));
        let leaf = self.to.index(known.size as usize);
        match self.kind {
            Kind::HideEntry => drop(entries.remove(at?)),
            Kind::ReplaceEntry => entries[at?].1 = known.log.entries[leaf].clone(),
            Kind::MoveEntry => entries[at?].0 = LeafIndex::new(leaf as u64),
            Kind::FlipEntry => entries[at?].1 = self.flip(&entries[at?].1),
            Kind::DuplicateEntry => entries.insert(at?, entries[at?].clone()),
            Kind::ReorderEntries => entries.swap(at?, to),
            Kind::UnlistedEntry => {
                let entry = (LeafIndex::new(leaf as u64), known.log.entries[leaf].clone());
                entries.insert(
                    entries.partition_point(|(other, _)| *other < entry.0),
                    entry,
                );
            }
            Kind::CommitmentAmongTheEntries => {
                entries.push((LeafIndex::new(known.size - 1), answer.commitment.clone()));
            }
            _ => return None,
        }
        Some(())
    }

    fn about_proofs(&self, known: &Known<'_>, answer: &mut Answer) -> Option<()> {
        let hashes = answer.inclusion.len();
        match self.kind {
            Kind::FlipCut => answer.cut = self.flip(&answer.cut),
            Kind::CutOffCut => answer.cut.truncate(self.in_(answer.cut.len())?),
            Kind::ExtendCut => {
                answer.cut = [&answer.cut[..], &[self.to.index(5) as u8]].concat().into()
            }
            Kind::EmptyCut => answer.cut = Bytes::new(),
            Kind::StubCut => {
                let commitment = known.log.commitment(known.size);
                let (labels, root) = (commitment.labels.to_be_bytes(), commitment.root);
                answer.cut = [&[0][..], &labels, root.as_bytes()].concat().into();
            }
            Kind::WholeCut => answer.cut = whole(known),
            Kind::CutOfAnotherQuery => answer.cut = known.log.cut(&self.other(known), known.size),
            Kind::OlderCut => answer.cut = known.log.cut(known.query, self.older(known)),
            Kind::OlderCutAndLists => {
                let older = known.log.answer(known.query, self.older(known), known.most);
                (answer.cut, answer.lists, answer.entries, answer.range) =
                    (older.cut, older.lists, older.entries, older.range);
            }
            Kind::HidingCut => {
                let lie = self
                    .hiding(known)
                    .answer(known.query, known.size, known.most);
                (answer.cut, answer.lists, answer.entries, answer.range) =
                    (lie.cut, lie.lists, lie.entries, lie.range);
            }
            Kind::DropHash => drop(answer.inclusion.remove(self.in_(hashes)?)),
            Kind::SwapHashes => answer
                .inclusion
                .swap(self.in_(hashes)?, self.to.index(hashes)),
            Kind::FlipHash => {
                let hash = &mut answer.inclusion[self.in_(hashes)?];
                *hash = Hash::from_slice(&self.flip(&Bytes::copy_from_slice(hash.as_bytes())))?;
            }
            Kind::ExtraHash => answer
                .inclusion
                .insert(self.at.index(hashes + 1), Hash::of(b"extra")),
            Kind::InclusionInOlderTree => {
                let size = self.older(known);
                let shown = answer
                    .entries
                    .iter()
                    .map(|(leaf, _)| leaf.get())
                    .filter(|leaf| *leaf < size);
                answer.inclusion = known
                    .log
                    .inclusion(&shown.chain([size - 1]).collect(), size);
            }
            _ => return None,
        }
        Some(())
    }

    /// Lies about where a page stands in its list.
    fn about_the_place(&self, known: &Known<'_>, answer: &mut Answer) -> Option<()> {
        let hashes = answer.range.len();
        match self.kind {
            Kind::DropRangeHash => drop(answer.range.remove(self.in_(hashes)?)),
            Kind::FlipRangeHash => {
                let hash = &mut answer.range[self.in_(hashes)?];
                *hash = Hash::from_slice(&self.flip(&Bytes::copy_from_slice(hash.as_bytes())))?;
            }
            Kind::ExtraRangeHash => answer
                .range
                .insert(self.at.index(hashes + 1), Hash::of(b"extra")),
            Kind::RangeOfAnother => {
                let size = if self.to.index(2) == 0 {
                    self.older(known)
                } else {
                    known.size
                };
                answer.range = known.log.answer(&self.other(known), size, known.most).range;
            }
            Kind::ShiftedPage => {
                let other = known.log.answer(&self.other(known), known.size, known.most);
                let (mine, other_list) = (answer.lists.first_mut()?, other.lists.first()?);
                mine.leaves.clone_from(&other_list.leaves);
                (answer.entries, answer.range) = (other.entries, other.range);
            }
            _ => return None,
        }
        Some(())
    }

    fn about_commitment(&self, known: &Known<'_>, answer: &mut Answer) -> Option<()> {
        let log = known.log;
        match self.kind {
            Kind::HidingCommitment => {
                let inclusion = std::mem::take(&mut answer.inclusion);
                *answer = Answer {
                    inclusion,
                    ..self
                        .hiding(known)
                        .answer(known.query, known.size, known.most)
                };
            }
            Kind::OlderCommitment => {
                answer.commitment = log.entries[self.older(known) as usize - 1].clone()
            }
            Kind::OlderCommitmentWithAll => {
                let older = self.older(known);
                *answer = log.answer(known.query, older, known.most);
                let mut shown: BTreeSet<u64> =
                    answer.entries.iter().map(|(leaf, _)| leaf.get()).collect();
                shown.insert(older - 1);
                answer.inclusion = log.inclusion(&shown, known.size);
            }
            Kind::AnswerToAnotherQuery => {
                *answer = known.log.answer(&self.other(known), known.size, known.most)
            }
            Kind::OlderAnswer => {
                *answer = known.log.answer(known.query, self.older(known), known.most)
            }
            Kind::FlipCommitment => answer.commitment = self.flip(&answer.commitment),
            Kind::ClaimForCommitment => {
                answer.commitment = log.entries[self.in_(log.entries.len())?].clone()
            }
            Kind::OtherMapping => {
                let mut commitment = log.commitment(known.size).to_wire();
                commitment.mapping_version += 1;
                answer.commitment = entry::encode(1_000 + known.size - 1, commitment).unwrap();
            }
            _ => return None,
        }
        Some(())
    }

    /// A published size before the one that is asked about, or that one if there is none.
    fn older(&self, known: &Known<'_>) -> u64 {
        let older: Vec<_> = known
            .log
            .sizes()
            .into_iter()
            .filter(|size| *size < known.size)
            .collect();
        self.in_(older.len()).map_or(known.size, |at| older[at])
    }

    fn label(&self, known: &Known<'_>) -> Label {
        let labels = known.log.labels();
        labels[self.to.index(labels.len())]
    }

    fn other(&self, known: &Known<'_>) -> Query {
        match known.query {
            Query::Page { label, .. } if self.at.index(2) == 0 => Query::Page {
                label: *label,
                from: self.to.index(4) as u64,
            },
            Query::Page { .. } => Query::Page {
                label: self.label(known),
                from: 0,
            },
            Query::Crowd { by, .. } => {
                let prefix = Prefix::of(&self.label(known), self.at.index(5) as u16);
                Query::crowd(prefix, by.clone())
            }
            Query::Names { .. } => Query::labels(&[self.label(known)]),
            Query::Census(_) => {
                Query::Census(Prefix::of(&self.label(known), self.at.index(5) as u16))
            }
        }
    }

    /// The log that hides one of its claims from its index.
    fn hiding(&self, known: &Known<'_>) -> Log {
        let lists = known.log.answer(known.query, known.size, usize::MAX).lists;
        let listed: Vec<_> = lists.into_iter().flat_map(|list| list.leaves).collect();
        Log::hiding(
            known.steps,
            Some(self.in_(listed.len()).map_or(1, |at| listed[at].get())),
        )
    }
}

fn whole(known: &Known<'_>) -> Bytes {
    known.log.cut(&Query::Census(Prefix::EMPTY), known.size)
}
