//! `@sigstore/verify`, which npm verifies with, and we say the same of every attestation.

use super::cases::{Case, bundles, npm, production};
use assay_tests::data;
use assay_tests::npm::{require_npm, verify_sigstore};
use std::path::Path;

/// Whether the other verifies it.
fn judged(packages: &Path, case: &Case) -> (bool, String) {
    let artifact = case.subjects.first().map(Path::new);
    let said = verify_sigstore(
        packages,
        &case.root,
        case.keys.as_deref(),
        artifact,
        &case.file,
    );
    let said = said.unwrap();
    (said.trim_end().ends_with("\tverified"), said)
}

#[test]
fn sigstore_js_agrees_on_every_attestation() {
    let Some(packages) = require_npm("@sigstore/verify") else {
        return;
    };
    let (Some(folder), Some(answers), Some(root)) = (
        data::require("sigstore-bundles"),
        data::require("npm-attestations"),
        production(),
    ) else {
        return;
    };
    let mut cases = bundles(&folder);
    // It takes keys by their name only, and these have none.
    cases.retain(|case| !case.name.starts_with("managed-key"));
    cases.extend(npm(&answers, &root));
    for case in &cases {
        let (is_theirs, said) = judged(packages, case);
        let ours = case.publish(&case.file);
        assert_eq!(ours.is_taken(), is_theirs, "{case:?}: {said}{ours:?}");
    }
    assert!(cases.len() >= 40, "{}", cases.len());
}
