//! What is said, question by question: each line with its claim, who signed it, and what it is
//! worth. As JSON these objects are part of the command line's interface: fields are added, never
//! renamed.

use super::claim::Claim;
use super::reply::Reply;
use super::words::{self, Reader, short_list};
use assay_claims::kind::Kind;
use assay_claims::kind::lifecycle::Extent;
use assay_claims::logged::LoggedClaim;
use assay_claims::time::rfc3339_of_ms;
use assay_policy::posture::{self, Part, Posture};
use assay_policy::trust::{Grant, Standing};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet};

/// Why a new claim has no effect about which too much is said.
const NOT_HEARD: &str = "not all replies were heard: so much is said of it, or by who signed it, \
    that a withdrawal may be among the rest";

/// A question with its answers.
#[derive(Debug, Serialize)]
pub struct Question {
    /// Which; as JSON in one word.
    #[serde(serialize_with = "name")]
    pub question: posture::Question,
    /// For people.
    pub text: &'static str,
    /// The answers, the newest first.
    pub lines: Vec<Line>,
}

/// Something that is said.
#[derive(Debug, Clone, Serialize)]
pub struct Line {
    /// What is said.
    pub says: String,
    /// What the claim is about.
    pub about: String,
    /// The claim's type in one word, if it is known.
    pub kind: Option<&'static str>,
    /// What kind of claim it is.
    #[serde(skip)]
    pub of: Kind,
    /// Which part of the claim it shows.
    #[serde(skip)]
    pub part: Part,
    /// What of it can be told in two words.
    #[serde(skip)]
    pub fact: Option<Fact>,
    /// The ids of the vulnerabilities that it is about.
    #[serde(skip)]
    pub vulnerabilities: Vec<String>,
    /// Who says it.
    pub issuers: Vec<Voice>,
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
    /// Every log that has the claim with the same worth, this one first.
    pub logs: Vec<InLog>,
    /// The claim that it answers or takes back.
    pub target: Option<String>,
    /// The issuer that it vouches for with effect, if it is an endorsement.
    pub vouches_for: Option<String>,
    /// Who answers it with effect, disputes among them.
    pub responses: usize,
    /// Who disputes it with effect.
    pub disputes: usize,
    /// What others say of it.
    pub replies: Vec<Reply>,
}

/// What a claim says, if it can be told in two words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// A review that passed.
    Passed,
    /// How long it gets security support.
    Supported {
        /// The last day, `2028-03-31`: of security support, or of life if that ends first. `None`
        /// if both will be announced.
        until: Option<String>,
        /// When the issuer last looked at that, in milliseconds since 1970, as the claim says.
        looked_at_ms: i64,
        /// Of how much of the package that is said.
        extent: Extent,
    },
}

/// Where a claim stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct InLog {
    /// The log.
    pub log: String,
    /// The claim's place there.
    pub leaf_index: u64,
    /// When the log took it, RFC 3339.
    pub logged_at: String,
    /// The same in milliseconds since 1970.
    pub logged_at_ms: u64,
}

/// Who says something.
#[derive(Debug, Clone, Serialize)]
pub struct Voice {
    /// The issuer.
    pub issuer_id: String,
    /// Its own word for itself.
    pub name: Option<String>,
    /// The policy's name for it.
    pub called: Option<String>,
    /// What it is trusted as.
    pub roles: Vec<Role>,
    /// What the claim is worth for it.
    pub standing: String,
    /// Whether that is anything.
    pub effect: bool,
}

/// A role, and why an issuer has it.
#[derive(Debug, Clone, Serialize)]
pub struct Role {
    /// The role.
    pub role: &'static str,
    /// The endorsements that lead to it from an issuer of the policy; none if the policy names it.
    pub endorsed_by: Vec<String>,
}

/// A claim with what was signed.
#[derive(Debug, Serialize)]
pub struct ShownClaim {
    /// The log.
    pub log: String,
    /// The claim.
    #[serde(flatten)]
    pub claim: Claim,
    /// The statement; `None` if it is no JSON that could be shown.
    pub statement: Option<Box<RawValue>>,
}

impl Question {
    /// Every question with its answers, those without any among them.
    pub(super) fn all(posture: &Posture<'_>, reader: Reader) -> Vec<Self> {
        let mut questions = Vec::with_capacity(posture::Question::ALL.len());
        for question in posture::Question::ALL {
            questions.push(Question {
                question,
                text: words::question(question),
                lines: joined(posture.of(question).map(|line| Line::new(line, reader))),
            });
        }
        questions
    }
}

/// The lines, of which those that differ only in the log that has the claim are one.
fn joined(lines: impl Iterator<Item = Line>) -> Vec<Line> {
    let mut kept: Vec<Line> = Vec::new();
    let mut of_claims: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for line in lines {
        let of_claim = of_claims.entry(line.claim_id.clone()).or_default();
        let mut before = of_claim.iter().copied();
        match before.find(|place| kept[*place].is_elsewhere(&line)) {
            Some(place) => kept[place].logs.extend(line.logs),
            None => {
                of_claim.push(kept.len());
                kept.push(line);
            }
        }
    }
    kept
}

impl Line {
    /// Takes its effect, because not all was heard that can count.
    pub(super) fn bound(&mut self) {
        self.effect = false;
        self.why_not = Some(NOT_HEARD.to_owned());
        for voice in &mut self.issuers {
            voice.effect = false;
        }
    }

    /// Whether another line is this one in a log that this one was not found in.
    fn is_elsewhere(&self, other: &Line) -> bool {
        let voices = |line: &Line| -> Vec<(String, String)> {
            let voices = line.issuers.iter();
            let told = voices.map(|voice| (voice.issuer_id.clone(), voice.standing.clone()));
            told.collect()
        };
        self.claim_id == other.claim_id
            && self.logs.iter().all(|place| place.log != other.log)
            && self.says == other.says
            && (self.effect, &self.why_not) == (other.effect, &other.why_not)
            && voices(self) == voices(other)
    }

    /// Describes a line.
    pub(super) fn new(line: &posture::Line<'_>, reader: Reader) -> Self {
        let claim = line.logged.claim();
        let effect = line.voices.iter().any(|voice| voice.standing.is_good());
        // A claim of several signers has effect if it has for one; why it has none for the others
        // stands with each.
        let standing = line
            .voices
            .first()
            .filter(|_| !effect)
            .map(|voice| words::standing(&voice.standing, reader));
        Line {
            says: words::line_says(line),
            about: short_list(claim.statement().subjects()),
            kind: line.kind,
            of: claim.body().kind(),
            part: line.part,
            fact: words::fact(claim.body(), claim.statement().subjects()),
            vulnerabilities: line.vulnerabilities.clone(),
            issuers: (line.voices.iter())
                .map(|voice| Voice::new(voice, reader))
                .collect(),
            effect,
            why_not: standing.or_else(|| words::note(line, reader)),
            claim_id: line.claim().to_string(),
            log: line.origin().to_owned(),
            leaf_index: line.leaf().get(),
            logged_at: rfc3339_of_ms(line.logged_at_ms()),
            logged_at_ms: line.logged_at_ms(),
            age_days: line.age_days,
            logs: vec![InLog {
                log: line.origin().to_owned(),
                leaf_index: line.leaf().get(),
                logged_at: rfc3339_of_ms(line.logged_at_ms()),
                logged_at_ms: line.logged_at_ms(),
            }],
            target: line.target.map(|id| id.to_string()),
            vouches_for: line.vouches_for.map(|id| id.to_string()),
            responses: line.responses,
            disputes: line.disputes,
            replies: Vec::new(),
        }
    }

    /// Whether it counts for anything, without reservation.
    pub fn counts(&self) -> bool {
        self.effect && self.why_not.is_none()
    }

    /// Those who say it with effect and have a role under the policy; nobody if it does not count.
    pub fn trusted(&self) -> impl Iterator<Item = &Voice> {
        let counts = self.counts();
        let voices = self.issuers.iter();
        voices.filter(move |voice| counts && voice.effect && !voice.roles.is_empty())
    }

    /// Whether it counts, and somebody says it who has a role under the policy.
    pub fn is_trusted(&self) -> bool {
        self.trusted().next().is_some()
    }
}

impl Voice {
    fn new(voice: &posture::Voice, reader: Reader) -> Self {
        Voice {
            issuer_id: voice.issuer.to_string(),
            name: voice.name.clone(),
            called: voice.anchor.clone(),
            roles: voice.roles.iter().map(Role::new).collect(),
            standing: words::standing(&voice.standing, reader),
            effect: voice.standing == Standing::Good,
        }
    }
}

impl Role {
    fn new(grant: &Grant) -> Self {
        let endorsers = grant.chain.iter();
        Role {
            role: grant.role.name(),
            endorsed_by: endorsers.map(|link| link.endorser.to_string()).collect(),
        }
    }
}

impl ShownClaim {
    /// The claims that stand in lines, each once, by log and leaf.
    pub(super) fn of_lines<'l>(
        lines: impl Iterator<Item = &'l Line>,
        claims: &[LoggedClaim],
    ) -> Vec<Self> {
        let places = lines.flat_map(|line| &line.logs);
        let shown: BTreeSet<(&str, u64)> = places
            .map(|place| (place.log.as_str(), place.leaf_index))
            .collect();
        let shown = claims
            .iter()
            .filter(|logged| shown.contains(&(logged.origin(), logged.leaf().get())));
        let by_place: BTreeMap<_, _> = shown
            .map(|logged| ((logged.origin(), logged.leaf()), logged))
            .collect();
        by_place.into_values().map(ShownClaim::new).collect()
    }

    /// Describes a claim.
    pub(super) fn new(logged: &LoggedClaim) -> Self {
        ShownClaim {
            log: logged.origin().to_owned(),
            claim: Claim::new(logged.claim(), logged.leaf().get(), logged.logged_at_ms()),
            statement: serde_json::from_slice(&logged.claim().claim().payload).ok(),
        }
    }
}

fn name<S: Serializer>(question: &posture::Question, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(question.name())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_policy::testing::{NOW_MS, World, about, anchor, component, parse};

    /// Whoever says it is trusted, and has said something else since.
    #[test]
    fn a_word_with_a_reservation_does_not_count() {
        let mut world = World::new();
        let alice = world.register("Alice", &[1], 1);
        for (day, status) in [(2, "affected"), (3, "fixed")] {
            let document = format!(
                r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/{day}",
                "author":"A","version":1,"timestamp":"2026-01-0{day}T00:00:00Z","statements":[
                {{"vulnerability":"CVE-1","status":"{status}","action_statement":"x"}}]}}"#
            );
            let kind = "https://openvex.dev/ns/v0.2.0";
            world.log(&about("pkg:cargo/a@1", kind, &document), &[&alice]);
        }
        let policy = parse(&format!("version = 1\n{}", anchor(&alice, &["maintainer"])));
        let component = component("pkg:cargo/a@1");
        let posture = posture::posture(&policy, &component, &world.claims, NOW_MS);
        let reached = posture.of(posture::Question::Vulnerable);
        let lines: Vec<Line> = reached.map(|it| Line::new(it, Reader::Owner)).collect();
        let has_effect: Vec<bool> = lines.iter().map(|line| line.effect).collect();
        assert_eq!(has_effect, [true, true]);
        let counts: Vec<bool> = lines.iter().map(Line::counts).collect();
        assert_eq!(counts, [true, false]);
        let trusted: Vec<bool> = lines.iter().map(Line::is_trusted).collect();
        assert_eq!(trusted, [true, false]);
    }
}
