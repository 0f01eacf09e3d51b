//! Words of strangers: text on every page, whatever they are.

use super::world::{World, named};
use assay_tests::issuer::Actor;
use serde_json::json;

const MARKUP: &str = "</bdi></p><script>alert(1)</script><img src=x onerror=alert(1)>";
const TURNED: &str = "\u{202e}desrever\u{202c}";
const LINK: &str = "javascript:alert(1)";
const CHECKED: &str = "\u{2714} verified";

/// Says and registers the worst, and returns the issuer with the pages that show it.
pub(super) async fn spoken(world: &World, purl: &str) -> anyhow::Result<(Actor, Vec<String>)> {
    let stranger = named(&format!("{CHECKED} {TURNED} {MARKUP}"), 9);
    world.register(&stranger).await?;
    world.built(&world.makers, purl).await?;
    let target = world.reviewed(&world.auditors, purl).await?;
    let tower = format!("a{}b", "\u{301}".repeat(4_000));
    world
        .reply(&stranger, &target, &format!("{MARKUP} {TURNED} {tower}"))
        .await?;
    let vulnerability = format!("CVE-2026-7\"><b/onclick={LINK}>");
    let vex = json!({
        "@context": "https://openvex.dev/ns/v0.2.0",
        "@id": LINK,
        "author": MARKUP,
        "version": 1,
        "timestamp": "2026-01-01T00:00:00Z",
        "statements": [{
            "vulnerability": {"name": vulnerability},
            "status": "affected",
            "action_statement": MARKUP,
        }],
    });
    let said = world
        .say(&stranger, purl, "https://openvex.dev/ns/v0.2.0", vex)
        .await?;
    let practice = json!({
        "data": {"summary": tower, "collects": [MARKUP, TURNED], "sendsTo": [LINK], "policy": LINK},
        "securityInsights": {
            "schemaVersion": "2.0.0",
            "url": LINK,
            "lastUpdated": "2026-01-01",
            "lastReviewed": "2026-01-01",
            "digest": {"sha256": "ab".repeat(32)},
            "securityPolicy": LINK,
        },
    });
    world
        .say(&stranger, purl, "urn:assay:practice:v1", practice)
        .await?;
    let odd = world
        .say(
            &stranger,
            purl,
            &format!("https://x.example/{MARKUP}"),
            json!({}),
        )
        .await?;
    let bytes = vulnerability.bytes();
    let of_vulnerability: String = bytes.map(|byte| format!("%{byte:02X}")).collect();
    let paths = vec![
        format!("/p/{purl}"),
        format!("/i/{}", stranger.id),
        format!("/c/{said}"),
        format!("/c/{target}"),
        format!("/c/{odd}"),
        format!("/v/{of_vulnerability}"),
        format!("/compare?a={purl}&b=pkg:cargo/other@1.0.0"),
    ];
    Ok((stranger, paths))
}

#[tokio::test(flavor = "multi_thread")]
async fn words_of_strangers_are_text_wherever_they_stand() -> anyhow::Result<()> {
    let (world, purl) = (World::new("").await?, "pkg:cargo/target@1.0.0");
    let (stranger, paths) = spoken(&world, purl).await?;
    for path in paths {
        // That it is harmless is looked at with every page.
        let page = world.page(&path).await?;
        assert_eq!(page.status, 200, "{path}");
        let marks = page.text.split(|c| c != '\u{301}');
        assert!(
            marks.map(|run| run.chars().count()).max() <= Some(4),
            "{path}: a tower"
        );
        assert!(
            page.text.len() < 80 << 10,
            "{path}: {} bytes",
            page.text.len()
        );
        // What it calls itself stands in quotation marks, wherever it does.
        for (at, _) in page.text.match_indices(CHECKED) {
            assert!(page.text[..at].ends_with("&#34;"), "{path}: {CHECKED}");
        }
    }
    let page = world.page(&format!("/p/{purl}")).await?;
    for shown in [
        "&#60;script&#62;alert(1)&#60;/script&#62;",
        "\\u{202e}desrever",
        LINK,
        CHECKED,
    ] {
        assert!(page.text.contains(shown), "{shown}");
    }
    let own = world.page(&format!("/i/{}", stranger.id)).await?;
    assert!(
        own.text.contains("is its own word. It\nproves nothing."),
        "{}",
        own.text
    );
    Ok(())
}

/// Who makes a link makes no sentence of the site's.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_quoted_where_it_is_more_than_a_word() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let page = world
        .page("/p/pkg:generic/It%2520was%2520reviewed@1%2520by%2520all")
        .await?;
    assert_eq!(page.status, 200);
    let heading = "&#34;It was reviewed&#34; &#34;1 by all&#34; (generic)";
    assert!(page.text.contains(heading), "{}", page.text);
    for (at, _) in page.text.match_indices("It was reviewed") {
        assert!(page.text[..at].ends_with("&#34;"), "{}", page.text);
    }
    Ok(())
}

/// What a stranger says is cut, and not what is said of it.
#[tokio::test(flavor = "multi_thread")]
async fn who_says_it_stands_behind_what_is_quoted() -> anyhow::Result<()> {
    let (world, claim) = (World::new("").await?, "ab".repeat(32));
    for text in ["a. ".repeat(26), "W".repeat(1_000)] {
        world.reply(&world.stranger, &claim, &text).await?;
    }
    let page = world.page(&format!("/c/{claim}")).await?;
    let paragraph = page
        .text
        .split("What others say about claim")
        .nth(1)
        .unwrap();
    let paragraph = paragraph.split("</p>").next().unwrap();
    let whom = "whom this site does not trust for anything";
    assert_eq!(paragraph.matches(whom).count(), 2, "{paragraph}");
    Ok(())
}

/// However much is said, a page is as long as a page; those whom the site trusts are heard.
#[tokio::test(flavor = "multi_thread")]
async fn many_words_leave_room_for_those_that_count() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let purl = "pkg:cargo/target@1.0.0";
    world.supported(&world.makers, purl, "2090-05-01").await?;
    let long = "\"<'&".repeat(500);
    for number in 10..30 {
        let stranger = named(&long[..400], number);
        world.register(&stranger).await?;
        for way in 0..6 {
            let collects = vec![format!("{way}{}", &long[..1000]); 3];
            let data = json!({"data": {"summary": long, "collects": collects, "sendsTo": []}});
            world
                .say(&stranger, purl, "urn:assay:practice:v1", data)
                .await?;
        }
    }
    let page = world.page(&format!("/p/{purl}")).await?;
    let mut bytes = page.text.len();
    for file in ["/style.css", "/check.js", "/verify.js"] {
        let response = world.get(file).await?;
        assert_eq!(response.status(), 200, "{file}");
        assert!(response.headers().contains_key("etag"), "{file}");
        bytes += response.bytes().await?.len();
    }
    assert!(bytes < 80 << 10, "{bytes} bytes with style and scripts");
    assert!(
        page.text.contains("more are not shown here"),
        "nothing was left out"
    );
    assert!(page.section("Until when")?.contains("2090-05-01"));
    let both = format!("/compare?a={purl}&b={purl}");
    let both = world.page(&both).await?.text;
    let bytes = both.len() + world.get("/style.css").await?.bytes().await?.len();
    assert!(bytes < 80 << 10, "{bytes} bytes of two packages");
    assert!(both.contains("more are not shown here"), "{both}");
    Ok(())
}
