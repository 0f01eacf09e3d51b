//! The list of the formats, and how a file's is found out: by its name, else by what it holds.

use super::fault::Fault;
use super::input::Input;
use super::reader::{Head, Reader, Sign};
use super::{cargo, composer, cyclonedx, dpkg, gemfile, go_sum, npm, poetry, requirements};
use super::{spdx2, spdx3, tag_value, uv};
use assay_claims::json::Value;
use std::fmt;

/// Makes [`Format`] of rows `Variant(reader)`.
macro_rules! formats {
    ($($(#[$doc:meta])* $format:ident($reader:path),)+) => {
        /// A format of files that name dependencies.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format {
            $($(#[$doc])* $format,)+
        }

        impl Format {
            /// Every format.
            pub const ALL: &'static [Format] = &[$(Format::$format),+];

            pub(super) fn reader(self) -> &'static Reader {
                match self {
                    $(Format::$format => &$reader,)+
                }
            }
        }
    };
}

formats! {
    /// `Cargo.lock` of cargo, versions 1 to 4.
    CargoLock(cargo::READER),
    /// `package-lock.json` and `npm-shrinkwrap.json` of npm, versions 1 to 3.
    NpmLock(npm::READER),
    /// `uv.lock` of uv, version 1.
    UvLock(uv::READER),
    /// `poetry.lock` of Poetry, versions 1 and 2, and those before without a version.
    PoetryLock(poetry::READER),
    /// `requirements.txt` of pip.
    Requirements(requirements::READER),
    /// `go.sum` of Go.
    GoSum(go_sum::READER),
    /// `composer.lock` of Composer.
    ComposerLock(composer::READER),
    /// `Gemfile.lock` of Bundler.
    GemfileLock(gemfile::READER),
    /// CycloneDX in JSON, 1.2 to 1.7.
    CycloneDx(cyclonedx::READER),
    /// SPDX 2.2 and 2.3 in JSON.
    Spdx2(spdx2::READER),
    /// SPDX 3.0 in JSON-LD.
    Spdx3(spdx3::READER),
    /// SPDX 2.1 to 2.3 in tag-value.
    SpdxTagValue(tag_value::READER),
    /// `/var/lib/dpkg/status`: the packages of a Debian, or of a distribution that comes from it.
    DpkgStatus(dpkg::READER),
}

impl Format {
    /// Whether it is a bill of materials, rather than what a package manager resolved.
    pub fn is_sbom(self) -> bool {
        self.reader().is_sbom
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        self.reader().name
    }

    /// What to do with a broken file of the format.
    pub(super) fn remedy(self) -> &'static str {
        self.reader().remedy
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
    let mut all = Format::ALL.iter().copied();
    let mut named = all.clone();
    named
        .find(|format| {
            let mut files = format.reader().files.iter();
            files.any(|known| is_named(name, known))
        })
        .or_else(|| {
            all.find(|format| {
                let says = format.reader().path;
                says.is_some_and(|says| says(path, name))
            })
        })
}

/// The members that only documents of one format have.
fn by_members(document: &Value) -> Result<Format, Fault> {
    one_of(|sign| match sign {
        Sign::Member(key) => document.get(key).is_some(),
        Sign::Text(_) => false,
    })
}

/// What the tools write at the head of their files, or what every file of the format has.
fn by_text(text: &str) -> Result<Format, Fault> {
    let head = Head::new(text);
    one_of(|sign| match sign {
        Sign::Text(shows) => shows(&head),
        Sign::Member(_) => false,
    })
}

/// The one format whose sign shows.
fn one_of(shows: impl Fn(&Sign) -> bool) -> Result<Format, Fault> {
    const RENAME: &str = "give the file the name that its tool gives it";
    let all = Format::ALL.iter().copied();
    let found: Vec<_> = all.filter(|format| shows(&format.reader().sign)).collect();
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
        let large = vec![b' '; crate::limits::DOCUMENT_BYTES + 1];
        let error = crate::components::read("Cargo.lock", &large)
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("at most 67108864 are read; check its parts"),
            "{error}"
        );
    }
}
