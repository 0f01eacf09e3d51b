use super::wire::string;
use super::*;
use crate::signer::{
    elsewhere::HeldKey,
    key::{CheckpointKey as _, KeyFailed, checkpoint},
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::TreeSize;
use std::{os::unix::net::UnixListener, sync::mpsc, thread};

const ORIGIN: &str = "log.example/a";

fn key(seed: u8) -> SignerKey {
    SignerKey::from_seed(ORIGIN, &[seed; 32]).unwrap()
}

/// The answer that carries this signature.
fn signature(bytes: &[u8]) -> Vec<u8> {
    let content = string(&[string(b"ssh-ed25519"), string(bytes)].concat());
    string(&[&[14], &content[..]].concat())
}

/// The bytes that `key` signs this text with.
fn signed_by(key: &SignerKey, text: &str) -> Vec<u8> {
    let note = format!("{text}\n{}", key.sign(text));
    let note = assay_tlog::note::Note::parse(note.as_bytes()).unwrap();
    note.signatures()[0].signature().to_vec()
}

/// The key, which an agent at this socket should hold.
fn held_at(socket: Option<PathBuf>) -> HeldKey<Agent> {
    HeldKey::new(key(1).verifier(), Agent { socket })
}

/// What the node makes of an agent that answers each connection with the next of `answers`.
fn against(answers: Vec<Vec<u8>>) -> Result<String, KeyFailed> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent");
    let listener = UnixListener::bind(&path).unwrap();
    let agent = thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            let mut length = [0; 4];
            stream.read_exact(&mut length).unwrap();
            let mut request = vec![0; u32::from_be_bytes(length) as usize];
            stream.read_exact(&mut request).unwrap();
            stream.write_all(&answer).unwrap();
        }
    });
    let key = held_at(Some(path));
    let outcome = key.sign(TreeSize::new(7), Hash::of(b"root"));
    agent.join().unwrap();
    outcome
}

fn body() -> String {
    checkpoint(ORIGIN, TreeSize::new(7), Hash::of(b"root")).body()
}

#[test]
fn what_an_agent_signed_is_a_line_of_the_checkpoint() {
    let line = against(vec![signature(&signed_by(&key(1), &body()))]).unwrap();
    let note = format!("{}\n{line}", body());
    VerifiedCheckpoint::verify(&note, &key(1).verifier()).unwrap();
}

#[test]
fn an_agent_that_signs_wrongly_or_answers_nonsense_is_told_from_one_that_refuses() {
    let list = |keys: &[u8]| {
        let entries = keys.iter().map(|seed| {
            let blob = wire::key_blob(key(*seed).verifier().public_key());
            [string(&blob), string(b"")].concat()
        });
        let count = u32::try_from(keys.len()).unwrap().to_be_bytes();
        let entries = entries.collect::<Vec<_>>().concat();
        string(&[&[12], &count[..], &entries[..]].concat())
    };
    let failure = string(&[5]);
    let at_fault = "is at fault: it signed with another key";
    for (answers, words) in [
        (vec![signature(&signed_by(&key(2), &body()))], at_fault),
        (vec![signature(&signed_by(&key(1), "other\n"))], at_fault),
        (vec![signature(&[0; 64])], at_fault),
        (
            vec![b"HTTP/1.1 400 Bad Request\r\n".to_vec()],
            "is no ssh-agent: it announces",
        ),
        (
            vec![u32::MAX.to_be_bytes().to_vec()],
            "is no ssh-agent: it announces 4294967295",
        ),
        (vec![string(&[6])], "is no ssh-agent: its answer is neither"),
        (vec![string(&[])], "is no ssh-agent: its answer is neither"),
        (
            vec![string(&[5])[..4].to_vec()],
            "did not answer: failed to fill",
        ),
        (vec![failure.clone(), list(&[2])], "does not hold the key"),
        (
            vec![failure.clone(), list(&[2, 1])],
            "holds the key and refuses",
        ),
        (vec![failure.clone(), failure], "refuses to sign"),
    ] {
        let error = against(answers).unwrap_err();
        assert!(error.why.contains(words), "{words}: {error}");
        assert_eq!(error.key, key(1).verifier().to_string());
    }
}

/// The end of the time is the event that is waited for, by the key and not by the test.
#[test]
fn an_agent_has_two_seconds_whatever_it_does_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent");
    let listener = UnixListener::bind(&path).unwrap();
    let (done, is_done) = mpsc::channel::<()>();
    let agent = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        // A byte now and then: each is progress, and all of them are not an answer.
        let mut answer = signature(&[0; 64]).into_iter();
        while is_done.recv_timeout(PATIENCE / 20) == Err(mpsc::RecvTimeoutError::Timeout) {
            let byte = answer.next().unwrap();
            if stream.write_all(&[byte]).is_err() {
                break;
            }
        }
    });
    let key = held_at(Some(path));
    let started = Instant::now();
    let error = key.sign(TreeSize::new(7), Hash::of(b"root")).unwrap_err();
    assert!(error.why.contains("did not answer within 2s"), "{error}");
    assert!(started.elapsed() >= PATIENCE);
    drop(done);
    agent.join().unwrap();
}

#[test]
fn an_agent_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent");
    for (socket, words) in [
        (None, "SSH_AUTH_SOCK"),
        (Some(path.clone()), "cannot be reached"),
        (Some(path.join("a".repeat(200))), "cannot be reached"),
    ] {
        let key = held_at(socket);
        let error = key.sign(TreeSize::new(7), Hash::of(b"root")).unwrap_err();
        assert!(error.why.contains(words), "{error}");
    }
}

#[test]
fn a_public_key_file_names_a_key() {
    let blob = BASE64_STANDARD.encode(wire::key_blob(key(1).verifier().public_key()));
    let read = |text: &str, name| read_public_key(text, name, Algorithm::Ed25519);
    let right = format!("ssh-ed25519 {blob} a comment\n");
    assert_eq!(read(&right, ORIGIN).unwrap(), key(1).verifier());
    let cosigner = read_public_key(&right, ORIGIN, Algorithm::CosignatureV1).unwrap();
    assert_eq!(cosigner.public_key(), key(1).verifier().public_key());
    assert_ne!(cosigner, key(1).verifier());
    for wrong in [
        format!("ssh-rsa {blob}"),
        format!("ssh-ed25519 {blob}A"),
        format!("ssh-ed25519 {blob}\nssh-ed25519 {blob}\n"),
        "ssh-ed25519".to_owned(),
        String::new(),
    ] {
        let error = read(&wrong, ORIGIN).unwrap_err();
        assert!(matches!(error, PublicKeyError::Format), "{wrong}: {error}");
    }
    assert!(read(&format!("ssh-ed25519 {blob}"), "a b").is_err());
}

/// It may be over between two steps, and a socket takes no time of nothing.
#[test]
fn an_agent_whose_time_is_over_is_late() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent");
    let _listener = UnixListener::bind(&path).unwrap();
    let agent = Asked {
        path: &path,
        until: Instant::now(),
    };
    assert_eq!(agent.ask(&[], wire::LISTED), Err(agent.late()));
}
