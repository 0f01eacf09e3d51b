//! Two packages side by side: the same facts about both, by whom, and what is not known. There is
//! no grade, and nothing says which is better.

use super::frame::{Frame, HTML, answer, rendered};
use super::made::{Made, Pages, Short, Unmade};
use super::places::{compare as place, linked};
use super::text::{base, shown, shown_within};
use super::view::{Answered, Section, facts, is_part, lacking};
use askama::Template;
use assay_claims::purl::Purl;
use assay_client::ask::About;
use assay_client::report::{Report, words};
use axum::{extract::State, http::StatusCode, response::Response};
use std::sync::Arc;

/// Most characters of why something is to be done.
const WHY: usize = 800;

/// The page.
#[derive(Template)]
#[template(path = "compare.html")]
struct ComparePage {
    frame: Frame,
    /// The node's own log, whose proofs it has.
    own: String,
    /// What is wrong with the question.
    said: Option<String>,
    /// Both packages, as the form has them.
    typed: [String; 2],
    compared: Option<Compared>,
}

/// What is known of both.
struct Compared {
    lacking: Vec<Answered>,
    sides: [Side; 2],
    /// Whether both are one package.
    are_same: bool,
    /// Whether others said more than is shown.
    is_part: bool,
    /// Whether there is a policy, by which each has a sentence.
    are_weighed: bool,
    /// A question, and what is said of each side.
    rows: Vec<(String, Vec<Cell>)>,
    /// What a reader types to find the same.
    commands: Vec<String>,
}

/// What is said of one side.
struct Cell {
    name: String,
    section: Section,
    nothing: &'static str,
}

/// A package.
struct Side {
    /// Its page, if it has one.
    place: Option<String>,
    name: String,
    purl: String,
    sentence: Option<words::Sentence>,
    why: Option<String>,
}

impl Side {
    fn of(purl: &Purl, report: &Report) -> Self {
        let sentence = words::sentence(report);
        let why = sentence.as_ref().and_then(|it| it.why.as_deref());
        Side {
            place: linked(purl.as_str()),
            name: name(purl),
            purl: purl.as_str().to_owned(),
            why: why.map(|why| shown_within(why, WHY)),
            sentence,
        }
    }
}

/// What a package is called.
fn name(purl: &Purl) -> String {
    words::name(&About::Package(purl.clone()))
}

/// The page that compares two packages, or asks for them.
pub async fn compare(State(pages): State<Arc<Pages>>, Short(asked): Short) -> Response {
    let pairs = asked.query();
    let typed = ["a", "b"].map(|wanted| {
        let mut pairs = pairs.iter();
        let found = pairs.find(|(name, _)| name == wanted);
        found.map(|(_, text)| text.trim()).unwrap_or_default()
    });
    let mut page = ComparePage {
        frame: pages.frame(&asked, "Compare two packages"),
        own: pages.site.origin(),
        said: None,
        typed: typed.map(str::to_owned),
        compared: None,
    };
    match typed.map(Purl::canonicalize) {
        [Ok(a), Ok(b)] => {
            let spelled = [("a", a.as_str()), ("b", b.as_str())];
            let said = pairs.iter().map(|(name, text)| (&name[..], &text[..]));
            let to = place(&a, &b);
            if !said.eq(spelled) {
                return asked.see(StatusCode::MOVED_PERMANENTLY, &to);
            }
            let key = format!("{} {to}", base(asked.uri.path()));
            let make = |pages: Arc<Pages>| async move { made(&pages, page, [a, b]).await };
            pages.made(&asked, key, HTML, make).await
        }
        purls => {
            let wrong = typed.iter().zip(purls).filter(|(text, _)| !text.is_empty());
            let wrong = wrong.filter_map(|(text, purl)| Some((text, purl.err()?)));
            let wrong: Vec<String> = wrong
                .map(|(text, error)| format!("{text}: {error}."))
                .collect();
            page.said = (!wrong.is_empty()).then(|| shown(&wrong.join(" ")));
            answer(StatusCode::OK, &asked, &page).await
        }
    }
}

async fn made(pages: &Pages, page: ComparePage, purls: [Purl; 2]) -> Result<Made, Unmade> {
    let report = |purl: &Purl| pages.site.report(About::Package(purl.clone()), purls.len());
    let (first, second) = tokio::try_join!(report(&purls[0]), report(&purls[1]))?;
    let is_whole = first.is_whole() && second.is_whole();
    let mut compared = Compared::of(&purls, [&first, &second]);
    for purl in &purls {
        compared
            .commands
            .extend(pages.commands(&About::Package(purl.clone())));
    }
    let compared = Some(compared);
    let body = rendered(&ComparePage { compared, ..page })?;
    Ok(Made { body, is_whole })
}

impl Compared {
    fn of(purls: &[Purl; 2], reports: [&Report; 2]) -> Self {
        let [a, b] = reports;
        let sides = [Side::of(&purls[0], a), Side::of(&purls[1], b)];
        let mut rows = Vec::new();
        for (first, second) in facts(a).into_iter().zip(facts(b)) {
            let title = first.title.clone();
            let sections = [(first, a), (second, b)].into_iter().zip(&sides);
            let cells = sections.map(|((section, report), side)| Cell {
                name: side.name.clone(),
                section,
                nothing: nothing(report),
            });
            rows.push((title, cells.collect()));
        }
        // Both ask the same logs; one may have answered only once.
        let mut all = lacking(a);
        for log in lacking(b) {
            if all.iter().all(|known| known.rest != log.rest) {
                all.push(log);
            }
        }
        Compared {
            lacking: all,
            are_same: purls[0] == purls[1],
            is_part: is_part(a) || is_part(b),
            are_weighed: sides.iter().any(|side| side.sentence.is_some()),
            sides,
            rows,
            commands: Vec::new(),
        }
    }
}

/// What is to be said where nothing is.
fn nothing(report: &Report) -> &'static str {
    if report.versions.is_some() {
        "Nothing is said of the package as a whole: see the version that you use."
    } else if report.is_whole() {
        "Nobody has said anything."
    } else {
        "Nothing was found, where it could be looked for."
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_client::ask::{Hint, LogState};
    use assay_client::report::{Versions, example};

    const PURLS: [&str; 2] = ["pkg:cargo/a@1", "pkg:cargo/b@1"];

    fn compared(reports: [&Report; 2]) -> Compared {
        let purls = PURLS.map(|purl| Purl::canonicalize(purl).unwrap());
        Compared::of(&purls, reports)
    }

    /// The example, of which a log did not answer.
    fn lacking_one() -> Report {
        let mut report = example::report();
        report.logs[0].state = LogState::Unreachable;
        report
    }

    #[test]
    fn a_log_that_both_lack_is_named_once() {
        let (whole, lacking) = (example::report(), lacking_one());
        assert_eq!(compared([&whole, &whole]).lacking.len(), 0);
        for reports in [[&whole, &lacking], [&lacking, &whole], [&lacking, &lacking]] {
            assert_eq!(compared(reports).lacking.len(), 1);
        }
        let mut other = lacking_one();
        other.logs[0].origin = "other.example".to_owned();
        assert_eq!(compared([&lacking, &other]).lacking.len(), 2);
    }

    #[test]
    fn what_others_said_beyond_either_page_is_told() {
        let (all, mut part) = (example::report(), example::report());
        part.hints = vec![Hint::Talkative(1)];
        assert!(!compared([&all, &all]).is_part);
        assert!(compared([&all, &part]).is_part && compared([&part, &all]).is_part);
    }

    #[test]
    fn silence_is_what_every_log_shows_of_a_version() {
        let mut report = example::report();
        assert_eq!(nothing(&report), "Nobody has said anything.");
        assert!(nothing(&lacking_one()).starts_with("Nothing was found"));
        report.versions = Some(Versions {
            claims: 1,
            of: Vec::new(),
            unweighed: 0,
        });
        assert!(nothing(&report).starts_with("Nothing is said of the package as a whole"));
    }
}
