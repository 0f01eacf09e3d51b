//! An audit finds every way in which published tiles can be wrong.

mod index;

use crate::fake::{Fake, claim, id, key, record, registration};
use assay_claims::entry::{self, Entry, wire};
use assay_claims::index::labels_of_entry;
use assay_claims::issuer::IssuerId;
use assay_client::audit::{self, AuditError, Audited, Mode, Options};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::TreeSize;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
};

const SIZE: u64 = 600;

/// A log of `size` entries, claims by two issuers and a commitment after every six of them and at
/// the end.
async fn log(size: u64) -> Fake {
    let fake = Fake::start().await;
    for leaf in 1..size {
        let mut state = fake.state();
        match leaf {
            _ if leaf == size - 1 || leaf % 7 == 0 => state.commit(),
            1 | 2 => drop(state.append(&registration(leaf as u8))),
            _ => drop(state.append(&claim(1 + (leaf % 2) as u8, leaf))),
        }
    }
    assert_eq!(fake.state().size(), size);
    fake
}

/// How many labels the entries of a log have.
fn labels(fake: &Fake) -> u64 {
    fake.state()
        .entries
        .iter()
        .flat_map(|bytes: &bytes::Bytes| labels_of_entry(&Entry::parse(bytes.clone()).unwrap()))
        .collect::<BTreeSet<_>>()
        .len() as u64
}

async fn run(fake: &Fake, options: Options) -> Result<Audited, AuditError> {
    audit::run(&fake.http_url, &fake.log_key(), options, |_| ()).await
}

fn hashes_only() -> Options {
    Options {
        mode: Mode::HashesOnly,
        in_flight: 3,
        ..Options::default()
    }
}

fn verified(fake: &Fake, note: &str) -> VerifiedCheckpoint {
    VerifiedCheckpoint::verify(note, &fake.log_key()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_log_of_any_size_passes() {
    for size in [1, 2, 3, 4, 255, 256, 257, 511, 512, 513, SIZE] {
        let fake = log(size).await;
        let last = Arc::new(Mutex::new((0, 0)));
        let seen = last.clone();

        let audited = audit::run(
            &fake.http_url,
            &fake.log_key(),
            Options::default(),
            move |p: audit::Progress| *seen.lock().unwrap() = (p.done, p.total),
        )
        .await
        .unwrap();
        assert_eq!(audited.checkpoint().size(), TreeSize::new(size));
        assert_eq!(*last.lock().unwrap(), (size, size));
        assert_eq!(audited.issuers(), size.saturating_sub(2).min(2));
        assert_eq!(audited.labels(), labels(&fake));
        // Level 0, and above it one tile once a tile below is full.
        assert_eq!(audited.tiles(), size.div_ceil(256) + u64::from(size >= 256));
        assert!(run(&fake, hashes_only()).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partial_tile_that_is_gone_is_read_from_the_full_one() {
    let fake = log(SIZE).await;
    // Leaf 301 is a commitment.
    let note = fake.state().checkpoint_at(302);
    fake.state().checkpoint = Some(note);
    for gone in ["tile/entries/001.p/46", "tile/0/001.p/46"] {
        fake.state().http.insert(gone.into(), None);
    }
    assert!(run(&fake, Options::default()).await.is_ok());
    fake.state().http.insert("tile/entries/001".into(), None);
    assert!(matches!(
        run(&fake, hashes_only()).await,
        Err(AuditError::Unavailable { .. })
    ));
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
        let honest = reqwest::get(url)
            .await
            .unwrap()
            .bytes()
            .await
            .unwrap()
            .to_vec();
        let last = honest.len() - 1;
        let mut changed = honest.clone();
        changed[last] ^= 1;
        let shorter = honest[..last].to_vec();
        let longer = [&honest[..], &[0]].concat();
        for wrong in [changed, shorter, longer] {
            fake.state().http.insert(path.into(), Some(wrong));
            let error = run(&fake, hashes_only()).await.unwrap_err();
            assert!(
                matches!(error, AuditError::Bundle { .. } | AuditError::Tile { .. }),
                "{path}: {error:?}"
            );
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
    assert!(matches!(
        run(&fake, hashes_only()).await,
        Err(AuditError::Root { .. })
    ));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_head_seen_before_must_be_in_the_log() {
    let fake = log(SIZE).await;
    for size in [0, 1, 255, 256, 257, 599, SIZE] {
        let note = fake.state().checkpoint_at(size);
        let known = verified(&fake, &note);
        let audited = run(
            &fake,
            Options {
                known: Some(known),
                ..hashes_only()
            },
        )
        .await
        .unwrap();
        assert_eq!(audited.contains_known(), Some(TreeSize::new(size)));
        let note = fake.state().sign(TreeSize::new(size), Hash::of(b"x"));
        let other = verified(&fake, &note);
        let error = run(
            &fake,
            Options {
                known: Some(other),
                ..hashes_only()
            },
        )
        .await
        .unwrap_err();
        match size {
            SIZE => assert!(matches!(error, AuditError::Fork { .. }), "{error:?}"),
            _ => assert!(
                matches!(error, AuditError::NotAnExtension { .. }),
                "{size}: {error:?}"
            ),
        }
    }
    // A log that lags is compared with nothing, which is told from having seen nothing.
    let note = fake.state().checkpoint_at(SIZE);
    let known = verified(&fake, &note);
    let older = fake.state().checkpoint_at(20);
    fake.state().checkpoint = Some(older);
    let audited = run(
        &fake,
        Options {
            known: Some(known),
            ..hashes_only()
        },
    )
    .await
    .unwrap();
    assert_eq!(audited.contains_known(), None);
    assert_eq!(audited.behind_known(), Some(TreeSize::new(SIZE)));
    let first = run(&fake, hashes_only()).await.unwrap();
    assert_eq!((first.contains_known(), first.behind_known()), (None, None));
}

/// No page that says why there is no log is evidence against one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_answer_of_a_log_is_not_held_against_it() {
    let fake = log(300).await;
    let page = b"\n<!DOCTYPE html>\n<title>Back soon</title>".to_vec();
    let (tile, bundle) = ("tile/0/000", "tile/entries/000");
    for (path, answer, words) in [
        ("checkpoint", None, "has no checkpoint there"),
        ("checkpoint", Some(vec![]), "an empty answer"),
        ("checkpoint", Some(page.clone()), "a web page"),
        ("checkpoint", Some(b"{\"up\":0}".to_vec()), "no checkpoint"),
        ("checkpoint", Some(b"\xff\xfe".to_vec()), "no checkpoint"),
        (tile, None, "does not serve it"),
        (tile, Some(vec![]), "an empty answer"),
        (bundle, Some(page.clone()), "a web page"),
    ] {
        fake.state().http.insert(path.into(), answer);
        let error = run(&fake, hashes_only()).await.unwrap_err();
        assert!(
            matches!(&error, AuditError::Unavailable { what, .. } if what.contains(words)),
            "{path}, {words}: {error:?}"
        );
        fake.state().http.remove(path);
    }
    // What begins as the log's checkpoint and is none was changed, by whomever.
    let note = fake.state().checkpoint_at(300);
    let cut = note[..note.len() - 9].to_owned();
    for (changed, is_respelled) in [(cut, false), (note.replace('\n', "\r\n"), true)] {
        let answer = Some(changed.into_bytes());
        fake.state().http.insert("checkpoint".into(), answer);
        match run(&fake, hashes_only()).await.unwrap_err() {
            AuditError::Checkpoint(_) => assert!(!is_respelled),
            AuditError::Respelled { .. } => assert!(is_respelled),
            error => panic!("{error:?}"),
        }
    }
}

/// The error of a full audit of a log with one more entry, which the hashes do not find.
async fn full_audit_with(fake: &Fake, entry: bytes::Bytes) -> String {
    fake.state().append_entry(entry);
    assert!(run(fake, hashes_only()).await.is_ok());
    match run(fake, Options::default()).await.unwrap_err() {
        AuditError::Entry { index: 4, reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_audit_finds_what_should_not_have_been_appended() {
    let mut forged = claim(1, 5);
    forged.signatures[0].signature = vec![0; 64].into();
    let cases = [
        (
            bytes::Bytes::from_static(b"no entry"),
            "not an assay.v1.Entry",
        ),
        (entry::encode(5_000, forged).unwrap(), "signature 1"),
        (
            entry::encode(5_000, signed_for(id(1), 9, 5)).unwrap(),
            "is no key of issuer",
        ),
        (
            entry::encode(5_000, signed_for(id(8), 9, 5)).unwrap(),
            "not registered",
        ),
        (
            entry::encode(5_000, record(9, 1, None)).unwrap(),
            "make the issuer id",
        ),
        (
            entry::encode(5_000, registration(1)).unwrap(),
            "registered already",
        ),
        (entry::encode(1, claim(1, 5)).unwrap(), "logged before"),
    ];
    for (entry, words) in cases {
        let reason = full_audit_with(&log(4).await, entry).await;
        assert!(reason.contains(words), "{reason}");
    }
}

/// Claim `number` as [`claim`] makes it, signed for `issuer` by the key `seed`.
fn signed_for(issuer: IssuerId, seed: u8, number: u64) -> wire::Claim {
    let mut claim = claim(seed, number);
    claim.signatures[0].issuer_id = issuer.as_bytes().to_vec().into();
    claim
}

/// What a full audit says of a log of six leaves, in which leaf 4 is claim 4 by issuer 1, with one
/// more.
async fn seventh(added: &wire::Claim) -> Result<Audited, String> {
    let fake = log(6).await;
    fake.state().append(added);
    fake.state().commit();
    match run(&fake, Options::default()).await {
        Err(AuditError::Entry { index: 6, reason }) => Err(reason),
        other => Ok(other.unwrap()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_audit_finds_a_leaf_without_a_new_key() {
    let again = claim(1, 4);
    let mut with_stranger = again.clone();
    with_stranger
        .signatures
        .extend(claim(9, 4).signatures.iter().cloned());
    for added in [&again, &with_stranger] {
        let reason = seventh(added).await.unwrap_err();
        assert!(
            reason.contains("twice") && reason.contains(&id(1).to_hex()),
            "{reason}"
        );
    }
    // The stranger alone is no repetition: its signature is new.
    assert!(seventh(&claim(9, 4)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_takes_any_signature_passes_an_audit() {
    let fake = log(50).await;
    for number in 100..120 {
        fake.state().append(&claim(9, number));
    }
    fake.state().commit();
    let audited = run(&fake, Options::default()).await.unwrap();
    assert_eq!(audited.issuers(), 2, "nobody is registered by a claim");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_audit_finds_records_that_break_the_rules() {
    let record_of = |claim: &wire::Claim| assay_claims::claim::ClaimId::of_payload(&claim.payload);
    let first = record_of(&registration(1));
    // Every new key signs; a key that was another's, in a rotation and in a registration.
    let mut silent = record(1, 7, Some((first, 0)));
    silent.signatures.truncate(1);
    let taken = record(1, 2, Some((first, 0)));
    let cases = [
        (silent, "needs 1 distinct keys, and 0 signed"),
        (taken, "stands in a record of issuer"),
    ];
    for (added, words) in cases {
        let reason = seventh(&added).await.unwrap_err();
        assert!(reason.contains(words), "{reason}");
    }

    let left_behind = record(1, 7, Some((first, 0)));
    let fake = log(6).await;
    fake.state().append(&left_behind);
    // Issuer 1 has the key 7 now. Its key 1 stays its own.
    fake.state().append(&signed_for(id(1), 7, 50));
    fake.state().append(&registration(7));
    fake.state().commit();
    match run(&fake, Options::default()).await.unwrap_err() {
        AuditError::Entry { index: 8, reason } => {
            assert!(reason.contains("stands in a record of issuer"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_audit_cannot_read_blames_nobody() {
    // A claim of a known type with another predicate than this version expects, as a later version
    // of the type may have. An honest log of that time has it.
    let later = claim(1, 4).payload.to_vec();
    let later = String::from_utf8(later)
        .unwrap()
        .replace("https://example.com/p/v1", "urn:assay:withdrawal:v1");
    for payload in [later.as_bytes(), b"no statement"] {
        let added = assay_claims::claim::sign(payload, &[(id(1), &key(1))]);
        assert!(assay_claims::claim::verify(&added, &()).is_err());
        assert!(seventh(&added).await.is_ok());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_audit_finds_an_entry_that_costs_the_index_too_much() {
    let statement = |subjects: &[String], said: &str| {
        format!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","subject":[{}],{said}}}"#,
            subjects.join(",")
        )
    };
    let packages: Vec<String> = (0..512)
        .map(|n: u32| format!(r#"{{"uri":"pkg:npm/a{n}@1","digest":{{"x":"1"}}}}"#))
        .collect();
    let anything = r#""predicateType":"https://example.com/p","predicate":{}"#;
    let aliases: Vec<String> = (0..1025).map(|n: u32| format!(r#""CVE-{n}""#)).collect();
    let vulnerabilities = format!(
        r#""predicateType":"https://openvex.dev/ns/v0.2.0","predicate":{}"#,
        format_args!(
            r#"{{"statements":[{{"vulnerability":{{"aliases":[{}]}}}}]}}"#,
            aliases.join(",")
        )
    );
    // One whose statement this version reads, and one whose predicate it does not.
    let read = statement(&packages, anything);
    let unread = statement(&packages[..1], &vulnerabilities);
    let signers = [1, 2].map(|n: u8| (id(n), key(n)));
    let signers = signers.each_ref().map(|(id, key)| (*id, key));
    let cases = [
        (read.as_bytes(), &signers[..], "2050 labels"),
        (unread.as_bytes(), &signers[..1], "1025 vulnerabilities"),
    ];
    for (payload, signers, words) in cases {
        let added = assay_claims::claim::sign(payload, signers);
        let is_read = assay_claims::claim::verify(&added, &()).is_ok();
        assert_eq!(is_read, words.ends_with("labels"));
        let reason = seventh(&added).await.unwrap_err();
        assert!(reason.contains(words), "{reason}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_key_or_address_is_not_an_audit() {
    let fake = log(2).await;
    let other = assay_tlog::note::SignerKey::from_seed("fake.example/log", &[8; 32])
        .unwrap()
        .verifier();
    let error = audit::run(&fake.http_url, &other, hashes_only(), |_| ())
        .await
        .unwrap_err();
    assert!(matches!(error, AuditError::Checkpoint(_)), "{error:?}");
    let error = audit::run("fake.example", &other, hashes_only(), |_| ())
        .await
        .unwrap_err();
    assert!(matches!(error, AuditError::Usage(_)), "{error:?}");
    let error = audit::run("http://127.0.0.1:1", &other, hashes_only(), |_| ())
        .await
        .unwrap_err();
    assert!(matches!(error, AuditError::Unavailable { .. }), "{error:?}");
}
