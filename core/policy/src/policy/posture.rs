//! What is known of a component, grouped by question. Nothing is decided, added up or left out:
//! every line has its claim, who signed that, and what it is worth.

use super::Policy;
use super::facts::{Component, Fact, Facts, Relation, relation};
use super::says;
use super::vulnerable::Vulnerabilities;
use crate::trust::{Grant, JudgedClaim, Roles, Standing, Trust};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::{self, endorsement, issuer, key_compromise};
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::Purl;
use assay_claims::statement::Statement;
use assay_tlog::tree::LeafIndex;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

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
        let name =
            kind::by_uri(predicate_type).map_or("", |known| super::read::short_name(known.name));
        match name {
            "lifecycle" => Question::Supported,
            "scan" | "vex" | "finding" | "finding-commitment" => Question::Vulnerable,
            "audit" => Question::Reviewed,
            "provenance" | "sbom" => Question::Built,
            "practice" | "scorecard" => Question::Practices,
            "requirement" => Question::Demanded,
            "endorsement" | "key-compromise" => Question::Vouched,
            "response" | "withdrawal" => Question::Disagreement,
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
    /// What is said, in plain words: the issuer's, in part, so that whoever shows it makes sure
    /// that it cannot harm.
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
    /// Why it has no effect beyond what the standing says, for people: an endorsement that gives no
    /// role, a claim about another artifact of the same version.
    pub note: Option<String>,
    /// The claim that it responds to or withdraws.
    pub target: Option<ClaimId>,
    /// Whom it vouches for, if it is an endorsement that has effect. Nobody vouches for itself:
    /// that leads back.
    pub vouches_for: Option<IssuerId>,
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
        self.lines
            .iter()
            .filter(move |line| line.question == question)
    }
}

/// Says what is known of a component: the arguments are those of [`evaluate`](super::evaluate()).
/// Claims without effect are among the lines, with the reason. Logs that the policy does not count
/// are left out.
pub fn posture(
    policy: &Policy,
    component: &Component,
    claims: &[LoggedClaim],
    now_ms: u64,
) -> Posture {
    View::new(policy, claims, Some(component), now_ms).lines(|logged: &LoggedClaim| {
        Some(match relation(logged.claim().statement(), component)? {
            Relation::This => None,
            Relation::OtherArtifact => {
                Some("it is about another artifact of the same version".to_owned())
            }
            Relation::OtherVersions => Some(
                "it is about some versions, and whether this is one of them cannot be told here"
                    .to_owned(),
            ),
            Relation::OtherSource => {
                Some("it is about a package of the same name from another place".to_owned())
            }
        })
    })
}

/// Says what some claims say, for those who ask about no component: an issuer, a vulnerability, a
/// single claim. Besides the chosen claims it has what others say of them and of their signers. Who
/// signed has the roles that it has for the first package that its claim is about; if that is an
/// issuer, those that it has for any package.
pub fn listing(
    policy: &Policy,
    claims: &[LoggedClaim],
    chosen: impl Fn(&LoggedClaim) -> bool,
    now_ms: u64,
) -> Posture {
    View::new(policy, claims, None, now_ms).lines(|logged| chosen(logged).then_some(None))
}

/// What lines are made with.
struct View<'a> {
    policy: &'a Policy,
    trust: Trust<'a>,
    /// What is asked about, if it is a component.
    component: Option<&'a Component>,
    /// The roles of everybody for the component; or for any package, if none is asked about.
    roles: Roles,
    now_ms: u64,
}

/// What the signers of a claim are weighed for.
#[derive(Clone, Copy)]
enum For<'p> {
    /// The component, or any package at all.
    Asked,
    /// The package that the claim is about, if it is one.
    Package(Option<&'p Purl>),
}

impl<'a> View<'a> {
    fn new(
        policy: &'a Policy,
        claims: &'a [LoggedClaim],
        component: Option<&'a Component>,
        now_ms: u64,
    ) -> Self {
        let trust = Trust::judge(
            claims
                .iter()
                .filter(|logged| policy.counts(logged.origin())),
        );
        let anchors = policy.trust_anchors();
        let roles = match component {
            Some(component) => trust.roles(&anchors, component.purl(), now_ms),
            None => trust.roles_anywhere(&anchors, now_ms),
        };
        View {
            policy,
            trust,
            component,
            roles,
            now_ms,
        }
    }

    /// The lines of the chosen claims, each with a note if it is not quite what was asked about.
    fn lines(&self, chosen: impl Fn(&LoggedClaim) -> Option<Option<String>>) -> Posture {
        let mut lines = Vec::new();
        let (mut about, mut signers) = (BTreeMap::new(), BTreeSet::new());
        let everything = Component::default();
        let facts = self.facts(self.component.unwrap_or(&everything));
        let vulnerabilities = match self.component {
            Some(_) => Vulnerabilities::of(&facts),
            None => Vulnerabilities::of_any(&facts),
        };
        for judged in self.trust.claims() {
            let (logged, statement) = (judged.logged(), judged.logged().claim().statement());
            let Some(note) = chosen(logged) else { continue };
            let weighed = self.weighed_for(statement);
            about.insert(logged.claim().id(), weighed);
            signers.extend(judged.standings().iter().map(|(issuer, _)| *issuer));
            let question = Question::of_type(statement.predicate_type());
            let roles = self.roles_for(weighed);
            let fault = roles.fault(judged).map(|fault| fault.to_string());
            let target = says::target(statement);
            for said in says::claim(statement, self.component) {
                let at = (logged.origin(), logged.leaf(), said.place);
                let replaced = vulnerabilities.replaced().note(at, judged.issuers());
                let others = said
                    .of_others
                    .then(|| "it speaks of other products only".to_owned());
                let note = note.clone().or(fault.clone()).or(others).or(replaced);
                lines.push(Line {
                    target,
                    ..self.line(judged, &roles, question, said.text, note)
                });
            }
        }
        for judged in self
            .trust
            .claims()
            .iter()
            .filter(|judged| !about.contains_key(&judged.logged().claim().id()))
        {
            lines.extend(self.reply(judged, &about));
            lines.extend(self.vouching(judged, &signers));
        }
        lines.sort_by_key(|line| {
            (
                line.question,
                std::cmp::Reverse((line.logged_at_ms, line.leaf)),
            )
        });
        Posture { lines }
    }

    /// The claims that have effect: those about the component, or all.
    fn facts<'s>(&'s self, component: &'s Component) -> Facts<'s> {
        Facts::new(
            component,
            self.trust
                .claims()
                .iter()
                .filter_map(|judged: &JudgedClaim<'a>| {
                    let relation = match self.component {
                        Some(component) => {
                            relation(judged.logged().claim().statement(), component)?
                        }
                        None => Relation::This,
                    };
                    Fact::of(judged, relation, |_| Vec::new())
                })
                .collect(),
            self.now_ms,
        )
    }

    /// What the signers of a claim are weighed for. An endorsement is for the packages that it
    /// names, and a key or a record for whatever its issuer signs.
    fn weighed_for<'p>(&self, statement: &'p Statement) -> For<'p> {
        let of_issuer = [endorsement::URI, key_compromise::URI, issuer::URI]
            .contains(&statement.predicate_type());
        if of_issuer || self.component.is_some() {
            For::Asked
        } else {
            For::Package(
                statement
                    .subjects()
                    .iter()
                    .find_map(|subject| subject.purl()),
            )
        }
    }

    fn roles_for(&self, weighed: For<'_>) -> Cow<'_, Roles> {
        match weighed {
            For::Asked => Cow::Borrowed(&self.roles),
            For::Package(purl) => Cow::Owned(self.trust.roles(
                &self.policy.trust_anchors(),
                purl,
                self.now_ms,
            )),
        }
    }

    fn line(
        &self,
        judged: &JudgedClaim<'a>,
        roles: &Roles,
        question: Question,
        says: String,
        note: Option<String>,
    ) -> Line {
        let logged = judged.logged();

        Line {
            question,
            says,
            voices: judged
                .standings()
                .iter()
                .map(|(issuer, standing): &(IssuerId, Standing)| {
                    self.voice(issuer, standing, roles)
                })
                .collect(),
            claim: logged.claim().id(),
            kind: kind::by_uri(judged.predicate_type()).map(|known| known.name),
            origin: logged.origin().to_owned(),
            leaf: logged.leaf(),
            logged_at_ms: logged.logged_at_ms(),
            age_days: super::evaluate::days(self.now_ms.saturating_sub(logged.logged_at_ms())),
            vouches_for: judged.endorsed().filter(|_| note.is_none()),
            note,
            target: None,
            responses: (
                self.trust.responses(judged).count(),
                self.trust.disputes(judged).count(),
            ),
        }
    }

    fn voice(&self, issuer: &IssuerId, standing: &Standing, roles: &Roles) -> Voice {
        let anchor = self
            .policy
            .anchors
            .iter()
            .find(|named| named.anchor.issuer == *issuer);
        Voice {
            issuer: *issuer,
            name: self.trust.name(issuer).map(str::to_owned),
            anchor: anchor.map(|named| named.name.clone()),
            roles: roles.of(issuer).to_vec(),
            standing: standing.clone(),
        }
    }

    /// A response to, or a withdrawal of, one of the claims about the component.
    fn reply(&self, judged: &JudgedClaim<'a>, about: &BTreeMap<ClaimId, For<'_>>) -> Option<Line> {
        let statement = judged.logged().claim().statement();
        let target = says::target(statement)?;
        let roles = self.roles_for(*about.get(&target)?);
        let line = |says| self.line(judged, &roles, Question::Disagreement, says, None);
        let said = says::claim(statement, self.component).into_iter().next()?;
        Some(Line {
            target: Some(target),
            ..line(said.text)
        })
    }

    /// An endorsement of a signer, or a compromise of one of its keys.
    fn vouching(&self, judged: &JudgedClaim<'a>, signers: &BTreeSet<IssuerId>) -> Option<Line> {
        let statement = judged.logged().claim().statement();
        let issuer = match statement.predicate_type() {
            endorsement::URI => {
                endorsement::Endorsement::parse(statement.predicate())
                    .ok()?
                    .issuer
            }
            key_compromise::URI => {
                key_compromise::KeyCompromise::parse(statement.predicate())
                    .ok()?
                    .issuer
            }
            _ => return None,
        };
        let roles = signers.contains(&issuer).then_some(&self.roles)?;
        let fault = roles.fault(judged).map(|fault| fault.to_string());
        let said = says::claim(statement, self.component).into_iter().next()?;
        Some(self.line(judged, roles, Question::Vouched, said.text, fault))
    }
}
