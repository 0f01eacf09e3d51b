//! `assay-node audit`: arguments in, what was made out.

use super::held_key::HeldKey;
use super::key_commands::NewKeys;
use super::output;
use super::own::{Node, change};
use anyhow::bail;
use assay_node::{audit::keys, init::cosigner::NewCosigner};
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Makes a node an auditor of the logs that it mirrors.
#[derive(Subcommand)]
pub enum Command {
    /// Makes the keys of an auditor, in the folder of a node that is a mirror.
    Init(Init),
    /// Clears what is held against a log or an auditor and convicts nobody: a rule that was found
    /// broken, a disputed index, breaches that others showed. A log that is audited here is
    /// replayed again from what was right. What still verifies comes back at once, found here or
    /// told by others, unless another version judges it. Convictions are never cleared. The node
    /// must run.
    Clear(Clear),
}

#[derive(Args)]
pub struct Clear {
    #[command(flatten)]
    node: Node,
    /// The origin of the log, or the name of the auditor.
    #[arg(value_name = "ORIGIN")]
    name: String,
}

#[derive(Args)]
pub struct Init {
    /// The node's folder, in which its configuration is.
    #[arg(long, env = "ASSAY_NODE_DIR")]
    dir: PathBuf,
    /// The auditor's name in its cosignatures, for example node.example.org/audit.
    #[arg(long, env = "ASSAY_AUDIT_NAME")]
    name: String,
    #[command(flatten)]
    held: HeldKey,
    #[command(flatten)]
    keys: NewKeys,
}

/// Does what a command says.
pub fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Init(args) => init(args),
        Command::Clear(args) => clear(args),
    }
}

fn clear(args: &Clear) -> anyhow::Result<()> {
    let said = change(&args.node, "audit/clear", args.name.clone(), |_, _| {
        bail!("this node does not run: start it first, since it clears what it knows, too")
    })?;
    output::show(&said)
}

fn init(args: &Init) -> anyhow::Result<()> {
    let holder = args.held.of_cosigner(&args.name)?;
    let passphrase = args.keys.passphrase()?;
    let new = NewCosigner::new(&args.name, holder, passphrase.as_ref())?;
    let vkeys = keys::init(&args.dir, &new)?;
    output::say(format_args!(
        "New auditor {}. Its keys, for policies, go to standard output: Ed25519, then ML-DSA-44.",
        args.name
    ));
    output::say("Add to the node's configuration, which must have a [mirror]:");
    output::say(new.table("audit").trim_end());
    output::show_keys(&vkeys.join("\n"))
}
