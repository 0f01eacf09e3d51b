//! `deno.lock` of Deno (`deno_lockfile`), versions 2 to 5.
//!
//! Packages of npm stand under `NAME@VERSION`, with `_` and the peers behind it. Packages of JSR
//! have no package URL type yet, and modules by address are files with a SHA-256.

use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin;
use super::reader::{Reader, Sign};
use super::tarball;

pub(super) const READER: Reader = Reader {
    name: "deno.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `deno install` write it",
    files: &["deno.lock"],
    path: None,
    sign: Sign::Member("specifiers"),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let version = root.need("version")?;
    let places: &[&[&str]] = match version.text()? {
        "2" => &[&["npm", "packages"]],
        "3" => &[&["packages", "npm"], &["packages", "jsr"]],
        "4" | "5" => &[&["npm"], &["jsr"]],
        _ => {
            return Err(version
                .fault("is not one of 2 to 5, which are known here")
                .into());
        }
    };
    let mut list = List::default();
    for place in places {
        let is_jsr = place.contains(&"jsr");
        match place {
            [outer, inner] => {
                if let Some(outer) = root.get(outer)
                    && let Some(packages) = outer.get(inner)
                {
                    read_packages(&packages, is_jsr, &mut list)?;
                }
            }
            [one] => {
                if let Some(packages) = root.get(one) {
                    read_packages(&packages, is_jsr, &mut list)?;
                }
            }
            _ => {}
        }
    }
    if let Some(remote) = root.get("remote") {
        for (address, hash) in remote.members()? {
            let digest = digest::hex("sha256", hash.string()?);
            let component = Component {
                name: origin::without_secrets(address),
                digests: digest
                    .map_err(|reason| hash.fault(reason))?
                    .into_iter()
                    .collect(),
                ..Component::default()
            };
            list.without_purl(component, "is a module without a digest")?;
        }
    }
    Ok(list)
}

fn read_packages(packages: &Node<'_, '_>, is_jsr: bool, list: &mut List) -> Result<(), Fault> {
    for (key, package) in packages.members()? {
        package.need_object()?;
        let at = key.get(1..).and_then(|rest| rest.find('@'));
        let cut = at.and_then(|at| Some((key.get(..=at)?, key.get(at + 2..)?)));
        let Some((name, version)) = cut else {
            return Err(package.fault("does not stand under NAME@VERSION").into());
        };
        if is_jsr {
            list.unidentified(
                None,
                key,
                "is from JSR, of which no package URL can be made",
            )?;
            continue;
        }
        // No version has an underscore (Semantic Versioning 2.0.0).
        let version = version.split('_').next().unwrap_or_default();
        let mut component = Component {
            name: name.to_owned(),
            version: Some(version.to_owned()),
            ..Component::default()
        };
        if let Some(integrity) = package.get("integrity") {
            component.digests =
                digest::integrity(integrity.string()?).map_err(|reason| integrity.fault(reason))?;
        }
        tarball::locate(component, package.optional_text("tarball")?, list)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::components::Format::DenoLock;
    use crate::components::tests::{found, lines, refusal, unidentified};

    #[test]
    fn every_version_names_its_packages() {
        let npm = r#"{"a@1.0.0":{"integrity":"sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk="},
            "@s/b@2.0.0_c@3.0.0__d@1.0.0":{}}"#;
        let jsr = format!(
            "{{\"@std/x@1.0.0\":{{\"integrity\":\"{}\"}}}}",
            "ab".repeat(32)
        );
        for (text, is_jsr) in [
            (
                format!(r#"{{"version":"2","npm":{{"packages":{npm}}}}}"#),
                false,
            ),
            (
                format!(r#"{{"version":"3","packages":{{"npm":{npm},"jsr":{jsr}}}}}"#),
                true,
            ),
            (
                format!(r#"{{"version":"5","specifiers":{{}},"npm":{npm},"jsr":{jsr}}}"#),
                true,
            ),
        ] {
            let read = found(DenoLock, &text);
            assert_eq!(
                lines(&read),
                ["pkg:npm/a@1.0.0 sha1", "pkg:npm/%40s/b@2.0.0"],
                "{text}"
            );
            let said = unidentified(&read);
            assert_eq!(said.len(), usize::from(is_jsr), "{said:?}");
            assert!(
                said.iter()
                    .all(|said| said.starts_with("@std/x@1.0.0 is from JSR"))
            );
        }
    }

    #[test]
    fn modules_by_address_are_known_by_their_digest() {
        let sha256 = "0a".repeat(32);
        let text = format!(
            r#"{{"version":"4","remote":{{"https://u:secret@host/a.ts?k=secret":"{sha256}"}},
            "npm":{{"a@1.0.0":{{"tarball":"https://corp.example/a/-/a-1.0.0.tgz"}}}}}}"#
        );
        assert_eq!(
            lines(&found(DenoLock, &text)),
            [
                "pkg:npm/a@1.0.0?repository_url=https:%2F%2Fcorp.example",
                "(https://host/a.ts) sha256"
            ]
        );
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, said) in [
            ("{}", "$.version: is missing"),
            (r#"{"version":"9"}"#, "is not one of 2 to 5"),
            (r#"{"version":"5","npm":{"a":{}}}"#, "NAME@VERSION"),
            (r#"{"version":"5","npm":[]}"#, "$.npm"),
            (
                r#"{"version":"5","remote":{"https://a":"00"}}"#,
                "is no sha256 in hex",
            ),
        ] {
            let error = refusal(DenoLock, text);
            assert!(error.contains(said), "{error}");
        }
    }
}
