//! What the database of rpm holds: the packages of a Fedora, a Red Hat, a SUSE, or of a
//! distribution like them, a line each, as [`super::rpm_database`] makes it of the file. It is what
//! `rpm -qa --queryformat` writes, which is read as well, with this:
//! `%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n`

use super::component::{Component, Distribution};
use super::fault::Fault;
use super::input::{Binary, Input};
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};
use super::rpm_database::{FIELDS, NONE, REMEDY};
use assay_claims::kind::node::quoted;

pub(super) const READER: Reader = Reader {
    name: "rpm database",
    is_sbom: false,
    remedy: REMEDY,
    files: &["rpmdb.sqlite", "Packages.db"],
    path: Some(|path, _| {
        let of_rpm = ["lib/rpm/Packages", "lib/sysimage/rpm/Packages"];
        of_rpm.iter().any(|known| path.ends_with(known))
    }),
    sign: Sign::Text(|head| {
        let fields: Vec<_> = head.first().split('\t').collect();
        fields.len() == FIELDS
            && fields
                .last()
                .is_some_and(|of| of.ends_with(".rpm") || *of == NONE)
    }),
    read,
};

/// What rpm lists the keys as that it trusts.
const KEY: &str = "gpg-pubkey";

fn read(input: &Input<'_>, distribution: Option<&Distribution>) -> Result<List, Fault> {
    let Some(distribution) = distribution else {
        return Err(
            Fault::new(None, "the database does not say whose packages these are")
                .advise("name the distribution, such as fedora or rhel"),
        );
    };
    let is_text = input.binary() != Some(Binary::Rpm);
    let mut list = List::default();
    for (number, line) in input.lines() {
        let at = Some(number).filter(|_| is_text);
        let fields: Vec<_> = line.split('\t').collect();
        let Ok([name, epoch, version, release, arch, source]) = <[&str; FIELDS]>::try_from(fields)
        else {
            let reason = format!("{} is not six fields with tabs between", quoted(line));
            return Err(Fault::new(at, reason));
        };
        if name == KEY {
            continue;
        }
        if [name, version, release].iter().any(|field| is_none(field)) {
            let reason = format!("{} has no name, version or release", quoted(line));
            return Err(Fault::new(at, reason));
        }
        let version = format!("{version}-{release}");
        let mut parts = origin::package("rpm", name, Some(&version));
        parts.namespace = Some(distribution.vendor.clone());
        for (key, value) in [
            ("arch", Some(arch)),
            ("distro", distribution.release.as_deref()),
            ("epoch", Some(epoch)),
            ("upstream", Some(source)),
        ] {
            let value = value.filter(|value| !is_none(value));
            parts
                .qualifiers
                .extend(value.map(|value| (key.to_owned(), value.to_owned())));
        }
        let component = Component {
            name: name.to_owned(),
            version: Some(version),
            line: at,
            ..Component::default()
        };
        list.package(component, parts)?;
    }
    Ok(list)
}

fn is_none(field: &str) -> bool {
    field.is_empty() || field == NONE
}

#[cfg(test)]
mod tests {
    use crate::components::Format::RpmDatabase;
    use crate::components::tests::{found, lines};
    use crate::components::{Distribution, by_name, read, read_as, recognize};

    const LINE: &str = "openssl-libs\t1\t3.0.7\t18.el9\tx86_64\topenssl-3.0.7-18.el9.src.rpm\n";

    #[test]
    fn each_line_is_a_package_with_its_epoch_and_source() {
        let text = format!(
            "gpg-pubkey\t(none)\tfd431d51\t4ae0493b\t(none)\t(none)\n{LINE}a\t(none)\t1\t2\tnoarch\t(none)\n"
        );
        assert_eq!(
            lines(&found(RpmDatabase, &text)),
            [
                "pkg:rpm/debian/openssl-libs@3.0.7-18.el9?arch=x86_64&distro=debian-12&epoch=1&\
                 upstream=openssl-3.0.7-18.el9.src.rpm :2",
                "pkg:rpm/debian/a@1-2?arch=noarch&distro=debian-12 :3",
            ]
        );
        assert_eq!(recognize("x", text.as_bytes()), Ok(RpmDatabase));
    }

    #[test]
    fn a_database_is_known_by_what_it_is_and_has_no_lines() {
        let database = include_bytes!("rpm_database/made/rpmdb.sqlite");
        assert_eq!(recognize("x", database), Ok(RpmDatabase));
        for path in [
            "/var/lib/rpm/rpmdb.sqlite",
            "r/var/lib/rpm/Packages",
            "Packages.db",
        ] {
            assert_eq!(by_name(path), Some(RpmDatabase), "{path}");
        }
        assert_eq!(by_name("Packages"), None);
        let fedora = Distribution {
            vendor: "fedora".into(),
            release: Some("fedora-40".into()),
        };
        let found = read_as(RpmDatabase, "x", database, Some(&fedora)).unwrap();
        assert_eq!(found.list.len(), 9);
        assert_eq!(
            lines(&found)[8],
            "pkg:rpm/fedora/made@1.2.3-4.fc40?arch=noarch&distro=fedora-40&upstream=made-1.2.3-4.fc40.src.rpm"
        );
        let error = read("x", database).unwrap_err().to_string();
        assert!(
            error.contains("name the distribution, such as fedora"),
            "{error}"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            (format!("{LINE}a\t1\n"), "x:2: \"a\\t1\" is not six fields"),
            (LINE.replace("3.0.7\t", "(none)\t"), "x:1: "),
            (
                LINE.replace("18.el9\t", "\t"),
                "has no name, version or release",
            ),
        ] {
            let debian = Distribution {
                vendor: "fedora".into(),
                release: None,
            };
            let error = read_as(RpmDatabase, "x", text.as_bytes(), Some(&debian)).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
