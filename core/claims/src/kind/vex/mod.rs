//! `https://openvex.dev/ns`: OpenVEX documents, v0.0.1 and v0.2.0.
//!
//! The predicate is the document, and its type URI is the document's own `@context`, version
//! included, as `vexctl` does it. Documents without a version in their context are of either
//! version, so both spellings of vulnerabilities and products are taken wherever they come. VEX of
//! other formats becomes documents of this one.

use super::descriptor::any_digest;
use super::error::PredicateError;
use super::node::Node;
use super::predicate::{Predicate, TypeOf};
use super::raw;
use crate::json::Value;
use crate::purl::Purl;
use crate::time::Timestamp;

/// The contexts of documents, which are the URIs of the type.
const CONTEXTS: &[&str] = &[
    "https://openvex.dev/ns",
    "https://openvex.dev/ns/v0.0.1",
    "https://openvex.dev/ns/v0.2.0",
];

/// The context of documents of the newest version.
pub const CONTEXT: &str = CONTEXTS[2];

/// How the `@id` of a product begins that its document names and that has no name elsewhere, where
/// the document says of others what they are: what is said of it is said of no other.
pub const UNNAMED: &str = "urn:assay:unnamed:";

/// Most pairs of a product and a part that one list of parts is spread to.
const SPREAD: usize = 4000;

const STATUSES: &[&str] = &["not_affected", "affected", "fixed", "under_investigation"];

const JUSTIFICATIONS: &[&str] = &[
    "component_not_present",
    "vulnerable_code_not_present",
    "vulnerable_code_not_in_execute_path",
    "vulnerable_code_cannot_be_controlled_by_adversary",
    "inline_mitigations_already_exist",
];

/// Specification: openvex/spec, `OPENVEX-SPEC.md` and its JSON schema. A missing `version` is taken
/// for a first one, and a missing document `timestamp` is borne if every statement has its own,
/// which is what it would be inherited by.
fn check(document: &Node<'_, '_>) -> Result<(), PredicateError> {
    document.need("@context")?.one_of(CONTEXTS)?;
    document.need("@id")?.text()?;
    document.need("author")?.text()?;
    version(document)?;
    let dated = timestamps(document)?;
    let statements = document.need("statements")?;
    let mut any = false;
    for statement in statements.items()? {
        any = true;
        check_statement(&statement, dated)?;
    }
    if any {
        Ok(())
    } else {
        Err(statements.fault("holds no statement"))
    }
}

/// The document's version.
fn version(document: &Node<'_, '_>) -> Result<u64, PredicateError> {
    let Some(version) = document.get("version") else {
        return Ok(1);
    };
    // v0.0.1 wrote it as a string.
    let number = version
        .value()
        .as_u64()
        .or_else(|| version.value().as_str()?.parse().ok());
    number
        .filter(|number| *number > 0)
        .ok_or_else(|| version.fault("is no whole number from 1"))
}

/// Whether there is a `timestamp`, all times being well-formed.
fn timestamps(node: &Node<'_, '_>) -> Result<bool, PredicateError> {
    for key in ["timestamp", "last_updated", "action_statement_timestamp"] {
        if let Some(time) = node.get(key) {
            time.instant()?;
        }
    }
    Ok(node.get("timestamp").is_some())
}

fn check_statement(
    statement: &Node<'_, '_>,
    document_is_dated: bool,
) -> Result<(), PredicateError> {
    vulnerability(statement)?;
    if !timestamps(statement)? && !document_is_dated {
        return Err(statement.fault("has no timestamp, and the document has none either"));
    }
    let status = statement.need("status")?.one_of(STATUSES)?;
    if let Some(justification) = statement.get("justification") {
        justification.one_of(JUSTIFICATIONS)?;
    }
    for key in ["impact_statement", "action_statement", "status_notes"] {
        if let Some(text) = statement.get(key) {
            text.string()?;
        }
    }
    let reasoned =
        statement.get("justification").is_some() || statement.get("impact_statement").is_some();
    if status == "not_affected" && !reasoned {
        return Err(
            statement.fault("says not_affected with neither justification nor impact_statement")
        );
    }
    if status == "affected" && statement.get("action_statement").is_none() {
        return Err(statement.fault("says affected without action_statement"));
    }
    if let Some(products) = statement.get("products") {
        for product in products.items()? {
            check_component(&product)?;
            if let Some(parts) = product.get("subcomponents") {
                for part in parts.items()? {
                    check_component(&part)?;
                }
            }
        }
    }
    Ok(())
}

/// The name of the vulnerability: a string in v0.0.1, an object since.
fn vulnerability<'v>(statement: &Node<'v, '_>) -> Result<&'v str, PredicateError> {
    let vulnerability = statement.need("vulnerability")?;
    match vulnerability.value() {
        Value::Object(_) => vulnerability.need("name")?.text(),
        _ => vulnerability.text(),
    }
}

/// A product or a part of one: a string in v0.0.1, an object since.
fn check_component(component: &Node<'_, '_>) -> Result<(), PredicateError> {
    if component.value().as_str().is_some() {
        return component.text().map(|_| ());
    }
    component.object()?;
    if let Some(id) = component.get("@id") {
        id.text()?;
    }
    if let Some(identifiers) = component.get("identifiers") {
        for (_, identifier) in identifiers.members()? {
            identifier.text()?;
        }
    }
    if let Some(hashes) = component.get("hashes") {
        hashes.object()?;
    }
    let mut names = ["@id", "identifiers", "hashes"].into_iter();
    if names.all(|key| component.get(key).is_none()) {
        return Err(component.fault("has none of @id, identifiers and hashes"));
    }
    Ok(())
}

/// What a document says, as far as it bears on trust.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vex {
    /// The document's own identifier, which its later versions keep.
    pub id: String,
    /// Its version, from 1.
    pub version: u64,
    /// Who wrote the document, in its own words. It proves nothing.
    pub author: String,
    /// Its statements, in its order; at least one.
    pub statements: Vec<VexStatement>,
}

/// Whether a vulnerability applies to products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VexStatement {
    /// The vulnerability's name.
    pub vulnerability: String,
    /// Its other names, in the document's order.
    pub aliases: Vec<String>,
    /// Whether it applies.
    pub status: Status,
    /// Why it does not apply: one of the five labels of OpenVEX.
    pub justification: Option<String>,
    /// What the statement is about; if empty, the claim's subjects.
    pub products: Vec<Product>,
    /// How severe the vulnerability is there, method and score, such as `CVSS_V3` and a vector: a
    /// member of Assay's own, in the form of in-toto's vulns, that other readers pass over. May be
    /// empty.
    pub severities: Vec<(String, String)>,
    /// When it was last changed, or made, as the statement or else the document says.
    pub timestamp: Option<Timestamp>,
}

/// Whether a vulnerability applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// `not_affected`
    NotAffected,
    /// `affected`
    Affected,
    /// `fixed`
    Fixed,
    /// `under_investigation`
    UnderInvestigation,
}

/// A product of a statement.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Product {
    /// What it is identified by: its `@id`, and the values of its `identifiers`; often purls.
    pub ids: Vec<String>,
    /// Its digests under in-toto's names, lower-case hex. One that is not known, or malformed, is
    /// as the document has it: the product is an artifact, and which cannot be told.
    pub digests: Vec<(String, String)>,
    /// The parts of it, if it names some: then the statement is about these, as they are used in
    /// it, and not about the whole. A part has no parts of its own.
    pub parts: Vec<Product>,
}

impl Status {
    /// The status as OpenVEX spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Status::NotAffected => "not_affected",
            Status::Affected => "affected",
            Status::Fixed => "fixed",
            Status::UnderInvestigation => "under_investigation",
        }
    }

    /// Whether it says that the vulnerability does no harm, so that a finding may be dropped.
    pub fn clears(self) -> bool {
        match self {
            Status::NotAffected | Status::Fixed => true,
            Status::Affected | Status::UnderInvestigation => false,
        }
    }
}

impl Predicate for Vex {
    const NAME: &'static str = "vex";
    const TYPES: &'static [TypeOf<Self>] = &[TypeOf::new("vex", CONTEXTS, Self::read)];

    fn vulnerabilities(predicate: &Value) -> Vec<&Value> {
        let mut named = Vec::new();
        for statement in raw::items(predicate.get("statements")) {
            match statement.get("vulnerability") {
                Some(name @ Value::String(_)) => named.push(name),
                Some(object) => named.append(&mut raw::with_aliases(object, "name")),
                None => {}
            }
        }
        named
    }
}

impl Vex {
    /// Whether a text begins like the `@context` of an OpenVEX document, of whatever version.
    pub fn is_context(text: &str) -> bool {
        let https = text.strip_prefix("https://");
        let place = https.or_else(|| text.strip_prefix("http://"));
        place.is_some_and(|place| place.starts_with("openvex.dev/ns"))
    }

    /// The `@context` that a text spells: the same, or one that goes on with `/` or `#` or begins
    /// with `http:`. `None` for what no document that is read has.
    pub fn context(text: &str) -> Option<&'static str> {
        let bare = text.trim_end_matches(['/', '#']);
        let (_, place) = bare.split_once("://")?;
        let mut known = CONTEXTS.iter().copied();
        known.find(|context| context.strip_prefix("https://") == Some(place))
    }

    /// Reads a predicate: a whole OpenVEX document, checked as on admission.
    pub fn parse(predicate: &Value) -> Result<Self, PredicateError> {
        Self::read(&Node::root("$.predicate", predicate))
    }

    /// Reads a document where it stands.
    pub fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        check(node)?;
        let inherited = changed(node);
        let statements = node.need("statements")?;
        let statements = statements
            .items()?
            .map(|statement| VexStatement::read(&statement, &inherited));
        Ok(Vex {
            id: node.need("@id")?.text()?.to_owned(),
            version: version(node)?,
            author: node.need("author")?.text()?.to_owned(),
            statements: statements.collect::<Result<_, _>>()?,
        })
    }
}

impl VexStatement {
    /// Whether the vulnerability goes by `id` here, as name or alias; upper and lower case differ.
    pub fn names(&self, id: &str) -> bool {
        self.vulnerability == id || self.aliases.iter().any(|alias| alias == id)
    }

    /// Whether the statement is about a package or an artifact, by the purl and the digests that it
    /// has. Products that cannot be compared with these leave it to the claim's subjects.
    pub fn is_about(&self, purl: Option<&Purl>, digests: &[(String, String)]) -> bool {
        let ours = |algorithm: &str| digests.iter().any(|(ours, _)| ours == algorithm);
        let comparable = |product: &Product| match purl {
            Some(_) => product.ids.iter().any(|id| Purl::begins(id)) || product.is_unnamed(),
            None => product.digests.iter().any(|(algorithm, _)| ours(algorithm)),
        };
        let parts = self.products.iter().flat_map(|product| &product.parts);
        self.products.iter().chain(parts).any(|product: &Product| {
            product
                .digests
                .iter()
                .any(|digest| digests.contains(digest))
                || purl.is_some_and(|purl| product.covers(purl))
        }) || !self.products.iter().any(comparable)
    }

    fn read(
        statement: &Node<'_, '_>,
        inherited: &Option<Timestamp>,
    ) -> Result<Self, PredicateError> {
        let status = match statement.need("status")?.one_of(STATUSES)? {
            "not_affected" => Status::NotAffected,
            "affected" => Status::Affected,
            "fixed" => Status::Fixed,
            _ => Status::UnderInvestigation,
        };
        let texts = |pointer| {
            let items = statement
                .value()
                .pointer(pointer)
                .and_then(Value::as_array)
                .unwrap_or_default();
            items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        };
        Ok(VexStatement {
            vulnerability: vulnerability(statement)?.to_owned(),
            aliases: texts("/vulnerability/aliases"),
            status,
            justification: statement.shown("justification").map(str::to_owned),
            products: products(statement.value()),
            severities: raw::severities(statement.value()),
            timestamp: changed(statement).or_else(|| inherited.clone()),
        })
    }
}

impl Product {
    /// Whether the product is what a purl names: one of its ids is the same package and, if it has
    /// a version, the same version. Qualifiers do not matter.
    pub fn covers(&self, purl: &Purl) -> bool {
        self.ids
            .iter()
            .filter_map(|id| Purl::canonicalize(id).ok())
            .any(|id| match id.version() {
                Some(_) => id.is_same_version(purl),
                None => id.is_same_package(purl),
            })
    }

    /// Whether it has a name in its document alone: nothing but its digests can be compared.
    pub fn is_unnamed(&self) -> bool {
        self.ids.iter().any(|id| id.starts_with(UNNAMED))
    }

    /// What it is called: a purl if it has one, else another identifier or a digest.
    pub fn name(&self) -> String {
        let purl = self
            .ids
            .iter()
            .find(|id| Purl::begins(id))
            .or(self.ids.first())
            .map(|id| id.strip_prefix(UNNAMED).unwrap_or(id).to_owned());

        purl.or_else(|| {
            Some(self.digests.first()?).map(|(algorithm, value)| format!("{algorithm}:{value}"))
        })
        .unwrap_or_default()
    }

    /// Reads a product as a document has it: a string in v0.0.1, an object since. What is malformed
    /// is passed over.
    pub fn read(product: &Value) -> Self {
        let parts = raw::items(product.get("subcomponents")).iter();
        Product {
            parts: parts.map(Product::read_one).collect(),
            ..Product::read_one(product)
        }
    }

    fn read_one(product: &Value) -> Self {
        let id = product.as_str().or_else(|| product.get("@id")?.as_str());
        let identifiers = product
            .get("identifiers")
            .and_then(Value::as_object)
            .unwrap_or_default();
        let ids = id
            .into_iter()
            .chain(identifiers.iter().filter_map(|(_, id)| id.as_str()));
        Product {
            ids: ids.map(str::to_owned).collect(),
            digests: hashes(product),
            parts: Vec::new(),
        }
    }
}

/// What a statement is about. v0.0.1 names the parts once, beside the products: of every product
/// that has none of its own the statement is about these. So it is in any version, because whoever
/// leaves them out takes a word about a part for one about the whole.
fn products(statement: &Value) -> Vec<Product> {
    let products = raw::items(statement.get("products"));
    let mut products: Vec<Product> = products.iter().map(Product::read).collect();
    let parts: Vec<Product> = match statement.get("subcomponents") {
        None | Some(Value::Null) => return products,
        Some(Value::Array(parts)) => parts.iter().map(Product::read_one).collect(),
        Some(part) => vec![Product::read_one(part)],
    };
    if parts.is_empty() {
        return products;
    }
    // Parts of what the claim is about, or of too many products, are not known to be of any. Those
    // products then have a part that is nothing, so that nothing is said of them as a whole.
    let is_spread = !products.is_empty() && products.len() * parts.len() <= SPREAD;
    let each = if is_spread {
        parts.as_slice()
    } else {
        &[Product::default()]
    };
    let without = products.iter_mut().filter(|one| one.parts.is_empty());
    without.for_each(|one| one.parts = each.to_vec());
    if !is_spread {
        products.push(Product {
            parts,
            ..Product::default()
        });
    }
    products
}

/// The later of a node's two times.
fn changed(node: &Node<'_, '_>) -> Option<Timestamp> {
    let time = |key| Timestamp::parse(node.shown(key)?);
    time("last_updated").or_else(|| time("timestamp"))
}

fn hashes(product: &Value) -> Vec<(String, String)> {
    let hashes = product
        .get("hashes")
        .and_then(Value::as_object)
        .unwrap_or_default();
    let mut digests = Vec::new();
    for (name, value) in hashes {
        let Some(value) = value.as_str() else {
            continue;
        };
        digests.push(any_digest(name, value));
    }
    digests
}

#[cfg(test)]
mod tests;
