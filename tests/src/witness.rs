//! A witness as a real process, and a log by hand that asks it.

use crate::process::{binaries, copy_folder, poll};
use crate::site;
use anyhow::{Context, bail, ensure};
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::hash::leaf_hash;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::{Frontier, Tile, TileIndex, TileReader, TreeSize, prove_consistency};
use assay_tlog::witness::Request;
use bytes::Bytes;
use serde::Deserialize;
use std::{
    collections::HashMap,
    convert::Infallible,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Arc,
};

/// The witness's name.
pub const NAME: &str = "witness.example/w";

/// What a witness writes once it answers.
#[derive(Debug, Clone, Deserialize)]
pub struct WitnessReady {
    /// Public address, as a URL: the submission prefix.
    pub url: String,
    /// The monitoring prefix.
    pub monitoring: String,
    /// Admin address, as a URL.
    pub admin: String,
    /// Its keys: Ed25519, then ML-DSA-44.
    pub vkeys: Vec<String>,
}

/// An answer, with every header that is not hop by hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    /// The status.
    pub status: u16,
    /// Name and value of each header but `date` and `content-length`, by name.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: String,
}

/// A witness's folder, with or without a process.
#[derive(Debug)]
pub struct Witness {
    /// Its keys, as `init` printed them: Ed25519, then ML-DSA-44.
    pub vkeys: Vec<String>,
    folder: tempfile::TempDir,
    process: Option<Child>,
    ready: Option<WitnessReady>,
    /// Set for the process, for tests that make the system misbehave.
    pub environment: Vec<(String, String)>,
    /// It has a connection for each request: a test may do something else for longer than a node
    /// waits for another one.
    http: reqwest::Client,
}

impl Witness {
    /// Makes a witness in a folder of its own; nothing runs yet.
    pub fn init() -> anyhow::Result<Self> {
        Witness::named(NAME)
    }

    /// Makes a witness that signs under a name.
    pub fn named(name: &str) -> anyhow::Result<Self> {
        Witness::init_within(name, &[], Vec::new())
    }

    /// The same, with more arguments for `assay-node witness init`, and `environment` is set for it
    /// from then on.
    pub fn init_within(
        name: &str,
        arguments: &[&str],
        environment: Vec<(String, String)>,
    ) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("assay-witness-")
            .tempdir()?;
        let output = Command::new(binaries().join("assay-node"))
            .args(["witness", "init", "--name", name])
            .args(["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--dir"])
            .arg(folder.path())
            .args(arguments)
            .envs(environment.iter().map(|(k, v)| (k, v)))
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "init failed: {said}");
        let printed = String::from_utf8(output.stdout)?;
        Ok(Witness {
            vkeys: printed.lines().map(str::to_owned).collect(),
            folder,
            process: None,
            ready: None,
            environment,
            http: reqwest::Client::builder()
                .pool_max_idle_per_host(0)
                .build()?,
        })
    }

    /// A copy of a witness that is stopped, in a folder of its own. Nothing runs yet.
    pub fn copy_of(first: &Witness) -> anyhow::Result<Self> {
        let folder = tempfile::Builder::new()
            .prefix("assay-witness-")
            .tempdir()?;
        copy_folder(first.folder(), folder.path())?;
        Ok(Witness {
            vkeys: first.vkeys.clone(),
            folder,
            process: None,
            ready: None,
            environment: Vec::new(),
            http: first.http.clone(),
        })
    }

    /// Makes a witness of these logs and runs it.
    pub fn start(logs: &[&History]) -> anyhow::Result<Self> {
        let mut witness = Witness::init()?;
        for log in logs {
            witness.add_log(&log.origin, &log.vkey())?;
        }
        witness.run()?;
        Ok(witness)
    }

    /// Adds a log to the configuration.
    pub fn add_log(&self, origin: &str, vkey: &str) -> anyhow::Result<()> {
        let text = fs::read_to_string(self.config())?;
        let log = format!("\n[[log]]\norigin = {origin:?}\nkeys = [{vkey:?}]\n");
        Ok(fs::write(self.config(), text + &log)?)
    }

    /// Replaces text of the configuration, which must be there.
    pub fn configure(&self, from: &str, to: &str) -> anyhow::Result<()> {
        let text = fs::read_to_string(self.config())?;
        ensure!(text.contains(from), "{from:?} is not in the configuration");
        Ok(fs::write(self.config(), text.replacen(from, to, 1))?)
    }

    /// The folder: `witness.toml`, the keys, `data/`.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn config(&self) -> PathBuf {
        self.folder().join("witness.toml")
    }

    /// Runs a command of `assay-node witness` on this witness's configuration.
    pub fn command(&self, arguments: &[&str]) -> anyhow::Result<Output> {
        let (command, rest) = arguments.split_first().context("no command")?;
        self.assay_node(&["witness", command], rest)
    }

    /// Runs `assay-node` with these words, the configuration and these arguments, to its end.
    pub fn assay_node(&self, words: &[&str], arguments: &[&str]) -> anyhow::Result<Output> {
        let mut run = Command::new(binaries().join("assay-node"));
        run.args(words)
            .arg("--config")
            .arg(self.config())
            .args(arguments)
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null());
        Ok(run.output()?)
    }

    /// Runs the witness and waits until it answers.
    pub fn run(&mut self) -> anyhow::Result<()> {
        let ready = self.folder().join("ready");
        let _ = fs::remove_file(&ready);
        let mut process = Command::new(binaries().join("assay-node"))
            .args(["witness", "run", "--config"])
            .arg(self.config())
            .arg("--ready-file")
            .arg(&ready)
            .envs(self.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(self.folder().join("stderr"))?)
            .spawn()?;
        let exited = poll(|| match process.try_wait()? {
            Some(status) => Ok(Some(Some(status))),
            None => Ok(ready.exists().then_some(None)),
        })?;
        if let Some(status) = exited {
            bail!("the witness ended with {status}: {}", self.stderr());
        }
        self.ready = Some(serde_json::from_slice(&fs::read(&ready)?)?);
        self.process = Some(process);
        Ok(())
    }

    /// What the last process wrote to standard error.
    pub fn stderr(&self) -> String {
        fs::read_to_string(self.folder().join("stderr")).unwrap_or_default()
    }

    /// Kills the process at once, as a power cut does to it.
    pub fn kill(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("the witness does not run")?;
        process.kill()?;
        process.wait()?;
        Ok(())
    }

    /// Stops the process by SIGTERM, and waits until it has ended well.
    pub fn stop(&mut self) -> anyhow::Result<()> {
        let mut process = self.process.take().context("the witness does not run")?;
        let kill = Command::new("kill")
            .arg(process.id().to_string())
            .status()?;
        ensure!(kill.success(), "kill failed");
        let status = poll(|| Ok(process.try_wait()?))?;
        ensure!(
            status.success(),
            "it ended with {status}: {}",
            self.stderr()
        );
        Ok(())
    }

    /// Where it is and what its keys are. Fails if it never ran.
    pub fn ready(&self) -> anyhow::Result<&WitnessReady> {
        self.ready.as_ref().context("the witness was not started")
    }

    /// Sends the body of an `add-checkpoint` request.
    pub async fn add(&self, body: impl Into<reqwest::Body>) -> anyhow::Result<Said> {
        add(&self.http, &self.ready()?.url, body).await
    }

    /// What monitors are served of a log.
    pub async fn monitored(&self, origin: &str) -> anyhow::Result<Said> {
        let digest = Hash::of(origin.as_bytes());
        let url = format!("{}/{digest}/checkpoint", self.ready()?.monitoring);
        said(self.http.get(url).send().await?).await
    }

    /// What the public port answers to a path.
    pub async fn get(&self, path: &str) -> anyhow::Result<Said> {
        let url = format!("{}{path}", self.ready()?.url);
        said(self.http.get(url).send().await?).await
    }

    /// What the admin port answers to a path.
    pub async fn admin(&self, path: &str) -> anyhow::Result<Said> {
        let url = format!("{}{path}", self.ready()?.admin);
        said(self.http.get(url).send().await?).await
    }
}

/// Sends the body of an `add-checkpoint` request to any witness, by its submission prefix.
pub async fn add(
    http: &reqwest::Client,
    url: &str,
    body: impl Into<reqwest::Body>,
) -> anyhow::Result<Said> {
    let url = format!("{url}/add-checkpoint");
    said(http.post(url).body(body).send().await?).await
}

async fn said(response: reqwest::Response) -> anyhow::Result<Said> {
    let status = response.status().as_u16();
    let mut headers = Vec::new();
    for (name, value) in response.headers() {
        if !["date", "content-length"].contains(&name.as_str()) {
            headers.push((name.to_string(), value.to_str()?.to_owned()));
        }
    }
    headers.sort();
    Ok(Said {
        status,
        headers,
        body: response.text().await?,
    })
}

impl Drop for Witness {
    fn drop(&mut self) {
        if let Some(mut process) = self.process.take() {
            let _ = process.kill();
            let _ = process.wait();
        }
    }
}

/// One history of a log, whose leaves are known.
#[derive(Clone)]
pub struct History {
    /// The log.
    pub origin: String,
    key: SignerKey,
    leaves: Vec<Hash>,
}

impl History {
    /// A log with so many leaves. Its key follows from its name.
    pub fn new(origin: &str, leaves: u64) -> anyhow::Result<Self> {
        let seed = Hash::of(origin.as_bytes());
        let leaf = |n: u64| leaf_hash(format!("{origin} {n}").as_bytes());
        Ok(History {
            origin: origin.to_owned(),
            key: SignerKey::from_seed(origin, seed.as_bytes())?,
            leaves: (0..leaves).map(leaf).collect(),
        })
    }

    /// A history of the same log that differs from the leaf `same` on.
    pub fn fork(&self, same: usize) -> Self {
        let mut fork = self.clone();
        for leaf in &mut fork.leaves[same..] {
            *leaf = leaf_hash(leaf.as_bytes());
        }
        fork
    }

    /// Its verifier key.
    pub fn vkey(&self) -> String {
        self.key.verifier().to_string()
    }

    /// Its key.
    pub fn key(&self) -> &SignerKey {
        &self.key
    }

    /// The checkpoint over the first leaves.
    pub fn checkpoint(&self, size: usize) -> Checkpoint {
        let mut frontier = Frontier::new();
        frontier.append(&self.leaves[..size]);
        Checkpoint {
            origin: self.origin.clone(),
            size: TreeSize::new(size as u64),
            root: frontier.root(),
        }
    }

    /// The first entries, of which the leaves are the hashes.
    pub fn entries(&self, count: u64) -> Vec<Bytes> {
        let entries = (0..count).map(|n| format!("{} {n}", self.origin).into());
        entries.collect()
    }

    /// Writes the tiles of the tree over the first leaves into a folder that can be served.
    pub fn write_tiles(&self, folder: &Path, size: usize) -> anyhow::Result<()> {
        site::write_tiles(folder, &self.leaves[..size]).map(drop)
    }

    /// The note that the log signed over the first leaves.
    pub fn note(&self, size: usize) -> String {
        self.checkpoint(size).sign(&self.key)
    }

    /// The proof that the tree over the first `new` leaves extends the one over the first `old`.
    pub fn proof(&self, old: usize, new: usize) -> anyhow::Result<Vec<Hash>> {
        consistency(&self.leaves[..new], old)
    }

    /// What a client that is up to date sends.
    pub fn request(&self, old: usize, new: usize) -> anyhow::Result<String> {
        let proof = self.proof(old, new)?;
        Ok(request(old as u64, &proof, &self.note(new)))
    }
}

/// The body of a request.
pub fn request(old: u64, proof: &[Hash], note: &str) -> String {
    Request::body(TreeSize::new(old), proof, note)
}

struct Tiles(HashMap<TileIndex, Arc<Tile>>);

impl TileReader for Tiles {
    type Error = Infallible;

    fn tiles(&self, wanted: &[TileIndex], _: TreeSize) -> Result<Vec<Arc<Tile>>, Infallible> {
        Ok(wanted.iter().map(|at| self.0[at].clone()).collect())
    }
}

/// The proof that the tree over `leaves` extends the one over the first `old` of them.
pub fn consistency(leaves: &[Hash], old: usize) -> anyhow::Result<Vec<Hash>> {
    let mut tiles = Tiles(HashMap::new());
    for (at, hashes) in Frontier::new().append(leaves) {
        tiles.0.insert(at, Arc::new(Tile::from_hashes(hashes)?));
    }
    let [old, new] = [old, leaves.len()].map(|size| TreeSize::new(size as u64));
    Ok(prove_consistency(&tiles, old, new)?)
}
