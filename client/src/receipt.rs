//! Receipts: a claim's own, and those of the issuer records that it rests on, all under one
//! checkpoint, so that they can be verified offline together.

mod check;
mod held_to;
mod pair;
pub(crate) mod respelled;

pub use check::{Check, CheckedReceipt, Demands, Verdict, check_receipts};
pub use held_to::{Cosigned, HeldTo, HeldToError};
pub use pair::{ENVELOPE_SUFFIX, PROOF_SUFFIX, PairError, ReceiptPair};
pub use respelled::{Change, Respelled};

use crate::{Client, ClientError, LeafRef, VerifiedEntry};
use assay_claims::claim::ClaimId;
use assay_claims::index::{self, By, Label};
use assay_claims::issuer::IssuerId;
use assay_claims::receipt::{self, VerifiedReceipt};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::LeafIndex;
use std::collections::BTreeSet;

/// The two files of a receipt (docs/design.md 3.6).
#[derive(Debug, Clone)]
pub struct ReceiptFiles {
    /// What both files are called before their endings: the claim's id in hex.
    pub stem: String,
    /// The contents of `<stem>.intoto.jsonl`: one DSSE envelope on one line.
    pub envelope: String,
    /// The contents of `<stem>.tlog-proof`.
    pub proof: String,
}

/// A claim's receipt with everything that its issuers' standing rests on.
#[derive(Debug)]
pub struct Receipt {
    /// The claim's files.
    pub files: ReceiptFiles,
    /// The claim's receipt, verified from those files.
    pub verified: VerifiedReceipt,
    /// The records of its signers' issuers that the node knows, up to the claim's own leaf, oldest
    /// first.
    pub issuers: Vec<(ReceiptFiles, VerifiedReceipt)>,
}

impl Client {
    /// Returns the receipt of a leaf and those of its issuers' records.
    ///
    /// All stand under the same checkpoint and each is verified from the very files that are
    /// returned. That no issuer record was left out is not proven: who relies on the receipt
    /// verifies the issuers' standing with `receipt::verify_issuers`.
    pub async fn receipt(&self, leaf: LeafRef) -> Result<Receipt, ClientError> {
        let (entry, path) = self.entry_and_path(leaf, None).await?;
        let checkpoint = entry.checkpoint().clone();
        let (files, verified) = self.write_receipt(&entry, &path)?;
        let ids: BTreeSet<_> = entry.claim().signers().iter().map(|(id, _)| *id).collect();
        let mut leaves = BTreeSet::new();
        for id in ids {
            let records = self.issuer_leaves(&id).await?;
            // Later records say nothing about this leaf (docs/design.md 3.4).
            leaves.extend(records.into_iter().filter(|index| *index < entry.index()));
        }
        let mut issuers = vec![];
        for index in leaves {
            issuers.push(self.record_receipt(index, &checkpoint).await?);
        }
        Ok(Receipt {
            files,
            verified,
            issuers,
        })
    }

    /// Returns the leaf at which an issuer signed a claim. Others who signed the same statement
    /// have leaves of their own, and [`LeafRef::Claim`] is the first of all.
    ///
    /// Fails with [`ClientError::Refused`] if no claim has this id, or, which is proven, if the
    /// issuer signed none that has.
    pub async fn leaf_by(&self, id: ClaimId, issuer: &IssuerId) -> Result<LeafRef, ClientError> {
        let first = self.entry(LeafRef::Claim(id)).await?;
        let signers = first.claim().signers();
        if signers.iter().any(|(signer, _)| signer == issuer) {
            return Ok(LeafRef::Index(first.index()));
        }
        // The same statement has the same subjects.
        let labels = index::labels_of_claim(first.claim());
        let of_signers = signers.iter().map(|(signer, _)| By::issuer(signer));
        let of_signers: BTreeSet<By> = of_signers.collect();
        let subject = labels.iter().find(|label| of_signers.contains(&label.by()));
        if let Some(subject) = subject {
            let label = Label::of(subject.name(), By::issuer(issuer));
            for page in self.list(&label).await?.pages() {
                let claims = page.proven().claims(&(), |_| true).into_iter();
                let mut claims = claims.filter_map(|(leaf, claim)| Some((leaf, claim.ok()?)));
                if let Some((leaf, _)) = claims.find(|(_, claim)| claim.claim().id() == id) {
                    return Ok(LeafRef::Index(leaf));
                }
            }
        }
        Err(ClientError::Refused {
            code: tonic::Code::NotFound,
            message: format!("issuer {issuer} did not sign claim {id} in this log"),
        })
    }

    async fn record_receipt(
        &self,
        index: LeafIndex,
        checkpoint: &VerifiedCheckpoint,
    ) -> Result<(ReceiptFiles, VerifiedReceipt), ClientError> {
        let (entry, path) = self.named_entry(index, Some(checkpoint)).await?;
        self.write_receipt(&entry, &path)
    }

    fn write_receipt(
        &self,
        entry: &VerifiedEntry,
        path: &[Hash],
    ) -> Result<(ReceiptFiles, VerifiedReceipt), ClientError> {
        let (envelope, proof) = receipt::to_files(
            entry.entry(),
            entry.index(),
            path,
            entry.checkpoint().note(),
        )
        .map_err(|e| ClientError::unverified_by("no receipt can be made of the entry", e))?;
        let verified = receipt::verify(envelope.as_bytes(), proof.as_bytes(), &self.log_key)
            .map_err(|e| ClientError::unverified_by("the receipt does not verify", e))?;
        let stem = entry.claim().id().to_string();
        Ok((
            ReceiptFiles {
                stem,
                envelope,
                proof,
            },
            verified,
        ))
    }
}
