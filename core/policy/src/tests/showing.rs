//! What is shown: the posture, and the policy's own examples.

use super::*;
use crate::testing::{about, endorsement};
use crate::trust::{EndorsementFault, Standing};
use assay_claims::claim::ClaimId;
use assay_claims::kind::Timestamp;
use assay_claims::kind::endorsement::Endorsement;
use assay_claims::statement::Subject;

/// A log in which Alice and Bob say something of every kind about a package.
struct Said {
    world: World,
    alice: Party,
    vex: ClaimId,
    support: ClaimId,
    dispute: ClaimId,
}

fn said() -> Said {
    let mut world = World::new();
    let (a, b) = (
        world.register("Alice", &[1], 1),
        world.register("Bob", &[2], 1),
    );
    let say = |world: &mut World, by: &Party, ty: &str, text: &str| {
        world.log(&about("pkg:cargo/a@1", ty, text), &[by])
    };
    let vex = say(
        &mut world,
        &a,
        "https://openvex.dev/ns/v0.2.0",
        r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://e.org/1","author":"A","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[{"vulnerability":"CVE-1","status":"not_affected","justification":"component_not_present"},{"vulnerability":"CVE-2","status":"affected","action_statement":"x"}]}"#,
    );
    let lifecycle = r#"{"end_of_security_support":"2028-03-31","end_of_life":"tba","last_updated":"2026-01-01T00:00:00Z"}"#;
    let support = say(&mut world, &b, "urn:assay:lifecycle:v1", lifecycle);
    say(
        &mut world,
        &b.with(&[9]),
        "urn:assay:audit:v1",
        r#"{"criteria":["safe-to-run"],"verdict":"pass","scope":"version"}"#,
    );
    say(&mut world, &a, "https://example.org/own/v1", "{}");
    world.log(
        &about("pkg:cargo/other@1", "https://example.org/own/v1", "{}"),
        &[&a],
    );
    let dispute = world.respond(&b, vex, "dispute");
    world.withdraw(&a, support);
    world.endorse(&a, &endorsement(&b, "auditor", &["pkg:cargo/*"], 0));
    world.endorse(&b, &endorsement(&a, "maintainer", &["pkg:*"], 0));
    Said {
        world,
        alice: a,
        vex,
        support,
        dispute,
    }
}

/// What is shown of a package to who trusts Alice as an auditor.
fn shown(said: &Said) -> Posture<'_> {
    let anchor = anchor(&said.alice, &["auditor"]);
    let policy = parse(&format!("version = 1\n{anchor}"));
    let package = component("pkg:cargo/a@1");
    posture(&policy, &package, &said.world.claims, NOW_MS)
}

#[test]
fn the_posture_shows_everything_with_who_says_it_and_what_it_is_worth() {
    let said = said();
    let posture = shown(&said);

    let counts = Question::ALL.map(|question| posture.of(question).count());
    assert_eq!(counts, [0, 1, 2, 1, 0, 0, 0, 1, 2, 2]);
    let parts: Vec<Part> = posture
        .of(Question::Vulnerable)
        .map(|line| line.part)
        .collect();
    assert_eq!(parts, [Part::Statement(0), Part::Statement(1)]);
    let line = posture.of(Question::Vulnerable).next().unwrap();
    assert_eq!(
        (
            line.claim(),
            line.responses,
            line.disputes,
            line.age_days,
            line.kind
        ),
        (said.vex, 1, 1, 9, Some("vex"))
    );
    let voice = &line.voices[0];
    assert_eq!(
        (voice.issuer, voice.name.as_deref(), voice.anchor.as_deref()),
        (said.alice.id, Some("Alice"), Some("it"))
    );
    assert_eq!((voice.roles.len(), voice.standing.is_good()), (1, true));
    let supported = posture.of(Question::Supported).next().unwrap();
    assert!(
        supported.voices[0].standing.is_good() && supported.voices[0].roles[0].chain.len() == 1
    );
    let review = posture.of(Question::Reviewed).next().unwrap();
    assert!(matches!(
        review.voices[0].standing,
        Standing::NotAuthorized(_)
    ));
}

#[test]
fn the_posture_shows_replies_and_endorsements_without_effect() {
    let said = said();
    let posture = shown(&said);

    let replies: Vec<_> = posture
        .of(Question::Disagreement)
        .map(|line| (line.target, line.voices[0].standing.clone()))
        .collect();
    assert_eq!(
        replies,
        [
            (Some(said.support), Standing::NotTheIssuer),
            (Some(said.vex), Standing::Good)
        ]
    );
    assert_eq!(
        posture.of(Question::Disagreement).nth(1).unwrap().claim(),
        said.dispute
    );
    // A role that the endorser does not have is shown, without effect.
    let faults: Vec<_> = posture
        .of(Question::Vouched)
        .map(|line| line.fault)
        .collect();
    assert_eq!(faults, [Some(EndorsementFault::EndorserLacksRole), None]);
    let other = said.world.claims[6].claim().id();
    assert!(posture.lines.iter().all(|line| line.claim() != other));
}

/// A log with endorsements that have effect and that have none, and its parties Ex, X and Y.
fn endorsed() -> (World, [Party; 3]) {
    let mut world = World::new();
    let parties =
        [("Ex", 1), ("X", 2), ("Y", 3)].map(|(name, seed)| world.register(name, &[seed], 1));
    let [ex, x, y] = &parties;
    world.log(
        &about("pkg:npm/foo", "https://example.org/own/v1", "{}"),
        &[x],
    );
    let until = Timestamp::parse("2026-01-01T00:00:05Z").unwrap();
    let expired = Endorsement {
        valid_until: until,
        ..endorsement(x, "auditor", &["pkg:npm/*"], 1)
    };
    let elsewhere = endorsement(x, "auditor", &["pkg:pypi/*"], 1);
    let (good, on, back, own) = (
        endorsement(x, "auditor", &["pkg:npm/*"], 2),
        endorsement(y, "auditor", &["pkg:npm/foo"], 1),
        endorsement(x, "auditor", &["pkg:npm/foo"], 0),
        endorsement(x, "auditor", &["pkg:npm/*"], 0),
    );
    for (by, said) in [
        (ex, &expired),
        (ex, &elsewhere),
        (ex, &good),
        (x, &on),
        (y, &back),
        (x, &own),
    ] {
        world.endorse(by, said);
    }
    let stranger = world.register("Z", &[4], 1);
    world.endorse(&stranger, &good);
    (world, parties)
}

fn trusting(ex: &Party) -> Policy {
    // An anchor for some packages, as most are.
    let anchors =
        anchor(ex, &["auditor"]).replace("[\"pkg:*\"]", "[\"pkg:npm/*\", \"pkg:pypi/*\"]");
    parse(&format!("version = 1\n{anchors}"))
}

/// Who endorses, and why without effect, by leaves.
fn faults(posture: &Posture<'_>) -> Vec<(String, Option<EndorsementFault>)> {
    let mut lines: Vec<&Line<'_>> = posture.of(Question::Vouched).collect();
    lines.sort_by_key(|line| line.leaf());
    lines
        .iter()
        .map(|line| (line.voices[0].name.clone().unwrap(), line.fault))
        .collect()
}

/// What [`faults`] are of [`endorsed`], by what becomes of an endorsement for other packages.
fn marks(elsewhere: Option<EndorsementFault>) -> Vec<(String, Option<EndorsementFault>)> {
    let marks = [
        ("Ex", Some(EndorsementFault::Expired)),
        ("Ex", elsewhere),
        ("Ex", None),
        ("Y", Some(EndorsementFault::Cycle)),
        ("X", Some(EndorsementFault::Cycle)),
        ("Z", Some(EndorsementFault::EndorserLacksRole)),
    ];
    marks.map(|(name, mark)| (name.to_owned(), mark)).to_vec()
}

#[test]
fn endorsements_without_effect_are_marked_for_a_package() {
    let (world, [ex, ..]) = endorsed();
    let policy = trusting(&ex);
    let of_package = posture(&policy, &component("pkg:npm/foo"), &world.claims, NOW_MS);
    assert_eq!(
        faults(&of_package),
        marks(Some(EndorsementFault::OtherPackages))
    );
}

#[test]
fn endorsements_without_effect_are_marked_for_an_issuer() {
    let (world, [ex, x, y]) = endorsed();
    let policy = trusting(&ex);
    let of_issuer = listing(
        &policy,
        &world.claims,
        |logged: &LoggedClaim| {
            let subjects = logged.claim().statement().subjects();
            subjects
                .iter()
                .any(|subject: &Subject| subject.digest("sha256") == Some(&x.id.to_hex()))
        },
        NOW_MS,
    );
    // Y vouches for X, so who vouches for Y is shown, too.
    let mut marked = marks(None);
    marked.insert(3, ("X".to_owned(), None));
    assert_eq!(faults(&of_issuer), marked);
    // Of all of these two are of X and in effect, and not its own word.
    let vouching = |id| {
        of_issuer
            .lines
            .iter()
            .filter(|line| line.vouches_for == Some(id))
            .count()
    };
    assert_eq!([x.id, y.id, ex.id].map(vouching), [2, 1, 0]);
    // Whoever vouches is an auditor of what it vouches for, if only of that.
    let line = of_issuer
        .of(Question::Vouched)
        .find(|line| line.fault.is_none())
        .unwrap();
    assert_eq!(line.voices[0].roles.len(), 1);
}

#[test]
fn examples_say_what_a_policy_decides() {
    let example = |expect: &str, more: &str| {
        format!("version = 1\n[[test]]\nname = \"x\"\nexpect = \"{expect}\"\n{more}")
    };
    let run = |text: &str| run_examples(&parse(text), NOW_MS).remove(0);
    assert!(run(&example("unknown", "")).is_as_expected());
    let wrong = run(&example("fine", ""));
    assert_eq!(
        (wrong.is_as_expected(), wrong.verdict.outcome()),
        (false, Outcome::Unknown)
    );
    let said = "predicate = { n = 1, f = 1.5, d = 2026-01-01, l = [true] }";
    let claim = format!(
        "[[test.claims]]\ntype = \"https://in-toto.io/attestation/test-result/v0.1\"\nby = \
         \"a\"\nroles = [\"auditor\"]\n{said}"
    );
    assert!(run(&example("fine", &claim)).is_as_expected());
    for (logs, expected) in [
        ("stale", "stale"),
        ("incomplete", "incomplete"),
        ("silent", "incomplete"),
        ("complete", "fine"),
    ] {
        assert!(
            run(&example(expected, &format!("logs = \"{logs}\"\n{claim}"))).is_as_expected(),
            "{logs}"
        );
    }
    let old = format!(
        "on = \"2027-06-01\"\n{}",
        claim.replace("by = \"a\"", "by = \"a\"\nage = \"1y\"")
    );
    assert!(run(&example("fine", &old)).is_as_expected());
}
