//! `Podfile.lock` of CocoaPods: `PODS` names each pod with its version, and `EXTERNAL SOURCES`
//! those that are from elsewhere than the public specs.

use super::component::Component;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin::{self, Repository};
use super::reader::{Reader, Sign};
use assay_claims::json::Part;
use assay_claims::kind::node::quoted;
use assay_claims::purl::is_public_registry;
use std::collections::BTreeMap;

pub(super) const READER: Reader = Reader {
    name: "Podfile.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `pod install` write it",
    files: &["Podfile.lock"],
    path: None,
    sign: Sign::Text(|head| head.has("PODS:")),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let document = input.yaml()?;
    let root = Node::root("$", document.root());
    let repositories = repositories(&root);
    let mut list = List::default();
    for pod in root.need("PODS")?.items()? {
        // One with dependencies is the key of their list.
        let text = match pod.value().as_object() {
            Some(mut members) => members.next().map(|(key, _)| key),
            None => pod.value().as_str(),
        };
        let Some((name, version)) = text.and_then(cut) else {
            return Err(pod.fault("is not `NAME (VERSION)`").into());
        };
        read_pod(&root, &repositories, (name, version), &mut list)?;
    }
    Ok(list)
}

/// What CocoaPods calls its public repository of specs.
const PUBLIC: &str = "trunk";

/// The repositories of specs that pods are from, by pod, without those from the public one.
fn repositories<'v>(root: &Node<'v, '_>) -> BTreeMap<&'v str, &'v str> {
    let all = root.value().get("SPEC REPOS").and_then(Part::as_object);
    let Some(all) = all else {
        return BTreeMap::new();
    };
    let mut of = BTreeMap::new();
    for (repository, pods) in all {
        if repository == PUBLIC || is_public_registry("cocoapods", repository) {
            continue;
        }
        let names = pods.as_array().into_iter().flatten();
        let names = names.filter_map(Part::as_str);
        of.extend(names.map(|pod| (pod, repository)));
    }
    of
}

fn cut(text: &str) -> Option<(&str, &str)> {
    let (name, version) = text.split_once(" (")?;
    Some((name, version.strip_suffix(')')?))
}

/// A part of a pod, `POD/PART`, is a subpath of the pod's purl.
fn read_pod(
    root: &Node<'_, '_>,
    repositories: &BTreeMap<&str, &str>,
    (name, version): (&str, &str),
    list: &mut List,
) -> Result<(), Fault> {
    let (pod, part) = name
        .split_once('/')
        .map_or((name, None), |(pod, part)| (pod, Some(part)));
    let mut parts = origin::package("cocoapods", pod, Some(version));
    parts.subpath = part.map(str::to_owned);
    let mut component = Component {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        ..Component::default()
    };
    let of = |section: &str| root.value().get(section).and_then(|pods| pods.get(pod));
    let external = of("EXTERNAL SOURCES");
    let stated = |key: &str| {
        let checked_out = of("CHECKOUT OPTIONS").and_then(|options| options.get(key));
        let value = checked_out.or_else(|| external?.get(key))?;
        value.as_str()
    };
    if external.is_some_and(|source| source.get(":path").is_some()) {
        component.own = true;
        component.by_path = true;
        list.remark("local folders", None, name);
    } else if let Some(address) = stated(":git") {
        let repository = Repository {
            address,
            revision: stated(":commit").or_else(|| stated(":tag")),
        };
        repository.qualify(&mut parts);
        component.digests.extend(repository.commit());
        list.remark(
            "from a repository, and not from the public specs",
            None,
            name,
        );
    } else if let Some(external) = external.filter(|it| it.as_object().is_some()) {
        let reason = format!("is from {}", quoted(&external.to_value().to_json()));
        return list.without_purl(component, &reason);
    } else if let Some(repository) = repositories.get(pod) {
        origin::qualify(&mut parts, "repository_url", repository);
        list.remark(
            "from another repository of specs than the public one",
            None,
            name,
        );
    }
    list.package(component, parts)
}

#[cfg(test)]
mod tests {
    use crate::components::Format::PodfileLock;
    use crate::components::tests::{found, lines, refusal, unidentified};

    #[test]
    fn pods_know_where_they_are_from() {
        let commit = "17620a225744b4a18845d4f7bf63354e01109b91";
        let text = format!(
            "PODS:\n  - A (1.0):\n    - A/Core (= 1.0)\n  - A/Core (1.0)\n  - B (2.0)\n  - Own \
             (0.1)\n  - Odd \
             (1)\nEXTERNAL SOURCES:\n  B:\n    :git: https://host/b.git\n  Own:\n    :path: \
                  \"../own\"\n  Odd:\n    \
             :http: https://host/x.zip\nCHECKOUT OPTIONS:\n  B:\n    :commit: {commit}\n    :git: \
             https://host/b.git\nSPEC CHECKSUMS:\n  A: 00\n"
        );
        let found = found(PodfileLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:cocoapods/A@1.0".to_owned(),
                "pkg:cocoapods/A@1.0#Core".to_owned(),
                format!(
                    "pkg:cocoapods/B@2.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fb.git%40{commit} \
                     gitCommit"
                ),
                "pkg:cocoapods/Own@0.1 own".to_owned(),
            ]
        );
        assert_eq!(unidentified(&found).len(), 1);
        for (text, said) in [
            ("A: 1\n", "$.PODS: is missing"),
            ("PODS:\n  - A\n", "$.PODS[0]: is not `NAME (VERSION)`"),
            ("PODS: &a []\n", "anchors"),
        ] {
            let error = refusal(PodfileLock, text);
            assert!(error.contains(said), "{error}");
        }
    }

    #[test]
    fn pods_of_private_specs_are_from_elsewhere() {
        let text = "PODS:\n  - A (1)\n  - B (1)\n  - C/D (1)\n  - E (1)\n  - F (1)\nSPEC REPOS:\n  \
            trunk:\n    - A\n  https://github.com/CocoaPods/Specs.git:\n    - B\n  \
            https://u:secret@host.test/specs.git:\n    - C\n  ours:\n    - E\n";
        assert_eq!(
            lines(&found(PodfileLock, text)),
            [
                "pkg:cocoapods/A@1",
                "pkg:cocoapods/B@1",
                "pkg:cocoapods/C@1?repository_url=https:%2F%2Fhost.test%2Fspecs.git#D",
                "pkg:cocoapods/E@1?repository_url=ours",
                "pkg:cocoapods/F@1",
            ]
        );
    }
}
