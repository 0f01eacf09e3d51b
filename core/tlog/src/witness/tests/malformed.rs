//! Bodies that are no requests.

use super::table::{TEXT, check, row};
use super::*;
use crate::limits;

const HASH: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

/// Checks that each of these is answered with 400 and a sentence.
fn check_malformed<const N: usize>(cases: [(String, &'static str); N]) {
    let held = Branch::new(8).held(5, NOW);
    let rows = cases.map(|(body, answer)| row("malformed", body, held, (400, TEXT, answer)));
    check(rows.into());
}

#[test]
fn an_old_size_in_any_other_spelling_is_400() {
    let old = "the first line of the request is not \"old <size>\"\n";
    let good = Branch::new(8).request(5, 8);
    check_malformed([(String::new(), old), ("old 5".into(), old)]);
    for line in [
        "old 05\n",
        "old  5\n",
        "old +5\n",
        "old 5 \n",
        "old 5\r\n",
        "old \n",
        "OLD 5\n",
        "old 18446744073709551616\n",
        "",
    ] {
        check_malformed([(good.replace("old 5\n", line), old)]);
    }
}

#[test]
fn a_proof_that_is_no_list_of_hashes_is_400() {
    let no_note = "there is no empty line between consistency proof and checkpoint\n";
    let many = "the consistency proof has more than 63 hashes\n";
    let line_1 = "line 1 of the consistency proof is not the base64 of 32 bytes\n";
    let line_2 = "line 2 of the consistency proof is not the base64 of 32 bytes\n";
    let tree = Branch::new(8);
    let note = tree.note(8);
    let short = BASE64_STANDARD.encode([0; 31]);
    // Another spelling of the same 32 bytes.
    let other = HASH.replace("AA=", "AB=");
    let hashes = |count: usize| format!("{HASH}\n").repeat(count);
    check_malformed([
        (format!("old 5\n{HASH}\n"), no_note),
        (format!("old 5\n{HASH}"), no_note),
        ("old 5\n".into(), no_note),
        (format!("old 5\n{HASH}\n{short}\n\n{note}"), line_2),
        (format!("old 5\n{other}\n\n{note}"), line_1),
        (format!("old 5\n{HASH}\r\n\n{note}"), line_1),
        (format!("old 5\n {HASH}\n\n{note}"), line_1),
        (format!("old 5\n{note}"), line_1),
        (format!("old 5\n{}\n{note}", hashes(64)), many),
    ]);
    // 63 hashes are read; they prove nothing.
    let most = format!("old 5\n{}\n{note}", hashes(63));
    let held = tree.held(5, NOW);
    assert_eq!(status(decide(most.as_bytes(), &held, FLOOR, NOW)), 422);
}

#[test]
fn what_is_no_checkpoint_is_400_and_a_long_body_413() {
    let unread = "the checkpoint of the request cannot be read\n";
    let tree = Branch::new(8);
    let note = tree.note(8);
    let extended = format!("{}more\n", tree.checkpoint(8).body());
    let extended = crate::note::sign(&extended, &[&log_key()]).unwrap();
    let twice = format!("{note}{}", log_key().sign(&tree.checkpoint(8).body()));
    let zero = note.replace("\n8\n", "\n08\n");
    check_malformed([
        ("old 0\n\n".into(), unread),
        (format!("old 0\n\n\n{note}"), unread),
        (format!("old 0\n\n{}", note.trim_end()), unread),
        (format!("old 0\n\n{note}\n"), unread),
        (format!("old 0\n\n{zero}"), unread),
        (format!("old 0\n\n{extended}"), unread),
        (format!("old 0\n\n{twice}"), unread),
    ]);

    let held = tree.held(5, NOW);
    let not_utf8 = [tree.request(5, 8).as_bytes(), b"\xff"].concat();
    let old = "the first line of the request is not \"old <size>\"\n";
    let long = "the request has more than 131072 bytes\n";
    let bytes = |count: usize| vec![b'o'; count];
    let most = limits::WITNESS_REQUEST_BYTES;
    check(vec![
        row("not UTF-8", not_utf8, held, (400, TEXT, unread)),
        row("too long", bytes(most + 1), held, (413, TEXT, long)),
        row("as long as allowed", bytes(most), held, (400, TEXT, old)),
    ]);
}

/// Whatever a stranger changes, nothing is cosigned that the log did not sign, and nobody is
/// blamed.
#[test]
fn a_request_with_any_bit_changed_is_refused() {
    let tree = Branch::new(8);
    let held = tree.held(5, NOW);
    let good = tree.request(5, 8).into_bytes();
    for i in 0..good.len() {
        for bit in 0..8 {
            let mut changed = good.clone();
            changed[i] ^= 1 << bit;
            let Decision::Refuse(refused) = decide(&changed, &held, FLOOR, NOW) else {
                panic!("byte {i}, bit {bit} was cosigned");
            };
            assert_eq!(refused.contradiction, None, "byte {i}, bit {bit}");
            let status = refused.refusal.answer().status;
            assert!([400, 403, 404, 409, 422].contains(&status), "{status}");
        }
        let cut = decide(&good[..i], &held, FLOOR, NOW);
        assert_eq!(status(cut), 400, "cut at {i}");
    }
}
