//! Who is proven to have misbehaved, as far as this machine knows.
//!
//! Whoever was convicted stays so on this machine, also offline, and whatever nodes say later: the
//! proofs are kept in the folder `misbehavior` of the state folder, and verified again with the
//! caller's keys whenever they are read. Left out: asking nodes.

use crate::{ClientError, files, misbehavior::by_name};
use assay_claims::limits::MISBEHAVIOR_BYTES;
use assay_claims::misbehavior::{Culprit, KnownKeys, VerifiedMisbehavior};
use assay_tlog::Hash;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_policy::TlogPolicy;
use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

/// The folder of texts in the state folder.
pub(crate) const FOLDER: &str = "misbehavior";

/// Most texts that are remembered. One convicts for good.
const REMEMBERED: usize = 1000;

/// How the name of a remembered text ends.
pub(crate) const EXTENSION: &str = "assay-misbehavior";

/// Who is convicted, of those whose keys the caller knows.
#[derive(Debug, Clone)]
pub struct Convictions {
    keys: KnownKeys,
    folder: PathBuf,
    logs: BTreeMap<String, PathBuf>,
    /// By the names of their keys.
    witnesses: BTreeMap<String, PathBuf>,
}

impl Convictions {
    /// Reads what this machine knows of the logs and witnesses of a policy, and of the logs with
    /// these keys besides. Texts that these keys do not verify convict nobody, and stay.
    ///
    /// Fails with [`ClientError::State`] if they cannot be read: that is never taken for nothing.
    pub fn remembered<'k>(
        tlog: Option<&'k TlogPolicy>,
        logs: impl IntoIterator<Item = &'k VerifierKey>,
        state_dir: &Path,
    ) -> Result<Self, ClientError> {
        let mut convictions = Convictions {
            keys: known(tlog, logs),
            folder: state_dir.join(FOLDER),
            logs: BTreeMap::new(),
            witnesses: BTreeMap::new(),
        };
        for (path, text) in kept(&convictions.folder)? {
            if let Some(culprit) = convictions.proven(&text) {
                convictions.add(culprit, path);
            }
        }
        Ok(convictions)
    }

    /// Takes a text that somebody told, and remembers it if it convicts somebody who was not
    /// convicted. What cannot be written convicts as well, for as long as this value lives.
    pub(crate) fn learn(&mut self, text: &[u8]) {
        let Some(culprit) = self.proven(text) else {
            return;
        };
        if self.is_known(&culprit) {
            return;
        }
        let path = self.folder.join(format!("{}.{EXTENSION}", Hash::of(text)));
        let _ = files::create_folder(&self.folder).and_then(|()| files::replace(&path, text));
        self.add(culprit, path);
    }

    /// Takes a text that is kept in this file already, as [`Convictions::learn`] does.
    pub(crate) fn found(&mut self, text: &[u8], kept: PathBuf) {
        if let Some(culprit) = self.proven(text) {
            self.add(culprit, kept);
        }
    }

    /// Keeps a text that was verified, also if it convicts nobody, and takes it as
    /// [`Convictions::learn`] does. That it cannot be written is no error.
    pub(crate) fn keep(&mut self, text: &[u8]) {
        self.learn(text);
        let path = self.folder.join(format!("{}.{EXTENSION}", Hash::of(text)));
        if !path.exists() {
            let _ = files::create_folder(&self.folder).and_then(|()| files::replace(&path, text));
        }
    }

    /// Why the log of this origin counts no more, if it is convicted.
    pub fn of_log(&self, origin: &str) -> Option<String> {
        let proof = self.logs.get(origin)?.display();
        Some(format!(
            "it is proven that it signed two histories: `assay misbehavior verify {proof}`"
        ))
    }

    /// The names of the keys of convicted witnesses, and of mirrors that a policy names as such.
    pub fn witnesses(&self) -> impl Iterator<Item = &str> {
        self.witnesses.keys().map(String::as_str)
    }

    /// Whether anybody is convicted.
    pub(crate) fn is_somebody(&self) -> bool {
        !self.logs.is_empty() || !self.witnesses.is_empty()
    }

    /// The policy in which convicted witnesses do not count ([`TlogPolicy::without`]).
    pub fn apply(&self, tlog: &TlogPolicy) -> TlogPolicy {
        tlog.without(self.witnesses())
    }

    /// Whoever can be found guilty with these keys, as [`Culprit`] writes them.
    pub(crate) fn culprits(&self) -> Vec<String> {
        let logs = self.keys.logs.iter();
        let mut culprits: Vec<String> = logs.map(|log| format!("log {}", log.origin())).collect();
        for witness in &self.keys.witnesses {
            culprits.push(format!("witness {}", witness.name()));
            culprits.push(format!("mirror {}", witness.name()));
        }
        culprits
    }

    /// Whom a text convicts.
    fn proven(&self, text: &[u8]) -> Option<Culprit> {
        let found = VerifiedMisbehavior::verify(text, &self.keys).ok()?;
        Some(found.culprit().clone())
    }

    fn is_known(&self, culprit: &Culprit) -> bool {
        match culprit {
            Culprit::Log(origin) => self.logs.contains_key(origin),
            Culprit::Witness(name) | Culprit::Mirror(name) => self.witnesses.contains_key(name),
        }
    }

    fn add(&mut self, culprit: Culprit, proof: PathBuf) {
        let (of, name) = match culprit {
            Culprit::Log(origin) => (&mut self.logs, origin),
            Culprit::Witness(name) | Culprit::Mirror(name) => (&mut self.witnesses, name),
        };
        of.entry(name).or_insert(proof);
    }
}

/// The texts that this machine remembers, at most 1,000, unverified. Fails with
/// [`ClientError::State`] if they cannot be read.
pub fn remembered(state_dir: &Path) -> Result<Vec<Vec<u8>>, ClientError> {
    let texts = kept(&state_dir.join(FOLDER))?.into_iter();
    Ok(texts.map(|(_, text)| text).collect())
}

/// The files of a folder that may be texts, and what they say. Of a folder that is not there it is
/// nothing, and a file that goes away meanwhile is none.
fn kept(folder: &Path) -> Result<Vec<(PathBuf, Vec<u8>)>, ClientError> {
    let unreadable = |path: &Path, source| ClientError::State {
        what: "cannot read who is convicted of misbehavior on this machine; check who owns the \
               file, and that you may read it"
            .into(),
        path: path.to_owned(),
        source: Some(source),
    };
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(unreadable(folder, error)),
    };
    let mut texts = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| unreadable(folder, error))?.path();
        if path.extension().is_none_or(|it| it != EXTENSION) {
            continue;
        }
        match text(&path) {
            Ok(Some(text)) => texts.push((path, text)),
            Ok(None) => {}
            Err(error) if is_missing(&error) => {}
            Err(error) => return Err(unreadable(&path, error)),
        }
        if texts.len() == REMEMBERED {
            break;
        }
    }
    Ok(texts)
}

/// The text in a file, if it is not longer than any is.
fn text(path: &Path) -> io::Result<Option<Vec<u8>>> {
    let is_short = fs::metadata(path)?.len() <= MISBEHAVIOR_BYTES as u64;
    is_short.then(|| files::read(path)).transpose()
}

/// Whether there is nothing, nor can be, as in a state folder that is no folder.
fn is_missing(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
    )
}

/// All keys of a policy, and these of logs. Keys of one name that cannot be used together convict
/// nobody. A witness of the policy may have signed as a mirror: that is said by the accusation.
fn known<'k>(
    tlog: Option<&'k TlogPolicy>,
    logs: impl IntoIterator<Item = &'k VerifierKey>,
) -> KnownKeys {
    let stated = tlog.into_iter().flat_map(TlogPolicy::logs);
    let logs = by_name(stated.map(|log| &log.key).chain(logs)).into_iter();
    let witnesses = tlog.into_iter().flat_map(TlogPolicy::witnesses);
    let witnesses = by_name(witnesses.map(|witness| &witness.key)).into_values();
    let witnesses: Vec<CosignerVerifier> = witnesses
        .filter_map(|keys| CosignerVerifier::new(keys).ok())
        .collect();
    KnownKeys {
        logs: logs
            .filter_map(|(origin, keys)| LogVerifier::new(origin, keys).ok())
            .collect(),
        mirrors: witnesses.clone(),
        witnesses,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::misbehavior::Role;
    use assay_tlog::checkpoint::Checkpoint;
    use assay_tlog::note::{Algorithm, CosignerKey};
    use assay_tlog::tree::TreeSize;

    fn key(name: &str, algorithm: Algorithm) -> CosignerKey {
        CosignerKey::from_seed(name, algorithm, &[5; 32]).unwrap()
    }

    /// Two trees of one size, one signed with each of two keys of one name.
    fn two_histories(role: Role, keys: &[CosignerKey; 2]) -> VerifiedMisbehavior {
        let verifiers = keys.iter().map(CosignerKey::verifier);
        let cosigner = CosignerVerifier::new(verifiers.collect()).unwrap();
        let [one, other] = [(&keys[0], "one"), (&keys[1], "other")].map(|(key, root)| {
            let checkpoint = Checkpoint {
                origin: "log.example".into(),
                size: TreeSize::new(9),
                root: Hash::of(root.as_bytes()),
            };
            let line = key.cosign(&checkpoint, 1).unwrap();
            cosigner
                .verify(&format!("{}\n{line}", checkpoint.body()))
                .unwrap()
        });
        VerifiedMisbehavior::of_cosigner(role, &one, &other, None).unwrap()
    }

    #[test]
    fn a_witness_or_mirror_of_the_policy_is_convicted_for_good_by_its_keys_alone() {
        let name = "b.example/mirror";
        let keys = [Algorithm::CosignatureV1, Algorithm::MlDsa44].map(|of| key(name, of));
        let lines = format!(
            "witness b1 {}\nwitness b2 {}\ngroup b any b1 b2\nquorum b\n",
            keys[0].verifier(),
            keys[1].verifier()
        );
        let tlog = TlogPolicy::parse(&lines).unwrap();
        let stranger = key("c.example/w", Algorithm::CosignatureV1).verifier();
        let other = TlogPolicy::parse(&format!("witness c {stranger}\nquorum c\n")).unwrap();
        for role in [Role::Witness, Role::Mirror] {
            let folder = tempfile::tempdir().unwrap();
            let known = |tlog| Convictions::remembered(Some(tlog), [], folder.path()).unwrap();
            let text = two_histories(role, &keys);
            let mut convictions = known(&tlog);
            assert!(convictions.apply(&tlog).is_quorum(["b2"]));
            convictions.learn(&text.text().as_bytes()[1..]);
            assert_eq!(convictions.witnesses().count(), 0);
            convictions.learn(text.text().as_bytes());
            for known in [&convictions, &known(&tlog)] {
                assert_eq!(known.witnesses().collect::<Vec<_>>(), [name]);
                assert!(!known.apply(&tlog).is_quorum(["b1", "b2"]));
            }
            // Who does not know the keys convicts nobody by it.
            assert_eq!(known(&other).witnesses().count(), 0);
            assert_eq!(remembered(folder.path()).unwrap(), [text.text().as_bytes()]);
        }
    }

    /// Whoever can write into the folder fills no memory.
    #[test]
    fn so_many_texts_are_read_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let texts = folder.path().join(FOLDER);
        fs::create_dir(&texts).unwrap();
        let put = |name: &str, bytes: usize| fs::write(texts.join(name), vec![b' '; bytes]);
        put("longest.assay-misbehavior", MISBEHAVIOR_BYTES).unwrap();
        put("longer.assay-misbehavior", MISBEHAVIOR_BYTES + 1).unwrap();
        put("other.txt", 1).unwrap();
        let read = remembered(folder.path()).unwrap();
        let read: Vec<usize> = read.iter().map(Vec::len).collect();
        assert_eq!(read, [MISBEHAVIOR_BYTES]);
        fs::remove_file(texts.join("longer.assay-misbehavior")).unwrap();
        for number in 0..REMEMBERED + 1 {
            put(&format!("{number}.assay-misbehavior"), 1).unwrap();
        }
        assert_eq!(remembered(folder.path()).unwrap().len(), REMEMBERED);
    }

    /// Whoever cannot read them is not told that there are none.
    #[test]
    fn what_cannot_be_read_is_not_taken_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(remembered(folder.path()).unwrap().len(), 0);
        assert_eq!(remembered(Path::new("/dev/null")).unwrap().len(), 0);
        let texts = folder.path().join(FOLDER);
        fs::create_dir(&texts).unwrap();
        let loops = texts.join("loop.assay-misbehavior");
        std::os::unix::fs::symlink(&loops, &loops).unwrap();
        let refused = |path: &Path| {
            let refused = remembered(folder.path()).unwrap_err();
            let named = matches!(&refused, ClientError::State { path: named, source: Some(_), .. }
                if named == path);
            assert!(named, "{refused:?}");
            assert!(Convictions::remembered(None, [], folder.path()).is_err());
        };
        refused(&loops);
        // What went away is not there.
        fs::remove_file(&loops).unwrap();
        std::os::unix::fs::symlink("nothing", &loops).unwrap();
        assert_eq!(remembered(folder.path()).unwrap().len(), 0);
        fs::remove_dir_all(&texts).unwrap();
        std::os::unix::fs::symlink(&texts, &texts).unwrap();
        refused(&texts);
    }
}
