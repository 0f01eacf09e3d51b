//! Asking the logs that a policy names, for the commands that look software up; and the words for
//! what they answer.
//!
//! Every log that the policy names is asked, each at its own address, all at the same time. A log
//! that does not answer is said to be missing, and never passed over; an answer that does not
//! verify ends the command, naming its log.

pub use assay_client::one_line;
pub use assay_client::report::words::{ago, at};

use crate::{config::Settings, exit::Failure, output};
use assay_claims::index::{Kind, Label};
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;
use assay_claims::purl::Purl;
use assay_client::{
    AnswerCache, Client, ClientError, Config,
    gather::{Gathered, Source, gather},
};
use assay_policy::Component;
use assay_policy::rules::Policy;
use assay_policy::trust::Trust;
use assay_policy::verdict::{Answer, LogAnswer};
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::TlogPolicy;
use clap::{Args, builder::FalseyValueParser};
use std::{
    collections::BTreeSet,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::task::JoinHandle;

/// Algorithms whose digests are labels of the index.
const INDEXED: [&str; 3] = ["sha256", "sha512", "gitCommit"];

/// How the logs are asked.
#[derive(Debug, Clone, Copy, Default, Args)]
pub struct How {
    /// Ask nobody: take the answers that were kept when the same was asked before, verify them
    /// again, and say how old they are
    #[arg(long, env = "ASSAY_OFFLINE", value_parser = FalseyValueParser::new(), conflicts_with = "private")]
    pub offline: bool,
    /// Name to the logs only the first bits of what you ask for, so that they do not learn what you
    /// use. It takes longer, and nothing is kept for --offline
    #[arg(long, env = "ASSAY_PRIVATE", value_parser = FalseyValueParser::new())]
    pub private: bool,
}

/// A log that must answer.
#[derive(Debug, Clone)]
pub struct Log {
    /// Its key; the key's name is its origin.
    pub key: VerifierKey,
    /// Where it is. Only asking offline goes without.
    pub url: Option<String>,
}

/// What one log answered.
#[derive(Debug)]
pub struct AskedLog {
    /// Which.
    pub log: Log,
    /// Its answer, for the policy to weigh.
    pub answer: Answer,
    /// What came of it; nothing if there was no answer.
    pub gathered: Gathered,
    /// The witnesses of the policy that confirmed the answer's head.
    pub witnesses: Vec<String>,
    /// Whether it could not be reached, or nothing was kept of it.
    pub unreachable: bool,
}

/// What all logs answered.
#[derive(Debug, Default)]
pub struct Asked {
    /// Each log, in the policy's order.
    pub logs: Vec<AskedLog>,
}

impl Asked {
    /// The answers, as a policy weighs them.
    pub fn answers(&self) -> Vec<LogAnswer> {
        self.logs
            .iter()
            .map(|asked: &AskedLog| LogAnswer {
                origin: asked.origin().to_owned(),
                answer: asked.answer.clone(),
            })
            .collect()
    }

    /// The claims of all logs.
    pub fn claims(&self) -> impl Iterator<Item = &LoggedClaim> {
        self.logs.iter().flat_map(|asked| &asked.gathered.claims)
    }

    /// The logs that could not be reached, or of which nothing was kept.
    pub fn unreachable(&self) -> impl Iterator<Item = &AskedLog> {
        self.logs.iter().filter(|asked| asked.unreachable)
    }
}

impl AskedLog {
    /// The log's origin.
    pub fn origin(&self) -> &str {
        self.log.key.name()
    }

    /// Entries of the log that the answer is complete as of.
    pub fn size(&self) -> Option<u64> {
        self.gathered
            .checkpoint
            .as_ref()
            .map(|checkpoint| checkpoint.size().get())
    }

    /// When the answer's head was made, in milliseconds since 1970.
    pub fn head_at_ms(&self) -> Option<u64> {
        match &self.answer {
            Answer::Complete { head_at_ms } | Answer::Partial { head_at_ms, .. } => {
                Some(*head_at_ms)
            }
            Answer::None { .. } => None,
        }
    }
}

/// The labels under which claims about a component stand: its version, its package, and its
/// artifacts.
pub fn labels(component: &Component) -> Vec<Label> {
    let indexed = component
        .digests()
        .iter()
        .filter(|(algorithm, _)| INDEXED.contains(&algorithm.as_str()));
    let of_digests =
        indexed.map(|(algorithm, hex)| Label::new(Kind::Digest, &format!("{algorithm}:{hex}")));
    component
        .purl()
        .into_iter()
        .flat_map(|purl: &Purl| {
            let version = purl
                .version()
                .map(|_| Label::new(Kind::Version, purl.without_qualifiers()));
            version
                .into_iter()
                .chain([Label::new(Kind::Package, purl.without_version())])
        })
        .chain(of_digests)
        .collect()
}

/// The logs that must answer: those that the policy names, or else the one of the settings.
///
/// A log's key is the policy's, or that of `--log-key` if its name is the log's. Its address is
/// `--log` if `--log-key` is of this log, or else the policy's. Fails with [`Failure::Usage`] if
/// one of the two is nowhere to be had, or if both state different keys of one log.
pub fn logs(policy: &Policy, settings: &Settings, how: How) -> Result<Vec<Log>, Failure> {
    let unknown = |origin: &str, what: &str| {
        Failure::Usage(format!(
            "the policy demands that the log {} answers, and nothing says {what} of it; write it \
             into the policy's [[log]]",
            output::plain(origin)
        ))
    };
    if policy.logs().is_empty() {
        let url = if how.offline {
            settings.log().ok()
        } else {
            Some(settings.log()?)
        };
        return Ok(vec![Log {
            key: settings.log_key()?,
            url,
        }]);
    }
    // Without a key of the policy's own, an absent key of the settings is an error, and not before.
    let ours = settings.log_key();

    policy.logs().iter().map(|required: &assay_policy::rules::RequiredLog| {
        let ours = ours.as_ref().ok().filter(|key| key.name() == required.origin);
        let stated = policy.tlog().and_then(|tlog| tlog.log(&required.origin)).map(|known| &known.key);
        if let (Some(stated), Some(ours)) = (stated, ours)
            && stated != ours
        {
            return Err(Failure::Usage(format!(
                "the policy and --log-key state different keys of the log {}; one of them is wrong",
                output::plain(&required.origin)
            )));
        }
        let key = stated.or(ours).ok_or_else(|| unknown(&required.origin, "the key"))?.clone();
        let url = ours.and_then(|_| settings.log().ok()).or_else(|| required.url.clone());
        if url.is_some() || how.offline { Ok(Log { key, url }) } else { Err(unknown(&required.origin, "the \
            address (`url`)")) }
    }).collect()
}

/// Asks every log for all that bears on `labels`.
///
/// Fails with [`Failure::OfLog`] if an answer does not verify, and if this machine cannot keep or
/// read answers. A log that cannot be reached is no failure of this function: its [`Answer`] says
/// so.
pub async fn ask(
    policy: &Policy,
    labels: &[Label],
    how: How,
    settings: &Settings,
) -> Result<Asked, Failure> {
    let mut tasks: Vec<(Log, JoinHandle<_>)> = Vec::new();
    for log in logs(policy, settings, how)? {
        let (labels, settings, asked) = (labels.to_vec(), settings.clone(), log.clone());
        tasks.push((
            log,
            tokio::spawn(async move { ask_one(&asked, labels, how, &settings).await }),
        ));
    }
    let mut asked = Asked::default();
    for (log, task) in tasks {
        let gathered = task.await.map_err(|e| {
            Failure::io(
                "a question to a log was interrupted",
                std::io::Error::other(e),
            )
        })?;
        asked.logs.push(answered(policy, log, gathered, how)?);
    }
    Ok(asked)
}

async fn ask_one(
    log: &Log,
    labels: Vec<Label>,
    how: How,
    settings: &Settings,
) -> Result<Gathered, ClientError> {
    let cache = AnswerCache::new(&settings.state_dir, &log.key);
    let source = match &log.url {
        Some(url) if !how.offline => {
            let client = Client::connect(Config {
                url: url.clone(),
                log_key: log.key.clone(),
                state_dir: settings.state_dir.clone(),
                tls: settings.tls.clone(),
            })
            .await?;
            if how.private {
                Source::Private(client)
            } else {
                Source::Node(client, Some(cache))
            }
        }
        _ => Source::Kept(cache),
    };
    gather(&source, labels).await
}

/// What an answer is worth: verified, and confirmed by as many witnesses as the policy asks for.
fn answered(
    policy: &Policy,
    log: Log,
    gathered: Result<Gathered, ClientError>,
    how: How,
) -> Result<AskedLog, Failure> {
    let origin = log.key.name().to_owned();
    let silent = |log, why: String, unreachable| {
        let (gathered, witnesses) = Default::default();
        AskedLog {
            log,
            answer: Answer::None { why },
            gathered,
            witnesses,
            unreachable,
        }
    };
    let gathered = match gathered {
        Ok(gathered) => gathered,
        Err(error @ (ClientError::Unavailable { .. } | ClientError::Refused { .. })) => {
            return Ok(silent(log, one_line(&error), true));
        }
        Err(source) => return Err(Failure::OfLog { origin, source }),
    };
    if let Some((leaf, error)) = gathered.broken.first() {
        return Err(Failure::Failed(format!(
            "the log {} holds a claim at entry {leaf} that does not verify, and should never have \
             taken it: {error}; do not rely on this log until its operator explains it",
            output::plain(&origin)
        )));
    }
    if gathered.checkpoints.is_empty() {
        let nothing = "no answer to this question was kept; ask once without --offline";
        let why = gathered
            .missing
            .clone()
            .unwrap_or_else(|| nothing.to_owned());
        return Ok(silent(log, why, how.offline));
    }
    let (witnesses, cosigned_at_ms) = match witnessed(policy, &log.key, &gathered) {
        Ok(witnessed) => witnessed,
        Err(why) => return Ok(silent(log, why, false)),
    };
    let head_at_ms = cosigned_at_ms.unwrap_or(gathered.head_at_ms);
    let answer = match gathered.missing.clone() {
        None => Answer::Complete { head_at_ms },
        Some(missing) => Answer::Partial {
            head_at_ms,
            missing,
        },
    };
    Ok(AskedLog {
        log,
        answer,
        gathered,
        witnesses,
        unreachable: false,
    })
}

/// The witnesses that confirmed every head of an answer, and when a quorum of them had, in
/// milliseconds since 1970; why not, if they are fewer than the policy asks for.
fn witnessed(
    policy: &Policy,
    key: &VerifierKey,
    gathered: &Gathered,
) -> Result<(Vec<String>, Option<u64>), String> {
    let Some(tlog) = policy.tlog().filter(|tlog| tlog.quorum().is_some()) else {
        return Ok(Default::default());
    };
    let tlog: TlogPolicy = tlog.with_log(key);
    let mut witnesses: Option<BTreeSet<String>> = None;
    let mut cosigned_at: Option<u64> = None;
    for checkpoint in &gathered.checkpoints {
        let quorum = tlog
            .verify(checkpoint.note())
            .map_err(|e| format!("not enough of your witnesses confirm what it shows ({e})"))?;
        let now: BTreeSet<String> = quorum.witnesses().iter().cloned().collect();
        witnesses = Some(witnesses.map_or(now.clone(), |before| &before & &now));
        cosigned_at = cosigned_at
            .min(quorum.cosigned_at())
            .or(quorum.cosigned_at());
    }
    let milliseconds = cosigned_at.map(|seconds| seconds.saturating_mul(1000));
    Ok((
        witnesses.unwrap_or_default().into_iter().collect(),
        milliseconds,
    ))
}

/// The time, in milliseconds since 1970.
pub fn now_ms() -> u64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(now.as_millis()).unwrap_or(u64::MAX)
}

/// Who somebody is, for people: what the policy calls it, else what it calls itself, else the
/// beginning of its id. A name that it gave itself stands in quotes, with the id: it proves
/// nothing.
pub fn who(issuer: &IssuerId, policy: &Policy, trust: &Trust<'_>) -> String {
    if let Some(anchor) = policy
        .anchors()
        .iter()
        .find(|named| named.anchor.issuer == *issuer)
    {
        return output::plain(&anchor.name);
    }
    let id: String = issuer.to_hex().chars().take(12).collect();
    match trust.name(issuer) {
        Some(name) => format!("\"{}\" ({id}…)", output::plain(name)),
        None => format!("issuer {id}…"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_is_asked_for_by_version_package_and_indexed_digests() {
        let purl = Purl::canonicalize("pkg:deb/debian/curl@7.1?arch=amd64").unwrap();
        let digests = [("sha256", "aa"), ("sha1", "bb"), ("gitCommit", "cc")]
            .map(|(a, d)| (a.to_owned(), d.to_owned()));
        let expected = [
            (Kind::Version, "pkg:deb/debian/curl@7.1"),
            (Kind::Package, "pkg:deb/debian/curl"),
            (Kind::Digest, "sha256:aa"),
            (Kind::Digest, "gitCommit:cc"),
        ];
        let component = Component::new(Some(purl), digests.to_vec());
        assert_eq!(
            labels(&component),
            expected.map(|(kind, value)| Label::new(kind, value))
        );
    }
}
