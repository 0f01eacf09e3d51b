//! What receipts are held to: the logs and the quorum of a policy, or one log's key and no more.

use super::{Check, respelled};
use crate::{Convictions, plain, times};
use assay_claims::receipt::{self, ReceiptError, VerifiedReceipt};
use assay_policy::rules::Policy;
use assay_tlog::note::{Note, VerifierKey};
use assay_tlog::tlog_policy::{QuorumError, TlogPolicy, Voices};
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
    /// The logs and witnesses of the policy, of which none is convicted.
    tlog: Option<TlogPolicy>,
    /// The key of the caller.
    own: Option<&'a VerifierKey>,
    /// The keys of logs that may have signed, each once. A log that changed its key has several.
    keys: Vec<&'a VerifierKey>,
    /// Who is convicted, if that was said.
    convicted: Option<Convictions>,
}

/// Who cosigned the checkpoint of a receipt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cosigned {
    /// Which of the policy's witnesses did, and which did not, each operator once.
    pub voices: Voices,
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
        if let Some(own) = own
            && !keys.contains(&own)
        {
            if keys.iter().any(|key| key.name() == own.name()) {
                return Err(HeldToError::KeysDiffer(own.name().to_owned()));
            }
            keys.push(own);
        }
        if keys.is_empty() {
            return Err(HeldToError::NoKey);
        }
        Ok(HeldTo {
            policy,
            tlog: policy.and_then(Policy::tlog).cloned(),
            own,
            keys,
            convicted: None,
        })
    }

    /// The same, but that convicted logs and witnesses do not count, whenever they signed: who lied
    /// once may have lied before.
    pub fn without(self, convicted: Convictions) -> Self {
        HeldTo {
            tlog: self.tlog.as_ref().map(|tlog| convicted.apply(tlog)),
            convicted: Some(convicted),
            ..self
        }
    }

    /// Verifies a receipt with the keys of the log that it states. Of one that does not verify,
    /// because some tool changed its spelling, it says so.
    pub(super) fn verify(
        &self,
        envelope: &[u8],
        proof: &[u8],
    ) -> Result<VerifiedReceipt, Box<Check>> {
        let failed = match self.verify_exactly(envelope, proof) {
            Ok(receipt) => return Ok(receipt),
            Err(check) => check,
        };
        let verifies = |claim: &[u8], proof: &[u8]| self.verify_exactly(claim, proof).is_ok();
        match respelled::find(envelope, proof, verifies) {
            Some(changed) => Err(Check::Respelled(changed).into()),
            None => Err(failed),
        }
    }

    fn verify_exactly(&self, envelope: &[u8], proof: &[u8]) -> Result<VerifiedReceipt, Box<Check>> {
        let origin = TlogProof::parse(proof)
            .map_err(|error| Check::Genuine(ReceiptError::Proof(error)))?
            .stated_origin()
            .to_owned();
        let mut of_log = self.keys.clone();
        // Of a single log, what is wrong with the checkpoint is said by the verifier.
        if self.policy.is_some() || of_log.len() > 1 {
            of_log.retain(|key| key.name() == origin);
        }
        let mut failed = Check::UnknownLog(origin);
        for key in of_log {
            match receipt::verify(envelope, proof, key) {
                Ok(receipt) => return Ok(receipt),
                // Another key of the log may have signed.
                Err(error @ ReceiptError::Checkpoint { .. }) => failed = Check::Genuine(error),
                Err(error) => return Err(Check::Genuine(error).into()),
            }
        }
        Err(failed.into())
    }

    /// Whether the policy counts the log of a genuine receipt, and whether its witnesses cosigned
    /// the checkpoint; and who did.
    pub(super) fn policy_checks(&self, receipt: &VerifiedReceipt) -> (Vec<Check>, Cosigned) {
        let checkpoint = receipt.inclusion().checkpoint();
        let (origin, note) = (checkpoint.origin(), checkpoint.note());
        let mut checks = Vec::new();
        if let Some(why) = self.convicted.as_ref().and_then(|it| it.of_log(origin)) {
            let origin = origin.to_owned();
            checks.push(Check::ConvictedLog { origin, why });
        }
        if self.policy.is_some_and(|policy| !policy.counts(origin)) {
            checks.push(Check::UncountedLog(origin.to_owned()));
        }
        let Some(tlog) = &self.tlog else {
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
        let met = match tlog.verify(note) {
            Ok(verified) => {
                cosigned.voices = verified.voices().clone();
                cosigned.quorum_at = verified.cosigned_at();
                checks.extend(late(receipt, verified.cosigned_at()));
                true
            }
            Err(QuorumError::Quorum(voices)) => {
                cosigned.voices = *voices;
                false
            }
            Err(error) => {
                checks.push(Check::Cosignature(error));
                return (checks, cosigned);
            }
        };
        if tlog.quorum().is_some() {
            let voices = cosigned.voices.clone();
            checks.push(Check::Quorum { voices, met });
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
