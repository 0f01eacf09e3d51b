//! `assay lookup issuer:ID` and `assay issuer show`: who an issuer is, what it signed, and what
//! became of its keys.

use crate::{AT_ONCE, person::Person};
use anyhow::{Context, ensure};
use assay_proto::v1::Wait;
use assay_tests::{
    issuer::Actor,
    log::Log,
    process::{Node, new_key},
};
use serde_json::{Value, json};

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

/// Runs the program, which must refuse with exit code 2. Returns what it said.
fn refused(person: &Person, arguments: &[&str]) -> anyhow::Result<String> {
    let output = person.run(arguments)?;
    let said = String::from_utf8(output.stderr)?;
    ensure!(output.status.code() == Some(2), "{arguments:?}: {said}");
    Ok(said)
}

#[test]
fn rotation_keys_are_asked_for_by_name_and_alone_change_the_keys() -> anyhow::Result<()> {
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    for name in ["day.pem", "root.pem", "new.pem"] {
        new_key(person.folder(), name)?;
    }
    let register = ["issuer", "register", "--name", "rooted", "--key", "day.pem"];
    let same = [&register[..], &["--rotation-key", "day.pem"]].concat();
    let said = refused(&person, &same)?;
    ensure!(said.contains("a rotation key is another key"), "{said}");
    let record = person.get(&[&register[..], &["--rotation-key", "root.pem"]].concat())?;
    let id = record["issuer_id"].as_str().context("no id")?;
    let day = record["keys"][0].as_str().context("no key")?;
    assert_eq!(record["rotation_threshold"], 1);

    // The key that signs claims does not change the keys: said before anything is sent.
    let rotate = ["issuer", "rotate", "--new-key", "new.pem"];
    let said = refused(&person, &[&rotate[..], &["--key", "day.pem"]].concat())?;
    ensure!(
        said.contains("--rotation-key") && said.contains("0 of them were given"),
        "{said}"
    );
    let rotated = person.get(&[&rotate[..], &["--rotation-key", "root.pem"]].concat())?;
    assert_eq!(
        (&rotated["issuer_id"], &rotated["sequence"]),
        (&json!(id), &json!(1))
    );
    assert_eq!(rotated["rotation_keys"], record["rotation_keys"]);

    // Nor does it declare one compromised.
    let declare = [
        "issuer",
        "compromised",
        "--compromised-key",
        day,
        "--from",
        "3",
    ];
    let said = refused(&person, &[&declare[..], &["--key", "new.pem"]].concat())?;
    ensure!(said.contains("needs 1 distinct rotation keys"), "{said}");
    person.get(&[&declare[..], &["--key", "root.pem"]].concat())?;
    let (shown, _) = show(&person, id)?;
    ensure!(
        shown.contains("rotation    1 of 1 must sign a change of keys:")
            && shown.contains(&format!("compromised {day}")),
        "{shown}"
    );
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
    new_key(person.folder(), "new.pem")?;
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
    endorse_and_trust(&person, &id)?;
    check_before_compromise(&person, &id)?;

    // Who declares it compromised: nobody but the issuer.
    let key = person.get(&["issuer", "show", &id])?[0]["keys"][0]
        .as_str()
        .context("no key")?
        .to_owned();
    let subject = json!({"name": "issuer", "digest": {"sha256": id}});
    let others = json!({
        "issuer": id, "key": key, "origin": node.ready().origin, "fromIndex": 0,
        "fromTime": "2020-01-01T00:00:00Z",
    });
    let refused = person.say("maker", subject, "urn:assay:key-compromise:v1", others);
    let error = refused
        .err()
        .context("anybody can declare a key compromised")?;
    assert!(error.to_string().contains("its own keys only"), "{error}");
    assert_eq!(
        look_up_trusted(&person, &id)?["keys"],
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
    check_after_compromise(&person, &id, &key, &declared[0]["claim_id"])
}

/// The maker endorses the issuer, and `policy.toml` trusts it as an auditor.
fn endorse_and_trust(person: &Person, id: &str) -> anyhow::Result<()> {
    person.get(&[
        "endorse",
        id,
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
    person.write("policy.toml", &anchors)
}

/// Looks the issuer up with `policy.toml`.
fn look_up_trusted(person: &Person, id: &str) -> anyhow::Result<Value> {
    person.get(&["lookup", &format!("issuer:{id}"), "--policy", "policy.toml"])
}

/// Runs `assay issuer show`. Returns what it wrote to stdout and to stderr.
fn show(person: &Person, id: &str) -> anyhow::Result<(String, String)> {
    let output = person.run(&["issuer", "show", id])?;
    Ok((
        String::from_utf8(output.stdout)?,
        String::from_utf8(output.stderr)?,
    ))
}

fn check_before_compromise(person: &Person, id: &str) -> anyhow::Result<()> {
    let before = look_up_trusted(person, id)?;
    let said = before["answer"].as_str().context("no answer")?;
    assert!(
        said.contains("calls itself \"auditor\"") && said.contains("and trusts it."),
        "{said}"
    );
    // This policy gives the maker no role to endorse with.
    assert!(!said.contains("vouch"), "{said}");
    assert_eq!(before["keys"], json!({"compromised": [], "powerless": []}));
    let (shown, told) = show(person, id)?;
    assert!(
        !shown.contains("compromised") && told.contains("The last record is in force."),
        "{shown} {told}"
    );
    Ok(())
}

/// The issuer declared its only key compromised from leaf 3 on, with the claim `declaration`.
fn check_after_compromise(
    person: &Person,
    id: &str,
    key: &str,
    declaration: &Value,
) -> anyhow::Result<()> {
    let after = look_up_trusted(person, id)?;
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
        said.contains("names it \"The auditors\": what it signed before still counts.")
            && !said.contains("trusts it"),
        "{said}"
    );
    let compromised = &after["keys"]["compromised"][0];
    assert_eq!(
        (&compromised["key"], &compromised["claim_id"]),
        (&json!(key), declaration)
    );
    assert_eq!(after["keys"]["powerless"][0]["from_leaf"], 3);
    let (shown, told) = show(person, id)?;
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

#[tokio::test(flavor = "multi_thread")]
async fn of_a_long_list_the_newest_are_shown_and_all_are_counted() -> anyhow::Result<()> {
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let (log, issuer) = (Log::connect(node.ready()).await?, Actor::new(&[7], 1));
    log.publish(issuer.registration()?, Wait::Integrated)
        .await?;
    log.publish_many(&issuer, 0..1100).await?;
    let last = log.publish(issuer.claim(1100), Wait::Integrated).await?;

    let answer = person.get(&["lookup", &issuer.id.to_hex()])?;
    assert_eq!(answer["signed"]["count"], 1102);
    let newest = answer["signed"]["newest"].as_array().context("no list")?;
    let leaves: Vec<u64> = newest
        .iter()
        .filter_map(|line| line["leaf_index"].as_u64())
        .collect();
    ensure!(
        leaves.len() == 20 && leaves.is_sorted_by(|a, b| a > b),
        "{leaves:?}"
    );
    assert_eq!(leaves[0], last.leaf_index);
    Ok(())
}
