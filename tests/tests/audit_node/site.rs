//! Logs that are made entry by entry, right or wrong, and served from a folder.

use anyhow::Context;
use assay_claims::entry::{self, Entry, wire::Claim};
use assay_claims::index::Commitment;
use assay_tests::{index::Rebuilt, site, static_http::StaticHttp};
use assay_tlog::Hash;
use assay_tlog::note::SignerKey;
use bytes::Bytes;
use std::time::{SystemTime, UNIX_EPOCH};

/// A log of which somebody makes every entry.
pub struct Made {
    pub key: SignerKey,
    pub entries: Vec<Bytes>,
    index: Rebuilt,
    /// When the next entry is logged, in milliseconds since 1970 (UTC).
    pub at: u64,
    folder: tempfile::TempDir,
    server: StaticHttp,
}

impl Made {
    /// A log that commits to the empty index, and is not published yet.
    pub fn new(origin: &str) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let server = StaticHttp::serve(folder.path())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?;
        let mut made = Made {
            key: SignerKey::from_seed(origin, &[7; 32])?,
            entries: Vec::new(),
            index: Rebuilt::default(),
            at: u64::try_from(now.as_millis())? - 3_600_000,
            folder,
            server,
        };
        made.commit()?;
        Ok(made)
    }

    pub fn size(&self) -> u64 {
        self.entries.len() as u64
    }

    /// A table of the configuration that mirrors it.
    pub fn table(&self) -> String {
        format!(
            "[[mirror.log]]\norigin = {:?}\nkeys = [{:?}]\nurl = {:?}\n",
            self.key.name(),
            self.key.verifier().to_string(),
            self.server.url(),
        )
    }

    /// Where a mirror has its copy.
    pub fn path(&self) -> String {
        format!("/mirror/{}", Hash::of(self.key.name().as_bytes()))
    }

    /// Adds a claim that the log may take.
    pub fn push(&mut self, claim: Claim) -> anyhow::Result<()> {
        self.at += 1;
        self.put(entry::encode(self.at, claim)?)
    }

    /// Adds a right entry.
    fn put(&mut self, entry: Bytes) -> anyhow::Result<()> {
        self.index.add(&Entry::parse(entry.clone())?)?;
        self.entries.push(entry);
        Ok(())
    }

    /// Commits to the index.
    pub fn commit(&mut self) -> anyhow::Result<()> {
        self.at += 1;
        let said = self.index.next_commitment()?;
        self.put(entry::encode(self.at, said.to_wire())?)
    }

    /// Commits to the index of no entries, in place of that of all of them. Nothing right can be
    /// added after that.
    pub fn lie(&mut self) -> anyhow::Result<()> {
        self.at += 1;
        let said = entry::encode(self.at, Commitment::empty().to_wire())?;
        self.entries.push(said);
        Ok(())
    }

    /// Signs and serves what there is.
    pub fn publish(&self) -> anyhow::Result<()> {
        site::write(self.folder.path(), &self.entries, &self.key).context("the log's folder")
    }
}
