//! `assay lookup X` for each kind of thing that X can be.

use crate::{
    AT_ONCE,
    person::{Person, lines},
    said::{Said, VEX, speak},
};
use anyhow::Context;
use assay_tests::process::Node;
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_thing_is_looked_up() -> anyhow::Result<()> {
    let node = Node::start_with(AT_ONCE)?;
    let person = Person::at(node.ready())?;
    let said = speak(&person)?;
    look_up_artifact(&person, &said)?;
    look_up_issuer(&person, &said)?;
    look_up_claim(&person, &said)?;
    look_up_vulnerability(&person)?;
    look_up_package_without_version(&person)?;
    look_up_lock_file(&person)?;
    look_up_privately(&person)?;
    look_up_unknown(&person)?;
    refuse_malformed(&person)
}

fn lookup(person: &Person, x: &str) -> anyhow::Result<(Option<i32>, Value)> {
    person.ask(&["lookup", x])
}

fn look_up_artifact(person: &Person, said: &Said) -> anyhow::Result<()> {
    let hex = said.artifact.to_hex();
    for x in [&format!("sha256:{hex}"), "alpha.tar", &hex] {
        let (code, answer) = lookup(person, x)?;
        assert_eq!(
            (code, &answer["about"]["kind"]),
            (Some(0), &json!("artifact")),
            "{x}"
        );
        assert_eq!(lines(&answer, "other")?.len(), 1, "{x}");
    }
    Ok(())
}

fn look_up_issuer(person: &Person, said: &Said) -> anyhow::Result<()> {
    for x in [&format!("issuer:{}", said.auditor), &said.auditor] {
        let (code, answer) = lookup(person, x)?;
        assert_eq!(
            (code, &answer["about"]["kind"]),
            (Some(0), &json!("issuer")),
            "{x}"
        );
        // The record, three reviews, a withdrawal; the maker vouches.
        assert_eq!(answer["signed"]["count"], 5);
        assert_eq!(
            (
                lines(&answer, "other")?.len(),
                lines(&answer, "vouched")?.len()
            ),
            (1, 1)
        );
        let newest = answer["signed"]["newest"]
            .as_array()
            .context("nothing signed")?;
        let withdrawn = newest
            .iter()
            .find(|line| line["claim_id"] == said.withdrawn.as_str());
        assert_eq!(withdrawn.map(|line| &line["effect"]), Some(&json!(false)));
    }
    Ok(())
}

fn look_up_claim(person: &Person, said: &Said) -> anyhow::Result<()> {
    for x in [&format!("claim:{}", said.disputed), &said.disputed] {
        let (code, answer) = lookup(person, x)?;
        assert_eq!(
            (code, &answer["about"]["kind"]),
            (Some(0), &json!("claim")),
            "{x}"
        );
        assert_eq!(
            (
                lines(&answer, "reviewed")?.len(),
                lines(&answer, "disagreement")?.len()
            ),
            (1, 1),
            "{x}"
        );
    }
    Ok(())
}

fn look_up_vulnerability(person: &Person) -> anyhow::Result<()> {
    let (code, answer) = lookup(person, "cve-2026-0002")?;
    assert_eq!(
        (code, &answer["about"]["spelled"]),
        (Some(0), &json!("CVE-2026-0002"))
    );
    let vulnerable = lines(&answer, "vulnerable")?;
    assert_eq!(
        (vulnerable.len(), &vulnerable[0]["says"]),
        (
            1,
            &json!("CVE-2026-0002 in pkg:cargo/alpha@1.0.0: affected")
        )
    );
    assert!(
        vulnerable[0]["about"]
            .as_str()
            .is_some_and(|about| about.contains("pkg:cargo/alpha@1.0.0"))
    );
    // A name that begins alike is another one; another name of the same is not.
    let alike = VEX
        .replace("CVE-2026-0002", "CVE-2026-00021")
        .replace(
            r#""CVE-2026-0001""#,
            r#""GHSA-aaaa","aliases":["CVE-2026-0002"]"#,
        )
        .replace("vex-1", "vex-2");
    person.write("vex.json", &alike)?;
    person.get(&["publish", "vex", "vex.json", "--key", "maker.pem"])?;
    let (_, answer) = lookup(person, "CVE-2026-0002")?;
    let says: Vec<_> = lines(&answer, "vulnerable")?
        .iter()
        .filter_map(|line| line["says"].as_str())
        .collect();
    assert_eq!(
        says,
        [
            "GHSA-aaaa in pkg:cargo/alpha@1.0.0: not affected (vulnerable code not present)",
            "CVE-2026-0002 in pkg:cargo/alpha@1.0.0: affected"
        ]
    );
    Ok(())
}

/// Of a package, how much is said of its versions.
fn look_up_package_without_version(person: &Person) -> anyhow::Result<()> {
    let (_, answer) = lookup(person, "pkg:cargo/alpha")?;
    let version = json!({
        "version": "1.0.0",
        "purl": "pkg:cargo/alpha@1.0.0",
        "claims": 6,
        "outcome": Value::Null,
    });
    assert_eq!(answer["versions"], json!({"claims": 6, "of": [version]}));
    let words = "There are no claims about alpha (cargo) as a whole; 6 claims are about 1 of its \
        versions, and not shown here: 1.0.0. `assay lookup pkg:cargo/alpha@1.0.0` shows them.";
    assert!(
        answer["answer"]
            .as_str()
            .is_some_and(|said| said.starts_with(words)),
        "{}",
        answer["answer"]
    );
    person.audit("auditor", "pkg:cargo/alpha", "safe-to-run")?;
    let (_, answer) = lookup(person, "pkg:cargo/alpha")?;
    let words = "1 claim about alpha (cargo) is known, signed by 1 issuer, whom you do not trust \
        for anything here. 6 claims are about 1 of its versions";
    assert!(
        answer["answer"]
            .as_str()
            .is_some_and(|said| said.starts_with(words)),
        "{}",
        answer["answer"]
    );
    Ok(())
}

/// Of a list of software, how to ask about what is in it.
fn look_up_lock_file(person: &Person) -> anyhow::Result<()> {
    person.write(
        "Cargo.lock",
        "version = 4\n\n[[package]]\nname = \"a\"\nversion = \"1.0.0\"\n",
    )?;
    let (_, answer) = lookup(person, "Cargo.lock")?;
    assert!(
        answer["hints"][0]
            .as_str()
            .is_some_and(|hint| hint.contains("assay check Cargo.lock")),
        "{}",
        answer["hints"]
    );
    Ok(())
}

/// Privately, the answer is the same, and what was given away is said.
fn look_up_privately(person: &Person) -> anyhow::Result<()> {
    let (_, private) = person.ask(&["lookup", "pkg:cargo/alpha@1.0.0", "--private"])?;
    let (_, answer) = lookup(person, "pkg:cargo/alpha@1.0.0")?;
    assert_eq!(private["questions"], answer["questions"]);
    assert!(
        private["privacy"]["prefixes"]
            .as_u64()
            .is_some_and(|n| n > 0),
        "{}",
        private["privacy"]
    );

    // One prefix of a small log stands for everything in it.
    let output = person.run(&["lookup", "CVE-2026-0002", "--private"])?;
    let said = String::from_utf8(output.stdout)?
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        !said.contains(" 1 labels") && said.contains("the first 0 bits of 1 name"),
        "{said}"
    );
    Ok(())
}

/// Unknown is not trusted, whatever it is; a policy may go on all the same.
fn look_up_unknown(person: &Person) -> anyhow::Result<()> {
    for (x, expected) in [
        ("CVE-1999-0001", Some(1)),
        ("pkg:cargo/nobody@1", Some(0)),
        (&"ab".repeat(32), Some(0)),
    ] {
        assert_eq!(lookup(person, x)?.0, expected, "{x}");
    }
    person.write(
        "strict.toml",
        "version = 1\nunknown = \"deny\"\nmax_head_age = \"1d\"\n",
    )?;
    let (code, answer) =
        person.ask(&["lookup", "pkg:cargo/nobody@1", "--policy", "strict.toml"])?;
    assert_eq!(
        (code, &answer["policy"]["outcome"]),
        (Some(1), &json!("unknown"))
    );
    Ok(())
}

fn refuse_malformed(person: &Person) -> anyhow::Result<()> {
    for usage in [
        &["lookup", "no/such/file"][..],
        &["lookup", "sha256:abc"],
        &["lookup", "pkg:cargo/a", "--policy", "none"],
    ] {
        assert_eq!(person.run(usage)?.status.code(), Some(2), "{usage:?}");
    }
    Ok(())
}
