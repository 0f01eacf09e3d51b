//! `assay audit` of a large log in which a single commitment to the index is wrong, and nothing
//! else: every claim verifies, every tile and the signed root follow from the entries, and every
//! other commitment is right.

use anyhow::{Context, ensure};
use assay_claims::entry::wire::Claim;
use assay_claims::entry::{self, Entry};
use assay_claims::index::Commitment;
use assay_tests::{index::Rebuilt, issuer::Actor, process::assay, site, static_http::StaticHttp};
use assay_tlog::note::SignerKey;
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use std::{ops::Range, path::Path, process::Output, thread};

const ENTRIES: u64 = 100_000;

/// A commitment at every so many leaves. It is no multiple of what a bundle holds.
const PERIOD: u64 = 499;

/// The leaf of the wrong one, in the middle.
const WRONG: u64 = 100 * PERIOD;

const STARTED_MS: u64 = 1_767_225_600_000;

/// Claims of one issuer, signed on all cores.
fn claims(issuer: &Actor, numbers: Range<u64>) -> anyhow::Result<Vec<Claim>> {
    let cores = thread::available_parallelism()?.get() as u64;
    let share = (numbers.end - numbers.start).div_ceil(cores);
    thread::scope(|scope| {
        let workers: Vec<_> = (0..cores)
            .map(|core: u64| {
                let start = (numbers.start + core * share).min(numbers.end);
                let end = (start + share).min(numbers.end);
                scope.spawn(move || {
                    (start..end)
                        .map(|number| issuer.claim(number))
                        .collect::<Vec<_>>()
                })
            })
            .collect();
        let signed = workers
            .into_iter()
            .map(|worker| worker.join().ok().context("a signer panicked"));
        Ok(signed.collect::<anyhow::Result<Vec<_>>>()?.concat())
    })
}

/// The entries of an honest log of this size.
fn honest(size: u64) -> anyhow::Result<Vec<Bytes>> {
    let issuer = Actor::new(&[1], 1);
    let mut claims = [issuer.registration()?]
        .into_iter()
        .chain(claims(&issuer, 0..size)?);
    let mut index = Rebuilt::default();
    let mut entries = Vec::new();
    for leaf in 0..size {
        let time = STARTED_MS + leaf;
        let entry = if leaf.is_multiple_of(PERIOD) || leaf == size - 1 {
            entry::encode(time, index.next_commitment()?.to_wire())?
        } else {
            entry::encode(time, claims.next().context("there are claims enough")?)?
        };
        index.add(&Entry::parse(entry.clone())?)?;
        entries.push(entry);
    }
    Ok(entries)
}

/// Serves these entries as a log signed by `key`, and audits it as somebody who never saw it.
fn audit(entries: &[Bytes], key: &SignerKey, options: &[&str]) -> anyhow::Result<Output> {
    audit_from(tempfile::tempdir()?.path(), entries, key, options)
}

/// The same, as the person whose home this is, and who may have seen the log before.
fn audit_from(
    home: &Path,
    entries: &[Bytes],
    key: &SignerKey,
    options: &[&str],
) -> anyhow::Result<Output> {
    let folder = tempfile::tempdir()?;
    site::write(folder.path(), entries, key)?;
    let server = StaticHttp::serve(folder.path())?;
    let vkey = key.verifier().to_string();
    assay(
        home,
        &[&["audit", &server.url(), "--log-key", &vkey], options].concat(),
    )
}

fn said(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn one_wrong_commitment_among_a_hundred_thousand_entries_is_found() -> anyhow::Result<()> {
    let key = SignerKey::from_seed("audited.assay.example/log", &[3; 32])?;
    let mut entries = honest(ENTRIES)?;
    let output = audit(&entries, &key, &[])?;
    ensure!(
        output.status.code() == Some(0),
        "the honest log: {}",
        said(&output)
    );
    ensure!(
        said(&output).contains("every commitment agrees"),
        "{}",
        said(&output)
    );

    ensure!(
        said(&output).contains("open  what came after 2026-01-01T00:01:39Z"),
        "{}",
        said(&output)
    );

    // What a log says that hides all claims since the commitment before.
    let at = |leaf: u64| Entry::parse(entries[leaf as usize].clone());
    let older = WRONG - PERIOD;
    let older = Commitment::of_entry(&at(older)?, LeafIndex::new(older))?;
    ensure!(Commitment::of_entry(&at(WRONG)?, LeafIndex::new(WRONG))? != older);
    entries[WRONG as usize] = entry::encode(STARTED_MS + WRONG, older.to_wire())?;

    let output = audit(&entries, &key, &["--hashes-only"])?;
    ensure!(
        output.status.code() == Some(0),
        "the tree is in order: {}",
        said(&output)
    );
    let output = audit(&entries, &key, &[])?;
    ensure!(
        output.status.code() == Some(4),
        "{:?}: {}",
        output.status,
        said(&output)
    );
    let words = format!("the index commitment at leaf {WRONG} is wrong");
    ensure!(said(&output).contains(&words), "{}", said(&output));
    Ok(())
}

/// A log that was put back is neither one that was never seen nor one that the caller asked for
/// wrongly: it is told as by every other command.
#[test]
fn a_log_that_was_put_back_is_told_from_one_that_was_never_seen() -> anyhow::Result<()> {
    let key = SignerKey::from_seed("audited.assay.example/log", &[3; 32])?;
    let (entries, home) = (honest(107)?, tempfile::tempdir()?);
    let run = |size: usize, options: &[&str]| {
        let options = [&["--hashes-only"], options].concat();
        audit_from(home.path(), &entries[..size], &key, &options)
    };
    let first = run(107, &[])?;
    ensure!(first.status.code() == Some(0), "{}", said(&first));
    ensure!(
        said(&first).contains("none was seen before"),
        "{}",
        said(&first)
    );
    let back = run(54, &[])?;
    ensure!(back.status.code() == Some(3), "{}", said(&back));
    for words in [
        "an older head, of size 54",
        "of size 107",
        "a head of size 107 was seen",
    ] {
        ensure!(said(&back).contains(words), "{words}: {}", said(&back));
    }
    ensure!(!said(&back).contains("none was seen"), "{}", said(&back));
    let json = run(54, &["--output", "json"])?;
    ensure!(
        said(&json).contains("\"behind_seen\": 107"),
        "{}",
        said(&json)
    );
    // What was seen stays so: the same again is told again, and the whole log goes on.
    let again = run(107, &[])?;
    ensure!(again.status.code() == Some(0), "{}", said(&again));
    ensure!(
        said(&again).contains("extends the head of size 107"),
        "{}",
        said(&again)
    );
    Ok(())
}
