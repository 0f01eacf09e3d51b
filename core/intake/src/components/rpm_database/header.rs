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
    (5096, STRING, "module"),
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
    let [package @ .., module] = &fields;
    let of_module = module.iter().filter(|module| !module.is_empty());
    let package = package.iter().map(|field| field.as_deref().unwrap_or(NONE));
    let written = package.chain(of_module.map(String::as_str));
    Ok(written.collect::<Vec<_>>().join("\t"))
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A header of texts, each with its tag.
    fn header(entries: &[(u32, &str)]) -> Vec<u8> {
        let (mut index, mut data) = (Vec::new(), Vec::new());
        for (tag, text) in entries {
            let at = u32::try_from(data.len()).unwrap();
            for number in [*tag, 6, at, 1] {
                index.extend(number.to_be_bytes());
            }
            data.extend(text.bytes().chain([0]));
        }
        let counts = [entries.len(), data.len()].map(|one| u32::try_from(one).unwrap());
        let counts = counts.into_iter().flat_map(u32::to_be_bytes);
        counts.chain(index).chain(data).collect()
    }

    #[test]
    fn what_is_of_a_module_says_so() {
        let package = [(1000, "nodejs"), (1001, "18.1"), (1002, "1.module+el8")];
        let of = |module: &[(u32, &str)]| line(&header(&[&package, module].concat())).unwrap();
        let plain = "nodejs\t(none)\t18.1\t1.module+el8\t(none)\t(none)";
        assert_eq!(of(&[]), plain);
        assert_eq!(of(&[(5096, "")]), plain);
        let stream = "nodejs:18:8060:ad008a3a";
        assert_eq!(of(&[(5096, stream)]), format!("{plain}\t{stream}"));
    }
}
