use crate::documents::prepare;
use assay_claims::kind::vex::Vex;
use assay_claims::purl::Purl;
use assay_claims::vers::{self, Applies};

mod package;

fn products(affected: &str) -> Result<Vec<String>, String> {
    let text = format!(
        r#"{{"id":"GHSA-1","modified":"2026-01-01T00:00:00Z","aliases":["CVE-1"],"affected":[{affected}]}}"#
    );
    let claims = prepare("vex", "r.json", text.as_bytes(), "").map_err(|e| e.place())?;
    let mut products = Vec::new();
    for claim in claims {
        for one in Vex::parse(&claim.predicate).unwrap().statements {
            assert_eq!(
                (one.vulnerability.as_str(), one.aliases.len()),
                ("GHSA-1", 1)
            );
            assert_eq!(one.status.as_str(), "affected");
            products.push(one.products[0].name());
        }
    }
    Ok(products)
}

fn of(ecosystem: &str, name: &str, more: &str) -> Result<Vec<String>, String> {
    products(&format!(
        r#"{{"package":{{"ecosystem":"{ecosystem}","name":"{name}"}}{more}}}"#
    ))
}

fn range(kind: &str, events: &str) -> String {
    format!(r#","ranges":[{{"type":"{kind}","events":[{events}]}}]"#)
}

#[test]
fn ranges_and_versions_are_what_is_affected() {
    let until_2 = r#"{"introduced":"0"},{"fixed":"2.0.0"}"#;
    let twice = r#"{"introduced":"1.0.0"},{"fixed":"1.5.0"},{"introduced":"2.0.0"},{"last_affected":"2.1.0"}"#;
    let grouped =
        r#"{"introduced":"2.0.0"},{"introduced":"1.0.0"},{"fixed":"2.10.0"},{"fixed":"1.5.0"}"#;
    for (ecosystem, more, expected) in [
        (
            "npm",
            range("SEMVER", until_2),
            &["pkg:npm/a?vers=vers:npm%2F%3C2.0.0"][..],
        ),
        (
            "crates.io",
            range("SEMVER", twice),
            &["pkg:cargo/a?vers=vers:cargo%2F%3E%3D1.0.0%7C%3C1.5.0%7C%3E%3D2.0.0%7C%3C%3D2.1.0"],
        ),
        (
            "npm",
            range("SEMVER", r#"{"introduced":"0"}"#),
            &["pkg:npm/a?vers=vers:npm%2F%2A"],
        ),
        (
            "Hex",
            range("SEMVER", until_2),
            &["pkg:hex/a?vers=vers:hex%2F%3C2.0.0"],
        ),
        (
            "npm",
            range("SEMVER", grouped),
            &["pkg:npm/a?vers=vers:npm%2F%3E%3D1.0.0%7C%3C1.5.0%7C%3E%3D2.0.0%7C%3C2.10.0"],
        ),
        (
            "npm",
            range("SEMVER", r#"{"fixed":"1.0.0"},{"introduced":"0"}"#),
            &["pkg:npm/a?vers=vers:npm%2F%3C1.0.0"],
        ),
    ] {
        let products = of(ecosystem, "a", &more).unwrap();
        assert_eq!(products, expected, "{ecosystem} {more}");
    }
}

#[test]
fn ranges_are_joined_and_lists_stand_beside_them() {
    let until_2 = r#"{"introduced":"0"},{"fixed":"2.0.0"}"#;
    let joined = r#"{"introduced":"0"},{"fixed":"1.5.0"},{"introduced":"1.5.0"},{"fixed":"2.0.0"}"#;
    for (ecosystem, more, expected) in [
        // A range that goes on where it ends, and one that begins within another.
        (
            "npm",
            range("SEMVER", joined),
            &["pkg:npm/a?vers=vers:npm%2F%3C2.0.0"][..],
        ),
        (
            "npm",
            range("SEMVER", r#"{"introduced":"0"},{"introduced":"3.0.0"}"#),
            &["pkg:npm/a?vers=vers:npm%2F%2A"],
        ),
        // Of versions in an order that is not known the list alone is taken.
        (
            "PyPI",
            format!(
                r#"{},"versions":["1.0","1.1"]"#,
                range("ECOSYSTEM", until_2)
            ),
            &[
                "pkg:pypi/a?vers=vers:pypi%2F%3C2.0.0",
                "pkg:pypi/a@1.0",
                "pkg:pypi/a@1.1",
            ],
        ),
        (
            "PyPI",
            range("ECOSYSTEM", until_2),
            &["pkg:pypi/a?vers=vers:pypi%2F%3C2.0.0"],
        ),
        ("npm", String::new(), &["pkg:npm/a"]),
    ] {
        let products = of(ecosystem, "a", &more).unwrap();
        assert_eq!(products, expected, "{ecosystem} {more}");
    }
}

/// Which versions were made of commits nobody can tell: neither that all are affected, nor that
/// one is not.
#[test]
fn of_commits_it_cannot_be_told_which_versions_they_are() {
    let commits = range("GIT", r#"{"introduced":"0"},{"fixed":"6f1"}"#);
    for ecosystem in ["npm", "PyPI", "Bioconductor"] {
        let products = of(ecosystem, "a", &commits).unwrap();
        let ty = &ecosystem.to_lowercase();
        assert_eq!(products, [format!("pkg:{ty}/a?vers=commits")]);
        assert_eq!(
            vers::contains(super::COMMITS, ty, "1.0.0"),
            Applies::Undecided
        );
    }
    let text = format!(
        r#"{{"id":"G","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"npm","name":"a"}}{commits}}}]}}"#
    );
    let claims = prepare("vex", "r.json", text.as_bytes(), "").unwrap();
    let mut said = claims[0].summary.iter();
    assert!(said.any(|(_, note)| note.contains("of \"a\" only commits are named")));
    // Versions and other ranges beside them are what is said.
    let listed = format!(r#"{commits},"versions":["1.0"]"#);
    assert_eq!(of("npm", "a", &listed).unwrap(), ["pkg:npm/a@1.0"]);
    // An empty list of ranges names nothing.
    let none = r#","ranges":[],"versions":[]"#;
    assert_eq!(of("npm", "a", none).unwrap(), ["pkg:npm/a"]);
}

#[test]
fn what_is_introduced_and_affected_last_is_one_version() {
    let one = r#"{"introduced":"1.0.0"},{"last_affected":"1.0.0"}"#;
    let more = r#"{"introduced":"0.5.0"},{"fixed":"0.9.0"},"#;
    let goes_on = r#"{"introduced":"0.5.0"},{"fixed":"1.0.0"},"#;
    for (ecosystem, events, expected) in [
        ("npm", one.to_owned(), "npm/a?vers=vers:npm%2F1.0.0"),
        (
            "npm",
            format!("{more}{one}"),
            "npm/a?vers=vers:npm%2F%3E%3D0.5.0%7C%3C0.9.0%7C1.0.0",
        ),
        (
            "npm",
            format!("{goes_on}{one}"),
            "npm/a?vers=vers:npm%2F%3E%3D0.5.0%7C%3C%3D1.0.0",
        ),
        (
            "npm",
            r#"{"introduced":"0"},{"last_affected":"1.0.0"},{"introduced":"1.0.0"}"#.to_owned(),
            "npm/a?vers=vers:npm%2F%2A",
        ),
        // In whatever order its versions are.
        (
            "Bioconductor",
            one.to_owned(),
            "bioconductor/a?vers=vers:bioconductor%2F1.0.0",
        ),
    ] {
        let products = of(ecosystem, "a", &range("ECOSYSTEM", &events)).unwrap();
        assert_eq!(products, [format!("pkg:{expected}")], "{events}");
    }
}

/// OSV schema, "Evaluation": what is before any limit is within all of them.
#[test]
fn the_greatest_limit_counts() {
    for (events, expected) in [
        (
            r#"{"introduced":"0"},{"limit":"2.0.0"},{"limit":"3.0.0"}"#,
            "%3C3.0.0",
        ),
        (
            r#"{"limit":"3.0.0"},{"introduced":"1.0.0"},{"limit":"2.0.0"}"#,
            "%3E%3D1.0.0%7C%3C3.0.0",
        ),
        (
            r#"{"introduced":"0"},{"limit":"2.0.0"},{"limit":"*"}"#,
            "%2A",
        ),
        // A limit is no end behind which something begins.
        (
            r#"{"introduced":"1.0.0"},{"limit":"2.0.0"},{"introduced":"3.0.0"}"#,
            "%3E%3D1.0.0%7C%3C2.0.0",
        ),
        (r#"{"limit":"2.0.0"}"#, "%3C2.0.0"),
    ] {
        let products = of("npm", "a", &range("SEMVER", events)).unwrap();
        assert_eq!(products, [format!("pkg:npm/a?vers=vers:npm%2F{expected}")]);
    }
}

/// Events that are of no version, or of which it cannot be told: neither all versions are affected,
/// nor none.
#[test]
fn events_that_leave_it_open_decide_nothing() {
    let empty = r#"{"introduced":"1.0.0"},{"fixed":"1.0.0"}"#;
    let grouped = r#"{"introduced":"3.0"},{"introduced":"1.0"},{"fixed":"4.0"},{"fixed":"2.0"}"#;
    let limited = r#"{"introduced":"1.0"},{"fixed":"3.0"},{"limit":"2.0"}"#;
    let within = r#"{"introduced":"0"},{"introduced":"3.0"},{"fixed":"4.0"}"#;
    let unpaired = r#"{"introduced":"2.0"},{"introduced":"1.0"},{"fixed":"1.5"}"#;
    let early = r#"{"introduced":"0"},{"fixed":"1.0"},{"fixed":"1.5"}"#;
    for (ecosystem, events, may_go_on) in [
        ("npm", empty, false),
        ("Bioconductor", grouped, true),
        ("Bioconductor", within, true),
        ("Bioconductor", unpaired, true),
        ("Bioconductor", early, false),
        ("Bioconductor", limited, false),
    ] {
        let events = range("ECOSYSTEM", events);
        let ty = &ecosystem.to_lowercase();
        let products = of(ecosystem, "a", &events).unwrap();
        assert_eq!(products, [format!("pkg:{ty}/a?vers=events")]);
        assert_eq!(
            vers::contains(super::EVENTS, ty, "1.0.0"),
            Applies::Undecided
        );
        // What may begin behind every end is not told by a list, which has one.
        let listed = format!(r#"{events},"versions":["1.0"]"#);
        let open = may_go_on.then(|| format!("pkg:{ty}/a?vers=events"));
        let all: Vec<String> = open
            .into_iter()
            .chain([format!("pkg:{ty}/a@1.0")])
            .collect();
        assert_eq!(of(ecosystem, "a", &listed).unwrap(), all);
    }
}

#[test]
fn a_list_ends_and_a_range_without_an_end_does_not() {
    for (events, expected) in [
        (
            r#"{"introduced":"0"},{"fixed":"2"}"#,
            &["pkg:bioconductor/a@1.0"][..],
        ),
        (
            r#"{"introduced":"0"}"#,
            &[
                "pkg:bioconductor/a?vers=vers:bioconductor%2F%2A",
                "pkg:bioconductor/a@1.0",
            ],
        ),
        (
            r#"{"introduced":"1"}"#,
            &[
                "pkg:bioconductor/a?vers=vers:bioconductor%2F%3E%3D1",
                "pkg:bioconductor/a@1.0",
            ],
        ),
    ] {
        let more = format!(r#"{},"versions":["1.0"]"#, range("ECOSYSTEM", events));
        assert_eq!(
            of("Bioconductor", "a", &more).unwrap(),
            expected,
            "{events}"
        );
    }
}

#[test]
fn a_record_that_is_made_of_one_other_is_of_the_same() {
    for (upstream, expected) in [
        (r#""CVE-2""#, &["CVE-1", "CVE-2"][..]),
        (r#""CVE-1""#, &["CVE-1"]),
        (r#""CVE-2","CVE-3""#, &["CVE-1"]),
        ("", &["CVE-1"]),
    ] {
        let text = format!(
            r#"{{"id":"DEBIAN-CVE-1","modified":"2026-01-01T00:00:00Z","aliases":["CVE-1"],"upstream":[{upstream}],"affected":[{{"package":{{"ecosystem":"npm","name":"a"}}}}]}}"#
        );
        let claim = prepare("vex", "r.json", text.as_bytes(), "")
            .unwrap()
            .remove(0);
        let vex = Vex::parse(&claim.predicate).unwrap();
        assert_eq!(vex.statements[0].aliases, expected, "{upstream}");
    }
    let many: Vec<String> = (0..102).map(|i| format!(r#""CVE-{i}""#)).collect();
    let text = format!(
        r#"{{"id":"A","modified":"2026-01-01T00:00:00Z","aliases":[{}],"affected":[]}}"#,
        many.join(",")
    );
    let error = prepare("vex", "r.json", text.as_bytes(), "").unwrap_err();
    assert_eq!(error.place(), "$");
}

#[test]
fn what_is_informational_is_no_vulnerability() {
    let kind = |kind| format!(r#","database_specific":{{"informational":{kind}}}"#);
    for harmless in [r#""unmaintained""#, r#""notice""#] {
        let refused = of("crates.io", "a", &kind(harmless));
        assert_eq!(refused, Err("$".to_owned()), "{harmless}");
    }
    for other in [r#""unsound""#, "null"] {
        let products = of("crates.io", "a", &kind(other)).unwrap();
        assert_eq!(products, ["pkg:cargo/a"], "{other}");
    }
}

#[test]
fn what_is_wrong_is_named() {
    assert_eq!(of("Nowhere", "a", ""), Err("$".into()));
    let path = "$.affected[0].ranges[0]";
    assert_eq!(
        of("npm", "a", &range("TIME", "")),
        Err(format!("{path}.type"))
    );
    assert_eq!(
        of("npm", "a", &range("SEMVER", "")),
        Err(format!("{path}.events"))
    );
    let event = range("SEMVER", r#"{"mended":"1"}"#);
    assert_eq!(of("npm", "a", &event), Err(format!("{path}.events[0]")));
    assert_eq!(of("npm", "", ""), Err("$.affected[0].package.name".into()));
    let many = vec![r#""1.0""#; super::VERSIONS + 1].join(",");
    let error = of("npm", "a", &format!(r#","versions":[{many}]"#));
    assert_eq!(error, Err("$.affected[0].versions".into()));
    let text = r#"{"id":"GHSA-1","modified":"2026-01-01T00:00:00Z","withdrawn":"2026-02-01T00:00:00Z","affected":[]}"#;
    let error = prepare("vex", "r.json", text.as_bytes(), "").unwrap_err();
    assert_eq!(error.place(), "$.withdrawn");
}

/// A purl has room for only so much, of which a long range needs several.
#[test]
fn a_range_that_is_too_long_for_a_purl_is_told_in_parts() {
    let events =
        (0..100).map(|at| format!(r#"{{"introduced":"{at}.1.0"}},{{"fixed":"{at}.2.0"}}"#));
    let events: Vec<String> = events.collect();
    let products = of("npm", "a", &range("SEMVER", &events.join(","))).unwrap();
    assert_eq!(products.len(), 5);
    for (version, expected) in [("1.1.0", 1), ("99.1.9", 1), ("1.2.0", 0), ("100.0.0", 0)] {
        let ranges = products.iter().map(|product| {
            let purl = Purl::canonicalize(product).unwrap();
            let range = purl.qualifier(vers::QUALIFIER).unwrap().to_owned();
            vers::contains(&range, "npm", version)
        });
        let within = ranges.filter(|applies| *applies == Applies::Yes);
        assert_eq!(within.count(), expected, "{version}");
    }
    // One alone that is too long decides nothing.
    let long = format!(r#"{{"introduced":"1.0.0-{}"}}"#, "a".repeat(3000));
    let products = of("npm", "a", &range("SEMVER", &long)).unwrap();
    assert_eq!(products, ["pkg:npm/a?vers=long"]);
    assert_eq!(vers::contains("long", "npm", "1.1.0"), Applies::Undecided);
}

/// As the databases of Python and R have their records. What YAML takes for a number is a version
/// as it is written.
#[test]
fn a_record_can_be_written_in_yaml() {
    let text = "id: RSEC-2099-1\nsummary: Reads beyond\n  the end\naffected:\n- package:\n\
        \x20   name: a\n\
        \x20   ecosystem: CRAN\n  ranges:\n  - type: ECOSYSTEM\n    events:\n    - introduced: 0\n\
        \x20   - fixed: 1.10\n  versions:\n  - 0.90\n  - \"1.0\"\nreferences:\n- type: WEB\n\
        \x20 url: https://e.test\nmodified: 2026-01-01T00:00:00.600Z\naliases: [CVE-2099-1]\n";
    for text in [text.to_owned(), text.replace('\n', "\r\n")] {
        let claims = prepare("vex", "r.yaml", text.as_bytes(), "").unwrap();
        let vex = Vex::parse(&claims[0].predicate).unwrap();
        let named = vex.statements.iter().map(|one| one.products[0].name());
        let expected = [
            "pkg:cran/a?vers=vers:cran%2F%3C1.10",
            "pkg:cran/a@0.90",
            "pkg:cran/a@1.0",
        ];
        assert_eq!(named.collect::<Vec<_>>(), expected);
        assert_eq!(vex.statements[0].aliases, ["CVE-2099-1"]);
        let json = claims[0].predicate.to_json();
        assert!(json.contains("Reads beyond the end"), "{json}");
    }
    let other = prepare("vex", "r.yaml", b"id: 1\nname: x\n", "").unwrap_err();
    assert!(other.to_string().contains("expected a value"), "{other}");
}
