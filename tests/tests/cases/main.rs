//! The document cases: inputs on which programs that read lock files, SBOMs and claims about them
//! were wrong, each with what is right.
//!
//! Each runs whole: a log, four issuers, a policy that trusts them, and the commands of the case's
//! `expect.json`. What is not right yet is listed, and has to leave the list once it is.

mod case;
mod expect;
mod shop;

use assay_tests::data;
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError, atomic::AtomicUsize, atomic::Ordering},
    thread,
};

/// Cases that are not right yet, by the names of their folders. A case that is right by now fails
/// this test until it is taken off.
const NOT_YET: &[&str] = &[];

/// Cases that run at the same time. Each has a node of its own.
const AT_ONCE: usize = 4;

#[test]
fn every_case_comes_out_right_or_is_listed() {
    let Some(folder) = data::require("cases") else {
        return;
    };
    let cases = cases(&folder.join("documents"));
    let failures = run_all(&cases, &folder.join("policy.toml"));
    let mut wrong = String::new();
    for (name, failures) in &failures {
        let listed = NOT_YET.contains(&name.as_str());
        if failures.is_empty() && listed {
            _ = writeln!(wrong, "{name} is right by now: take it off the list");
        } else if !failures.is_empty() && !listed {
            _ = writeln!(wrong, "{name}:\n  {}", failures.join("\n  "));
        } else if !failures.is_empty() {
            println!("not yet right: {name}:\n  {}", failures.join("\n  "));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// The folders of the cases; those of `ASSAY_CASE`, if it is set: the beginning of their names.
fn cases(folder: &Path) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = data::files(folder)
        .into_iter()
        .filter(|path| path.file_name().is_some_and(|name| name == "expect.json"))
        .filter_map(|path| path.parent().map(Path::to_owned))
        .collect();
    if let Some(only) = std::env::var_os("ASSAY_CASE") {
        let only = only.to_string_lossy().into_owned();
        folders.retain(|folder| only.split(',').any(|one| name(folder).starts_with(one)));
    }
    assert!(!folders.is_empty(), "no cases in {}", folder.display());
    folders
}

fn name(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// What is wrong in each case.
fn run_all(cases: &[PathBuf], policy: &Path) -> BTreeMap<String, Vec<String>> {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(BTreeMap::new());
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(folder) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let found = case::run(folder, policy)
                        .unwrap_or_else(|error| vec![format!("it cannot be run: {error:#}")]);
                    let mut failures = failures.lock().unwrap_or_else(PoisonError::into_inner);
                    failures.insert(name(folder), found);
                }
            });
        }
    });
    failures
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner)
}
