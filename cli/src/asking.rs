//! How the logs are asked: the arguments, the log of the settings, and the clock.

pub use assay_client::one_line;

use crate::{config::Settings, exit::Failure, output, policy_file, session, time::now_ms};
use assay_client::Cel;
use assay_client::ask::{self, AboutError, AskError, Asker, LogAddress, LogsError};
use assay_client::report::{Conclusion, Report, Scales, words};
use assay_policy::rules::{Policy, RequiredLog, STARTING};
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
    /// Tell the logs at most 12 bits of the name of each package, and fewer where fewer names share
    /// them, so that they learn only that it is one of a crowd. All are asked together, which tells
    /// more than each alone; several names of one thing share the bits. Digests in lists of
    /// software are not asked for. It takes longer, and nothing is kept for --offline
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

/// What weighs what these logs answer, for whoever wrote the policy of this name.
pub fn scales<'a>(asker: &'a Asker, policy_name: &'a str) -> Scales<'a> {
    Scales {
        policy: asker.policy(),
        policy_name,
        now_ms: now_ms(),
        reader: words::Reader::Owner,
    }
}

/// Returns what came of a question. If it failed, heads that show why are passed on.
pub async fn heard<T>(
    asker: &Asker,
    settings: &Settings,
    asked: Result<T, AskError>,
) -> Result<T, Failure> {
    if let (Err(error), true) = (&asked, settings.submit_heads) {
        asker.submit_heads(Some(error)).await;
    }
    Ok(asked?)
}

/// Passes on the heads that the logs showed, once everything else is done.
pub async fn submit_heads(asker: &Asker, settings: &Settings) {
    if settings.submit_heads {
        asker.submit_heads(None).await;
    }
}

/// The logs that must answer: those that the policy names, or else the one of the settings.
pub fn logs(policy: &Policy, settings: &Settings, how: How) -> Result<Vec<LogAddress>, Failure> {
    let own = own_log(policy, settings, how)?;
    let logs = ask::required_logs(policy, own.as_ref(), how.of_client());
    let logs = logs.map_err(|error| match error {
        LogsError::KeysDiffer(origin) => Failure::Usage(format!(
            "the policy and --log-key state different keys of the log {}; one of them is wrong",
            output::plain(&origin)
        )),
        error => Failure::Usage(error.to_string()),
    })?;
    if let Some(warning) = words::lax_logs(policy) {
        output::say(settings, &format!("warning: {}", output::plain(&warning)));
    }
    if !how.offline {
        let urls = logs
            .iter()
            .flat_map(|log| log.url.iter().chain(&log.mirrors));
        let urls = urls.map(String::as_str);
        session::look_at_addresses(settings, urls)?;
    }
    Ok(logs)
}

/// The log of the settings. Only a policy that names no log needs it.
fn own_log(policy: &Policy, settings: &Settings, how: How) -> Result<Option<LogAddress>, Failure> {
    if !policy.logs().is_empty() {
        return if settings.has_log_key() {
            log_of_key(policy, settings)
        } else {
            log_of_address(policy, settings)
        };
    }
    let url = if how.offline {
        settings.log().ok()
    } else {
        Some(settings.log()?)
    };
    let key = settings.log_key()?;
    Ok(Some(LogAddress {
        key,
        url,
        older: Vec::new(),
        mirrors: settings.mirrors.clone(),
    }))
}

/// The log of `--log-key`, which a policy names logs beside. If it names another one, nothing would
/// come of the options.
fn log_of_key(policy: &Policy, settings: &Settings) -> Result<Option<LogAddress>, Failure> {
    let key = settings.log_key()?;
    let is_named = policy.logs().iter().any(|log| log.origin == key.name());
    if !is_named && (settings.given.has("log_key") || settings.given.has("log")) {
        return Err(Failure::Usage(format!(
            "the policy does not name the log {} of the log key, so --log-key and --log would \
             change nothing; leave them out, or add the log to the policy",
            output::plain(key.name())
        )));
    }
    let url = settings.log().ok();
    Ok(Some(LogAddress {
        key,
        url,
        older: Vec::new(),
        mirrors: settings.mirrors.clone(),
    }))
}

/// Which log of the policy `--log` is the address of, where no key says it: the only one, or the
/// only one that the policy has no address of. An address that was given goes before the policy's.
fn log_of_address(policy: &Policy, settings: &Settings) -> Result<Option<LogAddress>, Failure> {
    let Ok(url) = settings.log() else {
        return Ok(None);
    };
    let given = settings.given.has("log");
    let open: Vec<&RequiredLog> = match policy.logs() {
        [one] if given => vec![one],
        logs => logs.iter().filter(|log| log.url.is_none()).collect(),
    };
    let [log] = open[..] else {
        return if given {
            Err(Failure::Usage(
                "the policy names several logs, and nothing says which of them --log is the \
                 address of; say it with --log-key"
                    .into(),
            ))
        } else {
            Ok(None)
        };
    };
    let known = policy.tlog().and_then(|tlog| tlog.log(&log.origin));
    Ok(known.map(|known| LogAddress {
        key: known.key.clone(),
        url: Some(url),
        older: Vec::new(),
        mirrors: settings.mirrors.clone(),
    }))
}

impl From<AskError> for Failure {
    fn from(error: AskError) -> Self {
        match error {
            AskError::OfLog { origin, source } => Failure::OfLog { origin, source },
            AskError::Client(source) => Failure::Client(source),
            AskError::BrokenClaim { .. } | AskError::Convicted { .. } => {
                Failure::Failed(error.to_string())
            }
            AskError::Lacking { .. } | AskError::Unanswered(_) | AskError::TooManyThings(_) => {
                Failure::Unanswered(error.to_string())
            }
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
        Conclusion::Failed(why) => Err(Failure::Failed(why)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::{Given, Global};
    use assay_tlog::note::SignerKey;

    fn vkey(name: &str, seed: u8) -> String {
        let key = SignerKey::from_seed(name, &[seed; 32]).unwrap();
        key.verifier().to_string()
    }

    /// The addresses that are asked, under a policy of these logs, each with or without a URL.
    fn addresses(logs: &[(&str, Option<&str>)], global: Global) -> Result<Vec<String>, Failure> {
        let mut text = String::from("version = 1\n");
        for (i, (name, url)) in logs.iter().enumerate() {
            text.push_str(&format!("[[log]]\nkey = \"{}\"\n", vkey(name, i as u8 + 1)));
            if let Some(url) = url {
                text.push_str(&format!("url = \"{url}\"\n"));
            }
        }
        let policy = Policy::parse(&text, &Cel).unwrap();
        let global = Global {
            config: Some("/dev/null".into()),
            ..global
        };
        let logs = logs_of(&policy, &Settings::load(&global)?)?;
        Ok(logs.into_iter().filter_map(|log| log.url).collect())
    }

    fn logs_of(policy: &Policy, settings: &Settings) -> Result<Vec<LogAddress>, Failure> {
        logs(policy, settings, How::default())
    }

    /// `--log`, typed or from the environment.
    fn log(url: &str, typed: bool) -> Global {
        Global {
            log: Some(url.into()),
            given: Given::new(if typed { &["log"] } else { &[] }),
            ..Global::default()
        }
    }

    #[test]
    fn an_address_is_of_the_log_that_the_policy_has_none_of() {
        let one = [("a.example", None)];
        for typed in [true, false] {
            assert_eq!(
                addresses(&one, log("http://x", typed)).unwrap(),
                ["http://x"]
            );
        }
        let two = [("a.example", Some("http://a")), ("b.example", None)];
        let asked = addresses(&two, log("http://x", true)).unwrap();
        assert_eq!(asked, ["http://a", "http://x"]);
        // What is typed goes before the policy, and the policy before what is set for all commands.
        let known = [("a.example", Some("http://a"))];
        assert_eq!(
            addresses(&known, log("http://x", true)).unwrap(),
            ["http://x"]
        );
        assert_eq!(
            addresses(&known, log("http://x", false)).unwrap(),
            ["http://a"]
        );
    }

    #[test]
    fn an_address_that_would_change_nothing_is_refused() {
        let two = [
            ("a.example", Some("http://a")),
            ("b.example", Some("http://b")),
        ];
        let error = addresses(&two, log("http://x", true)).unwrap_err();
        assert!(
            matches!(&error, Failure::Usage(text) if text.contains("--log-key")),
            "{error}"
        );
        assert_eq!(
            addresses(&two, log("http://x", false)).unwrap(),
            ["http://a", "http://b"]
        );
        let other = Global {
            log_key: Some(vkey("c.example", 9)),
            ..log("http://x", true)
        };
        let error = addresses(&two, other).unwrap_err();
        assert!(
            matches!(&error, Failure::Usage(text) if text.contains("c.example")),
            "{error}"
        );
    }
}
