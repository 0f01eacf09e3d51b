//! The parts of a claim.

use super::relation::of_statement;
use crate::component::Component;
use assay_claims::claim::VerifiedClaim;
use assay_claims::kind::{self, Body};

/// The part of a claim that a line shows. Most claims have one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// The claim as a whole.
    Whole,
    /// The statement at this index of a VEX document.
    Statement(usize),
    /// A VEX document that names the component as a subject, and none of whose statements is about
    /// it.
    OtherProducts,
    /// The controls of the OSPS Baseline in a practice.
    Baseline,
    /// The SECURITY-INSIGHTS document in a practice.
    SecurityInsights,
    /// How data is handled, in a practice.
    DataHandling,
}

impl Part {
    /// The parts of a claim that are shown to somebody who asks about a component, or about none:
    /// at least one.
    pub(crate) fn of(body: &Body, component: Option<&Component>) -> Vec<Part> {
        match body {
            Body::Vex(vex) => {
                let about = vex.statements.iter().enumerate().filter(|(_, statement)| {
                    component.is_none_or(|one| of_statement(statement, one).is_some())
                });
                let parts: Vec<Part> = about.map(|(at, _)| Part::Statement(at)).collect();
                if parts.is_empty() {
                    vec![Part::OtherProducts]
                } else {
                    parts
                }
            }
            Body::Practice(practice) => {
                let mut parts = Vec::new();
                if practice.baseline.is_some() {
                    parts.push(Part::Baseline);
                }
                if practice.security_insights.is_some() {
                    parts.push(Part::SecurityInsights);
                }
                if practice.data.is_some() {
                    parts.push(Part::DataHandling);
                }
                parts
            }
            _ => vec![Part::Whole],
        }
    }

    /// The ids of the vulnerabilities that this part of a claim is about.
    pub(crate) fn vulnerabilities(self, claim: &VerifiedClaim) -> Vec<String> {
        match (self, claim.body()) {
            (Part::Statement(at), Body::Vex(vex)) => {
                let statement = vex.statements.get(at).into_iter();
                statement
                    .flat_map(|said| std::iter::once(&said.vulnerability).chain(&said.aliases))
                    .cloned()
                    .collect()
            }
            (Part::Whole, _) => kind::vulnerabilities(claim.statement()),
            _ => Vec::new(),
        }
    }
}
