//! A log in which a maker, an auditor and strangers say something of two packages: one claim of
//! every sort that an answer shows.

use super::{Fake, id, log::key, registration, withdrawal};
use assay_claims::claim::{self, ClaimId, PublicKey};
use assay_claims::entry::wire;
use assay_claims::json::{self, Value};
use assay_claims::kind::Timestamp;
use assay_claims::kind::endorsement::Endorsement;
use assay_claims::kind::key_compromise::KeyCompromise;
use assay_claims::kind::response::Response;
use assay_claims::purl::{Pattern, Purl};
use assay_claims::statement::{Statement, Subject};
use assay_tlog::Hash;

/// Who signs.
pub const MAKER: u8 = 1;
pub const AUDITOR: u8 = 2;
pub const STRANGER: u8 = 3;
pub const LOST: u8 = 4;

/// The package that most is said of.
pub const ALPHA: &str = "pkg:cargo/alpha@1.0.0";

const AUDIT: &str = "urn:assay:audit:v1";
const LIFECYCLE: &str = "urn:assay:lifecycle:v1";
const OPENVEX: &str = "https://openvex.dev/ns/v0.2.0";
const VULNS: &str = "https://in-toto.io/attestation/vulns/v0.2";
const PROVENANCE: &str = "https://slsa.dev/provenance/v1";
const TEST_RESULT: &str = "https://in-toto.io/attestation/test-result/v0.1";

const BUILT: &str = r#"{"buildDefinition":{"buildType":"https://example.org/build","externalParameters":{}},
    "runDetails":{"builder":{"id":"https://example.org/builder"}}}"#;
const ENDED: &str = r#"{"end_of_security_support":"2020-01-01","end_of_life":"tba",
    "last_updated":"2019-01-01T00:00:00Z"}"#;
const STATUSES: &str = r#"{"@context":"https://openvex.dev/ns/v0.2.0","@id":"https://example.org/1","author":"M",
    "version":1,"timestamp":"2026-01-01T00:00:00Z","statements":[
    {"vulnerability":{"name":"CVE-2026-0001","aliases":["GHSA-aaaa-bbbb-cccc"]},
     "products":[{"@id":"pkg:cargo/alpha@1.0.0"}],
     "status":"not_affected","justification":"vulnerable_code_not_present"},
    {"vulnerability":{"name":"CVE-2026-0002"},"products":[{"@id":"pkg:cargo/alpha@1.0.0"}],
     "status":"affected","action_statement":"Update."},
    {"vulnerability":{"name":"CVE-2026-00021"},"products":[{"@id":"pkg:cargo/alpha@1.0.0"}],
     "status":"fixed"}]}"#;
const FOUND: &str = r#"{"scanner":{"uri":"https://example.org/scanner","result":[
    {"id":"CVE-2026-0001","severity":[{"method":"nvd","score":"high"}]},
    {"id":"CVE-2026-0002","severity":[{"method":"nvd","score":"medium"}]}]},
    "metadata":{"scanStartedOn":"2026-01-02T00:00:00Z","scanFinishedOn":"2026-01-02T00:01:00Z"}}"#;

/// The archive of alpha.
pub fn archive() -> Hash {
    Hash::of(b"an archive")
}

fn audit(verdict: &str) -> String {
    format!(r#"{{"criteria":["safe-to-run"],"verdict":"{verdict}","scope":"version"}}"#)
}

fn value(text: &str) -> Value {
    json::parse(text.as_bytes()).unwrap()
}

fn package(purl: &str) -> Subject {
    Subject::package(Purl::parse_canonical(purl).unwrap())
}

fn sign(seed: u8, statement: &Statement) -> wire::Claim {
    claim::sign(statement.to_json().as_bytes(), &[(id(seed), &key(seed))])
}

fn claim_id(claim: &wire::Claim) -> ClaimId {
    claim::verify(claim, &()).unwrap().id()
}

impl Fake {
    /// Publishes what the issuer of `seed` says of something.
    pub fn say(&self, seed: u8, subject: Subject, uri: &str, predicate: &str) -> ClaimId {
        let statement = Statement::new(vec![subject], uri, value(predicate)).unwrap();
        self.put(&sign(seed, &statement))
    }

    /// Publishes a claim.
    pub fn put(&self, claim: &wire::Claim) -> ClaimId {
        self.state().publish(claim);
        claim_id(claim)
    }

    /// Publishes what the issuer of `seed` replies to a claim.
    pub fn respond(&self, seed: u8, target: ClaimId, stance: &str) -> ClaimId {
        let response = Response {
            target,
            stance: stance.into(),
            text: "Not the build script.".into(),
        };
        self.put(&sign(seed, &response.statement().unwrap()))
    }

    /// Has the issuer of `seed` reply to a claim so many times. They wait for the next commitment.
    pub fn flood(&self, seed: u8, target: ClaimId, times: usize) {
        for number in 0..times {
            let response = Response {
                target,
                stance: "dispute".into(),
                text: number.to_string(),
            };
            let claim = sign(seed, &response.statement().unwrap());
            self.state().append(&claim);
        }
    }

    /// A log with all that is said.
    pub async fn with_claims() -> Self {
        let fake = Fake::start().await;
        for seed in [MAKER, AUDITOR, STRANGER, LOST] {
            fake.put(&registration(seed));
        }
        let (alpha, beta) = (|| package(ALPHA), || package("pkg:cargo/beta@2.0.0"));
        fake.say(MAKER, alpha(), LIFECYCLE, ENDED);
        fake.say(MAKER, alpha(), OPENVEX, STATUSES);
        fake.say(MAKER, alpha(), PROVENANCE, BUILT);
        let file = Subject::artifact(Some("alpha.tar".into()), &archive());
        fake.say(
            MAKER,
            file,
            TEST_RESULT,
            r#"{"result":"PASSED","configuration":[]}"#,
        );
        let passed = fake.say(AUDITOR, alpha(), AUDIT, &audit("pass"));
        fake.say(AUDITOR, package("pkg:cargo/alpha"), AUDIT, &audit("pass"));
        let wrong = fake.say(AUDITOR, alpha(), AUDIT, &audit("fail"));
        fake.put(&withdrawal(AUDITOR, wrong));
        fake.respond(STRANGER, passed, "dispute");
        fake.put(&withdrawal(STRANGER, passed));
        fake.say(STRANGER, alpha(), AUDIT, &audit("pass"));
        fake.say(STRANGER, alpha(), VULNS, FOUND);
        let taken_back = fake.say(MAKER, beta(), LIFECYCLE, ENDED);
        fake.put(&withdrawal(MAKER, taken_back));
        fake.say(LOST, beta(), AUDIT, &audit("pass"));
        fake.endorse();
        fake.lose();
        fake
    }

    /// The maker vouches for the auditor.
    fn endorse(&self) {
        let said = Endorsement {
            issuer: id(AUDITOR),
            role: "maintainer".into(),
            scope: vec![Pattern::parse("pkg:cargo/alpha").unwrap()],
            may_delegate: 0,
            valid_from: None,
            valid_until: Timestamp::parse("2126-12-31T00:00:00Z").unwrap(),
        };
        self.put(&sign(MAKER, &said.statement().unwrap()));
    }

    /// An issuer declares its only key compromised.
    fn lose(&self) {
        let said = KeyCompromise {
            issuer: id(LOST),
            key: PublicKey::from(&key(LOST)),
            origin: "fake.example/log".into(),
            from_index: 3,
            from_time: Timestamp::parse("2020-01-01T00:00:00Z").unwrap(),
            reason: None,
        };
        self.put(&sign(LOST, &said.statement().unwrap()));
    }
}

/// A policy that trusts the maker, who may vouch for others, and asks for heads of any age.
pub fn policy() -> String {
    let head_age = "max_head_age = \"1d\"";
    let starting = assay_policy::rules::STARTING;
    assert!(starting.contains(head_age));
    let starting = starting.replace(head_age, "max_head_age = \"200y\"");
    let anchor = [
        "[[anchor]]".to_owned(),
        "name = \"our makers\"".to_owned(),
        format!("issuer = \"{}\"", id(MAKER)),
        "roles = [\"maintainer\"]".to_owned(),
        "scopes = [\"pkg:*\"]".to_owned(),
        "may_delegate = 1".to_owned(),
    ];
    format!("{starting}\n{}\n", anchor.join("\n"))
}
