//! The calendar of support: as a page, and for programs.

use super::world::{POLICY, World, named};
use anyhow::Context;
use assay_tests::process::assay;
use serde_json::json;
use std::fs;

const GOOD: &str = "pkg:cargo/good@1.0.0";

/// A question for the calendar of three packages, of which somebody speaks of two.
const QUERY: &str = "?purl=pkg:cargo/good@1.0.0&purl=pkg:npm/%2540a/b@1&purl=pkg:cargo/nobody@3";

/// The titles of a page's sections, in order.
fn titles(page: &str) -> Vec<&str> {
    let titles = page.split("<h2>").skip(1);
    titles
        .filter_map(|title| title.split("</h2>").next())
        .collect()
}

/// Makers and auditors who say when support ends, and a stranger.
async fn world() -> anyhow::Result<World> {
    let world = World::new("").await?;
    let (makers, auditors) = (&world.makers, &world.auditors);
    let dates = json!({
        "end_of_sales": "2020-02-01",
        "end_of_security_support": "2090-05-03",
        "end_of_life": "tba",
        "last_updated": "2019-01-01T00:00:00Z",
    });
    world
        .say(makers, GOOD, "urn:assay:lifecycle:v1", dates)
        .await?;
    world.supported(auditors, GOOD, "2090-04-30").await?;
    world.supported(&world.stranger, GOOD, "2077-01-01").await?;
    world
        .supported(makers, "pkg:npm/%40a/b@1", "2019-12-31")
        .await?;
    Ok(world)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ends_stands_month_by_month_with_who_says_so() -> anyhow::Result<()> {
    let world = world().await?;
    let page = world.page(&format!("/calendar{QUERY}")).await?;
    let text = &page.text;
    let months = [
        "Already over",
        "April 2090",
        "May 2090",
        "To be announced",
        "Not known",
        "Choose packages",
    ];
    assert_eq!(
        (page.status, titles(text)),
        (200, months.to_vec()),
        "{text}"
    );
    let over = page.section("Already over")?;
    let (first, second) = (over.find("2019-12-31"), over.find("2020-02-01"));
    assert!(first.is_some() && first < second, "{over}");
    assert!(over.contains("href=\"./p/pkg:npm/%2540a/b@1\""), "{over}");
    assert!(over.contains("end of sales"), "{over}");
    let may = page.section("May 2090")?;
    let makers = "According to <bdi>our makers (maintainer)</bdi>, who looked at it last on \
        2019-01-01.";
    assert!(may.contains(makers), "{may}");
    assert!(may.contains("end of security support"), "{may}");
    let open = page.section("To be announced")?;
    assert!(open.contains("end of life"), "{open}");
    assert!(!open.contains("end of sales"), "{open}");
    assert!(!text.contains("not all could be checked"), "{text}");
    // Nobody's word is not known, and a stranger's is none.
    let silent = page.section("Not known")?;
    assert!(
        silent.contains("pkg:cargo/nobody@3") && !silent.contains("good"),
        "{silent}"
    );
    assert!(!text.contains("2077"), "{text}");
    assert!(!text.contains("<script"), "{text}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn programs_get_what_the_command_writes_by_the_same_policy() -> anyhow::Result<()> {
    let world = world().await?;
    let page = world.page(&format!("/calendar{QUERY}")).await?;
    assert!(page.text.contains(&format!(
        "href=\"./calendar.ics{}\"",
        QUERY.replace('&', "&#38;")
    )));
    let ics = world.get(&format!("/calendar.ics{QUERY}")).await?;
    assert_eq!(
        ics.headers()["content-type"],
        "text/calendar; charset=utf-8"
    );
    assert!(ics.headers().contains_key("etag"));
    let (ics, ready) = (ics.text().await?, world.node.ready());
    let (folder, policy) = (tempfile::tempdir()?, world.node.folder().join(POLICY));
    let policy = policy.display().to_string();
    let packages = ["lifecycle", GOOD, "pkg:npm/%40a/b@1", "pkg:cargo/nobody@3"];
    let how = [
        "--log",
        &ready.url,
        "--log-key",
        &ready.vkey,
        "--policy",
        &policy,
    ];
    let output = assay(
        folder.path(),
        &[&packages[..], &how, &["--output", "ics"]].concat(),
    )?;
    assert_eq!(ics, String::from_utf8(output.stdout)?);
    assert_eq!(ics.matches("BEGIN:VEVENT").count(), 6, "{ics}");
    assert!(
        ics.contains("DESCRIPTION:Nobody whom the policy trusts"),
        "{ics}"
    );

    // The pages of a package and of who speaks of it lead there.
    let package = world.page(&format!("/p/{GOOD}")).await?;
    assert!(
        package.text.contains(&format!("./calendar?purl={GOOD}\"")),
        "{}",
        package.text
    );
    let issuer = world.page(&format!("/i/{}", world.makers.id)).await?;
    let link = format!("../calendar?purl=pkg:npm/%2540a/b@1&#38;purl={GOOD}\"");
    assert!(issuer.text.contains(&link), "{}", issuer.text);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_calendar_is_of_as_many_packages_as_a_page_has() -> anyhow::Result<()> {
    let world = world().await?;
    let query = |n: usize| {
        let of = (0..n).map(|n| format!("purl=pkg:cargo/a{n}@1"));
        of.collect::<Vec<_>>().join("&")
    };
    let most = world.page(&format!("/calendar?{}", query(40))).await?;
    assert!(
        most.section("Not known")?.contains("pkg:cargo/a39@1"),
        "{}",
        most.text
    );
    assert!(most.text.len() < 80 << 10, "{} bytes", most.text.len());
    let more = world.page(&format!("/calendar?{}", query(41))).await?;
    assert!(more.text.contains("at most 40 packages"), "{}", more.text);
    // What was typed is there to be changed, as far as a calendar goes.
    let typed = more.text.split("<textarea").nth(1).unwrap_or_default();
    assert!(typed.contains("pkg:cargo/a39@1"), "{typed}");
    assert!(!typed.contains("pkg:cargo/a40@1"), "{typed}");
    let more = world.page(&format!("/calendar.ics?{}", query(41))).await?;
    assert_eq!(more.status, 404);
    Ok(())
}

/// Those whom the trusted vouch for have names, too, and may say much.
#[tokio::test(flavor = "multi_thread")]
async fn words_of_the_endorsed_are_text_and_bounded() -> anyhow::Result<()> {
    let mut world = world().await?;
    let file = world.node.folder().join(POLICY);
    let policy = fs::read_to_string(&file)?.replace("may_delegate = 0", "may_delegate = 1");
    fs::write(&file, policy)?;
    world.node.stop()?;
    world.node.run()?;
    world.log = assay_tests::log::Log::connect(world.node.ready()).await?;
    let mut query = String::new();
    for number in 10..26 {
        let name = format!(
            "\u{2714} verified {number} \u{202e}<b onclick=x>{}",
            "\"<'&".repeat(80)
        );
        let endorsed = named(&name, number);
        world.register(&endorsed).await?;
        world.vouch(&world.makers, &endorsed, "maintainer").await?;
        for version in 1..8 {
            let purl = format!("pkg:cargo/much@{version}");
            world.supported(&endorsed, &purl, "2090-05-01").await?;
        }
    }
    for version in 1..8 {
        query.push_str(&format!("&purl=pkg:cargo/much@{version}"));
    }
    // That nothing in it is markup is looked at with every page.
    let page = world.page(&format!("/calendar?purl={GOOD}{query}")).await?;
    let bytes = page.text.len() + world.get("/style.css").await?.bytes().await?.len();
    assert!(bytes < 80 << 10, "{bytes} bytes");
    assert!(
        page.text.contains("more are not shown here"),
        "{}",
        page.text
    );
    assert!(page.section("Already over")?.contains("2020-02-01"));
    // All of them have signed the same statement, and each has said it.
    for number in 10..26 {
        let name = format!("verified {number} ");
        assert!(page.text.contains(&name), "{name}: {}", page.text);
    }
    for (at, _) in page.text.match_indices("\u{2714}") {
        assert!(page.text[..at].ends_with("&#34;"), "{}", page.text);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_a_calendar_has_nobodys_dates() -> anyhow::Result<()> {
    let world = World::unweighed().await?;
    world.supported(&world.makers, GOOD, "2090-05-01").await?;
    let page = world.page(&format!("/calendar?purl={GOOD}")).await?;
    assert!(
        page.section("Not known")?
            .contains("./p/pkg:cargo/good@1.0.0")
    );
    assert!(!page.text.contains("2090"), "{}", page.text);
    assert!(!page.text.contains("calendar.ics"), "{}", page.text);
    let ics = world.page(&format!("/calendar.ics?purl={GOOD}")).await?;
    assert_eq!(ics.status, 404);
    Ok(())
}

/// The link leads to a calendar that there is, of what an issuer spoke of last.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_an_issuer_leads_to_a_calendar_of_so_many_packages() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let makers = &world.makers;
    for number in 0..25 {
        let purl = format!("pkg:cargo/a{number}@1.0.0");
        world.supported(makers, &purl, "2090-05-01").await?;
    }
    let page = world.page(&format!("/i/{}", makers.id)).await?.text;
    let links = page.split("href=\"").skip(1);
    let mut links = links.filter_map(|link| link.split('"').next());
    let link = links.find(|link| link.contains("calendar?purl="));
    let link = link.with_context(|| page.clone())?;
    assert_eq!(link.matches("purl=").count(), 20, "{link}");
    let link = link.trim_start_matches("../").replace("&#38;", "&");
    let calendar = world.page(&format!("/{link}")).await?;
    assert_eq!(calendar.status, 200, "{link}");
    Ok(())
}
