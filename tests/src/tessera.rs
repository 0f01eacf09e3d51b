//! Tessera's conformance log on POSIX files as a process: a log that is not ours, with a feeder
//! that brings its checkpoints to a witness.

use crate::interop::{Foreign, build};
use crate::ports::free_address;
use crate::process::poll;
use crate::witness::request;
use anyhow::{Context, anyhow, ensure};
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{
    Resource, Tile, TileIndex, TilePath, TileReader, TreeSize, prove_consistency,
};
use futures::{StreamExt, stream};
use std::{
    fs, io,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::runtime::Handle;

/// Builds the log's program into a folder.
pub fn build_posix(folder: &Path) -> anyhow::Result<PathBuf> {
    let program = Foreign {
        module: "load",
        package: "github.com/transparency-dev/tessera/cmd/conformance/posix",
    };
    build(program, &folder.join("posix")).map_err(|error| anyhow!("posix: {error}"))
}

/// A log that runs. It publishes a checkpoint a second.
#[derive(Debug)]
pub struct TesseraLog {
    /// Where its checkpoint and tiles are, without a slash at the end.
    pub url: String,
    key: SignerKey,
    http: reqwest::Client,
    process: Child,
}

impl TesseraLog {
    /// Runs an empty log with a key, in a folder of its own.
    pub fn start(program: &Path, folder: &Path, key: SignerKey) -> anyhow::Result<Self> {
        // It cannot say which port it took.
        TesseraLog::start_at(program, folder, key, free_address()?)
    }

    /// Runs a log with a key at an address: an empty one, or what is in the folder already.
    pub fn start_at(
        program: &Path,
        folder: &Path,
        key: SignerKey,
        address: SocketAddr,
    ) -> anyhow::Result<Self> {
        fs::create_dir_all(folder)?;
        let private = folder.join("key");
        fs::write(&private, key.to_private_string().as_bytes())?;
        let process = Command::new(program)
            .arg(format!("--listen={address}"))
            .arg(format!("--storage_dir={}", folder.join("log").display()))
            .arg(format!("--private_key={}", private.display()))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let mut log = TesseraLog {
            url: format!("http://{address}"),
            key,
            http: reqwest::Client::new(),
            process,
        };
        poll(|| {
            let ended = log.process.try_wait()?;
            ensure!(ended.is_none(), "the Tessera log ended");
            Ok(TcpStream::connect(address).ok())
        })?;
        Ok(log)
    }

    /// Adds entries, and waits for a checkpoint that covers them.
    pub async fn grow(&self, entries: &[String]) -> anyhow::Result<VerifiedCheckpoint> {
        let add = |entry: &String| {
            let call = self.http.post(format!("{}/add", self.url));
            call.body(entry.clone()).send()
        };
        // It answers once it has 256 entries, or after a second.
        let mut answers = stream::iter(entries.iter().map(add)).buffer_unordered(280);
        let mut last = 0;
        while let Some(answer) = answers.next().await {
            let index: u64 = answer?.error_for_status()?.text().await?.parse()?;
            last = last.max(index);
        }
        let deadline = tokio::time::Instant::now() + Duration::from_secs(60);
        loop {
            let head = self.checkpoint().await?;
            if head.size().get() > last {
                return Ok(head);
            }
            let now = tokio::time::Instant::now();
            ensure!(now < deadline, "the Tessera log publishes nothing");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Its latest checkpoint.
    pub async fn checkpoint(&self) -> anyhow::Result<VerifiedCheckpoint> {
        let answer = self.http.get(format!("{}/checkpoint", self.url));
        let note = answer.send().await?.error_for_status()?.text().await?;
        Ok(VerifiedCheckpoint::verify(&note, &self.key.verifier())?)
    }

    async fn tile(&self, at: TileIndex, size: TreeSize) -> anyhow::Result<Tile> {
        let path = TilePath::new(Resource::Tile(at), at.width_at(size))?.to_path();
        let answer = self.http.get(format!("{}/{path}", self.url)).send().await?;
        let bytes = answer.error_for_status()?.bytes().await.context(path)?;
        Ok(Tile::parse(&bytes)?)
    }

    /// What a feeder sends to a witness that holds the size `old`: the proof is computed from the
    /// log's tiles. On a runtime of several threads only.
    pub fn feed(&self, old: u64, head: &VerifiedCheckpoint) -> anyhow::Result<String> {
        let proof = tokio::task::block_in_place(|| {
            prove_consistency(self, TreeSize::new(old), head.size())
        })?;
        Ok(request(old, &proof, head.note()))
    }
}

impl TileReader for TesseraLog {
    type Error = io::Error;

    fn tiles(&self, wanted: &[TileIndex], size: TreeSize) -> io::Result<Vec<Arc<Tile>>> {
        let mut tiles = Vec::new();
        for at in wanted {
            let tile = Handle::current().block_on(self.tile(*at, size));
            tiles.push(Arc::new(tile.map_err(io::Error::other)?));
        }
        Ok(tiles)
    }
}

impl Drop for TesseraLog {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
