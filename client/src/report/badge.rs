//! Badges: one fact about a package, as a picture or for programs that draw one. Nodes serve what
//! is made here, and `assay badge` writes it.
//!
//! A maintainer chooses which fact, and what speaks against the package overrides it. There is no
//! grade, and what is not known is said in gray. No stranger's word is on a badge.

use super::{Fact, Line, Report, Versions};
use crate::{in_path, is_path, wrong_port};
use assay_claims::kind::lifecycle::Extent;
use assay_claims::purl::Purl;
use assay_claims::time::rfc3339_of_ms;
use assay_policy::rules::Outcome;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// What stands on the left.
const LABEL: &str = "assay";

/// What stands on the right if the versions of a package differ, or only of them something is said.
const DEPENDS: &str = "depends on the version";

/// Colors, which say nothing that the words do not.
const PLAIN: &str = "#1f5fa8";
const STOP: &str = "#a3261b";
const GRAY: &str = "#63636b";

/// About the width of a letter, and the space around a text, in pixels.
const LETTER: usize = 7;
const SPACE: usize = 10;

/// When something was said: as the claim says, but not after the log took it; when the log took it;
/// and its place there.
type When = (i64, i64, u64);

/// Which fact is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Show {
    /// Until when it is supported, or else how many reviewed it.
    #[default]
    Anything,
    /// Until when it is supported.
    Support,
    /// How many reviewed it.
    Reviews,
}

/// A badge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Badge {
    message: String,
    color: &'static str,
}

impl Show {
    /// The fact of a name; `None` if no fact has it.
    pub fn named(name: &str) -> Option<Self> {
        [Show::Support, Show::Reviews]
            .into_iter()
            .find(|show| show.name() == Some(name))
    }

    /// The name of the fact, as in `?show=`; `None` if whichever is known is shown.
    pub const fn name(self) -> Option<&'static str> {
        match self {
            Show::Anything => None,
            Show::Support => Some("support"),
            Show::Reviews => Some("reviews"),
        }
    }
}

impl Badge {
    /// A badge that says why nothing is known, in so many of our own words.
    pub fn gray(message: &'static str) -> Self {
        Badge {
            message: message.to_owned(),
            color: GRAY,
        }
    }

    /// The badge of the package that a report is about, by the policy that weighed it: what is not
    /// known, or could not be checked, it says in gray.
    pub fn of(report: &Report, show: Show) -> Self {
        if !report.is_whole() {
            return Badge::gray("not checked");
        }
        let Some(component) = report.components.first() else {
            return Badge::gray("unknown");
        };
        let versions = report.versions.as_ref();
        if component.outcome == Outcome::Denied || versions.is_some_and(Versions::are_denied) {
            return Badge {
                message: "read this".to_owned(),
                color: STOP,
            };
        }
        let message = match show {
            Show::Anything => support(report).or_else(|| reviews(report)),
            Show::Support => support(report),
            Show::Reviews => reviews(report),
        };
        // Of a package as a whole, what is said of its versions is not passed over.
        let mut weighed = versions.into_iter().flat_map(Versions::weighed).peekable();
        let are_any = weighed.peek().is_some();
        let is_any_denied = weighed.any(|(_, one)| one.outcome == Outcome::Denied);
        let message = match message {
            None if are_any => Some(DEPENDS.to_owned()),
            Some(_) if is_any_denied => Some(DEPENDS.to_owned()),
            message => message,
        };
        message.map_or_else(
            || Badge::gray("unknown"),
            |message| Badge {
                message,
                color: PLAIN,
            },
        )
    }

    /// What it says.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// As a picture: SVG of at most 2 KiB, with a title and a role, and a line end.
    pub fn svg(&self) -> String {
        let width = |text: &str| LETTER * text.chars().count() + SPACE;
        let (left, right) = (width(LABEL), width(&self.message));
        let (whole, middle) = (left + right, left + right / 2);
        let (message, color) = (&self.message, self.color);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{whole}\" height=\"20\" \
             role=\"img\" aria-label=\"{LABEL}: {message}\"><title>{LABEL}: {message}</title>\
             <rect width=\"{left}\" height=\"20\" fill=\"#33333a\"/><rect x=\"{left}\" \
             width=\"{right}\" height=\"20\" fill=\"{color}\"/><g fill=\"#fff\" \
             font-family=\"Verdana,DejaVu Sans,sans-serif\" font-size=\"11\" \
             text-anchor=\"middle\"><text x=\"{}\" y=\"14\">{LABEL}</text><text x=\"{middle}\" \
             y=\"14\">{message}</text></g></svg>\n",
            left / 2
        )
    }

    /// For shields.io and others that draw it: one JSON object of their schema 1, and a line end.
    pub fn json(&self) -> String {
        let badge = json!({
            "schemaVersion": 1,
            "label": LABEL,
            "message": self.message,
            "color": self.color,
        });
        format!("{badge}\n")
    }
}

/// Where the badge of a package is below the address of a node's pages, without its ending.
pub fn badge_place(purl: &Purl) -> String {
    format!("badge/{}", in_path(purl.as_str()))
}

/// A line of Markdown that shows the badge of a package which a node makes, and leads to its page
/// there, with a line end. `pages` is the address of the node's pages: `None` if it is none of HTTP
/// that can stand in Markdown as it is, or if the package has no page, because browsers would take
/// parts of its name for folders. What the badge says changes, so that it is not in its words.
pub fn markdown(pages: &str, purl: &Purl, show: Show) -> Option<String> {
    let rest = pages
        .strip_prefix("https://")
        .or(pages.strip_prefix("http://"))?;
    if rest.is_empty()
        || wrong_port(pages).is_some()
        || !rest
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._~:/@%[]".contains(c))
    {
        return None;
    }
    let (base, badge) = (pages.trim_end_matches('/'), badge_place(purl));
    if !is_path(&badge) {
        return None;
    }
    let page = in_path(purl.as_str());
    let query = show.name().map(|name| format!("?show={name}"));
    let query = query.unwrap_or_default();
    Some(format!(
        "[![Assay]({base}/{badge}.svg{query})]({base}/p/{page})\n"
    ))
}

/// Until when it is supported, by those whose word counts: as in the policy's rules, the newest
/// word of each displaces its older ones, of those that come closest to the version, and one who
/// still supports it is enough.
fn support(report: &Report) -> Option<String> {
    let mut words: BTreeMap<&str, Vec<Word<'_>>> = BTreeMap::new();
    for line in report.lines() {
        let Some(Fact::Supported {
            until,
            looked_at_ms,
            extent,
        }) = &line.fact
        else {
            continue;
        };
        let logged = i64::try_from(line.logged_at_ms).unwrap_or(i64::MAX);
        let word = Word {
            extent: *extent,
            when: ((*looked_at_ms).min(logged), logged, line.leaf_index),
            until: until.as_deref(),
        };
        for voice in line.trusted() {
            words.entry(&voice.issuer_id).or_default().push(word);
        }
    }
    let now = rfc3339_of_ms(report.asked_at_ms);
    let today = now.get(..10).unwrap_or_default();
    let days: Vec<Option<&str>> = words.values().filter_map(|words| last(words)).collect();
    until(&days, today)
}

/// Until when somebody says that it is supported, and of what.
#[derive(Debug, Clone, Copy)]
struct Word<'r> {
    extent: Extent,
    when: When,
    until: Option<&'r str>,
}

/// The last day by the words of one issuer; `None` if it says nothing.
fn last<'r>(words: &[Word<'r>]) -> Option<Option<&'r str>> {
    let closest = Extent::closest(words.iter().map(|word| word.extent));
    let closest = words.iter().filter(|word| closest.contains(&word.extent));
    closest.max_by_key(|word| word.when).map(|word| word.until)
}

/// What is said of the last days that several state; `None` is one that will be announced.
fn until(days: &[Option<&str>], today: &str) -> Option<String> {
    let day = days.iter().copied().flatten().max()?;
    let month = day.get(..7).unwrap_or(day);
    if day >= today {
        return Some(format!("supported to {month}"));
    }
    // Who has yet to announce an end still supports it.
    let has_ended = !days.contains(&None);
    has_ended.then(|| format!("support ended {month}"))
}

/// How many reviewed it, and found it good.
fn reviews(report: &Report) -> Option<String> {
    let lines = report
        .lines()
        .filter(|line| line.fact == Some(Fact::Passed));
    let voices = lines.flat_map(Line::trusted);
    let issuers: BTreeSet<&str> = voices.map(|voice| voice.issuer_id.as_str()).collect();
    match issuers.len() {
        0 => None,
        1 => Some("1 review".to_owned()),
        n => Some(format!("{n} reviews")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::words::fact;
    use super::*;
    use assay_claims::json;
    use assay_claims::kind::Body;
    use assay_claims::kind::lifecycle::Lifecycle;

    #[test]
    fn one_who_still_supports_it_is_enough() {
        for (days, said) in [
            (
                &[Some("2025-01-01"), Some("2031-05-01")][..],
                Some("supported to 2031-05"),
            ),
            (&[Some("2026-02-03")], Some("supported to 2026-02")),
            (
                &[Some("2024-01-01"), Some("2025-12-31")],
                Some("support ended 2025-12"),
            ),
            (&[Some("2025-01-01"), None], None),
            (&[None, Some("2026-08-01")], Some("supported to 2026-08")),
            (&[None], None),
            (&[], None),
        ] {
            assert_eq!(until(days, "2026-02-03").as_deref(), said, "{days:?}");
        }
    }

    #[test]
    fn the_closest_word_of_an_issuer_counts_and_of_these_the_newest() {
        let word = |extent, at, until| Word {
            extent,
            when: (at, at, 0),
            until,
        };
        let (close, wide) = (Extent::Cycle(3), Extent::Cycle(1));
        let (day, later) = (Some("2025-01-01"), Some("2031-05-01"));
        let said = [word(close, 1, day), word(wide, 2, None)];
        assert_eq!(last(&said), Some(day));
        let said = [
            word(close, 1, day),
            word(wide, 3, None),
            word(close, 2, later),
        ];
        assert_eq!(last(&said), Some(later));
        let said = [word(Extent::Package, 2, day), word(wide, 1, None)];
        assert_eq!(last(&said), Some(None));
        assert_eq!(last(&[]), None);
    }

    /// What is over gets no support, whatever else is stated.
    #[test]
    fn the_first_of_both_ends_is_the_end_of_support() {
        for (security, life, expected) in [
            ("2030-05-01", "2029-01-01", Some("2029-01-01")),
            ("2030-05-01", "2031-01-01", Some("2030-05-01")),
            ("tba", "2029-01-01", Some("2029-01-01")),
            ("2030-05-01", "tba", Some("2030-05-01")),
            ("tba", "tba", None),
        ] {
            let text = format!(
                r#"{{"end_of_security_support":"{security}","end_of_life":"{life}","last_updated":"2026-01-01T00:00:00Z"}}"#
            );
            let dates = Lifecycle::parse(&json::parse(text.as_bytes()).unwrap()).unwrap();
            let Some(Fact::Supported { until, .. }) = fact(&Body::Lifecycle(dates), &[]) else {
                panic!("{text}");
            };
            assert_eq!(until.as_deref(), expected, "{text}");
        }
    }

    /// What a picture of each fact has, and that no message is too long for one.
    #[test]
    fn a_picture_says_what_it_shows_in_two_kilobytes() {
        for message in ["supported to 2090-05", DEPENDS, "no such package"] {
            let badge = Badge::gray(message);
            let svg = badge.svg();
            assert!(svg.contains(&format!("<title>assay: {message}</title>")));
            assert!(svg.contains("role=\"img\"") && svg.len() <= 2048, "{svg}");
            assert!(badge.json().contains(&format!("\"message\":\"{message}\"")));
        }
    }

    #[test]
    fn a_line_of_markdown_has_nothing_but_the_badge_and_the_page() {
        let purl = |text: &str| Purl::canonicalize(text).unwrap();
        let scoped = purl("pkg:npm/@a/b@1?x=y)");
        let line = markdown("https://node.example/below/", &scoped, Show::Reviews).unwrap();
        let at = "https://node.example/below/";
        let name = "pkg:npm/%2540a/b@1%3Fx%3Dy%2529";
        let expected = format!("[![Assay]({at}badge/{name}.svg?show=reviews)]({at}p/{name})\n");
        assert_eq!(line, expected);
        let serde = purl("pkg:cargo/serde");
        let line = markdown("http://[::1]:7480", &serde, Show::Anything).unwrap();
        assert!(line.contains("serde.svg)]"), "{line}");
        for pages in [
            "javascript:alert(1)",
            "node.example",
            "https://",
            "https://a)[x](https://b",
            "https://a b",
            "https://a:99999",
        ] {
            assert_eq!(markdown(pages, &serde, Show::Anything), None, "{pages}");
        }
        let dots = purl("pkg:golang/%2e%2e/logout");
        assert_eq!(markdown("https://a", &dots, Show::Anything), None);
    }
}
