//! What endoflife.date's API (v0, `/api/<product>.json`) answers: an array of release cycles.
//!
//! Its dates are whole days: a beginning becomes the first second of its day, an end the last, in UTC. Its `eol` is the
//! end of security support; the end of life is the end of `extendedSupport` where there is one, else the same. `false`
//! says that no end is known: `tba`. A cycle whose end is `true` (past, but nobody knows when) has no date to claim.

use super::{TBA, TYPE};
use crate::json::Value;
use crate::predicate::PredicateError;
use crate::predicate::document::{Document, DocumentError, Draft, Prepared, object};
use crate::predicate::node::Node;
use crate::predicate::subject::Subjects;
use crate::predicate::time;

/// Most cycles of a product: each becomes a claim. The product with the most has some hundreds.
const CYCLES: usize = 1000;

pub(super) fn prepare(document: &Document, cycles: &Node<'_, '_>, now: &str) -> Result<Vec<Prepared>, DocumentError> {
    let mut claims = Vec::new();
    for cycle in cycles.items()? {
        if claims.len() == CYCLES {
            return Err(cycles.fault(format!("holds more than {CYCLES} cycles")).into());
        }
        if let Some((predicate, summary)) = read(&cycle, now)? {
            let draft =
                Draft { predicate_type: TYPE.uris[0].into(), predicate, subjects: Subjects::default(), summary };
            claims.push(document.inline_or_referenced(draft, "application/json")?);
        }
    }
    if claims.is_empty() {
        return Err(cycles.fault("holds no release cycle whose end is a date or still open").into());
    }
    Ok(claims)
}

type Claim = (Value, Vec<(String, String)>);

fn read(cycle: &Node<'_, '_>, now: &str) -> Result<Option<Claim>, PredicateError> {
    let name = cycle.need("cycle")?.text()?;
    let Some(security) = end(&cycle.need("eol")?)? else { return Ok(None) };
    let extended = match cycle.get("extendedSupport") {
        Some(node) => end(&node)?.filter(|date| date != TBA),
        None => None,
    };
    let life = extended.unwrap_or_else(|| security.clone());
    let begun = match cycle.get("releaseDate") {
        Some(node) => Some(format!("{}T00:00:00Z", date(&node)?)),
        None => None,
    };
    let predicate = object([
        ("general_availability", begun.map(Value::from)),
        ("end_of_security_support", Some(security.as_str().into())),
        ("end_of_life", Some(life.as_str().into())),
        ("last_updated", Some(now.into())),
        ("versions", Some(object([("cycle", Some(name.into()))]))),
    ]);
    let summary = vec![
        ("release cycle".to_owned(), name.to_owned()),
        ("end of security support".to_owned(), security),
        ("end of life".to_owned(), life),
    ];
    Ok(Some((predicate, summary)))
}

/// The last second of the day of an end; `tba` for `false`; none for `true`.
fn end(node: &Node<'_, '_>) -> Result<Option<String>, PredicateError> {
    match node.value() {
        Value::Bool(true) => Ok(None),
        Value::Bool(false) => Ok(Some(TBA.into())),
        _ => Ok(Some(format!("{}T23:59:59Z", date(node)?))),
    }
}

fn date<'v>(node: &Node<'v, '_>) -> Result<&'v str, PredicateError> {
    let text = node.string()?;
    if time::is_date(text) { Ok(text) } else { Err(node.fault("is no date such as 2026-11-22")) }
}

#[cfg(test)]
mod tests {
    use crate::predicate::{check, prepare};

    const NOW: &str = "2026-11-22T18:41:48Z";

    #[test]
    fn each_cycle_with_a_known_end_becomes_a_claim() {
        let cycles = r#"[{"cycle":"3","releaseDate":"2024-09-18","eol":false,"latest":"3.0.1"},
            {"cycle":"2","releaseDate":"2022-09-18","eol":"2025-03-18","extendedSupport":"2027-03-18"},
            {"cycle":"1","eol":true}]"#;
        let prepared = prepare("lifecycle", "eol.json", cycles.as_bytes(), NOW).unwrap();
        let predicates: Vec<_> = prepared.iter().map(|p| p.predicate.to_json()).collect();
        assert_eq!(
            predicates,
            [
                r#"{"general_availability":"2024-09-18T00:00:00Z","end_of_security_support":"tba","end_of_life":"tba","last_updated":"2026-11-22T18:41:48Z","versions":{"cycle":"3"}}"#,
                r#"{"general_availability":"2022-09-18T00:00:00Z","end_of_security_support":"2025-03-18T23:59:59Z","end_of_life":"2027-03-18T23:59:59Z","last_updated":"2026-11-22T18:41:48Z","versions":{"cycle":"2"}}"#,
            ]
        );
        for claim in prepared {
            check(&claim.predicate_type, &claim.predicate).unwrap();
        }
    }

    #[test]
    fn what_is_no_list_of_cycles_is_refused() {
        for (text, place) in [
            ("[]", "$"),
            (r#"[{"cycle":"1","eol":true}]"#, "$"),
            (r#"[{"cycle":"1","eol":"soon"}]"#, "$[0].eol"),
            (r#"[{"cycle":1,"eol":false}]"#, "$[0].cycle"),
            (r#"[{"eol":false}]"#, "$[0].cycle"),
        ] {
            let error = prepare("lifecycle", "eol.json", text.as_bytes(), NOW).unwrap_err();
            assert_eq!(error.place(), place, "{error}");
        }
        let page = prepare("lifecycle", "deno.md", b"---\ntitle: Deno\n", NOW).unwrap_err();
        assert!(page.to_string().contains("api"), "{page}");
    }
}
