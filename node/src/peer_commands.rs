//! `assay-node peer`: arguments in, peers out.

use super::output;
use super::own::{Node, Own, change};
use super::run_until::runtime;
use anyhow::Context;
use assay_host::files;
use assay_node::{
    audit,
    config::ConfigFile as _,
    mirror,
    peers::{Peer, Role, file, policy, socket, status},
    witness::{config::WitnessConfig, run},
};
use assay_tlog::head::LogVerifier;
use assay_tlog::witness::WitnessKeys;
use clap::{Args, Subcommand};
use std::{io::Read as _, path::PathBuf};

/// The peers of a node, or of a witness that runs by itself.
#[derive(Subcommand)]
pub enum Command {
    /// Prints what other nodes need to know of this one, for their `peer add`.
    Card(Card),
    /// Adds peers, from what their operators' `peer card` printed.
    Add(Add),
    /// Replaces the keys and the address of peers by those of a new `peer card`.
    Update(Update),
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
pub struct Card {
    #[command(flatten)]
    node: Node,
    /// What others should call this node, for example a.example.org.
    #[arg(long)]
    name: String,
    /// Where others reach it, for example https://a.example.org.
    #[arg(long)]
    url: String,
    /// The log is retired: the others only keep and serve their copies of it.
    #[arg(long)]
    retired: bool,
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
pub struct Update {
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
        Command::Update(args) => update(args),
        Command::Remove(args) => remove(args),
        Command::List(args) => list(args),
        Command::Status(args) => show_status(args),
        Command::Policy(args) => print_policy(args),
    }
}

fn card(args: &Card) -> anyhow::Result<()> {
    let mut own = Own::load(&args.node)?;
    if args.retired {
        // Its witness and its mirror may go on, with another log beside them.
        own.witness = None;
        own.mirror = None;
        own.audit = None;
    }
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
        roles: args.retired.then(|| vec![Role::Mirror]),
    };
    let text = file::to_text([&peer].into_iter());
    // What others would refuse is refused here.
    file::parse(&text, "this card")?;
    output::show(text.trim_start())
}

fn texts(keys: &WitnessKeys) -> Vec<String> {
    keys.verifiers().iter().map(ToString::to_string).collect()
}

fn add(args: &Add) -> anyhow::Result<()> {
    let mut text = read_all(&args.files)?;
    if args.mirror {
        text = file::mirrored(&text)?;
    }
    let names = change(&args.node, "peers/add", text, |file, text| {
        Ok(file.add(text)?.join("\n"))
    })?;
    output::say(format_args!("Added: {}", names.replace('\n', ", ")));
    Ok(())
}

fn update(args: &Update) -> anyhow::Result<()> {
    let text = read_all(&args.files)?;
    let names = change(&args.node, "peers/update", text, |file, text| {
        Ok(file.update(text)?.join("\n"))
    })?;
    output::say(format_args!("Updated: {}", names.replace('\n', ", ")));
    Ok(())
}

fn read_all(files: &[PathBuf]) -> anyhow::Result<String> {
    let mut text = String::new();
    for path in files {
        let said = if path.as_os_str() == "-" {
            let mut said = String::new();
            std::io::stdin().read_to_string(&mut said).map(|_| said)
        } else {
            files::read_text(path)
        };
        text += &said.with_context(|| format!("cannot read {}", path.display()))?;
        text.push('\n');
    }
    Ok(text)
}

fn remove(args: &Remove) -> anyhow::Result<()> {
    let name = change(
        &args.node,
        "peers/remove",
        args.name.clone(),
        |file, name| Ok(file.remove(name).map(|()| name.to_owned())?),
    )?;
    output::say(format_args!("Removed: {name}"));
    Ok(())
}

fn list(args: &Node) -> anyhow::Result<()> {
    let peers = Own::load(args)?.peers()?;
    if peers.is_empty() {
        output::say("No peers. `assay-node peer add` adds some.");
    }
    let text = file::to_text(peers.iter().map(|known| known.peer()));
    output::show(text.trim_start())
}

fn show_status(args: &Node) -> anyhow::Result<()> {
    let own = Own::load(args)?;
    let log = own.origin();
    let log = log.map(|origin| LogVerifier::new(origin, own.log.clone()));
    let log = log.transpose()?;
    let (peers, runtime) = (own.peers()?, runtime()?);
    // What the running node has against logs of its peers, and how their audits are.
    let mut standing = String::new();
    for what in ["standing", "copies"] {
        let told = runtime.block_on(socket::told(&own.federation.admin_socket, what));
        standing += &told.unwrap_or_default();
    }
    let mut lines = Vec::new();
    for peer in runtime.block_on(status::of(&peers, log.as_ref()))? {
        lines.push(peer.name.clone());
        let known = peers.iter().find(|known| known.name() == peer.name);
        let origin = known.and_then(|known| Some(known.log()?.origin()));
        for (what, of) in standing.lines().filter_map(|line| line.split_once('\t')) {
            if Some(of) == origin {
                lines.push(format!("  its log is {what}"));
            }
        }
        match peer.log {
            None => {}
            Some(Ok(size)) => lines.push(format!("  its log has size {size}")),
            Some(Err(reason)) => lines.push(format!("  its log cannot be seen: {reason}")),
        }
        match peer.cosigned {
            None => {}
            Some(Ok((size, time))) => {
                lines.push(format!(
                    "  cosigned size {size} of this log, {} s ago",
                    ago(time)
                ));
            }
            Some(Err(reason)) => lines.push(format!("  has not cosigned this log: {reason}")),
        }
        match peer.audited {
            None => {}
            Some(Ok((size, time))) => {
                lines.push(format!(
                    "  replayed size {size} of this log, {} s ago",
                    ago(time)
                ));
            }
            Some(Err(reason)) => lines.push(format!("  has not replayed this log: {reason}")),
        }
    }
    lines.push(String::new());
    output::show(&lines.join("\n"))
}

fn ago(time: u64) -> u64 {
    assay_node::witness::run::now().saturating_sub(time)
}

fn print_policy(args: &Policy) -> anyhow::Result<()> {
    let peers = Own::load(&args.node)?.peers()?;
    output::show(&policy::of(&peers, args.quorum)?)
}
