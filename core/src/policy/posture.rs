//! What is known of a component, grouped by question. Nothing is decided, added up or left out: every line has its claim,
//! who signed that, and what it is worth.

use super::Policy;
use super::facts::{Component, Relation, relation};
use super::says;
use crate::claim::ClaimId;
use crate::issuer::IssuerId;
use crate::logged::LoggedClaim;
use crate::predicate::{self, endorsement, key_compromise, response, withdrawal};
use crate::tree::LeafIndex;
use crate::trust::{Grant, JudgedClaim, Roles, Standing, Trust};
use std::collections::BTreeSet;

/// What people ask about software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Is it what it says that it is?
    Authentic,
    /// Until when is it supported?
    Supported,
    /// Which vulnerabilities are known, and can they be exploited?
    Vulnerable,
    /// Who has reviewed it?
    Reviewed,
    /// How was it built, and of what?
    Built,
    /// How is it made, and what does it do with data?
    Practices,
    /// What is demanded of it?
    Demanded,
    /// What else is said?
    Other,
    /// Who disagrees, or took something back?
    Disagreement,
    /// Who vouches for those who say this, and who warns of their keys?
    Vouched,
}

impl Question {
    /// All questions, in the order in which they are answered.
    pub const ALL: [Question; 10] = [
        Question::Authentic,
        Question::Supported,
        Question::Vulnerable,
        Question::Reviewed,
        Question::Built,
        Question::Practices,
        Question::Demanded,
        Question::Other,
        Question::Disagreement,
        Question::Vouched,
    ];

    /// The question, for people.
    pub const fn text(self) -> &'static str {
        match self {
            Question::Authentic => "Is it authentic?",
            Question::Supported => "Until when is it supported?",
            Question::Vulnerable => "Which vulnerabilities are known, and can they be exploited?",
            Question::Reviewed => "Who has reviewed it?",
            Question::Built => "How was it built, and of what?",
            Question::Practices => "How is it made, and what does it do with data?",
            Question::Demanded => "What is demanded of it?",
            Question::Other => "What else is said?",
            Question::Disagreement => "Who disagrees?",
            Question::Vouched => "Who vouches for those who say this?",
        }
    }

    /// The question in one word, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Question::Authentic => "authentic",
            Question::Supported => "supported",
            Question::Vulnerable => "vulnerable",
            Question::Reviewed => "reviewed",
            Question::Built => "built",
            Question::Practices => "practices",
            Question::Demanded => "demanded",
            Question::Other => "other",
            Question::Disagreement => "disagreement",
            Question::Vouched => "vouched",
        }
    }

    fn of_type(predicate_type: &str) -> Self {
        let name = predicate::by_uri(predicate_type).map_or("", |known| super::read::short_name(known.name));
        match name {
            "lifecycle" => Question::Supported,
            "scan" | "vex" | "finding" | "finding-commitment" => Question::Vulnerable,
            "audit" => Question::Reviewed,
            "provenance" | "sbom" => Question::Built,
            "practice" | "scorecard" => Question::Practices,
            "requirement" => Question::Demanded,
            _ if AUTHENTIC.contains(&predicate_type) => Question::Authentic,
            _ => Question::Other,
        }
    }
}

/// Types that say that an artifact is the one that was meant.
const AUTHENTIC: &[&str] = &[
    "https://in-toto.io/attestation/release/v0.1",
    "https://in-toto.io/attestation/svr/v0.2",
    "https://slsa.dev/verification_summary/v1",
];

/// An issuer that signed a claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// The issuer.
    pub issuer: IssuerId,
    /// What it calls itself in its record. It proves nothing.
    pub name: Option<String>,
    /// What the policy calls it, if it is an anchor.
    pub anchor: Option<String>,
    /// The roles that it has for the component, and why.
    pub roles: Vec<Grant>,
    /// What the claim is worth for it.
    pub standing: Standing,
}

/// Something that is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Which question it answers.
    pub question: Question,
    /// What is said, in plain words: the issuer's, in part, so that whoever shows it makes sure that it cannot harm.
    pub says: String,
    /// Who says it; at least one.
    pub voices: Vec<Voice>,
    /// The claim.
    pub claim: ClaimId,
    /// Its short name, if it is a type that is known.
    pub kind: Option<&'static str>,
    /// The log.
    pub origin: String,
    /// The leaf.
    pub leaf: LeafIndex,
    /// When the log took it, in milliseconds since 1970.
    pub logged_at_ms: u64,
    /// How long ago that is, in days.
    pub age_days: u64,
    /// Why it has no effect beyond what the standing says, for people: an endorsement that gives no role, a claim about
    /// another artifact of the same version.
    pub note: Option<String>,
    /// The claim that it responds to or withdraws.
    pub target: Option<ClaimId>,
    /// How many responses to it have effect, and how many of them dispute it.
    pub responses: (usize, usize),
}

/// All that is known of a component.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Posture {
    /// Line by line, in the order of the questions, the newest first.
    pub lines: Vec<Line>,
}

impl Posture {
    /// The answers to a question.
    pub fn of(&self, question: Question) -> impl Iterator<Item = &Line> {
        self.lines.iter().filter(move |line| line.question == question)
    }
}

/// Says what is known of a component: the arguments are those of [`evaluate`](super::evaluate()). Claims without effect are
/// among the lines, with the reason. Logs that the policy does not count are left out.
pub fn posture(policy: &Policy, component: &Component, claims: &[LoggedClaim], now_ms: u64) -> Posture {
    let trust = Trust::judge(claims.iter().filter(|logged| policy.counts(logged.origin())));
    let roles = trust.roles(&policy.trust_anchors(), component.purl(), now_ms);
    let view = View { policy, trust: &trust, roles: &roles, now_ms };
    let mut lines = Vec::new();
    let (mut about, mut signers) = (BTreeSet::new(), BTreeSet::new());
    for judged in trust.claims() {
        let statement = judged.logged().claim().statement();
        let Some(relation) = relation(statement, component) else { continue };
        about.insert(judged.logged().claim().id());
        signers.extend(judged.standings().iter().map(|(issuer, _)| *issuer));
        let note = match relation {
            Relation::This => None,
            Relation::OtherArtifact => Some("it is about another artifact of the same version".to_owned()),
            Relation::OtherSource => Some("it is about a package of the same name from another place".to_owned()),
        };
        let question = Question::of_type(statement.predicate_type());
        lines.extend(
            says::claim(statement).into_iter().map(|said| view.line(judged, question, said, note.clone(), None)),
        );
    }
    for judged in trust.claims() {
        lines.extend(view.reply(judged, &about));
        lines.extend(view.vouching(judged, &signers));
    }
    lines.sort_by_key(|line| (line.question, std::cmp::Reverse((line.logged_at_ms, line.leaf))));
    Posture { lines }
}

/// What lines are made with.
struct View<'a> {
    policy: &'a Policy,
    trust: &'a Trust<'a>,
    roles: &'a Roles,
    now_ms: u64,
}

impl View<'_> {
    fn line(
        &self,
        judged: &JudgedClaim<'_>,
        question: Question,
        says: String,
        note: Option<String>,
        target: Option<ClaimId>,
    ) -> Line {
        let logged = judged.logged();
        Line {
            question,
            says,
            voices: judged.standings().iter().map(|(issuer, standing)| self.voice(issuer, standing)).collect(),
            claim: logged.claim().id(),
            kind: predicate::by_uri(judged.predicate_type()).map(|known| known.name),
            origin: logged.origin().to_owned(),
            leaf: logged.leaf(),
            logged_at_ms: logged.logged_at_ms(),
            age_days: super::evaluate::days(self.now_ms.saturating_sub(logged.logged_at_ms())),
            note,
            target,
            responses: (self.trust.responses(judged).count(), self.trust.disputes(judged).count()),
        }
    }

    fn voice(&self, issuer: &IssuerId, standing: &Standing) -> Voice {
        let anchor = self.policy.anchors.iter().find(|named| named.anchor.issuer == *issuer);
        Voice {
            issuer: *issuer,
            name: self.trust.name(issuer).map(str::to_owned),
            anchor: anchor.map(|named| named.name.clone()),
            roles: self.roles.of(issuer).to_vec(),
            standing: standing.clone(),
        }
    }

    /// A response to, or a withdrawal of, one of the claims about the component.
    fn reply(&self, judged: &JudgedClaim<'_>, about: &BTreeSet<ClaimId>) -> Option<Line> {
        let statement = judged.logged().claim().statement();
        let (target, says) = match statement.predicate_type() {
            response::URI => {
                let said = response::Response::parse(statement.predicate()).ok()?;
                (said.target, format!("{}: {}", said.stance, said.text))
            }
            withdrawal::URI => {
                let said = withdrawal::Withdrawal::parse(statement.predicate()).ok()?;
                (said.target, format!("withdraws it: {}", said.reason))
            }
            _ => return None,
        };
        about.contains(&target).then(|| self.line(judged, Question::Disagreement, says, None, Some(target)))
    }

    /// An endorsement of a signer, or a compromise of one of its keys.
    fn vouching(&self, judged: &JudgedClaim<'_>, signers: &BTreeSet<IssuerId>) -> Option<Line> {
        let (logged, statement) = (judged.logged(), judged.logged().claim().statement());
        let (issuer, says) = match statement.predicate_type() {
            endorsement::URI => {
                let said = endorsement::Endorsement::parse(statement.predicate()).ok()?;
                let scope: Vec<&str> = said.scope.iter().map(|pattern| pattern.as_str()).collect();
                let until = said.valid_until.as_str();
                (said.issuer, format!("{} is {} for {} until {until}", said.issuer, said.role, scope.join(", ")))
            }
            key_compromise::URI => {
                let said = key_compromise::KeyCompromise::parse(statement.predicate()).ok()?;
                (
                    said.issuer,
                    format!(
                        "key {} of {} is not to be trusted from leaf {} on",
                        said.key, said.issuer, said.from_index
                    ),
                )
            }
            _ => return None,
        };
        let fault = self.roles.fault(logged.origin(), logged.leaf()).map(|fault| fault.to_string());
        signers.contains(&issuer).then(|| self.line(judged, Question::Vouched, says, fault, None))
    }
}
