//! A breach that was verified.

use super::broken::Broken;
use super::error::BreachError;
use super::judge::judge;
use super::text::{Body, Text};
use crate::limits;
use crate::misbehavior::culprit::Culprit;
use crate::misbehavior::error::MisbehaviorError;
use crate::misbehavior::judge::Head;
use assay_tlog::Hash;
use assay_tlog::cosigner::CosignerVerifier;
use assay_tlog::head::LogVerifier;
use assay_tlog::tree::TreeSize;

/// Which version of this code judges.
pub const VERIFIER: &str = concat!(env!("CARGO_PKG_NAME"), " ", env!("CARGO_PKG_VERSION"));

/// Whom the caller holds to the rules of Assay, and with which keys.
#[derive(Debug, Clone, Default)]
pub struct AssayKeys {
    /// The logs that the caller's policy calls Assay logs.
    pub logs: Vec<LogVerifier>,
    /// Those who cosign what they audited: keys of mirrors that only store are not among them.
    pub auditors: Vec<CosignerVerifier>,
}

/// That a log signed what breaks a rule, or that an auditor cosigned it. It was verified with keys
/// that the caller trusts.
///
/// It convicts nobody for good: whoever keeps it shows it with [`VerifiedBreach::verifier`], and
/// judges it again with a newer version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedBreach {
    kind: &'static str,
    culprit: Culprit,
    origin: String,
    size: TreeSize,
    broken: Broken,
    text: String,
}

impl VerifiedBreach {
    /// Verifies a text with keys that the caller trusts. Fails with [`BreachError`], of which none
    /// says that anybody is honest.
    pub fn verify(text: &[u8], keys: &AssayKeys) -> Result<Self, BreachError> {
        let read = Text::parse(text)?;
        let head = keys.head(&read)?;
        let accused = Accused {
            culprit: read.culprit,
            of_auditor: read.of_auditor,
            head,
        };
        let verified = accused.judge(read.body)?;
        if verified.text.as_bytes() == text {
            Ok(verified)
        } else {
            Err(MisbehaviorError::Encoding.into())
        }
    }

    /// What the text says that it is: `commitment`, `omission`, `surplus`, `entry` or `auditor`.
    pub fn kind(&self) -> &'static str {
        self.kind
    }

    /// Who did it: a log, or an auditor, which is a mirror.
    pub fn culprit(&self) -> &Culprit {
        &self.culprit
    }

    /// The log whose rule is broken.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The size of the head that the culprit signed.
    pub fn size(&self) -> TreeSize {
        self.size
    }

    /// The rule, and where it is broken.
    pub fn broken(&self) -> &Broken {
        &self.broken
    }

    /// Which version of this code judged: [`VERIFIER`].
    pub fn verifier(&self) -> &'static str {
        VERIFIER
    }

    /// The text, which anybody who has the culprit's keys can verify.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What names it: the SHA-256 of the text.
    pub fn id(&self) -> Hash {
        Hash::of(self.text.as_bytes())
    }
}

/// Who signed a head, and the head.
#[derive(Debug, Clone)]
pub(super) struct Accused {
    pub culprit: Culprit,
    pub of_auditor: bool,
    pub head: Head,
}

impl Accused {
    /// Returns what this content of the log shows.
    pub fn judge(&self, body: Body) -> Result<VerifiedBreach, BreachError> {
        let broken = judge(&self.head.checkpoint, &body)?;
        let text = Text {
            culprit: self.culprit.clone(),
            of_auditor: self.of_auditor,
            body,
            note: self.head.note.clone(),
        };
        let (kind, encoded) = (text.kind(), text.encode());
        if encoded.len() > limits::MISBEHAVIOR_BYTES {
            return Err(MisbehaviorError::TooLong(encoded.len()).into());
        }
        Ok(VerifiedBreach {
            kind,
            culprit: self.culprit.clone(),
            origin: self.head.checkpoint.origin.clone(),
            size: self.head.checkpoint.size,
            broken,
            text: encoded,
        })
    }
}

impl AssayKeys {
    fn log(&self, origin: &str) -> Result<&LogVerifier, BreachError> {
        let mut logs = self.logs.iter();
        let log = logs.find(|log| log.origin() == origin);
        log.ok_or_else(|| BreachError::NotAssay {
            origin: origin.to_owned(),
        })
    }

    /// The head that the culprit signed, of a log that the caller calls an Assay log.
    fn head(&self, text: &Text) -> Result<Head, BreachError> {
        match (&text.culprit, text.of_auditor) {
            (Culprit::Log(origin), false) => {
                let log = self.log(origin)?;
                Ok(Head::of_log(&log.verify(&text.note)?))
            }
            (Culprit::Mirror(name), true) => {
                let mut auditors = self.auditors.iter();
                let auditor = auditors.find(|auditor| auditor.name() == name);
                let Some(auditor) = auditor else {
                    return Err(MisbehaviorError::UnknownCulprit(text.culprit.clone()).into());
                };
                let head = auditor.verify(&text.note)?;
                self.log(&head.checkpoint().origin)?;
                Ok(Head::of_cosigner(&head))
            }
            _ => Err(BreachError::INNOCENT),
        }
    }
}
