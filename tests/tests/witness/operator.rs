//! What the operator says to a witness.

use super::{ORIGIN, text};
use assay_node::storage::{
    Batch, Table, Tables,
    rocks::{Options, Rocks},
};
use assay_tests::{
    process::binaries,
    witness::{History, NAME, Witness},
};
use assay_tlog::{
    Hash,
    hash::empty_root,
    note::{Algorithm, VerifierKey},
};
use std::{
    fs,
    process::{Command, Output},
    time::{SystemTime, UNIX_EPOCH},
};

#[tokio::test]
async fn a_pinned_log_has_to_extend_what_is_known_of_it() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let mut witness = Witness::init()?;
    witness.add_log(&log.origin, &log.vkey())?;
    let root = log.checkpoint(5).root.to_string();
    let pin = ["pin", "--origin", ORIGIN, "--size", "5", "--root", &root];
    assert!(witness.command(&pin)?.status.success());
    witness.run()?;
    assert_eq!(witness.add(log.request(0, 7)?).await?.status, 409);
    // Of another size: two trees of one size would convict the log.
    assert_eq!(witness.add(log.fork(4).request(5, 8)?).await?.status, 422);
    assert_eq!(witness.add(log.request(5, 7)?).await?.status, 200);
    witness.stop()?;
    let again = witness.command(&pin)?;
    let said = String::from_utf8(again.stderr)?;
    assert!(!again.status.success());
    assert!(said.contains("the size 7 was cosigned already"), "{said}");
    Ok(())
}

/// A clock more than a day above the floor signs nothing until somebody has looked at it.
#[tokio::test]
async fn a_clock_that_jumped_is_confirmed_by_the_operator() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let mut witness = Witness::init()?;
    witness.add_log(&log.origin, &log.vkey())?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let long_ago = now - 3 * 86_400;
    let store = Rocks::open(&witness.folder().join("data"), Options::default())?;
    let mut batch = Batch::new();
    batch.put(Table::Witness, *b"floor", long_ago.to_be_bytes().to_vec());
    store.commit(batch)?;
    drop(store);

    witness.run()?;
    let ahead = "the witness's clock has jumped ahead and nobody has confirmed it\n";
    assert_eq!(witness.add(log.request(0, 8)?).await?, text(503, ahead));
    assert!(witness.stderr().contains("witness clock-ok"));
    witness.stop()?;
    assert!(witness.command(&["clock-ok"])?.status.success());
    witness.run()?;
    assert_eq!(witness.add(log.request(0, 8)?).await?.status, 200);
    Ok(())
}

#[tokio::test]
async fn health_and_keys_are_told() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let witness = Witness::start(&[&log])?;
    let ready = witness.ready()?;
    let keys = ready.vkeys.iter().map(|key| VerifierKey::parse(key));
    let keys = keys.collect::<Result<Vec<_>, _>>()?;
    let algorithms: Vec<_> = keys.iter().map(VerifierKey::algorithm).collect();
    assert_eq!(algorithms, [Algorithm::CosignatureV1, Algorithm::MlDsa44]);
    assert!(keys.iter().all(|key| key.name() == NAME));
    assert_eq!(witness.admin("/readyz").await?.body, "ready\n");
    assert_eq!(witness.add(log.request(0, 8)?).await?.status, 200);
    let metrics = witness.admin("/metrics").await?.body;
    let counted = "assay_witness_requests_total{status=\"200\"} 1";
    assert!(metrics.contains(counted), "{metrics}");
    Ok(())
}

#[tokio::test]
async fn a_pin_is_of_a_log_that_is_configured_and_of_a_tree_that_can_be() -> anyhow::Result<()> {
    let log = History::new(ORIGIN, 8)?;
    let witness = Witness::init()?;
    let (root, nothing) = (log.checkpoint(5).root, empty_root());
    let pin = |size: &str, root: Hash| {
        let root = root.to_string();
        witness.command(&["pin", "--origin", ORIGIN, "--size", size, "--root", &root])
    };
    let refused = |output: Output, why: &str| {
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{said}");
    };
    refused(pin("5", root)?, ORIGIN);
    witness.add_log(&log.origin, &log.vkey())?;
    refused(pin("0", root)?, "the root of a tree of size 0");
    for (size, root) in [("0", nothing), ("5", root)] {
        assert!(pin(size, root)?.status.success(), "{size}");
    }
    Ok(())
}

/// Each file of a witness in turn is there already when one is made.
#[test]
fn a_new_witness_overwrites_nothing() -> anyhow::Result<()> {
    let old = Witness::init()?;
    let mut names = Vec::new();
    for entry in fs::read_dir(old.folder())? {
        names.push(entry?.file_name());
    }
    assert!(names.len() >= 4, "{names:?}");
    for name in names {
        let folder = tempfile::tempdir()?;
        let there = folder.path().join(&name);
        fs::write(&there, "mine")?;
        let mut init = Command::new(binaries().join("assay-node"));
        init.args(["witness", "init", "--name", NAME, "--dir"]);
        let output = init.arg(folder.path()).output()?;
        let said = String::from_utf8(output.stderr)?;
        assert!(!output.status.success(), "{name:?}");
        assert!(said.contains(&*name.to_string_lossy()), "{name:?}: {said}");
        assert_eq!(fs::read(&there)?, b"mine", "{name:?}");
        let left = fs::read_dir(folder.path())?.count();
        assert_eq!(left, 1, "{name:?}: {said}");
    }
    Ok(())
}
