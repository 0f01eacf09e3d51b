//! `assay-node man`: manual pages, from what `--help` says.

use crate::{Cli, output};
use anyhow::Context as _;
use clap::{Args, CommandFactory as _};
use std::{fs, path::PathBuf};

/// Prints the manual page, or writes a page for every command into a folder.
#[derive(Args)]
pub struct Man {
    /// Folder for the pages. Without it, the main page goes to standard output.
    #[arg(long, env = "ASSAY_NODE_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(man: &Man) -> anyhow::Result<()> {
    let Some(folder) = &man.out else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command())
            .render(&mut page)
            .context("cannot write the manual page")?;
        return output::show(&String::from_utf8_lossy(&page));
    };
    let written =
        fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
    written.with_context(|| format!("cannot write the manual pages into {}", folder.display()))?;
    output::say(format_args!("Manual pages are in {}.", folder.display()));
    Ok(())
}
