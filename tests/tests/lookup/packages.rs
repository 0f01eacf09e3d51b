//! `assay lookup PURL`: what is known of a package, what it is worth, and what was kept of it.

use crate::{
    AT_ONCE,
    person::{Person, lines},
    said::{Said, speak},
};
use anyhow::Context;
use assay_tests::process::Node;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_a_package_is_shown_with_what_it_is_worth() -> anyhow::Result<()> {
    let mut node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let said = speak(&person)?;

    let (code, answer) = person.ask(&["lookup", "PKG:Cargo/alpha@1.0.0"])?;
    assert_eq!(code, Some(0));
    assert_eq!(
        (&answer["about"]["kind"], &answer["about"]["spelled"]),
        (&json!("package"), &json!("pkg:cargo/alpha@1.0.0"))
    );
    assert_eq!(
        lines(&answer, "supported")?[0]["says"],
        "security support until 2021-06-30; end of life: a date to be announced"
    );
    assert_eq!(lines(&answer, "vulnerable")?.len(), 2);
    assert!(lines(&answer, "authentic")?.is_empty());
    check_reviews(&answer, &said)?;
    check_replies(&answer, &said)?;
    assert_eq!(lines(&answer, "vouched")?.len(), 1);
    assert_eq!(
        (&answer["logs"][0]["complete"], &answer["logs"][0]["kept"]),
        (&json!(true), &json!(false))
    );
    check_claims(&answer)?;
    check_text(&person)?;

    // Asked again without a node: the same answer, and that it was kept. What was never asked is
    // not there.
    node.stop()?;
    check_without_node(&person, &answer)
}

/// The line of an answer to `question` whose `field` is `id`.
fn line_of<'a>(
    answer: &'a Value,
    question: &str,
    field: &str,
    id: &str,
) -> anyhow::Result<&'a Value> {
    lines(answer, question)?
        .iter()
        .find(|line| line[field] == id)
        .with_context(|| format!("{question}: no line with {field} {id}"))
}

/// A dispute takes no effect away; a withdrawal does if the issuer itself says it.
fn check_reviews(answer: &Value, said: &Said) -> anyhow::Result<()> {
    let disputed = line_of(answer, "reviewed", "claim_id", &said.disputed)?;
    assert_eq!(
        (&disputed["effect"], &disputed["disputes"]),
        (&json!(true), &json!(1))
    );
    let kept = line_of(answer, "reviewed", "claim_id", &said.kept)?;
    assert_eq!(
        (&kept["effect"], &kept["why_not"]),
        (&json!(true), &Value::Null)
    );
    let withdrawn = line_of(answer, "reviewed", "claim_id", &said.withdrawn)?;
    assert_eq!(withdrawn["effect"], false);
    assert!(
        withdrawn["why_not"]
            .as_str()
            .is_some_and(|why| why.contains("withdrew it")),
        "{withdrawn}"
    );
    assert_eq!(withdrawn["issuers"][0]["name"], "auditor");
    Ok(())
}

fn check_replies(answer: &Value, said: &Said) -> anyhow::Result<()> {
    assert!(
        line_of(answer, "disagreement", "target", &said.disputed)?["says"]
            .as_str()
            .is_some_and(|says| says.contains("Not the build script."))
    );
    let other = line_of(answer, "disagreement", "target", &said.kept)?;
    assert_eq!(
        other["effect"], false,
        "another issuer's withdrawal counts for nothing"
    );
    assert!(
        other["why_not"]
            .as_str()
            .is_some_and(|why| why.contains("only the issuer itself")),
        "{other}"
    );
    Ok(())
}

/// Every claim of a line is there, as it was signed.
fn check_claims(answer: &Value) -> anyhow::Result<()> {
    let claims = answer["claims"].as_array().context("no claims")?;
    assert!(
        claims
            .iter()
            .all(|claim| claim["statement"]["predicateType"].is_string())
            && claims.len() == 9,
        "{claims:#?}"
    );
    Ok(())
}

/// For people the same: a paragraph first, then the groups, then whether it is all.
fn check_text(person: &Person) -> anyhow::Result<()> {
    let output = person.run(&["lookup", "pkg:cargo/alpha@1.0.0"])?;
    let text = String::from_utf8(output.stdout)?;
    for words in [
        "5 claims about alpha 1.0.0 (cargo) are known, signed by 2 issuers, none of whom you \
         trust.",
        "One of them has no effect",
        "One of them is disputed.",
        "Is it authentic? no claims",
        "its issuer withdrew it with claim",
        "only the issuer itself can say this",
        "complete: nothing was left out, as of",
    ] {
        let joined = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(joined.contains(words), "{words}: {text}");
    }
    Ok(())
}

/// No node runs: what was kept is the answer, and nothing else can be had.
fn check_without_node(person: &Person, answer: &Value) -> anyhow::Result<()> {
    let (code, kept) = person.ask(&["lookup", "pkg:cargo/alpha@1.0.0", "--offline"])?;
    assert_eq!(
        (code, &kept["questions"], &kept["logs"][0]["kept"]),
        (Some(0), &answer["questions"], &json!(true))
    );
    assert!(kept["logs"][0]["age_ms"].is_u64());
    for arguments in [
        &["lookup", "pkg:cargo/beta@1", "--offline"][..],
        &["lookup", "pkg:cargo/alpha@1.0.0"],
    ] {
        assert_eq!(
            person.run(arguments)?.status.code(),
            Some(3),
            "{arguments:?}"
        );
    }
    let output = person.run(&["lookup", "pkg:cargo/beta@1", "--offline"])?;
    let said = String::from_utf8(output.stderr)?;
    assert!(
        said.contains("ask only for what was asked before (the same thing, or the same files)"),
        "{said}"
    );
    Ok(())
}
