//! Lock files of many systems, in versions whose order is easily misread.

use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// A package and its version.
type Pinned<'v> = (String, &'v str);

/// A system of packages.
#[derive(Debug, Clone, Copy)]
pub struct System {
    /// What OSV calls it.
    pub ecosystem: &'static str,
    /// What OSV calls ranges of its versions.
    pub ranges: &'static str,
    /// Versions, from the oldest on.
    pub versions: &'static [&'static str],
    /// Its lock file.
    pub file: &'static str,
    /// The name of a package, by its number.
    pub name: fn(usize) -> String,
    lock: fn(&[Pinned<'_>]) -> String,
}

impl System {
    /// A lock file with a package for each version.
    pub fn lock(&self) -> String {
        let pinned = self.versions.iter().enumerate();
        let pinned: Vec<Pinned<'_>> = pinned
            .map(|(number, version)| ((self.name)(number), *version))
            .collect();
        (self.lock)(&pinned)
    }

    /// A version as OSV writes it.
    pub fn stated(&self, version: &'static str) -> &'static str {
        match self.ecosystem {
            "Go" => version.strip_prefix('v').unwrap_or(version),
            _ => version,
        }
    }
}

/// Versions of systems that order them by Semantic Versioning.
const SEMANTIC: &[&str] = &[
    "0.1.0",
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0.0-0",
    "2.0.0",
    "10.0.0",
];

/// The systems.
pub const SYSTEMS: &[System] = &[
    System {
        ecosystem: "crates.io",
        ranges: "SEMVER",
        versions: SEMANTIC,
        file: "Cargo.lock",
        name: dashed,
        lock: cargo,
    },
    System {
        ecosystem: "npm",
        ranges: "SEMVER",
        versions: SEMANTIC,
        file: "package-lock.json",
        name: dashed,
        lock: npm,
    },
    System {
        ecosystem: "Hex",
        ranges: "SEMVER",
        versions: SEMANTIC,
        file: "mix.lock",
        name: underscored,
        lock: hex,
    },
    System {
        ecosystem: "Pub",
        ranges: "SEMVER",
        versions: SEMANTIC,
        file: "pubspec.lock",
        name: underscored,
        lock: dart,
    },
    System {
        ecosystem: "Go",
        ranges: "SEMVER",
        versions: &[
            "v0.0.0-20260101000000-abcdefabcdef",
            "v0.1.0",
            "v1.0.0-rc.1",
            "v1.0.0",
            "v1.0.1-0.20260101000000-abcdefabcdef",
            "v1.0.1",
            "v1.2.0",
            "v1.10.0",
            "v2.0.0+incompatible",
        ],
        file: "go.mod",
        name: |number| format!("example.com/part{number}"),
        lock: go,
    },
    System {
        ecosystem: "PyPI",
        ranges: "ECOSYSTEM",
        versions: &[
            "0.9",
            "1.0.dev1",
            "1.0a1",
            "1.0b2",
            "1.0rc1",
            "1.0",
            "1.0+local.1",
            "1.0.post1",
            "1.0.1",
            "1.2",
            "1.10",
            "2.0.0",
            "1!0.5",
        ],
        file: "poetry.lock",
        name: dashed,
        lock: poetry,
    },
    System {
        ecosystem: "RubyGems",
        ranges: "ECOSYSTEM",
        versions: &[
            "0.9",
            "1.0.0.beta",
            "1.0.0.pre",
            "1.0.0.rc1",
            "1.0.0.rc2",
            "1.0.0",
            "1.0.0.1",
            "1.2",
            "1.10",
            "2.0.a",
            "2.0",
        ],
        file: "Gemfile.lock",
        name: dashed,
        lock: gems,
    },
    System {
        ecosystem: "Packagist",
        ranges: "ECOSYSTEM",
        versions: &[
            "0.9.0",
            "1.0.0-alpha1",
            "1.0.0-beta2",
            "1.0.0-beta10",
            "1.0.0-RC1",
            "1.0.0",
            "v1.0.1",
            "1.2.0",
            "1.10.0",
            "2.0.0",
        ],
        file: "composer.lock",
        name: |number| format!("example/part-{number}"),
        lock: composer,
    },
    System {
        ecosystem: "NuGet",
        ranges: "ECOSYSTEM",
        versions: &[
            "0.9.0",
            "1.0.0-alpha",
            "1.0.0-beta.2",
            "1.0.0-beta.11",
            "1.0.0-RC",
            "1.0.0",
            "1.0.0.1",
            "1.2.0",
            "1.10.0",
            "2.0.0",
        ],
        file: "packages.lock.json",
        name: dashed,
        lock: nuget,
    },
    System {
        ecosystem: "Maven",
        ranges: "ECOSYSTEM",
        versions: &[
            "0.9",
            "1.0-alpha-1",
            "1.0-beta-2",
            "1.0-beta-10",
            "1.0-M1",
            "1.0-rc1",
            "1.0-SNAPSHOT",
            "1.0",
            "1.0-sp",
            "1.0-1",
            "1.0.1",
            "1.2",
            "1.10",
            "2.0.Final",
        ],
        file: "gradle.lockfile",
        name: |number| format!("org.example:part-{number}"),
        lock: gradle,
    },
];

fn dashed(number: usize) -> String {
    format!("part-{number}")
}

fn underscored(number: usize) -> String {
    format!("part_{number}")
}

/// The number of the package that a name or a purl is of.
pub fn number(name: &str) -> Option<usize> {
    let rest = name.split("part").nth(1)?;
    let rest = rest.trim_start_matches(['-', '_']);
    let end = rest.find(|c: char| !c.is_ascii_digit());
    rest.get(..end.unwrap_or(rest.len()))?.parse().ok()
}

/// A text of a line or more for each package.
fn lines(head: &str, pinned: &[Pinned<'_>], tail: &str, line: fn(&str, &str) -> String) -> String {
    let mut text = head.to_owned();
    for (name, version) in pinned {
        text.push_str(&line(name, version));
    }
    text + tail
}

/// An object with a member for each package.
fn members(pinned: &[Pinned<'_>], member: fn(&str, &str) -> (String, Value)) -> Map<String, Value> {
    let each = pinned.iter();
    each.map(|(name, version)| member(name, version)).collect()
}

fn cargo(pinned: &[Pinned<'_>]) -> String {
    let head = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n";
    lines(head, pinned, "", |name, version| {
        let source = "registry+https://github.com/rust-lang/crates.io-index";
        format!(
            "\n[[package]]\nname = \"{name}\"\nversion = \"{version}\"\nsource = \"{source}\"\n"
        )
    })
}

fn npm(pinned: &[Pinned<'_>]) -> String {
    let mut packages = members(pinned, |name, version| {
        let resolved = format!("https://registry.npmjs.org/{name}/-/{name}-{version}.tgz");
        let package = json!({"version": version, "resolved": resolved});
        (format!("node_modules/{name}"), package)
    });
    packages.insert(String::new(), json!({"name": "app", "version": "0.1.0"}));
    let lock = json!({"name": "app", "version": "0.1.0", "lockfileVersion": 3,
        "requires": true, "packages": packages});
    lock.to_string()
}

fn hex(pinned: &[Pinned<'_>]) -> String {
    lines("%{\n", pinned, "}\n", |name, version| {
        let hash = "0".repeat(64);
        format!(
            "  \"{name}\": {{:hex, :{name}, \"{version}\", \"{hash}\", [:mix], [], \"hexpm\", \
             \"{hash}\"}},\n"
        )
    })
}

fn dart(pinned: &[Pinned<'_>]) -> String {
    let tail = "sdks:\n  dart: \">=3.0.0 <4.0.0\"\n";
    lines("packages:\n", pinned, tail, |name, version| {
        let hash = "0".repeat(64);
        format!(
            "  {name}:\n    dependency: \"direct main\"\n    description:\n\
             \x20     name: {name}\n      sha256: \"{hash}\"\n      url: \"https://pub.dev\"\n\
             \x20   source: hosted\n    version: \"{version}\"\n"
        )
    })
}

fn go(pinned: &[Pinned<'_>]) -> String {
    let head = "module example.com/app\n\ngo 1.21\n\nrequire (\n";
    lines(head, pinned, ")\n", |name, version| {
        format!("\t{name} {version}\n")
    })
}

fn poetry(pinned: &[Pinned<'_>]) -> String {
    let hash = "0".repeat(64);
    let tail = format!(
        "[metadata]\nlock-version = \"2.0\"\npython-versions = \"*\"\ncontent-hash = \"{hash}\"\n"
    );
    lines("", pinned, &tail, |name, version| {
        format!(
            "[[package]]\nname = \"{name}\"\nversion = \"{version}\"\ndescription = \"\"\n\
             optional = false\npython-versions = \"*\"\nfiles = []\n\n"
        )
    })
}

fn gems(pinned: &[Pinned<'_>]) -> String {
    let mut tail = "\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n".to_owned();
    for (name, _) in pinned {
        let _ = writeln!(tail, "  {name}");
    }
    tail.push_str("\nBUNDLED WITH\n   2.5.0\n");
    let head = "GEM\n  remote: https://rubygems.org/\n  specs:\n";
    lines(head, pinned, &tail, |name, version| {
        format!("    {name} ({version})\n")
    })
}

fn composer(pinned: &[Pinned<'_>]) -> String {
    let packages = pinned.iter().map(|(name, version)| {
        json!({"name": name, "version": version, "type": "library",
            "notification-url": "https://packagist.org/downloads/"})
    });
    json!({
        "content-hash": "0".repeat(32),
        "packages": packages.collect::<Vec<_>>(),
        "packages-dev": [],
        "minimum-stability": "stable",
    })
    .to_string()
}

fn nuget(pinned: &[Pinned<'_>]) -> String {
    let packages = members(pinned, |name, version| {
        let package = json!({"type": "Direct", "requested": format!("[{version}, )"),
            "resolved": version, "contentHash": "AAAA"});
        (name.to_owned(), package)
    });
    json!({"version": 1, "dependencies": {"net8.0": packages}}).to_string()
}

fn gradle(pinned: &[Pinned<'_>]) -> String {
    let head = "# This is a Gradle generated file for dependency locking.\n# Manual edits can \
        break the build and are not advised.\n# This file is expected to be part of source \
        control.\n";
    lines(head, pinned, "empty=\n", |name, version| {
        format!("{name}:{version}=runtimeClasspath\n")
    })
}
