//! `assay check`: what a project is made of, weighed by a policy.

use crate::{
    asking::{self, How},
    check::{
        question::{self, Question},
        read, system, text,
    },
    config::Settings,
    exit::Failure,
    input,
    options::Format,
    output,
};
use assay_client::ask::Inventory;
use assay_client::report::{
    BASELINE_BYTES, Baseline, FailOn, Gate, Report, json, markdown, sarif, vex,
};
use assay_intake::components;
use clap::{Args, builder::FalseyValueParser};
use std::path::{Path, PathBuf};

/// Check what a project is made of against your policy.
///
/// Every component that the files name is looked up, all in one question, in every log that your
/// policy names. The answers are verified, so that nothing can have been left out, and your policy
/// decides about each component. The first lines say in plain words what came of it.
///
/// Exit code 0: your policy is met. 1: the answers are genuine, and your policy is not met; this
/// includes answers that are too old or not complete, software that nobody knows if your policy
/// stops at it, and entries of the files that could not be identified, unless `unknown` of your
/// policy is "warn" or "allow"; with --fail-on or --baseline, something stops of what they leave.
/// 2: a file, the policy or an argument cannot be used. 3: a log that must answer cannot be
/// reached, or with --offline nothing was kept. 4: an answer does not verify, or a log was found to
/// misbehave.
#[derive(Debug, Args)]
pub struct Command {
    /// Lock files and SBOMs: Cargo.lock, package-lock.json, yarn.lock, pnpm-lock.yaml, uv.lock,
    /// poetry.lock, Pipfile.lock, requirements.txt with hashes, go.mod, composer.lock,
    /// Gemfile.lock, gradle.lockfile, packages.lock.json, CycloneDX, SPDX and more (see --format);
    /// programs of Go, or of Rust built by `cargo auditable`; folders, of which all is read that is
    /// known by its name; - is stdin
    #[arg(required_unless_present = "installed")]
    files: Vec<PathBuf>,
    /// Check the packages that dpkg, apk or rpm has installed on this system
    #[arg(long, env = "ASSAY_INSTALLED", value_parser = FalseyValueParser::new())]
    installed: bool,
    /// What the files are, if their names and contents do not say it: cargo.lock,
    /// package-lock.json, yarn.lock, pnpm-lock.yaml, bun.lock, deno.lock, conda-lock.yml,
    /// pixi.lock, uv.lock, poetry.lock, pylock.toml, pdm.lock, pipfile.lock, requirements.txt,
    /// go.mod, go.sum, composer.lock, gemfile.lock, pubspec.lock, podfile.lock, package.resolved,
    /// mix.lock, pom.xml, maven-dependency-tree, maven-dependency-tree-json, gradle.lockfile,
    /// verification-metadata.xml, packages.lock.json, project.assets.json, deps.json,
    /// packages.config, cyclonedx-json, cyclonedx-xml, spdx-2-json, spdx-2-yaml, spdx-3-json-ld,
    /// spdx-tag-value, syft-json, trivy-json, dpkg-status, apk-installed, rpm-database,
    /// cargo-auditable, go-build, purl-list
    #[arg(long, env = "ASSAY_FORMAT", value_name = "NAME", value_parser = read::format)]
    format: Option<components::Format>,
    /// Count the project's own packages, too: members of a workspace, dependencies by path, what an
    /// SBOM is about. Without it, what an SBOM is about counts if somebody speaks against it, and
    /// so do dependencies by path, which may be copies of what others publish
    #[arg(long, env = "ASSAY_OWN", value_parser = FalseyValueParser::new())]
    own: bool,
    /// The database of dpkg that --installed reads, or the folder status.d of an image [default:
    /// what this system has: /var/lib/dpkg/status, or else the database of apk or rpm]
    #[arg(long, env = "ASSAY_DPKG_STATUS", value_name = "FILE")]
    dpkg_status: Option<PathBuf>,
    /// The file that says whose the packages of a system's database are [default: that of the
    /// system in whose folders the database lies]
    #[arg(long, env = "ASSAY_OS_RELEASE", value_name = "FILE")]
    os_release: Option<PathBuf>,
    /// Stop only at what this report of before does not have, or has less bad: a file that
    /// `assay check` wrote with --output json or sarif. What is in it is still shown, and marked.
    /// A log that does not answer as it has to always stops
    #[arg(long, env = "ASSAY_BASELINE", value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Stop only at these, whatever your policy says of them: "affected" (a vulnerability that can
    /// be exploited), "vulnerable" (one that a scan found), "unsupported", "claim" (a claim that
    /// must not be), "requirement" (not met), "unknown", "undecided", "unidentified"; "low",
    /// "medium", "high" or "critical" for vulnerabilities from this severity on, of those that a
    /// rule of your policy finds. A log that does not answer as it has to always stops
    #[arg(
        long,
        env = "ASSAY_FAIL_ON",
        value_name = "WORDS",
        value_delimiter = ',',
        value_parser = FailOn::parse
    )]
    fail_on: Vec<FailOn>,
    /// List every component, and not only those that are not fine
    #[arg(long, env = "ASSAY_ALL", value_parser = FalseyValueParser::new())]
    all: bool,
    #[command(flatten)]
    how: How,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    refuse_unhonored(&command, settings)?;
    let gate = gate(&command)?;
    let (policy, policy_name) = question::policy(settings)?;
    let mut listings = Vec::new();
    if command.installed {
        listings.push(system::installed(
            command.dpkg_status.as_deref(),
            command.os_release.as_deref(),
        )?);
    }
    let how = read::How {
        format: command.format,
        os_release: command.os_release.as_deref(),
    };
    for file in &command.files {
        listings.extend(read::all(file, &how)?);
    }
    read::choose(&mut listings, &policy, command.own);
    let mut formats = listings.iter().map(|listing| listing.format);
    if settings.given.has("os_release") && !formats.any(read::is_of_a_system) {
        return Err(Failure::Usage(
            "--os-release says whose the packages of a system's database are, and none was named"
                .into(),
        ));
    }
    let inventory = Inventory::new(listings);
    let how = command.how;
    let question = Question::ask(&inventory, policy, policy_name, how, settings).await?;
    let report = Report {
        gate,
        ..question.scales().components(inventory, &question.asked)
    };
    write(&report, command.all, settings)?;
    question.submit_heads(settings).await;
    asking::conclude(&report)
}

/// What stops, if not what the policy says.
fn gate(command: &Command) -> Result<Gate, Failure> {
    let baseline = match &command.baseline {
        None => None,
        Some(path) => {
            let document = input::read(path, BASELINE_BYTES)?;
            let name = output::plain(&document.name);
            let baseline = Baseline::read(&name, &document.bytes);
            Some(baseline.map_err(|e| {
                let why = output::plain(&e.to_string());
                Failure::Usage(format!("the baseline {name}: {why}"))
            })?)
        }
    };
    Ok(Gate {
        fail_on: command.fail_on.clone(),
        baseline,
    })
}

/// Refuses options that would change nothing.
fn refuse_unhonored(command: &Command, settings: &Settings) -> Result<(), Failure> {
    let given = |id: &str| settings.given.has(id);
    let refuse = |words: &str| Err(Failure::Usage(words.to_owned()));
    if given("dpkg_status") && !command.installed {
        return refuse("--dpkg-status says what --installed reads; give that, too");
    }
    if given("format") && command.files.is_empty() {
        return refuse("--format says what files are; name one, too");
    }
    if given("all") && !settings.format.is_general() {
        return refuse("--all lists components in text and JSON; this format has its own rule");
    }
    let stdin = Path::new("-");
    let files = command.files.iter().chain(&command.baseline);
    let from_stdin = files.filter(|file| *file == stdin).count();
    if from_stdin + usize::from(settings.policy(None) == stdin) > 1 {
        return refuse("stdin can be read only once; name files for the others");
    }
    Ok(())
}

fn write(report: &Report, all: bool, settings: &Settings) -> Result<(), Failure> {
    match settings.format {
        Format::Text => output::text(&text::render(report, all)),
        Format::Json => output::json(&json::check(report)),
        Format::Sarif => output::json(&sarif::document(report)),
        Format::CyclonedxVex => output::json(&vex::document(report)),
        Format::Markdown => output::text(&markdown::render(report)),
        // Other commands' formats were refused.
        Format::Openvex
        | Format::Csaf
        | Format::Csaf2_1
        | Format::Ics
        | Format::Openeox
        | Format::Cle => Ok(()),
    }
}
