//! `assay completions`: completion scripts for shells.

use crate::{args::Cli, exit::Failure, output};
use clap::{Args, CommandFactory};
use clap_complete::Shell;

/// Print a completion script, for example into ~/.local/share/bash-completion/completions/assay.
#[derive(Debug, Args)]
pub struct Command {
    /// The shell
    shell: Shell,
}

/// Runs the command.
pub fn run(command: Command) -> Result<(), Failure> {
    let mut script = vec![];
    clap_complete::generate(command.shell, &mut Cli::command(), "assay", &mut script);
    output::bytes(&script)
}
