//! What a client needs to know, and the files of its TLS settings.

use crate::{ClientError, files};
use assay_tlog::Hash;
use assay_tlog::note::VerifierKey;
use std::{
    net::IpAddr,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};
use tonic::transport::Uri;

/// Where a log is, whose signature it must bear, and where to remember what was seen of it.
#[derive(Debug, Clone)]
pub struct Config {
    /// `http://host:port` or `https://host:port`, with a path if the node is below one.
    pub url: String,
    /// The log's key. Its name is the log's origin.
    pub log_key: VerifierKey,
    /// Keys that the log signed with before. They verify the last head that was seen, so that a log
    /// whose key changed is compared with what it was.
    pub older: Vec<VerifierKey>,
    /// Folder for the last head seen of each log and for misbehavior found. It is created when it
    /// is missing.
    pub state_dir: PathBuf,
    /// TLS settings; the system's roots and no client certificate by default.
    pub tls: Tls,
}

/// The address of the copy that a mirror has of a log: the log's own methods and tiles are below
/// it.
pub fn copy_url(mirror: &str, origin: &str) -> String {
    let digest = Hash::of(origin.as_bytes());
    format!("{}/mirror/{digest}", mirror.trim_end_matches('/'))
}

/// Whether what is sent to this address can be read and held back on the way: it is `http://` and
/// of another machine. What is no address is not: connecting to it fails.
pub fn is_exposed(url: &str) -> bool {
    let Ok(uri) = url.parse::<Uri>() else {
        return false;
    };
    let Some(host) = uri.host().filter(|_| uri.scheme_str() == Some("http")) else {
        return false;
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    match bare.parse::<IpAddr>() {
        Ok(address) => !address.to_canonical().is_loopback(),
        Err(_) => {
            let name = bare.trim_end_matches('.').to_ascii_lowercase();
            name != "localhost" && !name.ends_with(".localhost")
        }
    }
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
    files::read(path).map_err(|e| {
        ClientError::Usage(format!("cannot read the TLS file {}: {e}", path.display()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_http_to_another_machine_is_exposed() {
        for url in [
            "http://log.example",
            "HTTP://log.example:80/x",
            "http://192.0.2.1:7480",
            "http://[2001:db8::1]:7480",
            "http://0.0.0.0",
            "http://localhost.example",
            "http://127.0.0.1.example",
        ] {
            assert!(is_exposed(url), "{url}");
        }
        for url in [
            "https://log.example",
            "http://127.0.0.1:7480",
            "http://127.9.9.9",
            "http://[::1]:7480",
            "http://[::ffff:127.0.0.1]",
            "http://localhost:1",
            "http://LOCALHOST.",
            "http://node.localhost",
            "log.example",
            "",
        ] {
            assert!(!is_exposed(url), "{url}");
        }
    }

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
