//! A log that holds no Assay entries: nothing is asked of it but its checkpoint and tiles.

use super::{HOUR, NOW, Told, settings};
use crate::fake::{Fake, State, claim};
use assay_claims::misbehavior::{KnownKeys, VerifiedMisbehavior};
use assay_client::ask::LogAddress;
use assay_client::monitor::{Kind, LogMonitor, Phase, Seen, Settings, Watched};
use assay_client::remembered;
use assay_tlog::Hash;
use assay_tlog::head::LogVerifier;
use assay_tlog::tree::TreeSize;
use bytes::Bytes;
use std::{path::Path, sync::Arc};

/// A log whose entries are words, from the first one on.
async fn of(entries: u64, words: &str) -> Fake {
    let fake = Fake::start().await;
    *fake.state() = State::without_leaves();
    grow(&fake, 0, entries, words);
    fake
}

fn grow(fake: &Fake, from: u64, to: u64, words: &str) {
    for number in from..to {
        let entry = Bytes::from(format!("{words} {number}"));
        fake.state().append_entry(entry);
    }
}

/// A monitor of the log at an address, with mirrors.
fn open(fake: &Fake, folder: &Path, url: &str, mirrors: &[&str], more: &str) -> LogMonitor {
    let settings = Settings {
        replay_ms: 0,
        ..settings(fake, folder, more)
    };
    let watched = Watched {
        log: LogAddress {
            key: fake.log_key(),
            url: Some(url.to_owned()),
            older: Vec::new(),
            mirrors: mirrors.iter().map(|url| (*url).to_owned()).collect(),
        },
        tiles: None,
        is_foreign: true,
    };
    LogMonitor::open(Arc::new(settings), watched).unwrap()
}

async fn round(monitor: &mut LogMonitor, now_ms: u64) -> (Seen, Vec<(Kind, Phase)>) {
    let mut told = Told::default();
    let seen = monitor.round(now_ms, &mut told).await.unwrap();
    (seen, told.take())
}

/// What this machine keeps that convicts the log.
fn convicts(fake: &Fake, folder: &Path) -> Vec<String> {
    let log = LogVerifier::new(fake.log_key().name(), vec![fake.log_key()]).unwrap();
    let keys = KnownKeys {
        logs: vec![log],
        witnesses: vec![],
        mirrors: vec![],
    };
    let texts = remembered(folder).unwrap().into_iter();
    let found = texts.filter_map(|text| VerifiedMisbehavior::verify(&text, &keys).ok());
    found.map(|found| found.kind().to_string()).collect()
}

/// As it grows, nothing is told but that it stands still for too long.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_grows_and_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let fake = of(3, "entry").await;
    let url = &fake.http_url;
    let mut monitor = open(&fake, folder.path(), url, &[], "max_head_age = \"2h\"");
    for (now, size, expected) in [
        (NOW, 3, vec![]),
        (NOW + HOUR, 300, vec![]),
        (NOW + 3 * HOUR, 300, vec![]),
        (NOW + 4 * HOUR, 300, vec![(Kind::Frozen, Phase::Began)]),
        (NOW + 4 * HOUR, 301, vec![(Kind::Frozen, Phase::Ended)]),
    ] {
        let held = fake.state().size();
        grow(&fake, held, size, "entry");
        let (seen, told) = round(&mut monitor, now).await;
        assert_eq!(told, expected, "{now}");
        assert_eq!((seen.size, seen.replayed), (Some(size), size));
    }
    // A claim in it is one of its entries, and nobody's of ours.
    fake.state().append(&claim(2, 10));
    assert_eq!(round(&mut monitor, NOW + 4 * HOUR).await.1, []);
}

/// Its tiles show that it has another history, whichever size was seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_history_convicts_it() {
    for (size, kind) in [
        (4, "rewrite"),
        (5, "rewrite"),
        (300, "rewrite"),
        (600, "split"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let fake = of(size, "entry").await;
        let mut monitor = open(&fake, folder.path(), &fake.http_url, &[], "");
        assert_eq!(round(&mut monitor, NOW).await.1, []);
        drop(monitor);
        let fork = of(600, "fork").await;
        let mut monitor = open(&fake, folder.path(), &fork.http_url, &[], "");
        let (_, told) = round(&mut monitor, NOW).await;
        assert_eq!(told, [(Kind::TwoHistories, Phase::Began)], "{size}");
        assert_eq!(convicts(&fake, folder.path()), [kind], "{size}");
        assert_eq!(round(&mut monitor, NOW).await.1, []);
    }
}

/// A log that went back is told after a while, as one that withholds, and as one that does not
/// answer if nobody has the tiles that link its head.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_went_back_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let fake = of(300, "entry").await;
    let mut monitor = open(&fake, folder.path(), &fake.http_url, &[], "");
    assert_eq!(round(&mut monitor, NOW).await.1, []);
    drop(monitor);
    let back = of(200, "entry").await;
    let mut monitor = open(&fake, folder.path(), &back.http_url, &[], "");
    assert_eq!(round(&mut monitor, NOW).await.1, []);
    let unreachable = [(Kind::Unreachable, Phase::Began)];
    assert_eq!(round(&mut monitor, NOW + HOUR).await.1, unreachable);
    drop(monitor);

    // A mirror has them.
    let origin = fake.log_key().name().to_owned();
    let copy = format!("mirror/{}/", Hash::of(origin.as_bytes()));
    for path in ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"] {
        let tile = fake.state().http(path).unwrap();
        let at = format!("{copy}{path}");
        back.state().http.insert(at, Some(tile));
    }
    let mirrors = [&*back.http_url];
    let mut monitor = open(&fake, folder.path(), &back.http_url, &mirrors, "");
    let over = [(Kind::Unreachable, Phase::Ended)];
    assert_eq!(round(&mut monitor, NOW + HOUR).await.1, over);
    let frozen = [(Kind::Frozen, Phase::Began)];
    assert_eq!(round(&mut monitor, NOW + 2 * HOUR).await.1, frozen);
    grow(&back, 200, 300, "entry");
    let over = [(Kind::Frozen, Phase::Ended)];
    assert_eq!(round(&mut monitor, NOW + 2 * HOUR).await.1, over);
}

/// What is damaged on the way blames nobody, and what others have counts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_tiles_blame_nobody_and_mirrors_tell() {
    let folder = tempfile::tempdir().unwrap();
    let fake = of(300, "entry").await;
    let mut monitor = open(&fake, folder.path(), &fake.http_url, &[&fake.http_url], "");
    assert_eq!(round(&mut monitor, NOW).await.1, []);
    grow(&fake, 300, 400, "entry");
    let tile = "tile/0/001.p/144";
    let mut wrong = fake.state().http(tile).unwrap();
    wrong[0] ^= 1;
    fake.state().http.insert(tile.into(), Some(wrong));
    let false_answer = [(Kind::FalseAnswer, Phase::Began)];
    assert_eq!(round(&mut monitor, NOW).await.1, false_answer);
    assert_eq!(convicts(&fake, folder.path()), [] as [&str; 0]);
    fake.state().http.clear();
    let (seen, told) = round(&mut monitor, NOW).await;
    assert_eq!(told, [(Kind::FalseAnswer, Phase::Ended)]);
    assert_eq!(seen.size, Some(400));

    let fork = fake.state().sign(TreeSize::new(400), Hash::of(b"another"));
    let origin = fake.log_key().name().to_owned();
    let at = format!("mirror/{}/checkpoint", Hash::of(origin.as_bytes()));
    fake.state().http.insert(at, Some(fork.into_bytes()));
    let told = round(&mut monitor, NOW).await.1;
    assert_eq!(told, [(Kind::TwoHistories, Phase::Began)]);
    assert_eq!(convicts(&fake, folder.path()), ["split"]);
}
