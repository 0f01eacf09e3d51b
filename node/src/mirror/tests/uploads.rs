//! What strangers can have happen to a copy by uploads, and what a conviction ends.

use super::*;
use crate::api::app::ADD_ENTRIES;
use crate::api::peer::Peer;
use crate::held::{Held, Limits};
use crate::mirror::copy::Copy;
use crate::mirror::upload::router;
use crate::misbehavior::{Evidence, against, known::Known};
use crate::quota::Senders;
use assay_tlog::mirror::{AppendError, Followed, Package, Upload, UploadHeader, VerifiedTree};
use assay_tlog::witness::{Answer, Request, WitnessedLog};
use futures::{FutureExt as _, StreamExt as _};
use std::{convert::Infallible, net::SocketAddr};
use tower::ServiceExt as _;

/// The head that is published.
fn note(served: &Served) -> String {
    let published = served.lock().unwrap();
    String::from_utf8(published.files["checkpoint"].clone()).unwrap()
}

fn log() -> LogVerifier {
    LogVerifier::new(ORIGIN, vec![log_key().verifier()]).unwrap()
}

/// Makes what is published pending, from nothing, and accepts an upload of all its entries, which
/// are in one bundle.
fn accept(copy: &mut Copy<Memory>, served: &Served) -> Upload {
    let head = log().verify(&note(served)).unwrap();
    let known = WitnessedLog::new(log(), &keys()).unwrap();
    let body = Request::body(TreeSize::EMPTY, &[], head.note());
    let request = Request::parse(body.as_bytes()).unwrap().verify(&known);
    let added = copy.add_checkpoint(&request.unwrap()).unwrap();
    assert!(added.is_ok(), "{added:?}");
    let header = UploadHeader::new(ORIGIN, 0..head.size().get(), b"").unwrap();
    copy.accept(header, None).unwrap()
}

/// Brings all entries of an upload.
fn bring(copy: &mut Copy<Memory>, served: &Served, upload: &Upload) {
    let size = upload.head().size();
    let width = TileIndex { level: 0, index: 0 }.width_at(size);
    let path = TilePath::new(Resource::Entries(0), width).unwrap();
    let bytes = served.lock().unwrap().files[&path.to_path()].clone();
    let package = Package::new(bytes, Vec::new()).unwrap();
    let bundle = upload.verify(0..size.get(), &[], package).unwrap();
    copy.append_package(upload, bundle).unwrap();
}

/// A mirror of the log, and what it is convicted by.
fn judged(folder: &std::path::Path, url: &str) -> (Follower<Memory>, Arc<Evidence>) {
    let mut known = Known::default();
    known.log(&log_key().verifier());
    let evidence = Arc::new(Evidence::open(&[folder], known).unwrap());
    let mut mirror = follower(&new_store(), url, || NOW);
    let copied = Arc::get_mut(&mut mirror.copied).unwrap();
    Arc::get_mut(&mut copied.shared).unwrap().evidence = Some(evidence.clone());
    (mirror, evidence)
}

/// Sends the beginning of an upload, of which nothing more comes. Returns what is answered.
async fn begin(mirror: &Follower<Memory>, bytes: Vec<u8>) -> StatusCode {
    let shelf = Arc::new(Shelf::default());
    shelf.put(mirror.copied.clone());
    let held = Held::new(Limits {
        bytes: 1 << 20,
        connections: 16,
        stall: Duration::from_secs(20),
        shared: Vec::new(),
    });
    let address: SocketAddr = "192.0.2.1:1".parse().unwrap();
    let account = held.connection(address.ip());
    let pieces = stream::iter([Ok::<_, Infallible>(bytes)]).chain(stream::pending());
    let request = axum::http::Request::post(ADD_ENTRIES)
        .header(header::CONTENT_TYPE, "application/octet-stream")
        .extension(Peer { address, account })
        .body(Body::from_stream(pieces));
    let router = router(shelf, Senders::new(&[]));
    router.oneshot(request.unwrap()).await.unwrap().status()
}

/// Nothing else of its upload is waited for.
#[tokio::test]
async fn a_convicted_log_is_refused_once_it_has_named_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (mirror, evidence) = judged(folder.path(), "http://127.0.0.1:1");
    let header = UploadHeader::new(ORIGIN, 0..1, b"").unwrap().to_bytes();
    let named = &header[..2 + ORIGIN.len()];
    let begun = begin(&mirror, named.to_vec()).now_or_never();
    assert_eq!(begun, None, "it is waited for");
    let served = Served::default();
    let [one, other] = [200, 7].map(|forked| {
        publish(&served, 200, forked);
        log().verify(&note(&served)).unwrap()
    });
    let found = against(Some(&one), &other).unwrap();
    evidence.keep(&found).unwrap();
    let begun = begin(&mirror, named.to_vec()).await;
    assert_eq!(begun, StatusCode::FORBIDDEN);
}

/// A log that is convicted while it uploads is not cosigned.
#[tokio::test]
async fn a_conviction_ends_an_upload() {
    for convicted in [false, true] {
        let (served, folder) = (Served::default(), tempfile::tempdir().unwrap());
        let (mirror, evidence) = judged(folder.path(), "http://127.0.0.1:1");
        publish(&served, 200, 7);
        let other = log().verify(&note(&served)).unwrap();
        publish(&served, 200, 200);
        let head = log().verify(&note(&served)).unwrap();
        let answer = mirror.copied.with(move |copy| {
            let upload = accept(copy, &served);
            bring(copy, &served, &upload);
            if convicted {
                let found = against(Some(&head), &other).unwrap();
                evidence.keep(&found).unwrap();
            }
            copy.complete_upload(&upload)
        });
        let Answer { status, .. } = answer.await.unwrap();
        let expected = if convicted {
            (403, None)
        } else {
            (200, Some(200))
        };
        assert_eq!((status, size_shown(&mirror)), expected);
    }
}

/// An upload that another one has overtaken is told so, and nobody is alarmed.
#[tokio::test]
async fn an_upload_that_was_overtaken_is_told_so() {
    let store = new_store();
    let mirror = follower(&store, "http://127.0.0.1:1", || NOW);
    let answer = mirror.copied.with(|copy| {
        let served = Served::default();
        publish(&served, 100, 100);
        let first = accept(copy, &served);
        // The tree of 200 entries begins with it.
        let (second, head) = (Served::default(), first.head().clone());
        publish(&second, 200, 200);
        let upload = later(copy, &second, head.size());
        bring(copy, &second, &upload);
        assert_eq!(copy.complete_upload(&upload)?.status, 200);
        bring(copy, &served, &first);
        copy.complete_upload(&first)
    });
    let answer = answer.await.unwrap();
    assert_eq!((answer.status, size_shown(&mirror)), (409, Some(200)));
}

/// The tree that is published.
fn tree(served: &Served) -> VerifiedTree {
    let head = log().verify(&note(served)).unwrap();
    let edge = VerifiedTree::edge(head.size());
    let tiles = edge.iter().filter_map(|path| {
        let bytes = served.lock().unwrap().files.get(&path.to_path())?.clone();
        let is_tile = matches!(path.resource(), Resource::Tile(_));
        is_tile.then(|| assay_tlog::tree::Tile::parse(&bytes).unwrap())
    });
    VerifiedTree::new(head, tiles.collect()).unwrap()
}

/// Makes a head pending that extends the one held, as the follower does, and accepts its upload.
fn later(copy: &mut Copy<Memory>, served: &Served, from: TreeSize) -> Upload {
    let tree = tree(served);
    assert!(from < tree.size());
    assert_eq!(copy.follow(&tree).unwrap(), Followed::Pending);
    let header = UploadHeader::new(ORIGIN, 0..tree.size().get(), b"").unwrap();
    copy.accept(header, None).unwrap()
}

/// What strangers can have fail does not have the copy loaded again.
#[tokio::test]
async fn a_copy_stays_loaded_for_want_of_room() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    publish(&served, 300, 300);
    let mut mirror = follower(&store, &url, || NOW);
    mirror.round().await.unwrap();
    let is_loaded = || mirror.copied.shown.held.load().is_some();
    let limits = LogLimits { entries: 1, gib: 0 };
    let failed = mirror.copied.with(move |_| {
        limits.check_size(TreeSize::new(2))?;
        Ok(())
    });
    assert_eq!(failed.await.unwrap_err().kind(), "limit");
    assert!(is_loaded());
    let failed = mirror
        .copied
        .with(|_| Err::<(), _>(RoundError::Unproven(TreeSize::new(2))));
    assert_eq!(failed.await.unwrap_err().kind(), "source");
    assert!(!is_loaded());
    mirror.copied.with(|_| Ok(())).await.unwrap();
    assert!(is_loaded());
}

/// A request for the checkpoint copies nothing of it.
#[tokio::test]
async fn who_is_sent_a_checkpoint_shares_its_bytes() {
    let (served, store) = (Served::default(), new_store());
    let url = serve(served.clone()).await;
    let mut mirror = follower(&store, &url, || NOW);
    let mut before = None;
    for size in [300, 301] {
        publish(&served, size, size);
        mirror.round().await.unwrap();
        let [first, second] = [(); 2].map(|()| mirror.copied.shown.note().unwrap());
        assert_eq!(first.as_ptr(), second.as_ptr());
        let head = mirror.copied.shown.head.load_full().unwrap();
        assert_eq!(first, head.note);
        assert_ne!(before.replace(first), Some(second));
    }
}

/// The log may have shown a larger one since the tree was fetched. Nobody is blamed.
#[tokio::test]
async fn a_smaller_head_is_followed_only_by_the_tree_that_is_held() {
    let mirror = follower(&new_store(), "http://127.0.0.1:1", || NOW);
    let followed = mirror.copied.with(|copy| {
        let trees = [50, 100, 200].map(|size| {
            let served = Served::default();
            publish(&served, size, size);
            tree(&served)
        });
        let [smaller, overtaken, held] = trees;
        assert_eq!(copy.follow(&overtaken)?, Followed::Pending);
        let before = copy.follow_smaller(smaller.head(), &overtaken)?;
        assert_eq!(copy.follow(&held)?, Followed::Pending);
        let after = copy.follow_smaller(smaller.head(), &overtaken);
        Ok((before, after))
    });
    let (before, after) = followed.await.unwrap();
    assert_eq!(before, Followed::Pending);
    let is_told = matches!(after, Err(RoundError::Append(AppendError::OtherTree)));
    assert!(is_told, "{after:?}");
}
