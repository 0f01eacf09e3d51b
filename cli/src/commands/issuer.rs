//! `assay issuer`: registering an issuer, rotating its keys, giving up a key, showing its records.

use super::compromised;
use crate::{
    config::{self, Settings},
    exit::Failure,
    keys::Key,
    output, session, time,
};
use assay_claims::claim::{self, PublicKey, SigningKey};
use assay_claims::index::{Kind, Label};
use assay_claims::issuer::{self, IssuerId};
use assay_claims::kind::issuer::{Issuer, ROLES};
use assay_claims::logged::LoggedClaim;
use assay_client::report::keys::{Compromised, Keys};
use assay_client::{Client, IssuerHistory, Wait};
use assay_policy::trust::Trust;
use clap::{Args, Subcommand};
use serde::Serialize;
use std::path::PathBuf;

/// An issuer is who signs claims: a set of keys, of which a threshold must sign. Its id follows
/// from its first keys.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Register an issuer. All of its keys sign
    Register(Register),
    /// Replace an issuer's keys. Enough of the old and of the new keys sign
    Rotate(Rotate),
    /// Say from when on a key is not to be trusted
    Compromised(compromised::Command),
    /// Show an issuer's records
    Show(Show),
}

/// Register an issuer under a name that anybody may choose: what counts is its id.
#[derive(Debug, Args)]
pub struct Register {
    /// What the issuer calls itself
    #[arg(long, env = "ASSAY_NAME")]
    name: String,
    /// Its keys' files; all of them sign [default: ~/.config/assay/key.pem]
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
    /// The keys from now on, all of them; those that stay are given here, too
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
    /// What the issuer calls itself
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
    /// What it says it does; may be given several times
    #[arg(long, env = "ASSAY_ROLE", value_parser = clap::builder::PossibleValuesParser::new(ROLES))]
    role: Vec<String>,
}

/// Show the records that the log has of an issuer, replayed from the first.
#[derive(Debug, Args)]
pub struct Show {
    /// The issuer, in hex [default: that of the signing key]
    #[arg(value_parser = config::parse_issuer)]
    issuer: Option<IssuerId>,
}

#[derive(Debug, Serialize)]
struct RecordView {
    issuer_id: String,
    name: String,
    sequence: u32,
    threshold: u32,
    keys: Vec<String>,
    contacts: Vec<String>,
    namespaces: Vec<String>,
    roles: Vec<String>,
    /// Keys of this record that are declared compromised; of a record that was just published,
    /// none.
    compromised: Vec<Compromised>,
    claim_id: String,
    leaf_index: u64,
    logged_at: String,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    match command {
        Command::Register(command) => register(command, settings).await,
        Command::Rotate(command) => rotate(command, settings).await,
        Command::Compromised(command) => compromised::run(command, settings).await,
        Command::Show(command) => show(command, settings).await,
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
    let id = issuer::genesis_id(&body);
    let client = session::connect(settings).await?;
    publish(&client, &id, &body, &keys, &keys, settings).await
}

async fn rotate(command: Rotate, settings: &Settings) -> Result<(), Failure> {
    let old = Key::read_all(&settings.keys(&command.key))?;
    let new = Key::read_all(&command.new_key)?;
    let id = session::one_issuer(settings, command.issuer, || Ok(&old))?;
    let client = session::connect(settings).await?;
    let IssuerHistory { current, .. } = client.issuer(&id).await?;
    let keep = |given: Vec<String>, before: &[String]| {
        if given.is_empty() {
            before.to_vec()
        } else {
            given
        }
    };
    let attributes = command.attributes;
    let body = Issuer {
        name: command.name.unwrap_or_else(|| current.body.name.clone()),
        contacts: keep(attributes.contact, &current.body.contacts),
        keys: public(&new),
        threshold: command.threshold.unwrap_or(current.body.threshold),
        sequence: current.body.sequence.saturating_add(1),
        previous: Some(current.claim_id),
        namespaces: keep(attributes.namespace, &current.body.namespaces),
        roles: keep(attributes.role, &current.body.roles),
    };
    let mut signers = old;
    for path in &command.new_key {
        let key = Key::read(path)?;
        if signers.iter().all(|other| other.public() != key.public()) {
            signers.push(key);
        }
    }
    publish(&client, &id, &body, &signers, &new, settings).await
}

/// Signs and publishes a record, and notes beside the keys whose they are now.
async fn publish(
    client: &Client,
    id: &IssuerId,
    body: &Issuer,
    signers: &[Key],
    owned: &[Key],
    settings: &Settings,
) -> Result<(), Failure> {
    let statement = issuer::statement(id, body)
        .map_err(|e| Failure::Usage(format!("the record is refused: {e}")))?;
    Issuer::parse(statement.predicate())
        .map_err(|e| Failure::Usage(format!("the record is refused: {e}")))?;
    let pairs: Vec<(IssuerId, &SigningKey)> =
        signers.iter().map(|key| (*id, &key.signing)).collect();
    // A key that is another issuer's is found out before the record is public.
    for key in owned
        .iter()
        .filter(|key| key.has_sidecar() && key.issuer() != *id)
    {
        key.write_sidecar(id)?;
    }
    let published = client
        .publish(
            claim::sign(statement.to_json().as_bytes(), &pairs),
            Wait::Integrated,
        )
        .await?;
    for key in owned {
        key.write_sidecar(id)?;
    }
    let view = RecordView::new(
        id,
        body,
        published.claim_id.to_string(),
        published.index.get(),
        published.logged_at_ms,
    );
    output::data(settings, || view.text(), &view)?;
    if published.already_logged {
        output::say(
            settings,
            "This very record was in the log before; nothing was added.",
        );
    }
    let mut keys = owned
        .iter()
        .map(|key| format!(" --key {}", key.path.display()));
    let threshold = usize::try_from(body.threshold).unwrap_or(usize::MAX);
    let keys: String = keys.by_ref().take(threshold).collect();
    output::say(
        settings,
        &format!("next: assay publish KIND FILE --subject SUBJECT{keys}"),
    );
    Ok(())
}

async fn show(command: Show, settings: &Settings) -> Result<(), Failure> {
    let id = match command.issuer {
        Some(id) => id,
        None => session::one_issuer(settings, None, || Key::read_all(&settings.keys(&[])))?,
    };
    let client = session::connect(settings).await?;
    let history = client.issuer(&id).await?;
    let keys = keys_of(&client, &id).await?;
    let views: Vec<_> = history
        .leaves
        .iter()
        .map(|leaf| {
            let entry = &leaf.entry;
            let claim = entry.claim().id().to_string();
            let view = RecordView::new(
                &id,
                &leaf.record.body,
                claim,
                entry.index().get(),
                entry.entry().logged_at_ms(),
            );
            let of_record = keys
                .compromised
                .iter()
                .filter(|one| view.keys.contains(&one.key))
                .cloned()
                .collect();
            RecordView {
                compromised: of_record,
                ..view
            }
        })
        .collect();
    output::data(
        settings,
        || {
            views
                .iter()
                .map(RecordView::text)
                .collect::<Vec<_>>()
                .join("\n\n")
        },
        &views,
    )?;
    output::say(
        settings,
        &format!("{} Names prove nothing; compare the id.", in_force(&keys)),
    );
    Ok(())
}

/// What became of an issuer's keys: not its records say that, but claims under its id, of which
/// none can be left out.
async fn keys_of(client: &Client, id: &IssuerId) -> Result<Keys, Failure> {
    let label = Label::new(Kind::Digest, &format!("sha256:{id}"));
    let pages = client.list(&label).await?;
    let claims = pages.iter().flat_map(|page| page.claims(&(), |_| true));
    // What does not verify has no effect.
    let claims: Vec<LoggedClaim> = claims.filter_map(|(_, claim)| claim.ok()).collect();
    Ok(Keys::of(id, &Trust::judge(&claims)))
}

fn in_force(keys: &Keys) -> String {
    match (
        keys.powerless.first(),
        keys.compromised.iter().any(|one| one.in_force),
    ) {
        (Some(powerless), _) => format!(
            "The last record is in force, but its keys are declared compromised: nothing that \
             they sign from leaf {} on counts.",
            powerless.from_leaf
        ),
        (None, true) => {
            "The last record is in force; those of its keys that are not declared compromised are \
             enough to sign."
                .into()
        }
        (None, false) => "The last record is in force.".into(),
    }
}

fn public(keys: &[Key]) -> Vec<PublicKey> {
    keys.iter()
        .map(|key| PublicKey::from(&key.signing))
        .collect()
}

impl RecordView {
    fn new(
        id: &IssuerId,
        body: &Issuer,
        claim_id: String,
        leaf_index: u64,
        logged_at_ms: u64,
    ) -> Self {
        RecordView {
            issuer_id: id.to_string(),
            name: body.name.clone(),
            sequence: body.sequence,
            threshold: body.threshold,
            keys: body.keys.iter().map(PublicKey::to_hex).collect(),
            contacts: body.contacts.clone(),
            namespaces: body.namespaces.clone(),
            roles: body.roles.clone(),
            compromised: Vec::new(),
            claim_id,
            leaf_index,
            logged_at: time::rfc3339_of_ms(logged_at_ms),
        }
    }

    fn text(&self) -> String {
        let list = |label: &str, values: &[String]| match values {
            [] => String::new(),
            _ => format!("\n{label}{}", output::plain(&values.join(", "))),
        };
        let compromised = |one: &Compromised| {
            format!(
                "\ncompromised {}\n            from leaf {} on, says claim {} at leaf {}",
                one.key, one.from_leaf, one.claim_id, one.leaf_index
            )
        };
        format!(
            "issuer      {}\nname        {} (its own word)\nsequence    {}\nkeys        {} of {} \
             must sign:\n            {}{}{}{}{}\nrecord      claim {}\nlogged      leaf {} at {}",
            self.issuer_id,
            output::plain(&self.name),
            self.sequence,
            self.threshold,
            self.keys.len(),
            self.keys.join("\n            "),
            self.compromised.iter().map(compromised).collect::<String>(),
            list("contacts    ", &self.contacts),
            list("namespaces  ", &self.namespaces),
            list("roles       ", &self.roles),
            self.claim_id,
            self.leaf_index,
            self.logged_at
        )
    }
}
