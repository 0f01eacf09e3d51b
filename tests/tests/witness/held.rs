//! Witnesses whose Ed25519 key somebody else holds: an ssh-agent that comes, goes, hangs and loses
//! the key, and a PKCS#11 token that fails.

use super::{ORIGIN, cosigned, size};
use anyhow::{Context as _, ensure};
use assay_tests::{
    process::{binaries, poll_async},
    ssh_agent::{AgentKey, SshAgent},
    token::{Token, require_softhsm},
    witness::{History, NAME, Witness},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Output},
    time::{Duration, Instant},
};

fn key_at_hand() -> anyhow::Result<Option<AgentKey>> {
    AgentKey::at_hand("a witness with its key in an ssh-agent")
}

/// Makes a witness of these logs, which does not run yet. The agent must be there.
fn witness_of(key: &AgentKey, logs: &[&History]) -> anyhow::Result<Witness> {
    made(
        &key.arguments().each_ref().map(String::as_str),
        Vec::new(),
        logs,
    )
}

fn made(
    arguments: &[&str],
    environment: Vec<(String, String)>,
    logs: &[&History],
) -> anyhow::Result<Witness> {
    let witness = Witness::init_within(NAME, arguments, environment)?;
    for log in logs {
        witness.add_log(&log.origin, &log.vkey())?;
    }
    ensure!(!witness.folder().join("witness.key").exists());
    Ok(witness)
}

/// Has a head cosigned, by both keys.
async fn assert_cosigns(
    witness: &Witness,
    log: &History,
    old: usize,
    new: usize,
) -> anyhow::Result<()> {
    let said = witness.add(log.request(old, new)?).await?;
    ensure!(said.status == 200, "{said:?}");
    cosigned(witness, &(log.note(new) + &said.body));
    Ok(())
}

/// A head is not cosigned, and why is nobody's business but the operator's.
async fn assert_refused(
    witness: &Witness,
    log: &History,
    old: usize,
    new: usize,
) -> anyhow::Result<()> {
    let said = witness.add(log.request(old, new)?).await?;
    let words = "the checkpoint could not be signed; ask again\n";
    ensure!(said.status == 503 && said.body == words, "{said:?}");
    Ok(())
}

async fn unsigned(witness: &Witness) -> anyhow::Result<Option<String>> {
    let metrics = witness.admin("/metrics").await?.body;
    let name = format!("assay_cosigner_unsigned{{name=\"{NAME}\"}} ");
    let value = metrics.lines().find_map(|line| line.strip_prefix(&name));
    Ok(value.map(str::to_owned))
}

/// Waits until the witness says that it cosigns nothing, with these words.
async fn assert_unsigned(witness: &Witness, words: &str) -> anyhow::Result<()> {
    let said = poll_async(async || {
        let said = witness.admin("/readyz").await?;
        Ok((said.status == 503 && said.body.contains(words)).then_some(said.body))
    });
    let said = said.await.with_context(|| words.to_owned())?;
    ensure!(said.contains("nothing is cosigned"), "{said}");
    ensure!(unsigned(witness).await?.as_deref() == Some("1"), "{said}");
    Ok(())
}

/// Waits until the witness is ready, though nobody asks it for anything.
async fn assert_ready(witness: &Witness) -> anyhow::Result<()> {
    let ready = poll_async(async || {
        let said = witness.admin("/readyz").await?;
        Ok((said.status == 200).then_some(()))
    });
    ready.await.with_context(|| witness.stderr())?;
    ensure!(unsigned(witness).await?.unwrap_or_default() != "1");
    Ok(())
}

#[tokio::test]
async fn a_witness_whose_agent_is_away_signs_nothing_and_forgets_nothing() -> anyhow::Result<()> {
    let Some(keys) = key_at_hand()? else {
        return Ok(());
    };
    let agent = keys.agent()?;
    let log = History::new(ORIGIN, 30)?;
    let mut witness = witness_of(&keys, &[&log])?;
    witness.run()?;
    assert_cosigns(&witness, &log, 0, 5).await?;
    assert_ready(&witness).await?;

    drop(agent);
    // It is stored before whoever holds the key is asked, and is held from then on.
    assert_refused(&witness, &log, 5, 9).await?;
    assert_unsigned(&witness, "cannot be reached").await?;
    assert_eq!(witness.monitored(ORIGIN).await?.status, 503);
    let fork = log.fork(0);
    assert_eq!(witness.add(fork.request(5, 10)?).await?, size(9));
    assert_eq!(witness.add(fork.request(9, 10)?).await?.status, 422);
    witness.stop()?;
    witness.run()?;
    assert_unsigned(&witness, "cannot be reached").await?;
    assert_eq!(witness.monitored(ORIGIN).await?.status, 503);

    let agent = SshAgent::start(&keys.socket())?;
    assert_unsigned(&witness, "does not hold the key").await?;
    keys.add_to(&agent)?;
    assert_ready(&witness).await?;
    let monitored = witness.monitored(ORIGIN).await?;
    assert_eq!(monitored.status, 200);
    let (head, _) = cosigned(&witness, &monitored.body);
    assert_eq!(head.checkpoint().size.get(), 9);
    assert_eq!(witness.add(fork.request(5, 10)?).await?, size(9));
    assert_cosigns(&witness, &log, 9, 12).await?;
    witness.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_that_hangs_holds_neither_callers_nor_the_end() -> anyhow::Result<()> {
    let Some(keys) = key_at_hand()? else {
        return Ok(());
    };
    let agent = keys.agent()?;
    let names: Vec<String> = (0..20).map(|n| format!("log.example/{n}")).collect();
    let logs: Result<Vec<_>, _> = names.iter().map(|name| History::new(name, 9)).collect();
    let logs = logs?;
    let mut witness = witness_of(&keys, &logs.iter().collect::<Vec<_>>())?;
    witness.run()?;
    assert_cosigns(&witness, &logs[0], 0, 5).await?;
    agent.freeze()?;
    // One after the other would take twenty times the two seconds that the agent has.
    let began = Instant::now();
    let asked = logs[1..].iter();
    let asked = asked.map(|log| assert_refused(&witness, log, 0, 5));
    futures::future::try_join_all(asked).await?;
    ensure!(began.elapsed() < Duration::from_secs(20), "{began:?}");
    assert_unsigned(&witness, "did not answer within 2s").await?;
    witness.stop()?;
    drop(agent);
    let _agent = keys.agent()?;
    witness.run()?;
    for log in &logs[1..] {
        assert_cosigns(&witness, log, 5, 9).await?;
    }
    assert_ready(&witness).await
}

#[tokio::test]
async fn a_token_that_fails_is_blamed_and_nothing_of_it_leaves() -> anyhow::Result<()> {
    let softhsm = require_softhsm("a witness with its key in a token");
    let Some(token) = softhsm.map(|it| Token::new(&it, &[7; 32])).transpose()? else {
        return Ok(());
    };
    let log = History::new(ORIGIN, 30)?;
    let uri = token.uri_that_fails();
    let mut witness = made(&["--token-key", &uri], token.environment(), &[&log])?;
    witness.run()?;
    assert_cosigns(&witness, &log, 0, 1).await?;
    let failures = [
        ("gone", "is not there"),
        ("locked", "is locked"),
        ("lost", "does not hold the key"),
        ("wrong", "is at fault: it signed with another key"),
        ("short", "is at fault"),
        ("hang", "did not answer within 5s"),
    ];
    for (held, (how, words)) in (1..).zip(failures) {
        token.fail(how)?;
        assert_refused(&witness, &log, held, held + 1).await?;
        assert_unsigned(&witness, words).await?;
        assert_eq!(witness.monitored(ORIGIN).await?.status, 503, "{how}");
        token.fail("")?;
        assert_ready(&witness).await?;
        let monitored = witness.monitored(ORIGIN).await?.body;
        let (head, _) = cosigned(&witness, &monitored);
        assert_eq!(head.checkpoint().size.get(), held as u64 + 1);
    }
    assert_cosigns(&witness, &log, 7, 9).await?;
    witness.stop()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Runs `assay-node witness init` in a folder that is not there.
fn init(dir: &Path, keys: &AgentKey) -> anyhow::Result<Output> {
    let mut command = Command::new(binaries().join("assay-node"));
    command.args(["witness", "init", "--name", NAME, "--agent-key"]);
    command
        .arg(keys.public())
        .arg("--agent-socket")
        .arg(keys.socket());
    Ok(command.arg("--dir").arg(dir).output()?)
}

#[test]
fn what_cannot_sign_is_no_witness_and_a_wrong_table_says_what_to_do() -> anyhow::Result<()> {
    let Some(keys) = key_at_hand()? else {
        return Ok(());
    };
    let agent = SshAgent::start(&keys.socket())?;
    let dir = keys.folder().join("w");
    let output = init(&dir, &keys)?;
    ensure!(
        said(&output).contains("does not hold the key"),
        "{output:?}"
    );
    ensure!(!output.status.success() && !dir.exists());
    keys.add_to(&agent)?;

    let witness = witness_of(&keys, &[])?;
    let config = witness.folder().join("witness.toml");
    let right = fs::read_to_string(&config)?;
    let log_key = History::new(NAME, 0)?.vkey();
    let both = "\n[witness.token]\nuri = \"pkcs11:token=a;object=b?module-path=/m\"\n";
    let vkeys = &witness.vkeys;
    for (wrong, words) in [
        (
            right.replace(&vkeys[0], &log_key),
            "witness.agent.vkey is no Ed25519 key of type 0x04",
        ),
        (
            right.replace(&vkeys[0], &vkeys[1]),
            "ML-DSA-44 is in a file",
        ),
        (
            right.clone() + both + &format!("vkey = \"{}\"\n", vkeys[0]),
            "each say where the key is: give one",
        ),
    ] {
        fs::write(&config, wrong)?;
        let output = witness.command(&["run"])?;
        ensure!(!output.status.success(), "{words}");
        ensure!(said(&output).contains(words), "{words}: {}", said(&output));
    }
    Ok(())
}

#[test]
fn commands_about_key_files_leave_a_held_key_alone() -> anyhow::Result<()> {
    let Some(keys) = key_at_hand()? else {
        return Ok(());
    };
    let _agent = keys.agent()?;
    let mut witness = witness_of(&keys, &[])?;
    let refuse = |witness: &Witness| -> anyhow::Result<()> {
        for more in [&[][..], &["--finish"], &["--finish", "--force"]] {
            let output = witness.assay_node(&["key", "rotate", "witness"], more)?;
            let said = said(&output);
            ensure!(!output.status.success(), "{said}");
            ensure!(
                said.contains("is in an ssh-agent and not in a file"),
                "{said}"
            );
        }
        Ok(())
    };
    refuse(&witness)?;
    witness.run()?;
    refuse(&witness)?;
    witness.stop()?;

    // The other key is in a file.
    let new = keys.folder().join("passphrase");
    fs::write(&new, "one\n")?;
    fs::set_permissions(&new, fs::Permissions::from_mode(0o600))?;
    let new = new.to_str().context("a path")?;
    let change = ["--new-passphrase-file", new];
    let output = witness.assay_node(&["key", "passphrase", "witness"], &change)?;
    ensure!(output.status.success(), "{}", said(&output));
    let file = fs::read_to_string(witness.folder().join("witness-ml-dsa-44.key"))?;
    ensure!(file.starts_with("-----BEGIN AGE"), "{file}");
    witness.environment = vec![("ASSAY_NODE_PASSPHRASE_FILE".to_owned(), new.to_owned())];
    witness.run()?;
    witness.stop()
}
