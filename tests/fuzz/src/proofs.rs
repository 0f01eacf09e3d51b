//! Merkle proofs: one that was changed in any way holds no more.
//!
//! The bytes say which proof of which tree is made, and then how it is changed.

use crate::mutate::Numbers;
use crate::target::Target;
use assay_tlog::Hash;
use assay_tlog::hash::leaf_hash;
use assay_tlog::tree::{
    Frontier, LeafIndex, Tile, TileIndex, TileReader, TreeSize, prove_consistency, prove_inclusion,
    prove_multiproof, root, verify_consistency, verify_inclusion, verify_multiproof,
};
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, LazyLock};

const LEAVES: u64 = 300;

struct Tree(HashMap<TileIndex, Arc<Tile>>);

static TREE: LazyLock<Tree> = LazyLock::new(|| {
    let leaves: Vec<Hash> = (0..LEAVES).map(leaf).collect();
    let mut tiles = HashMap::new();
    for (at, hashes) in Frontier::new().append(&leaves) {
        tiles.insert(at, Arc::new(Tile::from_hashes(hashes).unwrap()));
    }
    Tree(tiles)
});

impl TileReader for Tree {
    type Error = Infallible;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
        Ok(wanted.iter().map(|at| self.0[at].clone()).collect())
    }
}

fn leaf(index: u64) -> Hash {
    leaf_hash(&index.to_be_bytes())
}

pub fn targets() -> Vec<Target> {
    let seeds = [
        &b"\x01\x2c\x00\x07"[..],
        b"\x00\x08\x00\x03",
        b"\x00\xff\x00\xfe\x01\x02\x03",
    ];
    vec![
        Target::new("inclusion", inclusion).with(seeds),
        Target::new("consistency", consistency).with(seeds),
        Target::new("multiproof", multiproof).with(seeds),
    ]
}

/// A size from 1 on, a number below it, and how to change what is made of them.
fn choices(bytes: &[u8]) -> Option<(u64, u64, &[u8])> {
    let (size, rest) = bytes.split_first_chunk()?;
    let (index, rest) = rest.split_first_chunk()?;
    let size = 1 + u64::from(u16::from_be_bytes(*size)) % LEAVES;
    Some((size, u64::from(u16::from_be_bytes(*index)) % size, rest))
}

/// Changes a proof, its numbers and its root, and returns whether they are others than before.
fn change(how: &[u8], proof: &mut Vec<Hash>, numbers: &mut [u64], root: &mut Hash) -> bool {
    let before = (proof.clone(), numbers.to_vec(), *root);
    let mut random = Numbers::new(how.len() as u64);
    for byte in how.iter().take(16) {
        let at = usize::from(*byte >> 3);
        let other = Hash::of(&random.draw().to_be_bytes());
        match byte & 7 {
            0 => proof.truncate(at),
            1 => proof.push(other),
            2 if at < proof.len() => proof[at] = other,
            3 if at < proof.len() => drop(proof.remove(at)),
            4 if at < proof.len() => proof.swap(0, at),
            5 => proof.insert(at.min(proof.len()), other),
            6 if !numbers.is_empty() => {
                let number = at % numbers.len();
                numbers[number] = random.draw() >> (at * 2);
            }
            7 => *root = other,
            _ => {}
        }
    }
    before != (proof.clone(), numbers.to_vec(), *root)
}

fn inclusion(bytes: &[u8]) -> bool {
    let Some((size, index, how)) = choices(bytes) else {
        return false;
    };
    let (tree_size, hash) = (TreeSize::new(size), leaf(index));
    let mut proof = prove_inclusion(&*TREE, LeafIndex::new(index), tree_size).unwrap();
    let mut root = root(&*TREE, tree_size).unwrap();
    let mut shown = [index];
    let changed = change(how, &mut proof, &mut shown, &mut root);
    let outcome = verify_inclusion(&hash, LeafIndex::new(shown[0]), tree_size, &proof, &root);
    assert_eq!(outcome.is_ok(), !changed);
    true
}

fn consistency(bytes: &[u8]) -> bool {
    let Some((size, old, how)) = choices(bytes) else {
        return false;
    };
    let [old, new] = [old.max(1), size].map(TreeSize::new);
    let old_root = root(&*TREE, old).unwrap();
    let mut new_root = root(&*TREE, new).unwrap();
    let mut proof = prove_consistency(&*TREE, old, new).unwrap();
    let changed = change(how, &mut proof, &mut [], &mut new_root);
    let outcome = verify_consistency(old, &old_root, new, &new_root, &proof);
    assert_eq!(outcome.is_ok(), !changed);
    true
}

fn multiproof(bytes: &[u8]) -> bool {
    let Some((size, first, how)) = choices(bytes) else {
        return false;
    };
    let tree_size = TreeSize::new(size);
    let step = 1 + how.first().map_or(0, |byte| u64::from(*byte));
    let indices: Vec<u64> = (first..size).step_by(step as usize).take(20).collect();
    let targets: Vec<_> = indices.iter().copied().map(LeafIndex::new).collect();
    let mut proof = prove_multiproof(&*TREE, &targets, tree_size).unwrap();
    let mut root = root(&*TREE, tree_size).unwrap();
    let (how, mut shown) = (how.get(1..).unwrap_or_default(), indices.clone());
    let changed = change(how, &mut proof, &mut shown, &mut root);
    let leaves: Vec<_> = shown
        .iter()
        .zip(&indices)
        .map(|(at, index)| (LeafIndex::new(*at), leaf(*index)))
        .collect();
    let outcome = verify_multiproof(&leaves, tree_size, &proof, &root);
    assert_eq!(outcome.is_ok(), !changed);
    true
}
