//! What Trivy writes in its own format (`trivy … --format json --list-all-pkgs`): the packages of
//! an image, a file system or a repository.

use super::component::Component;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin::{self, maven};
use super::reader::{Reader, Sign};
use super::sbom::{self, Element};
use assay_claims::json::Part;
use assay_claims::purl::{self, Purl};

pub(super) const READER: Reader = Reader {
    name: "Trivy JSON",
    is_sbom: true,
    remedy: "nothing of the document is taken; let Trivy write it again",
    files: &["trivy.json"],
    path: None,
    sign: Sign::Member("ArtifactName"),
    read: |input, _| read(input),
};

/// The purl types and namespaces of Trivy's types of operating systems and lock files.
const TYPES: &[(&str, &str, Option<&str>)] = &[
    ("alma", "rpm", Some("almalinux")),
    ("alpine", "apk", Some("alpine")),
    ("amazon", "rpm", Some("amazon")),
    ("azurelinux", "rpm", Some("azurelinux")),
    ("bun", "npm", None),
    ("bundler", "gem", None),
    ("cargo", "cargo", None),
    ("centos", "rpm", Some("centos")),
    ("chainguard", "apk", Some("chainguard")),
    ("cocoapods", "cocoapods", None),
    ("composer", "composer", None),
    ("composer-vendor", "composer", None),
    ("conan", "conan", None),
    ("debian", "deb", Some("debian")),
    ("dotnet-core", "nuget", None),
    ("fedora", "rpm", Some("fedora")),
    ("gemspec", "gem", None),
    ("gobinary", "golang", None),
    ("gomod", "golang", None),
    ("gradle", "maven", None),
    ("hex", "hex", None),
    ("jar", "maven", None),
    ("julia", "julia", None),
    ("node-pkg", "npm", None),
    ("npm", "npm", None),
    ("nuget", "nuget", None),
    ("oracle", "rpm", Some("oracle")),
    ("packages-props", "nuget", None),
    ("pip", "pypi", None),
    ("pipenv", "pypi", None),
    ("pnpm", "npm", None),
    ("poetry", "pypi", None),
    ("pom", "maven", None),
    ("pub", "pub", None),
    ("python-pkg", "pypi", None),
    ("redhat", "rpm", Some("redhat")),
    ("rocky", "rpm", Some("rocky")),
    ("rustbinary", "cargo", None),
    ("sbt", "maven", None),
    ("swift", "swift", None),
    ("ubuntu", "deb", Some("ubuntu")),
    ("uv", "pypi", None),
    ("wolfi", "apk", Some("wolfi")),
    ("yarn", "npm", None),
];

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    root.need("ArtifactName")?.string()?;
    let mut list = List::default();
    read_image(&root, &mut list)?;
    let Some(results) = root.get("Results") else {
        return Ok(list);
    };
    for result in results.items()? {
        let ty = result.shown("Type").unwrap_or_default();
        if let Some(packages) = result.get("Packages") {
            for package in packages.items()? {
                read_package(&package, ty, &mut list)?;
            }
        } else if result.value().get("Vulnerabilities").is_some() {
            let what = result.shown("Target").unwrap_or(ty);
            let reason = "has only its vulnerable packages in the report: let Trivy write all of \
                          them (--list-all-pkgs)";
            list.unidentified(None, what, reason)?;
        }
    }
    Ok(list)
}

const UNPUSHED: &str =
    "images without the digest of a registry in the report: what is said of them is not found";

/// The image that was looked at, by where it was had.
fn read_image(root: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
    let Some(about) = root.value().get("Metadata") else {
        return Ok(());
    };
    if sbom::repo_digests(about.get("RepoDigests"))
        .next()
        .is_none()
        && root.shown("ArtifactType") == Some("container_image")
    {
        let name = root.shown("ArtifactName").unwrap_or_default();
        list.remark(UNPUSHED, None, name);
    }
    let places = sbom::repo_digests(about.get("RepoDigests"));
    let arch = about
        .get("ImageConfig")
        .and_then(|it| it.get("architecture"));
    sbom::add_image(places, arch.and_then(Part::as_str), list)
}

fn read_package(package: &Node<'_, '_>, ty: &str, list: &mut List) -> Result<(), Fault> {
    let name = package.need("Name")?.text()?;
    let version = version(package, "Version", "Release", "Epoch");
    let component = sbom::component(name, version.as_deref());
    let identifier = package.value().get("Identifier");
    let purl = identifier
        .and_then(|identifier| identifier.get("PURL"))
        .and_then(Part::as_str);
    let epoch = package.value().get("SrcEpoch").and_then(Part::as_u64);
    let epoch = epoch.map(|epoch| epoch.to_string());
    let upstream = sbom::upstream(|key| match key {
        "SrcEpoch" => epoch.as_deref(),
        key => package.shown(key),
    });
    let made = match purl {
        Some(_) => None,
        None => parts(ty, name, &component).map(Purl::build),
    };
    let purl = match (purl, &made) {
        (Some(purl), _) => purl,
        (None, Some(Ok(made))) => made.as_str(),
        (None, Some(Err(e))) => {
            return list.without_purl(component, &format!("has no package URL: {e}"));
        }
        (None, None) => {
            return list.without_purl(component, "is of a type that has no package URL here");
        }
    };
    Element {
        component,
        purls: vec![purl.into()],
        upstream,
    }
    .add(list)
}

/// `EPOCH:VERSION-RELEASE`, as far as it is stated.
fn version(package: &Node<'_, '_>, version: &str, release: &str, epoch: &str) -> Option<String> {
    let stated = |key: &str| package.shown(key).filter(|text| !text.is_empty());
    let number = package
        .value()
        .get(epoch)
        .and_then(Part::as_u64)
        .filter(|epoch| *epoch > 0);
    let epoch = number.map(|epoch| format!("{epoch}:")).unwrap_or_default();
    let release = stated(release)
        .map(|release| format!("-{release}"))
        .unwrap_or_default();
    Some(format!("{epoch}{}{release}", stated(version)?))
}

fn parts(ty: &str, name: &str, component: &Component) -> Option<purl::Components> {
    let (_, ty, namespace) = TYPES.iter().find(|(known, _, _)| *known == ty)?;
    let version = component.version.as_deref();
    if *ty == "maven" {
        return maven(name, version?);
    }
    let mut parts = match namespace {
        // What stands behind a slash is a part of the pod.
        None if *ty != "cocoapods" => origin::spaced(ty, name, version),
        _ => origin::package(ty, name, version),
    };
    if let Some(namespace) = namespace {
        parts.namespace = Some((*namespace).to_owned());
    }
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::TYPES;
    use crate::components::Format::TrivyJson;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    #[test]
    fn the_image_is_what_the_report_is_about() {
        let digest = format!("sha256:{}", "a".repeat(64));
        let text = format!(
            r#"{{"ArtifactName":"x","Metadata":{{"RepoDigests":["localhost:5000/e/img@{digest}"],
                "ImageConfig":{{"architecture":"amd64"}}}}}}"#
        );
        assert_eq!(
            lines(&found(TrivyJson, &text)),
            [format!(
                "pkg:oci/img@{digest}?arch=amd64&repository_url=localhost:5000%2Fe%2Fimg sha256 own"
            )]
        );
    }

    #[test]
    fn an_image_of_no_registry_is_told() {
        let text = r#"{"ArtifactName":"x:1","ArtifactType":"container_image",
            "Metadata":{"RepoTags":["x:1"]},"Results":[{"Type":"npm","Packages":[{"Name":"c","Version":"3"}]}]}"#;
        let found = found(TrivyJson, text);
        assert_eq!(lines(&found), ["pkg:npm/c@3"]);
        assert!(
            notes(&found).ends_with("is not found: x:1"),
            "{}",
            notes(&found)
        );
    }

    #[test]
    fn packages_are_components_by_their_purls_or_by_their_type() {
        assert!(TYPES.is_sorted_by_key(|(ty, _, _)| ty));
        let text = r#"{"ArtifactName":"x","Results":[
            {"Target":"t","Type":"debian","Packages":[
              {"Name":"libssl3","Version":"3.0.11","Release":"1~deb12u2","Epoch":1,"SrcName":"openssl",
               "SrcVersion":"3.0.11","SrcRelease":"1~deb12u2"},
              {"Name":"libssl3","Version":"3.0.11","Release":"1","SrcName":"openssl",
               "SrcVersion":"3.0.11","SrcRelease":"1","Identifier":{"PURL":"pkg:deb/debian/libssl3@3.0.11-1?arch=arm64"}},
              {"Name":"same","Version":"1","SrcName":"same","SrcVersion":"1"},
              {"Name":"a","Version":"1","Identifier":{"PURL":"pkg:deb/debian/a@1?distro=debian-12"}}]},
            {"Type":"jar","Packages":[{"Name":"org.a:b","Version":"2"}]},
            {"Type":"npm","Packages":[{"Name":"@s/c","Version":"3"}]},
            {"Type":"cocoapods","Packages":[{"Name":"A/B","Version":"1"}]},
            {"Type":"swift","Packages":[{"Name":"github.com/o/a","Version":"1"}]},
            {"Type":"odd","Packages":[{"Name":"d","Version":"4"}]},
            {"Type":"julia","Packages":[{"Name":"JSON","Version":"0.21.4"}]},
            {"Target":"only","Type":"npm","Vulnerabilities":[]},
            {"Target":"config","Class":"config"}]}"#;
        let found = found(TrivyJson, text);
        assert_eq!(
            lines(&found),
            [
                "pkg:deb/debian/libssl3@1:3.0.11-1~deb12u2?upstream=openssl%403.0.11-1~deb12u2",
                "pkg:deb/debian/libssl3@3.0.11-1?arch=arm64&upstream=openssl%403.0.11-1",
                "pkg:deb/debian/same@1",
                "pkg:deb/debian/a@1?distro=debian-12",
                "pkg:maven/org.a/b@2",
                "pkg:npm/%40s/c@3",
                "pkg:cocoapods/A@1#B",
                "pkg:swift/github.com/o/a@1",
            ]
        );
        let unidentified = unidentified(&found);
        assert_eq!(unidentified.len(), 3, "{unidentified:?}");
        assert!(unidentified.contains(
            &"JSON 0.21.4 has no package URL: a purl of type julia must have the qualifier uuid"
                .to_owned()
        ));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (text, said) in [
            ("{}", "x:1: $.ArtifactName: is missing"),
            (r#"{"ArtifactName":"x","Results":{}}"#, "x:1: $.Results"),
            (
                r#"{"ArtifactName":"x","Results":[{"Packages":[{}]}]}"#,
                "x:1: $.Results[0].Packages[0].Name: is missing",
            ),
        ] {
            let error = refusal(TrivyJson, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
