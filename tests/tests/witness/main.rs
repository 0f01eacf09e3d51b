//! A real witness process over TCP: what it answers, and what it is like after it was stopped.
//!
//! What it signs is verified by core, with the keys that `init` printed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test reports by panicking"
)]

mod clocks;
mod convicted;
mod cosigning;
mod held;
mod liars;
mod lists;
mod log;
mod operator;
mod peers;
mod quota;
mod restart;
mod slow_disk;
mod table;

use assay_tests::witness::{Said, Witness};
use assay_tlog::cosigner::{CosignedHead, CosignerVerifier};
use assay_tlog::note::VerifierKey;

const ORIGIN: &str = "log.example/a";
const TEXT: &str = "text/plain; charset=utf-8";

fn said(status: u16, headers: &[(&str, &str)], body: &str) -> Said {
    let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Said {
        status,
        headers: headers.iter().map(owned).collect(),
        body: body.to_owned(),
    }
}

fn text(status: u16, body: &str) -> Said {
    said(status, &[("content-type", TEXT)], body)
}

/// The answer to a request with another old size than the witness has.
fn size(size: u64) -> Said {
    let kind = [("content-type", "text/x.tlog.size")];
    said(409, &kind, &format!("{size}\n"))
}

/// What a note with cosignatures states, which both keys of the witness made at one time.
fn cosigned(witness: &Witness, note: &str) -> (CosignedHead, u64) {
    let keys = witness.ready().unwrap().vkeys.iter();
    let keys = keys.map(|key| VerifierKey::parse(key).unwrap()).collect();
    let head = CosignerVerifier::new(keys).unwrap().verify(note).unwrap();
    let times: Vec<u64> = head.statements().iter().map(|said| said.at).collect();
    assert_eq!(times.len(), 2, "one line for each key");
    assert_eq!(times[0], times[1]);
    (head, times[0])
}
