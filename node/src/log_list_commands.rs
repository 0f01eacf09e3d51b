//! `assay-node log-list`: a list in, what was taken of it out.

use super::output;
use super::own::{Node, Own, change};
use super::run_until::runtime;
use anyhow::{Context, anyhow, bail};
use assay_node::{
    config::ConfigFile as _,
    witness::{config::WitnessConfig, listed::Listed, lists, source},
};
use assay_tlog::head::LogVerifier;
use clap::{Args, Subcommand};
use std::path::Path;

/// Lists of logs that ask to be witnessed (C2SP tlog-list, `logs/v0`).
#[derive(Subcommand)]
pub enum Command {
    /// Takes the logs of a list that are new. The keys of known logs stay as they are.
    Import(Import),
}

#[derive(Args)]
pub struct Import {
    #[command(flatten)]
    node: Node,
    /// The list: a file, or an http or https address.
    list: String,
}

/// Does what a command says.
pub fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Import(args) = command;
    let own = Own::load(&args.node)?;
    let witness = own.witness.as_ref();
    let witness = witness.context("there is no witness here that could take logs from a list")?;
    let config = WitnessConfig::load(witness)?;
    let source = match args.list.split_once("://") {
        Some(("http" | "https", _)) => args.list.clone(),
        _ => format!(
            "file:{}",
            std::path::absolute(Path::new(&args.list))?.display()
        ),
    };
    source::demand_source(&source).map_err(|wrong| anyhow!("the list's source {wrong}"))?;
    let list = match runtime()?.block_on(lists::fetch(&source)) {
        Ok(list) => list,
        Err(why) => bail!(why),
    };
    let list = String::from_utf8(list).context("the list is no text")?;
    let body = format!("{source}\n{list}");
    let said = change(&args.node, "log-lists/import", body, |file, _| {
        let mut chosen: Vec<LogVerifier> = Vec::new();
        for log in &config.log {
            chosen.extend(log.verifier());
        }
        let peers = file.peers().now();
        chosen.extend(peers.iter().filter_map(|peer| peer.log().cloned()));
        let mut listed = Listed::read(&config.listed)?;
        let imported = listed.import(list.as_bytes(), &source, &chosen)?;
        Ok(imported.lines().join("\n"))
    })?;
    if said.is_empty() {
        output::say("Nothing on the list is new.");
        return Ok(());
    }
    output::show(&format!("{said}\n"))
}
