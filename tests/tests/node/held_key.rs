//! What holds of every log whose key somebody else holds.

use crate::assert_all_there;
use anyhow::{Context as _, ensure};
use assay_proto::v1::PublishResponse;
use assay_tests::{
    log::Log,
    process::{Node, poll_async},
};

/// Waits until the node says that it signs nothing, with these words.
pub async fn assert_unsigned(log: &Log, words: &str) -> anyhow::Result<()> {
    let said = poll_async(async || {
        let (code, text) = log.admin("/readyz").await?;
        Ok((code == 503 && text.contains(words)).then_some(text))
    });
    let said = said.await.with_context(|| words.to_owned())?;
    ensure!(
        said.contains("nothing is published, and claims are kept"),
        "{said}"
    );
    ensure!(log.metric("assay_unsigned").await? == Some(1.0), "{said}");
    ensure!(
        log.metric("assay_halted").await?.unwrap_or_default() == 0.0,
        "{said}"
    );
    Ok(())
}

/// Waits until the node is ready and shows all of `acknowledged`.
pub async fn assert_published(log: &Log, acknowledged: &[PublishResponse]) -> anyhow::Result<()> {
    let last = acknowledged.iter().map(|one| one.leaf_index).max();
    poll_async(async || {
        let is_ready = log.admin("/readyz").await?.0 == 200;
        Ok((is_ready && Some(log.size().await?) > last).then_some(()))
    })
    .await?;
    ensure!(log.metric("assay_unsigned").await?.unwrap_or_default() == 0.0);
    assert_all_there(log, acknowledged).await?;
    log.rederive().await?;
    Ok(())
}

/// The commands about key files refuse, with these words.
pub fn assert_refuse(node: &Node, why: &str) -> anyhow::Result<()> {
    let commands: [&[&str]; 3] = [
        &["key", "rotate", "log"],
        &["key", "rotate", "log", "--finish"],
        &["key", "passphrase", "log", "--remove"],
    ];
    for words in commands {
        let output = node.assay_node(words, &[])?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(!output.status.success() && said.contains(why), "{said}");
    }
    Ok(())
}
