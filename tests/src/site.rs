//! A log as a folder of files, laid out as C2SP tlog-tiles says: what any web server can serve.

use anyhow::Context;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{Frontier, Resource, TilePath, bundle};
use bytes::Bytes;
use std::{fs, path::Path};

/// Writes a log of these entries into `folder`: bundles, tiles, and the checkpoint over all of
/// them, signed by `key`.
pub fn write(folder: &Path, entries: &[Bytes], key: &SignerKey) -> anyhow::Result<()> {
    for (number, entries) in (0..).zip(entries.chunks(256)) {
        let mut bytes = Vec::new();
        for entry in entries {
            bundle::push(&mut bytes, entry)?;
        }
        write_resource(folder, Resource::Entries(number), entries.len(), &bytes)?;
    }
    let leaves: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
    let tree = write_tiles(folder, &leaves)?;
    let checkpoint = Checkpoint {
        origin: key.name().to_owned(),
        size: tree.size(),
        root: tree.root(),
    };
    Ok(fs::write(folder.join("checkpoint"), checkpoint.sign(key))?)
}

/// Writes the tiles of the tree over these leaves into `folder`, and returns the tree.
pub fn write_tiles(folder: &Path, leaves: &[Hash]) -> anyhow::Result<Frontier> {
    let mut tree = Frontier::new();
    for (tile, hashes) in tree.append(leaves) {
        let bytes: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        write_resource(folder, Resource::Tile(tile), hashes.len(), &bytes)?;
    }
    Ok(tree)
}

fn write_resource(
    folder: &Path,
    resource: Resource,
    width: usize,
    bytes: &[u8],
) -> anyhow::Result<()> {
    let path = folder.join(TilePath::new(resource, u16::try_from(width)?)?.to_path());
    fs::create_dir_all(path.parent().context("a path of a tile has a folder")?)?;
    Ok(fs::write(path, bytes)?)
}
