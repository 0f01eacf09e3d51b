//! Pairs of each order, and that each is one.

use super::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use std::fmt::Debug;

/// Lists of versions, each below the next one; those of one text are equal.
const SORTED: [(&str, &str); 9] = [
    (
        "maven",
        "1-alpha-1=1a1=1.alpha1 1-alpha-2 1-beta=1.beta 1-b2=1-beta-2 1-m3=1.0-milestone-3 \
        1-rc=1-cr 1-rc1 1-rc-2 1-SNAPSHOT 1=1.0=1.0.0=1-ga=1.0.Final=1-release=1.0-0 1-sp \
        1-sp-1 1-abc=1.abc 1-jre 1-xyz 1-1=1.0-1 1-2 1-10 1.0.1 1.1-rc1 1.1 1.1-1 1.2 1.10 \
        1.10.0-1 2.0-alpha 99999999999999999998 99999999999999999999",
    ),
    (
        "deb",
        "1.0~~ 1.0~~a 1.0~ 1.0~rc1-1 1.0=1.0-0=0:1.0=01.0 1.0-1~bpo1 1.0-1 1.0-1+b1 1.0-1.1 \
        1.0a 1.0+dfsg-1 1.0-2-1 1.0. 1.0.1 1.2 1.10 2.0 1:0.1 2:0",
    ),
    (
        "rpm",
        "1.0~rc1-1 1.0 1.0-1=1_0-1=0:1.0-01 1.0-1.el8 1.0-1.el9 1.0-2 1.0-10 1.0^git1-1 1.0a-1 \
        1.0.a-2 1.0.1-1 1.1-1 1.10-1 2-1 1:0-1 12:0-1",
    ),
    (
        "gem",
        "1.0.a 1.0.a.1=1.0.a1 1.0.a.2 1.0.b 1.0.pre.1=1.0-1 1.0.rc1 1=1.0=1.0.0=1.0-java \
        1.0.0.1 1.0.1 1.1 1.9 1.10 2.0.0.beta 2",
    ),
    (
        "nuget",
        "1.0.0-1 1.0.0-2 1.0.0-10 1.0.0-alpha=1.0-ALPHA 1.0.0-alpha.1 1.0.0-alpha.1.1 \
        1.0.0-alpha.a 1.0.0-beta 1=1.0=1.0.0=1.0.0.0=v1+sha 1.0.0.1 1.0.1 1.2-rc 1.2 1.10",
    ),
    (
        "composer",
        "1.0-dev 1.0-alpha=1.0.0-a 1.0-alpha1=1.0a1 1.0-alpha2 1.0-beta1=1.0-b1 \
        1.0-RC1-dev 1.0-RC1=1.0.rc.1 1.0-RC2 1.0-RC10 1=1.0=v1.0.0.0=1.0-stable=1.0-stable2-dev \
        1.0-p1=1.0-patch1 \
        1.0-p2 1.0.1 1.0.x-dev=1.0.9999999.9999999-dev 1.1 1.10 1.x-dev 2.0-alpha",
    ),
    (
        "apk",
        "1.0_alpha 1.0_alpha1 1.0_alpha2 1.0_beta 1.0_pre1 1.0_rc1 1.0_rc1-r1 1.0 1.0-r0 \
        1.0-r1 1.0-r10 1.0~abc 1.0_git20240101 1.0_p 1.0_p1 1.0a 1.0b 1.0.0 1.0.1 1.01 1.012 1.02 \
        1.1 1.9 1.10 2",
    ),
    (
        "cran",
        "1.0 1.0.0=1.0-0 1.0-1=1.0.1=1.00.01 1.0-10 1.1 1.10",
    ),
    ("intdot", "1 1.0 1.0.0 1.2 1.10 2 10"),
];

fn by(ty: &str, one: &str, other: &str) -> Option<Ordering> {
    fn of<T: Ord + Debug>(
        read: impl Fn(&str) -> Option<T>,
        one: &str,
        other: &str,
    ) -> Option<Ordering> {
        Some(read(one)?.cmp(&read(other)?))
    }
    match ty {
        "maven" => of(maven::read, one, other),
        "deb" => of(deb::read, one, other),
        "rpm" => of(rpm::read, one, other),
        "gem" => of(gem::read, one, other),
        "nuget" => of(nuget::read, one, other),
        "composer" => of(composer::read, one, other),
        "apk" => of(apk::read, one, other),
        "cran" => of(numbers::cran, one, other),
        _ => of(numbers::intdot, one, other),
    }
}

#[test]
fn versions_are_in_the_order_of_their_ecosystem() {
    for (ty, sorted) in SORTED {
        let places = sorted.split_whitespace().enumerate();
        let all: Vec<(usize, &str)> = places
            .flat_map(|(place, same)| same.split('=').map(move |one| (place, one)))
            .collect();
        for (i, one) in &all {
            for (j, other) in &all {
                assert_eq!(by(ty, one, other), Some(i.cmp(j)), "{ty} {one} {other}");
            }
        }
    }
}

#[test]
fn what_is_no_version_has_no_place() {
    for (ty, texts) in [
        (
            "maven",
            &["", "RELEASE", "x1", "1 0", "[1,2)", "${a}1", "1\u{e9}"][..],
        ),
        (
            "deb",
            &["", "1.0-", "a:1", ":1", "x1", "1_0", "-1", "1.0-1_1", "1 "],
        ),
        (
            "rpm",
            &["", "openssl", "1-", "-1", "x:1", "1 0", "< 2", "1.0-\u{e9}"],
        ),
        ("gem", &["", "a", "1..0", "1.", "1a", "1_0", "1.0-", "~>1"]),
        (
            "nuget",
            &["", "1.x", "1.", "1-", "1-a_b", "1.2.3.4.5", "*", "1+"],
        ),
        (
            "composer",
            &[
                "",
                "dev-main",
                "1.2.3.4.5",
                "1-foo",
                "20240101",
                "x.x-dev",
                "1 .0",
                "1.x",
                "1+",
                "1-beta.",
                "1.-beta",
                "1.",
            ],
        ),
        (
            "apk",
            &[
                "", "a", "1.", "1.a", "1ab", "1_foo", "1-r", "1-1", "1~", "1-r1.2", "1_",
            ],
        ),
        ("cran", &["", "1.", "1.a", "1--1"]),
        ("intdot", &["", "1.", "1.a", "1-1", "-1"]),
    ] {
        for text in texts {
            assert_eq!(by(ty, text, text), None, "{ty} {text:?}");
        }
    }
}

/// Texts of the pieces that versions of a type are made of, so that near ones are frequent.
fn pieces(ty: &str) -> &'static str {
    match ty {
        "maven" => r"[0-2]([.-]?(0|1|2|10|a|alpha|rc|final|ga|sp|x|snapshot|-|\.|)){0,5}",
        "deb" => r"([01]:)?[0-2](\.|~|\+|a|b|0|1|10|-){0,6}",
        "rpm" => r"([01]:)?[0-2](\.|~|\^|_|a|b|0|1|10|-){0,6}",
        "gem" => r"[0-2](\.(0|1|a|b|a1|10)){0,5}(-(1|a|java))?",
        "nuget" => r"[0-2](\.(0|1|10)){0,3}(-(0|1|a|A|10|b-c)(\.(0|a|1)){0,2})?(\+x)?",
        "composer" => {
            r"v?[0-2](\.(0|1|10)){0,3}([.-]?(dev|a|beta|RC|p|stable))?([.-]?(0|1|10)){0,2}(-dev)?"
        }
        "apk" => r"[0-2](\.(0|01|1|10)){0,3}[ab]?(_(rc|p|git)(0|1)?){0,2}(~a[bc])?(-r[01])?",
        "cran" => "[0-2]([.-](0|00|1|10)){0,4}",
        _ => r"[0-2](\.(0|00|1|10)){0,4}",
    }
}

fn total(ty: &'static str) {
    let config = ProptestConfig {
        cases: 3_000,
        failure_persistence: None,
        max_global_rejects: 1_000_000,
        ..ProptestConfig::default()
    };
    let one = || proptest::string::string_regex(pieces(ty)).unwrap();
    let mut read = 0_u32;
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&(one(), one(), one()), |(a, b, c)| {
        let order = |one: &str, other: &str| by(ty, one, other);
        prop_assert!(order(&a, &a).is_none_or(Ordering::is_eq));
        let Some((ab, bc)) = order(&a, &b).zip(order(&b, &c)) else {
            return Ok(());
        };
        let ac = order(&a, &c);
        prop_assert_eq!(order(&b, &a), Some(ab.reverse()));
        if ab == bc || bc.is_eq() {
            prop_assert_eq!(ac, Some(ab));
        } else if ab.is_eq() {
            prop_assert_eq!(ac, Some(bc));
        }
        Ok(())
    });
    outcome.unwrap();
    // The generator makes what the order reads, or nothing was tried.
    let mut sample = proptest::test_runner::TestRunner::deterministic();
    for _ in 0..1000 {
        let text = one().new_tree(&mut sample).unwrap().current();
        read += u32::from(by(ty, &text, &text).is_some());
    }
    assert!(read > 300, "{ty} reads {read} of 1000");
}

macro_rules! each_is_total {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                total(stringify!($name));
            }
        )*
    };
}

each_is_total! { maven deb rpm gem nuget composer apk cran intdot }
