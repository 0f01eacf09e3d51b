//! A split view of one log among many that all have new heads.

use crate::log::Log;
use crate::node::{Known, Node, meet};
use crate::words::Words;
use assay_claims::misbehavior::KnownKeys;
use assay_tlog::gossip::{FAN_OUT, Pool, Sampler};
use std::collections::BTreeMap;

/// After so many rounds it is given up.
const MOST_ROUNDS: usize = 50;

/// Returns after how many rounds each of `count` nodes has evidence against the log, where `others`
/// is what each knows besides, and one node alone is shown the other history. Three of ten
/// exchanges are lost.
pub fn busy(log: &Log, others: &Pool, count: usize, seed: u64) -> usize {
    let mut words = Words::new(seed);
    let mut known = Known::new(KnownKeys {
        logs: vec![log.verifier.clone()],
        ..KnownKeys::default()
    });
    let mut nodes = Vec::new();
    for at in 0..count {
        let mut node = Node {
            pool: others.clone(),
            texts: BTreeMap::new(),
            tiles: vec![&log.tree],
        };
        node.pool.add_log(log.verifier.clone()).unwrap();
        node.take(log.head(at == 0, 40), &mut known, &mut words);
        nodes.push(node);
    }
    let mut samplers = vec![Sampler::default(); count];
    for rounds in 0..MOST_ROUNDS {
        if nodes.iter().all(|node| !node.texts.is_empty()) {
            return rounds;
        }
        let mut meetings = Vec::new();
        for (at, sampler) in samplers.iter_mut().enumerate() {
            let random = [(); FAN_OUT].map(|()| words.word());
            for peer in sampler.draw(count - 1, random) {
                meetings.push([at, if peer < at { peer } else { peer + 1 }]);
            }
        }
        words.shuffle(&mut meetings);
        for pair in meetings {
            if !words.percent(30) {
                let [here, there] = nodes.get_disjoint_mut(pair).unwrap();
                meet(here, there, &mut known, &mut words);
            }
        }
    }
    MOST_ROUNDS
}
