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
    if pin.shown("kind") == Some("registry") && location.is_empty() {
        let reason = "is from a registry, and the file does not say from which";
        return list.without_purl(component, reason);
    }
    match path(location) {
        Some(path) if version.is_some() => {
            list.package(component, origin::spaced("swift", &path, version))
        }
        _ => list.without_purl(component, "has no version or no address of a repository"),
    }
}

/// Host and path of a repository, which are the namespace and name of its purl.
fn path(location: &str) -> Option<String> {
    let location = origin::without_secrets(location);
    let path = match location.split_once("://") {
        Some((_, path)) => path
            .rsplit_once('@')
            .map_or(path, |(_, path)| path)
            .to_owned(),
        None => location.split_once('@')?.1.replacen(':', "/", 1),
    };
    let path = path.trim_end_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path);
    (path.contains('/') && !path.contains("//")).then(|| path.to_owned())
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
                ["pkg:swift/github.com/o/a@1.0.0 gitCommit", "(b) gitCommit"]
            );
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
