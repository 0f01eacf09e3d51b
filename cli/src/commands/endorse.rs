//! `assay endorse`: vouching that an issuer has a role.

use crate::{
    asking,
    config::{self, Settings},
    exit::Failure,
    publishing::{self, Draft, Publisher, Signing},
    time,
};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Timestamp;
use assay_claims::kind::endorsement::{Endorsement, MAX_DEPTH};
use assay_claims::kind::issuer::ROLES;
use assay_claims::purl::Pattern;
use clap::{Args, builder::PossibleValuesParser};

/// Vouch that an issuer has a role for some packages, until a date.
///
/// It counts for those who trust whoever signs it to say so.
#[derive(Debug, Args)]
pub struct Command {
    /// The issuer that is endorsed, in hex
    #[arg(value_parser = config::parse_issuer)]
    issuer_id: IssuerId,
    /// The role that it has
    #[arg(long, env = "ASSAY_ROLE", value_parser = PossibleValuesParser::new(ROLES))]
    role: String,
    /// For which packages: a package URL without a version (pkg:cargo/serde), or the beginning of
    /// some and a star (pkg:npm/%40angular/*); may be given several times
    #[arg(long, env = "ASSAY_SCOPE", value_name = "PATTERN", required = true, value_parser = Pattern::parse)]
    scope: Vec<Pattern>,
    /// The last day, or date and time, on which the endorsement holds
    #[arg(long, env = "ASSAY_UNTIL", value_name = "DATE", value_parser = time::last_instant)]
    until: Timestamp,
    /// The first day, or date and time [default: when it is logged]
    #[arg(long, env = "ASSAY_SINCE", value_name = "DATE", value_parser = time::first_instant)]
    since: Option<Timestamp>,
    /// How many endorsements may follow from this one in a row: 0 if the issuer may endorse nobody
    #[arg(long, env = "ASSAY_MAY_DELEGATE", value_name = "DEPTH", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_DEPTH)))]
    may_delegate: u32,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command. Unless it is a dry run, the endorsement has to have effect: it is of somebody
/// else, and has not ended.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let endorsement = Endorsement {
        issuer: command.issuer_id,
        role: command.role,
        scope: command.scope,
        may_delegate: command.may_delegate,
        valid_from: command.since,
        valid_until: command.until,
    };
    let (endorsed, until) = (endorsement.issuer, endorsement.valid_until.clone());
    let drafts = vec![Draft::of_arguments(endorsement.statement())?];
    if command.signing.dry_run {
        return publishing::publish(drafts, &command.signing, settings).await;
    }
    check_not_over(&until, asking::now_ms())?;
    let publisher = Publisher::connect(&command.signing, settings).await?;
    let signs: Vec<_> = publisher
        .signers()
        .iter()
        .map(|(issuer, _)| *issuer)
        .collect();
    check_of_another(endorsed, &signs)?;
    publisher.publish(drafts).await
}

fn check_not_over(until: &Timestamp, now_ms: u64) -> Result<(), Failure> {
    if i64::try_from(now_ms).is_ok_and(|now| until.unix_ms() < now) {
        Err(Failure::Usage(format!(
            "--until {}: that is over, so the endorsement would never hold",
            until.as_str()
        )))
    } else {
        Ok(())
    }
}

fn check_of_another(endorsed: IssuerId, signs: &[IssuerId]) -> Result<(), Failure> {
    if signs.iter().all(|issuer| *issuer == endorsed) {
        Err(Failure::Usage(format!(
            "issuer {endorsed} would vouch for itself, which counts for nobody; ask somebody else \
             to endorse it"
        )))
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_have_no_effect_is_refused() {
        let until = time::last_instant("2020-01-01").unwrap();
        let end = u64::try_from(until.unix_ms()).unwrap();
        assert!(check_not_over(&until, end).is_ok());
        assert!(matches!(
            check_not_over(&until, end + 1),
            Err(Failure::Usage(_))
        ));
        let [one, two] = [1, 2].map(|n| IssuerId::derive(1, &[[n; 32]]));
        assert!(
            check_of_another(one, &[one, two]).is_ok() && check_of_another(one, &[two]).is_ok()
        );
        assert!(matches!(
            check_of_another(one, &[one]),
            Err(Failure::Usage(_))
        ));
    }
}
