//! What documents of CycloneDX and reports of scanners say, from `publish` to `check`: nothing is
//! cleared that they do not name, and by nobody but those whose word clears.

use super::world::World;
use serde_json::{Value, json};
use std::collections::BTreeSet;

const UUID: &str = "3e671687-395b-41f5-a30f-a58921a69b79";
const LIB: &str = "pkg:npm/lib@1.0.0";

/// A log in which an auditor's scan found a vulnerability in the library.
fn world() -> anyhow::Result<World> {
    let mut world = World::new()?;
    let scan = json!({
        "scanner": {"uri": "https://example.org/scanner", "result": [{"id": "CVE-2026-0001"}]},
        "metadata": {
            "scanStartedOn": "2026-01-01T00:00:00Z",
            "scanFinishedOn": "2026-01-01T00:00:00Z",
        },
    });
    let vulns = "https://in-toto.io/attestation/vulns/v0.2";
    world.say("auditors", LIB, vulns, &scan)?;
    Ok(world)
}

/// A BOM of this version, in which the library and something else have these names.
fn bom(version: u64, [lib, other]: [&str; 2]) -> Value {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": version,
        "serialNumber": format!("urn:uuid:{UUID}"),
        "components": [
            {"type": "library", "name": "lib", "version": "1.0.0", "purl": LIB, "bom-ref": lib},
            {"type": "library", "name": "other", "version": "1.0.0",
                "purl": "pkg:npm/other@1.0.0", "bom-ref": other},
        ],
    })
}

/// A document of vulnerabilities alone.
fn vex(state: &str, affects: &Value) -> String {
    json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
        "serialNumber": "urn:uuid:aaaaaaaa-395b-41f5-a30f-a58921a69b79",
        "vulnerabilities": [{
            "id": "CVE-2026-0001",
            "analysis": {"state": state, "detail": "We looked."},
            "affects": affects,
        }],
    })
    .to_string()
}

fn publish(world: &World, kind: &str, document: &str, who: &str) -> anyhow::Result<()> {
    world.write("document.json", document)?;
    let key = format!("{who}.pem");
    let published = world.online(&["publish", kind, "document.json", "--key", &key])?;
    assert!(published[0]["claim_id"].is_string(), "{published}");
    Ok(())
}

/// The rules that stop at a package of these files, or warn of it.
fn rules(world: &World, files: &[&str], purl: &str) -> anyhow::Result<Vec<String>> {
    let (_, report) = world.report(files)?;
    let components = report["components"].as_array().unwrap().iter();
    let named: Vec<&Value> = components.filter(|one| one["purl"] == purl).collect();
    assert!(!named.is_empty(), "no {purl}: {report}");
    let reasons = named
        .iter()
        .flat_map(|one| one["reasons"].as_array().unwrap());
    let rules = reasons.map(|reason| reason["rule"].as_str().unwrap_or_default().to_owned());
    Ok(rules
        .filter(|rule| rule.contains("vulnerab") || rule == "exploitable")
        .collect())
}

#[test]
fn a_bom_link_clears_what_it_leads_to_in_that_bom() -> anyhow::Result<()> {
    let world = world()?;
    world.write("app.cdx.json", &bom(3, ["lib ref", "other"]).to_string())?;
    let open = ["open vulnerability".to_owned()];
    let link = |version: u64, name: &str| format!("urn:cdx:{UUID}/{version}#{name}");
    let affects = |link: &str| json!([{"ref": link}]);
    for (who, link) in [
        ("stranger", link(3, "lib%20ref")),
        ("makers", link(4, "lib%20ref")),
        ("makers", link(3, "lib")),
        ("makers", link(3, "lib%20ref").replace("3e67", "3e68")),
    ] {
        publish(&world, "vex", &vex("not_affected", &affects(&link)), who)?;
        assert_eq!(rules(&world, &["app.cdx.json"], LIB)?, open, "{who} {link}");
    }
    let said = vex("not_affected", &affects(&link(3, "lib%20ref")));
    publish(&world, "vex", &said, "makers")?;
    assert!(rules(&world, &["app.cdx.json"], LIB)?.is_empty());
    // Nor is it cleared elsewhere: in a later BOM, in another file of the same check, where the
    // name is of something else, too, and by itself.
    world.write("later.cdx.json", &bom(5, ["lib ref", "other"]).to_string())?;
    world.write(
        "twice.cdx.json",
        &bom(3, ["lib ref", "lib ref"]).to_string(),
    )?;
    world.write("purls.txt", LIB)?;
    for files in [
        &["later.cdx.json"][..],
        &["app.cdx.json", "later.cdx.json"],
        &["app.cdx.json", "purls.txt"],
        &["twice.cdx.json"],
        &["purls.txt"],
    ] {
        assert_eq!(rules(&world, files, LIB)?, open, "{files:?}");
    }
    // The same BOM twice is one.
    world.write("again.cdx.json", &bom(3, ["lib ref", "other"]).to_string())?;
    assert!(rules(&world, &["app.cdx.json", "again.cdx.json"], LIB)?.is_empty());
    Ok(())
}

/// What has neither purl nor digest can still be pointed at in its BOM; without that it stays what
/// nobody can identify.
#[test]
fn a_bom_link_speaks_of_what_has_no_name_elsewhere() -> anyhow::Result<()> {
    let world = world()?;
    let firmware = |version: u64, names: [&str; 2]| {
        let mut bom = bom(version, ["lib", "other"]);
        let one = |name: &str, called: &str| {
            json!({"type": "firmware", "name": name, "version": "1", "bom-ref": called,
                "cpe": "cpe:2.3:o:e:boot:1:*:*:*:*:*:*:*"})
        };
        let [boot, radio] = names;
        bom["components"] = json!([one("boot", boot), one("radio", radio)]);
        bom["metadata"]["component"] = json!({"type": "device", "name": "d", "version": "1",
            "purl": "pkg:generic/d@1", "bom-ref": "d"});
        bom
    };
    world.write("d.cdx.json", &firmware(3, ["boot", "radio"]).to_string())?;
    let told = |file: &str| -> anyhow::Result<(String, usize)> {
        let (_, report) = world.report(&[file])?;
        let components = report["components"].as_array().unwrap().iter();
        let found = components.map(|one| {
            let outcome = one["outcome"].as_str().unwrap();
            format!("{} {outcome}", one["name"].as_str().unwrap())
        });
        let found = found
            .filter(|one| !one.starts_with("d "))
            .collect::<BTreeSet<_>>();
        let found = Vec::from_iter(found);
        let unidentified = report["files"][0]["unidentified"].as_array().unwrap().len();
        Ok((found.join(", "), unidentified))
    };
    assert_eq!(told("d.cdx.json")?, (String::new(), 2));
    let affects = json!([{"ref": format!("urn:cdx:{UUID}/3#boot")}]);
    publish(&world, "vex", &vex("exploitable", &affects), "stranger")?;
    assert_eq!(told("d.cdx.json")?, (String::new(), 2));
    publish(&world, "vex", &vex("exploitable", &affects), "makers")?;
    assert_eq!(told("d.cdx.json")?, ("boot 1 denied".into(), 1));
    // It may be meant by a name of two. In another version it is not, and a BOM without a number
    // cannot be pointed at.
    world.write(
        "later.cdx.json",
        &firmware(4, ["boot", "radio"]).to_string(),
    )?;
    assert_eq!(told("later.cdx.json")?, (String::new(), 2));
    world.write("twice.cdx.json", &firmware(3, ["boot", "boot"]).to_string())?;
    let both = "boot 1 denied, radio 1 denied";
    assert_eq!(told("twice.cdx.json")?, (both.into(), 0));
    let mut bare = firmware(3, ["boot", "radio"]);
    bare.as_object_mut().unwrap().remove("serialNumber");
    world.write("bare.cdx.json", &bare.to_string())?;
    assert_eq!(told("bare.cdx.json")?, (String::new(), 2));
    Ok(())
}

#[test]
fn a_bom_link_speaks_against_what_it_leads_to() -> anyhow::Result<()> {
    let world = world()?;
    let link = format!("urn:cdx:{UUID}/3#other");
    let said = vex("exploitable", &json!([{"ref": link}]));
    publish(&world, "vex", &said, "makers")?;
    let other = "pkg:npm/other@1.0.0";
    for (version, names, expected) in [
        (3, ["lib", "other"], &["exploitable"][..]),
        // It may be meant.
        (3, ["other", "other"], &["exploitable"]),
        (3, ["other", "lib"], &[]),
        (4, ["lib", "other"], &[]),
    ] {
        world.write("app.cdx.json", &bom(version, names).to_string())?;
        let found = rules(&world, &["app.cdx.json"], other)?;
        assert_eq!(found, expected, "{version} {names:?}");
    }
    Ok(())
}

/// Which of the components is no danger, nobody can tell.
#[test]
fn what_is_cleared_without_saying_where_is_cleared_nowhere() -> anyhow::Result<()> {
    let world = world()?;
    let mut sbom = bom(3, ["lib", "other"]);
    sbom["metadata"]["component"] =
        json!({"type": "application", "name": "app", "purl": "pkg:npm/app@2.0.0"});
    sbom["vulnerabilities"] =
        json!([{"id": "CVE-2026-0001", "analysis": {"state": "not_affected"}}]);
    publish(&world, "sbom", &sbom.to_string(), "makers")?;
    world.write("app.cdx.json", &sbom.to_string())?;
    let open = ["open vulnerability".to_owned()];
    assert_eq!(rules(&world, &["app.cdx.json"], LIB)?, open);
    // By itself it says nothing.
    let key = ["--key", "makers.pem", "--output", "json"];
    let ready = world.node.ready();
    let log = ["--log", &ready.url, "--log-key", &ready.vkey];
    let arguments = [&["publish", "vex", "app.cdx.json"], &key[..], &log].concat();
    let refused = super::world::run(world.folder.path(), &arguments)?;
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(
        refused.stderr.contains("CVE-2026-0001"),
        "{}",
        refused.stderr
    );
    // Of a product of which nothing else is listed it is said.
    let mut alone = sbom.clone();
    alone["components"] = json!([]);
    publish(&world, "vex", &alone.to_string(), "makers")?;
    assert!(rules(&world, &["app.cdx.json"], LIB)?.is_empty());
    Ok(())
}

/// Whoever runs a scanner is not for that reason one of those who clear what it finds.
#[test]
fn what_a_scanner_was_told_to_ignore_is_open() -> anyhow::Result<()> {
    let world = world()?;
    let report = json!({
        "matches": [],
        "ignoredMatches": [{
            "vulnerability": {"id": "CVE-2026-0002", "severity": "High"},
            "artifact": {"name": "lib", "version": "1.0.0", "purl": "pkg:npm/lib@2.0.0"},
            "appliedIgnoreRules": [{"vulnerability": "CVE-2026-0002"}],
        }],
        "descriptor": {"name": "grype", "version": "0.121.0"},
    });
    world.write("report.json", &report.to_string())?;
    let lib = "pkg:npm/lib@2.0.0";
    world.online(&[
        "publish",
        "scan",
        "report.json",
        "--subject",
        lib,
        "--key",
        "auditors.pem",
    ])?;
    world.write("purls.txt", lib)?;
    assert_eq!(rules(&world, &["purls.txt"], lib)?, ["open vulnerability"]);
    Ok(())
}

/// Of Julia name and version are not enough.
#[test]
fn why_something_is_not_identified_is_told() -> anyhow::Result<()> {
    let world = World::new()?;
    let sbom = json!({
        "bomFormat": "CycloneDX", "specVersion": "1.6",
        "components": [{"type": "library", "name": "JSON", "purl": "pkg:julia/JSON@0.21.4"}],
    });
    world.write("julia.cdx.json", &sbom.to_string())?;
    let (_, report) = world.report(&["julia.cdx.json"])?;
    let unidentified = &report["files"][0]["unidentified"][0];
    assert_eq!(unidentified["what"], "JSON", "{report}");
    let why = "a purl of type julia must have the qualifier uuid";
    let reason = unidentified["reason"].as_str().unwrap_or_default();
    assert!(reason.ends_with(why), "{reason}");
    let checked = world.check(&["julia.cdx.json"])?;
    let flat = checked
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(flat.contains(why), "{flat}");
    Ok(())
}
