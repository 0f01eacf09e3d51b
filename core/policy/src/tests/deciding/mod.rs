//! Every rule on real claims, and every kind of answer.

mod demands;
mod denials;
mod logs;

use super::*;
use crate::testing::{DAY_MS, about, endorsement};
use assay_claims::claim::ClaimId;
use assay_claims::kind::Timestamp;
use assay_claims::kind::endorsement::Endorsement;
use assay_claims::kind::lifecycle::Date;
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;

const AUDIT: &str = "urn:assay:audit:v1";
const VEX: &str = "https://openvex.dev/ns/v0.2.0";
const SCAN: &str = "https://in-toto.io/attestation/vulns/v0.2";
const LIFECYCLE: &str = "urn:assay:lifecycle:v1";
const REGISTRY_STATUS: &str = "urn:assay:registry-status:v1";

fn audit(world: &mut World, by: &[&Party], verdict: &str) -> ClaimId {
    let notes = world.next_leaf();
    let text = format!(
        r#"{{"criteria":["safe-to-run"],"verdict":"{verdict}","scope":"version","notes":"{notes}"}}"#
    );
    world.log(&about("pkg:cargo/a@1", AUDIT, &text), by)
}

fn vex(world: &mut World, by: &Party, vulnerability: &str, status: &str) -> ClaimId {
    vex_of(world, by, vulnerability, status, "")
}

fn vex_of(world: &mut World, by: &Party, vulnerability: &str, status: &str, more: &str) -> ClaimId {
    let id = world.next_leaf();
    let text = format!(
        r#"{{"@context":"{VEX}","@id":"https://e.org/{id}","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{{"vulnerability":{vulnerability},"status":"{status}","action_statement":"update","impact_statement":"none"{more}}}]}}"#
    );
    world.log(&about("pkg:cargo/a@1", VEX, &text), &[by])
}

fn scan(world: &mut World, by: &Party, found: &[(&str, &str)]) -> ClaimId {
    let results: Vec<String> = found
        .iter()
        .map(|(id, score): &(&str, &str)| match *score {
            "" => format!(r#"{{"id":"{id}"}}"#),
            score => format!(r#"{{"id":"{id}","severity":[{{"method":"x","score":"{score}"}}]}}"#),
        })
        .collect();
    let text = format!(
        r#"{{"scanner":{{"uri":"https://e.org/s","result":[{}]}},"metadata":{{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:{:02}Z"}}}}"#,
        results.join(","),
        world.next_leaf().get()
    );
    world.log(&about("pkg:cargo/a@1", SCAN, &text), &[by])
}

fn two_auditors(lines: &str) -> String {
    rule(
        "require",
        "deny",
        &format!("claims = [\"audit\"]\nfrom = [\"auditor\"]\nissuers = 2\n{lines}"),
    )
}
