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
        /// The file [default: ~/.config/assay/key.pem]
        file: Option<PathBuf>,
    },
    /// Show the public key of a signing key, and the issuer that it signs for
    Show {
        /// The key files [default: those of the configuration, else ~/.config/assay/key.pem]
        files: Vec<PathBuf>,
    },
}

/// What is shown of a key. The private key never is.
#[derive(Debug, Serialize)]
struct KeyView {
    file: PathBuf,
    public_key: String,
    issuer_id: String,
    /// `file` if it is written beside the key, `derived` if it is the issuer that this key alone
    /// makes.
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
            let view = KeyView::new(&Key::create(&path)?);
            output::data(settings, || view.text(), &view)?;
            let path = path.display();
            let next = format!("next: assay issuer register --name NAME --key {path}");
            let words = format!("Keep this file safe: whoever has it can sign as you.\n{next}");
            output::say(settings, &words);
            Ok(())
        }
        Command::Show { files } => {
            let mut views = Vec::new();
            for path in settings.keys(&files) {
                views.push(KeyView::new(&Key::read(&path)?));
            }
            output::data(settings, || texts(&views), &views)
        }
    }
}

fn texts(views: &[KeyView]) -> String {
    let texts: Vec<String> = views.iter().map(KeyView::text).collect();
    texts.join("\n\n")
}
