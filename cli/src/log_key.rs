//! The key of a log, as `--log-key` takes it: as text, or as a file with it.

use crate::{exit::Failure, input};
use assay_tlog::note::{VerifierKey, refuse_private_key};
use std::path::Path;

/// Longest file with a log's key, in bytes.
const BYTES: usize = 16 * 1024;

/// Reads a log key given as text or as a file. Fails with [`Failure::Usage`].
pub fn parse(given: &str) -> Result<VerifierKey, Failure> {
    let wrong = match VerifierKey::parse_log(given.trim()) {
        Ok(key) => return Ok(key),
        Err(wrong) => wrong,
    };
    refuse_private_key(given).map_err(|_| {
        Failure::Usage(
            "--log-key is a private key, so it is not shown; give the log's public key, which \
             `assay-node init` printed, and keep the other one to the log"
                .into(),
        )
    })?;
    let text = input::text(Path::new(given), BYTES).map_err(|e| {
        Failure::Usage(if given.contains('+') {
            format!("--log-key {given}: {wrong}")
        } else {
            format!(
                "--log-key {given}: this is neither a key (NAME+HASH+BASE64) nor a file that can \
                 be read: {e}"
            )
        })
    })?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text).trim();
    let lines = text.lines().count();
    if lines > 1 {
        return Err(Failure::Usage(format!(
            "{given} has {lines} lines; keep the one with the key of the log, NAME+HASH+BASE64, \
             which `assay-node init` prints first"
        )));
    }
    VerifierKey::parse_log(text).map_err(|e| {
        Failure::Usage(format!(
            "{given} holds no log key ({e}); it should be one line, NAME+HASH+BASE64"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_shown_of_a_private_key() {
        let given = "PRIVATE+KEY+a.example/log+0ae13d78+AYISVYXr";
        let said = parse(given).unwrap_err().to_string();
        assert!(said.contains("private key"), "{said}");
        assert!(!said.contains("AYISVYXr"), "{said}");
    }

    #[test]
    fn a_file_with_a_log_key_is_what_editors_make_of_it_or_is_named() {
        const KEY: &str = "c.example/log+0ae13d78+AaL8dA0cFEfdzZW49ZXvRT36HgP/HN8kzLi8hEXvw1jS";
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log.vkey");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            parse(path.to_str().unwrap()).map_err(|e| e.to_string())
        };
        assert_eq!(
            read(&format!("\u{feff}{KEY}\r\n")).unwrap().to_string(),
            KEY
        );
        let two = read(&format!("{KEY}\n{KEY}\n")).unwrap_err();
        assert!(two.contains("has 2 lines"), "{two}");
        assert!(parse("/dev/zero").is_err());
    }
}
