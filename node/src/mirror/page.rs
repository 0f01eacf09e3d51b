//! What a mirror says of itself at `GET /federation.json`.

use super::shelf::Shelf;
use crate::{
    audit::Copies,
    config::MIRRORED_LOGS as LOGS,
    peers::{PEERS, page::Part},
    storage::Tables,
};
use arc_swap::ArcSwap;
use assay_proto::federation_page::{CopyPart, CosignerPart};
use assay_tlog::witness::WitnessKeys;
use std::sync::Arc;

/// What is public of a mirror and of its copies.
pub(super) fn of(
    keys: Arc<ArcSwap<WitnessKeys>>,
    shelf: Arc<Shelf<impl Tables + 'static>>,
    copies: Copies,
) -> Part<(CosignerPart, Vec<CopyPart>)> {
    Arc::new(move || {
        let mirror = of_mirror(&keys.load(), &shelf);
        (mirror, of_copies(&shelf, &copies))
    })
}

/// What is public of a mirror.
fn of_mirror(keys: &WitnessKeys, shelf: &Shelf<impl Tables + 'static>) -> CosignerPart {
    CosignerPart {
        name: keys.name().to_owned(),
        vkeys: keys.verifiers().iter().map(ToString::to_string).collect(),
        submission: None,
        monitoring: "/mirror".to_owned(),
        logs: shelf.count() as u64,
        capacity: (LOGS + PEERS) as u64,
    }
}

/// How the audit of each copy is.
fn of_copies(shelf: &Shelf<impl Tables + 'static>, copies: &Copies) -> Vec<CopyPart> {
    let logs = shelf.logs();
    let parts = logs.iter().map(|(digest, log)| {
        let mut part = CopyPart {
            origin: log.log.origin().to_owned(),
            audit: "not audited".to_owned(),
            ..CopyPart::default()
        };
        if let Some(audited) = copies.log(digest) {
            let status = audited.status.load();
            status.state.name().clone_into(&mut part.audit);
            part.audited = status.audited;
            part.breach = status.breach.as_ref().map(|breach| breach.id.to_hex());
            let verifier = status.breach.as_ref().and_then(|breach| breach.verifier);
            part.verifier = verifier.map(str::to_owned);
        }
        part
    });
    let mut parts: Vec<CopyPart> = parts.collect();
    parts.sort_by(|a, b| a.origin.cmp(&b.origin));
    parts
}
