//! The feeds of what is newest, as programs read them.

use super::world::World;
use anyhow::{Context, ensure};
use assay_tests::aics::{require_python, run_script};
use reqwest::{Response, header::IF_NONE_MATCH};
use roxmltree::{Document, Node};
use serde_json::{Value, json};
use std::fs;

const PURL: &str = "pkg:cargo/good";
const ATOM: &str = "http://www.w3.org/2005/Atom";

/// What a feed says, as a strict reader has it.
#[derive(Debug)]
struct Feed {
    id: String,
    updated: String,
    entries: Vec<Entry>,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    id: String,
    title: String,
    updated: String,
    authors: Vec<String>,
    link: String,
    content: String,
}

/// The text of the one child of this name, which has nothing but text in it.
fn text(of: Node<'_, '_>, name: &str) -> anyhow::Result<String> {
    let mut found = of.children().filter(|it| it.has_tag_name((ATOM, name)));
    let first = found.next().with_context(|| format!("no {name}"))?;
    ensure!(found.next().is_none(), "{name} twice");
    ensure!(first.children().all(|child| child.is_text()), "{name}");
    // A text is no markup, whatever stands in it (RFC 4287, 3.1.1.1).
    ensure!(first.attribute("type").is_none_or(|kind| kind == "text"));
    Ok(first.text().unwrap_or_default().to_owned())
}

/// Where the one link of a relation leads.
fn link(of: Node<'_, '_>, rel: &str) -> anyhow::Result<String> {
    let links = of.children().filter(|it| it.has_tag_name((ATOM, "link")));
    let links = links.filter(|it| it.attribute("rel") == Some(rel));
    let links: Vec<_> = links.filter_map(|it| it.attribute("href")).collect();
    ensure!(links.len() == 1, "{rel}: {links:?}");
    Ok(links[0].to_owned())
}

impl Feed {
    /// Reads a feed, which has all that RFC 4287 demands (4.1.1, 4.1.2).
    fn read(xml: &str) -> anyhow::Result<Self> {
        let document = Document::parse(xml)?;
        let root = document.root_element();
        ensure!(root.has_tag_name((ATOM, "feed")), "{xml}");
        link(root, "self")?;
        text(root, "title")?;
        let entries = root
            .children()
            .filter(|it| it.has_tag_name((ATOM, "entry")));
        let entries = entries.map(|entry| {
            let authors = entry.children();
            let authors = authors.filter(|it| it.has_tag_name((ATOM, "author")));
            let authors: anyhow::Result<_> = authors.map(|one| text(one, "name")).collect();
            Ok(Entry {
                id: text(entry, "id")?,
                title: text(entry, "title")?,
                updated: text(entry, "updated")?,
                authors: authors?,
                link: link(entry, "alternate")?,
                content: text(entry, "content")?,
            })
        });
        let entries: anyhow::Result<Vec<Entry>> = entries.collect();
        Ok(Feed {
            id: text(root, "id")?,
            updated: text(root, "updated")?,
            entries: entries?,
        })
    }
}

async fn feed(world: &World, query: &str) -> anyhow::Result<Feed> {
    let answer = world.get(&format!("/feed.atom?{query}")).await?;
    ensure!(answer.status() == 200, "{query}: {}", answer.status());
    let kind = &answer.headers()["content-type"];
    ensure!(kind == "application/atom+xml; charset=utf-8", "{kind:?}");
    Feed::read(&answer.text().await?)
}

fn etag(answer: &Response) -> anyhow::Result<String> {
    let etag = answer.headers().get("etag").context("no ETag")?;
    Ok(etag.to_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_package_has_a_feed_of_what_trusted_issuers_say() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let query = format!("purl={PURL}");
    let empty = feed(&world, &query).await?;
    ensure!(empty.entries.is_empty(), "{empty:?}");
    let first = world.supported(&world.makers, PURL, "2090-05-03").await?;
    let one = feed(&world, &query).await?;
    let hostile = "</content><script>alert(1)</script>&lt;\u{202e}\u{fffe} ]]> {{7*7}}";
    // A type of claims that nobody knows is told by its name, which is whatever who signs it says.
    let second = world.say(&world.auditors, PURL, hostile, json!({})).await?;
    world.supported(&world.stranger, PURL, "2077-01-01").await?;
    let both = feed(&world, &query).await?;
    let claims: Vec<&str> = both.entries.iter().map(|it| &it.link[..]).collect();
    ensure!(
        claims == [format!("c/{second}"), format!("c/{first}")],
        "the newest first, and no stranger's: {both:?}"
    );
    ensure!(both.entries[0].authors == ["our auditors"], "{both:?}");
    ensure!(both.entries[0].title.contains("<script>"), "{both:?}");
    ensure!(both.entries[1].content.contains("2090-05-03"), "{both:?}");
    ensure!(both.entries[1].content.contains(&first), "{both:?}");
    ensure!(both.updated == both.entries[0].updated, "{both:?}");
    // What was there keeps its name, and the feed, too.
    ensure!((&one.id, &one.id) == (&both.id, &empty.id));
    ensure!(one.entries[..] == both.entries[1..], "{one:?} {both:?}");
    // Another version, the same package: its feed is another.
    let other = feed(&world, &format!("purl={PURL}@1.0.0")).await?;
    ensure!(other.id != both.id, "{other:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_has_a_feed_of_what_it_signed() -> anyhow::Result<()> {
    for world in [World::new("").await?, World::unweighed().await?] {
        let query = format!("issuer={}", world.stranger.id);
        let before = feed(&world, &query).await?;
        let claim = world.supported(&world.stranger, PURL, "2077-01-01").await?;
        let after = feed(&world, &query).await?;
        ensure!(after.entries.len() == before.entries.len() + 1, "{after:?}");
        let newest = &after.entries[0];
        ensure!(newest.link == format!("c/{claim}"), "{newest:?}");
        ensure!(newest.title.contains("good"), "{newest:?}");
        ensure!(
            newest.authors == [world.stranger.id.to_string()],
            "{newest:?}"
        );
        // The page of the issuer leads there.
        let page = world.page(&format!("/i/{}", world.stranger.id)).await?;
        let place = format!("href=\"../feed.atom?{query}\"");
        ensure!(page.text.contains(&place), "{}", page.text);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_is_fetched_again_only_if_it_changed() -> anyhow::Result<()> {
    let world = World::new("").await?;
    world.supported(&world.makers, PURL, "2090-05-03").await?;
    let path = format!("/feed.atom?purl={PURL}");
    let tag = etag(&world.get(&path).await?)?;
    let url = format!("{}{path}", world.node.ready().url);
    let again = reqwest::Client::new().get(&url).header(IF_NONE_MATCH, &tag);
    ensure!(again.send().await?.status() == 304);
    // What is logged of something else changes nothing in it.
    let other = "pkg:cargo/other";
    world.supported(&world.makers, other, "2090-05-03").await?;
    ensure!(etag(&world.get(&path).await?)? == tag);
    world.supported(&world.makers, PURL, "2091-05-03").await?;
    ensure!(etag(&world.get(&path).await?)? != tag);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_feed_says_so() -> anyhow::Result<()> {
    let world = World::new("").await?;
    for (query, status, says) in [
        ("", 404, "feed.atom?purl="),
        ("purl=good", 404, "pkg:"),
        ("issuer=7", 404, "64 hex digits"),
        ("purl=pkg:cargo/a&purl=pkg:cargo/b", 404, "feed.atom?purl="),
        ("vulnerability=CVE-2026-0001", 404, "feed.atom?purl="),
    ] {
        let page = world.page(&format!("/feed.atom?{query}")).await?;
        ensure!(page.status == status, "{query}: {}", page.status);
        ensure!(page.text.contains(says), "{query}: {}", page.text);
    }
    // Another spelling leads to the canonical one.
    let moved = world.get("/feed.atom?purl=pkg:PyPI/A_b").await?;
    ensure!(moved.status() == 301);
    ensure!(moved.headers()["location"] == "./feed.atom?purl=pkg:pypi/a-b");
    let world = World::unweighed().await?;
    let page = world.page(&format!("/feed.atom?purl={PURL}")).await?;
    ensure!(page.status == 404 && page.text.contains("no policy"));
    let page = world.page(&format!("/p/{PURL}")).await?;
    ensure!(!page.text.contains("feed.atom"), "{}", page.text);
    Ok(())
}

/// A judge of another project: feedparser, which many programs read feeds with.
#[tokio::test(flavor = "multi_thread")]
async fn feedparser_reads_what_a_strict_reader_reads() -> anyhow::Result<()> {
    let Some(programs) = require_python("feeds as feedparser reads them") else {
        return Ok(());
    };
    let world = World::new("").await?;
    world.supported(&world.makers, PURL, "2090-05-03").await?;
    let hostile = "]]></content></entry><script>alert(1)</script>&lt;&amp;\u{202e} <b>b</b>";
    world.say(&world.auditors, PURL, hostile, json!({})).await?;
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("feed.atom");
    let read = || run_script(programs, "feeds.py", &[&file]);
    for query in [
        format!("purl={PURL}"),
        "purl=pkg:cargo/nobody".to_owned(),
        format!("issuer={}", world.auditors.id),
    ] {
        let xml = world.get(&format!("/feed.atom?{query}")).await?;
        let xml = xml.text().await?;
        fs::write(&file, &xml)?;
        let theirs: Value = serde_json::from_str(&read()?)?;
        let ours = Feed::read(&xml)?;
        let entries = ours.entries.iter().map(|entry| {
            json!({"id": entry.id, "title": entry.title, "updated": entry.updated,
                "authors": entry.authors, "link": entry.link, "content": [entry.content],
                "types": ["text/plain", "text/plain"]})
        });
        let entries: Vec<Value> = entries.collect();
        let ours = json!({"id": ours.id, "updated": ours.updated, "entries": entries});
        assert_eq!(theirs, ours, "{xml}");
        // The judge can say no.
        fs::write(&file, xml.replacen("</feed>", "", 1))?;
        ensure!(read().is_err(), "{query}");
    }
    Ok(())
}

/// However much is said, a feed is as long as a feed.
#[tokio::test(flavor = "multi_thread")]
async fn a_feed_has_so_many_entries_which_say_so_much() -> anyhow::Result<()> {
    let world = World::new("").await?;
    for day in 1..=28 {
        for (who, year) in [(&world.makers, 2090), (&world.auditors, 2091)] {
            let until = format!("{year}-01-{day:02}");
            world.supported(who, PURL, &until).await?;
        }
    }
    let ids: Vec<String> = (10..35).map(|n| format!("CVE-2026-00{n}")).collect();
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    let claim = world.affected_by(&world.makers, PURL, &ids).await?;
    let feed = feed(&world, &format!("purl={PURL}")).await?;
    ensure!(feed.entries.len() == 50, "{}", feed.entries.len());
    let newest = &feed.entries[0];
    ensure!(newest.link == format!("c/{claim}"), "{newest:?}");
    let lines: Vec<&str> = newest.content.lines().collect();
    ensure!(lines.len() == 22, "{lines:?}");
    ensure!(lines[20] == "and 5 more", "{lines:?}");
    Ok(())
}
