//! Who is who: logs, witnesses, their keys, and the quorum.

use assay_claims::misbehavior::KnownKeys;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::LogVerifier;
use assay_tlog::note::{Algorithm, CosignerKey, SignerKey};
use assay_tlog::tlog_policy::TlogPolicy;
use assay_tlog::witness::WitnessKeys;

/// How many witnesses there are, and how many of them a quorum takes: the least that is safe, and
/// one may be gone.
pub(super) const WITNESSES: usize = 4;
pub(super) const QUORUM: usize = 3;

/// The hosts that are honest nodes with a log of their own, or may not be.
pub(super) const LOGS: [&str; 2] = ["log-a", "log-b"];

/// The hosts of the witnesses.
pub(super) const WITNESS_HOSTS: [&str; WITNESSES] = ["w0", "w1", "w2", "w3"];

/// The host that gossips and mirrors, and lies.
pub(super) const LIAR: &str = "liar";

/// The hosts of those who only read.
pub(super) const CLIENTS: [&str; 2] = ["c0", "c1"];

/// A log's keys.
pub(super) struct Log {
    /// Its host.
    pub(super) host: &'static str,
    pub(super) key: SignerKey,
    pub(super) verifier: LogVerifier,
}

/// Everybody.
pub(super) struct Cast {
    pub(super) logs: Vec<Log>,
    pub(super) witnesses: Vec<WitnessKeys>,
    pub(super) policy: TlogPolicy,
    pub(super) known: KnownKeys,
}

impl Cast {
    /// The same in every run.
    pub(super) fn new() -> Self {
        let logs = LOGS.map(|host| {
            let origin = format!("{host}.example/log");
            let key = SignerKey::from_seed(&origin, &[host.as_bytes()[4]; 32]);
            let key = key.expect("a name is a key's name");
            let verifier = LogVerifier::new(&origin, vec![key.verifier()]);
            Log {
                host,
                key,
                verifier: verifier.expect("a log has a key"),
            }
        });
        let witnesses = WITNESS_HOSTS.map(|host| {
            let name = format!("{host}.example/witness");
            let seed = [host.as_bytes()[1]; 32];
            let key = CosignerKey::from_seed(&name, Algorithm::CosignatureV1, &seed);
            let key = key.expect("a name is a key's name");
            WitnessKeys::new(key, None).expect("a witness has a key")
        });
        let known = KnownKeys {
            logs: logs.iter().map(|log| log.verifier.clone()).collect(),
            witnesses: witnesses
                .iter()
                .map(|keys| CosignerVerifier::new(keys.verifiers()).expect("a witness has a key"))
                .collect(),
            mirrors: Vec::new(),
        };
        Cast {
            policy: policy(&witnesses),
            logs: logs.into(),
            witnesses: witnesses.into(),
            known,
        }
    }

    /// The log of this origin.
    pub(super) fn log(&self, origin: &str) -> Option<&Log> {
        self.logs.iter().find(|log| log.verifier.origin() == origin)
    }

    /// Whether a note is one that a careful reader accepts.
    pub(super) fn is_witnessed(&self, log: &Log, note: &str) -> bool {
        let policy = self.policy.with_log(&log.key.verifier());
        policy.verify(note).is_ok()
    }
}

fn policy(witnesses: &[WitnessKeys]) -> TlogPolicy {
    let mut text = String::new();
    for (host, keys) in WITNESS_HOSTS.iter().zip(witnesses) {
        let vkey = &keys.verifiers()[0];
        text.push_str(&format!("witness {host} {vkey} http://{host}\n"));
    }
    let all = WITNESS_HOSTS.join(" ");
    text.push_str(&format!("group all {QUORUM} {all}\nquorum all\n"));
    TlogPolicy::parse(&text).expect("the policy is one")
}
