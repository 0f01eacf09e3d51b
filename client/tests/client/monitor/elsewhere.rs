//! What witnesses and mirrors have of a log, and what auditors found.

use super::{HOUR, NOW, Told, events, settings};
use crate::fake::{Fake, claim, registration};
use assay_claims::misbehavior::VerifiedMisbehavior;
use assay_claims::misbehavior::breach::Accuser;
use assay_client::ask::LogAddress;
use assay_client::monitor::{Kind, Level, LogMonitor, Phase, Settings, Watched};
use assay_client::remembered;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
use assay_tlog::tree::{LeafIndex, TreeSize};
use std::{convert::Infallible, path::Path, sync::Arc};

const WITNESS: &str = "w.example/witness";
const AUDITOR: &str = "a.example/audit";

fn cosigner(name: &str) -> CosignerKey {
    let seed = *Hash::of(name.as_bytes()).as_bytes();
    CosignerKey::from_seed(name, Algorithm::CosignatureV1, &seed).unwrap()
}

/// A log of five leaves whose mirror, and the policy's witness and auditor, are a server that
/// shows what a test puts there; and its monitor.
struct Lying {
    fake: Fake,
    folder: tempfile::TempDir,
    monitor: LogMonitor,
    told: Told,
}

impl Lying {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let fake = Fake::start().await;
        for seed in [1, 2] {
            fake.state().publish(&registration(seed));
        }
        let monitor = open(&fake, folder.path(), &fake.url);
        let mut lying = Lying {
            fake,
            folder,
            monitor,
            told: Told::default(),
        };
        // The witness cosigns nothing until a test does it.
        assert_eq!(lying.round(NOW).await, began(&[Kind::NoQuorum]));
        lying
    }

    async fn round(&mut self, now_ms: u64) -> Vec<(Kind, Phase)> {
        self.monitor.round(now_ms, &mut self.told).await.unwrap();
        self.told.take()
    }

    /// Shows a text of this log below a path.
    fn show(&self, above: &str, below: &str, text: &str) {
        let digest = Hash::of(self.fake.log_key().name().as_bytes());
        let path = format!("{above}/{digest}/{below}");
        let bytes = text.as_bytes().to_vec();
        self.fake.state().http.insert(path, Some(bytes));
    }

    /// A checkpoint that the log signs, with another root.
    fn fork(&self, size: u64) -> Checkpoint {
        Checkpoint {
            origin: self.fake.log_key().name().to_owned(),
            size: TreeSize::new(size),
            root: Hash::of(b"another history"),
        }
    }

    fn sign(&self, checkpoint: &Checkpoint) -> String {
        self.fake.state().sign(checkpoint.size, checkpoint.root)
    }

    /// What this machine keeps that convicts somebody by the log's key or the witness's.
    fn convicts(&self) -> Vec<String> {
        let log = LogVerifier::new("fake.example/log", vec![self.fake.log_key()]).unwrap();
        let witness = vec![cosigner(WITNESS).verifier()];
        let keys = assay_claims::misbehavior::KnownKeys {
            logs: vec![log],
            witnesses: vec![assay_tlog::cosigner::CosignerVerifier::new(witness).unwrap()],
            mirrors: vec![],
        };
        let texts = remembered(self.folder.path()).unwrap().into_iter();
        let found = texts.filter_map(|text| VerifiedMisbehavior::verify(&text, &keys).ok());
        let mut culprits: Vec<String> = found.map(|it| it.culprit().to_string()).collect();
        culprits.sort();
        culprits
    }
}

/// A policy with the witness and the auditor.
fn of_all(fake: &Fake, folder: &Path) -> Settings {
    let mut more = "quorum = 1\n".to_owned();
    for name in [WITNESS, AUDITOR] {
        let (key, at) = (cosigner(name).verifier(), &fake.http_url);
        more += &format!("[[witness]]\nname = {name:?}\nkey = \"{key}\"\nurl = {at:?}\n");
    }
    settings(fake, folder, &more)
}

fn address(fake: &Fake, url: &str) -> LogAddress {
    LogAddress {
        key: fake.log_key(),
        url: Some(url.to_owned()),
        older: Vec::new(),
        mirrors: vec![fake.http_url.clone()],
    }
}

fn open(fake: &Fake, folder: &Path, url: &str) -> LogMonitor {
    watch(fake, address(fake, url), of_all(fake, folder))
}

fn watch(fake: &Fake, log: LogAddress, settings: Settings) -> LogMonitor {
    let settings = Settings {
        level: Level::Warning,
        ..settings
    };
    let tiles = Some(fake.http_url.clone());
    LogMonitor::open(
        Arc::new(settings),
        Watched {
            log,
            tiles,
            is_foreign: false,
        },
    )
    .unwrap()
}

fn began(kinds: &[Kind]) -> Vec<(Kind, Phase)> {
    kinds.iter().map(|kind| (*kind, Phase::Began)).collect()
}

/// Whoever shows another history: it is compared, told once, and kept so that anybody can check it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_that_somebody_else_has_is_found() {
    for (above, below) in [
        ("witness", "checkpoint"),
        ("mirror", "checkpoint"),
        ("mirror", "audit/checkpoint"),
    ] {
        let mut lying = Lying::start().await;
        let fork = lying.fork(5);
        lying.show(above, below, &lying.sign(&fork));
        assert_eq!(
            lying.round(NOW).await,
            began(&[Kind::TwoHistories]),
            "{below}"
        );
        assert_eq!(lying.round(NOW).await, []);
        assert_eq!(lying.convicts(), ["log fake.example/log"]);
    }
}

/// A log that is gone cannot hide what it showed others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_is_found_while_the_log_is_gone() {
    let lying = Lying::start().await;
    let fork = lying.fork(5);
    lying.show("mirror", "checkpoint", &lying.sign(&fork));
    let Lying {
        fake,
        folder,
        monitor,
        ..
    } = lying;
    drop(monitor);
    let mut told = Told::default();
    let mut monitor = open(&fake, folder.path(), "http://127.0.0.1:1");
    monitor.round(NOW, &mut told).await.unwrap();
    assert_eq!(told.take(), began(&[Kind::TwoHistories]));
}

/// A history that the log's node itself proves to be another; and the witness that cosigned both.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rewritten_log_and_who_cosigned_both_are_convicted() {
    let mut lying = Lying::start().await;
    let other = lying.fake.state().checkpoint_at(3);
    let body = |note: &str| {
        let (text, _) = note.split_once("\n\n").unwrap();
        Checkpoint::parse_body(&format!("{text}\n")).unwrap()
    };
    let cosigned = |note: &str| {
        let line = cosigner(WITNESS).cosign(&body(note), 1).unwrap();
        format!("{note}{line}")
    };
    lying.fake.state().publish(&claim(2, 10));
    let head = lying.fake.state().checkpoint_at(7);
    lying.fake.state().checkpoint = Some(cosigned(&head));
    let met = [(Kind::NoQuorum, Phase::Ended)];
    assert_eq!(lying.round(NOW).await, met);
    // A smaller tree of another history, which the node's own proof leads away from.
    let fork = Checkpoint {
        root: Hash::of(b"another history"),
        ..body(&other)
    };
    lying.show("witness", "checkpoint", &cosigned(&lying.sign(&fork)));
    let told = lying.round(NOW).await;
    assert!(
        told.contains(&(Kind::TwoHistories, Phase::Began)),
        "{told:?}"
    );
    assert!(told.contains(&(Kind::Convicted, Phase::Event)), "{told:?}");
    // A convicted witness does not count.
    assert!(told.contains(&(Kind::NoQuorum, Phase::Began)), "{told:?}");
    let guilty = ["log fake.example/log", "witness w.example/witness"];
    assert_eq!(lying.convicts(), guilty);
    assert_eq!(lying.round(NOW).await, []);
}

/// A head that the log does not link is told if it stays so, and one that is not the log's at once,
/// as a false answer of whoever shows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_is_not_linked_and_one_that_is_not_the_logs_are_told() {
    let mut lying = Lying::start().await;
    let more = lying.fork(9);
    lying.show("witness", "checkpoint", &lying.sign(&more));
    assert_eq!(lying.round(NOW).await, []);
    assert_eq!(lying.round(NOW + HOUR).await, began(&[Kind::Frozen]));
    assert_eq!(lying.round(NOW + HOUR).await, []);
    let honest = lying.fake.state().checkpoint_at(3);
    lying.show("witness", "checkpoint", &honest);
    assert_eq!(
        lying.round(NOW + HOUR).await,
        [(Kind::Frozen, Phase::Ended)]
    );

    // Another site, or an error of one, is no answer.
    for other in ["no note", "", "{\"error\":\"busy\"}", "<html>"] {
        lying.show("mirror", "checkpoint", other);
        assert_eq!(lying.round(NOW).await, [], "{other}");
    }
    let thief = SignerKey::from_seed("fake.example/log", &[9; 32]).unwrap();
    lying.show("mirror", "checkpoint", &more.sign(&thief));
    assert_eq!(lying.round(NOW).await, began(&[Kind::FalseAnswer]));
    assert_eq!(lying.round(NOW).await, []);
    lying.show("mirror", "checkpoint", &honest);
    assert_eq!(lying.round(NOW).await, [(Kind::FalseAnswer, Phase::Ended)]);
    assert_eq!(lying.convicts().len(), 0);
}

/// Of whoever is asked no more nothing goes on, and of others it does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_found_of_a_place_ends_when_the_policy_names_it_no_more() {
    let mut lying = Lying::start().await;
    let thief = SignerKey::from_seed("fake.example/log", &[9; 32]).unwrap();
    let wrong = lying.fork(3).sign(&thief);
    lying.show("witness", "checkpoint", &wrong);
    assert_eq!(lying.round(NOW).await, began(&[Kind::FalseAnswer]));
    // Nor does it end because nobody answers there.
    lying.show("witness", "checkpoint", "gone");
    assert_eq!(lying.round(NOW).await, []);
    let Lying {
        fake,
        folder,
        monitor,
        mut told,
        ..
    } = lying;
    drop(monitor);
    let log = LogAddress {
        mirrors: Vec::new(),
        ..address(&fake, &fake.url)
    };
    let mut monitor = watch(&fake, log, settings(&fake, folder.path(), ""));
    monitor.round(NOW, &mut told).await.unwrap();
    let ended = [Kind::FalseAnswer, Kind::NoQuorum].map(|kind| (kind, Phase::Ended));
    let mut found = told.take();
    found.sort_by_key(|(kind, _)| kind.name());
    assert_eq!(found, ended);
}

/// A head of before a rotation is the log's, and is held against it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_an_older_key_signed_is_compared_as_others_are() {
    let mut lying = Lying::start().await;
    let old = SignerKey::from_seed("fake.example/log", &[9; 32]).unwrap();
    let log = LogAddress {
        older: vec![old.verifier()],
        ..address(&lying.fake, &lying.fake.url)
    };
    let settings = of_all(&lying.fake, lying.folder.path());
    lying.monitor = {
        let closed = open(
            &lying.fake,
            tempfile::tempdir().unwrap().path(),
            &lying.fake.url,
        );
        drop(std::mem::replace(&mut lying.monitor, closed));
        watch(&lying.fake, log, settings)
    };
    let honest = lying.fake.state().checkpoint_at(3);
    let (text, _) = honest.split_once("\n\n").unwrap();
    let honest = Checkpoint::parse_body(&format!("{text}\n")).unwrap();
    lying.show("witness", "checkpoint", &honest.sign(&old));
    assert_eq!(lying.round(NOW).await, []);
    let fork = lying.fork(5).sign(&old);
    lying.show("witness", "checkpoint", &fork);
    let told = lying.round(NOW).await;
    assert!(
        told.contains(&(Kind::TwoHistories, Phase::Began)),
        "{told:?}"
    );
    // What is kept convicts by both keys.
    let text = &remembered(lying.folder.path()).unwrap()[0];
    let keys = vec![lying.fake.log_key(), old.verifier()];
    let log = LogVerifier::new("fake.example/log", keys).unwrap();
    let keys = assay_claims::misbehavior::KnownKeys {
        logs: vec![log],
        ..Default::default()
    };
    VerifiedMisbehavior::verify(text, &keys).unwrap();
}

/// A breach counts that the policy's keys verify, and a dispute that an auditor of the policy
/// signed about this log.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_auditors_found_is_verified_and_told_once() {
    let mut lying = Lying::start().await;
    let breach = {
        let mut state = lying.fake.state();
        let again = registration(2);
        let honest = state.entries.len();
        state.append(&again);
        state.commit();
        let size = state.size();
        let note = state.checkpoint_at(size);
        let log = LogVerifier::new("fake.example/log", vec![state.log_key()]).unwrap();
        let head = log.verify(&note).unwrap();
        let entry =
            |leaf: LeafIndex| Ok::<_, Infallible>(state.entries[leaf.get() as usize].clone());
        let leaf = LeafIndex::new(honest as u64);
        let found = Accuser::of_log(&head, &*state, &entry).at_leaf(leaf);
        found.unwrap().expect("a claim again").text().to_owned()
    };
    // The round sees the log go on, which is not replayed here.
    assert_eq!(lying.round(NOW).await, []);
    lying.show(
        "mirror",
        "audit/breach",
        &breach.replace("fake.example", "lie.example"),
    );
    assert_eq!(lying.round(NOW).await, []);
    lying.show("mirror", "audit/breach", &breach);
    assert_eq!(lying.round(NOW).await, events(&[Kind::Breach]));
    assert_eq!(lying.round(NOW).await, []);
    assert!(
        remembered(lying.folder.path())
            .unwrap()
            .contains(&breach.into_bytes())
    );

    let note = |origin: &str, auditor: &str, at: u64| {
        let said = Checkpoint {
            origin: format!("assay.disputed-index/v1 {origin}"),
            size: TreeSize::new(5),
            root: Hash::of(b"computed"),
        };
        let line = cosigner(auditor).cosign(&said, at).unwrap();
        format!("{}\n{line}", said.body())
    };
    let origin = "fake.example/log";
    for (note, told) in [
        (note(origin, "stranger.example/audit", 1), vec![]),
        (note(origin, WITNESS, 1), vec![]),
        (note("other.example/log", AUDITOR, 1), vec![]),
        (note(origin, AUDITOR, 1), events(&[Kind::Disputed])),
        (note(origin, AUDITOR, 2), vec![]),
    ] {
        lying.show("mirror", "audit/dispute", &note);
        assert_eq!(lying.round(NOW).await, told, "{note}");
    }
}
