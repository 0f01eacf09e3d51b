//! A mirror over a store in memory. Its log is served on loopback, and lies when it is told to.

mod elsewhere;
mod held;
mod limits;
mod repair;
mod stored;
mod uploads;

use super::clock::MirrorClock;
use super::copied::{Copied, Shared};
use super::fault::RoundError;
use super::follower::Follower;
use super::limits::{LogLimits, Memory as Budget};
use super::shelf::Shelf;
use super::site::{self, Site};
use super::store;
use super::ticket::Tickets;
use crate::gossip::seen::Seen;
use crate::signer::floor_file::FloorFile;
use crate::signer::floors::Floors;
use crate::storage::memory::{Fault, Memory};
use crate::storage::{Reads, Table};
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::hash::leaf_hash;
use assay_tlog::head::LogVerifier;
use assay_tlog::mirror::Fork;
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
use assay_tlog::tree::{Frontier, Resource, TileIndex, TilePath, TreeSize, bundle};
use assay_tlog::witness::{ClockFloor, WitnessKeys};
use axum::{
    Router,
    body::Body,
    extract::{Path, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use flate2::{Compression, write::GzEncoder};
use futures::stream;
use std::{
    collections::HashMap,
    io::Write as _,
    sync::{Arc, Mutex},
    time::Duration,
};

const ORIGIN: &str = "log.example/a";
const NAME: &str = "mirror.example/m";
const NOW: u64 = 1_800_000_000;

/// What the log publishes, by path.
#[derive(Default)]
struct Published {
    files: HashMap<String, Vec<u8>>,
    /// A path of which one bit is wrong.
    flipped: Option<String>,
    /// Whether bundles come packed.
    packed: bool,
    /// Whether bundles begin, and never end.
    endless: bool,
    /// What was asked for.
    fetched: Vec<String>,
}

type Served = Arc<Mutex<Published>>;

/// Publishes the tree of `size`, whose entries are numbers, or something else from `forked` on.
fn publish(served: &Served, size: u64, forked: u64) {
    let mut published = served.lock().unwrap();
    let mut frontier = Frontier::new();
    let mut leaves = Vec::new();
    let mut bundles: HashMap<u64, Vec<u8>> = HashMap::new();
    for i in 0..size {
        let said = if i < forked { "" } else { "not " };
        let entry = format!("{said}{i}");
        bundle::push(bundles.entry(i / 256).or_default(), entry.as_bytes()).unwrap();
        leaves.push(leaf_hash(entry.as_bytes()));
    }
    let size = TreeSize::new(size);
    for (tile, hashes) in frontier.append(&leaves) {
        let bytes = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
        let path = TilePath::new(Resource::Tile(tile), tile.width_at(size)).unwrap();
        published.files.insert(path.to_path(), bytes);
    }
    for (index, bytes) in bundles {
        let width = TileIndex { level: 0, index }.width_at(size);
        let path = TilePath::new(Resource::Entries(index), width).unwrap();
        published.files.insert(path.to_path(), bytes);
    }
    let checkpoint = Checkpoint {
        origin: ORIGIN.into(),
        size,
        root: frontier.root(),
    };
    let line = witness_key().cosign(&checkpoint, NOW).unwrap();
    let note = checkpoint.sign(&log_key()) + &line;
    published.files.insert("checkpoint".into(), note.into());
}

async fn answer(State(served): State<Served>, Path(path): Path<String>) -> Response {
    let mut published = served.lock().unwrap();
    published.fetched.push(path.clone());
    let Some(bytes) = published.files.get(&path) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let mut bytes = bytes.clone();
    if published.endless && path.contains("entries") {
        let drops = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_millis(20)).await;
            Some((Ok::<_, std::io::Error>(vec![0]), ()))
        });
        return Body::from_stream(drops).into_response();
    }
    if published.flipped.as_ref() == Some(&path) {
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
    }
    if published.packed && path.contains("entries") {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(&bytes).unwrap();
        let packed = encoder.finish().unwrap();
        return ([(header::CONTENT_ENCODING, "gzip")], packed).into_response();
    }
    bytes.into_response()
}

/// Serves the log on loopback, and returns its address.
async fn serve(served: Served) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new().route("/{*path}", get(answer));
    let router = router.with_state(served);
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A witness of the log.
fn witness_key() -> CosignerKey {
    CosignerKey::from_seed("w.example", Algorithm::CosignatureV1, &[9; 32]).unwrap()
}

fn log_key() -> SignerKey {
    SignerKey::from_seed(ORIGIN, &[1; 32]).unwrap()
}

fn keys() -> WitnessKeys {
    let ed25519 = CosignerKey::from_seed(NAME, Algorithm::CosignatureV1, &[2; 32]).unwrap();
    let ml_dsa = CosignerKey::from_seed(NAME, Algorithm::MlDsa44, &[3; 32]).unwrap();
    WitnessKeys::new(ed25519, Some(ml_dsa)).unwrap()
}

fn new_store() -> Arc<Memory> {
    let store = Arc::new(Memory::new());
    store::OWN
        .create(&*store, NAME, ClockFloor::new(NOW))
        .unwrap();
    store
}

/// A mirror over a store, as it is after a start.
fn follower(store: &Arc<Memory>, url: &str, clock: fn() -> u64) -> Follower<Memory> {
    limited(store, url, clock, LogLimits { entries: 0, gib: 0 })
}

fn limited(
    store: &Arc<Memory>,
    url: &str,
    clock: fn() -> u64,
    limits: LogLimits,
) -> Follower<Memory> {
    let floor = store::OWN.open(&**store, NAME).unwrap();
    let shared = Arc::new(Shared {
        store: store.clone(),
        keys: Arc::new(arc_swap::ArcSwap::from_pointee(keys())),
        floors: Floors::default(),
        clock: MirrorClock::new(floor, None, clock),
        evidence: None,
        seen: Seen::default(),
        memory: Budget::new(64),
        tickets: Tickets::new(&[4; 32]),
        mirrors: Box::new(|_| Vec::new()),
        free: Box::new(|| Ok(u64::MAX)),
        reserve: 0,
    });
    let log = LogVerifier::new(ORIGIN, vec![log_key().verifier()]).unwrap();
    let site = Site::new(site::client().unwrap(), url);
    let copied = Copied::new(shared, log, site, limits);
    Follower::new(copied, Duration::from_millis(10))
}

fn size_shown(follower: &Follower<Memory>) -> Option<u64> {
    let head = follower.copied.shown.head.load_full();
    head.map(|head| head.size().get())
}

/// Checks that what is shown is the log's, each tile and bundle of it, and that the mirror's keys
/// cosigned it.
fn check(follower: &Follower<Memory>, store: &Memory, served: &Served) {
    let published = served.lock().unwrap();
    let head = follower.copied.shown.head.load_full().unwrap();
    let own = CosignerVerifier::new(keys().verifiers()).unwrap();
    let cosigned = own.verify(&head.note).unwrap();
    assert_eq!(cosigned.statements().len(), 2);
    let theirs = String::from_utf8(published.files["checkpoint"].clone()).unwrap();
    assert!(
        head.note.starts_with(&theirs),
        "the log's and the witness's lines"
    );
    for (path, bytes) in published
        .files
        .iter()
        .filter(|(path, _)| *path != "checkpoint")
    {
        let read = follower
            .copied
            .shown
            .read(store, TilePath::parse(path).unwrap());
        assert_eq!(read.unwrap().as_deref(), Some(&bytes[..]), "{path}");
    }
}

#[tokio::test]
async fn a_log_is_copied_cosigned_and_shown_as_it_grows() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    let mut follower_now = follower(&store, &url, || NOW + 5);
    for (size, packed) in [
        (0, false),
        (1, true),
        (255, false),
        (600, true),
        (601, false),
    ] {
        served.lock().unwrap().files.clear();
        served.lock().unwrap().packed = packed;
        publish(&served, size, size);
        follower_now.round().await.unwrap();
        assert_eq!(size_shown(&follower_now), Some(size));
        check(&follower_now, &store, &served);
        // Another process shows the same, before it asks the log.
        let mut later = follower(&store, "http://127.0.0.1:1", || NOW + 6);
        later.copied.with(|_| Ok(())).await.unwrap();
        let notes = [&follower_now, &later].map(|it| it.copied.shown.head.load_full().unwrap());
        assert_eq!(notes[0].note, notes[1].note);
        assert!(matches!(later.round().await, Err(RoundError::Fetch(_))));
    }
}

#[tokio::test]
async fn what_is_not_the_logs_is_not_stored() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    publish(&served, 300, 300);
    let mut mirror = follower(&store, &url, || NOW);
    mirror.round().await.unwrap();
    publish(&served, 700, 700);
    let stored = |table| store.range(table, &[], &[0xff; 64], 10_000).unwrap();
    for path in [
        "tile/0/002.p/188",
        "tile/1/000.p/2",
        "tile/entries/001",
        "tile/entries/002.p/188",
    ] {
        served.lock().unwrap().flipped = Some(path.into());
        let before = stored(Table::Segments);
        let refused = mirror.round().await.unwrap_err();
        assert_eq!(refused.kind(), "source", "{path}: {refused:?}");
        assert_eq!(size_shown(&mirror), Some(300));
        let after = stored(Table::Segments);
        // The bundles before the wrong one are the log's.
        let wrong = path
            .strip_prefix("tile/entries/")
            .is_some_and(|it| it.starts_with("002"));
        assert_eq!(before == after, !wrong, "{path}");
    }
    served.lock().unwrap().flipped = None;
    mirror.round().await.unwrap();
    assert_eq!(size_shown(&mirror), Some(700));
}

#[tokio::test]
async fn a_log_that_signs_two_histories_or_goes_back_is_not_followed() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    publish(&served, 300, 300);
    let mut mirror = follower(&store, &url, || NOW);
    mirror.round().await.unwrap();
    for (size, forked) in [(300, 7), (600, 299), (200, 7)] {
        publish(&served, size, forked);
        let refused = mirror.round().await.unwrap_err();
        let is_split = matches!(refused, RoundError::Fork(Fork::Split(_)));
        assert_eq!(refused.kind(), "fork");
        assert_eq!(is_split, size == 300);
        assert_eq!(size_shown(&mirror), Some(300));
    }
    publish(&served, 299, 299);
    let refused = mirror.round().await.unwrap_err();
    assert!(matches!(refused, RoundError::OldHead { .. }), "{refused:?}");
    publish(&served, 600, 600);
    mirror.round().await.unwrap();
    assert_eq!(size_shown(&mirror), Some(600));
}

/// A head that is not followed may be one that nobody else was shown.
#[tokio::test]
async fn heads_that_are_not_followed_are_told() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    let limits = LogLimits {
        entries: 300,
        gib: 0,
    };
    let mut mirror = limited(&store, &url, || NOW, limits);
    let (told, heard) = std::sync::mpsc::channel();
    mirror.copied.shared.seen.tell(move |head| {
        let _ = told.send(head.size().get());
    });
    for (size, is_followed) in [(300, true), (300, true), (299, false), (600, false)] {
        publish(&served, size, size);
        assert_eq!(mirror.round().await.is_ok(), is_followed, "{size}");
    }
    assert_eq!(heard.try_iter().collect::<Vec<u64>>(), [300, 299, 600]);
}

/// A commit that fails, and a power cut: the copy goes on from what was stored before, whichever
/// commit it was.
#[tokio::test]
async fn a_copy_that_was_cut_off_goes_on() {
    for fault in [Fault::NotPersisted, Fault::PersistedButFailed] {
        for sound in 0.. {
            let (served, store) = (Served::default(), new_store());
            let url = serve(served.clone()).await;
            publish(&served, 600, 600);
            store.fail_commit_after(sound, fault);
            let mut mirror = follower(&store, &url, || NOW);
            let Err(refused) = mirror.round().await else {
                // The pending head, bundles that came together, the head that is cosigned.
                assert!(sound >= 3, "{sound}");
                break;
            };
            assert_eq!(refused.kind(), "store");
            assert_eq!(size_shown(&mirror), None);
            let store = Arc::new(store.crash());
            let mut mirror = follower(&store, &url, || NOW);
            mirror.round().await.unwrap();
            check(&mirror, &store, &served);
        }
    }
}

#[tokio::test]
async fn a_clock_that_jumped_states_nothing_and_an_idle_head_gets_a_new_time() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    publish(&served, 300, 300);
    let mut wrong = follower(&store, &url, || NOW + 2 * 86_400);
    assert!(matches!(wrong.round().await, Err(RoundError::Clock(_))));
    assert_eq!(size_shown(&wrong), None);
    let times = [(NOW, NOW), (NOW + 599, NOW), (NOW + 600, NOW + 600)];
    let clocks: [fn() -> u64; 3] = [|| NOW, || NOW + 599, || NOW + 600];
    for ((now, stated), clock) in times.into_iter().zip(clocks) {
        let mut mirror = follower(&store, &url, clock);
        mirror.round().await.unwrap();
        let head = mirror.copied.shown.head.load_full().unwrap();
        let own = CosignerVerifier::new(keys().verifiers()).unwrap();
        let cosigned = own.verify(&head.note).unwrap();
        let at: Vec<u64> = cosigned.statements().iter().map(|said| said.at).collect();
        assert_eq!(at, [stated; 2], "at {now}");
    }
}

#[test]
fn a_log_that_is_removed_is_not_shown() {
    let shelf = Shelf::default();
    let follower = follower(&new_store(), "http://127.0.0.1:1", || NOW);
    let rows = follower.copied.shown.rows;
    shelf.put(follower.copied.clone());
    assert!(shelf.log(&rows.digest().to_hex()).is_some());
    shelf.remove(rows);
    assert!(shelf.log(&rows.digest().to_hex()).is_none());
}

/// The file beside the store is raised with the floor of the clock, and after it.
#[test]
fn an_older_copy_of_a_mirrors_store_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mirror.floor");
    let store = new_store();
    let older = store.crash();
    let floor = store::OWN.open(&*store, NAME).unwrap();
    let file = FloorFile::open(&path, floor).unwrap();
    let clock = MirrorClock::new(floor, Some(file), || NOW + 61);
    clock.keep(&*store).unwrap();
    let floor = store::OWN.open(&*store, NAME).unwrap();
    assert_eq!(floor.seconds(), NOW + 61);
    assert!(FloorFile::open(&path, floor).is_ok());
    let floor = store::OWN.open(&older, NAME).unwrap();
    let refused = FloorFile::open(&path, floor).unwrap_err();
    assert!(refused.to_string().contains("an older copy"), "{refused}");
    // A commit that fails does not raise it.
    let file = FloorFile::open(&path, ClockFloor::new(NOW + 61)).unwrap();
    let clock = MirrorClock::new(ClockFloor::new(NOW + 61), Some(file), || NOW + 200);
    store.fail_commit_after(0, Fault::NotPersisted);
    assert!(clock.commit(&*store, 0, |_, _| {}).is_err());
    let known = std::fs::read_to_string(&path).unwrap();
    assert_eq!(known, format!("{}\n", NOW + 61));
}

/// Whoever still has a log that is not mirrored any more writes nothing of it: it may be copied
/// anew meanwhile.
#[tokio::test]
async fn a_log_that_was_closed_is_not_written() {
    let follower = follower(&new_store(), "http://127.0.0.1:1", || NOW);
    follower.copied.with(|_| Ok(())).await.unwrap();
    follower.copied.close().await;
    let refused = follower.copied.with(|_| Ok(())).await.unwrap_err();
    assert!(matches!(refused, RoundError::Stopped), "{refused:?}");
    let refused = follower.copied.alone(|| Ok(())).await.unwrap_err();
    assert!(matches!(refused, RoundError::Stopped), "{refused:?}");
}
