//! What is to be done: what a source says now, held against what was published of it.

use super::ledger::{Held, Ledger, Why};
use super::record::{Record, Says};
use assay_tlog::Hash;
use std::collections::{BTreeMap, BTreeSet};

/// What a source says now, of each record.
#[derive(Debug, Default)]
pub struct Survey {
    seen: BTreeMap<String, Seen>,
    unread: BTreeSet<String>,
}

#[derive(Debug)]
struct Seen {
    place: String,
    found: Found,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// It stands, and says what has this print.
    Live(Hash),
    /// The source took it back.
    Withdrawn,
    /// It says nothing that can be claimed.
    Empty,
    /// The source says two things of it.
    Contested,
    /// What it says was not verified.
    NotVerified,
}

/// A record that is to be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Job {
    /// The record.
    pub key: String,
    /// What it said when it was surveyed.
    pub print: Hash,
    /// Whether it takes the place of what is published of it.
    pub replaces: bool,
}

/// What is to be done. Records that are in none of the lists stay as they are.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be published, by the place that it is read from.
    pub publish: BTreeMap<String, Vec<Job>>,
    /// Records whose claims are to be withdrawn, and why.
    pub withdraw: Vec<(String, Why)>,
    /// Records of which everything was done but for withdrawals that were not finished.
    pub unfinished: Vec<String>,
    /// Records that stand, and the places to which they moved.
    pub moved: Vec<(String, String)>,
    /// How many stand and are published already.
    pub unchanged: usize,
    /// How many say nothing that can be claimed.
    pub empty: usize,
    /// Records of which the source says two things: nothing is done about them.
    pub contested: Vec<String>,
    /// That the source has at most half of what it had, or less than half of the same records.
    pub shrunk: Option<Shrunk>,
}

/// A source that has at most half of what it had, or less than half of the same records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shrunk {
    /// How many records stand in the log.
    pub held: usize,
    /// How many of these the source has now.
    pub found: usize,
}

impl Shrunk {
    /// Of what is held, what the source has now (`live`) and what it took back or dropped.
    fn of(held: usize, live: usize, ended: usize) -> Option<Self> {
        let found = held.saturating_sub(ended);
        // A folder of another source may have as much, and has little of what is held.
        let is_less = live * 2 <= held || found * 2 < held;
        (is_less && held > 0).then_some(Shrunk { held, found })
    }
}

/// What a survey keeps of a record.
#[derive(Debug)]
pub struct Sight {
    key: String,
    found: Found,
}

impl Sight {
    /// What is kept of a record.
    pub fn of(record: &Record) -> Self {
        let found = match (&record.says, record.print()) {
            (Says::Withdrawn, _) => Found::Withdrawn,
            (Says::NotVerified(_), _) => Found::NotVerified,
            (_, Some(print)) => Found::Live(print),
            (_, None) => Found::Empty,
        };
        let key = record.key.clone();
        Sight { key, found }
    }

    /// The print of what it says, if it says something that can be claimed.
    pub fn print(&self) -> Option<Hash> {
        match self.found {
            Found::Live(print) => Some(print),
            _ => None,
        }
    }
}

impl Survey {
    /// Takes down what was read at `place`. Of two records of one name that say the same, the first
    /// is kept; of two that do not, none counts. One that was not verified takes nothing from one
    /// that was.
    pub fn see(&mut self, place: &str, Sight { key, found }: Sight) {
        let seen = self.seen.entry(key);
        let seen = seen.or_insert_with(|| Seen {
            place: place.to_owned(),
            found,
        });
        if seen.found == Found::NotVerified {
            *seen = Seen {
                place: place.to_owned(),
                found,
            };
        } else if seen.found != found && found != Found::NotVerified {
            seen.found = Found::Contested;
        }
    }

    /// Takes down that what is at `place`, a file or a folder, cannot be read, so that nobody can
    /// tell whether what was read there still stands.
    pub fn cannot_read(&mut self, place: &str) {
        self.unread.insert(place.to_owned());
    }

    fn is_unread(&self, place: &str) -> bool {
        let folders = place.match_indices('/').map(|(at, _)| &place[..at]);
        let mut all = folders.chain([place, ""]);
        all.any(|part| self.unread.contains(part))
    }

    /// What is to be done. Nothing is withdrawn for a place that cannot be read.
    pub fn plan(&self, ledger: &Ledger) -> Plan {
        let mut plan = Plan::default();
        let mut live = 0;
        for (key, Seen { place, found }) in &self.seen {
            let held = ledger.get(key);
            let stands = held.is_some_and(|held| !held.claims.is_empty());
            match *found {
                Found::Live(print) => {
                    live += 1;
                    match held {
                        Some(held) if stands && held.print == print && held.settled => {
                            plan.unchanged += 1;
                            if held.place != *place {
                                plan.moved.push((key.clone(), place.clone()));
                            }
                            plan.finish(key, held);
                        }
                        _ => plan.publish.entry(place.clone()).or_default().push(Job {
                            key: key.clone(),
                            print,
                            replaces: held.is_some_and(Held::is_replaced),
                        }),
                    }
                }
                Found::Contested => {
                    live += usize::from(stands);
                    plan.contested.push(key.clone());
                }
                Found::NotVerified => live += usize::from(stands),
                Found::Withdrawn if stands => plan.withdraw.push((key.clone(), Why::Withdrawn)),
                Found::Empty if stands => plan.withdraw.push((key.clone(), Why::Emptied)),
                Found::Withdrawn | Found::Empty => {
                    plan.empty += usize::from(*found == Found::Empty);
                    if let Some(held) = held {
                        plan.finish(key, held);
                    }
                }
            }
        }
        let mut standing = 0;
        for (key, held) in ledger.iter() {
            standing += usize::from(!held.claims.is_empty());
            if self.seen.contains_key(key) {
                continue;
            }
            if held.claims.is_empty() {
                plan.finish(key, held);
            } else if self.is_unread(&held.place) {
                live += 1;
            } else {
                plan.withdraw.push((key.clone(), Why::Vanished));
            }
        }
        plan.shrunk = Shrunk::of(standing, live, plan.withdraw.len());
        plan
    }
}

impl Plan {
    /// Whether there is nothing to be done.
    pub fn is_done(&self) -> bool {
        self.publish.is_empty()
            && self.withdraw.is_empty()
            && self.unfinished.is_empty()
            && self.moved.is_empty()
    }

    fn finish(&mut self, key: &str, held: &Held) {
        if !held.stale.is_empty() {
            self.unfinished.push(key.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::NotVerified;
    use crate::documents::Prepared;
    use assay_claims::claim::ClaimId;

    fn id(text: &str) -> ClaimId {
        ClaimId::new(Hash::of(text.as_bytes()))
    }

    fn record(key: &str, says: &str) -> Record {
        let says = match says {
            "withdrawn" => Says::Withdrawn,
            "nothing" => Says::Nothing("none".into()),
            "unverified" => Says::NotVerified(NotVerified::NoTrust),
            _ => Says::Claims(vec![Prepared {
                predicate_type: "t".into(),
                predicate: assay_claims::json::object([("a", Some(says.into()))]),
                subjects: vec![],
                summary: vec![],
                attachment: None,
                is_beside: false,
            }]),
        };
        Record {
            key: key.into(),
            says,
        }
    }

    fn ledger(held: &[(&str, &str)]) -> Ledger {
        let mut ledger = Ledger::default();
        for (key, says) in held {
            let print = record(key, says).print().unwrap();
            let mut held = Held::default().sends(key, print, "", vec![id(says)]);
            held.settles();
            ledger.put(key, held);
        }
        ledger
    }

    fn survey(found: &[(&str, &str)]) -> Survey {
        let mut survey = Survey::default();
        for (key, says) in found {
            survey.see(key, Sight::of(&record(key, says)));
        }
        survey
    }

    /// What a plan does about the record `a`; the others stand, so that nothing shrinks.
    fn fate(held: Option<&str>, found: &[&str]) -> String {
        let others = [("x", "1"), ("y", "1"), ("z", "1")];
        let held: Vec<_> = held.map(|says| ("a", says)).into_iter().collect();
        let found: Vec<_> = found.iter().map(|says| ("a", *says)).collect();
        let ledger = ledger(&[&held[..], &others].concat());
        let plan = survey(&[&found[..], &others].concat()).plan(&ledger);
        assert_eq!(plan.shrunk, None);
        let mut fate = Vec::new();
        for job in plan.publish.values().flatten() {
            assert_eq!(job.key, "a");
            fate.push(if job.replaces { "replace" } else { "publish" }.to_owned());
        }
        fate.extend(plan.withdraw.iter().map(|(_, why)| format!("{why:?}")));
        fate.extend(plan.contested.iter().map(|_| "contested".to_owned()));
        fate.join(" ")
    }

    #[test]
    fn every_pair_of_what_is_held_and_what_is_found_has_one_fate() {
        for (held, found, expected) in [
            (None, &["1"][..], "publish"),
            (None, &["withdrawn"], ""),
            (None, &["nothing"], ""),
            (None, &["1", "1"], "publish"),
            (None, &["1", "2"], "contested"),
            (Some("1"), &["1"], ""),
            (Some("1"), &["2"], "replace"),
            (Some("1"), &["withdrawn"], "Withdrawn"),
            (Some("1"), &["nothing"], "Emptied"),
            (Some("1"), &[], "Vanished"),
            (Some("1"), &["1", "2"], "contested"),
            (Some("1"), &["2", "1"], "contested"),
            (Some("1"), &["1", "withdrawn"], "contested"),
            (Some("1"), &["2", "2", "2"], "replace"),
            (None, &["unverified"], ""),
            (None, &["unverified", "1"], "publish"),
            (None, &["1", "unverified"], "publish"),
            (Some("1"), &["unverified"], ""),
            (Some("1"), &["unverified", "unverified"], ""),
            (Some("1"), &["2", "unverified", "2"], "replace"),
        ] {
            assert_eq!(fate(held, found), expected, "{held:?} {found:?}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_not_taken_back() {
        let ledger = ledger(&[("a", "1"), ("b", "1"), ("c", "1")]);
        let mut survey = survey(&[("b", "1"), ("c", "1")]);
        survey.cannot_read("a");
        assert!(survey.plan(&ledger).is_done());
        // Nor is what is below a folder that cannot be read.
        for (unread, expected) in [
            ("f", true),
            ("f/g", true),
            ("", true),
            ("f/", false),
            ("g", false),
        ] {
            let mut survey = Survey::default();
            survey.cannot_read(unread);
            assert_eq!(survey.is_unread("f/g/a"), expected, "{unread}");
        }
        // It counts as there: many that cannot be read at once are no smaller source.
        let mut survey = Survey::default();
        for place in ["a", "b", "c"] {
            survey.cannot_read(place);
        }
        assert_eq!(survey.plan(&ledger), Plan::default());
    }

    #[test]
    fn what_moved_is_remembered_where_it_is() {
        let ledger = ledger(&[("a", "1")]);
        let mut survey = Survey::default();
        survey.see("elsewhere", Sight::of(&record("a", "1")));
        let plan = survey.plan(&ledger);
        assert_eq!(plan.moved, [("a".to_owned(), "elsewhere".to_owned())]);
        assert!(plan.publish.is_empty() && !plan.is_done());
    }

    #[test]
    fn a_source_that_has_half_of_what_it_had_has_shrunk() {
        let all = [("a", "1"), ("b", "1"), ("c", "1"), ("d", "1")];
        for (found, shrunk) in [(4, false), (3, false), (2, true), (1, true), (0, true)] {
            let plan = survey(&all[..found]).plan(&ledger(&all));
            assert_eq!(plan.shrunk.is_some(), shrunk, "{found}");
        }
        // Records that it takes back itself are gone, too.
        let taken = [
            ("a", "withdrawn"),
            ("b", "withdrawn"),
            ("c", "1"),
            ("d", "1"),
        ];
        let plan = survey(&taken).plan(&ledger(&all));
        assert_eq!(plan.shrunk, Some(Shrunk { held: 4, found: 2 }));
        // What is new does not make up for what is gone: it may be another source.
        let other = [("a", "1"), ("x", "1"), ("y", "1"), ("z", "1")];
        let plan = survey(&other).plan(&ledger(&all));
        assert_eq!(plan.shrunk, Some(Shrunk { held: 4, found: 1 }));
        let grown = [("a", "1"), ("b", "1"), ("x", "1")];
        assert_eq!(survey(&grown).plan(&ledger(&all)).shrunk, None);
        // Where nothing was, nothing can shrink.
        assert_eq!(survey(&[]).plan(&Ledger::default()), Plan::default());
    }

    #[test]
    fn what_was_begun_is_finished() {
        let print = record("a", "2").print().unwrap();
        let mut ledger = ledger(&[("a", "1"), ("b", "1")]);
        let found = survey(&[("a", "2"), ("b", "1")]);
        // Sent, and not known to be logged: sent again.
        let sent = ledger
            .get("a")
            .unwrap()
            .clone()
            .sends("a", print, "", vec![id("2")]);
        ledger.put("a", sent.clone());
        assert_eq!(found.plan(&ledger).publish.len(), 1);
        assert!(found.plan(&ledger).publish["a"][0].replaces);
        // Sent for the first time, it replaces nothing.
        let first = Held::default().sends("a", print, "", vec![id("2")]);
        ledger.put("a", first);
        assert!(!found.plan(&ledger).publish["a"][0].replaces);
        // Logged, and what it replaces is not withdrawn yet.
        let mut settled = sent;
        settled.settles();
        ledger.put("a", settled.clone());
        assert_eq!(found.plan(&ledger).unfinished, ["a"]);
        settled.took();
        ledger.put("a", settled);
        assert!(found.plan(&ledger).is_done());
        // A record that vanished while it was being taken back.
        let mut ended = ledger.get("a").unwrap().clone();
        ended.ends(Why::Vanished);
        ledger.put("a", ended);
        assert_eq!(survey(&[("b", "1")]).plan(&ledger).unfinished, ["a"]);
        // One that comes back is published, even if it says what it said.
        assert_eq!(found.plan(&ledger).publish.len(), 1);
    }
}
