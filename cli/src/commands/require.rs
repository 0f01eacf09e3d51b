//! `assay require`: demanding something of packages.

use crate::{
    config::Settings,
    exit::Failure,
    publishing::{self, Draft, Signing},
    time,
};
use assay_claims::kind::requirement::Requirement;
use assay_claims::kind::{self, Timestamp};
use assay_claims::purl::Pattern;
use assay_intake::documents;
use clap::Args;

/// Demand claims or practices of packages, in public and signed.
#[derive(Debug, Args)]
pub struct Command {
    /// Of which packages: a package URL without a version (pkg:cargo/serde), or the beginning of
    /// some and a star (pkg:npm/%40angular/*)
    #[arg(required = true, value_name = "PATTERN", value_parser = Pattern::parse)]
    scope: Vec<Pattern>,
    /// A type of claim that is wanted: sbom, audit, … or a type URI; may be given several times
    #[arg(long, env = "ASSAY_CLAIM", value_name = "TYPE", value_parser = claim_type)]
    claim: Vec<String>,
    /// A practice that is wanted, by its id (OSPS-BR-01.01); may be given several times
    #[arg(long, env = "ASSAY_CONTROL", value_name = "ID")]
    control: Vec<String>,
    /// Until when: a day, or a date and time
    #[arg(long, env = "ASSAY_BY", value_name = "DATE", value_parser = time::last_instant)]
    by: Option<Timestamp>,
    /// The demand in plain words
    #[arg(long, env = "ASSAY_TEXT", value_name = "TEXT")]
    text: Option<String>,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let requirement = Requirement {
        scope: command.scope,
        claims: command.claim,
        controls: command.control,
        by: command.by,
        text: command.text,
    };
    publishing::publish(
        vec![Draft::of_arguments(requirement.statement())?],
        &command.signing,
        settings,
    )
    .await
}

/// A short name that is known, of a type of claims or a kind of documents, or a URI.
fn claim_type(text: &str) -> Result<String, String> {
    let types = kind::types().map(|known| known.name);
    let mut names: Vec<_> = types
        .chain(
            documents::KINDS
                .iter()
                .copied()
                .filter(|kind| *kind != "statement"),
        )
        .collect();
    names.sort_unstable();
    names.dedup();
    if text.contains(':') || names.contains(&text) {
        Ok(text.to_owned())
    } else {
        Err(format!(
            "{text:?} is no type of claim; there are {}, and URIs",
            names.join(", ")
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_is_a_known_name_or_a_uri() {
        assert!(claim_type("sbom").is_ok() && claim_type("https://e.org/x").is_ok());
        assert!(claim_type("sbomb").unwrap_err().contains("sbom, "));
    }
}
