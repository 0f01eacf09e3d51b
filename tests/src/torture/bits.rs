//! Flipped bits and lost ends, at drawn places of all files that a node has beside its
//! configuration and its key.

use super::{
    Draw, Row,
    known::{Known, runs},
};
use crate::{faults::files, process::Node};
use anyhow::{Context, ensure};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// What happens to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// One bit is another one.
    Flip,
    /// The end is gone.
    Cut,
}

/// A log to torture, again and again from the same beginning.
pub struct Files(Known);

impl Files {
    /// Makes the log: more than a bundle of claims.
    pub async fn new() -> anyhow::Result<Self> {
        Ok(Files(Known::new(300).await?))
    }

    /// Damages one place of one file in each cycle.
    pub async fn each(&self, damage: Damage, cycles: usize, seed: u64) -> anyhow::Result<Row> {
        let mut row = Row::new(format!("{damage:?} in a file of a node"));
        let mut draw = Draw(seed);
        for _ in 0..cycles {
            let mut node = Node::copy_of(&self.0.node)?;
            let data = node.folder().join("data");
            let mut files = damageable(&data)?;
            files.push(node.folder().join("checkpoints"));
            let what = spoil(&files, damage, &mut draw)?;
            let came = self.cycle(&mut node).await;
            row.note(&what, came);
        }
        Ok(row)
    }

    async fn cycle(&self, node: &mut Node) -> anyhow::Result<&'static str> {
        if !runs(node)? {
            return self.0.assert_rebuilt(node).await;
        }
        self.0.assert_honest(node).await
    }
}

/// Files of a store that hold something: the trace of RocksDB and locks do not.
pub(super) fn damageable(store: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = files(store)?;
    files.retain(|path| {
        let name = path.file_name().map(|name| name.to_string_lossy());
        !name.is_some_and(|name| name.starts_with("LOG") || name.starts_with("LOCK"))
    });
    files.retain(|path| fs::metadata(path).is_ok_and(|found| found.len() > 0));
    ensure!(files.len() > 3, "{files:?}");
    Ok(files)
}

/// Damages a drawn place. Returns where.
pub(super) fn spoil(files: &[PathBuf], damage: Damage, draw: &mut Draw) -> anyhow::Result<String> {
    let file = files.get(draw.below(files.len() as u64) as usize);
    let file = file.context("there are no files")?;
    let mut bytes = fs::read(file)?;
    let at = draw.below(bytes.len() as u64) as usize;
    match damage {
        Damage::Flip => bytes[at] ^= 1 << draw.below(8),
        Damage::Cut => bytes.truncate(at),
    }
    let name = file.file_name().unwrap_or_default().display();
    let what = format!("{damage:?} at byte {at} of {name}");
    fs::write(file, bytes)?;
    Ok(what)
}
