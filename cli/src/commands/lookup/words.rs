//! The answer in a paragraph, for people who know nothing of logs and keys.

use super::{
    answer::{Answer, LineView, VerdictView},
    text,
    versions::VersionsView,
};
use crate::{
    about::About,
    sound_keys::{KeysView, PowerlessView},
};
use assay_policy::posture::Question;
use std::collections::BTreeSet;

/// Most claims about another that the paragraph quotes.
const SAID: usize = 3;

/// The paragraph.
pub fn paragraph(about: &About, answer: &Answer) -> String {
    let mut sentences = match about {
        About::Issuer(id) => issuer(about, &id.to_string(), answer),
        About::Claim(id) => claim(about, &id.to_hex(), answer),
        _ => claims(about, answer),
    };
    sentences.extend(answer.policy.as_ref().map(verdict));
    if answer.logs.iter().any(|log| !log.complete) {
        sentences
            .push("Not everything could be asked, so there may be more: see below.".to_owned());
    }
    let text = sentences.join(" ");
    let mut chars = text.chars();
    chars
        .next()
        .map(|first| first.to_uppercase().chain(chars).collect())
        .unwrap_or_default()
}

/// How much is said, by how many, and how much of it counts.
fn claims(about: &About, answer: &Answer) -> Vec<String> {
    let name = about.name();
    let lines: Vec<&LineView> = answer
        .questions
        .iter()
        .filter(|q| is_said(q.question))
        .flat_map(|q| &q.lines)
        .collect();
    let all: BTreeSet<&str> = lines.iter().map(|line| line.claim_id.as_str()).collect();
    if all.is_empty() {
        if let Some(versions) = &answer.versions {
            let is_said = if answer.logs.iter().all(|log| log.complete) {
                "is said"
            } else {
                "was found"
            };
            return vec![format!(
                "Nothing {is_said} of {name} as a whole; {}",
                versions.words()
            )];
        }
        let nothing = if answer.lacking.is_none() && answer.logs.iter().all(|log| log.complete) {
            format!("Nobody has said anything about {name}.")
        } else {
            format!("Nothing was found about {name}.")
        };
        return std::iter::once(nothing)
            .chain(answer.lacking.clone())
            .collect();
    }
    let known = if all.len() == 1 {
        "is known"
    } else {
        "are known"
    };
    let mut sentences = vec![format!(
        "{} about {name} {known}, signed{}.",
        count(all.len(), "claim"),
        by(&lines)
    )];
    sentences.extend(worth(&lines));
    sentences.extend(answer.versions.as_ref().map(VersionsView::words));
    sentences
}

/// Where a claim is, and whether it counts; of one that the answer does not have, what others say
/// of it.
fn claim(about: &About, id: &str, answer: &Answer) -> Vec<String> {
    let name = about.name();
    let all = || answer.questions.iter().flat_map(|question| &question.lines);
    let itself: Vec<&LineView> = all().filter(|line| line.claim_id == id).collect();
    if !itself.is_empty() {
        let mut sentences = vec![format!("{name} is in the log, signed{}.", by(&itself))];
        sentences.extend(worth(&itself));
        return sentences;
    }
    let mut sentences: Vec<String> = answer.lacking.iter().cloned().collect();
    // Others answer those who answer, and vouch for them: that is shown below.

    let said: Vec<&LineView> = all()
        .filter(|line: &&LineView| match &line.target {
            Some(target) => target == id,
            None => ![Some("endorsement"), Some("key-compromise")].contains(&line.kind),
        })
        .collect();
    if said.is_empty() {
        sentences.push(format!("Nothing was found that others say of {name}."));
        return sentences;
    }
    let words: Vec<String> = said
        .iter()
        .take(SAID)
        .map(|line| format!("\"{}\", by {}", line.says, text::voices(line)))
        .collect();
    let more = said.len().saturating_sub(SAID);
    let more = if more > 0 {
        format!("; and {more} more")
    } else {
        String::new()
    };
    sentences.push(format!("Said of {name}: {}{more}.", words.join("; ")));
    if said.iter().any(|line| line.kind == Some("withdrawal")) {
        sentences.push(
            "A withdrawal counts if whoever signed it signed the claim, too, which cannot be seen \
             here."
                .to_owned(),
        );
    }
    sentences
}

/// How many of some claims are without effect, and how many disputed.
fn worth(lines: &[&LineView]) -> Vec<String> {
    let ids = |chosen: &dyn Fn(&LineView) -> bool| {
        lines
            .iter()
            .filter(|line| chosen(line))
            .map(|line| line.claim_id.as_str())
            .collect::<BTreeSet<_>>()
    };
    let (all, with_effect) = (ids(&|_| true), ids(&|line| line.effect));
    let (one, mut sentences) = (all.len() == 1, Vec::new());
    match all.len() - with_effect.len() {
        0 => {}
        1 if one => {
            sentences.push("It has no effect: it was taken back, or never counted.".to_owned())
        }
        1 => sentences
            .push("One of them has no effect: it was taken back, or never counted.".to_owned()),
        n => sentences.push(format!(
            "{n} of them have no effect: they were taken back, or never counted."
        )),
    }
    match ids(&|line| line.disputes > 0).len() {
        0 => {}
        1 if one => sentences.push("It is disputed.".to_owned()),
        1 => sentences.push("One of them is disputed.".to_owned()),
        n => sentences.push(format!("{n} of them are disputed.")),
    }
    sentences
}

/// By how many issuers, and whom of them the reader trusts.
fn by(lines: &[&LineView]) -> String {
    let voices = || lines.iter().flat_map(|line| &line.issuers);
    let all: BTreeSet<&str> = voices().map(|voice| voice.issuer_id.as_str()).collect();
    let trusted: BTreeSet<&str> = voices()
        .filter(|voice| !voice.roles.is_empty())
        .map(|voice| voice.issuer_id.as_str())
        .collect();
    let whom = match (all.len(), trusted.len()) {
        (1, 1) => "whom you trust".to_owned(),
        (1, _) => "whom you do not trust for anything here".to_owned(),
        (_, 0) => "none of whom you trust".to_owned(),
        (n, m) if n == m => "all of whom you trust".to_owned(),
        (_, m) => format!("{m} of whom you trust"),
    };
    format!(" by {}, {whom}", count(all.len(), "issuer"))
}

/// The newest record of an issuer that was asked about.
pub fn record(answer: &Answer) -> Option<&LineView> {
    let lines = answer.questions.iter().flat_map(|question| &question.lines);
    lines
        .filter(|line| line.kind == Some("issuer") && line.effect)
        .max_by_key(|line| line.leaf_index)
}

/// Who an issuer is, and what it has done.
fn issuer(about: &About, id: &str, answer: &Answer) -> Vec<String> {
    let name = about.name();
    let Some(voice) = record(answer).and_then(|record| record.issuers.first()) else {
        return vec![format!(
            "{name} is not registered in a log that was asked: nothing that it signs counts."
        )];
    };
    let own = voice.name.as_deref().unwrap_or_default();
    let mut sentences: Vec<String> = answer
        .keys
        .as_ref()
        .and_then(|keys| compromised(&name, keys, answer))
        .into_iter()
        .collect();
    sentences.push(if sentences.is_empty() {
        format!("{name} calls itself \"{own}\", which is its own word and proves nothing.")
    } else {
        format!("It calls itself \"{own}\", which is its own word and proves nothing.")
    });
    let powerless = answer
        .keys
        .as_ref()
        .is_some_and(|keys| !keys.powerless.is_empty());
    sentences.push(match &voice.called {
        Some(called) if powerless => {
            format!("Your policy names it \"{called}\": what it signed before counts still.")
        }
        Some(called) => format!("Your policy names it \"{called}\" and trusts it."),
        None => "Your policy does not name it.".to_owned(),
    });
    let vouched = answer
        .questions
        .iter()
        .filter(|question| question.question == Question::Vouched.name());
    let vouched: Vec<&LineView> = vouched
        .flat_map(text::counting)
        .filter(|line| line.vouches_for.as_deref() == Some(id))
        .collect();
    if !vouched.is_empty() {
        let vouch = if vouched.len() == 1 {
            "vouches"
        } else {
            "vouch"
        };
        sentences.push(format!(
            "{} {vouch} for it.",
            count(vouched.len(), "endorsement")
        ));
    }
    if let Some(signed) = answer.signed.as_ref().and_then(|signed| signed.count) {
        sentences.push(format!(
            "It has signed {}.",
            count(usize::try_from(signed).unwrap_or(usize::MAX), "claim")
        ));
    }
    sentences
}

/// What an issuer's compromised keys mean for what it signs.
fn compromised(name: &str, keys: &KeysView, answer: &Answer) -> Option<String> {
    let distinct = |in_force| {
        let chosen = keys
            .compromised
            .iter()
            .filter(|one| one.in_force == in_force);
        chosen
            .map(|one| one.key.as_str())
            .collect::<BTreeSet<_>>()
            .len()
    };
    let (lost, old) = (distinct(true), distinct(false));
    if keys.powerless.is_empty() {
        return match (lost, old) {
            (0, 0) => None,
            (0, old) => Some(format!(
                "{name} has declared {} compromised, which it no longer uses.",
                count(old, "key")
            )),
            (lost, _) => Some(format!(
                "{name} has declared {lost} of its keys compromised; those that are left are \
                 enough to sign."
            )),
        };
    }
    let several = answer.logs.len() > 1;

    let places: Vec<String> = keys
        .powerless
        .iter()
        .map(|place: &PowerlessView| {
            if several {
                format!("leaf {} of {}", place.from_leaf, place.log)
            } else {
                format!("leaf {}", place.from_leaf)
            }
        })
        .collect();
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
fn verdict(verdict: &VerdictView) -> String {
    let why = verdict
        .reasons
        .first()
        .filter(|_| verdict.outcome != "fine")
        .map(|reason| reason.text.as_str());
    match (verdict.met, why) {
        (true, None) => "Your policy is met.".to_owned(),
        (true, Some(why)) => format!("Your policy is met, but says: {}", ended(why)),
        (false, None) => "Your policy is not met.".to_owned(),
        (false, Some(why)) => format!("Your policy is not met: {}", ended(why)),
    }
}

/// A reason, which may be in a policy's own words, so that sentences can follow.
fn ended(text: &str) -> String {
    let text = text.trim_end();
    let stop = if text.ends_with(['.', '!', '?']) {
        ""
    } else {
        "."
    };
    format!("{text}{stop}")
}

/// Whether the answers to a question are about the thing itself, and not about claims or issuers.
fn is_said(question: &str) -> bool {
    ![Question::Disagreement, Question::Vouched]
        .iter()
        .any(|other| other.name() == question)
}

fn count(n: usize, what: &str) -> String {
    format!("{n} {what}{}", if n == 1 { "" } else { "s" })
}
