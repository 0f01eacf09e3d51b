//! Entries, each read and verified by itself.

use super::finding::{Finding, Rule};
use crate::claim::{self, KeyCache, ReplayedClaim, SignatureId};
use crate::entry::{Entry, wire};
use crate::index::{
    Commitment, CommitmentError, Label, checked_labels_of_claim, checked_labels_of_entry,
};
use crate::issuer::{IssuerId, Request};
use crate::limits::SIGNATURES;
use assay_tlog::tree::{LeafIndex, bundle};
use bytes::Bytes;

/// An entry that was read and verified by itself. `T` is what the caller keeps of a claim.
#[derive(Debug, Clone)]
pub struct Leaf<T> {
    /// When the log says that it took it, in milliseconds since 1970 (UTC).
    pub logged_at_ms: u64,
    /// What it holds.
    pub body: Body<T>,
}

/// What a leaf holds.
#[derive(Debug, Clone)]
pub enum Body<T> {
    /// A claim.
    Claim(Claim<T>),
    /// What the log says of its index.
    Commitment(Stated),
}

/// What of a claim is needed where the entries come in order. The rest is let go where it was made:
/// handing it on cost more than making it.
#[derive(Debug, Clone)]
pub struct Claim<T> {
    pub(super) request: Request,
    pub(super) signatures: Vec<(IssuerId, SignatureId)>,
    pub(super) labels: Vec<Label>,
    pub(super) kept: T,
}

impl<T> Claim<T> {
    /// What names its signatures, with the issuer of each.
    pub fn signatures(&self) -> &[(IssuerId, SignatureId)] {
        &self.signatures
    }

    /// Fails with what no log may take.
    fn of(
        entry: &Entry,
        claim: &ReplayedClaim,
        leaf: LeafIndex,
        keep: &impl Fn(&ReplayedClaim) -> T,
    ) -> Result<Self, Finding> {
        let request = Request::of_replayed(claim);
        let request = request.map_err(|error| Finding::new(Rule::Issuer, leaf, error))?;
        let labels = match claim.content() {
            Ok(content) => checked_labels_of_claim(content),
            Err(_) => checked_labels_of_entry(entry),
        };
        let issuers = claim.signers().iter().map(|(issuer, _)| *issuer);
        Ok(Claim {
            request,
            signatures: issuers.zip(claim.signature_ids()).collect(),
            labels: labels.map_err(|error| Finding::new(Rule::Labels, leaf, error))?,
            kept: keep(claim),
        })
    }
}

/// What a log says of its index.
#[derive(Debug, Clone)]
pub struct Stated {
    pub(super) commitment: Result<Commitment, CommitmentError>,
    pub(super) admission_version: u32,
}

/// The entries of a bundle, up to the first that no log may take.
#[derive(Debug)]
pub struct Read<T> {
    /// What is in order by itself.
    pub leaves: Vec<Leaf<T>>,
    /// What is wrong with the entry after these, if it was not the end.
    pub finding: Option<Finding>,
}

/// Reads and verifies the first `width` entries of a bundle, the first of which is leaf `first`, as
/// far as that does not depend on what came before. `keep` says what of a claim the caller needs.
///
/// Signatures are verified together: a log is replayed to find what it should not have admitted,
/// not to rely on a claim. `random` fills in bytes of a generator that nobody can foresee, and is
/// called once.
///
/// # Errors
///
/// What `random` fails with.
pub fn read<T, E>(
    first: LeafIndex,
    bundle: &Bytes,
    width: usize,
    keys: &impl KeyCache,
    random: impl FnOnce(&mut [u8]) -> Result<(), E>,
    keep: impl Fn(&ReplayedClaim) -> T,
) -> Result<Read<T>, E> {
    let (entries, mut finding) = parse(first, bundle, width);
    let claims: Vec<&wire::Claim> = entries
        .iter()
        .filter_map(|entry| entry.claim().ok())
        .collect();
    let mut coefficients = coefficients(&claims, random)?;
    let verified = claim::verify_for_replay(&claims, keys, &mut |bytes| {
        // There are as many as there are signatures.
        *bytes = coefficients.pop().unwrap_or_default();
    });
    let mut verified = verified.into_iter();
    let mut leaves = Vec::with_capacity(entries.len());
    for (at, entry) in (first.get()..).zip(&entries) {
        let leaf = LeafIndex::new(at);
        let body = match entry.body() {
            wire::Body::IndexCommitment(said) => Ok(Body::Commitment(Stated {
                commitment: Commitment::of_entry(entry, leaf),
                admission_version: said.admission_version,
            })),
            wire::Body::Claim(_) => match verified.next() {
                Some(Ok(claim)) => Claim::of(entry, &claim, leaf, &keep).map(Body::Claim),
                Some(Err(error)) => Err(Finding::new(Rule::Claim, leaf, error)),
                // There is one for each claim, in order.
                None => break,
            },
        };
        match body {
            Ok(body) => leaves.push(Leaf {
                logged_at_ms: entry.logged_at_ms(),
                body,
            }),
            Err(found) => {
                finding = Some(found);
                break;
            }
        }
    }
    Ok(Read { leaves, finding })
}

/// The entries of a bundle up to the first that is none.
fn parse(first: LeafIndex, bundle: &Bytes, width: usize) -> (Vec<Entry>, Option<Finding>) {
    let mut parsed = Vec::with_capacity(width);
    for (at, bytes) in (first.get()..).zip(bundle::entries(bundle).take(width)) {
        let leaf = LeafIndex::new(at);
        let bytes = match bytes {
            Ok(bytes) => bundle.slice_ref(bytes),
            Err(error) => return (parsed, Some(Finding::new(Rule::Entry, leaf, error))),
        };
        match Entry::parse(bytes) {
            Ok(entry) => parsed.push(entry),
            Err(error) => return (parsed, Some(Finding::new(Rule::Entry, leaf, error))),
        }
    }
    (parsed, None)
}

/// Random bytes for each signature, made at once.
fn coefficients<E>(
    claims: &[&wire::Claim],
    random: impl FnOnce(&mut [u8]) -> Result<(), E>,
) -> Result<Vec<[u8; 16]>, E> {
    let signatures = claims.iter().map(|claim| claim.signatures.len());
    let signatures = signatures.map(|count| count.min(SIGNATURES)).sum();
    let mut bytes = vec![[0; 16]; signatures];
    random(bytes.as_flattened_mut())?;
    Ok(bytes)
}

impl<T> Claim<T> {
    /// An issuer of whom no key is new, of those that signed this claim.
    pub(super) fn without_new_key(&self, seen: &impl Fn(&SignatureId) -> bool) -> Option<IssuerId> {
        let mut issuers = self.signatures.iter().map(|(issuer, _)| *issuer);
        issuers.find(|of| {
            let mut own = self.signatures.iter().filter(|(issuer, _)| issuer == of);
            own.all(|(_, id)| seen(id))
        })
    }
}
