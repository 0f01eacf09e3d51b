//! Texts that hold a private key, whoever made it: what reads text of a file that somebody named
//! by mistake must not quote it.

/// How the files of private keys begin or end a line: ours, those of age, PEM, OpenSSH and PuTTY,
/// minisign, and what age encrypted. Upper or lower case is the same.
const MARKS: [&str; 8] = [
    "PRIVATE+KEY+",
    "AGE-SECRET-KEY-",
    "PRIVATE KEY-----",
    "PRIVATE KEY ----",
    "BEGIN AGE ENCRYPTED FILE",
    "age-encryption.org/v1",
    "PuTTY-User-Key-File-",
    "minisign encrypted secret key",
];

/// A text holds a private key, so that nothing of it may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this holds a private key, so nothing of it is shown; name another file")]
pub struct HoldsPrivateKey;

/// Fails with [`HoldsPrivateKey`] if the text has in it what begins or ends a private key, of any
/// kind that is known here, encrypted or not.
pub fn refuse_private_key(text: &str) -> Result<(), HoldsPrivateKey> {
    for mark in MARKS.iter().map(|mark| mark.as_bytes()) {
        let mut windows = text.as_bytes().windows(mark.len());
        if windows.any(|window| window.eq_ignore_ascii_case(mark)) {
            return Err(HoldsPrivateKey);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::note::SignerKey;

    #[test]
    fn files_with_a_private_key_are_known() {
        let ours = SignerKey::from_seed("a.example/log", &[7; 32]).unwrap();
        for text in [
            &ours.to_private_string()[..],
            "# created: 2026-01-01\nAGE-SECRET-KEY-1QQQQ\n",
            "age-secret-key-1qqqq",
            "-----BEGIN PRIVATE KEY-----\nMC4C\n",
            "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMC4C\n",
            "-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n",
            "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nP2/5\n",
            "-----BEGIN AGE ENCRYPTED FILE-----\nYWdl\n",
            "age-encryption.org/v1\n-> scrypt x 18\n",
            "PuTTY-User-Key-File-3: ssh-ed25519\n",
            "untrusted comment: minisign encrypted secret key\nRWRT\n",
            "[log]\norigin = \"a.example\"\nkey = \"PRIVATE+KEY+a+00000000+AAAA\"\n",
        ] {
            assert_eq!(refuse_private_key(text), Err(HoldsPrivateKey), "{text:?}");
        }
        for text in [
            "",
            "a.example/log+0ae13d78+AaL8dA0cFEfdzZW49ZXv",
            "-----BEGIN PUBLIC KEY-----\nMCow\n",
            "# The log's private key is elsewhere.\nkey = \"log.key\"\n",
            "ssh-ed25519 AAAA me",
        ] {
            assert_eq!(refuse_private_key(text), Ok(()), "{text:?}");
        }
    }
}
