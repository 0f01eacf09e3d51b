//! Asking the logs that the policy names, or the one of the settings.

use crate::{commands::policy, config::Settings, exit::Failure, output, time};
use assay_client::{
    AnswerCache, Client, ClientError, Config,
    gather::{Gathered, Source, gather},
};
use assay_core::{
    index::Label,
    logged::LoggedClaim,
    note::VerifierKey,
    policy::{Answer, LogAnswer, Policy, STARTING},
};
use clap::{Args, builder::FalseyValueParser};

/// How logs are asked.
#[derive(Debug, Clone, Copy, Args)]
pub struct Reach {
    /// Ask nobody: answer from what was kept, and say how old it is
    #[arg(long, env = "ASSAY_OFFLINE", value_parser = FalseyValueParser::new())]
    pub offline: bool,
    /// Do not let the logs know which package is meant: ask by the beginnings of labels
    #[arg(long, env = "ASSAY_PRIVATE", conflicts_with = "offline", value_parser = FalseyValueParser::new())]
    pub private: bool,
}

/// The policy in force, and the logs to ask.
pub struct Asking {
    /// The policy: the reader's, or the one to start with.
    pub policy: Policy,
    /// How logs are asked.
    pub reach: Reach,
    logs: Vec<Log>,
}

/// A log, and where its answers come from.
struct Log {
    origin: String,
    source: Result<Source, ClientError>,
}

/// How one log answered.
pub struct Asked {
    /// Its origin.
    pub origin: String,
    /// All that it says, or why it did not answer.
    pub gathered: Result<Gathered, String>,
}

impl Asking {
    /// Reads the policy and connects to the logs. A log that cannot be reached is asked later, and does not answer.
    pub async fn new(settings: &Settings, reach: Reach) -> Result<Self, Failure> {
        let policy = load(settings)?;
        let mut logs = Vec::new();
        for (url, key) in places(&policy, settings)? {
            let origin = key.name().to_owned();
            let source = source(url, key, reach, settings).await;
            logs.push(Log { origin, source });
        }
        Ok(Asking { policy, reach, logs })
    }

    /// Gathers all that bears on the labels, from every log. Fails with the first answer that does not verify; and, if no log
    /// answers, with the reason of the first.
    pub async fn ask(&self, labels: &[Label]) -> Result<Vec<Asked>, Failure> {
        let mut asked = Vec::new();
        let mut first = None;
        for log in &self.logs {
            let gathered = match &log.source {
                Ok(source) => gather(source, labels.iter().copied()).await,
                Err(error) => Err(ClientError::Unavailable { what: error.to_string(), source: None }),
            };
            let gathered = match gathered {
                Ok(gathered) => Ok(gathered),
                Err(error @ (ClientError::Unavailable { .. } | ClientError::Refused { .. })) => {
                    let why = error.to_string();
                    first.get_or_insert(error);
                    Err(why)
                }
                Err(error) => return Err(error.into()),
            };
            asked.push(Asked { origin: log.origin.clone(), gathered });
        }
        match first {
            Some(error) if asked.iter().all(|asked| asked.gathered.is_err()) => Err(error.into()),
            _ => Ok(asked),
        }
    }

    /// The clients of the logs that can be asked one by one: not offline, and not privately.
    pub fn clients(&self) -> impl Iterator<Item = &Client> {
        self.logs.iter().filter_map(|log| match &log.source {
            Ok(Source::Node(client, _)) => Some(client),
            _ => None,
        })
    }
}

/// What the policy is told of the answers.
pub fn answers(asked: &[Asked]) -> Vec<LogAnswer> {
    let answer = |gathered: &Result<Gathered, String>| match gathered {
        Err(why) => Answer::None { why: why.clone() },
        Ok(gathered) => match (&gathered.checkpoint, &gathered.missing) {
            (None, missing) => Answer::None { why: missing.clone().unwrap_or_else(|| "nothing came".to_owned()) },
            (Some(_), None) => Answer::Complete { head_at_ms: gathered.head_at_ms },
            (Some(_), Some(missing)) => Answer::Partial { head_at_ms: gathered.head_at_ms, missing: missing.clone() },
        },
    };
    asked.iter().map(|asked| LogAnswer { origin: asked.origin.clone(), answer: answer(&asked.gathered) }).collect()
}

/// All claims of all answers.
pub fn claims(asked: &[Asked]) -> Vec<LoggedClaim> {
    asked.iter().filter_map(|asked| asked.gathered.as_ref().ok()).flat_map(|gathered| gathered.claims.clone()).collect()
}

/// The reader's policy, or the one that everybody starts with, which is said.
fn load(settings: &Settings) -> Result<Policy, Failure> {
    let path = settings.policy(None);
    if path.exists() {
        return policy::load(&path);
    }
    output::say(
        settings,
        "You have no policy, so the one to start with is used: it trusts nobody. `assay policy init` makes yours.",
    );
    Policy::parse(STARTING, &assay_client::Cel).map_err(|e| Failure::Usage(format!("the policy to start with: {e}")))
}

/// Where the logs are, and their keys.
fn places(policy: &Policy, settings: &Settings) -> Result<Vec<(String, VerifierKey)>, Failure> {
    let _ = policy;
    Ok(vec![(settings.log()?, settings.log_key()?)])
}

async fn source(url: String, log_key: VerifierKey, reach: Reach, settings: &Settings) -> Result<Source, ClientError> {
    let cache = AnswerCache::new(&settings.state_dir, &log_key);
    if reach.offline {
        return Ok(Source::Kept(cache));
    }
    let (state_dir, tls) = (settings.state_dir.clone(), settings.tls.clone());
    let client = Client::connect(Config { url, log_key, state_dir, tls }).await?;
    Ok(if reach.private { Source::Private(client) } else { Source::Node(client, Some(cache)) })
}

/// The time, in milliseconds since 1970.
pub fn now_ms() -> u64 {
    time::now_ms()
}
