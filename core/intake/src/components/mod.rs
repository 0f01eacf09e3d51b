//! Files of dependencies: lock files, SBOMs and the package database of a system, read into the
//! components that they name.
//!
//! A file is read whole or refused whole: nobody may take the first half of a list for all of it.
//! What a reader cannot put a name to that others could look up is counted as [`Unidentified`], and
//! what a person must know is a [`Note`]. Each format is one file here, and one row of the list
//! that [`Format`] is made of.
//!
//! Left out: resolving (ranges, extras, markers), following includes, fetching, expanding what is
//! compressed, and any judgment of what the components are worth.

mod advice;
mod apk;
mod blocks;
mod built;
mod bun;
mod cargo;
mod cargo_auditable;
mod code_host;
mod component;
mod composer;
mod conda;
mod cut;
mod cyclonedx;
mod deno;
mod digest;
mod dpkg;
mod elsewhere;
mod error;
mod fault;
mod format;
mod gemfile;
mod go_build;
mod go_mod;
mod go_sum;
mod gradle;
mod gradle_verification;
mod input;
mod list;
mod markup;
mod maven_tree;
mod mix;
mod named;
mod not_read;
mod npm;
mod nuget;
mod origin;
mod pinned;
mod pipfile;
mod pnpm;
mod podfile;
mod poetry;
mod pom;
mod program;
mod pubspec;
mod purls;
mod pylock;
mod python;
mod reader;
mod refs;
mod requirements;
mod rpm;
mod rpm_database;
mod sbom;
mod spdx2;
mod spdx3;
mod swift;
mod syft;
mod tag_value;
mod tarball;
#[cfg(test)]
mod tests;
mod trivy;
mod uv;
mod wrapped;
mod xml;
mod yarn;

pub use component::{Component, Distribution, Note, UNNAMED_MODULES, Unidentified};
pub use error::ComponentError;
pub use format::Format;
pub use not_read::NOT_READ;
pub(crate) use wrapped::WRAPPERS;

use crate::limits;
use input::Input;
use std::collections::BTreeSet;

/// What a file names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Components {
    /// The format it was read as.
    pub format: Format,
    /// The components, in the file's order, each once: two differ in purl, name, version or
    /// digests. At most [`limits::COMPONENTS`], together with those that could not be identified.
    pub list: Vec<Component>,
    /// How others point at the file, if it is a CycloneDX BOM with a serial number: a BOM-Link,
    /// `urn:cdx:` with number and version. With `#` and a component's name there, percent-encoded,
    /// it points at the component.
    pub bom: Option<String>,
    /// Names that such a BOM gives to several things ([`Component::bom_refs`], and those of what is
    /// not in the list): nobody can tell which of these is meant.
    pub disputed_refs: BTreeSet<String>,
    /// What a person must know to take the list for what it is.
    pub notes: Vec<Note>,
    /// What the file names, but not so that it could be looked up. These count: a project is not
    /// known while its parts are not.
    pub unidentified: Vec<Unidentified>,
}

/// Finds out the format of a file: by its name (folders in front and prefixes such as
/// `service.Cargo.lock` do not matter), else by what it holds.
///
/// Fails if the file is empty, compressed or too large ([`most_bytes`]), if it is a program that
/// says nothing of what is in it, if its format is not read here, or if it could be of several.
pub fn recognize(file_name: &str, bytes: &[u8]) -> Result<Format, ComponentError> {
    let file = input::decoded(bytes).map_err(|fault| fault.of(file_name, None))?;
    let input = Input::new(file_name, &file).map_err(|fault| fault.of(file_name, None))?;
    format::recognize(&input).map_err(|fault| fault.of(file_name, None))
}

/// The format of a file, if its name or its place says it without its content: what to look for in
/// a folder.
pub fn by_name(path: &str) -> Option<Format> {
    format::by_name(path)
}

/// What to do instead of reading a file of this name, without folders, if it is known and not read.
pub fn instead(name: &str) -> Option<&'static str> {
    not_read::not_read(name).map(|(_, advice)| advice)
}

/// Most bytes of a file that are read, by how it begins: programs and databases are larger than
/// documents.
pub fn most_bytes(head: &[u8]) -> usize {
    if program::is_program(head) || rpm_database::is_database(head) {
        limits::PROGRAM_BYTES
    } else {
        limits::DOCUMENT_BYTES
    }
}

/// Reads a file whose format [`recognize`] finds out. The database of dpkg needs [`read_as`], which
/// takes the distribution.
///
/// Fails as [`recognize`] and [`read_as`] do.
pub fn read(file_name: &str, bytes: &[u8]) -> Result<Components, ComponentError> {
    let file = input::decoded(bytes).map_err(|fault| fault.of(file_name, None))?;
    let input = Input::new(file_name, &file).map_err(|fault| fault.of(file_name, None))?;
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
    let file = input::decoded(bytes).map_err(|fault| fault.of(file_name, None))?;
    let input = Input::new(file_name, &file).map_err(|fault| fault.of(file_name, None))?;
    read_input(format, &input, distribution)
}

fn read_input(
    format: Format,
    input: &Input<'_>,
    distribution: Option<&Distribution>,
) -> Result<Components, ComponentError> {
    // A database without packages is whole.
    if !format.may_be_empty() && input.binary().is_none() {
        input
            .not_empty()
            .map_err(|fault| fault.of(input.name(), None))?;
    }
    let list = (format.reader().read)(input, distribution).map_err(|fault| {
        let fault = fault.locate(input.text());
        fault.of(input.name(), Some(format.remedy()))
    })?;
    let found = list.finish(format.is_sbom());
    Ok(Components {
        format,
        list: found.list,
        bom: found.bom,
        disputed_refs: found.disputed_refs,
        notes: found.notes,
        unidentified: found.unidentified,
    })
}
