//! The packages that a record is of.

use super::super::super::ecosystem;
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use assay_claims::purl::{Components, Purl, place};
use std::borrow::Cow;

/// What stands for the ecosystem of what is no package, but sources in a repository.
const GIT: &str = "GIT";

/// Most repositories of one that is affected: each is so in all versions.
const REPOSITORIES: usize = 8;

/// Hosts of repositories that have a purl type. The last one's have paths of any length.
const HOSTS: [(&str, &str); 3] = [
    ("github.com", "github"),
    ("bitbucket.org", "bitbucket"),
    ("gitlab.com", "gitlab"),
];

/// The purls of what is affected: the one that is stated, and where that is none, or one of another
/// package, the one that ecosystem and name make. What is no package is in repositories.
pub(super) fn purls(
    affected: &Node<'_, '_>,
    notes: &mut Vec<String>,
) -> Result<Vec<Purl>, PredicateError> {
    let Some(package) = affected.get("package") else {
        return of_commits(affected, notes);
    };
    let (system, name) = (
        package.need("ecosystem")?.text()?,
        package.need("name")?.text()?,
    );
    if system == GIT {
        return of_commits(affected, notes);
    }
    let stated = package.get("purl").map(|purl| purl.string()).transpose()?;
    let stated = stated.filter(|purl| !purl.is_empty()).map(|purl| {
        let purl = Purl::canonicalize(&with_qualifiers(purl)).map_err(|e| e.to_string())?;
        Ok(ecosystem::of_release(purl.without_case(), system))
    });
    let named = ecosystem::purl_or_why(system, name, None);
    Ok(match (stated, named) {
        (Some(Ok(stated)), Ok(named)) if !are_same(&named, &stated) => vec![named, stated],
        (Some(Ok(purl)), _) | (_, Ok(purl)) => vec![purl],
        (Some(Err(why)), _) | (None, Err(why)) => {
            notes.push(ecosystem::without_purl(system, name, &why));
            Vec::new()
        }
    })
}

/// Whether both are of the same: an action is of its repository, which is more than that.
fn are_same(one: &Purl, other: &Purl) -> bool {
    one.is_same_package(other) && other.is_same_package(one)
}

/// A purl whose qualifiers begin with `&`, as SUSE and openEuler write theirs, with the `?` that
/// it takes.
fn with_qualifiers(purl: &str) -> Cow<'_, str> {
    if purl.contains('?') {
        return purl.into();
    }
    purl.replacen('&', "?", 1).into()
}

/// The purls of the repositories in whose commits something is affected: versions that are listed
/// beside them are their tags.
fn of_commits(
    affected: &Node<'_, '_>,
    notes: &mut Vec<String>,
) -> Result<Vec<Purl>, PredicateError> {
    let mut purls = Vec::new();
    if let Some(ranges) = affected.get("ranges") {
        for range in ranges.items()? {
            let purl = range.optional_text("repo")?.and_then(repository);
            purls.extend(purl.filter(|purl| !purls.contains(purl)));
            if purls.len() > REPOSITORIES {
                return Err(ranges.fault(format!("names more than {REPOSITORIES} repositories")));
            }
        }
    }
    if purls.is_empty() {
        notes.push("what is affected by its commits is left out".to_owned());
    }
    Ok(purls)
}

/// The purl of a repository at an address.
fn repository(address: &str) -> Option<Purl> {
    let (host, path) = place(address)?;
    let mut hosts = HOSTS.into_iter();
    let (_, ty) = hosts.find(|(known, _)| *known == host)?;
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let (namespace, name) = path.rsplit_once('/')?;
    if namespace.contains('/') && ty != "gitlab" {
        return None;
    }
    let purl = Purl::build(Components {
        ty: ty.to_owned(),
        namespace: Some(namespace.to_owned()),
        name: name.to_owned(),
        ..Components::default()
    });
    purl.ok()
}

/// Whether the versions of a record can be told from others by their order. Those of a stream
/// beside a release cannot: by it what is mended in the release is below what the stream has.
pub(super) fn has_order(affected: &Node<'_, '_>) -> bool {
    let system = affected.value().pointer("/package/ecosystem");
    let system = system.and_then(|system| system.as_str());
    !system.is_some_and(ecosystem::is_beside_release)
}
