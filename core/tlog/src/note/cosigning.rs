//! Keys that cosign checkpoints, wherever they are, and cosignatures that were made elsewhere.

use super::key::{VerifierKey, WrongSignature};
use super::signer::{CosignError, CosignerKey, check_time, signature_line};
use crate::checkpoint::Checkpoint;
use crate::cosignature;
use std::fmt;

/// A key that cosigns checkpoints, wherever it is. Whoever has it hands in a checkpoint and a time,
/// and never bytes, so that it signs nothing else.
pub trait CosigningKey: fmt::Debug + Send + Sync {
    /// The name that it signs under.
    fn name(&self) -> &str;

    /// The key that verifies what this one signs.
    fn verifier(&self) -> VerifierKey;

    /// Returns the signature line for a checkpoint, as [`CosignerKey::cosign`] does.
    fn cosign(&self, checkpoint: &Checkpoint, time: u64) -> Result<String, CosignError>;

    /// Whether somebody else holds the key, who takes a while for each signature.
    fn is_elsewhere(&self) -> bool {
        false
    }

    /// Fails if somebody else holds the key and could not sign, as far as can be seen without a
    /// signature.
    fn look_for(&self) -> Result<(), CosignError> {
        Ok(())
    }
}

impl CosigningKey for CosignerKey {
    fn name(&self) -> &str {
        CosignerKey::name(self)
    }

    fn verifier(&self) -> VerifierKey {
        CosignerKey::verifier(self)
    }

    fn cosign(&self, checkpoint: &Checkpoint, time: u64) -> Result<String, CosignError> {
        CosignerKey::cosign(self, checkpoint, time)
    }
}

impl<K: CosigningKey + ?Sized> CosigningKey for Box<K> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn verifier(&self) -> VerifierKey {
        (**self).verifier()
    }

    fn cosign(&self, checkpoint: &Checkpoint, time: u64) -> Result<String, CosignError> {
        (**self).cosign(checkpoint, time)
    }

    fn is_elsewhere(&self) -> bool {
        (**self).is_elsewhere()
    }

    fn look_for(&self) -> Result<(), CosignError> {
        (**self).look_for()
    }
}

impl VerifierKey {
    /// Returns what a key of type 0x04 signs when it cosigns a checkpoint at `time`, in seconds
    /// since 1970 (UTC), for whoever holds such a key. Fails with [`CosignError::Time`].
    pub fn cosignature_text(checkpoint: &Checkpoint, time: u64) -> Result<String, CosignError> {
        check_time(time)?;
        Ok(cosignature::text(time, &checkpoint.body()))
    }

    /// Returns the signature line of a cosignature that was made elsewhere, line break included.
    /// `signature` comes without its time. Fails with [`WrongSignature`] unless this key verifies,
    /// strictly, that it is one of the checkpoint at `time`.
    pub fn cosignature_line(
        &self,
        checkpoint: &Checkpoint,
        time: u64,
        signature: &[u8],
    ) -> Result<String, WrongSignature> {
        let cosignature = [&time.to_be_bytes(), signature].concat();
        // A plain signature states no time.
        if self.verify(checkpoint.body().as_bytes(), &cosignature)? != Some(time) {
            return Err(WrongSignature);
        }
        Ok(signature_line(self, cosignature))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hash::Hash;
    use crate::note::Algorithm;
    use crate::tree::TreeSize;
    use ed25519_dalek::{Signer as _, SigningKey};

    #[test]
    fn a_cosignature_that_was_made_elsewhere_is_a_line_if_it_is_right() {
        let key = CosignerKey::from_seed("w.example", Algorithm::CosignatureV1, &[7; 32]).unwrap();
        let secret = SigningKey::from_bytes(&[7; 32]);
        let checkpoint = Checkpoint {
            origin: "example.com/log".into(),
            size: TreeSize::new(17),
            root: Hash::of(b"root"),
        };
        let text = VerifierKey::cosignature_text(&checkpoint, 1).unwrap();
        let signature = secret.sign(text.as_bytes()).to_bytes();
        let line = key.cosign(&checkpoint, 1).unwrap();
        let verifier = key.verifier();
        let made = |at, signature: &[u8]| verifier.cosignature_line(&checkpoint, at, signature);
        assert_eq!(made(1, &signature).unwrap(), line);
        assert!(made(2, &signature).is_err());
        assert!(made(1, &signature[..63]).is_err());
        // The same secret as a log's key: it verifies no cosignature.
        let plain = VerifierKey::new("a", Algorithm::Ed25519, verifier.public_key()).unwrap();
        let body = secret.sign(checkpoint.body().as_bytes()).to_bytes();
        for signature in [signature, body] {
            assert!(plain.cosignature_line(&checkpoint, 1, &signature).is_err());
        }
        assert!(made(1, &body).is_err());
        // Its first bytes are no time, though with them it is a signature of the body.
        let (begins, rest) = body.split_first_chunk().unwrap();
        let time = u64::from_be_bytes(*begins);
        assert!(plain.cosignature_line(&checkpoint, time, rest).is_err());
        for time in [0, 1 << 63] {
            let refused = VerifierKey::cosignature_text(&checkpoint, time);
            assert_eq!(refused, Err(CosignError::Time(time)));
        }
    }
}
