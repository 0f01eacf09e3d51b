//! Calls that are open at once: their number, whatever they are about.
//!
//! Each takes some memory of its own (its headers, its stream, what answers it), which is counted
//! nowhere else, and a connection has a hundred.

use super::{Account, Hold, Kind};
use std::sync::Arc;

/// Calls of one network at once, and of everybody. Short calls are answered before there are many:
/// these are watches, streams, and calls that wait.
pub(super) const CALLS: [u32; 3] = [1 << 20, 128, 1024];

/// As many calls of a network, or of a connection that is of none, are let in whatever others have.
const ALWAYS: usize = 4;

impl Account {
    /// A place for a call, until this is dropped; or none if its network has too many, or if all
    /// have and this network more than a few.
    pub fn call(self: &Arc<Self>) -> Option<Hold> {
        let most_theirs = self.most_own()?;
        let mut hold = Hold::nothing(self, Kind::Call);
        if !hold.try_take_own(1, [0; 3]) {
            return None;
        }
        let in_all = self.held.all.try_take(Kind::Call, 1);
        hold.taken[2] = u32::from(in_all);
        (in_all || most_theirs.taken(Kind::Call) <= ALWAYS).then_some(hold)
    }
}

#[cfg(test)]
mod tests {
    use crate::held::{Held, Hold, tests::*};
    use std::{collections::VecDeque, net::Ipv4Addr, sync::Arc};

    /// Calls from an address, as many as are let in.
    fn calls(held: &Arc<Held>, text: &str) -> Vec<Hold> {
        let mine = held.connection(address(text));
        (0..3000).map_while(|_| mine.call()).collect()
    }

    #[test]
    fn a_network_has_so_many_calls_on_all_its_connections() {
        let held = held(1000);
        let first = calls(&held, "192.0.2.1");
        assert_eq!(first.len(), 128);
        assert!(calls(&held, "192.0.2.1").is_empty());
        assert_eq!(calls(&held, "192.0.2.2").len(), 128);
        drop(first);
        assert_eq!(calls(&held, "192.0.2.1").len(), 128);
        // An address that stands for many has as many as there are.
        assert_eq!(calls(&held, "127.0.0.1").len(), 1024);
    }

    #[test]
    fn who_has_few_calls_is_let_in_whatever_others_have() {
        let held = held(1000);
        let network = |number: u8| Ipv4Addr::new(192, 0, 2, number).to_string();
        let mut others: VecDeque<_> = (0..8).map(|it| calls(&held, &network(it))).collect();
        assert!(others.iter().all(|calls| calls.len() == 128));
        let few = calls(&held, &network(20));
        assert_eq!(few.len(), 4);
        let named = held.connection(address("127.0.0.1"));
        let named = named.of_caller(address("192.0.2.21"));
        assert!(named.call().is_some());
        assert_eq!(calls(&held, "127.0.0.1").len(), 4);
        // What was let in so gives nothing back that it did not take.
        drop(few);
        assert_eq!(calls(&held, &network(22)).len(), 4);
        others.pop_front();
        assert_eq!(calls(&held, &network(20)).len(), 128);
    }
}
