//! A fault in each system call by which a node writes: an error, a kill, or a power cut; while it
//! appends, while it stops, and while it recovers from a kill.

use super::{Row, known::Known};
use crate::{
    faults::{Failure, Faults, Forgotten},
    log::Log,
    process::Node,
};
use anyhow::{Context, ensure};
use assay_proto::v1::{PublishResponse, Wait};
use assay_tlog::checkpoint::VerifiedCheckpoint;

/// What a node does while a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum While {
    /// It takes a claim and publishes it, and takes another one.
    Appending,
    /// It ends after SIGTERM.
    Stopping,
    /// It starts after kill -9. This is the second fault of a pair.
    Recovering,
}

/// What happens at a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// It fails with EIO.
    Io,
    /// It and all after it fail with ENOSPC.
    Full,
    /// The process is killed before it.
    Kill,
    /// The same, and what was not synced is lost.
    PowerCut,
}

impl At {
    fn failure(self) -> Failure {
        match self {
            At::Io => Failure::Io,
            At::Full => Failure::Full,
            At::Kill | At::PowerCut => Failure::Kill,
        }
    }
}

/// What there is to try.
pub const ALL: [(While, At); 12] = [
    (While::Appending, At::Io),
    (While::Appending, At::Full),
    (While::Appending, At::Kill),
    (While::Appending, At::PowerCut),
    (While::Stopping, At::Io),
    (While::Stopping, At::Full),
    (While::Stopping, At::Kill),
    (While::Stopping, At::PowerCut),
    (While::Recovering, At::Io),
    (While::Recovering, At::Full),
    (While::Recovering, At::Kill),
    (While::Recovering, At::PowerCut),
];

/// What a node said in a cycle.
#[derive(Default)]
struct Said {
    acknowledged: Vec<PublishResponse>,
    shown: Vec<VerifiedCheckpoint>,
}

/// A log to torture, again and again from the same beginning.
pub struct Calls {
    known: Known,
    /// Where the faults are.
    folder: tempfile::TempDir,
}

impl Calls {
    /// Makes the log.
    pub async fn new() -> anyhow::Result<Self> {
        Ok(Calls {
            known: Known::new(24).await?,
            folder: tempfile::tempdir()?,
        })
    }

    /// At each call in turn, or at `cycles` of them, evenly.
    pub async fn each(&self, (doing, at): (While, At), cycles: usize) -> anyhow::Result<Row> {
        let mut row = Row::new(format!("{at:?} in a call of a node that is {doing:?}"));
        let calls = self.count(doing).await?;
        let step = (calls as usize).div_ceil(cycles).max(1);
        for number in (1..=calls).step_by(step) {
            let came = self.cycle(doing, at, number, None).await;
            row.note(&format!("call {number} of {calls}"), came);
        }
        Ok(row)
    }

    /// The mutant: power cuts to a node that syncs some files no more, which has to be found in one
    /// of the cycles.
    pub async fn forgetful(&self, what: Forgotten, cycles: usize) -> anyhow::Result<Row> {
        let mut row = Row::new(format!("mutant: {what:?} is not synced"));
        let calls = self.count(While::Appending).await?;
        let step = (calls as usize).div_ceil(cycles).max(1);
        for number in (1..=calls).step_by(step) {
            let came = self.cycle(While::Appending, At::PowerCut, number, Some(what));
            let outcome = match came.await {
                Ok(_) => "harmless",
                Err(_) => "found",
            };
            row.note("", Ok(outcome));
        }
        if !row.outcomes.contains_key("found") {
            row.failures.push("it is not found".to_owned());
        }
        Ok(row)
    }

    /// How many calls there are.
    async fn count(&self, doing: While) -> anyhow::Result<u32> {
        let (mut node, faults) = self.copy()?;
        node.environment = faults.environment();
        let mut said = Said::default();
        let nothing = (doing, Failure::Io, 0);
        let drive = self.drive(&mut node, &faults, nothing, &mut said);
        ensure!(drive.await?, "without a fault");
        let calls = faults.calls()?;
        ensure!(calls > 0 && said.acknowledged.len() > 1, "{calls} calls");
        Ok(calls)
    }

    async fn cycle(
        &self,
        doing: While,
        at: At,
        number: u32,
        forgotten: Option<Forgotten>,
    ) -> anyhow::Result<&'static str> {
        let (mut node, faults) = self.copy()?;
        node.environment = faults.losing();
        faults.keep()?;
        if let Some(what) = forgotten {
            faults.forget(what)?;
        }
        let mut said = Said::default();
        let fault = (doing, at.failure(), number);
        let driven = self.drive(&mut node, &faults, fault, &mut said).await;
        let runs = driven.with_context(|| format!("{:?}", faults.failed()))?;
        if node.pid().is_ok() {
            node.kill()?;
        }
        let stderr = node.stderr();
        ensure!(!stderr.contains("panicked"), "PANIC: {stderr}");
        let call = faults.failed()?;
        faults.mend()?;
        if at == At::PowerCut {
            faults.lose()?;
        }
        node.environment.clear();
        let (acknowledged, shown) = (&said.acknowledged, &said.shown);
        let whole = self.known.assert_whole(&mut node, acknowledged, shown);
        whole.await.with_context(|| format!("{call:?}"))?;
        Ok(match (call, runs) {
            (None, _) => "not reached",
            (Some(_), true) => "went on",
            (Some(_), false) => "ended",
        })
    }

    fn copy(&self) -> anyhow::Result<(Node, Faults)> {
        let node = Node::copy_of(&self.known.node)?;
        let faults = Faults::new(self.folder.path(), node.folder())?;
        Ok((node, faults))
    }

    /// Has a node append, stop or recover, one of whose calls fails. Notes what it acknowledged and
    /// showed. Returns whether it took all claims, and ended as it was told. Fails if it did not
    /// say what is wrong.
    async fn drive(
        &self,
        node: &mut Node,
        faults: &Faults,
        (doing, failure, number): (While, Failure, u32),
        said: &mut Said,
    ) -> anyhow::Result<bool> {
        if doing == While::Recovering {
            faults.fail(number, failure)?;
        }
        if let Err(error) = node.run() {
            let status = if failure == Failure::Kill {
                "signal: 9"
            } else {
                "exit status: 3"
            };
            let said = format!("{error:#}");
            ensure!(
                said.contains(status) && !said.contains("panicked"),
                "{said}"
            );
            return Ok(false);
        }
        if doing == While::Appending {
            faults.fail(number, failure)?;
        }
        let Ok(log) = Log::connect(node.ready()).await else {
            return Ok(false);
        };
        let first = self.known.next();
        let mut refused = None;
        for (claim, wait) in [
            (first, Wait::Integrated),
            (first + 1, Wait::Sequenced),
            (first + 2, Wait::Integrated),
        ] {
            match log.publish(self.known.issuer.claim(claim), wait).await {
                Ok(answer) => said.acknowledged.push(answer),
                Err(status) => refused = Some(status),
            }
            said.shown.extend(log.checkpoint().await.ok());
        }
        if doing == While::Stopping {
            faults.fail(number, failure)?;
            let stopped = node.stop();
            return Ok(stopped.is_ok());
        }
        let Some(status) = refused else {
            return Ok(true);
        };
        // A node that was killed says nothing, and one read that failed stops nothing.
        if failure != Failure::Kill && status.code() != tonic::Code::Internal {
            let (code, text) = log.admin("/readyz").await?;
            ensure!(code == 503, "SILENT: {status}, and {text}");
        }
        Ok(false)
    }
}
