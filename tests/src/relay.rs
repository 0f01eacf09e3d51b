//! Lines between two processes: one that a test cuts, holds up and mends, and one that breaks after
//! so many bytes.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
};

/// What the line does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line {
    /// It passes everything on at once.
    Up,
    /// What comes back is held until the line does something else.
    Held,
    /// What comes back is passed on after so long, as if the line were long.
    Late(Duration),
    /// Connections are closed as they come, and open ones are cut.
    Down,
}

/// A line to one address. Dropping it cuts it.
#[derive(Debug)]
pub struct Relay {
    /// Where it takes connections.
    pub address: SocketAddr,
    line: watch::Sender<Line>,
}

impl Relay {
    /// Starts a line to `target`, on the runtime of the test.
    pub async fn start(target: SocketAddr, line: Line) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let (line, state) = watch::channel(line);
        tokio::spawn(accept(listener, target, state));
        Ok(Relay { address, line })
    }

    /// Changes the line, for open connections too.
    pub fn set(&self, line: Line) {
        self.line.send_replace(line);
    }
}

async fn accept(listener: TcpListener, target: SocketAddr, mut state: watch::Receiver<Line>) {
    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let Ok((stream, _)) = accepted else { continue };
                if *state.borrow() != Line::Down {
                    tokio::spawn(pass(stream, target, state.clone()));
                }
            }
            changed = state.changed() => if changed.is_err() { return },
        }
    }
}

async fn pass(near: TcpStream, target: SocketAddr, mut state: watch::Receiver<Line>) {
    let Ok(far) = TcpStream::connect(target).await else {
        return;
    };
    let (mut near_in, mut near_out) = near.into_split();
    let (mut far_in, mut far_out) = far.into_split();
    let mut line = state.clone();
    let back = async {
        let mut buffer = vec![0; 64 << 10];
        loop {
            let read = far_in.read(&mut buffer).await?;
            if read == 0 {
                return io::Result::Ok(());
            }
            let moves = line.wait_for(|line| *line != Line::Held).await;
            let moves = *moves.map_err(io::Error::other)?;
            if let Line::Late(by) = moves {
                tokio::time::sleep(by).await;
            }
            near_out.write_all(&buffer[..read]).await?;
        }
    };
    tokio::select! {
        _ = io::copy(&mut near_in, &mut far_out) => {}
        _ = back => {}
        _ = state.wait_for(|line| *line == Line::Down) => {}
    }
}

/// Bytes that a line carries, by the way that they go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carried {
    /// To the target.
    pub there: u64,
    /// Back to who calls.
    pub back: u64,
}

impl Carried {
    /// More than any test sends.
    pub const ALL: Carried = Carried {
        there: u64::MAX,
        back: u64::MAX,
    };
}

/// A line to one address that breaks once it has carried so many bytes one way, in the middle of
/// whatever they belong to: for the connections that are open, and for all that come.
#[derive(Debug)]
pub struct Fuse {
    /// Where it takes connections, as a URL.
    pub url: String,
    there: Arc<AtomicU64>,
    back: Arc<AtomicU64>,
    broken: watch::Receiver<bool>,
}

impl Fuse {
    /// Starts a line to `target`, on the runtime of the test, that carries at most so much.
    pub async fn start(target: SocketAddr, most: Carried) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}", listener.local_addr()?);
        let (there, back) = (Arc::default(), Arc::default());
        let (breaks, broken) = watch::channel(false);
        let fuse = Fuse {
            url,
            there,
            back,
            broken,
        };
        let ways = [
            Way::new(&fuse.there, most.there, &breaks),
            Way::new(&fuse.back, most.back, &breaks),
        ];
        tokio::spawn(async move {
            while let Ok((near, _)) = listener.accept().await {
                // What is sent to a line that broke is not taken.
                if !*breaks.borrow()
                    && let Ok(far) = TcpStream::connect(target).await
                {
                    tokio::spawn(carry(near, far, ways.clone()));
                }
            }
        });
        Ok(fuse)
    }

    /// What all connections carried together.
    pub fn carried(&self) -> Carried {
        Carried {
            there: self.there.load(Ordering::Relaxed),
            back: self.back.load(Ordering::Relaxed),
        }
    }

    /// Whether it broke.
    pub fn is_broken(&self) -> bool {
        *self.broken.borrow()
    }

    /// Waits until it breaks.
    pub async fn breaks(&mut self) -> io::Result<()> {
        let broken = self.broken.wait_for(|broken| *broken).await;
        broken.map(drop).map_err(io::Error::other)
    }
}

/// One way of a line that breaks.
#[derive(Debug, Clone)]
struct Way {
    carried: Arc<AtomicU64>,
    most: u64,
    breaks: watch::Sender<bool>,
}

impl Way {
    fn new(carried: &Arc<AtomicU64>, most: u64, breaks: &watch::Sender<bool>) -> Self {
        Way {
            carried: carried.clone(),
            most,
            breaks: breaks.clone(),
        }
    }

    /// Carries bytes until one side ends it or it breaks.
    async fn carry(&self, mut from: OwnedReadHalf, mut to: OwnedWriteHalf) -> io::Result<()> {
        let mut buffer = vec![0; 4 << 10];
        loop {
            let read = from.read(&mut buffer).await? as u64;
            if read == 0 {
                return to.shutdown().await;
            }
            let before = self.carried.fetch_add(read, Ordering::Relaxed);
            let left = self.most.saturating_sub(before).min(read);
            to.write_all(&buffer[..left as usize]).await?;
            if left < read {
                self.breaks.send_replace(true);
                return Ok(());
            }
        }
    }
}

async fn carry(near: TcpStream, far: TcpStream, [there, back]: [Way; 2]) {
    let mut broken = there.breaks.subscribe();
    let (near_in, near_out) = near.into_split();
    let (far_in, far_out) = far.into_split();
    tokio::select! {
        _ = there.carry(near_in, far_out) => {}
        _ = back.carry(far_in, near_out) => {}
        _ = broken.wait_for(|broken| *broken) => {}
    }
}
