//! The databases in `made` hold what rpm 4.18 stored of packages that were built for these tests:
//! in pages of 512 bytes as SQLite 3.40 and Berkeley DB 5.3 write them, and in rpm's own format.

use super::*;

const SQLITE: &[u8] = include_bytes!("made/rpmdb.sqlite");
const NDB: &[u8] = include_bytes!("made/Packages.db");
const BERKELEY: &[u8] = include_bytes!("made/Packages");
const ALL: [&[u8]; 3] = [SQLITE, NDB, BERKELEY];

/// The lines of a database, sorted: Berkeley DB has no order.
fn lines(bytes: &[u8]) -> Vec<String> {
    let said = said(bytes).unwrap_or_else(|e| panic!("{e:?}")).unwrap();
    let mut lines: Vec<_> = said.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn refusal(bytes: &[u8]) -> String {
    match said(bytes) {
        Ok(said) => panic!("taken: {said:?}"),
        Err(fault) => fault.of("x", None).to_string(),
    }
}

/// With `new` in the place of the only `old`.
fn changed(bytes: &[u8], old: &[u8], new: &[u8]) -> Vec<u8> {
    let places: Vec<_> = (0..bytes.len())
        .filter(|at| bytes[*at..].starts_with(old))
        .collect();
    assert_eq!(places.len(), 1, "{old:?}");
    let at = places[0];
    [&bytes[..at], new, &bytes[at + old.len()..]].concat()
}

/// With `new` from `at` on.
fn with(bytes: &[u8], at: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

#[test]
fn each_database_has_the_packages_that_rpm_lists() {
    let source = "made-1.2.3-4.fc40.src.rpm";
    let mut listed: Vec<_> = (1..=8)
        .map(|part| {
            let epoch = if part == 1 { "2" } else { "(none)" };
            format!("made-part{part}\t{epoch}\t1.2.3\t4.fc40\tnoarch\t{source}")
        })
        .collect();
    listed.insert(0, format!("made\t(none)\t1.2.3\t4.fc40\tnoarch\t{source}"));
    listed.sort();
    for database in ALL {
        assert_eq!(lines(database), listed);
    }
    for text in ["made\t(none)", "RpmPackager==1.0\n"] {
        assert_eq!(said(text.as_bytes()).unwrap(), None);
    }
}

#[test]
fn what_is_cut_off_is_never_taken_for_less() {
    for database in ALL {
        // The last bytes of its last page may be room.
        for length in (16..database.len()).step_by(97) {
            match said(&database[..length]) {
                Ok(Some(said)) => assert_eq!(said.lines().count(), 9, "{length}"),
                Ok(None) => panic!("no database at {length}"),
                Err(fault) => {
                    let said = fault.of("x", None).to_string();
                    assert!(
                        said.contains("damaged or cut off: ") && said.contains(REMEDY),
                        "{said}"
                    );
                }
            }
        }
    }
}

/// A hole in a copy has zeros.
#[test]
fn a_page_of_zeros_is_never_taken_for_one_without_packages() {
    for (database, size) in [(SQLITE, 512), (BERKELEY, 512), (NDB, 4096)] {
        for page in 1..database.len() / size {
            match said(&with(database, page * size, &vec![0; size])) {
                Ok(Some(said)) => assert_eq!(said.lines().count(), 9, "{page}"),
                Ok(None) => panic!("no database without page {page}"),
                Err(_) => {}
            }
        }
    }
}

#[test]
fn any_changed_byte_is_read_in_bounded_time_or_refused() {
    for database in ALL {
        for at in (0..database.len()).step_by(3) {
            for byte in [0, 1, 0x7f, 0xff] {
                let text = said(&with(database, at, &[byte])).ok().flatten();
                assert!(text.is_none_or(|text| text.len() < 2 * database.len()));
            }
        }
    }
}

#[test]
fn pages_in_a_circle_and_headers_in_one_place_are_refused() {
    // The root of the packages, which is an interior page, leads to itself.
    let root = (1..SQLITE.len() / 512)
        .find(|page| SQLITE[page * 512] == 5)
        .unwrap();
    let place = usize::from(SQLITE[root * 512 + 12]) << 8 | usize::from(SQLITE[root * 512 + 13]);
    let own = u32::try_from(root + 1).unwrap().to_be_bytes();
    let said = refusal(&with(SQLITE, root * 512 + place, &own));
    assert!(said.contains("not one of a table"), "{said}");
    // A page of a bucket, on which nothing is, follows itself.
    let bucket = (1..BERKELEY.len() / 512)
        .find(|page| [2, 13].contains(&BERKELEY[page * 512 + 25]))
        .unwrap();
    let own = u32::try_from(bucket).unwrap().to_le_bytes();
    let empty = [&own[..], &[0, 0]].concat();
    assert!(refusal(&with(BERKELEY, bucket * 512 + 16, &empty)).contains("in a circle"));
    // Every slot says that its package is where the first is.
    let slots: Vec<u8> = (0..254).flat_map(|_| NDB[32..48].to_vec()).collect();
    assert!(refusal(&with(NDB, 32, &slots)).contains("longer than the file"));
    // The page of what is too long follows itself.
    let long = (1..BERKELEY.len() / 512)
        .find(|page| BERKELEY[page * 512 + 25] == 7)
        .unwrap();
    let own = u32::try_from(long).unwrap().to_le_bytes();
    assert!(refusal(&with(BERKELEY, long * 512 + 16, &own)).contains("malformed"));
}

#[test]
fn what_is_damaged_inside_is_said() {
    for (database, wanted) in [
        (with(SQLITE, 16, &[0, 3]), "pages of such a size"),
        (
            changed(SQLITE, b"tablePackagesPackages", b"tablePackageZPackages"),
            "and not rpm's; check",
        ),
        (with(NDB, 4, &[9]), "version that is not known"),
        (with(NDB, 12, &[0xff, 0xff]), "its slots are cut off"),
        (with(NDB, 32, b"Slut"), "a slot is malformed"),
        (
            with(NDB, 4096 + 100, &[0x55]),
            "package 1 is not where its slot says",
        ),
        (with(BERKELEY, 20, &[3]), "its first page is malformed"),
        (with(BERKELEY, 512 + 25, &[1]), "page 1 is malformed"),
    ] {
        let said = refusal(&database);
        assert!(said.contains(wanted), "{said}");
    }
}

/// A header of these entries: tag, type, value.
fn header(entries: &[(u32, u32, &[u8])]) -> Vec<u8> {
    let (mut index, mut data) = (Vec::new(), Vec::new());
    for (tag, ty, value) in entries {
        let at = u32::try_from(data.len()).unwrap();
        index.extend([*tag, *ty, at, 1].map(u32::to_be_bytes).concat());
        data.extend_from_slice(value);
    }
    let lengths = [entries.len(), data.len()].map(|n| u32::try_from(n).unwrap().to_be_bytes());
    [lengths.concat(), index, data].concat()
}

#[test]
fn a_header_that_says_no_version_or_two_lines_is_refused() {
    let whole = |name: &'static [u8]| {
        let fields: [(u32, u32, &[u8]); 3] =
            [(1000, 6, name), (1001, 6, b"1\0"), (1002, 6, b"2\0")];
        fields
    };
    let line = header::line(&header(&whole(b"a\0"))).unwrap();
    assert_eq!(line, "a\t(none)\t1\t2\t(none)\t(none)");
    let without = header(&whole(b"a\0")[..2]);
    let cut = header(&whole(b"a\0"));
    let number = header(&[(1000, 4, &[0, 0, 0, 1])]);
    // Of many rows of one tag the last one is read, once; and no text of any length.
    let long = [&[b'a'; 5000][..], b"\0"].concat();
    let again = [
        (1000, 6, long.as_slice()),
        (1000, 6, b"b\0"),
        (1001, 6, b"1\0"),
        (1002, 6, b"2\0"),
    ];
    assert!(header::line(&header(&again)).unwrap().starts_with("b\t"));
    let long = header(&[(1000, 6, long.as_slice())]);
    for (bytes, wanted) in [
        (long.as_slice(), "no name that can be read"),
        (without.as_slice(), "\"a\" has no release"),
        (&header(&whole(b"a\tb\0")), "no name that can be read"),
        (&header(&whole(b"a\nb\0")), "no name that can be read"),
        (&header(&whole(b"\xff\0")), "no name that can be read"),
        (&number, "no name that can be read"),
        (&cut[..cut.len() - 1], "is cut off"),
        (&cut[..20], "is cut off"),
        (&[0xff; 8], "is cut off"),
        (&[], "is cut off"),
    ] {
        let fault = header::line(bytes).unwrap_err().of("x", None).to_string();
        assert!(fault.contains(wanted), "{fault}");
    }
}
