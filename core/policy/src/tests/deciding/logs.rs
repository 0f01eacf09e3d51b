//! What logs must have answered.

use super::*;

/// What is expected where there are no claims: the demand is not met, and unknown may be worse.
fn without_claims(unknown: &str, expected: Outcome) -> Outcome {
    match unknown {
        "deny" => expected.max(Outcome::Unknown),
        _ => expected.max(Outcome::Unmet),
    }
}

#[test]
fn a_log_that_is_silent_stale_or_incomplete_is_never_fine() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    audit(&mut world, &[&a], "pass");
    let demand = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    );
    for unknown in ["deny", "warn", "allow"] {
        let policy = format!(
            "version = 1\nunknown = \"{unknown}\"\nmax_head_age = \"1d\"\n[[log]]\norigin = \
             \"example.com/log\"\n{}{demand}",
            anchor(&a, &["auditor"])
        );
        let answer = |answer| {
            vec![LogAnswer {
                origin: world.origin.into(),
                answer,
            }]
        };
        let complete = |head_at_ms| answer(Answer::Complete { head_at_ms });
        for (answers, expected) in [
            (complete(NOW_MS), Outcome::Fine),
            (complete(NOW_MS - DAY_MS), Outcome::Fine),
            (complete(NOW_MS - DAY_MS - 1), Outcome::Stale),
            (complete(NOW_MS + 60_000), Outcome::Fine),
            (complete(NOW_MS + DAY_MS), Outcome::Incomplete),
            (
                answer(Answer::Partial {
                    head_at_ms: NOW_MS,
                    missing: "x".into(),
                }),
                Outcome::Incomplete,
            ),
            (
                answer(Answer::Partial {
                    head_at_ms: 0,
                    missing: "x".into(),
                }),
                Outcome::Stale,
            ),
            (
                answer(Answer::None { why: "x".into() }),
                Outcome::Incomplete,
            ),
            (vec![], Outcome::Incomplete),
            ([complete(NOW_MS), complete(0)].concat(), Outcome::Stale),
        ] {
            let without = without_claims(unknown, expected);
            for (claims, expected) in [(&world.claims[..], expected), (&[], without)] {
                assert_eq!(
                    decided(&policy, claims, &answers).outcome(),
                    expected,
                    "{unknown} {answers:?}"
                );
            }
        }
    }
}

/// Two of three logs are enough, but what is relied on comes from a whole answer.
#[test]
fn enough_logs_answer_and_what_is_relied_on_is_whole() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    audit(&mut world, &[&a], "pass");
    let (trusted, own) = (anchor(&a, &["auditor"]), "example.com/log");
    let demand = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    );
    let names = [own, "b.example/log", "c.example/log"];
    let logs = names.map(|name| format!("[[log]]\norigin = {name:?}\n"));
    let policy = format!(
        "version = 1\nrequired_logs = {{ least = 2, of = {names:?} }}\n{}{trusted}{demand}",
        logs.concat()
    );
    let whole = || Answer::Complete { head_at_ms: NOW_MS };
    let old = || Answer::Complete { head_at_ms: 0 };
    let none = || Answer::None { why: "x".into() };
    let some = || Answer::Partial {
        head_at_ms: NOW_MS,
        missing: "x".into(),
    };
    for (answers, expected) in [
        ([whole(), whole(), whole()], Outcome::Fine),
        ([whole(), none(), whole()], Outcome::Fine),
        ([whole(), whole(), some()], Outcome::Fine),
        ([whole(), whole(), old()], Outcome::Fine),
        ([whole(), none(), none()], Outcome::Incomplete),
        ([whole(), none(), old()], Outcome::Stale),
        ([some(), whole(), whole()], Outcome::Incomplete),
        ([old(), whole(), whole()], Outcome::Stale),
    ] {
        let told = format!("{answers:?}");
        let answers = names.iter().zip(answers).map(|(name, answer)| LogAnswer {
            origin: (*name).to_owned(),
            answer,
        });
        let answers: Vec<LogAnswer> = answers.collect();
        let verdict = decided(&policy, &world.claims, &answers);
        assert_eq!(verdict.outcome(), expected, "{told}");
    }
}

#[test]
fn every_log_that_is_named_must_answer_and_no_other_counts() {
    let mut world = World::new();
    let a = world.register("a", &[1], 1);
    audit(&mut world, &[&a], "pass");
    let demand = rule(
        "require",
        "deny",
        "claims = [\"audit\"]\nfrom = [\"auditor\"]",
    );
    let trusted = anchor(&a, &["auditor"]);
    let logs = |names: &[&str]| {
        names
            .iter()
            .map(|name| format!("[[log]]\norigin = \"{name}\"\n"))
            .collect::<String>()
    };
    let policy = |names: &[&str]| format!("version = 1\n{}{trusted}{demand}", logs(names));
    assert_eq!(outcome(&policy(&[]), &world), Outcome::Fine);
    assert_eq!(
        outcome(&policy(&["example.com/log"]), &world),
        Outcome::Fine
    );
    let verdict = decided(
        &policy(&["example.com/log", "b.example/log"]),
        &world.claims,
        &fresh(&world),
    );
    assert_eq!(verdict.outcome(), Outcome::Incomplete);
    let silent = LogFault::Silent {
        origin: "b.example/log".into(),
        why: None,
    };
    assert_eq!(verdict.reasons()[0].why, Why::Logs(silent));
    let other = LogAnswer {
        origin: "b.example/log".into(),
        answer: Answer::Complete { head_at_ms: NOW_MS },
    };
    assert_eq!(
        decided(&policy(&["b.example/log"]), &world.claims, &[other]).outcome(),
        Outcome::Unknown
    );
    // Nobody said that what these claims came in was complete.
    assert_eq!(
        decided(&policy(&[]), &world.claims, &[]).outcome(),
        Outcome::Incomplete
    );
    let elsewhere = LogAnswer {
        origin: "b.example/log".into(),
        answer: Answer::Complete { head_at_ms: NOW_MS },
    };
    assert_eq!(
        decided(&policy(&[]), &world.claims, &[elsewhere]).outcome(),
        Outcome::Incomplete
    );
    assert_eq!(
        decided("version = 1\nunknown = \"allow\"", &[], &[]).outcome(),
        Outcome::Incomplete
    );
}
