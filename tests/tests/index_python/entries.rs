//! Entries to map: random ones, and such as somebody would write who wants two implementations to
//! differ.

use super::Numbers;
use assay_claims::claim::PAYLOAD_TYPE;
use assay_claims::entry::wire;
use prost::Message;

/// Every so many entries there is one of as many labels as fit.
const CROWDED: u64 = 5_000;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";

const TYPES: [&str; 12] = [
    "https://in-toto.io/attestation/vulns/v0.2",
    "https://openvex.dev/ns",
    "https://openvex.dev/ns/v0.0.1",
    "https://openvex.dev/ns/v0.2.0",
    "urn:assay:finding:v1",
    "urn:assay:withdrawal:v1",
    "urn:assay:response:v1",
    "urn:assay:endorsement:v1",
    "https://openvex.dev/ns/v0.2.1",
    "",
    "urn:prüfung:\u{1f600}",
    "line\nfeed",
];

const PURL_STARTS: [&str; 12] = [
    "pkg:pypi/",
    "pkg:pypi/",
    "pkg:nuget/",
    "pkg:cargo/",
    "pkg:npm/%40a/",
    "pkg:deb/debian/",
    "pkg:",
    "pkg:PyPI/",
    "Pkg:pypi/",
    "pkg:pypi",
    " pkg:npm/",
    "",
];

const PURL_PARTS: [&str; 40] = [
    "a", "B", "Z", "é", "0", "1.0", "-", "_", ".", "--", "@", "@", "@1", "/", "//", "?", "#", "%",
    "%2E", "%2e", "%41", "%%", "%-", "%_.", "epoch=", "?epoch=2", "&epoch=3", "?epoch=0", "&", "=",
    "~", "!", " ", "\n", "\u{7f}", "\u{130}", "\u{212a}", ":", "+", "\"",
];

const ALGORITHMS: [&str; 8] = [
    "sha256",
    "sha256",
    "sha512",
    "gitCommit",
    "gitCommit",
    "SHA256",
    "purl",
    "",
];

/// Lengths of hex that are right for one algorithm or another, and wrong by one.
const LENGTHS: [usize; 8] = [64, 64, 128, 40, 63, 65, 127, 0];

const IDENTIFIERS: [&str; 10] = [
    "CVE-2026-1",
    "cve-2026-1",
    "GHSA-aaaa-bbbb-cccc",
    "!~",
    "",
    " ",
    "CVE 1",
    "é",
    "\u{7f}",
    "a\u{0}",
];

/// JSON, or nearly, of no type that is expected anywhere.
const ODD: [&str; 24] = [
    "null",
    "true",
    "7",
    "-0.5e+3",
    "1E400",
    "[]",
    "{}",
    "\"\"",
    "\"pkg:cargo/a@1\"",
    "[\"CVE-2026-1\"]",
    "{\"id\":\"CVE-2026-1\"}",
    "{\"name\":\"CVE-2026-1\",\"aliases\":{}}",
    "[[[]],{\"a\":[null]}]",
    "{\"a\":1,\"a\":2}",
    "{\"a\":1,\"\\u0061\":2}",
    "NaN",
    "-Infinity",
    "01",
    "1.",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\x41\"",
    "tru",
    "\"\t\"",
];

/// The bytes of the entry number `at`, or of what is nearly an entry.
pub fn entry(numbers: &mut Numbers, at: u64) -> Vec<u8> {
    let crowded = at % CROWDED == 7;
    let claim = wire::Claim {
        payload: if crowded { crowd() } else { payload(numbers) }.into(),
        payload_type: match numbers.below(100) {
            0 => String::new(),
            1 => "application/json".into(),
            _ => PAYLOAD_TYPE.into(),
        },
        signatures: signatures(numbers, crowded),
    };
    let body = match numbers.below(60) {
        0 => wire::Body::IndexCommitment(commitment(numbers)),
        _ => wire::Body::Claim(claim),
    };
    let entry = wire::Entry {
        logged_at_ms: numbers.below(3) * numbers.below(1 << 30),
        body: (numbers.below(500) > 0).then_some(body),
    };
    let mut bytes = entry.encode_to_vec();
    if !crowded && numbers.below(8) == 0 {
        damage(numbers, &mut bytes);
    }
    bytes
}

fn commitment(numbers: &mut Numbers) -> wire::IndexCommitment {
    wire::IndexCommitment {
        root: vec![7; 31 + numbers.below(3) as usize].into(),
        labels: numbers.below(1 << 20),
        mapping_version: numbers.below(4) as u32,
        admission_version: numbers.below(2) as u32,
    }
}

fn signatures(numbers: &mut Numbers, crowded: bool) -> Vec<wire::ClaimSignature> {
    let count = match numbers.below(40) {
        _ if crowded => 16,
        0 => 0,
        1 => 16,
        2 => 17,
        _ => 1 + numbers.below(3),
    };
    let is_odd = !crowded && numbers.below(30) == 0;
    let mut signatures = Vec::new();
    for one in 0..count {
        // Some share the first half of their id.
        let mut issuer = vec![numbers.below(4) as u8; 32];
        issuer[31] = numbers.below(3) as u8;
        if crowded {
            issuer[0] = one as u8;
        }
        let mut lengths = [64, 32, 32];
        if is_odd {
            lengths[numbers.below(3) as usize] = numbers.pick(&[0, 31, 33, 63, 65]);
        }
        issuer.resize(lengths[2], 1);
        signatures.push(wire::ClaimSignature {
            signature: vec![1; lengths[0]].into(),
            public_key: vec![2; lengths[1]].into(),
            issuer_id: issuer.into(),
        });
    }
    signatures
}

/// A payload that names as many vulnerabilities as fit.
fn crowd() -> Vec<u8> {
    let results: Vec<_> = (0..2_300_u64)
        .map(|id| format!(r#"{{"id":"{id:x}"}}"#))
        .collect();
    let results = results.join(",");
    format!(
        r#"{{"_type":"{STATEMENT}","subject":[],"predicateType":"{}","predicate":{{"scanner":{{"result":[{results}]}}}}}}"#,
        TYPES[0]
    )
    .into_bytes()
}

fn payload(numbers: &mut Numbers) -> Vec<u8> {
    let mut bytes = statement(numbers).into_bytes();
    match numbers.below(40) {
        0 => damage(numbers, &mut bytes),
        1 => bytes.insert(0, b' '),
        2 => bytes.splice(0..0, *b"\xef\xbb\xbf").for_each(drop),
        3 => bytes.push(b'\n'),
        4 => bytes.push(b'x'),
        5 => bytes.resize(32 * 1024 + numbers.below(2) as usize, b' '),
        _ => {}
    }
    bytes
}

/// Changes some bytes, cuts them off or adds to them.
fn damage(numbers: &mut Numbers, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let at = numbers.below(bytes.len() as u64) as usize;
    match numbers.below(5) {
        0 => bytes.truncate(at),
        1 => bytes.insert(at, numbers.below(256) as u8),
        2 => drop(bytes.remove(at)),
        3 => bytes.extend_from_within(at..),
        _ => bytes[at] ^= 1 << numbers.below(8),
    }
}

fn statement(numbers: &mut Numbers) -> String {
    let of_type = numbers.pick(&TYPES);
    let statement = match numbers.below(50) {
        0 => "https://in-toto.io/Statement/v0.1",
        _ => STATEMENT,
    };
    let mut members = vec![
        ("_type", string(numbers, statement)),
        ("subject", subjects(numbers)),
        ("predicateType", string(numbers, of_type)),
        ("predicate", predicate(numbers, of_type)),
    ];
    let at = numbers.below(4) as usize;
    match numbers.below(40) {
        0 => drop(members.remove(at)),
        1 => members.push(members[at].clone()),
        2 | 3 => members[at].1 = odd(numbers),
        4 => members.push(("more", odd(numbers))),
        _ => members.rotate_left(at),
    }
    object(numbers, &members)
}

fn subjects(numbers: &mut Numbers) -> String {
    let count = match numbers.below(200) {
        0 => 1_100,
        1..20 => 0,
        _ => 1 + numbers.below(4),
    };
    if count > 10 {
        return list((0..count).map(|_| r#"{"uri":"pkg:a/b"}"#.into()));
    }
    list((0..count).map(|_| subject(numbers)))
}

fn subject(numbers: &mut Numbers) -> String {
    if numbers.below(20) == 0 {
        return odd(numbers);
    }
    let mut members = Vec::new();
    if numbers.below(4) > 0 {
        let purl = purl(numbers);
        members.push(("uri", string(numbers, &purl)));
    }
    if numbers.below(4) > 0 {
        members.push(("digest", digests(numbers)));
    }
    if numbers.below(10) == 0 {
        members.push((numbers.pick(&["uri", "digest", "name", "x"]), odd(numbers)));
    }
    object(numbers, &members)
}

fn purl(numbers: &mut Numbers) -> String {
    let mut purl = numbers.pick(&PURL_STARTS).to_owned();
    for _ in 0..numbers.below(8) {
        // What is not visible ASCII makes a purl of nothing: not too often.
        let part = numbers.pick(&PURL_PARTS);
        if part.bytes().all(|byte| byte.is_ascii_graphic()) || numbers.below(8) == 0 {
            purl.push_str(part);
        }
    }
    purl
}

fn digests(numbers: &mut Numbers) -> String {
    let mut members = Vec::new();
    for _ in 0..numbers.below(3) {
        let digit = numbers.pick(&["0", "a", "f", "9", "A", "g"]);
        let hex = match numbers.below(3) {
            0 => digit.repeat(numbers.pick(&LENGTHS)),
            _ => format!("{:02x}", numbers.below(256)).repeat(numbers.pick(&LENGTHS) / 2),
        };
        let value = match numbers.below(15) {
            0 => odd(numbers),
            _ => string(numbers, &hex),
        };
        members.push((numbers.pick(&ALGORITHMS), value));
    }
    object(numbers, &members)
}

fn predicate(numbers: &mut Numbers, of_type: &str) -> String {
    if numbers.below(20) == 0 {
        return odd(numbers);
    }
    let target = match numbers.below(4) {
        0 => odd(numbers),
        1 => string(numbers, &"AB".repeat(32)),
        _ => {
            let text = format!("{:04x}", numbers.below(9)).repeat(16);
            string(numbers, &text)
        }
    };
    let ids = list((0..numbers.below(4)).map(|_| identifier(numbers)));
    let first = identifier(numbers);
    let named = match numbers.below(4) {
        0 => first,
        1 => format!(r#"{{"name":{first}}}"#),
        2 => format!(r#"{{"aliases":{ids}}}"#),
        _ => format!(r#"{{"name":{first},"id":{first},"aliases":{ids}}}"#),
    };
    let several =
        list((0..numbers.below(3)).map(|_| format!(r#"{{"id":{}}}"#, identifier(numbers))));
    match of_type {
        "urn:assay:finding:v1" => format!(r#"{{"target":{target},"osv":{named}}}"#),
        _ if of_type.contains("vulns") => {
            format!(r#"{{"target":{target},"scanner":{{"result":{several}}}}}"#)
        }
        _ if of_type.contains("openvex") => {
            format!(
                r#"{{"statements":[{{"vulnerability":{named}}},{},{{}}]}}"#,
                odd(numbers)
            )
        }
        _ => format!(r#"{{"target":{target},"osv":{named},"statements":{several}}}"#),
    }
}

fn identifier(numbers: &mut Numbers) -> String {
    match numbers.below(12) {
        0 => odd(numbers),
        1 => {
            let text = "A".repeat(127 + numbers.below(3) as usize);
            string(numbers, &text)
        }
        2..6 => {
            let text = format!("CVE-2026-{}", numbers.below(30));
            string(numbers, &text)
        }
        _ => {
            let text = numbers.pick(&IDENTIFIERS);
            string(numbers, text)
        }
    }
}

fn odd(numbers: &mut Numbers) -> String {
    match numbers.below(60) {
        0 => {
            // Nested nearly as deep as may be, or deeper.
            let depth = 26 + numbers.below(8) as usize;
            ["[".repeat(depth), "]".repeat(depth)].concat()
        }
        // Most of those that are no JSON at all would leave nothing to compare.
        1..50 => numbers.pick(&ODD[..13]).into(),
        _ => numbers.pick(&ODD).into(),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    format!("[{}]", items.collect::<Vec<_>>().join(","))
}

fn object(numbers: &mut Numbers, members: &[(&str, String)]) -> String {
    let mut text = String::from("{");
    for (at, (key, value)) in members.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        text.push_str(numbers.pick(&["", "", "", " ", "\r\n\t"]));
        text.push_str(&string(numbers, key));
        text.push_str(numbers.pick(&[":", ":", ":", " : "]));
        text.push_str(value);
    }
    text.push('}');
    text
}

/// A string of JSON, in one of its many spellings.
fn string(numbers: &mut Numbers, text: &str) -> String {
    let rare = numbers.below(10) == 0;
    let mut out = String::from("\"");
    for c in text.chars() {
        let must_escape = c < ' ' || c == '"' || c == '\\';
        if must_escape || (rare && numbers.below(3) == 0) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                match numbers.below(2) {
                    0 => out.push_str(&format!("\\u{unit:04x}")),
                    _ => out.push_str(&format!("\\u{unit:04X}")),
                }
            }
        } else if rare && c == '/' {
            out.push_str("\\/");
        } else {
            out.push(c);
        }
    }
    out.push('"');
    out
}
