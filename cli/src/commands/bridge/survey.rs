//! All that a source says now.

use super::{folder::Folder, problems::Problems};
use crate::exit::Failure;
use assay_client::plain;
use assay_intake::bridge::{Bridge, NotVerified, Record, Says, Survey, Verifier};

/// Attestations that are not republished.
#[derive(Debug, Default)]
pub struct LeftOut {
    /// How many do not verify. Each is a problem, too.
    pub failed: usize,
    /// How many are signed with a key that was not given.
    pub without_key: usize,
    /// The name of one such key.
    pub key: String,
}

impl LeftOut {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.failed + self.without_key
    }

    /// Takes down a record, if it is an attestation that is left out.
    ///
    /// Fails with [`Failure::Usage`] if nobody said whom to trust.
    fn see(
        &mut self,
        place: &str,
        record: &Record,
        problems: &mut Problems,
    ) -> Result<(), Failure> {
        let Says::NotVerified(reason) = &record.says else {
            return Ok(());
        };
        match reason {
            NotVerified::NoTrust => {
                return Err(Failure::Usage(format!(
                    "{} has attestations, which have to be verified: name a trusted root of \
                     Sigstore with --trusted-root",
                    plain(place)
                )));
            }
            NotVerified::NoKey(name) => {
                self.without_key += 1;
                self.key.clone_from(name);
            }
            NotVerified::Failed(reason) => {
                self.failed += 1;
                problems.add(place, reason);
            }
        }
        Ok(())
    }
}

/// Reads all that the source says now. What cannot be read goes to `problems`.
///
/// Fails with [`Failure::Usage`] if there are attestations, and nobody said whom to trust.
pub fn survey(
    folder: &Folder,
    bridge: &Bridge,
    now: &str,
    verifier: &dyn Verifier,
    problems: &mut Problems,
) -> Result<(Survey, LeftOut), Failure> {
    let (mut survey, mut left_out) = (Survey::default(), LeftOut::default());
    // What was not found could not be read, either.
    for place in &folder.unread {
        survey.cannot_read(place);
    }
    for place in &folder.places {
        let read = folder.read(place).and_then(|bytes| {
            let records = bridge.read(place, &bytes, now, verifier);
            records.map_err(|e| e.to_string())
        });
        match read {
            Ok(records) => {
                for record in &records {
                    left_out.see(place, record, problems)?;
                    survey.see(place, record);
                }
            }
            Err(reason) => {
                problems.add(place, &reason);
                survey.cannot_read(place);
            }
        }
    }
    Ok((survey, left_out))
}
