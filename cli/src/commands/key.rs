//! `assay key`: making and showing signing keys.

use crate::{config::Settings, exit::Failure, keys::Key, output};
use clap::Subcommand;
use serde::Serialize;
use std::path::PathBuf;

/// Keys are Ed25519, PKCS#8 in PEM, in files that only their owner may read.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new signing key. An existing file is never overwritten
    New {
        /// Where to put it [default: ~/.config/assay/key.pem]
        file: Option<PathBuf>,
    },
    /// Show the public key of a signing key and the issuer it signs for
    Show {
        /// The key files [default: those of the configuration, else ~/.config/assay/key.pem]
        files: Vec<PathBuf>,
    },
}

/// What is said of a key. The private key is never shown.
#[derive(Debug, Serialize)]
struct KeyView {
    file: PathBuf,
    public_key: String,
    issuer_id: String,
    /// `file` if it stands beside the key, `derived` if it is the issuer that this key alone makes.
    issuer_from: &'static str,
}

impl KeyView {
    fn new(key: &Key) -> Self {
        KeyView {
            file: key.path.clone(),
            public_key: hex::encode(key.public()),
            issuer_id: key.issuer().to_string(),
            issuer_from: if key.has_sidecar() { "file" } else { "derived" },
        }
    }

    fn text(&self) -> String {
        let note = match self.issuer_from {
            "file" => "",
            _ => "  (if this key alone makes the issuer)",
        };
        let (file, public_key, issuer) = (self.file.display(), &self.public_key, &self.issuer_id);
        format!("key file    {file}\npublic key  {public_key}\nissuer id   {issuer}{note}")
    }
}

/// Runs the command.
pub fn run(command: Command, settings: &Settings) -> Result<(), Failure> {
    match command {
        Command::New { file } => {
            let path = file.unwrap_or_else(|| settings.default_key().to_owned());
            let key = Key::create(&path)?;
            let view = KeyView::new(&key);
            output::data(settings, || view.text(), &view)?;
            let next = format!(
                "next: assay issuer register --name NAME --key {}",
                path.display()
            );
            output::say(
                settings,
                &format!("Keep this file: whoever has it can sign as you.\n{next}"),
            );
            Ok(())
        }
        Command::Show { files } => {
            let keys = settings
                .keys(&files)
                .iter()
                .map(|path| Key::read(path))
                .collect::<Result<Vec<_>, _>>()?;
            let views: Vec<_> = keys.iter().map(KeyView::new).collect();

            output::data(
                settings,
                || {
                    views
                        .iter()
                        .map(KeyView::text)
                        .collect::<Vec<_>>()
                        .join("\n\n")
                },
                &views,
            )
        }
    }
}
