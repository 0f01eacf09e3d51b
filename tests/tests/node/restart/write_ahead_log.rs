//! A write-ahead log that is damaged, gone, or cut where it looks whole.

use super::{assert_forks, assert_refuses, restore};
use crate::{AT_ONCE, Fixture, assert_all_there};
use assay_proto::v1::PublishResponse;
use assay_tests::process::{Node, copy_folder};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use std::{fs, path::PathBuf};

/// The log file that holds what was written last.
pub fn write_ahead_log(node: &Node) -> anyhow::Result<PathBuf> {
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    for file in fs::read_dir(node.folder().join("data/tables"))? {
        let path = file?.path();
        if path.extension().is_some_and(|extension| extension == "log") {
            files.push((fs::metadata(&path)?.len(), path));
        }
    }
    files
        .into_iter()
        .max()
        .map(|(_, path)| path)
        .ok_or_else(|| anyhow::anyhow!("there is no write-ahead log"))
}

/// A node that was killed with acknowledged entries in its write-ahead log only, and what a copy of
/// its files said when half of them were acknowledged.
struct Killed {
    fixture: Fixture,
    acknowledged: Vec<PublishResponse>,
    signed: VerifiedCheckpoint,
    wal: PathBuf,
    /// Length of the write-ahead log when half was acknowledged.
    half: u64,
    /// The mark of what was acknowledged, and the checkpoint file, as they were then.
    mark: Vec<u8>,
    checkpoints: Vec<u8>,
}

impl Killed {
    async fn new() -> anyhow::Result<Self> {
        let mut fixture = Fixture::start(AT_ONCE).await?;
        let folder = fixture.node.folder().to_owned();
        let mut acknowledged = fixture.publish_each(1..5).await?;
        let wal = write_ahead_log(&fixture.node)?;
        let half = fs::metadata(&wal)?.len();
        let (mark, checkpoints) = (
            fs::read(folder.join("data/SYNCED"))?,
            fs::read(folder.join("checkpoints"))?,
        );
        acknowledged.extend(fixture.publish_each(5..9).await?);
        let signed = fixture.log.checkpoint().await?;
        fixture.node.kill()?;
        assert_eq!(write_ahead_log(&fixture.node)?, wal);
        assert!(half > 0 && fs::metadata(&wal)?.len() > half);
        Ok(Killed {
            fixture,
            acknowledged,
            signed,
            wal,
            half,
            mark,
            checkpoints,
        })
    }

    async fn assert_whole(&mut self) -> anyhow::Result<()> {
        self.fixture.run().await?;
        assert_eq!(self.fixture.log.checkpoint().await?, self.signed);
        assert_all_there(&self.fixture.log, &self.acknowledged).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_or_missing_write_ahead_log_is_noticed() -> anyhow::Result<()> {
    let mut killed = Killed::new().await?;
    let wal = killed.wal.clone();
    let whole = fs::read(&wal)?;
    let words = ["Acknowledged entries may be missing", "restore a copy"];
    for place in [
        1,
        whole.len() / 4,
        whole.len() / 2,
        whole.len() * 3 / 4,
        whole.len() - 1,
    ] {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x40;
        fs::write(&wal, &damaged)?;
        assert_refuses(&mut killed.fixture.node, &words)?;
        assert_eq!(
            fs::read(&wal)?,
            damaged,
            "byte {place}: it is left as it was found"
        );
    }
    // A cut at any place, also one that looks as a crash does.
    for length in [
        0,
        1,
        killed.half as usize - 1,
        killed.half as usize,
        whole.len() - 1,
    ] {
        fs::write(&wal, &whole[..length])?;
        assert_refuses(&mut killed.fixture.node, &words)?;
    }
    fs::remove_file(&wal)?;
    assert_refuses(&mut killed.fixture.node, &words)?;
    // The record of what was acknowledged is part of the store too.
    fs::write(&wal, &whole)?;
    let mark = killed.fixture.node.folder().join("data/SYNCED");
    let noted = fs::read(&mark)?;
    fs::remove_file(&mark)?;
    assert_refuses(&mut killed.fixture.node, &["what was acknowledged is gone"])?;
    fs::write(&mark, noted)?;
    killed.assert_whole().await
}

/// Cut at the end of a record, the write-ahead log looks whole. The mark in the data folder knows
/// better; where that was put back too, the checkpoint file does; and where even that was, nothing
/// does.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_tail_is_noticed_by_the_mark_and_by_the_checkpoint_file_and_forks_without_them()
-> anyhow::Result<()> {
    let mut killed = Killed::new().await?;
    let folder = killed.fixture.node.folder().to_owned();
    let keep = tempfile::tempdir()?;
    copy_folder(&folder.join("data"), keep.path())?;
    let cut = |killed: &Killed, mark: bool| -> anyhow::Result<()> {
        restore(keep.path(), &folder.join("data"))?;
        fs::File::options()
            .write(true)
            .open(&killed.wal)?
            .set_len(killed.half)?;
        if mark {
            fs::write(folder.join("data/SYNCED"), &killed.mark)?;
        }
        Ok(())
    };
    cut(&killed, false)?;
    assert_refuses(
        &mut killed.fixture.node,
        &["were acknowledged and are gone", "cut short or deleted"],
    )?;
    cut(&killed, true)?;
    assert_refuses(
        &mut killed.fixture.node,
        &[
            "the store holds 11 entries",
            "a checkpoint over 19 was signed",
        ],
    )?;
    cut(&killed, true)?;
    fs::write(folder.join("checkpoints"), &killed.checkpoints)?;
    killed.fixture.run().await?;
    assert_forks(&killed.fixture.log, &killed.fixture.issuer, &killed.signed).await
}
