//! Identifiers of one product: purls, and CPEs (NIST IR 7695) beside them. They hold together: what
//! clears it clears nothing that one of them does not name.

use super::Named;
use super::product::{contradicts, push_note};
use assay_claims::bom_link::decoded;
use assay_claims::kind::node::quoted;
use assay_claims::purl::Purl;
use assay_claims::vers::{self, Applies, QUALIFIER};

/// Most purls of one product that are compared with each other.
const PURLS: usize = 32;

/// What stands for the versions of a product of whose identifiers nobody can tell what they have in
/// common: a range that is none.
const IDENTIFIERS: &str = "identifiers";

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

/// How closely a purl says which versions are meant: not at all, by a range, or by naming one.
fn closeness(purl: &Purl) -> u8 {
    match (purl.version(), purl.qualifier(QUALIFIER)) {
        (Some(_), _) => 2,
        (None, Some(_)) => 1,
        (None, None) => 0,
    }
}

/// The versions that a purl states, in the form that their spellings share.
fn versions(purl: &Purl) -> (Option<String>, Option<&str>) {
    (purl.version_key(), purl.qualifier(QUALIFIER))
}

/// What else a purl tells its package from others by.
fn told_by(purl: &Purl) -> impl Iterator<Item = &str> {
    let stated = purl.qualifiers().map(|(key, _)| key);
    // An epoch can stand in the version, too.
    let stated = stated.filter(|key| ![QUALIFIER, "epoch"].contains(key));
    let epoch = (purl.epoch() != "0").then_some("epoch");
    let part = purl.subpath().map(|_| "#");
    stated.chain(epoch).chain(part)
}

/// Each purl in the versions that another one of the same package says more closely; a range that
/// may not hold the other's version stays, and is in dispute with it.
fn carried_over(purls: &[Purl]) -> Vec<Purl> {
    let mut carried: Vec<Purl> = Vec::new();
    for purl in purls {
        let own = closeness(purl);
        let closer = purls.iter().filter(|one| closeness(one) > own);
        let closest = closer
            .filter(|one| one.is_same_package(purl))
            .max_by_key(|one| closeness(one));
        let range = purl.qualifier(QUALIFIER);
        let fitting = closest.filter(|one| {
            range.is_none_or(|range| vers::contains_that_of(range, one) == Applies::Yes)
        });
        let filled = fitting.and_then(|closest| {
            let (mut parts, theirs) = (purl.components(), closest.components());
            parts.version = theirs.version;
            parts.qualifiers.retain(|(key, _)| key != QUALIFIER);
            let carried = theirs.qualifiers.into_iter();
            let carried = carried.filter(|(key, _)| [QUALIFIER, "epoch"].contains(&&**key));
            for (key, value) in carried {
                if parts.qualifiers.iter().all(|(own, _)| *own != key) {
                    parts.qualifiers.push((key, value));
                }
            }
            Purl::build(parts).ok()
        });
        let purl = filled.unwrap_or_else(|| purl.clone());
        if !carried.contains(&purl) {
            carried.push(purl);
        }
    }
    carried
}

/// How a purl stands to the others of its product.
enum Among {
    /// It says no less than they do.
    Agrees,
    /// Another one of its package states other versions.
    Other(String),
    /// This one says more: of the same package by what else it is told, or, of another one, of
    /// which version it is.
    Less(Purl),
}

fn among(purl: &Purl, all: &[Purl]) -> Among {
    let siblings = all.iter().filter(|one| *one != purl);
    let (kin, others): (Vec<&Purl>, Vec<&Purl>) =
        siblings.partition(|one| one.is_same_package(purl));
    let own = versions(purl);
    let other = kin.iter().find(|one| {
        let epochs = [one.epoch(), purl.epoch()];
        versions(one) != own || epochs[0] != epochs[1] && !epochs.contains(&"0")
    });
    if let Some(other) = other {
        let stated = other.version().or(other.qualifier(QUALIFIER));
        return Among::Other(stated.unwrap_or_default().to_owned());
    }
    let more = kin.iter().find(|one| {
        let mut theirs = told_by(one);
        theirs.any(|key| told_by(purl).all(|own| own != key))
    });
    let mut closer = others.iter().filter(|one| closeness(one) > closeness(purl));
    match more.or_else(|| closer.next()) {
        Some(more) => Among::Less((*more).clone()),
        None => Among::Agrees,
    }
}

impl Named {
    /// What is cleared of it: what all its identifiers name. The version that one purl or the CPE
    /// has is that of others of the same package, too; where they name different ones it is
    /// neither, and by a purl that says less than another one nothing is cleared. People are told.
    pub fn by_all_identifiers(self, notes: &mut Vec<String>) -> Self {
        if self.purls.len() > PURLS {
            push_note(
                notes,
                format!("what has more than {PURLS} purls is not cleared by them"),
            );
            return self.undecided();
        }
        let all = match self.purls.as_slice() {
            [] | [_] => self.purls.clone(),
            several => carried_over(several),
        };
        let mut purls: Vec<Purl> = Vec::new();
        for purl in &all {
            let said = match (among(purl, &all), self.cpe.as_deref()) {
                (Among::Less(more), _) => {
                    let note = format!(
                        "{} says less than what stands beside it, {}: what clears it clears \
                         nothing under the former",
                        purl.as_str(),
                        more.as_str()
                    );
                    push_note(notes, note);
                    continue;
                }
                (Among::Other(other), _) => Beside::Other(other),
                (Among::Agrees, Some(cpe)) => beside(purl, cpe),
                (Among::Agrees, None) => Beside::Agrees,
            };
            for one in in_common(purl, said, notes).purls {
                if !purls.contains(&one) {
                    purls.push(one);
                }
            }
        }
        if purls.is_empty() && !self.purls.is_empty() {
            return self.undecided();
        }
        Named { purls, ..self }
    }

    /// What its digests alone tell.
    fn undecided(&self) -> Self {
        Named {
            digests: self.digests.clone(),
            ..self.in_range(IDENTIFIERS)
        }
    }
}

/// What is cleared by a purl beside which this is said.
fn in_common(purl: &Purl, said: Beside, notes: &mut Vec<String>) -> Named {
    let one = Named {
        purls: vec![purl.clone()],
        ..Named::default()
    };
    match said {
        Beside::Agrees => one,
        Beside::Only(version) => one.in_stated_version(&version, true),
        Beside::Other(version) => {
            let note = format!(
                "{} stands beside what names another version, or something else, {}: what clears \
                 it clears neither",
                purl.as_str(),
                quoted(&version)
            );
            push_note(notes, note);
            match purl.version() {
                Some(own) => one.in_range(&format!("{own} {version}")),
                // A range of another purl would clear what that has.
                None if version.starts_with("vers:") => one.in_range(IDENTIFIERS),
                None => one.in_range(&version),
            }
        }
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
