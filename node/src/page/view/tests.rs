//! What of a report is on a page, and what is not.

use super::super::testing::{line, reply, voice};
use super::*;
use assay_client::report::{Version, example};

/// The example, in which this is said until when something is supported.
fn report(lines: Vec<Line>) -> Report {
    let mut report = example::report();
    report.about = About::parse("pkg:cargo/a@1").unwrap();
    report.questions = vec![Question {
        question: Asked::Supported,
        text: words::question(Asked::Supported),
        lines,
    }];
    report
}

#[test]
fn of_many_who_sign_one_claim_so_many_are_linked() {
    let many = (0..9).map(|id| voice(id, true)).collect();
    let view = View::new(&report(vec![line("until 2090", many)]));
    let issuers = &view.sections[0].lines[0].issuers;
    let first: Vec<(String, String)> = (0..4)
        .map(|id| {
            (
                format!("{id:02x}").repeat(32),
                format!("{id:02x}").repeat(6),
            )
        })
        .collect();
    assert_eq!(issuers, &first);
}

#[test]
fn an_answer_of_somebody_with_a_role_stands_once() {
    let mut answered = line("until 2090", vec![voice(1, true)]);
    let (auditor, stranger) = (voice(2, true), voice(3, false));
    answered.replies = vec![reply("It is not.", auditor), reply("Nonsense.", stranger)];
    let view = View::new(&report(vec![answered]));
    let said = &view.sections[0].lines[0];
    let replies: Vec<&str> = said.replies.iter().map(|(text, _)| &text[..]).collect();
    assert_eq!(replies.len(), 2, "{replies:?}");
    assert!(replies[0].contains("It is not"), "{replies:?}");
    assert!(replies[1].contains("Nonsense"), "{replies:?}");
    assert_eq!(said.more_replies, 0);
}

/// Whatever a browser would take for another place of the host.
#[test]
fn a_version_whose_address_leads_elsewhere_has_no_link() {
    let mut report = report(Vec::new());
    let version = |version: &str, qualifiers: &str| Version {
        version: version.to_owned(),
        purl: format!("pkg:cargo/a@{version}{qualifiers}"),
        claims: 1,
        weighed: None,
    };
    let of = vec![
        version("1.0.0", ""),
        version("2.0.0", "?download_url=https://a.example/../logout"),
    ];
    report.versions = Some(Versions {
        claims: of.len(),
        of,
        unweighed: 0,
    });
    let view = View::new(&report);
    let linked: Vec<&str> = view.versions.iter().map(|one| &one.name[..]).collect();
    assert_eq!(linked, ["1.0.0"]);
}

#[test]
fn details_of_which_nothing_is_said_have_no_heading() {
    let mut report = report(Vec::new());
    assert!(View::new(&report).details.is_empty());
    report.questions[0].question = Asked::Other;
    report.questions[0].lines = vec![line("something else", vec![voice(1, false)])];
    let details = View::new(&report).details;
    assert_eq!(details.len(), 1);
    assert_eq!(details[0].lines.len(), 1);
}
