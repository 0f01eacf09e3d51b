//! Which tools look for known vulnerabilities, by the name of their driver. SARIF is of all kinds
//! of analysis, and does not say of which: that a linter found nothing says nothing of what is
//! known. Nor does a tool that can be told to look for other things alone, in a log of nothing that
//! does not say what it was told.

use assay_claims::json::Value;

/// What the names of their drivers begin with, word by word, in lower case. Other parts of a
/// product look at code, or for secrets, under other names (`SnykCode`, `JFrog SAST`).
const KNOWN: &[&str] = &[
    "anchore",
    "black duck",
    "bundler audit",
    "cargo audit",
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
];

/// Tools that can be told to look for other things alone, and what to publish instead of a log that
/// does not say whether they were.
const OTHERS: &[(&str, &str)] = &[
    ("cargo deny", "publish the JSON of cargo-audit"),
    ("trivy", "publish the JSON of Trivy"),
];

/// How Trivy names the rules of what is no vulnerability, and what it does not look for unless it
/// is told to (aquasecurity/trivy, `pkg/report/sarif.go`).
const OF_TRIVY: [&str; 2] = ["Misconfiguration", "License"];

/// Whether a run looked for known vulnerabilities, as far as anybody can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Looked {
    Yes,
    No,
    /// It may have looked for something else alone. The text says what to do instead.
    Untold(&'static str),
}

impl Looked {
    /// Of a run whose driver has this name. Trivy looks for vulnerabilities in an image unless it
    /// is told to look for something else.
    pub fn of(driver: &str, run: &Value) -> Self {
        let name = in_words(driver);
        if KNOWN.iter().any(|known| begins_with(&name, known)) {
            return Looked::Yes;
        }
        let mut others = OTHERS.iter();
        let Some((tool, advice)) = others.find(|(other, _)| begins_with(&name, other)) else {
            return Looked::No;
        };
        let rules = run.pointer("/tool/driver/rules").and_then(Value::as_array);
        let rules = rules.unwrap_or_default().iter();
        let mut names = rules.filter_map(|rule| rule.get("name")?.as_str());
        let is_of_image = *tool == "trivy" && run.pointer("/properties/imageName").is_some();
        if is_of_image && !names.any(|name| OF_TRIVY.contains(&name)) {
            Looked::Yes
        } else {
            Looked::Untold(advice)
        }
    }
}

/// A name in lower case, its words with one space between them.
fn in_words(name: &str) -> String {
    let lower = name.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric());
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Whether a name begins with the words of another one.
fn begins_with(name: &str, words: &str) -> bool {
    let rest = name.strip_prefix(words);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::json;

    fn looked(driver: &str, run: &str) -> Looked {
        let run = json::parse(run.as_bytes()).unwrap();
        Looked::of(driver, &run)
    }

    #[test]
    fn scanners_of_dependencies_are_told_from_others() {
        for name in ["grype", "osv-scanner", "Snyk Open Source", "Retire.js"] {
            assert_eq!(looked(name, "{}"), Looked::Yes, "{name}");
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
            assert_eq!(looked(name, "{}"), Looked::No, "{name}");
        }
    }

    /// `trivy config` and `cargo deny check licenses` that find nothing write what they write where
    /// they looked for vulnerabilities and found none.
    #[test]
    fn tools_that_can_look_for_something_else_may_have() {
        let image = r#"{"properties":{"imageName":"a"},"tool":{"driver":{"rules":[RULES]}}}"#;
        let rule = |name: &str| image.replace("RULES", &format!(r#"{{"id":"r","name":"{name}"}}"#));
        for (name, run, is_known) in [
            ("Trivy", "{}", false),
            ("cargo-deny", "{}", false),
            ("cargo-deny", r#"{"properties":{"imageName":"a"}}"#, false),
            ("Trivy", r#"{"properties":{"imageName":"a"}}"#, true),
            ("Trivy", &rule("Secret"), true),
            ("Trivy", &rule("Misconfiguration"), false),
            ("Trivy", &rule("License"), false),
        ] {
            let looked = looked(name, run);
            assert_eq!(looked == Looked::Yes, is_known, "{name} {run}");
            assert_ne!(looked, Looked::No, "{name} {run}");
        }
    }
}
