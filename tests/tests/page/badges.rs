//! Badges: facts, and what is not known.

use super::world::World;
use serde_json::Value;

async fn badge(world: &World, path: &str) -> anyhow::Result<(u16, String)> {
    let json = world.get(&format!("/badge/{path}.json")).await?;
    let status = json.status().as_u16();
    let json: Value = serde_json::from_slice(&json.bytes().await?)?;
    let message = json["message"].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (&json["schemaVersion"], &json["label"]),
        (&1.into(), &"assay".into())
    );
    let svg = world.get(&format!("/badge/{path}.svg")).await?;
    assert_eq!(svg.status().as_u16(), status, "{path}");
    let headers = svg.headers().clone();
    assert_eq!(headers["content-type"], "image/svg+xml");
    assert_eq!(headers["cache-control"], "no-cache");
    assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
    assert!(headers.contains_key("etag"), "{path}");
    let svg = svg.text().await?;
    assert!(svg.len() <= 2048, "{path}: {} bytes", svg.len());
    for part in [
        format!("<title>assay: {message}</title>"),
        "role=\"img\"".to_owned(),
    ] {
        assert!(svg.contains(&part), "{path}: {svg}");
    }
    Ok((status, message))
}

#[tokio::test(flavor = "multi_thread")]
async fn badges_say_facts() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let (makers, auditors) = (&world.makers, &world.auditors);
    world
        .supported(makers, "pkg:cargo/good@1.0.0", "2090-05-01")
        .await?;
    world.reviewed(auditors, "pkg:cargo/good@1.0.0").await?;
    world.reviewed(makers, "pkg:cargo/good@1.0.0").await?;
    world
        .reviewed(&world.stranger, "pkg:cargo/good@1.0.0")
        .await?;
    world
        .supported(makers, "pkg:cargo/old@1.0.0", "2020-01-01")
        .await?;
    world.reviewed(auditors, "pkg:cargo/seen@1.0.0").await?;
    world.affected(makers, "pkg:cargo/bad@1.0.0").await?;
    world
        .supported(makers, "pkg:cargo/bad@1.0.0", "2090-05-01")
        .await?;
    world
        .supported(&world.stranger, "pkg:cargo/rumor@1.0.0", "2090-05-01")
        .await?;
    for (path, message) in [
        ("pkg:cargo/good@1.0.0", "supported to 2090-05"),
        ("pkg:cargo/old@1.0.0", "support ended 2020-01"),
        ("pkg:cargo/seen@1.0.0", "1 review"),
        // What speaks against it comes before what its makers choose to show.
        ("pkg:cargo/bad@1.0.0", "read this"),
        // A stranger's word makes no badge, and nothing makes a gray one.
        ("pkg:cargo/rumor@1.0.0", "unknown"),
        ("pkg:cargo/nobody@1.0.0", "unknown"),
        ("no-purl", "no such package"),
    ] {
        assert_eq!(
            badge(&world, path).await?,
            (200, message.to_owned()),
            "{path}"
        );
    }
    for (path, fact, message) in [
        ("pkg:cargo/good@1.0.0", "reviews", "2 reviews"),
        ("pkg:cargo/seen@1.0.0", "support", "unknown"),
        ("pkg:cargo/good@1.0.0", "grade", "no such fact"),
    ] {
        let shown = format!("/badge/{path}.json?show={fact}");
        let answer = world.get(&shown).await?;
        let json: Value = serde_json::from_slice(&answer.bytes().await?)?;
        assert_eq!(json["message"], message, "{path} {fact}");
    }
    Ok(())
}

/// The newest word of an issuer displaces its older one, and one who still supports it is enough.
#[tokio::test(flavor = "multi_thread")]
async fn who_prolongs_support_still_gives_it() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let (makers, auditors) = (&world.makers, &world.auditors);
    for (who, purl, until) in [
        (makers, "pkg:cargo/longer@1.0.0", "2020-01-01"),
        (makers, "pkg:cargo/longer@1.0.0", "2091-05-01"),
        (makers, "pkg:cargo/shorter@1.0.0", "2091-05-01"),
        (makers, "pkg:cargo/shorter@1.0.0", "2020-01-01"),
        (makers, "pkg:cargo/two@1.0.0", "2091-05-01"),
        (auditors, "pkg:cargo/two@1.0.0", "2020-01-01"),
    ] {
        world.supported(who, purl, until).await?;
    }
    for (path, message) in [
        ("pkg:cargo/longer@1.0.0", "supported to 2091-05"),
        ("pkg:cargo/shorter@1.0.0", "support ended 2020-01"),
        ("pkg:cargo/two@1.0.0", "supported to 2091-05"),
    ] {
        assert_eq!(badge(&world, path).await?.1, message, "{path}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn badges_have_one_address() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let moved = world
        .get("/badge/pkg:pypi/Some_Thing.svg?show=support")
        .await?;
    assert_eq!(moved.status(), 301);
    let to = moved.headers()["location"].to_str()?;
    assert!(
        to.ends_with("badge/pkg:pypi/some-thing.svg?show=support"),
        "{to}"
    );
    let long = format!("/badge/pkg:cargo/{}.svg", "a".repeat(10_000));
    assert_eq!(world.get(&long).await?.status(), 414);
    assert_eq!(world.get("/badge/pkg:cargo/serde.png").await?.status(), 404);
    let (url, http) = (&world.node.ready().url, reqwest::Client::new());
    let url = format!("{url}/badge/pkg:cargo/serde.svg");
    let first = http.get(&url).send().await?;
    let tag = &first.headers()["etag"];
    let again = http.get(&url).header("if-none-match", tag).send().await?;
    assert_eq!(again.status(), 304);
    Ok(())
}
