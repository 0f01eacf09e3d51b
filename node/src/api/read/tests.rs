//! That the document says what the routes are, and what is read of a query.

use super::*;
use assay_claims::index::{By, Kind, Label, Name};
use assay_claims::issuer::IssuerId;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

const ISSUER: &str = "5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a";

fn look_up(query: &str) -> Result<LookUp, (String, Option<String>)> {
    let asked = Asked::read(query, ROUTES[0].query).and_then(|asked| asked.look_up());
    asked.map_err(|status| {
        let problem = problem_of(status);
        let text = |name: &str| problem[name].as_str().map(str::to_owned);
        (text("code").unwrap(), text("field"))
    })
}

/// A problem as its reader has it.
fn problem_of(status: Status) -> Value {
    let response = Problem::from(status).into_response();
    let body = axum::body::to_bytes(response.into_body(), usize::MAX);
    let body = futures::executor::block_on(body).unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn the_document_has_every_route_and_every_parameter() {
    let document: Value = serde_json::from_str(DOCUMENT).unwrap();
    let mut told = BTreeMap::new();
    for (path, route) in document["paths"].as_object().unwrap() {
        let mut query = BTreeSet::new();
        for parameter in route["get"]["parameters"].as_array().unwrap() {
            let name = parameter["name"].as_str().unwrap();
            if parameter["in"] == "query" {
                query.insert(name);
            } else if parameter["in"] == "path" {
                assert!(
                    path.ends_with(&format!("{{{name}}}")),
                    "{path} has no {name}"
                );
            }
        }
        assert!(route["get"]["responses"]["200"].is_object(), "{path}");
        let name = path.strip_prefix(VERSION).unwrap();
        let (name, has_id) = match name.split_once("/{") {
            None => (name, false),
            Some((name, _)) => (name, true),
        };
        told.insert((name, has_id), query);
    }
    let known = ROUTES.iter().map(|route| {
        let query = route.query.concat().into_iter().collect();
        ((route.name, route.has_id), query)
    });
    assert_eq!(told, known.collect());
}

#[test]
fn a_route_has_an_id_or_has_none() {
    for (path, right) in [
        ("/api/v1/lookup", Some(("lookup", ""))),
        ("/api/v1/claim/ab", Some(("claim", "ab"))),
        ("/api/v1/claim/a/b", Some(("claim", "a/b"))),
        ("/api/v1/claim", None),
        ("/api/v1/lookup/", None),
        ("/api/v1/lookup/ab", None),
        ("/api/v1/publish", None),
        ("/api/v1/", None),
        ("/api/v2/lookup", None),
    ] {
        let found = route(path).map(|(route, id)| (route.name, id));
        assert_eq!(found, right, "{path}");
    }
}

#[test]
fn names_are_those_of_the_index() {
    let by = By::issuer(&IssuerId::from_hex(ISSUER).unwrap());
    let half = &ISSUER[..32];
    let digits = "ab".repeat(32);
    for (query, kind, name) in [
        ("purl=pkg:cargo/serde", Kind::Package, "pkg:cargo/serde"),
        (
            "purl=pkg:cargo/serde@1.0",
            Kind::Version,
            "pkg:cargo/serde@1.0",
        ),
        (
            "purl=pkg:PyPI/Django_Rest",
            Kind::Package,
            "pkg:pypi/django-rest",
        ),
        (
            "purl=pkg:npm/%2540a/b@1%3Fx=y",
            Kind::Version,
            "pkg:npm/%40a/b@1",
        ),
        (
            "purl=pkg:cargo/a@1.0%2Bb",
            Kind::Version,
            "pkg:cargo/a@1.0%2Bb",
        ),
        ("vuln=CVE-2021-44228", Kind::Vuln, "CVE-2021-44228"),
        ("cve=cve-2021-44228", Kind::Vuln, "CVE-2021-44228"),
        (
            &format!("digest=sha256:{digits}"),
            Kind::Digest,
            &format!("sha256:{digits}"),
        ),
        (
            &format!("digest=sha256:{}", digits.to_uppercase()),
            Kind::Digest,
            &format!("sha256:{digits}"),
        ),
        (&format!("issuer={ISSUER}"), Kind::Issuer, ISSUER),
        (&format!("claim={digits}"), Kind::Claim, &digits),
    ] {
        let label = Label::of(Name::new(kind, name), by);
        for by in [ISSUER, half] {
            let Ok(LookUp::Page(page)) = look_up(&format!("{query}&by={by}&from=7&limit=3")) else {
                panic!("{query} is a page");
            };
            assert_eq!(page.label, label.as_bytes()[..], "{query}");
            assert_eq!((page.from, page.limit), (7, 3));
        }
        let Ok(LookUp::Who(who)) = look_up(query) else {
            panic!("{query} asks who speaks");
        };
        assert_eq!(
            who,
            Query::Census(Name::new(kind, name).prefix()),
            "{query}"
        );
    }
}

#[test]
fn what_is_no_question_is_refused_by_name() {
    for (query, field) in [
        (String::new(), "query"),
        ("x=1".into(), "query"),
        ("purl=pkg:cargo/a&purl=pkg:cargo/b".into(), "query"),
        ("purl=cargo/serde".into(), "purl"),
        (format!("purl=pkg:cargo/{}", "a".repeat(2000)), "purl"),
        ("purl=pkg:cargo/a@1.0+b".into(), "purl"),
        ("purl=pkg:cargo/a%0a".into(), "purl"),
        ("purl=pkg:cargo/%ff".into(), "query"),
        ("%ff=1".into(), "query"),
        ("vuln=".into(), "vuln"),
        ("vuln=CVE-2021-44228%20".into(), "vuln"),
        (format!("vuln={}", "A".repeat(129)), "vuln"),
        ("cve=".into(), "cve"),
        ("cve=GHSA-jfh8-c2jp-5v3q".into(), "cve"),
        ("cve=CVE-2021-4422+8".into(), "cve"),
        ("name=00".into(), "name"),
        ("label=00".into(), "label"),
        (format!("label={ISSUER}&by={ISSUER}"), "label"),
        (format!("label={ISSUER}&label={ISSUER}"), "label"),
        ("digest=md5:00".into(), "digest"),
        ("digest=sha256:00".into(), "digest"),
        (format!("digest=sha256:{}", "z".repeat(64)), "digest"),
        ("issuer=00".into(), "issuer"),
        ("claim=zz".into(), "claim"),
        ("vuln=a&by=00".into(), "by"),
        ("vuln=a&from=1".into(), "by"),
        (format!("vuln=a&by={ISSUER}&by={}", &ISSUER[..32]), "by"),
        (format!("label={ISSUER}&from=-1"), "from"),
        (format!("label={ISSUER}&limit=1e3"), "limit"),
        (format!("label={ISSUER}&limit=1&limit=1"), "limit"),
    ] {
        let Err((code, found)) = look_up(&query) else {
            panic!("{query} is refused");
        };
        assert_eq!(
            (&*code, found.as_deref()),
            ("INVALID_ARGUMENT", Some(field)),
            "{query}"
        );
    }
}

#[test]
fn a_batch_and_a_prefix_are_those_of_grpc() {
    let by = By::issuer(&IssuerId::from_hex(ISSUER).unwrap());
    let query = format!("vuln=b&vuln=a&by={ISSUER}");
    let batch = Asked::read(&query, ROUTES[1].query)
        .unwrap()
        .batch()
        .unwrap();
    let names = ["a", "b"].map(|id| Name::new(Kind::Vuln, id));
    assert_eq!(batch, Query::names(names.to_vec(), vec![by]));
    for query in ["", "vuln=a", &format!("by={ISSUER}")] {
        let refused = Asked::read(query, ROUTES[1].query).unwrap().batch();
        assert!(refused.is_err(), "{query}");
    }
    let prefix = |query: &str| Asked::read(query, ROUTES[2].query).unwrap().prefix();
    assert!(matches!(prefix("prefix=a0&bits=3"), Ok(Query::Census(it)) if it.bits() == 3));
    assert!(matches!(prefix("prefix=&bits=0"), Ok(Query::Census(it)) if it.bits() == 0));
    let crowd = prefix(&format!("prefix=a0&bits=3&by={ISSUER}"));
    assert!(matches!(crowd, Ok(Query::Crowd { by: it, .. }) if it == [by]));
    let too_many = format!("prefix={}&bits=129&by={ISSUER}", "00".repeat(17));
    for query in [
        "",
        "prefix=a0",
        "prefix=a0&bits=2",
        "prefix=x&bits=4",
        "bits=300",
        &too_many,
    ] {
        assert!(prefix(query).is_err(), "{query}");
    }
}

#[test]
fn a_late_answer_is_a_problem_that_a_page_may_read() {
    let response = late(&Method::GET);
    assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
    assert_eq!(
        response.headers()["content-type"],
        "application/problem+json"
    );
    assert_eq!(response.headers()["access-control-allow-origin"], "*");
    let body = axum::body::to_bytes(response.into_body(), usize::MAX);
    let body = futures::executor::block_on(body).unwrap();
    let problem: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(problem["code"], "DEADLINE_EXCEEDED");
    assert_eq!(problem["status"], 504);
}
