//! What it takes to rely on news of a log, and to say what new claims are worth.

use super::asker::Asker;
use super::confirmed::{Unconfirmed, confirmed};
use super::error::AskError;
use super::topdown::{judge, signers_of};
use crate::{ClientError, Fresh, News, plain};
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;
use assay_policy::verdict::{Answer, Known};
use assay_tlog::note::VerifierKey;

impl Asker {
    /// Makes sure that as many witnesses as the policy asks for confirm what is new of the log with
    /// this key, and that the times of its heads fit. Witnesses may come later, so that it fails
    /// with [`ClientError::Unavailable`] while they have not.
    pub async fn check_witnesses(&self, log: &VerifierKey, news: &News) -> Result<(), ClientError> {
        let tlog = self.tlog().await;
        match confirmed(tlog.as_ref(), log, &news.heads) {
            Ok(_) => Ok(()),
            Err(Unconfirmed { checkpoint, error }) => Err(ClientError::Unavailable {
                what: format!(
                    "its head of {} entries cannot be relied on",
                    checkpoint.size()
                ),
                retry_after: None,
                source: Some(error.into()),
            }),
        }
    }

    /// The new claims of one log, with what it takes to say what they are worth: whom the policy
    /// trusts, the records of those who signed them, and what these and the trusted ones say of the
    /// claims.
    ///
    /// Fails as [`Asker::ask`] does, and with [`AskError::Unanswered`] if a log does not answer or
    /// its answer is lacking: a withdrawal could be in what is missing.
    pub async fn with_context(&self, news: &[Fresh]) -> Result<Vec<LoggedClaim>, AskError> {
        let mut new: Vec<LoggedClaim> = Vec::new();
        new.extend(
            news.iter()
                .filter_map(|fresh| fresh.claim.as_ref().ok())
                .cloned(),
        );
        let mut tries = self.tries();
        let (panel, limits) = loop {
            let mut panel = tries.panel();
            let limits = judge(&mut panel, self.policy(), self.now_ms(), new.clone()).await;
            if tries.are_over(&mut panel).await {
                break (panel, limits);
            }
        };
        let asked = self.answers(panel).await?;
        let mut known: Vec<LoggedClaim> = asked.claims().cloned().collect();
        known.extend(new);
        let signers: Vec<IssuerId> = signers_of(&known).collect();
        let judged = Known::judge(self.policy(), &known, self.now_ms());
        let judged = judged.within(&limits).without(asked.overlong());
        if !judged.is_whole(&signers) {
            return Err(AskError::Unanswered(
                "more is said about the news, or by those whom the policy listens to, than is \
                 listened to"
                    .into(),
            ));
        }
        for log in &asked.logs {
            if let Answer::Partial { missing: why, .. } | Answer::None { why } = &log.answer {
                let why = format!("{}: {why}", log.origin());
                return Err(AskError::Unanswered(plain(&why)));
            }
        }
        Ok(known)
    }
}
