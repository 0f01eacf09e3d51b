//! What mirrors show that a log signed: its operator may have an older checkpoint file. Made anew
//! as of that, the log would go on from there, and contradict what it signed before.

use super::source::Mirrors;
use crate::mirror::site::Site;
use crate::reason::with_causes;
use assay_tlog::head::{LogVerifier, VerifiedHead};
use assay_tlog::tree::TreeSize;

/// Why a log is not made anew as of its checkpoint file.
#[derive(Debug, thiserror::Error)]
pub enum AheadError {
    /// It signed more than the file says.
    #[error(
        "{url} has a checkpoint over {theirs} entries that this log signed, and the checkpoint \
         file ends with one over {ours}: the file lost its end, or an older copy of it was put \
         back. Bring the newer one back. If there is none, say --checkpoint-file-lost-its-end, and \
         the log is made anew as of what {url} has"
    )]
    Signed {
        /// Who has it.
        url: String,
        /// Its size.
        theirs: TreeSize,
        /// What the file says.
        ours: TreeSize,
    },
    /// It signed two trees of one size.
    #[error(
        "{url} has a checkpoint over {size} entries that this log signed, and the checkpoint file \
         has another one over as many: the log has two histories already. Keep this folder as it \
         is, do not start the node again, and tell those who rely on the log"
    )]
    Forked {
        /// Who has the other one.
        url: String,
        /// The size of both.
        size: TreeSize,
    },
}

/// The newest head that the log signed, of `ours` and what mirrors show. If that is not ours, the
/// operator has to agree first, as `may_be_ahead` says that he did. `tell` is told who cannot be
/// asked.
pub fn newest(
    mirrors: &Mirrors,
    log: &LogVerifier,
    ours: VerifiedHead,
    may_be_ahead: bool,
    tell: &mut dyn FnMut(String),
) -> Result<VerifiedHead, AheadError> {
    let mut newest = ours.clone();
    for site in &mirrors.sites {
        let url = || site.url().to_owned();
        let theirs = match shown(mirrors, log, site) {
            Ok(theirs) => theirs,
            Err(reason) => {
                tell(format!("{} does not say what was signed: {reason}", url()));
                continue;
            }
        };
        let (size, is_other) = (theirs.size(), theirs.root() != ours.root());
        if size == ours.size() && is_other {
            return Err(AheadError::Forked { url: url(), size });
        }
        if size > ours.size() && !may_be_ahead {
            return Err(AheadError::Signed {
                url: url(),
                theirs: size,
                ours: ours.size(),
            });
        }
        if size > newest.size() {
            newest = theirs;
        }
    }
    Ok(newest)
}

/// The head of the log that a mirror shows, or why there is none.
fn shown(mirrors: &Mirrors, log: &LogVerifier, site: &Site) -> Result<VerifiedHead, String> {
    let note = mirrors.runtime.block_on(site.checkpoint());
    let note = note.map_err(|error| with_causes(&error))?;
    log.verify(&note).map_err(|error| with_causes(&error))
}
