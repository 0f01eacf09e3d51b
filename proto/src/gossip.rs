//! Turns of gossip between the wire and core. Whatever is more, or shaped otherwise, than an honest
//! peer's is refused.

use crate::v1;
use assay_tlog::Hash;
use assay_tlog::gossip::{CulpritId, EvidenceLine, Line, LogId, NoteId, Salt, Turn, TurnFault};
use assay_tlog::limits;
use bytes::Bytes;

/// Largest message of an exchange of heads, in bytes: notes and evidence of the largest sizes, and
/// what else a turn may have.
pub const TURN_BYTES: usize = 600 * 1024;

/// Why a message is no turn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TurnMessageFault {
    /// The message has no turn.
    #[error("the message has no turn")]
    Missing,
    /// The salt does not have 16 bytes.
    #[error("the salt has {0} bytes; it must have 16")]
    Salt(usize),
    /// There are not as many heads as logs.
    #[error("the turn names {heads} heads of {logs} logs")]
    Lines {
        /// Logs.
        logs: usize,
        /// Heads.
        heads: usize,
    },
    /// An id of evidence does not have 32 bytes.
    #[error("an id of evidence has {0} bytes; it must have 32")]
    Id(usize),
    /// There is more of something than may be.
    #[error("the turn is too large")]
    Turn(#[from] TurnFault),
}

/// Why heads that a client submits are not looked at.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmittedFault {
    /// Too many.
    #[error("{0} heads at once; at most {max} are read", max = limits::GOSSIP_SUBMITTED)]
    Many(usize),
    /// Too large together.
    #[error("heads of {0} bytes at once; at most {SUBMITTED_BYTES} are read")]
    Large(usize),
}

/// Most bytes of notes that a client submits at once: 16 of the size that is kept.
pub const SUBMITTED_BYTES: usize = limits::GOSSIP_SUBMITTED * limits::GOSSIP_HEAD_BYTES;

/// Reads a turn. Fails with [`TurnMessageFault`]; then nothing of it was copied but what was within
/// its limit.
pub fn read_turn(message: Option<v1::HeadsTurn>) -> Result<Turn, TurnMessageFault> {
    let message = message.ok_or(TurnMessageFault::Missing)?;
    let turn = Turn {
        salt: salt(&message.salt)?,
        lines: lines("lines", limits::GOSSIP_LINES, &message.logs, &message.heads)?,
        wanted: lines(
            "wanted heads",
            limits::GOSSIP_NOTES,
            &message.wanted_logs,
            &message.wanted_heads,
        )?,
        notes: message.notes,
        evidence_ids: ids(&message.evidence_ids)?,
        evidence_wanted: hashes(&message.wanted_evidence)?,
        evidence: message.evidence,
    };
    turn.check()?;
    Ok(turn)
}

fn salt(bytes: &[u8]) -> Result<Option<Salt>, TurnMessageFault> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let salt = bytes.try_into();
    let salt = salt.map_err(|_| TurnMessageFault::Salt(bytes.len()))?;
    Ok(Some(Salt(salt)))
}

fn most(what: &'static str, found: usize, most: usize) -> Result<(), TurnFault> {
    if found > most {
        return Err(TurnFault { what, found, most });
    }
    Ok(())
}

fn lines(
    what: &'static str,
    limit: usize,
    logs: &[u64],
    heads: &[u64],
) -> Result<Vec<Line>, TurnMessageFault> {
    if logs.len() != heads.len() {
        return Err(TurnMessageFault::Lines {
            logs: logs.len(),
            heads: heads.len(),
        });
    }
    most(what, logs.len(), limit)?;
    let lines = logs.iter().zip(heads).map(|(log, note)| Line {
        log: LogId(*log),
        note: NoteId(*note),
    });
    Ok(lines.collect())
}

fn ids(ids: &[v1::EvidenceId]) -> Result<Vec<EvidenceLine>, TurnMessageFault> {
    most("ids of evidence", ids.len(), limits::GOSSIP_EVIDENCE_IDS)?;
    let lines = ids.iter().map(|line| {
        Ok(EvidenceLine {
            culprit: CulpritId(line.culprit),
            id: hash(&line.id)?,
        })
    });
    lines.collect()
}

fn hashes(ids: &[Bytes]) -> Result<Vec<Hash>, TurnMessageFault> {
    let limit = limits::GOSSIP_EVIDENCE_IDS;
    most("ids of wanted evidence", ids.len(), limit)?;
    ids.iter().map(|id| hash(id)).collect()
}

fn hash(bytes: &[u8]) -> Result<Hash, TurnMessageFault> {
    Hash::from_slice(bytes).ok_or(TurnMessageFault::Id(bytes.len()))
}

/// The message of a turn.
pub fn turn_message(turn: Turn) -> v1::HeadsTurn {
    let (logs, heads) = words(&turn.lines);
    let (wanted_logs, wanted_heads) = words(&turn.wanted);
    let salt = turn.salt.map(|salt| Bytes::copy_from_slice(&salt.0));
    v1::HeadsTurn {
        salt: salt.unwrap_or_default(),
        logs,
        heads,
        wanted_logs,
        wanted_heads,
        notes: turn.notes,
        evidence_ids: evidence_ids(&turn.evidence_ids),
        wanted_evidence: turn.evidence_wanted.iter().map(bytes).collect(),
        evidence: turn.evidence,
    }
}

/// The messages of ids of evidence.
pub fn evidence_ids(lines: &[EvidenceLine]) -> Vec<v1::EvidenceId> {
    let ids = lines.iter().map(|line| v1::EvidenceId {
        culprit: line.culprit.0,
        id: bytes(&line.id),
    });
    ids.collect()
}

fn words(lines: &[Line]) -> (Vec<u64>, Vec<u64>) {
    lines.iter().map(|line| (line.log.0, line.note.0)).unzip()
}

fn bytes(hash: &Hash) -> Bytes {
    Bytes::copy_from_slice(hash.as_bytes())
}

/// Checks that what a client submits is within its limits. Fails with [`SubmittedFault`].
pub fn check_submitted(notes: &[String]) -> Result<(), SubmittedFault> {
    if notes.len() > limits::GOSSIP_SUBMITTED {
        return Err(SubmittedFault::Many(notes.len()));
    }
    let bytes = notes.iter().map(String::len).sum();
    if bytes > SUBMITTED_BYTES {
        return Err(SubmittedFault::Large(bytes));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    fn turn() -> Turn {
        let line = |word| Line {
            log: LogId(word),
            note: NoteId(!word),
        };
        Turn {
            salt: Some(Salt([7; 16])),
            lines: (0..256).map(line).collect(),
            wanted: (0..64).map(line).collect(),
            notes: vec!["n".repeat(4096); 64],
            evidence_ids: vec![
                EvidenceLine {
                    culprit: CulpritId(u64::MAX),
                    id: Hash::of(b"text"),
                };
                64
            ],
            evidence_wanted: vec![Hash::of(b"other"); 64],
            evidence: vec!["e".repeat(256 * 1024)],
        }
    }

    fn read(message: v1::HeadsTurn) -> Result<Turn, TurnMessageFault> {
        read_turn(Some(message))
    }

    #[test]
    fn the_largest_turn_comes_back_as_it_was_and_fits() {
        let message = turn_message(turn());
        assert!(message.encoded_len() <= TURN_BYTES - 64);
        assert_eq!(read(message), Ok(turn()));
        assert_eq!(read(v1::HeadsTurn::default()), Ok(Turn::default()));
        assert_eq!(read_turn(None), Err(TurnMessageFault::Missing));
    }

    /// A line has 16 bytes on the wire, whatever is in it.
    #[test]
    fn an_idle_digest_takes_a_kibibyte() {
        let idle = Turn {
            salt: Some(Salt([7; 16])),
            lines: turn().lines[..limits::GOSSIP_IDLE_LINES].to_vec(),
            ..Turn::default()
        };
        let message = v1::ExchangeHeadsRequest {
            turn: Some(turn_message(idle)),
        };
        assert!(message.encoded_len() <= 1024 + 16 + 16);
    }

    #[test]
    fn more_than_may_be_is_refused() {
        let bytes = |count: usize| Bytes::from(vec![0; count]);
        let whole = || turn_message(turn());
        let mut message = whole();
        message.logs.push(1);
        let lines = TurnMessageFault::Lines {
            logs: 257,
            heads: 256,
        };
        assert_eq!(read(message.clone()), Err(lines));
        message.heads.push(1);
        assert!(matches!(read(message), Err(TurnMessageFault::Turn(_))));
        for length in [1, 15, 17] {
            let message = v1::HeadsTurn {
                salt: bytes(length),
                ..whole()
            };
            assert_eq!(read(message), Err(TurnMessageFault::Salt(length)));
        }
        for length in [0, 31, 33] {
            let mut message = whole();
            message.evidence_ids[63].id = bytes(length);
            assert_eq!(read(message), Err(TurnMessageFault::Id(length)));
            let mut message = whole();
            message.wanted_evidence[63] = bytes(length);
            assert_eq!(read(message), Err(TurnMessageFault::Id(length)));
        }
        let grow: [fn(&mut v1::HeadsTurn); 6] = [
            |message| message.notes.push(String::new()),
            |message| message.notes[0].push('n'),
            |message| message.evidence_ids.push(v1::EvidenceId::default()),
            |message| message.wanted_evidence.push(Bytes::new()),
            |message| message.evidence.push("e".into()),
            |message| {
                message.wanted_logs.push(1);
                message.wanted_heads.push(1);
            },
        ];
        for grow in grow {
            let mut message = whole();
            grow(&mut message);
            assert!(matches!(read(message), Err(TurnMessageFault::Turn(_))));
        }
    }

    #[test]
    fn clients_submit_few_heads() {
        let note = "n".repeat(limits::GOSSIP_HEAD_BYTES);
        assert_eq!(check_submitted(&vec![note.clone(); 16]), Ok(()));
        let many = vec![String::new(); 17];
        assert_eq!(check_submitted(&many), Err(SubmittedFault::Many(17)));
        let large = [note.clone() + "n"].into_iter().chain(vec![note; 15]);
        let large: Vec<String> = large.collect();
        let fault = SubmittedFault::Large(65_537);
        assert_eq!(check_submitted(&large), Err(fault));
    }
}
