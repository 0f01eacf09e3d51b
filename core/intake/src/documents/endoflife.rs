//! What endoflife.date's API answers of a product: in v0 (`/api/<product>.json`) an array of
//! release cycles, in v1 (`/api/v1/products/<product>/`) an object that holds the product and its
//! releases.
//!
//! Its dates are whole days: a beginning becomes the first second of its day, an end the last, in
//! UTC. The end that it calls `eol` is that of security support; the end of life is the end of
//! extended support where there is one, else the same. An end that is not past and has no date is
//! `tba`. A cycle whose end is past, but nobody says since when, had ended when the dates were last
//! looked at.

use super::draft::{Draft, Prepared, Summary};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use assay_claims::json::{Value, object};
use assay_claims::kind::lifecycle::TBA;
use assay_claims::kind::node::Node;
use assay_claims::kind::{Kind, PredicateError};
use assay_claims::time;

/// Answers of version 0: release cycles.
pub(super) const V0: Tool = Tool {
    takes: Takes::Value(|value| value.as_array().is_some()),
    prepare: prepare_v0,
};

/// Answers of version 1.
pub(super) const V1: Tool = Tool {
    takes: Takes::Value(|value| {
        value.get("result").is_some() && value.get("schema_version").is_some()
    }),
    prepare: prepare_v1,
};

/// The source of a product's page, which is refused with advice.
pub(super) const PAGE: Tool = Tool {
    takes: Takes::Bytes(|body| body.starts_with(b"---")),
    prepare: |_| {
        let advice =
            "publish what its API answers, https://endoflife.date/api/v1/products/<product>/";
        Err(DocumentError::NotTaken(format!(
            "product pages of endoflife.date are not taken: {advice}"
        )))
    },
};

/// Most cycles of a product: each becomes a claim. The product with the most has some hundreds.
const CYCLES: usize = 1000;

/// What becomes a claim of a cycle; dates are as predicates have them.
struct Cycle<'v> {
    name: &'v str,
    begun: Option<String>,
    sales: Option<String>,
    /// None if it is past, and nobody says since when; so with `life`.
    security: Option<String>,
    life: Option<String>,
}

/// What holds for all cycles of a product.
struct Product<'v> {
    label: Option<&'v str>,
    purls: Vec<&'v str>,
    last_updated: &'v str,
}

/// The claims of an answer of v0.
fn prepare_v0(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let product = Product {
        label: None,
        purls: vec![],
        last_updated: source.now,
    };
    prepare(source, &source.root(), &product, read_v0)
}

/// The claims of an answer of v1 of one product. Its purls are the subjects.
fn prepare_v1(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let answer = source.root();
    let result = answer.need("result")?;
    let Some(releases) = result.get("releases") else {
        let advice = "is no product with its releases: publish what the API answers to \
            /api/v1/products/<product>/";
        return Err(result.fault(advice).into());
    };
    let mut purls = Vec::new();
    if let Some(identifiers) = result.get("identifiers") {
        for identifier in identifiers.items()? {
            if identifier
                .need("type")?
                .string()?
                .eq_ignore_ascii_case("purl")
            {
                purls.push(identifier.need("id")?.text()?);
            }
        }
    }
    let last_updated = match answer.get("last_modified") {
        Some(modified) => modified.instant().and_then(|_| modified.string())?,
        None => source.now,
    };
    let label = result
        .optional_text("label")?
        .or(result.optional_text("name")?);
    let product = Product {
        label,
        purls,
        last_updated,
    };
    prepare(source, &releases, &product, read_v1)
}

fn prepare<'v>(
    source: &Source<'_>,
    cycles: &Node<'v, '_>,
    product: &Product<'_>,
    read: impl Fn(&Node<'v, '_>) -> Result<Cycle<'v>, PredicateError>,
) -> Result<Vec<Prepared>, DocumentError> {
    let mut claims = Vec::new();
    for cycle in cycles.items()? {
        if claims.len() == CYCLES {
            return Err(cycles
                .fault(format!("holds more than {CYCLES} cycles"))
                .into());
        }
        let draft = product.draft(read(&cycle)?);
        let document = source.document;
        claims.push(document.inline_or_referenced(draft, "application/json")?);
    }
    if claims.is_empty() {
        return Err(cycles.fault("holds no release cycle").into());
    }
    Ok(claims)
}

impl Product<'_> {
    fn draft(&self, cycle: Cycle<'_>) -> Draft {
        // What is past, and nobody says since when, was past when the dates were last looked at.
        let past = |end: Option<String>| end.unwrap_or_else(|| self.last_updated.to_owned());
        let (security, life) = (past(cycle.security), past(cycle.life));
        let mut subjects = Subjects::default();
        for purl in &self.purls {
            subjects.suggest(None, Some(purl), vec![]);
        }
        let predicate = object([
            ("general_availability", cycle.begun.map(Value::from)),
            ("end_of_sales", cycle.sales.map(Value::from)),
            ("end_of_security_support", Some(security.as_str().into())),
            ("end_of_life", Some(life.as_str().into())),
            ("last_updated", Some(self.last_updated.into())),
            (
                "product",
                self.label
                    .map(|label| object([("name", Some(label.into()))])),
            ),
            (
                "versions",
                Some(object([("cycle", Some(cycle.name.into()))])),
            ),
        ]);
        let mut summary = Summary::new();
        if let Some(label) = self.label {
            summary.push(("product".to_owned(), label.to_owned()));
        }
        summary.extend([
            ("release cycle".to_owned(), cycle.name.to_owned()),
            ("end of security support".to_owned(), security),
            ("end of life".to_owned(), life),
        ]);
        let mut draft = Draft::new(Kind::Lifecycle, predicate, subjects, summary);
        draft.bound_subjects();
        draft
    }
}

fn read_v0<'v>(cycle: &Node<'v, '_>) -> Result<Cycle<'v>, PredicateError> {
    let name = cycle_of(&cycle.need("cycle")?)?;
    let security = end(&cycle.need("eol")?)?;
    let extended = match cycle.get("extendedSupport") {
        Some(node) => end(&node)?.filter(|date| date != TBA),
        None => None,
    };
    Ok(Cycle {
        name,
        begun: beginning(cycle)?,
        sales: None,
        life: extended.or_else(|| security.clone()),
        security,
    })
}

/// What a cycle is called. Old answers have a number for `3.10`, whose text is meant.
fn cycle_of<'v>(node: &Node<'v, '_>) -> Result<&'v str, PredicateError> {
    match node.value() {
        Value::Number(number) => {
            let text = number.as_str();
            if text.contains(|c: char| !c.is_ascii_digit() && c != '.') {
                return Err(node.fault("is a number that no release cycle has"));
            }
            Ok(text)
        }
        _ => node.text(),
    }
}

/// v1 says of each end by a boolean whether it is past (`isEol`), and by a date or null when
/// (`eolFrom`).
fn read_v1<'v>(release: &Node<'v, '_>) -> Result<Cycle<'v>, PredicateError> {
    let name = release.need("name")?.text()?;
    let last_second = |key| {
        release
            .get(key)
            .map(|node| Ok(format!("{}T23:59:59Z", date(&node)?)))
            .transpose()
    };
    let past = release.need("isEol")?;
    let security = match (last_second("eolFrom")?, past.value().as_bool()) {
        (_, None) => return Err(past.fault("has to be true or false")),
        (None, Some(true)) => None,
        (None, Some(false)) => Some(TBA.to_owned()),
        (Some(date), _) => Some(date),
    };
    let life = last_second("eoesFrom")?.or_else(|| security.clone());
    Ok(Cycle {
        name,
        begun: beginning(release)?,
        sales: last_second("discontinuedFrom")?,
        security,
        life,
    })
}

/// The first second of the day of the release, which both versions spell alike.
fn beginning(cycle: &Node<'_, '_>) -> Result<Option<String>, PredicateError> {
    cycle
        .get("releaseDate")
        .map(|node| Ok(format!("{}T00:00:00Z", date(&node)?)))
        .transpose()
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
    if time::is_date(text) {
        Ok(text)
    } else {
        Err(node.fault("is no date such as 2026-11-22"))
    }
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;
    use assay_claims::kind::check;

    const NOW: &str = "2026-11-22T18:41:48Z";

    #[test]
    fn each_cycle_becomes_a_claim() {
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
                r#"{"end_of_security_support":"2026-11-22T18:41:48Z","end_of_life":"2026-11-22T18:41:48Z","last_updated":"2026-11-22T18:41:48Z","versions":{"cycle":"1"}}"#,
            ]
        );
        for claim in prepared {
            check(&claim.predicate_type, &claim.predicate).unwrap();
        }
    }

    #[test]
    fn a_cycle_that_is_a_number_is_called_as_it_is_written() {
        for (cycle, name) in [("3.10", "3.10"), ("8", "8"), (r#""8""#, "8")] {
            let text = format!(r#"[{{"cycle":{cycle},"eol":false}}]"#);
            let prepared = prepare("lifecycle", "eol.json", text.as_bytes(), NOW).unwrap();
            let predicate = prepared[0].predicate.to_json();
            let versions = format!(r#""versions":{{"cycle":"{name}"}}"#);
            assert!(predicate.contains(&versions), "{predicate}");
        }
    }

    #[test]
    fn what_is_no_list_of_cycles_is_refused() {
        for (text, place) in [
            ("[]", "$"),
            (r#"[{"cycle":"1","eol":"soon"}]"#, "$[0].eol"),
            (r#"[{"cycle":-1,"eol":false}]"#, "$[0].cycle"),
            (r#"[{"cycle":1e2,"eol":false}]"#, "$[0].cycle"),
            (r#"[{"cycle":null,"eol":false}]"#, "$[0].cycle"),
            (r#"[{"eol":false}]"#, "$[0].cycle"),
        ] {
            let error = prepare("lifecycle", "eol.json", text.as_bytes(), NOW).unwrap_err();
            assert_eq!(error.place(), place, "{error}");
        }
        let page = prepare("lifecycle", "deno.md", b"---\ntitle: Deno\n", NOW).unwrap_err();
        assert!(page.to_string().contains("api"), "{page}");
    }

    const V1: &str = r#"{"schema_version":"1.2.0","generated_at":"2026-01-02T00:00:00+00:00","last_modified":"2026-01-01T00:00:00+00:00",
        "result":{"name":"p","label":"P","identifiers":[{"type":"purl","id":"pkg:docker/library/p"},{"type":"cpe","id":"cpe:/a:p"},
        {"type":"purl","id":"pkg:generic/p"}],"links":{},"releases":[
        {"name":"3","releaseDate":"2024-09-18","isEol":false,"eolFrom":null,"isMaintained":true,"latest":null},
        {"name":"2","releaseDate":"2022-09-18","isEol":true,"eolFrom":"2025-03-18","isEoas":true,"eoasFrom":"2024-01-01",
         "isEoes":false,"eoesFrom":"2027-03-18","isDiscontinued":true,"discontinuedFrom":"2025-01-01"},
        {"name":"1","isEol":true,"eolFrom":null,"isEoes":null,"eoesFrom":null}]}}"#;

    #[test]
    fn a_product_of_v1_is_read_with_its_purls() {
        let prepared = prepare("lifecycle", "p.json", V1.as_bytes(), NOW).unwrap();
        let predicates: Vec<_> = prepared.iter().map(|p| p.predicate.to_json()).collect();
        assert_eq!(
            predicates,
            [
                r#"{"general_availability":"2024-09-18T00:00:00Z","end_of_security_support":"tba","end_of_life":"tba","last_updated":"2026-01-01T00:00:00+00:00","product":{"name":"P"},"versions":{"cycle":"3"}}"#,
                r#"{"general_availability":"2022-09-18T00:00:00Z","end_of_sales":"2025-01-01T23:59:59Z","end_of_security_support":"2025-03-18T23:59:59Z","end_of_life":"2027-03-18T23:59:59Z","last_updated":"2026-01-01T00:00:00+00:00","product":{"name":"P"},"versions":{"cycle":"2"}}"#,
                r#"{"end_of_security_support":"2026-01-01T00:00:00+00:00","end_of_life":"2026-01-01T00:00:00+00:00","last_updated":"2026-01-01T00:00:00+00:00","product":{"name":"P"},"versions":{"cycle":"1"}}"#,
            ]
        );
        for claim in prepared {
            check(&claim.predicate_type, &claim.predicate).unwrap();
            let uris: Vec<_> = claim
                .subjects
                .iter()
                .filter_map(|subject| subject.uri())
                .collect();
            assert_eq!(uris, ["pkg:docker/p", "pkg:generic/p"]);
        }
    }

    #[test]
    fn what_is_wrong_in_v1_is_named() {
        for (from, to, place) in [
            (r#""isEol":false,"#, "", "$.result.releases[0].isEol"),
            (
                r#""isEol":false"#,
                r#""isEol":"no""#,
                "$.result.releases[0].isEol",
            ),
            (
                r#""2025-03-18""#,
                r#""soon""#,
                "$.result.releases[1].eolFrom",
            ),
            (r#""2027-03-18""#, "true", "$.result.releases[1].eoesFrom"),
            (r#""name":"3""#, r#""name":3"#, "$.result.releases[0].name"),
            (r#""releases""#, r#""release""#, "$.result"),
            (
                r#"{"type":"cpe""#,
                r#"{"kind":"cpe""#,
                "$.result.identifiers[1].type",
            ),
            (
                r#""last_modified":"2026-01-01T00:00:00+00:00""#,
                r#""last_modified":"now""#,
                "$.last_modified",
            ),
        ] {
            assert!(V1.contains(from), "{from}");
            let error = prepare(
                "lifecycle",
                "p.json",
                V1.replacen(from, to, 1).as_bytes(),
                NOW,
            )
            .unwrap_err();
            assert_eq!(error.place(), place, "{error}");
        }
    }
}
