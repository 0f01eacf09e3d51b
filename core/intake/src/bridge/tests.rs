//! Records of each source.

use super::{NoTrust, Record, Says, bridge};
use crate::documents::Prepared;
use assay_claims::json::{self, Value};
use assay_tlog::Hash;

const NOW: &str = "2026-11-22T18:41:48Z";

fn read(name: &str, place: &str, text: &str) -> Vec<Record> {
    let bridge = bridge(name).unwrap();
    bridge.read(place, text.as_bytes(), NOW, &NoTrust).unwrap()
}

fn osv_record(more: &str) -> String {
    format!(r#"{{"id":"X-1","modified":"2026-01-01T00:00:00Z"{more}}}"#)
}

const AFFECTED: &str = r#","affected":[{"package":{"ecosystem":"npm","name":"a"}}]"#;

#[test]
fn a_record_stands_was_withdrawn_or_says_nothing() {
    let outcome = |more: &str| read("osv", "a.json", &osv_record(more)).remove(0).says;
    assert!(matches!(outcome(AFFECTED), Says::Claims(claims) if claims.len() == 1));
    let withdrawn = format!(r#"{AFFECTED},"withdrawn":"2026-02-01T00:00:00Z""#);
    assert_eq!(outcome(&withdrawn), Says::Withdrawn);
    for nothing in [
        "",
        r#","affected":[]"#,
        r#","affected":[{"package":{"ecosystem":"Nowhere","name":"a"}}]"#,
    ] {
        assert!(matches!(outcome(nothing), Says::Nothing(_)), "{nothing}");
    }
    let bridge = bridge("osv").unwrap();
    for wrong in ["{", "[]", "{}", r#"{"id":"X-1"}"#] {
        assert!(
            bridge
                .read("a.json", wrong.as_bytes(), NOW, &NoTrust)
                .is_err(),
            "{wrong}"
        );
    }
}

#[test]
fn what_is_said_is_told_from_when_it_was_looked_at() {
    let print = |text: &str| read("osv", "a.json", text)[0].print().unwrap();
    let first = osv_record(AFFECTED);
    assert_eq!(
        print(&first),
        print(&first.replace("2026-01-01", "2026-01-02"))
    );
    assert_ne!(print(&first), print(&first.replace(r#""a""#, r#""b""#)));
    let aliases = first.replace(r#""affected""#, r#""aliases":["CVE-1"],"affected""#);
    assert_ne!(print(&first), print(&aliases));
}

#[test]
fn a_claim_of_a_bridge_says_that_it_is_one() {
    let document = Hash::of(b"document");
    let record = read("osv", "a.json", &osv_record(AFFECTED)).remove(0);
    let bridge = bridge("osv").unwrap();
    let claim = record.republished(bridge, &document, 3).remove(0);
    assert_eq!(claim.attachment, None);
    let text = |pointer: &str| {
        let value = claim.predicate.pointer(pointer).cloned();
        value.map(|value| value.to_json())
    };
    for (pointer, expected) in [
        ("/republished/from", Some("\"OSV\"".to_owned())),
        ("/republished/record", Some("\"X-1\"".to_owned())),
        (
            "/republished/sha256",
            Some(format!("\"{}\"", document.to_hex())),
        ),
        (
            "/republished/license",
            Some("\"that of the record's database\"".to_owned()),
        ),
        ("/republished/revision", Some("3".to_owned())),
        ("/version", Some("3".to_owned())),
        (
            "/author",
            Some("\"a bridge of OSV, not its own words\"".to_owned()),
        ),
        ("/attachments", None),
    ] {
        assert_eq!(text(pointer), expected, "{pointer}");
    }
    assert!(
        text("/republished/note")
            .unwrap()
            .contains("not the author's own words")
    );
    claim.check().unwrap();
}

#[test]
fn answers_of_all_products_and_of_the_old_api_are_told_apart() {
    let product = |name: &str| {
        format!(
            r#"{{"name":"{name}","identifiers":[{{"type":"purl","id":"pkg:generic/{name}"}}],
            "releases":[{{"name":"1","isEol":true,"eolFrom":null}}]}}"#
        )
    };
    let all = format!(
        r#"{{"schema_version":"1.2.0","total":2,"result":[{},{}]}}"#,
        product("p"),
        product("q")
    );
    let records = read("endoflife", "full.json", &all);
    let keys: Vec<&str> = records.iter().map(|record| record.key.as_str()).collect();
    assert_eq!(keys, ["p/1", "q/1"]);
    // Since when it has ended nobody says: it is no other end whenever somebody looks again.
    let bridge = bridge("endoflife").unwrap();
    let later = "2027-01-01T00:00:00Z";
    let later = bridge.read("full.json", all.as_bytes(), later, &NoTrust);
    assert_eq!(records[0].print(), later.unwrap()[0].print());
    let ended = all.replace("\"eolFrom\":null", "\"eolFrom\":\"2020-01-01\"");
    let ended = read("endoflife", "full.json", &ended);
    assert_ne!(records[0].print(), ended[0].print());
    let old = br#"[{"cycle":"1","eol":false}]"#;
    let refused = bridge.read("p.json", old, NOW, &NoTrust).unwrap_err();
    assert!(refused.to_string().contains("/products/full"), "{refused}");
}

#[test]
fn what_a_source_has_beside_its_records_is_passed_over_or_sent_elsewhere() {
    let yaml = "id: X-1\nmodified: 2026-01-01T00:00:00Z\naffected:\n- package:\n    ecosystem: \
        npm\n    name: a\n";
    let of_json = read("osv", "a.json", &osv_record(AFFECTED));
    let of_yaml = read("osv", "vulns/a/X-1.yaml", yaml);
    assert_eq!(of_yaml[0].print(), of_json[0].print());
    assert_eq!(read("osv", "mkdocs.yml", "site_name: x\n"), []);
    let workflow = "on: push\njobs:\n  a: {}\n";
    let si = "security-insights";
    assert_eq!(read(si, "p/.github/workflows/a.yml", workflow), []);
    let named = bridge(si).unwrap();
    let wrong = named.read(
        "p/.github/SECURITY-INSIGHTS.yml",
        workflow.as_bytes(),
        NOW,
        &NoTrust,
    );
    assert!(wrong.is_err());
    let tracker = br#"{"a":{"CVE-2099-1":{"releases":{"trixie":{"status":"open"}}}}}"#;
    let debian = bridge("debian").unwrap();
    let refused = debian.read("data.json", tracker, NOW, &NoTrust);
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("Debian/all.zip"), "{refused}");
}

#[test]
fn each_cycle_of_a_product_is_a_record() {
    let product = r#"{"schema_version":"1.2.0","last_modified":"2026-01-01T00:00:00+00:00",
        "result":{"name":"p","identifiers":[{"type":"purl","id":"pkg:generic/p"}],
        "releases":[{"name":"1","isEol":false,"eolFrom":"2030-01-01"},
        {"name":"2","isEol":false,"eolFrom":"2031-01-01"}]}}"#;
    let records = read("endoflife", "p.json", product);
    let keys: Vec<&str> = records.iter().map(|record| record.key.as_str()).collect();
    assert_eq!(keys, ["p/1", "p/2"]);
    let later = read("endoflife", "p.json", &product.replace("2031", "2032"));
    assert_eq!(records[0].print(), later[0].print());
    assert_ne!(records[1].print(), later[1].print());
    let claim = records[0].clone();
    let bridge = bridge("endoflife").unwrap();
    let claim = claim.republished(bridge, &Hash::of(b""), 1).remove(0);
    let role = claim.predicate.pointer("/role").and_then(Value::as_str);
    assert!(
        role.unwrap().contains("bridge of endoflife.date"),
        "{role:?}"
    );
    claim.check().unwrap();
    // Without a package URL nobody would find it.
    let unnamed = product.replace("purl\"", "cpe\"");
    let records = read("endoflife", "p.json", &unnamed);
    assert!(matches!(records[0].says, Says::Nothing(_)));
}

#[test]
fn each_set_of_versions_of_a_component_is_a_record() {
    let component = r#"{"identifier":"pkg:npm/a","updatedAt":"2026-01-01T00:00:00Z","events":[
        {"id":2,"type":"endOfLife","effective":"2030-01-01T00:00:00Z","versions":["2"],
        "published":"2026-01-01T00:00:00Z"},
        {"id":1,"type":"endOfLife","effective":"2029-01-01T00:00:00Z","versions":["1"],
        "published":"2026-01-01T00:00:00Z"}]}"#;
    let records = read("cle", "a.json", component);
    let keys: Vec<&str> = records.iter().map(|record| record.key.as_str()).collect();
    let expected = ["2", "1"].map(|one| format!("pkg:npm/a {{\"version\":\"{one}\"}}"));
    assert_eq!(keys, expected);
    let later = read("cle", "a.json", &component.replace("2030", "2031"));
    assert_eq!(records[1].print(), later[1].print());
    assert_ne!(records[0].print(), later[0].print());
    // Without a package URL nobody would find it; and another document is none of the source's.
    let unnamed = component.replace("pkg:npm/a", "a");
    assert!(matches!(
        read("cle", "a.json", &unnamed)[0].says,
        Says::Nothing(_)
    ));
    assert_eq!(read("cle", "a.json", r#"{"pages":[]}"#), []);
    // A page of several may be without a withdrawal: it is an error, so nothing is withdrawn.
    let page = component.replace(r#""events""#, r#""next":"b","events""#);
    let bridge = bridge("cle").unwrap();
    assert!(
        bridge
            .read("a.json", page.as_bytes(), NOW, &NoTrust)
            .is_err()
    );
}

#[test]
fn each_review_is_a_record_that_is_named_by_what_it_says() {
    let audit = |notes: &str| {
        format!(
            "[[audits.a]]\nwho = \"A\"\ncriteria = \"safe-to-deploy\"\n\
             version = \"1.0.0\"\nnotes = \"{notes}\"\n"
        )
    };
    let first = read("cargo-vet", "x/audits.toml", &audit("one"));
    let both = read(
        "cargo-vet",
        "x/audits.toml",
        &(audit("one") + &audit("two")),
    );
    assert_eq!((first.len(), both.len()), (1, 2));
    assert_eq!(first[0].key, both[0].key);
    assert_ne!(both[0].key, both[1].key);
}

#[test]
fn a_score_is_the_record_of_its_repository() {
    let score = |date: &str, score: &str, name: &str| {
        format!(
            r#"{{"date":"{date}","repo":{{"name":"{name}",
            "commit":"68bc59901773ab4c051dfcea0cc4201a1567ab32"}},
            "scorecard":{{"version":"v5.0.0","commit":"x"}},"score":{score},
            "checks":[{{"name":"SAST","score":10,"reason":"r","details":null}}],
            "metadata":null}}"#
        )
    };
    let read = |text: String| read("scorecard", "a.json", &text).remove(0);
    let first = read(score("2026-01-01", "8.9", "github.com/o/r"));
    assert_eq!(first.key, "github.com/o/r");
    let later = read(score("2026-01-08", "8.9", "github.com/o/r"));
    assert_eq!(first.print(), later.print());
    let worse = read(score("2026-01-08", "7.9", "github.com/o/r"));
    assert_ne!(first.print(), worse.print());
}

#[test]
fn advisories_of_rust_itself_and_other_pages_are_passed_over() {
    let advisory = "```toml\n[advisory]\nid = \"RUSTSEC-2099-0001\"\npackage = \"a\"\n\
        date = \"2099-01-02\"\n[versions]\npatched = []\n```\n# A\n";
    let outcome = |place: &str, text: &str| {
        let mut records = read("rustsec", place, text);
        records.pop().map(|record| (record.key, record.says))
    };
    let key = "RUSTSEC-2099-0001";
    let crates = outcome(&format!("crates/a/{key}.md"), advisory).unwrap();
    assert!(crates.0 == key && matches!(crates.1, Says::Claims(_)));
    let rust = outcome(&format!("rust/std/{key}.md"), advisory).unwrap();
    assert!(matches!(rust.1, Says::Nothing(_)));
    let withdrawn = advisory.replace("[versions]", "withdrawn = \"2099-02-01\"\n[versions]");
    let withdrawn = outcome(&format!("crates/a/{key}.md"), &withdrawn).unwrap();
    assert_eq!(withdrawn.1, Says::Withdrawn);
    assert_eq!(outcome("README.md", "# Read me"), None);
}

/// Members of these names are the author's and the edition's in VEX alone.
#[test]
fn what_others_signed_is_not_rewritten() {
    let predicate = r#"{"author":"A","version":7,"role":"r","attachments":[]}"#;
    let claim = Prepared {
        predicate_type: "https://example.org/signed/v1".into(),
        predicate: json::parse(predicate.as_bytes()).unwrap(),
        subjects: Vec::new(),
        summary: Vec::new(),
        attachment: None,
        is_beside: false,
    };
    let record = Record {
        key: "a".into(),
        says: Says::Claims(vec![claim]),
    };
    let bridge = bridge("npm").unwrap();
    let claim = record.republished(bridge, &Hash::of(b""), 2).remove(0);
    let text = claim.predicate.to_json();
    let (signed, ours) = text.split_once(r#","republished":"#).unwrap();
    assert_eq!(format!("{signed}}}"), predicate);
    assert!(ours.contains("npm registry"), "{ours}");
}
