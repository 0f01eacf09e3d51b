//! The sequencer's driver on a store that fails: not persisted, persisted but reported failed, disk full, acknowledged but
//! lost. After each of them the log is opened as a restart would open it, and verified whole from its leaves.

#![allow(clippy::unwrap_used, reason = "what the test sets up itself must work")]

use assay_core::{
    Hash,
    claim::{self, VerifiedClaim},
    entry::Entry,
    issuer::{Registry, authorize},
    note::{Checkpoint, SignerKey, VerifiedCheckpoint},
    sequencer::{Candidate, Head, Outcome},
    tree::{Edge, LeafIndex, TreeSize},
};
use assay_node::{
    anchor::Anchor,
    node::{StartError, settle},
    records,
    registry::Directory,
    reply::Reply,
    sequencer::{Driver, Halt, Submission, Wait},
    storage::{
        Batch, Head as _, Tables,
        memory::{Fault, Memory},
    },
    view::View,
};
use assay_tests::issuer::{Actor, payload};
use std::{path::Path, sync::Arc, thread::JoinHandle, time::Duration};
use tokio::{runtime::Handle, sync::mpsc};

const ORIGIN: &str = "faults.assay.example/log";

fn key() -> SignerKey {
    SignerKey::from_seed(ORIGIN, &[9; 32]).unwrap()
}

/// A log in memory, its anchor in a file.
fn create(anchor: &Path) -> Memory {
    let store = Memory::new();
    let mut first = Batch::new();
    first.with_head(None, Head::empty().to_bytes());
    store.commit(first).unwrap();
    let empty = Checkpoint { origin: ORIGIN.into(), size: TreeSize::new(0), root: assay_core::hash::empty_root() };
    Anchor::create(anchor).unwrap().append(&empty.sign(&key())).unwrap();
    store
}

struct Running {
    store: Arc<Memory>,
    view: Arc<View<Memory>>,
    directory: Arc<Directory>,
    halt: Arc<Halt>,
    pool: mpsc::Sender<Submission>,
    thread: JoinHandle<()>,
}

/// Opens a log as a start does, and runs its driver.
fn open(store: Memory, anchor: &Path) -> Result<Running, StartError> {
    let store = Arc::new(store);
    let (anchor, note) = Anchor::open(anchor)?;
    let checkpoint = VerifiedCheckpoint::verify(&note.unwrap(), &key().verifier()).unwrap();
    let state = settle(&*store, Head::parse(&store.head()?.unwrap())?, &checkpoint)?;
    let directory = Arc::new(Directory::load(&*store)?);
    let view = Arc::new(View::new(store.clone(), checkpoint, 1)?);
    let halt = Arc::new(Halt::default());
    let (pool, submissions) = mpsc::channel(16);
    let driver = Driver {
        store: store.clone(),
        view: view.clone(),
        directory: directory.clone(),
        anchor,
        key: key(),
        state,
        interval: Duration::ZERO,
        halt: halt.clone(),
    };
    let thread = driver.start(submissions, Handle::current()).unwrap();
    Ok(Running { store, view, directory, halt, pool, thread })
}

impl Running {
    async fn publish(&self, claim: VerifiedClaim, wait: Wait) -> Option<Outcome> {
        let authorized = authorize(&claim, &*self.directory).unwrap();
        let (reply, answer) = Reply::new();
        let candidates = vec![Candidate::new(claim, &authorized)];
        self.pool.send(Submission { candidates, wait, reply }).await.ok()?;
        answer.await.ok()?.pop()
    }

    /// Ends the process at this moment: nothing that is not in the store or the anchor survives.
    async fn crash(self) -> Memory {
        let Running { store, pool, thread, .. } = self;
        let after = store.crash();
        drop(pool);
        tokio::task::spawn_blocking(move || thread.join().unwrap()).await.unwrap();
        after
    }
}

fn verified(claim: &claim::wire::Claim) -> VerifiedClaim {
    claim::verify(claim, &()).unwrap()
}

fn sequenced(outcome: &Outcome) -> (LeafIndex, Hash) {
    match outcome {
        Outcome::Sequenced { index, leaf_hash, .. } => (*index, *leaf_hash),
        other => panic!("{other:?}"),
    }
}

/// Rebuilds the log from its stored leaves: every claim, every issuer, the tree, and the published root.
fn verify_whole(running: &Running) -> u64 {
    let published = running.view.published();
    let stored = Head::parse(&running.store.head().unwrap().unwrap()).unwrap();
    let mut edge = Edge::new();
    let mut registry = Registry::new();
    for number in 0..stored.size.get() {
        let index = LeafIndex::new(number);
        let entry = Entry::parse(records::read_entry(&*running.store, index).unwrap()).unwrap();
        let claim = verified(entry.claim());
        let authorized = authorize(&claim, &registry).unwrap();
        if let Some(record) = authorized.change() {
            registry.apply(index, record.clone()).unwrap();
        }
        edge.append(&[entry.leaf_hash()]);
        let key = (claim.id(), claim.signer_set());
        assert_eq!(records::find_claims(&*running.store, &[key]).unwrap(), [Some(index)]);
        assert_eq!(records::find_leaf_hash(&*running.store, &entry.leaf_hash()).unwrap(), Some(index));
        if edge.size() == published.size() {
            assert_eq!(edge.root(), published.checkpoint().root());
        }
    }
    assert_eq!((edge.size(), edge.root()), (stored.size, stored.root));
    stored.size.get()
}

fn note(issuer: &Actor, number: u64) -> VerifiedClaim {
    verified(&claim::sign(&payload(number), &[(issuer.id, &issuer.keys[0])]))
}

/// One claim is acknowledged, the next commit fails by `fault`. Returns the size after a restart.
async fn survives(fault: Fault) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let anchor = folder.path().join("anchor");
    let issuer = Actor::new(&[1], 1);
    let running = open(create(&anchor), &anchor).unwrap();
    let registered = running.publish(verified(&issuer.registration().unwrap()), Wait::Integrated).await.unwrap();
    let (index, hash) = sequenced(&registered);
    let shown = running.view.published();

    running.store.fail_next_commit(fault);
    assert_eq!(running.publish(note(&issuer, 1), Wait::Sequenced).await, None, "a failed commit was acknowledged");
    assert!(running.halt.reason().is_some());
    // Nothing more is written, and readers keep what they had.
    assert_eq!(running.publish(note(&issuer, 2), Wait::Sequenced).await, None);
    assert_eq!(running.view.published().note(), shown.note());

    let running = open(running.crash().await, &anchor).unwrap();
    let size = verify_whole(&running);
    let entry = Entry::parse(records::read_entry(&*running.store, index).unwrap()).unwrap();
    assert_eq!(entry.leaf_hash(), hash, "an acknowledged claim was lost");
    // It goes on as if nothing had been: the claim that was in doubt can be published again, and has one leaf.
    let again = running.publish(note(&issuer, 1), Wait::Integrated).await.unwrap();
    match again {
        Outcome::Existing(index) => assert_eq!((index.get(), size), (1, 2)),
        Outcome::Sequenced { index, .. } => assert_eq!((index.get(), size), (1, 1)),
        Outcome::Refused(refused) => panic!("{refused}"),
    }
    assert_eq!(verify_whole(&running), 2);
    assert_eq!(running.view.published().size().get(), 2);
    size
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_not_persisted_leaves_nothing() {
    assert_eq!(survives(Fault::NotPersisted).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_persisted_but_reported_failed_stays() {
    assert_eq!(survives(Fault::PersistedButFailed).await, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_leaves_nothing() {
    assert_eq!(survives(Fault::DiskFull).await, 1);
}

/// A disk that lies about a sync makes the store forget what was signed. The anchor does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_store_that_forgot_what_was_signed_is_not_signed_from() {
    let folder = tempfile::tempdir().unwrap();
    let anchor = folder.path().join("anchor");
    let issuer = Actor::new(&[1], 1);
    let running = open(create(&anchor), &anchor).unwrap();
    running.publish(verified(&issuer.registration().unwrap()), Wait::Integrated).await.unwrap();
    let before = folder.path().join("before");
    std::fs::copy(&anchor, &before).unwrap();

    running.store.fail_next_commit(Fault::AcknowledgedButLost);
    let lost = sequenced(&running.publish(note(&issuer, 1), Wait::Integrated).await.unwrap());
    let after = running.crash().await;
    let refused = open(after.crash(), &anchor).err().unwrap();
    assert!(matches!(refused, StartError::Refusal(_)), "{refused}");
    assert!(refused.to_string().contains("a checkpoint over 2 was signed"), "{refused}");

    // The guard is the anchor: with the one from before, the same store starts, and gives the lost place to another claim.
    let running = open(after, &before).unwrap();
    let other = sequenced(&running.publish(note(&issuer, 2), Wait::Integrated).await.unwrap());
    assert_eq!(other.0, lost.0);
    assert_ne!(other.1, lost.1, "two claims at one index, both under a signed checkpoint: this is the fork");
}

/// A crash between the commit and the checkpoint: the start publishes what the store has.
#[tokio::test(flavor = "multi_thread")]
async fn a_tree_that_is_ahead_is_published_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let anchor = folder.path().join("anchor");
    let issuer = Actor::new(&[1], 1);
    let store = create(&anchor);
    let at_start = folder.path().join("at-start");
    std::fs::copy(&anchor, &at_start).unwrap();
    let running = open(store, &anchor).unwrap();
    running.publish(verified(&issuer.registration().unwrap()), Wait::Integrated).await.unwrap();
    // The anchor as it was when the crash came between commit and publish.
    let running = open(running.crash().await, &at_start).unwrap();
    let mut sizes = running.view.follow();
    sizes.wait_for(|size| *size == 1).await.unwrap();
    assert_eq!(verify_whole(&running), 1);
}
