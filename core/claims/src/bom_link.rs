//! BOM-Links: how a document points at a CycloneDX BOM, or at something in one (CycloneDX,
//! "BOM-Link"; ECMA-424).
//!
//! ```text
//! urn:cdx:serial/version             the BOM
//! urn:cdx:serial/version#element     what the BOM calls so (`bom-ref`), percent-encoded
//! ```
//!
//! A link names one version of one BOM: whoever has another version, or a BOM without a serial
//! number, is not spoken of.

use crate::statement::Subject;
use assay_tlog::Hash;
use std::fmt;

/// What every link begins with.
pub const SCHEME: &str = "urn:cdx:";

/// What serial numbers of BOMs begin with.
const SERIAL: &str = "urn:uuid:";

/// The lengths of the groups of a UUID (RFC 9562, section 4).
const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];

/// A link to a BOM, or to something in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BomLink {
    bom: String,
    element: Option<String>,
}

impl BomLink {
    /// Reads a link, in any spelling. `None` if it is none, or says of what version it is in no
    /// number from 1.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix(SCHEME)?;
        let (bom, element) = match rest.split_once('#') {
            Some((bom, element)) => (bom, Some(decoded(element))),
            None => (rest, None),
        };
        let (uuid, version) = bom.split_once('/')?;
        if element.as_deref() == Some("") || !version.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        Some(BomLink {
            element,
            ..Self::of(uuid, version.parse().ok()?)?
        })
    }

    /// The link to the BOM of this serial number (`urn:uuid:…`), in this version. `None` if the
    /// serial number is none, or the version is 0.
    pub fn to_bom(serial: &str, version: u64) -> Option<Self> {
        Self::of(serial.strip_prefix(SERIAL)?, version)
    }

    fn of(uuid: &str, version: u64) -> Option<Self> {
        let is_uuid = uuid.split('-').map(str::len).eq(GROUPS)
            && uuid.bytes().all(|b| b == b'-' || b.is_ascii_hexdigit());
        (is_uuid && version > 0).then(|| BomLink {
            bom: format!("{SCHEME}{}/{version}", uuid.to_ascii_lowercase()),
            element: None,
        })
    }

    /// The link to what the BOM calls so.
    pub fn at(&self, element: &str) -> Self {
        BomLink {
            bom: self.bom.clone(),
            element: Some(element.to_owned()),
        }
    }

    /// The link to the BOM itself.
    pub fn to_whole(&self) -> Self {
        BomLink {
            bom: self.bom.clone(),
            element: None,
        }
    }

    /// The BOM, by its link in lower case.
    pub fn bom(&self) -> &str {
        &self.bom
    }

    /// What it points at in the BOM, as the BOM calls it; `None` if it is the BOM itself.
    pub fn element(&self) -> Option<&str> {
        self.element.as_deref()
    }

    /// SHA-256 of the link to the BOM. By it a claim about what is in the BOM is found, as an
    /// artifact is: there is no purl of a BOM (docs/design.md 3.3).
    pub fn digest(&self) -> Hash {
        Hash::of(self.bom.as_bytes())
    }

    /// The BOM as the subject of a claim.
    pub fn subject(&self) -> Subject {
        let digests = vec![("sha256".to_owned(), self.digest().to_hex())];
        Subject::of_parts(None, Some(self.bom.clone()), digests)
    }
}

impl fmt::Display for BomLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.bom)?;
        for (at, byte) in self
            .element
            .iter()
            .flat_map(|name| name.bytes())
            .enumerate()
        {
            if at == 0 {
                f.write_str("#")?;
            }
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                write!(f, "{}", char::from(byte))?;
            } else {
                write!(f, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// What stands behind the `#` of a link, decoded: percent-encoding undone where it is whole; what
/// is not is as it stands.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        let byte = hex.and_then(|hex| u8::from_str_radix(hex, 16).ok());
        match byte.filter(|_| *first == b'%') {
            Some(byte) => {
                bytes.push(byte);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "3e671687-395b-41f5-a30f-a58921a69b79";

    #[test]
    fn a_link_has_a_serial_number_and_a_version() {
        let bom = format!("urn:cdx:{UUID}/3");
        for (link, element) in [
            (bom.clone(), None),
            (bom.to_uppercase().replace("URN:CDX", "urn:cdx"), None),
            (format!("urn:cdx:{UUID}/03"), None),
            (format!("{bom}#x"), Some("x")),
            (format!("{bom}#pkg%3Anpm/y@1%20#"), Some("pkg:npm/y@1 #")),
            (format!("{bom}#100%"), Some("100%")),
        ] {
            let read = BomLink::parse(&link).unwrap();
            assert_eq!(
                (read.bom(), read.element()),
                (bom.as_str(), element),
                "{link}"
            );
            assert_eq!(BomLink::parse(&read.to_string()), Some(read), "{link}");
        }
        for none in [
            format!("urn:cdx:{UUID}"),
            format!("urn:cdx:{UUID}#x"),
            format!("urn:cdx:{UUID}/0"),
            format!("urn:cdx:{UUID}/+3"),
            format!("urn:cdx:{UUID}/1.0"),
            format!("{bom}#"),
            format!("urn:uuid:{UUID}/3"),
            format!("urn:cdx:{}/3", &UUID[1..]),
            format!("urn:cdx:{}/3", UUID.replace("3e", "3g")),
            format!("urn:cdx:{}/3", UUID.replacen('-', "", 1)),
        ] {
            assert_eq!(BomLink::parse(&none), None, "{none}");
        }
    }

    #[test]
    fn a_bom_without_a_number_has_no_link() {
        let serial = format!("urn:uuid:{UUID}");
        let link = BomLink::to_bom(&serial, 3);
        assert_eq!(link, BomLink::parse(&format!("urn:cdx:{UUID}/3")));
        assert_eq!(BomLink::to_bom(&serial, 0), None);
        assert_eq!(BomLink::to_bom(UUID, 3), None);
        assert_eq!(BomLink::to_bom("urn:uuid:", 3), None);
    }

    /// Whoever has the BOM finds what is said of anything in it.
    #[test]
    fn a_subject_is_the_bom() {
        let bom = format!("urn:cdx:{UUID}/3");
        let subject = BomLink::parse(&format!("{bom}#x")).unwrap().subject();
        assert_eq!(subject.uri(), Some(bom.as_str()));
        let digest = Hash::of(bom.as_bytes()).to_hex();
        assert_eq!(subject.digest("sha256"), Some(digest.as_str()));
        assert_eq!(subject.purl(), None);
    }
}
