//! Where components stand in CycloneDX BOMs that others can point at.
//!
//! What is said of what one BOM lists is said of it there. A component that stands in another file,
//! too, is asked about once, for both: then it is in no BOM, and nothing that is said of one alone
//! clears it.

use super::inventory::{Identity, Listed, Listing};
use assay_claims::bom_link::BomLink;
use assay_policy::{Component, InBom};
use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A file that components are of.
pub(super) struct Source<'f> {
    pub name: Arc<str>,
    bom: Option<BomLink>,
    disputed: &'f BTreeSet<String>,
}

impl<'f> Source<'f> {
    /// The file of a listing.
    pub fn of(listing: &'f Listing) -> Self {
        Source {
            name: listing.name.as_str().into(),
            bom: listing.bom.as_deref().and_then(BomLink::parse),
            disputed: &listing.disputed_refs,
        }
    }

    /// The BOM-Links that point at what the file calls so, and at nothing else.
    pub fn links(&self, names: &[String]) -> Vec<String> {
        let Some(bom) = &self.bom else {
            return Vec::new();
        };
        let names = names.iter().filter(|name| !self.disputed.contains(*name));
        names.map(|name| bom.at(name).to_string()).collect()
    }

    /// What the logs and the policy are asked about.
    pub fn component(&self, listed: Listed) -> Component {
        let component = Component::new(listed.purl, listed.digests);
        let Some(bom) = &self.bom else {
            return component;
        };
        let names = listed.bom_refs;
        let disputed = names.iter().filter(|name| self.disputed.contains(*name));
        let disputed = disputed.cloned().collect();
        component.in_bom(InBom::new(bom, names, disputed, listed.own))
    }
}

/// A component that two files name: what both say that it is a part of.
pub(super) fn common(one: &Component, other: &Component) -> Component {
    // What is said of it as a part of one product is not said of it in another.
    let product = |of: &Component| of.product().map(Component::in_no_bom);
    if product(one) != product(other) {
        return one.alone();
    }
    if one.bom() != other.bom() || one.product() != other.product() {
        return one.in_no_bom();
    }
    one.clone()
}

/// What a name means in files that are one BOM by their number.
struct Meaning {
    of: Identity,
    files: usize,
    is_one: bool,
}

/// Adds to what is disputed the names that do not mean the same in all files that are one BOM by
/// their number and version, such as one in JSON and one in XML.
pub(super) fn dispute_across(listings: &mut [Listing]) {
    let link = |listing: &Listing| {
        let link = BomLink::parse(listing.bom.as_deref()?)?;
        Some(link.bom().to_owned())
    };
    let mut files: BTreeMap<String, usize> = BTreeMap::new();
    for bom in listings.iter().filter_map(link) {
        *files.entry(bom).or_default() += 1;
    }
    files.retain(|_, count| *count > 1);
    for (bom, count) in files {
        let is_same = |listing: &&mut Listing| link(listing).as_ref() == Some(&bom);
        let mut meanings: BTreeMap<String, Meaning> = BTreeMap::new();
        for listing in listings.iter_mut().filter(is_same) {
            for listed in &listing.listed {
                take(listed, &mut meanings);
            }
            for one in &listing.unidentified {
                take(&Listed::nameless(one), &mut meanings);
            }
        }
        meanings.retain(|_, meaning| !meaning.is_one || meaning.files != count);
        for listing in listings.iter_mut().filter(is_same) {
            listing.disputed_refs.extend(meanings.keys().cloned());
        }
    }
}

fn take(listed: &Listed, meanings: &mut BTreeMap<String, Meaning>) {
    for name in &listed.bom_refs {
        match meanings.entry(name.clone()) {
            Entry::Vacant(none) => {
                none.insert(Meaning {
                    of: Identity::of(listed),
                    files: 1,
                    is_one: true,
                });
            }
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.is_one &= known.of == Identity::of(listed);
                known.files += 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ask::Inventory;
    use assay_claims::purl::Purl;

    const BOM: &str = "urn:cdx:3e671687-395b-41f5-a30f-a58921a69b79/1";

    fn listing(name: &str, bom: Option<&str>, listed: &[(&str, &str)]) -> Listing {
        let listed = listed.iter().map(|(purl, reference)| Listed {
            purl: Some(Purl::canonicalize(purl).unwrap()),
            bom_refs: vec![(*reference).to_owned()],
            ..Listed::default()
        });
        Listing {
            name: name.into(),
            listed: listed.collect(),
            bom: bom.map(str::to_owned),
            ..Listing::default()
        }
    }

    #[test]
    fn what_stands_in_another_file_too_is_in_no_bom() {
        let a = [("pkg:npm/a@1", "a")];
        let other = BOM.replace("/1", "/2");
        for (second, is_in) in [
            (None, true),
            (Some(listing("y", Some(BOM), &a)), true),
            (Some(listing("y", None, &a)), false),
            (Some(listing("y", Some(&other), &a)), false),
            (
                Some(listing("y", Some(BOM), &[("pkg:npm/a@1", "b")])),
                false,
            ),
        ] {
            for is_first in [true, false] {
                let mut listings = vec![listing("x", Some(BOM), &a)];
                let at = usize::from(!is_first).min(listings.len());
                listings.splice(at..at, second.clone());
                let inventory = Inventory::new(listings);
                assert_eq!(inventory.parts.len(), 1);
                let bom = inventory.parts[0].component.bom();
                assert_eq!(bom.is_some(), is_in, "{second:?}");
            }
        }
    }

    #[test]
    fn a_name_that_two_files_of_one_bom_give_to_different_things_is_disputed() {
        let (a, z) = ("pkg:npm/a@1", "pkg:npm/z@1");
        let disputed = |second: Listing| {
            let mut listings = vec![listing("x", Some(BOM), &[(a, "r"), (z, "s")]), second];
            dispute_across(&mut listings);
            let all = listings.iter().map(|one| one.disputed_refs.len());
            all.collect::<Vec<_>>()
        };
        let upper = BOM.replace("3e671687", "3E671687");
        assert_eq!(
            disputed(listing("y", Some(BOM), &[(a, "r"), (z, "s")])),
            [0, 0]
        );
        assert_eq!(
            disputed(listing("y", Some(BOM), &[(z, "r"), (z, "s")])),
            [1, 1]
        );
        assert_eq!(
            disputed(listing("y", Some(&upper), &[(z, "r"), (z, "s")])),
            [1, 1]
        );
        // What only one of them has may be something else in the other.
        assert_eq!(disputed(listing("y", Some(BOM), &[(z, "s")])), [1, 1]);
        assert_eq!(disputed(listing("y", None, &[(z, "r")])), [0, 0]);
    }

    /// What has neither purl nor digest is asked about if it can be pointed at, and only there.
    #[test]
    fn what_has_no_name_elsewhere_is_asked_about_in_its_bom() {
        let asked = |bom: Option<&str>, refs: &[&str], disputed: &[&str]| {
            let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
            let mut one = listing("x", bom, &[("pkg:npm/a@1", "a")]);
            one.disputed_refs = BTreeSet::from_iter(own(disputed) as Vec<String>);
            one.unidentified = vec![super::super::Unidentified {
                line: None,
                what: "lib 1".into(),
                reason: "has neither".into(),
                bom_refs: own(refs),
            }];
            let inventory = Inventory::new(vec![one]);
            assert_eq!(inventory.files[0].unidentified.len(), 1);
            let is_asked = bom.is_some() && !refs.is_empty();
            assert_eq!(inventory.nameless.len(), usize::from(is_asked));
            let nameless = inventory.nameless.iter();
            let links = nameless.flat_map(|one| one.part.links.clone());
            (links.collect::<Vec<_>>(), inventory.names(false).len())
        };
        let link = vec![format!("{BOM}#r")];
        assert_eq!(asked(Some(BOM), &["r"], &[]), (link, 2));
        // What speaks against something counts wherever it may be meant.
        assert_eq!(asked(Some(BOM), &["r"], &["r"]), (vec![], 2));
        assert_eq!(asked(Some(BOM), &[], &[]), (vec![], 2));
        assert_eq!(asked(None, &["r"], &[]), (vec![], 1));
    }

    #[test]
    fn nothing_points_at_a_name_of_several_things() {
        let mut one = listing(
            "x",
            Some(BOM),
            &[("pkg:npm/a@1", "r"), ("pkg:npm/z@1", "s")],
        );
        one.disputed_refs.insert("r".into());
        let inventory = Inventory::new(vec![one]);
        let links = inventory.parts.iter().map(|part| part.links.clone());
        let expected = [vec![], vec![format!("{BOM}#s")]];
        assert_eq!(links.collect::<Vec<_>>(), expected);
    }
}
