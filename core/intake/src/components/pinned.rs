//! Whether what stands for a version is one.

/// Why a version in an SBOM is none that could be looked up, if it is none: what a project asks
/// for, or a name of whatever is the newest.
pub(super) fn unpinned(version: &str) -> Option<&'static str> {
    if let Some(reason) = placeholder(version) {
        return Some(reason);
    }
    const RANGE: &str = "has a range of versions, and not the one that is used";
    const MOVING: &str = "has a branch or tag that moves, and no version";
    let part = |c: &str| ["x", "X", "*"].contains(&c);
    let begins = version.starts_with(['^', '~', '<', '>', '=', '!', '[', '(', '*']);
    let wild = version.split('.').skip(1).any(part) || part(version);
    if begins || wild || version.contains(['<', '>', '|', ',']) || version.contains(" - ") {
        return Some(RANGE);
    }
    let lower = version.to_ascii_lowercase();
    MOVING_NAMES.contains(&lower.as_str()).then_some(MOVING)
}

/// Branches and tags that name another version every now and then, beside those that no lock file
/// takes ([`placeholder`]).
const MOVING_NAMES: [&str; 8] = [
    "develop", "edge", "head", "main", "master", "nightly", "trunk", "unstable",
];

/// Why what stands for a version is none in any lock file, if it is none: a word for "not known", a
/// name of whatever is the newest, or something that was to be replaced by one.
pub(super) fn placeholder(version: &str) -> Option<&'static str> {
    const WORKED_ON: &str = "was built from what somebody worked on, and has no version";
    const NOT_SAID: &str = "has a word for a version that is not known";
    const NEWEST: &str = "has a name of whatever is the newest, and no version";
    const NOT_REPLACED: &str = "has something that was to be replaced by a version";
    const A_PLACE: &str = "has a place that it is taken from, and no version";
    let version = version.trim();
    let lower = version.to_ascii_lowercase();
    match lower.as_str() {
        "(devel)" | "0.0.0-use.local" => Some(WORKED_ON),
        "" | "unspecified" | "unknown" | "noassertion" | "none" | "null" | "undefined" | "nan"
        | "n/a" => Some(NOT_SAID),
        "latest" | "latest.release" | "latest.integration" | "release" | "next" | "canary" => {
            Some(NEWEST)
        }
        _ if lower.starts_with('$') || ["${", "{{", "#{"].iter().any(|s| lower.contains(s)) => {
            Some(NOT_REPLACED)
        }
        _ => PLACES
            .iter()
            .any(|place| lower.starts_with(place))
            .then_some(A_PLACE),
    }
}

/// What places begin with that package managers take packages from.
const PLACES: [&str; 8] = [
    "workspace:",
    "link:",
    "file:",
    "portal:",
    "npm:",
    "git+",
    "http://",
    "https://",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_and_names_that_move_are_no_versions() {
        for version in [
            "^4.18.0",
            "~1.2",
            ">= 2.0,< 3",
            "4.*.*",
            "4.x",
            "1.2.X",
            "*",
            "[1.0,2.0)",
            "latest",
            "1.0 - 2.0",
            "1 || 2",
            "=1.0",
            "main",
            "HEAD",
            "!=1",
            "<2",
        ] {
            assert!(unpinned(version).is_some(), "{version}");
        }
        let built = unpinned("(devel)").unwrap();
        assert!(built.contains("no version") && !built.contains("range"));
        for version in [
            "4.18.0",
            "1.0~rc1",
            "1:2.3-4+b1",
            "v4",
            "1!2.0",
            "2.0.x86",
            "dev-main",
            "1.0 beta",
            "v0.0.0-20240101000000-0123456789ab",
            "sha256:00",
            "2024b",
            "x264",
            "1.0-latest",
        ] {
            assert_eq!(unpinned(version), None, "{version}");
        }
    }

    #[test]
    fn words_for_no_version_are_none() {
        for version in [
            "unspecified",
            "UNKNOWN",
            "NOASSERTION",
            "null",
            "undefined",
            "N/A",
            " ",
            "RELEASE",
            "LATEST",
            "next",
            "${project.version}",
            "$VERSION",
            "1.${minor}",
            "{{ version }}",
            "workspace:*",
            "file:../a",
            "https://host/a.tgz",
        ] {
            assert!(placeholder(version).is_some(), "{version}");
        }
        for version in [
            "1.0",
            "Finchley.RELEASE",
            "nextgen",
            "1.0-next.2",
            "none-1",
            "0",
        ] {
            assert_eq!(placeholder(version), None, "{version}");
        }
    }
}
