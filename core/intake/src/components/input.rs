//! The file as readers see it.

use super::cut::{Cut, Kind, tags};
use super::fault::{Fault, tail};
use super::program::{self, Language};
use super::rpm_database;
use crate::documents::DocumentError;
use crate::jsonc;
use crate::limits;
use crate::text::{compression, shown, utf_16};
use crate::yaml;
use assay_claims::json::{self, Part, Tape};
use assay_claims::kind::node;
use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

/// A place in JSON, or in what was read into it.
pub(super) type Node<'v, 'p> = node::Node<'v, 'p, Part<'v>>;

/// What a file is that is no text. The text that readers take is made of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    /// A program, which says what it is built of.
    Program(Language),
    /// A database of rpm.
    Rpm,
}

/// The bytes that readers take.
pub(super) struct Decoded<'a> {
    bytes: Cow<'a, [u8]>,
    /// What they are made of.
    binary: Option<Binary>,
}

/// The bytes in UTF-8, if they are UTF-16, as PowerShell redirects text into files: with a byte
/// order mark, or with ASCII at the beginning. Of a program, what it says of itself; of a database,
/// the packages in it. Others are as they are, and so is UTF-16 that is broken or larger than what
/// is read.
///
/// Fails for a program that says nothing, and for a database that is damaged or not of packages.
pub(super) fn decoded(bytes: &[u8]) -> Result<Decoded<'_>, Fault> {
    if let Some(said) = program::said(bytes)? {
        return Ok(Decoded {
            bytes: Cow::Owned(said.text),
            binary: Some(Binary::Program(said.language)),
        });
    }
    if let Some(text) = rpm_database::said(bytes)? {
        return Ok(Decoded {
            bytes: Cow::Owned(text.into_bytes()),
            binary: Some(Binary::Rpm),
        });
    }
    let is_read = bytes.len() <= limits::DOCUMENT_BYTES;
    let text = is_read.then(|| utf_16(bytes)).flatten();
    let text = text.map(|text| Cow::Owned(text.into_bytes()));
    let bytes = text.unwrap_or(Cow::Borrowed(bytes));
    // Old editors end lines with a carriage return alone.
    let returns = bytes.contains(&b'\r') && !bytes.contains(&b'\n');
    let broken = |byte: u8| if byte == b'\r' { b'\n' } else { byte };
    Ok(Decoded {
        bytes: if returns {
            bytes.iter().copied().map(broken).collect()
        } else {
            bytes
        },
        binary: None,
    })
}

/// What a file is that holds others or a program, and is not read; and what to do.
fn container(bytes: &[u8]) -> Option<(&'static str, &'static str)> {
    // The name of the format stands behind the fields of the first file (POSIX, pax), which are
    // filled up with zeros. A text may have that word anywhere.
    const TAR: usize = 257;
    let (fields, rest) = bytes.split_at_checked(TAR).unwrap_or_default();
    if rest.starts_with(b"ustar") && fields.contains(&0) {
        return Some(("it is an archive (tar), which is not unpacked here", IMAGE));
    }
    let is_wasm = bytes.starts_with(b"\0asm");
    is_wasm.then_some((
        "it is a program of WebAssembly, of which nothing is read",
        "write an SBOM of what it was built of, and check that",
    ))
}

/// A file of allowed size that is not compressed, in UTF-8.
pub(super) struct Input<'a> {
    name: &'a str,
    text: &'a str,
    binary: Option<Binary>,
    /// Parsed once, though both recognition and the reader look.
    json: OnceCell<Result<Tape<'a>, json::JsonError>>,
}

impl<'a> Input<'a> {
    /// Takes a file. A byte order mark is no part of it.
    pub(super) fn new(name: &'a str, file: &'a Decoded<'_>) -> Result<Self, Fault> {
        let bytes = &*file.bytes;
        if bytes.len() > limits::DOCUMENT_BYTES {
            let fault = Fault::too_large("file", bytes.len(), limits::DOCUMENT_BYTES);
            return Err(fault.advise("check its parts one by one"));
        }
        let by_name = [".gz", ".bz2", ".xz", ".zst", ".zip"]
            .into_iter()
            .find(|end| name.ends_with(end));
        if let Some(how) = compression(bytes).or(by_name) {
            return Err(Fault::new(
                None,
                format!("the file is compressed ({how}), and nothing is expanded here"),
            )
            .advise("decompress it, and check the result"));
        }
        if let Some((what, advice)) = container(bytes) {
            return Err(Fault::new(None, what).advise(advice));
        }
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        let text = std::str::from_utf8(bytes).map_err(|e| {
            let before = bytes.get(..e.valid_up_to()).unwrap_or_default();
            let line = before.iter().filter(|b| **b == b'\n').count() + 1;
            Fault::new(u32::try_from(line).ok(), "the file is not UTF-8").advise(
                "nothing of it is taken; convert it, or write it again with the tool that \
                    it belongs to",
            )
        })?;
        Ok(Input {
            name,
            text,
            binary: file.binary,
            json: OnceCell::new(),
        })
    }

    /// Refuses a file in which there is nothing: one that was cut, or that no tool wrote.
    pub(super) fn not_empty(&self) -> Result<(), Fault> {
        if self.text.trim().is_empty() {
            return Err(Fault::new(None, "the file is empty")
                .advise("write it again with the tool that it belongs to"));
        }
        Ok(())
    }

    /// What the caller calls the file.
    pub(super) fn name(&self) -> &'a str {
        self.name
    }

    /// The name without folders.
    pub(super) fn base_name(&self) -> &'a str {
        self.name.rsplit(['/', '\\']).next().unwrap_or(self.name)
    }

    /// What the text was made of, if the file is none.
    pub(super) fn binary(&self) -> Option<Binary> {
        self.binary
    }

    pub(super) fn text(&self) -> &'a str {
        self.text
    }

    /// The lines with their numbers, without what ends them.
    pub(super) fn lines(&self) -> impl Iterator<Item = (u32, &'a str)> {
        (1..).zip(self.text.lines())
    }

    /// The line in which the byte at `offset` stands. It counts from the start: for errors, or see
    /// [`Lines`].
    fn line(&self, offset: usize) -> u32 {
        let before = self
            .text
            .as_bytes()
            .get(..offset)
            .unwrap_or(self.text.as_bytes());
        u32::try_from(before.iter().filter(|b| **b == b'\n').count() + 1).unwrap_or(u32::MAX)
    }

    /// The file as JSON: strict, and nested to at most [`limits::COMPONENT_JSON_DEPTH`].
    pub(super) fn json(&self) -> Result<Part<'_>, Fault> {
        let depth = limits::COMPONENT_JSON_DEPTH;
        let parsed = self.json.get_or_init(|| Tape::parse(self.text, depth));
        parsed.as_ref().map(Tape::root).map_err(json_fault)
    }

    /// The file as JSON in which comments may stand, and a comma before a closing bracket; the rest
    /// as [`Input::json`] has it.
    pub(super) fn json_with_commas(&self) -> Result<Tape<'a>, Fault> {
        let parsed = Tape::parse(jsonc::plain(self.text), limits::COMPONENT_JSON_DEPTH);
        // Values stand where they stood: the plain text need not be kept beside this one.
        let parsed = parsed.map(|tape| tape.over(self.text));
        parsed.map_err(|e| json_fault(&e))
    }

    /// The file as YAML, read into JSON values; at most [`limits::COMPONENT_YAML_BYTES`] of it.
    pub(super) fn yaml(&self) -> Result<Tape<'static>, Fault> {
        let mut documents = self.yaml_documents(1, &[])?;
        documents
            .pop()
            .ok_or_else(|| Fault::at(1, "the document is empty"))
    }

    /// The file as up to `most` documents of YAML, as [`Input::yaml`] reads one, each without the
    /// members that `unread` names.
    pub(super) fn yaml_documents(
        &self,
        most: usize,
        unread: &[&str],
    ) -> Result<Vec<Tape<'static>>, Fault> {
        if self.text.len() > limits::COMPONENT_YAML_BYTES {
            let reason = format!(
                "the file has {} bytes; of YAML, {} are read",
                self.text.len(),
                limits::COMPONENT_YAML_BYTES
            );
            return Err(Fault::new(None, reason));
        }
        yaml::parse_several(self.text, most, unread).map_err(|e| match e {
            DocumentError::Syntax { line, reason, .. } | DocumentError::Line { line, reason } => {
                let reason = format!("cannot be read: {}", shown(&reason));
                Fault::new(u32::try_from(line).ok(), reason)
            }
            other => Fault::new(None, shown(&other.to_string())),
        })
    }

    /// The file as XML, without a document type, so that nothing in it can be expanded; at most
    /// [`limits::COMPONENT_XML_NODES`] elements and texts, and fewer of a small file. Long tags and
    /// many namespaces, which take long to read, are refused.
    pub(super) fn xml(&self) -> Result<roxmltree::Document<'a>, Fault> {
        self.check_tags()?;
        parse_xml(self.text).map_err(|e| {
            let reason = format!("is not XML that is read: {}", shown(&e.to_string()));
            Fault::new(Some(e.pos().row), reason)
        })
    }

    /// The file as XML whose root is `root`, cut into the elements of the first `list` right in
    /// it. `None` if it is to be read whole.
    pub(super) fn xml_list(&self, root: &str, list: &str) -> Result<Option<Cut<'a>>, Fault> {
        self.check_tags()?;
        Ok(Cut::of(self.text, [root, list]))
    }

    /// Refuses XML that is parsed in more time than its size lets expect: each attribute of a tag
    /// is compared with the others, and each namespace with those that are known.
    fn check_tags(&self) -> Result<(), Fault> {
        let mut namespaces = 0;
        for tag in tags(self.text).filter(|tag| tag.kind != Kind::Passed) {
            if tag.text.len() > XML_TAG_BYTES {
                let reason = format!("a tag is longer than {XML_TAG_BYTES} bytes");
                return Err(Fault::new(Some(self.line(tag.at)), reason));
            }
            namespaces += tag.text.matches("xmlns").count();
            if namespaces > XML_NAMESPACES {
                let reason = format!("more than {XML_NAMESPACES} namespaces are declared");
                return Err(Fault::new(Some(self.line(tag.at)), reason));
            }
        }
        Ok(())
    }

    /// Finds lines of places that come in order.
    pub(super) fn places(&self) -> Lines<'_> {
        Lines {
            text: self.text.as_bytes(),
            at: 0,
            line: 1,
        }
    }
}

/// What to do with an image itself.
pub(super) const IMAGE: &str = "if it is an image, let syft or Trivy write an SBOM of it \
    (CycloneDX or SPDX in JSON), and check that";

/// Longest tag of XML that is read, in bytes. Those of SBOMs have some hundred.
const XML_TAG_BYTES: usize = 16 * 1024;

/// Most declarations of namespaces in a file of XML. There are a few, at the root.
const XML_NAMESPACES: usize = 64;

/// Elements and texts of XML that a file of any size may have, and bytes for each of the others.
const XML_NODES_ALWAYS: u32 = 100_000;
const XML_NODE_BYTES: usize = 8;

/// A text as XML, as [`Input::xml`] has it.
pub(super) fn parse_xml(text: &str) -> Result<roxmltree::Document<'_>, roxmltree::Error> {
    let of_size = u32::try_from(text.len() / XML_NODE_BYTES).unwrap_or(u32::MAX);
    let nodes_limit = of_size
        .saturating_add(XML_NODES_ALWAYS)
        .min(limits::COMPONENT_XML_NODES);
    let options = roxmltree::ParsingOptions {
        allow_dtd: false,
        nodes_limit,
        ..roxmltree::ParsingOptions::default()
    };
    roxmltree::Document::parse_with_options(text, options)
}

/// Turns byte offsets into lines, each byte being looked at once.
pub(super) struct Lines<'a> {
    text: &'a [u8],
    at: usize,
    line: u32,
}

impl Lines<'_> {
    /// The line in which `span` begins. Spans come in the order of the file: for one before the
    /// last, the last line is returned again.
    pub(super) fn of(&mut self, span: Range<usize>) -> u32 {
        let passed = self.text.get(self.at..span.start).unwrap_or_default();
        let newlines = passed.iter().filter(|b| **b == b'\n').count();
        self.line = self
            .line
            .saturating_add(u32::try_from(newlines).unwrap_or(u32::MAX));
        self.at = self.at.max(span.start);
        self.line
    }
}
fn json_fault(e: &json::JsonError) -> Fault {
    let reason = format!("column {} ({}): {}", e.column, tail(&e.path), e.reason);
    Fault::new(u32::try_from(e.line).ok(), shown(&reason))
}

#[cfg(test)]
mod tests;
