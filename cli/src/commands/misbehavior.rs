//! `assay misbehavior`: proof that a log, a witness, a mirror or an auditor misbehaved.

use crate::{
    config::Settings,
    exit::Failure,
    input, output,
    policy_file::{parse, read},
    session,
};
use assay_claims::limits::MISBEHAVIOR_BYTES;
use assay_claims::misbehavior::breach::BreachError;
use assay_claims::misbehavior::{MisbehaviorError, Shown, VerifiedText};
use assay_client::misbehavior::{self, Keys};
use assay_client::{plain, remembered};
use assay_tlog::Hash;
use assay_tlog::tlog_policy::TlogPolicy;
use clap::{Subcommand, builder::FalseyValueParser};
use serde::Serialize;
use std::path::{Path, PathBuf};

/// Misbehavior is proven by signed notes that cannot all be true, which convict for good; or by
/// entries and proofs of the index, under a signed note, that break a rule of Assay logs. Such a
/// breach is shown with the version that judged it, and convicts nobody for good. The keys that
/// verify the notes are those of your policy, or --log-key; no key in a file counts. The logs of
/// your policy are held to the rules of Assay, and its witnesses named .../audit to have audited
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Verify a file of misbehavior offline
    ///
    /// The policy may be yours, or the C2SP tlog-policy of a node. Exit code 0: whom it names did
    /// it. 2: no key of the culprit is known, or it is about a log that the policy does not name.
    /// 4: it proves nothing, or this version cannot judge it.
    Verify {
        /// The file; - for stdin
        file: PathBuf,
    },
    /// Fetch what a node keeps, and verify each
    List {
        /// The node: http://HOST:PORT or https://HOST:PORT [default: --log]
        #[arg(long, value_name = "URL", env = "ASSAY_NODE")]
        node: Option<String>,
        /// Ask nobody, and list what this machine remembers: by it, logs are refused and witnesses
        /// do not count
        #[arg(long, env = "ASSAY_HERE", value_parser = FalseyValueParser::new())]
        here: bool,
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
    /// Whether the culprit is convicted for good.
    convicts: bool,
    /// What is shown, in words.
    shows: String,
    /// Of a breach: the leaf.
    #[serde(skip_serializing_if = "Option::is_none")]
    leaf_index: Option<u64>,
    /// Of a breach: which version judged.
    #[serde(skip_serializing_if = "Option::is_none")]
    verifier: Option<&'static str>,
}

#[derive(Debug, Serialize)]
struct ListView {
    /// Who keeps the files; nothing if it is this machine.
    node: Option<String>,
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
        Command::List { here: true, .. } => list_here(settings),
        Command::List { node, .. } => list(node, settings).await,
        Command::Report { file, node } => report(&file, node, settings).await,
    }
}

fn verify(path: &Path, settings: &Settings) -> Result<(), Failure> {
    let keys = known(settings)?;
    let file = input::read(path, MISBEHAVIOR_BYTES)?.bytes;
    let found = keys.verify(&file).map_err(|error| {
        let words = plain(&with_cause(&error)).to_string();
        match error {
            BreachError::Text(MisbehaviorError::UnknownCulprit(_))
            | BreachError::NotAssay { .. } => Failure::Usage(format!(
                "{words}; name a policy that has one with --policy, or the log's key with --log-key"
            )),
            error if error.is_unsupported() => {
                Failure::Failed(format!("{}: {words}; a newer release may", path.display()))
            }
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
    let view = ListView::new(Some(node), &files, &keys);
    output::data(settings, || view.text(), &view)
}

fn list_here(settings: &Settings) -> Result<(), Failure> {
    let keys = known(settings)?;
    let view = ListView::new(None, &remembered(&settings.state_dir)?, &keys);
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
fn known(settings: &Settings) -> Result<Keys, Failure> {
    let mut tlog = None;
    if !settings.has_no_policy() {
        let path = settings.policy(None);
        let text = read(&path)?;
        // The policy of a node has words where ours has tables, so that no text is both.
        tlog = match TlogPolicy::parse(&text) {
            Ok(tlog) => Some(tlog),
            Err(_) => parse(&path, &text)?.tlog().cloned(),
        };
    }
    let mut own = None;
    if settings.has_log_key() {
        own = Some(settings.log_key()?);
    }
    let logs = tlog.iter().flat_map(TlogPolicy::logs).map(|log| &log.key);
    let witnesses = tlog.iter().flat_map(TlogPolicy::witnesses);
    let keys = Keys::new(logs.chain(&own), witnesses.map(|witness| &witness.key));
    Ok(keys?)
}

fn with_cause(error: &BreachError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

impl FoundView {
    fn of(found: &VerifiedText) -> Self {
        let view = FoundView {
            kind: found.kind(),
            culprit: found.culprit().to_string(),
            log: found.origin().to_owned(),
            convicts: false,
            shows: String::new(),
            leaf_index: None,
            verifier: None,
        };
        match found {
            VerifiedText::Misbehavior(found) => FoundView {
                convicts: true,
                shows: contradiction(found.shown()).to_owned(),
                ..view
            },
            VerifiedText::Breach(found) => FoundView {
                shows: found.broken().to_string(),
                leaf_index: Some(found.broken().leaf().get()),
                verifier: Some(found.verifier()),
                ..view
            },
        }
    }

    /// What is shown, and what it means for the culprit.
    fn words(&self) -> String {
        let shows = plain(&self.shows);
        match self.verifier {
            None => format!("{shows}: convicted for good"),
            Some(verifier) => format!(
                "{shows}: a breach of the rules of logs as {verifier} knows them, which convicts \
                 nobody for good"
            ),
        }
    }
}

fn contradiction(shown: Shown) -> &'static str {
    match shown {
        Shown::Split => "two trees of one size are signed",
        Shown::Rewrite => "a larger tree is signed that does not begin with the smaller one",
        Shown::RollBack => "a smaller tree is signed at a later time",
    }
}

impl FileView {
    fn of(file: &[u8], verified: Result<VerifiedText, BreachError>) -> Self {
        let reason = verified.as_ref().err().map(with_cause);
        FileView {
            id: Hash::of(file).to_hex(),
            verified: verified.is_ok(),
            found: verified.ok().as_ref().map(FoundView::of),
            reason,
        }
    }

    fn text(&self) -> String {
        match &self.found {
            Some(found) => format!(
                "verified    {}  {}  {}\n            {}",
                self.id,
                found.kind,
                plain(&found.culprit),
                found.words()
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
    fn new(node: Option<String>, files: &[Vec<u8>], keys: &Keys) -> Self {
        let files = files.iter();
        let files = files.map(|file| FileView::of(file, keys.verify(file)));
        ListView {
            node,
            files: files.collect(),
        }
    }

    fn text(&self) -> String {
        if self.files.is_empty() {
            let who = self.node.as_deref().unwrap_or("This machine");
            return format!("{} keeps no misbehavior.", plain(who));
        }
        let lines: Vec<String> = self.files.iter().map(FileView::text).collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::options::Global;
    use assay_claims::claim::{self, SigningKey};
    use assay_claims::entry;
    use assay_claims::index::Commitment;
    use assay_claims::issuer::IssuerId;
    use assay_claims::misbehavior::breach::{Accuser, EntryReader};
    use assay_claims::misbehavior::{VerifiedBreach, VerifiedMisbehavior};
    use assay_tlog::checkpoint::Checkpoint;
    use assay_tlog::head::LogVerifier;
    use assay_tlog::note::SignerKey;
    use assay_tlog::tree::{Frontier, LeafIndex, Tile, TileIndex, TileReader, TreeSize};
    use bytes::Bytes;
    use std::{convert::Infallible, fs, sync::Arc};

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

    /// A log of one tile.
    struct OneTile(Arc<Tile>);

    struct Entries([Bytes; 3]);

    impl EntryReader for Entries {
        type Error = Infallible;

        fn entry(&self, leaf: LeafIndex) -> Result<Bytes, Infallible> {
            Ok(self.0[leaf.get() as usize].clone())
        }
    }

    impl TileReader for OneTile {
        type Error = Infallible;

        fn tiles(&self, _: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
            Ok(vec![self.0.clone()])
        }
    }

    /// A claim with a wrong signature, between two commitments.
    fn wrong_signature(origin: &str) -> VerifiedBreach {
        let signing = SigningKey::from_bytes(&[5; 32]);
        let issuer = IssuerId::derive(1, &[signing.verifying_key().to_bytes()]);
        let mut claim = claim::sign(b"{}", &[(issuer, &signing)]);
        claim.signatures[0].signature = vec![1; 64].into();
        let commitment = || entry::encode(1, Commitment::empty().to_wire()).unwrap();
        let entries = [commitment(), entry::encode(1, claim).unwrap(), commitment()];
        let hashes: Vec<Hash> = entries
            .iter()
            .map(|e| assay_tlog::hash::leaf_hash(e))
            .collect();
        let mut tree = Frontier::new();
        tree.append(&hashes);
        let checkpoint = Checkpoint {
            origin: origin.into(),
            size: tree.size(),
            root: tree.root(),
        };
        let log = LogVerifier::new(origin, vec![key(origin).verifier()]).unwrap();
        let head = log.verify(&checkpoint.sign(&key(origin))).unwrap();
        let tile = OneTile(Arc::new(Tile::from_hashes(hashes).unwrap()));
        let entries = Entries(entries);
        let accuser = Accuser::of_log(&head, &tile, &entries);
        accuser.at_leaf(LeafIndex::new(1)).unwrap().unwrap()
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
        let breach = wrong_signature("log.example");
        outcome(breach.text()).unwrap();
        let unknown = outcome(wrong_signature("other.example").text()).unwrap_err();
        assert!(matches!(unknown, Failure::Usage(text) if text.contains("other.example")));
        let newer = breach.text().replace("kind entry", "kind novelty");
        let newer = outcome(&newer).unwrap_err();
        assert!(matches!(newer, Failure::Failed(text) if text.contains("newer release")));
    }

    #[test]
    fn each_finding_says_what_it_means() {
        let breach = VerifiedText::Breach(Box::new(wrong_signature("log.example")));
        let view = FoundView::of(&breach);
        assert_eq!((view.convicts, view.leaf_index), (false, Some(1)));
        let words = view.words();
        assert!(
            words.starts_with("signature 1 of leaf 1 is wrong: a breach"),
            "{words}"
        );
        assert!(words.ends_with("convicts nobody for good"), "{words}");
        let split = VerifiedText::Misbehavior(split("log.example"));
        let view = FoundView::of(&split);
        assert!(view.convicts && view.leaf_index.is_none());
        assert_eq!(
            view.words(),
            "two trees of one size are signed: convicted for good"
        );
    }
}
