//! What editors, git and other tools do to the files of a receipt on the way: line ends, a byte
//! order mark, the layout of JSON. Each file has one spelling, so that none of it verifies; but who
//! can say what happened, and that nothing else did, need not take it for a forgery.
//!
//! A changed file is never taken for the receipt: what verifies is what it was before.

use super::pair::{ENVELOPE_SUFFIX, PROOF_SUFFIX};
use assay_claims::dsse::Envelope;
use std::borrow::Cow;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// One thing that was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A byte order mark stands in front of it.
    Mark,
    /// Its lines end in CR LF, as git makes them with `core.autocrlf`.
    LineEnds,
    /// Its last line break is missing, or others were added behind it.
    End,
    /// Its JSON is laid out or escaped differently.
    Layout,
}

/// A file of a receipt that was changed in its spelling, and in nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Respelled {
    /// How the file's name ends.
    pub file: &'static str,
    /// What was done to it, at least one thing.
    pub changes: Vec<Change>,
}

/// Says what was done to which file of a receipt that does not verify, if it would as it was before
/// (`verifies`, of a claim and a proof); `None` if it would not.
pub(super) fn find(
    envelope: &[u8],
    proof: &[u8],
    verifies: impl FnOnce(&[u8], &[u8]) -> bool,
) -> Option<Vec<Respelled>> {
    let (claim, mut of_claim) = lines(envelope);
    let claim = match Envelope::parse(&claim) {
        Ok(parsed) => {
            let written = parsed.to_json() + "\n";
            if written.as_bytes() == &claim[..] {
                claim
            } else {
                of_claim.push(Change::Layout);
                Cow::Owned(written.into_bytes())
            }
        }
        Err(_) => claim,
    };
    let (proof, of_proof) = lines(proof);
    let mut changed = Vec::new();
    for (file, changes) in [(ENVELOPE_SUFFIX, of_claim), (PROOF_SUFFIX, of_proof)] {
        if !changes.is_empty() {
            changed.push(Respelled { file, changes });
        }
    }
    (!changed.is_empty() && verifies(&claim, &proof)).then_some(changed)
}

/// The text with lines that end in LF, the last one too, and without a byte order mark.
fn lines(bytes: &[u8]) -> (Cow<'_, [u8]>, Vec<Change>) {
    let (mut text, mut changes) = (Cow::Borrowed(bytes), Vec::new());
    if let Some(rest) = bytes.strip_prefix(MARK) {
        text = Cow::Borrowed(rest);
        changes.push(Change::Mark);
    }
    if text.windows(2).any(|pair| pair == b"\r\n") {
        let mut kept = Vec::with_capacity(text.len());
        for (at, byte) in text.iter().enumerate() {
            if *byte != b'\r' || text.get(at + 1) != Some(&b'\n') {
                kept.push(*byte);
            }
        }
        text = Cow::Owned(kept);
        changes.push(Change::LineEnds);
    }
    let inner = text.len() - text.iter().rev().take_while(|byte| **byte == b'\n').count();
    if text.len() != inner + 1 {
        let mut ended = text[..inner].to_vec();
        ended.push(b'\n');
        text = Cow::Owned(ended);
        changes.push(Change::End);
    }
    (text, changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_text_are_what_they_were() {
        let cases: [(&[u8], &[u8], &[Change]); 6] = [
            (b"a\nb\n", b"a\nb\n", &[]),
            (b"a\r\nb\r\n", b"a\nb\n", &[Change::LineEnds]),
            (b"a\nb", b"a\nb\n", &[Change::End]),
            (b"a\nb\n\n\n", b"a\nb\n", &[Change::End]),
            (b"\xef\xbb\xbfa\rb\n", b"a\rb\n", &[Change::Mark]),
            (b"", b"\n", &[Change::End]),
        ];
        for (bytes, before, changes) in cases {
            let (text, found) = lines(bytes);
            assert_eq!((&text[..], &found[..]), (before, changes), "{bytes:?}");
        }
    }

    #[test]
    fn what_does_not_verify_as_it_was_is_not_excused() {
        assert!(find(b"{}\r\n", b"a\n", |_, _| true).is_some());
        assert!(find(b"{}\r\n", b"a\n", |_, _| false).is_none());
        // Where nothing was done to the files, they are not verified a second time.
        assert!(find(b"{}\n", b"a\n", |_, _| true).is_none());
    }
}
