use super::*;
use assay_claims::json;
use assay_policy::rules::{Outcome, Policy, STARTING};

/// 2026-01-15, in milliseconds.
const NOW_MS: u64 = 1_768_435_200_000;

fn evaluate(condition: &str, predicate: &str) -> Result<bool, String> {
    let compiled = Cel
        .compile(condition)
        .unwrap_or_else(|e| panic!("{condition}: {e}"));
    let predicate = json::parse(predicate.as_bytes()).unwrap();
    let claim = json::parse(
        br#"{"type":"urn:assay:audit:v1","kind":"audit","issuer":"ab","roles":["auditor"],"age_days":7,"leaf":3,"log":"l"}"#,
    );
    let component =
        json::parse(br#"{"purl":"pkg:cargo/a@1","type":"cargo","name":"a","version":"1"}"#)
            .unwrap();
    compiled.holds(Variables {
        predicate: &predicate,
        claim: &claim.unwrap(),
        component: &component,
    })
}

fn refused(condition: &str) -> String {
    Cel.compile(condition)
        .err()
        .unwrap_or_else(|| panic!("{condition} compiles"))
}

#[test]
fn conditions_see_predicate_claim_and_component() {
    let predicate = r#"{"verdict":"pass","criteria":["a","b"],"n":3,"x":1.5,"big":18446744073709551615,
        "results":[{"id":"A","severity":[{"score":"9"}]},{"id":"B","severity":[]}]}"#;
    for (condition, expected) in [
        (r#"predicate.verdict == "pass""#, true),
        (
            r#"predicate.verdict == 'fail' || "b" in predicate.criteria"#,
            true,
        ),
        ("claim.age_days <= 7 && claim.leaf == 3", true),
        (r#"claim.kind == "audit" && "auditor" in claim.roles"#, true),
        (
            r#"component.name == "a" && component.purl.startsWith("pkg:cargo/")"#,
            true,
        ),
        (
            "predicate.n > 2 && predicate.x < 2.0 && size(predicate.criteria) == 2",
            true,
        ),
        ("has(predicate.missing) && predicate.missing == 1", false),
        (
            r#"predicate.results.exists(r, r.severity.exists(s, s.score == "9"))"#,
            true,
        ),
        ("predicate.results.all(r, size(r.severity) > 0)", false),
        (r#"predicate.results.exists_one(r, r.id == "B")"#, true),
        (r#"predicate["verdict"] == "pass" ? !false : false"#, true),
        (
            "predicate.results[0].severity.exists(s, has(s.score))",
            true,
        ),
        ("true", true),
    ] {
        assert_eq!(evaluate(condition, predicate), Ok(expected), "{condition}");
    }
}

#[test]
fn what_cannot_be_decided_is_an_error_and_never_true() {
    for (condition, words) in [
        ("predicate.missing == 1", "no field \"missing\""),
        ("predicate.a.b.c", "no field"),
        ("predicate", "neither true nor false"),
        ("size(predicate)", "neither true nor false"),
        ("1 / claim.leaf == 0 && 1 / 0 == 1", ""),
        ("predicate.text > 3", ""),
        ("9223372036854775807 + claim.leaf > 0", ""),
        ("predicate.list[7] == 1", ""),
    ] {
        let error = evaluate(condition, r#"{"text":"x","list":[]}"#).unwrap_err();
        assert!(
            error.contains(words) && !error.contains('\n'),
            "{condition}: {error}"
        );
    }
}

#[test]
fn what_is_unknown_or_unbounded_is_refused() {
    for (condition, words) in [
        ("", "CEL"),
        ("predicate.", "CEL"),
        ("predicate == ", "CEL"),
        ("foo == 1", "names \"foo\""),
        ("matches(claim.log, 'a+')", "calls \"matches\""),
        ("claim.log.matches('(a+)+$')", "calls \"matches\""),
        (
            "timestamp('2026-01-01T00:00:00Z') < timestamp('2027-01-01T00:00:00Z')",
            "calls \"timestamp\"",
        ),
        ("now() > 1", "calls \"now\""),
        ("size(predicate.l.map(x, x + x)) > 1", "map or filter"),
        ("size(predicate.l.filter(x, true)) > 1", "map or filter"),
        (
            "[1, 2].exists(x, x == 1)",
            "loops over something that it makes",
        ),
        (
            "predicate.l.exists(x, predicate.l.exists(y, x == y))",
            "loop within a loop",
        ),
        (
            "predicate.l.exists(x, x.m.exists(y, x.m.exists(z, z == y)))",
            "loop within a loop",
        ),
        (
            "predicate.l.exists(x, predicate.l[x].exists(y, y == 1))",
            "loop within a loop",
        ),
        ("Foo{a: 1} == 1", ""),
    ] {
        let error = refused(condition);
        assert!(
            error.replace("loops within", "loop within").contains(words),
            "{condition}: {error}"
        );
    }
    assert!(refused(&"!".repeat(CONDITION_BYTES + 1)).contains("longer"));
}

#[test]
fn no_text_overflows_the_stack_or_panics() {
    for (open, close) in [
        ("(", ")"),
        ("[", "]"),
        ("!", ""),
        ("-", ""),
        ("predicate.a.exists(x, ", ")"),
        ("{1:", "}"),
    ] {
        for n in [20, 90, CONDITION_BYTES / (open.len() + close.len()) - 4] {
            let _outcome = Cel.compile(&format!("{}true{}", open.repeat(n), close.repeat(n)));
        }
    }
    for text in [
        "\u{0}", "\"", "'", "r'", "b'\\x", "1e999999", "0xg", "a.b.", "?:", "\u{202e}", "in in in",
        "{[(",
    ] {
        let _outcome = Cel.compile(text);
    }
    let large: Vec<String> = (0..8000).map(|i| i.to_string()).collect();
    let predicate = format!(r#"{{"l":[{}]}}"#, large.join(","));
    assert_eq!(
        evaluate("predicate.l.exists(x, x == -1)", &predicate),
        Ok(false)
    );
}

#[test]
fn the_starting_policy_reads_and_its_examples_hold() {
    let policy = Policy::parse(STARTING, &Cel).unwrap();
    let outcomes = assay_policy::verdict::run_examples(&policy, NOW_MS);
    assert!(outcomes.len() >= 4);
    for outcome in outcomes {
        assert!(
            outcome.is_as_expected(),
            "{}: {:#?}",
            outcome.name,
            outcome.verdict
        );
    }
}

/// Every example that the starting policy holds as a note is one, too.
#[test]
fn the_examples_in_the_notes_of_the_starting_policy_read() {
    let (mut text, mut asked) = (String::from("version = 1\n"), 0);
    let note = STARTING.split("# [[require]]").nth(1).unwrap();
    text.push_str("[[require]]");
    for line in note
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or_default())
        .take_while(|l| !l.starts_with("--"))
    {
        asked += usize::from(line.contains(" = "));
        text.push_str(line);
        text.push('\n');
    }
    let policy = Policy::parse(&text, &Cel).unwrap_or_else(|e| panic!("{e}\n{text}"));
    assert!(asked >= 8 && crate::report::words::explain(&policy, NOW_MS).len() > 3);
    assert_eq!(
        assay_policy::verdict::run_examples(&policy, NOW_MS).len(),
        0
    );
    assert!(Outcome::Fine.is_met());
}
