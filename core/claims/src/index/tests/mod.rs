//! The index held against a plain one.

mod answers;
mod bounds;
mod cuts;
mod mapping;
mod maps;
mod pages;

use super::map::{Map, Resident, Serial, Whole};
use super::naive::{Plain, label, list_root, root};
use super::page::{PAGE_LABELS, Spill};
use super::{By, Cut, Found, Label, Name, Prefix, Query};
use assay_tlog::tree::{LeafIndex, TreeSize};

fn sorted(updates: impl IntoIterator<Item = (Label, u64)>) -> Vec<(Label, LeafIndex)> {
    let mut updates: Vec<_> = updates
        .into_iter()
        .map(|(label, leaf)| (label, LeafIndex::new(leaf)))
        .collect();
    updates.sort();
    updates.dedup();
    updates
}

/// Both indexes, fed alike.
#[derive(Default, Clone)]
struct Both {
    map: Map<Whole>,
    plain: Plain,
    size: u64,
    spilled: Vec<Spill>,
}

impl Both {
    /// Appends leaves, each with its labels, as one publish step does, and compares.
    fn append(&mut self, leaves: &[Vec<Label>]) {
        let mut updates = Vec::new();
        for labels in leaves {
            for label in labels {
                updates.push((*label, self.size));
                let list = self.plain.entry(*label).or_default();
                let leaf = LeafIndex::new(self.size);
                if list.last() != Some(&leaf) {
                    list.push(leaf);
                }
            }
            self.size += 1;
        }
        let update = self
            .map
            .update(
                &sorted(updates),
                TreeSize::new(self.size),
                &Resident,
                &Serial,
            )
            .unwrap();
        self.map = update.map;
        self.spilled.extend(update.spills);
        let commitment = self.map.commitment();
        assert_eq!(
            (commitment.root, commitment.labels),
            (root(&self.plain), self.plain.len() as u64)
        );
    }

    /// What the index has of these labels, and of all others of their names by those who said them.
    fn check_proven(&self, asked: &[Label]) {
        let query = Query::labels(asked);
        let proven = self.map.prove(&query, &Resident).unwrap();
        let cut = Cut::verify(&proven.cut(), &self.map.commitment()).unwrap();
        for label in asked {
            let found = cut.find(label).unwrap();
            assert_eq!(
                found,
                self.plain.get(label).map(|list| expected(label, list))
            );
        }
        let expected = self.expected(|label| query.asks_for(label));
        assert_eq!(cut.answer(&query).unwrap(), expected);
        assert_eq!(proven.found.len(), expected.len());
        for (listed, found) in proven.found.iter().zip(expected) {
            assert_eq!((listed.label, listed.length), (found.label, found.length));
            let plain = &self.plain[&listed.label];
            assert!(listed.leaves.as_ref().is_none_or(|leaves| leaves == plain));
        }
        for name in asked.iter().map(Label::name) {
            let speakers = self.plain.keys().filter(|label| label.name() == name);
            assert_eq!(cut.speakers(&name), Ok(speakers.count() as u64));
        }
    }

    fn check_prefix(&self, prefix: &Prefix) {
        let census = Query::Census(*prefix);
        let proven = self.map.prove(&census, &Resident).unwrap();
        let cut = Cut::verify(&proven.cut(), &self.map.commitment()).unwrap();
        let expected = self.expected(|label| prefix.holds(label));
        assert_eq!(cut.answer(&census).unwrap(), expected);
        assert_eq!(proven.found.len(), expected.len());
        let count = self.map.count(prefix);
        let page = PAGE_LABELS as u64;
        let labels = expected.len() as u64;
        assert!(
            (labels..=labels + page).contains(&count.labels),
            "{count:?}"
        );
        if prefix.bits() <= Name::BITS {
            self.check_crowd(prefix, &expected);
        }
    }

    /// Some of those who spoke of what begins with `prefix`, and all that anybody spoke of there.
    fn check_crowd(&self, prefix: &Prefix, all: &[Found]) {
        let mut by: Vec<By> = all
            .iter()
            .step_by(3)
            .map(|found| found.label.by())
            .collect();
        by.push(label(4711).by());
        by.sort();
        by.dedup();
        let crowd = Query::crowd(*prefix, by.iter().copied());
        let proven = self.map.prove(&crowd, &Resident).unwrap();
        let cut = Cut::verify(&proven.cut(), &self.map.commitment()).unwrap();
        let mut expected = all.to_vec();
        expected.retain(|found| by.contains(&found.label.by()));
        assert_eq!(cut.answer(&crowd).unwrap(), expected);
        assert_eq!(proven.found.len(), expected.len());
        let mut names: Vec<Name> = all.iter().map(|found| found.label.name()).collect();
        names.dedup();
        assert_eq!(cut.crowd_names(prefix).unwrap(), names);
    }

    fn expected(&self, wanted: impl Fn(&Label) -> bool) -> Vec<Found> {
        let labels = self.plain.iter().filter(|(label, _)| wanted(label));
        labels.map(|(label, list)| expected(label, list)).collect()
    }
}

fn expected(label: &Label, list: &[LeafIndex]) -> Found {
    Found {
        label: *label,
        length: list.len() as u64,
        list_root: list_root(list),
    }
}

/// Labels that share long prefixes with each other, beside some that do not.
fn crowded(n: u64) -> Label {
    let mut bytes = *label(n / 8).as_bytes();
    match n % 8 {
        0 => {}
        // Another speaker, or a name that is nearly the same.
        shared if n.is_multiple_of(3) => bytes[14 - shared as usize] ^= 1 << (n % 7),
        shared => bytes[31 - shared as usize] ^= 1 << (n % 7),
    }
    Label::from_bytes(bytes)
}
