//! Signing claims and publishing them: what `assay publish` does with documents, and other commands
//! with what they are told.

use crate::{
    config::{self, Settings},
    exit::Failure,
    keys::Key,
    output, session, subject, time, view,
};
use assay_claims::claim::{self, SigningKey};
use assay_claims::issuer::IssuerId;
use assay_claims::json::Value;
use assay_claims::kind;
use assay_claims::limits;
use assay_claims::statement::{Statement, StatementError, Subject};
use assay_client::{Client, ClientError, Published, Wait};
use assay_intake::documents::{Attachment, Prepared};
use clap::Args;
use serde::Serialize;
use std::{path::PathBuf, time::Duration};

/// How often a claim is offered again to a node that asks for that, and the longest wait before it:
/// a limit of claims a second lets one through at last, and a node that is full says so for longer.
const PATIENCE: u32 = 20;
const LONGEST_WAIT: Duration = Duration::from_secs(5);

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
    /// Show the statements that would be signed, and publish nothing
    #[arg(long, env = "ASSAY_DRY_RUN", value_parser = clap::builder::FalseyValueParser::new())]
    pub dry_run: bool,
}

/// A claim that is ready to be signed.
pub struct Draft {
    statement: Statement,
    payload: String,
    summary: Vec<(String, String)>,
    attachment: Option<Attachment>,
}

/// The keys that sign, each for its issuer, and the node that the claims go to.
pub struct Publisher<'a> {
    /// The node.
    pub client: Client,
    keys: Vec<Key>,
    issuer: Option<IssuerId>,
    settings: &'a Settings,
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

impl Signing {
    /// The one issuer that is signed for. Fails with [`Failure::Usage`] if the keys sign for
    /// different ones.
    pub fn one_issuer(&self, settings: &Settings) -> Result<IssuerId, Failure> {
        session::one_issuer(settings, self.issuer, || {
            Key::read_all(&settings.keys(&self.key))
        })
    }
}

impl Draft {
    /// The claim that was prepared of a document, about `subjects` or else about what the document
    /// suggests. Errors are the document's.
    pub fn of_document(prepared: Prepared, subjects: &[Subject]) -> Result<Self, String> {
        let subjects = match subjects {
            [] => prepared.subjects,
            given => given.to_vec(),
        };
        if subjects.is_empty() {
            return Err(
                "it does not say what it is about; say it with --subject: a package URL \
                        (pkg:cargo/serde@1.0.0), a digest (sha256:HEX), or the path of a file"
                    .into(),
            );
        }
        let statement = Statement::new(subjects, &prepared.predicate_type, prepared.predicate);
        Draft::new(statement, prepared.summary, prepared.attachment)
    }

    /// The claim that a command makes of its arguments, to which errors are put down.
    pub fn of_arguments(statement: Result<Statement, StatementError>) -> Result<Self, Failure> {
        let mut draft = Draft::new(statement, vec![], None).map_err(Failure::Usage)?;
        draft.summary = said(draft.statement.predicate());
        Ok(draft)
    }

    fn new(
        statement: Result<Statement, StatementError>,
        summary: Vec<(String, String)>,
        attachment: Option<Attachment>,
    ) -> Result<Self, String> {
        let statement = statement.map_err(|e| format!("it cannot be made into a claim: {e}"))?;
        kind::check_statement(&statement)
            .map_err(|e| format!("it cannot be made into a claim: {e}"))?;
        let payload = statement.to_json();
        if payload.len() > limits::PAYLOAD_BYTES {
            return Err(format!(
                "the claim would have {} bytes, and a log takes {}; publish fewer subjects in one \
                 claim",
                payload.len(),
                limits::PAYLOAD_BYTES
            ));
        }
        Ok(Draft {
            statement,
            payload,
            summary,
            attachment,
        })
    }
}

/// Signs and publishes the claims and prints what became of them; if it is a dry run, prints their
/// statements.
pub async fn publish(
    drafts: Vec<Draft>,
    signing: &Signing,
    settings: &Settings,
) -> Result<(), Failure> {
    if signing.dry_run {
        drafts.iter().try_for_each(|draft| {
            summarize(draft, settings);
            output::text(&draft.payload)
        })
    } else {
        Publisher::connect(signing, settings)
            .await?
            .publish(drafts)
            .await
    }
}

/// Tells the person what a claim says.
fn summarize(draft: &Draft, settings: &Settings) {
    let about = subject::short_list(draft.statement.subjects());
    output::say(
        settings,
        &format!("claim: {} about {about}", view::kind(&draft.statement)),
    );
    for (label, value) in &draft.summary {
        output::say(
            settings,
            &format!("  {}: {}", output::plain(label), output::plain(value)),
        );
    }
}

/// What the predicate of a command's arguments says, in its own words: every member that is a text,
/// a number, or a list of them.
fn said(predicate: &Value) -> Vec<(String, String)> {
    let word = |value: &Value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.as_str().to_owned()),
        Value::Bool(yes) => Some(yes.to_string()),
        _ => None,
    };
    let words = |value: &Value| match value {
        Value::Array(items) => Some(items.iter().filter_map(word).collect::<Vec<_>>().join(", ")),
        value => word(value),
    };
    let members = predicate.as_object().unwrap_or_default();
    members
        .iter()
        .filter_map(|(key, value)| Some((key.clone(), words(value)?)))
        .collect()
}

impl<'a> Publisher<'a> {
    /// Reads the keys and connects.
    pub async fn connect(signing: &Signing, settings: &'a Settings) -> Result<Self, Failure> {
        let keys = Key::read_all(&settings.keys(&signing.key))?;
        let issuer = settings.issuer(signing.issuer)?;
        Ok(Publisher {
            client: session::connect(settings).await?,
            keys,
            issuer,
            settings,
        })
    }

    /// Who is signed for, and with which key.
    pub fn signers(&self) -> Vec<(IssuerId, &SigningKey)> {
        self.keys
            .iter()
            .map(|key| (self.issuer.unwrap_or_else(|| key.issuer()), &key.signing))
            .collect()
    }

    /// Signs and publishes the claims and prints what became of them, also of those before one that
    /// failed.
    pub async fn publish(&self, drafts: Vec<Draft>) -> Result<(), Failure> {
        let (mut views, mut failure) = (vec![], None);
        for draft in &drafts {
            summarize(draft, self.settings);
            match self.publish_when_asked_to(draft).await {
                Ok(view) => views.push(view),
                Err(error) => {
                    failure = Some(error);
                    break;
                }
            }
        }
        if failure.is_none() || !views.is_empty() {
            output::data(
                self.settings,
                || views.iter().map(text).collect::<Vec<_>>().join("\n"),
                &views,
            )?;
        }
        let Some(failure) = failure else {
            let ids: Vec<_> = views.iter().map(|view| view.claim_id.as_str()).collect();
            output::say(
                self.settings,
                &format!("next: assay receipt {} --out receipts", ids.join(" ")),
            );
            return Ok(());
        };
        if drafts.len() > 1 {
            let done = format!("{} of {} claims are published", views.len(), drafts.len());
            output::say(
                self.settings,
                &format!("{done}; the same command again publishes the rest, and none twice"),
            );
        }
        Err(failure)
    }

    /// Publishes one claim; where the node says that it is asked too often, as often as its limit
    /// allows.
    async fn publish_when_asked_to(&self, draft: &Draft) -> Result<PublishView, Failure> {
        for _ in 0..PATIENCE {
            match self.publish_one(draft).await {
                Err(Failure::Client(ClientError::Unavailable {
                    retry_after: Some(delay),
                    ..
                })) if delay <= LONGEST_WAIT => {
                    tokio::time::sleep(delay).await;
                }
                done => return done,
            }
        }
        self.publish_one(draft).await
    }

    async fn publish_one(&self, draft: &Draft) -> Result<PublishView, Failure> {
        let claim = claim::sign(draft.payload.as_bytes(), &self.signers());
        let published = self.client.publish(claim, Wait::Integrated).await?;
        let attachment = match &draft.attachment {
            Some(attachment) => Some(self.upload(attachment, &published).await?),
            None => None,
        };
        Ok(PublishView {
            claim_id: published.claim_id.to_string(),
            leaf_index: published.index.get(),
            logged_at: time::rfc3339_of_ms(published.logged_at_ms),
            tree_size: published
                .proven
                .map(|entry| entry.checkpoint().size().get()),
            already_logged: published.already_logged,
            predicate_type: draft.statement.predicate_type().to_owned(),
            attachment,
        })
    }

    async fn upload(
        &self,
        attachment: &Attachment,
        published: &Published,
    ) -> Result<AttachmentView, Failure> {
        let size = attachment.bytes.len();
        let bar = output::progress(
            self.settings,
            "attachment",
            size as u64,
            output::Unit::Bytes,
        );
        let moving = bar.clone();
        let uploaded = self
            .client
            .put_attachment(attachment.bytes.clone(), move |n| moving.inc(n))
            .await;
        bar.finish_and_clear();
        let already_stored = uploaded.inspect_err(|_| {
            let id = published.claim_id;
            let advice = "is logged, its document is not stored: run the same command again";
            output::say(self.settings, &format!("claim {id} {advice}"));
        })?;
        Ok(AttachmentView {
            sha256: assay_tlog::Hash::of(&attachment.bytes).to_hex(),
            size,
            media_type: attachment.media_type.clone(),
            already_stored,
        })
    }
}

fn text(view: &PublishView) -> String {
    let logged = if view.already_logged {
        "was logged before, at"
    } else {
        "logged at"
    };
    let mut text = format!(
        "claim     {}\nleaf      {}, {logged} {}\nproven    in the log of size {}",
        view.claim_id,
        view.leaf_index,
        view.logged_at,
        view.tree_size.unwrap_or_default()
    );
    if let Some(attachment) = &view.attachment {
        text.push_str(&format!(
            "\nattached  sha256:{} ({} bytes)",
            attachment.sha256, attachment.size
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::claim::ClaimId;
    use assay_claims::kind::response::Response;

    #[test]
    fn arguments_that_make_no_valid_claim_are_the_callers() {
        let target = ClaimId::from_hex(&"ab".repeat(32)).unwrap();
        let draft = |stance: &str| {
            Draft::of_arguments(
                Response {
                    target,
                    stance: stance.into(),
                    text: "x".into(),
                }
                .statement(),
            )
        };
        assert!(draft("dispute").is_ok());
        assert!(
            matches!(draft("agree"), Err(Failure::Usage(text)) if text.contains("$.predicate.stance"))
        );
    }
}
