//! `Package.resolved` of Swift's package manager, versions 1 to 3.

use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};

pub(super) const READER: Reader = Reader {
    name: "Package.resolved",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `swift package resolve` write it",
    files: &["Package.resolved"],
    path: None,
    sign: Sign::Member("pins"),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let version = root.need("version")?;
    let mut list = List::default();
    match version.value().as_u64() {
        Some(1) => {
            for pin in root.need("object")?.need("pins")?.items()? {
                read_pin(&pin, ("package", "repositoryURL"), &mut list)?;
            }
        }
        Some(2 | 3) => {
            for pin in root.need("pins")?.items()? {
                read_pin(&pin, ("identity", "location"), &mut list)?;
            }
        }
        _ => {
            return Err(version
                .fault("is not 1, 2 or 3, which are known here")
                .into());
        }
    }
    Ok(list)
}

fn read_pin(
    pin: &Node<'_, '_>,
    (name, location): (&'static str, &'static str),
    list: &mut List,
) -> Result<(), Fault> {
    let (name, location) = (pin.need(name)?.text()?, pin.need(location)?.string()?);
    let state = pin.need("state")?;
    let version = state.shown("version").filter(|version| !version.is_empty());
    let component = Component {
        name: name.to_owned(),
        version: version.map(str::to_owned),
        digests: state
            .shown("revision")
            .and_then(digest::commit)
            .into_iter()
            .collect(),
        ..Component::default()
    };
    if pin.shown("kind") == Some("registry") {
        let reason = "is from a registry, and the file does not say from which";
        return list.without_purl(component, reason);
    }
    // A branch is pinned to a commit: what is said of every version of the package is about it.
    let commit = component.digests.first().map(|(_, commit)| commit.clone());
    match (path(location), version.or(commit.as_deref())) {
        (Some(path), Some(version)) => {
            list.package(component, origin::spaced("swift", &path, Some(version)))
        }
        _ => list.without_purl(component, "has no version or no address of a repository"),
    }
}

/// Host and path of a repository, which are the namespace and name of its purl. Hosts have no case,
/// and a port is no part of them.
fn path(location: &str) -> Option<String> {
    let location = origin::without_secrets(location);
    let (host, path) = match location.split_once("://") {
        Some((_, path)) => {
            let path = path.rsplit_once('@').map_or(path, |(_, path)| path);
            let (host, path) = path.split_once('/')?;
            (host.split(':').next().unwrap_or(host), path)
        }
        None => location.split_once('@')?.1.split_once(':')?,
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    let is_whole = ![host, path].contains(&"") && !path.starts_with('/') && !path.contains("//");
    is_whole.then(|| format!("{}/{path}", host.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use crate::components::Format::SwiftResolved;
    use crate::components::tests::{found, lines, refusal};

    #[test]
    fn pins_are_named_by_their_repositories() {
        let commit = "17620a225744b4a18845d4f7bf63354e01109b91";
        let pins = format!(
            r#"[{{"identity":"a","package":"a","location":"https://github.com/o/a.git","repositoryURL":"https://github.com/o/a.git",
                "state":{{"revision":"{commit}","version":"1.0.0"}}}},
               {{"identity":"b","package":"b","location":"git@github.com:o/b.git","repositoryURL":"git@github.com:o/b.git",
                "state":{{"revision":"{commit}","branch":"main"}}}}]"#
        );
        for text in [
            format!(r#"{{"version":2,"pins":{pins}}}"#),
            format!(r#"{{"version":1,"object":{{"pins":{pins}}}}}"#),
        ] {
            assert_eq!(
                lines(&found(SwiftResolved, &text)),
                [
                    "pkg:swift/github.com/o/a@1.0.0 gitCommit".to_owned(),
                    format!("pkg:swift/github.com/o/b@{commit} gitCommit"),
                ]
            );
        }
        for (location, said) in [
            ("https://GitHub.com/o/a", "github.com/o/a"),
            ("ssh://git@host.example:2222/o/a.git/", "host.example/o/a"),
            ("git@Host.example:o/a.git", "host.example/o/a"),
        ] {
            assert_eq!(super::path(location).as_deref(), Some(said));
        }
        for location in ["https://host", "https:///o/a", "a/b", "https://host//a"] {
            assert_eq!(super::path(location), None, "{location}");
        }
        for (text, said) in [
            ("{}", "x:1: $.version: is missing"),
            (
                r#"{"version":9,"pins":[]}"#,
                "x:1: $.version: is not 1, 2 or 3",
            ),
            (
                r#"{"version":2,"pins":[{}]}"#,
                "x:1: $.pins[0].identity: is missing",
            ),
        ] {
            let error = refusal(SwiftResolved, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
