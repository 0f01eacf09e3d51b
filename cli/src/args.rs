//! The arguments that every command shares, and the list of commands. Each command's own stand with
//! it.

use crate::commands::{
    audit, check, completions, endorse, get, issuer, key, log, lookup, man, policy, publish,
    receipt, require, respond, verify, watch, withdraw,
};
use clap::{Args, Parser, Subcommand, ValueEnum, builder::FalseyValueParser};
use std::path::PathBuf;

/// Publish, fetch and verify signed claims about software.
///
/// Claims stand in a public log that cannot be changed without notice. Whoever has a receipt can
/// check it offline, with nothing but the log's key.
///
/// Exit codes: 0 all that was asked holds; 1 verified, but what was demanded is not met; 2 usage; 3
/// unavailable (I/O or network), try again; 4 a check failed or misbehavior was found.
#[derive(Debug, Parser)]
#[command(
    name = "assay",
    version,
    max_term_width = 100,
    subcommand_required = true,
    arg_required_else_help = true
)]
pub struct Cli {
    /// What every command takes.
    #[command(flatten)]
    pub global: Global,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What every command takes. A flag wins over the environment, and that over the configuration
/// file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The node's address: http://HOST:PORT or https://HOST:PORT
    #[arg(long, global = true, env = "ASSAY_LOG", value_name = "URL")]
    pub log: Option<String>,
    /// The log's key: its text (NAME+HASH+BASE64) or a file that holds it
    #[arg(long, global = true, env = "ASSAY_LOG_KEY", value_name = "KEY|FILE")]
    pub log_key: Option<String>,
    /// Text for people or JSON for programs; `check` knows more
    #[arg(long, global = true, env = "ASSAY_OUTPUT", value_name = "FORMAT")]
    pub output: Option<Format>,
    /// What you demand of software [default: ~/.config/assay/policy.toml]
    #[arg(long, global = true, env = "ASSAY_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Folder that remembers the last head seen of each log [default: ~/.local/state/assay]
    #[arg(long, global = true, env = "ASSAY_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Configuration file [default: ~/.config/assay/config.toml]
    #[arg(long, global = true, env = "ASSAY_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Say nothing on stderr but errors
    #[arg(long, short, global = true, env = "ASSAY_QUIET", value_parser = FalseyValueParser::new())]
    pub quiet: bool,
    /// Certificates (PEM) to trust for TLS instead of the system's
    #[arg(long, global = true, env = "ASSAY_TLS_CA", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// This client's TLS certificate (PEM)
    #[arg(long, global = true, env = "ASSAY_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// This client's TLS key (PEM)
    #[arg(long, global = true, env = "ASSAY_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// How data is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON object
    Json,
    /// Of check: findings for code scanning (SARIF 2.1.0)
    Sarif,
    /// Of check: vulnerabilities, and whether they apply (CycloneDX 1.6)
    CyclonedxVex,
    /// Of check: a comment for a pull request
    Markdown,
}

impl Format {
    /// Whether every command can write it.
    pub fn is_general(self) -> bool {
        matches!(self, Format::Text | Format::Json)
    }

    /// What `--output` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::CyclonedxVex => "cyclonedx-vex",
            Format::Markdown => "markdown",
        }
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make or show a signing key
    #[command(subcommand)]
    Key(key::Command),
    /// Register an issuer, rotate its keys, give one up, or show its records
    #[command(subcommand)]
    Issuer(issuer::Command),
    /// Make a claim of a document, sign it and publish it
    Publish(publish::Command),
    /// Vouch that an issuer has a role
    Endorse(endorse::Command),
    /// Take back a claim
    Withdraw(withdraw::Command),
    /// Reply to a claim, or dispute it
    Respond(respond::Command),
    /// Demand claims or practices of packages
    Require(require::Command),
    /// Fetch one claim and verify it
    Get(get::Command),
    /// Fetch a claim's receipt, to be verified offline
    Receipt(receipt::Command),
    /// Verify receipts offline
    Verify(verify::Command),
    /// Show everything that is known about something
    Lookup(lookup::Command),
    /// Show new claims about something as they are published
    Watch(watch::Command),
    /// List the log's entries
    Log(log::Command),
    /// Re-derive a whole log from the tiles that it publishes
    Audit(audit::Command),
    /// Check what a project is made of against your policy
    Check(check::Command),
    /// Make a policy, explain it, or run its examples
    #[command(subcommand)]
    Policy(policy::Command),
    /// Print a completion script for a shell
    Completions(completions::Command),
    /// Print the manual page, or write all of them into a folder
    Man(man::Command),
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_arguments_are_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_option_can_be_set_in_the_environment() {
        fn check(command: &clap::Command) {
            for arg in command
                .get_arguments()
                .filter(|arg| arg.get_long().is_some())
            {
                let long = arg.get_long().unwrap();
                if matches!(long, "help" | "version") {
                    continue;
                }
                let env = arg
                    .get_env()
                    .unwrap_or_else(|| panic!("{}: --{long} has no variable", command.get_name()));
                assert!(env.to_str().unwrap().starts_with("ASSAY_"), "--{long}");
            }
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
