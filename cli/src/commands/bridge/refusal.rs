//! What a node says of a claim that it does not take.

use assay_client::Refused;
use tonic::Code;

/// Whether a refusal says that the claim is not in the log: it is about the claim, its signers or a
/// limit. With the others a node says that it cannot tell, as where it cannot read the leaf that
/// the claim has, or that the log has it.
pub(super) fn is_not_logged(refusal: &Refused) -> bool {
    matches!(
        refusal.code,
        Code::InvalidArgument
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::FailedPrecondition
            | Code::ResourceExhausted
    )
}

/// Whether the claim may be taken a little later.
pub(super) fn is_busy(refusal: &Refused) -> bool {
    matches!(refusal.code, Code::ResourceExhausted | Code::Unavailable)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A claim that is held for not logged is published again, and never withdrawn.
    #[test]
    fn only_what_is_about_the_claim_says_that_it_is_not_logged() {
        for (code, not_logged, busy) in [
            (Code::InvalidArgument, true, false),
            (Code::PermissionDenied, true, false),
            (Code::Unauthenticated, true, false),
            (Code::FailedPrecondition, true, false),
            (Code::ResourceExhausted, true, true),
            (Code::Unavailable, false, true),
            (Code::AlreadyExists, false, false),
            (Code::DataLoss, false, false),
            (Code::DeadlineExceeded, false, false),
            (Code::Internal, false, false),
            (Code::NotFound, false, false),
            (Code::Unknown, false, false),
        ] {
            let refusal = Refused {
                code,
                message: String::new(),
            };
            let found = (is_not_logged(&refusal), is_busy(&refusal));
            assert_eq!(found, (not_logged, busy), "{code:?}");
        }
    }
}
