//! An audit finds every way in which published tiles can be wrong.

use crate::fake::{Fake, claim, registration};
use assay_client::audit::{self, AuditError, Audited, Mode, Options};
use assay_core::{Hash, entry, note::VerifiedCheckpoint, tree::TreeSize};
use std::sync::{Arc, Mutex};

const SIZE: u64 = 600;

/// A log of `size` entries by two issuers.
async fn log(size: u64) -> Fake {
    let fake = Fake::start().await;
    fake.state().append(&registration(1));
    fake.state().append(&registration(2));
    for number in 2..size {
        fake.state().append(&claim(1 + (number % 2) as u8, number));
    }
    fake
}

async fn run(fake: &Fake, options: Options) -> Result<Audited, AuditError> {
    audit::run(&fake.http_url, &fake.log_key(), options, |_| ()).await
}

fn hashes_only() -> Options {
    Options { mode: Mode::HashesOnly, in_flight: 3, ..Options::default() }
}

fn verified(fake: &Fake, note: &str) -> VerifiedCheckpoint {
    VerifiedCheckpoint::verify(note, &fake.log_key()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_log_of_any_size_passes() {
    let fake = log(SIZE).await;
    for size in [0, 1, 2, 255, 256, 257, 511, 512, 513, SIZE] {
        let note = fake.state().checkpoint_at(size);
        fake.state().checkpoint = Some(note);
        let last = Arc::new(Mutex::new((0, 0)));
        let seen = last.clone();
        let progress = move |p: audit::Progress| *seen.lock().unwrap() = (p.done, p.total);
        let audited = audit::run(&fake.http_url, &fake.log_key(), Options::default(), progress).await.unwrap();
        assert_eq!(audited.checkpoint().size(), TreeSize::new(size));
        assert_eq!(*last.lock().unwrap(), (size, size));
        assert_eq!(audited.issuers(), size.min(2));
        // Level 0, and above it one tile once a tile below is full.
        assert_eq!(audited.tiles(), size.div_ceil(256) + u64::from(size >= 256));
        assert!(run(&fake, hashes_only()).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partial_tile_that_is_gone_is_read_from_the_full_one() {
    let fake = log(SIZE).await;
    let note = fake.state().checkpoint_at(300);
    fake.state().checkpoint = Some(note);
    for gone in ["tile/entries/001.p/44", "tile/0/001.p/44"] {
        fake.state().http.insert(gone.into(), None);
    }
    assert!(run(&fake, Options::default()).await.is_ok());
    fake.state().http.insert("tile/entries/001".into(), None);
    assert!(matches!(run(&fake, hashes_only()).await, Err(AuditError::Unavailable { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_changed_resource_is_found() {
    let fake = log(SIZE).await;
    let resources = [
        "tile/entries/000",
        "tile/entries/001",
        "tile/entries/002.p/88",
        "tile/0/000",
        "tile/0/002.p/88",
        "tile/1/000.p/2",
    ];
    for path in resources {
        let url = format!("{}/{path}", fake.http_url);
        let honest = reqwest::get(url).await.unwrap().bytes().await.unwrap().to_vec();
        let last = honest.len() - 1;
        let mut changed = honest.clone();
        changed[last] ^= 1;
        let shorter = honest[..last].to_vec();
        let longer = [&honest[..], &[0]].concat();
        for wrong in [changed, shorter, longer, vec![]] {
            fake.state().http.insert(path.into(), Some(wrong));
            let error = run(&fake, hashes_only()).await.unwrap_err();
            assert!(matches!(error, AuditError::Bundle { .. } | AuditError::Tile { .. }), "{path}: {error:?}");
        }
        fake.state().http.remove(path);
    }
    assert!(run(&fake, hashes_only()).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_root_that_does_not_follow_is_found() {
    let fake = log(300).await;
    let note = fake.state().sign(TreeSize::new(300), Hash::of(b"x"));
    fake.state().checkpoint = Some(note);
    assert!(matches!(run(&fake, hashes_only()).await, Err(AuditError::Root { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_head_seen_before_must_be_in_the_log() {
    let fake = log(SIZE).await;
    for size in [0, 1, 255, 256, 257, 599, SIZE] {
        let note = fake.state().checkpoint_at(size);
        let known = verified(&fake, &note);
        let audited = run(&fake, Options { known: Some(known), ..hashes_only() }).await.unwrap();
        assert_eq!(audited.contains_known(), Some(TreeSize::new(size)));
        let note = fake.state().sign(TreeSize::new(size), Hash::of(b"x"));
        let other = verified(&fake, &note);
        let error = run(&fake, Options { known: Some(other), ..hashes_only() }).await.unwrap_err();
        match size {
            SIZE => assert!(matches!(error, AuditError::Fork { .. }), "{error:?}"),
            _ => assert!(matches!(error, AuditError::NotAnExtension { .. }), "{size}: {error:?}"),
        }
    }
    // A log that lags is compared with nothing.
    let note = fake.state().checkpoint_at(SIZE);
    let known = verified(&fake, &note);
    let older = fake.state().checkpoint_at(20);
    fake.state().checkpoint = Some(older);
    let audited = run(&fake, Options { known: Some(known), ..hashes_only() }).await.unwrap();
    assert_eq!(audited.contains_known(), None);
}

/// The error of a full audit of a log with one more entry, which the hashes do not find.
async fn full_audit_with(fake: &Fake, entry: bytes::Bytes) -> String {
    fake.state().append_entry(entry);
    assert!(run(fake, hashes_only()).await.is_ok());
    match run(fake, Options::default()).await.unwrap_err() {
        AuditError::Entry { index: 2, reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_audit_finds_what_should_not_have_been_appended() {
    let mut forged = claim(1, 5);
    forged.signatures[0].signature = vec![0; 64].into();
    let cases = [
        (bytes::Bytes::from_static(b"no entry"), "no assay.v1.Entry"),
        (entry::encode(5_000, forged).unwrap(), "signature 1"),
        (entry::encode(5_000, claim(9, 5)).unwrap(), "not registered"),
        (entry::encode(5_000, registration(1)).unwrap(), "registered already"),
        (entry::encode(1, claim(1, 5)).unwrap(), "logged before"),
    ];
    for (entry, words) in cases {
        let reason = full_audit_with(&log(2).await, entry).await;
        assert!(reason.contains(words), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_audit_finds_a_claim_that_stands_twice() {
    let fake = log(5).await;
    fake.state().append_entry(entry::encode(9_000, claim(1, 4)).unwrap());
    match run(&fake, Options::default()).await.unwrap_err() {
        AuditError::Entry { index: 5, reason } => assert!(reason.contains("twice"), "{reason}"),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_or_address_is_not_an_audit() {
    let fake = log(2).await;
    let other = assay_core::note::SignerKey::from_seed("fake.example/log", &[8; 32]).unwrap().verifier();
    let error = audit::run(&fake.http_url, &other, hashes_only(), |_| ()).await.unwrap_err();
    assert!(matches!(error, AuditError::Checkpoint(_)), "{error:?}");
    let error = audit::run("fake.example", &other, hashes_only(), |_| ()).await.unwrap_err();
    assert!(matches!(error, AuditError::Usage(_)), "{error:?}");
    let error = audit::run("http://127.0.0.1:1", &other, hashes_only(), |_| ()).await.unwrap_err();
    assert!(matches!(error, AuditError::Unavailable { .. }), "{error:?}");
}
