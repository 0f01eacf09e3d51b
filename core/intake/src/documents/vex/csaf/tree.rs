//! The products of a CSAF document: `product_tree` (CSAF 2.0, 3.2.2).

use super::super::Named;
use super::super::product::{contradiction, contradicts};
use super::helper::{narrowed, units};
use super::module::{any_of_stream, in_module};
use super::release::of_release;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::purl::Purl;
use std::collections::{HashMap, HashSet};

/// Most steps from a product to what it is a part of.
const STEPS: usize = 8;

/// The products of a document, by their ids.
pub(super) struct Tree<'v> {
    products: HashMap<&'v str, Product>,
    relationships: HashMap<&'v str, Relationship<'v>>,
    groups: HashMap<&'v str, Vec<String>>,
    /// What people are told: purls that are none, so that what has no other has no name elsewhere;
    /// and versions that contradict each other, so that nothing is cleared by them.
    pub notes: Vec<String>,
}

/// What a product's id stands for.
struct Product {
    /// What is spoken of by what speaks against it.
    against: Vec<Named>,
    /// What is cleared by what clears it: other versions, where it cannot be told which are meant.
    cleared: Vec<Named>,
}

/// That an id is that of two products, so that nobody can tell which is meant (CSAF 2.0, 6.1.2).
fn twice(node: &Node<'_, '_>, id: &str) -> PredicateError {
    node.fault(format!(
        "defines {} a second time, so that nobody can tell which product is meant",
        quoted(id)
    ))
}

/// The first purl of what is named whose version is not that of the part that it is the package
/// of, and that version.
fn another_version<'n>(
    named: &'n [Named],
    parts: impl Iterator<Item = &'n Purl>,
) -> Option<(&'n Purl, &'n str)> {
    let mut pairs = parts.flat_map(|part| {
        let named = named.iter().flat_map(|one| &one.purls);
        named.map(move |own| (own, part))
    });
    pairs.find_map(|(own, part)| {
        let version = part.version()?;
        let is_other = own.is_same_package(part) && contradicts(own, version, false);
        is_other.then_some((own, version))
    })
}

/// What is meant by what speaks against it.
fn against(named: &Named) -> Named {
    let purls = named.purls.iter().cloned().map(any_of_stream).collect();
    Named {
        purls,
        ..named.clone()
    }
}

impl Product {
    fn named(&self, clears: bool) -> &Vec<Named> {
        if clears { &self.cleared } else { &self.against }
    }
}

/// One product as a part of another, or installed on it.
struct Relationship<'v> {
    part: &'v str,
    whole: &'v str,
    /// What both together are called.
    named: Vec<Named>,
    /// Which units of both together are meant.
    units: Vec<(&'v str, &'v str)>,
    /// What the part is in it, if that is another version than the part's own.
    other: Option<Named>,
}

impl<'v> Tree<'v> {
    pub fn read(root: &Node<'v, '_>) -> Result<Self, PredicateError> {
        let mut tree = Tree {
            products: HashMap::new(),
            relationships: HashMap::new(),
            groups: HashMap::new(),
            notes: Vec::new(),
        };
        let Some(top) = root.get("product_tree") else {
            return Ok(tree);
        };
        if let Some(names) = top.get("full_product_names") {
            for name in names.items()? {
                tree.product(&name, &Versions::default())?;
            }
        }
        tree.branches(&top, &Versions::default())?;
        if let Some(relationships) = top.get("relationships") {
            for relationship in relationships.items()? {
                tree.relationship(&relationship)?;
            }
        }
        if let Some(groups) = top.get("product_groups") {
            for group in groups.items()? {
                let members = group.need("product_ids")?;
                let members = members.items()?.map(|id| id.text().map(str::to_owned));
                let members = members.collect::<Result<Vec<_>, _>>()?;
                let id = group.need("group_id")?.text()?;
                if tree.groups.insert(id, members).is_some() {
                    return Err(twice(&group, id));
                }
            }
        }
        Ok(tree)
    }

    /// Reads branches within branches; JSON is only so deep.
    fn branches(
        &mut self,
        node: &Node<'v, '_>,
        within: &Versions<'v>,
    ) -> Result<(), PredicateError> {
        let Some(branches) = node.get("branches") else {
            return Ok(());
        };
        for branch in branches.items()? {
            let mut versions = within.clone();
            let name = branch.need("name")?.text()?;
            match branch.need("category")?.text()? {
                "product_version" => versions.version = Some(name),
                "product_version_range" => versions.range = Some(name),
                "vendor" | "product_family" | "product_name" | "legacy" => {}
                category => versions.narrow.push((category, name)),
            }
            if let Some(product) = branch.get("product") {
                self.product(&product, &versions)?;
            }
            self.branches(&branch, &versions)?;
        }
        Ok(())
    }

    fn product(
        &mut self,
        product: &Node<'v, '_>,
        within: &Versions<'v>,
    ) -> Result<(), PredicateError> {
        let named = self.named(product)?;
        let mut within = within.clone();
        within.narrow.extend(units(product)?);
        for one in &named {
            if let Some((purl, stated)) = within.contradicted(&against(one)) {
                self.notes.push(contradiction(purl, stated));
            }
        }
        let apply = |one: &Named| {
            let any = against(one);
            let cleared = if within.are_stated() { &any } else { one };
            (within.apply(&any, false), within.apply(cleared, true))
        };
        let (against, cleared) = named.iter().map(apply).unzip();
        let id = product.need("product_id")?.text()?;
        if self
            .products
            .insert(id, Product { against, cleared })
            .is_some()
        {
            return Err(twice(product, id));
        }
        Ok(())
    }

    fn relationship(&mut self, relationship: &Node<'v, '_>) -> Result<(), PredicateError> {
        let full = relationship.need("full_product_name")?;
        let (named, units) = (self.named(&full)?, units(&full)?);
        let id = full.need("product_id")?.text()?;
        let part = relationship.need("product_reference")?.text()?;
        let other = self.products.get(part).and_then(|part| {
            let parts = part.against.iter().flat_map(|one| &one.purls);
            another_version(&named, parts)
        });
        let other = other.map(|(purl, version)| {
            self.notes.push(contradiction(purl, version));
            Named {
                purls: vec![purl.clone()],
                ..Named::default()
            }
        });
        let known = self.relationships.insert(
            id,
            Relationship {
                part,
                whole: relationship.need("relates_to_product_reference")?.text()?,
                named,
                units,
                other,
            },
        );
        if known.is_some() || self.products.contains_key(id) {
            return Err(twice(&full, id));
        }
        Ok(())
    }

    /// What a product's id stands for in a statement that clears, or does not: the product, and
    /// the part of it that is meant.
    pub fn find(
        &self,
        node: &Node<'_, '_>,
        id: &str,
        clears: bool,
    ) -> Result<Vec<(Named, Option<Named>)>, PredicateError> {
        let unknown = |id: &str| {
            node.fault(format!(
                "names {}, which product_tree does not define",
                quoted(id)
            ))
        };
        let alone = |named: &[Named]| named.iter().map(|one| (one.clone(), None)).collect();
        if let Some(product) = self.products.get(id) {
            return Ok(alone(product.named(clears)));
        }
        let relationship = self.relationships.get(id).ok_or_else(|| unknown(id))?;
        let parts = self.name(relationship.part, clears, STEPS);
        let wholes = self.name(relationship.whole, clears, STEPS);
        let parts = parts.ok_or_else(|| unknown(relationship.part))?;
        let wholes = wholes.ok_or_else(|| unknown(relationship.whole))?;
        if relationship.has_own_name(&parts, &wholes) {
            return Ok(alone(&relationship.own(clears)));
        }
        let parts = relationship.disputed(parts, clears);
        let parts = relationship.of_units(parts, clears);
        let in_module = self.of_module(relationship.whole, &parts, clears);
        let (parts, wholes) = in_module.unwrap_or((parts, wholes));
        let mut all = Vec::new();
        for whole in &wholes {
            all.extend(parts.iter().map(|part| match of_release(part, whole) {
                Some(package) => (package, None),
                None => (whole.clone(), Some(part.clone())),
            }));
        }
        Ok(all)
    }

    /// Parts of a module of a release as packages of that module, and the release; `None` if the
    /// whole is no module as a part of something.
    fn of_module(
        &self,
        whole: &str,
        parts: &[Named],
        clears: bool,
    ) -> Option<(Vec<Named>, Vec<Named>)> {
        let relationship = self.relationships.get(whole)?;
        let modules = self.products.get(relationship.part)?.named(clears);
        let modules: Vec<&Purl> = modules.iter().flat_map(|one| &one.purls).collect();
        // Where several are named, what clears one of them may not clear the others.
        if modules.is_empty() || (clears && modules.len() > 1) {
            return None;
        }
        let parts = parts.iter().map(|part| {
            let each = part.purls.iter().flat_map(|purl| {
                let of_one = |module: &&Purl| in_module(purl, module);
                modules.iter().map(of_one)
            });
            let purls: Option<Vec<Purl>> = each.collect();
            purls.filter(|purls| !purls.is_empty()).map(|purls| Named {
                purls,
                ..part.clone()
            })
        });
        let parts: Option<Vec<Named>> = parts.collect();
        let releases = self.products.get(relationship.whole)?.named(clears);
        parts.map(|parts| (parts, releases.clone()))
    }

    /// A product by itself. Of a part of a part, it is that part that is meant.
    fn name(&self, id: &str, clears: bool, steps: usize) -> Option<Vec<Named>> {
        if let Some(product) = self.products.get(id) {
            return Some(product.named(clears).clone());
        }
        let relationship = self.relationships.get(id).filter(|_| steps > 0)?;
        let parts = self.name(relationship.part, clears, steps - 1)?;
        if relationship.has_own_name(&parts, &[]) {
            return Some(relationship.own(clears));
        }
        // As it is used in something else, so that it is not known to be any other use of it.
        Some(vec![Named {
            id: Some(id.to_owned()),
            name: parts.into_iter().next().and_then(|part| part.name),
            ..Named::default()
        }])
    }

    /// The products that an item of a list is about, by their ids and groups. Groups are looked at
    /// once for all items: what the first says of their members counts.
    pub fn members<'i>(
        &self,
        item: &Node<'i, '_>,
        known: &mut HashSet<&'i str>,
    ) -> Result<Vec<String>, PredicateError> {
        let mut all = Vec::new();
        if let Some(products) = item.get("product_ids") {
            for product in products.items()? {
                all.push(product.text()?.to_owned());
            }
        }
        if let Some(groups) = item.get("group_ids") {
            for group in groups.items()? {
                let group = group.text()?;
                let members = self.groups.get(group).filter(|_| known.insert(group));
                all.extend(members.into_iter().flatten().cloned());
            }
        }
        Ok(all)
    }
}

impl Relationship<'_> {
    /// What both together are called.
    fn own(&self, clears: bool) -> Vec<Named> {
        if clears {
            return self.of_units(self.named.clone(), clears);
        }
        self.named.iter().map(against).collect()
    }

    /// The same as far as what clears some units clears it.
    fn of_units(&self, named: Vec<Named>, clears: bool) -> Vec<Named> {
        if clears {
            named.iter().map(|one| narrowed(one, &self.units)).collect()
        } else {
            named
        }
    }

    /// The parts, which are of two versions if the relationship names another one.
    fn disputed(&self, parts: Vec<Named>, clears: bool) -> Vec<Named> {
        let Some(other) = &self.other else {
            return parts;
        };
        let version = other.purls.first().and_then(Purl::version);
        let version = version.unwrap_or_default();
        let both = parts.into_iter().map(|part| {
            if !clears {
                return part.and(other);
            }
            let own = part.purls.iter().find_map(Purl::version);
            part.in_range(&format!("{} {version}", own.unwrap_or_default()))
        });
        both.collect()
    }

    /// Whether what the two are together has a name of its own. One that only repeats the name of
    /// either says no more of it than that it is in the other.
    fn has_own_name(&self, parts: &[Named], wholes: &[Named]) -> bool {
        let mut named = self.named.iter();
        let mut either = parts.iter().chain(wholes);
        named.all(Named::is_identified)
            && !either.any(|one| self.named.iter().any(|own| own.is_of_package(one)))
    }
}

/// The versions that branches name, and which of their builds.
#[derive(Clone, Default)]
struct Versions<'v> {
    version: Option<&'v str>,
    range: Option<&'v str>,
    /// What makes it less than a version, such as an architecture or a patch level: category and
    /// name of each.
    narrow: Vec<(&'v str, &'v str)>,
}

impl<'v> Versions<'v> {
    /// Whether branches name any: then a purl does not have to.
    fn are_stated(&self) -> bool {
        self.version.is_some() || self.range.is_some()
    }

    /// What is named in these versions, as it is built. What clears one build clears no other.
    fn apply(&self, named: &Named, clears: bool) -> Named {
        let named = self.in_versions(named, clears);
        if clears {
            narrowed(&named, &self.narrow)
        } else {
            named
        }
    }

    /// The first purl whose version is not what branches state, and what they do.
    fn contradicted<'n>(&self, named: &'n Named) -> Option<(&'n Purl, &'v str)> {
        let stated = [(self.range, true), (self.version, false)];
        named.purls.iter().find_map(|purl| {
            let mut stated = stated.into_iter();
            stated.find_map(|(stated, is_range)| {
                let stated = stated?;
                contradicts(purl, stated, is_range).then_some((purl, stated))
            })
        })
    }

    /// A purl with a version says itself which it is. Where that is not what branches state, both
    /// are meant by what speaks against it, and neither by what clears it.
    fn in_versions(&self, named: &Named, clears: bool) -> Named {
        if named.purls.is_empty() {
            return named.clone();
        }
        let stated = match (self.range, self.version) {
            (Some(range), _) => named.in_stated_range(range),
            (None, Some(version)) => named.in_stated_version(version, clears),
            (None, None) => return named.clone(),
        };
        let contradicted = self.contradicted(named);
        let all_say = named.purls.iter().all(|purl| purl.version().is_some());
        match contradicted {
            Some((purl, other)) if clears => {
                let version = purl.version().unwrap_or_default();
                named.in_range(&format!("{version} {other}"))
            }
            Some(_) => named.clone().and(&stated),
            None if !all_say => stated,
            None if clears || self.range.is_none() => named.clone(),
            None => named.clone().and(&stated),
        }
    }
}
