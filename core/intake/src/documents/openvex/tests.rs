use crate::documents::prepare;
use assay_claims::kind::check;
use assay_claims::kind::vex::Vex;

const NEW: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/v","author":"A","version":1,
    "timestamp":"2026-01-01T00:00:00Z","statements":[
    {"vulnerability":{"name":"CVE-1"},"status":"not_affected","justification":"component_not_present","products":[
      {"@id":"pkg:cargo/a@1","subcomponents":[{"@id":"pkg:cargo/b"}]},
      {"identifiers":{"purl":"pkg:cargo/c@1"},"hashes":{"sha-256":"0000000000000000000000000000000000000000000000000000000000000000"}}]},
    {"vulnerability":{"name":"CVE-2"},"status":"affected","action_statement":"update","timestamp":"2026-01-02T00:00:00Z"}]}"#;

const OLD: &str = r#"{"@context":"https://openvex.dev/ns","@id":"https://e.org/v","author":"A","version":"1",
    "timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":"CVE-1","products":["pkg:cargo/a@1"],"status":"fixed"}]}"#;

#[test]
fn the_type_is_the_context_of_the_document() {
    for (text, predicate_type, subjects) in [
        (NEW, "https://openvex.dev/ns/v0.2.0", 2),
        (OLD, "https://openvex.dev/ns", 1),
    ] {
        let prepared = prepare("vex", "v.json", text.as_bytes(), "")
            .unwrap()
            .remove(0);
        assert_eq!(prepared.predicate_type, predicate_type);
        assert_eq!(
            prepared.predicate,
            assay_claims::json::parse(text.as_bytes()).unwrap()
        );
        assert_eq!(prepared.subjects.len(), subjects);
        check(predicate_type, &prepared.predicate).unwrap();
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (from, to, place) in [
        ("openvex.dev/ns/v0.2.0", "openvex.dev/ns/v9", "$.@context"),
        (r#""@id":"https"#, r#""id":"https"#, "$.@id"),
        (r#""author":"A""#, r#""author":"""#, "$.author"),
        (r#""version":1"#, r#""version":0"#, "$.version"),
        (
            r#""timestamp":"2026-01-01T00:00:00Z","#,
            "",
            "$.statements[0]",
        ),
        (
            r#""2026-01-02T00:00:00Z""#,
            r#""soon""#,
            "$.statements[1].timestamp",
        ),
        (
            r#"{"name":"CVE-1"}"#,
            "{}",
            "$.statements[0].vulnerability.name",
        ),
        (
            r#""status":"affected""#,
            r#""status":"ok""#,
            "$.statements[1].status",
        ),
        (
            r#","justification":"component_not_present""#,
            "",
            "$.statements[0]",
        ),
        (
            r#""component_not_present""#,
            r#""trust me""#,
            "$.statements[0].justification",
        ),
        (
            r#"{"@id":"pkg:cargo/b"}"#,
            "{}",
            "$.statements[0].products[0].subcomponents[0]",
        ),
    ] {
        assert!(NEW.contains(from), "{from}");
        let error = prepare("vex", "v.json", NEW.replacen(from, to, 1).as_bytes(), "").unwrap_err();
        assert_eq!(error.place(), place, "{error}");
    }
    let none = r#"{"@context":"https://openvex.dev/ns","@id":"i","author":"A","timestamp":"2026-01-01T00:00:00Z","statements":[]}"#;
    assert_eq!(
        prepare("vex", "v.json", none.as_bytes(), "")
            .unwrap_err()
            .place(),
        "$.statements"
    );
}

#[test]
fn what_may_narrow_a_statement_that_clears_is_read_or_refused() {
    let said = |statement: &str| {
        let document = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.0.1","@id":"i","author":"A","timestamp":"2026-01-01T00:00:00Z","statements":[{{"vulnerability":"CVE-1",{statement}}}]}}"#
        );
        prepare("vex", "v.json", document.as_bytes(), "")
    };
    let product = r#""products":["pkg:npm/app@1"],"subcomponents":["pkg:npm/lib@1"]"#;
    let claim = said(&format!(r#"{product},"status":"fixed""#))
        .unwrap()
        .remove(0);
    let vex = Vex::parse(&claim.predicate).unwrap();
    assert_eq!(
        vex.statements[0].products[0].parts[0].name(),
        "pkg:npm/lib@1"
    );
    let at = "$.statements[0]";
    for (statement, place) in [
        (r#""subcomponents":["pkg:npm/lib@1"]"#, ".subcomponents"),
        (
            r#""products":["a"],"subcomponents":"pkg:npm/lib@1""#,
            ".subcomponents",
        ),
        (
            r#""products":["a"],"subcomponents":[{}]"#,
            ".subcomponents[0]",
        ),
        (r#""products":["a"],"components":["pkg:npm/lib@1"]"#, ""),
        (
            r#""products":[{"@id":"a","versions":"<2"}]"#,
            ".products[0]",
        ),
        (
            r#""products":[{"@id":"a","subcomponents":[{"@id":"b","subcomponents":[]}]}]"#,
            ".products[0].subcomponents[0]",
        ),
    ] {
        for status in ["fixed", "not_affected"] {
            let why = r#""justification":"component_not_present""#;
            let error = said(&format!(r#"{statement},"status":"{status}",{why}"#)).unwrap_err();
            assert_eq!(error.place(), format!("{at}{place}"), "{error}");
        }
    }
    // Against something it counts, and whoever publishes it is told.
    let statement =
        r#""products":["a"],"versions":"<2","status":"affected","action_statement":"a""#;
    let claim = said(statement).unwrap().remove(0);
    let note = r#""versions" is no member of OpenVEX, and is not read"#;
    assert!(claim.summary.iter().any(|(_, text)| text == note));
}

/// A purl without a version is of every version, and the CPE beside it of one.
#[test]
fn identifiers_of_several_versions_clear_nothing() {
    let said = |product: &str, status: &str| {
        let document = format!(
            r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"i","author":"A","timestamp":"2026-01-01T00:00:00Z","statements":[{{"vulnerability":{{"name":"CVE-1"}},"products":[{product}],"status":"{status}","impact_statement":"i"}}]}}"#
        );
        prepare("vex", "v.json", document.as_bytes(), "")
    };
    let cpe =
        |id: &str, cpe: &str| format!(r#"{{"@id":"{id}","identifiers":{{"cpe23":"{cpe}"}}}}"#);
    let (two, any) = (
        "cpe:2.3:a:e:a:2.0.0:*:*:*:*:*:*:*",
        "cpe:2.3:a:e:a:*:*:*:*:*:*:*:*",
    );
    let twice =
        |other: &str| format!(r#"{{"@id":"pkg:npm/a@2.0.0","identifiers":{{"purl":"{other}"}}}}"#);
    for (product, is_one) in [
        (cpe("pkg:npm/a", two), false),
        (cpe("pkg:npm/a@1.0.0", two), false),
        (cpe("pkg:npm/a@2.0.0", two), true),
        (cpe("pkg:npm/a", any), true),
        (cpe("https://e.org/a", two), true),
        (twice("pkg:npm/a"), false),
        (twice("pkg:npm/a@1.0.0"), false),
        (twice("pkg:npm/a@2.0.0?download_url=x"), true),
        (twice("pkg:oci/a"), true),
    ] {
        for (product, place) in [
            (
                format!(r#"{{"@id":"pkg:npm/app@1","subcomponents":[{product}]}}"#),
                "$.statements[0].products[0].subcomponents[0]",
            ),
            (product, "$.statements[0].products[0]"),
        ] {
            for status in ["not_affected", "fixed"] {
                match said(&product, status) {
                    Ok(_) => assert!(is_one, "{product}"),
                    Err(e) => {
                        assert!(
                            !is_one && e.to_string().contains("write the version"),
                            "{e}"
                        );
                        assert_eq!(e.place(), place);
                    }
                }
            }
            // Against something it counts.
            said(&product, "affected").unwrap();
        }
    }
}

#[test]
fn a_document_that_does_not_fit_becomes_several_claims_and_loses_nothing() {
    let statement = |i: usize, status: &str| {
        format!(
            r#"{{"vulnerability":"CVE-2026-{i:04}","products":["pkg:npm/p{i}@1"],"status":"{status}","impact_statement":"{}","action_statement":"a"}}"#,
            "x".repeat(100)
        )
    };
    let many: Vec<String> = (0..300)
        .map(|i| {
            statement(
                i,
                if i % 2 == 0 {
                    "affected"
                } else {
                    "not_affected"
                },
            )
        })
        .collect();
    let products: Vec<String> = (0..900).map(|i| format!(r#""pkg:npm/q{i}@1""#)).collect();
    for (statements, count) in [
        (many.join(","), 300),
        (
            statement(7, "affected").replace(r#""pkg:npm/p7@1""#, &products.join(",")),
            900,
        ),
    ] {
        let text = format!(
            r#"{{"@context":"https://openvex.dev/ns","@id":"i","author":"A","version":2,"timestamp":"2026-01-01T00:00:00Z","statements":[{statements}]}}"#
        );
        let claims = prepare("vex", "v.json", text.as_bytes(), "").unwrap();
        assert!(claims.len() > 1);
        let mut notes = claims[0].summary.iter();
        assert!(notes.any(|(_, note)| note.contains("a later version of the document")));
        let mut said = 0;
        for claim in &claims {
            check(&claim.predicate_type, &claim.predicate).unwrap();
            assert_eq!(claim.attachment.as_ref().unwrap().bytes, text);
            let vex = Vex::parse(&claim.predicate).unwrap();
            let products = vex.statements.iter().map(|one| one.products.len());
            said += products.sum::<usize>();
            assert!(claim.subjects.len() <= 100 && vex.id == "i");
        }
        assert_eq!(said, count);
    }
}

/// What govulncheck writes (golang/vuln, `internal/openvex/handler.go`): no action of what is
/// affected, and products that are to be named by whoever publishes it.
const OF_GOVULNCHECK: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"govulncheck/vex:0a",
    "author":"Unknown Author","timestamp":"2026-01-01T00:00:00.1Z","version":1,
    "tooling":"https://pkg.go.dev/golang.org/x/vuln/cmd/govulncheck","statements":[
    {"vulnerability":{"@id":"https://pkg.go.dev/vuln/GO-1","name":"GO-1","description":"d","aliases":["CVE-1"]},
     "products":[{"@id":"Unknown Product"}],"status":"affected"},
    {"vulnerability":{"name":"GO-2"},"products":[{"@id":"Unknown Product"}],"status":"not_affected",
     "justification":"vulnerable_code_not_present","impact_statement":"not called"}]}"#;

#[test]
fn what_is_affected_counts_though_nothing_is_said_of_what_to_do() {
    let affected = r#""status":"affected""#;
    for (more, notes) in [
        ("", 1),
        (r#","action_statement":null"#, 1),
        (r#","action_statement":"update""#, 0),
    ] {
        let text = OF_GOVULNCHECK.replacen(affected, &format!("{affected}{more}"), 1);
        let claim = prepare("vex", "v.json", text.as_bytes(), "")
            .unwrap()
            .remove(0);
        check(&claim.predicate_type, &claim.predicate).unwrap();
        let vex = Vex::parse(&claim.predicate).unwrap();
        let said: Vec<_> = vex
            .statements
            .iter()
            .map(|one| one.status.as_str())
            .collect();
        assert_eq!(said, ["affected", "not_affected"], "{more}");
        let told = claim.summary.iter();
        let told = told.filter(|(_, text)| text.contains("The document states no action."));
        assert_eq!(told.count(), notes, "{more}");
    }
    let empty = OF_GOVULNCHECK
        .split_once(r#","statements""#)
        .unwrap()
        .0
        .to_owned()
        + "}";
    let refused = prepare("vex", "v.json", empty.as_bytes(), "").unwrap_err();
    assert!(
        refused.to_string().contains("holds no statement"),
        "{refused}"
    );
}

#[test]
fn a_context_may_be_spelled_otherwise() {
    for (context, expected) in [
        ("https://openvex.dev/ns/", "https://openvex.dev/ns"),
        (
            "https://openvex.dev/ns/v0.2.0/",
            "https://openvex.dev/ns/v0.2.0",
        ),
        (
            "http://openvex.dev/ns/v0.0.1#",
            "https://openvex.dev/ns/v0.0.1",
        ),
    ] {
        let text = OLD.replace(r#""https://openvex.dev/ns""#, &format!("\"{context}\""));
        let claim = prepare("vex", "v.json", text.as_bytes(), "")
            .unwrap()
            .remove(0);
        assert_eq!(claim.predicate_type, expected);
        check(expected, &claim.predicate).unwrap();
    }
    for context in [
        "https://openvex.dev/ns/v0.2",
        "https://openvex.dev/nsx",
        "http://openvex.dev",
    ] {
        let text = OLD.replace("https://openvex.dev/ns", context);
        assert!(
            prepare("vex", "v.json", text.as_bytes(), "").is_err(),
            "{context}"
        );
    }
}

/// JSON-LD has contexts in lists, too.
#[test]
fn a_context_may_stand_in_a_list() {
    let with = |context: &str| {
        let text = NEW.replacen("\"https://openvex.dev/ns/v0.2.0\"", context, 1);
        prepare("vex", "v.json", text.as_bytes(), "")
    };
    for context in [
        r#"["https://openvex.dev/ns/v0.2.0"]"#,
        r#"["http://openvex.dev/ns/v0.2.0/"]"#,
        r#"["https://e.org/own",{"own":"https://e.org/own#"},"https://openvex.dev/ns/v0.2.0"]"#,
    ] {
        let claim = with(context).unwrap().remove(0);
        assert_eq!(claim.predicate_type, "https://openvex.dev/ns/v0.2.0");
        let whole = assay_claims::json::parse(NEW.as_bytes()).unwrap();
        assert_eq!(claim.predicate, whole, "{context}");
    }
    for context in [
        r#"["https://openvex.dev/ns/v9"]"#,
        r#"["https://openvex.dev/ns","https://openvex.dev/ns/v0.2.0"]"#,
        r#"["https://e.org/own"]"#,
        "[]",
    ] {
        assert!(with(context).is_err(), "{context}");
    }
}
