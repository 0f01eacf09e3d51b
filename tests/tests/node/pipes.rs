//! What stands in the place of a node's files and is no file: a start says which and what it is,
//! and waits for nobody.

use assay_tests::{
    faults::files,
    process::{Node, ORIGIN, binaries},
};
use std::{fs, path::Path, process::Command};

/// What each test is bounded by: what waits for a pipe waits for ever.
const BOUND: [&str; 2] = ["timeout", "30"];

fn make_pipe(path: &Path) {
    let made = Command::new("mkfifo").arg(path).status();
    assert!(made.unwrap().success(), "{path:?}");
}

/// A node with every part, that ran once.
fn whole_node() -> anyhow::Result<Node> {
    let parts = [
        ["--witness", "test.assay.example/witness"],
        ["--mirror", "test.assay.example/mirror"],
        ["--audit", "test.assay.example/audit"],
    ];
    let mut node = Node::init_with(ORIGIN, &parts.concat())?;
    node.wrapper = BOUND.map(str::to_owned).to_vec();
    node.run()?;
    node.stop()?;
    Ok(node)
}

/// Starts the node, which must refuse and say of this file what it is.
fn assert_named(node: &mut Node, file: &Path, what: &str) -> anyhow::Result<()> {
    let (status, said) = node.run_refused()?;
    let name = file.file_name().unwrap().to_str().unwrap();
    assert!(status.code() != Some(124), "{file:?} is waited for: {said}");
    for words in [name, what, "move it away"] {
        assert!(said.contains(words), "{file:?}: {words:?} in {said}");
    }
    Ok(())
}

#[test]
fn a_pipe_in_the_place_of_any_file_of_a_node_is_named_and_not_waited_for() -> anyhow::Result<()> {
    let mut node = whole_node()?;
    let folder = node.folder().to_owned();
    let mut own = files(&folder)?;
    own.retain(|file| {
        file.extension()
            .is_none_or(|end| end != "stderr" && end != "ready")
    });
    // Nobody makes these two without need.
    own.extend(["peers.toml", "witness/listed.toml"].map(|name| folder.join(name)));
    assert!(own.len() > 30, "{own:?}");
    let aside = folder.join("aside");
    for file in own {
        let was_there = file.exists();
        if was_there {
            fs::rename(&file, &aside)?;
        }
        make_pipe(&file);
        assert_named(&mut node, &file, "it is a named pipe")?;
        fs::remove_file(&file)?;
        if was_there {
            fs::rename(&aside, &file)?;
        }
    }
    node.run()?;
    node.stop()
}

/// The files that only a configuration names.
#[test]
fn what_a_configuration_names_and_is_no_file_is_named() -> anyhow::Result<()> {
    let mut node = whole_node()?;
    let pipe = node.folder().join("pipe");
    make_pipe(&pipe);
    let config = node.folder().join("node.toml");
    let before = fs::read_to_string(&config)?;
    let tables = [
        "[quorum]\npolicy = \"pipe\"",
        "[server.tls]\ncertificate = \"pipe\"\nkey = \"log.key\"",
    ];
    for table in tables {
        node.append_configuration(table)?;
        assert_named(&mut node, &pipe, "it is a named pipe")?;
        fs::write(&config, &before)?;
    }
    for (edit, name, what) in [
        ("log.key = \"data\"", "data", "it is a folder"),
        (
            "log.checkpoint_file = \"/dev/zero\"",
            "zero",
            "it is a device",
        ),
    ] {
        node.configure(edit)?;
        assert_named(&mut node, Path::new(name), what)?;
        fs::write(&config, &before)?;
    }
    Ok(())
}

/// `<(…)` of a shell, and `/dev/stdin`, are pipes that somebody writes to.
#[test]
fn a_configuration_that_is_handed_over_open_is_read() -> anyhow::Result<()> {
    let node = Node::init()?;
    let key = node.folder().join("log.key");
    node.configure(&format!("log.key = {key:?}"))?;
    for script in [
        "cat node.toml | \"$0\" peer list --config /dev/stdin",
        "\"$0\" peer list --config <(cat node.toml)",
    ] {
        let output = Command::new("timeout")
            .args(["60", "bash", "-c", script])
            .arg(binaries().join("assay-node"))
            .current_dir(node.folder())
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {said}");
        assert!(said.starts_with("No peers."), "{script}: {said}");
    }
    Ok(())
}

/// What the command line is set up by.
#[test]
fn a_pipe_in_the_place_of_a_setting_of_the_command_line_is_named() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let settings = folder.path().join("config/assay");
    fs::create_dir_all(&settings)?;
    for (name, arguments) in [
        ("config.toml", ["key", "show"]),
        ("policy.toml", ["policy", "test"]),
        ("key.pem", ["key", "show"]),
    ] {
        let pipe = settings.join(name);
        make_pipe(&pipe);
        let output = Command::new("timeout")
            .arg("60")
            .arg(binaries().join("assay"))
            .args(arguments)
            .env("HOME", folder.path())
            .env("XDG_CONFIG_HOME", folder.path().join("config"))
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{name}: {said}");
        assert!(said.contains(name), "{name}: {said}");
        assert!(said.contains("a named pipe"), "{name}: {said}");
        fs::remove_file(&pipe)?;
    }
    Ok(())
}
