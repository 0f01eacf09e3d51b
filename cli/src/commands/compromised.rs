//! `assay issuer compromised`: giving up a key.

use crate::{
    config::{self, Settings},
    exit::Failure,
    publishing::{self, Draft, Publisher, Signing},
};
use assay_claims::claim::PublicKey;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::key_compromise::KeyCompromise;
use clap::Args;

/// Say that a key is not to be trusted from a leaf on. What it signed before keeps its standing.
#[derive(Debug, Args)]
pub struct Command {
    /// The key that is not to be trusted: an Ed25519 public key in hex
    #[arg(long, env = "ASSAY_COMPROMISED_KEY", value_name = "HEX", value_parser = PublicKey::from_hex)]
    compromised_key: PublicKey,
    /// The first leaf at which it is not to be trusted
    #[arg(long, env = "ASSAY_FROM", value_name = "LEAF")]
    from: u64,
    /// Why
    #[arg(long, env = "ASSAY_REASON", value_name = "TEXT")]
    reason: Option<String>,
    /// The issuer whose key it is, in hex [default: the one that is signed for]
    #[arg(long, env = "ASSAY_OF", value_name = "ID", value_parser = config::parse_issuer)]
    of: Option<IssuerId>,
    #[command(flatten)]
    signing: Signing,
}

/// Runs the command. Unless it is a dry run, the key has to be the issuer's, the issuer has to
/// sign, and the leaf has to be one that the log has or comes to next: else nothing would follow
/// from it.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    let issuer = command
        .of
        .map_or_else(|| command.signing.one_issuer(settings), Ok)?;
    let (key, from_index) = (command.compromised_key, command.from);
    let compromise = KeyCompromise {
        issuer,
        key,
        from_index,
        reason: command.reason,
    };
    let drafts = vec![Draft::of_arguments(compromise.statement())?];
    if command.signing.dry_run {
        return publishing::publish(drafts, &command.signing, settings).await;
    }
    let publisher = Publisher::connect(&command.signing, settings).await?;
    let signs: Vec<_> = publisher
        .signers()
        .iter()
        .map(|(issuer, _)| *issuer)
        .collect();
    let history = publisher.client.issuer(&issuer).await?;
    let keys: Vec<PublicKey> = history
        .leaves
        .iter()
        .flat_map(|leaf| leaf.record.body.keys.iter().copied())
        .collect();
    let size = publisher.client.checkpoint().await?.size().get();
    check_effect(&issuer, &signs, &key, &keys, from_index, size)?;
    publisher.publish(drafts).await
}

fn check_effect(
    issuer: &IssuerId,
    signs: &[IssuerId],
    key: &PublicKey,
    keys: &[PublicKey],
    from: u64,
    size: u64,
) -> Result<(), Failure> {
    let wrong = match () {
        () if !signs.contains(issuer) => {
            format!(
                "only issuer {issuer} itself can declare its keys compromised, and it does not \
                 sign here (--key, --issuer)"
            )
        }
        () if !keys.contains(key) => {
            format!(
                "--compromised-key {}: that was never a key of issuer {issuer}; see `assay issuer \
                 show {issuer}`",
                key.to_hex()
            )
        }
        () if from > size => {
            format!(
                "--from {from}: the log has {size} entries; name the first leaf that the key's \
                 thief may have signed"
            )
        }
        () => return Ok(()),
    };
    Err(Failure::Usage(wrong))
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::claim::SigningKey;

    #[test]
    fn what_would_have_no_effect_is_refused() {
        let [one, two] = [1, 2].map(|n| IssuerId::derive(1, &[[n; 32]]));
        let [own, other] = [1, 2].map(|n| PublicKey::from(&SigningKey::from_bytes(&[n; 32])));
        assert!(check_effect(&one, &[two, one], &own, &[own], 9, 9).is_ok());
        for (signs, key, from, said) in [
            (two, own, 9, "does not sign"),
            (one, other, 9, "never a key"),
            (one, own, 10, "has 9 entries"),
        ] {
            let error = check_effect(&one, &[signs], &key, &[own], from, 9).unwrap_err();
            assert!(
                matches!(&error, Failure::Usage(text) if text.contains(said)),
                "{error}"
            );
        }
    }
}
