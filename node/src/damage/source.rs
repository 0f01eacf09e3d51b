//! The entries that a log signed, from its own store, and from mirrors of the log where that is
//! damaged. Each is checked against the signed root, so that neither need be trusted.

use crate::audit::Copied;
use crate::mirror::site::{FetchError, Site};
use crate::reason::with_causes;
use crate::records::{self, readable};
use crate::storage::{Reads as _, StorageError, Table};
use crate::view::read_tile_bytes;
use assay_tlog::Hash;
use assay_tlog::hash::leaf_hash;
use assay_tlog::head::VerifiedHead;
use assay_tlog::mirror::{VerifiedBundle, VerifiedTree};
use assay_tlog::tree::bundle::{self, BUNDLE_BYTES};
use assay_tlog::tree::tile::{TILE_HEIGHT, TILE_WIDTH};
use assay_tlog::tree::{LeafIndex, Resource, Tile, TileIndex, TreeSize};
use std::fmt;
use tokio::runtime::Runtime;

/// What of a log is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The tiles on the right edge of the tree.
    Edge,
    /// A tile.
    Tile(TileIndex),
    /// A bundle of entries.
    Bundle(u64),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Edge => f.write_str("the right edge of the tree"),
            Place::Tile(at) => write!(f, "tile {} of level {}", at.index, at.level),
            Place::Bundle(index) => {
                let first = index * records::WIDTH;
                write!(f, "entries {first} to {}", first + records::WIDTH - 1)
            }
        }
    }
}

/// From where something comes that is damaged in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mended {
    /// It follows from what else is stored.
    Computed,
    /// A mirror of the log at this address has it.
    Mirror(String),
    /// Nobody has it.
    Lost,
}

/// Something that is damaged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// What.
    pub place: Place,
    /// From where it can be had.
    pub mended: Mended,
}

/// The signed tree of a log, and who may have its entries.
pub struct Source {
    /// The store of the node, if it can be opened.
    old: Option<Copied>,
    mirrors: Vec<Site>,
    runtime: Runtime,
    tree: VerifiedTree,
    faults: Vec<Fault>,
}

/// Mirrors, and how they are asked by a thread that waits.
pub struct Mirrors {
    /// Where they publish the log.
    pub sites: Vec<Site>,
    /// On which they are asked.
    pub runtime: Runtime,
}

impl Mirrors {
    /// Nobody.
    pub fn none() -> std::io::Result<Self> {
        Mirrors::at(Vec::new())
    }

    /// Those who publish the log there.
    pub fn at(sites: Vec<Site>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_all().build()?;
        Ok(Mirrors { sites, runtime })
    }
}

impl Source {
    /// The tree of a signed head. Returns `None` if nobody has the tiles on its right edge. Fails
    /// if the store cannot be read for another reason than damage.
    pub fn open(
        head: VerifiedHead,
        old: Option<Copied>,
        mirrors: Mirrors,
    ) -> Result<Option<Self>, StorageError> {
        let Mirrors { sites, runtime } = mirrors;
        let mut faults = Vec::new();
        let mut tree = tree_of(&head, stored_tile, old.as_ref())?;
        if tree.is_none() {
            tree = tree_of(&head, computed_tile, old.as_ref())?;
            let mended = if tree.is_some() {
                Mended::Computed
            } else {
                let mended;
                (tree, mended) = fetched_tree(&head, &sites, &runtime);
                mended
            };
            let place = Place::Edge;
            faults.push(Fault { place, mended });
        }
        Ok(tree.map(|tree| Source {
            old,
            mirrors: sites,
            runtime,
            tree,
            faults,
        }))
    }

    /// What was found to be damaged since the last call.
    pub fn take_faults(&mut self) -> Vec<Fault> {
        std::mem::take(&mut self.faults)
    }

    /// The store of the node, if it can be opened.
    pub(super) fn old(&self) -> Option<&Copied> {
        self.old.as_ref()
    }

    /// The signed size.
    pub fn size(&self) -> TreeSize {
        self.tree.size()
    }

    /// The signed root.
    pub fn root(&self) -> Hash {
        self.tree.head().root()
    }

    /// How many bundles the signed tree has.
    pub fn bundles(&self) -> u64 {
        self.tree.size().get().div_ceil(records::WIDTH)
    }

    /// Returns a bundle of the signed tree, or `None` if nobody has it. Fails if the store cannot
    /// be read for another reason than damage.
    pub fn bundle(&mut self, index: u64) -> Result<Option<VerifiedBundle>, StorageError> {
        self.tree
            .forget_before(LeafIndex::new(index * records::WIDTH));
        while let Some(at) = self.tree.wanted(index..index + 1).first().copied() {
            if !self.add_tile(at)? {
                return Ok(None);
            }
        }
        let width = TileIndex { level: 0, index }.width_at(self.tree.size());
        let stored = match &self.old {
            None => None,
            Some(old) => readable(records::read_bundle(old, index, u64::from(width)))?,
        };
        let stored = stored.and_then(|bytes| self.tree.bundle(index, bytes.into()).ok());
        if let Some(bundle) = stored {
            self.compare_leaves(&bundle)?;
            return Ok(Some(bundle));
        }
        let place = Place::Bundle(index);
        let fetched = self.ask(|site, runtime, tree| {
            let bytes = runtime.block_on(site.bundle(index, width, BUNDLE_BYTES))?;
            Ok(tree.bundle(index, bytes).ok())
        });
        Ok(self.note(place, fetched))
    }

    /// Says whether the tile with the leaf hashes of a bundle is stored as it should be.
    fn compare_leaves(&mut self, bundle: &VerifiedBundle) -> Result<(), StorageError> {
        let Some(old) = &self.old else { return Ok(()) };
        let at = TileIndex {
            level: 0,
            index: bundle.index(),
        };
        let stored = readable(read_tile_bytes(old, at, self.tree.size()))?;
        let right = bundle.hashes().iter().flat_map(|hash| *hash.as_bytes());
        let length = bundle.hashes().len() * Hash::LEN;
        if !stored.is_some_and(|bytes| bytes[..length].iter().copied().eq(right)) {
            self.faults.push(Fault {
                place: Place::Tile(at),
                mended: Mended::Computed,
            });
        }
        Ok(())
    }

    /// Adds a full tile to the tree, if somebody has it.
    fn add_tile(&mut self, at: TileIndex) -> Result<bool, StorageError> {
        let stored = match &self.old {
            None => None,
            Some(old) => stored_tile(old, at, TILE_WIDTH)?,
        };
        if stored.is_some_and(|tile| self.tree.add(at, tile).is_ok()) {
            return Ok(true);
        }
        let computed = match &self.old {
            None => None,
            Some(old) => computed_tile(old, at, TILE_WIDTH)?,
        };
        let place = Place::Tile(at);
        if computed.is_some_and(|tile| self.tree.add(at, tile).is_ok()) {
            self.faults.push(Fault {
                place,
                mended: Mended::Computed,
            });
            return Ok(true);
        }
        let fetched = self.ask(|site, runtime, tree| {
            let tile = runtime.block_on(site.tile(at, TILE_WIDTH as u16))?;
            Ok(tree.add(at, tile).ok())
        });
        Ok(self.note(place, fetched).is_some())
    }

    /// The first answer of a mirror that is right, with the mirror's address.
    fn ask<T>(
        &mut self,
        ask: impl Fn(&Site, &Runtime, &mut VerifiedTree) -> Result<Option<T>, FetchError>,
    ) -> Option<(T, String)> {
        for site in &self.mirrors {
            match ask(site, &self.runtime, &mut self.tree) {
                Ok(Some(answer)) => return Some((answer, site.url().to_owned())),
                Ok(None) => tracing::warn!(url = site.url(), "what a mirror has is not the log's"),
                Err(error) => {
                    let reason = with_causes(&error);
                    tracing::warn!(url = site.url(), reason, "a mirror does not have it");
                }
            }
        }
        None
    }

    fn note<T>(&mut self, place: Place, fetched: Option<(T, String)>) -> Option<T> {
        let (answer, mended) = match fetched {
            Some((answer, url)) => (Some(answer), Mended::Mirror(url)),
            None => (None, Mended::Lost),
        };
        self.faults.push(Fault { place, mended });
        answer
    }
}

fn stored_tile(old: &Copied, at: TileIndex, width: usize) -> Result<Option<Tile>, StorageError> {
    let row = old.get(Table::Tiles, &records::tile_key(at));
    let bytes = readable(row)?.flatten();
    let bytes = bytes.filter(|bytes| bytes.len() >= width * Hash::LEN);
    Ok(bytes.and_then(|bytes| Tile::parse(&bytes[..width * Hash::LEN]).ok()))
}

/// A tile from those below it, or from the entries.
fn computed_tile(old: &Copied, at: TileIndex, width: usize) -> Result<Option<Tile>, StorageError> {
    let mut hashes = Vec::with_capacity(width);
    if at.level == 0 {
        let Some(bytes) = readable(records::read_bundle(old, at.index, width as u64))? else {
            return Ok(None);
        };
        hashes.extend(bundle::entries(&bytes).flatten().map(leaf_hash));
    } else {
        for place in 0..width as u64 {
            let below = TileIndex {
                level: at.level - 1,
                index: at.index * TILE_WIDTH as u64 + place,
            };
            let tile = match stored_tile(old, below, TILE_WIDTH)? {
                Some(tile) => Some(tile),
                None => computed_tile(old, below, TILE_WIDTH)?,
            };
            let Some(root) = tile.and_then(|tile| tile.node(TILE_HEIGHT, 0)) else {
                return Ok(None);
            };
            hashes.push(root);
        }
    }
    Ok(Tile::from_hashes(hashes).ok())
}

/// How a tile of so many hashes is read.
type ReadTile = fn(&Copied, TileIndex, usize) -> Result<Option<Tile>, StorageError>;

/// The tree of a head, if the tiles on its right edge can be read like that, and are right.
fn tree_of(
    head: &VerifiedHead,
    read: ReadTile,
    old: Option<&Copied>,
) -> Result<Option<VerifiedTree>, StorageError> {
    let Some(old) = old else { return Ok(None) };
    let mut edge = Vec::new();
    for path in VerifiedTree::edge(head.size()) {
        if let Resource::Tile(at) = path.resource() {
            match read(old, at, usize::from(path.width()))? {
                Some(tile) => edge.push(tile),
                None => return Ok(None),
            }
        }
    }
    Ok(VerifiedTree::new(head.clone(), edge).ok())
}

fn fetched_tree(
    head: &VerifiedHead,
    mirrors: &[Site],
    runtime: &Runtime,
) -> (Option<VerifiedTree>, Mended) {
    for site in mirrors {
        let edge = runtime.block_on(site.edge(head.size()));
        match edge.map(|edge| VerifiedTree::new(head.clone(), edge)) {
            Ok(Ok(tree)) => return (Some(tree), Mended::Mirror(site.url().to_owned())),
            Ok(Err(_)) => tracing::warn!(url = site.url(), "what a mirror has is not the log's"),
            Err(error) => {
                let reason = with_causes(&error);
                tracing::warn!(url = site.url(), reason, "a mirror does not have the tree");
            }
        }
    }
    (None, Mended::Lost)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Batch, Tables as _, memory::Memory};
    use assay_tlog::checkpoint::Checkpoint;
    use assay_tlog::head::LogVerifier;
    use assay_tlog::note::SignerKey;
    use assay_tlog::tree::Frontier;
    use std::sync::Arc;

    const ORIGIN: &str = "log.example/a";

    /// It is asked for once, and not until somebody has it.
    #[test]
    fn what_is_below_a_tile_that_nobody_has_is_lost() {
        let mut tree = Frontier::new();
        let tiles = tree.append(&vec![leaf_hash(b"entry"); TILE_WIDTH * TILE_WIDTH + 1]);
        let edge = VerifiedTree::edge(tree.size());
        let edge: Vec<Resource> = edge.iter().map(|path| path.resource()).collect();
        let mut batch = Batch::new();
        for (tile, hashes) in tiles {
            if edge.contains(&Resource::Tile(tile)) {
                let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
                batch.put(Table::Tiles, records::tile_key(tile), bytes);
            }
        }
        let old = Copied::all(Arc::new(Memory::new()));
        old.commit(batch).unwrap();
        let key = SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap();
        let log = LogVerifier::new(ORIGIN, vec![key.verifier()]).unwrap();
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size: tree.size(),
            root: tree.root(),
        };
        let head = log.verify(&checkpoint.sign(&key)).unwrap();
        let source = Source::open(head, Some(old), Mirrors::none().unwrap()).unwrap();
        let mut source = source.unwrap();
        assert_eq!(source.take_faults(), []);
        assert!(source.bundle(0).unwrap().is_none());
        let fault = Fault {
            place: Place::Tile(TileIndex { level: 1, index: 0 }),
            mended: Mended::Lost,
        };
        assert_eq!(source.take_faults(), [fault]);
    }
}
