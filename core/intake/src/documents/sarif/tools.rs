//! Which tools look for known vulnerabilities, by the name of their driver. SARIF is of all kinds
//! of analysis, and does not say of which: that a linter found nothing says nothing of what is
//! known.

/// What the names of their drivers begin with, word by word, in lower case. Other parts of a
/// product look at code, or for secrets, under other names (`SnykCode`, `JFrog SAST`).
const KNOWN: &[&str] = &[
    "anchore",
    "black duck",
    "bundler audit",
    "cargo audit",
    "cargo deny",
    "clair",
    "dependency check",
    "depscan",
    "docker scout",
    "govulncheck",
    "grype",
    "jfrog xray",
    "nancy",
    "npm audit",
    "osv scanner",
    "owasp dependency check",
    "owasp depscan",
    "pip audit",
    "retire js",
    "safety",
    "snyk container",
    "snyk open source",
    "trivy",
];

/// Whether a tool with this name is known to look for known vulnerabilities.
pub(super) fn look_for_known(driver: &str) -> bool {
    let lower = driver.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    let name = words.join(" ");
    let mut rests = KNOWN.iter().filter_map(|known| name.strip_prefix(known));
    rests.any(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scanners_of_dependencies_are_told_from_others() {
        for name in [
            "Trivy",
            "grype",
            "osv-scanner",
            "Snyk Open Source",
            "cargo-deny",
            "Retire.js",
        ] {
            assert!(look_for_known(name), "{name}");
        }
        for name in [
            "ESLint",
            "Semgrep OSS",
            "CodeQL",
            "SnykCode",
            "Snyk Code",
            "JFrog SAST",
            "Safetynet",
            "",
        ] {
            assert!(!look_for_known(name), "{name}");
        }
    }
}
