//! `assay export`: what is known, in documents that other tools read.

mod vex;
mod vsa;

use crate::{config::Settings, exit::Failure, output};
use clap::Subcommand;

/// Hand on what is known to other tools.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write what trusted issuers say of vulnerabilities as VEX, which scanners read
    Vex(vex::Command),
    /// Write whether components meet your policy as SLSA verification summaries (VSA)
    Vsa(vsa::Command),
}

/// Most names that a message has of what is not in a document.
const NAMED: usize = 10;

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    match command {
        Command::Vex(command) => vex::run(command, settings).await,
        Command::Vsa(command) => vsa::run(command, settings).await,
    }
}

/// Says what is not in a document, and why.
fn left_out(why: &str, list: &[String], settings: &Settings) {
    for one in list.iter().take(NAMED) {
        output::say(settings, &format!("{why}: {}", output::plain(one)));
    }
    if list.len() > NAMED {
        output::say(settings, &format!("{why}: {} more", list.len() - NAMED));
    }
}
