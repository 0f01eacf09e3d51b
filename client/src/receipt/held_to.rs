//! What receipts are held to: the logs and the quorum of a policy, or one log's key and no more.

use super::Check;
use crate::{plain, times};
use assay_claims::receipt::{self, ReceiptError, VerifiedReceipt};
use assay_policy::rules::Policy;
use assay_tlog::note::{Note, VerifierKey};
use assay_tlog::tlog_policy::{QuorumError, TlogPolicy};
use assay_tlog::tlog_proof::TlogProof;

/// Why there is nothing that receipts could be held to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeldToError {
    /// Neither the policy nor the caller states the key of a log.
    #[error("neither the policy nor the caller states the key of a log")]
    NoKey,
    /// The policy and the caller state different keys of this log.
    #[error("two different keys are stated of the log {}; one of them is wrong", plain(.0))]
    KeysDiffer(String),
}

/// What receipts are held to (docs/design.md 3.6).
#[derive(Debug, Clone)]
pub struct HeldTo<'a> {
    policy: Option<&'a Policy>,
    /// The key of the caller.
    own: Option<&'a VerifierKey>,
    /// The keys of logs that may have signed, each once.
    keys: Vec<&'a VerifierKey>,
}

/// Who cosigned the checkpoint of a receipt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cosigned {
    /// The policy's names of its witnesses that did.
    pub witnesses: Vec<String>,
    /// When a quorum of them had, in seconds since 1970; `None` if no quorum is asked for.
    pub quorum_at: Option<u64>,
    /// How many more signatures it has, by keys that nobody stated. They were not checked.
    pub unknown: usize,
}

impl<'a> HeldTo<'a> {
    /// Holds receipts to the logs and the quorum of `policy`, or without one to the log whose key
    /// is `own`. A log that the policy does not state the key of may be stated by `own`.
    ///
    /// Fails if no key of a log is stated, or two different ones of the same log.
    pub fn new(
        policy: Option<&'a Policy>,
        own: Option<&'a VerifierKey>,
    ) -> Result<Self, HeldToError> {
        let known = policy.and_then(Policy::tlog).map(TlogPolicy::logs);
        let mut keys: Vec<&VerifierKey> = Vec::new();
        for log in known.unwrap_or_default() {
            keys.push(&log.key);
        }
        if let Some(own) = own {
            let mut same_name = keys.iter().filter(|key| key.name() == own.name());
            match same_name.next() {
                None => keys.push(own),
                Some(key) if *key == own => {}
                Some(_) => return Err(HeldToError::KeysDiffer(own.name().to_owned())),
            }
        }
        if keys.is_empty() {
            return Err(HeldToError::NoKey);
        }
        Ok(HeldTo { policy, own, keys })
    }

    /// Verifies a receipt with the key of the log that it states.
    pub(super) fn verify(
        &self,
        envelope: &[u8],
        proof: &[u8],
    ) -> Result<VerifiedReceipt, Box<Check>> {
        let origin = TlogProof::parse(proof)
            .map_err(|error| Check::Genuine(ReceiptError::Proof(error)))?
            .stated_origin()
            .to_owned();
        let key = match self.keys[..] {
            // Of a single log, what is wrong with the checkpoint is said by the verifier.
            [key] if self.policy.is_none() => Some(key),
            _ => self.keys.iter().copied().find(|key| key.name() == origin),
        };
        let Some(key) = key else {
            return Err(Check::UnknownLog(origin).into());
        };
        receipt::verify(envelope, proof, key).map_err(|error| Check::Genuine(error).into())
    }

    /// Whether the policy counts the log of a genuine receipt, and whether its witnesses cosigned
    /// the checkpoint; and who did.
    pub(super) fn policy_checks(&self, receipt: &VerifiedReceipt) -> (Vec<Check>, Cosigned) {
        let checkpoint = receipt.inclusion().checkpoint();
        let (origin, note) = (checkpoint.origin(), checkpoint.note());
        let mut checks = Vec::new();
        if self.policy.is_some_and(|policy| !policy.counts(origin)) {
            checks.push(Check::UncountedLog(origin.to_owned()));
        }
        let Some(tlog) = self.policy.and_then(Policy::tlog) else {
            let cosigned = Cosigned {
                unknown: unknown(note, origin, &[]),
                ..Cosigned::default()
            };
            return (checks, cosigned);
        };
        let tlog = self
            .own
            .map_or_else(|| tlog.clone(), |own| tlog.with_log(own));
        let known: Vec<&VerifierKey> = tlog.witnesses().iter().map(|one| &one.key).collect();
        let mut cosigned = Cosigned {
            unknown: unknown(note, origin, &known),
            ..Cosigned::default()
        };
        let of = tlog.witnesses().len();
        let met = match tlog.verify(note) {
            Ok(verified) => {
                cosigned.witnesses = verified.witnesses().to_vec();
                cosigned.quorum_at = verified.cosigned_at();
                checks.extend(late(receipt, verified.cosigned_at()));
                true
            }
            Err(QuorumError::Quorum(witnesses)) => {
                cosigned.witnesses = witnesses;
                false
            }
            Err(error) => {
                checks.push(Check::Cosignature(error));
                return (checks, cosigned);
            }
        };
        if tlog.quorum().is_some() {
            checks.push(Check::Quorum {
                witnesses: cosigned.witnesses.clone(),
                of,
                met,
            });
        }
        (checks, cosigned)
    }
}

/// That the claim is dated after the witnesses cosigned the checkpoint that it is under.
fn late(receipt: &VerifiedReceipt, quorum_at: Option<u64>) -> Option<Check> {
    let quorum_at_ms = quorum_at?.saturating_mul(1000);
    let logged_at_ms = receipt.logged_at_ms();
    (!times::can_be_under(logged_at_ms, quorum_at_ms)).then_some(Check::Late {
        logged_at_ms,
        quorum_at_ms,
    })
}

/// How many signatures stand under a note that are neither the log's nor of a known key.
fn unknown(note: &str, origin: &str, known: &[&VerifierKey]) -> usize {
    let Ok(note) = Note::parse(note.as_bytes()) else {
        return 0;
    };
    let mut count = 0;
    for signature in note.signatures() {
        let is_known = known
            .iter()
            .any(|key| key.name() == signature.name() && key.key_id() == signature.key_id());
        if signature.name() != origin && !is_known {
            count += 1;
        }
    }
    count
}
