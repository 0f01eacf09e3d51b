//! What `mvn dependency:tree` writes (maven-dependency-plugin): the project at the root, and each
//! artifact as `GROUP:NAME:TYPE[:CLASSIFIER]:VERSION:SCOPE`, in a line of its own
//! (`outputType=text`) or at the end of an arrow (`dot`); or all of them as objects (`json`).

use super::component::Component;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin::{LOCAL, SYSTEM, maven, qualify_local, qualify_maven};
use super::reader::{Head, Reader, Sign};
use assay_claims::kind::node::quoted;
use assay_claims::purl;

pub(super) const READER: Reader = Reader {
    name: "Maven dependency tree",
    is_sbom: false,
    remedy: "nothing of the file is taken; let `mvn dependency:tree -DoutputFile=FILE` write it",
    files: &["dependency-tree.txt"],
    path: None,
    sign: Sign::Text(|head| is_graph(head) || head.text().lines().take(200).any(is_branch)),
    read: |input, _| read(input),
};

pub(super) const JSON: Reader = Reader {
    name: "Maven dependency tree JSON",
    is_sbom: false,
    remedy: "nothing of the file is taken; let `mvn dependency:tree -DoutputType=json` write it",
    files: &["dependency-tree.json"],
    path: None,
    sign: Sign::Member("artifactId"),
    read: |input, _| read_json(input),
};

/// What a graph begins with (`outputType=dot`).
const GRAPH: &str = "digraph \"";

fn is_graph(head: &Head<'_>) -> bool {
    head.has(GRAPH) || head.has(&format!("[INFO] {GRAPH}"))
}

fn read_json(input: &Input<'_>) -> Result<List, Fault> {
    let mut list = List::default();
    read_object(&Node::root("$", input.json()?), true, &mut list)?;
    Ok(list)
}

/// Adds the artifact that an object is, and those below it. JSON nests no deeper than is read.
fn read_object(object: &Node<'_, '_>, own: bool, list: &mut List) -> Result<(), Fault> {
    let (group, name) = (
        object.need("groupId")?.text()?,
        object.need("artifactId")?.text()?,
    );
    let version = object.need("version")?.text()?;
    let Some(mut parts) = maven(&format!("{group}:{name}"), version) else {
        return Err(object.fault("is no artifact").into());
    };
    let kind = object.shown("type").unwrap_or("jar");
    qualify_maven(&mut parts, kind, object.shown("classifier"));
    qualify_system(&mut parts, object.shown("scope"), None, list);
    let optional = object.value().get("optional");
    let component = Component {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        own,
        dev: object.shown("scope") == Some("test"),
        optional: optional
            .is_some_and(|it| it.as_bool() == Some(true) || it.as_str() == Some("true")),
        ..Component::default()
    };
    list.package(component, parts)?;
    if let Some(children) = object.get("children") {
        for child in children.items()? {
            read_object(&child, false, list)?;
        }
    }
    Ok(())
}

/// Adds the artifacts of a graph: what it is of, and each that an arrow leads to. What was left out
/// for another place where it stands is in brackets.
fn read_graph(input: &Input<'_>) -> Result<List, Fault> {
    let mut list = List::default();
    for (number, line) in input.lines() {
        let line = line.strip_prefix("[INFO]").unwrap_or(line).trim();
        let (text, is_drawn) = match line.split_once(" -> ") {
            Some((_, to)) => (to, true),
            None if line.starts_with(GRAPH) => (line, false),
            None => continue,
        };
        let text = text.split('"').nth(1).unwrap_or_default();
        if is_drawn && text.starts_with('(') {
            continue;
        }
        let Some((parts, scope)) = artifact(text, is_drawn) else {
            return Err(Fault::at(
                number,
                format!("{} is no artifact", quoted(text)),
            ));
        };
        add(number, text, (parts, scope), &mut list)?;
    }
    Ok(list)
}

/// Whether a line is one of a tree that says what an artifact is.
fn is_branch(line: &str) -> bool {
    let line = line.strip_prefix("[INFO] ").unwrap_or(line);
    let is_drawn = line.starts_with("+- ") || line.starts_with("\\- ");
    is_drawn && line.matches(':').count() >= 3
}

/// What Maven puts before warnings, which are no part of a tree.
const WARNING: &str = "[WARNING]";

/// What Maven puts before the name of the plugin that it runs, which newer versions write as that
/// of an artifact.
const BANNER: &str = "[INFO] --- ";

/// What the lines of a tree are drawn with.
const DRAWN: [char; 5] = ['|', '+', '\\', '-', ' '];

fn read(input: &Input<'_>) -> Result<List, Fault> {
    if is_graph(&Head::new(input.text())) {
        return read_graph(input);
    }
    let mut list = List::default();
    let mut roots = 0;
    for (number, line) in input.lines() {
        if line.starts_with(WARNING) || line.starts_with(BANNER) {
            continue;
        }
        let (log, text) = match line.strip_prefix("[INFO]") {
            Some(text) => (true, text.strip_prefix(' ').unwrap_or(text)),
            None => (false, line),
        };
        let bare = text.trim_start_matches(DRAWN).trim_end();
        let is_drawn = text.starts_with(['|', '+', '\\', ' ']);
        // What was left out for another place where it stands, in verbose trees.
        if bare.is_empty() || (is_drawn && bare.starts_with('(')) {
            continue;
        }
        let parts = artifact(bare, is_drawn);
        let Some((parts, scope)) = parts else {
            // Maven logs other things, too.
            if log && !is_drawn {
                continue;
            }
            return Err(Fault::at(
                number,
                format!("{} is no artifact", quoted(bare)),
            ));
        };
        roots += usize::from(scope.is_none());
        add(number, bare, (parts, scope), &mut list)?;
    }
    if roots == 0 {
        return Err(Fault::new(
            None,
            "the file has no project at the root of a tree",
        ));
    }
    Ok(list)
}

fn add(
    line: u32,
    text: &str,
    (mut parts, scope): (purl::Components, Option<&str>),
    list: &mut List,
) -> Result<(), Fault> {
    qualify_system(&mut parts, scope, Some(line), list);
    let component = Component {
        name: parts.name.clone(),
        version: parts.version.clone(),
        line: Some(line),
        own: scope.is_none(),
        dev: scope == Some("test"),
        optional: text.ends_with("(optional)"),
        ..Component::default()
    };
    list.package(component, parts)
}

/// Says of an artifact that it is a local file, if it has the scope of those. Which file it is no
/// tree says.
fn qualify_system(
    parts: &mut purl::Components,
    scope: Option<&str>,
    line: Option<u32>,
    list: &mut List,
) {
    if scope == Some(SYSTEM) {
        qualify_local(parts, "");
        list.remark(LOCAL, line, &parts.name);
    }
}

/// The parts of an artifact's purl and its scope, which the root has not.
fn artifact(line: &str, is_drawn: bool) -> Option<(purl::Components, Option<&str>)> {
    let word = line.split(' ').next().unwrap_or_default();
    let words: Vec<&str> = word.split(':').collect();
    let (words, scope) = match words.split_last()? {
        (scope, words) if is_drawn => (words, Some(*scope)),
        _ => (words.as_slice(), None),
    };
    let (group, name, kind, classifier, version) = match words {
        [group, name, kind, version] => (group, name, kind, None, version),
        [group, name, kind, classifier, version] => (group, name, kind, Some(*classifier), version),
        _ => return None,
    };
    let mut parts = maven(&format!("{group}:{name}"), version)?;
    qualify_maven(&mut parts, kind, classifier);
    Some((parts, scope))
}

#[cfg(test)]
mod tests {
    use crate::components::Format::{MavenTree, MavenTreeJson};
    use crate::components::tests::{found, lines, notes, refusal};

    #[test]
    fn the_root_is_the_project_and_all_below_are_components() {
        let text = "[INFO] Scanning for projects...\n[INFO] \n[WARNING] a:b:jar:9 is \
             odd\n[INFO] --- org.apache:maven-dependency-plugin:3.6.1:tree (default) @ \
            shop ---\n[INFO] --- dependency:3.6.1:tree \
             (default) @ \
            shop ---\n[INFO] com.e:shop:jar:1.0\n[INFO] +- org.a:b:jar:2.0:compile\n[INFO] |  \\- \
            org.a:c:jar:linux:3.0:runtime (optional)\n[INFO] |     (org.a:b:jar:2.0:compile - \
                 omitted for \
            duplicate)\n[INFO] \\- org.a:t:jar:4:test\n[INFO] BUILD SUCCESS\n";
        assert_eq!(
            lines(&found(MavenTree, text)),
            [
                "pkg:maven/com.e/shop@1.0 own :6",
                "pkg:maven/org.a/b@2.0 :7",
                "pkg:maven/org.a/c@3.0?classifier=linux optional :8",
                "pkg:maven/org.a/t@4 dev :10",
            ]
        );
    }

    #[test]
    fn a_tree_is_the_same_in_each_of_its_forms() {
        let expected = [
            "pkg:maven/com.e/shop@1.0 own",
            "pkg:maven/org.a/b@2.0",
            "pkg:maven/org.a/c@3.0?classifier=linux&type=so optional",
            "pkg:maven/org.a/t@4 dev",
        ];
        let json = r#"{"groupId":"com.e","artifactId":"shop","version":"1.0","type":"jar","scope":"",
            "classifier":"","optional":"false","children":[
            {"groupId":"org.a","artifactId":"b","version":"2.0","type":"jar","scope":"compile","classifier":"",
             "optional":"false","children":[{"groupId":"org.a","artifactId":"c","version":"3.0","type":"so",
              "scope":"runtime","classifier":"linux","optional":"true"}]},
            {"groupId":"org.a","artifactId":"t","version":"4","type":"jar","scope":"test"}]}"#;
        let mut read = lines(&found(MavenTreeJson, json));
        read.sort();
        assert_eq!(read, expected);
        let dot = "digraph \"com.e:shop:jar:1.0\" { \n \t\"com.e:shop:jar:1.0\" -> \
            \"org.a:b:jar:2.0:compile\" ; \n\t\"com.e:shop:jar:1.0\" -> \"org.a:t:jar:4:test\" ; \
            \n\t\"org.a:b:jar:2.0:compile\" -> \"org.a:c:so:linux:3.0:runtime (optional)\" ; \
            \n\t\"org.a:t:jar:4:test\" -> \"(org.a:b:jar:2.0:test - omitted for duplicate)\" ; \
            \n } ";
        for text in [
            dot.to_owned(),
            format!("[INFO] {}", dot.replace('\n', "\n[INFO] ")),
        ] {
            let found = lines(&found(MavenTree, &text));
            let mut bare: Vec<_> = found
                .iter()
                .filter_map(|line| line.split(" :").next())
                .collect();
            bare.sort_unstable();
            assert_eq!(bare, expected);
        }
        for (format, text, said) in [
            (
                MavenTree,
                "digraph \"a\" {\n}\n",
                "x:1: \"a\" is no artifact",
            ),
            (
                MavenTreeJson,
                r#"{"artifactId":"a"}"#,
                "x:1: $.groupId: is missing",
            ),
            (
                MavenTreeJson,
                r#"{"groupId":"g","artifactId":"a","version":"1","children":[{}]}"#,
                "x:1: $.children[0].groupId: is missing",
            ),
        ] {
            let error = refusal(format, text);
            assert!(error.starts_with(said), "{error}");
        }
    }

    #[test]
    fn a_local_file_is_none_of_maven_central() {
        let tree = "com.e:shop:jar:1.0\n\\- org.a:b:jar:2.0:system\n";
        let graph = "digraph \"com.e:shop:jar:1.0\" {\n\"com.e:shop:jar:1.0\" -> \
            \"org.a:b:jar:2.0:system\" ;\n}\n";
        let json = r#"{"groupId":"com.e","artifactId":"shop","version":"1.0","children":[
            {"groupId":"org.a","artifactId":"b","version":"2.0","scope":"system"}]}"#;
        for (format, text) in [(MavenTree, tree), (MavenTree, graph), (MavenTreeJson, json)] {
            let found = found(format, text);
            let of_file = &lines(&found)[1];
            let expected = "pkg:maven/org.a/b@2.0?download_url=file:";
            assert!(of_file.starts_with(expected), "{of_file}");
            assert!(
                notes(&found).starts_with("from local files"),
                "{}",
                notes(&found)
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            ("a:b:jar:1\n+- c:d\n", "x:2: \"c:d\" is no artifact"),
            ("a:b:jar:1\nodd\n", "x:2: \"odd\" is no artifact"),
            (
                "a:b:jar:1\n[ERROR] odd\n",
                "x:2: \"[ERROR] odd\" is no artifact",
            ),
            ("+- a:b:jar:1:compile\n", "x: the file has no project"),
            ("a::jar:1\n", "x:1: "),
        ] {
            let error = refusal(MavenTree, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
