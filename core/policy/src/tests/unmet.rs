//! Criteria that are not met, and changes from what nobody reviewed.

use super::*;
use crate::testing::about;
use crate::trust::Role;

const AUDIT: &str = "urn:assay:audit:v1";

/// What is decided of `pkg:cargo/a@1` by reviews, each as criteria, verdict, scope and version,
/// where `demanded` has to be reviewed; nothing is demanded if that is empty.
fn reviewed(reviews: &[(&str, &str, &str, &str)], demanded: &str) -> Verdict {
    let mut world = World::new();
    let auditor = world.register("a", &[1], 1);
    for (criteria, verdict, scope, of) in reviews {
        let text = format!(r#"{{"criteria":[{criteria}],"verdict":"{verdict}",{scope}}}"#);
        world.log(&about(of, AUDIT, &text), &[&auditor]);
    }
    let demand = match demanded {
        "" => String::new(),
        name => rule(
            "require",
            "deny",
            &format!("claims = [\"audit\"]\nfrom = [\"auditor\"]\ncriteria = [\"{name}\"]"),
        ),
    };
    let failed = "if = \"claim\"\nclaims = [\"audit\"]\nfrom = [\"auditor\"]\nwhen = \"failed\"";
    let policy = format!(
        "version = 1\nunknown = \"deny\"\n[[criterion]]\nname = \"strict\"\nimplies = \
         [\"tidy\"]\n{}{}{demand}",
        anchor(&auditor, &[Role::Auditor.name()]),
        rule("deny", "deny", failed),
    );
    decided(&policy, &world.claims, &fresh(&world))
}

const WHOLE: &str = r#""scope":"version""#;
const A: &str = "pkg:cargo/a@1";

#[test]
fn a_criterion_that_is_not_met_says_nothing_of_others() {
    let safe = (r#""safe-to-deploy""#, "pass", WHOLE, A);
    for (unmet, demanded, expected) in [
        (
            (r#""tidy""#, "unmet", WHOLE, A),
            "safe-to-deploy",
            Outcome::Fine,
        ),
        ((r#""tidy""#, "unmet", WHOLE, A), "", Outcome::Fine),
        (
            (r#""safe-to-deploy""#, "fail", WHOLE, A),
            "safe-to-deploy",
            Outcome::Denied,
        ),
        // Of another version it is nothing to this.
        (
            (r#""safe-to-deploy""#, "unmet", WHOLE, "pkg:cargo/a@2"),
            "safe-to-deploy",
            Outcome::Fine,
        ),
        // What the demand needs is not met, whoever says that it is.
        (
            (r#""safe-to-deploy""#, "unmet", WHOLE, A),
            "safe-to-deploy",
            Outcome::Unmet,
        ),
        (
            (r#""safe-to-run""#, "unmet", WHOLE, A),
            "safe-to-deploy",
            Outcome::Unmet,
        ),
        (
            (r#""safe-to-deploy""#, "unmet", WHOLE, A),
            "safe-to-run",
            Outcome::Fine,
        ),
    ] {
        let verdict = reviewed(&[safe, unmet], demanded);
        assert_eq!(verdict.outcome(), expected, "{unmet:?} {demanded}");
    }
    let strict = (r#""strict""#, "pass", WHOLE, A);
    let untidy = (r#""tidy""#, "unmet", WHOLE, A);
    assert_eq!(reviewed(&[strict], "strict").outcome(), Outcome::Fine);
    assert_eq!(
        reviewed(&[strict, untidy], "strict").outcome(),
        Outcome::Unmet
    );
    // Alone it says nothing of whether the component can be used.
    assert_eq!(reviewed(&[untidy], "").outcome(), Outcome::Unknown);
}

#[test]
fn a_range_that_is_not_met_is_of_the_versions_in_it() {
    let safe = (r#""safe-to-deploy""#, "pass", WHOLE, A);
    for (range, expected) in [
        ("vers:cargo/>=1.0.0|<2.0.0", Outcome::Unmet),
        ("vers:cargo/<1.0.0", Outcome::Fine),
        ("vers:cargo/*", Outcome::Unmet),
    ] {
        let scope = format!(r#"{WHOLE},"versions":"{range}""#);
        let unmet = (
            r#""safe-to-deploy""#,
            "unmet",
            scope.as_str(),
            "pkg:cargo/a",
        );
        assert_eq!(
            reviewed(&[safe, unmet], "safe-to-deploy").outcome(),
            expected,
            "{range}"
        );
    }
}

#[test]
fn a_change_alone_makes_nothing_known() {
    let delta = |from: &str| format!(r#""scope":"delta","deltaBase":"{from}""#);
    let (from_9, from_8) = (delta("0.9.0"), delta("pkg:cargo/a@0.8.0"));
    let safe = r#""safe-to-deploy""#;
    let change = (safe, "pass", from_9.as_str(), A);
    let before = (safe, "pass", from_8.as_str(), "pkg:cargo/a@0.9.0");
    let whole = (safe, "pass", WHOLE, "pkg:cargo/a@0.8.0");
    let bad = (safe, "unmet", WHOLE, "pkg:cargo/a@0.9.0");
    for (reviews, bare, demanded) in [
        (&[change][..], Outcome::Unknown, Outcome::Unknown),
        (&[change, before], Outcome::Unknown, Outcome::Unknown),
        (&[change, before, whole], Outcome::Fine, Outcome::Fine),
        // What a step of the way is from does not meet it.
        (&[change, before, whole, bad], Outcome::Fine, Outcome::Unmet),
        (&[change, whole], Outcome::Unknown, Outcome::Unknown),
    ] {
        assert_eq!(reviewed(reviews, "").outcome(), bare, "{reviews:?}");
        let outcome = reviewed(reviews, "safe-to-deploy").outcome();
        assert_eq!(outcome, demanded, "{reviews:?}");
    }
}
