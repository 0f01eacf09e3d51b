//! What an auditor stores of one log, in the log's part of the mirror's store, beside the rows of
//! [`records`](crate::records):
//!
//! | table | key | value |
//! | --- | --- | --- |
//! | meta | `audit/rules` | how far it was replayed: the record of [`Rules`] |
//! | meta | `audit/state` | what was cosigned: [`LogState`]'s record |
//! | meta | `audit/note` | the note of that head, with the log's signatures |
//! | meta | `audit/finding` | the rule that was not kept, as JSON; nothing is replayed after it |
//! | meta | `audit/breach` | the text that shows it to others, if one can |
//! | meta | `audit/dispute` | the auditor's signed note on an index that is another |
//!
//! State and note are one batch, before anything is signed. How far a log was replayed stands in
//! one batch with the rows that the entries left.
//!
//! [`Rules`]: assay_claims::audit::Rules

use super::Copied;
use crate::storage::{Batch, Reads, StorageError, Table};
use assay_claims::audit::{Finding, Rule};
use assay_tlog::checkpoint::CheckpointError;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::tree::LeafIndex;
use assay_tlog::witness::{LogState, StateError};
use serde_json::json;

const STATE: &[u8] = b"audit/state";
const NOTE: &[u8] = b"audit/note";
const FINDING: &[u8] = b"audit/finding";
const DISPUTE: &[u8] = b"audit/dispute";
const BREACH: &[u8] = b"audit/breach";

/// Why what is stored cannot be relied on.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// The store failed.
    #[error(transparent)]
    Storage(#[from] StorageError),
    /// The record of what was cosigned.
    #[error("the record of what was cosigned as an auditor cannot be relied on")]
    State(#[from] StateError),
    /// The note is not one that the log's keys, as they are known now, signed.
    #[error(
        "a stored note cannot be verified with the log's keys; if it rotated them, give the older \
         ones, too"
    )]
    Note(#[from] CheckpointError),
    /// Rows that do not belong together.
    #[error("what is stored of this log's audit is damaged: {0}")]
    Damaged(&'static str),
}

/// What is stored of what was signed.
#[derive(Debug, Default)]
pub struct Signed {
    /// What was cosigned.
    pub state: LogState,
    /// The head.
    pub head: Option<VerifiedHead>,
    /// The rule that was not kept.
    pub finding: Option<Finding>,
    /// The signed note on that, if it is about the index.
    pub dispute: Option<String>,
    /// The text that shows to others what was not kept.
    pub breach: Option<String>,
}

/// Reads what was signed of a log. Fails with [`StoredError`].
pub fn load(part: &Copied, log: &LogVerifier) -> Result<Signed, StoredError> {
    let state = match part.get(Table::Meta, STATE)? {
        None => LogState::Never,
        Some(record) => LogState::from_record(log.origin(), &record)?,
    };
    let note = text(part, NOTE)?;
    let head = note.map(|note| log.verify(&note)).transpose()?;
    let is_one_head = match (&state, &head) {
        (LogState::Never, None) => true,
        (LogState::Held { size, root, .. }, Some(head)) => {
            head.size() == *size && head.root() == *root
        }
        _ => false,
    };
    if !is_one_head {
        let wrong = "its note and its state are not of one head";
        return Err(StoredError::Damaged(wrong));
    }
    let finding = text(part, FINDING)?;
    let finding = finding.map(|text| {
        read_finding(&text).ok_or(StoredError::Damaged("what was found cannot be read"))
    });
    Ok(Signed {
        state,
        head,
        finding: finding.transpose()?,
        dispute: text(part, DISPUTE)?,
        breach: text(part, BREACH)?,
    })
}

fn text(part: &Copied, row: &[u8]) -> Result<Option<String>, StoredError> {
    let Some(bytes) = part.get(Table::Meta, row)? else {
        return Ok(None);
    };
    let text = String::from_utf8(bytes.into());
    let text = text.map_err(|_| StoredError::Damaged("a row is no text"));
    text.map(Some)
}

/// Keeps what is about to be cosigned. Returns the state to go on from.
pub fn put_cosigned(own: &mut Batch, head: &VerifiedHead, at: u64) -> LogState {
    let state = LogState::Held {
        size: head.size(),
        root: head.root(),
        at,
    };
    if let Some(record) = state.record(head.origin()) {
        own.put(Table::Meta, STATE, record.to_vec());
    }
    own.put(Table::Meta, NOTE, head.note().to_owned());
    state
}

/// Keeps what was found, and the signed note on it.
pub fn put_finding(own: &mut Batch, finding: &Finding, dispute: Option<&str>) {
    own.put(Table::Meta, FINDING, finding_json(finding).to_string());
    if let Some(note) = dispute {
        own.put(Table::Meta, DISPUTE, note.to_owned());
    }
}

/// Keeps the text that shows to others what was not kept.
pub fn put_breach(own: &mut Batch, text: &str) {
    own.put(Table::Meta, BREACH, text.to_owned());
}

/// Forgets what was found, with all that was made of it.
pub fn clear(part: &Copied) -> Result<(), StorageError> {
    let (mut own, mut batch) = (Batch::new(), Batch::new());
    for row in [FINDING, DISPUTE, BREACH] {
        own.delete(Table::Meta, row);
    }
    part.append(own, &mut batch);
    part.whole().commit(batch)
}

/// What was found, as it is stored and shown.
pub fn finding_json(finding: &Finding) -> serde_json::Value {
    json!({
        "rule": finding.rule.name(),
        "leaf": finding.leaf.get(),
        "other": finding.other.map(LeafIndex::get),
        "reason": finding.reason,
    })
}

fn read_finding(text: &str) -> Option<Finding> {
    let value: serde_json::Value = serde_json::from_str(text).ok()?;
    Some(Finding {
        rule: Rule::of_name(value["rule"].as_str()?)?,
        leaf: LeafIndex::new(value["leaf"].as_u64()?),
        other: value["other"].as_u64().map(LeafIndex::new),
        reason: value["reason"].as_str()?.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::{Tables as _, memory::Memory};
    use assay_tlog::Hash;
    use assay_tlog::checkpoint::Checkpoint;
    use assay_tlog::note::SignerKey;
    use assay_tlog::tree::TreeSize;
    use std::sync::Arc;

    const ORIGIN: &str = "log.example/a";

    #[test]
    fn a_note_and_a_state_that_are_not_of_one_head_are_damage() {
        let key = SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap();
        let log = LogVerifier::new(ORIGIN, vec![key.verifier()]).unwrap();
        let head = |size, root| {
            let checkpoint = Checkpoint {
                origin: ORIGIN.into(),
                size: TreeSize::new(size),
                root: Hash::of(root),
            };
            log.verify(&checkpoint.sign(&key)).unwrap()
        };
        let [one, larger, split] = [head(1, b"a"), head(2, b"a"), head(1, b"b")];
        for (state, note, is_sound) in [
            (None, None, true),
            (Some(&one), Some(&one), true),
            (None, Some(&one), false),
            (Some(&one), None, false),
            (Some(&one), Some(&larger), false),
            (Some(&one), Some(&split), false),
        ] {
            let mut batch = Batch::new();
            if let Some(head) = state {
                put_cosigned(&mut batch, head, 1);
            }
            match note {
                Some(head) => batch.put(Table::Meta, NOTE, head.note().to_owned()),
                None => batch.delete(Table::Meta, NOTE),
            };
            let part = Copied::all(Arc::new(Memory::new()));
            part.commit(batch).unwrap();
            let loaded = load(&part, &log);
            assert_eq!(loaded.is_ok(), is_sound, "{loaded:?}");
        }
    }
}
