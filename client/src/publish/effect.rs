//! Whether a claim would have an effect if it were logged, asked before it is signed. A log admits
//! withdrawals, endorsements and key compromises that nobody would heed, and forgets none of them.

use super::Draft;
use crate::{Client, ClientError, LeafRef};
use assay_claims::claim::{ClaimId, PublicKey, VerifiedClaim};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Body;
use assay_claims::kind::endorsement::Endorsement;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_policy::trust;
use assay_tlog::tree::TreeSize;

/// Why nobody would heed a claim.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoEffect {
    /// A withdrawal of a claim that none of the signing issuers signed.
    #[error("claim {0} was signed by others; only its issuer can withdraw it")]
    NotOwn(ClaimId),
    /// A withdrawal of a claim that cannot be withdrawn (docs/design.md 3.4).
    #[error(
        "claim {0} is a withdrawal, a key compromise or a record of an issuer; these are final"
    )]
    Final(ClaimId),
    /// An endorsement that only its own subject signs.
    #[error("issuer {0} would endorse itself, which nobody heeds")]
    OfItself(IssuerId),
    /// An endorsement that has ended: when, as it was written.
    #[error("the endorsement ended at {0}, so it would never hold")]
    Over(String),
    /// A key compromise that its issuer does not sign.
    #[error("only issuer {0} itself can declare its keys compromised, and it does not sign here")]
    NotSigning(IssuerId),
    /// A key compromise of a key that is in none of the issuer's records.
    #[error("{} was never a key of issuer {issuer}", key.to_hex())]
    NeverItsKey {
        /// The issuer.
        issuer: IssuerId,
        /// The key.
        key: Box<PublicKey>,
    },
    /// A key compromise from a leaf on that the log will not come to next.
    #[error("the compromise begins at leaf {from}, but the log has {size} entries")]
    BeyondLog {
        /// The leaf.
        from: u64,
        /// The log's size.
        size: TreeSize,
    },
}

/// Why [`Client::check_effect`] does not pass.
#[derive(Debug, thiserror::Error)]
pub enum EffectError {
    /// The claim would have no effect.
    #[error(transparent)]
    NoEffect(#[from] NoEffect),
    /// The log could not be asked, or does not have the claim that the draft is about.
    #[error(transparent)]
    Client(#[from] ClientError),
}

impl Draft {
    /// Checks what needs no log: that an endorsement is not over at `now_ms`, in milliseconds since
    /// 1970. [`Client::check_effect`] checks it, too.
    pub fn check_not_over(&self, now_ms: u64) -> Result<(), NoEffect> {
        match self.body() {
            Body::Endorsement(said) => check_not_over(said, now_ms),
            _ => Ok(()),
        }
    }
}

impl Client {
    /// Checks that a draft would have an effect in this log if these issuers signed it at `now_ms`,
    /// in milliseconds since 1970. Of kinds that need nothing more than to be logged, it does.
    ///
    /// What the log holds is asked of the node. The claim that a withdrawal or a response is about
    /// must be in it: nobody would find a reply to anything else.
    pub async fn check_effect(
        &self,
        draft: &Draft,
        signers: &[IssuerId],
        now_ms: u64,
    ) -> Result<(), EffectError> {
        match draft.body() {
            Body::Endorsement(said) => check_endorsement(said, signers, now_ms)?,
            Body::Response(said) => {
                self.entry(LeafRef::Claim(said.target)).await?;
            }
            Body::Withdrawal(said) => {
                let target = self.entry(LeafRef::Claim(said.target)).await?;
                check_withdrawal(target.claim(), signers)?;
            }
            Body::KeyCompromise(said) => {
                let history = self.issuer(&said.issuer).await?;
                let records = history.leaves.iter().map(|leaf| leaf.record.all_keys());
                let keys: Vec<PublicKey> = records.flatten().copied().collect();
                let checkpoint = self.checkpoint().await?;
                let own = checkpoint.origin() == said.origin;
                check_compromise(said, signers, &keys, own.then(|| checkpoint.size()))?;
            }
            _ => {}
        }
        Ok(())
    }
}

fn check_withdrawal(target: &VerifiedClaim, signers: &[IssuerId]) -> Result<(), NoEffect> {
    let mut signed = target.signers().iter().map(|(issuer, _)| issuer);
    if !signed.any(|issuer| signers.contains(issuer)) {
        return Err(NoEffect::NotOwn(target.id()));
    }
    if trust::is_final(target.body().kind()) {
        return Err(NoEffect::Final(target.id()));
    }
    Ok(())
}

fn check_not_over(said: &Endorsement, now: u64) -> Result<(), NoEffect> {
    if i64::try_from(now).is_ok_and(|now| said.valid_until.unix_ms() < now) {
        return Err(NoEffect::Over(said.valid_until.as_str().to_owned()));
    }
    Ok(())
}

fn check_endorsement(said: &Endorsement, signers: &[IssuerId], now: u64) -> Result<(), NoEffect> {
    check_not_over(said, now)?;
    if signers.iter().all(|issuer| *issuer == said.issuer) {
        return Err(NoEffect::OfItself(said.issuer));
    }
    Ok(())
}

/// `keys` are all that the issuer ever had, and `size` is that of the log that the compromise
/// names, where it is known.
fn check_compromise(
    said: &KeyCompromise,
    signers: &[IssuerId],
    keys: &[PublicKey],
    size: Option<TreeSize>,
) -> Result<(), NoEffect> {
    let (issuer, key, from) = (said.issuer, said.key, said.from_index);
    if !signers.contains(&issuer) {
        return Err(NoEffect::NotSigning(issuer));
    }
    if !keys.contains(&key) {
        let key = Box::new(key);
        return Err(NoEffect::NeverItsKey { issuer, key });
    }
    if let Some(size) = size.filter(|size| from > size.get()) {
        return Err(NoEffect::BeyondLog { from, size });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::claim::{self, SigningKey};
    use assay_claims::kind::Timestamp;
    use assay_claims::kind::response::Response;
    use assay_claims::kind::withdrawal::Withdrawal;
    use assay_claims::statement::{Statement, StatementError};

    fn issuers() -> [IssuerId; 3] {
        [1, 2, 3].map(|n| IssuerId::derive(1, &[[n; 32]]))
    }

    fn claim(statement: Result<Statement, StatementError>, signers: &[IssuerId]) -> VerifiedClaim {
        let key = SigningKey::from_bytes(&[9; 32]);
        let signers: Vec<_> = signers.iter().map(|issuer| (*issuer, &key)).collect();
        let payload = statement.unwrap().to_json();
        claim::verify(&claim::sign(payload.as_bytes(), &signers), &()).unwrap()
    }

    fn other() -> ClaimId {
        ClaimId::from_hex(&"ab".repeat(32)).unwrap()
    }

    #[test]
    fn only_what_one_signed_oneself_and_what_is_not_final_is_withdrawn() {
        let [one, two, three] = issuers();
        let response = Response {
            target: other(),
            stance: "dispute".into(),
            text: "x".into(),
        };
        let target = claim(response.statement(), &[one, two]);
        assert_eq!(check_withdrawal(&target, &[three, two]), Ok(()));
        let not_own = Err(NoEffect::NotOwn(target.id()));
        assert_eq!(check_withdrawal(&target, &[three]), not_own);

        let withdrawal = Withdrawal {
            target: other(),
            reason: "x".into(),
            superseded_by: None,
        };
        let target = claim(withdrawal.statement(), &[one]);
        let is_final = Err(NoEffect::Final(target.id()));
        assert_eq!(check_withdrawal(&target, &[one]), is_final);
    }

    #[test]
    fn an_endorsement_is_of_another_and_has_not_ended() {
        let [one, two, _] = issuers();
        let valid_until = Timestamp::parse("2020-01-01T23:59:59Z").unwrap();
        let end = u64::try_from(valid_until.unix_ms()).unwrap();
        let said = Endorsement {
            issuer: one,
            role: "auditor".into(),
            scope: vec![],
            may_delegate: 0,
            valid_from: None,
            valid_until,
        };
        assert_eq!(check_endorsement(&said, &[two], end), Ok(()));
        assert_eq!(check_endorsement(&said, &[one, two], end), Ok(()));
        let of_itself = Err(NoEffect::OfItself(one));
        assert_eq!(check_endorsement(&said, &[one], end), of_itself);
        let over = Err(NoEffect::Over("2020-01-01T23:59:59Z".into()));
        assert_eq!(check_endorsement(&said, &[two], end + 1), over);
    }

    #[test]
    fn a_compromise_is_of_ones_own_key_and_of_leaves_that_the_log_has() {
        let [issuer, two, _] = issuers();
        let [key, other] = [1, 2].map(|n| PublicKey::from(&SigningKey::from_bytes(&[n; 32])));
        let size = TreeSize::new(9);
        let said = |from_index| KeyCompromise {
            issuer,
            key,
            origin: "log.example".into(),
            from_index,
            from_time: Timestamp::parse("2026-11-22T18:41:48Z").unwrap(),
            reason: None,
        };
        let check = |from, signers: &[IssuerId], keys: &[PublicKey]| {
            check_compromise(&said(from), signers, keys, Some(size))
        };
        assert_eq!(check(9, &[two, issuer], &[other, key]), Ok(()));
        assert_eq!(check(9, &[two], &[key]), Err(NoEffect::NotSigning(issuer)));
        let never = NoEffect::NeverItsKey {
            issuer,
            key: Box::new(key),
        };
        assert_eq!(check(9, &[issuer], &[other]), Err(never));
        let beyond = NoEffect::BeyondLog { from: 10, size };
        assert_eq!(check(10, &[issuer], &[key]), Err(beyond));
        // Of another log, this one does not know.
        let other = check_compromise(&said(10), &[issuer], &[key], None);
        assert_eq!(other, Ok(()));
    }
}
