//! Whether a claim may wait for a leaf: limits, signatures, issuers, quotas.
//!
//! In this order, cheapest first. Quotas by issuer come after the signatures, because only a
//! verified issuer can be charged, and only for what gets a leaf; the quota of the caller's network
//! comes before them.

use crate::{
    config::{self, AdmissionConfig},
    endorsed::{self, Unendorsed},
    log::now_ms,
    quota::{Charge, Exceeded, Quotas},
    records,
    registry::Directory,
    sequencer::Halt,
    storage::Tables,
};
use assay_claims::claim::{self, ClaimError, ClaimId, VerifiedClaim};
use assay_claims::entry::wire;
use assay_claims::index::MappingError;
use assay_claims::issuer::{
    AuthorizeError, Authorized, IssuerId, Issuers, authorize, hold_to_rules,
};
use assay_claims::sequencer::{Candidate, Outcome, Refused};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use std::{net::IpAddr, sync::Arc};

/// Why a claim is not taken. The variant says who is to blame. [`api`](crate::api) turns it into a
/// status code.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// The claim itself is wrong: nobody may log it.
    #[error(transparent)]
    Claim(#[from] ClaimError),
    /// The claim is in order, but its signers may not say it.
    #[error(transparent)]
    Issuer(#[from] AuthorizeError),
    /// Its signers may say it, but not in this log.
    #[error(transparent)]
    Unendorsed(#[from] Unendorsed),
    /// It is in order, but no log may take it: the index would pay too much.
    #[error(transparent)]
    Mapping(#[from] MappingError),
    /// New issuers need an invitation here, and this one brought none that counts.
    #[error(
        "this log takes new issuers by invitation only, and {0}. Ask its operator for a token, \
         and give it with --invitation"
    )]
    Uninvited(&'static str),
    /// It was in order when it came, and not any more when its turn came.
    #[error(transparent)]
    Sequenced(#[from] Refused),
    /// A quota is used up, or the queue is full.
    #[error("{what}; try again in {retry_s} s")]
    Busy {
        /// Which limit was met.
        what: String,
        /// When to try again, in seconds.
        retry_s: u64,
    },
    /// The node writes nothing now, for the reason given.
    #[error("this node takes no claims now: {0}. What was acknowledged is safe, and reads go on")]
    Halted(String),
    /// The node stops before it can answer.
    #[error(
        "this node is stopping, and its disk is too slow for it to say in time whether this claim \
         is logged. Send it again once the node runs: it is logged once, whether it is now or not"
    )]
    Leaving,
    /// The node cannot read its store.
    #[error(transparent)]
    Store(#[from] records::RecordError),
}

/// A claim that admission let in.
#[derive(Debug)]
pub enum Admitted {
    /// It may wait for a leaf. What was charged for it is kept once it has one.
    Candidate(Box<Candidate>, Charge),
    /// It has a leaf already.
    Existing(ClaimId, LeafIndex),
}

/// What counts of whoever sends a claim, beside the claim.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// The address that is charged.
    pub from: Option<IpAddr>,
    /// The invitation by which it registers an issuer, where one is needed, or why it may not.
    invited: Result<Option<Hash>, &'static str>,
}

/// The rule of admission and its quotas.
pub struct Admission<S> {
    mode: config::Admission,
    anchors: Vec<IssuerId>,
    invitations: Vec<Hash>,
    store: Arc<S>,
    directory: Arc<Directory>,
    halt: Arc<Halt>,
    quotas: Arc<Quotas>,
}

impl From<Exceeded> for Refusal {
    fn from(exceeded: Exceeded) -> Self {
        metrics::counter!("assay_refused_total", "limit" => exceeded.limit).increment(1);
        Refusal::Busy {
            what: exceeded.what,
            retry_s: exceeded.retry_s,
        }
    }
}

impl<S: Tables> Admission<S> {
    /// Returns the admission that a configuration asks for. `shared` as in [`Quotas::new`].
    pub fn new(
        config: &AdmissionConfig,
        shared: &[IpAddr],
        store: Arc<S>,
        directory: Arc<Directory>,
        halt: Arc<Halt>,
    ) -> Self {
        Admission {
            mode: config.mode,
            anchors: config.anchors.clone(),
            invitations: config.invitations.clone(),
            store,
            directory,
            halt,
            quotas: Arc::new(Quotas::new(config, shared)),
        }
    }

    /// The caller at an address, with the invitation that it gave.
    pub fn caller(&self, from: Option<IpAddr>, token: Option<&[u8]>) -> Caller {
        let invited = match token.map(Hash::of) {
            _ if self.invitations.is_empty() => Ok(None),
            None => Err("none was given"),
            // Digests are compared, so that the time it takes tells nothing about the tokens.
            Some(digest) if self.invitations.contains(&digest) => Ok(Some(digest)),
            Some(_) => Err("the one that was given is not known"),
        };
        Caller { from, invited }
    }

    /// The invitation that a registration uses up, where one is needed.
    fn invitation(&self, caller: Caller) -> Result<Option<Hash>, Refusal> {
        let invitation = caller.invited.map_err(Refusal::Uninvited)?;
        if invitation.is_some_and(|digest| self.directory.is_used(&digest)) {
            return Err(Refusal::Uninvited(
                "the one that was given was used already",
            ));
        }
        Ok(invitation)
    }

    /// Verifies a claim and decides whether it may be logged. This verifies each signature once,
    /// and waits for nothing.
    pub fn admit(&self, claim: &wire::Claim, caller: Caller) -> Result<Admitted, Refusal> {
        if let Some(reason) = self.halt.reason() {
            return Err(Refusal::Halted(reason.to_owned()));
        }
        self.quotas.arrived(claim, caller.from)?;
        let verified = claim::verify(claim, &*self.directory)?;
        let authorized = match self.authorized(&verified) {
            Ok(authorized) => authorized,
            // A record that is in force was logged, and so was what was endorsed once. Publishing
            // it again is no mistake.
            Err(error) => return self.logged(&verified)?.ok_or(error),
        };
        let registers = authorized
            .change()
            .is_some_and(|record| record.body.sequence == 0);
        let candidate = Candidate::new(verified, &authorized)?;
        match self.settled(&candidate)? {
            Some(Outcome::Refused(refused)) => return Err(refused.into()),
            Some(Outcome::Existing(index) | Outcome::Sequenced { index, .. }) => {
                return Ok(Admitted::Existing(candidate.id(), index));
            }
            None => {}
        }
        let mut invitation = None;
        if registers {
            invitation = self.invitation(caller)?;
            self.quotas.registered(caller.from)?;
        }
        let labels = candidate.labels();
        self.quotas.labeled(labels, caller.from)?;
        let charge = self.quotas.verified(claim, labels, candidate.issuers())?;
        let candidate = Box::new(candidate.invited(invitation));
        Ok(Admitted::Candidate(candidate, charge))
    }

    /// Whether the signers may say it here.
    fn authorized(&self, claim: &VerifiedClaim) -> Result<Authorized, Refusal> {
        if self.mode == config::Admission::Open {
            return Ok(hold_to_rules(claim, &*self.directory)?);
        }
        let authorized = authorize(claim, &*self.directory)?;
        if self.mode == config::Admission::Endorsed {
            endorsed::check(&*self.store, &self.anchors, claim, now_ms())?;
        }
        Ok(authorized)
    }

    /// The leaf of a claim whose signatures are all in the log.
    fn logged(&self, claim: &VerifiedClaim) -> Result<Option<Admitted>, Refusal> {
        let found = records::find_signatures(&*self.store, claim.signature_ids())?;
        let last = last_of_all(&found);
        Ok(last.map(|index| Admitted::Existing(claim.id(), index)))
    }

    /// What the sequencer would say of a candidate because of what is in the log, if anything.
    ///
    /// What an issuer signed is public: whoever sends it again, alone or with a signature of their
    /// own beside it, is answered here, before the issuer is charged.
    fn settled(&self, candidate: &Candidate) -> Result<Option<Outcome>, Refusal> {
        if !self.quotas.count_signers() {
            // Nobody pays, and the sequencer looks for itself.
            return Ok(None);
        }
        let signatures = candidate.signatures().iter().copied();
        let found = records::find_signatures(&*self.store, signatures)?;
        Ok(candidate.settled(&found))
    }
}

/// The last leaf of signatures that all have one.
fn last_of_all(found: &[Option<LeafIndex>]) -> Option<LeafIndex> {
    let all: Option<Vec<LeafIndex>> = found.iter().copied().collect();
    all?.into_iter().max()
}
