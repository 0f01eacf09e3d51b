//! Asking a log and reporting what it answers, as a program would that is no command line. What is
//! written for programs is compared with snapshots, byte for byte.

use crate::fake::{Fake, id, said};
use assay_claims::kind::vex::Status;
use assay_claims::purl::Purl;
use assay_client::ask::{
    About, AskError, Asker, Audience, Hint, How, Inventory, Listed, Listing, LogAddress, Note,
    Unidentified, required_logs,
};
use assay_client::report::words::{self, Reader};
use assay_client::report::{Conclusion, Report, Scales, json, markdown, sarif, vex};
use assay_client::{Cel, Tls};
use assay_policy::rules::{Outcome, Policy};
use std::path::Path;

/// 2026-11-27T00:00:00Z.
const NOW_MS: u64 = 1_795_737_600_000;

fn asker(fake: &Fake, state_dir: &Path, how: How) -> Asker {
    let policy = Policy::parse(&said::policy(), &Cel).unwrap();
    let own = LogAddress {
        key: fake.log_key(),
        url: Some(fake.url.clone()),
        older: Vec::new(),
        mirrors: Vec::new(),
    };
    let logs = required_logs(&policy, Some(&own), how).unwrap();
    Asker::new(policy, logs, how, NOW_MS, state_dir, &Tls::default())
}

fn scales(asker: &Asker) -> Scales<'_> {
    Scales {
        policy: asker.policy(),
        policy_name: "policy.toml",
        now_ms: NOW_MS,
        reader: Reader::Owner,
    }
}

/// What is known, whoever said it.
async fn look_up(asker: &Asker, what: &str) -> Report {
    look_up_of(asker, what, Audience::EVERYONE).await
}

async fn look_up_of(asker: &Asker, what: &str, audience: Audience) -> Report {
    let about = About::parse(what).unwrap().unwrap();
    let found = asker.find(about, audience).await.unwrap();
    scales(asker).found(&found)
}

fn listed(purl: &str, line: u32) -> Listed {
    let purl = Purl::parse_canonical(purl).unwrap();
    Listed {
        name: purl.name().to_owned(),
        version: purl.version().map(str::to_owned),
        purl: Some(purl),
        line: Some(line),
        ..Listed::default()
    }
}

/// A lock file that names alpha, beta and gamma, and something that has no name.
fn inventory() -> Inventory {
    let own = Listed {
        own: true,
        ..listed("pkg:cargo/app@0.1.0", 3)
    };
    Inventory::new(vec![Listing {
        name: "Cargo.lock".into(),
        format: "Cargo.lock",
        listed: vec![
            own,
            listed(said::ALPHA, 7),
            listed("pkg:cargo/beta@2.0.0", 11),
            listed("pkg:cargo/gamma@3.0.0", 15),
        ],
        notes: vec![Note {
            line: Some(20),
            text: "from git".into(),
        }],
        unidentified: vec![Unidentified {
            line: None,
            what: "mystery".into(),
            reason: "has no version".into(),
            bom_refs: Vec::new(),
        }],
        ..Listing::default()
    }])
}

fn pretty(fake: &Fake, value: &impl serde::Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap();
    text.replace(&fake.url, "http://fake")
}

#[tokio::test]
async fn what_is_known_of_a_package_is_written_for_programs() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let asker = asker(&fake, folder.path(), How::Openly);
    let report = look_up(&asker, said::ALPHA).await;
    assert_eq!(report.components[0].outcome, Outcome::Denied);
    let about = report.about.as_ref().unwrap();
    insta::assert_snapshot!("lookup.json", pretty(&fake, &json::lookup(about, &report)));
}

/// What strangers said is counted, and shown to who asks for everyone; what is decided is the same.
#[tokio::test]
async fn strangers_are_counted_and_not_heard() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let asker = asker(&fake, folder.path(), How::Openly);
    let trusted = look_up_of(&asker, said::ALPHA, Audience::Trusted).await;
    let everyone = look_up(&asker, said::ALPHA).await;
    let decided = |report: &Report| {
        let component = &report.components[0];
        let reasons = component.reasons.iter().map(|reason| reason.text.clone());
        (component.outcome, reasons.collect::<Vec<_>>())
    };
    assert_eq!(decided(&trusted), decided(&everyone));
    let stranger = id(said::STRANGER).to_hex();
    let told = |report: &Report| serde_json::to_string(&report.questions).unwrap();
    assert!(!told(&trusted).contains(&stranger));
    assert!(told(&everyone).contains(&stranger));
    assert_eq!(trusted.hints, [Hint::Others(1)]);
    assert_eq!(everyone.hints, []);
}

#[tokio::test]
async fn everything_is_put_into_a_paragraph() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let asker = asker(&fake, folder.path(), How::Openly);
    let archive = said::archive().to_hex();
    let mut text = String::new();
    for what in [
        said::ALPHA.to_owned(),
        "pkg:cargo/alpha".to_owned(),
        "pkg:cargo/beta@2.0.0".to_owned(),
        "pkg:cargo/gamma@3.0.0".to_owned(),
        archive,
        format!("issuer:{}", id(said::MAKER)),
        format!("issuer:{}", id(said::AUDITOR)),
        id(said::STRANGER).to_hex(),
        format!("issuer:{}", id(said::LOST)),
        format!("issuer:{}", "ab".repeat(32)),
        format!("claim:{}", "ab".repeat(32)),
        "CVE-2026-0002".to_owned(),
        "GHSA-aaaa-bbbb-cccc".to_owned(),
    ] {
        let report = look_up(&asker, &what).await;
        let about = report.about.as_ref().unwrap();
        text.push_str(&format!("{what}\n  {}\n", words::paragraph(about, &report)));
        for hint in &report.hints {
            text.push_str(&format!("  hint: {}\n", words::hint(hint)));
        }
        text.push_str(&format!("  {:?}\n", report.conclusion()));
    }
    insta::assert_snapshot!("paragraphs", text);
}

#[tokio::test]
async fn the_components_of_a_project_are_weighed_and_written_in_every_format() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let asker = asker(&fake, folder.path(), How::Openly);
    let inventory = inventory();
    let asked = asker.components(&inventory).await.unwrap();
    let report = scales(&asker).components(inventory, &asked);

    let outcomes: Vec<Outcome> = report.components.iter().map(|one| one.outcome).collect();
    assert_eq!(outcomes, [Outcome::Denied, Outcome::Warn, Outcome::Warn]);
    let affected = &report.components[0].vulnerabilities[1];
    assert_eq!(
        (affected.id.as_str(), affected.stated[0].status),
        ("CVE-2026-0002", Status::Affected)
    );
    assert!(matches!(report.conclusion(), Conclusion::NotMet(_)));
    insta::assert_snapshot!("check.json", pretty(&fake, &json::check(&report)));
    insta::assert_snapshot!("check.sarif", pretty(&fake, &sarif::document(&report)));
    insta::assert_snapshot!("check.vex", pretty(&fake, &vex::document(&report)));
    insta::assert_snapshot!("check.md", markdown::render(&report));
}

#[tokio::test]
async fn nobody_is_asked_about_nothing() {
    let (fake, folder) = (Fake::start().await, tempfile::tempdir().unwrap());
    let asker = asker(&fake, folder.path(), How::Openly);
    let asked = asker.components(&Inventory::default()).await.unwrap();
    let report = scales(&asker).components(Inventory::default(), &asked);
    assert_eq!(report.outcome(), Outcome::Fine);
    assert!(report.logs.is_empty() && report.conclusion() == Conclusion::Met);
}

/// The lines are the same however they were asked for.
#[tokio::test]
async fn privately_and_offline_the_same_is_said() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let openly = look_up(&asker(&fake, folder.path(), How::Openly), said::ALPHA).await;
    let lines = |report: &Report| serde_json::to_string(&report.questions).unwrap();
    for how in [How::Privately, How::Offline] {
        let report = look_up(&asker(&fake, folder.path(), how), said::ALPHA).await;
        assert_eq!(lines(&report), lines(&openly), "{how:?}");
        assert_eq!(report.conclusion(), openly.conclusion(), "{how:?}");
        assert_eq!(report.logs[0].privacy.is_some(), how == How::Privately);
    }
    // What was never asked was not kept.
    let offline = asker(&fake, folder.path(), How::Offline);
    let other = About::parse("pkg:cargo/beta@2.0.0").unwrap().unwrap();
    let error = offline.find(other, Audience::EVERYONE).await.unwrap_err();
    assert!(matches!(error, AskError::Unanswered(_)), "{error}");
}

#[tokio::test]
async fn a_log_that_does_not_answer_is_named_and_nothing_is_fine() {
    let (fake, folder) = (Fake::with_claims().await, tempfile::tempdir().unwrap());
    let policy = Policy::parse(&said::policy(), &Cel).unwrap();
    let mut logs = Vec::new();
    for url in [fake.url.clone(), "http://127.0.0.1:9".to_owned()] {
        logs.push(LogAddress {
            key: fake.log_key(),
            url: Some(url),
            older: Vec::new(),
            mirrors: Vec::new(),
        });
    }
    let tls = Tls::default();
    let asker = Asker::new(policy, logs, How::Openly, NOW_MS, folder.path(), &tls);
    let inventory = inventory();
    let asked = asker.components(&inventory).await.unwrap();
    let report = scales(&asker).components(inventory, &asked);
    assert_eq!(asked.unreachable().count(), 1);
    assert!(matches!(report.conclusion(), Conclusion::Unanswered(_)));
    for component in &report.components {
        assert!(component.outcome >= Outcome::Incomplete, "{component:?}");
    }
}
