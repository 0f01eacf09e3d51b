//! `assay badge`: one fact about a package, to be shown beside it.

use crate::{
    asking::{self, How},
    check::read,
    config::Settings,
    exit::Failure,
    output,
};
use assay_claims::purl::Purl;
use assay_client::ask::{About, Asker, Audience};
use assay_client::replace_public;
use assay_client::report::badge::{Badge, Show, markdown};
use assay_client::report::{Conclusion, Report};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Write one fact about a package as a badge, as the pages of a node do.
///
/// It says until when the package is supported or how many have reviewed it, by those whom your
/// policy trusts; "read this" if your policy denies it; and in gray that nothing is known. There is
/// no grade.
///
/// For example, `assay badge pkg:cargo/serde --out assay.svg` makes a picture to keep beside a
/// README, and `assay badge pkg:cargo/serde --format markdown --pages https://node.example.org` the
/// line of one that shows what that node's badge says now, by the node's policy, and leads to its
/// page.
///
/// Exit code 0: it was written, whatever it says. 1: it says "not checked" of a package, because a
/// log did not answer in full. 2: the policy or an argument cannot be used. 3: a log that must
/// answer cannot be reached. 4: an answer does not verify, or a log was found to misbehave. With 2
/// to 4 nothing is written.
#[derive(Debug, Args)]
pub struct Command {
    /// Package URLs, with a version or without; a picture is of one
    #[arg(required = true, value_name = "PURL")]
    packages: Vec<String>,
    /// As what it is written
    #[arg(
        long,
        env = "ASSAY_BADGE_FORMAT",
        value_name = "FORMAT",
        default_value = "svg"
    )]
    format: Form,
    /// Which fact: support, or reviews [default: the first of them that is known]
    #[arg(long, env = "ASSAY_SHOW", value_name = "FACT", value_parser = show)]
    show: Option<Show>,
    /// With --format markdown: where the pages are that it shows and leads to [default: the address
    /// of the log]
    #[arg(long, env = "ASSAY_PAGES", value_name = "URL")]
    pages: Option<String>,
    /// The file that is written, in place of stdout
    #[arg(long, env = "ASSAY_BADGE_OUT", value_name = "FILE")]
    out: Option<PathBuf>,
    #[command(flatten)]
    how: How,
}

/// As what a badge is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// A picture
    Svg,
    /// For programs that draw badges (shields.io's endpoint), a line for each package
    Json,
    /// A line of Markdown for each package, which shows a node's badge and leads to its page
    Markdown,
}

fn show(text: &str) -> Result<Show, String> {
    Show::named(text).ok_or_else(|| "it is `support` or `reviews`".to_owned())
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let writer = Writer::of(&command, settings)?;
    let packages = command.packages.iter().map(|text| read::purl(text));
    let packages = packages.collect::<Result<Vec<Purl>, Failure>>()?;
    let policy = asking::policy_or_starting(settings)?;
    let asker = asking::asker(policy, settings, command.how)?;
    let (mut text, mut unchecked) = (String::new(), 0);
    for purl in &packages {
        let report = report(&asker, purl, settings).await?;
        unchecked += usize::from(!report.is_whole());
        let badge = Badge::of(&report, writer.show);
        text.push_str(&writer.written(purl, &badge, settings)?);
    }
    match &command.out {
        None => output::bytes(text.as_bytes())?,
        Some(path) => replace_public(path, text.as_bytes())
            .map_err(|e| Failure::io(format!("cannot write {}", path.display()), e))?,
    }
    asking::submit_heads(&asker, settings).await;
    match unchecked {
        0 => Ok(()),
        n => Err(Failure::NotMet(format!(
            "a log did not answer in full about {n} of the packages, whose badge says \"not \
             checked\""
        ))),
    }
}

/// What those say of a package whom the policy trusts. Fails where nothing is certain, because a
/// log that must answer did not.
async fn report(asker: &Asker, purl: &Purl, settings: &Settings) -> Result<Report, Failure> {
    let about = About::Package(purl.clone());
    let found = asker.find(about, Audience::Trusted).await;
    let found = asking::heard(asker, settings, found).await?;
    let policy_name = settings.policy(None).display().to_string();
    let report = asking::scales(asker, &policy_name).found(&found);
    match report.conclusion() {
        Conclusion::Met | Conclusion::NotMet(_) => Ok(report),
        Conclusion::Unanswered(_) | Conclusion::Failed(_) => {
            asking::conclude(&report).map(|()| report)
        }
    }
}

/// How badges are written.
struct Writer {
    format: Form,
    show: Show,
    /// Where the pages are, if they are needed.
    pages: String,
}

impl Writer {
    fn of(command: &Command, settings: &Settings) -> Result<Self, Failure> {
        if command.format == Form::Svg && command.packages.len() > 1 {
            return Err(Failure::Usage(
                "a picture is of one package; name one, or write them with --format json or \
                 --format markdown"
                    .into(),
            ));
        }
        let pages = match (command.format, &command.pages) {
            (Form::Markdown, Some(pages)) => pages.clone(),
            (Form::Markdown, None) => settings.log().map_err(|_| {
                Failure::Usage(
                    "no address of pages is known; give that of a node with --pages URL".into(),
                )
            })?,
            (_, None) => String::new(),
            (_, Some(_)) if settings.given.has("pages") => {
                return Err(Failure::Usage(
                    "--pages is for --format markdown; leave it out".into(),
                ));
            }
            (_, Some(_)) => String::new(),
        };
        Ok(Writer {
            format: command.format,
            show: command.show.unwrap_or_default(),
            pages,
        })
    }

    /// A badge as it is written. What a node's says is its own policy's, so what yours says is told
    /// beside it.
    fn written(&self, purl: &Purl, badge: &Badge, settings: &Settings) -> Result<String, Failure> {
        match self.format {
            Form::Svg => Ok(badge.svg()),
            Form::Json => Ok(badge.json()),
            Form::Markdown => {
                let line = markdown(&self.pages, purl, self.show).ok_or_else(|| {
                    Failure::Usage(format!(
                        "there is no page of {} at {}: pages are at an address that begins with \
                         http:// or https://, and no part of a name is only dots",
                        output::plain(purl.as_str()),
                        output::plain(&self.pages)
                    ))
                })?;
                let says = format!("by your policy {purl} has: {}", badge.message());
                output::say(settings, &output::plain(&says));
                Ok(line)
            }
        }
    }
}
