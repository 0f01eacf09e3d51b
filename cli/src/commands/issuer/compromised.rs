//! `assay issuer compromised`: giving up a key.

use crate::{
    config::{self, Settings},
    exit::Failure,
    publishing::{self, Signing},
    session, time,
};
use assay_claims::claim::PublicKey;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Timestamp;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_tlog::tree::LeafIndex;
use clap::Args;

/// Declare that a key is not to be trusted from a leaf of a log on, and in other logs from a time
/// on. What it signed before still counts. The issuer's rotation keys sign it (--key), or its keys
/// where it has none. Rotate first: from the declaration on the key counts for nothing.
#[derive(Debug, Args)]
pub struct Command {
    /// The key that is not to be trusted: an Ed25519 public key in hex
    #[arg(long, env = "ASSAY_COMPROMISED_KEY", value_name = "HEX",
          value_parser = PublicKey::from_hex)]
    compromised_key: PublicKey,
    /// The first leaf at which it is not trusted
    #[arg(long, env = "ASSAY_FROM", value_name = "LEAF")]
    from: u64,
    /// The log that this leaf is of, by its origin [default: the one that is published to]
    #[arg(
        long,
        env = "ASSAY_FROM_LOG",
        value_name = "ORIGIN",
        requires = "from_time"
    )]
    from_log: Option<String>,
    /// In other logs, the time from which on it is not trusted: a date, or a date and time
    /// [default: when that leaf was logged]
    #[arg(long, env = "ASSAY_FROM_TIME", value_name = "TIME", value_parser = time::first_instant)]
    from_time: Option<Timestamp>,
    /// Why it is not to be trusted
    #[arg(long, env = "ASSAY_REASON", value_name = "TEXT")]
    reason: Option<String>,
    /// The issuer whose key it is, in hex [default: the one that is signed for]
    #[arg(long, env = "ASSAY_OF", value_name = "ID", value_parser = config::parse_issuer)]
    of: Option<IssuerId>,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command. Except in a dry run, the key must be the issuer's, the issuer must sign, and
/// the leaf must be one that the log has or comes to next.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let issuer = match command.of {
        Some(id) => id,
        None => command.signing.one_issuer(settings)?,
    };
    let from_time = match command.from_time {
        Some(time) => time,
        None => time_of(command.from, settings).await?,
    };
    let origin = match command.from_log {
        Some(origin) => origin,
        None => settings.log_key()?.name().to_owned(),
    };
    let compromise = KeyCompromise {
        issuer,
        key: command.compromised_key,
        origin,
        from_index: command.from,
        from_time,
        reason: command.reason,
    };
    publishing::publish_arguments(compromise.statement(), &command.signing, settings).await
}

/// When a leaf of the log was logged; of one that the log does not have yet, the time now.
async fn time_of(leaf: u64, settings: &Settings) -> Result<Timestamp, Failure> {
    let client = session::connect(settings).await?;
    let (start, end) = (leaf, leaf.saturating_add(1));
    let page = client
        .entries(LeafIndex::new(start), LeafIndex::new(end))
        .await?;
    let logged = page.entries.first().map(|one| one.entry.logged_at_ms());
    let text = time::rfc3339_of_ms(logged.unwrap_or_else(time::now_ms));
    Timestamp::parse(&text).ok_or_else(|| {
        Failure::Usage(format!(
            "leaf {leaf} says that it was logged at {text}, which is no time; give --from-time"
        ))
    })
}
