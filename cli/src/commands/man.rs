//! `assay man`: manual pages.

use crate::{args::Cli, config::Settings, exit::Failure, output};
use clap::{Args, CommandFactory};
use std::path::PathBuf;

/// Print the manual page, or write one for every command into a folder.
#[derive(Debug, Args)]
pub struct Command {
    /// Folder for the pages; without it, the main page goes to stdout
    #[arg(long, env = "ASSAY_OUT", value_name = "DIR")]
    out: Option<PathBuf>,
}

/// Runs the command.
pub fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    match command.out {
        None => {
            let mut page = vec![];
            let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
            rendered.map_err(|e| Failure::io("cannot write the manual page", e))?;
            output::bytes(&page)
        }
        Some(folder) => {
            std::fs::create_dir_all(&folder)
                .and_then(|()| clap_mangen::generate_to(Cli::command(), &folder))
                .map_err(|e| {
                    Failure::io(
                        format!("cannot write the manual pages into {}", folder.display()),
                        e,
                    )
                })?;
            output::say(
                settings,
                &format!("manual pages written into {}", folder.display()),
            );
            Ok(())
        }
    }
}
