//! Whom to ask whether a claim was withdrawn: who signed it, and nobody else. The withdrawal of
//! another counts for nothing (docs/design.md 7).

use super::gather::distinct;
use assay_claims::index::{By, Kind, Name};
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;
use std::collections::{BTreeMap, BTreeSet};

/// Most labels of questions that are put together, for fewer ways to the node and back. Each costs
/// a node some microseconds if it is there.
const TOGETHER: usize = 4096;

/// What these said about these names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asking {
    pub names: Vec<Name>,
    pub by: Vec<By>,
}

impl Asking {
    /// How many labels that are.
    fn labels(&self) -> usize {
        self.names.len().saturating_mul(self.by.len())
    }

    fn and(&self, other: &Asking) -> Self {
        Asking {
            names: distinct([&self.names[..], &other.names].concat()),
            by: distinct([&self.by[..], &other.by].concat()),
        }
    }
}

/// The questions that ask of each claim whether those of `issuers` who signed it withdrew it. The
/// claims of those who signed few are asked about together.
pub(super) fn questions(claims: &[LoggedClaim], issuers: &[IssuerId]) -> Vec<Asking> {
    let issuers: BTreeSet<&IssuerId> = issuers.iter().collect();
    let mut signed: BTreeMap<Vec<By>, Vec<Name>> = BTreeMap::new();
    for logged in claims {
        let signers = logged.claim().signers().iter().map(|(signer, _)| signer);
        let by = distinct(signers.filter(|one| issuers.contains(one)).map(By::issuer));
        let name = Name::new(Kind::Claim, &logged.claim().id().to_hex());
        signed.entry(by).or_default().push(name);
    }
    let mut questions: Vec<Asking> = Vec::new();
    for (by, names) in signed {
        let names = distinct(names);
        let next = Asking { names, by };
        let together = questions.last().map(|last| last.and(&next));
        match (questions.last_mut(), together) {
            (Some(last), Some(together)) if together.labels() <= TOGETHER => *last = together,
            _ => questions.push(next),
        }
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_policy::testing::{Party, World, endorsement};

    /// A world in which each of so many vouches so often for another.
    fn vouching(parties: u8, times: usize) -> (World, Vec<IssuerId>) {
        let mut world = World::new();
        let parties: Vec<Party> = (1..=parties)
            .map(|seed| world.register("p", &[seed], 1))
            .collect();
        world.claims.clear();
        for party in &parties {
            for n in 0..times {
                let scope = format!("pkg:cargo/x{}-{n}", party.seeds[0]);
                let said = endorsement(&parties[0], "auditor", &[&scope], 0);
                world.endorse(party, &said);
            }
        }
        let issuers = parties.iter().map(|party| party.id).collect();
        (world, issuers)
    }

    /// Before, every issuer of a step was asked about the endorsements of all.
    #[test]
    fn withdrawals_are_asked_of_those_who_signed() {
        for (parties, times, questions_at_most) in [(1, 1024, 1), (200, 1, 4), (50, 40, 5)] {
            let (world, issuers) = vouching(parties, times);
            let asked = questions(&world.claims, &issuers);
            let labels: usize = asked.iter().map(Asking::labels).sum();
            let claims = world.claims.len();
            let before = claims * issuers.len();
            println!(
                "{parties} issuers, {claims} claims: {before} labels before, {labels} in {} \
                 questions",
                asked.len()
            );
            assert!(asked.len() <= questions_at_most, "{}", asked.len());
            assert!(labels <= before.min(TOGETHER * asked.len()));
            for logged in &world.claims {
                let name = Name::new(Kind::Claim, &logged.claim().id().to_hex());
                let by = By::issuer(&logged.claim().signers()[0].0);
                let mut asked = asked.iter();
                assert!(asked.any(|one| one.names.contains(&name) && one.by.contains(&by)));
            }
        }
    }
}
