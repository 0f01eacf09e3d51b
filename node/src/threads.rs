//! Threads for what blocks, of which each runtime has one from its start on.
//!
//! tokio starts such a thread when it is needed, and panics if the system then gives none and the
//! runtime has none: a call would end without an answer. With one that stays, work waits for its
//! turn instead.

use assay_host::threads::demand_one;
use rayon::{ThreadPool, ThreadPoolBuilder};
use std::{error::Error as _, io, sync::OnceLock, time::Duration};
use tokio::{
    runtime::{Builder, Runtime},
    task::spawn_blocking,
    time::sleep,
};

/// How long a thread stays that nothing is asked of.
const STAYS: Duration = Duration::from_secs(60);

/// How often one is asked for nothing, so that one stays.
const USED: Duration = Duration::from_secs(20);

/// Makes a runtime that never lacks a thread for what blocks. Fails if the system gives none now.
pub fn runtime(builder: &mut Builder) -> io::Result<Runtime> {
    demand_one()?;
    let runtime = builder.enable_all().thread_keep_alive(STAYS).build()?;
    drop(runtime.spawn_blocking(|| ()));
    runtime.spawn(keep_one());
    Ok(runtime)
}

async fn keep_one() {
    loop {
        sleep(USED).await;
        // If all are busy, it waits for one of them, as other work does.
        let _ = spawn_blocking(|| ()).await;
    }
}

/// How much later than others the threads come that verify claims, and those that serve networks
/// with many connections, as nice(2) counts: strangers send as many as they like, and whoever
/// serves others, commits and answers waits for no core meanwhile.
#[cfg(target_os = "linux")]
const LATER: i32 = 5;

/// Threads for the index alone, if they were started.
static INDEXING: OnceLock<ThreadPool> = OnceLock::new();

/// Starts the threads for what is computed on all cores, which would otherwise be started by the
/// first claim, and as many for the index. Fails if the system does not give them.
pub fn start_computing() -> io::Result<()> {
    let verifying = ThreadPoolBuilder::new().start_handler(|_| come_later());
    match verifying.build_global() {
        Err(error) if error.source().is_some() => return Err(io::Error::other(error)),
        // Or they were started before.
        _ => {}
    }
    let indexing = ThreadPoolBuilder::new()
        .thread_name(|number| format!("index-{number}"))
        .build()
        .map_err(io::Error::other)?;
    let _ = INDEXING.set(indexing);
    Ok(())
}

/// Lets other threads go first. Where the system knows no order of threads, or keeps it to itself,
/// nothing changes.
pub fn come_later() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::setpriority_process(None, LATER);
}

/// Runs work on the index, which everybody waits for: not behind claims that wait to be verified,
/// of which strangers send as many as they like.
pub fn indexing<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    match INDEXING.get() {
        Some(threads) => threads.install(work),
        None => work(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn the_index_has_threads_of_its_own() {
        start_computing().unwrap();
        let is_its_own = || {
            let name = thread::current().name().map(str::to_owned);
            name.is_some_and(|name| name.starts_with("index-"))
        };
        let both = indexing(|| rayon::join(is_its_own, is_its_own));
        assert_eq!(both, (true, true));
    }
}
