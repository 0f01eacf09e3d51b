//! Which formats there are, and how a file's is found out: by its name, else by what it holds.

use super::input::{Fault, Input};
use crate::tag_value::is_tag_value;
use assay_claims::json::Value;
use std::fmt;

/// A format of files that name dependencies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    /// `Cargo.lock` of cargo, versions 1 to 4.
    CargoLock,
    /// `package-lock.json` and `npm-shrinkwrap.json` of npm, versions 1 to 3.
    NpmLock,
    /// `uv.lock` of uv, version 1.
    UvLock,
    /// `poetry.lock` of Poetry, versions 1 and 2, and those before without a version.
    PoetryLock,
    /// `requirements.txt` of pip.
    Requirements,
    /// `go.sum` of Go.
    GoSum,
    /// `composer.lock` of Composer.
    ComposerLock,
    /// `Gemfile.lock` of Bundler.
    GemfileLock,
    /// CycloneDX in JSON, 1.2 to 1.7.
    CycloneDx,
    /// SPDX 2.2 and 2.3 in JSON.
    Spdx2,
    /// SPDX 3.0 in JSON-LD.
    Spdx3,
    /// SPDX 2.1 to 2.3 in tag-value.
    SpdxTagValue,
    /// `/var/lib/dpkg/status`: the packages of a Debian, or of a distribution that comes from it.
    DpkgStatus,
}

impl Format {
    /// Whether it is a bill of materials, rather than what a package manager resolved.
    pub fn is_sbom(self) -> bool {
        matches!(
            self,
            Format::CycloneDx | Format::Spdx2 | Format::Spdx3 | Format::SpdxTagValue
        )
    }

    /// Every format.
    pub const ALL: &'static [Format] = &[
        Format::CargoLock,
        Format::NpmLock,
        Format::UvLock,
        Format::PoetryLock,
        Format::Requirements,
        Format::GoSum,
        Format::ComposerLock,
        Format::GemfileLock,
        Format::CycloneDx,
        Format::Spdx2,
        Format::Spdx3,
        Format::SpdxTagValue,
        Format::DpkgStatus,
    ];

    /// What people call it.
    pub fn name(self) -> &'static str {
        match self {
            Format::CargoLock => "Cargo.lock",
            Format::NpmLock => "package-lock.json",
            Format::UvLock => "uv.lock",
            Format::PoetryLock => "poetry.lock",
            Format::Requirements => "requirements.txt",
            Format::GoSum => "go.sum",
            Format::ComposerLock => "composer.lock",
            Format::GemfileLock => "Gemfile.lock",
            Format::CycloneDx => "CycloneDX JSON",
            Format::Spdx2 => "SPDX 2 JSON",
            Format::Spdx3 => "SPDX 3 JSON-LD",
            Format::SpdxTagValue => "SPDX tag-value",
            Format::DpkgStatus => "dpkg status",
        }
    }

    /// What to do with a broken file of the format.
    pub(super) fn remedy(self) -> &'static str {
        match self {
            Format::CargoLock => {
                "nothing of the file is taken; restore it, or let `cargo generate-lockfile` write \
                 it"
            }
            Format::NpmLock => {
                "nothing of the file is taken; restore it, or let `npm install` write it"
            }
            Format::UvLock => "nothing of the file is taken; restore it, or let `uv lock` write it",
            Format::PoetryLock => {
                "nothing of the file is taken; restore it, or let `poetry lock` write it"
            }
            Format::Requirements => "nothing of the file is taken; correct the line",
            Format::GoSum => {
                "nothing of the file is taken; restore it, or let `go mod tidy` write it"
            }
            Format::ComposerLock => {
                "nothing of the file is taken; restore it, or let `composer update --lock` write it"
            }
            Format::GemfileLock => {
                "nothing of the file is taken; restore it, or let `bundle lock` write it"
            }
            Format::CycloneDx | Format::Spdx2 | Format::Spdx3 | Format::SpdxTagValue => {
                "nothing of the document is taken; have the tool that wrote it write it again"
            }
            Format::DpkgStatus => "nothing of the file is taken; copy it from the system again",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Names that say the format. A prefix that ends with `.`, `-` or `_` may stand before each.
const NAMES: &[(&str, Format)] = &[
    ("Cargo.lock", Format::CargoLock),
    ("package-lock.json", Format::NpmLock),
    ("npm-shrinkwrap.json", Format::NpmLock),
    ("uv.lock", Format::UvLock),
    ("poetry.lock", Format::PoetryLock),
    ("go.sum", Format::GoSum),
    ("go.work.sum", Format::GoSum),
    ("composer.lock", Format::ComposerLock),
    ("Gemfile.lock", Format::GemfileLock),
    ("gems.locked", Format::GemfileLock),
    ("cdx.json", Format::CycloneDx),
    ("dpkg-status", Format::DpkgStatus),
];

const USE_AN_SBOM: &str =
    "write an SBOM of the project (CycloneDX or SPDX in JSON), and check that";
const USE_THE_LOCK: &str =
    "it says what the project asks for, not what it got; check its lock file";
const USE_JSON: &str = "export it as JSON";

/// Names of files that are known and not read, and what to do instead.
const NOT_READ: &[(&str, &str)] = &[
    ("bun.lock", USE_AN_SBOM),
    ("bun.lockb", USE_AN_SBOM),
    ("yarn.lock", USE_AN_SBOM),
    ("pnpm-lock.yaml", USE_AN_SBOM),
    (
        "Pipfile.lock",
        "export it with `pipenv requirements --hash`, and check that",
    ),
    ("pdm.lock", "export it with `pdm export`, and check that"),
    (
        "pylock.toml",
        "export it as requirements.txt with hashes, and check that",
    ),
    ("gradle.lockfile", USE_AN_SBOM),
    ("packages.lock.json", USE_AN_SBOM),
    ("mix.lock", USE_AN_SBOM),
    ("pubspec.lock", USE_AN_SBOM),
    ("Podfile.lock", USE_AN_SBOM),
    ("Package.resolved", USE_AN_SBOM),
    ("pom.xml", USE_AN_SBOM),
    ("Cargo.toml", USE_THE_LOCK),
    ("package.json", USE_THE_LOCK),
    ("pyproject.toml", USE_THE_LOCK),
    (
        "go.mod",
        "it says what the project asks for, not what it got; check its go.sum",
    ),
    ("composer.json", USE_THE_LOCK),
    ("Gemfile", USE_THE_LOCK),
    ("cdx.xml", USE_JSON),
    ("bom.xml", USE_JSON),
    ("spdx.xml", USE_JSON),
    ("spdx.rdf", USE_JSON),
    ("spdx.yaml", USE_JSON),
    ("spdx.yml", USE_JSON),
];

/// Finds out the format of `input`.
pub(super) fn recognize(input: &Input<'_>) -> Result<Format, Fault> {
    let name = input.base_name();
    if let Some(format) = by_name(input.name()) {
        return Ok(format);
    }
    if let Some((known, advice)) = NOT_READ.iter().find(|(known, _)| is_exactly(name, known)) {
        return Err(Fault::new(None, format!("{known} is not read here")).advise(advice));
    }
    match input.text().trim_start().as_bytes().first() {
        Some(b'{') => by_members(
            input
                .json()
                .map_err(|fault| fault.advise("it begins like JSON, and is none"))?,
        ),
        Some(b'<') => Err(Fault::new(None, "the file looks like XML").advise(USE_JSON)),
        _ => by_text(input.text()),
    }
}

/// Whether `name` is `known`, or ends with it after a separator.
fn is_named(name: &str, known: &str) -> bool {
    name.strip_suffix(known)
        .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with(['.', '-', '_']))
}

/// Whether `name` is `known`, perhaps with a prefix that ends with a dot. Manifests have plain
/// names, which end others.
fn is_exactly(name: &str, known: &str) -> bool {
    name.strip_suffix(known)
        .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with('.'))
}

fn by_name(path: &str) -> Option<Format> {
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    if let Some((_, format)) = NAMES.iter().find(|(known, _)| is_named(name, known)) {
        return Some(*format);
    }
    if name.ends_with(".txt") && name.contains("requirements") {
        return Some(Format::Requirements);
    }
    if name.ends_with(".spdx") {
        return Some(Format::SpdxTagValue);
    }
    path.ends_with("dpkg/status").then_some(Format::DpkgStatus)
}

/// The members that only documents of one format have.
fn by_members(document: &Value) -> Result<Format, Fault> {
    const MEMBERS: &[(&str, Format)] = &[
        ("bomFormat", Format::CycloneDx),
        ("spdxVersion", Format::Spdx2),
        ("@graph", Format::Spdx3),
        ("lockfileVersion", Format::NpmLock),
        ("content-hash", Format::ComposerLock),
    ];
    one_of(
        MEMBERS
            .iter()
            .filter(|(key, _)| document.get(key).is_some())
            .map(|(_, format)| *format),
    )
}

/// What the tools write at the head of their files, or what every file of the format has.
fn by_text(text: &str) -> Result<Format, Fault> {
    let opening = || {
        text.lines()
            .map(str::trim_end)
            .filter(|line| !line.is_empty())
            .take(40)
    };
    let first = opening().next().unwrap_or_default();
    let generated_by =
        |tool: &str| opening().any(|line| line.starts_with("# This file") && line.contains(tool));
    let has = |start: &str| opening().any(|line| line.starts_with(start));
    let signs = [
        (generated_by("by Cargo"), Format::CargoLock),
        (generated_by("by Poetry"), Format::PoetryLock),
        (
            generated_by("by uv via") || generated_by("by pip-compile"),
            Format::Requirements,
        ),
        (
            has("requires-python = ") && has("[[package]]"),
            Format::UvLock,
        ),
        (
            first.split(' ').count() == 3 && first.contains(" h1:"),
            Format::GoSum,
        ),
        (has("  remote: ") && has("  specs:"), Format::GemfileLock),
        (is_tag_value(text.as_bytes()), Format::SpdxTagValue),
        (has("Package: ") && has("Status: "), Format::DpkgStatus),
    ];
    one_of(
        signs
            .into_iter()
            .filter(|(found, _)| *found)
            .map(|(_, format)| format),
    )
}

fn one_of(found: impl Iterator<Item = Format>) -> Result<Format, Fault> {
    const RENAME: &str = "give the file the name that its tool gives it";
    let found: Vec<_> = found.collect();
    match found.as_slice() {
        [format] => Ok(*format),
        [] => {
            let known: Vec<_> = Format::ALL.iter().map(|format| format.name()).collect();
            let reason = format!(
                "neither the name nor the content says what it is; {} are read",
                known.join(", ")
            );
            Err(Fault::new(None, reason).advise(RENAME))
        }
        several => {
            let names: Vec<_> = several.iter().map(|format| format.name()).collect();
            Err(
                Fault::new(None, format!("the content could be {}", names.join(" or ")))
                    .advise(RENAME),
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recognized(name: &str, text: &str) -> Result<Format, String> {
        crate::components::recognize(name, text.as_bytes()).map_err(|e| e.to_string())
    }

    #[test]
    fn the_name_comes_first_with_any_prefix_and_folder() {
        for (name, format) in [
            ("Cargo.lock", Format::CargoLock),
            ("a/b.c/rustls.Cargo.lock", Format::CargoLock),
            ("a\\x.package-lock.json", Format::NpmLock),
            ("x-npm-shrinkwrap.json", Format::NpmLock),
            ("uv.lock", Format::UvLock),
            ("old_poetry.lock", Format::PoetryLock),
            ("requirements.prod.txt", Format::Requirements),
            ("dev-requirements.txt", Format::Requirements),
            ("go.work.sum", Format::GoSum),
            ("go.sum", Format::GoSum),
            ("composer.lock", Format::ComposerLock),
            ("Gemfile.lock", Format::GemfileLock),
            ("app.cdx.json", Format::CycloneDx),
            ("app.spdx", Format::SpdxTagValue),
            ("/var/lib/dpkg/status", Format::DpkgStatus),
        ] {
            assert_eq!(
                recognized(name, "{\"spdxVersion\":1}"),
                Ok(format),
                "{name}"
            );
        }
    }

    #[test]
    fn the_content_decides_where_the_name_says_nothing() {
        for (text, format) in [
            (
                "# This file is automatically @generated by Cargo.\nversion = 4\n",
                Format::CargoLock,
            ),
            (
                "# This file is automatically @generated by Poetry 2.1.4 and so on\n",
                Format::PoetryLock,
            ),
            (
                "# This file was autogenerated by uv via the following command:\na==1\n",
                Format::Requirements,
            ),
            (
                "version = 1\nrequires-python = \">=3.9\"\n\n[[package]]\n",
                Format::UvLock,
            ),
            ("example.org/a v1.0.0 h1:x=\n", Format::GoSum),
            (
                "GEM\n  remote: https://rubygems.org/\n  specs:\n",
                Format::GemfileLock,
            ),
            ("SPDXVersion: SPDX-2.3\n", Format::SpdxTagValue),
            (
                "Package: a\nStatus: install ok installed\n",
                Format::DpkgStatus,
            ),
            ("\u{feff} {\"bomFormat\":\"CycloneDX\"}", Format::CycloneDx),
            ("{\"spdxVersion\":\"SPDX-2.3\"}", Format::Spdx2),
            ("{\"@graph\":[]}", Format::Spdx3),
            ("{\"lockfileVersion\":3}", Format::NpmLock),
            (
                "{\"content-hash\":\"\",\"packages\":[]}",
                Format::ComposerLock,
            ),
        ] {
            assert_eq!(recognized("x", text), Ok(format), "{text}");
            assert!(
                recognized("Cargot.lock", text).is_ok()
                    && recognized("xCargo.lock", text) == Ok(format)
            );
        }
        assert_eq!(
            recognized("x.spdx.json", "{\"@graph\":[]}"),
            Ok(Format::Spdx3)
        );
        assert_eq!(
            recognized("self-package.json", "{\"@graph\":[]}"),
            Ok(Format::Spdx3)
        );
    }

    #[test]
    fn what_is_unclear_or_not_read_is_refused_with_advice() {
        for (name, text, said) in [
            (
                "x",
                "{\"bomFormat\":1,\"spdxVersion\":1}",
                "could be CycloneDX JSON or SPDX 2 JSON; give the file the name",
            ),
            ("x", "{}", "neither the name nor the content"),
            ("x", "{\"a\":", "x:1: column 6"),
            (
                "x.lock",
                "[[package]]\nname = \"a\"\n",
                "neither the name nor the content",
            ),
            ("x", " \n\t", "the file is empty; write it again"),
            ("Cargo.lock", "", "the file is empty"),
            (
                "a/bun.lock",
                "{}",
                "bun.lock is not read here; write an SBOM",
            ),
            ("pnpm-lock.yaml", "a", "write an SBOM"),
            ("Cargo.toml", "a", "check its lock file"),
            ("bom.xml", "a", "export it as JSON"),
            ("x", "<bom/>", "export it as JSON"),
            ("Cargo.lock.gz", "a", "decompress it"),
            ("Cargo.lock", "\u{1f}", "Cargo.lock"),
            ("x", "\u{feff}", "the file is empty"),
        ] {
            match recognized(name, text) {
                Err(error) => assert!(error.contains(said), "{error}"),
                Ok(format) => assert_eq!(format.name(), said),
            }
        }
    }

    #[test]
    fn compressed_large_and_undecodable_files_are_refused() {
        for (bytes, said) in [
            (
                &b"\x1f\x8b\x08\x00"[..],
                "compressed (gzip), and nothing is expanded here; decompress it",
            ),
            (b"BZh91AY", "decompress it"),
            (b"\xfd7zXZ\x00\x00", "decompress it"),
            (b"a\nb\xff", "Cargo.lock:2: the file is not UTF-8"),
        ] {
            let error = crate::components::read("Cargo.lock", bytes)
                .unwrap_err()
                .to_string();
            assert!(error.contains(said), "{error}");
        }
        let large = vec![b' '; assay_claims::limits::DOCUMENT_BYTES + 1];
        let error = crate::components::read("Cargo.lock", &large)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("at most 67108864 are read; check its parts"),
            "{error}"
        );
    }
}
