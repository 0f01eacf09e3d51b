//! Refusals and failures as gRPC statuses, with the `google.rpc` details that programs act on.

use crate::{
    admission::Refusal,
    endorsed::Unendorsed,
    held::NoRoom,
    records::RecordError,
    view::{Unpublished, ViewError},
};
use assay_claims::issuer::AuthorizeError;
use assay_claims::sequencer::Refused;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// What callers are told who were not answered in the time of a call.
pub const LATE: &str = "the node took too long; try again";

/// Domain of the reasons in `google.rpc.ErrorInfo`.
const DOMAIN: &str = "assay.v1";

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let message = refusal.to_string();
        match refusal {
            Refusal::Claim(_) | Refusal::Mapping(_) | Refusal::Sequenced(Refused::Entry(_)) => {
                invalid("claim", message)
            }
            // Not PERMISSION_DENIED, which says that the keys may not sign.
            Refusal::Uninvited(_) => because(Code::Unauthenticated, "INVITATION", message),
            Refusal::Issuer(error) => issuer(&error, message),
            Refusal::Unendorsed(Unendorsed::Store(error)) => store(&error),
            Refusal::Unendorsed(_) => denied("ENDORSEMENT", message),
            Refusal::Sequenced(Refused::IssuerMoved { .. }) => denied("ISSUER_MOVED", message),
            Refusal::Sequenced(Refused::InvitationUsed) => {
                because(Code::Unauthenticated, "INVITATION", message)
            }
            Refusal::Sequenced(Refused::NothingNew { .. }) => Status::already_exists(message),
            Refusal::Busy { retry_s, .. } => busy(message, retry_s),
            Refusal::Halted(_) => because(Code::Unavailable, "NODE_HALTED", message),
            Refusal::Leaving => because(Code::Unavailable, "NODE_STOPPING", message),
            Refusal::Store(error) => store(&error),
        }
    }
}

impl From<ViewError> for Status {
    fn from(error: ViewError) -> Self {
        let message = error.to_string();
        match error {
            ViewError::Beyond { .. } => Status::out_of_range(message),
            ViewError::Invalid(_) => Status::invalid_argument(message),
            ViewError::Record(error) => store(&error),
            ViewError::Unpublished(error) => error.into(),
        }
    }
}

impl From<Unpublished> for Status {
    fn from(error: Unpublished) -> Self {
        because(Code::Unavailable, "UNPUBLISHED", error.to_string())
    }
}

impl From<NoRoom> for Status {
    fn from(no_room: NoRoom) -> Self {
        metrics::counter!("assay_refused_total", "limit" => "memory").increment(1);
        busy(no_room.to_string(), 5)
    }
}

/// `INVALID_ARGUMENT` for the field named `field`.
pub fn invalid(field: &str, message: String) -> Status {
    let details = ErrorDetails::with_bad_request_violation(field, &message);
    Status::with_error_details(Code::InvalidArgument, message, details)
}

fn issuer(error: &AuthorizeError, message: String) -> Status {
    if error.is_denied() {
        denied("ISSUER", message)
    } else if error.is_outdated() {
        Status::failed_precondition(message)
    } else {
        invalid("claim.payload", message)
    }
}

fn denied(reason: &str, message: String) -> Status {
    because(Code::PermissionDenied, reason, message)
}

/// A status with a reason for programs.
fn because(code: Code, reason: &str, message: String) -> Status {
    let details = ErrorDetails::with_error_info(reason, DOMAIN, []);
    Status::with_error_details(code, message, details)
}

/// `RESOURCE_EXHAUSTED`, with the time after which to try again.
pub fn busy(message: String, retry_s: u64) -> Status {
    let details = ErrorDetails::with_retry_info(Some(Duration::from_secs(retry_s)));
    Status::with_error_details(Code::ResourceExhausted, message, details)
}

/// `INTERNAL` for a failure of the store. The details go to the node's trace and not to the caller.
pub fn store(error: &RecordError) -> Status {
    tracing::error!(%error, "a read failed");
    Status::internal(
        "this node cannot read its own store; its operator was told. Try another node or a mirror",
    )
}
