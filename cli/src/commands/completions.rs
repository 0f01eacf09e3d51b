//! `assay completions`: completion scripts for shells.

use crate::{exit::Failure, output};
use clap::Args;
use clap_complete::Shell;

/// Print a completion script, for example into ~/.local/share/bash-completion/completions/assay.
#[derive(Debug, Args)]
pub struct Command {
    /// The shell
    shell: Shell,
}

/// Runs the command. The script completes `cli`.
pub fn run(command: Command, mut cli: clap::Command) -> Result<(), Failure> {
    let mut script = vec![];
    clap_complete::generate(command.shell, &mut cli, "assay", &mut script);
    output::bytes(&script)
}
