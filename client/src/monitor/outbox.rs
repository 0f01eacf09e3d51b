//! Alerts that are still to be sent, on disk: a file each, in the order in which they were told.
//!
//! A file is synced before [`Outbox::push`] returns, and removed once somebody took the alert. So a
//! crash anywhere loses none, and may send one twice, with the same id.
//!
//! Several processes may share a state folder, each for other logs: one at a time adds alerts, and
//! one at a time sends.

use super::alert::Alert;
use super::delivery::event;
use crate::files;
use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
};

/// Most alerts that wait. Beyond, the monitor stops until some were taken: it loses none.
pub(super) const WAITING: usize = 10_000;

/// Largest file: an alert and the words around it.
const FILE_BYTES: u64 = 64 * 1024;

/// Why an alert was not put to those that wait.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// So many wait that no more is taken.
    #[error(
        "{WAITING} alerts wait to be sent; nothing more is monitored until the webhook takes some"
    )]
    Full,
    /// The folder or a file of it.
    #[error("cannot {doing} {path}, where alerts wait to be sent", path = path.display())]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// The folder of alerts that wait.
#[derive(Debug, Clone)]
pub struct Outbox {
    folder: PathBuf,
    most: usize,
}

/// An alert that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Waiting {
    pub id: String,
    pub body: Vec<u8>,
    path: PathBuf,
}

impl Outbox {
    /// The outbox in a state folder. It is made if it is missing.
    pub fn open(state_dir: &Path) -> Result<Self, OutboxError> {
        let folder = state_dir.join("monitor").join("outbox");
        files::create_folder(&folder).map_err(|e| failed("make", &folder, e))?;
        Ok(Outbox {
            folder,
            most: WAITING,
        })
    }

    /// Puts alerts to those that wait, each once: when this returns they are on stable storage.
    pub fn push(&self, alerts: &[Alert]) -> Result<(), OutboxError> {
        let _one = self.lock("adding")?;
        let names = self.names()?;
        let mut next = names.last().map_or(0, |(number, _)| number + 1);
        let mut waiting = names.len();
        for alert in alerts {
            if names.iter().any(|(_, id)| *id == alert.id) {
                continue;
            }
            if waiting == self.most {
                return Err(OutboxError::Full);
            }
            let path = self.folder.join(format!("{next:020}-{}.json", alert.id));
            files::replace(&path, event(alert).as_bytes())
                .map_err(|e| failed("write", &path, e))?;
            (next, waiting) = (next + 1, waiting + 1);
        }
        Ok(())
    }

    /// How many wait.
    pub fn len(&self) -> Result<usize, OutboxError> {
        Ok(self.names()?.len())
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> Result<bool, OutboxError> {
        Ok(self.names()?.is_empty())
    }

    /// The one that waits longest. A file that is too long for an alert is set aside, under
    /// another name: it keeps those behind it from nobody.
    pub(super) fn first(&self) -> Result<Option<Waiting>, OutboxError> {
        for (number, id) in self.names()? {
            let path = self.folder.join(format!("{number:020}-{id}.json"));
            let size = fs::metadata(&path).map_err(|e| failed("read", &path, e))?;
            if size.len() > FILE_BYTES {
                let aside = path.with_extension("too-long");
                fs::rename(&path, aside).map_err(|e| failed("set aside", &path, e))?;
                continue;
            }
            let body = files::read(&path).map_err(|e| failed("read", &path, e))?;
            return Ok(Some(Waiting { id, body, path }));
        }
        Ok(None)
    }

    /// Lets one go that was taken. Somebody may have removed it meanwhile.
    pub(super) fn done(&self, taken: &Waiting) -> Result<(), OutboxError> {
        match fs::remove_file(&taken.path) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => Err(failed("remove", &taken.path, e)),
            _ => Ok(()),
        }
    }

    /// The right to send what waits, as long as the file is open. `None` if another process has it,
    /// which sends all that waits.
    pub(super) fn sending(&self) -> Result<Option<File>, OutboxError> {
        let (path, file) = self.lock_file("sending")?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(failed("lock", &path, e)),
        }
    }

    /// Waits for a right that no process has for long.
    fn lock(&self, name: &str) -> Result<File, OutboxError> {
        let (path, file) = self.lock_file(name)?;
        file.lock().map_err(|e| failed("lock", &path, e))?;
        Ok(file)
    }

    fn lock_file(&self, name: &str) -> Result<(PathBuf, File), OutboxError> {
        let path = self.folder.join(format!("{name}.lock"));
        let file = files::open_lock(&path).map_err(|e| failed("lock", &path, e))?;
        Ok((path, file))
    }

    /// Numbers and ids of those that wait, in order. What has another name is not ours.
    fn names(&self) -> Result<Vec<(u64, String)>, OutboxError> {
        let list = |e| failed("list", &self.folder, e);
        let mut names = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(list)? {
            let name = entry.map_err(list)?.file_name();
            let name = name.to_str().and_then(|name| name.strip_suffix(".json"));
            let Some((number, id)) = name.and_then(|name| name.split_once('-')) else {
                continue;
            };
            if let Ok(number) = number.parse() {
                names.push((number, id.to_owned()));
            }
        }
        names.sort();
        Ok(names)
    }
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> OutboxError {
    OutboxError::Io {
        doing,
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::Kind;
    use std::thread;

    fn alert(n: u64) -> Alert {
        Alert::event(Kind::NameUsed, "log", n, &n.to_string(), n.to_string())
    }

    #[test]
    fn alerts_wait_in_order_each_once_and_none_is_dropped_for_want_of_room() {
        let folder = tempfile::tempdir().unwrap();
        let mut outbox = Outbox::open(folder.path()).unwrap();
        outbox.most = 3;
        outbox.push(&[alert(1), alert(2)]).unwrap();
        // A second telling, as after a crash.
        outbox.push(&[alert(2), alert(1)]).unwrap();
        assert_eq!(outbox.len().unwrap(), 2);
        assert!(matches!(
            outbox.push(&[alert(3), alert(4)]),
            Err(OutboxError::Full)
        ));
        let mut taken = Vec::new();
        while let Some(first) = outbox.first().unwrap() {
            outbox.done(&first).unwrap();
            taken.push(first.id);
        }
        let expected: Vec<String> = [1, 2, 3].map(|n| alert(n).id).into();
        assert_eq!(taken, expected);
        assert!(outbox.is_empty().unwrap());
        fs::write(outbox.folder.join("note.txt"), "").unwrap();
        let long = outbox
            .folder
            .join(format!("{:020}-{}.json", 0, alert(9).id));
        fs::write(&long, vec![b' '; FILE_BYTES as usize + 1]).unwrap();
        assert_eq!(outbox.first().unwrap(), None);
        assert!(!long.exists() && long.with_extension("too-long").exists());
        outbox.push(&[alert(5)]).unwrap();
        assert_eq!(outbox.len().unwrap(), 1);
    }

    #[test]
    fn processes_that_share_a_folder_add_one_after_the_other_and_one_sends() {
        const EACH: u64 = 20;
        let folder = tempfile::tempdir().unwrap();
        thread::scope(|scope| {
            for process in 0..8 {
                let outbox = Outbox::open(folder.path()).unwrap();
                scope.spawn(move || {
                    for number in 0..EACH {
                        outbox.push(&[alert(process * EACH + number)]).unwrap();
                    }
                });
            }
        });
        let outbox = Outbox::open(folder.path()).unwrap();
        let numbers = outbox
            .names()
            .unwrap()
            .into_iter()
            .map(|(number, _)| number);
        assert_eq!(
            numbers.collect::<Vec<_>>(),
            (0..8 * EACH).collect::<Vec<_>>()
        );
        let right = outbox.sending().unwrap();
        assert!(right.is_some());
        assert!(outbox.sending().unwrap().is_none());
        drop(right);
        assert!(outbox.sending().unwrap().is_some());
        // What somebody else removed is no reason to stop.
        let first = outbox.first().unwrap().unwrap();
        outbox.done(&first).unwrap();
        outbox.done(&first).unwrap();
    }
}
