//! Receipts: the two files of a claim, and those of the records that it rests on (docs/design.md
//! 3.6).

use super::{Reads, asked, call, not_yet, sent::Sent};
use crate::api::{index::WHOLE_BYTES, peer::Peer};
use crate::held::{Hold, Kind, NoRoom};
use crate::storage::Tables;
use assay_claims::claim::ClaimId;
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

/// What is answered where another leaf is named than one of the claim.
const ELSEWHERE: &str = "this claim is not at that leaf";

/// A leaf beyond what is published is no claim of which one waits for the next checkpoint. What
/// passes, such as a lack of room, says nothing about the leaf.
fn elsewhere(error: Status) -> Status {
    match error.code() {
        Code::OutOfRange => Status::not_found(ELSEWHERE),
        _ => error,
    }
}

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

/// Room with which a receipt is made: what it takes as it is made, and if there is none at once,
/// then once more, with room for the longest one. Meanwhile nothing is kept: receipts that each
/// have a part would wait for each other.
const TRIES: [usize; 2] = [0, 3 * (WHOLE_BYTES + (256 << 10))];

/// Room that a receipt takes as it is made.
struct Room {
    hold: Hold,
    /// What was taken before, and what of that is used.
    reserved: usize,
    used: usize,
}

impl Room {
    async fn new(peer: &Peer, reserved: usize) -> Result<Self, NoRoom> {
        Ok(Room {
            hold: peer.account.hold(Kind::Prepared, reserved).await?,
            reserved,
            used: 0,
        })
    }

    /// Takes so many bytes more. Returns false if there is no room for them at once.
    fn take(&mut self, bytes: usize) -> bool {
        self.used += bytes;
        self.used <= self.reserved || self.hold.resize(self.used)
    }
}

impl<S: Tables + 'static> Reads<S> {
    /// One of the two files.
    pub(super) async fn receipt_file(
        &self,
        name: &str,
        leaf: Option<u64>,
        peer: &Peer,
    ) -> Result<Sent, Status> {
        let envelope = name.strip_suffix(ENVELOPE);
        let id = envelope.or(name.strip_suffix(PROOF)).unwrap_or(name);
        let id = asked::claim(id)?;
        for reserved in TRIES {
            let mut room = Room::new(peer, reserved).await?;
            let Some((proven, entry)) = self.claim(&id, leaf, peer, &mut room).await? else {
                continue;
            };
            let files = files(id.to_string(), &entry, &proven, &proven.checkpoint)?;
            return match envelope {
                Some(_) => Sent::held("application/jsonl", files.envelope.into(), peer).await,
                None => Sent::held("text/plain; charset=utf-8", files.proof.into(), peer).await,
            };
        }
        Err(NoRoom.into())
    }

    /// All files, in JSON.
    pub(super) async fn receipt(
        &self,
        id: &str,
        leaf: Option<u64>,
        peer: &Peer,
    ) -> Result<Sent, Status> {
        let id = asked::claim(id)?;
        for reserved in TRIES {
            let mut room = Room::new(peer, reserved).await?;
            if let Some(receipt) = self.all_files(&id, leaf, peer, &mut room).await? {
                let body = serde_json::to_vec(&receipt).map_err(unmade)?;
                return Sent::held("application/json", body.into(), peer).await;
            }
        }
        Err(NoRoom.into())
    }

    /// All files. `None` if there is no room at once for one of them.
    async fn all_files(
        &self,
        id: &ClaimId,
        leaf: Option<u64>,
        peer: &Peer,
        room: &mut Room,
    ) -> Result<Option<Receipt>, Status> {
        let Some((proven, entry)) = self.claim(id, leaf, peer, room).await? else {
            return Ok(None);
        };
        let note = &proven.checkpoint;
        let mut receipt = Receipt {
            files: files(id.to_string(), &entry, &proven, note)?,
            issuers: Vec::new(),
        };
        let mut bytes = 0;
        for leaf in self.records(&entry, proven.leaf_index, peer).await? {
            let leaf = Leaf::LeafIndex(leaf);
            let Some(record) = self.proven(leaf, proven.tree_size, peer, room).await? else {
                return Ok(None);
            };
            // An issuer can have changed its keys a thousand times: others are served in between.
            tokio::task::yield_now().await;
            bytes += record.entry.len() + record.hashes.len() + note.len();
            if bytes > WHOLE_BYTES {
                let message = "the records of its issuers are too many to come at once: read them \
                               by claim";
                return Err(Status::out_of_range(message));
            }
            let entry = Entry::parse(record.entry.clone()).map_err(unmade)?;
            let payload = &entry.claim().map_err(unmade)?.payload;
            let id = ClaimId::of_payload(payload).to_string();
            receipt.issuers.push(files(id, &entry, &record, note)?);
        }
        Ok(Some(receipt))
    }

    /// A claim with its proof: the one at a leaf, if one is named, and else the first. Whoever
    /// signs the same statement makes a claim of the same id at another leaf. `None` if there is no
    /// room at once.
    async fn claim(
        &self,
        id: &ClaimId,
        leaf: Option<u64>,
        peer: &Peer,
        room: &mut Room,
    ) -> Result<Option<(GetEntryAndProofResponse, Entry)>, Status> {
        let by_id = Leaf::ClaimId(Bytes::copy_from_slice(id.as_bytes()));
        let proven = match leaf {
            None => {
                let proven = self.proven(by_id, 0, peer, room).await;
                proven.map_err(not_yet)?
            }
            Some(leaf) => {
                let proven = self.proven(Leaf::LeafIndex(leaf), 0, peer, room).await;
                proven.map_err(elsewhere)?
            }
        };
        let Some(proven) = proven else {
            return Ok(None);
        };
        let entry = Entry::parse(proven.entry.clone()).map_err(unmade)?;
        let is_it = |payload| ClaimId::of_payload(payload) == *id;
        if leaf.is_some() && !entry.claim().is_ok_and(|claim| is_it(&claim.payload)) {
            return Err(Status::not_found(ELSEWHERE));
        }
        Ok(Some((proven, entry)))
    }

    /// An entry with its proof, for which room is taken thrice: what is made of it takes as much
    /// again, and is written once more. `None` if there is no room at once.
    async fn proven(
        &self,
        leaf: Leaf,
        tree_size: u64,
        peer: &Peer,
        room: &mut Room,
    ) -> Result<Option<GetEntryAndProofResponse>, Status> {
        let leaf = Some(leaf);
        let request = call(GetEntryAndProofRequest { leaf, tree_size }, peer);
        let proven = self.log.get_entry_and_proof(request).await;
        let proven = proven?.into_inner();
        let bytes = proven.entry.len() + proven.hashes.len() + proven.checkpoint.len();
        Ok(room.take(3 * bytes).then_some(proven))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::held::{Held, Limits};
    use std::time::Duration;

    const MIB: u64 = 1 << 20;

    #[test]
    fn only_a_leaf_that_is_not_there_is_another_one() {
        let beyond = elsewhere(Status::out_of_range("the tree has 7"));
        assert_eq!(beyond.code(), Code::NotFound);
        for passing in [Status::from(NoRoom), Status::unavailable("no view yet")] {
            let code = passing.code();
            assert_eq!(elsewhere(passing).code(), code);
        }
    }

    #[tokio::test]
    async fn receipts_that_each_have_a_part_do_not_wait_for_each_other() {
        let held = Held::new(Limits {
            bytes: 5 * 8 * MIB,
            connections: 64,
            stall: Duration::from_secs(60),
            shared: Vec::new(),
        });
        let address = "192.0.2.1:1".parse().unwrap();
        let peer = Peer {
            address,
            account: held.connection(address.ip()),
        };
        let half = MIB as usize / 2;
        let mut one = Room::new(&peer, TRIES[0]).await.unwrap();
        let mut other = Room::new(&peer, TRIES[0]).await.unwrap();
        assert!(one.take(half) && other.take(half));
        // A connection has a megabyte: neither gets more, and both are told at once.
        assert!(!one.take(half) && !other.take(half));
        drop((one, other));
        assert_eq!(held.bytes(), 0);
        // What was reserved is enough for all that a receipt may have.
        let mut whole = Room::new(&peer, TRIES[1]).await.unwrap();
        assert!((0..3).all(|_| whole.take(WHOLE_BYTES)));
    }
}
