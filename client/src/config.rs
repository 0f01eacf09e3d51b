//! What a client needs to know, and the files of its TLS settings.

use crate::ClientError;
use assay_tlog::note::VerifierKey;
use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

/// Where a log is, whose signature it must bear, and where to remember what was seen of it.
#[derive(Debug, Clone)]
pub struct Config {
    /// `http://host:port` or `https://host:port`.
    pub url: String,
    /// The log's key. Its name is the log's origin.
    pub log_key: VerifierKey,
    /// Folder for the last head seen of each log and for misbehavior found. It is created when it
    /// is missing.
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
    /// Reads the files. Fails with [`ClientError::Usage`] if one cannot be read, or if a
    /// certificate comes without key.
    pub(crate) fn read(&self) -> Result<TlsPems, ClientError> {
        let ca = self.ca.as_deref().map(read_pem).transpose()?;
        let identity = match (&self.cert, &self.key) {
            (Some(cert), Some(key)) => {
                refuse_open(key)?;
                Some((read_pem(cert)?, read_pem(key)?))
            }
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

/// Refuses a private key that others may read (docs/design.md 3.1).
fn refuse_open(path: &Path) -> Result<(), ClientError> {
    let shown = path.display();
    let metadata = std::fs::metadata(path)
        .map_err(|e| ClientError::Usage(format!("cannot read the TLS file {shown}: {e}")))?;
    match metadata.permissions().mode() & 0o077 {
        0 => Ok(()),
        _ => Err(ClientError::Usage(format!(
            "the TLS key {shown} can be read by others; run: chmod 600 {shown}"
        ))),
    }
}

fn read_pem(path: &Path) -> Result<Vec<u8>, ClientError> {
    std::fs::read(path).map_err(|e| {
        ClientError::Usage(format!("cannot read the TLS file {}: {e}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_needs_its_key_and_the_key_is_its_owners_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, mode: u32| {
            let path = folder.path().join(name);
            std::fs::write(&path, "pem").unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            Some(path)
        };
        let cert = file("cert.pem", 0o644);
        let read = |key: Option<PathBuf>| {
            Tls {
                ca: None,
                cert: cert.clone(),
                key,
            }
            .read()
        };
        assert!(read(file("key.pem", 0o600)).is_ok());
        for refused in [
            None,
            file("open.pem", 0o640),
            Some(folder.path().join("none.pem")),
        ] {
            assert!(matches!(read(refused), Err(ClientError::Usage(_))));
        }
    }
}
