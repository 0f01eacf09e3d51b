//! What this machine remembers of logs, where it cannot, and where it is told not to.

use crate::world::{ASKED, World, exits, purl};
use assay_tests::process::assay_command;
use std::{fs, path::Path, process::Command};

/// The program at the node, not run yet. It has a home folder to look into, and it is not there.
fn command(world: &World, home: &Path, more: &[&str]) -> Command {
    let ready = world.node.ready();
    let purl = purl(ASKED);
    let asked = [
        "lookup",
        &purl,
        "--log",
        &ready.url,
        "--log-key",
        &ready.vkey,
    ];
    let mut command = assay_command(world.folder(), &[&asked, more].concat());
    command
        .env("HOME", home)
        .env_remove("XDG_CONFIG_HOME")
        .env_remove("XDG_STATE_HOME");
    command
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_remembered_where_that_is_asked_for() -> anyhow::Result<()> {
    let world = World::start().await?;
    let (home, temporary) = (tempfile::tempdir()?, tempfile::tempdir()?);
    let policy = ["--policy", "policy.toml", "--state-dir", "none"];
    for (quiet, is_said) in [(&[][..], true), (&["--quiet"][..], false)] {
        let mut command = command(&world, home.path(), &[&policy, quiet].concat());
        let output = command.env("TMPDIR", temporary.path()).output()?;
        exits(&output, 0, ASKED);
        let told = String::from_utf8_lossy(&output.stderr);
        let note = "note: nothing is remembered from one run to the next";
        assert_eq!(told.contains(note), is_said, "{told}");
        for folder in [home.path(), temporary.path()] {
            assert_eq!(fs::read_dir(folder)?.count(), 0, "{}", folder.display());
        }
    }
    // A folder of that name is another thing.
    let kept = ["--policy", "policy.toml", "--state-dir", "./none"];
    exits(&command(&world, home.path(), &kept).output()?, 0, ASKED);
    assert!(world.folder().join("none/heads").is_dir());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_remember_is_told_what_to_do() -> anyhow::Result<()> {
    let world = World::start().await?;
    let home = tempfile::tempdir()?;
    let nowhere = ["--policy", "policy.toml", "--state-dir", "/dev/null"];
    let refused = command(&world, home.path(), &nowhere).output()?;
    exits(&refused, 3, "--state-dir none");

    // A project cannot say whom to trust, nor is anything written into it.
    let planted = world.folder().join(".config/assay");
    fs::create_dir_all(&planted)?;
    fs::write(planted.join("config.toml"), "not = a configuration")?;
    fs::write(planted.join("policy.toml"), "not = a policy")?;
    let homeless = command(&world, Path::new("."), &[]).output()?;
    exits(&homeless, 3, "--state-dir none");
    assert!(!world.folder().join(".local").exists());
    let forgetful = command(&world, Path::new("."), &["--state-dir", "none"]).output()?;
    exits(&forgetful, 0, ASKED);
    Ok(())
}
