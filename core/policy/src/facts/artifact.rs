//! Whether digests are those of the artifact that is asked about.

use crate::component::{Component, InBom};
use assay_claims::kind::descriptor::any_digest;
use assay_claims::purl::Purl;
use std::collections::{BTreeMap, BTreeSet};

/// Whether digests are of the component's artifact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Artifact {
    Same,
    Other,
    /// They are of an artifact, and which it is cannot be compared.
    Untold,
    /// There are none.
    Unnamed,
}

/// Algorithms, the strongest first. Any other comes after these, and before the last ones.
const STRONG: [&str; 8] = [
    "sha512",
    "sha3_512",
    "sha384",
    "sha3_384",
    "sha256",
    "sha3_256",
    "sha512_256",
    "gitCommit",
];

/// Algorithms for which anybody can make two artifacts of the same digest.
const FORGEABLE: [&str; 3] = ["sha1", "ripemd160", "md5"];

/// The digest of a package, which is of no artifact (docs/design.md 3.3).
const PACKAGE: &str = "purl";

/// The qualifier that digests of the artifact are written in (purl-spec, "Known qualifiers").
pub(super) const CHECKSUM: &str = "checksum";

/// The digests that a purl states of its artifact. What is none is the digest of nothing.
pub(super) fn checksums(purl: &Purl) -> Vec<(String, String)> {
    let stated = purl.qualifier(CHECKSUM).into_iter();
    let each = stated.flat_map(|list| list.split(','));
    let pairs = each.map(|one| one.trim().split_once(':').unwrap_or((CHECKSUM, one)));
    pairs
        .map(|(algorithm, value)| any_digest(algorithm, value))
        .collect()
}

/// The strongest algorithm that both sides have decides. One that can be forged can tell artifacts
/// apart, and cannot say that they are the same; nor can two digests of one algorithm, of which one
/// is another artifact's.
pub(super) fn artifact<'d>(
    theirs: impl Iterator<Item = &'d (String, String)>,
    component: &Component,
) -> Artifact {
    let theirs = theirs.filter(|(algorithm, _)| algorithm != PACKAGE);
    let mut theirs: Vec<&(String, String)> = theirs.collect();
    if theirs.is_empty() {
        return Artifact::Unnamed;
    }
    theirs.sort_by_key(|(algorithm, _)| strength(algorithm));
    let stated = component.purl().map(checksums).unwrap_or_default();
    for (algorithm, _) in &theirs {
        // What the purl states of an artifact that is known counts no more than that.
        let mut ours = of_algorithm(component.digests(), algorithm);
        if ours.is_empty() {
            ours = of_algorithm(&stated, algorithm);
        }
        if ours.is_empty() {
            continue;
        }
        let same = theirs.iter().filter(|(name, _)| name == algorithm);
        let equal: Vec<bool> = same
            .map(|(_, value)| ours.contains(&value.as_str()))
            .collect();
        return match (equal.contains(&true), equal.contains(&false)) {
            (true, false) if !FORGEABLE.contains(&algorithm.as_str()) => Artifact::Same,
            (true, _) => Artifact::Untold,
            (false, _) => Artifact::Other,
        };
    }
    Artifact::Untold
}

/// A component as each of the artifacts that it may be, of which there are several if it has
/// several digests of one algorithm (the wheels of a package), at each place where its BOM lists
/// it, and as a part of each artifact that its product may be; none if it is one artifact, or no
/// digest of it is known, and at one place.
pub(crate) fn artifacts(component: &Component) -> Vec<Component> {
    let own = alternatives(component);
    let of_product = component.product().map(alternatives).unwrap_or_default();
    let places = component.bom().map_or(0, InBom::places);
    if own.len() < 2 && of_product.len() < 2 && places < 2 {
        return Vec::new();
    }
    let products = match component.product() {
        Some(product) => each(product, of_product).into_iter().map(Some).collect(),
        None => vec![None],
    };
    let mut all = Vec::new();
    for one in each(component, own).iter().flat_map(at_each_place) {
        all.extend(products.iter().map(|product| match product {
            Some(product) => one.clone().in_product(product.clone()),
            None => one.clone(),
        }));
    }
    all
}

/// A component as each of these artifacts; as it is, if they are no several.
fn each(component: &Component, digests: Vec<(String, String)>) -> Vec<Component> {
    if digests.len() < 2 {
        return vec![component.clone()];
    }
    let digests = digests.into_iter();
    let each = digests.map(|digest| component.of_artifact(digest));
    each.collect()
}

/// A component at each place where its BOM lists it; as it is, if there are no several.
fn at_each_place(component: &Component) -> Vec<Component> {
    match component.bom() {
        Some(bom) if bom.places() > 1 => {
            let places = bom.at_each_place();
            places.map(|one| component.clone().in_bom(one)).collect()
        }
        _ => vec![component.clone()],
    }
}

/// The digests of the algorithm of which a component has most; what its purl states counts if no
/// others are known.
fn alternatives(component: &Component) -> Vec<(String, String)> {
    let stated = component.purl().map(checksums).unwrap_or_default();
    let digests: &[(String, String)] = match component.digests() {
        [] => &stated,
        known => known,
    };
    let mut known: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (algorithm, value) in digests.iter().filter(|(name, _)| name != PACKAGE) {
        known.entry(algorithm).or_default().insert(value);
    }
    let most = known.into_iter().max_by_key(|(_, values)| values.len());
    let (algorithm, values) = most.unwrap_or_default();
    let values = values.into_iter();
    let pairs = values.map(|value| (algorithm.to_owned(), value.to_owned()));
    pairs.collect()
}

/// The values of the digests of an algorithm.
fn of_algorithm<'d>(digests: &'d [(String, String)], algorithm: &str) -> Vec<&'d str> {
    let same = digests.iter().filter(|(name, _)| name == algorithm);
    same.map(|(_, value)| value.as_str()).collect()
}

/// The place of an algorithm, the strongest first.
fn strength(algorithm: &str) -> usize {
    let strong = STRONG.iter().position(|name| *name == algorithm);
    if let Some(place) = strong {
        return place;
    }
    let weak = FORGEABLE.iter().position(|name| *name == algorithm);
    STRONG.len() + weak.map_or(0, |place| 1 + place)
}
