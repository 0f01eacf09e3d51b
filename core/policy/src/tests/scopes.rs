//! One judgment for many components: what is found for the scopes of one is used for no other.

use super::*;
use crate::testing::{about, endorsement};
use crate::trust::Limit;

/// More than are kept.
const PACKAGES: usize = 100;

#[test]
fn a_role_for_one_package_is_none_for_another_however_many_are_asked_about() {
    let mut world = World::new();
    let [maker, auditor] = [1, 2].map(|seed| world.register("p", &[seed], 1));
    let review = r#"{"criteria":["c"],"verdict":"pass","scope":"version"}"#;
    let audit = |world: &mut World, package: &str, by: &Party| {
        world.log(
            &about(&format!("{package}@1"), "urn:assay:audit:v1", review),
            &[by],
        );
    };
    for number in 0..PACKAGES {
        let package = format!("pkg:cargo/x{number}");
        let endorsed = endorsement(&auditor, "auditor", &[&package], 0);
        world.endorse(&maker, &endorsed);
        if number % 2 == 0 {
            audit(&mut world, &package, &auditor);
        }
    }
    for (package, by) in [
        ("pkg:cargo/of-the-maker", &maker),
        ("pkg:cargo/not-endorsed", &auditor),
        ("pkg:npm/x0", &auditor),
        ("pkg:npm/of-the-maker", &maker),
    ] {
        audit(&mut world, package, by);
    }
    let anchor = anchor(&maker, &["auditor"]).replace("pkg:*", "pkg:cargo/*");
    let policy = parse(&format!("version = 1\n{anchor}"));
    let mut known = Known::judge(&policy, &world.claims, NOW_MS);
    let of = |known: &Known<'_>, package: &str| {
        let component = component(&format!("{package}@1"));
        known.verdict(&component, &fresh(&world)).outcome()
    };
    // Twice: what was found is used again.
    for _ in 0..2 {
        for number in 0..PACKAGES {
            let outcome = of(&known, &format!("pkg:cargo/x{number}"));
            assert_eq!(outcome == Outcome::Fine, number % 2 == 0, "{number}");
        }
        assert_eq!(of(&known, "pkg:cargo/of-the-maker"), Outcome::Fine);
        for package in [
            "pkg:cargo/not-endorsed",
            "pkg:npm/x0",
            "pkg:npm/of-the-maker",
        ] {
            assert_eq!(of(&known, package), Outcome::Unknown, "{package}");
        }
    }
    // And not when endorsements turn out not to count.
    known = known.within(&[Limit::Endorsements {
        issuer: maker.id,
        origin: world.origin.to_owned(),
    }]);
    assert_eq!(of(&known, "pkg:cargo/x0"), Outcome::Unknown);
    assert_eq!(of(&known, "pkg:cargo/of-the-maker"), Outcome::Fine);
}
