//! Attachments: bytes that a claim names by SHA-256, kept beside the log. What comes back is
//! checked against the digest.

use crate::{
    Client, ClientError,
    call::{self, Progress},
};
use assay_claims::limits::ATTACHMENT_BYTES;
use assay_proto::v1::{GetRequest, PutHeader, PutRequest, put_request::Part};
use assay_tlog::Hash;
use bytes::{Bytes, BytesMut};
use std::time::Duration;

/// Bytes in one message of an upload: what the node takes at most.
const CHUNK: usize = 256 * 1024;

/// Longest time in which nothing of an upload goes on. A node takes 16 KiB a second at least, so
/// that what is under way when the last piece was handed over takes half a minute.
const STALLED: Duration = Duration::from_secs(120);

impl Client {
    /// Uploads an attachment and returns whether the node had it before.
    ///
    /// `progress` is told how many bytes were handed to the connection. The node refuses what no
    /// logged claim names ([`ClientError::Refused`]).
    pub async fn put_attachment(
        &self,
        bytes: Bytes,
        progress: impl Fn(u64) + Send + 'static,
    ) -> Result<bool, ClientError> {
        if bytes.len() as u64 > ATTACHMENT_BYTES {
            let (has, max) = (bytes.len(), ATTACHMENT_BYTES);
            return Err(ClientError::Usage(format!(
                "the attachment has {has} bytes; at most {max} are taken"
            )));
        }
        let header = PutHeader {
            sha256: Bytes::copy_from_slice(Hash::of(&bytes).as_bytes()),
            size: bytes.len() as u64,
        };
        let going = Progress::begin();
        let taken = going.clone();
        let parts = futures::stream::unfold((Some(header), bytes), move |(header, mut rest)| {
            let part = match header {
                Some(header) => Some(Part::Header(header)),
                None if rest.is_empty() => None,
                None => Some(Part::Chunk(rest.split_to(rest.len().min(CHUNK)))),
            };
            if let Some(Part::Chunk(chunk)) = &part {
                progress(chunk.len() as u64);
                taken.goes_on();
            }
            futures::future::ready(part.map(|part| (PutRequest { part: Some(part) }, (None, rest))))
        });
        let limit = (STALLED, "uploading the attachment");
        let mut uploads = self.uploads.clone();
        let answer = call::while_it_goes_on(limit, &going, uploads.put(parts)).await?;
        Ok(answer.already_stored)
    }

    /// Returns the attachment with this SHA-256, checked.
    ///
    /// `progress` is told of every piece's length. A node that does not have it answers
    /// [`ClientError::Refused`] with `NotFound`; other bytes than those asked for are
    /// [`ClientError::Unverified`].
    pub async fn attachment(
        &self,
        sha256: &Hash,
        progress: impl Fn(u64),
    ) -> Result<Bytes, ClientError> {
        let request = GetRequest {
            sha256: Bytes::copy_from_slice(sha256.as_bytes()),
        };
        let mut bytes = BytesMut::new();
        call::each(
            "fetching the attachment",
            self.attachments.clone().get(request),
            |part| {
                if (bytes.len() + part.chunk.len()) as u64 > ATTACHMENT_BYTES {
                    return Err(ClientError::unverified(
                        "the attachment is longer than any may be",
                    ));
                }
                progress(part.chunk.len() as u64);
                bytes.extend_from_slice(&part.chunk);
                Ok(())
            },
        )
        .await?;
        if Hash::of(&bytes) == *sha256 {
            Ok(bytes.freeze())
        } else {
            Err(ClientError::unverified(format!(
                "these bytes are not the attachment {sha256}"
            )))
        }
    }
}
