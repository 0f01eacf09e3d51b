//! A connection to the log that breaks while a bridge publishes, and a log that does not know what
//! became of claims: whatever was taken before, the next run finds it, and no claim that stands
//! when all is done says what the source does not say any more.

use crate::operator::{BRIDGE, Operator, bridged, said};
use anyhow::{Context, ensure};
use assay_claims::claim::ClaimId;
use assay_claims::entry::{Entry, wire};
use assay_tests::log::Log;
use assay_tests::lying::{Proxy, Streamed};
use assay_tests::process::poll_async;
use assay_tests::relay::{Carried, Fuse};
use serde_json::Value;
use std::{collections::BTreeMap, process::Stdio, time::Duration};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// So many that they are sent in several messages.
const RECORDS: usize = 600;

/// What a bridge did in a log.
#[derive(Debug, Default)]
struct Logged {
    /// The claims, by record and revision.
    claims: BTreeMap<(String, u64), ClaimId>,
    /// How often each claim was withdrawn.
    withdrawn: BTreeMap<String, usize>,
}

impl Logged {
    /// Reads the whole log of an operator.
    async fn read(operator: &Operator) -> anyhow::Result<Self> {
        let log = Log::connect(operator.node.ready()).await?;
        let mut logged = Logged::default();
        for bytes in log.entries(0, 0).await? {
            if let wire::Body::Claim(claim) = Entry::parse(bytes)?.body() {
                logged.add(&claim.payload)?;
            }
        }
        Ok(logged)
    }

    fn add(&mut self, payload: &[u8]) -> anyhow::Result<()> {
        let predicate = &serde_json::from_slice::<Value>(payload)?["predicate"];
        if let Some(target) = predicate["target"].as_str() {
            *self.withdrawn.entry(target.to_owned()).or_default() += 1;
        } else if let Some(record) = predicate["republished"]["record"].as_str() {
            let revision = predicate["republished"]["revision"].as_u64();
            let key = (record.to_owned(), revision.context("no revision")?);
            let before = self.claims.insert(key, ClaimId::of_payload(payload));
            ensure!(before.is_none(), "{record} is published twice");
        }
        Ok(())
    }

    /// What was done, in entries.
    fn entries(&self) -> usize {
        self.claims.len() + self.withdrawn.values().sum::<usize>()
    }

    /// How many claims of a revision there are.
    fn of(&self, revision: u64) -> usize {
        let keys = self.claims.keys();
        keys.filter(|(_, of)| *of == revision).count()
    }

    /// How many claims of a revision stand.
    fn standing(&self, revision: u64) -> usize {
        let claims = self.claims.iter().filter(|((_, of), _)| *of == revision);
        let standing = claims.filter(|(_, id)| !self.withdrawn.contains_key(&id.to_hex()));
        standing.count()
    }

    /// Whether each of these records was published once in each revision up to the last one, and
    /// withdrawn once in each but the last one, and nothing else was done.
    fn is_whole(&self, records: usize, last: u64) -> anyhow::Result<()> {
        for revision in 1..=last {
            let stands = if revision == last { records } else { 0 };
            let (of, standing) = (self.of(revision), self.standing(revision));
            ensure!(
                (of, standing) == (records, stands),
                "of revision {revision}, {of} are logged and {standing} stand"
            );
        }
        let entries = records * (2 * last as usize - 1);
        ensure!(self.entries() == entries, "{} entries", self.entries());
        Ok(())
    }
}

/// What else happens to the node when the line breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    /// It goes on.
    Lives,
    /// It is killed at that moment, and started again.
    Dies,
}

/// Runs the bridge over a line that carries so much. Returns its exit code, what it said, and what
/// was carried.
async fn over(
    operator: &mut Operator,
    most: Carried,
    node: Node,
) -> anyhow::Result<(Option<i32>, String, Carried)> {
    let address = operator.node.ready().url.replace("http://", "");
    let mut fuse = Fuse::start(address.parse()?, most).await?;
    let mut command = operator.command(&fuse.url, &BRIDGE);
    let run = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    if node == Node::Dies {
        fuse.breaks().await?;
        operator.node.kill()?;
    }
    let output = run.wait_with_output()?;
    if node == Node::Dies {
        operator.node.run()?;
    }
    let broke = fuse.is_broken();
    ensure!(broke == (most != Carried::ALL), "{}", said(&output));
    let (code, _, said) = bridged(&output)?;
    Ok((code, said, fuse.carried()))
}

/// Runs the bridge over a line that breaks, and then until nothing is left to do.
async fn over_and_again(
    operator: &mut Operator,
    most: Carried,
    node: Node,
    revision: u64,
) -> anyhow::Result<bool> {
    let before = Logged::read(operator).await?.entries();
    let (code, said, _) = over(operator, most, node).await?;
    ensure!(code == Some(3), "{most:?} {node:?}: {code:?} {said}");
    ensure!(said.contains("the same command again"), "{said}");
    let added = Logged::read(operator).await?.entries() - before;
    let (code, _, said) = operator.bridge(&[])?;
    ensure!(code == Some(0), "{most:?} {node:?}: {said}");
    let logged = Logged::read(operator).await?;
    let whole = logged.is_whole(RECORDS, revision);
    whole.with_context(|| format!("{most:?} {node:?}"))?;
    ensure!(operator.bridge(&[])?.1 == [0; 4], "something is left");
    ensure!(Logged::read(operator).await?.entries() == logged.entries());
    Ok(added > 0 && added < logged.entries() - before)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_breaks_anywhere_loses_and_repeats_nothing() -> anyhow::Result<()> {
    let mut operator = Operator::new()?;
    // The first publication, of which each claim has more than this.
    operator.records(RECORDS, "1.0.0")?;
    let half = Carried {
        there: 300 * RECORDS as u64,
        ..Carried::ALL
    };
    over_and_again(&mut operator, half, Node::Lives, 1).await?;
    operator.records(RECORDS, "2.0.0")?;
    let (code, said, all) = over(&mut operator, Carried::ALL, Node::Lives).await?;
    ensure!(code == Some(0), "{said}");
    let there = |percent: u64| Carried {
        there: all.there * percent / 100,
        ..Carried::ALL
    };
    let back = |percent: u64| Carried {
        back: all.back * percent / 100,
        ..Carried::ALL
    };
    // Claims come first, and take more than half; then what they replace is withdrawn.
    let breaks = [
        (there(20), Node::Lives),
        (there(45), Node::Lives),
        (there(45), Node::Dies),
        (there(75), Node::Lives),
        (there(90), Node::Dies),
        (back(30), Node::Lives),
        (back(60), Node::Lives),
        (back(90), Node::Lives),
    ];
    let mut in_the_middle = 0;
    for (revision, (most, node)) in (3..).zip(breaks) {
        operator.records(RECORDS, &format!("{revision}.0.0"))?;
        let broke = over_and_again(&mut operator, most, node, revision).await?;
        in_the_middle += usize::from(broke);
    }
    ensure!(in_the_middle >= 3, "only {in_the_middle}");
    operator.node.stop()
}

/// Between a run that broke and the next one, the source says something else, or nothing any more.
/// What the log took of the first run does not stand.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_sent_before_the_source_changed_does_not_stand() -> anyhow::Result<()> {
    let mut operator = Operator::new()?;
    operator.records(RECORDS, "1.0.0")?;
    let (code, said, all) = over(&mut operator, Carried::ALL, Node::Lives).await?;
    ensure!(code == Some(0), "{said}");
    operator.records(RECORDS, "2.0.0")?;
    // More than what comes back before the first claims are answered.
    let most = Carried {
        back: all.back * 3 / 10,
        ..Carried::ALL
    };
    let (code, said, _) = over(&mut operator, most, Node::Lives).await?;
    ensure!(code == Some(3), "{said}");
    operator.records(RECORDS, "3.0.0")?;
    let gone = RECORDS / 4;
    for number in 0..gone {
        std::fs::remove_file(operator.source(&format!("{number}.json")))?;
    }
    let (code, counts, said) = operator.bridge(&[])?;
    let left = RECORDS - gone;
    let expected = [0, left as u64, gone as u64, 0];
    ensure!((code, counts) == (Some(0), expected), "{said}");
    let logged = Logged::read(&operator).await?;
    let sent = logged.of(2);
    ensure!(sent > 0, "none was taken");
    let standing = [1, 2, 3].map(|revision| logged.standing(revision));
    ensure!(standing == [0, 0, left], "{standing:?}");
    ensure!(logged.of(1) == RECORDS && logged.of(3) == left);
    ensure!(operator.bridge(&[])?.1 == [0; 4]);
    operator.node.stop()
}

/// The answers of a stream are lost, and whoever asked is asked for a pause of no length.
fn lost() -> Streamed {
    let pause = ErrorDetails::with_retry_info(Some(Duration::ZERO));
    let status = Status::with_error_details(Code::Unavailable, "a proxy is restarted", pause);
    Streamed::Lost(status)
}

/// A stream whose answers were lost is sent again. That the log has its claims already is then no
/// sign of a state file that was lost.
#[tokio::test(flavor = "multi_thread")]
async fn answers_that_were_lost_are_asked_for_again() -> anyhow::Result<()> {
    let operator = Operator::new()?;
    operator.records(12, "1.0.0")?;
    let proxy = Proxy::start(operator.node.ready()).await?;
    proxy.lies().streams = [lost(), lost()].into();
    let (code, counts, said) = bridged(&operator.command(&proxy.url, &BRIDGE).output()?)?;
    ensure!((code, counts) == (Some(0), [12, 0, 0, 0]), "{said}");
    ensure!(proxy.lies().streams.is_empty(), "{said}");
    ensure!(!said.contains("the state file is new"), "{said}");
    Logged::read(&operator).await?.is_whole(12, 1)
}

/// What a node says it refused was not taken only if it says so of each claim, each time, for a
/// reason that the claim has. Else it may stand in the log, and is withdrawn when the source says
/// something else.
#[tokio::test(flavor = "multi_thread")]
async fn what_may_have_been_taken_is_not_forgotten() -> anyhow::Result<()> {
    let refused = || Streamed::Refused(Code::PermissionDenied);
    for (streams, taken) in [
        (vec![refused()], false),
        (vec![lost(), refused()], true),
        (vec![Streamed::Denied(Code::Internal)], true),
        (vec![Streamed::Denied(Code::AlreadyExists)], true),
        (vec![Streamed::Denied(Code::DataLoss)], true),
    ] {
        let case = format!("{streams:?}");
        let operator = Operator::new()?;
        operator.records(12, "1.0.0")?;
        let proxy = Proxy::start(operator.node.ready()).await?;
        proxy.lies().streams = streams.into();
        let (code, _, said) = bridged(&operator.command(&proxy.url, &BRIDGE).output()?)?;
        ensure!(code != Some(0), "{case}: {said}");
        ensure!(proxy.lies().streams.is_empty(), "{case}: {said}");
        if taken {
            // A bridge that fails does not wait until what it sent is shown.
            let first = async || Ok((Logged::read(&operator).await?.of(1) == 12).then_some(()));
            poll_async(first).await.context(case.clone())?;
        } else {
            let first = Logged::read(&operator).await?.of(1);
            ensure!(first == 0, "{case}: {first}");
        }
        operator.records(12, "2.0.0")?;
        let (code, _, said) = operator.bridge(&[])?;
        ensure!(code == Some(0), "{case}: {said}");
        let logged = Logged::read(&operator).await?;
        let last = if taken { 2 } else { 1 };
        logged.is_whole(12, last).context(case)?;
    }
    Ok(())
}
