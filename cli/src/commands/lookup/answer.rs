//! The answer to a look-up: what there is to tell, the same for people and for programs.

use super::{replies::ReplyView, versions::VersionsView};
use crate::{about::About, asking::AskedLog, sound_keys::KeysView, time, view};
use assay_claims::logged::LoggedClaim;
use assay_client::gather::Privacy;
use assay_client::report::words;
use assay_policy::posture::{Line, Posture, Question, Voice};
use assay_policy::trust::{Grant, Standing};
use assay_policy::verdict::{self, Verdict};
use serde::Serialize;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// Everything that is known.
#[derive(Debug, Serialize)]
pub struct Answer {
    /// What was asked about.
    pub about: AboutView,
    /// When it was asked, in milliseconds since 1970.
    pub asked_at_ms: u64,
    /// The answer in a paragraph of plain words.
    pub answer: String,
    /// What the answer cannot have, and why, in a sentence: a claim itself, if it was asked for
    /// privately or offline.
    pub lacking: Option<String>,
    /// The policy's verdict; `None` if nothing was asked about that a policy could judge.
    pub policy: Option<VerdictView>,
    /// What is known, question by question.
    pub questions: Vec<QuestionView>,
    /// Of a package, the versions that claims are about which are not shown here.
    pub versions: Option<VersionsView>,
    /// What the issuer signed, if an issuer was asked about.
    pub signed: Option<SignedView>,
    /// What became of the issuer's keys, if an issuer was asked about.
    pub keys: Option<KeysView>,
    /// How each log answered.
    pub logs: Vec<LogView>,
    /// What a private question gave away.
    pub privacy: Option<PrivacyView>,
    /// The claims of all lines, with what was signed.
    pub claims: Vec<ClaimView>,
    /// What else to ask.
    pub hints: Vec<String>,
}

/// What was asked about.
#[derive(Debug, Serialize)]
pub struct AboutView {
    /// `package`, `artifact`, `issuer`, `vulnerability` or `claim`; `hex` if no log knows what it
    /// is.
    pub kind: &'static str,
    /// As it can be typed again.
    pub spelled: String,
    /// The labels that were asked for, hex.
    pub labels: Vec<String>,
}

/// Whether the policy is met.
#[derive(Debug, Serialize)]
pub struct VerdictView {
    /// `fine`, `warn`, `unmet`, `unknown`, `incomplete`, `stale` or `denied`.
    pub outcome: &'static str,
    /// Whether that meets the policy.
    pub met: bool,
    /// Why, the worst first.
    pub reasons: Vec<ReasonView>,
}

/// A reason of the verdict.
#[derive(Debug, Serialize)]
pub struct ReasonView {
    /// The policy's name of the rule.
    pub rule: String,
    /// What it alone would make of the outcome.
    pub outcome: &'static str,
    /// For people.
    pub text: String,
    /// The claims that gave it.
    pub claims: Vec<String>,
}

/// A question with its answers.
#[derive(Debug, Serialize)]
pub struct QuestionView {
    /// In one word.
    pub question: &'static str,
    /// For people.
    pub text: &'static str,
    /// The answers, the newest first.
    pub lines: Vec<LineView>,
}

/// Something that is said.
#[derive(Debug, Clone, Serialize)]
pub struct LineView {
    /// What is said.
    pub says: String,
    /// What the claim is about.
    pub about: String,
    /// The claim's type in one word, if it is known.
    pub kind: Option<&'static str>,
    /// Who says it.
    pub issuers: Vec<VoiceView>,
    /// Whether it counts for anything, for at least one of them.
    pub effect: bool,
    /// Why it has no effect, or not all.
    pub why_not: Option<String>,
    /// The claim.
    pub claim_id: String,
    /// The log.
    pub log: String,
    /// Its place there.
    pub leaf_index: u64,
    /// When the log took it, RFC 3339.
    pub logged_at: String,
    /// The same in milliseconds since 1970.
    pub logged_at_ms: u64,
    /// How long ago that is.
    pub age_days: u64,
    /// The claim that it answers or takes back.
    pub target: Option<String>,
    /// The issuer that it vouches for with effect, if it is an endorsement.
    pub vouches_for: Option<String>,
    /// Who answers it with effect, disputes among them.
    pub responses: usize,
    /// Who disputes it with effect.
    pub disputes: usize,
    /// What others say of it.
    pub replies: Vec<ReplyView>,
}

/// Who says something.
#[derive(Debug, Clone, Serialize)]
pub struct VoiceView {
    /// The issuer.
    pub issuer_id: String,
    /// Its own word for itself.
    pub name: Option<String>,
    /// The policy's name for it.
    pub called: Option<String>,
    /// What it is trusted as.
    pub roles: Vec<RoleView>,
    /// What the claim is worth for it.
    pub standing: String,
    /// Whether that is anything.
    pub effect: bool,
}

/// A role, and why an issuer has it.
#[derive(Debug, Clone, Serialize)]
pub struct RoleView {
    /// The role.
    pub role: &'static str,
    /// The endorsements that lead to it from an issuer of the policy; none if the policy names it.
    pub endorsed_by: Vec<String>,
}

/// What an issuer signed.
#[derive(Debug, Default, Serialize)]
pub struct SignedView {
    /// How many claims; `None` if that was not asked.
    pub count: Option<u64>,
    /// The newest ones.
    pub newest: Vec<LineView>,
}

/// How a log answered.
#[derive(Debug, Serialize)]
pub struct LogView {
    /// The log.
    pub origin: String,
    /// Whether there is an answer to rely on.
    pub answered: bool,
    /// Whether nothing was left out of it.
    pub complete: bool,
    /// Why not, if not.
    pub missing: Option<String>,
    /// How many entries the log had.
    pub tree_size: Option<u64>,
    /// Its root.
    pub root: Option<String>,
    /// When that was, RFC 3339.
    pub as_of: Option<String>,
    /// The same in milliseconds since 1970.
    pub as_of_ms: Option<u64>,
    /// How long ago that is, in milliseconds.
    pub age_ms: Option<u64>,
    /// Whether the answer is one that was kept.
    pub kept: bool,
    /// The witnesses of the policy that confirmed it.
    pub witnesses: Vec<String>,
}

/// What a private question gave away.
#[derive(Debug, Serialize)]
pub struct PrivacyView {
    /// How many prefixes the node was told.
    pub prefixes: usize,
    /// The fewest labels that one of them stood for.
    pub fewest: u64,
}

/// A claim with what was signed.
#[derive(Debug, Serialize)]
pub struct ClaimView {
    /// The log.
    pub log: String,
    /// As `assay log` shows it.
    #[serde(flatten)]
    pub claim: view::ClaimView,
    /// The statement; `None` if it is no JSON that could be shown.
    pub statement: Option<Box<RawValue>>,
}

impl AboutView {
    /// Describes what is asked about.
    pub fn new(about: &About) -> Self {
        let labels = about.labels().iter().map(ToString::to_string).collect();
        AboutView {
            kind: about.kind(),
            spelled: about.spelled(),
            labels,
        }
    }
}

impl VerdictView {
    /// Describes a verdict.
    pub fn new(verdict: &Verdict) -> Self {
        let reasons = verdict.reasons().iter().map(|reason| ReasonView {
            rule: reason.rule.clone(),
            outcome: reason.outcome.name(),
            text: words::reason(reason),
            claims: reason
                .evidence
                .iter()
                .map(|evidence| evidence.claim.to_string())
                .collect(),
        });
        let outcome = verdict.outcome();
        VerdictView {
            outcome: outcome.name(),
            met: outcome.is_met(),
            reasons: reasons.collect(),
        }
    }
}

impl QuestionView {
    /// Every question with its answers, those without any among them.
    pub fn all(posture: &Posture<'_>, claims: &[LoggedClaim]) -> Vec<Self> {
        Question::ALL
            .into_iter()
            .map(|question: Question| QuestionView {
                question: question.name(),
                text: words::question(question),
                lines: posture
                    .of(question)
                    .map(|line| LineView::new(line, claims))
                    .collect(),
            })
            .collect()
    }
}

impl LineView {
    /// Describes a line, whose claim is among `claims`.
    pub fn new(line: &Line<'_>, claims: &[LoggedClaim]) -> Self {
        let about = claims
            .iter()
            .find(|logged: &&LoggedClaim| {
                logged.leaf() == line.leaf() && logged.origin() == line.origin()
            })
            .map(|logged| logged.claim().statement().subjects());
        let effect = line.voices.iter().any(|voice| voice.standing.is_good());
        // A claim of several signers has effect if it has for one; why it has none for the others
        // stands with each.
        let standing = line
            .voices
            .first()
            .filter(|_| !effect)
            .map(|voice| words::standing(&voice.standing));
        LineView {
            says: words::says(line),
            about: about.map(crate::subject::short_list).unwrap_or_default(),
            kind: line.kind,
            issuers: line.voices.iter().map(VoiceView::new).collect(),
            effect,
            why_not: standing.or_else(|| words::note(line)),
            claim_id: line.claim().to_string(),
            log: line.origin().to_owned(),
            leaf_index: line.leaf().get(),
            logged_at: time::rfc3339_of_ms(line.logged_at_ms()),
            logged_at_ms: line.logged_at_ms(),
            age_days: line.age_days,
            target: line.target.map(|id| id.to_string()),
            vouches_for: line.vouches_for.map(|id| id.to_string()),
            responses: line.responses,
            disputes: line.disputes,
            replies: Vec::new(),
        }
    }
}

impl VoiceView {
    fn new(voice: &Voice) -> Self {
        VoiceView {
            issuer_id: voice.issuer.to_string(),
            name: voice.name.clone(),
            called: voice.anchor.clone(),
            roles: voice
                .roles
                .iter()
                .map(|grant: &Grant| RoleView {
                    role: grant.role.name(),
                    endorsed_by: grant
                        .chain
                        .iter()
                        .map(|link| link.endorser.to_string())
                        .collect(),
                })
                .collect(),
            standing: words::standing(&voice.standing),
            effect: voice.standing == Standing::Good,
        }
    }
}

impl LogView {
    /// Describes how a log answered.
    pub fn new(asked: &AskedLog, offline: bool, now_ms: u64) -> Self {
        let (head_at_ms, missing) = match &asked.answer {
            verdict::Answer::Complete { head_at_ms } => (Some(*head_at_ms), None),
            verdict::Answer::Partial {
                head_at_ms,
                missing,
            } => (Some(*head_at_ms), Some(missing.clone())),
            verdict::Answer::None { why } => (None, Some(why.clone())),
        };
        let head = asked.gathered.checkpoint.as_ref();
        LogView {
            origin: asked.origin().to_owned(),
            complete: missing.is_none(),
            answered: head_at_ms.is_some(),
            missing,
            tree_size: asked.size(),
            root: head.map(|head| head.root().to_string()),
            as_of: head_at_ms.map(time::rfc3339_of_ms),
            as_of_ms: head_at_ms,
            age_ms: head_at_ms.map(|at| now_ms.saturating_sub(at)),
            kept: offline,
            witnesses: asked.witnesses.clone(),
        }
    }
}

impl PrivacyView {
    /// Describes what was given away.
    pub fn new(privacy: Privacy) -> Self {
        PrivacyView {
            prefixes: privacy.prefixes,
            fewest: privacy.fewest,
        }
    }
}

impl ClaimView {
    /// The claims that stand in lines, each once, by log and leaf.
    pub fn of_lines<'l>(
        lines: impl Iterator<Item = &'l LineView>,
        claims: &[LoggedClaim],
    ) -> Vec<Self> {
        let shown: BTreeSet<(&str, u64)> = lines
            .map(|line| (line.log.as_str(), line.leaf_index))
            .collect();
        let shown = claims
            .iter()
            .filter(|logged| shown.contains(&(logged.origin(), logged.leaf().get())));
        let by_place: BTreeMap<_, _> = shown
            .map(|logged| ((logged.origin(), logged.leaf()), logged))
            .collect();
        by_place.into_values().map(ClaimView::new).collect()
    }

    /// Describes a claim.
    pub fn new(logged: &LoggedClaim) -> Self {
        ClaimView {
            log: logged.origin().to_owned(),
            claim: view::ClaimView::new(logged.claim(), logged.leaf().get(), logged.logged_at_ms()),
            statement: serde_json::from_slice(&logged.claim().claim().payload).ok(),
        }
    }
}
