use crate::documents::prepare;
use assay_claims::kind::check;
use assay_claims::kind::scan::Vulns;

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
        r#""metadata":{"scanStartedOn":"2020-01-01T00:00:00Z","scanFinishedOn":"2020-01-01T00:00:09Z","timeSource":"document","knownVulnerabilities":false},"#,
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
    for (from, to) in [(r#""results""#, r#""no""#), (r#""ruleId":"R1","#, "")] {
        let log = LOG.replacen(r#""ruleIndex":0,"#, "", 1);
        let prepared = prepare("scan", "x.sarif", log.replacen(from, to, 1).as_bytes(), NOW)
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
fn a_result_without_a_rule_drops_no_other() {
    for to in ["", r#""ruleIndex":1,"#] {
        let log = LOG.replacen(r#""ruleIndex":0,"#, to, 1);
        let prepared = prepare("scan", "x.sarif", log.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        let read = Vulns::parse(&prepared.predicate).unwrap();
        assert!(!read.is_complete);
        let ids: Vec<&str> = read.vulnerabilities.iter().map(|one| &*one.id).collect();
        assert_eq!(ids, ["R1"]);
    }
}

#[test]
fn a_rule_that_is_named_after_a_vulnerability_is_that() {
    for (rule, alias) in [
        ("CVE-2021-44228-log4j-core", &["CVE-2021-44228"][..]),
        ("CVE-2021-44228", &[]),
    ] {
        let log = LOG.replacen("R1", rule, 1);
        let prepared = prepare("scan", "x.sarif", log.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        let read = Vulns::parse(&prepared.predicate).unwrap();
        assert_eq!(read.vulnerabilities[1].aliases, alias);
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

/// The severities that a result has, as method and score, of a log with these extensions and this
/// result.
fn severities(result: &str) -> Vec<String> {
    let log = format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{
            "driver":{{"name":"d","rules":[
              {{"id":"D/low","guid":"g0","properties":{{"security-severity":"1.5"}}}},
              {{"id":"both","properties":{{"security-severity":"2.5"}}}}]}},
            "extensions":[
              {{"name":"one","guid":"c1","rules":[
                {{"id":"E/high","guid":"g1","properties":{{"security-severity":"8.5"}}}},
                {{"id":"both","properties":{{"security-severity":"9.5"}}}}]}},
              {{"name":"two","rules":[{{"id":"E/low","properties":{{"security-severity":0.5}}}}]}}]}},
            "results":[{result}]}}]}}"#
    );
    let prepared = prepare("scan", "x.sarif", log.as_bytes(), NOW).unwrap();
    let severity = prepared[0]
        .predicate
        .pointer("/scanner/result/0/severity")
        .and_then(assay_claims::json::Value::as_array)
        .unwrap_or_default();
    let scores = severity.iter().skip(1);
    scores
        .map(|severity| severity.get("score").unwrap().as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn the_severity_is_that_of_the_rule_that_is_named() {
    for (named, scores) in [
        (r#""ruleId":"D/low""#, &["1.5"][..]),
        // An index into the list of a component, and one that leads to another rule.
        (r#""ruleId":"E/high","ruleIndex":0"#, &["8.5"]),
        (
            r#""rule":{"id":"E/high","index":0,"toolComponent":{"index":0}}"#,
            &["8.5"],
        ),
        (
            r#""rule":{"index":0,"toolComponent":{"index":1}}"#,
            &["0.5"],
        ),
        (
            r#""ruleId":"E/high","rule":{"index":1,"toolComponent":{"index":0}}"#,
            &["8.5"],
        ),
        // A component by its GUID or its name, and one that does not exist.
        (
            r#""rule":{"index":0,"toolComponent":{"guid":"c1"}}"#,
            &["8.5"],
        ),
        (
            r#""rule":{"index":0,"toolComponent":{"name":"two"}}"#,
            &["0.5"],
        ),
        (
            r#""ruleId":"E/high","rule":{"index":0,"toolComponent":{"index":9}}"#,
            &["8.5"],
        ),
        (
            r#""rule":{"guid":"g1","toolComponent":{"index":0}}"#,
            &["8.5"],
        ),
        // A name that goes on after its rule's.
        (r#""ruleId":"E/high/here/too""#, &["8.5"]),
        (r#""ruleId":"E/high/here","ruleIndex":0"#, &["8.5"]),
        (r#""ruleId":"D/low/here","ruleIndex":0"#, &["1.5"]),
        (r#""ruleId":"D/lower","ruleIndex":0"#, &[]),
        // One name in two components: the one that is meant, or both.
        (
            r#""rule":{"id":"both","toolComponent":{"index":0}}"#,
            &["9.5"],
        ),
        (
            r#""rule":{"id":"both","toolComponent":{"index":1}}"#,
            &["2.5", "9.5"],
        ),
        // What the result itself says.
        (
            r#""ruleId":"D/low","properties":{"security-severity":"7.0"}"#,
            &["1.5", "7.0"],
        ),
        (r#""ruleId":"nobody says more of it""#, &[]),
    ] {
        let result = format!(r#"{{{named},"message":{{"text":"a"}}}}"#);
        assert_eq!(severities(&result), scores, "{named}");
    }
}

#[test]
fn what_is_gone_is_not_found_and_what_is_suppressed_is() {
    let with = |more: &str| {
        let result = r#""ruleId":"R1","message":{"text":"b"},"suppressions":[{"kind":"inSource"}]"#;
        let result = format!("{}{more}", result.split(",\"supp").next().unwrap());
        let original =
            r#""ruleId":"R1","message":{"text":"b"},"suppressions":[{"kind":"inSource"}]"#;
        let log = LOG.replacen(original, &result, 1);
        let prepared = prepare("scan", "x.sarif", log.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        let text = prepared.predicate.to_json();
        (
            text.contains(r#""id":"R1""#),
            text.contains(r#""suppressed":true"#),
        )
    };
    for (more, found, suppressed) in [
        ("", true, false),
        (r#","baselineState":"absent""#, false, false),
        (r#","baselineState":"unchanged""#, true, false),
        (r#","baselineState":"existing""#, true, false),
        (r#","suppressions":[]"#, true, false),
        (
            r#","suppressions":[{"kind":"external","status":"accepted"}]"#,
            true,
            true,
        ),
        (
            r#","suppressions":[{"kind":"external","status":"rejected"}]"#,
            true,
            false,
        ),
        (
            r#","suppressions":[{"kind":"external"},{"status":"underReview"}]"#,
            true,
            false,
        ),
    ] {
        assert_eq!(with(more), (found, suppressed), "{more}");
    }
}

#[test]
fn a_run_with_errors_of_its_own_did_not_end_well() {
    let error = r#"[{"level":"error","message":{"text":"the database could not be read"}}]"#;
    for (said, is_whole) in [
        (format!(r#""toolExecutionNotifications":{error}"#), false),
        (
            format!(r#""toolConfigurationNotifications":{error}"#),
            false,
        ),
        (
            format!(r#""toolExecutionNotifications":{error}"#).replace("error", "note"),
            true,
        ),
        (r#""exitSignalNumber":9"#.to_owned(), false),
        (
            r#""processStartFailureMessage":"not found""#.to_owned(),
            false,
        ),
        (r#""toolExecutionNotifications":[]"#.to_owned(), true),
    ] {
        let run = |results: &str| {
            let text = format!(
                r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"t"}}}},"results":[{results}],
                    "invocations":[{{"executionSuccessful":true,{said}}}]}}]}}"#
            );
            prepare("scan", "x.sarif", text.as_bytes(), NOW)
                .unwrap()
                .remove(0)
        };
        let is_scan = run("").predicate_type.contains("/vulns/");
        assert_eq!(is_scan, is_whole, "{said}");
        let found = run(r#"{"ruleId":"R1","message":{"text":"b"}}"#).predicate;
        assert_eq!(
            Vulns::parse(&found).unwrap().is_complete,
            is_whole,
            "{said}"
        );
    }
}

#[test]
fn what_a_failed_run_found_counts_and_it_is_not_whole() {
    let failed = LOG.replacen(r#"Successful":true"#, r#"Successful":false"#, 1);
    let prepared = prepare("scan", "x.sarif", failed.as_bytes(), NOW)
        .unwrap()
        .remove(0);
    let text = prepared.predicate.to_json();
    assert!(
        text.contains(r#""id":"R0""#) && text.contains(r#""complete":false"#),
        "{text}"
    );
    assert!(
        prepared
            .summary
            .iter()
            .any(|(_, note)| note.contains("did not end well"))
    );
    let whole = prepare("scan", "x.sarif", LOG.as_bytes(), NOW)
        .unwrap()
        .remove(0);
    assert!(!whole.predicate.to_json().contains("complete"));
    // Without a finding nothing is left that counts.
    let empty = failed.replace(r#""kind":"pass""#, r#""kind":"informational""#);
    let (before, _) = empty.split_once(r#""results":["#).unwrap();
    let empty = format!(r#"{before}"results":[]}}]}}"#);
    let prepared = prepare("scan", "x.sarif", empty.as_bytes(), NOW)
        .unwrap()
        .remove(0);
    assert_eq!(
        prepared.predicate_type,
        "https://in-toto.io/attestation/reference/v0.1"
    );
}

/// A linter that found nothing says nothing of what is known.
#[test]
fn only_scanners_of_dependencies_say_that_nothing_is_known() {
    let cve = r#"{"ruleId":"CVE-2021-44228-log4j","message":{"text":"a"}}"#;
    let smell = r#"{"ruleId":"no-eval","message":{"text":"a"}}"#;
    for (name, results, expected) in [
        ("ESLint", "", false),
        ("ESLint", smell, false),
        ("Made at home", cve, true),
        ("grype", "", true),
        ("Trivy", "", false),
        ("Trivy", cve, true),
        ("cargo-deny", smell, false),
    ] {
        let log = format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"{name}"}}}},"results":[{results}]}}]}}"#
        );
        let prepared = prepare("scan", "x.sarif", log.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        let read = Vulns::parse(&prepared.predicate).unwrap();
        assert_eq!(
            (read.looks_for_known, read.is_complete),
            (expected, expected || name == "ESLint"),
            "{name}"
        );
        let mut summary = prepared.summary.iter();
        let told = summary.any(|(_, text)| text.contains("found nothing says nothing of them"));
        assert_eq!(told, !expected, "{name}");
    }
}

#[test]
fn former_names_of_a_rule_are_other_names_of_what_it_finds() {
    let log = LOG.replacen(
        r#"{"id":"R0","#,
        r#"{"id":"R0","deprecatedIds":["CVE-1","R0",7],"#,
        1,
    );
    let prepared = prepare("scan", "x.sarif", log.as_bytes(), NOW)
        .unwrap()
        .remove(0);
    let text = prepared.predicate.to_json();
    assert!(
        text.contains(r#""annotations":[{"aliases":["CVE-1"]}"#),
        "{text}"
    );
}

/// What is made of a log of one run without results of its own, with these members of the run and
/// of the log: the identifiers that it lists and whether they are all, or that it only references.
fn elsewhere(run: &str, log: &str) -> String {
    let text = format!(
        r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"d"}}}},
            "automationDetails":{{"guid":"AA-1"}}{run}}}]{log}}}"#
    );
    let prepared = match prepare("scan", "x.sarif", text.as_bytes(), NOW) {
        Ok(mut prepared) => prepared.remove(0),
        Err(error) => return error.to_string(),
    };
    if prepared.predicate_type.contains("reference") {
        let said = prepared.summary.iter().map(|(_, value)| value.as_str());
        return said.collect::<Vec<_>>().join("; ");
    }
    let read = Vulns::parse(&prepared.predicate).unwrap();
    let ids: Vec<_> = read.vulnerabilities.iter().map(|one| &*one.id).collect();
    format!("{} {}", ids.join(" "), read.is_complete)
}

#[test]
fn results_at_the_top_of_the_log_are_their_runs() {
    let inline = |more: &str| {
        format!(
            r#","inlineExternalProperties":[{{"results":[
                {{"ruleId":"R9","message":{{"text":"m"}}}}]{more}}}]"#
        )
    };
    let by_guid = r#","externalPropertyFileReferences":{"results":[{"guid":"BB-2"}]}"#;
    let own = r#","results":[{"ruleId":"R1","message":{"text":"m"}}]"#;
    for (run, log, said) in [
        ("", inline(r#","runGuid":"aa-1""#), "R9 true"),
        (by_guid, inline(r#","guid":"bb-2""#), "R9 true"),
        (own, inline(r#","runGuid":"aa-1""#), "R1 R9 true"),
        (
            "",
            inline(r#","runGuid":"aa-1","invocations":[{"executionSuccessful":false}]"#),
            "R9 false",
        ),
        (own, String::new(), "R1 true"),
    ] {
        assert_eq!(elsewhere(run, &log), said, "{run} {log}");
    }
    for log in [
        inline(""),
        inline(r#","runGuid":"aa-2""#),
        inline(r#","guid":"bb-2""#),
    ] {
        let said = elsewhere(own, &log);
        assert!(
            said.contains("$.inlineExternalProperties[0]: has results of no run"),
            "{said}"
        );
    }
}

#[test]
fn a_run_with_results_in_other_files_is_not_whole() {
    let reference = |key: &str, of: &str| format!(r#","{key}":{{{of}}}"#);
    let keys = ["externalPropertyFileReferences", "externalPropertyFiles"];
    let here = r#","results":[]"#;
    let own = r#","results":[{"ruleId":"R1","message":{"text":"m"}}]"#;
    let inline = r#","inlineExternalProperties":[{"guid":"bb-2","results":[]},{"guid":"cc-3"}]"#;
    for of in [
        r#""results":[{"location":{"uri":"r.json"}}]"#,
        r#""results":[{"location":{"uri":"r.json"},"guid":"bb-2"}]"#,
        r#""results":[{"guid":"bb-2"},{"guid":"cc-3"}]"#,
        r#""results":{"location":{"uri":"r.json"}}"#,
        r#""invocations":[{"guid":"bb-2"}]"#,
    ] {
        // Something is of this run, or it is refused.
        let of = format!(r#"{of},"artifacts":[{{"guid":"bb-2"}}]"#);
        for key in keys {
            let run = reference(key, &of);
            for results in ["", here] {
                let said = elsewhere(&format!("{run}{results}"), inline);
                assert!(
                    said.contains("in other files, which are not here"),
                    "{run}: {said}"
                );
            }
            assert_eq!(
                elsewhere(&format!("{run}{own}"), inline),
                "R1 false",
                "{run}"
            );
        }
    }
    for of in [
        "",
        r#""results":[]"#,
        r#""artifacts":[{"location":{"uri":"a.json"}}]"#,
    ] {
        let run = reference(keys[0], of);
        assert_eq!(elsewhere(&format!("{run}{here}"), ""), " true", "{run}");
    }
}

#[test]
fn a_log_without_runs_is_refused() {
    let log = br#"{"version":"2.1.0","runs":[]}"#;
    let error = prepare("scan", "x.sarif", log, NOW).unwrap_err();
    assert_eq!(
        error.to_string(),
        "$.runs: holds no run, so there is nothing to claim"
    );
}
