//! The page of `assay --help`, with its commands in groups by who uses them.
//!
//! Clap lists commands under one heading. So the page has a template of its own, made of
//! [`GROUPS`] and of what each command says of itself.

use clap::{Command, builder::StyledStr};
use std::fmt::Write;

/// A heading and the commands under it, by name.
type Group = (&'static str, &'static [&'static str]);

/// Every command, in exactly one group.
pub const GROUPS: &[Group] = &[
    (
        "For those who use software",
        &[
            "check",
            "export",
            "lifecycle",
            "badge",
            "lookup",
            "watch",
            "verify",
            "policy",
        ],
    ),
    (
        "For those who publish",
        &[
            "key", "issuer", "publish", "bridge", "receipt", "withdraw", "respond", "endorse",
            "require",
        ],
    ),
    (
        "For those who watch a log",
        &["log", "audit", "monitor", "misbehavior", "peers", "get"],
    ),
    ("Other commands", &["completions", "man", "help"]),
];

/// Gives `command` the page with groups. Nothing but that page changes.
pub fn with_groups(command: Command) -> Command {
    let template = template(&command);
    command.help_template(template)
}

fn template(command: &Command) -> StyledStr {
    let styles = command.get_styles();
    let (header, literal) = (*styles.get_header(), *styles.get_literal());
    let names = GROUPS.iter().flat_map(|(_, names)| *names);
    let width = names.map(|name| name.len()).max().unwrap_or_default();
    let mut page = String::from("{about-with-newline}\n{usage-heading} {usage}\n");
    for (heading, names) in GROUPS {
        let _ = write!(page, "\n{header}{heading}:{header:#}\n");
        for name in *names {
            let about = match command.find_subcommand(name).map(Command::get_about) {
                Some(about) => about.map(StyledStr::to_string).unwrap_or_default(),
                // Clap adds `help` itself, and only when it parses.
                None => "Print this page, or the help of a command".into(),
            };
            let _ = writeln!(page, "  {literal}{name:width$}{literal:#}  {about}");
        }
    }
    let _ = write!(page, "\n{header}Options:{header:#}\n{{options}}");
    page.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Cli;
    use clap::CommandFactory;
    use std::collections::BTreeSet;

    #[test]
    fn every_command_is_in_exactly_one_group() {
        let mut command = Cli::command();
        command.build();
        let commands: Vec<&str> = command.get_subcommands().map(Command::get_name).collect();
        let grouped: Vec<&str> = GROUPS
            .iter()
            .flat_map(|(_, names)| *names)
            .copied()
            .collect();
        let set: BTreeSet<&str> = grouped.iter().copied().collect();
        assert_eq!(set.len(), grouped.len(), "a command is in two groups");
        assert_eq!(set, commands.iter().copied().collect());
    }

    #[test]
    fn both_pages_show_the_groups_and_every_option() {
        let mut command = with_groups(Cli::command());
        let pages = [command.render_help(), command.render_long_help()];
        for page in pages.map(|page| page.to_string()) {
            for (heading, names) in GROUPS {
                assert!(page.contains(heading), "{page}");
                for name in *names {
                    assert!(page.contains(&format!("\n  {name} ")), "{name}: {page}");
                }
            }
            for option in ["--log <URL>", "--tls-key", "--help", "--version"] {
                assert!(page.contains(option), "{option}: {page}");
            }
            let longest = page.lines().map(|line| line.chars().count()).max();
            assert!(longest <= Some(100), "{page}");
        }
    }
}
