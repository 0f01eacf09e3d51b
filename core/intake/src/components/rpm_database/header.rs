//! The header of a package (rpm's manual, "Header format"): numbers of entries and of bytes,
//! a row for each entry (tag, type, place, count), and the bytes.

use super::numbers::{Order, damaged};
use super::{FIELDS, NONE};
use crate::components::fault::Fault;
use crate::text::shown;

/// Bytes before the rows, and bytes of a row.
const HEAD: usize = 8;
const ROW: usize = 16;

/// Types of entries.
const INT32: usize = 4;
const STRING: usize = 6;

/// The tags of what a line has, in its order, with what a person calls them.
const TAGS: [(usize, usize, &str); FIELDS] = [
    (1000, STRING, "name"),
    (1003, INT32, "epoch"),
    (1001, STRING, "version"),
    (1002, STRING, "release"),
    (1022, STRING, "architecture"),
    (1044, STRING, "package of sources"),
];

/// What a header says, in the fields of a line with tabs between.
///
/// Fails if it is malformed, or has no name, version or release.
pub(super) fn line(header: &[u8]) -> Result<String, Fault> {
    let cut = || damaged("the header of a package is cut off");
    let order = Order::Big;
    let rows = order.u32(header, 0).ok_or_else(cut)?;
    let length = order.u32(header, 4).ok_or_else(cut)?;
    let body = header.get(HEAD..).ok_or_else(cut)?;
    let index = rows.checked_mul(ROW).filter(|index| *index <= body.len());
    let (index, data) = body.split_at(index.ok_or_else(cut)?);
    let data = data.get(..length).ok_or_else(cut)?;
    // What was added when it was installed stands behind what it came with, and counts.
    let mut last: [Option<(usize, usize)>; FIELDS] = Default::default();
    for row in index.chunks_exact(ROW) {
        let number = |at| order.u32(row, at).ok_or_else(cut);
        let (tag, ty, at) = (number(0)?, number(4)?, number(8)?);
        for (place, (known, ..)) in last.iter_mut().zip(TAGS) {
            if tag == known {
                *place = Some((ty, at));
            }
        }
    }
    let mut fields: [Option<String>; FIELDS] = Default::default();
    for ((field, place), (_, wanted, name)) in fields.iter_mut().zip(last).zip(TAGS) {
        let Some((ty, at)) = place else {
            continue;
        };
        *field = match (ty, wanted) {
            (STRING, STRING) => text(data, at),
            (INT32, INT32) => order.u32(data, at).map(|number| number.to_string()),
            _ => None,
        };
        if field.is_none() {
            let reason = format!("a package has no {name} that can be read");
            return Err(damaged(&reason));
        }
    }
    let needed = fields.iter().zip(TAGS).find(|(field, (_, _, name))| {
        field.is_none() && ["name", "version", "release"].contains(name)
    });
    if let Some((_, (_, _, name))) = needed {
        let package = fields.first().cloned().flatten().unwrap_or_default();
        return Err(damaged(&format!(
            "the package \"{}\" has no {name}",
            shown(&package)
        )));
    }
    let written = fields.map(|field| field.unwrap_or_else(|| NONE.to_owned()));
    Ok(written.join("\t"))
}

/// Longest text that is read, in bytes. Names and versions have some tens.
const TEXT: usize = 4096;

/// The text that ends with a NUL. `None` if it is too long, not UTF-8, or has control characters,
/// which would be more fields or lines.
fn text(data: &[u8], at: usize) -> Option<String> {
    let rest = data.get(at..)?;
    let rest = rest.get(..TEXT).unwrap_or(rest);
    let end = rest.iter().position(|byte| *byte == 0)?;
    let text = std::str::from_utf8(rest.get(..end)?).ok()?;
    Some(text.to_owned()).filter(|text| !text.chars().any(char::is_control))
}
