//! `assay issuer show`: an issuer's records, and which of its keys are compromised.

use super::record::RecordView;
use crate::{
    config::{self, Settings},
    exit::Failure,
    keys::Key,
    output, session,
};
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;
use assay_client::{Client, IssuerLeaf, ask, report::keys::Keys};
use assay_policy::trust::Trust;
use clap::Args;

/// Show the records that the log has of an issuer, the first one first.
#[derive(Debug, Args)]
pub struct Command {
    /// The issuer, in hex [default: that of the signing key]
    #[arg(value_parser = config::parse_issuer)]
    issuer: Option<IssuerId>,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let id = match command.issuer {
        Some(id) => id,
        None => session::one_issuer(settings, None, || {
            Key::read_all(&settings.keys(&[]), &settings.unlock)
        })?,
    };
    let read = async |client: &Client| Ok((client.issuer(&id).await?, keys_of(client, &id).await?));
    let (history, keys) = session::read(settings, read).await?;
    let views: Vec<RecordView> = history
        .leaves
        .iter()
        .map(|leaf| view(&id, leaf).with_compromised(&keys.compromised))
        .collect();
    output::data(settings, || texts(&views), &views)?;
    let words = format!("{} Names prove nothing; compare the id.", in_force(&keys));
    output::say(settings, &words);
    Ok(())
}

fn view(id: &IssuerId, leaf: &IssuerLeaf) -> RecordView {
    let entry = &leaf.entry;
    let claim_id = entry.claim().id().to_string();
    let (index, at) = (entry.index().get(), entry.entry().logged_at_ms());
    RecordView::new(id, &leaf.record.body, claim_id, index, at)
}

fn texts(views: &[RecordView]) -> String {
    let texts: Vec<String> = views.iter().map(RecordView::text).collect();
    texts.join("\n\n")
}

/// Which of the issuer's keys are compromised. Claims under its id say that, not its records; the
/// answer is complete, so none can be left out.
async fn keys_of(client: &Client, id: &IssuerId) -> Result<Keys, Failure> {
    let answer = client.lookup(&ask::records_of(id)).await?.answer;
    // A claim that does not verify has no effect.
    let verified = answer.proven().claims(&(), |_| true);
    let claims: Vec<LoggedClaim> = verified
        .into_iter()
        .filter_map(|(_, claim)| claim.ok())
        .collect();
    Ok(Keys::of(id, &Trust::judge(&claims)))
}

fn in_force(keys: &Keys) -> String {
    if let Some(powerless) = keys.powerless.first() {
        return format!(
            "The last record is in force, but its keys are declared compromised: nothing that \
             they sign from leaf {} on counts.",
            powerless.from_leaf
        );
    }
    if keys.compromised.iter().any(|one| one.in_force) {
        return "The last record is in force. Enough of its keys are not declared compromised to \
            sign."
            .into();
    }
    "The last record is in force.".into()
}
