//! TOML in which packages stand one after the other (`[[package]]`), read block by block: the tree
//! of a whole file takes ten times its memory and more.
//!
//! A file is cut where a header begins a package or ends the last one. Each piece is parsed by
//! itself, so that a cut in a wrong place makes a piece that is no TOML, or is not one package.
//! What cannot be cut so that it would certainly mean the same is parsed as a whole, and so is a
//! file in which something is wrong: then the error is that of the whole.

use super::fault::Fault;
use super::input::{Input, Lines};
use super::list::List;
use crate::text::shown;
use serde::de::DeserializeOwned;
use std::collections::BTreeMap;
use std::ops::Range;

/// A file without its packages, unless it is parsed as a whole.
pub(super) trait Lock: DeserializeOwned {
    /// The list of the packages.
    const LIST: &'static str;
    type Package: DeserializeOwned;

    /// Takes the packages, which are none if the file is read block by block.
    fn take(&mut self) -> Vec<Self::Package>;
}

/// The packages of a file, one after the other.
pub(super) struct Packages<'a, P> {
    text: &'a str,
    pieces: &'a Pieces,
    next: usize,
    list: &'static str,
    /// Of a file that was parsed as a whole.
    whole: std::vec::IntoIter<P>,
    lines: Lines<'a>,
}

impl<P: DeserializeOwned> Packages<'_, P> {
    /// The next package, and where in the file its places are counted from.
    ///
    /// Fails if it cannot be read.
    pub(super) fn next(&mut self) -> Result<Option<(P, usize)>, Fault> {
        let Some(piece) = self.pieces.packages.get(self.next) else {
            return Ok(self.whole.next().map(|package| (package, 0)));
        };
        self.next += 1;
        let text = self.text.get(piece.clone()).unwrap_or_default();
        let line = |at: usize| line(self.text, piece.start + at);
        let mut read: BTreeMap<String, Vec<P>> = parse(text, line)?;
        let mut packages = read.remove(self.list).unwrap_or_default();
        match (packages.pop(), packages.is_empty() && read.is_empty()) {
            (Some(package), true) => Ok(Some((package, piece.start))),
            _ => Err(Fault::at(line(0), "cannot be read: is not one package")),
        }
    }

    /// The line of a place in a package. Places come in the order of the file.
    pub(super) fn line(&mut self, from: usize, span: Range<usize>) -> u32 {
        self.lines.of(from + span.start..from + span.end)
    }

    /// The line of a place in what is no package.
    pub(super) fn line_outside(&self, span: Range<usize>) -> u32 {
        line(self.text, self.pieces.place(span.start))
    }
}

impl Input<'_> {
    /// Reads the file as TOML: `read` is given the file without its packages, and these.
    pub(super) fn toml<L: Lock>(
        &self,
        read: impl Fn(L, Packages<'_, L::Package>) -> Result<List, Fault>,
    ) -> Result<List, Fault> {
        let whole = || {
            let lock: L = parse(self.text(), |at| line(self.text(), at))?;
            self.read_packages(lock, &Pieces::default(), &read)
        };
        let Some(pieces) = cut(self.text(), L::LIST) else {
            return whole();
        };
        let outside = |at: usize| line(self.text(), pieces.place(at));
        parse(&pieces.rest(self.text()), outside)
            .and_then(|lock: L| self.read_packages(lock, &pieces, &read))
            .or_else(|_| whole())
    }

    fn read_packages<L: Lock>(
        &self,
        mut lock: L,
        pieces: &Pieces,
        read: impl Fn(L, Packages<'_, L::Package>) -> Result<List, Fault>,
    ) -> Result<List, Fault> {
        let packages = Packages {
            text: self.text(),
            pieces,
            next: 0,
            list: L::LIST,
            whole: lock.take().into_iter(),
            lines: self.places(),
        };
        read(lock, packages)
    }
}

/// The line in which a place stands.
fn line(text: &str, at: usize) -> u32 {
    let before = text.as_bytes().get(..at).unwrap_or(text.as_bytes());
    u32::try_from(before.iter().filter(|b| **b == b'\n').count() + 1).unwrap_or(u32::MAX)
}

fn parse<T: DeserializeOwned>(text: &str, line: impl Fn(usize) -> u32) -> Result<T, Fault> {
    toml::from_str(text).map_err(|e| {
        let line = e.span().map(|span| line(span.start));
        Fault::new(line, format!("cannot be read: {}", shown(e.message())))
    })
}

/// Where a file is cut.
#[derive(Debug, Default, PartialEq)]
struct Pieces {
    packages: Vec<Range<usize>>,
    /// What stands between them.
    rest: Vec<Range<usize>>,
}

impl Pieces {
    /// What is no package.
    fn rest(&self, text: &str) -> String {
        let pieces = self.rest.iter();
        pieces.filter_map(|piece| text.get(piece.clone())).collect()
    }

    /// Where in the file a place of [`Pieces::rest`] is.
    fn place(&self, mut at: usize) -> usize {
        for piece in &self.rest {
            if at < piece.len() {
                return piece.start + at;
            }
            at -= piece.len();
        }
        at + self.rest.last().map_or(0, |last| last.end)
    }
}

/// Cuts a file. `None` if something besides the headers of blocks may be of the list.
fn cut(text: &str, list: &str) -> Option<Pieces> {
    let mut pieces = Pieces::default();
    let (mut at, mut is_in_package, mut is_top) = (0, false, true);
    while at < text.len() {
        let rest = text.get(at..)?;
        let begin = rest.trim_start_matches([' ', '\t']);
        let end = at + statement(rest);
        let header = begin.strip_prefix('[');
        is_top &= header.is_none();
        let keys = match header {
            Some(header) => header.strip_prefix('[').unwrap_or(header),
            None => begin,
        };
        let is_of_list = (is_top || header.is_some()) && may_begin_with(keys, list);
        let begins = is_of_list
            && begin
                .strip_prefix("[[")
                .is_some_and(|it| is_whole(it, list));
        if begins {
            is_in_package = true;
            pieces.packages.push(at..end);
        } else if is_of_list {
            // A part of the package, or what is no list.
            let is_part = header.is_some() && is_in_package && is_part(keys, list);
            pieces.packages.last_mut().filter(|_| is_part)?.end = end;
        } else {
            is_in_package &= header.is_none();
            if is_in_package {
                pieces.packages.last_mut()?.end = end;
            } else {
                push(&mut pieces.rest, at..end);
            }
        }
        at = end;
    }
    Some(pieces)
}

fn push(pieces: &mut Vec<Range<usize>>, piece: Range<usize>) {
    match pieces.last_mut().filter(|last| last.end == piece.start) {
        Some(last) => last.end = piece.end,
        None => pieces.push(piece),
    }
}

/// Whether keys begin with the name of the list, or in a way that needs a closer look.
fn may_begin_with(keys: &str, list: &str) -> bool {
    let rest = keys.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    let first = keys.get(..keys.len() - rest.len()).unwrap_or_default();
    if first.is_empty() {
        // Blank lines and comments have no keys.
        !rest.is_empty() && !rest.starts_with(['\n', '\r', '#'])
    } else {
        first == list
    }
}

/// Whether a header is that of the list and nothing else.
fn is_whole(keys: &str, list: &str) -> bool {
    let behind = keys.strip_prefix(list).and_then(|it| it.strip_prefix("]]"));
    let line = behind.and_then(|it| it.split('\n').next()).map(str::trim);
    line.is_some_and(|line| line.is_empty() || line.starts_with('#'))
}

/// Whether a header is of something in the list.
fn is_part(keys: &str, list: &str) -> bool {
    keys.strip_prefix(list)
        .is_some_and(|it| it.starts_with('.'))
}

/// The length of the statement that a text begins with: up to the line break behind it, which does
/// not stand in a string or between brackets. It is not more than the text.
fn statement(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\n' if depth == 0 => return at + 1,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'#' => {
                at += length_until(bytes, at, |b| b == b'\n');
                continue;
            }
            b'"' | b'\'' => {
                at += string(bytes.get(at..).unwrap_or_default(), *byte);
                continue;
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

fn length_until(bytes: &[u8], at: usize, is_end: impl Fn(u8) -> bool) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let length = rest.iter().position(|b| is_end(*b));
    length.unwrap_or(rest.len())
}

/// The length of the string that begins here with its quote. One that has no end has that of its
/// line, or of the text if it may have several lines.
fn string(bytes: &[u8], quote: u8) -> usize {
    let is_long = bytes.starts_with(&[quote; 3]);
    let mut at = if is_long { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        let rest = bytes.get(at..).unwrap_or_default();
        match byte {
            b'\\' if quote == b'"' => at += 1,
            b'\n' if !is_long => return at,
            byte if *byte == quote && !is_long => return at + 1,
            _ if is_long && rest.starts_with(&[quote; 3]) => {
                // Up to two quotes may stand before those that end it.
                let more = rest.iter().skip(3).take(2).take_while(|b| **b == quote);
                return at + 3 + more.count();
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

#[cfg(test)]
mod tests;
