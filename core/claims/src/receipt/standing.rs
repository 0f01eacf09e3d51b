//! Whether the signers of receipts may speak for the issuers that they name, judged by the records
//! of issuers among the same receipts.

use super::VerifiedReceipt;
use crate::issuer::{self, AuthorizeError, IssuerId, IssuerRecord, Issuers, Registry};
use assay_tlog::tree::LeafIndex;
use std::collections::{BTreeMap, BTreeSet};

/// What the given records of issuers say about a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// Its signers satisfy, for every issuer that they name, the latest record given that stands
    /// before it in its log. That the record was still in force is not proven: a rotation that is
    /// not among the receipts would have ended it.
    Proven(Vec<ProvenIssuer>),
    /// No record was given that decides about these issuers.
    Unproven(Vec<IssuerId>),
    /// Its signers do not satisfy the records that were given. If an issuer rotated its keys since,
    /// and the receipt of that rotation was not given, the verdict can change with it.
    Refuted(AuthorizeError),
    /// Another receipt has another entry at the same leaf of the same log: the log signed two
    /// histories. Nobody knows which of the two an issuer's records belong to.
    TwoHistories,
}

/// An issuer that signed, by the record that proves it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProvenIssuer {
    /// The issuer.
    pub id: IssuerId,
    /// What it calls itself. It proves nothing.
    pub name: String,
    /// Sequence of the record that the signatures satisfy.
    pub sequence: u32,
    /// Where that record stands in the log of the claim.
    pub record: LeafIndex,
}

/// Says for every receipt, in their order, whether its signers may speak for the issuers that they
/// name.
///
/// Records of issuers are taken from the receipts themselves, each log by itself, in the order of
/// their leaves: a claim is judged by what stands before it. Where a log shows two entries at one
/// leaf, none of them counts. Receipts show what a log holds and not
/// what it lacks: that no later rotation or withdrawal exists needs an answer of the log.
pub fn verify_issuers(receipts: &[VerifiedReceipt]) -> Vec<Standing> {
    let mut order: Vec<(usize, &VerifiedReceipt)> = receipts.iter().enumerate().collect();
    order.sort_by_key(|(_, receipt)| place(receipt));
    let contradicted = contradicted(receipts);
    let mut registries: BTreeMap<&str, Registry> = BTreeMap::new();
    let mut standings = vec![Standing::Unproven(Vec::new()); receipts.len()];
    let mut last: Option<(&VerifiedReceipt, Standing)> = None;
    for (i, receipt) in order {
        let standing = match last {
            _ if contradicted.contains(&place(receipt)) => Standing::TwoHistories,
            // The same entry once more.
            Some((before, standing)) if place(before) == place(receipt) => standing,
            _ => judge(
                receipt,
                registries.entry(place(receipt).0).or_default(),
                receipts,
            ),
        };
        if let Some(slot) = standings.get_mut(i) {
            slot.clone_from(&standing);
        }
        last = Some((receipt, standing));
    }
    standings
}

/// The places at which receipts have different entries.
fn contradicted(receipts: &[VerifiedReceipt]) -> BTreeSet<(&str, LeafIndex)> {
    let (mut leaves, mut contradicted) = (BTreeMap::new(), BTreeSet::new());
    for receipt in receipts {
        let leaf = receipt.inclusion().leaf_hash();
        if *leaves.entry(place(receipt)).or_insert(leaf) != leaf {
            contradicted.insert(place(receipt));
        }
    }
    contradicted
}

/// The log, and the leaf in it.
fn place(receipt: &VerifiedReceipt) -> (&str, LeafIndex) {
    (
        receipt.inclusion().checkpoint().origin(),
        receipt.inclusion().index(),
    )
}

/// Judges a receipt by the records before it, and puts it in force if it is one.
fn judge(
    receipt: &VerifiedReceipt,
    registry: &mut Registry,
    receipts: &[VerifiedReceipt],
) -> Standing {
    match issuer::authorize(receipt.claim(), registry) {
        Ok(authorized) => {
            let proven = match authorized.change() {
                Some(record) => vec![proven(record, receipt.inclusion().index())],
                None => {
                    let in_force = authorized
                        .relied_on()
                        .iter()
                        .filter_map(|(id, _)| registry.records(id).last());
                    in_force
                        .map(|(leaf, record)| proven(record, *leaf))
                        .collect()
                }
            };
            if let Some(record) = authorized.change() {
                // It cannot fail after `authorize`: the registry is the one that was asked, and
                // leaves ascend.
                let applied = registry.apply(receipt.inclusion().index(), record.clone());
                debug_assert!(applied.is_ok());
            }
            Standing::Proven(proven)
        }
        Err(AuthorizeError::NotRegistered(_)) if !registers_signer(receipt, receipts) => {
            let mut unknown: Vec<IssuerId> = receipt
                .claim()
                .signers()
                .iter()
                .map(|(id, _)| *id)
                .collect();
            unknown.retain(|id| registry.in_force(id).is_none());
            unknown.sort_unstable();
            unknown.dedup();
            Standing::Unproven(unknown)
        }
        Err(AuthorizeError::Sequence {
            issuer,
            in_force,
            asked,
        }) if asked > in_force => Standing::Unproven(vec![issuer]),
        Err(error) => Standing::Refuted(error),
    }
}

fn proven(record: &IssuerRecord, leaf: LeafIndex) -> ProvenIssuer {
    ProvenIssuer {
        id: record.id,
        name: record.body.name.clone(),
        sequence: record.body.sequence,
        record: leaf,
    }
}

/// Whether one of the receipts registers a signer of this one later in the same log: then it was
/// not registered yet, and the record is not merely missing.
fn registers_signer(receipt: &VerifiedReceipt, receipts: &[VerifiedReceipt]) -> bool {
    let (log, leaf) = place(receipt);
    let signers = receipt.claim().signers();
    for other in receipts {
        let (other_log, other_leaf) = place(other);
        if other_log != log || other_leaf <= leaf {
            continue;
        }
        if let Ok(Some(record)) = IssuerRecord::from_claim(other.claim())
            && record.body.sequence == 0
            && signers.iter().any(|(signer, _)| *signer == record.id)
        {
            return true;
        }
    }
    false
}
