//! `[page]`: the pages for people.

use serde::Deserialize;
use std::path::PathBuf;

/// The pages for people.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PageConfig {
    /// Whether there are any.
    pub enabled: bool,
    /// The policy that weighs what they show. Without one they say who says what, and no verdict.
    pub policy: Option<PathBuf>,
    /// Whose policy that is, as readers know them; the log's origin if nothing is said.
    pub operator: Option<String>,
    /// Where the pages reach the node itself. With TLS it has to be said, because a certificate is
    /// for a name.
    pub url: Option<String>,
}

impl Default for PageConfig {
    fn default() -> Self {
        PageConfig {
            enabled: true,
            policy: None,
            operator: None,
            url: None,
        }
    }
}
