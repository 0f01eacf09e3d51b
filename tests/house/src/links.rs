//! What each crate links, by `cargo tree`.

use crate::{
    Tree, Violation,
    modules::package,
    rules::{LINKED, Linked, NEVER_LINKED, NeverLinked, TEST_FEATURE, TEST_PACKAGES},
    tree::workspace,
};
use std::{collections::BTreeSet, process::Command};

const TABLE: &str = "tests/house/src/rules/linked.rs";

/// What crates below `core/` link and must not: they have a row in [`LINKED`] with all that they
/// may.
pub fn strangers_in_core(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (folder, name) in tree.files().filter_map(|(path, text)| package(path, text)) {
        if !folder.starts_with("core/") {
            continue;
        }
        let manifest = format!("{folder}Cargo.toml");
        match LINKED.iter().find(|row| row.package == name) {
            None => {
                let what = format!("{name} has no row in LINKED of {TABLE}");
                found.push(Violation::new(&manifest, 1, what));
            }
            Some(row) => found.extend(strangers(&manifest, row, &linked_by(&name))),
        }
    }
    found
}

fn strangers(manifest: &str, row: &Linked, linked: &BTreeSet<String>) -> Vec<Violation> {
    let allowed = allowed(row);
    let mut found = Vec::new();
    for name in linked {
        if name != row.package && !allowed.contains(name.as_str()) {
            let what = format!(
                "{} links {name}, which LINKED of {TABLE} does not allow",
                row.package
            );
            found.push(Violation::new(manifest, 1, what));
        }
    }
    found
}

/// All that the row allows, with what the rows allow that it builds on.
fn allowed(row: &Linked) -> BTreeSet<&'static str> {
    let mut names: BTreeSet<&str> = row.and.iter().copied().collect();
    if let Some(below) = LINKED.iter().find(|below| below.package == row.all_of) {
        names.insert(below.package);
        names.extend(allowed(below));
    }
    names
}

/// What packages link that they must never, by [`NEVER_LINKED`]; and packages of that table that
/// there are none of.
pub fn never_linked(tree: &Tree) -> Vec<Violation> {
    let packages: Vec<_> = tree
        .files()
        .filter_map(|(path, text)| package(path, text))
        .collect();
    let mut found = Vec::new();
    for row in NEVER_LINKED {
        match packages.iter().find(|(_, name)| name == row.package) {
            None => {
                let what = format!("there is no package {}", row.package);
                found.push(Violation::new(TABLE, 1, what));
            }
            Some((folder, name)) => {
                found.extend(forbidden(
                    &format!("{folder}Cargo.toml"),
                    row,
                    &linked_by(name),
                ));
            }
        }
    }
    found
}

fn forbidden(manifest: &str, row: &NeverLinked, linked: &BTreeSet<String>) -> Vec<Violation> {
    let NeverLinked {
        package,
        names,
        why,
    } = row;
    let mut found = Vec::new();
    for name in linked {
        let is_forbidden = names.iter().any(|forbidden| name.contains(forbidden));
        if is_forbidden && name != package {
            found.push(Violation::new(
                manifest,
                1,
                format!("{package} links {name}: {why}"),
            ));
        }
    }
    found
}

/// Manifests of what is shipped that ask for [`TEST_FEATURE`]: what stands behind it is taken for
/// compiled in tests only.
pub fn test_features(tree: &Tree) -> Vec<Violation> {
    let mut found = Vec::new();
    for (path, text) in tree
        .files()
        .filter(|(path, _)| path.ends_with("Cargo.toml"))
    {
        let of_tests =
            package(path, text).is_some_and(|(_, name)| TEST_PACKAGES.contains(&name.as_str()));
        if of_tests {
            continue;
        }
        let mut section = "";
        for (at, line) in text.lines().enumerate() {
            if line.starts_with('[') {
                section = line.trim_matches(['[', ']']);
            }
            let is_shipped = section.contains("dependencies") && !section.contains("dev-")
                || section == "features" && line.starts_with("default");
            if is_shipped && line.contains(&format!("{TEST_FEATURE}\"")) {
                let what = format!("asks for the feature {TEST_FEATURE} outside of tests");
                found.push(Violation::new(path, at + 1, what));
            }
        }
    }
    found
}

/// Names of the crates that end up in what links `package` on this platform. Procedural macros run
/// in the compiler only. Cargo brings the manifests that a fresh clone has not got.
pub fn linked_by(package: &str) -> BTreeSet<String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["tree", "--locked", "--edges", "normal,no-proc-macro"])
        .args(["--prefix", "none", "--no-dedupe", "--package", package])
        .current_dir(workspace())
        .output()
        .expect("cargo can be run");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "cargo tree failed: {errors}");
    let text = String::from_utf8(output.stdout).expect("cargo tree prints UTF-8");
    let names: BTreeSet<String> = text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .map(str::to_owned)
        .collect();
    assert!(
        names.contains(package),
        "cargo tree listed too little: {names:?}"
    );
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    fn whats(found: Vec<Violation>) -> Vec<String> {
        found.into_iter().map(|one| one.what).collect()
    }

    #[test]
    fn the_list_would_catch_a_runtime() {
        let linked = linked_by("assay-node");
        assert!(linked.contains("tokio"));
        let caught = LINKED.iter().all(|row| {
            whats(strangers("x", row, &linked))
                .iter()
                .any(|what| what.contains(" links tokio,"))
        });
        assert!(caught);
    }

    #[test]
    fn a_crate_may_link_what_its_rows_allow() {
        let row = LINKED
            .iter()
            .find(|row| row.package == "assay-intake")
            .expect("its row");
        let linked = set(&[
            "assay-intake",
            "assay-claims",
            "assay-tlog",
            "sha2",
            "saphyr-parser",
        ]);
        assert_eq!(strangers("x", row, &linked), []);
        assert_eq!(
            strangers("x", row, &set(&["assay-policy", "rand"])).len(),
            2
        );
    }

    #[test]
    fn a_yaml_parser_in_the_node_is_caught() {
        let row = NEVER_LINKED
            .iter()
            .find(|row| row.package == "assay-node")
            .expect("its row");
        let found = whats(forbidden(
            "x",
            row,
            &set(&["assay-node", "saphyr-parser", "tokio"]),
        ));
        assert_eq!(
            found,
            ["assay-node links saphyr-parser: a node reads claims, not what tools write"]
        );
        for name in [
            "libyaml-safer",
            "unsafe-libyaml",
            "serde_yaml",
            "yaml-rust2",
            "serde-saphyr",
        ] {
            assert_eq!(forbidden("x", row, &set(&[name])).len(), 1, "{name}");
        }
        let row = NEVER_LINKED
            .iter()
            .find(|row| row.package == "assay-tlog")
            .expect("its row");
        assert_eq!(
            forbidden("x", row, &set(&["assay-tlog", "assay-proto", "sha2"])).len(),
            1
        );
    }

    #[test]
    fn a_product_that_asks_for_the_tests_feature_is_caught() {
        let lines = |text: &str| {
            let tree = Tree::of(&[("a/Cargo.toml", text)]);
            let found = test_features(&tree);
            found.into_iter().map(|one| one.line).collect::<Vec<_>>()
        };
        let asks = "b = { workspace = true, features = [\"testing\"] }";
        assert_eq!(lines(&format!("[dependencies]\n{asks}")), [2]);
        assert_eq!(
            lines(&format!("[target.'cfg(unix)'.dependencies]\n{asks}")),
            [2]
        );
        assert_eq!(
            lines("[features]\ntesting = [\"b/testing\"]\ndefault = [\"testing\"]"),
            [3]
        );
        assert_eq!(lines(&format!("[dev-dependencies]\n{asks}")), [0; 0]);
        let of_tests = format!("[package]\nname = \"assay-tests\"\n[dependencies]\n{asks}");
        assert_eq!(lines(&of_tests), [0; 0]);
    }
}
