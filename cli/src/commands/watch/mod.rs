//! `assay watch`: what is new about something, as it is published.

mod out;

use crate::{
    about,
    asking::{self, How},
    config::Settings,
    exit::{self, Failure},
    hook::Hook,
    options::Format,
    output, session,
    time::now_ms,
};
use assay_claims::claim::ClaimError;
use assay_claims::index::Name;
use assay_claims::logged::LoggedClaim;
use assay_client::ask::{AskError, Asker, Context, LogAddress};
use assay_client::report::words::Reader;
use assay_client::report::{Scales, json::NewClaim};
use assay_client::webhook::Webhook;
use assay_client::{Client, ClientError, Cursor, FreezeWatch, Fresh, Frozen, Head, HeadTimes};
use assay_policy::rules::Policy;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::TreeSize;
use clap::{Args, builder::FalseyValueParser};
use out::{Shown, event_of, execute, json, text_of, write};
use serde::Serialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    sync::Arc,
    time::Duration,
};
use tokio::{
    signal::unix,
    sync::Mutex,
    task::JoinSet,
    time::{self, Instant},
};

/// How often the log's head is asked for by itself: a node that says nothing may be silent on
/// purpose. As often it is asked who is convicted of misbehavior.
const FRESH_HEAD: Duration = Duration::from_secs(60);

/// First and longest wait before a log that does not answer is asked again.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// Claims that are judged with one question.
const BATCH: usize = 256;

/// Show new claims about something as they are published, each verified.
///
/// It goes on where it stopped the last time that the same was watched. A claim counts as shown
/// once its line is written, and with --webhook the address has taken it, or once --exec has
/// succeeded, so that nothing is ever missed; at most the last one is shown twice, and sent twice
/// with the same id. Lists are verified: no claim can be left out between two others.
/// What a claim is worth is decided with what all logs of the policy have on it: what its signer or
/// those whom you trust say of it, and which keys are compromised. Claims that are about other
/// claims (withdrawals, disputes) are about those: watch claim:ID. Exit code 0: told to stop, or,
/// with --once, all was shown. 1: the command of --exec failed. 3: with --once, a log does not
/// answer, or too few witnesses confirm its head; or the webhook is gone (410). 4: an answer is
/// false, or a log is convicted of misbehavior.
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
    #[command(flatten)]
    hook: Hook,
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
    /// All logs of the policy.
    logs: Vec<LogAddress>,
    settings: Settings,
    /// Where claims are sent. One is sent after the other, whichever log they are from.
    webhook: Option<Mutex<Webhook>>,
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

/// One log that is followed, through one connection.
struct Following<'w> {
    watch: &'w Watch,
    log: &'w LogAddress,
    client: Client,
    /// All logs of the policy: what bears on a claim may be in another one than the claim.
    asker: Asker,
    /// Since when that is, and what it knows of convictions.
    asker_since: Instant,
    commits: Commits,
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
    settings.refuse_both("exec", "webhook", "use one of them")?;
    let webhook = command.hook.open(settings)?.map(Mutex::new);
    let policy = asking::policy_or_starting(settings)?;
    let logs = asking::logs(&policy, settings, How::default())?;
    let watch = Arc::new(Watch {
        command,
        policy,
        logs: logs.clone(),
        settings: settings.clone(),
        webhook,
        names,
    });
    let mut stop = stop_signals()?;
    let mut tasks = JoinSet::new();
    for log in logs {
        tasks.spawn(watch.clone().follow(log));
    }
    let mut unanswered = None;
    loop {
        tokio::select! {
            () = stop.wait() => return exit::stopped(watch.command.once),
            ended = tasks.join_next() => match ended {
                None => return unanswered.map_or(Ok(()), Err),
                Some(ended) => match ended.map_err(interrupted)? {
                    Ok(Shown::Done) => {}
                    Ok(Shown::NobodyReads) => return Ok(()),
                    // The others are shown to their end all the same.
                    Err(failure) if exit::is_silence(&failure) => {
                        unanswered.get_or_insert(failure);
                    }
                    Err(failure) => return Err(failure),
                },
            },
        }
    }
}

fn interrupted(error: tokio::task::JoinError) -> Failure {
    Failure::io("the watch was interrupted", io::Error::other(error))
}

impl Watch {
    /// Follows one log for as long as it is to be watched, whatever becomes of the connection, and
    /// whatever other logs do not say. Who is asked for it is its own node, or one of its mirrors
    /// while that does not answer, or says what does not hold.
    async fn follow(self: Arc<Self>, log: LogAddress) -> Result<Shown, Failure> {
        let names: Vec<Name> = self.names.keys().copied().collect();
        let mut cursor = Cursor::open(&self.settings.state_dir, &log.key, &names)?;
        if self.command.from_start {
            cursor.rewind()?;
        }
        let origin = output::plain(log.key.name());
        let (mut wait, mut place, mut failures) = (AGAIN.0, 0, Vec::new());
        loop {
            let ended = self.connected(&log, place, &mut cursor, &mut wait).await;
            let failure = match ended.map_err(|failure| session::at_place(&log, place, failure)) {
                Err(Failure::Client(error @ ClientError::Unavailable { .. })) => {
                    failures.push(asking::one_line(&error));
                    if place < log.mirrors.len() {
                        place += 1;
                        continue;
                    }
                    session::unavailable(&failures)
                }
                Err(failure @ Failure::Unanswered(_)) => failure,
                Err(Failure::Client(source)) => return Err(Failure::OfLog { origin, source }),
                ended => return ended,
            };
            (place, failures) = (0, Vec::new());
            let why = output::plain(&failure.to_string());
            if self.command.once {
                return Err(match failure {
                    Failure::Client(source) => Failure::OfLog { origin, source },
                    failure => failure,
                });
            }
            let what = match failure {
                Failure::Unanswered(_) => format!("what is new in {origin} cannot be judged"),
                _ => format!("{origin} does not answer"),
            };
            let wait_s = wait.as_secs();
            self.say(&format!("{what} ({why}); asked again in {wait_s} s"));
            time::sleep(wait).await;
            wait = (wait * 2).min(AGAIN.1);
        }
    }

    /// Shows what is new until the connection ends; with --once, until there is nothing more.
    async fn connected(
        &self,
        log: &LogAddress,
        place: usize,
        cursor: &mut Cursor,
        wait: &mut Duration,
    ) -> Result<Shown, Failure> {
        let mut following = Following {
            watch: self,
            log,
            client: session::connect_at(&self.settings, log, place).await?,
            asker: self.asker(),
            asker_since: Instant::now(),
            commits: Commits::default(),
        };
        if !cursor.has_begun() {
            let end = cursor.end(&following.client).await?;
            following.check(&end.heads).await?;
            cursor.begin(end)?;
        }
        let (origin, from) = (output::plain(log.key.name()), cursor.size());
        self.say(&format!("watching {origin} from entry {from} on"));
        if following.catch_up(cursor).await? == Shown::NobodyReads {
            return Ok(Shown::NobodyReads);
        }
        if self.command.once {
            return Ok(Shown::Done);
        }
        *wait = AGAIN.0;
        let mut hints = following.client.watch(&cursor.known()).await?;
        loop {
            let hint = time::timeout(FRESH_HEAD, hints.next()).await;
            if following.catch_up(cursor).await? == Shown::NobodyReads {
                return Ok(Shown::NobodyReads);
            }
            match hint {
                Ok(Ok(true)) | Err(_) => {}
                Ok(Err(error)) => return Err(error.into()),
                Ok(Ok(false)) => {
                    return Err(session::unavailable(&["the node ended the watch"]));
                }
            }
        }
    }

    /// An asker of all logs, which knows as of now who is convicted.
    fn asker(&self) -> Asker {
        let (policy, logs) = (self.policy.clone(), self.logs.clone());
        asking::asker_of(policy, logs, How::default(), &self.settings)
    }

    /// Shows one entry, or runs the command for it.
    async fn show(
        &self,
        log: &LogAddress,
        fresh: &Fresh,
        context: &Context,
    ) -> Result<Shown, Failure> {
        match &fresh.claim {
            Ok(logged) => self.show_claim(log, fresh, logged, context).await,
            Err(error) => self.show_broken(log, fresh, error),
        }
    }

    async fn show_claim(
        &self,
        log: &LogAddress,
        fresh: &Fresh,
        logged: &LoggedClaim,
        context: &Context,
    ) -> Result<Shown, Failure> {
        let (claim, lines) = self.scales().new_claim(logged, context);
        let new = NewClaim {
            claim: &claim,
            watched: &self.watched(fresh),
            whole: context.is_whole(logged),
            lines: &lines,
        };
        let Some(command) = &self.command.exec else {
            self.send(log, fresh.leaf.get(), &new).await?;
            return self.write(&json(&new)?, &text_of(&claim, &lines));
        };
        let (origin, leaf) = (output::plain(log.key.name()), fresh.leaf.get());
        execute(command, &json(&new)?, leaf).await?;
        self.say(&format!("leaf {leaf} of {origin}: the command succeeded"));
        Ok(Shown::Done)
    }

    /// Shows an entry whose claim does not verify. What nobody signed is nothing to act on: it is
    /// neither sent, nor is the command run for it.
    fn show_broken(
        &self,
        log: &LogAddress,
        fresh: &Fresh,
        error: &ClaimError,
    ) -> Result<Shown, Failure> {
        let (origin, leaf) = (output::plain(log.key.name()), fresh.leaf.get());
        let error = error.to_string();
        let text = format!(
            "leaf {leaf} of {origin}: a claim that does not verify: {}\n",
            output::plain(&error)
        );
        if self.command.exec.is_some() {
            self.say(text.trim_end());
            return Ok(Shown::Done);
        }
        let line = BrokenLine {
            log: origin,
            leaf_index: leaf,
            watched: self.watched(fresh),
            error,
        };
        self.write(&json(&line)?, &text)
    }

    /// Writes one of the two, as the format is that was asked for.
    fn write(&self, json: &str, text: &str) -> Result<Shown, Failure> {
        let is_json = self.settings.format == Format::Json;
        write(if is_json { json } else { text })
    }

    /// Sends a claim to the webhook, if there is one, until it is taken; with --once, once.
    async fn send(&self, log: &LogAddress, leaf: u64, new: &NewClaim<'_>) -> Result<(), Failure> {
        let Some(webhook) = &self.webhook else {
            return Ok(());
        };
        let origin = log.key.name();
        let (id, event) = event_of(origin, leaf, new);
        let mut webhook = webhook.lock().await;
        loop {
            let Err(not_taken) = webhook.send(&id, event.as_bytes(), now_ms()).await else {
                return Ok(());
            };
            let what = format!(
                "the webhook did not take leaf {leaf} of {}: {}",
                output::plain(origin),
                output::plain(&not_taken.why)
            );
            if self.command.once || not_taken.is_gone {
                let next = "the next watch begins with it";
                return Err(Failure::Undelivered(format!("{what}; {next}")));
            }
            let wait = Duration::from_millis(not_taken.again_ms);
            let wait_s = wait.as_secs_f32().ceil();
            self.say(&format!("{what}; sent again in {wait_s} s"));
            time::sleep(wait).await;
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
            reader: Reader::Owner,
        }
    }

    fn say(&self, words: &str) {
        output::say(&self.settings, words);
    }
}

impl Following<'_> {
    /// Shows all that is new, and remembers each claim once it was shown. That nothing is rests on
    /// a head that is looked at, too.
    async fn catch_up(&mut self, cursor: &mut Cursor) -> Result<Shown, Failure> {
        if self.asker_since.elapsed() >= FRESH_HEAD {
            (self.asker, self.asker_since) = (self.watch.asker(), Instant::now());
        }
        let key = &self.log.key;
        loop {
            let head = self.client.checkpoint().await?;
            self.look_at(&head).await?;
            let Some(news) = cursor.news_after(&self.client, &head).await? else {
                return Ok(Shown::Done);
            };
            self.check(&news.heads).await?;
            for batch in news.fresh.chunks(BATCH) {
                let context = self.asker.with_context(key, batch).await?;
                for fresh in batch {
                    let shown = self.watch.show(self.log, fresh, &context).await?;
                    if shown == Shown::NobodyReads {
                        return Ok(Shown::NobodyReads);
                    }
                    cursor.done(fresh)?;
                }
            }
            cursor.caught_up(&news)?;
            if !news.more {
                return Ok(Shown::Done);
            }
        }
    }

    /// Makes sure that heads can be relied on. Returns since when all of them are fresh. Whoever
    /// shows one that too few witnesses confirm is as good as silent.
    async fn check(&self, heads: &[Head]) -> Result<Option<u64>, Failure> {
        match self.asker.check_heads(&self.log.key, heads).await {
            Err(AskError::Lacking { why, .. }) => Err(session::unavailable(&[why])),
            checked => Ok(checked?),
        }
    }

    /// Makes sure that a head can be relied on. Says so if the log has stopped committing, or goes
    /// on: what came since may be withheld. Its last commitment is fetched only when its head is
    /// another one; then its times are looked at.
    async fn look_at(&mut self, head: &VerifiedCheckpoint) -> Result<(), Failure> {
        let origin = output::plain(head.origin());
        let before = self.commits.newest.filter(|(size, _)| *size == head.size());
        let made_at_ms = match before {
            Some((_, at_ms)) => at_ms,
            None => self.client.committed_at_ms(head).await?,
        };
        let heads = [Head {
            checkpoint: head.clone(),
            made_at_ms,
        }];
        let fresh_at_ms = self.check(&heads).await?;
        let times = HeadTimes {
            committed_at_ms: made_at_ms,
            quorum_at_ms: None,
        };
        if let (None, Err(error)) = (before, times.check_now(now_ms())) {
            self.watch.say(&format!(
                "warning: the times of {origin}'s head do not fit: {error}"
            ));
        }
        self.commits.newest = Some((head.size(), made_at_ms));
        let fresh_at_ms = fresh_at_ms.unwrap_or(made_at_ms);
        match self.commits.watch.notice(fresh_at_ms, now_ms()) {
            Some(Frozen::Since(age_ms)) => self.watch.say(&format!(
                "warning: {origin} has committed to nothing new for {} minutes, and logs do every \
                 hour: what was said since may be withheld from you, or the clock of this machine \
                 is wrong",
                age_ms / 60_000
            )),
            Some(Frozen::NoLonger) => self.watch.say(&format!("{origin} commits again")),
            None => {}
        }
        Ok(())
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
