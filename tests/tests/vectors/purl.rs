//! package-url/purl-spec: its tests, and its definitions of types, which our table must agree with.
//!
//! Tests of the group `required` (in older files `base`) must pass; of the others it is printed how
//! many do.

use assay_claims::purl::{Components, Purl, PurlError};
use assay_tests::data;
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct File {
    tests: Vec<Test>,
}

#[derive(Deserialize)]
struct Test {
    description: String,
    test_group: String,
    test_type: TestType,
    input: Form,
    expected_output: Option<Form>,
    #[serde(default)]
    expected_failure: bool,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum TestType {
    Parse,
    Build,
    #[serde(alias = "roundtrip")]
    Validate,
}

/// A purl, or its decoded parts.
#[derive(Deserialize, Debug, PartialEq)]
#[serde(untagged)]
enum Form {
    Text(String),
    Parts(Parts),
}

#[derive(Deserialize, Debug, PartialEq, Default)]
struct Parts {
    #[serde(rename = "type")]
    ty: Option<String>,
    namespace: Option<String>,
    name: Option<String>,
    version: Option<String>,
    qualifiers: Option<BTreeMap<String, String>>,
    subpath: Option<String>,
}

impl From<Components> for Parts {
    fn from(components: Components) -> Self {
        Parts {
            ty: Some(components.ty),
            namespace: components.namespace,
            name: Some(components.name),
            version: components.version,
            qualifiers: Some(
                components
                    .qualifiers
                    .into_iter()
                    .collect::<BTreeMap<_, _>>(),
            )
            .filter(|q| !q.is_empty()),
            subpath: components.subpath,
        }
    }
}

impl From<&Parts> for Components {
    fn from(parts: &Parts) -> Self {
        Components {
            ty: parts.ty.clone().unwrap_or_default(),
            namespace: parts.namespace.clone(),
            name: parts.name.clone().unwrap_or_default(),
            version: parts.version.clone(),
            qualifiers: parts
                .qualifiers
                .clone()
                .unwrap_or_default()
                .into_iter()
                .collect(),
            subpath: parts.subpath.clone(),
        }
    }
}

/// What we make of a test's input.
fn outcome(test: &Test) -> Result<Form, PurlError> {
    match (&test.input, test.test_type) {
        (Form::Text(text), TestType::Parse) => {
            Purl::parse(text).map(|purl| Form::Parts(purl.components().into()))
        }
        (Form::Text(text), _) => Purl::canonicalize(text).map(|purl| Form::Text(purl.to_string())),
        (Form::Parts(parts), _) => {
            Purl::build(parts.into()).map(|purl| Form::Text(purl.to_string()))
        }
    }
}

fn passes(test: &Test, outcome: &Result<Form, PurlError>) -> bool {
    match (outcome, &test.expected_output) {
        (Err(_), _) => test.expected_failure,
        (Ok(Form::Parts(found)), Some(Form::Parts(expected))) => {
            let none = |parts: &Parts| parts.qualifiers.as_ref().is_none_or(BTreeMap::is_empty);
            let same = found.qualifiers == expected.qualifiers || (none(found) && none(expected));
            let [found, expected] =
                [found, expected].map(|p| (&p.ty, &p.namespace, &p.name, &p.version, &p.subpath));
            !test.expected_failure && same && found == expected
        }
        (Ok(found), Some(expected)) => !test.expected_failure && found == expected,
        (Ok(_), None) => false,
    }
}

#[test]
fn every_required_test_passes() {
    let Some(folder) = data::require("purl") else {
        return;
    };
    let (mut required, mut others, mut others_failed, mut failures) = (0, 0, 0, Vec::new());
    for path in ["spec", "types"]
        .iter()
        .flat_map(|kind| data::files(&folder.join(kind)))
    {
        let file: File = data::read_json(&path);
        assert!(!file.tests.is_empty(), "{}: no tests", path.display());
        for test in &file.tests {
            let outcome = outcome(test);
            let passed = passes(test, &outcome);
            let must = matches!(test.test_group.as_str(), "required" | "base");
            (required, others) = (required + usize::from(must), others + usize::from(!must));
            if !passed {
                let line = format!(
                    "{}: {}: {outcome:?}",
                    path.file_name().unwrap().display(),
                    test.description
                );
                if must {
                    failures.push(line)
                } else {
                    others_failed += 1;
                    println!("not required, and not passed: {line}");
                }
            }
        }
    }
    println!(
        "purl: {required} required tests; {} of {others} others pass",
        others - others_failed
    );
    assert!(required > 0);
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[derive(Deserialize)]
struct Definition {
    #[serde(rename = "type")]
    ty: String,
    examples: Vec<String>,
    namespace_definition: PartDefinition,
    name_definition: PartDefinition,
    #[serde(default)]
    qualifiers_definition: Vec<QualifierDefinition>,
}

#[derive(Deserialize, Default)]
struct PartDefinition {
    #[serde(default)]
    requirement: Requirement,
    case_sensitive: Option<bool>,
}

#[derive(Deserialize)]
struct QualifierDefinition {
    key: String,
    #[serde(default)]
    requirement: Requirement,
}

#[derive(Deserialize, Default, PartialEq, Clone, Copy)]
#[serde(rename_all = "lowercase")]
enum Requirement {
    #[default]
    Optional,
    Required,
    Prohibited,
}

/// Types with packages that their definitions have no purl for, and that every tool writes: Go's
/// standard library, and modules such as go4.org.
const WIDER: [&str; 1] = ["golang"];

/// Our table of types agrees with each definition's requirements and cases.
#[test]
fn types_follow_their_definitions() {
    let Some(folder) = data::require("purl") else {
        return;
    };
    let mut count = 0;
    for path in data::files(&folder.join("types-definitions")) {
        let definition: Definition = data::read_json(&path);
        let ty = &definition.ty;
        count += 1;
        assert!(!definition.examples.is_empty(), "{ty}");
        for example in &definition.examples {
            let purl = Purl::parse(example).unwrap_or_else(|e| panic!("{example}: {e}"));
            assert_eq!(purl.ty(), ty);
            let build = |edit: fn(&mut Components)| {
                let mut changed = purl.components();
                edit(&mut changed);
                Purl::build(changed)
            };
            let requirement = definition.namespace_definition.requirement;
            assert_eq!(
                build(|c| c.namespace = None).is_err(),
                requirement == Requirement::Required && !WIDER.contains(&ty.as_str()),
                "{ty}"
            );
            let spaced =
                build(|c| c.namespace = Some(c.namespace.take().unwrap_or_else(|| "n".into())));
            assert_eq!(
                spaced.is_err(),
                requirement == Requirement::Prohibited,
                "{ty}"
            );
            if definition.name_definition.case_sensitive == Some(false) {
                assert_eq!(
                    build(|c| c.name = c.name.to_uppercase()).as_ref(),
                    Ok(&purl),
                    "{ty}: name"
                );
            }
            if definition.namespace_definition.case_sensitive == Some(false) {
                let upper = build(|c| c.namespace = c.namespace.as_ref().map(|n| n.to_uppercase()));
                assert_eq!(upper.as_ref(), Ok(&purl), "{ty}: namespace");
            }
            for qualifier in &definition.qualifiers_definition {
                let mut without = purl.components();
                without.qualifiers.retain(|(key, _)| *key != qualifier.key);
                let required = qualifier.requirement == Requirement::Required;
                assert_eq!(
                    Purl::build(without).is_err(),
                    required,
                    "{ty}: {}",
                    qualifier.key
                );
            }
        }
    }
    println!("purl: {count} types");
    assert!(count > 0);
}

/// The rest of the folder is no input of a parser, but is read: an index that lists types, and
/// schemas.
#[test]
fn every_other_file_is_json() {
    let Some(folder) = data::require("purl") else {
        return;
    };
    for path in &data::files(&folder) {
        let tested_above = ["spec", "types", "types-definitions"]
            .iter()
            .any(|kind| path.starts_with(folder.join(kind)));
        if tested_above {
            continue;
        }
        let value: serde_json::Value = data::read_json(path);
        for ty in value
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|ty| ty.as_str())
        {
            let text = format!("pkg:{ty}/n/n?uuid=1&tag_id=1");
            let refused_for_its_type = match Purl::parse(&text) {
                // A type may have rules that these parts do not meet.
                Ok(_) | Err(PurlError::Rule { .. }) => false,
                Err(_) => true,
            };
            assert!(!refused_for_its_type, "{ty} is not a type");
        }
    }
}
