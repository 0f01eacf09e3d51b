//! `assay misbehavior`: proof that a log, a witness or a mirror misbehaved.

use crate::{
    config::Settings,
    exit::Failure,
    input, output,
    policy_file::{parse, read},
    session,
};
use assay_claims::limits::MISBEHAVIOR_BYTES;
use assay_claims::misbehavior::{KnownKeys, MisbehaviorError, VerifiedMisbehavior};
use assay_client::{misbehavior, plain};
use assay_tlog::Hash;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::TlogPolicy;
use clap::Subcommand;
use serde::Serialize;
use std::{
    collections::BTreeMap,
    fmt::Display,
    path::{Path, PathBuf},
};

/// Misbehavior is proven by signed notes that cannot all be true. The keys that verify them are
/// those of your policy, or --log-key; no key in a file counts.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Verify a file of misbehavior offline
    ///
    /// The policy may be yours, or the C2SP tlog-policy of a node. Exit code 0: whom it names did
    /// it. 2: no key of the culprit is known. 4: it proves nothing.
    Verify {
        /// The file; - for stdin
        file: PathBuf,
    },
    /// Fetch what a node keeps, and verify each
    List {
        /// The node: http://HOST:PORT or https://HOST:PORT [default: --log]
        #[arg(long, value_name = "URL", env = "ASSAY_NODE")]
        node: Option<String>,
    },
    /// Hand a file to a node, which verifies it with its own keys
    Report {
        /// The file; - for stdin
        file: PathBuf,
        /// The node: http://HOST:PORT or https://HOST:PORT [default: --log]
        #[arg(long, value_name = "URL", env = "ASSAY_NODE")]
        node: Option<String>,
    },
}

#[derive(Debug, Serialize)]
struct FileView {
    /// The SHA-256 of the file.
    id: String,
    verified: bool,
    #[serde(flatten)]
    found: Option<FoundView>,
    /// Why it is not verified.
    reason: Option<String>,
}

#[derive(Debug, Serialize)]
struct FoundView {
    kind: &'static str,
    culprit: String,
    /// The log that the notes are of.
    log: String,
}

#[derive(Debug, Serialize)]
struct ListView {
    node: String,
    files: Vec<FileView>,
}

#[derive(Debug, Serialize)]
struct ReportView {
    id: String,
    new: bool,
}

/// Runs the command.
pub async fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    match command {
        Command::Verify { file } => verify(&file, settings),
        Command::List { node } => list(node, settings).await,
        Command::Report { file, node } => report(&file, node, settings).await,
    }
}

fn verify(path: &Path, settings: &Settings) -> Result<(), Failure> {
    let keys = known(settings)?;
    let file = input::read(path, MISBEHAVIOR_BYTES)?.bytes;
    let found = VerifiedMisbehavior::verify(&file, &keys).map_err(|error| {
        let words = plain(&error.to_string()).to_string();
        match error {
            MisbehaviorError::UnknownCulprit(_) => Failure::Usage(format!(
                "{words}; name a policy that has one with --policy, or the log's key with --log-key"
            )),
            _ => Failure::Failed(format!("{} proves nothing: {words}", path.display())),
        }
    })?;
    let view = FileView::of(&file, Ok(found));
    output::data(settings, || view.text(), &view)
}

async fn list(node: Option<String>, settings: &Settings) -> Result<(), Failure> {
    let keys = known(settings)?;
    let node = address(node, settings)?;
    let files = misbehavior::list(&node, &settings.tls).await?;
    let files = files.iter().map(|file| {
        let verified = VerifiedMisbehavior::verify(file, &keys);
        FileView::of(file, verified)
    });
    let view = ListView {
        node,
        files: files.collect(),
    };
    output::data(settings, || view.text(), &view)
}

async fn report(path: &Path, node: Option<String>, settings: &Settings) -> Result<(), Failure> {
    let node = address(node, settings)?;
    let file = input::read(path, MISBEHAVIOR_BYTES)?.bytes;
    let new = misbehavior::report(&node, &settings.tls, &file).await?;
    let view = ReportView {
        id: Hash::of(&file).to_hex(),
        new,
    };
    let word = if new { "new  " } else { "known" };
    output::data(settings, || format!("{word}  {}", view.id), &view)
}

fn address(node: Option<String>, settings: &Settings) -> Result<String, Failure> {
    let node = node.map_or_else(|| settings.log(), Ok)?;
    session::look_at_addresses(settings, [node.as_str()])?;
    Ok(node)
}

/// The keys of the policy, if there is one, and the log's key of the settings.
fn known(settings: &Settings) -> Result<KnownKeys, Failure> {
    let mut logs: BTreeMap<String, Vec<VerifierKey>> = BTreeMap::new();
    let mut witnesses = logs.clone();
    if !settings.has_no_policy() {
        let path = settings.policy(None);
        let text = read(&path)?;
        // The policy of a node has words where ours has tables, so that no text is both.
        let tlog = match TlogPolicy::parse(&text) {
            Ok(tlog) => Some(tlog),
            Err(_) => parse(&path, &text)?.tlog().cloned(),
        };
        for log in tlog.iter().flat_map(TlogPolicy::logs) {
            add(&mut logs, &log.key);
        }
        for witness in tlog.iter().flat_map(TlogPolicy::witnesses) {
            add(&mut witnesses, &witness.key);
        }
    }
    if settings.has_log_key() {
        add(&mut logs, &settings.log_key()?);
    }
    let mut known = KnownKeys::default();
    for (origin, keys) in logs {
        let log = LogVerifier::new(&origin, keys).map_err(|error| unusable(&origin, error))?;
        known.logs.push(log);
    }
    for (name, keys) in witnesses {
        let witness = CosignerVerifier::new(keys).map_err(|error| unusable(&name, error))?;
        known.witnesses.push(witness);
    }
    Ok(known)
}

fn add(all: &mut BTreeMap<String, Vec<VerifierKey>>, key: &VerifierKey) {
    let keys = all.entry(key.name().to_owned()).or_default();
    if !keys.contains(key) {
        keys.push(key.clone());
    }
}

fn unusable(name: &str, error: impl Display) -> Failure {
    Failure::Usage(format!("the keys of {}: {error}", plain(name)))
}

impl FileView {
    fn of(file: &[u8], verified: Result<VerifiedMisbehavior, MisbehaviorError>) -> Self {
        let reason = verified.as_ref().err().map(ToString::to_string);
        FileView {
            id: Hash::of(file).to_hex(),
            verified: verified.is_ok(),
            found: verified.ok().map(|found| FoundView {
                kind: found.kind(),
                culprit: found.culprit().to_string(),
                log: found.origin().to_owned(),
            }),
            reason,
        }
    }

    fn text(&self) -> String {
        match &self.found {
            Some(found) => format!(
                "verified    {}  {}  {}",
                self.id,
                found.kind,
                plain(&found.culprit)
            ),
            None => format!(
                "unverified  {}  {}",
                self.id,
                plain(self.reason.as_deref().unwrap_or_default())
            ),
        }
    }
}

impl ListView {
    fn text(&self) -> String {
        if self.files.is_empty() {
            return format!("{} keeps no misbehavior.", plain(&self.node));
        }
        let lines: Vec<String> = self.files.iter().map(FileView::text).collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Global;
    use assay_tlog::checkpoint::Checkpoint;
    use assay_tlog::note::SignerKey;
    use assay_tlog::tree::TreeSize;
    use std::fs;

    fn key(origin: &str) -> SignerKey {
        SignerKey::from_seed(origin, &[1; 32]).unwrap()
    }

    /// Two trees of one size.
    fn split(origin: &str) -> VerifiedMisbehavior {
        let log = LogVerifier::new(origin, vec![key(origin).verifier()]).unwrap();
        let [a, b] = [b"a", b"b"].map(|root| {
            let checkpoint = Checkpoint {
                origin: origin.into(),
                size: TreeSize::new(3),
                root: Hash::of(root),
            };
            log.verify(&checkpoint.sign(&key(origin))).unwrap()
        });
        VerifiedMisbehavior::of_log(&a, &b, None).unwrap()
    }

    #[test]
    fn a_file_is_verified_offline_with_the_keys_of_the_policy() {
        let folder = tempfile::tempdir().unwrap();
        let [config, policy, file] = ["c", "p", "f"].map(|name| folder.path().join(name));
        fs::write(&config, "").unwrap();
        let log = format!("log {}\nquorum none\n", key("log.example").verifier());
        fs::write(&policy, log).unwrap();
        let settings = Settings::load(&Global {
            config: Some(config),
            policy: Some(policy),
            quiet: true,
            ..Global::default()
        })
        .unwrap();
        let outcome = |text: &str| {
            fs::write(&file, text).unwrap();
            verify(&file, &settings)
        };
        let found = split("log.example");
        outcome(found.text()).unwrap();
        let changed = outcome(&found.text().replace("\n3\n", "\n4\n")).unwrap_err();
        assert!(matches!(changed, Failure::Failed(text) if text.contains("proves nothing")));
        let unknown = outcome(split("other.example").text()).unwrap_err();
        assert!(matches!(unknown, Failure::Usage(text) if text.contains("log other.example")));
    }
}
