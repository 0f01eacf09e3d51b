//! Plain HTTP to nodes: the TLS settings of a call, for whatever is fetched so.

mod address;
pub(crate) mod instead;
pub(crate) mod proxy;

pub use address::wrong_port;
pub(crate) use address::{demand_address, wrong_part};

use crate::{ClientError, Tls};
use proxy::Proxies;
use reqwest::StatusCode;

/// Returns what makes HTTP clients with these TLS settings, which follow no redirects and go
/// through the proxy of the environment. Fails with [`ClientError::Usage`] if the settings cannot
/// be used.
pub(crate) fn builder(tls: &Tls) -> Result<reqwest::ClientBuilder, ClientError> {
    let pems = tls.read()?;
    let mut builder = plain();
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

/// The same without TLS settings, for an address that is no node's.
pub(crate) fn plain() -> reqwest::ClientBuilder {
    let builder = reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none());
    let proxies = Proxies::of_environment().for_http().into_iter();
    proxies.fold(builder, reqwest::ClientBuilder::proxy)
}

/// Fetches what is at `url`, at most `most` bytes; `None` if nothing is there.
///
/// Fails with [`ClientError::Unavailable`] if there is no answer, another status than 2xx and 404,
/// or a page for people, and with [`ClientError::Unverified`] if it is longer.
pub(crate) async fn get(
    http: &reqwest::Client,
    url: &str,
    most: usize,
) -> Result<Option<Vec<u8>>, ClientError> {
    let failed = |error: reqwest::Error| {
        ClientError::unavailable(format!("{url}: no answer"), error.without_url())
    };
    let mut answer = http.get(url).send().await.map_err(failed)?;
    let status = answer.status();
    if status == StatusCode::NOT_FOUND {
        return Ok(None);
    }
    let no_answer = |what: String| ClientError::Unavailable {
        what: format!("{url}: {what}"),
        retry_after: None,
        source: None,
    };
    if !status.is_success() {
        return Err(no_answer(instead::of_status(status, answer.headers())));
    }
    let headers = answer.headers().clone();
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await.map_err(failed)? {
        if bytes.len() + piece.len() > most {
            let what = format!("{url} has more than {most} bytes");
            return Err(ClientError::unverified(what));
        }
        bytes.extend_from_slice(&piece);
    }
    if let Some(what) = instead::of_body(&headers, &bytes) {
        return Err(no_answer(what));
    }
    Ok(Some(bytes))
}

/// What is said of TLS settings that cannot be used.
pub(crate) fn bad_pem(error: reqwest::Error) -> ClientError {
    ClientError::Usage(format!(
        "the TLS settings cannot be used: {error}; check the PEM files"
    ))
}
