//! The real attestations, and what is to be said of each.

use assay_tests::{data, process::assay};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

/// An attestation, what is trusted, and what is to come of it.
#[derive(Debug, Clone)]
pub struct Case {
    pub name: String,
    pub file: PathBuf,
    pub root: PathBuf,
    pub keys: Option<PathBuf>,
    pub subjects: Vec<String>,
    pub is_good: bool,
}

/// What became of an attestation.
#[derive(Debug)]
pub struct Outcome {
    pub code: Option<i32>,
    /// The statements that would be signed.
    pub claims: Vec<Value>,
    pub said: String,
}

impl Outcome {
    pub fn of(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout);
        let lines = text
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok());
        Outcome {
            code: output.status.code(),
            claims: lines.collect(),
            said: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    pub fn is_taken(&self) -> bool {
        self.code == Some(0) && !self.claims.is_empty()
    }

    /// The step that is said to have failed.
    pub fn step(&self) -> &str {
        let rest = self.said.split_once("failed to verify its ");
        let step = rest.and_then(|(_, rest)| rest.split_once(": "));
        step.map_or("", |(step, _)| step)
    }
}

impl Case {
    pub fn new(file: PathBuf, root: PathBuf) -> Self {
        let name = file.file_name().unwrap().to_str().unwrap().to_owned();
        Case {
            name,
            file,
            root,
            keys: None,
            subjects: Vec::new(),
            is_good: true,
        }
    }

    /// What the program would publish of a file in the place of this attestation's.
    pub fn publish(&self, file: &Path) -> Outcome {
        let text = |path: &Path| path.to_str().unwrap().to_owned();
        let mut words: Vec<String> = ["publish", "provenance", "--dry-run", "--trusted-root"]
            .map(str::to_owned)
            .into();
        words.extend([text(&self.root), text(file)]);
        if let Some(keys) = &self.keys {
            words.extend(["--trusted-keys".to_owned(), text(keys)]);
        }
        for subject in &self.subjects {
            words.extend(["--subject".to_owned(), subject.clone()]);
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let folder = tempfile::tempdir().unwrap();
        Outcome::of(&assay(folder.path(), &words).unwrap())
    }

    /// The same of a document that is not on disk.
    pub fn publish_value(&self, document: &Value) -> Outcome {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("changed.json");
        fs::write(&file, document.to_string()).unwrap();
        self.publish(&file)
    }
}

/// The trusted root of the instance that Sigstore runs, if the collection is there.
pub fn production() -> Option<PathBuf> {
    let folder = data::require("sigstore-bundles")?;
    Some(folder.join("trust/production-trusted_root.json"))
}

/// All bundles of the collection. A folder's name says whether its bundle is good.
pub fn bundles(folder: &Path) -> Vec<Case> {
    let production = folder.join("trust/production-trusted_root.json");
    let all = folder.join("bundle-verify");
    let mut cases = Vec::new();
    for entry in fs::read_dir(&all).unwrap() {
        let one = entry.unwrap().path();
        if !one.is_dir() {
            continue;
        }
        let own = |name: &str| Some(one.join(name)).filter(|path| path.exists());
        let artifact = own("artifact").unwrap_or_else(|| all.join("a.txt"));
        let name = one.file_name().unwrap().to_str().unwrap().to_owned();
        cases.push(Case {
            file: one.join("bundle.sigstore.json"),
            root: own("trusted_root.json").unwrap_or_else(|| production.clone()),
            keys: own("key.pub"),
            subjects: vec![artifact.to_str().unwrap().to_owned()],
            is_good: !name.ends_with("_fail"),
            name,
        });
    }
    for (name, is_good) in [
        ("attestation.intoto.sigstore", true),
        ("invalid-set.intoto.sigstore", false),
        ("valid-v0.3.intoto.sigstore", true),
    ] {
        let case = Case::new(folder.join("slsa-verifier").join(name), production.clone());
        cases.push(Case { is_good, ..case });
    }
    cases.sort_by(|one, other| one.name.cmp(&other.name));
    cases
}

/// What npm answered, and the same with something broken in it.
pub fn npm(folder: &Path, root: &Path) -> Vec<Case> {
    let files = data::files(folder).into_iter();
    let files = files.filter(|path| {
        let name = path.file_name().unwrap().to_str().unwrap();
        name.ends_with(".tgz.json") || name.ends_with(".sigstore")
    });
    let cases = files.map(|file| {
        let case = Case::new(file, root.to_owned());
        let good = [
            "gundam-visor-cli-v1-tag.tgz.json",
            "npm-attestations.intoto.sigstore",
            "provenance-npm-test-cli-v02-prega.tgz.json",
        ];
        Case {
            keys: Some(folder.join("npmjs-keys.json")),
            is_good: good.contains(&case.name.as_str()),
            ..case
        }
    });
    cases.collect()
}

/// What PyPI answered, all of it good.
pub fn pypi(folder: &Path, root: &Path) -> Vec<Case> {
    let files = data::files(folder).into_iter();
    let files = files.filter(|path| {
        let end = path.extension().and_then(|end| end.to_str());
        matches!(end, Some("attestation" | "provenance" | "sigstore"))
    });
    files.map(|file| Case::new(file, root.to_owned())).collect()
}
