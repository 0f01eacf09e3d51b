//! How long a publisher waits for a quorum of witnesses, some of whom are in trouble.

use crate::{connection::connect, material::Material, observed::UNLIMITED, report::Report};
use anyhow::{Context, ensure};
use assay_proto::v1::{PublishRequest, Wait};
use assay_tests::{
    process::{self, Node},
    relay::{Line, Relay},
    witness::Witness,
};
use std::{
    fs,
    time::{Duration, Instant},
};
use tokio::time::{MissedTickBehavior, interval};

/// Claims that are published: eight seconds of them.
pub const CLAIMS: u64 = 1_600;

/// Claims a second.
const PACE: u32 = 200;

/// How often the node publishes, in milliseconds. It is the default.
const INTERVAL: f64 = 200.0;

/// Connections, so that no call waits for a stream.
const CONNECTIONS: usize = 4;

/// What the answers of one witness are held up.
const SLOW: Duration = Duration::from_millis(500);

/// Milliseconds from `Publish` to its answer that a quorum cosigned, of so many claims. They come
/// when they are due, whatever the node does.
pub fn bench(material: &Material, claims: u64, report: &mut Report) -> anyhow::Result<()> {
    eprintln!("waiting for witnesses…");
    let runtime = tokio::runtime::Runtime::new()?;
    let federation = runtime.block_on(Federation::start())?;
    let url = &federation.node.ready().url;
    runtime.block_on(material.register(url))?;
    let mut waited = runtime.block_on(publish(url, material, claims))?;
    waited.sort();
    let part = |percent: usize| {
        let at = (waited.len() - 1) * percent / 100;
        waited[at].as_secs_f64() * 1e3
    };
    let (p50, p99) = (part(50), part(99));
    let detail = "of four witnesses two must cosign, one is gone, one answers after 500 ms";
    let detail = format!("p50, ms, {PACE} claims/s; {detail}");
    report.less("publish_witnessed", p50, INTERVAL + 50.0, detail);
    let detail = format!("p99, ms; at most {:.0}", part(100));
    report.less("publish_witnessed_p99", p99, INTERVAL + 150.0, detail);
    Ok(())
}

/// A node, and its witnesses that answer.
struct Federation {
    node: Node,
    _witnesses: Vec<Witness>,
    _slow: Relay,
}

impl Federation {
    async fn start() -> anyhow::Result<Self> {
        let mut node = Node::init()?;
        node.configure(UNLIMITED)?;
        let vkey = node.vkey()?;
        let witnesses = (0..4).map(|i| {
            let mut witness = Witness::named(&format!("witness{i}.example"))?;
            witness.add_log(process::ORIGIN, &vkey)?;
            witness.run()?;
            Ok(witness)
        });
        let mut witnesses = witnesses.collect::<anyhow::Result<Vec<_>>>()?;
        let mut urls = Vec::new();
        for witness in &witnesses {
            urls.push(witness.ready()?.url.clone());
        }
        let slow = urls[2].trim_start_matches("http://").parse()?;
        let slow = Relay::start(slow, Line::Late(SLOW)).await?;
        urls[2] = format!("http://{}", slow.address);
        let (mut text, mut members) = (String::new(), String::new());
        for (i, (witness, url)) in witnesses.iter().zip(&urls).enumerate() {
            let [a, b] = [0, 1].map(|key| &witness.vkeys[key]);
            text += &format!("witness {i}a {a} {url}\nwitness {i}b {b} {url}\n");
            text += &format!("group {i} any {i}a {i}b\n");
            members += &format!(" {i}");
        }
        text += &format!("group two 2{members}\nquorum two\n");
        fs::write(node.folder().join("quorum.policy"), text)?;
        node.append_configuration("[quorum]\npolicy = \"quorum.policy\"")?;
        // Nobody listens at the last one's address any more.
        witnesses.pop().context("no witness")?.kill()?;
        node.run()?;
        Ok(Federation {
            node,
            _witnesses: witnesses,
            _slow: slow,
        })
    }
}

/// How long each claim waited, from the moment at which it was due.
async fn publish(url: &str, material: &Material, claims: u64) -> anyhow::Result<Vec<Duration>> {
    let mut clients = Vec::new();
    for _ in 0..CONNECTIONS {
        clients.push(connect(url).await?);
    }
    let mut ticks = interval(Duration::from_secs(1) / PACE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut calls = tokio::task::JoinSet::new();
    for (at, claim) in material.claims(0..claims).into_iter().enumerate() {
        let due: Instant = ticks.tick().await.into();
        let mut client = clients[at % CONNECTIONS].clone();
        let request = PublishRequest {
            claim: Some(claim),
            wait: Wait::Witnessed.into(),
        };
        calls.spawn(async move {
            let answer = client.publish(request).await?.into_inner();
            ensure!(answer.reached() == Wait::Witnessed, "no quorum");
            Ok(due.elapsed())
        });
    }
    calls.join_all().await.into_iter().collect()
}
