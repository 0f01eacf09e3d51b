//! How a purl is read and written, whatever its type (purl-spec, "How to parse a purl string" and
//! "How to build a purl string from its components"; steps in their order).

use super::{Components, PurlError};
use crate::limits;

/// Splits and decodes a purl. Nothing is normalized but what the syntax itself leaves open.
pub(super) fn read(text: &str) -> Result<Components, PurlError> {
    if text.len() > limits::PURL_BYTES {
        return Err(PurlError::TooLong(text.len()));
    }
    // Subpath, then qualifiers: each once, from the right.
    let (rest, subpath) = cut_right(text, '#');
    let (rest, qualifiers) = cut_right(rest, '?');
    // Scheme, from the left; slashes after it, and at the end, mean nothing.
    let (scheme, rest) = rest.split_once(':').ok_or(PurlError::Scheme)?;
    if !scheme.eq_ignore_ascii_case("pkg") {
        return Err(PurlError::Scheme);
    }
    let rest = rest.trim_matches('/');
    // Type.
    let (ty, rest) = match rest.split_once('/') {
        Some((ty, rest)) => (ty, rest),
        None if is_type(rest) => return Err(PurlError::NoName),
        None => return Err(PurlError::Type(rest.to_owned())),
    };
    // Version, name, namespace: from the right.
    let (rest, version) = cut_version(rest);
    let (namespace, name) = rest
        .rsplit_once('/')
        .map_or((None, rest), |(left, name)| (Some(left), name));
    Ok(Components {
        ty: ty.to_owned(),
        namespace: namespace
            .map(|segments| decode_segments(segments, |s| s.is_empty()))
            .transpose()?,
        name: decode(name)?,
        version: version.map(decode).transpose()?,
        qualifiers: qualifiers.map_or(Ok(Vec::new()), read_qualifiers)?,
        subpath: subpath
            .map(|segments| decode_segments(segments, |s| matches!(s, "" | "." | "..")))
            .transpose()?,
    })
}

fn cut_right(text: &str, separator: char) -> (&str, Option<&str>) {
    text.rsplit_once(separator)
        .map_or((text, None), |(left, right)| (left, Some(right)))
}

/// The last `@` separates the version, except where it opens a segment that others follow: then it
/// belongs to a namespace that was not encoded (`pkg:npm/@babel/core`).
fn cut_version(rest: &str) -> (&str, Option<&str>) {
    match rest.rsplit_once('@') {
        Some((left, right)) if right.contains('/') && (left.is_empty() || left.ends_with('/')) => {
            (rest, None)
        }
        Some((left, right)) => (left, Some(right)),
        None => (rest, None),
    }
}

fn read_qualifiers(text: &str) -> Result<Vec<(String, String)>, PurlError> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
        .map(|(k, v)| Ok((k.to_owned(), decode(v)?)))
        .collect()
}

fn decode_segments(text: &str, dropped: impl Fn(&str) -> bool) -> Result<String, PurlError> {
    let mut out = String::with_capacity(text.len());
    for segment in text.split('/').filter(|s| !dropped(s)) {
        let decoded = decode(segment)?;
        if decoded.contains('/') || dropped(&decoded) {
            return Err(PurlError::Segment(decoded));
        }
        if !out.is_empty() {
            out.push('/');
        }
        out.push_str(&decoded);
    }
    Ok(out)
}

/// Undoes percent-encoding.
pub(crate) fn decode(text: &str) -> Result<String, PurlError> {
    if !text.contains('%') {
        return Ok(text.to_owned());
    }
    let malformed = || PurlError::Encoding(text.to_owned());
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            out.push(byte);
            continue;
        }
        let mut digit = || {
            rest.next()
                .and_then(|b| char::from(b).to_digit(16))
                .and_then(|d| u8::try_from(d).ok())
        };
        match (digit(), digit()) {
            (Some(high), Some(low)) => out.push(high << 4 | low),
            _ => return Err(malformed()),
        }
    }
    String::from_utf8(out).map_err(|_| malformed())
}

fn is_type(ty: &str) -> bool {
    ty.starts_with(|c: char| c.is_ascii_alphabetic())
        && ty
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'.' || b == b'-')
}

fn is_key(key: &str) -> bool {
    key.starts_with(|c: char| !c.is_ascii_digit())
        && key
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_'))
}

/// Checks the parts and applies the rules that hold for every type: type and keys in lower case,
/// qualifiers sorted, nothing empty.
pub(super) fn tidy(components: &mut Components) -> Result<(), PurlError> {
    if !is_type(&components.ty) {
        return Err(PurlError::Type(std::mem::take(&mut components.ty)));
    }
    components.ty.make_ascii_lowercase();
    if components.name.is_empty() {
        return Err(PurlError::NoName);
    }
    for part in [&mut components.namespace, &mut components.subpath] {
        if let Some(text) = part {
            let tidied = text
                .split('/')
                .filter(|s| !s.is_empty())
                .collect::<Vec<_>>()
                .join("/");
            *part = (!tidied.is_empty()).then_some(tidied);
        }
    }
    if let Some(bad) = components
        .subpath
        .iter()
        .flat_map(|s| s.split('/'))
        .find(|s| matches!(*s, "." | ".."))
    {
        return Err(PurlError::Segment(bad.to_owned()));
    }
    components.version.take_if(|version| version.is_empty());
    tidy_qualifiers(&mut components.qualifiers)
}

fn tidy_qualifiers(qualifiers: &mut Vec<(String, String)>) -> Result<(), PurlError> {
    for (key, _) in qualifiers.iter_mut() {
        if !is_key(key) {
            return Err(PurlError::Key(std::mem::take(key)));
        }
        key.make_ascii_lowercase();
    }
    qualifiers.retain(|(_, value)| !value.is_empty());
    qualifiers.sort();
    match qualifiers
        .windows(2)
        .find(|pair| matches!(pair, [(a, _), (b, _)] if a == b))
    {
        Some(pair) => Err(PurlError::KeyTwice(
            pair.iter()
                .map(|(key, _)| key.clone())
                .next()
                .unwrap_or_default(),
        )),
        None => Ok(()),
    }
}

/// Writes parts that are tidy.
pub(super) fn write(components: &Components) -> String {
    let mut out = String::with_capacity(64);
    out.push_str("pkg:");
    out.push_str(&components.ty);
    out.push('/');
    if let Some(namespace) = &components.namespace {
        encode_segments(namespace, &mut out);
        out.push('/');
    }
    encode(&components.name, &mut out);
    if let Some(version) = &components.version {
        out.push('@');
        encode(version, &mut out);
    }
    for (i, (key, value)) in components.qualifiers.iter().enumerate() {
        out.push(if i == 0 { '?' } else { '&' });
        out.push_str(key);
        out.push('=');
        encode(value, &mut out);
    }
    if let Some(subpath) = &components.subpath {
        out.push('#');
        encode_segments(subpath, &mut out);
    }
    // Lists of many thousands are held.
    out.shrink_to_fit();
    out
}

fn encode_segments(text: &str, out: &mut String) {
    for (i, segment) in text.split('/').enumerate() {
        if i > 0 {
            out.push('/');
        }
        encode(segment, out);
    }
}

/// Everything is encoded except letters, digits, `.`, `-`, `_`, `~` and `:` (ECMA-427, "Character
/// encoding").
fn encode(text: &str, out: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                out.push(byte.into())
            }
            _ => {
                out.push('%');
                out.extend(
                    [byte >> 4, byte & 15]
                        .map(|digit| HEX.get(usize::from(digit)).copied().unwrap_or('0')),
                );
            }
        }
    }
}
