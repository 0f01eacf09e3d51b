//! Options in files of requirements: which there are, and where they say that packages come from.

use crate::components::component::Component;
use crate::components::list::List;
use crate::components::origin;
use assay_claims::purl;

/// Options that take a value.
const WITH_VALUE: [&str; 12] = [
    "--requirement",
    "--editable",
    "--constraint",
    INDEX,
    "--pypi-url",
    EXTRA_INDEX,
    LINKS,
    "--trusted-host",
    "--no-binary",
    "--only-binary",
    "--use-feature",
    "--config-settings",
];

const FLAGS: [&str; 4] = [NO_INDEX, "--require-hashes", "--pre", "--prefer-binary"];

const SHORT: [(&str, &str); 5] = [
    ("-r", "--requirement"),
    ("-e", "--editable"),
    ("-c", "--constraint"),
    ("-i", INDEX),
    ("-f", LINKS),
];

pub(super) const INDEX: &str = "--index-url";
pub(super) const EXTRA_INDEX: &str = "--extra-index-url";
pub(super) const LINKS: &str = "--find-links";
pub(super) const NO_INDEX: &str = "--no-index";

/// An option in a line of them.
pub(super) struct Named<'a> {
    /// As it is written.
    pub(super) written: &'a str,
    /// Its long name, or as it is written if it is not known here.
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

impl Named<'_> {
    pub(super) fn is_known(&self) -> bool {
        WITH_VALUE.contains(&self.name) || FLAGS.contains(&self.name)
    }
}

/// The options of a line: pip takes several, and any beginning of a name that is of no other.
pub(super) fn options(line: &str) -> Vec<Named<'_>> {
    let mut words = line.split_whitespace();
    let mut options = Vec::new();
    while let Some(word) = words.next() {
        if !word.starts_with('-') {
            continue;
        }
        let (written, value) = match word.char_indices().nth(2) {
            // `-rother.txt`.
            Some((at, _)) if !word.starts_with("--") => {
                let (option, value) = word.split_at(at);
                (option, Some(value.strip_prefix('=').unwrap_or(value)))
            }
            _ => word
                .split_once('=')
                .map_or((word, None), |(option, value)| (option, Some(value))),
        };
        let name = full(written);
        let value = match value {
            None if WITH_VALUE.contains(&name) => words.next(),
            value => value,
        };
        let value = value.unwrap_or_default().trim_matches(['"', '\'']);
        options.push(Named {
            written,
            name,
            value,
        });
    }
    options
}

/// The long name of an option.
fn full(written: &str) -> &str {
    if let Some((_, name)) = SHORT.iter().find(|(short, _)| *short == written) {
        return name;
    }
    let all = || WITH_VALUE.iter().chain(&FLAGS).copied();
    let mut begun = all().filter(|name| written.len() > 2 && name.starts_with(written));
    let name = match (
        all().find(|name| *name == written),
        begun.next(),
        begun.next(),
    ) {
        (Some(name), ..) | (None, Some(name), None) => name,
        _ => written,
    };
    if name == "--pypi-url" { INDEX } else { name }
}

/// Where the packages of a file come from: options count for all of it, wherever they stand.
#[derive(Default)]
pub(super) struct Index {
    /// What takes the place of PyPI.
    instead: Option<String>,
    /// The first that lists files.
    links: Option<String>,
    no_index: bool,
}

impl Index {
    /// Takes up what a line of options says.
    pub(super) fn read(&mut self, line: &str) {
        for option in options(line) {
            let value = || Some(option.value.to_owned()).filter(|value| !value.is_empty());
            match option.name {
                // The last counts.
                INDEX => self.instead = value(),
                LINKS if self.links.is_none() => self.links = value(),
                NO_INDEX => self.no_index = true,
                _ => {}
            }
        }
    }

    /// Whether packages come from PyPI, as far as the file says it.
    pub(super) fn is_of_pypi(&self) -> bool {
        let at = if self.no_index {
            &self.links
        } else {
            &self.instead
        };
        at.as_ref()
            .map_or(!self.no_index, |at| purl::is_public_registry("pypi", at))
    }

    /// Says of a package that it does not come from PyPI, if that is so.
    pub(super) fn locate(
        &self,
        component: &Component,
        parts: &mut purl::Components,
        list: &mut List,
    ) {
        if self.is_of_pypi() {
            return;
        }
        let (line, name) = (component.line, &component.name);
        if self.no_index {
            match self.links.as_deref() {
                Some(at) if at.starts_with("http") => origin::qualify(parts, "repository_url", at),
                at => origin::qualify_local(parts, at.unwrap_or_default().trim_end_matches('/')),
            }
            let remark = "not from PyPI, since --no-index rules it out";
            list.remark(remark, line, name);
        } else if let Some(at) = &self.instead {
            origin::qualify(parts, "repository_url", at);
            list.remark("from another index than PyPI", line, name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::components::Format::Requirements;
    use crate::components::tests::{found, lines, notes};

    #[test]
    fn a_line_has_several_options_in_any_spelling() {
        let line = "-ihttps://a -r b.txt --find=c --extra-index-url 'd' --no-i --odd=1 --no \
                    --index-u e -- - --pypi-url f";
        let found: Vec<_> = options(line)
            .iter()
            .map(|one| format!("{} {} {}", one.written, one.name, one.value))
            .collect();
        assert_eq!(
            found,
            [
                "-i --index-url https://a",
                "-r --requirement b.txt",
                "--find --find-links c",
                "--extra-index-url --extra-index-url d",
                "--no-i --no-index ",
                "--odd --odd 1",
                "--no --no ",
                "--index-u --index-url e",
                "-- -- ",
                "- - ",
                "--pypi-url --index-url f",
            ]
        );
    }

    #[test]
    fn an_index_that_takes_the_place_of_pypi_is_where_packages_come_from() {
        for (options, place) in [
            (
                "-i https://u:secret@host/simple",
                "repository_url=https:%2F%2Fhost%2Fsimple",
            ),
            (
                "-i https://pypi.org/simple\n-i https://host",
                "repository_url=https:%2F%2Fhost",
            ),
            (
                "--pre --index-url=https://host/ --trusted-host host",
                "repository_url=https:%2F%2Fhost%2F",
            ),
            ("--no-index", "download_url=file:"),
            (
                "--no-index --find-links /home/me/wheels/",
                "download_url=file:wheels",
            ),
            ("-i https://host\n--no-index -f ./w", "download_url=file:w"),
            (
                "-f https://host/w\n--no-index",
                "repository_url=https:%2F%2Fhost%2Fw",
            ),
        ] {
            for text in [format!("a==1\n{options}\n"), format!("{options}\na==1\n")] {
                let found = found(Requirements, &text);
                let expected = format!("pkg:pypi/a@1?{place} :");
                assert!(
                    lines(&found)[0].starts_with(&expected),
                    "{:?}",
                    lines(&found)
                );
                assert!(notes(&found).contains("PyPI"), "{}", notes(&found));
                assert!(!notes(&found).contains("secret"), "{}", notes(&found));
            }
            let found = found(Requirements, &format!("-r b.txt\n{options}\n"));
            assert!(
                found.unidentified[0]
                    .reason
                    .contains("not from PyPI either"),
                "{options}"
            );
        }
    }

    #[test]
    fn pypi_by_any_of_its_names_is_pypi() {
        for options in [
            "-i https://pypi.org/simple",
            "--index-url=http://PyPI.org:80/simple/",
            "-i https://host -i https://pypi.python.org/simple",
            "--no-index -f https://pypi.org/simple",
            "--extra-index-url https://pypi.org/simple",
        ] {
            let found = found(Requirements, &format!("{options}\na==1\n-r b.txt\n"));
            assert_eq!(lines(&found), ["pkg:pypi/a@1 :2"]);
            assert!(
                found.unidentified[0].reason.ends_with("check that, too"),
                "{options}"
            );
            let noted = notes(&found);
            let of_another = options.contains("host");
            assert_eq!(noted.contains("may come from there"), of_another, "{noted}");
            assert!(
                !noted.contains("another index") && !noted.contains("rules"),
                "{noted}"
            );
        }
    }
}
