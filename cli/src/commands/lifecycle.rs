//! `assay lifecycle`: until when things are supported.

use crate::{
    asking::{self, How},
    check::read,
    config::Settings,
    exit::Failure,
    options::Format,
    output, policy_file, time,
};
use assay_client::ask::Inventory;
use assay_client::report::lifecycle::{ics, openeox, text};
use assay_client::report::{Conclusion, Scales};
use assay_intake::components;
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
    /// SBOMs and lock files, as `assay check` takes them, or package URLs with a version; - is
    /// stdin
    #[arg(required = true, value_name = "SBOM|LOCK|PURL")]
    of: Vec<String>,
    /// What the files are, if their names and contents do not say it; `assay check --help` lists
    /// the names
    #[arg(long, env = "ASSAY_FORMAT", value_name = "NAME", value_parser = read::format)]
    format: Option<components::Format>,
    #[command(flatten)]
    how: How,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let policy_path = settings.policy(None);
    let policy = policy_file::load(&policy_path)?;
    let mut listings = Vec::new();
    for of in &command.of {
        listings.push(read::named(of, command.format)?);
    }
    read::choose(&mut listings, &policy, false);
    let inventory = Inventory::new(listings);
    let asker = asking::asker(policy, settings, command.how)?;
    let asked = asker.components(&inventory).await;
    let asked = asking::heard(&asker, settings, asked).await?;
    let scales = Scales {
        policy: asker.policy(),
        policy_name: &policy_path.display().to_string(),
        now_ms: time::now_ms(),
    };
    let calendar = scales.lifecycle(&inventory, &asked);
    // What a log that must answer does not say could be other dates.
    let report = scales.components(inventory, &asked);
    if let Conclusion::Unanswered(_) | Conclusion::Failed(_) = report.conclusion() {
        return asking::conclude(&report);
    }
    let written = match settings.format {
        Format::Ics => output::bytes(ics::document(&calendar).as_bytes()),
        Format::Openeox | Format::Json => output::json(&openeox::document(&calendar)),
        _ => output::text(&text(&calendar)),
    };
    written?;
    asking::submit_heads(&asker, settings).await;
    match calendar.incomplete.len() {
        0 => Ok(()),
        n => Err(Failure::NotMet(format!(
            "a log did not answer in full about {n} of the components, of which nothing is written"
        ))),
    }
}
