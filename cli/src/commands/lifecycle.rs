//! `assay lifecycle`: until when things are supported.

use crate::{
    asking::How, check::question::Named, config::Settings, exit::Failure, options::Format, output,
};
use assay_client::report::lifecycle::{ics, openeox, text};
use clap::Args;

/// Show until when things are supported, for people or as a calendar.
///
/// What issuers say counts who have a role under your policy; upstream and a supplier may state
/// different dates, and both are shown. --output ics is a calendar (iCalendar) with an all-day
/// event for each end of sales, of security support and of life, which keeps its identity when its
/// day changes; openeox are objects of OpenEoX Core v1.0. Dates that are to be announced are no
/// events, and dates of which it cannot be decided whether they are of the version are shown in
/// text only.
///
/// Exit code 0: it was written, also if nobody said anything. 1: not for every component, because
/// a log did not answer in full. 2: a file, the policy or an argument cannot be used. 3: a log that
/// must answer cannot be reached. 4: an answer does not verify, or a log was found to misbehave.
#[derive(Debug, Args)]
pub struct Command {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    how: How,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let (inventory, question) = command.named.ask(command.how, settings).await?;
    let calendar = question.scales().lifecycle(&inventory, &question.asked);
    question
        .hand_on(calendar.incomplete.len(), settings, || {
            match settings.format {
                Format::Ics => output::bytes(ics::document(&calendar).as_bytes()),
                Format::Openeox | Format::Json => output::json(&openeox::document(&calendar)),
                _ => output::text(&text(&calendar)),
            }
        })
        .await
}
