//! The index held against a plain one.

mod cuts;
mod maps;

use super::map::{Map, PageBytes, Resident, Serial};
use super::naive::{Plain, label, list_root, root};
use super::page::Spill;
use super::{Cut, Label, Prefix};
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
    map: Map<PageBytes>,
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

    fn check_proven(&self, asked: &[Label]) {
        let proven = self.map.prove(asked, &Resident).unwrap();
        let cut = Cut::verify(&proven.cut, &self.map.commitment()).unwrap();
        for label in asked {
            let expected = self
                .plain
                .get(label)
                .map(|list| (list.len() as u64, list_root(list)));
            assert_eq!(
                cut.find(label)
                    .unwrap()
                    .map(|found| (found.length, found.list_root)),
                expected
            );
        }
        let found: Vec<_> = proven.found.iter().map(|listed| listed.label).collect();
        let expected: Vec<_> = asked
            .iter()
            .filter(|label| self.plain.contains_key(label))
            .copied()
            .collect();
        assert_eq!(found, expected);
        for listed in &proven.found {
            assert_eq!(listed.length, self.plain[&listed.label].len() as u64);
            assert!(
                listed
                    .leaves
                    .as_ref()
                    .is_none_or(|leaves| *leaves == self.plain[&listed.label])
            );
        }
    }

    fn check_prefix(&self, prefix: &Prefix) {
        let proven = self.map.prove_prefix(prefix, &Resident).unwrap();
        let cut = Cut::verify(&proven.cut, &self.map.commitment()).unwrap();
        let expected: Vec<_> = self
            .plain
            .keys()
            .filter(|label| prefix.holds(label))
            .copied()
            .collect();
        assert_eq!(
            cut.under(prefix)
                .unwrap()
                .iter()
                .map(|found| found.label)
                .collect::<Vec<_>>(),
            expected
        );
        assert_eq!(
            proven
                .found
                .iter()
                .map(|listed| listed.label)
                .collect::<Vec<_>>(),
            expected
        );
    }
}

/// Labels that share long prefixes with each other, beside some that do not.
fn crowded(n: u64) -> Label {
    let mut bytes = *label(n / 8).as_bytes();
    match n % 8 {
        0 => {}
        shared => bytes[31 - shared as usize] ^= 1 << (n % 7),
    }
    Label::from_bytes(bytes)
}
