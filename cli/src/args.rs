//! The commands, over the options that all of them take. Each command's own arguments are in its
//! file.

use crate::commands::{
    audit, badge, bridge, check, completions, endorse, export, get, issuer, key, lifecycle, log,
    lookup, man, misbehavior, monitor, peers, policy, publish, receipt, require, respond, verify,
    watch, withdraw,
};
use crate::exit::Failure;
use crate::options::{Format, Given, Global};
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

/// The commands, in the order of the groups in `help`. What each says there is an attribute: a doc
/// comment would take the place of all that the command says of itself in its own help.
#[derive(Debug, Subcommand)]
pub enum Command {
    #[command(about = "Check the components of a project against your policy")]
    Check(check::Command),
    #[command(subcommand, about = "Hand on what is known to other tools")]
    Export(export::Command),
    #[command(about = "Show until when things are supported, for people or as a calendar")]
    Lifecycle(lifecycle::Command),
    #[command(about = "Write one fact about a package as a badge")]
    Badge(badge::Command),
    #[command(about = "Show everything that is known about something")]
    Lookup(lookup::Command),
    #[command(about = "Show new claims about something as they are published")]
    Watch(watch::Command),
    #[command(about = "Verify receipts offline")]
    Verify(verify::Command),
    #[command(
        subcommand,
        about = "Write, explain or test a policy",
        long_about = "Write, explain or test a policy.\n\nA policy says what you demand of the \
                      software that you use. It is one text file, in which every field is explained"
    )]
    Policy(policy::Command),
    #[command(
        subcommand,
        about = "Make or show a signing key, or change its passphrase"
    )]
    Key(key::Command),
    #[command(
        subcommand,
        about = "Register an issuer, rotate its keys, declare a key compromised, or show its \
            records"
    )]
    Issuer(issuer::Command),
    #[command(about = "Make claims of a document, sign them and publish them")]
    Publish(publish::Command),
    #[command(about = "Republish public data as claims of your own")]
    Bridge(bridge::Command),
    #[command(about = "Fetch receipts of claims, to verify them offline")]
    Receipt(receipt::Command),
    #[command(about = "Withdraw a claim")]
    Withdraw(withdraw::Command),
    #[command(about = "Reply to a claim, or dispute it")]
    Respond(respond::Command),
    #[command(about = "Endorse an issuer for a role")]
    Endorse(endorse::Command),
    #[command(about = "Demand claims or practices of packages")]
    Require(require::Command),
    #[command(about = "List the entries of the log")]
    Log(log::Command),
    #[command(about = "Verify a whole log from its published tiles")]
    Audit(audit::Command),
    #[command(subcommand, about = "Verify, list or report proof of misbehavior")]
    Misbehavior(misbehavior::Command),
    #[command(about = "Watch logs for forks, broken rules, and your names and keys used by others")]
    Monitor(monitor::Command),
    #[command(about = "Show whom a node works with, and how its witnesses are")]
    Peers(peers::Command),
    #[command(about = "Fetch one claim and verify it")]
    Get(get::Command),
    #[command(about = "Print a completion script for a shell")]
    Completions(completions::Command),
    #[command(about = "Print the manual page, or write all pages into a folder")]
    Man(man::Command),
}

/// The options of all commands that not every command honors, by id and as they are written.
const SELDOM: [(&str, &str); 9] = [
    ("log", "--log"),
    ("log_key", "--log-key"),
    ("output", "--output"),
    ("passphrase_file", "--passphrase-file"),
    ("policy", "--policy"),
    ("state_dir", "--state-dir"),
    ("tls_ca", "--tls-ca"),
    ("tls_cert", "--tls-cert"),
    ("tls_key", "--tls-key"),
];

/// What talks to a node honors.
const OF_A_NODE: [&str; 6] = [
    "log",
    "log_key",
    "state_dir",
    "tls_ca",
    "tls_cert",
    "tls_key",
];

impl Command {
    /// Refuses what was given on the command line and is not honored, and a format that the command
    /// does not write, wherever it was set.
    ///
    /// Combinations of a command's own options are refused where the command runs.
    pub fn refuse_unhonored(&self, format: Format, given: &Given) -> Result<(), Failure> {
        for (id, written) in SELDOM {
            if given.has(id) && !self.honors(id) {
                return Err(Failure::Usage(format!(
                    "this command does not use {written}; leave it out"
                )));
            }
        }
        if !self.writes(format) {
            let by = match format {
                Format::Openvex | Format::Csaf | Format::Csaf2_1 => "`assay export vex`",
                Format::Ics | Format::Openeox | Format::Cle => "`assay lifecycle`",
                Format::CyclonedxVex => "`assay check` and `assay export vex`",
                _ => "`assay check`",
            };
            let (verb, format) = if by.contains(" and ") {
                ("write", format.name())
            } else {
                ("writes", format.name())
            };
            return Err(Failure::Usage(format!(
                "only {by} {verb} {format}; use --output text or --output json"
            )));
        }
        Ok(())
    }

    /// Whether it writes a format.
    fn writes(&self, format: Format) -> bool {
        match format {
            Format::Text | Format::Json => true,
            Format::Sarif | Format::Markdown => matches!(self, Command::Check(_)),
            Format::CyclonedxVex => matches!(
                self,
                Command::Check(_) | Command::Export(export::Command::Vex(_))
            ),
            Format::Openvex | Format::Csaf | Format::Csaf2_1 => {
                matches!(self, Command::Export(export::Command::Vex(_)))
            }
            Format::Ics | Format::Openeox | Format::Cle => {
                matches!(self, Command::Lifecycle(_))
            }
        }
    }

    /// Whether it remembers what logs showed, or looks at what others remembered.
    pub fn remembers(&self) -> bool {
        let reads = matches!(
            self,
            Command::Verify(_) | Command::Policy(_) | Command::Misbehavior(_)
        );
        reads || self.honors("state_dir")
    }

    /// Whether it may read signing keys.
    fn signs(&self) -> bool {
        matches!(
            self,
            Command::Key(_)
                | Command::Issuer(_)
                | Command::Publish(_)
                | Command::Bridge(_)
                | Command::Export(export::Command::Vsa(_))
                | Command::Withdraw(_)
                | Command::Respond(_)
                | Command::Endorse(_)
                | Command::Require(_)
                | Command::Monitor(_)
        )
    }

    fn honors(&self, id: &str) -> bool {
        if id == "passphrase_file" {
            return self.signs();
        }
        match self {
            Command::Check(_)
            | Command::Export(_)
            | Command::Lifecycle(_)
            | Command::Lookup(_)
            | Command::Watch(_)
            | Command::Monitor(_) => true,
            // Its own --format says as what it is written.
            Command::Badge(_) => id != "output",
            Command::Verify(_) => matches!(id, "log_key" | "output" | "policy"),
            Command::Policy(_) => matches!(id, "output" | "policy"),
            Command::Misbehavior(_) => id != "state_dir",
            Command::Peers(_) => !matches!(id, "state_dir" | "log_key"),
            Command::Key(_) => id == "output",
            Command::Issuer(_)
            | Command::Publish(_)
            | Command::Bridge(_)
            | Command::Receipt(_)
            | Command::Withdraw(_)
            | Command::Respond(_)
            | Command::Endorse(_)
            | Command::Require(_)
            | Command::Log(_)
            | Command::Audit(_)
            | Command::Get(_) => id == "output" || OF_A_NODE.contains(&id),
            Command::Completions(_) | Command::Man(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::{CommandFactory, FromArgMatches};

    fn refused(arguments: &[&str]) -> Option<String> {
        let matches = Cli::command()
            .try_get_matches_from([&["assay"], arguments].concat())
            .unwrap();
        let cli = Cli::from_arg_matches(&matches).unwrap();
        let format = cli.global.output.unwrap_or_default();
        let outcome = cli.command.refuse_unhonored(format, &Given::of(&matches));
        outcome.err().map(|error| error.to_string())
    }

    #[test]
    fn an_option_that_a_command_does_not_honor_is_refused() {
        for (arguments, option) in [
            (&["verify", "x", "--log", "http://a"][..], "--log"),
            (&["--log", "http://a", "verify", "x"], "--log"),
            (&["verify", "x", "--state-dir", "s"], "--state-dir"),
            (&["verify", "x", "--tls-ca", "c"], "--tls-ca"),
            (&["policy", "test", "--log", "http://a"], "--log"),
            (&["key", "new", "--policy", "p"], "--policy"),
            (&["issuer", "show", "--policy", "p"], "--policy"),
            (&["audit", "--policy", "p"], "--policy"),
            (&["publish", "sbom", "x", "--policy", "p"], "--policy"),
            (&["man", "--output", "json"], "--output"),
            (&["completions", "bash", "--log-key", "k"], "--log-key"),
            (&["log", "--output", "sarif"], "only `assay check`"),
            (
                &[
                    "export",
                    "vsa",
                    "x",
                    "--verifier",
                    "a:b",
                    "--output",
                    "csaf",
                ],
                "only `assay export vex`",
            ),
            (
                &["export", "vex", "x", "--passphrase-file", "p"],
                "--passphrase-file",
            ),
            (
                &["check", "x", "--passphrase-file", "p"],
                "--passphrase-file",
            ),
        ] {
            let said = refused(arguments).unwrap_or_else(|| panic!("{arguments:?}"));
            assert!(said.contains(option), "{arguments:?}: {said}");
        }
        for arguments in [
            &["verify", "x", "--policy", "p", "--log-key", "k"][..],
            &["check", "x", "--log", "http://a", "--output", "sarif"],
            &["get", "7", "--log", "http://a", "--state-dir", "s", "-q"],
            &["policy", "explain", "--policy", "p", "--output", "json"],
        ] {
            assert_eq!(refused(arguments), None, "{arguments:?}");
        }
    }

    /// The help of a command has all that the command says of itself: what it does besides, and its
    /// exit codes.
    #[test]
    fn the_help_of_a_command_is_whole() {
        let mut command = Cli::command();
        command.build();
        for (name, says) in [
            ("badge", "assay badge pkg:cargo/serde --out"),
            ("lifecycle", "Exit code 0"),
            ("policy", "in which every field is explained"),
        ] {
            let command = command.find_subcommand_mut(name).unwrap();
            let help = command.render_long_help().to_string();
            assert!(help.replace('\n', " ").contains(says), "{name}: {help}");
        }
    }

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
