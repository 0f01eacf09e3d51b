//! What a passphrase encrypts: files of age-encryption.org/v1 (C2SP age), which the tools `age` and
//! `rage` read and write, too.
//!
//! ```text
//! age-encryption.org/v1
//! -> scrypt <salt, 16 bytes> <log2 of the work>
//! <the file key, 16 bytes, encrypted: 32 bytes>
//! --- <HMAC over the lines above, up to here>
//! nonce, 16 bytes ‖ the content, encrypted
//! ```
//!
//! Binary, or armored as PEM is, which is what is written. One passphrase opens a file and one
//! block of 64 KiB is its content: that is all that key files need. Left out: recipients that are
//! keys, and longer files. (The crate `age` brings a second `curve25519-dalek`, which `deny.toml`
//! refuses; what is left without its recipients is this file. The algorithms are those of AWS-LC
//! and of the crate `scrypt`.)

use aws_lc_rs::{aead, hkdf, hmac};
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD, Engine};
use std::fmt;
use zeroize::Zeroizing;

const VERSION: &str = "age-encryption.org/v1";
const ARMOR_BEGIN: &str = "-----BEGIN AGE ENCRYPTED FILE-----";
const ARMOR_END: &str = "-----END AGE ENCRYPTED FILE-----";
const ARMOR_COLUMNS: usize = 64;

/// Most bytes of an encrypted file that are read.
pub const FILE_BYTES: usize = 16 << 10;

/// Log2 of the work that a passphrase costs whoever tries it, in what is written: 128 MiB and about
/// a third of a second.
pub const WORK: u8 = 17;

/// The most work that a file may ask for: 1 GiB.
pub const MOST_WORK: u8 = 20;

/// Longest passphrase, in bytes.
pub const PASSPHRASE_BYTES: usize = 1024;

const SALT: usize = 16;
const FILE_KEY: usize = 16;
const NONCE: usize = 16;
const TAG: usize = 16;

/// A passphrase. It is wiped from memory when dropped, and not shown by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Passphrase(Zeroizing<String>);

impl Passphrase {
    /// A passphrase that somebody typed, or the one line of a file. Its line break is left out.
    /// `None` if it is empty, longer than [`PASSPHRASE_BYTES`], or has more than one line.
    pub fn new(text: Zeroizing<String>) -> Option<Self> {
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let is_one = !line.contains(['\n', '\r', '\0']);
        let fits = !line.is_empty() && line.len() <= PASSPHRASE_BYTES && is_one;
        fits.then(|| Passphrase(Zeroizing::new(line.to_owned())))
    }

    /// Its text, for whoever has to be told it: a token, whose PIN it is.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(secret)")
    }
}

/// Why nothing was decrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AgeError {
    /// It is not of the format.
    #[error("it is not the file that `age` or this program wrote: it is cut, or was changed")]
    Malformed,
    /// It is encrypted for a key, or with several passphrases.
    #[error(
        "it is not encrypted with one passphrase, but for keys. Decrypt it with `age -d -i`, and \
         encrypt it again with a passphrase"
    )]
    Recipient,
    /// It asks for too much work.
    #[error(
        "to try a passphrase would take 2^{0} steps of work, and at most 2^{most} are done here",
        most = MOST_WORK
    )]
    Work(u8),
    /// The passphrase is another one, or the first lines were changed.
    #[error("the passphrase is wrong, or the beginning of the file is damaged")]
    Passphrase,
    /// The passphrase is right, and the file is not what was written.
    #[error("the passphrase is right, but the file is damaged. Bring back a copy of it")]
    Damaged,
    /// There is not enough memory for the work, or the algorithms failed.
    #[error("the algorithms failed; is there enough memory?")]
    Failed,
}

/// Whether these bytes begin as an encrypted file does.
pub fn is_encrypted(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii_start();
    text.starts_with(ARMOR_BEGIN.as_bytes()) || text.starts_with(b"age-encryption.org/")
}

/// Decrypts what [`encrypt`] or `age -p` wrote. Fails with [`AgeError`], and then nothing of the
/// content is returned.
pub fn decrypt(bytes: &[u8], passphrase: &Passphrase) -> Result<Zeroizing<Vec<u8>>, AgeError> {
    if bytes.len() > FILE_BYTES {
        return Err(AgeError::Malformed);
    }
    let unarmored;
    let bytes = if bytes.trim_ascii_start().starts_with(b"-----") {
        unarmored = unarmor(bytes)?;
        &unarmored
    } else {
        bytes
    };
    let header = Header::parse(bytes)?;
    let wrap = wrap_key(passphrase, &header.salt, header.work)?;
    let file_key = open(&wrap, [0; 12], &header.wrapped).ok_or(AgeError::Passphrase)?;
    let mac = mac_key(&file_key)?;
    hmac::verify(&mac, header.covered, &header.mac).map_err(|_| AgeError::Damaged)?;
    let (nonce, content) = header
        .payload
        .split_first_chunk::<NONCE>()
        .ok_or(AgeError::Damaged)?;
    let key = derived(&file_key, nonce, b"payload")?;
    open(&key, LAST_BLOCK, content).ok_or(AgeError::Damaged)
}

/// The number of a block, and that it is the last one: of the only one.
const LAST_BLOCK: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// Random bytes for one file. They must not be used for two.
pub struct Random {
    /// The key of the file.
    pub file_key: Zeroizing<[u8; FILE_KEY]>,
    /// Beside the passphrase.
    pub salt: [u8; SALT],
    /// Beside the key of the file.
    pub nonce: [u8; NONCE],
}

impl Random {
    /// Takes them from the system.
    pub fn new() -> Result<Self, getrandom::Error> {
        let mut random = Random {
            file_key: Zeroizing::new([0; FILE_KEY]),
            salt: [0; SALT],
            nonce: [0; NONCE],
        };
        getrandom::fill(&mut *random.file_key)?;
        getrandom::fill(&mut random.salt)?;
        getrandom::fill(&mut random.nonce)?;
        Ok(random)
    }
}

/// Encrypts `content` so that `passphrase` opens it, and returns the armored file. Fails with
/// [`AgeError::Malformed`] if [`decrypt`] would not read it because of its length, and with
/// [`AgeError::Failed`].
pub fn encrypt(
    content: &[u8],
    passphrase: &Passphrase,
    work: u8,
    random: &Random,
) -> Result<String, AgeError> {
    let wrap = wrap_key(passphrase, &random.salt, work)?;
    let wrapped = seal(&wrap, [0; 12], &*random.file_key)?;
    let salt = BASE64_STANDARD_NO_PAD.encode(random.salt);
    let wrapped = BASE64_STANDARD_NO_PAD.encode(wrapped);
    let header = format!("{VERSION}\n-> scrypt {salt} {work}\n{wrapped}\n---");
    let mac = hmac::sign(&mac_key(&*random.file_key)?, header.as_bytes());
    let mac = BASE64_STANDARD_NO_PAD.encode(mac.as_ref());
    let key = derived(&*random.file_key, &random.nonce, b"payload")?;
    let content = seal(&key, LAST_BLOCK, content)?;
    let head = format!("{header} {mac}\n");
    let file = armored(&[head.as_bytes(), &random.nonce, &content].concat());
    if file.len() > FILE_BYTES {
        return Err(AgeError::Malformed);
    }
    Ok(file)
}

/// The lines before the content.
struct Header<'a> {
    salt: [u8; SALT],
    work: u8,
    wrapped: Vec<u8>,
    /// What the code covers.
    covered: &'a [u8],
    mac: Vec<u8>,
    payload: &'a [u8],
}

impl<'a> Header<'a> {
    fn parse(bytes: &'a [u8]) -> Result<Self, AgeError> {
        let mut rest = bytes;
        if line(&mut rest)? != VERSION {
            return Err(AgeError::Malformed);
        }
        let stanza = line(&mut rest)?;
        let stanza = stanza.strip_prefix("-> ").ok_or(AgeError::Malformed)?;
        let mut words = stanza.split(' ');
        if words.next() != Some("scrypt") {
            return Err(AgeError::Recipient);
        }
        let (Some(salt), Some(work), None) = (words.next(), words.next(), words.next()) else {
            return Err(AgeError::Malformed);
        };
        let salt = unpadded(salt)?;
        let salt = salt.try_into().map_err(|_| AgeError::Malformed)?;
        let work = parse_work(work)?;
        let wrapped = unpadded(line(&mut rest)?)?;
        if wrapped.len() != FILE_KEY + TAG {
            return Err(AgeError::Malformed);
        }
        let end = bytes.len() - rest.len() + "---".len();
        let last = line(&mut rest)?;
        let mac = match last.strip_prefix("--- ") {
            Some(mac) => unpadded(mac)?,
            None if last.starts_with("-> ") => return Err(AgeError::Recipient),
            None => return Err(AgeError::Malformed),
        };
        Ok(Header {
            salt,
            work,
            wrapped,
            covered: bytes.get(..end).ok_or(AgeError::Malformed)?,
            mac,
            payload: rest,
        })
    }
}

/// Takes the next line, without its line break.
fn line<'a>(rest: &mut &'a [u8]) -> Result<&'a str, AgeError> {
    let end = rest.iter().position(|byte| *byte == b'\n');
    let (line, after) = rest.split_at(end.ok_or(AgeError::Malformed)?);
    *rest = &after[1..];
    std::str::from_utf8(line).map_err(|_| AgeError::Malformed)
}

fn parse_work(text: &str) -> Result<u8, AgeError> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    let work: u8 = text.parse().map_err(|_| AgeError::Malformed)?;
    if !is_plain {
        return Err(AgeError::Malformed);
    }
    if work > MOST_WORK {
        return Err(AgeError::Work(work));
    }
    Ok(work)
}

fn unpadded(text: &str) -> Result<Vec<u8>, AgeError> {
    let decoded = BASE64_STANDARD_NO_PAD.decode(text);
    decoded.map_err(|_| AgeError::Malformed)
}

fn unarmor(bytes: &[u8]) -> Result<Vec<u8>, AgeError> {
    let text = std::str::from_utf8(bytes).map_err(|_| AgeError::Malformed)?;
    let lines = text.trim().strip_prefix(ARMOR_BEGIN);
    let lines = lines.and_then(|lines| lines.strip_suffix(ARMOR_END));
    let lines = lines.ok_or(AgeError::Malformed)?;
    let encoded: String = lines.lines().collect();
    let decoded = BASE64_STANDARD.decode(encoded);
    decoded.map_err(|_| AgeError::Malformed)
}

fn armored(bytes: &[u8]) -> String {
    let encoded = BASE64_STANDARD.encode(bytes);
    let mut text = format!("{ARMOR_BEGIN}\n");
    let mut rest = encoded.as_str();
    while !rest.is_empty() {
        let (line, after) = rest.split_at(rest.len().min(ARMOR_COLUMNS));
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    text + ARMOR_END + "\n"
}

type Key = Zeroizing<[u8; 32]>;

fn wrap_key(passphrase: &Passphrase, salt: &[u8; SALT], work: u8) -> Result<Key, AgeError> {
    let salt = [format!("{VERSION}/scrypt").as_bytes(), salt].concat();
    let params = scrypt::Params::new(work, 8, 1).map_err(|_| AgeError::Failed)?;
    let mut key = Zeroizing::new([0; 32]);
    scrypt::scrypt(passphrase.0.as_bytes(), &salt, &params, &mut *key)
        .map_err(|_| AgeError::Failed)?;
    Ok(key)
}

/// HKDF-SHA-256.
fn derived(file_key: &[u8], salt: &[u8], info: &[u8]) -> Result<Key, AgeError> {
    let mut key = Zeroizing::new([0; 32]);
    let secret = hkdf::Salt::new(hkdf::HKDF_SHA256, salt).extract(file_key);
    let info = [info];
    let length = hkdf::HKDF_SHA256.hmac_algorithm();
    let derived = secret.expand(&info, length).map_err(|_| AgeError::Failed)?;
    derived.fill(&mut *key).map_err(|_| AgeError::Failed)?;
    Ok(key)
}

fn mac_key(file_key: &[u8]) -> Result<hmac::Key, AgeError> {
    let key = derived(file_key, b"", b"header")?;
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &*key))
}

fn cipher(key: &Key) -> Option<aead::LessSafeKey> {
    let key = aead::UnboundKey::new(&aead::CHACHA20_POLY1305, &**key).ok()?;
    Some(aead::LessSafeKey::new(key))
}

fn open(key: &Key, nonce: [u8; 12], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut bytes = Zeroizing::new(sealed.to_vec());
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    let opened = cipher(key)?.open_in_place(nonce, aead::Aad::empty(), &mut bytes);
    let length = opened.ok()?.len();
    bytes.truncate(length);
    Some(bytes)
}

fn seal(key: &Key, nonce: [u8; 12], content: &[u8]) -> Result<Vec<u8>, AgeError> {
    // Room for the tag, so that growing leaves no copy of the content behind.
    let mut bytes = Vec::with_capacity(content.len() + TAG);
    bytes.extend_from_slice(content);
    let nonce = aead::Nonce::assume_unique_for_key(nonce);
    let cipher = cipher(key).ok_or(AgeError::Failed)?;
    let sealed = cipher.seal_in_place_append_tag(nonce, aead::Aad::empty(), &mut bytes);
    sealed.map_err(|_| AgeError::Failed)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests;
