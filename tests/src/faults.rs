//! A disk with faults, for one process: a library that is loaded before the C library (`faults.c`).
//! The test changes what it does while the process runs.

use crate::preload;
use std::{
    fs::{self, File},
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
    time::Duration,
};

/// Bytes of the state that library and test share.
const STATE: usize = 256;

/// What the library reads and writes, at these places of the state: numbers of four bytes.
const SLOW_MS: u64 = 0;
const ARMED: u64 = 4;
const FAIL_AT: u64 = 8;
const ERROR: u64 = 12;
const FOR_EVER: u64 = 16;
const CALLS: u64 = 20;
const FAILED: u64 = 24;
const FORGET: u64 = 28;
const WHAT: u64 = 32;

/// How a call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// EIO, once.
    Io,
    /// ENOSPC, from then on.
    Full,
    /// The process is killed before it.
    Kill,
}

/// Syncs that do nothing: the mutant of a program that omits them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Forgotten {
    /// Those of write-ahead logs.
    WriteAheadLog,
    /// Those of the checkpoint file.
    Checkpoints,
}

/// The disk below a folder, as a process sees it that has [`Faults::environment`].
#[derive(Debug)]
pub struct Faults {
    folder: PathBuf,
    below: PathBuf,
    state: File,
}

impl Faults {
    /// A disk below `below` that does nothing wrong yet. Its own files stand in `folder`, which is
    /// not below that, and has nothing of another disk any more.
    pub fn new(folder: &Path, below: &Path) -> anyhow::Result<Self> {
        let kept = folder.join("kept");
        if kept.exists() {
            fs::remove_dir_all(&kept)?;
        }
        fs::create_dir(&kept)?;
        preload::library(folder, "faults", include_str!("faults.c"))?;
        let path = folder.join("state");
        fs::write(&path, [0; STATE])?;
        let state = File::options().read(true).write(true).open(path)?;
        Ok(Faults {
            folder: folder.to_owned(),
            below: below.to_owned(),
            state,
        })
    }

    /// The variables of the process.
    pub fn environment(&self) -> Vec<(String, String)> {
        let own = |file: &str| self.folder.join(file).display().to_string();
        let below = self.below.display().to_string();
        [
            (preload::VARIABLE, own("faults.so")),
            ("FAULTS_STATE", own("state")),
            ("FAULTS_BELOW", below),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The same, and what is synced is kept, for [`Faults::lose`].
    pub fn losing(&self) -> Vec<(String, String)> {
        let mut all = self.environment();
        let kept = self.folder.join("kept").display().to_string();
        all.push(("FAULTS_KEPT".to_owned(), kept));
        all
    }

    fn set(&self, at: u64, value: u32) -> anyhow::Result<()> {
        Ok(self.state.write_all_at(&value.to_le_bytes(), at)?)
    }

    fn get(&self, at: u64) -> anyhow::Result<u32> {
        let mut value = [0; 4];
        self.state.read_exact_at(&mut value, at)?;
        Ok(u32::from_le_bytes(value))
    }

    /// Each sync takes so much longer from now on.
    pub fn slow(&self, time: Duration) -> anyhow::Result<()> {
        self.set(SLOW_MS, u32::try_from(time.as_millis())?)
    }

    /// Counts calls from now on, and lets the one with this number fail. 0 is none.
    pub fn fail(&self, number: u32, failure: Failure) -> anyhow::Result<()> {
        let (error, for_ever) = match failure {
            Failure::Io => (5, 0),
            Failure::Full => (28, 1),
            Failure::Kill => (0, 0),
        };
        for (at, value) in [
            (CALLS, 0),
            (FAILED, 0),
            (FAIL_AT, number),
            (ERROR, error),
            (FOR_EVER, for_ever),
            (ARMED, 1),
        ] {
            self.set(at, value)?;
        }
        Ok(())
    }

    /// Lets no call fail any more.
    pub fn mend(&self) -> anyhow::Result<()> {
        self.set(ARMED, 0)
    }

    /// How many calls were counted.
    pub fn calls(&self) -> anyhow::Result<u32> {
        self.get(CALLS)
    }

    /// The first call that failed and its file, if one did.
    pub fn failed(&self) -> anyhow::Result<Option<String>> {
        if self.get(FAILED)? == 0 {
            return Ok(None);
        }
        let mut what = [0; STATE - WHAT as usize];
        self.state.read_exact_at(&mut what, WHAT)?;
        let text = what.split(|byte| *byte == 0).next().unwrap_or_default();
        Ok(Some(String::from_utf8_lossy(text).into_owned()))
    }

    /// Forgets syncs from now on.
    pub fn forget(&self, what: Forgotten) -> anyhow::Result<()> {
        self.set(
            FORGET,
            match what {
                Forgotten::WriteAheadLog => 1,
                Forgotten::Checkpoints => 2,
            },
        )
    }

    /// Takes away what was not synced, as a power cut does once the process is dead: each file is
    /// as it was synced last, or empty. Names are as they are. What is there before the process
    /// runs has to be kept ([`Faults::keep`]).
    pub fn lose(&self) -> anyhow::Result<()> {
        for path in files(&self.below)? {
            let kept = self.kept(&path)?;
            let bytes = match fs::read(&kept) {
                Ok(bytes) => bytes,
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
                Err(error) => return Err(error.into()),
            };
            // In place: the inode is what it is kept under.
            fs::write(&path, bytes)?;
        }
        Ok(())
    }

    /// Keeps what is there now, as if all of it had been synced.
    pub fn keep(&self) -> anyhow::Result<()> {
        for path in files(&self.below)? {
            fs::copy(&path, self.kept(&path)?)?;
        }
        Ok(())
    }

    fn kept(&self, path: &Path) -> anyhow::Result<PathBuf> {
        let inode = fs::metadata(path)?.ino();
        Ok(self.folder.join("kept").join(inode.to_string()))
    }
}

/// All files below a folder, in order. Sockets, which a process that was killed leaves, are none.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                folders.push(entry.path());
            } else if kind.is_file() {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}
