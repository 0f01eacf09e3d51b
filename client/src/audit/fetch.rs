//! Fetching checkpoint, bundles and tiles, and hashing bundles as they come.

use super::{AuditError, WIDTH, replay::Replay};
use crate::Tls;
use crate::http::instead;
use crate::http::{bad_pem, builder, demand_address};
use crate::receipt::respelled;
use assay_claims::audit::Read;
use assay_tlog::checkpoint::VerifiedCheckpoint;
use assay_tlog::limits::NOTE_BYTES;
use assay_tlog::note::{Note, VerifierKey};
use assay_tlog::tree::bundle::{self, BUNDLE_BYTES};
use assay_tlog::tree::tile::Resource;
use assay_tlog::tree::{Tile, TileIndex, TilePath};
use assay_tlog::{Hash, hash};
use bytes::Bytes;
use reqwest::StatusCode;
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Longest wait for a connection, and for the next piece of an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longest time that an answer takes as a whole, beside that for its length: who drips ends, too.
const WHOLE: Duration = Duration::from_secs(60);

/// Bytes a second of the slowest line.
const SLOWEST: usize = 32 * 1024;

/// Where a log's tiles are published.
pub(crate) struct Site {
    http: reqwest::Client,
    base: String,
    /// [`WHOLE`], but in tests.
    whole: Duration,
    /// Buffers of bundles that are done: a quarter of a megabyte each, too much to ask the system
    /// for every time.
    spare: Mutex<Vec<Vec<u8>>>,
}

/// A bundle's leaf hashes and, in full mode, its entries.
pub(super) struct Bundle {
    pub hashes: Vec<Hash>,
    pub entries: Option<Read<()>>,
}

impl Site {
    /// HTTP/1.1 over as many connections as there are fetches: measured faster than streams of one
    /// HTTP/2 connection, whose frames of 16 KiB cost a copy and a wake-up each.
    pub fn new(url: &str, tls: &Tls, connections: usize) -> Result<Self, AuditError> {
        demand_address(url, "a log").map_err(AuditError::Usage)?;
        let builder = builder(tls)
            .map_err(AuditError::Usage)?
            .http1_only()
            .pool_max_idle_per_host(connections)
            .connect_timeout(PATIENCE)
            .read_timeout(PATIENCE);
        let http = builder
            .build()
            .map_err(|error| AuditError::Usage(bad_pem(error)))?;
        Ok(Site {
            http,
            base: url.trim_end_matches('/').to_owned(),
            whole: WHOLE,
            spare: Mutex::default(),
        })
    }

    /// Returns the checkpoint that is published now, its signature checked.
    pub async fn checkpoint(&self, log: &VerifierKey) -> Result<VerifiedCheckpoint, AuditError> {
        let mut note = vec![];
        let url = format!("{}/checkpoint", self.base);
        let unavailable = |what: &str| AuditError::unavailable(&url, what, None);
        let got = self.get("checkpoint", NOTE_BYTES, &mut note).await;
        let no_checkpoint =
            "what the server answers is no checkpoint; is this the address of a log?";
        match got {
            Ok(true) => {}
            Ok(false) => {
                return Err(unavailable(
                    "the server has no checkpoint there; is this the address of a log?",
                ));
            }
            Err(AuditError::Bundle { .. }) => return Err(unavailable(no_checkpoint)),
            Err(error) => return Err(error),
        }
        let text = std::str::from_utf8(&note).unwrap_or_default();
        VerifiedCheckpoint::verify(text, log).map_err(|error| {
            if is_respelled(&note, log) {
                return AuditError::Respelled { url: url.clone() };
            }
            // What neither is a note nor begins as this log's blames nobody: it is another site's.
            if !text.starts_with(log.name()) && Note::parse(&note).is_err() {
                return unavailable(no_checkpoint);
            }
            AuditError::Checkpoint(error.into())
        })
    }

    /// Fetches bundle `index` of `width` entries, hashes it, and compares its tile of leaf hashes.
    pub(super) async fn bundle(
        &self,
        index: u64,
        width: u64,
        replay: Option<Arc<Replay>>,
    ) -> Result<Bundle, AuditError> {
        let path = |width| path(Resource::Entries(index), width);
        let mut bytes = self.spare().pop().unwrap_or_default();
        self.get_whole(width, path, BUNDLE_BYTES, &mut bytes)
            .await?;
        let hashes = leaf_hashes(&path(width), &bytes, width)?;
        let tile = TileIndex { level: 0, index };
        self.compare(tile, &hashes).await?;
        let (bytes, entries) = match replay {
            None => (bytes, None),
            Some(replay) => {
                let first = index * WIDTH;
                let bytes = Bytes::from(bytes);

                match tokio::task::spawn_blocking(move || {
                    replay
                        .verify_bundle(first, &bytes, width)
                        .map(|entries| (bytes.into(), Some(entries)))
                })
                .await
                {
                    Ok(done) => done?,
                    Err(e) => return Err(AuditError::Interrupted(e.to_string())),
                }
            }
        };
        self.spare().push(bytes);
        Ok(Bundle { hashes, entries })
    }

    /// Fetches the tile that should hold `hashes` and compares.
    pub async fn compare(&self, tile: TileIndex, hashes: &[Hash]) -> Result<(), AuditError> {
        let path = |width| path(Resource::Tile(tile), width);
        let width = hashes.len() as u64;
        let mut bytes = vec![];
        self.get_whole(width, path, WIDTH as usize * Hash::LEN, &mut bytes)
            .await?;
        let same = bytes.len() >= hashes.len() * Hash::LEN
            && hashes
                .iter()
                .zip(bytes.chunks_exact(Hash::LEN))
                .all(|(hash, served)| hash.as_bytes()[..] == *served);
        // Where a whole tile was fetched in place of a partial one, its later hashes are not yet
        // known; otherwise there must be no more.
        let exact = bytes.len() == hashes.len() * Hash::LEN
            || (width < WIDTH && bytes.len() == WIDTH as usize * Hash::LEN);
        if same && exact {
            Ok(())
        } else {
            Err(AuditError::Tile { path: path(width) })
        }
    }

    /// Returns the tile, of `width` hashes or the full one that it has become; `None` if there is
    /// neither.
    pub async fn tile(&self, at: TileIndex, width: u16) -> Result<Option<Tile>, AuditError> {
        let path = |width| path(Resource::Tile(at), width);
        let (width, mut bytes) = (u64::from(width), vec![]);
        let most = WIDTH as usize * Hash::LEN;
        for width in [width, WIDTH] {
            if self.get(&path(width), most, &mut bytes).await? {
                let tile = Tile::parse(&bytes).map_err(|error| AuditError::Bundle {
                    path: path(width),
                    reason: error.to_string(),
                })?;
                return Ok(Some(tile));
            }
        }
        Ok(None)
    }

    /// Fetches a resource of `width`; if it is partial and gone, the full one that replaced it
    /// (C2SP tlog-tiles, "Partial Tiles": a log may delete partial tiles once the full one exists).
    async fn get_whole(
        &self,
        width: u64,
        path: impl Fn(u64) -> String,
        most: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<(), AuditError> {
        if width < WIDTH && self.get(&path(width), most, bytes).await? {
            return Ok(());
        }
        let full = path(WIDTH);
        if self.get(&full, most, bytes).await? {
            Ok(())
        } else {
            let url = format!("{}/{full}", self.base);
            Err(AuditError::unavailable(
                &url,
                "the log does not serve it",
                None,
            ))
        }
    }

    /// Puts the resource at `path`, at most `most` bytes of it, in place of what is in `bytes`;
    /// returns whether there is one. Waits no longer for it than a slow line takes.
    async fn get(&self, path: &str, most: usize, bytes: &mut Vec<u8>) -> Result<bool, AuditError> {
        let whole = self.whole + Duration::from_secs((most / SLOWEST) as u64);
        let got = tokio::time::timeout(whole, self.get_all(path, most, bytes)).await;
        got.unwrap_or_else(|_| {
            let url = format!("{}/{path}", self.base);
            let what = format!("the answer was not whole within {} s", whole.as_secs());
            Err(AuditError::unavailable(&url, what, None))
        })
    }

    async fn get_all(
        &self,
        path: &str,
        most: usize,
        bytes: &mut Vec<u8>,
    ) -> Result<bool, AuditError> {
        bytes.clear();
        let url = format!("{}/{path}", self.base);
        let failed = |e: reqwest::Error| AuditError::unavailable(&url, "no answer", Some(e.into()));
        let mut answer = self.http.get(&url).send().await.map_err(failed)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(false),
            status => {
                let what = instead::of_status(status, answer.headers());
                return Err(AuditError::unavailable(&url, what, None));
            }
        }
        let headers = answer.headers().clone();
        let length = answer.content_length().unwrap_or(0).min(most as u64);
        bytes.reserve(length as usize);
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > most {
                break;
            }
        }
        if let Some(what) = instead::of_body(&headers, bytes) {
            return Err(AuditError::unavailable(&url, what, None));
        }
        if bytes.len() > most {
            return Err(AuditError::Bundle {
                path: path.to_owned(),
                reason: format!("more than {most} bytes"),
            });
        }
        Ok(true)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a checkpoint that does not verify would, as it was before somebody changed its spelling.
fn is_respelled(note: &[u8], log: &VerifierKey) -> bool {
    let (before, changes) = respelled::lines(note);
    let before = std::str::from_utf8(&before);
    !changes.is_empty() && before.is_ok_and(|it| VerifiedCheckpoint::verify(it, log).is_ok())
}

/// The path of a resource; widths here are 1 to 256, so there is always one.
fn path(resource: Resource, width: u64) -> String {
    let width = u16::try_from(width).unwrap_or(u16::MAX);
    TilePath::new(resource, width).map_or_else(|_| String::new(), |path| path.to_path())
}

/// The leaf hashes of the first `width` entries of a bundle, which has that many or is full.
fn leaf_hashes(path: &str, bytes: &[u8], width: u64) -> Result<Vec<Hash>, AuditError> {
    let malformed = |reason: String| AuditError::Bundle {
        path: path.to_owned(),
        reason,
    };
    let mut hashes = Vec::with_capacity(width as usize);
    let mut count = 0;
    for entry in bundle::entries(bytes) {
        let entry = entry.map_err(|e| malformed(e.to_string()))?;
        if count < width {
            hashes.push(hash::leaf_hash(entry));
        }
        count += 1;
    }
    if count == width || (count == WIDTH && width < WIDTH) {
        Ok(hashes)
    } else {
        Err(malformed(format!("{count} entries instead of {width}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    /// The server begins an answer and keeps the connection: no piece of it is waited for so short.
    #[tokio::test]
    async fn an_answer_that_does_not_end_is_left() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = async {
            let (mut socket, _) = listener.accept().await.unwrap();
            let _ = socket.read(&mut [0; 512]).await.unwrap();
            let begun = b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n1";
            socket.write_all(begun).await.unwrap();
            std::future::pending::<()>().await;
        };
        let mut site = Site::new(&url, &Tls::default(), 1).unwrap();
        site.whole = Duration::from_millis(50);
        let mut bytes = Vec::new();
        let error = tokio::select! {
            got = site.get("x", 9, &mut bytes) => got.unwrap_err(),
            () = server => return,
        };
        assert!(error.to_string().contains("not whole within"), "{error}");
    }
}
