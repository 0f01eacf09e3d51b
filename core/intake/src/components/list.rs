//! The list as it grows: each component once, never more than the limit, and nothing dropped
//! without a word.

use super::component::{Component, Identity, Note, Unidentified};
use super::fault::Fault;
use super::pinned::placeholder;
use super::refs;
use crate::limits;
use crate::text::shown;
use assay_claims::purl::{self, Purl};
use std::collections::{BTreeMap, BTreeSet};

/// Most names that a note shows; of more it says how many.
const NAMES_SHOWN: usize = 5;

/// What a reader has found so far.
#[derive(Default)]
pub(super) struct List {
    list: Vec<Component>,
    /// Which component has an identity: the beginning of its digest, as components of long names
    /// would take twice their memory otherwise.
    places: BTreeMap<Identity, u32>,
    /// How others point at the file, if they can.
    pub(super) bom: Option<String>,
    /// What a BOM calls that which is not in the list.
    other_refs: Vec<String>,
    unidentified: Vec<Unidentified>,
    notes: Vec<Note>,
    /// Entries that share a remark: one note in the end.
    groups: Vec<Group>,
}

/// What a reader has found.
pub(super) struct Found {
    /// The components.
    pub list: Vec<Component>,
    /// How others point at the file, if they can.
    pub bom: Option<String>,
    /// What a BOM calls several things by.
    pub disputed_refs: BTreeSet<String>,
    /// What a person must know.
    pub notes: Vec<Note>,
    /// What cannot be looked up.
    pub unidentified: Vec<Unidentified>,
}

struct Group {
    remark: &'static str,
    line: Option<u32>,
    names: Vec<String>,
    count: usize,
}

impl List {
    /// Makes room for so many components, where it is known how many there are: a list that grows
    /// by itself takes up to three times its memory on the way.
    pub(super) fn expect(&mut self, count: usize) {
        let most = limits::COMPONENTS.saturating_sub(self.list.len());
        self.list.reserve_exact(count.min(most));
    }

    /// Adds the component with the purl that `parts` make. If they make none, or one without a
    /// version, the component has to be known by its digests.
    pub(super) fn package(
        &mut self,
        mut component: Component,
        mut parts: purl::Components,
    ) -> Result<(), Fault> {
        // Sources that say no version: what is said of every version of the package is about them.
        if parts.version.is_none() && parts.qualifiers.iter().any(|(key, _)| key == "vcs_url") {
            let mut digests = component.digests.iter();
            let commit = digests.find(|(algorithm, _)| algorithm == "gitCommit");
            parts.version = commit.map(|(_, commit)| commit.clone());
        }
        if let Some(reason) = parts.version.as_deref().and_then(placeholder) {
            if !component.own {
                return self.without_purl(component, reason);
            }
            component.by_path = false;
        }
        match Purl::build(parts) {
            Ok(purl) if purl.version().is_some() => {
                component.purl = Some(purl);
                self.add(component)
            }
            Ok(_) => self.without_purl(component, "has no version"),
            Err(e) => self.without_purl(component, &format!("has no package URL: {e}")),
        }
    }

    /// Adds a component that has no purl, for the reason given: by its digests, or as the project's
    /// own. Anything else cannot be looked up.
    pub(super) fn without_purl(&mut self, component: Component, reason: &str) -> Result<(), Fault> {
        if component.own {
            return self.add(component);
        }
        if !component.digests.is_empty() {
            self.remark("known only by digest", component.line, &component.name);
            return self.add(component);
        }
        let what = match &component.version {
            Some(version) => format!("{} {version}", component.name),
            None => component.name,
        };
        self.unlisted(component.bom_refs.iter().cloned());
        self.unidentified(component.line, &what, reason)?;
        if let Some(last) = self.unidentified.last_mut() {
            last.bom_refs = component.bom_refs;
        }
        Ok(())
    }

    /// Notes what a BOM calls that which is not in the list: what the list has by the same name is
    /// not told by it.
    pub(super) fn unlisted(&mut self, bom_refs: impl IntoIterator<Item = String>) {
        self.other_refs.extend(bom_refs);
    }

    /// Adds a component, unless it is there already: then what one of them is not, both are not.
    pub(super) fn add(&mut self, mut component: Component) -> Result<(), Fault> {
        let control = |text: &str| text.contains(char::is_control);
        if control(&component.name) || component.version.as_deref().is_some_and(control) {
            let reason = "has control characters in its name or version";
            self.unlisted(component.bom_refs);
            return self.unidentified(component.line, &component.name, reason);
        }
        let identity = component.identity();
        let place = self.places.get(&identity);
        let place = place.and_then(|place| usize::try_from(*place).ok());
        if let Some(twin) = place.and_then(|place| self.list.get_mut(place)) {
            twin.bom_refs.extend(component.bom_refs);
            twin.own &= component.own;
            twin.by_path |= component.by_path;
            twin.dev &= component.dev;
            twin.optional &= component.optional;
            return Ok(());
        }
        self.room()?;
        // There are no more than are read.
        let place = u32::try_from(self.list.len()).unwrap_or(u32::MAX);
        self.places.insert(identity, place);
        // It stays, and a list of one digest has room for four.
        component.name.shrink_to_fit();
        component.digests.shrink_to_fit();
        if self.list.len() == self.list.capacity() {
            // To double it would take three times its memory on the way.
            self.expect(64 + self.list.len() / 4);
        }
        self.list.push(component);
        Ok(())
    }

    /// Counts an entry that cannot be looked up.
    pub(super) fn unidentified(
        &mut self,
        line: Option<u32>,
        what: &str,
        reason: &str,
    ) -> Result<(), Fault> {
        self.room()?;
        let what = if what.is_empty() {
            "an entry without name".to_owned()
        } else {
            shown(what)
        };
        self.unidentified.push(Unidentified {
            line,
            what,
            reason: shown(reason),
            bom_refs: Vec::new(),
        });
        Ok(())
    }

    fn room(&self) -> Result<(), Fault> {
        if self.list.len() + self.unidentified.len() < limits::COMPONENTS {
            return Ok(());
        }
        let reason = format!("the file names more than {} components", limits::COMPONENTS);
        Err(Fault::new(None, reason).advise("nothing of it is taken; check its parts one by one"))
    }

    /// Adds a note that stands alone.
    pub(super) fn note(&mut self, line: Option<u32>, text: &str) {
        self.notes.push(Note {
            line,
            text: shown(text),
        });
    }

    /// Remarks something on the entry `name`. Entries with the same remark become one note:
    /// `remark: a, b and 7 more`.
    pub(super) fn remark(&mut self, remark: &'static str, line: Option<u32>, name: &str) {
        let place = match self.groups.iter().position(|group| group.remark == remark) {
            Some(place) => place,
            None => {
                self.groups.push(Group {
                    remark,
                    line,
                    names: Vec::new(),
                    count: 0,
                });
                self.groups.len() - 1
            }
        };
        let Some(group) = self.groups.get_mut(place) else {
            return;
        };
        group.count += 1;
        if group.names.len() < NAMES_SHOWN {
            group.names.push(name.chars().take(60).collect());
        }
    }

    /// What was found in the whole file. `is_sbom` says that the file is a bill of materials.
    pub(super) fn finish(mut self, is_sbom: bool) -> Found {
        for group in std::mem::take(&mut self.groups) {
            let rest = group.count - group.names.len();
            let more = if rest > 0 {
                format!(" and {rest} more")
            } else {
                String::new()
            };
            self.note(
                group.line,
                &format!("{}: {}{more}", group.remark, group.names.join(", ")),
            );
        }
        if self.unidentified.is_empty() && self.list.iter().all(|component| component.own) {
            self.note_nothing(is_sbom);
        }
        refs::list_each_once(&mut self.list);
        let disputed_refs = match self.bom {
            Some(_) => refs::disputed(&self.list, &self.other_refs),
            None => {
                let nameless = self.unidentified.iter_mut();
                nameless.for_each(|one| one.bom_refs.clear());
                BTreeSet::new()
            }
        };
        Found {
            list: self.list,
            bom: self.bom,
            disputed_refs,
            notes: self.notes,
            unidentified: self.unidentified,
        }
    }

    /// A lock file of a project that needs nothing is whole. A file that names nothing at all, or a
    /// bill of materials without materials, is not known to be: nobody may take it for one in which
    /// all is well.
    fn note_nothing(&mut self, is_sbom: bool) {
        match (self.list.is_empty(), is_sbom) {
            (false, false) => self.note(
                None,
                "the file names no components besides the project itself",
            ),
            (empty, _) => self.unidentified.push(Unidentified {
                line: None,
                what: "the whole file".into(),
                reason: if empty {
                    "names no components".into()
                } else {
                    "names no components besides what it is about".into()
                },
                bom_refs: Vec::new(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn component(name: &str) -> Component {
        Component {
            name: name.into(),
            digests: vec![("sha256".into(), "0".repeat(64))],
            ..Component::default()
        }
    }

    #[test]
    fn twins_are_one_and_keep_only_what_holds_for_both() {
        let mut list = List::default();
        list.add(Component {
            dev: true,
            optional: true,
            own: true,
            line: Some(1),
            ..component("a")
        })
        .unwrap();
        list.add(Component {
            dev: true,
            line: Some(2),
            ..component("a")
        })
        .unwrap();
        list.add(Component {
            digests: vec![],
            ..component("a")
        })
        .unwrap();
        let found = list.finish(false);
        assert_eq!(found.list.len(), 2);
        assert_eq!(
            found.list[0],
            Component {
                dev: true,
                line: Some(1),
                ..component("a")
            }
        );
    }

    #[test]
    fn components_are_two_if_anything_that_they_are_known_by_is_another() {
        let purl = |text: &str| Purl::canonicalize(text).ok();
        let digest = |text: &str| vec![("sha256".to_owned(), text.repeat(64))];
        let named = |name: &str, version: Option<&str>| Component {
            name: name.into(),
            version: version.map(str::to_owned),
            ..Component::default()
        };
        let all = [
            named("ab", None),
            named("a", Some("b")),
            named("ab", Some("")),
            Component {
                purl: purl("pkg:npm/ab"),
                ..named("ab", None)
            },
            Component {
                digests: digest("0"),
                ..named("ab", None)
            },
            Component {
                digests: digest("1"),
                ..named("ab", None)
            },
            Component {
                digests: [digest("0"), digest("1")].concat(),
                ..named("ab", None)
            },
            Component {
                digests: [digest("1"), digest("0")].concat(),
                ..named("ab", None)
            },
        ];
        let mut list = List::default();
        for component in all.iter().chain(&all) {
            list.add(component.clone()).unwrap();
        }
        assert_eq!(list.finish(false).list, all);
    }

    #[test]
    fn the_limit_counts_whatever_is_named() {
        let mut list = List::default();
        list.unidentified(None, "x", "y").unwrap();
        for n in 1..limits::COMPONENTS {
            list.add(component(&n.to_string())).unwrap();
        }
        list.add(component("1")).unwrap();
        assert!(list.add(component("one more")).is_err());
        assert!(list.unidentified(None, "x", "y").is_err());
    }

    #[test]
    fn names_that_would_act_on_a_terminal_are_no_names() {
        let mut list = List::default();
        list.add(component("a\u{1b}[2J")).unwrap();
        list.add(Component {
            version: Some("1\n".into()),
            ..component("b")
        })
        .unwrap();
        let found = list.finish(false);
        assert_eq!((found.list.len(), found.unidentified.len()), (0, 2));
        assert_eq!(found.unidentified[0].what, "a\u{fffd}[2J");
    }

    #[test]
    fn remarks_become_one_note() {
        let mut list = List::default();
        for n in 0..=NAMES_SHOWN {
            list.remark("odd", Some(7), &format!("n{n}"));
        }
        let notes = list.finish(false).notes;
        assert_eq!(
            notes,
            [Note {
                line: Some(7),
                text: "odd: n0, n1, n2, n3, n4 and 1 more".into()
            }]
        );
    }

    #[test]
    fn a_file_of_nothing_is_nothing_that_is_known() {
        let own = || {
            component_list(vec![Component {
                own: true,
                ..component("a")
            }])
        };
        for (list, is_sbom, unknown) in [
            (List::default(), false, 1),
            (List::default(), true, 1),
            (own(), true, 1),
            (own(), false, 0),
            (component_list(vec![component("a")]), true, 0),
        ] {
            let found = list.finish(is_sbom);
            assert_eq!(found.unidentified.len(), unknown, "{is_sbom}");
        }
    }

    fn component_list(list: Vec<Component>) -> List {
        List {
            list,
            ..List::default()
        }
    }

    #[test]
    fn what_has_no_purl_is_known_by_digest_or_not_at_all() {
        let mut list = List::default();
        let parts = |ty: &str| purl::Components {
            ty: ty.into(),
            name: "a".into(),
            ..purl::Components::default()
        };
        list.package(component("a"), parts("cargo")).unwrap();
        list.package(
            Component {
                digests: vec![],
                ..component("b")
            },
            parts("cargo"),
        )
        .unwrap();
        list.package(
            Component {
                digests: vec![],
                ..component("c")
            },
            parts("maven"),
        )
        .unwrap();
        list.package(
            Component {
                digests: vec![],
                own: true,
                ..component("d")
            },
            parts("maven"),
        )
        .unwrap();
        let found = list.finish(false);
        assert_eq!(
            found
                .list
                .iter()
                .map(|c| c.name.as_str())
                .collect::<Vec<_>>(),
            ["a", "d"]
        );
        assert_eq!(found.unidentified[0].reason, "has no version");
        assert!(
            found.unidentified[1]
                .reason
                .contains("must have a namespace")
        );
    }
}
