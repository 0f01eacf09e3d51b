//! How pages look: Chromium shows each of the first sentences, on a desk, on a phone, in the dark
//! and on paper, and axe judges them. `scripts/pictures` keeps what it sees, for the documents.

use super::world::{World, practice};
use anyhow::Context;
use assay_tests::{
    aics::run,
    js::{require_browser, require_node},
    npm::require_npm,
    ports::free_address,
};
use assay_tlog::note::SignerKey;
use std::{
    env, fs,
    path::Path,
    process::Command,
    time::{Duration, SystemTime},
};

/// Whom the policy of these pages trusts, by the names that a reader sees.
const TRUSTED: [&str; 2] = ["Example Apps", "Example Audits"];

/// The folder in which pictures are kept, if they are.
const FOLDER: &str = "ASSAY_PICTURES";

/// A day two years from now, so that it does not come.
fn in_two_years() -> anyhow::Result<String> {
    const YEAR: Duration = Duration::from_secs(31_556_952);
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
    Ok(format!("{}-05-31", 1972 + since.as_secs() / YEAR.as_secs()))
}

/// A node on which something is said of a package for each of four sentences.
async fn world() -> anyhow::Result<World> {
    let world = World::weighed("", TRUSTED).await?;
    let (makers, auditors) = (&world.makers, &world.auditors);
    let until = in_two_years()?;
    let quiet = "pkg:npm/address-book@3.0.1";
    for purl in [quiet, "pkg:npm/old-calendar@1.4.2"] {
        world.built(makers, purl).await?;
        world.reviewed(auditors, purl).await?;
    }
    world
        .supported(makers, "pkg:npm/old-calendar@1.4.2", "2025-06-30")
        .await?;
    for purl in [quiet, "pkg:npm/photo-album@2.1.0"] {
        world.supported(makers, purl, &until).await?;
    }
    world.affected(makers, "pkg:npm/photo-album@2.1.0").await?;
    let practice = practice("Names and addresses.", &["name", "address"]);
    world
        .say(makers, quiet, "urn:assay:practice:v1", practice)
        .await?;
    let rumor = world.affected(&world.stranger, quiet).await?;
    world
        .reply(makers, &rumor, "This was never in a release.")
        .await?;
    Ok(world)
}

/// The page about a package, with the style of its first sentence as its name.
fn page(stand: &str, name: &str) -> String {
    format!("{stand}=/p/pkg:npm/{name}")
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_are_fit_for_everybody_on_any_screen_and_on_paper() -> anyhow::Result<()> {
    let what = "pages in a browser";
    let (Some(node), Some(packages)) = (require_node(what), require_npm(what)) else {
        return Ok(());
    };
    let Some(browser) = require_browser(what) else {
        return Ok(());
    };
    let folder = env::var(FOLDER).unwrap_or_else(|_| "-".to_owned());
    let look = |world: &World, pages: &[String]| -> anyhow::Result<()> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/sdk/pictures.mjs");
        let mut command = Command::new(&node);
        command
            .arg(script)
            .arg(&browser)
            .arg(&world.node.ready().url);
        command.arg(&folder).args(pages).current_dir(packages);
        run(&mut command).map(drop)
    };
    let mut world = world().await?;
    let pages = [
        page("act", "photo-album@2.1.0"),
        page("plan", "old-calendar@1.4.2"),
        page("quiet", "address-book@3.0.1"),
        page("unsaid", "unheard-of@1.0.0"),
    ];
    for one in &pages {
        let (stand, path) = one.split_once('=').context("no path")?;
        let sentence = world.page(path).await?;
        let style = format!("class=\"sentence {stand}\"");
        assert!(sentence.sentence().contains(&style), "{one}");
    }
    look(&world, &pages)?;

    // A log of the policy is not there.
    let file = world.node.folder().join("page.policy.toml");
    let gone = SignerKey::from_seed("gone.example/log", &[3; 32])?.verifier();
    let logs = format!(
        "\n[[log]]\nkey = \"{}\"\n\n[[log]]\nkey = \"{gone}\"\nurl = \"http://{}\"\n",
        world.log.key,
        free_address()?
    );
    fs::write(&file, fs::read_to_string(&file)? + &logs)?;
    world.node.stop()?;
    world.node.run()?;
    look(&world, &[page("unchecked", "address-book@3.0.1")])
}
