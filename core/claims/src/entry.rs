//! The entry: what a leaf of the log holds, byte for byte (docs/design.md 3.2).
//!
//! Entries are stored, served, hashed and verified verbatim. This module reads them and writes new
//! ones; it never writes one that it has read.

use crate::{claim, limits};
use assay_tlog::{Hash, hash};
use bytes::Bytes;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message};

/// The protobuf messages of an entry, as they stand in `assay/v1/entry.proto`.
pub mod wire {
    use bytes::Bytes;

    /// What a leaf holds.
    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct Entry {
        /// When the log accepted the entry, in milliseconds since 1970 (UTC); monotonic over the
        /// log.
        #[prost(uint64, tag = "1")]
        pub logged_at_ms: u64,
        /// What the entry says.
        #[prost(oneof = "Body", tags = "2, 3")]
        pub body: Option<Body>,
    }

    /// What an entry says.
    #[derive(Clone, PartialEq, Eq, prost::Oneof)]
    pub enum Body {
        /// A signed claim.
        #[prost(message, tag = "2")]
        Claim(Claim),
        /// A commitment to the index of all leaves before this one.
        #[prost(message, tag = "3")]
        IndexCommitment(IndexCommitment),
    }

    /// What the log says about its own index (docs/design.md 3.5).
    /// [`crate::index::Commitment`] reads it.
    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct IndexCommitment {
        /// Root of the trie, 32 bytes.
        #[prost(bytes = "bytes", tag = "1")]
        pub root: Bytes,
        /// Labels in it.
        #[prost(uint64, tag = "2")]
        pub labels: u64,
        /// Version of the mapping from entries to labels, in force for this leaf and those after
        /// it.
        #[prost(uint32, tag = "3")]
        pub mapping_version: u32,
        /// Version of the rules by which entries are admitted, in force for the leaves since the
        /// last commitment.
        #[prost(uint32, tag = "4")]
        pub admission_version: u32,
    }

    /// A DSSE envelope, losslessly.
    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct Claim {
        /// The statement's bytes, as signed.
        #[prost(bytes = "bytes", tag = "1")]
        pub payload: Bytes,
        /// The DSSE payload type.
        #[prost(string, tag = "2")]
        pub payload_type: String,
        /// The signatures, each over `PAE(payload_type, payload)`.
        #[prost(message, repeated, tag = "3")]
        pub signatures: Vec<ClaimSignature>,
    }

    /// One signature and who made it.
    #[derive(Clone, PartialEq, Eq, prost::Message)]
    pub struct ClaimSignature {
        /// Ed25519 signature, 64 bytes.
        #[prost(bytes = "bytes", tag = "1")]
        pub signature: Bytes,
        /// Ed25519 public key, 32 bytes.
        #[prost(bytes = "bytes", tag = "2")]
        pub public_key: Bytes,
        /// Issuer that the key signs for, 32 bytes.
        #[prost(bytes = "bytes", tag = "3")]
        pub issuer_id: Bytes,
    }
}

/// Why bytes are not an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EntryError {
    /// More than [`limits::ENTRY_BYTES`].
    #[error("the entry has {0} bytes; at most {max} are possible", max = limits::ENTRY_BYTES)]
    TooLong(usize),
    /// Not a protobuf `assay.v1.Entry`.
    #[error("the entry is not an assay.v1.Entry: {0}")]
    Malformed(String),
    /// It parses, but another spelling of the same message exists, or it has fields that this
    /// version does not know.
    #[error(
        "the entry is not in its one canonical spelling, or has fields that this version does not \
         know"
    )]
    NotCanonical,
    /// It has no body that this version knows.
    #[error("the entry holds neither a claim nor anything else that this version can read")]
    Empty,
    /// Its claim has no signature, or more than [`limits::SIGNATURES`].
    #[error("the entry has {0} signatures; it must have from 1 to {max}", max = limits::SIGNATURES)]
    Signatures(usize),
    /// A signature, its key or its issuer's id does not have its length.
    #[error(
        "signature {0} of the entry is not one of 64 bytes with a key and an issuer id of 32 each"
    )]
    Signature(usize),
    /// The claim's payload has more than [`limits::PAYLOAD_BYTES`].
    #[error(
        "the payload in the entry has {0} bytes; at most {max} are possible",
        max = limits::PAYLOAD_BYTES
    )]
    Payload(usize),
    /// The claim's payload is said to be of another type than in-toto's.
    #[error(
        "the payload in the entry is of another type than {}",
        crate::claim::PAYLOAD_TYPE
    )]
    PayloadType,
    /// A claim was asked for, and it holds something else.
    #[error("this leaf holds the log's commitment to its index, not a claim")]
    NoClaim,
}

/// An entry that was read, with the bytes it was read from.
#[derive(Debug, Clone)]
pub struct Entry {
    bytes: Bytes,
    logged_at_ms: u64,
    body: wire::Body,
}

impl Entry {
    /// Reads an entry.
    ///
    /// It guarantees that `bytes` is the only spelling of what it returns: unknown fields, repeated
    /// fields and overlong numbers are refused, so that a claim cannot hide bytes that a reader
    /// does not show. A claim in it has the bounds of docs/index.md, section 1: from 1 to 16
    /// signatures of the right lengths, a payload of at most 32 KiB of in-toto's type. Signatures
    /// are counted before anything is allocated for them.
    pub fn parse(bytes: Bytes) -> Result<Self, EntryError> {
        if bytes.len() > limits::ENTRY_BYTES {
            return Err(EntryError::TooLong(bytes.len()));
        }
        let malformed = |error: DecodeError| EntryError::Malformed(error.to_string());
        let signatures = count_signatures(&bytes).map_err(malformed)?;
        if signatures > limits::SIGNATURES {
            return Err(EntryError::Signatures(signatures));
        }
        let message = wire::Entry::decode(bytes.clone()).map_err(malformed)?;
        if message.encode_to_vec() != bytes {
            return Err(EntryError::NotCanonical);
        }
        let body = message.body.ok_or(EntryError::Empty)?;
        if let wire::Body::Claim(claim) = &body {
            check_bounds(claim)?;
        }
        Ok(Entry {
            bytes,
            logged_at_ms: message.logged_at_ms,
            body,
        })
    }

    /// The bytes, as they were read.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// When the log says that it accepted the entry, in milliseconds since 1970 (UTC).
    pub fn logged_at_ms(&self) -> u64 {
        self.logged_at_ms
    }

    /// What the entry says.
    pub fn body(&self) -> &wire::Body {
        &self.body
    }

    /// The claim in the entry, or [`EntryError::NoClaim`]. Its signatures are not verified by
    /// reading it.
    pub fn claim(&self) -> Result<&wire::Claim, EntryError> {
        match &self.body {
            wire::Body::Claim(claim) => Ok(claim),
            wire::Body::IndexCommitment(_) => Err(EntryError::NoClaim),
        }
    }

    /// The leaf hash.
    pub fn leaf_hash(&self) -> Hash {
        hash::leaf_hash(&self.bytes)
    }
}

/// How many signatures the claim in an entry has, as far as its frame can be read.
fn count_signatures(entry: &[u8]) -> Result<usize, DecodeError> {
    let mut signatures = 0;
    each_field(entry, |field, claim| {
        if field == 2 {
            each_field(claim, |field, _| {
                signatures += usize::from(field == 3);
                Ok(())
            })?;
        }
        Ok(())
    })?;
    Ok(signatures)
}

/// Calls `visit` with every field of a protobuf message that has a length, and its bytes.
fn each_field(
    mut message: &[u8],
    mut visit: impl FnMut(u32, &[u8]) -> Result<(), DecodeError>,
) -> Result<(), DecodeError> {
    while !message.is_empty() {
        let (field, wire_type) = decode_key(&mut message)?;
        if wire_type != WireType::LengthDelimited {
            skip_field(wire_type, field, &mut message, DecodeContext::default())?;
            continue;
        }
        let length = usize::try_from(decode_varint(&mut message)?).unwrap_or(usize::MAX);
        let Some((bytes, rest)) = message.split_at_checked(length) else {
            // The decoder says what is wrong.
            return Ok(());
        };
        visit(field, bytes)?;
        message = rest;
    }
    Ok(())
}

/// Checks the bounds of a claim (docs/index.md, section 1).
fn check_bounds(claim: &wire::Claim) -> Result<(), EntryError> {
    if claim.payload.len() > limits::PAYLOAD_BYTES {
        return Err(EntryError::Payload(claim.payload.len()));
    }
    if claim.payload_type != claim::PAYLOAD_TYPE {
        return Err(EntryError::PayloadType);
    }
    if claim.signatures.is_empty() {
        return Err(EntryError::Signatures(0));
    }
    for (at, one) in claim.signatures.iter().enumerate() {
        let lengths = [&one.signature, &one.public_key, &one.issuer_id].map(Bytes::len);
        if lengths != [64, 32, 32] {
            return Err(EntryError::Signature(at));
        }
    }
    Ok(())
}

/// Writes a new entry that holds `body`: a claim, or the log's commitment to its index.
///
/// Fails with [`EntryError::TooLong`] if it would exceed [`limits::ENTRY_BYTES`].
pub fn encode(logged_at_ms: u64, body: impl Into<wire::Body>) -> Result<Bytes, EntryError> {
    let entry = wire::Entry {
        logged_at_ms,
        body: Some(body.into()),
    };
    let length = entry.encoded_len();
    if length > limits::ENTRY_BYTES {
        return Err(EntryError::TooLong(length));
    }
    Ok(entry.encode_to_vec().into())
}

impl From<wire::Claim> for wire::Body {
    fn from(claim: wire::Claim) -> Self {
        wire::Body::Claim(claim)
    }
}

impl From<wire::IndexCommitment> for wire::Body {
    fn from(commitment: wire::IndexCommitment) -> Self {
        wire::Body::IndexCommitment(commitment)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claim() -> wire::Claim {
        wire::Claim {
            payload: Bytes::from_static(b"{}"),
            payload_type: "application/vnd.in-toto+json".into(),
            signatures: vec![wire::ClaimSignature {
                signature: vec![1; 64].into(),
                public_key: vec![2; 32].into(),
                issuer_id: vec![3; 32].into(),
            }],
        }
    }

    #[test]
    fn an_entry_reads_back_verbatim() {
        let bytes = encode(7, claim()).unwrap();
        let entry = Entry::parse(bytes.clone()).unwrap();
        assert_eq!((entry.logged_at_ms(), entry.claim()), (7, Ok(&claim())));
        assert_eq!(entry.bytes(), &bytes);
    }

    #[test]
    fn a_commitment_is_no_claim() {
        let commitment = wire::IndexCommitment {
            root: vec![1; 32].into(),
            labels: 2,
            mapping_version: 2,
            admission_version: 1,
        };
        let entry = Entry::parse(encode(7, commitment.clone()).unwrap()).unwrap();
        assert_eq!(entry.body(), &wire::Body::IndexCommitment(commitment));
        assert_eq!(entry.claim(), Err(EntryError::NoClaim));
    }

    #[test]
    fn other_spellings_are_refused() {
        let bytes = encode(7, claim()).unwrap();
        let with = |extra: &[u8]| Bytes::from([&bytes[..], extra].concat());
        // An unknown field, a repeated one, and a number with a superfluous byte.
        for extra in [&[0x50, 0x01][..], &[0x08, 0x07], &[0x08, 0x87, 0x00]] {
            assert_eq!(
                Entry::parse(with(extra)).unwrap_err(),
                EntryError::NotCanonical
            );
        }
        assert!(matches!(
            Entry::parse(with(&[0xff])),
            Err(EntryError::Malformed(_))
        ));
        assert_eq!(Entry::parse(Bytes::new()).unwrap_err(), EntryError::Empty);
        assert_eq!(
            Entry::parse(vec![0; 65_536].into()).unwrap_err(),
            EntryError::TooLong(65_536)
        );
    }

    /// An entry of 64 KiB has room for 32,600 empty signatures, which take 3 MB once they are read.
    #[test]
    fn signatures_are_counted_before_they_are_read() {
        let refused = |claim| Entry::parse(encode(7, claim).unwrap()).unwrap_err();
        let with = |signatures: Vec<wire::ClaimSignature>| wire::Claim {
            signatures,
            ..claim()
        };
        let empty = vec![wire::ClaimSignature::default(); 32_600];
        assert_eq!(refused(with(empty)), EntryError::Signatures(32_600));
        let one = claim().signatures[0].clone();
        assert_eq!(
            refused(with(vec![one.clone(); 17])),
            EntryError::Signatures(17)
        );
        assert_eq!(refused(with(Vec::new())), EntryError::Signatures(0));
        assert!(Entry::parse(encode(7, with(vec![one.clone(); 16])).unwrap()).is_ok());
        let short = wire::ClaimSignature {
            issuer_id: vec![3; 31].into(),
            ..one.clone()
        };
        assert_eq!(refused(with(vec![one, short])), EntryError::Signature(1));
    }

    #[test]
    fn a_payload_has_its_bounds() {
        let refused = |claim| Entry::parse(encode(7, claim).unwrap()).unwrap_err();
        let long = wire::Claim {
            payload: vec![b' '; limits::PAYLOAD_BYTES + 1].into(),
            ..claim()
        };
        assert_eq!(
            refused(long),
            EntryError::Payload(limits::PAYLOAD_BYTES + 1)
        );
        let other = wire::Claim {
            payload_type: "application/json".into(),
            ..claim()
        };
        assert_eq!(refused(other), EntryError::PayloadType);
    }

    #[test]
    fn an_entry_over_the_limit_is_not_written() {
        let big = wire::Claim {
            payload: vec![b' '; 65_530].into(),
            ..claim()
        };
        assert!(matches!(encode(1, big), Err(EntryError::TooLong(_))));
    }
}
