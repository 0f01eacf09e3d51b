use crate::documents::{DocumentError, prepare};
use assay_claims::kind::check;
use assay_claims::kind::scan::Vulns;
use assay_claims::statement::Subject;

const NOW: &str = "2026-11-22T18:41:48Z";

/// What a report found, each as id, other names, severities and places in a line; and whether the
/// scan is whole.
fn found(text: &str) -> Result<(Vec<String>, bool), DocumentError> {
    let prepared = prepare("scan", "report.json", text.as_bytes(), NOW)?.remove(0);
    check(&prepared.predicate_type, &prepared.predicate).unwrap();
    assert_eq!(prepared.attachment.unwrap().bytes, text);
    let scan = Vulns::parse(&prepared.predicate).unwrap();
    let lines = scan.vulnerabilities.iter().map(|one| {
        let scores: Vec<&str> = one
            .severities
            .iter()
            .map(|(_, score)| score.as_str())
            .collect();
        let places: Vec<&str> = one.found_in.iter().map(|purl| purl.as_str()).collect();
        format!(
            "{} [{}] {} in {}",
            one.id,
            one.aliases.join(" "),
            scores.join(" "),
            places.join(" ")
        )
    });
    Ok((lines.collect(), scan.is_complete))
}

fn assert_broken(text: &str, wrong: &[(&str, &str, &str)]) {
    found(text).unwrap();
    for (from, to, place) in wrong {
        assert!(text.contains(from), "{from}");
        let error = found(&text.replacen(from, to, 1)).unwrap_err();
        assert_eq!(error.place(), *place, "{error}");
    }
}

#[test]
fn grype_is_read() {
    let text = r#"{"matches":[
        {"vulnerability":{"id":"GHSA-1","severity":"High","cvss":[{"version":"3.1","vector":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}]},
         "relatedVulnerabilities":[{"id":"CVE-1"},{"id":"GHSA-1"}],
         "artifact":{"name":"lib","version":"1.0","purl":"pkg:npm/lib@1.0"}},
        {"vulnerability":{"id":"CVE-2","severity":"Negligible"},"artifact":{"name":"binary","version":"7"}}],
      "ignoredMatches":[{"vulnerability":{"id":"CVE-3"},"artifact":{"name":"x","version":"1","purl":"pkg:npm/x@1"}}],
      "source":{"type":"image","target":{"userInput":"img:1"}},
      "descriptor":{"name":"grype","version":"0.80.0"}}"#;
    let (lines, whole) = found(text).unwrap();
    assert!(whole);
    assert_eq!(
        lines,
        [
            "GHSA-1 [CVE-1] High CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H in pkg:npm/lib@1.0",
            "CVE-2 [] Negligible in ",
            "CVE-3 []  in pkg:npm/x@1",
        ]
    );
    let claim = prepare("scan", "r", text.as_bytes(), NOW)
        .unwrap()
        .remove(0);
    let json = claim.predicate.to_json();
    assert!(
        json.contains(r#""purl":"pkg:npm/x@1","suppressed":true"#),
        "{json}"
    );
    assert!(!json.contains("img:1"));
    assert_broken(
        text,
        &[
            (
                r#""id":"GHSA-1","sev"#,
                r#""sev"#,
                "$.matches[0].vulnerability.id",
            ),
            (
                r#""artifact":{"name":"lib","#,
                r#""artifact":{"#,
                "$.matches[0].artifact.name",
            ),
            (
                r#"{"id":"CVE-3"}"#,
                "{}",
                "$.ignoredMatches[0].vulnerability.id",
            ),
            (
                r#""ignoredMatches":["#,
                r#""ignoredMatches":7,"other":["#,
                "$.ignoredMatches",
            ),
        ],
    );
}

/// Nothing found says something of what was looked at, and of nothing else.
#[test]
fn a_clean_report_of_grype_is_of_what_it_looked_at() {
    let hex = "0a".repeat(32);
    let image = format!(
        r#""source":{{"type":"image","target":{{"userInput":"ghcr.io/e/img:1","architecture":"arm64",
        "repoDigests":["ghcr.io/e/img@sha256:{hex}"]}}}}"#
    );
    let oci = format!("pkg:oci/img@sha256:{hex}?arch=arm64&repository_url=ghcr.io%2Fe%2Fimg");
    let folder = r#""source":{"type":"directory","target":"."}"#;
    for (source, database, is_whole, about) in [
        (image.as_str(), "{}", true, vec![oci.as_str()]),
        (folder, r#"{"status":{"valid":true}}"#, true, vec![]),
        (folder, r#"{"status":{"valid":false}}"#, false, vec![]),
        (r#""distro":{}"#, "{}", false, vec![]),
    ] {
        let text =
            format!(r#"{{"matches":[],{source},"descriptor":{{"name":"grype","db":{database}}}}}"#);
        assert_eq!(found(&text).unwrap(), (vec![], is_whole), "{source}");
        let claim = prepare("scan", "r", text.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        let subjects = claim.subjects.iter().filter_map(Subject::uri);
        assert_eq!(subjects.collect::<Vec<_>>(), about);
    }
}

#[test]
fn trivy_is_read() {
    let text = r#"{"SchemaVersion":2,"ArtifactName":"img:1","Metadata":{"RepoDigests":["img@sha256:23a264e6e429852221a963e9f17338ba3f5796dc7086e46439a6f4482cf6e0cb"]},
      "Results":[{"Target":"a","Vulnerabilities":[{"VulnerabilityID":"CVE-1","VendorIDs":["GHSA-1"],"PkgName":"lib",
        "PkgIdentifier":{"PURL":"pkg:deb/debian/lib@1?arch=amd64"},"InstalledVersion":"1","Severity":"HIGH",
        "CVSS":{"nvd":{"V2Vector":"AV:N/AC:L/Au:N/C:P/I:P/A:P","V3Score":7.5}}}]},
        {"Target":"b","Secrets":[{"RuleID":"x"}]},{"Target":"c"}]}"#;
    let (lines, _) = found(text).unwrap();
    assert_eq!(
        lines,
        ["CVE-1 [GHSA-1] HIGH AV:N/AC:L/Au:N/C:P/I:P/A:P in pkg:deb/debian/lib@1?arch=amd64"]
    );
    let claim = prepare("scan", "r", text.as_bytes(), NOW)
        .unwrap()
        .remove(0);
    let image =
        "pkg:oci/img@sha256:23a264e6e429852221a963e9f17338ba3f5796dc7086e46439a6f4482cf6e0cb";
    let about: Vec<_> = claim.subjects.iter().map(Subject::uri).collect();
    assert_eq!(about, [Some(image)]);
    assert_eq!(claim.subjects[0].digests()[0].0, "sha256");
    assert!(
        claim
            .summary
            .iter()
            .any(|(label, count)| label.contains("secrets") && count == "1")
    );
    assert_broken(
        text,
        &[
            (
                r#""VulnerabilityID":"CVE-1","#,
                "",
                "$.Results[0].Vulnerabilities[0].VulnerabilityID",
            ),
            (
                r#""PkgName":"lib","#,
                "",
                "$.Results[0].Vulnerabilities[0].PkgName",
            ),
            (r#"[{"RuleID":"x"}]"#, "7", "$.Results[1].Secrets"),
        ],
    );
}

/// When each of these reports ran, if it states that.
fn finished(text: &str) -> (String, bool) {
    let claim = prepare("scan", "r", text.as_bytes(), NOW)
        .unwrap()
        .remove(0);
    let scan = Vulns::parse(&claim.predicate).unwrap();
    let source = claim.predicate.pointer("/metadata/timeSource").unwrap();
    let is_stated = source.as_str() == Some("document");
    (scan.finished.as_str().to_owned(), is_stated)
}

#[test]
fn the_time_of_a_scan_is_the_one_that_its_document_states() {
    let trivy =
        r#"{"SchemaVersion":2,"CreatedAt":"TIME","ArtifactName":"a","Results":[{"Target":"l"}]}"#;
    let grype = r#"{"matches":[],"descriptor":{"name":"grype","timestamp":"TIME"}}"#;
    let dependency_check = r#"{"reportSchema":"1.1","scanInfo":{},"projectInfo":{"reportDate":"TIME"},
        "dependencies":[{"fileName":"a.jar"}]}"#;
    let run = |time: &str| {
        format!(
            r#"{{"version":"2.1.0","runs":[{{"tool":{{"driver":{{"name":"t"}}}},"results":[],
                "invocations":[{{"executionSuccessful":true,{time}}},{{"executionSuccessful":true}}]}}]}}"#
        )
    };
    let (start, end) = (
        run(r#""startTimeUtc":"TIME""#),
        run(r#""endTimeUtc":"TIME""#),
    );
    let stated = "2026-03-04T05:06:07.123456789+01:00";
    for text in [trivy, grype, dependency_check, &start, &end] {
        let dated = finished(&text.replace("TIME", stated));
        assert_eq!(dated, (stated.to_owned(), true), "{text}");
    }
    for text in [trivy, grype, dependency_check] {
        for none in ["0001-01-01T00:00:00Z", "Mar 4, 2026", ""] {
            let dated = finished(&text.replace("TIME", none));
            assert_eq!(dated, (NOW.to_owned(), false), "{text}");
        }
    }
}

/// Whoever ran the scanner is not one of those who may clear what it found.
#[test]
fn what_a_scanner_was_told_to_ignore_is_found_and_told() {
    let grype = r#"{"matches":[],"ignoredMatches":[
        {"vulnerability":{"id":"CVE-3"},"artifact":{"name":"x"},"appliedIgnoreRules":[{"vulnerability":"CVE-3","reason":"we looked"}]},
        {"vulnerability":{"id":"CVE-3"},"artifact":{"name":"y"}}],"descriptor":{"name":"grype"}}"#;
    let trivy = r#"{"SchemaVersion":2,"ArtifactName":"a","Results":[{"Target":"l",
        "ExperimentalModifiedFindings":[{"Type":"vulnerability","Status":"ignored","Finding":{"VulnerabilityID":"CVE-3","PkgName":"x"}}]}]}"#;
    let dependency_check = r#"{"reportSchema":"1.1","scanInfo":{},"dependencies":[{"fileName":"x",
        "suppressedVulnerabilities":[{"name":"CVE-3"}]}]}"#;
    for text in [grype, trivy, dependency_check] {
        let (lines, whole) = found(text).unwrap();
        assert!(whole, "{text}");
        assert_eq!(lines, ["CVE-3 []  in "], "{text}");
        let claim = prepare("scan", "r", text.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        let json = claim.predicate.to_json();
        assert!(
            json.contains(r#""package":"x","suppressed":true"#),
            "{json}"
        );
        let mut lines = claim.summary.iter();
        let line = lines.find(|(label, _)| label.contains("told to ignore"));
        assert_eq!(line.unwrap().1, "1: CVE-3", "{text}");
    }
    // Whether this was found is not said.
    let cargo_audit = r#"{"lockfile":{"dependency-count":1},"settings":{"ignore":["CVE-3"]},
        "vulnerabilities":{"found":false,"count":0,"list":[]}}"#;
    let claim = prepare("scan", "r", cargo_audit.as_bytes(), NOW)
        .unwrap()
        .remove(0);
    let scan = Vulns::parse(&claim.predicate).unwrap();
    assert_eq!(
        (scan.vulnerabilities.len(), scan.ignored),
        (0, vec!["CVE-3".to_owned()])
    );
    let mut lines = claim.summary.iter();
    let line = lines.find(|(label, _)| label.contains("told to ignore"));
    assert_eq!(line.unwrap().1, "1: CVE-3");
}

/// What grype knows itself to be no match was never told to it.
#[test]
fn what_grype_rules_out_itself_is_not_found() {
    let with = |rules: &str| {
        let text = format!(
            r#"{{"matches":[],"ignoredMatches":[{{"vulnerability":{{"id":"CVE-3"}},"artifact":{{"name":"x"}},"appliedIgnoreRules":[{rules}]}}],"descriptor":{{"name":"grype"}}}}"#
        );
        let claim = prepare("scan", "r", text.as_bytes(), NOW)
            .unwrap()
            .remove(0);
        let mut lines = claim.summary.iter();
        let is_told = lines.any(|(label, _)| label.contains("rules out"));
        (found(&text).unwrap().0.len(), is_told)
    };
    let own = r#"{"vulnerability":"CVE-3","reason":"DistroPackageFixed"}"#;
    let nak = r#"{"vulnerability":"CVE-3","reason":"Explicit APK NAK"}"#;
    let told = r#"{"vulnerability":"CVE-3"}"#;
    assert_eq!(with(own), (0, true));
    assert_eq!(with(&format!("{own},{nak}")), (0, true));
    // Without what the user said of it, it would be none.
    assert_eq!(with(&format!("{own},{told}")), (0, true));
    assert_eq!(with(told), (1, false));
    // It has these unless it is told otherwise: headers are no kernel.
    let headers = |name: &str, more: &str| {
        format!(r#"{{"package":{{"name":"{name}","type":"deb","upstream-name":"linux"}}{more}}}"#)
    };
    let indirect = r#","match-type":"exact-indirect-match""#;
    assert_eq!(with(&headers("linux-libc-dev", indirect)), (0, true));
    let of_one = format!(r#"{indirect},"vulnerability":"CVE-3""#);
    for told in [
        headers("linux-libc-dev", ""),
        headers("linux-image-.*", indirect),
        headers("linux-libc-dev", &of_one),
    ] {
        assert_eq!(with(&told), (1, false), "{told}");
    }
    assert_eq!(with(""), (1, false));
}

#[test]
fn a_report_that_looked_at_nothing_is_not_whole() {
    let trivy = |results: &str| format!(r#"{{"SchemaVersion":2,"ArtifactName":"a"{results}}}"#);
    let secrets = r#","Results":[{"Target":"f","Class":"secret","Secrets":[{"RuleID":"k"}]},
        {"Target":"d","Class":"config","Misconfigurations":[{"ID":"m"}]}]"#;
    let packages = r#","Results":[{"Target":"l","Class":"lang-pkgs"},
        {"Target":"f","Class":"secret","Secrets":[{"RuleID":"k"}]}]"#;
    // `trivy fs --scanners license`, and without `vuln` all the same.
    let licenses = r#","Results":[{"Target":"l","Class":"lang-pkgs","Packages":[{"Name":"a"}]},
        {"Target":"l","Class":"license","Licenses":[{"Name":"MIT"}]}]"#;
    let dependency_check = |info: &str, dependencies: &str| {
        format!(r#"{{"reportSchema":"1.1","scanInfo":{{{info}}},"dependencies":[{dependencies}]}}"#)
    };
    let exception = r#""analysisExceptions":[{"exception":{"message":"no database"}}]"#;
    let jar = r#"{"fileName":"a.jar"}"#;
    let pip = |dependencies: &str| format!(r#"{{"dependencies":[{dependencies}],"fixes":[]}}"#);
    let npm = |total: u64| {
        format!(
            r#"{{"auditReportVersion":2,"vulnerabilities":{{}},"metadata":{{"dependencies":{{"total":{total}}}}}}}"#
        )
    };
    let cargo = |count: u64| {
        format!(
            r#"{{"lockfile":{{"dependency-count":{count}}},"vulnerabilities":{{"found":false,"count":0,"list":[]}}}}"#
        )
    };
    let go = r#"{"config":{"scanner_name":"govulncheck"}}"#;
    for (text, is_whole) in [
        (trivy(""), false),
        (trivy(r#","Results":[]"#), false),
        (trivy(secrets), false),
        (trivy(packages), true),
        (trivy(licenses), false),
        (trivy(&licenses.replace("license\"", "config\"")), false),
        (dependency_check("", ""), false),
        (dependency_check(exception, jar), false),
        (dependency_check("", jar), true),
        (pip(""), false),
        (pip(r#"{"name":"a","version":"1","vulns":[]}"#), true),
        (npm(0), false),
        (npm(7), true),
        (cargo(0), false),
        (cargo(7), true),
        (go.to_owned(), false),
        (
            format!(r#"{go}{{"progress":{{"message":"Scanning"}}}}"#),
            true,
        ),
    ] {
        let (lines, whole) = found(&text).unwrap();
        assert!(lines.is_empty() && whole == is_whole, "{text}");
    }
}

#[test]
fn npm_audit_is_read() {
    let text = r#"{"auditReportVersion":2,"vulnerabilities":{
        "lib":{"name":"lib","severity":"high","via":[{"source":77,"name":"lib","url":"https://e.org/advisories/GHSA-1","severity":"high","cvss":{"score":9.8,"vectorString":"CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}},
          {"source":78,"severity":"low"}]},
        "user":{"name":"user","severity":"high","via":["lib"]},
        "bare":{"name":"bare","severity":"moderate","via":[]}}}"#;
    let (lines, _) = found(text).unwrap();
    assert_eq!(
        lines,
        [
            "GHSA-1 [] high CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H in ",
            "npm:78 [] low in ",
            "npm:bare [] moderate in "
        ]
    );
    assert_broken(
        text,
        &[
            (
                r#"{"source":78,"severity":"low"}"#,
                "{}",
                "$.vulnerabilities.lib.via[1]",
            ),
            (
                r#""via":["lib"]"#,
                r#""via":7"#,
                "$.vulnerabilities.user.via",
            ),
            (r#""vulnerabilities""#, r#""vulns""#, "$.vulnerabilities"),
        ],
    );
}

#[test]
fn pip_audit_is_read_and_what_it_skipped_is_said() {
    let text = r#"{"dependencies":[{"name":"Some.Lib","version":"1.0","vulns":[{"id":"PYSEC-1","fix_versions":["2"],"aliases":["CVE-1","GHSA-1"]}]},
        {"name":"other","version":"1","vulns":[]}],"fixes":[]}"#;
    let (lines, whole) = found(text).unwrap();
    assert!(whole);
    assert_eq!(lines.len(), 1);
    assert!(
        lines[0].starts_with("PYSEC-1 [CVE-1 GHSA-1]  in pkg:pypi/some"),
        "{lines:?}"
    );
    let skipped = text.replace(
        r#""version":"1","vulns":[]"#,
        r#""skip_reason":"not on PyPI""#,
    );
    assert!(!found(&skipped).unwrap().1);
    assert_broken(
        text,
        &[
            (r#""id":"PYSEC-1","#, "", "$.dependencies[0].vulns[0].id"),
            (r#""version":"1.0","#, "", "$.dependencies[0].version"),
            (
                r#""version":"1","vulns":[]"#,
                r#""version":"1""#,
                "$.dependencies[1].vulns",
            ),
        ],
    );
}

#[test]
fn govulncheck_is_read() {
    let text = r#"{"config":{"protocol_version":"v1.0.0","scanner_name":"govulncheck","scanner_version":"v1.1.0"}}
{"progress":{"message":"a { in a string \" and on"}}
{"osv":{"id":"GO-1","aliases":["CVE-1"]}}{"osv":{"id":"GO-2","aliases":["CVE-2"]}}
{"finding":{"osv":"GO-1","trace":[{"module":"example.org/a","version":"v1.2.3"}]}}
{
  "finding": {"osv": "GO-1", "trace": [{"module": "example.org/c", "version": "v1.22.0"}]}
}
"#;
    let (lines, _) = found(text).unwrap();
    assert_eq!(
        lines,
        ["GO-1 [CVE-1]  in pkg:golang/example.org/a@v1.2.3 pkg:golang/example.org/c@v1.22.0"]
    );
    assert_broken(
        text,
        &[
            (r#""osv":"GO-1","trace""#, r#""trace""#, "$.finding.osv"),
            (
                r#"[{"module":"example.org/a","version":"v1.2.3"}]"#,
                "[]",
                "$.finding.trace",
            ),
        ],
    );
    // Cut off in the middle.
    assert!(found(&text[..text.len() - 30]).is_err());
    let many = format!("{}{}", text, r#"{"progress":{}}"#.repeat(100_000));
    assert!(
        found(&many)
            .unwrap_err()
            .to_string()
            .contains("more than 100000 messages")
    );
}

#[test]
fn dependency_check_is_read() {
    let text = r#"{"reportSchema":"1.1","scanInfo":{"engineVersion":"9.0.0"},"dependencies":[
        {"fileName":"a.jar","packages":[{"id":"pkg:maven/e/a@1"}],
         "vulnerabilities":[{"name":"CVE-1","severity":"HIGH","cvssv3":{"baseScore":8.1}}],
         "suppressedVulnerabilities":[{"name":"CVE-2"}]},{"fileName":"b.jar"}]}"#;
    let (lines, _) = found(text).unwrap();
    assert_eq!(
        lines,
        [
            "CVE-1 [] HIGH 8.1 in pkg:maven/e/a@1",
            "CVE-2 []  in pkg:maven/e/a@1"
        ]
    );
    assert_broken(
        text,
        &[
            (
                r#""name":"CVE-1","#,
                "",
                "$.dependencies[0].vulnerabilities[0].name",
            ),
            (
                r#"{"fileName":"b.jar"}"#,
                "{}",
                "$.dependencies[1].fileName",
            ),
        ],
    );
}

mod gaps;
