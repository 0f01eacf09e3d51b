//! A log of ours under a quorum of four projects' witnesses, and other projects' readers of it.

use super::Witnesses;
use anyhow::{Context, ensure};
use assay_proto::v1::Wait;
use assay_tests::{
    aics,
    issuer::Actor,
    log::Log,
    process::{self, Node},
};
use assay_tlog::{checkpoint::VerifiedCheckpoint, note::VerifierKey, tlog_policy::TlogPolicy};
use std::{fs, path::Path, process::Command};

#[tokio::test(flavor = "multi_thread")]
async fn four_projects_witnesses_cosign_a_log_of_ours() -> anyhow::Result<()> {
    let mut node = Node::init()?;
    let vkey = node.vkey()?;
    let logs = [(process::ORIGIN.to_owned(), vkey.clone())];
    let Some(all) = Witnesses::start("witnesses of other projects", &logs)? else {
        return Ok(());
    };
    let text = all.policy()?;
    let policy = TlogPolicy::parse(&text)?.with_log(&VerifierKey::parse(&vkey)?);
    fs::write(node.folder().join("quorum.policy"), &text)?;
    node.append_configuration("[quorum]\npolicy = \"quorum.policy\"")?;
    node.run()?;

    let log = Log::connect(node.ready()).await?;
    let issuer = Actor::new(&[1], 1);
    let (mut size, mut leaf, mut notes) = (0, 0, Vec::new());
    for claim in [issuer.registration()?, issuer.claim(1), issuer.claim(2)] {
        let answer = log.publish(claim, Wait::Witnessed).await?;
        assert_eq!(answer.reached(), Wait::Witnessed, "{}", node.stderr());
        let note = log.get("/checkpoint").await?.text().await?;
        let quorum = policy.verify(&note)?;
        let all = ["omni-a", "omni-b", "ours-a", "ours-b", "lite", "aics"];
        assert_eq!(quorum.witnesses(), all);
        assert!(quorum.checkpoint().size.get() > size);
        size = quorum.checkpoint().size.get();
        leaf = answer.leaf_index;
        notes.push(note);
    }
    aics_tlog_agrees(&all, &node, &notes)?;
    tlog_scales_makes_the_same_proof(&all, &node, leaf)
}

/// A note with the log's own signature only.
fn bare(note: &str, log: &VerifierKey) -> anyhow::Result<String> {
    let body = note.split_once("\n\n").context("no signatures")?.0;
    let own = note
        .lines()
        .find(|line| line.starts_with(&format!("\u{2014} {} ", log.name())));
    let bare = format!("{body}\n\n{}\n", own.context("the log signed nothing")?);
    VerifiedCheckpoint::verify(&bare, log)?;
    Ok(bare)
}

/// `aics-tlog` finds the quorum of four on the head, proves it from the tiles to extend the first
/// one, and refuses a head that nobody cosigned.
fn aics_tlog_agrees(all: &Witnesses, node: &Node, notes: &[String]) -> anyhow::Result<()> {
    let file = |name: &str, note: &str| {
        let path = all.folder.path().join(name);
        fs::write(&path, note)?;
        anyhow::Ok(path)
    };
    let key = VerifierKey::parse(&node.ready().vkey)?;
    let (first, last) = (&notes[0], &notes[notes.len() - 1]);
    let bare = bare(last, &key)?;
    let (first, last, bare) = (
        file("first", first)?,
        file("last", last)?,
        file("bare", &bare)?,
    );
    let ours = all.ours.ready()?;
    let run = |arguments: &[&str], files: &[(&str, &Path)], quorum: &str| {
        let mut command = Command::new(all.programs.join("aics-tlog"));
        command
            .args(arguments)
            .args(["--log-key", &key.to_string()]);
        for key in [
            &all.lite.vkey,
            &all.aics.vkey,
            &all.omni.vkeys[0],
            &ours.vkeys[0],
        ] {
            command.args(["--witness-key", key]);
        }
        command.args(["--quorum", quorum, "--max-age", "3600"]);
        for (option, path) in files {
            command.arg(option).arg(path);
        }
        aics::run(&mut command)
    };
    let tiles = ["--tiles", &node.ready().url];
    let head = ["verify-checkpoint"];
    run(&head, &[("--note", &last)], "4")?;
    ensure!(
        run(&head, &[("--note", &last)], "5").is_err(),
        "four are not five"
    );
    ensure!(
        run(&head, &[("--note", &bare)], "1").is_err(),
        "nobody is a quorum"
    );
    let grown = [&["verify-consistency"], &tiles[..]].concat();
    run(
        &grown,
        &[("--old-checkpoint", &first), ("--checkpoint", &last)],
        "4",
    )?;
    let shrunk = [("--old-checkpoint", &*last), ("--checkpoint", &*first)];
    ensure!(run(&grown, &shrunk, "4").is_err(), "it shrank");
    run(
        &[&["verify-inclusion", "--index", "2"], &tiles[..]].concat(),
        &[],
        "4",
    )?;
    Ok(())
}

/// `tlog-scales` makes from the tiles the bytes of our receipt, which has the claim's issuers in
/// its `extra` line besides.
fn tlog_scales_makes_the_same_proof(all: &Witnesses, node: &Node, leaf: u64) -> anyhow::Result<()> {
    let ready = node.ready();
    let folder = all.folder.path();
    let leaf = leaf.to_string();
    let receipt = [
        "receipt",
        &leaf,
        "--log",
        &ready.url,
        "--log-key",
        &ready.vkey,
        "--out",
        "r",
    ];
    let output = process::assay(folder, &receipt)?;
    ensure!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut proofs = 0;
    for file in fs::read_dir(folder.join("r"))? {
        let path = file?.path();
        if path
            .extension()
            .is_none_or(|extension| extension != "tlog-proof")
        {
            continue;
        }
        let ours = fs::read_to_string(&path)?;
        let line = ours.lines().find_map(|line| line.strip_prefix("index "));
        let mut command = Command::new(all.programs.join("tlog-tiles"));
        command.args(["gen-proof", &ready.url, line.context("no index")?]);
        let theirs = aics::run(&mut command)?;
        let plain = ours.lines().filter(|line| !line.starts_with("extra "));
        let plain: String = plain.map(|line| format!("{line}\n")).collect();
        assert_eq!(theirs, plain);
        proofs += 1;
    }
    // The claim, and its issuer's record.
    assert_eq!(proofs, 2);
    Ok(())
}
