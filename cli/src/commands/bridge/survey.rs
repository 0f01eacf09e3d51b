//! All that a source says now.

use super::kept::{Kept, Made};
use super::{TOGETHER, folder::Folder, problems::Problems};
use crate::exit::Failure;
use assay_client::plain;
use assay_intake::bridge::{Bridge, Ledger, NotVerified, Record, Says, Sight, Survey, Verifier};
use assay_tlog::Hash;
use rayon::prelude::*;

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

    /// Takes down an attestation that is left out.
    ///
    /// Fails with [`Failure::Usage`] if nobody said whom to trust.
    fn see(
        &mut self,
        place: &str,
        reason: NotVerified,
        problems: &mut Problems,
    ) -> Result<(), Failure> {
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
                self.key = name;
            }
            NotVerified::Failed(reason) => {
                self.failed += 1;
                problems.add(place, &reason);
            }
        }
        Ok(())
    }
}

/// Reads all that the source says now. What cannot be read goes to `problems`; the claims of what
/// is to be published, against what `making` says is, go to its other half, as far as there is
/// room.
///
/// Fails with [`Failure::Usage`] if there are attestations, and nobody said whom to trust.
pub fn survey(
    folder: &Folder,
    bridge: &Bridge,
    (now, verifier): (&str, &dyn Verifier),
    making: Option<(&Ledger, &Kept)>,
    problems: &mut Problems,
) -> Result<(Survey, LeftOut), Failure> {
    let (mut survey, mut left_out) = (Survey::default(), LeftOut::default());
    // What was not found could not be read, either.
    for place in &folder.unread {
        survey.cannot_read(place);
    }
    for places in folder.places.chunks(TOGETHER) {
        let making = making.filter(|(_, kept)| kept.has_room());
        let read = places.par_iter().map(|place| {
            let bytes = folder.read(place)?;
            let records = bridge.read(place, &bytes, now, verifier);
            let records = records.map_err(|e| e.to_string())?;
            let making = making.map(|(ledger, _)| (ledger, Hash::of(&bytes)));
            let all = records.into_iter();
            Ok(all.map(|it| seen(it, bridge, making.as_ref())).collect())
        });
        let all: Vec<Result<Vec<Seen>, String>> = read.collect();
        for (place, read) in places.iter().zip(all) {
            match read {
                Ok(records) => {
                    for Seen {
                        sight,
                        not_verified,
                        made,
                    } in records
                    {
                        if let Some((made, (_, kept))) = made.zip(making) {
                            kept.keep(made);
                        }
                        if let Some(reason) = not_verified {
                            left_out.see(place, reason, problems)?;
                        }
                        survey.see(place, sight);
                    }
                }
                Err(reason) => {
                    problems.add(place, &reason);
                    survey.cannot_read(place);
                }
            }
        }
    }
    Ok((survey, left_out))
}

/// What is kept of a record.
struct Seen {
    sight: Sight,
    /// Why it is left out, if it is.
    not_verified: Option<NotVerified>,
    /// Its claims, if it is to be published.
    made: Option<Made>,
}

fn seen(record: Record, bridge: &Bridge, making: Option<&(&Ledger, Hash)>) -> Seen {
    let sight = Sight::of(&record);
    let (not_verified, made) = match (record.says, making) {
        (Says::NotVerified(reason), _) => (Some(reason), None),
        (says, Some((ledger, document))) => {
            let record = Record { says, ..record };
            (None, Made::of(record, &sight, document, (bridge, ledger)))
        }
        (_, None) => (None, None),
    };
    Seen {
        sight,
        not_verified,
        made,
    }
}
