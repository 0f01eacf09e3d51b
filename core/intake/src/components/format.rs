//! The list of the formats, and how a file's is found out: by its name, else by what it holds.

use super::fault::Fault;
use super::input::{Binary, Input};
use super::not_read::{ROOTS, USE_JSON, not_read};
use super::program::Language;
use super::reader::{Head, Reader, Sign};
use super::{advice, spdx2, spdx3, tag_value, uv, wrapped};
use super::{
    apk, bun, cargo, cargo_auditable, composer, conda, cyclonedx, deno, dpkg, gemfile, go_mod,
    go_sum,
};
use super::{go_build, gradle, gradle_verification, maven_tree};
use super::{mix, npm, nuget, pipfile, pnpm, podfile, poetry, pom, pubspec, purls, pylock};
use super::{requirements, rpm, swift, syft, trivy, xml, yarn};
use crate::text::shown;
use assay_claims::json::Part;
use std::fmt;

/// Makes [`Format`] of rows `Variant(reader)`.
macro_rules! formats {
    ($($(#[doc = $doc:literal])* $format:ident($reader:path),)+) => {
        /// A format of files that name dependencies.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Format {
            $($(#[doc = $doc])* $format,)+
        }

        impl Format {
            /// Every format.
            pub const ALL: &'static [Format] = &[$(Format::$format),+];

            /// Which files they are, and of which versions, in a line.
            pub fn about(self) -> &'static str {
                match self {
                    $(Format::$format => concat!($($doc),*).trim_ascii(),)+
                }
            }

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
    /// `yarn.lock` of yarn 1 and later ones.
    YarnLock(yarn::READER),
    /// `pnpm-lock.yaml` of pnpm, versions 5 to 9.
    PnpmLock(pnpm::READER),
    /// `bun.lock` of Bun, versions 0 and 1.
    BunLock(bun::READER),
    /// `deno.lock` of Deno, versions 2 to 5.
    DenoLock(deno::READER),
    /// `conda-lock.yml` of conda-lock, version 1.
    CondaLock(conda::CONDA_LOCK),
    /// `pixi.lock` of pixi, versions 4 to 7.
    PixiLock(conda::PIXI),
    /// `uv.lock` of uv, version 1.
    UvLock(uv::READER),
    /// `poetry.lock` of Poetry, versions 1 and 2, and those before without a version.
    PoetryLock(poetry::READER),
    /// `pylock.toml` of PEP 751, version 1.
    Pylock(pylock::PYLOCK),
    /// `pdm.lock` of PDM, version 4.
    PdmLock(pylock::PDM),
    /// `Pipfile.lock` of pipenv, version 6.
    PipfileLock(pipfile::READER),
    /// `requirements.txt` of pip.
    Requirements(requirements::READER),
    /// `go.mod` of Go.
    GoMod(go_mod::READER),
    /// `go.sum` of Go.
    GoSum(go_sum::READER),
    /// `composer.lock` of Composer.
    ComposerLock(composer::READER),
    /// `Gemfile.lock` of Bundler.
    GemfileLock(gemfile::READER),
    /// `pubspec.lock` of Dart and Flutter.
    PubspecLock(pubspec::READER),
    /// `Podfile.lock` of CocoaPods.
    PodfileLock(podfile::READER),
    /// `Package.resolved` of Swift, versions 1 to 3.
    SwiftResolved(swift::READER),
    /// `mix.lock` of Elixir.
    MixLock(mix::READER),
    /// `pom.xml` of Maven.
    PomXml(pom::READER),
    /// What `mvn dependency:tree` writes, as text or as a graph (`-DoutputType=dot`).
    MavenTree(maven_tree::READER),
    /// What `mvn dependency:tree -DoutputType=json` writes.
    MavenTreeJson(maven_tree::JSON),
    /// `gradle.lockfile` of Gradle.
    GradleLock(gradle::READER),
    /// `gradle/verification-metadata.xml` of Gradle.
    GradleVerification(gradle_verification::READER),
    /// `packages.lock.json` of NuGet, versions 1 and 2.
    NugetLock(nuget::LOCK),
    /// `project.assets.json` of a restore by .NET.
    NugetAssets(nuget::ASSETS),
    /// `*.deps.json` of a program for .NET.
    DepsJson(nuget::DEPS),
    /// `packages.config` of NuGet.
    NugetConfig(nuget::CONFIG),
    /// CycloneDX in JSON, 1.2 to 1.7.
    CycloneDx(cyclonedx::READER),
    /// CycloneDX in XML, 1.0 to 1.7.
    CycloneDxXml(xml::READER),
    /// SPDX 2.2 and 2.3 in JSON.
    Spdx2(spdx2::READER),
    /// SPDX 2.2 and 2.3 in YAML.
    Spdx2Yaml(spdx2::YAML),
    /// SPDX 3.0 in JSON-LD.
    Spdx3(spdx3::READER),
    /// SPDX 2.1 to 2.3 in tag-value.
    SpdxTagValue(tag_value::READER),
    /// `/var/lib/dpkg/status`: the packages of a Debian, or of a distribution that comes from it;
    /// and `/usr/lib/opkg/status` of OpenWrt.
    DpkgStatus(dpkg::READER),
    /// `/lib/apk/db/installed`: the packages of an Alpine, or of a distribution like it.
    ApkInstalled(apk::READER),
    /// The database of rpm: the packages of a Fedora, a Red Hat, a SUSE, or of a distribution like
    /// them. As SQLite (`rpmdb.sqlite`), in rpm's own format (`Packages.db`), in Berkeley DB
    /// (`Packages` in `/var/lib/rpm`), or what `rpm -qa --queryformat
    /// '%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n'` writes, and what
    /// `rpm -qa` does; and `container-manifest-2` in `/var/lib/rpmmanifest` of Azure Linux's images
    /// without rpm.
    RpmDatabase(rpm::READER),
    /// syft's own JSON.
    SyftJson(syft::READER),
    /// Trivy's own JSON.
    TrivyJson(trivy::READER),
    /// A program of Rust that was built by `cargo auditable`.
    CargoAuditable(cargo_auditable::READER),
    /// A program of Go 1.18 or newer, or what `go version -m` writes of it.
    GoBuild(go_build::READER),
    /// A list of package URLs, one a line.
    PurlList(purls::READER),
}

impl Format {
    /// Whether it is a bill of materials, rather than what a package manager resolved.
    pub fn is_sbom(self) -> bool {
        self.reader().is_sbom
    }

    /// What the command line calls it: its name in lower case, without blanks.
    pub fn id(self) -> String {
        self.name().to_ascii_lowercase().replace(' ', "-")
    }

    /// Whether a file of it in which there is nothing names nothing, and is not cut: yarn takes one
    /// for the mark of a project, and `pip freeze` and Go write it where there are no packages.
    pub(super) fn may_be_empty(self) -> bool {
        matches!(
            self,
            Format::YarnLock | Format::Requirements | Format::GoSum
        )
    }

    /// Whether it is the database of a system's packages, which does not say whose they are.
    pub fn is_of_a_system(self) -> bool {
        matches!(
            self,
            Format::DpkgStatus | Format::ApkInstalled | Format::RpmDatabase
        )
    }

    /// The names of its files, before which a prefix may stand. Others are known by their content.
    pub fn files(self) -> &'static [&'static str] {
        self.reader().files
    }

    /// What people call it.
    pub fn name(self) -> &'static str {
        self.reader().name
    }

    /// Whether a file that is JSON, or is not, can be of the format. Some names are given to both.
    fn fits(self, is_json: bool) -> bool {
        self != Format::SpdxTagValue || !is_json
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

/// Finds out the format of `input`.
pub(super) fn recognize(input: &Input<'_>) -> Result<Format, Fault> {
    match input.binary() {
        Some(Binary::Program(Language::Rust)) => return Ok(Format::CargoAuditable),
        Some(Binary::Program(Language::Go)) => return Ok(Format::GoBuild),
        Some(Binary::Rpm) => return Ok(Format::RpmDatabase),
        None => {}
    }
    let name = input.base_name();
    if !by_name(input.name()).is_some_and(Format::may_be_empty) {
        input.not_empty()?;
    }
    let is_json = input.text().trim_start().starts_with('{');
    if let Some(format) = by_name(input.name()).filter(|format| format.fits(is_json)) {
        // Other lists of dependencies are called so, too.
        let is_vague = format == Format::DepsJson && is_json;
        let document = is_vague.then(|| input.json().ok()).flatten();
        let other = document.and_then(|document| by_members(document).ok());
        return Ok(other.unwrap_or(format));
    }
    if let Some((known, advice)) = not_read(name) {
        return Err(Fault::new(None, format!("{known} is not read here")).advise(advice));
    }
    match input.text().trim_start().as_bytes().first() {
        Some(b'{') => by_members(
            input
                .json()
                .map_err(|fault| fault.advise(advice::of_no_json(input.text())))?,
        ),
        Some(b'<') => by_root(input),
        Some(b'[') if input.json().is_ok() => Err(advice::of_items(input.json()?)),
        _ => by_text(input.text()),
    }
}

/// Whether `name` is `known`, or ends with it after a separator.
fn is_named(name: &str, known: &str) -> bool {
    name.strip_suffix(known)
        .is_some_and(|prefix| prefix.is_empty() || prefix.ends_with(['.', '-', '_']))
}

/// The format that a path says.
pub(super) fn by_name(path: &str) -> Option<Format> {
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
fn by_members(document: Part<'_>) -> Result<Format, Fault> {
    let inner = wrapped::unwrapped(document);
    one_of(|sign| match sign {
        Sign::Member(key) => inner.get(key).is_some(),
        Sign::Text(_) | Sign::Root(_) => false,
    })
    .map_err(|fault| advice::of_members(inner).unwrap_or(fault))
}

/// The root of XML.
fn by_root(input: &Input<'_>) -> Result<Format, Fault> {
    let document = input.xml()?;
    let name = document.root_element().tag_name().name();
    one_of(|sign| matches!(sign, Sign::Root(root) if *root == name)).map_err(|_| {
        let mut known = ROOTS.iter().filter(|(root, _)| *root == name);
        let advice = known.next().map_or(USE_JSON, |(_, advice)| advice);
        Fault::new(None, format!("XML of <{}> is not read", shown(name))).advise(advice)
    })
}

/// What the tools write at the head of their files, or what every file of the format has.
fn by_text(text: &str) -> Result<Format, Fault> {
    let head = Head::new(text);
    one_of(|sign| match sign {
        Sign::Text(shows) => shows(&head),
        Sign::Member(_) | Sign::Root(_) => false,
    })
    .map_err(|fault| advice::of_text(&head).unwrap_or(fault))
}

/// The one format whose sign shows.
fn one_of(shows: impl Fn(&Sign) -> bool) -> Result<Format, Fault> {
    const RENAME: &str =
        "give the file the name that its tool gives it, or say what it is with --format NAME";
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
mod tests;
