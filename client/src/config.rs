//! What a client needs to know, and the files of its TLS settings.

use crate::ClientError;
use assay_core::note::VerifierKey;
use std::path::{Path, PathBuf};

/// Where a log is, whose signature it must bear, and where to remember what was seen of it.
#[derive(Debug, Clone)]
pub struct Config {
    /// `http://host:port` or `https://host:port`.
    pub url: String,
    /// The log's key. Its name is the log's origin.
    pub log_key: VerifierKey,
    /// Folder for the last head seen of each log and for misbehavior found. It is created when it is missing.
    pub state_dir: PathBuf,
    /// TLS settings; the system's roots and no client certificate by default.
    pub tls: Tls,
}

/// PEM files for TLS.
#[derive(Debug, Clone, Default)]
pub struct Tls {
    /// Certificates to trust instead of the system's roots.
    pub ca: Option<PathBuf>,
    /// This client's certificate chain, for mTLS.
    pub cert: Option<PathBuf>,
    /// This client's private key, for mTLS.
    pub key: Option<PathBuf>,
}

/// The contents of the files that [`Tls`] names.
#[derive(Default)]
pub(crate) struct TlsPems {
    pub ca: Option<Vec<u8>>,
    pub identity: Option<(Vec<u8>, Vec<u8>)>,
}

impl Tls {
    /// Reads the files. Fails with [`ClientError::Usage`] if one cannot be read, or if a certificate comes without key.
    pub(crate) fn read(&self) -> Result<TlsPems, ClientError> {
        let ca = self.ca.as_deref().map(read_pem).transpose()?;
        let identity = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => Some((read_pem(cert)?, read_pem(key)?)),
            (None, None) => None,
            _ => {
                return Err(ClientError::Usage(
                    "a TLS client certificate and its key go together: give both or neither".into(),
                ));
            }
        };
        Ok(TlsPems { ca, identity })
    }
}

fn read_pem(path: &Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(path).map_err(|e| ClientError::Usage(format!("cannot read the TLS file {}: {e}", path.display())))
}
