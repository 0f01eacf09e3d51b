//! How much a page has of each thing, and that it says what it leaves out. Whatever is asked for is
//! fit to be shown.

use super::world::{POLICY, World, named};
use serde_json::json;
use std::{collections::BTreeSet, fs, io::Write as _};

const TARGET: &str = "pkg:cargo/target@1.0.0";

/// What stands between two marks, each time.
fn between<'t>(text: &'t str, start: &'static str, end: &'static str) -> Vec<&'t str> {
    let parts = text.split(start).skip(1);
    parts.filter_map(|part| part.split(end).next()).collect()
}

/// Ids of so many vulnerabilities.
fn vulnerabilities(number: usize) -> Vec<String> {
    (0..number).map(|n| format!("CVE-2026-{n:04}")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_so_many_reasons_and_none_twice() -> anyhow::Result<()> {
    let mut world = World::new("").await?;
    world.supported(&world.makers, TARGET, "2020-05-01").await?;
    world.node.stop()?;
    let mut policy = fs::OpenOptions::new()
        .append(true)
        .open(world.node.folder().join(POLICY))?;
    for number in 0..25 {
        writeln!(
            policy,
            "[[deny]]\nname = \"rule {number}\"\nscopes = [\"pkg:*\"]\nif = \"unsupported\"\n\
             from = [\"maintainer\"]\noutcome = \"deny\"\nreason = \"Reason {number}.\"\n"
        )?;
    }
    world.node.run()?;
    let page = world.page(&format!("/p/{TARGET}")).await?;
    let reasons = page.section("What else speaks for that")?;
    let reasons = between(reasons, "<li><bdi>", "</bdi>");
    let first = between(page.sentence(), "<p><bdi>", "</bdi>");
    assert_eq!((first.len(), reasons.len()), (1, 19), "{}", page.text);
    let all: BTreeSet<&str> = reasons.iter().chain(&first).copied().collect();
    assert_eq!(all.len(), 20, "{first:?}: {reasons:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_leads_to_so_many_vulnerabilities_and_versions() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let ids = vulnerabilities(45);
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    world.affected_by(&world.makers, TARGET, &ids).await?;
    for number in 0..45 {
        let purl = format!("pkg:cargo/many@1.0.{number}");
        world.supported(&world.makers, &purl, "2090-05-01").await?;
    }
    let page = world.page(&format!("/p/{TARGET}")).await?;
    let sums = between(page.section("Which problems")?, "href=\"../../v/", "\"");
    assert_eq!(sums.len(), 40, "{}", page.text);
    let page = world.page("/p/pkg:cargo/many").await?;
    let versions = between(&page.text, "href=\"../../p/pkg:cargo/many@", "\"");
    assert_eq!(versions.len(), 40, "{}", page.text);
    assert!(page.text.contains("and 5 more."), "{}", page.text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_has_so_many_answers_and_signers() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let of_makers = world.supported(&world.makers, TARGET, "2090-05-01").await?;
    for number in 0..6 {
        let text = format!("Number {number}.");
        world.reply(&world.auditors, &of_makers, &text).await?;
        world.reply(&world.stranger, &of_makers, &text).await?;
    }
    // One claim that six others sign.
    for key in 30..36 {
        let other = named("Other", key);
        world.register(&other).await?;
        world.supported(&other, TARGET, "2077-05-01").await?;
    }
    let page = world.page(&format!("/p/{TARGET}")).await?;
    let section = page.section("Until when")?;
    let mut answered = 0;
    for line in between(section, "<p class=\"says\">", "</p>\n</li>") {
        let replies = between(line, "Answer: <bdi>", "</bdi>");
        assert!(replies.len() <= 4, "{line}");
        let more = between(line, "<li>and ", " more</li>");
        let more: usize = more.first().map_or(Ok(0), |more| more.parse())?;
        answered += replies.len() + more;
        let signers = between(line, "Issuer ", "…");
        let unlike: BTreeSet<&&str> = signers.iter().collect();
        assert!(
            signers.len() <= 4 && unlike.len() == signers.len(),
            "{line}"
        );
    }
    assert_eq!(answered, 12, "{section}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_feed_has_so_many_entries_and_an_entry_so_many_lines() -> anyhow::Result<()> {
    let world = World::new("").await?;
    for number in 0..55 {
        let (many, day) = ("pkg:cargo/many@1", format!("{}-05-01", 2090 + number));
        world.supported(&world.makers, many, &day).await?;
    }
    let feed = world.get("/feed.atom?purl=pkg:cargo/many@1").await?;
    let feed = feed.text().await?;
    assert_eq!(between(&feed, "<entry>", "</entry>").len(), 50, "{feed}");
    let ids = vulnerabilities(30);
    let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
    world.affected_by(&world.makers, TARGET, &ids).await?;
    let feed = world.get(&format!("/feed.atom?purl={TARGET}")).await?;
    let feed = feed.text().await?;
    let content = between(&feed, "<content>", "</content>");
    let [content] = &content[..] else {
        panic!("{feed}");
    };
    let lines = content.lines().filter(|line| line.contains("CVE-2026-"));
    assert_eq!(lines.count(), 20, "{content}");
    assert!(content.contains("and 10 more"), "{content}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_to_a_calendar_has_so_many_packages() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let many: Vec<String> = (0..23).map(|n| format!("pkg:cargo/a{n}@1")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    for year in [2090, 2091] {
        let dates = json!({
            "end_of_security_support": format!("{year}-05-01"),
            "end_of_life": format!("{year}-05-01"),
            "last_updated": "2019-01-01T00:00:00Z",
        });
        let (who, ty) = (&world.makers, "urn:assay:lifecycle:v1");
        world.say_of_all(who, &many, ty, dates).await?;
    }
    world.reviewed(&world.makers, "pkg:cargo/seen@1").await?;
    let page = world.page(&format!("/i/{}", world.makers.id)).await?;
    let links = between(&page.text, "href=\"../calendar?", "\"");
    let [link] = &links[..] else {
        panic!("{}", page.text);
    };
    let packages: Vec<&str> = link.split("&#38;").collect();
    let unlike: BTreeSet<&&str> = packages.iter().collect();
    assert_eq!((packages.len(), unlike.len()), (20, 20), "{link}");
    assert!(!link.contains("seen"), "{link}");
    // Whoever speaks of no support has no such link.
    world.reviewed(&world.auditors, "pkg:cargo/seen@1").await?;
    let page = world.page(&format!("/i/{}", world.auditors.id)).await?;
    assert!(!page.text.contains("calendar?"), "{}", page.text);
    Ok(())
}

/// What is asked for with characters that nobody sees, and the pages that show it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_for_is_fit_to_be_shown_wherever_it_stands() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let turned = "%E2%80%AE%E2%80%8B%07";
    let purl = format!(
        "pkg:generic/a%25E2%2580%25AE@1%25E2%2580%258B{}",
        "x".repeat(700)
    );
    let spelled = purl.replace("%25", "%");
    world
        .supported(&world.makers, &spelled, "2090-05-01")
        .await?;
    for (path, status) in [
        (format!("/p/{purl}"), 200),
        (format!("/p/{turned}"), 404),
        (format!("/?q={turned}"), 200),
        (format!("/?q=pkg:{turned}"), 200),
        (format!("/?q=a{turned}b"), 200),
        (format!("/compare?a={purl}&b={purl}"), 200),
        (format!("/compare?a={turned}&b={turned}"), 200),
        (format!("/calendar?purl={purl}"), 200),
        (format!("/calendar?purl={turned}"), 200),
        (format!("/calendar.ics?purl={turned}"), 404),
        (format!("/feed.atom?purl={turned}"), 404),
        (format!("/badge/{turned}"), 404),
        (format!("/v/{turned}"), 404),
        (format!("/i/{turned}"), 404),
        (format!("/d/sha256:{turned}"), 404),
    ] {
        // That it is fit is looked at with every page.
        let page = world.page(&path).await?;
        assert_eq!(page.status, status, "{path}: {}", page.text);
        assert!(page.text.len() < 80 << 10, "{path}: {}", page.text.len());
    }
    let feed = world.get(&format!("/feed.atom?purl={purl}")).await?;
    let feed = feed.text().await?;
    assert!(!feed.contains(['\u{202e}', '\u{200b}']), "{feed}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_is_shown_is_copied_as_it_is() -> anyhow::Result<()> {
    let mut world = World::new("").await?;
    world.node.stop()?;
    let name = "its policy; $(id).toml";
    let (folder, file) = (world.node.folder(), world.node.folder().join("node.toml"));
    fs::rename(folder.join(POLICY), folder.join(name))?;
    let text = fs::read_to_string(&file)?;
    fs::write(&file, text.replace(POLICY, name))?;
    world.node.run()?;
    let policy = "--policy &#39;its policy; $(id).toml&#39;";
    let purl = "pkg:deb/debian/a@1?arch=arm64&distro=debian-12";
    let quoted = "&#39;pkg:deb/debian/a@1?arch=arm64&#38;distro=debian-12&#39;";
    let in_path = purl.replace('?', "%3F").replace('&', "%26");
    for path in [
        format!("/p/{in_path}"),
        format!("/compare?a={in_path}&b=pkg:cargo/b@1"),
        format!("/calendar?purl={in_path}"),
    ] {
        let page = world.page(&path).await?;
        let commands = between(&page.text, "<pre>assay ", "</pre>");
        let command = commands.first().unwrap_or(&"");
        assert!(command.contains(policy), "{path}: {}", page.text);
        assert!(command.contains(quoted), "{path}: {command}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_typed_into_a_calendar_is_given_back_within_a_bound() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let many: Vec<String> = (0..60).map(|n| format!("purl=no{n}")).collect();
    let page = world.page(&format!("/calendar?{}", many.join("&"))).await?;
    let typed = between(&page.text, "spellcheck=\"false\">", "</textarea>");
    assert_eq!(typed.last().map(|text| text.lines().count()), Some(40));
    Ok(())
}
