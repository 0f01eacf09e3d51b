//! The runtime of a process, and what ends it.

use assay_node::{storage::open::wait_until_closed, threads};
use rustix::process::{Signal as Kill, getpid, kill_process};
use signal_hook::low_level::exit as exit_at_once;
use std::{io, sync::mpsc, thread, time::Duration};
use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
};

/// The runtime that accepts connections and keeps time; the serving threads have runtimes of their
/// own.
pub fn runtime() -> io::Result<tokio::runtime::Runtime> {
    threads::runtime(Builder::new_multi_thread().worker_threads(1))
}

/// How long a process takes to end, at most, once its calls in flight have ended or were cut off. A
/// disk on which that takes longer must not keep it: everything acknowledged is durable, and the
/// next start publishes it, as after a crash.
const END: Duration = Duration::from_secs(15);

/// How long the last words of a process may take.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// What the system tells the process. Made before anything starts, so that no signal is missed.
pub struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    /// Listens to SIGTERM, SIGINT and SIGHUP, on the runtime. After one of the first two the
    /// process ends by itself, or else `drain_s` seconds and a quarter of a minute later, whatever
    /// it waits for: also if it has not started yet.
    pub fn new(drain_s: u64) -> io::Result<Self> {
        let watchdog = watchdog()?;
        let mut first = signal(SignalKind::terminate())?;
        let mut other = signal(SignalKind::interrupt())?;
        tokio::spawn(async move {
            tokio::select! {
                _ = first.recv() => {}
                _ = other.recv() => {}
            }
            let _ = watchdog.send(Duration::from_secs(drain_s) + END);
        });
        Ok(Signals {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Returns when the process is to stop. Calls `reload` for each SIGHUP before that.
    pub async fn until_stopped(&mut self, reload: impl Fn()) {
        loop {
            tokio::select! {
                _ = self.hangup.recv() => reload(),
                _ = self.terminate.recv() => break,
                _ = self.interrupt.recv() => break,
            }
        }
        tracing::info!("stopping: calls in flight may end");
    }
}

/// What ends the process so long after it was told. Its threads are there from the start: a process
/// that lacks memory or threads when it has to end gets no more of them.
fn watchdog() -> io::Result<mpsc::Sender<Duration>> {
    let (tell, told) = mpsc::channel();
    let (last, at_last) = mpsc::channel::<()>();
    thread::Builder::new()
        .name("end".to_owned())
        .spawn(move || {
            if let Ok(time) = told.recv() {
                end_after(time, &last);
            }
        })?;
    thread::Builder::new()
        .name("kill".to_owned())
        .spawn(move || {
            if at_last.recv().is_ok() {
                thread::sleep(2 * LAST_WORDS);
                let _ = kill_process(getpid(), Kill::KILL);
            }
        })?;
    Ok(tell)
}

/// Ends the process after so long, in which it should have ended by itself.
fn end_after(time: Duration, last: &mpsc::Sender<()>) {
    thread::sleep(time);
    // What the end of a process runs may wait for the disk, too.
    let _ = last.send(());
    let seconds = time.as_secs();
    let disk = assay_node::pace::slow();
    let disk = disk
        .as_deref()
        .unwrap_or("the disk is not to blame; report it");
    tracing::warn!(
        seconds,
        "ended out of order, because it took too long to end by itself: {disk}. Everything \
         acknowledged is durable, and the next start publishes what is not published yet"
    );
    // A thread of its own writes that, and may find nobody who reads it.
    thread::sleep(LAST_WORDS);
    // Nothing that the process has is taken down: its threads still use it.
    exit_at_once(0);
}

/// Returns once no thread of this process has a store, so that it may end. If one keeps a store
/// for longer than an end may take, the process ends here, with `code`: what was acknowledged is
/// durable, and a store opens after that as after a crash.
pub fn once_stores_are_closed(code: u8) {
    if !wait_until_closed(END) {
        exit_at_once(code.into());
    }
}
