//! The folded name of a package: one for all spellings that its registry takes for one package.

use std::borrow::Cow;

/// Folds the name of a package of PyPI or NuGet, as the index does (docs/index.md, section 3.2);
/// others are as they are written. `package` is a purl without version, qualifiers and subpath, or
/// the beginning of one.
pub(crate) fn fold(package: &str) -> Cow<'_, str> {
    let runs = package.starts_with("pkg:pypi/");
    if !runs && !package.starts_with("pkg:nuget/") {
        return Cow::Borrowed(package);
    }
    let name = package.rfind('/').map_or(0, |slash| slash + 1);
    let mut folded = package[..name].to_owned();
    let mut rest = &package[name..];
    while let Some(first) = rest.chars().next() {
        let is_escape = first == '%' && rest.len() >= 3;
        let separators = rest.len() - rest.trim_start_matches(['-', '_', '.']).len();
        if is_escape {
            folded.push_str(&rest[..3]);
            rest = &rest[3..];
        } else if runs && separators > 0 {
            folded.push('-');
            rest = &rest[separators..];
        } else {
            folded.push(first.to_ascii_lowercase());
            rest = &rest[1..];
        }
    }
    Cow::Owned(folded)
}
