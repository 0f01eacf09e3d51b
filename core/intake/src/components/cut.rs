//! XML with a long list in it, in pieces. The tree of a text takes several times its memory; so the
//! elements of the list are parsed one by one, and what stands around it by itself.
//!
//! Where the list ends and begins is found by tags alone. Whether each piece is well-formed is for
//! the parser to say, and so what is cut is as well-formed as its pieces. A text that is odd in any
//! way is not cut, and whoever wants it reads it whole.

use std::ops::Range;

/// What stands between `<` and `>`, with both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag<'a> {
    pub text: &'a str,
    /// Where it stands in the whole.
    pub at: usize,
    pub kind: Kind,
}

/// What markup is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Opens,
    Closes,
    IsEmpty,
    /// A comment, an instruction, or text that is marked as such.
    Passed,
    /// A declaration.
    Declares,
}

/// All markup of a text, in its order. What has no end ends with the text.
pub(super) fn tags(text: &str) -> impl Iterator<Item = Tag<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let at = from + text.get(from..)?.find('<')?;
        let rest = text.get(at..)?;
        let mut passed = PASSED.into_iter();
        let passed = passed.find(|(begin, _)| rest.starts_with(begin));
        let length = match passed {
            Some((_, end)) => rest.find(end).map(|at| at + end.len()),
            None => length(rest),
        };
        let tag = rest.get(..length.unwrap_or(rest.len()))?;
        from = at + tag.len();
        let kind = match tag.as_bytes().get(1) {
            _ if passed.is_some() => Kind::Passed,
            Some(b'!') => Kind::Declares,
            Some(b'/') => Kind::Closes,
            _ if tag.ends_with("/>") => Kind::IsEmpty,
            _ => Kind::Opens,
        };
        Some(Tag {
            text: tag,
            at,
            kind,
        })
    })
}

/// How markup begins and ends in which `>` means nothing.
const PASSED: [(&str, &str); 3] = [("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?", "?>")];

/// The length of the tag that a text begins with: up to the first `>` outside quotes.
fn length(text: &str) -> Option<usize> {
    let mut quote = None;
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return Some(at + 1),
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), byte) if open == byte => quote = None,
            _ => {}
        }
    }
    None
}

impl<'a> Tag<'a> {
    fn end(&self) -> usize {
        self.at + self.text.len()
    }

    /// The name, with its prefix.
    fn name(&self) -> &'a str {
        let name = self.text.trim_start_matches(['<', '/']);
        let is_end = |c: char| c.is_ascii_whitespace() || c == '>' || c == '/';
        name.split(is_end).next().unwrap_or_default()
    }
}

/// A text with a list in it.
#[derive(Debug)]
pub(super) struct Cut<'a> {
    text: &'a str,
    /// The tags around the list, with that of the list.
    around: [Tag<'a>; 2],
    /// What is in the list.
    inside: Range<usize>,
    /// The elements of the list.
    items: Vec<Range<usize>>,
}

/// A piece of a text, as XML of its own.
pub(super) struct Piece {
    pub text: String,
    /// From where on in it something else stands than in the whole, and where that is.
    from: usize,
    there: usize,
}

/// Longest tags around a list, in bytes: they are parsed again with each of its elements.
const AROUND: usize = 1024;

impl<'a> Cut<'a> {
    /// Cuts a text whose root is `root`, with the first `list` right in it.
    pub(super) fn of(text: &'a str, [root, list]: [&str; 2]) -> Option<Self> {
        let mut open: Vec<Tag<'a>> = Vec::new();
        let mut depth = 0_usize;
        let (mut begin, mut end, mut last) = (None, None, 0);
        let (mut item, mut items) = (None, Vec::new());
        for tag in tags(text) {
            let is_inside = begin.is_some() && end.is_none();
            let between = text.get(last..tag.at)?;
            last = tag.end();
            if is_inside && depth == 2 && !between.trim().is_empty() {
                return None;
            }
            match tag.kind {
                Kind::Declares => return None,
                Kind::Passed => {}
                Kind::Opens => {
                    if is_inside && depth == 2 {
                        item = Some(tag.at);
                    }
                    if begin.is_none() && depth < 2 && open.len() == depth {
                        if tag.name() == [root, list][depth.min(1)] {
                            open.push(tag);
                        }
                        begin = (open.len() == 2).then_some(tag.end());
                    }
                    depth += 1;
                }
                Kind::IsEmpty if is_inside && depth == 2 => items.push(tag.at..tag.end()),
                Kind::IsEmpty => {}
                Kind::Closes => {
                    depth = depth.checked_sub(1)?;
                    if is_inside && depth == 2 {
                        items.push(item.take()?..tag.end());
                    } else if is_inside && depth == 1 {
                        end = Some(tag.at);
                    }
                }
            }
        }
        let around: [Tag<'a>; 2] = open.try_into().ok()?;
        let is_short = around.iter().map(|tag| tag.text.len()).sum::<usize>() <= AROUND;
        (depth == 0 && is_short).then_some(Cut {
            text,
            around,
            inside: begin?..end?,
            items,
        })
    }

    /// How many elements the list has.
    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    /// The text with an empty list.
    pub(super) fn rest(&self) -> Option<Piece> {
        let before = self.text.get(..self.inside.start)?;
        let behind = self.text.get(self.inside.end..)?;
        Some(Piece {
            text: [before, behind].concat(),
            from: self.inside.start,
            there: self.inside.end,
        })
    }

    /// Each element of the list, in what is around it.
    pub(super) fn items(&self) -> impl Iterator<Item = Option<Piece>> {
        let [root, list] = self.around;
        let from = root.text.len() + list.text.len();
        let ends = format!("</{}></{}>", list.name(), root.name());
        self.items.iter().map(move |item| {
            let there = item.start;
            let item = self.text.get(item.clone())?;
            Some(Piece {
                text: [root.text, list.text, item, &ends].concat(),
                from,
                there,
            })
        })
    }
}

impl Piece {
    /// Where something of the piece stands in the whole.
    pub(super) fn place(&self, at: usize) -> usize {
        match at.checked_sub(self.from) {
            Some(behind) => self.there + behind,
            None => at,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Option<(String, Vec<String>)> {
        let cut = Cut::of(text, ["b", "l"])?;
        let rest = cut.rest()?;
        for at in 0..rest.text.len() {
            let there = rest.place(at);
            assert_eq!(text.as_bytes()[there], rest.text.as_bytes()[at], "{text}");
        }
        let items = cut.items().map(|piece| {
            let piece = piece.unwrap();
            let end = piece.text.rfind("</l>").unwrap();
            for at in piece.from..end {
                let there = piece.place(at);
                assert_eq!(text.as_bytes()[there], piece.text.as_bytes()[at], "{text}");
            }
            piece.text
        });
        Some((rest.text.clone(), items.collect()))
    }

    #[test]
    fn the_elements_of_a_list_stand_by_themselves() {
        for (text, rest, items) in [
            ("<b><l><i/></l></b>", "<b><l></l></b>", &["<i/>"][..]),
            (
                "<?x ?>\n<b a='>'><m><l><n/></l></m><l>\n<!-- <j> -->\n<i><i>]</i></i> \
                 <j k=\"/>\"/>\n</l><l><o/></l></b>",
                "<?x ?>\n<b a='>'><m><l><n/></l></m><l></l><l><o/></l></b>",
                &["<i><i>]</i></i>", "<j k=\"/>\"/>"],
            ),
            (
                "<b><l><i><![CDATA[</i>]]></i></l></b>",
                "<b><l></l></b>",
                &["<i><![CDATA[</i>]]></i>"],
            ),
            ("<b><l></l></b>", "<b><l></l></b>", &[]),
            // Whether this is well-formed is for the parser to say.
            ("<b><l><i></j></l></b>", "<b><l></l></b>", &["<i></j>"]),
        ] {
            let (found, pieces) = cut(text).unwrap();
            assert_eq!(found, rest);
            let root = &text[text.find("<b").unwrap()..];
            let root = &root[..root.find("><").unwrap() + 1];
            let expected = items.iter().map(|item| format!("{root}<l>{item}</l></b>"));
            assert_eq!(pieces, expected.collect::<Vec<_>>(), "{text}");
        }
    }

    #[test]
    fn what_is_odd_is_not_cut() {
        let long = format!("<b a=\"{}\"><l><i/></l></b>", "x".repeat(AROUND));
        for text in [
            "",
            "<c><l><i/></l></c>",
            "<b><m><i/></m></b>",
            "<b><l/></b>",
            "<b><l><i/>",
            "<b><l><i></l></b>",
            "<b><l><i/></l></b></c>",
            "<!DOCTYPE b><b><l><i/></l></b>",
            "<b><l>text<i/></l></b>",
            "<b><l><i/>&x;<i/></l></b>",
            "<b><l><i/></l",
            &long,
        ] {
            assert_eq!(cut(text), None, "{text}");
        }
    }
}
