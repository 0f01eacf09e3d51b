//! Signing claims and publishing them: what `assay publish` does with documents, and other commands
//! with their arguments.

use crate::{
    config::{self, Settings},
    exit::Failure,
    keys::Key,
    output, session, time,
};
use assay_claims::claim::SigningKey;
use assay_claims::entry::wire;
use assay_claims::issuer::IssuerId;
use assay_claims::json::Value;
use assay_claims::statement::{Statement, StatementError};
use assay_client::{
    Client, ClientError, Wait, plain,
    publish::{Draft, DraftError, DraftText, EffectError, Published},
    report::{claim, words},
};
use assay_intake::documents::Attachment;
use clap::{Args, builder::FalseyValueParser};
use serde::Serialize;
use std::{path::PathBuf, time::Duration};

/// How often a claim is offered again to a node that asks for a pause. A limit of claims a second
/// lets one through in the end.
pub const ATTEMPTS: u32 = 20;
/// The longest pause that is waited for. A node that is full asks for longer ones.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// How long the node asks to be left alone, if that is waited for.
pub fn pause_of(error: &ClientError) -> Option<Duration> {
    match error {
        ClientError::Unavailable {
            retry_after: Some(pause),
            ..
        } if *pause <= LONGEST_PAUSE => Some(*pause),
        _ => None,
    }
}

/// Does something, and does it again for as long as the node asks for a short pause before.
pub async fn when_asked_to<F, T>(mut call: impl FnMut() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    for _ in 0..ATTEMPTS {
        match call().await {
            Err(Failure::Client(error)) => match pause_of(&error) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error.into()),
            },
            done => return done,
        }
    }
    call().await
}

/// Who signs, and whether anything is published at all.
#[derive(Debug, Args)]
pub struct Signing {
    /// Signing key; several for several signers [default: ~/.config/assay/key.pem]
    #[arg(
        long,
        short,
        env = "ASSAY_KEY",
        value_delimiter = ',',
        value_name = "FILE"
    )]
    key: Vec<PathBuf>,
    /// Issuer to sign for, in hex [default: the one in KEY.issuer, else the one that the key alone
    /// makes]
    #[arg(long, env = "ASSAY_ISSUER", value_name = "ID", value_parser = config::parse_issuer)]
    issuer: Option<IssuerId>,
    /// Show what would be signed, or of a bridge how much, and publish nothing
    #[arg(long, env = "ASSAY_DRY_RUN", value_parser = FalseyValueParser::new())]
    dry_run: bool,
}

impl Signing {
    /// Whether nothing is to be published.
    pub fn is_dry_run(&self) -> bool {
        self.dry_run
    }

    /// The one issuer that is signed for. Fails with [`Failure::Usage`] if the keys sign for
    /// different ones.
    pub fn one_issuer(&self, settings: &Settings) -> Result<IssuerId, Failure> {
        session::one_issuer(settings, self.issuer, || {
            Key::read_all(&settings.keys(&self.key), &settings.unlock)
        })
    }
}

/// A claim to be published, with what the person is told of it and what is stored beside it.
pub struct Item {
    /// The claim. A document can become many, and all are held: the tree of one would take ten
    /// times its text.
    text: DraftText,
    predicate_type: String,
    /// What it is and what it is about, in a line for people.
    title: String,
    /// What it says, as labels and values.
    summary: Vec<(String, String)>,
    /// The document beside the log that it names.
    pub attachment: Option<Attachment>,
}

impl Item {
    /// Takes a claim with what it says, as labels and values, and the document that it names.
    pub fn new(
        draft: Draft,
        summary: Vec<(String, String)>,
        attachment: Option<Attachment>,
    ) -> Self {
        let statement = draft.statement();
        let kind = claim::kind(statement.predicate_type(), draft.body());
        let about = words::short_list(statement.subjects());
        Item {
            predicate_type: statement.predicate_type().to_owned(),
            title: format!("{kind} about {about}"),
            text: draft.into_text(),
            summary,
            attachment,
        }
    }

    /// Tells the person what the claim says.
    fn announce(&self, settings: &Settings) {
        output::say(settings, &format!("claim: {}", self.title));
        for (label, value) in &self.summary {
            let (label, value) = (plain(label), plain(value));
            output::say(settings, &format!("  {label}: {value}"));
        }
    }
}

/// Signs and publishes the claims and prints what became of them. In a dry run, prints their
/// statements instead.
pub async fn publish(
    items: Vec<Item>,
    signing: &Signing,
    settings: &Settings,
) -> Result<(), Failure> {
    if signing.dry_run {
        return show(&items, settings);
    }
    let publisher = Publisher::connect(signing, settings).await?;
    publisher.publish(&items).await
}

/// As [`publish`], of the one claim that a command makes of its arguments. A claim that nobody
/// would heed is refused before it is signed.
///
/// Fails with [`Failure::Usage`] if the arguments make no valid claim.
pub async fn publish_arguments(
    statement: Result<Statement, StatementError>,
    signing: &Signing,
    settings: &Settings,
) -> Result<(), Failure> {
    let draft = statement.map_err(DraftError::from).and_then(Draft::new);
    let draft = draft.map_err(|e| Failure::Usage(e.to_string()))?;
    let summary = summary(&draft);
    if signing.dry_run {
        return show(&[Item::new(draft, summary, None)], settings);
    }
    draft
        .check_not_over(time::now_ms())
        .map_err(EffectError::from)?;
    let publisher = Publisher::connect(signing, settings).await?;
    let signers = publisher.signers();
    let issuers: Vec<IssuerId> = signers.iter().map(|(issuer, _)| *issuer).collect();
    publisher
        .client
        .check_effect(&draft, &issuers, time::now_ms())
        .await?;
    publisher.publish(&[Item::new(draft, summary, None)]).await
}

/// What the members of a claim's predicate say, as labels and values.
fn summary(draft: &Draft) -> Vec<(String, String)> {
    let predicate = draft.statement().predicate().as_object();
    let mut summary = Vec::new();
    for (label, value) in predicate.unwrap_or_default() {
        if let Some(text) = as_text(value) {
            summary.push((label.clone(), text));
        }
    }
    summary
}

/// A text, a number or a list of them, for people.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.as_str().to_owned()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Array(items) => {
            let texts: Vec<String> = items.iter().filter_map(as_text).collect();
            Some(texts.join(", "))
        }
        Value::Null | Value::Object(_) => None,
    }
}

fn show(items: &[Item], settings: &Settings) -> Result<(), Failure> {
    for item in items {
        item.announce(settings);
        output::text(item.text.payload())?;
    }
    Ok(())
}

#[derive(Debug, Serialize)]
struct PublishView {
    claim_id: String,
    leaf_index: u64,
    logged_at: String,
    tree_size: Option<u64>,
    already_logged: bool,
    predicate_type: String,
    attachment: Option<AttachmentView>,
}

#[derive(Debug, Serialize)]
struct AttachmentView {
    sha256: String,
    size: usize,
    media_type: String,
    already_stored: bool,
}

/// The keys that sign, each for its issuer, and the node that the claims go to.
pub struct Publisher<'a> {
    client: Client,
    keys: Vec<Key>,
    issuer: Option<IssuerId>,
    settings: &'a Settings,
}

impl<'a> Publisher<'a> {
    /// Reads the keys and connects.
    pub async fn connect(signing: &Signing, settings: &'a Settings) -> Result<Self, Failure> {
        let keys = Key::read_all(&settings.keys(&signing.key), &settings.unlock)?;
        let issuer = settings.issuer(signing.issuer)?;
        Ok(Publisher {
            client: session::connect(settings).await?,
            keys,
            issuer,
            settings,
        })
    }

    /// The node.
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Signs a claim.
    pub fn sign(&self, text: &DraftText) -> wire::Claim {
        text.sign(&self.signers())
    }

    /// Who is signed for, and with which key.
    fn signers(&self) -> Vec<(IssuerId, &SigningKey)> {
        self.keys
            .iter()
            .map(|key| (self.issuer.unwrap_or_else(|| key.issuer()), &key.signing))
            .collect()
    }

    /// Publishes the claims one after the other, up to the first that fails, and prints what became
    /// of each.
    async fn publish(&self, items: &[Item]) -> Result<(), Failure> {
        let (mut views, mut failure) = (vec![], None);
        for item in items {
            item.announce(self.settings);
            match when_asked_to(|| self.publish_one(item)).await {
                Ok(view) => views.push(view),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        if failure.is_none() || !views.is_empty() {
            output::data(self.settings, || texts(&views), &views)
                .map_err(|failure| failure.after(&logged(&views)))?;
        }
        let Some(failure) = failure else {
            let ids: Vec<_> = views.iter().map(|view| view.claim_id.as_str()).collect();
            let next = format!("next: assay receipt {} --out receipts", ids.join(" "));
            output::say(self.settings, &next);
            return Ok(());
        };
        if items.len() > 1 {
            let words = format!(
                "{} of {} claims are published; run the same command again to publish the rest, \
                 none twice",
                views.len(),
                items.len()
            );
            output::say(self.settings, &words);
        }
        Err(failure)
    }

    async fn publish_one(&self, item: &Item) -> Result<PublishView, Failure> {
        let claim = self.sign(&item.text);
        let published = self.client.publish(claim, Wait::Integrated).await?;
        let attachment = match &item.attachment {
            Some(attachment) => Some(self.upload(attachment, &published).await?),
            None => None,
        };
        let proven = published.proven.as_ref();
        Ok(PublishView {
            claim_id: published.claim_id.to_string(),
            leaf_index: published.index.get(),
            logged_at: time::rfc3339_of_ms(published.logged_at_ms),
            tree_size: proven.map(|entry| entry.checkpoint().size().get()),
            already_logged: published.already_logged,
            predicate_type: item.predicate_type.clone(),
            attachment,
        })
    }

    async fn upload(
        &self,
        attachment: &Attachment,
        published: &Published,
    ) -> Result<AttachmentView, Failure> {
        let size = attachment.bytes.len();
        let unit = output::Unit::Bytes;
        let bar = output::progress(self.settings, "attachment", size as u64, unit);
        let moving = bar.clone();
        let uploaded = self
            .client
            .put_attachment(attachment.bytes.clone(), move |n| moving.inc(n))
            .await;
        bar.finish_and_clear();
        let already_stored = uploaded.inspect_err(|_| {
            let words = format!(
                "claim {} is logged, but its document is not stored; run the same command again",
                published.claim_id
            );
            output::say(self.settings, &words);
        })?;
        Ok(AttachmentView {
            sha256: assay_tlog::Hash::of(&attachment.bytes).to_hex(),
            size,
            media_type: attachment.media_type.clone(),
            already_stored,
        })
    }
}

/// What is logged, for who cannot read it where it should be.
fn logged(views: &[PublishView]) -> String {
    let claims = views.iter().map(|view| {
        let (claim, leaf) = (&view.claim_id, view.leaf_index);
        format!("the claim {claim} is logged, at leaf {leaf}; ")
    });
    claims.collect::<String>() + "but "
}

fn texts(views: &[PublishView]) -> String {
    let texts: Vec<String> = views.iter().map(text).collect();
    texts.join("\n")
}

fn text(view: &PublishView) -> String {
    let (leaf, at) = (view.leaf_index, &view.logged_at);
    let logged = if view.already_logged {
        "already logged"
    } else {
        "logged"
    };
    let size = view.tree_size.unwrap_or_default();
    let mut text = format!(
        "claim     {}\nleaf      {leaf}, {logged} at {at}\nproven    in the log at size {size}",
        view.claim_id
    );
    if let Some(AttachmentView { sha256, size, .. }) = &view.attachment {
        text.push_str(&format!("\nattached  sha256:{sha256} ({size} bytes)"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::claim::ClaimId;
    use assay_claims::kind::response::Response;

    #[test]
    fn what_the_arguments_say_is_summed_up() {
        let response = Response {
            target: ClaimId::from_hex(&"ab".repeat(32)).unwrap(),
            stance: "dispute".into(),
            text: "x".into(),
        };
        let draft = Draft::new(response.statement().unwrap()).unwrap();
        let summary = summary(&draft);
        assert!(summary.contains(&("stance".into(), "dispute".into())));
        assert!(summary.contains(&("text".into(), "x".into())));
    }

    #[test]
    fn what_is_logged_is_told_though_stdout_is_full() {
        let view = PublishView {
            claim_id: "ab".repeat(32),
            leaf_index: 7,
            logged_at: String::new(),
            tree_size: None,
            already_logged: false,
            predicate_type: String::new(),
            attachment: None,
        };
        let full = Failure::io("cannot write to stdout", std::io::Error::other("full"));
        let said = full.after(&logged(&[view])).to_string();
        assert!(said.starts_with("the claim abab"), "{said}");
        assert!(
            said.ends_with("is logged, at leaf 7; but cannot write to stdout"),
            "{said}"
        );
    }
}
