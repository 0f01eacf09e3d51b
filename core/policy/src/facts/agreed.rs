//! What those whose word clears say of vulnerabilities in a component, each vulnerability once, for
//! whoever hands it on: what they agree on, and where they contradict each other.

use super::relation::of_statement;
use super::stated::{Stated, names};
use super::{Evidence, Facts, Part, Relation, Vulnerabilities, is_of_untold_versions};
use crate::component::Component;
use crate::rules::Whom;
use assay_claims::json::Value;
use assay_claims::kind::Body;
use assay_claims::kind::vex::{Status, VexStatement};
use std::collections::{BTreeMap, BTreeSet};

/// What is said of one vulnerability in a component.
#[derive(Debug, Clone, PartialEq)]
pub struct Agreed {
    /// All names that it goes by in these statements, as they are written, sorted.
    pub names: Vec<String>,
    /// Whether it applies, if nobody contradicts: of several that clear it `fixed`, of several that
    /// do not `affected`. `None` if some clear it and others do not.
    pub status: Option<Status>,
    /// Whether it is only said of the component as a part of its product.
    pub within: bool,
    /// Who says so, in the order of the claims' ids; at least one.
    pub said: Vec<Said>,
}

/// A statement by one issuer.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    /// The statement.
    pub statement: VexStatement,
    /// The same as its author wrote it.
    pub written: Value,
    /// Who wrote the document, in its own words. It proves nothing.
    pub author: String,
    /// When a log first held the issuer's word, in milliseconds since 1970.
    pub logged_ms: u64,
    /// The claim.
    pub evidence: Evidence,
}

/// Statements of one vulnerability, by the names that they have in common.
#[derive(Default)]
struct Group<'s, 'a> {
    folded: BTreeSet<String>,
    stated: Vec<&'s Stated<'a>>,
}

/// What those say whose word clears under each of `by`, of whom there is at least one. What anybody
/// says whose word clears under any of them keeps others from clearing.
pub(crate) fn agreed(facts: &Facts<'_>, by: &[Whom]) -> Vec<Agreed> {
    let all = Vulnerabilities::of(facts);
    let mut groups: Vec<Group<'_, '_>> = Vec::new();
    for stated in all.last_statements() {
        let clearing = is_clearing(stated, by);
        let against = stated.is_against() && by.iter().any(|by| stated.speaker.counts_against(by));
        if clearing || against {
            add(&mut groups, stated);
        }
    }
    let mut agreed: Vec<Agreed> = groups
        .iter()
        .filter_map(|group| of_group(group, facts, by))
        .collect();
    agreed.sort_by(|a, b| a.names.cmp(&b.names));
    agreed
}

fn is_clearing(stated: &Stated<'_>, by: &[Whom]) -> bool {
    stated.may_clear() && by.iter().all(|by| stated.speaker.makes_less(by))
}

/// Adds a statement to the groups, of which those become one that it has a name in common with.
fn add<'s, 'a>(groups: &mut Vec<Group<'s, 'a>>, stated: &'s Stated<'a>) {
    let mut group = Group {
        folded: names(stated.statement).collect(),
        stated: vec![stated],
    };
    let mut others = Vec::new();
    for other in groups.drain(..) {
        if other.folded.is_disjoint(&group.folded) {
            others.push(other);
        } else {
            group.folded.extend(other.folded);
            group.stated.extend(other.stated);
        }
    }
    others.push(group);
    *groups = others;
}

fn of_group(group: &Group<'_, '_>, facts: &Facts<'_>, by: &[Whom]) -> Option<Agreed> {
    let clearing = group.stated.iter().any(|stated| is_clearing(stated, by));
    let all = || group.stated.iter().copied();
    let against = all().any(|stated| stated.is_against() && !stated.is_kept_apart(all()));
    // Against the very thing: what is said of something like it keeps others from clearing, and is
    // no statement about this.
    let is_of_this = |stated: &&&Stated<'_>| {
        stated.statement.status.clears()
            || (stated.relation == Relation::This
                && !stated.of_whole
                && !is_of_untold_versions(stated.statement, facts.component))
    };
    let told: Vec<&Stated<'_>> = group.stated.iter().filter(is_of_this).copied().collect();
    let statuses = || told.iter().map(|stated| stated.statement.status);
    let status = match (clearing, against) {
        (true, true) => None,
        (true, false) if statuses().any(|one| one == Status::Fixed) => Some(Status::Fixed),
        (true, false) => Some(Status::NotAffected),
        (false, _) if statuses().any(|one| one == Status::Affected) => Some(Status::Affected),
        (false, _) => Some(Status::UnderInvestigation),
    };
    let shown = if status.is_none() {
        &group.stated
    } else {
        &told
    };
    let mut said: Vec<Said> = shown.iter().map(|stated| Said::new(stated)).collect();
    said.sort_by_key(|said| (said.evidence.claim, said.evidence.issuer));
    let mut spelled: BTreeMap<String, &str> = BTreeMap::new();
    for stated in shown {
        let statement = stated.statement;
        let names_ = std::iter::once(&statement.vulnerability).chain(&statement.aliases);
        for (folded, name) in names(statement).zip(names_) {
            let known = spelled.entry(folded).or_insert(name);
            *known = (*known).min(name);
        }
    }
    (!said.is_empty()).then(|| Agreed {
        names: spelled.into_values().map(str::to_owned).collect(),
        status,
        within: !shown.iter().any(|one| is_of_itself(one, facts.component)),
        said,
    })
}

/// Whether a statement is about the component wherever it is. Whoever makes the component may also
/// say something of it as a part of one product, or of what one BOM lists.
fn is_of_itself(stated: &Stated<'_>, component: &Component) -> bool {
    if stated.fact.of_product {
        return false;
    }
    (component.product().is_none() && component.bom().is_none())
        || of_statement(stated.statement, &component.alone()) == Some(Relation::This)
}

impl Said {
    fn new(stated: &Stated<'_>) -> Self {
        let statements = stated.fact.predicate.get("statements");
        let written = match stated.part {
            Part::Statement(at) => statements
                .and_then(Value::as_array)
                .and_then(|all| all.get(at)),
            _ => None,
        };
        let author = match stated.fact.body {
            Body::Vex(vex) => vex.author.clone(),
            _ => String::new(),
        };
        Said {
            statement: stated.statement.clone(),
            written: written.cloned().unwrap_or(Value::Null),
            author,
            logged_ms: stated.speaker.since_ms,
            evidence: stated.fact.evidence(stated.speaker),
        }
    }
}
