//! One run: hosts on a simulated network, step by step.

use super::cast::{CLIENTS, Cast, LIAR, LOGS, WITNESS_HOSTS};
use super::chronicle::{Chronicle, POOL_BYTES, Violation};
use super::client::Client;
use super::disk::Disk;
use super::faults::{Faults, HEALED_MS};
use super::federation::rounds;
use super::host::{Host, lock, serve};
use super::hostile::{Mirror, attack, flood};
use super::log::{Log, publish};
use super::node::Node;
use super::plan::{Invariant, Mutant, Plan, Second};
use super::surface::Surface;
use super::witness::Witness;
use crate::words::Words;
use assay_claims::misbehavior::Culprit;
use assay_tlog::gossip::Standing;
use std::collections::BTreeMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use turmoil::Sim;

/// How long a step is, and a run: at least, and if something is still waited for then.
const STEP_MS: u64 = 50;
const SETTLED_MS: u64 = HEALED_MS + 22_000;
const RUN_MS: u64 = HEALED_MS + 70_000;

/// The nodes that run now.
type Nodes = Arc<Mutex<BTreeMap<&'static str, Weak<Node>>>>;

/// What came of a run in which every invariant held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// A hash over everything that happened: the same whenever the seed is.
    pub digest: u64,
    /// How much happened.
    pub events: usize,
    /// How often each thing did.
    pub counts: BTreeMap<&'static str, usize>,
}

/// Runs a federation that follows from a seed, for 44 to 92 simulated seconds, and fails with the
/// first [`Violation`] of an invariant. `mutant` is the guard that all hosts do without.
///
/// # Panics
///
/// If a host's software fails.
pub fn run(seed: u64, mutant: Option<Mutant>) -> Result<Outcome, Violation> {
    let mut words = Words::new(seed);
    let plan = Arc::new(Plan::new(&mut words, mutant));
    let cast = Arc::new(Cast::new());
    let chronicle = Arc::new(Mutex::new(Chronicle::new(cast.clone(), plan.clone())));
    lock(&chronicle).event("plan", &format!("{plan:?}"));
    let names = [&LOGS[..], &WITNESS_HOSTS, &[LIAR], &CLIENTS].concat();
    let hosts = names.into_iter().map(|name| {
        Arc::new(Host {
            name,
            disk: Disk::default(),
            clock: AtomicI64::new(0),
            cast: cast.clone(),
            plan: plan.clone(),
            chronicle: chronicle.clone(),
            words: Mutex::new(Words::new(words.word())),
        })
    });
    let hosts: Vec<Arc<Host>> = hosts.collect();
    let mut sim = turmoil::Builder::new()
        .rng_seed(words.word())
        .tick_duration(Duration::from_millis(STEP_MS))
        .simulation_duration(Duration::from_millis(2 * RUN_MS))
        .min_message_latency(Duration::from_millis(1))
        .max_message_latency(Duration::from_millis(150))
        .repair_rate(0.3)
        .tcp_capacity(4_096)
        .build();
    let nodes = Nodes::default();
    for host in &hosts {
        let (host, nodes) = (host.clone(), nodes.clone());
        sim.host(host.name, move || software(host.clone(), nodes.clone()));
    }
    Faults::begin(&mut sim);
    let mut faults = Faults::new(Words::new(words.word()), plan, hosts);
    steps(&mut sim, &mut faults, &chronicle, &nodes)?;
    let chronicle = lock(&chronicle);
    let (digest, events) = chronicle.digest();
    Ok(Outcome {
        digest,
        events,
        counts: chronicle.counts().clone(),
    })
}

fn steps(
    sim: &mut Sim<'_>,
    faults: &mut Faults,
    chronicle: &Mutex<Chronicle>,
    nodes: &Nodes,
) -> Result<(), Violation> {
    for now_ms in (0..RUN_MS).step_by(STEP_MS as usize) {
        lock(chronicle).now_ms = now_ms;
        if now_ms >= HEALED_MS {
            lock(chronicle).calm_ms.get_or_insert(now_ms);
        }
        faults.step(sim, now_ms, STEP_MS);
        sim.step().expect("no host's software fails");
        let running: Vec<Arc<Node>> = lock(nodes).values().filter_map(Weak::upgrade).collect();
        for node in running {
            check(&node);
        }
        lock(chronicle).check()?;
        if now_ms >= SETTLED_MS && lock(chronicle).is_settled() {
            break;
        }
    }
    Ok(())
}

/// What must hold of a node after every step.
fn check(node: &Node) {
    let host = &node.host;
    let bytes = node.pool_bytes();
    if bytes > POOL_BYTES && host.name != LIAR {
        let what = format!("{} keeps {bytes} bytes of heads of a log", host.name);
        host.chronicle().violated(Invariant::Pool, what);
    }
    for log in &host.cast.logs {
        let origin = log.verifier.origin();
        let is_convicted = lock(&node.pool).standing(origin, 0) == Standing::Convicted;
        let mut chronicle = host.chronicle();
        if is_convicted && chronicle.is_honest(&Culprit::Log(origin.to_owned())) {
            let what = format!("{} convicts {origin}, which is honest", host.name);
            chronicle.violated(Invariant::Innocence, what);
        }
    }
}

/// The software of a host, from a start to a crash.
async fn software(host: Arc<Host>, nodes: Nodes) -> turmoil::Result {
    let mut surface = Surface {
        host: host.clone(),
        node: None,
        witness: None,
        logs: Vec::new(),
        mirror: None,
        client: None,
    };
    if CLIENTS.contains(&host.name) {
        let client = Client::new(host);
        tokio::spawn(client.clone().run());
        surface.client = Some(client);
        return serve(surface.router()).await;
    }
    let node = Node::start(host.clone());
    lock(&nodes).insert(host.name, Arc::downgrade(&node));
    if host.name == LIAR {
        surface.mirror = Some(Mirror::new(host.clone()));
    }
    let at = WITNESS_HOSTS.iter().position(|name| *name == host.name);
    surface.witness = at.map(|at| Witness::start(&node, at));
    let at = LOGS.iter().position(|name| *name == host.name);
    if let Some(at) = at {
        surface.logs = begin(&node, at);
    }
    let is_hostile = surface.logs.iter().any(|log| log.is_hostile());
    if !is_hostile && !host.plan.signs_all(host.name) {
        tokio::spawn(rounds(node.clone()));
    }
    surface.node = Some(node);
    serve(surface.router()).await
}

/// Begins the histories of a log.
fn begin(node: &Arc<Node>, at: usize) -> Vec<Arc<Log>> {
    let second = if at == 1 {
        node.host.plan.second
    } else {
        Second::Honest
    };
    let sides = if second == Second::Splits { 2 } else { 1 };
    let logs: Vec<Arc<Log>> = (0..sides).map(|side| Log::start(node, at, side)).collect();
    for log in &logs {
        tokio::spawn(publish(log.clone()));
    }
    match second {
        Second::Splits => _ = tokio::spawn(attack(logs.clone())),
        Second::Floods => _ = tokio::spawn(flood(logs[0].clone())),
        Second::Honest | Second::Restores => {}
    }
    logs
}
