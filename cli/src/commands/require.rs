//! `assay require`: demanding something of packages.

use crate::{
    config::Settings,
    exit::Failure,
    publishing::{self, Signing},
    time,
};
use assay_claims::kind::requirement::Requirement;
use assay_claims::kind::{self, Timestamp};
use assay_claims::purl::Pattern;
use clap::Args;
use std::collections::BTreeSet;

/// Demand claims or practices of packages, in public and signed.
#[derive(Debug, Args)]
pub struct Command {
    /// Of which packages: a package URL without version (pkg:cargo/serde), or the beginning of one
    /// and a star (pkg:npm/%40angular/*)
    #[arg(required = true, value_name = "PATTERN", value_parser = Pattern::parse)]
    scope: Vec<Pattern>,
    /// A type of claim to demand: sbom, audit, … or a type URI; may be given several times
    #[arg(long, env = "ASSAY_CLAIM", value_name = "TYPE", value_parser = claim_type)]
    claim: Vec<String>,
    /// A practice to demand, by its id (OSPS-BR-01.01); may be given several times
    #[arg(long, env = "ASSAY_CONTROL", value_name = "ID")]
    control: Vec<String>,
    /// By when: a day, or a date and time
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
    publishing::publish_arguments(requirement.statement(), &command.signing, settings).await
}

/// The short name of a type of claims, or of a kind of documents, or a URI.
fn claim_type(text: &str) -> Result<String, String> {
    let documents = kind::KINDS.iter().filter(|kind| **kind != "statement");
    let types = kind::TABLE.iter().map(|known| &known.name);
    let names: BTreeSet<&str> = types.chain(documents).copied().collect();
    if text.contains(':') || names.contains(text) {
        return Ok(text.to_owned());
    }
    let names: Vec<&str> = names.into_iter().collect();
    Err(format!(
        "{text:?} is not a type of claim; use {}, or a type URI",
        names.join(", ")
    ))
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
