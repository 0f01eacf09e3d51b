//! Programs that say what was built into them, as a text that a reader of their format takes: Rust
//! by `cargo auditable` (JSON in zlib, in the section `.dep-v0`), Go by every build since 1.18
//! (`debug/buildinfo`, in the section `.go.buildinfo`).

use super::fault::Fault;
use crate::limits;
use miniz_oxide::inflate::{TINFLStatus, decompress_to_vec_zlib_with_limit};
use object::{Object, ObjectSection, ObjectSegment};

/// What a program is of, which says what its text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    Rust,
    Go,
}

/// What a program says of itself.
pub(super) struct Said {
    pub(super) language: Language,
    pub(super) text: Vec<u8>,
}

/// Whether the file is a program or a library: ELF, PE or Mach-O.
pub(super) fn is_program(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [0x7f, b'E', b'L', b'F', ..]
            | [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..]
            | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..]
    ) || bytes.starts_with(b"MZ") && bytes.contains(&0)
}

/// What the program says, if `bytes` are one.
///
/// Fails if it says nothing, is malformed, or is larger than what is read.
pub(super) fn said(bytes: &[u8]) -> Result<Option<Said>, Fault> {
    if bytes.starts_with(b"\xca\xfe\xba\xbe") {
        return Err(Fault::new(
            None,
            "it is a program for several kinds of processors, or a class of Java",
        )
        .advise("take one program out of it (`lipo -thin`), or write an SBOM, and check that"));
    }
    if !is_program(bytes) {
        return Ok(None);
    }
    if bytes.len() > limits::PROGRAM_BYTES {
        let fault = Fault::too_large("program", bytes.len(), limits::PROGRAM_BYTES);
        return Err(fault.advise("write an SBOM of it, and check that"));
    }
    let file = object::File::parse(bytes)
        .map_err(|e| malformed(&format!("the program is malformed: {e}")))?;
    if let Some(section) = file.section_by_name(".dep-v0") {
        let data = section.data().map_err(|e| malformed(&e.to_string()))?;
        return expanded(data).map(Some);
    }
    match go(&file)? {
        Some(text) => Ok(Some(Said {
            language: Language::Go,
            text: text.into_bytes(),
        })),
        None => Err(
            Fault::new(None, "the program does not say what was built into it").advise(
                "build it with `cargo auditable` or with Go 1.18 or newer, or write an SBOM of \
                 it, and check that",
            ),
        ),
    }
}

fn malformed(reason: &str) -> Fault {
    Fault::new(None, reason).advise("nothing of it is taken; get the program again")
}

/// What `cargo auditable` compressed.
fn expanded(data: &[u8]) -> Result<Said, Fault> {
    let text = decompress_to_vec_zlib_with_limit(data, limits::COMPONENT_PROGRAM_TEXT_BYTES);
    let text = text.map_err(|e| match e.status {
        TINFLStatus::HasMoreOutput => malformed(&format!(
            "its section .dep-v0 expands to more than {} bytes",
            limits::COMPONENT_PROGRAM_TEXT_BYTES
        )),
        _ => malformed("its section .dep-v0 is not compressed with zlib, or is cut off"),
    })?;
    Ok(Said {
        language: Language::Rust,
        text,
    })
}

/// What every program of Go has before what it says, in a place that is a multiple of
/// [`GO_ALIGNED`].
const GO_MAGIC: &[u8] = b"\xff Go buildinf:";
const GO_ALIGNED: usize = 16;
/// The header: the magic, the size of a pointer, flags, and room.
const GO_HEADER: usize = 32;
/// The flag of a program whose texts stand behind the header.
const GO_INLINE: u8 = 2;
/// Bytes without meaning before and behind the list of modules.
const GO_GUARD: usize = 16;

/// What a program of Go says, as `go version -m` writes it.
fn go(file: &object::File<'_>) -> Result<Option<String>, Fault> {
    let named = [".go.buildinfo", "__go_buildinfo"];
    let section = named.iter().find_map(|name| file.section_by_name(name));
    if let Some(data) = section.as_ref().and_then(|section| section.data().ok())
        && let Some(text) = go_in(data)?
    {
        return Ok(Some(text));
    }
    // PE has no such section, and neither has what was stripped of the names of its sections.
    for segment in file.segments() {
        if let Some(text) = segment.data().ok().map(go_in).transpose()?.flatten() {
            return Ok(Some(text));
        }
    }
    Ok(None)
}

fn go_in(data: &[u8]) -> Result<Option<String>, Fault> {
    let mut at = 0;
    while let Some(rest) = data.get(at..) {
        if rest.starts_with(GO_MAGIC) {
            if rest.get(GO_MAGIC.len() + 1).copied().unwrap_or_default() & GO_INLINE == 0 {
                return Err(
                    Fault::new(None, "the program was built by a Go of before 1.18")
                        .advise("check the go.mod that it was built from"),
                );
            }
            // Programs that read others hold the magic without what belongs behind it.
            if let Some(text) = rest.get(GO_HEADER..).and_then(go_text) {
                return Ok(Some(text));
            }
        }
        at += GO_ALIGNED;
    }
    Ok(None)
}

/// The version and the list of modules, each with its length before it.
fn go_text(bytes: &[u8]) -> Option<String> {
    let (version, rest) = counted(bytes)?;
    let version = std::str::from_utf8(version).ok()?;
    let (modules, _) = counted(rest)?;
    let inner = modules.len().checked_sub(GO_GUARD)?;
    let modules = std::str::from_utf8(modules.get(GO_GUARD..inner)?).ok()?;
    let known = version.starts_with("go") || version.starts_with("devel");
    (known && modules.ends_with('\n')).then(|| format!("program: {version}\n{modules}"))
}

/// The bytes that a number (LEB128) stands before, and those behind them.
fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length = 0usize;
    for (at, byte) in bytes.iter().take(4).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return bytes.get(at + 1..)?.split_at_checked(length);
        }
    }
    None
}

#[cfg(test)]
mod tests;
