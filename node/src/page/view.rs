//! What a page shows of a report: its words, none of them markup, within a bounded length.

use super::places::{package, place};
use super::text::{shown, shown_within};
use assay_client::ask::{About, Hint};
use assay_client::report::{Line, Log, Question, Reply, Report, Versions, Voice, words};
use assay_client::{is_path, one_word};
use assay_policy::posture::{Part, Question as Asked};

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
    /// The versions that claims are about, if the page is of a package as a whole.
    pub versions: Vec<Linked>,
    pub more_versions: usize,
    /// Whether others said more than is shown.
    pub is_part: bool,
}

/// A version with a page of its own.
pub struct Linked {
    pub place: String,
    pub name: String,
    /// What the policy makes of it, in a few words.
    pub stands: &'static str,
}

/// What a browser checks a page about a package with.
pub struct Check {
    pub purl: String,
    /// The key of the log, and the next one while it is rotated, with a space between.
    pub keys: String,
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

/// A section with the lines that are to stand in it, as far as there is room.
struct Draft<'a> {
    section: Section,
    lines: Vec<&'a Line>,
    /// Those that have room, in the order of the section's.
    placed: Vec<&'a Line>,
}

impl View {
    /// The view of a report.
    pub fn new(report: &Report) -> Self {
        let mut drafts = first(report);
        if let Some(signed) = &report.signed {
            let lines: Vec<&Line> = signed.newest.iter().collect();
            drafts.push(Draft::new(&words::signed_title(signed), lines));
        }
        let first = drafts.len();
        for question in DETAILS {
            let lines = lines_of(report, |asked, line| {
                asked == question && !FIRST.iter().any(|(_, takes)| takes(asked, line))
            });
            let titled = report.questions.iter().find(|it| it.question == question);
            let title = match (titled, &report.about) {
                (Some(titled), Some(about)) => words::title(titled, about),
                _ => words::question(question),
            };
            drafts.push(Draft::new(title, lines));
        }
        Room(BYTES).fill(&mut drafts, report);
        let drafts = drafts.into_iter();
        let mut sections: Vec<Section> = drafts.map(|draft| draft.section).collect();
        let mut details = sections.split_off(first);
        details.retain(|section| !section.is_empty());
        let versions = report.versions.as_ref();
        let of = versions.map_or(0, |versions| versions.of.len());
        View {
            sections,
            details,
            logs: answers(report),
            versions: versions.map(linked).unwrap_or_default(),
            more_versions: of.saturating_sub(LINKS),
            is_part: is_part(report),
        }
    }
}

/// The sections that come first, by themselves, each of which may be empty.
pub fn facts(report: &Report) -> Vec<Section> {
    let mut drafts = first(report);
    Room(BYTES).fill(&mut drafts, report);
    drafts.into_iter().map(|draft| draft.section).collect()
}

/// The sections that come first, with what is to stand in them.
fn first(report: &Report) -> Vec<Draft<'_>> {
    let mut drafts = Vec::with_capacity(FIRST.len() + 1 + DETAILS.len());
    for (title, takes) in FIRST {
        let mut draft = Draft::new(title, lines_of(report, takes));
        let mut lines = draft.lines.iter();
        if lines.any(|line| !line.vulnerabilities.is_empty()) {
            draft.section.sums = reaching(report);
        }
        drafts.push(draft);
    }
    drafts
}

/// How the logs answered.
pub fn answers(report: &Report) -> Vec<Answered> {
    let logs = report.logs.iter();
    logs.map(|log| answered(log, report)).collect()
}

/// Whether others have said more than was read.
pub fn is_part(report: &Report) -> bool {
    report.hints.iter().any(is_of_part)
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
        let place = place(&About::Vulnerability(one.id.clone()));
        is_path(&place).then(|| (place, shown(&says)))
    });
    sums.take(LINKS).collect()
}

/// Where the pages of some versions are.
fn linked(versions: &Versions) -> Vec<Linked> {
    let of = versions.of.iter().take(LINKS);
    let linked = of.map(|one| Linked {
        place: package(&one.purl),
        name: one_word(&one.version).into_owned(),
        stands: words::version_stands(one),
    });
    linked.filter(|one| is_path(&one.place)).collect()
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

impl<'a> Draft<'a> {
    fn new(title: &str, lines: Vec<&'a Line>) -> Self {
        Draft {
            section: Section {
                title: title.to_owned(),
                sums: Vec::new(),
                lines: Vec::new(),
                omitted: 0,
            },
            lines,
            placed: Vec::new(),
        }
    }
}

impl Room {
    /// Fills all sections with as many lines as there is room for. Those whose word counts are
    /// heard first, in every section, with what such people answer; then what others answer them,
    /// and whatever else counts. So nobody can take their room by saying much.
    fn fill(mut self, drafts: &mut [Draft<'_>], report: &Report) {
        self.place(drafts, report, Line::is_trusted);
        self.place(drafts, report, |line| {
            has_role(&line.issuers) && !line.is_trusted()
        });
        for draft in &mut *drafts {
            for (said, line) in draft.section.lines.iter_mut().zip(&draft.placed) {
                self.answer(said, line, report);
            }
        }
        self.place(drafts, report, |line| {
            !has_role(&line.issuers) && line.counts()
        });
        self.place(drafts, report, |line| {
            !has_role(&line.issuers) && !line.counts()
        });
    }

    /// Gives such lines of all sections what room there is.
    fn place(&mut self, drafts: &mut [Draft<'_>], report: &Report, such: fn(&Line) -> bool) {
        for draft in drafts {
            for line in draft.lines.iter().copied().filter(|line| such(line)) {
                let said = Said::new(line, report);
                if self.takes(said.bytes()) {
                    draft.section.lines.push(said);
                    draft.placed.push(line);
                } else {
                    draft.section.omitted += 1;
                }
            }
        }
    }

    /// Gives what others answer to a line what room there is.
    fn answer(&mut self, said: &mut Said, line: &Line, report: &Report) {
        let others = replies(line).iter();
        for reply in others.filter(|reply| !has_role(&reply.issuers)) {
            if said.replies.len() == REPLIES {
                return;
            }
            let (text, effect) = answer(reply, report);
            if self.takes(text_bytes(&text)) {
                said.replies.push((text, effect));
                said.more_replies -= 1;
            }
        }
    }

    /// Whether so much has room, which it then has taken.
    fn takes(&mut self, bytes: usize) -> bool {
        let left = self.0.checked_sub(bytes);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

/// What is answered to a line. What is said of those who reply stands with them.
fn replies(line: &Line) -> &[Reply] {
    match line.target {
        None => &line.replies,
        Some(_) => &[],
    }
}

/// Whether one of those who say something has a role under the policy, whether or not it counts.
fn has_role(voices: &[Voice]) -> bool {
    voices.iter().any(|voice| !voice.roles.is_empty())
}

fn answer(reply: &Reply, report: &Report) -> (String, bool) {
    (shown(&words::reply(reply, report)), reply.effect)
}

impl Said {
    /// A line with what is answered to it: if somebody with a role says it, by such people alone.
    fn new(line: &Line, report: &Report) -> Self {
        let replies = replies(line);
        let is_free = !has_role(&line.issuers);
        let issuers = line.issuers.iter().take(REPLIES);
        let first = replies.iter();
        let first = first.filter(|reply| is_free || has_role(&reply.issuers));
        let first = first.take(REPLIES).map(|reply| answer(reply, report));
        let shown_replies: Vec<(String, bool)> = first.collect();
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
                .map(|Voice { issuer_id: id, .. }| (id.clone(), words::shorten(id).to_owned()))
                .collect(),
            more_replies: replies.len() - shown_replies.len(),
            replies: shown_replies,
        }
    }

    /// About the bytes that it is written in.
    fn bytes(&self) -> usize {
        let replies = self.replies.iter().map(|(text, _)| text);
        let texts = replies.chain([&self.says, &self.who]).chain(&self.why_not);
        let texts: usize = texts.map(|text| text_bytes(text)).sum();
        LINE_BYTES + texts + 160 * self.issuers.len()
    }
}

/// About the bytes that a text is written in, with what stands around it.
fn text_bytes(text: &str) -> usize {
    written(text) + LINE_BYTES / 4
}

/// The bytes of a text whose markup is escaped.
pub fn written(text: &str) -> usize {
    let escaped = text.bytes().filter(|byte| b"<>&\"'".contains(byte)).count();
    text.len() + 4 * escaped
}

/// The logs without a whole and recent answer, which is said before what they say.
pub fn lacking(report: &Report) -> Vec<Answered> {
    let logs = report.logs.iter().filter(|log| !log.is_good());
    logs.map(|log| answered(log, report)).collect()
}

/// Most characters of the paragraph: a few sentences, each with what three people say.
const PARAGRAPH: usize = 4_000;

/// What is known, in a paragraph. What others say in it is cut where it is quoted, so that who says
/// it and what it is worth stand behind it.
pub fn paragraph(about: &About, report: &Report) -> String {
    shown_within(&words::paragraph(about, report), PARAGRAPH)
}

#[cfg(test)]
mod tests;
