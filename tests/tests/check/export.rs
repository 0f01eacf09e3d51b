//! `assay export vex`: a scanner that reads it loses what those cleared whose word clears, and
//! nothing else.

use super::world::{Checked, World, cargo_lock};
use assay_tests::npm::{require_npm, validate_csaf};
use serde_json::{Value, json};
use std::fs;

const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";
const APP: &str = "pkg:generic/app@1";

/// Somebody's document of these statements, about a package.
fn vex(world: &mut World, who: &str, purl: &str, statements: Value) -> anyhow::Result<String> {
    let document = json!({
        "@context": OPENVEX,
        "@id": format!("https://example.org/vex/{who}/{purl}"),
        "author": format!("{who}@example.org"),
        "version": 1,
        "timestamp": "2026-01-01T00:00:00Z",
        "statements": statements,
    });
    world.say(who, purl, OPENVEX, &document)
}

fn cleared(id: &str) -> Value {
    json!([{
        "vulnerability": {"name": id, "aliases": [id.replace("CVE", "GHSA")]},
        "status": "not_affected",
        "justification": "vulnerable_code_not_present",
        "impact_statement": "We do not compile it; nor [link](https://x) it.",
        "status_notes": "Looked at on Tuesday.",
    }])
}

/// A log in which makers, auditors and a stranger speak of vulnerabilities.
fn world() -> anyhow::Result<World> {
    let mut world = World::new()?;
    let (good, part) = ("pkg:cargo/good@1.0.0", "pkg:cargo/part@1.0.0");
    vex(&mut world, "makers", good, cleared("CVE-2026-0001"))?;
    vex(&mut world, "stranger", good, cleared("CVE-2026-0002"))?;
    vex(
        &mut world,
        "makers",
        "pkg:cargo/torn@1.0.0",
        cleared("CVE-2026-0003"),
    )?;
    let affected = json!([{
        "vulnerability": {"name": "CVE-2026-0003"},
        "status": "affected",
        "action_statement": "Update.",
    }]);
    vex(&mut world, "auditors", "pkg:cargo/torn@1.0.0", affected)?;
    world.affected("makers", "pkg:cargo/bad@1.0.0")?;
    let fixed = json!([{"vulnerability": {"name": "GHSA-aaaa-bbbb-cccc"}, "status": "fixed"}]);
    vex(&mut world, "auditors", part, fixed)?;
    let gone = vex(&mut world, "auditors", good, cleared("CVE-2026-0005"))?;
    world.withdraw("auditors", &gone)?;
    let within = json!([{
        "vulnerability": {"name": "CVE-2026-0006"},
        "status": "not_affected",
        "impact_statement": "The app does not call it.",
        "products": [{"@id": APP, "subcomponents": [{"@id": part}]}],
    }]);
    vex(&mut world, "makers", APP, within)?;
    world.write("Cargo.lock", &cargo_lock(&["bad", "good", "part", "torn"]))?;
    let component = |name: &str| {
        json!({"type": "library", "name": name, "version": "1.0.0",
            "purl": format!("pkg:cargo/{name}@1.0.0")})
    };
    let sbom = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {"component": {"type": "application", "name": "app", "version": "1",
            "purl": APP, "bom-ref": "app"}},
        "components": [component("good"), component("part")],
    });
    world.write("app.cdx.json", &sbom.to_string())?;
    Ok(world)
}

fn export(world: &World, arguments: &[&str]) -> anyhow::Result<Checked> {
    let arguments = [&["export", "vex"], arguments].concat();
    world.ask_at(&world.node.ready().url, &arguments)
}

/// Vulnerability, status and products of each statement of an OpenVEX document.
fn told(document: &Value) -> Vec<(String, String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let statements = document["statements"].as_array().unwrap().iter();
    statements
        .map(|one| {
            let products = one["products"].as_array().unwrap().iter();
            let products = products.map(|product| match &product["subcomponents"][0]["@id"] {
                Value::String(part) => format!("{} > {part}", text(&product["@id"])),
                _ => text(&product["@id"]),
            });
            (
                text(&one["vulnerability"]["name"]),
                text(&one["status"]),
                products.collect(),
            )
        })
        .collect()
}

fn row(id: &str, status: &str, products: &[&str]) -> (String, String, Vec<String>) {
    let products = products.iter().map(|one| (*one).to_owned()).collect();
    (id.to_owned(), status.to_owned(), products)
}

#[test]
fn what_trusted_issuers_cleared_is_handed_on_and_nothing_else() -> anyhow::Result<()> {
    let world = world()?;
    let written = export(&world, &["Cargo.lock"])?;
    assert_eq!(written.code, Some(0), "{}", written.stderr);
    let document: Value = serde_json::from_str(&written.stdout)?;
    let (good, part) = ("pkg:cargo/good@1.0.0", "pkg:cargo/part@1.0.0");
    let expected = [
        // The one that a finder of the makers' calls exploitable; the others are cleared.
        row("CVE-2026-0001", "affected", &["pkg:cargo/bad@1.0.0"]),
        row("CVE-2026-0001", "not_affected", &[good]),
        row("GHSA-aaaa-bbbb-cccc", "fixed", &[part]),
    ];
    assert_eq!(told(&document), expected, "{document:#}");
    assert!(
        written
            .stderr
            .contains("contradicted, so left out: CVE-2026-0003")
            && written
                .stderr
                .contains("of which 2 let a scanner drop a finding"),
        "{}",
        written.stderr
    );
    let statement = &document["statements"][1];
    assert_eq!(statement["vulnerability"]["aliases"][0], "GHSA-2026-0001");
    assert_eq!(statement["justification"], "vulnerable_code_not_present");
    assert_eq!(statement["timestamp"], "2026-01-01T00:00:00Z");
    let notes = statement["status_notes"].as_str().unwrap();
    for words in [
        "our makers (maintainer)",
        world.issuer("makers"),
        "Looked at on Tuesday.",
    ] {
        assert!(notes.contains(words), "{words}: {notes}");
    }
    // The same claims, the same bytes; and ours reads it.
    assert_eq!(export(&world, &["Cargo.lock"])?.stdout, written.stdout);
    world.write("out.openvex.json", &written.stdout)?;
    let read = [
        "publish",
        "vex",
        "out.openvex.json",
        "--key",
        "stranger.pem",
    ];
    assert!(world.online(&read)?[0]["claim_id"].is_string());
    Ok(())
}

/// Vulnerability, component and state of each row of `check --output cyclonedx-vex`.
fn analyzed(world: &World, policy: &str) -> anyhow::Result<Vec<[String; 3]>> {
    let arguments = [
        "Cargo.lock",
        "--output",
        "cyclonedx-vex",
        "--policy",
        policy,
    ];
    let checked = world.check(&arguments)?;
    let document: Value = serde_json::from_str(&checked.stdout)?;
    let rows = document["vulnerabilities"].as_array().unwrap().iter();
    let mut rows: Vec<[String; 3]> = rows
        .map(|row| {
            let purl = &row["affects"][0]["ref"];
            [&row["id"], purl, &row["analysis"]["state"]].map(|it| it.as_str().unwrap().to_owned())
        })
        .collect();
    rows.sort();
    Ok(rows)
}

#[test]
fn a_check_writes_as_cleared_only_what_their_word_clears() -> anyhow::Result<()> {
    let world = world()?;
    let [bad, good, part, torn] =
        ["bad", "good", "part", "torn"].map(|name| format!("pkg:cargo/{name}@1.0.0"));
    let rows = |of_part: &str| {
        let rows = [
            ["CVE-2026-0001", &bad, "exploitable"],
            ["CVE-2026-0001", &good, "not_affected"],
            ["CVE-2026-0003", &torn, "exploitable"],
            ["GHSA-aaaa-bbbb-cccc", &part, of_part],
        ];
        rows.map(|row| row.map(str::to_owned))
    };
    assert_eq!(analyzed(&world, "policy.toml")?, rows("resolved"));
    let text = fs::read_to_string(world.path("policy.toml"))?;
    let narrow = text.replace(r#", "supplier", "coordinator", "auditor"]"#, "]");
    assert_ne!(text, narrow);
    world.write("narrow.toml", &narrow)?;
    assert_eq!(analyzed(&world, "narrow.toml")?, rows("in_triage"));
    Ok(())
}

#[test]
fn of_an_sbom_the_parts_are_named_in_their_product() -> anyhow::Result<()> {
    let world = world()?;
    let document = |arguments: &[&str]| -> anyhow::Result<Value> {
        let written = export(&world, arguments)?;
        assert_eq!(written.code, Some(0), "{}", written.stderr);
        Ok(serde_json::from_str(&written.stdout)?)
    };
    let (good, part) = ("pkg:cargo/good@1.0.0", "pkg:cargo/part@1.0.0");
    let inside = |of: &str, purl: &str| format!("{of} > {purl}");
    let expected = |of: &str| {
        vec![
            row("CVE-2026-0001", "not_affected", &[good, &inside(of, good)]),
            // What is said of a part in the product is said of it nowhere else.
            row("CVE-2026-0006", "not_affected", &[&inside(of, part)]),
            row("GHSA-aaaa-bbbb-cccc", "fixed", &[part, &inside(of, part)]),
        ]
    };
    assert_eq!(told(&document(&["app.cdx.json"])?), expected(APP));
    let (named, image) = ("pkg:oci/app@sha256%3Aab", "pkg:oci/app@sha256:ab");
    // Another product takes no word that was said of a part in the SBOM's.
    let mut of_image = expected(image);
    of_image[1].2 = vec![inside(APP, part)];
    let other = told(&document(&["app.cdx.json", "--product", named])?);
    assert_eq!(other, of_image);
    let alone = told(&document(&[good, "--product", named])?);
    assert_eq!(
        alone,
        [row(
            "CVE-2026-0001",
            "not_affected",
            &[good, &inside(image, good)]
        )]
    );
    assert_eq!(told(&document(&["pkg:cargo/nobody@1.0.0"])?), []);
    Ok(())
}

#[test]
fn what_is_said_of_one_file_is_not_handed_on_of_others_of_its_purl() -> anyhow::Result<()> {
    let mut world = World::new()?;
    let purl = "pkg:cargo/twin@1.0.0";
    let mut of_one = cleared("CVE-2026-0001");
    of_one[0]["products"] = json!([{"@id": purl, "hashes": {"sha-256": "a".repeat(64)}}]);
    vex(&mut world, "makers", purl, of_one)?;
    vex(&mut world, "auditors", purl, cleared("CVE-2026-0002"))?;
    let twin = |number: &str| {
        json!({"type": "library", "name": "twin", "version": "1.0.0", "purl": purl,
            "bom-ref": number, "hashes": [{"alg": "SHA-256", "content": number.repeat(64)}]})
    };
    for (twins, expected) in [
        (&["a"][..], &["CVE-2026-0001", "CVE-2026-0002"][..]),
        (&["a", "b"], &["CVE-2026-0002"]),
    ] {
        let components: Vec<Value> = twins.iter().map(|number| twin(number)).collect();
        let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
            "components": components});
        world.write("twins.cdx.json", &sbom.to_string())?;
        let written = export(&world, &["twins.cdx.json"])?;
        assert_eq!(written.code, Some(0), "{}", written.stderr);
        let expected: Vec<_> = expected
            .iter()
            .map(|id| row(id, "not_affected", &[purl]))
            .collect();
        assert_eq!(told(&serde_json::from_str(&written.stdout)?), expected);
        let is_said = written.stderr.contains("not said of all components");
        assert_eq!(is_said, twins.len() > 1, "{}", written.stderr);
    }
    Ok(())
}

#[test]
fn a_judge_of_csaf_passes_it_and_each_format_tells_the_same() -> anyhow::Result<()> {
    let world = world()?;
    let document = |format: &str| -> anyhow::Result<String> {
        let written = export(&world, &["app.cdx.json", "--output", format])?;
        assert_eq!(written.code, Some(0), "{}", written.stderr);
        Ok(written.stdout)
    };
    for format in ["csaf", "csaf-2.1"] {
        let text = document(format)?;
        world.write("out.json", &text)?;
        let Some(packages) = require_npm("CSAF documents") else {
            continue;
        };
        validate_csaf(packages, &world.path("out.json"))?;
        // The judge can say no.
        world.write(
            "bad.json",
            &text.replacen("known_not_affected", "known_affected", 1),
        )?;
        let refused = validate_csaf(packages, &world.path("bad.json")).unwrap_err();
        assert!(refused.to_string().contains("6_1_27"), "{refused}");
    }
    let cyclonedx: Value = serde_json::from_str(&document("cyclonedx-vex")?)?;
    let states: Vec<_> = cyclonedx["vulnerabilities"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| {
            (
                one["id"].as_str().unwrap(),
                one["analysis"]["state"].as_str().unwrap(),
            )
        })
        .collect();
    let expected = [
        ("CVE-2026-0001", "not_affected"),
        ("CVE-2026-0006", "not_affected"),
        ("GHSA-aaaa-bbbb-cccc", "resolved"),
    ];
    assert_eq!(states, expected);
    Ok(())
}

/// Tools ask of a purl that it has the qualifiers of a statement's, and nothing of its subpath.
#[test]
fn what_tools_take_for_another_component_is_not_cleared_with_it() -> anyhow::Result<()> {
    let mut world = World::new()?;
    let of = |who: &str, purl: &str, id: &str, world: &mut World| {
        vex(world, who, purl, cleared(id)).map(drop)
    };
    let (public, private) = (
        "pkg:cargo/twin@1.0.0",
        "pkg:cargo/twin@1.0.0?repository_url=https://crates.example",
    );
    let (whole, below) = (
        "pkg:golang/a.example/b@v1",
        "pkg:golang/a.example/b@v1#below",
    );
    of("makers", public, "CVE-2026-0001", &mut world)?;
    of("makers", private, "CVE-2026-0002", &mut world)?;
    of("makers", below, "CVE-2026-0003", &mut world)?;
    let private_row = "pkg:cargo/twin@1.0.0?repository_url=https:%2F%2Fcrates.example";
    for (purls, expected) in [
        (&[public][..], &[("CVE-2026-0001", public)][..]),
        // That of the public one would clear the private one, too, and not the reverse.
        (&[public, private], &[("CVE-2026-0002", private_row)]),
        (&[below], &[("CVE-2026-0003", below)]),
        (&[whole, below], &[]),
    ] {
        let components: Vec<Value> = purls
            .iter()
            .map(|purl| {
                json!({"type": "library", "name": "x", "version": "1", "purl": purl,
                    "bom-ref": purl})
            })
            .collect();
        let sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
            "components": components});
        world.write("alike.cdx.json", &sbom.to_string())?;
        let written = export(&world, &["alike.cdx.json"])?;
        assert_eq!(written.code, Some(0), "{}", written.stderr);
        let expected: Vec<_> = expected
            .iter()
            .map(|(id, purl)| row(id, "not_affected", &[purl]))
            .collect();
        let told = told(&serde_json::from_str(&written.stdout)?);
        assert_eq!(told, expected, "{purls:?}: {}", written.stderr);
        let is_said = written.stderr.contains("not said of all components");
        assert_eq!(is_said, purls.len() > 1, "{}", written.stderr);
    }
    Ok(())
}

/// Trivy knows components of a BOM by BOM-Links only, and reads the last statement of a
/// vulnerability.
#[test]
fn components_of_a_bom_with_a_number_are_pointed_at() -> anyhow::Result<()> {
    let mut world = world()?;
    for who in ["pkg:cargo/bad@1.0.0", "pkg:cargo/part@1.0.0"] {
        vex(&mut world, "makers", who, cleared("CVE-2026-0009"))?;
    }
    let uuid = "3e671687-395b-41f5-a30f-a58921a69b79";
    let component = |name: &str| {
        json!({"type": "library", "name": name, "version": "1.0.0", "bom-ref": format!("r {name}"),
            "purl": format!("pkg:cargo/{name}@1.0.0")})
    };
    let mut sbom = json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 3,
        "serialNumber": format!("urn:uuid:{uuid}"),
        "metadata": {"component": {"type": "application", "name": "app", "purl": APP}},
        "components": [component("bad"), component("good"), component("part")]});
    let affects = |sbom: &Value| -> anyhow::Result<Vec<(String, Vec<String>)>> {
        world.write("n.cdx.json", &sbom.to_string())?;
        let written = export(&world, &["n.cdx.json", "--output", "cyclonedx-vex"])?;
        assert_eq!(written.code, Some(0), "{}", written.stderr);
        world.write("n.vex.json", &written.stdout)?;
        let document: Value = serde_json::from_str(&written.stdout)?;
        let all = document["vulnerabilities"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let states = all.map(|one| {
            let state = text(&one["analysis"]["state"]);
            let of = one["affects"].as_array().unwrap().iter();
            let links = of.map(|of| text(&of["ref"]));
            let links: Vec<String> = links.filter(|of| of.starts_with("urn:cdx:")).collect();
            (format!("{} {state}", text(&one["id"])), links)
        });
        Ok(states.collect())
    };
    let link = |name: &str| format!("urn:cdx:{uuid}/3#r%20{name}");
    let expected = [
        ("CVE-2026-0001 exploitable", vec![link("bad")]),
        ("CVE-2026-0001 not_affected", vec![link("good")]),
        // What is said in the product is said of what stands there.
        ("CVE-2026-0006 not_affected", vec![link("part")]),
        (
            "CVE-2026-0009 not_affected",
            vec![link("bad"), link("part")],
        ),
        ("GHSA-aaaa-bbbb-cccc resolved", vec![link("part")]),
    ];
    let expected = expected.map(|(state, links)| (state.to_owned(), links));
    assert_eq!(affects(&sbom)?, expected);
    // Ours reads it, too.
    let read = ["publish", "vex", "n.vex.json", "--key", "stranger.pem"];
    assert!(world.online(&read)?[0]["claim_id"].is_string());
    for serial in ["", "urn:uuid:3e671687", "https://example.org/bom"] {
        sbom["serialNumber"] = serial.into();
        assert!(
            affects(&sbom)?.iter().all(|(_, links)| links.is_empty()),
            "{serial}"
        );
    }
    Ok(())
}

mod needs_go {
    use super::{export, world};
    use assay_tests::{gocsaf::CsafValidator, interop::require_go};

    #[test]
    fn gocsaf_passes_csaf_too() -> anyhow::Result<()> {
        if !require_go("CSAF documents as gocsaf judges them") {
            return Ok(());
        }
        let world = world()?;
        let judge = CsafValidator::build(world.folder.path())?;
        for what in ["app.cdx.json", "Cargo.lock"] {
            let written = export(&world, &[what, "--output", "csaf"])?;
            assert_eq!(written.code, Some(0), "{}", written.stderr);
            judge.validate(&written.stdout)?;
            // The judge can say no.
            let bad = written.stdout.replacen("\"final\"", "\"done\"", 1);
            assert!(judge.validate(&bad).is_err());
        }
        Ok(())
    }
}

#[test]
fn what_cannot_be_written_is_refused() -> anyhow::Result<()> {
    let world = world()?;
    for (arguments, code, why) in [
        (
            &["pkg:cargo/nobody@1.0.0", "--output", "csaf"][..],
            1,
            "no document of nothing",
        ),
        (&["pkg:cargo/good"], 2, "no version"),
        (&["pkg:cargo"], 2, "pkg:cargo"),
        (&["missing.json"], 2, "no such file"),
        (&["Cargo.lock", "--namespace", "example"], 2, "--namespace"),
        (&["Cargo.lock", "--product", "app"], 2, "app"),
        (
            &["Cargo.lock", "--output", "sarif"],
            2,
            "only `assay check` writes sarif",
        ),
    ] {
        let refused = export(&world, arguments)?;
        assert_eq!(
            refused.code,
            Some(code),
            "{arguments:?}: {}",
            refused.stderr
        );
        assert!(
            refused.stderr.contains(why),
            "{arguments:?}: {}",
            refused.stderr
        );
        assert!(
            refused.stdout.is_empty(),
            "{arguments:?}: {}",
            refused.stdout
        );
    }
    // A log that does not answer could take it back.
    let away = world.ask_at("http://127.0.0.1:1", &["export", "vex", "Cargo.lock"])?;
    assert_eq!((away.code, away.stdout.as_str()), (Some(3), ""));
    Ok(())
}
