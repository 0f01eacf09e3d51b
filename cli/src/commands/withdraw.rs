//! `assay withdraw`: taking back a claim.

use crate::{
    config::Settings,
    exit::Failure,
    publishing::{self, Signing},
    session,
};
use assay_claims::claim::ClaimId;
use assay_claims::kind::withdrawal::Withdrawal;
use clap::Args;

/// Withdraw a claim of your own. The claim and the withdrawal both stay in the log.
#[derive(Debug, Args)]
pub struct Command {
    /// The claim to withdraw, by its id (64 hex digits)
    #[arg(value_parser = session::claim)]
    claim: ClaimId,
    /// Why it is withdrawn
    #[arg(long, env = "ASSAY_REASON", value_name = "TEXT")]
    reason: String,
    /// The claim that replaces it, by its id
    #[arg(long, env = "ASSAY_SUPERSEDED_BY", value_name = "CLAIM", value_parser = session::claim)]
    superseded_by: Option<ClaimId>,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command. Except in a dry run, the claim must be in the log, signed by an issuer that
/// signs now, and not final.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let withdrawal = Withdrawal {
        target: command.claim,
        reason: command.reason,
        superseded_by: command.superseded_by,
    };
    publishing::publish_arguments(withdrawal.statement(), &command.signing, settings).await
}
