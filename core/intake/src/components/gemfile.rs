//! `Gemfile.lock` (Bundler's `lib/bundler/lockfile_parser.rs`).
//!
//! Sections begin at the margin. Those of sources hold `specs:`: gems are indented by four, and
//! what they depend on by six. `CHECKSUMS` states digests from Bundler 2.6 on.

use super::component::Component;
use super::digest::{self, Digests};
use super::fault::Fault;
use super::input::Input;
use super::list::List;
use super::origin::{self, Repository};
use super::reader::{Reader, Sign};
use assay_claims::kind::node::quoted;
use assay_claims::purl;
use std::collections::BTreeMap;

pub(super) const READER: Reader = Reader {
    name: "Gemfile.lock",
    is_sbom: false,
    remedy: "nothing of the file is taken; restore it, or let `bundle lock` write it",
    files: &["Gemfile.lock", "gems.locked"],
    // Of the appraisal of several sets of gems.
    path: Some(|_, name| name.ends_with(".gemfile.lock")),
    sign: Sign::Text(|head| head.has("  remote: ") && head.has("  specs:")),
    read: |input, _| read(input),
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Gem,
    Git,
    Path,
    Checksums,
    /// Says nothing of which gems there are.
    Other,
}

/// A section of a source, as far as it was read.
#[derive(Default)]
struct Source<'a> {
    /// A section of before Bundler 2.2 may have several, and does not say which has which gem.
    remotes: Vec<&'a str>,
    revision: Option<&'a str>,
}

/// Digests by `name (version-platform)`.
type Checksums<'a> = BTreeMap<&'a str, Digests>;

fn read(input: &Input<'_>) -> Result<List, Fault> {
    let checksums = checksums(input)?;
    let mut list = List::default();
    let (mut section, mut source, mut any) = (Section::Other, Source::default(), false);
    for (number, line) in input.lines().filter(|(_, line)| !line.trim().is_empty()) {
        if let Some(begun) = heading(number, line)? {
            (section, source) = (begun, Source::default());
            any |= matches!(begun, Section::Gem | Section::Git | Section::Path);
        } else if matches!(section, Section::Gem | Section::Git | Section::Path) {
            match line.len() - line.trim_start_matches(' ').len() {
                2 => source.read(line.trim()),
                4 => read_gem(number, line.trim(), section, &source, &checksums, &mut list)?,
                6 => {}
                _ => {
                    return Err(Fault::at(
                        number,
                        format!("{} is indented as nothing else is", quoted(line)),
                    ));
                }
            }
        }
    }
    if any {
        Ok(list)
    } else {
        Err(Fault::new(
            None,
            "the file has none of the sections GEM, GIT and PATH",
        ))
    }
}

/// The section that a line begins; `None` if the line belongs to the one before.
fn heading(number: u32, line: &str) -> Result<Option<Section>, Fault> {
    if line.starts_with(' ') {
        return Ok(None);
    }
    Ok(Some(match line.trim_end() {
        "GEM" => Section::Gem,
        "GIT" | "PLUGIN SOURCE" => Section::Git,
        "PATH" => Section::Path,
        "CHECKSUMS" => Section::Checksums,
        other if other.chars().all(|c| c.is_ascii_uppercase() || c == ' ') => Section::Other,
        other => {
            return Err(Fault::at(
                number,
                format!("{} begins no section", quoted(other)),
            ));
        }
    }))
}

/// The lines `name (version) algorithm=hex,…`.
fn checksums<'a>(input: &Input<'a>) -> Result<Checksums<'a>, Fault> {
    let mut checksums = Checksums::new();
    let mut section = Section::Other;
    for (number, line) in input.lines().filter(|(_, line)| !line.trim().is_empty()) {
        if let Some(begun) = heading(number, line)? {
            section = begun;
        } else if section == Section::Checksums
            && let Some((gem, stated)) = line.trim().rsplit_once(") ")
        {
            let gem = line.trim().get(..=gem.len()).unwrap_or_default();
            for (algorithm, value) in stated.split(',').filter_map(|pair| pair.split_once('=')) {
                let digest = digest::hex(algorithm, value)
                    .map_err(|reason| Fault::at(number, format!("{} {reason}", quoted(value))))?;
                checksums.entry(gem).or_default().extend(digest);
            }
        }
    }
    Ok(checksums)
}

impl<'a> Source<'a> {
    fn read(&mut self, line: &'a str) {
        match line.split_once(": ") {
            Some(("remote", remote)) => self.remotes.push(remote),
            Some(("revision", revision)) => self.revision = Some(revision),
            _ => {}
        }
    }
}

/// Name, version and platform of `name (version-platform)`.
fn named(gem: &str) -> Option<(&str, &str, Option<&str>)> {
    let (name, rest) = gem.split_once(" (")?;
    let version = rest.strip_suffix(')')?;
    // Versions of gems have no hyphen: what follows one is the platform.
    match version.split_once('-') {
        Some((version, platform)) => Some((name, version, Some(platform))),
        None => Some((name, version, None)),
    }
}

fn read_gem(
    number: u32,
    gem: &str,
    section: Section,
    source: &Source<'_>,
    checksums: &Checksums<'_>,
    list: &mut List,
) -> Result<(), Fault> {
    let Some((name, version, platform)) = named(gem) else {
        return Err(Fault::at(
            number,
            format!("{} is not `name (version)`", quoted(gem)),
        ));
    };
    let mut parts = origin::package("gem", name, Some(version));
    parts
        .qualifiers
        .extend(platform.map(|platform| ("platform".to_owned(), platform.to_owned())));
    let mut component = Component {
        name: name.into(),
        version: Some(version.into()),
        digests: checksums.get(gem).cloned().unwrap_or_default(),
        line: Some(number),
        ..Component::default()
    };
    match section {
        Section::Git => {
            let repository = Repository {
                address: source.remotes.first().copied().unwrap_or_default(),
                revision: source.revision,
            };
            repository.qualify(&mut parts);
            component.digests.extend(repository.commit());
            list.remark(
                "from git, so that what is known of the registry's gem need not hold",
                Some(number),
                name,
            );
        }
        Section::Path => {
            component.own = true;
            let path = source.remotes.first().copied().unwrap_or_default();
            component.by_path = !origin::is_here(path);
            list.remark("local folders", Some(number), name);
        }
        _ => from_registry(source, number, name, &mut parts, list),
    }
    list.package(component, parts)
}

/// Says where a gem comes from, if not from rubygems.org.
fn from_registry(
    source: &Source<'_>,
    number: u32,
    name: &str,
    parts: &mut purl::Components,
    list: &mut List,
) {
    let is_public = |remote: &&str| purl::is_public_registry("gem", remote);
    match source.remotes.as_slice() {
        [] => {}
        remotes if remotes.iter().all(is_public) => {}
        remotes => {
            // Which of several it is from is not said: a word about rubygems.org's gem may be about
            // another one.
            let other = remotes.iter().find(|&remote| !is_public(remote));
            origin::qualify(parts, "repository_url", other.copied().unwrap_or_default());
            let remark = if remotes.iter().any(is_public) {
                "from one of several registries, of which rubygems.org is one, so that what is \
                 known of that one's gem need not hold"
            } else {
                "from a registry other than rubygems.org"
            };
            list.remark(remark, Some(number), name);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::components::Format::GemfileLock;
    use crate::components::tests::{found, lines, notes, refusal};

    const COMMIT: &str = "17620a225744b4a18845d4f7bf63354e01109b91";

    #[test]
    fn gems_come_from_the_section_that_they_stand_in() {
        let text = format!(
            "GIT\n  remote: https://host/g.git\n  revision: {COMMIT}\n  branch: main\n  \
             specs:\n    g (0.1.0)\n      ast (>= 2)\n\n\
             PATH\n  remote: .\n  specs:\n    own (1.0.0)\n\n\
             GEM\n  remote: https://rubygems.org/\n  specs:\n    ast (2.4.2)\n    \
             nokogiri (1.15.0-x86_64-linux)\n      racc (~> 1.4)\n\n\
             GEM\n  remote: https://u:secret@gems.example/\n  specs:\n    p (1)\n\n\
             PLATFORMS\n  x86_64-linux\n\nDEPENDENCIES\n  ast\n\n\
             CHECKSUMS\n  ast (2.4.2) sha256={}\n  own (1.0.0)\n\n\
             RUBY VERSION\n   ruby 3.0.2p107\n\nBUNDLED WITH\n   2.2.28\n",
            "ab".repeat(32)
        );
        let found = found(GemfileLock, &text);
        assert_eq!(
            lines(&found),
            [
                format!(
                    "pkg:gem/g@0.1.0?vcs_url=git%2Bhttps:%2F%2Fhost%2Fg.git%40{COMMIT} gitCommit :6"
                ),
                "pkg:gem/own@1.0.0 own :12".to_owned(),
                "pkg:gem/ast@2.4.2 sha256 :17".to_owned(),
                "pkg:gem/nokogiri@1.15.0?platform=x86_64-linux :18".to_owned(),
                "pkg:gem/p@1?repository_url=https:%2F%2Fgems.example%2F :24".to_owned(),
            ]
        );
        assert_eq!(notes(&found).lines().count(), 3);
        assert!(!found.list[1].by_path);
        let beside = text.replace("PATH\n  remote: .\n", "PATH\n  remote: gems/own\n");
        assert!(crate::components::tests::found(GemfileLock, &beside).list[1].by_path);
    }

    /// Bundler of before 2.2 took a gem from any of the remotes of a section.
    #[test]
    fn a_gem_of_several_registries_is_not_known_to_be_of_the_public_one() {
        let (public, index) = ("https://rubygems.org/", "https://index.rubygems.org/");
        let (ours, other) = ("https://u:secret@gems.example/", "https://other.example/");
        for (remotes, place, said) in [
            (
                [public, ours],
                "?repository_url=https:%2F%2Fgems.example%2F",
                "one of several",
            ),
            (
                [ours, public],
                "?repository_url=https:%2F%2Fgems.example%2F",
                "one of several",
            ),
            (
                [other, ours],
                "?repository_url=https:%2F%2Fother.example%2F",
                "a registry other",
            ),
            ([public, index], "", ""),
        ] {
            let [first, second] = remotes;
            let text = format!("GEM\n  remote: {first}\n  remote: {second}\n  specs:\n    p (1)\n");
            let found = found(GemfileLock, &text);
            assert_eq!(lines(&found), [format!("pkg:gem/p@1{place} :5")], "{text}");
            let told = notes(&found);
            assert_eq!(
                (told.contains(said), told.is_empty()),
                (true, said.is_empty()),
                "{told}"
            );
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let good = "GEM\n  remote: https://rubygems.org/\n  specs:\n    ast (2.4.2)\n";
        for (text, said) in [
            (
                format!("<<<<<<< HEAD\n{good}"),
                "x:1: \"<<<<<<< HEAD\" begins no section",
            ),
            (
                good.replace("(2.4.2)", "2.4.2"),
                "x:4: \"ast 2.4.2\" is not `name (version)`",
            ),
            (
                good.replace("    ast", "     ast"),
                "x:4: \"     ast (2.4.2)\" is indented as nothing else",
            ),
            (
                "PLATFORMS\n  ruby\n".to_owned(),
                "x: the file has none of the sections",
            ),
            (
                format!("{good}\nCHECKSUMS\n  ast (2.4.2) sha256=12\n"),
                "x:7: \"12\" is no sha256 in hex",
            ),
        ] {
            let error = refusal(GemfileLock, &text);
            assert!(error.starts_with(said), "{error}");
        }
    }
}
