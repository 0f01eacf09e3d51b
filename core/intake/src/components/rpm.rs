//! What the database of rpm holds: the packages of a Fedora, a Red Hat, a SUSE, or of a
//! distribution like them, a line each, as [`super::rpm_database`] makes it of the file. It is what
//! `rpm -qa --queryformat` writes, which is read as well, with this:
//! `%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}\n`; and so is what `rpm -qa`
//! writes by itself: `NAME-VERSION-RELEASE.ARCH`; and what images of Azure Linux without rpm have
//! in the place of its database (CBL-Mariner, `toolkit/docs/how_it_works/5_misc.md`).

use super::component::{Component, Distribution};
use super::fault::Fault;
use super::input::{Binary, Input};
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};
use super::rpm_database::{FIELDS as WITH_MODULE, NONE, REMEDY};
use assay_claims::kind::node::quoted;

pub(super) const READER: Reader = Reader {
    name: "rpm database",
    is_sbom: false,
    remedy: REMEDY,
    files: &["rpmdb.sqlite", "Packages.db", "rpm-qa.txt"],
    path: Some(|path, _| {
        let of_rpm = [
            "lib/rpm/Packages",
            "lib/sysimage/rpm/Packages",
            "lib/rpmmanifest/container-manifest-2",
        ];
        of_rpm.iter().any(|known| path.ends_with(known))
    }),
    sign: Sign::Text(|head| {
        let fields: Vec<_> = head.first().split('\t').collect();
        let is_table = [FIELDS, WITH_MODULE, MANIFEST].contains(&fields.len())
            && fields.iter().any(|of| of.ends_with(".rpm") || *of == NONE);
        // Names of other things have hyphens and dots as well: every line has to be a package.
        let mut lines = head.text().lines().map(str::trim_end);
        is_table
            || lines.all(|line| {
                let package = Package::in_one(line);
                is_key(line) || package.is_some_and(|one| one.is_of_known_architecture())
            })
    }),
    read,
};

/// Fields of a line without that of the module, which a database has.
const FIELDS: usize = WITH_MODULE - 1;

/// Fields of a line in an image without rpm: name, version and release, times, vendor, epoch, size,
/// architecture, epoch as a number, package of sources.
const MANIFEST: usize = 10;

/// What to do with a list that is wrong: it is written by hand or by a command, and no database.
const REMEDY_OF_TEXT: &str = "nothing of the list is taken; let rpm write it again: rpm -qa \
    --queryformat '%{NAME}\\t%{EPOCH}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\n'";

/// What a list lacks without which claims about its packages may not be found.
const SAYS_LITTLE: &str = "such a list states no epoch and no source package, by which advisories \
    name many; this writes both: rpm -qa --queryformat \
    '%{NAME}\\t%{EPOCH}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\n'";

/// What rpm lists the keys as that it trusts.
const KEY: &str = "gpg-pubkey";

/// What packages are built for. Of a list without these nobody can tell where a release ends.
const ARCHITECTURES: [&str; 33] = [
    "aarch64",
    "alpha",
    "amd64",
    "armv5tel",
    "armv6hl",
    "armv6l",
    "armv7hl",
    "armv7hnl",
    "armv7l",
    "armv8l",
    "athlon",
    "i386",
    "i486",
    "i586",
    "i686",
    "ia64",
    "loongarch64",
    "mips",
    "mips64el",
    "mipsel",
    "noarch",
    "ppc",
    "ppc64",
    "ppc64le",
    "ppc64p7",
    "riscv64",
    "s390",
    "s390x",
    "sparc",
    "sparc64",
    "x86_64",
    "x86_64_v2",
    "x86_64_v3",
];

fn read(input: &Input<'_>, distribution: Option<&Distribution>) -> Result<List, Fault> {
    let Some(distribution) = distribution else {
        return Err(
            Fault::new(None, "the database does not say whose packages these are")
                .advise("name the distribution, such as fedora or rhel"),
        );
    };
    let is_text = input.binary() != Some(Binary::Rpm);
    let advice = if is_text { REMEDY_OF_TEXT } else { REMEDY };
    let mut list = List::default();
    let mut says_little = false;
    for (number, line) in input.lines() {
        let at = Some(number).filter(|_| is_text);
        let package = Package::read(line);
        let package = package.map_err(|reason| Fault::new(at, reason).advise(advice))?;
        let Some(package) = package else {
            continue;
        };
        let is_listed = !line.contains('\t');
        if is_listed && !package.is_of_known_architecture() {
            // What stands behind the last dot may be a part of the release.
            let what = line.trim_end();
            list.unidentified(at, what, "has no architecture behind it that is known")?;
            continue;
        }
        package.add(at, distribution, &mut list)?;
        says_little |= is_listed;
    }
    if says_little {
        list.note(None, SAYS_LITTLE);
    }
    Ok(list)
}

/// Whether a line of a list is a key, for which nothing is built: `gpg-pubkey-ID-TIME`.
fn is_key(line: &str) -> bool {
    let rest = line.strip_prefix(KEY).unwrap_or_default();
    let mut words = rest.split('-');
    let is_hex = |word: &str| !word.is_empty() && word.bytes().all(|it| it.is_ascii_hexdigit());
    words.next() == Some("") && words.clone().count() == 2 && words.all(is_hex)
}

/// A package, as a line has it. A field that it has not is [`NONE`] or empty.
struct Package<'a> {
    name: &'a str,
    epoch: &'a str,
    version: &'a str,
    release: &'a str,
    arch: &'a str,
    source: &'a str,
    /// The module, as `NAME:STREAM:VERSION:CONTEXT`.
    module: &'a str,
}

impl<'a> Package<'a> {
    /// The package in a line; `None` if that is a key. Fails with the reason.
    fn read(line: &'a str) -> Result<Option<Self>, String> {
        if !line.contains('\t') {
            let line = line.trim_end();
            if line.is_empty() || is_key(line) {
                return Ok(None);
            }
            return match Package::in_one(line) {
                Some(package) => Ok(Some(package)),
                None => Err(format!("{} is not NAME-VERSION-RELEASE.ARCH", quoted(line))),
            };
        }
        let Some(package) = Package::in_fields(line) else {
            return Err(format!(
                "{} has neither six fields with tabs between, nor those of a manifest",
                quoted(line)
            ));
        };
        let Package {
            name,
            epoch,
            version,
            release,
            arch,
            ..
        } = package;
        if name == "NAME" || name.starts_with("%{") {
            return Err(format!("{} is a heading, and no package", quoted(line)));
        }
        if name == KEY && is_none(arch) {
            return Ok(None);
        }
        if [name, version, release].iter().any(|field| is_none(field)) {
            return Err(format!("{} has no name, version or release", quoted(line)));
        }
        if !is_none(epoch) && !epoch.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(format!("the epoch of {} is no number", quoted(line)));
        }
        Ok(Some(package))
    }

    /// The package whose fields a line has with tabs between.
    fn in_fields(line: &'a str) -> Option<Self> {
        let fields: Vec<_> = line.splitn(MANIFEST + 1, '\t').collect();
        let (name, epoch, (version, release), arch, source, module) = match fields[..] {
            [name, epoch, version, release, arch, source, ref module @ ..] if module.len() < 2 => {
                let module = module.first().unwrap_or(&NONE);
                (name, epoch, (version, release), arch, source, *module)
            }
            [name, build, _, _, _, _, _, arch, epoch, source] => {
                let build = build.split_once('-').unwrap_or((build, NONE));
                let epoch = if epoch == "0" { NONE } else { epoch };
                (name, epoch, build, arch, source, NONE)
            }
            _ => return None,
        };
        Some(Package {
            name,
            epoch,
            version,
            release,
            arch,
            source,
            module,
        })
    }

    /// The package that a line names as `NAME-VERSION-RELEASE.ARCH`; before the version may stand
    /// an epoch with a colon. Of these fields only the name has hyphens.
    fn in_one(line: &'a str) -> Option<Self> {
        let (rest, arch) = line.rsplit_once('.')?;
        let mut words = rest.rsplitn(3, '-');
        let (release, version, name) = (words.next()?, words.next()?, words.next()?);
        let (epoch, version) = version.split_once(':').unwrap_or((NONE, version));
        let is_whole = [name, version, release].iter().all(|field| {
            // What rpm allows in them (`ALLOWED_CHARS_NAME` and others in `build/parsePreamble.c`).
            let mut chars = field.chars();
            !field.is_empty() && chars.all(|c| c.is_ascii_alphanumeric() || "-._+~^".contains(c))
        });
        let is_number = !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit());
        let is_package = is_whole && (epoch == NONE || is_number);
        is_package.then_some(Package {
            name,
            epoch,
            version,
            release,
            arch,
            source: NONE,
            module: NONE,
        })
    }

    fn is_of_known_architecture(&self) -> bool {
        ARCHITECTURES.contains(&self.arch)
    }

    fn add(
        &self,
        line: Option<u32>,
        distribution: &Distribution,
        list: &mut List,
    ) -> Result<(), Fault> {
        let version = format!("{}-{}", self.version, self.release);
        let mut parts = origin::package("rpm", self.name, Some(&version));
        parts.namespace = Some(distribution.vendor.clone());
        for (key, value) in [
            ("arch", Some(self.arch)),
            ("distro", distribution.release.as_deref()),
            ("epoch", Some(self.epoch)),
            ("rpmmod", Some(self.module)),
            ("upstream", Some(self.source)),
        ] {
            let value = value.filter(|value| !is_none(value));
            parts
                .qualifiers
                .extend(value.map(|value| (key.to_owned(), value.to_owned())));
        }
        let component = Component {
            name: self.name.to_owned(),
            version: Some(version),
            line,
            ..Component::default()
        };
        list.package(component, parts)
    }
}

fn is_none(field: &str) -> bool {
    field.is_empty() || field == NONE
}

#[cfg(test)]
mod tests {
    use crate::components::Format::RpmDatabase;
    use crate::components::tests::{found, lines, notes, unidentified};
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
    fn a_database_says_of_which_module_a_package_is() {
        let line = LINE.trim_end();
        let text = format!("{line}\tnodejs:18:8060:ad008a3a\n{line}\t(none)\n");
        let found = lines(&found(RpmDatabase, &text));
        assert!(
            found[0].contains("&rpmmod=nodejs:18:8060:ad008a3a&"),
            "{found:?}"
        );
        assert!(!found[1].contains("rpmmod"), "{found:?}");
        assert_eq!(recognize("x", text.as_bytes()), Ok(RpmDatabase));
    }

    #[test]
    fn an_image_without_rpm_has_a_manifest() {
        let text = "gpg-pubkey\t3135ce90-5e6fda74\t1\t2\t(none)\t(none)\t0\t(none)\t0\t(none)\n\
            a-libs\t5.1.8-4.cm2\t1\t2\tMicrosoft Corporation\t(none)\t9\tx86_64\t0\t\
            a-5.1.8-4.cm2.src.rpm\n\
            b\t2.0.0-14.cm2\t1\t2\tMicrosoft Corporation\t1\t9\tnoarch\t1\t\
            b-2.0.0-14.cm2.src.rpm\n";
        let of = "pkg:rpm/debian/";
        assert_eq!(
            lines(&found(RpmDatabase, text)),
            [
                format!(
                    "{of}a-libs@5.1.8-4.cm2?arch=x86_64&distro=debian-12&upstream=a-5.1.8-4.cm2.src.rpm :2"
                ),
                format!(
                    "{of}b@2.0.0-14.cm2?arch=noarch&distro=debian-12&epoch=1&upstream=b-2.0.0-14.cm2.src.rpm :3"
                ),
            ]
        );
        assert_eq!(recognize("x", text.as_bytes()), Ok(RpmDatabase));
        let path = "i/var/lib/rpmmanifest/container-manifest-2";
        assert_eq!(by_name(path), Some(RpmDatabase));
    }

    #[test]
    fn a_list_of_rpm_without_a_format_says_less_and_is_read() {
        let text = "gpg-pubkey-a15b79cc-63d04c2c\nbash-5.2.26-3.fc40.x86_64\n\n\
                    java-17-openjdk-1:17.0.11.0.9-1.fc40.x86_64\r\ntzdata-2024a-5.fc40.noarch\n";
        let listed = found(RpmDatabase, text);
        let of = "pkg:rpm/debian/";
        assert_eq!(
            lines(&listed),
            [
                format!("{of}bash@5.2.26-3.fc40?arch=x86_64&distro=debian-12 :2"),
                format!(
                    "{of}java-17-openjdk@17.0.11.0.9-1.fc40?arch=x86_64&distro=debian-12&epoch=1 :4"
                ),
                format!("{of}tzdata@2024a-5.fc40?arch=noarch&distro=debian-12 :5"),
            ]
        );
        let said = notes(&listed);
        assert!(said.contains("no epoch and no source package"), "{said}");
        assert!(
            said.contains(r"--queryformat '%{NAME}\t%{EPOCH}\t"),
            "{said}"
        );
        assert!(said.ends_with(r"%{SOURCERPM}\n'"), "{said}");
        assert_eq!(notes(&found(RpmDatabase, LINE)), "");
        assert_eq!(by_name("a/rpm-qa.txt"), Some(RpmDatabase));
        let known = "bash-5.2.26-3.fc40.x86_64\ngpg-pubkey-a15b79cc-63d04c2c\n";
        assert_eq!(recognize("x", known.as_bytes()), Ok(RpmDatabase));
        for other in [
            "bash-5.2.26-3.fc40.x86_64\n\nnot a package\n",
            "bash-5.2.26-3.fc40\n",
            "gpg-pubkey-helper-1.0-1\n",
            "https://host/bash-5.2.26-3.fc40.x86_64\n",
        ] {
            assert!(recognize("x", other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn only_keys_are_left_out_and_what_is_not_known_counts() {
        let text = "gpg-pubkey-helper-1.0-1.noarch\nbash-5.2.26-3.fc40\na-1-2.sh4\n\
                    gpg-pubkey\t(none)\t1\t2\tnoarch\t(none)\n";
        let read = found(RpmDatabase, text);
        let of = |name: &str| format!("pkg:rpm/debian/{name}?arch=noarch&distro=debian-12");
        assert_eq!(
            lines(&read),
            [
                of("gpg-pubkey-helper@1.0-1") + " :1",
                of("gpg-pubkey@1-2") + " :4"
            ]
        );
        let said = unidentified(&read);
        assert_eq!(said.len(), 2, "{said:?}");
        assert!(
            said[0].starts_with(":2 bash-5.2.26-3.fc40 has no arch"),
            "{said:?}"
        );
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
            (
                format!("{LINE}a\t1\n"),
                "x:2: \"a\\t1\" has neither six fields",
            ),
            (LINE.replace("3.0.7\t", "(none)\t"), "x:1: "),
            (
                LINE.replace("18.el9\t", "\t"),
                "has no name, version or release",
            ),
            (
                LINE.replace("\t1\t", "\tx\t"),
                "is no number; nothing of the list is taken; let rpm write it again",
            ),
            (
                format!("NAME\tEPOCH\tVERSION\tRELEASE\tARCH\tSOURCERPM\n{LINE}"),
                "x:1: \"NAME\\tEPOCH\\tVERSION\\tRELEASE\\tARCH\\tSOURCERPM\" is a heading",
            ),
            (
                "%{NAME}\t%{EPOCH}\t%{VERSION}\t%{RELEASE}\t%{ARCH}\t%{SOURCERPM}".to_owned(),
                "is a heading",
            ),
            (
                format!("{LINE}bash-5.2.26\n"),
                "x:2: \"bash-5.2.26\" is not NAME-VERSION-RELEASE.ARCH; nothing of the list",
            ),
            ("bash-x:5-3.noarch\n".to_owned(), "is not NAME-VERSION"),
            ("bash.x86_64\n".to_owned(), "is not NAME-VERSION"),
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
