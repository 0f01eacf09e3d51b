//! What it costs to read what tools write, and to republish a source of it.

use crate::{
    load::publish_stream,
    material::{Material, take},
    observed::{UNLIMITED, median, peak_mib, resident_mib},
    report::Report,
};
use anyhow::{Context, ensure};
use assay_intake::components;
use assay_tests::{
    data,
    process::{Node, assay, new_key},
};
use serde_json::json;
use std::{
    fmt::Write as _,
    fs,
    hint::black_box,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// Folders of real lock files and SBOMs.
const FOLDERS: [&str; 3] = ["lockfiles", "sbom-cyclonedx", "sbom-spdx"];

/// How many of these are read, the largest.
const READ: usize = 40;

/// How long they are read over and over.
const READING: Duration = Duration::from_secs(3);

/// Components of the large files of which the memory is measured: some tens of MiB.
const COMPONENTS: usize = 100_000;

/// Records of the source that is republished.
pub const RECORDS: u64 = 100_000;

/// Claims of one run that a bridge is compared with, of which there are three.
const STREAMED: u64 = 100_000;

/// Reading, by MiB a second and memory; and a bridge of so many records.
pub fn bench(material: &Material, records: u64, report: &mut Report) -> anyhow::Result<()> {
    reading(report)?;
    memory(report)?;
    bridging(material, records, report)
}

/// The largest real files that are read as lock files or SBOMs, with their names.
fn real_files() -> Option<Vec<(String, Vec<u8>)>> {
    let folders: Option<Vec<_>> = FOLDERS.into_iter().map(data::require).collect();
    let mut all = Vec::new();
    for path in folders?.iter().flat_map(|folder| data::files(folder)) {
        let (name, bytes) = (path.display().to_string(), data::read(&path));
        if components::read(&name, &bytes).is_ok() {
            all.push((name, bytes));
        }
    }
    all.sort_by_key(|(_, bytes)| std::cmp::Reverse(bytes.len()));
    all.truncate(READ);
    Some(all)
}

/// One core reads them again and again.
fn reading(report: &mut Report) -> anyhow::Result<()> {
    eprintln!("reading lock files and SBOMs…");
    let Some(files) = real_files() else {
        report.note("reading_mib_s", "not measured: no files to read".into());
        return Ok(());
    };
    let bytes: usize = files.iter().map(|(_, bytes)| bytes.len()).sum();
    let mut rates = Vec::new();
    let begun = Instant::now();
    while begun.elapsed() < READING {
        let started = Instant::now();
        for (name, bytes) in &files {
            black_box(components::read(name, bytes)?);
        }
        rates.push(mib(bytes) / started.elapsed().as_secs_f64());
    }
    let detail = format!(
        "MiB/s, one core; {} files, {:.1} MiB; {} times",
        files.len(),
        mib(bytes),
        rates.len()
    );
    report.ratio("reading_mib_s", median(rates), 50.0, detail);
    Ok(())
}

/// A process for each large file, which reads it and nothing else.
fn memory(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut worst: f64 = 0.0;
    let mut all = Vec::new();
    for (name, text) in large_files()? {
        let path = folder.path().join(name);
        fs::write(&path, &text)?;
        let output = Command::new(std::env::current_exe()?)
            .arg("read")
            .arg(&path)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{name} cannot be read: {said}");
        let taken: f64 = String::from_utf8(output.stdout)?.trim().parse()?;
        let times = taken / mib(text.len());
        all.push(format!("{name} of {:.0} MiB {times:.1}", mib(text.len())));
        worst = worst.max(times);
    }
    let detail = format!("the file itself included; {}", all.join(", "));
    report.less("reading_memory", worst, 6.0, detail);
    Ok(())
}

/// Reads a file, as a process of its own, and prints the MiB that this took at most.
pub fn read(path: &Path) -> anyhow::Result<()> {
    let own = std::process::id();
    let before = resident_mib(own)?;
    let bytes = fs::read(path)?;
    let found = components::read(&path.display().to_string(), &bytes)?;
    ensure!(found.list.len() == COMPONENTS, "{}", found.list.len());
    println!("{}", peak_mib(own)? - before);
    Ok(())
}

/// Files of many components, each as its tool writes it.
fn large_files() -> anyhow::Result<Vec<(&'static str, String)>> {
    let (some, more) = (large_json()?, large_texts()?);
    Ok(some.into_iter().chain(more).collect())
}

/// Those in YAML, in JSON with commas, and in XML.
fn large_texts() -> anyhow::Result<[(&'static str, String); 3]> {
    let integrity = format!("sha512-{}==", "A".repeat(86));
    let digest = "0123456789abcdef".repeat(4);
    let mut pnpm = String::from("lockfileVersion: '9.0'\n\npackages:\n");
    let mut snapshots = String::from("\nsnapshots:\n");
    let mut bun = String::from("{\n  \"lockfileVersion\": 1,\n  \"packages\": {\n");
    let mut xml = String::from(
        "<?xml version=\"1.0\"?>\n<bom xmlns=\"http://cyclonedx.org/schema/bom/1.5\" \
         version=\"1\">\n  <components>\n",
    );
    for number in 0..COMPONENTS {
        let name = format!("bench-{number}");
        write!(
            pnpm,
            "\n  {name}@1.0.0:\n    resolution: {{integrity: {integrity}}}\n"
        )?;
        // Of all of them it would be more than is read of YAML.
        if number % 2 == 0 {
            write!(snapshots, "\n  {name}@1.0.0: {{}}\n")?;
        }
        writeln!(
            bun,
            "    \"{name}\": [\"{name}@1.0.0\", \"\", {{}}, \"{integrity}\"],\n"
        )?;
        let purl = format!("pkg:npm/{name}@1.0.0");
        writeln!(
            xml,
            "    <component type=\"library\" bom-ref=\"{purl}\">\n      <name>{name}</name>\n      \
             <version>1.0.0</version>\n      <hashes>\n        <hash \
             alg=\"SHA-256\">{digest}</hash>\n      </hashes>\n      <purl>{purl}</purl>\n    \
             </component>"
        )?;
    }
    Ok([
        ("pnpm-lock.yaml", pnpm + &snapshots),
        ("bun.lock", bun + "  }\n}\n"),
        ("bench.cdx.xml", xml + "  </components>\n</bom>\n"),
    ])
}

/// A lock file of cargo, and those in JSON.
fn large_json() -> anyhow::Result<[(&'static str, String); 4]> {
    let digest = "0123456789abcdef".repeat(4);
    let mut lock = String::from("version = 4\n");
    let (mut npm, mut cyclonedx, mut spdx) = (serde_json::Map::new(), Vec::new(), Vec::new());
    for number in 0..COMPONENTS {
        let name = format!("bench-{number}");
        write!(
            lock,
            "\n[[package]]\nname = \"{name}\"\nversion = \"1.0.0\"\nsource = \
             \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"{digest}\"\n"
        )?;
        npm.insert(
            format!("node_modules/{name}"),
            json!({
                "version": "1.0.0",
                "resolved": format!("https://registry.npmjs.org/{name}/-/{name}-1.0.0.tgz"),
                "license": "MIT",
            }),
        );
        let purl = format!("pkg:npm/{name}@1.0.0");
        cyclonedx.push(json!({
            "type": "library", "bom-ref": purl, "name": name, "version": "1.0.0", "purl": purl,
            "hashes": [{"alg": "SHA-256", "content": digest}],
        }));
        spdx.push(json!({
            "SPDXID": format!("SPDXRef-{number}"), "name": name, "versionInfo": "1.0.0",
            "downloadLocation": "NOASSERTION",
            "checksums": [{"algorithm": "SHA256", "checksumValue": digest}],
            "externalRefs": [{
                "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                "referenceLocator": purl,
            }],
        }));
    }
    let npm = json!({"name": "bench", "lockfileVersion": 3, "packages": npm});
    let cyclonedx =
        json!({"bomFormat": "CycloneDX", "specVersion": "1.6", "components": cyclonedx});
    let spdx = json!({
        "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT",
        "name": "bench", "documentNamespace": "https://example.org/bench",
        "creationInfo": {"created": "2026-01-01T00:00:00Z", "creators": ["Tool: bench"]},
        "packages": spdx,
    });
    Ok([
        ("Cargo.lock", lock),
        ("package-lock.json", npm.to_string()),
        ("bench.cdx.json", cyclonedx.to_string()),
        ("bench.spdx.json", spdx.to_string()),
    ])
}

fn mib(bytes: usize) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// A folder of OSV records, republished by the program, against claims that are streamed.
fn bridging(material: &Material, records: u64, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("bridging {records} OSV records…");
    let node = Node::start_with(UNLIMITED)?;
    let (url, here) = (&node.ready().url, node.folder());
    tokio::runtime::Runtime::new()?.block_on(material.register(url))?;
    let (mut next, mut rates) = (0, Vec::new());
    for _ in 0..3 {
        let claims = take(&mut next, STREAMED.min(records));
        rates.push(publish_stream(url, material, claims)?);
    }
    let streamed = median(rates);
    let source = source(here, records)?;
    new_key(here, "key.pem")?;
    let log = ["--log", url, "--log-key", &node.ready().vkey];
    let asked = |words: &[&str]| {
        let output = assay(here, &[words, &log[..]].concat())?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        ensure!(output.status.success(), "assay {}: {said}", words[0]);
        String::from_utf8(output.stdout).context("not UTF-8")
    };
    let key = ["--key", "key.pem"];
    asked(&[&["issuer", "register", "--name", "A bridge"], &key[..]].concat())?;
    let source = source.display().to_string();
    let started = Instant::now();
    asked(&[&["bridge", "osv", &source], &key[..]].concat())?;
    let rate = records as f64 / started.elapsed().as_secs_f64();
    let detail = format!("{rate:.0} records/s, the whole process; {streamed:.0} claims/s streamed");
    report.ratio("bridge", rate / streamed, 0.3, detail);
    Ok(())
}

/// A folder of records, one a file, as OSV hands them out.
fn source(folder: &Path, records: u64) -> anyhow::Result<PathBuf> {
    let source = folder.join("source");
    fs::create_dir(&source)?;
    for number in 0..records {
        let id = format!("OSV-2026-{number}");
        let record = json!({
            "schema_version": "1.6.0",
            "id": id,
            "modified": "2026-01-01T00:00:00Z",
            "published": "2026-01-01T00:00:00Z",
            "aliases": [format!("CVE-2026-{}", 10_000 + number)],
            "summary": format!("Something is wrong in bench-{number}"),
            "details": "What an attacker can do with it, in some words. ".repeat(8),
            "affected": [{
                "package": {"ecosystem": "npm", "name": format!("bench-{}", number / 3)},
                "ranges": [{"type": "SEMVER", "events": [{"introduced": "0"}, {"fixed": "1.2.3"}]}],
            }],
            "references": [{"type": "WEB", "url": format!("https://example.org/{id}")}],
        });
        fs::write(source.join(format!("{id}.json")), record.to_string())?;
    }
    Ok(source)
}
