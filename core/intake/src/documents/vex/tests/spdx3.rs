use super::{claims, lines};
use assay_claims::kind::vex::Vex;

const SPDX: &str = r#"{"@context":"https://spdx.org/rdf/3.0.1/spdx-context.jsonld","@graph":[
    {"type":"CreationInfo","@id":"_:c","specVersion":"3.0.1","created":"2026-01-01T00:00:00Z","createdBy":["https://e.org/me"]},
    {"type":"Organization","spdxId":"https://e.org/me","name":"Me"},
    {"type":"SpdxDocument","spdxId":"https://e.org/d","rootElement":["https://e.org/a"]},
    {"type":"software_Package","spdxId":"https://e.org/a","name":"a","software_packageUrl":"pkg:npm/a@1"},
    {"type":"software_Package","spdxId":"https://e.org/b","name":"b","externalIdentifier":[
      {"type":"ExternalIdentifier","externalIdentifierType":"packageUrl","identifier":"pkg:npm/b@1"}]},
    {"type":"security_Vulnerability","spdxId":"https://e.org/v","externalIdentifier":[
      {"type":"ExternalIdentifier","externalIdentifierType":"securityOther","identifier":"GHSA-1"},
      {"type":"ExternalIdentifier","externalIdentifierType":"cve","identifier":"CVE-1"}]},
    RELATIONSHIP]}"#;

#[test]
fn spdx_3_says_what_its_assessments_are() {
    let inner = "pkg:npm/a@1 > pkg:npm/b@1";
    for (relationship, expected) in [
        (
            r#""type":"security_VexAffectedVulnAssessmentRelationship","relationshipType":"affects","to":["https://e.org/b"]"#,
            format!("affected - {inner}"),
        ),
        (
            r#""type":"security_VexFixedVulnAssessmentRelationship","relationshipType":"fixedIn","to":["https://e.org/a"]"#,
            "fixed - pkg:npm/a@1".to_owned(),
        ),
        (
            r#""type":"security_VexNotAffectedVulnAssessmentRelationship","to":["https://e.org/b"],"security_justificationType":"componentNotPresent""#,
            format!("not_affected component_not_present {inner}"),
        ),
        (
            r#""type":"security_VexUnderInvestigationVulnAssessmentRelationship","to":["https://e.org/a"],"security_assessedElement":"https://e.org/b""#,
            format!("under_investigation - {inner}"),
        ),
    ] {
        let element =
            format!(r#"{{"spdxId":"https://e.org/r","from":"https://e.org/v",{relationship}}}"#);
        let text = SPDX.replace("RELATIONSHIP", &element);
        for kind in ["vex", "sbom"] {
            assert_eq!(lines(kind, &text), [format!("CVE-1=GHSA-1 {expected}")]);
        }
        let claim = claims("vex", &text).unwrap().remove(0);
        assert_eq!(Vex::parse(&claim.predicate).unwrap().author, "Me");
    }
    // That a package has a vulnerability says nothing of whether it matters.
    let has = r#"{"type":"Relationship","spdxId":"https://e.org/h","from":"https://e.org/b","relationshipType":"hasAssociatedVulnerability","to":["https://e.org/v"]}"#;
    let text = SPDX.replace("RELATIONSHIP", has);
    assert_eq!(
        lines("vex", &text),
        [format!("CVE-1=GHSA-1 under_investigation - {inner}")]
    );
    let fixed = r#"{"type":"security_VexFixedVulnAssessmentRelationship","spdxId":"https://e.org/r","from":"https://e.org/v","to":["https://e.org/b"]}"#;
    let text = SPDX.replace("RELATIONSHIP", &format!("{has},{fixed}"));
    assert_eq!(
        lines("vex", &text),
        [format!("CVE-1=GHSA-1 fixed - {inner}")]
    );
    let withdrawn = fixed.replace(
        r#""to""#,
        r#""security_withdrawnTime":"2026-01-01T00:00:00Z","to""#,
    );
    let text = SPDX.replace("RELATIONSHIP", &withdrawn);
    assert!(claims("vex", &text).is_err());
    assert_eq!(claims("sbom", &text).unwrap().len(), 1);
    let broken = fixed.replace(r#""from""#, r#""form""#);
    let error = claims("vex", &SPDX.replace("RELATIONSHIP", &broken)).unwrap_err();
    assert_eq!(error.place(), "$.@graph[6].from");
}

#[test]
fn whoever_assesses_a_part_of_something_has_assessed_the_part() {
    let both = r#"{"type":"Relationship","spdxId":"https://e.org/h","from":"https://e.org/b","relationshipType":"hasAssociatedVulnerability","to":["https://e.org/v"]},
        {"type":"security_VexFixedVulnAssessmentRelationship","spdxId":"https://e.org/r","from":"https://e.org/v","to":["https://e.org/a"],"security_assessedElement":"https://e.org/b"}"#;
    assert_eq!(
        lines("vex", &SPDX.replace("RELATIONSHIP", both)),
        ["CVE-1=GHSA-1 fixed - pkg:npm/a@1 > pkg:npm/b@1"]
    );
}

/// What holds for a time only is told, and clears nothing.
#[test]
fn what_holds_for_a_time_is_left_out() {
    let inner = "pkg:npm/a@1 > pkg:npm/b@1";
    let has = r#"{"type":"Relationship","spdxId":"https://e.org/h","from":"https://e.org/b","relationshipType":"hasAssociatedVulnerability","to":["https://e.org/v"]}"#;
    let fixed = r#"{"type":"security_VexFixedVulnAssessmentRelationship","spdxId":"https://e.org/r","from":"https://e.org/v","to":["https://e.org/b"]}"#;
    for (status, times, is_left_out) in [
        ("Fixed", r#""endTime":"2026-01-01T00:00:00Z""#, true),
        ("Fixed", r#""endTime":"2030-01-01T00:00:00Z""#, true),
        ("Fixed", r#""startTime":"2030-01-01T00:00:00Z""#, true),
        ("Fixed", r#""startTime":"2026-01-01T00:00:00Z""#, false),
        ("Affected", r#""endTime":"2026-01-01T00:00:00Z""#, true),
        ("Affected", r#""startTime":"2030-01-01T00:00:00Z""#, true),
        ("Affected", r#""endTime":"2030-01-01T00:00:00Z""#, false),
    ] {
        let timed = fixed
            .replace("Fixed", status)
            .replace(r#""to""#, &format!(r#"{times},"to""#));
        let text = SPDX.replace("RELATIONSHIP", &timed);
        assert_eq!(lines("sbom", &text).is_empty(), is_left_out, "{times}");
        let notes: Vec<(String, String)> = claims("sbom", &text)
            .unwrap()
            .into_iter()
            .flat_map(|claim| claim.summary)
            .filter(|(_, text)| text.contains("is left out"))
            .collect();
        assert_eq!(notes.len(), usize::from(is_left_out), "{times}");
        // Then nobody says whether it matters.
        let text = SPDX.replace("RELATIONSHIP", &format!("{has},{timed}"));
        let open = format!("CVE-1=GHSA-1 under_investigation - {inner}");
        assert_eq!(lines("vex", &text) == [open], is_left_out, "{times}");
    }
    let text = SPDX.replace(
        "RELATIONSHIP",
        &fixed.replace(r#""to""#, r#""endTime":"soon","to""#),
    );
    let error = claims("vex", &text).unwrap_err();
    assert!(error.place().ends_with(".endTime"), "{error}");
}

/// Nobody can tell which of two elements an id means, whichever of them stands last.
#[test]
fn an_id_of_two_elements_is_of_neither() {
    let fixed = r#"{"type":"security_VexFixedVulnAssessmentRelationship","spdxId":"https://e.org/r","from":"https://e.org/v","to":["https://e.org/TO"]}"#;
    let package = |id: &str, name: &str| {
        format!(
            r#"{{"type":"software_Package","spdxId":"https://e.org/{id}","name":"b","externalIdentifier":[
      {{"type":"ExternalIdentifier","externalIdentifierType":"packageUrl","identifier":"pkg:npm/{name}@1"}}]}}"#
        )
    };
    let with = |more: &str, to: &str| {
        let both = format!("{more},{}", fixed.replace("TO", to));
        SPDX.replace("RELATIONSHIP", &both)
    };
    let vulnerability =
        r#"{"type":"security_Vulnerability","spdxId":"https://e.org/v","name":"CVE-2"}"#;
    for (more, to, place) in [
        (package("b", "other"), "b", "$.@graph[7]"),
        (package("a", "other"), "b", "$.@graph"),
        (vulnerability.to_owned(), "b", "$.@graph[7]"),
    ] {
        for kind in ["vex", "sbom"] {
            let error = claims(kind, &with(&more, to)).unwrap_err();
            assert_eq!(error.place(), place, "{more}");
            assert!(error.to_string().contains("of several elements"), "{error}");
        }
    }
    // What is said of another is read, and one that is listed twice is one.
    let line = "CVE-1=GHSA-1 fixed - pkg:npm/a@1";
    assert_eq!(lines("vex", &with(&package("b", "other"), "a")), [line]);
    let line = "CVE-1=GHSA-1 fixed - pkg:npm/a@1 > pkg:npm/b@1";
    assert_eq!(lines("vex", &with(&package("b", "b"), "b")), [line]);
}

/// One element that says two things clears nothing, and neither does the rest of its document.
#[test]
fn a_class_and_a_relationship_that_contradict_each_other_are_refused() {
    let relation = |class: &str, relationship: &str, more: &str| {
        let element = format!(
            r#"{{"type":"security_Vex{class}VulnAssessmentRelationship","spdxId":"https://e.org/r",
            "from":"https://e.org/v","to":["https://e.org/a"]{relationship}{more}}}"#
        );
        claims("vex", &SPDX.replace("RELATIONSHIP", &element))
    };
    let why = r#","security_impactStatement":"not built in""#;
    let classes = [
        ("Affected", "affects"),
        ("NotAffected", "doesNotAffect"),
        ("Fixed", "fixedIn"),
        ("UnderInvestigation", "underInvestigationFor"),
    ];
    let terms = "https://spdx.org/rdf/3.0.1/terms/Core/RelationshipType/";
    for (class, demanded) in classes {
        let others = ["hasAssociatedVulnerability", "other"];
        for stated in classes.map(|(_, stated)| stated).into_iter().chain(others) {
            for stated in [stated.to_owned(), format!("{terms}{stated}")] {
                let stated = format!(r#","relationshipType":"{stated}""#);
                let outcome = relation(class, &stated, why);
                if stated.contains(demanded) {
                    assert_eq!(outcome.unwrap().len(), 1, "{class} {stated}");
                    continue;
                }
                let error = outcome.unwrap_err();
                assert_eq!(error.place(), "$.@graph[6].relationshipType");
                assert!(error.to_string().contains(demanded), "{error}");
            }
        }
        let error = relation(class, r#","relationshipType":["affects"]"#, why).unwrap_err();
        assert_eq!(error.place(), "$.@graph[6].relationshipType");
        // What was taken back says nothing, whatever it is.
        let withdrawn = r#","security_withdrawnTime":"2026-01-01T00:00:00Z""#;
        let nothing = relation(class, r#","relationshipType":"other""#, withdrawn).unwrap_err();
        assert!(nothing.to_string().contains("was withdrawn"), "{nothing}");
    }
}

#[test]
fn what_is_not_affected_without_a_reason_is_refused() {
    let said = |reason: &str| {
        let element = format!(
            r#"{{"type":"security_VexNotAffectedVulnAssessmentRelationship","spdxId":"https://e.org/r",
            "from":"https://e.org/v","relationshipType":"doesNotAffect","to":["https://e.org/a"]{reason}}}"#
        );
        claims("vex", &SPDX.replace("RELATIONSHIP", &element))
    };
    for reason in [
        r#","security_justificationType":"componentNotPresent""#,
        r#","security_impactStatement":"not built in""#,
        r#","impactStatement":"not built in""#,
    ] {
        assert_eq!(said(reason).unwrap().len(), 1, "{reason}");
    }
    for reason in [
        "",
        r#","security_impactStatement":"""#,
        r#","security_statusNotes":"we looked""#,
    ] {
        let error = said(reason).unwrap_err();
        assert_eq!(error.place(), "$.@graph[6]", "{reason}");
        assert!(error.to_string().contains("neither"), "{error}");
    }
}

/// As in CSAF and CycloneDX: nobody can tell which of both versions is meant.
#[test]
fn a_package_of_two_versions_is_cleared_in_neither() {
    let assessed = |class: &str| {
        format!(
            r#"{{"type":"security_Vex{class}VulnAssessmentRelationship","spdxId":"https://e.org/r","from":"https://e.org/v","to":["https://e.org/b"],"security_impactStatement":"i"}}"#
        )
    };
    let has = r#"{"type":"Relationship","spdxId":"https://e.org/h","from":"https://e.org/b","relationshipType":"hasAssociatedVulnerability","to":["https://e.org/v"]}"#;
    let (neither, both) = ("pkg:npm/b?vers=1%202.0.0", "pkg:npm/b@1 > pkg:npm/b@2.0.0");
    for (stated, relation, expected, told) in [
        (
            "2.0.0",
            &*assessed("NotAffected"),
            format!("not_affected - A > {neither}"),
            true,
        ),
        (
            "2.0.0",
            &*assessed("Fixed"),
            format!("fixed - A > {neither}"),
            true,
        ),
        (
            "2.0.0",
            &*assessed("Affected"),
            format!("affected - A > {both}"),
            true,
        ),
        (
            "2.0.0",
            has,
            format!("under_investigation - A > {both}"),
            true,
        ),
        (
            "1.0",
            &*assessed("Fixed"),
            "fixed - A > pkg:npm/b@1".to_owned(),
            false,
        ),
        (
            "",
            &*assessed("Fixed"),
            "fixed - A > pkg:npm/b@1".to_owned(),
            false,
        ),
    ] {
        let version = format!(r#""spdxId":"https://e.org/b","software_packageVersion":"{stated}""#);
        let text = SPDX
            .replace(r#""spdxId":"https://e.org/b""#, &version)
            .replace("RELATIONSHIP", relation);
        let expected = expected.replace("A >", "pkg:npm/a@1 >");
        assert_eq!(lines("vex", &text), [format!("CVE-1=GHSA-1 {expected}")]);
        let claim = claims("vex", &text).unwrap().remove(0);
        let mut notes = claim.summary.iter();
        let is_told = notes.any(|(_, note)| note.contains("clears neither"));
        assert_eq!(is_told, told, "{stated} {relation}");
    }
}

/// JSON-LD has a list of one without the list, too.
#[test]
fn a_relationship_leads_to_a_list_or_to_one() {
    let relation = r#"{"type":"security_CvssV3VulnAssessmentRelationship","spdxId":"https://e.org/s","from":"https://e.org/v","to":"https://e.org/b","security_severity":"low"},
        {"type":"security_VexFixedVulnAssessmentRelationship","spdxId":"https://e.org/r","from":"https://e.org/v","to":"https://e.org/b"}"#;
    let text = SPDX.replace("RELATIONSHIP", relation);
    let line = "CVE-1=GHSA-1 fixed - pkg:npm/a@1 > pkg:npm/b@1";
    assert_eq!(lines("vex", &text), [line]);
    let claim = claims("vex", &text).unwrap().remove(0);
    let vex = Vex::parse(&claim.predicate).unwrap();
    assert_eq!(vex.statements[0].severities[0].1, "low");
    let has = r#"{"type":"Relationship","spdxId":"https://e.org/h","from":"https://e.org/b","relationshipType":"hasAssociatedVulnerability","to":"https://e.org/v"}"#;
    let line = "CVE-1=GHSA-1 under_investigation - pkg:npm/a@1 > pkg:npm/b@1";
    assert_eq!(lines("vex", &SPDX.replace("RELATIONSHIP", has)), [line]);
    for to in ["7", "[7]", r#""""#] {
        let text = text.replace(r#""to":"https://e.org/b"}"#, &format!(r#""to":{to}}}"#));
        assert!(claims("vex", &text).is_err(), "{to}");
    }
}

/// A package has an address and identifiers, all of which are of it.
#[test]
fn identifiers_of_a_package_are_cleared_as_far_as_all_name_it() {
    for (address, more, cleared, against) in [
        ("pkg:npm/b@1", "", "pkg:npm/b@1", "pkg:npm/b@1"),
        (
            "pkg:npm/b@2",
            "",
            "pkg:npm/b?vers=2%201 > pkg:npm/b?vers=1%202",
            "pkg:npm/b@2 > pkg:npm/b@1",
        ),
        ("pkg:npm/b", "", "pkg:npm/b@1", "pkg:npm/b > pkg:npm/b@1"),
        ("pkg:npm/c", "", "pkg:npm/b@1", "pkg:npm/c > pkg:npm/b@1"),
        (
            "pkg:npm/b@1",
            r#","software_packageVersion":"2""#,
            "pkg:npm/b?vers=1%202",
            "pkg:npm/b@1 > pkg:npm/b@2",
        ),
    ] {
        let package =
            format!(r#""spdxId":"https://e.org/b","software_packageUrl":"{address}"{more}"#);
        for (class, products) in [("Fixed", cleared), ("Affected", against)] {
            let relation = format!(
                r#"{{"type":"security_Vex{class}VulnAssessmentRelationship","spdxId":"https://e.org/r","from":"https://e.org/v","to":["https://e.org/b"]}}"#
            );
            let text = SPDX
                .replace(r#""spdxId":"https://e.org/b""#, &package)
                .replace("RELATIONSHIP", &relation);
            let status = class.to_lowercase();
            let line = format!("CVE-1=GHSA-1 {status} - pkg:npm/a@1 > {products}");
            assert_eq!(lines("vex", &text), [line]);
        }
    }
}
