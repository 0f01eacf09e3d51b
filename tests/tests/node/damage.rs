//! A disk that damages what a node stores: it is found, and the node's tables are made anew.

use crate::{AT_ONCE, Fixture, NEVER, assert_all_there};
use anyhow::{Context as _, ensure};
use assay_node::{
    config::{Config, ConfigFile as _},
    damage::operator,
    log::Signed,
    rotation::LogKeys,
    storage::{
        Batch, Reads as _, Table, Tables as _,
        rocks::{Options, Rocks},
    },
};
use assay_proto::v1::{PublishResponse, Wait};
use assay_tests::{
    log::Log,
    process::{Node, copy_folder, poll_async},
};
use std::{
    fs,
    ops::ControlFlow,
    path::{Path, PathBuf},
    process::Output,
};

/// Claims of the log that is damaged: more than two bundles.
const CLAIMS: u64 = 600;

/// A node that is stopped, so that all is in files of tables, with what it acknowledged.
async fn stopped() -> anyhow::Result<(Fixture, Vec<PublishResponse>)> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let acknowledged = fixture.publish(1..CLAIMS, Wait::Integrated).await?;
    fixture.node.stop()?;
    Ok((fixture, acknowledged))
}

/// The files of tables, the largest first.
fn tables(node: &Node) -> anyhow::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(node.folder().join("data/tables"))? {
        let entry = entry?;
        if entry.path().extension().is_some_and(|end| end == "sst") {
            files.push((entry.metadata()?.len(), entry.path()));
        }
    }
    files.sort_by(|one, other| other.cmp(one));
    Ok(files.into_iter().map(|(_, path)| path).collect())
}

pub fn flip(file: &Path, at: usize) -> anyhow::Result<()> {
    let mut bytes = fs::read(file)?;
    bytes[at] ^= 0x10;
    Ok(fs::write(file, bytes)?)
}

pub fn said(output: &Output) -> String {
    let (out, error) = (&output.stdout, &output.stderr);
    format!(
        "{}{}",
        String::from_utf8_lossy(out),
        String::from_utf8_lossy(error)
    )
}

/// Puts the data of another node in the place of this one's.
fn restore(node: &Node, from: &Node) -> anyhow::Result<()> {
    let data = node.folder().join("data");
    fs::remove_dir_all(&data)?;
    copy_folder(&from.folder().join("data"), &data)
}

/// The node runs, has all that it acknowledged, and takes more.
async fn assert_whole(node: &mut Node, acknowledged: &[PublishResponse]) -> anyhow::Result<()> {
    node.run()?;
    let log = Log::connect(node.ready()).await?;
    assert_all_there(&log, acknowledged).await?;
    let whole = log.rederive().await?;
    ensure!(whole.index.claims() >= CLAIMS, "{}", whole.index.claims());
    node.stop()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_flipped_bit_damaged_is_found_and_made_anew() -> anyhow::Result<()> {
    let (fixture, acknowledged) = stopped().await?;
    let mut healthy = Node::copy_of(&fixture.node)?;
    let kept = Node::copy_of(&fixture.node)?;
    healthy.run()?;
    let from = healthy.ready().url.clone();
    let mut node = Node::copy_of(&kept)?;
    let (mut found, mut by_itself) = (0, 0);
    for (number, file) in tables(&node)?.iter().enumerate() {
        restore(&node, &kept)?;
        let length = fs::metadata(file)?.len() as usize;
        // More of the two largest files, which are those of entries and of rows that find them.
        let places = if number < 2 { 8 } else { 2 };
        for place in 0..places {
            restore(&node, &kept)?;
            flip(file, length * (2 * place + 1) / (2 * places + 2))?;
            let checked = node.assay_node(&["check"], &[])?;
            if checked.status.success() {
                // Nothing is read there: the node is as it was.
                assert_whole(&mut node, &acknowledged).await?;
                continue;
            }
            assert_eq!(checked.status.code(), Some(3), "{}", said(&checked));
            for word in ["damaged:", "assay-node rebuild"] {
                assert!(said(&checked).contains(word), "{}", said(&checked));
            }
            found += 1;
            let alone = node.assay_node(&["rebuild"], &[])?;
            // A head that cannot be read does not say how many entries there were.
            if alone.status.success() || said(&alone).contains("is not known") {
                by_itself += 1;
            } else {
                let said = said(&alone);
                ensure!(said.contains("name another mirror"), "{said}");
                let helped = node.assay_node(&["rebuild"], &["--from", &from])?;
                ensure!(helped.status.success(), "{}", self::said(&helped));
            }
            let again = node.assay_node(&["check"], &[])?;
            assert!(again.status.success(), "{}", said(&again));
            assert_whole(&mut node, &acknowledged).await?;
        }
    }
    assert!(
        found > 10 && by_itself > 3 && by_itself < found,
        "{found}, {by_itself}"
    );
    healthy.stop()
}

fn open(node: &Node) -> anyhow::Result<Rocks> {
    Ok(Rocks::open(
        &node.folder().join("data"),
        Options::default(),
    )?)
}

/// Every row of some tables.
fn rows(node: &Node, table: Table) -> anyhow::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let rows = open(node)?.range(table, &[], &[0xff; 128], usize::MAX)?;
    Ok(rows
        .into_iter()
        .map(|(key, row)| (key, row.to_vec()))
        .collect())
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_that_are_made_anew_have_the_rows_of_the_old_ones() -> anyhow::Result<()> {
    let (fixture, acknowledged) = stopped().await?;
    let mut node = Node::copy_of(&fixture.node)?;
    let rebuilt = node.assay_node(&["rebuild"], &[])?;
    assert!(rebuilt.status.success(), "{}", said(&rebuilt));
    for table in Table::ALL {
        // Segments are cut where commits ended, and pages say up to where they were written.
        if [Table::Segments, Table::IndexPages, Table::IndexParts].contains(&table) {
            continue;
        }
        let (mut before, mut after) = (rows(&fixture.node, table)?, rows(&node, table)?);
        for rows in [&mut before, &mut after] {
            rows.retain(|(key, _)| !key.starts_with(b"index_") && key != b"signed");
        }
        assert_eq!(before.len(), after.len(), "{table:?}");
        assert!(before == after, "{table:?}");
    }
    // The old ones are kept, and a second rebuild does not overwrite them.
    let again = node.assay_node(&["rebuild"], &[])?;
    assert_eq!(again.status.code(), Some(3));
    assert!(
        said(&again).contains("an earlier rebuild"),
        "{}",
        said(&again)
    );
    assert_whole(&mut node, &acknowledged).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_and_not_signed_is_kept() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(NEVER).await?;
    let acknowledged = fixture.publish(1..300, Wait::Sequenced).await?;
    fixture.node.kill()?;
    let rebuilt = fixture.node.assay_node(&["rebuild"], &[])?;
    assert!(rebuilt.status.success(), "{}", said(&rebuilt));
    fixture.run().await?;
    fixture
        .log
        .published(assay_tests::log::covering(&acknowledged))
        .await?;
    assert_all_there(&fixture.log, &acknowledged).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_folder_is_made_anew_from_a_mirror() -> anyhow::Result<()> {
    let (mut fixture, acknowledged) = stopped().await?;
    let mut healthy = Node::copy_of(&fixture.node)?;
    healthy.run()?;
    let from = healthy.ready().url.clone();
    let data = fixture.node.folder().join("data");
    fs::remove_dir_all(&data)?;
    fs::create_dir(&data)?;
    let rebuilt = fixture.node.assay_node(&["rebuild"], &["--from", &from])?;
    // All that was signed is there. Nobody knows whether there was more.
    assert_eq!(rebuilt.status.code(), Some(3));
    let words = said(&rebuilt);
    assert!(words.contains("has to publish again"), "{words}");
    assert!(words.contains("invitations were used is lost"), "{words}");
    assert_whole(&mut fixture.node, &acknowledged).await?;

    // Nobody who does not have all of it is taken at his word.
    fs::remove_dir_all(&data)?;
    fs::create_dir(&data)?;
    let other = Node::start()?;
    let from = other.ready().url.clone();
    let rebuilt = fixture.node.assay_node(&["rebuild"], &["--from", &from])?;
    assert_eq!(rebuilt.status.code(), Some(3));
    let words = said(&rebuilt);
    assert!(words.contains("nobody has the right edge"), "{words}");
    assert!(!data.join("tables").exists());
    healthy.stop()
}

/// What says of new tables that they are whole, and of the head of this stopped node.
fn done(node: &Node) -> anyhow::Result<String> {
    let config = Config::load(&node.folder().join("node.toml"))?;
    let keys = LogKeys::load(&config.log.key)?.shared();
    let signed = Signed::open(&config.log.checkpoint_file, keys)?;
    let (size, root) = (signed.last().size(), signed.last().root());
    Ok(format!("{size} {}\n", root.to_hex()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_that_was_interrupted_is_finished() -> anyhow::Result<()> {
    let (fixture, acknowledged) = stopped().await?;
    let made = Node::copy_of(&fixture.node)?;
    let rebuilt = made.assay_node(&["rebuild"], &[])?;
    assert!(rebuilt.status.success(), "{}", said(&rebuilt));
    let (old, new) = (
        fixture.node.folder().join("data"),
        made.folder().join("data"),
    );
    let of_now = done(&fixture.node)?;
    // As it is after each of the four moves, and before the first one.
    for moves in 0..=4 {
        let mut node = Node::copy_of(&fixture.node)?;
        let data = node.folder().join("data");
        let made = data.join("rebuilt");
        fs::create_dir_all(&made)?;
        fs::create_dir_all(data.join("damaged"))?;
        copy_folder(&new.join("tables"), &made.join("tables"))?;
        fs::copy(new.join("SYNCED"), made.join("SYNCED"))?;
        // What was made of an older tree is put in place only once the old tables are not there.
        let done = if (1..4).contains(&moves) {
            "older"
        } else {
            &of_now
        };
        fs::write(made.join("DONE"), done)?;
        let all = [
            (data.join("SYNCED"), data.join("damaged/SYNCED")),
            (data.join("tables"), data.join("damaged/tables")),
            (made.join("tables"), data.join("tables")),
            (made.join("SYNCED"), data.join("SYNCED")),
        ];
        for (from, to) in &all[..moves] {
            fs::rename(from, to)?;
        }
        if (1..4).contains(&moves) {
            let (status, words) = node.run_refused()?;
            assert_eq!(status.code(), Some(3), "after {moves}: {words}");
            assert!(
                words.contains("assay-node rebuild"),
                "after {moves}: {words}"
            );
        }
        let rebuilt = node.assay_node(&["rebuild"], &[])?;
        assert!(
            rebuilt.status.success(),
            "after {moves}: {}",
            said(&rebuilt)
        );
        assert!(!made.exists() && data.join("damaged/tables").exists());
        assert_whole(&mut node, &acknowledged).await?;
    }
    assert!(old.join("tables").exists());
    Ok(())
}

/// A node ran on since what lies there was made.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_of_an_older_tree_is_made_again() -> anyhow::Result<()> {
    let (fixture, acknowledged) = stopped().await?;
    let mut node = fixture.node;
    let made = node.folder().join("data/rebuilt");
    fs::create_dir_all(made.join("tables"))?;
    fs::create_dir_all(node.folder().join("data/damaged"))?;
    fs::write(made.join("DONE"), "older")?;
    let rebuilt = node.assay_node(&["rebuild"], &[])?;
    assert!(rebuilt.status.success(), "{}", said(&rebuilt));
    assert_whole(&mut node, &acknowledged).await
}

/// Checks a stopped node, and breaks off after so many pieces. Returns how many were looked at
/// before, what is damaged, and whether all was looked at.
fn check_some(node: &Node, kept: &Path, most: u64) -> anyhow::Result<(u64, Vec<String>, bool)> {
    let config = Config::load(&node.folder().join("node.toml"))?;
    let (mut first, mut damaged) = (None, Vec::new());
    // What asks mirrors ends a runtime of its own.
    let size = tokio::task::block_in_place(|| {
        operator::check(
            &config,
            Some(kept),
            &mut |what| damaged.push(what.to_owned()),
            &mut |steps| {
                let first = *first.get_or_insert(steps.done);
                if steps.done - first + 1 < most {
                    ControlFlow::Continue(())
                } else {
                    ControlFlow::Break(())
                }
            },
        )
    })?;
    Ok((first.unwrap_or(1) - 1, damaged, size.is_some()))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_check_that_is_interrupted_goes_on() -> anyhow::Result<()> {
    let (mut fixture, _) = stopped().await?;
    let kept = fixture.node.folder().join("check.json");
    let path = kept.to_str().context("not UTF-8")?;
    let sound = Node::copy_of(&fixture.node)?;
    for file in tables(&fixture.node)?.iter().take(2) {
        flip(file, fs::metadata(file)?.len() as usize / 3)?;
    }
    let (_, mut whole, is_whole) = check_some(&fixture.node, &kept, u64::MAX)?;
    assert!(is_whole && !whole.is_empty() && !kept.exists());
    let (mut parts, mut before, mut is_done) = (0, 0, false);
    let mut found = Vec::new();
    while !is_done {
        let at;
        (at, found, is_done) = check_some(&fixture.node, &kept, 3)?;
        assert_eq!(at, before, "what was looked at is not looked at again");
        assert_eq!(kept.exists(), !is_done);
        (parts, before) = (parts + 1, before + 3);
    }
    assert!(parts > 5, "{parts}");
    whole.sort();
    found.sort();
    assert_eq!(found, whole, "what an earlier part found is not forgotten");

    // Another process goes on, too, and says what was found before it.
    check_some(&fixture.node, &kept, before - 3)?;
    let rest = fixture.node.assay_node(&["check"], &["--progress", path])?;
    assert_eq!(rest.status.code(), Some(3), "{}", said(&rest));
    whole
        .iter()
        .for_each(|damaged| assert!(said(&rest).contains(damaged), "{}", said(&rest)));

    // Once another tree is signed, nothing that was looked at counts.
    restore(&fixture.node, &sound)?;
    check_some(&fixture.node, &kept, 3)?;
    fixture.run().await?;
    fixture
        .publish(CLAIMS..CLAIMS + 2, Wait::Integrated)
        .await?;
    fixture.node.stop()?;
    let (at, found, is_done) = check_some(&fixture.node, &kept, u64::MAX)?;
    assert_eq!((at, found.len(), is_done), (0, 0, true));

    fs::write(&kept, "{}")?;
    let other = fixture.node.assay_node(&["check"], &["--progress", path])?;
    assert!(
        said(&other).contains("name another file"),
        "{}",
        said(&other)
    );
    assert_eq!(fs::read(&kept)?, b"{}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_runs_says_what_is_damaged() -> anyhow::Result<()> {
    let (mut fixture, _) = stopped().await?;
    let file = tables(&fixture.node)?
        .into_iter()
        .next()
        .context("no table")?;
    fixture.run().await?;
    poll_async(async || {
        let (_, metrics) = fixture.log.admin("/metrics").await?;
        let is_done = |line: &str| line == "assay_scrub_rounds_total 1";
        Ok(metrics.lines().any(is_done).then_some(()))
    })
    .await?;
    assert_eq!(fixture.log.admin("/readyz").await?, (200, "ready\n".into()));
    fixture.node.stop()?;

    let length = fs::metadata(&file)?.len() as usize;
    flip(&file, length / 3)?;
    fixture.run().await?;
    let (code, words) = poll_async(async || {
        let (code, text) = fixture.log.admin("/readyz").await?;
        Ok((code != 200).then_some((code, text)))
    })
    .await?;
    assert_eq!(code, 503);
    for word in ["the store is damaged", "assay-node rebuild"] {
        assert!(words.contains(word), "{words}");
    }
    assert!(
        fixture
            .node
            .stderr()
            .contains("ALARM: the store is damaged")
    );
    let running = fixture.node.assay_node(&["check"], &[])?;
    assert_eq!(running.status.code(), Some(3));
    assert!(said(&running).contains("is locked"), "{}", said(&running));
    Ok(())
}

/// What is wrong with a page, and with no file, is found by its hash. A restart is enough.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_page_of_the_index_is_found_and_made_anew_by_a_restart() -> anyhow::Result<()> {
    let (mut fixture, acknowledged) = stopped().await?;
    for (key, row) in rows(&fixture.node, Table::IndexPages)?
        .into_iter()
        .step_by(5)
    {
        let mut bytes = row;
        *bytes.last_mut().context("an empty page")? ^= 1;
        let mut batch = Batch::new();
        batch.put(Table::IndexPages, key, bytes);
        open(&fixture.node)?.commit(batch)?;
    }
    let checked = fixture.node.assay_node(&["check"], &[])?;
    let words = said(&checked);
    assert_eq!(checked.status.code(), Some(3), "{words}");
    assert!(words.contains("of the index"), "{words}");

    fixture.run().await?;
    let words = poll_async(async || {
        let (code, text) = fixture.log.admin("/readyz").await?;
        Ok((code != 200).then_some(text))
    })
    .await?;
    for word in ["of the index", "restart the node"] {
        assert!(words.contains(word), "{words}");
    }
    fixture.node.stop()?;
    assert_whole(&mut fixture.node, &acknowledged).await?;
    let checked = fixture.node.assay_node(&["check"], &[])?;
    assert!(checked.status.success(), "{}", said(&checked));
    Ok(())
}

/// A rebuild knows no more than the checkpoint file says was signed, and neither would the start
/// after it: it would sign another tree of a size that was signed before.
#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_beside_an_older_checkpoint_file_is_refused() -> anyhow::Result<()> {
    let (mut fixture, acknowledged) = stopped().await?;
    let file = fixture.node.folder().join("checkpoints");
    let older = fs::read(&file)?;
    fixture.node.run()?;
    let log = Log::connect(fixture.node.ready()).await?;
    // The tables know what was signed when the last of them was written.
    for number in CLAIMS..CLAIMS + 2 {
        let claim = fixture.issuer.claim(number);
        log.publish(claim, Wait::Integrated).await?;
    }
    fixture.node.stop()?;
    let newer = fs::read(&file)?;
    fs::write(&file, older)?;
    for command in ["check", "rebuild"] {
        let refused = fixture.node.assay_node(&[command], &[])?;
        assert_eq!(refused.status.code(), Some(3), "{}", said(&refused));
        let words = "the file lost its end, or an older copy of it was put back";
        assert!(said(&refused).contains(words), "{}", said(&refused));
    }
    fs::write(&file, newer)?;
    let whole = fixture.node.assay_node(&["check"], &[])?;
    assert!(whole.status.success(), "{}", said(&whole));
    assert_whole(&mut fixture.node, &acknowledged).await
}
