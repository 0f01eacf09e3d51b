use super::*;
use Applies::{No, Yes};
use proptest::prelude::*;

/// Groups of bounds, as in `>1 <2, =3`.
fn read(text: &str) -> Vec<Vec<Bound<'_>>> {
    let groups = text.split(", ");
    groups
        .map(|group| group.split_whitespace().map(bound).collect())
        .collect()
}

fn bound(text: &str) -> Bound<'_> {
    let mut signs = [">=", "<=", "!=", ">", "<", "="].into_iter();
    let found = signs.find_map(|sign| Some((sign, text.strip_prefix(sign)?.into())));
    found.unwrap()
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

/// What is left out is left out of every group: of many of both that would be too much. So would
/// be a version that is longer than a purl, which is compared with all others.
#[test]
fn many_constraints_are_no_range_and_those_in_order_take_no_time() {
    let of = |sign: &'static str, at: usize| (sign, format!("{at}.0.0").into());
    let mut many: Vec<Bound<'_>> = (0..=BOUNDS).map(|at| of("=", at)).collect();
    for ty in ["npm", "conan"] {
        assert_eq!(paired(ty, ty, &many), None);
        assert!(paired(ty, ty, &many[1..]).is_some());
        let holes = (0..BOUNDS).map(|at| of(["=", "!="][at % 2], at));
        assert_eq!(paired(ty, ty, &holes.collect::<Vec<_>>()), None);
    }
    many[0].1 = "1".repeat(PURL_BYTES + 1).into();
    assert_eq!(any_of("npm", "npm", &[many[..3].to_vec()]), None);
    let groups = (0..BOUNDS).map(|at| vec![of(">", at)]);
    let said = any_of("npm", "npm", &groups.collect::<Vec<_>>());
    assert_eq!(said.as_deref(), Some(">0.0.0"));
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
        let is_in = groups.iter().any(|group| {
            let mut bounds = group.iter();
            bounds.all(|(sign, bound)| lets_in(sign, (number, !below).cmp(&(*bound, true))))
        });
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
    /// OSV schema, "Evaluation", whatever the order of the events in a record.
    #[test]
    fn events_are_of_what_they_are_evaluated_to(
        signs in proptest::collection::vec("(>=|<|<=)", 0..6), from_all in any::<bool>(),
        limits in proptest::collection::vec(0..8_u64, 0..3), number in 0..8_u64,
        below in any::<bool>(), reversed in any::<bool>(),
    ) {
        let text = |number: u64| format!("{number}.0.0");
        let version = if below { format!("{number}.0.0-rc.1") } else { text(number) };
        let order = |bound: u64| (number, !below).cmp(&(bound, true));
        let mut events: Vec<(&str, u64)> = vec![(">=", 0)];
        events.extend(signs.iter().map(String::as_str).zip(1..));
        if from_all {
            events.remove(0);
        }
        let mut is_in = from_all;
        for (sign, at) in &events {
            is_in = match *sign {
                ">=" => is_in || order(*at).is_ge(),
                "<" => is_in && order(*at).is_lt(),
                _ => is_in && order(*at).is_le(),
            };
        }
        is_in &= limits.is_empty() || limits.iter().any(|limit| order(*limit).is_lt());
        if reversed {
            events.reverse();
        }
        let limits: Vec<_> = limits.iter().map(|limit| ("<", text(*limit).into())).collect();
        let events: Vec<Bound<'_>> =
            events.iter().map(|(sign, at)| (*sign, text(*at).into())).collect();
        let said = of_events("npm", "npm", (&events, from_all), &limits);
        let said = said.map_or(No, |range| {
            vers::contains(&format!("vers:npm/{range}"), "npm", &version)
        });
        prop_assert_eq!(said, if is_in { Yes } else { No });
    }
}

#[test]
fn constraints_are_cut_between_pairs() {
    let all = "<1|>=2|<3|4|>5|<=6|>=7";
    for (most, expected) in [
        (100, &[all][..]),
        (14, &["<1|>=2|<3|4", ">5|<=6", ">=7"]),
        (7, &["<1", ">=2|<3", "4", ">5|<=6", ">=7"]),
    ] {
        assert_eq!(in_parts(all, most), expected, "{most}");
    }
    assert_eq!(in_parts("<1|!=2|>=3", 3), ["<1|!=2|>=3"]);
}
