//! Who holds a key that is in no file of the node: the tables `agent` and `token` below that of the
//! log, the witness, the mirror or the auditor whose key it is.

use super::{AgentConfig, TokenConfig};
use assay_tlog::note::{Algorithm, VerifierKey};
use std::{fmt, path::PathBuf};

/// Who holds a key that is in no file of the node.
#[derive(Debug, Clone)]
pub enum KeyHolder {
    /// An ssh-agent.
    Agent(AgentConfig),
    /// A PKCS#11 token.
    Token(TokenConfig),
}

impl KeyHolder {
    /// What the two tables say, of which at most one is there.
    pub(crate) fn of(agent: Option<&AgentConfig>, token: Option<&TokenConfig>) -> Option<Self> {
        let agent = agent.cloned().map(KeyHolder::Agent);
        agent.or_else(|| token.cloned().map(KeyHolder::Token))
    }

    /// The verifier key.
    pub fn vkey(&self) -> &VerifierKey {
        match self {
            KeyHolder::Agent(agent) => &agent.vkey,
            KeyHolder::Token(token) => &token.vkey,
        }
    }

    /// The name of its table.
    pub fn table(&self) -> &'static str {
        match self {
            KeyHolder::Agent(_) => "agent",
            KeyHolder::Token(_) => "token",
        }
    }
}

/// What holds the key, with an article.
impl fmt::Display for KeyHolder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            KeyHolder::Agent(_) => "an ssh-agent",
            KeyHolder::Token(_) => "a PKCS#11 token",
        })
    }
}

/// A key that may be held, as the configuration has to name it.
pub(crate) struct Held<'a> {
    /// The table that `agent` or `token` is below.
    pub table: &'static str,
    /// Where the name stands.
    pub named: &'static str,
    /// The name.
    pub name: &'a str,
    /// What the key signs.
    pub algorithm: Algorithm,
}

impl Held<'_> {
    /// Says what is wrong with the tables, if anything is.
    pub fn check(
        &self,
        agent: Option<&AgentConfig>,
        token: Option<&TokenConfig>,
    ) -> Result<(), String> {
        let table = self.table;
        if agent.is_some() && token.is_some() {
            return Err(format!(
                "[{table}.agent] and [{table}.token] each say where the key is: give one"
            ));
        }
        let Some(holder) = KeyHolder::of(agent, token) else {
            return Ok(());
        };
        let (place, vkey) = (format!("{table}.{}.vkey", holder.table()), holder.vkey());
        if vkey.algorithm() != self.algorithm {
            return Err(format!(
                "{place} is no Ed25519 key of type 0x{:02x}, which is what this part signs with: \
                 give the one that `init` printed. Agents and tokens hold Ed25519 only; ML-DSA-44 \
                 is in a file",
                self.algorithm.byte()
            ));
        }
        if vkey.name() != self.name {
            let (key, named, name) = (vkey.name(), self.named, self.name);
            return Err(format!(
                "{place} is a key of {key:?}, and {named} is {name:?}"
            ));
        }
        Ok(())
    }
}

/// Where a witness, a mirror or an auditor has its keys.
#[derive(Debug, Clone)]
pub struct CosignerKeys {
    /// The name that they sign under.
    pub name: String,
    /// The file with the Ed25519 key (type 0x04), or who holds it.
    pub ed25519: Result<PathBuf, Box<KeyHolder>>,
    /// The file with the ML-DSA-44 key (type 0x06), if there is one.
    pub ml_dsa_44: Option<PathBuf>,
}

impl CosignerKeys {
    /// The key files.
    pub fn files(&self) -> Vec<PathBuf> {
        let first = self.ed25519.iter();
        first.chain(&self.ml_dsa_44).cloned().collect()
    }

    /// Who holds the key that is in no file, if one is not.
    pub fn holder(&self) -> Option<&KeyHolder> {
        self.ed25519.as_ref().err().map(|holder| &**holder)
    }
}

/// The tables of a cosigner, which are read alike.
pub(crate) struct CosignerTables<'a> {
    /// The name in the table.
    pub name: &'a str,
    /// The file with the Ed25519 key.
    pub key: &'a PathBuf,
    /// The file with the ML-DSA-44 key.
    pub ml_dsa_44: &'a Option<PathBuf>,
    /// The ssh-agent that holds the Ed25519 key in place of the file.
    pub agent: &'a Option<AgentConfig>,
    /// The PKCS#11 token that does.
    pub token: &'a Option<TokenConfig>,
}

impl CosignerTables<'_> {
    /// Says what is wrong, if the key of this table, whose name stands at `named`, cannot be where
    /// it is said to be.
    pub fn check(&self, table: &'static str, named: &'static str) -> Result<(), String> {
        let held = Held {
            table,
            named,
            name: self.name,
            algorithm: Algorithm::CosignatureV1,
        };
        held.check(self.agent.as_ref(), self.token.as_ref())
    }

    /// Where the keys are.
    pub fn keys(&self) -> CosignerKeys {
        let holder = KeyHolder::of(self.agent.as_ref(), self.token.as_ref());
        CosignerKeys {
            name: self.name.to_owned(),
            ed25519: holder.map_or_else(|| Ok(self.key.clone()), |holder| Err(Box::new(holder))),
            ml_dsa_44: self.ml_dsa_44.clone(),
        }
    }
}

/// Gives a table of a cosigner its `keys`. The three tables have these fields each for itself: a
/// table within a table would take unknown keys, or refuse them without their line.
macro_rules! cosigner_tables {
    ($table:ty) => {
        impl $table {
            /// Where its keys are.
            pub fn keys(&self) -> $crate::config::holder::CosignerKeys {
                self.tables().keys()
            }

            fn tables(&self) -> $crate::config::holder::CosignerTables<'_> {
                $crate::config::holder::CosignerTables {
                    name: &self.name,
                    key: &self.key,
                    ml_dsa_44: &self.ml_dsa_44_key,
                    agent: &self.agent,
                    token: &self.token,
                }
            }
        }
    };
}
pub(crate) use cosigner_tables;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{AuditConfig, MirrorConfig};
    use crate::witness::config::Identity;
    use assay_tlog::note::{CosignerKey, SignerKey};

    const NAME: &str = "node.example/w";

    /// What each of the three cosigners makes of these tables.
    fn read(tables: &str) -> [Result<CosignerKeys, String>; 3] {
        let text = format!("name = {NAME:?}\nml_dsa_44_key = \"m.key\"\n{tables}");
        let witness = toml::from_str::<Identity>(&text).map_err(|e| e.to_string());
        let mirror = toml::from_str::<MirrorConfig>(&text).map_err(|e| e.to_string());
        let audit = toml::from_str::<AuditConfig>(&text).map_err(|e| e.to_string());
        [
            witness.and_then(|it| it.check().map(|()| it.keys())),
            mirror.and_then(|it| it.check().map(|()| it.keys())),
            audit.and_then(|it| it.check(true).map(|()| it.keys())),
        ]
    }

    #[test]
    fn a_cosigner_has_its_ed25519_key_in_one_place() {
        let key = |name, algorithm| {
            let key = CosignerKey::from_seed(name, algorithm, &[1; 32]).unwrap();
            key.verifier().to_string()
        };
        let own = key(NAME, Algorithm::CosignatureV1);
        let agent = format!("[agent]\nvkey = \"{own}\"\nsocket = \"s\"\n");
        let token = "[token]\nuri = \"pkcs11:token=a;object=b?module-path=/m\"\n";
        let token = format!("{token}vkey = \"{own}\"\n");
        for keys in read("") {
            let keys = keys.unwrap();
            assert_eq!(keys.files().len(), 2);
            assert!(keys.holder().is_none());
        }
        for (tables, table) in [(&agent, "agent"), (&token, "token")] {
            for keys in read(tables) {
                let keys = keys.unwrap();
                assert_eq!(keys.files(), [PathBuf::from("m.key")]);
                let holder = keys.holder().unwrap();
                assert_eq!((holder.table(), holder.vkey().name()), (table, NAME));
            }
        }
        let log = SignerKey::from_seed(NAME, &[1; 32]).unwrap().verifier();
        let changed = |vkey: &str| agent.replace(&own, vkey);
        for (tables, words) in [
            (agent.clone() + &token, "give one"),
            (
                changed(&log.to_string()),
                "agent.vkey is no Ed25519 key of type 0x04",
            ),
            (
                changed(&key(NAME, Algorithm::MlDsa44)),
                "ML-DSA-44 is in a file",
            ),
            (
                changed(&key("other.example/w", Algorithm::CosignatureV1)),
                "is a key of \"other.example/w\"",
            ),
        ] {
            for refused in read(&tables) {
                let refused = refused.unwrap_err();
                assert!(refused.contains(words), "{refused}");
            }
        }
    }
}
