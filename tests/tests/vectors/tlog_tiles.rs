//! Logs of other implementations in the layout of C2SP tlog-tiles: every tile, bundle and
//! checkpoint of them.
//!
//! A log is a folder that has a file `checkpoint`; earlier checkpoints are `checkpoint.<size>`. Its
//! key is one of the `.vkey` files beside it.

use assay_tests::data;
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::tile::Resource;
use assay_tlog::tree::{
    Frontier, LeafIndex, Tile, TileIndex, TilePath, TileReader, TreeSize, bundle,
    prove_consistency, prove_inclusion, root, verify_consistency, verify_inclusion,
};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A log on disk.
pub struct Log {
    checkpoints: Vec<VerifiedCheckpoint>,
    files: BTreeMap<String, PathBuf>,
}

/// Reads a file with one verifier key.
pub fn key(path: &Path) -> VerifierKey {
    VerifierKey::parse(data::read_text(path).trim_end())
        .unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Reads all logs below `folder`.
pub fn logs(folder: &Path) -> Vec<Log> {
    let files = data::files(folder);
    let vkeys = files.iter().filter(|path| {
        path.extension()
            .is_some_and(|extension| extension == "vkey")
    });
    let keys: Vec<VerifierKey> = vkeys.map(|path| key(path)).collect();
    let roots = files
        .iter()
        .filter(|path| path.ends_with("checkpoint"))
        .filter_map(|path| path.parent());
    roots.map(|root| Log::read(root, &keys)).collect()
}

impl Log {
    fn read(root: &Path, keys: &[VerifierKey]) -> Self {
        let (mut checkpoints, mut files) = (Vec::new(), BTreeMap::new());
        for path in data::files(root) {
            if path
                .extension()
                .is_some_and(|extension| extension == "vkey")
            {
                continue;
            }
            let name = path
                .strip_prefix(root)
                .ok()
                .and_then(Path::to_str)
                .expect("a path in UTF-8")
                .to_owned();
            if name == "checkpoint" || name.starts_with("checkpoint.") {
                let note = data::read_text(&path);
                let verified = keys
                    .iter()
                    .find_map(|key| VerifiedCheckpoint::verify(&note, key).ok());
                let verified =
                    verified.unwrap_or_else(|| panic!("{} is signed by no key", path.display()));
                let size = verified.size().to_string();
                assert!(
                    name == "checkpoint" || name.ends_with(&format!(".{size}")),
                    "{name} has the size {size}"
                );
                checkpoints.push(verified);
            } else {
                files.insert(name, path);
            }
        }
        checkpoints.sort_by_key(VerifiedCheckpoint::size);
        Log { checkpoints, files }
    }

    fn latest(&self) -> &VerifiedCheckpoint {
        self.checkpoints.last().expect("a checkpoint")
    }

    /// A file of the log: the narrowest that is at least as wide as in the tree of `size`.
    fn file(&self, resource: Resource, size: TreeSize) -> Vec<u8> {
        let width = match resource {
            Resource::Tile(tile) => tile.width_at(size),
            Resource::Entries(index) => TileIndex { level: 0, index }.width_at(size),
        };
        let mut paths =
            (width..=256).map(|width| TilePath::new(resource, width).expect("a path").to_path());
        let file = paths.find_map(|path| self.files.get(&path));
        data::read(file.unwrap_or_else(|| panic!("the log has no {resource:?} of width {width}")))
    }

    /// Its entries, as of its latest checkpoint.
    pub fn entries(&self) -> Vec<Vec<u8>> {
        let size = self.latest().size();
        let bundles =
            (0..size.get().div_ceil(256)).map(|index| self.file(Resource::Entries(index), size));
        let entries: Vec<Vec<u8>> = bundles
            .flat_map(|bytes| read_bundle(&bytes))
            .take(size.get() as usize)
            .collect();
        assert_eq!(entries.len() as u64, size.get());
        entries
    }
}

impl TileReader for Log {
    type Error = assay_tlog::tree::tile::TileError;

    fn tiles(&self, wanted: &[TileIndex], size: TreeSize) -> Result<Vec<Arc<Tile>>, Self::Error> {
        wanted
            .iter()
            .map(|tile| Tile::parse(&self.file(Resource::Tile(*tile), size)).map(Arc::new))
            .collect()
    }
}

fn read_bundle(bytes: &[u8]) -> Vec<Vec<u8>> {
    bundle::entries(bytes)
        .map(|entry| entry.expect("an entry").to_vec())
        .collect()
}

/// All logs of the collection with their leaf hashes; none if it is missing.
fn logs_and_leaves() -> Vec<(Log, Vec<Hash>)> {
    let logs = data::require("tlog-tiles").map(|folder| logs(&folder));
    let logs = logs
        .inspect(|logs| assert!(!logs.is_empty(), "no log with a checkpoint"))
        .unwrap_or_default();
    let leaves = |log: &Log| log.entries().iter().map(|entry| leaf_hash(entry)).collect();
    logs.into_iter()
        .map(|log| (leaves(&log), log))
        .map(|(leaves, log)| (log, leaves))
        .collect()
}

#[test]
fn every_tile_and_bundle_is_the_one_that_appending_gives() {
    for (log, leaves) in logs_and_leaves() {
        // Tiles only grow: a partial one is how the tile of the latest tree begins.
        let tiles: BTreeMap<TileIndex, Vec<Hash>> =
            Frontier::new().append(&leaves).into_iter().collect();
        for (name, path) in &log.files {
            let parsed = TilePath::parse(name).unwrap_or_else(|e| panic!("{name}: {e}"));
            assert_eq!(parsed.to_path(), *name);
            match parsed.resource() {
                Resource::Tile(index) => {
                    let tile =
                        Tile::parse(&data::read(path)).unwrap_or_else(|e| panic!("{name}: {e}"));
                    assert_eq!(tile.width(), usize::from(parsed.width()), "{name}");
                    assert_eq!(
                        Some(tile.hashes()),
                        tiles[&index].get(..tile.width()),
                        "{name}"
                    );
                }
                Resource::Entries(index) => {
                    let read = read_bundle(&data::read(path));
                    assert_eq!(read.len(), usize::from(parsed.width()), "{name}");
                    let hashes: Vec<Hash> = read.iter().map(|entry| leaf_hash(entry)).collect();
                    assert_eq!(
                        hashes,
                        leaves[256 * index as usize..][..hashes.len()],
                        "{name}"
                    );
                    let mut written = Vec::new();
                    read.iter().for_each(|entry| {
                        bundle::push(&mut written, entry).expect("an entry that was read")
                    });
                    assert_eq!(written, data::read(path), "{name}");
                }
            }
        }
        println!(
            "tlog-tiles: {} files of {} leaves",
            log.files.len(),
            leaves.len()
        );
    }
}

#[test]
fn every_checkpoint_is_that_of_its_tiles_and_proves_its_leaves_and_predecessors() {
    for (log, leaves) in logs_and_leaves() {
        let mut frontier = Frontier::new();
        for checkpoint in &log.checkpoints {
            let (size, signed) = (checkpoint.size(), checkpoint.root());
            frontier.append(&leaves[frontier.size().get() as usize..size.get() as usize]);
            assert_eq!(frontier.root(), signed, "appended to {size}");
            assert_eq!(
                root(&log, size).expect("tiles"),
                signed,
                "from the tiles of {size}"
            );
            assert_eq!(
                Frontier::load(&log, size).expect("tiles").root(),
                signed,
                "loaded at {size}"
            );
            // All leaves of a small log, and a few hundred of a large one.
            let step = 1 + size.get() as usize / 500;
            for (i, leaf) in leaves
                .iter()
                .enumerate()
                .take(size.get() as usize)
                .step_by(step)
            {
                let index = LeafIndex::new(i as u64);
                let path = prove_inclusion(&log, index, size).expect("tiles");
                verify_inclusion(leaf, index, size, &path, &signed)
                    .unwrap_or_else(|e| panic!("{i} of {size}: {e}"));
            }
            for earlier in log
                .checkpoints
                .iter()
                .filter(|earlier| (1..=size.get()).contains(&earlier.size().get()))
            {
                let path = prove_consistency(&log, earlier.size(), size).expect("tiles");
                verify_consistency(earlier.size(), &earlier.root(), size, &signed, &path)
                    .unwrap_or_else(|e| panic!("{} to {size}: {e}", earlier.size()));
            }
        }
        println!("tlog-tiles: {} checkpoints", log.checkpoints.len());
    }
}
