//! One step of the sequencer: candidates in, leaves and everything that is written for them out.

use super::Head;
use crate::claim::{ClaimId, PublicKey, SignatureId, VerifiedClaim};
use crate::entry::{self, wire};
use crate::index::{Commitment, Label, MappingError, checked_labels_of_claim};
use crate::issuer::{Authorized, IssuerId, IssuerRecord, Issuers};
use crate::kind::{self, Body};
use assay_tlog::Hash;
use assay_tlog::hash::leaf_hash;
use assay_tlog::tree::{Frontier, LeafIndex, TileIndex, TreeSize};
use bytes::Bytes;
use std::collections::{HashMap, HashSet};

/// A claim that was verified and authorized, and waits for its leaf.
#[derive(Debug, Clone)]
pub struct Candidate {
    id: ClaimId,
    claim: wire::Claim,
    signers: Vec<(IssuerId, PublicKey)>,
    /// Of each signer, in their order.
    signatures: Vec<SignatureId>,
    relied_on: Vec<(IssuerId, Option<u32>)>,
    change: Option<IssuerRecord>,
    attachments: Vec<Hash>,
    vouching: Option<Hash>,
    labels: Vec<Label>,
    invitation: Option<Hash>,
}

impl Candidate {
    /// Joins the proof that the signatures hold with the proof that the signers may speak.
    ///
    /// # Errors
    ///
    /// A log may not take it, however well it is made: the index would pay too much for it.
    pub fn new(claim: VerifiedClaim, authorized: &Authorized) -> Result<Self, MappingError> {
        let labels = checked_labels_of_claim(&claim)?;
        let named = kind::attachments(claim.statement());
        let attachments = named
            .into_iter()
            .map(|attachment| attachment.sha256)
            .collect();
        Ok(Candidate {
            id: claim.id(),
            signers: claim.signers().to_vec(),
            signatures: claim.signature_ids().collect(),
            relied_on: authorized.relied_on().to_vec(),
            change: authorized.change().cloned(),
            attachments,
            vouching: vouching(claim.body()),
            labels,
            invitation: None,
            claim: claim.into_claim(),
        })
    }

    /// The registration of an issuer by an invitation, which is used up once this has a leaf.
    pub fn invited(self, invitation: Option<Hash>) -> Self {
        Candidate { invitation, ..self }
    }

    /// What names its signatures: at least one, each once.
    pub fn signatures(&self) -> &[SignatureId] {
        &self.signatures
    }

    /// The issuers of its signers, each once.
    pub fn issuers(&self) -> Vec<IssuerId> {
        let mut issuers = Vec::with_capacity(self.signers.len());
        for (issuer, _) in &self.signers {
            if !issuers.contains(issuer) {
                issuers.push(*issuer);
            }
        }
        issuers
    }

    /// Bytes of its payload.
    pub fn payload_len(&self) -> usize {
        self.claim.payload.len()
    }

    /// How many labels its entry has in the index: at most [`LABELS`](crate::limits::LABELS).
    pub fn labels(&self) -> usize {
        self.labels.len()
    }

    /// The claim's id.
    pub fn id(&self) -> ClaimId {
        self.id
    }
}

/// The issuer that a claim endorses, or the claim that it withdraws.
pub fn vouching(body: &Body) -> Option<Hash> {
    match body {
        Body::Endorsement(endorsement) => Some(Hash::new(*endorsement.issuer.as_bytes())),
        Body::Withdrawal(withdrawal) => Some(Hash::new(*withdrawal.target.as_bytes())),
        _ => None,
    }
}

/// Why a candidate got no leaf, although it was in order when it was admitted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// A signer's record changed between admission and sequencing.
    #[error(
        "issuer {issuer} was registered or rotated while this claim was on its way; sign with the \
         keys in force and publish again"
    )]
    IssuerMoved {
        /// Whose record it is.
        issuer: IssuerId,
    },
    /// Of one of its issuers it has only keys that signed this claim in the log before, of another
    /// a new one. With both it would be a way to log somebody's claim again and again.
    #[error(
        "the log has this claim by these keys of issuer {issuer} at leaf {leaf} already, and a \
         leaf brings a new key for each issuer in it; publish it with the other signatures only"
    )]
    NothingNew {
        /// The issuer of whom no key is new.
        issuer: IssuerId,
        /// A leaf with the claim by one of these keys.
        leaf: LeafIndex,
    },
    /// Another issuer came by the same invitation meanwhile.
    #[error("this invitation was used already: ask the log's operator for another one")]
    InvitationUsed,
    /// With the log's own fields the entry would be over its limit.
    #[error("{0}")]
    Entry(#[from] entry::EntryError),
}

/// What became of a candidate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It has a new leaf.
    Sequenced {
        /// Its place in the log.
        index: LeafIndex,
        /// Its leaf hash.
        leaf_hash: Hash,
        /// The time that the log gave it, in milliseconds since 1970 (UTC).
        logged_at_ms: u64,
    },
    /// The log has the claim by all of these signers already: this leaf, if it was published like
    /// this before, and otherwise the last one that brought one of them.
    Existing(LeafIndex),
    /// It gets none.
    Refused(Refused),
}

/// The sequencer's state: the head and the frontier of the tree that it belongs to.
#[derive(Debug, Clone)]
pub struct Sequencer {
    head: Head,
    frontier: Frontier,
}

/// A new leaf and the rows that find it again.
#[derive(Debug, Clone)]
pub struct Leaf {
    /// The serialized entry.
    pub entry: Bytes,
    /// Its leaf hash.
    pub hash: Hash,
    /// The signatures in it that no leaf before has; none in a commitment.
    pub signatures: Vec<SignatureId>,
    /// The issuer record that it puts in force.
    pub change: Option<IssuerRecord>,
    /// SHA-256 of the attachments that it names.
    pub attachments: Vec<Hash>,
    /// What it is about, if that is who is endorsed, or which claim is withdrawn; and who says so.
    pub vouching: Option<(Hash, Vec<IssuerId>)>,
    /// What the index will find it under.
    pub labels: Vec<Label>,
    /// The invitation by which it registers an issuer.
    pub invitation: Option<Hash>,
}

/// What one step writes, all of it in one atomic, durable batch, before anybody is told.
#[derive(Debug, Clone)]
pub struct Step {
    /// For each candidate, in order.
    pub outcomes: Vec<Outcome>,
    /// Index of the first new leaf.
    pub first: LeafIndex,
    /// The new leaves.
    pub leaves: Vec<Leaf>,
    /// Every tile that changed, whole.
    pub tiles: Vec<(TileIndex, Vec<Hash>)>,
    /// The head that the store must have for this step to be written.
    pub expected: Head,
    /// The state to adopt once the step is durable.
    pub next: Sequencer,
}

impl Sequencer {
    /// Joins a head with the frontier of its tree. Returns `None` if they do not belong together.
    pub fn new(head: Head, frontier: Frontier) -> Option<Self> {
        (frontier.size() == head.size && frontier.root() == head.root)
            .then_some(Sequencer { head, frontier })
    }

    /// The state of a log without leaves.
    pub fn empty() -> Self {
        Sequencer {
            head: Head::empty(),
            frontier: Frontier::new(),
        }
    }

    /// The state of the tree.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The frontier of the tree.
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Gives each candidate its outcome.
    ///
    /// `known` says for each of the candidates' [`Candidate::signatures`], all in one row, which
    /// leaf the store already has for it; what is missing at its end has none. `issuers` is the
    /// state after everything that is committed. `now_ms` is in milliseconds since 1970 (UTC); if
    /// the clock fell behind, the last time given is repeated, so that `logged_at_ms` never falls.
    pub fn plan(
        &self,
        now_ms: u64,
        candidates: Vec<Candidate>,
        known: &[Option<LeafIndex>],
        issuers: &impl Issuers,
    ) -> Step {
        let mut batch = Batch {
            first: self.head.size.next_leaf(),
            logged_at_ms: now_ms.max(self.head.last_ms),
            leaves: Vec::with_capacity(candidates.len()),
            placed: HashMap::with_capacity(candidates.len()),
            changed: Changed::default(),
        };
        let mut known = known;
        let mut outcomes = Vec::with_capacity(candidates.len());
        for candidate in candidates {
            let count = candidate.signatures.len().min(known.len());
            let (of_candidate, rest) = known.split_at(count);
            known = rest;
            outcomes.push(batch.place(candidate, of_candidate, issuers));
        }
        let last_ms = if batch.leaves.is_empty() {
            self.head.last_ms
        } else {
            batch.logged_at_ms
        };
        Step {
            outcomes,
            ..self.append(batch.leaves, last_ms, self.head.last_commitment)
        }
    }

    /// Appends the leaf that commits to the index of all leaves so far. From then on the tree can
    /// be signed.
    ///
    /// Time is as in [`Sequencer::plan`]. It fails only as [`entry::encode`] does, for an entry
    /// over the limit, which this one is far below.
    pub fn plan_commitment(
        &self,
        now_ms: u64,
        commitment: &Commitment,
    ) -> Result<Step, entry::EntryError> {
        let last_ms = now_ms.max(self.head.last_ms);
        let entry = entry::encode(last_ms, commitment.to_wire())?;
        let hash = leaf_hash(&entry);
        let leaf = Leaf {
            entry,
            hash,
            signatures: vec![],
            change: None,
            attachments: vec![],
            vouching: None,
            labels: vec![],
            invitation: None,
        };
        Ok(self.append(vec![leaf], last_ms, TreeSize::new(self.head.size.get() + 1)))
    }

    fn append(&self, leaves: Vec<Leaf>, last_ms: u64, last_commitment: TreeSize) -> Step {
        let mut frontier = self.frontier.clone();
        let hashes: Vec<Hash> = leaves.iter().map(|leaf| leaf.hash).collect();
        let tiles = frontier.append(&hashes);
        let head = Head {
            size: frontier.size(),
            root: frontier.root(),
            last_ms,
            last_commitment,
        };
        Step {
            outcomes: Vec::new(),
            first: self.head.size.next_leaf(),
            leaves,
            tiles,
            expected: self.head,
            next: Sequencer { head, frontier },
        }
    }
}

/// The candidates of a step that got a leaf so far.
struct Batch {
    first: LeafIndex,
    logged_at_ms: u64,
    leaves: Vec<Leaf>,
    /// Where in this step a signature first got a leaf.
    placed: HashMap<SignatureId, LeafIndex>,
    changed: Changed,
}

/// What the records of this step change about who is registered.
#[derive(Default)]
struct Changed {
    /// The sequence of each issuer's record that this step puts in force.
    sequences: HashMap<IssuerId, u32>,
    /// Whose the keys in these records are.
    owners: HashMap<[u8; 32], IssuerId>,
    /// The invitations that it uses up.
    invitations: HashSet<Hash>,
}

impl Batch {
    /// Gives a candidate the next leaf, or says why it gets none. `known` says for each of its
    /// signatures which leaf the store has for it.
    fn place(
        &mut self,
        mut candidate: Candidate,
        known: &[Option<LeafIndex>],
        issuers: &impl Issuers,
    ) -> Outcome {
        // Hardly any candidate has a signature that is logged, so nothing is allocated for it.
        if known.iter().any(Option::is_some) || self.holds_any(&candidate.signatures) {
            let leaves = self.leaves_of(&candidate.signatures, known);
            if let Some(outcome) = candidate.settled(&leaves) {
                return outcome;
            }
            let mut leaves = leaves.iter();
            candidate
                .signatures
                .retain(|_| leaves.next().is_some_and(Option::is_none));
        }
        if let Some(issuer) = self.changed.outdated(&candidate, issuers) {
            return Outcome::Refused(Refused::IssuerMoved { issuer });
        }
        if let Some(invitation) = &candidate.invitation
            && (self.changed.invitations.contains(invitation) || issuers.is_used(invitation))
        {
            return Outcome::Refused(Refused::InvitationUsed);
        }
        let vouching = candidate.vouching.map(|what| (what, candidate.issuers()));
        let entry = match entry::encode(self.logged_at_ms, candidate.claim) {
            Ok(entry) => entry,
            Err(error) => return Outcome::Refused(error.into()),
        };
        let index = LeafIndex::new(self.first.get() + self.leaves.len() as u64);
        let hash = leaf_hash(&entry);
        for signature in &candidate.signatures {
            self.placed.insert(*signature, index);
        }
        if let Some(change) = &candidate.change {
            self.changed.apply(change);
        }
        self.changed.invitations.extend(candidate.invitation);
        self.leaves.push(Leaf {
            entry,
            hash,
            signatures: candidate.signatures,
            change: candidate.change,
            attachments: candidate.attachments,
            vouching,
            labels: candidate.labels,
            invitation: candidate.invitation,
        });
        Outcome::Sequenced {
            index,
            leaf_hash: hash,
            logged_at_ms: self.logged_at_ms,
        }
    }
}

impl Batch {
    fn holds_any(&self, signatures: &[SignatureId]) -> bool {
        !self.placed.is_empty() && signatures.iter().any(|one| self.placed.contains_key(one))
    }

    /// For each signature the first leaf that has it, in the store or in this step.
    fn leaves_of(
        &self,
        signatures: &[SignatureId],
        known: &[Option<LeafIndex>],
    ) -> Vec<Option<LeafIndex>> {
        let known = known.iter().copied().chain(std::iter::repeat(None));
        let both = signatures.iter().zip(known);
        both.map(|(one, known)| known.or_else(|| self.placed.get(one).copied()))
            .collect()
    }
}

impl Candidate {
    /// What becomes of it because of signatures that are logged, if anything: it needs a new key
    /// for each of its issuers. `known` says for each of [`Candidate::signatures`] which leaf it
    /// has.
    pub fn settled(&self, known: &[Option<LeafIndex>]) -> Option<Outcome> {
        let mut repeated = None;
        let mut brings_any = false;
        for (issuer, _) in &self.signers {
            let of_issuer = self.signers.iter().zip(known);
            let of_issuer = of_issuer.filter(|((other, _), _)| other == issuer);
            let leaves: Option<Vec<LeafIndex>> = of_issuer.map(|(_, leaf)| *leaf).collect();
            match leaves.into_iter().flatten().max() {
                Some(leaf) => repeated = Some((*issuer, leaf)),
                None => brings_any = true,
            }
        }
        let (issuer, leaf) = repeated?;
        if brings_any {
            return Some(Outcome::Refused(Refused::NothingNew { issuer, leaf }));
        }
        let last = known.iter().flatten().max();
        Some(Outcome::Existing(last.copied().unwrap_or(leaf)))
    }
}

impl Changed {
    fn apply(&mut self, record: &IssuerRecord) {
        self.sequences.insert(record.id, record.body.sequence);
        for key in record.all_keys() {
            self.owners.insert(*key.as_bytes(), record.id);
        }
    }

    fn sequence(&self, id: &IssuerId, issuers: &impl Issuers) -> Option<u32> {
        let here = self.sequences.get(id).copied();
        here.or_else(|| issuers.in_force(id).map(|record| record.body.sequence))
    }

    fn owner(&self, key: &PublicKey, issuers: &impl Issuers) -> Option<IssuerId> {
        let here = self.owners.get(key.as_bytes()).copied();
        here.or_else(|| issuers.owner(key))
    }

    fn half_is_taken(&self, id: &IssuerId, issuers: &impl Issuers) -> bool {
        let here = self.sequences.keys().any(|other| other.half() == id.half());
        here || issuers.by_half(id).is_some()
    }

    /// Returns an issuer because of which what this candidate was authorized under no longer holds.
    fn outdated(&self, candidate: &Candidate, issuers: &impl Issuers) -> Option<IssuerId> {
        for (id, seen) in &candidate.relied_on {
            if self.sequence(id, issuers) != *seen {
                return Some(*id);
            }
        }
        // The key of a signer that is not registered was nobody's.
        for (id, key) in &candidate.signers {
            let unregistered = candidate.relied_on.contains(&(*id, None));
            if unregistered && self.owner(key, issuers).is_some() {
                return Some(*id);
            }
        }
        let record = candidate.change.as_ref()?;
        let taken = match record.body.sequence {
            0 => self.half_is_taken(&record.id, issuers),
            next => self.sequence(&record.id, issuers) != Some(next - 1),
        };
        let mut keys = record.all_keys();
        let foreign = keys.any(|key| {
            let owner = self.owner(key, issuers);
            owner.is_some_and(|owner| owner != record.id)
        });
        (taken || foreign).then_some(record.id)
    }
}

impl Step {
    /// Leaves in the tree once this step is adopted.
    pub fn size(&self) -> TreeSize {
        self.next.head.size
    }
}
