//! Asking about an issuer: what it signed, and what is said of its records.

use crate::fake::{Fake, id, record, registration, said};
use crate::times::cosign;
use assay_claims::claim;
use assay_claims::index::{Kind, Name, Query};
use assay_claims::issuer::IssuerId;
use assay_client::ask::{About, Asker, Audience, Found, How, LogAddress, LogState};
use assay_client::report::words::{self, Reader};
use assay_client::report::{Conclusion, Report, Scales};
use assay_client::{Cel, Tls};
use assay_policy::rules::Policy;
use assay_policy::verdict::Answer;
use std::path::Path;
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

/// A lying log commits to whatever lengths it likes.
#[tokio::test]
async fn types_of_which_too_many_were_signed_are_counted_and_not_listed() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    for number in 0..10_001 {
        fake.state()
            .append(&crate::fake::claim(said::STRANGER, number));
    }
    fake.state().commit();
    let (policy, stranger) = (said::policy(), id(said::STRANGER));
    let (found, report) = look_up(&[&fake], &policy, stranger, folder.path()).await;
    let signed = found.signed.unwrap();
    assert_eq!((signed.count, signed.unlisted), (Some(10_006), 10_001));
    assert_eq!(signed.newest.len(), 5);
    let title = words::signed_title(report.signed.as_ref().unwrap());
    assert!(
        title.contains("10006 claims; 10001 are of types"),
        "{title}"
    );
    assert!(report.is_complete());
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
