//! `assay-node`: makes a log (`init`) and runs it (`run`), or a witness of other logs (`witness`).

mod audit_commands;
mod mirror_commands;
mod peer_commands;
mod witness_commands;

use anyhow::{Context, ensure};
use assay_node::{
    audit,
    config::{Config, ConfigFile as _},
    init, mirror, node, telemetry, witness,
};
use assay_tlog::Hash;
use assay_tlog::note::{Algorithm, CosignerKey};
use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{Signal, SignalKind, signal};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Runs a log of signed claims about software.
#[derive(Parser)]
#[command(version, propagate_version = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Makes a new log: configuration, key, store and checkpoint file, in one folder.
    Init(Init),
    /// Runs the log until SIGTERM. SIGHUP reads the TLS files again.
    Run(Run),
    /// Makes a token that invites new issuers, and the line of the configuration that takes it.
    Invite,
    /// Says which other logs and witnesses this node works with.
    #[command(subcommand)]
    Peer(peer_commands::Command),
    /// Makes and runs a witness, which cosigns the checkpoints of other logs.
    #[command(subcommand)]
    Witness(witness_commands::Command),
    /// Makes a node a mirror, which copies other logs and serves the copies.
    #[command(subcommand)]
    Mirror(mirror_commands::Command),
    /// Makes a mirror an auditor, which replays what it copies.
    #[command(subcommand)]
    Audit(audit_commands::Command),
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
    #[arg(long, env = "ASSAY_NODE_LISTEN", default_value = "127.0.0.1:7480")]
    listen: SocketAddr,
    /// Admin address: health and metrics.
    #[arg(long, env = "ASSAY_NODE_ADMIN", default_value = "127.0.0.1:7481")]
    admin: SocketAddr,
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
}

#[derive(Args)]
struct Run {
    /// The configuration file that init wrote.
    #[arg(long, env = "ASSAY_NODE_CONFIG")]
    config: PathBuf,
    /// Once calls are answered, write the addresses and the log's key to this file, as JSON.
    #[arg(long, env = "ASSAY_NODE_READY_FILE")]
    ready_file: Option<PathBuf>,
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Init(args) => init_log(&args),
        Command::Run(args) => run(&args),
        Command::Invite => invite(),
        Command::Peer(command) => peer_commands::run(&command),
        Command::Witness(command) => witness_commands::run(&command),
        Command::Mirror(command) => mirror_commands::run(&command),
        Command::Audit(command) => audit_commands::run(&command),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("assay-node: {error:#}");
            ExitCode::from(3)
        }
    }
}

/// Refuses what would fail after a part was made: names that cannot be, or that are one, and files
/// that are there.
fn refuse_unfit(args: &Init) -> anyhow::Result<()> {
    init::vacant(&args.dir)?;
    let mut names = vec![args.origin.as_str()];
    let others = args.witness.iter().chain(&args.mirror).chain(&args.audit);
    for name in others {
        CosignerKey::from_seed(name, Algorithm::CosignatureV1, &[0; 32])
            .with_context(|| format!("the name {name:?} cannot be used"))?;
        ensure!(
            !names.contains(&name.as_str()),
            "log, witness, mirror and auditor each need a name; {name} stands there twice"
        );
        names.push(name);
    }
    for file in [
        "log.key",
        "data",
        "checkpoints",
        "witness",
        "mirror",
        "mirror.key",
        "audit.key",
    ] {
        let path = args.dir.join(file);
        ensure!(
            !path.exists(),
            "{} exists already; init never overwrites. Choose another folder",
            path.display()
        );
    }
    Ok(())
}

fn init_log(args: &Init) -> anyhow::Result<()> {
    if args.witness.is_some() || args.mirror.is_some() {
        refuse_unfit(args)?;
    }
    let (mut tables, mut vkeys) = (String::new(), Vec::new());
    if let Some(name) = &args.witness {
        vkeys.extend(init_witness(args, name)?);
        tables += "\n[witness]\nconfig = \"witness/witness.toml\"\n";
    }
    if let Some(name) = &args.mirror {
        vkeys.extend(mirror::init::init(&args.dir, name, witness::run::now())?);
        tables += &format!("\n{}", mirror_commands::table(name));
        eprintln!("New mirror {name}.");
    }
    if let Some(name) = &args.audit {
        vkeys.extend(audit::keys::init(&args.dir, name)?);
        tables += &format!("\n{}", audit_commands::table(name));
        eprintln!("New auditor {name}.");
    }
    let new = init::init(&init::Init {
        dir: &args.dir,
        origin: &args.origin,
        listen: args.listen,
        admin: args.admin,
        tables: &tables,
    })?;
    eprintln!(
        "New log {}. Its key, for consumers to pin, goes to standard output.",
        args.origin
    );
    if !vkeys.is_empty() {
        eprintln!(
            "The keys of its witness, mirror and auditor follow: Ed25519, then ML-DSA-44, of each."
        );
    }
    eprintln!("Run it: assay-node run --config {}", new.config.display());
    println!("{}", new.vkey);
    for vkey in vkeys {
        println!("{vkey}");
    }
    Ok(())
}

/// Makes the witness of a node, before the node's configuration names it.
fn init_witness(args: &Init, name: &str) -> anyhow::Result<Vec<String>> {
    let new = witness::init::init(&witness::init::Init {
        dir: &args.dir.join("witness"),
        name,
        listen: args.listen,
        admin: args.admin,
        now: witness::run::now(),
    })?;
    eprintln!("New witness {name}.");
    Ok(new.vkeys)
}

fn invite() -> anyhow::Result<()> {
    let mut token = [0; 16];
    getrandom::fill(&mut token).context("the system gives no random bytes")?;
    let token = hex::encode(token);
    eprintln!("The token, for who may register, goes to standard output.");
    eprintln!(
        "Add its digest under [admission], and start the node again: invitations = [\"{}\"]",
        Hash::of(token.as_bytes())
    );
    println!("{token}");
    Ok(())
}

fn run(args: &Run) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    telemetry::traces(&config.trace).context("trace.filter in the configuration cannot be used")?;
    runtime()?.block_on(async {
        let mut signals = Signals::new()?;
        let node = node::Node::start(config).await?;
        if let Some(path) = &args.ready_file {
            node::write_ready_file(path, &node)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        signals.until_stopped(|| node.reload()).await;
        node.stop().await.context("the server ended with an error")
    })
}

/// The runtime that accepts connections and keeps time; the serving threads have runtimes of their
/// own.
fn runtime() -> std::io::Result<tokio::runtime::Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
}

/// What the system tells the process. Made before anything starts, so that no signal is missed.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns when the process is to stop. Calls `reload` for each SIGHUP before that.
    async fn until_stopped(&mut self, reload: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.hangup.recv() => reload(),
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
            }
        }
        tracing::info!("stopping: calls in flight may end");
    }
}
