//! `assay export`: what is known, in documents that other tools read.

mod vex;

use crate::{config::Settings, exit::Failure};
use clap::Subcommand;

/// Hand on what is known to other tools.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write what trusted issuers say of vulnerabilities as VEX, which scanners read
    Vex(vex::Command),
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    match command {
        Command::Vex(command) => vex::run(command, settings).await,
    }
}
