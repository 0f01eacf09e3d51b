//! Proofs that stand on their own: an inclusion proof with the checkpoint that it leads to (C2SP
//! tlog-proof).
//!
//! ```text
//! c2sp.org/tlog-proof@v1
//! extra <base64>                            optional; of empty data, nothing follows the space
//! index <decimal>
//! <base64 of a hash>                        none or more, from the leaf's sibling upward
//!                                           an empty line
//! <the checkpoint's note, verbatim>
//! ```
//!
//! Left out: what the leaf is, which the caller knows; what the extra data means, which nobody
//! trusts; and which witnesses must have cosigned (the policy's).

use crate::checkpoint::{CheckpointError, VerifiedCheckpoint};
use crate::decimal::parse_decimal;
use crate::hash::Hash;
use crate::limits;
use crate::note::VerifierKey;
use crate::tree::{LeafIndex, ProofError, verify_inclusion};
use base64::prelude::{BASE64_STANDARD, Engine};
use std::fmt;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Why a proof cannot be read or does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlogProofError {
    /// Larger than [`limits::RECEIPT_BYTES`].
    #[error("the proof has {0} bytes; at most {max} are read", max = limits::RECEIPT_BYTES)]
    TooLong(usize),
    /// A line, counted from 1, is not what the format has there.
    #[error("line {line} of the proof is not {expected}")]
    Format {
        /// The line.
        line: usize,
        /// What it should be.
        expected: &'static str,
    },
    /// More than [`limits::PROOF_HASHES`] hashes.
    #[error("the proof has more than {max} hashes", max = limits::PROOF_HASHES)]
    TooManyHashes,
    /// The checkpoint is malformed, another log's, or not signed by the log.
    #[error("the checkpoint in the proof cannot be relied on")]
    Checkpoint(#[from] CheckpointError),
    /// The leaf is not where the proof says it is in the log that the checkpoint describes.
    #[error("the leaf is not proven to be in the log")]
    Inclusion(#[from] ProofError),
}

/// A proof that was read and not verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlogProof {
    /// Data of the application, which the proof does not authenticate. `Some` of nothing is a line
    /// without data. The specification leaves that line out; its reference implementation
    /// (transparency-dev/formats, `proof`) writes it, and so both are read.
    pub extra: Option<Vec<u8>>,
    /// Where the leaf is.
    pub index: LeafIndex,
    /// The inclusion proof, from the leaf's sibling upward.
    pub path: Vec<Hash>,
    /// The checkpoint's note.
    pub checkpoint: String,
}

impl TlogProof {
    /// Reads a proof. Only the one spelling that `to_string` writes is accepted; the checkpoint is
    /// taken as it is. Fails with [`TlogProofError::TooLong`], [`TlogProofError::Format`] or
    /// [`TlogProofError::TooManyHashes`].
    pub fn parse(bytes: &[u8]) -> Result<Self, TlogProofError> {
        if bytes.len() > limits::RECEIPT_BYTES {
            return Err(TlogProofError::TooLong(bytes.len()));
        }
        let text = std::str::from_utf8(bytes).map_err(|error| TlogProofError::Format {
            line: 1 + bytes[..error.valid_up_to()]
                .iter()
                .filter(|byte| **byte == b'\n')
                .count(),
            expected: "UTF-8 text",
        })?;
        let mut lines = Lines {
            rest: text,
            number: 0,
        };

        let header = lines.next_line();
        if header != Some(HEADER) {
            return Err(lines.error("c2sp.org/tlog-proof@v1"));
        }
        let mut line = lines.next_line();
        let mut extra = None;
        if let Some(encoded) = line.and_then(|line| line.strip_prefix("extra ")) {
            let decoded = BASE64_STANDARD.decode(encoded).ok();
            extra = Some(decoded.ok_or(lines.error("\"extra\" with data in base64"))?);
            line = lines.next_line();
        }
        let index = line
            .and_then(|line| line.strip_prefix("index "))
            .and_then(parse_decimal);
        let index = LeafIndex::new(index.ok_or(lines.error("\"index\" with a decimal number"))?);

        let path = lines.hashes()?;
        if lines.rest.is_empty() {
            lines.number += 1;
            return Err(lines.error("the start of a checkpoint"));
        }
        Ok(TlogProof {
            extra,
            index,
            path,
            checkpoint: lines.rest.to_owned(),
        })
    }

    /// The origin that the checkpoint states: its first line. Nothing of it is verified; it says
    /// which log's key to verify with.
    pub fn stated_origin(&self) -> &str {
        self.checkpoint.split('\n').next().unwrap_or_default()
    }

    /// Checks that the leaf with this hash is in the log whose key is `log`, by the steps of C2SP
    /// tlog-proof, "Verifying a tlog proof": 1 is the caller's, who computes the leaf hash; 3,
    /// cosignatures, is the policy's.
    ///
    /// Fails with [`TlogProofError::Checkpoint`] or [`TlogProofError::Inclusion`].
    pub fn verify(
        &self,
        leaf: &Hash,
        log: &VerifierKey,
    ) -> Result<VerifiedInclusion, TlogProofError> {
        // 2. The checkpoint is that of the log, and signed by it.
        let checkpoint = VerifiedCheckpoint::verify(&self.checkpoint, log)?;
        // 4. The inclusion proof leads from the leaf to the checkpoint's root.
        verify_inclusion(
            leaf,
            self.index,
            checkpoint.size(),
            &self.path,
            &checkpoint.root(),
        )?;
        Ok(VerifiedInclusion {
            checkpoint,
            index: self.index,
            leaf: *leaf,
        })
    }
}

/// The proof as text.
impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(f, "extra {}", BASE64_STANDARD.encode(extra))?;
        }
        writeln!(f, "index {}", self.index)?;
        for hash in &self.path {
            writeln!(f, "{}", BASE64_STANDARD.encode(hash.as_bytes()))?;
        }
        write!(f, "\n{}", self.checkpoint)
    }
}

/// A leaf that is proven to be in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedInclusion {
    checkpoint: VerifiedCheckpoint,
    index: LeafIndex,
    leaf: Hash,
}

impl VerifiedInclusion {
    /// The checkpoint under which the leaf is.
    pub fn checkpoint(&self) -> &VerifiedCheckpoint {
        &self.checkpoint
    }

    /// Where the leaf is.
    pub fn index(&self) -> LeafIndex {
        self.index
    }

    /// The leaf's hash.
    pub fn leaf_hash(&self) -> Hash {
        self.leaf
    }
}

/// The lines of a text that are not read yet, and the number of the last one that was read.
struct Lines<'a> {
    rest: &'a str,
    number: usize,
}

impl<'a> Lines<'a> {
    /// The next line, without its line break; `None` if no line break is left.
    fn next_line(&mut self) -> Option<&'a str> {
        self.number += 1;
        let (line, rest) = self.rest.split_once('\n')?;
        self.rest = rest;
        Some(line)
    }

    /// The hashes, one a line, up to the empty line before the checkpoint.
    fn hashes(&mut self) -> Result<Vec<Hash>, TlogProofError> {
        let mut path = Vec::new();
        loop {
            let line = self
                .next_line()
                .ok_or(self.error("a hash or the empty line before the checkpoint"))?;
            if line.is_empty() {
                return Ok(path);
            }
            if path.len() == limits::PROOF_HASHES {
                return Err(TlogProofError::TooManyHashes);
            }
            let hash = BASE64_STANDARD
                .decode(line)
                .ok()
                .and_then(|bytes| Hash::from_slice(&bytes));
            path.push(hash.ok_or(self.error("the base64 of a 32-byte hash"))?);
        }
    }

    fn error(&self, expected: &'static str) -> TlogProofError {
        TlogProofError::Format {
            line: self.number,
            expected,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::Checkpoint;
    use crate::note::SignerKey;
    use crate::tree::{Frontier, TreeSize};
    use proptest::prelude::*;

    fn signer() -> SignerKey {
        SignerKey::from_seed("example.com/log", &[1; 32]).unwrap()
    }

    fn leaf(i: u64) -> Hash {
        crate::hash::leaf_hash(&[i as u8])
    }

    /// The proof of leaf 0 of 2.
    fn proof() -> TlogProof {
        let mut frontier = Frontier::new();
        frontier.append(&[leaf(0), leaf(1)]);
        let checkpoint = Checkpoint {
            origin: signer().name().into(),
            size: frontier.size(),
            root: frontier.root(),
        };
        let checkpoint = checkpoint.sign(&signer());
        TlogProof {
            extra: Some(b"extra".to_vec()),
            index: LeafIndex::new(0),
            path: vec![leaf(1)],
            checkpoint,
        }
    }

    #[test]
    fn a_proof_verifies_and_no_changed_one_does() {
        let text = proof().to_string();
        let log = signer().verifier();
        let verify = |bytes: &[u8], leaf: &Hash| {
            TlogProof::parse(bytes).and_then(|proof| proof.verify(leaf, &log))
        };
        let verified = verify(text.as_bytes(), &leaf(0)).unwrap();
        assert_eq!(verified.checkpoint().size(), TreeSize::new(2));
        assert_eq!(
            (verified.index(), verified.leaf_hash()),
            (LeafIndex::new(0), leaf(0))
        );

        // The extra data is not authenticated; all other bytes are.
        let extra = text.find("extra ").unwrap() + 6..text.find("\nindex").unwrap();
        for i in (0..text.len()).filter(|i| !extra.contains(i)) {
            for bit in 0..8 {
                let mut damaged = text.clone().into_bytes();
                damaged[i] ^= 1 << bit;
                assert!(verify(&damaged, &leaf(0)).is_err(), "byte {i}, bit {bit}");
            }
        }
        for cut in 0..text.len() {
            assert!(
                verify(&text.as_bytes()[..cut], &leaf(0)).is_err(),
                "cut at {cut}"
            );
        }
        assert!(matches!(
            verify(text.as_bytes(), &leaf(1)),
            Err(TlogProofError::Inclusion(ProofError::Root { .. }))
        ));
    }

    #[test]
    fn each_check_that_fails_is_named() {
        let stranger = SignerKey::from_seed("example.com/other", &[1; 32])
            .unwrap()
            .verifier();
        assert!(matches!(
            proof().verify(&leaf(0), &stranger),
            Err(TlogProofError::Checkpoint(_))
        ));
        let long = TlogProof {
            path: vec![leaf(1); 2],
            ..proof()
        };
        let refused = long.verify(&leaf(0), &signer().verifier());
        assert_eq!(
            refused,
            Err(TlogProofError::Inclusion(ProofError::Length {
                want: 1,
                got: 2
            }))
        );
    }

    #[test]
    fn an_extra_line_without_data_is_read_and_written_as_the_reference_does() {
        let text = proof().to_string().replace("extra ZXh0cmE=", "extra ");
        let read = TlogProof::parse(text.as_bytes()).unwrap();
        assert_eq!(read.extra, Some(vec![]));
        assert_eq!(read.to_string(), text);
        assert!(read.verify(&leaf(0), &signer().verifier()).is_ok());
        let without = text.replace("extra \n", "");
        let read = TlogProof::parse(without.as_bytes()).unwrap();
        assert_eq!(
            (&read.extra, read.stated_origin()),
            (&None, "example.com/log")
        );
    }

    #[test]
    fn malformed_proofs_are_refused_naming_the_line() {
        let text = proof().to_string();
        let hash = BASE64_STANDARD.encode([0; 32]);
        let cases = [
            (1, String::new()),
            (1, text.replace("@v1", "@v2")),
            (1, text.replace('\n', "\r\n")),
            (2, text.replace("extra ", "extra")),
            (2, text.replace("extra ", "extra =")),
            (2, format!("{HEADER}\nextra\nindex 0\n\nnote\n")),
            (2, format!("{HEADER}\nextra  \nindex 0\n\nnote\n")),
            (2, format!("{HEADER}\nindex 00\n\nnote\n")),
            (2, format!("{HEADER}\nindex -1\n\nnote\n")),
            (2, format!("{HEADER}\n\nnote\n")),
            (
                3,
                format!("{HEADER}\nextra AAAA\nextra AAAA\nindex 0\n\nnote\n"),
            ),
            (3, format!("{HEADER}\nindex 0\n{}\n\nnote\n", &hash[..43])),
            (
                3,
                format!(
                    "{HEADER}\nindex 0\n{}\n\nnote\n",
                    BASE64_STANDARD.encode([0; 64])
                ),
            ),
            (3, format!("{HEADER}\nindex 0\n")),
            (4, format!("{HEADER}\nindex 0\n\n")),
        ];
        for (line, text) in cases {
            let error = TlogProof::parse(text.as_bytes()).unwrap_err();
            assert!(
                matches!(error, TlogProofError::Format { line: at, .. } if at == line),
                "{error} in {text:?}"
            );
        }
        let refused = TlogProof::parse(&[text.as_bytes(), b"\xff"].concat()).unwrap_err();
        assert!(matches!(
            refused,
            TlogProofError::Format {
                expected: "UTF-8 text",
                ..
            }
        ));
    }

    #[test]
    fn a_proof_is_bounded() {
        let with = |hashes: usize| {
            TlogProof {
                path: vec![leaf(1); hashes],
                ..proof()
            }
            .to_string()
        };
        assert!(TlogProof::parse(with(64).as_bytes()).is_ok());
        assert_eq!(
            TlogProof::parse(with(65).as_bytes()),
            Err(TlogProofError::TooManyHashes)
        );
        let long = vec![b'\n'; limits::RECEIPT_BYTES + 1];
        assert_eq!(
            TlogProof::parse(&long),
            Err(TlogProofError::TooLong(long.len()))
        );
    }

    proptest! {
        #[test]
        fn any_proof_reads_back(
            extra in prop::option::of(prop::collection::vec(any::<u8>(), 0..100)),
            index in any::<u64>(),
            path in prop::collection::vec(any::<[u8; 32]>(), 0..=64),
            checkpoint in "[a-z\n]{1,40}",
        ) {
            let path = path.into_iter().map(Hash::new).collect();
            let proof = TlogProof { extra, index: LeafIndex::new(index), path, checkpoint };
            prop_assert_eq!(TlogProof::parse(proof.to_string().as_bytes()), Ok(proof));
        }

        #[test]
        fn whatever_is_read_has_one_spelling(bytes in "c2sp.org/tlog-proof@v1\n(extra \
            [A-Za-z0-9+/=]{0,8}\n)?index [0-9]{0,3}\n{0,2}.{0,3}") {
            if let Ok(proof) = TlogProof::parse(bytes.as_bytes()) {
                prop_assert_eq!(proof.to_string(), bytes);
            }
        }
    }
}
