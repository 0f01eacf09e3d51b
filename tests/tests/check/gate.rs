//! What stops a build and what does not: a baseline, `--fail-on`, and what the policy ignores.

use super::world::{World, cargo_lock, ignoring_until};
use serde_json::Value;
use std::fs;

/// A log that says that "bad" can be exploited, and that support of "old" has ended.
fn world() -> anyhow::Result<World> {
    let mut world = World::new()?;
    world.affected("makers", "pkg:cargo/bad@1.0.0")?;
    world.ended("makers", "pkg:cargo/old")?;
    world.built("makers", "pkg:cargo/old@1.0.0")?;
    world.write("Cargo.lock", &cargo_lock(&["bad", "old"]))?;
    Ok(world)
}

/// The findings of a report that stand in the baseline, and those that stop.
fn old_and_stopping(report: &Value) -> (Vec<&str>, Vec<&str>) {
    let findings = report["findings"].as_array().unwrap();
    let rules = |key: &str, value: Value| {
        let found = findings.iter().filter(|one| one[key] == value);
        found.map(|one| one["rule"].as_str().unwrap()).collect()
    };
    (rules("baseline", "old".into()), rules("stops", true.into()))
}

#[test]
fn only_what_a_former_report_does_not_have_stops() -> anyhow::Result<()> {
    let world = world()?;
    for format in ["json", "sarif"] {
        let before = world.check(&["Cargo.lock", "--output", format])?;
        assert_eq!(before.code, Some(1), "{}", before.stderr);
        world.write(&format!("before.{format}"), &before.stdout)?;
    }
    // A line before it moves what was found.
    let moved = format!("# moved\n{}", fs::read_to_string(world.path("Cargo.lock"))?);
    world.write("Cargo.lock", &moved)?;
    for format in ["json", "sarif"] {
        let former = format!("before.{format}");
        let same = world.check(&["Cargo.lock", "--baseline", &former])?;
        assert_eq!(same.code, Some(0), "{format}: {}", same.stderr);
        assert!(
            same.stdout.contains("No new finding stops.")
                && same.stdout.contains("(in the baseline) exploitable: "),
            "{}",
            same.stdout
        );
        let (_, report) = world.report(&["Cargo.lock", "--baseline", &former])?;
        // What the policy says of it is as it was.
        assert_eq!(
            (&report["outcome"], &report["stopped"]),
            (&"denied".into(), &false.into())
        );
        let (old, stopping) = old_and_stopping(&report);
        assert!(
            old.contains(&"exploitable") && stopping.is_empty(),
            "{report:#}"
        );
    }
    Ok(())
}

#[test]
fn what_is_new_stops_and_is_told_from_what_is_old() -> anyhow::Result<()> {
    let mut world = world()?;
    for format in ["json", "sarif"] {
        let before = world.check(&["Cargo.lock", "--output", format])?;
        world.write(&format!("before.{format}"), &before.stdout)?;
    }
    world.affected("makers", "pkg:cargo/old@1.0.0")?;
    let new = world.check(&["Cargo.lock", "--baseline", "before.sarif"])?;
    assert_eq!(new.code, Some(1));
    assert!(
        new.stdout
            .contains("1 new finding stops: CVE-2026-0001 in pkg:cargo/old@1.0.0")
            && new.stderr.contains("1 new finding stops")
            && new.stdout.contains("(new) exploitable: "),
        "{}{}",
        new.stdout,
        new.stderr
    );
    let arguments = [
        "Cargo.lock",
        "--baseline",
        "before.json",
        "--output",
        "sarif",
    ];
    let sarif: Value = serde_json::from_str(&world.check(&arguments)?.stdout)?;
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let states: Vec<_> = results
        .iter()
        .filter(|result| result["level"] == "error")
        .map(|result| (&result["properties"]["component"], &result["baselineState"]))
        .collect();
    let state = |crate_: &str| {
        let title = format!("pkg:cargo/{crate_}@1.0.0");
        let mut found = states.iter().filter(|(component, _)| **component == title);
        found.next().map(|(_, state)| (*state).clone())
    };
    assert_eq!(state("bad"), Some("unchanged".into()), "{states:?}");
    assert_eq!(state("old"), Some("new".into()), "{states:?}");
    Ok(())
}

#[test]
fn what_is_no_baseline_is_refused_before_anybody_is_asked() -> anyhow::Result<()> {
    let world = world()?;
    world.write("list.json", "[1]")?;
    world.write("other.json", "{\"components\": []}")?;
    let other = "{\"runs\": [{\"tool\": {\"driver\": {\"name\": \"grype\"}}}]}";
    world.write("grype.sarif", other)?;
    for (file, why) in [
        ("list.json", "the baseline list.json: "),
        ("other.json", "no report of `assay check`"),
        ("grype.sarif", "grype"),
        ("missing.json", "no such file"),
    ] {
        let refused = world.check(&["Cargo.lock", "--baseline", file])?;
        assert_eq!(refused.code, Some(2), "{file}");
        assert!(refused.stderr.contains(why), "{}", refused.stderr);
        assert!(refused.stdout.is_empty(), "{}", refused.stdout);
    }
    let unknown = world.check(&["Cargo.lock", "--fail-on", "everything"])?;
    assert_eq!(unknown.code, Some(2));
    assert!(unknown.stderr.contains("unsupported"), "{}", unknown.stderr);
    Ok(())
}

#[test]
fn what_is_named_stops_and_nothing_else() -> anyhow::Result<()> {
    let world = world()?;
    for (words, code) in [
        ("affected", 1),
        ("critical", 1), // Nobody says how severe it is.
        ("vulnerable,claim", 0),
        ("vulnerable,unsupported", 1),
        ("unidentified", 0),
    ] {
        let checked = world.check(&["Cargo.lock", "--fail-on", words])?;
        assert_eq!(checked.code, Some(code), "{words}: {}", checked.stderr);
        assert!(
            checked.stdout.contains("exploitable: "),
            "{}",
            checked.stdout
        );
    }
    // A log that cannot be reached is no matter of taste.
    let away = ["check", "Cargo.lock", "--fail-on", "claim"];
    assert_eq!(world.ask_at("http://127.0.0.1:1", &away)?.code, Some(3));
    Ok(())
}

#[test]
fn what_the_policy_ignores_is_shown_with_its_reason_until_its_day() -> anyhow::Result<()> {
    let world = world()?;
    world.policy("ignoring.toml", "warn", &ignoring_until("2099-12-31"))?;
    world.policy("expired.toml", "warn", &ignoring_until("2020-12-31"))?;
    let ignoring = ["Cargo.lock", "--policy", "ignoring.toml"];
    let checked = world.check(&ignoring)?;
    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    let words: Vec<_> = checked.stdout.split_whitespace().collect();
    // The table breaks lines.
    let flat = words.join(" ").replace(" | | ", " ");
    assert!(flat.contains("1 with what your policy ignores"), "{flat}");
    let (_, report) = world.report(&ignoring)?;
    let reason = &report["components"][0]["reasons"][0];
    assert_eq!(reason["ignored"]["by"][0]["reason"], "We do not call it.");
    assert_eq!(reason["ignored"]["outcome"], "denied");
    let text = reason["text"].as_str().unwrap();
    assert!(
        text.starts_with("Your policy ignores this until 2099-12-31: We do not call it. It would")
            && text.contains("CVE-2026-0001"),
        "{text}"
    );
    // Whatever is named.
    let named = [&ignoring[..], &["--fail-on", "affected"]].concat();
    assert_eq!(world.check(&named)?.code, Some(0));

    let expired = world.check(&["Cargo.lock", "--policy", "expired.toml"])?;
    assert_eq!(expired.code, Some(1));
    assert!(
        expired.stdout.contains(
            "No longer ignored, because the entry of your policy ended: CVE-2026-0001 in \
             pkg:cargo/bad, until 2020-12-31: We do not call it."
        ),
        "{}",
        expired.stdout
    );
    let no_end = ignoring_until("2099-12-31").replace("until = \"2099-12-31\"\n", "");
    world.policy("endless.toml", "warn", &no_end)?;
    let refused = world.check(&["Cargo.lock", "--policy", "endless.toml"])?;
    assert_eq!(refused.code, Some(2));
    assert!(refused.stderr.contains("until"), "{}", refused.stderr);
    Ok(())
}

/// Whoever asks for one package, or hands on what is known, hears of it, too.
#[test]
fn an_entry_that_ended_is_said_wherever_the_policy_is_asked() -> anyhow::Result<()> {
    let world = world()?;
    let entry = "\n[[ignore]]\nvulnerability = \"CVE-2026-0001\"\nscopes = [\"pkg:cargo/bad\"]\n\
                 reason = \"We do not call it.\"\nuntil = 2020-12-31\n";
    world.policy("expired.toml", "warn", entry)?;
    let url = &world.node.ready().url;
    let verifier = "https://verify.example/us";
    for words in [
        &["lookup", "pkg:cargo/bad@1.0.0"][..],
        &["export", "vex", "Cargo.lock"],
        &["export", "vsa", "Cargo.lock", "--verifier", verifier],
        &["lifecycle", "Cargo.lock"],
    ] {
        let said = world.ask_at(url, &[words, &["--policy", "expired.toml"]].concat())?;
        let said = format!("{}{}", said.stdout, said.stderr);
        let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            said.contains(
                "No longer ignored, because the entry of your policy ended: CVE-2026-0001"
            ),
            "{words:?}: {said}"
        );
    }
    Ok(())
}
