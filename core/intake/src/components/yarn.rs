//! `yarn.lock`: version 1 (yarn's `src/lockfile`), and that of yarn 2 and later, which is YAML in
//! the same shape. Entries stand at the margin, and what is said of them is indented by two.

use super::component::Component;
use super::digest;
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::reader::{Reader, Sign};
use super::tarball;
use assay_claims::bom_link::decoded;
use assay_claims::kind::node::quoted;
use std::borrow::Cow;

pub(super) const READER: Reader = Reader {
    name: "yarn.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `yarn install` write it",
    files: &["yarn.lock"],
    path: None,
    sign: Sign::Text(|head| head.has("# yarn lockfile v1") || head.has("__metadata:")),
    read: |input, _| read(input),
};

/// What a range begins with that leads to a folder.
const FOLDERS: [&str; 4] = ["workspace:", "link:", "portal:", "file:"];

/// What a range begins with that version 1 takes for the path of a folder or a file, without a word
/// in front (its `FileResolver`).
const PATHS: [&str; 4] = ["./", "../", "/", "~/"];

/// An entry as far as it was read.
#[derive(Default)]
struct Entry<'a> {
    line: u32,
    /// `NAME@RANGE`, the first of several that have the same version.
    wanted: &'a str,
    version: Option<&'a str>,
    resolved: Option<&'a str>,
    integrity: Option<&'a str>,
    /// `NAME@PROTOCOL:VERSION`, from version 2 on.
    resolution: Option<&'a str>,
    /// Whether its key is one of more than 1024 letters, which `? ` begins and no colon ends.
    is_long: bool,
}

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let mut list = List::default();
    let mut entry: Option<Entry<'_>> = None;
    // Yarn 2 and later take an empty file for the mark of a project.
    let mut known = input.text().trim().is_empty();
    for (number, line) in input.lines() {
        known |= line.starts_with("# yarn lockfile v1") || line.starts_with("__metadata:");
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if line.trim_end() == ":"
            && let Some(entry) = entry.as_mut().filter(|entry| entry.is_long)
        {
            // The key of the entry stood in the line before.
            entry.is_long = false;
        } else if !line.starts_with(' ') {
            finish(entry.take(), &mut list)?;
            entry = Some(Entry::begin(number, line)?);
        } else if let (Some(entry), Some(field)) = (&mut entry, line.strip_prefix("  "))
            && !field.starts_with(' ')
        {
            entry.take(field);
        }
    }
    finish(entry, &mut list)?;
    if known {
        Ok(list)
    } else {
        Err(Fault::new(
            None,
            "neither the comment of version 1 nor __metadata is there",
        ))
    }
}

fn unquoted(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(text)
}

impl<'a> Entry<'a> {
    fn begin(line: u32, text: &'a str) -> Result<Self, Fault> {
        let long = text.strip_prefix("? ").map(str::trim_end);
        let Some(names) = long.or(text.trim_end().strip_suffix(':')) else {
            return Err(Fault::at(line, format!("{} begins no entry", quoted(text))));
        };
        // Version 1 quotes each name, and later ones all of them together.
        let first = names.split(", ").next().unwrap_or_default();
        Ok(Entry {
            line,
            wanted: first.trim().trim_matches('"'),
            is_long: long.is_some(),
            ..Entry::default()
        })
    }

    fn take(&mut self, field: &'a str) {
        let (name, value) = field.split_once(' ').unwrap_or((field, ""));
        // Some tools write version 1 with quotes around everything.
        let place = match name.trim_end_matches(':').trim_matches('"') {
            "version" => &mut self.version,
            "resolved" => &mut self.resolved,
            "integrity" => &mut self.integrity,
            "resolution" => &mut self.resolution,
            _ => return,
        };
        *place = Some(unquoted(value));
    }
}

/// Name and range of `NAME@RANGE`; a name may begin with `@`.
fn cut(text: &str) -> Option<(&str, &str)> {
    let at = text.get(1..)?.find('@')? + 1;
    Some((&text[..at], text.get(at + 1..)?))
}

/// What a range begins with that is a patch: `patch:SOURCE#PATCHES`. The source is `NAME@RANGE` of
/// what is patched, percent-encoded (yarn's `structUtils`).
const PATCH: &str = "patch:";

/// How often what is patched is patched again: the patches that yarn brings along are beneath those
/// of a project.
const PATCHES: usize = 8;

/// What is patched, as it is named where nothing patches it, and whether it is patched.
fn unpatched(stated: &str) -> (Cow<'_, str>, bool) {
    let mut stated = Cow::Borrowed(stated);
    for patches in 0..PATCHES {
        let patch = cut(&stated).and_then(|(_, range)| range.strip_prefix(PATCH));
        let source = patch.map(|patch| decoded(patch.split('#').next().unwrap_or_default()));
        match source.filter(|source| cut(source).is_some()) {
            Some(source) => stated = Cow::Owned(source),
            None => return (stated, patches > 0),
        }
    }
    (stated, true)
}

/// A range without what yarn adds to it.
fn without_parameters(range: &str) -> &str {
    range.split("::").next().unwrap_or_default()
}

fn finish(entry: Option<Entry<'_>>, list: &mut List) -> Result<(), Fault> {
    let Some(entry) = entry.filter(|entry| entry.wanted != "__metadata") else {
        return Ok(());
    };
    let line = entry.line;
    let (stated, is_patched) = unpatched(entry.resolution.unwrap_or(entry.wanted));
    let Some((mut name, range)) = cut(&stated) else {
        let reason = format!("{} is not `NAME@RANGE`", quoted(entry.wanted));
        return Err(Fault::at(line, reason));
    };
    let Some(version) = entry.version else {
        return Err(Fault::at(
            line,
            format!("{} has no version", quoted(entry.wanted)),
        ));
    };
    // `NAME@npm:OTHER@RANGE` installs the other package under the name.
    let other = range.strip_prefix("npm:").map(without_parameters);
    if let Some((other, _)) = other.and_then(cut) {
        name = other;
    }
    let mut component = Component {
        name: name.to_owned(),
        version: Some(version.to_owned()),
        line: Some(line),
        ..Component::default()
    };
    if let Some(integrity) = entry.integrity {
        component.digests = digest::integrity(integrity)
            .map_err(|reason| Fault::at(line, format!("the integrity of {name}: {reason}")))?;
    }
    if is_patched {
        list.remark(tarball::PATCHED, Some(line), name);
    }
    if range.starts_with(PATCH) {
        return list.without_purl(
            component,
            "is a patch of something that the file does not name",
        );
    }
    let path = PATHS.iter().any(|begins| range.starts_with(begins));
    let path = path.then(|| format!("file:{range}"));
    let range = path.as_deref().unwrap_or(range);
    let is_local = FOLDERS.iter().any(|folder| range.starts_with(folder));
    let is_archive = is_local && is_archive(range);
    if is_local && !is_archive {
        list.remark("workspaces and local folders", Some(line), name);
        component.by_path = !range.starts_with(FOLDERS[0]);
        return tarball::add_own(component, list);
    }
    match entry.resolution {
        _ if is_archive => tarball::locate(component, Some(range), list),
        Some(_) => locate_later(component, range, list),
        None => locate_first(component, entry.resolved, list),
    }
}

/// Whether a range leads to a file and not to a folder. From version 2 on it goes on with what
/// needs it.
fn is_archive(range: &str) -> bool {
    let path = range.split(['#', ':']).nth(1).unwrap_or_default();
    [".tgz", ".tar.gz"].iter().any(|end| path.ends_with(end))
}

/// Version 1 says where each package was downloaded, with a SHA-1 as fragment.
fn locate_first(
    mut component: Component,
    resolved: Option<&str>,
    list: &mut List,
) -> Result<(), Fault> {
    let Some(address) = resolved else {
        return tarball::locate(component, None, list);
    };
    if tarball::is_git(address) || address.contains(".git#") {
        let address = format!("git+{}", address.trim_start_matches("git+"));
        return tarball::locate(component, Some(&address), list);
    }
    let (address, fragment) = address.split_once('#').unwrap_or((address, ""));
    if let (true, Ok(Some(sha1))) = (component.digests.is_empty(), digest::hex("sha1", fragment)) {
        component.digests.push(sha1);
    }
    tarball::locate(component, Some(address), list)
}

/// Later versions say by a protocol what it is: `npm:`, or an address. What the oldest of them
/// patch is of npm without a word.
fn locate_later(component: Component, range: &str, list: &mut List) -> Result<(), Fault> {
    let bare = Some(range).filter(|range| !range.contains([':', '/']));
    if let Some(version) = range.strip_prefix("npm:").or(bare) {
        let parameters = version.split_once("::").map_or("", |(_, after)| after);
        let mut each = parameters.split('&');
        let archive = each.find_map(|one| one.strip_prefix("__archiveUrl="));
        return tarball::locate(component, archive.map(decoded).as_deref(), list);
    }
    // Which of the repository's workspaces it is may stand before the commit.
    let (address, fragment) = range.split_once('#').unwrap_or((range, ""));
    let mut pairs = fragment.split('&');
    let address = match pairs.find_map(|pair| pair.strip_prefix("commit=")) {
        Some(commit) => format!("git+{}#{commit}", address.trim_start_matches("git+")),
        None => range.to_owned(),
    };
    tarball::locate(component, Some(&address), list)
}

#[cfg(test)]
mod tests;
