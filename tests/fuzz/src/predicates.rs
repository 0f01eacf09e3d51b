//! Predicates: one target for each kind of claims.

use crate::target::Target;
use crate::world::{ORIGIN, issuer, signing_key};
use assay_claims::claim::PublicKey;
use assay_claims::json::{self, Value};
use assay_claims::kind::audit::Audit;
use assay_claims::kind::endorsement::Endorsement;
use assay_claims::kind::issuer::Issuer;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_claims::kind::practice::Practice;
use assay_claims::kind::registry_status::RegistryStatus;
use assay_claims::kind::requirement::Requirement;
use assay_claims::kind::response::Response;
use assay_claims::kind::withdrawal::Withdrawal;
use assay_claims::kind::{self, Body, Kind, PredicateError};
use assay_claims::limits;

pub fn targets() -> Vec<Target> {
    let key = PublicKey::from(&signing_key()).to_hex();
    let record = format!(
        r#"{{"name":"a","keys":["{key}"],"threshold":1,"sequence":0,
            "contacts":["a@host.example"]}}"#
    );
    let compromise = format!(
        r#"{{"issuer":"{}","key":"{key}","origin":"{ORIGIN}","fromIndex":0,
            "fromTime":"2026-11-22T18:41:48Z"}}"#,
        issuer().to_hex()
    );
    let all = Kind::ALL
        .iter()
        .filter_map(|kind| Some((*kind, kind.short_name()?)));
    all.map(|(kind, name)| {
        let target = Target::new(&format!("predicate-{name}"), move |bytes| {
            predicate(kind, bytes)
        });
        match kind {
            Kind::Issuer => target.with([record.as_str()]),
            Kind::KeyCompromise => target.with([compromise.as_str()]),
            _ => target,
        }
    })
    .collect()
}

/// What is read is read again from what is written of it; a field that nobody knows changes
/// nothing; and names of vulnerabilities and claims are bounded, whether or not it is read.
fn predicate(kind: Kind, bytes: &[u8]) -> bool {
    let Ok(value) = json::parse(bytes) else {
        return false;
    };
    let mut accepted = false;
    for uri in kind.uris() {
        let vulnerabilities = kind::vulnerability_ids(uri, &value);
        assert!(vulnerabilities.len() <= limits::VULNERABILITIES);
        let target = kind::target(uri, &value);
        let Ok(body) = Body::read(uri, &value) else {
            continue;
        };
        accepted = true;
        assert_eq!(body.kind(), kind);
        assert_eq!(kind::check(uri, &value), Ok(()));
        assert_eq!(kind::target(uri, &value), target);
        let written = json::parse(value.to_json().as_bytes()).unwrap();
        assert_eq!(Body::read(uri, &written).as_ref(), Ok(&body));
        assert!(reads_back(&body), "{body:?}");
    }
    accepted
}

/// Whether what we write of a predicate is read as that predicate, if we write such ones.
fn reads_back(body: &Body) -> bool {
    fn same<T: PartialEq>(
        one: &T,
        parse: fn(&Value) -> Result<T, PredicateError>,
        written: Value,
    ) -> bool {
        parse(&written).as_ref() == Ok(one)
    }
    match body {
        Body::Issuer(one) => same(one, Issuer::parse, one.to_value()),
        Body::Endorsement(one) => same(one, Endorsement::parse, one.to_value()),
        Body::Withdrawal(one) => same(one, Withdrawal::parse, one.to_value()),
        Body::Response(one) => same(one, Response::parse, one.to_value()),
        Body::KeyCompromise(one) => same(one, KeyCompromise::parse, one.to_value()),
        Body::Audit(one) => same(one, Audit::parse, one.to_value()),
        Body::Practice(one) => same(one, Practice::parse, one.to_value()),
        Body::RegistryStatus(one) => same(one, RegistryStatus::parse, one.to_value()),
        Body::Requirement(one) => same(one, Requirement::parse, one.to_value()),
        _ => true,
    }
}
