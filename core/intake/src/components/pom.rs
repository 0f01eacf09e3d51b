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

/// What the file says of the project and of its parent, from which the project has what it does not
/// say itself, but for the name.
const MODEL: [(&str, &str, &str); 3] = [
    ("artifactId", "parent.artifactId", "artifactId"),
    ("groupId", "parent.groupId", "groupId"),
    ("version", "parent.version", "version"),
];

/// Which dependency is not told by the file, and why.
type Unsaid = (String, &'static str);

/// How often a property may stand for one that stands for another.
const STEPS: usize = 8;

struct Project<'a> {
    /// What the file says of the project itself, by the path to it: `parent.version`.
    model: BTreeMap<&'static str, Cow<'a, str>>,
    properties: BTreeMap<&'a str, Cow<'a, str>>,
    /// By their [`Artifact::key`], for dependencies that do not state it.
    managed: BTreeMap<String, Managed>,
    /// What takes the place of Maven Central.
    instead: Option<String>,
}

/// What is said once for all dependencies on an artifact.
struct Managed {
    version: Option<String>,
    is_test: bool,
    /// The path of a file, if that is taken instead of an artifact.
    system: Option<String>,
}

/// What a dependency is on, without the version.
struct Artifact {
    /// `GROUP:NAME`
    coordinates: String,
    kind: String,
    classifier: String,
}

impl Artifact {
    /// What it is managed by (Maven's `Dependency.getManagementKey`): one name has several files,
    /// and each a version of its own.
    fn key(&self) -> String {
        let kind = Some(self.kind.as_str()).filter(|kind| !kind.is_empty());
        let (kind, classifier) = (kind.unwrap_or("jar"), &self.classifier);
        format!("{}:{kind}:{classifier}", self.coordinates)
    }
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
        if let Ok(artifact) = project.artifact(&dependency) {
            let managed = Managed {
                version: project.stated(&dependency, "version"),
                is_test: project.is_test(&dependency),
                system: project.system(&dependency),
            };
            project.managed.insert(artifact.key(), managed);
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
        let (mut model, parent) = (BTreeMap::new(), child(root, "parent"));
        for (key, of_parent, name) in MODEL {
            let inherited = parent.as_ref().and_then(|parent| text(parent, name));
            if let Some(value) = &inherited {
                model.insert(of_parent, value.clone());
            }
            let inherited = inherited.filter(|_| name != "artifactId");
            if let Some(value) = text(root, name).or(inherited) {
                model.insert(key, value);
            }
        }
        Project {
            model,
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
            let stated = self.property(property)?;
            let longer = before.len() + stated.len() + after.len();
            if longer > assay_claims::limits::PURL_BYTES {
                return None;
            }
            value = format!("{before}{stated}{after}");
        }
        None
    }

    /// What a name in `${…}` stands for: something of the project, with or without a word for it in
    /// front, or a property, which is taken before one without (Maven's model interpolation).
    fn property(&self, name: &str) -> Option<&str> {
        let mut words = ["project.", "pom."].into_iter();
        let path = words.find_map(|word| name.strip_prefix(word));
        let of_model = path.and_then(|path| self.model.get(path));
        let stated = of_model.or_else(|| self.properties.get(name));
        stated
            .or_else(|| self.model.get(name))
            .map(|value| &**value)
    }

    /// What a dependency is on; else what the file does not say.
    fn artifact(&self, node: &Node<'_, '_>) -> Result<Artifact, Unsaid> {
        let stated = |name: &str| self.stated(node, name);
        let (Some(group), Some(name)) = (stated("groupId"), stated("artifactId")) else {
            let name = text(node, "artifactId").unwrap_or_default();
            return Err((
                name.into_owned(),
                "has a group or name that the file does not say",
            ));
        };
        let coordinates = format!("{group}:{name}");
        let optional = |name: &str| match text(node, name) {
            Some(text) => self.resolved(&text),
            None => Some(String::new()),
        };
        let (Some(kind), Some(classifier)) = (optional("type"), optional("classifier")) else {
            let reason = "has a type or classifier that the file does not say";
            return Err((coordinates, reason));
        };
        Ok(Artifact {
            coordinates,
            kind: kind.trim().to_owned(),
            classifier: classifier.trim().to_owned(),
        })
    }

    /// Whether the scope of a dependency, if it states one, is that of tests.
    fn is_test(&self, dependency: &Node<'_, '_>) -> bool {
        let scope = self.stated(dependency, "scope");
        scope.is_some_and(|scope| scope.trim() == "test")
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

    fn add_own(&self, root: &Node<'_, '_>, list: &mut List) -> Result<(), Fault> {
        let name = text(root, "artifactId").unwrap_or_default();
        let group = self.property("project.groupId").unwrap_or_default();
        let version = self.property("project.version");
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
        let artifact = match self.artifact(dependency) {
            Ok(artifact) => artifact,
            Err((what, reason)) => return list.unidentified(Some(at), &what, reason),
        };
        let coordinates = &artifact.coordinates;
        let managed = self.managed.get(&artifact.key());
        let version = match child(dependency, "version") {
            Some(_) => self.stated(dependency, "version"),
            None => managed.and_then(|managed| managed.version.clone()),
        };
        let Some(version) = version else {
            let reason = "has a version that the file does not say";
            return list.unidentified(Some(at), coordinates, reason);
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
        // What is said of all holds for those that say no scope themselves.
        let managed = managed.filter(|_| child(dependency, "scope").is_none());
        let component = Component {
            name: coordinates.clone(),
            version: Some(version.to_owned()),
            line: Some(at),
            dev: self.is_test(dependency) || managed.is_some_and(|it| it.is_test),
            optional: text(dependency, "optional").as_deref() == Some("true"),
            ..Component::default()
        };
        let Some(mut parts) = maven(coordinates, version) else {
            return list.without_purl(component, "has no package URL");
        };
        let file = self.system(dependency);
        if let Some(path) = file.or_else(|| managed?.system.clone()) {
            qualify_local(&mut parts, &path);
            list.remark(LOCAL, Some(at), coordinates);
        } else if let Some(repository) = &self.instead {
            qualify(&mut parts, "repository_url", repository);
            let remark = "from a repository that takes the place of Maven Central";
            list.remark(remark, Some(at), coordinates);
        }
        qualify_maven(&mut parts, &artifact.kind, Some(&artifact.classifier));
        list.package(component, parts)
    }
}

#[cfg(test)]
mod tests;
