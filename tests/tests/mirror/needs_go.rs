//! Other projects' programs read a copy of ours.

use super::*;
use assay_tests::interop::{checked_size, fsck, mirror_posix, require_go};
use assay_tests::static_http::StaticHttp;
use std::{fs, path::PathBuf};

/// What is copied passes Tessera's `fsck`, also if Tessera's own mirror copied it from ours or from
/// the log, and copied on from there.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mirror_is_checked_and_copied_by_others() -> anyhow::Result<()> {
    if !require_go("fsck and mirror-posix of a mirror") {
        return Ok(());
    }
    let mut pair = Pair::new().await?;
    let log = Log::connect(pair.log.ready()).await?;
    let issuer = Actor::new(&[1], 1);
    log.publish(issuer.registration()?, Wait::Sequenced).await?;
    let size = publish(&log, &issuer, 0..700).await?;
    pair.proxy.conduct().target = Some(pair.log.ready().url.clone());
    pair.mirror.node.run()?;
    pair.until_shown(size).await?;
    let (folder, vkey) = (tempfile::tempdir()?, pair.log.vkey()?);
    let copy = Copy {
        of_log: folder.path().join("log"),
        of_mirror: folder.path().join("mirror"),
        vkey,
    };
    copy.taken(pair.log.ready().url.clone(), pair.url(), size)
        .await?;

    // It has grown within a tile and beyond one; the copies go on.
    let size = publish(&log, &issuer, 701..1100).await?;
    let head = pair.until_shown(size).await?;
    copy.taken(pair.log.ready().url.clone(), pair.url(), size)
        .await?;
    let served = StaticHttp::serve(&copy.of_mirror)?;
    let theirs = published(&served.url(), head.size()).await?;
    assert_eq!(theirs, pair.read(&pair.url(), &head).await?);

    // The log is gone; the mirror is not.
    pair.log.kill()?;
    let (url, vkey) = (pair.url(), copy.vkey.clone());
    let success = tokio::task::spawn_blocking(move || fsck(&url, &vkey)).await?;
    let success = success.map_err(anyhow::Error::msg)?;
    assert_eq!(checked_size(&success), Some(size), "{success}");
    // A copy with a bit changed does not pass, so that the others did is worth something.
    copy.damage()?;
    let served = StaticHttp::serve(&copy.of_mirror)?;
    assert!(copy.checked(served.url()).await.is_err());
    Ok(())
}

/// Folders that Tessera's mirror copies into.
struct Copy {
    of_log: PathBuf,
    of_mirror: PathBuf,
    vkey: String,
}

impl Copy {
    /// Copies the log and the mirror's copy, and has both checked.
    async fn taken(&self, log: String, mirror: String, size: u64) -> anyhow::Result<()> {
        for (from, to) in [(log, &self.of_log), (mirror, &self.of_mirror)] {
            let at = to.clone();
            let copied = tokio::task::spawn_blocking(move || mirror_posix(&from, &at)).await?;
            copied.map_err(anyhow::Error::msg)?;
            let served = StaticHttp::serve(to)?;
            let success = self.checked(served.url()).await?;
            assert_eq!(checked_size(&success), Some(size), "{success}");
        }
        Ok(())
    }

    async fn checked(&self, url: String) -> anyhow::Result<String> {
        let vkey = self.vkey.clone();
        let success = tokio::task::spawn_blocking(move || fsck(&url, &vkey)).await?;
        success.map_err(anyhow::Error::msg)
    }

    /// Changes a bit of an entry.
    fn damage(&self) -> anyhow::Result<()> {
        let bundle = self.of_mirror.join("tile/entries/001");
        let mut bytes = fs::read(&bundle)?;
        *bytes.last_mut().context("an empty bundle")? ^= 1;
        Ok(fs::write(bundle, bytes)?)
    }
}
