//! A log that brings its entries itself (C2SP tlog-mirror, `add-entries`).

use super::*;
use crate::hash::node_hash;
use crate::witness::{Refusal, Request, SignedRequest, WitnessKeys, WitnessedLog};

/// A subtree consistency proof, word for word as
/// draft-ietf-plants-merkle-tree-certs-02 defines it.
fn subtree_proof(start: usize, end: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(start, end, leaves, true)
}

fn subproof(start: usize, end: usize, leaves: &[Hash], is_known: bool) -> Vec<Hash> {
    let n = leaves.len();
    if (start, end) == (0, n) {
        return if is_known {
            Vec::new()
        } else {
            vec![naive::root(leaves)]
        };
    }
    let k = n.next_power_of_two() / 2;
    let (left, right) = leaves.split_at(k);
    let (mut proof, beside) = if end <= k {
        (subproof(start, end, left, is_known), right)
    } else if k <= start {
        (subproof(start - k, end - k, right, is_known), left)
    } else {
        assert_eq!(start, 0, "not a subtree");
        (subproof(0, end - k, right, false), left)
    };
    proof.push(naive::root(beside));
    proof
}

fn package(source: &Source, range: std::ops::Range<u64>, end: usize) -> Package {
    let mut entries = Vec::new();
    for i in range.clone() {
        bundle::push(&mut entries, &source.entries[i as usize]).unwrap();
    }
    let start = (range.start / 256 * 256) as usize;
    let proof = subtree_proof(start, range.end as usize, &source.leaves[..end]);
    Package::new(entries, proof).unwrap()
}

fn request(source: &Source, old: usize, size: usize) -> SignedRequest {
    let proof = naive::consistency(old, &source.leaves[..size]);
    let proof = if old == 0 { Vec::new() } else { proof };
    let head = source.head(size);
    let body = Request::body(TreeSize::new(old as u64), &proof, head.note());
    let log = LogVerifier::new(ORIGIN, vec![key().verifier()]).unwrap();
    let cosigner = crate::note::CosignerKey::from_seed(
        "mirror.example/m",
        crate::note::Algorithm::CosignatureV1,
        &[1; 32],
    );
    let keys = WitnessKeys::new(cosigner.unwrap(), None).unwrap();
    let log = WitnessedLog::new(log, &keys).unwrap();
    Request::parse(body.as_bytes())
        .unwrap()
        .verify(&log)
        .unwrap()
}

fn header(start: u64, end: u64) -> UploadHeader {
    UploadHeader::new(ORIGIN, start..end, b"").unwrap()
}

/// What is stored of the bundle that has this entry, before it.
fn left(disk: &Disk, entry: u64) -> Vec<u8> {
    let mut left = Vec::new();
    let stored = disk
        .bundles
        .get(&(entry / 256))
        .map_or(&[][..], Vec::as_slice);
    for kept in bundle::entries(stored).take(entry as usize % 256) {
        bundle::push(&mut left, kept.unwrap()).unwrap();
    }
    left
}

/// Brings the entries from `start` to `end`, each package read back from its bytes.
fn bring(disk: &mut Disk, mirror: &mut Mirror, source: &Source, start: u64, end: usize) {
    let upload = mirror.accept(header(start, end as u64), None).unwrap();
    for i in 0.. {
        let Some(range) = upload.package(i) else {
            break;
        };
        let bytes = package(source, range.clone(), end).to_bytes();
        let (read, length) = Package::read(&bytes, range.end - range.start)
            .unwrap()
            .unwrap();
        assert_eq!(length, bytes.len());
        let verified = upload.verify(range.clone(), &left(disk, range.start), read);
        if let Some(write) = mirror.append(verified.unwrap()).unwrap() {
            disk.write(write);
        }
    }
    assert!(
        mirror
            .finish(TreeSize::new(end as u64), &disk.reader())
            .unwrap()
    );
    disk.stored.mirrored = mirror.mirrored().cloned();
}

#[test]
fn a_log_is_brought_from_any_size_to_any_other() {
    let source = Source::new(800);
    let sizes = [0, 1, 2, 255, 256, 257, 300, 511, 512, 513, 700, 768, 800];
    for (i, first) in sizes.iter().enumerate() {
        for second in &sizes[i..] {
            let (mut disk, mut mirror) = (Disk::default(), Mirror::new());
            mirror.add_checkpoint(&request(&source, 0, *first)).unwrap();
            bring(&mut disk, &mut mirror, &source, 0, *first);
            if second > first {
                mirror
                    .add_checkpoint(&request(&source, *first, *second))
                    .unwrap();
                bring(&mut disk, &mut mirror, &source, *first as u64, *second);
            }
            disk.check(&source, *second);
        }
    }
}

/// Every bundle of every tree of up to six bundles, by the draft's own proofs.
#[test]
fn every_package_is_proven_by_the_drafts_proof_and_by_no_other() {
    let source = Source::new(1400);
    for size in (1..=1400).filter(|n| n % 97 == 0 || (n + 1) % 256 < 3) {
        let mut mirror = Mirror::new();
        mirror.add_checkpoint(&request(&source, 0, size)).unwrap();
        let upload = mirror.accept(header(0, size as u64), None).unwrap();
        for i in 0.. {
            let Some(range) = upload.package(i) else {
                break;
            };
            let right = package(&source, range.clone(), size);
            assert!(upload.verify(range.clone(), b"", right.clone()).is_ok());
            let mut wrong = vec![
                Package::new(
                    right.entries.clone(),
                    [&right.proof[..], &[Hash::of(b"")]].concat(),
                ),
                Package::new(
                    right.entries.clone(),
                    right.proof.iter().skip(1).copied().collect(),
                )
                .filter(|_| !right.proof.is_empty()),
            ];
            for at in 0..right.proof.len() {
                let mut proof = right.proof.clone();
                proof[at] = node_hash(&proof[at], &proof[at]);
                wrong.push(Package::new(right.entries.clone(), proof));
            }
            for at in [0, 2, right.entries.len() - 1] {
                let mut entries = right.entries.clone();
                entries[at] ^= 1;
                wrong.push(Package::new(entries, right.proof.clone()));
            }
            for wrong in wrong.into_iter().flatten() {
                let refused = upload.verify(range.clone(), b"", wrong);
                assert!(refused.is_err(), "{range:?} of {size}");
            }
            // It is no other bundle's.
            let beside = (range.start ^ 256)..(range.start ^ 256) + range.end - range.start;
            assert!(upload.verify(beside, b"", right).is_err());
        }
    }
}

#[test]
fn what_is_not_whole_is_asked_for_again_and_what_cannot_be_is_refused() {
    let source = Source::new(300);
    let whole = UploadHeader::new(ORIGIN, 256..300, b"ticket").unwrap();
    let mut bytes = whole.to_bytes();
    let length = bytes.len();
    assert_eq!(&bytes[..2], &[0, ORIGIN.len() as u8]);
    bytes.extend(b"more");
    assert_eq!(
        UploadHeader::read(&bytes),
        Ok(Some((whole.clone(), length)))
    );
    for end in 0..length {
        assert_eq!(UploadHeader::read(&bytes[..end]), Ok(None), "cut at {end}");
    }
    assert_eq!(whole.origin(), Some(ORIGIN));
    assert_eq!(whole.ticket(), b"ticket");
    let reversed = std::ops::Range {
        start: 301,
        end: 300,
    };
    let wrong = UploadHeader::new(ORIGIN, reversed, b"").unwrap().to_bytes();
    let (start, end) = (301, 300);
    let refused = Err(MalformedUpload::StartAfterEnd { start, end });
    assert_eq!(UploadHeader::read(&wrong), refused);
    assert_eq!(UploadHeader::new(ORIGIN, 0..1, &vec![0; 65_536]), None);

    let bytes = package(&source, 256..300, 300).to_bytes();
    for end in 0..bytes.len() {
        assert_eq!(Package::read(&bytes[..end], 44), Ok(None), "cut at {end}");
    }
    let mut hashes = package(&source, 256..300, 300);
    hashes.proof.clear();
    let mut bytes = hashes.to_bytes();
    *bytes.last_mut().unwrap() = 64;
    assert_eq!(Package::read(&bytes, 44), Err(MalformedUpload::Hashes(64)));
    assert_eq!(Package::new(vec![], vec![Hash::of(b""); 64]), None);
}

#[test]
fn packages_meet_at_multiples_of_256() {
    let packages = |start, end| {
        let header = header(start, end);
        (0..).map_while(|i| header.package(i)).collect::<Vec<_>>()
    };
    assert_eq!(packages(0, 0), vec![]);
    assert_eq!(packages(300, 300), vec![]);
    assert_eq!(packages(0, 256), vec![0..256]);
    assert_eq!(packages(255, 257), vec![255..256, 256..257]);
    assert_eq!(packages(300, 301), vec![300..301]);
    assert_eq!(packages(10, 600), vec![10..256, 256..512, 512..600]);
    let last = u64::MAX - 1..u64::MAX;
    assert_eq!(packages(u64::MAX - 1, u64::MAX), vec![last]);
}

/// The order of the specification's checks.
#[test]
fn every_refusal_of_an_upload_has_its_status() {
    let source = Source::new(3000);
    let (mut disk, mut mirror) = (Disk::default(), Mirror::new());
    let refused = mirror.accept(header(0, 0), None).unwrap_err();
    assert_eq!(refused, UploadRefusal::NothingPending);
    assert_eq!(refused.answer(None).status, 422);
    mirror.add_checkpoint(&request(&source, 0, 2500)).unwrap();
    bring(&mut disk, &mut mirror, &source, 0, 2500);
    mirror
        .add_checkpoint(&request(&source, 2500, 3000))
        .unwrap();
    for (start, end, refused) in [
        (0, 2999, UploadRefusal::UnknownEnd(2999)),
        (0, 2499, UploadRefusal::UnknownEnd(2499)),
        (2501, 3000, UploadRefusal::StartAfterNext(2501)),
        (451, 3000, UploadRefusal::TooMuchExcess(451)),
        (451, 2500, UploadRefusal::TooMuchExcess(451)),
    ] {
        assert_eq!(
            mirror.accept(header(start, end), None).unwrap_err(),
            refused
        );
        let info = Info::new(&mirror, mirror.held().unwrap(), b"ticket".to_vec());
        let answer = refused.answer(Some(&info));
        assert_eq!(
            (answer.status, answer.content_type),
            (409, "text/x.tlog.mirror-info")
        );
        assert_eq!(answer.body, "3000\n2500\ndGlja2V0\n");
    }
    for (start, end) in [(452, 2500), (452, 3000), (2500, 2500), (2500, 3000)] {
        assert!(
            mirror.accept(header(start, end), None).is_ok(),
            "{start}..{end}"
        );
    }
    // A ticket of a head that was mirrored before.
    let older = Some(source.head(2400));
    let refused = mirror.accept(header(2400, 2400), older).unwrap_err();
    assert_eq!(refused, UploadRefusal::EndBelowMirrored(2400));
}

/// The last four pending sizes can be brought, and older ones with a ticket.
#[test]
fn a_log_may_have_been_overtaken_a_few_times() {
    let source = Source::new(700);
    let (mut disk, mut mirror) = (Disk::default(), Mirror::new());
    let sizes = [100, 200, 300, 400, 500, 600];
    let mut old = 0;
    for size in sizes {
        mirror.add_checkpoint(&request(&source, old, size)).unwrap();
        old = size;
    }
    for size in sizes {
        let accepted = mirror.accept(header(0, size as u64), None);
        assert_eq!(accepted.is_ok(), size >= 300, "{size}");
    }
    // With a ticket, an older one can, too: it is pending again.
    let ticket = Some(source.head(200));
    assert!(mirror.accept(header(0, 200), ticket.clone()).is_ok());
    assert!(mirror.accept(header(0, 201), ticket).is_err());
    mirror.recall(source.head(200));
    bring(&mut disk, &mut mirror, &source, 0, 200);
    assert_eq!(mirror.mirrored(), Some(&source.head(200)));
    // Never back.
    mirror.recall(source.head(100));
    assert!(mirror.known(TreeSize::new(100)).is_none());
    bring(&mut disk, &mut mirror, &source, 100, 500);
    bring(&mut disk, &mut mirror, &source, 500, 600);
    assert_eq!(mirror.pending(), None);
    disk.check(&source, 600);
}

/// `add-checkpoint` answers as a witness does, and takes only what extends what is pending.
#[test]
fn heads_are_added_as_to_a_witness() {
    let (source, forked) = (Source::new(300), Source::forked(300, 7));
    let mut mirror = Mirror::new();
    mirror.add_checkpoint(&request(&source, 0, 200)).unwrap();
    mirror.add_checkpoint(&request(&source, 200, 200)).unwrap();
    let refused = mirror
        .add_checkpoint(&request(&source, 100, 300))
        .unwrap_err();
    assert_eq!(refused.refusal, Refusal::OtherSize(TreeSize::new(200)));
    let refused = mirror
        .add_checkpoint(&request(&forked, 200, 300))
        .unwrap_err();
    assert!(matches!(refused.refusal, Refusal::Inconsistent(_)));
    let refused = mirror
        .add_checkpoint(&request(&forked, 200, 200))
        .unwrap_err();
    assert!(refused.contradiction.is_some());
    assert_eq!(mirror.pending(), Some(&source.head(200)));
    assert_eq!(mirror.mirrored(), None);
}
