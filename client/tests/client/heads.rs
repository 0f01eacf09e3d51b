//! What the client makes of the heads that it is shown, one after the other.

use crate::fake::{Fake, claim, registration};
use assay_claims::misbehavior::{Culprit, KnownKeys, VerifiedMisbehavior};
use assay_client::{ClientError, Convictions, HeadStore, MisbehaviorKind};
use assay_tlog::Hash;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::{self, TreeSize};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use tonic::Status;

/// A log of `size` entries, 3 or more, which ends in a commitment.
async fn log(size: u64) -> Fake {
    let fake = Fake::start().await;
    fake.state().append(&registration(1));
    for number in 2..size - 1 {
        fake.state().append(&claim(1, number));
    }
    fake.state().commit();
    assert_eq!(fake.state().size(), size);
    fake
}

fn misbehavior(error: ClientError) -> assay_client::Misbehavior {
    match error {
        ClientError::Misbehavior(found) => *found,
        other => panic!("no misbehavior: {other:?}"),
    }
}

/// Returns what was kept, which anybody can check with the log's key alone, and by which this
/// machine refuses the log from then on.
fn convicts(found: &assay_client::Misbehavior, log: &VerifierKey, state_dir: &Path) -> String {
    let text = std::fs::read_to_string(found.kept.as_ref().unwrap()).unwrap();
    let logs = vec![LogVerifier::new(log.name(), vec![log.clone()]).unwrap()];
    let keys = KnownKeys {
        logs,
        ..KnownKeys::default()
    };
    let verified = VerifiedMisbehavior::verify(text.as_bytes(), &keys).unwrap();
    assert_eq!(*verified.culprit(), Culprit::Log(log.name().into()));
    let convictions = Convictions::remembered(None, [log], state_dir).unwrap();
    assert!(convictions.of_log(log.name()).is_some());
    text
}

#[tokio::test]
async fn a_log_that_forks_again_and_again_fills_no_disk() {
    let (fake, folder) = (log(4).await, tempfile::tempdir().unwrap());
    fake.client(folder.path()).await.checkpoint().await.unwrap();
    for number in 0..3_u8 {
        let fork = fake.state().sign(TreeSize::new(4), Hash::of(&[number]));
        fake.state().checkpoint = Some(fork);
        let refused = fake.client(folder.path()).await.checkpoint().await;
        convicts(
            &misbehavior(refused.unwrap_err()),
            &fake.log_key(),
            folder.path(),
        );
    }
    let kept = std::fs::read_dir(folder.path().join("misbehavior")).unwrap();
    assert_eq!(kept.count(), 1);
}

#[tokio::test]
async fn a_head_is_stored_and_a_newer_one_takes_its_place_once_proven() {
    let (fake, folder) = (log(3).await, tempfile::tempdir().unwrap());
    let heads = HeadStore::new(folder.path(), &fake.log_key());
    assert!(heads.load().unwrap().is_none());
    // Each claim comes with a commitment.
    for size in (3..9).step_by(2) {
        // A new client each time: what counts is on disk.
        let seen = fake.client(folder.path()).await.checkpoint().await.unwrap();
        assert_eq!(seen.size(), TreeSize::new(size));
        assert_eq!(heads.load().unwrap().unwrap().note(), seen.note());
        fake.state().publish(&claim(1, size));
    }
}

/// What somebody looks up says what they use.
#[tokio::test]
async fn what_is_kept_is_its_owners_alone() {
    let (fake, folder) = (log(3).await, tempfile::tempdir().unwrap());
    let state = folder.path().join("state");
    fake.client(&state).await.checkpoint().await.unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&state), mode(&state.join("heads"))), (0o700, 0o700));
    let files: Vec<_> = std::fs::read_dir(state.join("heads"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .collect();
    // The head and its lock, and nothing that was left behind.
    assert_eq!(files.len(), 2);
    assert!(files.iter().all(|file| mode(file) == 0o600), "{files:?}");
}

#[tokio::test]
async fn an_older_head_is_served_if_it_is_a_prefix_and_is_not_stored() {
    let (fake, folder) = (log(7).await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    client.checkpoint().await.unwrap();
    for size in [0, 1, 4, 6] {
        let older = fake.state().checkpoint_at(size);
        fake.state().checkpoint = Some(older);
        assert_eq!(
            client.checkpoint().await.unwrap().size(),
            TreeSize::new(size)
        );
        let stored = HeadStore::new(folder.path(), &fake.log_key())
            .load()
            .unwrap()
            .unwrap();
        assert_eq!(stored.size(), TreeSize::new(7));
    }
    let older = fake
        .state()
        .sign(TreeSize::new(5), Hash::of(b"another history"));
    fake.state().checkpoint = Some(older);
    assert_eq!(
        misbehavior(client.checkpoint().await.unwrap_err()).kind,
        MisbehaviorKind::Rewritten
    );
}

#[tokio::test]
async fn two_roots_of_one_size_are_misbehavior_with_both_notes_kept() {
    let (fake, folder) = (log(4).await, tempfile::tempdir().unwrap());
    let honest = fake.client(folder.path()).await.checkpoint().await.unwrap();
    let fork = fake
        .state()
        .sign(TreeSize::new(4), Hash::of(b"another tree"));
    fake.state().checkpoint = Some(fork.clone());
    let found = misbehavior(
        fake.client(folder.path())
            .await
            .checkpoint()
            .await
            .unwrap_err(),
    );
    assert_eq!(found.kind, MisbehaviorKind::SameSize);
    let text = convicts(&found, &fake.log_key(), folder.path());
    assert!(
        text.contains(honest.note()) && text.contains(&fork),
        "{text}"
    );
    let stored = HeadStore::new(folder.path(), &fake.log_key())
        .load()
        .unwrap()
        .unwrap();
    assert_eq!(stored.note(), honest.note(), "the head seen first stays");
}

#[tokio::test]
async fn a_rewritten_history_is_misbehavior_that_others_can_check() {
    let (fake, folder) = (log(6).await, tempfile::tempdir().unwrap());
    let honest = fake.client(folder.path()).await.checkpoint().await.unwrap();
    // Another log under the same key, which proves its own history honestly.
    let other = log(3).await;
    for number in 0..5 {
        other.state().publish(&claim(1, 100 + number));
    }
    let found = misbehavior(
        other
            .client(folder.path())
            .await
            .checkpoint()
            .await
            .unwrap_err(),
    );
    assert_eq!(found.kind, MisbehaviorKind::Rewritten);
    assert_eq!(found.first, honest.note());
    let path = tree::split_hashes(&found.path).unwrap();
    assert!(!path.is_empty());
    let text = convicts(&found, &other.log_key(), folder.path());
    assert!(
        path.iter()
            .all(|hash| text.contains(&STANDARD.encode(hash.as_bytes()))),
        "the path is part of what is kept"
    );
}

#[tokio::test]
async fn a_wrong_proof_stops_and_is_no_evidence_and_neither_is_a_missing_one() {
    let (fake, folder) = (log(5).await, tempfile::tempdir().unwrap());
    fake.client(folder.path()).await.checkpoint().await.unwrap();
    fake.state().publish(&claim(1, 50));

    fake.state().consistency = Some(Err(Status::unavailable("busy")));
    let error = fake
        .client(folder.path())
        .await
        .checkpoint()
        .await
        .unwrap_err();
    assert!(
        matches!(error, ClientError::Unavailable { .. }),
        "{error:?}"
    );
    fake.state().consistency = Some(Err(Status::not_found("no such tree")));
    let error = fake
        .client(folder.path())
        .await
        .checkpoint()
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Refused { .. }), "{error:?}");
    assert!(!folder.path().join("misbehavior").exists());

    for wrong in [vec![], vec![Hash::of(b"x"); 3], vec![Hash::of(b"x"); 60]] {
        fake.state().consistency = Some(Ok(wrong));
        let client = fake.client(folder.path()).await;
        let error = client.checkpoint().await.unwrap_err();
        assert!(matches!(error, ClientError::Unverified { .. }), "{error:?}");
        let said = error.to_string();
        assert!(
            said.contains("damaged on the way") && !said.contains("the log"),
            "{said}"
        );
    }
    assert!(!folder.path().join("misbehavior").exists());
    let stored = HeadStore::new(folder.path(), &fake.log_key())
        .load()
        .unwrap()
        .unwrap();
    assert_eq!(
        stored.size(),
        TreeSize::new(5),
        "nothing unproven is stored"
    );
    fake.state().consistency = None;
    assert!(fake.client(folder.path()).await.checkpoint().await.is_ok());
}

#[tokio::test]
async fn a_damaged_head_is_not_taken_for_a_missing_one() {
    let (fake, folder) = (log(5).await, tempfile::tempdir().unwrap());
    fake.client(folder.path()).await.checkpoint().await.unwrap();
    let file = folder
        .path()
        .join("heads")
        .join(Hash::of(b"fake.example/log").to_hex());
    let note = std::fs::read_to_string(&file).unwrap();
    for damaged in [
        "",
        &note[..note.len() / 2],
        &note.replacen("\n5\n", "\n4\n", 1),
    ] {
        std::fs::write(&file, damaged).unwrap();
        let error = fake
            .client(folder.path())
            .await
            .checkpoint()
            .await
            .unwrap_err();
        assert!(matches!(error, ClientError::State { .. }), "{error:?}");
        assert_eq!(
            std::fs::read_to_string(&file).unwrap(),
            damaged,
            "left for a person to look at"
        );
    }
}

#[tokio::test]
async fn a_step_is_stored_only_on_the_head_it_was_compared_with() {
    let (fake, folder) = (log(5).await, tempfile::tempdir().unwrap());
    let heads = HeadStore::new(folder.path(), &fake.log_key());
    let at = |size| {
        let note = fake.state().checkpoint_at(size);
        assay_tlog::checkpoint::VerifiedCheckpoint::verify(&note, &fake.log_key()).unwrap()
    };
    assert!(heads.advance(None, &at(2)).unwrap());
    assert!(
        !heads.advance(None, &at(3)).unwrap(),
        "another process stored one meanwhile"
    );
    assert!(heads.advance(Some(&at(2)), &at(3)).unwrap());
    assert!(!heads.advance(Some(&at(2)), &at(4)).unwrap());
    assert_eq!(heads.load().unwrap().unwrap().size(), TreeSize::new(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_clients_on_one_folder_never_step_back() {
    let (fake, folder) = (log(3).await, tempfile::tempdir().unwrap());
    let tasks: Vec<_> = (0..8u64)
        .map(|task| {
            let (fake, folder) = (fake.clone(), folder.path().to_owned());
            tokio::spawn(async move {
                let heads = HeadStore::new(&folder, &fake.log_key());
                for step in 0..5 {
                    fake.state().publish(&claim(1, 1000 + 10 * task + step));
                    let seen = fake.client(&folder).await.checkpoint().await.unwrap();
                    assert!(heads.load().unwrap().unwrap().size() >= seen.size());
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

#[tokio::test]
async fn another_logs_checkpoint_is_refused() {
    let (fake, folder) = (log(3).await, tempfile::tempdir().unwrap());
    let other = assay_tlog::note::SignerKey::from_seed("other.example/log", &[9; 32]).unwrap();
    let body = assay_tlog::checkpoint::Checkpoint {
        origin: "other.example/log".into(),
        size: TreeSize::new(3),
        root: Hash::of(b"x"),
    };
    fake.state().checkpoint = Some(body.sign(&other));
    let error = fake
        .client(folder.path())
        .await
        .checkpoint()
        .await
        .unwrap_err();
    assert!(matches!(error, ClientError::Unverified { .. }), "{error:?}");
    assert!(
        HeadStore::new(folder.path(), &fake.log_key())
            .load()
            .unwrap()
            .is_none()
    );
}

/// At first contact there is no head to compare it with.
#[tokio::test]
async fn a_tree_without_entries_has_the_root_of_none() {
    let (fake, folder) = (log(3).await, tempfile::tempdir().unwrap());
    let heads = HeadStore::new(folder.path(), &fake.log_key());
    let wrong = assay_tlog::checkpoint::Checkpoint {
        origin: "fake.example/log".into(),
        size: TreeSize::EMPTY,
        root: Hash::of(b"x"),
    };
    let signer = assay_tlog::note::SignerKey::from_seed("fake.example/log", &[7; 32]).unwrap();
    let wrong = wrong.sign(&signer);
    fake.state().checkpoint = Some(wrong);
    let client = fake.client(folder.path()).await;
    let error = client.checkpoint().await.unwrap_err();
    assert!(matches!(error, ClientError::Unverified { .. }), "{error:?}");
    assert!(heads.load().unwrap().is_none());
    let empty = fake.state().checkpoint_at(0);
    fake.state().checkpoint = Some(empty);
    client.checkpoint().await.unwrap();
    assert_eq!(heads.load().unwrap().unwrap().size(), TreeSize::EMPTY);
}
