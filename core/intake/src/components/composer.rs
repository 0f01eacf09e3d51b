//! `composer.lock` (Composer's `src/Composer/Package/Locker.php`).

use super::code_host;
use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::{Input, Node};
use super::list::List;
use super::origin::{self, Repository};
use super::reader::{Reader, Sign};
use assay_claims::purl;

pub(super) const READER: Reader = Reader {
    name: "composer.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `composer update --lock` write it",
    files: &["composer.lock"],
    path: None,
    sign: Sign::Member("content-hash"),
    read: |input, _| read(input),
};

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let root = Node::root("$", input.json()?);
    let mut list = List::default();
    for package in root.need("packages")?.items()? {
        read_package(&package, false, &mut list)?;
    }
    if let Some(packages) = root.get("packages-dev") {
        for package in packages.items()? {
            read_package(&package, true, &mut list)?;
        }
    }
    Ok(list)
}

fn read_package(package: &Node<'_, '_>, dev: bool, list: &mut List) -> Result<(), Fault> {
    let name = package.need("name")?.text()?;
    let version = package.need("version")?.text()?;
    let mut component = Component {
        name: name.into(),
        version: Some(version.into()),
        dev,
        ..Component::default()
    };
    if let Some(dist) = package.get("dist") {
        if dist.shown("type") == Some("path") {
            component.own = true;
            component.by_path = true;
            list.remark("local folders", None, name);
        }
        // Empty for the archives that code hosts make on demand: those are not always the same
        // bytes.
        if let Some(shasum) = dist.get("shasum")
            && !shasum.string()?.is_empty()
        {
            component.digests.extend(
                digest::hex("sha1", shasum.string()?).map_err(|reason| shasum.fault(reason))?,
            );
        }
    }
    let is_branch = version.starts_with("dev-") || version.ends_with("-dev");
    let mut parts = origin::spaced("composer", name, Some(version));
    if component.own {
        if is_branch {
            list.remark("branches, which change under the same name", None, name);
        }
        return list.package(component, parts);
    }
    let sources = locate(package, is_branch, &component, &mut parts, list)?;
    if !is_branch {
        return match sources {
            Some(sources) => list.sources(component, parts, &sources),
            None => list.package(component, parts),
        };
    }
    list.remark(BRANCH, None, name);
    let stated = ["source", "dist"].map(|key| place(package, key)?.revision);
    let mut commits = stated.into_iter().flatten().filter_map(digest::commit);
    let made = place(package, "dist").and_then(|at| code_host::sources(at.address));
    let made = made.as_deref().filter(|_| parts.qualifiers.is_empty());
    match (sources.or(made.map(Repository::read)), commits.next()) {
        (Some(sources), _) => {
            parts.version = None;
            list.sources(component, parts, &sources)
        }
        (None, Some((_, commit))) => {
            parts.version = Some(commit);
            list.package(component, parts)
        }
        (None, None) => list.without_purl(component, "is of a branch, and of no commit"),
    }
}

const BRANCH: &str = "from branches, which change under the same name: what counts is the commit";

/// What Packagist, and its mirrors, are told of each installation: packages from elsewhere name
/// another address, or none.
const PACKAGIST: [&str; 2] = ["packagist.org", "repo.packagist.org"];

/// Says where a package comes from, if it is not from Packagist, and returns the sources that it is
/// built from, if it is known by those: what is of a branch is no version of Packagist's. That
/// Packagist is told of an installation makes nothing its package: whoever wants another archive
/// installed leaves that as it is.
fn locate<'v>(
    package: &Node<'v, '_>,
    is_branch: bool,
    component: &Component,
    parts: &mut purl::Components,
    list: &mut List,
) -> Result<Option<Repository<'v>>, Fault> {
    let (sources, archive) = (place(package, "source"), place(package, "dist"));
    let odd = archive
        .as_ref()
        .is_some_and(|at| !is_made_of(at, sources.as_ref()));
    let of_packagist = match package.optional_text("notification-url")? {
        Some(told) if !PACKAGIST.contains(&host(told)) => {
            let folder = told.trim_end_matches('/');
            let registry = folder.strip_suffix("/downloads").unwrap_or(folder);
            origin::qualify(parts, "repository_url", registry);
            list.remark(ELSEWHERE, None, &component.name);
            return Ok(None);
        }
        told => told.is_some(),
    };
    let mut built = None;
    match (mirror(package), archive, sources) {
        (Some(mirror), ..) => origin::qualify(parts, "repository_url", mirror),
        // It is what is installed, whatever sources are named beside it.
        (None, Some(archive), None) if odd || !of_packagist => qualify_archive(parts, &archive),
        (None, Some(archive), _) if odd => qualify_archive(parts, &archive),
        (None, _, Some(sources)) if of_packagist && is_branch => return Ok(Some(sources)),
        (None, _, Some(sources)) if !of_packagist => built = Some(sources),
        _ => return Ok(None),
    }
    list.remark(ELSEWHERE, None, &component.name);
    Ok(built)
}

const ELSEWHERE: &str = "from another address than Packagist";

fn qualify_archive(parts: &mut purl::Components, archive: &Repository<'_>) {
    if archive.address.contains("://") {
        origin::qualify(parts, "download_url", archive.address);
    } else {
        origin::qualify_local(parts, archive.address);
    }
}

/// Whether an archive is one that a code host makes of the sources that are named beside it, if any
/// are, at the revision that both state.
fn is_made_of(archive: &Repository<'_>, sources: Option<&Repository<'_>>) -> bool {
    let stated = archive.revision.filter(|revision| !revision.is_empty());
    match (sources, stated) {
        (Some(sources), stated) => {
            stated.is_none_or(|stated| sources.revision == Some(stated))
                && code_host::is_archive_of(archive.address, sources)
        }
        (None, Some(stated)) => code_host::is_archive_at(archive.address, stated),
        (None, None) => false,
    }
}

/// Where a package, or its archive, is to be had.
fn place<'v>(package: &Node<'v, '_>, holder: &'static str) -> Option<Repository<'v>> {
    let holder = package.get(holder)?;
    let address = holder.shown("url").filter(|address| !address.is_empty())?;
    Some(Repository {
        address,
        revision: holder.shown("reference"),
    })
}

/// The first mirror that archive or sources are taken from, before or after the place itself, other
/// than Packagist: `ADDRESS/dists/%package%/…`.
fn mirror<'v>(package: &Node<'v, '_>) -> Option<&'v str> {
    let holders = ["dist", "source"].into_iter();
    let lists = holders.filter_map(|key| package.value().get(key)?.get("mirrors")?.as_array());
    let mut mirrors = lists
        .flatten()
        .filter_map(|mirror| mirror.get("url")?.as_str());
    let mirror = mirrors.find(|at| !at.is_empty() && !purl::is_public_registry("composer", at))?;
    let folder = mirror.split('%').next()?.trim_end_matches('/');
    Some(folder.strip_suffix("/dists").unwrap_or(folder))
}

/// The host of an address.
fn host(address: &str) -> &str {
    let rest = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let host = authority
        .rsplit_once('@')
        .map_or(authority, |(_, host)| host);
    host.split(':').next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use crate::components::Format::ComposerLock;
    use crate::components::tests::{found, lines, notes, refusal, unidentified};

    #[test]
    fn packages_are_components_and_those_for_developers_are_flagged() {
        let text = format!(
            r#"{{"content-hash":"0","packages":[
              {{"name":"League/Flysystem","version":"v1.0.8","dist":{{"type":"zip","shasum":"{}"}}}},
              {{"name":"a/b","version":"dev-main","dist":{{"type":"zip","shasum":""}}}},
              {{"name":"a/local","version":"1.0","dist":{{"type":"path","url":"../x"}}}}],
              "packages-dev":[{{"name":"p/unit","version":"9.0"}}]}}"#,
            "Ab".repeat(20)
        );
        let found = found(ComposerLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:composer/league/flysystem@v1.0.8 sha1",
                "pkg:composer/a/local@1.0 own",
                "pkg:composer/p/unit@9.0 dev"
            ]
        );
        assert_eq!(
            unidentified(&found),
            ["a/b dev-main is of a branch, and of no commit"]
        );
        assert_eq!(
            notes(&found),
            "from branches, which change under the same name: what counts is the commit: a/b\n\
             local folders: a/local"
        );
    }

    /// A word about a branch is about whatever it was then.
    #[test]
    fn what_is_of_a_branch_has_its_commit_for_a_version() {
        let (web, zip) = (
            "https://github.com/o/r.git",
            format!("https://api.github.com/repos/o/r/zipball/{REFERENCE}"),
        );
        let place = |key: &str, url: &str, reference: &str| {
            format!(r#","{key}":{{"type":"git","url":"{url}","reference":"{reference}"}}"#)
        };
        let source = place("source", web, REFERENCE);
        let told = r#","notification-url":"https://packagist.org/downloads/""#;
        let of_git =
            format!("?vcs_url=git%2Bhttps:%2F%2Fgithub.com%2Fo%2Fr.git%40{REFERENCE} gitCommit");
        for (rest, place) in [
            (format!("{source}{told}"), of_git.clone()),
            (source.clone(), of_git.clone()),
            (
                format!("{source}{}{told}", place("dist", &zip, REFERENCE)),
                of_git.clone(),
            ),
            (
                format!("{}{told}", place("dist", &zip, REFERENCE)),
                of_git.replace("r.git", "r"),
            ),
            (
                format!(
                    "{source}{}{told}",
                    place("dist", "https://evil.example/x.zip", "")
                ),
                "?download_url=https:%2F%2Fevil.example%2Fx.zip".to_owned(),
            ),
            (
                format!(r#"{source},"notification-url":"https://c.example/downloads/""#),
                "?repository_url=https:%2F%2Fc.example".to_owned(),
            ),
        ] {
            for version in ["dev-main", "1.x-dev"] {
                let text = format!(
                    r#"{{"content-hash":"0","packages":[{{"name":"a/b","version":"{version}"{rest}}}]}}"#
                );
                let found = found(ComposerLock, &text);
                let expected = format!("pkg:composer/a/b@{REFERENCE}{place}");
                assert_eq!(lines(&found), [expected], "{text}");
                assert!(notes(&found).contains("which change under the same name: what"));
            }
        }
        let moving = place("source", web, "main");
        let text = format!(
            r#"{{"content-hash":"0","packages":[{{"name":"a/b","version":"dev-main"{moving}{told}}}]}}"#
        );
        let said = unidentified(&found(ComposerLock, &text)).concat();
        assert!(said.contains("is from git at \"main\""), "{said}");
    }

    #[test]
    fn what_is_not_from_packagist_says_so() {
        let commit = "0123456789abcdef0123456789abcdef01234567";
        let package = |name: &str, rest: &str| {
            let source = format!(
                r#""source":{{"type":"git","url":"https://t:s@git.e/a.git","reference":"{commit}"}}"#
            );
            format!(r#"{{"name":"a/{name}","version":"1.0",{source}{rest}}}"#)
        };
        let told = |of: &str| format!(r#","notification-url":"{of}""#);
        let text = format!(
            r#"{{"content-hash":"0","packages":[{},{},{},{{"name":"a/e","version":"1",
            "dist":{{"type":"zip","url":"https://e.org/e.zip?k=secret"}}}}]}}"#,
            package("b", &told("https://packagist.org/downloads/")),
            package("c", &told("https://repo.packagist.com/corp/downloads/")),
            package("d", ""),
        );
        let found = found(ComposerLock, &text);
        assert_eq!(
            lines(&found),
            [
                "pkg:composer/a/b@1.0".to_owned(),
                "pkg:composer/a/c@1.0?repository_url=https:%2F%2Frepo.packagist.com%2Fcorp".into(),
                format!(
                    "pkg:composer/a/d@1.0?vcs_url=git%2Bhttps:%2F%2Fgit.e%2Fa.git%40{commit} \
                     gitCommit"
                ),
                "pkg:composer/a/e@1?download_url=https:%2F%2Fe.org%2Fe.zip".into(),
            ]
        );
        assert_eq!(
            notes(&found),
            "from another address than Packagist: a/c, a/d, a/e"
        );
    }

    const REFERENCE: &str = "0123456789abcdef0123456789abcdef01234567";

    /// What is found of a package of which Packagist is told.
    fn told(source: Option<(&str, &str)>, dist: Option<(&str, &str)>, more: &str) -> String {
        let place = |key: &str, more: &str, (url, reference): (&str, &str)| {
            format!(r#","{key}":{{"url":"{url}","reference":"{reference}"{more}}}"#)
        };
        let source = source.map(|at| place("source", "", at)).unwrap_or_default();
        let dist = dist.map(|at| place("dist", more, at)).unwrap_or_default();
        let found = found(
            ComposerLock,
            &format!(
                r#"{{"content-hash":"0","packages":[{{"name":"a/b","version":"1"{source}{dist},
                "notification-url":"https://packagist.org/downloads/"}}]}}"#
            ),
        );
        let noted = notes(&found) == "from another address than Packagist: a/b";
        assert_eq!(noted, lines(&found)[0].contains('?'), "{:?}", lines(&found));
        lines(&found).concat()
    }

    #[test]
    fn archives_of_the_named_sources_are_packagists() {
        let (web, api) = (
            "https://github.com/o/r.git",
            "https://api.github.com/repos/o/r/zipball",
        );
        let zip = format!("{api}/{REFERENCE}");
        let (sources, archive) = ((web, REFERENCE), (zip.as_str(), REFERENCE));
        for (source, dist) in [
            (Some(sources), Some(archive)),
            (Some(sources), Some((zip.as_str(), ""))),
            (Some(sources), Some(("", ""))),
            (Some(("https://git.example/r.git", REFERENCE)), None),
            (None, Some(archive)),
            (None, None),
        ] {
            assert_eq!(
                told(source, dist, ""),
                "pkg:composer/a/b@1",
                "{source:?} {dist:?}"
            );
        }
        let own = r#","mirrors":[{"url":"https://repo.packagist.org/dists/%package%.zip"}]"#;
        assert_eq!(
            told(Some(sources), Some(archive), own),
            "pkg:composer/a/b@1"
        );
    }

    #[test]
    fn an_archive_from_elsewhere_is_none_of_packagists() {
        let another = "f".repeat(40);
        let web = "https://github.com/o/r.git";
        let zip = format!("https://api.github.com/repos/o/r/zipball/{REFERENCE}");
        let evil = "https://evil.example/x.zip";
        let of_another = format!("https://api.github.com/repos/evil/r/zipball/{REFERENCE}");
        for (source, dist) in [
            (Some((web, REFERENCE)), (evil, REFERENCE)),
            (Some((web, REFERENCE)), (&of_another, REFERENCE)),
            (Some((web, &another)), (&zip, REFERENCE)),
            (Some((web, REFERENCE)), (&zip, &another)),
            (None, (evil, REFERENCE)),
            (None, (&zip, &another)),
            (None, (&zip, "")),
        ] {
            let purl = told(source, Some(dist), "");
            assert!(
                purl.starts_with("pkg:composer/a/b@1?download_url=https:"),
                "{purl}"
            );
            assert!(!purl.contains("gitCommit"), "{purl}");
        }
        let local = told(Some((web, REFERENCE)), Some(("../x.zip", REFERENCE)), "");
        assert_eq!(local, "pkg:composer/a/b@1?download_url=file:x.zip");
        let mirrors =
            r#","mirrors":[{"url":"https://m.example/c/dists/%package%/%reference%.%type%"}]"#;
        assert_eq!(
            told(Some((web, REFERENCE)), Some((&zip, REFERENCE)), mirrors),
            "pkg:composer/a/b@1?repository_url=https:%2F%2Fm.example%2Fc"
        );
    }

    #[test]
    fn what_is_wrong_is_named_with_its_path() {
        for (text, said) in [
            ("{}", "x:1: $.packages: is missing"),
            (
                r#"{"packages":[{"version":"1"}]}"#,
                "x:1: $.packages[0].name: is missing",
            ),
            (
                r#"{"packages":[{"name":"a/b"}]}"#,
                "x:1: $.packages[0].version: is missing",
            ),
            (
                r#"{"packages":[],"packages-dev":{}}"#,
                "x:1: $.packages-dev: is an object",
            ),
            (
                r#"{"packages":[{"name":"a/b","version":"1","dist":{"shasum":"12"}}]}"#,
                "x:1: $.packages[0].dist.shasum: is no sha1 in hex",
            ),
        ] {
            let error = refusal(ComposerLock, text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
