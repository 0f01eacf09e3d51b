//! `assay issuer compromised`: giving up a key.

use crate::{
    config::{self, Settings},
    exit::Failure,
    publishing::{self, Signing},
};
use assay_claims::claim::PublicKey;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::key_compromise::KeyCompromise;
use clap::Args;

/// Declare that a key is not to be trusted from a leaf on. What it signed before still counts.
#[derive(Debug, Args)]
pub struct Command {
    /// The key that is not to be trusted: an Ed25519 public key in hex
    #[arg(long, env = "ASSAY_COMPROMISED_KEY", value_name = "HEX",
          value_parser = PublicKey::from_hex)]
    compromised_key: PublicKey,
    /// The first leaf at which it is not trusted
    #[arg(long, env = "ASSAY_FROM", value_name = "LEAF")]
    from: u64,
    /// Why it is not to be trusted
    #[arg(long, env = "ASSAY_REASON", value_name = "TEXT")]
    reason: Option<String>,
    /// The issuer whose key it is, in hex [default: the one that is signed for]
    #[arg(long, env = "ASSAY_OF", value_name = "ID", value_parser = config::parse_issuer)]
    of: Option<IssuerId>,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command. Except in a dry run, the key must be the issuer's, the issuer must sign, and
/// the leaf must be one that the log has or comes to next.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let issuer = match command.of {
        Some(id) => id,
        None => command.signing.one_issuer(settings)?,
    };
    let compromise = KeyCompromise {
        issuer,
        key: command.compromised_key,
        from_index: command.from,
        reason: command.reason,
    };
    publishing::publish_arguments(compromise.statement(), &command.signing, settings).await
}
