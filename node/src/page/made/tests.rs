//! How long a page is good, how much is kept, and what stands on one.

use super::super::testing::{line, voice};
use super::*;
use assay_client::report::{InLog, Line, Question, example};
use assay_policy::posture;

#[test]
fn what_was_made_is_good_for_a_minute_of_a_log_that_is_as_it_was() {
    let mut kept = Kept {
        state: (7, 0),
        made: Instant::now(),
        what: (),
    };
    assert!(kept.is_good((7, 0)));
    assert!(!kept.is_good((8, 0)) && !kept.is_good((7, 1)));
    kept.made = kept.made.checked_sub(KEPT).unwrap();
    assert!(!kept.is_good((7, 0)));
}

#[test]
fn pages_that_are_kept_take_so_many_bytes() {
    const PAGE: usize = 4 << 10;
    let kept = Cache::with_weighter(KEPT_PAGES, KEPT_BYTES, Weight);
    let page = Bytes::from(vec![0; PAGE]);
    for number in 0..4 * KEPT_BYTES as usize / PAGE {
        kept.insert(number.to_string(), Kept::new((0, 0), page.clone()));
    }
    let bytes = kept.len() * PAGE;
    assert!(0 < bytes && bytes <= KEPT_BYTES as usize, "{bytes}");
}

/// The page of a report that has this line, as the node of a log writes it.
fn page(own: &str, said: Line, check: Option<Check>) -> String {
    let mut report = example::report();
    report.about = About::parse("CVE-2026-0001").unwrap();
    report.questions = vec![Question {
        question: posture::Question::Supported,
        text: "",
        lines: vec![said],
    }];
    let thing = Thing {
        frame: Frame {
            title: "CVE-2026-0001".to_owned(),
            base: "../".to_owned(),
            asked: "CVE-2026-0001".to_owned(),
            operator: None,
        },
        own: own.to_owned(),
        sentence: None,
        why: None,
        reasons: Vec::new(),
        is_unchecked: false,
        lacking: Vec::new(),
        paragraph: String::new(),
        own_word: false,
        is_component: check.is_some(),
        view: View::new(&report),
        check,
        commands: Vec::new(),
        also: Vec::new(),
    };
    thing.render().unwrap()
}

/// A proof is what the node's own log proves: the others are elsewhere.
#[test]
fn a_proof_is_linked_where_this_node_has_it() {
    let mut said = line("until 2090", vec![voice(1, true)]);
    said.logs.push(InLog {
        log: "other.example".to_owned(),
        leaf_index: 9,
        ..said.logs[0].clone()
    });
    for (own, leaves) in [
        ("log.example", vec!["7"]),
        ("other.example", vec!["9"]),
        ("third.example", vec![]),
    ] {
        let page = page(own, said.clone(), None);
        let links = page.split(".tlog-proof?leaf=").skip(1);
        let linked: Vec<&str> = links.filter_map(|link| link.split('"').next()).collect();
        assert_eq!(linked, leaves, "{own}: {page}");
    }
}

#[test]
fn a_page_that_a_browser_checks_says_where_it_was_not() {
    let said = line("until 2090", vec![voice(1, true)]);
    let says = "Not checked in your browser, which runs no scripts.";
    let unchecked = page("log.example", said.clone(), None);
    assert!(!unchecked.contains("<script"), "{unchecked}");
    assert!(!unchecked.contains(says), "{unchecked}");
    let check = Check {
        purl: "pkg:cargo/a@1".to_owned(),
        keys: "key".to_owned(),
        size: 9,
        is_part: false,
    };
    let checked = page("log.example", said, Some(check));
    let (before, _) = checked.split_once("<script").unwrap();
    assert!(
        before.contains("<noscript>") && before.contains(says),
        "{checked}"
    );
}

/// Of a package it is said of each question that nobody answers it.
#[test]
fn what_is_no_package_has_no_heading_for_what_nobody_says() {
    let said = line("until 2090", vec![voice(1, true)]);
    let titled = |page: &str, title: &str| page.contains(&format!("<h2>{title}</h2>"));
    let (supported, looked) = (
        "Until when is it supported, and who says so?",
        "Who has looked at it?",
    );
    let page = page("log.example", said, None);
    assert!(titled(&page, supported) && !titled(&page, looked), "{page}");
}
