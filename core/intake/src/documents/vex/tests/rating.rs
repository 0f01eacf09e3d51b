//! How severe documents of each format say that vulnerabilities are.

use super::super::Ratings;
use super::claims;
use assay_claims::json::Value;
use assay_claims::kind::vex::Vex;

const V2: &str = "AV:N/AC:L/Au:N/C:N/I:N/A:C";
const V3: &str = "CVSS:3.1/AV:L/AC:H/PR:H/UI:R/S:U/C:L/I:N/A:N";
const V4: &str = "CVSS:4.0/AV:L/AC:L/AT:P/PR:L/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N";

/// The severities of each statement, as method and score.
fn rated(text: &str) -> Vec<Vec<String>> {
    let mut all = Vec::new();
    for claim in claims("vex", text).unwrap() {
        for statement in Vex::parse(&claim.predicate).unwrap().statements {
            let severities = statement.severities.iter();
            all.push(
                severities
                    .map(|(method, score)| format!("{method} {score}"))
                    .collect(),
            );
        }
    }
    all
}

fn one(text: &str) -> Vec<String> {
    rated(text).remove(0)
}

#[test]
fn a_record_of_osv_rates_and_a_package_by_itself_before() {
    for (root, affected, expected) in [
        (
            format!(
                r#","severity":[{{"type":"CVSS_V3","score":"{V3}"}}],"database_specific":{{"severity":"LOW"}}"#
            ),
            String::new(),
            vec![format!("CVSS_V3 {V3}"), "database LOW".to_owned()],
        ),
        (
            format!(r#","severity":[{{"type":"CVSS_V3","score":"{V3}"}}]"#),
            format!(r#","severity":[{{"type":"CVSS_V4","score":"{V4}"}}]"#),
            vec![format!("CVSS_V4 {V4}")],
        ),
        // Debian's word is of its package, and counts before the score of the vulnerability.
        (
            format!(r#","severity":[{{"type":"CVSS_V4","score":"{V4}"}}]"#),
            r#","ecosystem_specific":{"urgency":"unimportant"}"#.to_owned(),
            vec!["urgency unimportant".to_owned()],
        ),
        (
            r#","severity":[{"type":"Ubuntu","score":"negligible"}]"#.to_owned(),
            r#","ecosystem_specific":{"urgency":"not yet assigned"}"#.to_owned(),
            vec!["Ubuntu negligible".to_owned()],
        ),
        (
            String::new(),
            format!(r#","database_specific":{{"cvss":"{V3}"}}"#),
            vec![format!("CVSS_V3 {V3}")],
        ),
        (
            r#","severity":[{"score":7}]"#.to_owned(),
            String::new(),
            vec![],
        ),
    ] {
        let text = format!(
            r#"{{"id":"GHSA-1","modified":"2026-01-01T00:00:00Z","affected":[{{"package":{{"ecosystem":"npm","name":"a"}}{affected}}}]{root}}}"#
        );
        assert_eq!(one(&text), expected, "{text}");
    }
}

#[test]
fn an_advisory_of_github_rates() {
    let of = |more: &str| {
        one(&format!(
            r#"{{"ghsa_id":"GHSA-1","updated_at":"2026-01-01T00:00:00Z","vulnerabilities":[{{"package":{{"ecosystem":"npm","name":"a"}}}}]{more}}}"#
        ))
    };
    let more = format!(
        r#","severity":"low","cvss":{{"vector_string":"{V3}","score":1.8}},"cvss_severities":{{"cvss_v3":{{"vector_string":"{V3}","score":1.8}},"cvss_v4":{{"vector_string":"{V4}","score":7.3}}}}"#
    );
    let expected = [
        "database low".to_owned(),
        format!("CVSS_V3 {V3}"),
        format!("CVSS_V4 {V4}"),
    ];
    assert_eq!(of(&more), expected);
    // Nobody rated it.
    let none = r#","severity":"unknown","cvss":{"vector_string":null,"score":0.0}"#;
    assert_eq!(of(none), [""; 0]);
}

#[test]
fn csaf_rates_each_product() {
    let document = |more: &str, aggregate: &str| {
        format!(
            r#"{{"document":{{"category":"csaf_vex","csaf_version":"2.0","title":"t"{aggregate},"publisher":{{"name":"V","namespace":"https://v.example"}},"tracking":{{"id":"V-1","status":"final","version":"1","current_release_date":"2026-01-01T00:00:00Z"}}}},
            "product_tree":{{"full_product_names":[{{"product_id":"A","name":"a","product_identification_helper":{{"purl":"pkg:npm/a@1"}}}},{{"product_id":"B","name":"b","product_identification_helper":{{"purl":"pkg:npm/b@1"}}}}]}},
            "vulnerabilities":[{{"cve":"CVE-1","product_status":{{"known_affected":["A","B"]}}{more}}}]}}"#
        )
    };
    let scores = format!(
        r#","scores":[{{"products":["A"],"cvss_v3":{{"vectorString":"{V3}","baseScore":1.8}}}},{{"products":["B"],"cvss_v2":{{"baseScore":7.8}}}}],
        "threats":[{{"category":"impact","details":"Moderate","product_ids":["A"]}},{{"category":"impact","details":"It reads beyond the end.","product_ids":["B"]}}]"#
    );
    let aggregate = r#","aggregate_severity":{"text":"Low"}"#;
    assert_eq!(
        rated(&document(&scores, aggregate)),
        [
            vec![format!("CVSS_V3 {V3}"), "impact Moderate".to_owned()],
            vec!["CVSS 7.8".to_owned()]
        ]
    );
    let metrics = format!(
        r#","metrics":[{{"products":["A"],"content":{{"cvss_v4":{{"vectorString":"{V4}"}}}}}},{{"products":["A"],"content":{{"cvss_v2":{{"vectorString":"{V2}"}}}}}}]"#
    );
    assert_eq!(
        rated(&document(&metrics, aggregate)),
        [
            vec![format!("CVSS_V4 {V4}"), format!("CVSS_V2 {V2}")],
            vec!["aggregate Low".to_owned()]
        ]
    );
    assert_eq!(rated(&document("", "")), [Vec::<String>::new(), vec![]]);
}

#[test]
fn cyclonedx_rustsec_and_spdx_3_rate() {
    let of = |ratings: &str| {
        one(&format!(
            r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"vulnerabilities":[{{"id":"CVE-1","ratings":[{ratings}],"affects":[{{"ref":"pkg:npm/a@1"}}]}}]}}"#
        ))
    };
    let both = format!(r#"{{"method":"CVSSv31","score":1.8,"severity":"low","vector":"{V3}"}}"#);
    assert_eq!(
        of(&both),
        [format!("CVSS_V3 {V3}"), "CVSSv31 low".to_owned()]
    );
    assert_eq!(of(r#"{"score":9.8},{"severity":"unknown"}"#), ["CVSS 9.8"]);
    let other = r#"{"method":"OWASP","score":3,"vector":"SL:1/M:1","severity":"high"}"#;
    assert_eq!(of(other), ["OWASP high"]);

    let advisory = format!(
        "```toml\n[advisory]\nid = \"RUSTSEC-2099-0001\"\npackage = \"a\"\ndate = \"2099-01-02\"\n\
         cvss = \"{V3}\"\n[versions]\npatched = []\n```\n"
    );
    assert_eq!(one(&advisory), [format!("CVSS_V3 {V3}")]);

    let spdx = format!(
        r#"{{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
        {{"type":"CreationInfo","@id":"_:c","specVersion":"3.0.1","created":"2026-01-01T00:00:00Z","createdBy":["https://e.org/me"]}},
        {{"type":"SpdxDocument","spdxId":"https://e.org/d","rootElement":["https://e.org/a"]}},
        {{"type":"software_Package","spdxId":"https://e.org/a","name":"a","software_packageUrl":"pkg:npm/a@1"}},
        {{"type":"security_Vulnerability","spdxId":"https://e.org/v","name":"CVE-1"}},
        {{"type":"security_CvssV3VulnAssessmentRelationship","spdxId":"https://e.org/s","from":"https://e.org/v","to":["https://e.org/a"],
          "security_score":"1.8","security_severity":"low","security_vectorString":"{V3}"}},
        {{"type":"security_VexAffectedVulnAssessmentRelationship","spdxId":"https://e.org/r","from":"https://e.org/v","to":["https://e.org/a"]}}]}}"#
    );
    assert_eq!(one(&spdx), [format!("CVSS_V3 {V3}"), "CVSS low".to_owned()]);
}

#[test]
fn only_so_much_is_taken_over() {
    let ratings: Vec<String> = (0..30)
        .map(|i| format!(r#"{{"method":"m{i}","severity":"low"}}"#))
        .collect();
    let long = format!(r#"{{"vector":"CVSS:3.1/{}"}}"#, "A:N/".repeat(100));
    let text = format!(
        r#"{{"bomFormat":"CycloneDX","specVersion":"1.6","version":1,"vulnerabilities":[{{"id":"CVE-1","ratings":[{long},{}],"affects":[{{"ref":"pkg:npm/a@1"}}]}}]}}"#,
        ratings.join(",")
    );
    let rated = one(&text);
    assert_eq!((rated.len(), rated[0].as_str()), (20, "m0 low"));
}

/// Tools write a score of zero where they know none.
#[test]
fn a_zero_without_a_vector_is_no_score() {
    for (score, expected) in [
        (Value::from("0"), 0),
        (Value::from("0.0"), 0),
        (Value::from(0_u64), 0),
        (Value::from("0.1"), 1),
    ] {
        let mut ratings = Ratings::default();
        ratings.add_cvss(None, Some(&score));
        let stated = ratings.to_value();
        let count = stated
            .as_ref()
            .and_then(Value::as_array)
            .map_or(0, <[Value]>::len);
        assert_eq!(count, expected, "{score:?}");
        ratings.add_cvss(Some(&Value::from(V3)), Some(&score));
        assert!(ratings.to_value().is_some());
    }
}
