//! What PyPI answers about a project: its JSON API (`/pypi/NAME/json`), or the simple index in JSON
//! (PEP 691 and 700), with releases that were yanked (PEP 592) and the project's status (PEP 792).
//!
//! Files are yanked, and a release is if all of its files are. Of one of which only some are, there
//! is a claim about each of those. The simple index says a file's release by the file's name; old
//! installers, whose names do not say it, are passed over there.

use super::super::draft::Prepared;
use super::super::error::DocumentError;
use super::super::tool::{Source, Takes, Tool};
use super::{Mark, claims, marked, package, reason};
use assay_claims::kind::PredicateError;
use assay_claims::kind::node::Node;
use assay_claims::kind::registry_status::STATUSES;
use assay_claims::purl::{Purl, python_file};
use assay_claims::statement::Subject;
use std::collections::BTreeMap;

pub(in super::super) const API: Tool = Tool {
    takes: Takes::Value(|value| {
        let is_answer = ["releases", "urls"]
            .iter()
            .any(|key| value.get(key).is_some());
        value.get("info").is_some() && is_answer
    }),
    prepare: of_api,
};

pub(in super::super) const INDEX: Tool = Tool {
    takes: Takes::Value(|value| {
        let is_project = value.get("name").is_some() && value.get("files").is_some();
        value.get("meta").is_some() && is_project
    }),
    prepare: of_index,
};

/// A file of a release.
struct File<'v> {
    name: &'v str,
    sha256: Option<&'v str>,
    /// Whether it was yanked, and why.
    yanked: Option<&'v str>,
}

fn of_api(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    let info = root.need("info")?;
    let name = info.need("name")?;
    let mut marks = Vec::new();
    // The answer about one release has the files of that one.
    if let Some(releases) = root.get("releases") {
        for (version, files) in releases.members()? {
            let of_release = api_files(&files)?;
            marks.extend(yanked(of_release, || {
                package("PyPI", &name, Some(version))
            })?);
        }
    } else {
        let version = info.need("version")?.text()?;
        let of_release = api_files(&root.need("urls")?)?;
        marks.extend(yanked(of_release, || {
            package("PyPI", &name, Some(version))
        })?);
    }
    claims(source.document, marks)
}

fn api_files<'v>(files: &Node<'v, '_>) -> Result<Vec<File<'v>>, PredicateError> {
    let mut read = Vec::new();
    for file in files.items()? {
        let name = file.need("filename")?.text()?;
        let is_yanked = marked(file.get("yanked"))?.is_some();
        let why = file.get("yanked_reason");
        let why = why.map_or(Ok(""), |why| why.string())?;
        read.push(File {
            name,
            sha256: sha256(file.get("digests"))?,
            yanked: is_yanked.then_some(why),
        });
    }
    Ok(read)
}

fn of_index(source: &Source<'_>) -> Result<Vec<Prepared>, DocumentError> {
    let root = source.root();
    let name = root.need("name")?;
    let mut marks = Vec::new();
    if let Some(status) = root.get("project-status")
        && let Some(given) = status.get("status")
    {
        // One that is not known here says nothing here, and neither does `active`.
        let given = given.text()?;
        let why = status.get("reason");
        let why = why.map_or(Ok(""), |why| why.string())?;
        if STATUSES.contains(&given) {
            marks.push(Mark {
                subjects: vec![Subject::package(package("PyPI", &name, None)?)],
                status: given.to_owned(),
                reason: reason(why),
            });
        }
    }
    let mut releases: BTreeMap<&str, Vec<File<'_>>> = BTreeMap::new();
    for file in root.need("files")?.items()? {
        let (file_name, yanked) = (file.need("filename")?.text()?, marked(file.get("yanked"))?);
        if let Some((_, version)) = python_file(file_name) {
            releases.entry(version).or_default().push(File {
                name: file_name,
                sha256: sha256(file.get("hashes"))?,
                yanked,
            });
        }
    }
    for (version, files) in releases {
        marks.extend(yanked(files, || package("PyPI", &name, Some(version)))?);
    }
    claims(source.document, marks)
}

fn sha256<'v>(digests: Option<Node<'v, '_>>) -> Result<Option<&'v str>, PredicateError> {
    let Some(digests) = digests else {
        return Ok(None);
    };
    let Some(digest) = digests.get("sha256") else {
        return Ok(None);
    };
    let value = digest.text()?;
    if Subject::takes_digest("sha256", value) {
        Ok(Some(value))
    } else {
        Err(digest.fault("is no SHA-256 in lower-case hex"))
    }
}

/// The mark of a release of which all files were yanked, or those of its files that were. The same
/// follows from the same files in any order. Where different reasons are given, a release has that
/// of the first file by name that has one.
fn yanked(
    mut files: Vec<File<'_>>,
    release: impl Fn() -> Result<Purl, PredicateError>,
) -> Result<Vec<Mark>, PredicateError> {
    let count = files.len();
    files.retain(|file| file.yanked.is_some());
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let purl = release()?;
    files.sort_by_key(|file| file.name);
    let mark = |subject: Subject, reason: Option<String>| Mark {
        subjects: vec![subject],
        status: "yanked".to_owned(),
        reason,
    };
    if files.len() == count {
        let mut reasons = files.iter().filter_map(|file| reason(file.yanked?));
        let reason = reasons.next();
        return Ok(vec![mark(Subject::package(purl), reason)]);
    }
    let mut marks = Vec::new();
    for file in files {
        // A file that nobody could tell from the others of the release is passed over.
        if let Some(sha256) = file.sha256 {
            let digests = vec![("sha256".to_owned(), sha256.to_owned())];
            let (name, uri) = (file.name.to_owned(), purl.as_str().to_owned());
            let subject = Subject::of_parts(Some(name), Some(uri), digests);
            marks.push(mark(subject, file.yanked.and_then(reason)));
        }
    }
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{refusal, said};

    const NONE: &str = "null";

    /// A file of the JSON API.
    fn file(name: &str, yanked: &str, reason: &str) -> String {
        let sha256 = "ab".repeat(32);
        format!(
            r#"{{"filename":"{name}","digests":{{"md5":"x","sha256":"{sha256}"}},
            "yanked":{yanked},"yanked_reason":{reason}}}"#
        )
    }

    fn api(releases: &str) -> String {
        format!(r#"{{"info":{{"name":"My_Pkg","version":"3.0"}},"releases":{{{releases}}}}}"#)
    }

    fn index(status: &str, files: &str) -> String {
        format!(
            r#"{{"meta":{{"api-version":"1.4"}},"name":"my-pkg",{status}"versions":["1.0"],
            "files":[{files}]}}"#
        )
    }

    #[test]
    fn a_release_is_yanked_if_all_of_its_files_are() {
        let releases = format!(
            r#""1.0":[{},{}],"2.0":[{},{},{}],"2.1":[],"3.0":[{}]"#,
            file("my_pkg-1.0.tar.gz", "true", r#""Later.""#),
            file("my_pkg-1.0-py3-none-any.whl", "true", r#""Loses <data>.""#),
            file("my_pkg-2.0.tar.gz", "false", NONE),
            file("my_pkg-2.0-py3-none-any.whl", "true", NONE),
            file("my_pkg-2.0-py2-none-any.whl", "true", r#""Bad""#),
            file("my_pkg-3.0.tar.gz", "false", r#""Not any more.""#),
        );
        let expected = [
            r#"pkg:pypi/my-pkg@1.0 {"status":"yanked","reason":"Loses <data>."}"#,
            r#"pkg:pypi/my-pkg@2.0#my_pkg-2.0-py2-none-any.whl {"status":"yanked","reason":"Bad"}"#,
            r#"pkg:pypi/my-pkg@2.0#my_pkg-2.0-py3-none-any.whl {"status":"yanked"}"#,
        ];
        assert_eq!(said(&api(&releases)), expected);
        // Without a digest nobody could tell the file from those that stand.
        let unknown = api(&releases).replace("sha256", "blake2b");
        assert_eq!(said(&unknown), expected[..1]);
    }

    #[test]
    fn the_answer_about_one_release_has_its_files() {
        let one = format!(
            r#"{{"info":{{"name":"my-pkg","version":"1.0"}},"urls":[{}]}}"#,
            file("my_pkg-1.0.tar.gz", "true", NONE)
        );
        assert_eq!(said(&one), [r#"pkg:pypi/my-pkg@1.0 {"status":"yanked"}"#]);
    }

    #[test]
    fn the_simple_index_says_the_same_and_the_status_of_the_project() {
        let sha256 = "ab".repeat(32);
        let file = |name: &str, yanked: &str| {
            format!(r#"{{"filename":"{name}","hashes":{{"sha256":"{sha256}"}},"yanked":{yanked}}}"#)
        };
        let files = [
            file("my_pkg-1.0.tar.gz", "true"),
            file("my_pkg-1.0-py3-none-any.whl", r#""Loses data.""#),
            file("my_pkg-2.0.tar.gz", "false"),
            file("my_pkg-2.0-py3-none-any.whl", "true"),
            file("my_pkg-3.0.tar.gz", r#""""#),
            file("my_pkg-9.win32.exe", "true"),
        ];
        let status = r#""project-status":{"status":"archived","reason":"Done."},"#;
        let expected = [
            r#"pkg:pypi/my-pkg {"status":"archived","reason":"Done."}"#,
            r#"pkg:pypi/my-pkg@1.0 {"status":"yanked","reason":"Loses data."}"#,
            r#"pkg:pypi/my-pkg@2.0#my_pkg-2.0-py3-none-any.whl {"status":"yanked"}"#,
        ];
        assert_eq!(said(&index(status, &files.join(","))), expected);
        let mut backwards = files.clone();
        backwards.reverse();
        assert_eq!(said(&index(status, &backwards.join(","))), expected);
        for (status, claim) in [
            ("quarantined", Some("quarantined")),
            ("deprecated", Some("deprecated")),
            ("active", None),
            ("new-in-2030", None),
        ] {
            let text = index(&format!(r#""project-status":{{"status":"{status}"}},"#), "");
            match claim {
                Some(claim) => {
                    let expected = format!(r#"pkg:pypi/my-pkg {{"status":"{claim}"}}"#);
                    assert_eq!(said(&text), [expected]);
                }
                None => assert!(refusal(&text).contains("nothing is marked"), "{status}"),
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        let yanked = |yanked: &str| api(&format!(r#""1.0":[{}]"#, file("a-1.0.zip", yanked, NONE)));
        for (text, words) in [
            (yanked("7"), "yanked: is neither a text"),
            (
                yanked("true").replace("abab", "zzzz"),
                "sha256: is no SHA-256",
            ),
            (yanked("true").replace("null", "[]"), "yanked_reason"),
            (
                yanked("true").replace("filename", "file"),
                "filename: is missing",
            ),
            (yanked("true").replace("My_Pkg", ""), "$.info.name"),
            (yanked("true").replace("1.0\":[", "\":["), "$.info.name"),
            (api(r#""1.0":{}"#), "releases"),
            (index(r#""project-status":{"status":7},"#, ""), "status"),
            (
                index(r#""project-status":{"status":"archived","reason":7},"#, ""),
                "reason",
            ),
            (
                index("", r#"{"filename":"a-1.0.zip","hashes":7}"#),
                "nothing is marked",
            ),
        ] {
            let refused = refusal(&text);
            assert!(refused.contains(words), "{text}: {refused}");
        }
    }
}
