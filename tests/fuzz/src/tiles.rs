//! Tiles, their paths, bundles, uploads to mirrors, and records of a witness.

use crate::target::Target;
use crate::world::{HISTORY, NOW_S, ORIGIN};
use assay_tlog::Hash;
use assay_tlog::hash::node_hash;
use assay_tlog::mirror::{Package, UploadHeader};
use assay_tlog::tree::tile::TILE_WIDTH;
use assay_tlog::tree::{Resource, Tile, TileIndex, TilePath, TreeSize, bundle};
use assay_tlog::witness::LogState;
use base64::prelude::{BASE64_STANDARD, Engine};

pub fn targets() -> Vec<Target> {
    let mut entries = Vec::new();
    for entry in &HISTORY.entries {
        bundle::push(&mut entries, entry).unwrap();
    }
    let hashes = |count: u8| -> Vec<u8> {
        let each = (0..count).flat_map(|one| *Hash::of(&[one]).as_bytes());
        each.collect()
    };
    let paths = [
        "tile/0/x001/x234/067.p/12",
        "tile/entries/000",
        "tile/63/x018/x446/x744/x073/x709/x551/615",
    ];
    vec![
        Target::of_text("tile-path", tile_path).with(paths),
        Target::new("tile", tile).with([hashes(1), hashes(7), hashes(255)]),
        Target::new("bundle", entry_bundle).with([entries]),
        Target::new("mirror-upload", upload).with([an_upload()]),
        Target::new("witness-state", witness_state).with(states()),
    ]
}

/// The hash that a line of base64 stands for.
pub fn hash_of_base64(line: &str) -> Hash {
    Hash::from_slice(&BASE64_STANDARD.decode(line).unwrap()).unwrap()
}

/// A path has one spelling, and can be made of its parts.
fn tile_path(text: &str) -> bool {
    let Ok(path) = TilePath::parse(text) else {
        return false;
    };
    assert_eq!(path.to_path(), text);
    assert_eq!(TilePath::new(path.resource(), path.width()), Ok(path));
    if let Resource::Tile(TileIndex { level, .. }) = path.resource() {
        assert!(level <= 63);
    }
    true
}

/// A tile is its hashes, and each of its inner nodes the hash of the two below it.
fn tile(bytes: &[u8]) -> bool {
    let Ok(tile) = Tile::parse(bytes) else {
        return false;
    };
    assert_eq!(tile.to_bytes(), bytes);
    assert!((1..=TILE_WIDTH).contains(&tile.width()));
    for height in 1..=8 {
        for at in 0..TILE_WIDTH {
            let below = [2 * at, 2 * at + 1].map(|at| tile.node(height - 1, at));
            let whole = match below {
                [Some(left), Some(right)] => Some(node_hash(&left, &right)),
                _ => None,
            };
            assert_eq!(tile.node(height, at), whole, "{at} at height {height}");
        }
    }
    true
}

/// A bundle is its entries.
fn entry_bundle(bytes: &[u8]) -> bool {
    let Ok(entries) = bundle::entries(bytes).collect::<Result<Vec<_>, _>>() else {
        return false;
    };
    assert!(entries.len() <= TILE_WIDTH);
    let mut written = Vec::new();
    for entry in entries {
        bundle::push(&mut written, entry).unwrap();
    }
    assert_eq!(written, bytes);
    true
}

fn an_upload() -> Vec<u8> {
    let header = UploadHeader::new(ORIGIN, 254..258, b"ticket").unwrap();
    let mut bytes = header.to_bytes();
    for count in [2, 2] {
        let mut entries = Vec::new();
        for entry in &HISTORY.entries[..count] {
            bundle::push(&mut entries, entry).unwrap();
        }
        bytes.extend(
            Package::new(entries, vec![Hash::of(b"x")])
                .unwrap()
                .to_bytes(),
        );
    }
    bytes
}

/// An upload is written as it is read, and what is not whole yet is waited for. Accepted is one
/// that is whole with its first two packages.
fn upload(bytes: &[u8]) -> bool {
    let Ok(Some((header, length))) = UploadHeader::read(bytes) else {
        return false;
    };
    assert_eq!(header.to_bytes(), bytes[..length]);
    for cut in [0, 1, length / 2, length - 1] {
        assert_eq!(UploadHeader::read(&bytes[..cut]), Ok(None), "cut at {cut}");
    }
    if let Some(origin) = UploadHeader::read_origin(bytes).expect("the origin has come") {
        assert_eq!(header.origin(), Some(origin));
    }
    let mut at = length;
    let mut next = header.range().start;
    for i in 0..2 {
        let Some(range) = header.package(i) else {
            assert_eq!(next, header.range().end, "packages are missing");
            return true;
        };
        assert_eq!(range.start, next);
        next = range.end;
        let count = range.end - range.start;
        assert!((1..=TILE_WIDTH as u64).contains(&count) && next <= header.range().end);
        let Ok(Some((package, length))) = Package::read(&bytes[at..], count) else {
            return false;
        };
        assert_eq!(package.to_bytes(), bytes[at..at + length]);
        let before_the_last = &bytes[at..at + length - 1];
        assert_eq!(Package::read(before_the_last, count), Ok(None));
        at += length;
    }
    true
}

fn states() -> Vec<Vec<u8>> {
    let (size, root) = (TreeSize::new(7), Hash::of(b"root"));
    let states = [
        LogState::Pinned { size, root },
        LogState::Held {
            size,
            root,
            at: NOW_S,
        },
    ];
    states
        .map(|state| state.record(ORIGIN).unwrap().to_vec())
        .into()
}

/// A record has one spelling, and is of one log.
fn witness_state(bytes: &[u8]) -> bool {
    let Ok(state) = LogState::from_record(ORIGIN, bytes) else {
        return false;
    };
    assert_eq!(state.record(ORIGIN).unwrap()[..], *bytes);
    assert!(LogState::from_record("log.example/b", bytes).is_err());
    true
}
