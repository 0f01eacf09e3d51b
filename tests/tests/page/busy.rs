//! More pages than a node can make: some are refused, early and with advice, and nobody else waits.

use super::world::{World, named};
use assay_tests::log::Log;
use assay_tlog::note::SignerKey;
use futures::future::join_all;
use serde_json::json;
use std::{fs, net::TcpListener, time::Instant};

/// Pages that a node makes at once.
const AT_ONCE: usize = 8;

/// What one network has made at once of these.
const OF_NETWORK: usize = 4;

/// A world whose policy also names a log that takes connections and never answers, as long as the
/// listener lives: it holds up the pages that ask it, as long as they have patience.
async fn held_up(edits: &str) -> anyhow::Result<(World, TcpListener)> {
    let mut world = World::new("").await?;
    let silent = TcpListener::bind("127.0.0.1:0")?;
    let url = format!("http://{}", silent.local_addr()?);
    let key = SignerKey::from_seed("silent.example/log", &[3; 32])?.verifier();
    let file = world.node.folder().join("page.policy.toml");
    let (before, own) = (fs::read_to_string(&file)?, world.log.key.to_string());
    let logs = format!("[[log]]\nkey = \"{own}\"\n\n[[log]]\nkey = \"{key}\"\nurl = \"{url}\"\n");
    fs::write(&file, format!("{before}\n{logs}"))?;
    world.node.stop()?;
    world.node.configure(edits)?;
    world.node.run()?;
    world.log = Log::connect(world.node.ready()).await?;
    Ok((world, silent))
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_beyond_what_a_node_can_make_are_refused_early() -> anyhow::Result<()> {
    let (world, silent) = held_up("").await?;
    let asked = (0..3 * AT_ONCE).map(|number| {
        let (http, url) = (reqwest::Client::new(), &world.node.ready().url);
        let url = format!("{url}/p/pkg:cargo/a{number}");
        async move {
            let began = Instant::now();
            let response = http.get(url).send().await?;
            let retry = response.headers().contains_key("retry-after");
            anyhow::Ok((
                response.status().as_u16(),
                retry,
                began.elapsed().as_secs(),
                response.text().await?,
            ))
        }
    });
    let publishing = async {
        // Meanwhile whoever publishes and whoever asks the log itself is served.
        world
            .supported(&world.makers, "pkg:cargo/a1", "2090-05-01")
            .await?;
        world.log.checkpoint().await
    };
    let (answers, published) = tokio::join!(join_all(asked), publishing);
    published?;
    let (mut asked_for, mut refused) = (0, 0);
    for answer in answers {
        let (status, retry, seconds, text) = answer?;
        if text.contains("Try again in a moment") {
            refused += 1;
            assert!(status == 503 && retry, "{status}: {text}");
            assert!(seconds < 6, "after {seconds} s");
        } else {
            // What the others say is shown, and who is silent.
            asked_for += 1;
            assert_eq!(status, 200, "{text}");
            assert!(seconds < 8, "after {seconds} s");
            assert!(text.contains("This could not be checked fully."), "{text}");
            assert!(text.contains("silent.example/log"), "{text}");
            assert!(text.contains("Nothing was found"), "{text}");
            assert!(!text.contains("Nobody has said anything."), "{text}");
        }
    }
    assert_eq!((asked_for, refused), (AT_ONCE, 2 * AT_ONCE));
    drop(silent);
    assert_eq!(world.page("/p/pkg:cargo/b").await?.status, 200);
    Ok(())
}

/// Asks for pages of packages of this name, so many at once, each as for one of the callers that
/// are named in turn. Returns how many were made, and how many were refused.
async fn asked_for(
    world: &World,
    name: &str,
    number: usize,
    callers: &[&str],
) -> anyhow::Result<(usize, usize)> {
    let asked = callers.iter().cycle().take(number).enumerate();
    let asked = asked.map(|(number, caller)| {
        let url = format!("{}/p/pkg:cargo/{name}{number}", world.node.ready().url);
        let request = reqwest::Client::new().get(url);
        request.header("x-forwarded-for", *caller).send()
    });
    let (mut made, mut refused) = (0, 0);
    for answer in join_all(asked).await {
        match answer?.status().as_u16() {
            200 => made += 1,
            429 | 503 => refused += 1,
            other => anyhow::bail!("{other}"),
        }
    }
    Ok((made, refused))
}

/// Behind an HTTP proxy all come from one address, and often on one connection.
#[tokio::test(flavor = "multi_thread")]
async fn one_caller_behind_a_proxy_takes_no_turns_of_others() -> anyhow::Result<()> {
    let (world, _silent) = held_up("server.trusted_proxies = [\"127.0.0.1\"]").await?;
    let (many, few) = tokio::join!(
        asked_for(&world, "many", 3 * AT_ONCE, &["192.0.2.1"]),
        asked_for(&world, "few", OF_NETWORK, &["192.0.2.2"]),
    );
    assert_eq!(few?, (OF_NETWORK, 0));
    assert_eq!(many?, (OF_NETWORK, 3 * AT_ONCE - OF_NETWORK));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_trusted_proxy_has_his_own_turns_whomever_he_names() -> anyhow::Result<()> {
    let (world, _silent) = held_up("server.shared_addresses = []").await?;
    let named = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
    let asked = asked_for(&world, "named", AT_ONCE, &named).await?;
    assert_eq!(asked, (OF_NETWORK, AT_ONCE - OF_NETWORK));
    Ok(())
}

/// What strangers say is read within a bound, in which each has a share.
#[tokio::test(flavor = "multi_thread")]
async fn who_says_very_much_is_left_out_of_a_page_and_nobody_else_is() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let (purl, kind) = ("pkg:cargo/huge@1.0.0", "https://example.com/essay/v1");
    for seed in 20..40 {
        let loud = named("Loud", seed);
        world.register(&loud).await?;
        let essay = json!({"text": "x".repeat(30_000)});
        world.say(&loud, purl, kind, essay).await?;
    }
    world.affected(&world.stranger, purl).await?;
    world.supported(&world.makers, purl, "2090-05-01").await?;
    let page = world.page(&format!("/p/{purl}")).await?.text;
    for says in [
        "CVE-2026-0001: affected",
        "security support until 2090-05-01",
        "Others have said more than is shown here.",
    ] {
        assert!(page.contains(says), "{says}: {page}");
    }
    // Some of them fit once it is known how little the others say.
    let shown = page.matches(kind).count();
    assert!(shown < 10, "{shown}: {page}");
    // A browser that checks it must not call it all that was said.
    assert!(page.contains("data-part=\"true\""), "{page}");
    let other = world.page("/p/pkg:cargo/other").await?.text;
    assert!(other.contains("data-part=\"false\""), "{other}");
    for asked in [
        format!("a={purl}&b=pkg:cargo/other"),
        format!("a=pkg:cargo/other&b={purl}"),
    ] {
        let compared = world.page(&format!("/compare?{asked}")).await?.text;
        let says = "Others have said more than is shown here.";
        assert!(compared.contains(says), "{asked}: {compared}");
    }
    let badge = world.get(&format!("/badge/{purl}.json")).await?;
    let badge = badge.text().await?;
    assert!(badge.contains("supported to 2090-05"), "{badge}");
    Ok(())
}

/// While the log is as it was, a page is made once; and several may be asked for at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_was_made_is_sent_again() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let first = world.page("/p/pkg:cargo/serde").await?.text;
    for _ in 0..50 {
        assert_eq!(world.page("/p/pkg:cargo/serde").await?.text, first);
    }
    let asked = (0..AT_ONCE).map(|_| world.page("/p/pkg:cargo/other"));
    for page in join_all(asked).await {
        assert_eq!(page?.status, 200);
    }
    Ok(())
}

/// Whoever asks for pages fills no disk: of what the pages asked, heads are kept, and no answers.
#[tokio::test(flavor = "multi_thread")]
async fn pages_keep_heads_and_no_answers() -> anyhow::Result<()> {
    let world = World::new("").await?;
    world.affected(&world.makers, "pkg:cargo/bad@1.0.0").await?;
    for path in [
        "/p/pkg:cargo/bad@1.0.0",
        "/calendar?purl=pkg:cargo/bad@1.0.0",
    ] {
        assert_eq!(world.page(path).await?.status, 200, "{path}");
    }
    let folder = world.node.folder().join("data/page");
    let mut kept = Vec::new();
    for entry in fs::read_dir(&folder)? {
        kept.push(entry?.file_name().to_string_lossy().into_owned());
    }
    assert!(kept.contains(&"heads".to_owned()), "{kept:?}");
    assert!(!kept.contains(&"answers".to_owned()), "{kept:?}");
    Ok(())
}
