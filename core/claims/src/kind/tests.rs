use super::endorsement::Endorsement;
use super::key_compromise::KeyCompromise;
use super::*;
use crate::statement::Subject;
use assay_tlog::Hash;

const HEX: &str = "0000000000000000000000000000000000000000000000000000000000000000";

#[test]
fn no_uri_stands_for_two_types() {
    let uris: Vec<_> = types().flat_map(|known| known.uris).collect();
    for (i, uri) in uris.iter().enumerate() {
        assert!(!uris[..i].contains(uri), "{uri}");
        assert!(
            check(uri, &Value::Object(vec![])).is_err(),
            "{uri} takes anything"
        );
        assert!(check(uri, &Value::Null).is_err(), "{uri} takes nothing");
    }
    check("https://example.org/unknown", &Value::Null).unwrap();
}

#[test]
fn endorsements_and_compromises_are_about_the_issuer_that_they_name() {
    let issuer = crate::issuer::IssuerId::from_hex(HEX).unwrap();
    let endorsement = Endorsement {
        issuer,
        role: "auditor".into(),
        scope: vec![crate::purl::Pattern::parse("pkg:cargo/*").unwrap()],
        may_delegate: 0,
        valid_from: None,
        valid_until: Timestamp::parse("2027-01-01T00:00:00Z").unwrap(),
    };
    let key = crate::claim::PublicKey::from(&crate::claim::SigningKey::from_bytes(&[1; 32]));
    let compromise = KeyCompromise {
        issuer,
        key,
        origin: "log.example".into(),
        from_index: 0,
        from_time: Timestamp::parse("2026-11-22T18:41:48Z").unwrap(),
        reason: None,
    };
    for statement in [
        endorsement.statement().unwrap(),
        compromise.statement().unwrap(),
    ] {
        Body::of(&statement).unwrap();
        let elsewhere = vec![Subject::artifact(None, &Hash::of(b""))];
        let elsewhere = Statement::new(
            elsewhere,
            statement.predicate_type(),
            statement.predicate().clone(),
        );
        assert_eq!(Body::of(&elsewhere.unwrap()).unwrap_err().path, "$.subject");
    }
}

#[test]
fn a_reference_says_where_and_what() {
    let good = r#"{"attester":{"id":"a"},"references":[{"downloadLocation":"l","mediaType":"m","uri":"u"}]}"#;
    let outcome = |text: &str| {
        check(
            reference::URI,
            &crate::json::parse(text.as_bytes()).unwrap(),
        )
    };
    outcome(good).unwrap();
    for (gone, path) in [
        (r#""id":"a""#, "$.predicate.attester.id"),
        (
            r#""downloadLocation":"l","#,
            "$.predicate.references[0].downloadLocation",
        ),
        (r#""mediaType":"m","#, "$.predicate.references[0].mediaType"),
        (r#","uri":"u""#, "$.predicate.references[0]"),
    ] {
        assert_eq!(outcome(&good.replacen(gone, "", 1)).unwrap_err().path, path);
    }
}

#[test]
fn every_type_is_of_a_kind_and_every_kind_has_types() {
    for known in types() {
        for uri in known.uris {
            let kind = Kind::of(uri);
            assert_eq!(kind.short_name(), Some(known.short_name()), "{uri}");
            assert!(kind.uris().any(|of_kind| of_kind == *uri), "{uri}");
        }
    }
    for kind in Kind::ALL {
        assert_eq!(kind.short_name().and_then(Kind::named), Some(*kind));
        assert!(kind.uris().next().is_some(), "{kind:?}");
    }
}

#[test]
fn types_that_are_not_read_are_told_apart() {
    for (uri, unread) in [
        ("urn:assay:finding:v1", Unread::Finding),
        ("urn:assay:finding-commitment:v1", Unread::FindingCommitment),
        (
            "https://slsa.dev/verification_summary/v1",
            Unread::Authenticity,
        ),
        ("urn:assay:audit:v2", Unread::Unknown),
    ] {
        assert_eq!(Kind::of(uri), Kind::Other(unread), "{uri}");
        assert_eq!(Body::read(uri, &Value::Null), Ok(Body::Other(unread)));
        assert_eq!(Kind::of(uri).uris().next(), None);
    }
}
