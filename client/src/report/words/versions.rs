//! What is said of a package's versions, for those who asked about the package as a whole.

use super::Reader;
use crate::one_word;
use crate::report::Versions;

/// Most versions that a sentence names.
const NAMED: usize = 5;

/// How much is said of a package's versions, and how to ask for it, in sentences.
pub(super) fn versions(versions: &Versions, reader: Reader) -> String {
    let named: Vec<_> = versions
        .of
        .iter()
        .take(NAMED)
        .map(|version| one_word(&version.version))
        .collect();
    let more = match versions.of.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    let (claims, them) = match versions.claims {
        1 => ("1 claim is".to_owned(), "it"),
        n => (format!("{n} claims are"), "them"),
    };
    let ask = versions
        .of
        .first()
        .map(|newest| newest.purl.as_str())
        .unwrap_or_default();
    let ask = if reader != Reader::Owner {
        String::new()
    } else if versions.of.len() == 1 {
        format!(" `assay lookup {ask}` shows {them}.")
    } else {
        format!(" Ask for one, such as `assay lookup {ask}`.")
    };
    format!(
        "{claims} about {} of its versions, and not shown here: {}{more}.{ask}",
        versions.of.len(),
        named.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::Version;

    #[test]
    fn versions_are_counted_and_named() {
        let version = |n: usize| Version {
            version: format!("1.{n}"),
            purl: format!("pkg:cargo/a@1.{n}"),
            claims: 1,
            weighed: None,
        };
        let words = |claims, versions| {
            let versions = Versions {
                claims,
                of: (0..versions).map(version).collect(),
                unweighed: 0,
            };
            super::versions(&versions, Reader::Owner)
        };
        assert_eq!(
            words(1, 1),
            "1 claim is about 1 of its versions, and not shown here: 1.0. `assay lookup \
             pkg:cargo/a@1.0` shows it."
        );
        assert_eq!(
            words(9, 7),
            "9 claims are about 7 of its versions, and not shown here: 1.0, 1.1, 1.2, 1.3, 1.4 \
             and 2 more. Ask for one, such as `assay lookup pkg:cargo/a@1.0`."
        );
    }
}
