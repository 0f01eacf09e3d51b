//! Which step of verifying failed.

use crate::exit::Failure;
use assay_client::plain;
use sigstore_verify::{CertificateError, Error, TransparencyLogError, bundle};
use std::fmt::Display;

/// A step of verifying an attestation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// It is not what its format asks for.
    Form,
    /// The trusted root or a key cannot be used.
    Root,
    /// Who signed, and who vouches for it.
    Certificate,
    /// The log that has the certificate.
    CertificateLog,
    /// When it was signed.
    Time,
    /// The entry in the log of signatures.
    Entry,
    /// The proof that the log has the entry.
    Proof,
    /// The head of the log that the proof leads to.
    Checkpoint,
    /// The log's promise to take the entry.
    Promise,
    /// The signature of what was signed.
    Signature,
    /// What was signed is what was named.
    Subject,
    /// Who signed is who it is said to be.
    Signer,
}

impl Step {
    fn words(self) -> &'static str {
        match self {
            Step::Form => "form",
            Step::Root => "trusted root",
            Step::Certificate => "certificate",
            Step::CertificateLog => "certificate's log (SCT)",
            Step::Time => "time of signing",
            Step::Entry => "log entry",
            Step::Proof => "proof of the log entry",
            Step::Checkpoint => "checkpoint of the log",
            Step::Promise => "promise of the log (SET)",
            Step::Signature => "signature",
            Step::Subject => "subject",
            Step::Signer => "publisher",
        }
    }
}

/// A step that failed, and why.
#[derive(Debug)]
pub struct Refused {
    step: Step,
    reason: String,
}

impl Refused {
    pub fn new(step: Step, reason: impl Display) -> Self {
        Refused {
            step,
            reason: reason.to_string(),
        }
    }

    /// Where it is, which step failed, and why. It is text of others.
    pub fn words(&self, place: &str) -> String {
        let (step, reason) = (self.step.words(), &self.reason);
        format!("{place}: failed to verify its {step}: {reason}")
    }

    /// The failure of the command: `place` is that of the attestation. What is malformed is the
    /// caller's fault; what is well-formed and does not verify is a check that failed.
    pub fn into_failure(self, place: &str) -> Failure {
        let text = plain(&self.words(place));
        match self.step {
            Step::Form | Step::Root => Failure::Usage(text),
            _ => Failure::Failed(text),
        }
    }
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        let step = match &error {
            Error::SignatureInvalid(_) | Error::Crypto(_) => Step::Signature,
            Error::ArtifactMismatch(_) => Step::Subject,
            Error::Certificate(CertificateError::Sct(_)) => Step::CertificateLog,
            Error::Certificate(_)
            | Error::IdentityMismatch { .. }
            | Error::IssuerMismatch { .. } => Step::Certificate,
            Error::TransparencyLog(error) => of_log(error),
            Error::Timestamp(_) => Step::Time,
            Error::InvalidTrustRoot(_) | Error::TrustRoot(_) | Error::TrustedCertificate(_) => {
                Step::Root
            }
            Error::Bundle(bundle::Error::LogIndexOutOfRange { .. }) => Step::Proof,
            Error::Bundle(bundle::Error::CheckpointRootMismatch) => Step::Checkpoint,
            _ => Step::Form,
        };
        Refused::new(step, words(&error))
    }
}

/// Reasons of the verifier that are not for people, and what they mean.
const MEANT: [(&str, &str); 7] = [
    ("CertExpired", "it was over when it was signed with"),
    (
        "CertNotValidYet",
        "it had not begun when it was signed with",
    ),
    ("UnknownIssuer", "no authority of the trusted root made it"),
    (
        "InvalidSignatureForPublicKey",
        "no authority of the trusted root made it",
    ),
    (
        "enum VerificationMaterialContent",
        "it has neither certificate nor key",
    ),
    ("enum SignatureContent", "it has no signature"),
    (
        "expected struct",
        "something else stands where its format has an object",
    ),
];

/// Which parts of the verifier a reason came through.
const THROUGH: [&str; 5] = [
    "Types error: ",
    "Crypto error: ",
    "Bundle error: ",
    "JSON error: ",
    "failed to parse JSON: ",
];

/// Why, for people. Nothing but words follows from the text.
pub fn words(error: &impl Display) -> String {
    let text = error.to_string();
    let mut meant = MEANT.iter();
    if let Some((_, words)) = meant.find(|(said, _)| text.contains(said)) {
        return (*words).to_owned();
    }
    let mut rest = text.as_str();
    while let Some(inner) = THROUGH.iter().find_map(|part| rest.strip_prefix(part)) {
        rest = inner;
    }
    // A place in what was read is none in the person's file.
    let end = rest.rfind(" at line ").unwrap_or(rest.len());
    rest[..end].trim_end_matches('.').to_owned()
}

fn of_log(error: &TransparencyLogError) -> Step {
    match error {
        TransparencyLogError::InclusionProof(_) => Step::Proof,
        TransparencyLogError::Checkpoint(_) => Step::Checkpoint,
        TransparencyLogError::InclusionPromise(_) => Step::Promise,
        TransparencyLogError::IntegratedTime(_) => Step::Time,
        _ => Step::Entry,
    }
}
