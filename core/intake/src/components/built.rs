//! Packages that are built from sources, which no registry has in that form.

use super::component::Component;
use super::fault::Fault;
use super::list::List;
use super::origin::{self, Repository};
use super::pinned::unpinned;
use assay_claims::kind::node::quoted;
use assay_claims::purl;

impl List {
    /// Adds a package in whose place a folder of the project is built: something may be said of it
    /// by its name.
    pub(super) fn by_folder(
        &mut self,
        ty: &'static str,
        (name, version): (&str, &str),
        line: Option<u32>,
    ) -> Result<(), Fault> {
        let shown = format!("{name} {version}");
        self.remark("a folder stands in for it", line, &shown);
        let component = Component {
            name: name.into(),
            version: Some(version.into()),
            line,
            own: true,
            by_path: true,
            ..Component::default()
        };
        self.package(component, origin::spaced(ty, name, Some(version)))
    }

    /// Adds a package that is built from sources. Without a version of its own it has that of what
    /// it is pinned to; if that is none, it cannot be looked up.
    pub(super) fn sources(
        &mut self,
        mut component: Component,
        mut parts: purl::Components,
        repository: &Repository<'_>,
    ) -> Result<(), Fault> {
        component.digests.extend(repository.commit());
        if parts.version.is_none() {
            match pinned(repository) {
                Pin::Commit => {}
                Pin::Name(version) => {
                    self.remark(MOVES, component.line, &component.name);
                    component.version = Some(version.to_owned());
                    parts.version = Some(version.to_owned());
                }
                Pin::None(reason) => return self.without_purl(component, &reason),
            }
        }
        repository.qualify(&mut parts);
        self.package(component, parts)
    }
}

const MOVES: &str = "from git by a tag or a short commit, which can come to mean another commit";

/// What sources are pinned to.
enum Pin<'a> {
    /// A commit, which is what is used.
    Commit,
    /// A name that says a version, or a commit that is not whole.
    Name(&'a str),
    /// Nothing that would say which version it is.
    None(String),
}

/// Fewest digits of a commit that tools write.
const SHORT_COMMIT: usize = 7;

fn pinned<'a>(repository: &Repository<'a>) -> Pin<'a> {
    let Some(revision) = repository.revision.filter(|revision| !revision.is_empty()) else {
        return Pin::None("is from git, and pinned to nothing: name a commit".to_owned());
    };
    if !repository.commit().is_empty() {
        return Pin::Commit;
    }
    let is_hex = revision.bytes().all(|b| b.is_ascii_hexdigit());
    if is_hex && revision.len() >= SHORT_COMMIT {
        return Pin::Name(revision);
    }
    let bare = revision.strip_prefix(['v', 'V']).unwrap_or(revision);
    let is_numbered = bare.starts_with(|c: char| c.is_ascii_digit()) && bare.contains('.');
    let is_plain = bare
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || b"._+-".contains(&b));
    if is_numbered && is_plain && unpinned(bare).is_none() {
        return Pin::Name(bare);
    }
    let revision = quoted(revision);
    Pin::None(format!(
        "is from git at {revision}, which says no version: pin it to a commit"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::Components;
    use crate::components::tests::{found_in, lines, notes, unidentified};

    /// What becomes of a package without a version, from git at a revision.
    fn added(revision: Option<&str>) -> Components {
        let repository = Repository {
            address: "https://host/a",
            revision,
        };
        let component = Component {
            name: "a".to_owned(),
            ..Component::default()
        };
        let mut list = List::default();
        let parts = origin::package("npm", "a", None);
        list.sources(component, parts, &repository).unwrap();
        found_in(list)
    }

    #[test]
    fn sources_have_the_version_that_they_are_pinned_to() {
        let commit = "17620a225744b4a18845d4f7bf63354e01109b91";
        let at = "vcs_url=git%2Bhttps:%2F%2Fhost%2Fa%40";
        for (revision, version, digest) in [
            (commit, commit, " gitCommit"),
            ("17620a2", "17620a2", ""),
            ("v1.2.0", "1.2.0", ""),
            ("1.2.0-rc.1", "1.2.0-rc.1", ""),
            ("V2024.1", "2024.1", ""),
        ] {
            let found = added(Some(revision));
            assert_eq!(
                lines(&found),
                [format!("pkg:npm/a@{version}?{at}{revision}{digest}")]
            );
            let told = notes(&found).contains("which can come to mean another commit: a");
            assert_eq!(told, digest.is_empty(), "{revision}");
        }
    }

    #[test]
    fn what_says_no_version_is_named_with_the_reason() {
        for (revision, said) in [
            (None, "pinned to nothing"),
            (Some(""), "pinned to nothing"),
            (Some("main"), "at \"main\", which says no version"),
            (Some("17620a"), "at \"17620a\""),
            (Some("4.x"), "at \"4.x\""),
            (Some("release/1.0"), "at \"release/1.0\""),
            (Some("v2"), "at \"v2\""),
            (Some("1.0 beta"), "at \"1.0 beta\""),
        ] {
            let found = unidentified(&added(revision)).concat();
            assert!(
                found.starts_with("a is from git") && found.contains(said),
                "{found}"
            );
        }
    }
}
