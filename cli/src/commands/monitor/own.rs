//! Whose names and keys are watched for: of the command line, and of `[monitor]` in the
//! configuration.

use crate::{config::MonitorTable, exit::Failure};
use assay_claims::claim::PublicKey;
use assay_claims::issuer::IssuerId;
use assay_claims::purl::Pattern;
use assay_client::monitor::Own;
use clap::Args;

/// Names and keys of the command line. They are added to those of the configuration.
#[derive(Debug, Clone, Default, Args)]
pub struct Names {
    /// A package of yours, as pkg:cargo/serde, or several, as pkg:npm/%40angular/*; may be repeated
    #[arg(
        long,
        value_name = "PURL",
        env = "ASSAY_MONITOR_PACKAGE",
        value_delimiter = ','
    )]
    package: Vec<String>,
    /// An issuer of yours, by id; may be repeated
    #[arg(
        long,
        value_name = "ID",
        env = "ASSAY_MONITOR_ISSUER",
        value_delimiter = ','
    )]
    issuer: Vec<String>,
    /// A public key of yours, in 64 hex digits; may be repeated. Any other key that signs for an
    /// issuer of yours is then told
    #[arg(
        long,
        value_name = "HEX",
        env = "ASSAY_MONITOR_KEY",
        value_delimiter = ','
    )]
    public_key: Vec<String>,
}

impl Names {
    /// These and those of the configuration. Fails with [`Failure::Usage`].
    pub fn join(&self, table: &MonitorTable) -> Result<Own, Failure> {
        let mut own = Own::default();
        for text in self.package.iter().chain(&table.packages) {
            let pattern = Pattern::parse(text);
            own.packages
                .push(pattern.map_err(|e| wrong("package", text, &e))?);
        }
        for text in self.issuer.iter().chain(&table.issuers) {
            let id = IssuerId::from_hex(text);
            own.issuers.insert(
                id.ok_or_else(|| wrong("issuer id", text, &"one has 64 lower-case hex digits"))?,
            );
        }
        for text in self.public_key.iter().chain(&table.public_keys) {
            let key = PublicKey::from_hex(text).map_err(|e| wrong("public key", text, &e))?;
            if !own.keys.contains(&key) {
                own.keys.push(key);
            }
        }
        if own.issuers.is_empty() && !own.keys.is_empty() {
            return Err(Failure::Usage(
                "a public key is watched for as one of your issuer's; name the issuer, too, with \
                 --issuer"
                    .into(),
            ));
        }
        Ok(own)
    }
}

fn wrong(what: &str, text: &str, why: &dyn std::fmt::Display) -> Failure {
    let text = assay_client::quoted(text);
    Failure::Usage(format!("{text} is no {what} to watch for: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_command_and_configuration_are_joined() {
        let key = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
        let names = Names {
            package: vec!["pkg:cargo/serde".into()],
            issuer: vec!["1".repeat(64)],
            public_key: vec![key.into()],
        };
        let table = MonitorTable {
            packages: vec!["pkg:npm/%40angular/*".into()],
            issuers: vec!["2".repeat(64)],
            public_keys: vec![key.into()],
            ..MonitorTable::default()
        };
        let own = names.join(&table).unwrap();
        assert_eq!(own.packages.len(), 2);
        assert_eq!((own.issuers.len(), own.keys.len()), (2, 1));
        for wrong in [
            Names {
                package: vec!["serde".into()],
                ..Names::default()
            },
            Names {
                issuer: vec!["1".into()],
                ..Names::default()
            },
            Names {
                public_key: vec!["00".repeat(32)],
                ..Names::default()
            },
            // A key without its issuer would be watched for in vain.
            Names {
                public_key: vec![key.into()],
                ..Names::default()
            },
        ] {
            let error = wrong.join(&MonitorTable::default()).unwrap_err();
            assert!(matches!(error, Failure::Usage(_)), "{error}");
        }
        assert!(
            Names::default()
                .join(&MonitorTable::default())
                .unwrap()
                .is_empty()
        );
    }
}
