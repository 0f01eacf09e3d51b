//! SHA-256 values and the two hash functions of RFC 6962.
//!
//! Scope: the value type and domain-separated hashing. What the hashes are arranged into is
//! `tree`'s.

use sha2::{Digest, Sha256, block_api::compress256};
use std::fmt;

/// Where SHA-256 begins (FIPS 180-4, section 5.3.3).
const START: [u32; 8] = [
    0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
];

/// A SHA-256 value: 32 bytes, shown as lower-case hex.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash([u8; Hash::LEN]);

impl Hash {
    /// Bytes in a hash.
    pub const LEN: usize = 32;

    /// Takes the bytes as they are.
    pub const fn new(bytes: [u8; Hash::LEN]) -> Self {
        Hash(bytes)
    }

    /// Returns SHA-256 of `data`.
    pub fn of(data: &[u8]) -> Self {
        Hash(Sha256::digest(data).into())
    }

    /// Returns SHA-256 of two blocks' worth of data at most: 119 bytes, more do not compile.
    ///
    /// The same value as [`Hash::of`], for the hashes of trees, of which there are millions:
    /// without a buffer that could take more, it takes two thirds of the time.
    pub fn of_short<const N: usize>(data: &[u8; N]) -> Self {
        const {
            assert!(
                N < 120,
                "two blocks hold 119 bytes, the end mark and the length"
            )
        };
        let mut bytes = [0; 128];
        bytes[..N].copy_from_slice(data);
        bytes[N] = 0x80;
        let end = if N < 56 { 64 } else { 128 };
        bytes[end - 8..end].copy_from_slice(&(8 * N as u64).to_be_bytes());
        let (blocks, _) = bytes[..end].as_chunks::<64>();
        let mut state = START;
        compress256(&mut state, blocks);
        let mut hash = [0; Hash::LEN];
        for (to, word) in hash.as_chunks_mut::<4>().0.iter_mut().zip(state) {
            *to = word.to_be_bytes();
        }
        Hash(hash)
    }

    /// Returns SHA-256 of the concatenation of `parts`.
    pub fn of_parts(parts: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for part in parts {
            hasher.update(part);
        }
        Hash(hasher.finalize().into())
    }

    /// Returns the hash that `bytes` spells, or `None` unless it has exactly 32 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Hash)
    }

    /// Returns the hash that 64 lower-case hex digits spell, or `None` for anything else, upper
    /// case included.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 2 * Hash::LEN || text.bytes().any(|b| b.is_ascii_uppercase()) {
            return None;
        }
        let mut bytes = [0; Hash::LEN];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Hash(bytes))
    }

    /// The bytes.
    pub const fn as_bytes(&self) -> &[u8; Hash::LEN] {
        &self.0
    }

    /// Lower-case hex, 64 digits.
    pub fn to_hex(&self) -> String {
        hex::encode(self.0)
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash({self})")
    }
}

/// The leaf hash of an entry: `SHA-256(0x00 ‖ entry)` (RFC 6962, section 2.1).
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Hash::of_parts(&[&[0x00], entry])
}

/// The hash of an inner node: `SHA-256(0x01 ‖ left ‖ right)` (RFC 6962, section 2.1).
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [0x01; 1 + 2 * Hash::LEN];
    bytes[1..33].copy_from_slice(&left.0);
    bytes[33..].copy_from_slice(&right.0);
    Hash::of_short(&bytes)
}

/// The root of the empty tree: SHA-256 of nothing (RFC 6962, section 2.1).
pub fn empty_root() -> Hash {
    Hash::of(b"")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domain_separation_is_that_of_rfc_6962() {
        assert_eq!(
            empty_root().to_hex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        );
        assert_eq!(
            leaf_hash(b"").to_hex(),
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        );
        let (l, r) = (leaf_hash(b"l"), leaf_hash(b"r"));
        let mut spelled = vec![1];
        spelled.extend_from_slice(l.as_bytes());
        spelled.extend_from_slice(r.as_bytes());
        assert_eq!(node_hash(&l, &r), Hash::of(&spelled));
    }

    #[test]
    fn short_data_hash_as_all_data_do() {
        fn check<const N: usize>() {
            let data = std::array::from_fn::<u8, N, _>(|at| at as u8);
            assert_eq!(Hash::of_short(&data), Hash::of(&data), "{N} bytes");
        }
        // Around the ends of both blocks, and the lengths in use.
        check::<0>();
        check::<9>();
        check::<55>();
        check::<56>();
        check::<63>();
        check::<64>();
        check::<65>();
        check::<73>();
        check::<99>();
        check::<119>();
    }

    #[test]
    fn hex_is_lower_case_and_exact() {
        let h = Hash::of(b"x");
        assert_eq!(Hash::from_hex(&h.to_hex()), Some(h));
        assert_eq!(Hash::from_hex(&h.to_hex().to_uppercase()), None);
        assert_eq!(Hash::from_hex(&h.to_hex()[2..]), None);
        assert_eq!(Hash::from_slice(&[0; 31]), None);
    }
}
