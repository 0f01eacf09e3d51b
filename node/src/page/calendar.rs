//! The calendar of support: what of some packages ends when, and who says so; as a page, and as
//! iCalendar for programs.
//!
//! What is said and who counts is the client's to find, as for `assay lifecycle`. The dates are of
//! those whom the site trusts, so that strangers cost it nothing, and a site without a policy has
//! none.

use super::frame::{Asked, Frame, HTML, answer, rendered};
use super::made::{Made, NO_POLICY, Pages, Short, Unmade};
use super::places::{calendar as place, linked, packages_query};
use super::text::{base, for_shell, shown, shown_within};
use super::view::{Answered, answers, lacking, written};
use askama::Template;
use assay_claims::purl::Purl;
use assay_claims::time::rfc3339_of_ms;
use assay_client::report::lifecycle::{Calendar, Day, Entry, What, ics};
use assay_client::report::{Report, words};
use axum::{extract::State, http::StatusCode, response::Response};
use std::sync::Arc;

/// Most packages of one calendar: they are asked about together.
const PACKAGES: usize = 40;

/// Bytes of all that a page says of dates, as they are written, and about what a line takes beside
/// its words. There are no scripts, so that the page stays below 80 KiB.
const BYTES: usize = 40 << 10;
const LINE_BYTES: usize = 480;

/// Most characters of who says something.
const WHO: usize = 200;

const ICS: &str = "text/calendar; charset=utf-8";

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The page.
#[derive(Template)]
#[template(path = "calendar.html")]
struct CalendarPage {
    frame: Frame,
    /// What is wrong with the question.
    said: Option<String>,
    /// The packages, a line each, as the form has them.
    packages: String,
    most: usize,
    shown: Option<Shown>,
}

/// What is known of some packages.
struct Shown {
    /// The logs that did not answer as they must.
    lacking: Vec<Answered>,
    /// What ends when, by month, and what has no day.
    groups: Vec<Group>,
    /// How much had no room.
    omitted: usize,
    /// Of which packages nothing is known, and why.
    unknown: Vec<(&'static str, Vec<Named>)>,
    /// How the logs answered.
    logs: Vec<Answered>,
    /// Where the same is for programs, and what a reader types; nothing if nobody is trusted.
    more: Option<(String, String)>,
}

/// What ends within a month, or what has a heading of its own.
struct Group {
    title: String,
    rows: Vec<Row>,
}

/// What somebody says of one end.
struct Row {
    /// The day.
    day: Option<String>,
    package: Named,
    what: String,
    who: String,
    /// On which day it was last looked at.
    looked: String,
    /// The claim, in hex.
    claim: String,
    /// Who signed it, in hex, and the beginning of that.
    issuer: (String, String),
}

/// A package, with its page if it has one.
struct Named {
    place: Option<String>,
    name: String,
}

impl Named {
    fn of(purl: &str) -> Self {
        Named {
            place: linked(purl),
            name: purl.to_owned(),
        }
    }
}

/// What is asked for.
struct Wanted {
    packages: Vec<Purl>,
    /// Whether it is asked for as it is spelled.
    is_canonical: bool,
}

impl Wanted {
    /// Reads the packages of a question, which may stand one on a line. Fails if one is none, or if
    /// there are too many.
    fn of(asked: &Asked) -> Result<Self, String> {
        let pairs = asked.query();
        let mut packages: Vec<Purl> = Vec::new();
        for text in texts(&pairs) {
            let purl = Purl::canonicalize(text);
            let purl = purl.map_err(|error| format!("{text}: {error}"))?;
            if !packages.contains(&purl) {
                packages.push(purl);
            }
            if packages.len() > PACKAGES {
                return Err(format!("A calendar has at most {PACKAGES} packages here."));
            }
        }
        let spelled = packages.iter().map(|purl| ("purl", purl.as_str()));
        let is_canonical = pairs
            .iter()
            .map(|(name, text)| (&name[..], &text[..]))
            .eq(spelled);
        Ok(Wanted {
            packages,
            is_canonical,
        })
    }
}

/// What a question names.
fn texts(pairs: &[(String, String)]) -> impl Iterator<Item = &str> {
    let named = pairs.iter().filter(|(name, _)| name == "purl");
    named.flat_map(|(_, text)| text.split_whitespace())
}

/// The page of a calendar.
pub async fn calendar(State(pages): State<Arc<Pages>>, Short(asked): Short) -> Response {
    let (wanted, said) = match Wanted::of(&asked) {
        Ok(wanted) if !wanted.is_canonical => {
            return asked.see(StatusCode::MOVED_PERMANENTLY, &place(&wanted.packages));
        }
        Ok(wanted) => (wanted.packages, None),
        Err(why) => (Vec::new(), Some(shown(&why))),
    };
    let pairs = asked.query();
    let typed: Vec<&str> = texts(&pairs).take(PACKAGES).collect();
    let page = CalendarPage {
        frame: pages.frame(&asked, "When does support end?"),
        said,
        packages: typed.join("\n"),
        most: PACKAGES,
        shown: None,
    };
    if wanted.is_empty() {
        return answer(StatusCode::OK, &asked, &page).await;
    }
    if pages.site.stated.is_none() {
        let shown = Some(Shown::unweighed(&wanted));
        return answer(StatusCode::OK, &asked, &CalendarPage { shown, ..page }).await;
    }
    let key = format!("{} {}", base(asked.uri.path()), place(&wanted));
    let make = |pages: Arc<Pages>| async move { made(&pages, page, wanted).await };
    pages.made(&asked, key, HTML, make).await
}

async fn made(pages: &Pages, page: CalendarPage, wanted: Vec<Purl>) -> Result<Made, Unmade> {
    let (ics, command) = (packages_query(&wanted), command(pages, &wanted));
    let (calendar, report) = pages.site.calendar(wanted).await?;
    let mut shown = Shown::of(&calendar, &report);
    shown.more = Some((format!("calendar.ics{ics}"), command));
    let shown = Some(shown);
    let body = rendered(&CalendarPage { shown, ..page })?;
    let is_whole = report.is_whole();
    Ok(Made { body, is_whole })
}

/// What a reader types to find the same.
fn command(pages: &Pages, packages: &[Purl]) -> String {
    let mut command = "assay lifecycle".to_owned();
    for purl in packages {
        command.push(' ');
        command.push_str(&for_shell(purl.as_str()));
    }
    let policy = pages.site.stated.as_ref().map(|stated| &stated.name[..]);
    let policy = for_shell(policy.unwrap_or_default());
    format!("{command} {} --policy {policy}", pages.log_options())
}

/// The calendar for programs. One that lacks what it had a moment ago would take events from who
/// subscribed to it, so there is none of what could not be checked.
pub async fn calendar_ics(State(pages): State<Arc<Pages>>, Short(asked): Short) -> Response {
    let wanted = match Wanted::of(&asked) {
        Err(why) => return pages.nothing(&asked, &why).await,
        Ok(wanted) => wanted,
    };
    let query = packages_query(&wanted.packages);
    if !wanted.is_canonical {
        let to = format!("calendar.ics{query}");
        return asked.see(StatusCode::MOVED_PERMANENTLY, &to);
    }
    if wanted.packages.is_empty() {
        let why = "A calendar is of packages: calendar.ics?purl=pkg:cargo/serde, for example.";
        return pages.nothing(&asked, why).await;
    }
    if pages.site.stated.is_none() {
        return pages.nothing(&asked, NO_POLICY).await;
    }
    let make = |pages: Arc<Pages>| async move {
        let (calendar, report) = pages.site.calendar(wanted.packages).await?;
        if !report.is_whole() || !calendar.incomplete.is_empty() {
            let why = "a log did not answer in full; the page of the calendar says which";
            return Err(Unmade::Unasked(why.to_owned()));
        }
        Ok(Made {
            body: ics::document(&calendar).into(),
            is_whole: true,
        })
    };
    let key = format!("calendar.ics{query}");
    pages.made(&asked, key, ICS, make).await
}

impl Shown {
    /// What a site without a policy shows: where the packages are.
    fn unweighed(packages: &[Purl]) -> Self {
        let why = "This site has no policy and trusts nobody, so that nobody's dates are in its \
            calendar. The pages of these say who says what";
        let packages = packages.iter().map(|purl| Named::of(purl.as_str()));
        Shown {
            lacking: Vec::new(),
            groups: Vec::new(),
            omitted: 0,
            unknown: vec![(why, packages.collect())],
            logs: Vec::new(),
            more: None,
        }
    }

    fn of(calendar: &Calendar, report: &Report) -> Self {
        let (groups, omitted) = groups(calendar, report);
        let named = |list: &[String]| list.iter().map(|purl| Named::of(purl)).collect();
        let unknown: [(&str, Vec<Named>); 2] = [
            (
                "Nobody whom this site trusts says until when these are supported. Of a package \
                 without a version, it may be said of its versions",
                named(&calendar.silent),
            ),
            (
                "Of these not all could be checked, so that nothing is said here",
                named(&calendar.incomplete),
            ),
        ];
        let unknown = unknown.into_iter().filter(|(_, list)| !list.is_empty());
        Shown {
            lacking: lacking(report),
            groups,
            omitted,
            unknown: unknown.collect(),
            logs: answers(report),
            more: None,
        }
    }
}

/// What ends when: what is over first, then month by month; then what has yet to be announced, and
/// what may be of another version. Also how much had no room.
fn groups(calendar: &Calendar, report: &Report) -> (Vec<Group>, usize) {
    let now = rfc3339_of_ms(report.asked_at_ms);
    let today = now.get(..10).unwrap_or_default();
    let mut ends: Vec<(&str, &Entry, What)> = Vec::new();
    for entry in &calendar.entries {
        ends.extend(entry.ends().map(|(what, day)| (day, entry, what)));
    }
    ends.sort_by_key(|(day, entry, what)| (*day, &entry.component, what.field()));
    // What is over comes first, and of it what ended last; half of the room is for what is to come.
    let mut room = Room {
        left: BYTES / 2,
        omitted: 0,
        groups: Vec::new(),
    };
    let coming = ends.partition_point(|(day, ..)| *day < today);
    for (day, entry, what) in ends[..coming].iter().rev() {
        let row = Row::of(entry, Some(day), what.name().to_owned());
        room.put("Already over".to_owned(), row);
    }
    room.groups.iter_mut().for_each(|over| over.rows.reverse());
    room.left += BYTES - BYTES / 2;
    for (day, entry, what) in &ends[coming..] {
        room.put(
            month(day),
            Row::of(entry, Some(day), what.name().to_owned()),
        );
    }
    let (sure, unsure): (Vec<&Entry>, Vec<&Entry>) =
        calendar.entries.iter().partition(|entry| entry.is_of_this);
    for entry in sure {
        let open = entry.dates.iter().filter(|(_, day)| *day == Day::Open);
        for (what, _) in open.filter(|(what, _)| *what != What::Available) {
            let row = Row::of(entry, None, what.name().to_owned());
            room.put("To be announced".to_owned(), row);
        }
    }
    for entry in unsure {
        let title = "Whether this is of this version cannot be decided".to_owned();
        room.put(title, Row::of(entry, None, entry.says()));
    }
    (room.groups, room.omitted)
}

/// What is left to write, and what is written.
struct Room {
    left: usize,
    omitted: usize,
    groups: Vec<Group>,
}

impl Room {
    /// Writes a row under a title, if there is room.
    fn put(&mut self, title: String, row: Row) {
        let Some(left) = self.left.checked_sub(row.bytes()) else {
            self.omitted += 1;
            return;
        };
        self.left = left;
        match self.groups.last_mut() {
            Some(group) if group.title == title => group.rows.push(row),
            _ => self.groups.push(Group {
                title,
                rows: vec![row],
            }),
        }
    }
}

impl Row {
    fn of(entry: &Entry, day: Option<&str>, what: String) -> Self {
        Row {
            day: day.map(str::to_owned),
            package: Named::of(&entry.component),
            what,
            who: shown_within(&entry.who, WHO),
            looked: entry.last_updated.get(..10).unwrap_or_default().to_owned(),
            claim: entry.claim_id.clone(),
            issuer: (
                entry.issuer_id.clone(),
                words::shorten(&entry.issuer_id).to_owned(),
            ),
        }
    }

    /// About the bytes that it is written in.
    fn bytes(&self) -> usize {
        let name = written(&self.package.name);
        LINE_BYTES + 2 * name + written(&self.who) + written(&self.what)
    }
}

/// The month of a day, for people.
fn month(day: &str) -> String {
    let number = day.get(5..7).and_then(|month| month.parse::<usize>().ok());
    let name = number.and_then(|number| MONTHS.get(number.checked_sub(1)?));
    match (name, day.get(..4)) {
        (Some(name), Some(year)) => format!("{name} {year}"),
        _ => day.get(..7).unwrap_or(day).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_client::report::example;

    /// What somebody says of a package, surely of this version or not.
    fn entry(dates: Vec<(What, Day)>, is_of_this: bool) -> Entry {
        Entry {
            component: "pkg:cargo/a@1".to_owned(),
            package: None,
            product: None,
            dates,
            is_of_this,
            last_updated: "2026-01-01T00:00:00Z".to_owned(),
            who: "the makers (maintainer)".to_owned(),
            issuer_id: "11".repeat(32),
            claim_id: "22".repeat(32),
            logged_ms: 0,
        }
    }

    fn known(day: &str) -> Day {
        Day::Known {
            day: day.to_owned(),
            at: format!("{day}T23:59:59Z"),
        }
    }

    /// Titles with what stands under each.
    fn shown(entries: Vec<Entry>) -> Vec<(String, Vec<String>)> {
        let calendar = Calendar {
            entries,
            silent: Vec::new(),
            incomplete: Vec::new(),
        };
        let (groups, omitted) = groups(&calendar, &example::report());
        assert_eq!(omitted, 0);
        let told = groups.into_iter().map(|group| {
            let rows = group.rows.into_iter();
            (group.title, rows.map(|row| row.what).collect())
        });
        told.collect()
    }

    fn group(title: &str, rows: &[&str]) -> (String, Vec<String>) {
        let rows = rows.iter().map(|row| (*row).to_owned());
        (title.to_owned(), rows.collect())
    }

    /// The example is asked on 2026-01-31. That something will be released is no end of it.
    #[test]
    fn what_ends_stands_in_its_month_and_what_begins_nowhere() {
        let dates = vec![
            (What::Available, Day::Open),
            (What::Sales, known("2026-01-30")),
            (What::Security, known("2026-01-31")),
            (What::Life, Day::Open),
        ];
        let expected = [
            group("Already over", &["end of sales"]),
            group("January 2026", &["end of security support"]),
            group("To be announced", &["end of life"]),
        ];
        assert_eq!(shown(vec![entry(dates, true)]), expected);
        let begins = vec![(What::Available, known("2025-01-01"))];
        assert_eq!(shown(vec![entry(begins, true)]), []);
    }

    #[test]
    fn what_may_be_of_another_version_has_no_month() {
        let dates = vec![(What::Life, known("2026-05-01")), (What::Sales, Day::Open)];
        let title = "Whether this is of this version cannot be decided";
        let says = "end of life 2026-05-01, end of sales to be announced";
        assert_eq!(shown(vec![entry(dates, false)]), [group(title, &[says])]);
    }

    #[test]
    fn a_month_that_is_none_is_shown_as_it_is_written() {
        for (day, name) in [
            ("2026-05-01", "May 2026"),
            ("2026-00-01", "2026-00"),
            ("2026-13-01", "2026-13"),
            ("2026", "2026"),
        ] {
            assert_eq!(month(day), name);
        }
    }
}
