//! `assay export vex`: what those say of vulnerabilities whose word clears.

use super::left_out;
use crate::{
    asking::How,
    check::{
        question::{self, Named},
        read,
    },
    config::Settings,
    exit::Failure,
    options::Format,
    output,
};
use assay_client::report::export::{Publisher, VexExport, csaf, cyclonedx, openvex};
use clap::Args;

/// Write what trusted issuers say of vulnerabilities as VEX, which scanners read.
///
/// Only those count whose word clears under your policy: who is in `cleared_by` of each rule that
/// looks for found vulnerabilities, or where there is none, a maintainer, supplier, coordinator or
/// auditor. What they contradict each other in is left out, and said on stderr; so is whatever your
/// policy ignores, and what anybody else says. Each statement has who says it, in their own words,
/// and the claim by which it can be looked up. The same claims give the same document.
///
/// It is OpenVEX, unless --output says csaf (CSAF 2.0), csaf-2.1 or cyclonedx-vex. Scanners drop
/// what is `not_affected` or `fixed`: `trivy sbom --vex FILE`, `grype --vex FILE`. Where a scanner
/// asks for a product and its parts, as for an image, name the product with --product, if it is not
/// in the SBOM.
///
/// Exit code 0: it was written, also if nobody said anything. 1: not for every component, because
/// a log did not answer in full; or it is CSAF, which cannot be empty, and nobody said anything. 2:
/// a file, the policy or an argument cannot be used. 3: a log that must answer cannot be reached.
/// 4: an answer does not verify, or a log was found to misbehave.
#[derive(Debug, Args)]
pub struct Command {
    #[command(flatten)]
    named: Named,
    /// What the components are parts of, if not what the SBOM says
    #[arg(long, env = "ASSAY_PRODUCT", value_name = "PURL")]
    product: Option<String>,
    /// Who hands it on: the document's author
    #[arg(
        long,
        env = "ASSAY_PUBLISHER",
        value_name = "NAME",
        default_value = "assay export vex"
    )]
    publisher: String,
    /// An address of who hands it on, which CSAF wants
    #[arg(long, env = "ASSAY_NAMESPACE", value_name = "URL",
        default_value = env!("CARGO_PKG_REPOSITORY"))]
    namespace: String,
    #[command(flatten)]
    how: How,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let publisher = publisher(&command)?;
    let product = command.product.as_deref().map(read::purl).transpose()?;
    let policy = question::policy(settings)?;
    let (inventory, question) = command.named.ask(policy, command.how, settings).await?;
    let export = question
        .scales()
        .vex(&inventory, &question.asked, product.as_ref());
    question
        .hand_on(export.incomplete.len(), settings, || {
            say(&export, settings);
            write(&export, &publisher, settings)
        })
        .await
}

fn publisher(command: &Command) -> Result<Publisher, Failure> {
    let Command {
        publisher,
        namespace,
        ..
    } = command;
    let is_address = ["https://", "http://"].iter().any(|scheme| {
        let rest = namespace.strip_prefix(scheme);
        rest.is_some_and(|rest| !rest.is_empty())
    });
    if !is_address
        || namespace
            .chars()
            .any(|c| c.is_whitespace() || c.is_control())
    {
        return Err(Failure::Usage(
            "--namespace is an address, such as https://example.org".into(),
        ));
    }
    if publisher.trim().is_empty() {
        return Err(Failure::Usage(
            "--publisher is empty; name who hands it on".into(),
        ));
    }
    Ok(Publisher {
        name: output::plain(publisher),
        namespace: namespace.clone(),
    })
}

fn write(export: &VexExport, publisher: &Publisher, settings: &Settings) -> Result<(), Failure> {
    let csaf = |version| {
        csaf::document(export, publisher, version).ok_or_else(|| {
            let why = "nobody whose word clears under your policy says anything of these \
                components, and CSAF has no document of nothing";
            Failure::NotMet(why.into())
        })
    };
    output::json(&match settings.format {
        Format::Csaf => csaf(csaf::Version::V2_0)?,
        Format::Csaf2_1 => csaf(csaf::Version::V2_1)?,
        Format::CyclonedxVex => cyclonedx::document(export, publisher),
        _ => openvex::document(export, publisher),
    })
}

/// What the document has, and what it does not.
fn say(export: &VexExport, settings: &Settings) {
    let (all, clearing) = (export.statements.len(), export.clearing());
    let total = format!("statements: {all}, of which {clearing} let a scanner drop a finding");
    output::say(settings, &total);
    for (what, list) in [
        ("contradicted, so left out", &export.disputed),
        ("no purl to write it by, so left out", &export.unnamed),
        (
            "not said of all components that are taken for that purl, so left out",
            &export.partial,
        ),
        ("not answered in full, so left out", &export.incomplete),
    ] {
        left_out(what, list, settings);
    }
}
