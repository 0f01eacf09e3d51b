//! Reading what is to be checked: files that name components, and the packages that are installed.

use super::{folder, system};
use crate::{exit::Failure, input, output};
use assay_claims::purl::Purl;
use assay_client::ask::{Listed, Listing, Note, Unidentified};
use assay_intake::components::{self, Components, Format, UNNAMED_MODULES};
use assay_policy::rules::Policy;
use std::{
    collections::BTreeSet,
    path::{Component, Path, PathBuf},
};

/// How files are read.
pub struct How<'a> {
    /// What they are; found out if it is not said.
    pub format: Option<Format>,
    /// The file that says whose packages a system's database holds.
    pub os_release: Option<&'a Path>,
}

/// Whether files of a format hold the packages of a system, and not whose they are.
pub fn is_of_a_system(format: &str) -> bool {
    Format::ALL
        .iter()
        .any(|one| one.name() == format && one.is_of_a_system())
}

/// The format of a name that --format takes.
pub fn format(name: &str) -> Result<Format, String> {
    let known = Format::ALL
        .iter()
        .find(|format| format.id().eq_ignore_ascii_case(name));
    known.copied().ok_or_else(|| {
        let names: Vec<String> = Format::ALL.iter().map(|format| format.id()).collect();
        format!(
            "no such format is read; those that are: {}",
            names.join(", ")
        )
    })
}

/// Reads a file, or the folder in which an image without dpkg has its packages.
///
/// Fails with [`Failure::Usage`], naming file, line and reason, if it is malformed: nothing of it
/// is taken then.
pub fn file(path: &Path, how: &How<'_>) -> Result<Listing, Failure> {
    // A database of which nothing is in its file yet has no table by which it could be known.
    let may_be_written = path.extension().is_some_and(|end| end == "sqlite");
    if may_be_written {
        system::is_all_of_it(path)?;
    }
    let (name, bytes) = if path.is_dir() && path.ends_with("status.d") {
        (path.display().to_string(), system::status_d(path)?.into())
    } else {
        let document = input::read_by_head(path, components::most_bytes)?;
        let name = if path == Path::new("-") {
            document.name.clone()
        } else {
            path.display().to_string()
        };
        (name, document.bytes)
    };
    let format = match how.format {
        Some(format) => Ok(format),
        None if path.is_dir() => Ok(Format::DpkgStatus),
        None => components::recognize(&name, &bytes),
    };
    let format = format.map_err(|error| Failure::Usage(output::plain(&error.to_string())))?;
    // Again: what was beside it may have come into it, or have begun, while it was read.
    if may_be_written || format == Format::RpmDatabase {
        system::is_all_of_it(path)?;
    }
    let distribution = if format.is_of_a_system() {
        Some(system::distribution(&system::os_release(
            path,
            how.os_release,
        )?)?)
    } else {
        None
    };
    let components = components::read_as(format, &name, &bytes, distribution.as_ref())
        .map_err(|error| Failure::Usage(output::plain(&error.to_string())))?;
    Ok(listing(&name, components))
}

/// Reads a file, or all that a folder holds which names components.
///
/// Fails as [`file()`] does.
pub fn all(path: &Path, how: &How<'_>) -> Result<Vec<Listing>, Failure> {
    if !path.is_dir() || path.ends_with("status.d") {
        return Ok(vec![file(path, how)?]);
    }
    let shown = output::plain(&path.display().to_string());
    if how.format.is_some() {
        let reason = "its files are known by their names; leave out --format, or name a file";
        return Err(Failure::Usage(format!("{shown} is a folder: {reason}")));
    }
    let found = folder::find(path)?;
    if found.files.is_empty() {
        let said = found.left_out.join("; ");
        let reason = "nothing in it is a lock file or an SBOM that is known by its name";
        return Err(Failure::Usage(match said.as_str() {
            "" => format!("{shown} is a folder: {reason}; name files"),
            said => format!("{shown} is a folder: {reason} ({said}); name files"),
        }));
    }
    let mut listings = Vec::new();
    for found in &found.files {
        listings.push(file(found, how)?);
    }
    let notes = found.left_out.into_iter();
    listings.push(Listing {
        name: shown,
        format: "folder",
        notes: notes.map(|text| Note { line: None, text }).collect(),
        ..Listing::default()
    });
    Ok(listings)
}

/// What a command names: a package URL with a version, or else a file.
///
/// Fails with [`Failure::Usage`] as [`file()`] does, and for what is no package URL.
pub fn named(text: &str, format: Option<Format>) -> Result<Listing, Failure> {
    if !Purl::begins(text) {
        let how = How {
            format,
            os_release: None,
        };
        return file(Path::new(text), &how);
    }
    let purl = purl(text)?;
    if purl.version().is_none() {
        return Err(Failure::Usage(format!(
            "{}: it has no version; write one behind an @",
            output::plain(text)
        )));
    }
    Ok(Listing {
        name: output::plain(text),
        format: "package URL",
        listed: vec![Listed {
            name: purl.name().to_owned(),
            version: purl.version().map(str::to_owned),
            purl: Some(purl),
            ..Listed::default()
        }],
        ..Listing::default()
    })
}

/// A package URL, in its canonical form.
pub fn purl(text: &str) -> Result<Purl, Failure> {
    let named = output::plain(text);
    Purl::canonicalize(text).map_err(|e| Failure::Usage(format!("{named}: {e}")))
}

/// Decides what of the listings counts: what a project builds if several of its files say it, what
/// the policy takes for the public registry's, and with `own` the project's own packages.
pub fn choose(listings: &mut [Listing], policy: &Policy, own: bool) {
    let folder = |listing: &Listing| Path::new(&listing.name).parent().map(Path::to_owned);
    // One of before Go 1.17 does not name all that is built: what is in go.sum is looked up, too.
    let whole = listings.iter().filter(|listing| {
        let mut unidentified = listing.unidentified.iter();
        listing.format == Format::GoMod.name()
            && unidentified.all(|one| one.what != UNNAMED_MODULES)
    });
    let mods: Vec<_> = whole.map(folder).collect();
    follow(listings);
    for listing in listings.iter_mut() {
        let beside = listing.format == Format::GoSum.name() && mods.contains(&folder(listing));
        if beside {
            listing.listed.clear();
            listing.notes = vec![Note {
                line: None,
                text: "go.mod beside it says what is built".to_owned(),
            }];
        }
        let mut mirrored = 0;
        for listed in &mut listing.listed {
            listed.own &= !(own && listed.purl.is_some());
            if let Some(purl) = listed
                .purl
                .as_ref()
                .and_then(|purl| policy.unmirrored(purl))
            {
                listed.purl = Some(purl);
                mirrored += 1;
            }
        }
        if mirrored > 0 {
            listing.notes.push(Note {
                line: None,
                text: format!(
                    "from mirrors that your policy names, so taken for the registry's: {mirrored}"
                ),
            });
        }
    }
}

/// Takes what a file of requirements includes for known, where that is read as well.
fn follow(listings: &mut [Listing]) {
    let names = listings
        .iter()
        .map(|one| without_steps(Path::new(&one.name)));
    let names: BTreeSet<PathBuf> = names.collect();
    for listing in listings {
        if listing.format != Format::Requirements.name() {
            continue;
        }
        let folder = Path::new(&listing.name).parent().unwrap_or(Path::new(""));
        let folder = folder.to_owned();
        listing.unidentified.retain(|one| {
            let mut options = ["-r ", "--requirement "].into_iter();
            let included = options.find_map(|option| one.what.strip_prefix(option));
            included.is_none_or(|path| !names.contains(&without_steps(&folder.join(path))))
        });
    }
}

/// The path without `.` and, as far as it says what is above, `..`.
fn without_steps(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    plain
}

/// What a file of this name lists.
fn listing(name: &str, components: Components) -> Listing {
    let is_sbom = components.format.is_sbom();
    // Collected, it takes the memory of the other list.
    let listed = components.list.into_iter().map(|component| Listed {
        asked: (is_sbom || component.by_path) && component.purl.is_some(),
        by_path: component.by_path,
        purl: component.purl,
        name: component.name,
        version: component.version,
        digests: component.digests,
        bom_refs: component.bom_refs,
        line: component.line,
        own: component.own,
        dev: component.dev,
        optional: component.optional,
    });
    let listed = listed.collect();
    let notes = components.notes.into_iter().map(|note| Note {
        line: note.line,
        text: output::plain(&note.text),
    });
    let unidentified = components.unidentified.into_iter().map(|one| Unidentified {
        line: one.line,
        what: output::plain(&one.what),
        reason: output::plain(&one.reason),
        bom_refs: one.bom_refs,
    });
    Listing {
        name: output::plain(name),
        format: components.format.name(),
        listed,
        bom: components.bom,
        disputed_refs: components.disputed_refs,
        notes: notes.collect(),
        unidentified: unidentified.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_included_and_read_is_known() {
        let requirements = |name: &str, includes: &str| Listing {
            name: name.to_owned(),
            format: Format::Requirements.name(),
            unidentified: vec![Unidentified {
                line: None,
                what: includes.to_owned(),
                reason: String::new(),
                bom_refs: Vec::new(),
            }],
            ..Listing::default()
        };
        let mut listings = [
            requirements("a/requirements.txt", "-r ./in/dev.txt"),
            requirements("a/in/dev.txt", "--requirement ../requirements.txt"),
            requirements("a/other.txt", "-r elsewhere.txt"),
        ];
        follow(&mut listings);
        let left = listings.map(|one| one.unidentified.len());
        assert_eq!(left, [0, 0, 1]);
    }

    #[test]
    fn every_format_can_be_named() {
        for known in Format::ALL {
            assert_eq!(format(&known.id()), Ok(*known));
            let help = include_str!("../commands/check.rs").replace("\n    ///", "");
            assert!(
                help.contains(&[" ", &known.id()].concat()),
                "{}",
                known.id()
            );
        }
        assert!(format("nothing").unwrap_err().contains("cargo.lock"));
    }

    /// Where all of a database is in the log beside it, the file has no table yet.
    #[test]
    fn what_is_beside_a_database_is_looked_for_before_the_database_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rpmdb.sqlite");
        let mut pages = vec![0; 4096];
        pages[..16].copy_from_slice(b"SQLite format 3\0");
        pages[16] = 16;
        pages[100] = 13;
        let how = How {
            format: None,
            os_release: None,
        };
        for bytes in [&pages[..], b""] {
            std::fs::write(&path, bytes).unwrap();
            std::fs::write(folder.path().join("rpmdb.sqlite-wal"), "x").unwrap();
            let said = file(&path, &how).unwrap_err().to_string();
            assert!(said.contains("rpmdb.sqlite-wal beside it"), "{said}");
        }
    }

    #[test]
    fn a_malformed_file_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("Cargo.lock");
        std::fs::write(&path, "version = 4\n[[package]]\nname = \n").unwrap();
        let how = How {
            format: None,
            os_release: None,
        };
        let Err(Failure::Usage(text)) = file(&path, &how) else {
            panic!("it was read")
        };
        assert!(
            text.starts_with(&format!("{}:3: ", path.display())),
            "{text}"
        );
    }
}
