use crate::documents::prepare;
use assay_claims::kind::check;

const NOW: &str = "2026-11-22T18:41:48Z";

const LOG: &str = r#"{"version":"2.1.0","runs":[{"tool":{"driver":{"name":"Lint er","semanticVersion":"1.2.3","rules":[
        {"id":"R0","defaultConfiguration":{"level":"error"},"properties":{"security-severity":"8.1"}}]}},
        "versionControlProvenance":[{"repositoryUri":"https://example.org/r","revisionId":"d20ace7968ba43c0219f62d71334c1095bab1602"}],
        "invocations":[{"executionSuccessful":true,"startTimeUtc":"2020-01-01T00:00:00Z","endTimeUtc":"2020-01-01T00:00:09Z"}],
        "results":[
          {"ruleIndex":0,"message":{"text":"a"},"locations":[{"physicalLocation":{"artifactLocation":{"uri":"a.c"},"region":{"startLine":3}}}]},
          {"ruleId":"R1","message":{"text":"b"},"suppressions":[{"kind":"inSource"}]},
          {"ruleId":"R2","kind":"pass","level":"none","message":{"text":"c"}}]}]}"#;

#[test]
fn a_run_becomes_a_claim() {
    let prepared = prepare("scan", "x.sarif", LOG.as_bytes(), NOW)
        .unwrap()
        .remove(0);
    check(&prepared.predicate_type, &prepared.predicate).unwrap();
    let text = prepared.predicate.to_json();
    let expected = concat!(
        r#"{"scanner":{"uri":"urn:assay:tool:Lint%20er","version":"1.2.3","result":["#,
        r#"{"id":"R0","severity":[{"method":"sarif-level","score":"error"},{"method":"security-severity","score":"8.1"}],"#,
        r#""annotations":[{"location":"a.c","line":3}]},"#,
        r#"{"id":"R1","severity":[{"method":"sarif-level","score":"warning"}],"annotations":[{"kind":"fail","suppressed":true}]}]},"#,
        r#""metadata":{"scanStartedOn":"2020-01-01T00:00:00Z","scanFinishedOn":"2020-01-01T00:00:09Z","timeSource":"document"},"#,
    );
    assert!(text.starts_with(expected), "{text}");
    assert_eq!(
        prepared.subjects[0].digests(),
        [(
            "gitCommit".into(),
            "d20ace7968ba43c0219f62d71334c1095bab1602".into()
        )]
    );
}

#[test]
fn a_run_without_a_whole_result_is_only_referenced() {
    for (from, to) in [
        (
            r#""executionSuccessful":true"#,
            r#""executionSuccessful":false"#,
        ),
        (r#""results""#, r#""no""#),
        (r#""ruleIndex":0,"#, ""),
        (r#""ruleIndex":0,"#, r#""ruleIndex":1,"#),
    ] {
        let prepared = prepare("scan", "x.sarif", LOG.replacen(from, to, 1).as_bytes(), NOW)
            .unwrap()
            .remove(0);
        assert_eq!(
            prepared.predicate_type,
            "https://in-toto.io/attestation/reference/v0.1"
        );
        assert!(prepared.attachment.is_some());
    }
}

#[test]
fn what_is_wrong_is_named() {
    for (from, to, place) in [
        (r#""version":"2.1.0""#, r#""version":"1.0.0""#, "$.version"),
        (r#""name":"Lint er","#, "", "$.runs[0].tool.driver.name"),
        (
            r#""endTimeUtc":"2020"#,
            r#""endTimeUtc":"2019"#,
            "$.runs[0].invocations[0]",
        ),
        (
            r#""ruleId":"R1""#,
            r#""ruleId":"""#,
            "$.runs[0].results[1].ruleId",
        ),
        (
            r#""message":{"text":"b"},"#,
            "",
            "$.runs[0].results[1].message",
        ),
        (
            r#""kind":"pass""#,
            r#""kind":"maybe""#,
            "$.runs[0].results[2].kind",
        ),
    ] {
        let error =
            prepare("scan", "x.sarif", LOG.replacen(from, to, 1).as_bytes(), NOW).unwrap_err();
        assert_eq!(error.place(), place, "{error}");
    }
}
