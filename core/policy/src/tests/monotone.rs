//! Claims without effect change nothing, whatever they say and whoever signed them.

use super::*;
use crate::testing::{about, endorsement};
use crate::trust::Trust;
use assay_claims::claim::ClaimId;
use assay_claims::kind::Timestamp;
use assay_claims::kind::endorsement::Endorsement;
use assay_tlog::tree::LeafIndex;
use proptest::prelude::*;

const POLICY: &str = r#"
[[require]]
name = "two reviews"
scopes = ["pkg:cargo/*"]
claims = ["audit"]
from = ["auditor"]
issuers = 2
outcome = "deny"
reason = "r"
[[deny]]
name = "exploitable"
scopes = ["pkg:*"]
if = "affected"
from = ["maintainer"]
outcome = "deny"
reason = "r"
[[deny]]
name = "open"
scopes = ["pkg:*"]
if = "vulnerable"
from = ["anyone"]
cleared_by = ["maintainer"]
outcome = "warn"
reason = "r"
"#;

const SAYS: [(&str, &str); 4] = [
    (
        "urn:assay:audit:v1",
        r#"{"criteria":["c"],"verdict":"pass","scope":"version","notes":"N"}"#,
    ),
    (
        "https://openvex.dev/ns/v0.2.0",
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/N","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":"CVE-1","status":"affected","action_statement":"x"}]}"#,
    ),
    (
        "https://openvex.dev/ns/v0.2.0",
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/N","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":"CVE-1","status":"fixed"}]}"#,
    ),
    (
        "https://in-toto.io/attestation/vulns/v0.2",
        r#"{"scanner":{"uri":"https://e.org/N","result":[{"id":"CVE-1"}]},"metadata":{"scanStartedOn":"2026-01-01T00:00:00Z","scanFinishedOn":"2026-01-01T00:00:00Z"}}"#,
    ),
];

fn say(world: &mut World, by: &Party, what: usize) -> ClaimId {
    let (ty, text) = SAYS[what];
    let text = text.replace('N', &world.next_leaf().to_string());
    world.log(&about("pkg:cargo/a@1", ty, &text), &[by])
}

/// Logs something that can have no effect: signed with a key that is not the issuer's or by
/// somebody who is not registered, a withdrawal or a compromise by a stranger, an endorsement that
/// has expired or that a stranger made.
fn without_effect(
    world: &mut World,
    parties: &[Party; 4],
    which: usize,
    what: usize,
    target: usize,
) {
    let [a, b, c, stranger] = parties;
    let victim = [a, b, c][target % 3];
    let claim = world.claims[target % world.claims.len()].claim().id();
    match which % 7 {
        0 => _ = say(world, &victim.with(&[99]), what),
        1 => {
            _ = say(
                world,
                &Party {
                    id: World::new().register("z", &[98], 1).id,
                    seeds: vec![98],
                },
                what,
            )
        }
        2 => _ = world.withdraw(stranger, claim),
        3 => _ = world.withdraw(&victim.with(&[99]), claim),
        4 => _ = world.compromise(stranger, victim, victim.seeds[0], LeafIndex::new(0)),
        5 => _ = world.endorse(stranger, &endorsement(stranger, "auditor", &["pkg:*"], 8)),
        _ => {
            let until = Timestamp::parse("2025-12-31T00:00:00Z").unwrap();
            let expired = Endorsement {
                valid_until: until,
                ..endorsement(stranger, "maintainer", &["pkg:*"], 8)
            };
            world.endorse(a, &expired);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn claims_without_effect_never_change_the_outcome(
        said in prop::collection::vec((0_usize..3, 0_usize..4), 0..6),
        noise in prop::collection::vec((0_usize..7, 0_usize..4, 0_usize..12), 1..6),
        unknown in prop::sample::select(vec!["deny", "warn", "allow"]),
    ) {
        let mut world = World::new();
        let [a, b, c, stranger] = [1, 2, 3, 4].map(|seed| world.register("p", &[seed], 1));
        let policy = format!(
            "version = 1\nunknown = \"{unknown}\"\n{}{}{}{POLICY}",
            anchor(&a, &["auditor", "maintainer"]),
            anchor(&b, &["auditor"]),
            anchor(&c, &["maintainer"])
        );
        let parties = [a, b, c, stranger];
        for (who, what) in said {
            say(&mut world, &parties[who], what);
        }
        let before = decided(&policy, &world.claims, &fresh(&world));
        for (which, what, target) in noise {
            without_effect(&mut world, &parties, which, what, target);
        }
        let after = decided(&policy, &world.claims, &fresh(&world));
        prop_assert_eq!(before.outcome(), after.outcome());
        // That something was said is told, if only that it does not count.
        let others = |verdict: &Verdict| -> Vec<Reason> {
            let reasons = verdict.reasons().iter();
            reasons.filter(|reason| reason.cause() != Cause::Unknown).cloned().collect()
        };
        prop_assert_eq!(others(&before), others(&after));
    }

    /// Nor does an order: the claims are judged by their leaves.
    #[test]
    fn the_order_in_which_claims_are_given_does_not_matter(
        said in prop::collection::vec((0_usize..4, 0_usize..4), 0..8),
        order in any::<prop::sample::Index>(),
    ) {
        let mut world = World::new();
        let parties = [1, 2, 3, 4].map(|seed| world.register("p", &[seed], 1));
        for (who, what) in said {
            let claim = say(&mut world, &parties[who], what);
            if who == what {
                world.withdraw(&parties[who], claim);
            }
        }
        let trusted = anchor(&parties[0], &["auditor", "maintainer"]);
        let policy = format!("version = 1\n{trusted}{POLICY}");
        let mut shuffled = world.claims.clone();
        shuffled.rotate_left(order.index(world.claims.len()));
        shuffled.reverse();
        let in_order = decided(&policy, &world.claims, &fresh(&world));
        prop_assert_eq!(in_order, decided(&policy, &shuffled, &fresh(&world)));
        prop_assert_eq!(Trust::judge(&shuffled).claims().len(), world.claims.len());
    }
}
