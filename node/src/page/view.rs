//! What a page shows of a report: its words, none of them markup, within a bounded length.

use super::places::{package, place};
use super::text::shown;
use assay_client::ask::{About, Hint};
use assay_client::report::{Line, Log, Question, Reply, Report, Versions, words};
use assay_policy::posture::{Part, Question as Asked};
use std::collections::BTreeSet;

/// Bytes of all that strangers said on one page, as they are written. With the frame, the style and
/// the scripts, of which the verifier has 40 KiB, a page stays below 80 KiB.
const BYTES: usize = 20 << 10;

/// About what a line takes beside its words.
const LINE_BYTES: usize = 640;

/// Most replies that are shown with what they answer, and most signers that are linked.
const REPLIES: usize = 4;

/// Most versions and vulnerabilities that are linked.
const LINKS: usize = 40;

/// Something that is said.
pub struct Said {
    pub says: String,
    pub who: String,
    /// Why it counts for nothing, or not for all.
    pub why_not: Option<String>,
    /// Whether it counts without reservation.
    pub counts: bool,
    /// The claim, in hex.
    pub claim: String,
    /// Its place in the log.
    pub leaf: u64,
    /// The logs that have it, each with its place there.
    pub places: Vec<(String, u64)>,
    /// Whether it speaks of the very thing that the page is about, and not of who speaks.
    pub is_own: bool,
    /// Who signed it, in hex, and the beginning of that.
    pub issuers: Vec<(String, String)>,
    /// What others answer.
    pub replies: Vec<(String, bool)>,
    pub more_replies: usize,
}

/// A question with what is said.
pub struct Section {
    pub title: String,
    /// What follows of it all: where to go, and in which words.
    pub sums: Vec<(String, String)>,
    pub lines: Vec<Said>,
    /// How many lines had no room.
    pub omitted: usize,
}

/// How a log answered.
pub struct Answered {
    pub word: &'static str,
    pub rest: String,
    pub checkpoint: String,
}

/// The sections of a page, in its order, and how the logs answered.
pub struct View {
    pub sections: Vec<Section>,
    pub details: Vec<Section>,
    pub logs: Vec<Answered>,
    /// The versions that claims are about, if the page is of a package as a whole: where their
    /// pages are, and what they are called.
    pub versions: Vec<(String, String)>,
    pub more_versions: usize,
    /// Whether others said more than is shown.
    pub is_part: bool,
}

/// What a browser checks a page about a package with.
pub struct Check {
    pub purl: String,
    /// The key of the log.
    pub key: String,
    /// The size of the log that the page is as of.
    pub size: u64,
    /// Whether the page leaves something out, and says so.
    pub is_part: bool,
}

/// Which lines a section has.
type Takes = fn(Asked, &Line) -> bool;

/// The sections that come first.
const FIRST: [(&str, Takes); 6] = [
    (
        "Until when is it supported, and who says so?",
        |asked, _| asked == Asked::Supported,
    ),
    (
        "Which problems are known, and do they reach you?",
        |asked, _| asked == Asked::Vulnerable,
    ),
    ("What data does it handle?", |asked, line| {
        asked == Asked::Practices && line.part == Part::DataHandling
    }),
    ("Who has looked at it?", |asked, _| asked == Asked::Reviewed),
    ("Where does it come from?", |asked, _| {
        matches!(asked, Asked::Authentic | Asked::Built)
    }),
    ("Where can you report a problem?", |asked, line| {
        asked == Asked::Practices && line.part == Part::SecurityInsights
    }),
];

/// Those for whoever wants to know more.
const DETAILS: [Asked; 5] = [
    Asked::Practices,
    Asked::Demanded,
    Asked::Other,
    Asked::Disagreement,
    Asked::Vouched,
];

/// What is left to write.
struct Room(usize);

impl View {
    /// The view of a report.
    pub fn new(report: &Report) -> Self {
        let mut room = Room(BYTES);
        let mut sections = Vec::with_capacity(FIRST.len() + 1);
        for (title, takes) in FIRST {
            let lines = lines_of(report, takes);
            let mut section = room.section(title.to_owned(), &lines, report);
            if lines.iter().any(|line| !line.vulnerabilities.is_empty()) {
                section.sums = reaching(report);
            }
            sections.push(section);
        }
        if let Some(signed) = &report.signed {
            let lines: Vec<&Line> = signed.newest.iter().collect();
            sections.push(room.section(words::signed_title(signed), &lines, report));
        }
        let mut details = Vec::with_capacity(DETAILS.len());
        for question in DETAILS {
            let lines = lines_of(report, |asked, line| {
                asked == question && !FIRST.iter().any(|(_, takes)| takes(asked, line))
            });
            let titled = report.questions.iter().find(|it| it.question == question);
            let title = match (titled, &report.about) {
                (Some(titled), Some(about)) => words::title(titled, about),
                _ => words::question(question),
            };
            details.push(room.section(title.to_owned(), &lines, report));
        }
        details.retain(|section| !section.is_empty());
        let versions = report.versions.as_ref();
        let of = versions.map_or(0, |versions| versions.of.len());
        View {
            sections,
            details,
            logs: report
                .logs
                .iter()
                .map(|log| answered(log, report))
                .collect(),
            versions: versions.map(linked).unwrap_or_default(),
            more_versions: of.saturating_sub(LINKS),
            is_part: report.hints.iter().any(is_of_part),
        }
    }
}

impl Section {
    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.omitted == 0
    }
}

fn lines_of(report: &Report, takes: impl Fn(Asked, &Line) -> bool) -> Vec<&Line> {
    let mut taken = Vec::new();
    for Question {
        question, lines, ..
    } in &report.questions
    {
        taken.extend(lines.iter().filter(|line| takes(*question, line)));
    }
    taken
}

/// Whether each vulnerability reaches the component, by those whose word counts.
fn reaching(report: &Report) -> Vec<(String, String)> {
    let components = report.components.iter();
    let all = components.flat_map(|component| &component.vulnerabilities);
    let sums = all.filter_map(|one| {
        let says = words::reaches(one)?;
        Some((place(&About::Vulnerability(one.id.clone())), shown(&says)))
    });
    sums.take(LINKS).collect()
}

/// Where the pages of some versions are.
fn linked(versions: &Versions) -> Vec<(String, String)> {
    let of = versions.of.iter().take(LINKS);
    of.map(|one| (package(&one.purl), shown(&one.version)))
        .collect()
}

/// Whether a hint says that not all is shown that others say.
fn is_of_part(hint: &Hint) -> bool {
    matches!(
        hint,
        Hint::MoreOthers { .. }
            | Hint::Talkative(_)
            | Hint::Unasked(_)
            | Hint::TooMuch(_)
            | Hint::OthersFailed(_)
    )
}

fn answered(log: &Log, report: &Report) -> Answered {
    let line = words::log_line(log, report);
    let head = log.head.as_ref();
    Answered {
        word: line.word,
        rest: shown(&line.rest),
        checkpoint: head.map(|head| head.checkpoint.clone()).unwrap_or_default(),
    }
}

impl Room {
    /// A section with as many lines as there is room for, those that count first.
    fn section(&mut self, title: String, lines: &[&Line], report: &Report) -> Section {
        let mut section = Section {
            title: shown(&title),
            sums: Vec::new(),
            lines: Vec::new(),
            omitted: 0,
        };
        let (counting, others): (Vec<&Line>, Vec<&Line>) =
            lines.iter().copied().partition(|line| line.counts());
        for line in counting.into_iter().chain(others) {
            let said = Said::new(line, report);
            let bytes = said.bytes();
            if bytes > self.0 {
                section.omitted += 1;
                continue;
            }
            self.0 -= bytes;
            section.lines.push(said);
        }
        section
    }
}

impl Said {
    fn new(line: &Line, report: &Report) -> Self {
        // What is said of those who reply stands with them.
        let replies: &[Reply] = if line.target.is_none() {
            &line.replies
        } else {
            &[]
        };
        let mut seen = BTreeSet::new();
        let issuers = line.issuers.iter().map(|voice| voice.issuer_id.clone());
        let issuers = issuers.filter(|id| seen.insert(id.clone())).take(REPLIES);
        let shown_replies = replies.iter().take(REPLIES);
        Said {
            says: shown(&words::says(line, report)),
            who: shown(&words::who_says(line, report)),
            why_not: line.why_not.as_deref().map(shown),
            counts: line.counts(),
            claim: line.claim_id.clone(),
            leaf: line.leaf_index,
            places: (line.logs.iter())
                .map(|place| (place.log.clone(), place.leaf_index))
                .collect(),
            is_own: line.target.is_none() && line.vouches_for.is_none(),
            issuers: issuers
                .map(|id| (id.clone(), words::shorten(&id).to_owned()))
                .collect(),
            replies: shown_replies
                .map(|reply| (shown(&words::reply(reply, report)), reply.effect))
                .collect(),
            more_replies: replies.len().saturating_sub(REPLIES),
        }
    }

    /// About the bytes that it is written in.
    fn bytes(&self) -> usize {
        let replies = self.replies.iter().map(|(text, _)| text);
        let texts = replies.chain([&self.says, &self.who]).chain(&self.why_not);
        let texts: usize = texts.map(|text| written(text) + LINE_BYTES / 4).sum();
        LINE_BYTES + texts + 160 * self.issuers.len()
    }
}

/// The bytes of a text whose markup is escaped.
fn written(text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| b"<>&\"'".contains(byte)).count();
    text.len() + 4 * escaped
}

/// The logs without a whole and recent answer, which is said before what they say.
pub fn lacking(report: &Report) -> Vec<Answered> {
    let logs = report.logs.iter().filter(|log| !log.is_good());
    logs.map(|log| answered(log, report)).collect()
}

/// Most sentences of the paragraph.
const SENTENCES: usize = 24;

/// What is known, in a paragraph.
pub fn paragraph(about: &About, report: &Report) -> String {
    let text = words::paragraph(about, report);
    // Each part has the length of a text.
    let parts = text.split_inclusive(". ").take(SENTENCES);
    parts.map(shown).collect()
}
