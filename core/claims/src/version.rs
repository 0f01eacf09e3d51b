//! Versions that are one version, though they are spelled differently: what their package manager
//! or registry takes for the same.
//!
//! Each version has a key, and two versions of a package are one if their keys are equal. Where an
//! ecosystem tells spellings apart, so do the keys: the tags `1.2` and `v1.2` can be two images.

use crate::order::are_digits;
use pep440_rs::Version;
use std::str::FromStr;

/// Types of packages whose versions may have a `v` in front that means nothing.
const MAY_HAVE_V: [&str; 15] = [
    "bitbucket",
    "cargo",
    "clojars",
    "composer",
    "generic",
    "github",
    "githubactions",
    "gitlab",
    "golang",
    "hex",
    "npm",
    "nuget",
    "pub",
    "swift",
    "terraform",
];

/// The key of a version of a package, given the purl type and the package's name.
pub fn key(ty: &str, name: &str, version: &str) -> String {
    let version = without_v(ty, name, version);
    match ty {
        "pypi" => pep_440(version),
        "nuget" => nuget(version),
        "composer" => composer(version),
        "cocoapods" | "gem" => gem(version),
        "cran" => version.replace('-', "."),
        "golang" => without_suffix(version, "+incompatible").to_owned(),
        // A registry has one version of what differs only in build metadata.
        "cargo" | "npm" => version.split('+').next().unwrap_or_default().to_owned(),
        _ => version.to_owned(),
    }
}

/// The version without what is put in front of it: `v1.2` is `1.2`, and of Go's standard library
/// `go1.22` is `1.22`.
fn without_v<'a>(ty: &str, name: &str, version: &'a str) -> &'a str {
    let is_number = |rest: &&str| rest.starts_with(|c: char| c.is_ascii_digit());
    if ty == "golang" && ["go", "stdlib", "toolchain"].contains(&name) {
        let rest = version.strip_prefix("go").filter(is_number);
        if let Some(rest) = rest {
            return rest;
        }
    }
    let rest = version.strip_prefix(['v', 'V']).filter(is_number);
    rest.filter(|_| MAY_HAVE_V.contains(&ty)).unwrap_or(version)
}

/// Whether a version is of a cycle of releases, such as 3.1.2 of 3.1: it begins with the cycle, and
/// goes on with anything but a digit. A `v` in front of either and an epoch mean nothing.
pub fn is_of_cycle(version: &str, cycle: &str) -> bool {
    let version = match version.split_once([':', '!']) {
        Some((epoch, rest)) if are_digits(epoch) && !cycle.contains([':', '!']) => rest,
        _ => version,
    };
    let (version, cycle) = (bare(version), bare_cycle(cycle));
    let Some(rest) = version.strip_prefix(cycle) else {
        return false;
    };
    // Letters go on a word and end a number: 1.1.1w is of 1.1.1, and ltsx is not of lts.
    let of_number = cycle.ends_with(|c: char| c.is_ascii_digit());
    match rest.chars().next() {
        None => true,
        Some(next) => {
            !cycle.is_empty() && !next.is_ascii_digit() && (of_number || !next.is_alphabetic())
        }
    }
}

/// A version without what some put in front of its number.
fn bare(version: &str) -> &str {
    let rest = version.strip_prefix(['v', 'V']);
    let rest = rest.or(version.strip_prefix("go"));
    rest.filter(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(version)
}

/// What the versions of a cycle begin with.
pub(crate) fn bare_cycle(cycle: &str) -> &str {
    bare(without_marks(cycle))
}

/// A cycle without what says that it is one, or for how long it is supported.
fn without_marks(cycle: &str) -> &str {
    let mut marks = [".x", ".X", "-lts", "-LTS", " lts", " LTS"].into_iter();
    let bare = marks.find_map(|mark| cycle.strip_suffix(mark));
    bare.filter(|bare| bare.ends_with(|c: char| c.is_ascii_digit()))
        .unwrap_or(cycle)
}

/// The version of Java that tools write as one of 1: `1.8.0_352` is `8.0_352`. `None` if the
/// package is no Java, or the version is written otherwise.
pub(crate) fn of_java<'v>(name: &str, version: &'v str) -> Option<&'v str> {
    let lower = name.to_ascii_lowercase();
    let is_java = ["jdk", "jre", "temurin", "corretto", "zulu"]
        .iter()
        .any(|word| lower.contains(word));
    version
        .strip_prefix("1.")
        .filter(|_| is_java || lower == "java")
}

fn without_suffix<'a>(version: &'a str, suffix: &str) -> &'a str {
    version.strip_suffix(suffix).unwrap_or(version)
}

/// Numbers without zeros in front, and the trailing ones that are zero left out.
fn numbers<'a>(numbers: impl Iterator<Item = &'a str>) -> String {
    let mut all: Vec<&str> = numbers.map(|n| n.trim_start_matches('0')).collect();
    while all.last().is_some_and(|last| last.is_empty()) {
        all.pop();
    }
    let all: Vec<&str> = all
        .into_iter()
        .map(|n| if n.is_empty() { "0" } else { n })
        .collect();
    all.join(".")
}

fn are_numbers(text: &str) -> bool {
    text.split('.').all(are_digits)
}

/// PEP 440: case, separators, the spelling of pre-releases and trailing zeros mean nothing. What is
/// no version of it is compared as it is written, without regard to case.
fn pep_440(version: &str) -> String {
    let Ok(read) = Version::from_str(version) else {
        return version.to_ascii_lowercase();
    };
    let mut release = read.release().to_vec();
    while release.last() == Some(&0) && release.len() > 1 {
        release.pop();
    }
    read.with_release(release).to_string()
}

/// NuGet: four numbers of which trailing zeros mean nothing, case means nothing, and what follows a
/// `+` does not either.
fn nuget(version: &str) -> String {
    let version = version
        .split('+')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    let (release, label) = version.split_once('-').unwrap_or((&version, ""));
    if are_numbers(release) {
        format!("{}-{label}", numbers(release.split('.')))
    } else {
        version
    }
}

/// Composer: up to four numbers of which trailing zeros mean nothing, then a stability and its
/// number, of several spellings. Branches (`dev-main`) are as they are written.
fn composer(version: &str) -> String {
    let lower = version
        .split('+')
        .next()
        .unwrap_or_default()
        .to_ascii_lowercase();
    if let Some(branch) = lower.strip_suffix(".x-dev").filter(|it| are_numbers(it)) {
        // A branch of numbers is above all that come before the next one.
        let open = 4_usize.saturating_sub(branch.split('.').count());
        return format!("{branch}{}-dev", ".9999999".repeat(open));
    }
    let end = lower
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(lower.len());
    let (release, rest) = lower.split_at(end);
    let release = release.trim_end_matches('.');
    let rest = rest.trim_start_matches(['-', '_', '.']);
    let letters = rest
        .find(|c: char| !c.is_ascii_alphabetic())
        .unwrap_or(rest.len());
    let (word, number) = rest.split_at(letters);
    let stability = match word {
        "" | "stable" => "",
        "a" | "alpha" => "alpha",
        "b" | "beta" => "beta",
        "rc" => "rc",
        "p" | "pl" | "patch" => "patch",
        _ => return version.to_owned(),
    };
    let number = number.replace(['-', '_'], ".");
    let number = number.trim_matches('.');
    if !are_numbers(release) || !(number.is_empty() || are_numbers(number)) {
        return version.to_owned();
    }
    format!("{}-{stability}{number}", numbers(release.split('.')))
}

/// RubyGems: runs of digits and of letters are segments, `-` begins a pre-release, and zeros before
/// letters and at the end mean nothing.
fn gem(version: &str) -> String {
    let version = version.replace('-', ".pre.");
    let mut segments: Vec<String> = Vec::new();
    for part in version.split('.') {
        let mut rest = part;
        while let Some(first) = rest.chars().next() {
            let digits = first.is_ascii_digit();
            let end = rest
                .find(|c: char| c.is_ascii_digit() != digits)
                .unwrap_or(rest.len());
            let (segment, after) = rest.split_at(end);
            if !digits {
                trim_zeros(&mut segments);
            }
            segments.push(match segment.trim_start_matches('0') {
                "" if digits => "0".to_owned(),
                number if digits => number.to_owned(),
                _ => segment.to_owned(),
            });
            rest = after;
        }
    }
    trim_zeros(&mut segments);
    segments.join(".")
}

fn trim_zeros(segments: &mut Vec<String>) {
    while segments.last().is_some_and(|last| last == "0") {
        segments.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn spellings_of_one_version_have_one_key() {
        for (ty, same) in [
            ("pypi", &["1.0", "1", "1.0.0", "v1.0", "01.0"][..]),
            ("pypi", &["1.0-1", "1.0.post1", "1.0.0.Post-1", "1.0-r1"]),
            ("pypi", &["1.0.RC1", "1.0rc1", "1.0-c.1", "1.0preview1"]),
            ("pypi", &["1.0.dev", "1.0.DEV0", "1.dev0"]),
            ("pypi", &["1!2.0", "1!2"]),
            ("pypi", &["1.0+Ubuntu-1", "1.0+ubuntu.1"]),
            ("nuget", &["1.0.0", "1.0", "1.0.0.0", "v1.0.0+sha", "01.0"]),
            ("nuget", &["2.0.0-Beta.1", "2.0.0-beta.1"]),
            ("composer", &["v5.4.0", "5.4", "5.4.0.0", "5.4.0-stable"]),
            (
                "composer",
                &["1.0.0-RC1", "v1.0.0-rc1", "1.0RC.1", "1.0.0.0-rc1"],
            ),
            ("composer", &["2.0.0-b2", "2.0-beta2", "2.0.0-BETA-2"]),
            (
                "composer",
                &["1.0.x-dev", "v1.0.x-dev", "1.0.9999999.9999999-dev"],
            ),
            ("cocoapods", &["4.0", "4", "4.0.0"]),
            ("golang", &["v1.2.3", "1.2.3"]),
            ("golang", &["v3.2.0+incompatible", "3.2.0"]),
            ("gem", &["1.0", "1", "1.0.0"]),
            ("gem", &["1.0.0.rc1", "1.0.rc.1", "1.rc1"]),
            ("gem", &["2.0.0.beta.1", "2.beta1"]),
            ("cargo", &["1.0.0+curl-8", "1.0.0"]),
            ("npm", &["v1.0.0", "1.0.0", "1.0.0+build.5"]),
            ("cran", &["1.0-1", "1.0.1"]),
            ("github", &["v3.1.2", "3.1.2"]),
            ("hex", &["v1.0.0-rc.1", "1.0.0-rc.1"]),
        ] {
            for version in same {
                assert_eq!(
                    key(ty, "a", version),
                    key(ty, "a", same[0]),
                    "{ty} {version}"
                );
            }
        }
        assert_eq!(
            key("golang", "stdlib", "go1.22.1"),
            key("golang", "stdlib", "v1.22.1")
        );
    }

    #[test]
    fn a_version_is_of_the_cycle_that_it_begins_with() {
        for (version, cycle) in [
            ("3.1.2", "3.1"),
            ("v3.1.2", "3.1"),
            ("3.1.2", "v3.1"),
            ("3.1", "3.1"),
            ("1:8.0.36-1ubuntu1", "8.0"),
            ("1!3.1.2", "3.1"),
            ("3.1-rc1", "3.1"),
            ("3.1rc1", "3.1"),
            ("3.1+build", "3.1"),
            ("3.1~beta", "3.1"),
            ("1.1.1w", "1.1.1"),
            ("go1.22.1", "1.22"),
            ("v8.83.27", "8"),
            ("6.0.25", "6.0-lts"),
            ("2.7.18", "2.x"),
            ("22.04.1", "22.04 LTS"),
        ] {
            assert!(is_of_cycle(version, cycle), "{version} {cycle}");
        }
        for (version, cycle) in [
            ("3.10.2", "3.1"),
            ("v30", "3"),
            ("3", "3.1"),
            ("ltsx", "lts"),
            ("13.1", "3.1"),
            ("1.3.1", "3.1"),
            ("8:3.1", "8"),
            ("60.1", "6.0-lts"),
            ("21.1", "2.x"),
            ("x", ".x"),
        ] {
            assert!(!is_of_cycle(version, cycle), "{version} {cycle}");
        }
    }

    #[test]
    fn java_has_two_ways_to_count() {
        for (name, version, expected) in [
            ("openjdk", "1.8.0_352", Some("8.0_352")),
            ("java-1.8.0-openjdk", "1.8.0.392", Some("8.0.392")),
            ("Eclipse-Temurin", "1.8", Some("8")),
            ("java", "1.8", Some("8")),
            ("openjdk", "17.0.1", None),
            ("javassist", "1.8.0", None),
        ] {
            assert_eq!(of_java(name, version), expected, "{name} {version}");
        }
    }

    #[test]
    fn what_an_ecosystem_tells_apart_stays_apart() {
        for (ty, one, other) in [
            ("pypi", "1.0", "1.0.post0"),
            ("pypi", "1.0", "1.0.dev0"),
            ("pypi", "1.0", "1.0+local"),
            ("pypi", "1!1.0", "1.0"),
            ("pypi", "1.0a1", "1.0b1"),
            ("pypi", "1.10", "1.1"),
            ("pypi", "0", "10"),
            ("nuget", "1.0.0-beta", "1.0.0"),
            ("nuget", "1.0.0.1", "1.0.0"),
            ("nuget", "1.10", "1.1"),
            ("composer", "1.0.0-rc1", "1.0.0"),
            ("composer", "dev-main", "dev-Main"),
            ("composer", "1.0.0-p1", "1.0.0"),
            ("golang", "v0.0.0-20240101000000-0123456789ab", "v0.0.0"),
            ("gem", "1.0.0.pre", "1.0.0"),
            ("gem", "1.10", "1.1"),
            ("cargo", "1.0.0-rc1", "1.0.0"),
            ("cargo", "1.0.0-RC1", "1.0.0-rc1"),
            ("docker", "v1.2", "1.2"),
            ("oci", "v1.2", "1.2"),
            ("maven", "1.0", "1.0.0"),
            ("github", "vnext", "next"),
            ("deb", "1.0-1", "1.0-1+b1"),
        ] {
            assert_ne!(key(ty, "a", one), key(ty, "a", other), "{ty} {one} {other}");
        }
    }

    proptest! {
        #[test]
        fn a_key_never_panics(version in "[v0-9a-zé.!+_-]{0,20}", any: String) {
            for ty in ["pypi", "nuget", "composer", "gem", "cran", "golang", "cargo", "deb"] {
                let _keys = (key(ty, "stdlib", &version), key(ty, "a", &any));
            }
        }
    }
}
