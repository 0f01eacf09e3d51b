//! Carrying out a plan: what is sent is written down before, and what the log has after it. A run
//! that is stopped anywhere is finished by the next one.

use super::refusal::{is_busy, is_not_logged};
use super::{TOGETHER, folder::Folder, problems::Problems};
use crate::{
    exit::Failure,
    publishing::{ATTEMPTS, Publisher, pause_of},
};
use assay_claims::claim::ClaimId;
use assay_claims::entry::wire;
use assay_claims::kind::withdrawal::Withdrawal;
use assay_claims::statement::Statement;
use assay_client::publish::{Draft, DraftError};
use assay_client::{ClientError, Journal, Published, Refused, Wait};
use assay_intake::bridge::{Bridge, Held, Job, Ledger, Owner, Plan, Record, Verifier};
use assay_intake::documents::Prepared;
use assay_tlog::Hash;
use bytes::Bytes;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Claims that are sent together: what is not known after a crash. A node answers when they are in
/// a published tree, which takes as long for many as for few, so there are many: about 30 MiB.
const BATCH: usize = 16_384;
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
    pub publisher: Publisher<'a>,
    pub folder: &'a Folder,
    pub bridge: &'static Bridge,
    pub verifier: &'a dyn Verifier,
    pub journal: Journal,
    pub ledger: Ledger,
    pub now: String,
    pub done: Done,
    pub problems: &'a mut Problems,
}

/// A record that is about to be sent.
struct Step {
    key: String,
    held: Held,
    claims: Vec<wire::Claim>,
    /// What is stored beside the log, once the log has the claims that name it.
    attachments: Vec<Bytes>,
    what: What,
}

/// What a step is counted as.
#[derive(Clone, Copy)]
enum What {
    Publish,
    Replace,
    Withdraw,
    /// Counted when it was begun.
    Finish,
}

/// What is to be sent of a document, and what could not be made of it.
#[derive(Default)]
struct Read {
    steps: Vec<Step>,
    problems: Vec<String>,
}

impl Read {
    fn but(mut self, problem: String) -> Self {
        self.problems.push(problem);
        self
    }
}

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
        let records = self.ledger.iter().map(|(key, held)| held.to_line(key));
        let lines: Vec<String> = std::iter::once(owner.to_line()).chain(records).collect();
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
        let mut steps = Vec::new();
        let documents: Vec<_> = plan.publish.iter().collect();
        for documents in documents.chunks(TOGETHER) {
            let read = documents.par_iter();
            let read: Vec<Read> = read.map(|(place, jobs)| self.read(place, jobs)).collect();
            for ((place, _), read) in documents.iter().zip(read) {
                for reason in read.problems {
                    self.problems.add(place, &reason);
                }
                steps.extend(read.steps);
            }
            let claims: usize = steps.iter().map(|step: &Step| step.claims.len()).sum();
            let attachments = steps.iter().flat_map(|step| &step.attachments);
            let bytes: usize = attachments.map(Bytes::len).sum();
            if claims >= BATCH || bytes >= BATCH_BYTES {
                self.send(std::mem::take(&mut steps)).await?;
            }
        }
        self.send(std::mem::take(&mut steps)).await?;
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

    /// Makes the claims of the records that are to be published of one document.
    fn read(&self, place: &str, jobs: &[Job]) -> Read {
        let mut done = Read::default();
        let bytes = match self.folder.read(place) {
            Ok(bytes) => bytes,
            Err(reason) => return done.but(reason),
        };
        let document = Hash::of(&bytes);
        // What was sent and not answered is sent again with the time that it had: once for each.
        let mut read: BTreeMap<String, Vec<Record>> = BTreeMap::new();
        match self.bridge.read(place, &bytes, &self.now, self.verifier) {
            Ok(records) => _ = read.insert(self.now.clone(), records),
            Err(error) => return done.but(error.to_string()),
        }
        for job in jobs {
            let held = self.held(&job.key);
            let revision = held.next_revision(&job.print);
            if revision == held.revision
                && !read.contains_key(&held.at)
                && let Ok(records) = self.bridge.read(place, &bytes, &held.at, self.verifier)
            {
                read.insert(held.at.clone(), records);
            }
            let is_again = revision == held.revision && read.contains_key(&held.at);
            let at = if is_again { &held.at } else { &self.now }.clone();
            let mut all = read.get(&at).into_iter().flatten();
            // Beside one that was verified there may be one of the same name that was not.
            let print = Some(job.print);
            let found = all.find(|record| record.key == job.key && record.print() == print);
            let Some(record) = found else {
                done.problems
                    .push("was changed while it was read".to_owned());
                continue;
            };
            let republished = record.clone().republished(self.bridge, &document, revision);
            let attachments = republished.iter().filter_map(|one| one.attachment.as_ref());
            let attachments = attachments.map(|one| one.bytes.clone()).collect();
            let drafts: Result<Vec<Draft>, _> = republished.into_iter().map(draft).collect();
            let drafts = match drafts {
                Ok(drafts) => drafts,
                Err(error) => {
                    done.problems.push(error.to_string());
                    continue;
                }
            };
            let payloads = drafts.iter().map(|draft| draft.payload().as_bytes());
            let ids = payloads.map(ClaimId::of_payload);
            done.steps.push(Step {
                key: job.key.clone(),
                held: held.sends(place, job.print, &at, ids.collect()),
                claims: drafts.iter().map(|one| self.publisher.sign(one)).collect(),
                attachments,
                what: if job.replaces {
                    What::Replace
                } else {
                    What::Publish
                },
            });
        }
        done
    }

    /// Publishes the claims of the steps and then the withdrawals that follow from them.
    async fn send(&mut self, mut steps: Vec<Step>) -> Result<(), Failure> {
        if steps.is_empty() {
            return Ok(());
        }
        let before: Vec<Held> = steps.iter().map(|step| self.held(&step.key)).collect();
        self.write(&steps)?;
        let counts: Vec<usize> = steps.iter().map(|step| step.claims.len()).collect();
        let claims = steps
            .iter_mut()
            .enumerate()
            .flat_map(|(at, step)| step.claims.drain(..).map(move |claim| (at, claim)))
            .collect();
        let outcome = self.publish(&steps, claims).await?;
        let Outcome {
            mut refused,
            all,
            sure,
        } = outcome;
        // What is in the log of none of them is not to be withdrawn, ever.
        if sure {
            take_back(&mut steps, before.into_iter().zip(counts), &refused);
        }
        if let Some(failure) = all {
            self.write(&steps)?;
            return Err(failure);
        }
        self.store(&steps, &mut refused).await?;
        let withdrawals = self.settle(&mut steps, &refused);
        self.write(&steps)?;
        let Outcome {
            refused: kept, all, ..
        } = self.publish(&steps, withdrawals).await?;
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
        self.write(&steps)
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
                    Err(ClientError::Refused { message, .. }) => {
                        let reason = format!("its document is not stored: {message}");
                        self.problems.add(&step.key, &reason);
                        refused.push(at);
                    }
                    Err(error) => return Err(error.into()),
                }
            }
        }
        Ok(())
    }

    /// Stores a document, again for as long as the node asks for a pause.
    async fn put(&self, bytes: &Bytes) -> Result<(), ClientError> {
        let mut attempts = 0;
        loop {
            let client = self.publisher.client();
            let Err(error) = client.put_attachment(bytes.clone(), |_| ()).await else {
                return Ok(());
            };
            match pause_of(&error).filter(|_| attempts < ATTEMPTS) {
                Some(pause) => tokio::time::sleep(pause).await,
                None => return Err(error),
            }
            attempts += 1;
        }
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
                    Ok(draft) => withdrawals.push((at, self.publisher.sign(&draft))),
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
        let lines: Vec<String> = steps
            .iter()
            .map(|step| step.held.to_line(&step.key))
            .collect();
        self.journal.append(&lines)?;
        for step in steps {
            self.ledger.put(&step.key, step.held.clone());
        }
        Ok(())
    }

    /// Publishes claims, each of a step.
    ///
    /// An error means that it is not known what became of any of them.
    async fn publish(
        &mut self,
        steps: &[Step],
        claims: Vec<(usize, wire::Claim)>,
    ) -> Result<Outcome, Failure> {
        let (mut refused, mut first, mut sure) = (Vec::new(), None, true);
        let count = claims.len();
        let mut waiting = claims;
        let mut attempts = 0;
        while !waiting.is_empty() {
            let last = attempts == ATTEMPTS;
            let mut again = Vec::new();
            for (at, claim, refusal) in self.offer(waiting, last, &mut sure).await? {
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
            }
            waiting = again;
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

    /// Offers claims, again for as long as the node asks for a pause. Returns those that it
    /// refused. It is not `sure` what became of them before if a stream ended without an answer to
    /// each.
    async fn offer(
        &mut self,
        claims: Vec<(usize, wire::Claim)>,
        last: bool,
        sure: &mut bool,
    ) -> Result<Vec<(usize, wire::Claim, Refused)>, Failure> {
        let mut attempts = if last { ATTEMPTS } else { 0 };
        loop {
            let sent = claims.iter().map(|(_, claim)| claim.clone()).collect();
            let client = self.publisher.client();
            match client.publish_all(sent, Wait::Integrated).await {
                Ok(results) => {
                    let mut refused = Vec::new();
                    for ((at, claim), result) in claims.into_iter().zip(results) {
                        match result {
                            Ok(published) => self.count(&published, *sure),
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
                }
            }
            attempts += 1;
        }
    }

    /// Counts a claim that the log has. What was offered before, in a stream whose answers were
    /// lost, was most likely taken then, and says nothing of runs of before.
    fn count(&mut self, published: &Published, sure: bool) {
        self.done.claims += 1;
        self.done.already_logged += usize::from(published.already_logged && sure);
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

fn draft(prepared: Prepared) -> Result<Draft, DraftError> {
    let statement = Statement::new(
        prepared.subjects,
        &prepared.predicate_type,
        prepared.predicate,
    )?;
    Draft::new(statement)
}
