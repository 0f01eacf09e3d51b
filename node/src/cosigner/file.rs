//! What a quorum cosigned last, as a file.

use crate::files;
use std::{
    io,
    path::{Path, PathBuf},
};

/// The file. Whoever reads it verifies what it holds.
#[derive(Debug, Clone)]
pub struct CosignedFile(PathBuf);

impl CosignedFile {
    /// The file that belongs to a checkpoint file: its name with `.cosigned`.
    pub fn beside(checkpoint_file: &Path) -> Self {
        let mut path = checkpoint_file.as_os_str().to_owned();
        path.push(".cosigned");
        CosignedFile(path.into())
    }

    /// The note, if there is one.
    pub fn read(&self) -> Option<String> {
        match files::read_text(&self.0) {
            Ok(note) => Some(note),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                let path = self.0.display();
                tracing::warn!(%path, %error, "cannot read what witnesses cosigned last");
                None
            }
        }
    }

    /// Replaces the note, whole or not at all.
    pub(super) fn write(&self, note: &str) {
        if let Err(error) = files::replace(&self.0, note.as_bytes()) {
            let path = self.0.display();
            tracing::warn!(
                %path, %error,
                "cannot keep what witnesses cosigned; after a restart nothing is shown until they \
                 have cosigned again"
            );
        }
    }
}
