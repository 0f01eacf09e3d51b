use super::map::{Join, MapError, PageBytes, Pages, Resident, Serial, StoredPage};
use super::naive::{Plain, label, list_root, root};
use super::*;
use assay_tlog::Hash;
use proptest::prelude::*;
use std::convert::Infallible;

fn sorted(mut updates: Vec<(Label, u64)>) -> Vec<(Label, u64)> {
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
    spilled: Vec<page::Spill>,
}

impl Both {
    /// Appends leaves, each with its labels, as one publish step does, and compares.
    fn append(&mut self, leaves: &[Vec<Label>]) {
        let mut updates = Vec::new();
        for labels in leaves {
            for label in labels {
                updates.push((*label, self.size));
                let list = self.plain.entry(*label).or_default();
                if list.last() != Some(&self.size) {
                    list.push(self.size);
                }
            }
            self.size += 1;
        }
        let update = self
            .map
            .update(&sorted(updates), self.size, &Resident, &Serial)
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

#[test]
fn an_empty_index_has_its_root_and_proves_absence() {
    let both = Both::default();
    assert_eq!(both.map.commitment(), Commitment::empty());
    assert_eq!(Commitment::empty().root, root(&Plain::new()));
    both.check_proven(&[label(1)]);
    both.check_prefix(&Prefix::EMPTY);
    assert!(
        both.map
            .prove(&[label(1)], &Resident)
            .unwrap()
            .cut
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
fn pages_read_back_make_the_same_map() {
    let mut both = Both::default();
    for n in 0..40 {
        both.append(
            &(0..20)
                .map(|i| vec![label(n * 13 + i), crowded(i)])
                .collect::<Vec<_>>(),
        );
    }
    let mut stored = Vec::new();
    both.map.each_page(
        &Label::from_bytes([0; 32]),
        &Label::from_bytes([0xff; 32]),
        &mut |page| {
            let bytes = page.slot().clone();
            stored.push((*page.key(), page.through(), bytes));
        },
    );
    assert!(stored.len() > 30 && stored.is_sorted());
    let pages = |edit: &dyn Fn(&mut Vec<(Prefix, u64, PageBytes)>)| {
        let mut stored = stored.clone();
        edit(&mut stored);
        let page = |(key, through, bytes): (Prefix, u64, PageBytes)| StoredPage {
            key,
            through,
            slot: bytes.clone(),
            bytes,
        };
        Map::load(
            stored
                .into_iter()
                .map(|stored| page(stored).load::<Infallible>()),
        )
    };
    let mut loaded = pages(&|_| ()).unwrap();
    assert_eq!(loaded.commitment(), both.map.commitment());
    // It goes on as the one that was never stored does.
    both.append(&[vec![label(5), label(9_999)]]);
    loaded = loaded
        .update(
            &sorted(vec![(label(5), 800), (label(9_999), 800)]),
            801,
            &Resident,
            &Serial,
        )
        .unwrap()
        .map;
    assert_eq!(loaded.commitment(), both.map.commitment());

    assert!(matches!(
        pages(&|pages| pages.swap(3, 4)),
        Err(MapError::Misplaced(_))
    ));
    assert!(matches!(
        pages(&|pages| pages[3].0 = pages[4].0),
        Err(MapError::Misplaced(_))
    ));
    assert!(matches!(
        pages(&|pages| pages[3].2 = PageBytes::from([])),
        Err(MapError::Page(_))
    ));
    assert_ne!(
        pages(&|pages| drop(pages.remove(3))).unwrap().commitment(),
        loaded.commitment()
    );
}

/// A node that was cut off after any publish step has some pages of that step and some of earlier
/// ones. The leaves since the oldest, applied again, give the same map.
#[test]
fn leaves_that_some_pages_have_already_can_be_applied_again() {
    let step = |n: u64| -> Vec<Vec<Label>> {
        (0..25)
            .map(|i| vec![label(n * 7 + i), label(3), crowded(i)])
            .collect()
    };
    let mut history = vec![Both::default()];
    for n in 0..8 {
        let mut next = history.last().unwrap().clone();
        next.append(&step(n));
        history.push(next);
    }
    let all = |map: &Map<PageBytes>| {
        let mut pages = Vec::new();
        map.each_page(
            &Label::from_bytes([0; 32]),
            &Label::from_bytes([0xff; 32]),
            &mut |page| {
                pages.push((*page.key(), page.through(), page.slot().clone()));
            },
        );
        pages
    };
    let mut tried = 0;
    for old in 1..8 {
        let last = &history[8];
        for half in [0, 1, 128, 255] {
            // Pages below the line are of the last step, the others of the old one; both halves are
            // whole.
            let line = Label::from_bytes([half; 32]);
            let newer = all(&last.map)
                .into_iter()
                .filter(|(key, ..)| key.last() < line);
            let older = all(&history[old].map)
                .into_iter()
                .filter(|(key, ..)| key.last() >= line);
            let mixed: Vec<_> = newer.chain(older).collect();
            let page = |(key, through, bytes): (Prefix, u64, PageBytes)| StoredPage {
                key,
                through,
                slot: bytes.clone(),
                bytes,
            };
            // A page that was split lies on both sides of the line: a store never holds that.
            let Ok(mut map) = Map::load(
                mixed
                    .into_iter()
                    .map(|stored| page(stored).load::<Infallible>()),
            ) else {
                continue;
            };
            tried += 1;
            let mut spilled: Vec<page::Spill> = Vec::new();
            for n in old as u64..8 {
                let updates = step(n).into_iter().enumerate().flat_map(|(i, labels)| {
                    labels
                        .into_iter()
                        .map(move |label| (label, n * 25 + i as u64))
                        .collect::<Vec<_>>()
                });
                let update = map
                    .update(&sorted(updates.collect()), (n + 1) * 25, &Resident, &Serial)
                    .unwrap();
                map = update.map;
                spilled.extend(update.spills);
            }
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
fn the_order_of_forks_does_not_matter() {
    let updates = sorted((0..5000).map(|n| (label(n % 3100), n)).collect());
    let serial = Map::<PageBytes>::new()
        .update(&updates[..700], 5000, &Resident, &Serial)
        .unwrap();
    let forked = Map::<PageBytes>::new()
        .update(&updates[..700], 5000, &Resident, &Threads)
        .unwrap();
    let serial = serial
        .map
        .update(&updates[700..], 5000, &Resident, &Serial)
        .unwrap();
    let forked = forked
        .map
        .update(&updates[700..], 5000, &Resident, &Threads)
        .unwrap();
    assert_eq!(serial.map.commitment(), forked.map.commitment());
    assert_eq!(serial.spills.len(), forked.spills.len());
}

struct Gone;

impl Pages<PageBytes> for Gone {
    type Error = &'static str;

    fn bytes(&self, _: &map::Page<PageBytes>) -> Result<PageBytes, Self::Error> {
        Err("gone")
    }
}

#[test]
fn a_page_that_cannot_be_read_fails_the_step_and_the_proof() {
    let mut both = Both::default();
    both.append(&[vec![label(1)]]);
    assert!(matches!(
        both.map.update(&[(label(1), 9)], 10, &Gone, &Serial),
        Err(MapError::Read("gone"))
    ));
    assert!(matches!(
        both.map.prove(&[label(1)], &Gone),
        Err(MapError::Read("gone"))
    ));
}

fn some_index() -> Both {
    let mut both = Both::default();
    both.append(&(0..90).map(|n| vec![crowded(n)]).collect::<Vec<_>>());
    both
}

#[test]
fn a_cut_answers_only_what_it_shows() {
    let both = some_index();
    let asked = [crowded(3)];
    let proven = both.map.prove(&asked, &Resident).unwrap();
    let cut = Cut::verify(&proven.cut, &both.map.commitment()).unwrap();
    let unanswered = (0..90)
        .filter(|n| cut.find(&crowded(*n)) == Err(CutError::LeftOut))
        .count();
    assert!(unanswered > 60, "{unanswered}");
    assert_eq!(cut.under(&Prefix::EMPTY), Err(CutError::LeftOut));
}

#[test]
fn a_cut_of_another_index_is_refused() {
    let both = some_index();
    let mut other = both.clone();
    other.append(&[vec![label(77)]]);
    let asked = [label(77)];
    let hidden = both.map.prove(&asked, &Resident).unwrap();
    assert!(matches!(
        Cut::verify(&hidden.cut, &other.map.commitment()),
        Err(CutError::Root { .. })
    ));
    assert!(matches!(
        Cut::verify(&[], &other.map.commitment()),
        Err(CutError::Root { .. })
    ));
}

/// Rules that no hash enforces by itself: a cut that breaks one is refused although its root would
/// come out.
#[test]
fn malformed_cuts_are_refused_by_name() {
    let leaf = |label: &Label| {
        [
            &[1][..],
            label.as_bytes(),
            &1_u64.to_be_bytes(),
            list_root(&[0]).as_bytes(),
        ]
        .concat()
    };
    let stub = |hash: &Hash| [&[0][..], hash.as_bytes()].concat();
    let (low, high) = (Label::from_bytes([0; 32]), Label::from_bytes([0xff; 32]));
    let plain = Plain::from([(low, vec![0]), (high, vec![0])]);
    let commitment = Commitment {
        root: root(&plain),
        labels: 2,
    };
    let check = |bytes: &[u8]| Cut::verify(bytes, &commitment).map(|_| ()).unwrap_err();
    let inner = |kind: u8, bits: u8, prefix: &[u8], left: &[u8], right: &[u8]| {
        [&[kind, bits], prefix, left, right].concat()
    };
    let whole = inner(2, 0, &[], &leaf(&low), &leaf(&high));
    Cut::verify(&whole, &commitment).unwrap();
    for end in 1..whole.len() {
        assert_eq!(check(&whole[..end]), CutError::CutOff, "{end}");
    }
    assert_eq!(check(&[&whole[..], &[0]].concat()), CutError::Trailing);
    assert_eq!(check(&[&[4][..], &whole].concat()), CutError::Kind(4));
    assert_eq!(
        check(&inner(2, 0, &[], &leaf(&high), &leaf(&low))),
        CutError::Misplaced
    );
    assert_eq!(
        check(&inner(2, 0, &[], &leaf(&low), &leaf(&low))),
        CutError::Misplaced
    );
    assert_eq!(
        check(&inner(2, 0, &[], &whole, &leaf(&high))),
        CutError::Misplaced
    );
    assert_eq!(
        check(&inner(3, 0, &[], &leaf(&low), &leaf(&high))),
        CutError::Prefix
    );
    assert_eq!(
        check(&inner(
            2,
            0,
            &[],
            &stub(&Hash::of(b"")),
            &stub(&Hash::of(b""))
        )),
        CutError::Prefix
    );
    assert_eq!(
        check(&inner(
            3,
            3,
            &[0x10],
            &stub(&Hash::of(b"")),
            &stub(&Hash::of(b""))
        )),
        CutError::Prefix
    );
    let mut empty = leaf(&low);
    empty[33..41].fill(0);
    assert_eq!(
        check(&inner(2, 0, &[], &empty, &leaf(&high))),
        CutError::EmptyList
    );
    let mut deep = leaf(&low);
    for bits in (0..65).rev() {
        deep = inner(2, bits, &[], &deep, &stub(&Hash::of(b"")));
    }
    assert_eq!(check(&deep), CutError::TooDeep);
    assert!(matches!(
        check(&deep[2..deep.len() - 33]),
        CutError::Root { .. }
    ));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_sequence_of_steps_agrees_with_the_plain_trie(
        steps in prop::collection::vec(prop::collection::vec(prop::collection::vec(0_u64..120, 0..4), 0..30), 0..6),
        asked in prop::collection::btree_set(0_u64..160, 0..20),
    ) {
        let mut both = Both::default();
        for step in steps {
            both.append(&step.iter().map(|leaf| leaf.iter().map(|n| crowded(*n)).collect()).collect::<Vec<_>>());
        }
        let mut asked: Vec<_> = asked.into_iter().map(crowded).collect();
        asked.sort();
        asked.dedup();
        both.check_proven(&asked);
    }

    /// Whatever is changed in a cut, it never verifies and then answers otherwise.
    #[test]
    fn a_changed_cut_never_changes_an_answer(n in 0_u64..120, at: prop::sample::Index, bit in 0..8_u8, cut_at in any::<bool>()) {
        let both = some_index();
        let asked = [crowded(n)];
        let mut bytes = both.map.prove(&asked, &Resident).unwrap().cut;
        let at = at.index(bytes.len());
        if cut_at {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << bit;
        }
        if let Ok(cut) = Cut::verify(&bytes, &both.map.commitment()) {
            let truth = both.plain.get(&asked[0]).map(|list| list.len() as u64);
            if let Ok(found) = cut.find(&asked[0]) {
                prop_assert_eq!(found.map(|found| found.length), truth);
            }
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_cut(bytes in prop::collection::vec(0_u8..5, 0..200)) {
        prop_assert!(Cut::verify(&bytes, &some_index().map.commitment()).is_err());
    }
}
