//! osv-scanner, with a database of records of our own, beside `assay check`, for which the same
//! records were bridged.

use super::locks::{SYSTEMS, System, number};
use super::{Row, program};
use crate::world::World;
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Findings: the number of a package, and the id of a record.
type Found = BTreeSet<(usize, String)>;

/// A version of Python with a local label. Those are read otherwise: what is said of a public
/// version is of all that were made of it (PEP 440, "Version matching"). How a range that begins or
/// ends at such a version is to be read is open: no public record has one.
const LOCAL: &str = "+local.1";

/// Builds osv-scanner, which is pinned in `tests/interop/osv-scanner`.
///
/// # Errors
/// Go is missing, a module cannot be had, or it does not compile.
pub fn build() -> anyhow::Result<PathBuf> {
    program(
        "osv-scanner",
        "osv-scanner",
        "github.com/google/osv-scanner/v2/cmd/osv-scanner",
    )
}

/// Holds `assay check` against osv-scanner in each system's lock file, for each version and records
/// whose ranges begin and end there.
///
/// # Errors
/// Where one of the two cannot be run.
pub fn rows(scanner: &Path) -> anyhow::Result<Vec<Row>> {
    let world = World::new()?;
    let database = world.path("database");
    fs::create_dir(world.path("source"))?;
    for system in SYSTEMS {
        let folder = database.join("osv-scalibr").join(system.ecosystem);
        fs::create_dir_all(&folder)?;
        for (name, record) in records(system) {
            let text = record.to_string();
            fs::write(world.path("source").join(&name), &text)?;
            fs::write(folder.join(&name), &text)?;
        }
        zip(&folder)?;
        fs::create_dir(world.path(system.ecosystem))?;
        let lock = format!("{}/{}", system.ecosystem, system.file);
        world.write(&lock, &system.lock())?;
    }
    world.online(&["bridge", "osv", "source", "--key", "makers.pem"])?;
    let each = SYSTEMS.iter();
    each.map(|system| row(&world, scanner, &database, system))
        .collect()
}

fn row(world: &World, scanner: &Path, database: &Path, system: &System) -> anyhow::Result<Row> {
    let lock = format!("{}/{}", system.ecosystem, system.file);
    let (ours, theirs) = (
        ours(world, &lock)?,
        theirs(world, scanner, database, &lock)?,
    );
    let records = records(system);
    ensure!(!theirs.is_empty(), "{lock}: osv-scanner finds nothing");
    let describe = |(package, id): &(usize, String), who: &str| {
        let record = records
            .iter()
            .find(|(name, _)| name[..] == format!("{id}.json"));
        let affected = record.map(|(_, record)| {
            let one = &record["affected"][0];
            format!("{} {}", one["ranges"], one["versions"])
        });
        let version = system.versions.get(*package).unwrap_or(&"?");
        format!("{version} only by {who}: {}", affected.unwrap_or_default())
    };
    let mut differ: Vec<String> = Vec::new();
    differ.extend(ours.difference(&theirs).map(|one| describe(one, "assay")));
    differ.extend(
        theirs
            .difference(&ours)
            .map(|one| describe(one, "osv-scanner")),
    );
    let (known, differ) = differ.into_iter().partition(|one| one.contains(LOCAL));
    Ok(Row {
        judge: "osv-scanner".to_owned(),
        input: system.file.to_owned(),
        compared: system.versions.len() * records.len(),
        found: theirs.len(),
        differ,
        known,
    })
}

/// A record for each way in which a range can begin or end at each version, by the name of its
/// file.
fn records(system: &System) -> Vec<(String, Value)> {
    let versions = system.versions;
    let mut all = Vec::new();
    for (at, version) in versions.iter().enumerate() {
        let version = system.stated(version);
        let next = versions.get(at + 1).map(|next| system.stated(next));
        let later = versions.get(at + 3).map(|later| system.stated(later));
        let begin = json!({"introduced": "0"});
        let from = json!({"introduced": version});
        let mut kinds = vec![
            (
                "before",
                vec![vec![begin.clone(), json!({"fixed": version})]],
                None,
            ),
            ("from", vec![vec![from.clone()]], None),
            (
                "until",
                vec![vec![begin.clone(), json!({"last_affected": version})]],
                None,
            ),
            ("only", vec![], Some(version)),
        ];
        if let Some(next) = next {
            let between = vec![from.clone(), json!({"fixed": next})];
            kinds.push(("between", vec![between.clone()], None));
            kinds.push((
                "beside",
                vec![between],
                versions.first().map(|first| system.stated(first)),
            ));
        }
        if let Some(later) = later {
            let (old, new) = (json!({"fixed": version}), json!({"introduced": later}));
            kinds.push((
                "twice",
                vec![vec![begin.clone(), old.clone(), new.clone()]],
                None,
            ));
            kinds.push(("apart", vec![vec![begin, old], vec![new]], None));
        }
        for (kind, ranges, listed) in kinds {
            let slug = system.ecosystem.replace('.', "").to_uppercase();
            let id = format!("{slug}-{kind}-{at}");
            let record = record(system, &id, &ranges, listed);
            all.push((format!("{id}.json"), record));
        }
    }
    all
}

/// A record of all packages.
fn record(system: &System, id: &str, ranges: &[Vec<Value>], listed: Option<&str>) -> Value {
    let ranges = ranges.iter();
    let ranges: Vec<Value> = ranges
        .map(|events| json!({"type": system.ranges, "events": events}))
        .collect();
    let affected = (0..system.versions.len()).map(|number| {
        let mut of = json!({
            "package": {"ecosystem": system.ecosystem, "name": (system.name)(number)},
        });
        if !ranges.is_empty() {
            of["ranges"] = ranges.clone().into();
        }
        if let Some(version) = listed {
            of["versions"] = json!([version]);
        }
        of
    });
    json!({
        "schema_version": "1.7.0",
        "id": id,
        "modified": "2026-01-01T00:00:00Z",
        "published": "2026-01-01T00:00:00Z",
        "summary": "Something is wrong",
        "affected": affected.collect::<Vec<_>>(),
    })
}

/// Packs the records of a folder, as osv-scanner keeps a database.
fn zip(folder: &Path) -> anyhow::Result<()> {
    let mut names: Vec<_> = fs::read_dir(folder)?
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()?;
    names.sort();
    let mut python = Command::new("python3");
    python.args(["-m", "zipfile", "-c", "all.zip"]).args(names);
    crate::aics::run(python.current_dir(folder))?;
    Ok(())
}

/// What `assay check` finds.
fn ours(world: &World, lock: &str) -> anyhow::Result<Found> {
    let (_, report) = world.report(&[lock])?;
    let findings = report["findings"].as_array().context("no findings")?;
    let mut found = Found::new();
    for finding in findings {
        let Some(id) = finding["vulnerability"].as_str() else {
            continue;
        };
        let component = finding["component"].as_str().context("no component")?;
        let number = number(component).with_context(|| component.to_owned())?;
        found.insert((number, id.to_owned()));
    }
    Ok(found)
}

/// What osv-scanner finds.
fn theirs(world: &World, scanner: &Path, database: &Path, lock: &str) -> anyhow::Result<Found> {
    let mut command = Command::new(scanner);
    command
        .args(["scan", "source", "--offline", "--no-resolve", "--all-vulns"])
        .args(["--format", "json", "--local-db-path"])
        .arg(database)
        .args(["--lockfile", lock])
        .current_dir(world.folder.path())
        .env("HOME", world.folder.path());
    let output = command.output()?;
    let said = String::from_utf8_lossy(&output.stderr);
    // 1 is that it found something.
    ensure!(
        matches!(output.status.code(), Some(0 | 1)),
        "{lock}: {said}"
    );
    let report: Value = serde_json::from_slice(&output.stdout).context(said.into_owned())?;
    let mut found = Found::new();
    for result in report["results"].as_array().into_iter().flatten() {
        for package in result["packages"].as_array().into_iter().flatten() {
            let name = package["package"]["name"].as_str().context("no name")?;
            let number = number(name).with_context(|| name.to_owned())?;
            for one in package["vulnerabilities"].as_array().into_iter().flatten() {
                let id = one["id"].as_str().context("no id")?;
                found.insert((number, id.to_owned()));
            }
        }
    }
    Ok(found)
}
