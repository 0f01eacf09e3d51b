//! What the log does not serve, other mirrors have.

use super::*;
use crate::misbehavior::{Evidence, known::Known};
use assay_tlog::tlog_policy::TlogPolicy;

/// A mirror of the log at `url`, whose peers publish their copies at these addresses.
fn beside(store: &Arc<Memory>, url: &str, peers: &[&String]) -> Follower<Memory> {
    let mut mirror = follower(store, url, || NOW);
    let copied = Arc::get_mut(&mut mirror.copied).unwrap();
    let shared = Arc::get_mut(&mut copied.shared).unwrap();
    let http = site::client().unwrap();
    let sites: Vec<Site> = peers
        .iter()
        .map(|url| Site::new(http.clone(), url))
        .collect();
    shared.mirrors = Box::new(move |_| sites.clone());
    mirror
}

/// Publishes the tree of a size somewhere. Returns what is served, and where.
async fn published(size: u64, forked: u64) -> (Served, String) {
    let served = Served::default();
    publish(&served, size, forked);
    let url = serve(served.clone()).await;
    (served, url)
}

const NOWHERE: &str = "http://127.0.0.1:1";

#[tokio::test]
async fn a_log_that_is_gone_is_copied_from_another_mirror() {
    let store = new_store();
    let (_, smaller) = published(300, 300).await;
    let (largest, larger) = published(700, 700).await;
    let mut mirror = beside(&store, NOWHERE, &[&smaller, &larger, &smaller]);
    // The operator is told that the log does not answer, all the same.
    let refused = mirror.round().await.unwrap_err();
    assert_eq!(refused.kind(), "unreachable");
    assert_eq!(size_shown(&mirror), Some(700));
    check(&mirror, &store, &largest);
    assert_eq!((mirror.failures, mirror.useless.len()), (0, 0));
    // Nothing is left to be brought, and nobody who is behind is blamed.
    mirror.failures = 5;
    mirror.round().await.unwrap_err();
    assert_eq!((mirror.failures, mirror.useless.len()), (5, 0));
    assert_eq!(size_shown(&mirror), Some(700));
}

/// The log signs a head and serves other entries than it signed, so that its own head cannot be
/// copied. What others have of it is smaller than that, or as large, or larger.
#[tokio::test]
async fn a_log_that_serves_wrong_entries_is_copied_from_another_mirror() {
    for size in [255, 256, 400, 600, 699, 700, 900] {
        let store = new_store();
        let (log, url) = published(700, 700).await;
        log.lock().unwrap().flipped = Some("tile/entries/000".into());
        let (copy, peer) = published(size, size).await;
        let mut mirror = beside(&store, &url, &[&peer]);
        let refused = mirror.round().await.unwrap_err();
        assert_eq!(refused.kind(), "source");
        assert_eq!(size_shown(&mirror), Some(size), "{size}");
        check(&mirror, &store, &copy);
        // Once the log is itself again, it is followed as before.
        log.lock().unwrap().flipped = None;
        publish(&log, 950, 950);
        mirror.round().await.unwrap();
        check(&mirror, &store, &log);
    }
}

/// Tiles that lead to no root, an old head, and a checkpoint of another key: another one is asked,
/// of the log as of mirrors.
#[tokio::test]
async fn whoever_lies_is_passed_over_and_named() {
    let store = new_store();
    let (log, url) = published(300, 300).await;
    let (good, right) = published(700, 700).await;
    let mut mirror = beside(&store, &url, &[]);
    mirror.round().await.unwrap();
    let (edge, edge_url) = published(700, 700).await;
    edge.lock().unwrap().flipped = Some("tile/1/000.p/2".into());
    let (note, note_url) = published(700, 700).await;
    note.lock().unwrap().flipped = Some("checkpoint".into());
    let (entries, entries_url) = published(700, 700).await;
    entries.lock().unwrap().flipped = Some("tile/entries/001".into());
    publish(&log, 299, 299);
    let peers = [&edge_url, &note_url, &entries_url, &right];
    drop(mirror);
    let mut mirror = beside(&store, &url, &peers);
    let refused = mirror.round().await.unwrap_err();
    assert_eq!(refused.kind(), "old_head");
    assert_eq!(size_shown(&mirror), Some(700));
    check(&mirror, &store, &good);
    let kinds = [
        (&edge_url, "source"),
        (&note_url, "checkpoint"),
        (&entries_url, "source"),
    ];
    for (url, kind) in kinds {
        assert_eq!(mirror.useless.get(url), Some(&kind), "{:?}", mirror.useless);
    }
    assert_eq!(mirror.useless.len(), 3);
}

/// What a mirror has of a log that signed two histories convicts the log, and not the mirror.
#[tokio::test]
async fn a_fork_is_found_at_another_mirror() {
    for (size, forked) in [(300, 7), (600, 299), (200, 7)] {
        let store = new_store();
        let (_, url) = published(300, 300).await;
        beside(&store, &url, &[]).round().await.unwrap();
        let (_, peer) = published(size, forked).await;
        let mut mirror = beside(&store, NOWHERE, &[&peer]);
        let refused = mirror.round().await.unwrap_err();
        assert_eq!(refused.kind(), "fork", "{size}");
        mirror.copied.with(|_| Ok(())).await.unwrap();
        assert_eq!(size_shown(&mirror), Some(300));
    }
}

/// A head that waits for its entries, and a smaller one of another history: the larger tree shows
/// it.
#[tokio::test]
async fn a_fork_below_a_head_that_waits_is_found() {
    let store = new_store();
    let (log, url) = published(700, 700).await;
    log.lock().unwrap().flipped = Some("tile/entries/000".into());
    let (_, peer) = published(400, 3).await;
    let mut mirror = beside(&store, &url, &[&peer]);
    let refused = mirror.round().await.unwrap_err();
    assert!(
        matches!(refused, RoundError::Fork(Fork::Rewrite(_))),
        "{refused:?}"
    );
    assert_eq!(size_shown(&mirror), None);
}

/// A head waits for its entries, and the log's tiles, which say what it begins with, are wrong by
/// now: nothing is mirrored, and the peer who has a smaller head is not blamed.
#[tokio::test]
async fn a_peer_is_not_blamed_for_the_tiles_of_the_log() {
    let store = new_store();
    let (log, url) = published(700, 700).await;
    log.lock().unwrap().flipped = Some("tile/entries/000".into());
    let refused = beside(&store, &url, &[]).round().await.unwrap_err();
    assert_eq!(refused.kind(), "source");
    log.lock().unwrap().flipped = Some("tile/1/000.p/2".into());
    let (copy, peer) = published(400, 400).await;
    let mut mirror = beside(&store, &url, &[&peer]);
    mirror.round().await.unwrap_err();
    assert_eq!(size_shown(&mirror), None);
    assert!(mirror.useless.is_empty(), "{:?}", mirror.useless);
    // With the right tiles it is shown.
    log.lock().unwrap().flipped = Some("tile/entries/000".into());
    mirror.round().await.unwrap_err();
    check(&mirror, &store, &copy);
}

/// A line that a known witness did not write is not shown: readers who know the witness would
/// refuse the whole head, for as long as the log is gone.
#[tokio::test]
async fn a_forged_line_of_a_known_witness_is_left_out() {
    let line_of = |note: &str| note.lines().nth(5).map(str::to_owned).unwrap();
    for (is_forged, is_known) in [(true, true), (true, false), (false, true)] {
        let (copy, peer) = published(300, 300).await;
        let note = String::from_utf8(copy.lock().unwrap().files["checkpoint"].clone()).unwrap();
        let mut line = line_of(&note);
        if is_forged {
            line.replace_range(line.len() - 6..line.len() - 2, "AAAA");
            let forged = note.replace(&line_of(&note), &line);
            copy.lock()
                .unwrap()
                .files
                .insert("checkpoint".into(), forged.into());
        }
        let mut known = Known::default();
        if is_known {
            let witness = witness_key().verifier();
            let policy = format!(
                "log {}\nwitness w {witness}\nquorum w\n",
                log_key().verifier()
            );
            known.policy(&TlogPolicy::parse(&policy).unwrap());
        }
        let folder = tempfile::tempdir().unwrap();
        let evidence = Evidence::open(&[folder.path()], known).unwrap();
        let mut mirror = beside(&new_store(), NOWHERE, &[&peer]);
        let copied = Arc::get_mut(&mut mirror.copied).unwrap();
        Arc::get_mut(&mut copied.shared).unwrap().evidence = Some(Arc::new(evidence));
        mirror.round().await.unwrap_err();
        let head = mirror.copied.shown.head.load_full().unwrap();
        let is_shown = head.note.contains(&line);
        assert_eq!(is_shown, !(is_forged && is_known), "{}", head.note);
    }
}
