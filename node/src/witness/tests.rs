//! A witness over a store that fails.

use super::config::WitnessConfig;
use super::known::{Held, KnownLog};
use super::run::{Open, Opened};
use super::store;
use super::writer::{Asked, Refused, Writer};
use crate::misbehavior::{Evidence, against, known::Known};
use crate::signer::floors::Floors;
use crate::storage::backend::{Backend, Job};
use crate::storage::memory::{Fault, Memory};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
use assay_tlog::tree::TreeSize;
use assay_tlog::witness::{
    ClockFloor, LogState, Persisted, Refusal, Request, SignedRequest, WitnessKeys, WitnessedLog,
};
use std::path::Path;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, mpsc};
use tokio::sync::oneshot;

const NAME: &str = "witness.example/w";
const ORIGIN: &str = "log.example/a";

fn keys() -> WitnessKeys {
    let key = CosignerKey::from_seed(NAME, Algorithm::CosignatureV1, &[2; 32]).unwrap();
    WitnessKeys::new(key, None).unwrap()
}

fn log_key() -> SignerKey {
    SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap()
}

fn config(store: &Arc<Memory>) -> WitnessConfig {
    let text = format!(
        "[witness]\nname = {NAME:?}\n[[log]]\norigin = {ORIGIN:?}\nkeys = [\"{}\"]",
        log_key().verifier()
    );
    let mut config: WitnessConfig = toml::from_str(&text).unwrap();
    config.storage.backend = Backend::Memory(store.clone());
    config.storage.floor_file = None;
    config
}

fn new_store() -> Arc<Memory> {
    let store = Arc::new(Memory::new());
    let floor = ClockFloor::new(super::run::now());
    store::OWN.create(&*store, NAME, floor).unwrap();
    store
}

fn open(store: &Arc<Memory>) -> Opened {
    open_at(store, super::run::now)
}

fn open_at(store: &Arc<Memory>, clock: fn() -> u64) -> Opened {
    open_config(store, &config(store), &[], clock)
}

fn open_config(
    store: &Arc<Memory>,
    config: &WitnessConfig,
    folders: &[&Path],
    clock: fn() -> u64,
) -> Opened {
    let mut known = Known::default();
    known.logs_of(config);
    let evidence = Evidence::open(folders, known).unwrap();
    let open = Open {
        config,
        evidence: Arc::new(evidence),
        keys: keys(),
        floors: Arc::default(),
        clock,
    };
    open.run(store.clone()).unwrap()
}

/// A request for a tree of one leaf, from nothing.
fn first(root: &[u8]) -> String {
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size: TreeSize::new(1),
        root: Hash::of(root),
    };
    format!("old 0\n\n{}", checkpoint.sign(&log_key()))
}

async fn status(opened: &Opened, body: &str) -> u16 {
    opened.witness.add_checkpoint(body.as_bytes()).await.status
}

/// Both ways in which a commit can fail: nothing is signed, by this process, any more; and the next
/// one goes on with whatever it finds.
#[tokio::test]
async fn nothing_is_cosigned_after_a_commit_that_failed() {
    for (fault, found) in [
        (Fault::NotPersisted, 200),
        (Fault::DiskFull, 200),
        (Fault::PersistedButFailed, 409),
    ] {
        let store = new_store();
        let opened = open(&store);
        store.fail_next_commit(fault);
        assert_eq!(status(&opened, &first(b"a")).await, 503, "{fault:?}");
        assert_eq!(status(&opened, &first(b"a")).await, 503, "{fault:?}");
        let digest = Hash::of(ORIGIN.as_bytes()).to_string();
        assert_eq!(opened.witness.monitored(&digest).await, Ok(None));
        let reason = opened.halt.reason().unwrap();
        assert!(reason.contains("started again"), "{reason}");

        let again = Arc::new(store.crash());
        let opened = open(&again);
        assert_eq!(status(&opened, &first(b"b")).await, found, "{fault:?}");
    }
}

/// The store and the decisions forgot what was let through to the keys: those do not sign.
#[tokio::test]
async fn a_decision_that_contradicts_what_was_cosigned_stops_the_witness() {
    let (store, floors) = (new_store(), Arc::new(Floors::default()));
    let larger = Checkpoint {
        origin: ORIGIN.into(),
        size: TreeSize::new(2),
        root: Hash::of(b"b"),
    };
    let state = LogState::Held {
        size: larger.size,
        root: larger.root,
        at: 1,
    };
    let log = LogVerifier::new(ORIGIN, vec![log_key().verifier()]).unwrap();
    let before = Persisted::reload(&state, &larger.sign(&log_key()), &log).unwrap();
    floors.admit(before).unwrap();
    let config = config(&store);
    let open = Open {
        config: &config,
        evidence: Arc::new(Evidence::open(&[], Known::default()).unwrap()),
        keys: keys(),
        floors,
        clock: super::run::now,
    };
    let opened = open.run(store.clone()).unwrap();
    assert_eq!(status(&opened, &first(b"a")).await, 503);
    assert_eq!(status(&opened, &first(b"a")).await, 503);
    let reason = opened.halt.reason().unwrap();
    assert!(reason.contains("a smaller tree"), "{reason}");
    let digest = Hash::of(ORIGIN.as_bytes()).to_string();
    assert_eq!(opened.witness.monitored(&digest).await, Ok(None));
}

/// What is refused changes nothing that is stored.
#[tokio::test]
async fn a_refusal_stores_nothing() {
    let store = new_store();
    let opened = open(&store);
    let later = first(b"a").replace("old 0", "old 1");
    assert_eq!(status(&opened, &later).await, 409);
    assert_eq!(store::state(&*store, ORIGIN).unwrap(), LogState::Never);
    assert_eq!(status(&opened, &first(b"a")).await, 200);
    let held = store::state(&*store, ORIGIN).unwrap();
    assert_eq!(held.size(), TreeSize::new(1));
    let note = store::note(&*store, ORIGIN).unwrap().unwrap();
    assert!(first(b"a").ends_with(&note));
}

/// A data folder belongs to one witness.
#[test]
fn another_witness_does_not_open_it() {
    let store = new_store();
    let other = store::OWN.open(&*store, "witness.example/v").unwrap_err();
    assert!(other.to_string().contains("that of the witness"), "{other}");
    let none = store::OWN.open(&Memory::new(), NAME).unwrap_err();
    assert!(none.to_string().contains("is no witness's"), "{none}");
}

/// Whoever sends a head again that was cosigned just now gets the same answer, and nothing is
/// stored; later it gets a new time.
#[tokio::test]
async fn a_head_that_is_sent_again_gets_a_new_time_after_a_while() {
    static CLOCK: AtomicU64 = AtomicU64::new(0);
    let start = super::run::now();
    let store = new_store();
    CLOCK.store(start, Ordering::SeqCst);
    let opened = open_at(&store, || CLOCK.load(Ordering::SeqCst));
    let again = first(b"a").replace("old 0", "old 1");
    let send = async |body: &str| opened.witness.add_checkpoint(body.as_bytes()).await;
    let cosigned = send(&first(b"a")).await;
    assert_eq!(cosigned.status, 200);
    // No commit could be made.
    store.fail_next_commit(Fault::DiskFull);
    for (later, status) in [(0, 200), (9, 200), (10, 503)] {
        CLOCK.store(start + later, Ordering::SeqCst);
        assert_eq!(send(&first(b"a")).await.status, 409);
        let answer = send(&again).await;
        assert_eq!(answer.status, status, "after {later} s");
        assert!(status != 200 || answer == cosigned);
    }
    let store = Arc::new(store.crash());
    let opened = open_at(&store, || CLOCK.load(Ordering::SeqCst));
    let later = opened.witness.add_checkpoint(again.as_bytes()).await;
    assert_eq!(later.status, 200);
    assert_ne!(later, cosigned);
}

/// Those who are served the checkpoint share its bytes.
#[tokio::test]
async fn monitors_share_what_they_are_served() {
    let opened = open(&new_store());
    assert_eq!(status(&opened, &first(b"a")).await, 200);
    let digest = Hash::of(ORIGIN.as_bytes()).to_string();
    let one = opened.witness.monitored(&digest).await.unwrap().unwrap();
    let other = opened.witness.monitored(&digest).await.unwrap().unwrap();
    assert_eq!(one.as_ptr(), other.as_ptr());
}

/// A witness that only refuses, all day long, goes on believing its clock.
#[tokio::test]
async fn refusals_raise_the_floor_of_the_clock() {
    static CLOCK: AtomicU64 = AtomicU64::new(0);
    let start = super::run::now();
    CLOCK.store(start, Ordering::SeqCst);
    let store = new_store();
    let opened = open_at(&store, || CLOCK.load(Ordering::SeqCst));
    let later = first(b"a").replace("old 0", "old 1");
    for hour in 1..=48 {
        CLOCK.store(start + hour * 3600, Ordering::SeqCst);
        assert_eq!(status(&opened, &later).await, 409);
    }
    assert_eq!(status(&opened, &first(b"a")).await, 200);
    // A jump is not believed.
    CLOCK.store(start + 100 * 3600, Ordering::SeqCst);
    let again = first(b"a").replace("old 0", "old 1");
    assert_eq!(status(&opened, &again).await, 503);
}

/// Two roots of one size convict for good, whatever the second one is answered.
#[tokio::test]
async fn a_log_that_signed_two_roots_is_cosigned_no_more() {
    let other_old = first(b"b").replace("old 0", "old 1");
    for (second, answer) in [
        // Without knowing the size that is held; with it; and a size that cannot be.
        (first(b"b"), 409),
        (other_old.clone(), 422),
        (other_old.replace("old 1", "old 2"), 400),
    ] {
        let (store, folder) = (new_store(), tempfile::tempdir().unwrap());
        let open = |store: &Arc<Memory>| {
            open_config(store, &config(store), &[folder.path()], super::run::now)
        };
        let opened = open(&store);
        assert_eq!(status(&opened, &first(b"a")).await, 200);
        assert_eq!(status(&opened, &second).await, answer);
        let again = first(b"a").replace("old 0", "old 1");
        assert_eq!(status(&opened, &again).await, 403);
        let opened = open(&Arc::new(store.crash()));
        assert_eq!(status(&opened, &again).await, 403);
        // What was cosigned before is served on.
        let digest = Hash::of(ORIGIN.as_bytes()).to_string();
        assert!(opened.witness.monitored(&digest).await.unwrap().is_some());
    }
}

/// Also of two requests that are decided in one batch, and of those that the writer does not see.
#[tokio::test]
async fn a_head_that_comes_at_once_or_too_often_is_compared() {
    for _ in 0..20 {
        let store = new_store();
        let opened = open(&store);
        let (one, other) = (first(b"a"), first(b"b"));
        let both = tokio::join!(status(&opened, &one), status(&opened, &other));
        assert!(matches!(both, (200, 409) | (409, 200)), "{both:?}");
        assert_eq!(status(&opened, &first(b"c")).await, 403);
    }
    let store = new_store();
    let mut config = config(&store);
    config.witness.burst = 1;
    let opened = open_config(&store, &config, &[], super::run::now);
    assert_eq!(status(&opened, &first(b"a")).await, 200);
    // Nothing is charged for it.
    assert_eq!(status(&opened, &first(b"a")).await, 409);
    assert_eq!(status(&opened, &first(b"b")).await, 409);
    assert_eq!(status(&opened, &first(b"a")).await, 403);
}

/// Its other head may come while the first one waits for its turn.
#[tokio::test]
async fn a_log_that_is_convicted_before_its_turn_is_not_cosigned() {
    let verifier = LogVerifier::new(ORIGIN, vec![log_key().verifier()]).unwrap();
    let log = WitnessedLog::new(verifier, &keys()).unwrap();
    let signed = |root: &[u8]| -> SignedRequest {
        let request = Request::parse(first(root).as_bytes()).unwrap();
        request.verify(&log).unwrap()
    };
    for is_convicted in [false, true] {
        let (store, folder) = (new_store(), tempfile::tempdir().unwrap());
        let mut known = Known::default();
        known.log(&log_key().verifier());
        let evidence = Arc::new(Evidence::open(&[folder.path()], known).unwrap());
        let (request, other) = (signed(b"a"), signed(b"b"));
        if is_convicted {
            let found = against(Some(request.head()), other.head()).unwrap();
            evidence.keep(&found).unwrap();
        }
        let (queue, asked) = mpsc::channel();
        let (reply, answer) = oneshot::channel();
        let held = Arc::new(Held::new(Some(LogState::Never), None));
        let identity = &config(&store).witness;
        let log = Arc::new(KnownLog::new(log.clone(), held, None, identity));
        let sent = queue.send(Asked {
            log,
            request,
            reply,
        });
        assert!(sent.is_ok());
        drop(queue);
        let writer = Writer {
            store,
            evidence,
            floor: ClockFloor::new(super::run::now()),
            floor_file: None,
            floors: Arc::default(),
            clock: super::run::now,
            clock_is_right: true,
            halt: Arc::default(),
        };
        writer.start(asked, None).unwrap().join().unwrap();
        let refused = answer.await.unwrap().err();
        let convicted = Refused::Decided(Refusal::Convicted);
        assert_eq!(refused, is_convicted.then_some(convicted));
    }
}
