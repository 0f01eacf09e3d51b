//! Logs that are asked privately, offline, too late, or in vain.

use super::world::{Checked, World, cargo_lock, outcomes, run};
use assay_claims::entry;
use assay_claims::index::{By, Commitment, Kind, Name, Query};
use assay_claims::issuer::IssuerId;
use assay_claims::kind;
use assay_client::{AnswerCache, Client, Config, HeadStore, Tls};
use assay_tests::process::Node;
use assay_tlog::checkpoint::{Checkpoint, VerifiedCheckpoint};
use assay_tlog::hash;
use assay_tlog::note::{SignerKey, VerifierKey};
use assay_tlog::tree::TreeSize;
use serde_json::Value;
use std::time::{SystemTime, UNIX_EPOCH};

/// A log of which something is known, and a file of three crates.
fn world() -> anyhow::Result<World> {
    let mut world = World::new()?;
    world.built("makers", "pkg:cargo/good@1.0.0")?;
    world.affected("makers", "pkg:cargo/bad@1.0.0")?;
    let wrong = world.affected("makers", "pkg:cargo/mended@1.0.0")?;
    world.withdraw("makers", &wrong)?;
    world.built("makers", "pkg:cargo/mended@1.0.0")?;
    world.write(
        "Cargo.lock",
        &cargo_lock(&["bad", "good", "mended", "nobody"]),
    )?;
    Ok(world)
}

/// A policy's entry of a log that must answer.
fn required(key: &str, url: &str) -> String {
    format!("\n[[log]]\nkey = \"{key}\"\nurl = \"{url}\"\n")
}

#[test]
fn offline_it_answers_from_what_was_kept_and_says_how_old_that_is() -> anyhow::Result<()> {
    let mut world = world()?;
    let (code, online) = world.report(&["Cargo.lock"])?;
    world.node.stop()?;
    let unreachable = world.check(&["Cargo.lock"])?;
    assert_eq!(unreachable.code, Some(3), "{}", unreachable.stderr);
    assert!(
        unreachable.stdout.contains("No answer from the log "),
        "{}",
        unreachable.stdout
    );
    assert!(
        !unreachable.stdout.contains("fine"),
        "{}",
        unreachable.stdout
    );

    let (kept_code, kept) = world.report(&["Cargo.lock", "--offline"])?;
    assert_eq!((kept_code, outcomes(&kept)), (code, outcomes(&online)));
    assert_eq!(
        kept["logs"][0]["head"]["checkpoint"],
        online["logs"][0]["head"]["checkpoint"]
    );
    let text = world.check(&["Cargo.lock", "--offline"])?.stdout;
    assert!(
        text.contains(" (kept answer of the log ") && text.contains(" UTC, just now"),
        "{text}"
    );

    // Nothing was kept of another question.
    world.write("other.Cargo.lock", &cargo_lock(&["other"]))?;
    let other = world.check(&["other.Cargo.lock", "--offline"])?;
    assert_eq!(other.code, Some(3), "{}", other.stderr);
    assert!(
        other.stdout.contains("ask once without --offline"),
        "{}",
        other.stdout
    );
    assert!(!other.stdout.contains("fine"), "{}", other.stdout);
    Ok(())
}

#[test]
fn a_private_question_gets_the_same_answer() -> anyhow::Result<()> {
    let world = world()?;
    let (code, plain) = world.report(&["Cargo.lock"])?;
    let (private_code, private) = world.report(&["Cargo.lock", "--private"])?;
    assert_eq!((private_code, outcomes(&private)), (code, outcomes(&plain)));
    assert!(private["logs"][0]["private"]["prefixes"].as_u64().unwrap() > 0);
    let text = |report: &Value| report["summary"].to_string();
    assert!(text(&private).contains("was told") && !text(&plain).contains("was told"));
    let both = world.check(&["Cargo.lock", "--private", "--offline"])?;
    assert_eq!(both.code, Some(2));
    Ok(())
}

#[test]
fn a_log_that_must_answer_and_cannot_be_reached_leaves_nothing_fine() -> anyhow::Result<()> {
    let world = world()?;
    // Nothing listens where a node has just stopped.
    let mut gone = Node::start()?;
    let url = gone.ready().url.clone();
    gone.stop()?;
    let key = SignerKey::from_seed("gone.example/log", &[3; 32])?
        .verifier()
        .to_string();
    let here = world.node.ready();
    world.policy(
        "two.toml",
        "warn",
        &format!(
            "{}{}",
            required(&here.vkey, &here.url),
            required(&key, &url)
        ),
    )?;
    let (code, report) = world.report(&["Cargo.lock", "--policy", "two.toml"])?;
    assert_eq!(code, Some(3), "{report:#}");
    let outcomes: Vec<String> = outcomes(&report)
        .into_iter()
        .map(|(_, outcome)| outcome)
        .collect();
    // What is denied stays denied; nothing else is known well enough.
    assert_eq!(
        outcomes,
        ["denied", "incomplete", "incomplete", "incomplete"]
    );
    let answers: Vec<_> = report["logs"]
        .as_array()
        .unwrap()
        .iter()
        .map(|log| &log["answer"])
        .collect();
    assert_eq!(answers, ["complete", "none"]);
    Ok(())
}

#[test]
fn an_answer_that_does_not_verify_names_its_log() -> anyhow::Result<()> {
    let world = world()?;
    let url = &world.node.ready().url;
    let key = SignerKey::from_seed("other.example/log", &[3; 32])?
        .verifier()
        .to_string();
    world.policy("wrong.toml", "warn", &required(&key, url))?;
    let checked = world.check_elsewhere(&["Cargo.lock", "--policy", "wrong.toml"])?;
    assert_eq!(checked.code, Some(4), "{}", checked.stderr);
    assert!(
        checked
            .stderr
            .starts_with("assay: the log other.example/log: "),
        "{}",
        checked.stderr
    );
    assert!(checked.stdout.is_empty());
    Ok(())
}

#[test]
fn a_policy_that_names_a_log_without_saying_where_it_is_is_the_callers() -> anyhow::Result<()> {
    let world = world()?;
    let key = SignerKey::from_seed("other.example/log", &[3; 32])?
        .verifier()
        .to_string();
    world.policy(
        "nowhere.toml",
        "warn",
        &format!("\n[[log]]\nkey = \"{key}\"\n"),
    )?;
    let checked = world.check_elsewhere(&["Cargo.lock", "--policy", "nowhere.toml"])?;
    assert_eq!(checked.code, Some(2));
    assert!(
        checked.stderr.contains("other.example/log") && checked.stderr.contains("`url`"),
        "{}",
        checked.stderr
    );
    assert_eq!(
        world.check(&["Cargo.lock", "--policy", "none.toml"])?.code,
        Some(2)
    );
    Ok(())
}

/// A node's clock cannot be turned back from here, so the old answer is one of a log that this test
/// keeps itself: a log of one entry, its first, made three days ago.
#[tokio::test(flavor = "multi_thread")]
async fn an_old_answer_is_stale_and_never_fine() -> anyhow::Result<()> {
    let world = world()?;
    world.write("lone.Cargo.lock", &cargo_lock(&["lone"]))?;
    let signer = SignerKey::from_seed("old.example/log", &[5; 32])?;
    keep_old_answer(&world, &signer).await?;

    let key = signer.verifier().to_string();
    world.policy(
        "old.toml",
        "allow",
        &format!("\n[[log]]\nkey = \"{key}\"\n"),
    )?;
    check_stale(&check_lone_offline(&world, "old.toml")?);

    // The same answer is good enough for a policy that allows that age.
    world.policy(
        "patient.toml",
        "allow",
        &format!("\n[[log]]\nkey = \"{key}\"\nmax_head_age = \"1w\"\n"),
    )?;
    let patient = check_lone_offline(&world, "patient.toml")?;
    assert_eq!(
        patient.code,
        Some(0),
        "{}{}",
        patient.stdout,
        patient.stderr
    );
    Ok(())
}

/// Keeps, where the program looks for it, an answer of the log of `signer` that is three days old
/// and holds no claims.
async fn keep_old_answer(world: &World, signer: &SignerKey) -> anyhow::Result<()> {
    // An answer of a log without claims, of which all but the head can be taken over.
    let empty = Node::start()?;
    let ready = empty.ready();
    let client = Client::connect(Config {
        url: ready.url.clone(),
        log_key: VerifierKey::parse(&ready.vkey)?,
        older: Vec::new(),
        state_dir: world.path("elsewhere"),
        tls: Tls::default(),
    })
    .await?;
    let [records, said] = questions(world);
    let mut answer = client.lookup(&said).await?.bytes;
    let now_ms = u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis())?;
    answer.commitment = entry::encode(now_ms - 3 * 86_400_000, Commitment::empty().to_wire())?;
    let head = Checkpoint {
        origin: "old.example/log".into(),
        size: TreeSize::new(1),
        root: hash::leaf_hash(&answer.commitment),
    };
    answer.checkpoint = head.sign(signer);
    // Whoever was given the answer has seen its head, too.
    let (state, log) = (world.path("state/assay"), signer.verifier());
    HeadStore::new(&state, &log)
        .advance(None, &VerifiedCheckpoint::verify(&answer.checkpoint, &log)?)?;
    let cache = AnswerCache::new(&state, &log);
    cache.store(&records, &answer)?;
    Ok(cache.store(&said, &answer)?)
}

/// What a check asks of every log: for the records of whom the policy trusts, and what these said.
fn questions(world: &World) -> [Query; 2] {
    let trusted = ["makers", "auditors"].map(|name| world.issuer(name));
    let ids = trusted.map(|id| IssuerId::from_hex(id).unwrap());
    let records = ids.map(|id| Name::new(Kind::Issuer, &id.to_hex()));
    let kinds = [kind::Kind::Issuer, kind::Kind::KeyCompromise];
    let types = kinds.into_iter().flat_map(kind::Kind::uris);
    let lone = Name::new(Kind::Package, "pkg:cargo/lone");
    [
        Query::names(records, types.map(By::predicate_type)),
        Query::names([lone], ids.iter().map(By::issuer)),
    ]
}

/// Checks `lone.Cargo.lock` offline with a policy.
fn check_lone_offline(world: &World, policy: &str) -> anyhow::Result<Checked> {
    run(
        world.folder.path(),
        &["check", "lone.Cargo.lock", "--offline", "--policy", policy],
    )
}

fn check_stale(checked: &Checked) {
    assert_eq!(
        checked.code,
        Some(3),
        "{}{}",
        checked.stdout,
        checked.stderr
    );
    assert!(
        checked
            .stdout
            .contains("1 with an answer that is too old (stale)"),
        "{}",
        checked.stdout
    );
    assert!(
        checked.stdout.starts_with("Too old: complete only as of ")
            && checked
                .stdout
                .contains("3 days ago (kept answer of the log old.example/log, 1 entry)"),
        "{}",
        checked.stdout
    );
    assert!(!checked.stdout.contains(" fine"), "{}", checked.stdout);
}
