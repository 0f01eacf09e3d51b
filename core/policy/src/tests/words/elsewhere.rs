//! What scans for something else say of vulnerabilities.

use super::*;

/// A linter takes back what it found itself, and a scanner that was told to look for something else
/// alone takes back no vulnerability.
#[test]
fn a_scan_for_something_else_takes_no_vulnerability_back() {
    let elsewhere = r#","knownVulnerabilities":false"#;
    for (found, metadata, by_another, expected) in [
        ("CVE-2026-0001", "", elsewhere, Outcome::Denied),
        ("CVE-2026-0001", "", "", Outcome::Fine),
        ("no-eval", elsewhere, elsewhere, Outcome::Warn),
    ] {
        let mut scene = Scene::new();
        scene.scan(LIB, &format!(r#"{{"id":"{found}"}}"#), metadata);
        scene.scan(LIB, "", by_another);
        assert_eq!(scene.outcome(&component(LIB)), expected, "{found}");
        // Whichever of the later ones looked for it, took it back.
        scene.scan(LIB, "", "");
        scene.scan(LIB, "", elsewhere);
        assert_eq!(scene.outcome(&component(LIB)), Outcome::Fine, "{found}");
    }
}
