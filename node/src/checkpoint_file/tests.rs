//! What is noticed, and what a crash leaves.

use super::*;
use tempfile::TempDir;

/// A folder, and a checkpoint file in it that holds `notes`.
fn with_notes(notes: &[&str]) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints");
    let mut file = CheckpointFile::create(&path).unwrap();
    for note in notes {
        file.append(note).unwrap();
    }
    (folder, path)
}

fn last(path: &Path) -> Result<String, CheckpointFileError> {
    CheckpointFile::open(path).map(|(_, last)| last)
}

#[test]
fn the_last_note_comes_back_verbatim() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoints");
    let mut file = CheckpointFile::create(&path).unwrap();
    for note in ["one\n", "two\n\n\u{2014} é\n", "x"] {
        file.append(note).unwrap();
        drop(file);
        let found;
        (file, found) = CheckpointFile::open(&path).unwrap();
        assert_eq!(found, note);
    }
}

#[test]
fn creation_never_touches_what_is_there_and_opening_never_creates() {
    let (folder, path) = with_notes(&["one\n"]);
    assert!(matches!(
        CheckpointFile::create(&path),
        Err(CheckpointFileError::Exists(_))
    ));
    assert_eq!(last(&path).unwrap(), "one\n");
    let other = folder.path().join("other");
    assert!(matches!(
        CheckpointFile::open(&other),
        Err(CheckpointFileError::Missing(_))
    ));
    assert!(!other.exists());
}

#[test]
fn a_second_opener_is_refused_also_after_compaction() {
    let (_folder, path) = with_notes(&["one\n"]);
    let (mut file, _) = CheckpointFile::open(&path).unwrap();
    assert!(matches!(
        CheckpointFile::open(&path),
        Err(CheckpointFileError::Locked(_))
    ));
    let note = "n".repeat(COMPACT_ABOVE as usize / 2);
    file.append(&note).unwrap();
    file.append(&note).unwrap();
    assert!(file.len < COMPACT_ABOVE, "compacted");
    assert!(matches!(
        CheckpointFile::open(&path),
        Err(CheckpointFileError::Locked(_))
    ));
    drop(file);
    assert_eq!(last(&path).unwrap(), note);
}

#[test]
fn an_opener_that_was_overtaken_by_compaction_does_not_get_the_old_file() {
    let (_folder, path) = with_notes(&["one\n"]);
    let old = File::open(&path).unwrap();
    fs::remove_file(&path).unwrap();
    drop(CheckpointFile::create(&path).unwrap());
    assert!(matches!(
        lock(&old, &path),
        Err(CheckpointFileError::Locked(_))
    ));
}

#[test]
fn every_changed_bit_is_refused() {
    let (_folder, path) = with_notes(&["one\n", "two\n", "three\n"]);
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bad = good.clone();
            bad[at] ^= 1 << bit;
            fs::write(&path, &bad).unwrap();
            assert!(
                matches!(last(&path), Err(CheckpointFileError::Corrupt { .. })),
                "byte {at} bit {bit}"
            );
            assert_eq!(
                fs::read(&path).unwrap(),
                bad,
                "a damaged file is left as it is"
            );
        }
    }
}

#[test]
fn a_cut_file_is_refused_or_ends_with_a_note_that_was_written() {
    let notes = ["one\n", "two\n", "three\n"];
    let (_folder, path) = with_notes(&notes);
    let good = fs::read(&path).unwrap();
    for len in 0..good.len() {
        fs::write(&path, &good[..len]).unwrap();
        if len < MAGIC.len() {
            assert!(
                matches!(last(&path), Err(CheckpointFileError::Corrupt { .. })),
                "{len} bytes"
            );
            continue;
        }
        let mut ends = notes.iter().scan(MAGIC.len(), |end, note| {
            *end += FRAME + note.len();
            Some((*end, *note))
        });
        let wanted = ends
            .by_ref()
            .take_while(|(end, _)| *end <= len)
            .last()
            .map(|(_, note)| note.to_owned());
        let Some(wanted) = wanted else {
            // A log has its first checkpoint before its configuration has a name: whoever lost it
            // is not told to make the log anew, and what is left of it stays for who looks closer.
            let error = last(&path).unwrap_err().to_string();
            assert!(error.contains("lost its checkpoints"), "{error}");
            assert!(error.contains("restore a copy"), "{error}");
            assert_eq!(fs::read(&path).unwrap(), good[..len], "left as it is");
            continue;
        };
        let (mut file, found) = CheckpointFile::open(&path).unwrap();
        assert_eq!(found, wanted, "{len} bytes");
        file.append("after the crash\n").unwrap();
        drop(file);
        assert_eq!(
            last(&path).unwrap(),
            "after the crash\n",
            "the torn tail is gone"
        );
    }
}

#[test]
fn what_happens_to_the_file_while_it_is_open_is_noticed() {
    let tampering: [fn(&Path); 4] = [
        |path| fs::remove_file(path).unwrap(),
        |path| {
            let copy = path.with_extension("copy");
            fs::copy(path, &copy).unwrap();
            fs::rename(&copy, path).unwrap();
        },
        |path| {
            File::options()
                .write(true)
                .open(path)
                .unwrap()
                .set_len(20)
                .unwrap()
        },
        |path| {
            File::options()
                .append(true)
                .open(path)
                .unwrap()
                .write_all(b"x")
                .unwrap()
        },
    ];
    for tamper in tampering {
        let (_folder, path) = with_notes(&["one\n"]);
        let (mut file, _) = CheckpointFile::open(&path).unwrap();
        tamper(&path);
        let after = fs::read(&path).ok();
        assert!(matches!(
            file.append("two\n"),
            Err(CheckpointFileError::Corrupt { .. })
        ));
        assert_eq!(fs::read(&path).ok(), after, "nothing was written");
    }
}

#[test]
fn compaction_keeps_the_last_note_and_survives_what_a_crash_left() {
    let (_folder, path) = with_notes(&["one\n"]);
    fs::write(path.with_extension("new"), "left over").unwrap();
    let (mut file, _) = CheckpointFile::open(&path).unwrap();
    let mut longest = 0;
    for n in 0..40 {
        let note = format!("{n} {}\n", "x".repeat(60_000));
        file.append(&note).unwrap();
        longest = longest.max(fs::metadata(&path).unwrap().len());
        assert_eq!(fs::metadata(&path).unwrap().len(), file.len);
    }
    assert!(longest > COMPACT_ABOVE / 2 && longest <= COMPACT_ABOVE);
    drop(file);
    assert!(last(&path).unwrap().starts_with("39 "));
    assert!(!path.with_extension("new").exists());
}

#[test]
fn lengths_out_of_bounds_are_refused_and_harmless() {
    let (_folder, path) = with_notes(&["one\n"]);
    let (mut file, _) = CheckpointFile::open(&path).unwrap();
    assert!(matches!(
        file.append(""),
        Err(CheckpointFileError::BadLength(0))
    ));
    assert!(matches!(
        file.append(&"x".repeat(NOTE_BYTES + 1)),
        Err(CheckpointFileError::BadLength(_))
    ));
    let longest = "x".repeat(NOTE_BYTES);
    file.append(&longest).unwrap();
    file.append("two\n").unwrap();
    file.append(&longest).unwrap();
    drop(file);
    assert_eq!(last(&path).unwrap(), longest);
    let file = File::options().write(true).open(&path).unwrap();
    file.set_len(FILE_BYTES + 1).unwrap();
    assert!(matches!(
        last(&path),
        Err(CheckpointFileError::Corrupt { .. })
    ));
    // Whose checksum is right.
    for length in [0, NOTE_BYTES as u32 + 1] {
        let length = length.to_be_bytes();
        let crc = crc32c::crc32c(&length).to_be_bytes();
        std::fs::write(&path, [&record::MAGIC[..], &length, &crc].concat()).unwrap();
        let error = last(&path).unwrap_err().to_string();
        assert!(error.contains("out of bounds"), "{error}");
    }
}

#[test]
fn after_a_failed_append_the_file_takes_no_more() {
    // A device that refuses every write, as a full disk does.
    let (_folder, path) = with_notes(&["one\n"]);
    let (mut file, _) = CheckpointFile::open(&path).unwrap();
    file.file = File::open(&path).unwrap();
    assert!(
        matches!(file.append("two\n"), Err(CheckpointFileError::Io { .. })),
        "the file is open for reading only"
    );
    assert!(matches!(
        file.append("two\n"),
        Err(CheckpointFileError::Broken(_))
    ));
    drop(file);
    assert_eq!(last(&path).unwrap(), "one\n");
}
