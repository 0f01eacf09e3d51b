//! `pom.xml` (Maven's POM reference): the dependencies that the project names itself. What those
//! need, and what a parent names, is not in it.

use super::component::Component;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::markup::{child, elements, line, own_text, text};
use super::origin::{LOCAL, SYSTEM, maven, qualify, qualify_local, qualify_maven, without_secrets};
use super::pinned::unpinned;
use super::reader::{Reader, Sign};
use assay_claims::purl::is_public_registry;
use roxmltree::Node;
use std::borrow::Cow;
use std::collections::BTreeMap;

pub(super) const READER: Reader = Reader {
    name: "pom.xml",
    is_sbom: false,
    remedy: "nothing of the file is taken; correct it, or check an SBOM of the project",
    files: &["pom.xml"],
    path: None,
    sign: Sign::Root("project"),
    read: |input, _| read(input),
};

/// How often a property may stand for one that stands for another.
const STEPS: usize = 8;

struct Project<'a> {
    properties: BTreeMap<&'a str, Cow<'a, str>>,
    /// By `GROUP:NAME`, for dependencies that do not state it.
    managed: BTreeMap<String, Managed>,
    /// What takes the place of Maven Central.
    instead: Option<String>,
}

/// What is said once for all dependencies on an artifact.
struct Managed {
    version: Option<String>,
    /// The path of a file, if that is taken instead of an artifact.
    system: Option<String>,
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let document = input.xml()?;
    let root = document.root_element();
    if root.tag_name().name() != "project" || child(&root, "artifactId").is_none() {
        let reason = "the root is not a <project> with an <artifactId>";
        return Err(Fault::new(Some(line(&root)), reason));
    }
    let mut project = Project::of(&root);
    let managed = child(&root, "dependencyManagement");
    for dependency in managed.iter().flat_map(dependencies) {
        if let Some(coordinates) = project.coordinates(&dependency) {
            let managed = Managed {
                version: project.stated(&dependency, "version"),
                system: project.system(&dependency),
            };
            project.managed.insert(coordinates, managed);
        }
    }
    let (mut list, mut lines) = (List::default(), input.places());
    project.add_own(&root, &mut list)?;
    let mut any = false;
    for dependency in dependencies(&root) {
        any = true;
        project.add(&dependency, lines.of(dependency.range()), &mut list)?;
    }
    note_repositories(&root, &mut list);
    let profiles = child(&root, "profiles");
    let of_profiles: usize = profiles
        .iter()
        .flat_map(elements)
        .map(|profile| dependencies(&profile).len())
        .sum();
    if of_profiles > 0 {
        let text = format!("dependencies of its profiles, which are left out: {of_profiles}");
        list.note(None, &text);
    }
    if any || child(&root, "parent").is_some() {
        list.note(
            None,
            "what its dependencies and its parent need is not in a pom.xml: check what `mvn \
             dependency:tree` writes, or an SBOM",
        );
    }
    Ok(list)
}

/// Repositories besides Maven Central: each may have packages of the same names.
fn note_repositories(root: &Node<'_, '_>, list: &mut List) {
    for repository in child(root, "repositories").iter().flat_map(elements) {
        let stated = text(&repository, "url").unwrap_or_default();
        let url = stated.trim();
        if !url.is_empty() && !is_public_registry("maven", url) {
            let url = without_secrets(url);
            let text = format!("{url}: packages may come from there instead of Maven Central");
            list.note(Some(line(&repository)), &text);
        }
    }
}

/// The repository that has the name of Maven Central's, and so takes its place, unless another one
/// is Maven Central all the same.
fn instead(root: &Node<'_, '_>) -> Option<String> {
    let repositories: Vec<_> = child(root, "repositories")
        .iter()
        .flat_map(elements)
        .collect();
    let stated = |repository: &Node<'_, '_>, name: &str| {
        let stated = text(repository, name).unwrap_or_default();
        stated.trim().to_owned()
    };
    let mut urls = repositories
        .iter()
        .map(|repository| stated(repository, "url"));
    if urls.any(|url| is_public_registry("maven", &url)) {
        return None;
    }
    let mut all = repositories.iter();
    let central = all.find(|repository| stated(repository, "id") == "central")?;
    Some(stated(central, "url")).filter(|url| !url.is_empty())
}

fn dependencies<'a, 'i>(parent: &Node<'a, 'i>) -> Vec<Node<'a, 'i>> {
    child(parent, "dependencies")
        .iter()
        .flat_map(elements)
        .collect()
}

impl<'a> Project<'a> {
    fn of(root: &Node<'a, '_>) -> Self {
        let mut properties = BTreeMap::new();
        for property in child(root, "properties").iter().flat_map(elements) {
            let value = own_text(&property).trim().to_owned();
            properties.insert(property.tag_name().name(), Cow::Owned(value));
        }
        let parent = child(root, "parent");
        for (key, name) in [
            ("project.version", "version"),
            ("project.groupId", "groupId"),
        ] {
            let of_parent = parent.as_ref().and_then(|parent| text(parent, name));
            if let Some(value) = text(root, name).or(of_parent) {
                properties.insert(key, value);
            }
        }
        Project {
            properties,
            managed: BTreeMap::new(),
            instead: instead(root),
        }
    }

    /// The text of an element, with the values of properties in it; `None` if it is not there, or
    /// has one that the file does not say.
    fn stated(&self, parent: &Node<'_, '_>, name: &str) -> Option<String> {
        self.resolved(&text(parent, name)?)
    }

    /// A text with the values of properties in it; `None` if it has one that the file does not say.
    fn resolved(&self, text: &str) -> Option<String> {
        let mut value = text.to_owned();
        for _ in 0..STEPS {
            let Some((before, rest)) = value.split_once("${") else {
                return Some(value);
            };
            let (property, after) = rest.split_once('}')?;
            let stated = self.properties.get(property)?;
            let longer = before.len() + stated.len() + after.len();
            if longer > assay_claims::limits::PURL_BYTES {
                return None;
            }
            value = format!("{before}{stated}{after}");
        }
        None
    }

    fn coordinates(&self, node: &Node<'_, '_>) -> Option<String> {
        let (group, name) = (
            self.stated(node, "groupId")?,
            self.stated(node, "artifactId")?,
        );
        Some(format!("{group}:{name}"))
    }

    /// The path of the file that a dependency is, if it says that it is one: the systemPath.
    fn system(&self, dependency: &Node<'_, '_>) -> Option<String> {
        let is_local = self
            .stated(dependency, "scope")
            .is_some_and(|it| it.trim() == SYSTEM);
        is_local.then(|| {
            let path = text(dependency, "systemPath").unwrap_or_default();
            path.trim().to_owned()
        })
    }

    /// The same, of what may be said once for all.
    fn file(&self, dependency: &Node<'_, '_>, coordinates: &str) -> Option<String> {
        match child(dependency, "scope") {
            Some(_) => self.system(dependency),
            None => self.managed.get(coordinates)?.system.clone(),
        }
    }

    fn add_own(&self, root: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
        let name = text(root, "artifactId").unwrap_or_default();
        let group = self
            .properties
            .get("project.groupId")
            .map(|value| &**value)
            .unwrap_or_default();
        let version = self.properties.get("project.version");
        let version = version.and_then(|version| self.resolved(version));
        let version = version.as_deref().unwrap_or_default();
        let component = Component {
            name: name.clone().into_owned(),
            version: Some(version.to_owned()).filter(|version| !version.is_empty()),
            line: Some(line(root)),
            own: true,
            ..Component::default()
        };
        match maven(&format!("{group}:{name}"), version) {
            Some(parts) => list.package(component, parts),
            None => list.without_purl(component, "has no version"),
        }
    }

    fn add(&self, dependency: &Node<'_, '_>, at: u32, list: &mut List) -> Result<(), Fault> {
        let Some(coordinates) = self.coordinates(dependency) else {
            let name = text(dependency, "artifactId").unwrap_or_default();
            let reason = "has a group or name that the file does not say";
            return list.unidentified(Some(at), &name, reason);
        };
        let version = match child(dependency, "version") {
            Some(_) => self.stated(dependency, "version"),
            None => self
                .managed
                .get(&coordinates)
                .and_then(|it| it.version.clone()),
        };
        let Some(version) = version else {
            let reason = "has a version that the file does not say";
            return list.unidentified(Some(at), &coordinates, reason);
        };
        // What is asked for hard is what is got.
        let hard = version
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .filter(|inner| !inner.contains([',', '[', ']']));
        let version = hard.unwrap_or(&version).trim();
        if let Some(reason) = unpinned(version) {
            return list.unidentified(Some(at), &format!("{coordinates} {version}"), reason);
        }
        let component = Component {
            name: coordinates.clone(),
            version: Some(version.to_owned()),
            line: Some(at),
            dev: text(dependency, "scope").as_deref() == Some("test"),
            optional: text(dependency, "optional").as_deref() == Some("true"),
            ..Component::default()
        };
        match maven(&coordinates, version) {
            Some(mut parts) => {
                if let Some(path) = self.file(dependency, &coordinates) {
                    qualify_local(&mut parts, &path);
                    list.remark(LOCAL, Some(at), &coordinates);
                } else if let Some(repository) = &self.instead {
                    qualify(&mut parts, "repository_url", repository);
                    let remark = "from a repository that takes the place of Maven Central";
                    list.remark(remark, Some(at), &coordinates);
                }
                let stated = ["type", "classifier"].map(|name| child(dependency, name));
                let [kind, classifier] = ["type", "classifier"].map(|n| self.stated(dependency, n));
                if stated.iter().flatten().count() > kind.iter().chain(&classifier).count() {
                    let reason = "has a type or classifier that the file does not say";
                    return list.unidentified(Some(at), &coordinates, reason);
                }
                let kind = kind.unwrap_or_default();
                qualify_maven(&mut parts, &kind, classifier.as_deref());
                list.package(component, parts)
            }
            None => list.without_purl(component, "has no package URL"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::components::Format::PomXml;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    #[test]
    fn other_repositories_are_told() {
        let text = "<project><artifactId>a</artifactId><repositories>\
            <repository><url>https://repo.maven.apache.org/maven2</url></repository>\
            <repository><url>https://u:secret@mvn.test/r</url></repository>\
            </repositories></project>";
        let told = notes(&found(PomXml, text));
        let wanted = "https://mvn.test/r: packages may come from there instead of Maven Central";
        assert_eq!(
            told.lines()
                .filter(|line| line.contains("may come"))
                .collect::<Vec<_>>(),
            [wanted]
        );
    }

    /// Of repositories with one name Maven takes that of the project; Maven Central has one, too.
    #[test]
    fn a_repository_with_the_name_of_maven_central_takes_its_place() {
        let repository =
            |id: &str, url: &str| format!("<repository><id>{id}</id><url>{url}</url></repository>");
        let ours = repository("central", " https://u:secret@mvn.test/r ");
        let public = repository("x", "https://repo.maven.apache.org/maven2");
        for (repositories, place) in [
            (ours.clone(), "?repository_url=https:%2F%2Fmvn.test%2Fr"),
            (format!("{public}{ours}"), ""),
            (repository("corp", "https://mvn.test/r"), ""),
            (repository("central", "https://repo1.maven.org/maven2"), ""),
        ] {
            let text = format!(
                "<project><artifactId>d</artifactId><repositories>{repositories}</repositories>\
                 <dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId>\
                 <version>1.0</version></dependency></dependencies></project>"
            );
            let found = found(PomXml, &text);
            assert_eq!(
                lines(&found)[1],
                format!("pkg:maven/g/a@1.0{place} :1"),
                "{text}"
            );
            let told = notes(&found);
            assert_eq!(
                told.contains("takes the place"),
                !place.is_empty(),
                "{told}"
            );
            assert!(!told.contains("secret"), "{told}");
        }
    }

    #[test]
    fn dependencies_have_the_versions_that_the_file_says() {
        let dependency = |name: &str, rest: &str| {
            format!(
                "<dependency><groupId>org.a</groupId><artifactId>{name}</artifactId>{rest}</dependency>\n"
            )
        };
        let text = format!(
            "<project xmlns=\"http://maven.apache.org/POM/4.0.0\"><parent><groupId>com.e</groupId>\
             <version>7</version></parent><artifactId>shop</artifactId><properties><v>1.${{m}}</v><m>2</m>\
             <loop>${{loop}}</loop></properties><dependencyManagement><dependencies>{}</dependencies>\
             </dependencyManagement>\n<dependencies>{}{}{}{}{}{}{}{}{}{}</dependencies></project>",
            dependency("b", "<version>3.0</version>"),
            dependency("a", "<version>${v}</version><scope>test</scope>"),
            dependency("b", "<optional>true</optional>"),
            dependency("c", "<version>${project.version}</version>"),
            dependency("d", ""),
            dependency("e", "<version>[1.0,2.0)</version>"),
            dependency("f", "<version>${loop}</version>"),
            dependency("g", "<version>${unknown}</version>"),
            dependency(
                "h",
                "<version>[1.0]</version><classifier>c${m}</classifier><type>zip</type>"
            ),
            dependency("h", "<version>1.0</version><type>test-jar</type>"),
            dependency("h", "<version>1.0</version><classifier>${no}</classifier>"),
        );
        let found = found(PomXml, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:maven/com.e/shop@7 own :1",
                "pkg:maven/org.a/a@1.2 dev :3",
                "pkg:maven/org.a/b@3.0 optional :4",
                "pkg:maven/org.a/c@7 :5",
                "pkg:maven/org.a/h@1.0?classifier=c2&type=zip :10",
                "pkg:maven/org.a/h@1.0?classifier=tests :11",
            ]
        );
        assert_eq!(unidentified(&found).len(), 5, "{:?}", unidentified(&found));
    }

    /// Maven takes such a file as it is, whatever Maven Central has under these coordinates.
    #[test]
    fn a_file_beside_the_project_is_none_of_maven_central() {
        let dependency = |rest: &str| {
            format!(
                "<dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId>{rest}\
                 </dependency></dependencies>"
            )
        };
        let local = "<scope>system</scope><systemPath>${basedir}/lib/a-x.jar</systemPath>";
        let version = "<version>1.0</version>";
        let file = "pkg:maven/g/a@1.0?download_url=file:a-x.jar :1";
        for (managed, own, said) in [
            ("", format!("{version}{local}"), file),
            (local, version.to_owned(), file),
            (
                local,
                format!("{version}<scope>compile</scope>"),
                "pkg:maven/g/a@1.0 :1",
            ),
            (
                "",
                format!("{version}<scope> ${{s}} </scope>"),
                "pkg:maven/g/a@1.0?download_url=file: :1",
            ),
        ] {
            let text = format!(
                "<project><artifactId>d</artifactId><properties><s>system</s></properties>\
                 <dependencyManagement>{}</dependencyManagement>{}</project>",
                dependency(managed),
                dependency(&own)
            );
            let found = found(PomXml, &text);
            assert_eq!(lines(&found), ["(d) own :1", said], "{text}");
            assert_eq!(
                notes(&found).contains("from local files"),
                said.contains('?')
            );
        }
    }

    #[test]
    fn a_project_has_the_version_that_its_properties_say() {
        for (properties, said) in [
            ("<revision>1.5</revision>", "pkg:maven/c/d@1.5 own :1"),
            ("", "(d) own :1"),
        ] {
            let text = format!(
                "<project><groupId>c</groupId><artifactId>d</artifactId><version>${{revision}}\
                 </version><properties>{properties}</properties></project>"
            );
            assert_eq!(lines(&found(PomXml, &text)), [said], "{text}");
        }
    }

    /// Texts that stand for each other would be of any length.
    #[test]
    fn what_properties_come_to_is_no_longer_than_a_purl() {
        let of = |length: usize| {
            let text = format!(
                "<project><artifactId>d</artifactId><properties><v>{}</v></properties><dependencies>\
                 <dependency><groupId>g</groupId><artifactId>a</artifactId><version>${{v}}\
                 </version></dependency></dependencies></project>",
                "1".repeat(length)
            );
            unidentified(&found(PomXml, &text))
        };
        assert_eq!(of(100), [""; 0]);
        let long = of(assay_claims::limits::PURL_BYTES + 1);
        let said = ":1 g:a has a version that the file does not say";
        assert_eq!(long, [said]);
    }

    #[test]
    fn a_comment_does_not_cut_a_text_and_profiles_are_told_of() {
        let dependency = "<dependencies><dependency><groupId>org.a</groupId><artifactId>b\
            </artifactId><version>${v}</version></dependency></dependencies>";
        let text = format!(
            "<project><groupId>c</groupId><artifactId>d</artifactId><version>1<!-- -->2</version>\
             <properties><v>1.0.1<!-- -->5</v></properties>{dependency}\
             <profiles><profile><id>x</id>{dependency}</profile></profiles></project>"
        );
        let found = found(PomXml, &text);
        assert_eq!(
            lines(&found),
            ["pkg:maven/c/d@12 own :1", "pkg:maven/org.a/b@1.0.15 :1"]
        );
        let said = "dependencies of its profiles, which are left out: 1";
        assert!(notes(&found).contains(said), "{}", notes(&found));
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("<project/>", "x:1: the root is not"),
            (
                "<settings><artifactId>a</artifactId></settings>",
                "x:1: the root is not",
            ),
            ("<project>\n<artifactId>", "x:1: is not XML"),
        ] {
            let error = refusal(PomXml, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
