//! Open files. Connections never take those that the node needs for itself: a store that cannot
//! open a file stops writing, until the node is started again.

use crate::api::{admin, places};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files that one store keeps open, with room for those that it makes and removes.
const STORE: u64 = 512 + 64;

/// Attachments that are read or written at once (`held`), connections of the admin port and those
/// that are leaving, and calls to other nodes, configuration and logs.
const OTHERS: u64 = 256 + (admin::CONNECTIONS + places::LEAVING) as u64 + 160;

/// Fewest connections with which a node starts.
const FEWEST: u64 = 16;

/// The system lets this process open too few files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "this process may open {limit} files, and needs {needs}: raise the limit, with LimitNOFILE= in \
     a systemd unit, --ulimit nofile= for a container, or ulimit -n in a shell"
)]
pub struct TooFew {
    limit: u64,
    needs: u64,
}

/// Raises the limit of open files as far as the system allows. Returns how many connections there
/// is room for beside what so many stores need, at most `wanted`.
pub fn connections(wanted: usize, stores: usize) -> Result<usize, TooFew> {
    let room = room(raise(), wanted, stores)?;
    if room < wanted {
        tracing::warn!(
            connections = room,
            wanted,
            "the limit of open files leaves room for fewer connections than server.connections"
        );
    }
    Ok(room)
}

/// Raises the soft limit to the hard one, and returns what holds then. No limit is the largest
/// number.
fn raise() -> u64 {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => maximum.unwrap_or(u64::MAX),
        Err(_) => current.unwrap_or(u64::MAX),
    }
}

fn room(limit: u64, wanted: usize, stores: usize) -> Result<usize, TooFew> {
    let own = STORE * stores as u64 + OTHERS;
    let room = limit.saturating_sub(own);
    if room < FEWEST {
        let needs = own + FEWEST;
        return Err(TooFew { limit, needs });
    }
    Ok(usize::try_from(room).map_or(wanted, |room| room.min(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stores_come_before_connections() {
        let own = STORE + OTHERS;
        assert_eq!(room(u64::MAX, 4096, 3), Ok(4096));
        assert_eq!(room(own + 4096, 4096, 1), Ok(4096));
        assert_eq!(room(own + 4095, 4096, 1), Ok(4095));
        assert_eq!(room(own + FEWEST, 4096, 1), Ok(FEWEST as usize));
        let limit = own + FEWEST - 1;
        let needs = own + FEWEST;
        assert_eq!(room(limit, 4096, 1), Err(TooFew { limit, needs }));
        assert_eq!(room(0, 4096, 1), Err(TooFew { limit: 0, needs }));
        assert!(room(own + STORE, 4096, 2).is_err());
    }
}
