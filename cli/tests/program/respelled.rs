//! What tools do to the files of receipts: each has one spelling, and what happened is said.

use crate::{assay, ended, made};
use std::fs;

/// Verifies the receipts after `change` was made to the claim's file that ends so.
fn after(ending: &str, change: impl FnOnce(Vec<u8>) -> Vec<u8>) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    made::receipts(&folder.path().join("receipts"), "Example Audits", &[]);
    let path = folder
        .path()
        .join("receipts")
        .join(format!("claim{ending}"));
    fs::write(&path, change(fs::read(&path).unwrap())).unwrap();
    let key = made::log().verifier().to_string();
    let arguments = ["verify", "receipts", "--log-key", &key];
    let (code, said, errors) = ended(&assay(folder.path(), &arguments));
    (code, said + &errors)
}

fn crlf(bytes: Vec<u8>) -> Vec<u8> {
    let text = String::from_utf8(bytes).unwrap();
    text.replace('\n', "\r\n").into_bytes()
}

/// As `jq` writes it.
fn laid_out(bytes: Vec<u8>) -> Vec<u8> {
    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    (serde_json::to_string_pretty(&json).unwrap() + "\n").into_bytes()
}

fn marked(bytes: Vec<u8>) -> Vec<u8> {
    [b"\xef\xbb\xbf", &bytes[..]].concat()
}

fn longer(bytes: Vec<u8>) -> Vec<u8> {
    [&bytes[..], b"\n"].concat()
}

fn shorter(mut bytes: Vec<u8>) -> Vec<u8> {
    assert_eq!(bytes.pop(), Some(b'\n'));
    bytes
}

#[test]
fn what_a_tool_did_to_a_receipt_is_said_and_not_taken() {
    type Tool = fn(Vec<u8>) -> Vec<u8>;
    let tools: [(Tool, &str); 5] = [
        (crlf, "CR LF instead of LF"),
        (marked, "a byte order mark"),
        (longer, "the line break at its end"),
        (shorter, "the line break at its end"),
        (laid_out, "its JSON was laid out"),
    ];
    for (tool, words) in tools {
        for ending in [".intoto.jsonl", ".tlog-proof"] {
            if words.contains("JSON") && ending == ".tlog-proof" {
                continue;
            }
            let (code, said) = after(ending, tool);
            assert_eq!(code, 4, "{ending}: {said}");
            for words in [words, ending, "and nothing else", "spelling"] {
                assert!(said.contains(words), "{ending}, {words}: {said}");
            }
            assert!(!said.contains("not sign this"), "{said}");
        }
    }
}

#[test]
fn no_tool_excuses_another_change() {
    let folder = tempfile::tempdir().unwrap();
    made::receipts(&folder.path().join("receipts"), "Example Audits", &[]);
    let index = |bytes: Vec<u8>| {
        let text = String::from_utf8(crlf(bytes)).unwrap();
        let changed = text.replace("index 1\r", "index 0\r");
        assert_ne!(changed, text);
        changed.into_bytes()
    };
    let (code, said) = after(".tlog-proof", index);
    assert_eq!(code, 4, "{said}");
    assert!(!said.contains("and nothing else"), "{said}");
}
