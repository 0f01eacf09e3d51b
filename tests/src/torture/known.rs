//! A log of which all is known, as it was before a fault, and the judge of what it is after it.

use crate::{
    issuer::Actor,
    log::{Leaf, Log, covering, stated},
    process::Node,
};
use anyhow::{Context, ensure};
use assay_proto::v1::{PublishResponse, Wait};
use assay_tlog::{Hash, checkpoint::VerifiedCheckpoint, tree::Frontier};

/// Words of which every refusal has one: what an operator does.
const ADVICE: [&str; 11] = [
    "restore",
    "Restore",
    "rebuild",
    "Bring",
    "bring",
    "restart",
    "Restart",
    "free some space",
    "Check the disk",
    "retire",
    "remove the file",
];

/// A log that was stopped or killed, and what was answered by it.
pub struct Known {
    /// Its folder. It does not run.
    pub node: Node,
    /// Who publishes in it.
    pub issuer: Actor,
    /// What was acknowledged.
    pub acknowledged: Vec<PublishResponse>,
    leaves: Vec<Hash>,
    next: u64,
}

impl Known {
    /// A log of so many claims and some commitments, that was stopped and started in between, so
    /// that tables and write-ahead log both have part of it, and then killed.
    pub async fn new(claims: u64) -> anyhow::Result<Self> {
        let mut node = Node::init()?;
        node.configure("log.publish_interval_ms = 1\nadmission.issuer_claims_per_second = 0")?;
        node.run()?;
        let issuer = Actor::new(&[1], 1);
        let log = Log::connect(node.ready()).await?;
        let registration = issuer.registration()?;
        let mut acknowledged = vec![log.publish(registration, Wait::Integrated).await?];
        let half = claims / 2;
        acknowledged.extend(publish(&log, &issuer, 1..half).await?);
        node.stop()?;
        node.run()?;
        let log = Log::connect(node.ready()).await?;
        acknowledged.extend(publish(&log, &issuer, half..claims).await?);
        let whole = log.rederive().await?;
        node.kill()?;
        Ok(Known {
            node,
            issuer,
            acknowledged,
            leaves: whole.leaves,
            next: claims,
        })
    }

    /// A number of a claim that was never published.
    pub fn next(&self) -> u64 {
        self.next
    }

    /// A node that runs after a fault which it can recover from: it has all that was acknowledged,
    /// before or since, nothing that was shown is otherwise, and it takes more.
    pub async fn assert_whole(
        &self,
        node: &mut Node,
        since: &[PublishResponse],
        shown: &[VerifiedCheckpoint],
    ) -> anyhow::Result<()> {
        node.run().context("it does not start again")?;
        let log = Log::connect(node.ready()).await?;
        let fresh = self.issuer.claim(1_000_000);
        log.publish(fresh, Wait::Integrated)
            .await
            .context("it takes no claims")?;
        log.published(covering(since)).await?;
        assert_there(&log, since).await?;
        assert_there(&log, self.acknowledged.iter().rev().take(3)).await?;
        self.assert_extends(&log, shown).await?;
        node.stop()
    }

    /// What the node shows is what it showed, and more: every leaf that is known stands where it
    /// stood, and no size has another root than it was shown with.
    pub async fn assert_extends(
        &self,
        log: &Log,
        shown: &[VerifiedCheckpoint],
    ) -> anyhow::Result<()> {
        let whole = log.rederive().await.context("it cannot be derived")?;
        ensure!(
            whole.leaves.starts_with(&self.leaves),
            "FORK: other leaves than before"
        );
        for checkpoint in shown {
            let size = checkpoint.size().get();
            let root = whole.roots(&[size]).remove(&size);
            ensure!(
                root == Some(checkpoint.root()),
                "FORK: size {size} was shown with another root"
            );
        }
        Ok(())
    }

    /// A node that runs on damaged files: what it answers is right, or an error, and then it says
    /// that it is damaged. Returns what it did.
    pub async fn assert_honest(&self, node: &mut Node) -> anyhow::Result<&'static str> {
        let log = Log::connect(node.ready()).await?;
        let mut errors = Vec::new();
        match log.checkpoint().await {
            Ok(checkpoint) => self.assert_known(&checkpoint)?,
            Err(error) => errors.push(error.to_string()),
        }
        for answer in &self.acknowledged {
            let (claim, index, hash) = stated(answer)?;
            match log.entry(Leaf::Claim(claim)).await {
                Ok(found) => ensure!(
                    (found.index, found.entry.leaf_hash()) == (index, hash),
                    "WRONG: claim {claim} is at {}",
                    found.index
                ),
                Err(error) => errors.push(error.to_string()),
            }
        }
        let fresh = self.issuer.claim(2_000_000);
        if let Err(status) = log.publish(fresh, Wait::Integrated).await {
            errors.push(status.message().to_owned());
        }
        match log.rederive().await {
            Ok(whole) => ensure!(
                whole.leaves.starts_with(&self.leaves),
                "FORK: other leaves than before"
            ),
            Err(error) => errors.push(format!("{error:#}")),
        }
        let Some(first) = errors.first() else {
            self.end(node)?;
            return Ok("served");
        };
        says_so(&log)
            .await
            .with_context(|| format!("after this answer: {first}"))?;
        self.end(node)?;
        Ok("said to be damaged")
    }

    /// An operator whose node refuses to start looks at it and makes it anew: both commands end
    /// with words, and what is made is the log that was signed. Returns what came of it.
    pub async fn assert_rebuilt(&self, node: &mut Node) -> anyhow::Result<&'static str> {
        commanded(node, "check")?;
        if !commanded(node, "rebuild")?.contains("are made anew") {
            return Ok("refused");
        }
        node.run().context("what was made anew does not start")?;
        let log = Log::connect(node.ready()).await?;
        self.assert_extends(&log, &[]).await?;
        self.end(node)?;
        Ok("refused and made anew")
    }

    /// A checkpoint of a size that is known has its root. It may be an older one, until the node
    /// has signed again what it signed last.
    fn assert_known(&self, checkpoint: &VerifiedCheckpoint) -> anyhow::Result<()> {
        let size = checkpoint.size().get() as usize;
        let Some(leaves) = self.leaves.get(..size) else {
            return Ok(());
        };
        let mut frontier = Frontier::new();
        frontier.append(leaves);
        ensure!(
            frontier.root() == checkpoint.root(),
            "FORK: another root for size {size}"
        );
        Ok(())
    }

    fn end(&self, node: &mut Node) -> anyhow::Result<()> {
        let said = node.stderr();
        ensure!(!said.contains("panicked"), "PANIC: {said}");
        node.stop()
    }
}

/// Waits until readiness says that something is wrong.
async fn says_so(log: &Log) -> anyhow::Result<()> {
    crate::process::poll_async(async || {
        let (code, _) = log.admin("/readyz").await?;
        Ok((code == 503).then_some(()))
    })
    .await
    .context("SILENT: it says that it is ready")
}

/// Runs a node on damaged files: it refuses with words that say what to do, or it runs.
pub fn runs(node: &mut Node) -> anyhow::Result<bool> {
    let Err(error) = node.run() else {
        return Ok(true);
    };
    assert_advice(&format!("{error:#}"), "exit status: 3")?;
    Ok(false)
}

/// What a command says of a node that does not run. It ends by itself, whatever it finds.
pub fn commanded(node: &Node, command: &str) -> anyhow::Result<String> {
    let output = node.assay_node(&[command], &[])?;
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(!said.contains("panicked"), "PANIC of {command}: {said}");
    ensure!(
        output.status.code().is_some(),
        "CRASH of {command}: {}",
        output.status
    );
    Ok(said)
}

/// A refusal to start ends as refusals end, and says what to do.
pub fn assert_advice(said: &str, status: &str) -> anyhow::Result<()> {
    ensure!(!said.contains("panicked"), "PANIC: {said}");
    ensure!(said.contains(status), "CRASH: {said}");
    let advises = ADVICE.iter().any(|words| said.contains(words));
    ensure!(advises, "NO ADVICE: {said}");
    Ok(())
}

/// Publishes claims one after the other.
pub async fn publish(
    log: &Log,
    issuer: &Actor,
    numbers: std::ops::Range<u64>,
) -> anyhow::Result<Vec<PublishResponse>> {
    let mut answers = Vec::new();
    for number in numbers {
        let wait = [Wait::Sequenced, Wait::Integrated][usize::from(number % 8 == 0)];
        answers.push(log.publish(issuer.claim(number), wait).await?);
    }
    let last = answers.last().map(|answer| answer.leaf_index + 2);
    log.published(last.unwrap_or_default()).await?;
    Ok(answers)
}

async fn assert_there(
    log: &Log,
    acknowledged: impl IntoIterator<Item = &PublishResponse>,
) -> anyhow::Result<()> {
    for answer in acknowledged {
        let (claim, index, hash) = stated(answer)?;
        let found = log.entry(Leaf::Claim(claim)).await;
        let found = found.with_context(|| format!("LOST: claim {claim}, leaf {index}"))?;
        ensure!(
            (found.index, found.entry.leaf_hash()) == (index, hash),
            "WRONG: claim {claim} is at {}",
            found.index
        );
    }
    Ok(())
}
