//! A mirror whose key somebody else holds, who goes away and comes back.

use super::*;
use assay_tlog::note::{CosignError, CosigningKey, VerifierKey};
use std::sync::atomic::{AtomicBool, Ordering};

/// A key that signs unless its holder is away.
#[derive(Debug)]
struct Held {
    key: CosignerKey,
    is_away: Arc<AtomicBool>,
}

impl CosigningKey for Held {
    fn name(&self) -> &str {
        self.key.name()
    }

    fn verifier(&self) -> VerifierKey {
        self.key.verifier()
    }

    fn cosign(&self, checkpoint: &Checkpoint, time: u64) -> Result<String, CosignError> {
        if self.is_away.load(Ordering::SeqCst) {
            return Err(CosignError::Elsewhere {
                key: self.verifier().to_string(),
                why: "the holder is away".to_owned(),
            });
        }
        self.key.cosign(checkpoint, time)
    }

    fn is_elsewhere(&self) -> bool {
        true
    }
}

/// A mirror with such a key.
fn held(store: &Arc<Memory>, url: &str, is_away: &Arc<AtomicBool>) -> Follower<Memory> {
    let follower = follower(store, url, || NOW);
    let key = CosignerKey::from_seed(NAME, Algorithm::CosignatureV1, &[2; 32]).unwrap();
    let second = CosignerKey::from_seed(NAME, Algorithm::MlDsa44, &[3; 32]).unwrap();
    let is_away = is_away.clone();
    let keys = WitnessKeys::new(Held { key, is_away }, Some(second)).unwrap();
    follower.copied.shared.keys.store(Arc::new(keys));
    follower
}

#[tokio::test]
async fn a_mirror_whose_key_is_away_copies_on_and_shows_it_when_the_key_is_back() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    let is_away = Arc::new(AtomicBool::new(false));
    let mut mirror = held(&store, &url, &is_away);
    publish(&served, 300, 300);
    mirror.round().await.unwrap();
    assert_eq!(size_shown(&mirror), Some(300));

    is_away.store(true, Ordering::SeqCst);
    for size in [600, 900] {
        publish(&served, size, size);
        for is_first in [true, false] {
            served.lock().unwrap().fetched.clear();
            let failed = mirror.round().await.unwrap_err();
            assert_eq!(failed.kind(), "sign", "{failed}");
            assert_eq!(size_shown(&mirror), Some(300));
            let fetched = &served.lock().unwrap().fetched;
            let copied = fetched.iter().any(|path| path.contains("entries"));
            assert_eq!(copied, is_first, "{fetched:?}");
        }
    }
    // Another process does not show it, either, and knows all that was copied.
    let mut later = held(&store, &url, &is_away);
    later.copied.with(|_| Ok(())).await.unwrap();
    assert_eq!(size_shown(&later), None);

    is_away.store(false, Ordering::SeqCst);
    for mirror in [&mut mirror, &mut later] {
        served.lock().unwrap().fetched.clear();
        mirror.round().await.unwrap();
        assert_eq!(size_shown(mirror), Some(900));
        assert_eq!(served.lock().unwrap().fetched, ["checkpoint"]);
        check(mirror, &store, &served);
    }
}
