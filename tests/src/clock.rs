//! Another time for a process: a library that shows it a clock which is wrong.

use anyhow::{Context, ensure};
use std::{fs, path::Path, process::Command};

/// Returns the variable of the environment with which every program sees a clock that is off by so
/// many seconds. The library stands in `folder`. It takes a C compiler, as RocksDB does.
pub fn off_by(folder: &Path, seconds: i64) -> anyhow::Result<(String, String)> {
    let source = folder.join("clock.c");
    let library = folder.join("clock.so");
    let text = format!(
        "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <time.h>\n#include <sys/time.h>\n\
         int clock_gettime(clockid_t which, struct timespec *at) {{\n\
         static int (*real)(clockid_t, struct timespec *);\n\
         if (!real) real = dlsym(RTLD_NEXT, \"clock_gettime\");\n\
         int failed = real(which, at);\n\
         if (!failed && which == CLOCK_REALTIME) at->tv_sec += {seconds};\n\
         return failed;\n}}\n"
    );
    fs::write(&source, text)?;
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .output()
        .context("cc makes the clock")?;
    let said = String::from_utf8_lossy(&compiled.stderr);
    ensure!(compiled.status.success(), "{said}");
    Ok(("LD_PRELOAD".to_owned(), library.display().to_string()))
}
