//! What the node itself has of logs, of all its holdings together.

use super::holding::Holding;
use assay_tlog::gossip::{Answer, Fork, Question, Source};
use assay_tlog::head::VerifiedHead;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError},
};

/// The holdings, and their latest heads. All of it may block.
pub(super) struct Own {
    holdings: Vec<Box<dyn Holding>>,
    /// By origin and the place of the holding.
    latest: Mutex<BTreeMap<(String, usize), VerifiedHead>>,
}

/// What a head may show beside one of the node's own.
pub(super) enum Beside {
    /// Both have one size, and other roots.
    Fork(Fork),
    /// Whether the node's own extends it, with the answer.
    Answered(Question, Answer),
}

impl Own {
    pub(super) fn new(holdings: Vec<Box<dyn Holding>>) -> Self {
        Own {
            holdings,
            latest: Mutex::default(),
        }
    }

    /// The notes of heads that are others than at the last call, each with the place of its
    /// holding.
    pub(super) fn changed(&self) -> Vec<(usize, String)> {
        let all = self.holdings.iter().enumerate();
        let all = all.flat_map(|(at, holding)| {
            let notes = holding.changed().into_iter();
            notes.map(move |note| (at, note))
        });
        all.collect()
    }

    /// Remembers the latest head of a holding. Returns the one before, if that is smaller: the new
    /// one extends it.
    pub(super) fn remember(&self, at: usize, head: &VerifiedHead) -> Option<VerifiedHead> {
        let of = (head.origin().to_owned(), at);
        let before = self.with_latest(|latest| latest.insert(of, head.clone()));
        before.filter(|before| before.size() < head.size())
    }

    /// Forgets heads of all logs but these.
    pub(super) fn keep(&self, origins: &BTreeSet<String>) {
        self.with_latest(|latest| latest.retain(|(origin, _), _| origins.contains(origin)));
    }

    /// The answers to a question from the node's own tiles.
    pub(super) fn answers(&self, question: &Question) -> impl Iterator<Item = Answer> {
        self.holdings.iter().filter_map(|it| it.answer(question))
    }

    /// What a head shows beside the latest of the holdings, by their tiles.
    pub(super) fn beside(&self, head: &VerifiedHead) -> Vec<Beside> {
        let origin = || head.origin().to_owned();
        let larger = self.with_latest(|latest| {
            let of_log = latest.range((origin(), 0)..=(origin(), usize::MAX));
            let larger = of_log.filter(|(_, own)| own.size() >= head.size());
            let larger = larger.map(|((_, at), own)| (*at, own.clone()));
            larger.collect::<Vec<(usize, VerifiedHead)>>()
        });
        let beside = larger.into_iter().filter_map(|(at, own)| {
            if let Some(fork) = Fork::split(&own, head) {
                return Some(Beside::Fork(fork));
            }
            let question = Question::between(head, &own, Source::Log)?;
            let answer = self.holdings.get(at)?.answer(&question)?;
            Some(Beside::Answered(question, answer))
        });
        beside.collect()
    }

    fn with_latest<T>(
        &self,
        with: impl FnOnce(&mut BTreeMap<(String, usize), VerifiedHead>) -> T,
    ) -> T {
        with(&mut self.latest.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
