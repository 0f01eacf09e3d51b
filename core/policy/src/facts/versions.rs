//! Which versions are spoken of, seen from what is asked about.

use super::relation::Relation;
use assay_claims::purl::Purl;
use assay_claims::vers::{self, Applies};

/// How the versions that are spoken of stand to ours, if it is one of them: one version, or those
/// of the range that a purl without a version states (purl-spec, "Known qualifiers"), or all. What
/// is said of a public version is so of what somebody made of it, unless it clears: what was mended
/// or left out there is not known to be so here.
pub(super) fn in_versions(ours: &Purl, theirs: &Purl) -> Option<Relation> {
    if theirs.version().is_some() {
        return if theirs.is_same_version(ours) {
            Some(untold_range(theirs))
        } else {
            let public = ours.public()?;
            theirs
                .is_same_version(&public)
                .then_some(Relation::OtherBuild)
        };
    }
    if !theirs.is_same_package(ours) {
        return None;
    }
    let Some(range) = theirs.qualifier(vers::QUALIFIER) else {
        return Some(Relation::This);
    };
    match vers::contains_that_of(range, ours) {
        // The order of Go's versions does not see what somebody changed.
        Applies::Yes if ours.ty() == "golang" && ours.public().is_some() => {
            Some(Relation::OtherBuild)
        }
        Applies::Yes => Some(Relation::This),
        Applies::No => None,
        Applies::Undecided => {
            let public = ours.public();
            let of_public = public.map(|public| vers::contains_that_of(range, &public));
            Some(match of_public {
                Some(Applies::Yes) => Relation::OtherBuild,
                _ => Relation::OtherVersions,
            })
        }
    }
}

/// How what is spoken of stands to a source package of which nobody says the epoch, where it is of
/// a range: the epochs that the range names are as likely as the one that a binary package has. If
/// it is about the package in one of them, and not in all, it counts against it and clears nothing.
pub(super) fn in_any_epoch(
    ours: &Purl,
    theirs: &Purl,
    relation: Option<Relation>,
    relate: impl Fn(&Purl, &Purl) -> Option<Relation>,
) -> Option<Relation> {
    let range = theirs.qualifier(vers::QUALIFIER);
    let Some(range) = range.filter(|_| theirs.is_same_package(ours)) else {
        return relation;
    };
    let epochs = vers::epochs(range);
    let are_all = epochs.len() <= vers::EPOCHS;
    let epochs = epochs.into_iter().take(vers::EPOCHS);
    let others = epochs.filter_map(|epoch| ours.with_epoch(&epoch));
    let all: Vec<_> = others.map(|ours| relate(&ours, theirs)).collect();
    let all = all.into_iter().chain([relation]);
    let is_told = are_all && all.clone().all(|one| one.is_some());
    let furthest = all.flatten().max()?;
    Some(if is_told {
        furthest
    } else {
        furthest.max(Relation::OtherBuild)
    })
}

/// One version and a range beside it cannot both be meant.
fn untold_range(theirs: &Purl) -> Relation {
    match theirs.qualifier(vers::QUALIFIER) {
        Some(_) => Relation::OtherVersions,
        None => Relation::This,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_version_a_package_is_all_versions_of_its_own() {
        let purl = |text: &str| Purl::canonicalize(text).unwrap();
        let of = |theirs: &str| in_versions(&purl("pkg:cargo/a@1.0.0"), &purl(theirs));
        assert_eq!(of("pkg:cargo/a"), Some(Relation::This));
        assert_eq!(
            of("pkg:cargo/a?vers=vers:cargo/1.0.0"),
            Some(Relation::This)
        );
        assert_eq!(of("pkg:cargo/a?vers=vers:cargo/2.0.0"), None);
        assert_eq!(of("pkg:cargo/b"), None);
        assert_eq!(of("pkg:cargo/b?vers=vers:cargo/1.0.0"), None);
    }
}
