//! Where commands write cannot be written: the output is full, or nobody reads it. No command
//! panics, none loses what it made, and what a reader does not want is no error.

use anyhow::{Context, ensure};
use assay_tests::process::{assay_command, binaries};
use std::fs::{File, create_dir_all};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

/// `assay-node` with these arguments, from this folder.
fn node_command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(binaries().join("assay-node"));
    command
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null());
    command
}

/// Runs it with a standard output that is full.
fn full(mut command: Command) -> anyhow::Result<Output> {
    let full = File::options().write(true).open("/dev/full")?;
    Ok(command.stdout(full).stderr(Stdio::piped()).output()?)
}

/// Runs it with a standard output that nobody reads.
fn unread(mut command: Command) -> anyhow::Result<Output> {
    let (reader, writer) = std::io::pipe()?;
    drop(reader);
    Ok(command.stdout(writer).stderr(Stdio::piped()).output()?)
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// That it ended with this code, by itself.
fn ended(output: &Output, code: i32, of: &str) -> anyhow::Result<()> {
    ensure!(
        output.status.code() == Some(code) && output.status.signal().is_none(),
        "{of}: {}: {}",
        output.status,
        said(output)
    );
    ensure!(!said(output).contains("panicked"), "{of}: {}", said(output));
    Ok(())
}

/// What each makes, and that its key is shown all the same where standard output is not.
#[test]
fn no_command_loses_a_key_that_it_made() -> anyhow::Result<()> {
    type Run = fn(Command) -> anyhow::Result<Output>;
    let ways: [(&str, Run); 2] = [("full", full), ("unread", unread)];
    for (way, run) in ways {
        let folder = tempfile::tempdir()?;
        let node = ["init", "--dir", "n", "--origin", "log.example/a"];
        let made: [(&[&str], &str); 5] = [
            (&node[..], "log.example/a+"),
            (
                &["mirror", "init", "--dir", "n", "--name", "m.example/m"],
                "m.example/m+",
            ),
            (
                &["audit", "init", "--dir", "n", "--name", "m.example/r"],
                "m.example/r+",
            ),
            (
                &["witness", "init", "--dir", "w", "--name", "w.example/w"],
                "w.example/w+",
            ),
            (
                &["key", "rotate", "log", "--config", "n/node.toml"],
                "log.example/a+",
            ),
        ];
        for (arguments, key) in made {
            let output = run(node_command(folder.path(), arguments))?;
            ended(&output, 3, &format!("{way} {arguments:?}"))?;
            ensure!(
                said(&output).contains(key),
                "{arguments:?}: {}",
                said(&output)
            );
            ensure!(
                said(&output).contains("was made and can be used"),
                "{}",
                said(&output)
            );
        }
        // It is whole: the same again is refused, and its card has the key.
        let again = node_command(folder.path(), &node).output()?;
        ensure!(said(&again).contains("exists already"), "{}", said(&again));
        let card = [
            "peer",
            "card",
            "--config",
            "n/node.toml",
            "--name",
            "a",
            "--url",
        ];
        let card = [&card[..], &["https://log.example"]].concat();
        let card = node_command(folder.path(), &card).output()?;
        ended(&card, 0, "card")?;
        ensure!(String::from_utf8_lossy(&card.stdout).contains("log.example/a+"));
    }
    Ok(())
}

/// A full output is an error; one that nobody reads is none.
#[test]
fn no_command_of_the_node_panics_where_it_cannot_write() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let init = ["init", "--dir", "n", "--origin", "log.example/a"];
    ended(&node_command(folder.path(), &init).output()?, 0, "init")?;
    let config = "n/node.toml";
    let of_node: [&[&str]; 8] = [
        &["--help"],
        &["--version"],
        &["witness", "init", "--help"],
        &["invite"],
        &["man"],
        &["peer", "policy", "--config", config],
        &["peer", "status", "--config", config],
        &[
            "peer",
            "card",
            "--config",
            config,
            "--name",
            "a",
            "--url",
            "https://a.example",
        ],
    ];
    for arguments in of_node {
        // Some have nothing to say of a node without peers, or refuse: then output is not the
        // matter.
        let whole = node_command(folder.path(), arguments).output()?;
        let code = whole.status.code().context("it ended by itself")?;
        let is_told = code == 0 && !whole.stdout.is_empty();
        let of = format!("assay-node {arguments:?}");
        let output = full(node_command(folder.path(), arguments))?;
        ended(&output, if is_told { 3 } else { code }, &of)?;
        let words = said(&output).contains("standard output");
        ensure!(words == is_told, "{of}: {}", said(&output));
        ended(&unread(node_command(folder.path(), arguments))?, code, &of)?;
    }
    Ok(())
}

#[test]
fn no_command_of_the_client_panics_where_it_cannot_write() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let of_client: [&[&str]; 8] = [
        &["--help"],
        &["--version"],
        &["check", "--help"],
        &["man"],
        &["completions", "bash"],
        &["key", "new", "me.pem"],
        &["policy", "init"],
        &["policy", "explain"],
    ];
    for arguments in of_client {
        let own = |name: &str| -> anyhow::Result<_> {
            let folder = folder.path().join(name);
            create_dir_all(&folder)?;
            if arguments[..] == ["policy", "explain"] {
                assay_command(&folder, &["policy", "init"]).output()?;
            }
            Ok(assay_command(&folder, arguments))
        };
        let name = arguments.join("-");
        let whole = own(&format!("{name}.whole"))?.output()?;
        let of = format!("assay {arguments:?}");
        ended(&whole, 0, &of)?;
        let code = if whole.stdout.is_empty() { 0 } else { 3 };
        ended(&full(own(&format!("{name}.full"))?)?, code, &of)?;
        ended(&unread(own(&format!("{name}.unread"))?)?, 0, &of)?;
    }
    Ok(())
}
