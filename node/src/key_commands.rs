//! `assay-node key`: arguments in, new keys out.

use super::output;
use super::own::{Node, Own, change};
use super::run_until::runtime;
use anyhow::{Context, bail, ensure};
use assay_keyfile::{Passphrase, UnlockError};
use assay_node::{
    config::{Config, ConfigFile as _, CosignerKeys, KeyHolder},
    cosigner::{CosignedFile, read_policy},
    keyfile,
    log::Signed,
    rotation::{
        self, LogKeys, Part, RotationError, files,
        overlap::{self, Missing},
    },
    signer::keys,
    witness::config::WitnessConfig,
};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use clap::{Args, Subcommand, ValueEnum, builder::FalseyValueParser};
use std::path::PathBuf;

/// How new keys are kept.
#[derive(Args)]
pub struct NewKeys {
    /// Encrypts the new keys with a passphrase: that of --passphrase-file, of the credential, or
    /// one that is asked for. Every start needs it.
    #[arg(long, env = "ASSAY_NODE_ENCRYPT_KEYS", value_parser = FalseyValueParser::new())]
    encrypt_keys: bool,
}

impl NewKeys {
    /// The passphrase of the new keys, if they are to have one.
    pub fn passphrase(&self) -> Result<Option<Passphrase>, UnlockError> {
        let unlock = keyfile::unlock();
        self.encrypt_keys.then(|| unlock.for_new()).transpose()
    }
}

/// The keys of a node.
#[derive(Subcommand)]
pub enum Command {
    /// Makes the next key, which signs beside the one of now. With --finish, it takes its place.
    Rotate(Rotate),
    /// Encrypts the keys with a passphrase, with another one, or not any more. At every moment each
    /// file is whole. What runs goes on; its next start needs the new passphrase.
    Passphrase(NewPassphrase),
}

#[derive(Args)]
pub struct NewPassphrase {
    /// Which keys.
    part: Which,
    #[command(flatten)]
    node: Node,
    /// File with the new passphrase: one line. Without it, a terminal is asked.
    #[arg(long, env = "ASSAY_NODE_NEW_PASSPHRASE_FILE", value_name = "FILE")]
    new_passphrase_file: Option<PathBuf>,
    /// The keys are not encrypted any more.
    #[arg(
        long,
        env = "ASSAY_NODE_REMOVE_PASSPHRASE",
        value_parser = FalseyValueParser::new(),
        conflicts_with = "new_passphrase_file"
    )]
    remove: bool,
}

#[derive(Args)]
pub struct Rotate {
    /// Which keys.
    part: Which,
    #[command(flatten)]
    node: Node,
    /// The key of now stops signing. Refused while too few of the others know the next one.
    #[arg(long)]
    finish: bool,
    /// With --finish: also if others do not know the next key. What they would have cosigned or
    /// counted is then lost until they do.
    #[arg(long, requires = "finish")]
    force: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// The key of the log.
    Log,
    /// The keys of the witness.
    Witness,
    /// The keys of the mirror.
    Mirror,
    /// The keys of the auditor.
    Audit,
}

/// Does what a command says.
pub fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Rotate(args) => rotate(args),
        Command::Passphrase(args) => passphrase(args),
    }
}

impl From<Which> for Part {
    fn from(which: Which) -> Self {
        match which {
            Which::Log => Part::Log,
            Which::Witness => Part::Witness,
            Which::Mirror => Part::Mirror,
            Which::Audit => Part::Audit,
        }
    }
}

/// Changes the passphrase of the keys of a part, and of the next ones.
fn passphrase(args: &NewPassphrase) -> anyhow::Result<()> {
    let part = Part::from(args.part);
    let key_files = some_key_files(&Own::configured(&args.node)?, part)?;
    let next = key_files.iter().map(|key| files::next(key));
    let next: Vec<PathBuf> = next.filter(|path| path.exists()).collect();
    let unlock = keyfile::unlock();
    let new = (!args.remove)
        .then(|| unlock.replacing(args.new_passphrase_file.as_deref()))
        .transpose()?;
    for path in key_files.iter().chain(&next) {
        let changed = keyfile::change_passphrase(path, unlock, new.as_ref())?;
        let now = if changed.is_encrypted {
            "encrypted with the new passphrase"
        } else {
            "not encrypted"
        };
        let already = if changed.is_old { ", as before" } else { "" };
        output::say(format_args!("{}: {now}{already}", path.display()));
    }
    output::say(
        "Before the next start, give it the same passphrase. Copies and retired keys keep theirs.",
    );
    Ok(())
}

fn rotate(args: &Rotate) -> anyhow::Result<()> {
    let part = Part::from(args.part);
    let own = Own::load(&args.node)?;
    if args.finish {
        finish(args, &own, part)
    } else {
        begin(args, &own, part)
    }
}

fn begin(args: &Rotate, own: &Own, part: Part) -> anyhow::Result<()> {
    let path = format!("keys/{part}/begin");
    let keys = change(&args.node, &path, String::new(), |_, _| {
        let key_files = key_files(own, part)?;
        let keys = match (part, key_files.first()) {
            (Part::Log, Some(file)) => vec![files::begin_log(file)?],
            _ => files::begin_cosigner(&key_files)?,
        };
        Ok(rotation::lines(&keys))
    })?;
    output::say(format_args!(
        "The {part} signs with both its keys now. The new one goes to standard output."
    ));
    output::say(format_args!(
        "Give the others a new `assay-node peer card`, which has both. When they know them: \
         assay-node key rotate {part} --finish"
    ));
    output::show_keys(&keys)
}

fn finish(args: &Rotate, own: &Own, part: Part) -> anyhow::Result<()> {
    let held = match part {
        Part::Log => node(own)?.log.next_holder(),
        Part::Witness | Part::Mirror | Part::Audit => None,
    };
    let missing = match part {
        Part::Log => log_missing(own, args.force)?,
        Part::Witness | Part::Mirror | Part::Audit => cosigner_missing(own, part)?,
    };
    for Missing { who, why } in &missing.all {
        output::say(format_args!("{who}: {why}"));
    }
    if !args.force
        && let Some(why) = missing.refused
    {
        bail!("{why}. Nothing was changed; --force does it all the same");
    }
    if let Some(next) = held {
        return finish_held(own, &next);
    }
    let path = format!("keys/{part}/finish");
    let keys = change(&args.node, &path, String::new(), |_, _| {
        finish_by_hand(own, part)
    })?;
    output::say(format_args!(
        "The {part} signs with the new key only. The old one is kept beside it."
    ));
    output::say("Give the others a new `assay-node peer card`, which has the new one only.");
    output::show_keys(&keys)
}

/// Says how the configuration lets the next key take the place of the one of now.
fn finish_held(own: &Own, next: &KeyHolder) -> anyhow::Result<()> {
    let log = &node(own)?.log;
    let keys = LogKeys::configured(log)?;
    // A node that runs has the checkpoint file. A start with the next key alone is refused anyway
    // if it did not sign the last checkpoint.
    if let Ok(signed) = Signed::open(&log.checkpoint_file, keys.clone().shared()) {
        keys.refuse_unshown(Some(signed.last().note()))?;
    }
    let now = match log.holder() {
        Some(now) => format!("[log.{}]", now.table()),
        None => "`key` of [log]".to_owned(),
    };
    let table = next.table();
    output::say(format_args!(
        "The next key may take the place of the one of now. In the configuration, put what \
         [log.next.{table}] has into [log.{table}], in place of {now}, take [log.next.{table}] \
         out, and start the node again. Then give the others a new `assay-node peer card`."
    ));
    output::show_keys(&rotation::lines(&[next.vkey().clone()]))
}

/// What the others do not know, and why the old key must not stop for it.
struct Unknown {
    all: Vec<Missing>,
    refused: Option<String>,
}

/// Asks the witnesses of the log's quorum.
fn log_missing(own: &Own, force: bool) -> anyhow::Result<Unknown> {
    let config = node(own)?;
    let keys = LogKeys::configured(&config.log)?;
    let next = match (keys.next(), config.log.rotated_file()) {
        (Some(next), _) => next,
        (None, Ok(key)) => return Err(not_begun(key).into()),
        (None, Err(holder)) => return Err(elsewhere(Part::Log)(holder).into()),
    };
    let none = Unknown {
        all: Vec::new(),
        refused: None,
    };
    let Some(quorum) = &config.quorum else {
        return Ok(none);
    };
    let policy = read_policy(&quorum.policy)?;
    ensure!(
        policy.log(keys.origin()).is_none(),
        "{} has a line for this log itself, with its old key; take that line out first",
        quorum.policy.display()
    );
    let shown = CosignedFile::beside(&config.log.checkpoint_file).read();
    let head = shown.map(|note| VerifiedCheckpoint::verify(&note, &keys.verifier()));
    let Some(head) = head.transpose()? else {
        ensure!(force, "no quorum has cosigned this log yet");
        return Ok(none);
    };
    keys.refuse_unshown(Some(head.note()))?;
    let asked = overlap::witnesses(&policy, head.checkpoint(), next);
    let asked = runtime()?.block_on(asked)?;
    let why =
        "those witnesses that know the new key are no quorum: this log would show nothing new";
    Ok(Unknown {
        all: asked.missing,
        refused: (!asked.is_quorum).then(|| why.to_owned()),
    })
}

/// Asks the peers whose logs may count this cosigner.
fn cosigner_missing(own: &Own, part: Part) -> anyhow::Result<Unknown> {
    let key_files = key_files(own, part)?;
    let next = files::load_next(&key_files)?;
    let Some(name) = next.first().map(|key| key.name().to_owned()) else {
        let first = key_files.first().context("there are no keys")?;
        return Err(not_begun(first).into());
    };
    let next: Vec<String> = next.iter().map(|key| key.verifier().to_string()).collect();
    let peers = own.peers()?;
    let asked = overlap::readers(&peers, &name, &next);
    let all = runtime()?.block_on(asked)?;
    let why = "some peers' quorums may lose this cosigner";
    Ok(Unknown {
        refused: (!all.is_empty()).then(|| why.to_owned()),
        all,
    })
}

fn finish_by_hand(own: &Own, part: Part) -> anyhow::Result<String> {
    let key_files = key_files(own, part)?;
    if part == Part::Log {
        let config = node(own)?;
        let keys = LogKeys::load(&config.log.key)?;
        let signed = Signed::open(&config.log.checkpoint_file, keys.clone().shared())?;
        keys.refuse_unshown(Some(signed.last().note()))?;
        files::finish(&key_files)?;
        return Ok(rotation::lines(
            &LogKeys::load(&config.log.key)?.verifiers(),
        ));
    }
    files::finish(&key_files)?;
    Ok(rotation::lines(
        &keys::load(&places(own, part)?)?.verifiers(),
    ))
}

fn node(own: &Own) -> Result<&Config, RotationError> {
    own.node.as_ref().ok_or(RotationError::Absent(Part::Log))
}

fn not_begun(key: &std::path::Path) -> RotationError {
    let path = files::next(key);
    RotationError::NotBegun { path }
}

/// The key files of a part of the node, all of whose keys are in files: they are rotated together.
fn key_files(own: &Own, part: Part) -> anyhow::Result<Vec<PathBuf>> {
    if part == Part::Log {
        let file = node(own)?.log.rotated_file();
        return Ok(vec![file.map_err(elsewhere(part))?.to_owned()]);
    }
    Ok(files::of_cosigner(part, &places(own, part)?)?)
}

fn elsewhere(part: Part) -> impl Fn(Box<KeyHolder>) -> RotationError {
    move |holder| RotationError::Elsewhere { part, holder }
}

/// The key files of a part of the node, of which it has one at least: a passphrase is about files.
fn some_key_files(own: &Own, part: Part) -> anyhow::Result<Vec<PathBuf>> {
    if part == Part::Log {
        let file = node(own)?.log.key_file();
        return Ok(vec![file.map_err(elsewhere(part))?.to_owned()]);
    }
    let places = places(own, part)?;
    let files = places.files();
    if let (Some(holder), true) = (places.holder(), files.is_empty()) {
        return Err(elsewhere(part)(Box::new(holder.clone())).into());
    }
    Ok(files)
}

/// Where the keys of the witness, the mirror or the auditor are.
fn places(own: &Own, part: Part) -> anyhow::Result<CosignerKeys> {
    let absent = || RotationError::Absent(part);
    Ok(match part {
        Part::Log => return Err(absent().into()),
        Part::Witness => {
            let config = own.witness.as_ref().ok_or_else(absent)?;
            WitnessConfig::load(config)?.witness.keys()
        }
        Part::Mirror => own.mirror.as_ref().ok_or_else(absent)?.keys(),
        Part::Audit => own.audit.as_ref().ok_or_else(absent)?.keys(),
    })
}
