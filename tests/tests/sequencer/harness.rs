//! A log in memory, opened and driven as a node does it, and verified from its leaves.

use assay_claims::claim::{self, VerifiedClaim};
use assay_claims::entry::Entry;
use assay_claims::index::{Cut, Label, Query};
use assay_claims::issuer::{Registry, authorize};
use assay_claims::sequencer::{Candidate, Head, Outcome};
use assay_node::{
    checkpoint_file::CheckpointFile,
    held::{Held, Kind, Limits},
    index::StoredPages,
    log::{self, Caches, Log, OpenError, Shown, Signed},
    records,
    registry::Directory,
    reply::Reply,
    rotation::LogKeys,
    sequencer::{Driver, Halt, Submission, Wait, fair},
    storage::{Head as _, memory::Memory},
    view::View,
};
use assay_tests::{
    index::Rebuilt,
    issuer::{Actor, payload},
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{Frontier, LeafIndex};
use std::{net::Ipv4Addr, path::Path, sync::Arc, thread::JoinHandle, time::Duration};
use tokio::runtime::Handle;

const ORIGIN: &str = "faults.assay.example/log";

/// Room for every page of a test's index.
pub const ROOMY: usize = 64;

fn key() -> SignerKey {
    SignerKey::from_seed(ORIGIN, &[9; 32]).unwrap()
}

/// A new log in memory, with its checkpoint file at `checkpoints`.
pub fn create(checkpoints: &Path) -> Memory {
    let store = Memory::new();
    log::create(&store, checkpoints, &key().into()).unwrap();
    store
}

/// Makes a checkpoint file at `checkpoints` for a store made by hand, and signs its head.
pub fn signed(checkpoints: &Path, head: Head) {
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size: head.size,
        root: head.root,
    };
    let mut file = CheckpointFile::create(checkpoints).unwrap();
    file.append(&checkpoint.sign(&key())).unwrap();
}

/// A log with its driver.
pub struct Running {
    pub store: Arc<Memory>,
    pub view: Arc<View<Memory>>,
    pub halt: Arc<Halt>,
    directory: Arc<Directory>,
    queue: fair::Sender<Submission>,
    thread: JoinHandle<()>,
}

/// Opens a log as a start does, and runs its driver.
pub fn open(store: Memory, checkpoints: &Path) -> Result<Running, OpenError> {
    open_with(store, checkpoints, ROOMY)
}

/// The same with so many MiB for the index's pages.
pub fn open_with(
    store: Memory,
    checkpoints: &Path,
    index_mib: usize,
) -> Result<Running, OpenError> {
    let caches = Caches {
        tiles_mib: 1,
        index_mib,
    };
    let log = Log::open(
        Arc::new(store),
        Signed::open(checkpoints, LogKeys::from(key()).shared())?,
        caches,
        Shown::LastSigned,
    )?;
    let (store, view, directory) = (
        log.store().clone(),
        log.view().clone(),
        log.directory().clone(),
    );
    let halt = Arc::new(Halt::default());
    let (queue, submissions) = fair::queue(16);
    let driver = Driver {
        log,
        interval: Duration::ZERO,
        heartbeat: Duration::from_secs(3600),
        halt: halt.clone(),
        witnesses: None,
    };
    let thread = driver.start(submissions, Handle::current()).unwrap();
    Ok(Running {
        store,
        view,
        directory,
        halt,
        queue,
        thread,
    })
}

impl Running {
    /// Publishes claims in one submission. `None` if the node stopped writing before it answered.
    pub async fn submit(&self, claims: Vec<VerifiedClaim>, wait: Wait) -> Option<Vec<Outcome>> {
        let limits = Limits {
            bytes: 1 << 20,
            connections: 64,
            stall: Duration::from_secs(60),
            shared: Vec::new(),
        };
        let account = Held::new(limits).connection(Ipv4Addr::LOCALHOST.into());
        let hold = account.hold(Kind::Incoming, 1).await.ok()?;
        let (reply, answer) = Reply::new(hold);
        let candidates = claims
            .into_iter()
            .map(|claim: VerifiedClaim| {
                let authorized = authorize(&claim, &*self.directory).unwrap();
                Candidate::new(claim, &authorized).unwrap()
            })
            .collect();
        self.queue
            .send(
                None,
                Submission {
                    candidates,
                    charges: Vec::new(),
                    wait,
                    reply,
                },
            )
            .await
            .ok()?;
        answer.await.ok()
    }

    /// Publishes one claim.
    pub async fn publish(&self, claim: VerifiedClaim, wait: Wait) -> Option<Outcome> {
        self.submit(vec![claim], wait).await?.pop()
    }

    /// Registers an issuer, which has to work. Returns where that is.
    pub async fn register(&self, issuer: &Actor) -> (LeafIndex, Hash) {
        sequenced(
            &self
                .publish(verified(&issuer.registration().unwrap()), Wait::Integrated)
                .await
                .unwrap(),
        )
    }

    /// Ends the process at this moment: nothing that is not in the store or the checkpoint file
    /// survives.
    pub async fn crash(self) -> Memory {
        let Running {
            store,
            queue,
            thread,
            ..
        } = self;
        let after = store.crash();
        drop(queue);
        tokio::task::spawn_blocking(move || thread.join().unwrap())
            .await
            .unwrap();
        after
    }

    /// The size of the tree that is stored.
    pub fn stored(&self) -> u64 {
        Head::parse(&self.store.head().unwrap().unwrap())
            .unwrap()
            .size
            .get()
    }

    /// Waits until all that is stored is published, as it is at once after a start.
    pub async fn caught_up(&self) {
        self.view
            .follow()
            .wait_for(|size| *size == self.stored())
            .await
            .unwrap();
    }
}

pub fn verified(claim: &claim::wire::Claim) -> VerifiedClaim {
    claim::verify(claim, &()).unwrap()
}

pub fn sequenced(outcome: &Outcome) -> (LeafIndex, Hash) {
    match outcome {
        Outcome::Sequenced {
            index, leaf_hash, ..
        } => (*index, *leaf_hash),
        other => panic!("{other:?}"),
    }
}

/// The claim of an issuer with a number.
pub fn note(issuer: &Actor, number: u64) -> VerifiedClaim {
    verified(&claim::sign(
        &payload(number),
        &[(issuer.id, &issuer.keys[0])],
    ))
}

/// Waits until everything is published, and rebuilds the log from its stored leaves: every claim,
/// every issuer, the tree, the index with every commitment to it, and the published root, under
/// which the last leaf is a commitment.
pub async fn verify_whole(running: &Running) -> Rebuilt {
    running.caught_up().await;
    let published = running.view.published().unwrap();
    let stored = Head::parse(&running.store.head().unwrap().unwrap()).unwrap();
    let mut frontier = Frontier::new();
    let mut registry = Registry::new();
    let mut index = Rebuilt::default();
    for number in 0..stored.size.get() {
        let leaf = LeafIndex::new(number);
        let entry = Entry::parse(records::read_entry(&*running.store, leaf).unwrap()).unwrap();
        index.add(&entry).unwrap();
        if let Ok(claim) = entry.claim() {
            let claim = verified(claim);
            let authorized = authorize(&claim, &registry).unwrap();
            if let Some(record) = authorized.change() {
                registry.apply(leaf, record.clone()).unwrap();
            }
            let found = records::find_signatures(&*running.store, claim.signature_ids());
            assert_eq!(found.unwrap(), [Some(leaf)]);
        }
        frontier.append(&[entry.leaf_hash()]);
        assert_eq!(
            records::find_leaf_hash(&*running.store, &entry.leaf_hash()).unwrap(),
            Some(leaf)
        );
    }
    assert_eq!(
        (frontier.size(), frontier.root()),
        (stored.size, stored.root)
    );
    assert_eq!(
        (frontier.size(), frontier.root()),
        (published.size(), published.checkpoint().root())
    );
    assert!(index.ends_in_commitment(stored.size.get()) && stored.last_commitment == stored.size);
    assert_eq!(
        published.index().unwrap().commitment(),
        index.map().commitment()
    );
    look_everything_up(running, &index);
    index
}

/// Looks every label up in what is published, all together and each by itself, and labels that are
/// not there: the proofs hold, and the lists are those that the entries give, whole and by pages.
fn look_everything_up(running: &Running, index: &Rebuilt) {
    let published = running.view.published().unwrap();
    let map = published.index().unwrap();
    let pages = StoredPages(&*running.store);
    let absent = (0..20_u8).map(|n| Label::from_bytes(*Hash::of(&[n]).as_bytes()));
    let mut labels: Vec<Label> = index.lists().keys().copied().chain(absent).collect();
    labels.sort();
    for asked in [&labels[..]].into_iter().chain(labels.chunks(7)) {
        let query = Query::labels(asked);
        let proven = map.prove(&query, &pages).unwrap();
        let cut = Cut::verify(&proven.cut(), &map.commitment()).unwrap();
        for label in asked {
            let expected = index.lists().get(label).map_or(0, |list| list.len() as u64);
            assert_eq!(
                cut.find(label).unwrap().map_or(0, |found| found.length),
                expected,
                "{label}"
            );
        }
        assert_eq!(
            proven.found.len(),
            index
                .lists()
                .keys()
                .filter(|label| query.asks_for(label))
                .count()
        );
        for listed in proven.found {
            let expected = &index.lists()[&listed.label];
            assert_eq!(listed.length, expected.len() as u64);
            match &listed.leaves {
                Some(leaves) => assert_eq!(numbers(leaves), *expected),
                None => read_in_pages(running, &listed.label, expected),
            }
        }
    }
}

fn numbers(leaves: &[LeafIndex]) -> Vec<u64> {
    leaves.iter().map(|leaf| leaf.get()).collect()
}

/// Reads a long list from the store: all of it, and from and to places near its ends and its
/// middle.
fn read_in_pages(running: &Running, label: &Label, expected: &[u64]) {
    let length = expected.len();
    let places = [0, 1, 7, 8, 9, length / 2, length - 1, length];
    for from in places {
        for to in places {
            let read = records::read_list(&*running.store, label, from as u64, to as u64).unwrap();
            assert_eq!(
                numbers(&read),
                expected.get(from..to).unwrap_or_default(),
                "{from}..{to} of {label}"
            );
        }
    }
    assert!(
        records::read_list(&*running.store, label, 0, length as u64 + 1).is_err(),
        "there is no more"
    );
}
