//! The detached entry: a log entry without the claim's payload, which the envelope beside it holds
//! already.
//!
//! ```text
//! offset    u32, big-endian: where in the entry the payload was
//! rest      the entry with the payload's bytes cut out
//! ```
//!
//! It is the `extra` data of a receipt's tlog-proof. Nothing in it is trusted: it only says which
//! bytes to hash.

use crate::entry::{Entry, EntryError, wire};
use crate::limits;
use bytes::{BufMut, Bytes, BytesMut};
use prost::Message;
use prost::encoding::{WireType, encode_key, encode_varint, encoded_len_varint};

/// Bytes of the offset.
const OFFSET: usize = 4;

/// Why a detached entry and a payload do not make an entry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DetachError {
    /// The bytes are not an entry.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The claim in the entry has no payload that could be cut out.
    #[error("the claim in the entry has no payload")]
    NoPayload,
    /// The offset is cut off, or lies outside of the entry.
    #[error("the detached entry is cut off")]
    CutOff,
    /// The payload does not have the length that the entry states just before it.
    #[error(
        "what was logged has a payload of another length: this is not the claim that was logged"
    )]
    OtherLength,
    /// The payload that was put in is not the claim's payload in the entry that came out.
    #[error("the payload does not belong where the detached entry says")]
    Misplaced,
}

/// Cuts the payload out of an entry.
pub fn detach(entry: &[u8]) -> Result<Vec<u8>, DetachError> {
    let parsed = Entry::parse(Bytes::copy_from_slice(entry))?;
    let start = payload_offset(&parsed).ok_or(DetachError::NoPayload)?;
    let end = start + parsed.claim()?.payload.len();
    let (Some(before), Some(after), Ok(offset)) =
        (entry.get(..start), entry.get(end..), u32::try_from(start))
    else {
        return Err(DetachError::NoPayload);
    };
    Ok([&offset.to_be_bytes(), before, after].concat())
}

/// Puts the payload back. It guarantees that `extra` is the only detached entry that gives this
/// entry, and that the entry's claim has this payload.
pub fn attach(extra: &[u8], payload: &[u8]) -> Result<Entry, DetachError> {
    let (offset, rest) = extra
        .split_first_chunk::<OFFSET>()
        .ok_or(DetachError::CutOff)?;
    let offset = usize::try_from(u32::from_be_bytes(*offset)).map_err(|_| DetachError::CutOff)?;
    let (before, after) = rest.split_at_checked(offset).ok_or(DetachError::CutOff)?;
    let length = rest.len() + payload.len();
    if length > limits::ENTRY_BYTES {
        return Err(EntryError::TooLong(length).into());
    }
    if !before.ends_with(&payload_head(payload.len())) {
        return Err(DetachError::OtherLength);
    }
    let mut bytes = BytesMut::with_capacity(length);
    bytes.put_slice(before);
    bytes.put_slice(payload);
    bytes.put_slice(after);
    let entry = Entry::parse(bytes.freeze())?;
    if payload_offset(&entry) == Some(offset) && entry.claim()?.payload == payload {
        Ok(entry)
    } else {
        Err(DetachError::Misplaced)
    }
}

/// What an entry says just before a payload: the field's tag and the length.
fn payload_head(length: usize) -> Vec<u8> {
    let mut head = Vec::new();
    encode_key(1, WireType::LengthDelimited, &mut head);
    encode_varint(length as u64, &mut head);
    head
}

/// Where the payload begins. An [`Entry`] has only one spelling, and in it the payload comes after
/// the time (if it is not 0), the head of the claim and its own head; `None` if it is empty.
fn payload_offset(entry: &Entry) -> Option<usize> {
    let head = |length: usize| {
        u64::try_from(length)
            .map(|length| 1 + encoded_len_varint(length))
            .ok()
    };
    let claim = entry.claim().ok()?;
    let payload = claim.payload.len();
    let time = wire::Entry {
        logged_at_ms: entry.logged_at_ms(),
        body: None,
    }
    .encoded_len();
    match payload {
        0 => None,
        _ => Some(time + head(claim.encoded_len())? + head(payload)?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::entry;
    use proptest::prelude::*;

    fn entry(time: u64, payload: &[u8], signatures: u8) -> Bytes {
        let signature = |of: u8| wire::ClaimSignature {
            signature: vec![of; 64].into(),
            public_key: vec![of; 32].into(),
            issuer_id: vec![of; 32].into(),
        };
        let claim = wire::Claim {
            payload: payload.to_vec().into(),
            payload_type: crate::claim::PAYLOAD_TYPE.into(),
            signatures: (1..=signatures).map(signature).collect(),
        };
        entry::encode(time, claim).unwrap()
    }

    #[test]
    fn lengths_of_every_size_of_number_are_found() {
        for time in [0, 1, 127, 128, u64::MAX] {
            for length in [1, 2, 126, 127, 128, 129, 16_383, 16_384, 32_768] {
                let payload = vec![7; length];
                let entry = entry(time, &payload, 1);
                let extra = detach(&entry).unwrap();
                assert_eq!(extra.len(), OFFSET + entry.len() - length);
                assert_eq!(attach(&extra, &payload).unwrap().bytes(), &entry);
            }
        }
    }

    #[test]
    fn only_the_one_offset_is_taken() {
        // A payload that repeats the byte before it could be cut out one place earlier with the
        // same result.
        let entry = entry(1, &[10; 10], 1);
        let extra = detach(&entry).unwrap();
        let offset = extra[3];
        for other in 0..=u8::MAX {
            let mut moved = extra.clone();
            moved[3] = other;
            assert_eq!(
                attach(&moved, &[10; 10]).is_ok(),
                other == offset,
                "{other}"
            );
        }
        let mut moved = extra.clone();
        (moved[3], moved[usize::from(offset) + 3]) = (offset - 1, 10);
        assert!(matches!(
            attach(&moved, &[10; 10]),
            Err(DetachError::Misplaced | DetachError::OtherLength | DetachError::Entry(_))
        ));
    }

    #[test]
    fn what_is_cut_off_or_too_long_is_refused() {
        let extra = detach(&entry(1, b"payload", 1)).unwrap();
        for end in 0..extra.len() {
            assert!(attach(&extra[..end], b"payload").is_err());
        }
        assert_eq!(attach(&[0, 0, 1], b"").unwrap_err(), DetachError::CutOff);
        assert_eq!(attach(&[0xff; 8], b"").unwrap_err(), DetachError::CutOff);
        assert!(matches!(
            attach(&extra, &[0; 70_000]),
            Err(DetachError::Entry(EntryError::TooLong(_)))
        ));
        assert!(
            attach(&extra, b"payloae").is_ok_and(|other| other.bytes() != &entry(1, b"payload", 1))
        );
        assert_eq!(detach(&entry(1, b"", 1)), Err(DetachError::NoPayload));
        assert!(matches!(detach(b"\xff"), Err(DetachError::Entry(_))));
    }

    #[test]
    fn a_payload_of_another_length_is_said_to_be_of_another_claim() {
        let extra = detach(&entry(1, b"payload", 1)).unwrap();
        for other in [&b"payloads"[..], b"payloa", b""] {
            assert_eq!(attach(&extra, other).unwrap_err(), DetachError::OtherLength);
        }
    }

    /// In a signature, what comes before a payload can stand, and the payload behind it.
    #[test]
    fn a_payload_is_put_nowhere_else() {
        let mut signature = [&[0x0a, 7][..], b"payload"].concat();
        signature.resize(64, 0);
        let signature = wire::ClaimSignature {
            signature: signature.into(),
            public_key: vec![1; 32].into(),
            issuer_id: vec![1; 32].into(),
        };
        let claim = wire::Claim {
            payload: b"another".to_vec().into(),
            payload_type: crate::claim::PAYLOAD_TYPE.into(),
            signatures: vec![signature],
        };
        let entry = entry::encode(1, claim).unwrap();
        let at = entry.windows(7).position(|bytes| bytes == b"payload");
        let (before, rest) = entry.split_at(at.unwrap());
        let offset = u32::try_from(before.len()).unwrap().to_be_bytes();
        let extra = [&offset[..], before, &rest[7..]].concat();
        let refused = attach(&extra, b"payload").unwrap_err();
        assert_eq!(refused, DetachError::Misplaced);
    }

    proptest! {
        #[test]
        fn detaching_and_attaching_gives_the_same_entry(
            time: u64,
            payload in prop::collection::vec(any::<u8>(), 1..300),
            signatures in 1..=16_u8,
        ) {
            let entry = entry(time, &payload, signatures);
            let extra = detach(&entry).unwrap();
            let attached = attach(&extra, &payload).unwrap();
            prop_assert_eq!(attached.bytes(), &entry);
        }

        #[test]
        fn arbitrary_bytes_never_panic(extra: Vec<u8>, payload: Vec<u8>) {
            let _outcome = attach(&extra, &payload);
            let _outcome = detach(&extra);
        }
    }
}
