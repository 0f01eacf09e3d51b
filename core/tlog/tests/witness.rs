//! Requests to witnesses that another implementation tests with, and the statuses that C2SP
//! tlog-witness wants.
//!
//! The files lie in the folder that `ASSAY_TEST_DATA` names, or else in `../shared/data` beside the
//! workspace; `witness/*.json` of it is read.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a document that cannot be read must stop the test"
)]

use assay_tlog::head::LogVerifier;
use assay_tlog::note::{Algorithm, CosignerKey, VerifierKey};
use assay_tlog::witness::{
    Answer, ClockFloor, Decision, LogState, Refusal, Request, RequestError, WitnessKeys,
    WitnessedLog,
};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::Value;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// When the requests are made, in seconds since 1970 (UTC).
const NOW: u64 = 1_800_000_000;

/// Every file of the data, or none, saying that the test is skipped, if there is no data. The files
/// are derived from another project's tests and have no public source: CI may lack them.
fn files() -> Vec<PathBuf> {
    let root = std::env::var_os("ASSAY_TEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let folder = root.join("witness");
    let Ok(entries) = std::fs::read_dir(&folder) else {
        let skipped = format!("skipped: no test data in {}\n", folder.display());
        // Not eprintln!, which the test harness swallows when a test passes.
        let _ = std::io::stderr().write_all(skipped.as_bytes());
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    files.sort();
    files
}

/// A witness of one log, with its state in memory.
struct Witness {
    keys: WitnessKeys,
    log: WitnessedLog,
    state: LogState,
}

impl Witness {
    fn new(origin: &str, vkey: &str) -> Self {
        let name = "witness.example/w";
        let ed25519 = CosignerKey::from_seed(name, Algorithm::CosignatureV1, &[7; 32]).unwrap();
        let keys = WitnessKeys::new(ed25519, None).unwrap();
        let verifier = LogVerifier::new(origin, vec![VerifierKey::parse(vkey).unwrap()]).unwrap();
        let log = WitnessedLog::new(verifier, &keys).unwrap();
        Witness {
            keys,
            log,
            state: LogState::Never,
        }
    }

    fn add_checkpoint(&mut self, body: &[u8]) -> Result<Answer, Refusal> {
        let request = Request::parse(body)?.verify(&self.log)?;
        match request.decide(&self.state, ClockFloor::new(NOW), NOW) {
            Decision::Cosign(pending) => {
                self.state = pending.after();
                Ok(pending.persisted().sign(&self.keys).unwrap().answer())
            }
            Decision::Refuse(refused) => Err(refused.refusal),
        }
    }
}

fn body(case: &Value, field: &str) -> Option<Vec<u8>> {
    Some(BASE64_STANDARD.decode(case[field].as_str()?).unwrap())
}

#[test]
fn the_requests_of_another_implementation_have_their_statuses() {
    for file in files() {
        let text = std::fs::read_to_string(&file).unwrap();
        let all: Value = serde_json::from_str(&text).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let cases = all["cases"].as_array().unwrap();
        assert!(!cases.is_empty());
        for case in cases {
            let mut witness = Witness::new(&text(&all["log_origin"]), &text(&all["log_vkey"]));
            if let Some(first) = body(case, "first_submit_old0_b64") {
                assert_eq!(witness.add_checkpoint(&first).unwrap().status, 200);
            }
            let then = body(case, "then_submit_b64").unwrap();
            let result = witness.add_checkpoint(&then);
            // What is no hash is refused while it is read: the specification's 400.
            let is_no_hash = matches!(result, Err(Refusal::Malformed(RequestError::ProofLine(_))));
            let answer = result.unwrap_or_else(|refusal| refusal.answer());
            let expected = case["expect_status"].as_u64().unwrap();
            if !is_no_hash {
                assert_eq!(u64::from(answer.status), expected, "{}", case["name"]);
            }
            if let Some(expected) = case["expect_body"].as_str() {
                assert_eq!(answer.body, expected, "{}", case["name"]);
            }
            if let Some(expected) = case["expect_content_type"].as_str() {
                assert_eq!(answer.content_type, expected, "{}", case["name"]);
            }
        }
    }
}
