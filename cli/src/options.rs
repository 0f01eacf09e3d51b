//! The options that every command takes. The commands themselves are above this file, in `args`.

use clap::{ArgMatches, Args, ValueEnum, builder::FalseyValueParser, parser::ValueSource};
use std::collections::BTreeSet;
use std::path::PathBuf;

/// What every command takes. A flag wins over the environment, and the environment over the
/// configuration file.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// The node's address: http://HOST:PORT or https://HOST:PORT
    #[arg(long, global = true, env = "ASSAY_LOG", value_name = "URL")]
    pub log: Option<String>,
    /// A node that mirrors the log, which is asked if the log does not answer; may be repeated
    #[arg(
        long,
        global = true,
        env = "ASSAY_MIRROR",
        value_name = "URL",
        value_delimiter = ','
    )]
    pub mirror: Vec<String>,
    /// The log's key, as text (NAME+HASH+BASE64) or a file with it
    #[arg(long, global = true, env = "ASSAY_LOG_KEY", value_name = "KEY|FILE")]
    pub log_key: Option<String>,
    /// Text for people or JSON for programs; some commands have more formats
    #[arg(long, global = true, env = "ASSAY_OUTPUT", value_name = "FORMAT")]
    pub output: Option<Format>,
    /// Your policy, what you demand of software [default: ~/.config/assay/policy.toml]
    #[arg(long, global = true, env = "ASSAY_POLICY", value_name = "FILE")]
    pub policy: Option<PathBuf>,
    /// Folder for the last head seen of each log; "none" to remember nothing [default:
    /// ~/.local/state/assay]
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
    /// File with the passphrase of encrypted signing keys: one line [default: asked for on a
    /// terminal]
    #[arg(
        long,
        global = true,
        env = "ASSAY_PASSPHRASE_FILE",
        value_name = "FILE"
    )]
    pub passphrase_file: Option<PathBuf>,
    /// What was given on the command line, of these options and of the command's own.
    #[arg(skip)]
    pub given: Given,
}

/// The options that were given on the command line, by their ids: not those of the environment or
/// the configuration, which are set for many commands at once. Whoever types an option means this
/// command, so that one which cannot honor it refuses it (docs/design.md 4).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Given(BTreeSet<String>);

impl Given {
    /// What the innermost command of `matches` was given. Options of all commands are among it.
    pub fn of(matches: &ArgMatches) -> Self {
        let mut innermost = matches;
        while let Some((_, inner)) = innermost.subcommand() {
            innermost = inner;
        }
        let ids = innermost.ids().map(clap::Id::as_str);
        let typed = ids.filter(|id| innermost.value_source(id) == Some(ValueSource::CommandLine));
        Given(typed.map(str::to_owned).collect())
    }

    /// As if the options with these ids had been given.
    #[cfg(test)]
    pub fn new(ids: &[&str]) -> Self {
        Given(ids.iter().map(|id| (*id).to_owned()).collect())
    }

    /// Whether the option with this id, as `log_key`, was given.
    pub fn has(&self, id: &str) -> bool {
        self.0.contains(id)
    }
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
    /// check and export vex: vulnerabilities, and whether they apply (CycloneDX 1.6)
    CyclonedxVex,
    /// check only: a comment for a pull request
    Markdown,
    /// export vex only: OpenVEX 0.2.0, which it also writes if nothing is said
    Openvex,
    /// export vex only: CSAF 2.0
    Csaf,
    /// export vex only: CSAF 2.1
    #[value(name = "csaf-2.1")]
    #[serde(rename = "csaf-2.1")]
    Csaf2_1,
    /// lifecycle only: a calendar (iCalendar)
    Ics,
    /// lifecycle only: objects of OpenEoX Core v1.0, which it also writes as json
    Openeox,
    /// lifecycle only: documents of CLE (ECMA-428), one a line
    Cle,
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
            Format::Openvex => "openvex",
            Format::Csaf => "csaf",
            Format::Csaf2_1 => "csaf-2.1",
            Format::Ics => "ics",
            Format::Openeox => "openeox",
            Format::Cle => "cle",
        }
    }
}
