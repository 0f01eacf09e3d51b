//! Asking about an issuer: what it signed, and what is said of its records.

use crate::fake::{Fake, id, record, registration, said};
use crate::times::cosign;
use assay_claims::claim;
use assay_claims::index::{Kind, Name, Query};
use assay_claims::issuer::IssuerId;
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use assay_client::ask::{About, Asker, Audience, Found, How, LogAddress, LogState};
use assay_client::report::words::{self, Reader};
use assay_client::report::{Conclusion, Report, Scales};
use assay_client::{Cel, Tls};
use assay_policy::rules::Policy;
use assay_policy::verdict::Answer;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use tonic::Status;

/// 2026-11-27T00:00:00Z.
const NOW_MS: u64 = 1_795_737_600_000;

/// Asks these logs about an issuer.
async fn look_up(logs: &[&Fake], policy: &str, issuer: IssuerId, folder: &Path) -> (Found, Report) {
    let policy = Policy::parse(policy, &Cel).unwrap();
    let mut addresses = Vec::new();
    for log in logs {
        addresses.push(LogAddress {
            key: log.log_key(),
            url: Some(log.url.clone()),
            older: Vec::new(),
            mirrors: Vec::new(),
        });
    }
    let tls = Tls::default();
    let asker = Asker::new(policy, addresses, How::Openly, NOW_MS, folder, &tls);
    let about = About::Issuer(issuer);
    let found = asker.find(about, Audience::Trusted).await.unwrap();
    let scales = Scales {
        policy: asker.policy(),
        policy_name: "policy.toml",
        now_ms: NOW_MS,
        reader: Reader::Owner,
    };
    let report = scales.found(&found);
    (found, report)
}

/// Whether a query asks what an issuer signed.
fn asks_what_it_signed(query: &Query, issuer: &IssuerId) -> bool {
    let name = Name::new(Kind::Issuer, &issuer.to_hex());
    match query {
        Query::Census(prefix) => *prefix == name.prefix(),
        Query::Page { label, .. } => label.name() == name,
        _ => false,
    }
}

/// A head that no witness confirms, under which the log lists what an issuer signed, is no answer.
#[tokio::test]
async fn what_an_issuer_signed_is_held_to_the_witnesses() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let witness = cosign(&fake, 1);
    let policy = format!(
        "version = 1\nquorum = 1\n[[log]]\nkey = \"{}\"\n[[witness]]\nname = \"w\"\nkey = \
         \"{witness}\"\n",
        fake.log_key()
    );
    let maker = id(said::MAKER);
    let (found, _) = look_up(&[&fake], &policy, maker, folder.path()).await;
    assert!(matches!(
        found.asked.logs[0].answer,
        Answer::Complete { .. }
    ));
    let honest = found.signed.unwrap();
    assert_eq!((honest.count, honest.newest.len()), (Some(8), 8));

    // The log grows, and says so only where it lists what the issuer signed.
    fake.state().publish(&registration(77));
    let confirmed = fake.state().checkpoint.clone();
    fake.state().rewrite = Some(Box::new(move |state, query, answer| {
        if !asks_what_it_signed(query, &maker) {
            return Ok(vec![answer]);
        }
        state.checkpoint = None;
        let unconfirmed = state.answer(query);
        state.checkpoint.clone_from(&confirmed);
        Ok(vec![unconfirmed])
    }));
    let folder = tempfile::tempdir().unwrap();
    let (found, report) = look_up(&[&fake], &policy, maker, folder.path()).await;
    let signed = found.signed.unwrap();
    assert_eq!((signed.count, signed.newest.len()), (None, 0));
    let Answer::Partial { missing, .. } = &found.asked.logs[0].answer else {
        panic!("{:?}", found.asked.logs[0].answer);
    };
    assert!(
        missing.contains("what it has signed is not known (not enough of the policy's witnesses"),
        "{missing}"
    );
    assert!(!report.is_complete());
}

#[tokio::test]
async fn a_log_that_does_not_list_what_an_issuer_signed_is_named_and_the_others_are_shown() {
    let (one, other) = (Fake::with_claims().await, Fake::with_claims().await);
    let (policy, maker) = (said::policy(), id(said::MAKER));
    let folder = tempfile::tempdir().unwrap();
    let (found, _) = look_up(&[&one, &other], &policy, maker, folder.path()).await;
    assert_eq!(found.signed.unwrap().count, Some(16));

    one.state().rewrite = Some(Box::new(move |_, query, answer| {
        if asks_what_it_signed(query, &maker) {
            return Err(Status::unavailable("not now"));
        }
        Ok(vec![answer])
    }));
    let (found, report) = look_up(&[&one, &other], &policy, maker, folder.path()).await;
    assert_eq!(found.signed.unwrap().count, Some(8), "the other log's");
    assert!(report.logs[0].state == LogState::Unreachable && !report.logs[0].is_complete());
    assert!(report.logs[1].is_complete());
    assert!(matches!(report.conclusion(), Conclusion::Unanswered(_)));
    let line = words::log_line(&report.logs[0], &report);
    assert!(
        line.rest.contains("what it has signed is not known"),
        "{line:?}"
    );
}

/// A log in which a stranger signed so many claims of one type, beside the five that it has.
async fn with_many(number: u64) -> Fake {
    let fake = Fake::with_claims().await;
    for number in 0..number {
        fake.state()
            .append(&crate::fake::claim(said::STRANGER, number));
    }
    fake.state().commit();
    fake
}

/// However much it is, what is fetched is what is shown.
#[tokio::test]
async fn of_ten_thousand_claims_the_newest_are_fetched_and_all_are_counted() {
    let (fake, folder) = (with_many(10_001).await, tempfile::tempdir().unwrap());
    let brought = Arc::new(AtomicUsize::new(0));
    let count = brought.clone();
    fake.state().rewrite = Some(Box::new(move |_, _, answer| {
        count.fetch_add(answer.leaves.len(), Ordering::Relaxed);
        Ok(vec![answer])
    }));
    let (policy, stranger) = (said::policy(), id(said::STRANGER));
    let (found, report) = look_up(&[&fake], &policy, stranger, folder.path()).await;
    let signed = found.signed.unwrap();
    assert_eq!((signed.count, signed.unlisted), (Some(10_006), 0));
    let newest: Vec<u64> = signed.newest.iter().map(|it| it.leaf().get()).collect();
    let last = fake.state().size() - 2;
    let last_ones: Vec<u64> = (last - 19..=last).rev().collect();
    assert_eq!(newest, last_ones);
    let title = words::signed_title(report.signed.as_ref().unwrap());
    assert_eq!(title, "What has it signed? (10006 claims; the newest 20)");
    assert!(report.is_complete());
    let brought = brought.load(Ordering::Relaxed);
    assert!(brought < 100, "{brought} entries came");
}

/// A page goes from its beginning on, so that one which is short has not the newest.
#[tokio::test]
async fn where_pages_are_short_the_newest_are_shown_and_none_that_others_may_come_before() {
    let (fake, folder) = (with_many(30).await, tempfile::tempdir().unwrap());
    fake.state().page = 8;
    let (policy, stranger) = (said::policy(), id(said::STRANGER));
    let (found, _) = look_up(&[&fake], &policy, stranger, folder.path()).await;
    let signed = found.signed.unwrap();
    let newest: Vec<u64> = signed.newest.iter().map(|it| it.leaf().get()).collect();
    let last = fake.state().size() - 2;
    let last_ones: Vec<u64> = (last - 4..=last).rev().collect();
    assert_eq!((signed.count, newest), (Some(35), last_ones));
}

/// Whoever signs claims of ever new types makes nobody look at all of them.
#[tokio::test]
async fn of_very_many_types_not_all_are_looked_at() {
    let (fake, folder) = (with_many(2).await, tempfile::tempdir().unwrap());
    fake.state().gathers = true;
    let subject = || Subject::package(Purl::parse_canonical("pkg:cargo/example").unwrap());
    for number in 0..4_100 {
        let uri = format!("https://example.com/p{number}/v1");
        fake.say(said::STRANGER, subject(), &uri, "{}");
    }
    fake.state().commit();
    let asked = Arc::new(AtomicUsize::new(0));
    let (count, stranger) = (asked.clone(), id(said::STRANGER));
    fake.state().rewrite = Some(Box::new(move |_, query, answer| {
        let is_page = matches!(query, Query::Page { .. });
        count.fetch_add(usize::from(is_page), Ordering::Relaxed);
        Ok(vec![answer])
    }));
    let (found, report) = look_up(&[&fake], &said::policy(), stranger, folder.path()).await;
    let signed = found.signed.unwrap();
    assert!(signed.uncounted && signed.count < Some(4_107), "{signed:?}");
    assert!(signed.unlisted > 4_000, "{}", signed.unlisted);
    assert_eq!(asked.load(Ordering::Relaxed), 32);
    let title = words::signed_title(report.signed.as_ref().unwrap());
    assert!(title.contains("(more than 40"), "{title}");
    assert!(
        title.contains("of too many types to look at all"),
        "{title}"
    );
}

/// A record is a claim like any other: what those whom one listens to say of it is asked for.
#[tokio::test]
async fn a_dispute_of_a_record_is_shown() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let first = claim::verify(&registration(said::STRANGER), &())
        .unwrap()
        .id();
    let second = fake.put(&record(said::STRANGER, 78, Some((first, 0))));
    let (policy, stranger) = (said::policy(), id(said::STRANGER));
    for disputed in [first, second] {
        fake.respond(said::MAKER, disputed, "dispute");
    }
    let (_, report) = look_up(&[&fake], &policy, stranger, folder.path()).await;
    for disputed in [first, second] {
        let disputed = disputed.to_string();
        let mut lines = report.lines();
        let line = lines.find(|line| line.claim_id == disputed).unwrap();
        assert_eq!((line.disputes, line.replies.len()), (1, 1), "{line:?}");
    }
}
