//! Reading what is to be checked: files that name components, and the packages that are installed.

use crate::{exit::Failure, input, output};
use assay_client::ask::{Listed, Listing, Note, Unidentified};
use assay_intake::components::{self, Components, Distribution, Format};
use assay_intake::limits;
use std::path::Path;

/// Reads a file whose format is found out. `os_release` says whose packages a copy of dpkg's
/// database holds.
///
/// Fails with [`Failure::Usage`], naming file, line and reason, if it is malformed: nothing of it
/// is taken then.
pub fn file(path: &Path, os_release: &Path) -> Result<Listing, Failure> {
    let document = input::read(path, limits::DOCUMENT_BYTES)?;
    let name = if path == Path::new("-") {
        document.name.clone()
    } else {
        path.display().to_string()
    };
    let components = match components::recognize(&name, &document.bytes) {
        Ok(Format::DpkgStatus) => {
            let distribution = distribution(os_release)?;
            components::read_as(
                Format::DpkgStatus,
                &name,
                &document.bytes,
                Some(&distribution),
            )
        }
        Ok(format) => components::read_as(format, &name, &document.bytes, None),
        Err(error) => Err(error),
    };
    let components =
        components.map_err(|error| Failure::Usage(output::plain(&error.to_string())))?;
    Ok(listing(&name, components))
}

/// Reads the database of dpkg at `status`.
pub fn installed(status: &Path, os_release: &Path) -> Result<Listing, Failure> {
    if !status.exists() {
        return Err(Failure::Usage(format!(
            "--installed: there is no {}: packages that dpkg installs are all that it reads; \
             write an SBOM of the system (CycloneDX or SPDX) with another tool, and check that",
            status.display()
        )));
    }
    let document = input::read(status, limits::DOCUMENT_BYTES)?;
    let name = status.display().to_string();
    let distribution = distribution(os_release)?;
    let components = components::read_as(
        Format::DpkgStatus,
        &name,
        &document.bytes,
        Some(&distribution),
    )
    .map_err(|error| Failure::Usage(output::plain(&error.to_string())))?;
    Ok(listing(&name, components))
}

/// What a file of this name lists.
fn listing(name: &str, components: Components) -> Listing {
    let mut listed = Vec::with_capacity(components.list.len());
    for component in components.list {
        listed.push(Listed {
            purl: component.purl,
            name: component.name,
            version: component.version,
            digests: component.digests,
            line: component.line,
            own: component.own,
            dev: component.dev,
            optional: component.optional,
        });
    }
    let notes = components.notes.into_iter().map(|note| Note {
        line: note.line,
        text: output::plain(&note.text),
    });
    let unidentified = components.unidentified.into_iter().map(|one| Unidentified {
        line: one.line,
        what: output::plain(&one.what),
        reason: output::plain(&one.reason),
    });
    Listing {
        name: output::plain(name),
        format: components.format.name(),
        listed,
        notes: notes.collect(),
        unidentified: unidentified.collect(),
    }
}

/// Most bytes of an os-release file. They have a few hundred.
const OS_RELEASE_BYTES: usize = 64 * 1024;

/// The distribution that an os-release file names (os-release(5)).
fn distribution(path: &Path) -> Result<Distribution, Failure> {
    let document = input::read(path, OS_RELEASE_BYTES)?;
    let text = String::from_utf8_lossy(&document.bytes);
    of_os_release(&text).ok_or_else(|| {
        Failure::Usage(format!(
            "{}: it has no line ID=…, so nobody can tell which distribution's packages these are; \
             name another file with --os-release",
            path.display()
        ))
    })
}

fn of_os_release(text: &str) -> Option<Distribution> {
    let value = |key: &str| {
        let lines = text
            .lines()
            .filter_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='));
        lines
            .map(|value| value.trim_matches(['"', '\'']))
            .find(|value| !value.is_empty())
            .map(str::to_owned)
    };
    let vendor = value("ID")?;
    let numbered = value("VERSION_ID").map(|version| format!("{vendor}-{version}"));
    Some(Distribution {
        release: numbered.or_else(|| value("VERSION_CODENAME")),
        vendor,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_what_os_release_says() {
        let read = |text: &str| of_os_release(text).map(|d| (d.vendor, d.release));
        let debian =
            "PRETTY_NAME=\"Debian\"\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\nID=debian\n";
        assert_eq!(
            read(debian),
            Some(("debian".into(), Some("debian-12".into())))
        );
        let sid = "ID='debian'\nVERSION_CODENAME=sid\n";
        assert_eq!(read(sid), Some(("debian".into(), Some("sid".into()))));
        assert_eq!(read("NAME=x\nID_LIKE=debian\n"), None);
    }

    #[test]
    fn a_malformed_file_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Cargo.lock");
        std::fs::write(&path, "version = 4\n[[package]]\nname = \n").unwrap();
        let Err(Failure::Usage(text)) = file(&path, Path::new("/none")) else {
            panic!("it was read")
        };
        assert!(
            text.starts_with(&format!("{}:3: ", path.display())),
            "{text}"
        );
    }
}
