//! Maps: every step, from every mix of stored pages, gives the plain trie.

use super::{Both, crowded, sorted};
use crate::index::map::{
    Join, Kept, Map, MapError, PART_PAGES, PageBytes, Pages, Part, Place, Resident, Serial, Slot,
    StoredPage, StoredPart, Whole,
};
use crate::index::naive::{Plain, label, root};
use crate::index::page::{PAGE_LABELS, PageError, Spill};
use crate::index::{Commitment, Label, Prefix, Query};
use assay_tlog::tree::TreeSize;
use proptest::prelude::*;
use std::convert::Infallible;

#[test]
fn an_empty_index_has_its_root_and_proves_absence() {
    let both = Both::default();
    assert_eq!(both.map.commitment(), Commitment::empty());
    assert_eq!(Commitment::empty().root, root(&Plain::new()));
    both.check_proven(&[label(1)]);
    both.check_prefix(&Prefix::EMPTY);
    assert!(
        both.map
            .prove(&Query::labels(&[label(1)]), &Resident)
            .unwrap()
            .cut()
            .is_empty()
    );
}

#[test]
fn every_size_up_to_some_pages_agrees_with_the_plain_trie() {
    for labels in [label as fn(u64) -> Label, crowded] {
        let mut both = Both::default();
        for n in 0..160 {
            both.append(&[vec![labels(n), labels(n / 3), label(7)]]);
            if n % 9 == 0 {
                let mut asked: Vec<_> = (0..n + 20).map(labels).collect();
                asked.sort();
                asked.dedup();
                both.check_proven(&asked);
                asked
                    .iter()
                    .step_by(5)
                    .for_each(|one| both.check_proven(&[*one]));
            }
        }
    }
}

#[test]
fn every_prefix_of_a_small_index_is_answered() {
    let mut both = Both::default();
    both.append(&(0..60).map(|n| vec![crowded(n)]).collect::<Vec<_>>());
    for n in [0, 1, 7, 8, 59, 300] {
        for bits in 0..=256 {
            both.check_prefix(&Prefix::of(&crowded(n), bits));
        }
    }
}

#[test]
fn labels_that_differ_in_their_last_bit_lie_in_a_shallow_trie() {
    let mut bytes = [0xff; 32];
    let one = Label::from_bytes(bytes);
    bytes[31] = 0xfe;
    let other = Label::from_bytes(bytes);
    let mut both = Both::default();
    both.append(&[vec![one], vec![other]]);
    both.check_proven(&[other, one]);
    both.check_prefix(&Prefix::of(&one, 255));
}

#[test]
fn the_state_under_a_prefix_changes_with_what_is_listed_there_and_hardly_else() {
    assert_eq!(Map::<Whole>::new().state(&Prefix::EMPTY), None);
    let mut both = Both::default();
    both.append(&(0..200).map(|n| vec![label(n)]).collect::<Vec<_>>());
    // The labels are new in the first round, and their lists grow in the second.
    for n in (0..60).chain(0..60) {
        let before = both.map.clone();
        both.append(&[vec![crowded(n)]]);
        for bits in [0, 1, 64, 128, 200, 256] {
            let prefix = Prefix::of(&crowded(n), bits);
            assert_ne!(
                both.map.state(&prefix),
                before.state(&prefix),
                "{n}, {bits} bits"
            );
        }
        let same = (0..200).filter(|other| {
            let prefix = Prefix::of(&label(*other), 128);
            both.map.state(&prefix) == before.state(&prefix)
        });
        assert!(same.count() > 200 - 2 * PAGE_LABELS, "{n}");
    }
}

/// What is in memory of a part: nothing.
struct Dark;

impl Slot for Dark {
    fn filled(_: PageBytes, _: Vec<Option<Kept>>) -> Self {
        Dark
    }

    fn places(&self) -> Option<PageBytes> {
        None
    }

    fn kept(&self, _: usize) -> Option<Kept> {
        None
    }
}

#[test]
fn there_is_no_state_under_a_prefix_that_no_label_has() {
    let elsewhere = Prefix::of(&FIRST, 8);
    let high = |n: u64| {
        let mut bytes = *label(n).as_bytes();
        bytes[0] = 0xff;
        vec![Label::from_bytes(bytes)]
    };
    // Pages of one part.
    let mut both = Both::default();
    both.append(&(0..40).map(high).collect::<Vec<_>>());
    assert_eq!(parts(&both.map).len(), 1);
    assert_eq!(both.map.state(&elsewhere), None);
    // Parts of which nothing else is known than that they are there.
    both.append(&(40..1200).map(high).collect::<Vec<_>>());
    let dark = parts(&both.map).into_iter().map(|(key, places)| {
        let slot = Dark;
        StoredPart { key, places, slot }.load::<Infallible>()
    });
    let dark = Map::load_parts(dark).unwrap();
    assert_eq!(dark.commitment(), both.map.commitment());
    assert_eq!(dark.state(&elsewhere), None);
}

/// A page as it is stored: its key, the size through which it is current, and its bytes.
type Stored = (Prefix, TreeSize, PageBytes);

pub(super) const FIRST: Label = Label::from_bytes([0; 32]);
pub(super) const LAST: Label = Label::from_bytes([0xff; 32]);

fn stored(map: &Map<Whole>) -> Vec<Stored> {
    let mut pages = Vec::new();
    map.each_part(&FIRST, &LAST, &mut |part| {
        let places = part.places(&part.slot().places().unwrap()).unwrap();
        assert!(places.len() <= PART_PAGES);
        for (at, place) in places.iter().enumerate() {
            let bytes = part.slot().kept(at).unwrap().bytes;
            assert!(place.holds(&bytes) && part.key().bits() <= place.key().bits());
            pages.push((*place.key(), place.through(), bytes));
        }
    });
    pages
}

fn load(pages: Vec<Stored>) -> Result<Map<Whole>, MapError<Infallible>> {
    Map::load(pages.into_iter().map(|(key, through, bytes)| {
        StoredPage {
            key,
            through,
            bytes,
            keep: true,
        }
        .load()
    }))
}

/// Keys and places of all parts.
fn parts(map: &Map<Whole>) -> Vec<(Prefix, PageBytes)> {
    let mut parts = Vec::new();
    map.each_part(&FIRST, &LAST, &mut |part| {
        parts.push((*part.key(), part.slot().places().unwrap()));
    });
    parts
}

fn forty_steps() -> Both {
    let mut both = Both::default();
    for n in 0..40 {
        let leaves: Vec<_> = (0..20)
            .map(|i| vec![label(n * 13 + i), crowded(i)])
            .collect();
        both.append(&leaves);
    }
    both
}

#[test]
fn pages_read_back_make_the_same_map() {
    let mut both = forty_steps();
    let pages = stored(&both.map);
    assert!(pages.len() > 30 && pages.is_sorted());
    let loaded = load(pages).unwrap();
    assert_eq!(loaded.commitment(), both.map.commitment());
    assert_eq!(parts(&loaded), parts(&both.map), "parts follow from pages");
    // It goes on as the one that was never stored does.
    both.append(&[vec![label(5), label(9_999)]]);
    let loaded = loaded
        .update(
            &sorted([(label(5), 800), (label(9_999), 800)]),
            TreeSize::new(801),
            &Resident,
            &Serial,
        )
        .unwrap()
        .map;
    assert_eq!(loaded.commitment(), both.map.commitment());
}

/// Reads the parts of a map again, without its pages.
fn load_parts(stored: Vec<(Prefix, PageBytes)>) -> Result<Map<Whole>, MapError<Infallible>> {
    Map::load_parts(stored.into_iter().map(|(key, places)| {
        let slot = Whole::filled(places.clone(), Vec::new());
        StoredPart { key, places, slot }.load()
    }))
}

#[test]
fn parts_read_back_make_the_same_directory_at_every_size() {
    for labels in [label as fn(u64) -> Label, crowded] {
        let mut both = Both::default();
        for n in 0..150 {
            both.append(
                &(n * 15..n * 15 + 15)
                    .map(|n| vec![labels(n)])
                    .collect::<Vec<_>>(),
            );
            let loaded = load_parts(parts(&both.map)).unwrap();
            assert_eq!(loaded.commitment(), both.map.commitment());
            for bits in [0, 1, 5, 9, 64, 128] {
                let prefix = Prefix::of(&labels(n), bits);
                assert_eq!(loaded.count(&prefix), both.map.count(&prefix));
                assert_eq!(loaded.state(&prefix), both.map.state(&prefix));
            }
        }
        assert!(parts(&both.map).len() > 8);
    }
}

#[test]
fn parts_that_do_not_fit_together_are_refused_and_a_changed_one_changes_the_root() {
    let mut both = Both::default();
    both.append(&(0..1200).map(|n| vec![label(n)]).collect::<Vec<_>>());
    let all = parts(&both.map);
    assert!(all.len() > 4, "{} parts", all.len());
    let mut swapped = all.clone();
    swapped.swap(1, 2);
    assert!(matches!(load_parts(swapped), Err(MapError::Misplaced(_))));
    let mut renamed = all.clone();
    renamed[1].0 = renamed[2].0;
    assert!(load_parts(renamed).is_err());
    let mut lost = all.clone();
    lost.remove(2);
    let lost = load_parts(lost).unwrap().commitment();
    assert_ne!(lost, both.map.commitment());
    // Whatever byte is another one: if the root is the same, the places lead to the same pages.
    let part = nth_part(&both.map, 1);
    let written = part.places(&all[1].1).unwrap();
    for at in 0..all[1].1.len() {
        let mut changed = all.clone();
        let mut bytes = changed[1].1.to_vec();
        bytes[at] ^= 1;
        changed[1].1 = bytes.clone().into();
        let Ok(map) = load_parts(changed) else {
            continue;
        };
        let same = map.commitment() == both.map.commitment();
        assert_eq!(part.holds(&bytes), same, "{at}");
        let places = part.places(&bytes).unwrap();
        for (at, (place, before)) in places.iter().zip(&written).enumerate() {
            let page = part.slot().kept(at).unwrap().bytes;
            assert!(!same || place != before || place.holds(&page), "{at}");
        }
    }
}

fn nth_part(map: &Map<Whole>, at: usize) -> &Part<Whole> {
    let mut parts: Vec<&Part<Whole>> = Vec::new();
    map.each_part(&FIRST, &LAST, &mut |part| parts.push(part));
    parts[at]
}

#[test]
fn pages_that_do_not_fit_together_are_refused_and_a_lost_one_changes_the_root() {
    let both = forty_steps();
    let edited = |edit: &dyn Fn(&mut Vec<Stored>)| {
        let mut pages = stored(&both.map);
        edit(&mut pages);
        load(pages)
    };
    assert!(matches!(
        edited(&|pages| pages.swap(3, 4)),
        Err(MapError::Misplaced(_))
    ));
    assert!(matches!(
        edited(&|pages| pages[3].0 = pages[4].0),
        Err(MapError::Misplaced(_))
    ));
    assert!(matches!(
        edited(&|pages| pages[3].2 = PageBytes::from([])),
        Err(MapError::Page(_))
    ));
    assert_ne!(
        edited(&|pages| drop(pages.remove(3))).unwrap().commitment(),
        both.map.commitment()
    );
}

#[test]
fn a_page_is_under_its_key_and_its_hashes_are_those_of_its_lists() {
    let mut both = Both::default();
    both.append(&[vec![label(1), label(2)], vec![label(1), label(2)]]);
    let (_, through, bytes) = stored(&both.map).remove(0);
    let edges = [label(1), label(2)];
    let holds = |key: &Prefix| edges.map(|edge| key.holds(&edge));
    let load = |key, bytes| {
        let page = StoredPage {
            key,
            through,
            bytes,
            keep: true,
        };
        page.load::<Infallible>().map(|_| ())
    };
    assert_eq!(load(Prefix::EMPTY, bytes.clone()), Ok(()));
    for (key, held) in [
        (Prefix::of(&label(1), 256), [true, false]),
        (Prefix::of(&label(2), 256), [false, true]),
        (Prefix::of(&label(3), 256), [false, false]),
    ] {
        assert_eq!(holds(&key), held);
        assert_eq!(load(key, bytes.clone()), Err(MapError::Misplaced(key)));
    }
    // The hash of the first list, behind its length and the label.
    let mut changed = bytes.to_vec();
    changed[33] ^= 1;
    let malformed = MapError::Page(PageError::Malformed);
    assert_eq!(load(Prefix::EMPTY, changed.into()), Err(malformed));
}

/// The labels of the 25 leaves of one step.
fn step(n: u64) -> Vec<Vec<Label>> {
    (0..25)
        .map(|i| vec![label(n * 7 + i), label(3), crowded(i)])
        .collect()
}

/// Applies the leaves of the steps from one on, up to the eighth, to a map. Returns the map and
/// what is stored of long lists.
fn applied_again(mut map: Map<Whole>, from: u64) -> (Map<Whole>, Vec<Spill>) {
    let mut spilled = Vec::new();
    for n in from..8 {
        let mut updates = Vec::new();
        for (leaf, labels) in (n * 25..).zip(step(n)) {
            updates.extend(labels.into_iter().map(|label| (label, leaf)));
        }
        let size = TreeSize::new((n + 1) * 25);
        let update = map
            .update(&sorted(updates), size, &Resident, &Serial)
            .unwrap();
        map = update.map;
        spilled.extend(update.spills);
    }
    (map, spilled)
}

/// A node that was cut off after any publish step has some pages of that step and some of earlier
/// ones. The leaves since the oldest, applied again, give the same map.
#[test]
fn leaves_that_some_pages_have_already_can_be_applied_again() {
    let mut history = vec![Both::default()];
    for n in 0..8 {
        let mut next = history.last().unwrap().clone();
        next.append(&step(n));
        history.push(next);
    }
    let last = &history[8];
    let mut tried = 0;
    for (old, before) in history.iter().enumerate().take(8).skip(1) {
        for half in [0, 1, 128, 255] {
            // Pages below the line are of the last step, the others of the old one; both halves are
            // whole.
            let line = Label::from_bytes([half; 32]);
            let mut mixed = stored(&last.map);
            mixed.retain(|(key, ..)| key.last() < line);
            let older = stored(&before.map).into_iter();
            mixed.extend(older.filter(|(key, ..)| key.last() >= line));
            // A page that was split lies on both sides of the line: a store never holds that.
            let Ok(map) = load(mixed) else {
                continue;
            };
            tried += 1;
            let (map, spilled) = applied_again(map, old as u64);
            assert_eq!(
                map.commitment().root,
                last.map.commitment().root,
                "pages of step {old} below {half}"
            );
            assert!(
                spilled.iter().all(|spill| last.spilled.contains(spill)),
                "lists are stored as they were"
            );
        }
    }
    assert!(tried > 14, "{tried}");
}

struct Threads;

impl Join for Threads {
    fn join<A: Send, B: Send>(
        &self,
        a: impl FnOnce() -> A + Send,
        b: impl FnOnce() -> B + Send,
    ) -> (A, B) {
        let (b, a) = (b(), a());
        (a, b)
    }
}

#[test]
fn the_order_of_joined_halves_does_not_matter() {
    let updates = sorted((0..5000).map(|n| (label(n % 3100), n)));
    let serial = Map::<Whole>::new()
        .update(&updates[..700], TreeSize::new(5000), &Resident, &Serial)
        .unwrap();
    let parallel = Map::<Whole>::new()
        .update(&updates[..700], TreeSize::new(5000), &Resident, &Threads)
        .unwrap();
    let serial = serial
        .map
        .update(&updates[700..], TreeSize::new(5000), &Resident, &Serial)
        .unwrap();
    let parallel = parallel
        .map
        .update(&updates[700..], TreeSize::new(5000), &Resident, &Threads)
        .unwrap();
    assert_eq!(serial.map.commitment(), parallel.map.commitment());
    assert_eq!(serial.spills.len(), parallel.spills.len());
}

struct Gone;

impl Pages<Whole> for Gone {
    type Error = &'static str;

    fn places(&self, part: &Part<Whole>) -> Result<PageBytes, Self::Error> {
        Ok(part.slot().places().unwrap())
    }

    fn bytes(&self, _: &Part<Whole>, _: usize, _: &Place) -> Result<PageBytes, Self::Error> {
        Err("gone")
    }
}

#[test]
fn a_page_that_cannot_be_read_fails_the_step_and_the_proof() {
    let mut both = Both::default();
    both.append(&[vec![label(1)]]);
    assert!(matches!(
        both.map
            .update(&sorted([(label(1), 9)]), TreeSize::new(10), &Gone, &Serial),
        Err(MapError::Read("gone"))
    ));
    assert!(matches!(
        both.map.prove(&Query::labels(&[label(1)]), &Gone),
        Err(MapError::Read("gone"))
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_sequence_of_steps_agrees_with_the_plain_trie(
        steps in prop::collection::vec(
            prop::collection::vec(prop::collection::vec(0_u64..120, 0..4), 0..30),
            0..6,
        ),
        asked in prop::collection::btree_set(0_u64..160, 0..20),
    ) {
        let mut both = Both::default();
        for step in steps {
            let step: Vec<Vec<Label>> = step
                .iter()
                .map(|leaf| leaf.iter().map(|n| crowded(*n)).collect())
                .collect();
            both.append(&step);
        }
        let mut asked: Vec<_> = asked.into_iter().map(crowded).collect();
        asked.sort();
        asked.dedup();
        both.check_proven(&asked);
    }
}
