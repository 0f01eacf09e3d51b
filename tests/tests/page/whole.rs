//! Packages without a version: what is said of their versions is not passed over.

use super::world::World;
use serde_json::Value;

/// Says something of some packages' versions.
async fn world() -> anyhow::Result<World> {
    let world = World::new("").await?;
    let (makers, auditors) = (&world.makers, &world.auditors);
    for purl in ["pkg:cargo/bad@1.0.0", "pkg:cargo/mixed@1.0.0"] {
        world.affected(makers, purl).await?;
    }
    for purl in ["pkg:cargo/mixed@1.1.0", "pkg:cargo/good@2.0.0"] {
        world.built(makers, purl).await?;
        world.reviewed(auditors, purl).await?;
    }
    world
        .supported(makers, "pkg:cargo/good", "2090-05-01")
        .await?;
    world
        .supported(makers, "pkg:cargo/dated", "2090-05-01")
        .await?;
    world.built(makers, "pkg:cargo/built@1.0.0").await?;
    world
        .affected(&world.stranger, "pkg:cargo/rumor@1.0.0")
        .await?;
    world
        .affected(makers, "pkg:deb/debian/built@7?arch=amd64")
        .await?;
    Ok(world)
}

/// Of some packages the style of their sentence, the sentence, why, and what their badge says.
const SAID: [(&str, &str, &str, &str, &str); 8] = [
    (
        "pkg:cargo/bad",
        "act",
        "Do something about it if you use 1.0.0.",
        "1.0.0: ",
        "read this",
    ),
    (
        "pkg:cargo/mixed",
        "act",
        "Do something about it if you use 1.0.0.",
        "Nothing that this site knows of speaks against its version 1.1.0.",
        "depends on the version",
    ),
    (
        "pkg:cargo/good",
        "quiet",
        "Nothing that this site knows of speaks against its version 2.0.0.",
        "Choose the version that you use below",
        "supported to 2090-05",
    ),
    (
        "pkg:cargo/dated",
        "quiet",
        "Nothing that this site knows of speaks against it, and nobody whom this site trusts has \
         reviewed it.",
        "",
        "supported to 2090-05",
    ),
    (
        "pkg:cargo/built",
        "unsaid",
        "Nobody whom this site trusts has said whether it can be used.",
        "Issuers this site trusts speak only of its version 1.0.0.",
        "depends on the version",
    ),
    (
        "pkg:cargo/rumor",
        "unsaid",
        "Nobody whom this site trusts has said anything about it.",
        "No claims from issuers this site trusts; 1 claim about one of its versions is from \
         others.",
        "unknown",
    ),
    (
        "pkg:cargo/nobody",
        "unsaid",
        "Nobody whom this site trusts has said anything about it.",
        "No claims from issuers this site trusts.",
        "unknown",
    ),
    (
        "pkg:deb/debian/built",
        "act",
        "Do something about it if you use 7.",
        "CVE-2026-0001",
        "read this",
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_package_is_not_silent_where_its_versions_are_spoken_of() -> anyhow::Result<()> {
    let world = world().await?;
    for (purl, stand, sentence, why, badge) in SAID {
        let page = world.page(&format!("/p/{purl}")).await?;
        let block = page.sentence();
        let style = format!("class=\"sentence {stand}\"");
        assert!(block.contains(&style), "{purl}: {block}");
        let first = format!("<strong>{sentence}</strong>");
        assert!(block.contains(&first), "{purl}: {block}");
        assert!(block.contains(why), "{purl}: {block}");
        // What is demanded of a version is no lack of the package.
        assert!(!page.text.contains("says how it was built"), "{purl}");
        let json = world.get(&format!("/badge/{purl}.json")).await?;
        let json: Value = serde_json::from_slice(&json.bytes().await?)?;
        assert_eq!(json["message"], badge, "{purl}");
    }
    let page = world.page("/p/pkg:cargo/mixed").await?;
    for version in [
        "1.0.0</bdi></a> (do something about it)",
        "1.1.0</bdi></a> (nothing known speaks against it)",
    ] {
        assert!(page.text.contains(version), "{}", page.text);
    }
    let problems = page.section("Which problems are known")?;
    let none = "Nothing is said of the package as a whole";
    assert!(problems.contains(none), "{problems}");
    Ok(())
}

/// The trusted are heard in every section, however much strangers say in those before, or answer.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_take_no_room_of_the_trusted() -> anyhow::Result<()> {
    use super::world::named;
    let (world, purl) = (World::new("").await?, "pkg:cargo/flood@1.0.0");
    let affected = world.affected(&world.makers, purl).await?;
    let reviewed = world.reviewed(&world.auditors, purl).await?;
    let built = world.built(&world.makers, purl).await?;
    let long = "\"<'&".repeat(90);
    for number in 10..22 {
        let stranger = named(&format!("Somebody {number}"), number);
        world.register(&stranger).await?;
        for year in 2030..2038 {
            let until = format!("{year}-01-01");
            world.supported(&stranger, purl, &until).await?;
        }
        for claim in [&affected, &reviewed, &built] {
            world.reply(&stranger, claim, &long).await?;
        }
    }
    let page = world.page(&format!("/p/{purl}")).await?;
    for claim in [&affected, &reviewed, &built] {
        let shown = format!("data-claim=\"{claim}\"");
        assert!(page.text.contains(&shown), "{claim}: {}", page.text);
    }
    let supported = page.section("Until when is it supported")?;
    assert!(supported.contains("more are not shown here"), "{supported}");
    assert!(page.section("Which problems")?.contains("Answer: "));
    Ok(())
}

/// However many versions there are, a page leads to forty of them, and says how many more.
#[tokio::test(flavor = "multi_thread")]
async fn many_versions_are_counted() -> anyhow::Result<()> {
    let world = World::new("").await?;
    for number in 10..55 {
        let purl = format!("pkg:cargo/many@1.0.{number}");
        world.built(&world.makers, &purl).await?;
    }
    let page = world.page("/p/pkg:cargo/many").await?;
    let versions = page.text.split("Its versions:").nth(1);
    let versions = versions.and_then(|it| it.split("</p>").next());
    let versions = versions.unwrap_or_default();
    assert_eq!(versions.matches("<a ").count(), 40, "{versions}");
    assert!(versions.contains(", and 5 more."), "{versions}");
    Ok(())
}

/// A claim may name a thousand vulnerabilities; a page leads to so many of them, and says how many
/// there are.
#[tokio::test(flavor = "multi_thread")]
async fn a_page_leads_to_so_many_vulnerabilities() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let (purl, names) = (
        "pkg:cargo/bad@1.0.0",
        (0..45).map(|n| format!("CVE-2026-{n:04}")),
    );
    let names: Vec<String> = names.collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    world.affected_by(&world.makers, purl, &names).await?;
    let page = world.page(&format!("/p/{purl}")).await?.text;
    let sums = page.split("<ul class=\"sums\">").nth(1).unwrap_or_default();
    let sums = sums.split("</ul>").next().unwrap_or_default();
    assert_eq!(sums.matches("<a href=").count(), 40, "{page}");
    Ok(())
}
