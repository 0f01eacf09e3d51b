//! What there is to say of a package as a whole, where most of what is said is of its versions.
//!
//! What a policy demands, it demands of what is used, and that is a version: that nobody says it of
//! the package as a whole is no lack of the package.

use super::names::count;
use super::paragraph::ended;
use super::sentence::{Stand, quiet, unsaid};
use super::{Reader, or};
use crate::ask::{About, Hint};
use crate::one_word;
use crate::report::{Component, Reason, Report, Version, Versions, Weighed};
use assay_policy::rules::Outcome;
use assay_policy::verdict::{Cause, Unspoken};

/// Most versions that a sentence names, and of which it says why.
const NAMED: usize = 5;
const EXPLAINED: usize = 3;

/// The reasons that something is to be said of the one thing that a report is about, the worst
/// first. What nobody says of a package as a whole is none.
pub fn against(report: &Report) -> impl Iterator<Item = &Reason> {
    let is_whole = is_whole(report);
    let components = report.components.first().into_iter();
    let reasons = components.flat_map(Component::against);
    reasons.filter(move |reason| {
        !is_whole || !matches!(reason.cause, Cause::Requirement | Cause::Unknown)
    })
}

/// Whether a report is about a package as a whole.
pub(super) fn is_whole(report: &Report) -> bool {
    matches!(&report.about, Some(About::Package(purl)) if purl.version().is_none())
}

/// What a policy makes of a version, in a few words; nothing if nobody whose word counts speaks of
/// it.
pub fn version_stands(version: &Version) -> &'static str {
    match version.weighed.as_ref().map(stand) {
        Some(Stand::Unchecked) => "could not be checked fully",
        Some(Stand::Act) => "do something about it",
        Some(Stand::Plan) => "plan to do something about it",
        Some(Stand::Unsaid) => "nobody says whether it can be used",
        Some(Stand::Quiet) => "nothing known speaks against it",
        None => "",
    }
}

fn stand(weighed: &Weighed) -> Stand {
    Stand::of(weighed.outcome, weighed.is_judged)
}

/// What is to be done about a package as a whole, in a sentence, and why. What is said of the whole
/// comes before what is as bad of a version.
pub(super) fn sentence(component: &Component, report: &Report) -> (Stand, String, Option<String>) {
    let versions = report.versions.as_ref();
    let own = against(report).next();
    let own_stand = own.map(|reason| Stand::of(reason.outcome, true));
    for (stand, text) in [
        (Stand::Unchecked, "This could not be checked fully"),
        (Stand::Act, "Do something about it"),
        (Stand::Plan, "Plan to do something about it"),
    ] {
        if own_stand == Some(stand) {
            let why = own.map(|reason| reason.text.clone());
            return (stand, format!("{text}."), why);
        }
        let of = that_stand(versions, stand);
        if of.is_empty() {
            continue;
        }
        let text = match stand {
            Stand::Unchecked => format!("{text}."),
            _ => format!(
                "{text} if you use {}.",
                or(names(&of).iter().map(|it| &**it))
            ),
        };
        return (stand, text, Some(why(&of, versions, report.reader)));
    }
    let of = that_stand(versions, Stand::Quiet);
    if !of.is_empty() {
        let text = format!(
            "Nothing that {} of speaks against its {}.",
            report.reader.knows(),
            versions_named(&of)
        );
        let look = match report.reader {
            Reader::Owner => "Look up the version that you use",
            Reader::Visitor | Reader::Unweighed => "Choose the version that you use below",
        };
        let why = format!("{look}: who reviewed it, and how it was built, is said of each.");
        return (Stand::Quiet, text, Some(why + &unweighed(versions)));
    }
    let unspoken = component
        .reasons
        .iter()
        .any(|it| it.cause == Cause::Unknown);
    if !unspoken {
        return (Stand::Quiet, quiet(report), None);
    }
    let (text, why) = unsaid(component, report);
    (Stand::Unsaid, text, why)
}

/// The versions that stand so.
fn that_stand(versions: Option<&Versions>, so: Stand) -> Vec<(&Version, &Weighed)> {
    let weighed = versions.into_iter().flat_map(Versions::weighed);
    weighed.filter(|(_, one)| stand(one) == so).collect()
}

/// Some versions by name, and how many more there are.
fn names(of: &[(&Version, &Weighed)]) -> Vec<String> {
    let named = of.iter().take(NAMED);
    let named = named.map(|(version, _)| one_word(&version.version).into_owned());
    let mut names: Vec<String> = named.collect();
    let more = of.len().saturating_sub(NAMED);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names
}

/// `version 1.0.0`, or `versions 1.0.0 and 1.1.0`.
fn versions_named(of: &[(&Version, &Weighed)]) -> String {
    let names = names(of);
    match names.split_last() {
        Some((last, [])) => format!("version {last}"),
        Some((last, rest)) => format!("versions {} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// Why something is to be done about some versions, and what nothing speaks against.
fn why(of: &[(&Version, &Weighed)], versions: Option<&Versions>, reader: Reader) -> String {
    let mut sentences = Vec::with_capacity(of.len());
    for (version, weighed) in of.iter().take(EXPLAINED) {
        let why = weighed.why.as_deref().unwrap_or_default();
        sentences.push(format!("{}: {}", one_word(&version.version), ended(why)));
    }
    let others = that_stand(versions, Stand::Quiet);
    if !others.is_empty() {
        sentences.push(format!(
            "Nothing that {} of speaks against its {}.",
            reader.knows(),
            versions_named(&others)
        ));
    }
    sentences.join(" ") + &unweighed(versions)
}

/// How many versions were too many to weigh, with a space before; nothing if none were.
fn unweighed(versions: Option<&Versions>) -> String {
    match versions.map_or(0, |versions| versions.unweighed) {
        0 => String::new(),
        more => format!(" {} were not weighed here.", count(more, "more version")),
    }
}

/// Says with a component's reasons what is said beside it, of its versions or by those who are not
/// listened to; of a package as a whole, that what is demanded is demanded of versions.
pub(in crate::report) fn tell(
    component: &mut Component,
    versions: Option<&Versions>,
    hints: &[Hint],
    reader: Reader,
) {
    let is_whole = component.purl.is_some() && component.version.is_none();
    for reason in &mut component.reasons {
        if reason.cause == Cause::Unknown {
            let said = reason.unspoken.clone().unwrap_or_default();
            reason.text = unspoken(&said, &reason.text, versions, hints, reader);
        }
        if is_whole && reason.cause == Cause::Requirement && reason.outcome != Outcome::Fine {
            reason.text.push_str(" This is demanded of a version.");
        }
    }
}

/// Why nothing is known of the one thing that was asked about, and who speaks of it all the same:
/// of its versions, or without being listened to.
fn unspoken(
    said: &Unspoken,
    text: &str,
    versions: Option<&Versions>,
    hints: &[Hint],
    reader: Reader,
) -> String {
    let trust = reader.trust();
    let weighed: Vec<_> = versions.into_iter().flat_map(Versions::weighed).collect();
    if !weighed.is_empty() {
        return format!(
            "Issuers {trust} speak only of its {}.",
            versions_named(&weighed)
        );
    }
    let others = match (unheard(hints), versions) {
        (Some(others), _) => spoken(others),
        (None, Some(versions)) if versions.claims == 1 => {
            "1 claim about one of its versions is from others".to_owned()
        }
        (None, Some(versions)) => {
            format!(
                "{} claims about its versions are from others",
                versions.claims
            )
        }
        (None, None) => return text.to_owned(),
    };
    if *said == Unspoken::default() {
        return format!("No claims from issuers {trust}; {others}.");
    }
    format!("{} {others}.", ended(text))
}

/// How many others have spoken who are not listened to, if any have.
pub(super) fn unheard(hints: &[Hint]) -> Option<u64> {
    hints.iter().find_map(|hint| match hint {
        Hint::Others(others) => Some(*others),
        _ => None,
    })
}

/// That so many others have spoken about it.
pub(super) fn spoken(others: u64) -> String {
    match others {
        1 => "1 other has spoken about it".to_owned(),
        n => format!("{n} others have spoken about it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::example;
    use crate::report::words::{Sentence, sentence};

    const TEXT: &str = "No claims from issuers you trust. Unknown is not trusted.";

    const CAUSES: [(Cause, Outcome); 5] = [
        (Cause::Affected, Outcome::Denied),
        (Cause::Unsupported, Outcome::Warn),
        (Cause::Requirement, Outcome::Warn),
        (Cause::Unknown, Outcome::Warn),
        (Cause::Requirement, Outcome::Fine),
    ];

    /// The example, of a package as a whole with one reason, and of versions of these outcomes,
    /// each with whether somebody says whether it can be used.
    fn report(own: usize, versions: &[(Outcome, bool)]) -> Report {
        let mut report = example::report();
        report.about = About::parse("pkg:cargo/a").unwrap();
        report.components.truncate(1);
        let (cause, outcome) = CAUSES[own];
        let component = &mut report.components[0];
        component.outcome = outcome;
        component.reasons[0].cause = cause;
        component.reasons[0].outcome = outcome;
        let versions = versions.iter().enumerate();
        let versions: Vec<Version> = versions
            .map(|(n, (outcome, is_judged))| Version {
                version: format!("1.{n}"),
                purl: format!("pkg:cargo/a@1.{n}"),
                claims: 1,
                weighed: Some(Weighed {
                    outcome: *outcome,
                    why: (*outcome != Outcome::Fine).then(|| format!("Because of {outcome}")),
                    is_judged: *is_judged,
                }),
            })
            .collect();
        report.versions = (!versions.is_empty()).then_some(Versions {
            claims: versions.len(),
            of: versions,
            unweighed: 0,
        });
        report
    }

    const FINE: (Outcome, bool) = (Outcome::Fine, true);
    const DENIED: (Outcome, bool) = (Outcome::Denied, true);
    const WARN: (Outcome, bool) = (Outcome::Warn, true);
    const NO_WORD: (Outcome, bool) = (Outcome::Warn, false);
    const UNSURE: (Outcome, bool) = (Outcome::Incomplete, true);

    /// Places in [`CAUSES`].
    const AFFECTED: usize = 0;
    const ENDED: usize = 1;
    const LACKS: usize = 2;
    const SILENT: usize = 3;
    const MET: usize = 4;

    /// What is said of the whole and of versions, and how the sentence ends.
    const SAID: [(usize, &[(Outcome, bool)], Stand, &str); 13] = [
        (SILENT, &[DENIED], Stand::Act, "if you use 1.0."),
        (MET, &[FINE, DENIED], Stand::Act, "if you use 1.1."),
        (
            SILENT,
            &[WARN, FINE, WARN],
            Stand::Plan,
            "if you use 1.0 or 1.2.",
        ),
        (ENDED, &[DENIED], Stand::Act, "if you use 1.0."),
        (AFFECTED, &[FINE], Stand::Act, "Do something about it."),
        (
            ENDED,
            &[WARN],
            Stand::Plan,
            "Plan to do something about it.",
        ),
        (
            SILENT,
            &[FINE, NO_WORD],
            Stand::Quiet,
            "speaks against its version 1.0.",
        ),
        (
            LACKS,
            &[FINE, FINE],
            Stand::Quiet,
            "against its versions 1.0 and 1.1.",
        ),
        (
            SILENT,
            &[NO_WORD],
            Stand::Unsaid,
            "has said whether it can be used.",
        ),
        (
            MET,
            &[NO_WORD],
            Stand::Quiet,
            "nobody whom you trust has reviewed it.",
        ),
        (
            LACKS,
            &[],
            Stand::Quiet,
            "nobody whom you trust has reviewed it.",
        ),
        (SILENT, &[], Stand::Unsaid, "has said anything about it."),
        (MET, &[UNSURE, DENIED], Stand::Unchecked, "checked fully."),
    ];

    #[test]
    fn what_is_said_of_versions_is_said_of_the_package() {
        for (own, versions, stand, text) in SAID {
            let said: Sentence = sentence(&report(own, versions)).unwrap();
            assert_eq!(said.stand, stand, "{own} {versions:?} {}", said.text);
            assert!(
                said.text.ends_with(text),
                "{own} {versions:?} {}",
                said.text
            );
        }
        let many = [DENIED, DENIED, DENIED, DENIED, DENIED, DENIED, FINE];
        let said = sentence(&report(3, &many)).unwrap();
        assert!(said.text.ends_with("1.3, 1.4 or 1 more."), "{}", said.text);
        let why = said.why.unwrap();
        assert!(
            why.starts_with("1.0: Because of denied. 1.1: Because"),
            "{why}"
        );
        assert!(why.ends_with("speaks against its version 1.6."), "{why}");
    }

    #[test]
    fn who_speaks_all_the_same_is_said_where_nothing_is_known() {
        fn of(versions: Option<&Versions>, hints: &[Hint]) -> String {
            unspoken(&Unspoken::default(), TEXT, versions, hints, Reader::Owner)
        }
        let others = [Hint::Others(1)];
        assert_eq!(of(None, &[]), TEXT);
        let said = "No claims from issuers you trust; 1 other has spoken about it.";
        assert_eq!(of(None, &others), said);
        let mut versions = report(3, &[(Outcome::Denied, true)]).versions.unwrap();
        let said = "Issuers you trust speak only of its version 1.0.";
        assert_eq!(of(Some(&versions), &others), said);
        versions.of[0].weighed = None;
        let said = of(Some(&versions), &[]);
        assert!(
            said.ends_with("; 1 claim about one of its versions is from others."),
            "{said}"
        );
        let withdrawn = Unspoken {
            withdrawn: 1,
            idle: 1,
            ..Unspoken::default()
        };
        let said = unspoken(
            &withdrawn,
            "It was withdrawn.",
            None,
            &others,
            Reader::Owner,
        );
        assert_eq!(said, "It was withdrawn. 1 other has spoken about it.");
    }
}
