//! Carrying out a plan: what is sent is written down before, and what the log has after it. A run
//! that is stopped anywhere is finished by the next one.

use super::TOGETHER;
use super::problems::Problems;
use super::reading::{Maker, Read, Step, What};
use super::refusal::{is_busy, is_not_logged};
use crate::{
    exit::Failure,
    publishing::{ATTEMPTS, pause_of, when_asked_to},
};
use assay_claims::entry::wire;
use assay_claims::kind::withdrawal::Withdrawal;
use assay_client::publish::{Draft, DraftError};
use assay_client::{ClientError, Journal, Published, Refused, Wait};
use assay_intake::bridge::{Held, Job, Ledger, Owner, Plan};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::slice::Chunks;
use std::time::Duration;
use tokio::task::{JoinHandle, block_in_place};

/// Claims that are sent together. That many are about 16 MiB, and as many are made and begun to be
/// sent while the node takes them: of so many it is not known what became of them after a crash.
const BATCH: usize = 8_192;
/// Documents that are stored beside them, in bytes: they are held until then.
const BATCH_BYTES: usize = 64 * 1024 * 1024;
/// From how many claims on it is the caller's fault if the node refuses all of them.
const ALL: usize = 10;
/// The pause, where the node does not name one.
const PAUSE: Duration = Duration::from_secs(1);

/// What was done.
#[derive(Debug, Default)]
pub struct Done {
    /// Records that were not published before.
    pub published: usize,
    /// Records that say something else now.
    pub replaced: usize,
    /// Records that were taken back.
    pub withdrawn: usize,
    /// Claims of all of these, withdrawals among them.
    pub claims: usize,
    /// How many of these the log had already.
    pub already_logged: usize,
}

impl Done {
    /// What would be done.
    pub fn planned(plan: &Plan) -> Self {
        let jobs = || plan.publish.values().flatten();
        Done {
            published: jobs().filter(|job| !job.replaces).count(),
            replaced: jobs().filter(|job| job.replaces).count(),
            withdrawn: plan.withdraw.len(),
            ..Done::default()
        }
    }
}

/// Who carries out a plan, and with what.
pub struct Carrier<'a> {
    pub maker: Maker<'a>,
    pub journal: Journal,
    pub ledger: Ledger,
    pub done: Done,
    pub problems: &'a mut Problems,
    /// Of what was published, the last in the log.
    pub last: Option<(LeafIndex, wire::Claim)>,
}

/// Steps whose claims are on their way.
struct Sending {
    steps: Vec<Step>,
    /// What was held of their records before, and of how many claims each is.
    before: Vec<(Held, usize)>,
    offered: Offered,
}

/// Claims that are offered for the first time, each of a step.
struct Offered {
    claims: Vec<(usize, wire::Claim)>,
    answers: JoinHandle<Answers>,
}

/// What became of each claim of a stream.
type Answers = Result<Vec<Result<Published, Refused>>, ClientError>;

/// What became of claims that were offered.
struct Outcome {
    /// The steps of which the node refused a claim, once for each.
    refused: Vec<usize>,
    /// Why it refused all of them.
    all: Option<Failure>,
    /// Whether what it refused is not in the log: each time that it was offered, it was answered,
    /// and the answer says so.
    sure: bool,
}

impl Carrier<'_> {
    /// Does all that the plan says, and then writes the state anew, with one line for each record.
    pub async fn carry_out(mut self, plan: &Plan, owner: &Owner) -> Result<Done, Failure> {
        self.follow(plan).await?;
        if let Some((_, claim)) = &self.last {
            self.show(claim).await?;
        }
        let records: Vec<_> = self.ledger.iter().collect();
        let records = records.into_par_iter();
        let lines =
            rayon::iter::once(owner.to_line()).chain(records.map(|(key, held)| held.to_line(key)));
        let lines: Vec<String> = lines.collect();
        self.journal.replace(&lines)?;
        Ok(self.done)
    }

    async fn follow(&mut self, plan: &Plan) -> Result<(), Failure> {
        for (key, place) in &plan.moved {
            if let Some(held) = self.ledger.get(key) {
                let place = place.clone();
                let held = Held {
                    place,
                    ..held.clone()
                };
                self.ledger.put(key, held);
            }
        }
        let documents: Vec<_> = plan.publish.iter().collect();
        let mut documents = documents.chunks(TOGETHER);
        let mut under_way = None;
        loop {
            // Meanwhile the node takes what was read before, and has the next in time.
            let steps = block_in_place(|| self.read(&mut documents));
            let is_last = steps.is_empty();
            let next = self.begin(steps)?;
            if let Some(sending) = under_way.replace(next)
                && let Err(failure) = self.finish(sending).await
            {
                // What is in the log of the next is to be known, too.
                if let Some(next) = under_way {
                    _ = self.finish(next).await;
                }
                return Err(failure);
            }
            if is_last {
                break;
            }
        }
        self.end(plan).await
    }

    /// Makes the claims of as many documents as are sent together.
    fn read(&mut self, documents: &mut Chunks<'_, (&String, &Vec<Job>)>) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for documents in documents {
            let read = documents.par_iter();
            let read = read.map(|(place, jobs)| self.maker.read(&self.ledger, place, jobs));
            let read: Vec<Read> = read.collect();
            for ((place, _), read) in documents.iter().zip(read) {
                for reason in read.problems {
                    self.problems.add(place, &reason);
                }
                steps.extend(read.steps);
            }
            let claims: usize = steps.iter().map(|step| step.claims.len()).sum();
            let attachments = steps.iter().flat_map(|step| &step.attachments);
            let bytes: usize = attachments.map(Bytes::len).sum();
            if claims >= BATCH || bytes >= BATCH_BYTES {
                break;
            }
        }
        steps
    }

    /// Withdraws what does not stand any more, and what a run before left unfinished.
    async fn end(&mut self, plan: &Plan) -> Result<(), Failure> {
        let mut steps = Vec::new();
        let ended = plan.withdraw.iter().map(|(key, why)| (key, Some(*why)));
        let unfinished = plan.unfinished.iter().map(|key| (key, None));
        for (key, why) in ended.chain(unfinished) {
            let Some(mut held) = self.ledger.get(key).cloned() else {
                continue;
            };
            if let Some(why) = why {
                held.ends(why);
            }
            steps.push(Step {
                key: key.clone(),
                held,
                claims: Vec::new(),
                attachments: Vec::new(),
                what: why.map_or(What::Finish, |_| What::Withdraw),
            });
            if steps.len() >= BATCH {
                self.send(std::mem::take(&mut steps)).await?;
            }
        }
        self.send(steps).await
    }

    /// Publishes the claims of the steps and then the withdrawals that follow from them.
    async fn send(&mut self, steps: Vec<Step>) -> Result<(), Failure> {
        if steps.is_empty() {
            return Ok(());
        }
        let sending = self.begin(steps)?;
        self.finish(sending).await
    }

    /// Takes down that the claims of the steps are sent, and begins to send them.
    fn begin(&mut self, mut steps: Vec<Step>) -> Result<Sending, Failure> {
        let before = steps
            .iter()
            .map(|step| (self.held(&step.key), step.claims.len()));
        let before = before.collect();
        self.write(&steps)?;
        let claims = steps
            .iter_mut()
            .enumerate()
            .flat_map(|(at, step)| step.claims.drain(..).map(move |claim| (at, claim)))
            .collect();
        Ok(Sending {
            steps,
            before,
            offered: self.offered(claims),
        })
    }

    /// Waits for what became of the claims, and publishes the withdrawals that follow from them.
    async fn finish(&mut self, sending: Sending) -> Result<(), Failure> {
        let Sending {
            mut steps,
            before,
            offered,
        } = sending;
        let outcome = self.publish(&steps, offered).await?;
        let Outcome {
            mut refused,
            all,
            sure,
        } = outcome;
        // What is in the log of none of them is not to be withdrawn, ever.
        if sure {
            take_back(&mut steps, before.into_iter(), &refused);
        }
        if let Some(failure) = all {
            self.write(&steps)?;
            return Err(failure);
        }
        self.store(&steps, &mut refused).await?;
        let withdrawals = self.settle(&mut steps, &refused);
        self.write(&steps)?;
        let is_done = steps.iter().all(|step| step.held.stale.is_empty());
        let Outcome {
            refused: kept, all, ..
        } = self.publish(&steps, self.offered(withdrawals)).await?;
        all.map_or(Ok(()), Err)?;
        for (at, step) in steps.iter_mut().enumerate() {
            if refused.contains(&at) || kept.contains(&at) {
                continue;
            }
            step.held.took();
            match step.what {
                What::Publish => self.done.published += 1,
                What::Replace => self.done.replaced += 1,
                What::Withdraw => self.done.withdrawn += 1,
                What::Finish => {}
            }
        }
        if is_done { Ok(()) } else { self.write(&steps) }
    }

    /// Stores what claims name beside the log that has them. Where the node refuses it, the step is
    /// taken as refused, so that the next run offers both again.
    async fn store(&mut self, steps: &[Step], refused: &mut Vec<usize>) -> Result<(), Failure> {
        let mut stored = BTreeSet::new();
        for (at, step) in steps.iter().enumerate() {
            for bytes in &step.attachments {
                let digest = Hash::of(bytes);
                if refused.contains(&at) || stored.contains(&digest) {
                    continue;
                }
                match self.put(bytes).await {
                    Ok(()) => _ = stored.insert(digest),
                    Err(Failure::Client(ClientError::Refused { message, .. })) => {
                        let reason = format!("its document is not stored: {message}");
                        self.problems.add(&step.key, &reason);
                        refused.push(at);
                    }
                    Err(failure) => return Err(failure),
                }
            }
        }
        Ok(())
    }

    /// Stores a document.
    async fn put(&self, bytes: &Bytes) -> Result<(), Failure> {
        let client = self.maker.publisher.client();
        when_asked_to(|| async {
            client.put_attachment(bytes.clone(), |_| ()).await?;
            Ok(())
        })
        .await
    }

    /// Waits until the tree that the node shows has this claim, and so all that were logged before,
    /// and has that proven.
    async fn show(&self, claim: &wire::Claim) -> Result<(), Failure> {
        let client = self.maker.publisher.client();
        when_asked_to(|| async {
            client.publish(claim.clone(), Wait::Integrated).await?;
            Ok(())
        })
        .await
    }

    /// Takes down that the log has what was sent, but for what was refused, and makes the
    /// withdrawals that follow.
    fn settle(&mut self, steps: &mut [Step], refused: &[usize]) -> Vec<(usize, wire::Claim)> {
        let mut withdrawals = Vec::new();
        for (at, step) in steps.iter_mut().enumerate() {
            if refused.contains(&at) {
                continue;
            }
            step.held.settles();
            for target in &step.held.stale {
                let withdrawal = Withdrawal {
                    target: *target,
                    reason: step.held.why.reason().to_owned(),
                    superseded_by: step.held.claims.first().copied(),
                };
                let drafted = withdrawal.statement().map_err(DraftError::from);
                match drafted.and_then(Draft::new) {
                    Ok(draft) => {
                        let claim = self.maker.publisher.sign(&draft.into_text());
                        withdrawals.push((at, claim));
                    }
                    Err(error) => self.problems.add(&step.key, &error.to_string()),
                }
            }
        }
        withdrawals
    }

    /// What the ledger has of a record.
    fn held(&self, key: &str) -> Held {
        self.ledger.get(key).cloned().unwrap_or_default()
    }

    fn write(&mut self, steps: &[Step]) -> Result<(), Failure> {
        let lines = steps.par_iter();
        let lines: Vec<String> = lines.map(|step| step.held.to_line(&step.key)).collect();
        self.journal.append(&lines)?;
        for step in steps {
            self.ledger.put(&step.key, step.held.clone());
        }
        Ok(())
    }

    /// Begins to offer claims, each of a step, beside what else is done.
    fn offered(&self, claims: Vec<(usize, wire::Claim)>) -> Offered {
        let sent: Vec<_> = claims.iter().map(|(_, claim)| claim.clone()).collect();
        let client = self.maker.publisher.client().clone();
        let answers = tokio::spawn(async move {
            if sent.is_empty() {
                return Ok(Vec::new());
            }
            client.publish_all(sent, Wait::Sequenced).await
        });
        Offered { claims, answers }
    }

    /// Sees what became of claims that are offered, and offers again those for which the node was
    /// too busy.
    ///
    /// An error means that it is not known what became of any of them.
    async fn publish(&mut self, steps: &[Step], offered: Offered) -> Result<Outcome, Failure> {
        let (mut refused, mut first, mut sure) = (Vec::new(), None, true);
        let count = offered.claims.len();
        let mut offered = Some(offered);
        let mut attempts = 0;
        while let Some(under_way) = offered.take() {
            let last = attempts == ATTEMPTS;
            let mut again = Vec::new();
            for (at, claim, refusal) in self.answered(under_way, last, &mut sure).await? {
                if is_busy(&refusal) && !last {
                    again.push((at, claim));
                } else {
                    let key = steps.get(at).map_or("", |step| step.key.as_str());
                    self.problems.add(key, &refusal.message);
                    sure &= is_not_logged(&refusal);
                    refused.push(at);
                    first.get_or_insert(refusal);
                }
            }
            if !again.is_empty() {
                tokio::time::sleep(PAUSE).await;
                offered = Some(self.offered(again));
            }
            attempts += 1;
        }
        // What is refused of every claim is not about any of them.
        let all = first.filter(|_| refused.len() == count && count >= ALL);
        let all = all.map(|Refused { code, message }| ClientError::Refused { code, message });
        Ok(Outcome {
            refused,
            all: all.map(Failure::Client),
            sure,
        })
    }

    /// Waits for the answers, and offers the claims again for as long as the node asks for a pause.
    /// Returns those that it refused. It is not `sure` what became of them before if a stream ended
    /// without an answer to each.
    async fn answered(
        &mut self,
        mut offered: Offered,
        last: bool,
        sure: &mut bool,
    ) -> Result<Vec<(usize, wire::Claim, Refused)>, Failure> {
        let mut attempts = if last { ATTEMPTS } else { 0 };
        loop {
            let Offered { claims, answers } = offered;
            let answers = answers
                .await
                .map_err(|e| Failure::io("cannot publish", e.into()))?;
            match answers {
                Ok(results) => {
                    let mut refused = Vec::new();
                    for ((at, claim), result) in claims.into_iter().zip(results) {
                        match result {
                            Ok(published) => self.count(&published, claim, *sure),
                            Err(refusal) => refused.push((at, claim, refusal)),
                        }
                    }
                    return Ok(refused);
                }
                Err(error) => {
                    *sure = false;
                    match pause_of(&error).filter(|_| attempts < ATTEMPTS) {
                        Some(pause) => tokio::time::sleep(pause).await,
                        None => return Err(error.into()),
                    }
                    offered = self.offered(claims);
                }
            }
            attempts += 1;
        }
    }

    /// Counts a claim that the log has. What was offered before, in a stream whose answers were
    /// lost, was most likely taken then, and says nothing of runs of before.
    fn count(&mut self, published: &Published, claim: wire::Claim, sure: bool) {
        self.done.claims += 1;
        self.done.already_logged += usize::from(published.already_logged && sure);
        if self
            .last
            .as_ref()
            .is_none_or(|(leaf, _)| *leaf < published.index)
        {
            self.last = Some((published.index, claim));
        }
    }
}

/// Of steps of which all claims were refused, what was held before is held: so much, and as many
/// claims were sent.
fn take_back(steps: &mut [Step], before: impl Iterator<Item = (Held, usize)>, refused: &[usize]) {
    for (at, (step, (held, count))) in steps.iter_mut().zip(before).enumerate() {
        let not_taken = refused.iter().filter(|one| **one == at).count();
        if count > 0 && not_taken == count {
            step.held = held;
        }
    }
}
