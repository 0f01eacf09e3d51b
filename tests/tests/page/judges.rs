//! Judges of other projects: the Nu HTML checker of the W3C and WHATWG, csp_evaluator, and
//! schemathesis. Each is held against something wrong first.

use super::strangers::spoken;
use super::world::World;
use anyhow::{Context, ensure};
use assay_tests::{
    aics::{require_python, run},
    js::{require_browser, require_node},
    npm::require_npm,
    skip,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

const TARGET: &str = "pkg:cargo/target@1.0.0";

/// A node of whose packages something is said, by strangers, too, and the paths of its pages.
async fn world() -> anyhow::Result<(World, Vec<String>)> {
    let world = World::new("").await?;
    let (_, hostile) = spoken(&world, TARGET).await?;
    world.supported(&world.makers, TARGET, "2090-05-01").await?;
    let bad = "pkg:cargo/bad@1.0.0";
    world.affected(&world.makers, bad).await?;
    let quiet = "pkg:cargo/quiet@1.0.0";
    world.built(&world.makers, quiet).await?;
    world.supported(&world.makers, quiet, "2090-05-01").await?;
    let review = world.reviewed(&world.auditors, quiet).await?;
    world.reply(&world.makers, &review, "Thank you.").await?;
    let mut paths: Vec<String> = [
        "/",
        "/?q=target",
        "/?q=%3Cb%3E",
        "/?q=%EF%BF%BE",
        "/p/pkg:cargo/target",
        "/p/pkg:cargo/nobody@1.0.0",
        "/v/CVE-2026-0001",
        "/v/CVE-1999-0001",
        "/log",
        "/policy",
        "/c/00",
        "/calendar",
        "/calendar?purl=%3Cb%3E",
        "/compare",
    ]
    .map(str::to_owned)
    .into();
    let none = "pkg:cargo/nobody@1.0.0";
    paths.extend([bad, quiet].map(|purl| format!("/p/{purl}")));
    paths.push(format!("/calendar?purl={quiet}&purl={none}"));
    paths.push(format!("/calendar?purl={bad}&purl=%22"));
    paths.push(format!("/compare?a={quiet}&b={bad}"));
    paths.push(format!("/compare?a={TARGET}&b={none}"));
    paths.push("/compare?a=%22%3E&b=pkg:cargo/target".to_owned());
    paths.extend([&world.makers, &world.auditors].map(|issuer| format!("/i/{}", issuer.id)));
    paths.push(format!("/c/{review}"));
    paths.extend(hostile);
    Ok((world, paths))
}

/// What the checker of HTML says of some files, a line each, of which it should be none.
fn vnu(packages: &Path, kind: &[&str], files: &[PathBuf]) -> anyhow::Result<String> {
    let output = Command::new("java")
        .args(["-Xss2m", "-jar"])
        .arg(packages.join("node_modules/vnu-jar/build/dist/vnu.jar"))
        .args(["--stdout", "--format", "gnu", "--asciiquotes"])
        .args(kind)
        .args(files)
        .output()?;
    let said = String::from_utf8(output.stdout)?;
    let wrong: Vec<&str> = said
        .lines()
        .filter(|line| !line.contains(": info warning: "))
        .collect();
    ensure!(
        output.status.success() == wrong.is_empty(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(wrong.join("\n"))
}

/// Whether this machine has a Java.
fn require_java(what: &str) -> bool {
    let mut java = Command::new("java");
    let is_there = java.arg("-version").output().is_ok();
    if !is_there {
        skip::skip(&format!("{what}: java is missing"));
    }
    is_there
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_badges_and_styles_are_valid() -> anyhow::Result<()> {
    let what = "the Nu HTML checker";
    let Some(packages) = require_npm(what).filter(|_| require_java(what)) else {
        return Ok(());
    };
    let (world, paths) = world().await?;
    let folder = tempfile::tempdir()?;
    let keep = |name: String, bytes: &[u8]| {
        let path = folder.path().join(name);
        fs::write(&path, bytes).map(|()| path)
    };
    let wrong = keep("wrong.html".into(), b"<!doctype html><p id=a><p id=a>")?;
    ensure!(vnu(packages, &[], &[wrong])?.contains("Duplicate ID"));
    let wrong = keep(
        "wrong.svg".into(),
        b"<svg xmlns='http://www.w3.org/2000/svg'><b/></svg>",
    )?;
    ensure!(vnu(packages, &["--svg"], &[wrong])?.contains("not allowed"));
    let wrong = keep("wrong.css".into(), b"p { colour: red }")?;
    ensure!(vnu(packages, &["--css"], &[wrong])?.contains("colour"));

    let mut pages = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk/js/verify.html")];
    for (number, path) in paths.iter().enumerate() {
        let page = world.page(path).await?;
        pages.push(keep(format!("{number}.html"), page.text.as_bytes())?);
    }
    let mut badges = Vec::new();
    for (number, purl) in [TARGET, "pkg:cargo/bad", "pkg:cargo/nobody@1.0.0", "no purl"]
        .iter()
        .enumerate()
    {
        let badge = world
            .get(&format!("/badge/{purl}.svg"))
            .await?
            .bytes()
            .await?;
        badges.push(keep(format!("{number}.svg"), &badge)?);
    }
    let style = world.get("/style.css").await?.bytes().await?;
    let style = keep("style.css".into(), &style)?;
    assert_eq!(vnu(packages, &[], &pages)?, "", "{paths:?}");
    assert_eq!(vnu(packages, &["--svg"], &badges)?, "");
    assert_eq!(vnu(packages, &["--css"], &[style])?, "");
    Ok(())
}

/// What csp_evaluator finds wrong with some policies.
fn csp(packages: &Path, policies: &str) -> anyhow::Result<Output> {
    let file = tempfile::NamedTempFile::new()?;
    fs::write(file.path(), policies)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/node/csp.mjs");
    Ok(Command::new("node")
        .arg(script)
        .current_dir(packages)
        .stdin(Stdio::from(File::open(file.path())?))
        .output()?)
}

/// axe and a browser: in light and dark, 320 pixels wide, asking nobody else, and without scripts.
#[tokio::test(flavor = "multi_thread")]
async fn pages_are_for_everybody_in_a_browser() -> anyhow::Result<()> {
    let what = "pages in a browser";
    let (Some(node), Some(packages)) = (require_node(what), require_npm(what)) else {
        return Ok(());
    };
    let Some(browser) = require_browser("a page in a browser") else {
        return Ok(());
    };
    let (world, mut paths) = world().await?;
    // A claim that nobody made has no page.
    paths.retain(|path| path != "/c/00");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/sdk/pages.mjs");
    let mut command = Command::new(node);
    command
        .arg(script)
        .arg(browser)
        .arg(&world.node.ready().url);
    run(command.args(paths).current_dir(packages))?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_wrong_with_what_pages_may_load() -> anyhow::Result<()> {
    let Some(packages) = require_npm("csp_evaluator") else {
        return Ok(());
    };
    let wrong = csp(packages, "default-src 'self' 'unsafe-inline' https:\n")?;
    ensure!(String::from_utf8(wrong.stdout)?.contains("HIGH"));
    let (world, mut paths) = world().await?;
    paths.push(format!("/badge/{TARGET}.svg"));
    paths.push("/style.css".into());
    let mut policies = BTreeSet::new();
    for path in &paths {
        let response = world.get(path).await?;
        let policy = response.headers().get("content-security-policy");
        let policy = policy.with_context(|| format!("{path} may load anything"))?;
        policies.insert(format!("{}\n", policy.to_str()?));
    }
    let found = csp(packages, &policies.into_iter().collect::<String>())?;
    let said = String::from_utf8([found.stdout, found.stderr].concat())?;
    // It cannot know that a node serves nobody's files as scripts but its own three.
    let own = "MEDIUM_MAYBE script-src 'self' 'self' can be problematic";
    let all_own = said.lines().all(|line| line.starts_with(own));
    ensure!(all_own, "{said}");
    Ok(())
}

/// Has schemathesis call what a description describes. Its own limit is how much it tries.
fn schemathesis(
    programs: &Path,
    folder: &Path,
    description: &str,
    url: &str,
) -> anyhow::Result<Output> {
    Ok(Command::new(programs.join("schemathesis"))
        .args([
            "--config-file",
            "schemathesis.toml",
            "run",
            description,
            "--url",
            url,
        ])
        .args([
            "--phases",
            "examples,coverage,fuzzing",
            "--max-examples",
            "40",
            "--seed",
            "14",
        ])
        .args(["--workers", "1", "--continue-on-failure", "--no-color"])
        // Several names in one call, and a prefix shorter than it says: no schema forbids them.
        .args(["--exclude-checks", "positive_data_acceptance"])
        .current_dir(folder)
        .output()?)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_read_api_does_what_its_description_says() -> anyhow::Result<()> {
    let Some(programs) = require_python("schemathesis") else {
        return Ok(());
    };
    let (world, _) = world().await?;
    let claim = world
        .reviewed(&world.auditors, "pkg:cargo/other@1.0.0")
        .await?;
    let issuer = world.auditors.id.to_string();
    let folder = tempfile::tempdir()?;
    fs::write(
        folder.path().join("schemathesis.toml"),
        format!("[parameters]\n\"path.claim\" = {claim:?}\n\"path.issuer\" = {issuer:?}\n"),
    )?;
    let url = &world.node.ready().url;
    let text = world.get("/openapi.json").await?.text().await?;
    let described: Value = serde_json::from_str(&text)?;
    let mut wrong = described.clone();
    let answers = &mut wrong["paths"]["/api/v1/checkpoint"]["get"]["responses"];
    let answers = answers.as_object_mut().context("nothing is described")?;
    let (code, mut answer) = (
        "299".to_owned(),
        answers.remove("200").context("no answer")?,
    );
    answer["description"] = "Another one.".into();
    answers.insert(code, answer);
    for (name, description, is_right) in [("wrong", wrong, false), ("right", described, true)] {
        let name = format!("{name}.json");
        fs::write(folder.path().join(&name), description.to_string())?;
        let output = schemathesis(programs, folder.path(), &name, url)?;
        let said = String::from_utf8([output.stdout, output.stderr].concat())?;
        assert_eq!(output.status.success(), is_right, "{said}");
        ensure!(said.contains("/api/v1/checkpoint") || is_right, "{said}");
    }
    Ok(())
}
