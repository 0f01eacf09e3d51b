//! VEX of other formats, made into claims of OpenVEX documents. The document itself is an
//! attachment.
//!
//! A statement is of products, and where the document says so of a part of each, as it is used
//! there. What cannot be named by a purl or a digest keeps the name that the document has for it:
//! then nobody is cleared by it. No statement is left out: what does not fit a claim becomes
//! several.

pub(super) mod csaf;
pub(super) mod cyclonedx;
pub(super) mod ghsa;
mod identifiers;
mod order;
pub(super) mod osv;
mod pack;
mod product;
mod rating;
pub(super) mod rustsec;
pub(super) mod spdx3;
mod words;

pub(super) use identifiers::{Beside, beside};
pub(super) use pack::{Frame, Piece, pack};
pub(super) use product::Named;
pub(crate) use product::contradicts;
use rating::Ratings;

use super::draft::{Prepared, Summary};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::Source;
use crate::text::shown;
use assay_claims::json::{Value, object};
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::{Node, Read};
use assay_claims::kind::vex::{CONTEXT, Status};
use assay_claims::statement::Subject;
use assay_claims::vulnerability::canonical;
use assay_tlog::Hash;
use std::collections::BTreeMap;

/// Longest reason of a statement that is taken over, in characters; the rest is in the attachment.
const REASON: usize = 500;

/// Most pairs of a vulnerability and a product of one document.
const PAIRS: usize = 100_000;

/// Most names of vulnerabilities in all of these together.
const NAMES: usize = 500_000;

/// Most other names of one vulnerability.
const ALIASES: usize = 100;

/// What a statement that calls something affected says of what to do, where its document says
/// nothing of that.
pub(super) const NO_ACTION: &str = "The document states no action.";

/// What a document says.
pub(super) struct Said {
    /// The document's own identifier, which its later versions keep.
    pub id: String,
    /// Who wrote it, in its own words.
    pub author: String,
    /// Its version, from 1.
    pub version: u64,
    /// When it was last changed: RFC 3339.
    pub timestamp: Option<String>,
    /// What it is, for people.
    pub format: String,
    /// Its statements.
    statements: Vec<Statement>,
    /// How many names of vulnerabilities they have.
    names: usize,
    /// How severe the document as a whole is, where it says nothing of a vulnerability.
    aggregate: Ratings,
    /// What else people are told.
    pub notes: Vec<String>,
}

/// Whether a vulnerability applies to a product.
pub(super) struct Statement {
    /// The vulnerability, and its other names.
    pub vulnerability: String,
    pub aliases: Vec<String>,
    pub status: Status,
    /// A label of OpenVEX.
    pub justification: Option<&'static str>,
    /// What the document says of it: why it does no harm, or what to do.
    pub reason: Option<String>,
    /// What it is about.
    pub product: Named,
    /// The part of the product that it is about.
    pub part: Option<Named>,
    /// How severe the document says that it is there.
    pub ratings: Ratings,
    /// When it was made, if that is another time than the document's.
    pub timestamp: Option<String>,
}

impl Said {
    /// Adds a statement of `node`, whose vulnerability and products are spelled as those do who
    /// name them, so that it is found, and that clears no more than all identifiers of its product
    /// name; refused if there are too many.
    fn push(
        &mut self,
        node: &Node<'_, '_>,
        mut statement: Statement,
    ) -> Result<(), PredicateError> {
        for about in std::iter::once(&mut statement.product).chain(&mut statement.part) {
            for purl in &mut about.purls {
                *purl = purl.without_case();
            }
        }
        if statement.status.clears() {
            statement.product = statement.product.by_all_identifiers(&mut self.notes);
            let part = statement.part.take();
            statement.part = part.map(|part| part.by_all_identifiers(&mut self.notes));
        }
        let names = std::iter::once(&mut statement.vulnerability).chain(&mut statement.aliases);
        for name in names {
            if let Some(canonical) = canonical(name) {
                *name = canonical;
            }
        }
        self.names += 1 + statement.aliases.len();
        if self.statements.len() == PAIRS || self.names > NAMES {
            return Err(node.fault(format!(
                "is one too many: the document says more than {PAIRS} things of products, or by \
                 more than {NAMES} names; publish it in parts"
            )));
        }
        self.statements.push(statement);
        Ok(())
    }

    /// Adds to the claim of a BOM those that it makes of this beside it. If there is nothing to
    /// claim, its own says why.
    pub fn beside(
        self,
        of_bom: &mut Vec<Prepared>,
        source: &Source<'_>,
        media_type: &str,
    ) -> Result<(), DocumentError> {
        if self.statements.is_empty() {
            let notes = self.notes.into_iter();
            let notes = notes.map(|note| ("note".to_owned(), shown(&note)));
            if let Some(first) = of_bom.first_mut() {
                first.summary.extend(notes);
            }
            return Ok(());
        }
        let mut claims = self.claims(source, media_type)?;
        for claim in &mut claims {
            claim.is_beside = !claim.subjects.is_empty();
        }
        of_bom.append(&mut claims);
        Ok(())
    }

    /// The claims that say the same.
    pub fn claims(
        self,
        source: &Source<'_>,
        media_type: &str,
    ) -> Result<Vec<Prepared>, DocumentError> {
        if self.statements.is_empty() {
            let reason = "it says of no vulnerability whether it applies, so that there is nothing \
                          to claim";
            return Err(self.nothing(reason));
        }
        let timestamp = self.timestamp.as_deref().unwrap_or(source.now);
        let mut notes = self.notes.clone();
        notes.extend(later_version(self.version));
        let frame = Frame {
            predicate_type: CONTEXT.to_owned(),
            members: vec![
                ("@context".into(), CONTEXT.into()),
                ("@id".into(), self.id.as_str().into()),
                ("author".into(), self.author.as_str().into()),
                ("timestamp".into(), timestamp.into()),
                ("version".into(), self.version.into()),
                (
                    "tooling".into(),
                    format!("assay, of {}", self.format).into(),
                ),
            ],
            summary: self.summary(),
            media_type: media_type.to_owned(),
            notes,
        };
        // Those that speak against something come last, so that no part of the document that is
        // logged after them takes them back.
        let mut statements: Vec<&Statement> = self.statements.iter().collect();
        statements.sort_by_key(|one| !one.status.clears());
        // Where some products can be told from others, what is said of the rest must not be taken
        // for a word about those.
        let alone = self.statements.iter().any(Statement::is_identified);
        let pieces = statements.into_iter().map(|one| one.to_piece(alone));
        let mut claims = pack(source.document, frame, pieces.collect())?;
        for claim in claims
            .iter_mut()
            .filter(|claim| alone && claim.subjects.is_empty())
        {
            let document = Hash::of(source.document.bytes());
            claim
                .subjects
                .push(Subject::artifact(Some(self.id.clone()), &document));
        }
        Ok(claims)
    }

    /// Why there is nothing to claim, with what was left out.
    fn nothing(&self, reason: &str) -> DocumentError {
        let reasons = std::iter::once(reason).chain(self.notes.iter().map(String::as_str));
        let reasons: Vec<&str> = reasons.collect();
        DocumentError::NotTaken(shown(&reasons.join("; ")))
    }

    fn summary(&self) -> Summary {
        let mut summary = vec![
            ("format".to_owned(), self.format.clone()),
            ("author".to_owned(), self.author.clone()),
        ];
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for statement in &self.statements {
            *counts.entry(statement.status.as_str()).or_default() += 1;
        }
        let counts = counts.into_iter();
        summary.extend(counts.map(|(status, count)| (status.to_owned(), count.to_string())));
        summary
    }
}

/// What people are told of a version of a document that is not the first. Whoever asks for another
/// package does not hear of it, and so hears only what was said before.
pub(super) fn later_version(version: u64) -> Option<String> {
    let is_first = [1, FIRST].contains(&version);
    (!is_first).then(|| {
        "this is a later version of the document: packages that it does not name stay cleared by \
         the claims of an earlier one until you take those back with `assay withdraw`"
            .to_owned()
    })
}

/// The semantic version 1.0.0, as a number that rises with it.
const FIRST: u64 = 1 << 32;

/// Whether a BOM, of whatever format, says anything of vulnerabilities.
pub(crate) fn has_vex<'v>(document: impl Read<'v>) -> bool {
    cyclonedx::has_vex(document) || spdx3::has_vex(document)
}

/// Adds a name of a vulnerability to those that it has, once.
fn push_name(
    node: &Node<'_, '_>,
    names: &mut Vec<String>,
    name: &str,
) -> Result<(), PredicateError> {
    if names.iter().any(|known| known == name) {
        return Ok(());
    }
    if names.len() > ALIASES {
        return Err(node.fault(format!("has more than {ALIASES} other names")));
    }
    names.push(name.to_owned());
    Ok(())
}

impl Statement {
    /// Whether it can be told what it is about.
    fn is_identified(&self) -> bool {
        self.product.is_identified() || self.part.as_ref().is_some_and(Named::is_identified)
    }

    fn to_piece(&self, alone: bool) -> Piece {
        let reason = self.reason.as_deref().map(short);
        let (mut impact, mut action) = (None, None);
        match self.status {
            Status::NotAffected => impact = reason,
            _ => action = reason,
        }
        if self.status == Status::NotAffected && self.justification.is_none() && impact.is_none() {
            impact = Some("The document states no reason.".to_owned());
        }
        if self.status == Status::Affected && action.is_none() {
            action = Some(NO_ACTION.to_owned());
        }
        let aliases = (!self.aliases.is_empty()).then(|| self.aliases.clone().into());
        let vulnerability = object([
            ("name", Some(self.vulnerability.as_str().into())),
            ("aliases", aliases),
        ]);
        // Without a product a statement is about what its claim is about.
        let is_named = alone || self.product != Named::default();
        let products = self.product.products(self.part.as_ref(), alone);
        let statement = object([
            ("vulnerability", Some(vulnerability)),
            ("timestamp", self.timestamp.as_deref().map(Value::from)),
            ("products", is_named.then_some(Value::Array(products))),
            ("status", Some(self.status.as_str().into())),
            ("severity", self.ratings.to_value()),
            ("justification", self.justification.map(Value::from)),
            ("impact_statement", impact.map(Value::from)),
            ("action_statement", action.map(Value::from)),
        ]);
        let mut subjects = Subjects::default();
        for about in std::iter::once(&self.product).chain(&self.part) {
            about.suggest(&mut subjects);
        }
        Piece {
            statement,
            subjects,
        }
    }
}

/// A reason, not too long for a claim.
fn short(reason: &str) -> String {
    let mut short: String = reason.trim().chars().take(REASON).collect();
    if reason.trim().chars().nth(REASON).is_some() {
        short.push('…');
    }
    short
}

/// The justification of OpenVEX that a label of another format stands for.
fn justification(label: &str) -> Option<&'static str> {
    let plain: String = label.chars().filter(char::is_ascii_alphanumeric).collect();
    Some(match plain.to_ascii_lowercase().as_str() {
        "componentnotpresent" => "component_not_present",
        "vulnerablecodenotpresent" | "codenotpresent" => "vulnerable_code_not_present",
        "vulnerablecodenotinexecutepath" | "codenotreachable" => {
            "vulnerable_code_not_in_execute_path"
        }
        "vulnerablecodecannotbecontrolledbyadversary" => {
            "vulnerable_code_cannot_be_controlled_by_adversary"
        }
        "inlinemitigationsalreadyexist"
        | "protectedbycompiler"
        | "protectedatruntime"
        | "protectedbymitigatingcontrol" => "inline_mitigations_already_exist",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
