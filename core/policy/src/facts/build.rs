//! What packages are built for, and of: whether a build that is spoken of is ours.

use super::artifact::CHECKSUM;
use assay_claims::purl::{Purl, is_place, names_module};
use assay_claims::vers;

/// Whether all that `theirs` says of its build is so of ours: epoch, architecture, distribution and
/// whatever other qualifiers there are, and the subpath. What it does not say is not asked, except
/// for the epoch, which is a part of the version.
pub(super) fn is_same_build(ours: &Purl, theirs: &Purl) -> bool {
    let of_sources = theirs.is_of_sources();
    let same_epoch = theirs.version().is_none() || ours.epoch() == theirs.epoch();
    let same_part = theirs.subpath().is_none() || theirs.subpath() == ours.subpath();
    // Places were compared before, and digests are compared as such.
    let mut stated = theirs.qualifiers().filter(|(key, _)| !is_place(key));
    same_epoch
        && same_part
        && stated.all(|(key, stated)| {
            [EPOCH, CHECKSUM, UPSTREAM, vers::QUALIFIER].contains(&key)
                || ours.qualifier(key) == Some(stated)
                || ours.is_of_system(key, stated)
                || names_module(key) && is_same_module(ours, theirs, stated)
                || key == ARCH && of_sources && ours.qualifier(ARCH).is_none()
                || ours.qualifier(key).is_none() && is_usual(theirs.ty(), key, stated)
        })
}

/// Whether ours is of the module that is stated of a package: it says so, or both are one build,
/// which is in no other module.
fn is_same_module(ours: &Purl, theirs: &Purl, stated: &str) -> bool {
    ours.is_of_module(stated) || ours.module().is_none() && theirs.is_built_in_module()
}

/// Whether packages of a type are so unless they say something else (purl-spec, the types'
/// definitions; `module` is what cyclonedx-gomod writes of every Go module).
fn is_usual(ty: &str, key: &str, value: &str) -> bool {
    const USUAL: [(&str, &str, &str); 3] = [
        ("gem", "platform", "ruby"),
        ("golang", "type", "module"),
        ("maven", "type", "jar"),
    ];
    USUAL.contains(&(ty, key, value))
}

/// The qualifier that is a part of a version.
const EPOCH: &str = "epoch";

/// The qualifier for what a package is built for.
pub(super) const ARCH: &str = "arch";

/// The qualifier for the sources that a package is built of, which tell no two builds apart.
const UPSTREAM: &str = "upstream";
