//! `gradle/verification-metadata.xml` (Gradle's documentation, "Verifying dependencies"): every
//! module that Gradle verifies, with digests of its files.

use super::component::Component;
use super::digest::{self, Digests};
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::markup::{child, elements};
use super::origin::maven;
use super::reader::{Reader, Sign};
use roxmltree::Node;

pub(super) const READER: Reader = Reader {
    name: "verification-metadata.xml",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let Gradle write it \
             (--write-verification-metadata sha256)",
    files: &["verification-metadata.xml"],
    path: None,
    sign: Sign::Root("verification-metadata"),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let document = input.xml()?;
    let root = document.root_element();
    if root.tag_name().name() != "verification-metadata" {
        return Err(Fault::at(1, "the root is not <verification-metadata>"));
    }
    let (mut list, mut lines) = (List::default(), input.places());
    for module in child(&root, "components").iter().flat_map(elements) {
        let line = lines.of(module.range());
        let part = |name| module.attribute(name).filter(|part| !part.is_empty());
        let (Some(group), Some(name), Some(version)) =
            (part("group"), part("name"), part("version"))
        else {
            return Err(Fault::at(
                line,
                "a component lacks its group, name or version",
            ));
        };
        let coordinates = format!("{group}:{name}");
        let component = Component {
            digests: digests(&module, &format!("{name}-{version}."), line)?,
            name: coordinates.clone(),
            version: Some(version.to_owned()),
            line: Some(line),
            ..Component::default()
        };
        match maven(&coordinates, version) {
            Some(parts) => list.package(component, parts)?,
            None => list.without_purl(component, "has no package URL")?,
        }
    }
    list.note(
        None,
        "it names all that Gradle verified since it was begun: plugins, too, and what is no longer \
         used",
    );
    Ok(list)
}

/// The digests of the one file that is the module itself, and no description of it.
fn digests(module: &Node<'_, '_>, begins: &str, line: u32) -> Result<Digests, Fault> {
    const DESCRIBE: [&str; 2] = ["pom", "module"];
    let mut found = Digests::new();
    for artifact in elements(module) {
        let end = artifact
            .attribute("name")
            .and_then(|name| name.strip_prefix(begins));
        if end.is_none_or(|end| DESCRIBE.contains(&end)) {
            continue;
        }
        for stated in elements(&artifact) {
            let value = stated.attribute("value").unwrap_or_default();
            let digest = digest::hex(stated.tag_name().name(), value)
                .map_err(|reason| Fault::at(line, format!("a digest {reason}")))?;
            found.extend(digest);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use crate::components::Format::GradleVerification;
    use crate::components::tests::{found, lines, notes, refusal};

    #[test]
    fn modules_have_the_digests_of_their_archives() {
        let digest = |n: &str| format!("<sha256 value=\"{}\" origin=\"x\"/>", n.repeat(32));
        let text = format!(
            "<verification-metadata xmlns=\"https://schema.gradle.org/dependency-verification\">\
             <configuration/><components>\n<component group=\"g\" name=\"a\" version=\"1\">\
             <artifact name=\"a-1.jar\">{}</artifact><artifact name=\"a-1.pom\">{}</artifact>\
             </component>\n<component group=\"g\" name=\"b\" version=\"2\"/></components>\
             </verification-metadata>",
            digest("ab"),
            digest("cd")
        );
        let found = found(GradleVerification, &text);
        assert_eq!(
            lines(&found),
            ["pkg:maven/g/a@1 sha256 :2", "pkg:maven/g/b@2 :3"]
        );
        assert!(found.list[0].digests[0].1.starts_with("abab"));
        assert!(notes(&found).contains("no longer"));
        for (text, said) in [
            ("<metadata/>", "x:1: the root is not"),
            (
                "<verification-metadata><components><component name=\"a\"/></components>\
                 </verification-metadata>",
                "x:1: a component lacks",
            ),
        ] {
            let error = refusal(GradleVerification, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
