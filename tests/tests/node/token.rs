//! Logs whose key is in a PKCS#11 token: SoftHSM, as it is and behind a module that fails.

use crate::held_key::{assert_published, assert_refuse, assert_unsigned};
use crate::{AT_ONCE, Fixture};
use anyhow::ensure;
use assay_proto::v1::Wait;
use assay_tests::{
    process::{Node, ORIGIN, binaries, poll},
    token::{KEY, LABEL, PIN, Token, require_softhsm},
};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    process::{Command, Output},
};

const SEED: [u8; 32] = [7; 32];

/// A token with a key. `None` if SoftHSM is missing, as [`require_softhsm`] says.
fn token() -> anyhow::Result<Option<Token>> {
    let softhsm = require_softhsm("a log with its key in a token");
    softhsm.map(|it| Token::new(&it, &SEED)).transpose()
}

/// A log with its key in the token, by the module that fails.
fn init(token: &Token) -> anyhow::Result<Node> {
    let uri = token.uri_that_fails();
    let node = Node::init_within(ORIGIN, &["--token-key", &uri], token.environment())?;
    node.configure(AT_ONCE)?;
    Ok(node)
}

/// The same, which runs and has an issuer.
async fn fixture(token: &Token) -> anyhow::Result<Fixture> {
    Fixture::of(init(token)?).await
}

#[tokio::test]
async fn a_log_goes_on_without_its_token_and_publishes_when_it_is_back() -> anyhow::Result<()> {
    let Some(token) = token()? else {
        return Ok(());
    };
    let mut fixture = fixture(&token).await?;
    ensure!(!fixture.node.folder().join("log.key").exists());
    let mut acknowledged = fixture.publish(0..1, Wait::Integrated).await?;
    fixture.node.stop()?;
    fixture.run().await?;
    acknowledged.extend(fixture.publish(1..2, Wait::Integrated).await?);
    let shown = fixture.log.checkpoint().await?;

    token.fail("gone")?;
    acknowledged.extend(fixture.publish(2..4, Wait::Sequenced).await?);
    assert_unsigned(&fixture.log, "is not there").await?;
    assert_eq!(fixture.log.checkpoint().await?, shown);
    fixture.node.stop()?;
    fixture.run().await?;
    assert_unsigned(&fixture.log, "is not there").await?;
    acknowledged.extend(fixture.publish(4..5, Wait::Sequenced).await?);
    assert_eq!(fixture.log.checkpoint().await?, shown);

    token.fail("")?;
    assert_published(&fixture.log, &acknowledged).await?;
    let more = fixture.publish(5..6, Wait::Integrated).await?;
    assert_published(&fixture.log, &more).await
}

#[tokio::test]
async fn a_session_that_ended_is_opened_again_at_once() -> anyhow::Result<()> {
    let Some(token) = token()? else {
        return Ok(());
    };
    let fixture = fixture(&token).await?;
    let (_, logins) = token.calls();
    token.fail("once")?;
    let acknowledged = fixture.publish(0..1, Wait::Integrated).await?;
    assert_published(&fixture.log, &acknowledged).await?;
    assert_eq!(token.calls().1, logins + 1);
    ensure!(fixture.log.metric("assay_unsigned").await?.is_none());
    Ok(())
}

#[tokio::test]
async fn a_token_that_fails_costs_no_claim_and_is_blamed() -> anyhow::Result<()> {
    let Some(token) = token()? else {
        return Ok(());
    };
    let fixture = fixture(&token).await?;
    let shown = fixture.log.checkpoint().await?;
    let mut acknowledged = Vec::new();
    for (number, (how, words)) in (0..).zip([
        ("locked", "is locked"),
        ("last", "locks itself after one more wrong PIN"),
        ("lost", "does not hold the key"),
        ("wrong", "is at fault: it signed with another key"),
        ("short", "is at fault"),
    ]) {
        token.fail(how)?;
        let more = fixture.publish(number..number + 1, Wait::Sequenced).await?;
        acknowledged.extend(more);
        assert_unsigned(&fixture.log, words).await?;
        assert_eq!(fixture.log.checkpoint().await?, shown, "{how}");
    }
    token.fail("")?;
    assert_published(&fixture.log, &acknowledged).await
}

#[tokio::test]
async fn a_token_that_hangs_holds_neither_claims_nor_the_end() -> anyhow::Result<()> {
    let Some(token) = token()? else {
        return Ok(());
    };
    let mut fixture = fixture(&token).await?;
    let late = "did not answer within 5s";
    token.fail("hang")?;
    let mut acknowledged = fixture.publish(0..2, Wait::Sequenced).await?;
    assert_unsigned(&fixture.log, late).await?;
    token.fail("")?;
    assert_published(&fixture.log, &acknowledged).await?;
    token.fail("hang")?;
    acknowledged.extend(fixture.publish(2..3, Wait::Sequenced).await?);
    assert_unsigned(&fixture.log, late).await?;
    fixture.node.stop()?;
    token.fail("")?;
    fixture.run().await?;
    assert_published(&fixture.log, &acknowledged).await
}

#[tokio::test]
async fn a_pin_that_was_refused_is_not_tried_again() -> anyhow::Result<()> {
    let Some(token) = token()? else {
        return Ok(());
    };
    let mut fixture = fixture(&token).await?;
    let shown = fixture.log.checkpoint().await?;
    fixture.node.stop()?;
    token.put_pin("161803")?;
    let (starts, logins) = token.calls();
    fixture.run().await?;
    assert_unsigned(&fixture.log, "refused the PIN").await?;
    poll(|| Ok((token.calls().0 > starts + 3).then_some(())))?;
    assert_eq!(token.calls().1, logins + 1);
    token.put_pin(PIN)?;
    assert_published(&fixture.log, &[]).await?;
    assert_eq!(token.calls().1, logins + 2);
    assert_eq!(fixture.log.checkpoint().await?, shown);
    Ok(())
}

#[tokio::test]
async fn a_pin_comes_from_a_credential_or_the_environment() -> anyhow::Result<()> {
    let Some(token) = token()? else {
        return Ok(());
    };
    let variable = ("ASSAY_NODE_TOKEN_PIN".to_owned(), PIN.to_owned());
    let mut environment = token.environment();
    environment.push(variable.clone());
    let node = Node::init_within(ORIGIN, &["--token-key", &token.uri()], environment)?;
    node.configure(AT_ONCE)?;
    let mut fixture = Fixture::of(node).await?;
    fixture.node.stop()?;

    let folder = fixture.node.folder().join("credentials");
    fs::create_dir(&folder)?;
    let credential = folder.join("assay-token-pin");
    fs::write(&credential, PIN)?;
    fs::set_permissions(&credential, fs::Permissions::from_mode(0o440))?;
    let credentials = (
        "CREDENTIALS_DIRECTORY".to_owned(),
        folder.display().to_string(),
    );
    fixture.node.environment = token.environment();
    fixture.node.environment.push(credentials);
    fixture.run().await?;
    let acknowledged = fixture.publish(0..1, Wait::Integrated).await?;
    assert_published(&fixture.log, &acknowledged).await?;
    fixture.node.stop()?;

    fixture.node.environment = token.environment();
    fixture.run().await?;
    assert_unsigned(&fixture.log, "has no PIN").await
}

#[tokio::test]
async fn a_token_with_another_key_is_noticed_at_the_start() -> anyhow::Result<()> {
    let Some(token) = token()? else {
        return Ok(());
    };
    let mut fixture = fixture(&token).await?;
    fixture.node.stop()?;
    token.make(&[8; 32])?;
    fixture.run().await?;
    assert_unsigned(&fixture.log, "has another key under that name").await?;
    let acknowledged = fixture.publish(0..1, Wait::Sequenced).await?;
    assert_unsigned(&fixture.log, "is at fault").await?;
    fixture.node.stop()?;
    token.make(&SEED)?;
    fixture.run().await?;
    assert_published(&fixture.log, &acknowledged).await
}

/// Runs `assay-node init` with this URI in a folder that is not there.
fn init_by(token: &Token, uri: &str) -> anyhow::Result<Output> {
    let folder = tempfile::tempdir()?;
    let dir = folder.path().join("node");
    let mut command = Command::new(binaries().join("assay-node"));
    command.args(["init", "--origin", ORIGIN, "--token-key", uri, "--dir"]);
    let output = command.arg(&dir).envs(token.environment()).output()?;
    ensure!(!dir.exists(), "{uri}: {output:?}");
    Ok(output)
}

#[test]
fn init_makes_nothing_if_the_token_does_not_sign() -> anyhow::Result<()> {
    let Some(token) = token()? else {
        return Ok(());
    };
    let uri = token.uri_that_fails();
    let label = LABEL.replace(' ', "%20");
    for (uri, how, words) in [
        (
            uri.replace(&format!("object={KEY}"), "object=other"),
            "",
            "does not hold the key",
        ),
        (uri.replace(&label, "other"), "", "is not there"),
        (uri.replace("%0a", "%0b"), "", "does not hold the key"),
        (uri.replace("file:/", "file:/none/"), "", "has no PIN"),
        (uri.replace("token.so", "none.so"), "", "cannot be loaded"),
        (uri.clone(), "wrong", "is at fault"),
        (
            uri.replace("pin-source=", "pin-value=161803&"),
            "",
            "holds a PIN",
        ),
    ] {
        token.fail(how)?;
        let output = init_by(&token, &uri)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(
            !output.status.success() && said.contains(words),
            "{words}: {said}"
        );
        ensure!(!said.contains("161803"), "{said}");
    }
    Ok(())
}

#[test]
fn a_key_in_a_token_is_not_replaced_by_commands_about_files() -> anyhow::Result<()> {
    let Some(token) = token()? else {
        return Ok(());
    };
    let mut node = init(&token)?;
    assert_refuse(&node, "is in a PKCS#11 token")?;
    node.run()?;
    assert_refuse(&node, "is in a PKCS#11 token")?;
    node.stop()
}
