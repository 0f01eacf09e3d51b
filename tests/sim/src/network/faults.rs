//! What happens to the hosts and the network of a run, until it heals.

use super::cast::{CLIENTS, LIAR, LOGS, WITNESS_HOSTS, WITNESSES};
use super::host::Host;
use super::plan::{Plan, Second, Witness};
use crate::words::Words;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use turmoil::Sim;

/// When the network heals.
pub(super) const HEALED_MS: u64 = 22_000;

/// Of a hundred steps so many begin a fault.
const FAULTS: usize = 5;

/// How often a message breaks its link, and mends it: about three of ten exchanges are lost.
const BREAKS: f64 = 0.02;

/// Seconds by which clocks are wrong that jump.
const JUMPS_S: [i64; 7] = [0, 100, -200, 3_600, -4_000, 30 * 3_600, -10 * 365 * 86_400];

type Backup = BTreeMap<String, Vec<u8>>;

/// What is broken now, and what will be.
pub(super) struct Faults {
    words: Words,
    plan: Arc<Plan>,
    hosts: Vec<Arc<Host>>,
    /// Hosts that are down, and when they start again.
    down: BTreeMap<&'static str, Option<u64>>,
    /// Links that are cut, or held up, and until when.
    cut: Vec<(&'static str, &'static str, u64)>,
    held: Vec<(&'static str, &'static str, u64)>,
    dies_ms: u64,
    eclipse_ms: u64,
    backup_ms: u64,
    restore_ms: u64,
    backups: BTreeMap<&'static str, Backup>,
}

impl Faults {
    pub(super) fn new(mut words: Words, plan: Arc<Plan>, hosts: Vec<Arc<Host>>) -> Self {
        let backup_ms = 3_000 + words.below(8_000) as u64;
        Faults {
            dies_ms: words.below(HEALED_MS as usize) as u64,
            eclipse_ms: words.below(HEALED_MS as usize - 10_000) as u64,
            backup_ms,
            restore_ms: backup_ms + 1_000 + words.below(10_000) as u64,
            words,
            plan,
            hosts,
            down: BTreeMap::new(),
            cut: Vec::new(),
            held: Vec::new(),
            backups: BTreeMap::new(),
        }
    }

    /// The network begins to lose messages.
    pub(super) fn begin(sim: &mut Sim<'_>) {
        sim.set_fail_rate(BREAKS);
    }

    /// What happens in this step. `step_ms` is how long a step is.
    pub(super) fn step(&mut self, sim: &mut Sim<'_>, now_ms: u64, step_ms: u64) {
        let is_now = |at_ms: u64| (at_ms..at_ms + step_ms).contains(&now_ms);
        self.end(sim, now_ms);
        if now_ms >= HEALED_MS {
            return;
        }
        if is_now(self.backup_ms) {
            self.back_up();
        }
        if is_now(self.restore_ms) {
            for host in self.restored() {
                self.crash(sim, host, Some(now_ms + 1_000));
            }
        }
        if is_now(self.dies_ms) {
            for at in self.all(Witness::Dies) {
                self.crash(sim, WITNESS_HOSTS[at], None);
            }
        }
        if let (Some(at), true) = (self.plan.eclipsed, is_now(self.eclipse_ms)) {
            for other in [&LOGS[..1], &WITNESS_HOSTS, &CLIENTS].concat() {
                self.cut(sim, WITNESS_HOSTS[at], other, now_ms + 10_000);
            }
        }
        if self.words.percent(2) {
            self.jump();
        }
        if self.words.percent(FAULTS) {
            self.fault(sim, now_ms);
        }
    }

    /// Something happens to somebody.
    fn fault(&mut self, sim: &mut Sim<'_>, now_ms: u64) {
        let all = [&LOGS[..], &WITNESS_HOSTS, &[LIAR], &CLIENTS].concat();
        let one = all[self.words.below(all.len())];
        let other = all[self.words.below(all.len())];
        let until_ms = now_ms + 500 + self.words.below(5_000) as u64;
        match self.words.below(8) {
            0..=2 if one != LIAR && !CLIENTS.contains(&one) => {
                self.crash(sim, one, Some(until_ms));
            }
            3 => all
                .iter()
                .for_each(|other| self.cut(sim, one, other, until_ms)),
            4 => self.hold(sim, one, other, until_ms),
            _ => self.cut(sim, one, other, until_ms),
        }
    }

    fn all(&self, kind: Witness) -> Vec<usize> {
        let all = (0..WITNESSES).filter(|at| self.plan.witnesses[*at] == kind);
        all.collect()
    }

    /// The hosts whose operators put a backup back.
    fn restored(&self) -> Vec<&'static str> {
        let witnesses = self.all(Witness::RollsBack).into_iter();
        let mut hosts: Vec<&str> = witnesses.map(|at| WITNESS_HOSTS[at]).collect();
        if self.plan.second == Second::Restores {
            hosts.push(LOGS[1]);
        }
        hosts
    }

    fn back_up(&mut self) {
        for name in self.restored() {
            let host = self.hosts.iter().find(|host| host.name == name);
            if let Some(host) = host {
                self.backups.insert(name, host.disk.backup());
            }
        }
    }

    /// The clock of a witness, of those whose clocks do.
    fn jump(&mut self) {
        for at in self.all(Witness::ClockJumps) {
            let by = JUMPS_S[self.words.below(JUMPS_S.len())];
            let host = self
                .hosts
                .iter()
                .find(|host| host.name == WITNESS_HOSTS[at]);
            if let Some(host) = host {
                host.chronicle()
                    .event("clock", &format!("{} {by}", host.name));
                host.clock.store(by, Ordering::Relaxed);
            }
        }
    }

    fn crash(&mut self, sim: &mut Sim<'_>, name: &'static str, until_ms: Option<u64>) {
        if self.down.get(name).is_some_and(Option::is_none) {
            return;
        }
        if self.down.insert(name, until_ms).is_none() {
            self.cut_power(sim, name);
        }
        let host = self.hosts.iter().find(|host| host.name == name);
        let Some(host) = host else { return };
        host.disk.crash(&mut self.words);
        host.chronicle().event("crash", name);
        host.chronicle().forgets(name);
        if let Some(backup) = self.backups.get(name)
            && until_ms.is_some()
            && !self.is_restored(name)
        {
            host.chronicle().event("restore", name);
            host.disk.restore(backup.clone());
            self.backups.insert(name, Backup::new());
        }
    }

    /// Ends the software of a host. It says nothing to anybody: in which order it would, no seed
    /// decides.
    fn cut_power(&self, sim: &mut Sim<'_>, name: &'static str) {
        let all = [&LOGS[..], &WITNESS_HOSTS, &[LIAR], &CLIENTS].concat();
        let others: Vec<&str> = all.into_iter().filter(|other| *other != name).collect();
        others.iter().for_each(|other| sim.partition(name, *other));
        sim.crash(name);
        for other in others {
            let mut cut = self.cut.iter();
            let is_cut = cut.any(|cut| [(name, other), (other, name)].contains(&(cut.0, cut.1)));
            if !is_cut {
                sim.repair(name, other);
            }
        }
    }

    /// Whether the backup was put back before.
    fn is_restored(&self, name: &str) -> bool {
        self.backups.get(name).is_some_and(Backup::is_empty)
    }

    fn cut(&mut self, sim: &Sim<'_>, one: &'static str, other: &'static str, until_ms: u64) {
        if one != other {
            sim.partition(one, other);
            self.cut.push((one, other, until_ms));
            self.hosts[0]
                .chronicle()
                .event("cut", &format!("{one} {other}"));
        }
    }

    fn hold(&mut self, sim: &Sim<'_>, one: &'static str, other: &'static str, until_ms: u64) {
        if one != other {
            sim.hold(one, other);
            self.held.push((one, other, until_ms));
            self.hosts[0]
                .chronicle()
                .event("hold", &format!("{one} {other}"));
        }
    }

    /// Ends what has an end by now; everything once the network heals.
    fn end(&mut self, sim: &mut Sim<'_>, now_ms: u64) {
        let is_over = |until_ms: u64| until_ms <= now_ms || now_ms >= HEALED_MS;
        for (one, other, _) in self.cut.extract_if(.., |cut| is_over(cut.2)) {
            sim.repair(one, other);
        }
        for (one, other, _) in self.held.extract_if(.., |held| is_over(held.2)) {
            sim.release(one, other);
        }
        let up = self
            .down
            .iter()
            .filter(|(_, until)| until.is_some_and(is_over));
        let up: Vec<&str> = up.map(|(name, _)| *name).collect();
        for name in up {
            self.down.remove(name);
            sim.bounce(name);
            self.hosts[0].chronicle().event("start", name);
        }
        if (HEALED_MS..HEALED_MS + 1_000).contains(&now_ms) {
            sim.set_fail_rate(0.0);
            let all = [&LOGS[..], &WITNESS_HOSTS, &[LIAR], &CLIENTS].concat();
            for (at, one) in all.iter().enumerate() {
                for other in &all[..at] {
                    sim.release(*one, *other);
                    sim.repair(*one, *other);
                }
            }
        }
    }
}
