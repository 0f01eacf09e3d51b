//! A log, with as many histories as one likes.

use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::gossip::{Answer, Question};
use assay_tlog::hash::leaf_hash;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{self, Frontier, Tile, TileIndex, TileReader, TreeSize};
use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::Arc;

/// One history: the roots and tiles of all its sizes.
#[derive(Debug)]
pub struct Branch {
    roots: Vec<Hash>,
    tiles: HashMap<TileIndex, Arc<Tile>>,
}

impl TileReader for Branch {
    type Error = Infallible;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
        Ok(wanted.iter().map(|at| self.tiles[at].clone()).collect())
    }
}

impl Branch {
    /// A history of `size` leaves whose leaves from `same` on are called by `name`.
    fn new(size: usize, same: usize, name: &str) -> Self {
        let mut frontier = Frontier::new();
        let (mut roots, mut tiles) = (vec![frontier.root()], HashMap::new());
        for at in 0..size {
            let name = if at < same { "" } else { name };
            for (index, hashes) in frontier.append(&[leaf_hash(format!("{name}{at}").as_bytes())]) {
                tiles.insert(index, Arc::new(Tile::from_hashes(hashes).unwrap()));
            }
            roots.push(frontier.root());
        }
        Branch { roots, tiles }
    }

    /// Whether the larger head of a question is of this history.
    pub fn has(&self, head: &VerifiedHead) -> bool {
        let size = usize::try_from(head.size().get()).unwrap();
        self.roots.get(size) == Some(&head.root())
    }

    /// What somebody answers who has the tiles of this history.
    pub fn answer(&self, question: &Question) -> Answer {
        let (old, new) = (question.older().size(), question.newer().size());
        Answer {
            path: tree::prove_consistency(self, old, new).unwrap(),
            root: Some(self.roots[usize::try_from(old.get()).unwrap()]),
        }
    }
}

/// A log with two histories of [`Log::SIZE`] leaves. Heads are signed once.
#[derive(Debug)]
pub struct Log {
    /// Its keys.
    pub verifier: LogVerifier,
    /// What it shows to most.
    pub tree: Branch,
    /// What it shows to others.
    pub fork: Branch,
    heads: [BTreeMap<usize, VerifiedHead>; 2],
}

impl Log {
    /// Leaves of either history.
    pub const SIZE: usize = 64;
    /// Leaves that both have in common.
    pub const SAME: usize = 20;

    /// The log with this origin, and heads of these sizes of both histories.
    pub fn new(origin: &str, sizes: &[usize]) -> Self {
        let key = SignerKey::from_seed(origin, &[1; 32]).unwrap();
        let verifier = LogVerifier::new(origin, vec![key.verifier()]).unwrap();
        let tree = Branch::new(Self::SIZE, Self::SIZE, "");
        let fork = Branch::new(Self::SIZE, Self::SAME, "other ");
        let heads = [&tree, &fork].map(|branch| {
            let heads = sizes.iter().map(|size| {
                let checkpoint = Checkpoint {
                    origin: origin.to_owned(),
                    size: TreeSize::new(*size as u64),
                    root: branch.roots[*size],
                };
                (*size, verifier.verify(&checkpoint.sign(&key)).unwrap())
            });
            heads.collect()
        });
        Log {
            verifier,
            tree,
            fork,
            heads,
        }
    }

    /// What it signed of one of its histories.
    pub fn head(&self, forked: bool, size: usize) -> &VerifiedHead {
        &self.heads[usize::from(forked)][&size]
    }
}
