//! Without which logs nothing is made of an answer, or of news.

use crate::fake::{Fake, claim, said};
use assay_claims::index::{Kind, Name};
use assay_client::ask::{AskError, Asker, How, Inquiry, required_logs};
use assay_client::{Cel, HeadStore, Tls};
use assay_policy::rules::Policy;
use assay_tlog::Hash;
use assay_tlog::tree::TreeSize;
use std::path::Path;

/// 2026-11-27T00:00:00Z.
const NOW_MS: u64 = 1_795_737_600_000;

/// Nobody listens there.
const GONE: &str = "http://127.0.0.1:1";

/// A policy that can do without either log.
const EITHER: &str =
    "required_logs = { least = 1, of = [\"fake.example/log\", \"other.example/log\"] }";

/// Asks these logs, each at its address, by a policy that begins so and takes heads of this age.
fn asker(logs: &[(&Fake, &str)], head: &str, age: &str, folder: &Path) -> Asker {
    let mut text = format!("{head}\n{}", said::policy().replace("200y", age));
    for (log, url) in logs {
        let key = log.log_key();
        text.push_str(&format!("\n[[log]]\nkey = \"{key}\"\nurl = \"{url}\"\n"));
    }
    let policy = Policy::parse(&text, &Cel).unwrap();
    let logs = required_logs(&policy, None, How::Openly).unwrap();
    Asker::new(policy, logs, How::Openly, NOW_MS, folder, &Tls::default())
}

/// What is not known could take back what is new.
#[tokio::test]
async fn news_are_worth_nothing_without_the_logs_that_must_answer() {
    let (own, other) = (
        Fake::with_claims().await,
        Fake::named("other.example/log").await,
    );
    for (head, own_url, other_url, age, is_whole) in [
        ("", &*own.url, &*other.url, "200y", true),
        ("", &*own.url, GONE, "200y", false),
        (EITHER, &*own.url, GONE, "200y", true),
        // Of its own log no other has the news.
        (EITHER, GONE, &*other.url, "200y", false),
        // All heads are of 1970. How old that of the news is, whoever follows them has looked at.
        ("", &*own.url, &*other.url, "1d", false),
        (EITHER, &*own.url, &*other.url, "1d", true),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let logs = [(&own, own_url), (&other, other_url)];
        let asker = asker(&logs, head, age, folder.path());
        match asker.with_context(&own.log_key(), &[]).await {
            Ok(_) => assert!(is_whole, "{own_url} {other_url} {age}"),
            Err(AskError::Lacking { .. }) => assert!(!is_whole, "{own_url} {other_url} {age}"),
            Err(error) => panic!("{own_url} {other_url} {age}: {error}"),
        }
    }
}

/// Also where a policy could do without it: what it said before may be another history, too.
#[tokio::test]
async fn news_are_worth_nothing_with_a_log_that_is_convicted() {
    let (own, other) = (
        Fake::with_claims().await,
        Fake::named("other.example/log").await,
    );
    let folder = tempfile::tempdir().unwrap();
    let [one, another] = [&b"one"[..], b"another"].map(|root| {
        let size = TreeSize::new(9);
        other.state().sign(size, Hash::of(root))
    });
    let _ = HeadStore::new(folder.path(), &other.log_key()).split(&one, &another);
    let logs = [(&own, &*own.url), (&other, &*other.url)];
    let asker = asker(&logs, EITHER, "200y", folder.path());
    let error = asker.with_context(&own.log_key(), &[]).await.map(|_| ());
    let error = error.unwrap_err();
    assert!(matches!(error, AskError::Convicted { .. }), "{error}");
    for (log, is_convicted) in [(&own, false), (&other, true)] {
        let checked = asker.check_heads(&log.log_key(), &[]).await;
        let found = matches!(checked, Err(AskError::Convicted { .. }));
        assert_eq!(found, is_convicted, "{checked:?}");
    }
}

/// A node takes no such claim; so whoever looks it up learns that the log did.
#[tokio::test]
async fn a_claim_that_does_not_verify_is_held_against_the_log() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let mut broken = claim(said::MAKER, 5);
    broken.signatures[0].signature = vec![0; 64].into();
    let place = fake.state().publish(&broken);
    let asker = asker(&[(&fake, &*fake.url)], "", "200y", folder.path());
    let of = |package: &str| Inquiry {
        names: vec![Name::new(Kind::Package, package)],
        ..Inquiry::default()
    };
    asker.ask(&of("pkg:cargo/alpha")).await.unwrap();
    match asker.ask(&of("pkg:cargo/example")).await.unwrap_err() {
        AskError::BrokenClaim { leaf, .. } => assert_eq!(leaf.get(), place),
        error => panic!("{error}"),
    }
}
