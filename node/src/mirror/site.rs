//! Fetching what a log publishes: its checkpoint, tiles and bundles of entries (C2SP tlog-tiles).
//!
//! Every answer is bounded, before and after it is unpacked: bundles may come as gzip, asked or
//! not. Left out: whether what came is the log's (`assay_tlog::mirror`).

use super::limits::BESIDE_OTHERS;
use crate::http_client;
use assay_tlog::Hash;
use assay_tlog::limits::NOTE_BYTES;
use assay_tlog::mirror::VerifiedTree;
use assay_tlog::tree::tile::{TILE_WIDTH, TileError};
use assay_tlog::tree::{Resource, Tile, TileIndex, TilePath, TreeSize};
use flate2::read::MultiGzDecoder;
use reqwest::{Response, StatusCode, header};
use std::{io::Read, time::Duration};

/// Longest wait for a connection, and for the next piece of an answer.
const PATIENCE: Duration = Duration::from_secs(20);

/// Longest time for one answer. The longest bundle has 17 MB.
const WHOLE: Duration = Duration::from_secs(120);

/// The same for an answer of at most [`BESIDE_OTHERS`] bytes, as nearly all are.
const SHORT: Duration = Duration::from_secs(20);

/// Why something could not be fetched.
#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    /// No connection, or it broke.
    #[error("{path} cannot be fetched")]
    Unreachable {
        /// What was asked for.
        path: String,
        /// Why.
        source: reqwest::Error,
    },
    /// It took too long.
    #[error("{path} did not come within {most:?}")]
    Slow {
        /// What was asked for.
        path: String,
        /// How long that may take.
        most: Duration,
    },
    /// The server has another answer than the thing.
    #[error("{path}: the server answered {status}")]
    Status {
        /// What was asked for.
        path: String,
        /// The answer.
        status: StatusCode,
    },
    /// It is longer than it can be.
    #[error("{path} has more than {most} bytes")]
    TooLong {
        /// What was asked for.
        path: String,
        /// Bytes that it may have.
        most: usize,
    },
    /// It is packed in a way that is not known, or wrongly.
    #[error("{path} cannot be unpacked: {reason}")]
    Packed {
        /// What was asked for.
        path: String,
        /// Why.
        reason: String,
    },
    /// A checkpoint that is no text.
    #[error("{path} is no text")]
    NotText {
        /// What was asked for.
        path: String,
    },
    /// Something that is no tile.
    #[error("{path} is no tile")]
    NotATile {
        /// What was asked for.
        path: String,
        /// Why.
        source: TileError,
    },
}

/// Where a log is published.
#[derive(Debug, Clone)]
pub struct Site {
    http: reqwest::Client,
    base: String,
    /// Longest time for an answer of at most [`BESIDE_OTHERS`] bytes.
    short: Duration,
}

/// Returns a client for all sites.
pub fn client() -> Result<reqwest::Client, reqwest::Error> {
    http_client::builder()
        .connect_timeout(PATIENCE)
        .read_timeout(PATIENCE)
        .timeout(WHOLE)
        .build()
}

impl Site {
    /// The log at `url`.
    pub fn new(http: reqwest::Client, url: &str) -> Self {
        Site {
            http,
            base: url.trim_end_matches('/').to_owned(),
            short: SHORT,
        }
    }

    /// The same, with another time for short answers.
    #[cfg(test)]
    pub(super) fn within(self, short: Duration) -> Self {
        Site { short, ..self }
    }

    /// Where it is.
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Returns the note that is published now.
    pub async fn checkpoint(&self) -> Result<String, FetchError> {
        let path = "checkpoint";
        let note = self.get(path, NOTE_BYTES).await?;
        String::from_utf8(note).map_err(|_| FetchError::NotText { path: path.into() })
    }

    /// Returns a tile of `width` hashes, or the full one that it has become.
    pub async fn tile(&self, at: TileIndex, width: u16) -> Result<Tile, FetchError> {
        let most = TILE_WIDTH * Hash::LEN;
        let (path, bytes) = self.resource(Resource::Tile(at), width, most).await?;
        Tile::parse(&bytes).map_err(|source| FetchError::NotATile { path, source })
    }

    /// Returns the partial tiles on the right edge of the tree of `size`.
    pub async fn edge(&self, size: TreeSize) -> Result<Vec<Tile>, FetchError> {
        let mut edge = Vec::new();
        for path in VerifiedTree::edge(size) {
            if let Resource::Tile(tile) = path.resource() {
                edge.push(self.tile(tile, path.width()).await?);
            }
        }
        Ok(edge)
    }

    /// Returns a bundle of `width` entries, or the full one that it has become, if that has at most
    /// `most` bytes.
    pub async fn bundle(&self, index: u64, width: u16, most: usize) -> Result<Vec<u8>, FetchError> {
        let (_, bytes) = self.resource(Resource::Entries(index), width, most).await?;
        Ok(bytes)
    }

    /// Fetches a resource; if it is partial and gone, the full one (C2SP tlog-tiles, "Partial
    /// Tiles": a log may delete partial tiles once the full one exists).
    async fn resource(
        &self,
        resource: Resource,
        width: u16,
        most: usize,
    ) -> Result<(String, Vec<u8>), FetchError> {
        let full = TILE_WIDTH as u16;
        let partial = path(resource, width);
        match self.get(&partial, most).await {
            Err(FetchError::Status {
                status: StatusCode::NOT_FOUND | StatusCode::GONE,
                ..
            }) if width < full => {
                let path = path(resource, full);
                let bytes = self.get(&path, most).await?;
                Ok((path, bytes))
            }
            other => Ok((partial, other?)),
        }
    }

    async fn get(&self, path: &str, most: usize) -> Result<Vec<u8>, FetchError> {
        let getting = self.get_whole(path, most);
        if most > BESIDE_OTHERS {
            return getting.await;
        }
        let slow = |_| FetchError::Slow {
            path: path.to_owned(),
            most: self.short,
        };
        tokio::time::timeout(self.short, getting)
            .await
            .map_err(slow)?
    }

    async fn get_whole(&self, path: &str, most: usize) -> Result<Vec<u8>, FetchError> {
        let unreachable = |source| FetchError::Unreachable {
            path: path.to_owned(),
            source,
        };
        let too_long = || FetchError::TooLong {
            path: path.to_owned(),
            most,
        };
        let request = self.http.get(format!("{}/{path}", self.base));
        let answer = request.send().await.map_err(unreachable)?;
        if answer.status() != StatusCode::OK {
            return Err(FetchError::Status {
                path: path.to_owned(),
                status: answer.status(),
            });
        }
        let is_packed = is_gzip(&answer, path)?;
        let bytes = http_client::body(answer, most).await;
        let bytes = bytes.map_err(unreachable)?.ok_or_else(too_long)?;
        if !is_packed {
            return Ok(bytes);
        }
        let unpacked = unpack(&bytes, most).map_err(|error| FetchError::Packed {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        unpacked.ok_or_else(too_long)
    }
}

/// Whether an answer is packed. Fails if it is, and not with gzip.
fn is_gzip(answer: &Response, path: &str) -> Result<bool, FetchError> {
    match answer.headers().get(header::CONTENT_ENCODING) {
        None => Ok(false),
        Some(encoding) if encoding == "identity" => Ok(false),
        Some(encoding) if encoding == "gzip" => Ok(true),
        Some(encoding) => Err(FetchError::Packed {
            path: path.to_owned(),
            reason: format!("the encoding {encoding:?} is not known"),
        }),
    }
}

/// Unpacks gzip, or returns `None` for what has more than `most` bytes.
fn unpack(packed: &[u8], most: usize) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    MultiGzDecoder::new(packed)
        .take(most as u64 + 1)
        .read_to_end(&mut bytes)?;
    Ok((bytes.len() <= most).then_some(bytes))
}

/// The path of a resource; widths here are 1 to 256, so there is always one.
fn path(resource: Resource, width: u16) -> String {
    TilePath::new(resource, width).map_or_else(|_| String::new(), |path| path.to_path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn what_unpacks_to_more_than_it_may_is_refused() {
        let bomb = packed(&vec![0; 1 << 20]);
        assert!(bomb.len() < 2_000);
        assert_eq!(unpack(&bomb, 1 << 20).unwrap(), Some(vec![0; 1 << 20]));
        assert_eq!(unpack(&bomb, (1 << 20) - 1).unwrap(), None);
        assert_eq!(unpack(&bomb, 10).unwrap(), None);
        for end in 0..bomb.len() {
            assert!(unpack(&bomb[..end], 1 << 20).is_err(), "cut at {end}");
        }
    }
}
