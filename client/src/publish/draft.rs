//! A claim before it is signed: a statement that a log would take.

use assay_claims::claim::{self, SigningKey};
use assay_claims::entry::wire;
use assay_claims::issuer::IssuerId;
use assay_claims::kind::{Body, PredicateError};
use assay_claims::limits;
use assay_claims::statement::{Statement, StatementError};

/// Why a statement is not one that a log would take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// The statement is malformed.
    #[error("it cannot be made into a claim: {0}")]
    Statement(#[from] StatementError),
    /// The predicate is not what its type asks for.
    #[error("it cannot be made into a claim: {0}")]
    Predicate(#[from] PredicateError),
    /// The payload has more bytes than [`limits::PAYLOAD_BYTES`].
    #[error(
        "the claim would have {0} bytes, and a log takes at most {max}",
        max = limits::PAYLOAD_BYTES
    )]
    TooLong(usize),
}

/// A claim that is ready to be signed. Only [`Draft::new`] makes one.
#[derive(Debug, Clone)]
pub struct Draft {
    statement: Statement,
    body: Body,
    payload: String,
}

impl Draft {
    /// Checks a statement as a node does on admission, except for who signs it.
    ///
    /// # Errors
    ///
    /// [`DraftError::Predicate`] if the predicate is not what its type asks for, and
    /// [`DraftError::TooLong`] if the payload is too long.
    pub fn new(statement: Statement) -> Result<Self, DraftError> {
        let body = Body::of(&statement)?;
        let payload = statement.to_json();
        if payload.len() > limits::PAYLOAD_BYTES {
            return Err(DraftError::TooLong(payload.len()));
        }
        Ok(Draft {
            statement,
            body,
            payload,
        })
    }

    /// The statement.
    pub fn statement(&self) -> &Statement {
        &self.statement
    }

    /// What its predicate says.
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The JSON text that is signed.
    pub fn payload(&self) -> &str {
        &self.payload
    }

    /// Signs the claim, each key for its issuer.
    pub fn sign(&self, signers: &[(IssuerId, &SigningKey)]) -> wire::Claim {
        claim::sign(self.payload.as_bytes(), signers)
    }

    /// Its text alone, where many are held.
    pub fn into_text(self) -> DraftText {
        DraftText(self.payload.into())
    }
}

/// The text of a claim that is ready to be signed. Only [`Draft::into_text`] makes one.
#[derive(Debug, Clone)]
pub struct DraftText(Box<str>);

impl DraftText {
    /// The JSON text that is signed.
    pub fn payload(&self) -> &str {
        &self.0
    }

    /// Signs the claim, each key for its issuer.
    pub fn sign(&self, signers: &[(IssuerId, &SigningKey)]) -> wire::Claim {
        claim::sign(self.0.as_bytes(), signers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use assay_claims::claim::ClaimId;
    use assay_claims::kind::response::Response;

    fn draft(stance: &str, text: String) -> Result<Draft, DraftError> {
        let target = ClaimId::from_hex(&"ab".repeat(32)).unwrap();
        let response = Response {
            target,
            stance: stance.into(),
            text,
        };
        Draft::new(response.statement()?)
    }

    #[test]
    fn a_draft_is_what_a_log_would_take() {
        let good = draft("dispute", "x".into()).unwrap();
        assert!(matches!(good.body(), Body::Response(_)));
        let wrong = draft("agree", "x".into()).unwrap_err();
        assert!(wrong.to_string().contains("$.predicate.stance"), "{wrong}");
    }

    #[test]
    fn the_limit_of_the_payload_is_exact() {
        let frame = draft("dispute", "x".into()).unwrap().payload().len() - 1;
        let most = limits::PAYLOAD_BYTES - frame;
        // The text itself may have a limit below that of the payload.
        match draft("dispute", "x".repeat(most)) {
            Ok(fits) => {
                assert_eq!(fits.payload().len(), limits::PAYLOAD_BYTES);
                let over = draft("dispute", "x".repeat(most + 1)).unwrap_err();
                assert_eq!(over, DraftError::TooLong(limits::PAYLOAD_BYTES + 1));
            }
            Err(error) => assert!(matches!(error, DraftError::Predicate(_)), "{error}"),
        }
    }
}
