//! `assay lookup claim:ID`: a claim and what others say of it, also where the claim itself cannot
//! be had.

use crate::{
    AT_ONCE,
    person::{Person, lines},
};
use anyhow::Context;
use assay_tests::process::Node;
use serde_json::{Value, json};

const ALPHA: &str = "pkg:cargo/alpha@1.0.0";

/// The whole text for people, in one line.
fn text(person: &Person, arguments: &[&str]) -> anyhow::Result<(Option<i32>, String)> {
    let output = person.run(arguments)?;
    let text = String::from_utf8(output.stdout)?;
    Ok((
        output.status.code(),
        text.split_whitespace().collect::<Vec<_>>().join(" "),
    ))
}

fn answer(value: &Value) -> anyhow::Result<&str> {
    value["answer"].as_str().context("no answer")
}

#[test]
fn a_withdrawal_is_shown_also_where_its_claim_cannot_be_asked_for() -> anyhow::Result<()> {
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    person.register("auditor")?;
    let untouched = person.audit("auditor", ALPHA, "safe-to-run")?;
    let withdrawn = person.audit("auditor", ALPHA, "safe-to-deploy")?;
    let withdrawal = person.get(&[
        "withdraw",
        &withdrawn,
        "--reason",
        "Forged.",
        "--key",
        "auditor.pem",
    ])?;
    let withdrawal = withdrawal[0]["claim_id"].as_str().context("no claim id")?;
    let (named, bare) = (format!("claim:{withdrawn}"), withdrawn.as_str());

    let (code, online) = person.ask(&["lookup", &named])?;
    assert_eq!((code, &online["lacking"]), (Some(0), &Value::Null));
    assert!(
        answer(&online)?.contains("is in the log, signed by 1 issuer"),
        "{}",
        online["answer"]
    );
    assert!(
        answer(&online)?.contains("It has no effect"),
        "{}",
        online["answer"]
    );

    // Neither privately nor offline can a log be asked for the claim; what is said of it is in the
    // answer all the same.
    for (x, how, word) in [
        (named.as_str(), "--private", "privately"),
        (bare, "--private", "privately"),
        (named.as_str(), "--offline", "offline"),
    ] {
        check_withdrawal_alone(&person, [x, how], word, withdrawal)?;
    }
    check_claims_that_are_not_shown(&person, &untouched)?;
    check_receipt_by_signer(&person, &untouched)?;
    // A withdrawal is a claim, too.
    let (code, found) = person.ask(&["lookup", &format!("claim:{withdrawal}")])?;
    assert!(
        code == Some(0) && answer(&found)?.contains("is in the log"),
        "{}",
        found["answer"]
    );
    Ok(())
}

/// Looks `x` up in a way, `how`, in which a log cannot be asked for the claim itself: `withdrawal`
/// is shown without it.
fn check_withdrawal_alone(
    person: &Person,
    [x, how]: [&str; 2],
    word: &str,
    withdrawal: &str,
) -> anyhow::Result<()> {
    let (code, found) = person.ask(&["lookup", x, how])?;
    assert_eq!(
        (code, &found["about"]["kind"]),
        (Some(1), &json!("claim")),
        "{x} {how}"
    );
    let replies = lines(&found, "disagreement")?;
    assert_eq!(
        (replies.len(), &replies[0]["claim_id"]),
        (1, &json!(withdrawal)),
        "{x} {how}"
    );
    assert_eq!(
        found["lacking"],
        format!("The claim itself cannot be looked up {word}.")
    );
    assert_eq!(found["claims"][0]["claim_id"], withdrawal);
    let (code, text) = text(person, &["lookup", x, how])?;
    assert_eq!(code, Some(1));
    for words in [
        format!("The claim itself cannot be looked up {word}. What others say about claim"),
        "\"withdraws it: 'Forged.'\", by issuer ".to_owned(),
        "A withdrawal counts only if the signer of the claim signed it".to_owned(),
    ] {
        assert!(text.contains(&words), "{x} {how}: {words}: {text}");
    }
    assert!(!text.contains("There are no claims"), "{text}");
    Ok(())
}

fn check_claims_that_are_not_shown(person: &Person, untouched: &str) -> anyhow::Result<()> {
    // Of one that nobody speaks of, that it is there is not denied.
    for x in [&format!("claim:{untouched}"), untouched] {
        let (code, text) = text(person, &["lookup", x, "--private"])?;
        assert!(
            code == Some(1) && text.contains("cannot be looked up"),
            "{code:?} {text}"
        );
        assert!(
            !text.contains("There are no claims") && !text.contains("policy is met"),
            "{text}"
        );
    }
    // One that no log shows: there is no proof of that.
    let (code, none) = person.ask(&["lookup", &format!("claim:{}", "ab".repeat(32))])?;
    assert_eq!(code, Some(1));
    assert!(
        answer(&none)?.contains("its absence cannot be proven"),
        "{}",
        none["answer"]
    );
    Ok(())
}

#[test]
fn a_withdrawal_has_effect_only_for_the_issuer_that_said_it() -> anyhow::Result<()> {
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let auditor = person.register("auditor")?;
    let thief = person.register("thief")?;
    let claim = person.audit("auditor", ALPHA, "safe-to-deploy")?;
    let subject = json!({"name": "claim", "digest": {"sha256": claim}});
    let forged = json!({"target": claim, "reason": "Forged."});
    person.say("thief", subject, "urn:assay:withdrawal:v1", forged)?;
    let (_, before) = text(&person, &["lookup", ALPHA])?;
    assert!(
        before.contains("withdraws it: \"Forged.\" (without effect);"),
        "{before}"
    );

    // He signs the very same statement, so that the withdrawal is of a claim that he said, too.
    assert_eq!(person.audit("thief", ALPHA, "safe-to-deploy")?, claim);
    let (_, found) = person.ask(&["lookup", ALPHA])?;
    let theirs = review_by(&found, &auditor)?;
    let his = review_by(&found, &thief)?;
    assert_eq!(
        (&theirs["claim_id"], &his["claim_id"]),
        (&json!(claim), &json!(claim))
    );
    assert_eq!(
        (&theirs["effect"], &his["effect"]),
        (&json!(true), &json!(false))
    );
    assert_eq!(
        (reply_effect(theirs), reply_effect(his)),
        ((json!(false), true), (json!(true), false))
    );
    let (_, after) = text(&person, &["lookup", ALPHA])?;
    assert_eq!(
        after
            .matches("withdraws it: \"Forged.\" (without effect for this issuer);")
            .count(),
        1,
        "{after}"
    );
    let (with, without) = (&his["leaf_index"], &theirs["leaf_index"]);
    assert!(
        after.contains(&format!(
            "(leaf {with}; without effect on leaf {without}): withdraws it"
        )),
        "{after}"
    );
    Ok(())
}

/// The review in an answer that an issuer signed.
fn review_by<'a>(found: &'a Value, id: &str) -> anyhow::Result<&'a Value> {
    lines(found, "reviewed")?
        .iter()
        .find(|line| line["issuers"][0]["issuer_id"] == id)
        .context("a review is missing")
}

/// Whether a line's first reply has an effect, and whether a reason is given why not.
fn reply_effect(line: &Value) -> (Value, bool) {
    (
        line["replies"][0]["effect"].clone(),
        line["replies"][0]["why_not"].is_string(),
    )
}

/// Whoever signs the same statement has a claim with the same id, and a receipt of its own.
fn check_receipt_by_signer(person: &Person, claim: &str) -> anyhow::Result<()> {
    let other = person.register("other")?;
    assert_eq!(person.audit("other", ALPHA, "safe-to-run")?, claim);
    let first = person.get(&["receipt", claim, "--out", "first"])?;
    let own = person.get(&["receipt", claim, "--by", &other, "--out", "own"])?;
    assert_eq!(
        (&first[0]["claim_id"], &own[0]["claim_id"]),
        (&claim.into(), &claim.into())
    );
    assert!(
        own[0]["leaf_index"].as_u64() > first[0]["leaf_index"].as_u64(),
        "{own}"
    );
    for (folder, signer) in [("first", false), ("own", true)] {
        let verified = person.verify(folder)?;
        let said = String::from_utf8([verified.stdout, verified.stderr].concat())?;
        assert!(verified.status.success(), "{said}");
        assert_eq!(said.contains(&other), signer, "{said}");
    }
    let nobody = "ab".repeat(32);
    let refused = person.run(&["receipt", claim, "--by", &nobody, "--out", "none"])?;
    let said = String::from_utf8_lossy(&refused.stderr);
    assert!(
        !refused.status.success() && said.contains("did not sign claim"),
        "{said}"
    );
    Ok(())
}
