//! The options that every command takes. The commands themselves are above this file, in `args`.

use clap::{Args, ValueEnum, builder::FalseyValueParser};
use std::path::PathBuf;

/// What every command takes. A flag wins over the environment, and the environment over the
/// configuration file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The node's address: http://HOST:PORT or https://HOST:PORT
    #[arg(long, global = true, env = "ASSAY_LOG", value_name = "URL")]
    pub log: Option<String>,
    /// The log's key, as text (NAME+HASH+BASE64) or a file with it
    #[arg(long, global = true, env = "ASSAY_LOG_KEY", value_name = "KEY|FILE")]
    pub log_key: Option<String>,
    /// Text for people or JSON for programs; `check` has more formats
    #[arg(long, global = true, env = "ASSAY_OUTPUT", value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Your policy, what you demand of software [default: ~/.config/assay/policy.toml]
    #[arg(long, global = true, env = "ASSAY_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Folder for the last head seen of each log [default: ~/.local/state/assay]
    #[arg(long, global = true, env = "ASSAY_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Configuration file [default: ~/.config/assay/config.toml]
    #[arg(long, global = true, env = "ASSAY_CONFIG", value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print only errors on stderr
    #[arg(long, short, global = true, env = "ASSAY_QUIET", value_parser = FalseyValueParser::new())]
    pub quiet: bool,
    /// TLS certificates (PEM) to trust instead of the system's
    #[arg(long, global = true, env = "ASSAY_TLS_CA", value_name = "FILE")]
    pub tls_ca: Option<PathBuf>,
    /// This client's TLS certificate (PEM)
    #[arg(long, global = true, env = "ASSAY_TLS_CERT", value_name = "FILE")]
    pub tls_cert: Option<PathBuf>,
    /// This client's TLS key (PEM)
    #[arg(long, global = true, env = "ASSAY_TLS_KEY", value_name = "FILE")]
    pub tls_key: Option<PathBuf>,
}

/// How data is written to stdout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Format {
    /// For people
    #[default]
    Text,
    /// For programs: one JSON object
    Json,
    /// check only: findings for code scanning (SARIF 2.1.0)
    Sarif,
    /// check only: vulnerabilities, and whether they apply (CycloneDX 1.6)
    CyclonedxVex,
    /// check only: a comment for a pull request
    Markdown,
}

impl Format {
    /// Whether every command can write it.
    pub fn is_general(self) -> bool {
        matches!(self, Format::Text | Format::Json)
    }

    /// What `--output` calls it.
    pub fn name(self) -> &'static str {
        match self {
            Format::Text => "text",
            Format::Json => "json",
            Format::Sarif => "sarif",
            Format::CyclonedxVex => "cyclonedx-vex",
            Format::Markdown => "markdown",
        }
    }
}
