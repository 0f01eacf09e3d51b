//! `assay-node peer`: arguments in, peers out.

use super::runtime;
use anyhow::{Context, bail};
use assay_node::{
    config::{Config, ConfigFile as _},
    keyfile,
    peers::{Peer, PeerFile, PeersError, file, policy, socket, status},
    storage::StorageError,
    witness::{config::WitnessConfig, run::load_keys},
};
use assay_tlog::head::LogVerifier;
use clap::{Args, Subcommand};
use std::{fs, io::Read as _, path::PathBuf};

/// The peers of a node.
#[derive(Subcommand)]
pub enum Command {
    /// Prints what other nodes need to know of this one, for their `peer add`.
    Card(Card),
    /// Adds peers, from what their operators' `peer card` printed.
    Add(Add),
    /// Removes a peer. What was cosigned and stored of its log stays.
    Remove(Remove),
    /// Lists the peers.
    List(Node),
    /// Asks each peer how it is, and what of this log it cosigned.
    Status(Node),
    /// Prints a quorum of the peers' witnesses, for `[quorum] policy`.
    Policy(Policy),
}

#[derive(Args)]
pub struct Node {
    /// The configuration file of this node.
    #[arg(long, env = "ASSAY_NODE_CONFIG")]
    config: PathBuf,
}

#[derive(Args)]
pub struct Card {
    #[command(flatten)]
    node: Node,
    /// What others should call this node, for example a.example.org.
    #[arg(long)]
    name: String,
    /// Where others reach it, for example https://a.example.org.
    #[arg(long)]
    url: String,
}

#[derive(Args)]
pub struct Add {
    #[command(flatten)]
    node: Node,
    /// Files with peers; `-` is standard input.
    #[arg(required = true)]
    files: Vec<PathBuf>,
}

#[derive(Args)]
pub struct Remove {
    #[command(flatten)]
    node: Node,
    /// The peer's name.
    name: String,
}

#[derive(Args)]
pub struct Policy {
    #[command(flatten)]
    node: Node,
    /// How many of the witnesses must cosign. Left out: as many as are safe, 1 + 2n/3.
    #[arg(long)]
    quorum: Option<usize>,
}

/// Does what a command says.
pub fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Card(args) => card(args),
        Command::Add(args) => add(args),
        Command::Remove(args) => remove(args),
        Command::List(args) => list(args),
        Command::Status(args) => show_status(args),
        Command::Policy(args) => print_policy(args),
    }
}

fn card(args: &Card) -> anyhow::Result<()> {
    let config = Config::load(&args.node.config)?;
    let log = keyfile::load(&config.log.key)?;
    let witness = match &config.witness {
        None => Vec::new(),
        Some(own) => {
            let keys = load_keys(&WitnessConfig::load(&own.config)?)?;
            keys.verifiers().iter().map(ToString::to_string).collect()
        }
    };
    let peer = Peer {
        name: args.name.clone(),
        url: args.url.clone(),
        log: vec![log.verifier().to_string()],
        witness,
        mirror: Vec::new(),
        audit: Vec::new(),
        roles: None,
    };
    let text = file::to_text([&peer].into_iter());
    // What others would refuse is refused here.
    file::parse(&text, "this card")?;
    print!("{}", text.trim_start());
    Ok(())
}

fn add(args: &Add) -> anyhow::Result<()> {
    let mut text = String::new();
    for path in &args.files {
        let said = if path.as_os_str() == "-" {
            let mut said = String::new();
            std::io::stdin().read_to_string(&mut said).map(|_| said)
        } else {
            fs::read_to_string(path)
        };
        text += &said.with_context(|| format!("cannot read {}", path.display()))?;
        text.push('\n');
    }
    let names = change(&args.node, "add", text, |file, text| {
        Ok(file.add(text)?.join("\n"))
    })?;
    eprintln!("Added: {}", names.replace('\n', ", "));
    Ok(())
}

fn remove(args: &Remove) -> anyhow::Result<()> {
    let name = change(&args.node, "remove", args.name.clone(), |file, name| {
        file.remove(name).map(|()| name.to_owned())
    })?;
    eprintln!("Removed: {name}");
    Ok(())
}

/// Changes the file, or has the node change it that runs on it.
fn change(
    node: &Node,
    what: &str,
    body: String,
    by_hand: impl FnOnce(&mut PeerFile, &str) -> Result<String, PeersError>,
) -> anyhow::Result<String> {
    let config = Config::load(&node.config)?;
    match PeerFile::open(&config.federation.peers, &config.log.origin) {
        Ok(mut file) => Ok(by_hand(&mut file, &body)?),
        Err(PeersError::Lock(StorageError::Locked(_))) => {
            let asked = socket::ask(&config.federation.admin_socket, what, body);
            match runtime()?.block_on(asked) {
                Ok(said) => Ok(said),
                Err(reason) => bail!(reason),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn list(args: &Node) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let peers = file::read(&config.federation.peers)?;
    if peers.is_empty() {
        eprintln!("No peers. `assay-node peer add` adds some.");
    }
    let text = file::to_text(peers.iter().map(|known| known.peer()));
    print!("{}", text.trim_start());
    Ok(())
}

fn show_status(args: &Node) -> anyhow::Result<()> {
    let config = Config::load(&args.config)?;
    let peers = file::read(&config.federation.peers)?;
    let key = keyfile::load(&config.log.key)?.verifier();
    let own = LogVerifier::new(&config.log.origin, vec![key])?;
    for peer in runtime()?.block_on(status::of(&peers, &own))? {
        println!("{}", peer.name);
        match peer.log {
            None => {}
            Some(Ok(size)) => println!("  its log has {size} entries"),
            Some(Err(reason)) => println!("  its log cannot be seen: {reason}"),
        }
        match peer.cosigned {
            None => {}
            Some(Ok((size, time))) => {
                println!("  cosigned {size} entries of this log, {} s ago", ago(time));
            }
            Some(Err(reason)) => println!("  has not cosigned this log: {reason}"),
        }
    }
    Ok(())
}

fn ago(time: u64) -> u64 {
    assay_node::witness::run::now().saturating_sub(time)
}

fn print_policy(args: &Policy) -> anyhow::Result<()> {
    let config = Config::load(&args.node.config)?;
    let peers = file::read(&config.federation.peers)?;
    print!("{}", policy::of(&peers, args.quorum)?);
    Ok(())
}
