//! What the search for whose word counts leaves out, where there is too much.

use assay_claims::issuer::IssuerId;
use assay_claims::purl::Pattern;

/// What a walk left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Limit {
    /// An issuer signed more than [`ENDORSEMENTS`](super::ENDORSEMENTS) endorsements in a log, so
    /// that none of them counts there.
    Endorsements {
        /// Who.
        issuer: IssuerId,
        /// In which log.
        origin: String,
    },
    /// The scope of an anchor leads to more than [`ISSUERS`](super::ISSUERS) issuers, or to more
    /// places than can be followed. The walk stopped after this many whole steps there.
    Issuers {
        /// The scope.
        scope: Pattern,
        /// Steps that were followed.
        steps: u32,
    },
    /// The walk ended before these issuers were asked whom they vouch for.
    Unasked(IssuerId),
}
