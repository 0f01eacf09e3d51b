//! What is published: claims of 1 KiB by a few dozen issuers, and the rates that one core reaches
//! on them.

use anyhow::{Context, ensure};
use assay_claims::entry::{self, wire};
use assay_claims::index::{By, Kind, Label, Name, labels_of_claim};
use assay_claims::issuer::IssuerId;
use assay_claims::kind::{Timestamp, endorsement::Endorsement};
use assay_claims::purl::Pattern;
use assay_claims::{claim, dsse};
use assay_policy::rules::STARTING;
use assay_proto::v1::{
    PublishItem, PublishRequest, PublishStreamRequest, Wait, log_service_client::LogServiceClient,
};
use assay_tests::issuer::registration;
use assay_tlog::Hash;
use assay_tlog::hash::leaf_hash;
use bytes::Bytes;
use ed25519_dalek::{Signature, SigningKey};
use std::{
    hint::black_box,
    ops::Range,
    thread,
    time::{Duration, Instant},
};

/// Claims in the log that proofs, memory, start-up and audit are measured on.
pub const LEAVES: u64 = 1_000_000;

/// Payload of every claim, in bytes.
pub const CLAIM_BYTES: usize = 1024;

/// Issuers and their keys, and how many packages they speak about.
pub struct Material {
    packages: u64,
    issuers: Vec<(IssuerId, SigningKey)>,
}

impl Material {
    /// Makes so many issuers of one key each, the same at every run.
    pub fn new(issuers: u8, packages: u64) -> anyhow::Result<Self> {
        Ok(Material {
            packages,
            issuers: (1..=issuers)
                .map(|n| {
                    let key = SigningKey::from_bytes(&[n; 32]);
                    (IssuerId::derive(1, &[key.verifying_key().to_bytes()]), key)
                })
                .collect(),
        })
    }

    /// Registers every issuer.
    pub async fn register(&self, url: &str) -> anyhow::Result<()> {
        let mut client = LogServiceClient::connect(url.to_owned()).await?;
        for (number, (_, key)) in self.issuers.iter().enumerate() {
            let claim = registration(&format!("bench {number}"), 1, &[key])?;
            client
                .publish(PublishRequest {
                    claim: Some(claim),
                    wait: Wait::Sequenced.into(),
                })
                .await?;
        }
        Ok(())
    }

    /// The registration of an issuer with one key, and its endorsements of every other.
    pub fn endorsements(&self, by: IssuerId, key: &SigningKey) -> anyhow::Result<Vec<wire::Claim>> {
        let mut claims = vec![registration("anchor", 1, &[key])?];
        for (issuer, _) in &self.issuers {
            let endorsement = Endorsement {
                issuer: *issuer,
                role: "scanner".to_owned(),
                scope: vec![Pattern::parse("pkg:cargo/*")?],
                may_delegate: 0,
                valid_from: None,
                valid_until: Timestamp::parse("2999-01-01T00:00:00Z").context("a time")?,
            };
            let payload = endorsement.statement()?.to_json();
            claims.push(claim::sign(payload.as_bytes(), &[(by, key)]));
        }
        Ok(claims)
    }

    /// Who signs the claim with a number.
    fn issuer(&self, number: u64) -> &(IssuerId, SigningKey) {
        &self.issuers[number as usize % self.issuers.len()]
    }

    /// The label of the package version that the claim with a number is about, by its issuer.
    pub fn label(&self, number: u64) -> Bytes {
        let name = Name::new(Kind::Version, &self.purl(number));
        let (issuer, _) = self.issuer(number);
        Bytes::copy_from_slice(Label::of(name, By::issuer(issuer)).as_bytes())
    }

    /// The ids of all issuers, in hex.
    pub fn issuer_ids(&self) -> Vec<String> {
        let ids = self.issuers.iter().map(|(id, _)| id.to_hex());
        ids.collect()
    }

    /// A policy that trusts every issuer, and demands what the one to start with demands.
    pub fn policy(&self) -> String {
        let mut policy = STARTING.to_owned();
        for (issuer, _) in &self.issuers {
            policy += &format!(
                "\n[[anchor]]\nname = \"{issuer}\"\nissuer = \"{issuer}\"\nroles = \
                 [\"maintainer\"]\nscopes = [\"pkg:*\"]\n"
            );
        }
        policy
    }

    /// The signed claim with a number. Its payload has exactly [`CLAIM_BYTES`] bytes.
    pub fn claim(&self, number: u64) -> wire::Claim {
        let (issuer, key) = self.issuer(number);
        claim::sign(&statement(&self.purl(number), number), &[(*issuer, key)])
    }

    /// The package version that a claim is about: each version has one claim.
    fn purl(&self, number: u64) -> String {
        let (version, package) = (number / self.packages, number % self.packages);
        format!("pkg:cargo/bench-{package}@1.{version}.0")
    }

    /// Signed claims, made on all cores.
    pub fn claims(&self, numbers: Range<u64>) -> Vec<wire::Claim> {
        let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
        let share = (numbers.end - numbers.start).div_ceil(cores).max(1);
        thread::scope(|scope| {
            let workers: Vec<_> = (0..cores)
                .map(|core| {
                    let start = (numbers.start + core * share).min(numbers.end);
                    let end = (start + share).min(numbers.end);
                    scope.spawn(move || {
                        (start..end)
                            .map(|number| self.claim(number))
                            .collect::<Vec<_>>()
                    })
                })
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_default())
                .collect()
        })
    }

    /// Claims as messages of a publishing stream.
    pub fn messages(&self, numbers: Range<u64>, items: usize) -> Vec<PublishStreamRequest> {
        in_messages(numbers.start, &self.claims(numbers), items)
    }

    /// Claims of an issuer whom nobody trusts, so many about each of the first packages.
    pub fn spam(&self, packages: u64, each: u64) -> anyhow::Result<Vec<wire::Claim>> {
        let key = spammer();
        let id = IssuerId::derive(1, &[key.verifying_key().to_bytes()]);
        let mut claims = vec![registration("spammer", 1, &[&key])?];
        for package in 0..packages {
            for number in 0..each {
                let payload = statement(&self.purl(package), u64::MAX - number);
                claims.push(claim::sign(&payload, &[(id, &key)]));
            }
        }
        Ok(claims)
    }

    /// `verify_strict` of a claim's PAE, with the key at hand, a second on one core.
    pub fn verify_rate(&self) -> anyhow::Result<f64> {
        let mut prepared = Vec::new();
        for claim in self.claims(0..1024) {
            let signature = claim.signatures.first().context("unsigned")?;
            let key =
                ed25519_dalek::VerifyingKey::from_bytes(signature.public_key[..].try_into()?)?;
            let bytes = dsse::pae(&claim.payload_type, &claim.payload);
            prepared.push((key, bytes, Signature::from_slice(&signature.signature)?));
        }
        let mut valid = true;
        let rate = rate(|round| {
            let (key, bytes, signature) = &prepared[round % prepared.len()];
            valid &= key.verify_strict(bytes, signature).is_ok();
        });
        ensure!(valid, "a signature of our own does not verify");
        Ok(rate)
    }

    /// Signatures verified in batches of 1,024, a second on one core.
    pub fn batch_rate(&self) -> anyhow::Result<f64> {
        const BATCH: usize = 1024;
        let mut signed = Vec::with_capacity(BATCH);
        for claim in self.claims(0..BATCH as u64) {
            let signature = claim.signatures.first().context("unsigned")?;
            let key = claim::PublicKey::parse(&signature.public_key)?;
            let message = dsse::pae(&claim.payload_type, &claim.payload);
            signed.push((key, Signature::from_slice(&signature.signature)?, message));
        }
        let mut state = 1_u64;
        let mut valid = true;
        let batches = rate(|round| {
            // `rate` counts rounds by 64.
            if round.is_multiple_of(64) {
                let batch = signed
                    .iter()
                    .map(|(key, signature, message)| (key, signature, &message[..]));
                valid &= claim::hold_together(batch, &mut |bytes| {
                    state = state
                        .wrapping_mul(6_364_136_223_846_793_005)
                        .wrapping_add(1_442_695_040_888_963_407);
                    bytes[..8].copy_from_slice(&state.to_le_bytes());
                    bytes[8..].copy_from_slice(&state.rotate_left(17).to_le_bytes());
                });
            }
        });
        ensure!(valid, "a signature of our own does not verify");
        Ok(batches / 64.0 * BATCH as f64)
    }

    /// Computing a claim's labels, a second on one core.
    pub fn labels_rate(&self) -> anyhow::Result<f64> {
        let claims: Vec<_> = self
            .claims(0..64)
            .iter()
            .map(|claim| claim::verify(claim, &()))
            .collect::<Result<_, _>>()?;
        Ok(rate(|round| {
            black_box(labels_of_claim(&claims[round % claims.len()]));
        }))
    }

    /// Leaf hashes of an entry with a claim of this size, a second on one core.
    pub fn leaf_hash_rate(&self) -> anyhow::Result<f64> {
        let entry = entry::encode(1, self.claim(0))?;
        Ok(rate(|_| {
            black_box(leaf_hash(black_box(&entry)));
        }))
    }
}

/// Claims, the first with the id `start`, as messages of so many.
pub fn in_messages(start: u64, claims: &[wire::Claim], items: usize) -> Vec<PublishStreamRequest> {
    let mut messages = Vec::with_capacity(claims.len().div_ceil(items));
    let mut id = start;
    for claims in claims.chunks(items) {
        let mut message = PublishStreamRequest {
            wait: Wait::Sequenced.into(),
            items: Vec::with_capacity(claims.len()),
        };
        for claim in claims {
            message.items.push(PublishItem {
                id,
                claim: Some(claim.clone()),
            });
            id += 1;
        }
        messages.push(message);
    }
    messages
}

/// The best of three seconds: what the core does when nothing disturbs it, which makes the ratios
/// strict.
fn rate(mut work: impl FnMut(usize)) -> f64 {
    (0..3)
        .map(|_| {
            let started = Instant::now();
            let mut rounds = 0;
            while started.elapsed() < Duration::from_secs(1) {
                for _ in 0..64 {
                    work(rounds);
                    rounds += 1;
                }
            }
            rounds as f64 / started.elapsed().as_secs_f64()
        })
        .fold(0.0, f64::max)
}

fn spammer() -> SigningKey {
    SigningKey::from_bytes(&[255; 32])
}

/// A statement about a package version, with a number, filled up to [`CLAIM_BYTES`].
fn statement(purl: &str, number: u64) -> Vec<u8> {
    let digest = Hash::of(purl.as_bytes());
    let head = format!(
        concat!(
            r#"{{"_type":"https://in-toto.io/Statement/v1","#,
            r#""subject":[{{"uri":"{purl}","digest":{{"purl":"{digest}"}}}}],"#,
            r#""predicateType":"https://in-toto.io/attestation/test-result/v0.1","#,
            r#""predicate":{{"result":"PASSED","#,
            r#""configuration":[{{"name":"ci.yml","digest":{{"gitCommit":"{number:040x}"}}}}],"#,
            r#""passedTests":["unit","property","vectors"],"failedTests":[],"url":""#
        ),
        purl = purl,
        digest = digest,
        number = number,
    );
    let tail = r#""}}"#;
    let fill = CLAIM_BYTES - head.len() - tail.len();
    format!("{head}{}{tail}", "x".repeat(fill)).into_bytes()
}

/// The next `count` claims.
pub fn take(next: &mut u64, count: u64) -> std::ops::Range<u64> {
    let start = *next;
    *next += count;
    start..*next
}
