//! Key files that are rotated, and what is signed meanwhile.

use super::*;
use assay_tlog::note::Algorithm;
use std::{fs, path::PathBuf};

const ORIGIN: &str = "log.example/a";

fn signed(keys: &LogKeys) -> String {
    keys.sign(TreeSize::new(7), Hash::of(b"root")).unwrap()
}

#[test]
fn a_log_signs_with_both_keys_until_the_old_one_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.key");
    keyfile::create(&path, &keyfile::new_log(ORIGIN).unwrap(), None).unwrap();
    let alone = LogKeys::load(&path).unwrap();
    let old = alone.verifier();
    let files = [path.clone()];
    assert!(matches!(
        files::finish(&files),
        Err(RotationError::NotBegun { .. })
    ));

    let new = files::begin_log(&path).unwrap();
    assert!(matches!(
        files::begin_log(&path),
        Err(RotationError::Begun { .. })
    ));
    let both = LogKeys::load(&path).unwrap();
    assert_eq!(both.verifiers(), [old.clone(), new.clone()]);
    let note = signed(&both);
    for key in [&old, &new] {
        VerifiedCheckpoint::verify(&note, key).unwrap();
    }
    // A log that never showed its new key would not start with it alone.
    both.refuse_unshown(Some(&note)).unwrap();
    for shown in [None, Some(&*signed(&alone))] {
        let refused = both.refuse_unshown(shown);
        assert!(matches!(refused, Err(RotationError::NotShown)));
    }

    files::finish(&files).unwrap();
    let after = LogKeys::load(&path).unwrap();
    assert_eq!(after.verifiers(), [new]);
    let kept = keyfile::load(&files::retired(&path, &old)).unwrap();
    assert_eq!(kept.verifier(), old);
}

/// The files of a cosigner with both types of keys.
fn cosigner(folder: &Path) -> Vec<PathBuf> {
    let types = [
        ("w.key", Algorithm::CosignatureV1),
        ("w2.key", Algorithm::MlDsa44),
    ];
    let made = types.map(|(name, algorithm)| {
        let path = folder.join(name);
        let key = keyfile::new_cosigner("w.example/w", algorithm).unwrap();
        keyfile::create_cosigner(&path, &key, None).unwrap();
        path
    });
    made.to_vec()
}

#[test]
fn a_rotation_that_was_cut_off_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let keys = cosigner(folder.path());
    let made = files::begin_cosigner(&keys).unwrap();
    assert_eq!(made.len(), 2);
    // As if it had been cut off after the first file, twice.
    fs::remove_file(files::next(&keys[1])).unwrap();
    let again = files::begin_cosigner(&keys).unwrap();
    assert_eq!(again[0], made[0]);
    assert_ne!(again[1], made[1]);
    let next = files::load_next(&keys).unwrap();
    assert_eq!(next.len(), 2);
    files::finish(&keys[..1]).unwrap();
    assert_eq!(files::load_next(&keys).unwrap().len(), 1);
    files::finish(&keys).unwrap();
    let now = keys.iter().map(|key| keyfile::load_cosigner(key).unwrap());
    assert_eq!(now.map(|key| key.verifier()).collect::<Vec<_>>(), again);
}

#[test]
fn a_next_key_of_another_log_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.key");
    keyfile::create(&path, &keyfile::new_log(ORIGIN).unwrap(), None).unwrap();
    let other = keyfile::new_log("log.example/b").unwrap();
    keyfile::create(&files::next(&path), &other, None).unwrap();
    let refused = LogKeys::load(&path).unwrap_err().to_string();
    assert!(refused.contains("log.example/b"), "{refused}");
}

#[test]
fn a_next_key_that_was_cut_off_may_be_removed() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log.key");
    keyfile::create(&log, &keyfile::new_log(ORIGIN).unwrap(), None).unwrap();
    let keys = cosigner(folder.path());
    for next in [&log, &keys[0]].map(|key| files::next(key)) {
        assay_keyfile::private::create(&next, b"").unwrap();
    }
    for said in [
        LogKeys::load(&log).unwrap_err().to_string(),
        files::load_next(&keys).unwrap_err().to_string(),
        files::begin_cosigner(&keys).unwrap_err().to_string(),
        files::finish(&keys).unwrap_err().to_string(),
        files::finish(std::slice::from_ref(&log))
            .unwrap_err()
            .to_string(),
    ] {
        let words = "remove the file, and run `key rotate` again";
        assert!(said.contains(words), "{said}");
    }
}

/// The key of now may be in a file and the next one elsewhere. There is one next key.
#[test]
fn a_next_key_elsewhere_is_the_only_one_and_another_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.key");
    keyfile::create(&path, &keyfile::new_log(ORIGIN).unwrap(), None).unwrap();
    let configured = |next: VerifierKey| {
        let text = format!(
            "origin = {ORIGIN:?}\nkey = {path:?}\n[next.agent]\nvkey = \"{next}\"\nsocket = \"s\""
        );
        LogKeys::configured(&toml::from_str(&text).unwrap())
    };
    let next = keyfile::new_log(ORIGIN).unwrap().verifier();
    assert_eq!(configured(next.clone()).unwrap().verifiers()[1], next);
    let own = LogKeys::load(&path).unwrap().verifier();
    let same = configured(own).map(drop).unwrap_err().to_string();
    assert!(same.contains("or the same key"), "{same}");
    files::begin_log(&path).unwrap();
    let two = configured(next).map(drop).unwrap_err().to_string();
    assert!(two.contains("another next key"), "{two}");
}
