//! What keys sign, and how (C2SP signed-note, "Signature types").

/// What a key signs, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Type 0x01: Ed25519 over the note's text.
    Ed25519,
    /// Type 0x04: a timestamped Ed25519 signature of a checkpoint (C2SP tlog-cosignature).
    CosignatureV1,
    /// Type 0x06: a timestamped ML-DSA-44 signature of a checkpoint, by a witness or by the log
    /// itself (C2SP tlog-cosignature).
    MlDsa44,
}

impl Algorithm {
    const ALL: [Algorithm; 3] = [
        Algorithm::Ed25519,
        Algorithm::CosignatureV1,
        Algorithm::MlDsa44,
    ];

    /// The byte that stands for it.
    pub const fn byte(self) -> u8 {
        match self {
            Algorithm::Ed25519 => 0x01,
            Algorithm::CosignatureV1 => 0x04,
            Algorithm::MlDsa44 => 0x06,
        }
    }

    pub(super) fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.byte() == byte)
    }

    /// Whether a log signs its checkpoints so (C2SP tlog-checkpoint).
    pub const fn is_of_logs(self) -> bool {
        matches!(self, Algorithm::Ed25519 | Algorithm::MlDsa44)
    }

    /// Whether a witness cosigns so (C2SP tlog-cosignature).
    pub const fn is_of_witnesses(self) -> bool {
        matches!(self, Algorithm::CosignatureV1 | Algorithm::MlDsa44)
    }
}
