//! Somebody who reads logs: believes what a quorum cosigned and what extends what it saw before.

use super::cast::{CLIENTS, LIAR, Log, WITNESS_HOSTS};
use super::federation::{report, submit};
use super::history::History;
use super::host::{Host, lock};
use assay_claims::misbehavior::{Rewrite, Role, VerifiedMisbehavior};
use assay_tlog::Hash;
use assay_tlog::gossip::{Judged, Question, Source};
use assay_tlog::head::VerifiedHead;
use assay_tlog::mirror::VerifiedTree;
use assay_tlog::tree::Tile;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A client, from a start to a crash.
pub(super) struct Client {
    host: Arc<Host>,
    seen: Mutex<BTreeMap<String, Seen>>,
}

/// What was accepted of a log last, with its tiles if they came.
#[derive(Clone)]
struct Seen {
    head: VerifiedHead,
    note: String,
    history: Option<History>,
}

impl Client {
    pub(super) fn new(host: Arc<Host>) -> Arc<Self> {
        Arc::new(Client {
            host,
            seen: Mutex::default(),
        })
    }

    /// Reads, and now and then tells another client what it read.
    pub(super) async fn run(self: Arc<Self>) {
        loop {
            self.host.pause(1_000).await;
            let cast = self.host.cast.clone();
            let log = &cast.logs[self.host.below(cast.logs.len())];
            self.read(log).await;
            let seen = lock(&self.seen).get(log.verifier.origin()).cloned();
            let other = CLIENTS.iter().find(|name| **name != self.host.name);
            if let (Some(seen), Some(other), 0) = (seen, other, self.host.below(4)) {
                let _ = self.host.http(other, "/compare", Some(seen.note)).await;
            }
        }
    }

    async fn read(&self, log: &Log) {
        let (to, path) = if self.host.percent(25) {
            (LIAR, format!("/via/{}/checkpoint", log.host))
        } else {
            (log.host, "/checkpoint".to_owned())
        };
        let Some((200, note)) = self.host.http(to, &path, None).await else {
            return;
        };
        let Ok(note) = String::from_utf8(note.into()) else {
            return;
        };
        if !self.host.cast.is_witnessed(log, &note) {
            self.host.chronicle().event("unwitnessed", self.host.name);
            return;
        }
        let Ok(head) = log.verifier.verify(&note) else {
            return;
        };
        if self.extends(log, &head, &note).await {
            self.host
                .chronicle()
                .accepted(self.host.name, head.checkpoint());
            submit(self.somebody(), vec![note]).await;
        }
    }

    fn somebody(&self) -> &'static str {
        WITNESS_HOSTS[self.host.below(WITNESS_HOSTS.len())]
    }

    /// Remembers a head if it extends what was accepted before. What shows a fork is reported.
    async fn extends(&self, log: &Log, head: &VerifiedHead, note: &str) -> bool {
        let before = lock(&self.seen).get(log.verifier.origin()).cloned();
        let history = self.tiles(log, head).await;
        if let Some(before) = before {
            if before.head.checkpoint() == head.checkpoint() {
                return true;
            }
            if head.size() < before.head.size() {
                return false;
            }
            if !self.is_linked(&before.head, head, history.as_ref()).await {
                return false;
            }
        }
        let seen = Seen {
            head: head.clone(),
            note: note.to_owned(),
            history,
        };
        lock(&self.seen).insert(log.verifier.origin().to_owned(), seen);
        true
    }

    async fn is_linked(
        &self,
        old: &VerifiedHead,
        new: &VerifiedHead,
        tiles: Option<&History>,
    ) -> bool {
        let question = Question::between(old, new, Source::Log);
        let answer = question
            .as_ref()
            .zip(tiles)
            .and_then(|(question, tiles)| Some((question, tiles.answer(question)?)));
        let (fork, rewrite) = match answer.map(|(question, answer)| question.judge(&answer)) {
            Some(Judged::Linked(_)) => return true,
            Some(Judged::Fork(fork)) => {
                let rewrite = fork.rewrite().map(|(actual, path)| (actual, path.to_vec()));
                (true, rewrite)
            }
            Some(Judged::Nothing(_)) | None => (old.size() == new.size(), None),
        };
        let rewrite = rewrite.as_ref().map(|(actual, path)| Rewrite {
            actual: *actual,
            path,
        });
        if let (true, Ok(found)) = (fork, VerifiedMisbehavior::of_log(old, new, rewrite)) {
            report(self.somebody(), found.text().to_owned()).await;
        }
        false
    }

    /// The tiles of a head, from its log or from a mirror.
    async fn tiles(&self, log: &Log, head: &VerifiedHead) -> Option<History> {
        let path = VerifiedTree::edge(head.size()).pop()?;
        let digest = Hash::of(head.origin().as_bytes()).to_hex();
        let mirrored = format!("/mirror/{digest}/{path}");
        let places = [(log.host, format!("/{path}")), (self.somebody(), mirrored)];
        for (to, path) in places {
            if let Some((200, tile)) = self.host.http(to, &path, None).await
                && let Ok(tile) = Tile::parse(&tile)
                && VerifiedTree::new(head.clone(), vec![tile.clone()]).is_ok()
            {
                return Some(History::new(tile.hashes().iter().copied()));
            }
        }
        None
    }

    /// Another client tells what it accepted. Whoever signed both histories is reported.
    pub(super) async fn compare(&self, note: &str) {
        let cast = self.host.cast.clone();
        for log in &cast.logs {
            let Ok(theirs) = log.verifier.verify(note) else {
                continue;
            };
            let seen = lock(&self.seen).get(log.verifier.origin()).cloned();
            let Some(own) = seen else { continue };
            let Some(history) = own.history.filter(|it| !it.has(&theirs)) else {
                continue;
            };
            let (old, new) = (theirs.size(), own.head.size());
            let path = if old < new {
                history.prove(old, new)
            } else {
                None
            };
            let rewrite = history.root(old).zip(path);
            let rewrite = rewrite.as_ref().map(|(actual, path)| Rewrite {
                actual: *actual,
                path,
            });
            let by_log = VerifiedMisbehavior::of_log(&theirs, &own.head, rewrite);
            let by_witnesses = cast.known.witnesses.iter().filter_map(|witness| {
                let (one, other) = (witness.verify(note), witness.verify(&own.note));
                let (one, other) = (one.ok()?, other.ok()?);
                VerifiedMisbehavior::of_cosigner(Role::Witness, &one, &other, rewrite).ok()
            });
            let found: Vec<_> = by_log.ok().into_iter().chain(by_witnesses).collect();
            for found in found {
                self.host
                    .chronicle()
                    .event("found", &found.culprit().to_string());
                report(self.somebody(), found.text().to_owned()).await;
            }
        }
    }
}
