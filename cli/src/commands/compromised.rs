//! `assay issuer compromised`: giving up a key.

use crate::{
    config::{self, Settings},
    exit::Failure,
    publishing::{self, Draft, Signing},
};
use assay_core::{claim::PublicKey, issuer::IssuerId, predicate::key_compromise::KeyCompromise};
use clap::Args;

/// Say that a key is not to be trusted from a leaf on. What it signed before keeps its standing.
#[derive(Debug, Args)]
pub struct Command {
    /// The key that is not to be trusted: an Ed25519 public key in hex
    #[arg(long, env = "ASSAY_COMPROMISED_KEY", value_name = "HEX", value_parser = PublicKey::from_hex)]
    compromised_key: PublicKey,
    /// The first leaf at which it is not to be trusted
    #[arg(long, env = "ASSAY_FROM", value_name = "LEAF")]
    from: u64,
    /// Why
    #[arg(long, env = "ASSAY_REASON", value_name = "TEXT")]
    reason: Option<String>,
    /// The issuer whose key it is, in hex [default: the one that is signed for]
    #[arg(long, env = "ASSAY_OF", value_name = "ID", value_parser = config::parse_issuer)]
    of: Option<IssuerId>,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let issuer = command.of.map_or_else(|| command.signing.one_issuer(settings), Ok)?;
    let compromise =
        KeyCompromise { issuer, key: command.compromised_key, from_index: command.from, reason: command.reason };
    publishing::publish(vec![Draft::of_arguments(compromise.statement())?], &command.signing, settings).await
}
