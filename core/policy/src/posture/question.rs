//! What people ask about software.

use assay_claims::kind::{Body, Unread};

/// What people ask about software.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Question {
    /// Is it what it says that it is?
    Authentic,
    /// Until when is it supported?
    Supported,
    /// Which vulnerabilities are known, and can they be exploited?
    Vulnerable,
    /// Who has reviewed it?
    Reviewed,
    /// How was it built, and of what?
    Built,
    /// How is it made, and what does it do with data?
    Practices,
    /// What is demanded of it?
    Demanded,
    /// What else is said?
    Other,
    /// Who disagrees, or took something back?
    Disagreement,
    /// Who vouches for those who say this, and who warns of their keys?
    Vouched,
}

impl Question {
    /// All questions, in the order in which they are answered.
    pub const ALL: [Question; 10] = [
        Question::Authentic,
        Question::Supported,
        Question::Vulnerable,
        Question::Reviewed,
        Question::Built,
        Question::Practices,
        Question::Demanded,
        Question::Other,
        Question::Disagreement,
        Question::Vouched,
    ];

    /// The question in one word, for programs.
    pub const fn name(self) -> &'static str {
        match self {
            Question::Authentic => "authentic",
            Question::Supported => "supported",
            Question::Vulnerable => "vulnerable",
            Question::Reviewed => "reviewed",
            Question::Built => "built",
            Question::Practices => "practices",
            Question::Demanded => "demanded",
            Question::Other => "other",
            Question::Disagreement => "disagreement",
            Question::Vouched => "vouched",
        }
    }

    pub(super) fn of(body: &Body) -> Self {
        match body {
            Body::Lifecycle(_) | Body::RegistryStatus(_) => Question::Supported,
            Body::Scan(_) | Body::Vex(_) => Question::Vulnerable,
            Body::Audit(_) => Question::Reviewed,
            Body::Provenance(_) | Body::Sbom(_) => Question::Built,
            Body::Practice(_) | Body::Scorecard(_) => Question::Practices,
            Body::Requirement(_) => Question::Demanded,
            Body::Endorsement(_) | Body::KeyCompromise(_) => Question::Vouched,
            Body::Response(_) | Body::Withdrawal(_) => Question::Disagreement,
            Body::Other(Unread::Authenticity | Unread::Release) => Question::Authentic,
            // Findings have shown under "What else is said?" so far.
            Body::Issuer(_) | Body::Reference(_) | Body::Other(_) => Question::Other,
        }
    }
}
