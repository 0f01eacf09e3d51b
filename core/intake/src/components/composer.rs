//! `composer.lock` (Composer's `src/Composer/Package/Locker.php`).

use super::component::Component;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::reader::{Reader, Sign};
use super::{digest, origin};
use assay_claims::kind::node::Node;

pub(super) const READER: Reader = Reader {
    name: "composer.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `composer update --lock` write it",
    files: &["composer.lock"],
    path: None,
    sign: Sign::Member("content-hash"),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let mut list = List::default();
    for package in root.need("packages")?.items()? {
        read_package(&package, false, &mut list)?;
    }
    if let Some(packages) = root.get("packages-dev") {
        for package in packages.items()? {
            read_package(&package, true, &mut list)?;
        }
    }
    Ok(list)
}

fn read_package(package: &Node<'_, '_>, dev: bool, list: &mut List) -> Result<(), Fault> {
    let name = package.need("name")?.text()?;
    let version = package.need("version")?.text()?;
    let mut component = Component {
        name: name.into(),
        version: Some(version.into()),
        dev,
        ..Component::default()
    };
    if let Some(dist) = package.get("dist") {
        if dist.shown("type") == Some("path") {
            component.own = true;
            list.remark("local folders", None, name);
        }
        // Empty for the archives that code hosts make on demand: those are not always the same
        // bytes.
        if let Some(shasum) = dist.get("shasum")
            && !shasum.string()?.is_empty()
        {
            component.digests.extend(
                digest::hex("sha1", shasum.string()?).map_err(|reason| shasum.fault(reason))?,
            );
        }
    }
    if version.starts_with("dev-") || version.ends_with("-dev") {
        list.remark("branches, which change under the same name", None, name);
    }
    list.package(component, origin::spaced("composer", name, Some(version)))
}

#[cfg(test)]
mod tests {
    use crate::components::Format::ComposerLock;
    use crate::components::tests::{found, lines, notes, refusal};

    #[test]
    fn packages_are_components_and_those_for_developers_are_flagged() {
        let text = format!(
            r#"{{"content-hash":"0","packages":[
              {{"name":"League/Flysystem","version":"v1.0.8","dist":{{"type":"zip","shasum":"{}"}}}},
              {{"name":"a/b","version":"dev-main","dist":{{"type":"zip","shasum":""}}}},
              {{"name":"a/local","version":"1.0","dist":{{"type":"path","url":"../x"}}}}],
              "packages-dev":[{{"name":"p/unit","version":"9.0"}}]}}"#,
            "Ab".repeat(20)
        );
        let found = found(ComposerLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:composer/league/flysystem@v1.0.8 sha1",
                "pkg:composer/a/b@dev-main",
                "pkg:composer/a/local@1.0 own",
                "pkg:composer/p/unit@9.0 dev"
            ]
        );
        assert_eq!(
            notes(&found),
            "branches, which change under the same name: a/b\nlocal folders: a/local"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (text, said) in [
            ("{}", "x:1: $.packages: is missing"),
            (
                r#"{"packages":[{"version":"1"}]}"#,
                "x:1: $.packages[0].name: is missing",
            ),
            (
                r#"{"packages":[{"name":"a/b"}]}"#,
                "x:1: $.packages[0].version: is missing",
            ),
            (
                r#"{"packages":[],"packages-dev":{}}"#,
                "x:1: $.packages-dev: is an object",
            ),
            (
                r#"{"packages":[{"name":"a/b","version":"1","dist":{"shasum":"12"}}]}"#,
                "x:1: $.packages[0].dist.shasum: is no sha1 in hex",
            ),
        ] {
            let error = refusal(ComposerLock, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
