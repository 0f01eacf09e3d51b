//! transparency-dev/formats: bodies of checkpoints.
//!
//! That parser takes root hashes of any length and any text after them. C2SP tlog-checkpoint and
//! Assay do not: a body is read only if its hash has 32 bytes and nothing follows it.

use assay_tests::data;
use assay_tlog::checkpoint::Checkpoint;
use base64::prelude::{BASE64_STANDARD, Engine};
use serde::Deserialize;

#[derive(Deserialize)]
struct Vector {
    name: String,
    body: String,
    expect: Expect,
    origin: Option<String>,
    size: Option<u64>,
    hash_b64: Option<String>,
    rest: Option<String>,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Expect {
    Ok,
    Reject,
}

#[test]
fn bodies_are_read_only_if_complete_and_exact() {
    let Some(folder) = data::require("checkpoint") else {
        return;
    };
    let mut count = 0;
    for vector in data::files(&folder)
        .iter()
        .flat_map(|path| data::read_json::<Vec<Vector>>(path))
    {
        count += 1;
        let hash = vector
            .hash_b64
            .as_ref()
            .map(|hash| BASE64_STANDARD.decode(hash).expect("base64"));
        let exact = hash.as_ref().is_some_and(|hash| hash.len() == 32)
            && vector.rest.as_deref().unwrap_or_default().is_empty();
        let parsed = Checkpoint::parse_body(&vector.body);
        if vector.expect == Expect::Ok && exact {
            let checkpoint = parsed.unwrap_or_else(|e| panic!("{}: {e}", vector.name));
            assert_eq!(
                Some(&checkpoint.origin),
                vector.origin.as_ref(),
                "{}",
                vector.name
            );
            assert_eq!(Some(checkpoint.size.get()), vector.size, "{}", vector.name);
            assert_eq!(
                Some(checkpoint.root.as_bytes().to_vec()),
                hash,
                "{}",
                vector.name
            );
            assert_eq!(checkpoint.body(), vector.body);
        } else {
            assert!(parsed.is_err(), "{}: {parsed:?}", vector.name);
        }
    }
    println!("checkpoint: {count} bodies");
    assert!(count > 0);
}
