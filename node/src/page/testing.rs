//! What is said, for the tests of pages.

use assay_claims::kind::Kind;
use assay_client::report::{InLog, Line, Reply, Role, Voice};
use assay_policy::posture::Part;

/// Somebody, with a role or without.
pub fn voice(id: u8, has_role: bool) -> Voice {
    let role = Role {
        role: "auditor",
        endorsed_by: Vec::new(),
    };
    Voice {
        issuer_id: format!("{id:02x}").repeat(32),
        name: None,
        called: None,
        roles: has_role.then_some(role).into_iter().collect(),
        standing: "good".to_owned(),
        effect: true,
    }
}

/// What these say of a package, in the log of the example.
pub fn line(says: &str, issuers: Vec<Voice>) -> Line {
    let place = InLog {
        log: "log.example".to_owned(),
        leaf_index: 7,
        logged_at: "2026-01-31T08:05:09Z".to_owned(),
        logged_at_ms: 1_769_846_709_000,
    };
    Line {
        says: says.to_owned(),
        about: "pkg:cargo/a@1".to_owned(),
        kind: Some("lifecycle"),
        of: Kind::Lifecycle,
        part: Part::Whole,
        fact: None,
        vulnerabilities: Vec::new(),
        issuers,
        effect: true,
        why_not: None,
        claim_id: "ab".repeat(32),
        log: place.log.clone(),
        leaf_index: place.leaf_index,
        logged_at: place.logged_at.clone(),
        logged_at_ms: place.logged_at_ms,
        age_days: 0,
        logs: vec![place],
        target: None,
        vouches_for: None,
        responses: 0,
        disputes: 0,
        replies: Vec::new(),
    }
}

pub fn reply(says: &str, issuer: Voice) -> Reply {
    Reply {
        says: says.to_owned(),
        issuers: vec![issuer],
        effect: true,
        why_not: None,
        claim_id: "cd".repeat(32),
        log: "log.example".to_owned(),
        leaf_index: 9,
    }
}
