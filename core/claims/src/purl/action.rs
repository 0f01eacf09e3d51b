//! Actions of GitHub's, which tools name in several ways: an action is its repository, or lies in a
//! folder of it, whose path some tools take for the end of the name, as workflows do
//! (`github/codeql-action/init`).

use super::Purl;

/// The types that name repositories of GitHub.
const TYPES: [&str; 2] = ["github", "githubactions"];

/// Whether it names an action, or may.
pub(super) fn is_one(purl: &Purl) -> bool {
    TYPES.contains(&purl.ty())
}

/// Owner and repository, and the rest of the name, if it goes on.
fn repository(purl: &Purl) -> Option<(&str, &str, Option<String>)> {
    let namespace = purl.namespace().filter(|_| is_one(purl))?;
    Some(match namespace.split_once('/') {
        None => (namespace, purl.name(), None),
        Some((owner, rest)) => {
            let (repository, folder) = rest.split_once('/').unwrap_or((rest, ""));
            let slash = if folder.is_empty() { "" } else { "/" };
            let path = format!("{folder}{slash}{}", purl.name());
            (owner, repository, Some(path))
        }
    })
}

/// Whether an action is the one that is named, or is in the repository that is. Some tools have its
/// folder as the subpath.
pub(super) fn is_of(ours: &Purl, named: &Purl) -> bool {
    match (repository(ours), repository(named)) {
        (Some((owner, name, path)), Some(named)) => {
            let path = path.as_deref().or(ours.subpath());
            let is_in = named.2.is_none() || named.2.as_deref() == path;
            (owner, name) == (named.0, named.1) && is_in
        }
        _ => false,
    }
}

/// The package under its other names, as the index has them: those of the other type, and of the
/// repository that it is in.
pub(super) fn other_packages(purl: &Purl) -> Vec<String> {
    let own = purl.package_key();
    let mut parts = purl.components();
    parts.qualifiers.clear();
    parts.subpath = None;
    let mut all = vec![parts.clone()];
    match (repository(purl), purl.subpath()) {
        (Some((owner, name, Some(_))), _) => {
            (parts.namespace, parts.name) = (Some(owner.to_owned()), name.to_owned());
            all.push(parts);
        }
        (Some((owner, name, None)), Some(folder)) => {
            let (above, own) = folder.rsplit_once('/').unwrap_or(("", folder));
            let slash = if above.is_empty() { "" } else { "/" };
            parts.namespace = Some(format!("{owner}/{name}{slash}{above}"));
            parts.name = own.to_owned();
            all.push(parts);
        }
        _ => {}
    }
    let named = all.into_iter().flat_map(|parts| {
        TYPES.map(|ty| {
            let mut parts = parts.clone();
            parts.ty = ty.to_owned();
            let named = Purl::build(parts).ok();
            named.map(|purl| purl.package_key().into_owned())
        })
    });
    named.flatten().filter(|name| *name != own).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn purl(text: &str) -> Purl {
        Purl::canonicalize(text).unwrap()
    }

    #[test]
    fn an_action_in_a_folder_is_of_its_repository() {
        let repository = purl("pkg:githubactions/Own/act");
        for (action, is_same) in [
            ("pkg:githubactions/own/act@v1.2.3", true),
            ("pkg:githubactions/own/act/init@v1.2.3", true),
            ("pkg:githubactions/own/act/a/b@1.2.3", true),
            ("pkg:github/own/act/init@v1.2.3", true),
            ("pkg:github/own/act@v1.2.3#init", true),
            ("pkg:githubactions/own/act-init@v1.2.3", false),
            ("pkg:githubactions/own/init@v1.2.3", false),
            ("pkg:githubactions/other/act/init@v1.2.3", false),
            ("pkg:npm/own/act", false),
        ] {
            let action = purl(action);
            assert_eq!(repository.is_same_package(&action), is_same, "{action}");
            let key = repository.package_key().into_owned();
            let asked = action.package_key() == key || action.other_packages().contains(&key);
            assert_eq!(asked, is_same, "{action}");
        }
    }

    /// What is said of one action of a repository is not said of the others, nor of all.
    #[test]
    fn a_repository_is_not_one_of_its_actions() {
        let init = purl("pkg:githubactions/own/act/init");
        for (action, is_same) in [
            ("pkg:github/own/act/init@v1.2.3", true),
            ("pkg:github/own/act@v1.2.3#init", true),
            ("pkg:github/own/act@v1.2.3#analyze", false),
            ("pkg:githubactions/own/act/analyze@v1.2.3", false),
            ("pkg:githubactions/own/act@v1.2.3", false),
            ("pkg:githubactions/own/act/init/deep@v1.2.3", false),
        ] {
            let action = purl(action);
            assert_eq!(init.is_same_package(&action), is_same, "{action}");
            let key = init.package_key().into_owned();
            let asked = action.other_packages().contains(&key);
            assert!(asked || !is_same, "{action}");
        }
        let bare = purl("pkg:githubactions/act");
        assert!(bare.is_same_package(&bare) && bare.other_packages() == ["pkg:github/act"; 0]);
        let names = init.other_packages();
        let expected = [
            "pkg:github/own/act/init",
            "pkg:github/own/act",
            "pkg:githubactions/own/act",
        ];
        assert_eq!(names, expected);
    }
}
