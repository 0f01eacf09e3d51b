//! Who has lost a key, and strangers: neither turns what is denied into what is fine.

use super::*;
use crate::testing::{DAY_MS, START_MS, about, endorsement};
use crate::trust::Speakers;
use assay_claims::claim::ClaimId;
use assay_claims::kind::withdrawal::Withdrawal;
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use proptest::prelude::*;

const RULES: &str = r#"
[[require]]
name = "reviewed"
scopes = ["pkg:*"]
claims = ["audit"]
from = ["auditor"]
max_age = "8d"
outcome = "deny"
reason = "r"
[[deny]]
name = "exploitable"
scopes = ["pkg:*"]
if = "affected"
severity = "high"
from = ["anyone"]
outcome = "deny"
reason = "r"
[[deny]]
name = "open"
scopes = ["pkg:*"]
if = "vulnerable"
severity = "high"
from = ["anyone"]
cleared_by = ["maintainer", "scanner"]
outcome = "deny"
reason = "r"
[[deny]]
name = "ended"
scopes = ["pkg:*"]
if = "unsupported"
from = ["maintainer", "scanner"]
outcome = "deny"
reason = "r"
"#;

const VEX: &str = "https://openvex.dev/ns/v0.2.0";
const SCAN: &str = "https://in-toto.io/attestation/vulns/v0.2";
const LIFECYCLE: &str = "urn:assay:lifecycle:v1";
const AUDIT: &str = "urn:assay:audit:v1";

/// Everything that one can say of a component: `D` is the day of the document, `N` a number.
const SAYS: [(&str, &str); 10] = [
    (
        AUDIT,
        r#"{"criteria":["c"],"verdict":"pass","scope":"version","notes":"N"}"#,
    ),
    (
        AUDIT,
        r#"{"criteria":["c"],"verdict":"fail","scope":"version","notes":"N"}"#,
    ),
    (
        VEX,
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/N","author":"A","version":1,"timestamp":"2026-01-DT00:00:00Z","statements":[{"vulnerability":"CVE-1","status":"affected","action_statement":"x"}]}"#,
    ),
    (
        VEX,
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/N","author":"A","version":1,"timestamp":"2026-01-DT00:00:00Z","statements":[{"vulnerability":"CVE-1","status":"fixed"}]}"#,
    ),
    (
        VEX,
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/same","author":"A","version":N,"timestamp":"2026-01-DT00:00:00Z","statements":[{"vulnerability":"CVE-1","status":"not_affected","impact_statement":"x"}]}"#,
    ),
    (
        SCAN,
        r#"{"scanner":{"uri":"https://e.org/s","result":[{"id":"CVE-1"}]},"metadata":{"scanStartedOn":"2026-01-DT00:00:00Z","scanFinishedOn":"2026-01-DT00:00:00Z"}}"#,
    ),
    (
        SCAN,
        r#"{"scanner":{"uri":"https://e.org/s","result":[]},"metadata":{"scanStartedOn":"2026-01-DT00:00:00Z","scanFinishedOn":"2026-01-DT00:00:0NZ"}}"#,
    ),
    (
        SCAN,
        r#"{"scanner":{"uri":"https://e.org/t","result":[{"id":"CVE-1","severity":[{"method":"x","score":"low"}]}]},"metadata":{"scanStartedOn":"2026-01-DT00:00:00Z","scanFinishedOn":"2026-01-DT00:00:00Z"}}"#,
    ),
    (
        LIFECYCLE,
        r#"{"end_of_life":"2020-01-01","end_of_security_support":"2020-01-01","last_updated":"2026-01-DT00:00:00Z"}"#,
    ),
    (
        LIFECYCLE,
        r#"{"end_of_life":"tba","end_of_security_support":"tba","last_updated":"2026-01-DT00:00:00Z"}"#,
    ),
];

fn say(world: &mut World, by: &Party, what: usize, day: usize) -> ClaimId {
    let (ty, text) = SAYS[what % SAYS.len()];
    let number = world.next_leaf().get() % 10;
    let text = text
        .replace('D', &format!("0{}", 1 + day % 9))
        .replace('N', &number.max(1).to_string());
    world.log(&about("pkg:cargo/a@1", ty, &text), &[by])
}

/// What one can say of a claim, or of a key, or of somebody.
fn tamper(world: &mut World, by: &Party, target: ClaimId, how: usize) {
    match how % 5 {
        0 => _ = world.withdraw(by, target),
        1 => {
            let superseded = Withdrawal {
                target,
                reason: "wrong".into(),
                superseded_by: Some(ClaimId::new(Hash::of(b"x"))),
            };
            world.log(&superseded.statement().unwrap(), &[by]);
        }
        2 => _ = world.respond(by, target, "fixed"),
        3 => _ = world.compromise(by, by, by.seeds[0], LeafIndex::new(0)),
        _ => _ = world.endorse(by, &endorsement(by, "auditor", &["pkg:*"], 8)),
    }
}

fn policy_of(parties: &[&Party]) -> String {
    let anchors: Vec<String> = parties
        .iter()
        .map(|party| anchor(party, &["auditor", "scanner", "maintainer"]))
        .collect();
    format!("version = 1\n{}{RULES}", anchors.join(""))
}

fn answers(worlds: &[&World]) -> Vec<LogAnswer> {
    let answer = |world: &&World| LogAnswer {
        origin: world.origin.into(),
        answer: Answer::Complete { head_at_ms: NOW_MS },
    };
    worlds.iter().map(answer).collect()
}

fn judged(policy: &str, worlds: &[&World]) -> Verdict {
    let claims: Vec<LoggedClaim> = worlds
        .iter()
        .flat_map(|world| world.claims.iter().cloned())
        .collect();
    decided(policy, &claims, &answers(worlds))
}

/// What a verdict says besides how many strangers spoke.
fn without_strangers(verdict: &Verdict) -> Vec<Reason> {
    let mut reasons = verdict.reasons().to_vec();
    for reason in &mut reasons {
        if let Why::Unknown(unspoken) = &mut reason.why {
            *unspoken = Unspoken::default();
            reason.evidence.clear();
        }
    }
    reasons
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// Whatever strangers log, and wherever, every reason of a verdict stays as it was: their own
    /// words, others' claims once more, what they say of others' claims, and whom they vouch for.
    #[test]
    fn claims_of_strangers_change_no_verdict(
        said in prop::collection::vec((0_usize..2, 0_usize..10, 0_usize..9), 0..8),
        noise in prop::collection::vec((0_usize..4, 0_usize..10, 0_usize..9), 1..10),
        unknown in prop::sample::select(vec!["deny", "warn", "allow"]),
    ) {
        let (mut world, mut other) = (World::new(), World::of("other.example/log"));
        let [a, b, stranger] = [1, 2, 3].map(|seed| world.register("p", &[seed], 1));
        other.register("p", &[3], 1);
        let policy = policy_of(&[&a, &b]);
        let first_lines = format!("version = 1\nunknown = \"{unknown}\"");
        let policy = policy.replace("version = 1", &first_lines);
        for (who, what, day) in said {
            say(&mut world, [&a, &b][who], what, day);
        }
        let before = judged(&policy, &[&world, &other]);
        for (which, what, day) in noise {
            let world = if day % 2 == 0 { &mut world } else { &mut other };
            let target = world.claims[what % world.claims.len()].claim().clone();
            match which {
                0 => _ = say(world, &stranger, what, day),
                1 => _ = world.log(target.statement(), &[&stranger]),
                2 => _ = say(world, &a.with(&[3]), what, day),
                _ => tamper(world, &stranger, target.id(), what),
            }
        }
        let after = judged(&policy, &[&world, &other]);
        prop_assert_eq!(before.outcome(), after.outcome());
        prop_assert_eq!(without_strangers(&before), without_strangers(&after));
    }

    /// Whoever steals a key, and is found out, has made nothing better: neither while nobody knew,
    /// nor later, nor in a log that knows of nothing.
    #[test]
    fn claims_of_a_thief_make_nothing_better(
        said in prop::collection::vec((0_usize..2, 0_usize..10, 0_usize..4), 0..8),
        withdrawn in any::<prop::sample::Index>(),
        stolen in prop::collection::vec((0_usize..2, 0_usize..10, 0_usize..9), 0..8),
        late in prop::collection::vec((0_usize..3, 0_usize..10, 0_usize..9), 0..8),
    ) {
        let (mut world, mut other) = (World::new(), World::of("other.example/log"));
        let [a, b] = [1, 2].map(|seed| world.register("p", &[seed], 1));
        other.register("p", &[1], 1);
        let policy = policy_of(&[&a, &b]);
        for (who, what, day) in &said {
            say(&mut world, [&a, &b][*who], *what, *day);
        }
        let target = world.claims[withdrawn.index(world.claims.len())].claim().id();
        world.withdraw(&a, target);
        let from = world.next_leaf();
        let recover = |world: &mut World| {
            world.at_ms = START_MS + 5 * DAY_MS;
            let new = world.rotate(&a, &[11], 1, &[1, 11]);
            world.compromise(&new, &a, 1, from);
        };
        let honest = {
            let mut world = World::continuing(&world);
            recover(&mut world);
            judged(&policy, &[&world, &other])
        };
        let do_harm = |world: &mut World, which: usize, what: usize, day: usize| {
            let target = world.claims[what % world.claims.len()].claim().id();
            match which {
                0 => _ = say(world, &a, what, day),
                // A thief who burns the only key keeps its issuer from declaring more.
                1 if what % 5 == 3 => {}
                1 => tamper(world, &a, target, what),
                _ => _ = world.rotate(&a, &[12], 1, &[1, 12]),
            }
        };
        for (which, what, day) in stolen {
            do_harm(&mut world, which, what, day);
        }
        recover(&mut world);
        other.at_ms = START_MS + 6 * DAY_MS;
        let mut rotated = false;
        for (which, what, day) in late {
            // A log takes a rotation of the record in force only.
            let in_other = which == 2 || day % 2 == 0;
            if which == 2 && rotated {
                continue;
            }
            rotated |= which == 2;
            do_harm(if in_other { &mut other } else { &mut world }, which, what, day);
        }
        let after = judged(&policy, &[&world, &other]);
        prop_assert!(after.outcome() >= honest.outcome(), "{:?} {:?}", honest, after);
    }
}

/// A scanner whose finding stands, and whose key is then lost.
fn denied() -> (World, World, Party, String, ClaimId) {
    let (mut world, mut other) = (World::new(), World::of("other.example/log"));
    let a = world.register("p", &[1], 1);
    other.register("p", &[1], 1);
    let policy = policy_of(&[&a]).replace("max_age = \"8d\"\n", "");
    say(&mut world, &a, 0, 1);
    let found = say(&mut world, &a, 2, 1);
    (world, other, a, policy, found)
}

#[test]
fn a_thief_takes_nothing_back() {
    let (world, other, a, policy, found) = denied();
    assert_eq!(
        judged(&policy, &[&world, &other]).outcome(),
        Outcome::Denied
    );
    for how in 0..16 {
        for in_other in [false, true] {
            let (mut world, mut other) = (World::continuing(&world), World::continuing(&other));
            let from = world.next_leaf();
            let harm = |world: &mut World| match how {
                0..=4 => tamper(world, &a, found, how),
                how => _ = say(world, &a, how, 8),
            };
            if !in_other {
                harm(&mut world);
            }
            world.at_ms += DAY_MS;
            let new = world.rotate(&a, &[11], 1, &[1, 11]);
            world.compromise(&new, &a, 1, from);
            if in_other {
                other.at_ms = world.at_ms + DAY_MS;
                harm(&mut other);
            }
            let outcome = judged(&policy, &[&world, &other]).outcome();
            assert_eq!(outcome, Outcome::Denied, "{how} {in_other}");
        }
    }
    // The issuer itself can, with a key that is sound.
    let mut world = World::continuing(&world);
    let new = world.rotate(&a, &[11], 1, &[1, 11]);
    world.withdraw(&new, found);
    assert_eq!(judged(&policy, &[&world, &other]).outcome(), Outcome::Fine);
}

#[test]
fn a_compromise_from_leaf_0_revives_and_erases_nothing() {
    let (mut world, other, a, policy, _) = denied();
    // By the stolen key itself, before anybody noticed.
    world.compromise(&a, &a, 1, LeafIndex::new(0));
    assert_eq!(
        judged(&policy, &[&world, &other]).outcome(),
        Outcome::Denied
    );
    // A review that was taken back stays so.
    let mut world = World::new();
    let a = world.register("p", &[1], 1);
    let review = say(&mut world, &a, 0, 1);
    let policy = policy_of(&[&a]).replace("max_age = \"8d\"\n", "");
    assert_eq!(judged(&policy, &[&world]).outcome(), Outcome::Fine);
    world.withdraw(&a, review);
    let before = judged(&policy, &[&world]).outcome();
    world.compromise(&a, &a, 1, LeafIndex::new(0));
    assert_eq!(
        (before, judged(&policy, &[&world]).outcome()),
        (Outcome::Unknown, before)
    );
}

#[test]
fn logging_a_claim_again_makes_it_no_younger() {
    let mut world = World::new();
    let a = world.register("p", &[1], 1);
    say(&mut world, &a, 0, 1);
    let policy = policy_of(&[&a]);
    let mut other = World::of("other.example/log");
    other.register("p", &[1], 1);
    let of = |worlds: &[&World]| judged(&policy, worlds).outcome();
    // It is ten days old, and may be eight.
    assert_eq!(of(&[&world, &other]), Outcome::Unmet);
    let review = world.claims[1].claim().statement().clone();
    other.at_ms = START_MS + 9 * DAY_MS;
    other.log(&review, &[&a]);
    assert_eq!(of(&[&world, &other]), Outcome::Unmet);
    world.at_ms = START_MS + 9 * DAY_MS;
    let stranger = world.register("x", &[9], 1);
    world.log(&review, &[&a, &stranger]);
    assert_eq!(of(&[&world, &other]), Outcome::Unmet);
    say(&mut world, &a, 0, 1);
    assert_eq!(of(&[&world, &other]), Outcome::Fine);
}

#[test]
fn an_old_document_in_another_log_is_not_the_last_word() {
    let (mut world, mut other) = (World::new(), World::of("other.example/log"));
    let a = world.register("p", &[1], 1);
    other.register("p", &[1], 1);
    let policy = policy_of(&[&a]).replace("max_age = \"8d\"\n", "");
    say(&mut world, &a, 0, 1);
    let supported = say(&mut world, &a, 9, 0);
    world.at_ms += 7 * DAY_MS;
    say(&mut world, &a, 8, 6);
    assert_eq!(
        judged(&policy, &[&world, &other]).outcome(),
        Outcome::Denied
    );
    other.at_ms += 9 * DAY_MS;
    let mut claims = world.claims.iter();
    let old = claims
        .find(|logged| logged.claim().id() == supported)
        .unwrap();
    other.log(old.claim().statement(), &[&a]);
    assert_eq!(
        judged(&policy, &[&world, &other]).outcome(),
        Outcome::Denied
    );
}

#[test]
fn whom_the_search_left_out_makes_what_needs_it_incomplete_and_nothing_else() {
    let (world, other, a, policy, _) = denied();
    let policy = parse(&policy);
    let claims: Vec<LoggedClaim> = world.claims.clone();
    let of = |known: Known<'_>, purl: &str| {
        known
            .verdict(&component(purl), &answers(&[&world, &other]))
            .outcome()
    };
    let known = || Known::judge(&policy, &claims, NOW_MS);
    let speakers = Speakers::default();
    assert_eq!(
        of(known().within(speakers.limits()), "pkg:cargo/a@1"),
        Outcome::Denied
    );
    let limit = crate::trust::Limit::Endorsements {
        issuer: a.id,
        origin: world.origin.to_owned(),
    };
    assert_eq!(
        of(known().within(&[limit]), "pkg:cargo/b@1"),
        Outcome::Incomplete
    );
}

/// Who was found by other endorsements, too, does not get a role by those that do not count.
#[test]
fn endorsements_that_are_too_many_give_no_role() {
    let mut world = World::new();
    let [a, b] = [1, 2].map(|seed| world.register("p", &[seed], 1));
    world.endorse(
        &a,
        &crate::testing::endorsement(&b, "auditor", &["pkg:*"], 0),
    );
    let review = r#"{"criteria":["c"],"verdict":"pass","scope":"version"}"#;
    world.log(&about("pkg:cargo/a@1", "urn:assay:audit:v1", review), &[&b]);
    // No rule is for the package, so that only `unknown` decides.
    let policy = parse(&format!("version = 1\n{}", anchor(&a, &["auditor"])));
    let of = |limits: &[crate::trust::Limit]| {
        let known = Known::judge(&policy, &world.claims, NOW_MS).within(limits);
        let component = component("pkg:cargo/a@1");
        known.verdict(&component, &fresh(&world)).outcome()
    };
    assert_eq!(of(&[]), Outcome::Fine);
    let limit = |origin: &str| crate::trust::Limit::Endorsements {
        issuer: a.id,
        origin: origin.to_owned(),
    };
    assert_eq!(of(&[limit(world.origin)]), Outcome::Unknown);
    assert_eq!(of(&[limit("other.example/log")]), Outcome::Fine);
}
