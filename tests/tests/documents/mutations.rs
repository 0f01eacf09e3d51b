//! Documents that were cut or changed are refused with a place, or make claims that hold; nothing
//! panics.

use crate::{NOW, assert_sound, assert_tells};
use assay_intake::documents;
use assay_tests::data;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::OnceLock;

/// Largest document that is changed over and over.
const LARGEST: usize = 24 * 1024;

struct Sample {
    kind: &'static str,
    path: String,
    bytes: Vec<u8>,
}

/// The documents that are taken as they are, and small; none if the collection is missing.
fn samples() -> &'static [Sample] {
    static SAMPLES: OnceLock<Vec<Sample>> = OnceLock::new();
    SAMPLES.get_or_init(|| {
        let mut samples = Vec::new();
        for (name, kind) in data::DOCUMENTS {
            let Some(folder) = data::require(name) else {
                return Vec::new();
            };
            for path in data::files(&folder) {
                let bytes = data::read(&path);
                let path = path.file_name().unwrap().to_string_lossy().into_owned();
                if bytes.len() <= LARGEST && documents::prepare(kind, &path, &bytes, NOW).is_ok() {
                    samples.push(Sample { kind, path, bytes });
                }
            }
        }
        samples
    })
}

/// Prepares changed bytes; whatever comes of it has to hold. Returns whether they were taken.
fn try_out(sample: &Sample, bytes: &[u8]) -> bool {
    match documents::prepare(sample.kind, &sample.path, bytes, NOW) {
        Ok(claims) => {
            assert_sound(sample.kind, &sample.path, bytes, &claims);
            true
        }
        Err(error) => {
            assert_tells(&error);
            false
        }
    }
}

#[test]
fn a_cut_document_is_refused() {
    const CUTS: usize = 97;
    for sample in samples() {
        let end = sample.bytes.trim_ascii_end().len();
        // What is left of lines of text may be a whole document.
        let is_json = ["audit", "practice"]
            .iter()
            .all(|kind| *kind != sample.kind)
            && sample
                .bytes
                .trim_ascii_start()
                .first()
                .is_some_and(|b| b"{[\xef".contains(b));
        for cut in (0..CUTS)
            .map(|i| end * i / CUTS)
            .chain(end.saturating_sub(8)..end)
        {
            let taken = try_out(sample, &sample.bytes[..cut]);
            assert!(
                !(taken && is_json),
                "{} was taken though cut at {cut}",
                sample.path
            );
        }
    }
}

/// Replaces the `n`-th value of a document, counted depth first.
fn replace(value: &mut Value, n: &mut usize, with: &Value) -> bool {
    if *n == 0 {
        *value = with.clone();
        return true;
    }
    *n -= 1;
    match value {
        Value::Array(items) => items.iter_mut().any(|item| replace(item, n, with)),
        Value::Object(members) => members.values_mut().any(|member| replace(member, n, with)),
        _ => false,
    }
}

fn values() -> impl Strategy<Value = Value> {
    let deep = (0..40).fold(json!(1), |inner, _| json!([inner]));
    prop::sample::select(vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1e300),
        json!(u64::MAX),
        json!(""),
        json!("x"),
        json!("pkg:oci/a@sha256:0"),
        json!("\u{0}\u{1b}[2J"),
        json!("9".repeat(3000)),
        json!([]),
        json!({}),
        json!([null]),
        json!([{}]),
        json!({"": {}}),
        json!(["x".repeat(30_000)]),
        deep,
    ])
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4096, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_byte_makes_no_panic(
        at: prop::sample::Index,
        sample: prop::sample::Index,
        byte: u8,
        take in 0_usize..40,
    ) {
        let samples = samples();
        if !samples.is_empty() {
            let sample = sample.get(samples);
            let at = at.index(sample.bytes.len());
            let end = (at + take).min(sample.bytes.len());
            let mut bytes = sample.bytes.clone();
            bytes.splice(at..end, [byte]);
            try_out(sample, &bytes);
        }
    }

    #[test]
    fn a_value_of_another_type_makes_no_panic(
        n in 0_usize..400,
        sample: prop::sample::Index,
        with in values(),
    ) {
        let samples = samples();
        if !samples.is_empty() {
            let sample = sample.get(samples);
            let body = sample.bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&sample.bytes);
            if let Ok(mut value) = serde_json::from_slice::<Value>(body) {
                let mut n = n;
                replace(&mut value, &mut n, &with);
                try_out(sample, value.to_string().as_bytes());
            }
        }
    }

    #[test]
    fn noise_is_refused(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        kind in prop::sample::select(documents::KINDS),
    ) {
        let error = documents::prepare(kind, "noise", &bytes, NOW).expect_err("noise was taken");
        assert_tells(&error);
    }
}
