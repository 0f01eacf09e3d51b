//! One claim at several leaves, in one log or in several: whose signatures are on it, and what it
//! is worth for each.

use super::history::{History, Signed, Weight};
use super::spot::{Spot, Spots};
use super::standing::{Silenced, Spoken, Standing, is_final_by_its_leaf};
use assay_claims::claim::VerifiedClaim;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use assay_claims::logged::LoggedClaim;
use std::collections::BTreeMap;

/// The history of every issuer that has records among the claims.
pub(super) fn histories<'a>(
    given: &[&'a LoggedClaim],
    silenced: &Silenced,
) -> BTreeMap<IssuerId, History<'a>> {
    let mut of_issuers: BTreeMap<IssuerId, Vec<&'a LoggedClaim>> = BTreeMap::new();
    for logged in given {
        if silenced.claims.contains_key(&logged.claim().id()) {
            continue;
        }
        if let Some(issuer) = whose_keys(logged.claim()) {
            of_issuers.entry(issuer).or_default().push(logged);
        }
    }
    let mut histories = BTreeMap::new();
    for (issuer, claims) in of_issuers {
        histories.insert(issuer, History::of(&issuer, claims));
    }
    histories
}

/// The issuer whose keys a claim is about: that of a record, or of a key compromise.
fn whose_keys(claim: &VerifiedClaim) -> Option<IssuerId> {
    match claim.body() {
        Body::KeyCompromise(said) => Some(said.issuer),
        Body::Issuer(_) => {
            let subject = claim.statement().subjects().first()?;
            IssuerId::from_hex(subject.digest("sha256")?)
        }
        _ => None,
    }
}

/// What a claim is worth for each issuer that signed it, given all the leaves that it stands at.
pub(super) fn unite<'a>(
    leaves: &[&'a LoggedClaim],
    histories: &BTreeMap<IssuerId, History<'a>>,
    silenced: &Silenced,
) -> Vec<Spoken> {
    let spots = leaves.iter().map(|logged| Spot::of(logged));
    let (Some(first), Some(logged)) = (spots.min(), leaves.first()) else {
        return Vec::new();
    };
    let claim = logged.claim();
    let unknown = History::default();
    let mut spoken = Vec::new();
    for (issuer, signed) in signatures(leaves) {
        let history = histories.get(&issuer).unwrap_or(&unknown);
        let weight = match admitted(claim, histories) {
            Some(standing) => Weight {
                against: standing.is_good(),
                standing,
                since: first,
            },
            None => history.weigh(&issuer, &signed, first),
        };
        let mut one = Spoken {
            issuer,
            standing: weight.standing,
            against: weight.against,
            since: weight.since.place(),
            since_ms: weight.since.at_ms,
        };
        let reason = silenced.claims.get(&claim.id());
        if let Some(reason) = reason.or(silenced.issuers.get(&issuer)) {
            one.standing = Standing::Ignored {
                reason: reason.clone(),
            };
            one.against = false;
        }
        spoken.push(one);
    }
    spoken
}

/// The signatures on a claim, by the issuer that they are for, each with all its leaves.
fn signatures<'a>(leaves: &[&'a LoggedClaim]) -> Vec<(IssuerId, Vec<Signed<'a>>)> {
    let mut signatures: Vec<(IssuerId, Vec<Signed<'a>>)> = Vec::new();
    for logged in leaves {
        let spot = Spot::of(logged);
        for (issuer, key) in logged.claim().signers() {
            let signature = Signed {
                key: *key,
                spots: Spots::one(spot),
            };
            let known = signatures.iter_mut().find(|(known, _)| known == issuer);
            let Some((_, signed)) = known else {
                signatures.push((*issuer, vec![signature]));
                continue;
            };
            match signed.iter_mut().find(|signed| signed.key == *key) {
                Some(signed) => signed.spots.add(spot),
                None => signed.push(signature),
            }
        }
    }
    signatures
}

/// What became of a record or of a key compromise; `None` for any other claim.
fn admitted(
    claim: &VerifiedClaim,
    histories: &BTreeMap<IssuerId, History<'_>>,
) -> Option<Standing> {
    if !is_final_by_its_leaf(claim.body().kind()) {
        return None;
    }
    let history = whose_keys(claim).and_then(|issuer| histories.get(&issuer));
    let admitted = history.and_then(|history| history.admitted.get(&claim.id()));
    Some(admitted.cloned().unwrap_or(Standing::NotTheIssuer))
}
