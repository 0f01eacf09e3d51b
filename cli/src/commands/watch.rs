//! `assay watch`: what is new about something, as it is published.

use crate::{
    about,
    asking::{self, How},
    config::Settings,
    exit::Failure,
    options::Format,
    output, session,
    time::now_ms,
};
use assay_claims::index::Name;
use assay_claims::logged::LoggedClaim;
use assay_client::ask::LogAddress;
use assay_client::report::{Line, Scales, ShownClaim, json::NewClaim, words};
use assay_client::{
    Client, ClientError, Cursor, FreezeWatch, Fresh, Frozen, HeadTimes, plain_json,
};
use assay_policy::rules::Policy;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::TreeSize;
use clap::{Args, builder::FalseyValueParser};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{self, Write},
    process::Stdio,
    sync::Arc,
    time::Duration,
};
use tokio::{io::AsyncWriteExt, process::Command as Process, signal::unix, task::JoinSet, time};

/// How often the log's head is asked for by itself: a node that says nothing may be silent on
/// purpose.
const FRESH_HEAD: Duration = Duration::from_secs(60);

/// First and longest wait before a log that does not answer is asked again.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Claims that are judged with one question.
const BATCH: usize = 256;

/// Show new claims about something as they are published, each verified.
///
/// It goes on where it stopped the last time that the same was watched. A claim counts as shown
/// once its line is written, or once --exec has succeeded, so that nothing is ever missed; at most
/// the last one is shown twice. Lists are verified: no claim can be left out between two others.
/// Claims that are about other claims (withdrawals, disputes) are about those: watch claim:ID. Exit
/// code 0: told to stop, or, with --once, all was shown. 1: the command of --exec failed. 3: with
/// --once, a log does not answer. 4: an answer is false.
#[derive(Debug, Args)]
pub struct Command {
    /// What to watch: as `assay lookup` takes it. Of an issuer, what it signs and what is said of
    /// it
    #[arg(value_name = "X", required = true)]
    about: Vec<String>,
    /// Show what is new since the last time, and end
    #[arg(long, env = "ASSAY_ONCE", value_parser = FalseyValueParser::new())]
    once: bool,
    /// Begin with the first claim there is, instead of where the last watch stopped, or with the
    /// next one
    #[arg(long, env = "ASSAY_FROM_START", value_parser = FalseyValueParser::new())]
    from_start: bool,
    /// Run this command for each claim instead of showing it, with the claim as JSON on its stdin.
    /// If it fails, the watch ends, and begins with the same claim the next time
    #[arg(long, env = "ASSAY_EXEC", value_name = "COMMAND")]
    exec: Option<String>,
}

/// An entry whose claim does not verify: the log should never have taken it.
#[derive(Debug, Serialize)]
struct BrokenLine {
    log: String,
    leaf_index: u64,
    watched: Vec<String>,
    error: String,
}

/// What the watches of all logs share.
struct Watch {
    command: Command,
    policy: Policy,
    settings: Settings,
    /// The names, each with what was typed.
    names: BTreeMap<Name, BTreeSet<String>>,
}

/// When a log commits.
#[derive(Debug, Default)]
struct Commits {
    watch: FreezeWatch,
    /// The newest head, and the time of its last leaf.
    newest: Option<(TreeSize, u64)>,
}

/// How showing something went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shown {
    /// It is done.
    Done,
    /// Nobody reads any more.
    NobodyReads,
}

/// Runs the command until it is told to stop, which is its success.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    settings.refuse_both("exec", "output", "the command of --exec gets JSON")?;
    let mut names: BTreeMap<Name, BTreeSet<String>> = BTreeMap::new();
    for text in &command.about {
        let about = about::read(text)?;
        for name in about.watched() {
            names.entry(name).or_default().insert(about.spelled());
        }
    }
    let policy = asking::policy_or_starting(settings)?;
    let logs = asking::logs(&policy, settings, How::default())?;
    let watch = Arc::new(Watch {
        command,
        policy,
        settings: settings.clone(),
        names,
    });
    let mut stop = stop_signals()?;
    let mut tasks = JoinSet::new();
    for log in logs {
        tasks.spawn(watch.clone().follow(log));
    }
    loop {
        tokio::select! {
            () = stop.wait() => return Ok(()),
            ended = tasks.join_next() => match ended {
                None => return Ok(()),
                Some(ended) => match ended.map_err(interrupted)?? {
                    Shown::Done => {}
                    Shown::NobodyReads => return Ok(()),
                },
            },
        }
    }
}

fn interrupted(error: tokio::task::JoinError) -> Failure {
    Failure::io("the watch was interrupted", io::Error::other(error))
}

impl Watch {
    /// Follows one log for as long as it is to be watched, whatever becomes of the connection.
    async fn follow(self: Arc<Self>, log: LogAddress) -> Result<Shown, Failure> {
        let names: Vec<Name> = self.names.keys().copied().collect();
        let mut cursor = Cursor::open(&self.settings.state_dir, &log.key, &names)?;
        if self.command.from_start {
            cursor.rewind()?;
        }
        let origin = output::plain(log.key.name());
        let mut wait = AGAIN.0;
        loop {
            let error = match self.connected(&log, &mut cursor, &mut wait).await {
                Err(Failure::Client(error @ ClientError::Unavailable { .. }))
                    if !self.command.once =>
                {
                    error
                }
                Err(Failure::Client(source)) => return Err(Failure::OfLog { origin, source }),
                ended => return ended,
            };
            let why = asking::one_line(&error);
            self.say(&format!(
                "{origin} does not answer ({why}); asked again in {} s",
                wait.as_secs()
            ));
            time::sleep(wait).await;
            wait = (wait * 2).min(AGAIN.1);
        }
    }

    /// Shows what is new until the connection ends; with --once, until there is nothing more.
    async fn connected(
        &self,
        log: &LogAddress,
        cursor: &mut Cursor,
        wait: &mut Duration,
    ) -> Result<Shown, Failure> {
        let client = session::connect_to(&self.settings, log.clone()).await?;
        if !cursor.has_begun() {
            cursor.begin(&client).await?;
        }
        let (origin, from) = (output::plain(log.key.name()), cursor.size());
        self.say(&format!("watching {origin} from entry {from} on"));
        if self.catch_up(log, &client, cursor).await? == Shown::NobodyReads {
            return Ok(Shown::NobodyReads);
        }
        if self.command.once {
            self.notice_frozen(&client, &mut Commits::default()).await?;
            return Ok(Shown::Done);
        }
        *wait = AGAIN.0;
        let mut hints = client.watch(&cursor.known()).await?;
        let mut commits = Commits::default();
        loop {
            let hint = time::timeout(FRESH_HEAD, hints.next()).await;
            self.notice_frozen(&client, &mut commits).await?;
            if self.catch_up(log, &client, cursor).await? == Shown::NobodyReads {
                return Ok(Shown::NobodyReads);
            }
            match hint {
                Ok(Ok(true)) | Err(_) => {}
                Ok(Err(error)) => return Err(error.into()),
                Ok(Ok(false)) => {
                    return Err(ClientError::Unavailable {
                        what: "the node ended the watch".into(),
                        retry_after: None,
                        source: None,
                    }
                    .into());
                }
            }
        }
    }

    /// Says so if the log has stopped committing, or goes on: what came since may be withheld. Its
    /// last commitment is fetched only when its head is another one; then its times are looked at.
    async fn notice_frozen(&self, client: &Client, commits: &mut Commits) -> Result<(), Failure> {
        let head = client.checkpoint().await?;
        let origin = output::plain(head.origin());
        let committed_at_ms = match commits.newest {
            Some((size, at_ms)) if size == head.size() => at_ms,
            _ => {
                let at_ms = client.committed_at_ms(&head).await?;
                if let Err(error) = self.times(client, &head, at_ms).check_now(now_ms()) {
                    self.say(&format!(
                        "warning: the times of {origin}'s head do not fit: {error}"
                    ));
                }
                at_ms
            }
        };
        commits.newest = Some((head.size(), committed_at_ms));
        match commits.watch.notice(committed_at_ms, now_ms()) {
            Some(Frozen::Since(age_ms)) => self.say(&format!(
                "warning: {origin} has committed to nothing new for {} minutes, and logs do every \
                 hour: what was said since may be withheld from you",
                age_ms / 60_000
            )),
            Some(Frozen::NoLonger) => self.say(&format!("{origin} commits again")),
            None => {}
        }
        Ok(())
    }

    /// The times of a head. It has a quorum's only if the policy asks for one and it is there; that
    /// it must be is checked where claims are shown.
    fn times(&self, client: &Client, head: &VerifiedCheckpoint, committed_at_ms: u64) -> HeadTimes {
        let tlog = self
            .policy
            .tlog()
            .map(|tlog| tlog.with_log(client.log_key()));
        let quorum = tlog.and_then(|tlog| tlog.verify(head.note()).ok()?.cosigned_at());
        HeadTimes {
            committed_at_ms,
            quorum_at_ms: quorum.map(|seconds| seconds.saturating_mul(1000)),
        }
    }

    /// Shows all that is new, and remembers each claim once it was shown.
    async fn catch_up(
        &self,
        log: &LogAddress,
        client: &Client,
        cursor: &mut Cursor,
    ) -> Result<Shown, Failure> {
        let asker = asking::asker_of(
            self.policy.clone(),
            vec![log.clone()],
            How::default(),
            &self.settings,
        );
        while let Some(news) = cursor.news(client).await? {
            asker.check_witnesses(&log.key, &news).await?;
            for batch in news.fresh.chunks(BATCH) {
                let known = asker.with_context(batch).await?;
                for fresh in batch {
                    if self.show(log, fresh, &known).await? == Shown::NobodyReads {
                        return Ok(Shown::NobodyReads);
                    }
                    cursor.done(fresh)?;
                }
            }
            cursor.caught_up(&news)?;
            if !news.more {
                break;
            }
        }
        Ok(Shown::Done)
    }

    /// Shows one entry, or runs the command for it.
    async fn show(
        &self,
        log: &LogAddress,
        fresh: &Fresh,
        known: &[LoggedClaim],
    ) -> Result<Shown, Failure> {
        let (origin, leaf) = (output::plain(log.key.name()), fresh.leaf.get());
        let watched = self.watched(fresh);
        let (json, text) = match &fresh.claim {
            Ok(logged) => {
                let (claim, lines) = self.scales().new_claim(logged, known);
                let new = NewClaim {
                    claim: &claim,
                    watched: &watched,
                    lines: &lines,
                };
                (json(&new)?, text_of(&claim, &lines))
            }
            Err(error) => {
                let error = error.to_string();
                let text = format!(
                    "leaf {leaf} of {origin}: a claim that does not verify: {}\n",
                    output::plain(&error)
                );
                (
                    json(&BrokenLine {
                        log: origin.clone(),
                        leaf_index: leaf,
                        watched,
                        error,
                    })?,
                    text,
                )
            }
        };
        match (&self.command.exec, &fresh.claim) {
            (None, _) => write(if self.settings.format == Format::Json {
                &json
            } else {
                &text
            }),
            (Some(command), Ok(_)) => {
                execute(command, &json, leaf).await?;
                self.say(&format!("leaf {leaf} of {origin}: the command succeeded"));
                Ok(Shown::Done)
            }
            // What nobody signed is nothing to act on.
            (Some(_), Err(_)) => {
                self.say(text.trim_end());
                Ok(Shown::Done)
            }
        }
    }

    /// What was typed that an entry is about, each once.
    fn watched(&self, fresh: &Fresh) -> Vec<String> {
        let typed: BTreeSet<&String> = fresh
            .labels
            .iter()
            .filter_map(|label| self.names.get(&label.name()))
            .flatten()
            .collect();
        typed.into_iter().cloned().collect()
    }

    fn scales(&self) -> Scales<'_> {
        Scales {
            policy: &self.policy,
            policy_name: "",
            now_ms: now_ms(),
        }
    }

    fn say(&self, words: &str) {
        output::say(&self.settings, words);
    }
}

/// A claim for people: what it says, then who says it, in a few lines that are written at once.
fn text_of(claim: &ShownClaim, lines: &[Line]) -> String {
    let says: Vec<&str> = lines.iter().map(|line| line.says.as_str()).collect();
    let (about, voices, why_not) = match lines.first() {
        Some(line) => (
            line.about.as_str(),
            words::voices(&line.issuers),
            line.why_not.as_deref(),
        ),
        None => (
            "",
            String::new(),
            Some("the log is none that your policy counts"),
        ),
    };
    let mut shown = format!(
        "{} {about}: {}\n    by {voices}\n",
        words::at(claim.claim.logged_at_ms),
        says.join("; ")
    );
    if let Some(why_not) = why_not {
        shown.push_str(&format!("    {why_not}\n"));
    }
    shown.push_str(&format!(
        "    leaf {} of {}, claim {}\n",
        claim.claim.leaf_index, claim.log, claim.claim.claim_id
    ));
    let lines = shown.lines();
    lines.map(|line| output::plain(line) + "\n").collect()
}

/// One line of JSON.
fn json(view: &impl Serialize) -> Result<String, Failure> {
    let json = serde_json::to_string(view)
        .map_err(|e| Failure::io("cannot write JSON", io::Error::other(e)))?;
    Ok(plain_json(&json) + "\n")
}

/// Writes to stdout at once, and makes sure that it went out.
fn write(text: &str) -> Result<Shown, Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Ok(()) => Ok(Shown::Done),
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(Shown::NobodyReads),
        Err(e) => Err(Failure::io("cannot write to stdout", e)),
    }
}

/// Runs a command of the shell with a claim on its stdin. It need not read it.
async fn execute(command: &str, json: &str, leaf: u64) -> Result<(), Failure> {
    let failed = |e| Failure::io(format!("cannot run the command for leaf {leaf}"), e);
    let mut process = Process::new("sh")
        .arg("-c")
        .arg(command)
        .stdin(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = process.stdin.take() {
        match stdin.write_all(json.as_bytes()).await {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => return Err(failed(e)),
            _ => drop(stdin),
        }
    }
    let status = process.wait().await.map_err(failed)?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::NotMet(format!(
            "the command failed for leaf {leaf} ({status}); the next watch begins with it"
        )))
    }
}

/// What tells the watch to stop.
struct Stop(unix::Signal, unix::Signal);

fn stop_signals() -> Result<Stop, Failure> {
    let signal = |kind| unix::signal(kind).map_err(|e| Failure::io("cannot listen for signals", e));
    Ok(Stop(
        signal(unix::SignalKind::interrupt())?,
        signal(unix::SignalKind::terminate())?,
    ))
}

impl Stop {
    async fn wait(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}
