//! The criteria of a store: what they mean, and which imply which (cargo-vet,
//! `book/src/audit-criteria.md`).

use assay_claims::json::Value;
use assay_claims::kind::PredicateError;
use assay_claims::kind::audit::Verdict;
use assay_claims::kind::node::{Node, quoted};
use std::collections::HashSet;

/// The criteria that every store knows. The second implies the first.
const BUILT_IN: [&str; 2] = ["safe-to-run", "safe-to-deploy"];

/// Longest text of what a criterion means that goes into a claim, in bytes.
const MEANING_BYTES: usize = 1024;

/// The criteria that a document defines.
pub(super) struct Criteria<'v>(Vec<Criterion<'v>>);

struct Criterion<'v> {
    name: &'v str,
    /// What it means: in words, or by a URL.
    meaning: &'v str,
    implies: Vec<&'v str>,
}

impl<'v> Criteria<'v> {
    pub fn read(root: &Node<'v, '_>) -> Result<Self, PredicateError> {
        let mut defined = Criteria(Vec::new());
        let Some(criteria) = root.get("criteria") else {
            return Ok(defined);
        };
        for (name, criterion) in criteria.members()? {
            let meaning = match criterion.optional_text("description")? {
                Some(description) => description,
                None => criterion.need("description-url")?.text()?,
            };
            let implies = criterion.get("implies");
            defined.0.push(Criterion {
                name,
                meaning,
                implies: implies.map_or(Ok(Vec::new()), |implies| one_or_more(&implies))?,
            });
        }
        for (name, criterion) in criteria.members()? {
            let implied = defined.0.iter().filter(|one| one.name == name);
            let mut implied = implied.flat_map(|one| &one.implies);
            if let Some(unknown) = implied.find(|implied| !defined.knows(implied)) {
                return Err(criterion.need("implies")?.fault(format!(
                    "names {}, which the document does not define",
                    quoted(unknown)
                )));
            }
        }
        Ok(defined)
    }

    /// Whether a criterion is one of cargo-vet's own, or defined.
    pub fn knows(&self, name: &str) -> bool {
        BUILT_IN.contains(&name) || self.0.iter().any(|one| one.name == name)
    }

    /// Checks that criteria which an entry names are known.
    pub fn check(&self, node: &Node<'_, '_>, named: &[&str]) -> Result<(), PredicateError> {
        match named.iter().position(|name| !self.knows(name)) {
            None => Ok(()),
            Some(at) => Err(node.fault(format!(
                "names {} (item {at}), which the document does not define",
                quoted(named.get(at).copied().unwrap_or_default())
            ))),
        }
    }

    /// What is met where these are: these, and what they imply over any number of steps. That
    /// `safe-to-deploy` implies `safe-to-run` everybody knows, and is not repeated.
    pub fn met(&self, stated: &[&str]) -> Vec<String> {
        self.closure(
            stated,
            |from, one| one.name == from,
            |one| one.implies.clone(),
        )
    }

    /// What is not met where these are not: these, and what implies them; and what that says of
    /// the whole.
    pub fn violated(&self, stated: &[&str]) -> (Verdict, Vec<String>) {
        let mut stated = stated.to_vec();
        if stated.contains(&BUILT_IN[0]) && !stated.contains(&BUILT_IN[1]) {
            stated.push(BUILT_IN[1]);
        }
        let all = self.closure(
            &stated,
            |from, one| one.implies.contains(&from),
            |one| vec![one.name],
        );
        let whole = all.iter().any(|name| BUILT_IN.contains(&name.as_str()));
        let verdict = if whole { Verdict::Fail } else { Verdict::Unmet };
        (verdict, all)
    }

    /// Those that are stated, and then those that a step leads to, each once.
    fn closure<'s>(
        &'s self,
        stated: &[&'s str],
        is_from: impl Fn(&str, &Criterion<'v>) -> bool,
        to: impl Fn(&'s Criterion<'v>) -> Vec<&'s str>,
    ) -> Vec<String> {
        let mut all: Vec<&str> = stated.to_vec();
        let mut known: HashSet<&str> = stated.iter().copied().collect();
        let mut next = 0;
        while let Some(from) = all.get(next).copied() {
            next += 1;
            for one in self.0.iter().filter(|one| is_from(from, one)) {
                for name in to(one) {
                    if known.insert(name) {
                        all.push(name);
                    }
                }
            }
        }
        all.into_iter().map(str::to_owned).collect()
    }

    /// What those criteria mean that an entry names. A text that is too long for a claim is left
    /// out.
    pub fn definitions(&self, stated: &[&str]) -> Vec<(String, String)> {
        let mut used = Vec::new();
        for one in self.0.iter().filter(|one| stated.contains(&one.name)) {
            let mut strange = one
                .meaning
                .chars()
                .filter(|c| c.is_control() && !"\n\r\t".contains(*c));
            if one.meaning.len() <= MEANING_BYTES && strange.next().is_none() {
                used.push((one.name.to_owned(), one.meaning.to_owned()));
            }
        }
        used
    }
}

/// A string, or a list of them.
pub(super) fn one_or_more<'v>(node: &Node<'v, '_>) -> Result<Vec<&'v str>, PredicateError> {
    match node.value() {
        Value::String(_) => Ok(vec![node.line()?]),
        _ => node.list(1, |item| item.line()),
    }
}
