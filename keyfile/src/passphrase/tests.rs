use super::*;
use std::fs;
use std::os::unix::fs::PermissionsExt;

struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Files(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn with(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    /// An encrypted file, cheap to open.
    fn encrypted(&self, name: &str, content: &str, passphrase: &str) -> PathBuf {
        let random = Random::new().unwrap();
        let file = age::encrypt(content.as_bytes(), &typed(passphrase), 1, &random);
        self.with(name, &file.unwrap())
    }
}

fn typed(text: &str) -> Passphrase {
    Passphrase::new(Zeroizing::new(text.to_owned())).unwrap()
}

fn by(file: &Path) -> Unlock {
    Unlock {
        file: Some(file.to_owned()),
        ..Unlock::default()
    }
}

#[test]
fn what_was_opened_is_not_shown() {
    let files = Files::new();
    let (key, one) = (
        files.encrypted("key", "secret", "one"),
        files.with("one", "one"),
    );
    let shown = format!("{:?}", by(&one).open(&key).unwrap());
    assert_eq!(shown, "Opened { is_encrypted: true, .. }");
}

#[test]
fn a_file_or_a_credential_opens_what_is_encrypted() {
    let files = Files::new();
    let key = files.encrypted("key", "secret", "one");
    let plain = files.with("plain", "secret");
    let (one, two) = (files.with("one", "one\r\n"), files.with("two", "two"));
    let opened = by(&one).open(&key).unwrap();
    assert_eq!(**opened.content, *b"secret");
    assert_eq!(opened.passphrase, Some(typed("one")));
    for unlock in [by(&one), Unlock::default()] {
        let opened = unlock.open(&plain).unwrap();
        assert_eq!(
            (&**opened.content, opened.passphrase),
            (&b"secret"[..], None)
        );
    }
    let credential = Unlock {
        credential: Some(one.clone()),
        ..Unlock::default()
    };
    assert!(credential.open(&key).is_ok());
    // What is named goes before what is given.
    let both = Unlock {
        file: Some(two.clone()),
        credential: Some(one.clone()),
        ..Unlock::default()
    };
    let refused = both.open(&key).unwrap_err().to_string();
    assert!(refused.contains("the passphrase in"), "{refused}");
    assert!(
        refused.contains("two: the passphrase is wrong"),
        "{refused}"
    );
    // A change of the file is seen.
    fs::write(&two, "one").unwrap();
    assert!(both.open(&key).is_ok());
}

#[test]
fn what_was_typed_is_kept_for_the_other_files_and_not_if_it_was_wrong() {
    let files = Files::new();
    let key = files.encrypted("key", "secret", "one");
    let unlock = Unlock {
        typed: Mutex::new(Some(typed("one"))),
        ..Unlock::default()
    };
    for _ in 0..2 {
        assert!(unlock.open(&key).is_ok());
    }
    let other = files.encrypted("other", "secret", "two");
    let refused = unlock.open(&other).unwrap_err();
    assert!(
        matches!(refused, UnlockError::NoPassphrase { .. }),
        "{refused}"
    );
    assert_eq!(*unlock.typed.lock().unwrap(), None);
}

#[test]
fn what_helps_is_said() {
    let files = Files::new();
    let key = files.encrypted("key", "secret", "one");
    let open = files.with("open", "one");
    fs::set_permissions(&open, fs::Permissions::from_mode(0o644)).unwrap();
    for (unlock, words) in [
        (Unlock::default(), "--passphrase-file"),
        (by(&files.path("none")), "there is no key file"),
        (by(&open), "chmod 600"),
        (by(&files.with("two", "one\ntwo\n")), "holds no passphrase"),
        (by(&files.with("empty", "\n")), "holds no passphrase"),
        (by(&files.with("wrong", "One")), "the passphrase is wrong"),
        (by(&files.with("spaced", "one ")), "the passphrase is wrong"),
    ] {
        let said = unlock.open(&key).unwrap_err().to_string();
        assert!(said.contains(words), "{said}");
    }
    let bytes = files.path("bytes");
    fs::write(&bytes, [0xff, 0xfe]).unwrap();
    fs::set_permissions(&bytes, fs::Permissions::from_mode(0o600)).unwrap();
    let said = by(&bytes).open(&key).unwrap_err();
    assert!(matches!(said, UnlockError::NotOne { .. }), "{said}");
    assert!(matches!(
        Unlock::default().for_new(),
        Err(UnlockError::NoNewPassphrase)
    ));
    assert!(matches!(
        Unlock::default().replacing(None),
        Err(UnlockError::NoNewPassphrase)
    ));
}

fn any(_: &[u8]) -> Result<(), UnlockError> {
    Ok(())
}

#[test]
fn a_passphrase_is_set_changed_and_taken_away() {
    let files = Files::new();
    let key = files.with("key", "secret");
    let (one, two) = (files.with("one", "one"), files.with("two", "two"));
    let to = |new: &str| Some(typed(new));
    for (by_file, new, is_old) in [
        (&two, None, true),
        (&two, to("one"), false),
        (&two, to("one"), true),
        (&one, to("two"), false),
        (&one, to("two"), true),
        (&two, None, false),
    ] {
        let changed = change(&key, &by(by_file), new.as_ref(), any).unwrap();
        assert_eq!(
            (changed.is_encrypted, changed.is_old),
            (new.is_some(), is_old)
        );
        let opened = new.map_or_else(Unlock::default, |new| {
            by(if new == typed("one") { &one } else { &two })
        });
        assert_eq!(**opened.open(&key).unwrap().content, *b"secret");
    }
    assert_eq!(fs::read(&key).unwrap(), b"secret");
}

#[test]
fn what_cannot_be_changed_stays_as_it_was() {
    let files = Files::new();
    let key = files.encrypted("key", "secret", "one");
    let (one, two) = (files.with("one", "one"), files.with("two", "two"));
    let before = fs::read(&key).unwrap();
    assert!(change(&key, &by(&two), Some(&typed("new")), any).is_err());
    assert!(change(&key, &by(&two), None, any).is_err());
    let refused = change(&key, &by(&one), None, |_| Err(UnlockError::Typed));
    assert!(refused.is_err());
    assert_eq!(fs::read(&key).unwrap(), before);
    assert_eq!(fs::read_dir(files.0.path()).unwrap().count(), 3);
}
