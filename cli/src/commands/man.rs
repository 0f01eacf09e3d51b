//! `assay man`: manual pages.

use crate::{config::Settings, exit::Failure, output};
use clap::Args;
use std::path::PathBuf;

/// Print the manual page, or write a page for every command into a folder.
#[derive(Debug, Args)]
pub struct Command {
    /// Folder for the pages. Without it, the main page goes to stdout
    #[arg(long, env = "ASSAY_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the command. The pages are those of `cli`.
pub fn run(command: Command, cli: clap::Command, settings: &Settings) -> Result<(), Failure> {
    let Some(folder) = command.out else {
        let mut page = vec![];
        clap_mangen::Man::new(cli)
            .render(&mut page)
            .map_err(|e| Failure::io("cannot write the manual page", e))?;
        return output::bytes(&page);
    };
    let shown = folder.display();
    std::fs::create_dir_all(&folder)
        .and_then(|()| clap_mangen::generate_to(cli, &folder))
        .map_err(|e| Failure::io(format!("cannot write the manual pages into {shown}"), e))?;
    output::say(settings, &format!("Manual pages are in {shown}."));
    Ok(())
}
