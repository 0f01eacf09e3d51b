//! `/lib/apk/db/installed` (Alpine's apk-tools, `apk-package(5)`): the packages of a system, a
//! paragraph each, with a letter for each field.

use super::component::{Component, Distribution};
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;

pub(super) const READER: Reader = Reader {
    name: "apk installed",
    is_sbom: false,
    remedy: "nothing of the file is taken; copy it from the system again",
    files: &["apk-installed"],
    path: Some(|path, _| path.ends_with("apk/db/installed")),
    sign: Sign::Text(|head| head.has("C:Q") && head.has("P:") && head.has("V:")),
    read,
};

#[derive(Default)]
struct Paragraph<'a> {
    line: u32,
    name: Option<&'a str>,
    version: Option<&'a str>,
    architecture: Option<&'a str>,
    origin: Option<&'a str>,
}

fn read(input: &Input<'_>, distribution: Option<&Distribution>) -> Result<List, Fault> {
    let Some(distribution) = distribution else {
        return Err(
            Fault::new(None, "the database does not say whose packages these are")
                .advise("name the distribution, such as alpine or wolfi"),
        );
    };
    let mut list = List::default();
    let mut paragraph = Paragraph::default();
    for (number, line) in input.lines() {
        if line.trim().is_empty() {
            std::mem::take(&mut paragraph).finish(distribution, &mut list)?;
            continue;
        }
        let Some((field, value)) = line.split_once(':').filter(|(field, _)| field.len() == 1)
        else {
            return Err(Fault::at(
                number,
                format!("{} is not `F:value`", quoted(line)),
            ));
        };
        if paragraph.line == 0 {
            paragraph.line = number;
        }
        let place = match field {
            "P" => &mut paragraph.name,
            "V" => &mut paragraph.version,
            "A" => &mut paragraph.architecture,
            "o" => &mut paragraph.origin,
            _ => continue,
        };
        if place.replace(value.trim()).is_some() {
            return Err(Fault::at(
                number,
                format!("{field} stands twice in the paragraph"),
            ));
        }
    }
    paragraph.finish(distribution, &mut list)?;
    Ok(list)
}

impl Paragraph<'_> {
    fn finish(self, distribution: &Distribution, list: &mut List) -> Result<(), Fault> {
        if self.line == 0 {
            return Ok(());
        }
        let (Some(name), Some(version)) = (self.name, self.version) else {
            let reason = "the paragraph that begins here has no P or no V";
            return Err(Fault::at(self.line, reason));
        };
        let mut parts = origin::package("apk", name, Some(version));
        parts.namespace = Some(distribution.vendor.clone());
        let upstream = self
            .origin
            .filter(|origin| !origin.is_empty() && *origin != name);
        for (key, value) in [
            ("arch", self.architecture),
            ("distro", distribution.release.as_deref()),
            ("upstream", upstream),
        ] {
            parts
                .qualifiers
                .extend(value.map(|value| (key.to_owned(), value.to_owned())));
        }
        let component = Component {
            name: name.to_owned(),
            version: Some(version.to_owned()),
            line: Some(self.line),
            ..Component::default()
        };
        list.package(component, parts)
    }
}

#[cfg(test)]
mod tests {
    use crate::components::Format::ApkInstalled;
    use crate::components::tests::{found, lines};
    use crate::components::{Distribution, read_as, recognize};

    const TEXT: &str = "C:Q1qKcZ+j23xssAXmgQhkOO8dHnbWw=\nP:libssl3\nV:3.3.1-r0\nA:x86_64\n\
         o:openssl\n\
        F:lib\nR:libssl.so.3\n\nC:Q1x\nP:musl\nV:1.2.5-r0\no:musl\n";

    #[test]
    fn each_paragraph_is_a_package_with_its_origin() {
        assert_eq!(
            lines(&found(ApkInstalled, TEXT)),
            [
                "pkg:apk/debian/libssl3@3.3.1-r0?arch=x86_64&distro=debian-12&upstream=openssl :1",
                "pkg:apk/debian/musl@1.2.5-r0?distro=debian-12 :9",
            ]
        );
        for name in ["x", "/i/lib/apk/db/installed"] {
            assert_eq!(recognize(name, TEXT.as_bytes()), Ok(ApkInstalled), "{name}");
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let alpine = Distribution {
            vendor: "alpine".into(),
            release: None,
        };
        for (text, said) in [
            (
                TEXT.replace("V:1.2.5-r0\n", ""),
                "x:9: the paragraph that begins here",
            ),
            (
                TEXT.replace("V:1.2.5-r0", "P:again"),
                "x:11: P stands twice",
            ),
            (
                TEXT.replace("V:1.2.5-r0", "odd"),
                "x:11: \"odd\" is not `F:value`",
            ),
        ] {
            let error = read_as(ApkInstalled, "x", text.as_bytes(), Some(&alpine)).unwrap_err();
            assert!(error.to_string().starts_with(said), "{error}");
        }
        let error = read_as(ApkInstalled, "x", TEXT.as_bytes(), None).unwrap_err();
        assert!(
            error.to_string().contains("name the distribution"),
            "{error}"
        );
    }
}
