//! Addresses for processes that have to be told one.

use anyhow::Context;
use std::{
    fs::{self, File, OpenOptions},
    net::{Ipv4Addr, SocketAddr, TcpListener},
    sync::{Mutex, PoisonError},
};

/// Where ports that nobody is given unasked begin.
const FIRST: u16 = 20_000;
/// Where Linux begins with those that it gives to whoever connects, or listens on port 0, if it
/// does not say where.
const EPHEMERAL: u16 = 32_768;

/// The ports that this process took. Their locks end with it.
static TAKEN: Mutex<Vec<File>> = Mutex::new(Vec::new());

/// An address of this machine that nobody listens on, and that nobody else gets from here until
/// this process ends. The system does not give its port away either: it is below those that it
/// chooses itself, so a connection that somebody opens meanwhile does not take it.
///
/// # Errors
/// No port is free, or the folder of the locks cannot be written.
pub fn free_address() -> anyhow::Result<SocketAddr> {
    let mut taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
    let folder = std::env::temp_dir().join("assay-test-ports");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let room = usize::from(end_of_ours().saturating_sub(FIRST).max(1));
    // Each process begins elsewhere, so that it need not try what others hold.
    let begin = (std::process::id() as usize).wrapping_mul(101) + taken.len();
    for step in 0..room {
        let port = FIRST + u16::try_from((begin + step) % room)?;
        let mut open = OpenOptions::new();
        let path = folder.join(port.to_string());
        let lock = open.create(true).append(true).open(&path)?;
        if lock.try_lock().is_err() {
            continue;
        }
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        if TcpListener::bind(address).is_ok() {
            taken.push(lock);
            return Ok(address);
        }
    }
    anyhow::bail!("all {room} ports from {FIRST} on are taken")
}

/// The first port that the system gives away itself.
fn end_of_ours() -> u16 {
    fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range")
        .ok()
        .and_then(|text| text.split_whitespace().next()?.parse().ok())
        .filter(|first| *first > FIRST)
        .unwrap_or(EPHEMERAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_gets_a_port_twice_nor_one_of_the_system_s_own() -> anyhow::Result<()> {
        let mut seen = std::collections::HashSet::new();
        for _ in 0..100 {
            let address = free_address()?;
            assert!(seen.insert(address), "{address} a second time");
            assert!((FIRST..end_of_ours()).contains(&address.port()));
            // It is free, and a lock that somebody else would want is held.
            drop(TcpListener::bind(address)?);
            let folder = std::env::temp_dir().join("assay-test-ports");
            let other = File::open(folder.join(address.port().to_string()))?;
            assert!(other.try_lock().is_err());
        }
        Ok(())
    }
}
