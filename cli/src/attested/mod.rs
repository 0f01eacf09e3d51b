//! Attestations that others signed, verified offline with what the person trusts: a trusted root of
//! Sigstore, and keys. Verifying is that of the crate `sigstore-verify`; what is decided here is
//! which of the trusted keys may answer for which entry, and what is said of a failure.

mod keys;
mod step;
mod trusted;

pub use trusted::Trusted;

use crate::{exit::Failure, input};
use assay_claims::statement::Subject;
use assay_client::plain;
use assay_intake::bridge::{self, NotVerified};
use assay_intake::documents::{Attestation, Attestations, Evidence, LogEntry, Prepared, Signer};
use assay_tlog::Hash;
use keys::{Key, Keys};
use sigstore_verify::trust_root::{TransparencyLog, TrustedRoot};
use sigstore_verify::types::bundle::VerificationMaterialContent;
use sigstore_verify::types::{
    Artifact, ArtifactDigest, Bundle, HashAlgorithm, KindVersion, TransparencyLogEntry,
};
use sigstore_verify::{
    Policy, PublicKeyVerificationPolicy, VerificationPolicy, VerificationResult, Verifier,
};
use std::path::Path;
use step::{Refused, Step};

/// Largest file of a trusted root or of keys, in bytes. Those of Sigstore have some kilobytes.
const TRUST_BYTES: usize = 1024 * 1024;

/// The domains of the two instances that Sigstore itself runs.
const INSTANCES: [(&str, &str); 2] = [
    (".sigstore.dev", "production"),
    (".sigstage.dev", "staging"),
];

/// What the person trusts.
pub struct Trust {
    root: TrustedRoot,
    digest: Hash,
    keys: Keys,
}

/// What to do with several trusted roots, one a line.
fn several(text: &str) -> Option<&'static str> {
    let mut lines = text.lines().filter(|line| !line.trim().is_empty());
    let is_list = lines.clone().nth(1).is_some()
        && lines.all(|line| line.starts_with('{') && line.trim_end().ends_with('}'));
    is_list.then_some(
        "it has several, one a line, as `gh attestation trusted-root` writes them: put the line of \
         the instance that signed into a file of its own",
    )
}

/// What became of an attestation.
enum Found {
    Evidence(Box<Evidence>),
    /// It is signed with a key that nobody gave: nothing is known of who has it.
    NoKey(String),
}

impl Trust {
    /// Reads a trusted root, and keys if there are any.
    ///
    /// Fails with [`Failure::Usage`] if one of the files is not what it should be.
    pub fn read(root: &Path, keys: Option<&Path>) -> Result<Self, Failure> {
        let document = input::read_setting(root, TRUST_BYTES)?;
        let wrong = |reason: String| {
            let shown = plain(&root.display().to_string());
            Failure::Usage(format!("{shown} is no trusted root: {}", plain(&reason)))
        };
        let text = str::from_utf8(&document.bytes).map_err(|_| wrong("it is not UTF-8".into()))?;
        let read = TrustedRoot::from_json(text)
            .map_err(|e| wrong(several(text).map_or_else(|| step::words(&e), str::to_owned)))?;
        Verifier::new(&read).map_err(|e| wrong(step::words(&e)))?;
        Ok(Trust {
            root: read,
            digest: Hash::of(&document.bytes),
            keys: keys.map_or(Ok(Keys::default()), Keys::read)?,
        })
    }

    /// The claims of a document of attestations, all of which were verified, about what is `named`,
    /// or about what they say they are about. What is signed with a key that was not given is left
    /// out, and a summary says so.
    ///
    /// Fails with [`Failure::Failed`] or [`Failure::Usage`] if one cannot be verified or is about
    /// something else. The text says which, and the step that failed.
    pub fn claims(
        &self,
        attestations: &Attestations,
        named: &[Subject],
    ) -> Result<Vec<Prepared>, Failure> {
        let (mut claims, mut left_out) = (Vec::new(), Vec::new());
        for (at, attestation) in attestations.list().iter().enumerate() {
            let refused = |refused: Refused| refused.into_failure(attestation.place());
            let about = attestation.about(named);
            let about = about.map_err(|e| refused(Refused::new(Step::Subject, e)))?;
            match self.find(attestation, &about).map_err(refused)? {
                Found::NoKey(name) => left_out.push((attestation.place(), name)),
                Found::Evidence(evidence) => {
                    let claim = attestations.claim(at, about, &evidence);
                    let claim = claim.map_err(|e| refused(Refused::new(Step::Form, e)))?;
                    claims.push(claim);
                }
            }
        }
        let Some(first) = claims.first_mut() else {
            let name = left_out.pop().map_or(String::new(), |(_, name)| name);
            return Err(Failure::Usage(format!(
                "it is signed with the key {}, which was not given: name a file that has it with \
                 --trusted-keys",
                plain(&name)
            )));
        };
        for (place, name) in left_out {
            let note = format!(
                "{place} is left out: it is signed with the key {name}, which was not given \
                 (--trusted-keys)"
            );
            first.summary.push(("note".to_owned(), plain(&note)));
        }
        Ok(claims)
    }

    /// What is found of an attestation, about what it is claimed to be about.
    fn find(&self, attestation: &Attestation, about: &[Subject]) -> Result<Found, Refused> {
        let found = self.check(attestation, about)?;
        if let Found::Evidence(evidence) = &found {
            let signer = attestation.check_signer(evidence);
            signer.map_err(|e| Refused::new(Step::Signer, e))?;
        }
        Ok(found)
    }

    fn check(&self, attestation: &Attestation, about: &[Subject]) -> Result<Found, Refused> {
        let bundle = Bundle::from_json(attestation.bundle());
        let bundle = bundle.map_err(|e| Refused::new(Step::Form, step::words(&e)))?;
        let [entry] = &bundle.verification_material.tlog_entries[..] else {
            let count = bundle.verification_material.tlog_entries.len();
            let reason = format!("there are {count} log entries, and has to be one");
            return Err(Refused::new(Step::Entry, reason));
        };
        // Not every entry is bound to its log by a signature that names the log: with the keys of
        // this log alone, nothing but this log can have answered.
        let mut root = self.root.clone();
        root.tlogs
            .retain(|log| log.log_id.key_id == entry.log_id.key_id);
        let [log] = &root.tlogs[..] else {
            let reason = format!("the trusted root has no log {}", entry.log_id.key_id);
            return Err(Refused::new(Step::Entry, reason));
        };
        check_repeated(entry)?;
        let verifier = Verifier::new(&root).map_err(Refused::from)?;
        let check = |policy: &dyn Policy| {
            let artifact = signed_digest(about, attestation)?;
            let result = verifier.verify(Artifact::from_digest(artifact), &bundle, policy);
            result.map_err(Refused::from)
        };
        let hint = match &bundle.verification_material.content {
            VerificationMaterialContent::PublicKey(key) => &key.hint,
            _ => {
                let result = check(&VerificationPolicy::any_identity())?;
                let signer = of_certificate(&result)?;
                let evidence = self.evidence(signer, log, entry, &result);
                return Ok(Found::Evidence(Box::new(evidence)));
            }
        };
        let Some(key) = self.keys.find(hint)? else {
            // Whether it fits the key that the log has it with can be said all the same.
            if let Some(logged) = keys::of_entry(entry) {
                check(&PublicKeyVerificationPolicy::new(logged))?;
            }
            return Ok(Found::NoKey(hint.clone()));
        };
        let result = check(&PublicKeyVerificationPolicy::new(key.spki.clone()))?;
        check_time(key, &result)?;
        let signer = Signer::Key {
            sha256: Hash::of(key.spki.as_bytes()),
            name: hint.clone(),
        };
        let evidence = self.evidence(signer, log, entry, &result);
        Ok(Found::Evidence(Box::new(evidence)))
    }

    fn evidence(
        &self,
        signer: Signer,
        log: &TransparencyLog,
        entry: &TransparencyLogEntry,
        result: &VerificationResult,
    ) -> Evidence {
        // A promise of Rekor v1 signs the index, and a proof of Rekor v2 is of it; else only the
        // proof's own index is proven.
        let is_v2 = entry.kind_version == KindVersion::HashedRekordV002;
        let index = match &entry.inclusion_proof {
            Some(proof) if !is_v2 && entry.inclusion_promise.is_none() => proof.log_index,
            _ => entry.log_index,
        };
        let times = result.verified_timestamps().iter();
        let mut times: Vec<String> = times.map(ToString::to_string).collect();
        times.sort();
        times.dedup();
        Evidence {
            signer,
            instance: self.instance(log),
            trusted_root: self.digest,
            entry: LogEntry {
                log: log.base_url.clone(),
                index: index.get(),
                time: result.integrated_time().map(|time| time.to_string()),
            },
            times,
        }
    }

    /// Which Sigstore it is, as the trusted root names its parts: one that Sigstore runs, or the
    /// address of the log.
    fn instance(&self, log: &TransparencyLog) -> String {
        let authorities = self.root.certificate_authorities.iter();
        let mut addresses: Vec<&str> = authorities.map(|one| one.uri.as_str()).collect();
        addresses.push(&log.base_url);
        let mut known = INSTANCES.iter();
        let known = known.find(|(domain, _)| are_of(&addresses, domain));
        known.map_or_else(|| log.base_url.clone(), |(_, name)| (*name).to_owned())
    }
}

/// What a bridge asks of each attestation, in which it names nothing: all that the attestation says
/// it is about counts.
impl bridge::Verifier for Trust {
    fn verify(&self, attestation: &Attestation) -> Result<Evidence, NotVerified> {
        match self.find(attestation, attestation.subjects()) {
            Ok(Found::Evidence(evidence)) => Ok(*evidence),
            Ok(Found::NoKey(name)) => Err(NotVerified::NoKey(name)),
            Err(refused) => Err(NotVerified::Failed(refused.words(attestation.place()))),
        }
    }
}

/// Rekor v2 repeats in a proof what its checkpoint says, which nothing signs and the verifier does
/// not look at. What is repeated wrongly was changed.
fn check_repeated(entry: &TransparencyLogEntry) -> Result<(), Refused> {
    let is_v2 = entry.kind_version == KindVersion::HashedRekordV002;
    let Some(proof) = entry.inclusion_proof.as_ref().filter(|_| is_v2) else {
        return Ok(());
    };
    let Some(head) = proof.checkpoint.checkpoint() else {
        return Err(Refused::new(Step::Checkpoint, "there is none"));
    };
    let is_left_out = proof.root_hash.as_bytes().iter().all(|byte| *byte == 0);
    let is_same = (is_left_out || proof.root_hash == *head.root_hash())
        && [0, head.tree_size()].contains(&proof.tree_size)
        && [0, entry.log_index.get()].contains(&proof.log_index.get());
    if is_same {
        return Ok(());
    }
    let reason = "it says another head or place than its checkpoint and its entry";
    Err(Refused::new(Step::Proof, reason))
}

/// Whether all of them are hosts of a domain.
fn are_of(addresses: &[&str], domain: &str) -> bool {
    let mut hosts = addresses.iter().map(|address| host(address));
    hosts.all(|host| host.is_some_and(|host| host.ends_with(domain)))
}

fn host(address: &str) -> Option<&str> {
    let rest = address.strip_prefix("https://")?;
    rest.split(['/', ':', '?', '#']).next()
}

/// The digest of what was signed: of what it is claimed to be about, else of what it says it is
/// about.
fn signed_digest(about: &[Subject], attestation: &Attestation) -> Result<ArtifactDigest, Refused> {
    let algorithms = [
        ("sha256", HashAlgorithm::Sha2256),
        ("sha512", HashAlgorithm::Sha2512),
        ("sha384", HashAlgorithm::Sha2384),
    ];
    for subject in about.iter().chain(attestation.subjects()) {
        for (name, algorithm) in algorithms {
            let Some(bytes) = subject.digest(name).and_then(|hex| hex::decode(hex).ok()) else {
                continue;
            };
            let digest = ArtifactDigest::new(algorithm, bytes);
            return digest.map_err(|e| Refused::new(Step::Form, e));
        }
    }
    let reason = "it says no SHA-256 of what was signed: name the file with --subject";
    Err(Refused::new(Step::Form, reason))
}

fn of_certificate(result: &VerificationResult) -> Result<Signer, Refused> {
    let (Some(identity), Some(issuer)) = (result.identity(), result.issuer()) else {
        let reason = "it names nobody, or nobody who vouched for the name";
        return Err(Refused::new(Step::Certificate, reason));
    };
    let claims = result.certificate().map(|one| &one.ci_claims);
    Ok(Signer::Certificate {
        identity: identity.as_str().to_owned(),
        issuer: issuer.to_owned(),
        repository: claims.and_then(|all| all.source_repository_uri.clone()),
        workflow: claims.and_then(|all| all.build_config_uri.clone()),
    })
}

/// Fails if the key was not used while it was to be used.
fn check_time(key: &Key, result: &VerificationResult) -> Result<(), Refused> {
    let Some(valid) = key.valid else {
        return Ok(());
    };
    let times = result.verified_timestamps();
    if times.is_empty() || !times.iter().all(|time| valid.contains(*time)) {
        let reason = "nothing proves that it was signed while the key was valid";
        return Err(Refused::new(Step::Time, reason));
    }
    Ok(())
}
