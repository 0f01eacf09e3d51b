//! What SBOMs call a thing, beside its package URL.

use assay_claims::purl::Purl;
use std::borrow::Cow;

/// The name of an element: the one that is stated, else that in its package URL. `None` if neither
/// says one.
pub(super) fn name<'a>(stated: Option<&'a str>, purl: Option<&'a str>) -> Option<Cow<'a, str>> {
    if let Some(stated) = stated.filter(|stated| !stated.is_empty()) {
        return Some(Cow::Borrowed(stated));
    }
    let purl = purl.filter(|purl| !purl.is_empty())?;
    Some(match Purl::canonicalize(purl) {
        Ok(purl) => Cow::Owned(purl.name().to_owned()),
        // Why it is none is told with it.
        Err(_) => Cow::Borrowed(purl),
    })
}
