//! A quorum of the peers' witnesses, as a C2SP tlog-policy.

use super::KnownPeer;
use assay_tlog::note::{Algorithm, VerifierKey};
use assay_tlog::tlog_policy::{TlogPolicy, TlogPolicyError};
use std::fmt::Write as _;

/// Why there is no policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Nobody can be asked.
    #[error("no peer is a witness: there is nobody to ask")]
    NoWitness,
    /// The policy language has room for no more.
    #[error(
        "{0} peers are witnesses; a tlog-policy holds 32 witnesses, two for each with two keys"
    )]
    TooMany(usize),
    /// It takes more, or fewer, than there are.
    #[error("a quorum of {quorum} of {witnesses} cannot be")]
    Quorum {
        /// What was asked for.
        quorum: usize,
        /// How many there are.
        witnesses: usize,
    },
    /// The names of the peers make none.
    #[error("the names of the peers cannot stand in a policy as they are; give them others")]
    Names(#[from] TlogPolicyError),
}

/// Most witnesses and groups of a policy (C2SP tlog-policy).
const LIMIT: usize = 32;

/// Returns a policy of the witnesses of all peers that have one, each with its address, both keys
/// of one as one voice. Without a number, as many must cosign as are safe: 1 + 2n/3, rounded down
/// (docs/federation.md).
pub fn of(peers: &[KnownPeer], quorum: Option<usize>) -> Result<String, PolicyError> {
    let witnesses: Vec<_> = peers
        .iter()
        .filter(|peer| !peer.witness().is_empty())
        .collect();
    let n = witnesses.len();
    let keys: usize = witnesses.iter().map(|peer| peer.witness().len()).sum();
    if n == 0 {
        return Err(PolicyError::NoWitness);
    }
    if keys > LIMIT || n >= LIMIT {
        return Err(PolicyError::TooMany(n));
    }
    let quorum = quorum.unwrap_or(1 + 2 * n / 3);
    if !(1..=n).contains(&quorum) {
        let witnesses = n;
        return Err(PolicyError::Quorum { quorum, witnesses });
    }
    let mut text = String::from("# The witnesses of the peers, each with its address.\n");
    let mut groups = String::new();
    for peer in &witnesses {
        let name = peer.name();
        let mut members = String::new();
        for (i, key) in peer.witness().iter().enumerate() {
            let member = format!("{name}/{}-{i}", algorithm(key));
            let _ = writeln!(text, "witness {member} {key} {}", peer.url());
            let _ = write!(members, " {member}");
        }
        let _ = writeln!(groups, "group {name} any{members}");
    }
    let names: Vec<_> = witnesses.iter().map(|peer| peer.name()).collect();
    let _ = writeln!(groups, "group quorum-of-peers {quorum} {}", names.join(" "));
    let policy = text + &groups + "quorum quorum-of-peers\n";
    TlogPolicy::parse(&policy)?;
    Ok(policy)
}

fn algorithm(key: &VerifierKey) -> &'static str {
    match key.algorithm() {
        Algorithm::MlDsa44 => "ml-dsa-44",
        _ => "ed25519",
    }
}
