//! `assay-node mirror`: arguments in, what was made out.

use super::held_key::HeldKey;
use super::key_commands::NewKeys;
use super::output;
use anyhow::Context;
use assay_node::config::{Config, ConfigFile as _};
use assay_node::init::cosigner::NewCosigner;
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
    held: HeldKey,
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

fn init_mirror(args: &Init) -> anyhow::Result<()> {
    let holder = args.held.of_cosigner(&args.name)?;
    let passphrase = args.keys.passphrase()?;
    let keys = NewCosigner::new(&args.name, holder, passphrase.as_ref())?;
    let vkeys = init::init(&args.dir, &keys, now())?;
    output::say(format_args!(
        "New mirror {}. Its keys, for policies, go to standard output: Ed25519, then ML-DSA-44.",
        args.name
    ));
    output::say("Add to the node's configuration, with a [[mirror.log]] for each log to copy:");
    output::say(keys.table("mirror").trim_end());
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
