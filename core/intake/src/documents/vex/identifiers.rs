//! Identifiers of one product: purls, and CPEs (NIST IR 7695) beside them. They hold together: what
//! clears it clears nothing that one of them does not name.

use super::Named;
use super::product::{contradicts, push_note};
use assay_claims::bom_link::decoded;
use assay_claims::kind::node::quoted;
use assay_claims::purl::Purl;
use assay_claims::vers::{self, Applies, QUALIFIER};
use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

/// How a CPE stands to a purl of the same product.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Beside {
    /// It names no less, as far as anybody can tell.
    Agrees,
    /// It names this version, and the purl names none.
    Only(String),
    /// It names this version, and the purl another one, or the CPE is of something else, such as
    /// the system that the package is for: which versions of the package are meant nobody can tell.
    Other(String),
}

/// What a CPE says of the version of what has this purl. What is no CPE says nothing.
pub(crate) fn beside(purl: &Purl, cpe: &str) -> Beside {
    let Some((product, version)) = read(cpe) else {
        return Beside::Agrees;
    };
    let (called, product) = (plain(purl.name()), plain(&product));
    let is_it = called.contains(&product) || product.contains(&called);
    if purl.version().is_some() {
        // Of something else it is another number.
        return if is_it && contradicts(purl, &version, false) {
            Beside::Other(version)
        } else {
            Beside::Agrees
        };
    }
    let range = purl.qualifier(QUALIFIER);
    let is_in =
        range.is_none_or(|range| vers::contains(range, purl.ty(), &version) == Applies::Yes);
    if is_it && is_in {
        Beside::Only(version)
    } else {
        Beside::Other(version)
    }
}

/// A name, whatever stands between its words.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.collect::<String>().to_ascii_lowercase()
}

/// The product and the version that a CPE names, 2.2 as a URI or 2.3; `None` if it names none. With
/// an update it is less than the version.
fn read(cpe: &str) -> Option<(String, String)> {
    let after = |prefix: &str| {
        let start = cpe.get(..prefix.len())?;
        cpe.get(prefix.len()..)
            .filter(|_| start.eq_ignore_ascii_case(prefix))
    };
    let fields: Vec<String> = match after("cpe:2.3:") {
        Some(rest) => fields(rest),
        None => after("cpe:/")?.split(':').map(decoded).collect(),
    };
    let named = |at: usize| {
        let field = fields.get(at).map(String::as_str);
        field.filter(|field| !["", "*", "-"].contains(field))
    };
    let (product, version) = (named(2)?, named(3)?);
    let version = match named(4) {
        Some(update) => format!("{version} {update}"),
        None => version.to_owned(),
    };
    // A wildcard for one character makes it no version, too.
    Some((product.to_owned(), version.replace('?', "*")))
}

/// The fields of a formatted string: a colon that is a part of one stands behind a backslash.
fn fields(text: &str) -> Vec<String> {
    let (mut fields, mut field, mut escaped) = (Vec::new(), String::new(), false);
    for c in text.chars() {
        match c {
            '\\' if !escaped => escaped = true,
            ':' if !escaped => fields.push(std::mem::take(&mut field)),
            c => {
                escaped = false;
                field.push(c);
            }
        }
    }
    fields.push(field);
    fields
}

/// The versions that these purls name, by the package.
fn versions(purls: &[Purl]) -> HashMap<Cow<'_, str>, BTreeSet<String>> {
    let mut versions: HashMap<_, BTreeSet<String>> = HashMap::new();
    for purl in purls {
        let known = versions.entry(purl.package_key()).or_default();
        known.extend(purl.version_key());
    }
    versions
}

impl Named {
    /// What is cleared of it: of a purl without a version the one that another purl or the CPE
    /// names. Where they name different ones it is neither, and people are told.
    pub fn by_all_identifiers(self, notes: &mut Vec<String>) -> Self {
        let versions = versions(&self.purls);
        let mut purls: Vec<Purl> = Vec::new();
        for purl in &self.purls {
            let stated = versions.get(&purl.package_key());
            let mut others = stated.into_iter().flatten();
            let own = purl.version_key();
            let other = others.find(|other| own.as_ref() != Some(other));
            if other.is_some() && own.is_none() {
                continue;
            }
            let said = match (other, self.cpe.as_deref()) {
                (Some(other), _) => Beside::Other(other.clone()),
                (None, Some(cpe)) => beside(purl, cpe),
                (None, None) => Beside::Agrees,
            };
            let one = Named {
                purls: vec![purl.clone()],
                ..Named::default()
            };
            let one = match said {
                Beside::Agrees => one,
                Beside::Only(version) => one.in_stated_version(&version, true),
                Beside::Other(version) => {
                    let note = format!(
                        "{} stands beside what names another version, or something else, {}: what \
                         clears it clears neither",
                        purl.as_str(),
                        quoted(&version)
                    );
                    push_note(notes, note);
                    let stated = format!("{} {version}", purl.version().unwrap_or_default());
                    one.in_range(stated.trim_start())
                }
            };
            purls.extend(one.purls);
        }
        Named { purls, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Purls of npm, CPEs, and what these say of the version.
    const CASES: &str = r"
        a cpe:2.3:a:e:a:2.0.0:*:*:*:*:*:*:* only 2.0.0
        a CPE:/a:e:a:2.0.0 only 2.0.0
        a-b cpe:2.3:a:e:a_b:1.0\-rc.1\:2:* only 1.0-rc.1:2
        a cpe:/a:e:a:1.0%2b1 only 1.0+1
        a cpe:2.3:a:e:a:1.0:beta:* only 1.0 beta
        a cpe:2.3:a:e:a:1.?:* only 1.*
        log-core cpe:2.3:a:e:log:1.0:* only 1.0
        a cpe:2.3:a:e:a:*:*:*:*:*:*:*:* agrees
        a cpe:2.3:a:e:a:-:* agrees
        a cpe:/a:e:a agrees
        a 2.0.0 agrees
        bash cpe:/o:redhat:enterprise_linux:9 other 9
        bash@5.1-2 cpe:/o:redhat:enterprise_linux:9 agrees
        a@2.0.0 cpe:2.3:a:e:a:2.0:* agrees
        a@2.0.0-beta cpe:2.3:a:e:a:2.0.0:beta:* agrees
        a@1.0.0 cpe:2.3:a:e:a:2.0.0:* other 2.0.0
        a?vers=vers:npm/<3.0.0 cpe:2.3:a:e:a:2.0.0:* only 2.0.0
        a?vers=vers:npm/<2.0.0 cpe:2.3:a:e:a:2.0.0:* other 2.0.0
        a?vers=1.x cpe:2.3:a:e:a:1.0.0:* other 1.0.0";

    #[test]
    fn a_cpe_names_a_version_or_none() {
        for case in CASES.trim().lines() {
            let mut parts = case.trim().splitn(3, ' ');
            let mut part = || parts.next().unwrap();
            let purl = Purl::canonicalize(&format!("pkg:npm/{}", part())).unwrap();
            let said = match beside(&purl, part()) {
                Beside::Agrees => "agrees".to_owned(),
                Beside::Only(version) => format!("only {version}"),
                Beside::Other(version) => format!("other {version}"),
            };
            assert_eq!(said, part(), "{case}");
        }
    }
}
