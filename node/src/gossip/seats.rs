//! Who exchanges heads here at once: some in all, and few of one network, so that no stranger takes
//! all places.

use crate::held::network;
use std::{
    collections::BTreeMap,
    net::IpAddr,
    sync::{Arc, Mutex, PoisonError},
};

/// Exchanges that are served at once. An honest peer's is over in milliseconds.
const SERVED: usize = 32;

/// Exchanges of one network that are served at once. A peer opens one at a time.
const SERVED_OF_ONE: usize = 2;

/// The places.
#[derive(Debug, Default)]
pub(super) struct Seats {
    /// How many are taken, by network. `None` are networks that stand for many callers.
    taken: Mutex<BTreeMap<Option<IpAddr>, usize>>,
}

/// A place, which is free again when this is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Arc<Seats>,
    network: Option<IpAddr>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum NoSeat {
    /// The network has as many as one may have.
    #[error("your network address exchanges heads {SERVED_OF_ONE} times at once already")]
    Network,
    /// All are taken.
    #[error("too many peers exchange heads here; try again")]
    Full,
}

impl Seats {
    /// Takes a place for somebody at this address, or for somebody of a network that stands for
    /// many.
    pub(super) fn take(self: &Arc<Self>, from: Option<IpAddr>) -> Result<Seat, NoSeat> {
        let network = from.map(network);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_one = taken.get(&network).copied().unwrap_or_default();
        if network.is_some() && of_one >= SERVED_OF_ONE {
            return Err(NoSeat::Network);
        }
        if taken.values().sum::<usize>() >= SERVED {
            return Err(NoSeat::Full);
        }
        taken.insert(network, of_one + 1);
        Ok(Seat {
            seats: self.clone(),
            network,
        })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let taken = self.seats.taken.lock();
        let mut taken = taken.unwrap_or_else(PoisonError::into_inner);
        let left = taken.get(&self.network).map_or(0, |count| count - 1);
        if left == 0 {
            taken.remove(&self.network);
        } else {
            taken.insert(self.network, left);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Option<IpAddr> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn one_network_has_few_places_and_others_have_theirs() {
        let seats = Arc::new(Seats::default());
        for [one, other, third] in [
            ["192.0.2.1", "::ffff:192.0.2.1", "192.0.2.2"],
            ["2001:db8::1", "2001:db8::2", "2001:db8:0:1::1"],
        ] {
            let held = [one, other].map(|it| seats.take(address(it)).unwrap());
            assert_eq!(seats.take(address(one)).unwrap_err(), NoSeat::Network);
            let _third = seats.take(address(third)).unwrap();
            drop(held);
            assert!(seats.take(address(one)).is_ok());
        }
        assert!(seats.taken.lock().unwrap().is_empty());
    }

    #[test]
    fn there_are_so_many_in_all() {
        let seats = Arc::new(Seats::default());
        let mut held: Vec<Seat> = (0..SERVED).map(|_| seats.take(None).unwrap()).collect();
        assert_eq!(seats.take(None).unwrap_err(), NoSeat::Full);
        assert_eq!(seats.take(address("192.0.2.1")).unwrap_err(), NoSeat::Full);
        held.pop();
        assert!(seats.take(address("192.0.2.1")).is_ok());
    }
}
