//! What is copied is the log's tree, from wherever the copy goes on.

use super::*;

#[test]
fn every_small_tree_is_copied() {
    for n in 0..=600 {
        let source = Source::new(n);
        let (mut disk, mut tree) = (Disk::default(), source.tree(n));
        let mut mirror = Mirror::new();
        disk.follow(&mut mirror, &source, &mut tree);
        disk.copy(&source, &mut tree, 8);
        disk.check(&source, n);
    }
}

/// From each size to each later one, by tiles that may have grown since, and read back from the
/// disk before each window.
#[test]
fn a_copy_goes_on_from_any_size_to_any_other() {
    let source = Source::new(800);
    let sizes = (0..=800).filter(|n| n % 37 == 0 || (n + 1) % 256 < 3);
    let sizes: Vec<usize> = sizes.collect();
    for (i, first) in sizes.iter().enumerate() {
        for second in &sizes[i..] {
            let mut disk = Disk::default();
            for size in [*first, *second] {
                let mut tree = source.tree(size);
                disk.follow(&mut disk.mirror(), &source, &mut tree);
                disk.copy(&source, &mut tree, 1);
                disk.check(&source, size);
            }
        }
    }
}

/// The log grows while the copy is under way: the new head takes the place of the one that is not
/// complete, with what was copied for that.
#[test]
fn a_pending_head_is_overtaken() {
    let source = Source::new(800);
    let mut disk = Disk::default();
    let mut tree = source.tree(700);
    disk.follow(&mut disk.mirror(), &source, &mut tree);
    let mut mirror = disk.mirror();
    for index in mirror.window(tree.size(), 1) {
        let bundle = tree.bundle(index, source.bundle(index)).unwrap();
        disk.write(mirror.append(bundle).unwrap().unwrap());
    }
    let mut later = source.tree(800);
    disk.follow(&mut disk.mirror(), &source, &mut later);
    assert_eq!(disk.stored.entries, TreeSize::new(256));
    // What was verified in the tree that is not copied any more is not appended.
    let mut mirror = disk.mirror();
    let old = tree.bundle(1, source.bundle(1)).unwrap();
    assert_eq!(mirror.append(old), Err(AppendError::OtherTree));
    disk.copy(&source, &mut later, 8);
    disk.check(&source, 800);
}

/// Three levels of tiles: full ones above the leaves have to be fetched, and are forgotten once
/// they have been passed.
#[test]
fn full_tiles_above_the_leaves_are_fetched_and_forgotten() {
    let source = Source::new(66_000);
    let mut disk = Disk::default();
    for size in [300, 66_000] {
        let mut tree = source.tree(size);
        disk.follow(&mut disk.mirror(), &source, &mut tree);
        let first = TileIndex { level: 1, index: 0 };
        if size == 66_000 {
            let known = tree.wanted(0..1).is_empty();
            // It took it to see that the tree begins with the older one.
            assert!(known, "{first:?}");
            tree.forget_before(crate::tree::LeafIndex::new(65_536));
            assert_eq!(tree.wanted(0..256), vec![first]);
            assert_eq!(tree.wanted(256..258), vec![]);
        }
        disk.copy(&source, &mut tree, 64);
        disk.check(&source, size);
    }
}

#[test]
fn what_is_stored_is_checked_before_it_is_gone_on_from() {
    let source = Source::new(600);
    let (mut disk, mut tree) = (Disk::default(), source.tree(600));
    disk.follow(&mut Mirror::new(), &source, &mut tree);
    disk.copy(&source, &mut tree, 8);
    let resume = |stored: Stored, disk: &Disk| Mirror::resume(stored, &disk.reader());
    assert!(resume(disk.stored.clone(), &disk).is_ok());

    let fewer = Stored {
        entries: TreeSize::new(599),
        ..disk.stored.clone()
    };
    let refused = resume(fewer, &disk);
    assert!(matches!(refused, Err(ResumeError::Sizes { .. })));
    let more = Stored {
        entries: TreeSize::new(601),
        ..disk.stored.clone()
    };
    assert!(matches!(
        resume(more, &disk),
        Err(ResumeError::Sizes { .. })
    ));

    for at in [(0, 2), (1, 0)].map(|(level, index)| TileIndex { level, index }) {
        let mut damaged = disk.clone();
        damaged.tiles.get_mut(&at).unwrap()[0] = Hash::of(b"damaged");
        let refused = resume(damaged.stored.clone(), &damaged);
        assert!(matches!(refused, Err(ResumeError::Root(_))), "{at:?}");
    }

    // Half of a head is stored, of which the last leaves were damaged.
    let mut half = Disk::default();
    half.follow(&mut Mirror::new(), &source, &mut source.tree(300));
    half.copy(&source, &mut source.tree(300), 8);
    half.stored.mirrored = None;
    half.stored.pending = Some(source.head(600));
    let leaves = TileIndex { level: 0, index: 1 };
    half.tiles.get_mut(&leaves).unwrap()[0] = Hash::of(b"damaged");
    let mut mirror = half.mirror();
    let bundle = tree.bundle(1, source.bundle(1)).unwrap();
    let next = crate::tree::LeafIndex::new(300);
    assert_eq!(mirror.append(bundle), Err(AppendError::Damaged(next)));
}

/// Damaged above the leaves: only the root of the whole tree shows it.
#[test]
fn a_head_whose_root_the_stored_tiles_do_not_give_is_not_finished() {
    let source = Source::new(600);
    let tree = source.tree(600);
    let mut half = Disk::default();
    half.follow(&mut Mirror::new(), &source, &mut source.tree(300));
    half.copy(&source, &mut source.tree(300), 8);
    half.stored.mirrored = None;
    half.stored.pending = Some(source.head(600));
    let upper = TileIndex { level: 1, index: 0 };
    let right = half.tiles[&upper][0];
    for (hash, is_right) in [(right, true), (Hash::of(b"damaged"), false)] {
        let mut disk = half.clone();
        disk.tiles.get_mut(&upper).unwrap()[0] = hash;
        let mut mirror = disk.mirror();
        for index in [1, 2] {
            let bundle = tree.bundle(index, source.bundle(index)).unwrap();
            disk.write(mirror.append(bundle).unwrap().unwrap());
        }
        match mirror.finish(tree.size(), &disk.reader()) {
            Ok(is_finished) => assert!(is_finished && is_right),
            Err(FinishError::Damaged(size)) => assert!(size == tree.size() && !is_right),
            Err(error) => panic!("{error}"),
        }
        assert_eq!(mirror.mirrored().is_some(), is_right);
    }
}

#[test]
fn bundles_are_appended_in_order() {
    let source = Source::new(600);
    let (mut disk, mut tree) = (Disk::default(), source.tree(600));
    let mut mirror = Mirror::new();
    let size = tree.size();
    assert_eq!(mirror.covered(), None);
    disk.follow(&mut mirror, &source, &mut tree);
    assert_eq!(
        (mirror.window(size, 8), mirror.window(size, 2)),
        (0..3, 0..2)
    );
    let other = Source::forked(600, 5);
    let bundle = other.tree(600).bundle(0, other.bundle(0)).unwrap();
    assert_eq!(mirror.append(bundle), Err(AppendError::OtherTree));
    let [first, second] = [0, 1].map(|at| tree.bundle(at, source.bundle(at)).unwrap());
    let refused = mirror.append(second.clone());
    assert!(matches!(
        refused,
        Err(AppendError::OutOfOrder { index: 1, .. })
    ));
    let written = mirror.append(first.clone()).unwrap().unwrap();
    assert_eq!(written.new_bytes, source.bundle(0).len() as u64);
    assert_eq!(mirror.append(first), Ok(None), "it is here");
    mirror.append(second).unwrap().unwrap();
    assert_eq!(mirror.window(size, 8), 2..3);
    let tiles = Grown::new(&source.leaves);
    assert!(!mirror.finish(size, &tiles).unwrap(), "entries are missing");
}
