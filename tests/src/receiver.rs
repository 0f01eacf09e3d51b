//! A webhook's receiver: HTTP/1.1, a request a connection, as little as the test needs.

use serde_json::Value;
use std::{
    io::{self, BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

#[derive(Default)]
struct State {
    /// The status with which it refuses.
    refuses: Option<&'static str>,
    taken: Option<Value>,
}

/// A receiver that listens until the test ends.
pub struct Receiver {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Receiver {
    /// Listens on a port that is free.
    pub fn bind() -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let url = format!("http://{}/hook", listener.local_addr()?);
        let state: Arc<Mutex<State>> = Arc::default();
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // A sender that is killed in the middle is no fault of the receiver.
                let _ = answer(stream, &shared);
            }
        });
        Ok(Receiver { url, state })
    }

    /// Where it takes events.
    pub fn url(&self) -> String {
        self.url.clone()
    }

    /// Refuses events from now on, or takes them.
    pub fn refuse(&self, refuses: bool) {
        held(&self.state).refuses = refuses.then_some("503 Service Unavailable");
    }

    /// Says from now on that it is gone for good.
    pub fn go(&self) {
        held(&self.state).refuses = Some("410 Gone");
    }

    /// The last event that was taken.
    pub fn taken(&self) -> Option<Value> {
        held(&self.state).taken.clone()
    }
}

fn answer(stream: TcpStream, state: &Mutex<State>) -> io::Result<()> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let line = line.trim_end().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(stated) = line.strip_prefix("content-length:") {
            length = stated.trim().parse().map_err(io::Error::other)?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let mut state = held(state);
    let status = state.refuses.unwrap_or_else(|| {
        state.taken = serde_json::from_slice(&body).ok();
        "200 OK"
    });
    let head = format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    reader.get_mut().write_all(head.as_bytes())
}

/// The state, whoever panicked while it was held.
fn held(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}
