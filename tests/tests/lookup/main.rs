//! `assay lookup` and `assay watch`, whole: the program against a node that runs.

mod claims;
mod issuers;
mod kinds;
mod packages;
mod person;
mod said;
mod watch;

/// Checkpoints as soon as there is something to publish.
const AT_ONCE: &str = "log.publish_interval_ms = 1";
