//! A log's key in an ssh-agent: whoever has the node's disk does not have the key.
//!
//! The agent is another process, which may be away, slow, locked, or not what it says. So it has a
//! time to answer in, its answers are bounded before they are read, and a signature leaves here
//! only when the log's own key has verified it. It is asked to sign checkpoints and nothing else.

mod wire;

use super::log::{CheckpointKey, KeyFailed, checkpoint};
use crate::config::AgentConfig;
use assay_tlog::Hash;
use assay_tlog::note::{Algorithm, KeyError, VerifierKey};
use assay_tlog::tree::TreeSize;
use base64::prelude::{BASE64_STANDARD, Engine};
use socket2::{Domain, SockAddr, Socket, Type};
use std::{
    env,
    io::{self, Read, Write},
    os::{fd::OwnedFd, unix::net::UnixStream},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// How long an agent has for one signature, with all that is asked about it. A node that stops
/// waits no longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// The variable that names the agent's socket (ssh-agent(1)).
const SOCKET: &str = "SSH_AUTH_SOCK";

/// A key of a log that an ssh-agent holds.
pub struct AgentKey {
    verifier: VerifierKey,
    socket: Option<PathBuf>,
}

impl AgentKey {
    /// The key that the configuration names. The agent is asked when something is to be signed,
    /// and not before.
    pub fn new(config: &AgentConfig) -> Self {
        let environment = || env::var_os(SOCKET).map(PathBuf::from);
        AgentKey {
            verifier: config.vkey.clone(),
            socket: config.socket.clone().or_else(environment),
        }
    }

    /// Has the agent sign `text`. The signature is right on `Ok`, and else it says who is to blame.
    fn signed(&self, text: &str) -> Result<String, String> {
        let Some(path) = &self.socket else {
            return Err(format!(
                "no ssh-agent is named: neither log.agent.socket nor {SOCKET} is set"
            ));
        };
        let agent = Agent {
            path,
            until: Instant::now() + PATIENCE,
        };
        let blob = wire::key_blob(self.verifier.public_key());
        let request = wire::sign_request(&blob, text.as_bytes());
        let answer = agent.ask(&request, wire::SIGNED)?;
        let signature = match wire::signed(&answer) {
            Some(wire::Answer::Signed(signature)) => signature,
            Some(wire::Answer::Refused) => return Err(agent.refused(&blob)),
            None => return Err(agent.is_none("its answer is neither a signature nor a refusal")),
        };
        let line = self.verifier.signature_line(text, signature);
        line.map_err(|_| {
            let path = path.display();
            format!(
                "the ssh-agent at {path} is at fault: it signed with another key, or something \
                 else, and this key does not verify it"
            )
        })
    }
}

impl CheckpointKey for AgentKey {
    fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    fn sign(&self, size: TreeSize, root: Hash) -> Result<String, KeyFailed> {
        let body = checkpoint(self.verifier.name(), size, root).body();
        self.signed(&body).map_err(|why| KeyFailed {
            key: self.verifier.to_string(),
            why,
        })
    }
}

/// An agent that is asked.
struct Agent<'a> {
    path: &'a Path,
    until: Instant,
}

impl Agent<'_> {
    /// Sends a request on a connection of its own, and returns the answer, which is at most `most`
    /// bytes long.
    fn ask(&self, request: &[u8], most: usize) -> Result<Vec<u8>, String> {
        let path = self.path.display();
        let stream = self.connect().map_err(|error| match error.kind() {
            io::ErrorKind::TimedOut => self.late(),
            _ => format!("the ssh-agent at {path} cannot be reached: {error}"),
        })?;
        let mut stream = Timed {
            stream,
            agent: self,
        };
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => self.late(),
            _ => format!("the ssh-agent at {path} did not answer: {error}"),
        };
        stream.write_all(request).map_err(failed)?;
        let mut length = [0; 4];
        stream.read_exact(&mut length).map_err(failed)?;
        let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
        if length > most {
            return Err(self.is_none(&format!("it announces {length} bytes; {most} are allowed")));
        }
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).map_err(failed)?;
        Ok(answer)
    }

    /// Connects, and does not wait for an agent that takes no connections.
    fn connect(&self) -> io::Result<UnixStream> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.connect_timeout(&SockAddr::unix(self.path)?, self.left()?)?;
        Ok(UnixStream::from(OwnedFd::from(socket)))
    }

    /// What is left of its time.
    fn left(&self) -> io::Result<Duration> {
        let left = self.until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(left)
    }

    /// Why it may have refused to sign: it does not say so itself.
    fn refused(&self, blob: &[u8]) -> String {
        let path = self.path.display();
        let listed = match self.ask(&wire::list_request(), wire::LISTED) {
            Ok(answer) => wire::lists(&answer, blob),
            Err(_) => None,
        };
        match listed {
            Some(true) => format!(
                "the ssh-agent at {path} holds the key and refuses to sign with it: was it added \
                 with limits (ssh-add -c or -t)?"
            ),
            Some(false) => format!(
                "the ssh-agent at {path} does not hold the key, or is locked: add it with ssh-add"
            ),
            None => format!("the ssh-agent at {path} refuses to sign"),
        }
    }

    fn late(&self) -> String {
        let path = self.path.display();
        format!("the ssh-agent at {path} did not answer within {PATIENCE:?}")
    }

    fn is_none(&self, why: &str) -> String {
        format!(
            "what answers at {} is no ssh-agent: {why}",
            self.path.display()
        )
    }
}

/// A connection on which each step gets what is left of the agent's time.
struct Timed<'a> {
    stream: UnixStream,
    agent: &'a Agent<'a>,
}

impl Read for Timed<'_> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(self.agent.left()?))?;
        self.stream.read(bytes)
    }
}

impl Write for Timed<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(self.agent.left()?))?;
        self.stream.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// Why the text of an SSH public key names no key of a log.
#[derive(Debug, thiserror::Error)]
pub enum PublicKeyError {
    /// It is another text, or a key of another kind.
    #[error("it is no line `ssh-ed25519 <key> <comment>`, as ssh-keygen -t ed25519 writes it")]
    Format,
    /// The key cannot be used, or not under this name.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Reads the text of an OpenSSH public key file as the key of the log `origin`.
pub fn read_public_key(text: &str, origin: &str) -> Result<VerifierKey, PublicKeyError> {
    let mut words = text.split_ascii_whitespace();
    let (kind, encoded) = (words.next(), words.next());
    let blob = encoded.and_then(|encoded| BASE64_STANDARD.decode(encoded).ok());
    let blob = blob.filter(|_| kind == Some("ssh-ed25519") && text.trim_end().lines().count() == 1);
    let key = blob.as_deref().and_then(wire::public_key);
    let key = key.ok_or(PublicKeyError::Format)?;
    Ok(VerifierKey::new(origin, Algorithm::Ed25519, key)?)
}

#[cfg(test)]
mod tests;
