//! Logs whose key is in an ssh-agent: real agents that come, go, hang and lose the key, and false
//! ones.

use crate::held_key::{assert_published, assert_refuse, assert_unsigned};
use crate::{AT_ONCE, Fixture};
use anyhow::ensure;
use assay_node::signer::agent::read_public_key;
use assay_proto::v1::Wait;
use assay_tests::{
    process::{Node, ORIGIN, binaries},
    ssh_agent::{AgentKey, SshAgent},
};
use assay_tlog::note::{Algorithm, Note, SignerKey};
use std::{
    fs,
    io::{self, Read as _, Write as _},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
};

fn key_at_hand() -> anyhow::Result<Option<AgentKey>> {
    AgentKey::at_hand("a log with its key in an ssh-agent")
}

/// Makes a log. The agent must be there.
fn log_of(key: &AgentKey) -> anyhow::Result<Node> {
    let node = Node::init_with(ORIGIN, &key.arguments().each_ref().map(String::as_str))?;
    node.configure(AT_ONCE)?;
    Ok(node)
}

/// The same, which runs and has an issuer.
async fn fixture(key: &AgentKey) -> anyhow::Result<Fixture> {
    Fixture::of(log_of(key)?).await
}

#[tokio::test]
async fn a_log_goes_on_without_its_agent_and_publishes_when_it_is_back() -> anyhow::Result<()> {
    let Some(keys) = key_at_hand()? else {
        return Ok(());
    };
    let agent = keys.agent()?;
    let mut fixture = fixture(&keys).await?;
    ensure!(!fixture.node.folder().join("log.key").exists());
    let mut acknowledged = fixture.publish(0..1, Wait::Integrated).await?;
    fixture.node.stop()?;
    fixture.run().await?;
    acknowledged.extend(fixture.publish(1..2, Wait::Integrated).await?);
    let shown = fixture.log.checkpoint().await?;

    drop(agent);
    acknowledged.extend(fixture.publish(2..4, Wait::Sequenced).await?);
    assert_unsigned(&fixture.log, "cannot be reached").await?;
    acknowledged.extend(fixture.publish(4..6, Wait::Sequenced).await?);
    assert_eq!(fixture.log.checkpoint().await?, shown);
    fixture.node.stop()?;
    let said = fixture.node.stderr();
    ensure!(said.contains("not all of it is published"), "{said}");
    ensure!(!said.contains("everything acknowledged"), "{said}");
    fixture.run().await?;
    assert_unsigned(&fixture.log, "cannot be reached").await?;
    assert_eq!(fixture.log.checkpoint().await?, shown);
    acknowledged.extend(fixture.publish(6..7, Wait::Sequenced).await?);

    let agent = SshAgent::start(&keys.socket())?;
    assert_unsigned(&fixture.log, "does not hold the key").await?;
    keys.add_to(&agent)?;
    assert_published(&fixture.log, &acknowledged).await?;
    let more = fixture.publish(7..8, Wait::Integrated).await?;
    assert_published(&fixture.log, &more).await
}

#[tokio::test]
async fn an_agent_that_is_away_at_the_start_is_noticed_at_once() -> anyhow::Result<()> {
    let Some(keys) = key_at_hand()? else {
        return Ok(());
    };
    let agent = keys.agent()?;
    let mut fixture = fixture(&keys).await?;
    let shown = fixture.log.checkpoint().await?;
    fixture.node.stop()?;
    drop(agent);
    fixture.run().await?;
    assert_unsigned(&fixture.log, "cannot be reached").await?;
    let agent = SshAgent::start(&keys.socket())?;
    assert_unsigned(&fixture.log, "does not hold the key").await?;
    keys.add_to(&agent)?;
    assert_published(&fixture.log, &[]).await?;
    assert_eq!(
        fixture.log.checkpoint().await?,
        shown,
        "there was nothing to sign"
    );
    Ok(())
}

#[tokio::test]
async fn an_agent_that_hangs_holds_neither_claims_nor_the_end() -> anyhow::Result<()> {
    let Some(keys) = key_at_hand()? else {
        return Ok(());
    };
    let agent = keys.agent()?;
    let mut fixture = fixture(&keys).await?;
    agent.freeze()?;
    let mut acknowledged = fixture.publish(0..1, Wait::Sequenced).await?;
    assert_unsigned(&fixture.log, "did not answer within 2s").await?;
    acknowledged.extend(fixture.publish(1..3, Wait::Sequenced).await?);
    // Who waits for a checkpoint is told in the end how far the claim is.
    acknowledged.extend(fixture.publish(3..4, Wait::Integrated).await?);
    assert_eq!(acknowledged[3].reached, i32::from(Wait::Sequenced));
    fixture.node.stop()?;
    drop(agent);
    let _agent = keys.agent()?;
    fixture.run().await?;
    assert_published(&fixture.log, &acknowledged).await
}

/// What a false agent does with what it is to sign.
type Forge = fn(&str) -> Vec<u8>;

/// A false agent.
struct False {
    socket: PathBuf,
    is_over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl False {
    fn start(socket: PathBuf, forge: Forge) -> anyhow::Result<Self> {
        let _ = fs::remove_file(&socket);
        let listener = UnixListener::bind(&socket)?;
        let is_over = Arc::new(AtomicBool::new(false));
        let told = is_over.clone();
        let thread = thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept()
                && !told.load(Ordering::SeqCst)
            {
                let _ = answer(stream, forge);
            }
        });
        Ok(False {
            socket,
            is_over,
            thread: Some(thread),
        })
    }
}

impl Drop for False {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        let _ = UnixStream::connect(&self.socket);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Reads a request to sign, and answers with what `forge` makes of the text.
fn answer(mut stream: UnixStream, forge: Forge) -> io::Result<()> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut request = vec![0; u32::from_be_bytes(length) as usize];
    stream.read_exact(&mut request)?;
    // Behind its type and the name of the key, with four bytes of length before it and of flags
    // behind.
    let text = request.get(1 + 4 + 51 + 4..request.len() - 4);
    let text = String::from_utf8_lossy(text.unwrap_or_default());
    stream.write_all(&forge(&text))
}

fn string(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

/// Signs the text with a key that is not the log's.
fn with_another_key(text: &str) -> Vec<u8> {
    let line = SignerKey::from_seed(ORIGIN, &[9; 32]).unwrap().sign(text);
    let note = Note::parse(format!("{text}\n{line}").as_bytes()).unwrap();
    let signature = note.signatures()[0].signature();
    let signature = [string(b"ssh-ed25519"), string(signature)].concat();
    string(&[&[14], &string(&signature)[..]].concat())
}

/// Answers as another server does.
fn nonsense(_: &str) -> Vec<u8> {
    b"HTTP/1.1 200 OK\r\n\r\n".to_vec()
}

#[tokio::test]
async fn a_false_agent_is_blamed_and_nothing_of_it_is_shown() -> anyhow::Result<()> {
    let Some(keys) = key_at_hand()? else {
        return Ok(());
    };
    let agent = keys.agent()?;
    let fixture = fixture(&keys).await?;
    let shown = fixture.log.checkpoint().await?;
    drop(agent);
    let forgers: [(Forge, &str); 2] = [
        (with_another_key, "is at fault: it signed with another key"),
        (nonsense, "is no ssh-agent"),
    ];
    let mut acknowledged = Vec::new();
    for (number, (forge, words)) in (0..).zip(forgers) {
        let _false = False::start(keys.socket(), forge)?;
        let more = fixture.publish(number..number + 1, Wait::Sequenced).await?;
        acknowledged.extend(more);
        assert_unsigned(&fixture.log, words).await?;
        assert_eq!(fixture.log.checkpoint().await?, shown);
    }
    let _agent = keys.agent()?;
    assert_published(&fixture.log, &acknowledged).await
}

/// Runs `assay-node init` in a folder that is not there.
fn init(dir: &Path, keys: &AgentKey) -> anyhow::Result<Output> {
    let mut command = Command::new(binaries().join("assay-node"));
    command.args(["init", "--origin", ORIGIN, "--agent-key"]);
    command
        .arg(keys.public())
        .arg("--agent-socket")
        .arg(keys.socket());
    Ok(command.arg("--dir").arg(dir).output()?)
}

#[test]
fn init_makes_nothing_if_the_agent_does_not_sign() -> anyhow::Result<()> {
    let Some(keys) = key_at_hand()? else {
        return Ok(());
    };
    let _agent = SshAgent::start(&keys.socket())?;
    let error = log_of(&keys).unwrap_err();
    ensure!(
        error.to_string().contains("does not hold the key"),
        "{error}"
    );
    let dir = keys.folder().join("node");
    let output = init(&dir, &keys)?;
    ensure!(!output.status.success() && !dir.exists(), "{output:?}");
    let private = keys.folder().join("key");
    let wrong = ["--agent-key", private.to_str().unwrap()];
    let error = Node::init_with(ORIGIN, &wrong).unwrap_err();
    ensure!(error.to_string().contains("ssh-ed25519"), "{error}");
    Ok(())
}

#[test]
fn a_key_in_an_agent_is_not_replaced_by_commands_about_files() -> anyhow::Result<()> {
    let Some(keys) = key_at_hand()? else {
        return Ok(());
    };
    let _agent = keys.agent()?;
    let mut node = log_of(&keys)?;
    assert_refuse(&node, "is in an ssh-agent")?;
    node.run()?;
    assert_refuse(&node, "is in an ssh-agent")?;
    node.stop()
}

/// The verifier key of a log of this origin whose key an agent holds.
fn vkey(key: &AgentKey) -> anyhow::Result<String> {
    let public = fs::read_to_string(key.public())?;
    let vkey = read_public_key(&public, ORIGIN, Algorithm::Ed25519)?;
    Ok(vkey.to_string())
}

/// Both keys sign until the configuration has the next one in the place of the first.
#[tokio::test]
async fn a_key_that_an_agent_holds_is_rotated_by_the_configuration() -> anyhow::Result<()> {
    let (Some(now), Some(next)) = (key_at_hand()?, key_at_hand()?) else {
        return Ok(());
    };
    let (_agent, _other) = (now.agent()?, next.agent()?);
    let mut fixture = fixture(&now).await?;
    let mut acknowledged = fixture.publish(0..1, Wait::Integrated).await?;
    let config = fixture.node.folder().join("node.toml");
    let (before, next_vkey) = (fs::read_to_string(&config)?, vkey(&next)?);
    assert_refuse(&fixture.node, "[log.next.agent]")?;
    let done = now.table("log.agent", &vkey(&now)?);
    ensure!(before.contains(done.trim()), "{before}");
    let after = before.replace(done.trim(), next.table("log.agent", &next_vkey).trim());

    // Without a checkpoint that the next key signed, nobody would know it.
    fixture.node.stop()?;
    fs::write(&config, &after)?;
    let (_, said) = fixture.node.run_refused()?;
    ensure!(
        said.contains("does not hold a checkpoint of this log"),
        "{said}"
    );

    let both = before + &next.table("log.next.agent", &next_vkey);
    fs::write(&config, both)?;
    fixture.run().await?;
    acknowledged.extend(fixture.publish(1..2, Wait::Integrated).await?);
    let finish = fixture
        .node
        .assay_node(&["key", "rotate", "log"], &["--finish"])?;
    let said = String::from_utf8(finish.stderr)?;
    ensure!(finish.status.success(), "{said}");
    ensure!(
        said.contains("put what [log.next.agent] has into [log.agent]"),
        "{said}"
    );
    ensure!(String::from_utf8(finish.stdout)?.trim() == next_vkey);
    fixture.node.stop()?;

    fs::write(&config, &after)?;
    fixture.run().await?;
    ensure!(fixture.node.ready().vkey == next_vkey);
    acknowledged.extend(fixture.publish(2..3, Wait::Integrated).await?);
    assert_published(&fixture.log, &acknowledged).await
}
