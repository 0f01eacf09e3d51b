//! `deploy/ci/assay-check`, which the GitHub action and the GitLab template run, with a real log.

use super::world::{World, cargo_lock};
use assay_tests::process::binaries;
use serde_json::Value;
use std::{fs, path::Path, process::Command};

/// Runs it with these files and settings. Returns its exit code, and what it said on stderr.
fn run(
    world: &World,
    files: &[&str],
    settings: &[(&str, &str)],
) -> anyhow::Result<(Option<i32>, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/ci/assay-check");
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", binaries().display());
    let mut command = Command::new("bash");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("ASSAY_") {
            command.env_remove(name);
        }
    }
    let ready = world.node.ready();
    command
        .arg(script)
        .arg("out")
        .args(files)
        .current_dir(world.folder.path())
        .env("PATH", path)
        .env("ASSAY_CONFIG", "/dev/null")
        .env("ASSAY_STATE_DIR", world.path("ci-state"))
        .env("ASSAY_LOG", &ready.url)
        .env("ASSAY_LOG_KEY", &ready.vkey)
        .env("ASSAY_POLICY", "policy.toml")
        // What nobody filled in.
        .env("ASSAY_BASELINE", "")
        .env("ASSAY_FAIL_ON", "")
        // A setting for everything else that a job does.
        .env("ASSAY_OUTPUT", "json");
    let output = command.envs(settings.iter().copied()).output()?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok((output.status.code(), said))
}

fn report(world: &World, name: &str) -> anyhow::Result<String> {
    Ok(fs::read_to_string(world.path("out").join(name))?)
}

#[test]
fn what_ci_runs_writes_every_report_and_ends_as_check_does() -> anyhow::Result<()> {
    let mut world = World::new()?;
    world.affected("makers", "pkg:cargo/bad@1.0.0")?;
    world.write("Cargo.lock", &cargo_lock(&["bad"]))?;
    for private in ["", "true"] {
        let (code, said) = run(&world, &["Cargo.lock"], &[("ASSAY_PRIVATE", private)])?;
        assert_eq!(code, Some(1), "{said}");
        let sarif: Value = serde_json::from_str(&report(&world, "assay.sarif")?)?;
        let result = &sarif["runs"][0]["results"][0];
        assert_eq!(result["ruleId"], "exploitable/CVE-2026-0001");
        assert!(report(&world, "assay.md")?.starts_with("### ❌ Assay: "));
        let json: Value = serde_json::from_str(&report(&world, "assay.json")?)?;
        assert_eq!(
            (&json["stopped"], &json["offline"]),
            (&true.into(), &private.is_empty().into())
        );
    }
    // What it wrote is what it takes for a baseline.
    fs::copy(world.path("out/assay.json"), world.path("base.json"))?;
    let baseline = [("ASSAY_BASELINE", "base.json")];
    let (code, said) = run(&world, &["Cargo.lock"], &baseline)?;
    assert_eq!(code, Some(0), "{said}");
    assert!(report(&world, "assay.md")?.starts_with("### ✅ Assay: "));
    let (code, _) = run(&world, &["Cargo.lock"], &[("ASSAY_FAIL_ON", "claim")])?;
    assert_eq!(code, Some(0));
    Ok(())
}

#[test]
fn what_cannot_be_checked_leaves_no_report_of_before() -> anyhow::Result<()> {
    let world = World::new()?;
    world.write("Cargo.lock", &cargo_lock(&["nobody"]))?;
    let (code, said) = run(&world, &["Cargo.lock"], &[])?;
    assert_eq!(code, Some(0), "{said}");
    assert!(world.path("out/assay.sarif").exists());
    let away = [
        ("ASSAY_LOG", "http://127.0.0.1:1"),
        ("ASSAY_STATE_DIR", "none"),
    ];
    for (files, settings, expected) in [
        (&["missing.lock"][..], &[][..], 2),
        (&["Cargo.lock"], &away, 3),
        (&[], &[], 2),
    ] {
        run(&world, &["Cargo.lock"], &[])?;
        let (code, said) = run(&world, files, settings)?;
        assert_eq!(code, Some(expected), "{said}");
        // Without a file to check it does not begin.
        let left = world.path("out").read_dir()?.count();
        assert_eq!(left, if files.is_empty() { 3 } else { 0 }, "{files:?}");
    }
    Ok(())
}
