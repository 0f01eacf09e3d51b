//! What claims are worth, and who may say what.

mod across;
mod claims;
mod endorsements;
mod graphs;
mod walks;

use super::*;
use crate::testing::{DAY_MS, Party, START_MS, World, about, endorsement, patterns, public, purl};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::{AuthorizeError, IssuerId};
use assay_claims::kind::Timestamp;
use assay_tlog::tree::LeafIndex;

const AUDIT: &str = "https://example.com/audit";

fn opinion(world: &mut World, parties: &[&Party]) -> ClaimId {
    let text = format!(r#"{{"n":"{}"}}"#, world.next_leaf());
    world.log(&about("pkg:cargo/a@1", AUDIT, &text), parties)
}

/// The standing of a claim for an issuer. The same claim by another issuer has the same id.
fn standing(world: &World, claim: ClaimId, party: &Party) -> Standing {
    let trust = Trust::judge(&world.claims);
    let mut judged = trust
        .claims()
        .iter()
        .filter(|judged| judged.logged().claim().id() == claim);
    let found = judged.find_map(|judged| {
        let mut spoken = judged.spoken().iter();
        spoken.find(|spoken| spoken.issuer == party.id)
    });
    found.unwrap().standing.clone()
}

fn anchor(party: &Party, roles: &[Role], scopes: &[&str], may_delegate: u32) -> Anchor {
    Anchor {
        issuer: party.id,
        roles: roles.to_vec(),
        scopes: patterns(scopes),
        may_delegate,
    }
}

/// Who has which role for a package, by the seeds that parties are known by here.
fn has(world: &World, anchors: &[Anchor], package: &str, party: &Party, role: Role) -> bool {
    let trust = Trust::judge(&world.claims);
    trust
        .roles(anchors, Some(&purl(package)), START_MS)
        .has(&party.id, role)
}

fn fault(world: &World, anchors: &[Anchor], claim: ClaimId) -> Option<EndorsementFault> {
    let trust = Trust::judge(&world.claims);
    let judged = trust
        .claims()
        .iter()
        .find(|judged| judged.logged().claim().id() == claim)
        .unwrap();
    trust
        .roles(anchors, Some(&purl("pkg:cargo/a")), START_MS)
        .fault(judged)
}

/// As [`fault`], of whatever package.
fn fault_anywhere(world: &World, anchors: &[Anchor], claim: ClaimId) -> Option<EndorsementFault> {
    let trust = Trust::judge(&world.claims);
    let judged = trust
        .claims()
        .iter()
        .find(|judged| judged.logged().claim().id() == claim)
        .unwrap();
    trust.roles_anywhere(anchors, START_MS).fault(judged)
}
