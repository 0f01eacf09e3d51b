//! `assay lookup`: everything that is known about something, grouped by question, and whether that
//! is all there is.

pub mod answer;
mod choice;
mod issuer;
mod replies;
pub mod text;
mod versions;
mod words;

use crate::{
    about::{About, Artifact},
    asking::{self, Asked, AskedLog, How},
    config::Settings,
    exit::Failure,
    output, policy_file,
};
use answer::{AboutView, Answer, ClaimView, LogView, PrivacyView, QuestionView, VerdictView};
use assay_claims::claim::ClaimId;
use assay_claims::index::{self, Kind, Label};
use assay_claims::issuer::IssuerId;
use assay_claims::kind;
use assay_claims::logged::LoggedClaim;
use assay_claims::statement::{Statement, Subject};
use assay_client::{Cel, Client, ClientError, Config, LeafRef};
use assay_policy::rules::{Policy, STARTING};
use assay_policy::verdict;
use assay_tlog::Hash;
use clap::Args;
use issuer::Signed;
use std::collections::BTreeSet;
use versions::VersionsView;

/// Show everything that is known about something, and whether that is all there is.
///
/// All of it is verified, and so is that nothing was left out. Exit code 0: it meets your policy;
/// of an issuer, a claim or a vulnerability, that something is known. 1: it does not, or nothing is
/// known, or the claim that was asked for cannot be had (privately and offline only what others say
/// of it can). 3: no log answers. 4: an answer is false.
#[derive(Debug, Args)]
pub struct Command {
    /// A package URL (pkg:cargo/serde@1.0.228), a digest (sha256:HEX, sha512:HEX, gitCommit:HEX),
    /// the path of a file, an issuer (issuer:ID), a claim (claim:ID), a vulnerability
    /// (CVE-2021-44228, or vuln:NAME), or 64 hex digits, which may be a SHA-256, an issuer or a
    /// claim
    #[arg(value_name = "X")]
    about: String,
    #[command(flatten)]
    how: How,
}

/// Whom to ask, and how.
struct Asking<'a> {
    policy: Policy,
    how: How,
    settings: &'a Settings,
}

/// What was found out before it is put into words.
struct Known {
    about: About,
    asked: Asked,
    claims: Vec<LoggedClaim>,
    signed: Option<Signed>,
    /// What the answer cannot have, in a sentence.
    lacking: Option<String>,
    hints: Vec<String>,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let about = About::read(&command.about)?;
    let asking = Asking {
        policy: policy_or_starting(settings)?,
        how: command.how,
        settings,
    };
    let known = find(about, &asking).await?;
    let answer = tell(&known, &asking, asking::now_ms());
    output::data(settings, || text::text(&answer), &answer)?;
    answer
        .hints
        .iter()
        .for_each(|hint| output::say(settings, &output::plain(hint)));
    judge(&known, &answer)
}

/// The reader's policy, or the one that everybody starts with, which is said.
pub fn policy_or_starting(settings: &Settings) -> Result<Policy, Failure> {
    if !settings.has_no_policy() {
        return policy_file::load(&settings.policy(None));
    }
    output::say(
        settings,
        "You have no policy, so the one to start with is used, which trusts nobody; `assay policy \
         init` makes yours.",
    );
    Policy::parse(STARTING, &Cel)
        .map_err(|e| Failure::Failed(format!("the policy to start with cannot be read: {e}")))
}

impl Asking<'_> {
    /// Asks every log. Fails if none of them can be reached.
    async fn ask(&self, labels: &[Label]) -> Result<Asked, Failure> {
        let asked = asking::ask(&self.policy, labels, self.how, self.settings).await?;

        if asked.unreachable().count() == asked.logs.len() {
            let what = asked
                .logs
                .iter()
                .map(|asked: &AskedLog| match &asked.answer {
                    verdict::Answer::None { why } => format!("{}: {why}", asked.origin()),
                    _ => asked.origin().to_owned(),
                })
                .collect::<Vec<_>>()
                .join("; ");
            return Err(Failure::Unanswered(format!(
                "no log answers ({})",
                output::plain(&what)
            )));
        }
        Ok(asked)
    }

    /// How the logs are asked, if it is a way in which single entries and long lists cannot be had.
    fn how(&self) -> Option<&'static str> {
        match (self.how.offline, self.how.private) {
            (true, _) => Some("offline"),
            (false, true) => Some("privately"),
            (false, false) => None,
        }
    }

    /// Why a claim that was asked for is not in the answer. The index has labels of what claims
    /// speak of, and none of a claim itself, so that its absence cannot be proven.
    fn lacks_claim(&self) -> String {
        match self.how() {
            Some(how) => format!("The claim itself cannot be asked for {how}."),
            None => "No log that was asked shows the claim itself, and that there is none cannot \
                be proven."
                .to_owned(),
        }
    }

    /// The logs that can be asked for single entries and long lists: neither offline nor privately,
    /// and those that answer.
    async fn clients(&self) -> Result<Vec<Client>, Failure> {
        let mut clients = Vec::new();
        if self.how().is_some() {
            return Ok(clients);
        }
        for log in asking::logs(&self.policy, self.settings, self.how)? {
            let Some(url) = log.url else { continue };
            let (state_dir, tls) = (self.settings.state_dir.clone(), self.settings.tls.clone());
            match Client::connect(Config {
                url,
                log_key: log.key,
                state_dir,
                tls,
            })
            .await
            {
                Ok(client) => clients.push(client),
                // It did not answer the look-up either, which the answer says.
                Err(ClientError::Unavailable { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(clients)
    }
}

/// Asks for all that is known.
async fn find(about: About, asking: &Asking<'_>) -> Result<Known, Failure> {
    let mut asked = asking.ask(&about.labels()).await?;
    let (mut hints, mut lacking) = (Vec::new(), None);
    let about = match about {
        About::Hex(hash) => {
            let (about, hint);
            (about, hint, lacking) = resolve(hash, &claims_of(&asked), asking).await?;
            hints.push(hint);
            about
        }
        about => about,
    };
    let mut signed = None;
    let more = match &about {
        About::Claim(id) => labels_of_claim(id, asking).await?.unwrap_or_default(),
        About::Issuer(id) => {
            let of_issuer = issuer::signed(asking, id).await?;
            // What was taken back of the newest claims is known only to those who ask about each of
            // them.
            let ids = of_issuer
                .newest
                .iter()
                .map(|logged| logged.claim().id().to_hex());
            let labels = ids.map(|id| Label::new(Kind::Claim, &id)).collect();
            signed = Some(of_issuer);
            labels
        }
        _ => Vec::new(),
    };
    if !more.is_empty() {
        asked = asking.ask(&[about.labels(), more].concat()).await?;
    }
    let mut claims = claims_of(&asked);
    claims.extend(signed.iter().flat_map(|signed| signed.newest.clone()));
    if let About::Claim(id) = &about
        && claims.iter().all(|logged| logged.claim().id() != *id)
    {
        lacking = Some(asking.lacks_claim());
    }
    hints.extend(hints_of(&about, &claims));
    Ok(Known {
        about,
        asked,
        claims,
        signed,
        lacking,
        hints,
    })
}

fn claims_of(asked: &Asked) -> Vec<LoggedClaim> {
    asked.claims().cloned().collect()
}

/// What 64 hex digits are, with a word on how that was found out, and what could not be found out.
/// What nobody has spoken of is taken for a SHA-256.
async fn resolve(
    hash: Hash,
    claims: &[LoggedClaim],
    asking: &Asking<'_>,
) -> Result<(About, String, Option<String>), Failure> {
    let (hex, claim) = (hash.to_hex(), ClaimId::new(hash));
    let statements = || claims.iter().map(|logged| logged.claim().statement());
    let about_it = |statement: &Statement| {
        statement
            .subjects()
            .iter()
            .any(|one| one.digest("sha256") == Some(&hex))
    };

    let known = "asked as a SHA-256, an issuer and a claim";
    if let Some(id) = IssuerId::from_hex(&hex).filter(|_| {
        statements().any(|statement: &Statement| {
            statement.predicate_type() == kind::issuer::URI && about_it(statement)
        })
    }) {
        return Ok((About::Issuer(id), format!("{known}: it is an issuer"), None));
    }
    if statements().any(|statement: &Statement| kind::targets(statement).contains(&claim))
        || labels_of_claim(&claim, asking).await?.is_some()
    {
        return Ok((About::Claim(claim), format!("{known}: it is a claim"), None));
    }
    let (found, lacking) = match (statements().any(about_it), asking.how()) {
        (true, _) => ("it is a SHA-256", None),
        (false, None) => ("nothing is known of it as any of them", None),
        (false, Some(how)) => {
            let lacking = format!("Whether a claim has this id cannot be asked {how}.");
            (
                "nothing is said of it as any of them, and whether there is such a claim is open",
                Some(lacking),
            )
        }
    };
    let about = About::Artifact(Artifact {
        digests: vec![("sha256".to_owned(), hex)],
        ..Artifact::default()
    });
    Ok((about, format!("{known}: {found}"), lacking))
}

/// The labels under which a claim itself stands, but for that of its signer, who may have signed
/// any number of others. `None` if no log that can be asked for a single claim has it.
async fn labels_of_claim(id: &ClaimId, asking: &Asking<'_>) -> Result<Option<Vec<Label>>, Failure> {
    for client in asking.clients().await? {
        match client.entry(LeafRef::Claim(*id)).await {
            Ok(entry) => {
                let signers = entry.claim().signers().iter();
                let signers: Vec<_> = signers
                    .map(|(id, _)| Label::new(Kind::Issuer, &id.to_hex()))
                    .collect();
                let labels = index::labels_of_claim(entry.claim());
                return Ok(Some(
                    labels
                        .into_iter()
                        .filter(|label| !signers.contains(label))
                        .collect(),
                ));
            }
            Err(ClientError::Refused { .. } | ClientError::Unavailable { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(None)
}

/// What else to ask.
fn hints_of(about: &About, claims: &[LoggedClaim]) -> Vec<String> {
    let mut hints = Vec::new();
    match about {
        About::Artifact(Artifact {
            file: Some(file),
            format: Some(format),
            ..
        }) => hints.push(format!(
            "{file} is a list of software ({}). What is known of everything in it: assay check \
             {file}",
            format.name()
        )),
        About::Artifact(artifact) => {
            let subjects = claims
                .iter()
                .flat_map(|logged| logged.claim().statement().subjects());
            let named: BTreeSet<&str> = subjects
                .filter(|subject: &&Subject| {
                    artifact
                        .digests
                        .iter()
                        .any(|(name, hex)| subject.digest(name) == Some(hex))
                })
                .filter_map(|one| Some(one.purl()?.as_str()))
                .collect();
            hints.extend(named.iter().take(3).map(|purl| {
                format!(
                    "Some say that it is {purl}. What is known of that: assay \
                        lookup {purl}"
                )
            }));
        }
        _ => {}
    }
    hints
}

/// Puts what is known into words.
fn tell(known: &Known, asking: &Asking<'_>, now_ms: u64) -> Answer {
    let Known {
        about,
        asked,
        claims,
        signed,
        lacking,
        hints,
    } = known;
    let component = about.component();
    let posture = choice::posture(about, component.as_ref(), claims, asking, now_ms);
    // What is not known to be an artifact, and may be a claim, is not judged as one.
    let judged = component.filter(|_| lacking.is_none());
    let verdict = judged.map(|component| {
        verdict::evaluate(&asking.policy, &component, &asked.answers(), claims, now_ms)
    });
    let mut questions = QuestionView::all(&posture, claims);
    let (mut signed, of_signed) = match signed {
        Some(signed) => {
            let (view, said) = signed.view(claims, &asking.policy, now_ms);
            (Some(view), said)
        }
        None => (None, Vec::new()),
    };
    let said = replies::among(
        questions
            .iter()
            .flat_map(|question| &question.lines)
            .chain(&of_signed),
    );
    let newest = signed.iter_mut().flat_map(|signed| &mut signed.newest);
    replies::attach(
        questions
            .iter_mut()
            .flat_map(|question| &mut question.lines)
            .chain(newest),
        &said,
    );
    let lines = questions.iter().flat_map(|question| &question.lines);
    let lines = lines.chain(signed.iter().flat_map(|signed| &signed.newest));
    let mut answer = Answer {
        about: AboutView::new(about),
        asked_at_ms: now_ms,
        answer: String::new(),
        lacking: lacking.clone(),
        policy: verdict.as_ref().map(VerdictView::new),
        claims: ClaimView::of_lines(lines, claims),
        questions,
        versions: VersionsView::of(about, claims),
        signed,
        keys: match about {
            About::Issuer(id) => Some(issuer::keys(id, claims, &asking.policy)),
            _ => None,
        },
        logs: asked
            .logs
            .iter()
            .map(|asked| LogView::new(asked, asking.how.offline, now_ms))
            .collect(),
        privacy: asked
            .logs
            .iter()
            .find_map(|asked| asked.gathered.privacy)
            .map(PrivacyView::new),
        hints: hints.clone(),
    };
    answer.answer = words::paragraph(about, &answer);
    answer
}

/// The exit code: whether the policy is met, or else whether anything is known; but first, whether
/// every log answered.
fn judge(known: &Known, answer: &Answer) -> Result<(), Failure> {
    let name = known.about.name();
    let silent: Vec<&str> = known.asked.unreachable().map(AskedLog::origin).collect();
    if !silent.is_empty() {
        let silent = output::plain(&silent.join(", "));
        return Err(Failure::Unanswered(format!(
            "{name}: no answer of {silent}; try again later"
        )));
    }
    if let Some(lacking) = &answer.lacking {
        return Err(Failure::NotMet(format!("{name}: {lacking}")));
    }
    // Others can answer a claim whose id is the same digits; that makes nobody of them an issuer.
    if matches!(known.about, About::Issuer(_)) && words::record(answer).is_none() {
        return Err(Failure::NotMet(format!(
            "{name}: it is not registered in a log that was asked"
        )));
    }
    match &answer.policy {
        Some(verdict) if verdict.met => Ok(()),
        Some(verdict) => Err(Failure::NotMet(format!(
            "{name}: your policy is not met ({})",
            verdict.outcome
        ))),
        None if answer.claims.is_empty() => {
            Err(Failure::NotMet(format!("{name}: nothing is known")))
        }
        None if answer.logs.iter().any(|log| !log.complete) => Err(Failure::NotMet(format!(
            "{name}: what is known is not complete"
        ))),
        None => Ok(()),
    }
}
