//! Attachments: which are taken, and what a bad one leaves.

use super::payloads::replaced;
use crate::{AT_ONCE, Fixture, STARTED, assert_refused};
use assay_claims::entry::wire;
use assay_claims::limits;
use assay_proto::v1::{
    GetRequest, PutHeader, PutRequest, PutResponse, Wait,
    attachment_service_client::AttachmentServiceClient, put_request::Part,
};
use assay_tests::issuer::Actor;
use assay_tlog::Hash;
use futures::stream;
use tonic::{Code, Status, transport::Channel};

/// A claim that names an attachment.
fn naming(issuer: &Actor, digest: &Hash) -> wire::Claim {
    let attachments = format!(
        r#""predicate":{{"attachments":[{{"name":"a.bin","digest":{{"sha256":"{digest}"}}}}],"#
    );
    replaced(issuer, r#""predicate":{"#, &attachments)
}

/// A claim that names these.
pub fn naming_all(issuer: &Actor, digests: &[Hash]) -> wire::Claim {
    let named = digests
        .iter()
        .map(|digest| format!(r#"{{"digest":{{"sha256":"{digest}"}}}}"#));
    let named: Vec<_> = named.collect();
    let attachments = format!(r#""predicate":{{"attachments":[{}],"#, named.join(","));
    replaced(issuer, r#""predicate":{"#, &attachments)
}

/// A claim that names one and states its size.
pub fn stating(issuer: &Actor, digest: &Hash, size: u64) -> wire::Claim {
    let digest = format!(r#""digest":{{"sha256":"{digest}"}}"#);
    let attachments =
        format!(r#""predicate":{{"attachments":[{{{digest},"annotations":{{"size":{size}}}}}],"#);
    replaced(issuer, r#""predicate":{"#, &attachments)
}

/// Uploads a document of this size and returns its digest.
pub async fn stored(fixture: &Fixture, size: usize) -> anyhow::Result<Hash> {
    let bytes = vec![7; size];
    let digest = Hash::of(&bytes);
    let claim = naming(&fixture.issuer, &digest);
    fixture.log.publish(claim, Wait::Sequenced).await?;
    let mut client = AttachmentServiceClient::connect(fixture.node.ready().url.clone()).await?;
    let header = PutHeader {
        sha256: digest.as_bytes().to_vec().into(),
        size: size as u64,
    };
    let chunks: Vec<_> = bytes.chunks(256 << 10).collect();
    put(&mut client, Some(header), &chunks).await?;
    Ok(digest)
}

/// Uploads chunks under a header.
pub async fn put(
    client: &mut AttachmentServiceClient<Channel>,
    header: Option<PutHeader>,
    chunks: &[&[u8]],
) -> Result<PutResponse, Status> {
    let chunks = chunks
        .iter()
        .map(|chunk| Part::Chunk(chunk.to_vec().into()));
    let parts: Vec<_> = header.map(Part::Header).into_iter().chain(chunks).collect();
    let parts = parts
        .into_iter()
        .map(|part| PutRequest { part: Some(part) });
    client
        .put(stream::iter(parts))
        .await
        .map(tonic::Response::into_inner)
}

async fn get(
    client: &mut AttachmentServiceClient<Channel>,
    digest: &Hash,
) -> Result<Vec<u8>, Status> {
    let request = GetRequest {
        sha256: digest.as_bytes().to_vec().into(),
    };
    let mut chunks = client.get(request).await?.into_inner();
    let mut bytes = Vec::new();
    while let Some(chunk) = chunks.message().await? {
        bytes.extend_from_slice(&chunk.chunk);
    }
    Ok(bytes)
}

/// A document, in chunks.
struct Content {
    bytes: Vec<u8>,
    digest: Hash,
}

impl Content {
    fn new() -> Self {
        let bytes: Vec<u8> = (0..600_000_u32).map(|n| (n % 251) as u8).collect();
        let digest = Hash::of(&bytes);
        Content { bytes, digest }
    }

    /// The header of an upload that announces so many bytes.
    fn header(&self, size: usize) -> Option<PutHeader> {
        Some(PutHeader {
            sha256: self.digest.as_bytes().to_vec().into(),
            size: size as u64,
        })
    }

    /// The right header.
    fn whole(&self) -> Option<PutHeader> {
        self.header(self.bytes.len())
    }

    fn chunks(&self) -> Vec<&[u8]> {
        self.bytes.chunks(200_000).collect()
    }
}

/// Other content, less, more, none; no header, two headers, a short digest, too large.
async fn assert_bad_uploads_are_refused(
    client: &mut AttachmentServiceClient<Channel>,
    content: &Content,
) -> anyhow::Result<()> {
    use Code::InvalidArgument as Invalid;
    let chunks = content.chunks();
    let size = content.bytes.len();
    let mut other = content.bytes.clone();
    other[77] ^= 1;
    let others: Vec<&[u8]> = other.chunks(200_000).collect();
    let uploads: [(_, &[&[u8]], &[&str]); 7] = [
        (content.whole(), &others, &["SHA-256", "nothing was stored"]),
        (
            content.whole(),
            &chunks[..2],
            &["fewer", "nothing was stored"],
        ),
        (
            content.header(size - 1),
            &chunks,
            &["more", "nothing was stored"],
        ),
        (content.whole(), &[], &["fewer"]),
        (None, &chunks, &["header"]),
        (None, &[], &["header"]),
        (
            content.header(limits::ATTACHMENT_BYTES as usize + 1),
            &chunks,
            &["67108865 bytes", "at most 67108864"],
        ),
    ];
    for (header, chunks, words) in uploads {
        assert_refused(put(client, header, chunks).await, Invalid, words);
    }
    let short = Some(PutHeader {
        sha256: vec![1; 31].into(),
        size: 1,
    });
    assert_refused(put(client, short, &[b"x"]).await, Invalid, &["31 bytes"]);
    let twice = [0, 1].map(|_| PutRequest {
        part: content.whole().map(Part::Header),
    });
    assert_refused(client.put(stream::iter(twice)).await, Invalid, &[]);
    let nothing = get(client, &content.digest).await;
    assert_refused(nothing, Code::NotFound, &[]);
    let unknown = get(client, &Hash::of(b"other")).await;
    assert_refused(unknown, Code::NotFound, &[]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn attachments_are_taken_only_whole_and_only_as_a_claim_names_them() -> anyhow::Result<()> {
    let mut fixture = Fixture::start(AT_ONCE).await?;
    let mut client = AttachmentServiceClient::connect(fixture.node.ready().url.clone()).await?;
    let content = Content::new();
    let chunks = content.chunks();
    let words = [
        "no logged claim names",
        "publish the claim that names it first",
    ];
    let unnamed = put(&mut client, content.whole(), &chunks).await;
    assert_refused(unnamed, Code::FailedPrecondition, &words);
    let claim = naming(&fixture.issuer, &content.digest);
    fixture.log.publish(claim, Wait::Integrated).await?;
    let absent = get(&mut client, &content.digest).await;
    assert_refused(absent, Code::NotFound, &["no attachment"]);
    assert_bad_uploads_are_refused(&mut client, &content).await?;

    // It is new, then it is there, and what is there is not sent again.
    for (chunks, already_stored) in [(&chunks[..], false), (&chunks[..], true), (&[], true)] {
        let answer = put(&mut client, content.whole(), chunks).await?;
        assert_eq!(answer.already_stored, already_stored);
        assert_eq!(get(&mut client, &content.digest).await?, content.bytes);
    }

    // It is there after a crash; and deleting the file harms no log.
    fixture.node.kill()?;
    fixture.run().await?;
    let mut client = AttachmentServiceClient::connect(fixture.node.ready().url.clone()).await?;
    assert_eq!(get(&mut client, &content.digest).await?, content.bytes);
    fixture.node.stop()?;
    std::fs::remove_dir_all(fixture.node.folder().join("data/blobs"))?;
    fixture.run().await?;
    let mut client = AttachmentServiceClient::connect(fixture.node.ready().url.clone()).await?;
    let words = ["The claim stands without it"];
    let deleted = get(&mut client, &content.digest).await;
    assert_refused(deleted, Code::NotFound, &words);
    let index = fixture.log.rederive().await?.index;
    assert_eq!((index.size(), index.claims()), (STARTED + 2, 2));
    Ok(())
}
