//! The file, what is refused in it, and the quorum of its witnesses.

use super::{KnownPeer, PeerFile, PeersError, Role, file, policy};
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
use assay_tlog::tlog_policy::TlogPolicy;
use std::fs;

const OWN: &str = "own.example/log";

fn log_key(name: &str, seed: u8) -> String {
    let key = SignerKey::from_seed(name, &[seed; 32]).unwrap();
    key.verifier().to_string()
}

fn witness_key(name: &str, algorithm: Algorithm, seed: u8) -> String {
    let key = CosignerKey::from_seed(name, algorithm, &[seed; 32]).unwrap();
    key.verifier().to_string()
}

/// A peer with a log and a witness of two keys.
fn peer(name: &str, seed: u8) -> String {
    let log = log_key(&format!("{name}/log"), seed);
    let ed25519 = witness_key(&format!("{name}/w"), Algorithm::CosignatureV1, seed + 1);
    let ml_dsa = witness_key(&format!("{name}/w"), Algorithm::MlDsa44, seed + 2);
    format!(
        "[[peer]]\nname = {name:?}\nurl = \"https://{name}\"\nlog = [{log:?}]\n\
         witness = [{ed25519:?}, {ml_dsa:?}]\n"
    )
}

#[test]
fn peers_are_kept_and_whoever_has_them_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peers.toml");
    let mut file = PeerFile::open(&path, Some(OWN)).unwrap();
    let peers = file.peers();
    assert!(peers.now().is_empty());
    let added = file.add(&(peer("a.example", 10) + &peer("b.example", 20)));
    assert_eq!(added.unwrap(), ["a.example", "b.example"]);
    let names = |peers: &[KnownPeer]| -> Vec<String> {
        peers.iter().map(|peer| peer.name().to_owned()).collect()
    };
    assert_eq!(names(&peers.now()), ["a.example", "b.example"]);
    file.remove("a.example").unwrap();
    assert_eq!(names(&peers.now()), ["b.example"]);
    let refused = file.remove("a.example").unwrap_err();
    assert!(matches!(refused, PeersError::Unknown(_)), "{refused}");

    // Nobody else changes it meanwhile.
    let second = PeerFile::open(&path, Some(OWN)).unwrap_err();
    assert!(matches!(second, PeersError::Taken(_)), "{second}");
    drop(file);
    let again = PeerFile::open(&path, Some(OWN)).unwrap();
    assert_eq!(names(&again.peers().now()), ["b.example"]);
    let peer = &again.peers().now()[0];
    assert_eq!(peer.log().unwrap().origin(), "b.example/log");
    assert!(peer.has(Role::Witness) && peer.has(Role::Gossip));
    // What it writes would fill this disk.
    assert!(!peer.has(Role::Mirror));
}

/// The peer b.example, with something replaced that must be there.
fn with(from: &str, to: &str) -> String {
    let other = peer("b.example", 20);
    assert!(other.contains(from));
    other.replace(from, to)
}

/// Texts that cannot be meant beside a peer a.example, and what is said of them.
fn texts() -> Vec<(String, &'static str)> {
    vec![
        (String::new(), "no [[peer]]"),
        (
            format!("#{}", " ".repeat(super::FILE_BYTES)),
            "more than 4194304 bytes",
        ),
        (peer("a.example", 50), "twice"),
        (with("\"https:", "\"ftp:"), "url of b.example"),
        (with("//b.example", "//b.example:0"), "url of b.example"),
        (with("//b.example", "//me@b.example"), "url of b.example"),
        (with("//b.example", "//b.example/?q"), "url of b.example"),
        (with("\"b.example\"", "\"b example\""), "the name"),
        (with("url =", "uri ="), "unknown field"),
        (
            "[[peer]]\nname = \"d\"\nurl = \"https://d\"\nroles = [\"witness\"]\n".to_owned(),
            "no log",
        ),
    ]
}

/// Keys that cannot be meant there.
fn keys() -> Vec<(String, &'static str)> {
    let own = log_key(OWN, 30);
    let foreign = witness_key("c.example/w", Algorithm::CosignatureV1, 40);
    vec![
        (
            with(&log_key("b.example/log", 20), &own),
            "this node's own log",
        ),
        (
            with(&log_key("b.example/log", 20), &foreign),
            "log of b.example",
        ),
        (
            with("witness = [", &format!("witness = [{foreign:?}, ")),
            "all have one name",
        ),
        (
            with(
                "witness = [",
                &format!("witness = [{:?}, ", log_key("b.example/w", 41)),
            ),
            "key of a log",
        ),
        // Keys with somebody else's name could have them convicted.
        (
            with(
                &witness_key("b.example/w", Algorithm::CosignatureV1, 21),
                &witness_key("a.example/w", Algorithm::CosignatureV1, 21),
            )
            .replace(
                &format!(", {:?}", witness_key("b.example/w", Algorithm::MlDsa44, 22)),
                "",
            ),
            "keys with the name a.example/w stand elsewhere",
        ),
        // Another name does not make a key another one.
        (
            with(&log_key("b.example/log", 20), &log_key("b.example/log", 10)),
            "elsewhere",
        ),
        (
            with("log = [", "roles = [\"gossip\"]\nmirror = ["),
            "key of a log",
        ),
        (
            with(&log_key("b.example/log", 20), &log_key("a.example/log", 42)),
            "also that of a.example",
        ),
    ]
}

#[test]
fn what_cannot_be_meant_is_refused_and_nothing_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peers.toml");
    let mut file = PeerFile::open(&path, Some(OWN)).unwrap();
    file.add(&peer("a.example", 10)).unwrap();
    let before = fs::read_to_string(&path).unwrap();
    for (text, said) in [texts(), keys()].concat() {
        let refused = file.add(&text).unwrap_err().to_string();
        assert!(refused.contains(said), "{said}: {refused}\n{text}");
        assert_eq!(fs::read_to_string(&path).unwrap(), before);
        assert_eq!(file.peers().now().len(), 1);
    }
}

#[test]
fn a_file_that_was_changed_by_hand_is_read_or_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("peers.toml");
    fs::write(&path, "# nobody yet\n").unwrap();
    assert!(file::read(&path).unwrap().is_empty());
    fs::write(&path, peer("a.example", 1) + &peer("a.example", 5)).unwrap();
    let refused = PeerFile::open(&path, Some(OWN)).unwrap_err().to_string();
    assert!(
        refused.contains("peers.toml: a.example stands there twice"),
        "{refused}"
    );
}

#[test]
fn the_witnesses_of_the_peers_make_a_quorum_that_is_safe() {
    let text: String = (0..4)
        .map(|i| peer(&format!("p{i}.example"), 10 * i + 1))
        .collect();
    let peers = file::parse(&text, "the test").unwrap();
    let made = TlogPolicy::parse(&policy::of(&peers, None).unwrap()).unwrap();
    let size = made.quorum_size().unwrap();
    assert_eq!((size.least, size.operators), (3, 4));
    assert!(size.is_safe());
    assert!(made.witnesses().iter().all(|it| it.url.is_some()));
    assert_eq!(made.witnesses().len(), 8);
    let loose = TlogPolicy::parse(&policy::of(&peers, Some(2)).unwrap()).unwrap();
    assert!(!loose.quorum_size().unwrap().is_safe());
    for quorum in [0, 5] {
        assert!(policy::of(&peers, Some(quorum)).is_err());
    }
    // A name that the policy itself uses.
    let taken = peer("quorum-of-peers", 60);
    let peers = file::parse(&taken, "the test").unwrap();
    assert!(policy::of(&peers, None).is_err());
    assert!(policy::of(&[], None).is_err());
}

#[test]
fn there_are_so_many_peers_and_so_many_in_a_policy() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = PeerFile::open(&folder.path().join("peers.toml"), Some(OWN)).unwrap();
    let plain = |number| format!("[[peer]]\nname = \"p{number}\"\nurl = \"https://p{number}\"\n");
    let most: String = (0..super::PEERS).map(plain).collect();
    let refused = file
        .add(&(most.clone() + &plain(super::PEERS)))
        .unwrap_err();
    assert!(refused.to_string().contains("1000"), "{refused}");
    assert_eq!(file.add(&most).unwrap().len(), super::PEERS);
    let none = policy::of(&file.peers().now(), None).unwrap_err();
    assert!(matches!(none, policy::PolicyError::NoWitness), "{none}");

    // One key more than a policy can have.
    let witness = |number: u8| {
        let name = format!("w{number}.example/w");
        let key = witness_key(&name, Algorithm::CosignatureV1, number);
        format!(
            "[[peer]]\nname = \"w{number}\"\nurl = \"https://w{number}\"\nwitness = [{key:?}]\n"
        )
    };
    let second = folder.path().join("second.toml");
    let mut file = PeerFile::open(&second, Some(OWN)).unwrap();
    let of = |file: &PeerFile, quorum| policy::of(&file.peers().now(), quorum);
    file.add(&(1..32).map(witness).collect::<String>()).unwrap();
    assert!(of(&file, None).is_ok());
    for quorum in [0, 32] {
        let error = of(&file, Some(quorum)).unwrap_err();
        assert!(
            matches!(error, policy::PolicyError::Quorum { .. }),
            "{error}"
        );
    }
    file.add(&witness(32)).unwrap();
    let error = of(&file, None).unwrap_err();
    assert!(matches!(error, policy::PolicyError::TooMany(32)), "{error}");
}

#[test]
fn a_peer_keeps_its_log() {
    let folder = tempfile::tempdir().unwrap();
    let mut file = PeerFile::open(&folder.path().join("peers.toml"), Some(OWN)).unwrap();
    file.add(&peer("b.example", 20)).unwrap();
    let rotated = with(&log_key("b.example/log", 20), &log_key("b.example/log", 60));
    assert_eq!(file.update(&rotated).unwrap(), ["b.example"]);
    let other = with(&log_key("b.example/log", 20), &log_key("c.example/log", 60));
    let refused = file.update(&other).unwrap_err();
    assert!(matches!(refused, PeersError::OtherLog(_)), "{refused}");
    assert_eq!(
        file.peers().now()[0].log().unwrap().origin(),
        "b.example/log"
    );
}
