//! The JavaScript SDK (`sdk/js`): its own tests, in Node.js.

use assay_tests::{aics::run, data, js};
use std::{path::Path, process::Command};

#[test]
fn its_own_tests_pass() -> anyhow::Result<()> {
    let Some(node) = js::require_node("the JavaScript SDK") else {
        return Ok(());
    };
    let mut command = Command::new(node);
    command
        .args(["--test", "--test-concurrency=2"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/js"))
        .env("ASSAY_TEST_DATA", data::root());
    run(&mut command).map(drop)
}
