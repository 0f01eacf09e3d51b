//! Another time for a process: a library that shows it a clock which is wrong.

use crate::preload;
use std::path::Path;

/// Returns the variable of the environment with which every program sees a clock that is off by so
/// many seconds. The library stands in `folder`.
pub fn off_by(folder: &Path, seconds: i64) -> anyhow::Result<(String, String)> {
    let source = format!(
        "#define _GNU_SOURCE\n#include <dlfcn.h>\n#include <time.h>\n#include <sys/time.h>\n\
         int clock_gettime(clockid_t which, struct timespec *at) {{\n\
         static int (*real)(clockid_t, struct timespec *);\n\
         if (!real) real = dlsym(RTLD_NEXT, \"clock_gettime\");\n\
         int failed = real(which, at);\n\
         if (!failed && which == CLOCK_REALTIME) at->tv_sec += {seconds};\n\
         return failed;\n}}\n"
    );
    // Another clock in the same folder is another library.
    let made = preload::library(folder, &format!("clock{seconds}"), &source)?;
    Ok((preload::VARIABLE.to_owned(), made.display().to_string()))
}
