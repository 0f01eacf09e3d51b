//! What logs learn of private questions: each test plays the node, puts together what it was told,
//! and prints what that leaves.

use crate::fake::{Fake, State, id, key, said, withdrawal};
use assay_claims::claim::{self, ClaimId};
use assay_claims::index::{By, Kind, Name, Prefix, Query};
use assay_claims::json::Value;
use assay_claims::purl::Purl;
use assay_claims::statement::{Statement, Subject};
use assay_client::ask::{About, Artifact, Asked, Asker, Audience, How, LogAddress, required_logs};
use assay_client::gather::Privacy;
use assay_client::{Cel, Tls};
use assay_policy::rules::Policy;
use assay_policy::verdict::Answer;
use assay_tlog::Hash;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use tonic::Status;

/// Least things among which a question shall hide.
const HIDE_AMONG: usize = 64;

/// Most bits that are told of one thing.
const MOST_BITS: u16 = 12;

/// What is asked about.
const ASKED: &str = "pkg:cargo/example";

/// Things of which everybody knows that they are in the log.
const THINGS: u32 = 3000;

fn target(number: u32) -> Hash {
    Hash::of(&number.to_be_bytes())
}

/// An artifact with two digests.
fn artifact(number: u32) -> Artifact {
    let hex = target(number).to_hex();
    Artifact {
        digests: vec![
            ("sha256".into(), hex.clone()),
            ("sha512".into(), format!("{hex}{hex}")),
        ],
        ..Artifact::default()
    }
}

/// Has a stranger speak of all of these, a hundred at once.
fn speak_of(state: &mut State, subjects: &[Subject]) {
    for subjects in subjects.chunks(100) {
        let uri = "https://example.com/p/v1";
        let said = Statement::new(subjects.to_vec(), uri, Value::Object(vec![])).unwrap();
        let signer = (id(said::STRANGER), &key(said::STRANGER));
        state.append(&claim::sign(said.to_json().as_bytes(), &[signer]));
    }
    state.commit();
}

fn packages<'n>(names: impl IntoIterator<Item = &'n String>) -> Vec<Subject> {
    let purls = names.into_iter().map(|name| Purl::parse_canonical(name));
    purls.map(|purl| Subject::package(purl.unwrap())).collect()
}

/// A log in which many packages are spoken of.
async fn log_of_packages(origin: &str, packages_there: u32) -> Fake {
    let fake = Fake::named(origin).await;
    let names: Vec<String> = (0..packages_there)
        .map(|n| format!("pkg:cargo/p{n}"))
        .chain([ASKED.to_owned()])
        .collect();
    speak_of(&mut fake.state(), &packages(&names));
    fake
}

/// Notes what the log is told that is not asked to measure it.
fn listen(fake: &Fake) -> Arc<Mutex<BTreeSet<Prefix>>> {
    let told = Arc::new(Mutex::new(BTreeSet::new()));
    let heard = told.clone();
    fake.state().rewrite = Some(Box::new(move |_, query, answer| {
        if let Some(prefix) = meant(query) {
            heard.lock().unwrap().insert(prefix);
        }
        Ok(vec![answer])
    }));
    told
}

/// The prefix of something that is meant. Measuring listens to nobody.
fn meant(query: &Query) -> Option<Prefix> {
    match query {
        Query::Crowd { prefix, by } if *by != [By::predicate_type("")] => Some(*prefix),
        _ => None,
    }
}

async fn asked(fakes: &[&Fake], folder: &Path, about: About) -> Asked {
    let mut policy = said::policy();
    for fake in fakes {
        let (key, url) = (fake.log_key(), &fake.url);
        policy.push_str(&format!("[[log]]\nkey = \"{key}\"\nurl = \"{url}\"\n"));
    }
    let policy = Policy::parse(&policy, &Cel).unwrap();
    let logs: Vec<LogAddress> = required_logs(&policy, None, How::Privately).unwrap();
    let asker = Asker::new(policy, logs, How::Privately, 0, folder, &Tls::default());
    asker.find(about, Audience::Trusted).await.unwrap().asked
}

fn given(asked: &Asked, log: usize) -> Privacy {
    asked.logs[log].gathered.privacy.unwrap()
}

/// Whether something with these names could be what was meant.
fn fits(names: &[Name], told: &BTreeSet<Prefix>) -> bool {
    let mut told = told.iter();
    told.all(|prefix| names.iter().any(|name| prefix.holds(name.prefix().first())))
}

/// A log that knows what there is joins the prefixes of the names of one thing.
#[tokio::test]
async fn the_names_of_one_thing_tell_no_more_than_one_name() {
    let folder = tempfile::tempdir().unwrap();
    let claims = Fake::named("claims.example/log").await;
    for number in 0..THINGS {
        let withdrawn = withdrawal(said::STRANGER, ClaimId::new(target(number)));
        claims.state().append(&withdrawn);
    }
    claims.state().commit();
    let artifacts = Fake::named("artifacts.example/log").await;
    let subjects = (0..THINGS).map(|n| Subject::of_parts(None, None, artifact(n).digests));
    let subjects: Vec<Subject> = subjects.collect();
    speak_of(&mut artifacts.state(), &subjects);

    let claim = |n: u32| About::Claim(ClaimId::new(target(n)));
    let kinds: [(&str, &Fake, &dyn Fn(u32) -> About); 4] = [
        ("a claim", &claims, &claim),
        ("64 hex digits", &claims, &|n| About::Hex(target(n))),
        ("a file with two digests", &artifacts, &|n| {
            About::Artifact(artifact(n))
        }),
        ("one digest", &artifacts, &|n| {
            let mut one = artifact(n);
            one.digests.truncate(1);
            About::Artifact(one)
        }),
    ];
    for (what, fake, about) in kinds {
        let told = listen(fake);
        let answer = asked(&[fake], folder.path(), about(77)).await;
        let told = told.lock().unwrap().clone();
        let fitting = |n: &u32| fits(&about(*n).watched(), &told);
        let left = (0..THINGS).filter(fitting).count();
        let bits: u16 = told.iter().map(Prefix::bits).sum();
        println!(
            "{what}: {} prefixes, {bits} bits together; it is one of {left} of {THINGS}",
            told.len()
        );
        assert!(fits(&about(77).watched(), &told) && bits <= MOST_BITS);
        assert!(left >= HIDE_AMONG, "{what}: one of {left}");
        assert!(told.iter().all(|one| one.bits() == given(&answer, 0).bits));
    }
}

/// Whoever runs two logs compares what they were told. Both were told the same.
#[tokio::test]
async fn two_logs_together_are_told_no_more_than_the_smaller() {
    let folder = tempfile::tempdir().unwrap();
    let large = log_of_packages("large.example/log", 8000).await;
    let small = log_of_packages("small.example/log", 700).await;
    let package = || About::parse(ASKED).unwrap().unwrap();
    let told = [&large, &small].map(listen);
    let both = asked(&[&large, &small], folder.path(), package()).await;
    let [of_large, of_small] = told.map(|told| told.lock().unwrap().clone());
    assert_eq!((of_large.len(), &of_large), (1, &of_small));
    let alone = asked(&[&large], folder.path(), package()).await;
    let (joint, alone) = (given(&both, 0).bits, given(&alone, 0).bits);
    println!("{alone} bits where only the large log is asked, {joint} where both are");
    assert!(joint < alone);
    let (in_large, in_small) = (given(&both, 0).fewest, given(&both, 1).fewest);
    println!("one of {in_small} names in the small log, of {in_large} in the large one");
    assert!(in_small >= HIDE_AMONG as u64 && in_large >= in_small);
}

/// A log refuses a prefix that is so short because of another one.
#[tokio::test]
async fn who_is_told_too_little_to_answer_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let large = log_of_packages("large.example/log", 3000).await;
    let small = log_of_packages("small.example/log", 20).await;
    let refuse = |_: &mut State, query: &Query, answer| match meant(query) {
        Some(prefix) if prefix.bits() < 3 => Err(Status::out_of_range("name more bits")),
        _ => Ok(vec![answer]),
    };
    large.state().rewrite = Some(Box::new(refuse));
    let package = About::parse(ASKED).unwrap().unwrap();
    let both = asked(&[&large, &small], folder.path(), package).await;
    let Answer::None { why } = &both.logs[0].answer else {
        panic!("{:?}", both.logs[0].answer);
    };
    for words in [
        "0 bits of a name",
        "in the log small.example/log",
        "without that log",
    ] {
        assert!(why.contains(words), "{why}");
    }
    assert!(matches!(both.logs[1].answer, Answer::Complete { .. }));

    let refuse = |_: &mut State, query: &Query, answer| match meant(query) {
        Some(_) => Err(Status::out_of_range("name more bits")),
        None => Ok(vec![answer]),
    };
    large.state().rewrite = Some(Box::new(refuse));
    let why = asker_refuses(&large, folder.path(), About::Hex(target(1))).await;
    assert!(why.contains("such as one digest"), "{why}");
}

async fn asker_refuses(fake: &Fake, folder: &Path, about: About) -> String {
    let (key, url) = (fake.log_key(), &fake.url);
    let policy = said::policy() + &format!("[[log]]\nkey = \"{key}\"\nurl = \"{url}\"\n");
    let policy = Policy::parse(&policy, &Cel).unwrap();
    let logs = required_logs(&policy, None, How::Privately).unwrap();
    let asker = Asker::new(policy, logs, How::Privately, 0, folder, &Tls::default());
    let found = asker.find(about, Audience::Trusted).await;
    found.unwrap_err().to_string()
}

/// Somebody registers names by the thousand to learn more of a question: everywhere but where the
/// target is, so that the log looks denser than it is there; or around the target, so that it seems
/// to hide among many. What is told stays below the cap, and what is said of the crowd is what is
/// there: made-up names are names.
#[tokio::test]
async fn a_grinder_moves_no_more_than_the_cap_and_the_crowd_is_told_as_it_is() {
    const NEAR_BITS: u16 = 6;
    let name = |purl: &str| Name::new(Kind::Package, purl);
    let asked_name = name(ASKED);
    let near = Prefix::of(asked_name.prefix().first(), NEAR_BITS);
    let is_near = |purl: &String| near.holds(name(purl).prefix().first());
    let honest: Vec<String> = (0..2000).map(|n| format!("pkg:cargo/p{n}")).collect();
    let ground: Vec<String> = (0..16_000).map(|n| format!("pkg:cargo/g{n}")).collect();
    let (around, away): (Vec<_>, Vec<_>) = ground.into_iter().partition(is_near);
    let around_only: Vec<String> = (0..60_000)
        .map(|n| format!("pkg:cargo/n{n}"))
        .filter(|purl| is_near(purl))
        .collect();
    // Places are drawn at random, and a place near it shows a log how few names there are. That is
    // one of 64, and some are drawn each time, so that now and then the grinder fails.
    const TRIES: usize = 6;
    let mut worked = 0;
    let tries = (0..TRIES).map(|_| ("away from it", away.clone()));
    let others = [
        ("nobody", vec![]),
        ("around it", [around, around_only].concat()),
    ];
    for (what, made_up) in others.into_iter().chain(tries) {
        if worked > 0 {
            break;
        }
        let folder = tempfile::tempdir().unwrap();
        let fake = log_of_packages("large.example/log", 2000).await;
        speak_of(&mut fake.state(), &packages(&made_up));
        let told = listen(&fake);
        let package = About::parse(ASKED).unwrap().unwrap();
        let given = given(&asked(&[&fake], folder.path(), package).await, 0);
        let told = told.lock().unwrap().clone();
        let holds = |purl: &&String| fits(&[name(purl)], &told);
        let real = honest.iter().filter(holds).count() + 1;
        let all = real + made_up.iter().filter(holds).count();
        println!(
            "a grinder {what}: {} bits; one of {all} names, {real} of them real",
            given.bits
        );
        assert!(given.bits <= MOST_BITS);
        assert_eq!(given.fewest, all as u64, "{what}");
        match what {
            "away from it" => worked += usize::from(real < HIDE_AMONG),
            _ => assert!(real >= HIDE_AMONG),
        }
    }
    assert!(worked > 0, "it works, and is told");
}
