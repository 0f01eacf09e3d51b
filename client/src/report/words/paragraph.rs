//! What is known of one thing, in a paragraph for people who know nothing of logs and keys.

use super::lines::{in_quotes, voice};
use super::names::{count, each_once};
use super::sentence::sentence;
use super::versions::versions;
use super::{Reader, lacking, name, whole};
use crate::ask::{About, Others};
use crate::report::keys::{Keys, Powerless};
use crate::report::{Component, Line, Report};
use crate::{plain, quoted_name};
use assay_claims::kind::Kind;
use assay_policy::posture::Question;
use assay_policy::rules::Outcome;
use assay_policy::verdict::Cause;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Most claims about another that the paragraph quotes, and most characters of each.
const SAID: usize = 3;
const SAID_CHARACTERS: usize = 200;

/// The paragraph about the one thing that a report is about.
pub fn paragraph(about: &About, report: &Report) -> String {
    let name = name(about);
    // What is missing is named first.
    let mut sentences: Vec<String> = missing(report).into_iter().collect();
    sentences.extend(match about {
        About::Issuer(id) => issuer(&name, &id.to_string(), report),
        About::Claim(id) => claim(&name, &id.to_hex(), report),
        About::Package(_) | About::Artifact(_) | About::Vulnerability(_) | About::Hex(_) => {
            claims(&name, report)
        }
    });
    sentences.extend(
        report
            .components
            .first()
            .and_then(|component| verdict(component, report)),
    );
    capitalized(&sentences.join(" "))
}

/// The logs without a whole and recent answer.
fn missing(report: &Report) -> Option<String> {
    let missing = report.missing();
    if missing.is_empty() {
        return None;
    }
    let (logs, origins) = match missing.len() {
        1 => ("the log", missing.join("")),
        _ => ("the logs", missing.join(", ")),
    };
    Some(format!(
        "No whole and recent answer came from {logs} {}, so there may be more: see below.",
        plain(&origins)
    ))
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    match chars.next() {
        Some(first) => first.to_uppercase().chain(chars).collect(),
        None => String::new(),
    }
}

/// How much is said, by how many, and how much of it counts.
fn claims(name: &str, report: &Report) -> Vec<String> {
    let mut lines: Vec<&Line> = Vec::new();
    for question in &report.questions {
        if is_said(question.question) {
            lines.extend(&question.lines);
        }
    }
    let all: BTreeSet<&str> = lines.iter().map(|line| line.claim_id.as_str()).collect();
    if all.is_empty() {
        return nothing(name, report);
    }
    let is_page = report.others.as_ref().is_some_and(Others::is_page);
    let known = match (all.len(), is_page) {
        (1, false) => "is known",
        (1, true) => "is on this page",
        (_, false) => "are known",
        (_, true) => "are on this page",
    };
    let claims = count(all.len(), "claim");
    let by = by(&lines, report.reader);
    let mut sentences = vec![format!("{claims} about {name} {known}, signed {by}.")];
    sentences.extend(worth(&lines));
    sentences.extend(
        report
            .versions
            .as_ref()
            .map(|of| versions(of, report.reader)),
    );
    sentences
}

/// That nothing is said of the thing itself.
fn nothing(name: &str, report: &Report) -> Vec<String> {
    let others = whole::unheard(&report.hints).map(whole::spoken);
    if let Some(of_versions) = &report.versions {
        let none = if report.is_complete() && others.is_none() {
            "There are no claims"
        } else {
            "No claims were found"
        };
        let versions = versions(of_versions, report.reader);
        return vec![format!("{none} about {name} as a whole; {versions}")];
    }
    match (report.lacking, others) {
        (None, Some(others)) => {
            let trust = report.reader.trust();
            vec![format!(
                "No claims by issuers {trust} were found about {name}; {others}."
            )]
        }
        (None, None) if report.is_complete() => {
            vec![format!("There are no claims about {name}.")]
        }
        (None, None) => vec![format!("No claims were found about {name}.")],
        (Some(reason), _) => vec![
            format!("No claims were found about {name}."),
            lacking(reason),
        ],
    }
}

/// Where a claim is, and whether it counts; of one that the report does not have, what others say
/// of it.
fn claim(name: &str, id: &str, report: &Report) -> Vec<String> {
    let itself: Vec<&Line> = report.lines().filter(|line| line.claim_id == id).collect();
    if !itself.is_empty() {
        let mut sentences = vec![format!(
            "{name} is in the log, signed {}. Others may have signed the same; that was not asked.",
            by(&itself, report.reader)
        )];
        sentences.extend(worth(&itself));
        return sentences;
    }
    let mut sentences: Vec<String> = report.lacking.map(lacking).into_iter().collect();
    // Others answer those who answer, and vouch for them: that is shown below.
    let mut said: Vec<&Line> = report.lines().collect();
    said.retain(|line| match &line.target {
        Some(target) => target == id,
        None => !matches!(line.of, Kind::Endorsement | Kind::KeyCompromise),
    });
    if said.is_empty() {
        sentences.push(format!("No claims by others were found about {name}."));
        return sentences;
    }
    sentences.push(format!(
        "What others say about {name}: {}.",
        quoted(&said, report.reader)
    ));
    if said.iter().any(|line| line.of == Kind::Withdrawal) {
        sentences.push(
            "A withdrawal counts only if the signer of the claim signed it, which cannot be seen \
             here."
                .to_owned(),
        );
    }
    sentences
}

/// What some lines say, and by whom.
fn quoted(said: &[&Line], reader: Reader) -> String {
    let mut words = Vec::new();
    for line in said.iter().take(SAID) {
        let voices = each_once(line.issuers.iter().map(|one| voice(one, reader)));
        words.push(format!("{}, by {voices}", in_quotes(&cut(&line.says))));
    }
    let words = words.join("; ");
    match said.len().saturating_sub(SAID) {
        0 => words,
        more => format!("{words}; and {more} more"),
    }
}

/// The beginning of a text: so much of it that what stands behind it is read, too.
fn cut(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(SAID_CHARACTERS) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

/// How many of some claims are without effect, and how many disputed.
fn worth(lines: &[&Line]) -> Vec<String> {
    let (mut all, mut with_effect, mut disputed) =
        (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for line in lines {
        let id = line.claim_id.as_str();
        all.insert(id);
        if line.effect {
            with_effect.insert(id);
        }
        if line.disputes > 0 {
            disputed.insert(id);
        }
    }
    let (one, mut sentences) = (all.len() == 1, Vec::new());
    match all.len() - with_effect.len() {
        0 => {}
        1 if one => {
            sentences.push("It has no effect: it was withdrawn or never counted.".to_owned());
        }
        1 => sentences
            .push("One of them has no effect: it was withdrawn or never counted.".to_owned()),
        n => sentences.push(format!(
            "{n} of them have no effect: they were withdrawn or never counted."
        )),
    }
    match disputed.len() {
        0 => {}
        1 if one => sentences.push("It is disputed.".to_owned()),
        1 => sentences.push("One of them is disputed.".to_owned()),
        n => sentences.push(format!("{n} of them are disputed.")),
    }
    sentences
}

/// By how many issuers, and whom of them the reader trusts.
fn by(lines: &[&Line], reader: Reader) -> String {
    let (mut all, mut trusted) = (BTreeSet::new(), BTreeSet::new());
    for voice in lines.iter().flat_map(|line| &line.issuers) {
        all.insert(voice.issuer_id.as_str());
        if !voice.roles.is_empty() {
            trusted.insert(voice.issuer_id.as_str());
        }
    }
    let (trust, issuers) = (reader.trust(), count(all.len(), "issuer"));
    let whom = match (all.len(), trusted.len()) {
        _ if reader == Reader::Unweighed => return format!("by {issuers}"),
        (1, 1) => format!("whom {trust}"),
        (1, _) => format!("whom {} for anything here", reader.do_not_trust()),
        (_, 0) => format!("none of whom {trust}"),
        (n, m) if n == m => format!("all of whom {trust}"),
        (_, m) => format!("{m} of whom {trust}"),
    };
    format!("by {issuers}, {whom}")
}

/// Who an issuer is, and what it has done.
fn issuer(name: &str, id: &str, report: &Report) -> Vec<String> {
    let Some(voice) = report.record().and_then(|record| record.issuers.first()) else {
        return vec![format!(
            "{name} is not registered in any log that was asked, so nothing that it signs counts."
        )];
    };
    let own = voice.name.as_deref().unwrap_or_default();
    let keys = report.keys.as_ref();
    let mut sentences: Vec<String> = keys
        .and_then(|keys| compromised(name, keys, report))
        .into_iter()
        .collect();
    let it = if sentences.is_empty() { name } else { "It" };
    sentences.push(format!(
        "{it} calls itself {}, a name that it chose and that proves nothing.",
        quoted_name(own)
    ));
    let powerless = keys.is_some_and(|keys| !keys.powerless.is_empty());
    let policy = report.reader.policy_first();
    sentences.extend(match &voice.called {
        _ if report.reader == Reader::Unweighed => None,
        Some(called) if powerless => Some(format!(
            "{policy} names it \"{called}\": what it signed before still counts."
        )),
        Some(called) => Some(format!("{policy} names it \"{called}\" and trusts it.")),
        None => Some(format!("{policy} does not name it.")),
    });
    match endorsements(id, report) {
        0 => {}
        1 => sentences.push("1 endorsement vouches for it.".to_owned()),
        n => sentences.push(format!("{n} endorsements vouch for it.")),
    }
    if let Some(signed) = report.signed.as_ref().and_then(|signed| signed.count) {
        let signed = usize::try_from(signed).unwrap_or(usize::MAX);
        sentences.push(format!("It has signed {}.", count(signed, "claim")));
    }
    sentences
}

/// How many endorsements of an issuer have effect.
fn endorsements(id: &str, report: &Report) -> usize {
    let vouched = report
        .questions
        .iter()
        .filter(|question| question.question == Question::Vouched);
    let lines = vouched.flat_map(|question| &question.lines);
    lines
        .filter(|line| line.counts() && line.vouches_for.as_deref() == Some(id))
        .count()
}

/// What an issuer's compromised keys mean for what it signs; `None` if there are none.
fn compromised(name: &str, keys: &Keys, report: &Report) -> Option<String> {
    let (mut in_force, mut old) = (BTreeSet::new(), BTreeSet::new());
    for one in &keys.compromised {
        if one.in_force {
            in_force.insert(one.key.as_str());
        } else {
            old.insert(one.key.as_str());
        }
    }
    let lost = in_force.len();
    if keys.powerless.is_empty() {
        return match (lost, old.len()) {
            (0, 0) => None,
            (0, old) => Some(format!(
                "{name} has declared {} compromised, which it no longer uses.",
                count(old, "key")
            )),
            (lost, _) => Some(format!(
                "{name} has declared {lost} of its keys compromised; the remaining keys \
                 are enough to sign."
            )),
        };
    }
    let mut places = Vec::new();
    for Powerless { log, from_leaf, .. } in &keys.powerless {
        places.push(if report.logs.len() > 1 {
            format!("leaf {from_leaf} of {log}")
        } else {
            format!("leaf {from_leaf}")
        });
    }
    let lost = if keys.powerless.iter().all(|powerless| powerless.keys == 1) {
        "its only key compromised".to_owned()
    } else {
        format!("so many of its keys compromised ({lost}) that too few are left")
    };
    Some(format!(
        "{name} has declared {lost}: nothing that it signs from {} on counts.",
        places.join(" and from ")
    ))
}

/// Whether the policy is met, and the worst reason why not.
/// On a site, what is to be said of a package as a whole stands on top.
fn verdict(component: &Component, report: &Report) -> Option<String> {
    let (policy, mut outcome) = (report.reader.policy_first(), component.outcome);
    let mut reason = component.reasons.first();
    if whole::is_whole(report) && !report.lacks_logs() {
        reason = whole::against(report).next();
        let Some(reason) = reason else {
            let said = sentence(report).filter(|_| report.reader == Reader::Owner)?;
            let why = said.why.map(|why| format!(" {}", ended(&why)));
            return Some(said.text + &why.unwrap_or_default());
        };
        outcome = reason.outcome;
    }
    let reason = reason.filter(|_| outcome != Outcome::Fine);
    let why = reason.map(|reason| match reason.cause {
        // Which log it is and why stands where the logs are.
        Cause::Logs => "what the logs did not say may speak against it.".to_owned(),
        _ => ended(&reason.text),
    });
    Some(match (outcome.is_met(), why) {
        (true, None) => format!("{policy} is met."),
        (true, Some(why)) => format!("{policy} is met, with a warning: {why}"),
        (false, None) => format!("{policy} is not met."),
        (false, Some(why)) => format!("{policy} is not met: {why}"),
    })
}

/// A reason, which may be in a policy's own words, so that sentences can follow.
pub(super) fn ended(text: &str) -> String {
    let text = text.trim_end();
    let stop = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{text}{stop}")
}

/// Whether the answers to a question are about the thing itself, and not about claims or issuers.
fn is_said(question: Question) -> bool {
    !matches!(question, Question::Disagreement | Question::Vouched)
}
