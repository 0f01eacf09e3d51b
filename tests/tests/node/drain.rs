//! SIGTERM: what was taken is finished, what was acknowledged stays, and the process ends well.

use crate::{Fixture, STARTED, assert_all_there};
use assay_proto::v1::{
    PublishItem, PublishResponse, PublishStreamRequest, Wait, publish_result::Result as Outcome,
};
use assay_tests::{
    late::Late,
    log::covering,
    ports::free_address,
    process::{Node, ORIGIN, binaries},
};
use futures::{StreamExt, stream};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use std::time::{Duration, Instant};
use std::{fs, os::unix::fs::symlink, process::Command};
use tokio::{io::AsyncWriteExt, sync::mpsc};

/// Publishes over a stream without end until the node ends it; every acknowledgment goes to
/// `acknowledged`.
async fn publish_on(
    fixture: &Fixture,
    wait: Wait,
    next: Arc<AtomicU64>,
    acknowledged: mpsc::UnboundedSender<PublishResponse>,
) {
    let issuer = assay_tests::issuer::Actor::new(&[1], 1);
    let messages = stream::repeat(()).map(move |()| {
        let items = (0..8).map(|_| {
            let id = next.fetch_add(1, Ordering::SeqCst);
            PublishItem {
                id,
                claim: Some(issuer.claim(id)),
            }
        });
        PublishStreamRequest {
            wait: wait.into(),
            items: items.collect(),
        }
    });
    let mut answers = fixture
        .log
        .service
        .clone()
        .publish_stream(messages)
        .await
        .unwrap()
        .into_inner();
    while let Ok(Some(answer)) = answers.message().await {
        for result in answer.results {
            match result.result {
                Some(Outcome::Published(published)) => acknowledged.send(published).unwrap(),
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_acknowledged_while_stopping_is_there_afterwards() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(
        "log.publish_interval_ms = 20\nserver.drain_s = 1\nadmission.issuer_claims_per_second = 0",
    )
    .await?;
    let mut all = Vec::new();
    let next = Arc::new(AtomicU64::new(1));
    for wait in [Wait::Sequenced, Wait::Integrated] {
        let (send, mut acknowledged) = mpsc::unbounded_channel();
        let publishing = publish_on(&fixture, wait, next.clone(), send);
        let stopping = async {
            // Well under way.
            for _ in 0..200 {
                all.push(acknowledged.recv().await.expect("the stream goes on"));
            }
            fixture.node.signal("TERM")
        };
        let ((), signaled) = tokio::join!(publishing, stopping);
        signaled?;
        while let Some(answer) = acknowledged.recv().await {
            all.push(answer);
        }
        fixture.node.wait()?;
        fixture.run().await?;
        fixture.log.published(covering(&all)).await?;
        assert_all_there(&fixture.log, &all).await?;
    }
    // And whatever was logged and not acknowledged any more, the registration among it.
    assert!(fixture.log.rederive().await?.index.claims() > all.len() as u64);
    Ok(())
}

/// A call in flight when SIGTERM comes is answered, and a new connection is not.
#[tokio::test(flavor = "multi_thread")]
async fn calls_in_flight_are_answered_and_new_ones_are_not() -> anyhow::Result<()> {
    let mut fixture = Fixture::start("log.publish_interval_ms = 400").await?;
    let log = fixture.log.clone();
    // The registration was published just now, so this one waits for the next checkpoint.
    let claim = fixture.issuer.claim(1);
    let in_flight = tokio::spawn(async move { log.publish(claim, Wait::Integrated).await });
    // It has its leaf as soon as it is known; it is published later.
    loop {
        let (_, metrics) = fixture.log.admin("/metrics").await?;
        if metrics.lines().any(|line| line == "assay_tree_size 4") {
            break;
        }
    }
    let url = fixture.node.ready().url.clone();
    fixture.node.signal("TERM")?;
    let answer = in_flight.await??;
    assert_eq!(answer.leaf_index, STARTED);
    fixture.node.wait()?;
    assert!(
        reqwest::get(format!("{url}/checkpoint")).await.is_err(),
        "nobody listens any more"
    );
    fixture.run().await?;
    assert_eq!(fixture.log.size().await?, STARTED + 2);
    assert_all_there(&fixture.log, &[answer]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_idle_node_stops_at_once_also_on_sigint() -> anyhow::Result<()> {
    // `fixture.log` holds an open connection, which is told to go and does: a node that waited for
    // it would do so for an hour, and the test does not.
    let mut fixture = Fixture::start("log.publish_interval_ms = 1\nserver.drain_s = 3600").await?;
    for signal in ["TERM", "INT"] {
        fixture.node.signal(signal)?;
        fixture.node.wait()?;
        fixture.run().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn half_a_request_on_the_admin_port_keeps_no_node() -> anyhow::Result<()> {
    let mut fixture = Fixture::start("").await?;
    let admin = fixture.node.ready().admin.replace("http://", "");
    let mut half = tokio::net::TcpStream::connect(admin).await?;
    half.write_all(b"GET /metrics HTTP/1.1\r\nHost: ").await?;
    // It was accepted, as one that is behind it was answered.
    fixture.log.admin("/healthz").await?;
    fixture.node.stop()
}

/// A store is closed by the last thread that has it. A process that ends meanwhile takes down what
/// that thread still uses, and ends by SIGABRT.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_ends_once_the_last_thread_has_closed_the_store() -> anyhow::Result<()> {
    let late = Duration::from_secs(1);
    let folder = tempfile::tempdir()?;
    let mut fixture = Fixture::start(crate::AT_ONCE).await?;
    fixture.node.stop()?;
    let scrubber = Late::new(folder.path(), "scrub", late)?;
    fixture.node.environment = scrubber.environment();
    fixture.run().await?;
    scrubber.begin()?;
    let began = Instant::now();
    fixture.node.stop()?;
    assert!(began.elapsed() >= late, "{:?}", began.elapsed());
    Ok(())
}

/// As the one before, where a start fails while threads have the store already.
#[tokio::test(flavor = "multi_thread")]
async fn a_ready_file_that_cannot_be_written_is_an_error_like_others() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut fixture = Fixture::start(crate::AT_ONCE).await?;
    fixture.node.stop()?;
    let scrubber = Late::new(folder.path(), "scrub", Duration::from_millis(1))?;
    scrubber.begin()?;
    for _ in 0..8 {
        let started = Command::new(binaries().join("assay-node"))
            .args(["run", "--config"])
            .arg(fixture.node.folder().join("node.toml"))
            .arg("--ready-file")
            .arg(folder.path().join("missing/ready"))
            .envs(scrubber.environment())
            .output()?;
        let said = String::from_utf8_lossy(&started.stderr);
        assert_eq!(started.status.code(), Some(3), "{said}");
        assert!(said.contains("cannot write"), "{said}");
        assert!(!said.contains("shutdown"), "{said}");
    }
    Ok(())
}

/// What is shared in a circle keeps the store of the copies, and the process waits for that as long
/// as an end may take.
#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_copies_a_log_ends_without_that_wait() -> anyhow::Result<()> {
    let copied = "copied.example/log";
    let vkey = Node::init_as(copied)?.vkey()?;
    let more = ["--mirror", "m.example/mirror", "--audit", "m.example/audit"];
    let mut node = Node::init_with(ORIGIN, &more)?;
    node.append_configuration(&format!(
        "[[mirror.log]]\norigin = {copied:?}\nkeys = [{vkey:?}]\nurl = \"http://{}\"",
        free_address()?
    ))?;
    node.run()?;
    let began = Instant::now();
    node.stop()?;
    let took = began.elapsed();
    assert!(
        took < Duration::from_secs(10),
        "{took:?}: {}",
        node.stderr()
    );
    Ok(())
}

/// A process without memory or threads to spare gets none when it has to end.
#[tokio::test(flavor = "multi_thread")]
async fn the_threads_that_end_a_process_are_there_from_the_start() -> anyhow::Result<()> {
    let fixture = Fixture::start("").await?;
    let mut names = Vec::new();
    for task in fs::read_dir(format!("/proc/{}/task", fixture.node.pid()?))? {
        // One may be gone meanwhile.
        names.extend(fs::read_to_string(task?.path().join("comm")).ok());
    }
    for name in ["end\n", "kill\n"] {
        assert!(names.iter().any(|it| it == name), "{name}: {names:?}");
    }
    Ok(())
}

/// A device would become a file, and a link one of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_ready_file_replaces_no_device_and_no_link() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let (kept, link) = (folder.path().join("kept"), folder.path().join("link"));
    fs::write(&kept, "kept")?;
    symlink(&kept, &link)?;
    let node = Node::init()?;
    // One that is not refused runs until then.
    let refused = Command::new("timeout")
        .arg("30")
        .arg(binaries().join("assay-node"))
        .args(["run", "--config"])
        .arg(node.folder().join("node.toml"))
        .arg("--ready-file")
        .arg(&link)
        .output()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(3), "{said}");
    assert!(said.contains("is no regular file"), "{said}");
    assert!(fs::symlink_metadata(&link)?.is_symlink());
    assert_eq!(fs::read_to_string(&kept)?, "kept");
    Ok(())
}
