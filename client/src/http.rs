//! Plain HTTP to nodes: the TLS settings of a call, for whatever is fetched so.

pub(crate) mod instead;

use crate::{ClientError, Tls};

/// Returns what makes HTTP clients with these TLS settings, which follow no redirects and use no
/// proxy. Fails with [`ClientError::Usage`] if the settings cannot be used.
pub(crate) fn builder(tls: &Tls) -> Result<reqwest::ClientBuilder, ClientError> {
    let pems = tls.read()?;
    let mut builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    if let Some(ca) = pems.ca {
        let ca = reqwest::Certificate::from_pem_bundle(&ca).map_err(bad_pem)?;
        builder = builder.tls_certs_only(ca);
    }
    if let Some((mut cert, key)) = pems.identity {
        cert.push(b'\n');
        cert.extend_from_slice(&key);
        builder = builder.identity(reqwest::Identity::from_pem(&cert).map_err(bad_pem)?);
    }
    Ok(builder)
}

/// What is said of TLS settings that cannot be used.
pub(crate) fn bad_pem(error: reqwest::Error) -> ClientError {
    ClientError::Usage(format!(
        "the TLS settings cannot be used: {error}; check the PEM files"
    ))
}

/// Fails with [`ClientError::Usage`] unless `url` is an http or https address.
pub(crate) fn demand_address(url: &str, whose: &str) -> Result<(), ClientError> {
    if url.starts_with("http://") || url.starts_with("https://") {
        return Ok(());
    }
    Err(ClientError::Usage(format!(
        "{url} is no address of {whose}; write http://HOST:PORT or https://HOST:PORT"
    )))
}
