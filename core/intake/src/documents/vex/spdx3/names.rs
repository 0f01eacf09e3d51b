//! What an SPDX 3 document names: its elements by their ids, and how severe vulnerabilities are in
//! them.

use super::super::super::subjects::all_digests;
use super::super::{Named, Ratings};
use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, Read, quoted};
use assay_claims::kind::vex::Status;
use assay_claims::purl::Purl;
use std::collections::{HashMap, HashSet};

/// Most purls of one element that are looked at. Real ones have one, or two that say the same.
const PURLS: usize = 100;

pub(super) fn text<'v>(element: impl Read<'v>, key: &str) -> Option<&'v str> {
    element.member(key).and_then(Read::string)
}

/// A type or a member without the name of its profile.
pub(super) fn local(name: &str) -> &str {
    name.rsplit(['_', '/', ':', '#']).next().unwrap_or(name)
}

pub(super) fn class<'v>(element: impl Read<'v>) -> &'v str {
    let class = text(element, "type").or(text(element, "@type"));
    local(class.unwrap_or_default())
}

/// A member of the profile, with the profile's name before it or without.
pub(super) fn member<'v>(element: &'v Value, name: &str) -> Option<&'v str> {
    text(element, &format!("security_{name}")).or_else(|| text(element, name))
}

/// The elements of a graph, by their ids.
pub(super) struct Names<'v> {
    pub by_id: HashMap<&'v str, &'v Value>,
    /// Ids that several elements have, which are not the same.
    twice: HashSet<&'v str>,
    /// How severe vulnerabilities are in elements.
    scores: HashMap<(&'v str, &'v str), Ratings>,
    /// What the document is about, if that is one thing.
    own: Option<(&'v str, Named)>,
}

impl<'v> Names<'v> {
    /// `roots` is what the document is about.
    pub fn of(
        node: &Node<'_, '_>,
        graph: &'v [Value],
        roots: &[&'v Value],
    ) -> Result<Self, PredicateError> {
        let (mut by_id, mut twice) = (HashMap::new(), HashSet::new());
        for element in graph {
            if let Some(id) = text(element, "spdxId")
                && by_id
                    .insert(id, element)
                    .is_some_and(|known| known != element)
            {
                twice.insert(id);
            }
        }
        let products = ["Package", "File"];
        let own = roots.iter().copied();
        let mut own = own.filter(|root| products.contains(&class(*root)));
        let (first, mut more) = (own.next(), own);
        let first = first.filter(|first| more.all(|one| one == *first));
        let mut names = Names {
            by_id,
            twice,
            scores: scores(graph),
            own: None,
        };
        for root in roots {
            names.element(node, text(*root, "spdxId").unwrap_or_default())?;
        }
        names.own = first.and_then(|own| Some((text(own, "spdxId")?, named(own))));
        Ok(names)
    }

    /// The element of an id. Refused if it is that of several: nobody can tell which is meant
    /// (SPDX 3, Core, class Element: "spdxId" identifies it uniquely).
    pub fn element(
        &self,
        node: &Node<'_, '_>,
        id: &str,
    ) -> Result<Option<&'v Value>, PredicateError> {
        if self.twice.contains(id) {
            return Err(node.fault(format!(
                "names {}, the spdxId of several elements, so that nobody can tell which is \
                 meant; have the tool that wrote the document give each its own",
                quoted(id)
            )));
        }
        Ok(self.by_id.get(id).copied())
    }

    fn named(&self, node: &Node<'_, '_>, id: &str) -> Result<Named, PredicateError> {
        Ok(match self.element(node, id)? {
            Some(element) => named(element),
            None => Named::of_text(id),
        })
    }

    /// One element, and another that is a part of it.
    pub fn apart(
        &self,
        node: &Node<'_, '_>,
        whole: &str,
        part: &str,
    ) -> Result<(Named, Option<Named>), PredicateError> {
        Ok((self.named(node, whole)?, Some(self.named(node, part)?)))
    }

    /// How severe a vulnerability is in the first of these elements of which that is said.
    pub fn ratings(&self, vulnerability: &str, elements: [Option<&str>; 2]) -> Ratings {
        let elements = elements.into_iter().flatten();
        let mut found = elements.filter_map(|one| self.scores.get(&(vulnerability, one)));
        found.next().cloned().unwrap_or_default()
    }

    /// The product that an element is or is a part of, and the part.
    pub fn place(
        &self,
        node: &Node<'_, '_>,
        id: &str,
    ) -> Result<(Named, Option<Named>), PredicateError> {
        let named = self.named(node, id)?;
        Ok(match &self.own {
            Some((own, product)) if *own != id => (product.clone(), Some(named)),
            _ => (named, None),
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
            |id| text(*self.by_id.get(id)?, "software_packageVersion"),
            status.clears(),
            notes,
        )
    }
}

/// How severe vulnerabilities are in elements, by the assessments that score them with CVSS.
fn scores(graph: &[Value]) -> HashMap<(&str, &str), Ratings> {
    let mut scores: HashMap<(&str, &str), Ratings> = HashMap::new();
    for element in graph {
        let class = class(element);
        if !class.starts_with("Cvss") || !class.ends_with("VulnAssessmentRelationship") {
            continue;
        }
        let security = |name: &str| {
            let full = element.get(&format!("security_{name}"));
            full.or_else(|| element.get(name))
        };
        let mut ratings = Ratings::default();
        ratings.add_cvss(security("vectorString"), security("score"));
        if let Some(Value::String(word)) = security("severity") {
            ratings.add("CVSS", local(word));
        }
        let to = element.get("to");
        let list = to.and_then(Value::as_array).unwrap_or_default().iter();
        let to = to.into_iter().chain(list).filter_map(Value::as_str);
        for about in to.chain(member(element, "assessedElement")) {
            if let Some(from) = text(element, "from") {
                let known = scores.entry((from, about)).or_default();
                *known = std::mem::take(known).and(&ratings);
            }
        }
    }
    scores
}

fn named(element: &Value) -> Named {
    let root = Node::root("$", element);
    let identifiers = element.get("externalIdentifier").and_then(Value::as_array);
    let identifiers = identifiers.unwrap_or_default().iter();
    let mut named = Named {
        id: text(element, "spdxId").map(str::to_owned),
        name: text(element, "name").map(str::to_owned),
        digests: all_digests(root.get("verifiedUsing"), "algorithm", "hashValue"),
        ..Named::default()
    };
    let mut purls: Vec<&str> = text(element, "software_packageUrl").into_iter().collect();
    for identifier in identifiers {
        let kind = text(identifier, "externalIdentifierType").map(local);
        match (kind, text(identifier, "identifier")) {
            (Some("packageUrl" | "purl"), Some(purl)) => purls.push(purl),
            (Some("cpe23" | "cpe22"), Some(cpe)) if named.cpe.is_none() => {
                named.cpe = Some(cpe.to_owned());
            }
            _ => {}
        }
    }
    let purls = purls.into_iter().take(PURLS);
    for purl in purls.filter_map(|purl| Purl::canonicalize(purl).ok()) {
        if !named.purls.contains(&purl) {
            named.purls.push(purl);
        }
    }
    named.with_version(text(element, "software_packageVersion"))
}
