//! What gossip costs when nothing happens.

use crate::node::{Known, Node, meet};
use crate::words::Words;
use assay_claims::misbehavior::KnownKeys;
use assay_tlog::Hash;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::gossip::{FAN_OUT, Pool, Sampler, Settings};
use assay_tlog::head::LogVerifier;
use assay_tlog::limits::GOSSIP_FRESH_ROUNDS;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::TreeSize;
use std::collections::BTreeMap;

/// Bytes of a round, in both directions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Idle {
    /// Most bytes of the exchanges that one node opened.
    pub opened: usize,
    /// Bytes of all exchanges of a node, those included that others opened, on average.
    pub average: usize,
    /// The same of the node that met the most others.
    pub most: usize,
}

/// What a round costs where `count` nodes know the same heads of `logs` logs, over `rounds` rounds.
pub fn idle(count: usize, logs: usize, rounds: usize) -> Idle {
    let mut words = Words::new(1);
    let mut known = Known::new(KnownKeys::default());
    let mut nodes = vec![
        Node {
            pool: quiet(logs),
            texts: BTreeMap::new(),
            tiles: Vec::new(),
        };
        count
    ];
    let mut samplers = vec![Sampler::default(); count];
    let (mut opened, mut most, mut sum) = (0, 0, 0);
    for _ in 0..rounds {
        let mut all = vec![0; count];
        for (at, sampler) in samplers.iter_mut().enumerate() {
            let random = [(); FAN_OUT].map(|()| words.word());
            let mut own = 0;
            for peer in sampler.draw(count - 1, random) {
                let peer = if peer < at { peer } else { peer + 1 };
                let [here, there] = nodes.get_disjoint_mut([at, peer]).unwrap();
                let bytes = meet(here, there, &mut known, &mut words);
                own += bytes;
                all[peer] += bytes;
            }
            all[at] += own;
            opened = opened.max(own);
        }
        most = all.iter().copied().fold(most, usize::max);
        sum += all.iter().sum::<usize>();
    }
    Idle {
        opened,
        average: sum / (rounds * count),
        most,
    }
}

/// A pool in which nothing has changed for some time.
fn quiet(logs: usize) -> Pool {
    let mut pool = fresh(logs);
    for _ in 0..=GOSSIP_FRESH_ROUNDS {
        pool.next_round();
    }
    pool
}

/// A pool of as many logs, all of which have just changed.
pub fn fresh(logs: usize) -> Pool {
    let mut pool = Pool::new(Settings {
        alarm_after_ms: 60_000,
    });
    for at in 0..logs {
        let origin = format!("log.example/{at}");
        let key = SignerKey::from_seed(&origin, &[1; 32]).unwrap();
        let log = LogVerifier::new(&origin, vec![key.verifier()]).unwrap();
        pool.add_log(log.clone()).unwrap();
        let checkpoint = Checkpoint {
            origin,
            size: TreeSize::new(9),
            root: Hash::of(b"root"),
        };
        let _ = pool.take(&log.verify(&checkpoint.sign(&key)).unwrap(), 0, 0);
    }
    pool
}
