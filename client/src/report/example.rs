//! A report for the tests of the outputs: one component for each way to be.

use super::words::Reader;
use super::{
    Completeness, Component, Evidence, Gate, Head, Log, Named, Reason, Report, Stated,
    Vulnerability,
};
use crate::ask::{File, How, LogState, Note, Place, Unidentified};
use assay_claims::kind::vex::Status;
use assay_policy::rules::{Outcome, Severity};
use assay_policy::verdict::Cause;
use assay_tlog::Hash;
use assay_tlog::tlog_policy::Voices;

const NOW_MS: u64 = 1_769_846_909_000;

/// The report.
pub fn report() -> Report {
    let components = vec![
        component(
            "pkg:cargo/good@1.0.0",
            Some(3),
            vec![reason(
                "origin",
                Cause::Requirement,
                Outcome::Fine,
                vec![claim(1)],
            )],
        ),
        affected(),
        component(
            "pkg:cargo/nobody@1.0.0",
            None,
            vec![reason("unknown", Cause::Unknown, Outcome::Unknown, vec![])],
        ),
        component(
            "pkg:cargo/old@1.0.0",
            Some(9),
            vec![
                reason(
                    "support has ended",
                    Cause::Unsupported,
                    Outcome::Warn,
                    vec![claim(3)],
                ),
                reason("origin", Cause::Requirement, Outcome::Warn, vec![]),
            ],
        ),
        component(
            "pkg:cargo/short@1.0.0",
            Some(12),
            vec![reason("origin", Cause::Requirement, Outcome::Warn, vec![])],
        ),
    ];
    Report {
        about: None,
        policy: "policy.toml".into(),
        stops_at_unknown: true,
        ignores: vec![],
        gate: Gate::default(),
        reader: Reader::Owner,
        asked_at_ms: NOW_MS,
        how: How::Openly,
        logs: vec![log()],
        files: vec![file()],
        own: vec!["pkg:cargo/app@0.1.0".into()],
        components,
        questions: vec![],
        claims: vec![],
        versions: None,
        signed: None,
        others: None,
        keys: None,
        lacking: None,
        hints: vec![],
    }
}

fn affected() -> Component {
    let mut bad = component(
        "pkg:cargo/bad@1.0.0",
        Some(6),
        vec![reason(
            "exploitable",
            Cause::Affected,
            Outcome::Denied,
            vec![claim(2)],
        )],
    );
    bad.reasons[0].vulnerabilities = vec![Named {
        id: "CVE-2026-0001".into(),
        severity: Some(Severity::High),
    }];
    bad.vulnerabilities = vec![
        Vulnerability {
            id: "CVE-2026-0001".into(),
            severity: Some("high"),
            found: vec![claim(5)],
            stated: vec![Stated {
                status: Status::Affected,
                justification: None,
                claim: claim(2),
            }],
            cleared: None,
        },
        Vulnerability {
            id: "CVE-2026-0002".into(),
            severity: None,
            found: vec![],
            stated: vec![
                Stated {
                    status: Status::NotAffected,
                    justification: Some("vulnerable_code_not_present".into()),
                    claim: claim(2),
                },
                Stated {
                    status: Status::Fixed,
                    justification: None,
                    claim: stranger(),
                },
            ],
            cleared: Some(Status::NotAffected),
        },
        Vulnerability {
            id: "CVE-2026-0003".into(),
            severity: Some("low"),
            found: vec![claim(5)],
            stated: vec![],
            cleared: None,
        },
    ];
    bad
}

fn component(purl: &str, line: Option<u32>, reasons: Vec<Reason>) -> Component {
    let name = purl
        .trim_start_matches("pkg:cargo/")
        .trim_end_matches("@1.0.0");
    Component {
        purl: Some(purl.into()),
        name: name.into(),
        version: Some("1.0.0".into()),
        digests: [("sha256".to_owned(), vec!["ab".repeat(32)])].into(),
        places: vec![Place {
            file: "a b/Cargo.lock".into(),
            line,
        }],
        dev: false,
        optional: false,
        from_elsewhere: None,
        outcome: reasons
            .iter()
            .map(|reason| reason.outcome)
            .max()
            .unwrap_or(Outcome::Fine),
        reasons: reasons.into_iter().collect(),
        vulnerabilities: vec![],
    }
}

fn reason(rule: &str, cause: Cause, outcome: Outcome, claims: Vec<Evidence>) -> Reason {
    Reason {
        rule: rule.into(),
        cause,
        outcome,
        text: format!("What {rule} | means."),
        vulnerabilities: vec![],
        ignored: None,
        claims,
        stated: format!("What {rule} | means."),
        unspoken: None,
    }
}

fn claim(number: u64) -> Evidence {
    Evidence {
        claim_id: format!("{number:064x}"),
        log: "log.example".into(),
        leaf_index: number,
        issuer_id: "11".repeat(32),
        issuer: "the makers".into(),
        roles: vec!["maintainer"],
    }
}

fn stranger() -> Evidence {
    Evidence {
        issuer: "\"@somebody\" (222222222222…)".into(),
        issuer_id: "22".repeat(32),
        roles: vec![],
        ..claim(4)
    }
}

fn log() -> Log {
    Log {
        origin: "log.example".into(),
        url: Some("http://127.0.0.1:1".into()),
        mirror: None,
        completeness: Completeness::Complete,
        missing: None,
        state: LogState::Answered,
        spare: false,
        head: Some(Head {
            size: 1234,
            root: Hash::new([0; 32]),
            made_at_ms: NOW_MS - 180_000,
            checkpoint: "log.example\n1234\n".into(),
        }),
        voices: Voices::default(),
        quorum_at_ms: None,
        privacy: None,
    }
}

fn file() -> File {
    File {
        name: "a b/Cargo.lock".into(),
        format: "Cargo.lock",
        components: 5,
        notes: vec![Note {
            line: Some(4),
            text: "from git: x".into(),
        }],
        unidentified: vec![Unidentified {
            line: Some(15),
            what: "mystery".into(),
            reason: "has no version".into(),
            bom_refs: Vec::new(),
        }],
    }
}
