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
use assay_claims::kind::issuer::{Issuer, ROLES, Rotation};
use assay_claims::limits;
use assay_client::{
    Client, IssuerHistory, Wait,
    publish::{Draft, DraftError},
};
use clap::{Args, Subcommand, builder::PossibleValuesParser};
use record::RecordView;
use std::path::PathBuf;

/// An issuer signs claims. It is a set of keys, of which a threshold must sign, and may have
/// rotation keys, kept offline, which alone can change them. Its id follows from its first keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Register an issuer. All of its keys sign, rotation keys included
    Register(Register),
    /// Replace an issuer's keys. Its rotation keys sign (the keys themselves where it has none), a
    /// threshold of the new keys, and every key that is new
    Rotate(Rotate),
    /// Declare that a key is not to be trusted from a leaf and a time on
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
    /// The files of its rotation keys, at most 8, none of which is one of its keys. From then on
    /// they alone can rotate its keys and declare one compromised: keep them offline. Without any,
    /// the keys themselves can
    #[arg(
        long,
        env = "ASSAY_ROTATION_KEY",
        value_delimiter = ',',
        value_name = "FILE"
    )]
    rotation_key: Vec<PathBuf>,
    /// How many of its rotation keys must sign a rotation
    #[arg(
        long,
        env = "ASSAY_ROTATION_THRESHOLD",
        default_value_t = 1,
        requires = "rotation_key"
    )]
    rotation_threshold: u32,
    /// The token that the log's operator gave you, where the log takes new issuers by invitation
    #[arg(
        long,
        env = "ASSAY_INVITATION",
        value_name = "TOKEN",
        hide_env_values = true
    )]
    invitation: Option<String>,
    #[command(flatten)]
    attributes: Attributes,
}

/// Replace keys, threshold or attributes. What is not given stays as it is.
#[derive(Debug, Args)]
pub struct Rotate {
    /// Keys in force, at least as many as the threshold; not needed where there are rotation keys
    /// [default: ~/.config/assay/key.pem]
    #[arg(
        long,
        short,
        env = "ASSAY_KEY",
        value_delimiter = ',',
        value_name = "FILE"
    )]
    key: Vec<PathBuf>,
    /// Rotation keys in force, at least as many as their threshold
    #[arg(
        long,
        env = "ASSAY_ROTATION_KEY",
        value_delimiter = ',',
        value_name = "FILE"
    )]
    rotation_key: Vec<PathBuf>,
    /// All keys from now on, including those that stay
    #[arg(
        long,
        env = "ASSAY_NEW_KEY",
        value_delimiter = ',',
        value_name = "FILE",
        required = true
    )]
    new_key: Vec<PathBuf>,
    /// All rotation keys from now on, including those that stay [default: those in force]
    #[arg(
        long,
        env = "ASSAY_NEW_ROTATION_KEY",
        value_delimiter = ',',
        value_name = "FILE"
    )]
    new_rotation_key: Vec<PathBuf>,
    /// The issuer, in hex [default: the one in KEY.issuer, else the one that the key alone makes]
    #[arg(long, env = "ASSAY_ISSUER", value_name = "ID", value_parser = config::parse_issuer)]
    issuer: Option<IssuerId>,
    /// The issuer's name for itself
    #[arg(long, env = "ASSAY_NAME")]
    name: Option<String>,
    /// How many of the new keys must sign a claim
    #[arg(long, env = "ASSAY_THRESHOLD")]
    threshold: Option<u32>,
    /// How many of the rotation keys must sign a rotation from now on
    #[arg(long, env = "ASSAY_ROTATION_THRESHOLD")]
    rotation_threshold: Option<u32>,
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
    let keys = Key::read_all(&settings.keys(&command.key), &settings.unlock)?;
    let roots = Key::read_all(&command.rotation_key, &settings.unlock)?;
    let rotation = (!roots.is_empty()).then(|| Rotation {
        keys: public(&roots),
        threshold: command.rotation_threshold,
    });
    let body = Issuer {
        name: command.name,
        contacts: command.attributes.contact,
        keys: public(&keys),
        threshold: command.threshold,
        rotation,
        sequence: 0,
        previous: None,
        namespaces: command.attributes.namespace,
        roles: command.attributes.role,
    };
    let record = Record {
        id: issuer::genesis_id(&body),
        body,
        signers: keys.iter().chain(&roots).collect(),
        keys: &keys,
        roots: &roots,
        invitation: command.invitation.as_deref(),
    };
    let client = session::connect(settings).await?;
    record.publish(&client, settings).await
}

async fn rotate(command: Rotate, settings: &Settings) -> Result<(), Failure> {
    let roots = Key::read_all(&command.rotation_key, &settings.unlock)?;
    let old = if command.key.is_empty() && !roots.is_empty() {
        Vec::new()
    } else {
        Key::read_all(&settings.keys(&command.key), &settings.unlock)?
    };
    let new = Key::read_all(&command.new_key, &settings.unlock)?;
    let new_roots = Key::read_all(&command.new_rotation_key, &settings.unlock)?;
    let authority = if roots.is_empty() { &old } else { &roots };
    let id = session::one_issuer(settings, command.issuer, || Ok(authority))?;
    let client = session::connect(settings).await?;
    let IssuerHistory { current, .. } = client.issuer(&id).await?;
    let (before, attributes) = (&current.body, command.attributes);
    check_roots(&id, before, &roots)?;
    let body = Issuer {
        name: command.name.unwrap_or_else(|| before.name.clone()),
        contacts: or_before(attributes.contact, &before.contacts),
        keys: public(&new),
        threshold: command.threshold.unwrap_or(before.threshold),
        rotation: next_rotation(before, &new_roots, command.rotation_threshold)?,
        sequence: before.sequence.saturating_add(1),
        previous: Some(current.claim_id),
        namespaces: or_before(attributes.namespace, &before.namespaces),
        roles: or_before(attributes.role, &before.roles),
    };
    let mut signers: Vec<&Key> = Vec::new();
    for key in roots.iter().chain(&old).chain(&new).chain(&new_roots) {
        if signers.iter().all(|other| other.public() != key.public()) {
            signers.push(key);
        }
    }
    let record = Record {
        id,
        body,
        signers,
        keys: &new,
        roots: &new_roots,
        invitation: None,
    };
    record.publish(&client, settings).await
}

/// Checks that enough rotation keys were given, if the issuer has any.
fn check_roots(id: &IssuerId, before: &Issuer, given: &[Key]) -> Result<(), Failure> {
    let Some(rotation) = &before.rotation else {
        if given.is_empty() {
            return Ok(());
        }
        return Err(Failure::Usage(format!(
            "issuer {id} has no rotation keys, and its keys rotate themselves: give those with \
             --key. To have rotation keys from now on, give them with --new-rotation-key"
        )));
    };
    let given = public(given);
    let signing = given.iter().filter(|key| rotation.keys.contains(key));
    let (signing, needed) = (signing.count(), rotation.threshold);
    if u32::try_from(signing).is_ok_and(|signing| signing >= needed) {
        return Ok(());
    }
    let keys: Vec<String> = rotation.keys.iter().map(PublicKey::to_hex).collect();
    Err(Failure::Usage(format!(
        "issuer {id} has rotation keys, of which {needed} must sign a rotation, and {signing} of \
         them were given; name their files with --rotation-key. They are {}",
        keys.join(", ")
    )))
}

/// The rotation keys of the next record: those given, or else those of the record before.
fn next_rotation(
    before: &Issuer,
    given: &[Key],
    threshold: Option<u32>,
) -> Result<Option<Rotation>, Failure> {
    let before = before.rotation.as_ref();
    let stays = before.map(|rotation| rotation.threshold);
    let keys = match before {
        _ if !given.is_empty() => public(given),
        Some(rotation) => rotation.keys.clone(),
        None if threshold.is_some() => {
            return Err(Failure::Usage(
                "there are no rotation keys that --rotation-threshold could be of; give some with \
                 --new-rotation-key"
                    .into(),
            ));
        }
        None => return Ok(None),
    };
    let threshold = threshold.or(stays).unwrap_or(1);
    Ok(Some(Rotation { keys, threshold }))
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
    /// The issuer's keys from then on.
    keys: &'a [Key],
    /// Its rotation keys from then on, as far as they were given.
    roots: &'a [Key],
    /// What the log may ask for.
    invitation: Option<&'a str>,
}

impl Record<'_> {
    /// Signs and publishes the record, and writes the issuer's id beside its keys.
    async fn publish(&self, client: &Client, settings: &Settings) -> Result<(), Failure> {
        let draft = self
            .draft()
            .map_err(|e| Failure::Usage(format!("the record is refused: {e}")))?;
        let signing = self.signers.len();
        if signing > limits::SIGNATURES {
            return Err(Failure::Usage(format!(
                "{signing} keys would have to sign the record, and a claim has at most {} \
                 signatures; change the keys in two rotations",
                limits::SIGNATURES
            )));
        }
        // A key that is another issuer's is found before the record is public.
        for key in self.owned().filter(|key| key.has_sidecar()) {
            key.write_sidecar(&self.id)?;
        }
        let signers = self.signers.iter().map(|key| (self.id, &key.signing));
        let claim = draft.sign(&signers.collect::<Vec<_>>());
        let published = client
            .publish_invited(claim, Wait::Integrated, self.invitation)
            .await?;
        let (claim_id, leaf) = (published.claim_id.to_string(), published.index.get());
        let logged = format!(
            "issuer {}: its record is logged, at leaf {leaf}; but ",
            self.id
        );
        for key in self.owned() {
            key.write_sidecar(&self.id)
                .map_err(|failure| failure.after(&logged))?;
        }
        let view = RecordView::new(&self.id, &self.body, claim_id, leaf, published.logged_at_ms);
        output::data(settings, || view.text(), &view).map_err(|failure| failure.after(&logged))?;
        if published.already_logged {
            let words = "This record was already in the log; nothing was added.";
            output::say(settings, words);
        }
        let keys = self.key_options();
        let next = format!("next: assay publish KIND FILE --subject SUBJECT{keys}");
        output::say(settings, &next);
        Ok(())
    }

    fn owned(&self) -> impl Iterator<Item = &Key> {
        self.keys.iter().chain(self.roots)
    }

    fn draft(&self) -> Result<Draft, DraftError> {
        Draft::new(issuer::statement(&self.id, &self.body)?)
    }

    /// The options that name enough keys to sign.
    fn key_options(&self) -> String {
        let threshold = usize::try_from(self.body.threshold).unwrap_or(usize::MAX);
        let mut options = String::new();
        for key in self.keys.iter().take(threshold) {
            options.push_str(&format!(" --key {}", key.path.display()));
        }
        options
    }
}
