//! How the logs are asked: the arguments, the log of the settings, and the clock.

pub use assay_client::one_line;

use crate::{config::Settings, exit::Failure, output, policy_file, time::now_ms};
use assay_client::Cel;
use assay_client::ask::{self, AboutError, AskError, Asker, LogAddress, LogsError};
use assay_client::report::{Conclusion, Report};
use assay_policy::rules::{Policy, STARTING};
use clap::{Args, builder::FalseyValueParser};

/// How the logs are asked.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct How {
    /// Ask nobody: take the answers that were kept when the same was asked before, verify them
    /// again, and say how old they are
    #[arg(
        long,
        env = "ASSAY_OFFLINE",
        value_parser = FalseyValueParser::new(),
        conflicts_with = "private"
    )]
    pub offline: bool,
    /// Name to the logs only the first bits of what you ask for, so that they do not learn what you
    /// use. It takes longer, and nothing is kept for --offline
    #[arg(long, env = "ASSAY_PRIVATE", value_parser = FalseyValueParser::new())]
    pub private: bool,
}

impl How {
    fn of_client(self) -> ask::How {
        match self {
            How { offline: true, .. } => ask::How::Offline,
            How { private: true, .. } => ask::How::Privately,
            How { .. } => ask::How::Openly,
        }
    }
}

/// Asks the logs that the policy names, or else the one of the settings.
///
/// Fails with [`Failure::Usage`] if key or address of a log is nowhere to be had.
pub fn asker(policy: Policy, settings: &Settings, how: How) -> Result<Asker, Failure> {
    let logs = logs(&policy, settings, how)?;
    Ok(asker_of(policy, logs, how, settings))
}

/// Asks these logs.
pub fn asker_of(policy: Policy, logs: Vec<LogAddress>, how: How, settings: &Settings) -> Asker {
    let (state_dir, tls) = (&settings.state_dir, &settings.tls);
    Asker::new(policy, logs, how.of_client(), now_ms(), state_dir, tls)
}

/// The logs that must answer: those that the policy names, or else the one of the settings.
pub fn logs(policy: &Policy, settings: &Settings, how: How) -> Result<Vec<LogAddress>, Failure> {
    let own = own_log(policy, settings, how)?;
    ask::required_logs(policy, own.as_ref(), how.of_client()).map_err(|error| match error {
        LogsError::KeysDiffer(origin) => Failure::Usage(format!(
            "the policy and --log-key state different keys of the log {}; one of them is wrong",
            output::plain(&origin)
        )),
        error => Failure::Usage(error.to_string()),
    })
}

/// The log of the settings. Only a policy that names no log needs it.
fn own_log(policy: &Policy, settings: &Settings, how: How) -> Result<Option<LogAddress>, Failure> {
    if !policy.logs().is_empty() {
        let Ok(key) = settings.log_key() else {
            return Ok(None);
        };
        let url = settings.log().ok();
        return Ok(Some(LogAddress { key, url }));
    }
    let url = if how.offline {
        settings.log().ok()
    } else {
        Some(settings.log()?)
    };
    let key = settings.log_key()?;
    Ok(Some(LogAddress { key, url }))
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::OfLog { origin, source } => Failure::OfLog { origin, source },
            AskError::Client(source) => Failure::Client(source),
            AskError::BrokenClaim { .. } => Failure::Failed(error.to_string()),
            AskError::Unanswered(_) => Failure::Unanswered(error.to_string()),
            AskError::Interrupted(source) => Failure::io(
                "a question to a log was interrupted",
                std::io::Error::other(source),
            ),
        }
    }
}

impl From<AboutError> for Failure {
    fn from(error: AboutError) -> Self {
        Failure::Usage(error.to_string())
    }
}

/// The reader's policy, or the one that everybody starts with, which is said.
pub fn policy_or_starting(settings: &Settings) -> Result<Policy, Failure> {
    if !settings.has_no_policy() {
        return policy_file::load(&settings.policy(None));
    }
    output::say(
        settings,
        "You have no policy, so the one to start with is used, which trusts nobody; `assay policy \
         init` makes yours.",
    );
    Policy::parse(STARTING, &Cel)
        .map_err(|e| Failure::Failed(format!("the policy to start with cannot be read: {e}")))
}

/// What the exit code is to say of a report (docs/design.md 4).
pub fn conclude(report: &Report) -> Result<(), Failure> {
    match report.conclusion() {
        Conclusion::Met => Ok(()),
        Conclusion::NotMet(why) => Err(Failure::NotMet(why)),
        Conclusion::Unanswered(why) => Err(Failure::Unanswered(why)),
    }
}
