//! A node: a pool, the texts of evidence that it stored, and the tiles that it mirrors.

use crate::log::Branch;
use crate::words::Words;
use assay_claims::misbehavior::{KnownKeys, Rewrite, VerifiedMisbehavior};
use assay_tlog::Hash;
use assay_tlog::gossip::{
    CulpritId, Exchange, Fork, Judged, Pool, Question, Received, Salt, Taken, Turn,
};
use assay_tlog::head::VerifiedHead;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// One node. Its clock stands still: what is asked for is answered at once or never.
#[derive(Clone)]
pub struct Node<'a> {
    /// Its heads.
    pub pool: Pool,
    /// The texts that it verified.
    pub texts: BTreeMap<Hash, Rc<str>>,
    /// The histories that it has the tiles of.
    pub tiles: Vec<&'a Branch>,
}

/// What all nodes know, and what was verified once in a run: all would find the same.
pub struct Known {
    /// The keys of the logs.
    pub keys: KnownKeys,
    verified: BTreeSet<Hash>,
}

impl Known {
    /// Knows these keys.
    pub fn new(keys: KnownKeys) -> Self {
        Known {
            keys,
            verified: BTreeSet::new(),
        }
    }

    /// The id and the culprit of a text, which must prove something: all nodes here are honest.
    fn verify(&mut self, text: &str) -> (Hash, CulpritId) {
        let id = Hash::of(text.as_bytes());
        if self.verified.insert(id) {
            let found = VerifiedMisbehavior::verify(text.as_bytes(), &self.keys);
            assert_eq!(found.expect("evidence verifies").id(), id);
        }
        let culprit = text.lines().find_map(|line| line.strip_prefix("culprit "));
        (
            id,
            CulpritId::of(culprit.expect("a text names the culprit")),
        )
    }
}

impl Node<'_> {
    /// Takes a head from wherever it came.
    pub fn take(&mut self, head: &VerifiedHead, known: &mut Known, words: &mut Words) {
        match self.pool.take(head, 0, words.word()) {
            Taken::Waits(question) => self.judge(&question, known),
            Taken::Fork(fork) => self.convict(&fork, known),
            Taken::Known | Taken::First | Taken::Convicted => {}
            Taken::Foreign => panic!("every node knows every log"),
        }
    }

    /// Answers a question from its own tiles, if it has those of the larger tree.
    fn judge(&mut self, question: &Question, known: &mut Known) {
        let mut tiles = self.tiles.iter();
        let Some(tiles) = tiles.find(|tiles| tiles.has(question.newer())) else {
            return;
        };
        match question.judge(&tiles.answer(question)) {
            Judged::Linked(link) => {
                if let Some(fork) = self.pool.link(&link) {
                    self.convict(&fork, known);
                }
            }
            Judged::Fork(fork) => self.convict(&fork, known),
            Judged::Nothing(error) => panic!("own tiles prove {error}"),
        }
    }

    fn convict(&mut self, fork: &Fork, known: &mut Known) {
        let rewrite = fork
            .rewrite()
            .map(|(actual, path)| Rewrite { actual, path });
        let found = VerifiedMisbehavior::of_log(fork.older(), fork.newer(), rewrite);
        let found = found.expect("a fork is misbehavior");
        self.hold(Rc::from(found.text()), known);
    }

    /// Stores a text that proves something.
    pub fn hold(&mut self, text: Rc<str>, known: &mut Known) {
        let (id, culprit) = known.verify(&text);
        self.pool.hold(culprit, id);
        self.texts.insert(id, text);
    }

    /// Does what came with a turn, and returns the texts that the peer wants.
    fn settle(&mut self, received: Received, known: &mut Known) -> Vec<String> {
        for question in &received.questions {
            self.judge(question, known);
        }
        for fork in &received.forks {
            self.convict(fork, known);
        }
        for text in received.evidence {
            self.hold(Rc::from(text), known);
        }
        let wanted = received.evidence_wanted.iter();
        wanted.map(|id| self.texts[id].to_string()).collect()
    }
}

/// One exchange, from its first turn to its last. Returns the bytes of it, in both directions.
pub fn meet<'a>(
    one: &mut Node<'a>,
    other: &mut Node<'a>,
    known: &mut Known,
    words: &mut Words,
) -> usize {
    let mut salt = [0; 16];
    salt[..8].copy_from_slice(&words.word().to_be_bytes());
    salt[8..].copy_from_slice(&words.word().to_be_bytes());
    let (mut opens, mut turn) = Exchange::open(&mut one.pool, Salt(salt));
    let mut answers = Exchange::answer();
    let mut bytes = 0;
    for said in 0.. {
        turn.check().expect("an honest turn is within the limits");
        bytes += weight(&turn);
        let (node, exchange) = if said % 2 == 0 {
            (&mut *other, &mut answers)
        } else {
            (&mut *one, &mut opens)
        };
        let received = exchange.receive(&mut node.pool, &turn, 0, words.word());
        let received = received.expect("an honest peer is not refused");
        let texts = node.settle(received, known);
        match exchange.reply(&node.pool, texts) {
            Some(next) => turn = next,
            None => break,
        }
    }
    bytes
}

/// The bytes of a turn on the wire, or a few more: 16 for a line, the length and 4 for anything
/// else, 5 for the message itself and 4 for each of its fields.
pub fn weight(turn: &Turn) -> usize {
    let lines = 16 * (turn.lines.len() + turn.wanted.len());
    let ids = 48 * turn.evidence_ids.len() + 36 * turn.evidence_wanted.len();
    let texts = turn.notes.iter().chain(&turn.evidence);
    let texts: usize = texts.map(|text| text.len() + 4).sum();
    let salt = turn.salt.map_or(0, |salt| salt.0.len());
    5 + 4 * 9 + salt + lines + ids + texts
}
