//! Stopping, dying, and being started on something else than what was left: the node goes on only
//! where it cannot contradict what it signed, and says why where it does not.
//!
//! Where a guard keeps it from starting, a second part of the test takes the guard away, starts,
//! and shows two signed roots for one size: it was that guard, and it is needed.

mod clock;
mod put_back;
pub mod write_ahead_log;

use crate::{AT_ONCE, Fixture, NEVER, assert_all_there};
use assay_proto::v1::{Wait, index_service_server, log_service_server};
use assay_tests::{
    log::{Log, covering},
    process::{Node, copy_folder},
};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use std::{fs, path::Path, time::Duration};
use tonic::transport::Endpoint;
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
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
async fn two_nodes_on_one_folder_do_not_both_run() -> anyhow::Result<()> {
    let fixture = Fixture::start(AT_ONCE).await?;
    let folder = fixture.node.folder();
    fixture.publish(1..3, Wait::Integrated).await?;
    let mut second = Node::beside(&fixture.node, "")?;
    assert_refuses(&mut second, &["is locked", "another node runs on this log"])?;
    // With a checkpoint file of its own it still has no data folder of its own.
    let checkpoints = tempfile::tempdir()?;
    let own = checkpoints.path().join("checkpoints");
    fs::copy(folder.join("checkpoints"), &own)?;
    second.configure(&format!("log.checkpoint_file = {own:?}"))?;
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
    fs::copy(folder.join("checkpoints"), &own)?;
    let data = copy.path().join("data");
    second.configure(&format!(
        "log.checkpoint_file = {own:?}\nstorage.path = {data:?}"
    ))?;
    assert_refuses(&mut second, &["has the peers in", "federation.peers"])?;
    let (peers, socket) = (copy.path().join("peers"), copy.path().join("socket"));
    second.configure(&format!(
        "federation.peers = {peers:?}\nfederation.admin_socket = {socket:?}"
    ))?;
    second.run()?;
    let other = Log::connect(second.ready()).await?;
    assert_eq!(other.checkpoint().await?, signed);
    fixture.publish(6..7, Wait::Integrated).await?;
    let signed = fixture.log.checkpoint().await?;
    assert_forks(&other, &fixture.issuer, &signed).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_file_that_is_replaced_under_a_running_node_stops_the_signing()
-> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let checkpoints = fixture.node.folder().join("checkpoints");
    let acknowledged = fixture.publish(1..4, Wait::Integrated).await?;
    let signed = fixture.log.checkpoint().await?;
    let copy = fixture.node.folder().join("copy");
    fs::copy(&checkpoints, &copy)?;
    fs::rename(&copy, &checkpoints)?;
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
    for (service, is_served) in [
        ("", false),
        (log_service_server::SERVICE_NAME, false),
        (index_service_server::SERVICE_NAME, true),
    ] {
        until_health_says(&fixture, service, is_served).await?;
    }
    assert_eq!(fixture.log.checkpoint().await?, signed);
    assert_all_there(&fixture.log, &acknowledged).await?;
    // A start looks at what there is, and goes on: the tree is ahead of the checkpoint file.
    fixture.node.stop()?;
    fixture.run().await?;
    // With the commitment, which was stored before the checkpoint file was found to be another:
    // there is no second one.
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
        &["node.toml", "log.key", "checkpoints"],
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

/// Waits until the standard health service says so of a service. Whoever watches is told of each
/// change.
async fn until_health_says(
    fixture: &Fixture,
    service: &str,
    is_served: bool,
) -> anyhow::Result<()> {
    let channel = Endpoint::from_shared(fixture.node.ready().url.clone())?;
    let mut health = HealthClient::new(channel.connect().await?);
    let request = HealthCheckRequest {
        service: service.into(),
    };
    let wanted = if is_served {
        ServingStatus::Serving
    } else {
        ServingStatus::NotServing
    };
    let told = async {
        let mut told = health.watch(request).await?.into_inner();
        while let Some(now) = told.message().await? {
            if now.status() == wanted {
                return Ok(());
            }
        }
        anyhow::bail!("health ends before it says {wanted:?} of {service:?}")
    };
    tokio::time::timeout(Duration::from_secs(10), told).await?
}

/// What an init leaves that was killed before its last step.
#[test]
fn an_init_that_was_cut_off_says_what_to_do() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("log");
    let init = || {
        std::process::Command::new(assay_tests::process::binaries().join("assay-node"))
            .args(["init", "--origin", assay_tests::process::ORIGIN, "--dir"])
            .arg(&log)
            .output()
    };
    assert!(init()?.status.success());
    fs::rename(log.join("node.toml"), log.join("node.toml.new"))?;
    let refused = init()?;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("was cut off"),
        "{said}"
    );
    assert!(
        said.contains(&format!("Remove {}", log.display())),
        "{said}"
    );
    fs::remove_dir_all(&log)?;
    assert!(init()?.status.success());
    Ok(())
}
