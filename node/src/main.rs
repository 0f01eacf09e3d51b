//! `assay-node`: makes a log (`init`) and runs it (`run`), or a witness of other logs (`witness`).

#![deny(clippy::print_stdout, clippy::print_stderr)]

mod audit_commands;
mod damage_commands;
mod held_key;
mod key_commands;
mod log_list_commands;
mod manual;
mod mirror_commands;
mod output;
mod own;
mod peer_commands;
mod run_until;
mod witness_commands;

use anyhow::Context;
use assay_claims::time::rfc3339_of_ms;
use assay_keyfile::{Passphrase, Unlock};
use assay_node::{
    audit,
    config::{Config, ConfigFile as _, listen_address},
    init::{self, cosigner::NewCosigner},
    keyfile, log, mirror, node,
    storage::backend::Backend,
    telemetry, witness,
};
use assay_tlog::Hash;
use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use key_commands::NewKeys;
use run_until::{Signals, once_stores_are_closed, runtime};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs a log of signed claims about software.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    /// File with the passphrase of encrypted keys: one line. Without it, it is the service's
    /// credential assay-passphrase, or asked for on a terminal.
    #[arg(
        long,
        global = true,
        env = "ASSAY_NODE_PASSPHRASE_FILE",
        value_name = "FILE"
    )]
    passphrase_file: Option<PathBuf>,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a new log: configuration, key, store and checkpoint file, in one folder.
    Init(Init),
    /// Runs the log until SIGTERM. SIGHUP reads the TLS files again.
    Run(Run),
    /// Looks at all that a stopped node stores of its log, and says what is damaged.
    Check(damage_commands::Check),
    /// Makes the tables of a stopped node anew, from what can be read of them and from mirrors.
    Rebuild(damage_commands::Rebuild),
    /// Says that the clock of a stopped node is right, though its log knows no time so late.
    ///
    /// Times in a log never fall. So a node dates nothing by a clock that jumped ahead by over a
    /// day, or after it was stopped for as long, until its operator looked at the clock.
    ClockOk(ClockOk),
    /// Makes a token that invites new issuers, and the line of the configuration that takes it.
    Invite,
    /// Says which other logs and witnesses this node works with.
    #[command(subcommand)]
    Peer(peer_commands::Command),
    /// Rotates the keys of a log, a witness or a mirror, or changes their passphrase.
    #[command(subcommand)]
    Key(key_commands::Command),
    /// Takes logs to be cosigned from lists.
    #[command(subcommand)]
    LogList(log_list_commands::Command),
    /// Makes and runs a witness, which cosigns the checkpoints of other logs.
    #[command(subcommand)]
    Witness(witness_commands::Command),
    /// Makes a node a mirror, which copies other logs and serves the copies.
    #[command(subcommand)]
    Mirror(mirror_commands::Command),
    /// Makes a mirror an auditor, which replays what it copies.
    #[command(subcommand)]
    Audit(audit_commands::Command),
    /// Prints the manual page, or writes a page for every command into a folder.
    Man(manual::Man),
}

#[derive(Args)]
struct ClockOk {
    /// The configuration file that init wrote.
    #[arg(long, env = "ASSAY_NODE_CONFIG")]
    config: PathBuf,
}

#[derive(Args)]
struct Init {
    /// Folder for the new log.
    #[arg(long, env = "ASSAY_NODE_DIR")]
    dir: PathBuf,
    /// The log's name, for ever, for example log.example.org/assay.
    #[arg(long, env = "ASSAY_NODE_ORIGIN")]
    origin: String,
    /// Public address. Port 0 takes any free one at each start.
    #[arg(
        long,
        env = "ASSAY_NODE_LISTEN",
        default_value = "127.0.0.1:7480",
        value_parser = listen_address
    )]
    listen: SocketAddr,
    /// Admin address: health and metrics.
    #[arg(
        long,
        env = "ASSAY_NODE_ADMIN",
        default_value = "127.0.0.1:7481",
        value_parser = listen_address
    )]
    admin: SocketAddr,
    /// The store: rocksdb, or redb, which is slower. It cannot be changed later.
    #[arg(long, env = "ASSAY_NODE_BACKEND", default_value_t = Backend::RocksDb)]
    backend: Backend,
    /// Makes a witness of other logs, too, with this name, for example log.example.org/witness.
    #[arg(long, env = "ASSAY_NODE_WITNESS")]
    witness: Option<String>,
    /// Makes a mirror of other logs, too, with this name, for example log.example.org/mirror.
    #[arg(long, env = "ASSAY_NODE_MIRROR")]
    mirror: Option<String>,
    /// Makes an auditor of what is mirrored, too, with this name, for example
    /// log.example.org/audit. Needs a mirror.
    #[arg(long, env = "ASSAY_NODE_AUDIT", requires = "mirror")]
    audit: Option<String>,
    #[command(flatten)]
    held: held_key::HeldKey,
    #[command(flatten)]
    keys: NewKeys,
}

#[derive(Args)]
struct Run {
    /// The configuration file that init wrote.
    #[arg(long, env = "ASSAY_NODE_CONFIG")]
    config: PathBuf,
    /// Once calls are answered, write the addresses and the log's key to this file, as JSON.
    #[arg(long, env = "ASSAY_NODE_READY_FILE")]
    ready_file: Option<PathBuf>,
    /// Goes on although the checkpoint file lost its end. Only if there is no newer copy of it, and
    /// the data folder is the one that ran last: else the log may contradict itself.
    #[arg(long)]
    checkpoint_file_lost_its_end: bool,
}

fn main() -> ExitCode {
    let matches = assay_host::environment::without_empty(Cli::command()).try_get_matches();
    let command = match matches.and_then(|matches| Cli::from_arg_matches(&matches)) {
        Ok(cli) => {
            keyfile::unlock_by(Unlock::new(cli.passphrase_file));
            cli.command
        }
        Err(error) if error.use_stderr() => error.exit(),
        // Help or the version, which was asked for.
        Err(help) => return ended(output::shown(help.print())),
    };
    ended(run_command(command))
}

fn run_command(command: Command) -> anyhow::Result<()> {
    match command {
        Command::Init(args) => init_log(&args),
        Command::Run(args) => run(&args),
        Command::Check(args) => damage_commands::check(&args),
        Command::Rebuild(args) => damage_commands::rebuild(&args),
        Command::ClockOk(args) => clock_ok(&args),
        Command::Invite => invite(),
        Command::Peer(command) => peer_commands::run(&command),
        Command::Key(command) => key_commands::run(&command),
        Command::LogList(command) => log_list_commands::run(&command),
        Command::Witness(command) => witness_commands::run(&command),
        Command::Mirror(command) => mirror_commands::run(&command),
        Command::Audit(command) => audit_commands::run(&command),
        Command::Man(man) => manual::run(&man),
    }
}

fn ended(result: anyhow::Result<()>) -> ExitCode {
    let code = match result {
        Ok(()) => 0,
        Err(error) => {
            output::say(format_args!("assay-node: {error:#}"));
            3
        }
    };
    once_stores_are_closed(code);
    ExitCode::from(code)
}

fn clock_ok(args: &ClockOk) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let ms = log::clock_ok(&config)?;
    output::say(format_args!(
        "The clock is right: it shows {}. The log may be dated by it.",
        rfc3339_of_ms(ms)
    ));
    Ok(())
}

fn init_log(args: &Init) -> anyhow::Result<()> {
    if args.witness.is_some() || args.mirror.is_some() {
        init::refuse_unfit(
            &args.dir,
            &args.origin,
            args.witness.iter().chain(&args.mirror).chain(&args.audit),
        )?;
    }
    let holder = args.held.of_log(&args.origin)?;
    let passphrase = args.keys.passphrase()?;
    let passphrase = passphrase.as_ref();
    let (mut tables, mut vkeys) = (String::new(), Vec::new());
    if let Some(name) = &args.witness {
        vkeys.extend(init_witness(args, name, passphrase)?);
        tables += "\n[witness]\nconfig = \"witness/witness.toml\"\n";
    }
    if let Some(name) = &args.mirror {
        let keys = NewCosigner::in_files(name, passphrase)?;
        vkeys.extend(mirror::init::init(&args.dir, &keys, witness::run::now())?);
        tables += &format!("\n{}", keys.table("mirror"));
        output::say(format_args!("New mirror {name}."));
    }
    if let Some(name) = &args.audit {
        let keys = NewCosigner::in_files(name, passphrase)?;
        vkeys.extend(audit::keys::init(&args.dir, &keys)?);
        tables += &format!("\n{}", keys.table("audit"));
        output::say(format_args!("New auditor {name}."));
    }
    let new = init::init(&init::Init {
        dir: &args.dir,
        origin: &args.origin,
        listen: args.listen,
        admin: args.admin,
        backend: args.backend.clone(),
        tables: &tables,
        passphrase,
        holder,
    })?;
    output::say(format_args!(
        "New log {}. Its key, for consumers to pin, goes to standard output.",
        args.origin
    ));
    if !vkeys.is_empty() {
        output::say(
            "The keys of its witness, mirror and auditor follow: Ed25519, then ML-DSA-44, of each.",
        );
    }
    output::say(format_args!(
        "Run it: assay-node run --config {}",
        new.config.display()
    ));
    vkeys.insert(0, new.vkey);
    output::show_keys(&vkeys.join("\n"))
}

/// Makes the witness of a node, before the node's configuration names it.
fn init_witness(
    args: &Init,
    name: &str,
    passphrase: Option<&Passphrase>,
) -> anyhow::Result<Vec<String>> {
    let new = witness::init::init(&witness::init::Init {
        dir: &args.dir.join("witness"),
        keys: &NewCosigner::in_files(name, passphrase)?,
        listen: args.listen,
        admin: args.admin,
        now: witness::run::now(),
    })?;
    output::say(format_args!("New witness {name}."));
    Ok(new.vkeys)
}

fn invite() -> anyhow::Result<()> {
    let mut token = [0; 16];
    getrandom::fill(&mut token).context("the system gives no random bytes")?;
    let token = hex::encode(token);
    output::say("The token, for who may register, goes to standard output.");
    output::say(format_args!(
        "Add its digest under [admission], and start the node again: invitations = [\"{}\"]",
        Hash::of(token.as_bytes())
    ));
    output::show(&format!("{token}\n"))
}

fn run(args: &Run) -> anyhow::Result<()> {
    let mut config = Config::load(&args.config)?;
    config.log.lost_end = args.checkpoint_file_lost_its_end;
    let _last = telemetry::traces(&config.trace)?;
    let drain_s = config.server.drain_s;
    runtime()?.block_on(async {
        let mut signals = Signals::new(drain_s)?;
        let node = node::Node::start(config).await?;
        let ready = args.ready_file.as_ref().map_or(Ok(()), |path| {
            node::write_ready_file(path, &node)
                .with_context(|| format!("cannot write {}", path.display()))
        });
        if ready.is_ok() {
            signals.until_stopped(|| node.reload()).await;
        }
        // However it ends: what runs beside must not find the runtime gone.
        let stopped = node.stop().await;
        ready.and(stopped.context("the server ended with an error"))
    })
}
