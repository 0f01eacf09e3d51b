//! What a monitor tells of a log, when, and how often.

mod elsewhere;
mod foreign;
mod sending;

use crate::fake::{Fake, claim, id, key, record, registration};
use assay_claims::claim::{ClaimId, PublicKey, sign};
use assay_claims::entry::{self, wire};
use assay_claims::index::Commitment;
use assay_claims::issuer::{self, IssuerId};
use assay_claims::kind::issuer::Issuer;
use assay_claims::purl::Pattern;
use assay_client::ask::LogAddress;
use assay_client::monitor::{
    Alert, Kind, Level, LogMonitor, MonitorError, Own, Phase, Seen, Settings, Sink, Watched,
};
use assay_client::{BoxError, Cel, ClientError, Tls};
use assay_policy::rules::Policy;
use assay_tlog::Hash;
use assay_tlog::tree::TreeSize;
use std::{path::Path, sync::Arc};
use tempfile::TempDir;

const HOUR: u64 = 3_600_000;

/// The logs of these tests begin in 1970.
const NOW: u64 = 100_000;

/// Keeps what is told, or fails after it did.
#[derive(Default)]
struct Told {
    alerts: Vec<Alert>,
    fails: bool,
}

impl Sink for Told {
    fn tell(&mut self, alerts: &[Alert]) -> Result<(), BoxError> {
        self.alerts.extend_from_slice(alerts);
        if self.fails {
            return Err("killed".into());
        }
        Ok(())
    }
}

impl Told {
    /// Kinds and phases of what was told since the last call.
    fn take(&mut self) -> Vec<(Kind, Phase)> {
        let alerts = std::mem::take(&mut self.alerts);
        alerts
            .iter()
            .map(|alert| (alert.kind, alert.phase))
            .collect()
    }
}

fn own() -> Own {
    Own {
        packages: vec![Pattern::parse("pkg:cargo/example").unwrap()],
        issuers: [id(1)].into(),
        keys: vec![PublicKey::from(&key(1))],
    }
}

fn settings(fake: &Fake, folder: &Path, more: &str) -> Settings {
    let policy = format!(
        "version = 1\n{more}\n[[log]]\nkey = \"{}\"\nurl = \"{}\"\n",
        fake.log_key(),
        fake.url
    );
    Settings {
        policy: Policy::parse(&policy, &Cel).unwrap(),
        own: own(),
        level: Level::Notice,
        from_start: false,
        replay_ms: u64::MAX,
        silence_ms: HOUR,
        state_dir: folder.to_owned(),
        tls: Tls::default(),
    }
}

fn open_at(fake: &Fake, settings: Settings, url: &str) -> Result<LogMonitor, ClientError> {
    let log = LogAddress {
        key: fake.log_key(),
        url: Some(url.to_owned()),
        older: Vec::new(),
        mirrors: vec![],
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
}

fn open(fake: &Fake, settings: Settings) -> LogMonitor {
    open_at(fake, settings, &fake.url).unwrap()
}

/// A log with the issuers 1 and 2, its monitor, which has begun, and what it told.
async fn begun(folder: &TempDir, more: &str) -> (Fake, LogMonitor, Told) {
    let fake = Fake::start().await;
    for seed in [1, 2] {
        fake.state().publish(&registration(seed));
    }
    let mut monitor = open(&fake, settings(&fake, folder.path(), more));
    let mut told = Told::default();
    let seen = monitor.round(NOW, &mut told).await.unwrap();
    assert_eq!((seen.done, seen.replayed), (5, 5));
    assert_eq!(told.take(), []);
    (fake, monitor, told)
}

fn signed_for(seed: u8, by: u8, number: u64) -> wire::Claim {
    let mut claim = claim(by, number);
    claim.signatures[0].issuer_id = id(seed).as_bytes().to_vec().into();
    claim
}

fn events(kinds: &[Kind]) -> Vec<(Kind, Phase)> {
    kinds.iter().map(|kind| (*kind, Phase::Event)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_and_keys_that_others_use_are_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, mut monitor, mut told) = begun(&folder, "").await;
    let first = ClaimId::of_payload(&registration(1).payload);
    let rotated = record(1, 7, Some((first, 0)));
    let cases = [
        // What is ours, by our key, is nothing to tell.
        (claim(1, 10), vec![]),
        (claim(2, 10), vec![Kind::SpokenOf]),
        (signed_for(2, 1, 11), vec![Kind::KeyUsed, Kind::SpokenOf]),
        (signed_for(1, 9, 12), vec![Kind::IssuerUsed]),
        (rotated, vec![Kind::IssuerUsed, Kind::Record]),
    ];
    for (claim, kinds) in cases {
        let leaf = fake.state().publish(&claim);
        let seen = monitor.round(NOW, &mut told).await.unwrap();
        assert_eq!(seen.done, leaf + 2);
        let id = ClaimId::of_payload(&claim.payload).to_hex();
        for alert in &told.alerts {
            assert_eq!(alert.leaf_index, Some(leaf));
            assert_eq!(alert.claim_id.as_deref(), Some(&*id));
        }
        assert_eq!(told.take(), events(&kinds));
        monitor.round(NOW, &mut told).await.unwrap();
        assert_eq!(told.take(), []);
    }
}

/// A key of ours may sign for itself, and for our issuers once they have it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_told_that_is_used_for_another_issuer() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, monitor, mut told) = begun(&folder, "").await;
    drop(monitor);
    let ours = Own {
        keys: [1, 5, 7].map(|seed| PublicKey::from(&key(seed))).into(),
        ..own()
    };
    let settings = Settings {
        own: ours,
        ..settings(&fake, folder.path(), "")
    };
    let mut monitor = open(&fake, settings);
    // An issuer of somebody else, who signs alone, and whose record has a key of ours.
    let keys = [9, 7].map(|seed| PublicKey::from(&key(seed)));
    let other = IssuerId::derive(1, &keys.map(|key| *key.as_bytes()));
    let body = Issuer {
        name: "another".into(),
        contacts: vec![],
        keys: keys.into(),
        threshold: 1,
        rotation: None,
        sequence: 0,
        previous: None,
        namespaces: vec![],
        roles: vec![],
    };
    let statement = issuer::statement(&other, &body).unwrap().to_json();
    let record = sign(statement.as_bytes(), &[(other, &key(9))]);
    for (claim, kinds) in [
        (registration(5), vec![]),
        (claim(5, 10), vec![Kind::SpokenOf]),
        (signed_for(1, 7, 11), vec![]),
        (record, vec![Kind::KeyUsed]),
    ] {
        fake.state().publish(&claim);
        monitor.round(NOW, &mut told).await.unwrap();
        assert_eq!(told.take(), events(&kinds));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn notices_are_told_to_who_asks_for_them() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, monitor, mut told) = begun(&folder, "").await;
    drop(monitor);
    fake.state().publish(&claim(2, 10));
    let settings = Settings {
        level: Level::Warning,
        ..settings(&fake, folder.path(), "")
    };
    let seen = open(&fake, settings).round(NOW, &mut told).await.unwrap();
    assert_eq!((seen.done, told.take()), (7, vec![]));
    assert!(seen.kinds.is_empty());
}

/// The cursor moves after the work: what was told before a crash is told again, as the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_by_a_crash_and_what_is_told_twice_has_one_id() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, mut monitor, mut told) = begun(&folder, "").await;
    fake.state().publish(&claim(2, 10));
    fake.state().publish(&signed_for(1, 9, 12));
    told.fails = true;
    let late = NOW + 25 * HOUR;
    let killed = monitor.round(late, &mut told).await;
    assert!(matches!(killed, Err(MonitorError::Sink(_))));
    drop(monitor);
    let mut first: Vec<String> = told.alerts.drain(..).map(|alert| alert.id).collect();
    told.fails = false;
    let mut monitor = open(&fake, settings(&fake, folder.path(), ""));
    let seen = monitor.round(late + 1, &mut told).await.unwrap();
    assert_eq!(seen.done, 9);
    let again: Vec<String> = told.alerts.iter().map(|alert| alert.id.clone()).collect();
    first.retain(|id| !again.contains(id));
    assert!(first.is_empty(), "{first:?}");
    assert_eq!(
        told.take(),
        [
            (Kind::Frozen, Phase::Began),
            (Kind::SpokenOf, Phase::Event),
            (Kind::IssuerUsed, Phase::Event)
        ]
    );
    // In the same process, too, what could not be told is told later.
    fake.state().publish(&claim(2, 13));
    told.fails = true;
    assert!(monitor.round(late, &mut told).await.is_err());
    told.take();
    told.fails = false;
    monitor.round(late, &mut told).await.unwrap();
    assert_eq!(told.take(), events(&[Kind::SpokenOf]));
    assert!(matches!(
        open_at(&fake, settings(&fake, folder.path(), ""), &fake.url),
        Err(ClientError::State { .. })
    ));
}

/// What goes on is told when it begins and when it ends.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_that_freezes_and_thaws_is_told_twice() {
    let folder = tempfile::tempdir().unwrap();
    let (_fake, mut monitor, mut told) = begun(&folder, "max_head_age = \"2h\"").await;
    for (now, expected) in [
        (NOW + HOUR, vec![]),
        (NOW + 3 * HOUR, vec![(Kind::Frozen, Phase::Began)]),
        (NOW + 4 * HOUR, vec![]),
        (NOW, vec![(Kind::Frozen, Phase::Ended)]),
        (NOW + 3 * HOUR, vec![(Kind::Frozen, Phase::Began)]),
    ] {
        let seen = monitor.round(now, &mut told).await.unwrap();
        let goes_on = now >= NOW + 3 * HOUR;
        assert_eq!(seen.kinds.contains(&Kind::Frozen), goes_on, "{now}");
        assert_eq!(told.take(), expected, "{now}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_that_is_silent_for_long_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, monitor, mut told) = begun(&folder, "").await;
    drop(monitor);
    let gone = "http://127.0.0.1:1";
    let mut monitor = open_at(&fake, settings(&fake, folder.path(), ""), gone).unwrap();
    for (now, expected) in [
        (NOW, vec![]),
        (NOW + HOUR / 2, vec![]),
        (NOW + HOUR, vec![(Kind::Unreachable, Phase::Began)]),
        (NOW + 2 * HOUR, vec![]),
    ] {
        let seen = monitor.round(now, &mut told).await.unwrap();
        assert!(seen.unreached.is_some() && seen.size.is_none());
        assert_eq!(told.take(), expected, "{now}");
    }
    drop(monitor);
    let mut monitor = open(&fake, settings(&fake, folder.path(), ""));
    let seen = monitor.round(NOW + 2 * HOUR, &mut told).await.unwrap();
    assert_eq!(told.take(), [(Kind::Unreachable, Phase::Ended)]);
    assert!(seen.kinds.is_empty() && seen.standing == 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fork_and_a_false_answer_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, mut monitor, mut told) = begun(&folder, "").await;
    let other = fake.state().sign(TreeSize::new(5), Hash::of(b"other"));
    fake.state().checkpoint = Some(other);
    for expected in [vec![(Kind::TwoHistories, Phase::Began)], vec![]] {
        let seen = monitor.round(NOW, &mut told).await.unwrap();
        assert_eq!(told.take(), expected);
        assert!(seen.kinds.contains(&Kind::TwoHistories));
    }
    // It stays so, whatever the log shows later.
    fake.state().checkpoint = None;
    let seen = monitor.round(NOW, &mut told).await.unwrap();
    assert_eq!(told.take(), []);
    assert!(seen.kinds.contains(&Kind::TwoHistories));

    let folder = tempfile::tempdir().unwrap();
    let (fake, mut monitor, mut told) = begun(&folder, "").await;
    fake.state().checkpoint = Some("no note".into());
    monitor.round(NOW, &mut told).await.unwrap();
    assert_eq!(told.take(), [(Kind::FalseAnswer, Phase::Began)]);
    fake.state().checkpoint = None;
    monitor.round(NOW, &mut told).await.unwrap();
    assert_eq!(told.take(), [(Kind::FalseAnswer, Phase::Ended)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_the_log_breaks_is_told_by_the_replay() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, monitor, mut told) = begun(&folder, "").await;
    drop(monitor);
    let often = Settings {
        replay_ms: 0,
        own: Own::default(),
        ..settings(&fake, folder.path(), "")
    };
    let mut monitor = open(&fake, often);
    let index = |seen: &Seen| (seen.done, seen.replayed);
    fake.state().publish(&claim(2, 10));
    let seen = monitor.round(NOW, &mut told).await.unwrap();
    assert_eq!((index(&seen), told.take()), ((7, 7), vec![]));
    // A commitment that hides the entry before it.
    fake.state().append(&claim(2, 11));
    fake.state().forget();
    fake.state().commit();
    for expected in [vec![(Kind::BrokenRule, Phase::Began)], vec![]] {
        let seen = monitor.round(NOW, &mut told).await.unwrap();
        assert_eq!((index(&seen), told.take()), ((9, 7), expected));
        assert!(seen.kinds.contains(&Kind::BrokenRule));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tiles_that_are_not_there_blame_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start().await;
    fake.state().http.insert("tile/0/000.p/1".into(), None);
    let mut monitor = open(&fake, settings(&fake, folder.path(), ""));
    let mut told = Told::default();
    let seen = monitor.round(NOW, &mut told).await.unwrap();
    assert_eq!((told.take(), seen.replayed), (vec![], 0));
    assert!(seen.unreached.unwrap().contains("cannot be replayed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn times_that_do_not_fit_and_a_missing_quorum_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (fake, mut monitor, mut told) = begun(&folder, "").await;
    let ahead = Commitment::empty().to_wire();
    let ahead = entry::encode(NOW + HOUR, ahead).unwrap();
    fake.state().append_entry(ahead);
    monitor.round(NOW, &mut told).await.unwrap();
    assert_eq!(told.take(), [(Kind::Clock, Phase::Began)]);
    monitor.round(NOW + HOUR, &mut told).await.unwrap();
    assert_eq!(told.take(), [(Kind::Clock, Phase::Ended)]);
    drop(monitor);

    let folder = tempfile::tempdir().unwrap();
    let witness = assay_tlog::note::CosignerKey::from_seed(
        "witness.example",
        assay_tlog::note::Algorithm::CosignatureV1,
        &[9; 32],
    );
    let witness = witness.unwrap().verifier();
    let more = format!("quorum = 1\n[[witness]]\nname = \"w\"\nkey = \"{witness}\"");
    let mut monitor = open(&fake, settings(&fake, folder.path(), &more));
    monitor.round(NOW + HOUR, &mut told).await.unwrap();
    let first = told.take();
    assert!(first.contains(&(Kind::NoQuorum, Phase::Began)), "{first:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monitor_that_is_told_to_begins_with_the_first_entry() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::start().await;
    fake.state().publish(&registration(1));
    fake.state().publish(&claim(2, 10));
    let from_start = Settings {
        from_start: true,
        ..settings(&fake, folder.path(), "")
    };
    let mut told = Told::default();
    open(&fake, from_start).round(NOW, &mut told).await.unwrap();
    let kinds: Vec<Kind> = told.take().into_iter().map(|(kind, _)| kind).collect();
    assert!(
        kinds.starts_with(&[Kind::Record, Kind::SpokenOf]),
        "{kinds:?}"
    );
}
