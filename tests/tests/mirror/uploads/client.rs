//! A client of tlog-mirror that is written for these tests from the specification, and a mirror
//! that logs bring their entries to.

use anyhow::{Context as _, ensure};
use assay_tests::mirror::Mirror;
use assay_tests::process::Node;
use assay_tests::witness::{History, Said, add};
use assay_tlog::Hash;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::hash::leaf_hash;
use assay_tlog::tree::{Frontier, Resource, TileIndex, TilePath, TreeSize};
use base64::prelude::{BASE64_STANDARD, Engine as _};
use flate2::{Compression, write::GzEncoder};
use std::io::Write as _;

/// The type of sentences and signature lines.
const TEXT: &str = "text/plain; charset=utf-8";

/// An answer with these headers.
pub fn said(status: u16, headers: &[(&str, &str)], body: &str) -> Said {
    let headers = headers
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    let mut headers: Vec<_> = headers.collect();
    headers.sort();
    Said {
        status,
        headers,
        body: body.to_owned(),
    }
}

/// The answer to `add-checkpoint`.
pub fn text(status: u16, body: &str) -> Said {
    said(status, &[("content-type", TEXT)], body)
}

/// The answer to `add-entries`.
pub fn upload(status: u16, body: &str) -> Said {
    said(
        status,
        &[("accept-encoding", "gzip"), ("content-type", TEXT)],
        body,
    )
}

/// Where an upload goes on.
pub fn info(status: u16, size: u64, next: u64, ticket: &[u8]) -> Said {
    let headers = [
        ("accept-encoding", "gzip"),
        ("content-type", "text/x.tlog.mirror-info"),
    ];
    let ticket = BASE64_STANDARD.encode(ticket);
    said(status, &headers, &format!("{size}\n{next}\n{ticket}\n"))
}

fn entry(log: &History, index: u64) -> Vec<u8> {
    format!("{} {index}", log.origin).into_bytes()
}

fn root(leaves: &[Hash]) -> Hash {
    let mut frontier = Frontier::new();
    frontier.append(leaves);
    frontier.root()
}

/// A subtree consistency proof (draft-ietf-plants-merkle-tree-certs-02) of a bundle, which is a
/// whole node of the tree, or all of it that there is on the right edge.
fn proof(start: usize, end: usize, leaves: &[Hash]) -> Vec<Hash> {
    let n = leaves.len();
    if (start, end) == (0, n) {
        return Vec::new();
    }
    let (left, right) = leaves.split_at(n.next_power_of_two() / 2);
    let k = left.len();
    let (mut path, beside) = if end <= k {
        (proof(start, end, left), right)
    } else {
        (proof(start - k, end - k, right), left)
    };
    path.push(root(beside));
    path
}

pub fn header(log: &History, start: u64, end: u64, ticket: &[u8]) -> Vec<u8> {
    let origin = log.origin.as_bytes();
    let mut bytes = Vec::new();
    bytes.extend((origin.len() as u16).to_be_bytes());
    bytes.extend(origin);
    bytes.extend(start.to_be_bytes());
    bytes.extend(end.to_be_bytes());
    bytes.extend((ticket.len() as u16).to_be_bytes());
    bytes.extend(ticket);
    bytes
}

/// A whole request.
pub fn body(log: &History, start: u64, end: u64) -> Vec<u8> {
    body_with(log, start, end, b"")
}

/// A whole request with a ticket.
pub fn body_with(log: &History, start: u64, end: u64, ticket: &[u8]) -> Vec<u8> {
    let mut bytes = header(log, start, end, ticket);
    let leaves: Vec<Hash> = (0..end).map(|i| leaf_hash(&entry(log, i))).collect();
    let mut next = start;
    while next < end {
        let last = end.min((next / 256 + 1) * 256);
        for index in next..last {
            let entry = entry(log, index);
            bytes.extend((entry.len() as u16).to_be_bytes());
            bytes.extend(entry);
        }
        let hashes = proof((next / 256 * 256) as usize, last as usize, &leaves);
        bytes.push(hashes.len() as u8);
        bytes.extend(hashes.iter().flat_map(|hash| *hash.as_bytes()));
        next = last;
    }
    bytes
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// A body to be sent.
pub enum Body {
    /// All of it, with its length.
    Plain(Vec<u8>),
    /// In pieces, without.
    Stream(reqwest::Body),
}

/// A node that is a mirror of logs which nobody can fetch.
pub struct Pushed {
    pub node: Node,
    own: CosignerVerifier,
    http: reqwest::Client,
}

impl Pushed {
    pub fn start(logs: &[&History]) -> anyhow::Result<Self> {
        let mut mirror = Mirror::init("mirror.example/m", "")?;
        for log in logs {
            mirror.add_log(&log.origin, &log.vkey(), "http://127.0.0.1:1")?;
        }
        mirror.node.run()?;
        Ok(Pushed {
            node: mirror.node,
            own: mirror.own,
            http: reqwest::Client::new(),
        })
    }

    pub fn kill_and_run(&mut self) -> anyhow::Result<()> {
        self.node.kill()?;
        self.node.run()
    }

    fn url(&self) -> String {
        format!("{}/mirror", self.node.ready().url)
    }

    /// Sends the body of an `add-checkpoint` request.
    pub async fn add(&self, body: String) -> anyhow::Result<Said> {
        add(&self.http, &self.url(), body).await
    }

    /// Sends the body of an `add-checkpoint` request by another client.
    pub async fn add_by(&self, http: &reqwest::Client, body: String) -> anyhow::Result<Said> {
        add(http, &self.url(), body).await
    }

    pub async fn send(&self, body: Body, headers: &[(&str, &str)]) -> anyhow::Result<Said> {
        self.send_by(&self.http, body, headers).await
    }

    /// Sends the body of an `add-entries` request by another client.
    pub async fn send_by(
        &self,
        http: &reqwest::Client,
        body: Body,
        headers: &[(&str, &str)],
    ) -> anyhow::Result<Said> {
        let body = match body {
            Body::Plain(bytes) => bytes.into(),
            Body::Stream(body) => body,
        };
        let mut request = http.post(format!("{}/add-entries", self.url())).body(body);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let mut headers = Vec::new();
        for (name, value) in response.headers() {
            if !["date", "content-length"].contains(&name.as_str()) {
                headers.push((name.as_str(), value.to_str()?));
            }
        }
        let mut answer = said(status, &headers, "");
        answer.body = response.text().await?;
        Ok(answer)
    }

    /// Sends the body of an `add-entries` request.
    pub async fn upload(&self, body: Vec<u8>) -> anyhow::Result<Said> {
        let headers = [("content-type", "application/octet-stream")];
        self.send(Body::Plain(body), &headers).await
    }

    pub async fn upload_packed(&self, body: &[u8]) -> anyhow::Result<Said> {
        self.send_packed(gzip(body)).await
    }

    /// Sends a body that is packed.
    pub async fn send_packed(&self, packed: Vec<u8>) -> anyhow::Result<Said> {
        let headers = [
            ("content-type", "application/octet-stream"),
            ("content-encoding", "gzip"),
        ];
        self.send(Body::Plain(packed), &headers).await
    }

    /// What the mirror says of its largest pending size.
    pub async fn state(&self, log: &History) -> anyhow::Result<Said> {
        self.upload(header(log, 0, 1 << 40, b"")).await
    }

    /// The ticket that the mirror gives for its largest pending size.
    pub async fn ticket(&self, log: &History) -> anyhow::Result<Vec<u8>> {
        let said = self.state(log).await?;
        let line = said.body.lines().nth(2).context("no ticket")?;
        Ok(BASE64_STANDARD.decode(line)?)
    }

    /// Checks that the mirror serves this size with its signature lines, and all entries.
    pub async fn check(&self, log: &History, size: u64, lines: &str) -> anyhow::Result<()> {
        let note = log.note(size as usize) + lines;
        ensure!(self.own.verify(&note)?.statements().len() == 2, "{note}");
        let digest = Hash::of(log.origin.as_bytes());
        let base = format!("{}/{digest}", self.url());
        let get = |path: String| self.http.get(format!("{base}/{path}")).send();
        assert_eq!(get("checkpoint".into()).await?.text().await?, note);
        for index in 0..size.div_ceil(256) {
            let mut bundle = Vec::new();
            for i in index * 256..size.min((index + 1) * 256) {
                let entry = entry(log, i);
                bundle.extend((entry.len() as u16).to_be_bytes());
                bundle.extend(entry);
            }
            let width = TileIndex { level: 0, index }.width_at(TreeSize::new(size));
            let path = TilePath::new(Resource::Entries(index), width)?.to_path();
            let answer = get(path).await?.error_for_status()?;
            assert_eq!(answer.bytes().await?, bundle, "bundle {index}");
        }
        Ok(())
    }
}
