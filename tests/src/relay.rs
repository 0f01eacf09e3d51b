//! A line between two processes that a test cuts, holds up and mends.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::{
    io::{self, AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
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
