//! `assay lifecycle`: until when things are supported.

use crate::{
    asking::How,
    check::question::{self, Named},
    config::Settings,
    exit::Failure,
    options::Format,
    output,
};
use assay_client::report::lifecycle::{Calendar, cle, ics, openeox, text};
use clap::Args;

/// Show until when things are supported, for people or as a calendar.
///
/// What issuers say counts who have a role under your policy; upstream and a supplier may state
/// different dates, and both are shown. --output ics is a calendar (iCalendar) with an all-day
/// event for each end of sales, of security support and of life, which keeps its identity when its
/// day changes; openeox are objects of OpenEoX Core v1.0; cle are documents of CLE (ECMA-428), one
/// a line, each of one package by one issuer, with an event for each date. Dates that are to be
/// announced are no events, and dates of which it cannot be decided whether they are of the version
/// are shown in text only.
///
/// Exit code 0: it was written, also if nobody said anything. 1: not for every component, because
/// a log did not answer in full. 2: a file, the policy or an argument cannot be used. 3: a log that
/// must answer cannot be reached. 4: an answer does not verify, or a log was found to misbehave.
#[derive(Debug, Args)]
pub struct Command {
    #[command(flatten)]
    named: Named,
    #[command(flatten)]
    how: How,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let policy = question::policy(settings)?;
    let (inventory, question) = command.named.ask(policy, command.how, settings).await?;
    let calendar = question.scales().lifecycle(&inventory, &question.asked);
    question
        .hand_on(calendar.incomplete.len(), settings, || {
            match settings.format {
                Format::Ics => output::bytes(ics::document(&calendar).as_bytes()),
                Format::Openeox | Format::Json => output::json(&openeox::document(&calendar)),
                Format::Cle => output::bytes(lines(&calendar).as_bytes()),
                _ => output::text(&text(&calendar)),
            }
        })
        .await
}

/// The documents of CLE, each in a line: one alone is what others read as a document.
fn lines(calendar: &Calendar) -> String {
    let documents = cle::documents(calendar);
    let lines = documents.iter().map(|document| format!("{document}\n"));
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_client::report::lifecycle::{Day, Entry, What};
    use assay_intake::documents;

    fn entry(version: Option<&str>, dates: &[(What, Option<&str>)]) -> Entry {
        let dates = dates.iter().map(|(what, date)| {
            let day = date.map_or(Day::Open, |date| Day::Known {
                day: date.into(),
                at: format!("{date}T23:59:59Z"),
            });
            (*what, day)
        });
        Entry {
            component: "pkg:npm/a".into(),
            package: Some(("pkg:npm/a".into(), version.map(str::to_owned))),
            product: None,
            dates: dates.collect(),
            is_of_this: true,
            last_updated: "2026-01-01T01:00:00+01:00".into(),
            who: "makers (maintainer)".into(),
            issuer_id: "11".repeat(32),
            claim_id: "22".repeat(32),
            logged_ms: 1_769_846_909_000,
        }
    }

    #[test]
    fn what_is_written_in_cle_is_read_with_the_same_dates() {
        let all = [
            (What::Available, Some("2020-01-01")),
            (What::Sales, Some("2024-01-01")),
            (What::Security, Some("2026-01-01")),
            (What::Life, Some("2028-01-01")),
        ];
        let open = [(What::Security, Some("2027-01-01")), (What::Life, None)];
        let written = lines(&Calendar {
            entries: vec![entry(Some("1"), &all), entry(None, &open)],
            silent: vec![],
            incomplete: vec![],
        });
        assert_eq!(written.lines().count(), 1);
        let claims = documents::prepare("lifecycle", "a", written.as_bytes(), "").unwrap();
        assert_eq!(claims[0].subjects[0].uri(), Some("pkg:npm/a"));
        let read: Vec<String> = claims.iter().map(|one| one.predicate.to_json()).collect();
        let first = r#"{"general_availability":"2020-01-01T23:59:59Z",
            "end_of_sales":"2024-01-01T23:59:59Z",
            "end_of_security_support":"2026-01-01T23:59:59Z",
            "end_of_life":"2028-01-01T23:59:59Z",
            "last_updated":"2026-01-01T00:00:00Z","versions":{"version":"1"}}"#;
        let second = r#"{"end_of_security_support":"2027-01-01T23:59:59Z",
            "end_of_life":"tba",
            "last_updated":"2026-01-01T00:00:00Z","versions":{"range":"vers:npm/*"}}"#;
        // What ends first comes last.
        let expected = [second, first].map(|text| text.replace([' ', '\n'], ""));
        assert_eq!(read, expected);
    }
}
