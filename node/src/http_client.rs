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

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{Router, body::Body, routing::get};
    use futures::stream;

    /// An answer of 8 bytes, which says so before, and one of 8 bytes that does not.
    #[tokio::test]
    async fn an_answer_has_so_many_bytes() {
        let pieces = || {
            let pieces = [b"1234", b"5678"].map(|piece| Ok::<_, std::io::Error>(&piece[..]));
            Body::from_stream(stream::iter(pieces))
        };
        let app = Router::new()
            .route("/announced", get(|| async { "12345678" }))
            .route("/pieces", get(move || async move { pieces() }));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let client = builder().build().unwrap();
        for path in ["announced", "pieces"] {
            for (most, whole) in [(8, Some(b"12345678".to_vec())), (7, None)] {
                let url = format!("http://{address}/{path}");
                let answer = client.get(url).send().await.unwrap();
                assert_eq!(body(answer, most).await.unwrap(), whole, "{path} {most}");
            }
        }
    }
}
