//! The page of the public record: heads, witnesses, alarms and convictions.

use super::world::World;
use assay_claims::misbehavior::VerifiedMisbehavior;
use assay_tests::process::assay;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::TreeSize;
use std::fs;

#[tokio::test(flavor = "multi_thread")]
async fn the_record_says_what_it_is_and_who_watches_it() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let page = world.page("/log").await?;
    let (key, size) = (world.log.key.to_string(), world.log.size().await?);
    assert!(
        page.text.contains(&format!("which has {size} entries")),
        "{}",
        page.text
    );
    assert!(
        page.text.contains(&format!("<pre>{}</pre>", key)),
        "{}",
        page.text
    );
    assert!(
        page.section("Who confirms")?
            .contains("this log asks no witnesses")
    );
    assert!(
        page.section("What is proven")?
            .contains("no proof against anybody")
    );
    assert!(page.section("Is anything alarming?")?.contains("No."));
    let own = page.section("How to check this node")?;
    assert!(own.contains("All of this is the node's own word."), "{own}");
    Ok(())
}

/// A log that is proven to lie: its record says so, and so does every page, before all else.
#[tokio::test(flavor = "multi_thread")]
async fn a_conviction_is_said_first() -> anyhow::Result<()> {
    let world = World::new("").await?;
    let purl = "pkg:cargo/good@1.0.0";
    world.built(&world.makers, purl).await?;
    world.reviewed(&world.auditors, purl).await?;
    assert!(
        world
            .page(&format!("/p/{purl}"))
            .await?
            .sentence()
            .contains("sentence quiet")
    );
    let key = fs::read_to_string(world.node.folder().join("log.key"))?;
    let key = SignerKey::parse(key.trim_end())?;
    let log = LogVerifier::new(key.name(), vec![key.verifier()])?;
    let mut heads = Vec::new();
    for root in ["one", "another"] {
        let checkpoint = Checkpoint {
            origin: key.name().to_owned(),
            size: TreeSize::new(1000),
            root: Hash::of(root.as_bytes()),
        };
        heads.push(log.verify(&checkpoint.sign(&key))?);
    }
    let proof = VerifiedMisbehavior::of_log(&heads[0], &heads[1], None)?;
    let folder = tempfile::tempdir()?;
    fs::write(folder.path().join("proof"), proof.text())?;
    let url = world.node.ready().url.clone();
    let reported = assay(
        folder.path(),
        &["misbehavior", "report", "proof", "--node", &url],
    )?;
    assert!(reported.status.success(), "{reported:?}");

    let record = world.page("/log").await?;
    let proven = record.section("What is proven")?;
    assert!(proven.contains("<strong>CONVICTED:</strong>"), "{proven}");
    assert!(proven.contains(&format!("log {}", key.name())), "{proven}");
    // The page that was made before is not sent any more.
    let page = world.page(&format!("/p/{purl}")).await?;
    let block = page.sentence();
    assert!(block.contains("sentence unchecked"), "{block}");
    assert!(
        block.contains("proof of misbehavior against the log"),
        "{block}"
    );
    Ok(())
}
