//! Badges: facts, and what is not known.

use super::world::{POLICY, World, named};
use assay_tests::process::assay;
use assay_tlog::note::SignerKey;
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use std::{fs, path::Path, process::Output};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};

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

/// What was shown a moment ago is kept only while the log is as it was.
#[tokio::test(flavor = "multi_thread")]
async fn a_badge_changes_with_the_log() -> anyhow::Result<()> {
    let (world, purl) = (World::new("").await?, "pkg:cargo/good@1.0.0");
    for until in ["2090-05", "2091-06"] {
        let shown = badge(&world, purl).await?.1;
        assert_ne!(shown, format!("supported to {until}"));
        let day = format!("{until}-01");
        world.supported(&world.makers, purl, &day).await?;
        let shown = badge(&world, purl).await?.1;
        assert_eq!(shown, format!("supported to {until}"));
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

/// Runs `assay badge` by the policy of the pages. It is run in `folder`, whose state it has.
fn command(world: &World, folder: &Path, arguments: &[&str]) -> anyhow::Result<Output> {
    by_policy(world, folder, POLICY, arguments)
}

/// The same by another policy of the node's folder.
fn by_policy(
    world: &World,
    folder: &Path,
    policy: &str,
    arguments: &[&str],
) -> anyhow::Result<Output> {
    let (ready, policy) = (world.node.ready(), world.node.folder().join(policy));
    let policy = policy.display().to_string();
    let log = ["--log", &ready.url, "--log-key", &ready.vkey];
    let all = [&["badge"], arguments, &log, &["--policy", &policy]].concat();
    assay(folder, &all)
}

/// The same of the command, which must succeed.
fn written(world: &World, folder: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let output = command(world, folder, arguments)?;
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{arguments:?}: {said}");
    Ok(String::from_utf8(output.stdout)?)
}

/// Whoever has the policy makes the same badges without the pages, also offline.
#[tokio::test(flavor = "multi_thread")]
async fn the_command_makes_the_badges_that_the_node_shows() -> anyhow::Result<()> {
    let (mut world, folder) = (World::new("").await?, tempfile::tempdir()?);
    let (folder, makers) = (folder.path(), &world.makers);
    let good = "pkg:cargo/good@1.0.0";
    world.supported(makers, good, "2090-05-01").await?;
    world.reviewed(&world.auditors, good).await?;
    world.reviewed(&world.stranger, good).await?;
    world.affected(makers, "pkg:cargo/bad@1.0.0").await?;
    world.reviewed(makers, "pkg:cargo/bad@1.1.0").await?;
    let rumor = "pkg:cargo/rumor@1.0.0";
    world
        .supported(&world.stranger, rumor, "2090-05-01")
        .await?;
    let mut shown = Vec::new();
    for (purl, fact, message) in [
        (good, None, "supported to 2090-05"),
        (good, Some("reviews"), "1 review"),
        ("pkg:cargo/bad@1.0.0", None, "read this"),
        ("pkg:cargo/bad", Some("support"), "depends on the version"),
        (rumor, None, "unknown"),
        ("pkg:npm/%40a/nobody", None, "unknown"),
    ] {
        let query = fact.map(|fact| format!("?show={fact}")).unwrap_or_default();
        let mut arguments = vec![purl];
        arguments.extend(fact.iter().flat_map(|fact| ["--show", fact]));
        let name = purl.replace('%', "%25");
        for form in ["svg", "json"] {
            let path = format!("/badge/{name}.{form}{query}");
            let node = world.get(&path).await?.text().await?;
            let own = written(
                &world,
                folder,
                &[&arguments[..], &["--format", form]].concat(),
            )?;
            assert!(own.contains(message), "{path}: {own}");
            assert_eq!(own, node, "{path}");
        }
        // What the line of a README shows, and where it leads.
        let line = [&arguments[..], &["--format", "markdown"]].concat();
        let line = written(&world, folder, &line)?;
        let url = &world.node.ready().url;
        let image = format!("[![Assay]({url}/badge/{name}.svg{query})]({url}/p/{name})\n");
        assert_eq!(line, image);
        assert_eq!(world.page(&format!("/p/{name}")).await?.status, 200);
        shown.push((arguments, written(&world, folder, &[purl])?));
    }
    world.node.stop()?;
    for (arguments, badge) in shown.iter().filter(|(arguments, _)| arguments.len() == 1) {
        let offline = [&arguments[..], &["--offline", "--out", "badge.svg"]].concat();
        assert_eq!(written(&world, folder, &offline)?, "");
        assert_eq!(&fs::read_to_string(folder.join("badge.svg"))?, badge);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_badge_that_cannot_be_made_replaces_none() -> anyhow::Result<()> {
    let (mut world, folder) = (World::new("").await?, tempfile::tempdir()?);
    let (folder, purl) = (folder.path(), "pkg:cargo/a@1.0.0");
    fs::write(folder.join("badge.svg"), "before")?;
    let out = ["--out", "badge.svg"];
    let two = [purl, "pkg:cargo/b"];
    for (arguments, code, says) in [
        (&two[..], 2, "--format"),
        (&["serde"], 2, "serde"),
        (&[purl, "--show", "grade"], 2, "support"),
        (&[purl, "--output", "json"], 2, "--output"),
        (&[purl, "--pages", "https://a.example"], 2, "--pages"),
        (&[purl, "--format", "markdown", "--pages", "a b"], 2, "a b"),
    ] {
        let output = command(&world, folder, &[arguments, &out].concat())?;
        let said = String::from_utf8(output.stderr)?;
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(says), "{arguments:?}: {said}");
    }
    let lines = written(&world, folder, &[&two[..], &["--format", "json"]].concat())?;
    // A log that the policy can do without is no reason to say nothing, but to say so.
    world.supported(&world.makers, purl, "2090-05-01").await?;
    let silent = SignerKey::from_seed("silent.example/log", &[3; 32])?.verifier();
    let (before, own) = (
        fs::read_to_string(world.node.folder().join(POLICY))?,
        &world.log.key,
    );
    let policy = format!(
        "required_logs = {{ least = 1, of = [{:?}, {:?}] }}\n{before}\n[[log]]\nkey = \"{own}\"\n\
         [[log]]\nkey = \"{silent}\"\nurl = \"http://127.0.0.1:1\"\n",
        own.name(),
        silent.name()
    );
    fs::write(world.node.folder().join("two.toml"), policy)?;
    let partly = by_policy(&world, folder, "two.toml", &[purl])?;
    let said = String::from_utf8(partly.stderr)?;
    assert_eq!(partly.status.code(), Some(1), "{said}");
    assert!(
        String::from_utf8(partly.stdout)?.contains("not checked"),
        "{said}"
    );
    assert_eq!(lines.lines().count(), 2, "{lines}");
    world.node.stop()?;
    let away = command(&world, folder, &[&[purl], &out[..]].concat())?;
    assert_eq!(away.status.code(), Some(3));
    assert_eq!(fs::read_to_string(folder.join("badge.svg"))?, "before");
    Ok(())
}

/// Passes on what the pages ask their node, and counts the bytes of its answers.
async fn passed(pages: TcpStream, node: String, bytes: Arc<AtomicUsize>) -> std::io::Result<()> {
    let node = TcpStream::connect(node).await?;
    let ((mut asked, mut answered), (mut from, mut to)) = (pages.into_split(), node.into_split());
    let answering = async {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = from.read(&mut buffer).await?;
            bytes.fetch_add(read, Ordering::Relaxed);
            answered.write_all(&buffer[..read]).await?;
            if read == 0 {
                return Ok(());
            }
        }
    };
    tokio::try_join!(copy(&mut asked, &mut to), answering).map(|_| ())
}

/// However much strangers say of a package, nobody reads it for its badge.
#[tokio::test(flavor = "multi_thread")]
async fn strangers_cost_a_badge_nothing() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let bytes = Arc::new(AtomicUsize::new(0));
    let counted = bytes.clone();
    let url = format!("url = \"http://{}\"", listener.local_addr()?);
    let world = World::new("").await?.with(&url).await?;
    let node = world.node.ready().url.replace("http://", "");
    tokio::spawn(async move {
        while let Ok((pages, _)) = listener.accept().await {
            tokio::spawn(passed(pages, node.clone(), counted.clone()));
        }
    });
    let purl = "pkg:cargo/huge@1.0.0";
    for seed in 20..30 {
        let loud = named("Loud", seed);
        world.register(&loud).await?;
        let essay = json!({"text": "x".repeat(30_000)});
        let kind = "https://example.com/essay/v1";
        world.say(&loud, purl, kind, essay).await?;
    }
    world.supported(&world.makers, purl, "2090-05-01").await?;
    let read = || bytes.swap(0, Ordering::Relaxed);
    assert_eq!(badge(&world, purl).await?.1, "supported to 2090-05");
    let of_badge = read();
    assert!(of_badge < 200_000, "{of_badge}");
    // The page has what they say.
    assert_eq!(world.page(&format!("/p/{purl}")).await?.status, 200);
    let of_page = read();
    assert!(of_page > 300_000, "{of_page}");
    Ok(())
}
