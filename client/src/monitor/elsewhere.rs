//! What others have of a log: its node's proofs of misbehavior, heads that witnesses and mirrors of
//! the policy show, and what auditors found.
//!
//! | whose | what |
//! | --- | --- |
//! | the log's node | `FederationService.ListMisbehavior` |
//! | a witness's | `GET <url>/witness/<digest>/checkpoint` |
//! | a mirror's | `checkpoint` below `<url>/mirror/<digest>`, and so `audit/checkpoint` |
//! | an auditor's, which is a mirror | `audit/breach` and `audit/dispute` there |
//!
//! Nobody is believed. A head counts that the log signed; it must go with the last head that was
//! seen, and the log's node is asked to link the two. Two that cannot both be true are kept, and
//! convict. A proof counts that the policy's keys verify, and a dispute that an auditor of the
//! policy signed. Whoever does not answer, or has nothing, says nothing: silence blames nobody.

use super::alert::{Alert, Kind};
use super::log::{LogMonitor, MonitorError};
use super::source::Source;
use crate::heads::{Relation, relate};
use crate::http::{bad_pem, builder, get};
use crate::misbehavior::{self, Which};
use crate::{ClientError, Misbehavior, MisbehaviorKind, copy_url, one_line, plain};
use assay_claims::limits::MISBEHAVIOR_BYTES;
use assay_claims::misbehavior::{Rewrite, VerifiedMisbehavior, VerifiedText};
use assay_tlog::Hash;
use assay_tlog::checkpoint::{CheckpointError, VerifiedCheckpoint};
use assay_tlog::head::{DISPUTED_INDEX, LogVerifier};
use assay_tlog::note::{Note, VerifierKey};
use assay_tlog::tlog_policy::TlogPolicy;
use assay_tlog::tree::split_hashes;
use futures::future::join_all;
use std::{collections::BTreeSet, time::Duration};

/// How long each of the others has.
const PATIENCE: Duration = Duration::from_secs(10);

/// Most witnesses and mirrors that are asked.
const OTHERS: usize = 64;

/// Most culprits that a node is asked about at once.
const CULPRITS: usize = 64;

/// What somebody is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Head,
    Breach,
    Dispute,
}

/// What somebody else showed, unverified.
#[derive(Debug)]
struct Shown {
    who: String,
    /// Where: what one place shows does not end what another showed.
    url: String,
    what: What,
    text: String,
}

impl LogMonitor {
    /// Asks the log's node what it keeps about those whom the policy names, and the witnesses and
    /// mirrors what they have of this log. `source` is the log, if it answers.
    ///
    /// Fails if this machine cannot read or keep something, and never because of what is said.
    pub(super) async fn ask_others(
        &mut self,
        source: Option<&Source>,
        now_ms: u64,
    ) -> Result<(), MonitorError> {
        if let Some(Source::Node(_)) = source {
            self.ask_of_misbehavior(now_ms).await;
        }
        let http = builder(&self.settings.tls)?.timeout(PATIENCE).build();
        let http = http.map_err(bad_pem)?;
        let asked = self.places().into_iter().map(|(who, what, url)| {
            let http = &http;
            async move {
                let bytes = get(http, &url, MISBEHAVIOR_BYTES).await.ok()??;
                let text = String::from_utf8(bytes).ok()?;
                Some(Shown {
                    who,
                    url,
                    what,
                    text,
                })
            }
        });
        self.forget_places(now_ms);
        for shown in join_all(asked).await.into_iter().flatten() {
            match shown.what {
                What::Head => self.compare(source, &shown, now_ms).await?,
                What::Breach => self.proven(shown.text.as_bytes(), now_ms, &shown.who),
                What::Dispute => self.disputed(&shown, now_ms),
            }
        }
        Ok(())
    }

    /// Who has what of this log, and where.
    fn places(&self) -> Vec<(String, What, String)> {
        let origin = self.origin();
        let digest = Hash::of(origin.as_bytes()).to_hex();
        let mut places = Vec::new();
        for mirror in self.watched.log.mirrors.iter().take(OTHERS) {
            let (who, copy) = (format!("the mirror {mirror}"), copy_url(mirror, origin));
            for (what, below) in [
                (What::Head, "checkpoint"),
                (What::Head, "audit/checkpoint"),
                (What::Breach, "audit/breach"),
                (What::Dispute, "audit/dispute"),
            ] {
                places.push((who.clone(), what, format!("{copy}/{below}")));
            }
        }
        let tlog = self.settings.policy.tlog().into_iter();
        let mut asked: Vec<&str> = Vec::new();
        for witness in tlog.flat_map(TlogPolicy::witnesses) {
            let Some(url) = witness.url.as_deref() else {
                continue;
            };
            // Both keys of a witness have one address.
            if asked.contains(&url) || asked.len() == OTHERS {
                continue;
            }
            asked.push(url);
            let at = format!("{}/witness/{digest}/checkpoint", url.trim_end_matches('/'));
            places.push((
                format!("the witness {}", witness.key.name()),
                What::Head,
                at,
            ));
        }
        places
    }

    /// Ends what was found of a witness or mirror that is asked no more.
    fn forget_places(&mut self, now_ms: u64) {
        let asked = self.places().into_iter().map(|(_, _, url)| url);
        let asked: BTreeSet<String> = asked.chain([self.url.clone()]).collect();
        let standing = self.state.kept.standing.iter();
        let ended: Vec<(String, Kind)> = standing
            .filter_map(|(what, standing)| {
                let place = what.strip_suffix(standing.kind.name())?.trim_end();
                let is_place = place.contains("://") && !asked.contains(place);
                let ends = matches!(standing.kind, Kind::FalseAnswer | Kind::Frozen);
                (is_place && ends).then(|| (place.to_owned(), standing.kind))
            })
            .collect();
        for (place, kind) in ended {
            self.over(&place, kind, now_ms);
            self.state.kept.ahead_since_ms.remove(&place);
        }
    }

    /// Compares a head that somebody else showed with the last one that was seen.
    async fn compare(
        &mut self,
        source: Option<&Source>,
        shown: &Shown,
        now_ms: u64,
    ) -> Result<(), MonitorError> {
        let Shown { who, url, .. } = shown;
        let (head, key) = match self.verified(&shown.text) {
            Ok(verified) => verified,
            // Another site answers there, or an error does.
            Err(_) if !shown.text.starts_with(self.origin()) && !is_note(&shown.text) => {
                return Ok(());
            }
            Err(error) => {
                let why = one_line(&error);
                let words = format!("{who} shows what is no head of the log: {why}");
                self.goes_on(url, Kind::FalseAnswer, now_ms, plain(&words));
                return Ok(());
            }
        };
        let compared = match source {
            Some(source) => source.accept(head.note(), &key).await.map(|_| ()),
            None => self.compare_alone(&head),
        };
        match compared {
            Ok(()) => {
                self.over(url, Kind::FalseAnswer, now_ms);
                self.over(url, Kind::Frozen, now_ms);
                self.state.kept.ahead_since_ms.remove(url);
            }
            Err(ClientError::Misbehavior(found)) => {
                self.convict(&found, now_ms);
                let words = format!("{who} has another history of it: {found}");
                self.goes_on(url, Kind::TwoHistories, now_ms, plain(&words));
            }
            Err(error @ (ClientError::State { .. } | ClientError::Usage(_))) => {
                return Err(error.into());
            }
            Err(error) => self.unlinked(shown, &head, &error, now_ms),
        }
        Ok(())
    }

    /// The head in a text, and the key of the log that signed it: that of now, or one before.
    fn verified(&self, text: &str) -> Result<(VerifiedCheckpoint, VerifierKey), CheckpointError> {
        let log = &self.watched.log;
        let by = |key: &VerifierKey| {
            VerifiedCheckpoint::verify(text, key).map(|head| (head, key.clone()))
        };
        let mut older = log.older.iter();
        by(&log.key).or_else(|error| older.find_map(|key| by(key).ok()).ok_or(error))
    }

    /// What can be said of a head while the log's node does not answer: that there are two of one
    /// size.
    fn compare_alone(&self, head: &VerifiedCheckpoint) -> Result<(), ClientError> {
        let heads = self.heads();
        match heads.load()? {
            Some(known) if relate(&known, head) == Relation::Fork => {
                Err(heads.misbehavior(MisbehaviorKind::SameSize, &known, head, None))
            }
            _ => Ok(()),
        }
    }

    /// That the log's node does not link a head with the last one that was seen. It may lag, or not
    /// have shown yet what a witness cosigned: it is told if it stays so.
    fn unlinked(
        &mut self,
        shown: &Shown,
        head: &VerifiedCheckpoint,
        error: &ClientError,
        now_ms: u64,
    ) {
        let Shown { who, url, .. } = shown;
        let since = self.state.kept.ahead_since_ms.entry(url.clone());
        let since_ms = *since.or_insert(now_ms);
        if now_ms.saturating_sub(since_ms) < self.settings.silence_ms {
            return;
        }
        let words = format!(
            "{who} has a head of {} entries, which the log signed and its node does not link with \
             the last one seen: what came since may be withheld, or there are two histories ({})",
            head.size(),
            one_line(error)
        );
        self.goes_on(url, Kind::Frozen, now_ms, plain(&words));
    }

    /// Keeps two heads of the log as what convicts it, and whoever of the policy's witnesses
    /// cosigned both.
    pub(super) fn convict(&mut self, found: &Misbehavior, now_ms: u64) {
        let log = &self.watched.log;
        let keys = [&log.key].into_iter().chain(&log.older);
        let Some(log) = LogVerifier::new(self.origin(), keys.cloned().collect()).ok() else {
            return;
        };
        let (Ok(first), Ok(second)) = (log.verify(&found.first), log.verify(&found.second)) else {
            return;
        };
        let Ok(path) = split_hashes(&found.path) else {
            return;
        };
        let rewrite = found.actual.map(|actual| Rewrite {
            actual,
            path: &path,
        });
        if let Ok(text) = VerifiedMisbehavior::of_log(&first, &second, rewrite) {
            match &found.kept {
                Ok(kept) => self.convictions.found(text.text().as_bytes(), kept.clone()),
                Err(_) => self.convictions.learn(text.text().as_bytes()),
            }
        }
        let guilty = self
            .keys
            .cosigned_both(&found.first, &found.second, rewrite);
        for text in guilty {
            self.proven(text.text().as_bytes(), now_ms, "what was shown here");
        }
    }

    /// Tells that an auditor of the policy found another index than the log commits to.
    fn disputed(&mut self, shown: &Shown, now_ms: u64) {
        let Some((auditor, said)) = self.keys.audited(&shown.text) else {
            return;
        };
        let origin = said
            .origin
            .strip_prefix(DISPUTED_INDEX)
            .map(str::trim_start);
        if origin != Some(self.origin()) {
            return;
        }
        // The note may be signed again, at another time.
        let id = Hash::of(format!("{auditor}\n{}", said.body()).as_bytes()).to_hex();
        if !self.state.kept.told.insert(id.clone()) {
            return;
        }
        let words = format!(
            "the auditor {auditor} finds that the first {} entries give another index than the log \
             commits to; that convicts nobody: replay the log with `assay audit`",
            said.size
        );
        let words = plain(&words);
        let alert = Alert::event(Kind::Disputed, self.origin(), now_ms, &id, words);
        self.pending.push(alert);
    }

    /// Asks the node what it keeps about those whom the policy names. A node that does not say
    /// hides nothing from who asks others.
    async fn ask_of_misbehavior(&mut self, now_ms: u64) {
        let culprits = self.keys.culprits();
        let tls = self.settings.tls.clone();
        for which in [Which::Convicting, Which::Breaches] {
            let mut texts = Vec::new();
            let asked = async {
                for some in culprits.chunks(CULPRITS) {
                    misbehavior::about(&self.url, &tls, which, some.to_vec(), &mut texts).await?;
                }
                Ok::<(), ClientError>(())
            };
            // What came before it failed or was late counts.
            let _ = tokio::time::timeout(PATIENCE, asked).await;
            for text in texts {
                self.proven(&text, now_ms, "a node");
            }
        }
    }

    /// Tells once what a text proves, if the policy's keys verify it, and keeps it.
    fn proven(&mut self, text: &[u8], now_ms: u64, who: &str) {
        let Ok(found) = self.keys.verify(text) else {
            return;
        };
        // What was told before may not be kept here, if somebody cleared the folder.
        self.convictions.learn(text);
        let id = found.id().to_hex();
        if self.state.kept.told.contains(&id) {
            return;
        }
        self.state.kept.told.insert(id.clone());
        self.convictions.keep(text);
        let culprit = found.culprit().to_string();
        let (kind, shows) = match &found {
            VerifiedText::Misbehavior(_) => (Kind::Convicted, String::new()),
            VerifiedText::Breach(found) => (Kind::Breach, format!(", {}", found.broken())),
        };
        let words = format!(
            "{who} proves misbehavior of {culprit}: {}{shows}; see `assay misbehavior list \
             --here`, {id}",
            found.kind()
        );
        let words = plain(&words);
        self.pending
            .push(Alert::event(kind, found.origin(), now_ms, &id, words));
    }
}

/// Whether a text is a signed note, whoever signed it.
fn is_note(text: &str) -> bool {
    Note::parse(text.as_bytes()).is_ok()
}
