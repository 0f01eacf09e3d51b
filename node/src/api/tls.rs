//! TLS from files, by rustls with aws-lc-rs. SIGHUP reads the files again. Open connections stay as
//! they are.

use crate::config::TlsConfig;
use arc_swap::ArcSwap;
use assay_keyfile::private;
use rustls::{RootCertStore, ServerConfig, server::WebPkiClientVerifier};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};
use tokio_rustls::TlsAcceptor;

/// Why the TLS files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing, unreadable, or not PEM of the right kind.
    #[error("{path} cannot be used: {reason}", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The certificate and the key do not belong together.
    #[error(
        "the certificate {certificate} and the key {key} cannot be used together",
        certificate = certificate.display(),
        key = key.display()
    )]
    Pair {
        /// The certificate file.
        certificate: PathBuf,
        /// The key file.
        key: PathBuf,
        /// Why not.
        source: rustls::Error,
    },
}

/// TLS for new connections, as the files were when they were last read.
pub struct Tls {
    files: TlsConfig,
    current: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads the files. Fails if one is missing, malformed, or a key that others can reach.
    pub fn load(files: TlsConfig) -> Result<Self, TlsError> {
        Ok(Tls {
            current: ArcSwap::from_pointee(read(&files)?),
            files,
        })
    }

    /// Reads the files again. On an error the old ones stay in force.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.current.store(Arc::new(read(&self.files)?));
        Ok(())
    }

    /// The acceptor for the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.current.load_full())
    }
}

fn read(files: &TlsConfig) -> Result<ServerConfig, TlsError> {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = certificates(&files.certificate)?;
    let unusable = |reason: String| TlsError::File {
        path: files.key.clone(),
        reason,
    };
    let key = private::open(&files.key).map_err(|e| unusable(e.to_string()))?;
    let key = PrivateKeyDer::from_pem_reader(key);
    let key = key.map_err(|e| unusable(e.to_string()))?;
    let pair = |source| TlsError::Pair {
        certificate: files.certificate.clone(),
        key: files.key.clone(),
        source,
    };
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(pair)?;
    let builder = match &files.client_authorities {
        None => builder.with_no_client_auth(),
        Some(path) => {
            let unusable = |reason: String| TlsError::File {
                path: path.clone(),
                reason,
            };
            let mut roots = RootCertStore::empty();
            for authority in certificates(path)? {
                roots.add(authority).map_err(|e| unusable(e.to_string()))?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                .build()
                .map_err(|e| unusable(e.to_string()))?;
            builder.with_client_cert_verifier(verifier)
        }
    };
    let mut config = builder.with_single_cert(chain, key).map_err(pair)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(config)
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let unusable = |reason: String| TlsError::File {
        path: path.into(),
        reason,
    };
    let file = assay_host::files::open(path).map_err(|e| unusable(e.to_string()))?;
    let found: Result<Vec<_>, _> = CertificateDer::pem_reader_iter(file).collect();
    let found = found.map_err(|e| unusable(e.to_string()))?;
    if found.is_empty() {
        return Err(unusable("it holds no certificate".into()));
    }
    Ok(found)
}
