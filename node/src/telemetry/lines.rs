//! Lines on their way to standard error. Whoever collects them and does not read, or whose disk is
//! full, must not stop the node: lines wait for a thread of their own, or are lost and counted.

use std::{
    io::{self, Write},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, SyncSender, TrySendError, sync_channel},
    },
    thread,
    time::{Duration, Instant},
};

/// Lines that wait to be written. What comes beyond that is lost.
const WAITING: usize = 4096;

/// How long the end waits for the lines that wait.
const LAST: Duration = Duration::from_secs(1);

/// Lines that found no room.
static LOST: AtomicU64 = AtomicU64::new(0);

/// How many lines are lost so far.
pub fn lost_lines() -> u64 {
    LOST.load(Ordering::Relaxed)
}

enum Message {
    Line(Vec<u8>),
    /// Everything before it is written once this is dropped.
    End(SyncSender<()>),
}

/// Takes lines, and never waits.
#[derive(Clone)]
pub(super) struct Lines(SyncSender<Message>);

impl Lines {
    /// Starts the thread that writes them.
    pub fn start(to: impl Write + Send + 'static) -> io::Result<Self> {
        let (sender, lines) = sync_channel(WAITING);
        let write = move || write(&lines, to);
        thread::Builder::new().name("log".into()).spawn(write)?;
        Ok(Lines(sender))
    }
}

fn write(lines: &Receiver<Message>, mut to: impl Write) {
    for message in lines {
        match message {
            // There is nobody to tell if it cannot be written.
            Message::Line(line) => _ = to.write_all(&line),
            Message::End(written) => drop(written),
        }
    }
}

impl Write for Lines {
    /// Takes a whole line.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.0.try_send(Message::Line(line.to_vec())).is_err() {
            LOST.fetch_add(1, Ordering::Relaxed);
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Writes the lines that wait when it is dropped, for at most a second.
#[must_use = "the last lines of a process are written when this is dropped"]
pub struct Last(pub(super) Lines);

impl Drop for Last {
    fn drop(&mut self) {
        let deadline = Instant::now() + LAST;
        let (written, wait) = sync_channel(0);
        let mut end = Message::End(written);
        while let Err(TrySendError::Full(again)) = self.0.0.try_send(end) {
            if Instant::now() >= deadline {
                return;
            }
            end = again;
            thread::sleep(Duration::from_millis(5));
        }
        let _ = wait.recv_timeout(deadline.saturating_duration_since(Instant::now()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex, mpsc};

    /// Writes a line each time that it is told to.
    struct Slow(mpsc::Receiver<()>, Arc<Mutex<Vec<u8>>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.recv().map_err(io::Error::other)?;
            self.1.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_beyond_those_that_wait_are_lost_and_the_others_come_in_order() {
        let (go, told) = mpsc::channel();
        let written = Arc::new(Mutex::new(Vec::new()));
        let mut lines = Lines::start(Slow(told, written.clone())).unwrap();
        for number in 0..WAITING + 100 {
            lines.write_all(format!("{number}\n").as_bytes()).unwrap();
        }
        // The thread has taken at most one of them.
        assert!((99..=100).contains(&lost_lines()));
        for _ in 0..WAITING + 100 {
            go.send(()).unwrap();
        }
        drop(Last(lines));
        let written = String::from_utf8(written.lock().unwrap().clone()).unwrap();
        let kept = WAITING + 100 - lost_lines() as usize;
        let numbers = written.lines().map(|line| line.parse::<usize>().unwrap());
        assert!(numbers.eq(0..kept));
    }
}
