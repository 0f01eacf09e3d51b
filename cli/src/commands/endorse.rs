//! `assay endorse`: vouching that an issuer has a role.

use crate::{
    config::{self, Settings},
    exit::Failure,
    publishing::{self, Signing},
    time,
};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::Timestamp;
use assay_claims::kind::endorsement::{Endorsement, MAX_DEPTH};
use assay_claims::kind::issuer::ROLES;
use assay_claims::purl::Pattern;
use clap::{Args, builder::PossibleValuesParser};

/// Endorse an issuer for a role, for some packages and until a date.
///
/// It counts for those who trust the signer to endorse others for that role.
#[derive(Debug, Args)]
pub struct Command {
    /// The issuer to endorse, in hex
    #[arg(value_parser = config::parse_issuer)]
    issuer_id: IssuerId,
    /// The role that it has
    #[arg(long, env = "ASSAY_ROLE", value_parser = PossibleValuesParser::new(ROLES))]
    role: String,
    /// For which packages: a package URL without version (pkg:cargo/serde), or the beginning of one
    /// and a star (pkg:npm/%40angular/*); may be given several times
    #[arg(long, env = "ASSAY_SCOPE", value_name = "PATTERN", required = true,
          value_parser = Pattern::parse)]
    scope: Vec<Pattern>,
    /// The last day, or date and time, on which the endorsement holds
    #[arg(long, env = "ASSAY_UNTIL", value_name = "DATE", value_parser = time::last_instant)]
    until: Timestamp,
    /// The first day, or date and time [default: when it is logged]
    #[arg(long, env = "ASSAY_SINCE", value_name = "DATE", value_parser = time::first_instant)]
    since: Option<Timestamp>,
    /// How many endorsements may follow from this one in a row; 0 if the issuer may endorse nobody
    #[arg(long, env = "ASSAY_MAY_DELEGATE", value_name = "DEPTH", default_value_t = 0,
          value_parser = clap::value_parser!(u32).range(..=i64::from(MAX_DEPTH)))]
    may_delegate: u32,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command. Except in a dry run, the endorsement must be of another issuer than the
/// signer, and not be over.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let endorsement = Endorsement {
        issuer: command.issuer_id,
        role: command.role,
        scope: command.scope,
        may_delegate: command.may_delegate,
        valid_from: command.since,
        valid_until: command.until,
    };
    publishing::publish_arguments(endorsement.statement(), &command.signing, settings).await
}
