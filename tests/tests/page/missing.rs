//! Logs of the policy that are missing: the pages are there all the same, and say so first.

use super::world::World;
use assay_proto::v1::Wait;
use assay_tests::log::Log;
use assay_tests::ports::free_address;
use assay_tests::process::{Node, poll_async};
use assay_tlog::note::SignerKey;
use serde_json::Value;
use std::{fs, net::TcpListener};

/// Where readers reach the pages, without which there is no VEX repository.
const ADDRESS: &str = "address = \"https://log.example\"";
const VEX: &str = "/vex-repository.tar.gz";

/// A world whose policy names two logs besides: one that takes connections and never answers, as
/// long as the listener lives, and one that nobody listens for.
async fn world() -> anyhow::Result<(World, TcpListener)> {
    let mut world = World::new("").await?;
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let file = world.node.folder().join("page.policy.toml");
    let mut policy = fs::read_to_string(&file)?;
    policy.push_str(&format!("\n[[log]]\nkey = \"{}\"\n", world.log.key));
    for (name, seed, address) in [
        ("silent.example/log", 3, silent.local_addr()?),
        ("gone.example/log", 4, free_address()?),
    ] {
        let key = SignerKey::from_seed(name, &[seed; 32])?.verifier();
        policy.push_str(&format!(
            "\n[[log]]\nkey = \"{key}\"\nurl = \"http://{address}\"\n"
        ));
    }
    fs::write(&file, policy)?;
    world.node.stop()?;
    world.node.run()?;
    world.log = Log::connect(world.node.ready()).await?;
    Ok((world, silent))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_is_there_without_the_logs_that_do_not_answer() -> anyhow::Result<()> {
    let (world, silent) = world().await?;
    let makers = &world.makers;
    let claim = world.affected(makers, "pkg:cargo/bad@1.0.0").await?;
    for (path, says) in [
        (
            "/p/pkg:cargo/bad@1.0.0".to_owned(),
            "CVE-2026-0001: affected",
        ),
        ("/v/CVE-2026-0001".to_owned(), "CVE-2026-0001: affected"),
        // These take several questions, of which each would wait.
        (format!("/i/{}", makers.id), "CVE-2026-0001: affected"),
        (format!("/c/{claim}"), "CVE-2026-0001: affected"),
        (
            "/compare?a=pkg:cargo/other&b=pkg:cargo/bad@1.0.0".to_owned(),
            "CVE-2026-0001: affected",
        ),
        (
            "/calendar?purl=pkg:cargo/bad@1.0.0".to_owned(),
            "Of these not all could be checked",
        ),
        (
            format!("/c/{}", "ab".repeat(32)),
            "No log that was asked shows",
        ),
    ] {
        let page = world.page(&path).await?;
        let text = &page.text;
        assert_eq!(page.status, 200, "{path}: {text}");
        assert!(text.contains(says), "{path}: {text}");
        for log in ["silent.example/log", "gone.example/log"] {
            // Before anything that is said.
            let (named, heading) = (text.find(log), text.find("<h2>"));
            let is_first = named.is_some_and(|named| heading.is_none_or(|it| named < it));
            assert!(is_first, "{path}: {log}: {text}");
        }
    }
    let page = world.page("/p/pkg:cargo/bad@1.0.0").await?;
    let sentence = page.sentence();
    assert!(
        sentence.contains("This could not be checked fully."),
        "{sentence}"
    );
    // That nothing was found there is not said to be silence.
    let support = page.section("Until when")?;
    assert!(support.contains("Nothing was found, where it"), "{support}");
    let badge = world.get("/badge/pkg:cargo/bad@1.0.0.json").await?;
    let badge: Value = serde_json::from_slice(&badge.bytes().await?)?;
    assert_eq!(badge["message"], "not checked");
    // Whoever subscribed would lose what was there before.
    let ics = world.page("/calendar.ics?purl=pkg:cargo/bad@1.0.0").await?;
    assert_eq!(ics.status, 503, "{}", ics.text);
    // And whoever follows a feed would take what is missing for withdrawn.
    let feed = world.page("/feed.atom?purl=pkg:cargo/bad@1.0.0").await?;
    assert_eq!(feed.status, 503, "{}", feed.text);
    drop(silent);
    Ok(())
}

/// What was made while a log was away is not kept: once it is back it is asked, though nothing else
/// has changed.
#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_is_back_is_asked_at_once() -> anyhow::Result<()> {
    let world = World::new("").await?.with(ADDRESS).await?;
    let (mut world, name) = (world, "other.example/log");
    let (mut other, address) = (Node::init_as(name)?, free_address()?);
    other.configure(&format!(
        "server.listen = \"{address}\"\nlog.publish_interval_ms = 1"
    ))?;
    other.run()?;
    let log = Log::connect(other.ready()).await?;
    log.publish(world.makers.registration()?, Wait::Integrated)
        .await?;
    other.stop()?;
    let file = world.node.folder().join("page.policy.toml");
    let logs = format!(
        "\n[[log]]\nkey = \"{}\"\n\n[[log]]\nkey = \"{}\"\nurl = \"http://{address}\"\n",
        world.log.key,
        other.vkey()?
    );
    fs::write(&file, fs::read_to_string(&file)? + &logs)?;
    world.node.stop()?;
    world.node.run()?;
    world.log = Log::connect(world.node.ready()).await?;
    let purl = "pkg:cargo/bad@1.0.0";
    world.affected(&world.makers, purl).await?;
    let paths = [
        format!("/p/{purl}"),
        format!("/compare?a={purl}&b=pkg:cargo/other"),
        format!("/calendar?purl={purl}"),
    ];
    let is_missed = |text: &str| {
        let before = text.split("<section>").next().unwrap_or_default();
        let before = before.split("<table>").next().unwrap_or_default();
        before.contains(name)
    };
    let badge = format!("/badge/{purl}.json");
    for path in &paths {
        let text = world.page(path).await?.text;
        assert!(is_missed(&text), "{path}: {text}");
    }
    let gray = world.get(&badge).await?.text().await?;
    assert!(gray.contains("not checked"), "{gray}");
    // What was withdrawn there would be in the repository.
    let vex = world.page(VEX).await?;
    assert_eq!(vex.status, 503, "{}", vex.text);
    assert!(vex.text.contains(name), "{}", vex.text);
    other.run()?;
    for path in &paths {
        let text = world.page(path).await?.text;
        assert!(!is_missed(&text), "{path}: {text}");
    }
    let checked = world.get(&badge).await?.text().await?;
    assert!(checked.contains("read this"), "{checked}");
    // It is not made again at once.
    poll_async(async || Ok((world.get(VEX).await?.status() == 200).then_some(()))).await
}
