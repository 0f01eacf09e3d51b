//! What is handed on to other tools. Of what issuers say of vulnerabilities: VEX documents that
//! hold what those say whose word clears under the policy, and nothing of what anybody else does.
//! Of the policy's verdicts: verification summaries.
//!
//! Of vulnerabilities, what they contradict each other in is not handed on, and neither is anything
//! about a component of which a log did not answer as it has to. The documents follow from what is
//! said alone, and not from the time at which they are made.

pub mod by_package;
pub mod csaf;
pub mod cyclonedx;
pub mod openvex;
pub mod vsa;

use super::words::{who, wrote};
use super::{Scales, words};
use crate::ask::{Asked, Inventory, Part};
use crate::plain;
use assay_claims::claim::ClaimId;
use assay_claims::kind::vex::Status;
use assay_claims::purl::Purl;
use assay_claims::time::rfc3339_of_ms;
use assay_policy::verdict::{Agreed, Cause, Known, Said};
use assay_tlog::Hash;
use std::collections::{BTreeMap, BTreeSet};

/// Statements to hand on.
#[derive(Debug, Default)]
pub struct VexExport {
    /// The statements, sorted by vulnerability, component and product.
    pub statements: Vec<Statement>,
    /// What those whose word clears contradict each other in: the vulnerability, the component and
    /// who says what.
    pub disputed: Vec<String>,
    /// Components of which a log did not answer as it has to.
    pub incomplete: Vec<String>,
    /// Components of which something is said that no document can tell, for they have no purl, or
    /// the product does not that it is said of them in.
    pub unnamed: Vec<String>,
    /// What would clear a component, and is not said of each of those that who matches by purl
    /// would take it to be said of: of the same purl, of one with more qualifiers, such as that of
    /// a private registry, or of another subpath.
    pub partial: Vec<String>,
    /// The BOM-Links that point at components, if they are listed in BOMs that have a number: by
    /// their purl, and by it and the product that they are parts of.
    pub links: BTreeMap<(String, Option<String>), BTreeSet<String>>,
    /// When the newest of it was said, or else when the logs were asked, in milliseconds since
    /// 1970.
    pub at_ms: u64,
}

/// Who hands it on.
#[derive(Debug, Clone)]
pub struct Publisher {
    /// The name.
    pub name: String,
    /// An address that is theirs.
    pub namespace: String,
}

/// What is said of one vulnerability in one component.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Statement {
    /// The vulnerability: a CVE if it has one.
    pub vulnerability: String,
    /// The component.
    pub component: String,
    /// The product that the component is a part of, if that is known.
    pub product: Option<String>,
    /// The vulnerability's other names, sorted.
    pub aliases: Vec<String>,
    /// Whether it is said of the component as a part of the product alone.
    pub within: bool,
    /// Whether it applies: a status of OpenVEX.
    pub status: &'static str,
    /// Why it does not: a label of OpenVEX.
    pub justification: Option<String>,
    /// Why it does no harm, in the words of those who say so.
    pub impact: Vec<String>,
    /// What to do, in their words.
    pub action: Vec<String>,
    /// When it was said last, in milliseconds since 1970, by no clock later than a log's.
    pub at_ms: u64,
    /// Who says so, with the claims, and what else they say: a sentence or more for each.
    pub voices: Vec<String>,
    /// The claims, hex.
    pub claims: Vec<String>,
}

/// A component as who matches by purl sees it.
struct Seen {
    purl: Purl,
    product: Option<String>,
}

/// The components that may be taken for each other, by their purls without qualifiers and subpath.
#[derive(Default)]
struct Alike(BTreeMap<String, Vec<(usize, Seen)>>);

impl Alike {
    /// Adds a component, which has this number.
    fn add(&mut self, number: usize, part: &Part) {
        let Some(purl) = part.component.purl() else {
            return;
        };
        let product = part.component.product().and_then(|product| product.purl());
        let seen = Seen {
            purl: purl.clone(),
            product: product.map(Purl::to_string),
        };
        let base = purl.without_qualifiers().to_owned();
        self.0.entry(base).or_default().push((number, seen));
    }

    /// The numbers of the components that a reader of the document takes a statement about this
    /// purl to be about, in a product if only those in it are meant. Readers ask that a purl has
    /// the qualifiers of the statement's, and not that it has no more; of subpaths they ask
    /// nothing.
    fn covered(&self, by: &Purl, within: Option<&str>) -> BTreeSet<usize> {
        let alike = self.0.get(by.without_qualifiers()).into_iter().flatten();
        let asked = by.qualifiers();
        alike
            .filter(|(_, seen)| within.is_none() || within == seen.product.as_deref())
            .filter(|(_, seen)| {
                let mut asked = asked.clone();
                asked.all(|(key, value)| seen.purl.qualifier(key) == Some(value))
            })
            .map(|(number, _)| *number)
            .collect()
    }
}

/// A statement, with the component that it was found for.
struct Found {
    part: usize,
    purl: Purl,
    statement: Statement,
}

impl Found {
    /// The product, if it is said of the components in it alone.
    fn within(&self) -> Option<&str> {
        let product = self.statement.product.as_deref();
        product.filter(|_| self.statement.within)
    }

    /// Whether it clears its component wherever this one would, in a product or anywhere.
    fn clears_as(&self, other: &Found) -> bool {
        !self.statement.within || self.within() == other.within()
    }
}

impl Statement {
    /// All names of the vulnerability.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let aliases = self.aliases.iter().map(String::as_str);
        std::iter::once(self.vulnerability.as_str()).chain(aliases)
    }

    /// Whether it lets tools drop a finding.
    fn clears(&self) -> bool {
        [Status::NotAffected, Status::Fixed]
            .map(Status::as_str)
            .contains(&self.status)
    }

    fn at(&self) -> String {
        rfc3339_of_ms(self.at_ms)
    }

    fn voices(&self) -> String {
        self.voices.join(" ")
    }
}

impl VexExport {
    /// When the newest of it was said (RFC 3339).
    fn at(&self) -> String {
        rfc3339_of_ms(self.at_ms)
    }

    /// What tells documents of this content from others: SHA-256, in hex.
    fn id(&self, publisher: &Publisher) -> String {
        let text = format!("{publisher:?}\n{:?}", self.statements);
        Hash::of(text.as_bytes()).to_hex()
    }

    /// Keeps what points at a component.
    fn point_at(&mut self, part: &Part) {
        let Some(purl) = part.component.purl().map(Purl::to_string) else {
            return;
        };
        let product = part.component.product().and_then(|product| product.purl());
        let product = product.map(Purl::to_string);
        let mut kin = vec![None];
        kin.extend(product.map(Some));
        for of in kin {
            let links = self.links.entry((purl.clone(), of)).or_default();
            links.extend(part.links.iter().cloned());
        }
    }

    /// How many statements have a status that lets tools drop a finding.
    pub fn clearing(&self) -> usize {
        self.statements.iter().filter(|one| one.clears()).count()
    }

    /// Takes what is said, but for what would clear some of the components that a reader takes it
    /// to be about, as by a digest, and not all.
    fn take(&mut self, found: Vec<Found>, alike: &Alike) {
        let whole = whole(&found, alike);
        for (one, is_whole) in found.into_iter().zip(whole) {
            let statement = one.statement;
            if is_whole {
                self.statements.push(statement);
            } else {
                let (what, of) = (&statement.vulnerability, &statement.component);
                self.partial.push(format!("{what} in {of}"));
            }
        }
        self.statements.sort();
        self.statements.dedup();
        self.partial.sort();
        self.partial.dedup();
    }
}

/// Of each statement whether it clears nothing, or else is said of every component that a reader
/// takes it to be about.
fn whole(found: &[Found], alike: &Alike) -> Vec<bool> {
    let mut cleared: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for one in found.iter().filter(|one| one.statement.clears()) {
        let of = cleared.entry(&one.statement.vulnerability).or_default();
        of.push(one);
    }
    let mut whole = Vec::with_capacity(found.len());
    for one in found {
        let covered = alike.covered(&one.purl, one.within());
        if !one.statement.clears() || covered.iter().all(|part| *part == one.part) {
            whole.push(true);
            continue;
        }
        let said = cleared.get(&*one.statement.vulnerability);
        let said = said.into_iter().flatten();
        let said: BTreeSet<usize> = said
            .filter(|other| other.clears_as(one))
            .map(|other| other.part)
            .collect();
        whole.push(covered.is_subset(&said));
    }
    whole
}

impl Scales<'_> {
    /// What is to be handed on about the components of an inventory, of what logs answered about
    /// them. `product` is what they are parts of, if not what their files say; what is only said of
    /// a part in the product of its file keeps that.
    pub fn vex(&self, inventory: &Inventory, asked: &Asked, product: Option<&Purl>) -> VexExport {
        let judge = self.judge(asked.claims(), asked);
        let mut alike = Alike::default();
        let mut found = Vec::new();
        let mut export = VexExport::default();
        let parts = inventory.parts.iter().chain(&inventory.own_parts);
        for (number, part) in parts.enumerate() {
            alike.add(number, part);
            export.point_at(part);
            let verdict = judge.known.verdict(&part.component, &judge.answers);
            let mut reasons = verdict.reasons().iter();
            if reasons.any(|reason| reason.cause() == Cause::Logs) {
                export.incomplete.push(plain(&part.title()));
                continue;
            }
            for agreed in judge.known.agreed(&part.component) {
                let stated = self.stated(&mut export, &judge.known, part, product, &agreed);
                found.extend(stated.map(|(purl, statement)| Found {
                    part: number,
                    purl,
                    statement,
                }));
            }
        }
        export.take(found, &alike);
        let newest = export.statements.iter().map(|one| one.at_ms).max();
        export.at_ms = newest.unwrap_or(self.now_ms);
        export
    }

    /// What is said of a component, with its purl; nothing if no document can tell it, which is
    /// noted.
    fn stated(
        &self,
        export: &mut VexExport,
        known: &Known<'_>,
        part: &Part,
        product: Option<&Purl>,
        agreed: &Agreed,
    ) -> Option<(Purl, Statement)> {
        let voices: Vec<String> = agreed
            .said
            .iter()
            .map(|said| self.voice(known, said))
            .collect();
        let mut names: Vec<String> = agreed.names.iter().map(|name| plain(name)).collect();
        let cve = names.iter().position(|name| name.starts_with("CVE-"));
        let vulnerability = names.remove(cve.unwrap_or_default());
        let Some(status) = agreed.status else {
            let text = format!(
                "{vulnerability} in {}: {}",
                plain(&part.title()),
                voices.join(" ")
            );
            export.disputed.push(text);
            return None;
        };
        let stated = part.component.product().and_then(|product| product.purl());
        // What is said of a part in one product is said of it in no other.
        let product = product.filter(|_| !agreed.within).or(stated);
        let named = part.component.purl();
        let Some(component) = named.filter(|_| product.is_some() || !agreed.within) else {
            export.unnamed.push(plain(&part.title()));
            return None;
        };
        let said = || {
            agreed
                .said
                .iter()
                .filter(move |said| said.statement.status == status)
        };
        let mut justifications = said().filter_map(|said| said.statement.justification.clone());
        let ids: BTreeSet<ClaimId> = agreed.said.iter().map(|said| said.evidence.claim).collect();
        let statement = Statement {
            vulnerability,
            component: component.to_string(),
            // What it is a part of itself is no part of it.
            product: product.filter(|of| *of != component).map(Purl::to_string),
            aliases: names,
            within: agreed.within,
            status: status.as_str(),
            justification: justifications.next(),
            impact: words_of(said(), "impact_statement"),
            action: words_of(said(), "action_statement"),
            at_ms: agreed.said.iter().map(at_ms).max().unwrap_or_default(),
            voices,
            claims: ids.iter().map(ClaimId::to_string).collect(),
        };
        Some((component.clone(), statement))
    }

    /// Who says something, where that stands, and what else they write.
    fn voice(&self, known: &Known<'_>, said: &Said) -> String {
        let evidence = &said.evidence;
        let roles: Vec<&str> = evidence.roles.iter().map(|one| one.role.name()).collect();
        let text = wrote(&words::Wrote {
            who: &who(&evidence.issuer, self.policy, known.trust()),
            issuer: &evidence.issuer.to_hex(),
            roles: &roles.join(", "),
            status: said.statement.status.as_str(),
            author: &said.author,
            notes: said
                .written
                .get("status_notes")
                .and_then(|notes| notes.as_str()),
            claim: &evidence.claim.to_string(),
            log: &evidence.origin,
            leaf: evidence.leaf.get(),
            logged_at: &rfc3339_of_ms(said.logged_ms),
        });
        plain(&text)
    }
}

/// When something was said: when its document says, or when a log first had it, if that is earlier.
fn at_ms(said: &Said) -> u64 {
    let stated = said.statement.timestamp.as_ref();
    let stated = stated.and_then(|time| u64::try_from(time.unix_ms()).ok());
    stated.map_or(said.logged_ms, |stated| stated.min(said.logged_ms))
}

/// The words under a key of statements, each text once.
fn words_of<'s>(said: impl Iterator<Item = &'s Said>, key: &str) -> Vec<String> {
    let mut texts: Vec<String> = Vec::new();
    for said in said {
        let text = said.written.get(key).and_then(|text| text.as_str());
        let text = text.map(lines).filter(|text| !text.trim().is_empty());
        texts.extend(text.filter(|text| !texts.contains(text)));
    }
    texts
}

/// A text in its lines, in each of which nothing is hidden: people write lists of what to do.
fn lines(text: &str) -> String {
    let lines = text.lines().map(|line| plain(&line.replace('\t', " ")));
    lines.collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_keeps_its_lines_and_hides_nothing() {
        assert_eq!(lines("1. a\r\n\t2. b\n"), "1. a\n 2. b");
        assert_eq!(lines("a\u{1b}b\rc"), "a\\u{1b}b\\rc");
    }
}
