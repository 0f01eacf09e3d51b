//! In which form an answer is wanted, and whether the caller has it already (RFC 9110).

use axum::http::{HeaderMap, HeaderName, header};

/// A form in which answers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// proto3 JSON.
    Json,
    /// The serialized message.
    Protobuf,
    /// A signed note, as it is.
    Note,
}

/// Most media ranges that are looked at.
const RANGES: usize = 32;

impl Form {
    /// The media types that name it.
    pub fn types(self) -> &'static [&'static str] {
        match self {
            Form::Json => &["application/json"],
            Form::Protobuf => &["application/protobuf", "application/x-protobuf"],
            Form::Note => &["text/plain"],
        }
    }

    /// What `Content-Type` says of it.
    pub fn content_type(self) -> &'static str {
        match self {
            Form::Json => "application/json",
            Form::Protobuf => "application/protobuf",
            Form::Note => "text/plain; charset=utf-8",
        }
    }

    /// The one of `offered` that these headers like best; of those that they like as much, the one
    /// that they name more exactly, and then the first. `None` if they accept none.
    pub fn wanted(headers: &HeaderMap, offered: &[Form]) -> Option<Form> {
        let ranges: Vec<Range<'_>> = elements(headers, header::ACCEPT)
            .take(RANGES)
            .filter_map(Range::parse)
            .collect();
        if ranges.is_empty() && !headers.contains_key(header::ACCEPT) {
            return offered.first().copied();
        }
        let liked = offered.iter().map(|form| (liking(&ranges, *form), *form));
        let liked = liked.filter(|((quality, _), _)| *quality > 0);
        // The first of the best ones.
        let best = liked.reduce(|best, other| if other.0 > best.0 { other } else { best });
        best.map(|(_, form)| form)
    }
}

/// How much a form is wanted, in thousandths, and how exactly it is named.
fn liking(ranges: &[Range<'_>], form: Form) -> (u16, u8) {
    let types = form.types().iter();
    let each = types.map(|media| {
        let matching = ranges.iter().filter_map(|it| Some((it.names(media)?, it)));
        // The most exact range decides.
        let exact = matching.max_by_key(|(exact, _)| *exact);
        exact.map_or((0, 0), |(exact, range)| (range.quality, exact))
    });
    each.max().unwrap_or_default()
}

/// An element of `Accept`.
struct Range<'a> {
    media: &'a str,
    quality: u16,
}

impl<'a> Range<'a> {
    fn parse(element: &'a str) -> Option<Self> {
        let mut parts = element.split(';').map(str::trim);
        let media = parts.next()?;
        let mut quality = 1000;
        for part in parts {
            if let Some(value) = part.strip_prefix("q=").or(part.strip_prefix("Q=")) {
                let value: f32 = value.parse().ok()?;
                quality = (value.clamp(0.0, 1.0) * 1000.0) as u16;
            }
        }
        Some(Range { media, quality })
    }

    /// How exactly it names a media type, if it does.
    fn names(&self, media: &str) -> Option<u8> {
        if self.media.eq_ignore_ascii_case(media) {
            return Some(2);
        }
        if self.media == "*/*" {
            return Some(0);
        }
        let (kind, _) = media.split_once('/')?;
        let of = self.media.strip_suffix("/*")?;
        of.eq_ignore_ascii_case(kind).then_some(1)
    }
}

/// Whether a caller with these headers has what has this strong tag.
pub fn has(headers: &HeaderMap, tag: &str) -> bool {
    let mut tags = elements(headers, header::IF_NONE_MATCH);
    tags.any(|it| it == "*" || it.strip_prefix("W/").unwrap_or(it) == tag)
}

/// The elements of a list in a header.
fn elements(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter();
    let lines = lines.filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::HeaderValue;

    fn headers(name: HeaderName, values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(&name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn what_is_liked_best_is_sent() {
        const BOTH: [Form; 2] = [Form::Json, Form::Protobuf];
        const BROWSER: &str = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
        for (accept, right) in [
            (&[][..], Some(Form::Json)),
            (&["*/*"], Some(Form::Json)),
            (&["application/*"], Some(Form::Json)),
            (&[BROWSER], Some(Form::Json)),
            (&["application/json"], Some(Form::Json)),
            (&["application/protobuf"], Some(Form::Protobuf)),
            (&["Application/X-Protobuf"], Some(Form::Protobuf)),
            (&["application/protobuf, */*"], Some(Form::Protobuf)),
            (
                &["application/protobuf;q=0.5, application/json"],
                Some(Form::Json),
            ),
            (
                &["application/json;q=0.5", "application/protobuf"],
                Some(Form::Protobuf),
            ),
            (&["application/json; q=0, */*"], Some(Form::Protobuf)),
            (
                &["application/json, application/protobuf"],
                Some(Form::Json),
            ),
            (&["application/json;q=0"], None),
            (&["*/*;q=0"], None),
            (&["text/html"], None),
            (&["text/*"], None),
            (&["application/json;q=abc"], None),
            (&["*"], None),
            (&[""], None),
        ] {
            let wanted = Form::wanted(&headers(header::ACCEPT, accept), &BOTH);
            assert_eq!(wanted, right, "{accept:?}");
        }
    }

    #[test]
    fn a_tag_is_known_in_any_list_and_in_its_weak_form() {
        for (values, right) in [
            (&["\"a\""][..], true),
            (&["\"b\", \"a\""], true),
            (&["\"b\"", "W/\"a\""], true),
            (&["*"], true),
            (&["\"b\""], false),
            (&["a"], false),
            (&[], false),
        ] {
            let known = has(&headers(header::IF_NONE_MATCH, values), "\"a\"");
            assert_eq!(known, right, "{values:?}");
        }
    }
}
