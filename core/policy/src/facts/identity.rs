//! What statements and claims are about, each in one value: two with the same value are about the
//! same.

use assay_claims::kind::vex::{Product, VexStatement};
use assay_claims::statement::Subject;

/// What a statement is about, in one value: its products, or else its claim's subjects.
pub(super) fn products(of_claim: &[Subject], statement: &VexStatement) -> String {
    let mut names: Vec<String> = Vec::new();
    for product in &statement.products {
        let mut parts: Vec<String> = product.parts.iter().map(identity).collect();
        parts.sort();
        names.push(format!("{}\t{}", identity(product), parts.join("\t")));
    }
    if names.is_empty() {
        names = subjects(of_claim);
    }
    names.sort();
    names.join("\n")
}

/// What a product is identified by, in one value.
fn identity(product: &Product) -> String {
    format!("{} {}", product.ids.join(" "), digests(&product.digests))
}

/// What a claim is about, whatever the order and whatever its subjects are called.
pub(super) fn subjects(subjects: &[Subject]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for subject in subjects {
        let uri = subject.uri().unwrap_or_default();
        names.push(format!("{uri} {}", digests(subject.digests())));
    }
    names.sort();
    names
}

fn digests(digests: &[(String, String)]) -> String {
    let mut names: Vec<String> = digests
        .iter()
        .map(|(algorithm, value)| format!("{algorithm}:{value}"))
        .collect();
    names.sort();
    names.join(" ")
}
