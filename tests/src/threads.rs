//! A process that gets no more threads, as at a limit of processes: a library that is loaded before
//! the C library (`threads.c`). The limit itself does not hold for root.

use crate::preload;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// Threads, which there are no more of once [`end`](Threads::end) was called.
#[derive(Debug)]
pub struct Threads {
    environment: [(String, String); 2],
    from: PathBuf,
}

impl Threads {
    /// The files of this stand in `folder`.
    pub fn new(folder: &Path) -> anyhow::Result<Self> {
        let made = preload::library(folder, "threads", include_str!("threads.c"))?;
        let from = folder.join("threads.from");
        let _ = fs::remove_file(&from);
        Ok(Threads {
            environment: [
                (preload::VARIABLE, made.display().to_string()),
                ("NO_THREADS_FROM", from.display().to_string()),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
            from,
        })
    }

    /// The variables of the process.
    pub fn environment(&self) -> Vec<(String, String)> {
        self.environment.to_vec()
    }

    /// From now on there are no more.
    pub fn end(&self) -> anyhow::Result<()> {
        Ok(fs::write(&self.from, "")?)
    }
}
