//! What an auditor does for one log, and what follows from it. All of it blocks.
//!
//! If anything fails here that is not the log's fault, what is in memory is dropped and loaded
//! again from what is stored.

use super::breach;
use super::clear::Cleared;
use super::error::AuditError;
use super::loaded::{Loaded, due};
use super::replay::{self, Found, Replayer};
use super::shown::{CopiedLog, State, Status};
use super::store;
use super::{Copied, Shared};
use crate::{
    mirror::{
        shelf::{AuditedHead, ShownLog},
        store::Rows,
    },
    records::{self, RecordError},
    storage::Batch,
};
use assay_claims::audit::{Finding, Rules};
use assay_claims::entry::{Entry, wire};
use assay_tlog::head::LogVerifier;
use assay_tlog::note::Note;
use assay_tlog::tree::{LeafIndex, TreeSize};
use assay_tlog::witness::{LogState, Persisted};
use std::sync::Arc;

/// Chunks of entries that are replayed before another log has its turn.
const PIECE: u64 = 16;

/// Seconds after which an idle head is cosigned again, at a new time.
const REFRESH_S: u64 = 600;

/// How far the last leaf may be ahead of this machine's clock, in milliseconds (docs/design.md 3.5,
/// Time).
const AHEAD_MS: u64 = 10 * 60 * 1000;

/// Leaves by which a replay may be ahead of the head that is shown, with its index: what was
/// replaced since stays in memory.
const LAG: u64 = 1 << 17;

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// There is more to replay.
    More,
    /// Nothing, until the copy grows or time passes.
    Wait,
}

/// One log.
pub(super) struct Auditor {
    shared: Arc<Shared>,
    log: LogVerifier,
    mirrored: Arc<ShownLog>,
    copied: Arc<CopiedLog>,
    part: Copied,
    loaded: Option<Loaded>,
}

impl Auditor {
    /// A log of which nothing is known yet.
    pub fn new(
        shared: Arc<Shared>,
        log: LogVerifier,
        mirrored: Arc<ShownLog>,
        copied: Arc<CopiedLog>,
    ) -> Self {
        let part = copied.view.store().clone();
        Auditor {
            shared,
            log,
            mirrored,
            copied,
            part,
            loaded: None,
        }
    }

    /// Which log.
    pub fn origin(&self) -> &str {
        self.log.origin()
    }

    /// Does what is due, or a piece of it.
    pub fn round(&mut self) -> Result<Next, AuditError> {
        let asked = self.copied.asked();
        if !asked.is_empty() {
            let cleared = self.clear()?;
            // Who does not wait any more is not told.
            let told = asked.into_iter().map(|ask| ask.send(cleared.clone()));
            told.for_each(drop);
            return Ok(Next::More);
        }
        let mut loaded = match self.loaded.take() {
            Some(loaded) => loaded,
            None => self.load()?,
        };
        let next = self.step(&mut loaded)?;
        self.loaded = Some(loaded);
        Ok(next)
    }

    /// Clears what was found here and by others. What was replayed before it is loaded again, so
    /// that the replay goes on from there.
    fn clear(&mut self) -> Result<Cleared, AuditError> {
        let breaches = self.shared.evidence.clear(self.origin())?;
        let stored = store::load(&self.part, &self.log)?;
        // What this version cannot judge is not stored.
        let in_memory = self
            .loaded
            .as_ref()
            .and_then(|it| it.signed.finding.clone());
        let finding = stored.finding.or(in_memory);
        if finding.is_some() {
            store::clear(&self.part)?;
            self.loaded = None;
        }
        Ok(Cleared {
            finding,
            audited: stored.state.size().get(),
            breaches,
        })
    }

    /// Stores the index as it is. Nothing is written after that.
    pub fn close(&mut self) -> Result<(), RecordError> {
        let loaded = self.loaded.take();
        match loaded.and_then(|loaded| loaded.replayer) {
            Some(mut replayer) => self.shared.pool.install(|| replayer.close()),
            None => Ok(()),
        }
    }

    /// Says that this machine is at fault.
    pub fn failed(&self) {
        let status = self.copied.status.load_full();
        self.tell(Status {
            state: State::Failed,
            ..Status::clone(&status)
        });
    }

    /// Reads what is stored, and shows what was cosigned of it.
    fn load(&self) -> Result<Loaded, AuditError> {
        let signed = store::load(&self.part, &self.log)?;
        let audited = signed.state.size();
        let is_cosigned = audited > TreeSize::EMPTY;
        let cache_mib = self.shared.cache_mib;
        let (mut map, mut replayer) = (None, None);
        if signed.finding.is_some() {
            // What was replayed after it is not shown.
            if is_cosigned {
                let recovered = self
                    .shared
                    .pool
                    .install(|| replay::recover(&self.part, audited, audited, cache_mib));
                map = Some(recovered?.map().clone());
            }
        } else if let Some(rules) = replay::stored(&self.part)? {
            let loaded = self.start(rules)?;
            if is_cosigned && rules.committed() == audited {
                map = Some(loaded.index().map().clone());
            }
            replayer = Some(loaded);
        }
        let dispute = signed.dispute.clone().map(Arc::new);
        self.copied.dispute.store(dispute);
        let breach = signed.breach.clone().map(Arc::new);
        self.copied.breach.store(breach);
        if signed.finding.is_some() || replayer.is_some() {
            self.shared.evidence.audits(self.origin());
        }
        if let Some(text) = &signed.breach {
            breach::told(self.shared.evidence.report(text.as_bytes()).err());
        }
        let mut loaded = Loaded {
            signed,
            map,
            replayer,
            ..Loaded::default()
        };
        self.show(&mut loaded)?;
        Ok(loaded)
    }

    fn step(&self, loaded: &mut Loaded) -> Result<Next, AuditError> {
        self.look(loaded)?;
        if let Some(finding) = loaded.signed.finding.clone() {
            self.report(loaded, State::of_finding(&finding));
            if self.accuse(loaded, &finding)? {
                self.report(loaded, State::of_finding(&finding));
            }
            return Ok(Next::Wait);
        }
        if loaded.replayer.is_none() {
            match self.is_assay(loaded)? {
                None => self.report(loaded, State::Waiting),
                Some(false) => self.report(loaded, State::Foreign),
                Some(true) => {
                    self.shared.evidence.audits(self.origin());
                    loaded.replayer = Some(self.start(Rules::default())?);
                    return Ok(Next::More);
                }
            }
            return Ok(Next::Wait);
        }
        if let Some(to) = due(loaded) {
            return self.replay(loaded, to);
        }
        self.cosign_if_due(loaded)?;
        Ok(Next::Wait)
    }

    /// Goes on with a replay.
    fn start(&self, rules: Rules) -> Result<Replayer, AuditError> {
        let (part, cache_mib) = (self.part.clone(), self.shared.cache_mib);
        let pool = &self.shared.pool;
        Ok(pool.install(|| Replayer::load(part, rules, cache_mib))?)
    }

    /// Reads how far the mirror is.
    fn look(&self, loaded: &mut Loaded) -> Result<(), AuditError> {
        let rows: Rows = self.mirrored.rows;
        let store = &**self.part.whole();
        if let Some(note) = rows.read(store, "note")?
            && note != loaded.note
        {
            let text = std::str::from_utf8(&note).unwrap_or_default();
            loaded.head = Some(self.log.verify(text)?);
            loaded.note = note;
        }
        let entries = rows.read(store, "entries")?;
        let entries = entries.and_then(|row| row.first_chunk().copied());
        loaded.entries = entries.map_or(0, u64::from_be_bytes);
        Ok(())
    }

    /// Whether its first leaf is a commitment to an index, or its last one. `None` if that is not
    /// known yet.
    fn is_assay(&self, loaded: &Loaded) -> Result<Option<bool>, AuditError> {
        if loaded.entries == 0 {
            return Ok(None);
        }
        if self.is_commitment(LeafIndex::new(0))? {
            return Ok(Some(true));
        }
        let last = TreeSize::new(loaded.size()).last_leaf();
        Ok(last.map(|last| self.is_commitment(last)).transpose()?)
    }

    fn is_commitment(&self, leaf: LeafIndex) -> Result<bool, RecordError> {
        let entry = Entry::parse(records::read_entry(&self.part, leaf)?);
        Ok(entry.is_ok_and(|entry| matches!(entry.body(), wire::Body::IndexCommitment(_))))
    }

    fn replay(&self, loaded: &mut Loaded, to: u64) -> Result<Next, AuditError> {
        let audited = loaded.signed.state.size().get();
        if to - audited > LAG && loaded.map.take().is_some() {
            self.publish(loaded)?;
        }
        self.report(loaded, State::Replaying);
        let Some(replayer) = &mut loaded.replayer else {
            return Ok(Next::Wait);
        };
        let ending = &self.shared.ending;
        let run = self.shared.pool.install(|| replayer.run(to, PIECE, ending));
        if let Err(error) = run {
            self.found(loaded, *AuditError::of_replay(error)?)?;
            return Ok(Next::More);
        }
        self.report(loaded, State::Replaying);
        Ok(Next::More)
    }

    /// Keeps what was found, and replays nothing more.
    fn found(&self, loaded: &mut Loaded, found: Found) -> Result<(), AuditError> {
        let Found { finding, computed } = found;
        let (origin, rule) = (self.origin().to_owned(), finding.rule.name());
        loaded.replayer = None;
        if finding.rule.blames() {
            breach::confirm(&self.part, &finding)?;
            let mut batch = Batch::new();
            let dispute = computed.map(|it| breach::dispute(&self.shared, &origin, &finding, it));
            let dispute = dispute.transpose()?.flatten();
            let mut own = Batch::new();
            store::put_finding(&mut own, &finding, dispute.as_deref());
            self.part.append(own, &mut batch);
            self.part.whole().commit(batch)?;
            self.copied.dispute.store(dispute.map(Arc::new));
            metrics::counter!("assay_audit_findings_total", "log" => origin, "rule" => rule)
                .increment(1);
            tracing::error!(
                origin = self.origin(),
                rule,
                leaf = finding.leaf.get(),
                reason = finding.reason,
                "ALARM: a mirrored log broke its rules; it is not cosigned as audited any more"
            );
        } else {
            // A later version of this program knows more: it tries again after its start.
            tracing::warn!(
                origin = self.origin(),
                reason = %finding,
                "a mirrored log cannot be audited"
            );
        }
        let state = State::of_finding(&finding);
        loaded.signed.finding = Some(finding);
        self.report(loaded, state);
        Ok(())
    }

    /// Makes what shows others which rule was not kept, once a head covers it, and keeps it.
    /// Returns whether it did.
    fn accuse(&self, loaded: &mut Loaded, finding: &Finding) -> Result<bool, AuditError> {
        let head = loaded.head.as_ref();
        let Some(head) = head.filter(|head| breach::covers(head, finding)) else {
            return Ok(false);
        };
        let is_known = loaded.signed.breach.is_some() || !finding.rule.blames();
        if is_known || std::mem::replace(&mut loaded.tried, true) {
            return Ok(false);
        }
        let Some(breach) = breach::shown(&self.part, head, finding) else {
            return Ok(false);
        };
        let (mut own, mut batch) = (Batch::new(), Batch::new());
        store::put_breach(&mut own, breach.text());
        self.part.append(own, &mut batch);
        self.part.whole().commit(batch)?;
        breach::told(self.shared.evidence.keep_breach(&breach).err());
        let text = Arc::new(breach.text().to_owned());
        loaded.signed.breach = Some(breach.text().to_owned());
        self.copied.breach.store(Some(text));
        Ok(true)
    }

    /// Cosigns the mirrored head once all of it was replayed, or again if that was a while ago.
    fn cosign_if_due(&self, loaded: &mut Loaded) -> Result<(), AuditError> {
        let (Some(head), Some(replayer)) = (loaded.head.clone(), &loaded.replayer) else {
            return Ok(());
        };
        let rules = *replayer.rules();
        let state = loaded.signed.state;
        let is_new = state == LogState::Never || state.size() < head.size();
        let is_stale = self.shared.clock.now() >= state.at().saturating_add(REFRESH_S);
        if is_new && rules.size() != head.size() {
            // It was replayed beyond this head before a start, and the next one is not there yet.
            self.report(loaded, State::Replaying);
            return Ok(());
        }
        if let Some(state) = breach::judged(&self.shared, &self.copied) {
            self.report(loaded, state);
            return Ok(());
        }
        if !(is_new || is_stale) {
            self.show_if_changed(loaded)?;
            self.report(loaded, State::Audited);
            return Ok(());
        }
        if is_new {
            if let Err(finding) = rules.ends_committed() {
                let computed = None;
                return self.found(loaded, Found { finding, computed });
            }
            let now = self.shared.clock.now().saturating_mul(1000);
            if rules.last_at_ms() > now.saturating_add(AHEAD_MS) {
                self.report(loaded, State::Ahead);
                return Ok(());
            }
            loaded.map = Some(replayer.index().map().clone());
        }
        let mut batch = Batch::new();
        let at = self.shared.clock.state(state.at())?;
        let mut own = Batch::new();
        loaded.signed.state = store::put_cosigned(&mut own, &head, at);
        self.part.append(own, &mut batch);
        self.part.whole().commit(batch)?;
        loaded.signed.head = Some(head);
        self.show(loaded)?;
        self.report(loaded, State::Audited);
        Ok(())
    }

    /// Shows the head again if the mirror shows other signatures with it, or other keys sign.
    fn show_if_changed(&self, loaded: &mut Loaded) -> Result<(), AuditError> {
        let now = self.mirrored.head.load_full();
        let is_same = match (&now, &loaded.shown) {
            (Some(now), Some(shown)) => Arc::ptr_eq(now, shown),
            (now, shown) => now.is_none() && shown.is_none(),
        };
        let signs = loaded.keys.as_ref();
        let is_signed = signs.is_none_or(|keys| Arc::ptr_eq(keys, &self.shared.keys.load()));
        if is_same && is_signed {
            Ok(())
        } else {
            self.show(loaded)
        }
    }

    /// Signs what is stored as cosigned, and shows it with its index.
    fn show(&self, loaded: &mut Loaded) -> Result<(), AuditError> {
        let Some(head) = &loaded.signed.head else {
            return Ok(());
        };
        let persisted = Persisted::reload(&loaded.signed.state, head.note(), &self.log)?;
        let keys = self.shared.keys.load_full();
        let admitted = self.shared.floors.admit(persisted)?;
        let signed = admitted.sign(&keys)?.note();
        let audited = AuditedHead {
            size: head.size(),
            name: keys.name().to_owned(),
            lines: signed[head.note().len()..].to_owned(),
        };
        self.mirrored.audited.store(Some(Arc::new(audited)));
        self.copied.audited.store(Some(Arc::new(signed)));
        loaded.keys = Some(keys);
        self.publish(loaded)
    }

    /// Shows what was cosigned, with every signature that is known, to those who ask.
    fn publish(&self, loaded: &mut Loaded) -> Result<(), AuditError> {
        let Some(head) = &loaded.signed.head else {
            return Ok(());
        };
        let shown = self.mirrored.head.load_full();
        let whole = shown.as_ref().filter(|shown| shown.size() == head.size());
        let whole = whole.and_then(|shown| {
            let note = shown.with(self.mirrored.audited.load().as_deref());
            Note::parse_checkpoint(&note).ok().map(|_| note)
        });
        let own = self.copied.audited.load_full();
        let note = whole.or_else(|| Some(own?.to_string())).unwrap_or_default();
        let checkpoint = self.log.verify_checkpoint(&note)?;
        self.copied.view.publish(checkpoint, loaded.map.clone())?;
        loaded.shown = shown;
        Ok(())
    }

    fn report(&self, loaded: &Loaded, state: State) {
        let finding = loaded.signed.finding.clone();
        let found = finding.as_ref().map(|finding| finding.leaf.get());
        self.tell(Status {
            state,
            replayed: found.unwrap_or_else(|| loaded.replayed()),
            audited: loaded.signed.state.size().get(),
            finding,
            breach: self.shared.evidence.breach_by(self.origin()),
        });
    }

    fn tell(&self, status: Status) {
        let origin = || self.origin().to_owned();
        metrics::gauge!("assay_audit_entries", "log" => origin()).set(status.replayed as f64);
        metrics::gauge!("assay_audit_size", "log" => origin()).set(status.audited as f64);
        for state in State::ALL {
            let is_it = f64::from(u8::from(state == status.state));
            metrics::gauge!("assay_audit_state", "log" => origin(), "state" => state.name())
                .set(is_it);
        }
        self.copied.status.store(Arc::new(status));
    }
}
