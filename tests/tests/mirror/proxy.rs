//! A server between a mirror and a log, which counts what is fetched, and lies when it is told to.

use axum::{
    Router,
    body::Bytes,
    extract::{Path, State},
    http::StatusCode,
    response::{IntoResponse, Response},
    routing::get,
};
use std::sync::{Arc, Mutex, MutexGuard};
use tokio::sync::Notify;

/// How it behaves, and what came of it.
#[derive(Debug, Default)]
pub struct Conduct {
    /// The log's address, as a URL; none while the log cannot be reached.
    pub target: Option<String>,
    /// What paths have in them of which one bit comes wrong.
    pub flip: Option<&'static str>,
    /// The paths that were asked for and answered, in order.
    pub served: Vec<String>,
}

/// The server. It stops with the runtime of the test.
#[derive(Debug, Clone)]
pub struct Proxy {
    /// Where it is.
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    conduct: Mutex<Conduct>,
    /// Tells of each answer.
    answered: Notify,
}

impl Proxy {
    /// Starts a server that reaches nothing yet.
    pub async fn start() -> anyhow::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let shared = Arc::<Shared>::default();
        let router = Router::new().route("/{*path}", get(pass));
        let router = router.with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Proxy { url, shared })
    }

    /// How it behaves.
    pub fn conduct(&self) -> MutexGuard<'_, Conduct> {
        self.shared.conduct.lock().unwrap()
    }

    /// How many answers were given to paths that have this in them.
    pub fn served(&self, part: &str) -> usize {
        let conduct = self.conduct();
        let asked = conduct.served.iter().filter(|path| path.contains(part));
        asked.count()
    }

    /// Waits until so many answers were given to paths that have this in them.
    pub async fn until_served(&self, part: &str, count: usize) {
        loop {
            // Told of every answer from here on.
            let answered = self.shared.answered.notified();
            if self.served(part) >= count {
                return;
            }
            answered.await;
        }
    }
}

async fn pass(State(shared): State<Arc<Shared>>, Path(path): Path<String>) -> Response {
    let (target, flip) = {
        let conduct = shared.conduct.lock().unwrap();
        (conduct.target.clone(), conduct.flip)
    };
    let Some(target) = target else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let Ok(answer) = reqwest::get(format!("{target}/{path}")).await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let status = answer.status();
    let Ok(bytes) = answer.bytes().await else {
        return StatusCode::BAD_GATEWAY.into_response();
    };
    let is_wrong = flip.is_some_and(|part| path.contains(part));
    let bytes = if is_wrong { flipped(&bytes) } else { bytes };
    shared.conduct.lock().unwrap().served.push(path);
    shared.answered.notify_waiters();
    (status, bytes).into_response()
}

fn flipped(bytes: &[u8]) -> Bytes {
    let mut wrong = bytes.to_vec();
    let middle = wrong.len() / 2;
    wrong[middle] ^= 0x10;
    wrong.into()
}
