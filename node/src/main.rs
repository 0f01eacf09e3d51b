//! `assay-node`: makes a log (`init`) and runs it (`run`).

use anyhow::Context;
use assay_node::{config::Config, init, node, telemetry};
use assay_tlog::Hash;
use clap::{Args, Parser, Subcommand};
use std::{net::SocketAddr, path::PathBuf, process::ExitCode};
use tokio::signal::unix::{SignalKind, signal};

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
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("assay-node: {error:#}");
            ExitCode::from(3)
        }
    }
}

fn init_log(args: &Init) -> anyhow::Result<()> {
    let new = init::init(&init::Init {
        dir: &args.dir,
        origin: &args.origin,
        listen: args.listen,
        admin: args.admin,
    })?;
    eprintln!(
        "New log {}. Its key, for consumers to pin, goes to standard output.",
        args.origin
    );
    eprintln!("Run it: assay-node run --config {}", new.config.display());
    println!("{}", new.vkey);
    Ok(())
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
    // This runtime accepts connections and keeps time; the serving threads have runtimes of their
    // own.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut hangup = signal(SignalKind::hangup())?;
        let node = node::Node::start(config).await?;
        if let Some(path) = &args.ready_file {
            node::write_ready_file(path, &node)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        loop {
            tokio::select! {
                _ = hangup.recv() => node.reload(),
                _ = terminate.recv() => break,
                _ = interrupt.recv() => break,
            }
        }
        tracing::info!("stopping: calls in flight may end");
        node.stop().await.context("the server ended with an error")
    })
}
