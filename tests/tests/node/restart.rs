//! Stopping, dying, and being started on something else than what was left: the node goes on only
//! where it cannot contradict what it signed, and says why where it does not.
//!
//! Where a guard keeps it from starting, a second part of the test takes the guard away, starts,
//! and shows two signed roots for one size: it was that guard, and it is needed.

use crate::{AT_ONCE, Fixture, NEVER, STARTED, assert_all_there};
use assay_proto::v1::{PublishResponse, Wait};
use assay_tests::{
    log::{Log, covering},
    process::{Node, copy_folder},
};
use assay_tlog::note::VerifiedCheckpoint;
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// The refusal of a node that must not start: its exit code, and what the words say.
fn assert_refuses(node: &mut Node, words: &[&str]) -> anyhow::Result<()> {
    let (status, said) = node.run_refused()?;
    assert_eq!(status.code(), Some(3), "{said}");
    for word in words {
        assert!(said.contains(word), "it does not say {word:?}: {said}");
    }
    Ok(())
}

/// Puts a copy in the place of a folder.
fn restore(copy: &Path, folder: &Path) -> anyhow::Result<()> {
    fs::remove_dir_all(folder)?;
    copy_folder(copy, folder)
}

/// Publishes other claims than those that were acknowledged, up to the size of `signed`, and
/// asserts that the node signed another root for it: a fork. This is what the guards are there to
/// prevent.
async fn assert_forks(
    log: &Log,
    issuer: &assay_tests::issuer::Actor,
    signed: &VerifiedCheckpoint,
) -> anyhow::Result<()> {
    let mut number = 1_000_000;
    loop {
        let checkpoint = log.checkpoint().await?;
        if checkpoint.size() == signed.size() {
            assert_ne!(checkpoint.root(), signed.root());
            return Ok(());
        }
        assert!(
            checkpoint.size() < signed.size(),
            "the size was passed over"
        );
        log.publish(issuer.claim(number), Wait::Integrated).await?;
        number += 1;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_was_stopped_goes_on_as_if_it_had_not() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let mut acknowledged = Vec::new();
    let mut seen: Option<VerifiedCheckpoint> = None;
    for round in 0..4 {
        acknowledged.extend(
            fixture
                .publish(round * 100..round * 100 + 90, Wait::Integrated)
                .await?,
        );
        let before = fixture.log.checkpoint().await?;
        fixture.node.stop()?;
        fixture.run().await?;
        let log = &fixture.log;
        assert_eq!(
            log.checkpoint().await?,
            before,
            "the checkpoint is the one that was signed, to the byte"
        );
        if let Some(older) = seen.replace(before.clone()) {
            let (old, new) = (
                (older.size().get(), &older.root()),
                (before.size().get(), &before.root()),
            );
            log.prove_consistency(old, new).await?;
        }
        assert_all_there(log, &acknowledged).await?;
    }
    assert_eq!(fixture.log.rederive().await?.index.claims(), 361);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_sequenced_before_a_crash_is_published_at_the_start() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(NEVER).await?;
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        acknowledged.extend(
            fixture
                .publish(round * 100 + 1..round * 100 + 20, Wait::Sequenced)
                .await?,
        );
        fixture.node.kill()?;
        fixture.run().await?;
        fixture.log.published(covering(&acknowledged)).await?;
        assert_all_there(&fixture.log, &acknowledged).await?;
        let whole = fixture.log.rederive().await?;
        assert_eq!(whole.index.claims(), 1 + acknowledged.len() as u64);
        assert_eq!(
            whole.leaves.len() as u64,
            covering(&acknowledged),
            "a start publishes once"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_of_the_data_is_not_signed_from() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let (data, anchor) = (
        fixture.node.folder().join("data"),
        fixture.node.folder().join("anchor"),
    );
    let backup = tempfile::tempdir()?;
    let (old_data, old_anchor) = (backup.path().join("data"), backup.path().join("anchor"));
    fixture.publish_each(1..5).await?;
    fixture.node.stop()?;
    copy_folder(&data, &old_data)?;
    fs::copy(&anchor, &old_anchor)?;
    fixture.run().await?;
    fixture.publish_each(5..8).await?;
    let signed = fixture.log.checkpoint().await?;
    assert_eq!(signed.size().get(), STARTED + 14);
    fixture.node.stop()?;
    let new_data = backup.path().join("new");
    copy_folder(&data, &new_data)?;

    restore(&old_data, &data)?;
    let words = [
        "the store holds 11 entries",
        "a checkpoint over 17 was signed",
        "Restore the newest copy",
        "fork",
    ];
    assert_refuses(&mut fixture.node, &words)?;
    // It is no accident of the first try, and what is right still starts.
    assert_refuses(&mut fixture.node, &words)?;
    restore(&new_data, &data)?;
    fixture.run().await?;
    assert_eq!(fixture.log.checkpoint().await?, signed);
    fixture.node.stop()?;

    // Without the anchor that knows better, the same folder starts, and the log forks.
    restore(&old_data, &data)?;
    fs::copy(&old_anchor, &anchor)?;
    fixture.run().await?;
    assert_forks(&fixture.log, &fixture.issuer, &signed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_its_own_anchor_is_not_signed() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let anchor = fixture.node.folder().join("anchor");
    fixture.publish(1..4, Wait::Integrated).await?;
    let signed = fixture.log.checkpoint().await?;
    fixture.node.stop()?;
    let kept = fs::read(&anchor)?;

    fs::remove_file(&anchor)?;
    assert_refuses(&mut fixture.node, &["is gone", "Restore it"])?;
    assert!(!anchor.exists(), "a missing anchor is not made up");

    // One that another log signed, although it has the same name.
    let other = Node::init()?;
    fs::copy(other.folder().join("anchor"), &anchor)?;
    assert_refuses(
        &mut fixture.node,
        &["does not hold a checkpoint of this log"],
    )?;

    // Damaged in the middle, and emptied.
    let mut damaged = kept.clone();
    damaged[kept.len() / 2] ^= 1;
    fs::write(&anchor, &damaged)?;
    assert_refuses(&mut fixture.node, &["is damaged", "restore a copy"])?;
    assert_eq!(fs::read(&anchor)?, damaged, "it is left as it was found");
    fs::write(&anchor, "")?;
    assert_refuses(
        &mut fixture.node,
        &["does not start as a checkpoint file does"],
    )?;

    fs::write(&anchor, &kept)?;
    fixture.run().await?;
    assert_eq!(fixture.log.checkpoint().await?, signed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn another_logs_data_or_key_is_not_signed_with() -> anyhow::Result<()> {
    let mut one = Fixture::start(AT_ONCE).await?;
    let mut two = Fixture::start(AT_ONCE).await?;
    one.publish_each(1..5).await?;
    two.publish_each(11..15).await?;
    one.node.stop()?;
    two.node.stop()?;
    let path = |fixture: &Fixture, name: &str| fixture.node.folder().join(name);

    // As many entries, but others: only the root can tell.
    let own = tempfile::tempdir()?;
    copy_folder(&path(&one, "data"), &own.path().join("data"))?;
    restore(&path(&two, "data"), &path(&one, "data"))?;
    assert_refuses(
        &mut one.node,
        &[
            "the store's tree of size 11",
            "another log's data folder",
            "Restore",
        ],
    )?;
    restore(&own.path().join("data"), &path(&one, "data"))?;

    let key = fs::read(path(&one, "log.key"))?;
    fs::copy(path(&two, "log.key"), path(&one, "log.key"))?;
    assert_refuses(&mut one.node, &["does not hold a checkpoint of this log"])?;
    fs::write(path(&one, "log.key"), key)?;
    one.node
        .configure("log.origin = \"other.assay.example/log\"")?;
    assert_refuses(
        &mut one.node,
        &[
            "is for the origin",
            "but the configuration says other.assay.example/log",
        ],
    )?;
    one.node
        .configure(&format!("log.origin = {:?}", assay_tests::process::ORIGIN))?;

    // An empty folder is no new log.
    fs::remove_dir_all(path(&one, "data"))?;
    fs::create_dir(path(&one, "data"))?;
    assert_refuses(
        &mut one.node,
        &["holds no store", "never run `init` in its place"],
    )?;
    fs::remove_dir_all(path(&one, "data"))?;
    assert_refuses(&mut one.node, &["holds no store"])?;
    copy_folder(&own.path().join("data"), &path(&one, "data"))?;
    one.run().await?;
    assert_eq!(one.log.size().await?, STARTED + 8);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_others_can_read_is_not_used() -> anyhow::Result<()> {
    let mut node = Node::init()?;
    let key = node.folder().join("log.key");
    for mode in [0o644, 0o640, 0o660, 0o604] {
        fs::set_permissions(&key, Permissions::from_mode(mode))?;
        assert_refuses(&mut node, &[&format!("{mode:04o}"), "chmod 600", "log.key"])?;
    }
    fs::set_permissions(&key, Permissions::from_mode(0o600))?;
    node.run()?;
    node.stop()?;
    fs::remove_file(&key)?;
    assert_refuses(&mut node, &["log.key"])?;
    Ok(())
}

/// The log file that holds what was written last.
fn write_ahead_log(node: &Node) -> anyhow::Result<PathBuf> {
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
    /// The mark of what was acknowledged, and the anchor, as they were then.
    mark: Vec<u8>,
    anchor: Vec<u8>,
}

impl Killed {
    async fn new() -> anyhow::Result<Self> {
        let mut fixture = Fixture::start(AT_ONCE).await?;
        let folder = fixture.node.folder().to_owned();
        let mut acknowledged = fixture.publish_each(1..5).await?;
        let wal = write_ahead_log(&fixture.node)?;
        let half = fs::metadata(&wal)?.len();
        let (mark, anchor) = (
            fs::read(folder.join("data/SYNCED"))?,
            fs::read(folder.join("anchor"))?,
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
            anchor,
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
/// better; where that was put back too, the anchor does; and where even that was, nothing does.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_tail_is_noticed_by_the_mark_and_by_the_anchor_and_forks_without_them()
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
    fs::write(folder.join("anchor"), &killed.anchor)?;
    killed.fixture.run().await?;
    assert_forks(&killed.fixture.log, &killed.fixture.issuer, &killed.signed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn two_nodes_on_one_folder_do_not_both_run() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let folder = fixture.node.folder();
    fixture.publish(1..3, Wait::Integrated).await?;
    let mut second = Node::beside(&fixture.node, "")?;
    assert_refuses(&mut second, &["is locked", "another node runs on this log"])?;
    // With an anchor of its own it still has no data folder of its own.
    let anchor = tempfile::tempdir()?;
    let own = anchor.path().join("anchor");
    fs::copy(folder.join("anchor"), &own)?;
    second.configure(&format!("log.anchor = {own:?}"))?;
    assert_refuses(
        &mut second,
        &[
            "is locked",
            "another process has this data folder open",
            "fork",
        ],
    )?;
    // The first one did not notice.
    fixture.publish(3..6, Wait::Integrated).await?;
    let signed = fixture.log.checkpoint().await?;

    // On a copy, where no lock is held, the second one runs, and the two of them fork the log.
    let copy = tempfile::tempdir()?;
    copy_folder(&folder.join("data"), &copy.path().join("data"))?;
    fs::copy(folder.join("anchor"), &own)?;
    let data = copy.path().join("data");
    second.configure(&format!("log.anchor = {own:?}\nstorage.path = {data:?}"))?;
    second.run()?;
    let other = Log::connect(second.ready()).await?;
    assert_eq!(other.checkpoint().await?, signed);
    fixture.publish(6..7, Wait::Integrated).await?;
    let signed = fixture.log.checkpoint().await?;
    assert_forks(&other, &fixture.issuer, &signed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_anchor_that_is_replaced_under_a_running_node_stops_the_signing() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let anchor = fixture.node.folder().join("anchor");
    let acknowledged = fixture.publish(1..4, Wait::Integrated).await?;
    let signed = fixture.log.checkpoint().await?;
    let copy = fixture.node.folder().join("copy");
    fs::copy(&anchor, &copy)?;
    fs::rename(&copy, &anchor)?;
    let status = fixture
        .log
        .publish(fixture.issuer.claim(9), Wait::Integrated)
        .await
        .unwrap_err();
    assert_eq!(status.code(), tonic::Code::Unavailable);
    assert!(
        status
            .message()
            .contains("removed or replaced while the node was running"),
        "{}",
        status.message()
    );
    let (code, text) = fixture.log.admin("/readyz").await?;
    assert!(code == 503 && text.contains("reads only"), "{code} {text}");
    assert_eq!(fixture.log.admin("/healthz").await?.0, 200);
    assert_eq!(fixture.log.checkpoint().await?, signed);
    assert_all_there(&fixture.log, &acknowledged).await?;
    // A start looks at what there is, and goes on: the tree is ahead of the anchor.
    fixture.node.stop()?;
    fixture.run().await?;
    // With the commitment, which was stored before the anchor was found to be another: there is no
    // second one.
    fixture.log.published(signed.size().get() + 2).await?;
    let whole = fixture.log.rederive().await?;
    assert_eq!(
        (whole.leaves.len() as u64, whole.index.claims()),
        (signed.size().get() + 2, 5)
    );
    assert_all_there(&fixture.log, &acknowledged).await
}

#[tokio::test(flavor = "multi_thread")]
async fn init_never_overwrites() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let signed = fixture.log.checkpoint().await?;
    fixture.node.stop()?;
    for left in [
        &[][..],
        &["node.toml"],
        &["node.toml", "log.key"],
        &["node.toml", "log.key", "anchor"],
    ] {
        let hidden = tempfile::tempdir()?;
        for name in left {
            fs::rename(fixture.node.folder().join(name), hidden.path().join(name))?;
        }
        let output =
            std::process::Command::new(assay_tests::process::binaries().join("assay-node"))
                .args(["init", "--origin", assay_tests::process::ORIGIN, "--dir"])
                .arg(fixture.node.folder())
                .output()?;
        assert!(!output.status.success(), "init ran over a log");
        assert!(
            String::from_utf8_lossy(&output.stderr).contains("exists already"),
            "{output:?}"
        );
        for name in left {
            fs::rename(hidden.path().join(name), fixture.node.folder().join(name))?;
        }
    }
    fixture.run().await?;
    assert_eq!(fixture.log.checkpoint().await?, signed);
    Ok(())
}
