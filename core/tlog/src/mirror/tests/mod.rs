//! A log in memory, what its source serves, and what a mirror stores of it.

mod copies;
mod faults;
mod forks;
mod uploads;

use super::*;
use crate::checkpoint::Checkpoint;
use crate::hash::Hash;
use crate::head::{LogVerifier, VerifiedHead};
use crate::note::SignerKey;
use crate::tree::naive::{self, Grown};
use crate::tree::{Resource, Tile, TileIndex, TreeSize, bundle};
use std::collections::HashMap;
use std::sync::Arc;

const ORIGIN: &str = "log.example/a";

fn key() -> SignerKey {
    SignerKey::from_seed(ORIGIN, &[7; 32]).unwrap()
}

fn sign(size: usize, root: Hash) -> VerifiedHead {
    let log = LogVerifier::new(ORIGIN, vec![key().verifier()]).unwrap();
    let checkpoint = Checkpoint {
        origin: ORIGIN.to_owned(),
        size: TreeSize::new(size as u64),
        root,
    };
    log.verify(&checkpoint.sign(&key())).unwrap()
}

/// A log whose entry i is i in decimal, or something else from some entry on.
struct Source {
    entries: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
    tiles: HashMap<TileIndex, Vec<Hash>>,
}

impl Source {
    fn new(size: usize) -> Self {
        Source::forked(size, size)
    }

    /// A log that says something else from entry `from` on.
    fn forked(size: usize, from: usize) -> Self {
        let mut entries = Vec::with_capacity(size);
        for i in 0..size {
            let said = if i < from { "" } else { "not " };
            entries.push(format!("{said}{i}").into_bytes());
        }
        let leaves: Vec<Hash> = entries.iter().map(|e| crate::hash::leaf_hash(e)).collect();
        let tiles = naive::tiles(&leaves);
        Source {
            entries,
            leaves,
            tiles,
        }
    }

    fn head(&self, size: usize) -> VerifiedHead {
        sign(size, naive::root(&self.leaves[..size]))
    }

    /// A tile as the source has it, which may be wider than in an older tree.
    fn tile(&self, at: TileIndex) -> Tile {
        Tile::from_hashes(self.tiles[&at].clone()).unwrap()
    }

    fn edge(&self, size: TreeSize) -> Vec<Tile> {
        let paths = VerifiedTree::edge(size).into_iter();
        let tiles = paths.map(|path| match path.resource() {
            Resource::Tile(at) => self.tile(at),
            Resource::Entries(_) => panic!("an edge has no entries"),
        });
        tiles.collect()
    }

    fn tree(&self, size: usize) -> VerifiedTree {
        let head = self.head(size);
        let edge = self.edge(head.size());
        VerifiedTree::new(head, edge).unwrap()
    }

    /// A bundle as the source has it.
    fn bundle(&self, index: u64) -> Vec<u8> {
        self.first_of_bundle(index, 256)
    }

    fn first_of_bundle(&self, index: u64, width: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        for entry in self.entries.iter().skip(index as usize * 256).take(width) {
            bundle::push(&mut bytes, entry).unwrap();
        }
        bytes
    }

    /// A bundle of an older tree: as it was, or the full one that it has become.
    fn older_bundle(&self, index: u64, size: TreeSize) -> Vec<u8> {
        let tile = TileIndex { level: 0, index };
        let now = tile.width_at(TreeSize::new(self.entries.len() as u64));
        match now {
            256 => self.bundle(index),
            _ => self.first_of_bundle(index, tile.width_at(size).into()),
        }
    }

    /// Adds the tiles that are asked for.
    fn serve(&self, tree: &mut VerifiedTree, wanted: Vec<TileIndex>) {
        assert!(!wanted.is_empty());
        for at in wanted {
            tree.add(at, self.tile(at)).unwrap();
        }
    }
}

/// What a mirror stored.
#[derive(Clone, Default)]
struct Disk {
    stored: Stored,
    bundles: HashMap<u64, Vec<u8>>,
    tiles: HashMap<TileIndex, Vec<Hash>>,
}

impl Disk {
    fn reader(&self) -> Grown {
        let mut tiles = HashMap::new();
        for (at, hashes) in &self.tiles {
            tiles.insert(*at, Arc::new(Tile::from_hashes(hashes.clone()).unwrap()));
        }
        Grown(tiles)
    }

    fn mirror(&self) -> Mirror {
        Mirror::resume(self.stored.clone(), &self.reader()).unwrap()
    }

    fn write(&mut self, write: Write) {
        self.bundles.insert(write.bundle, write.bytes);
        self.tiles.extend(write.tiles);
        self.stored.entries = write.entries;
    }

    /// Makes a head pending and stores that.
    fn follow(&mut self, mirror: &mut Mirror, source: &Source, tree: &mut VerifiedTree) {
        loop {
            match mirror.follow(tree).unwrap() {
                Followed::Pending => break,
                Followed::Needs(NotYet(wanted)) => source.serve(tree, wanted),
            }
        }
        self.stored.pending = mirror.pending().cloned();
    }

    /// Copies what is missing; after each step, the mirror is what is read back from the disk.
    fn copy(&mut self, source: &Source, tree: &mut VerifiedTree, window: u64) {
        loop {
            let mut mirror = self.mirror();
            let bundles = mirror.window(tree.size(), window);
            if bundles.is_empty() {
                break;
            }
            loop {
                let wanted = tree.wanted(bundles.clone());
                if wanted.is_empty() {
                    break;
                }
                source.serve(tree, wanted);
            }
            for index in bundles {
                let bundle = tree.bundle(index, source.older_bundle(index, tree.size()));
                let bundle = bundle.unwrap();
                assert_eq!(mirror.covered(), None, "before bundle {index}");
                self.write(mirror.append(bundle).unwrap().unwrap());
            }
            tree.forget_before(mirror.entries().next_leaf());
        }
        let mut mirror = self.mirror();
        if let Some(size) = mirror.covered() {
            assert!(mirror.finish(size, &self.reader()).unwrap());
            self.stored.mirrored = mirror.mirrored().cloned();
        }
    }

    /// Checks that the disk has the tree of `size` of this log, and that the mirror may say so.
    fn check(&self, source: &Source, size: usize) {
        let mirror = self.mirror();
        assert_eq!(mirror.mirrored(), Some(&source.head(size)));
        assert_eq!(mirror.entries(), TreeSize::new(size as u64));
        assert_eq!(self.tiles, naive::tiles(&source.leaves[..size]));
        let entries = (0..size.div_ceil(256) as u64).flat_map(|at| {
            let entries = bundle::entries(&self.bundles[&at]);
            entries.map(|e| e.unwrap().to_vec()).collect::<Vec<_>>()
        });
        assert!(entries.eq(source.entries[..size].iter().cloned()));
    }
}
