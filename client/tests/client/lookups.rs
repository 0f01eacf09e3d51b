//! What the client makes of answers about the index.

use crate::fake::{Fake, claim, id, registration, withdrawal};
use assay_claims::claim::{self, ClaimId};
use assay_claims::entry::wire;
use assay_claims::index::{By, Kind, Label, Name, Prefix, Query};
use assay_claims::limits;
use assay_client::{
    AnswerCache, Client, ClientError,
    gather::{Gathered, Source, gather},
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::tree::{LeafIndex, TreeSize};
use std::path::Path;
use std::sync::{Arc, Mutex};

pub fn example() -> Name {
    Name::new(Kind::Package, "pkg:cargo/example")
}

/// Who is listened to.
fn issuer() -> By {
    By::issuer(&id(1))
}

pub fn package() -> Label {
    Label::of(example(), issuer())
}

/// What is asked.
fn query() -> Query {
    Query::labels(&[package()])
}

/// What a private question may ask, and a census.
fn prefixes(bits: u16) -> [Query; 2] {
    let prefix = Prefix::of(&package(), bits);
    [Query::crowd(prefix, [issuer()]), Query::Census(prefix)]
}

/// All that the issuer said of the package, as the client gathers it.
async fn gathered(source: &Source) -> Result<Gathered, ClientError> {
    gather(source, &[example()], &[issuer()]).await
}

fn claim_id(claim: &wire::Claim) -> ClaimId {
    claim::verify(claim, &()).unwrap().id()
}

/// A log with an issuer and `claims` claims of it about one package, from leaf 3 on, each with a
/// commitment.
pub async fn log(claims: u64) -> Fake {
    let fake = Fake::start().await;
    fake.state().publish(&registration(1));
    for number in 1..=claims {
        fake.state().publish(&claim(1, number));
    }
    fake
}

/// The same, with one commitment for all claims, and more of them than an answer about many labels
/// brings; and how many.
async fn long_log() -> (Fake, u64) {
    let fake = Fake::start().await;
    fake.state().publish(&registration(1));
    let claims = limits::LABEL_ENTRIES as u64 + 5;
    for number in 1..=claims {
        fake.state().append(&claim(1, number));
    }
    fake.state().commit();
    (fake, claims)
}

async fn source(fake: &Fake, folder: &Path) -> (Source, Client) {
    let client = fake.client(folder).await;
    let cache = AnswerCache::new(folder, client.log_key());
    (Source::Node(client.clone(), Some(cache)), client)
}

fn unverified(error: ClientError) -> String {
    match error {
        ClientError::Unverified { what, source } => format!("{what}: {source:?}"),
        other => panic!("not refused: {other:?}"),
    }
}

fn unavailable(error: ClientError) -> String {
    match error {
        ClientError::Unavailable { what, .. } => what,
        other => panic!("not unavailable: {other:?}"),
    }
}

#[tokio::test]
async fn all_that_bears_on_a_package_is_gathered() {
    let (fake, folder) = (log(7).await, tempfile::tempdir().unwrap());
    let withdrawn = fake.state().publish(&withdrawal(1, claim_id(&claim(1, 4))));
    let (source, client) = source(&fake, folder.path()).await;
    let all = gathered(&source).await.unwrap();
    let leaves: Vec<_> = all.claims.iter().map(|claim| claim.leaf().get()).collect();
    assert_eq!(leaves, [3, 5, 7, 9, 11, 13, 15, withdrawn]);
    assert_eq!(all.speakers[&example()], 1);
    assert_eq!(
        (all.missing, all.checkpoint.unwrap().size()),
        (None, TreeSize::new(19))
    );
    let private = gathered(&Source::Private(client)).await.unwrap();
    assert_eq!((private.claims.len(), private.missing), (8, None));
}

/// What an answer does not bring of a long list is asked for; but not if the question was private,
/// and nobody is told to ask openly instead.
#[tokio::test]
async fn the_rest_of_a_long_list_is_asked_for_openly_only() {
    let ((fake, claims), folder) = (long_log().await, tempfile::tempdir().unwrap());
    fake.state().page = 400;
    let (source, client) = source(&fake, folder.path()).await;
    let all = gathered(&source).await.unwrap();
    assert_eq!((all.claims.len() as u64, all.missing), (claims, None));

    let pages = Arc::new(Mutex::new(0));
    let asked = pages.clone();
    fake.state().rewrite = Some(Box::new(move |_, query, answer| {
        let page = matches!(query, Query::Page { .. });
        *asked.lock().unwrap() += u32::from(page);
        Ok(vec![answer])
    }));
    let private = gathered(&Source::Private(client)).await.unwrap();
    let came = limits::LABEL_ENTRIES as u64..claims;
    assert!(came.contains(&(private.claims.len() as u64)));
    let missing = private.missing.unwrap();
    assert!(!missing.contains("without --private"), "{missing}");
    assert_eq!(*pages.lock().unwrap(), 0);
}

/// Every checkpoint that anything rests on is named, for whoever demands witnesses.
#[tokio::test]
async fn a_list_that_grew_before_it_was_asked_for_alone_is_taken_as_it_is_then() {
    let ((fake, claims), folder) = (long_log().await, tempfile::tempdir().unwrap());
    let (source, _) = source(&fake, folder.path()).await;
    let older = fake.state().size();
    let note = fake.state().checkpoint_at(older);
    fake.state().publish(&claim(1, claims + 1));
    fake.state().checkpoint = Some(note);
    fake.state().rewrite = Some(Box::new(|state, query, answer| match query {
        Query::Page { .. } => {
            state.checkpoint = None;
            Ok(vec![state.answer(query)])
        }
        _ => Ok(vec![answer]),
    }));
    let all = gathered(&source).await.unwrap();
    assert_eq!(all.claims.len() as u64, claims + 1);
    assert_eq!(
        all.checkpoint.unwrap().size(),
        TreeSize::new(older),
        "complete as of the oldest"
    );
    let sizes: Vec<_> = all
        .heads
        .iter()
        .map(|head| head.checkpoint.size().get())
        .collect();
    assert_eq!(sizes, [older, older + 2]);
}

/// Also of who asked privately, who cannot ask for it alone without saying what was meant.
#[tokio::test]
async fn an_entry_that_is_listed_and_withheld_is_noticed() {
    let (fake, folder) = (log(7).await, tempfile::tempdir().unwrap());
    let (source, client) = source(&fake, folder.path()).await;
    fake.state().withheld = Some(9);
    let private = Source::Private(client.clone());
    for error in [
        client.lookup(&query()).await.unwrap_err(),
        gathered(&source).await.unwrap_err(),
        gathered(&private).await.unwrap_err(),
    ] {
        let error = unverified(error);
        assert!(error.contains("Withheld"), "{error}");
    }
    for page in [usize::MAX, 2] {
        fake.state().page = page;
        let error = unverified(client.list(&package()).await.unwrap_err());
        assert!(
            error.contains("lists leaf 9 and withholds its entry"),
            "{error}"
        );
    }
}

/// What an answer need not bring has to come in a page.
#[tokio::test]
async fn a_late_entry_of_a_long_list_that_is_withheld_is_noticed() {
    let ((fake, claims), folder) = (long_log().await, tempfile::tempdir().unwrap());
    let (source, client) = source(&fake, folder.path()).await;
    let last = 2 + claims;
    fake.state().withheld = Some(last);
    let answer = client.lookup(&query()).await.unwrap().answer;
    assert_eq!(answer.missing().last(), Some(&LeafIndex::new(last)));
    let error = unverified(gathered(&source).await.unwrap_err());
    let told = format!("lists leaf {last} and withholds its entry");
    assert!(error.contains(&told), "{error}");
}

/// The answer to who saw more is not complete, however genuine the older head is.
#[tokio::test]
async fn an_answer_as_of_an_older_head_than_was_seen_is_not_taken() {
    let (fake, folder) = (log(3).await, tempfile::tempdir().unwrap());
    fake.state().publish(&withdrawal(1, claim_id(&claim(1, 2))));
    let (source, client) = source(&fake, folder.path()).await;
    client.checkpoint().await.unwrap();
    let older = fake.state().checkpoint_at(9);
    fake.state().checkpoint = Some(older);
    assert_eq!(
        client.checkpoint().await.unwrap().size(),
        TreeSize::new(9),
        "by itself it does no harm"
    );

    let fresh = fake.client(folder.path()).await;
    for client in [&client, &fresh] {
        for error in [
            client.lookup(&query()).await.unwrap_err(),
            client.lookup_page(&package(), 0, 0).await.unwrap_err(),
            client.lookup(&prefixes(1)[0]).await.unwrap_err(),
            client.lookup(&prefixes(1)[1]).await.unwrap_err(),
            client.list(&package()).await.unwrap_err(),
            gathered(&source).await.unwrap_err(),
            gathered(&Source::Private(client.clone()))
                .await
                .unwrap_err(),
        ] {
            let error = unavailable(error);
            assert!(
                error.contains("an older head, of size 9, than was seen before, of size 11"),
                "{error}"
            );
        }
    }
    let stranger = tempfile::tempdir().unwrap();
    let looked = fake
        .client(stranger.path())
        .await
        .lookup(&query())
        .await
        .unwrap();
    assert_eq!(
        looked.answer.checkpoint().size(),
        TreeSize::new(9),
        "who saw nothing newer is told as of when it is"
    );
}

/// The head that counts is the newest when the question was sent: an answer that was under way may
/// be older than one that came first.
#[tokio::test]
async fn an_answer_that_was_overtaken_is_taken() {
    let (fake, folder) = (log(3).await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    client.checkpoint().await.unwrap();
    fake.state().publish(&claim(1, 50));
    let newer = fake.state().checkpoint_at(11);
    let key = fake.log_key();
    let before = fake.state().checkpoint_at(9);
    fake.state().checkpoint = Some(before);
    let heads = assay_client::HeadStore::new(folder.path(), &key);
    fake.state().rewrite = Some(Box::new(move |_, _, answer| {
        let newer = VerifiedCheckpoint::verify(&newer, &key).unwrap();
        assert!(
            heads
                .advance(heads.load().unwrap().as_ref(), &newer)
                .unwrap()
        );
        Ok(vec![answer])
    }));
    let looked = client.lookup(&query()).await.unwrap();
    assert_eq!(looked.answer.checkpoint().size(), TreeSize::new(9));
}

#[tokio::test]
async fn an_unsupported_mapping_fails_closed_and_says_what_is_supported() {
    let (fake, folder) = (log(2).await, tempfile::tempdir().unwrap());
    let honest = fake.state().commitment().to_wire();
    fake.state().commit_to(wire::IndexCommitment {
        mapping_version: 3,
        ..honest
    });
    let (source, client) = source(&fake, folder.path()).await;
    for error in [
        client.lookup(&query()).await.unwrap_err(),
        client.lookup(&prefixes(0)[0]).await.unwrap_err(),
        client.lookup(&prefixes(0)[1]).await.unwrap_err(),
        client.list(&package()).await.unwrap_err(),
        gathered(&source).await.unwrap_err(),
        gathered(&Source::Private(client.clone()))
            .await
            .unwrap_err(),
    ] {
        let ClientError::Unsupported(what) = error else {
            panic!("{error:?}")
        };
        assert!(
            what.contains("unsupported mapping version 3; version 2 is supported"),
            "{what}"
        );
    }
}

#[tokio::test]
async fn a_stream_that_brings_nothing_is_left() {
    let (fake, folder) = (log(1).await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    fake.state().rewrite = Some(Box::new(|_, _, answer| {
        Ok(vec![answer, Default::default()])
    }));
    let error = unverified(client.lookup(&query()).await.unwrap_err());
    assert!(error.contains("brings nothing"), "{error}");
    fake.state().rewrite = Some(Box::new(|_, _, _| Ok(vec![])));
    unverified(client.lookup(&query()).await.unwrap_err());
}

#[tokio::test]
async fn more_names_and_speakers_than_one_batch_takes_are_asked_for_in_several() {
    let (fake, folder) = (log(2).await, tempfile::tempdir().unwrap());
    let (source, client) = source(&fake, folder.path()).await;
    let many = limits::LOOKUP_NAMES + 10;
    let names = (0..many).map(|n| Name::new(Kind::Package, &format!("pkg:cargo/nobody-{n}")));
    let names: Vec<Name> = names.chain([example()]).collect();
    let many = limits::LOOKUP_BY + 10;
    let by = (0..many).map(|n| By::predicate_type(&format!("nobody-{n}")));
    let by: Vec<By> = by.chain([issuer()]).collect();
    let all = gather(&source, &names, &by).await.unwrap();
    assert_eq!((all.claims.len(), all.missing), (2, None));
    let kept = Source::Kept(AnswerCache::new(folder.path(), client.log_key()));
    assert_eq!(gather(&kept, &names, &by).await.unwrap().claims.len(), 2);
}

/// The folder of the answers that were kept.
fn kept(folder: &Path) -> Vec<std::path::PathBuf> {
    let logs = std::fs::read_dir(folder.join("answers")).unwrap();
    let files = logs.flat_map(|log| std::fs::read_dir(log.unwrap().path()).unwrap());
    files.map(|file| file.unwrap().path()).collect()
}

#[tokio::test]
async fn kept_answers_are_verified_again() {
    let (fake, folder) = (log(2).await, tempfile::tempdir().unwrap());
    let (source, client) = source(&fake, folder.path()).await;
    let online = gathered(&source).await.unwrap();
    let cache = || AnswerCache::new(folder.path(), client.log_key());
    let offline = gathered(&Source::Kept(cache())).await.unwrap();
    let leaves =
        |all: &Gathered| -> Vec<_> { all.claims.iter().map(|claim| claim.leaf()).collect() };
    assert_eq!(leaves(&online), leaves(&offline));
    assert_eq!(offline.missing, None);
    for file in kept(folder.path()) {
        let bytes = std::fs::read(&file).unwrap();
        for at in (0..bytes.len()).step_by(7) {
            let mut damaged = bytes.clone();
            damaged[at] ^= 0x10;
            // As a crash may leave it: none was kept, and nothing is called complete.
            std::fs::write(&file, &damaged).unwrap();
            let none = gathered(&Source::Kept(cache())).await.unwrap();
            assert!(none.missing.is_some(), "{at}");
            if at < Hash::LEN {
                continue;
            }
            // By somebody who means it.
            let hash = Hash::of(&damaged[Hash::LEN..]);
            damaged[..Hash::LEN].copy_from_slice(hash.as_bytes());
            std::fs::write(&file, &damaged).unwrap();
            let error = gathered(&Source::Kept(cache())).await.unwrap_err();
            assert!(
                matches!(
                    error,
                    ClientError::Unverified { .. } | ClientError::State { .. }
                ),
                "{at}: {error:?}"
            );
        }
        std::fs::write(&file, &bytes).unwrap();
    }
}

#[tokio::test]
async fn an_answer_that_was_kept_is_of_this_key_and_no_newer_than_the_head_that_was_seen() {
    let (fake, folder) = (log(2).await, tempfile::tempdir().unwrap());
    let (source, client) = source(&fake, folder.path()).await;
    let first = client.checkpoint().await.unwrap();
    fake.state().publish(&claim(1, 50));
    gathered(&source).await.unwrap();

    let seed = assay_tlog::note::SignerKey::from_seed("fake.example/log", &[8; 32]).unwrap();
    let other = AnswerCache::new(folder.path(), &seed.verifier());
    assert!(
        other.load(&query()).unwrap().is_none(),
        "another key's answers are no answers"
    );

    let heads = folder.path().join("heads");
    let head = std::fs::read_dir(heads)
        .unwrap()
        .map(|file| file.unwrap().path());
    let mut head = head;
    let head = head.find(|path| path.extension().is_none()).unwrap();
    let cache = AnswerCache::new(folder.path(), client.log_key());
    assert!(cache.load(&query()).unwrap().is_some());
    let size = TreeSize::new(fake.state().size());
    let fork = fake.state().sign(size, Hash::of(b"another history"));
    std::fs::write(&head, fork).unwrap();
    let error = cache.load(&query()).unwrap_err();
    assert!(
        matches!(error, ClientError::Unverified { .. }),
        "the head that was seen is of another history: {error:?}"
    );
    std::fs::write(&head, first.note()).unwrap();
    let error = cache.load(&query()).unwrap_err();
    assert!(
        matches!(error, ClientError::State { .. }),
        "nobody proved it to extend the head: {error:?}"
    );
    std::fs::remove_file(&head).unwrap();
    assert!(matches!(
        cache.load(&query()).unwrap_err(),
        ClientError::State { .. }
    ));
}
