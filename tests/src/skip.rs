//! Tests that cannot run for want of what they need.

use std::{
    env,
    io::{self, Write},
};

/// Says that a test is skipped, and why: `scripts/test` counts these lines.
///
/// # Panics
/// In CI (`CI` is set), which leaves no test out.
pub fn skip(why: &str) {
    assert!(env::var_os("CI").is_none(), "{why}");
    say(why);
}

/// Says the same, also in CI.
pub fn say(why: &str) {
    // Not eprintln!, which the test harness swallows when a test passes. In one piece: other tests
    // write beside this one.
    let _ = io::stderr().write_all(format!("skipped: {why}\n").as_bytes());
}

/// What a test of `what` needs, if it was found; else the test is skipped, as [`skip`] says.
pub fn unless_found<'f, T>(what: &str, found: &'f Result<T, String>) -> Option<&'f T> {
    let found = found.as_ref();
    found
        .map_err(|reason| skip(&format!("{what}: {reason}")))
        .ok()
}
