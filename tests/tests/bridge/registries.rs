//! What npm and PyPI answer: releases that are marked, and attestations, which have to verify.

use crate::operator::{Operator, bridged, said};
use anyhow::{Context, ensure};
use assay_tests::data;
use serde_json::{Map, Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// How a run ended, as [`bridged`] has it.
type Ended = (Option<i32>, [u64; 4], String);

/// Runs the bridge of a registry over the folder `source`.
fn run(operator: &Operator, registry: &str, more: &[&str]) -> anyhow::Result<Ended> {
    let words = ["bridge", registry, "source", "--key", "key.pem"];
    bridged(&operator.try_run(&[&words, more].concat())?)
}

/// Writes a packument of npm. A release is deprecated with a message, or with none.
fn packument(operator: &Operator, name: &str, releases: &[(&str, &str)]) -> anyhow::Result<()> {
    let releases = releases.iter().map(|(version, message)| {
        let release = json!({"name": name, "version": version, "deprecated": message});
        ((*version).to_owned(), release)
    });
    let versions: Map<String, Value> = releases.collect();
    let text = json!({"name": name, "versions": versions}).to_string();
    let file = format!("{}.json", name.replace('/', "+"));
    Ok(fs::write(operator.source(&file), text)?)
}

/// Writes so many packages, each with one deprecated release.
fn packages(operator: &Operator, count: usize, message: &str) -> anyhow::Result<()> {
    for number in 0..count {
        packument(operator, &format!("p{number}"), &[("1.0.0", message)])?;
    }
    Ok(())
}

/// The claims in the log that republish something, with their ids.
fn republished(operator: &Operator) -> anyhow::Result<Vec<(String, Value)>> {
    let list = operator.ok(&["log", "--from", "0", "--limit", "1000"])?;
    let entries = list["entries"].as_array().context("no entries")?;
    let mut claims = Vec::new();
    for entry in entries {
        if let Some(id) = entry["claim_id"].as_str() {
            let got = operator.ok(&["get", id])?;
            if got["statement"]["predicate"]["republished"].is_object() {
                claims.push((id.to_owned(), got["statement"].clone()));
            }
        }
    }
    Ok(claims)
}

#[test]
fn marks_of_npm_are_followed() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    packages(&operator, 5, "Use left.")?;
    let releases = [
        ("1.0.0", "Loses <b>data</b>.\u{1b}[2J"),
        ("1.1.0", ""),
        ("2.0.0", "Old."),
    ];
    packument(&operator, "@s/left", &releases)?;
    let before = operator.size()?;
    // Marks take no trusted root.
    let (code, counts, said) = run(&operator, "npm", &[])?;
    ensure!((code, counts) == (Some(0), [7, 0, 0, 0]), "{said}");
    ensure!(operator.size()? == before + 7);
    ensure!(run(&operator, "npm", &[])?.1 == [0; 4]);

    let log = [
        "--log",
        &operator.node.ready().url,
        "--log-key",
        &operator.node.ready().vkey,
    ];
    let lookup = ["lookup", "pkg:npm/%40s/left@1.0.0"];
    let command = [&lookup[..], &log].concat();
    let text = assay_tests::process::assay(operator.folder.path(), &command)?;
    let shown = String::from_utf8(text.stdout)?;
    let sentence = "marked as deprecated in its registry: \"Loses <b>data</b>.\u{fffd}[2J\"";
    ensure!(shown.contains(sentence), "{shown}");

    // One is taken back, one says something else, and another release is marked.
    let releases = [("1.0.0", ""), ("1.1.0", "New."), ("2.0.0", "Older.")];
    packument(&operator, "@s/left", &releases)?;
    let (code, counts, said) = run(&operator, "npm", &[])?;
    ensure!((code, counts) == (Some(0), [1, 1, 1, 0]), "{said}");
    ensure!(run(&operator, "npm", &[])?.1 == [0; 4]);
    let found = operator.ok(&lookup)?.to_string();
    ensure!(
        !found.contains("Loses") || found.contains("no longer has the record"),
        "{found}"
    );

    // What comes back is a claim that stands.
    packument(
        &operator,
        "@s/left",
        &[("1.0.0", "Again."), ("1.1.0", "New."), ("2.0.0", "Older.")],
    )?;
    let (code, counts, said) = run(&operator, "npm", &[])?;
    ensure!((code, counts) == (Some(0), [1, 0, 0, 0]), "{said}");
    ensure!(operator.ok(&lookup)?.to_string().contains("Again."));
    Ok(())
}

#[test]
fn marks_of_pypi_are_followed() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    let file = |name: &str, yanked: Value| {
        json!({"filename": name, "hashes": {"sha256": "ab".repeat(32)},
            "digests": {"sha256": "ab".repeat(32)}, "yanked": yanked.clone(),
            "yanked_reason": yanked.as_str()})
    };
    let api = |yanked: bool| {
        let (yanked, half) = (json!(yanked), json!(true));
        json!({"info": {"name": "Left", "version": "2.0"}, "releases": {
            "1.0": [file("left-1.0.tar.gz", yanked.clone())],
            "1.1": [file("left-1.1.tar.gz", json!(false)),
                file("left-1.1-py3-none-any.whl", half)],
            "2.0": [file("left-2.0.tar.gz", json!(false))]}})
    };
    let index = |status: &str| {
        json!({"meta": {"api-version": "1.4"}, "name": "right", "versions": ["1.0"],
            "project-status": {"status": status, "reason": "Done."},
            "files": [file("right-1.0.tar.gz", json!("Loses data."))]})
    };
    let write = |name: &str, value: Value| fs::write(operator.source(name), value.to_string());
    write("left.json", api(true))?;
    write("right.json", index("quarantined"))?;
    write("other.json", json!({"message": "Not Found"}))?;
    let (code, counts, said) = run(&operator, "pypi", &[])?;
    ensure!((code, counts) == (Some(0), [4, 0, 0, 0]), "{said}");
    let claims = republished(&operator)?;
    let mut marks: Vec<String> = claims
        .iter()
        .map(|(_, claim)| {
            let (about, said) = (&claim["subject"][0], &claim["predicate"]);
            format!("{} {} {}", about["uri"], said["status"], said["reason"])
        })
        .collect();
    marks.sort();
    let expected = [
        r#""pkg:pypi/left@1.0" "yanked" null"#,
        r#""pkg:pypi/left@1.1" "yanked" null"#,
        r#""pkg:pypi/right" "quarantined" "Done.""#,
        r#""pkg:pypi/right@1.0" "yanked" "Loses data.""#,
    ];
    ensure!(marks == expected, "{marks:?}");

    // A release that is not yanked any more, and a project that is something else now.
    write("left.json", api(false))?;
    write("right.json", index("archived"))?;
    let (code, counts, said) = run(&operator, "pypi", &[])?;
    ensure!((code, counts) == (Some(0), [0, 1, 1, 0]), "{said}");
    ensure!(run(&operator, "pypi", &[])?.1 == [0; 4]);
    Ok(())
}

/// A mark counts against a package where a policy says so, and clears nothing: what nobody says
/// anything else about stays unknown.
#[test]
fn a_mark_counts_against_and_clears_nothing() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    packages(&operator, 1, "Use left.")?;
    ensure!(run(&operator, "npm", &[])?.0 == Some(0));
    let policy = |unknown: &str, rule: &str| {
        format!(
            "version = 1\nunknown = \"{unknown}\"\nmax_head_age = \"1d\"\n[[anchor]]\n\
             name = \"bridge\"\nissuer = \"{}\"\nroles = [\"coordinator\"]\n\
             scopes = [\"pkg:*\"]\nmay_delegate = 0\n{rule}",
            operator.issuer
        )
    };
    let denies = "[[deny]]\nname = \"marked\"\nscopes = [\"pkg:*\"]\nif = \"claim\"\n\
        claims = [\"registry-status\"]\nfrom = [\"coordinator\"]\noutcome = \"deny\"\n\
        reason = \"Its registry advises against it.\"\n";
    let demands = "[[require]]\nname = \"something\"\nscopes = [\"pkg:*\"]\n\
        claims = [\"registry-status\"]\nfrom = [\"coordinator\"]\nissuers = 1\n\
        outcome = \"deny\"\nreason = \"Something is said.\"\n";
    let path = operator.folder.path();
    fs::write(path.join("list.txt"), "pkg:npm/p0@1.0.0\n")?;
    for (unknown, rule, outcome) in [
        ("deny", "", "unknown"),
        ("allow", "", "fine"),
        ("allow", denies, "denied"),
        ("allow", demands, "unmet"),
    ] {
        fs::write(path.join("policy.toml"), policy(unknown, rule))?;
        let words = [
            "check",
            "list.txt",
            "--format",
            "purl-list",
            "--policy",
            "policy.toml",
        ];
        let output = operator.try_run(&words)?;
        let report: Value = serde_json::from_slice(&output.stdout)?;
        let found = &report["components"][0]["outcome"];
        ensure!(found == outcome, "{rule}: {}", said(&output));
    }
    Ok(())
}

#[test]
fn a_run_over_marks_that_was_stopped_is_finished_and_a_shrunk_source_is_asked_about()
-> anyhow::Result<()> {
    let operator = Operator::new()?;
    packages(&operator, 6, "Use left.")?;
    let before = operator.size()?;
    ensure!(run(&operator, "npm", &[])?.1 == [6, 0, 0, 0]);
    let path = operator.state()?;
    let whole = fs::read_to_string(&path)?;
    let unsettled = whole.replace("\"settled\":true", "\"settled\":false");
    ensure!(unsettled != whole);
    fs::write(&path, format!("{unsettled}{{\"record\":\"pkg:npm"))?;
    let (code, counts, said) = run(&operator, "npm", &[])?;
    ensure!((code, counts) == (Some(0), [6, 0, 0, 0]), "{said}");
    ensure!(said.contains("\"already_logged\": 6"), "{said}");
    ensure!(operator.size()? == before + 6);

    for number in 1..6 {
        fs::remove_file(operator.source(&format!("p{number}.json")))?;
    }
    let (code, _, said) = run(&operator, "npm", &[])?;
    ensure!(code == Some(1) && said.contains("--allow-shrink"), "{said}");
    ensure!(operator.size()? == before + 6);
    let (code, counts, said) = run(&operator, "npm", &["--allow-shrink"])?;
    ensure!((code, counts) == (Some(0), [0, 0, 5, 0]), "{said}");
    Ok(())
}

#[test]
fn hostile_answers_harm_nothing_else() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    packages(&operator, 4, "Use left.")?;
    ensure!(run(&operator, "npm", &[])?.1 == [4, 0, 0, 0]);
    let write = |name: &str, text: &str| fs::write(operator.source(name), text);
    // What stands of p0 and p1 stays, as nobody can tell what they say now.
    write("p0.json", &"[".repeat(100_000))?;
    write(
        "p1.json",
        r#"{"name":"p1","versions":{"1.0.0":{"deprecated":{"a":1}}}}"#,
    )?;
    write(
        "cut.json",
        r#"{"name":"cut","versions":{"1.0.0":{"deprecated":"x"}"#,
    )?;
    write("twice.json", r#"{"name":"a","name":"b","versions":{}}"#)?;
    let large = fs::File::create(operator.source("large.json"))?;
    large.set_len(64 * 1024 * 1024)?;
    // Names and messages are text, whatever they look like.
    let name = "<img src=x onerror=alert(1)>/../\u{202e}";
    packument(&operator, "odd", &[("1.0.0", "x")])?;
    let odd = fs::read_to_string(operator.source("odd.json"))?;
    write(
        "odd.json",
        &odd.replace("\"odd\"", &json!(name).to_string()),
    )?;
    packument(&operator, "long", &[("1.0.0", &"<script>".repeat(5_000))])?;
    let (code, counts, text) = run(&operator, "npm", &[])?;
    ensure!(code == Some(1) && counts[2..] == [0, 5], "{code:?} {text}");
    for (place, reason) in [
        ("p0.json", "deep"),
        ("p1.json", "neither a text"),
        ("cut.json", "cut.json"),
        ("twice.json", "twice.json"),
        ("large.json", "more than"),
    ] {
        let is_said = text
            .lines()
            .any(|line| line.contains(place) && line.contains(reason));
        ensure!(is_said, "{place}: {text}");
    }
    ensure!(!text.contains('\u{202e}'), "{text}");
    let claims = republished(&operator)?;
    let long = claims
        .iter()
        .find(|(_, claim)| claim.to_string().contains("<script>"));
    let reason = &long.context("no long message")?.1["predicate"]["reason"];
    let reason = reason.as_str().context("no reason")?;
    ensure!(
        reason.len() < 5_000 && reason.ends_with('…'),
        "{}",
        reason.len()
    );
    Ok(())
}

/// Copies real files into the source, and returns the trusted root that verifies them.
fn real(operator: &Operator, folder: &str, ends: &[&str]) -> anyhow::Result<Option<PathBuf>> {
    let folders = [folder, "sigstore-bundles"].map(data::require);
    let [Some(files), Some(bundles)] = folders else {
        return Ok(None);
    };
    for file in fs::read_dir(&files)? {
        let path = file?.path();
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .context("no name")?;
        if ends.iter().any(|end| name.ends_with(end)) {
            fs::copy(&path, operator.source(name))?;
        }
    }
    let root = operator.folder.path().join("root.json");
    fs::copy(bundles.join("trust/production-trusted_root.json"), &root)?;
    Ok(Some(root))
}

/// The claims that `assay publish provenance` makes of the files of the source, but for those that
/// it refuses.
fn publishable(operator: &Operator, keys: &[&str]) -> anyhow::Result<usize> {
    let mut predicates: Vec<String> = Vec::new();
    for file in data::files(&operator.source("")) {
        let file = file.to_str().context("no UTF-8")?;
        let words = [
            "publish",
            "provenance",
            file,
            "--dry-run",
            "--trusted-root",
            "root.json",
        ];
        let output = operator.try_run(&[&words, keys].concat())?;
        if output.status.success() {
            for line in String::from_utf8(output.stdout)?.lines() {
                let claim: Value = serde_json::from_str(line)?;
                predicates.push(claim["predicate"]["sigstore"].to_string());
            }
        }
    }
    predicates.sort();
    predicates.dedup();
    Ok(predicates.len())
}

/// Every claim has its document stored, which verifies again.
fn assert_stored(operator: &Operator, source: &str) -> anyhow::Result<usize> {
    let claims = republished(operator)?;
    for (id, claim) in &claims {
        let predicate = &claim["predicate"];
        ensure!(predicate["sigstore"]["trustedRoot"].is_string(), "{claim}");
        ensure!(predicate["republished"]["from"] == source, "{claim}");
        let uri = claim["subject"][0]["uri"].as_str().context("no package")?;
        ensure!(uri.starts_with("pkg:"), "{claim}");
        let folder = operator.folder.path().join(id);
        let folder = folder.to_str().context("no UTF-8")?;
        let got = operator.ok(&["get", id, "--attachments", folder])?;
        let stored = got["attachments"][0]
            .as_str()
            .context("nothing is stored")?;
        let stored = operator.folder.path().join(stored);
        let bytes = fs::read(stored)?;
        let digest = assay_tlog::Hash::of(&bytes).to_hex();
        ensure!(predicate["republished"]["sha256"] == digest, "{claim}");
    }
    Ok(claims.len())
}

#[test]
fn attestations_of_npm_are_republished_if_they_verify() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    let Some(root) = real(&operator, "npm-attestations", &[".json"])? else {
        return Ok(());
    };
    // Nothing is done before somebody says whom to trust.
    let before = operator.size()?;
    let (code, _, said) = run(&operator, "npm", &[])?;
    ensure!(code == Some(2) && said.contains("--trusted-root"), "{said}");
    ensure!(operator.size()? == before);

    // Without the registry's keys, what it signed itself is left out, and is no problem.
    let trusted = ["--trusted-root", "root.json"];
    let (code, counts, said) = run(&operator, "npm", &trusted)?;
    let expected = publishable(&operator, &[])?;
    ensure!(
        expected > 0 && counts[0] == expected as u64,
        "{expected} {said}"
    );
    ensure!(code == Some(1) && counts[3] > 0, "{said}");
    ensure!(said.contains("--trusted-keys"), "{said}");

    // With them, it is there, and each that does not verify is named with the step.
    let keys = ["--trusted-keys", "source/npmjs-keys.json"];
    let all = [trusted, keys].concat();
    let (code, counts, said) = run(&operator, "npm", &all)?;
    let both = publishable(&operator, &keys)?;
    ensure!(
        both > expected && counts[..3] == [(both - expected) as u64, 0, 0],
        "{said}"
    );
    ensure!(code == Some(1) && counts[3] > 0, "{said}");
    let named = said
        .lines()
        .filter(|line| line.contains("failed to verify its signature"));
    ensure!(named.count() as u64 >= counts[3], "{said}");
    let failed = format!("\"not_verified\": {}", counts[3]);
    ensure!(said.contains(&failed), "{failed}: {said}");
    ensure!(assert_stored(&operator, "npm registry")? == both);

    // Again, with a trusted root that says the same in other bytes.
    let size = operator.size()?;
    let text = fs::read_to_string(&root)?;
    fs::write(&root, format!("{text}\n\n"))?;
    ensure!(run(&operator, "npm", &all)?.1[..3] == [0, 0, 0]);
    // What nobody can verify any more stays, as does what is cut.
    let other = data::require("sigstore-bundles").context("no bundles")?;
    fs::copy(
        other.join("bundle-verify/rekor2-dsse-happy-path/trusted_root.json"),
        &root,
    )?;
    let (code, counts, said) = run(&operator, "npm", &all)?;
    ensure!(code == Some(1) && counts[..3] == [0, 0, 0], "{said}");
    ensure!(said.contains("failed to verify its log entry"), "{said}");
    ensure!(operator.size()? == size);
    Ok(())
}

#[test]
fn attestations_of_pypi_are_republished_if_they_verify() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    let ends = [".provenance", ".attestation"];
    let Some(_) = real(&operator, "pypi-attestations", &ends)? else {
        return Ok(());
    };
    let trusted = ["--trusted-root", "root.json"];
    let (code, counts, said) = run(&operator, "pypi", &trusted)?;
    let expected = publishable(&operator, &[])?;
    ensure!(
        expected > 0 && counts[0] == expected as u64,
        "{expected} {said}"
    );
    ensure!(
        counts[1..3] == [0, 0] && code == Some(i32::from(counts[3] > 0)),
        "{said}"
    );
    ensure!(assert_stored(&operator, "PyPI")? == expected);

    // Stopped before anything was known to be stored: both are offered again.
    let (path, size) = (operator.state()?, operator.size()?);
    let whole = fs::read_to_string(&path)?;
    fs::write(
        &path,
        whole.replace("\"settled\":true", "\"settled\":false"),
    )?;
    ensure!(run(&operator, "pypi", &trusted)?.1[0] == expected as u64);
    ensure!(operator.size()? == size && assert_stored(&operator, "PyPI")? == expected);

    // What the source does not have any more is withdrawn.
    for file in data::files(&operator.source("")) {
        fs::remove_file(file)?;
    }
    let all = [&trusted[..], &["--allow-shrink"]].concat();
    let (code, counts, said) = run(&operator, "pypi", &all)?;
    ensure!(
        (code, counts) == (Some(0), [0, 0, expected as u64, 0]),
        "{said}"
    );
    Ok(())
}

/// What is made up verifies nowhere: it is named, and nothing is published of it.
#[test]
fn attestations_that_are_made_up_are_left_out() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    let Some(bundles) = data::require("sigstore-bundles") else {
        return Ok(());
    };
    let root = bundles.join("trust/production-trusted_root.json");
    let root = root.to_str().context("no UTF-8")?;
    let seeds = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/attestations");
    fs::copy(seeds.join("npm"), operator.source("a.json"))?;
    packument(&operator, "left", &[("1.0.0", "Old.")])?;
    let before = operator.size()?;
    let (code, counts, said) = run(&operator, "npm", &["--trusted-root", root])?;
    ensure!((code, counts) == (Some(1), [1, 0, 0, 2]), "{said}");
    ensure!(
        said.contains("a.json: ") && said.contains("failed to verify its"),
        "{said}"
    );
    ensure!(operator.size()? == before + 1);
    let words = [
        "bridge",
        "osv",
        "source",
        "--key",
        "key.pem",
        "--trusted-root",
        root,
    ];
    let refused = operator.try_run(&words)?;
    ensure!(refused.status.code() == Some(2));
    Ok(())
}
