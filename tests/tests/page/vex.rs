//! The VEX repository, as a scanner fetches it: the manifest, the archive, which the machine's own
//! `tar` unpacks, its index, and the documents.
//!
//! What the specification's schemas demand is demanded here in words of our own. Its pattern of
//! packages' ids is not: the specification's own examples break it.

use super::world::World;
use anyhow::{Context, ensure};
use assay_claims::purl::Purl;
use assay_tests::log::Log;
use assay_tests::process::{Node, assay, poll_async};
use reqwest::header::IF_NONE_MATCH;
use serde_json::{Value, json};
use std::{collections::BTreeMap, fs, process::Command};

const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";
const MANIFEST: &str = "/.well-known/vex-repository.json";
const ARCHIVE: &str = "/vex-repository.tar.gz";

/// Where a proxy serves the pages, below a path that it takes off.
const ADDRESS: &str = "https://log.example/assay/";

const GOOD: &str = "pkg:cargo/good@1.0.0";
const IMAGE: &str = "pkg:oci/app@sha256:ab?repository_url=ghcr.io/x/app";

/// A node that says where its pages are.
async fn world() -> anyhow::Result<World> {
    let mut world = World::new("").await?;
    let example = "# address = \"https://log.example.org\"";
    let address = format!("address = \"{ADDRESS}\"");
    configure(&mut world, example, &address).await?;
    Ok(world)
}

/// Starts the node again, with something else in its configuration than the template has there.
async fn configure(world: &mut World, example: &str, instead: &str) -> anyhow::Result<()> {
    world.node.stop()?;
    let file = world.node.folder().join("node.toml");
    let text = fs::read_to_string(&file)?;
    ensure!(text.contains(example), "the template was changed");
    fs::write(&file, text.replace(example, instead))?;
    world.node.run()?;
    world.log = Log::connect(world.node.ready()).await?;
    Ok(())
}

/// Somebody's document of one statement, with these products.
fn vex(id: &str, status: &str, products: &[Value]) -> Value {
    let mut statement = json!({
        "vulnerability": {"name": id},
        "status": status,
        "impact_statement": "We do not compile it.",
        "action_statement": "Update.",
    });
    if !products.is_empty() {
        statement["products"] = products.into();
    }
    json!({
        "@context": OPENVEX,
        "@id": format!("https://example.org/vex/{id}"),
        "author": "Somebody",
        "version": 1,
        "timestamp": "2026-01-01T00:00:00Z",
        "statements": [statement],
    })
}

async fn json_at(world: &World, path: &str) -> anyhow::Result<Value> {
    let answer = world.get(path).await?;
    ensure!(answer.status() == 200, "{path}: {}", answer.status());
    let kind = answer.headers()["content-type"].to_str()?.to_owned();
    ensure!(kind == "application/json", "{kind}");
    Ok(serde_json::from_slice(&answer.bytes().await?)?)
}

/// What a repository has: documents by the ids of packages.
type Documents = BTreeMap<String, Value>;

/// Fetches the archive, and unpacks it as a scanner does.
async fn documents(world: &World) -> anyhow::Result<Documents> {
    let answer = world.get(ARCHIVE).await?;
    let status = answer.status();
    ensure!(status == 200, "{status}: {}", answer.text().await?);
    ensure!(answer.headers()["content-type"] == "application/gzip");
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    fs::write(at.join("archive.tar.gz"), answer.bytes().await?)?;
    let tar = Command::new("tar")
        .args(["-xzf", "archive.tar.gz"])
        .current_dir(at)
        .output()?;
    let said = String::from_utf8_lossy(&tar.stderr);
    ensure!(tar.status.success() && said.is_empty(), "tar: {said}");
    let index: Value = serde_json::from_slice(&fs::read(at.join("index.json"))?)?;
    ensure!(keys(&index) == ["packages", "updated_at"], "{index}");
    let updated = index["updated_at"].as_str().context("updated_at")?;
    let packages = index["packages"].as_array().context("packages")?;
    // Where nobody has said anything, nothing was ever changed.
    let century = if packages.is_empty() { "1970" } else { "20" };
    ensure!(updated.starts_with(century), "{updated}");
    ensure!(updated.ends_with('Z'), "{updated}");
    let mut documents = Documents::new();
    for package in packages {
        ensure!(keys(package) == ["format", "id", "location"], "{package}");
        ensure!(package["format"] == "openvex", "{package}");
        let [id, place] = ["id", "location"].map(|key| package[key].as_str().unwrap_or_default());
        ensure!(id.starts_with("pkg:") && !id.contains('@'), "{id}");
        ensure!(place.ends_with(".json"), "{place}");
        let mut bytes = place.bytes().filter(|byte| !byte.is_ascii_alphanumeric());
        ensure!(bytes.all(|byte| b"_/.-".contains(&byte)), "{place}");
        let document = serde_json::from_slice(&fs::read(at.join(place))?)?;
        ensure!(documents.insert(id.to_owned(), document).is_none(), "{id}");
    }
    Ok(documents)
}

fn keys(object: &Value) -> Vec<&str> {
    let members = object.as_object().into_iter().flatten();
    let mut keys: Vec<&str> = members.map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys
}

/// The repository once it is so: of what was logged a moment ago the next archive has it.
async fn once(world: &World, is_so: impl Fn(&Documents) -> bool) -> anyhow::Result<Documents> {
    poll_async(async || Ok(Some(documents(world).await?).filter(|all| is_so(all)))).await
}

/// Vulnerability, status and products of each statement of a document.
fn told(document: &Value) -> Vec<(String, String, Vec<String>)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let statements = document["statements"].as_array().into_iter().flatten();
    let told = statements.map(|one| {
        let products = one["products"].as_array().into_iter().flatten();
        let products = products.map(|product| match &product["subcomponents"][0]["@id"] {
            Value::String(part) => format!("{} > {part}", text(&product["@id"])),
            _ => text(&product["@id"]),
        });
        let name = text(&one["vulnerability"]["name"]);
        (name, text(&one["status"]), products.collect())
    });
    told.collect()
}

fn row(id: &str, status: &str, product: &str) -> (String, String, Vec<String>) {
    (id.to_owned(), status.to_owned(), vec![product.to_owned()])
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scanner_finds_what_trusted_issuers_cleared_and_nothing_else() -> anyhow::Result<()> {
    let world = world().await?;
    let manifest = json_at(&world, MANIFEST).await?;
    ensure!(
        keys(&manifest) == ["description", "name", "versions"],
        "{manifest}"
    );
    let versions = json!([{
        "spec_version": "0.1",
        "locations": [{"url": "https://log.example/assay/vex-repository.tar.gz"}],
        "update_interval": "1h",
    }]);
    ensure!(manifest["versions"] == versions, "{manifest}");
    ensure!(documents(&world).await?.is_empty());
    let (makers, auditors) = (&world.makers, &world.auditors);
    let clear = |id: &str| vex(id, "not_affected", &[]);
    let cleared = world.say(makers, GOOD, OPENVEX, clear("CVE-1")).await?;
    let stranger = &world.stranger;
    world.say(stranger, GOOD, OPENVEX, clear("CVE-2")).await?;
    let other = "pkg:cargo/strange@1.0.0";
    world.say(stranger, other, OPENVEX, clear("CVE-2")).await?;
    // What two contradict each other in, is in none.
    let torn = "pkg:cargo/torn@1.0.0";
    world.say(makers, torn, OPENVEX, clear("CVE-3")).await?;
    let harm = vex("CVE-3", "affected", &[]);
    world.say(auditors, torn, OPENVEX, harm).await?;
    // A part, in the image alone.
    let part = json!([{"@id": IMAGE, "subcomponents": [{"@id": GOOD}]}]);
    let inside = vex("CVE-4", "fixed", part.as_array().context("array")?);
    world.say(makers, IMAGE, OPENVEX, inside).await?;
    let all = once(&world, |all| all.contains_key("pkg:oci/app")).await?;
    let repository = "pkg:oci/app?repository_url=ghcr.io";
    let ids: Vec<&str> = all.keys().map(String::as_str).collect();
    let expected = [
        "pkg:cargo/good",
        "pkg:oci/app",
        &format!("{repository}%2Fx%2Fapp"),
        &format!("{repository}/x/app"),
    ];
    ensure!(ids == expected, "{ids:?}");
    let good = &all["pkg:cargo/good"];
    ensure!(
        told(good) == [row("CVE-1", "not_affected", GOOD)],
        "{good:#}"
    );
    let canonical = Purl::canonicalize(IMAGE)?.to_string();
    let in_image = [row("CVE-4", "fixed", &format!("{canonical} > {GOOD}"))];
    for id in &expected[1..] {
        ensure!(told(&all[*id]) == in_image, "{id}: {:#}", all[*id]);
    }
    ensure!(good["@context"] == OPENVEX, "{good:#}");
    ensure!(good["author"] == "Example Foundation", "{good:#}");
    reader_verifies(&world, good, &cleared)
}

/// A reader looks up the claim that a document names, and checks it.
fn reader_verifies(world: &World, document: &Value, claim: &str) -> anyhow::Result<()> {
    let notes = document["statements"][0]["status_notes"].as_str();
    let notes = notes.context("no notes")?;
    ensure!(notes.contains(&format!("Claim {claim} by")), "{notes}");
    ensure!(notes.contains("leaf "), "{notes}");
    let (folder, ready) = (tempfile::tempdir()?, world.node.ready());
    let log = ["--log", &ready.url, "--log-key", &ready.vkey];
    let receipt = [&["receipt", claim, "--out", "receipts"], &log[..]].concat();
    for arguments in [
        &receipt[..],
        &["verify", "receipts", "--log-key", &ready.vkey],
    ] {
        let output = assay(folder.path(), arguments)?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{arguments:?}: {said}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_withdrawn_or_replaced_is_in_no_document() -> anyhow::Result<()> {
    let world = world().await?;
    let makers = &world.makers;
    let clear = |id: &str| vex(id, "not_affected", &[]);
    let first = world.say(makers, GOOD, OPENVEX, clear("CVE-1")).await?;
    let other = "pkg:cargo/other@1.0.0";
    world.say(makers, other, OPENVEX, clear("CVE-2")).await?;
    once(&world, |all| all.len() == 2).await?;
    world.withdraw(makers, &first).await?;
    let left = once(&world, |all| all.len() == 1).await?;
    ensure!(left.contains_key("pkg:cargo/other"), "{left:?}");
    // The next version of the document says otherwise.
    let mut next = vex("CVE-2", "affected", &[]);
    next["version"] = 2.into();
    next["timestamp"] = "2026-01-02T00:00:00Z".into();
    world.say(makers, other, OPENVEX, next).await?;
    once(&world, |all| {
        let told = told(&all["pkg:cargo/other"]);
        told == [row("CVE-2", "affected", other)]
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_issuer_who_said_more_than_is_listed_at_once_is_there_with_all() -> anyhow::Result<()> {
    let world = world().await?;
    // Of what an issuer signed, pages show the newest twenty.
    for n in 0..25 {
        let purl = format!("pkg:cargo/p{n}@1.0.0");
        let document = vex(&format!("CVE-{n}"), "fixed", &[]);
        world.say(&world.makers, &purl, OPENVEX, document).await?;
    }
    once(&world, |all| all.len() == 25).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_archive_is_fetched_again_only_if_it_changed() -> anyhow::Result<()> {
    let world = world().await?;
    let document = vex("CVE-1", "fixed", &[]);
    world.say(&world.makers, GOOD, OPENVEX, document).await?;
    once(&world, |all| all.len() == 1).await?;
    let answer = world.get(ARCHIVE).await?;
    ensure!(answer.headers()["cache-control"] == "no-cache");
    let tag = answer.headers().get("etag").context("no ETag")?.clone();
    let before = answer.bytes().await?;
    let url = format!("{}{ARCHIVE}", world.node.ready().url);
    let again = reqwest::Client::new().get(&url).header(IF_NONE_MATCH, &tag);
    ensure!(again.send().await?.status() == 304);
    // What strangers log makes no other archive.
    let strange = vex("CVE-2", "fixed", &[]);
    world.say(&world.stranger, GOOD, OPENVEX, strange).await?;
    ensure!(world.get(ARCHIVE).await?.bytes().await? == before);
    let second = vex("CVE-3", "fixed", &[]);
    world.say(&world.makers, GOOD, OPENVEX, second).await?;
    poll_async(async || {
        let now = world.get(ARCHIVE).await?.headers().get("etag").cloned();
        Ok(now.filter(|now| *now != tag))
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_policy_it_is_what_the_operator_names() -> anyhow::Result<()> {
    let mut world = World::unweighed().await?;
    for path in [MANIFEST, ARCHIVE] {
        let page = world.page(path).await?;
        ensure!(page.status == 404, "{path}: {}", page.status);
        ensure!(page.text.contains("page.vex_issuers"), "{}", page.text);
    }
    let (makers, auditors) = (&world.makers, &world.auditors);
    for (who, id) in [(makers, "CVE-1"), (auditors, "CVE-2")] {
        let document = vex(id, "not_affected", &[]);
        world.say(who, GOOD, OPENVEX, document).await?;
    }
    // Whom those vouch for who are named is not named.
    world.vouch(makers, auditors, "supplier").await?;
    let id = makers.id.to_string();
    let example = "# vex_issuers = [";
    let named = format!("address = \"{ADDRESS}\"\nvex_issuers = [{id:?}]\n{example}");
    configure(&mut world, example, &named).await?;
    let manifest = json_at(&world, MANIFEST).await?;
    let description = manifest["description"].as_str().unwrap_or_default();
    ensure!(description.contains("names"), "{description}");
    let all = documents(&world).await?;
    let good = &all["pkg:cargo/good"];
    ensure!(
        told(good) == [row("CVE-1", "not_affected", GOOD)],
        "{good:#}"
    );
    // Nothing is judged on the pages.
    let page = world.page(&format!("/p/{GOOD}")).await?;
    ensure!(page.sentence().is_empty(), "{}", page.sentence());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repository_that_nobody_can_find_says_so() -> anyhow::Result<()> {
    let world = World::new("").await?;
    for path in [MANIFEST, ARCHIVE] {
        let page = world.page(path).await?;
        ensure!(page.status == 404, "{path}: {}", page.status);
        ensure!(page.text.contains("page.address"), "{}", page.text);
    }
    // Both ways to say whose word counts are one too many.
    let mut node = Node::init()?;
    let file = node.folder().join("node.toml");
    let text = fs::read_to_string(&file)?;
    let both = format!(
        "[page]\npolicy = \"p.toml\"\nvex_issuers = [\"{}\"]",
        "ab".repeat(32)
    );
    fs::write(&file, text.replace("[page]", &both))?;
    let (_, said) = node.run_refused()?;
    ensure!(said.contains("page.vex_issuers"), "{said}");
    Ok(())
}
