//! `assay lookup issuer:ID` and `assay issuer show`: who an issuer is, what it signed, and what
//! became of its keys.

use crate::{AT_ONCE, person::Person};
use anyhow::Context;
use assay_tests::process::Node;
use serde_json::json;

const ALPHA: &str = "pkg:cargo/alpha@1.0.0";

#[test]
fn what_another_issuer_signed_is_not_listed_though_it_is_the_same_statement() -> anyhow::Result<()>
{
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let (auditor, thief) = (person.register("auditor")?, person.register("thief")?);
    let claim = person.audit("auditor", ALPHA, "safe-to-run")?;
    // Both answer it in the same words, which is one claim id at two leaves, and both are in the
    // answer as replies.
    let answer = |name| {
        let subject = json!({"name": "claim", "digest": {"sha256": claim}});
        let response = json!({"target": claim, "stance": "explain", "text": "As it says."});
        person.say(name, subject, "urn:assay:response:v1", response)
    };
    assert_eq!(answer("auditor")?, answer("thief")?);
    for (id, count) in [(auditor, 3), (thief, 2)] {
        let answer = person.get(&["lookup", &format!("issuer:{id}")])?;
        let newest = answer["signed"]["newest"]
            .as_array()
            .context("nothing signed")?;
        assert_eq!(
            (&answer["signed"]["count"], newest.len()),
            (&json!(count), count)
        );
        assert!(
            newest
                .iter()
                .all(|line| line["issuers"][0]["issuer_id"] == id),
            "{newest:#?}"
        );
    }
    Ok(())
}

#[test]
fn a_compromised_key_that_was_left_behind_takes_nothing_away() -> anyhow::Result<()> {
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let id = person.register("auditor")?;
    let old = person.get(&["issuer", "show", &id])?[0]["keys"][0]
        .as_str()
        .context("no key")?
        .to_owned();
    person.get(&["key", "new", "new.pem"])?;
    person.get(&[
        "issuer",
        "rotate",
        "--key",
        "auditor.pem",
        "--new-key",
        "new.pem",
    ])?;
    person.get(&[
        "issuer",
        "compromised",
        "--compromised-key",
        &old,
        "--from",
        "3",
        "--key",
        "new.pem",
    ])?;
    let answer = person.get(&["lookup", &format!("issuer:{id}")])?;
    assert_eq!(
        (
            &answer["keys"]["powerless"],
            &answer["keys"]["compromised"][0]["in_force"]
        ),
        (&json!([]), &json!(false))
    );
    let said = answer["answer"].as_str().context("no answer")?;
    assert!(
        said.contains("has declared 1 key compromised, which it no longer uses."),
        "{said}"
    );
    let output = person.run(&["issuer", "show", &id])?;
    let (shown, told) = (
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    );
    assert!(
        shown.contains(&format!("compromised {old}"))
            && told.contains("The last record is in force."),
        "{told}"
    );
    Ok(())
}

#[test]
fn whether_an_issuer_is_known_depends_on_its_record_alone() -> anyhow::Result<()> {
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let registered = person.register("auditor")?;
    let nobody = "ab".repeat(32);
    // Somebody answers a claim, of whatever log, whose id is the same digits.
    let subject = json!({"name": "claim", "digest": {"sha256": nobody}});
    let response = json!({"target": nobody, "stance": "explain", "text": "It is not here."});
    person.say("auditor", subject, "urn:assay:response:v1", response)?;
    for (id, code) in [(registered, 0), (nobody, 1), ("cd".repeat(32), 1)] {
        let output = person.run(&["lookup", &format!("issuer:{id}")])?;
        assert_eq!(
            output.status.code(),
            Some(code),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
    Ok(())
}

#[test]
fn an_issuer_whose_keys_are_compromised_is_said_to_be_so_first() -> anyhow::Result<()> {
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let id = person.register("auditor")?;
    person.register("maker")?;
    person.get(&[
        "endorse",
        &id,
        "--role",
        "auditor",
        "--scope",
        "pkg:cargo/*",
        "--until",
        "2099-01-01",
        "--key",
        "maker.pem",
    ])?;
    let anchors = format!(
        "version = 1\nmax_head_age = \"1d\"\n[[anchor]]\nname = \"The auditors\"\nissuer = \
         \"{id}\"\nroles = [\"auditor\"]\nscopes = [\"pkg:*\"]\n"
    );
    person.write("policy.toml", &anchors)?;
    let lookup = || person.get(&["lookup", &format!("issuer:{id}"), "--policy", "policy.toml"]);
    let show = || -> anyhow::Result<_> {
        let output = person.run(&["issuer", "show", &id])?;
        Ok((
            String::from_utf8(output.stdout)?,
            String::from_utf8(output.stderr)?,
        ))
    };
    let before = lookup()?;
    let said = before["answer"].as_str().context("no answer")?;
    assert!(
        said.contains("calls itself \"auditor\"") && said.contains("and trusts it."),
        "{said}"
    );
    // This policy gives the maker no role to endorse with.
    assert!(!said.contains("vouch"), "{said}");
    assert_eq!(before["keys"], json!({"compromised": [], "powerless": []}));
    let (shown, told) = show()?;
    assert!(
        !shown.contains("compromised") && told.contains("The last record is in force."),
        "{shown} {told}"
    );

    // Who declares it compromised: nobody but the issuer.
    let key = person.get(&["issuer", "show", &id])?[0]["keys"][0]
        .as_str()
        .context("no key")?
        .to_owned();
    let subject = json!({"name": "issuer", "digest": {"sha256": id}});
    let others = json!({"issuer": id, "key": key, "fromIndex": 0});
    person.say("maker", subject, "urn:assay:key-compromise:v1", others)?;
    assert_eq!(
        lookup()?["keys"],
        json!({"compromised": [], "powerless": []})
    );
    let arguments = [
        "issuer",
        "compromised",
        "--compromised-key",
        &key,
        "--from",
        "3",
        "--key",
        "auditor.pem",
    ];
    let declared = person.get(&arguments)?;

    let after = lookup()?;
    let said = after["answer"].as_str().context("no answer")?;
    assert!(
        said.starts_with("Issuer ")
            && said.contains(
                "has declared its only key compromised: nothing that it signs from leaf 3 on \
                 counts. It calls itself"
            ),
        "{said}"
    );
    assert!(
        said.contains("names it \"The auditors\": what it signed before counts still.")
            && !said.contains("trusts it"),
        "{said}"
    );
    let compromised = &after["keys"]["compromised"][0];
    assert_eq!(
        (&compromised["key"], &compromised["claim_id"]),
        (&json!(key), &declared[0]["claim_id"])
    );
    assert_eq!(after["keys"]["powerless"][0]["from_leaf"], 3);
    let (shown, told) = show()?;
    assert!(
        shown.contains(&format!("compromised {key}")) && shown.contains("from leaf 3 on"),
        "{shown}"
    );
    assert!(
        told.contains("nothing that they sign from leaf 3 on counts"),
        "{told}"
    );
    Ok(())
}
