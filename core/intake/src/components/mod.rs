//! Files of dependencies: lock files, SBOMs and the package database of a system, read into the
//! components that they name.
//!
//! A file is read whole or refused whole: nobody may take the first half of a list for all of it.
//! What a reader cannot put a name to that others could look up is counted as [`Unidentified`], and
//! what a person must know is a [`Note`]. Each format is one file here; [`Format`] tells them
//! apart.
//!
//! Left out: resolving (ranges, extras, markers), following includes, fetching, expanding what is
//! compressed, and any judgment of what the components are worth.

mod cargo;
mod composer;
mod cyclonedx;
mod digest;
mod dpkg;
mod format;
mod gemfile;
mod go_sum;
mod input;
mod list;
mod npm;
mod origin;
mod poetry;
mod requirements;
mod sbom;
mod spdx2;
mod spdx3;
mod tag_value;
#[cfg(test)]
mod tests;
mod uv;

pub use format::Format;

use assay_claims::purl::Purl;
use input::Input;
use std::fmt;

/// A piece of software that a file names.
///
/// One that comes from a reader has a purl or a digest, or else is the project's
/// [`own`](Component::own).
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Component {
    /// Its canonical package URL, version included. `None` if the file does not say enough for one.
    pub purl: Option<Purl>,
    /// Its name, as the file writes it; without control characters.
    pub name: String,
    /// Its version, as the file writes it; without control characters.
    pub version: Option<String>,
    /// Digests of its artifacts: in-toto's name of the algorithm, and the digest in lower-case hex,
    /// of the algorithm's length. A package of several files (wheels) has one for each file, so
    /// that one algorithm may come more than once. Empty if the file states none.
    pub digests: Vec<(String, String)>,
    /// Where it stands in the file, counted from 1; `None` in JSON.
    pub line: Option<u32>,
    /// Whether it is the project itself: a member of the workspace, a local folder, what an SBOM is
    /// about.
    pub own: bool,
    /// Whether the file says that only developers need it.
    pub dev: bool,
    /// Whether the file says that the project also works without it.
    pub optional: bool,
}

/// What a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Components {
    /// The format it was read as.
    pub format: Format,
    /// The components, in the file's order, each once: two differ in purl, name, version or
    /// digests. At most [`limits::COMPONENTS`](assay_claims::limits::COMPONENTS), together with those that
    /// could not be identified.
    pub list: Vec<Component>,
    /// What a person must know to take the list for what it is.
    pub notes: Vec<Note>,
    /// What the file names, but not so that it could be looked up. These count: a project is not
    /// known while its parts are not.
    pub unidentified: Vec<Unidentified>,
}

/// What a person must know of a file. The text is short and has no control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The first line that it is about, counted from 1, if it is about lines.
    pub line: Option<u32>,
    /// What is to be known.
    pub text: String,
}

/// An entry that names something which cannot be looked up. The texts are short and have no control
/// characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unidentified {
    /// Where it stands, counted from 1; `None` in JSON.
    pub line: Option<u32>,
    /// The entry, as far as it can be named.
    pub what: String,
    /// Why it cannot be looked up.
    pub reason: String,
}

/// Why a file was refused: nothing of it was taken. Displayed as `FILE:LINE: reason`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ComponentError {
    /// The file, as the caller called it.
    pub file: String,
    /// The line, counted from 1, where one is to blame.
    pub line: Option<u32>,
    /// What is wrong, and what to do.
    pub reason: String,
}

impl fmt::Display for ComponentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.file, self.reason),
            None => write!(f, "{}: {}", self.file, self.reason),
        }
    }
}

impl std::error::Error for ComponentError {}

/// The distribution that a package database belongs to. The database does not say it, and the same
/// name and version mean another package elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Distribution {
    /// The vendor, which becomes the purl's namespace: `debian`, `ubuntu`, … (`ID` in
    /// `/etc/os-release`).
    pub vendor: String,
    /// The release, which becomes the qualifier `distro`: `debian-12`, `bookworm`, …
    pub release: Option<String>,
}

/// Finds out the format of a file: by its name (folders in front and prefixes such as
/// `service.Cargo.lock` do not matter), else by what it holds.
///
/// Fails if the file is empty, compressed or too large (over
/// [`limits::DOCUMENT_BYTES`](assay_claims::limits::DOCUMENT_BYTES)), if its format is not read here, or
/// if it could be of several.
pub fn recognize(file_name: &str, bytes: &[u8]) -> Result<Format, ComponentError> {
    let input = Input::new(file_name, bytes).map_err(|fault| fault.of(file_name, None))?;
    format::recognize(&input).map_err(|fault| fault.of(file_name, None))
}

/// Reads a file whose format [`recognize`] finds out. The database of dpkg needs [`read_as`], which
/// takes the distribution.
///
/// Fails as [`recognize`] and [`read_as`] do.
pub fn read(file_name: &str, bytes: &[u8]) -> Result<Components, ComponentError> {
    let input = Input::new(file_name, bytes).map_err(|fault| fault.of(file_name, None))?;
    let format = format::recognize(&input).map_err(|fault| fault.of(file_name, None))?;
    read_input(format, &input, None)
}

/// Reads a file of a known format. `distribution` is whose packages the database of dpkg holds;
/// other formats say it themselves, and leave it alone.
///
/// Fails if the file is not what the format's specification demands, if it is compressed or too
/// large, or if it has more components than are read. The error names the line where there is one
/// to name.
pub fn read_as(
    format: Format,
    file_name: &str,
    bytes: &[u8],
    distribution: Option<&Distribution>,
) -> Result<Components, ComponentError> {
    let input = Input::new(file_name, bytes).map_err(|fault| fault.of(file_name, None))?;
    read_input(format, &input, distribution)
}

fn read_input(
    format: Format,
    input: &Input<'_>,
    distribution: Option<&Distribution>,
) -> Result<Components, ComponentError> {
    let list = match format {
        Format::CargoLock => cargo::read(input),
        Format::NpmLock => npm::read(input),
        Format::UvLock => uv::read(input),
        Format::PoetryLock => poetry::read(input),
        Format::Requirements => requirements::read(input),
        Format::GoSum => go_sum::read(input),
        Format::ComposerLock => composer::read(input),
        Format::GemfileLock => gemfile::read(input),
        Format::CycloneDx => cyclonedx::read(input),
        Format::Spdx2 => spdx2::read(input),
        Format::Spdx3 => spdx3::read(input),
        Format::SpdxTagValue => tag_value::read(input),
        Format::DpkgStatus => dpkg::read(input, distribution),
    };
    list.map(|list| list.finish(format))
        .map_err(|fault| fault.locate(input).of(input.name(), Some(format)))
}
