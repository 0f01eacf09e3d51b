//! `assay lifecycle`: until when things are supported, as a calendar, in OpenEoX, in CLE
//! and for people.

use super::world::{Checked, World, cargo_lock};
use assay_tests::aics::{require_python, run_script};
use serde_json::{Value, json};

fn dates(
    world: &mut World,
    who: &str,
    purl: &str,
    security: &str,
    life: &str,
) -> anyhow::Result<String> {
    let predicate = json!({
        "end_of_security_support": security,
        "end_of_life": life,
        "last_updated": "2026-01-01T00:00:00Z",
    });
    world.say(who, purl, "urn:assay:lifecycle:v1", &predicate)
}

fn lifecycle(world: &World, arguments: &[&str]) -> anyhow::Result<Checked> {
    let arguments = [&["lifecycle"], arguments].concat();
    world.ask_at(&world.node.ready().url, &arguments)
}

/// A log in which makers, auditors and a stranger say until when "a" is supported, and one took
/// back what it said of "b".
fn world() -> anyhow::Result<World> {
    let mut world = World::new()?;
    dates(&mut world, "makers", "pkg:cargo/a", "2031-03-31", "tba")?;
    dates(
        &mut world,
        "auditors",
        "pkg:cargo/a",
        "2033-03-31T12:00:00Z",
        "2034-01-01",
    )?;
    dates(
        &mut world,
        "stranger",
        "pkg:cargo/a",
        "2099-01-01",
        "2099-01-01",
    )?;
    let wrong = dates(
        &mut world,
        "makers",
        "pkg:cargo/b",
        "2098-01-01",
        "2098-01-01",
    )?;
    world.withdraw("makers", &wrong)?;
    world.write("Cargo.lock", &cargo_lock(&["a", "b"]))?;
    Ok(world)
}

#[test]
fn those_with_a_role_say_until_when_and_nobody_else() -> anyhow::Result<()> {
    let world = world()?;
    let text = lifecycle(&world, &["Cargo.lock"])?;
    assert_eq!(text.code, Some(0), "{}", text.stderr);
    let makers = "pkg:cargo/a@1.0.0: end of security support 2031-03-31, end of life to be \
        announced, according to our makers (maintainer)";
    assert!(text.stdout.contains(makers), "{}", text.stdout);
    assert!(
        text.stdout.contains("our auditors (auditor)"),
        "{}",
        text.stdout
    );
    assert!(text.stdout.contains("trusts says it: 1"), "{}", text.stdout);

    let ics = lifecycle(&world, &["Cargo.lock", "--output", "ics"])?;
    assert_eq!(ics.code, Some(0), "{}", ics.stderr);
    let mut days: Vec<&str> = ics
        .stdout
        .split("\r\n")
        .filter_map(|line| line.strip_prefix("DTSTART;VALUE=DATE:"))
        .collect();
    days.sort_unstable();
    assert_eq!(days, ["20310331", "20330331", "20340101"], "{}", ics.stdout);
    assert!(ics.stdout.ends_with("END:VCALENDAR\r\n"), "{}", ics.stdout);
    assert_eq!(
        lifecycle(&world, &["Cargo.lock", "--output", "ics"])?.stdout,
        ics.stdout
    );
    if let Some(programs) = require_python("calendars as icalendar reads them") {
        world.write("support.ics", &ics.stdout)?;
        let events = run_script(programs, "calendars.py", &[&world.path("support.ics")])?;
        let events: Value = serde_json::from_str(&events)?;
        let events = events.as_array().unwrap();
        let mut theirs: Vec<_> = events
            .iter()
            .filter_map(|one| one["day"].as_str())
            .collect();
        theirs.sort_unstable();
        assert_eq!(theirs, days, "{events:?}");
        let mut said = events.iter().filter_map(|one| one["description"].as_str());
        assert!(said.any(|text| text.contains("our makers")), "{events:?}");
        // The judge can say no.
        world.write(
            "support.ics",
            &ics.stdout
                .replacen("DTSTART;VALUE=DATE:2", "DTSTART;VALUE=DATE:x", 1),
        )?;
        assert!(run_script(programs, "calendars.py", &[&world.path("support.ics")]).is_err());
    }
    // Of what two files have, it is said once.
    let twice = ["Cargo.lock", "pkg:cargo/a@1.0.0", "--output", "ics"];
    assert_eq!(lifecycle(&world, &twice)?.stdout, ics.stdout);

    Ok(())
}

#[test]
fn what_is_written_in_openeox_is_read_again() -> anyhow::Result<()> {
    let world = world()?;
    let eox = lifecycle(&world, &["pkg:cargo/a@1.0.0", "--output", "openeox"])?;
    let document: Value = serde_json::from_str(&eox.stdout)?;
    let statements = document["statements"].as_array().unwrap();
    let mut ends: Vec<_> = statements
        .iter()
        .map(|one| one["core"]["end_of_security_support"].as_str().unwrap())
        .collect();
    ends.sort_unstable();
    assert_eq!(ends, ["2031-03-31T23:59:59Z", "2033-03-31T12:00:00Z"]);
    // Ours reads it.
    world.write("eox.json", &eox.stdout)?;
    let published = world.online(&["publish", "lifecycle", "eox.json", "--key", "stranger.pem"])?;
    assert_eq!(published.as_array().map(Vec::len), Some(2), "{published:#}");

    let away = world.ask_at("http://127.0.0.1:1", &["lifecycle", "Cargo.lock"])?;
    assert_eq!((away.code, away.stdout.as_str()), (Some(3), ""));
    assert_eq!(
        lifecycle(&world, &["Cargo.lock", "--output", "csaf"])?.code,
        Some(2)
    );
    Ok(())
}

#[test]
fn what_is_written_in_cle_is_read_again() -> anyhow::Result<()> {
    let world = world()?;
    let cle = lifecycle(&world, &["Cargo.lock", "--output", "cle"])?;
    assert_eq!(cle.code, Some(0), "{}", cle.stderr);
    // A document for each of the two whom the policy trusts, and none of the stranger.
    let mut ends = Vec::new();
    for line in cle.stdout.lines() {
        let document: Value = serde_json::from_str(line)?;
        assert_eq!(document["identifier"], "pkg:cargo/a");
        let events = document["events"].as_array().unwrap().iter();
        let supports = events.filter(|event| event["type"] == "endOfSupport");
        ends.extend(supports.map(|event| event["effective"].as_str().unwrap().to_owned()));
        world.write("cle.json", line)?;
        let published = ["publish", "lifecycle", "cle.json", "--key", "stranger.pem"];
        let published = world.online(&published)?;
        assert_eq!(published.as_array().map(Vec::len), Some(1), "{published:#}");
    }
    ends.sort_unstable();
    assert_eq!(ends, ["2031-03-31T23:59:59Z", "2033-03-31T12:00:00Z"]);
    Ok(())
}
