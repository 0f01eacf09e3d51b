//! A system that gives a node no more threads, as at a limit of processes: calls are answered, and
//! a start says what to do.

use crate::{AT_ONCE, Fixture, assert_all_there, bad_input::attachments::stored};
use assay_proto::v1::Wait;
use assay_tests::{process::Node, threads::Threads};

/// More connections than a node has serving threads here, so that each has a call that needs a
/// thread for what blocks.
const CALLS: usize = 12;

#[tokio::test(flavor = "multi_thread")]
async fn calls_are_answered_where_no_further_thread_can_be_started() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let threads = Threads::new(folder.path())?;
    let mut node = Node::init()?;
    node.configure(&format!("{AT_ONCE}\nserver.threads = 4"))?;
    node.environment = threads.environment();
    let mut fixture = Fixture::of(node).await?;
    threads.end()?;
    for size in 1..=CALLS {
        stored(&fixture, size).await?;
    }
    let published = fixture.publish(0..9, Wait::Integrated).await?;
    assert_all_there(&fixture.log, &published).await?;
    let page = reqwest::get(format!("{}/p/pkg:cargo/a", fixture.node.ready().url)).await?;
    assert_eq!(page.status().as_u16(), 200);
    let said = fixture.node.stderr();
    assert!(!said.contains("panicked"), "{said}");
    fixture.node.stop()
}

#[test]
fn a_start_without_threads_says_what_to_do() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let threads = Threads::new(folder.path())?;
    threads.end()?;
    let mut node = Node::init()?;
    node.environment = threads.environment();
    let (status, said) = node.run_refused()?;
    assert!(
        status.code().is_some_and(|code| code != 101),
        "{status}: {said}"
    );
    assert!(said.contains("raise the limit of processes"), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    Ok(())
}
