//! `assay-node audit`: arguments in, what was made out.

use super::output;
use assay_node::audit::keys;
use clap::{Args, Subcommand};
use std::path::PathBuf;

/// Makes a node an auditor of the logs that it mirrors.
#[derive(Subcommand)]
pub enum Command {
    /// Makes the keys of an auditor, in the folder of a node that is a mirror.
    Init(Init),
}

#[derive(Args)]
pub struct Init {
    /// The node's folder, in which its configuration is.
    #[arg(long, env = "ASSAY_NODE_DIR")]
    dir: PathBuf,
    /// The auditor's name in its cosignatures, for example node.example.org/audit.
    #[arg(long, env = "ASSAY_AUDIT_NAME")]
    name: String,
}

/// Does what a command says.
pub fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Init(args) = command;
    let vkeys = keys::init(&args.dir, &args.name)?;
    output::say(format_args!(
        "New auditor {}. Its keys, for policies, go to standard output: Ed25519, then ML-DSA-44.",
        args.name
    ));
    output::say("Add to the node's configuration, which must have a [mirror]:");
    output::say(table(&args.name).trim_end());
    output::show_keys(&vkeys.join("\n"))
}

/// The table of an auditor whose keys were just made, for its node's configuration.
pub fn table(name: &str) -> String {
    let name = name.replace('\\', "\\\\").replace('"', "\\\"");
    format!("[audit]\nname = \"{name}\"\nml_dsa_44_key = \"audit-ml-dsa-44.key\"\n")
}
