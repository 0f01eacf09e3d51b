//! `assay export vex`: what those say of vulnerabilities whose word clears.

use crate::{
    asking::{self, How},
    check::read,
    config::Settings,
    exit::Failure,
    options::Format,
    output, policy_file, time,
};
use assay_client::ask::Inventory;
use assay_client::report::export::{Publisher, VexExport, csaf, cyclonedx, openvex};
use assay_client::report::{Conclusion, Scales};
use assay_intake::components;
use clap::Args;

/// Most names that a message has of what is not in the document.
const NAMED: usize = 10;

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
    /// SBOMs and lock files, as `assay check` takes them, or package URLs with a version; - is
    /// stdin
    #[arg(required = true, value_name = "SBOM|LOCK|PURL")]
    of: Vec<String>,
    /// What the files are, if their names and contents do not say it; `assay check --help` lists
    /// the names
    #[arg(long, env = "ASSAY_FORMAT", value_name = "NAME", value_parser = read::format)]
    format: Option<components::Format>,
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
    let policy_path = settings.policy(None);
    let policy = policy_file::load(&policy_path)?;
    let mut listings = Vec::new();
    for of in &command.of {
        listings.push(read::named(of, command.format)?);
    }
    read::choose(&mut listings, &policy, false);
    let inventory = Inventory::new(listings);
    let asker = asking::asker(policy, settings, command.how)?;
    let asked = asker.components(&inventory).await;
    let asked = asking::heard(&asker, settings, asked).await?;
    let scales = Scales {
        policy: asker.policy(),
        policy_name: &policy_path.display().to_string(),
        now_ms: time::now_ms(),
    };
    let export = scales.vex(&inventory, &asked, product.as_ref());
    // What a log that must answer does not say could take back what the others say.
    let report = scales.components(inventory, &asked);
    if let Conclusion::Unanswered(_) | Conclusion::Failed(_) = report.conclusion() {
        return asking::conclude(&report);
    }
    say(&export, settings);
    write(&export, &publisher, settings)?;
    asking::submit_heads(&asker, settings).await;
    match export.incomplete.len() {
        0 => Ok(()),
        n => Err(Failure::NotMet(format!(
            "a log did not answer in full about {n} of the components, of which nothing is written"
        ))),
    }
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
            "not said of all components of that purl, so left out",
            &export.partial,
        ),
        ("not answered in full, so left out", &export.incomplete),
    ] {
        for one in list.iter().take(NAMED) {
            output::say(settings, &format!("{what}: {}", output::plain(one)));
        }
        if list.len() > NAMED {
            output::say(settings, &format!("{what}: {} more", list.len() - NAMED));
        }
    }
}
