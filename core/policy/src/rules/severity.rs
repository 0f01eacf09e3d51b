//! How bad a vulnerability is, as scanners and databases say it: words, scores, and vectors of CVSS
//! v2, v3 and v4.
//!
//! Every score is put on the one qualitative scale that CVSS v3.1 (section 5) and v4.0 (section 6)
//! share. CVSS v2 has none of its own; on the scale that NVD used for it nothing is critical, so
//! that a rule about critical vulnerabilities would never see one. What cannot be read is unknown,
//! and unknown counts as high enough for any rule.

use cvss::Cvss;

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
            (Severity::None, &["none", "info", "informational"]),
            (
                Severity::Low,
                &["low", "negligible", "minor", "unimportant"],
            ),
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

    /// Reads what a scanner stated, as method and score; `None` if that cannot be read. A vector is
    /// read whole or not at all; of v2 and v3 its base score counts. SARIF's levels are the tool's
    /// way to report, and no severity.
    pub fn of_statement(method: &str, score: &str) -> Option<Self> {
        if method == "sarif-level" {
            return None;
        }
        if score.contains('/') {
            return score_of_vector(bare(score)).and_then(Severity::of_score);
        }
        if score.bytes().all(|b| b.is_ascii_digit() || b == b'.') {
            return score.parse().ok().and_then(Severity::of_score);
        }
        Severity::of_word(score)
    }

    /// The highest of several statements, as methods and scores; `None` if none can be read.
    pub fn highest(statements: &[(String, String)]) -> Option<Self> {
        statements
            .iter()
            .filter_map(|(method, score)| Severity::of_statement(method, score))
            .max()
    }
}

/// A vector without what some write around it: v2 in parentheses, as its guide has it (2.4), or
/// after its version; and any vector after its score.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let inner = text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'));
    let text = inner.unwrap_or(text);
    let text = match text.split_once("/CVSS:") {
        Some((score, _)) if score.parse::<f64>().is_ok() => &text[score.len() + 1..],
        _ => text,
    };
    text.strip_prefix("CVSS:2.0/").unwrap_or(text)
}

/// The score of a vector that states every metric that its version requires. The crate takes what
/// is missing for "none", which would make the unknown harmless.
fn score_of_vector(text: &str) -> Option<f64> {
    let vector: Cvss = text.parse().ok()?;
    let required = match &vector {
        Cvss::CvssV20(_) => ["AV", "AC", "Au", "C", "I", "A"].as_slice(),
        Cvss::CvssV30(_) | Cvss::CvssV31(_) => &["AV", "AC", "PR", "UI", "S", "C", "I", "A"],
        Cvss::CvssV40(_) => &[
            "AV", "AC", "AT", "PR", "UI", "VC", "VI", "VA", "SC", "SI", "SA",
        ],
        _ => return None,
    };
    let states = |name: &&str| {
        text.split('/').any(|metric| {
            metric
                .split_once(':')
                .is_some_and(|(stated, _)| stated == *name)
        })
    };
    required.iter().all(states).then(|| vector.score())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn base_score(vector: &str) -> Option<f64> {
        score_of_vector(vector)
    }

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
            for version in ["3.0", "3.1"] {
                let vector = format!("CVSS:{version}/{vector}");
                assert_eq!(base_score(&vector), Some(score), "{vector}");
            }
        }
        for bad in [
            "",
            "AV:N",
            "AV:X/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H",
        ] {
            assert_eq!(base_score(&format!("CVSS:3.1/{bad}")), None, "{bad}");
        }
    }

    fn assert_scored(vector: &str, score: f64, severity: Severity) {
        assert_eq!(base_score(vector), Some(score), "{vector}");
        let read = Severity::of_statement("CVSS", vector);
        assert_eq!(read, Some(severity), "{vector}");
    }

    #[test]
    fn vectors_of_v2_have_the_scores_of_its_guide() {
        for (vector, score, severity) in [
            // CVSS v2 guide, section 3.3: CVE-2002-0392, CVE-2003-0818, CVE-2003-0062.
            ("AV:N/AC:L/Au:N/C:N/I:N/A:C", 7.8, Severity::High),
            ("AV:N/AC:L/Au:N/C:C/I:C/A:C", 10.0, Severity::Critical),
            ("AV:L/AC:H/Au:N/C:C/I:C/A:C", 6.2, Severity::Medium),
            ("AV:L/AC:H/Au:M/C:N/I:N/A:N", 0.0, Severity::None),
        ] {
            assert_scored(vector, score, severity);
        }
    }

    #[test]
    fn vectors_of_v4_have_the_scores_of_its_examples() {
        for (vector, score, severity) in [
            // CVSS v4.0 Examples (FIRST): CVE-2022-41741, CVE-2020-3549, CVE-2023-3089,
            // CVE-2021-44714, CVE-2022-21830, CVE-2022-22186, CVE-2023-21989, CVE-2020-3947.
            (
                "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                7.3,
                Severity::High,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:P/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                7.7,
                Severity::High,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:P/PR:N/UI:N/VC:H/VI:L/VA:L/SC:N/SI:N/SA:N",
                8.3,
                Severity::High,
            ),
            (
                "CVSS:4.0/AV:L/AC:L/AT:N/PR:N/UI:A/VC:L/VI:N/VA:N/SC:N/SI:N/SA:N",
                4.6,
                Severity::Medium,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:A/VC:N/VI:N/VA:N/SC:L/SI:L/SA:N",
                5.1,
                Severity::Medium,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:N/SC:N/SI:N/SA:N",
                6.9,
                Severity::Medium,
            ),
            (
                "CVSS:4.0/AV:L/AC:L/AT:N/PR:H/UI:N/VC:N/VI:N/VA:N/SC:H/SI:N/SA:N",
                5.9,
                Severity::Medium,
            ),
            (
                "CVSS:4.0/AV:L/AC:L/AT:N/PR:L/UI:N/VC:H/VI:H/VA:H/SC:H/SI:H/SA:H",
                9.3,
                Severity::Critical,
            ),
            (
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                9.3,
                Severity::Critical,
            ),
        ] {
            assert_scored(vector, score, severity);
        }
    }

    #[test]
    fn malformed_vectors_of_v2_and_v4_have_no_severity() {
        for bad in [
            "AV:N/AC:L/Au:N/C:N/I:N",
            "AV:N/AC:L/Au:N/C:N/I:N/A:X",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N",
            "CVSS:5.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
        ] {
            assert_eq!(Severity::of_statement("CVSS", bad), None, "{bad}");
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
            (
                "CVSS_V4",
                "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N",
                Some(Severity::Critical),
            ),
            (
                "CVSS_V2",
                "AV:N/AC:L/Au:N/C:P/I:P/A:P",
                Some(Severity::High),
            ),
            (
                "CVSS_V2",
                "(AV:N/AC:L/Au:N/C:P/I:P/A:P)",
                Some(Severity::High),
            ),
            (
                "CVSS_V2",
                "CVSS:2.0/AV:N/AC:L/Au:N/C:P/I:P/A:P",
                Some(Severity::High),
            ),
            (
                "vendor",
                "9.8/CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                Some(Severity::Critical),
            ),
            ("x", "(AV:N/AC:L/Au:N/C:P/I:P/A:P", None),
            (
                "x",
                "high/CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
                None,
            ),
            ("database", "info", Some(Severity::None)),
            ("security-severity", "8.1", Some(Severity::High)),
            ("nvd", "0", Some(Severity::None)),
            ("nvd", "3.9", Some(Severity::Low)),
            ("database", "MODERATE", Some(Severity::Medium)),
            ("sarif-level", "none", None),
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

    /// A metric of CVSS v4.0 with one of its values, or left out.
    fn metric(name: &'static str, values: &'static str) -> impl Strategy<Value = String> {
        let values: Vec<char> = values.chars().collect();
        proptest::sample::select(values).prop_map(move |value| match value {
            '-' => String::new(),
            value => format!("/{name}:{value}"),
        })
    }

    proptest! {
        /// Scanners are strangers: whatever they state, reading it ends.
        #[test]
        fn every_vector_is_read(
            base in (
                metric("AV", "NALP"), metric("AC", "LH"), metric("AT", "NP"),
                metric("PR", "NLH"), metric("UI", "NPA"),
            ),
            impact in (
                metric("VC", "HLN"), metric("VI", "HLN"), metric("VA", "HLN"),
                metric("SC", "HLN"), metric("SI", "HLN"), metric("SA", "HLN"),
            ),
            threat in metric("E", "-XAPU"),
            required in (metric("CR", "-XHML"), metric("IR", "-XHML"), metric("AR", "-XHML")),
            modified in (
                metric("MAV", "-XNALP"), metric("MVC", "-XHLN"), metric("MVI", "-XHLN"),
                metric("MSI", "-XSHLN"), metric("MSA", "-XSHLN"),
            ),
        ) {
            let (av, ac, at, pr, ui) = base;
            let (vc, vi, va, sc, si, sa) = impact;
            let (cr, ir, ar) = required;
            let (mav, mvc, mvi, msi, msa) = modified;
            let vector = format!(
                "CVSS:4.0{av}{ac}{at}{pr}{ui}{vc}{vi}{va}{sc}{si}{sa}{threat}{cr}{ir}{ar}{mav}{mvc}{mvi}{msi}{msa}"
            );
            prop_assert!(Severity::of_statement("CVSS_V4", &vector).is_some(), "{vector}");
        }

        #[test]
        fn no_text_is_too_much(text in "(CVSS:[2-5].[0-1])?(/?[A-Za-z]{1,3}:[A-Z]{0,2}){0,20}") {
            let _outcome = Severity::of_statement("CVSS", &text);
        }
    }
}
