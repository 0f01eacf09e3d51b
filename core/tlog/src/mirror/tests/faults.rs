//! A source that serves anything else than the tree is refused, and nothing is kept of it.

use super::*;

/// Calls `check` with the bytes, one bit of them changed, for each bit.
fn each_bit_flipped(bytes: &[u8], mut check: impl FnMut(Vec<u8>)) {
    for bit in 0..8 * bytes.len() {
        let mut wrong = bytes.to_vec();
        wrong[bit / 8] ^= 1 << (bit % 8);
        check(wrong);
    }
}

/// The tiles of an edge.
fn edge(source: &Source, size: usize) -> Vec<Tile> {
    source.edge(TreeSize::new(size as u64))
}

#[test]
fn every_flipped_bit_of_an_edge_is_refused() {
    for size in [1, 2, 3, 255, 256, 257, 300, 600] {
        let source = Source::new(size);
        let head = source.head(size);
        let right = edge(&source, size);
        for at in 0..right.len() {
            each_bit_flipped(&right[at].to_bytes(), |bytes| {
                let mut wrong = right.clone();
                wrong[at] = Tile::parse(&bytes).unwrap();
                let refused = VerifiedTree::new(head.clone(), wrong);
                let size = head.size();
                assert_eq!(refused.err(), Some(SourceFault::Edge { size }));
            });
        }
    }
}

#[test]
fn every_flipped_bit_of_every_bundle_is_refused() {
    let source = Source::new(300);
    let tree = source.tree(300);
    for index in 0..2 {
        each_bit_flipped(&source.bundle(index), |bytes| {
            assert!(tree.bundle(index, bytes).is_err());
        });
    }
    // A full bundle that is the tree's so far: a bit of its later entries is not looked at, and
    // not kept.
    let grown = Source::new(512);
    let right = tree.bundle(1, grown.bundle(1)).unwrap();
    let length = right.bytes().len();
    assert_eq!(right.bytes(), source.bundle(1));
    each_bit_flipped(&grown.bundle(1), |bytes| {
        if let Ok(bundle) = tree.bundle(1, bytes.clone()) {
            assert_eq!(bundle, right);
            assert_ne!(bytes[length..], grown.bundle(1)[length..]);
        }
    });
}

#[test]
fn a_flipped_bit_in_each_byte_of_a_full_tile_is_refused() {
    let source = Source::new(65_600);
    let mut tree = source.tree(65_600);
    let upper = TileIndex { level: 1, index: 0 };
    let leaves = TileIndex { level: 0, index: 9 };
    for at in [upper, leaves] {
        let bytes = source.tile(at).to_bytes();
        for byte in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[byte] ^= 1 << (byte % 7);
            let refused = tree.add(at, Tile::parse(&wrong).unwrap());
            assert_eq!(refused, Err(SourceFault::Tile { tile: at }));
        }
        tree.add(at, source.tile(at)).unwrap();
    }
}

#[test]
fn what_is_not_in_the_tree_or_cannot_be_checked_yet_is_refused() {
    let source = Source::new(65_600);
    let mut tree = source.tree(65_600);
    for (level, index) in [(0, 9), (0, 256), (0, 300), (1, 1), (2, 0), (3, 0), (1, 7)] {
        let tile = TileIndex { level, index };
        let refused = tree.add(tile, source.tile(TileIndex { level: 0, index: 9 }));
        assert_eq!(refused, Err(SourceFault::Unasked { tile }));
    }
    let unasked = |index| SourceFault::Unasked {
        tile: TileIndex { level: 0, index },
    };
    assert_eq!(tree.bundle(9, source.bundle(9)), Err(unasked(9)));
    assert_eq!(tree.bundle(257, vec![]), Err(unasked(257)));
    assert!(tree.bundle(256, source.bundle(256)).is_ok());
    // No tile is above it.
    let tile = TileIndex {
        level: u8::MAX,
        index: 0,
    };
    let refused = tree.add(tile, source.tile(TileIndex { level: 0, index: 9 }));
    assert_eq!(refused, Err(SourceFault::Unasked { tile }));
    let narrow = Tile::from_hashes(vec![Hash::of(b""); 255]).unwrap();
    let tile = TileIndex { level: 1, index: 0 };
    let (want, got) = (256, 255);
    assert_eq!(
        tree.add(tile, narrow),
        Err(SourceFault::Narrow { tile, want, got })
    );
}

#[test]
fn another_number_of_tiles_or_entries_is_refused() {
    let source = Source::new(300);
    let (head, right) = (source.head(300), edge(&source, 300));
    let size = head.size();
    for got in [0, 1, 3] {
        let tiles = right.iter().cycle().take(got).cloned().collect();
        let refused = VerifiedTree::new(head.clone(), tiles).err();
        let want = 2;
        assert_eq!(refused, Some(SourceFault::EdgeTiles { size, want, got }));
    }
    let narrow = vec![
        edge(&Source::new(299), 299).swap_remove(0),
        right[1].clone(),
    ];
    let refused = VerifiedTree::new(head, narrow).err();
    let tile = TileIndex { level: 0, index: 1 };
    let (want, got) = (44, 43);
    assert_eq!(refused, Some(SourceFault::Narrow { tile, want, got }));

    let tree = source.tree(300);
    for count in [0, 1, 43, 45, 255] {
        let bytes = Source::new(256 + count).bundle(1);
        let fault = SourceFault::Entries {
            index: 1,
            want: 44,
            got: count,
        };
        assert_eq!(tree.bundle(1, bytes), Err(fault));
    }
    let bytes = source.bundle(1);
    for end in 1..bytes.len() {
        assert!(
            tree.bundle(1, bytes[..end].to_vec()).is_err(),
            "cut at {end}"
        );
    }
    let mut more = Source::new(512).bundle(1);
    bundle::push(&mut more, b"").unwrap();
    let refused = tree.bundle(1, more);
    assert!(matches!(
        refused,
        Err(SourceFault::Malformed { index: 1, .. })
    ));
    // The other bundle's entries, which are the log's, too.
    assert_eq!(
        tree.bundle(1, source.bundle(0)),
        Err(SourceFault::Bundle { index: 1 })
    );
}

/// A head that another key signed, or whose tree the source does not have.
#[test]
fn a_head_needs_its_own_tiles() {
    let source = Source::new(300);
    let wrong = sign(300, Hash::of(b"another tree"));
    let size = wrong.size();
    let refused = VerifiedTree::new(wrong, edge(&source, 300));
    assert_eq!(refused.err(), Some(SourceFault::Edge { size }));
    let empty = sign(0, crate::hash::empty_root());
    assert!(VerifiedTree::new(empty, vec![]).is_ok());
}

#[test]
fn a_bundle_beyond_the_tree_is_of_no_use_to_it() {
    let (source, tree) = (Source::new(600), Source::new(300).tree(300));
    for (index, bytes) in [(2, Vec::new()), (2, source.bundle(2)), (9, Vec::new())] {
        let tile = TileIndex { level: 0, index };
        let refused = tree.bundle(index, bytes).unwrap_err();
        assert_eq!(refused, SourceFault::Unasked { tile });
    }
}
