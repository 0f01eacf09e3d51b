//! What `mvn dependency:tree` writes (maven-dependency-plugin, `outputType=text`): the project at
//! the root, then a line for each artifact, `GROUP:NAME:TYPE[:CLASSIFIER]:VERSION:SCOPE`.

use super::component::Component;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin::{maven, qualify_maven};
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;
use assay_claims::purl;

pub(super) const READER: Reader = Reader {
    name: "Maven dependency tree",
    is_sbom: false,
    remedy: "nothing of the file is taken; let `mvn dependency:tree -DoutputFile=FILE` write it",
    files: &["dependency-tree.txt"],
    path: None,
    sign: Sign::Text(|head| head.text().lines().take(200).any(is_branch)),
    read: |input, _| read(input),
};

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
        let component = Component {
            name: parts.name.clone(),
            version: parts.version.clone(),
            line: Some(number),
            own: scope.is_none(),
            dev: scope == Some("test"),
            optional: bare.ends_with("(optional)"),
            ..Component::default()
        };
        list.package(component, parts)?;
    }
    if roots == 0 {
        return Err(Fault::new(
            None,
            "the file has no project at the root of a tree",
        ));
    }
    Ok(list)
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
    use crate::components::Format::MavenTree;
    use crate::components::tests::{found, lines, refusal};

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
