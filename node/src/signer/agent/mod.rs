//! A key in an ssh-agent, which is another process on this machine or another one.
//!
//! Its answers are bounded before they are read.

mod wire;

use super::elsewhere::Holder;
use crate::config::AgentConfig;
use assay_tlog::note::{Algorithm, KeyError, VerifierKey};
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

/// An ssh-agent, which may hold a key.
pub struct Agent {
    socket: Option<PathBuf>,
}

impl Agent {
    /// The agent that the configuration names, or the environment.
    pub fn new(config: &AgentConfig) -> Self {
        let of_environment = env::var_os(SOCKET).filter(|path| !path.is_empty());
        let of_environment = of_environment.map(PathBuf::from);
        Agent {
            socket: config.socket.clone().or(of_environment),
        }
    }

    fn asked(&self) -> Result<Asked<'_>, String> {
        let path = self.socket.as_deref().ok_or_else(|| {
            format!("no ssh-agent is named: neither `socket` in its table nor {SOCKET} is set")
        })?;
        let until = Instant::now() + PATIENCE;
        Ok(Asked { path, until })
    }
}

impl Holder for Agent {
    fn name(&self) -> String {
        let path = self.socket.as_deref().unwrap_or(Path::new(""));
        format!("the ssh-agent at {}", path.display())
    }

    fn sign(&self, key: &VerifierKey, text: &str) -> Result<Vec<u8>, String> {
        let agent = self.asked()?;
        let blob = wire::key_blob(key.public_key());
        let request = wire::sign_request(&blob, text.as_bytes());
        let answer = agent.ask(&request, wire::SIGNED)?;
        match wire::signed(&answer) {
            Some(wire::Answer::Signed(signature)) => Ok(signature.to_vec()),
            Some(wire::Answer::Refused) => Err(agent.refused(&blob)),
            None => Err(agent.is_none("its answer is neither a signature nor a refusal")),
        }
    }

    /// An agent that lists nothing may sign all the same.
    fn look_for(&self, key: &VerifierKey) -> Result<(), String> {
        let agent = self.asked()?;
        let answer = agent.ask(&wire::list_request(), wire::LISTED)?;
        match wire::lists(&answer, &wire::key_blob(key.public_key())) {
            Some(false) => Err(agent.lacks_it()),
            Some(true) | None => Ok(()),
        }
    }
}

/// An agent that is asked.
struct Asked<'a> {
    path: &'a Path,
    until: Instant,
}

impl Asked<'_> {
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
            Some(false) => self.lacks_it(),
            None => format!("the ssh-agent at {path} refuses to sign"),
        }
    }

    fn lacks_it(&self) -> String {
        let path = self.path.display();
        format!("the ssh-agent at {path} does not hold the key, or is locked: add it with ssh-add")
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
    agent: &'a Asked<'a>,
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

/// Why the text of an SSH public key names no key.
#[derive(Debug, thiserror::Error)]
pub enum PublicKeyError {
    /// It is another text, or a key of another kind.
    #[error("it is no line `ssh-ed25519 <key> <comment>`, as ssh-keygen -t ed25519 writes it")]
    Format,
    /// The key cannot be used, or not under this name.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Reads the text of an OpenSSH public key file as a key of this name, of Ed25519 and for what
/// `algorithm` signs.
pub fn read_public_key(
    text: &str,
    name: &str,
    algorithm: Algorithm,
) -> Result<VerifierKey, PublicKeyError> {
    let mut words = text.split_ascii_whitespace();
    let (kind, encoded) = (words.next(), words.next());
    let blob = encoded.and_then(|encoded| BASE64_STANDARD.decode(encoded).ok());
    let blob = blob.filter(|_| kind == Some("ssh-ed25519") && text.trim_end().lines().count() == 1);
    let key = blob.as_deref().and_then(wire::public_key);
    let key = key.ok_or(PublicKeyError::Format)?;
    Ok(VerifierKey::new(name, algorithm, key)?)
}

#[cfg(test)]
mod tests;
