//! Whether the system gives threads: a limit of processes refuses them (`ulimit -u`, TasksMax= of a
//! systemd unit, `--pids-limit` of a container), and what starts many at once panics then.

use std::{io, thread};

/// Fails if the system gives this process no thread now. The reason says what to do.
pub fn demand_one() -> io::Result<()> {
    let started = thread::Builder::new().name("first".into()).spawn(|| ());
    let started = started.map_err(|error| {
        let what = format!(
            "the system gives no thread ({error}): raise the limit of processes, with TasksMax= \
             in a systemd unit, --pids-limit for a container, or ulimit -u in a shell"
        );
        io::Error::new(error.kind(), what)
    })?;
    started
        .join()
        .map_err(|_| io::Error::other("a thread failed"))
}
