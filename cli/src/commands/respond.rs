//! `assay respond`: replying to a claim, or disputing it.

use crate::{
    config::Settings,
    exit::Failure,
    publishing::{self, Draft, Publisher, Signing},
    session,
};
use assay_claims::claim::ClaimId;
use assay_claims::kind::response::{Response, STANCES};
use assay_client::LeafRef;
use clap::{Args, builder::PossibleValuesParser};

/// Reply to a claim of anybody's, or dispute it. Whoever looks the claim up finds the response.
#[derive(Debug, Args)]
pub struct Command {
    /// The claim, by its id (64 hex digits)
    #[arg(value_parser = session::claim)]
    claim: ClaimId,
    /// What the response is: it accepts what is claimed, says that it is wrong, adds to it, or says
    /// that it no longer holds
    #[arg(long, env = "ASSAY_STANCE", value_parser = PossibleValuesParser::new(STANCES))]
    stance: String,
    /// The response, in plain words
    #[arg(long, env = "ASSAY_TEXT", value_name = "TEXT")]
    text: String,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command. Unless it is a dry run, the claim has to be in the log: to anything else
/// nobody would find the response.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let response = Response {
        target: command.claim,
        stance: command.stance,
        text: command.text,
    };
    let drafts = vec![Draft::of_arguments(response.statement())?];
    if command.signing.dry_run {
        return publishing::publish(drafts, &command.signing, settings).await;
    }
    let publisher = Publisher::connect(&command.signing, settings).await?;
    publisher
        .client
        .entry(LeafRef::Claim(command.claim))
        .await?;
    publisher.publish(drafts).await
}
