//! `assay monitor`: watches the logs of a policy for whoever is named in them, and for whoever runs
//! them.

mod own;
mod tell;

use crate::{
    asking::{self, How},
    config::Settings,
    exit::{self, Failure},
    hook::Hook,
    output, policy_file,
    time::now_ms,
};
use assay_client::monitor::{
    self, Delivery, Kind, Level, LogMonitor, MetricsServer, MonitorError, Outbox, Seen, Watched,
    metrics,
};
use assay_client::{plain, replace_public};
use assay_host::address;
use assay_policy::rules::Policy;
use clap::{Args, ValueEnum, builder::FalseyValueParser};
use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};
use tell::{NobodyReads, Teller};
use tokio::{signal::unix, time};

/// Events that are sent between two rounds.
const SENT_AT_ONCE: u64 = 100;

/// Watch logs, and tell about forks, broken rules, frozen heads, wrong clocks, and your names and
/// keys used by others.
///
/// For each log of the policy, each round verifies that its head extends the last one seen, that
/// the quorum cosigned it and that its times fit; looks at the new entries; replays the log whole
/// once it grew and --replay-every went by; and asks its node for proven misbehavior. Of a log with
/// --foreign, that is whether its head extends the last one, has the quorum and is not too old,
/// whether the tree follows from its entries, and what witnesses and mirrors have of it. What goes
/// on is told when it begins and when it ends. The first round begins behind the last entry, unless
/// --from-start is given. An alert counts as told once its line is written and, with --webhook, it
/// waits on disk to be sent: whatever is killed, none is lost, and one that is told twice has the
/// same id. Exit code 0: told to stop, or, with --once, nothing is wrong. With --once, 1: your
/// names or keys are used, or a head or clock is not as it should be. 3: a log or the webhook does
/// not answer. 4: a log broke a rule, misbehaved, or an answer is false.
#[derive(Debug, Args)]
pub struct Command {
    /// The policy [default: that of --policy]
    #[arg(value_name = "POLICY")]
    of_policy: Option<PathBuf>,
    #[command(flatten)]
    own: own::Names,
    /// A log of the policy that holds no Assay entries, by its origin; may be repeated. Its
    /// checkpoint and tiles are all that is read, below its address
    #[arg(
        long,
        value_name = "ORIGIN",
        env = "ASSAY_FOREIGN",
        value_delimiter = ','
    )]
    foreign: Vec<String>,
    /// Do one round and end, for cron
    #[arg(long, env = "ASSAY_ONCE", value_parser = FalseyValueParser::new())]
    once: bool,
    /// Begin with the first entry of a log that was never monitored
    #[arg(long, env = "ASSAY_FROM_START", value_parser = FalseyValueParser::new())]
    from_start: bool,
    /// Seconds between two rounds
    #[arg(long, value_name = "SECONDS", env = "ASSAY_INTERVAL", default_value = "60",
        value_parser = clap::value_parser!(u32).range(1..))]
    interval: u32,
    /// Minutes from one replay of a log to the next
    #[arg(
        long,
        value_name = "MINUTES",
        env = "ASSAY_REPLAY_EVERY",
        default_value = "60"
    )]
    replay_every: u32,
    /// Minutes that a node may be silent before that is told
    #[arg(
        long,
        value_name = "MINUTES",
        env = "ASSAY_SILENCE",
        default_value = "10"
    )]
    silence: u32,
    /// What is told: alerts of this level and above
    #[arg(long, env = "ASSAY_LEVEL", default_value = "warning")]
    level: Told,
    #[command(flatten)]
    hook: Hook,
    /// Numbers for Prometheus: serve them at this address, such as 127.0.0.1:9100 or :9100, under
    /// /metrics, or write them into this file after each round
    #[arg(long, value_name = "ADDRESS|FILE", env = "ASSAY_METRICS")]
    metrics: Option<PathBuf>,
}

impl Command {
    /// The logs of the policy. Fails with [`Failure::Usage`] if a log is called foreign that is not
    /// among them: it would be monitored as one of ours, under the name that was meant.
    fn watched(&self, policy: &Policy, settings: &Settings) -> Result<Vec<Watched>, Failure> {
        let logs = asking::logs(policy, settings, How::default())?;
        let foreign: Vec<&String> = self
            .foreign
            .iter()
            .chain(&settings.monitor().foreign)
            .collect();
        let mut strangers = foreign
            .iter()
            .filter(|origin| logs.iter().all(|log| log.key.name() != origin.as_str()));
        if let Some(stranger) = strangers.next() {
            let stranger = assay_client::quoted(stranger);
            return Err(Failure::Usage(format!(
                "{stranger} is no log of the policy; --foreign takes the origin of one"
            )));
        }
        let watched = logs.into_iter().map(|log| Watched {
            is_foreign: foreign.iter().any(|origin| *origin == log.key.name()),
            tiles: None,
            log,
        });
        Ok(watched.collect())
    }
}

/// A level, as it is typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Told {
    /// Also who else speaks of your packages
    Notice,
    /// What to look at
    Warning,
    /// What to look at now
    Critical,
}

impl From<Told> for Level {
    fn from(told: Told) -> Self {
        match told {
            Told::Notice => Level::Notice,
            Told::Warning => Level::Warning,
            Told::Critical => Level::Critical,
        }
    }
}

/// Monitors of all logs, and where what they find goes.
struct Monitors<'a> {
    command: &'a Command,
    settings: &'a Settings,
    logs: Vec<LogMonitor>,
    teller: Teller<'a>,
    delivery: Option<Delivery>,
    numbers: Option<Numbers>,
}

/// Where the numbers are to be read.
enum Numbers {
    Served(MetricsServer),
    Written(PathBuf),
}

/// What a round over all logs came to.
#[derive(Debug, Default)]
struct Round {
    seen: Vec<Seen>,
    kinds: BTreeSet<Kind>,
    /// Why the alerts could not all be kept or sent.
    unsent: Option<String>,
}

/// Runs the command until it is told to stop, which is its success, or for one round.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    if settings.forgets() {
        return Err(Failure::Usage(
            "assay monitor goes on where it stopped, and keeps alerts until they are delivered: it \
             needs a folder of its own; name one with --state-dir DIR"
                .into(),
        ));
    }
    let path = settings.one_policy(command.of_policy.clone())?;
    let policy = policy_file::load(&path)?;
    let watched = command.watched(&policy, settings)?;
    let own = command.own.join(settings.monitor())?;
    let shared = Arc::new(monitor::Settings {
        policy,
        own,
        level: command.level.into(),
        from_start: command.from_start,
        replay_ms: u64::from(command.replay_every) * 60_000,
        silence_ms: u64::from(command.silence) * 60_000,
        state_dir: settings.state_dir.clone(),
        tls: settings.tls.clone(),
    });
    let mut logs = Vec::with_capacity(watched.len());
    for watched in watched {
        logs.push(LogMonitor::open(shared.clone(), watched)?);
    }
    let (delivery, outbox) = open_delivery(&command, settings)?;
    let mut monitors = Monitors {
        command: &command,
        settings,
        logs,
        teller: Teller::new(settings, outbox),
        delivery,
        numbers: open_numbers(&command, settings).await?,
    };
    let [mut interrupt, mut terminate] =
        [unix::SignalKind::interrupt(), unix::SignalKind::terminate()].map(unix::signal);
    let signals = |e| Failure::io("cannot listen for signals", e);
    let interrupt = interrupt.as_mut().map_err(|e| signals(copy(e)))?;
    let terminate = terminate.as_mut().map_err(|e| signals(copy(e)))?;
    tokio::select! {
        _ = interrupt.recv() => exit::stopped(command.once),
        _ = terminate.recv() => exit::stopped(command.once),
        done = monitors.run() => done,
    }
}

/// What `--metrics` names: what has no `/` and ends in a port is an address, all else is a file.
async fn open_numbers(command: &Command, settings: &Settings) -> Result<Option<Numbers>, Failure> {
    let Some(path) = &command.metrics else {
        return Ok(None);
    };
    let Some(text) = path.to_str().filter(|text| is_address(text)) else {
        return Ok(Some(Numbers::Written(path.clone())));
    };
    if command.once {
        return Err(Failure::Usage(
            "with --once the numbers are gone when they are asked for; name a file with --metrics"
                .into(),
        ));
    }
    let address = address_of(text)?;
    let server = MetricsServer::bind(address).await;
    let server = server.map_err(|e| Failure::io(format!("cannot serve at {address}"), e))?;
    let words = format!("numbers are at http://{}/metrics", server.address());
    output::say(settings, &words);
    Ok(Some(Numbers::Served(server)))
}

fn is_address(text: &str) -> bool {
    let port = text.rsplit_once(':').map(|(_, port)| port);
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    !text.contains('/') && port.is_some_and(is_port)
}

/// The address that is meant, as `assay-node` reads its own.
fn address_of(text: &str) -> Result<SocketAddr, Failure> {
    let wrong = |why: String| {
        Failure::Usage(format!(
            "--metrics {text} is no address to serve at: {why}; write ./{text} for a file"
        ))
    };
    let found = address::to_listen_on(text).map_err(|e| wrong(e.to_string()))?;
    found.ok_or_else(|| wrong("the name has none".to_owned()))
}

fn copy(error: &std::io::Error) -> std::io::Error {
    std::io::Error::new(error.kind(), error.to_string())
}

fn open_delivery(
    command: &Command,
    settings: &Settings,
) -> Result<(Option<Delivery>, Option<Outbox>), Failure> {
    let Some(webhook) = command.hook.open(settings)? else {
        return Ok((None, None));
    };
    let outbox = Outbox::open(&settings.state_dir);
    let outbox = outbox.map_err(|e| Failure::io(e.to_string(), std::io::Error::other(e)))?;
    Ok((Some(Delivery::to(webhook)), Some(outbox)))
}

impl Monitors<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        loop {
            let mut round = Round::default();
            for log in &mut self.logs {
                match log.round(now_ms(), &mut self.teller).await {
                    Ok(seen) => {
                        round.kinds.extend(&seen.kinds);
                        round.seen.push(seen);
                    }
                    Err(MonitorError::Client(error)) => return Err(error.into()),
                    Err(MonitorError::Sink(error)) if error.is::<NobodyReads>() => {
                        return Err(Failure::Undelivered(error.to_string()));
                    }
                    Err(MonitorError::Sink(error)) => round.unsent = Some(error.to_string()),
                }
            }
            self.deliver(&mut round).await?;
            self.write_metrics(&round)?;
            for seen in &round.seen {
                if let Some(why) = &seen.unreached {
                    self.say(&format!("{} does not answer: {why}", plain(&seen.log)));
                }
            }
            if self.command.once {
                return round.conclude();
            }
            time::sleep(Duration::from_secs(self.command.interval.into())).await;
        }
    }

    /// Sends what waits.
    async fn deliver(&mut self, round: &mut Round) -> Result<(), Failure> {
        let (Some(delivery), Some(outbox)) = (&mut self.delivery, self.teller.outbox()) else {
            return Ok(());
        };
        let at_once = self.command.once;
        let delivered = delivery
            .deliver(outbox, SENT_AT_ONCE, now_ms(), at_once)
            .await;
        let delivered =
            delivered.map_err(|e| Failure::io(e.to_string(), std::io::Error::other(e)))?;
        if let Some(why) = delivered.why_not {
            let waiting = delivered.waiting;
            self.say(&format!(
                "the webhook did not take an alert: {why}; {waiting} wait"
            ));
            if delivered.is_gone {
                let what = "the webhook is gone: name another one; what waits is sent there";
                return Err(Failure::Undelivered(what.to_owned()));
            }
            round.unsent = Some(why);
        }
        Ok(())
    }

    fn write_metrics(&self, round: &Round) -> Result<(), Failure> {
        let Some(numbers) = &self.numbers else {
            return Ok(());
        };
        let waiting = self.teller.outbox().and_then(|outbox| outbox.len().ok());
        let waiting = waiting.unwrap_or_default();
        let text = metrics(&round.seen, self.teller.told(), waiting, now_ms());
        match numbers {
            Numbers::Served(server) => {
                server.show(text);
                Ok(())
            }
            Numbers::Written(path) => replace_public(path, text.as_bytes())
                .map_err(|e| Failure::io(format!("cannot write {}", path.display()), e)),
        }
    }

    fn say(&self, words: &str) {
        output::say(self.settings, words);
    }
}

impl Round {
    /// What the exit code says of a single round.
    fn conclude(self) -> Result<(), Failure> {
        let named = |kinds: &[Kind]| {
            let names: Vec<&str> = kinds.iter().map(|kind| kind.name()).collect();
            names.join(", ")
        };
        let (false_ones, others): (Vec<Kind>, Vec<Kind>) = self
            .kinds
            .into_iter()
            .partition(|kind| kind.is_misbehavior());
        if !false_ones.is_empty() {
            return Err(Failure::Failed(format!("found: {}", named(&false_ones))));
        }
        let unreached = self.seen.iter().find_map(|seen| {
            let why = seen.unreached.as_ref()?;
            Some(format!(
                "the log {} does not answer: {why}",
                plain(&seen.log)
            ))
        });
        if let Some(why) = unreached.or(self.unsent) {
            return Err(Failure::Unanswered(why));
        }
        if others.is_empty() {
            Ok(())
        } else {
            Err(Failure::NotMet(format!("found: {}", named(&others))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exit::code;

    #[test]
    fn numbers_are_at_an_address_or_in_a_file() {
        for (text, address) in [
            ("127.0.0.1:9100", Some("127.0.0.1:9100")),
            ("[::1]:9100", Some("[::1]:9100")),
            (":9100", Some("0.0.0.0:9100")),
            ("localhost:9100", Some("127.0.0.1:9100")),
            ("numbers.prom", None),
            ("./localhost:9100", None),
            ("/run/numbers:1", None),
            ("numbers:", None),
            ("numbers:a", None),
        ] {
            assert_eq!(is_address(text), address.is_some(), "{text}");
            if let Some(address) = address {
                let found = address_of(text).unwrap();
                assert_eq!(found, address.parse().unwrap(), "{text}");
            }
        }
        let refused = address_of("127.0.0.1:65536").unwrap_err();
        assert_eq!(code(&refused), 2);
        let words = "write ./127.0.0.1:65536 for a file";
        assert!(refused.to_string().contains(words), "{refused}");
    }

    #[test]
    fn a_single_round_has_the_codes_of_the_design() {
        let round = |kinds: &[Kind], unreached: Option<&str>, unsent: Option<&str>| Round {
            seen: vec![Seen {
                unreached: unreached.map(str::to_owned),
                ..Seen::default()
            }],
            kinds: kinds.iter().copied().collect(),
            unsent: unsent.map(str::to_owned),
        };
        assert!(round(&[], None, None).conclude().is_ok());
        for (kinds, unreached, unsent, expected) in [
            (&[Kind::KeyUsed][..], None, None, 1),
            (&[Kind::Frozen], None, None, 1),
            (&[Kind::Frozen], Some("gone"), None, 3),
            (&[], None, Some("500"), 3),
            (&[Kind::Breach], Some("gone"), None, 4),
            (&[Kind::FalseAnswer, Kind::KeyUsed], None, None, 4),
        ] {
            let failure = round(kinds, unreached, unsent).conclude().unwrap_err();
            assert_eq!(code(&failure), expected, "{failure}");
        }
    }
}
