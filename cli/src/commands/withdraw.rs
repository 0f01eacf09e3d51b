//! `assay withdraw`: taking back a claim.

use crate::{
    config::Settings,
    exit::Failure,
    publishing::{self, Draft, Publisher, Signing},
    session,
};
use assay_claims::claim::ClaimId;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::withdrawal::Withdrawal;
use assay_client::LeafRef;
use assay_policy::trust;
use clap::Args;

/// Take back a claim of one's own. It stays in the log, and the withdrawal beside it.
#[derive(Debug, Args)]
pub struct Command {
    /// The claim to take back, by its id (64 hex digits)
    #[arg(value_parser = session::claim)]
    claim: ClaimId,
    /// Why
    #[arg(long, env = "ASSAY_REASON", value_name = "TEXT")]
    reason: String,
    /// The claim that stands in its place, by its id
    #[arg(long, env = "ASSAY_SUPERSEDED_BY", value_name = "CLAIM", value_parser = session::claim)]
    superseded_by: Option<ClaimId>,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command. Unless it is a dry run, the claim has to be in the log, of a type that can be
/// withdrawn, and signed for an issuer that signs now: nobody else can withdraw it.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let Command {
        claim,
        reason,
        superseded_by,
        signing,
    } = command;
    let withdrawal = Withdrawal {
        target: claim,
        reason,
        superseded_by,
    };
    let drafts = vec![Draft::of_arguments(withdrawal.statement())?];
    if signing.dry_run {
        return publishing::publish(drafts, &signing, settings).await;
    }
    let publisher = Publisher::connect(&signing, settings).await?;
    let entry = publisher.client.entry(LeafRef::Claim(claim)).await?;
    let signed: Vec<_> = entry
        .claim()
        .signers()
        .iter()
        .map(|(issuer, _)| *issuer)
        .collect();
    let signs: Vec<_> = publisher
        .signers()
        .iter()
        .map(|(issuer, _)| *issuer)
        .collect();
    check_own(claim, &signed, &signs)?;
    check_not_final(claim, entry.claim().statement().predicate_type())?;
    publisher.publish(drafts).await
}

/// Makes sure that one of the issuers that the claim was signed for signs now.
fn check_own(claim: ClaimId, signed: &[IssuerId], signs: &[IssuerId]) -> Result<(), Failure> {
    if signed.iter().any(|issuer| signs.contains(issuer)) {
        Ok(())
    } else {
        Err(Failure::Usage(format!(
            "claim {claim} was signed by others: only its issuer can withdraw it. To contradict \
             it: assay respond {claim} --stance dispute --text TEXT"
        )))
    }
}

/// Makes sure that the withdrawal would have effect.
fn check_not_final(claim: ClaimId, predicate_type: &str) -> Result<(), Failure> {
    if trust::is_final(predicate_type) {
        Err(Failure::Usage(format!(
            "claim {claim} is a withdrawal, a key compromise or a record of an issuer: these are \
             final. Say what you withdrew again as a new claim, or rotate the issuer's keys \
             (assay issuer rotate)"
        )))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::kind::withdrawal;

    #[test]
    fn nobody_withdraws_what_others_signed() {
        let claim = ClaimId::from_hex(&"ab".repeat(32)).unwrap();
        let [one, two, three] = [1, 2, 3].map(|n| IssuerId::derive(1, &[[n; 32]]));
        assert!(check_own(claim, &[one, two], &[three, two]).is_ok());
        assert!(matches!(
            check_own(claim, &[one, two], &[three]),
            Err(Failure::Usage(_))
        ));
    }

    #[test]
    fn what_is_final_is_not_withdrawn() {
        let claim = ClaimId::from_hex(&"ab".repeat(32)).unwrap();
        assert!(matches!(
            check_not_final(claim, withdrawal::URI),
            Err(Failure::Usage(_))
        ));
        assert!(check_not_final(claim, "https://e.org/x").is_ok());
    }
}
