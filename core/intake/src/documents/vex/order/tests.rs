use super::*;
use Applies::{No, Yes};
use proptest::prelude::*;

/// Groups of bounds, as in `>1 <2, =3`.
fn read(text: &str) -> Vec<Vec<Bound<'_>>> {
    let bound = |text| {
        let signs = [">=", "<=", "!=", ">", "<", "="];
        let mut found = signs
            .iter()
            .filter_map(|sign| Some((*sign, str::strip_prefix(text, *sign)?)));
        let (sign, version) = found.next().unwrap();
        (sign, version.into())
    };
    let groups = text.split(", ");
    groups
        .map(|group| group.split_whitespace().map(bound).collect())
        .collect()
}

#[test]
fn what_meets_all_bounds_of_a_group_is_in() {
    for (groups, expected) in [
        (">=1.0.0 <=1.0.0", Some("1.0.0")),
        ("<=1.0.0 >=1", Some("1.0.0")),
        (">=1.0.0 <1.0.0", None),
        (">1.0.0 >=2.0.0", Some(">=2.0.0")),
        (">=1.0.0 >1.0.0", Some(">1.0.0")),
        ("<3.0.0 <=2.0.0 >1.0.0", Some(">1.0.0|<=2.0.0")),
        (">=2.0.0 <1.0.0", None),
        ("=1.0.0 =1.1.0", None),
        ("=1.0.0 >=2.0.0", None),
        ("=1.0.0, =1.1.0", Some("1.0.0|1.1.0")),
        ("!=1.0.0", Some("!=1.0.0")),
        ("<2.0.0 !=1.0.0", Some("!=1.0.0|<2.0.0")),
        (">=1.0.0 !=1.0.0", Some(">1.0.0")),
        ("<1.2.3, >=2.0.0 <2.1.0", Some("<1.2.3|>=2.0.0|<2.1.0")),
        (">=2.0.0 <2.1.0, <1.2.3", Some("<1.2.3|>=2.0.0|<2.1.0")),
        (">=1.0.0 <2.0.0, >=1.5.0 <3.0.0", Some(">=1.0.0|<3.0.0")),
        (">=1.0.0 <2.0.0, >=2.0.0 <3.0.0", Some(">=1.0.0|<3.0.0")),
        ("<1.0.0, >1.0.0", Some("!=1.0.0")),
        ("<1.0.0, <2.0.0", Some("<2.0.0")),
        // All of them are what nobody writes so.
        (">=1.0.0, <2.0.0", None),
        ("<=1.0.0, >=1.0.0", None),
    ] {
        let said = any_of("npm", "npm", &read(groups));
        assert_eq!(said.as_deref(), expected, "{groups}");
    }
}

#[test]
fn of_versions_in_no_known_order_only_what_is_plain_is_taken() {
    for (groups, expected) in [
        (">=1.0 <2.0", Some(">=1.0|<2.0")),
        (">=1.0 <=1.0", Some("1.0")),
        ("=1.0, =2.0", Some("1.0|2.0")),
        (
            "<1.0, =1.5, >=2.0 <3.0, >=4.0",
            Some("<1.0|1.5|>=2.0|<3.0|>=4.0"),
        ),
        ("=1.0 =2.0", None),
        ("=1.0 !=2.0", None),
        (">=1.0 >=2.0", None),
        ("<2.0 >=1.0", None),
        (">=1.0, <2.0", None),
        (">=1.0, >=2.0", None),
    ] {
        let said = any_of("conan", "conan", &read(groups));
        assert_eq!(said.as_deref(), expected, "{groups}");
    }
    // Nor are more in order than are looked at.
    let many = (0..=BOUNDS)
        .rev()
        .map(|at| vec![("=", at.to_string().into())]);
    let many: Vec<_> = many.collect();
    let begins = |groups: &[_], with: &str| any_of("npm", "npm", groups).unwrap().starts_with(with);
    assert!(begins(&many[1..], "0|1|2|"));
    assert!(begins(&many, "1000|999|"));
}

#[test]
fn constraints_of_a_range_stand_for_what_is_between_them() {
    for (constraints, expected) in [
        (">=1.0.0 <=1.0.0", Some("1.0.0")),
        ("<=1.0.0 >=1.0.0", Some("1.0.0")),
        ("<2.0.0 >=1.0.0", Some(">=1.0.0|<2.0.0")),
        (
            ">=2.0.0 <=2.0.0 >=3.0.0 <4.0.0",
            Some("2.0.0|>=3.0.0|<4.0.0"),
        ),
        (">=3.0.0 <1.0.0 =2.0.0", Some("<1.0.0|2.0.0|>=3.0.0")),
        (">=1.0.0 !=1.5.0 <2.0.0", Some(">=1.0.0|!=1.5.0|<2.0.0")),
        ("!=1.5.0 !=1.6.0", Some("!=1.5.0|!=1.6.0")),
        ("=1.0.0 =1.1.0", Some("1.0.0|1.1.0")),
        // What is in neither way to read them, or in one alone.
        ("<1.0.0 >=1.0.0", None),
        (">=1.0.0 >=2.0.0", None),
        ("<1.0.0 <2.0.0", None),
    ] {
        let bounds = read(constraints).remove(0);
        let groups = paired("npm", "npm", &bounds);
        let said = groups.and_then(|groups| any_of("npm", "npm", &groups));
        assert_eq!(said.as_deref(), expected, "{constraints}");
    }
}

/// A number in front of a dot is a version of an action only as a bound.
#[test]
fn a_tag_of_an_action_is_a_bound() {
    let said = any_of("githubactions", "githubactions", &read("<3 >=1.5.0, =v4"));
    assert_eq!(said.as_deref(), Some(">=1.5.0|<3|v4"));
}

proptest! {
    /// What is written says the same as the bounds.
    #[test]
    fn a_range_holds_what_meets_the_bounds(
        groups in proptest::collection::vec(
            proptest::collection::vec(("(=|!=|>|>=|<|<=)", 0..6_u64), 1..4), 1..4,
        ),
        number in 0..7_u64, below in any::<bool>(),
    ) {
        let text = |number: u64| format!("{number}.0.0");
        let version = if below { format!("{number}.0.0-rc.1") } else { text(number) };
        let order = |bound: u64| (number, !below).cmp(&(bound, true));
        let meets = |group: &Vec<(String, u64)>| {
            let mut bounds = group.iter();
            bounds.all(|(sign, bound)| lets_in(sign, order(*bound)))
        };
        let is_in = groups.iter().any(meets);
        let groups: Vec<Vec<Bound<'_>>> = groups
            .iter()
            .map(|group| group.iter().map(|(sign, at)| (&**sign, text(*at).into())).collect())
            .collect();
        // What says nothing may be of no version or of all.
        if let Some(range) = any_of("npm", "npm", &groups) {
            let said = vers::contains(&format!("vers:npm/{range}"), "npm", &version);
            prop_assert_eq!(said, if is_in { Yes } else { No }, "{} {}", range, version);
        }
    }
}
