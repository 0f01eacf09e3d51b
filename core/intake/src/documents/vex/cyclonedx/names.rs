//! What a BOM names: its components by their references, and what is in other BOMs by links.

use super::super::super::subjects::all_digests;
use super::super::Named;
use assay_claims::bom_link::{BomLink, SCHEME, decoded};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, quoted};
use assay_claims::kind::vex::Status;
use assay_claims::purl::Purl;
use std::collections::{HashMap, HashSet};

/// The version of a BOM, from 1.
fn version(bom: &Value) -> u64 {
    let stated = bom.get("version").and_then(Value::as_u64);
    stated.unwrap_or(1).max(1)
}

/// What a reference means.
pub(super) struct Meant {
    /// What it is in, if that is another BOM: then it is meant as a part of what that is of.
    pub whole: Option<Named>,
    pub named: Named,
    /// What the BOM itself calls so, where a link leads to another version of it: that may be
    /// another thing there, which is not cleared by it.
    pub here: Option<Named>,
}

impl Meant {
    fn of(named: Named) -> Self {
        Meant {
            whole: None,
            named,
            here: None,
        }
    }
}

/// What a BOM names, by its references.
pub(super) struct Names<'v> {
    pub serial: Option<&'v str>,
    pub version: u64,
    /// The product that it is about.
    pub own: Option<Named>,
    /// Whether it lists anything besides that.
    pub lists_parts: bool,
    by_ref: HashMap<&'v str, &'v Value>,
    /// References that several components have, which are not the same.
    twice: HashSet<&'v str>,
}

impl<'v> Names<'v> {
    pub fn of(bom: &'v Value) -> Self {
        let (mut by_ref, mut twice) = (HashMap::new(), HashSet::new());
        let own = bom.pointer("/metadata/component");
        let mut open: Vec<&Value> = own.into_iter().collect();
        let lists = ["components", "services"];
        for key in lists {
            open.extend(bom.get(key).and_then(Value::as_array).unwrap_or_default());
        }
        let mut listed = 0;
        while let Some(component) = open.pop() {
            listed += 1;
            if let Some(name) = component.get("bom-ref").and_then(Value::as_str) {
                let known = by_ref.insert(name, component);
                if known.is_some_and(|known| named(known) != named(component)) {
                    twice.insert(name);
                }
            }
            for key in lists {
                open.extend(
                    component
                        .get(key)
                        .and_then(Value::as_array)
                        .unwrap_or_default(),
                );
            }
        }
        Names {
            serial: bom.get("serialNumber").and_then(Value::as_str),
            version: version(bom),
            own: own.map(named),
            lists_parts: listed > usize::from(own.is_some()),
            by_ref,
            twice,
        }
    }

    /// The component that a reference of the BOM itself leads to. Refused if it leads to several:
    /// nobody can tell which is meant (CycloneDX, "bom-ref": unique within the BOM).
    fn component(
        &self,
        node: &Node<'_, '_>,
        reference: &str,
    ) -> Result<Option<Named>, PredicateError> {
        if self.twice.contains(reference) {
            return Err(node.fault(format!(
                "is the bom-ref {} of several components, so that nobody can tell which is meant; \
                 have the tool that wrote the BOM give each its own",
                quoted(reference)
            )));
        }
        Ok(self.by_ref.get(reference).map(|one| named(one)))
    }

    /// What a reference leads to: a component of the BOM, or what a BOM-Link or a purl names.
    pub fn resolve(&self, node: &Node<'_, '_>, reference: &str) -> Result<Meant, PredicateError> {
        if let Some(component) = self.component(node, reference)? {
            return Ok(Meant::of(component));
        }
        let Some(rest) = reference.strip_prefix(SCHEME) else {
            return Ok(Meant::of(Named::of_text(reference)));
        };
        let (bom, element) = match rest.split_once('#') {
            Some((bom, element)) => (bom, Some(decoded(element))),
            None => (rest, None),
        };
        let (number, version) = bom.split_once('/').unwrap_or((bom, ""));
        let serial = self.serial.and_then(|text| text.strip_prefix("urn:uuid:"));
        let mut found = None;
        if serial.is_some_and(|serial| serial.eq_ignore_ascii_case(number)) {
            found = match &element {
                None => self.own.clone(),
                Some(element) => self.component(node, element)?,
            };
        }
        let is_this = version.parse() == Ok(self.version);
        let here = match found {
            Some(found) if is_this => return Ok(Meant::of(found)),
            found => found,
        };
        let link = BomLink::parse(reference);
        let whole = Named::of_text(&format!("{SCHEME}{bom}"));
        // What a BOM elsewhere calls its component is its own affair, unless it is a purl.
        let part = match &element {
            Some(element) if Purl::canonicalize(element).is_ok() => Named::of_text(element),
            _ => Named::of_text(reference),
        };
        Ok(Meant {
            whole: Some(whole.linked(link.as_ref().map(BomLink::to_whole))),
            named: part.linked(link),
            here,
        })
    }

    /// What is meant by a product and a part of it, in a statement with this status: each as the
    /// version says that stands beside its purl.
    pub fn meant(
        &self,
        place: (Named, Option<Named>),
        status: Status,
        notes: &mut Vec<String>,
    ) -> (Named, Option<Named>) {
        Named::both_disputed(
            place,
            |id| self.by_ref.get(id)?.get("version")?.as_str(),
            status.clears(),
            notes,
        )
    }

    /// The product that a statement about something is of, and the part of it.
    pub fn place(&self, named: Named) -> (Named, Option<Named>) {
        match &self.own {
            Some(own) if !own.is_same(&named) => (own.clone(), Some(named)),
            _ => (named, None),
        }
    }
}

fn named(component: &Value) -> Named {
    let root = Node::root("$", component);
    let text = |key| component.get(key).and_then(Value::as_str);
    let purl = text("purl").and_then(|purl| Purl::canonicalize(purl).ok());
    Named {
        id: text("bom-ref").map(str::to_owned),
        name: text("name").map(str::to_owned),
        purls: purl.into_iter().collect(),
        cpe: text("cpe").map(str::to_owned),
        digests: all_digests(root.get("hashes"), "alg", "content"),
        link: None,
    }
    .with_version(text("version"))
}
