//! The claims of documents: reading, drafting and signing, on all cores.

use super::folder::Folder;
use super::kept::{Kept, texts};
use crate::publishing::Publisher;
use assay_claims::claim::ClaimId;
use assay_claims::entry::wire;
use assay_client::publish::DraftText;
use assay_intake::bridge::{Bridge, Held, Job, Ledger, Record, Verifier};
use assay_tlog::Hash;
use bytes::Bytes;
use std::collections::BTreeMap;

/// A record that is about to be sent.
pub struct Step {
    pub key: String,
    pub held: Held,
    pub claims: Vec<wire::Claim>,
    /// What is stored beside the log, once the log has the claims that name it.
    pub attachments: Vec<Bytes>,
    pub what: What,
}

/// What a step is counted as.
#[derive(Clone, Copy)]
pub enum What {
    Publish,
    Replace,
    Withdraw,
    /// Counted when it was begun.
    Finish,
}

/// What is to be sent of a document, and what could not be made of it.
#[derive(Default)]
pub struct Read {
    pub steps: Vec<Step>,
    pub problems: Vec<String>,
}

impl Read {
    fn but(mut self, problem: String) -> Self {
        self.problems.push(problem);
        self
    }
}

/// What claims are made with.
pub struct Maker<'a> {
    pub publisher: Publisher<'a>,
    pub folder: &'a Folder,
    pub bridge: &'static Bridge,
    pub verifier: &'a dyn Verifier,
    pub now: String,
    /// What was made of the records when they were surveyed.
    pub kept: Kept,
}

impl Maker<'_> {
    /// Makes the claims of the records that are to be published of one document.
    pub fn read(&self, ledger: &Ledger, place: &str, jobs: &[Job]) -> Read {
        let mut done = Read::default();
        let mut unmade = Vec::new();
        for job in jobs {
            match self.kept.take(&job.key, &job.print) {
                Some(texts) => {
                    let held = ledger.get(&job.key).cloned().unwrap_or_default();
                    let held = held.sends(place, job.print, &self.now, ids(&texts));
                    done.steps.push(self.step(job, held, (texts, Vec::new())));
                }
                None => unmade.push(job),
            }
        }
        if unmade.is_empty() {
            return done;
        }
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
        for job in unmade {
            let held = ledger.get(&job.key).cloned().unwrap_or_default();
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
            match texts(record.clone(), self.bridge, &document, revision) {
                Ok(made) => {
                    let held = held.sends(place, job.print, &at, ids(&made.0));
                    done.steps.push(self.step(job, held, made));
                }
                Err(error) => done.problems.push(error.to_string()),
            }
        }
        done
    }

    /// The step that sends the claims of a record, with what is stored beside them.
    fn step(
        &self,
        job: &Job,
        held: Held,
        (texts, attachments): (Vec<DraftText>, Vec<Bytes>),
    ) -> Step {
        Step {
            key: job.key.clone(),
            held,
            claims: texts.iter().map(|one| self.publisher.sign(one)).collect(),
            attachments,
            what: if job.replaces {
                What::Replace
            } else {
                What::Publish
            },
        }
    }
}

fn ids(texts: &[DraftText]) -> Vec<ClaimId> {
    let payloads = texts.iter().map(|text| text.payload().as_bytes());
    payloads.map(ClaimId::of_payload).collect()
}
