//! What was asked about, what could not be found out of it, and what else to ask.

use super::shorten;
use crate::ask::{About, EACH, Hint, How, Lacking, LogState, Resolved};
use crate::report::Log;
use crate::{one_word, plain};
use assay_claims::purl::Purl;
use std::cmp::Reverse;
use std::collections::BTreeMap;

/// What something is called in a sentence. What is more than one word in it, whoever asked for
/// it, is in quotation marks.
pub fn name(about: &About) -> String {
    let name = match about {
        About::Package(purl) => package_name(purl),
        About::Artifact(artifact) => match (&artifact.file, artifact.digests.first()) {
            (Some(file), _) => format!("the file {file}"),
            (None, Some((algorithm, value))) => {
                format!("the artifact {algorithm}:{}", shorten(value))
            }
            (None, None) => "the artifact".to_owned(),
        },
        About::Issuer(id) => format!("issuer {}", shorten(&id.to_hex())),
        About::Vulnerability(id) => one_word(id).into_owned(),
        About::Claim(id) => format!("claim {}", shorten(&id.to_hex())),
        About::Hex(hash) => shorten(&hash.to_hex()).to_owned(),
    };
    plain(&name)
}

/// A package as people call it: `serde 1.0.228 (cargo)`.
fn package_name(purl: &Purl) -> String {
    let mut words = String::new();
    if let Some(part) = purl.namespace() {
        words.push_str(part);
        words.push('/');
    }
    words.push_str(purl.name());
    let mut words = one_word(&words).into_owned();
    if let Some(version) = purl.version() {
        words.push(' ');
        words.push_str(&one_word(version));
    }
    format!("{words} ({})", purl.ty())
}

/// What could not be found out, in a sentence.
pub fn lacking(lacking: Lacking) -> String {
    match lacking {
        Lacking::ClaimNotAsked(how) => {
            format!("The claim itself cannot be looked up {}.", adverb(how))
        }
        Lacking::ClaimNotShown => {
            "No log that was asked shows the claim itself, and its absence cannot be proven."
                .to_owned()
        }
        Lacking::IdNotAsked(how) => {
            format!(
                "Whether a claim has this id cannot be looked up {}.",
                adverb(how)
            )
        }
    }
}

fn adverb(how: How) -> &'static str {
    match how {
        How::Openly => "openly",
        How::Privately => "privately",
        How::Offline => "offline",
    }
}

/// What else there is to know.
pub fn hint(hint: &Hint) -> String {
    match hint {
        Hint::Resolved(resolved) => {
            let found = match resolved {
                Resolved::Issuer => "it is an issuer",
                Resolved::Claim => "it is a claim",
                Resolved::Sha256 => "it is a SHA-256",
                Resolved::Nothing => "no claims about any of these",
                Resolved::Open => {
                    "no claims about any of these, and whether there is such a claim is unknown"
                }
            };
            format!("looked up as a SHA-256, an issuer and a claim: {found}")
        }
        Hint::ListOfSoftware { file, format } => format!(
            "{file} is a list of software ({format}). To check everything in it: assay check {file}"
        ),
        Hint::Named(purl) => {
            format!("Some claims say that it is {purl}. To look that up: assay lookup {purl}")
        }
        Hint::Others(1) => "1 other has spoken about it whom your policy does not listen to; \
            --everyone shows what was said"
            .to_owned(),
        Hint::Others(others) => format!(
            "{others} others have spoken about it whom your policy does not listen to; --everyone \
             shows what they said"
        ),
        Hint::MoreOthers { heard, spoke, next } => {
            let others = match heard {
                1 => "1 other".to_owned(),
                n => format!("{n} others"),
            };
            format!(
                "This page is of {others}; {spoke} issuers have spoken about it, the log says. For \
                 the next ones, ask the same with --everyone --after {next}"
            )
        }
        Hint::Talkative(1) => format!(
            "1 other has said so much about it, such as more than {EACH} things, that only the \
             newest are shown, if any"
        ),
        Hint::Talkative(others) => format!(
            "{others} others have said so much about it, such as more than {EACH} things, that of \
             each only the newest are shown, if any"
        ),
        Hint::TooMuch(_) => {
            "Somebody whom your policy listens to said more than is listened to, or \
            vouches for more than is followed; that was left out"
                .to_owned()
        }
        Hint::Unasked(_) => "So much is said about these claims and those who signed them that \
            not all of it was asked for: withdrawals, replies and endorsements by others may be \
            missing above. A lower --limit leaves less to ask for"
            .to_owned(),
        Hint::OthersFailed(why) => format!("Not all that others say could be had: {why}"),
    }
}

/// That logs which must answer did not, the worst first; `name` is what was asked about, if it is
/// one thing.
pub fn unanswered(name: Option<&str>, silent: &[&Log]) -> String {
    match name {
        Some(name) => format!("{name}: {}", silence(silent, "")),
        None => silence(silent, ", which your policy requires"),
    }
}

/// The same without what was asked about; `which` is what is added of these logs.
pub(super) fn silence(silent: &[&Log], which: &str) -> String {
    let mut by_state: BTreeMap<Reverse<LogState>, Vec<&str>> = BTreeMap::new();
    for log in silent {
        let origins = by_state.entry(Reverse(log.state)).or_default();
        origins.push(&log.origin);
    }
    let mut parts = Vec::new();
    for (Reverse(state), origins) in by_state {
        let logs = if origins.len() == 1 { "log" } else { "logs" };
        let origins = plain(&origins.join(", "));
        parts.push(format!("{} the {logs} {origins}", why_silent(state)));
    }
    let next = match silent.iter().map(|log| log.state).max() {
        Some(LogState::Convicted) => "do not rely on what it says",
        Some(LogState::UnsupportedMapping) => "a newer version of this program may read it",
        _ => "try again later",
    };
    format!("{}{which}; {next}", parts.join(", and "))
}

/// Why there is no answer to rely on, before "the log".
fn why_silent(state: LogState) -> &'static str {
    match state {
        LogState::Answered | LogState::Unreachable => "no answer from",
        LogState::Stale => "only an answer that is too old from",
        LogState::Unconfirmed => "no answer that enough witnesses confirm from",
        LogState::UnsupportedMapping => "an answer of an unknown version from",
        LogState::Convicted => "proof of misbehavior against",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_says_no_sentence() {
        for (text, said) in [
            ("pkg:cargo/serde@1.0.228", "serde 1.0.228 (cargo)"),
            ("pkg:npm/%40scope/name", "@scope/name (npm)"),
            (
                "pkg:generic/It%20was%20reviewed@1.0%20by%20all",
                "\"It was reviewed\" \"1.0 by all\" (generic)",
            ),
            ("pkg:generic/a%22b", "\"a\\\"b\" (generic)"),
            ("CVE-2026-1", "CVE-2026-1"),
            ("vuln:All is well", "\"All is well\""),
        ] {
            let about = About::parse(text).unwrap().unwrap();
            assert_eq!(name(&about), said, "{text}");
        }
    }
}
