//! A configuration as a file: one way to read it, whatever is configured.

use super::token::holds_pin;
use assay_host::files;
use assay_tlog::note::refuse_private_key;
use serde::de::DeserializeOwned;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}{more}", path = path.display(), more = more(source, init))]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// The command that makes one.
        init: &'static str,
        /// Why not.
        source: io::Error,
    },
    /// The file is no TOML, has an unknown key, or lacks one.
    #[error("{path} is not {what}'s configuration", path = path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What it should configure.
        what: &'static str,
        /// What is wrong, and at which line and key.
        source: Box<toml::de::Error>,
    },
    /// A value is out of range.
    #[error("{path}: {reason}", path = path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Which key, and why.
        reason: String,
    },
}

/// What helps: `init` where there is no file, and not where one is that cannot be read.
fn more(source: &io::Error, init: &str) -> String {
    match source.kind() {
        io::ErrorKind::NotFound => format!("; `{init}` makes one"),
        _ => String::new(),
    }
}

/// A configuration that is one TOML file.
pub trait ConfigFile: DeserializeOwned {
    /// What it configures, with an article.
    const WHAT: &'static str;
    /// The command that makes one.
    const INIT: &'static str;

    /// Says which value is out of range, if one is.
    fn check(&self) -> Result<(), String>;

    /// Says which file is where it must not be, once all paths are whole.
    fn check_places(&self) -> Result<(), String>;

    /// Makes its paths relative to a folder.
    fn resolve(&mut self, folder: &Path);

    /// Reads a file. Paths in it are relative to the folder of the file.
    fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = files::read_text(path).map_err(|source| ConfigError::Unreadable {
            path: path.into(),
            init: Self::INIT,
            source,
        })?;
        let mut config: Self = parse(path, &text)?;
        let invalid = |reason| ConfigError::Invalid {
            path: path.into(),
            reason,
        };
        config.check().map_err(invalid)?;
        config.resolve(path.parent().unwrap_or(Path::new(".")));
        config.check_places().map_err(invalid)?;
        Ok(config)
    }
}

/// Reads the text of a file.
fn parse<C: ConfigFile>(path: &Path, text: &str) -> Result<C, ConfigError> {
    refuse_private_key(text).map_err(|held| ConfigError::Invalid {
        path: path.into(),
        reason: held.to_string(),
    })?;
    toml::from_str(text).map_err(|source| {
        let path = path.into();
        // An error of TOML quotes the line, and a PIN is not for logs.
        if holds_pin(text) {
            let reason = source.message().to_owned();
            return ConfigError::Invalid { path, reason };
        }
        ConfigError::Malformed {
            path,
            what: C::WHAT,
            source: Box::new(source),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::super::Config;
    use super::*;
    use crate::{
        peers,
        reason::with_causes,
        witness::{config::WitnessConfig, listed::Listed},
    };

    #[test]
    fn no_error_shows_a_pin() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("node.toml");
        for uri in [
            "pkcs11:token=a?pin-value=123456",
            "token=a&PIN-value=123456",
        ] {
            let text = format!("[log]\norigin = \"a.example\"\n[log.token]\nuri = \"{uri}\"\n");
            std::fs::write(&path, text).unwrap();
            let error = anyhow::Error::from(Config::load(&path).unwrap_err());
            let said = format!("{error:#} {error:?}");
            assert!(said.contains("holds a PIN"), "{said}");
            assert!(!said.contains("123456"), "{said}");
        }
    }

    #[test]
    fn only_what_is_missing_is_made_by_init() {
        let folder = tempfile::tempdir().unwrap();
        let utf16 = folder.path().join("utf16.toml");
        let bytes: Vec<u8> = "[log]".encode_utf16().flat_map(u16::to_le_bytes).collect();
        std::fs::write(&utf16, [&[0xff, 0xfe][..], &bytes[..]].concat()).unwrap();
        for (path, words) in [
            (folder.path().join("none"), "`assay-node init` makes one"),
            (utf16, "save it as UTF-8"),
            (folder.path().to_owned(), "is a folder"),
        ] {
            let said = with_causes(&Config::load(&path).unwrap_err());
            assert!(said.contains(words), "{said}");
            assert_eq!(said.contains("makes one"), path.ends_with("none"), "{said}");
        }
    }

    #[test]
    fn no_error_shows_a_private_key() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.key");
        for text in [
            "PRIVATE+KEY+a.example/log+0ae13d78+AYISVYXr\n",
            "# public key: age1q\nAGE-SECRET-KEY-1AYISVYXr\n",
            "[log]\norigin = \"a.example\"\nkey = \"PRIVATE+KEY+a.example+0ae13d78+AYISVYXr\"\n",
        ] {
            std::fs::write(&path, text).unwrap();
            for error in [
                anyhow::Error::from(Config::load(&path).unwrap_err()),
                anyhow::Error::from(WitnessConfig::load(&path).unwrap_err()),
                anyhow::Error::from(peers::file::read(&path).unwrap_err()),
                anyhow::Error::from(Listed::read(&path).err().unwrap()),
            ] {
                let said = format!("{error:#} {error:?}");
                assert!(said.contains("holds a private key"), "{said}");
                assert!(!said.contains("AYISVYXr"), "{said}");
            }
        }
    }
}
