//! A node without a policy: who says what, and no verdict.

use super::world::World;

#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_nothing_is_judged() -> anyhow::Result<()> {
    let world = World::unweighed().await?;
    let purl = "pkg:cargo/bad@1.0.0";
    world.affected(&world.makers, purl).await?;
    world.supported(&world.stranger, purl, "2020-01-01").await?;
    let page = world.page(&format!("/p/{purl}")).await?;
    assert_eq!((page.status, page.sentence()), (200, ""));
    assert!(
        page.text
            .contains("This site has no policy: it shows who says what")
    );
    for word in [
        "trust as",
        "do not trust",
        "policy is",
        "endorsed",
        "Plan to",
        "Do something",
    ] {
        assert!(!page.text.contains(word), "{word}: {}", page.text);
    }
    let problems = page.section("Which problems are known")?;
    let id = &world.makers.id.to_string()[..12];
    let who = format!("by issuer {id}… &#34;Makers&#34;; just now, leaf ");
    assert!(
        problems.contains("CVE-2026-0001: affected") && problems.contains(&who),
        "{problems}"
    );
    assert!(!problems.contains("Does not count"), "{problems}");
    assert!(page.section("Until when")?.contains("2020-01-01"));
    assert!(page.text.contains("--everyone"), "{}", page.text);
    // A feed of a package is of what the trusted say, and here nobody is.
    assert!(!page.text.contains("feed.atom"), "{}", page.text);
    assert_eq!(world.page("/policy").await?.status, 404);
    let issuer = world.page(&format!("/i/{}", world.makers.id)).await?;
    assert!(
        issuer
            .text
            .contains("a name that it chose and that proves nothing")
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_to_have_no_pages_has_none() -> anyhow::Result<()> {
    let mut world = World::unweighed().await?;
    world.node.configure("page.enabled = false")?;
    world.node.stop()?;
    world.node.run()?;
    for path in ["/", "/p/pkg:cargo/serde", "/log", "/style.css"] {
        assert_eq!(world.get(path).await?.status(), 404, "{path}");
    }
    assert_eq!(world.get("/checkpoint").await?.status(), 200);
    Ok(())
}

/// A policy that cannot be used is told at the start, with its file.
#[tokio::test(flavor = "multi_thread")]
async fn a_policy_that_cannot_be_used_stops_the_start() -> anyhow::Result<()> {
    let mut world = World::new("").await?;
    world.node.stop()?;
    let file = world.node.folder().join("page.policy.toml");
    std::fs::write(&file, "version = 1\nunknwon = \"deny\"\n")?;
    let (status, said) = world.node.run_refused()?;
    assert!(!status.success());
    assert!(
        said.contains("page.policy.toml") && said.contains("unknwon"),
        "{said}"
    );
    std::fs::remove_file(&file)?;
    let (_, said) = world.node.run_refused()?;
    assert!(said.contains("page.policy.toml, cannot be read"), "{said}");
    Ok(())
}
