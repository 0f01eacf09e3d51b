//! Serving the numbers at an address, for Prometheus to fetch.
//!
//! It answers `GET /metrics` in HTTP/1.1, a connection for each request, and nothing else. Left
//! out: TLS, and who may ask. The numbers name logs and counts; bind it to where they may be read.

use std::{
    io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::{task::JoinHandle, time};

/// Longest head of a request that is read, in bytes.
const HEAD_BYTES: usize = 8 * 1024;

/// How long a connection has, from its first byte to the last of the answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Connections at once. More wait.
const CONNECTIONS: usize = 16;

/// How long is waited after a connection could not be taken, of which files ran out perhaps.
const AGAIN: Duration = Duration::from_millis(100);

/// Serves the numbers until it is dropped.
#[derive(Debug)]
pub struct MetricsServer {
    address: SocketAddr,
    numbers: Arc<Mutex<Option<String>>>,
    task: JoinHandle<()>,
}

impl MetricsServer {
    /// Serves at an address, from a runtime of tokio. Until [`MetricsServer::show`] was called, the
    /// answer is 503. Fails if the address cannot be had.
    pub async fn bind(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        let address = listener.local_addr()?;
        let numbers: Arc<Mutex<Option<String>>> = Arc::default();
        let task = tokio::spawn(serve(listener, numbers.clone()));
        Ok(MetricsServer {
            address,
            numbers,
            task,
        })
    }

    /// Where it serves.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Shows these numbers from now on.
    pub fn show(&self, numbers: String) {
        let mut shown = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
        *shown = Some(numbers);
    }
}

impl Drop for MetricsServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(listener: TcpListener, numbers: Arc<Mutex<Option<String>>>) {
    let places = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let Ok(place) = places.clone().acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            time::sleep(AGAIN).await;
            continue;
        };
        let numbers = numbers.clone();
        tokio::spawn(async move {
            // Who asks too slowly, or goes away, is at fault for it.
            let _ = time::timeout(PATIENCE, answer(stream, &numbers)).await;
            drop(place);
        });
    }
}

async fn answer(mut stream: TcpStream, numbers: &Mutex<Option<String>>) -> io::Result<()> {
    let head = head(&mut stream).await?;
    let (status, body) = match asked(&head) {
        Asked::Numbers => {
            let shown = numbers.lock().unwrap_or_else(PoisonError::into_inner);
            match shown.clone() {
                Some(numbers) => ("200 OK", numbers),
                None => ("503 Service Unavailable", "no round is over yet\n".into()),
            }
        }
        Asked::Other => ("404 Not Found", "the numbers are at /metrics\n".into()),
        Asked::Nothing => ("400 Bad Request", "only GET /metrics is answered\n".into()),
    };
    let length = body.len();
    let text = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n{body}"
    );
    stream.write_all(text.as_bytes()).await?;
    stream.shutdown().await
}

/// The head of a request, or as much as is read of it.
async fn head(stream: &mut TcpStream) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(1024);
    let mut piece = [0; 1024];
    while bytes.len() < HEAD_BYTES && !bytes.windows(4).any(|end| end == b"\r\n\r\n") {
        match stream.read(&mut piece).await? {
            0 => break,
            n => bytes.extend_from_slice(&piece[..n]),
        }
    }
    Ok(bytes)
}

/// What a request asks for.
#[derive(Debug, PartialEq, Eq)]
enum Asked {
    Numbers,
    Other,
    Nothing,
}

fn asked(head: &[u8]) -> Asked {
    let is_whole = head.windows(4).any(|end| end == b"\r\n\r\n");
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let Some(rest) = line.strip_prefix(b"GET ").filter(|_| is_whole) else {
        return Asked::Nothing;
    };
    let path = rest.split(|byte| matches!(byte, b' ' | b'?')).next();
    match path {
        Some(b"/metrics") => Asked::Numbers,
        _ => Asked::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn numbers_are_served_whoever_else_is_connected() {
        let server = MetricsServer::bind(([127, 0, 0, 1], 0).into()).await;
        let server = server.unwrap();
        let get = |path: &str| reqwest::get(format!("http://{}{path}", server.address()));
        assert_eq!(get("/metrics").await.unwrap().status(), 503);
        server.show("a 1\n".into());
        // Who says nothing holds up nobody.
        let silent = TcpStream::connect(server.address()).await.unwrap();
        let answer = get("/metrics").await.unwrap();
        assert_eq!(answer.status(), 200);
        let content = answer.headers()["content-type"].to_str().unwrap();
        assert!(
            content.starts_with("text/plain; version=0.0.4"),
            "{content}"
        );
        assert_eq!(answer.text().await.unwrap(), "a 1\n");
        assert_eq!(get("/").await.unwrap().status(), 404);
        server.show("a 2\n".into());
        let answer = get("/metrics?x").await.unwrap();
        assert_eq!(answer.text().await.unwrap(), "a 2\n");
        drop(silent);
    }

    #[test]
    fn only_a_whole_request_for_the_numbers_gets_them() {
        for (head, expected) in [
            (
                &b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n"[..],
                Asked::Numbers,
            ),
            (b"GET /metrics HTTP/1.1\r\nHost: a\r\n", Asked::Nothing),
            (b"POST /metrics HTTP/1.1\r\n\r\n", Asked::Nothing),
            (b"GET /metricsx HTTP/1.1\r\n\r\n", Asked::Other),
            (b"", Asked::Nothing),
        ] {
            assert_eq!(asked(head), expected);
        }
        assert_eq!(asked(&[b'a'; HEAD_BYTES]), Asked::Nothing);
    }
}
