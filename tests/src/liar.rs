//! What somebody knows who lies well about a log: all of its entries, so that every proof that can
//! be made is made.

use anyhow::Context;
use assay_claims::entry::{self, Entry, wire};
use assay_claims::index::map::{Resident, Serial, Whole};
use assay_claims::index::range::prove_page;
use assay_claims::index::{Label, Map, Query, labels_of_entry};
use assay_claims::limits;
use assay_proto::v1::{self, LabelList};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{
    Frontier, LeafIndex, Tile, TileIndex, TileReader, TreeSize, prove_inclusion, prove_multiproof,
    root,
};
use bytes::Bytes;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io,
    sync::Arc,
};

/// A log with its index, which may leave some leaves out.
#[derive(Clone)]
pub struct Liar {
    /// The log's entries.
    pub entries: Vec<Bytes>,
    tiles: HashMap<TileIndex, Arc<Tile>>,
    /// The index at every size that ends in a commitment.
    maps: BTreeMap<u64, Map<Whole>>,
    lists: BTreeMap<Label, Vec<u64>>,
}

impl TileReader for Liar {
    type Error = io::Error;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> io::Result<Vec<Arc<Tile>>> {
        wanted
            .iter()
            .map(|at| {
                self.tiles
                    .get(at)
                    .cloned()
                    .ok_or_else(|| io::Error::other(format!("no tile {at:?}")))
            })
            .collect()
    }
}

impl Liar {
    /// Knows these entries of a log, and leaves some leaves out of its own index.
    pub fn new(entries: Vec<Bytes>, hidden: &[u64]) -> anyhow::Result<Self> {
        let mut frontier = Frontier::new();
        let hashes: Vec<_> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        let tiles = frontier
            .append(&hashes)
            .into_iter()
            .map(|(at, hashes)| Ok((at, Arc::new(Tile::from_hashes(hashes)?))));
        let tiles = tiles.collect::<anyhow::Result<_>>()?;
        let mut liar = Liar {
            entries,
            tiles,
            maps: BTreeMap::new(),
            lists: BTreeMap::new(),
        };
        let (mut map, mut pending) = (Map::new(), Vec::new());
        for (leaf, bytes) in (0_u64..).zip(liar.entries.clone()) {
            let entry = Entry::parse(bytes)?;
            if let wire::Body::IndexCommitment(_) = entry.body() {
                pending.sort_unstable();
                map = map
                    .update(&pending, TreeSize::new(leaf), &Resident, &Serial)?
                    .map;
                pending
                    .drain(..)
                    .for_each(|(label, leaf): (Label, LeafIndex)| {
                        liar.lists.entry(label).or_default().push(leaf.get())
                    });
                liar.maps.insert(leaf + 1, map.clone());
            } else if !hidden.contains(&leaf) {
                pending.extend(
                    labels_of_entry(&entry)
                        .into_iter()
                        .map(|label| (label, LeafIndex::new(leaf))),
                );
            }
        }
        Ok(liar)
    }

    /// The sizes that end in a commitment, ascending.
    pub fn sizes(&self) -> Vec<u64> {
        self.maps.keys().copied().collect()
    }

    /// Adds a commitment to the index of everything, with another mapping version. Returns the size
    /// that it ends.
    pub fn commit_as(&mut self, mapping_version: u32) -> anyhow::Result<u64> {
        let (_, map) = self
            .maps
            .last_key_value()
            .ok_or_else(|| anyhow::anyhow!("a log begins with a commitment"))?;
        let commitment = wire::IndexCommitment {
            mapping_version,
            ..map.commitment().to_wire()
        };
        let mut entries = std::mem::take(&mut self.entries);
        entries.push(entry::encode(u64::MAX >> 20, commitment)?);
        *self = Liar::new(entries, &[])?;
        Ok(self.entries.len() as u64)
    }

    /// A checkpoint of the log at this size, by another key.
    pub fn checkpoint(&self, size: u64, key: &SignerKey) -> anyhow::Result<String> {
        let size = TreeSize::new(size);
        Ok(Checkpoint {
            origin: key.name().to_owned(),
            size,
            root: root(self, size)?,
        }
        .sign(key))
    }

    /// The proof that these leaves, and the last one, are in the log at this size.
    pub fn inclusion(&self, leaves: &[u64], size: u64) -> anyhow::Result<Bytes> {
        let leaves: BTreeSet<u64> = leaves.iter().copied().chain([size - 1]).collect();
        let leaves: Vec<_> = leaves.into_iter().map(LeafIndex::new).collect();
        let hashes: Vec<Hash> = prove_multiproof(self, &leaves, TreeSize::new(size))?;
        Ok(hashes.iter().flat_map(|hash| *hash.as_bytes()).collect())
    }

    /// The last entry of the log at this size, as it is answered alone.
    pub fn last_entry(
        &self,
        size: u64,
        checkpoint: &str,
    ) -> anyhow::Result<v1::GetEntryAndProofResponse> {
        let leaf = LeafIndex::new(size - 1);
        let path = prove_inclusion(self, leaf, TreeSize::new(size))?;
        Ok(v1::GetEntryAndProofResponse {
            entry: self.entries[size as usize - 1].clone(),
            leaf_index: leaf.get(),
            tree_size: size,
            hashes: path.iter().flat_map(|hash| *hash.as_bytes()).collect(),
            checkpoint: checkpoint.to_owned(),
        })
    }

    /// What this index proves.
    pub fn cut(&self, query: &Query, size: u64) -> anyhow::Result<Bytes> {
        let map = self
            .maps
            .get(&size)
            .ok_or_else(|| anyhow::anyhow!("{size} ends in no commitment"))?;
        let proven = map.prove(query, &Resident)?;
        Ok(proven.cut().into())
    }

    /// The answer of this index at a size, under a checkpoint.
    pub fn answer(&self, query: &Query, size: u64, checkpoint: &str) -> anyhow::Result<v1::Answer> {
        let from = match query {
            Query::Page { from, .. } => Some(*from as usize),
            _ => None,
        };
        let mut lists = Vec::new();
        for (label, list) in &self.lists {
            let list = &list[..list.partition_point(|leaf| *leaf < size)];
            let too_long = from.is_none() && list.len() as u64 > limits::WHOLE_LIST;
            if query.asks_for(label) && !list.is_empty() && !too_long {
                let leaves = list.iter().skip(from.unwrap_or(0)).copied().collect();
                lists.push(LabelList {
                    label: Bytes::copy_from_slice(label.as_bytes()),
                    leaves,
                });
            }
        }
        let answer = v1::Answer {
            checkpoint: checkpoint.to_owned(),
            commitment: self.entries[size as usize - 1].clone(),
            cut: self.cut(query, size)?,
            lists,
            ..v1::Answer::default()
        };
        let answer = self.filled(answer, size)?;
        match from {
            Some(from) => self.placed(answer, from as u64, size),
            None => Ok(answer),
        }
    }

    /// A page of a list with the proof that as many of the list's leaves stand at a position.
    pub fn placed(&self, answer: v1::Answer, from: u64, size: u64) -> anyhow::Result<v1::Answer> {
        let Some(page) = answer.lists.first() else {
            return Ok(answer);
        };
        let label = Label::from_slice(&page.label).context("a label has 32 bytes")?;
        let list = self.lists.get(&label).map_or(&[][..], |list| list);
        let list = list[..list.partition_point(|leaf| *leaf < size)].iter();
        let list: Vec<LeafIndex> = list.copied().map(LeafIndex::new).collect();
        let page = from..from + page.leaves.len() as u64;
        let hashes = prove_page(&list, page);
        Ok(v1::Answer {
            range: hashes.iter().flat_map(|hash| *hash.as_bytes()).collect(),
            ..answer
        })
    }

    /// The answer with the entries that its lists name, and the proof that they are in the log.
    pub fn filled(&self, answer: v1::Answer, size: u64) -> anyhow::Result<v1::Answer> {
        let leaves: BTreeSet<u64> = answer
            .lists
            .iter()
            .flat_map(|list| &list.leaves)
            .copied()
            .collect();
        let leaves: Vec<u64> = leaves.into_iter().collect();
        let entries = leaves
            .iter()
            .map(|leaf| self.entries[*leaf as usize].clone())
            .collect();
        Ok(v1::Answer {
            inclusion: self.inclusion(&leaves, size)?,
            entries,
            leaves,
            ..answer
        })
    }
}
