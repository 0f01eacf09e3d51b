//! `requirements.txt` (pip's documentation, "Requirements File Format"; the requirements themselves
//! are those of PEP 508).
//!
//! Only what is pinned (`==`) names a version. Everything else that pip would install is counted as
//! unidentified.

use super::component::Component;
use super::digest::{self, Digests};
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin::{self, without_secrets};
use super::python::{is_archive, name_of};
use super::reader::{Reader, Sign};
use address::{read_address, read_editable, read_unnamed};
use assay_claims::kind::node::quoted;
use assay_claims::purl;
use options::{EXTRA_INDEX, INDEX, Index, LINKS, Named};

mod address;
mod options;

pub(super) const READER: Reader = Reader {
    name: "requirements.txt",
    is_sbom: false,
    remedy: "nothing of the file is taken; correct the line",
    files: &[],
    path: Some(is_requirements),
    sign: Sign::Text(|head| head.generated_by("by uv via") || head.generated_by("by pip-compile")),
    read: |input, _| read(input),
};

/// Whether a path is that of a file of requirements: `requirements.txt`, `dev-requirements.txt`,
/// `constraints.txt`, those of pip-tools (`requirements.in`) and of Rye (`requirements.lock`), and
/// any text in a folder `requirements`.
fn is_requirements(path: &str, name: &str) -> bool {
    let folder = path.rsplit(['/', '\\']).nth(1).unwrap_or_default();
    let says = |word: &str| name.contains(word);
    (name.ends_with(".txt") && (says("requirements") || says("constraints")))
        || ["requirements.lock", "requirements-dev.lock"].contains(&name)
        || (name.ends_with(".in") && says("requirements"))
        || (folder == "requirements" && (name.ends_with(".txt") || name.ends_with(".in")))
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let mut index = Index::default();
    each_line(input, |_, line| {
        if line.starts_with('-') {
            index.read(line);
        }
        Ok(())
    })?;
    let mut list = List::default();
    each_line(input, |number, line| {
        read_line(number, line, &index, &mut list)
    })?;
    Ok(list)
}

/// Hands out each line, joined with those that continue it and without its comment, with the number
/// of its beginning.
fn each_line(
    input: &Input<'_>,
    mut take: impl FnMut(u32, &str) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let mut joined = String::new();
    let mut begins = 0;
    for (number, line) in input.lines() {
        if joined.is_empty() {
            begins = number;
        }
        // pip joins lines first, and takes comments away then; a comment cannot be continued.
        match line
            .strip_suffix('\\')
            .filter(|_| !line.trim_start().starts_with('#'))
        {
            Some(part) => {
                joined.push_str(part);
                joined.push(' ');
            }
            None => {
                joined.push_str(line);
                take(begins, without_comment(&joined))?;
                joined.clear();
            }
        }
    }
    if !joined.trim().is_empty() {
        return Err(Fault::at(
            begins,
            "the line is continued by \\, but the file ends",
        ));
    }
    Ok(())
}

/// A comment begins the line or stands after white space.
fn without_comment(line: &str) -> &str {
    let mut end = line.len();
    for (at, _) in line.match_indices('#') {
        let before = line.get(..at).unwrap_or_default();
        if before.is_empty() || before.ends_with([' ', '\t']) {
            end = at;
            break;
        }
    }
    line.get(..end).unwrap_or_default().trim()
}

fn read_line(number: u32, line: &str, index: &Index, list: &mut List) -> Result<(), Fault> {
    if line.is_empty() {
        return Ok(());
    }
    if line.starts_with('-') {
        let mut options = options::options(line).into_iter();
        return options.try_for_each(|option| read_option(number, &option, index, list));
    }
    let (requirement, hashes) = cut_hashes(number, line)?;
    // A marker says where it is installed, which is not judged here.
    let (requirement, _marker) = requirement.split_once(';').unwrap_or((requirement, ""));
    let requirement = requirement.trim();
    let Some((name, rest)) = cut_name(requirement) else {
        let name = name_of(requirement).filter(|_| requirement.contains("://"));
        let Some(name) = name else {
            return read_unnamed(number, requirement, list);
        };
        let component = Component {
            name: name.into(),
            digests: hashes,
            line: Some(number),
            ..Component::default()
        };
        return read_address(component, requirement, list);
    };
    let component = Component {
        name: name.into(),
        digests: hashes,
        line: Some(number),
        ..Component::default()
    };
    if component.digests.is_empty() && !rest.starts_with('@') {
        list.remark(
            "without a hash, so that whoever serves it may serve something else",
            Some(number),
            name,
        );
    }
    match rest.strip_prefix('@') {
        Some(address) => read_address(component, address.trim(), list),
        None => read_versions(component, rest, (requirement, index), list),
    }
}

fn read_option(
    number: u32,
    option: &Named<'_>,
    index: &Index,
    list: &mut List,
) -> Result<(), Fault> {
    let (at, value) = (Some(number), option.value);
    let written = option.written;
    let shown = without_secrets(value);
    match option.name {
        "--requirement" => {
            let reason = if index.is_of_pypi() {
                "names another file, which is not followed: check that, too"
            } else {
                "names another file, which is not followed, and what it names is not from PyPI \
                 either: write the options for the index into that, and check it, too"
            };
            return list.unidentified(at, &format!("{written} {shown}"), reason);
        }
        "--editable" if value.starts_with("git+") => return read_editable(number, value, list),
        "--editable" => {
            let reason = "is editable: what it is changes without its name";
            return list.unidentified(at, &format!("{written} {shown}"), reason);
        }
        "--constraint" => list.note(
            at,
            &format!("{written} {shown} constrains versions, and is not followed"),
        ),
        INDEX | EXTRA_INDEX | LINKS if purl::is_public_registry("pypi", value) => {}
        INDEX | EXTRA_INDEX | LINKS => list.note(
            at,
            &format!("{written} {shown}: packages may come from there instead of PyPI"),
        ),
        _ if option.is_known() => {}
        _ => return list.unidentified(at, written, "is an option that is not known here"),
    }
    Ok(())
}

/// Parts the requirement and the digests of its options `--hash=ALGORITHM:HEX`.
fn cut_hashes(number: u32, line: &str) -> Result<(&str, Digests), Fault> {
    let options_at = line
        .match_indices("--")
        .map(|(at, _)| at)
        .find(|at: &usize| {
            line.get(..*at)
                .is_some_and(|before| before.ends_with([' ', '\t']))
        });
    let (requirement, options) = line.split_at(options_at.unwrap_or(line.len()));
    let mut digests = Vec::new();
    let mut words = options.split_whitespace();
    while let Some(word) = words.next() {
        let hash = match word.strip_prefix("--hash") {
            Some("") => words.next(),
            Some(value) => value.strip_prefix('='),
            // --config-settings and the like say nothing of what is installed.
            None => continue,
        };
        let digest = digest::prefixed(hash.unwrap_or_default());
        digests.extend(
            digest.map_err(|reason| Fault::at(number, format!("{} {reason}", quoted(word))))?,
        );
    }
    Ok((requirement, digests))
}

/// Parts a requirement's name and what follows its extras; `None` if it does not begin with a name
/// (PEP 508).
fn cut_name(requirement: &str) -> Option<(&str, &str)> {
    let end = requirement.find(|c: char| !(c.is_ascii_alphanumeric() || ".-_".contains(c)));
    let (name, rest) = requirement.split_at(end.unwrap_or(requirement.len()));
    let is_edge = |c: char| c.is_ascii_alphanumeric();
    if !(name.starts_with(is_edge) && name.ends_with(is_edge)) || is_archive(name) {
        return None;
    }
    let rest = rest.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(extras) => extras.split_once(']')?.1.trim_start(),
        None => rest,
    };
    (rest.is_empty() || rest.starts_with(['=', '<', '>', '!', '~', '(', '@']))
        .then_some((name, rest))
}

/// The version of a specifier that only one version meets (PEP 440, "Version matching").
fn pinned(specifier: &str) -> Option<&str> {
    let specifier = specifier.trim();
    let exact = specifier.strip_prefix("===");
    let version = exact.or_else(|| specifier.strip_prefix("=="))?.trim();
    let is_one = !version.is_empty() && !version.contains(['*', '=', '<', '>', '~']);
    is_one.then_some(version)
}

fn read_versions(
    mut component: Component,
    versions: &str,
    (whole, index): (&str, &Index),
    list: &mut List,
) -> Result<(), Fault> {
    let versions = versions.trim();
    let versions = versions
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
        .unwrap_or(versions);
    // One that pins does so whatever stands beside it.
    let mut pinned = versions.split(',').filter_map(pinned);
    let (Some(version), None) = (pinned.next(), pinned.next()) else {
        let reason = "is not pinned: write NAME==VERSION";
        return if component.digests.is_empty() {
            list.unidentified(component.line, whole, reason)
        } else {
            list.without_purl(component, reason)
        };
    };
    if version.contains(char::is_whitespace) {
        return Err(Fault::new(
            component.line,
            format!("{} is no version", quoted(version)),
        ));
    }
    let mut parts = origin::package("pypi", &component.name, Some(version));
    component.version = Some(version.to_owned());
    index.locate(&component, &mut parts, list);
    list.package(component, parts)
}

#[cfg(test)]
mod tests {
    use crate::components::Format::Requirements;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    const COMMIT: &str = "17620a225744b4a18845d4f7bf63354e01109b91";

    #[test]
    fn pinned_requirements_are_components_with_their_hashes() {
        let hash = "ab".repeat(32);
        let text = format!(
            "# a comment \\\nTyping_Extensions==4.0  # another\nb[x, y] == 1.0 ; python_version < \
             \"3\" \\\n    --hash=sha256:{hash} \\\n    --hash sha512:{}\r\n\nc \
             (===2!1.0+l)\t--hash=md5:{0}\nb==2.0\n\n",
            hash.repeat(2)
        );
        let found = found(Requirements, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:pypi/typing-extensions@4.0 :2",
                "pkg:pypi/b@1.0 sha256 sha512 :3",
                "pkg:pypi/c@2%211.0%2Bl :7",
                "pkg:pypi/b@2.0 :8"
            ]
        );
        assert_eq!(found.list[0].name, "Typing_Extensions");
        assert_eq!(
            notes(&found),
            "without a hash, so that whoever serves it may serve something else: \
             Typing_Extensions, c, b"
        );
    }

    #[test]
    fn whatever_else_would_be_installed_is_counted() {
        for (line, said) in [
            ("a", "a is not pinned"),
            ("a>=1.0", "a>=1.0 is not pinned"),
            ("a==1.*", "a==1.* is not pinned"),
            ("a>=1.0,!=1.1", "a>=1.0,!=1.1 is not pinned"),
            ("a==1.0,==1.1", "a==1.0,==1.1 is not pinned"),
            ("a==1.*,>1", "a==1.*,>1 is not pinned"),
            ("a==", "a== is not pinned"),
            ("a~=1.0", "a~=1.0 is not pinned"),
            ("-r other.txt", "-r other.txt names another file"),
            ("-rother.txt", "-r other.txt names another file"),
            (
                "--requirement=other.txt",
                "--requirement other.txt names another file",
            ),
            ("-e .", "-e . is editable"),
            (
                "https://u:secret@host/a.whl",
                "https://host/a.whl is an address without name",
            ),
            ("./a.whl", "./a.whl is a local file"),
            (
                "a-1.0-py3-none-any.whl",
                "a-1.0-py3-none-any.whl is a local file",
            ),
            (
                "a @ https://host/a.whl",
                "a is from an address, without a hash",
            ),
            (
                "a @ git+https://host/a@main",
                "a is from git at \"main\", which says no version",
            ),
            ("--odd=1", "--odd is an option that is not known here"),
        ] {
            let found = found(Requirements, &format!("\n{line}\n"));
            assert!(
                found.list.is_empty() && found.unidentified.len() == 1,
                "{line}"
            );
            assert!(
                unidentified(&found)[0].starts_with(&format!(":2 {said}")),
                "{:?}",
                unidentified(&found)
            );
        }
    }

    #[test]
    fn sources_are_of_the_version_that_is_their_commit() {
        let named = format!(
            "pkg:pypi/a@{COMMIT}?vcs_url=git%2Bhttps:%2F%2Fhost%2Fa%40{COMMIT} gitCommit :1"
        );
        for (line, said) in [
            (format!("a @ git+https://host/a@{COMMIT}"), named.clone()),
            (format!("-e git+https://host/a@{COMMIT}#egg=a"), named),
            (
                format!("-e git+https://host/a@{COMMIT}"),
                format!("(git+https://host/a@{COMMIT}) gitCommit :1"),
            ),
            (
                "a @ git+https://u:s@host/a@v1.2.0#egg=a".to_owned(),
                "pkg:pypi/a@1.2.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fa%40v1.2.0 :1".to_owned(),
            ),
        ] {
            assert_eq!(lines(&found(Requirements, &line)), [said], "{line}");
        }
        // The user is no revision.
        for (line, said) in [
            (
                "a @ git+ssh://git@host/o/a",
                ":1 a is from git, and pinned to nothing",
            ),
            (
                "a @ git+https://host/a@main",
                ":1 a is from git at \"main\"",
            ),
            (
                "-e git+https://host/a@v1.2.0",
                "is from git, and has neither a name nor a commit",
            ),
        ] {
            let found = unidentified(&found(Requirements, line)).concat();
            assert!(found.contains(said), "{found}");
        }
    }

    #[test]
    fn a_file_is_named_by_its_address() {
        let (pypi, sum) = ("https://files.pythonhosted.org/p", "ab".repeat(32));
        for (line, said) in [
            (
                format!("{pypi}/Six_URL-1.16.0-py2.py3-none-any.whl#sha256={sum}"),
                "pkg:pypi/six-url@1.16.0 sha256 :1",
            ),
            (format!("{pypi}/a-b-1.0.tar.gz"), "pkg:pypi/a-b@1.0 :1"),
            (
                "https://host/a-1.0.tar.gz".to_owned(),
                "pkg:pypi/a@1.0?download_url=https:%2F%2Fhost%2Fa-1.0.tar.gz :1",
            ),
        ] {
            assert_eq!(lines(&found(Requirements, &line)), [said], "{line}");
        }
    }

    #[test]
    fn what_pins_does_so_whatever_stands_beside_it() {
        for line in ["a==1.0,!=1.1", "a>=0.5, ==1.0", "a (==1.0,<2)", "a===1.0"] {
            assert_eq!(
                lines(&found(Requirements, line)),
                ["pkg:pypi/a@1.0 :1"],
                "{line}"
            );
        }
    }

    #[test]
    fn a_digest_is_enough_without_a_version() {
        let hash = "ab".repeat(32);
        for (line, digest) in [
            (format!("a @ https://host/a.whl#sha256={hash}"), "sha256"),
            (
                format!("a @ https://host/a.whl --hash=sha256:{hash}"),
                "sha256",
            ),
            (format!("a>=1.0 --hash=sha256:{hash}"), "sha256"),
        ] {
            let found = found(Requirements, &line);
            assert_eq!(lines(&found), [format!("(a) {digest} :1")]);
            assert_eq!(notes(&found), "known only by digest: a");
        }
    }

    #[test]
    fn options_that_change_where_packages_come_from_are_noted() {
        let text = "-i https://u:secret@host/simple\n--extra-index-url=https://b\n-c \
            c.txt\n--pre\n--require-hashes\n";
        let found = found(Requirements, text);
        assert!(!notes(&found).contains("secret"));
        assert_eq!(unidentified(&found), ["the whole file names no components"]);
        assert_eq!(
            notes(&found),
            "-i https://host/simple: packages may come from there instead of PyPI\n\
             --extra-index-url https://b: packages may come from there instead of PyPI\n\
             -c c.txt constrains versions, and is not followed"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, said) in [
            (
                "a==1\nThis is none!\n",
                "x:2: \"This is none!\" is no requirement",
            ),
            ("a==1 \\\n", "x:1: the line is continued by \\"),
            (
                "a==1 --hash=sha256:12\n",
                "x:1: \"--hash=sha256:12\" is no sha256 in hex",
            ),
            ("a==1 --hash\n", "x:1: \"--hash\" is no digest"),
            ("a==1 2\n", "x:1: \"1 2\" is no version"),
            (
                "a @ https://h/a#sha256=1\n",
                "x:1: \"1\" is no sha256 in hex",
            ),
            ("a[b==1", "x:1: \"a[b==1\" is no requirement"),
        ] {
            let error = refusal(Requirements, text);
            assert!(
                error.starts_with(said) && error.ends_with("correct the line"),
                "{error}"
            );
        }
    }
}
