//! Programs are made here: as little of ELF, PE and Mach-O as names a section.

use super::*;
use crate::components::tests::lines;
use crate::components::{Format, read, recognize};
use miniz_oxide::deflate::compress_to_vec_zlib;

/// A program in ELF of 64 bits with one section, or with one segment if the section has no name.
fn elf(name: &str, data: &[u8]) -> Vec<u8> {
    let names = [b"\0", name.as_bytes(), b"\0.shstrtab\0"].concat();
    let (segment, start) = (64u64, 64 + 56u64);
    let names_at = start + data.len() as u64;
    let sections_at = names_at + names.len() as u64;
    let mut file = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    let half = |file: &mut Vec<u8>, of: &[u16]| {
        of.iter().for_each(|n| file.extend(n.to_le_bytes()));
    };
    let word = |file: &mut Vec<u8>, of: &[u32]| {
        of.iter().for_each(|n| file.extend(n.to_le_bytes()));
    };
    let wide = |file: &mut Vec<u8>, of: &[u64]| {
        of.iter().for_each(|n| file.extend(n.to_le_bytes()));
    };
    let sections: u16 = if name.is_empty() { 0 } else { 3 };
    half(&mut file, &[2, 62]);
    word(&mut file, &[1]);
    wide(
        &mut file,
        &[0, segment, if sections == 0 { 0 } else { sections_at }],
    );
    word(&mut file, &[0]);
    half(
        &mut file,
        &[64, 56, 1, 64, sections, sections.saturating_sub(1)],
    );
    let length = data.len() as u64;
    word(&mut file, &[1, 6]);
    wide(&mut file, &[start, start, start, length, length, 16]);
    file.extend(data);
    file.extend(&names);
    let shstrtab = u32::try_from(name.len() + 2).unwrap();
    for (name, kind, at, length) in [
        (0, 0, 0, 0),
        (1, 1, start, length),
        (shstrtab, 3, names_at, names.len() as u64),
    ] {
        word(&mut file, &[name, kind]);
        wide(&mut file, &[0, 0, at, length]);
        word(&mut file, &[0, 0]);
        wide(&mut file, &[1, 0]);
    }
    file
}

fn go_info(flags: u8, version: &str, modules: &str) -> Vec<u8> {
    let mut info = [GO_MAGIC, &[8, flags], &[0; 16]].concat();
    let guard = [b'g'; GO_GUARD];
    for text in [
        version.as_bytes(),
        &[&guard[..], modules.as_bytes(), &guard].concat(),
    ] {
        let mut length = text.len();
        while length >= 0x80 {
            info.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
            length >>= 7;
        }
        info.push(u8::try_from(length).unwrap());
        info.extend(text);
    }
    info
}

const MODULES: &str = "path\ta.org/t\nmod\ta.org/t\tv1.0.0\th1:x\ndep\tb.org/c\tv2.0.0\th1:y\n";
const GO_LINES: [&str; 3] = [
    "pkg:golang/stdlib@1.22.4 :1",
    "pkg:golang/a.org/t@v1.0.0 :3",
    "pkg:golang/b.org/c@v2.0.0 :4",
];

#[test]
fn a_program_of_go_says_its_modules() {
    let info = go_info(2, "go1.22.4", MODULES);
    // A program that reads others holds the magic, too.
    let before = [GO_MAGIC, &[8, 2], &[0; 16 + 16]].concat();
    for program in [
        elf(".go.buildinfo", &info),
        elf("", &info),
        elf(".data", &[&before[..], &info].concat()),
    ] {
        assert_eq!(recognize("t", &program).unwrap(), Format::GoBuild);
        assert_eq!(lines(&read("t", &program).unwrap()), GO_LINES);
    }
    // What `go version -m` writes is the same.
    let indented = MODULES.replace('\n', "\n\t");
    let text = format!("t: go1.22.4\n\t{}", indented.trim_end());
    assert_eq!(lines(&read("t", text.as_bytes()).unwrap()), GO_LINES);
}

#[test]
fn a_program_of_cargo_auditable_says_its_crates() {
    let json = br#"{"packages":[{"name":"a","version":"1.0.0","source":"crates.io"}]}"#;
    let program = elf(".dep-v0", &compress_to_vec_zlib(json, 6));
    assert_eq!(recognize("t", &program).unwrap(), Format::CargoAuditable);
    assert_eq!(lines(&read("t", &program).unwrap()), ["pkg:cargo/a@1.0.0"]);
}

#[test]
fn what_cannot_be_read_of_a_program_is_said() {
    let bomb = compress_to_vec_zlib(&vec![b' '; limits::COMPONENT_PROGRAM_TEXT_BYTES + 1], 9);
    let cut = compress_to_vec_zlib(b"{\"packages\":[]}", 6);
    for (program, reason) in [
        (elf(".text", b"x"), "does not say what was built into it"),
        (
            elf(".go.buildinfo", &go_info(0, "go1.17", MODULES)),
            "before 1.18",
        ),
        (
            elf(".go.buildinfo", &go_info(2, "no", MODULES)),
            "does not say",
        ),
        (elf(".dep-v0", &bomb), "expands to more than"),
        (elf(".dep-v0", &cut[..cut.len() - 6]), "cut off"),
        (b"\x7fELF\x02\x01\x01".to_vec(), "malformed"),
        (b"MZ\0\0".to_vec(), "malformed"),
        (b"\xca\xfe\xba\xbe\0\0\0\x02".to_vec(), "several kinds"),
    ] {
        let error = read("t", &program).unwrap_err().to_string();
        assert!(error.contains(reason) && error.contains("; "), "{error}");
    }
}

#[test]
fn a_program_cut_anywhere_is_read_or_refused() {
    let program = elf(".go.buildinfo", &go_info(2, "go1.22.4", MODULES));
    for end in 0..program.len() {
        if let Ok(found) = read("t", &program[..end]) {
            assert_eq!(lines(&found), GO_LINES, "cut at {end}");
        }
    }
}

#[test]
fn a_program_that_is_too_large_is_not_looked_into() {
    let program = elf(".go.buildinfo", &go_info(2, "go1.22.4", MODULES));
    let mut large = vec![0; limits::PROGRAM_BYTES + 1];
    large[..program.len()].copy_from_slice(&program);
    let error = read("t", &large).unwrap_err().to_string();
    assert!(
        error.contains("the program has 536870913 bytes, and at most 536870912 are read"),
        "{error}"
    );
}
