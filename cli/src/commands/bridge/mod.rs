//! `assay bridge`: public data, republished as claims of an issuer that says so.

mod carry;
mod folder;
mod kept;
mod problems;
mod reading;
mod refusal;
mod survey;

use crate::{
    attested::{Trust, Trusted},
    config::Settings,
    exit::Failure,
    output,
    publishing::{Publisher, Signing},
    time,
};
use assay_client::{ClientError, Journal, plain};
use assay_intake::bridge::{self, BRIDGES, Bridge, Ledger, NoTrust, Owner, Plan, Verifier};
use assay_tlog::Hash;
use carry::{Carrier, Done};
use clap::{
    Args,
    builder::{FalseyValueParser, PossibleValue, PossibleValuesParser},
};
use folder::Folder;
use kept::Kept;
use problems::{Problem, Problems};
use reading::Maker;
use serde::Serialize;
use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};
use survey::{LeftOut, survey};

/// What is said where the node or the disk stops a run.
const STOPPED: &str = "what was done is remembered: the same command again does the rest";

/// Documents that are read at once, as many at a time as there are cores.
const TOGETHER: usize = 256;

/// Problems that are shown to people.
const SHOWN: usize = 20;

/// Republish a local copy of public data as claims of your own.
///
/// Publishes what is new, replaces what the source changed, and withdraws what it took back or does
/// not have any more. What was published is remembered in a file: the same command again does the
/// rest, and nothing twice. Each claim says that it is not the author's own words, and names the
/// source, the record, the SHA-256 of the document and its license.
///
/// Attestations of npm and PyPI become claims of how a release was built, as with `assay publish
/// provenance`, if they verify with the trusted root that you name. One that does not is left out
/// and named, with the step that failed.
#[derive(Debug, Args)]
pub struct Command {
    /// The source
    #[arg(value_parser = sources())]
    source: String,
    /// The folder with a copy of the source's data
    dir: PathBuf,
    /// The file that remembers what was published [default: in the state folder, one for each
    /// source, issuer and log]
    #[arg(long, env = "ASSAY_BRIDGE_STATE", value_name = "FILE")]
    state: Option<PathBuf>,
    /// Go on though the source has at most half of what it had, or less than half of the same
    /// records
    #[arg(long, env = "ASSAY_ALLOW_SHRINK", value_parser = FalseyValueParser::new())]
    allow_shrink: bool,
    #[command(flatten)]
    trusted: Trusted,
    #[command(flatten)]
    signing: Signing,
}

/// The sources. The list is that of their readers.
fn sources() -> PossibleValuesParser {
    let sources = BRIDGES
        .iter()
        .map(|bridge| PossibleValue::new(bridge.name).help(bridge.help));
    PossibleValuesParser::new(sources)
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let bridge = bridge::bridge(&command.source)
        .ok_or_else(|| Failure::Usage(format!("there is no bridge of {}", command.source)))?;
    let owner = Owner {
        bridge: bridge.name.to_owned(),
        issuer: command.signing.one_issuer(settings)?,
        log: settings.log_key()?.name().to_owned(),
    };
    let path = command.state_file(settings, &owner)?;
    let (mut journal, text) = Journal::open(&path).map_err(unusable)?;
    let ledger = Ledger::read(&text, &owner)
        .map_err(|e| Failure::Usage(format!("{}: {e}", plain(&path.display().to_string()))))?;
    let is_new = !text.contains('\n');
    let mut problems = Problems::default();
    let now = time::rfc3339(SystemTime::now());
    let folder = command.folder(bridge, &mut problems, settings)?;
    let trust = command.trust(bridge, settings)?;
    let verifier: &dyn Verifier = match &trust {
        Some(trust) => trust,
        None => &NoTrust,
    };
    let kept = Kept::default();
    let making = (!command.signing.is_dry_run()).then_some((&ledger, &kept));
    let (survey, left_out) = survey(&folder, bridge, (&*now, verifier), making, &mut problems)?;
    let plan = survey.plan(&ledger);
    command.refuse_shrunk(bridge, &plan)?;
    take_down_contested(&plan, &mut problems);
    let done = if command.signing.is_dry_run() {
        Done::planned(&plan)
    } else if plan.is_done() {
        Done::default()
    } else {
        if is_new {
            journal.append(&[owner.to_line()])?;
        }
        let maker = Maker {
            publisher: Publisher::connect(&command.signing, settings).await?,
            folder: &folder,
            bridge,
            verifier,
            now,
            kept,
        };
        let carrier = Carrier {
            maker,
            journal,
            ledger,
            done: Done::default(),
            problems: &mut problems,
            last: None,
        };
        let done = carrier.carry_out(&plan, &owner).await;
        done.inspect_err(|_| output::say(settings, STOPPED))?
    };
    if is_new && done.already_logged > 0 {
        warn_of_new_state(&done, &owner, settings);
    }
    report(&done, &plan, &left_out, &problems, settings)?;
    if_none(&problems)
}

/// Takes down of which records the source says two things.
fn take_down_contested(plan: &Plan, problems: &mut Problems) {
    for key in &plan.contested {
        problems.add(key, "is in two documents that say different things of it");
    }
}

/// Fails if there are problems.
fn if_none(problems: &Problems) -> Result<(), Failure> {
    match problems.count {
        0 => Ok(()),
        1 => Err(Failure::NotMet("1 problem; all else was done".into())),
        n => Err(Failure::NotMet(format!("{n} problems; all else was done"))),
    }
}

/// A state file that is not what it should be does not get better by waiting; one that another run
/// has does.
fn unusable(error: ClientError) -> Failure {
    match error {
        ClientError::State {
            what,
            path,
            source: Some(source),
        } => {
            let path = plain(&path.display().to_string());
            Failure::Usage(format!("{path}: {what}: {source}"))
        }
        error => error.into(),
    }
}

/// Says what a state file that was lost means.
fn warn_of_new_state(done: &Done, owner: &Owner, settings: &Settings) {
    let words = format!(
        "the state file is new, but {} claims were in the log already: what the source changed or \
         withdrew after they were published, and before now, is not withdrawn. Find it with assay \
         lookup {}",
        done.already_logged,
        owner.issuer.to_hex()
    );
    output::say(settings, &words);
}

impl Command {
    /// The source's folder. If nothing in it is the source's, says what would be.
    fn folder(
        &self,
        bridge: &'static Bridge,
        problems: &mut Problems,
        settings: &Settings,
    ) -> Result<Folder, Failure> {
        let folder = Folder::find(&self.dir, bridge, problems)?;
        if folder.places.is_empty() {
            let words = format!(
                "{} has no file of {}: their names end with {}",
                plain(&self.dir.display().to_string()),
                bridge.source,
                bridge.extensions.join(", ")
            );
            output::say(settings, &words);
        }
        Ok(folder)
    }

    /// Whom the person trusts to sign attestations, if the source has any.
    fn trust(&self, bridge: &Bridge, settings: &Settings) -> Result<Option<Trust>, Failure> {
        if bridge.is_attested {
            let root = self.trusted.root(settings);
            return root.map(|root| self.trusted.read(root)).transpose();
        }
        if self.trusted.is_named() {
            return Err(Failure::Usage(format!(
                "{} has no attestations that a trusted root could verify; leave --trusted-root out",
                bridge.source
            )));
        }
        Ok(None)
    }

    /// Where what was published is remembered.
    fn state_file(&self, settings: &Settings, owner: &Owner) -> Result<PathBuf, Failure> {
        if let Some(path) = &self.state {
            return Ok(path.clone());
        }
        if settings.forgets() {
            return Err(Failure::Usage(
                "without a state folder nothing says what was published; name a file with --state"
                    .into(),
            ));
        }
        let whose = Hash::of(owner.to_line().as_bytes()).to_hex();
        let short: String = whose.chars().take(16).collect();
        let name = format!("{}-{short}", owner.bridge);
        Ok(Path::new(&settings.state_dir).join("bridges").join(name))
    }

    /// Stops before anything is done if the source has at most half of what it had.
    fn refuse_shrunk(&self, bridge: &Bridge, plan: &Plan) -> Result<(), Failure> {
        match plan.shrunk.filter(|_| !self.allow_shrink) {
            None => Ok(()),
            Some(shrunk) => Err(Failure::NotMet(format!(
                "{} has {} now of the {} records that are published: nothing was done. Is it the \
                 right folder, and whole? If so, go on with --allow-shrink",
                bridge.source, shrunk.found, shrunk.held
            ))),
        }
    }
}

#[derive(Debug, Serialize)]
struct View<'v> {
    published: usize,
    replaced: usize,
    withdrawn: usize,
    unchanged: usize,
    nothing_to_claim: usize,
    not_verified: usize,
    claims: usize,
    already_logged: usize,
    problems: usize,
    first_problems: &'v [Problem],
}

fn report(
    done: &Done,
    plan: &Plan,
    left_out: &LeftOut,
    problems: &Problems,
    settings: &Settings,
) -> Result<(), Failure> {
    let view = View {
        published: done.published,
        replaced: done.replaced,
        withdrawn: done.withdrawn,
        unchanged: plan.unchanged,
        nothing_to_claim: plan.empty,
        not_verified: left_out.count(),
        claims: done.claims,
        already_logged: done.already_logged,
        problems: problems.count,
        first_problems: &problems.kept,
    };
    for problem in problems.kept.iter().take(SHOWN) {
        let (place, reason) = (plain(&problem.place), plain(&problem.reason));
        output::say(settings, &format!("{place}: {reason}"));
    }
    if problems.count > SHOWN {
        let more = problems.count - SHOWN;
        output::say(settings, &format!("and {more} more problems"));
    }
    if left_out.without_key > 0 {
        let words = format!(
            "{} attestations are left out: they are signed with a key that was not given, such as \
             {} (--trusted-keys)",
            left_out.without_key,
            plain(&left_out.key)
        );
        output::say(settings, &words);
    }
    output::data(settings, || text(&view), &view)
}

fn text(view: &View<'_>) -> String {
    let some = |label: &str, count: usize| match count {
        0 => String::new(),
        n => format!("\n{label}  {n}"),
    };
    let left_out = some("not verified", view.not_verified);
    let before = some(
        "claims of these that the log had already",
        view.already_logged,
    );
    format!(
        "published  {}\nreplaced   {}\nwithdrawn  {}\nunchanged  {}\nnothing to claim  \
         {}{left_out}{before}",
        view.published, view.replaced, view.withdrawn, view.unchanged, view.nothing_to_claim
    )
}
