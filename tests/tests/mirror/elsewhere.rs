//! A log that is gone, or serves what it did not sign: a new mirror has its copy from another one.

use crate::damage::peer;
use crate::{Pair, publish};
use assay_proto::v1::Wait;
use assay_tests::{issuer::Actor, log::Log};

/// What becomes of the log after another mirror has copied it.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    /// Of things whose path has this in it, a bit is wrong.
    Wrong(&'static str),
    /// It does not answer any more.
    Gone,
}

/// A new mirror is as the log was, up to the newest head that the log signed.
async fn caught_up(trouble: Trouble) -> anyhow::Result<()> {
    let mut pair = Pair::new().await?;
    let log = Log::connect(pair.log.ready()).await?;
    let issuer = Actor::new(&[1], 1);
    log.publish(issuer.registration()?, Wait::Sequenced).await?;
    let size = publish(&log, &issuer, 0..700).await?;
    let theirs = pair.log.ready().url.clone();
    let note = log.get("/checkpoint").await?.text().await?;
    let right = pair.read(&theirs, &pair.verifier.verify(&note)?).await?;
    let other = peer(&pair).await?;
    match trouble {
        Trouble::Wrong(part) => {
            pair.proxy.conduct().target = Some(theirs);
            pair.proxy.conduct().flip = Some(part);
        }
        Trouble::Gone => pair.log.kill()?,
    }
    pair.mirror.node.run()?;
    let head = pair.until_shown(size).await?;
    assert!(
        pair.read(&pair.url(), &head).await? == right,
        "{trouble:?}: not what the log published"
    );
    // The operator is told of both: what the log does, and who helps.
    let said = pair.mirror.node.stderr();
    let other = other.ready().url.as_str();
    for words in ["a log cannot be mirrored", "another mirror has", other] {
        assert!(
            said.contains(words),
            "{trouble:?}: {words} is not in {said}"
        );
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_mirror_of_a_log_that_serves_wrong_entries_has_them_from_another()
-> anyhow::Result<()> {
    caught_up(Trouble::Wrong("entries/001")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_mirror_of_a_log_that_serves_wrong_tiles_has_them_from_another() -> anyhow::Result<()>
{
    caught_up(Trouble::Wrong("tile/0")).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_mirror_of_a_log_that_is_gone_has_all_of_it_from_another() -> anyhow::Result<()> {
    caught_up(Trouble::Gone).await
}
