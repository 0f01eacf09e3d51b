//! Multiproofs: that several leaves are in a tree, also in trees larger than any log will be.

use super::{hash, table_with_bad};
use assay_claims::index::range;
use assay_tlog::Hash;
use assay_tlog::hash::leaf_hash;
use assay_tlog::tree::{
    Frontier, LeafIndex, Tile, TileIndex, TileReader, TreeSize, prove_multiproof, root,
    verify_multiproof,
};
use serde::Deserialize;
use std::{collections::HashMap, convert::Infallible, sync::Arc};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    size: u64,
    #[serde(deserialize_with = "hash")]
    root: Hash,
    leaves: Vec<Leaf>,
    proof: Vec<ProofHash>,
    plain: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Bad {
    name: String,
    size: u64,
    #[serde(deserialize_with = "hash")]
    root: Hash,
    leaves: Vec<Leaf>,
    proof: Vec<ProofHash>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Leaf {
    index: u64,
    #[serde(deserialize_with = "hash")]
    leaf_hash: Hash,
}

#[derive(Deserialize)]
pub struct ProofHash(#[serde(deserialize_with = "hash")] pub Hash);

fn leaves(leaves: &[Leaf]) -> Vec<(LeafIndex, Hash)> {
    leaves
        .iter()
        .map(|leaf| (LeafIndex::new(leaf.index), leaf.leaf_hash))
        .collect()
}

pub fn hashes(proof: &[ProofHash]) -> Vec<Hash> {
    proof.iter().map(|hash| hash.0).collect()
}

/// A tree in memory.
pub struct Tiles(HashMap<TileIndex, Arc<Tile>>);

impl Tiles {
    pub fn of(leaves: &[Hash]) -> Self {
        let tiles = Frontier::new().append(leaves).into_iter();
        Tiles(
            tiles
                .map(|(index, hashes)| (index, Arc::new(Tile::from_hashes(hashes).unwrap())))
                .collect(),
        )
    }
}

impl TileReader for Tiles {
    type Error = Infallible;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
        Ok(wanted.iter().map(|index| self.0[index].clone()).collect())
    }
}

#[test]
fn multiproofs_hold_are_made_to_the_byte_and_bad_ones_are_refused() {
    let (cases, bad) = table_with_bad::<Case, Bad>("multiproofs");
    let mut made = 0;
    for case in cases {
        let (name, size) = (&case.name, TreeSize::new(case.size));
        let (targets, proof) = (leaves(&case.leaves), hashes(&case.proof));
        assert_eq!(
            verify_multiproof(&targets, size, &proof, &case.root),
            Ok(()),
            "{name}"
        );
        if !case.plain {
            continue;
        }
        let data: Vec<Hash> = (0..case.size)
            .map(|leaf| leaf_hash(leaf.to_string().as_bytes()))
            .collect();
        let tree = Tiles::of(&data);
        assert_eq!(root(&tree, size).unwrap(), case.root, "{name}");
        assert!(
            targets
                .iter()
                .all(|(index, hash)| data[index.get() as usize] == *hash),
            "{name}"
        );
        let indices: Vec<LeafIndex> = targets.iter().map(|(index, _)| *index).collect();
        assert_eq!(
            prove_multiproof(&tree, &indices, size).unwrap(),
            proof,
            "{name}"
        );
        made += 1;
    }
    assert!(made > 0 && !bad.is_empty());
    for Bad {
        name,
        size,
        root,
        leaves: targets,
        proof,
        reason,
    } in bad
    {
        let verified = verify_multiproof(
            &leaves(&targets),
            TreeSize::new(size),
            &hashes(&proof),
            &root,
        );
        assert!(verified.is_err(), "{name}: it was taken, although {reason}");
    }
}

/// A page of a list. If it is plain, the index at each position i of the list is 3i + 1.
#[derive(Deserialize)]
struct Range {
    name: String,
    length: u64,
    #[serde(deserialize_with = "hash")]
    root: Hash,
    from: u64,
    indices: Vec<u64>,
    proof: Vec<ProofHash>,
    #[serde(default)]
    plain: bool,
}

impl Range {
    fn holds(&self) -> bool {
        let page: Vec<LeafIndex> = self.indices.iter().copied().map(LeafIndex::new).collect();
        let proof = hashes(&self.proof);
        range::verify(&page, self.from, self.length, &proof, &self.root).is_ok()
    }
}

#[test]
fn range_proofs_hold_are_made_to_the_byte_and_bad_ones_are_refused() {
    let (cases, bad) = table_with_bad::<Range, Range>("ranges");
    assert!(cases.iter().any(|case| case.plain) && !bad.is_empty());
    for case in cases {
        assert!(case.holds(), "{}", case.name);
        if case.plain {
            let list: Vec<_> = (0..case.length)
                .map(|at| LeafIndex::new(3 * at + 1))
                .collect();
            let page = case.from..case.from + case.indices.len() as u64;
            let proof = range::prove_page(&list, page);
            assert_eq!(proof, hashes(&case.proof), "{}", case.name);
        }
    }
    for case in bad {
        assert!(!case.holds(), "{} was taken", case.name);
    }
}
