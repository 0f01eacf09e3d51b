//! `assay-node witness`: arguments in, what was made out.

use super::held_key::HeldKey;
use super::key_commands::NewKeys;
use super::output;
use super::run_until::{Signals, runtime};
use anyhow::Context;
use assay_node::config::{ConfigFile as _, listen_address};
use assay_node::init::cosigner::NewCosigner;
use assay_node::telemetry;
use assay_node::witness::{
    config::WitnessConfig,
    init,
    operator::{self, Pin},
    run::{Running, now},
};
use assay_tlog::Hash;
use assay_tlog::tree::TreeSize;
use clap::{Args, Subcommand};
use std::{net::SocketAddr, path::PathBuf};

/// Makes and runs a witness.
#[derive(Subcommand)]
pub enum Command {
    /// Makes a new witness: configuration, keys and store, in one folder.
    Init(Init),
    /// Runs the witness until SIGTERM. SIGHUP reads the TLS files again.
    #[command(alias = "serve")]
    Run(Run),
    /// Says what is known of a log that existed before: its first checkpoint has to extend that.
    /// The witness must be stopped.
    Pin(PinLog),
    /// Says that this machine's clock is right, after the witness was down for over a day. The
    /// witness must be stopped.
    ClockOk(ClockOk),
}

#[derive(Args)]
pub struct Init {
    /// Folder for the new witness.
    #[arg(long, env = "ASSAY_WITNESS_DIR")]
    dir: PathBuf,
    /// The witness's name in its cosignatures, for example witness.example.org/w.
    #[arg(long, env = "ASSAY_WITNESS_NAME")]
    name: String,
    /// Public address. Port 0 takes any free one at each start.
    #[arg(
        long,
        env = "ASSAY_WITNESS_LISTEN",
        default_value = "127.0.0.1:7480",
        value_parser = listen_address
    )]
    listen: SocketAddr,
    /// Admin address: health and metrics.
    #[arg(
        long,
        env = "ASSAY_WITNESS_ADMIN",
        default_value = "127.0.0.1:7481",
        value_parser = listen_address
    )]
    admin: SocketAddr,
    #[command(flatten)]
    held: HeldKey,
    #[command(flatten)]
    keys: NewKeys,
}

#[derive(Args)]
pub struct Run {
    /// The configuration file that init wrote.
    #[arg(long, env = "ASSAY_WITNESS_CONFIG")]
    config: PathBuf,
    /// Once calls are answered, write the addresses and the keys to this file, as JSON.
    #[arg(long, env = "ASSAY_WITNESS_READY_FILE")]
    ready_file: Option<PathBuf>,
}

#[derive(Args)]
pub struct PinLog {
    /// The configuration file, which has the log.
    #[arg(long, env = "ASSAY_WITNESS_CONFIG")]
    config: PathBuf,
    /// The log's origin.
    #[arg(long)]
    origin: String,
    /// The size of its tree.
    #[arg(long)]
    size: u64,
    /// The root at that size, in hex.
    #[arg(long)]
    root: String,
}

#[derive(Args)]
pub struct ClockOk {
    /// The configuration file.
    #[arg(long, env = "ASSAY_WITNESS_CONFIG")]
    config: PathBuf,
}

/// Does what a command says.
pub fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Init(args) => init_witness(args),
        Command::Run(args) => serve(args),
        Command::Pin(args) => pin(args),
        Command::ClockOk(args) => clock_ok(args),
    }
}

fn init_witness(args: &Init) -> anyhow::Result<()> {
    let holder = args.held.of_cosigner(&args.name)?;
    let passphrase = args.keys.passphrase()?;
    let new = init::init(&init::Init {
        dir: &args.dir,
        keys: &NewCosigner::new(&args.name, holder, passphrase.as_ref())?,
        listen: args.listen,
        admin: args.admin,
        now: now(),
    })?;
    output::say(format_args!(
        "New witness {}. Its keys, for policies, go to standard output: Ed25519, then ML-DSA-44.",
        args.name
    ));
    let config = new.config.display();
    output::say(format_args!(
        "Add logs to {config}, and run it: assay-node witness run --config {config}"
    ));
    output::show_keys(&new.vkeys.join("\n"))
}

fn serve(args: &Run) -> anyhow::Result<()> {
    let config = WitnessConfig::load(&args.config)?;
    let _last = telemetry::traces(&config.trace)?;
    let drain_s = config.server.drain_s;
    runtime()?.block_on(async {
        let mut signals = Signals::new(drain_s)?;
        let witness = Running::start(config).await?;
        let ready = args.ready_file.as_ref().map_or(Ok(()), |path| {
            let written = witness.write_ready_file(path);
            written.with_context(|| format!("cannot write {}", path.display()))
        });
        if ready.is_ok() {
            signals.until_stopped(|| witness.reload()).await;
        }
        let stopped = witness.stop().await;
        ready.and(stopped.context("the server ended with an error"))
    })
}

fn pin(args: &PinLog) -> anyhow::Result<()> {
    let root = Hash::from_hex(&args.root).context("--root is no SHA-256 in lower-case hex")?;
    let config = WitnessConfig::load(&args.config)?;
    let pin = Pin {
        origin: &args.origin,
        size: TreeSize::new(args.size),
        root,
    };
    operator::pin(&config, pin)?;
    output::say(format_args!(
        "The first checkpoint of {} has to extend size {}.",
        args.origin, args.size
    ));
    Ok(())
}

fn clock_ok(args: &ClockOk) -> anyhow::Result<()> {
    let config = WitnessConfig::load(&args.config)?;
    let floor = operator::clock_ok(&config, now())?;
    output::say(format_args!(
        "No time before {} (seconds since 1970, UTC) is stated any more.",
        floor.seconds()
    ));
    Ok(())
}
