//! Which peers to meet.

/// Peers that a node meets in a round.
pub const FAN_OUT: usize = 3;

/// Draws [`FAN_OUT`] peers a round, each at least once in 2·⌈n/3⌉ rounds.
///
/// Peers are dealt like cards: nobody comes a second time before all have come once. What peers do
/// changes nothing, so that none can keep a node to itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sampler {
    /// How many peers there are. Peers are numbered from 0.
    peers: usize,
    /// Those that have not come yet.
    deck: Vec<usize>,
}

impl Sampler {
    /// Draws among `peers` peers. If that is another number than in the round before, dealing
    /// begins anew. `random` are random words of the caller's, which no peer knows.
    ///
    /// Returns [`FAN_OUT`] peers, no two of them the same, or all if there are not more.
    pub fn draw(&mut self, peers: usize, random: [u64; FAN_OUT]) -> Vec<usize> {
        if self.peers != peers {
            self.peers = peers;
            self.deck.clear();
        }
        let mut drawn = Vec::with_capacity(FAN_OUT);
        for word in random.into_iter().take(peers) {
            if self.deck.iter().all(|peer| drawn.contains(peer)) {
                self.deck.extend(0..peers);
            }
            // Who was drawn in this round stays in a new deck, for a later one.
            let mut eligible: Vec<usize> = (0..self.deck.len()).collect();
            eligible.retain(|at| !drawn.contains(&self.deck[*at]));
            let at = below(word, eligible.len());
            drawn.push(self.deck.swap_remove(eligible[at]));
        }
        drawn
    }
}

/// A number below `end`, which is not 0, from a random word.
pub(super) fn below(word: u64, end: usize) -> usize {
    // The product is below `end` times 2^64, so that what is left fits.
    ((u128::from(word) * end as u128) >> u64::BITS) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// Words that lead to the first place, to the last one, and to some between.
    const WORDS: [u64; 4] = [0, u64::MAX / 3, u64::MAX / 3 * 2, u64::MAX];

    fn all_words() -> impl Iterator<Item = [u64; FAN_OUT]> {
        WORDS.into_iter().flat_map(|a| {
            let second = WORDS.into_iter();
            second.flat_map(move |b| WORDS.into_iter().map(move |c| [a, b, c]))
        })
    }

    /// Walks through everything that can happen to peer 0: whoever chooses the words can avoid it
    /// only as long as anybody else is left. The other peers are alike, so that a deck is told by
    /// its length and by whether peer 0 is in it.
    #[test]
    fn no_words_keep_a_peer_away_for_long() {
        for peers in 1..=30_usize {
            let most = 2 * peers.div_ceil(FAN_OUT);
            let mut seen = BTreeSet::new();
            let mut next = vec![(Vec::new(), 0)];
            while let Some((deck, rounds)) = next.pop() {
                for words in all_words() {
                    let mut sampler = Sampler {
                        peers,
                        deck: deck.clone(),
                    };
                    let drawn = sampler.draw(peers, words);
                    let distinct: BTreeSet<&usize> = drawn.iter().collect();
                    assert_eq!(distinct.len(), peers.min(FAN_OUT));
                    let rounds = if drawn.contains(&0) { 0 } else { rounds + 1 };
                    assert!(rounds < most, "{peers} peers: away for {rounds} rounds");
                    // Peer 0 to the front, where the first word finds it.
                    sampler.deck.sort_unstable();
                    let has = sampler.deck.first() == Some(&0);
                    if seen.insert((sampler.deck.len(), has, rounds)) {
                        next.push((sampler.deck, rounds));
                    }
                }
            }
        }
    }

    #[test]
    fn every_peer_comes_once_before_any_comes_twice() {
        let mut sampler = Sampler::default();
        for round in 0..10 {
            let mut came = Vec::new();
            for at in 0..7_u64 {
                let word = (at + round).wrapping_mul(0x9e37_79b9_7f4a_7c15);
                came.extend(sampler.draw(21, [word, word << 7, word << 13]));
            }
            came.sort_unstable();
            assert_eq!(came, Vec::from_iter(0..21));
        }
    }

    #[test]
    fn there_may_be_few_peers_and_they_may_change() {
        let mut sampler = Sampler::default();
        assert_eq!(sampler.draw(0, [1, 2, 3]), Vec::<usize>::new());
        for peers in [1, 2, 3, 2, 30, 1] {
            let mut drawn = sampler.draw(peers, [u64::MAX, 0, 1 << 40]);
            assert!(drawn.iter().all(|peer| *peer < peers));
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), peers.min(FAN_OUT));
        }
    }
}
