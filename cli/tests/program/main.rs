//! The program itself, where no node is needed: what it makes of options, and `assay verify` of
//! receipts and policies.

#![allow(clippy::unwrap_used, clippy::expect_used)] // A test that cannot go on panics.

mod made;
mod options;
mod respelled;
mod verify;

use std::path::Path;
use std::process::{Command, Output, Stdio};

/// Runs the program from `folder`, which is its home too, without any `ASSAY_*` of the environment.
fn assay(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_assay"));
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ASSAY_") {
            command.env_remove(name);
        }
    }
    command
        .env("HOME", folder)
        .env("XDG_CONFIG_HOME", folder.join("config"))
        .env("XDG_STATE_HOME", folder.join("state"))
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

/// Its exit code, and what it wrote to stdout and to stderr.
fn ended(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (
        output.status.code().unwrap(),
        text(&output.stdout),
        text(&output.stderr),
    )
}
