//! `assay respond`: replying to a claim, or disputing it.

use crate::{
    config::Settings,
    exit::Failure,
    publishing::{self, Signing},
    session,
};
use assay_claims::claim::ClaimId;
use assay_claims::kind::response::{Response, STANCES};
use clap::{Args, builder::PossibleValuesParser};

/// Reply to anyone's claim, or dispute it. Lookups of the claim find the response.
#[derive(Debug, Args)]
pub struct Command {
    /// The claim, by its id (64 hex digits)
    #[arg(value_parser = session::claim)]
    claim: ClaimId,
    /// Whether the response accepts the claim, contradicts it, adds to it, or says that it no
    /// longer holds
    #[arg(long, env = "ASSAY_STANCE", value_parser = PossibleValuesParser::new(STANCES))]
    stance: String,
    /// The response, in plain words
    #[arg(long, env = "ASSAY_TEXT", value_name = "TEXT")]
    text: String,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command. Except in a dry run, the claim must be in the log.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let response = Response {
        target: command.claim,
        stance: command.stance,
        text: command.text,
    };
    publishing::publish_arguments(response.statement(), &command.signing, settings).await
}
