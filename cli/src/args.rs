//! The commands, over the options that all of them take. Each command's own arguments are in its
//! file.

use crate::commands::{
    audit, check, completions, endorse, get, issuer, key, log, lookup, man, policy, publish,
    receipt, require, respond, verify, watch, withdraw,
};
use crate::options::Global;
use clap::{Parser, Subcommand};

/// Publish, fetch and verify signed claims about software.
///
/// Claims are in a public log that nobody can change unnoticed. A receipt can be checked offline,
/// with nothing but the log's key.
///
/// Exit codes: 0 everything that was asked holds; 1 verified, but a demand is not met; 2 usage; 3
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

/// The commands, in the order of the groups in `help`.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the components of a project against your policy
    Check(check::Command),
    /// Show everything that is known about something
    Lookup(lookup::Command),
    /// Show new claims about something as they are published
    Watch(watch::Command),
    /// Verify receipts offline
    Verify(verify::Command),
    /// Write, explain or test a policy
    #[command(subcommand)]
    Policy(policy::Command),
    /// Make or show a signing key
    #[command(subcommand)]
    Key(key::Command),
    /// Register an issuer, rotate its keys, declare a key compromised, or show its records
    #[command(subcommand)]
    Issuer(issuer::Command),
    /// Make claims of a document, sign them and publish them
    Publish(publish::Command),
    /// Fetch receipts of claims, to verify them offline
    Receipt(receipt::Command),
    /// Withdraw a claim
    Withdraw(withdraw::Command),
    /// Reply to a claim, or dispute it
    Respond(respond::Command),
    /// Endorse an issuer for a role
    Endorse(endorse::Command),
    /// Demand claims or practices of packages
    Require(require::Command),
    /// List the entries of the log
    Log(log::Command),
    /// Verify a whole log from its published tiles
    Audit(audit::Command),
    /// Fetch one claim and verify it
    Get(get::Command),
    /// Print a completion script for a shell
    Completions(completions::Command),
    /// Print the manual page, or write all pages into a folder
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
            for arg in command.get_arguments() {
                let Some(long) = arg.get_long() else {
                    continue;
                };
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
