//! A node as a consumer sees it who trusts nobody: what is returned here was verified by core, from
//! the log's key up.
//!
//! It speaks to the node by the generated client and plain HTTP, without the project's own client
//! library, so that the two cannot hide each other's faults.

use crate::{index::Rebuilt, issuer::Actor, process::Ready};
use anyhow::{Context, bail, ensure};
use assay_claims::claim::ClaimId;
use assay_claims::entry::{Entry, wire};
use assay_proto::v1::{
    GetCheckpointRequest, GetConsistencyProofRequest, GetEntryAndProofRequest,
    GetInclusionProofRequest, LookupPrefixRequest, PublishItem, PublishRequest, PublishResponse,
    PublishStreamRequest, StreamEntriesRequest, Wait, get_entry_and_proof_request,
    get_inclusion_proof_request, index_service_client::IndexServiceClient,
    log_service_client::LogServiceClient, publish_result,
};
use assay_tlog::Hash;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::{
    Frontier, LeafIndex, Resource, TileIndex, TilePath, TreeSize, bundle, split_hashes,
    verify_consistency, verify_inclusion,
};
use bytes::Bytes;
use futures::stream;
use std::{
    collections::HashMap,
    ops::Range,
    time::{Duration, Instant},
};
use tonic::{Status, metadata::AsciiMetadataValue, transport::Channel};

/// Longest time that a checkpoint may take to come. It needs a hundredth of it.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection to a node.
#[derive(Clone)]
pub struct Log {
    /// The generated client.
    pub service: LogServiceClient<Channel>,
    /// The same for look-ups.
    pub index: IndexServiceClient<Channel>,
    /// The log's key.
    pub key: VerifierKey,
    ready: Ready,
    http: reqwest::Client,
}

/// Which leaf is meant.
#[derive(Debug, Clone, Copy)]
pub enum Leaf {
    /// By its place.
    Index(u64),
    /// By the claim in it.
    Claim(ClaimId),
    /// By its hash.
    Hash(Hash),
}

/// An entry that was proven to be in the tree of a checkpoint.
#[derive(Debug, Clone)]
pub struct Proven {
    /// The entry.
    pub entry: Entry,
    /// Its place.
    pub index: u64,
    /// The latest checkpoint when it was asked for.
    pub checkpoint: VerifiedCheckpoint,
}

/// A log that was derived again from its published entries.
pub struct Rederived {
    /// Leaf hashes, in order.
    pub leaves: Vec<Hash>,
    /// The index of its entries, to which every commitment in it and the one at its end were found
    /// to be.
    pub index: Rebuilt,
    /// The checkpoint that they add up to.
    pub checkpoint: VerifiedCheckpoint,
}

impl Rederived {
    /// The roots of the tree at some sizes, computed from the leaves. Sizes beyond the log have
    /// none.
    pub fn roots(&self, sizes: &[u64]) -> HashMap<u64, Hash> {
        let mut sizes: Vec<u64> = sizes
            .iter()
            .copied()
            .filter(|size| *size <= self.leaves.len() as u64)
            .collect();
        sizes.sort_unstable();
        let mut frontier = Frontier::new();
        let mut roots = HashMap::new();
        for size in sizes {
            frontier.append(&self.leaves[frontier.size().get() as usize..size as usize]);
            roots.insert(size, frontier.root());
        }
        roots
    }
}

impl Log {
    /// Connects to a node that runs.
    pub async fn connect(ready: &Ready) -> anyhow::Result<Self> {
        Ok(Log {
            service: LogServiceClient::connect(ready.url.clone()).await?,
            index: IndexServiceClient::connect(ready.url.clone()).await?,
            key: VerifierKey::parse(&ready.vkey)?,
            ready: ready.clone(),
            http: reqwest::Client::new(),
        })
    }

    /// Publishes one claim.
    pub async fn publish(&self, claim: wire::Claim, wait: Wait) -> Result<PublishResponse, Status> {
        let request = PublishRequest {
            claim: Some(claim),
            wait: wait.into(),
        };
        self.service
            .clone()
            .publish(request)
            .await
            .map(tonic::Response::into_inner)
    }

    /// Publishes one claim, with the token that invites its issuer.
    pub async fn publish_invited(
        &self,
        claim: wire::Claim,
        token: &'static str,
    ) -> Result<PublishResponse, Status> {
        let mut request = tonic::Request::new(PublishRequest {
            claim: Some(claim),
            wait: Wait::Integrated.into(),
        });
        let token = AsciiMetadataValue::from_static(token);
        request
            .metadata_mut()
            .insert(assay_proto::INVITATION, token);
        let answer = self.service.clone().publish(request).await;
        answer.map(tonic::Response::into_inner)
    }

    /// Publishes the claims of an issuer with these numbers over one stream. Fails if one of them
    /// is refused or was there before.
    pub async fn publish_many(&self, issuer: &Actor, numbers: Range<u64>) -> anyhow::Result<()> {
        let expected = numbers.end - numbers.start;
        let claims: Vec<_> = numbers
            .map(|id| PublishItem {
                id,
                claim: Some(issuer.claim(id)),
            })
            .collect();
        let messages: Vec<_> = claims
            .chunks(64)
            .map(|items| PublishStreamRequest {
                wait: Wait::Sequenced.into(),
                items: items.to_vec(),
            })
            .collect();
        let mut answers = self
            .service
            .clone()
            .publish_stream(stream::iter(messages))
            .await?
            .into_inner();
        let mut done = 0;
        while let Some(answer) = answers.message().await? {
            for result in answer.results {
                match result.result.context("an empty answer")? {
                    publish_result::Result::Published(published) => {
                        ensure!(
                            !published.already_logged,
                            "claim {} was there before",
                            result.id
                        );
                        done += 1;
                    }
                    publish_result::Result::Refused(refused) => {
                        bail!("claim {}: {}", result.id, refused.message)
                    }
                }
            }
        }
        ensure!(
            done == expected,
            "{done} claims of {expected} were answered"
        );
        Ok(())
    }

    /// Waits until the published checkpoint covers `size` leaves. Nobody is told when it does, so
    /// it is asked for.
    pub async fn published(&self, size: u64) -> anyhow::Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while self.size().await? < size {
            ensure!(
                Instant::now() < deadline,
                "no checkpoint over {size} leaves came"
            );
        }
        Ok(())
    }

    /// The latest checkpoint.
    pub async fn checkpoint(&self) -> anyhow::Result<VerifiedCheckpoint> {
        let answer = self
            .service
            .clone()
            .get_checkpoint(GetCheckpointRequest {})
            .await?
            .into_inner();
        Ok(VerifiedCheckpoint::verify(&answer.checkpoint, &self.key)?)
    }

    /// Its size.
    pub async fn size(&self) -> anyhow::Result<u64> {
        Ok(self.checkpoint().await?.size().get())
    }

    /// Fetches an entry with its proof under the latest checkpoint and verifies it.
    pub async fn entry(&self, leaf: Leaf) -> anyhow::Result<Proven> {
        use get_entry_and_proof_request::Leaf as Wire;
        let leaf = match leaf {
            Leaf::Index(index) => Wire::LeafIndex(index),
            Leaf::Claim(id) => Wire::ClaimId(Bytes::copy_from_slice(id.as_bytes())),
            Leaf::Hash(hash) => Wire::LeafHash(Bytes::copy_from_slice(hash.as_bytes())),
        };
        let request = GetEntryAndProofRequest {
            leaf: Some(leaf),
            tree_size: 0,
        };
        let answer = self
            .service
            .clone()
            .get_entry_and_proof(request)
            .await?
            .into_inner();
        let checkpoint = VerifiedCheckpoint::verify(&answer.checkpoint, &self.key)?;
        ensure!(
            answer.tree_size == checkpoint.size().get(),
            "the proof is for another size than its checkpoint"
        );
        let entry = Entry::parse(answer.entry)?;
        let path = split_hashes(&answer.hashes)?;
        let index = LeafIndex::new(answer.leaf_index);
        verify_inclusion(
            &entry.leaf_hash(),
            index,
            checkpoint.size(),
            &path,
            &checkpoint.root(),
        )?;
        Ok(Proven {
            entry,
            index: answer.leaf_index,
            checkpoint,
        })
    }

    /// Fetches the proof that a leaf is in the tree of `size`, which has the root `root`, and
    /// verifies it.
    pub async fn prove_inclusion(
        &self,
        leaf: &Hash,
        index: u64,
        size: u64,
        root: &Hash,
    ) -> anyhow::Result<()> {
        let leaf_index = Some(get_inclusion_proof_request::Leaf::LeafIndex(index));
        let request = GetInclusionProofRequest {
            leaf: leaf_index,
            tree_size: size,
        };
        let answer = self
            .service
            .clone()
            .get_inclusion_proof(request)
            .await?
            .into_inner();
        ensure!(
            (answer.leaf_index, answer.tree_size) == (index, size),
            "the answer is to another question"
        );
        ensure!(
            answer.checkpoint.is_empty(),
            "a checkpoint that was not asked for"
        );
        let path = split_hashes(&answer.hashes)?;
        Ok(verify_inclusion(
            leaf,
            LeafIndex::new(index),
            TreeSize::new(size),
            &path,
            root,
        )?)
    }

    /// Fetches the proof that one tree is the beginning of another and verifies it.
    pub async fn prove_consistency(
        &self,
        old: (u64, &Hash),
        new: (u64, &Hash),
    ) -> anyhow::Result<()> {
        let request = GetConsistencyProofRequest {
            old_size: old.0,
            new_size: new.0,
        };
        let answer = self
            .service
            .clone()
            .get_consistency_proof(request)
            .await?
            .into_inner();
        ensure!(
            (answer.old_size, answer.new_size) == (old.0, new.0),
            "the answer is to another question"
        );
        let path = split_hashes(&answer.hashes)?;
        Ok(verify_consistency(
            TreeSize::new(old.0),
            old.1,
            TreeSize::new(new.0),
            new.1,
            &path,
        )?)
    }

    /// The entries `start..end`, by `StreamEntries`. `end` 0 is the latest checkpoint's size.
    pub async fn entries(&self, start: u64, end: u64) -> anyhow::Result<Vec<Bytes>> {
        let mut answers = self
            .service
            .clone()
            .stream_entries(StreamEntriesRequest { start, end })
            .await?
            .into_inner();
        let mut entries = Vec::new();
        while let Some(answer) = answers.message().await? {
            ensure!(
                answer.start == start + entries.len() as u64,
                "a message does not go on where the last one ended"
            );
            ensure!(!answer.entries.is_empty(), "an empty message");
            entries.extend(answer.entries);
        }
        Ok(entries)
    }

    /// Fetches a path of the public port by HTTP.
    pub async fn get(&self, path: &str) -> anyhow::Result<reqwest::Response> {
        Ok(self
            .http
            .get(format!("{}{path}", self.ready.url))
            .send()
            .await?)
    }

    /// Fetches a path of the admin port by HTTP: status and text.
    pub async fn admin(&self, path: &str) -> anyhow::Result<(u16, String)> {
        let answer = self
            .http
            .get(format!("{}{path}", self.ready.admin))
            .send()
            .await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }

    /// The number after a metric's name and labels, if the node has counted it.
    pub async fn metric(&self, name: &str) -> anyhow::Result<Option<f64>> {
        let (_, metrics) = self.admin("/metrics").await?;
        let value = metrics.lines().find_map(|line| {
            let (found, value) = line.rsplit_once(' ')?;
            (found == name).then_some(value)
        });
        Ok(value.map(str::parse::<f64>).transpose()?)
    }

    /// Fetches a tile or a bundle, which must be there.
    pub async fn tile(&self, resource: Resource, width: u16) -> anyhow::Result<Bytes> {
        let path = TilePath::new(resource, width)?.to_path();
        let answer = self.get(&format!("/{path}")).await?;
        ensure!(
            answer.status() == reqwest::StatusCode::OK,
            "{path}: {}",
            answer.status()
        );
        Ok(answer.bytes().await?)
    }

    /// Derives the whole log again from its published bundles, compares every published tile, the
    /// root, and every commitment to the index, one of which is the last leaf.
    pub async fn rederive(&self) -> anyhow::Result<Rederived> {
        let note = self.get("/checkpoint").await?.text().await?;
        let checkpoint = VerifiedCheckpoint::verify(&note, &self.key)?;
        let size = checkpoint.size().get();
        let mut frontier = Frontier::new();
        let mut leaves = Vec::new();
        let mut index = Rebuilt::default();
        let mut tiles: HashMap<TileIndex, Vec<Hash>> = HashMap::new();
        for number in 0..size.div_ceil(256) {
            let width = u16::try_from((size - number * 256).min(256))?;
            let bytes = self.tile(Resource::Entries(number), width).await?;
            let mut hashes = Vec::with_capacity(256);
            for entry in bundle::entries(&bytes) {
                let entry = entry?;
                hashes.push(leaf_hash(entry));
                index.add(&Entry::parse(bytes.slice_ref(entry))?)?;
            }
            ensure!(
                hashes.len() == usize::from(width),
                "bundle {number} holds {} entries",
                hashes.len()
            );
            tiles.extend(frontier.append(&hashes));
            leaves.extend(hashes);
        }
        for (tile, hashes) in tiles {
            let bytes = self
                .tile(Resource::Tile(tile), u16::try_from(hashes.len())?)
                .await?;
            let expected: Vec<u8> = hashes.iter().flat_map(|hash| *hash.as_bytes()).collect();
            ensure!(bytes == expected, "{tile:?} is served wrong");
        }
        ensure!(
            frontier.root() == checkpoint.root(),
            "the published entries do not add up to the signed root"
        );
        ensure!(
            index.ends_in_commitment(size),
            "the last of {size} published leaves does not commit to the index"
        );
        Ok(Rederived {
            leaves,
            index,
            checkpoint,
        })
    }
}

/// The question about all labels of an index.
pub fn everything() -> LookupPrefixRequest {
    LookupPrefixRequest::default()
}

/// The label under which most is listed in a log.
pub async fn longest_list(log: &Log) -> anyhow::Result<Bytes> {
    let mut index = log.index.clone();
    let mut pieces = index.lookup_prefix(everything()).await?.into_inner();
    let mut longest = (0, Bytes::new());
    while let Some(piece) = pieces.message().await? {
        for list in piece.answer.unwrap_or_default().lists {
            longest = longest.max((list.leaves.len(), list.label));
        }
    }
    Ok(longest.1)
}

/// The size that a tree must have to hold everything that was acknowledged, and the commitment that
/// comes after it.
pub fn covering<'a>(acknowledged: impl IntoIterator<Item = &'a PublishResponse>) -> u64 {
    acknowledged
        .into_iter()
        .map(|answer| answer.leaf_index + 2)
        .max()
        .unwrap_or(0)
}

/// The leaf that a claim got, as the node's answer states it.
pub fn stated(answer: &PublishResponse) -> anyhow::Result<(ClaimId, u64, Hash)> {
    let claim = ClaimId::from_slice(&answer.claim_id).context("a claim id has 32 bytes")?;
    let hash = Hash::from_slice(&answer.leaf_hash).context("a leaf hash has 32 bytes")?;
    Ok((claim, answer.leaf_index, hash))
}
