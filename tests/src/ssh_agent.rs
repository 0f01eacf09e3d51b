//! A real `ssh-agent` as a process, and keys for it.

use crate::process::poll;
use crate::skip;
use anyhow::ensure;
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

/// True if the programs of OpenSSH are at hand, which make and keep keys. Without them a test that
/// `needs` them cannot run: that is a failure in CI (`CI` is set) and said aloud anywhere else.
///
/// # Panics
/// In CI, when they are missing.
pub fn require_ssh_agent(needs: &str) -> bool {
    let paths = env::var_os("PATH").unwrap_or_default();
    let mut missing = vec!["ssh-agent", "ssh-add", "ssh-keygen"];
    missing.retain(|name| !env::split_paths(&paths).any(|folder| folder.join(name).is_file()));
    if missing.is_empty() {
        return true;
    }
    let why = format!(
        "{needs} needs {} (Debian's package openssh-client)",
        missing.join(", ")
    );
    skip::skip(&why);
    false
}

/// Makes an Ed25519 key at `path` and its public key beside it, with `.pub` behind its name.
/// Returns the path of the public key.
pub fn new_key(path: &Path) -> anyhow::Result<PathBuf> {
    let mut generate = Command::new("ssh-keygen");
    generate.args(["-q", "-t", "ed25519", "-N", "", "-C", "", "-f"]);
    ensure!(
        generate.arg(path).status()?.success(),
        "ssh-keygen made no key"
    );
    let mut public = path.as_os_str().to_owned();
    public.push(".pub");
    Ok(public.into())
}

/// A key for an agent, and where the agent is.
#[derive(Debug)]
pub struct AgentKey {
    folder: tempfile::TempDir,
    public: PathBuf,
}

impl AgentKey {
    /// A new one; `None` if the programs for it are missing, as [`require_ssh_agent`] says.
    pub fn at_hand(needs: &str) -> anyhow::Result<Option<Self>> {
        if !require_ssh_agent(needs) {
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        let public = new_key(&folder.path().join("key"))?;
        Ok(Some(AgentKey { folder, public }))
    }

    /// The folder that the key and the agent's socket are in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The file with the public key.
    pub fn public(&self) -> &Path {
        &self.public
    }

    /// Where the agent is.
    pub fn socket(&self) -> PathBuf {
        self.folder().join("agent")
    }

    /// Gives an agent the key.
    pub fn add_to(&self, agent: &SshAgent) -> anyhow::Result<()> {
        agent.add(&self.folder().join("key"))
    }

    /// An agent with the key.
    pub fn agent(&self) -> anyhow::Result<SshAgent> {
        let agent = SshAgent::start(&self.socket())?;
        self.add_to(&agent)?;
        Ok(agent)
    }

    /// What the configuration says of the key as this one's.
    pub fn table(&self, name: &str, vkey: &str) -> String {
        format!("[{name}]\nvkey = {vkey:?}\nsocket = {:?}\n", self.socket())
    }

    /// How `init` is told that the agent has the key.
    pub fn arguments(&self) -> [String; 4] {
        let [public, socket] = [self.public(), &self.socket()].map(|it| it.display().to_string());
        [
            "--agent-key".into(),
            public,
            "--agent-socket".into(),
            socket,
        ]
    }
}

/// An agent that runs, and is killed when it is dropped.
#[derive(Debug)]
pub struct SshAgent {
    process: Child,
    socket: PathBuf,
}

impl SshAgent {
    /// Starts an agent without keys at this socket, in place of one that was killed.
    pub fn start(socket: &Path) -> anyhow::Result<Self> {
        let _ = fs::remove_file(socket);
        let mut agent = SshAgent {
            process: Command::new("ssh-agent")
                .args(["-D", "-a"])
                .arg(socket)
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .spawn()?,
            socket: socket.to_owned(),
        };
        poll(|| {
            let ended = agent.process.try_wait()?;
            ensure!(ended.is_none(), "ssh-agent ended");
            Ok(socket.exists().then_some(()))
        })?;
        Ok(agent)
    }

    /// Gives it a key.
    pub fn add(&self, key: &Path) -> anyhow::Result<()> {
        let mut add = Command::new("ssh-add");
        add.arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket);
        ensure!(add.status()?.success(), "ssh-agent did not take the key");
        Ok(())
    }

    /// Has it answer nothing any more, though it takes connections.
    pub fn freeze(&self) -> anyhow::Result<()> {
        let pid = self.process.id().to_string();
        let status = Command::new("kill").args(["-STOP", &pid]).status()?;
        ensure!(status.success(), "kill -STOP failed");
        Ok(())
    }
}

impl Drop for SshAgent {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
