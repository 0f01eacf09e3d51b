//! Reading a policy, with its conditions in CEL.

use crate::{exit::Failure, input};
use assay_client::Cel;
use assay_policy::rules::{POLICY_BYTES, Policy};
use std::path::Path;

/// Reads the policy at `path`, or from stdin if it is `-`.
///
/// Fails with [`Failure::Usage`] if there is none or it is malformed, naming line and key.
pub fn load(path: &Path) -> Result<Policy, Failure> {
    parse(path, &read(path)?)
}

/// Reads the text of the policy at `path`, or of stdin if it is `-`.
pub fn read(path: &Path) -> Result<String, Failure> {
    let shown = path.display();
    if path != Path::new("-") && !path.exists() {
        return Err(Failure::Usage(format!(
            "there is no policy at {shown}; `assay policy init` writes one to start with"
        )));
    }
    let document = input::read_setting(path, POLICY_BYTES)?;
    std::str::from_utf8(&document.bytes)
        .map(str::to_owned)
        .map_err(|_| Failure::Usage(format!("{shown} is not UTF-8; a policy is a text file")))
}

/// Reads a policy from its text. `path` is for the message.
pub fn parse(path: &Path, text: &str) -> Result<Policy, Failure> {
    let shown = path.display();
    Policy::parse(text, &Cel)
        .map_err(|e| Failure::Usage(format!("{shown}: {}", assay_client::plain(&e.to_string()))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_that_cannot_be_read_says_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("policy.toml");
        let error = || load(&path).unwrap_err();
        assert!(matches!(error(), Failure::Usage(text) if text.contains("policy init")));
        std::fs::write(&path, "version = 1\nunkown = 1\n").unwrap();
        assert!(matches!(error(), Failure::Usage(text) if text.contains("line 2")));
        std::fs::write(&path, "PRIVATE+KEY+a.example+0ae13d78+AYIS\n").unwrap();
        let Failure::Usage(told) = error() else {
            panic!("not the caller's fault");
        };
        assert!(
            told.contains("holds a private key") && !told.contains("AYIS"),
            "{told}"
        );
        std::fs::write(&path, b"\xff").unwrap();
        assert!(matches!(error(), Failure::Usage(text) if text.contains("UTF-8")));
    }
}
