//! `assay-node peer`: arguments in, peers out.

use super::runtime;
use anyhow::{Context, bail};
use assay_node::{
    audit,
    config::{AuditConfig, Config, ConfigError, ConfigFile as _, FederationConfig, MirrorConfig},
    keyfile, mirror,
    peers::{KnownPeer, Peer, PeerFile, PeersError, file, policy, socket, status},
    witness::{config::WitnessConfig, run},
};
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use assay_tlog::witness::WitnessKeys;
use clap::{Args, Subcommand};
use std::{fs, io::Read as _, path::PathBuf};

/// The peers of a node, or of a witness that runs by itself.
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
    /// The configuration file of this node, or of a witness that runs by itself.
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
    /// Copies their logs, too, which takes as much room as they write. The node must be a mirror.
    #[arg(long)]
    mirror: bool,
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

/// Whose peers they are.
struct Own {
    federation: FederationConfig,
    log: Option<VerifierKey>,
    /// The configuration of its witness.
    witness: Option<PathBuf>,
    mirror: Option<MirrorConfig>,
    audit: Option<AuditConfig>,
}

impl Own {
    /// Reads the configuration of a node, or of a witness that runs by itself.
    fn load(node: &Node) -> anyhow::Result<Self> {
        let config = match Config::load(&node.config) {
            Ok(config) => config,
            Err(error @ ConfigError::Malformed { .. }) => {
                return match WitnessConfig::load(&node.config) {
                    Ok(witness) => Ok(Own {
                        federation: witness.federation,
                        log: None,
                        witness: Some(node.config.clone()),
                        mirror: None,
                        audit: None,
                    }),
                    Err(_) => Err(error.into()),
                };
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Own {
            log: Some(keyfile::load(&config.log.key)?.verifier()),
            witness: config.witness.map(|own| own.config),
            mirror: config.mirror,
            audit: config.audit,
            federation: config.federation,
        })
    }

    fn origin(&self) -> Option<&str> {
        self.log.as_ref().map(VerifierKey::name)
    }

    fn peers(&self) -> Result<Vec<KnownPeer>, PeersError> {
        file::read(&self.federation.peers)
    }
}

fn card(args: &Card) -> anyhow::Result<()> {
    let own = Own::load(&args.node)?;
    let witness = match &own.witness {
        None => Vec::new(),
        Some(config) => texts(&run::load_keys(&WitnessConfig::load(config)?)?),
    };
    let mirror = match &own.mirror {
        None => Vec::new(),
        Some(config) => texts(&mirror::run::load_keys(config)?),
    };
    let audit = match &own.audit {
        None => Vec::new(),
        Some(config) => texts(&audit::keys::load(config)?),
    };
    let peer = Peer {
        name: args.name.clone(),
        url: args.url.clone(),
        log: own.log.iter().map(ToString::to_string).collect(),
        witness,
        mirror,
        audit,
        roles: None,
    };
    let text = file::to_text([&peer].into_iter());
    // What others would refuse is refused here.
    file::parse(&text, "this card")?;
    print!("{}", text.trim_start());
    Ok(())
}

fn texts(keys: &WitnessKeys) -> Vec<String> {
    keys.verifiers().iter().map(ToString::to_string).collect()
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
    if args.mirror {
        text = file::mirrored(&text)?;
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
    let own = Own::load(node)?;
    match PeerFile::open(&own.federation.peers, own.origin()) {
        Ok(mut file) => Ok(by_hand(&mut file, &body)?),
        Err(PeersError::Taken(_)) => {
            let asked = socket::ask(&own.federation.admin_socket, what, body);
            match runtime()?.block_on(asked) {
                Ok(said) => Ok(said),
                Err(reason) => bail!(reason),
            }
        }
        Err(error) => Err(error.into()),
    }
}

fn list(args: &Node) -> anyhow::Result<()> {
    let peers = Own::load(args)?.peers()?;
    if peers.is_empty() {
        eprintln!("No peers. `assay-node peer add` adds some.");
    }
    let text = file::to_text(peers.iter().map(|known| known.peer()));
    print!("{}", text.trim_start());
    Ok(())
}

fn show_status(args: &Node) -> anyhow::Result<()> {
    let own = Own::load(args)?;
    let log = own.log.clone();
    let log = log.map(|key| LogVerifier::new(key.name(), vec![key.clone()]));
    let log = log.transpose()?;
    for peer in runtime()?.block_on(status::of(&own.peers()?, log.as_ref()))? {
        println!("{}", peer.name);
        match peer.log {
            None => {}
            Some(Ok(size)) => println!("  its log has size {size}"),
            Some(Err(reason)) => println!("  its log cannot be seen: {reason}"),
        }
        match peer.cosigned {
            None => {}
            Some(Ok((size, time))) => {
                println!("  cosigned size {size} of this log, {} s ago", ago(time));
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
    let peers = Own::load(&args.node)?.peers()?;
    print!("{}", policy::of(&peers, args.quorum)?);
    Ok(())
}
