//! `assay-node mirror`: arguments in, what was made out.

use super::key_commands::NewKeys;
use super::output;
use anyhow::Context;
use assay_node::config::{Config, ConfigFile as _};
use assay_node::mirror::{clock::now, init, operator};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Makes a node a mirror of other logs.
#[derive(Subcommand)]
pub enum Command {
    /// Makes the keys and the store of a mirror, in the folder of a node.
    Init(Init),
    /// Says that this machine's clock is right, after the mirror was down for over a day. The node
    /// must be stopped.
    ClockOk(ClockOk),
}

#[derive(Args)]
pub struct Init {
    /// The node's folder, in which its configuration is.
    #[arg(long, env = "ASSAY_NODE_DIR")]
    dir: PathBuf,
    /// The mirror's name in its cosignatures, for example node.example.org/mirror.
    #[arg(long, env = "ASSAY_MIRROR_NAME")]
    name: String,
    #[command(flatten)]
    keys: NewKeys,
}

#[derive(Args)]
pub struct ClockOk {
    /// The node's configuration file.
    #[arg(long, env = "ASSAY_NODE_CONFIG")]
    config: PathBuf,
}

/// Does what a command says.
pub fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Init(args) => init_mirror(args),
        Command::ClockOk(args) => clock_ok(args),
    }
}

/// The table of a mirror that was just made, for its node's configuration.
pub fn table(name: &str) -> String {
    let name = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("[mirror]\nname = \"{name}\"\nml_dsa_44_key = \"mirror-ml-dsa-44.key\"\n")
}

fn init_mirror(args: &Init) -> anyhow::Result<()> {
    let vkeys = init::init(
        &args.dir,
        &args.name,
        now(),
        args.keys.passphrase()?.as_ref(),
    )?;
    output::say(format_args!(
        "New mirror {}. Its keys, for policies, go to standard output: Ed25519, then ML-DSA-44.",
        args.name
    ));
    output::say("Add to the node's configuration, with a [[mirror.log]] for each log to copy:");
    output::say(table(&args.name).trim_end());
    output::show_keys(&vkeys.join("\n"))
}

fn clock_ok(args: &ClockOk) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let mirror = config.mirror.context("the configuration has no [mirror]")?;
    let floor = operator::clock_ok(&mirror, now())?;
    output::say(format_args!(
        "No time before {} (seconds since 1970, UTC) is stated any more.",
        floor.seconds()
    ));
    Ok(())
}
