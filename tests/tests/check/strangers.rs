//! Strangers: registering is free, and so is talking. What they say changes no decision, and makes
//! none more expensive: a check takes what those said whom the policy trusts.

use super::world::{World, cargo_lock, outcomes};
use anyhow::{Context, ensure};
use assay_claims::claim::ClaimId;
use assay_claims::entry::wire;
use assay_claims::json;
use assay_claims::kind::response::Response;
use assay_claims::purl::Purl;
use assay_claims::statement::{Statement, Subject};
use assay_proto::v1::{PublishItem, PublishStreamRequest, Wait, publish_result};
use assay_tests::{issuer::Actor, log::Log, lying::Proxy};
use bytes::Bytes;
use futures::stream;
use prost::Message;
use serde_json::Value;

/// Nobody is told that they talk too much.
const NO_QUOTA: &str = "admission.issuer_claims_per_second = 0";

/// What thousands of labels more add to the proofs of a check at most, in bytes: a dozen stubs on
/// the way to each of a few labels.
const PROOFS: usize = 16 * 1024;

/// A log in which the makers said how one crate was built, and that another can be exploited.
fn world(settings: &str) -> anyhow::Result<World> {
    let mut world = World::with(&format!("{NO_QUOTA}\n{settings}"))?;
    world.built("makers", "pkg:cargo/serde@1.0.0")?;
    world.affected("makers", "pkg:cargo/bad@1.0.0")?;
    world.write("Cargo.lock", &cargo_lock(&["bad", "nobody", "serde"]))?;
    Ok(world)
}

/// How a check of `Cargo.lock` ended.
#[derive(Debug, PartialEq)]
struct Decision {
    code: Option<i32>,
    /// The report, but for how the log was and when it was asked.
    report: Value,
}

/// Bytes of the index's answers to a check.
#[derive(Debug, Default)]
struct Cost {
    /// Of what was said.
    entries: usize,
    /// Of the whole answers.
    all: usize,
}

/// Checks `Cargo.lock`. Returns what came of it, and what it cost.
async fn check(world: &World) -> anyhow::Result<(Decision, Cost)> {
    let proxy = Proxy::start(world.node.ready()).await?;
    let asked = ["check", "Cargo.lock", "--output", "json"];
    let checked = tokio::task::block_in_place(|| world.ask_at(&proxy.url, &asked))?;
    let mut report: Value = serde_json::from_str(&checked.stdout).context(checked.stderr)?;
    let whole = report.as_object_mut().context("an object")?;
    let logs = whole.remove("logs").context("logs")?;
    ensure!(logs[0]["answer"] == "complete", "{logs:#}");
    whole.retain(|name, _| !name.starts_with("checked_at"));
    // The last sentence says as of which head it is.
    let summary = whole.get_mut("summary").and_then(Value::as_array_mut);
    let last = summary.and_then(Vec::pop).context("a sentence")?;
    ensure!(last.to_string().contains("nothing was left out"), "{last}");
    let mut cost = Cost::default();
    for (_, answer) in &proxy.lies().heard {
        cost.entries += answer.entries.iter().map(Bytes::len).sum::<usize>();
        cost.all += answer.encoded_len();
    }
    let code = checked.code;
    Ok((Decision { code, report }, cost))
}

fn is_as_cheap(cost: &Cost, before: &Cost) -> bool {
    cost.entries == before.entries && cost.all <= before.all + PROOFS
}

/// What a stranger says of a package, differently for each number: that it can be exploited.
fn against(stranger: &Actor, purl: &str, number: u64) -> anyhow::Result<wire::Claim> {
    let subject = Subject::package(Purl::parse_canonical(purl)?);
    let vex = format!(
        r#"{{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.org/{number}",
        "author":"A stranger","version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[
        {{"vulnerability":{{"name":"CVE-2026-{number:04}"}},"status":"affected",
        "action_statement":"Pay."}}]}}"#
    );
    let predicate = json::parse(vex.as_bytes())?;
    let said = Statement::new(vec![subject], "https://openvex.dev/ns/v0.2.0", predicate)?;
    Ok(stranger.sign(said.to_json().as_bytes()))
}

/// Publishes claims over a stream.
async fn publish(log: &Log, claims: Vec<wire::Claim>) -> anyhow::Result<()> {
    let size = log.size().await?;
    let (count, mut messages) = (claims.len() as u64, Vec::new());
    for claims in claims.chunks(64) {
        let items = claims.iter().map(|claim| PublishItem {
            id: 0,
            claim: Some(claim.clone()),
        });
        messages.push(PublishStreamRequest {
            wait: Wait::Sequenced.into(),
            items: items.collect(),
        });
    }
    let mut service = log.service.clone();
    let answers = service.publish_stream(stream::iter(messages)).await?;
    let mut answers = answers.into_inner();
    while let Some(answer) = answers.message().await? {
        for result in answer.results {
            let published = matches!(result.result, Some(publish_result::Result::Published(_)));
            ensure!(published, "{result:?}");
        }
    }
    log.published(size + count + 1).await
}

/// A stranger that the log knows.
async fn stranger(log: &Log) -> anyhow::Result<Actor> {
    let stranger = Actor::new(&[77], 1);
    log.publish(stranger.registration()?, Wait::Integrated)
        .await?;
    Ok(stranger)
}

/// Claims about claims could go on for ever, and so would a check that followed everybody's.
#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_goes_on_about_itself_changes_nothing() -> anyhow::Result<()> {
    let world = world("")?;
    let log = Log::connect(world.node.ready()).await?;
    let stranger = stranger(&log).await?;
    let (before, cost) = check(&world).await?;
    assert_eq!(before.report["counts"]["outcomes"]["denied"], 1);

    let mut claims = vec![against(&stranger, "pkg:cargo/serde@1.0.0", 1)?];
    for _ in 0..11 {
        let last = claims.last().context("a claim")?;
        let response = Response {
            target: ClaimId::of_payload(&last.payload),
            stance: "explain".into(),
            text: "And another thing.".into(),
        };
        claims.push(stranger.sign(response.statement()?.to_json().as_bytes()));
    }
    publish(&log, claims).await?;

    let (after, with_stranger) = check(&world).await?;
    assert_eq!(after, before);
    assert!(
        is_as_cheap(&with_stranger, &cost),
        "{with_stranger:?}, {cost:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_that_says_thousands_of_things_costs_a_check_nothing() -> anyhow::Result<()> {
    let world = world("")?;
    let log = Log::connect(world.node.ready()).await?;
    let stranger = stranger(&log).await?;
    let (before, cost) = check(&world).await?;

    let claims = (0..3_000).map(|number| against(&stranger, "pkg:cargo/serde@1.0.0", number));
    publish(&log, claims.collect::<Result<_, _>>()?).await?;

    let (after, with_stranger) = check(&world).await?;
    assert_eq!(after, before);
    assert!(
        is_as_cheap(&with_stranger, &cost),
        "{with_stranger:?}, {cost:?}"
    );

    // Who wants to know hears of it.
    let look_up = |more: &[&str]| {
        let asked = [&["lookup", "pkg:cargo/serde@1.0.0"], more].concat();
        tokio::task::block_in_place(|| world.ask_at(&world.node.ready().url, &asked))
    };
    let told = look_up(&[])?;
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert!(
        told.stderr.contains("1 other has spoken about it"),
        "{}",
        told.stderr
    );
    assert!(!told.stdout.contains("CVE-2026-"), "{}", told.stdout);
    let told = look_up(&["--everyone"])?;
    assert!(told.stdout.contains("CVE-2026-"), "{}", told.stdout);
    Ok(())
}

/// A log in `open` mode takes every valid signature. An issuer's id beside another's key is no word
/// of the issuer.
#[tokio::test(flavor = "multi_thread")]
async fn an_id_beside_another_key_is_nobodys_word() -> anyhow::Result<()> {
    let world = world("admission.mode = \"open\"")?;
    let log = Log::connect(world.node.ready()).await?;
    let (before, _) = check(&world).await?;

    let makers = world.issuer("makers");
    let thief = Actor {
        id: assay_claims::issuer::IssuerId::from_hex(makers).context("an id")?,
        ..Actor::new(&[78], 1)
    };
    let mut logged = 0;
    for (number, purl) in [(1, "pkg:cargo/serde@1.0.0"), (2, "pkg:cargo/nobody@1.0.0")] {
        // The log may refuse it. If it does not, nothing follows from it.
        let claim = against(&thief, purl, number)?;
        logged += u64::from(log.publish(claim, Wait::Integrated).await.is_ok());
    }
    let (after, _) = check(&world).await?;
    let decided = |decision: &Decision| {
        let counts = decision.report["counts"].clone();
        (decision.code, outcomes(&decision.report), counts)
    };
    assert_eq!(decided(&after), decided(&before), "{logged} were logged");
    let told = after.report.to_string();
    assert!(!told.contains("CVE-2026-0002"), "{told}");
    Ok(())
}
