//! Listening to those whom the policy does not listen to: a page of them at a time, and whatever
//! they do, nothing that is decided changes.

use crate::fake::{Fake, claim, id, said};
use assay_claims::index::{By, Kind, Name, Query};
use assay_claims::purl::Purl;
use assay_claims::statement::Subject;
use assay_client::ask::{
    About, Asker, Audience, Hint, How, LogAddress, OTHERS, Others, OthersPage, required_logs,
};
use assay_client::report::words::Reader;
use assay_client::report::{Report, Scales};
use assay_client::{Cel, Tls};
use assay_policy::rules::Policy;
use std::collections::BTreeSet;
use std::path::Path;
use tonic::Status;

/// 2026-11-27T00:00:00Z.
const NOW_MS: u64 = 1_795_737_600_000;

/// What strangers speak of.
const EXAMPLE: &str = "pkg:cargo/example@1.0.0";

/// Strangers in [`crowd`], each by a seed of its own.
const STRANGERS: std::ops::Range<u8> = 10..130;

/// A log in which the maker and all strangers speak of one package.
async fn crowd() -> Fake {
    let fake = Fake::with_claims().await;
    for seed in STRANGERS {
        fake.state().append(&claim(seed, 1));
    }
    fake.state().publish(&claim(said::MAKER, 1));
    fake
}

async fn look_up(fake: &Fake, folder: &Path, what: &str, audience: Audience, how: How) -> Report {
    let policy = Policy::parse(&said::policy(), &Cel).unwrap();
    let own = LogAddress {
        key: fake.log_key(),
        url: Some(fake.url.clone()),
        older: Vec::new(),
        mirrors: Vec::new(),
    };
    let logs = required_logs(&policy, Some(&own), how).unwrap();
    let asker = Asker::new(policy, logs, how, NOW_MS, folder, &Tls::default());
    let about = About::parse(what).unwrap().unwrap();
    let found = asker.find(about, audience).await.unwrap();
    let scales = Scales {
        policy: asker.policy(),
        policy_name: "policy.toml",
        now_ms: NOW_MS,
        reader: Reader::Owner,
    };
    scales.found(&found)
}

/// Looks the package up, and the others that are on this page.
async fn page(fake: &Fake, folder: &Path, page: OthersPage) -> (Report, Others) {
    let audience = Audience::Everyone(page);
    let report = look_up(fake, folder, EXAMPLE, audience, How::Openly).await;
    let others = report.others.clone().unwrap();
    (report, others)
}

/// Has the log refuse a census of more labels, about: each takes some 120 bytes of proof.
fn show_at_most(fake: &Fake, labels: usize) {
    fake.state().rewrite = Some(Box::new(move |_, query, answer| match query {
        Query::Census(_) if answer.cut.len() > labels * 120 => {
            Err(Status::out_of_range("name more bits"))
        }
        _ => Ok(vec![answer]),
    }));
}

/// Who says the lines of a report.
fn speakers(report: &Report) -> BTreeSet<String> {
    let voices = report.lines().flat_map(|line| &line.issuers);
    voices.map(|voice| voice.issuer_id.clone()).collect()
}

/// All that a policy made of it.
fn decided(report: &Report) -> String {
    let component = &report.components[0];
    let reasons = component.reasons.iter().map(|reason| &reason.text);
    let reasons: Vec<&String> = reasons.collect();
    let complete = report.is_complete();
    format!("{:?} {reasons:?} {complete}", component.outcome)
}

async fn decided_without_others(fake: &Fake, folder: &Path) -> String {
    let audience = Audience::Trusted;
    let report = look_up(fake, folder, EXAMPLE, audience, How::Openly).await;
    assert!(report.others.is_none());
    uncounted(&decided(&report))
}

/// What was decided where others were not listened to, which says how many there are, without that.
fn uncounted(decided: &str) -> String {
    let (before, after) = decided.split_once(" others have spoken about it.").unwrap();
    let reason = before.trim_end_matches(|c: char| c.is_ascii_digit());
    format!("{}{after}", reason.trim_end())
}

fn more(report: &Report) -> Option<By> {
    report.hints.iter().find_map(|hint| match hint {
        Hint::MoreOthers { next, .. } => Some(*next),
        _ => None,
    })
}

#[tokio::test]
async fn others_come_page_by_page_and_each_once() {
    let (fake, folder) = (crowd().await, tempfile::tempdir().unwrap());
    let without = decided_without_others(&fake, folder.path()).await;
    // However few labels the node shows at once.
    for shown in [1000, 30] {
        show_at_most(&fake, shown);
        let (mut after, mut all, mut sizes) = (None, BTreeSet::new(), Vec::new());
        loop {
            let wanted = OthersPage {
                limit: 50,
                after,
                ..OthersPage::FIRST
            };
            let (report, others) = page(&fake, folder.path(), wanted).await;
            assert_eq!(decided(&report), without);
            assert_eq!((others.spoke, &others.failed), (121, &None));
            let mut now = speakers(&report);
            assert!(now.remove(&id(said::MAKER).to_hex()), "always listened to");
            assert_eq!(now.len(), others.heard);
            assert!(now.is_disjoint(&all));
            sizes.push(now.len());
            all.append(&mut now);
            assert_eq!(more(&report), others.next);
            match others.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
        assert_eq!(sizes, [50, 50, 20]);
        let strangers: BTreeSet<String> = STRANGERS.map(|seed| id(seed).to_hex()).collect();
        assert_eq!(all, strangers);
    }
}

#[tokio::test]
async fn who_says_very_much_is_shown_in_part_and_makes_nothing_partial() {
    let (fake, folder) = (crowd().await, tempfile::tempdir().unwrap());
    let without = decided_without_others(&fake, folder.path()).await;
    for number in 2..=300 {
        fake.state().append(&claim(9, number));
    }
    let newest = fake.state().publish(&claim(9, 1));
    let all = OthersPage {
        limit: 1000,
        ..OthersPage::FIRST
    };
    let (report, others) = page(&fake, folder.path(), all).await;
    assert_eq!(decided(&report), without);
    assert_eq!((others.heard, others.talkative), (121, 1));
    assert!(report.hints.contains(&Hint::Talkative(1)));
    let newest_is_shown = report.lines().any(|line| line.leaf_index == newest);
    assert!(newest_is_shown);
    let (package, audience) = ("pkg:cargo/example", Audience::Everyone(all));
    let report = look_up(&fake, folder.path(), package, audience, How::Openly).await;
    let versions = report.versions.unwrap();
    assert_eq!(versions.claims, 20, "the newest 20 are all that came of it");
}

/// Within a bound, who says little is heard beside any number of those who say very much, whether
/// in few words or in many.
#[tokio::test]
async fn who_says_very_much_takes_no_room_from_who_says_little() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let subject = || Subject::package(Purl::parse_canonical(EXAMPLE).unwrap());
    let long = "x".repeat(20_000);
    for seed in 10..22 {
        let quiet = seed % 3 == 0;
        for number in 0..if seed % 3 == 1 { 21 } else { 3 } {
            let text = if quiet { "" } else { &long };
            let said = format!(r#"{{"number":{number},"text":"{text}"}}"#);
            fake.say(seed, subject(), "https://example.com/p/v1", &said);
        }
    }
    fake.say(said::MAKER, subject(), "https://example.com/p/v1", "{}");
    let without = decided_without_others(&fake, folder.path()).await;
    let bytes = 128 << 10;
    let wanted = OthersPage {
        bytes,
        ..OthersPage::FIRST
    };
    let (report, others) = page(&fake, folder.path(), wanted).await;
    assert_eq!(decided(&report), without);
    let heard = speakers(&report);
    for seed in 10..22 {
        let quiet = seed % 3 == 0;
        assert_eq!(heard.contains(&id(seed).to_hex()), quiet, "{seed}");
    }
    // All who say little came, and it is said of the others that they are missing.
    assert_eq!((others.talkative, others.failed), (8, None));
    assert!(report.hints.contains(&Hint::Talkative(8)));
    let said = report.claims.iter().filter_map(|it| it.statement.as_ref());
    let said: usize = said.map(|statement| statement.get().len()).sum();
    assert!(said <= bytes, "{said}");
    // With more room, all of it, but for what is too much of one.
    let (report, others) = page(&fake, folder.path(), OthersPage::FIRST).await;
    assert_eq!(others.talkative, 4);
    let heard = speakers(&report);
    assert!((10..22).all(|seed| heard.contains(&id(seed).to_hex())));
}

#[tokio::test]
async fn what_others_say_may_fail_and_nothing_else_does() {
    let (fake, folder) = (crowd().await, tempfile::tempdir().unwrap());
    let without = decided_without_others(&fake, folder.path()).await;
    fake.state().rewrite = Some(Box::new(|_, query, answer| match query {
        Query::Census(_) => Err(Status::unavailable("not now")),
        _ => Ok(vec![answer]),
    }));
    let (report, others) = page(&fake, folder.path(), OthersPage::FIRST).await;
    assert_eq!(decided(&report), without);
    let failed = others.failed.unwrap();
    assert!(failed.contains("not now"), "{failed}");
    assert_eq!(report.hints, [Hint::OthersFailed(failed)]);
}

#[tokio::test]
async fn replies_that_are_not_asked_for_are_said() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    fake.state().gathers = true;
    let subject = || Subject::package(Purl::parse_canonical(EXAMPLE).unwrap());
    let mut claims = Vec::new();
    for seed in 10..23 {
        for number in 0..20 {
            let said = format!(r#"{{"by":{seed},"number":{number}}}"#);
            claims.push(fake.say(seed, subject(), "https://example.com/p/v1", &said));
        }
    }
    for target in &claims {
        fake.respond(said::STRANGER, *target, "dispute");
    }
    fake.state().commit();
    let (report, others) = page(&fake, folder.path(), OthersPage::FIRST).await;
    assert_eq!((others.heard, others.unasked), (13, 4));
    assert!(report.hints.contains(&Hint::Unasked(4)));
    let disputed = report.lines().filter(|line| !line.replies.is_empty());
    assert_eq!(disputed.count(), 256);
}

#[tokio::test]
async fn privately_the_crowd_is_heard_and_the_prefix_is_told_once() {
    let (fake, folder) = (crowd().await, tempfile::tempdir().unwrap());
    let (audience, how) = (Audience::EVERYONE, How::Privately);
    let report = look_up(&fake, folder.path(), EXAMPLE, audience, how).await;
    assert_eq!(speakers(&report).len(), STRANGERS.len() + 1);
    let trusted = look_up(&fake, folder.path(), EXAMPLE, Audience::Trusted, how).await;
    assert_eq!(decided(&report), uncounted(&decided(&trusted)));
    let told = report.logs[0].privacy.unwrap();
    assert_eq!(Some(told), trusted.logs[0].privacy);
}

#[tokio::test]
async fn offline_the_page_that_was_asked_for_is_there() {
    let (fake, folder) = (crowd().await, tempfile::tempdir().unwrap());
    // Each stranger says something else, so that each page leads to other questions.
    for seed in STRANGERS {
        fake.state().append(&claim(seed, 1000 + u64::from(seed)));
    }
    fake.state().commit();
    let audience = Audience::EVERYONE;
    let online = look_up(&fake, folder.path(), EXAMPLE, audience, How::Openly).await;
    let offline = look_up(&fake, folder.path(), EXAMPLE, audience, How::Offline).await;
    assert_eq!(online.others, offline.others);
    assert_eq!(speakers(&online), speakers(&offline));
    // Another page was not kept; what is decided was.
    let next = OthersPage {
        limit: OTHERS,
        after: online.others.as_ref().and_then(|others| others.next),
        ..OthersPage::FIRST
    };
    let audience = Audience::Everyone(next);
    let other = look_up(&fake, folder.path(), EXAMPLE, audience, How::Offline).await;
    assert_eq!(decided(&other), decided(&online));
    assert_eq!(speakers(&other), [id(said::MAKER).to_hex()].into());
    let mut hints = other.hints.iter();
    assert!(hints.any(|hint| matches!(hint, Hint::OthersFailed(why) if why.contains("was kept"))));
}

/// A name that more spoke of than a node shows at once can still be watched.
#[tokio::test]
async fn a_name_that_very_many_spoke_of_is_watched() {
    let (fake, folder) = (crowd().await, tempfile::tempdir().unwrap());
    show_at_most(&fake, 30);
    let client = fake.client(folder.path()).await;
    let name = Name::new(Kind::Package, "pkg:cargo/example");
    let cursor = assay_client::Cursor::open(folder.path(), client.log_key(), &[name]).unwrap();
    let news = cursor.news(&client).await.unwrap().unwrap();
    assert_eq!(news.fresh.len(), STRANGERS.len() + 1);
}
