//! Receipts: the two files of a claim, and those of the records that it rests on (docs/design.md
//! 3.6).

use super::{Reads, asked, call, not_yet, sent::Sent};
use crate::api::{index::WHOLE_BYTES, serve::Peer};
use crate::held::{Hold, Kind};
use crate::storage::Tables;
use assay_claims::entry::Entry;
use assay_claims::receipt::to_files;
use assay_proto::v1::{
    GetEntryAndProofRequest, GetEntryAndProofResponse, GetIssuerRequest,
    get_entry_and_proof_request::Leaf, log_service_server::LogService,
};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use bytes::Bytes;
use serde::Serialize;
use std::collections::BTreeSet;
use tonic::{Code, Status};

/// What the names of the two files end with.
const ENVELOPE: &str = ".intoto.jsonl";
const PROOF: &str = ".tlog-proof";

/// The two files of a claim.
#[derive(Serialize)]
struct Files {
    claim: String,
    envelope: String,
    proof: String,
}

/// A claim's receipt, and those of the records of its issuers.
#[derive(Serialize)]
struct Receipt {
    #[serde(flatten)]
    files: Files,
    issuers: Vec<Files>,
}

/// Whether one of the two files is asked for.
pub fn is_file(id: &str) -> bool {
    id.ends_with(ENVELOPE) || id.ends_with(PROOF)
}

fn unmade(error: impl std::error::Error) -> Status {
    let error = crate::reason::with_causes(&error);
    tracing::error!(error, "no receipt can be made");
    Status::internal("this node cannot make this receipt; its operator was told")
}

/// The files of an entry, under a checkpoint.
fn files(
    id: String,
    entry: &Entry,
    proven: &GetEntryAndProofResponse,
    note: &str,
) -> Result<Files, Status> {
    let (hashes, _) = proven.hashes.as_chunks::<{ Hash::LEN }>();
    let path: Vec<Hash> = hashes.iter().copied().map(Hash::new).collect();
    let index = LeafIndex::new(proven.leaf_index);
    let (envelope, proof) = to_files(entry, index, &path, note).map_err(unmade)?;
    Ok(Files {
        claim: id,
        envelope,
        proof,
    })
}

impl<S: Tables + 'static> Reads<S> {
    /// One of the two files.
    pub(super) async fn receipt_file(&self, name: &str, peer: &Peer) -> Result<Sent, Status> {
        let envelope = name.strip_suffix(ENVELOPE);
        let id = envelope.or(name.strip_suffix(PROOF)).unwrap_or(name);
        let id = asked::claim(id)?;
        let leaf = Leaf::ClaimId(Bytes::copy_from_slice(id.as_bytes()));
        let mut room = peer.account.hold(Kind::Prepared, 0).await?;
        let proven = self.proven(leaf, 0, peer, &mut room).await?;
        let entry = Entry::parse(proven.entry.clone()).map_err(unmade)?;
        let files = files(id.to_string(), &entry, &proven, &proven.checkpoint)?;
        if envelope.is_some() {
            return Sent::held("application/jsonl", files.envelope.into(), peer).await;
        }
        Sent::held("text/plain; charset=utf-8", files.proof.into(), peer).await
    }

    /// All files, in JSON.
    pub(super) async fn receipt(&self, id: &str, peer: &Peer) -> Result<Sent, Status> {
        let id = asked::claim(id)?;
        let leaf = Leaf::ClaimId(Bytes::copy_from_slice(id.as_bytes()));
        let mut room = peer.account.hold(Kind::Prepared, 0).await?;
        let proven = self.proven(leaf, 0, peer, &mut room).await?;
        let entry = Entry::parse(proven.entry.clone()).map_err(unmade)?;
        let note = &proven.checkpoint;
        let mut receipt = Receipt {
            files: files(id.to_string(), &entry, &proven, note)?,
            issuers: Vec::new(),
        };
        let mut bytes = 0;
        for leaf in self.records(&entry, proven.leaf_index, peer).await? {
            let record = Leaf::LeafIndex(leaf);
            let record = self.proven(record, proven.tree_size, peer, &mut room);
            let record = record.await?;
            bytes += record.entry.len() + record.hashes.len() + note.len();
            if bytes > WHOLE_BYTES {
                let message = "the records of its issuers are too many to come at once: read them \
                               by claim";
                return Err(Status::out_of_range(message));
            }
            let entry = Entry::parse(record.entry.clone()).map_err(unmade)?;
            let payload = &entry.claim().map_err(unmade)?.payload;
            let id = assay_claims::claim::ClaimId::of_payload(payload).to_string();
            receipt.issuers.push(files(id, &entry, &record, note)?);
        }
        let body = serde_json::to_vec(&receipt).map_err(unmade)?;
        Sent::held("application/json", body.into(), peer).await
    }

    /// An entry with its proof, for which room is taken thrice: what is made of it takes as much
    /// again, and is written once more.
    async fn proven(
        &self,
        leaf: Leaf,
        tree_size: u64,
        peer: &Peer,
        room: &mut Hold,
    ) -> Result<GetEntryAndProofResponse, Status> {
        let leaf = Some(leaf);
        let request = call(GetEntryAndProofRequest { leaf, tree_size }, peer);
        let proven = self.log.get_entry_and_proof(request).await;
        let proven = proven.map_err(not_yet)?.into_inner();
        let bytes = proven.entry.len() + proven.hashes.len() + proven.checkpoint.len();
        room.grow(3 * bytes).await?;
        Ok(proven)
    }

    /// The records before a leaf of the issuers that signed its entry, ascending. Later ones say
    /// nothing about it (docs/design.md 3.4).
    async fn records(
        &self,
        entry: &Entry,
        before: u64,
        peer: &Peer,
    ) -> Result<BTreeSet<u64>, Status> {
        let signatures = &entry.claim().map_err(unmade)?.signatures;
        let ids: BTreeSet<Bytes> = signatures.iter().map(|it| it.issuer_id.clone()).collect();
        let mut leaves = BTreeSet::new();
        for issuer_id in ids {
            match self
                .log
                .get_issuer(call(GetIssuerRequest { issuer_id }, peer))
                .await
            {
                Ok(records) => {
                    let records = records.into_inner().records;
                    leaves.extend(records.iter().map(|it| it.leaf_index));
                }
                // In an open log, an issuer may be a key and no more.
                Err(error) if error.code() == Code::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        leaves.retain(|leaf| *leaf < before);
        Ok(leaves)
    }
}
