//! check-jsonschema of PyPI, with the schemas that it ships, as a judge of what is written for
//! other tools; and of the schema of policies, which editors read.

use super::deploy;
use assay_tests::aics::{require_python, run};
use std::{fs, path::Path, process::Command};

/// The files, and what they have to be by.
fn judged() -> Vec<(&'static [&'static str], &'static [&'static str])> {
    vec![
        (
            &["--builtin-schema", "vendor.github-actions"],
            &["github-action/action.yml"],
        ),
        (
            &["--builtin-schema", "vendor.gitlab-ci"],
            &["gitlab/assay.gitlab-ci.yml"],
        ),
        (
            &["--builtin-schema", "vendor.github-workflows"],
            &["../.github/workflows/ci.yml"],
        ),
        (
            &["--builtin-schema", "vendor.compose-spec"],
            &["compose.yaml", "node.compose.yaml"],
        ),
        (&["--check-metaschema"], &["../docs/policy.schema.json"]),
        (
            &["--schemafile", "../docs/policy.schema.json"],
            &["../core/policy/src/rules/starting.toml"],
        ),
    ]
}

fn judge(programs: &Path, by: &[&str], file: &Path) -> anyhow::Result<String> {
    let mut judge = Command::new(programs.join("check-jsonschema"));
    run(judge.args(by).arg(file).current_dir(deploy()))
}

#[test]
fn what_is_written_for_other_tools_is_as_their_schemas_want_it() -> anyhow::Result<()> {
    let Some(programs) = require_python("files as check-jsonschema judges them") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    for (by, files) in judged() {
        for file in files {
            judge(programs, by, Path::new(file))?;
            // The judge can say no.
            let name = Path::new(file).extension().unwrap_or_default();
            let broken = folder.path().join("broken").with_extension(name);
            let text = fs::read_to_string(deploy().join(file))?;
            let text = match name.to_str() {
                Some("json") => text.replacen("\"type\": \"object\"", "\"type\": 7", 1),
                _ => text
                    .replacen("\nversion = 1\n", "\nversion = \"one\"\n", 1)
                    .replacen("\nruns:", "\nran:", 1)
                    .replacen("\nservices:", "\nservices: 7\nx-services:", 1)
                    .replacen("\njobs:", "\nwork:", 1)
                    .replacen("  script:", "  scripts:", 1),
            };
            fs::write(&broken, text)?;
            assert!(judge(programs, by, &broken).is_err(), "{file}");
        }
    }
    Ok(())
}
