//! How bad a vulnerability is, as scanners and databases say it: words, scores, and vectors of CVSS
//! v3.
//!
//! Vectors of CVSS v2 and v4 are not computed: whoever states one usually states a word or a v3
//! vector beside it. What cannot be read is unknown, and unknown counts as high enough for any
//! rule.

/// A severity, from none to critical (FIRST, CVSS v3.1, section 5: the qualitative scale).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// A score of 0.
    None,
    /// Below 4.
    Low,
    /// Below 7.
    Medium,
    /// Below 9.
    High,
    /// From 9.
    Critical,
}

impl Severity {
    /// The severity that a word stands for, in upper or lower case.
    pub fn of_word(word: &str) -> Option<Self> {
        let words: [(Severity, &[&str]); 5] = [
            (Severity::None, &["none"]),
            (Severity::Low, &["low", "negligible", "minor"]),
            (Severity::Medium, &["medium", "moderate"]),
            (Severity::High, &["high", "important"]),
            (Severity::Critical, &["critical"]),
        ];
        let found = words
            .into_iter()
            .find(|(_, words)| words.iter().any(|known| known.eq_ignore_ascii_case(word)));
        found.map(|(severity, _)| severity)
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Severity::None => "none",
            Severity::Low => "low",
            Severity::Medium => "medium",
            Severity::High => "high",
            Severity::Critical => "critical",
        }
    }

    fn of_score(score: f64) -> Option<Self> {
        match score {
            s if !(0.0..=10.0).contains(&s) => None,
            0.0 => Some(Severity::None),
            s if s < 4.0 => Some(Severity::Low),
            s if s < 7.0 => Some(Severity::Medium),
            s if s < 9.0 => Some(Severity::High),
            _ => Some(Severity::Critical),
        }
    }

    /// Reads what a scanner stated, as method and score; `None` if that cannot be read. SARIF's
    /// levels are the tool's way to report, and no severity.
    pub fn of_statement(method: &str, score: &str) -> Option<Self> {
        if method == "sarif-level" {
            return None;
        }
        if let Some(vector) = score
            .strip_prefix("CVSS:3.1/")
            .or_else(|| score.strip_prefix("CVSS:3.0/"))
        {
            return base_score(vector).and_then(Severity::of_score);
        }
        let number = score
            .bytes()
            .all(|b| b.is_ascii_digit() || b == b'.')
            .then(|| score.parse().ok())
            .flatten();
        number.map_or_else(|| Severity::of_word(score), Severity::of_score)
    }
}

/// The base score of a CVSS v3 vector (FIRST, CVSS v3.1, section 7.1), or `None` if a base metric
/// is missing or unknown.
fn base_score(vector: &str) -> Option<f64> {
    let metric = |name: &str| {
        vector
            .split('/')
            .find_map(|part| part.strip_prefix(name)?.strip_prefix(':'))
    };
    let changed = match metric("S")? {
        "U" => false,
        "C" => true,
        _ => return None,
    };
    let attack_vector = match metric("AV")? {
        "N" => 0.85,
        "A" => 0.62,
        "L" => 0.55,
        "P" => 0.2,
        _ => return None,
    };
    let complexity = match metric("AC")? {
        "L" => 0.77,
        "H" => 0.44,
        _ => return None,
    };
    let privileges = match (metric("PR")?, changed) {
        ("N", _) => 0.85,
        ("L", false) => 0.62,
        ("L", true) => 0.68,
        ("H", false) => 0.27,
        ("H", true) => 0.5,
        _ => return None,
    };
    let interaction = match metric("UI")? {
        "N" => 0.85,
        "R" => 0.62,
        _ => return None,
    };
    let loss = |name| match metric(name)? {
        "H" => Some(0.56),
        "L" => Some(0.22),
        "N" => Some(0.0),
        _ => None,
    };
    let sub: f64 = 1.0 - (1.0 - loss("C")?) * (1.0 - loss("I")?) * (1.0 - loss("A")?);
    let impact = if changed {
        7.52 * (sub - 0.029) - 3.25 * (sub - 0.02).powi(15)
    } else {
        6.42 * sub
    };
    let exploitability = 8.22 * attack_vector * complexity * privileges * interaction;
    Some(match (impact <= 0.0, changed) {
        (true, _) => 0.0,
        (false, false) => round_up((impact + exploitability).min(10.0)),
        (false, true) => round_up((1.08 * (impact + exploitability)).min(10.0)),
    })
}

/// The smallest number with one decimal that is not below (CVSS v3.1, appendix A).
fn round_up(score: f64) -> f64 {
    let scaled = (score * 100_000.0).round();
    if scaled % 10_000.0 == 0.0 {
        scaled / 100_000.0
    } else {
        ((scaled / 10_000.0).floor() + 1.0) / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vectors_have_the_scores_of_the_specification() {
        for (vector, score) in [
            // CVSS v3.1 Examples (FIRST) and vectors of well-known vulnerabilities.
            ("AV:N/AC:L/PR:N/UI:R/S:C/C:L/I:L/A:N", 6.1),
            ("AV:N/AC:L/PR:L/UI:N/S:C/C:L/I:L/A:N", 6.4),
            ("AV:N/AC:H/PR:N/UI:R/S:U/C:L/I:N/A:N", 3.1),
            ("AV:L/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H", 7.8),
            ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", 7.5),
            ("AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H", 9.8),
            ("AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", 10.0),
            ("AV:N/AC:H/PR:N/UI:N/S:C/C:H/I:H/A:H", 9.0),
            ("AV:L/AC:L/PR:L/UI:N/S:U/C:N/I:N/A:N", 0.0),
        ] {
            assert_eq!(base_score(vector), Some(score), "{vector}");
        }
        for bad in [
            "",
            "AV:N",
            "AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
        ] {
            assert_eq!(base_score(bad), None, "{bad}");
        }
    }

    #[test]
    fn words_scores_and_vectors_are_read_and_the_rest_is_unknown() {
        for (method, score, expected) in [
            (
                "CVSS_V3",
                "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                Some(Severity::Critical),
            ),
            ("security-severity", "8.1", Some(Severity::High)),
            ("nvd", "0", Some(Severity::None)),
            ("nvd", "3.9", Some(Severity::Low)),
            ("database", "MODERATE", Some(Severity::Medium)),
            ("sarif-level", "none", None),
            (
                "CVSS_V4",
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                None,
            ),
            ("x", "11", None),
            ("x", "-1", None),
            ("x", "NaN", None),
            ("x", "", None),
        ] {
            assert_eq!(
                Severity::of_statement(method, score),
                expected,
                "{method} {score}"
            );
        }
        assert!(Severity::Critical > Severity::High && Severity::Low > Severity::None);
    }
}
