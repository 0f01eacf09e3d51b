//! What was found out of an attestation by whoever verified it, and what a claim says of that.

use super::named::Mismatch;
use assay_claims::json::{Value, object};
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use assay_tlog::Hash;

/// Who signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Signer {
    /// Who a certificate of Sigstore is of.
    Certificate {
        /// The one name of the certificate: a URI or a mail address.
        identity: String,
        /// Who vouched for that name: the URL of an OpenID provider.
        issuer: String,
        /// The repository that was built, if the certificate says it.
        repository: Option<String>,
        /// The instructions that were followed, if the certificate says it.
        workflow: Option<String>,
    },
    /// Who has a key that the verifier was given.
    Key {
        /// SHA-256 of the key as SubjectPublicKeyInfo.
        sha256: Hash,
        /// What the attestation calls the key.
        name: String,
    },
}

/// The entry of a transparency log of Sigstore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The log's address, as the trusted root has it.
    pub log: String,
    /// Its place in the log.
    pub index: u64,
    /// When the log took it, in RFC 3339, if the log says so.
    pub time: Option<String>,
}

/// What a verifier found: the signature fits, and everything below was verified with the trusted
/// root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// Who signed.
    pub signer: Signer,
    /// Which Sigstore it was: `production`, `staging`, or the address of another's log.
    pub instance: String,
    /// SHA-256 of the trusted root.
    pub trusted_root: Hash,
    /// Where it was logged.
    pub entry: LogEntry,
    /// When it was signed at the latest, by signed timestamps and the log, in RFC 3339.
    pub times: Vec<String>,
}

impl Evidence {
    /// What a claim says of it, beside what was signed: `statement` is the SHA-256 of the
    /// statement's bytes.
    pub(super) fn to_value(&self, statement: Option<&Hash>) -> Value {
        let (mut identity, mut issuer, mut repository) = (None, None, None);
        let (mut key, mut key_name) = (None, None);
        match &self.signer {
            Signer::Certificate {
                identity: of,
                issuer: by,
                repository: from,
                ..
            } => {
                identity = Some(of.as_str().into());
                issuer = Some(by.as_str().into());
                repository = from.as_deref().map(Into::into);
            }
            Signer::Key { sha256, name } => {
                key = Some(sha256.to_hex().into());
                key_name = Some(name.as_str().into());
            }
        }
        let times = self.times.iter().map(|time| time.as_str().into()).collect();
        object([
            ("identity", identity),
            ("issuer", issuer),
            ("repository", repository),
            ("key", key),
            ("keyName", key_name),
            ("instance", Some(self.instance.as_str().into())),
            ("trustedRoot", Some(self.trusted_root.to_hex().into())),
            (
                "entry",
                Some(object([
                    ("log", Some(self.entry.log.as_str().into())),
                    ("index", Some(self.entry.index.into())),
                    ("time", self.entry.time.as_deref().map(Into::into)),
                ])),
            ),
            ("times", Some(Value::Array(times))),
            ("statement", statement.map(|hash| hash.to_hex().into())),
        ])
    }

    /// The same for people.
    pub(super) fn summary(&self) -> Vec<(String, String)> {
        let mut lines = Vec::new();
        let mut add = |label: &str, value: String| lines.push((label.to_owned(), value));
        match &self.signer {
            Signer::Certificate {
                identity, issuer, ..
            } => {
                add("signed by", identity.clone());
                add("vouched for by", issuer.clone());
            }
            Signer::Key { name, .. } => add("signed with the key", name.clone()),
        }
        add("instance", self.instance.clone());
        let entry = &self.entry;
        let time = entry.time.as_ref().or(self.times.first());
        let time = time.map_or(String::new(), |time| format!(", {time}"));
        add(
            "logged",
            format!("entry {} of {}{time}", entry.index, entry.log),
        );
        lines
    }
}

/// Whom PyPI says it took a file from.
pub(super) struct Publisher {
    kind: String,
    /// The repository, or the mail address.
    who: String,
    workflow: Option<String>,
}

impl Publisher {
    pub(super) fn read(node: &Node<'_, '_>) -> Result<Self, PredicateError> {
        let kind = node.need("kind")?.text()?;
        let (who, workflow) = match kind {
            "GitHub" => ("repository", Some("workflow")),
            "GitLab" => ("repository", Some("workflow_filepath")),
            "Google" => ("email", None),
            _ => {
                let reason = "is a publisher that is not known here: GitHub, GitLab and Google are";
                return Err(node.need("kind")?.fault(reason));
            }
        };
        let workflow = match workflow {
            Some(key) => Some(node.need(key)?.text()?.to_owned()),
            None => None,
        };
        Ok(Publisher {
            kind: kind.to_owned(),
            who: node.need(who)?.text()?.to_owned(),
            workflow,
        })
    }

    /// Fails if somebody else signed.
    pub(super) fn check(&self, signer: &Signer) -> Result<(), Mismatch> {
        let Signer::Certificate {
            identity,
            issuer,
            repository,
            workflow,
        } = signer
        else {
            return Err(Mismatch::Signer(self.who.clone()));
        };
        let (host, from, folder) = match self.kind.as_str() {
            "GitHub" => (
                "https://github.com/",
                "https://token.actions.githubusercontent.com",
                "/.github/workflows/",
            ),
            "GitLab" => ("https://gitlab.com/", "https://gitlab.com", "//"),
            _ => ("", "https://accounts.google.com", ""),
        };
        let home = format!("{host}{}", self.who);
        let is_same = match &self.workflow {
            None => *identity == home,
            Some(file) => {
                // The workflow that was begun with: one that it calls is the certificate's name.
                let begun = workflow.as_deref().unwrap_or(identity);
                let wanted = format!("{home}{folder}{file}@");
                let source = repository.as_deref();
                begun.starts_with(&wanted) && source.is_none_or(|source| source == home)
            }
        };
        if is_same && issuer == from {
            return Ok(());
        }
        Err(Mismatch::Signer(home))
    }
}
