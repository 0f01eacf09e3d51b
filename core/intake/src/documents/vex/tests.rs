//! What documents of each format say.

mod csaf;
mod csaf_products;
mod cyclonedx;
mod rating;
mod spdx3;

use crate::documents::{DocumentError, Prepared, prepare};
use assay_claims::kind::vex::{Product, Vex};
use assay_claims::kind::{Kind, check};

const NOW: &str = "2026-11-22T18:41:48Z";

fn claims(kind: &str, text: &str) -> Result<Vec<Prepared>, DocumentError> {
    let claims = prepare(kind, "doc.json", text.as_bytes(), NOW)?;
    for claim in &claims {
        check(&claim.predicate_type, &claim.predicate).unwrap();
    }
    Ok(claims)
}

/// The statements of a document's claims, each in a line, and what they are about.
fn said(kind: &str, text: &str) -> (Vec<String>, Vec<String>) {
    let mut lines = Vec::new();
    let mut subjects = Vec::new();
    for claim in claims(kind, text).unwrap() {
        if Kind::of(&claim.predicate_type) != Kind::Vex {
            continue;
        }
        assert_eq!(claim.attachment.unwrap().bytes, text);
        let vex = Vex::parse(&claim.predicate).unwrap();
        for one in &vex.statements {
            let names: Vec<&str> = std::iter::once(&one.vulnerability)
                .chain(&one.aliases)
                .map(String::as_str)
                .collect();
            let products: Vec<String> = one.products.iter().map(named).collect();
            let why = one.justification.as_deref().unwrap_or("-");
            lines.push(format!(
                "{} {} {why} {}",
                names.join("="),
                one.status.as_str(),
                products.join(", ")
            ));
        }
        subjects.extend(
            claim
                .subjects
                .iter()
                .filter_map(|one| one.uri().map(str::to_owned)),
        );
    }
    (lines, subjects)
}

fn lines(kind: &str, text: &str) -> Vec<String> {
    said(kind, text).0
}

/// A product with its parts.
fn named(product: &Product) -> String {
    let mut name = product.name();
    for part in &product.parts {
        name.push_str(&format!(" > {}", part.name()));
    }
    name
}
