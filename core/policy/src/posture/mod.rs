//! What is known of a component, grouped by question. Nothing is decided, added up or left out:
//! every line has its claim, who signed that, and what it is worth. Lines are data; `assay-client`
//! puts them into words.

mod question;

pub use crate::facts::{Part, Relation};
pub use question::Question;

use crate::component::Component;
use crate::facts::{Editions, Fact, Facts, Vulnerabilities, of_statement, relation};
use crate::rules::{Policy, days};
use crate::trust::{EndorsementFault, Grant, JudgedClaim, Place, Roles, Spoken, Standing, Trust};
use assay_claims::claim::{ClaimId, VerifiedClaim};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::{self, Body};
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::Purl;
use assay_tlog::tree::LeafIndex;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

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
    /// Whether what the claim says against something counts, even if it has no effect otherwise.
    pub against: bool,
}

/// Something that is said: a claim, or a part of one, with what it is worth.
#[derive(Debug, Clone)]
pub struct Line<'a> {
    /// Which question it answers.
    pub question: Question,
    /// The claim.
    pub logged: &'a LoggedClaim,
    /// The part of it that this line shows.
    pub part: Part,
    /// The short name of its type, if the type is known.
    pub kind: Option<&'static str>,
    /// The ids of the vulnerabilities that it is about: of a VEX statement its vulnerability first,
    /// then that one's aliases.
    pub vulnerabilities: Vec<String>,
    /// Who says it; at least one.
    pub voices: Vec<Voice>,
    /// How the claim stands to the component that was asked about; `None` if none was, or if the
    /// claim is about another claim or about an issuer.
    pub relation: Option<Relation>,
    /// Why it gives no role, if it is an endorsement that gives none.
    pub fault: Option<EndorsementFault>,
    /// The later claim that replaced it, if none of its issuers stands by it any more.
    pub replaced_by: Option<Place>,
    /// Days since the log took it, rounded down.
    pub age_days: u64,
    /// The claim that it responds to or withdraws.
    pub target: Option<ClaimId>,
    /// Whom it vouches for, if it is an endorsement that has effect. Nobody vouches for itself:
    /// that leads back.
    pub vouches_for: Option<IssuerId>,
    /// How many responses to it have effect.
    pub responses: usize,
    /// How many of these dispute it.
    pub disputes: usize,
}

impl Line<'_> {
    /// The claim's id.
    pub fn claim(&self) -> ClaimId {
        self.logged.claim().id()
    }

    /// The origin of the log.
    pub fn origin(&self) -> &str {
        self.logged.origin()
    }

    /// The claim's leaf in the log.
    pub fn leaf(&self) -> LeafIndex {
        self.logged.leaf()
    }

    /// When the log took it, in milliseconds since 1970.
    pub fn logged_at_ms(&self) -> u64 {
        self.logged.logged_at_ms()
    }
}

/// All that is known of a component.
#[derive(Debug, Clone, Default)]
pub struct Posture<'a> {
    /// Line by line, in the order of the questions, the newest first.
    pub lines: Vec<Line<'a>>,
}

impl<'a> Posture<'a> {
    /// The answers to a question.
    pub fn of(&self, question: Question) -> impl Iterator<Item = &Line<'a>> {
        self.lines
            .iter()
            .filter(move |line| line.question == question)
    }
}

/// Says what is known of a component: the arguments are those of
/// [`evaluate`](crate::verdict::evaluate). Claims without effect are among the lines, with the
/// reason. Logs that the policy does not count are left out.
pub fn posture<'a>(
    policy: &Policy,
    component: &Component,
    claims: &'a [LoggedClaim],
    now_ms: u64,
) -> Posture<'a> {
    View::new(policy, claims, Some(component), now_ms).lines(|_| true)
}

/// Says what some claims say, for those who ask about no component: an issuer, a vulnerability, a
/// single claim. Besides the chosen claims it has what others say of them and of their signers. Who
/// signed has the roles that it has for the first package that its claim is about; if that is an
/// issuer, those that it has for any package.
pub fn listing<'a>(
    policy: &Policy,
    claims: &'a [LoggedClaim],
    chosen: impl Fn(&LoggedClaim) -> bool,
    now_ms: u64,
) -> Posture<'a> {
    View::new(policy, claims, None, now_ms).lines(chosen)
}

/// What lines are made with.
struct View<'v, 'a> {
    policy: &'v Policy,
    trust: Trust<'a>,
    /// What is asked about, if it is a component.
    component: Option<&'v Component>,
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

impl<'v, 'a> View<'v, 'a> {
    fn new(
        policy: &'v Policy,
        claims: &'a [LoggedClaim],
        component: Option<&'v Component>,
        now_ms: u64,
    ) -> Self {
        let counted = claims
            .iter()
            .filter(|logged| policy.counts(logged.origin()));
        let trust = Trust::judge_without(counted, &policy.silenced(now_ms));
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

    /// The lines of the claims about the component, or else of the chosen claims, and of what
    /// others say of these and of their signers.
    fn lines(&self, chosen: impl Fn(&LoggedClaim) -> bool) -> Posture<'a> {
        let mut lines = Vec::new();
        let (mut about, mut signers) = (BTreeMap::new(), BTreeSet::new());
        let everything = Component::default();
        let editions = Editions::heard(self.trust.claims());
        let mut facts = self.facts(self.component.unwrap_or(&everything));
        facts.heard = Some(&editions);
        let vulnerabilities = match self.component {
            Some(_) => Vulnerabilities::of(&facts),
            None => Vulnerabilities::of_any(&facts),
        };
        for judged in self.trust.claims() {
            let claim = judged.logged().claim();
            let relation = match self.component {
                Some(component) => match relation(claim, component) {
                    Some(relation) => Some(relation),
                    None => continue,
                },
                None if chosen(judged.logged()) => None,
                None => continue,
            };
            let weighed = self.weighed_for(claim);
            about.insert(claim.id(), weighed);
            signers.extend(judged.spoken().iter().map(|spoken| spoken.issuer));
            let roles = self.roles_for(weighed);
            let fault = roles.fault(judged);
            for part in Part::of(claim.body(), self.component) {
                let mut line = self.line(judged, &roles, part);
                line.relation = relation.map(|relation| self.relation_of(part, claim, relation));
                line.fault = fault;
                line.replaced_by = vulnerabilities.replaced_by(claim.id(), part, judged.issuers());
                lines.push(line);
            }
        }
        for judged in self.trust.claims() {
            if !about.contains_key(&judged.logged().claim().id()) {
                lines.extend(self.reply(judged, &about));
                lines.extend(self.vouching(judged, &signers));
            }
        }
        for line in &mut lines {
            line.vouches_for = vouches_for(line);
        }
        lines.sort_by_key(|line| {
            let newest_first = std::cmp::Reverse((line.logged_at_ms(), line.leaf()));
            (line.question, newest_first)
        });
        Posture { lines }
    }

    /// How a part of a claim stands to the component, given how the claim does.
    fn relation_of(&self, part: Part, claim: &VerifiedClaim, relation: Relation) -> Relation {
        let (Part::Statement(at), Body::Vex(vex)) = (part, claim.body()) else {
            return relation;
        };
        let statement = vex.statements.get(at).zip(self.component);
        let of_part = statement.and_then(|(said, component)| of_statement(said, component));
        of_part.map_or(relation, |of_part| relation.max(of_part))
    }

    /// The claims that count: those about the component, or all.
    fn facts<'s>(&'s self, component: &'s Component) -> Facts<'s> {
        let mut facts = Vec::new();
        for judged in self.trust.claims() {
            let relation = match self.component {
                Some(component) => relation(judged.logged().claim(), component),
                None => Some(Relation::This),
            };
            if let Some(relation) = relation {
                facts.extend(Fact::of(judged, relation, None));
            }
        }
        Facts::new(component, facts, self.now_ms)
    }

    /// What the signers of a claim are weighed for. An endorsement is for the packages that it
    /// names, and a key or a record for whatever its issuer signs.
    fn weighed_for<'p>(&self, claim: &'p VerifiedClaim) -> For<'p> {
        let of_issuer = matches!(
            claim.body(),
            Body::Endorsement(_) | Body::KeyCompromise(_) | Body::Issuer(_)
        );
        if of_issuer || self.component.is_some() {
            For::Asked
        } else {
            let mut subjects = claim.statement().subjects().iter();
            For::Package(subjects.find_map(|subject| subject.purl()))
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

    /// A line that nothing is known to limit.
    fn line(&self, judged: &JudgedClaim<'a>, roles: &Roles, part: Part) -> Line<'a> {
        let logged = judged.logged();
        let voices = judged.spoken_here();
        let voices = voices.map(|spoken| self.voice(spoken, roles));
        Line {
            question: Question::of(logged.claim().body()),
            logged,
            part,
            kind: kind::by_uri(logged.claim().statement().predicate_type()).map(|known| known.name),
            vulnerabilities: part.vulnerabilities(logged.claim()),
            voices: voices.collect(),
            relation: None,
            fault: None,
            replaced_by: None,
            age_days: days(self.now_ms.saturating_sub(logged.logged_at_ms())),
            target: target(logged.claim().body()),
            vouches_for: None,
            responses: self.trust.responses(judged).count(),
            disputes: self.trust.disputes(judged).count(),
        }
    }

    fn voice(&self, spoken: &Spoken, roles: &Roles) -> Voice {
        let issuer = &spoken.issuer;
        let anchor = self
            .policy
            .anchors()
            .iter()
            .find(|named| named.anchor.issuer == *issuer);
        Voice {
            issuer: *issuer,
            name: self.trust.name(issuer).map(str::to_owned),
            anchor: anchor.map(|named| named.name.clone()),
            roles: roles.of(issuer).to_vec(),
            standing: spoken.standing.clone(),
            against: spoken.against,
        }
    }

    /// A response to, or a withdrawal of, one of the claims about the component.
    fn reply(
        &self,
        judged: &JudgedClaim<'a>,
        about: &BTreeMap<ClaimId, For<'_>>,
    ) -> Option<Line<'a>> {
        let target = target(judged.logged().claim().body())?;
        let roles = self.roles_for(*about.get(&target)?);
        Some(self.line(judged, &roles, Part::Whole))
    }

    /// An endorsement of a signer, or a compromise of one of its keys.
    fn vouching(&self, judged: &JudgedClaim<'a>, signers: &BTreeSet<IssuerId>) -> Option<Line<'a>> {
        let issuer = match judged.logged().claim().body() {
            Body::Endorsement(said) => said.issuer,
            Body::KeyCompromise(said) => said.issuer,
            _ => return None,
        };
        if !signers.contains(&issuer) {
            return None;
        }
        let mut line = self.line(judged, &self.roles, Part::Whole);
        line.fault = self.roles.fault(judged);
        Some(line)
    }
}

/// The claim that a response answers, or a withdrawal takes back.
fn target(body: &Body) -> Option<ClaimId> {
    match body {
        Body::Response(said) => Some(said.target),
        Body::Withdrawal(said) => Some(said.target),
        _ => None,
    }
}

/// Whom a line vouches for, if it is an endorsement that nothing limits.
fn vouches_for(line: &Line<'_>) -> Option<IssuerId> {
    let Body::Endorsement(said) = line.logged.claim().body() else {
        return None;
    };
    let about_this = matches!(line.relation, None | Some(Relation::This));
    (about_this && line.fault.is_none() && line.replaced_by.is_none()).then_some(said.issuer)
}
