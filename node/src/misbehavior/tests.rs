//! What is kept, what is not, and what a start makes of it.

use super::*;
use assay_claims::misbehavior::MisbehaviorError;
use assay_tlog::checkpoint::Checkpoint;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::SignerKey;
use assay_tlog::tree::TreeSize;
use std::fs;
use tempfile::TempDir;

pub(super) const ORIGIN: &str = "log.example/a";

pub(super) fn key(origin: &str) -> SignerKey {
    SignerKey::from_seed(origin, Hash::of(origin.as_bytes()).as_bytes()).unwrap()
}

fn log(origin: &str) -> LogVerifier {
    LogVerifier::new(origin, vec![key(origin).verifier()]).unwrap()
}

pub(super) fn keys(origins: &[&str]) -> Known {
    let mut known = Known::default();
    for origin in origins {
        known.log(&key(origin).verifier());
    }
    known
}

fn head(origin: &str, size: u64, root: &str) -> VerifiedHead {
    let checkpoint = Checkpoint {
        origin: origin.into(),
        size: TreeSize::new(size),
        root: Hash::of(root.as_bytes()),
    };
    log(origin).verify(&checkpoint.sign(&key(origin))).unwrap()
}

/// Two trees of one size.
pub(super) fn split(origin: &str, size: u64) -> VerifiedMisbehavior {
    let [a, b] = ["a", "b"].map(|root| head(origin, size, root));
    against(Some(&a), &b).unwrap()
}

pub(super) fn open(folder: &TempDir, origins: &[&str]) -> Evidence {
    Evidence::open(&[folder.path()], keys(origins)).unwrap()
}

/// The names of the files in a data folder.
pub(super) fn files(folder: &TempDir) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder.path().join("misbehavior")) else {
        return Vec::new();
    };
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn two_heads_prove_something_only_if_they_cannot_both_be_true() {
    let held = head(ORIGIN, 3, "a");
    assert_eq!(against(Some(&held), &held), None);
    assert_eq!(against(Some(&held), &head(ORIGIN, 4, "b")), None);
    assert_eq!(against(None, &held), None);
    assert!(against(Some(&held), &head(ORIGIN, 3, "b")).is_some());
    // The empty tree has one root, whatever is held.
    for held in [None, Some(&held)] {
        assert!(against(held, &head(ORIGIN, 0, "a")).is_some());
        assert_eq!(against(held, &head(ORIGIN, 0, "")), None);
    }
}

#[test]
fn what_is_reported_is_verified_with_configured_keys_before_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = open(&folder, &[ORIGIN]);
    let found = split(ORIGIN, 3);
    let text = found.text().as_bytes();
    for i in 0..text.len() {
        let mut changed = text.to_vec();
        changed[i] ^= 1;
        let refused = evidence.report(&changed).unwrap_err();
        assert!(matches!(refused, NotKept::Unproven(_)), "{refused}");
    }
    let stranger = split("log.example/b", 3);
    let refused = evidence.report(stranger.text().as_bytes()).unwrap_err();
    let unknown = MisbehaviorError::UnknownCulprit(stranger.culprit().clone());
    assert!(matches!(refused, NotKept::Unproven(error) if error == unknown.into()));
    // Two heads that an honest log signs, in the form of a text.
    let honest = found
        .text()
        .replace(found.text().split("note ").nth(2).unwrap(), &{
            let note = head(ORIGIN, 4, "b").note().to_owned();
            format!("{}\n{note}", note.len())
        });
    let refused = evidence.report(honest.as_bytes()).unwrap_err();
    let innocent = NotKept::Unproven(MisbehaviorError::Innocent.into());
    assert_eq!(refused.to_string(), innocent.to_string());
    assert!(!evidence.convicts_log(ORIGIN));
    assert_eq!((files(&folder), evidence.list(None)), (vec![], vec![]));

    assert_eq!(evidence.report(text).unwrap(), (found.id(), true));
    assert_eq!(evidence.report(text).unwrap(), (found.id(), false));
    assert!(evidence.convicts_log(ORIGIN));
    assert!(!evidence.convicts_log("log.example/b"));
    assert!(!evidence.convicts_cosigner(ORIGIN));
    assert_eq!(
        files(&folder),
        [format!("{}.assay-misbehavior", found.id())]
    );
    assert_eq!(evidence.read(&found.id()).unwrap().unwrap(), text);
    assert!(evidence.read(&stranger.id()).unwrap().is_none());
}

#[test]
fn a_conviction_outlives_a_start_and_ends_with_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    let found = split(ORIGIN, 3);
    assert!(open(&folder, &[ORIGIN]).keep(&found).unwrap());
    let again = open(&folder, &[ORIGIN]);
    assert!(again.convicts_log(ORIGIN));
    assert_eq!(again.list(None), [Listed::of(&found.clone().into())]);
    assert!(!again.keep(&found).unwrap());
    let removed = open(&folder, &["log.example/b"]);
    assert!(!removed.convicts_log(ORIGIN));
    assert_eq!(removed.list(None), []);
    assert!(removed.read(&found.id()).unwrap().is_none());
    assert!(open(&folder, &[ORIGIN]).convicts_log(ORIGIN));
}

#[test]
fn a_damaged_file_is_set_aside_and_convicts_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (split(ORIGIN, 3), split("log.example/b", 3));
    let origins = [ORIGIN, "log.example/b"];
    let evidence = open(&folder, &origins);
    for found in [&first, &second] {
        assert!(evidence.keep(found).unwrap());
    }
    let name = format!("{}.assay-misbehavior", first.id());
    let path = folder.path().join("misbehavior").join(&name);
    // True, and not what its name says.
    fs::write(&path, split(ORIGIN, 4).text()).unwrap();
    let again = open(&folder, &origins);
    assert!(!again.convicts_log(ORIGIN));
    assert!(again.convicts_log("log.example/b"));
    assert!(files(&folder).contains(&format!("{name}.damaged")));
    // While it runs: what is served was never anything else.
    assert!(evidence.read(&first.id()).unwrap().is_none());
    assert!(again.keep(&first).unwrap());
}

#[test]
fn so_much_is_kept_and_no_more() {
    let folder = tempfile::tempdir().unwrap();
    let origins = [ORIGIN, "log.example/b", "log.example/c"];
    let mut evidence = open(&folder, &origins);
    for size in 1..=4 {
        assert!(evidence.keep(&split(ORIGIN, size)).unwrap());
    }
    let more = split(ORIGIN, 5);
    let refused = evidence.report(more.text().as_bytes()).unwrap_err();
    assert!(matches!(refused, NotKept::Enough { .. }), "{refused}");
    assert!(!evidence.keep(&split(ORIGIN, 4)).unwrap(), "it is known");
    // Another kind, or another culprit, has room of its own.
    assert!(evidence.keep(&split("log.example/b", 1)).unwrap());

    let other = split("log.example/b", 2);
    let bytes = evidence.read_kept(|kept| kept.held(true).1);
    for limits in [
        Limits { files: 5, ..LIMITS },
        Limits {
            bytes: bytes + other.text().len() - 1,
            ..LIMITS
        },
    ] {
        evidence.limits = limits;
        let refused = evidence.keep(&other).unwrap_err();
        assert!(matches!(refused, NotKept::Full), "{refused}");
    }
    assert_eq!(files(&folder).len(), 5);
    evidence.limits = LIMITS;
    assert!(evidence.keep(&other).unwrap());
}

/// Whoever has many files loses some, for they are convicted by one.
#[test]
fn the_first_file_about_somebody_finds_room_and_nobody_loses_the_last() {
    let folder = tempfile::tempdir().unwrap();
    let origins = ["a", "b", "c", "d"].map(|log| format!("log.example/{log}"));
    let [a, b, c, d] = origins.each_ref().map(String::as_str);
    let mut evidence = open(&folder, &[a, b, c, d]);
    for (origin, size) in [(a, 1), (a, 2), (a, 3), (b, 1)] {
        assert!(evidence.keep(&split(origin, size)).unwrap());
    }
    let of = |evidence: &Evidence, origin: &str| {
        let culprit = Culprit::Log(origin.to_owned());
        let listed = evidence.list(None);
        listed.iter().filter(|it| it.culprit == culprit).count()
    };
    evidence.limits = Limits { files: 4, ..LIMITS };
    assert!(evidence.keep(&split(c, 1)).unwrap());
    assert_eq!([a, b, c].map(|origin| of(&evidence, origin)), [2, 1, 1]);
    let bytes = evidence.read_kept(|kept| kept.held(true).1);
    evidence.limits = Limits { bytes, ..LIMITS };
    assert!(evidence.keep(&split(d, 1)).unwrap());
    assert_eq!([a, b, c, d].map(|origin| of(&evidence, origin)), [1; 4]);
    assert_eq!(files(&folder).len(), 4);
    // All of them convict after a start, too.
    let again = open(&folder, &[a, b, c, d]);
    assert!([a, b, c, d].iter().all(|origin| again.convicts_log(origin)));
    evidence.limits = Limits { files: 3, ..LIMITS };
    let refused = evidence.keep(&split(d, 2)).unwrap_err();
    assert!(matches!(refused, NotKept::Full), "{refused}");
}

#[test]
fn what_cannot_be_stored_convicts_until_the_next_start() {
    let folder = tempfile::tempdir().unwrap();
    let none = folder.path().join("none");
    let evidence = Evidence::open(&[&none], keys(&[ORIGIN])).unwrap();
    let refused = evidence.keep(&split(ORIGIN, 3)).unwrap_err();
    assert!(matches!(refused, NotKept::Io(_)), "{refused}");
    assert!(evidence.convicts_log(ORIGIN));
    assert_eq!(evidence.list(None), []);
    // Once there is room, whoever reports it again has it stored.
    fs::create_dir(&none).unwrap();
    let (_, new) = evidence.report(split(ORIGIN, 3).text().as_bytes()).unwrap();
    assert!(new);
}

/// A node and its own witness have a data folder each.
#[test]
fn every_folder_has_every_file() {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let found = split(ORIGIN, 3);
    assert!(open(&folders[1], &[ORIGIN]).keep(&found).unwrap());
    let paths = [folders[0].path(), folders[1].path()];
    let both = Evidence::open(&paths, keys(&[ORIGIN])).unwrap();
    assert!(both.convicts_log(ORIGIN));
    let other = split(ORIGIN, 4);
    assert!(both.keep(&other).unwrap());
    assert_eq!(files(&folders[0]), files(&folders[1]));
    assert_eq!(files(&folders[0]).len(), 2);
    // One copy is lost.
    fs::remove_dir_all(folders[1].path().join("misbehavior")).unwrap();
    assert!(both.read(&other.id()).unwrap().is_some());
}

#[test]
fn the_list_goes_on_after_an_id() {
    let folder = tempfile::tempdir().unwrap();
    let evidence = open(&folder, &[ORIGIN]);
    for size in 1..=4 {
        assert!(evidence.keep(&split(ORIGIN, size)).unwrap());
    }
    let all = evidence.list(None);
    assert!(all.is_sorted_by_key(|listed| listed.id));
    assert_eq!(evidence.list(Some(all[1].id)), all[2..]);
    assert_eq!(evidence.list(Some(all[3].id)), []);
}

/// Peers bring keys, and none of a name that the configuration has keys of: a peer could have
/// somebody else convicted with them.
#[test]
fn a_peer_brings_keys_of_its_own_only() {
    let folder = TempDir::new().unwrap();
    let evidence = open(&folder, &[ORIGIN]);
    let card = |origin: &str, key: &SignerKey| {
        let vkey = key.verifier();
        let name = origin.replace("log.example", "peer");
        let text =
            format!("[[peer]]\nname = {name:?}\nurl = \"https://p.example\"\nlog = [\"{vkey}\"]\n");
        crate::peers::file::parse(&text, "the test").unwrap()
    };
    let other = "log.example/b";
    assert!(evidence.report(split(other, 3).text().as_bytes()).is_err());
    assert!(evidence.follow(&card(other, &key(other))));
    evidence.report(split(other, 3).text().as_bytes()).unwrap();
    assert!(evidence.convicts_log(other) && !evidence.convicts_log(ORIGIN));

    let thief = SignerKey::from_seed(ORIGIN, &[99; 32]).unwrap();
    assert!(evidence.follow(&card(ORIGIN, &thief)));
    let own = LogVerifier::new(ORIGIN, vec![thief.verifier()]).unwrap();
    let [a, b] = ["a", "b"].map(|root| {
        let checkpoint = Checkpoint {
            origin: ORIGIN.into(),
            size: TreeSize::new(9),
            root: Hash::of(root.as_bytes()),
        };
        own.verify(&checkpoint.sign(&thief)).unwrap()
    });
    let forged = against(Some(&a), &b).unwrap();
    assert!(evidence.report(forged.text().as_bytes()).is_err());
    assert!(!evidence.convicts_log(ORIGIN));
    // The peer is gone; what it was convicted of is not.
    assert!(evidence.follow(&[]) && evidence.convicts_log(other));
}
