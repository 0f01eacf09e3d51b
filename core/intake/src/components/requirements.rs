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
use address::{egg, read_address, read_sources, read_unnamed};
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
        if requirement.starts_with("git+") {
            return read_sources(number, requirement, list);
        }
        let name = egg(requirement).or_else(|| name_of(requirement));
        let name = name.filter(|_| requirement.contains("://"));
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
        "--editable" if value.starts_with("git+") => return read_sources(number, value, list),
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
mod tests;
