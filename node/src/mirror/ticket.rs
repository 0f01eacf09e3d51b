//! Tickets of uploads (C2SP tlog-mirror): the note of a head that was pending here, which only this
//! process can have issued.
//!
//! ```text
//! ticket = HMAC-SHA-256(key, note), 32 ‖ note
//! ```
//!
//! The note is needed, and not its size alone: the proofs of an upload lead to its root, and its
//! signatures are served once it is mirrored. The key is made at each start. Who comes with a
//! ticket of an earlier one is told the size that is pending now.

use aws_lc_rs::hmac;

/// Bytes of the code.
const CODE: usize = 32;

/// Longest ticket: its length has 16 bits.
const TICKET_BYTES: usize = u16::MAX as usize;

/// What makes tickets, and knows them again.
#[derive(Debug)]
pub struct Tickets(hmac::Key);

impl Tickets {
    /// Tickets of a key that nobody else has: random bytes.
    pub fn new(key: &[u8; CODE]) -> Self {
        Tickets(hmac::Key::new(hmac::HMAC_SHA256, key))
    }

    /// The ticket of a note of a head that is pending, or an empty one if the note is too long.
    pub fn issue(&self, note: &str) -> Vec<u8> {
        if CODE + note.len() > TICKET_BYTES {
            return Vec::new();
        }
        let code = hmac::sign(&self.0, note.as_bytes());
        [code.as_ref(), note.as_bytes()].concat()
    }

    /// The note of a ticket that was issued here, or `None`.
    pub fn open<'a>(&self, ticket: &'a [u8]) -> Option<&'a str> {
        let (code, note) = ticket.split_at_checked(CODE)?;
        hmac::verify(&self.0, note, code).ok()?;
        std::str::from_utf8(note).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_issued_is_opened() {
        let (own, other) = (Tickets::new(&[1; 32]), Tickets::new(&[2; 32]));
        let ticket = own.issue("note");
        assert_eq!(own.open(&ticket), Some("note"));
        assert_eq!(other.open(&ticket), None);
        for at in 0..ticket.len() {
            let mut wrong = ticket.clone();
            wrong[at] ^= 1;
            assert_eq!(own.open(&wrong), None, "{at}");
            assert_eq!(own.open(&ticket[..at]), None, "cut at {at}");
        }
        assert_eq!(own.issue(&"x".repeat(65_504)), b"");
    }
}
