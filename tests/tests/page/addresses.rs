//! Addresses: how a page is asked for, and what comes instead.

use super::world::World;

async fn leads(world: &World, from: &str) -> anyhow::Result<(u16, String)> {
    let response = world.get(from).await?;
    let status = response.status().as_u16();
    let to = response.headers().get("location");
    let to = to.map(|to| to.to_str().map(str::to_owned)).transpose()?;
    let base = reqwest::Url::parse(response.url().as_str())?;
    let to = base.join(&to.unwrap_or_default())?;
    let query = to.query().map(|query| format!("?{query}"));
    Ok((
        status,
        format!("{}{}", to.path(), query.unwrap_or_default()),
    ))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_canonical_leads_to_what_is() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let id = world.makers.id.to_string();
    for (from, to) in [
        ("/p/PKG:PyPI/Some_Thing@1", "/p/pkg:pypi/some-thing@1"),
        ("/p/pkg:npm/@a/b@1", "/p/pkg:npm/%2540a/b@1"),
        ("/p/pkg:npm/%40a/b@1", "/p/pkg:npm/%2540a/b@1"),
        (
            "/p/pkg:deb/debian/curl@7?arch=amd64",
            "/p/pkg:deb/debian/curl@7%3Farch=amd64",
        ),
        ("/v/cve-2021-44228", "/v/CVE-2021-44228"),
        ("/v/vuln:Rustsec-2024-0001", "/v/RUSTSEC-2024-0001"),
        ("/v/%20GHSA-JFH8-C2JP-5V3Q", "/v/GHSA-jfh8-c2jp-5v3q"),
        (&format!("/i/{}", id.to_uppercase()), &format!("/i/{id}")),
        (
            &format!("/d/SHA256:{}", id.to_uppercase()),
            &format!("/d/sha256:{id}"),
        ),
    ] {
        let to = to.replace('=', "%3D");
        assert_eq!(leads(&world, from).await?, (301, to.clone()), "{from}");
        assert_eq!(world.page(&to).await?.status, 200, "{to}");
    }
    // The search leads on, too.
    for (text, to) in [
        ("pkg%3Acargo%2Fserde", "/p/pkg:cargo/serde"),
        ("cve-2021-44228", "/v/CVE-2021-44228"),
        ("vuln%3Acve-2021-44228", "/v/CVE-2021-44228"),
        (&id, &format!("/x/{id}")),
        (&format!("issuer%3A{id}"), &format!("/i/{id}")),
    ] {
        assert_eq!(
            leads(&world, &format!("/?q={text}")).await?,
            (303, to.to_owned()),
            "{text}"
        );
    }
    let choice = world.page("/?q=left-pad").await?;
    assert!(
        choice.text.contains("href=\"./p/pkg:npm/left-pad\""),
        "{}",
        choice.text
    );
    // Who looks for nothing is told nothing.
    for (text, is_said) in [("", false), ("+", false), ("a/../../b", true)] {
        let page = world.page(&format!("/?q={text}")).await?;
        let says = "role=\"status\"";
        assert_eq!(page.text.contains(says), is_said, "{text:?}: {}", page.text);
    }
    let nothing = world.page("/?q=pkg%3A%3Cscript%3E").await?;
    assert!(
        nothing.text.contains("&#60;script&#62;"),
        "{}",
        nothing.text
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn questions_lead_to_how_they_are_spelled() -> anyhow::Result<()> {
    let world = World::new("").await?;
    for (from, to) in [
        (
            "/calendar?purl=PKG:PyPI/Some_Thing@1&purl=pkg:npm/@a/b",
            "/calendar?purl=pkg:pypi/some-thing@1&purl=pkg:npm/%2540a/b",
        ),
        // As a form sends the lines of a text.
        (
            "/calendar?purl=pkg%3Acargo%2Fa%0D%0Apkg%3Acargo%2Fb%0D%0Apkg%3Acargo%2Fa&x=y",
            "/calendar?purl=pkg:cargo/a&purl=pkg:cargo/b",
        ),
        ("/calendar?purl=", "/calendar"),
        (
            "/calendar.ics?purl=pkg:PyPI/A_b",
            "/calendar.ics?purl=pkg:pypi/a-b",
        ),
        (
            "/compare?a=pkg:PyPI/A_b&b=+pkg:cargo/b",
            "/compare?a=pkg:pypi/a-b&b=pkg:cargo/b",
        ),
        (
            "/compare?b=pkg:cargo/b&a=pkg:generic/x%3Fy%3D1",
            "/compare?a=pkg:generic/x%3Fy%3D1&b=pkg:cargo/b",
        ),
    ] {
        assert_eq!(leads(&world, from).await?, (301, to.to_owned()), "{from}");
        assert_eq!(world.get(to).await?.status(), 200, "{to}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_address_of_a_page_is_refused() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let long = format!("pkg:cargo/{}", "a".repeat(10_000));
    for (path, status) in [
        (format!("/p/{long}"), 414),
        (format!("/v/{}", "a".repeat(10_000)), 414),
        (format!("/i/{}", "a".repeat(10_000)), 414),
        (format!("/?q={long}"), 414),
        (format!("/calendar?purl={long}"), 414),
        (format!("/calendar.ics?purl={long}"), 414),
        (format!("/compare?a=pkg:cargo/serde&b={long}"), 414),
        ("/calendar.ics".to_owned(), 404),
        ("/calendar.ics?purl=serde".to_owned(), 404),
        ("/p/serde".to_owned(), 404),
        ("/p/pkg:<script>".to_owned(), 404),
        ("/i/12".to_owned(), 404),
        ("/c/zz".to_owned(), 404),
        ("/x/12".to_owned(), 404),
        ("/d/sha1:12".to_owned(), 404),
        ("/d/nothing".to_owned(), 404),
        ("/v/This%20reaches%20nobody".to_owned(), 404),
        ("/v/caf%C3%A9".to_owned(), 404),
        // Browsers would leave the pages.
        ("/?q=pkg:golang/../../../logout".to_owned(), 404),
        ("/?q=vuln:..".to_owned(), 404),
        ("/p/PKG:golang/%252e%252e/%252e%252e/logout".to_owned(), 404),
        ("/badge/PKG:golang/%252e%252e/logout.svg".to_owned(), 404),
        (format!("/v/{}", "a".repeat(129)), 404),
    ] {
        let page = world.page(&path).await?;
        let path: String = path.chars().take(40).collect();
        assert_eq!(page.status, status, "{path}: {}", page.text);
    }
    let url = format!("{}/p/pkg:cargo/serde", world.node.ready().url);
    let posted = reqwest::Client::new().post(url).send().await?;
    assert_eq!(posted.status(), 405);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_has_a_tag_which_changes_with_the_log() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let (path, http) = ("/p/pkg:cargo/serde@1.0.0", reqwest::Client::new());
    let url = format!("{}{path}", world.node.ready().url);
    let first = http.get(&url).send().await?;
    let tag = first.headers()["etag"].clone();
    assert_eq!(first.headers()["cache-control"], "no-cache");
    let again = http.get(&url).header("if-none-match", &tag).send().await?;
    assert_eq!(again.status(), 304);
    assert!(again.headers().contains_key("content-security-policy"));
    world
        .supported(&world.makers, "pkg:cargo/serde@1.0.0", "2090-05-01")
        .await?;
    let other = http.get(&url).header("if-none-match", &tag).send().await?;
    assert_eq!(other.status(), 200);
    assert!(other.text().await?.contains("2090-05-01"));
    let head = http.head(&url).send().await?;
    assert_eq!(
        (head.status().as_u16(), head.bytes().await?.len()),
        (200, 0)
    );
    Ok(())
}

/// Whatever path a proxy serves them below, links lead from page to page.
#[tokio::test(flavor = "multi_thread")]
async fn links_are_relative() -> anyhow::Result<()> {
    let world = World::new("").await?;
    world
        .log
        .publish(world.makers.claim(1), assay_proto::v1::Wait::Integrated)
        .await?;
    let digest = format!("sha256:{:064x}", 1);
    for path in [
        "/",
        "/policy",
        "/log",
        "/calendar",
        "/calendar?purl=pkg:cargo/serde",
        "/compare",
        "/compare?a=pkg:cargo/serde&b=pkg:npm/%2540a/b",
        &format!("/d/{digest}"),
        "/p/pkg:npm/%2540a/b",
    ] {
        let text = world.page(path).await?.text;
        let links = text.split("href=\"").skip(1);
        let links: Vec<&str> = links.filter_map(|link| link.split('"').next()).collect();
        for link in links
            .iter()
            .filter(|link| !link.starts_with('#') && **link != "data:,")
        {
            assert!(
                link.starts_with("./") || link.starts_with("../"),
                "{path}: {link}"
            );
            let base = reqwest::Url::parse(&format!("https://proxy.example/below{path}"))?;
            let url = base.join(&link.replace("&#38;", "&"))?;
            assert!(url.path().starts_with("/below/"), "{path}: {link}");
            let query = url.query().map(|query| format!("?{query}"));
            let own = url.path().trim_start_matches("/below").to_owned();
            let own = own + &query.unwrap_or_default();
            assert!(
                world.get(&own).await?.status().as_u16() < 400,
                "{path}: {link}"
            );
        }
        assert!(
            links.iter().any(|link| link.ends_with("style.css")),
            "{path}"
        );
    }
    Ok(())
}

/// A name with a part of dots has no page here, and so no link: browsers would take parts of the
/// address away with it.
#[tokio::test(flavor = "multi_thread")]
async fn what_has_no_page_has_no_link() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let (makers, purl) = (&world.makers, "pkg:cargo/bad@1.0.0");
    world
        .affected_by(makers, purl, &["..", "CVE-2026-0001"])
        .await?;
    for (path, named, linked) in [
        (format!("/p/{purl}"), "..: ", "v/CVE-2026-0001\""),
        (
            "/compare?a=pkg:golang/../x&b=pkg:golang/y".to_owned(),
            "pkg:golang/../x",
            "p/pkg:golang/y\"",
        ),
        (
            "/calendar?purl=pkg:golang/../x&purl=pkg:golang/y".to_owned(),
            "pkg:golang/../x",
            "p/pkg:golang/y\"",
        ),
    ] {
        let page = world.page(&path).await?;
        assert_eq!(page.status, 200, "{path}: {}", page.text);
        assert!(page.text.contains(named), "{path}: {}", page.text);
        assert!(page.text.contains(linked), "{path}: {}", page.text);
        let links = page.text.split("href=\"").skip(1);
        for link in links.filter_map(|link| link.split('"').next()) {
            let own = link.trim_start_matches("../").trim_start_matches("./");
            let own = own.split('?').next().unwrap_or_default();
            let has_dots = own.split('/').any(|part| part == "." || part == "..");
            assert!(!has_dots, "{path}: {link}");
        }
    }
    Ok(())
}
