//! `assay lookup`: everything that is known about something, grouped by question, and whether that
//! is all there is.

mod text;

use crate::{
    about,
    asking::{self, How},
    config::Settings,
    exit::Failure,
    output,
};
use assay_claims::index::By;
use assay_client::ask::{Audience, OTHERS, OthersPage};
use assay_client::report::{json, words};
use assay_policy::rules::Policy;
use clap::{Args, builder::FalseyValueParser, value_parser};

/// Show everything that is known about something, and whether that is all there is.
///
/// All of it is verified, and so is that nothing was left out. Exit code 0: it meets your policy;
/// of an issuer, a claim or a vulnerability, that something is known. 1: it does not, or nothing is
/// known, or the claim that was asked for cannot be had (privately and offline only what others say
/// of it can). 3: no log answers. 4: an answer is false.
#[derive(Debug, Args)]
pub struct Command {
    /// A package URL (pkg:cargo/serde@1.0.228), a digest (sha256:HEX, sha512:HEX, gitCommit:HEX),
    /// the path of a file, an issuer (issuer:ID), a claim (claim:ID), a vulnerability
    /// (CVE-2021-44228, or vuln:NAME), or 64 hex digits, which may be a SHA-256, an issuer or a
    /// claim
    #[arg(value_name = "X")]
    about: String,
    #[command(flatten)]
    how: How,
    /// Show what everyone said, not only those whom your policy trusts and those whom they vouch
    /// for. What the others say never changes what the policy decides. Without a policy this is so
    /// anyway
    #[arg(long, env = "ASSAY_EVERYONE", value_parser = FalseyValueParser::new())]
    everyone: bool,
    /// With --everyone: show what at most so many others said, and say how the next ones are asked
    /// for [default: 50]
    #[arg(long, env = "ASSAY_LIMIT", value_name = "N",
        value_parser = value_parser!(u16).range(1..=1000))]
    limit: Option<u16>,
    /// With --everyone: go on after the others that were shown before. What to write here was said
    /// with them
    #[arg(long, env = "ASSAY_AFTER", value_name = "TOKEN", value_parser = token)]
    after: Option<By>,
}

/// The last one of a page of others, in 32 hex digits.
fn token(text: &str) -> Result<By, String> {
    let bytes = hex::decode(text).ok();
    let by = bytes.and_then(|bytes| By::from_slice(&bytes));
    by.ok_or_else(|| "it has 32 hex digits, which the page before ends with".to_owned())
}

/// Whom to listen to. Pages were not asked for where there are none.
fn audience(command: &Command, policy: &Policy, settings: &Settings) -> Result<Audience, Failure> {
    let everyone = command.everyone || policy.anchors().is_empty();
    for option in ["limit", "after"] {
        if settings.given.has(option) && !everyone {
            return Err(Failure::Usage(format!(
                "--{option} is for those whom your policy does not listen to; ask with --everyone"
            )));
        }
        if settings.given.has(option) && command.how.private {
            return Err(Failure::Usage(format!(
                "--{option} cannot be used with --private: it would tell the log what you ask \
                 about. All others are asked for at once"
            )));
        }
    }
    if !everyone {
        return Ok(Audience::Trusted);
    }
    Ok(Audience::Everyone(OthersPage {
        limit: command.limit.map_or(OTHERS, usize::from),
        after: command.after,
        ..OthersPage::FIRST
    }))
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let about = about::read(&command.about)?;
    let policy = asking::policy_or_starting(settings)?;
    let audience = audience(&command, &policy, settings)?;
    let asker = asking::asker(policy, settings, command.how)?;
    let found = asker.find(about, audience).await;
    let found = asking::heard(&asker, settings, found).await?;
    let policy_name = settings.policy(None).display().to_string();
    let report = asking::scales(&asker, &policy_name).found(&found);
    let json = json::lookup(&found.about, &report);
    output::data(settings, || text::text(&found.about, &report), &json)?;
    for hint in &report.hints {
        output::say(settings, &output::plain(&words::hint(hint)));
    }
    asking::submit_heads(&asker, settings).await;
    asking::conclude(&report)
}
