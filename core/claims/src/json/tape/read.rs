//! JSON, read into the entries of a tape.

use super::super::fault::{Fault, JsonError};
use super::super::parse::Reader;
use super::super::target::Target;
use super::{BYTES_OF_ENTRY, Entries, Kind, TEXT_BYTES};

/// Reads a text that is not too long for its places to fit entries.
pub(super) fn entries(text: &str, deepest: usize) -> Result<Entries, JsonError> {
    if text.len() >= TEXT_BYTES {
        let reason = format!("the text is longer than {TEXT_BYTES} bytes");
        return Err(Fault::new(0, reason).locate(text.as_bytes()));
    }
    let mut reader = Reader::new(text, deepest, Writer::new(text));
    match reader.document() {
        Ok(()) => Ok(reader.target.entries),
        Err(fault) => Err(fault.locate(text.as_bytes())),
    }
}

/// Makes the entries of a text.
struct Writer<'t> {
    text: &'t str,
    entries: Entries,
}

impl<'t> Writer<'t> {
    fn new(text: &'t str) -> Self {
        Writer {
            text,
            entries: Entries {
                list: Vec::with_capacity(text.len() / BYTES_OF_ENTRY),
                ..Entries::default()
            },
        }
    }
}

/// Values are entries already when they are said to be in something; what is not finished is the
/// entry that begins it.
impl<'t> Target<'t> for Writer<'t> {
    type Text = usize;
    type Value = ();
    type Array = usize;
    type Object = usize;

    fn word(&mut self, word: Option<bool>) {
        self.entries.push_word(word);
    }

    fn number(&mut self, place: usize, _: &'t str) {
        self.entries.push(Kind::Number, place);
    }

    fn plain(&mut self, place: usize, _: &'t str) -> usize {
        self.entries.push(Kind::Plain, place + 1)
    }

    fn resolved(&mut self, place: usize, text: String) -> usize {
        self.entries.push_apart(place, &text)
    }

    fn string(&mut self, _: usize) {}

    fn array(&mut self) -> usize {
        self.entries.push(Kind::Array, 0)
    }

    fn item(&mut self, _: &mut usize, (): ()) {}

    fn end_array(&mut self, array: usize) {
        self.entries.close(array);
    }

    fn object(&mut self) -> usize {
        self.entries.push(Kind::Object, 0)
    }

    fn has(&self, object: &usize, key: &usize) -> bool {
        self.entries.stands_before(self.text, *object, *key)
    }

    fn member(&mut self, _: &mut usize, _: usize, _: Option<usize>, (): ()) {}

    fn twin<'s>(&'s self, object: &'s usize) -> Option<(usize, &'s str)> {
        self.entries.twin(self.text, *object)
    }

    fn end_object(&mut self, object: usize) {
        self.entries.close(object);
    }

    fn name<'s>(&'s self, text: &'s usize) -> &'s str {
        self.entries.string(self.text, *text).unwrap_or_default()
    }
}
