//! What `assay-node rebuild` cannot make anew, and says so.

use crate::bad_input::attachments;
use crate::damage::{flip, said};
use crate::restart::write_ahead_log::write_ahead_log;
use crate::{AT_ONCE, Fixture, NEVER, assert_all_there};
use assay_proto::v1::Wait;
use assay_tests::{
    log::{Log, covering},
    process::Node,
};
use std::fs;

/// What was acknowledged last is in a block that is damaged, and with it the count of what was.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_says_that_acknowledged_claims_may_be_lost() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(NEVER).await?;
    fixture.publish(1..40, Wait::Sequenced).await?;
    fixture.node.kill()?;
    let wal = write_ahead_log(&fixture.node)?;
    let length = fs::metadata(&wal)?.len() as usize;
    flip(&wal, length - 100)?;
    let rebuilt = fixture.node.assay_node(&["rebuild"], &[])?;
    let said = said(&rebuilt);
    assert_eq!(rebuilt.status.code(), Some(3), "{said}");
    for words in [
        "are made anew",
        "is not known",
        "publish again",
        "invitations",
    ] {
        assert!(said.contains(words), "{said}");
    }
    fixture.run().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_attachment_is_uploaded_again() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let digest = attachments::stored(&fixture, 1000).await?;
    fixture.node.stop()?;
    let hex = digest.to_hex();
    let file = fixture.node.folder().join("data/blobs");
    let file = file.join(&hex[..2]).join(&hex[2..]);
    let document = fs::read(&file)?;
    flip(&file, 500)?;
    let check = |fixture: &Fixture| fixture.node.assay_node(&["check"], &[]);
    let checked = check(&fixture)?;
    let words = said(&checked);
    assert_eq!(checked.status.code(), Some(3), "{words}");
    assert!(
        words.contains(&hex) && words.contains("upload the document again"),
        "{words}"
    );
    assert!(!words.contains("assay-node rebuild"), "{words}");
    // As is advised.
    fs::remove_file(&file)?;
    fixture.run().await?;
    attachments::stored(&fixture, 1000).await?;
    fixture.node.stop()?;
    assert_eq!(fs::read(&file)?, document);
    assert!(check(&fixture)?.status.success());
    Ok(())
}

/// What a node signed is in the hands of a mirror, and of its operator there is an older checkpoint
/// file: once with nothing beside it, once with data that is as old.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_asks_mirrors_what_was_signed() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    fixture.publish(1..10, Wait::Integrated).await?;
    fixture.node.stop()?;
    let old = Node::copy_of(&fixture.node)?;
    fixture.run().await?;
    let acknowledged = fixture.publish(10..40, Wait::Integrated).await?;
    fixture.node.stop()?;
    let mut healthy = Node::copy_of(&fixture.node)?;
    healthy.run()?;
    let before = Log::connect(healthy.ready()).await?.rederive().await?;
    let from = healthy.ready().url.clone();
    for is_empty in [true, false] {
        let mut node = Node::copy_of(&old)?;
        let data = node.folder().join("data");
        if is_empty {
            fs::remove_dir_all(&data)?;
            fs::create_dir(&data)?;
        }
        let refused = node.assay_node(&["rebuild"], &["--from", &from])?;
        let words = said(&refused);
        assert_eq!(refused.status.code(), Some(3), "{words}");
        assert!(words.contains("--checkpoint-file-lost-its-end"), "{words}");
        assert!(!data.join("damaged").exists(), "{words}");

        let agreed = ["--from", &from, "--checkpoint-file-lost-its-end"];
        let rebuilt = node.assay_node(&["rebuild"], &agreed)?;
        assert!(
            said(&rebuilt).contains("are made anew"),
            "{}",
            said(&rebuilt)
        );
        let (_, words) = node.run_refused()?;
        assert!(words.contains("--checkpoint-file-lost-its-end"), "{words}");
        node.arguments = vec!["--checkpoint-file-lost-its-end".into()];
        node.run()?;
        let log = Log::connect(node.ready()).await?;
        // It is signed again once the node runs.
        log.published(covering(&acknowledged)).await?;
        assert_all_there(&log, &acknowledged).await?;
        let after = log.rederive().await?;
        assert!(after.leaves.starts_with(&before.leaves));
        node.stop()?;
    }
    healthy.stop()
}

/// A mirror has another tree of the size that the checkpoint file ends with, by the same key.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_two_histories_is_not_made_anew() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    fixture.publish(1..10, Wait::Integrated).await?;
    fixture.node.stop()?;
    let mut other = Node::copy_of(&fixture.node)?;
    fixture.run().await?;
    fixture.publish(10..11, Wait::Integrated).await?;
    fixture.node.stop()?;
    other.run()?;
    let log = Log::connect(other.ready()).await?;
    log.publish(fixture.issuer.claim(11), Wait::Integrated)
        .await?;
    let from = other.ready().url.clone();
    let refused = fixture.node.assay_node(&["rebuild"], &["--from", &from])?;
    let words = said(&refused);
    assert_eq!(refused.status.code(), Some(3), "{words}");
    assert!(words.contains("two histories"), "{words}");
    assert!(!fixture.node.folder().join("data/damaged").exists());
    other.stop()
}
