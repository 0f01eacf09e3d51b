//! As CSAF 2.0 and 2.1 (OASIS), profile 5: VEX.

use super::cyclonedx::list;
use super::{Publisher, Statement, VexExport};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The versions of CSAF that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// 2.0, errata 01.
    V2_0,
    /// 2.1.
    V2_1,
}

/// A product of the document: a component, or a component in a product.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Product<'a> {
    Alone(&'a str),
    Within(&'a str, &'a str),
}

/// The ids of products in the document.
type Ids<'a> = BTreeMap<Product<'a>, String>;

/// The document; `None` if there is nothing to hand on: the profile wants a product and a
/// vulnerability at least.
pub fn document(export: &VexExport, publisher: &Publisher, version: Version) -> Option<Value> {
    if export.statements.is_empty() {
        return None;
    }
    let ids = ids(export);
    let at = export.at();
    let id = export.id(publisher);
    let id = format!("assay-vex-{}", id.get(..16).unwrap_or(&id));
    let mut document = json!({
        "category": "csaf_vex",
        "csaf_version": match version {
            Version::V2_0 => "2.0",
            Version::V2_1 => "2.1",
        },
        "title": "What issuers trusted by a policy say of vulnerabilities",
        "lang": "en",
        "notes": [{
            "category": "general",
            "title": "Source",
            "text": "Statements of issuers that the publisher trusts, from transparency logs of \
                Assay. Each names its issuer and its claim, by which it can be looked up and \
                verified.",
        }],
        "publisher": {
            "category": "other",
            "name": publisher.name,
            "namespace": publisher.namespace,
        },
        "tracking": {
            "id": id,
            "status": "final",
            "version": "1",
            "initial_release_date": at,
            "current_release_date": at,
            "revision_history": [{"date": at, "number": "1", "summary": "As it was said."}],
            "generator": {
                "date": at,
                "engine": {"name": "assay", "version": env!("CARGO_PKG_VERSION")},
            },
        },
    });
    let mut whole = Map::new();
    if version == Version::V2_1 {
        document["distribution"] = json!({"tlp": {"label": "CLEAR"}});
        let schema = "https://docs.oasis-open.org/csaf/csaf/v2.1/schema/csaf.json";
        whole.insert("$schema".into(), schema.into());
    }
    whole.insert("document".into(), document);
    whole.insert("product_tree".into(), tree(&ids, version));
    whole.insert("vulnerabilities".into(), vulnerabilities(export, &ids));
    Some(Value::Object(whole))
}

/// The products that a statement is about.
fn products(one: &Statement) -> Vec<Product<'_>> {
    let mut products = Vec::new();
    if !one.within {
        products.push(Product::Alone(&one.component));
    }
    if let Some(product) = &one.product {
        products.push(Product::Within(product, &one.component));
    }
    products
}

fn ids(export: &VexExport) -> Ids<'_> {
    let mut all: BTreeSet<Product<'_>> = BTreeSet::new();
    for product in export.statements.iter().flat_map(products) {
        if let Product::Within(product, component) = product {
            all.extend([product, component].map(Product::Alone));
        }
        all.insert(product);
    }
    let numbered = all.into_iter().enumerate();
    numbered
        .map(|(at, product)| (product, format!("CSAFPID-{:04}", at + 1)))
        .collect()
}

fn tree(ids: &Ids<'_>, version: Version) -> Value {
    let (mut names, mut relationships) = (Vec::new(), Vec::new());
    for (product, id) in ids {
        match product {
            Product::Alone(purl) => names.push(json!({
                "name": purl,
                "product_id": id,
                "product_identification_helper": match version {
                    Version::V2_0 => json!({"purl": purl}),
                    Version::V2_1 => json!({"purls": [purl]}),
                },
            })),
            Product::Within(product, component) => relationships.push(json!({
                "category": "default_component_of",
                "product_reference": ids.get(&Product::Alone(component)),
                "relates_to_product_reference": ids.get(&Product::Alone(product)),
                "full_product_name": {
                    "name": format!("{component} in {product}"),
                    "product_id": id,
                },
            })),
        }
    }
    let mut tree = json!({"full_product_names": names});
    if !relationships.is_empty() {
        tree["relationships"] = relationships.into();
    }
    tree
}

/// One for each CVE, for a document has each once; and one for each vulnerability without.
fn vulnerabilities(export: &VexExport, ids: &Ids<'_>) -> Value {
    let mut by_name: BTreeMap<&str, Vec<&Statement>> = BTreeMap::new();
    for one in &export.statements {
        let cves: Vec<&str> = one.names().filter(|name| is_cve(name)).collect();
        let names = if cves.is_empty() {
            vec![one.vulnerability.as_str()]
        } else {
            cves
        };
        for name in names {
            by_name.entry(name).or_default().push(one);
        }
    }
    let named = by_name.iter();
    named
        .map(|(name, statements)| vulnerability(name, statements, ids))
        .collect()
}

/// Whether a name is written as CSAF wants a CVE.
fn is_cve(name: &str) -> bool {
    let mut parts = name.splitn(3, '-');
    let digits = |part: Option<&str>, least: usize| {
        part.is_some_and(|part| part.len() >= least && part.bytes().all(|b| b.is_ascii_digit()))
    };
    parts.next() == Some("CVE")
        && parts.clone().next().is_some_and(|year| year.len() == 4)
        && digits(parts.next(), 4)
        && digits(parts.next(), 4)
}

/// What is said of one vulnerability, as CSAF has it.
#[derive(Default)]
struct Lists<'a> {
    status: BTreeMap<&'static str, Vec<&'a String>>,
    flags: Vec<Value>,
    threats: Vec<Value>,
    remediations: Vec<Value>,
    notes: Vec<Value>,
    /// Its names that are no CVE.
    others: BTreeSet<&'a str>,
}

impl<'a> Lists<'a> {
    /// Adds a statement about these products.
    fn add(&mut self, one: &'a Statement, of: &[&'a String]) {
        let status = self.status.entry(status_key(one.status)).or_default();
        status.extend(of);
        if one.status == "not_affected" {
            if let Some(label) = &one.justification {
                let flag = json!({"label": label, "product_ids": of});
                self.flags.push(flag);
            }
            if !one.impact.is_empty() {
                let details = one.impact.join("\n");
                let threat = json!({"category": "impact", "details": details, "product_ids": of});
                self.threats.push(threat);
            }
        }
        if one.status == "affected" {
            let details = one.action.join("\n");
            let advice = json!({"category": "mitigation", "details": details, "product_ids": of});
            self.remediations.push(advice);
        }
        let title = format!("Who says so of {}", one.component);
        let note = json!({"category": "details", "title": title, "text": one.voices()});
        self.notes.push(note);
        self.others.extend(one.names().filter(|name| !is_cve(name)));
    }
}

fn vulnerability(name: &str, statements: &[&Statement], ids: &Ids<'_>) -> Value {
    let mut taken: BTreeSet<&String> = BTreeSet::new();
    let mut lists = Lists::default();
    for one in statements {
        // What is said of a product in two ways is said once: a document cannot contradict itself.
        let mut of: Vec<&String> = Vec::new();
        for product in products(one) {
            if let Some(id) = ids.get(&product)
                && taken.insert(id)
            {
                of.push(id);
            }
        }
        if !of.is_empty() {
            lists.add(one, &of);
        }
    }
    let mut object = Map::new();
    if is_cve(name) {
        object.insert("cve".into(), name.into());
    }
    object.insert("title".into(), name.into());
    object.insert("product_status".into(), json!(lists.status));
    object.insert("notes".into(), lists.notes.into());
    let others = lists.others.into_iter();
    let others: Vec<Value> = others
        .map(|other| json!({"system_name": list(other), "text": other}))
        .collect();
    for (key, list) in [
        ("ids", others),
        ("flags", lists.flags),
        ("threats", lists.threats),
        ("remediations", lists.remediations),
    ] {
        if !list.is_empty() {
            object.insert(key.into(), list.into());
        }
    }
    Value::Object(object)
}

fn status_key(status: &str) -> &'static str {
    match status {
        "not_affected" => "known_not_affected",
        "fixed" => "fixed",
        "affected" => "known_affected",
        _ => "under_investigation",
    }
}
