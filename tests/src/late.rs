//! A thread of a process that goes on late, as on a machine that has much else to do: a library
//! that is loaded before the C library (`late.c`).

use crate::preload;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// Threads of one name, which go on late once [`begin`](Late::begin) was called.
#[derive(Debug)]
pub struct Late {
    environment: [(String, String); 4],
    from: PathBuf,
}

impl Late {
    /// The threads called `thread`, each time that they are woken. The files of this stand in
    /// `folder`.
    pub fn new(folder: &Path, thread: &str, time: Duration) -> anyhow::Result<Self> {
        let made = preload::library(folder, "late", include_str!("late.c"))?;
        let from = folder.join("late.from");
        let _ = fs::remove_file(&from);
        Ok(Late {
            environment: [
                (preload::VARIABLE, made.display().to_string()),
                ("LATE_THREAD", thread.to_owned()),
                ("LATE_FROM", from.display().to_string()),
                ("LATE_US", time.as_micros().to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
            from,
        })
    }

    /// The variables of the process.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment.to_vec()
    }

    /// From now on.
    pub fn begin(&self) -> anyhow::Result<()> {
        Ok(fs::write(&self.from, "")?)
    }
}
