//! What is public of a log's witnesses: who they are, and how they are.

use crate::peers::page::Part;
use assay_proto::federation_page::{QuorumPart, WitnessPart, WitnessState};
use assay_tlog::cosigning::Heard;
use assay_tlog::tlog_policy::TlogPolicy;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// What is known, as the task that asks says it.
pub(super) type SharedQuorum = Arc<Mutex<QuorumPart>>;

/// The same, for whoever shows it.
pub(super) fn part(states: SharedQuorum) -> Part<QuorumPart> {
    Arc::new(move || {
        let all = states.lock().unwrap_or_else(PoisonError::into_inner);
        all.clone()
    })
}

/// The witnesses of a policy, of which nothing is known yet, in the order in which they are asked:
/// keys of one name behind one URL are one witness.
pub(super) fn of(policy: &TlogPolicy) -> SharedQuorum {
    let mut all: Vec<WitnessPart> = Vec::new();
    for witness in policy.witnesses() {
        let url = witness.url.as_deref().unwrap_or_default();
        let (name, url) = (witness.key.name(), url.trim_end_matches('/'));
        let vkey = witness.key.to_string();
        match all.iter_mut().find(|it| it.name == name && it.url == url) {
            Some(known) => known.vkeys.push(vkey),
            None => all.push(WitnessPart {
                name: name.to_owned(),
                url: url.to_owned(),
                vkeys: vec![vkey],
                ..WitnessPart::default()
            }),
        }
    }
    let mut part = QuorumPart {
        witnesses: all,
        ..QuorumPart::default()
    };
    if let Some(size) = policy.quorum_size() {
        part.least = size.least as u64;
        part.operators = size.operators as u64;
        part.spare = size.spare as u64;
        part.safe = size.is_safe();
    }
    Arc::new(Mutex::new(part))
}

/// Changes what is said of the witness at this place.
fn change(states: &SharedQuorum, witness: usize, change: impl FnOnce(&mut WitnessPart)) {
    let mut all = states.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(part) = all.witnesses.get_mut(witness) {
        change(part);
    }
}

/// A witness answered, or did not.
pub(super) fn heard(
    states: &SharedQuorum,
    witness: usize,
    heard: &Heard,
    took: Option<Duration>,
    cosigned: u64,
) {
    change(states, witness, |part| {
        part.size = cosigned;
        if let Some(took) = took {
            part.latency_ms = Some(u64::try_from(took.as_millis()).unwrap_or(u64::MAX));
        }
        match heard {
            Heard::Cosigned => {
                part.state = WitnessState::Cosigns;
                part.reason = None;
            }
            Heard::Failed(failure) => {
                part.state = WitnessState::Fails;
                part.reason = Some(failure.to_string());
                part.failures += 1;
            }
            Heard::RolledBack { .. } => {
                part.state = WitnessState::RolledBack;
                part.reason = None;
                part.failures += 1;
            }
            Heard::Dissents(stop) => {
                part.state = WitnessState::Fails;
                part.reason = Some(stop.to_string());
                part.failures += 1;
            }
            Heard::OtherSize(_) | Heard::Unasked => {}
        }
    });
}

/// The witnesses of this name are convicted.
pub(super) fn convicted(states: &SharedQuorum, name: &str) {
    let mut all = states.lock().unwrap_or_else(PoisonError::into_inner);
    for part in all.witnesses.iter_mut().filter(|it| it.name == name) {
        part.state = WitnessState::Convicted;
        part.reason = None;
    }
}

/// A quorum cosigned, at a time in seconds since 1970 (UTC).
pub(super) fn quorum_at(states: &SharedQuorum, at: u64) {
    let mut all = states.lock().unwrap_or_else(PoisonError::into_inner);
    all.cosigned_at = Some(at);
}
