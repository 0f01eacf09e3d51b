//! What is decided of files, how it is written, and with which exit code the program ends.

use super::world::{World, cargo_lock, outcomes};
use serde_json::Value;
use std::fs;

/// A log that says something of five crates.
fn world() -> anyhow::Result<World> {
    let mut world = World::new()?;
    world.built("makers", "pkg:cargo/good@1.0.0")?;
    world.affected("makers", "pkg:cargo/bad@1.0.0")?;
    world.ended("makers", "pkg:cargo/old")?;
    world.built("makers", "pkg:cargo/old@1.0.0")?;
    world.reviewed("auditors", "pkg:cargo/failed@1.0.0", "fail")?;
    let wrong = world.affected("makers", "pkg:cargo/mended@1.0.0")?;
    world.withdraw("makers", &wrong)?;
    world.built("makers", "pkg:cargo/mended@1.0.0")?;
    // A stranger's word is known and decides nothing.
    world.affected("stranger", "pkg:cargo/good@1.0.0")?;
    Ok(world)
}

#[test]
fn the_policy_decides_and_the_exit_code_says_so() -> anyhow::Result<()> {
    let world = world()?;
    world.write(
        "Cargo.lock",
        &cargo_lock(&["bad", "failed", "good", "mended", "nobody", "old"]),
    )?;
    let (code, report) = world.report(&["Cargo.lock"])?;
    let expected = [
        ("bad", "denied"),
        ("failed", "denied"),
        ("good", "fine"),
        ("mended", "fine"),
        ("nobody", "warn"),
        ("old", "warn"),
    ];
    let expected: Vec<_> = expected
        .map(|(name, outcome)| (format!("pkg:cargo/{name}@1.0.0"), outcome.to_owned()))
        .into();
    assert_eq!((code, outcomes(&report)), (Some(1), expected), "{report:#}");
    assert_eq!(report["own"][0], "pkg:cargo/app@0.1.0");
    let counts = &report["counts"];
    assert_eq!(
        (&counts["components"], &counts["outcomes"]["fine"]),
        (&6.into(), &2.into())
    );
    let claim = &report["components"][0]["reasons"][0]["claims"][0];
    assert_eq!(
        (&claim["issuer"], &claim["issuer_id"]),
        (&"our makers".into(), &world.issuer("makers").into())
    );
    // Where the name stands.
    assert_eq!(report["components"][0]["places"][0]["line"], 8);

    // 0 if the policy is met, be it with warnings.
    world.write("fine.Cargo.lock", &cargo_lock(&["good"]))?;
    let fine = world.check(&["fine.Cargo.lock"])?;
    assert_eq!(fine.code, Some(0), "{}", fine.stderr);
    assert!(
        fine.stdout
            .starts_with("1 component: 1 fine.\nPolicy met by 1 component.\n"),
        "{}",
        fine.stdout
    );
    assert!(
        fine.stdout.contains(": nothing was left out."),
        "{}",
        fine.stdout
    );

    // What nobody knows stops a policy that says so.
    world.policy("strict.toml", "deny", "")?;
    world.write("nobody.Cargo.lock", &cargo_lock(&["good", "nobody"]))?;
    assert_eq!(world.check(&["nobody.Cargo.lock"])?.code, Some(0));
    let (code, report) = world.report(&["nobody.Cargo.lock", "--policy", "strict.toml"])?;
    assert_eq!((code, &report["outcome"]), (Some(1), &"unknown".into()));
    Ok(())
}

#[test]
fn what_cannot_be_identified_is_counted_and_unknown() -> anyhow::Result<()> {
    let world = world()?;
    let lock = format!(
        "{}\n[[package]]\nname = \"vendored\"\nversion = \"1.0.0\"\nsource = \"mystery+x\"\n",
        cargo_lock(&["good"])
    );
    let requirements = "good==1.0.0 \
        --hash=sha256:0000000000000000000000000000000000000000000000000000000000000000\nunpinned\n";
    world.policy("strict.toml", "deny", "")?;
    for (name, text) in [
        ("Cargo.lock", lock.as_str()),
        ("requirements.txt", requirements),
    ] {
        world.write(name, text)?;
        let lax = world.check(&[name])?;
        if lax.code == Some(2) {
            // Then nothing of it was taken, which is safe too; the other file shows what is meant.
            continue;
        }
        assert!(
            lax.stdout.contains("1 more entry could not be identified"),
            "{}",
            lax.stdout
        );
        assert_eq!(lax.code, Some(0), "{}", lax.stdout);
        let (code, report) = world.report(&[name, "--policy", "strict.toml"])?;
        assert_eq!(code, Some(1), "{report:#}");
        assert_eq!(report["counts"]["unidentified"], 1);
    }
    Ok(())
}

#[test]
fn a_fork_is_not_fine_because_the_public_package_is() -> anyhow::Result<()> {
    let world = world()?;
    let fork = "git+https://example.org/good?rev=1dd263a72309b97be19a71e87f0062eea22dc321\
        #1dd263a72309b97be19a71e87f0062eea22dc321";
    let lock = |name: &str| {
        format!(
            "version = 4\n\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \
             \"{fork}\"\n"
        )
    };
    world.write("Cargo.lock", &lock("good"))?;
    let (_, report) = world.report(&["Cargo.lock"])?;
    let good = &report["components"][0];
    assert_eq!(good["outcome"], "warn", "{good:#}");
    assert_eq!(good["reasons"][0]["cause"], "unknown");
    assert!(
        good["reasons"][0]["text"]
            .as_str()
            .unwrap()
            .contains("as it comes from git+https://example.org/good")
    );
    // What is said against the public one counts against the fork.
    world.write("Cargo.lock", &lock("bad"))?;
    assert_eq!(
        world.report(&["Cargo.lock"])?.1["components"][0]["outcome"],
        "denied"
    );
    Ok(())
}

#[test]
fn every_output_holds_what_was_found() -> anyhow::Result<()> {
    let world = world()?;
    world.write("Cargo.lock", &cargo_lock(&["bad", "good", "old"]))?;
    check_sarif(&written(&world, "sarif")?)?;
    check_vex(&written(&world, "cyclonedx-vex")?)?;

    let markdown = written(&world, "markdown")?;
    assert!(
        markdown.contains("| `pkg:cargo/bad@1.0.0` | denied | exploitable: "),
        "{markdown}"
    );
    let text = written(&world, "text")?;
    assert!(text.starts_with(
        "3 components: 1 fine, 1 with a vulnerability that can be exploited, 1 past end of \
             support.\n"
    ));
    assert!(
        text.contains("our makers (maintainer)") && !text.contains("pkg:cargo/good@"),
        "{text}"
    );
    assert!(
        world
            .check(&["Cargo.lock", "--all"])?
            .stdout
            .contains("pkg:cargo/good@")
    );

    let other = world.check(&["--help"])?;
    assert_eq!(other.code, Some(0));
    let refused = super::world::run(
        world.folder.path(),
        &["key", "show", "makers.pem", "--output", "sarif"],
    )?;
    assert_eq!(refused.code, Some(2));
    assert!(
        refused.stderr.contains("only `assay check` writes sarif"),
        "{}",
        refused.stderr
    );
    Ok(())
}

/// What a check of `Cargo.lock`, which must not pass, writes in a format.
fn written(world: &World, format: &str) -> anyhow::Result<String> {
    let checked = world.check(&["Cargo.lock", "--output", format])?;
    assert_eq!(checked.code, Some(1), "{format}: {}", checked.stderr);
    Ok(checked.stdout)
}

fn check_sarif(text: &str) -> anyhow::Result<()> {
    let sarif: Value = serde_json::from_str(text)?;
    let result = &sarif["runs"][0]["results"][0];
    assert_eq!(result["ruleId"], "exploitable/CVE-2026-0001");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(
        (
            &place["artifactLocation"]["uri"],
            &place["region"]["startLine"]
        ),
        (&"Cargo.lock".into(), &8.into())
    );
    Ok(())
}

fn check_vex(text: &str) -> anyhow::Result<()> {
    let vex: Value = serde_json::from_str(text)?;
    let found = vex["vulnerabilities"].as_array().unwrap();
    let of = |purl: &str| {
        let mut found = found.iter();
        found.find(|one| one["affects"][0]["ref"] == purl)
    };
    let bad = of("pkg:cargo/bad@1.0.0").unwrap();
    assert_eq!(bad["analysis"]["state"], "exploitable");
    let good = of("pkg:cargo/good@1.0.0");
    assert_eq!(good, None, "a stranger is not heard");
    Ok(())
}

#[test]
fn a_malformed_file_is_refused_with_its_line() -> anyhow::Result<()> {
    let world = world()?;
    for (name, text, line) in [
        (
            "Cargo.lock",
            "version = 4\n[[package]]\nname = \n",
            "Cargo.lock:3: ",
        ),
        (
            "package-lock.json",
            "{\"lockfileVersion\":3,\n\"packages\":{",
            "package-lock.json:2: ",
        ),
        ("go.sum", "example.org/a v1.0.0 h1:x\nbroken\n", "go.sum:"),
        (
            "bom.cdx.json",
            "{\"bomFormat\":\"CycloneDX\",\n\"specVersion\":\"1.6\",\n",
            "bom.cdx.json:",
        ),
        ("unheard-of.lock", "?", "unheard-of.lock: "),
    ] {
        world.write(name, text)?;
        let checked = world.check(&[name])?;
        assert_eq!(checked.code, Some(2), "{name}: {}", checked.stderr);
        assert!(
            checked.stderr.starts_with(&format!("assay: {line}")),
            "{}",
            checked.stderr
        );
        assert!(checked.stdout.is_empty(), "{name}");
    }
    // One bad file among good ones: nothing is said that could be taken for all of it.
    world.write("good.Cargo.lock", &cargo_lock(&["good"]))?;
    let mixed = world.check(&["good.Cargo.lock", "Cargo.lock"])?;
    assert_eq!((mixed.code, mixed.stdout.as_str()), (Some(2), ""));
    assert_eq!(world.check(&["none.lock"])?.code, Some(2));
    assert_eq!(world.check(&[])?.code, Some(2));
    Ok(())
}

#[test]
fn installed_packages_are_those_of_the_distribution() -> anyhow::Result<()> {
    let mut world = World::new()?;
    world.built("makers", "pkg:deb/debian/curl@7.88.1-10")?;
    let package = |name: &str| {
        format!(
            "Package: {name}\nStatus: install ok installed\nArchitecture: amd64\nMaintainer: M \
             <m@example.org>\nVersion: 7.88.1-10\nDescription: x\n\n"
        )
    };
    world.write("status", &format!("{}{}", package("curl"), package("wget")))?;
    world.write("os-release", "ID=debian\nVERSION_ID=\"12\"\n")?;
    let (code, report) = world.report(&[
        "--installed",
        "--dpkg-status",
        "status",
        "--os-release",
        "os-release",
    ])?;
    assert_eq!(code, Some(0), "{report:#}");
    let found: Vec<_> = outcomes(&report);
    assert!(
        found[0].0.starts_with("pkg:deb/debian/curl@7.88.1-10?") && found[0].1 == "fine",
        "{found:?}"
    );
    assert_eq!(found[1].1, "warn");
    let missing = world.check(&["--installed", "--dpkg-status", "none"])?;
    assert_eq!(missing.code, Some(2));
    fs::remove_file(world.path("status"))?;
    Ok(())
}

#[test]
fn packages_of_rpm_are_those_of_the_system_whose_database_it_is() -> anyhow::Result<()> {
    let database: &[u8] =
        include_bytes!("../../../core/intake/src/components/rpm_database/made/rpmdb.sqlite");
    let mut world = World::new()?;
    world.built("makers", "pkg:rpm/fedora/made@1.2.3-4.fc40")?;
    let folder = world.path("root/usr/lib/sysimage/rpm");
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("rpmdb.sqlite"), database)?;
    let unnamed = world.check(&["root"])?;
    assert_eq!(unnamed.code, Some(2));
    assert!(unnamed.stderr.contains("--os-release"), "{unnamed:?}");
    fs::create_dir_all(world.path("root/etc"))?;
    world.write("root/etc/os-release", "ID=fedora\nVERSION_ID=40\n")?;
    let (code, report) = world.report(&["root"])?;
    assert_eq!(code, Some(0), "{report:#}");
    let found = outcomes(&report);
    // The other eight are built of the same sources, and nobody says anything of those.
    let fine: Vec<_> = found
        .iter()
        .filter(|(_, outcome)| outcome == "fine")
        .collect();
    assert_eq!((found.len(), fine.len()), (9, 1), "{found:?}");
    assert!(
        fine[0].0.starts_with("pkg:rpm/fedora/made@1.2.3-4.fc40?"),
        "{fine:?}"
    );
    fs::write(folder.join("rpmdb.sqlite-wal"), "x")?;
    let newer = world.check(&["root"])?;
    assert_eq!(newer.code, Some(2));
    assert!(newer.stderr.contains("rpmdb.sqlite-wal"), "{newer:?}");
    Ok(())
}
