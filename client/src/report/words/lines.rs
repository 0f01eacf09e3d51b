//! What is said, line by line: by whom, of what, and where it can be found again.

use super::stood::by_mirror;
use super::whole::unheard;
use super::{Reader, ago, at, convicted, self_named, shorten, stood_behind};
use crate::ask::{About, How, LogState, Others};
use crate::report::{Line, Log, Question, Reply, Report, SignedLines, Voice, has_effect};
use assay_policy::posture;
use std::collections::BTreeSet;

/// A line that begins with a word which tells good from bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marked {
    /// Whether the word is good news.
    pub good: bool,
    /// The word.
    pub word: &'static str,
    /// What follows it.
    pub rest: String,
}

/// A question, as it is asked of what was asked about.
pub fn title(question: &Question, about: &About) -> &'static str {
    match (about, question.question) {
        (About::Issuer(_), posture::Question::Other) => "What does it say of itself?",
        (About::Issuer(_), posture::Question::Vouched) => {
            "Who vouches for it, or warns of its keys?"
        }
        _ => question.text,
    }
}

/// How much an issuer signed, and how much of it is shown, as a question.
pub fn signed_title(signed: &SignedLines) -> String {
    // A claim can be shown in several lines.
    let shown: BTreeSet<_> = signed
        .newest
        .iter()
        .map(|line| (&line.log, line.leaf_index))
        .collect();
    let shown = shown.len();
    let Some(count) = signed.count else {
        return "What has it signed? (not asked)".to_owned();
    };
    let claims = match count {
        _ if signed.uncounted => format!("more than {count} claims"),
        1 => "1 claim".to_owned(),
        _ => format!("{count} claims"),
    };
    if signed.unlisted > 0 {
        let others = count.saturating_sub(signed.unlisted);
        return format!(
            "What has it signed? ({claims}, of too many types to look at all; of {others} of them \
             the newest {shown})"
        );
    }
    if count > shown as u64 || signed.uncounted {
        return format!("What has it signed? ({claims}; the newest {shown})");
    }
    format!("What has it signed? ({claims})")
}

/// What is said, and of what if that is not what was asked about.
pub fn says(line: &Line, report: &Report) -> String {
    if let Some(target) = &line.target {
        return format!("about {}: {}", answered(line, target, report), line.says);
    }
    match report.about {
        Some(About::Package(_) | About::Artifact(_)) => line.says.clone(),
        _ => format!("{}: {}", line.about, line.says),
    }
}

/// What a line answers or takes back: the claim, at every place where it has effect, and those
/// where it has none.
fn answered(line: &Line, target: &str, report: &Report) -> String {
    let lines: Vec<&Line> = report
        .lines()
        .filter(|line| line.claim_id == target)
        .collect();
    let Some(first) = lines.first() else {
        return format!("claim {}", shorten(target));
    };
    let (mut with, mut without) = (BTreeSet::new(), BTreeSet::new());
    for one in &lines {
        if has_effect(line, one) {
            with.insert(one.leaf_index);
        } else {
            without.insert(one.leaf_index);
        }
    }
    let (with, without) = (leaves(&with), leaves(&without));
    let places = match (with.is_empty(), without.is_empty()) {
        (false, false) => format!("{with}; without effect on {without}"),
        _ => with + &without,
    };
    format!("{} ({places})", in_quotes(&first.says))
}

/// What a line says, as a quotation inside another sentence.
pub(super) fn in_quotes(says: &str) -> String {
    format!("\"{}\"", says.replace('"', "'"))
}

fn leaves(leaves: &BTreeSet<u64>) -> String {
    let words: Vec<String> = leaves.iter().map(|leaf| format!("leaf {leaf}")).collect();
    words.join(" and ")
}

/// Who says it, what they are to you, when, and where it can be found again.
pub fn who_says(line: &Line, report: &Report) -> String {
    let mut places = Vec::with_capacity(line.logs.len());
    for place in &line.logs {
        places.push(if report.logs.len() > 1 {
            format!("leaf {} of {}", place.leaf_index, place.log)
        } else {
            format!("leaf {}", place.leaf_index)
        });
    }
    format!(
        "by {}; {}, {}",
        voices_for(&line.issuers, report.reader),
        ago(line.logged_at_ms, report.asked_at_ms),
        places.join(" and ")
    )
}

/// Those who say something, and what they are to you.
pub fn voices(issuers: &[Voice]) -> String {
    voices_for(issuers, Reader::Owner)
}

/// The same for any reader.
pub(super) fn voices_for(issuers: &[Voice], reader: Reader) -> String {
    let words: Vec<String> = issuers.iter().map(|one| voice(one, reader)).collect();
    words.join(" and ")
}

/// An issuer, by the name that the policy has for it or else its own, and what it is trusted as.
pub(super) fn voice(voice: &Voice, reader: Reader) -> String {
    let name = match &voice.called {
        Some(called) => called.clone(),
        None => self_named(&voice.issuer_id, voice.name.as_deref()),
    };
    if reader == Reader::Unweighed {
        return name;
    }
    let (trust, do_not_trust) = (reader.trust(), reader.do_not_trust());
    let roles: Vec<&str> = voice.roles.iter().map(|role| role.role).collect();
    let roles = roles.join(" and ");
    match (voice.roles.is_empty(), &voice.called) {
        (true, None) => format!("{name}, whom {do_not_trust} for anything"),
        (true, Some(_)) => format!("{name}, whom {do_not_trust} for this"),
        (false, Some(_)) => format!("{name}, whom {trust} as {roles}"),
        (false, None) => format!("{name}, endorsed as {roles} by issuers {trust}"),
    }
}

/// What others say of a claim, beside it.
pub fn reply(reply: &Reply, report: &Report) -> String {
    let effect = match (reply.effect, reply.counts_somewhere()) {
        (true, _) => "",
        (false, true) => " (without effect for this issuer)",
        (false, false) => " (without effect)",
    };
    let says = reply.says.trim_end_matches('.');
    let voices = voices_for(&reply.issuers, report.reader);
    format!("{voices}: {says}{effect}; leaf {}", reply.leaf_index)
}

/// Whether nothing was left out of a log's answer, and as of when. It says "complete" only where no
/// other log is missing either.
pub fn log_line(log: &Log, report: &Report) -> Marked {
    let as_of = log.head.as_ref().map(|head| {
        let entries = match head.size {
            1 => "1 entry".to_owned(),
            n => format!("{n} entries"),
        };
        let kept = if report.how == How::Offline {
            ", kept on this machine"
        } else {
            ""
        };
        format!(
            "as of {}, {}{kept} (log {}, {entries})",
            at(head.made_at_ms),
            ago(head.made_at_ms, report.asked_at_ms),
            log.origin
        )
    });
    let are_others = unheard(&report.hints).is_some();
    let whole = if !are_others && report.others.as_ref().is_none_or(Others::is_all) {
        "nothing was left out"
    } else {
        "of what was asked for, nothing was left out"
    };
    let mut rest = match (&log.missing, as_of) {
        (None, as_of) => format!("{whole}, {}", as_of.unwrap_or_default()),
        (Some(missing), Some(as_of)) => format!("{missing}; {as_of}"),
        (Some(missing), None) if log.state == LogState::Convicted => {
            format!("the log {} counts no more: {missing}", log.origin)
        }
        (Some(missing), None) => format!("the log {} did not answer: {missing}", log.origin),
    };
    if let Some(mirror) = by_mirror(log) {
        rest.push_str(&format!("; {mirror}"));
    }
    if let Some(witnesses) = stood_behind(&log.voices) {
        rest.push_str(&format!("; {witnesses}"));
    }
    if let Some(witnesses) = convicted(&log.voices) {
        rest.push_str(&format!("; {witnesses}"));
    }
    let good = log.is_complete() && log.state != LogState::Stale;
    let word = match (log.is_complete(), good) {
        (false, _) => "NOT complete",
        (true, false) => "TOO OLD",
        // A whole answer of one log is none of all that were to be asked.
        (true, true) if report.lacks_logs() => "of this log only",
        (true, true) => "complete",
    };
    Marked { good, word, rest }
}

/// What a private question gave away, if it was one.
pub fn privacy(report: &Report) -> Option<String> {
    let privacy = report.logs.iter().find_map(|log| log.privacy)?;
    let names = match privacy.prefixes {
        1 => "1 name".to_owned(),
        n => format!("{n} names"),
    };
    let bits = if privacy.bits == 1 { "bit" } else { "bits" };
    Some(format!(
        "Asked privately: the log was told the first {} {bits} of {names}. At least {} names in \
         the log begin like each of them. It learns when you asked, which of its claims came back, \
         and that all of this is asked together.",
        privacy.bits, privacy.fewest
    ))
}
