//! Files of another day, of another log, or open to others.

use super::{assert_forks, assert_refuses, restore};
use crate::{AT_ONCE, Fixture, STARTED};
use assay_proto::v1::Wait;
use assay_tests::process::{Node, copy_folder, poll_async};
use std::{
    fs::{self, Permissions},
    os::unix::fs::PermissionsExt,
};

#[tokio::test(flavor = "multi_thread")]
async fn an_old_copy_of_the_data_is_not_signed_from() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let (data, checkpoints) = (
        fixture.node.folder().join("data"),
        fixture.node.folder().join("checkpoints"),
    );
    let backup = tempfile::tempdir()?;
    let (old_data, old_checkpoints) = (
        backup.path().join("data"),
        backup.path().join("checkpoints"),
    );
    fixture.publish_each(1..5).await?;
    fixture.node.stop()?;
    copy_folder(&data, &old_data)?;
    fs::copy(&checkpoints, &old_checkpoints)?;
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
        "split view",
    ];
    assert_refuses(&mut fixture.node, &words)?;
    // It is no accident of the first try, and what is right still starts.
    assert_refuses(&mut fixture.node, &words)?;
    restore(&new_data, &data)?;
    fixture.run().await?;
    assert_eq!(fixture.log.checkpoint().await?, signed);
    fixture.node.stop()?;

    // Without the checkpoint file that knows better, the same folder starts, and the log forks.
    restore(&old_data, &data)?;
    fs::copy(&old_checkpoints, &checkpoints)?;
    fixture.run().await?;
    assert_forks(&fixture.log, &fixture.issuer, &signed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_without_its_own_checkpoint_file_is_not_signed() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let checkpoints = fixture.node.folder().join("checkpoints");
    fixture.publish(1..4, Wait::Integrated).await?;
    let signed = fixture.log.checkpoint().await?;
    fixture.node.stop()?;
    let kept = fs::read(&checkpoints)?;

    fs::remove_file(&checkpoints)?;
    assert_refuses(&mut fixture.node, &["is gone", "Restore it"])?;
    assert!(
        !checkpoints.exists(),
        "a missing checkpoint file is not made up"
    );

    // One that another log signed, although it has the same name.
    let other = Node::init()?;
    fs::copy(other.folder().join("checkpoints"), &checkpoints)?;
    assert_refuses(
        &mut fixture.node,
        &["does not hold a checkpoint of this log"],
    )?;

    // Damaged in the middle, and emptied.
    let mut damaged = kept.clone();
    damaged[kept.len() / 2] ^= 1;
    fs::write(&checkpoints, &damaged)?;
    assert_refuses(&mut fixture.node, &["is damaged", "restore a copy"])?;
    assert_eq!(
        fs::read(&checkpoints)?,
        damaged,
        "it is left as it was found"
    );
    fs::write(&checkpoints, "")?;
    assert_refuses(
        &mut fixture.node,
        &["does not start as a checkpoint file does"],
    )?;

    fs::write(&checkpoints, &kept)?;
    fixture.run().await?;
    assert_eq!(fixture.log.checkpoint().await?, signed);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_file_that_lost_its_end_is_noticed() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let checkpoints = fixture.node.folder().join("checkpoints");
    fixture.publish_each(1..4).await?;
    fixture.node.stop()?;
    let older = fs::read(&checkpoints)?;
    fixture.run().await?;
    fixture.publish_each(4..8).await?;
    let signed = fixture.log.checkpoint().await?;
    fixture.node.stop()?;
    let kept = fs::read(&checkpoints)?;

    let half = &kept[..kept.len() / 2];
    for lost in [&older[..], half, &kept[..older.len() + 40]] {
        fs::write(&checkpoints, lost)?;
        let words = ["lost its end", "one over 15", "Bring the newer one back"];
        assert_refuses(&mut fixture.node, &words)?;
    }
    // The last record alone is what a crash before it leaves: the same is signed again.
    fs::write(&checkpoints, &kept[..kept.len() - 1])?;
    fixture.run().await?;
    let again = poll_async(async || {
        let again = fixture.log.checkpoint().await?;
        Ok((again.size() >= signed.size()).then_some(again))
    });
    let again = again.await?;
    let (old, new) = (
        (signed.size().get(), &signed.root()),
        (again.size().get(), &again.root()),
    );
    fixture.log.prove_consistency(old, new).await?;
    fixture.node.stop()?;

    // The operator says that this folder is the one that ran last.
    fs::write(&checkpoints, half)?;
    fixture.node.arguments = vec!["--checkpoint-file-lost-its-end".into()];
    fixture.run().await?;
    // What it had signed is signed again once it runs.
    let after = poll_async(async || {
        let after = fixture.log.checkpoint().await?;
        Ok((after.size() >= signed.size()).then_some(after))
    });
    let after = after.await?;
    let new = (after.size().get(), &after.root());
    fixture.log.prove_consistency(old, new).await?;
    fixture.node.arguments.clear();
    fixture.node.stop()?;
    fixture.run().await
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
