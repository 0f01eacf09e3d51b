//! As a calendar (iCalendar, RFC 5545): an all-day event for each end. An event keeps its UID when
//! its day changes, so that calendars move it.
//!
//! The library at hand folds later lines at 76 octets and in quadratic time, so lines are folded
//! here (3.1).

use super::{Calendar, Entry, What};
use assay_claims::time::rfc3339_of_ms;
use assay_tlog::Hash;

/// Most octets of a line, without its end (3.1).
const LINE: usize = 75;

/// Most components that a calendar names of which it knows nothing.
const NAMED: usize = 10;

/// The calendar. What is to be announced, and what may be of another version, has no event. Of
/// which components nothing is known stands in its description (RFC 7986, 5.2).
pub fn document(calendar: &Calendar) -> String {
    let mut text = String::new();
    let version = env!("CARGO_PKG_VERSION");
    line(&mut text, "BEGIN:VCALENDAR");
    line(&mut text, "VERSION:2.0");
    line(&mut text, &format!("PRODID:-//Assay//assay {version}//EN"));
    line(&mut text, "CALSCALE:GREGORIAN");
    line(&mut text, "METHOD:PUBLISH");
    if let Some(unknown) = unknown(calendar) {
        line(&mut text, &format!("DESCRIPTION:{}", escaped(&unknown)));
    }
    for entry in &calendar.entries {
        for (what, day) in entry.ends() {
            event(&mut text, entry, what, day);
        }
    }
    line(&mut text, "END:VCALENDAR");
    text
}

/// Of which components it has no dates, in words.
fn unknown(calendar: &Calendar) -> Option<String> {
    let lists = [
        (
            "Nobody whom the policy trusts says until when these are supported",
            &calendar.silent,
        ),
        (
            "A log did not answer in full about these",
            &calendar.incomplete,
        ),
    ];
    let said = lists.into_iter().filter(|(_, of)| !of.is_empty());
    let said: Vec<String> = said
        .map(|(what, of)| {
            let named: Vec<&str> = of.iter().take(NAMED).map(String::as_str).collect();
            let more = match of.len().saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(", and {more} more"),
            };
            format!("{what}: {}{more}.", named.join(", "))
        })
        .collect();
    (!said.is_empty()).then(|| said.join("\n"))
}

fn event(text: &mut String, entry: &Entry, what: What, day: &str) {
    let uid = format!("{}\n{}\n{}", entry.component, entry.issuer_id, what.field());
    let uid = Hash::of(uid.as_bytes()).to_hex();
    let stamp = rfc3339_of_ms(entry.logged_ms).replace(['-', ':'], "");
    let summary = format!("{}: {}", entry.component, what.name());
    let description = format!(
        "According to {} (issuer {}).\nClaim {}, looked at {}.",
        entry.who, entry.issuer_id, entry.claim_id, entry.last_updated
    );
    line(text, "BEGIN:VEVENT");
    line(text, &format!("UID:{uid}@assay"));
    line(text, &format!("DTSTAMP:{stamp}"));
    line(text, &format!("LAST-MODIFIED:{stamp}"));
    line(
        text,
        &format!("DTSTART;VALUE=DATE:{}", day.replace('-', "")),
    );
    line(text, &format!("SUMMARY:{}", escaped(&summary)));
    line(text, &format!("DESCRIPTION:{}", escaped(&description)));
    line(text, "CATEGORIES:support");
    line(text, "TRANSP:TRANSPARENT");
    line(text, "END:VEVENT");
}

/// A value of type TEXT (3.3.11).
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            '\n' => escaped.push_str("\\n"),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// Adds a content line, folded between characters.
fn line(text: &mut String, content: &str) {
    let mut octets = 0;
    for c in content.chars() {
        if octets + c.len_utf8() > LINE {
            text.push_str("\r\n ");
            octets = 1;
        }
        text.push(c);
        octets += c.len_utf8();
    }
    text.push_str("\r\n");
}

#[cfg(test)]
mod tests {
    use super::super::Day;
    use super::*;

    fn entry() -> Entry {
        let known = |day: &str| Day::Known {
            day: day.into(),
            at: format!("{day}T23:59:59Z"),
        };
        Entry {
            component: "pkg:cargo/a@1".into(),
            package: None,
            product: None,
            dates: vec![
                (What::Available, known("2020-01-01")),
                (What::Security, known("2028-03-31")),
                (What::Life, Day::Open),
            ],
            is_of_this: true,
            last_updated: "2026-01-01T00:00:00Z".into(),
            who: "\"a; b, c\\ ü\u{1F600}\" \u{1b}(maintainer)".into(),
            issuer_id: "11".repeat(32),
            claim_id: "22".repeat(32),
            logged_ms: 1_769_846_909_000,
        }
    }

    fn calendar(entry: Entry) -> Calendar {
        Calendar {
            entries: vec![entry],
            silent: vec![],
            incomplete: vec![],
        }
    }

    #[test]
    fn each_end_that_is_known_is_an_event() {
        let text = document(&calendar(entry()));
        assert_eq!(text.matches("BEGIN:VEVENT\r\n").count(), 1);
        assert!(
            text.contains("\r\nDTSTART;VALUE=DATE:20280331\r\n"),
            "{text}"
        );
        assert!(text.contains("\r\nDTSTAMP:20260131T080829Z\r\n"), "{text}");
        let unfolded = text.replace("\r\n ", "");
        let escaped = "According to \"a\\; b\\, c\\\\ ü\u{1F600}\" (maintainer) (issuer ";
        assert!(unfolded.contains(escaped), "{unfolded}");
        for line in text.split("\r\n") {
            assert!(line.len() <= LINE && !line.contains(['\r', '\n']), "{line}");
        }
        let unsure = Entry {
            is_of_this: false,
            ..entry()
        };
        assert!(!document(&calendar(unsure)).contains("VEVENT"));
    }

    #[test]
    fn what_is_not_known_stands_in_the_description() {
        assert!(!document(&calendar(entry())).contains("\r\nDESCRIPTION:Nobody"));
        let silent = (0..12).map(|n| format!("pkg:cargo/s{n}@1")).collect();
        let unknown = Calendar {
            silent,
            incomplete: vec!["pkg:cargo/late@1".into()],
            ..calendar(entry())
        };
        let text = document(&unknown).replace("\r\n ", "");
        let said = "\r\nDESCRIPTION:Nobody whom the policy trusts says until when these are \
            supported: pkg:cargo/s0@1\\, ";
        assert!(text.contains(said), "{text}");
        assert!(text.contains("pkg:cargo/s9@1\\, and 2 more."), "{text}");
        assert!(text.contains("\\nA log did not answer in full about these: pkg:cargo/late@1."));
    }

    #[test]
    fn what_a_component_is_called_ends_no_value() {
        let odd = Entry {
            component: "a; b, c\\".into(),
            ..entry()
        };
        let text = document(&calendar(odd));
        let summary = "\r\nSUMMARY:a\\; b\\, c\\\\: ";
        assert!(text.contains(summary), "{text}");
    }

    #[test]
    fn an_event_that_moves_is_the_same_event() {
        let uid = |entry: Entry| {
            let text = document(&calendar(entry));
            let uid = text.lines().find(|line| line.starts_with("UID:"));
            uid.unwrap().to_owned()
        };
        let mut moved = entry();
        moved.dates[1].1 = Day::Known {
            day: "2029-01-01".into(),
            at: String::new(),
        };
        moved.claim_id = "33".repeat(32);
        assert_eq!(uid(moved), uid(entry()));
        let other = Entry {
            issuer_id: "44".repeat(32),
            ..entry()
        };
        assert_ne!(uid(other), uid(entry()));
    }
}
