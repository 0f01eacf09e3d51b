//! Lists that are too long to come, of which the beginning was heard: what is in it counts, and
//! what is not in it is never taken as unsaid.

use super::loud::{OPEN, SCAN, VEX, answered, found, labels_of, policy, vex};
use super::*;
use crate::testing::{DAY_MS, about, endorsement};
use crate::trust::HeardTo;
use assay_claims::index::Label;

const HOUR_MS: u64 = 60 * 60 * 1000;

/// Two logs. An issuer speaks in the second, and its key is rotated away in the first a day later:
/// the second does not know of it.
struct Worlds {
    world: World,
    other: World,
    a: Party,
    /// When the key was rotated away.
    rotated_ms: u64,
}

impl Worlds {
    /// `says` is what the issuer says in the second log, in which it registers first or does not.
    fn new(is_registered: bool, says: impl FnOnce(&mut World, &Party)) -> Self {
        let (mut world, mut other) = (World::new(), World::of("other.example/log"));
        let a = world.register("p", &[1], 1);
        if is_registered {
            other.register("p", &[1], 1);
        }
        other.at_ms = world.at_ms + 2 * HOUR_MS;
        says(&mut other, &a);
        world.at_ms += DAY_MS;
        let rotated_ms = world.at_ms;
        world.rotate(&a, &[2], 1, &[1, 2]);
        Worlds {
            world,
            other,
            a,
            rotated_ms,
        }
    }

    /// What whoever has the key of old says in the second log, so long after the rotation. Returns
    /// how far its list was heard with that.
    fn thief(&mut self, after_ms: u64, says: impl FnOnce(&mut World, &Party)) -> HeardTo {
        self.other.at_ms = self.rotated_ms + after_ms;
        let leaf = self.other.next_leaf();
        let at_ms = self.other.at_ms;
        says(&mut self.other, &self.a);
        HeardTo { leaf, at_ms }
    }

    /// What is decided of a component if a list of the second log was heard so far, and whether
    /// something is not known for it.
    fn judge(
        &self,
        policy: &str,
        purl: &str,
        label: Label,
        heard: Option<HeardTo>,
    ) -> (Outcome, bool) {
        let policy = parse(policy);
        let claims = self.world.claims.iter().chain(&self.other.claims);
        let list = Overlong {
            origin: self.other.origin.to_owned(),
            label,
            of_keys: false,
            heard,
        };
        let known = Known::judge(&policy, claims, NOW_MS).without([list]);
        let verdict = known.verdict(&component(purl), &answered(&[&self.world, &self.other]));
        let mut reasons = verdict.reasons().iter();
        let bounded = reasons.any(|reason| matches!(reason.why, Why::Logs(LogFault::Bounded(_))));
        (verdict.outcome(), bounded)
    }
}

fn noise(log: &mut World, by: &Party) {
    log.log(
        &about("pkg:cargo/a@1", "https://example.org/own/v1", "{}"),
        &[by],
    );
}

fn finding(log: &mut World, by: &Party) {
    log.log(&about("pkg:cargo/a@1", SCAN, &found(None)), &[by]);
}

/// What an issuer said against a component before its key was rotated away counts, and what a key
/// of old says after it makes nothing incomplete, wherever the issuer was registered.
#[test]
fn what_was_said_before_the_rotation_counts_and_nothing_after_it_is_missed() {
    for is_registered in [true, false] {
        let mut worlds = Worlds::new(is_registered, finding);
        let policy = policy(&[(&worlds.a, &["scanner"])], &rule("deny", "deny", OPEN));
        let claim = worlds.world.claims[0].claim().id();
        let [label, ..] = labels_of(&worlds.a, "pkg:cargo/a", claim);
        let heard = worlds.thief(2 * HOUR_MS, noise);
        let judge = |purl: &str, heard: HeardTo| worlds.judge(&policy, purl, label, Some(heard));
        assert_eq!(judge("pkg:cargo/a@1", heard), (Outcome::Denied, false));
        assert_eq!(judge("pkg:cargo/b@1", heard), (Outcome::Warn, false));
        // Heard up to before the rotation, or up to where the clocks of two logs do not tell, there
        // may be more.
        for at_ms in [0, worlds.rotated_ms - 1, worlds.rotated_ms + HOUR_MS / 2] {
            let short = HeardTo { at_ms, ..heard };
            assert_eq!(judge("pkg:cargo/a@1", short), (Outcome::Denied, true));
        }
        // Nothing heard, and nothing that could be: what the issuer said is not made up for.
        let mut silent = Worlds::new(is_registered, noise);
        silent.thief(2 * HOUR_MS, noise);
        let nothing = silent.judge(&policy, "pkg:cargo/a@1", label, Some(HeardTo::default()));
        assert_eq!(nothing, (Outcome::Incomplete, true));
        let past = silent.judge(&policy, "pkg:cargo/a@1", label, Some(heard));
        assert_eq!(past, (Outcome::Warn, false));
    }
}

/// What speaks for a component counts if nothing that could count against it is missing, and else
/// it does not.
#[test]
fn what_clears_counts_only_if_nothing_is_missed() {
    let mut worlds = Worlds::new(true, |log, by| {
        log.log(
            &about("pkg:cargo/a@1", VEX, &vex("not_affected", "")),
            &[by],
        );
    });
    let scanner = worlds.world.register("s", &[5], 1);
    worlds
        .world
        .log(&about("pkg:cargo/a@1", SCAN, &found(None)), &[&scanner]);
    let anchors: [(&Party, &[&str]); 2] = [
        (&worlds.a.clone(), &["maintainer"]),
        (&scanner, &["scanner"]),
    ];
    let policy = policy(&anchors, &rule("deny", "deny", OPEN));
    let claim = worlds.world.claims[0].claim().id();
    let [label, ..] = labels_of(&worlds.a, "pkg:cargo/a", claim);
    let heard = worlds.thief(2 * HOUR_MS, noise);
    let judge = |heard| worlds.judge(&policy, "pkg:cargo/a@1", label, heard);
    assert_eq!(judge(Some(heard)), (Outcome::Fine, false));
    let short = HeardTo {
        at_ms: worlds.rotated_ms,
        ..heard
    };
    for short in [Some(short), Some(HeardTo::default()), None] {
        assert_eq!(judge(short), (Outcome::Denied, true));
    }
}

/// A withdrawal that could be in the rest is missed, until it cannot count.
#[test]
fn a_withdrawal_may_be_in_what_was_not_heard() {
    let mut worlds = Worlds::new(true, |log, by| {
        log.log(
            &about("pkg:cargo/a@1", VEX, &vex("not_affected", "")),
            &[by],
        );
    });
    let policy = policy(
        &[(&worlds.a.clone(), &["maintainer"])],
        &rule("deny", "deny", OPEN),
    );
    let claim = worlds.other.claims[1].claim().id();
    let [_, label, _] = labels_of(&worlds.a, "pkg:cargo/a", claim);
    let heard = worlds.thief(2 * HOUR_MS, noise);
    let judge = |heard| worlds.judge(&policy, "pkg:cargo/a@1", label, heard);
    assert_eq!(judge(Some(heard)), (Outcome::Fine, false));
    assert_eq!(judge(Some(HeardTo::default())), (Outcome::Incomplete, true));
    assert_eq!(judge(None), (Outcome::Incomplete, true));
}

/// Whom an issuer vouched for before its key was rotated away has its role, and whom a key of old
/// vouches for has none. If more may follow, that is said.
#[test]
fn endorsements_before_the_rotation_count_and_none_after_it_is_missed() {
    let [b, c] = [5, 6].map(|seed| World::new().register("p", &[seed], 1));
    let vouch = |log: &mut World, by: &Party, whom: &Party| {
        log.register("p", &whom.seeds, 1);
        log.endorse(by, &endorsement(whom, "scanner", &["pkg:*"], 0));
    };
    let mut worlds = Worlds::new(true, |log, by| vouch(log, by, &b));
    let heard = worlds.thief(2 * HOUR_MS, |log, by| vouch(log, by, &c));
    for (party, purl) in [(&b, "pkg:cargo/a@1"), (&c, "pkg:cargo/b@1")] {
        worlds.other.log(&about(purl, SCAN, &found(None)), &[party]);
    }
    let policy = policy(
        &[(&worlds.a, &["scanner", "maintainer"])],
        &rule("deny", "deny", &OPEN.replace("anyone", "scanner")),
    );
    let claim = worlds.world.claims[0].claim().id();
    let [_, _, label] = labels_of(&worlds.a, "pkg:cargo/a", claim);
    let judge = |purl: &str, heard| worlds.judge(&policy, purl, label, heard);
    assert_eq!(
        judge("pkg:cargo/a@1", Some(heard)),
        (Outcome::Denied, false)
    );
    assert_eq!(judge("pkg:cargo/b@1", Some(heard)), (Outcome::Warn, false));
    let short = Some(HeardTo::default());
    // What speaks against something is not taken back by what follows.
    assert_eq!(judge("pkg:cargo/a@1", short), (Outcome::Denied, true));
    assert_eq!(judge("pkg:cargo/b@1", short), (Outcome::Incomplete, true));
}

/// Whoever has the key of now and says very much is missed wherever it was heard to.
#[test]
fn who_speaks_there_still_may_have_said_more() {
    let mut worlds = Worlds::new(true, finding);
    let now = worlds.other.rotate(&worlds.a, &[2], 1, &[1, 2]);
    worlds.a = now;
    let heard = worlds.thief(30 * DAY_MS, noise);
    let policy = policy(&[(&worlds.a, &["scanner"])], &rule("deny", "deny", OPEN));
    let claim = worlds.world.claims[0].claim().id();
    let [label, ..] = labels_of(&worlds.a, "pkg:cargo/a", claim);
    let [of_other, ..] = labels_of(&worlds.a, "pkg:cargo/b", claim);
    for heard in [Some(heard), Some(HeardTo::default()), None] {
        let judged = worlds.judge(&policy, "pkg:cargo/a@1", label, heard);
        assert_eq!(judged, (Outcome::Denied, true));
        let other = worlds.judge(&policy, "pkg:cargo/b@1", of_other, heard);
        assert_eq!(other, (Outcome::Incomplete, true));
    }
}
