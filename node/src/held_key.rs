//! The options of `init` about a key that somebody else holds.

use anyhow::Context as _;
use assay_host::files;
use assay_node::{
    config::{AgentConfig, KeyHolder, TokenConfig, TokenUri},
    signer::{agent::read_public_key, token::Token},
};
use assay_tlog::note::Algorithm;
use clap::Args;
use std::path::PathBuf;

/// Who holds the new Ed25519 key.
#[derive(Args)]
pub struct HeldKey {
    /// Makes no Ed25519 key of the log, or of the witness, mirror or auditor: an ssh-agent has it,
    /// and this file is its public key, as ssh-keygen -t ed25519 writes it. The agent is asked to
    /// sign at once.
    #[arg(long, value_name = "FILE")]
    agent_key: Option<PathBuf>,
    /// The socket of that agent, for ever. Without it, it is what SSH_AUTH_SOCK says at each start.
    #[arg(long, value_name = "PATH", requires = "agent_key")]
    agent_socket: Option<PathBuf>,
    /// Makes no such key: a PKCS#11 token has it, an Ed25519 key pair that this URI (RFC 7512)
    /// names, as pkcs11:token=logs;object=assay?module-path=/usr/lib/m.so&pin-source=file:/p.
    ///
    /// token or serial, and object or id, are needed. The token is asked to sign at once. The PIN
    /// is in the file that pin-source names (mode 0600), or it is the systemd credential
    /// assay-token-pin, or in ASSAY_NODE_TOKEN_PIN.
    #[arg(long, value_name = "URI", conflicts_with = "agent_key")]
    // Not read by clap, whose errors show what was given: it may hold a PIN.
    token_key: Option<String>,
}

impl HeldKey {
    /// Who holds the key of this new log, if somebody is to. A token is asked for it.
    pub fn of_log(&self, origin: &str) -> anyhow::Result<Option<KeyHolder>> {
        self.holder(origin, Algorithm::Ed25519)
    }

    /// The same of a witness, a mirror or an auditor.
    pub fn of_cosigner(&self, name: &str) -> anyhow::Result<Option<KeyHolder>> {
        self.holder(name, Algorithm::CosignatureV1)
    }

    fn holder(&self, name: &str, algorithm: Algorithm) -> anyhow::Result<Option<KeyHolder>> {
        if let Some(uri) = &self.token_key {
            let uri = TokenUri::parse(uri).context("--token-key")?;
            let vkey = Token::new(&uri).public_key(name, algorithm)?;
            return Ok(Some(KeyHolder::Token(TokenConfig { vkey, uri })));
        }
        let Some(path) = &self.agent_key else {
            return Ok(None);
        };
        let shown = || path.display().to_string();
        let text = files::read_text(path).with_context(shown)?;
        let vkey = read_public_key(&text, name, algorithm).with_context(shown)?;
        let socket = self.agent_socket.as_deref().map(std::path::absolute);
        let socket = socket.transpose()?;
        Ok(Some(KeyHolder::Agent(AgentConfig { vkey, socket })))
    }
}
