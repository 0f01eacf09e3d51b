//! SPDX 2.1 to 2.3 in tag-value: `PackageName` begins a package, and `FileName` or `SnippetSPDXID`
//! ends it.

use super::component::Component;
use super::digest;
use super::elsewhere;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::reader::{Reader, Sign};
use super::sbom::{self, Element, stated};
use crate::tag_value::{Tag, TagError, is_tag_value, tags as read_tags};
use assay_claims::kind::node::quoted;

pub(super) const READER: Reader = Reader {
    name: "SPDX tag-value",
    is_sbom: true,
    remedy: "nothing of the document is taken; have the tool that wrote it write it again",
    files: &[],
    path: Some(|_, name| name.ends_with(".spdx")),
    sign: Sign::Text(|head| is_tag_value(head.text().as_bytes())),
    read: |input, _| read(input),
};

/// A package as far as it was read.
struct Package<'a> {
    id: Option<&'a str>,
    element: Element<'a>,
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let all = read_tags(input.text());
    if let Some(Err(TagError { line, reason })) = all.clone().find(Result::is_err) {
        return Err(Fault::new(u32::try_from(line).ok(), reason));
    }
    let tags = all.filter_map(Result::ok);
    check_version(tags.clone())?;
    let own = described(tags.clone());
    let mut list = List::default();
    let mut files = 0;
    let mut open: Option<Package<'_>> = None;
    for tag in tags.clone() {
        match tag.name {
            "PackageName" => {
                finish(open.take(), own, &mut list)?;
                let component = Component {
                    line: line(&tag),
                    ..sbom::component(tag.value, None)
                };
                open = Some(Package {
                    id: None,
                    element: Element {
                        component,
                        purls: Vec::new(),
                        upstream: None,
                    },
                });
            }
            "FileName" => {
                files += 1;
                finish(open.take(), own, &mut list)?;
            }
            "SnippetSPDXID" => finish(open.take(), own, &mut list)?,
            _ => {
                if let Some(package) = &mut open {
                    package.read(&tag)?;
                }
            }
        }
    }
    finish(open, own, &mut list)?;
    let values = |name: &'static str| tags.clone().filter(move |tag| tag.name == name);
    let declared = values("ExternalDocumentRef");
    let declared = declared.filter_map(|tag| tag.value.split_whitespace().next());
    let related = values("Relationship").filter_map(|tag| {
        let mut words = tag.value.split_whitespace();
        Some((words.next()?, words.next()?, words.next()?))
    });
    elsewhere::of_spdx(&declared.collect(), related, &mut list)?;
    sbom::note_files(files, &mut list);
    Ok(list)
}

fn line(tag: &Tag<'_>) -> Option<u32> {
    u32::try_from(tag.line).ok()
}

fn check_version<'a>(mut tags: impl Iterator<Item = Tag<'a>>) -> Result<(), Fault> {
    let Some(version) = tags.find(|tag| tag.name == "SPDXVersion") else {
        return Err(Fault::new(None, "the file has no tag SPDXVersion"));
    };
    if ["SPDX-2.1", "SPDX-2.2", "SPDX-2.3"].contains(&version.value) {
        return Ok(());
    }
    let reason = format!(
        "SPDXVersion is {}, and has to be SPDX-2.1, SPDX-2.2 or SPDX-2.3",
        quoted(version.value)
    );
    Err(Fault::new(line(&version), reason))
}

/// The one element that the document is about.
fn described<'a>(tags: impl Iterator<Item = Tag<'a>>) -> Option<&'a str> {
    sbom::only(
        tags.filter(|tag| tag.name == "Relationship")
            .filter_map(|tag| {
                let mut words = tag.value.split_whitespace();
                let describes =
                    words.next() == Some("SPDXRef-DOCUMENT") && words.next() == Some("DESCRIBES");
                words.next().filter(|_| describes)
            }),
    )
}

impl<'a> Package<'a> {
    fn read(&mut self, tag: &Tag<'a>) -> Result<(), Fault> {
        let component = &mut self.element.component;
        match tag.name {
            "SPDXID" => self.id = Some(tag.value),
            "PackageVersion" => {
                component.version = Some(tag.value).filter(stated).map(str::to_owned)
            }
            "PackageChecksum" => {
                let (algorithm, value) = tag.value.split_once(':').unwrap_or((tag.value, ""));
                let digest = digest::hex(algorithm.trim(), value.trim());
                component.digests.extend(digest.map_err(|reason| {
                    Fault::new(line(tag), format!("{} {reason}", quoted(tag.value)))
                })?);
            }
            "PackageSourceInfo" => {
                let value = tag.value.strip_prefix("<text>").unwrap_or(tag.value);
                let value = value.strip_suffix("</text>").unwrap_or(value);
                self.element.upstream = sbom::upstream_of_info(value);
            }
            "ExternalRef" => {
                let words: Vec<_> = tag.value.split_whitespace().collect();
                if let [_category, kind, locator] = words[..] {
                    let purls = &mut self.element.purls;
                    purls.extend(sbom::of_reference(kind, locator));
                }
            }
            _ => {}
        }
        Ok(())
    }
}

fn finish(package: Option<Package<'_>>, own: Option<&str>, list: &mut List) -> Result<(), Fault> {
    let Some(Package { id, mut element }) = package else {
        return Ok(());
    };
    element.component.own = own.is_some() && own == id;
    element.add(list)
}

#[cfg(test)]
mod tests {
    use crate::components::Format::SpdxTagValue;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    const DOCUMENT: &str = "SPDXVersion: SPDX-2.3\nSPDXID: SPDXRef-DOCUMENT\nPackageName: \
        a\nSPDXID: SPDXRef-a\nPackageVersion: 1.0\nExternalRef: PACKAGE-MANAGER purl \
        pkg:cargo/a\nFileName: ./f\nSPDXID: SPDXRef-f\nFileChecksum: SHA1: 12\nPackageName: \
        b\nSPDXID: SPDXRef-b\nPackageVersion: NOASSERTION\nPackageChecksum: SHA1: \
        da39a3ee5e6b4b0d3255bfef95601890afd80709\nPackageName: c\nSPDXID: \
        SPDXRef-c\nRelationship: SPDXRef-DOCUMENT DESCRIBES SPDXRef-a\n";

    #[test]
    fn packages_are_components_with_the_line_of_their_name() {
        let found = found(SpdxTagValue, DOCUMENT);
        assert_eq!(lines(&found), ["pkg:cargo/a@1.0 own :3", "(b) sha1 :10"]);
        assert_eq!(
            unidentified(&found),
            [":14 c has neither a package URL nor a digest"]
        );
        assert!(notes(&found).contains("files of its packages"));
    }

    #[test]
    fn a_package_says_what_it_was_built_of() {
        let text = "SPDXVersion: SPDX-2.3\nPackageName: libssl3\nPackageVersion: \
            3.0.11-1\nPackageSourceInfo: <text>built package from: openssl \
            3.0.11-1</text>\nExternalRef: PACKAGE-MANAGER purl \
            pkg:deb/debian/libssl3@3.0.11-1\n";
        assert_eq!(
            lines(&found(SpdxTagValue, text)),
            ["pkg:deb/debian/libssl3@3.0.11-1?upstream=openssl%403.0.11-1 :2"]
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (from, to, said) in [
            ("SPDX-2.3", "SPDX-1.2", "x:1: SPDXVersion is \"SPDX-1.2\""),
            (
                "SPDXVersion: SPDX-2.3\n",
                "",
                "x: the file has no tag SPDXVersion",
            ),
            (
                "PackageName: b",
                "PackageName b",
                "x:10: \"PackageName b\" is neither",
            ),
            (
                "da39a3ee",
                "",
                "x:13: \"SHA1: 5e6b4b0d3255bfef95601890afd80709\" is no SHA1 in hex",
            ),
            (
                "PackageName: c",
                "PackageComment: <text>c",
                "x:14: <text> is never closed",
            ),
        ] {
            let error = refusal(SpdxTagValue, &DOCUMENT.replacen(from, to, 1));
            assert!(error.starts_with(said), "{error}");
        }
    }
}
