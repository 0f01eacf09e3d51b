//! `assay-node check` and `assay-node rebuild`: arguments in, what was found out.

use super::output;
use anyhow::{Context as _, bail, ensure};
use assay_node::config::{Config, ConfigFile as _};
use assay_node::damage::examine::{UPLOAD, is_of_tables};
use assay_node::damage::operator::{self, Made};
use clap::Args;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How often progress is told.
const EVERY: Duration = Duration::from_secs(5);

#[derive(Args)]
pub struct Check {
    /// The node's configuration file.
    #[arg(long, env = "ASSAY_NODE_CONFIG")]
    config: PathBuf,
    /// Keep how far the check is in this file, every few seconds: a check that was interrupted goes
    /// on from there if it is given the same file. It is removed once all was looked at. Remove it
    /// yourself if you put other tables in place meanwhile.
    #[arg(long, env = "ASSAY_NODE_PROGRESS", value_name = "FILE")]
    progress: Option<PathBuf>,
}

#[derive(Args)]
pub struct Rebuild {
    /// The node's configuration file.
    #[arg(long, env = "ASSAY_NODE_CONFIG")]
    config: PathBuf,
    /// Where a mirror publishes this log, for example https://mirror.example.net/mirror/5f0c…; may
    /// be given several times. Peers that mirror are asked, too.
    #[arg(long, value_name = "URL")]
    from: Vec<String>,
    /// Goes on although a mirror shows that the checkpoint file lost its end: what is made is the
    /// log as the mirror has it. Only if there is no newer copy of the file. The node needs the
    /// same option at its next start, once.
    #[arg(long)]
    checkpoint_file_lost_its_end: bool,
}

/// Looks at all that a stopped node stores of its log. Fails if something is damaged.
pub fn check(args: &Check) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let (mut lines, mut tables) = (Vec::new(), false);
    let mut told = Instant::now();
    let size = operator::check(
        &config,
        args.progress.as_deref(),
        &mut |what| {
            lines.push(format!("damaged: {what}\n"));
            tables |= is_of_tables(what);
        },
        &mut |steps| {
            if told.elapsed() > EVERY {
                told = Instant::now();
                output::say(format_args!("{} %…", steps.done * 100 / steps.all.max(1)));
            }
            ControlFlow::Continue(())
        },
    )?;
    output::show(&lines.concat())?;
    let size = size.context("the check was broken off")?;
    ensure!(
        !tables,
        "what is stored of {} is damaged. `assay-node rebuild` makes it anew, but for attachments",
        config.log.origin
    );
    ensure!(
        lines.is_empty(),
        "attachments are damaged, and nothing else of {}. Of each: {UPLOAD}",
        config.log.origin
    );
    output::say(format_args!(
        "All that is stored of {} is as it was written, up to the {size} entries that are signed \
         and beyond.",
        config.log.origin
    ));
    Ok(())
}

/// Makes the tables of a stopped node anew.
pub fn rebuild(args: &Rebuild) -> anyhow::Result<()> {
    let mut config = Config::load(&args.config)?;
    config.log.lost_end = args.checkpoint_file_lost_its_end;
    let mut told = Instant::now();
    let made = operator::rebuild_log(
        &config,
        &args.from,
        &mut |what| output::say(format_args!("damaged: {what}")),
        &mut |what, done, all| {
            if told.elapsed() > EVERY || done == all {
                told = Instant::now();
                output::say(format_args!("{what} {done} of {all} entries"));
            }
        },
    )?;
    let aside = assay_node::damage::swap::old_folder(&config.storage.path);
    let Made::Now(made) = made else {
        output::say("The tables of a rebuild that was interrupted are in place now.");
        return Ok(());
    };
    output::say(format_args!(
        "The tables of {} are made anew, with {} entries. The old ones are in {}.",
        config.log.origin,
        made.head.size,
        aside.display()
    ));
    if !made.has_invitations {
        output::say(
            "Which invitations were used is lost: take those out of [admission] that were given to \
             somebody.",
        );
    }
    match made.lost {
        Some(0) => Ok(()),
        Some(lost) => bail!(
            "{lost} entries that were not signed yet are lost: whoever published them since the \
             last checkpoint has to publish them again"
        ),
        None => bail!(
            "how many entries were stored and not signed yet is not known: whoever published since \
             the last checkpoint has to publish again"
        ),
    }
}
