//! Two trees that cannot meet: the log is convicted by what it signed. No honest log ever is.

use super::*;
use crate::tree::verify_consistency;
use std::cmp::Ordering;

/// A mirror that has the tree of `size`.
fn copied(source: &Source, size: usize) -> Disk {
    let (mut disk, mut tree) = (Disk::default(), source.tree(size));
    disk.follow(&mut Mirror::new(), source, &mut tree);
    disk.copy(source, &mut tree, 8);
    disk
}

/// What a mirror says to a head that is not smaller than its own.
fn followed(disk: &Disk, source: &Source, size: usize) -> Result<(), Fork> {
    let mut mirror = disk.mirror();
    let before = mirror.held().cloned();
    let head = source.head(size);
    mirror.compare(&head)?;
    let mut tree = source.tree(size);
    loop {
        match mirror.follow(&tree) {
            Ok(Followed::Pending) => return Ok(()),
            Ok(Followed::Needs(NotYet(wanted))) => source.serve(&mut tree, wanted),
            Err(FollowError::Fork(fork)) => {
                assert_eq!(mirror.held().cloned(), before, "the first one stays");
                return Err(fork);
            }
            Err(error) => panic!("{error}"),
        }
    }
}

/// Checks what a fork says by itself: both heads, and the proof.
fn check(fork: &Fork, older: &VerifiedHead, newer: &VerifiedHead) {
    match fork {
        Fork::Split(view) => {
            assert_eq!(older.size(), newer.size());
            assert_eq!(view.notes().len(), 2);
        }
        Fork::Rewrite(rewrite) => {
            assert_eq!((&rewrite.older, &rewrite.newer), (older, newer));
            assert_ne!(rewrite.actual, older.root());
            let (old, new) = (older.size(), newer.size());
            verify_consistency(old, &rewrite.actual, new, &newer.root(), &rewrite.path).unwrap();
        }
    }
    let said = fork.to_string();
    assert!(said.contains(older.note()) && said.contains(newer.note()));
}

/// Every pair of small trees, forked at every entry.
#[test]
fn every_fork_of_every_small_tree_convicts_and_nothing_else_does() {
    const MOST: usize = 18;
    let honest = Source::new(MOST);
    for from in 0..MOST {
        let forked = Source::forked(MOST, from);
        for held in 0..=MOST {
            let disk = copied(&honest, held);
            for size in 0..=MOST {
                both_ways(&disk, &honest, &forked, [held, size], from);
            }
        }
    }
}

#[test]
fn forks_around_the_ends_of_tiles_convict() {
    let honest = Source::new(600);
    for from in [0, 255, 256, 257, 511, 512, 599] {
        let forked = Source::forked(600, from);
        for held in [1, 255, 256, 257, 300, 512, 513, 600] {
            let disk = copied(&honest, held);
            for size in [1, 255, 256, 257, 300, 512, 513, 600] {
                both_ways(&disk, &honest, &forked, [held, size], from);
            }
        }
    }
}

/// Compares a mirror that has the honest tree of one size with the forked one of another size. The
/// fork is at entry `from`.
fn both_ways(disk: &Disk, honest: &Source, forked: &Source, sizes: [usize; 2], from: usize) {
    let [held, size] = sizes;
    let (own, other) = (honest.head(held), forked.head(size));
    let is_fork = from < held.min(size);
    if size >= held {
        let said = followed(disk, forked, size);
        assert_eq!(
            said.is_err(),
            is_fork,
            "{held}, then {size}, forked at {from}"
        );
        if let Err(fork) = said {
            check(&fork, &own, &other);
        }
    } else {
        match disk.mirror().older(&other, &disk.reader()).unwrap() {
            Older::Consistent => assert!(!is_fork, "{held}, then {size}, forked at {from}"),
            Older::Fork(fork) => {
                assert!(is_fork, "{held}, then {size}, forked at {from}");
                check(&fork, &other, &own);
            }
            Older::Unknown => panic!("all of it is stored"),
        }
    }
}

/// A head that is smaller than the one held, of which nothing is stored yet: it becomes pending,
/// and is mirrored once its entries came; or it convicts the log, and changes nothing.
#[test]
fn a_smaller_head_is_followed_or_convicts() {
    const HELD: usize = 600;
    let honest = Source::new(HELD);
    for (size, from) in [(0, 600), (1, 600), (256, 600), (400, 600), (599, 600)]
        .into_iter()
        .chain([(1, 0), (256, 255), (257, 256), (400, 3), (599, 598)])
    {
        let (mut mirror, mut tree) = (Mirror::new(), honest.tree(HELD));
        Disk::default().follow(&mut mirror, &honest, &mut tree);
        let source = Source::forked(HELD, from);
        let head = source.head(size);
        let followed = loop {
            match mirror.follow_smaller(&head, &tree) {
                Ok(Followed::Needs(NotYet(wanted))) => honest.serve(&mut tree, wanted),
                other => break other,
            }
        };
        if from < size {
            let Err(FollowError::Fork(fork)) = followed else {
                panic!("{size} from {from}: {followed:?}");
            };
            check(&fork, &head, tree.head());
            assert_eq!(mirror.known(head.size()), None);
            continue;
        }
        assert_eq!(followed, Ok(Followed::Pending));
        assert_eq!(mirror.held(), Some(tree.head()), "the larger one stays");
        let mut disk = Disk::default();
        let mut smaller = honest.tree(size);
        let bundles = mirror.window(head.size(), 8);
        while let wanted = smaller.wanted(bundles.clone())
            && !wanted.is_empty()
        {
            honest.serve(&mut smaller, wanted);
        }
        for index in bundles {
            let bundle = smaller.bundle(index, honest.older_bundle(index, head.size()));
            disk.write(mirror.append(bundle.unwrap()).unwrap().unwrap());
        }
        assert_eq!(mirror.covered(), Some(head.size()));
        assert!(mirror.finish(head.size(), &disk.reader()).unwrap());
        assert_eq!(mirror.mirrored(), Some(&head));
        assert_eq!(mirror.held(), Some(tree.head()));
    }
}

/// Only the tree of the head held says what is the beginning of it.
#[test]
fn a_smaller_head_needs_the_tree_that_is_held() {
    let honest = Source::new(600);
    let (mut mirror, mut tree) = (Mirror::new(), honest.tree(600));
    let (head, unproven) = (honest.head(400), |size| {
        Err(FollowError::Unproven(TreeSize::new(size)))
    });
    assert_eq!(mirror.follow_smaller(&head, &tree), unproven(600));
    Disk::default().follow(&mut mirror, &honest, &mut tree);
    let other = honest.tree(500);
    assert_eq!(mirror.follow_smaller(&head, &other), unproven(500));
    let forked = Source::forked(600, 3).tree(600);
    assert_eq!(mirror.follow_smaller(&head, &forked), unproven(600));
    assert_eq!(mirror.known(head.size()), None);
}

#[test]
fn an_empty_tree_has_one_root() {
    let wrong = sign(0, Hash::of(b"not nothing"));
    let mut mirror = Mirror::new();
    assert!(matches!(mirror.compare(&wrong), Err(Fork::Split(_))));
    let source = Source::new(3);
    let disk = copied(&source, 3);
    let said = disk.mirror().older(&wrong, &disk.reader()).unwrap();
    assert!(matches!(said, Older::Fork(_)));
    // Before any of it is stored, nothing can be said of an older one but that.
    let followed = mirror.follow(&source.tree(3));
    assert_eq!(followed, Ok(Followed::Pending));
    let older = source.head(2);
    assert_eq!(mirror.compare(&older), Ok(Ordering::Less));
    let said = mirror.older(&older, &Grown::new(&[])).unwrap();
    assert_eq!(said, Older::Unknown);
}

/// Damaged tiles of one's own convict nobody.
#[test]
fn damage_convicts_nobody() {
    let source = Source::new(300);
    let disk = copied(&source, 300);
    let mirror = disk.mirror();
    for at in disk.tiles.keys() {
        for i in 0..disk.tiles[at].len() {
            let mut damaged = disk.clone();
            damaged.tiles.get_mut(at).unwrap()[i] = Hash::of(b"damaged");
            for size in [1, 255, 256, 257, 299] {
                let said = mirror.older(&source.head(size), &damaged.reader()).unwrap();
                assert!(!matches!(said, Older::Fork(_)), "{at:?} {i}, size {size}");
            }
        }
    }
}
