//! What is installed on a system: where the databases of its packages are, and whose packages they
//! are.

use super::read::{self, How};
use crate::{exit::Failure, input, output};
use assay_client::ask::{Listing, Note};
use assay_intake::components::{Distribution, Format};
use assay_intake::limits;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The databases of a system's packages, by where a system has them.
/// Where `/lib` leads to `/usr/lib`, that of apk has two names.
const OF_A_SYSTEM: [&str; 13] = [
    "var/lib/dpkg/status",
    "usr/lib/apk/db/installed",
    "lib/apk/db/installed",
    "usr/lib/opkg/status",
    "var/lib/opkg/status",
    "var/lib/rpm/rpmdb.sqlite",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/Packages",
    "usr/lib/sysimage/rpm/rpmdb.sqlite",
    "usr/lib/sysimage/rpm/Packages.db",
    "usr/lib/sysimage/rpm/Packages",
    "usr/share/rpm/rpmdb.sqlite",
    "var/lib/rpmmanifest/container-manifest-2",
];

/// Reads the database of dpkg at `status`, or else that of the packages of this system.
pub fn installed(status: Option<&Path>, os_release: Option<&Path>) -> Result<Listing, Failure> {
    let (database, others) = match status {
        Some(status) => (Some(status.to_owned()), Vec::new()),
        None => of_system(Path::new("/")),
    };
    let Some(database) = database else {
        return Err(Failure::Usage(format!(
            "--installed: nothing says what is installed here: there is no database of dpkg, apk \
             or rpm ({}); write an SBOM of the system (CycloneDX or SPDX) with another tool, and \
             check that",
            OF_A_SYSTEM.map(|known| format!("/{known}")).join(", ")
        )));
    };
    if !database.exists() {
        return Err(Failure::Usage(format!(
            "--installed: there is no {}; name the database of dpkg, or leave out --dpkg-status",
            output::plain(&database.display().to_string())
        )));
    }
    let how = How {
        format: status.map(|_| Format::DpkgStatus),
        os_release,
    };
    let mut listing = read::file(&database, &how)?;
    for other in others {
        let other = output::plain(&other.display().to_string());
        listing.notes.push(Note {
            line: None,
            text: format!("{other} is here, too, and was not read; name it to check its packages"),
        });
    }
    Ok(listing)
}

/// The database of a system's packages, and others that are there, too: some distributions have the
/// tool of another one, with a database in which there may be nothing.
fn of_system(root: &Path) -> (Option<PathBuf>, Vec<PathBuf>) {
    let mut found: Vec<(PathBuf, PathBuf)> = Vec::new();
    for known in OF_A_SYSTEM {
        let path = root.join(known);
        let is_there = fs::metadata(&path).is_ok_and(|there| there.len() > 0);
        let whole = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if is_there && found.iter().all(|(_, known)| *known != whole) {
            found.push((path, whole));
        }
    }
    let mut found = found.into_iter().map(|(path, _)| path);
    (found.next(), found.collect())
}

/// The packages of an image without dpkg, as one database: a file each, beside which stand lists of
/// checksums.
pub(super) fn status_d(folder: &Path) -> Result<Vec<u8>, Failure> {
    let shown = output::plain(&folder.display().to_string());
    let failed = |e| Failure::io(format!("cannot read {shown}"), e);
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_file() && path.extension().is_none_or(|end| end != "md5sums") {
            files.push(path);
        }
    }
    files.sort();
    let mut all = Vec::new();
    for file in files {
        let left = limits::DOCUMENT_BYTES.saturating_sub(all.len());
        all.extend_from_slice(&input::read(&file, left)?.bytes);
        all.extend_from_slice(b"\n\n");
    }
    Ok(all)
}

/// What SQLite has beside a database, whose name goes on so, of which not all is in it.
const BESIDE: [&str; 2] = ["-wal", "-journal"];

/// Refuses a database of SQLite beside which stands what was written since and is not in it yet.
pub(super) fn is_all_of_it(database: &Path) -> Result<(), Failure> {
    // SQLite writes beside the file that a link leads to.
    let whole = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    for end in BESIDE {
        let mut log = whole.clone().into_os_string();
        log.push(end);
        let log = Path::new(&log);
        if fs::metadata(log).is_ok_and(|log| log.len() > 0) {
            return Err(Failure::Usage(format!(
                "{}: what was written last is in {} beside it, and not in it; let any command of \
                 rpm that installs end, or run `sqlite3 FILE 'PRAGMA wal_checkpoint(TRUNCATE)'` on \
                 a copy of both, and check that",
                output::plain(&database.display().to_string()),
                output::plain(&log.display().to_string()),
            )));
        }
    }
    Ok(())
}

/// The file that says whose packages a database is of: the one that is named, or else the one of
/// the system that the database is of. This system's says nothing of a copy of another's.
pub(super) fn os_release(database: &Path, named: Option<&Path>) -> Result<PathBuf, Failure> {
    if let Some(named) = named {
        return Ok(named.to_owned());
    }
    let whole = fs::canonicalize(database).unwrap_or_else(|_| database.to_owned());
    for known in OF_A_SYSTEM {
        let mut folders = whole.ancestors();
        let below =
            folders.find(|path| path.ends_with(known) || path.ends_with(format!("{known}.d")));
        let Some(root) = below.and_then(|path| path.ancestors().nth(known.split('/').count()))
        else {
            continue;
        };
        let stated = ["etc/os-release", "usr/lib/os-release"].map(|file| root.join(file));
        // A link of an unpacked image may lead to this system's.
        if let Some(stated) = stated.into_iter().find(|file| {
            fs::canonicalize(file).is_ok_and(|whole| whole.starts_with(root) && whole.is_file())
        }) {
            return Ok(stated);
        }
    }
    Err(Failure::Usage(format!(
        "{}: it does not say which distribution's packages these are, and it need not be this \
         system's; name the os-release of its system with --os-release",
        output::plain(&database.display().to_string())
    )))
}

/// Most bytes of an os-release file. They have a few hundred.
const OS_RELEASE_BYTES: usize = 64 * 1024;

/// The distribution that an os-release file names (os-release(5)).
pub(super) fn distribution(path: &Path) -> Result<Distribution, Failure> {
    let document = input::read_setting(path, OS_RELEASE_BYTES)?;
    let text = String::from_utf8_lossy(&document.bytes);
    of_os_release(&text).map_err(|reason| {
        Failure::Usage(format!(
            "{}: {reason}, so nobody can tell which distribution's packages these are; name \
             another file with --os-release",
            output::plain(&path.display().to_string())
        ))
    })
}

/// The distribution in the text of an os-release file. Fails with the reason.
fn of_os_release(text: &str) -> Result<Distribution, String> {
    // What stands last holds, as where a shell reads the file.
    let value = |key: &str| {
        let mut lines = text.lines().rev();
        let last = lines.find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='))?;
        word(last).filter(|value| !value.is_empty())
    };
    let stated = value("ID").ok_or("it has no line ID=…")?;
    // Of openEuler and Deepin it has capitals, which vendors in package URLs have not.
    let vendor = stated.to_ascii_lowercase();
    let mut chars = vendor.chars();
    if !chars.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c)) {
        let shown = output::plain(&stated);
        return Err(format!("its ID is \"{shown}\", which is no name of one"));
    }
    let numbered = value("VERSION_ID").map(|version| format!("{vendor}-{version}"));
    Ok(Distribution {
        release: numbered.or_else(|| value("VERSION_CODENAME")),
        vendor,
    })
}

/// The word at the beginning of a text, as a shell takes it: with quotes and backslashes, until a
/// blank or the end of a command. `None` if a quote is not closed.
fn word(text: &str) -> Option<String> {
    let (mut word, mut quote) = (String::new(), None);
    let mut rest = text.chars();
    while let Some(c) = rest.next() {
        match (c, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => quote = Some(c),
            ('\\', None) => word.extend(rest.next()),
            ('\\', Some('"')) => match rest.next()? {
                escaped @ ('"' | '\\' | '$' | '`') => word.push(escaped),
                other => word.extend([c, other]),
            },
            (c, None) if c.is_whitespace() || ";&|".contains(c) => break,
            (c, _) => word.push(c),
        }
    }
    quote.is_none().then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_is_what_os_release_says() {
        let read = |text: &str| {
            let read = of_os_release(text);
            read.ok().map(|d| (d.vendor, d.release))
        };
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
    fn an_os_release_is_read_as_a_shell_does() {
        for (text, expected) in [
            ("ID=\"debian\" # c\nVERSION_ID=12 # x\n", "debian debian-12"),
            ("ID=debian\nVERSION_ID=11\nID=ubuntu\n", "ubuntu ubuntu-11"),
            (
                "  ID=de'bi'\"an\"\r\nVERSION_ID='1\"2'\n",
                "debian debian-1\"2",
            ),
            (
                "ID=sles_sap\nVERSION_ID=\"15.\\$3\"\n",
                "sles_sap sles_sap-15.$3",
            ),
            ("ID=a\\b;\nVERSION_ID=\n", "ab "),
            (
                "ID=\"openEuler\"\nVERSION_ID=\"22.03\"\n",
                "openeuler openeuler-22.03",
            ),
            ("#ID=a\nID=b\n", "b "),
        ] {
            let read = of_os_release(text).unwrap();
            let release = read.release.unwrap_or_default();
            assert_eq!(format!("{} {release}", read.vendor), expected, "{text}");
        }
        for (text, said) in [
            ("ID=debian\nID=\n", "no line ID=…"),
            ("ID=\"debian\n", "no line ID=…"),
            (
                "ID=\"red hat\"\n",
                "its ID is \"red hat\", which is no name of one",
            ),
            ("ID=debian#c\n", "debian#c"),
            ("ID=../x\n", "../x"),
            ("ID=$NAME\n", "$NAME"),
        ] {
            let said_of = of_os_release(text).unwrap_err();
            assert!(said_of.contains(said), "{said_of}");
        }
    }

    #[test]
    fn a_copy_of_a_database_is_of_the_system_that_it_lies_in() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for (database, named) in [
            ("var/lib/dpkg/status", None),
            ("var/lib/dpkg/status.d/a", None),
            ("lib/apk/db/installed", None),
            ("usr/lib/apk/db/installed", None),
            ("usr/lib/opkg/status", None),
            ("var/lib/rpm/Packages", None),
            ("var/lib/rpmmanifest/container-manifest-2", None),
            ("usr/lib/sysimage/rpm/rpmdb.sqlite", None),
            ("elsewhere/status", Some("other")),
        ] {
            let path = root.join(database);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, "").unwrap();
            let found = |named: Option<&str>| os_release(&path, named.map(Path::new));
            assert!(found(None).is_err(), "{database}");
            if named.is_some() {
                assert_eq!(found(named).unwrap(), Path::new("other"));
                continue;
            }
            fs::create_dir_all(root.join("etc")).unwrap();
            fs::write(root.join("etc/os-release"), "ID=debian").unwrap();
            assert_eq!(found(None).unwrap(), root.join("etc/os-release"));
            fs::remove_file(root.join("etc/os-release")).unwrap();
            std::os::unix::fs::symlink("/etc/os-release", root.join("etc/os-release")).unwrap();
            assert!(found(None).is_err(), "a link to this system's");
            fs::remove_file(root.join("etc/os-release")).unwrap();
        }
    }

    #[test]
    fn of_several_databases_of_a_system_one_is_read_and_the_others_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert_eq!(of_system(root), (None, vec![]));
        let write = |path: &str, text: &str| {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        write("var/lib/dpkg/status", "");
        let rpm = write("usr/lib/sysimage/rpm/rpmdb.sqlite", "x");
        assert_eq!(of_system(root), (Some(rpm.clone()), vec![]));
        std::os::unix::fs::symlink("../../usr/lib/sysimage/rpm", root.join("var/lib/rpm")).unwrap();
        let linked = root.join("var/lib/rpm/rpmdb.sqlite");
        assert_eq!(of_system(root), (Some(linked.clone()), vec![]));
        let apk = write("usr/lib/apk/db/installed", "x");
        assert_eq!(of_system(root), (Some(apk.clone()), vec![linked.clone()]));
        // One database by two names.
        std::os::unix::fs::symlink("usr/lib", root.join("lib")).unwrap();
        assert_eq!(of_system(root), (Some(apk), vec![linked]));
    }

    #[test]
    fn a_database_with_more_beside_it_is_not_taken_for_all() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("rpmdb.sqlite");
        fs::write(&database, "").unwrap();
        assert!(is_all_of_it(&database).is_ok());
        for log in ["rpmdb.sqlite-wal", "rpmdb.sqlite-journal"] {
            let path = folder.path().join(log);
            fs::write(&path, "").unwrap();
            assert!(is_all_of_it(&database).is_ok(), "nothing is in it");
            fs::write(&path, "x").unwrap();
            let said = is_all_of_it(&database).unwrap_err().to_string();
            assert!(said.contains(&format!("{log} beside it")), "{said}");
            fs::remove_file(&path).unwrap();
        }
    }

    #[test]
    fn the_packages_of_an_image_without_dpkg_stand_in_files_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("status.d");
        fs::create_dir(&root).unwrap();
        fs::write(root.join("b"), "Package: b\nVersion: 1\nArchitecture: all").unwrap();
        fs::write(
            root.join("a"),
            "Package: a\nVersion: 1\nArchitecture: all\n",
        )
        .unwrap();
        fs::write(root.join("a.md5sums"), "0  usr/a\n").unwrap();
        let release = folder.path().join("release");
        fs::write(&release, "ID=debian").unwrap();
        let how = How {
            format: None,
            os_release: Some(&release),
        };
        let listing = read::file(&root, &how).unwrap();
        let names: Vec<_> = listing.listed.iter().map(|one| one.name.as_str()).collect();
        assert_eq!(names, ["a", "b"]);
    }
}
