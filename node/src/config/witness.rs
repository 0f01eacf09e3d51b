//! `[witness]`: the witness that a node is.

use serde::Deserialize;
use std::path::PathBuf;

/// The witness that a node is, beside its log.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnWitnessConfig {
    /// The configuration file that `assay-node witness init` wrote. What it says of addresses and
    /// traces is the node's to say.
    pub config: PathBuf,
}
