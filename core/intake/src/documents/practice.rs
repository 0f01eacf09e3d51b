//! `urn:assay:practice:v1` written by hand, in YAML or JSON.

use super::draft::{Draft, Prepared, Summary};
use super::error::DocumentError;
use super::subjects::Subjects;
use super::tool::{Source, Takes, Tool};
use assay_claims::json::Value;
use assay_claims::kind::Kind;
use assay_claims::kind::practice::{Baseline, Practice};

pub(super) const TOOL: Tool = Tool {
    takes: Takes::Value(is_practice),
    prepare,
};

fn is_practice(value: &Value) -> bool {
    ["baseline", "data", "securityInsights"]
        .iter()
        .any(|key| value.get(key).is_some_and(|part| !part.is_null()))
}

fn prepare(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let practice = Practice::read(&source.root())?;
    let draft = Draft::new(
        Kind::Practice,
        practice.to_value(),
        Subjects::default(),
        summary(&practice),
    );
    let document = source.document;
    Ok(vec![
        document.inline_or_referenced(draft, "application/yaml")?,
    ])
}

fn summary(practice: &Practice) -> Summary {
    let mut summary = Vec::new();
    if let Some(Baseline {
        met,
        not_met,
        not_applicable,
        ..
    }) = &practice.baseline
    {
        let counts = [
            (met, "met"),
            (not_met, "not met"),
            (not_applicable, "not applicable"),
        ];
        summary.extend(
            counts.map(|(ids, label)| (format!("controls {label}"), ids.len().to_string())),
        );
    }
    if let Some(data) = &practice.data {
        summary.push(("data".to_owned(), data.summary.clone()));
    }
    summary
}

#[cfg(test)]
mod tests {
    use crate::documents::prepare;
    use assay_claims::kind::practice::Practice;

    #[test]
    fn it_can_be_written_by_hand() {
        let text = "baseline:\n  met: [OSPS-AC-01.01]\ndata:\n  summary: None at all.\n  collects: \
            []\n  sendsTo: []\n";
        let prepared = prepare("practice", "p.yml", text.as_bytes(), "")
            .unwrap()
            .remove(0);
        assert!(
            Practice::parse(&prepared.predicate)
                .unwrap()
                .meets("OSPS-AC-01.01")
        );
        let error = prepare("practice", "p.yml", b"a: 1", "").unwrap_err();
        assert!(error.to_string().contains("SECURITY-INSIGHTS"), "{error}");
    }
}
