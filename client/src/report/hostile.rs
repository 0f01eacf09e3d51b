//! What strangers write, rendered: a report whose every foreign text is hostile is read by a reader
//! of the format, and has no node that the report itself did not put there.

use super::{Report, example, markdown, sarif, vex};
use assay_tlog::tlog_policy::{Role, Voice};
use comrak::nodes::NodeValue;
use comrak::{Arena, Options, parse_document};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::BTreeSet;

/// Texts that mean something to some reader.
const HOSTILE: [&str; 40] = [
    "[x](https://evil.example)",
    "![x](https://evil.example/x.png)",
    "www.evil.example",
    "https://evil.example/a?b=c",
    "http://evil.example",
    "ftp://evil.example",
    "mailto:a@evil.example",
    "xmpp:a@evil.example",
    "a@evil.example",
    "@all",
    "@org/team",
    "#1",
    "org/repo#12",
    "GH-12",
    "0123456789abcdef0123456789abcdef01234567",
    "<img src=x onerror=alert(1)>",
    "<https://evil.example>",
    "<!-- ",
    "</td></tr></table>",
    "&lt;b&gt;&amp;#64;all",
    "a | b",
    "\\| c \\\\| d |",
    "`code` ``",
    "```\nfenced\n```",
    "\n\n# heading\n\n",
    "\n- item\n1. item\n",
    "\n> quote",
    "\n---\n===",
    "**bold** _it_ ~~gone~~",
    "[x]: https://evil.example\n[x]",
    "[^1]",
    ":smile: $x$ {0} {1}",
    "a\u{202e}b\u{61c}c\u{2028}d\u{e0041}\u{200b}",
    "\x1b[2J\x1b[31m\u{9b}31m",
    "name\" (0123…), whom you trust as auditor, \u{201d}",
    "- [ ] task",
    "    indented",
    "\ta\r\nb",
    "|---|---|",
    "<br>",
];

/// A report of which every text that a stranger may choose is one of these.
fn report_of(texts: &[String]) -> Report {
    let mut report = example::report();
    let mut next = texts.iter().cycle();
    let mut text = || next.next().cloned().unwrap_or_default();
    for log in &mut report.logs {
        log.origin = text();
        log.missing = Some(text());
        log.voices.counted = vec![voice(text())];
        log.voices.missing = vec![text()];
        log.voices.convicted = vec![text()];
    }
    report.own = vec![text(), text()];
    for file in &mut report.files {
        file.name = text();
        for note in &mut file.notes {
            note.text = text();
        }
        for one in &mut file.unidentified {
            (one.what, one.reason) = (text(), text());
        }
    }
    for component in &mut report.components {
        (component.purl, component.name) = (Some(text().into()), text());
        component.version = Some(text());
        for reason in &mut component.reasons {
            (reason.rule, reason.text) = (text(), text());
            for claim in &mut reason.claims {
                (claim.issuer, claim.log) = (text(), text());
            }
        }
        for one in &mut component.vulnerabilities {
            one.id = text();
            for stated in &mut one.stated {
                stated.claim.issuer = text();
                stated.justification = Some(text());
            }
        }
    }
    report
}

/// A witness that a policy calls so.
fn voice(name: String) -> Voice {
    Voice {
        operator: name.clone(),
        name,
        roles: BTreeSet::from([Role::Audit]),
        at: 1_769_846_000,
    }
}

/// How often each kind of node stands in a text, with what could be made a link of later.
fn nodes(markdown: &str) -> Vec<String> {
    let mut options = Options::default();
    options.extension.strikethrough = true;
    options.extension.table = true;
    options.extension.autolink = true;
    options.extension.tasklist = true;
    options.extension.footnotes = true;
    let arena = Arena::new();
    let root = parse_document(&arena, markdown, &options);
    let mut found = Vec::new();
    for node in root.descendants() {
        let value = node.data.borrow().value.clone();
        match value {
            NodeValue::Document
            | NodeValue::Heading(_)
            | NodeValue::Paragraph
            | NodeValue::List(_)
            | NodeValue::Item(_)
            | NodeValue::Table(_)
            | NodeValue::TableRow(_)
            | NodeValue::TableCell => found.push(format!("{value:?}")),
            // Breaks between the lines of a cell are this program's own.
            NodeValue::HtmlInline(html) if html == "<br>" => found.push(html),
            NodeValue::Code(_) => {}
            NodeValue::Text(text) => assert_no_link(&text),
            other => panic!("{other:?} in\n{markdown}"),
        }
    }
    found
}

/// GitHub looks for these behind Markdown, in all text that is not code.
fn assert_no_link(text: &str) {
    let lower = text.to_lowercase();
    for mark in [
        "@", "#", "://", "www.", "mailto:", "<", "|", "\\", "gh-", "$", "*", "_",
    ] {
        assert!(!lower.contains(mark), "{mark} in {text:?}");
    }
    let words = lower.split(|c: char| !c.is_alphanumeric());
    for word in words {
        let is_commit = word.len() >= 7 && word.bytes().all(|b| b.is_ascii_hexdigit());
        assert!(!is_commit, "{word}");
    }
}

/// The links and placeholders of a message, as SARIF 2.1.0 defines them (3.11.5 and 3.11.6).
fn assert_plain_message(text: &str) {
    assert!(!text.contains("]("), "{text}");
    let literal = text.replace("{{", "").replace("}}", "");
    assert!(!literal.contains(['{', '}']), "{text}");
    assert!(
        !text.contains(|c: char| c.is_control() || c == '\u{202e}'),
        "{text}"
    );
}

fn messages(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                match value.get("text").and_then(Value::as_str) {
                    Some(text) if key == "message" || key == "shortDescription" => {
                        found.push(text.to_owned());
                    }
                    _ => messages(value, found),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| messages(item, found)),
        _ => {}
    }
}

fn assert_inert(texts: &[String]) {
    let report = report_of(texts);
    let harmless = report_of(&["word".to_owned()]);
    // Rows of which the same is to be said stand together; so the nodes are compared with those of
    // a report of the same texts with nothing but letters in them.
    let shown = nodes(&markdown::render(&report));
    let kinds =
        |nodes: &[String], kind: &str| nodes.iter().filter(|one| one.starts_with(kind)).count();
    let expected = nodes(&markdown::render(&harmless));
    for kind in ["Heading", "List", "Item", "TableRow", "<br>", "Paragraph"] {
        assert_eq!(
            kinds(&shown, kind),
            kinds(&expected, kind),
            "{kind}: {texts:?}"
        );
    }
    let mut found = Vec::new();
    messages(&sarif::document(&report), &mut found);
    assert!(found.len() > 5);
    found.iter().for_each(|text| assert_plain_message(text));
    for one in vex::document(&report)["vulnerabilities"]
        .as_array()
        .unwrap()
    {
        let detail = one["analysis"]["detail"].as_str().unwrap();
        assert!(
            !detail.contains(|c: char| c.is_control() || c == '\u{202e}'),
            "{detail}"
        );
        assert!(!detail.contains("](") && !detail.contains('<'), "{detail}");
    }
}

#[test]
fn each_hostile_text_is_inert_in_every_format() {
    for text in HOSTILE {
        assert_inert(&[text.to_owned()]);
    }
    let all: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    assert_inert(&all);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_text_is_more_than_text(
        texts in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(prop::sample::select(&HOSTILE[..]), 1..4)
                    .prop_map(|parts| parts.concat()),
                "[\\x00-\\x7f\u{202e}\u{2028}é…]{0,24}",
                r"(www\.|@|https?:|[a-z]{1,3}|\||`{1,3}|\\|\[|\]|\(|\)|<|>|_|\*| |\n){1,12}",
            ],
            1..6,
        ),
    ) {
        assert_inert(&texts);
    }
}
