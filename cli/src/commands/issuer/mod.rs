//! `assay issuer`: registering an issuer, rotating its keys, declaring a key compromised, showing
//! its records.

mod compromised;
mod record;
mod show;

use crate::{
    config::{self, Settings},
    exit::Failure,
    keys::Key,
    output, session,
};
use assay_claims::claim::PublicKey;
use assay_claims::issuer::{self, IssuerId};
use assay_claims::kind::issuer::{Issuer, ROLES};
use assay_client::{
    Client, IssuerHistory, Wait,
    publish::{Draft, DraftError},
};
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use record::RecordView;
use std::path::PathBuf;

/// An issuer signs claims. It is a set of keys, of which a threshold must sign. Its id follows from
/// its first keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Register an issuer. All of its keys sign
    Register(Register),
    /// Replace an issuer's keys. A threshold of the old and of the new keys sign
    Rotate(Rotate),
    /// Declare that a key is not to be trusted from a leaf on
    Compromised(compromised::Command),
    /// Show an issuer's records
    Show(show::Command),
}

/// Register an issuer. Anyone may choose any name; what counts is the issuer's id.
#[derive(Debug, Args)]
pub struct Register {
    /// The issuer's name for itself
    #[arg(long, env = "ASSAY_NAME")]
    name: String,
    /// The files of its keys; all of them sign [default: ~/.config/assay/key.pem]
    #[arg(
        long,
        short,
        env = "ASSAY_KEY",
        value_delimiter = ',',
        value_name = "FILE"
    )]
    key: Vec<PathBuf>,
    /// How many of its keys must sign a claim
    #[arg(long, env = "ASSAY_THRESHOLD", default_value_t = 1)]
    threshold: u32,
    #[command(flatten)]
    attributes: Attributes,
}

/// Replace keys, threshold or attributes. What is not given stays as it is.
#[derive(Debug, Args)]
pub struct Rotate {
    /// Keys in force, at least as many as the threshold [default: ~/.config/assay/key.pem]
    #[arg(
        long,
        short,
        env = "ASSAY_KEY",
        value_delimiter = ',',
        value_name = "FILE"
    )]
    key: Vec<PathBuf>,
    /// All keys from now on, including those that stay
    #[arg(
        long,
        env = "ASSAY_NEW_KEY",
        value_delimiter = ',',
        value_name = "FILE",
        required = true
    )]
    new_key: Vec<PathBuf>,
    /// The issuer, in hex [default: the one in KEY.issuer, else the one that the key alone makes]
    #[arg(long, env = "ASSAY_ISSUER", value_name = "ID", value_parser = config::parse_issuer)]
    issuer: Option<IssuerId>,
    /// The issuer's name for itself
    #[arg(long, env = "ASSAY_NAME")]
    name: Option<String>,
    /// How many of the new keys must sign a claim
    #[arg(long, env = "ASSAY_THRESHOLD")]
    threshold: Option<u32>,
    #[command(flatten)]
    attributes: Attributes,
}

/// What an issuer says of itself. It proves nothing.
#[derive(Debug, Args)]
struct Attributes {
    /// Where to reach it, a URI (mailto:, https:); may be given several times
    #[arg(long, env = "ASSAY_CONTACT", value_name = "URI")]
    contact: Vec<String>,
    /// Packages that it says it speaks for (pkg:cargo/serde); may be given several times
    #[arg(long, env = "ASSAY_NAMESPACE", value_name = "PURL")]
    namespace: Vec<String>,
    /// Its role in its own words; may be given several times
    #[arg(long, env = "ASSAY_ROLE", value_parser = PossibleValuesParser::new(ROLES))]
    role: Vec<String>,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    match command {
        Command::Register(command) => register(command, settings).await,
        Command::Rotate(command) => rotate(command, settings).await,
        Command::Compromised(command) => compromised::run(command, settings).await,
        Command::Show(command) => show::run(command, settings).await,
    }
}

async fn register(command: Register, settings: &Settings) -> Result<(), Failure> {
    let keys = Key::read_all(&settings.keys(&command.key))?;
    let body = Issuer {
        name: command.name,
        contacts: command.attributes.contact,
        keys: public(&keys),
        threshold: command.threshold,
        sequence: 0,
        previous: None,
        namespaces: command.attributes.namespace,
        roles: command.attributes.role,
    };
    let record = Record {
        id: issuer::genesis_id(&body),
        body,
        signers: keys.iter().collect(),
        owned: &keys,
    };
    let client = session::connect(settings).await?;
    record.publish(&client, settings).await
}

async fn rotate(command: Rotate, settings: &Settings) -> Result<(), Failure> {
    let old = Key::read_all(&settings.keys(&command.key))?;
    let new = Key::read_all(&command.new_key)?;
    let id = session::one_issuer(settings, command.issuer, || Ok(&old))?;
    let client = session::connect(settings).await?;
    let IssuerHistory { current, .. } = client.issuer(&id).await?;
    let (before, attributes) = (&current.body, command.attributes);
    let body = Issuer {
        name: command.name.unwrap_or_else(|| before.name.clone()),
        contacts: or_before(attributes.contact, &before.contacts),
        keys: public(&new),
        threshold: command.threshold.unwrap_or(before.threshold),
        sequence: before.sequence.saturating_add(1),
        previous: Some(current.claim_id),
        namespaces: or_before(attributes.namespace, &before.namespaces),
        roles: or_before(attributes.role, &before.roles),
    };
    let mut signers: Vec<&Key> = old.iter().collect();
    for key in &new {
        if old.iter().all(|other| other.public() != key.public()) {
            signers.push(key);
        }
    }
    let record = Record {
        id,
        body,
        signers,
        owned: &new,
    };
    record.publish(&client, settings).await
}

fn public(keys: &[Key]) -> Vec<PublicKey> {
    let keys = keys.iter().map(|key| PublicKey::from(&key.signing));
    keys.collect()
}

fn or_before(given: Vec<String>, before: &[String]) -> Vec<String> {
    if given.is_empty() {
        before.to_vec()
    } else {
        given
    }
}

/// A record that is to be published.
struct Record<'a> {
    id: IssuerId,
    body: Issuer,
    /// The keys that sign it.
    signers: Vec<&'a Key>,
    /// The keys that are the issuer's from then on.
    owned: &'a [Key],
}

impl Record<'_> {
    /// Signs and publishes the record, and writes the issuer's id beside its keys.
    async fn publish(&self, client: &Client, settings: &Settings) -> Result<(), Failure> {
        let draft = self
            .draft()
            .map_err(|e| Failure::Usage(format!("the record is refused: {e}")))?;
        // A key that is another issuer's is found before the record is public.
        for key in self.owned.iter().filter(|key| key.has_sidecar()) {
            key.write_sidecar(&self.id)?;
        }
        let signers = self.signers.iter().map(|key| (self.id, &key.signing));
        let claim = draft.sign(&signers.collect::<Vec<_>>());
        let published = client.publish(claim, Wait::Integrated).await?;
        for key in self.owned {
            key.write_sidecar(&self.id)?;
        }
        let (claim_id, leaf) = (published.claim_id.to_string(), published.index.get());
        let view = RecordView::new(&self.id, &self.body, claim_id, leaf, published.logged_at_ms);
        output::data(settings, || view.text(), &view)?;
        if published.already_logged {
            let words = "This record was already in the log; nothing was added.";
            output::say(settings, words);
        }
        let keys = self.key_options();
        let next = format!("next: assay publish KIND FILE --subject SUBJECT{keys}");
        output::say(settings, &next);
        Ok(())
    }

    fn draft(&self) -> Result<Draft, DraftError> {
        Draft::new(issuer::statement(&self.id, &self.body)?)
    }

    /// The options that name enough keys to sign.
    fn key_options(&self) -> String {
        let threshold = usize::try_from(self.body.threshold).unwrap_or(usize::MAX);
        let mut options = String::new();
        for key in self.owned.iter().take(threshold) {
            options.push_str(&format!(" --key {}", key.path.display()));
        }
        options
    }
}
