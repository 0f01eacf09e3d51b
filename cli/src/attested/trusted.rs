//! What the person names to verify attestations with.

use super::Trust;
use crate::{config::Settings, exit::Failure};
use clap::Args;
use std::path::{Path, PathBuf};

/// Whom the person trusts to sign attestations.
#[derive(Debug, Args)]
pub struct Trusted {
    /// Whom to trust in Sigstore: a trusted root, as Sigstore distributes it. Attestations are
    /// verified with it, and one that does not verify is not published [default:
    /// ~/.config/assay/trusted_root.json, if it is there]
    #[arg(long, env = "ASSAY_TRUSTED_ROOT", value_name = "FILE")]
    trusted_root: Option<PathBuf>,
    /// Keys of a registry that signs without certificates: a list as npm's, or one key in PEM
    #[arg(long, env = "ASSAY_TRUSTED_KEYS", value_name = "FILE")]
    trusted_keys: Option<PathBuf>,
}

impl Trusted {
    /// Whether the person named a trusted root.
    pub fn is_named(&self) -> bool {
        self.trusted_root.is_some()
    }

    /// The trusted root: the one that was named, else the default if it is there.
    pub fn root<'s>(&'s self, settings: &'s Settings) -> Option<&'s Path> {
        let default = Some(&settings.trusted_root).filter(|path| path.exists());
        self.trusted_root.as_ref().or(default).map(PathBuf::as_path)
    }

    /// Reads the trusted root at `root`, and the keys that were named.
    ///
    /// Fails with [`Failure::Usage`] if one of the files is not what it should be.
    pub fn read(&self, root: &Path) -> Result<Trust, Failure> {
        Trust::read(root, self.trusted_keys.as_deref())
    }
}
