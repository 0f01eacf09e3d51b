//! Archives that code hosts make of a repository at a revision, at the addresses that Composer's
//! drivers write (`src/Composer/Repository/Vcs/`), and those that package managers of npm take.

use super::digest;
use super::origin::Repository;
use assay_claims::purl;

/// Whether an address is of the archive that a code host makes of these sources: of the same
/// repository, at the same revision.
pub(super) fn is_archive_of(address: &str, sources: &Repository<'_>) -> bool {
    let (Some(archive), Some((host, path))) = (read(address), repository(sources.address)) else {
        return false;
    };
    archive.host == host
        && archive.path.eq_ignore_ascii_case(&path)
        && sources.revision == Some(archive.revision)
}

/// Whether an address is of an archive that a code host makes, at a revision.
pub(super) fn is_archive_at(address: &str, revision: &str) -> bool {
    read(address).is_some_and(|archive| archive.revision == revision)
}

/// The repository and the commit that an archive is of, as `git+ADDRESS#COMMIT`, if a code host
/// makes it of a commit.
pub(super) fn sources(address: &str) -> Option<String> {
    let archive = read(address)?;
    digest::commit(archive.revision)?;
    let Archive {
        host,
        path,
        revision,
    } = archive;
    Some(format!("git+https://{host}/{path}#{revision}"))
}

/// An archive of a repository.
struct Archive<'a> {
    host: String,
    path: String,
    revision: &'a str,
}

fn read(address: &str) -> Option<Archive<'_>> {
    let (host, path) = purl::place(address)?;
    let archive = |host: &str, path: &str, revision| Archive {
        host: host.to_owned(),
        path: path.to_owned(),
        revision,
    };
    if host == "api.github.com" {
        let (path, revision) = path.strip_prefix("/repos/")?.split_once("/zipball/")?;
        return Some(archive("github.com", path, revision));
    }
    if host == "github.com" {
        let (path, revision) = path.strip_prefix('/')?.split_once("/zipball/")?;
        return Some(archive(&host, path, revision));
    }
    if host == "codeload.github.com" {
        let (path, revision) = path.strip_prefix('/')?.split_once("/tar.gz/")?;
        return Some(archive("github.com", path, revision));
    }
    if host == "bitbucket.org" {
        let (path, file) = path.strip_prefix('/')?.split_once("/get/")?;
        let ends = [".zip", ".tar.gz"].into_iter();
        let revision = ends.filter_map(|end| file.strip_suffix(end)).next()?;
        return Some(archive(&host, path, revision));
    }
    if host == "gitlab.com"
        && let Some((path, rest)) = path.split_once("/-/archive/")
    {
        let (revision, _file) = rest.split_once('/')?;
        return Some(archive(&host, path.strip_prefix('/')?, revision));
    }
    // Forgejo and Gitea, wherever they are.
    if let Some(rest) = path.strip_prefix("/api/v1/repos/") {
        let (path, file) = rest.split_once("/archive/")?;
        return Some(archive(&host, path, file.strip_suffix(".zip")?));
    }
    // GitLab, wherever it is: the path of the project is one segment there.
    let versions = ["/api/v4/projects/", "/api/v3/projects/"];
    let mut projects = versions.iter().filter_map(|api| path.strip_prefix(*api));
    let project = projects.next()?.strip_suffix("/repository/archive.zip")?;
    let project = ["%2F", "%2f"]
        .iter()
        .fold(project.to_owned(), |path, slash| path.replace(slash, "/"));
    let project = ["%2E", "%2e"]
        .iter()
        .fold(project, |path, dot| path.replace(dot, "."));
    let (_, query) = address.split_once('?')?;
    Some(archive(&host, &project, query.strip_prefix("sha=")?))
}

/// Host and path of a repository, in any of the forms that git takes.
fn repository(address: &str) -> Option<(String, String)> {
    let web = match address.split_once("://") {
        Some(("http" | "https", _)) => address.to_owned(),
        Some(("git" | "ssh", rest)) => format!("https://{rest}"),
        Some(_) => return None,
        // `git@HOST:PATH`, as scp has it.
        None => format!("https://{}", address.replacen(':', "/", 1)),
    };
    let (host, path) = purl::place(&web)?;
    let path = path.strip_prefix('/')?;
    Some((host, path.strip_suffix(".git").unwrap_or(path).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOURCES: [(&str, &str); 8] = [
        (
            "https://github.com/O/r.git",
            "https://api.github.com/repos/o/r/zipball/a1",
        ),
        (
            "git@github.com:o/r.git",
            "https://api.github.com/repos/o/r/zipball/a1",
        ),
        ("git://github.com/o/r", "https://github.com/o/r/zipball/a1"),
        (
            "https://bitbucket.org/o/r.git",
            "https://bitbucket.org/o/r/get/a1.zip",
        ),
        (
            "https://gitlab.com/o/s/r.x.git",
            "https://gitlab.com/api/v4/projects/o%2Fs%2Fr%2Ex/repository/archive.zip?sha=a1",
        ),
        (
            "ssh://git@git.example:8443/o/r.git",
            "https://git.example:8443/api/v4/projects/o%2Fr/repository/archive.zip?sha=a1",
        ),
        (
            "https://gitlab.com/o/r.git",
            "https://gitlab.com/api/v3/projects/o%2Fr/repository/archive.zip?sha=a1",
        ),
        (
            "https://codeberg.org/o/r.git",
            "https://codeberg.org/api/v1/repos/o/r/archive/a1.zip",
        ),
    ];

    fn is_of(archive: &str, address: &str, revision: Option<&str>) -> bool {
        is_archive_of(archive, &Repository { address, revision })
    }

    #[test]
    fn an_archive_is_of_its_repository_and_revision() {
        for (repository, archive) in SOURCES {
            assert!(is_of(archive, repository, Some("a1")), "{archive}");
            assert!(is_archive_at(archive, "a1"), "{archive}");
            for revision in [None, Some(""), Some("a"), Some("a12")] {
                assert!(!is_of(archive, repository, revision), "{archive}");
            }
            let another = format!("{}-x", repository.trim_end_matches(".git"));
            assert!(!is_of(archive, &another, Some("a1")), "{archive}");
        }
    }

    #[test]
    fn an_archive_of_a_commit_says_of_which() {
        let commit = "17620a225744b4a18845d4f7bf63354e01109b91";
        for (address, repository) in [
            (
                format!("https://codeload.github.com/o/r/tar.gz/{commit}"),
                "github.com/o/r",
            ),
            (
                format!("https://bitbucket.org/o/r/get/{commit}.tar.gz"),
                "bitbucket.org/o/r",
            ),
            (
                format!("https://gitlab.com/o/s/r/-/archive/{commit}/r-{commit}.tar.gz"),
                "gitlab.com/o/s/r",
            ),
        ] {
            let expected = format!("git+https://{repository}#{commit}");
            assert_eq!(sources(&address), Some(expected), "{address}");
            let tag = address.replace(commit, "v1.0.0");
            assert_eq!(sources(&tag), None, "{tag}");
            let elsewhere = address.replace("https://", "https://evil.example/");
            assert_eq!(sources(&elsewhere), None, "{elsewhere}");
        }
    }

    #[test]
    fn other_addresses_are_of_nothing() {
        let sources = "https://github.com/o/r.git";
        for archive in [
            "https://evil.example/o/r/zipball/a1",
            "https://evil.example/repos/o/r/zipball/a1",
            "https://api.github.com.evil.example/repos/o/r/zipball/a1",
            "https://api.github.com@evil.example/repos/o/r/zipball/a1",
            "https://api.github.com/repos/o/other/zipball/a1",
            "https://api.github.com/repos/o/r/../other/zipball/a1",
            "https://api.github.com/repos/o/r/tarball/a1",
            "https://github.com/o/r/releases/download/a1/x.zip",
            "https://gitlab.com/api/v4/projects/o%2Fr/repository/archive.zip?sha=a1",
            "file:///api.github.com/repos/o/r/zipball/a1",
            "",
        ] {
            assert!(!is_of(archive, sources, Some("a1")), "{archive}");
        }
        let archive = "https://api.github.com/repos/o/r/zipball/a1";
        for repository in ["file:///github.com/o/r", "../o/r", "", "https://github.com"] {
            assert!(!is_of(archive, repository, Some("a1")), "{repository}");
        }
    }
}
