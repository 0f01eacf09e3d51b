//! Whether a head has its quorum, and how old it is.
//!
//! The entries of a log of ours say when it was last written to. A log without Assay entries says
//! nothing of that: its head is as old as the quorum's time, or else as nothing larger was shown
//! here.

use super::alert::Kind;
use super::log::{LogMonitor, Seen};
use crate::times::can_be_under;
use crate::{ClientError, HeadTimes, one_line};
use assay_claims::time::rfc3339_of_ms;
use assay_tlog::checkpoint::VerifiedCheckpoint;

/// What is told of these is over when a head is as it should be, whatever else was noticed.
const HEAD: &str = "head";

impl LogMonitor {
    /// The quorum of a head, of witnesses that are not convicted, and its times. `committed_at_ms`
    /// is that of the last leaf, by the log's own clock, if it has one.
    pub(super) fn look_at_head(
        &mut self,
        head: &VerifiedCheckpoint,
        committed_at_ms: Option<u64>,
        now_ms: u64,
        seen: &mut Seen,
    ) {
        let quorum_at_ms = self.look_at_quorum(head, now_ms);
        let fresh_at_ms = match committed_at_ms {
            Some(committed_at_ms) => {
                let times = HeadTimes {
                    committed_at_ms,
                    quorum_at_ms,
                };
                self.look_at_clocks(Some(times), quorum_at_ms, now_ms);
                times.fresh_at_ms()
            }
            None => {
                self.look_at_clocks(None, quorum_at_ms, now_ms);
                quorum_at_ms.unwrap_or_else(|| self.same_since_ms(head, now_ms))
            }
        };
        seen.fresh_at_ms = Some(fresh_at_ms);
        let age_ms = now_ms.saturating_sub(fresh_at_ms);
        if age_ms > self.settings.policy.max_head_age_ms(self.origin()) {
            let (size, minutes) = (head.size(), age_ms / 60_000);
            let how = if committed_at_ms.is_some() || quorum_at_ms.is_some() {
                format!("its head of size {size} is {minutes} minutes old")
            } else {
                format!("for {minutes} minutes it has shown nothing beyond its head of size {size}")
            };
            let now = rfc3339_of_ms(now_ms);
            let words = format!(
                "{how}: what came since may be withheld, or the clock of this machine is wrong (it \
                 shows {now})"
            );
            self.goes_on(HEAD, Kind::Frozen, now_ms, words);
        } else {
            self.over(HEAD, Kind::Frozen, now_ms);
        }
    }

    /// When a quorum had cosigned the head, if the policy asks for one.
    fn look_at_quorum(&mut self, head: &VerifiedCheckpoint, now_ms: u64) -> Option<u64> {
        let tlog = self.settings.policy.tlog();
        let tlog = tlog.filter(|tlog| tlog.quorum_size().is_some());
        let tlog = tlog.map(|tlog| tlog.with_log(&self.watched.log.key));
        let tlog = tlog.map(|tlog| self.convictions.apply(&tlog));
        match tlog.map(|tlog| tlog.verify(head.note())) {
            Some(Err(error)) => {
                let words = one_line(&error);
                self.goes_on(HEAD, Kind::NoQuorum, now_ms, words);
                None
            }
            None => {
                self.over(HEAD, Kind::NoQuorum, now_ms);
                None
            }
            Some(Ok(quorum)) => {
                self.over(HEAD, Kind::NoQuorum, now_ms);
                quorum.cosigned_at().map(|at| at.saturating_mul(1000))
            }
        }
    }

    fn look_at_clocks(&mut self, times: Option<HeadTimes>, quorum_at_ms: Option<u64>, now_ms: u64) {
        let in_future = quorum_at_ms.is_some_and(|quorum| !can_be_under(quorum, now_ms));
        match times.map_or(Ok(()), |times| times.check_now(now_ms)) {
            Err(error) => self.goes_on(HEAD, Kind::Clock, now_ms, one_line(&error)),
            Ok(()) if in_future => {
                let words = "the witnesses' cosignatures are dated in the future; check the clock \
                             of this machine";
                self.goes_on(HEAD, Kind::Clock, now_ms, words.into());
            }
            Ok(()) => self.over(HEAD, Kind::Clock, now_ms),
        }
    }

    /// Whether the log has gone back behind the last head that was seen, which some servers of it
    /// may do for a while. Fails if that one cannot be read.
    pub(super) fn look_back(
        &mut self,
        head: &VerifiedCheckpoint,
        now_ms: u64,
    ) -> Result<(), ClientError> {
        let heads = self.heads();
        let url = self.url.clone();
        let known = heads.load()?.filter(|known| known.size() > head.size());
        let Some(known) = known else {
            self.state.kept.ahead_since_ms.remove(&url);
            self.over(&url, Kind::Frozen, now_ms);
            return Ok(());
        };
        let since_ms = self.state.kept.ahead_since_ms.entry(url.clone());
        let since_ms = *since_ms.or_insert(now_ms);
        if now_ms.saturating_sub(since_ms) >= self.settings.silence_ms {
            let words = format!(
                "its head of size {} is an older one than was seen before, of size {}: what came \
                 since is withheld, or the log was put back",
                head.size(),
                known.size()
            );
            self.goes_on(&url, Kind::Frozen, now_ms, words);
        }
        Ok(())
    }

    /// Since when no larger head than this one was shown.
    fn same_since_ms(&mut self, head: &VerifiedCheckpoint, now_ms: u64) -> u64 {
        let size = head.size().get();
        let kept = &mut self.state.kept.same_since_ms;
        let (largest, since_ms) = kept
            .filter(|(largest, _)| *largest >= size)
            .unwrap_or((size, now_ms));
        *kept = Some((largest, since_ms));
        since_ms
    }
}
