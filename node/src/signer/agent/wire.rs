//! The messages of the ssh-agent protocol (draft-ietf-sshm-ssh-agent) that signing takes, with
//! Ed25519 keys only. An agent's answers are read strictly: what is left over is no answer.

/// What an Ed25519 key and its signatures are called.
const ED25519: &[u8] = b"ssh-ed25519";

const FAILURE: u8 = 5;
const REQUEST_IDENTITIES: u8 = 11;
const IDENTITIES_ANSWER: u8 = 12;
const SIGN_REQUEST: u8 = 13;
const SIGN_RESPONSE: u8 = 14;

/// Longest answer to a request to sign: its type, and a string that holds two.
pub const SIGNED: usize = 1 + 4 + (4 + ED25519.len()) + (4 + 64);

/// Longest list of keys: no agent of OpenSSH sends longer messages.
pub const LISTED: usize = 256 * 1024;

/// What an agent says to a request to sign.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer<'a> {
    /// The signature, which proves nothing yet.
    Signed(&'a [u8; 64]),
    /// It did not sign, and does not say why.
    Refused,
}

/// An Ed25519 public key as agents name it (RFC 8709).
pub fn key_blob(public_key: &[u8]) -> Vec<u8> {
    [string(ED25519), string(public_key)].concat()
}

/// The public key in such a name. `None` if it is no Ed25519 key.
pub fn public_key(blob: &[u8]) -> Option<&[u8; 32]> {
    let (kind, rest) = split_string(blob)?;
    let (key, rest) = split_string(rest)?;
    (kind == ED25519 && rest.is_empty()).then_some(())?;
    key.try_into().ok()
}

/// The request to sign `text` with the key of this name.
pub fn sign_request(blob: &[u8], text: &[u8]) -> Vec<u8> {
    let no_flags = [0; 4];
    message(
        SIGN_REQUEST,
        &[&string(blob), &string(text), &no_flags[..]].concat(),
    )
}

/// The request to list all keys.
pub fn list_request() -> Vec<u8> {
    message(REQUEST_IDENTITIES, &[])
}

/// Reads the answer to a request to sign. `None` if it is none.
pub fn signed(answer: &[u8]) -> Option<Answer<'_>> {
    let (kind, rest) = answer.split_first()?;
    if (*kind, rest) == (FAILURE, &[]) {
        return Some(Answer::Refused);
    }
    let (signature, rest) = split_string(rest)?;
    (*kind == SIGN_RESPONSE && rest.is_empty()).then_some(())?;
    let (kind, rest) = split_string(signature)?;
    let (signature, rest) = split_string(rest)?;
    (kind == ED25519 && rest.is_empty()).then_some(())?;
    signature.try_into().ok().map(Answer::Signed)
}

/// Reads a list of keys, and says whether this one is in it. `None` if it is no list.
pub fn lists(answer: &[u8], blob: &[u8]) -> Option<bool> {
    let (kind, rest) = answer.split_first()?;
    let (count, mut rest) = rest.split_first_chunk::<4>()?;
    (*kind == IDENTITIES_ANSWER).then_some(())?;
    let mut is_listed = false;
    for _ in 0..u32::from_be_bytes(*count) {
        let (key, after) = split_string(rest)?;
        let (_comment, after) = split_string(after)?;
        is_listed |= key == blob;
        rest = after;
    }
    rest.is_empty().then_some(is_listed)
}

fn message(kind: u8, content: &[u8]) -> Vec<u8> {
    string(&[&[kind], content].concat())
}

/// Its length, and the bytes. What is sent is a few hundred bytes.
pub fn string(bytes: &[u8]) -> Vec<u8> {
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    [&length.to_be_bytes(), bytes].concat()
}

fn split_string(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(kind: u8, name: &[u8], signature: &[u8]) -> Vec<u8> {
        let content = string(&[string(name), string(signature)].concat());
        [&[kind], &content[..]].concat()
    }

    /// An answer whose signature has a byte behind it, inside the string that holds it.
    fn longer_inside(right: &[u8]) -> Vec<u8> {
        let content = string(&[&right[5..], &[0]].concat());
        [&[SIGN_RESPONSE], &content[..]].concat()
    }

    #[test]
    fn an_answer_is_a_signature_or_a_refusal_and_nothing_beside() {
        let right = answer(SIGN_RESPONSE, ED25519, &[7; 64]);
        assert_eq!(right.len(), SIGNED);
        assert_eq!(signed(&right), Some(Answer::Signed(&[7; 64])));
        assert_eq!(signed(&[FAILURE]), Some(Answer::Refused));
        for wrong in [
            answer(IDENTITIES_ANSWER, ED25519, &[7; 64]),
            answer(SIGN_RESPONSE, b"ssh-rsa", &[7; 64]),
            answer(SIGN_RESPONSE, ED25519, &[7; 63]),
            answer(SIGN_RESPONSE, ED25519, &[7; 65]),
            [&right[..], &[0]].concat(),
            longer_inside(&right),
            right[..right.len() - 1].to_vec(),
            vec![SIGN_RESPONSE, 0xff, 0xff, 0xff, 0xff],
            vec![FAILURE, 0],
            Vec::new(),
        ] {
            assert_eq!(signed(&wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_list_says_whether_a_key_is_in_it() {
        let keys = [key_blob(&[1; 32]), key_blob(&[2; 32])];
        assert_eq!(public_key(&keys[0]), Some(&[1; 32]));
        assert_eq!(public_key(&key_blob(&[1; 31])), None);
        assert_eq!(public_key(&[&keys[0][..], &[0]].concat()), None);
        let rsa = [string(b"ssh-rsa"), string(&[1; 32])].concat();
        assert_eq!(public_key(&rsa), None);
        let entries = keys.map(|key| [string(&key), string(b"a comment")].concat());
        let list = [&[IDENTITIES_ANSWER, 0, 0, 0, 2], &entries.concat()[..]].concat();
        assert_eq!(lists(&list, &key_blob(&[2; 32])), Some(true));
        assert_eq!(lists(&list, &key_blob(&[3; 32])), Some(false));
        assert_eq!(lists(&[&list[..], &[0]].concat(), b""), None);
        let mut other = list.clone();
        other[0] = SIGN_RESPONSE;
        assert_eq!(lists(&other, b""), None);
        let mut more = list;
        more[4] = 3;
        assert_eq!(lists(&more, b""), None, "it counts one that is not there");
        more[1] = 0xff;
        assert_eq!(lists(&more, b""), None);
    }
}
