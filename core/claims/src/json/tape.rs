//! A text of JSON that was read, as a tape: four bytes for each value and key. A tree takes ten
//! times the text and more, of stranger's texts a hundred times; this takes a few times the text.

use super::fault::JsonError;
use super::value::{Number, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

/// Longest text of a tape, in bytes: an entry holds a place in it beside a kind.
const TEXT_BYTES: usize = 1 << (32 - KIND_BITS);
const KIND_BITS: u32 = 3;

/// Bytes of a text for each entry, at least, in all but odd texts.
const BYTES_OF_ENTRY: usize = 8;

/// What an entry is. What is beside it:
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One of [`NULL`], [`FALSE`] and [`TRUE`].
    Word,
    /// Where it begins in the text.
    Number,
    /// Where it begins in the text, behind its quote: it has no escapes.
    Plain,
    /// Which of the strings that are no part of the text.
    Apart,
    /// Which entry is the first that is not in it.
    Array,
    /// As of an array. A key stands before each value.
    Object,
}

const NULL: usize = 0;
const FALSE: usize = 1;
const TRUE: usize = 2;

impl Kind {
    fn of(entry: u32) -> Self {
        match entry & ((1 << KIND_BITS) - 1) {
            0 => Kind::Word,
            1 => Kind::Number,
            2 => Kind::Plain,
            3 => Kind::Apart,
            4 => Kind::Array,
            _ => Kind::Object,
        }
    }
}

/// The entries of a tape. Places in them, and in the text, fit an entry.
#[derive(Default)]
struct Entries {
    list: Vec<u32>,
    /// The strings that are no part of the text, one behind the other: their escapes are resolved.
    apart: String,
    /// Where each of them stands in the text, and ends in `apart`.
    ends: Vec<(u32, u32)>,
}

impl Entries {
    fn len(&self) -> usize {
        self.list.len()
    }

    /// Appends an entry, and returns which it is.
    fn push(&mut self, kind: Kind, beside: usize) -> usize {
        let at = self.list.len();
        self.list.push(entry(kind, beside));
        at
    }

    fn push_word(&mut self, word: Option<bool>) {
        let word = word.map_or(NULL, |word| if word { TRUE } else { FALSE });
        self.push(Kind::Word, word);
    }

    /// Appends a string that is no part of the text; `at` is where it stands there.
    fn push_apart(&mut self, at: usize, text: &str) -> usize {
        let entry = self.push(Kind::Apart, self.ends.len());
        self.apart.push_str(text);
        self.ends.push((narrow(at), narrow(self.apart.len())));
        entry
    }

    /// Says of the array or object that the entry `at` begins that it ends here.
    fn close(&mut self, at: usize) {
        let end = self.list.len();
        if let Some(opened) = self.list.get_mut(at) {
            *opened = entry(Kind::of(*opened), end);
        }
    }

    fn at(&self, at: usize) -> (Kind, usize) {
        let entry = self.list.get(at).copied().unwrap_or_default();
        (Kind::of(entry), wide(entry >> KIND_BITS))
    }

    /// The entry behind a value.
    fn after(&self, at: usize) -> usize {
        match self.at(at) {
            (Kind::Array | Kind::Object, end) => end,
            _ => at + 1,
        }
    }

    /// The string at an entry.
    fn string<'v>(&'v self, text: &'v str, at: usize) -> Option<&'v str> {
        match self.at(at) {
            (Kind::Plain, start) => text.get(start..)?.split('"').next(),
            (Kind::Apart, which) => {
                let start = which.checked_sub(1).and_then(|last| self.ends.get(last));
                let end = self.ends.get(which)?.1;
                self.apart
                    .get(start.map_or(0, |(_, end)| wide(*end))..wide(end))
            }
            _ => None,
        }
    }

    /// Where in the text a string stands, with its quote.
    fn place(&self, at: usize) -> usize {
        match self.at(at) {
            (Kind::Apart, which) => self.ends.get(which).map_or(0, |(at, _)| wide(*at)),
            (_, start) => start.saturating_sub(1),
        }
    }

    /// Whether an entry is this string, without looking further than it reaches.
    fn is(&self, text: &str, at: usize, key: &str) -> bool {
        let (kind, start) = self.at(at);
        if kind != Kind::Plain {
            return self.string(text, at) == Some(key);
        }
        let rest = text.as_bytes().get(start..).unwrap_or_default();
        // A quote ends such a string.
        rest.strip_prefix(key.as_bytes())
            .is_some_and(|behind| behind.first() == Some(&b'"'))
            && !key.contains('"')
    }

    /// Whether a member of the object that the entry `object` begins has the key at the entry
    /// `key`, which is the last one.
    fn stands_before(&self, text: &str, object: usize, key: usize) -> bool {
        let Some(name) = self.string(text, key) else {
            return false;
        };
        let mut at = object + 1;
        while at < key {
            if self.is(text, at, name) {
                return true;
            }
            at = self.after(at + 1);
        }
        false
    }

    /// The place of the first key of an object that stands before it already, and the key.
    fn twin<'v>(&'v self, text: &'v str, object: usize) -> Option<(usize, &'v str)> {
        let mut keys = Vec::new();
        let mut at = object + 1;
        while at < self.list.len() {
            keys.push((self.string(text, at)?, narrow(at)));
            at = self.after(at + 1);
        }
        keys.sort_unstable();
        let twins = keys.windows(2).filter_map(|pair| match pair {
            [(one, _), (other, at)] if one == other => Some((*at, *one)),
            _ => None,
        });
        let (at, key) = twins.min()?;
        Some((self.place(wide(at)), key))
    }
}

fn entry(kind: Kind, beside: usize) -> u32 {
    narrow(beside) << KIND_BITS | kind as u32
}

/// What is beside an entry is smaller than [`TEXT_BYTES`], and a text has more bytes than entries.
fn narrow(beside: usize) -> u32 {
    u32::try_from(beside).unwrap_or(u32::MAX)
}

fn wide(beside: u32) -> usize {
    usize::try_from(beside).unwrap_or(usize::MAX)
}

/// A text of JSON that was read. It holds what [`parse`](super::parse) guarantees of a [`Value`].
pub struct Tape<'t> {
    text: Cow<'t, str>,
    entries: Entries,
}

impl<'t> Tape<'t> {
    /// Reads JSON as [`parse_to_depth`](super::parse_to_depth) does.
    pub fn parse(text: impl Into<Cow<'t, str>>, deepest: usize) -> Result<Self, JsonError> {
        let text = text.into();
        let entries = read::entries(&text, deepest)?;
        Ok(Tape { text, entries })
    }

    /// The same of another text, in which all values stand where they stood in this one, and at
    /// most white space in their place: as it is, if that is not as long.
    pub fn over(self, text: &str) -> Tape<'_> {
        if text.len() != self.text.len() {
            return Tape {
                text: Cow::Owned(self.text.into_owned()),
                entries: self.entries,
            };
        }
        Tape {
            text: Cow::Borrowed(text),
            entries: self.entries,
        }
    }

    /// The value that is the whole text.
    pub fn root(&self) -> Part<'_> {
        Part {
            text: &self.text,
            entries: &self.entries,
            at: 0,
        }
    }
}

/// Writes a [`Tape`] of what was not JSON. Keys come before their values, and are distinct: that is
/// for who writes.
#[derive(Default)]
pub struct TapeWriter {
    /// The numbers.
    text: String,
    entries: Entries,
    open: Vec<usize>,
    /// Which of the strings some keys are.
    keys: BTreeMap<Box<str>, usize>,
}

/// Most keys that are kept once: the formats that are read have fewer names of members.
const KEYS: usize = 256;

impl TapeWriter {
    /// Writes what a text of so many bytes says, for which there is room then: lists that grow by
    /// themselves take up to three times their memory on the way.
    pub fn of_text(bytes: usize) -> Self {
        let entries = Entries {
            list: Vec::with_capacity(bytes / BYTES_OF_ENTRY),
            apart: String::with_capacity(bytes),
            ends: Vec::with_capacity(bytes / BYTES_OF_ENTRY),
        };
        TapeWriter {
            entries,
            ..TapeWriter::default()
        }
    }

    /// Begins an array.
    pub fn array(&mut self) {
        self.begin(Kind::Array);
    }

    /// Begins an object.
    pub fn object(&mut self) {
        self.begin(Kind::Object);
    }

    fn begin(&mut self, kind: Kind) {
        self.open.push(self.entries.len());
        self.entries.push(kind, 0);
    }

    /// Ends what was begun last.
    pub fn end(&mut self) {
        if let Some(opened) = self.open.pop() {
            self.entries.close(opened);
        }
    }

    /// Writes `null`, or a boolean.
    pub fn word(&mut self, word: Option<bool>) {
        self.entries.push_word(word);
    }

    /// Writes a number.
    pub fn number(&mut self, number: &Number) {
        self.entries.push(Kind::Number, self.text.len());
        self.text.push_str(number.as_str());
        self.text.push(' ');
    }

    /// Writes a string.
    pub fn string(&mut self, text: &str) {
        self.entries.push_apart(0, text);
    }

    /// Writes a key. The first keys of a document come again and again in many, and are kept once.
    pub fn key(&mut self, text: &str) {
        match self.keys.get(text) {
            Some(known) => {
                self.entries.push(Kind::Apart, *known);
            }
            None => {
                let which = self.entries.ends.len();
                self.entries.push_apart(0, text);
                if self.keys.len() < KEYS {
                    self.keys.insert(text.into(), which);
                }
            }
        }
    }

    /// What was written.
    pub fn finish(self) -> Tape<'static> {
        Tape {
            text: self.text.into(),
            entries: self.entries,
        }
    }
}

/// A value of a [`Tape`], read where it stands.
#[derive(Clone, Copy)]
pub struct Part<'v> {
    text: &'v str,
    entries: &'v Entries,
    at: usize,
}

impl<'v> Part<'v> {
    fn beside(self) -> (Kind, usize) {
        self.entries.at(self.at)
    }

    /// The string, if it is one.
    pub fn as_str(self) -> Option<&'v str> {
        self.entries.string(self.text, self.at)
    }

    /// The boolean, if it is one.
    pub fn as_bool(self) -> Option<bool> {
        match self.beside() {
            (Kind::Word, TRUE) => Some(true),
            (Kind::Word, FALSE) => Some(false),
            _ => None,
        }
    }

    /// The number as it was written, if it is one.
    pub fn as_number(self) -> Option<&'v str> {
        let (Kind::Number, start) = self.beside() else {
            return None;
        };
        let rest = self.text.get(start..)?;
        let of_it = ['-', '+', '.', 'e', 'E'];
        rest.split(|c: char| !c.is_ascii_digit() && !of_it.contains(&c))
            .next()
    }

    /// The number, if it is a whole one from 0 to 2^64 − 1.
    pub fn as_u64(self) -> Option<u64> {
        self.as_number()?.parse().ok()
    }

    /// The elements, if it is an array.
    pub fn as_array(self) -> Option<impl Iterator<Item = Part<'v>> + Clone> {
        match self.beside() {
            (Kind::Array, end) => Some(Inside {
                of: self,
                next: self.at + 1,
                end,
            }),
            _ => None,
        }
    }

    /// The members in the order in which they were written, if it is an object.
    pub fn as_object(self) -> Option<impl Iterator<Item = (&'v str, Part<'v>)> + Clone> {
        let (Kind::Object, end) = self.beside() else {
            return None;
        };
        let mut keys = Inside {
            of: self,
            next: self.at + 1,
            end,
        };
        // A value stands behind each key.
        Some(std::iter::from_fn(move || {
            let key = keys.next()?.as_str()?;
            Some((key, keys.next()?))
        }))
    }

    /// Whether it is `null`.
    pub fn is_null(self) -> bool {
        self.beside() == (Kind::Word, NULL)
    }

    /// The member of an object with the key `key`; `None` if there is none, or if this is not an
    /// object.
    pub fn get(self, key: &str) -> Option<Part<'v>> {
        let (Kind::Object, end) = self.beside() else {
            return None;
        };
        let mut at = self.at + 1;
        while at < end {
            if self.entries.is(self.text, at, key) {
                return Some(Part { at: at + 1, ..self });
            }
            at = self.entries.after(at + 1);
        }
        None
    }

    /// "null", "a boolean", "a number", "a string", "an array" or "an object", for error messages.
    pub fn kind(self) -> &'static str {
        match self.beside() {
            (Kind::Word, NULL) => "null",
            (Kind::Word, _) => "a boolean",
            (Kind::Number, _) => "a number",
            (Kind::Plain | Kind::Apart, _) => "a string",
            (Kind::Array, _) => "an array",
            (Kind::Object, _) => "an object",
        }
    }

    /// The tree of it.
    pub fn to_value(self) -> Value {
        if let Some(items) = self.as_array() {
            let mut list = Vec::with_capacity(items.clone().count());
            list.extend(items.map(Part::to_value));
            return Value::Array(list);
        }
        if let Some(members) = self.as_object() {
            let mut list = Vec::with_capacity(members.clone().count());
            list.extend(members.map(|(key, value)| (key.to_owned(), value.to_value())));
            return Value::Object(list);
        }
        if let Some(text) = self.as_str() {
            return Value::String(text.to_owned());
        }
        match (self.as_bool(), self.as_number()) {
            (Some(word), _) => Value::Bool(word),
            (None, Some(number)) => Value::Number(Number(number.into())),
            (None, None) => Value::Null,
        }
    }
}

impl fmt::Debug for Part<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_value().to_json())
    }
}

/// Values that stand one behind the other.
#[derive(Clone)]
struct Inside<'v> {
    of: Part<'v>,
    next: usize,
    end: usize,
}

impl<'v> Iterator for Inside<'v> {
    type Item = Part<'v>;

    fn next(&mut self) -> Option<Part<'v>> {
        if self.next >= self.end {
            return None;
        }
        let value = Part {
            at: self.next,
            ..self.of
        };
        self.next = self.of.entries.after(self.next);
        Some(value)
    }
}

mod read;
#[cfg(test)]
mod tests;
