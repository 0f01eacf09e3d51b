//! From verified answers to a report.

use super::Report;
use super::choice;
use super::component::{Ignoring, Judge};
use super::gate::Gate;
use super::keys::Keys;
use super::line::{Line, Question, ShownClaim};
use super::log::Log;
use super::reasons::Alike;
use super::reply;
use super::signed::SignedLines;
use super::versions::Versions;
use super::words::{Reader, tell};
use crate::ask::{About, Asked, Context, Found, Inventory, Part};
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;
use assay_policy::posture::{self, Posture};
use assay_policy::rules::Policy;
use assay_policy::trust::Trust;
use assay_policy::verdict::Known;
use rayon::prelude::*;

/// What answers are weighed with.
#[derive(Debug, Clone, Copy)]
pub struct Scales<'a> {
    /// What the reader demands.
    pub policy: &'a Policy,
    /// What the reader calls that: its file.
    pub policy_name: &'a str,
    /// The time, in milliseconds since 1970.
    pub now_ms: u64,
    /// Who reads the report.
    pub reader: Reader,
}

impl<'a> Scales<'a> {
    /// Weighs what the logs answered about the components of an inventory.
    pub fn components(&self, inventory: Inventory, asked: &Asked) -> Report {
        let judge = self.judge(asked.claims(), asked);
        let alike = Alike::default();
        let judged = |part| {
            let mut component = judge.component(part);
            component.make_plain();
            component.reasons = alike.share(component.reasons);
            component
        };
        let mut components: Vec<_> = inventory.parts.into_par_iter().map(judged).collect();
        let mut own = inventory.own;
        for component in inventory.own_parts.into_iter().map(judged) {
            if component.is_spoken_against() {
                own.retain(|name| Some(name.as_str()) != component.purl.as_deref());
                components.push(component);
            }
        }
        let mut files = inventory.files;
        // From the end, so that the places before it stay.
        for one in inventory.nameless.into_iter().rev() {
            let is_spoken_of = judge.known.is_spoken_of(&one.part.component);
            let component = judged(one.part);
            let file = files.get_mut(one.file);
            if let Some(file) = file.filter(|_| is_spoken_of || component.is_spoken_against()) {
                file.unidentified.remove(one.entry);
                file.components += 1;
                components.push(component);
            }
        }
        let mut report = Report {
            components,
            files,
            own,
            ..self.report(asked)
        };
        report.make_plain();
        report
    }

    /// Weighs what was found about one thing.
    pub fn found(&self, found: &Found) -> Report {
        let Found { about, claims, .. } = found;
        let posture = choice::posture(about, claims, self.policy, self.now_ms);
        let (questions, signed) = self.lines(found, &posture);
        let newest = signed.iter().flat_map(|signed| &signed.newest);
        let lines = questions.iter().flat_map(|question| &question.lines);
        let (components, versions) = self.judged(found);
        Report {
            about: Some(about.clone()),
            components,
            claims: ShownClaim::of_lines(lines.chain(newest), claims),
            questions,
            signed,
            versions,
            keys: match about {
                About::Issuer(id) => Some(self.keys(id, claims)),
                _ => None,
            },
            lacking: found.lacking,
            hints: found.hints.clone(),
            ..self.report(&found.asked)
        }
    }

    /// A new claim, with what it says and what it is worth in lines, given what
    /// [`Asker::with_context`](crate::ask::Asker::with_context) returned. There is no line if the
    /// policy does not count the log, and none has an effect if not all was heard that can count.
    pub fn new_claim(&self, logged: &LoggedClaim, context: &Context) -> (ShownClaim, Vec<Line>) {
        let (origin, leaf) = (logged.origin(), logged.leaf());
        let listed = posture::listing(
            self.policy,
            &context.known,
            |other| other.leaf() == leaf && other.origin() == origin,
            self.now_ms,
        );
        let lines = listed.lines.iter();
        let lines = lines.filter(|line| line.leaf() == leaf && line.origin() == origin);
        let mut lines: Vec<Line> = lines.map(|line| Line::new(line, self.reader)).collect();
        if !context.is_whole(logged) {
            lines.iter_mut().for_each(Line::bound);
        }
        (ShownClaim::new(logged), lines)
    }

    /// How the logs answered, without what they said.
    pub fn answers(&self, asked: &Asked) -> Report {
        let mut report = self.report(asked);
        report.make_plain();
        report
    }

    /// A report that says how the logs answered, and nothing more.
    fn report(&self, asked: &Asked) -> Report {
        Report {
            about: None,
            asked_at_ms: self.now_ms,
            reader: self.reader,
            how: asked.how,
            policy: self.policy_name.to_owned(),
            stops_at_unknown: self.policy.stops_at_unknown(),
            ignores: (self.policy.ignored().iter())
                .map(|ignore| Ignoring::new(ignore, self.now_ms))
                .collect(),
            gate: Gate::default(),
            logs: Log::all(&asked.logs, self.policy, self.now_ms),
            files: Vec::new(),
            own: Vec::new(),
            components: Vec::new(),
            questions: Vec::new(),
            claims: Vec::new(),
            versions: None,
            signed: None,
            others: asked.others.clone(),
            keys: None,
            lacking: None,
            hints: Vec::new(),
        }
    }

    pub(super) fn judge(
        &self,
        claims: impl IntoIterator<Item = &'a LoggedClaim>,
        asked: &Asked,
    ) -> Judge<'a> {
        Judge {
            policy: self.policy,
            known: Known::judge(self.policy, claims, self.now_ms)
                .within(&asked.limits)
                .without(asked.overlong()),
            answers: asked.answers(),
            now_ms: self.now_ms,
            reader: self.reader,
        }
    }

    /// The component that was asked about, if it is one, and its versions, if it has any. What is
    /// not known to be an artifact, and may be a claim, is not judged as one.
    fn judged(&self, found: &Found) -> (Vec<super::Component>, Option<Versions>) {
        let Some(component) = found.about.component().filter(|_| found.lacking.is_none()) else {
            return (Vec::new(), None);
        };
        let judge = self.judge(&found.claims, &found.asked);
        // Where nobody's policy weighs, there is nothing to make of versions.
        let weighs = Some(&judge).filter(|_| self.reader != Reader::Unweighed);
        let versions = Versions::of(&found.about, &found.claims, weighs);
        let mut component = judge.component(Part::of_component(component));
        tell(&mut component, versions.as_ref(), &found.hints, self.reader);
        (vec![component], versions)
    }

    /// The lines of every question and of what an issuer signed, each with what others say of it.
    fn lines(&self, found: &Found, posture: &Posture) -> (Vec<Question>, Option<SignedLines>) {
        let claims = &found.claims;
        let mut questions = Question::all(posture, self.reader);
        let (mut signed, mut of_signed) = (None, Vec::new());
        if let Some(list) = &found.signed {
            let (lines, said) =
                SignedLines::new(list, claims, self.policy, self.now_ms, self.reader);
            (signed, of_signed) = (Some(lines), said);
        }
        let lines = questions.iter().flat_map(|question| &question.lines);
        let said: Vec<Line> = reply::among(lines.chain(&of_signed));
        let lines = questions.iter_mut();
        let newest = signed.iter_mut().flat_map(|signed| &mut signed.newest);
        let lines = lines.flat_map(|question| &mut question.lines);
        reply::attach(lines.chain(newest), &said);
        (questions, signed)
    }

    /// What became of an issuer's keys, in the logs that the policy counts.
    fn keys(&self, id: &IssuerId, claims: &[LoggedClaim]) -> Keys {
        let counted = claims
            .iter()
            .filter(|logged| self.policy.counts(logged.origin()));
        Keys::of(id, &Trust::judge(counted))
    }
}
