//! What it takes to rely on news of a log, and to say what new claims are worth.

use super::asker::{Asked, Asker};
use super::confirmed::{Unconfirmed, confirmed};
use super::error::AskError;
use super::state::LogState;
use super::topdown::{judge, of_issuer, signers_of};
use crate::{ClientError, Fresh, Head};
use assay_claims::index::{By, Kind, Name};
use assay_claims::issuer::IssuerId;
use assay_claims::logged::LoggedClaim;
use assay_policy::trust::{Limit, Speakers};
use assay_policy::verdict::{Answer, Known, Overlong};
use assay_tlog::note::VerifierKey;
use assay_tlog::tree::LeafIndex;
use std::collections::BTreeSet;

/// What it takes to say what new claims of a log are worth.
#[derive(Debug, Default)]
pub struct Context {
    /// The claims themselves, and what bears on them, of all logs of the policy.
    pub known: Vec<LoggedClaim>,
    /// The places of those of which not all was heard that can count.
    bounded: BTreeSet<LeafIndex>,
}

impl Context {
    /// Whether all was heard of a new claim that can count: what those whom the policy listens to
    /// and who signed it said of it, and by which keys.
    pub fn is_whole(&self, new: &LoggedClaim) -> bool {
        !self.bounded.contains(&new.leaf())
    }
}

impl Asker {
    /// Makes sure that the log with this key is not convicted, that as many witnesses as the policy
    /// asks for confirm these heads of it, and that the times of each fit. Returns since when all
    /// of them are fresh, in milliseconds since 1970, if there are any.
    ///
    /// Fails with [`AskError::Convicted`], or with [`AskError::Lacking`] while too few witnesses
    /// confirm: they may come later.
    pub async fn check_heads(
        &self,
        log: &VerifierKey,
        heads: &[Head],
    ) -> Result<Option<u64>, AskError> {
        let origin = log.name().to_owned();
        let convicted = self.convicted().await?;
        if let Some(why) = convicted.and_then(|convicted| convicted.of_log(&origin)) {
            return Err(AskError::Convicted { origin, why });
        }
        let tlog = self.tlog().await?;
        match confirmed(tlog.as_ref(), log, heads) {
            Ok(confirmed) => Ok((!heads.is_empty()).then_some(confirmed.fresh_at_ms)),
            Err(Unconfirmed { checkpoint, error }) => Err(AskError::Lacking {
                origin,
                why: format!(
                    "its head of {} entries cannot be relied on: {error}",
                    checkpoint.size()
                ),
            }),
        }
    }

    /// The new claims of the log with this key, with what it takes to say what they are worth: whom
    /// the policy trusts, the records of those who signed them, and what these and the trusted ones
    /// say of the claims, in all logs of the policy. Who says too much makes nothing longer, and
    /// nothing fail: [`Context::is_whole`] tells of which claims not all was heard.
    ///
    /// Fails as [`Asker::ask`] does; with [`AskError::Convicted`]; and with [`AskError::Lacking`]
    /// if a log that the policy cannot do without does not answer, its answer is lacking, or, but
    /// for the log of the news, its head is older than the policy allows: a withdrawal could be in
    /// what is missing.
    pub async fn with_context(
        &self,
        log: &VerifierKey,
        news: &[Fresh],
    ) -> Result<Context, AskError> {
        let claims = news.iter().filter_map(|fresh| fresh.claim.as_ref().ok());
        let new: Vec<LoggedClaim> = claims.cloned().collect();
        let mut tries = self.tries();
        let (panel, speakers) = loop {
            let mut panel = tries.panel();
            let speakers = judge(&mut panel, self.policy(), self.now_ms(), new.clone()).await;
            if tries.are_over(&mut panel).await {
                break (panel, speakers);
            }
        };
        let asked = self.answers(panel).await?;
        self.check_answers(log, &asked)?;
        let mut known: Vec<LoggedClaim> = asked.claims().cloned().collect();
        known.extend(new.iter().cloned());
        let overlong: Vec<Overlong> = asked.overlong().collect();
        let bounded = self.bounded(&new, &known, &speakers, &overlong);
        Ok(Context { known, bounded })
    }

    /// Makes sure that every log answered in full that the policy needs.
    fn check_answers(&self, log: &VerifierKey, asked: &Asked) -> Result<(), AskError> {
        let mut lacking = Vec::new();
        let mut good = BTreeSet::new();
        for one in &asked.logs {
            let origin = one.origin();
            match (&one.answer, one.state) {
                (Answer::None { why }, LogState::Convicted) => {
                    return Err(AskError::Convicted {
                        origin: origin.to_owned(),
                        why: why.clone(),
                    });
                }
                (Answer::None { why }, LogState::UnsupportedMapping) => {
                    return Err(AskError::OfLog {
                        origin: origin.to_owned(),
                        source: ClientError::Unsupported(why.clone()),
                    });
                }
                (Answer::Partial { missing: why, .. } | Answer::None { why }, _) => {
                    lacking.push((origin, why.clone()));
                }
                (Answer::Complete { head_at_ms }, _) => {
                    let age_ms = self.now_ms().saturating_sub(*head_at_ms);
                    let is_old = age_ms > self.policy().max_head_age_ms(origin);
                    if is_old && origin != log.name() {
                        let why = format!("its head is {} minutes old", age_ms / 60_000);
                        lacking.push((origin, why));
                    } else {
                        good.insert(origin);
                    }
                }
            }
        }
        lacking
            .retain(|(origin, _)| *origin == log.name() || !self.policy().can_lack(origin, &good));
        match lacking.into_iter().next() {
            None => Ok(()),
            Some((origin, why)) => Err(AskError::Lacking {
                origin: origin.to_owned(),
                why,
            }),
        }
    }

    /// The new claims of which not all was heard that can count. A list of somebody whom the policy
    /// does not listen to concerns what that one signed, and nothing else.
    fn bounded(
        &self,
        new: &[LoggedClaim],
        known: &[LoggedClaim],
        speakers: &Speakers,
        overlong: &[Overlong],
    ) -> BTreeSet<LeafIndex> {
        let is_whole = |signers: &[IssuerId], limits: &[Limit], overlong: Vec<Overlong>| {
            let judged = Known::judge(self.policy(), known, self.now_ms());
            judged.within(limits).without(overlong).is_whole(signers)
        };
        let mut bounded = BTreeSet::new();
        // What holds for all of them, so that it is not judged for each.
        if overlong.is_empty() && is_whole(&[], speakers.limits(), Vec::new()) {
            return bounded;
        }
        let trusted: Vec<IssuerId> = speakers.issuers().copied().collect();
        for one in new {
            let mut heard = trusted.clone();
            heard.extend(signers_of(std::slice::from_ref(one)));
            let concerning = overlong.iter().filter(|list| concerns(list, one, &heard));
            let concerning: Vec<Overlong> = concerning.cloned().collect();
            if !is_whole(&heard, speakers.limits(), concerning) {
                bounded.insert(one.leaf());
            }
        }
        bounded
    }
}

/// Whether a list can bear on a new claim, of which `heard` are listened to: what they say of it or
/// of a claim of theirs, and what they sign.
fn concerns(list: &Overlong, new: &LoggedClaim, heard: &[IssuerId]) -> bool {
    let (name, by) = (list.label.name(), list.label.by());
    let of_one = |issuer: &IssuerId| by == By::issuer(issuer) || name == of_issuer(issuer);
    let of_new = name == Name::new(Kind::Claim, &new.claim().id().to_hex());
    if of_new {
        heard.iter().any(|issuer| by == By::issuer(issuer))
    } else {
        heard.iter().any(of_one)
    }
}
