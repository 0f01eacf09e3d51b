//! Asking other servers over HTTP: one kind of client, and answers that are bounded.

use reqwest::{Client, ClientBuilder, Response, redirect::Policy};

/// A client that asks nobody but the server it is told to: no proxy of the environment, and no
/// redirect. The caller adds how long it waits.
pub(crate) fn builder() -> ClientBuilder {
    Client::builder()
        .no_proxy()
        .redirect(Policy::none())
        .user_agent(concat!("assay-node/", env!("CARGO_PKG_VERSION")))
}

/// Returns the body of an answer, or `None` if it has more than `most` bytes, of which no more are
/// kept. Fails if the connection breaks.
pub(crate) async fn body(
    mut answer: Response,
    most: usize,
) -> Result<Option<Vec<u8>>, reqwest::Error> {
    let announced = answer.content_length().unwrap_or(0);
    if announced > most as u64 {
        return Ok(None);
    }
    let mut bytes = Vec::with_capacity(announced as usize);
    while let Some(piece) = answer.chunk().await? {
        if bytes.len() + piece.len() > most {
            return Ok(None);
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(Some(bytes))
}
