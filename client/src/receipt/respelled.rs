//! What editors, git and other tools do to the files of a receipt on the way: line ends, a byte
//! order mark, blank lines, NUL bytes, another encoding, the layout of JSON. Each file has one
//! spelling, so that none of it verifies; but who can say what happened, and that nothing else did,
//! need not take it for a forgery.
//!
//! A changed file is never taken for the receipt: what verifies is what it was before.

use super::pair::{ENVELOPE_SUFFIX, PROOF_SUFFIX};
use assay_claims::dsse::Envelope;
use std::borrow::Cow;

const MARK: &[u8] = b"\xef\xbb\xbf";

/// What a line with a signature begins with.
const DASH: &[u8] = "\u{2014} ".as_bytes();

/// What tools make of that: UTF-8 taken for Windows-1252, or for ISO 8859-1, and written as UTF-8;
/// Windows-1252; what has no such dash.
const DASHES: [&[u8]; 7] = [
    "\u{e2}\u{20ac}\u{201d} ".as_bytes(),
    "\u{e2}\u{80}\u{94} ".as_bytes(),
    b"\x97 ",
    "\u{2013} ".as_bytes(),
    b"--- ",
    b"-- ",
    b"? ",
];

/// One thing that was done to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// A byte order mark stands in front of it.
    Mark,
    /// Its lines end in CR LF, as git makes them with `core.autocrlf`.
    LineEnds,
    /// Blank lines were added to its blank lines.
    BlankLines,
    /// NUL bytes were put behind it.
    Nuls,
    /// The dashes in front of its signatures were written in another encoding, or as others.
    Dashes,
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

/// Returns a text as it was before something was done to it, if that was done.
type Undo = fn(&[u8]) -> Option<Vec<u8>>;

/// What is undone, one after the other.
const UNDONE: [(Change, Undo); 6] = [
    (Change::Mark, |text| {
        text.strip_prefix(MARK).map(<[u8]>::to_vec)
    }),
    (Change::Nuls, |text| {
        let whole = without_end(text, b'\0');
        (whole.len() < text.len()).then(|| whole.to_vec())
    }),
    (Change::LineEnds, without_returns),
    (Change::BlankLines, without_blank),
    (Change::Dashes, with_dashes),
    (Change::End, |text| {
        let inner = without_end(text, b'\n');
        (text.len() != inner.len() + 1).then(|| [inner, b"\n"].concat())
    }),
];

/// The text with lines that end in LF, the last one too, at most one of them blank in a row, with
/// the dashes of notes, and without a byte order mark or NUL bytes behind it.
pub(crate) fn lines(bytes: &[u8]) -> (Cow<'_, [u8]>, Vec<Change>) {
    let (mut text, mut changes) = (Cow::Borrowed(bytes), Vec::new());
    for (change, undo) in UNDONE {
        if let Some(before) = undo(&text) {
            text = Cow::Owned(before);
            changes.push(change);
        }
    }
    (text, changes)
}

fn without_end(text: &[u8], end: u8) -> &[u8] {
    let ends = text.iter().rev().take_while(|byte| **byte == end).count();
    text.get(..text.len() - ends).unwrap_or_default()
}

fn split(text: &[u8]) -> Vec<&[u8]> {
    text.split(|byte| *byte == b'\n').collect()
}

fn without_returns(text: &[u8]) -> Option<Vec<u8>> {
    let mut lines = split(text);
    // Behind the last one there is no LF.
    let last = lines.pop()?;
    if !lines.iter().any(|line| line.ends_with(b"\r")) {
        return None;
    }
    for line in &mut lines {
        *line = without_end(line, b'\r');
    }
    lines.push(last);
    Some(lines.join(&b'\n'))
}

/// Those at the end of the text stay.
fn without_blank(text: &[u8]) -> Option<Vec<u8>> {
    let (inner, end) = text.split_at(without_end(text, b'\n').len());
    let mut lines = split(inner);
    let all = lines.len();
    lines.dedup_by(|line, before| line.is_empty() && before.is_empty());
    (lines.len() < all).then(|| [&lines.join(&b'\n'), end].concat())
}

fn with_dashes(text: &[u8]) -> Option<Vec<u8>> {
    let mut is_other = false;
    let lines = split(text).into_iter().map(|line| {
        let mut others = DASHES.iter();
        match others.find_map(|other| line.strip_prefix(*other)) {
            Some(rest) => {
                is_other = true;
                [DASH, rest].concat()
            }
            None => line.to_vec(),
        }
    });
    let lines: Vec<Vec<u8>> = lines.collect();
    is_other.then(|| lines.join(&b'\n'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lines_of_a_text_are_what_they_were() {
        let cases: [(&[u8], &[u8], &[Change]); 12] = [
            (b"a\nb\n", b"a\nb\n", &[]),
            (b"a\r\nb\r\n", b"a\nb\n", &[Change::LineEnds]),
            (b"a\nb", b"a\nb\n", &[Change::End]),
            (b"a\nb\n\n\n", b"a\nb\n", &[Change::End]),
            (b"\xef\xbb\xbfa\rb\n", b"a\rb\n", &[Change::Mark]),
            (b"", b"\n", &[Change::End]),
            (b"a\r\r\nb\r\n", b"a\nb\n", &[Change::LineEnds]),
            (b"a\n\n\nb\n\nc\n", b"a\n\nb\n\nc\n", &[Change::BlankLines]),
            (b"a\nb\n\0\0", b"a\nb\n", &[Change::Nuls]),
            (
                b"a\n\n\xc3\xa2\xe2\x82\xac\xe2\x80\x9d b X\n",
                b"a\n\n\xe2\x80\x94 b X\n",
                &[Change::Dashes],
            ),
            (
                b"a\n\n\x97 b X\n",
                b"a\n\n\xe2\x80\x94 b X\n",
                &[Change::Dashes],
            ),
            (
                b"a\n\n-- b\n\0",
                b"a\n\n\xe2\x80\x94 b\n",
                &[Change::Nuls, Change::Dashes],
            ),
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
