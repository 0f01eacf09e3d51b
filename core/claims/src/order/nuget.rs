//! Versions of NuGet packages, as `NuGetVersion` has them: up to four numbers and a label. Case and
//! metadata mean nothing.

use super::{Number, are_digits};

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Version {
    numbers: [Number; 4],
    label: Label,
}

/// A release is above all that leads to it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Label {
    Before(Vec<Part>),
    Release,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(Number),
    Word(String),
}

impl Part {
    fn of(text: &str) -> Self {
        if are_digits(text) {
            Part::Number(Number::of(text))
        } else {
            Part::Word(text.to_ascii_lowercase())
        }
    }
}

/// A version that NuGet reads; a `v` in front means nothing.
pub(crate) fn read(text: &str) -> Option<Version> {
    let text = text.strip_prefix(['v', 'V']).unwrap_or(text);
    let (text, metadata) = text.split_once('+').unwrap_or((text, "0"));
    let (numbers, label) = match text.split_once('-') {
        Some((numbers, label)) => (numbers, Some(label)),
        None => (text, None),
    };
    let is_word =
        |one: &str| !one.is_empty() && one.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !metadata.split('.').all(is_word) {
        return None;
    }
    let mut version = [(); 4].map(|()| Number::of(""));
    for (i, number) in numbers.split('.').enumerate() {
        if !are_digits(number) {
            return None;
        }
        *version.get_mut(i)? = Number::of(number);
    }
    let label = match label {
        None => Label::Release,
        Some(label) if label.split('.').all(is_word) => {
            Label::Before(label.split('.').map(Part::of).collect())
        }
        Some(_) => return None,
    };
    Some(Version {
        numbers: version,
        label,
    })
}
