//! Where a package comes from, and how its purl says so: `repository_url` for a registry other than
//! the type's own, `vcs_url` for a repository of sources, `download_url` for an archive (purl-spec,
//! "Known qualifiers").

use super::digest::{self, Digests};
use assay_claims::purl;

/// The parts of a purl without namespace.
pub(super) fn package(ty: &str, name: &str, version: Option<&str>) -> purl::Components {
    purl::Components {
        ty: ty.into(),
        name: name.into(),
        version: version.map(str::to_owned),
        ..purl::Components::default()
    }
}

/// The parts of a purl whose namespace is what stands before the last `/` of `path`.
pub(super) fn spaced(ty: &str, path: &str, version: Option<&str>) -> purl::Components {
    let (namespace, name) = path
        .rsplit_once('/')
        .map_or((None, path), |(left, right)| (Some(left.to_owned()), right));
    purl::Components {
        namespace,
        ..package(ty, name, version)
    }
}

/// The parts of a purl of `GROUP:NAME` in a version.
pub(super) fn maven(coordinates: &str, version: &str) -> Option<purl::Components> {
    let (group, name) = coordinates.split_once(':')?;
    let whole = ![group, name, version]
        .iter()
        .any(|part| part.is_empty() || part.contains(':'));
    let mut parts = package("maven", name, Some(version));
    parts.namespace = Some(group.to_owned());
    whole.then_some(parts)
}

/// Kinds of artifacts of Maven that are archives of Java's without another word: what a purl
/// without `type` is.
const JARS: [&str; 9] = [
    "",
    "bundle",
    "ejb",
    "ejb-client",
    "jar",
    "java-source",
    "javadoc",
    "maven-plugin",
    "test-jar",
];

/// The scope of what Maven takes from a file on the machine, and asks no repository for.
pub(super) const SYSTEM: &str = "system";

pub(super) const LOCAL: &str =
    "from local files, so that what is known of Maven Central's artifact need not hold";

/// Adds what tells an artifact of Maven from others of one version (purl-spec, "maven").
pub(super) fn qualify_maven(parts: &mut purl::Components, kind: &str, classifier: Option<&str>) {
    // Maven's default artifact handlers give these their classifiers.
    let implied = match kind {
        "test-jar" => Some("tests"),
        "ejb-client" => Some("client"),
        "java-source" => Some("sources"),
        "javadoc" => Some("javadoc"),
        _ => None,
    };
    let stated = classifier.filter(|classifier| !classifier.is_empty());
    if let Some(classifier) = stated.or(implied) {
        parts
            .qualifiers
            .push(("classifier".into(), classifier.to_owned()));
    }
    if !JARS.contains(&kind) {
        parts.qualifiers.push(("type".into(), kind.to_owned()));
    }
}

/// Adds a qualifier with an address. Its user name and password stay where they are: a purl is
/// shown and sent around.
pub(super) fn qualify(parts: &mut purl::Components, key: &str, address: &str) {
    parts
        .qualifiers
        .push((key.into(), without_secrets(address)));
}

/// Says that a package is a file that lies beside the project. The name of the file is enough: the
/// folders before it name people and machines.
pub(super) fn qualify_local(parts: &mut purl::Components, path: &str) {
    let file = without_query(path)
        .rsplit(['/', '\\', ':'])
        .next()
        .unwrap_or_default();
    parts
        .qualifiers
        .push(("download_url".into(), format!("file:{file}")));
}

/// The address or path without query and fragment.
pub(super) fn without_query(address: &str) -> &str {
    address.split(['?', '#']).next().unwrap_or_default()
}

/// Whether a path is one of the folder that the file itself lies in.
pub(super) fn is_here(path: &str) -> bool {
    ["", ".", "./"].contains(&path)
}

/// Source code at a revision.
pub(super) struct Repository<'a> {
    /// The address, without `git+` in front.
    pub(super) address: &'a str,
    pub(super) revision: Option<&'a str>,
}

impl<'a> Repository<'a> {
    /// Reads `git+ADDRESS[?…][#REVISION]`, as cargo and npm write it.
    pub(super) fn read(text: &'a str) -> Self {
        let text = text.strip_prefix("git+").unwrap_or(text);
        let (text, revision) = text
            .split_once('#')
            .map_or((text, None), |(left, right)| (left, Some(right)));
        let address = text.split_once('?').map_or(text, |(left, _)| left);
        Repository {
            address,
            revision: revision.filter(|revision| !revision.is_empty()),
        }
    }

    /// Reads `git+ADDRESS[@REVISION][#…]`, as pip writes it: the revision stands behind the path,
    /// as an `@` before that is of a user.
    pub(super) fn read_pip(text: &'a str) -> Self {
        let text = text.strip_prefix("git+").unwrap_or(text);
        let text = text.split('#').next().unwrap_or_default();
        let host = text.find("://").map_or(0, |at| at + "://".len());
        let rest = text.get(host..).unwrap_or_default();
        let path = host + rest.find('/').unwrap_or(rest.len());
        match text.rsplit_once('@') {
            Some((address, revision)) if address.len() > path => Repository {
                address,
                revision: Some(revision),
            },
            _ => Repository {
                address: text,
                revision: None,
            },
        }
    }

    /// Adds `vcs_url=git+ADDRESS@REVISION`, in the syntax of SPDX download locations that purl-spec
    /// demands.
    pub(super) fn qualify(&self, parts: &mut purl::Components) {
        let address = without_secrets(self.address);
        let url = match self.revision {
            Some(revision) => format!("git+{address}@{revision}"),
            None => format!("git+{address}"),
        };
        parts.qualifiers.push(("vcs_url".into(), url));
    }

    /// The commit, if the revision is one.
    pub(super) fn commit(&self) -> Digests {
        self.revision.and_then(digest::commit).into_iter().collect()
    }
}

/// The address without user name, password, query and fragment. The user of an SSH address without
/// password stays: it is part of how the place is called (`git@`).
pub(super) fn without_secrets(address: &str) -> String {
    let address = without_query(address);
    let Some((scheme, rest)) = address.split_once("://") else {
        return address.to_owned();
    };
    let (authority, path) = rest.split_once('/').map_or((rest, ""), |(authority, _)| {
        (authority, rest.get(authority.len()..).unwrap_or_default())
    });
    let host = match authority.rsplit_once('@') {
        Some((user, host)) if user.contains(':') || !scheme.ends_with("ssh") => host,
        _ => authority,
    };
    format!("{scheme}://{host}{path}")
}

/// Whether an address is one of the web, whatever its case.
pub(super) fn is_web(address: &str) -> bool {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme);
    scheme.is_some_and(|scheme| {
        ["http", "https"]
            .iter()
            .any(|it| scheme.eq_ignore_ascii_case(it))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_stay_behind() {
        for (address, said) in [
            (
                "https://user:secret@host/a/b?token=secret#x",
                "https://host/a/b",
            ),
            ("https://secret@host", "https://host"),
            ("ssh://git@host/a@b", "ssh://git@host/a@b"),
            ("ssh://git:secret@host/a", "ssh://host/a"),
            ("git@host:a/b", "git@host:a/b"),
        ] {
            assert_eq!(without_secrets(address), said);
        }
    }

    #[test]
    fn a_repository_is_named_as_purl_spec_has_it() {
        let mut parts = package("cargo", "a", Some("1.0.0"));
        let commit = "1dd263a72309b97be19a71e87f0062eea22dc321";
        let text = format!("git+https://t:s@host/a.git?branch=b#{commit}");
        let repository = Repository::read(&text);
        repository.qualify(&mut parts);
        let purl = purl::Purl::build(parts).unwrap();
        assert_eq!(
            purl.as_str(),
            format!("pkg:cargo/a@1.0.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fa.git%40{commit}")
        );
        assert_eq!(
            repository.commit(),
            [("gitCommit".to_owned(), commit.to_owned())]
        );
        assert!(Repository::read("git+https://host/a#").revision.is_none());
    }
}
