//! A client of tlog-mirror that is none of ours: in Python, from the specification, with hashing,
//! packages and tree proofs of its own (`tests/interop/python/add_entries.py`).

use super::*;
use assay_tests::aics::{require_python, run};
use std::{collections::BTreeSet, path::Path, process::Command};

const ORIGIN: &str = "python.example/log";

/// It checks every answer that it gets, and all that the mirror serves at each size, byte for byte.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_its_own_brings_a_log() -> anyhow::Result<()> {
    let Some(programs) = require_python("a client of add-entries in Python") else {
        return Ok(());
    };
    let client = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/python/add_entries.py");
    let python = |arguments: &[&str]| {
        let mut command = Command::new(programs.join("python"));
        run(command.arg(&client).args(arguments))
    };
    let vkey = python(&["vkey"])?;
    let mut mirror = Mirror::init("mirror.example/m", "")?;
    mirror.add_log(ORIGIN, vkey.trim(), "http://127.0.0.1:1")?;
    mirror.node.run()?;
    let prefix = format!("{}/mirror", mirror.node.ready().url);
    let [a, b] = [&mirror.vkeys[0], &mirror.vkeys[1]];
    let met = python(&["push", &prefix, &mirror.copy_of(ORIGIN), a, b])?;
    let met: BTreeSet<(String, u16)> = serde_json::from_str(&met)?;
    let expected = [("add-checkpoint", 200), ("add-checkpoint", 409)].into_iter();
    let expected = expected.chain([200, 202, 400, 404, 409, 422].map(|it| ("add-entries", it)));
    let expected: BTreeSet<_> = expected.map(|(path, it)| (path.to_owned(), it)).collect();
    assert_eq!(met, expected);

    // By our own verifier it is the same, and after a kill.
    let log = LogVerifier::new(ORIGIN, vec![VerifierKey::parse(vkey.trim())?])?;
    let head = mirror.until_shown(&log, 9707).await?;
    mirror.node.kill()?;
    mirror.node.run()?;
    assert_eq!(mirror.until_shown(&log, 9707).await?, head);
    Ok(())
}
