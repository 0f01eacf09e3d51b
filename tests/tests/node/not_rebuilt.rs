//! What `assay-node rebuild` cannot make anew, and says so.

use crate::bad_input::attachments;
use crate::damage::{flip, said};
use crate::restart::write_ahead_log::write_ahead_log;
use crate::{AT_ONCE, Fixture, NEVER};
use assay_proto::v1::Wait;
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
