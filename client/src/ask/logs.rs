//! Which logs must answer, with which keys, and where they are.

use super::connection::How;
use crate::plain;
use assay_policy::rules::{Policy, RequiredLog};
use assay_tlog::note::VerifierKey;

/// A log that must answer.
#[derive(Debug, Clone)]
pub struct LogAddress {
    /// Its key; the key's name is its origin.
    pub key: VerifierKey,
    /// Keys that it signed with before. They verify the last head that was seen.
    pub older: Vec<VerifierKey>,
    /// Where it is. Only asking offline goes without.
    pub url: Option<String>,
    /// Nodes that mirror it, in the order in which they are asked if it does not answer.
    pub mirrors: Vec<String>,
}

/// Why it is not known which logs to ask.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogsError {
    /// The policy names no log, and neither does the caller.
    #[error("neither the policy nor the caller names a log to ask")]
    NoLog,
    /// Nobody states the key of a log that must answer.
    #[error("{}", unknown(.0, "the key"))]
    NoKey(String),
    /// Nobody states the address of a log that must answer.
    #[error("{}", unknown(.0, "the address (`url`)"))]
    NoAddress(String),
    /// The policy and the caller state different keys of this log.
    #[error("two different keys are stated of the log {}; one of them is wrong", plain(.0))]
    KeysDiffer(String),
}

fn unknown(origin: &str, what: &str) -> String {
    format!(
        "the policy demands that the log {} answers, and nothing says {what} of it; write it into \
         the policy's [[log]]",
        plain(origin)
    )
}

/// The logs that must answer: those that the policy names, or else the caller's `own`.
///
/// A log's key is the policy's, or that of `own` if its name is the log's. Its address is that of
/// `own` if `own` is this log, or else the policy's. Fails if one of the two is nowhere to be had,
/// an address being needed only to ask a node, or if both state different keys of one log.
pub fn required_logs(
    policy: &Policy,
    own: Option<&LogAddress>,
    how: How,
) -> Result<Vec<LogAddress>, LogsError> {
    if policy.logs().is_empty() {
        let own = own.ok_or(LogsError::NoLog)?;
        if own.url.is_none() && how != How::Offline {
            return Err(LogsError::NoLog);
        }
        return Ok(vec![own.clone()]);
    }
    let mut logs = Vec::with_capacity(policy.logs().len());
    for required in policy.logs() {
        let own = own.filter(|own| own.key.name() == required.origin);
        logs.push(required_log(policy, required, own, how)?);
    }
    Ok(logs)
}

/// One log of the policy; `own` is what the caller knows of it.
fn required_log(
    policy: &Policy,
    required: &RequiredLog,
    own: Option<&LogAddress>,
    how: How,
) -> Result<LogAddress, LogsError> {
    let origin = || required.origin.clone();
    let tlog = policy.tlog();
    let keys = || {
        tlog.iter()
            .flat_map(|tlog| tlog.keys_of_log(&required.origin))
    };
    // The last of several keys is the one that it signs with now.
    let key = match (keys().last(), own) {
        (Some(_), Some(own)) if keys().any(|key| *key == own.key) => &own.key,
        (Some(_), Some(_)) => return Err(LogsError::KeysDiffer(origin())),
        (Some(stated), None) => stated,
        (None, Some(own)) => &own.key,
        (None, None) => return Err(LogsError::NoKey(origin())),
    };
    let url = own
        .and_then(|own| own.url.clone())
        .or_else(|| required.url.clone());
    if url.is_none() && how != How::Offline {
        return Err(LogsError::NoAddress(origin()));
    }
    let mut mirrors = own.map_or(Vec::new(), |own| own.mirrors.clone());
    let stated = required.mirrors.iter();
    mirrors.extend(
        stated
            .filter(|url| !mirrors.contains(url))
            .cloned()
            .collect::<Vec<_>>(),
    );
    Ok(LogAddress {
        key: key.clone(),
        older: keys().filter(|other| *other != key).cloned().collect(),
        url,
        mirrors,
    })
}
