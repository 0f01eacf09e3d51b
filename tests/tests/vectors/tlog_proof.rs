//! Proofs in the format of C2SP tlog-proof: whole ones over a real log, under `valid/` and
//! `invalid/`, and the format alone.
//!
//! `valid/` proves entries of a log whose key is in a `.vkey` file. The entries are those of the
//! logs in `tlog-tiles/`, and those that SOURCES.md names in its rows as "entry is `…`".

use super::tlog_tiles;
use assay_tests::data;
use assay_tlog::Hash;
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::VerifierKey;
use assay_tlog::tlog_proof::{TlogProof, TlogProofError, VerifiedInclusion};
use assay_tlog::tree::LeafIndex;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[derive(Deserialize)]
struct Format {
    #[serde(default)]
    marshal: Vec<Marshal>,
    #[serde(default)]
    parse_errors: Vec<Malformed>,
    /// Anything but text would be vectors that are not looked at.
    #[serde(flatten)]
    _remarks: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Marshal {
    fields: Fields,
    text: String,
}

#[derive(Deserialize)]
struct Fields {
    index: u64,
    hashes: Vec<String>,
    extra_b64: Option<String>,
    checkpoint: String,
}

#[derive(Deserialize)]
struct Malformed {
    name: String,
    text: String,
}

fn is(path: &Path, extension: &str) -> bool {
    path.extension().is_some_and(|found| found == extension)
}

/// The entries that the proofs may be about, each once.
fn entries(folder: &Path) -> BTreeSet<Vec<u8>> {
    let tiles = data::require("tlog-tiles");
    let logged = tiles
        .iter()
        .flat_map(|tiles| tlog_tiles::logs(tiles))
        .flat_map(|log| log.entries());
    let sources = data::read_text(&folder.join("SOURCES.md"));
    let named = sources
        .split("entry is `")
        .skip(1)
        .filter_map(|rest| rest.split_once('`'));
    logged
        .chain(named.map(|(entry, _)| entry.as_bytes().to_vec()))
        .collect()
}

/// Whether a proof holds for any of the entries: those of `valid/` each do for one.
fn verify(
    proof: &Path,
    leaves: &[Hash],
    keys: &[VerifierKey],
) -> Result<VerifiedInclusion, TlogProofError> {
    let parsed = TlogProof::parse(&data::read(proof))?;
    assert_eq!(
        parsed.to_string().as_bytes(),
        data::read(proof),
        "{} has another spelling",
        proof.display()
    );
    let mut outcome = None;
    for (leaf, key) in leaves
        .iter()
        .flat_map(|leaf| keys.iter().map(move |key| (leaf, key)))
    {
        let verified = parsed.verify(leaf, key);
        if verified.is_ok() {
            return verified;
        }
        outcome = Some(verified);
    }
    outcome.expect("at least one entry and one key")
}

#[test]
fn valid_proofs_hold_for_their_entry_alone_and_invalid_ones_for_none() {
    let Some(folder) = data::require("tlog-proof") else {
        return;
    };
    let leaves: Vec<Hash> = entries(&folder)
        .iter()
        .map(|entry| leaf_hash(entry))
        .collect();
    let files = data::files(&folder);
    let keys: Vec<VerifierKey> = files
        .iter()
        .filter(|path| is(path, "vkey"))
        .map(|path| tlog_tiles::key(path))
        .collect();

    let (mut held, mut refused) = (0, 0);
    for path in files
        .iter()
        .filter(|path| !is(path, "vkey") && !is(path, "json"))
    {
        let kind = path
            .parent()
            .and_then(Path::file_name)
            .and_then(|name| name.to_str());
        match kind {
            Some("valid") => {
                let verified = verify(path, &leaves, &keys)
                    .unwrap_or_else(|e| panic!("{}: {e:?}", path.display()));
                let others: Vec<Hash> = leaves
                    .iter()
                    .filter(|leaf| **leaf != verified.leaf_hash())
                    .copied()
                    .collect();
                assert!(
                    verify(path, &others, &keys).is_err(),
                    "{} holds for two entries",
                    path.display()
                );
                held += 1;
            }
            Some("invalid") => {
                let outcome = verify(path, &leaves, &keys);
                assert!(outcome.is_err(), "{} should not verify", path.display());
                refused += 1;
            }
            _ => panic!("{} is neither valid nor invalid", path.display()),
        }
    }
    println!("tlog-proof: {held} proofs hold, {refused} are refused");
    assert!(held + refused > 0);
}

#[test]
fn the_format_is_written_and_read_as_others_do() {
    let Some(folder) = data::require("tlog-proof") else {
        return;
    };
    let formats: Vec<Format> = data::files(&folder)
        .iter()
        .filter(|path| is(path, "json"))
        .map(|path| data::read_json(path))
        .collect();
    let decode = |text: &String| BASE64_STANDARD.decode(text).expect("base64");
    let mut count = 0;
    for vector in formats.iter().flat_map(|format| &format.marshal) {
        let Fields {
            index,
            hashes,
            extra_b64,
            checkpoint,
        } = &vector.fields;
        let path = hashes
            .iter()
            .map(|hash| Hash::from_slice(&decode(hash)).expect("32 bytes"))
            .collect();
        let extra = extra_b64
            .as_ref()
            .map(decode)
            .filter(|extra| !extra.is_empty());
        let proof = TlogProof {
            extra,
            index: LeafIndex::new(*index),
            path,
            checkpoint: checkpoint.clone(),
        };
        assert_eq!(proof.to_string(), vector.text);
        assert_eq!(TlogProof::parse(vector.text.as_bytes()), Ok(proof));
        count += 1;
    }
    for vector in formats.iter().flat_map(|format| &format.parse_errors) {
        let parsed = TlogProof::parse(vector.text.as_bytes());
        assert!(parsed.is_err(), "{}: {parsed:?}", vector.name);
        count += 1;
    }
    println!("tlog-proof: {count} texts");
    assert!(count > 0);
}
