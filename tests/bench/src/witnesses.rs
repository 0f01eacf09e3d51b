//! A witness of ours beside those of other projects, under one load.
//!
//! The load is ours, and the same for each: logs that grow by one entry at a time, over connections
//! that each wait for one answer. Every checkpoint is signed before the clock starts.

use crate::{load::spread, report::Report};
use anyhow::{bail, ensure};
use assay_tests::{
    litewitness::{self, LiteWitness},
    omniwitness::{self, OmniWitness},
    ssh_agent::require_ssh_agent,
    witness::{Witness, consistency, request},
};
use assay_tlog::{
    Hash,
    checkpoint::Checkpoint,
    cosigner::CosignerVerifier,
    hash::leaf_hash,
    note::{SignerKey, VerifierKey},
    tree::{Frontier, TreeSize},
};
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use http::{Request, StatusCode};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::net::TcpStream;

/// Logs that are witnessed.
const LOGS: usize = 250;

/// The largest size that each gets to.
const SIZE: usize = 160;

/// Connections, each of which has its own logs.
const CONNECTIONS: usize = 32;

/// How long each witness is measured at a time, which happens twice.
const TURN: Duration = Duration::from_millis(1_500);

/// A log as it grows, up to [`SIZE`] leaves.
struct Growing {
    origin: String,
    key: SignerKey,
    /// By the old size: the checkpoint of one leaf more, and the request about it.
    steps: Vec<(String, Bytes)>,
}

/// The logs. Their entries are the same, so that their proofs are made once; a witness cannot tell.
fn growing() -> anyhow::Result<Vec<Growing>> {
    let leaves: Vec<Hash> = (0..SIZE)
        .map(|n| leaf_hash(format!("entry {n}").as_bytes()))
        .collect();
    let mut frontier = Frontier::new();
    let mut steps = Vec::new();
    for (old, leaf) in leaves.iter().enumerate() {
        frontier.append(&[*leaf]);
        steps.push((frontier.root(), consistency(&leaves[..=old], old)?));
    }
    (0..LOGS)
        .map(|number| Growing::new(number, &steps))
        .collect()
}

impl Growing {
    /// The log with a number, by the root of each size from 1 on and the proof that it follows.
    fn new(number: usize, steps: &[(Hash, Vec<Hash>)]) -> anyhow::Result<Self> {
        let origin = format!("log{number}.example");
        let key = SignerKey::from_seed(&origin, Hash::of(origin.as_bytes()).as_bytes())?;
        let mut signed = Vec::new();
        for (old, (root, proof)) in steps.iter().enumerate() {
            let checkpoint = Checkpoint {
                origin: origin.clone(),
                size: TreeSize::new(old as u64 + 1),
                root: *root,
            };
            let note = checkpoint.sign(&key);
            let body = request(old as u64, proof, &note);
            signed.push((note, Bytes::from(body)));
        }
        Ok(Growing {
            origin,
            key,
            steps: signed,
        })
    }
}

/// A log at a witness: how far it is, and the last answer.
struct Witnessed<'l> {
    log: &'l Growing,
    size: usize,
    answer: Bytes,
}

/// A witness that is measured.
struct Measured<'l> {
    url: String,
    vkeys: Vec<String>,
    logs: Vec<Witnessed<'l>>,
    asked: usize,
    elapsed: f64,
    latencies: Vec<Duration>,
}

impl<'l> Measured<'l> {
    /// A witness that has a checkpoint of one entry of each log, so that from now on it verifies a
    /// proof each time.
    fn new(url: &str, vkeys: &[String], logs: &'l [Growing]) -> anyhow::Result<Self> {
        let witnessed = logs.iter().map(|log| Witnessed {
            log,
            size: 0,
            answer: Bytes::new(),
        });
        let mut measured = Measured {
            url: url.to_owned(),
            vkeys: vkeys.to_vec(),
            logs: witnessed.collect(),
            asked: 0,
            elapsed: 0.0,
            latencies: Vec::new(),
        };
        measured.ask(1, Duration::from_secs(60))?;
        ensure!(measured.asked == LOGS, "not every log was seeded");
        (measured.asked, measured.elapsed) = (0, 0.0);
        measured.latencies.clear();
        Ok(measured)
    }

    /// Asks for a while, until each log has the size `until`.
    fn ask(&mut self, until: usize, most: Duration) -> anyhow::Result<()> {
        let mut shares: Vec<Vec<_>> = (0..CONNECTIONS).map(|_| Vec::new()).collect();
        for (at, log) in std::mem::take(&mut self.logs).into_iter().enumerate() {
            shares[at % CONNECTIONS].push(log);
        }
        let (started, url) = (Instant::now(), &self.url);
        let asked = spread(shares, async |mut logs| {
            let mut latencies = Vec::new();
            let mut connection = Connection::open(url).await?;
            // All have the same size, or one more.
            for turn in 0.. {
                let at = turn % logs.len();
                let log = &mut logs[at];
                if started.elapsed() >= most || log.size == until {
                    break;
                }
                let asked = Instant::now();
                let body = log.log.steps[log.size].1.clone();
                log.answer = connection.add_checkpoint(body).await?;
                log.size += 1;
                latencies.push(asked.elapsed());
            }
            // The next turn begins with the one that is due.
            logs.sort_by_key(|log| log.size);
            Ok((logs, latencies))
        })?;
        self.elapsed += started.elapsed().as_secs_f64();
        for (logs, latencies) in asked {
            self.logs.extend(logs);
            self.asked += latencies.len();
            self.latencies.extend(latencies);
        }
        Ok(())
    }

    /// Of the times that an answer took, the 99th of 100, in milliseconds.
    fn p99(&mut self) -> f64 {
        self.latencies.sort();
        let at = self.latencies.len() * 99 / 100;
        self.latencies[at].as_secs_f64() * 1e3
    }

    /// Answers a second, after every log's last answer was verified.
    fn rate(&self) -> anyhow::Result<f64> {
        let keys: Result<Vec<_>, _> = self
            .vkeys
            .iter()
            .map(|key| VerifierKey::parse(key))
            .collect();
        let verifier = CosignerVerifier::new(keys?)?;
        for log in &self.logs {
            let (note, _) = &log.log.steps[log.size - 1];
            let cosigned = note.clone() + std::str::from_utf8(&log.answer)?;
            let head = verifier.verify(&cosigned)?;
            let lines = head.statements().len();
            ensure!(lines == self.vkeys.len(), "a cosignature is missing");
        }
        Ok(self.asked as f64 / self.elapsed)
    }
}

/// One connection, as any client of HTTP/1.1 has it.
struct Connection {
    host: String,
    send: SendRequest<Body>,
}

impl Connection {
    async fn open(url: &str) -> anyhow::Result<Self> {
        let host = url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&host).await?;
        stream.set_nodelay(true)?;
        let (send, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        Ok(Connection { host, send })
    }

    /// The lines that the witness answers. Who answers that it is busy, as omniwitness does when
    /// its database is, is asked again at once; anything else than 200 is an error.
    async fn add_checkpoint(&mut self, body: Bytes) -> anyhow::Result<Bytes> {
        loop {
            let request = Request::post("/add-checkpoint").header("host", &self.host);
            self.send.ready().await?;
            let answer = self
                .send
                .send_request(request.body(Body::from(body.clone()))?)
                .await?;
            let status = answer.status();
            let said = to_bytes(Body::new(answer.into_body()), 1 << 20).await?;
            if status != StatusCode::TOO_MANY_REQUESTS {
                ensure!(status == StatusCode::OK, "{status}: {said:?}");
                return Ok(said);
            }
        }
    }
}

/// A witness of ours, with or without an ML-DSA-44 key.
fn ours(logs: &[Growing], ml_dsa: bool) -> anyhow::Result<Witness> {
    let mut witness = Witness::init()?;
    witness.configure("requests_per_hour = 36000", "requests_per_hour = 0")?;
    witness.configure("filter = \"info\"", "filter = \"warn\"")?;
    if !ml_dsa {
        witness.configure("ml_dsa_44_key = ", "# ml_dsa_44_key = ")?;
    }
    for log in logs {
        witness.add_log(&log.origin, &log.key.verifier().to_string())?;
    }
    witness.run()?;
    Ok(witness)
}

/// Checkpoints a second of ours, by those of two others.
pub fn bench(report: &mut Report) -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let at = folder.path();
    let logs = growing()?;
    let known = logs
        .iter()
        .map(|log| (log.origin.clone(), log.key.verifier().to_string()));
    let known: Vec<_> = known.collect();
    match litewitness(at, &known) {
        Err(why) => report.note("witness", format!("skipped: {why:#}")),
        Ok(theirs) => {
            eprintln!("cosigning beside litewitness…");
            let theirs = Measured::new(&theirs.url, std::slice::from_ref(&theirs.vkey), &logs)?;
            let witness = ours(&logs, false)?;
            let ready = witness.ready()?;
            let ours = Measured::new(&ready.url, &ready.vkeys, &logs)?;
            beside(report, ("witness", 5.0), ours, ("litewitness", theirs))?;
        }
    }
    match omniwitness(at, &known) {
        Err(why) => report.note("witness_ml_dsa", format!("skipped: {why:#}")),
        Ok(theirs) => {
            eprintln!("cosigning with ML-DSA-44 beside omniwitness…");
            let theirs = Measured::new(&theirs.url, &theirs.vkeys, &logs)?;
            let witness = ours(&logs, true)?;
            let ready = witness.ready()?;
            let ours = Measured::new(&ready.url, &ready.vkeys, &logs)?;
            beside(
                report,
                ("witness_ml_dsa", 3.0),
                ours,
                ("omniwitness", theirs),
            )?;
        }
    }
    Ok(())
}

fn litewitness(folder: &Path, logs: &[(String, String)]) -> anyhow::Result<LiteWitness> {
    if !require_ssh_agent("litewitness") {
        bail!("no ssh-agent");
    }
    let programs = litewitness::Programs::build(folder)?;
    LiteWitness::start(&programs, folder, "lite.example/w", logs)
}

fn omniwitness(folder: &Path, logs: &[(String, String)]) -> anyhow::Result<OmniWitness> {
    let programs = omniwitness::Programs::build(folder)?;
    OmniWitness::start(&programs, folder, "omni.example/w", logs)
}

/// The two take turns, so that both see the same machine.
fn beside(
    report: &mut Report,
    (name, target): (&str, f64),
    mut ours: Measured<'_>,
    (whose, mut theirs): (&str, Measured<'_>),
) -> anyhow::Result<()> {
    for _ in 0..2 {
        theirs.ask(SIZE, TURN)?;
        ours.ask(SIZE, TURN)?;
    }
    let (rate, other) = (ours.rate()?, theirs.rate()?);
    let detail = format!(
        "{rate:.0} add-checkpoint/s, p99 {:.1} ms; {whose} {other:.0}, p99 {:.1} ms",
        ours.p99(),
        theirs.p99()
    );
    report.ratio(name, rate / other, target, detail);
    Ok(())
}
