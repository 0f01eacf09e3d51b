//! The products of a CSAF document: `product_tree` (CSAF 2.0, 3.2.2).

use super::super::super::subjects::digests;
use super::super::Named;
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::purl::Purl;
use std::collections::HashMap;

/// Most steps from a product to what it is a part of.
const STEPS: usize = 8;

/// The products of a document, by their ids.
pub(super) struct Tree<'v> {
    products: HashMap<&'v str, Named>,
    relationships: HashMap<&'v str, Relationship<'v>>,
    groups: HashMap<&'v str, Vec<String>>,
    /// Purls that are none. What has no other has no name elsewhere.
    pub unread: Vec<String>,
}

/// One product as a part of another, or installed on it.
struct Relationship<'v> {
    part: &'v str,
    whole: &'v str,
    /// What both together are called.
    named: Named,
}

impl<'v> Tree<'v> {
    pub fn read(root: &Node<'v, '_>) -> Result<Self, PredicateError> {
        let mut tree = Tree {
            products: HashMap::new(),
            relationships: HashMap::new(),
            groups: HashMap::new(),
            unread: Vec::new(),
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
                tree.groups.insert(group.need("group_id")?.text()?, members);
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
            let mut versions = *within;
            let name = branch.need("name")?.text()?;
            match branch.need("category")?.text()? {
                "product_version" => versions.version = Some(name),
                "product_version_range" => versions.range = Some(name),
                _ => {}
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
        let named = within.apply(self.named(product)?);
        self.products
            .insert(product.need("product_id")?.text()?, named);
        Ok(())
    }

    fn relationship(&mut self, relationship: &Node<'v, '_>) -> Result<(), PredicateError> {
        let full = relationship.need("full_product_name")?;
        let named = self.named(&full)?;
        self.relationships.insert(
            full.need("product_id")?.text()?,
            Relationship {
                part: relationship.need("product_reference")?.text()?,
                whole: relationship.need("relates_to_product_reference")?.text()?,
                named,
            },
        );
        Ok(())
    }

    /// What a product's id stands for: the product, and the part of it that is meant.
    pub fn find(
        &self,
        node: &Node<'_, '_>,
        id: &str,
    ) -> Result<Vec<(Named, Option<Named>)>, PredicateError> {
        let unknown = |id: &str| {
            node.fault(format!(
                "names {}, which product_tree does not define",
                quoted(id)
            ))
        };
        if let Some(named) = self.products.get(id) {
            return Ok(vec![(named.clone(), None)]);
        }
        let relationship = self.relationships.get(id).ok_or_else(|| unknown(id))?;
        // What the two are together may have a name of its own.
        if relationship.named.is_identified() {
            return Ok(vec![(relationship.named.clone(), None)]);
        }
        let part = self.name(relationship.part, STEPS);
        let whole = self.name(relationship.whole, STEPS);
        let part = part.ok_or_else(|| unknown(relationship.part))?;
        let whole = whole.ok_or_else(|| unknown(relationship.whole))?;
        Ok(vec![(whole, Some(part))])
    }

    /// A product by itself. Of a part of a part, it is that part that is meant.
    fn name(&self, id: &str, steps: usize) -> Option<Named> {
        if let Some(named) = self.products.get(id) {
            return Some(named.clone());
        }
        let relationship = self.relationships.get(id).filter(|_| steps > 0)?;
        if relationship.named.is_identified() {
            return Some(relationship.named.clone());
        }
        // As it is used in something else, so that it is not known to be any other use of it.
        let part = self.name(relationship.part, steps - 1)?;
        Some(Named {
            id: Some(id.to_owned()),
            name: part.name,
            ..Named::default()
        })
    }

    /// The products that an item of a list is about, by their ids and groups.
    pub fn members(&self, item: &Node<'_, '_>) -> Result<Vec<String>, PredicateError> {
        let mut all = Vec::new();
        if let Some(products) = item.get("product_ids") {
            for product in products.items()? {
                all.push(product.text()?.to_owned());
            }
        }
        if let Some(groups) = item.get("group_ids") {
            for group in groups.items()? {
                let members = self.groups.get(group.text()?);
                all.extend(members.into_iter().flatten().cloned());
            }
        }
        Ok(all)
    }
}

/// The versions that branches name.
#[derive(Clone, Copy, Default)]
struct Versions<'v> {
    version: Option<&'v str>,
    range: Option<&'v str>,
}

impl Versions<'_> {
    /// What is named in these versions. A purl with a version says itself which it is.
    fn apply(&self, named: Named) -> Named {
        if named.purls.is_empty() || named.purls.iter().all(|purl| purl.version().is_some()) {
            return named;
        }
        match (self.range, self.version) {
            (Some(range), _) => named.in_range(range),
            (None, Some(version)) => named.in_version(version),
            (None, None) => named,
        }
    }
}

impl Tree<'_> {
    /// A product by its name and its identification helper: `purl` in 2.0, `purls` in 2.1.
    fn named(&mut self, product: &Node<'_, '_>) -> Result<Named, PredicateError> {
        let mut named = Named {
            id: Some(product.need("product_id")?.text()?.to_owned()),
            name: Some(product.need("name")?.text()?.to_owned()),
            ..Named::default()
        };
        let Some(helper) = product.get("product_identification_helper") else {
            return Ok(named);
        };
        let mut purls: Vec<&str> = Vec::new();
        purls.extend(helper.optional_text("purl")?);
        if let Some(list) = helper.get("purls") {
            for purl in list.items()? {
                purls.push(purl.text()?);
            }
        }
        for text in purls {
            match Purl::canonicalize(text) {
                Ok(purl) if named.purls.contains(&purl) => {}
                Ok(purl) => named.purls.push(purl),
                Err(e) => self
                    .unread
                    .push(format!("{} is no purl: {e}", quoted(text))),
            }
        }
        named.cpe = helper.optional_text("cpe")?.map(str::to_owned);
        let files = helper.value().get("hashes").and_then(Value::as_array);
        // Several files are several artifacts, and a product with all of their digests would be
        // none.
        if let Some([file]) = files {
            let file = Node::root("$", file);
            named.digests = digests(file.get("file_hashes"), "algorithm", "value");
        }
        Ok(named)
    }
}
