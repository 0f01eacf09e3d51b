//! Programs of other projects that `scripts/setup test` unpacks from Debian's packages into the
//! cache, without installing them: no service of theirs starts on anybody's machine.

use crate::skip;
use std::{
    env,
    path::{Path, PathBuf},
    process::Command,
};

/// The program: where the packages are unpacked, or on the path. None if it is in neither: a test
/// of `what` cannot run then, which is said aloud.
///
/// # Panics
/// In CI (`CI` is set), when there is none.
pub fn require_program(name: &str, what: &str) -> Option<PathBuf> {
    let found = find(name).ok_or_else(|| format!("{name} is missing; see scripts/setup test"));
    skip::unless_found(what, &found).cloned()
}

fn find(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let cache = Command::new(root.join("scripts/cache-dir")).output().ok()?;
    let cache = String::from_utf8(cache.stdout).ok()?;
    let unpacked = Path::new(cache.trim()).join("debian");
    let mut folders = vec![unpacked.join("usr/bin"), unpacked.join("usr/sbin")];
    folders.extend(env::split_paths(&env::var_os("PATH")?));
    let mut programs = folders.iter().map(|folder| folder.join(name));
    programs.find(|program| program.is_file())
}
