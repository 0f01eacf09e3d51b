//! Those who lie: a log that tries its histories on everybody, one that signs without end, and a
//! peer that damages what it passes on.

use super::cast::{LOGS, WITNESS_HOSTS, WITNESSES};
use super::federation::submit;
use super::host::{Host, lock};
use super::log::{Log, SAME};
use super::node::Node;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::gossip::Turn;
use assay_tlog::tree::TreeSize;
use assay_tlog::witness::Request;
use std::sync::{Arc, Mutex};

/// Of a hundred attacks so many are made that an honest witness refuses. They give the log away.
const RASH: usize = 4;

/// Looks for a witness that forgot what it had signed, and has it sign something else; now and then
/// it tries that on a witness that remembers.
pub(super) async fn attack(histories: Vec<Arc<Log>>) {
    let host = histories[0].host.clone();
    let mut most = [0; WITNESSES];
    loop {
        host.pause(300).await;
        let at = host.below(WITNESSES);
        let Some(held) = held(&histories[0], WITNESS_HOSTS[at]).await else {
            continue;
        };
        if held >= most[at] {
            most[at] = held;
            if !host.percent(RASH) {
                continue;
            }
        }
        host.chronicle()
            .event("attack", &format!("w{at} {held} {}", most[at]));
        for log in &histories {
            try_on(log, WITNESS_HOSTS[at], held).await;
        }
    }
}

/// The size that a witness has, which it says to whoever has a head that all histories share.
async fn held(log: &Log, to: &str) -> Option<usize> {
    let shared = lock(&log.history).len().min(SAME);
    let note = log.sign(shared).filter(|_| shared > 0)?;
    let body = Request::body(TreeSize::EMPTY, &[], &note);
    match log.host.http(to, "/add-checkpoint", Some(body)).await? {
        (409, size) => str::from_utf8(&size).ok()?.trim().parse().ok(),
        _ => None,
    }
}

/// Asks a witness to cosign a head of this history, from the size that it has.
async fn try_on(log: &Log, to: &str, held: usize) {
    let len = lock(&log.history).len();
    if held > len {
        return;
    }
    let size = held + log.host.below((len - held).min(3) + 1);
    let sizes = [held, size].map(|size| TreeSize::new(size as u64));
    let proof = lock(&log.history).prove(sizes[0], sizes[1]);
    if let (Some(proof), Some(note)) = (proof, log.sign(size)) {
        let body = Request::body(sizes[0], &proof, &note);
        let _ = log.host.http(to, "/add-checkpoint", Some(body)).await;
    }
}

/// Signs trees that nobody can look into, and tells them to everybody.
pub(super) async fn flood(log: Arc<Log>) {
    let host = log.host.clone();
    let mut size = 1_000_000;
    loop {
        host.pause(400).await;
        let notes = (0..16).map(|_| {
            size += 1 + host.below(100) as u64;
            let checkpoint = Checkpoint {
                origin: log.keys().verifier.origin().to_owned(),
                size: TreeSize::new(size),
                root: Hash::of(&host.word().to_be_bytes()),
            };
            checkpoint.sign(&log.keys().key)
        });
        let to = [&WITNESS_HOSTS[..], &LOGS[..1]].concat();
        let to = to[host.below(to.len())];
        submit(to, notes.collect()).await;
        host.chronicle().event("flood", to);
    }
}

/// Damages a turn, or not.
pub(super) fn lie(node: &Node, turn: &mut Turn) {
    match node.host.below(8) {
        0 => turn
            .evidence
            .push("assay.misbehavior/v1\nkind split\n".into()),
        1 => {
            turn.evidence_ids.clear();
            turn.evidence.clear();
        }
        2 => turn
            .notes
            .iter_mut()
            .for_each(|note| *note = note.replacen('4', "5", 1)),
        3 => turn.notes.push("no note\n".into()),
        4 => *turn = Turn::default(),
        5 => turn.salt = node.open().1.salt,
        _ => {}
    }
}

/// What a lying mirror remembers.
pub(super) struct Mirror {
    pub(super) host: Arc<Host>,
    notes: Mutex<Vec<String>>,
}

impl Mirror {
    pub(super) fn new(host: Arc<Host>) -> Arc<Self> {
        Arc::new(Mirror {
            host,
            notes: Mutex::default(),
        })
    }

    /// Passes on what a log says, or something else, or nothing.
    pub(super) async fn pass_on(&self, log: &str, path: &str) -> Option<Vec<u8>> {
        let (status, body) = self.host.http(log, path, None).await?;
        let mut body = (status == 200).then(|| body.to_vec())?;
        if path == "/checkpoint" {
            let mut notes = lock(&self.notes);
            notes.push(String::from_utf8(body).ok()?);
            let note = &notes[self.host.below(notes.len())];
            return Some(match self.host.below(4) {
                // Without a cosignature; of another size; or an old one.
                0 => note[..note.trim_end().rfind('\n')? + 1].into(),
                1 => note.replacen('1', "2", 1).into(),
                _ => note.clone().into(),
            });
        }
        match self.host.below(3) {
            0 => body[0] ^= 1,
            1 => body.truncate(body.len() / 64 * 32),
            _ => {}
        }
        Some(body)
    }
}
