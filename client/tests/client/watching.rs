//! What it takes to say what news are worth, whatever strangers say of them.

use crate::fake::{Fake, claim, said};
use assay_claims::index::{Kind, Name};
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use assay_client::ask::{Asker, How, Inquiry, LogAddress, LogState, required_logs};
use assay_client::report::Scales;
use assay_client::report::words::Reader;
use assay_client::{Cel, Cursor, Tls};
use assay_policy::rules::Policy;
use std::path::Path;
use std::time::Duration;

/// 2026-11-27T00:00:00Z.
const NOW_MS: u64 = 1_795_737_600_000;

fn asker(log: LogAddress, folder: &Path) -> Asker {
    let policy = Policy::parse(&said::policy(), &Cel).unwrap();
    let logs = required_logs(&policy, Some(&log), How::Openly).unwrap();
    Asker::new(policy, logs, How::Openly, NOW_MS, folder, &Tls::default())
}

/// A stranger with more replies than are listened to made every watch fail, each time.
#[tokio::test]
async fn replies_without_end_hold_up_no_news_and_bound_only_who_makes_them() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    fake.state().gathers = true;
    let subject = || Subject::package(Purl::parse_canonical("pkg:cargo/gamma@1.0.0").unwrap());
    // An id is of what is said, whoever says it.
    let say = |who: u8| {
        let ended = format!(
            r#"{{"end_of_security_support":"2020-01-0{who}","end_of_life":"tba",
            "last_updated":"2019-01-01T00:00:00Z"}}"#
        );
        fake.say(who, subject(), "urn:assay:lifecycle:v1", &ended)
    };
    let (good, strange) = (say(said::MAKER), say(said::STRANGER));
    for target in [good, strange] {
        fake.flood(said::STRANGER, target, 10_001);
    }
    fake.state().commit();

    let client = fake.client(folder.path()).await;
    let name = Name::new(Kind::Package, "pkg:cargo/gamma");
    let cursor = Cursor::open(folder.path(), client.log_key(), &[name]).unwrap();
    let news = cursor.news(&client).await.unwrap().unwrap();
    assert_eq!(news.fresh.len(), 2);
    // The labels are complete as of a head, and so is each list.
    assert!(!news.heads.is_empty());
    let log = LogAddress {
        key: fake.log_key(),
        url: Some(fake.url.clone()),
        older: Vec::new(),
        mirrors: Vec::new(),
    };
    let asker = asker(log, folder.path());
    let context = asker.with_context(&fake.log_key(), &news.fresh).await;
    let context = context.unwrap();
    let scales = Scales {
        policy: asker.policy(),
        policy_name: "policy.toml",
        now_ms: NOW_MS,
        reader: Reader::Owner,
    };
    for fresh in &news.fresh {
        let logged = fresh.claim.as_ref().unwrap();
        let is_good = logged.claim().id() == good;
        assert_eq!(context.is_whole(logged), is_good);
        let (_, lines) = scales.new_claim(logged, &context);
        assert!(lines.iter().all(|line| line.effect == is_good) && !lines.is_empty());
        let bound = lines.iter().filter_map(|line| line.why_not.as_deref());
        let bound = bound.filter(|why| why.contains("not all replies were heard"));
        assert_eq!(bound.count() == lines.len(), !is_good);
    }
}

/// That nothing is listed rests on a head, too.
#[tokio::test]
async fn news_of_nothing_rest_on_heads() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let client = fake.client(folder.path()).await;
    let name = Name::new(Kind::Package, "pkg:cargo/nothing");
    let mut cursor = Cursor::open(folder.path(), client.log_key(), &[name]).unwrap();
    let end = cursor.end(&client).await.unwrap();
    assert_eq!(end.heads.len(), 1);
    cursor.begin(end).unwrap();
    fake.state().publish(&claim(said::MAKER, 77));
    let news = cursor.news(&client).await.unwrap().unwrap();
    assert_eq!((news.fresh.len(), news.heads.len()), (0, 1));
}

/// Each of many questions had a time of its own.
#[tokio::test]
async fn a_log_has_so_much_time_for_all_questions() {
    let folder = tempfile::tempdir().unwrap();
    // It takes connections and answers nothing.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = LogAddress {
        key: Fake::start().await.log_key(),
        url: Some(format!("http://{}", listener.local_addr().unwrap())),
        older: Vec::new(),
        mirrors: Vec::new(),
    };
    let inquiry = Inquiry {
        names: vec![Name::new(Kind::Package, "pkg:cargo/alpha")],
        ..Inquiry::default()
    };
    let asker = asker(silent, folder.path()).within(Duration::from_millis(100));
    let asked = asker.ask(&inquiry).await.unwrap();
    assert_eq!(asked.logs[0].state, LogState::Unreachable);
    let answer = format!("{:?}", asked.logs[0].answer);
    assert!(answer.contains("in the time that one log has"), "{answer}");
}
