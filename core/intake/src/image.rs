//! Images of containers, as scanners name them.

use assay_claims::kind::descriptor::digest;
use assay_claims::purl::{Components, Purl};

/// The purl of an image, by where it is to be had and its digest (purl-spec, "oci"). `None` if the
/// digest is none.
pub(crate) fn image(place: &str, digest: &str, arch: Option<&str>) -> Option<Purl> {
    let place = place.split('@').next()?;
    let (folder, tagged) = place.rsplit_once('/').unwrap_or(("", place));
    let name = tagged.split(':').next()?;
    let mut parts = Components {
        ty: "oci".to_owned(),
        name: name.to_owned(),
        version: Some(digest.to_owned()),
        ..Components::default()
    };
    // Without a host it is of a registry that is not said.
    let host = folder.split('/').next()?;
    if host.contains(['.', ':']) || host == "localhost" {
        let place = format!("{folder}/{name}");
        parts.qualifiers.push(("repository_url".to_owned(), place));
    }
    let arch = arch.filter(|arch| !arch.is_empty());
    parts
        .qualifiers
        .extend(arch.map(|arch| ("arch".to_owned(), arch.to_owned())));
    Purl::build(parts)
        .ok()
        .filter(|purl| image_digest(purl).is_some())
}

/// The digest in the version of a `pkg:oci` or `pkg:docker` URL: there the version *is* the digest
/// of the image, unless it is a tag.
pub(crate) fn image_digest(purl: &Purl) -> Option<(String, String)> {
    let hex = purl
        .version()?
        .strip_prefix("sha256:")
        .filter(|_| ["docker", "oci"].contains(&purl.ty()))?;
    digest("sha256", hex)
}
