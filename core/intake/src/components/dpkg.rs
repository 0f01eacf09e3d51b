//! `/var/lib/dpkg/status` (dpkg's `lib/dpkg/parse.c`; deb822(5) is the syntax): the packages of a
//! system; and the files of `/var/lib/dpkg/status.d`, which images without dpkg have: one a
//! package, without a status, since what is there is installed. OpenWrt's opkg writes the same with
//! flags of its own (opkg's `libopkg/pkg.c`).

use super::component::{Component, Distribution};
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;

pub(super) const READER: Reader = Reader {
    name: "dpkg status",
    is_sbom: false,
    remedy: "nothing of the file is taken; copy it from the system again",
    files: &["dpkg-status"],
    path: Some(|path, _| {
        let of_all = ["dpkg/status", "lib/opkg/status"];
        of_all.iter().any(|known| path.ends_with(known)) || path.contains("dpkg/status.d/")
    }),
    // Lists of what can be installed say where the file is.
    sign: Sign::Text(|head| {
        let installed = head.has("Status: ") || head.has("Version: ") && !head.has("Filename: ");
        head.has("Package: ") && installed
    }),
    read,
};

/// States in which nothing of a package, or only its configuration, is on the disk. In every other
/// one its files are.
const ABSENT: &[&str] = &["not-installed", "config-files"];

#[derive(Default)]
struct Paragraph<'a> {
    line: u32,
    package: Option<&'a str>,
    status: Option<&'a str>,
    version: Option<&'a str>,
    architecture: Option<&'a str>,
    source: Option<&'a str>,
}

fn read(input: &Input<'_>, distribution: Option<&Distribution>) -> Result<List, Fault> {
    let Some(distribution) = distribution else {
        return Err(
            Fault::new(None, "the database does not say whose packages these are")
                .advise("name the distribution, such as debian or ubuntu"),
        );
    };
    // Without any status it is of status.d. A database that has some has one everywhere.
    let is_database = input.lines().any(|(_, line)| line.starts_with("Status:"));
    let finish = |paragraph: Paragraph<'_>, list: &mut List| {
        paragraph.finish(is_database, distribution, list)
    };
    let mut list = List::default();
    let mut paragraph = Paragraph::default();
    for (number, line) in input.lines() {
        if line.trim().is_empty() {
            finish(std::mem::take(&mut paragraph), &mut list)?;
        } else if !line.starts_with([' ', '\t']) {
            paragraph.field(number, line)?;
        } else if paragraph.line == 0 {
            return Err(Fault::at(number, "a continued line has nothing before it"));
        }
    }
    finish(paragraph, &mut list)?;
    Ok(list)
}

impl<'a> Paragraph<'a> {
    fn field(&mut self, number: u32, line: &'a str) -> Result<(), Fault> {
        let Some((name, value)) = line.split_once(':') else {
            return Err(Fault::at(
                number,
                format!("{} is not `Field: value`", quoted(line)),
            ));
        };
        if self.line == 0 {
            self.line = number;
        }
        let field = match name.to_ascii_lowercase().as_str() {
            "package" => &mut self.package,
            "status" => &mut self.status,
            "version" => &mut self.version,
            "architecture" => &mut self.architecture,
            "source" => &mut self.source,
            _ => return Ok(()),
        };
        match field.replace(value.trim()) {
            None => Ok(()),
            Some(_) => Err(Fault::at(
                number,
                format!("{name} stands twice in the paragraph"),
            )),
        }
    }

    fn need(&self, field: Option<&'a str>, name: &str) -> Result<&'a str, Fault> {
        let stated = field.filter(|value| !value.is_empty());
        stated.ok_or_else(|| {
            let reason = format!("the paragraph that begins here has no {name}");
            Fault::at(self.line, reason)
        })
    }

    /// What the package was built of, in the spelling of the qualifier `upstream`, if it has not
    /// the same name and version: `SOURCE`, or `SOURCE (VERSION)`.
    fn upstream(&self) -> Option<String> {
        let source = self.source?.trim();
        let (name, version) = match source.split_once('(') {
            Some((name, rest)) => (name.trim(), rest.trim_end().strip_suffix(')')),
            None => (source, None),
        };
        match version
            .map(str::trim)
            .filter(|version| Some(*version) != self.version)
        {
            Some(version) => Some(format!("{name}@{version}")),
            None => Some(name.to_owned()).filter(|name| Some(name.as_str()) != self.package),
        }
    }

    /// Whether its files are on the disk. The list says what is not whole.
    fn is_there(&self, name: &str, list: &mut List) -> Result<bool, Fault> {
        let status = self.need(self.status, "Status")?;
        let words: Vec<_> = status.split_whitespace().collect();
        let [want, flag, state] = words[..] else {
            return Err(Fault::at(
                self.line,
                format!("the Status of {} is not three words", quoted(name)),
            ));
        };
        if ABSENT.contains(&state) {
            list.remark(
                "left out, being removed or never installed",
                Some(self.line),
                name,
            );
            return Ok(false);
        }
        if flag.contains("reinstreq") || state != "installed" {
            list.remark(
                "installed in part, or in need of repair",
                Some(self.line),
                name,
            );
        } else if want != "install" || flag == "hold" {
            list.remark(
                "installed, but held or to be removed",
                Some(self.line),
                name,
            );
        }
        Ok(true)
    }

    fn finish(
        self,
        is_database: bool,
        distribution: &Distribution,
        list: &mut List,
    ) -> Result<(), Fault> {
        if self.line == 0 {
            return Ok(());
        }
        let name = self.need(self.package, "Package")?;
        if is_database && !self.is_there(name, list)? {
            return Ok(());
        }
        let (version, architecture) = (
            self.need(self.version, "Version")?,
            self.need(self.architecture, "Architecture")?,
        );
        let mut parts = origin::package("deb", name, Some(version));
        parts.namespace = Some(distribution.vendor.clone());
        parts.qualifiers.push(("arch".into(), architecture.into()));
        parts.qualifiers.extend(
            distribution
                .release
                .iter()
                .map(|release| ("distro".to_owned(), release.clone())),
        );
        let upstream = self.upstream();
        parts
            .qualifiers
            .extend(upstream.map(|source| ("upstream".to_owned(), source)));
        let (name, version) = (name.to_owned(), Some(version.to_owned()));
        list.package(
            Component {
                name,
                version,
                line: Some(self.line),
                ..Component::default()
            },
            parts,
        )
    }
}

#[cfg(test)]
mod tests {
    use crate::components::Format::DpkgStatus;
    use crate::components::tests::{found, lines, notes};
    use crate::components::{Distribution, read, read_as};

    fn package(name: &str, status: &str) -> String {
        format!(
            "Package: {name}\nStatus: {status}\nArchitecture: amd64\nVersion: \
             1:2.3-4+b1\nDescription: short\n more: text\n .\n\n"
        )
    }

    #[test]
    fn what_is_on_the_disk_is_listed_with_its_distribution() {
        let text = [
            package("libc6", "install ok installed"),
            package("gone", "deinstall ok config-files"),
            package("never", "unknown ok not-installed"),
            package("held", "hold ok installed"),
            package("half", "install reinstreq half-installed"),
        ];
        let found = found(DpkgStatus, text.concat().trim_end());
        assert_eq!(
            lines(&found),
            [
                "pkg:deb/debian/libc6@1:2.3-4%2Bb1?arch=amd64&distro=debian-12 :1",
                "pkg:deb/debian/held@1:2.3-4%2Bb1?arch=amd64&distro=debian-12 :25",
                "pkg:deb/debian/half@1:2.3-4%2Bb1?arch=amd64&distro=debian-12 :33"
            ]
        );
        assert_eq!(
            notes(&found),
            "left out, being removed or never installed: gone, never\ninstalled, but held or to \
             be removed: held\ninstalled in part, or in need of repair: half"
        );
    }

    #[test]
    fn opkg_has_flags_of_its_own() {
        let text = [
            package("busybox", "install user installed"),
            package("libc", "install user,essential,noprune installed"),
            package("held", "install hold installed"),
            package("half", "install user unpacked"),
            package("gone", "deinstall user not-installed"),
        ];
        let text = text.concat();
        let found = found(DpkgStatus, &text);
        assert_eq!(found.list.len(), 4);
        assert_eq!(
            notes(&found),
            "installed, but held or to be removed: held\ninstalled in part, or in need of repair: \
             half\nleft out, being removed or never installed: gone"
        );
        let named = crate::components::by_name("r/usr/lib/opkg/status");
        assert_eq!(named, Some(DpkgStatus));
    }

    #[test]
    fn a_source_of_another_name_or_version_is_said() {
        let of = |source: &str| {
            let text = package("a", "install ok installed");
            found(
                DpkgStatus,
                &text.replace("Version", &format!("Source: {source}\nVersion")),
            )
        };
        for (source, upstream) in [
            ("b", "&upstream=b"),
            ("b (1:2.3-4)", "&upstream=b%401:2.3-4"),
            ("b (1:2.3-4+b1)", "&upstream=b"),
            ("a (1:2.3-4)", "&upstream=a%401:2.3-4"),
            ("a", ""),
        ] {
            let wanted = "pkg:deb/debian/a@1:2.3-4%2Bb1?arch=amd64&distro=debian-12";
            assert_eq!(
                lines(&of(source)),
                [format!("{wanted}{upstream} :1")],
                "{source}"
            );
        }
    }

    #[test]
    fn what_has_no_status_anywhere_is_of_an_image_without_dpkg() {
        let status = "Status: install ok installed\n";
        let one = package("a", "install ok installed").replace(status, "");
        let other = package("b", "install ok installed").replace(status, "");
        assert_eq!(lines(&found(DpkgStatus, &format!("{one}{other}"))).len(), 2);
        for (name, text) in [("x", &one), ("/i/var/lib/dpkg/status.d/a", &one)] {
            let format = crate::components::recognize(name, text.as_bytes());
            assert_eq!(format, Ok(DpkgStatus), "{name}");
        }
        let offered = one.replace("Version", "Filename: pool/a.deb\nVersion");
        assert!(crate::components::recognize("x", offered.as_bytes()).is_err());
    }

    #[test]
    fn the_distribution_has_to_be_named() {
        let text = package("a", "install ok installed");
        let error = read("/var/lib/dpkg/status", text.as_bytes())
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("whose packages these are; name the distribution"),
            "{error}"
        );
        let ubuntu = Distribution {
            vendor: "ubuntu".into(),
            release: None,
        };
        let found = read_as(DpkgStatus, "status", text.as_bytes(), Some(&ubuntu)).unwrap();
        assert_eq!(
            lines(&found),
            ["pkg:deb/ubuntu/a@1:2.3-4%2Bb1?arch=amd64 :1"]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let good = package("a", "install ok installed");
        let debian = Distribution {
            vendor: "debian".into(),
            release: None,
        };
        for (text, said) in [
            (
                good.replace("Package: a\n", ""),
                "x:1: the paragraph that begins here has no Package",
            ),
            (
                good.clone() + &package("b", ""),
                "x:9: the paragraph that begins here has no Status",
            ),
            (
                package("a", "installed"),
                "x:1: the Status of \"a\" is not three words",
            ),
            (
                good.replace("Version: 1:2.3-4+b1", "Version:"),
                "x:1: the paragraph that begins here has no Version",
            ),
            (
                good.replace("Architecture: amd64\n", ""),
                "x:1: the paragraph that begins here has no Architecture",
            ),
            (
                good.replace("Version", "package"),
                "x:4: package stands twice",
            ),
            (
                good.replace("Architecture: amd64", "odd"),
                "x:3: \"odd\" is not `Field: value`",
            ),
            (
                format!(" odd\n{good}"),
                "x:1: a continued line has nothing before it",
            ),
        ] {
            let error = read_as(DpkgStatus, "x", text.as_bytes(), Some(&debian))
                .unwrap_err()
                .to_string();
            assert!(
                error.starts_with(said) && error.contains("; nothing of the file is taken"),
                "{error}"
            );
        }
    }
}
