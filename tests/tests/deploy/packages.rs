//! What a release consists of: the same bytes each time, packages that hold what they say, and
//! claims that are published.

use super::{advisories, deploy, done};
use anyhow::{Context, ensure};
use assay_tests::debian::require_program;
use assay_tests::process::{Node, assay, assay_command, binaries, new_key};
use assay_tests::skip::skip;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

fn has(program: &str) -> bool {
    let asked = Command::new(program).arg("--version").output();
    asked.is_ok_and(|output| output.status.success())
}

/// Packs the programs into a folder; the environment must not matter.
fn pack(out: &Path, zone: &str, mask: &str, advisories: &str) -> anyhow::Result<()> {
    let script = "umask $MASK && exec ../scripts/release --quick --programs $PROGRAMS --out $OUT";
    let mut command = Command::new("sh");
    command.args(["-c", script]).current_dir(deploy());
    command.env("TZ", zone).env("MASK", mask);
    command.env("ASSAY_ADVISORIES", advisories);
    command.env("PROGRAMS", binaries()).env("OUT", out);
    done(&mut command)?;
    Ok(())
}

/// The files of a folder, by name.
fn files(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().context("a name")?.to_string_lossy();
        all.insert(name.into_owned(), fs::read(&path)?);
    }
    Ok(all)
}

/// The Debian package of a program.
fn package(folder: &Path, program: &str) -> anyhow::Result<PathBuf> {
    let begins = format!("{program}_");
    let names = files(folder)?.into_keys();
    let mut packages = names.filter(|it| it.starts_with(&begins) && it.ends_with(".deb"));
    Ok(folder.join(packages.next().context("no package")?))
}

/// Unpacks the packages as dpkg does, runs the programs, and looks at what the node's one does to
/// a system.
fn look_into_packages(out: &Path) -> anyhow::Result<()> {
    let root = tempfile::tempdir()?;
    for program in ["assay", "assay-node"] {
        let package = package(out, program)?;
        let mut unpack = Command::new("dpkg-deb");
        done(unpack.arg("-x").arg(&package).arg(root.path()))?;
        let unpacked = root.path().join("usr/bin").join(program);
        let version = done(Command::new(unpacked).arg("--version"))?.stdout;
        assert!(String::from_utf8(version)?.starts_with(program));
    }
    let mut control = Command::new("dpkg-deb");
    let control = control.arg("-e").arg(package(out, "assay-node")?);
    done(control.arg(root.path().join("DEBIAN")))?;
    let read = |name: &str| fs::read_to_string(root.path().join(name)).context(name.to_owned());
    for name in read("DEBIAN/conffiles")?.lines() {
        assert!(root.path().join(&name[1..]).is_file(), "{name}");
    }
    let users = read("usr/lib/sysusers.d/assay-node.conf")?;
    for (unit, user) in [("assay-node", "assay"), ("assay-witness", "assay-witness")] {
        let unit = read(&format!("usr/lib/systemd/system/{unit}.service"))?;
        assert!(unit.starts_with("[Unit]\n"), "{unit}");
        assert!(unit.contains("\nExecStart=/usr/bin/assay-node "), "{unit}");
        assert!(unit.contains(&format!("\nUser={user}\n")), "{unit}");
        assert!(users.contains(&format!("u {user} - ")), "{users}");
    }
    for page in ["assay-check", "assay-node", "assay-node-witness-run"] {
        let page = root.path().join(format!("usr/share/man/man1/{page}.1.gz"));
        assert!(page.is_file(), "{}", page.display());
    }
    // Nothing is started or enabled by installing.
    let installs = read("DEBIAN/postinst")?;
    let code = installs.lines().filter(|it| it.starts_with(' ')).count();
    assert!(code > 5 && !installs.contains("systemctl enable assay"));
    Ok(())
}

/// Whether packages can be made here; else the test is skipped.
fn can_pack() -> bool {
    let needed = ["dpkg-deb", "dpkg-shlibdeps", "xz", "strip", "git"];
    let missing = needed.iter().find(|program| !has(program));
    if let Some(program) = missing {
        skip(&format!("the packages: {program} is missing"));
    }
    missing.is_none()
}

/// Types docs/first-hour.md, with these packages.
#[test]
fn the_first_hour_is_as_the_document_says() -> anyhow::Result<()> {
    let found = ["nginx", "promtool"].map(|it| require_program(it, "the first hour"));
    let [Some(nginx), Some(promtool)] = found else {
        return Ok(());
    };
    if !can_pack() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    pack(folder.path(), "UTC", "022", "none")?;
    let mut typed = Command::new("python3");
    typed.arg(deploy().join("../tests/first_hour/run.py"));
    done(typed.arg(folder.path()).arg(nginx).arg(promtool))?;
    Ok(())
}

#[test]
fn a_release_is_the_same_each_time() -> anyhow::Result<()> {
    if !can_pack() {
        return Ok(());
    }
    let folder = tempfile::tempdir()?;
    let (one, other) = (folder.path().join("one"), folder.path().join("other"));
    let copy = advisories::copy(folder.path(), "serde", ">= 0.1.0", "now")?;
    pack(&one, "UTC", "022", &copy)?;
    pack(&other, "Asia/Tokyo", "077", &copy)?;
    let (made, again) = (files(&one)?, files(&other)?);
    assert_eq!(made.len(), 12);
    for (name, bytes) in &made {
        assert!(again.get(name) == Some(bytes), "{name} differs");
    }
    look_into_packages(&one)?;
    publishes(&one)
}

/// Publishes what the release says of itself, and asks by one of its files.
fn publishes(out: &Path) -> anyhow::Result<()> {
    let node = Node::start()?;
    let (url, vkey) = (node.ready().url.as_str(), node.ready().vkey.as_str());
    let here = node.folder();
    new_key(here, "me.pem")?;
    let log = ["--log", url, "--log-key", vkey];
    let register = ["issuer", "register", "--name", "Me", "--key", "me.pem"];
    let registered = assay(here, &[&register[..], &log[..]].concat())?;
    ensure!(registered.status.success(), "{registered:?}");
    let mut publish = Command::new("sh");
    let path = std::env::var("PATH").unwrap_or_default();
    publish.arg("publish").arg(here.join("me.pem"));
    publish.current_dir(out).env("HOME", here);
    publish.env("PATH", format!("{}:{path}", binaries().display()));
    publish.env("ASSAY_LOG", url).env("ASSAY_LOG_KEY", vkey);
    done(&mut publish)?;
    let file = package(out, "assay")?;
    let sums = fs::read_to_string(out.join("SHA256SUMS"))?;
    let name = file.file_name().context("a name")?.to_string_lossy();
    let mut lines = sums.lines().filter(|line| line.ends_with(&*name));
    let digest = &lines.next().context("no sum")?[..64];
    let mut lookup = assay_command(here, &["lookup", "--everyone"]);
    let found = lookup.arg(format!("sha256:{digest}")).args(log).output()?;
    let said = String::from_utf8(found.stdout)?;
    ensure!(
        said.contains("built by https://github.com/assay-log/"),
        "{said}"
    );
    Ok(())
}
