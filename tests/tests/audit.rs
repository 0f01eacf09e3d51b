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
use std::{ops::Range, process::Output, thread};

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

/// The entries of an honest log.
fn honest() -> anyhow::Result<Vec<Bytes>> {
    let issuer = Actor::new(&[1], 1);
    let mut claims = [issuer.registration()?]
        .into_iter()
        .chain(claims(&issuer, 0..ENTRIES)?);
    let mut index = Rebuilt::default();
    let mut entries = Vec::new();
    for leaf in 0..ENTRIES {
        let time = STARTED_MS + leaf;
        let entry = if leaf.is_multiple_of(PERIOD) || leaf == ENTRIES - 1 {
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
    let (folder, home) = (tempfile::tempdir()?, tempfile::tempdir()?);
    site::write(folder.path(), entries, key)?;
    let server = StaticHttp::serve(folder.path())?;
    let vkey = key.verifier().to_string();
    assay(
        home.path(),
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
    let mut entries = honest()?;
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
