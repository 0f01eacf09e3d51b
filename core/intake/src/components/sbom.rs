//! What the formats of SBOMs have in common: an element with a name, perhaps a version, purls and
//! digests.

use super::component::Component;
use super::digest::{self, Digests};
use super::fault::Fault;
use super::input::Node;
use super::list::List;
use super::named::{remark_other, too_many};
use super::origin;
use super::pinned::unpinned;
use crate::documents::{contradicts, has_vex};
use crate::image::{image, image_digest};
use assay_claims::bom_link::{BomLink, SCHEME};
use assay_claims::json::Part;
use assay_claims::kind::node::quoted;
use assay_claims::purl::Purl;
use std::borrow::Cow;

/// An element as the document describes it. Without line, digests, flags: those the component has
/// already.
pub(super) struct Element<'a> {
    pub(super) component: Component,
    /// Every purl that the document gives it.
    pub(super) purls: Vec<Cow<'a, str>>,
    /// The source package that it says it was built of, as the qualifier `upstream` has it.
    pub(super) upstream: Option<String>,
}

impl Element<'_> {
    /// Adds the element once for each package that its purls name, whatever their qualifiers: those
    /// often are the many places where one package is to be had. Without purl it has to be known by
    /// its digests.
    pub(super) fn add(self, list: &mut List) -> Result<(), Fault> {
        let (component, purls, upstream) = (self.component, self.purls, self.upstream);
        if let Some(reason) = too_many(&component, purls.len()) {
            return list.unidentified(component.line, &component.name, reason);
        }
        let (mut named, reason) = packages(&component, &purls);
        if component.own
            && named.is_empty()
            && let Some(digest) = component.version.as_deref()
        {
            // Syft has no purl for the image that a document is about.
            named.extend(image(&component.name, digest, None));
        }
        if named.is_empty() {
            return list.without_purl(component, &reason);
        }
        remark_other(&component, &named, upstream.as_deref(), list);
        let stated = component.version.clone();
        for purl in named {
            let version = purl.version().map(str::to_owned);
            if stated
                .as_deref()
                .is_some_and(|stated| contradicts(&purl, stated, false))
            {
                list.remark(CONTRADICTED, None, purl.as_str());
            }
            let mut component = Component {
                version,
                ..component.clone()
            };
            if let Some(image) =
                image_digest(&purl).filter(|digest| !component.digests.contains(digest))
            {
                component.digests.push(image);
            }
            component.purl = Some(match &upstream {
                Some(upstream) => built_of(purl, upstream),
                None => purl,
            });
            list.add(component)?;
        }
        Ok(())
    }
}

/// The packages that purls name, each once; and why the last that names none does not.
fn packages(component: &Component, purls: &[Cow<'_, str>]) -> (Vec<Purl>, String) {
    let mut named: Vec<Purl> = Vec::new();
    let mut reason = "has neither a package URL nor a digest".to_owned();
    for text in purls {
        let read = canonical(text, component.version.as_deref());
        match read.and_then(|purl| pinned(purl, component.own)) {
            Ok(purl) => {
                let mut known = named.iter().map(Purl::without_qualifiers);
                if known.all(|known| known != purl.without_qualifiers()) {
                    named.push(purl);
                }
            }
            Err(why) => reason = format!("{} {why}", quoted(text)),
        }
    }
    (named, reason)
}

/// The purl with the source package that stands beside it, unless it has one, or is one itself.
fn built_of(purl: Purl, upstream: &str) -> Purl {
    let mut parts = purl.components();
    let has = parts.qualifiers.iter().any(|(key, _)| key == UPSTREAM);
    let (name, version) = upstream
        .rsplit_once('@')
        .map_or((upstream, None), |(name, version)| (name, Some(version)));
    let is_same =
        name == parts.name && version.is_none_or(|version| purl.version() == Some(version));
    if has || is_same || purl.source().is_none() {
        return purl;
    }
    parts
        .qualifiers
        .push((UPSTREAM.to_owned(), upstream.to_owned()));
    Purl::build(parts).unwrap_or(purl)
}

/// What is remarked on an element whose version is another one than that of its purl.
const CONTRADICTED: &str = "the document states another version beside these package URLs, which \
                            alone are looked up";

/// The qualifier for the sources that a package is built of.
const UPSTREAM: &str = "upstream";

/// What Trivy puts before the names of its properties in CycloneDX.
pub(super) const TRIVY: &str = "aquasecurity:trivy:";

/// The class that Trivy gives a lock file (aquasecurity/trivy, `pkg/sbom/io/encode.go`).
pub(super) const LOCK_FILE: &str = "lang-pkgs";

/// The qualifier `upstream` of what Trivy says of a source package, given how it says the parts.
pub(super) fn upstream<'v>(stated: impl Fn(&str) -> Option<&'v str>) -> Option<String> {
    let source = stated("SrcName").filter(|name| !name.is_empty())?;
    let part = |key: &str| stated(key).filter(|text| !text.is_empty() && *text != "0");
    let release = stated("SrcRelease").filter(|release| !release.is_empty());
    let release = release
        .map(|release| format!("-{release}"))
        .unwrap_or_default();
    let epoch = part("SrcEpoch")
        .map(|epoch| format!("{epoch}:"))
        .unwrap_or_default();
    Some(
        match stated("SrcVersion").filter(|version| !version.is_empty()) {
            Some(version) => format!("{source}@{epoch}{version}{release}"),
            None => source.to_owned(),
        },
    )
}

/// The qualifier `upstream` of what Trivy writes for the origin of a package in SPDX.
pub(super) fn upstream_of_info(info: &str) -> Option<String> {
    let mut words = info
        .trim()
        .strip_prefix("built package from:")?
        .split_whitespace();
    let upstream = match (words.next()?, words.next()) {
        (source, Some(version)) => format!("{source}@{version}"),
        (source, None) => source.to_owned(),
    };
    words.next().is_none().then_some(upstream)
}

/// The purl, with the version that the document states beside it if it has none itself.
fn canonical(text: &str, version: Option<&str>) -> Result<Purl, String> {
    let purl = Purl::canonicalize(text.trim()).map_err(|e| format!("is no package URL: {e}"))?;
    let version = version.map(str::trim);
    // The version of an image is its digest, and what documents state beside it is a tag.
    let fits = !["oci", "docker"].contains(&purl.ty());
    match (purl.version(), version.filter(|_| fits)) {
        (Some(_), _) => Ok(purl),
        (None, Some(version)) => {
            let parts = assay_claims::purl::Components {
                version: Some(version.to_owned()),
                ..purl.components()
            };
            Purl::build(parts).map_err(|e| format!("is no package URL with its version: {e}"))
        }
        (None, None) => Err("names a package without version".into()),
    }
}

/// The purl, if it names a version that does not move. What a document is about may be a branch.
fn pinned(purl: Purl, own: bool) -> Result<Purl, String> {
    let purl = match purl.version().map(|version| (version, version.trim())) {
        Some((whole, trimmed)) if whole != trimmed => Purl::build(assay_claims::purl::Components {
            version: Some(trimmed.to_owned()),
            ..purl.components()
        })
        .map_err(|e| format!("is no package URL: {e}"))?,
        _ => purl,
    };
    match purl.version().and_then(unpinned).filter(|_| !own) {
        None => Ok(purl),
        Some(reason) => Err(reason.to_owned()),
    }
}

/// The package URL that an external reference of SPDX 2 is, or what it says of a package in the way
/// of its package manager (SPDX 2.3, F.3).
pub(super) fn of_reference<'a>(kind: &str, locator: &'a str) -> Option<Cow<'a, str>> {
    let kind = kind.rsplit('/').next()?.to_ascii_lowercase();
    let parts = match kind.as_str() {
        // Not all tools take the word that SPDX has.
        "purl" | "package-url" | "packageurl" => return Some(locator.into()),
        "npm" => {
            let (name, version) = locator
                .rsplit_once('@')
                .filter(|(name, _)| !name.is_empty())?;
            origin::spaced("npm", name, Some(version))
        }
        "nuget" => {
            let (name, version) = locator.split_once('/')?;
            origin::package("nuget", name, Some(version))
        }
        "maven-central" => {
            let (coordinates, version) = locator.rsplit_once(':')?;
            origin::maven(coordinates, version)?
        }
        _ => return None,
    };
    let purl = Purl::build(parts).ok()?;
    Some(purl.to_string().into())
}

/// What is remarked on a component that somebody changed: what is said of it as it was published is
/// not said of the change.
pub(super) const CHANGED: &str = "changed from what others publish, whose name is looked up";

/// What is remarked on a component that was made of others.
pub(super) const DERIVED: &str = "derived from other packages, which are not looked up";

/// Where a scanner says that an image is to be had, each with the digest there: `PLACE@DIGEST`.
pub(super) fn repo_digests(stated: Option<Part<'_>>) -> impl Iterator<Item = (&str, &str)> {
    let stated = stated.and_then(Part::as_array).into_iter().flatten();
    let texts = stated.filter_map(Part::as_str);
    texts.filter_map(|one| one.split_once('@'))
}

/// Adds the image that a document is about, given where it is to be had with which digest: the
/// first of them names it, and all are its digests. Without a digest nothing is added.
pub(super) fn add_image<'a>(
    places: impl IntoIterator<Item = (&'a str, &'a str)>,
    arch: Option<&str>,
    list: &mut List,
) -> Result<(), Fault> {
    let purls = places
        .into_iter()
        .filter_map(|(place, digest)| image(place, digest, arch));
    let purls: Vec<Purl> = purls.collect();
    let Some(first) = purls.first() else {
        return Ok(());
    };
    let mut digests = Digests::new();
    for digest in purls.iter().filter_map(image_digest) {
        if !digests.contains(&digest) {
            digests.push(digest);
        }
    }
    list.add(Component {
        purl: Some(first.clone()),
        digests,
        own: true,
        ..component(first.name(), first.version())
    })
}

/// The digests in a list of objects that hold an algorithm and a value under the given keys. One
/// that is none of its algorithm is left out with a note: the element may still be known by the
/// others.
pub(super) fn digests(
    holder: &Node<'_, '_>,
    key: &str,
    (algorithm, value): (&str, &str),
    list: &mut List,
) -> Result<Digests, Fault> {
    let Some(stated) = holder.get(key) else {
        return Ok(Vec::new());
    };
    let mut digests = Vec::new();
    for item in stated.items()? {
        // SPDX 3 may refer to them by id.
        let (Some(algorithm), Some(value)) = (item.shown(algorithm), item.shown(value)) else {
            continue;
        };
        match digest::hex(algorithm, value) {
            Ok(Some(digest)) if !digests.contains(&digest) => digests.push(digest),
            Ok(_) => {}
            Err(reason) => list.note(
                None,
                &format!(
                    "{}: {} {reason}, and was left out",
                    item.path(),
                    quoted(value)
                ),
            ),
        }
    }
    Ok(digests)
}

/// Whether a text says something: SPDX has two words for "nothing".
pub(super) fn stated(text: &&str) -> bool {
    !text.is_empty() && !["NOASSERTION", "NONE"].contains(text)
}

/// Marks what a document is about as the project's own. It has to be one element: a document that
/// says that it is about everything in it would otherwise leave nothing to be looked up.
pub(super) fn only<'a>(described: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let mut described = described.into_iter();
    let first = described.next()?;
    described.all(|other| other == first).then_some(first)
}

/// A component of name and version.
pub(super) fn component(name: &str, version: Option<&str>) -> Component {
    Component {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        ..Component::default()
    }
}

/// How others point at a BOM with this serial number, in this version.
pub(super) fn bom_link(serial: &str, version: u64) -> Option<String> {
    BomLink::to_bom(serial, version)?;
    let number = serial.strip_prefix("urn:uuid:")?;
    Some(format!("{SCHEME}{number}/{version}"))
}

/// The version of a BOM that does not say which (CycloneDX, `version`).
pub(super) const FIRST: u64 = 1;

/// Says that what a document says of vulnerabilities is not weighed: it is nobody's word before
/// somebody signed it.
pub(super) fn note_vex(document: Part<'_>, list: &mut List) {
    if has_vex(document) {
        let text = "what it says of vulnerabilities (VEX) is not weighed here; its issuer can \
                    publish it: assay publish vex FILE";
        list.note(None, text);
    }
}

/// Notes how many services a document lists.
pub(super) fn note_services(count: usize, list: &mut List) {
    let text = format!("services, which are no software to look up: {count}");
    list.note(None, &text);
}

/// Notes how many components a document lists only because something was made with them.
pub(super) fn note_formulation(count: usize, list: &mut List) {
    if count > 0 {
        let text = format!("what it was made with (formulation), which is not looked up: {count}");
        list.note(None, &text);
    }
}

/// Notes how many files a document lists: they are parts of its packages, and not looked up one by
/// one.
pub(super) fn note_files(count: usize, list: &mut List) {
    if count > 0 {
        list.note(
            None,
            &format!("files of its packages, which are not looked up one by one: {count}"),
        );
    }
}

/// Leaves out a component that is a file, and no package of its own. It is noted with the others.
pub(super) fn file(component: Component, list: &mut List) {
    let remark = "files of its packages, which are not looked up one by one";
    list.remark(remark, None, &component.name);
    list.unlisted(component.bom_refs);
}

#[cfg(test)]
mod tests;
