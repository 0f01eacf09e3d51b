//! A key of a witness, a mirror or an auditor that somebody else holds: it is asked for
//! cosignatures of checkpoints and for nothing else, and what it signed is verified before it
//! leaves here.

use super::elsewhere::Holder;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::note::{CosignError, CosigningKey, VerifierKey};
use std::{
    collections::BTreeMap,
    fmt,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// The keys that did not sign when they were asked last, and why, by their text. It is kept for the
/// whole process, because whoever asks whether it is ready asks about all of them.
static UNSIGNED: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

/// Why keys that cosign, and that somebody else holds, do not sign at the moment. `None` if all do.
pub fn unsigned() -> Option<String> {
    let all = locked();
    let all: Vec<&str> = all.values().map(String::as_str).collect();
    (!all.is_empty()).then(|| format!("nothing is cosigned: {}", all.join("; ")))
}

fn locked() -> MutexGuard<'static, BTreeMap<String, String>> {
    UNSIGNED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An Ed25519 key of type 0x04 that a holder has.
pub struct HeldCosigner<H> {
    verifier: VerifierKey,
    holder: H,
}

impl<H: Holder> HeldCosigner<H> {
    /// The key that `verifier` verifies. The holder is not asked yet.
    pub fn new(verifier: VerifierKey, holder: H) -> Self {
        HeldCosigner { verifier, holder }
    }

    /// Tells the operator when the key stops signing, for another reason, or signs again.
    fn told<T>(&self, done: Result<T, String>) -> Result<T, CosignError> {
        let key = self.verifier.to_string();
        let failed = done.map_err(|why| CosignError::Elsewhere {
            key: key.clone(),
            why,
        });
        let now = failed.as_ref().err().map(CosignError::to_string);
        let mut all = locked();
        if all.get(&key) == now.as_ref() {
            return failed;
        }
        let name = self.verifier.name().to_owned();
        let is_unsigned = if now.is_some() { 1.0 } else { 0.0 };
        metrics::gauge!("assay_cosigner_unsigned", "name" => name).set(is_unsigned);
        match now {
            Some(reason) => {
                tracing::error!(%reason, "nothing is cosigned with this key");
                all.insert(key, reason);
            }
            None => {
                tracing::info!(key, "the key cosigns again");
                all.remove(&key);
            }
        }
        failed
    }
}

impl<H: Holder> CosigningKey for HeldCosigner<H> {
    fn name(&self) -> &str {
        self.verifier.name()
    }

    fn verifier(&self) -> VerifierKey {
        self.verifier.clone()
    }

    fn cosign(&self, checkpoint: &Checkpoint, time: u64) -> Result<String, CosignError> {
        let text = VerifierKey::cosignature_text(checkpoint, time)?;
        let signed = self.holder.sign(&self.verifier, &text);
        self.told(signed.and_then(|signature| {
            let line = self.verifier.cosignature_line(checkpoint, time, &signature);
            line.map_err(|_| self.holder.is_at_fault())
        }))
    }

    fn is_elsewhere(&self) -> bool {
        true
    }

    fn look_for(&self) -> Result<(), CosignError> {
        self.told(self.holder.look_for(&self.verifier))
    }
}

impl<H> fmt::Debug for HeldCosigner<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HeldCosigner({})", self.verifier)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_tlog::Hash;
    use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
    use assay_tlog::tree::TreeSize;
    use std::sync::Arc;

    const SEED: [u8; 32] = [7; 32];

    /// A holder of a secret, which signs what it is made to.
    #[derive(Clone)]
    struct Forger(Arc<Mutex<Forge>>);

    type Forge = fn(&str) -> Result<String, String>;

    impl Holder for Forger {
        fn name(&self) -> String {
            "the forger".to_owned()
        }

        fn sign(&self, key: &VerifierKey, text: &str) -> Result<Vec<u8>, String> {
            assert!(text.starts_with("cosignature/v1\ntime "), "{text}");
            let text = (self.0.lock().unwrap())(text)?;
            // A secret signs the same bytes, whatever its key is called and for.
            let secret = SignerKey::from_seed(key.name(), &SEED).unwrap();
            let line = secret.sign(&text);
            let note = format!("{text}\n{line}");
            let note = assay_tlog::note::Note::parse(note.as_bytes()).unwrap();
            Ok(note.signatures()[0].signature().to_vec())
        }

        fn look_for(&self, _: &VerifierKey) -> Result<(), String> {
            Ok(())
        }
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint {
            origin: "log.example/a".into(),
            size: TreeSize::new(3),
            root: Hash::of(b"a"),
        }
    }

    #[test]
    fn what_leaves_is_a_cosignature_of_this_checkpoint_at_this_time() {
        let name = "cosigning.example/w";
        let own = CosignerKey::from_seed(name, Algorithm::CosignatureV1, &SEED).unwrap();
        let forge: Arc<Mutex<Forge>> = Arc::new(Mutex::new(|text| Ok(text.to_owned())));
        let key = HeldCosigner::new(own.verifier(), Forger(forge.clone()));
        let right = own.cosign(&checkpoint(), 5).unwrap();
        assert_eq!(key.cosign(&checkpoint(), 5).unwrap(), right);
        let forges: [(Forge, &str); 4] = [
            (|text| Ok(text.replace("time 5", "time 6")), "at fault"),
            (
                |text| Ok(text.replace("log.example/a", "log.example/b")),
                "at fault",
            ),
            // The checkpoint as its log signs it.
            (
                |text| Ok(text.splitn(3, '\n').last().unwrap_or_default().to_owned()),
                "at fault",
            ),
            (|_| Err("the forger is away".to_owned()), "is away"),
        ];
        for (wrong, words) in forges {
            *forge.lock().unwrap() = wrong;
            let error = key.cosign(&checkpoint(), 5).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
            assert!(unsigned().unwrap().contains(&error));
        }
        assert!(matches!(
            key.cosign(&checkpoint(), 0),
            Err(CosignError::Time(0))
        ));
        *forge.lock().unwrap() = |text| Ok(text.to_owned());
        assert_eq!(key.cosign(&checkpoint(), 5).unwrap(), right);
        assert!(!unsigned().unwrap_or_default().contains(name));
    }
}
