//! A disk that takes no more: nothing acknowledged is lost, reads go on, and the node says what is
//! wrong.
//!
//! Two ways to get one. A limit on the size of files works for everybody, and fails a write in the
//! middle of a file; the error is another one than that of a full disk. A tmpfs that is full is the
//! real thing, and needs the right to mount.

use crate::{AT_ONCE, Fixture, STARTED, assert_all_there};
use assay_proto::v1::{PublishResponse, Wait};
use assay_tests::{log::covering, process::copy_folder};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    process::Command,
};
use tonic::{Code, Status};

/// Publishes until the node takes no more. Returns what it acknowledged, and the refusal.
async fn fill(fixture: &Fixture, wait: Wait) -> (Vec<PublishResponse>, Status) {
    let mut acknowledged = Vec::new();
    for number in 1..100_000 {
        match fixture
            .log
            .publish(fixture.issuer.claim(number), wait)
            .await
        {
            Ok(answer) => acknowledged.push(answer),
            Err(status) => return (acknowledged, status),
        }
    }
    panic!("the disk never filled");
}

/// What holds of a node that stopped writing.
async fn assert_reads_only(
    fixture: &Fixture,
    refusal: &Status,
    why: &str,
) -> anyhow::Result<VerifiedCheckpoint> {
    let log = &fixture.log;
    assert_eq!(refusal.code(), Code::Unavailable, "{refusal:?}");
    assert!(refusal.message().contains(why), "{}", refusal.message());
    assert!(
        refusal.message().contains("reads go on"),
        "{}",
        refusal.message()
    );
    // A good claim and a known one alike.
    for number in [1, 1_000_000] {
        let again = log
            .publish(fixture.issuer.claim(number), Wait::Sequenced)
            .await
            .unwrap_err();
        assert_eq!(
            (again.code(), again.message().contains(why)),
            (Code::Unavailable, true),
            "{again:?}"
        );
    }
    let (code, text) = log.admin("/readyz").await?;
    assert!(code == 503 && text.contains(why), "{code} {text}");
    assert_eq!(log.admin("/healthz").await?.0, 200);
    let (_, metrics) = log.admin("/metrics").await?;
    assert!(
        metrics.lines().any(|line| line == "assay_halted 1"),
        "{metrics}"
    );
    // Reads: the checkpoint, all entries below it, every tile, the proofs.
    let whole = log.rederive().await?;
    let (size, root) = (whole.checkpoint.size().get(), whole.checkpoint.root());
    assert_eq!(log.checkpoint().await?, whole.checkpoint);
    for index in [0, size / 2, size - 1] {
        log.prove_inclusion(&whole.leaves[index as usize], index, size, &root)
            .await?;
    }
    let half = whole.roots(&[size / 2]);
    log.prove_consistency((size / 2, &half[&(size / 2)]), (size, &root))
        .await?;
    assert_eq!(log.entries(0, 0).await?.len() as u64, size);
    Ok(whole.checkpoint)
}

/// The node runs again: what was acknowledged is there, what was shown is its beginning, and it
/// writes again.
async fn assert_recovered(
    fixture: &Fixture,
    acknowledged: &[PublishResponse],
    shown: &VerifiedCheckpoint,
) -> anyhow::Result<()> {
    let log = &fixture.log;
    log.published(covering(acknowledged)).await?;
    assert_all_there(log, acknowledged).await?;
    let now = log.checkpoint().await?;
    log.prove_consistency(
        (shown.size().get(), &shown.root()),
        (now.size().get(), &now.root()),
    )
    .await?;
    log.publish(fixture.issuer.claim(2_000_000), Wait::Integrated)
        .await?;
    log.rederive().await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_fails_ends_writing_and_nothing_else() -> anyhow::Result<()> {
    for (wait, ending) in [(Wait::Sequenced, "kill"), (Wait::Integrated, "stop")] {
        let mut fixture = Fixture::start(AT_ONCE).await?;
        fixture.node.stop()?;
        // Without this the system ends a process that writes beyond the limit, before it can see
        // the error.
        fixture.node.wrapper = ["env", "--ignore-signal=XFSZ"].map(str::to_owned).to_vec();
        fixture.run().await?;
        let pid = format!("--pid={}", fixture.node.pid()?);
        let limited = Command::new("prlimit")
            .arg(pid)
            .arg("--fsize=100000:unlimited")
            .status()?;
        assert!(limited.success());
        let (acknowledged, refusal) = fill(&fixture, wait).await;
        assert!(acknowledged.len() > 10, "{refusal:?}");
        let shown = assert_reads_only(&fixture, &refusal, "File too large").await?;
        match ending {
            "kill" => fixture.node.kill()?,
            _ => fixture.node.stop()?,
        }
        fixture.run().await?;
        assert_recovered(&fixture, &acknowledged, &shown).await?;
    }
    Ok(())
}

/// A small disk of its own, gone when this is dropped.
struct Disk(PathBuf);

impl Disk {
    /// Mounts a tmpfs of so many KiB below a node's folder; `None`, said aloud, where that is not
    /// allowed.
    fn mount(folder: &Path, kib: u32) -> anyhow::Result<Option<Self>> {
        let path = folder.join("disk");
        fs::create_dir(&path)?;
        let size = format!("size={kib}k");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(&path)
            .output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Ok(Some(Disk(path)));
        }
        // Not eprintln!, which the test harness swallows when a test passes.
        writeln!(
            std::io::stderr(),
            "skipped: a disk that is really full needs the right to mount one"
        )?;
        Ok(None)
    }

    fn grow(&self, kib: u32) -> anyhow::Result<()> {
        let size = format!("remount,size={kib}k");
        assert!(
            Command::new("mount")
                .args(["-o", &size])
                .arg(&self.0)
                .status()?
                .success()
        );
        Ok(())
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: the node may still run.
        let _ = Command::new("umount").arg("-l").arg(&self.0).status();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_data_ends_writing_and_nothing_else() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    fixture.node.stop()?;
    let data = fixture.node.folder().join("data");
    let Some(disk) = Disk::mount(fixture.node.folder(), 1024)? else {
        return Ok(());
    };
    copy_folder(&data, &disk.0.join("data"))?;
    fs::remove_dir_all(&data)?;
    fixture.node.configure("storage.path = \"disk/data\"")?;
    fixture.run().await?;
    let (acknowledged, refusal) = fill(&fixture, Wait::Sequenced).await;
    assert!(acknowledged.len() > 10, "{refusal:?}");
    let shown = assert_reads_only(&fixture, &refusal, "no room left on the disk").await?;
    fixture.node.kill()?;
    // Still full: it may start for reading, or say why it does not. It loses nothing either way.
    if let Err(error) = fixture.node.run() {
        assert!(
            error.to_string().contains("no room left on the disk"),
            "{error:#}"
        );
    } else {
        fixture.node.kill()?;
    }
    disk.grow(32 << 10)?;
    fixture.run().await?;
    let result = assert_recovered(&fixture, &acknowledged, &shown).await;
    fixture.node.stop()?;
    result
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_under_the_checkpoint_file_ends_signing() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    fixture.node.stop()?;
    let Some(disk) = Disk::mount(fixture.node.folder(), 4)? else {
        return Ok(());
    };
    fs::copy(
        fixture.node.folder().join("checkpoints"),
        disk.0.join("checkpoints"),
    )?;
    fixture
        .node
        .configure("log.checkpoint_file = \"disk/checkpoints\"")?;
    fixture.run().await?;
    let (acknowledged, refusal) = fill(&fixture, Wait::Integrated).await;
    assert!(acknowledged.len() > 3, "{refusal:?}");
    let shown = assert_reads_only(
        &fixture,
        &refusal,
        "no room left on the disk that holds the checkpoint file",
    )
    .await?;
    // The checkpoint that the file could not take was shown to nobody.
    assert_eq!(shown.size().get(), STARTED + 2 * acknowledged.len() as u64);
    fixture.node.stop()?;
    disk.grow(64)?;
    fixture.run().await?;
    let result = assert_recovered(&fixture, &acknowledged, &shown).await;
    fixture.node.stop()?;
    result
}
