//! Cuts: what they answer, and that nothing false verifies.

use super::{Both, crowded};
use crate::index::cut::Writer;
use crate::index::map::{MapError, Proven, Resident};
use crate::index::naive::{Plain, label, list_root, root};
use crate::index::trie::Sum;
use crate::index::{CUT_PIECE_BYTES, Commitment, Cut, CutError, Label, Prefix, Query};
use assay_tlog::Hash;
use assay_tlog::tree::LeafIndex;
use proptest::prelude::*;
use std::convert::Infallible;

fn prove(both: &Both, asked: &[Label; 1]) -> Result<Proven, MapError<Infallible>> {
    both.map.prove(&Query::labels(asked), &Resident)
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
    let proven = prove(&both, &asked).unwrap();
    let cut = Cut::verify(&proven.cut(), &both.map.commitment()).unwrap();
    let unanswered = (0..90)
        .filter(|n| cut.find(&crowded(*n)) == Err(CutError::LeftOut))
        .count();
    assert!(unanswered > 60, "{unanswered}");
    let everything = Query::Census(Prefix::EMPTY);
    assert_eq!(cut.answer(&everything), Err(CutError::LeftOut));
}

#[test]
fn a_cut_of_another_index_is_refused() {
    let both = some_index();
    let mut other = both.clone();
    other.append(&[vec![label(77)]]);
    let asked = [label(77)];
    let hidden = prove(&both, &asked).unwrap();
    assert!(matches!(
        Cut::verify(&hidden.cut(), &other.map.commitment()),
        Err(CutError::Root { .. })
    ));
    assert!(matches!(
        Cut::verify(&[], &other.map.commitment()),
        Err(CutError::Root { .. })
    ));
}

fn leaf(label: &Label) -> Vec<u8> {
    let list_root = list_root(&[LeafIndex::new(0)]);
    [
        &[1][..],
        label.as_bytes(),
        &1_u64.to_be_bytes(),
        list_root.as_bytes(),
    ]
    .concat()
}

fn stub() -> Vec<u8> {
    stub_of(1)
}

fn stub_of(labels: u64) -> Vec<u8> {
    [&[0][..], &labels.to_be_bytes(), Hash::of(b"").as_bytes()].concat()
}

/// An inner node: its tag and its bits, its prefix, and what is below it.
fn inner(tag_and_bits: [u8; 2], prefix: &[u8], left: &[u8], right: &[u8]) -> Vec<u8> {
    [&tag_and_bits, prefix, left, right].concat()
}

/// Rules that no hash enforces by itself: a cut that breaks one is refused although its root would
/// come out.
#[test]
fn malformed_cuts_are_refused_by_name() {
    let (low, high) = (Label::from_bytes([0; 32]), Label::from_bytes([0xff; 32]));
    let list = vec![LeafIndex::new(0)];
    let commitment = Commitment {
        root: root(&Plain::from([(low, list.clone()), (high, list)])),
        labels: 2,
    };
    let refused = |bytes: &[u8]| Cut::verify(bytes, &commitment).map(|_| ()).unwrap_err();
    let (low, high, stub) = (leaf(&low), leaf(&high), stub());
    let whole = inner([2, 0], &[], &low, &high);
    Cut::verify(&whole, &commitment).unwrap();
    for end in 1..whole.len() {
        assert_eq!(refused(&whole[..end]), CutError::CutOff, "{end}");
    }
    let mut empty = low.clone();
    empty[33..41].fill(0);
    for (bytes, error) in [
        ([&whole[..], &[0]].concat(), CutError::Trailing),
        ([&[4][..], &whole].concat(), CutError::Kind(4)),
        (inner([2, 0], &[], &high, &low), CutError::Side),
        (inner([2, 0], &[], &low, &low), CutError::Side),
        (inner([2, 0], &[], &whole, &high), CutError::Bits),
        (inner([2, 0], &[], &low, &stub_of(0)), CutError::Count),
        (
            inner([2, 0], &[], &low, &stub_of(u64::MAX)),
            CutError::Count,
        ),
        (inner([2, 8], &[], &low, &high), CutError::Misplaced),
        (inner([3, 0], &[], &low, &high), CutError::PrefixStated),
        (inner([2, 0], &[], &stub, &stub), CutError::PrefixMissing),
        (inner([3, 3], &[0x10], &stub, &stub), CutError::PrefixBits),
        (inner([2, 0], &[], &empty, &high), CutError::EmptyList),
    ] {
        assert_eq!(refused(&bytes), error, "{}", hex::encode(&bytes));
    }
    // As deep as labels have bits, and no deeper.
    let mut deep = low;
    for bits in (0..=255).rev() {
        deep = inner([2, bits], &[], &deep, &stub);
    }
    assert!(matches!(refused(&deep), CutError::Root { .. }));
    let deeper = [&[2, 0][..], &deep, &stub].concat();
    assert_eq!(refused(&deeper), CutError::Bits);
}

/// The hash of a node says how many labels are on each side, so that a cut cannot move one from a
/// stub to another.
#[test]
fn a_count_cannot_be_moved_or_changed() {
    let both = some_index();
    let asked = [crowded(3)];
    let cut = prove(&both, &asked).unwrap().cut();
    let stubs: Vec<usize> = stubs_of(&cut);
    assert!(stubs.len() > 3);
    let shift = |bytes: &mut [u8], at: usize, by: i64| {
        let labels = u64::from_be_bytes(bytes[at + 1..at + 9].try_into().unwrap());
        bytes[at + 1..at + 9].copy_from_slice(&labels.saturating_add_signed(by).to_be_bytes());
    };
    for (from, to) in stubs.iter().zip(&stubs[1..]) {
        let mut moved = cut.clone();
        shift(&mut moved, *from, 1);
        shift(&mut moved, *to, -1);
        let refused = Cut::verify(&moved, &both.map.commitment()).unwrap_err();
        assert!(matches!(refused, CutError::Root { .. } | CutError::Count));
    }
    let mut commitment = both.map.commitment();
    commitment.labels += 1;
    assert!(matches!(
        Cut::verify(&cut, &commitment),
        Err(CutError::Labels { .. })
    ));
}

/// Where the stubs of a cut begin.
fn stubs_of(cut: &[u8]) -> Vec<usize> {
    let (mut at, mut stubs) = (0, Vec::new());
    while at < cut.len() {
        at += match cut[at] {
            0 => {
                stubs.push(at);
                41
            }
            1 => 73,
            2 => 2,
            _ => 2 + usize::from(cut[at + 1].div_ceil(8)),
        };
    }
    stubs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is changed in a cut, it never verifies and then answers otherwise.
    #[test]
    fn a_changed_cut_never_changes_an_answer(
        n in 0_u64..120,
        at: prop::sample::Index,
        bit in 0..8_u8,
        cut_at in any::<bool>(),
    ) {
        let both = some_index();
        let asked = [crowded(n)];
        let mut bytes = prove(&both, &asked).unwrap().cut();
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

#[test]
fn a_long_cut_is_one_in_pieces() {
    let mut both = Both::default();
    let labels: Vec<_> = (0..6000).map(label).collect();
    both.append(&labels.iter().map(|it| vec![*it]).collect::<Vec<_>>());
    let census = Query::Census(Prefix::EMPTY);
    // None of these is there, so that nodes have prefixes.
    let absent: Vec<_> = (6000..12_000).map(label).collect();
    let absent = Query::labels(&absent);
    for (query, shown) in [(census, labels.len()), (absent, 0)] {
        let proven = both.map.prove(&query, &Resident).unwrap();
        assert!(proven.pieces.len() > 2);
        let whole = CUT_PIECE_BYTES / 2..=CUT_PIECE_BYTES;
        let (last, others) = proven.pieces.split_last().unwrap();
        assert!(others.iter().all(|it| whole.contains(&it.len())));
        assert!((1..=CUT_PIECE_BYTES).contains(&last.len()));
        let only = both.map.prove_only(&query, &Resident).unwrap();
        assert_eq!(only, proven.pieces);
        let cut = Cut::verify(&proven.cut(), &both.map.commitment()).unwrap();
        assert_eq!(cut.answer(&query).unwrap().len(), shown);
    }
}

/// A node is closed once all below it is written, which may be some pieces later.
#[test]
fn a_prefix_is_written_in_the_piece_in_which_its_node_began() {
    let sum = Sum {
        hash: Hash::of(b"what is left out"),
        labels: 3,
    };
    let stub = [&[0][..], &sum.labels.to_be_bytes(), sum.hash.as_bytes()].concat();
    let stubs = 2 * CUT_PIECE_BYTES / stub.len();
    let prefixes = [9, 200].map(|bits| Prefix::of(&label(1), bits));
    let mut writer = Writer::default();
    let open = prefixes.each_ref().map(|prefix| writer.open(prefix));
    (0..stubs).for_each(|_| writer.stub(&sum));
    for (open, prefix) in open.into_iter().zip(&prefixes).rev() {
        writer.close(open, prefix);
    }
    let pieces = writer.finish();
    assert!(pieces.len() > 2);
    assert!(pieces.iter().all(|it| it.capacity() <= CUT_PIECE_BYTES));
    let inner = prefixes.map(|prefix| [&[3, prefix.bits() as u8][..], prefix.bytes()].concat());
    let expected = [inner.concat(), stub.repeat(stubs)].concat();
    assert_eq!(pieces.concat(), expected);
}
