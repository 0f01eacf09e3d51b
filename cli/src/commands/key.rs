//! `assay key`: making and showing signing keys.

use crate::{
    config::Settings,
    exit::Failure,
    keys::{Key, change_passphrase},
    output,
};
use assay_keyfile::passphrase::Changed;
use clap::{Subcommand, builder::FalseyValueParser};
use serde::Serialize;
use std::path::PathBuf;

/// Keys are Ed25519, PKCS#8 in PEM, in files that only their owner may read, and that a passphrase
/// may encrypt.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Make a new signing key. An existing file is never overwritten
    New {
        /// The file [default: ~/.config/assay/key.pem]
        file: Option<PathBuf>,
        /// Encrypt it with a passphrase: that of --passphrase-file, or one that is asked for
        #[arg(long, env = "ASSAY_ENCRYPT", value_parser = FalseyValueParser::new())]
        encrypt: bool,
    },
    /// Encrypt signing keys with a passphrase, with another one, or not any more
    ///
    /// At every moment a key file is whole. Copies of it keep the passphrase that they have.
    Passphrase {
        /// The key files [default: those of the configuration, else ~/.config/assay/key.pem]
        files: Vec<PathBuf>,
        /// File with the new passphrase: one line [default: asked for on a terminal]
        #[arg(long, env = "ASSAY_NEW_PASSPHRASE_FILE", value_name = "FILE")]
        new_passphrase_file: Option<PathBuf>,
        /// The keys are not encrypted any more
        #[arg(
            long,
            env = "ASSAY_REMOVE_PASSPHRASE",
            value_parser = FalseyValueParser::new(),
            conflicts_with = "new_passphrase_file"
        )]
        remove: bool,
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
        Command::New { file, encrypt } => {
            let path = file.unwrap_or_else(|| settings.default_key().to_owned());
            let passphrase = encrypt.then(|| settings.unlock.for_new()).transpose()?;
            let view = KeyView::new(&Key::create(&path, passphrase.as_ref())?);
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
                views.push(KeyView::new(&Key::read(&path, &settings.unlock)?));
            }
            output::data(settings, || texts(&views), &views)
        }
        Command::Passphrase {
            files,
            new_passphrase_file,
            remove,
        } => {
            let unlock = &settings.unlock;
            let new = (!remove).then(|| unlock.replacing(new_passphrase_file.as_deref()));
            let new = new.transpose()?;
            let mut views = Vec::new();
            for file in settings.keys(&files) {
                let changed = change_passphrase(&file, unlock, new.as_ref())?;
                views.push(ChangedView::new(file, changed));
            }
            output::data(
                settings,
                || views.iter().map(ChangedView::text).collect(),
                &views,
            )
        }
    }
}

/// What became of a key file.
#[derive(Debug, Serialize)]
struct ChangedView {
    file: PathBuf,
    /// Whether it is encrypted now.
    encrypted: bool,
    /// Whether it was changed.
    changed: bool,
}

impl ChangedView {
    fn new(file: PathBuf, changed: Changed) -> Self {
        ChangedView {
            file,
            encrypted: changed.is_encrypted,
            changed: !changed.is_old,
        }
    }

    fn text(&self) -> String {
        let now = if self.encrypted {
            "encrypted with the new passphrase"
        } else {
            "not encrypted"
        };
        let already = if self.changed {
            ""
        } else {
            " (it was already)"
        };
        format!("{}  {now}{already}\n", self.file.display())
    }
}

fn texts(views: &[KeyView]) -> String {
    let texts: Vec<String> = views.iter().map(KeyView::text).collect();
    texts.join("\n\n")
}
